/* harness-atomic.h - RISC-V harts that run single instructions on a small RAM: atomics, cbo.*, their
 * exceptions. */
#ifndef HARNESS_ATOMIC_H
#define HARNESS_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { AT_RAM = 0x80000000, AT_RAM_SIZE = 0x4000 };

/* Harts in machine mode, without PMP; RAM is zero. NULL when the host is short of something. */
struct at *at_new(unsigned xlen, unsigned harts);
void at_free(struct at *t);

void at_set_x(struct at *t, unsigned hart, unsigned r, uint64_t value);
uint64_t at_x(const struct at *t, unsigned hart, unsigned r);

/* Runs one instruction that does not jump: -1, or the cause of its exception (then back in machine mode). */
int at_run(struct at *t, unsigned hart, uint32_t raw);
uint64_t at_tval(const struct at *t, unsigned hart);

/* Privilege (0, 1, 3) and the enables of cbo.*. */
void at_set_mode(struct at *t, unsigned hart, unsigned priv, uint64_t menvcfg, uint64_t senvcfg);

/* RAM; `width` is 1, 2, 4 or 8. */
uint64_t at_peek(struct at *t, uint64_t gpa, unsigned width);
void at_poke(struct at *t, uint64_t gpa, uint64_t value, unsigned width);

/* Two harts on two threads add 1 to the word at AT_RAM `times` each, hart 0 by lr.d/sc.d, hart 1 the same or,
 * with `amo`, by amoadd.d; `busy` has both also store to the granule between. Returns the word. */
uint64_t at_count_together(struct at *t, unsigned times, bool amo, bool busy);

#ifdef __cplusplus
}
#endif

#endif
