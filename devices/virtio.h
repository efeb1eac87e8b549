/*
 * virtio.h - what all VIRTIO devices share: status, features, configuration space, queues; OASIS VIRTIO 1.2,
 * chapter 2.
 *
 * A device (virtio-blk, virtio-net) is a struct device without a window: the machine resets, saves, loads and
 * destroys it like any other. A transport (virtio-mmio, later PCI) is another device, with the window; it
 * borrows the first and calls the functions of the second half of this header. Neither knows the other's
 * insides.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"
#include "device.h"
#include "virtqueue.h"

enum virtio_id {
    VIRTIO_ID_NET = 1, VIRTIO_ID_BLOCK = 2, VIRTIO_ID_CONSOLE = 3, VIRTIO_ID_RNG = 4, VIRTIO_ID_9P = 9,
};

/* Device status (2.1). */
enum {
    VIRTIO_ACKNOWLEDGE = 1, VIRTIO_DRIVER = 2, VIRTIO_DRIVER_OK = 4, VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64, VIRTIO_FAILED = 128,
};

/* Feature bits of every device (chapter 6). */
enum {
    VIRTIO_F_INDIRECT_DESC = 28, VIRTIO_F_EVENT_IDX = 29, VIRTIO_F_VERSION_1 = 32, VIRTIO_F_RING_PACKED = 34,
    VIRTIO_F_RING_RESET = 40,
};

enum { VIRTIO_QUEUES = 4, VIRTIO_CONFIG_MAX = 256 };

/* Why a transport interrupts: a queue's number, or this one. */
enum { VIRTIO_VECTOR_CONFIG = VIRTIO_QUEUES };

/* Interrupt status (4.2.2, 4.1.4.5). */
enum { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };

struct virtio;

struct virtio_ops {
    enum virtio_id id;
    unsigned config_size; /* <= VIRTIO_CONFIG_MAX */
    void (*config)(const struct virtio *v, uint8_t *config); /* fills config_size zero bytes; or NULL: 0 */
    void (*config_write)(struct virtio *v, unsigned off, unsigned width, uint32_t value); /* or NULL */
    void (*reset)(struct virtio *v);            /* no request may be in flight afterwards; or NULL */
    void (*queue_reset)(struct virtio *v, unsigned n); /* the same for what came from queue n; or NULL */
    void (*kick)(struct virtio *v, unsigned n); /* there may be chains in queue n, which is ready */
};

/* The transport's end; lives in the transport. */
struct virtio_transport {
    void (*interrupt)(struct virtio_transport *t, unsigned vector); /* isr got a bit, or would have */
    void (*settle)(struct virtio_transport *t);                     /* isr may have changed */
    void (*unplugged)(struct virtio_transport *t);                  /* the device is being destroyed */
};

/* The head of every VIRTIO device's own struct. */
struct virtio {
    struct device dev;
    const struct virtio_ops *ops;
    struct virtio_transport *transport; /* NULL until it is plugged in */
    uint64_t offered;
    struct timer timer; /* armed, in the next round of the main loop, while there are pending queues */

    uint64_t driver_features;
    uint32_t generation; /* of the configuration space */
    uint8_t status, isr;
    uint8_t pending; /* queues whose kick stopped at its budget */
    struct virtqueue queue[VIRTIO_QUEUES];
};

/* State rows of the head, for the fields of struct s, which starts with a struct virtio. */
#define VIRTIO_FIELDS                                                                                     \
    STATE(struct virtio, driver_features), STATE(struct virtio, generation), STATE(struct virtio, status), \
        STATE_IN(struct virtio, isr, 0, 3), STATE_IN(struct virtio, pending, 0, BIT(VIRTIO_QUEUES) - 1),   \
        VQ_FIELDS(struct virtio, queue[0]), VQ_FIELDS(struct virtio, queue[1]),                            \
        VQ_FIELDS(struct virtio, queue[2]), VQ_FIELDS(struct virtio, queue[3])

/* ---- for devices ---- */

/* Fills the head. `max` has the largest size of each queue, 0 from the first one that is absent.
 * `features` are the device's own; those of chapter 6 are added here. */
void virtio_init(struct virtio *v, const struct dev_ops *dev_ops, const struct virtio_ops *ops,
                 const char *id, const struct dev_env *env, uint64_t features,
                 const uint16_t max[VIRTIO_QUEUES]);

/* Called first by dev_ops.destroy: nothing reaches the device or its transport afterwards. */
void virtio_fini(struct virtio *v);

/* dev_ops.reset, settle and valid of every VIRTIO device. */
void virtio_dev_reset(struct device *dev);
void virtio_dev_settle(struct device *dev);
bool virtio_dev_valid(const struct device *dev, struct error *e);

/* Negotiated? */
bool virtio_has(const struct virtio *v, unsigned feature);

/* The driver said DRIVER_OK, and nothing broke since. */
bool virtio_live(const struct virtio *v);

/* The functions of virtqueue.h on queue n; when the queue breaks, the device does. */
bool virtio_available(struct virtio *v, unsigned n) __attribute__((warn_unused_result));
bool virtio_pop(struct virtio *v, unsigned n, struct vq_chain *c) __attribute__((warn_unused_result));
bool virtio_read(struct virtio *v, unsigned n, const struct vq_chain *c, uint64_t off, void *buf,
                 uint64_t len) __attribute__((warn_unused_result));
bool virtio_write(struct virtio *v, unsigned n, const struct vq_chain *c, uint64_t off, const void *buf,
                  uint64_t len) __attribute__((warn_unused_result));

/* Gives one chain back; many share one virtio_interrupt. */
void virtio_push(struct virtio *v, unsigned n, const struct vq_chain *c, uint32_t written);

/* Interrupts if the driver wants to know of what was pushed to queue n. */
void virtio_interrupt(struct virtio *v, unsigned n);

/* kick stopped before the queue was empty: it is called again from the main loop. */
void virtio_again(struct virtio *v, unsigned n);

/* What config() says has changed. */
void virtio_config_changed(struct virtio *v);

/* The driver broke the rules so that the device cannot go on: DEVICE_NEEDS_RESET (2.1.2). */
void virtio_break(struct virtio *v, const char *why);

/* ---- for machines ---- */

struct device *virtio_device(struct virtio *v);

/* Takes features away (`packed=off`); before the machine runs. */
void virtio_withhold(struct virtio *v, uint64_t features);

/* ---- for transports ---- */

/* NULL unplugs. */
void virtio_plug(struct virtio *v, struct virtio_transport *t);
void virtio_reset(struct virtio *v);
void virtio_set_status(struct virtio *v, uint8_t status);
void virtio_set_features(struct virtio *v, unsigned word, uint32_t value);

/* Queue n, or NULL when there is none. */
struct virtqueue *virtio_queue(struct virtio *v, uint32_t n);

/* May the driver write the registers of queue n now? They are constant while it is ready. */
struct virtqueue *virtio_queue_setup(struct virtio *v, uint32_t n);
void virtio_queue_enable(struct virtio *v, uint32_t n);
void virtio_queue_reset(struct virtio *v, uint32_t n);
void virtio_kick(struct virtio *v, uint32_t n);

/* Configuration space; what lies outside reads as 0. width is 1, 2 or 4. */
uint32_t virtio_config_read(struct virtio *v, uint64_t off, unsigned width);
void virtio_config_write(struct virtio *v, uint64_t off, unsigned width, uint32_t value);

#endif
