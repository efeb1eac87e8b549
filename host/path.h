/*
 * path.h - file names built by format, lists of strings, and small whole-file reads and writes.
 *
 * Nothing here runs while a guest does.
 */
#ifndef HOST_PATH_H
#define HOST_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct path {
    char s[PATH_MAX];
};

/* Formats a file name. Fails when it would not fit; `p` may not be one of the arguments. */
bool path_set(struct path *p, struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));

/* The part after the last '/'. */
const char *path_base(const char *path);

/* Creates a directory and its missing parents, mode 0755. One that exists is fine. */
bool path_make_dirs(const char *dir, struct error *e);

/* Removes a file, or a directory with everything in it; does not follow links. A missing one is fine. */
bool path_remove_tree(const char *path, struct error *e);

bool path_exists(const char *path);

/* The size in bytes of a regular file, or -1. */
int64_t path_size(const char *path);

/* Free bytes for this user on the file system that holds `path` (or its nearest existing parent), or -1. */
int64_t path_free_space(const char *path);

struct strings {
    char **item;
    size_t count;
};

void strings_add(struct strings *l, const char *s);
void strings_addf(struct strings *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strings_has(const struct strings *l, const char *s);
void strings_free(struct strings *l);

/* A growing byte buffer; data[len] is always 0 once anything was added. */
struct bytes {
    char *data;
    size_t len;
    size_t cap;
};

void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_addf(struct bytes *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bytes_free(struct bytes *b);

/* Reads a whole file of at most `max` bytes. */
bool file_read(const char *path, size_t max, struct bytes *out, struct error *e);

/* Writes a file under a temporary name beside it, then renames it into place. */
bool file_write(const char *path, const void *data, size_t len, struct error *e);

#endif
