/* deb.c - see deb.h. */
#include "deb.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct inner {
    struct archive *ar;
    char buf[65536];
};

/* The inner archive reads its bytes from an entry of the outer one. */
static la_ssize_t read_inner(struct archive *tar, void *ctx, const void **data)
{
    struct inner *in = ctx;

    *data = in->buf;
    la_ssize_t n = archive_read_data(in->ar, in->buf, sizeof in->buf);
    if (n < 0)
        archive_set_error(tar, archive_errno(in->ar), "%s", archive_error_string(in->ar));
    return n;
}

static bool has_dotdot(const char *name)
{
    for (const char *s = name; (s = strstr(s, "..")); s += 2)
        if ((s == name || s[-1] == '/') && (s[2] == '/' || s[2] == 0))
            return true;
    return false;
}

static const char *plain_name(const char *name)
{
    while (*name == '/' || (name[0] == '.' && name[1] == '/'))
        name++;
    return strcmp(name, ".") == 0 ? "" : name;
}

static bool each_entry(struct archive *tar, const char *file, deb_entry_fn *fn, void *ctx, struct error *e)
{
    struct archive_entry *entry;
    int r;

    while ((r = archive_read_next_header(tar, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
        const char *raw = archive_entry_pathname(entry);
        const char *name = raw ? plain_name(raw) : "";

        if (!*name)
            continue;
        if (has_dotdot(name))
            return error_set(e, "the package '%s' has a file name that leads out of it: '%s'", file, name);
        if (!fn(ctx, name, tar, entry, e))
            return false;
    }
    return r == ARCHIVE_EOF || error_set(e, "the package '%s' is damaged: %s; delete it and try again", file,
                                         archive_error_string(tar));
}

static bool find_member(struct archive *ar, const char *prefix)
{
    struct archive_entry *entry;

    while (archive_read_next_header(ar, &entry) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        if (name && strncmp(name, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

/* Named one by one: libarchive's "all" includes formats for which it starts other programs. */
static void support_filters(struct archive *a)
{
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_lzma(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_filter_bzip2(a);
}

static bool read_member(struct inner *in, const char *file, const char *prefix, deb_entry_fn *fn, void *ctx,
                        struct error *e)
{
    struct archive *tar = archive_read_new();

    support_filters(tar);
    archive_read_support_format_tar(tar);
    archive_read_support_format_gnutar(tar);
    bool ok = find_member(in->ar, prefix) ||
              error_set(e, "'%s' is not a Debian package: it has no member %s", file, prefix);
    if (ok && archive_read_open(tar, in, NULL, read_inner, NULL) != ARCHIVE_OK)
        ok = error_set(e, "the package '%s' can not be read: %s", file, archive_error_string(tar));
    ok = ok && each_entry(tar, file, fn, ctx, e);
    archive_read_free(tar);
    return ok;
}

bool deb_read(const char *file, enum deb_part part, deb_entry_fn *fn, void *ctx, struct error *e)
{
    struct inner *in = alloc_zeroed(sizeof *in);

    in->ar = archive_read_new();
    archive_read_support_format_ar(in->ar);
    bool ok = archive_read_open_filename(in->ar, file, 65536) == ARCHIVE_OK ||
              error_set(e, "could not open the package '%s': %s", file, archive_error_string(in->ar));
    ok = ok && read_member(in, file, part == DEB_CONTROL ? "control.tar" : "data.tar", fn, ctx, e);
    archive_read_free(in->ar);
    free(in);
    return ok;
}

/* True at the end of the data or, with `cut`, at `max` bytes. */
static bool collect(struct archive *a, size_t max, bool cut, struct bytes *out, struct error *e)
{
    char buf[65536];
    la_ssize_t n;

    bytes_add(out, "", 0);
    while (out->len <= max && (n = archive_read_data(a, buf, sizeof buf)) != 0) {
        if (n < 0)
            return error_set(e, "compressed data is damaged: %s", archive_error_string(a));
        bytes_add(out, buf, (size_t)n);
    }
    if (out->len <= max)
        return true;
    out->len = max;
    return cut || error_set(e, "a file inside an archive is larger than the %zu bytes expected at most", max);
}

bool deb_entry_data(struct archive *tar, size_t max, struct bytes *out, struct error *e)
{
    *out = (struct bytes){ 0 };
    if (collect(tar, max, false, out, e))
        return true;
    bytes_free(out);
    return false;
}

const char *deb_library(void)
{
    return archive_version_details();
}

static struct archive *raw_reader(void)
{
    struct archive *a = archive_read_new();

    support_filters(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    return a;
}

bool deb_decompress(const void *data, size_t len, size_t max, struct bytes *out, struct error *e)
{
    struct archive *a = raw_reader();
    struct archive_entry *entry;

    *out = (struct bytes){ 0 };
    bool ok = archive_read_open_memory(a, data, len) == ARCHIVE_OK &&
              archive_read_next_header(a, &entry) == ARCHIVE_OK;
    if (!ok)
        error_set(e, "compressed data is damaged: %s", archive_error_string(a));
    ok = ok && collect(a, max, false, out, e);
    if (!ok)
        bytes_free(out);
    archive_read_free(a);
    return ok;
}

bool deb_file_head(const char *file, size_t max, bool *was, struct bytes *out, struct error *e)
{
    struct archive *a = raw_reader();
    struct archive_entry *entry;

    *out = (struct bytes){ 0 };
    *was = false;
    bool ok = archive_read_open_filename(a, file, 65536) == ARCHIVE_OK ||
              error_set(e, "could not open '%s': %s", file, archive_error_string(a));
    int r = ok ? archive_read_next_header(a, &entry) : ARCHIVE_EOF;
    if (ok && r == ARCHIVE_OK) {
        *was = archive_filter_count(a) > 1;
        ok = collect(a, max, true, out, e);
    } else if (ok && r != ARCHIVE_EOF) {
        ok = error_set(e, "could not read '%s': %s", file, archive_error_string(a));
    }
    if (!ok)
        bytes_free(out);
    archive_read_free(a);
    return ok;
}
