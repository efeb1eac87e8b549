/* harness-softfloat.h - core/softfloat against independent arithmetic: MPFR, and the host's own unit. */
#ifndef HARNESS_SOFTFLOAT_H
#define HARNESS_SOFTFLOAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SFT_FORMATS = 4, SFT_ROUNDINGS = 5 };

/* Operations, as names for messages: 0 .. sft_op_count() - 1. */
int sft_op_count(void);
const char *sft_op_name(int op);
const char *sft_format_name(int format);

/*
 * Compares `cases` operand tuples (interesting and random ones, from the seed) in one operation, format and
 * rounding mode with MPFR, result and flags. Returns the number of differences; text says the first one.
 */
uint64_t sft_check_mpfr(int op, int format, int rounding, uint64_t cases, uint64_t seed, char *text,
                        size_t size);

/*
 * The same against the host's FPU, for binary32 (format 2) and binary64 (format 3), the four rounding modes
 * that hosts have, and the operations that sft_host_can() names. It also holds the host's NaN rules.
 */
bool sft_host_can(int op);
uint64_t sft_check_host(int op, int format, int rounding, uint64_t cases, uint64_t seed, char *text,
                        size_t size);

/* One operation on given operands under the RISC-V rules: the result; *flags gets what was raised. */
uint64_t sft_run(int op, int format, int rounding, uint64_t a, uint64_t b, uint64_t c, unsigned *flags);
int sft_op_by_name(const char *name);

/* The same with Arm's NaN rules and its underflow before rounding. */
uint64_t sft_run_arm(int op, int format, int rounding, uint64_t a, uint64_t b, uint64_t c, unsigned *flags);

/* The generator's values, for other tests: one, and one near it, its inverse, or a product's edge. */
uint64_t sft_random_value(int format, uint64_t *seed);
uint64_t sft_random_related(int format, bool division, uint64_t a, uint64_t *seed);

unsigned sft_classify(int format, uint64_t a);

#ifdef __cplusplus
}
#endif

#endif
