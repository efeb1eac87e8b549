/*
 * virtio-blk.c - block device, OASIS VIRTIO 1.2, section 5.2.
 *
 * A request is copied and checked when it is taken, then runs as one or more steps at the block port: data
 * moves through a bounce buffer in pieces of at most BOUNCE_MAX bytes, discard and write-zeroes by range, and
 * a write-through request ends with a flush. Requests come from a fixed pool; while it is empty, chains wait
 * in the ring. Reset drains the port, and a completion that is of an earlier generation is dropped.
 *
 * Gaps: one queue; no SECURE_ERASE, LIFETIME, ZONED; requests in flight are not saved (the machine drains
 * first).
 */
#include "virtio-blk.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

enum {
    F_SEG_MAX = 2, F_RO = 5, F_BLK_SIZE = 6, F_FLUSH = 9, F_CONFIG_WCE = 11, F_DISCARD = 13,
    F_WRITE_ZEROES = 14,
};
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, RUNNING = -1 };

/* Configuration space (5.2.4). */
enum {
    C_CAPACITY = 0, C_SEG_MAX = 12, C_BLK_SIZE = 20, C_WRITEBACK = 32, C_MAX_DISCARD_SECTORS = 36,
    C_MAX_DISCARD_SEG = 40, C_DISCARD_ALIGN = 44, C_MAX_ZEROES_SECTORS = 48, C_MAX_ZEROES_SEG = 52,
    C_ZEROES_MAY_UNMAP = 56, CONFIG_SIZE = 60,
};

enum {
    SECTOR = 512, QUEUE_SIZE = 256, SEG_MAX = QUEUE_SIZE - 2 /* header and status */, POOL = 128,
    HEADER = 16, ID_LEN = 20, BOUNCE_MIN = 4096, BOUNCE_MAX = 1 << 20,
    RANGES = 16, RANGE_SIZE = 16, RANGE_UNMAP = 1,
    DISCARD_SECTORS_MAX = 1 << 21, ZEROES_SECTORS_MAX = 1 << 17, DISCARD_ALIGN = 8,
};

struct range {
    uint64_t offset, len; /* bytes */
    bool unmap;
};

struct blk_request {
    struct block_request io;
    struct virtio_blk *blk;
    struct blk_request *next; /* in the free list */
    uint64_t generation;
    uint32_t type;
    uint64_t offset, len, moved; /* T_IN, T_OUT: bytes on the disk, of data, and of data that went through */
    struct range range[RANGES];
    unsigned ranges, range_now;
    bool flushed;
    uint8_t *bounce;
    uint64_t room; /* bytes that bounce has */
    struct vq_chain chain;
};

struct virtio_blk {
    struct virtio v;
    struct block_port *port;
    struct blk_request *pool, *free;
    uint64_t generation; /* counts resets */

    uint8_t writeback; /* VIRTIO_BLK_F_CONFIG_WCE's switch */
};

static const struct state_field fields[] = {
    VIRTIO_FIELDS,
    STATE_BOOL(struct virtio_blk, writeback),
    STATE_END,
};

static struct virtio_blk *blk_of(struct virtio *v)
{
    return (struct virtio_blk *)v;
}

/* 5.2.5.2 and 5.2.6.2: what has been reported as written may be in a cache. */
static bool is_writeback(const struct virtio_blk *b)
{
    return virtio_has(&b->v, F_CONFIG_WCE) ? b->writeback : virtio_has(&b->v, F_FLUSH);
}

/* ---- configuration ---- */

static void blk_config(const struct virtio *v, uint8_t *c)
{
    const struct virtio_blk *b = (const struct virtio_blk *)v;

    put_le64(c + C_CAPACITY, b->port->size / SECTOR);
    put_le32(c + C_SEG_MAX, SEG_MAX);
    put_le32(c + C_BLK_SIZE, SECTOR);
    c[C_WRITEBACK] = b->writeback;
    put_le32(c + C_MAX_DISCARD_SECTORS, DISCARD_SECTORS_MAX);
    put_le32(c + C_MAX_DISCARD_SEG, RANGES);
    put_le32(c + C_DISCARD_ALIGN, DISCARD_ALIGN);
    put_le32(c + C_MAX_ZEROES_SECTORS, ZEROES_SECTORS_MAX);
    put_le32(c + C_MAX_ZEROES_SEG, RANGES);
    c[C_ZEROES_MAY_UNMAP] = b->port->discard;
}

static void blk_config_write(struct virtio *v, unsigned off, unsigned width, uint32_t value)
{
    if (off == C_WRITEBACK && width == 1 && virtio_has(v, F_CONFIG_WCE))
        blk_of(v)->writeback = value & 1;
}

void virtio_blk_resized(struct virtio *v)
{
    virtio_config_changed(v);
}

/* ---- the pool ---- */

static struct blk_request *take_request(struct virtio_blk *b)
{
    struct blk_request *r = b->free;

    b->free = r->next;
    r->generation = b->generation;
    r->len = r->moved = 0;
    r->ranges = r->range_now = 0;
    r->flushed = false;
    return r;
}

