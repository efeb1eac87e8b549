/* path.c - see path.h. */
#define _GNU_SOURCE 1

#include "path.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "alloc.h"

bool path_set(struct path *p, struct error *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(p->s, sizeof p->s, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof p->s)
        return error_set(e, "the file name '%.80s...' is too long: use a shorter directory name", p->s);
    return true;
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool make_dir(const char *dir, struct error *e)
{
    if (mkdir(dir, 0755) == 0 || errno == EEXIST)
        return true;
    return error_set(e, "could not create the directory '%s': %s", dir, strerror(errno));
}

bool path_make_dirs(const char *dir, struct error *e)
{
    struct path p;

    if (!path_set(&p, e, "%s", dir))
        return false;
    for (char *s = p.s + 1; *s; s++) {
        if (*s != '/')
            continue;
        *s = 0;
        if (!make_dir(p.s, e))
            return false;
        *s = '/';
    }
    return make_dir(p.s, e);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

/* A directory that an archive made without write permission would keep its entries. */
static int open_up(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return type == FTW_D || type == FTW_DNR ? chmod(path, 0700) : 0;
}

bool path_remove_tree(const char *path, struct error *e)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT || error_set(e, "could not look at '%s': %s", path, strerror(errno));
    nftw(path, open_up, 16, FTW_PHYS | FTW_MOUNT);
    if (nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH | FTW_MOUNT) == 0)
        return true;
    return error_set(e, "could not remove '%s': %s", path, strerror(errno));
}

bool path_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int64_t path_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

int64_t path_free_space(const char *path)
{
    struct error ignored;
    struct statvfs vfs;
    struct path p;

    if (!path_set(&p, &ignored, "%s", path))
        return -1;
    while (statvfs(p.s, &vfs) < 0) {
        char *slash = strrchr(p.s, '/');
        if (!slash || !p.s[1])
            return -1;
        slash[slash == p.s] = 0;
    }
    return (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
}

void strings_add(struct strings *l, const char *s)
{
    l->item = alloc_resize(l->item, l->count + 2, sizeof *l->item);
    l->item[l->count] = alloc_text(s);
    l->item[++l->count] = NULL;
}

void strings_addf(struct strings *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *s = alloc_vformat(fmt, ap);
    va_end(ap);
    strings_add(l, s);
    free(s);
}

bool strings_has(const struct strings *l, const char *s)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->item[i], s) == 0)
            return true;
    return false;
}

void strings_free(struct strings *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->item[i]);
    free(l->item);
    *l = (struct strings){ 0 };
}

/* There is room for so much more, and a NUL. */
static void reserve(struct bytes *b, size_t len)
{
    assert(len < SIZE_MAX / 4 && b->len < SIZE_MAX / 4);
    if (b->len + len + 1 > b->cap) {
        b->cap = (b->len + len + 1) * 2;
        b->data = alloc_resize(b->data, b->cap, 1);
    }
}

void bytes_add(struct bytes *b, const void *data, size_t len)
{
    reserve(b, len);
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = 0;
}

void bytes_addf(struct bytes *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *s = alloc_vformat(fmt, ap);
    va_end(ap);
    bytes_add(b, s, strlen(s));
    free(s);
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){ 0 };
}

static bool read_all(int fd, const char *path, size_t max, struct bytes *out, struct error *e)
{
    enum { CHUNK = 65536 };
    ssize_t n;

    for (reserve(out, CHUNK); (n = read(fd, out->data + out->len, CHUNK)) > 0; reserve(out, CHUNK)) {
        if ((size_t)n > max - out->len)
            return error_set(e, "'%s' is larger than the %zu bytes expected at most", path, max);
        out->len += (size_t)n;
        out->data[out->len] = 0;
    }
    return n == 0 || error_set(e, "could not read '%s': %s", path, strerror(errno));
}

bool file_read(const char *path, size_t max, struct bytes *out, struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *out = (struct bytes){ 0 };
    if (fd < 0)
        return error_set(e, "could not open '%s': %s", path, strerror(errno));
    bytes_add(out, "", 0);
    bool ok = read_all(fd, path, max, out, e);
    close(fd);
    if (!ok)
        bytes_free(out);
    return ok;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* What a rename would not fill but replace: a symbolic link, a pipe, a terminal, /dev/stdout. */
static bool write_in_place(const char *path, const void *data, size_t len, struct error *e)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    if (fd < 0)
        return error_set(e, "could not open '%s': %s", path, strerror(errno));
    bool ok = write_all(fd, data, len);
    ok = close(fd) == 0 && ok;
    return ok || error_set(e, "could not write '%s': %s", path, strerror(errno));
}

bool file_write(const char *path, const void *data, size_t len, struct error *e)
{
    struct path tmp;
    struct stat st;

    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_in_place(path, data, len, e);
    if (!path_set(&tmp, e, "%s.%ld.new", path, (long)getpid()))
        return false;
    int fd = open(tmp.s, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set(e, "could not create '%s': %s", tmp.s, strerror(errno));
    bool ok = write_all(fd, data, len);
    ok = close(fd) == 0 && ok;
    if (ok && rename(tmp.s, path) == 0)
        return true;
    error_set(e, "could not write '%s': %s", path, strerror(errno));
    unlink(tmp.s);
    return false;
}
