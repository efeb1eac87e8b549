/*
 * deb.h - what is inside a Debian package: deb(5), an ar archive with a control.tar and a data.tar.
 *
 * Gaps: signatures inside packages (debsigs) are not looked at; apt has checked the file's hash.
 */
#ifndef HOST_DEB_H
#define HOST_DEB_H

#include "path.h"

struct archive;
struct archive_entry;

/*
 * Called for each entry, with its name without a leading "./" or "/"; an entry whose name has a ".." in it
 * never comes. `tar` gives the data (archive_read_data). Returns false with a message to stop.
 */
typedef bool deb_entry_fn(void *ctx, const char *name, struct archive *tar, struct archive_entry *entry,
                          struct error *e);

enum deb_part { DEB_CONTROL, DEB_DATA };

bool deb_read(const char *file, enum deb_part part, deb_entry_fn *fn, void *ctx, struct error *e);

/* The data of the current entry, at most `max` bytes of it; more is an error. */
bool deb_entry_data(struct archive *tar, size_t max, struct bytes *out, struct error *e);

/* Decompresses bytes that are one gzip, xz, zstd, ... stream; bytes in no such format are copied. */
bool deb_decompress(const void *data, size_t len, size_t max, struct bytes *out, struct error *e);

/* libarchive's name and version, and those of the libraries that it decompresses with. */
const char *deb_library(void);

/* Up to `max` bytes from the start of a file, decompressed (then `*was`) if it is one such stream. */
bool deb_file_head(const char *file, size_t max, bool *was, struct bytes *out, struct error *e);

#endif
