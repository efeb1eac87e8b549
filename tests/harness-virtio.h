/*
 * harness-virtio.h - a machine of one virtio-mmio slot with fake ports, and a driver that works its registers
 * and rings as a guest would: split or packed, direct or indirect, with or without the event index.
 */
#ifndef HARNESS_VIRTIO_H
#define HARNESS_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum vt_kind { VT_EMPTY, VT_BLK, VT_NET, VT_RNG, VT_CONSOLE, VT_KINDS };
enum {
    VT_RAM = 0x80000000, VT_RAM_SIZE = 16 << 20, VT_MMIO = 0x10001000, VT_BUFFERS = VT_RAM + (8 << 20),
    VT_DISK_SIZE = 4 << 20,
};

struct vt;

struct vt_buf {
    uint64_t gpa;
    uint32_t len;
    bool writable;
};

struct vt *vt_new(enum vt_kind kind);
/* A disk that cannot be written. */
struct vt *vt_new_read_only(void);
/* slot_first: which of slot and device is destroyed first. */
void vt_free(struct vt *t, bool slot_first);

/* ---- the guest's view ---- */

/* An access through the bus; false when the bus refuses it. */
bool vt_access(struct vt *t, uint64_t off, unsigned width, bool write, uint64_t *value);
uint32_t vt_read(struct vt *t, uint64_t off);
void vt_write(struct vt *t, uint64_t off, uint32_t value);
uint32_t vt_config(struct vt *t, unsigned off, unsigned width);
void vt_config_write(struct vt *t, unsigned off, unsigned width, uint32_t value);
bool vt_irq(const struct vt *t);
void vt_ack(struct vt *t);
/* Guest memory at gpa, which is in RAM. */
uint8_t *vt_mem(struct vt *t, uint64_t gpa);

/* ---- the driver ---- */

uint64_t vt_offered(struct vt *t);
/* 3.1.1 with queues of `size` entries; the status in the end. */
unsigned vt_start(struct vt *t, uint64_t features, unsigned size);
/* The same up to the features; the status after FEATURES_OK. */
unsigned vt_negotiate(struct vt *t, uint64_t features);
void vt_setup_queue(struct vt *t, unsigned queue, unsigned size);
/* Where a queue's three areas are. */
uint64_t vt_desc(unsigned queue);
uint64_t vt_driver(unsigned queue);
uint64_t vt_device(unsigned queue);

/* Makes a chain available, as one indirect descriptor if `indirect`; its id. Not yet told to the device. */
unsigned vt_add(struct vt *t, unsigned queue, const struct vt_buf *bufs, unsigned n, bool indirect);
/* Does the device want a doorbell for what was added since the last call? */
bool vt_wants_doorbell(struct vt *t, unsigned queue);
void vt_kick(struct vt *t, unsigned queue);
/* Takes one used chain. */
bool vt_get(struct vt *t, unsigned queue, unsigned *id, uint32_t *len);
/* Lets the device interrupt when `n` more chains than were taken so far have been used (event index). */
void vt_interrupt_after(struct vt *t, unsigned queue, unsigned n);
/* No interrupts wanted (no event index). */
void vt_no_interrupts(struct vt *t, unsigned queue, bool none);

/* ---- the host's side ---- */

uint8_t *vt_disk(struct vt *t);
/* Serves up to n requests in flight, as the main loop would; how many there were. fail: with an I/O error. */
unsigned vt_serve(struct vt *t, unsigned n, bool fail);
unsigned vt_in_flight(const struct vt *t);
/* Requests of kind `op` (enum block_op) served since the start. */
unsigned vt_served(const struct vt *t, int op);
/* The last frame that was sent, and how many were. */
const uint8_t *vt_sent(const struct vt *t, size_t *len, unsigned *count);
bool vt_can_receive(struct vt *t);
void vt_receive(struct vt *t, const void *buf, size_t len);
void vt_link(struct vt *t, bool up);
unsigned vt_pokes(const struct vt *t);
/* Everything that was written to the console. */
const uint8_t *vt_output(const struct vt *t, size_t *len);
size_t vt_console_room(struct vt *t);
void vt_resize(struct vt *t, unsigned cols, unsigned rows);
/* Guest time goes on and timers fire. */
void vt_tick(struct vt *t);
void vt_reset_machine(struct vt *t);

/* save, load into a second machine, save there: true when both streams are equal; text says why not. */
bool vt_round_trip(struct vt *t, char *text, size_t size);
/* Saves, changes one bit or cuts the stream, loads into the same machine: loads that were accepted. The
 * machine must live. */
unsigned vt_damage(struct vt *t, uint64_t seed, unsigned tries);

/*
 * A driver on a thread of its own, that adds `frames` receive buffers one by one and sleeps until the
 * interrupt whenever it has to wait, against a network that delivers a frame whenever it may and sleeps until
 * it is poked; each rings the other only when that is asked for. False when both sleep: a notification was
 * lost.
 */
bool vt_race(uint64_t features, unsigned frames);

/* `steps` random register accesses, ring and descriptor edits, doorbells, completions, input and resets; a
 * checksum of what happened, equal for equal seeds. */
uint64_t vt_fuzz(enum vt_kind kind, uint64_t seed, unsigned steps);

#ifdef __cplusplus
}
#endif

#endif
