/*
 * virtio-mmio.c - the register transport, OASIS VIRTIO 1.2, section 4.2.2, version 2.
 *
 * Width: registers take 4 bytes only, configuration space (0x100 and up) 1, 2 and 4 (4.2.2.2).
 *
 * Gaps: version 1 (legacy, 4.2.4) and shared memory regions are not there; the length of every region reads
 * as -1.
 */
#include "virtio-mmio.h"

#include <stdlib.h>

#include "alloc.h"
#include "bits.h"

enum {
    MAGIC = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010, DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020, DRIVER_FEATURES_SEL = 0x024,
    QUEUE_SEL = 0x030, QUEUE_NUM_MAX = 0x034, QUEUE_NUM = 0x038, QUEUE_READY = 0x044, QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060, INTERRUPT_ACK = 0x064, STATUS = 0x070,
    QUEUE_DESC_LOW = 0x080, QUEUE_DESC_HIGH = 0x084, QUEUE_DRIVER_LOW = 0x090, QUEUE_DRIVER_HIGH = 0x094,
    QUEUE_DEVICE_LOW = 0x0a0, QUEUE_DEVICE_HIGH = 0x0a4,
    SHM_SEL = 0x0ac, SHM_LEN_LOW = 0x0b0, SHM_LEN_HIGH = 0x0b4, SHM_BASE_LOW = 0x0b8, SHM_BASE_HIGH = 0x0bc,
    QUEUE_RESET = 0x0c0, CONFIG_GENERATION = 0x0fc, CONFIG = 0x100,
    SPAN = 0x1000,
};

enum { MAGIC_VALUE = 0x74726976 /* "virt" */, VERSION_VALUE = 2, VENDOR_VALUE = 0x6972794c /* "Lyri" */ };

struct virtio_mmio {
    struct device dev;
    struct virtio_transport transport;
    struct virtio *backend; /* NULL: an empty slot */
    struct line irq;

    uint32_t device_features_sel, driver_features_sel, queue_sel;
};

static const struct state_field fields[] = {
    STATE(struct virtio_mmio, device_features_sel),
    STATE(struct virtio_mmio, driver_features_sel),
    STATE(struct virtio_mmio, queue_sel),
    STATE_END,
};

static void complain(struct device *dev, const char *what, uint64_t off)
{
    if (trace_on(dev->guest_error))
        trace_log(dev->guest_error, "%s: %s at %#llx", dev->id, what, (unsigned long long)off);
}

static uint64_t read_queue(const struct virtqueue *q, uint64_t off)
{
    if (!q)
        return 0;
    switch (off) {
    case QUEUE_NUM_MAX: return q->max;
    case QUEUE_READY: return q->ready;
    default: return 0; /* QUEUE_RESET: a reset is over when its write is */
    }
}

static uint64_t read_register(struct virtio_mmio *m, uint64_t off)
{
    struct virtio *v = m->backend;

    switch (off) {
    case DEVICE_ID: return v->ops->id;
    case DEVICE_FEATURES:
        return m->device_features_sel < 2 ? (uint32_t)(v->offered >> (32 * m->device_features_sel)) : 0;
    case QUEUE_NUM_MAX:
    case QUEUE_READY:
    case QUEUE_RESET: return read_queue(virtio_queue(v, m->queue_sel), off);
    case INTERRUPT_STATUS: return v->isr;
    case STATUS: return v->status;
    case SHM_LEN_LOW:
    case SHM_LEN_HIGH:
    case SHM_BASE_LOW:
    case SHM_BASE_HIGH: return UINT32_MAX;
    case CONFIG_GENERATION: return v->generation;
    }
    complain(&m->dev, "read of a register that is not there or write-only", off);
    return 0;
}

static uint64_t mmio_read(struct device *dev, uint64_t off, unsigned width)
{
    struct virtio_mmio *m = (struct virtio_mmio *)dev;

    if (off >= CONFIG)
        return m->backend ? virtio_config_read(m->backend, off - CONFIG, width) : 0;
    if (width != 4) {
        complain(dev, "register read that is not of 4 bytes", off);
        return 0;
    }
    switch (off) {
    case MAGIC: return MAGIC_VALUE;
    case VERSION: return VERSION_VALUE;
    case VENDOR_ID: return VENDOR_VALUE;
    }
    return m->backend ? read_register(m, off) : 0;
}

/* Half 0 or 1 of a queue address. */
static void set_half(uint64_t *reg, unsigned half, uint32_t value)
{
    *reg = half ? (uint64_t)value << 32 | (uint32_t)*reg : (*reg >> 32 << 32 | value);
}

