/*
 * softfloat-parts.c - taking values apart, rounding them and packing them (IEEE 754-2019 §3.4, §4.3, §7).
 */
#include "softfloat-parts.h"

#include <stddef.h>

const struct sf_format sf_f16 = { .exp_bits = 5, .frac_bits = 10 };
const struct sf_format sf_bf16 = { .exp_bits = 8, .frac_bits = 7 };
const struct sf_format sf_f32 = { .exp_bits = 8, .frac_bits = 23 };
const struct sf_format sf_f64 = { .exp_bits = 11, .frac_bits = 52 };

/* The quiet bit of a NaN, as aligned in struct sf_parts. */
static const sf_u128 quiet_bit = (sf_u128)1 << (SF_TOP - 1);

static uint64_t max_exponent(const struct sf_format *f)
{
    return (1ull << f->exp_bits) - 1;
}

static uint64_t infinity(const struct sf_format *f)
{
    return max_exponent(f) << f->frac_bits;
}

void sf_normalize(struct sf_parts *p)
{
    uint64_t high = (uint64_t)(p->sig >> 64);
    int zeros = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)p->sig);

    if (zeros == 0) {
        p->sig = p->sig >> 1 | (p->sig & 1);
        p->exp++;
        return;
    }
    p->sig <<= zeros - 1;
    p->exp -= zeros - 1;
}

struct sf_parts sf_unpack(const struct sf_format *f, uint64_t bits)
{
    uint64_t fraction = bits & ((1ull << f->frac_bits) - 1);
    uint64_t exponent = bits >> f->frac_bits & max_exponent(f);
    struct sf_parts p = {
        .sig = (sf_u128)fraction << (SF_TOP - f->frac_bits),
        .exp = (int)exponent - sf_bias(f),
        .kind = SF_KIND_NUMBER,
        .sign = bits & sf_sign_bit(f),
    };

    if (exponent == max_exponent(f)) {
        p.kind = fraction == 0 ? SF_KIND_INF : p.sig & quiet_bit ? SF_KIND_QNAN : SF_KIND_SNAN;
    } else if (exponent != 0) {
        p.sig |= (sf_u128)1 << SF_TOP;
    } else if (fraction != 0) {
        p.exp = 1 - sf_bias(f);
        sf_normalize(&p);
    } else {
        p.kind = SF_KIND_ZERO;
    }
    return p;
}

sf_u128 sf_round_shift(sf_u128 sig, int shift, enum sf_rounding rounding, bool sign, bool *inexact)
{
    if (shift > SF_TOP + 1) {
        sig = sig != 0;
        shift = SF_TOP + 1;
    }
    sf_u128 half = (sf_u128)1 << (shift - 1);
    sf_u128 kept = sig >> shift;
    sf_u128 lost = sig & (half | (half - 1));
    bool up = false;

    switch (rounding) {
    case SF_RNE:
        up = lost > half || (lost == half && (kept & 1));
        break;
    case SF_RTZ:
        break;
    case SF_RDN:
        up = lost && sign;
        break;
    case SF_RUP:
        up = lost && !sign;
        break;
    case SF_RMM:
        up = lost >= half;
        break;
    }
    *inexact = lost != 0;
    return kept + up;
}

static uint64_t overflow(struct sf_ctx *ctx, const struct sf_format *f, bool sign)
{
    bool to_infinity = ctx->rounding == SF_RNE || ctx->rounding == SF_RMM ||
                       ctx->rounding == (sign ? SF_RDN : SF_RUP);

    ctx->flags |= SF_OF | SF_NX;
    return infinity(f) - !to_infinity;
}

/* Would it stay below the smallest normal number, were only its precision limited and not its exponent? */
static bool tiny_after_rounding(const struct sf_ctx *ctx, const struct sf_format *f, const struct sf_parts *p)
{
    bool inexact;

    if (p->exp < -sf_bias(f))
        return true;
    sf_u128 kept = sf_round_shift(p->sig, SF_TOP - f->frac_bits, ctx->rounding, p->sign, &inexact);
    return kept >> (f->frac_bits + 1) == 0;
}

static uint64_t pack_number(struct sf_ctx *ctx, const struct sf_format *f, const struct sf_parts *p)
{
    int min_exp = 1 - sf_bias(f);
    int exp = p->exp;
    int shift = SF_TOP - f->frac_bits;
    bool tiny = exp < min_exp;
    bool inexact;

    if (exp > sf_bias(f))
        return overflow(ctx, f, p->sign);
    if (tiny) {
        shift += min_exp - exp;
        exp = min_exp;
    }
    uint64_t kept = (uint64_t)sf_round_shift(p->sig, shift, ctx->rounding, p->sign, &inexact);

    /* The integer bit of a normal number, and a carry out of the fraction, adds one to the exponent field. */
    uint64_t bits = kept + ((uint64_t)(exp - min_exp) << f->frac_bits);
    if (bits >= infinity(f))
        return overflow(ctx, f, p->sign);
    if (inexact) {
        ctx->flags |= SF_NX;
        if (tiny && (ctx->tiny_before || tiny_after_rounding(ctx, f, p)))
            ctx->flags |= SF_UF;
    }
    return bits;
}

uint64_t sf_default_nan(const struct sf_format *f, enum sf_rules rules)
{
    return infinity(f) | 1ull << (f->frac_bits - 1) | (rules == SF_RULES_X86 ? sf_sign_bit(f) : 0);
}

uint64_t sf_pack(struct sf_ctx *ctx, const struct sf_format *f, const struct sf_parts *p)
{
    uint64_t bits = 0;

    switch (p->kind) {
    case SF_KIND_ZERO:
        break;
    case SF_KIND_NUMBER:
        bits = pack_number(ctx, f, p);
        break;
    case SF_KIND_INF:
        bits = infinity(f);
        break;
    case SF_KIND_QNAN:
    case SF_KIND_SNAN:
        if (ctx->rules == SF_RULES_RISCV)
            return sf_default_nan(f, SF_RULES_RISCV);
        bits = infinity(f) | (uint64_t)((p->sig | quiet_bit) >> (SF_TOP - f->frac_bits));
        break;
    }
    return bits | (p->sign ? sf_sign_bit(f) : 0);
}

struct sf_parts sf_invalid(struct sf_ctx *ctx)
{
    ctx->flags |= SF_NV;
    return (struct sf_parts){ .sig = quiet_bit, .kind = SF_KIND_QNAN, .sign = ctx->rules == SF_RULES_X86 };
}

bool sf_pick_nan(struct sf_ctx *ctx, const struct sf_parts *ops, int n, struct sf_parts *out)
{
    const struct sf_parts *first = NULL, *first_signaling = NULL;

    for (int i = n - 1; i >= 0; i--) {
        if (sf_parts_nan(&ops[i]))
            first = &ops[i];
        if (ops[i].kind == SF_KIND_SNAN)
            first_signaling = &ops[i];
    }
    if (!first)
        return false;
    if (first_signaling)
        ctx->flags |= SF_NV;
    *out = first_signaling && ctx->rules == SF_RULES_ARM ? *first_signaling : *first;
    return true;
}
