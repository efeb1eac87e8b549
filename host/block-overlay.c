/*
 * block-overlay.c - copy-on-write over a read-only base, in a temporary file that has no name and vanishes
 * with the process.
 *
 * The unit is a cluster of 64 KiB with one bit: clear, it is read from the base; set, from the temporary
 * file. A write that covers a cluster only in part copies the rest of it from the base first. One worker
 * thread, so the bitmap needs no lock; a cluster's bit is set after its data are written, so a write that
 * failed half-way leaves the base visible.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "block-image.h"
#include "block-port.h"
#include "worker.h"

enum { CLUSTER = 65536 };

struct overlay {
    struct block_owner head; /* first */
    struct block_image base;
    struct block_image top;
    uint8_t *ours; /* a bit per cluster */
    uint8_t *copy; /* one cluster */
};

static bool is_ours(const struct overlay *o, uint64_t cluster)
{
    return o->ours[cluster / 8] >> (cluster % 8) & 1;
}

static void make_ours(struct overlay *o, uint64_t cluster)
{
    o->ours[cluster / 8] |= (uint8_t)(1u << (cluster % 8));
}

/* One piece inside a cluster. `data` NULL writes zeroes. */
static enum block_status write_piece(struct overlay *o, uint64_t offset, const uint8_t *data, uint64_t len)
{
    uint64_t cluster = offset / CLUSTER, start = cluster * CLUSTER;
    uint64_t whole = o->top.size - start < CLUSTER ? o->top.size - start : CLUSTER;
    enum block_status status;

    if (is_ours(o, cluster) || len == whole) {
        status = data ? block_image_write(&o->top, offset, data, len)
                 : block_image_zeroes(&o->top, offset, len, true);
    } else {
        status = block_image_read(&o->base, start, o->copy, whole);
        if (status != BLOCK_OK)
            return status;
        if (data)
            memcpy(o->copy + (offset - start), data, len);
        else
            memset(o->copy + (offset - start), 0, len);
        status = block_image_write(&o->top, start, o->copy, whole);
    }
    if (status == BLOCK_OK)
        make_ours(o, cluster);
    return status;
}

static enum block_status read_piece(struct overlay *o, uint64_t offset, uint8_t *data, uint64_t len)
{
    return block_image_read(is_ours(o, offset / CLUSTER) ? &o->top : &o->base, offset, data, len);
}

static enum block_status by_pieces(struct overlay *o, struct block_request *req)
{
    enum block_status status = BLOCK_OK;
    uint64_t done = 0;

    while (done < req->len && status == BLOCK_OK) {
        uint64_t offset = req->offset + done;
        uint64_t n = CLUSTER - offset % CLUSTER;
        n = n < req->len - done ? n : req->len - done;
        status = req->op == BLOCK_READ ? read_piece(o, offset, req->buf + done, n)
                 : write_piece(o, offset, req->op == BLOCK_WRITE ? req->buf + done : NULL, n);
        done += n;
    }
    return status;
}

/* A discard is carried out as writing zeroes: whole clusters become holes. A flush has nothing to keep. */
static enum block_status perform(void *owner, struct block_request *req)
{
    return req->op == BLOCK_FLUSH ? BLOCK_OK : by_pieces(owner, req);
}

static void finish(struct block_owner *head)
{
    struct overlay *o = (struct overlay *)head;

    block_image_close(&o->base);
    block_image_close(&o->top);
    free(o->ours);
    free(o->copy);
    free(o);
}

struct block_port *block_overlay_open(struct loop *loop, const struct block_image *base,
                                      const struct block_config *config, struct error *e)
{
    struct overlay *o = alloc_zeroed(sizeof *o);

    o->base = *base;
    o->top.fd = -1;
    o->head.finish = finish;
    o->ours = alloc_try(base->size / CLUSTER / 8 + 1, 1);
    o->copy = alloc_zeroed(CLUSTER);
    if (!o->ours)
        error_set(e, "disk image '%s': not enough memory for its overlay", base->name);
    else if (block_image_temporary(&o->top, base->size, e))
        o->head.worker = worker_new(loop, 1, perform, o, e);
    if (!o->head.worker) {
        finish(&o->head);
        return NULL;
    }
    block_port_init(&o->head, base->size, false, config);
    o->head.port.discard = true;
    return &o->head.port;
}
