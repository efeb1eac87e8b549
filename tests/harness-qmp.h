/* harness-qmp.h - the machine protocol and the monitor on a machine that is not one. */
#ifndef HARNESS_QMP_H
#define HARNESS_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RAM, with its own addresses as virtual ones; the page at HQ_HIGH leads to its first; the rest is not mapped. A device
 * whose reading would be a wrong lies at HQ_DEVICE. */
#define HQ_RAM UINT64_C(0x80000000)
#define HQ_RAM_SIZE 0x4000
#define HQ_HIGH UINT64_C(0xffffffff80000000)
#define HQ_DEVICE UINT64_C(0x10000000)

enum hq_door { HQ_QMP, HQ_MONITOR, HQ_DOORS };
enum hq_event { HQ_STOP, HQ_RESUME, HQ_RESET, HQ_SHUTDOWN };

struct hq;

/* `shared`: the monitor is one of several on its terminal. */
struct hq *hq_new(unsigned cpus, bool shared);
void hq_free(struct hq *h);

/* The client comes, goes, or the monitor's turn comes. */
void hq_open(struct hq *h, enum hq_door door);
void hq_close(struct hq *h, enum hq_door door);
void hq_focus(struct hq *h);

/* Bytes from the client, as many at once as the door takes; how many it took: it stops when the door takes none. */
size_t hq_send(struct hq *h, enum hq_door door, const void *bytes, size_t len);
/* All bytes to it since the last call, cut to size - 1. */
void hq_output(struct hq *h, enum hq_door door, char *out, size_t size);

/* From now on the client has this many bytes unread. */
void hq_unread(struct hq *h, enum hq_door door, size_t bytes);
unsigned hq_hang_ups(const struct hq *h, enum hq_door door);
/* Seconds that the client got last; 0: no limit. */
unsigned hq_patience(const struct hq *h, enum hq_door door);

void hq_happens(struct hq *h, enum hq_event what, bool by_guest, const char *reason);
void hq_poke(struct hq *h, uint64_t gpa, const void *buf, size_t len);
void hq_set_register(struct hq *h, unsigned cpu, const char *name, uint64_t value);
/* The machine has no optional part: no inventories, no disassembler. */
void hq_bare(struct hq *h);

bool hq_running(const struct hq *h);
unsigned hq_resets(const struct hq *h);
unsigned hq_quits(const struct hq *h);
/* How often a rule was broken: a vCPU looked at while it ran, freeze without thaw, a device read. */
unsigned hq_wrongs(const struct hq *h);

/* Parses JSON and writes it again; false with the error's text in `out`. */
bool hq_json(const char *text, size_t len, char *out, size_t size);

/* A hart of that XLEN whose RAM, HQ_RAM on, holds these table entries: what its address space is listed as, a line
 * each; "off" when there is none. *took gets how many lines there were; the listing ends after `most`. */
void hq_mappings(unsigned xlen, uint64_t satp, const uint64_t (*entries)[2], size_t count, unsigned most,
                 unsigned *took, char *out, size_t size);

/* The text of the instruction in these bytes; its length. */
unsigned hq_disassemble(const void *bytes, size_t len, char *out, size_t size);

/* `count` requests or lines, malformed and random, in deliveries of any size, also to a client that comes, goes and
 * does not read. counts: answers and errors of the protocol. Every line that the protocol sent must be JSON, or it is
 * a wrong. */
void hq_storm(struct hq *h, enum hq_door door, uint64_t seed, uint64_t count, uint64_t counts[2]);

#endif
