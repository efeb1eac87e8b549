/*
 * ram.h - a block of guest memory on one memfd, so that a snapshot or another process can map it copy-on-write.
 */
#ifndef CORE_RAM_H
#define CORE_RAM_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct ram {
    const char *name; /* string literal */
    uint8_t *host;    /* page-aligned, zero-filled at first */
    uint64_t size;    /* bytes, a multiple of 4096 */
    int fd;
};

/* `size` is rounded up to whole pages. NULL with a message when the host has not got the memory. */
struct ram *ram_new(const char *name, uint64_t size, struct error *e);
void ram_free(struct ram *ram);

#endif
