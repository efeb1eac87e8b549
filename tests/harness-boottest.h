/*
 * harness-boottest.h - boot tests without a machine: the reader of their files, and the step engine on a serial port
 * that the test plays, under a virtual clock.
 */
#ifndef HARNESS_BOOTTEST_H
#define HARNESS_BOOTTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- files ---- */

/* Parses TOML; on success its tables as "name{key=value;...}...", strings in <>; else the message after "error: ". */
void hb_toml(const char *text, size_t len, char *out, size_t size);

/* Reads a boot-test file of this text: "CASE: words of the command line\n" for each case, or "error: MESSAGE". */
void hb_cases(const char *text, char *out, size_t size);

/* ---- the engine ---- */

struct hb;

/* The [[step]]s and [limits] of this text; its [vm] is only checked. NULL, with a message, when it is wrong. */
struct hb *hb_new(const char *text, char *message, size_t size);
void hb_free(struct hb *h);

/* The guest writes. */
void hb_guest_writes(struct hb *h, const char *text);
/* Guest time passes, and timers fire. */
void hb_pass(struct hb *h, uint64_t ns);
/* The guest reads a character, or -1; `free` is the room in its FIFO when it is empty. */
int hb_guest_reads(struct hb *h);
void hb_set_fifo(struct hb *h, size_t capacity);
/* Most bytes that ever were in the FIFO at once. */
size_t hb_most_in_fifo(const struct hb *h);
void hb_guest_resets(struct hb *h);
void hb_guest_ends(struct hb *h, int status);
void hb_guest_dies(struct hb *h);

/* "running", "passed", "failed", "panic", "dead", "reset loop", "time limit". */
const char *hb_verdict(const struct hb *h);
const char *hb_why(const struct hb *h);
unsigned hb_steps_passed(const struct hb *h);
unsigned hb_quits(const struct hb *h);

#endif
