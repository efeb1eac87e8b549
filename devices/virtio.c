/*
 * virtio.c - OASIS VIRTIO 1.2, chapter 2 (basic facilities) and chapter 6 (reserved feature bits), device
 * side.
 *
 * A driver that does not accept VIRTIO_F_VERSION_1 is served all the same (6.2 allows it): small kernels that
 * write only the first word of the features exist. So is one that never sets FEATURES_OK.
 */
#include "virtio.h"

#include "bits.h"

static void complain(struct virtio *v, const char *what)
{
    if (trace_on(v->dev.guest_error))
        trace_log(v->dev.guest_error, "%s: %s", v->dev.id, what);
}

static void fire(void *owner)
{
    struct virtio *v = owner;

    for (unsigned n = 0; n < VIRTIO_QUEUES; n++) {
        if (v->pending & BIT(n)) {
            v->pending &= (uint8_t)~BIT(n);
            virtio_kick(v, n);
        }
    }
}

void virtio_init(struct virtio *v, const struct dev_ops *dev_ops, const struct virtio_ops *ops,
                 const char *id, const struct dev_env *env, uint64_t features,
                 const uint16_t max[VIRTIO_QUEUES])
{
    device_init(&v->dev, dev_ops, id, env);
    v->ops = ops;
    v->offered = features | BIT(VIRTIO_F_INDIRECT_DESC) | BIT(VIRTIO_F_EVENT_IDX) | BIT(VIRTIO_F_VERSION_1) |
                 BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_RING_RESET);
    timer_init(&v->timer, env->clock, fire, v);
    for (unsigned n = 0; n < VIRTIO_QUEUES; n++)
        vq_init(&v->queue[n], env->bus, max[n]);
}

void virtio_fini(struct virtio *v)
{
    struct virtio_transport *t = v->transport;

    v->transport = NULL;
    virtio_reset(v);
    if (t)
        t->unplugged(t);
}

struct device *virtio_device(struct virtio *v)
{
    return &v->dev;
}

void virtio_withhold(struct virtio *v, uint64_t features)
{
    v->offered &= ~features;
}

void virtio_plug(struct virtio *v, struct virtio_transport *t)
{
    v->transport = t;
}

bool virtio_has(const struct virtio *v, unsigned feature)
{
    return v->driver_features & v->offered & BIT(feature);
}

