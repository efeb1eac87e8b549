/* harness-gdb.h - the GDB stub on a machine that is not one: vCPUs that only hold registers, and 64 KiB of memory. */
#ifndef HARNESS_GDB_H
#define HARNESS_GDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RAM lies at HG_RAM. Virtual pages: 0x1000 is the RAM's page 3, 0x2000 its page 1, 0x3000 is not there; RAM's own
 * addresses are mapped to themselves. */
#define HG_RAM UINT64_C(0x80000000)
#define HG_RAM_SIZE 0x10000

enum hg_stop { HG_BREAK, HG_STEP, HG_WATCH_WRITE, HG_WATCH_READ, HG_WATCH_ACCESS };

struct hg;

struct hg *hg_new(unsigned cpus, unsigned xlen);
void hg_free(struct hg *h);

/* The client comes and goes. */
void hg_open(struct hg *h);
void hg_close(struct hg *h);
void hg_break_event(struct hg *h);
/* From now on the client has this many bytes unread. */
void hg_unread(struct hg *h, size_t bytes);
unsigned hg_hang_ups(const struct hg *h);
/* Seconds that the stub gave the client last; 0: no limit. */
unsigned hg_patience(const struct hg *h);

/* Raw bytes from the client, and all bytes to it since the last call (cut to size - 1, 0-terminated). */
void hg_send(struct hg *h, const void *bytes, size_t len);
void hg_output(struct hg *h, char *out, size_t size);

/* "$body#sum" in `out`; its length. */
size_t hg_frame(const void *body, size_t len, char *out, size_t size);

/* Sends a packet; the body of the answer, "(none)" when only an acknowledgement came, "(bad)" when anything else. */
void hg_ask(struct hg *h, const char *body, char *reply, size_t size);

/* The machine stops by itself, because of this vCPU; `address` is a watchpoint's. */
void hg_stops(struct hg *h, unsigned cpu, enum hg_stop why, uint64_t address);
/* What the next step on this vCPU does besides moving pc by 4: sets off a watchpoint at `address`. */
void hg_next_step(struct hg *h, unsigned cpu, enum hg_stop why, uint64_t address);

bool hg_running(const struct hg *h);
unsigned hg_resumed(const struct hg *h); /* how often */
uint32_t hg_held(const struct hg *h);    /* vCPUs that the last resume held back */
unsigned hg_stepped(const struct hg *h, unsigned cpu);
unsigned hg_breaks(const struct hg *h, unsigned cpu); /* how many are set */
unsigned hg_watches(const struct hg *h, unsigned cpu);
unsigned hg_resets(const struct hg *h);
unsigned hg_quits(const struct hg *h);
bool hg_flush_requested(const struct hg *h, unsigned cpu);
void hg_set_idle(struct hg *h, unsigned cpu, bool idle);

uint64_t hg_register(const struct hg *h, unsigned cpu, const char *name);
void hg_set_register(struct hg *h, unsigned cpu, const char *name, uint64_t value);
void hg_peek(struct hg *h, uint64_t gpa, void *buf, size_t len);

/* How often a rule was broken: the guest touched while it ran, set_break without room in the fake's own lists, output
 * that is no packet. */
unsigned hg_wrongs(const struct hg *h);

/* The same packet bytes over and over, from a seed: `packets` of them, malformed and random, in deliveries of any size.
 * What arrived is in `counts`: how many valid replies, how many errors. */
void hg_storm(struct hg *h, uint64_t seed, uint64_t packets, uint64_t counts[2]);

#endif