/* The registers that are constant while a queue is ready. */
static void write_queue(struct virtio_mmio *m, uint64_t off, uint32_t value)
{
    struct virtqueue *q = virtio_queue_setup(m->backend, m->queue_sel);

    if (!q)
        return;
    switch (off) {
    case QUEUE_NUM: q->size = value > q->max ? 0 : (uint16_t)value; break; /* 0 is refused at QueueReady */
    case QUEUE_DESC_LOW:
    case QUEUE_DESC_HIGH: set_half(&q->desc, off == QUEUE_DESC_HIGH, value); break;
    case QUEUE_DRIVER_LOW:
    case QUEUE_DRIVER_HIGH: set_half(&q->driver, off == QUEUE_DRIVER_HIGH, value); break;
    case QUEUE_DEVICE_LOW:
    case QUEUE_DEVICE_HIGH: set_half(&q->device, off == QUEUE_DEVICE_HIGH, value); break;
    }
}

static void write_ready(struct virtio_mmio *m, uint32_t value)
{
    const struct virtqueue *q = virtio_queue(m->backend, m->queue_sel);

    if (!(value & 1))
        virtio_queue_reset(m->backend, m->queue_sel);
    else if (!q || !q->ready)
        virtio_queue_enable(m->backend, m->queue_sel);
}

static void write_register(struct virtio_mmio *m, uint64_t off, uint32_t value)
{
    struct virtio *v = m->backend;

    switch (off) {
    case DEVICE_FEATURES_SEL: m->device_features_sel = value; break;
    case DRIVER_FEATURES: virtio_set_features(v, m->driver_features_sel, value); break;
    case DRIVER_FEATURES_SEL: m->driver_features_sel = value; break;
    case QUEUE_SEL: m->queue_sel = value; break;
    case QUEUE_READY: write_ready(m, value); break;
    case QUEUE_NOTIFY: virtio_kick(v, value); break;
    case INTERRUPT_ACK: v->isr &= (uint8_t)~value; break;
    case STATUS: virtio_set_status(v, (uint8_t)value); break;
    case SHM_SEL: break;
    case QUEUE_RESET:
        if (value & 1 && virtio_has(v, VIRTIO_F_RING_RESET))
            virtio_queue_reset(v, m->queue_sel);
        break;
    case QUEUE_NUM:
    case QUEUE_DESC_LOW:
    case QUEUE_DESC_HIGH:
    case QUEUE_DRIVER_LOW:
    case QUEUE_DRIVER_HIGH:
    case QUEUE_DEVICE_LOW:
    case QUEUE_DEVICE_HIGH: write_queue(m, off, value); break;
    default: complain(&m->dev, "write to a register that is not there or read-only", off);
    }
}

static void mmio_write(struct device *dev, uint64_t off, unsigned width, uint64_t value)
{
    struct virtio_mmio *m = (struct virtio_mmio *)dev;

    if (!m->backend)
        complain(dev, "write to an empty slot", off);
    else if (off >= CONFIG)
        virtio_config_write(m->backend, off - CONFIG, width, (uint32_t)value);
    else if (width != 4)
        complain(dev, "register write that is not of 4 bytes", off);
    else
        write_register(m, off, (uint32_t)value);
}

static void mmio_reset(struct device *dev)
{
    struct virtio_mmio *m = (struct virtio_mmio *)dev;

    m->device_features_sel = m->driver_features_sel = m->queue_sel = 0;
}

static void mmio_settle(struct device *dev)
{
    struct virtio_mmio *m = (struct virtio_mmio *)dev;

    line_set(&m->irq, m->backend && m->backend->isr);
}

static struct virtio_mmio *of_transport(struct virtio_transport *t)
{
    return (struct virtio_mmio *)((char *)t - offsetof(struct virtio_mmio, transport));
}

static void transport_settle(struct virtio_transport *t)
{
    mmio_settle(&of_transport(t)->dev);
}

/* One wire for all vectors. */
static void transport_interrupt(struct virtio_transport *t, unsigned vector)
{
    transport_settle(t);
}

static void transport_unplugged(struct virtio_transport *t)
{
    of_transport(t)->backend = NULL;
}

static void mmio_destroy(struct device *dev)
{
    struct virtio_mmio *m = (struct virtio_mmio *)dev;

    if (m->backend)
        virtio_plug(m->backend, NULL);
    free(m);
}

static const struct dev_ops ops = {
    .name = "virtio-mmio",
    .span = SPAN,
    .widths = WIDTH_1 | WIDTH_2 | WIDTH_4,
    .read = mmio_read,
    .write = mmio_write,
    .reset = mmio_reset,
    .settle = mmio_settle,
    .destroy = mmio_destroy,
    .fields = fields,
    .size = sizeof(struct virtio_mmio),
};

struct device *virtio_mmio_new(const char *id, const struct dev_env *env, struct virtio *backend)
{
    struct virtio_mmio *m = alloc_zeroed(sizeof *m);

    device_init(&m->dev, &ops, id, env);
    m->transport = (struct virtio_transport){ transport_interrupt, transport_settle, transport_unplugged };
    m->backend = backend;
    if (backend)
        virtio_plug(backend, &m->transport);
    return &m->dev;
}

struct line *virtio_mmio_irq(struct device *dev)
{
    return &((struct virtio_mmio *)dev)->irq;
}