bool virtio_live(const struct virtio *v)
{
    return (v->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK;
}

/* ---- outputs ---- */

static void settle(struct virtio *v)
{
    bool armed = v->timer.deadline != CLOCK_NEVER, wanted = v->pending && virtio_live(v);

    if (armed != wanted)
        timer_arm(&v->timer, wanted ? clock_now(v->dev.env.clock) + 1 : CLOCK_NEVER);
    if (v->transport)
        v->transport->settle(v->transport);
}

static void raise_isr(struct virtio *v, uint8_t bit, unsigned vector)
{
    v->isr |= bit;
    if (v->transport)
        v->transport->interrupt(v->transport, vector);
}

void virtio_config_changed(struct virtio *v)
{
    v->generation++;
    if (v->status & VIRTIO_DRIVER_OK)
        raise_isr(v, VIRTIO_ISR_CONFIG, VIRTIO_VECTOR_CONFIG);
}

void virtio_break(struct virtio *v, const char *why)
{
    if (v->status & VIRTIO_NEEDS_RESET)
        return;
    complain(v, why);
    v->status |= VIRTIO_NEEDS_RESET;
    if (v->status & VIRTIO_DRIVER_OK)
        raise_isr(v, VIRTIO_ISR_CONFIG, VIRTIO_VECTOR_CONFIG);
}

/* ---- status and features ---- */

void virtio_reset(struct virtio *v)
{
    v->status = 0;
    if (v->ops->reset)
        v->ops->reset(v);
    v->driver_features = 0;
    v->isr = v->pending = 0;
    for (unsigned n = 0; n < VIRTIO_QUEUES; n++)
        vq_stop(&v->queue[n]);
    settle(v);
}

void virtio_dev_reset(struct device *dev)
{
    virtio_reset((struct virtio *)dev);
}

void virtio_dev_settle(struct device *dev)
{
    settle((struct virtio *)dev);
}

bool virtio_dev_valid(const struct device *dev, struct error *e)
{
    const struct virtio *v = (const struct virtio *)dev;

    if (v->status & VIRTIO_FEATURES_OK && v->driver_features & ~v->offered)
        return error_set(e, "%s: the saved driver uses features %#llx, which this device does not have",
                         dev->id, (unsigned long long)(v->driver_features & ~v->offered));
    for (unsigned n = 0; n < VIRTIO_QUEUES; n++) {
        if (!vq_valid(&v->queue[n], e))
            return error_prefix(e, "%s: queue %u", dev->id, n);
    }
    return true;
}

void virtio_set_features(struct virtio *v, unsigned word, uint32_t value)
{
    if (v->status & VIRTIO_FEATURES_OK) {
        complain(v, "features written after FEATURES_OK");
        return;
    }
    if (word == 0)
        v->driver_features = (v->driver_features >> 32 << 32) | value;
    else if (word == 1)
        v->driver_features = (uint64_t)value << 32 | (uint32_t)v->driver_features;
    else if (value)
        complain(v, "features beyond bit 63 accepted, which were not offered");
}

static void start(struct virtio *v)
{
    for (unsigned n = 0; n < VIRTIO_QUEUES; n++)
        virtio_kick(v, n);
}

/* 2.1.1, 2.2.2, 3.1.1: the driver adds bits; 0 resets. */
void virtio_set_status(struct virtio *v, uint8_t status)
{
    uint8_t old = v->status;

    if (!status) {
        virtio_reset(v);
        return;
    }
    if (old & ~status & ~VIRTIO_NEEDS_RESET)
        complain(v, "the driver cleared status bits");
    status = (uint8_t)((status & ~VIRTIO_NEEDS_RESET) | (old & VIRTIO_NEEDS_RESET));
    if (status & ~old & VIRTIO_FEATURES_OK && v->driver_features & ~v->offered) {
        complain(v, "the driver accepted features that were not offered");
        status &= (uint8_t)~VIRTIO_FEATURES_OK;
    }
    v->status = status;
    if (trace_on(v->dev.log))
        trace_log(v->dev.log, "%s: status %#x, features %#llx", v->dev.id, status,
                  (unsigned long long)v->driver_features);
    if (status & ~old & VIRTIO_DRIVER_OK)
        start(v);
    settle(v);
}

/* ---- queues ---- */

struct virtqueue *virtio_queue(struct virtio *v, uint32_t n)
{
    return n < VIRTIO_QUEUES && v->queue[n].max ? &v->queue[n] : NULL;
}

struct virtqueue *virtio_queue_setup(struct virtio *v, uint32_t n)
{
    struct virtqueue *q = virtio_queue(v, n);

    if (q && !q->ready)
        return q;
    complain(v, q ? "registers of a ready queue written" : "registers of an absent queue written");
    return NULL;
}

void virtio_queue_enable(struct virtio *v, uint32_t n)
{
    struct virtqueue *q = virtio_queue_setup(v, n);

    if (!q)
        return;
    const char *wrong = vq_start(q, (virtio_has(v, VIRTIO_F_RING_PACKED) ? VQ_PACKED : 0) |
                                        (virtio_has(v, VIRTIO_F_EVENT_IDX) ? VQ_EVENT_IDX : 0) |
                                        (virtio_has(v, VIRTIO_F_INDIRECT_DESC) ? VQ_INDIRECT : 0));
    if (wrong)
        complain(v, wrong);
    else if (trace_on(v->dev.log))
        trace_log(v->dev.log, "%s: queue %u of %u, %s, at %#llx, %#llx, %#llx", v->dev.id, n, q->size,
                  q->format & VQ_PACKED ? "packed" : "split", (unsigned long long)q->desc,
                  (unsigned long long)q->driver, (unsigned long long)q->device);
}

void virtio_queue_reset(struct virtio *v, uint32_t n)
{
    struct virtqueue *q = virtio_queue(v, n);

    if (!q || !q->ready)
        return;
    if (v->ops->queue_reset)
        v->ops->queue_reset(v, n);
    v->pending &= (uint8_t)~BIT(n);
    vq_stop(q);
    settle(v);
}

void virtio_kick(struct virtio *v, uint32_t n)
{
    struct virtqueue *q = virtio_queue(v, n);

    if (q && q->ready && virtio_live(v))
        v->ops->kick(v, n);
    settle(v);
}

void virtio_again(struct virtio *v, unsigned n)
{
    v->pending |= (uint8_t)BIT(n);
}

static bool check(struct virtio *v, const struct virtqueue *q, bool ok)
{
    if (q->broken)
        virtio_break(v, q->broken);
    return ok && !q->broken;
}

bool virtio_available(struct virtio *v, unsigned n)
{
    struct virtqueue *q = &v->queue[n];

    return virtio_live(v) && check(v, q, vq_available(q));
}

bool virtio_pop(struct virtio *v, unsigned n, struct vq_chain *c)
{
    struct virtqueue *q = &v->queue[n];

    return virtio_live(v) && check(v, q, vq_pop(q, c));
}

bool virtio_read(struct virtio *v, unsigned n, const struct vq_chain *c, uint64_t off, void *buf,
                 uint64_t len)
{
    struct virtqueue *q = &v->queue[n];

    return check(v, q, vq_read(q, c, off, buf, len));
}

bool virtio_write(struct virtio *v, unsigned n, const struct vq_chain *c, uint64_t off, const void *buf,
                  uint64_t len)
{
    struct virtqueue *q = &v->queue[n];

    return check(v, q, vq_write(q, c, off, buf, len));
}

void virtio_push(struct virtio *v, unsigned n, const struct vq_chain *c, uint32_t written)
{
    struct virtqueue *q = &v->queue[n];

    if (!virtio_live(v))
        return;
    if (vq_put(q, c, written))
        vq_publish(q);
    check(v, q, true);
}

void virtio_interrupt(struct virtio *v, unsigned n)
{
    struct virtqueue *q = &v->queue[n];

    if (virtio_live(v) && check(v, q, vq_wants_interrupt(q)))
        raise_isr(v, VIRTIO_ISR_QUEUE, n);
}

/* ---- configuration space ---- */

uint32_t virtio_config_read(struct virtio *v, uint64_t off, unsigned width)
{
    uint8_t config[VIRTIO_CONFIG_MAX] = { 0 };

    if (!in_range(off, width, v->ops->config_size))
        return 0;
    v->ops->config(v, config);
    return (uint32_t)get_le(config + off, width);
}

void virtio_config_write(struct virtio *v, uint64_t off, unsigned width, uint32_t value)
{
    if (v->ops->config_write && in_range(off, width, v->ops->config_size))
        v->ops->config_write(v, (unsigned)off, width, value);
    else
        complain(v, "read-only configuration written");
}
