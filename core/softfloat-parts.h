/*
 * softfloat-parts.h - the inside of core/softfloat: a value taken apart, and the one place that rounds.
 * Private to core/softfloat*.c.
 *
 * The significand has 128 bits, so that a product of two 64-bit significands is exact and a fused
 * multiply-add of formats up to 53 bits is an ordinary addition. An 80-bit x87 format fits too: it needs its
 * own unpack and pack (explicit integer bit) and a longer quotient and root; 113 bits need a wider product.
 */
#ifndef CORE_SOFTFLOAT_PARTS_H
#define CORE_SOFTFLOAT_PARTS_H

#include "softfloat.h"

typedef unsigned __int128 sf_u128;

enum sf_kind { SF_KIND_ZERO, SF_KIND_NUMBER, SF_KIND_INF, SF_KIND_QNAN, SF_KIND_SNAN };

/*
 * A number is sig × 2^(exp − SF_TOP) with bit SF_TOP the highest set; bit 0 of a computed significand also
 * stands for everything lost below it. A NaN keeps its fraction in sig, aligned as a number's.
 */
enum { SF_TOP = 126 };

struct sf_parts {
    sf_u128 sig;
    int exp;
    enum sf_kind kind;
    bool sign;
};

static inline bool sf_parts_nan(const struct sf_parts *p)
{
    return p->kind >= SF_KIND_QNAN;
}

static inline uint64_t sf_sign_bit(const struct sf_format *f)
{
    return 1ull << (f->exp_bits + f->frac_bits);
}

static inline int sf_bias(const struct sf_format *f)
{
    return (1 << (f->exp_bits - 1)) - 1;
}

struct sf_parts sf_unpack(const struct sf_format *f, uint64_t bits);

/* Packs any kind; a number is rounded, which is where OF, UF and NX come from. */
uint64_t sf_pack(struct sf_ctx *ctx, const struct sf_format *f, const struct sf_parts *p);

/* Brings the highest set bit to SF_TOP; sig must not be zero. */
void sf_normalize(struct sf_parts *p);

/* sig / 2^shift (shift >= 1, sig < 2^127) as an integer, rounded in the given direction. */
sf_u128 sf_round_shift(sf_u128 sig, int shift, enum sf_rounding rounding, bool sign, bool *inexact);

/* Raises NV for a signalling NaN and, when one of n operands is a NaN, leaves the result's in *out. */
bool sf_pick_nan(struct sf_ctx *ctx, const struct sf_parts *ops, int n, struct sf_parts *out);

/* Raises NV and returns the default NaN. */
struct sf_parts sf_invalid(struct sf_ctx *ctx);

#endif
