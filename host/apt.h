/*
 * apt.h - packages of another architecture and release, fetched by the host's own apt.
 *
 * apt runs with a private state, cache and source list, and with the host's own Acquire settings (proxies,
 * certificates), so signatures, hashes and transport are apt's. Nothing is installed on the host and no
 * maintainer script runs. See apt.conf(5), sources.list(5), apt-get(8) --print-uris, and apt's
 * doc/progress-reporting.md for APT::Status-Fd.
 *
 * Gaps: a host without apt (not Debian or a derivative) is not served. Only the component "main" is used.
 */
#ifndef HOST_APT_H
#define HOST_APT_H

#include "path.h"
#include "progress.h"

/* Where packages come from. */
struct apt_site {
    char main[512];         /* the URI of the archive that has the release itself */
    char security[512];     /* the URI of its security updates, or "" */
};

/* The `--format` that apt_site_parse understands. */
extern const char apt_targets_format[];

/*
 * Finds the archive in the output of `apt-get indextargets --format apt_targets_format`: Debian's own main
 * suite, and its security suite where the host has one. False when the text names neither.
 */
bool apt_site_parse(const char *text, struct apt_site *out);

/* The same, asked of this host's apt. */
bool apt_site_of_host(struct apt_site *out, struct error *e);

struct apt {
    struct path dir;
    struct path conf;       /* "APT_CONFIG=FILE" */
    struct path archives;
    const char *arch;       /* the caller's, as Debian names it */
    const char *suite;
    struct apt_site site;
    struct progress *progress;
};

/* Makes the private configuration under `dir`, which is created. `suite` is a code name such as trixie. */
bool apt_open(struct apt *a, const char *dir, const char *arch, const char *suite,
              const struct apt_site *site, struct progress *progress, struct error *e);

/* Fetches the package lists and checks their signatures. */
bool apt_update(struct apt *a, struct error *e);

/* The value of a field of the newest version of a package, such as "Depends". */
bool apt_field(struct apt *a, const char *package, const char *field, struct bytes *out, struct error *e);

struct apt_plan {
    struct strings files;   /* names in a->archives */
    uint64_t bytes;         /* their sizes added up */
};

/*
 * Fetches packages into a->archives: exactly `packages`, or with `closure` whatever they depend on, too.
 * Files that are there already, with apt's hash, are not fetched again. The caller frees plan->files.
 */
bool apt_fetch(struct apt *a, const struct strings *packages, bool closure, const char *label,
               struct apt_plan *plan, struct error *e);

/* Reads the lines that `apt-get --print-uris` prints into a plan; other lines are skipped. */
void apt_plan_parse(const char *text, struct apt_plan *plan);

/* The share (0..1) that a line on apt's status descriptor tells, or -1 if it tells something else. */
double apt_status_share(const char *line);

#endif
