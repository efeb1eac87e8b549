/*
 * loader-again.c - large blobs that are the beginning of a file give their copy up once they are in guest memory, and
 * are read again at a reset: a kernel and its initial RAM disk would otherwise stay in the host's memory twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "loader-priv.h"

enum { LARGE = 1 << 20, CHUNK = 1 << 20 };

struct load_origin {
    int fd;
    uint64_t size;
    struct timespec changed;
};

struct load_origin *load_origin_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < LARGE) {
        close(fd);
        return NULL;
    }
    struct load_origin *o = alloc_zeroed(sizeof *o);
    *o = (struct load_origin){ fd, (uint64_t)st.st_size, st.st_mtim };
    return o;
}

void load_origin_close(struct load_origin *o)
{
    if (!o)
        return;
    close(o->fd);
    free(o);
}

static bool unchanged(const struct load_origin *o)
{
    struct stat st;

    return !fstat(o->fd, &st) && (uint64_t)st.st_size == o->size && st.st_mtim.tv_sec == o->changed.tv_sec &&
           st.st_mtim.tv_nsec == o->changed.tv_nsec;
}

/* Is the blob the file, and neither a part nor what was packed in it? */
static bool is_whole(const struct load_blob *b, const struct load_origin *o)
{
    uint8_t page[4096];

    return b->len == o->size && pread(o->fd, page, sizeof page, 0) == sizeof page &&
           !memcmp(page, b->data, sizeof page) && unchanged(o);
}

void load_origin_give(struct load_list *list, size_t from, struct load_origin *o)
{
    if (o && list->count == from + 1 && is_whole(&list->item[from], o))
        list->item[from].origin = o;
    else
        load_origin_close(o);
}

void load_blob_rest(struct load_blob *b)
{
    if (!b->origin || !unchanged(b->origin))
        return;
    free(b->data);
    b->data = NULL;
    malloc_trim(0); /* the C library keeps what is not at the end of its heap */
}

static bool copy(const struct load_blob *b, struct bus *bus, uint8_t *buffer)
{
    for (uint64_t at = 0; at < b->len;) {
        uint64_t left = b->len - at;
        ssize_t n = pread(b->origin->fd, buffer, left < CHUNK ? left : CHUNK, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || !bus_poke(bus, b->gpa + at, buffer, (uint64_t)n))
            return false;
        at += (uint64_t)n;
    }
    return true;
}

bool load_blob_again(const struct load_blob *b, struct bus *bus, struct error *e)
{
    uint8_t *buffer = alloc_zeroed(CHUNK);
    bool ok = unchanged(b->origin) && copy(b, bus, buffer) && unchanged(b->origin);

    free(buffer);
    return ok || error_set(e, "'%s' was changed while the machine ran, and a reset needs it as it was: start the "
                              "machine again", b->name);
}
