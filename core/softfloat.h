/*
 * softfloat.h - binary floating point in integers, by IEEE 754-2019, with every rounding mode and flag.
 *
 * Values are bit patterns in the low bits of a uint64_t (the bits above the format's width must be zero).
 * Each operation rounds by ctx->rounding and ORs what it raises into ctx->flags. What IEEE 754 leaves to the
 * architecture (which NaN comes out, what an impossible integer conversion gives) follows ctx->rules.
 * Nothing here touches the host's floating-point unit.
 */
#ifndef CORE_SOFTFLOAT_H
#define CORE_SOFTFLOAT_H

#include <stdbool.h>
#include <stdint.h>

/* An interchange format: 1 sign bit, then exp_bits of biased exponent, then frac_bits of fraction. */
struct sf_format {
    int exp_bits;
    int frac_bits;
};

extern const struct sf_format sf_f16, sf_bf16, sf_f32, sf_f64;

/* Numbered as RISC-V's frm (unprivileged manual, "F" chapter); RMM is to nearest, ties away from zero. */
enum sf_rounding { SF_RNE, SF_RTZ, SF_RDN, SF_RUP, SF_RMM };

/* Placed as in RISC-V's fflags. */
enum { SF_NX = 1, SF_UF = 2, SF_OF = 4, SF_DZ = 8, SF_NV = 16 };

enum sf_rules {
    SF_RULES_RISCV, /* one canonical NaN; conversions saturate, NaN becomes the largest integer */
    SF_RULES_X86,   /* SSE: the first NaN among the operands, quieted; the indefinite integer */
    SF_RULES_ARM,   /* the first signalling NaN, else the first quiet one; NaN converts to 0 */
};

struct sf_ctx {
    uint8_t rounding; /* enum sf_rounding */
    uint8_t flags;    /* accrued, never cleared here */
    uint8_t rules;    /* enum sf_rules */
    bool tiny_before; /* underflow is judged before rounding (Arm); RISC-V and x86 judge it after */
};

uint64_t sf_add(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);
uint64_t sf_sub(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);
uint64_t sf_mul(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);
uint64_t sf_div(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);
uint64_t sf_sqrt(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a);

/* a × b + c, rounded once. */
uint64_t sf_fma(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b, uint64_t c);

/* To an integral value of the same format; NX is raised only when `inexact` asks for it. */
uint64_t sf_round_int(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, bool inexact);

/* From one format to another. */
uint64_t sf_convert(struct sf_ctx *ctx, const struct sf_format *from, const struct sf_format *to, uint64_t a);

/* To an integer of `bits` (1..64) bits: two's complement, extended to 64 as is_signed says. */
uint64_t sf_to_int(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, int bits, bool is_signed);
uint64_t sf_from_i64(struct sf_ctx *ctx, const struct sf_format *f, int64_t v);
uint64_t sf_from_u64(struct sf_ctx *ctx, const struct sf_format *f, uint64_t v);

enum sf_relation { SF_LESS = -1, SF_EQUAL = 0, SF_GREATER = 1, SF_UNORDERED = 2 };

/* A signalling comparison raises NV for every NaN, a quiet one for signalling NaNs only. */
enum sf_relation sf_compare(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b,
                            bool signaling);

/* IEEE 754-2019 §9.6: the _num forms prefer a number to a NaN, the others give a NaN. −0 is below +0. */
uint64_t sf_min_num(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);
uint64_t sf_max_num(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);
uint64_t sf_min(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);
uint64_t sf_max(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);

/* Numbered as the bits of RISC-V's fclass. */
enum sf_class {
    SF_NEG_INF, SF_NEG_NORMAL, SF_NEG_SUBNORMAL, SF_NEG_ZERO,
    SF_POS_ZERO, SF_POS_SUBNORMAL, SF_POS_NORMAL, SF_POS_INF, SF_SNAN, SF_QNAN,
};

enum sf_class sf_classify(const struct sf_format *f, uint64_t a);
bool sf_is_nan(const struct sf_format *f, uint64_t a);

/* The NaN that an invalid operation gives under these rules. */
uint64_t sf_default_nan(const struct sf_format *f, enum sf_rules rules);

#endif
