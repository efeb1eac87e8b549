#define _GNU_SOURCE
#include "ram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc.h"

enum { ALIGNMENT = 2 << 20 };

/* Maps the file at a multiple of ALIGNMENT: what depends on the low bits of host addresses (LR/SC granules, hashes) is
 * then the same in every run, and the host may use huge pages. MAP_FAILED with errno on failure. */
static void *map_aligned(int fd, uint64_t size)
{
    uint8_t *room = mmap(NULL, size + ALIGNMENT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (room == MAP_FAILED)
        return MAP_FAILED;
    size_t skip = -(uintptr_t)room & (ALIGNMENT - 1);
    void *host = mmap(room + skip, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
    int why = errno;
    if (host == MAP_FAILED) {
        munmap(room, size + ALIGNMENT);
        errno = why;
        return MAP_FAILED;
    }
    if (skip)
        munmap(room, skip);
    munmap(room + skip + size, ALIGNMENT - skip);
    return host;
}

struct ram *ram_new(const char *name, uint64_t size, struct error *e)
{
    uint64_t rounded = (size + 4095) & ~UINT64_C(4095);
    struct ram *ram = alloc_zeroed(sizeof *ram);

    if (rounded < size || rounded > (UINT64_C(1) << 46)) {
        free(ram);
        error_set(e, "%s of %llu bytes: more than a host process can map", name, (unsigned long long)size);
        return NULL;
    }
    int fd = memfd_create(name, MFD_CLOEXEC);
    void *host = MAP_FAILED;
    if (fd >= 0 && !ftruncate(fd, (off_t)rounded))
        host = map_aligned(fd, rounded);
    if (host == MAP_FAILED) {
        error_set(e, "%s of %llu MiB: the host cannot provide it (%s); ask for less memory with -m", name,
                  (unsigned long long)(rounded >> 20), strerror(errno));
        if (fd >= 0)
            close(fd);
        free(ram);
        return NULL;
    }
    *ram = (struct ram){ .name = name, .host = host, .size = rounded, .fd = fd };
    return ram;
}

void ram_free(struct ram *ram)
{
    if (!ram)
        return;
    munmap(ram->host, ram->size);
    close(ram->fd);
    free(ram);
}
