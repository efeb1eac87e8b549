/*
 * virtqueue.h - the rings between a VIRTIO driver and a device, seen from the device: OASIS VIRTIO 1.2,
 * sections 2.6 (what both have in common), 2.7 (split rings) and 2.8 (packed rings).
 *
 * A chain is taken off the ring with vq_pop, which copies and validates every descriptor once; from then on
 * only the copy is used. It goes back with vq_put + vq_publish. Whatever the driver did wrong ends in
 * q->broken, a text that says why; a broken queue does nothing until vq_stop. Rings and buffers are reached
 * by DMA only.
 *
 * Ring indices are loaded and stored while other vCPUs run: each access of 2, 4 or 8 aligned bytes has to be
 * one access of the host, which dma_read and dma_write are for those lengths; the fences are here.
 */
#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "error.h"
#include "state.h"

enum { VQ_MAX_SIZE = 1024, VQ_BATCH = 256 };

enum vq_format { VQ_PACKED = 1, VQ_EVENT_IDX = 2, VQ_INDIRECT = 4 };

struct vq_segment {
    uint64_t gpa;
    uint32_t len;
};

/* A descriptor chain: the segments that the device may read, then those that it may write. */
struct vq_chain {
    uint16_t id;    /* split: index of the head; packed: buffer id */
    uint16_t slots; /* packed: ring slots that it takes */
    uint16_t readable, writable; /* segments */
    uint64_t read_len, write_len; /* bytes; their sum is below 2^32 */
    struct vq_segment seg[VQ_MAX_SIZE];
};

/* A chain that goes back. */
struct vq_used {
    uint16_t id, slots;
    uint32_t written;
};

struct virtqueue {
    struct bus *bus;
    const char *broken; /* NULL, or why */
    uint16_t max;       /* largest size that the device takes; 0: there is no such queue */

    /* What the driver set; constant while ready. */
    uint64_t desc, driver, device; /* split: table, available ring, used ring */
    uint16_t size;
    uint8_t ready;
    uint8_t format; /* enum vq_format, latched by vq_start */

    uint16_t avail, used; /* split: free-running indices; packed: slots */
    uint8_t avail_wrap, used_wrap;
    uint16_t unsignalled; /* published since the last look whether the driver wants an interrupt */

    /* Between vq_put and vq_publish only. */
    unsigned puts;
    struct vq_used put[VQ_BATCH];
};

/* State rows of member m (a struct virtqueue) of struct s. */
#define VQ_FIELDS(s, m)                                                                               \
    STATE(s, m.desc), STATE(s, m.driver), STATE(s, m.device), STATE_IN(s, m.size, 0, VQ_MAX_SIZE),    \
        STATE_BOOL(s, m.ready), STATE_IN(s, m.format, 0, 7), STATE(s, m.avail), STATE(s, m.used),     \
        STATE_BOOL(s, m.avail_wrap), STATE_BOOL(s, m.used_wrap), STATE(s, m.unsignalled)

void vq_init(struct virtqueue *q, struct bus *bus, uint16_t max);

/* Makes the queue ready with the registers that the driver set. Returns NULL, or what is wrong with them. */
const char *vq_start(struct virtqueue *q, unsigned format) __attribute__((warn_unused_result));

/* To the state after a reset: not ready, all registers 0 but the size, which is the maximum (4.2.2,
 * 4.1.4.3). */
void vq_stop(struct virtqueue *q);

/* Is a loaded queue one that vq_start would have accepted? */
bool vq_valid(const struct virtqueue *q, struct error *e);

/* Is there a chain to take? If not, the driver was told that a doorbell is wanted for the next one. */
bool vq_available(struct virtqueue *q) __attribute__((warn_unused_result));

/* Takes the next chain. False when there is none (doorbell as above) or the queue broke. */
bool vq_pop(struct virtqueue *q, struct vq_chain *c) __attribute__((warn_unused_result));

/* Copies [off, off + len) of the readable bytes; false (and the queue is broken) when they are not there. */
bool vq_read(struct virtqueue *q, const struct vq_chain *c, uint64_t off, void *buf, uint64_t len)
    __attribute__((warn_unused_result));

/* Copies to [off, off + len) of the writable bytes. */
bool vq_write(struct virtqueue *q, const struct vq_chain *c, uint64_t off, const void *buf, uint64_t len)
    __attribute__((warn_unused_result));

/* Gives a chain back, of whose writable bytes the first `written` were written. The ring is untouched, and
 * the driver sees nothing, until vq_publish, which makes all that were put visible at once. False when
 * VQ_BATCH wait already. */
bool vq_put(struct virtqueue *q, const struct vq_chain *c, uint32_t written)
    __attribute__((warn_unused_result));
void vq_publish(struct virtqueue *q);

/* Does the driver want an interrupt for what was published since the last call? */
bool vq_wants_interrupt(struct virtqueue *q) __attribute__((warn_unused_result));

/* A place to go back to as if what was popped and put since had not been; nothing was published in
 * between. */
struct vq_mark {
    uint16_t avail;
    uint8_t wrap;
};
struct vq_mark vq_mark(const struct virtqueue *q);
void vq_rewind(struct virtqueue *q, struct vq_mark mark);

#endif