static void give_request(struct blk_request *r)
{
    r->next = r->blk->free;
    r->blk->free = r;
}

/* Grows by doubling, so that a request of the pool soon keeps what it has. */
static bool make_room(struct blk_request *r, uint64_t bytes)
{
    uint64_t room = BOUNCE_MIN;

    if (bytes <= r->room)
        return true;
    while (room < bytes)
        room *= 2;
    free(r->bounce);
    r->bounce = alloc_try(1, room);
    r->room = r->bounce ? room : 0;
    return r->bounce;
}

/* ---- steps ---- */

static int submit(struct blk_request *r, enum block_op op, uint64_t offset, uint64_t len, bool unmap)
{
    struct block_port *port = r->blk->port;

    r->io.op = op;
    r->io.offset = offset;
    r->io.len = len;
    r->io.unmap = unmap;
    r->io.buf = op == BLOCK_READ || op == BLOCK_WRITE ? r->bounce : NULL;
    port->submit(port, &r->io);
    return RUNNING;
}

static int submit_data(struct blk_request *r)
{
    uint64_t left = r->len - r->moved, n = left < BOUNCE_MAX ? left : BOUNCE_MAX;

    if (!make_room(r, n))
        return S_IOERR;
    if (r->type == T_IN)
        return submit(r, BLOCK_READ, r->offset + r->moved, n, false);
    if (!virtio_read(&r->blk->v, 0, &r->chain, HEADER + r->moved, r->bounce, n))
        return S_IOERR;
    return submit(r, BLOCK_WRITE, r->offset + r->moved, n, false);
}

/* Starts the next step: RUNNING, or the request's status when there is none. */
static int step(struct blk_request *r)
{
    bool flush = r->type == T_FLUSH || (r->type != T_IN && !is_writeback(r->blk));

    if (r->moved < r->len)
        return submit_data(r);
    if (r->range_now < r->ranges) {
        const struct range *a = &r->range[r->range_now++];
        return submit(r, r->type == T_DISCARD ? BLOCK_DISCARD : BLOCK_ZEROES, a->offset, a->len, a->unmap);
    }
    if (flush && !r->flushed) {
        r->flushed = true;
        return submit(r, BLOCK_FLUSH, 0, 0, false);
    }
    return S_OK;
}

/* The status is the last writable byte; `written` counts a prefix of the writable bytes (2.7.8). */
static void finish(struct blk_request *r, int status)
{
    struct virtio *v = &r->blk->v;
    uint8_t byte = (uint8_t)status;
    uint64_t last = r->chain.write_len - 1, data = r->type == T_OUT ? 0 : r->moved;

    if (virtio_live(v) && virtio_write(v, 0, &r->chain, last, &byte, 1)) {
        virtio_push(v, 0, &r->chain, (uint32_t)(data == last ? data + 1 : data));
        virtio_interrupt(v, 0);
    }
    give_request(r);
}

static void run_queue(struct virtio_blk *b);

static void done(struct block_request *io, enum block_status status)
{
    struct blk_request *r = io->dev;
    struct virtio_blk *b = r->blk;
    int result = status == BLOCK_OK ? S_OK : S_IOERR;

    if (r->generation != b->generation || !virtio_live(&b->v)) {
        give_request(r);
        return;
    }
    if (result == S_OK && (io->op == BLOCK_READ || io->op == BLOCK_WRITE)) {
        if (io->op == BLOCK_READ && !virtio_write(&b->v, 0, &r->chain, r->moved, r->bounce, io->len))
            result = S_IOERR;
        else
            r->moved += io->len;
    }
    if (result == S_OK)
        result = step(r);
    if (result == RUNNING)
        return;
    bool starved = !b->free;
    finish(r, result);
    if (starved)
        run_queue(b);
}

/* ---- taking requests ---- */

static int start_data(struct blk_request *r, uint64_t sector, uint64_t len)
{
    const struct block_port *port = r->blk->port;

    if (len % SECTOR || sector > port->size / SECTOR || !in_range(sector * SECTOR, len, port->size))
        return S_IOERR;
    if (r->type == T_OUT && port->read_only)
        return S_IOERR;
    r->offset = sector * SECTOR;
    r->len = len;
    return step(r);
}

/* A struct virtio_blk_discard_write_zeroes: sector, number of sectors, flags (5.2.6). */
static int decode_range(const struct blk_request *r, const uint8_t *raw, struct range *a)
{
    uint64_t sector = get_le64(raw), n = get_le32(raw + 8);
    uint32_t flags = get_le32(raw + 12);

    if (flags & ~(uint32_t)RANGE_UNMAP || (r->type == T_DISCARD && flags))
        return S_UNSUPP;
    if (n > (r->type == T_DISCARD ? DISCARD_SECTORS_MAX : ZEROES_SECTORS_MAX) ||
        !in_range(sector, n, r->blk->port->size / SECTOR))
        return S_IOERR;
    *a = (struct range){ sector * SECTOR, n * SECTOR, r->type == T_DISCARD || flags };
    return S_OK;
}

