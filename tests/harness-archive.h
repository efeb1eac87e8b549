/* harness-archive.h - what `lyrebird run` stands on: archives, module needs, apt's texts, sniffing. */
#ifndef HARNESS_ARCHIVE_H
#define HARNESS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Functions that fill `text` put an error's message there when they return false. */

bool arc_make_dir(char *dir, size_t size);
void arc_remove(const char *path);
bool arc_write(const char *file, const void *data, size_t len);

/* An initramfs with a directory, a file, a link and a device. */
bool arc_initramfs_sample(const char *file, char *text, size_t size);

/* Each entry of any archive as libarchive reads it, one a line: "file 644 etc/x 5 hello". */
bool arc_list(const char *file, char *text, size_t size);

/* What a cpio program lists; -1 when this host has neither cpio nor busybox, else 0 or 1. */
int arc_cpio_list(const char *file, char *text, size_t size);

/* The load order of `wanted` (names with spaces between) by lines "module: need need". */
bool arc_closure(const char *needs, const char *wanted, char *text, size_t size);

/* The strings of a module with '\n' between, and their needs: "hard,hard|soft". */
bool arc_module_info(const void *ko, size_t len, char *text, size_t size);
void arc_module_needs(const char *line, char *text, size_t size);
void arc_module_name(const char *file, char *text, size_t size);
size_t arc_unsigned_length(const void *ko, size_t len);

/* "kernel", "bare", "program", ...; arch and what are filled ("" for none). */
const char *arc_sniff(const void *data, size_t len, char *arch, size_t arch_size, char *what,
                      size_t what_size);
const char *arc_sniff_file(const char *file, bool *compressed, char *text, size_t size);

bool arc_site(const char *targets, char *site, char *security, size_t size);
double arc_status_share(const char *line);
size_t arc_plan(const char *uris, uint64_t *bytes, char *text, size_t size);

void arc_progress_line(char *text, size_t size, const char *label, double share, uint64_t total,
                       double seconds);

/* Everything that a job writes to a log that is not a terminal, with an update at each of `shares`. */
void arc_progress_log(const double *shares, size_t count, bool quiet, char *text, size_t size);

bool arc_size(const char *word, uint64_t *bytes);
void arc_status(const char *control, const char *conffiles, char *text, size_t size);
void arc_merged_name(const char *name, bool directory, char *text, size_t size);

struct arc_entry {
    const char *name;
    unsigned mode;          /* with its type bits */
    unsigned uid, gid;
    const char *text;       /* contents, or the target of a link */
};

/* A Debian package file. */
bool arc_make_deb(const char *file, const struct arc_entry *control, size_t controls,
                  const struct arc_entry *data, size_t datas, char *text, size_t size);

/* The names of a package's data, one a line. */
bool arc_deb_names(const char *file, char *text, size_t size);

/* A root image of 1 GB from packages (full names with '\n' between). */
bool arc_rootfs(const char *packages, const char *work, const char *image, char *text, size_t size);

/* Whether a host program is there; and the output of one debugfs command on an image. */
bool arc_have(const char *program);
bool arc_debugfs(const char *image, const char *command, char *text, size_t size);

/* "what=debian smp=2 ..." of the options that were given. */
bool arc_run_options(int argc, char **argv, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
