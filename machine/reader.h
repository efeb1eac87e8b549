/*
 * reader.h - the one cursor through which loaders look at a file's bytes. A read outside the file yields
 * zeros and sets `failed`, which stays set: parse a whole header, then ask once.
 */
#ifndef MACHINE_READER_H
#define MACHINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"

struct reader {
    const uint8_t *data;
    uint64_t size;
    uint64_t at;
    bool failed;
};

static inline struct reader reader_on(const void *data, uint64_t size)
{
    return (struct reader){ .data = data, .size = size };
}

/* The next `len` bytes, or NULL. */
static inline const uint8_t *reader_bytes(struct reader *r, uint64_t len)
{
    if (r->failed || !in_range(r->at, len, r->size)) {
        r->failed = true;
        return NULL;
    }
    r->at += len;
    return r->data + (r->at - len);
}

/* An absolute position; one past the end is allowed. */
static inline void reader_seek(struct reader *r, uint64_t at)
{
    r->at = at;
    r->failed |= at > r->size;
}

static inline void reader_skip(struct reader *r, uint64_t len)
{
    reader_bytes(r, len);
}

/* A reader on the bytes [off, off + len) of this one; a failed, empty one when they are not there. */
static inline struct reader reader_slice(const struct reader *r, uint64_t off, uint64_t len)
{
    if (!in_range(off, len, r->size))
        return (struct reader){ .data = r->data, .failed = true };
    return reader_on(r->data + off, len);
}

/* `width` bytes (1, 2, 4, 8), little-endian. */
static inline uint64_t reader_le(struct reader *r, unsigned width)
{
    const uint8_t *p = reader_bytes(r, width);

    return p ? get_le(p, width) : 0;
}

static inline uint32_t reader_be32(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 4);

    return p ? get_be32(p) : 0;
}

#endif