static int start_ranges(struct blk_request *r, uint64_t len)
{
    uint8_t raw[RANGES * RANGE_SIZE];
    int status = S_OK;

    if (!virtio_has(&r->blk->v, r->type == T_DISCARD ? F_DISCARD : F_WRITE_ZEROES))
        return S_UNSUPP;
    if (!len || len % RANGE_SIZE || len > sizeof raw || r->blk->port->read_only ||
        !virtio_read(&r->blk->v, 0, &r->chain, HEADER, raw, len))
        return S_IOERR;
    for (uint64_t i = 0; i < len && status == S_OK; i += RANGE_SIZE) {
        struct range *a = &r->range[r->ranges];
        status = decode_range(r, raw + i, a);
        if (status == S_OK && a->len)
            r->ranges++;
    }
    return status == S_OK ? step(r) : status;
}

static int start_get_id(struct blk_request *r, uint64_t room)
{
    char text[ID_LEN] = { 0 };
    uint64_t n = room < ID_LEN ? room : ID_LEN;

    if (r->blk->port->serial)
        memcpy(text, r->blk->port->serial, strnlen(r->blk->port->serial, ID_LEN));
    if (!virtio_write(&r->blk->v, 0, &r->chain, 0, text, n))
        return S_IOERR;
    r->moved = n;
    return S_OK;
}

static int start_request(struct blk_request *r, const uint8_t header[HEADER])
{
    uint64_t out = r->chain.read_len - HEADER, in = r->chain.write_len - 1;

    r->type = get_le32(header);
    switch (r->type) {
    case T_IN: return start_data(r, get_le64(header + 8), in);
    case T_OUT: return start_data(r, get_le64(header + 8), out);
    case T_FLUSH: return step(r);
    case T_GET_ID: return start_get_id(r, in);
    case T_DISCARD:
    case T_WRITE_ZEROES: return start_ranges(r, out);
    default: return S_UNSUPP;
    }
}

/* Takes one chain; false when there is none, or no request to serve it. */
static bool take(struct virtio_blk *b)
{
    uint8_t header[HEADER];

    if (!b->free || !virtio_pop(&b->v, 0, &b->free->chain))
        return false;
    struct blk_request *r = take_request(b);
    if (r->chain.read_len < HEADER || !r->chain.write_len) {
        virtio_break(&b->v, "a block request without header or status");
    } else if (virtio_read(&b->v, 0, &r->chain, 0, header, HEADER)) {
        int status = start_request(r, header);
        if (status != RUNNING)
            finish(r, status);
        return true;
    }
    give_request(r);
    return false;
}

static void run_queue(struct virtio_blk *b)
{
    for (unsigned budget = QUEUE_SIZE; budget; budget--) {
        if (!take(b))
            return;
    }
    virtio_again(&b->v, 0);
}

static void blk_kick(struct virtio *v, unsigned n)
{
    run_queue(blk_of(v));
}

/* ---- life ---- */

static void drop_requests(struct virtio *v, unsigned n)
{
    struct virtio_blk *b = blk_of(v);

    b->generation++;
    b->port->drain(b->port);
}

static void blk_reset(struct virtio *v)
{
    drop_requests(v, 0);
    blk_of(v)->writeback = 1;
}

static void blk_destroy(struct device *dev)
{
    struct virtio_blk *b = (struct virtio_blk *)dev;

    virtio_fini(&b->v);
    for (unsigned i = 0; i < POOL; i++)
        free(b->pool[i].bounce);
    free(b->pool);
    free(b);
}

static const struct virtio_ops ops = {
    .id = VIRTIO_ID_BLOCK,
    .config_size = CONFIG_SIZE,
    .config = blk_config,
    .config_write = blk_config_write,
    .reset = blk_reset,
    .queue_reset = drop_requests,
    .kick = blk_kick,
};

static const struct dev_ops dev_ops = {
    .name = "virtio-blk",
    .reset = virtio_dev_reset,
    .settle = virtio_dev_settle,
    .valid = virtio_dev_valid,
    .destroy = blk_destroy,
    .fields = fields,
    .size = sizeof(struct virtio_blk),
};

static uint64_t features(const struct block_port *port)
{
    uint64_t f = BIT(F_SEG_MAX) | BIT(F_BLK_SIZE) | BIT(F_FLUSH) | BIT(F_CONFIG_WCE);

    if (port->read_only)
        return f | BIT(F_RO);
    return f | BIT(F_WRITE_ZEROES) | (port->discard ? BIT(F_DISCARD) : 0);
}

struct virtio *virtio_blk_new(const char *id, const struct dev_env *env, struct block_port *port)
{
    struct virtio_blk *b = alloc_zeroed(sizeof *b);

    virtio_init(&b->v, &dev_ops, &ops, id, env, features(port), (uint16_t[VIRTIO_QUEUES]){ QUEUE_SIZE });
    b->port = port;
    b->writeback = 1;
    b->pool = alloc_array(POOL, sizeof *b->pool);
    for (unsigned i = 0; i < POOL; i++) {
        struct blk_request *r = &b->pool[POOL - 1 - i];
        r->blk = b;
        r->io.dev = r;
        r->io.done = done;
        give_request(r);
    }
    return &b->v;
}
