/* harness-virtio-impl.h - what the harness-virtio*.c files share; tests do not include it. */
#ifndef HARNESS_VIRTIO_IMPL_H
#define HARNESS_VIRTIO_IMPL_H

#include "harness-virtio.h"

#include "bits.h"
#include "bus.h"
#include "device.h"
#include "ports.h"
#include "ram.h"
#include "virtio.h"

enum { MAX_IDS = 1024, OUTPUT_MAX = 1 << 20, MAX_FLIGHT = 1024 };
enum { QUEUE_BYTES = 1 << 20, DRIVER_OFF = 0x10000, DEVICE_OFF = 0x20000, TABLE_OFF = 0x40000,
       TABLE_BYTES = 0x100 };
enum {
    R_FEATURES = 0x010,
    R_FEATURES_SEL = 0x014,
    R_ACCEPT = 0x020,
    R_ACCEPT_SEL = 0x024,
    R_QUEUE_SEL = 0x030,
    R_NUM_MAX = 0x034,
    R_NUM = 0x038,
    R_READY = 0x044,
    R_NOTIFY = 0x050,
    R_ISR = 0x060,
    R_ISR_ACK = 0x064,
    R_STATUS = 0x070,
    R_DESC = 0x080,
    R_DRIVER = 0x090,
    R_DEVICE = 0x0a0,
    R_CONFIG = 0x100
};

/* The driver's side of one queue. */
struct ring {
    unsigned size;
    uint16_t avail, used; /* split: indices; packed: slots */
    bool avail_wrap, used_wrap;
    unsigned added;              /* split: chains, packed: slots, since the last doorbell question */
    uint16_t next_free;          /* descriptors and ids are handed out round robin */
    uint16_t slots[MAX_IDS];     /* by id */
};

struct vt {
    enum vt_kind kind;
    struct trace *trace;
    struct clock *clock;
    struct bus *bus;
    struct ram *ram;
    struct device *slot;
    struct virtio *backend;
    bool irq;
    uint64_t features;
    struct ring ring[VIRTIO_QUEUES];

    struct block_port block;
    uint8_t disk[VT_DISK_SIZE];
    struct block_request *flight[MAX_FLIGHT];
    unsigned in_flight, served[8];

    struct net_port net;
    uint8_t sent[NET_FRAME_MAX];
    size_t sent_len;
    unsigned sent_count, pokes;

    struct rng_port rng;
    uint8_t rng_next;

    struct char_port chars;
    uint8_t output[OUTPUT_MAX];
    size_t output_len;
};

static inline bool has(const struct vt *t, unsigned bit)
{
    return t->features & BIT(bit);
}

#endif
