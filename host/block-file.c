/*
 * block-file.c - a block port straight on a raw image, and the choice between it and an overlay.
 *
 * Two threads per disk: a flush does not hold up reads. A flush covers the writes that were done before it
 * was submitted, because their pwrite() had returned by then.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "block-image.h"
#include "block-port.h"
#include "worker.h"

enum { FILE_THREADS = 2 };

struct block_file {
    struct block_owner head; /* first */
    struct block_image img;
    bool discard;
};

static enum block_status perform(void *owner, struct block_request *req)
{
    struct block_file *f = owner;

    switch (req->op) {
    case BLOCK_READ:
        return block_image_read(&f->img, req->offset, req->buf, req->len);
    case BLOCK_WRITE:
        return block_image_write(&f->img, req->offset, req->buf, req->len);
    case BLOCK_FLUSH:
        return block_image_flush(&f->img);
    case BLOCK_DISCARD:
        return f->discard ? block_image_discard(&f->img, req->offset, req->len)
               : f->img.read_only ? BLOCK_READ_ONLY : BLOCK_OK;
    case BLOCK_ZEROES:
        return block_image_zeroes(&f->img, req->offset, req->len, req->unmap && f->discard);
    }
    return BLOCK_IO_ERROR;
}

static void finish(struct block_owner *head)
{
    struct block_file *f = (struct block_file *)head;

    block_image_flush(&f->img);
    block_image_close(&f->img);
    free(f);
}

static struct block_port *open_direct(struct loop *loop, struct block_image *img,
                                      const struct block_config *config, struct error *e)
{
    struct block_file *f = alloc_zeroed(sizeof *f);

    f->img = *img;
    f->discard = config->discard;
    f->head.finish = finish;
    f->head.worker = worker_new(loop, FILE_THREADS, perform, f, e);
    if (!f->head.worker) {
        block_image_close(&f->img);
        free(f);
        return NULL;
    }
    block_port_init(&f->head, img->size, img->read_only, config);
    return &f->head.port;
}

struct block_port *block_open(struct loop *loop, const struct block_config *config, struct error *e)
{
    struct block_image img;

    if (!block_image_open(&img, config, config->read_only || config->snapshot, e))
        return NULL;
    if (config->snapshot && !config->read_only)
        return block_overlay_open(loop, &img, config, e);
    return open_direct(loop, &img, config, e);
}

/* ---- what file and overlay share ---- */

static void submit(struct block_port *port, struct block_request *req)
{
    worker_submit(((struct block_owner *)port)->worker, req);
}

static void drain(struct block_port *port)
{
    worker_drain(((struct block_owner *)port)->worker);
}

void block_port_init(struct block_owner *o, uint64_t size, bool read_only, const struct block_config *config)
{
    o->port = (struct block_port){ .size = size,
                                   .read_only = read_only,
                                   .discard = config->discard && !read_only,
                                   .serial = config->serial,
                                   .submit = submit,
                                   .drain = drain };
}

void block_close(struct block_port *port)
{
    struct block_owner *o = (struct block_owner *)port;

    if (!o)
        return;
    worker_drain(o->worker);
    worker_free(o->worker);
    o->finish(o);
}
