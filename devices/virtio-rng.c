/*
 * virtio-rng.c - entropy device, OASIS VIRTIO 1.2, section 5.4.
 *
 * A buffer gets at most CHUNK bytes, which the device may decide (5.4.6.2), so that a doorbell stays short.
 */
#include "virtio-rng.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"

enum { QUEUE_SIZE = 64, CHUNK = 4096 };

struct virtio_rng {
    struct virtio v;
    struct rng_port *port;
    struct vq_chain chain;
};

static const struct state_field fields[] = { VIRTIO_FIELDS, STATE_END };

static void rng_kick(struct virtio *v, unsigned queue)
{
    struct virtio_rng *r = (struct virtio_rng *)v;
    unsigned budget = QUEUE_SIZE;
    uint8_t bytes[CHUNK];

    while (budget && virtio_pop(v, queue, &r->chain)) {
        uint64_t n = r->chain.write_len < CHUNK ? r->chain.write_len : CHUNK;
        r->port->fill(r->port, bytes, n);
        if (!virtio_write(v, queue, &r->chain, 0, bytes, n))
            return;
        virtio_push(v, queue, &r->chain, (uint32_t)n);
        budget--;
    }
    if (!budget)
        virtio_again(v, queue);
    virtio_interrupt(v, queue);
}

static void rng_destroy(struct device *dev)
{
    virtio_fini((struct virtio *)dev);
    free(dev);
}

static const struct virtio_ops ops = { .id = VIRTIO_ID_RNG, .kick = rng_kick };

static const struct dev_ops dev_ops = {
    .name = "virtio-rng",
    .reset = virtio_dev_reset,
    .settle = virtio_dev_settle,
    .valid = virtio_dev_valid,
    .destroy = rng_destroy,
    .fields = fields,
    .size = sizeof(struct virtio_rng),
};

struct virtio *virtio_rng_new(const char *id, const struct dev_env *env, struct rng_port *port)
{
    struct virtio_rng *r = alloc_zeroed(sizeof *r);

    virtio_init(&r->v, &dev_ops, &ops, id, env, 0, (uint16_t[VIRTIO_QUEUES]){ QUEUE_SIZE });
    r->port = port;
    return &r->v;
}
