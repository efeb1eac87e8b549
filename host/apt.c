/* apt.c - see apt.h. */
#define _GNU_SOURCE 1

#include "apt.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

static const char keyring[] = "/usr/share/keyrings/debian-archive-keyring.gpg";

const char apt_targets_format[] = "$(SITE)|$(ORIGIN)|$(LABEL)|$(CODENAME)";

/* A source that another machine's packages can come from: not a CD-ROM, not a local copy of one suite. */
static bool usable_site(const char *site)
{
    static const char *const schemes[] = { "http:", "https:", "file:", "mirror", "tor+http", "ftp:" };

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(site, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* Before the host's first `apt-get update` nothing but the name of a site tells that it is Debian's. */
static bool looks_like_debian(const char *site, const char *name)
{
    size_t n = strlen(site);
    size_t m = strlen(name);

    while (n && site[n - 1] == '/')
        n--;
    return n > m && strncmp(site + n - m, name, m) == 0 && site[n - m - 1] == '/';
}

static void consider(struct apt_site *out, const char *site, const char *origin, const char *label,
                     const char *codename)
{
    bool known = strcmp(origin, "Debian") == 0;
    bool unknown = !origin[0];
    bool plain = !strchr(codename, '-');

    if (!usable_site(site) || strlen(site) >= sizeof out->main)
        return;
    if (!out->main[0] && ((known && plain && strcmp(label, "Debian") == 0) ||
                          (unknown && looks_like_debian(site, "debian"))))
        snprintf(out->main, sizeof out->main, "%s", site);
    if (!out->security[0] && ((known && strcmp(label, "Debian-Security") == 0) ||
                              (unknown && looks_like_debian(site, "debian-security"))))
        snprintf(out->security, sizeof out->security, "%s", site);
}

bool apt_site_parse(const char *text, struct apt_site *out)
{
    enum { FIELDS = 4 };

    *out = (struct apt_site){ 0 };
    while (*text) {
        const char *end = strchrnul(text, '\n');
        char line[1200];
        char *field[FIELDS] = { line };
        int n = 1;

        if ((size_t)(end - text) < sizeof line) {
            memcpy(line, text, (size_t)(end - text));
            line[end - text] = 0;
            for (char *s = line; *s; s++) {
                if (*s == '|' && n < FIELDS) {
                    *s = 0;
                    field[n++] = s + 1;
                }
            }
            if (n == FIELDS)
                consider(out, field[0], field[1], field[2], field[3]);
        }
        text = *end ? end + 1 : end;
    }
    return out->main[0] != 0;
}

bool apt_site_of_host(struct apt_site *out, struct error *e)
{
    struct strings argv = { 0 };
    struct bytes text = { 0 };

    strings_add(&argv, "apt-get");
    strings_add(&argv, "indextargets");
    strings_add(&argv, "--format");
    strings_add(&argv, apt_targets_format);
    bool ok = child_run(&(struct child){ .argv = &argv, .output = &text }, e);
    if (ok && !apt_site_parse(text.data ? text.data : "", out))
        ok = error_set(e, "this host's apt has no source that is Debian's own archive: "
                          "give the URL of a Debian mirror with --mirror URL");
    bytes_free(&text);
    strings_free(&argv);
    return ok;
}

/*
 * The host's settings for transport. Everything else of its configuration stays out: its hooks would run
 * and its architectures and pins would take part.
 */
static bool copy_acquire(struct bytes *conf, struct error *e)
{
    struct strings argv = { 0 };
    struct bytes text = { 0 };
    char *save = NULL;

    strings_add(&argv, "apt-config");
    strings_add(&argv, "dump");
    bool ok = child_run(&(struct child){ .argv = &argv, .output = &text }, e);
    for (char *l = ok && text.data ? strtok_r(text.data, "\n", &save) : NULL; l;
         l = strtok_r(NULL, "\n", &save))
        if (strncmp(l, "Acquire::", 9) == 0 && strncmp(l, "Acquire::IndexTargets", 21) != 0 &&
            strncmp(l, "Acquire::Languages", 18) != 0)
            bytes_addf(conf, "%s\n", l);
    bytes_free(&text);
    strings_free(&argv);
    return ok;
}

static bool write_conf(struct apt *a, struct error *e)
{
    const char *d = a->dir.s;
    struct bytes c = { 0 };
    struct path file;

    bool ok = copy_acquire(&c, e);
    bytes_addf(&c, "Dir::Etc::Main \"/dev/null\";\nDir::Etc::Parts \"/dev/null\";\n");
    bytes_addf(&c, "Dir::Etc::SourceList \"%s/etc/sources.list\";\nDir::Etc::SourceParts \"/dev/null\";\n",
               d);
    bytes_addf(&c, "Dir::Etc::Preferences \"/dev/null\";\nDir::Etc::PreferencesParts \"/dev/null\";\n");
    bytes_addf(&c, "Dir::State \"%s/state\";\nDir::State::status \"%s/etc/status\";\n", d, d);
    bytes_addf(&c, "Dir::Cache \"%s/cache\";\nDir::Log \"%s/state\";\n", d, d);
    bytes_addf(&c, "APT::Architecture \"%s\";\nAPT::Architectures \"%s\";\n", a->arch, a->arch);
    bytes_addf(&c, "APT::Install-Recommends \"0\";\nAPT::Install-Suggests \"0\";\n");
    bytes_addf(&c, "Acquire::Languages \"none\";\n");
    /* The user that apt fetches as can not enter a home directory. */
    if (geteuid() == 0)
        bytes_addf(&c, "APT::Sandbox::User \"root\";\n");
    ok = ok && path_set(&file, e, "%s/etc/apt.conf", d) && file_write(file.s, c.data, c.len, e) &&
         path_set(&a->conf, e, "APT_CONFIG=%s", file.s);
    bytes_free(&c);
    return ok;
}

static bool write_sources(struct apt *a, struct error *e)
{
    const struct apt_site *site = &a->site;
    struct bytes s = { 0 };
    struct path file;

    bytes_addf(&s, "deb [arch=%s signed-by=%s] %s %s main\n", a->arch, keyring, site->main, a->suite);
    if (site->security[0])
        bytes_addf(&s, "deb [arch=%s signed-by=%s] %s %s-security main\n", a->arch, keyring, site->security,
                   a->suite);
    bool ok = path_set(&file, e, "%s/etc/sources.list", a->dir.s) && file_write(file.s, s.data, s.len, e) &&
              path_set(&file, e, "%s/etc/status", a->dir.s) && file_write(file.s, "", 0, e);
    bytes_free(&s);
    return ok;
}

/* A quote or a line end in either would change the meaning of the files that are written from them. */
static bool harmless(const char *text)
{
    return text[0] && !strpbrk(text, "\"\n\r\t []{};");
}

bool apt_open(struct apt *a, const char *dir, const char *arch, const char *suite,
              const struct apt_site *site, struct progress *progress, struct error *e)
{
    static const char *const dirs[] = { "etc", "state/lists/partial", "cache/archives/partial" };
    struct path p;

    *a = (struct apt){ .arch = arch, .suite = suite, .site = *site, .progress = progress };
    if (!path_exists(keyring))
        return error_set(e, "Debian's archive keys are missing (%s): install the package "
                            "debian-archive-keyring", keyring);
    if (!harmless(site->main) || (site->security[0] && !harmless(site->security)))
        return error_set(e, "'%s' is not a usable mirror: a URL has no spaces, quotes or brackets",
                         site->main);
    if (!harmless(dir))
        return error_set(e, "apt can not work in '%s': set XDG_CACHE_HOME to a directory without spaces or "
                            "quotes in its name", dir);
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
        if (!path_set(&p, e, "%s/%s", dir, dirs[i]) || !path_make_dirs(p.s, e))
            return false;
    return path_set(&a->dir, e, "%s", dir) && path_set(&a->archives, e, "%s/cache/archives", dir) &&
           write_sources(a, e) && write_conf(a, e);
}

double apt_status_share(const char *line)
{
    double percent;
    char *end;

    if (strncmp(line, "dlstatus:", 9) != 0)
        return -1;
    line = strchr(line + 9, ':');
    if (!line)
        return -1;
    percent = strtod(line + 1, &end);
    return *end == ':' && percent >= 0 && percent <= 100 ? percent / 100 : -1;
}

static void on_status(void *ctx, const char *line)
{
    struct apt *a = ctx;
    double share = apt_status_share(line);

    if (share >= 0)
        progress_update(a->progress, share);
}

static bool apt_run(struct apt *a, struct strings *argv, struct bytes *output, bool status, struct error *e)
{
    struct child c = { .argv = argv, .env = a->conf.s, .cwd = a->archives.s, .output = output };

    if (status) {
        c.on_status = on_status;
        c.ctx = a;
        strings_add(argv, "-o");
        strings_addf(argv, "APT::Status-Fd=%d", CHILD_STATUS_FD);
    }
    bool ok = child_run(&c, e);
    strings_free(argv);
    return ok;
}

static bool update_lists(struct apt *a, struct error *e)
{
    struct strings argv = { 0 };

    strings_add(&argv, "apt-get");
    strings_add(&argv, "update");
    strings_add(&argv, "--error-on=any");
    progress_begin(a->progress, "package lists", 0);
    bool ok = apt_run(a, &argv, NULL, true, e);
    progress_end(a->progress, ok);
    return ok;
}

/* Mirrors of the security archive lack an architecture now and then; the release itself they have. */
bool apt_update(struct apt *a, struct error *e)
{
    struct error first;

    if (update_lists(a, &first))
        return true;
    if (a->site.security[0]) {
        a->site.security[0] = 0;
        if (write_sources(a, e) && update_lists(a, e)) {
            progress_note(a->progress, "warning: going on without security updates: %.*s",
                          (int)strcspn(first.text, "\n"), first.text);
            return true;
        }
    }
    *e = first;
    return error_prefix(e, "the package lists could not be fetched or verified (is the network there? "
                           "NO_PUBKEY means: upgrade debian-archive-keyring; --mirror URL picks another "
                           "archive)");
}

bool apt_field(struct apt *a, const char *package, const char *field, struct bytes *out, struct error *e)
{
    struct strings argv = { 0 };
    struct bytes text = { 0 };
    size_t n = strlen(field);
    bool found = false;
    char *save = NULL;

    strings_add(&argv, "apt-cache");
    strings_add(&argv, "show");
    strings_add(&argv, "--no-all-versions");
    strings_add(&argv, package);
    bool ok = apt_run(a, &argv, &text, false, e);
    for (char *l = ok && text.data ? strtok_r(text.data, "\n", &save) : NULL; l && !found;
         l = strtok_r(NULL, "\n", &save)) {
        found = strncmp(l, field, n) == 0 && strncmp(l + n, ": ", 2) == 0;
        if (found)
            bytes_addf(out, "%s", l + n + 2);
    }
    bytes_free(&text);
    return ok && (found || error_set(e, "the package %s has no field %s in the archive: try --refresh",
                                     package, field));
}

void apt_plan_parse(const char *text, struct apt_plan *plan)
{
    while (*text) {
        const char *end = strchrnul(text, '\n');
        char name[256];
        unsigned long long size;

        if (*text == '\'' && sscanf(text, "'%*[^'\n]' %255s %llu", name, &size) == 2 && !strchr(name, '/')) {
            strings_add(&plan->files, name);
            plan->bytes += size;
        }
        text = *end ? end + 1 : end;
    }
}

/* With a closure `install -d` resolves, into archives/; otherwise `download` writes there. */
static void fetch_argv(struct strings *argv, const struct strings *packages, bool closure)
{
    strings_add(argv, "apt-get");
    if (closure) {
        strings_add(argv, "--yes");
        strings_add(argv, "--download-only");
        strings_add(argv, "-oDebug::NoLocking=1");
    }
    strings_add(argv, closure ? "install" : "download");
    for (size_t i = 0; i < packages->count; i++)
        strings_add(argv, packages->item[i]);
}

static bool make_plan(struct apt *a, const struct strings *packages, bool closure, struct apt_plan *plan,
                      struct error *e)
{
    struct strings argv = { 0 };
    struct bytes text = { 0 };

    fetch_argv(&argv, packages, closure);
    strings_add(&argv, "--print-uris");
    /* What is in the cache already would be left out of the list. */
    if (closure) {
        strings_add(&argv, "-o");
        strings_addf(&argv, "Dir::Cache::archives=%s/cache/none", a->dir.s);
    }
    bool ok = apt_run(a, &argv, &text, false, e);
    if (ok)
        apt_plan_parse(text.data ? text.data : "", plan);
    bytes_free(&text);
    return ok;
}

/* apt does not look at a finished file again, so one that is cut short has to go. */
static bool all_there(struct apt *a, const struct apt_plan *plan, struct error *e)
{
    struct path p;
    uint64_t sum = 0;

    for (size_t i = 0; i < plan->files.count; i++) {
        if (!path_set(&p, e, "%s/%s", a->archives.s, plan->files.item[i]))
            return false;
        int64_t size = path_size(p.s);
        if (size < 0)
            return error_set(e, "apt did not leave '%s' in its cache: try --refresh", p.s);
        sum += (uint64_t)size;
    }
    return sum == plan->bytes ||
           error_set(e,
                     "packages in '%s' have %llu bytes instead of %llu: delete that directory and try again",
                     a->archives.s, (unsigned long long)sum, (unsigned long long)plan->bytes);
}

bool apt_fetch(struct apt *a, const struct strings *packages, bool closure, const char *label,
               struct apt_plan *plan, struct error *e)
{
    struct strings argv = { 0 };
    struct path none;

    *plan = (struct apt_plan){ 0 };
    if (!path_set(&none, e, "%s/cache/none/partial", a->dir.s) || !path_make_dirs(none.s, e))
        return false;
    if (!make_plan(a, packages, closure, plan, e))
        return false;
    if (!plan->files.count)
        return error_set(e, "the archive has none of the packages for %s: try --refresh or --mirror URL",
                         label);
    fetch_argv(&argv, packages, closure);
    progress_begin(a->progress, label, plan->bytes);
    bool ok = apt_run(a, &argv, NULL, true, e) && all_there(a, plan, e);
    progress_end(a->progress, ok);
    return ok;
}
