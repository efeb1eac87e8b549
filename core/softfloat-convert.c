/*
 * softfloat-convert.c - conversions, comparison, minimum and maximum, classification
 * (IEEE 754-2019 §5.4.1, §5.6.1, §5.8, §5.9, §5.7.2, §9.6).
 */
#include "softfloat-parts.h"

uint64_t sf_convert(struct sf_ctx *ctx, const struct sf_format *from, const struct sf_format *to, uint64_t a)
{
    struct sf_parts p = sf_unpack(from, a), r;

    if (!sf_pick_nan(ctx, &p, 1, &r))
        r = p;
    return sf_pack(ctx, to, &r);
}

uint64_t sf_round_int(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, bool inexact)
{
    struct sf_parts p = sf_unpack(f, a), r = p;
    bool lost = false;

    if (p.kind == SF_KIND_NUMBER) {
        if (p.exp >= f->frac_bits)
            return a;
        r.sig = sf_round_shift(p.sig, SF_TOP - p.exp, ctx->rounding, p.sign, &lost);
        r.exp = SF_TOP;
        if (r.sig)
            sf_normalize(&r);
        else
            r.kind = SF_KIND_ZERO;
    } else {
        sf_pick_nan(ctx, &p, 1, &r);
    }
    if (lost && inexact)
        ctx->flags |= SF_NX;
    return sf_pack(ctx, f, &r);
}

static uint64_t impossible_integer(struct sf_ctx *ctx, const struct sf_parts *p, int bits, bool is_signed)
{
    uint64_t min = is_signed ? -(1ull << (bits - 1)) : 0;
    uint64_t max = ~0ull >> (64 - bits + is_signed);
    bool negative = p->sign;

    ctx->flags |= SF_NV;
    if (ctx->rules == SF_RULES_X86)
        return is_signed ? min : max;
    if (sf_parts_nan(p)) {
        if (ctx->rules == SF_RULES_ARM)
            return 0;
        negative = false;
    }
    return negative ? min : max;
}

uint64_t sf_to_int(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, int bits, bool is_signed)
{
    struct sf_parts p = sf_unpack(f, a);
    bool lost = false;

    if (p.kind == SF_KIND_ZERO)
        return 0;
    if (p.kind != SF_KIND_NUMBER || p.exp > bits)
        return impossible_integer(ctx, &p, bits, is_signed);

    sf_u128 limit = (sf_u128)1 << (bits - is_signed);
    sf_u128 v = sf_round_shift(p.sig, SF_TOP - p.exp, ctx->rounding, p.sign, &lost);

    if (p.sign ? v > (is_signed ? limit : 0) : v >= limit)
        return impossible_integer(ctx, &p, bits, is_signed);
    if (lost)
        ctx->flags |= SF_NX;
    return p.sign ? -(uint64_t)v : (uint64_t)v;
}

static uint64_t from_magnitude(struct sf_ctx *ctx, const struct sf_format *f, bool sign, uint64_t magnitude)
{
    struct sf_parts p = { .sig = magnitude, .exp = SF_TOP, .kind = SF_KIND_ZERO, .sign = sign };

    if (magnitude) {
        p.kind = SF_KIND_NUMBER;
        sf_normalize(&p);
    }
    return sf_pack(ctx, f, &p);
}

uint64_t sf_from_i64(struct sf_ctx *ctx, const struct sf_format *f, int64_t v)
{
    return from_magnitude(ctx, f, v < 0, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

uint64_t sf_from_u64(struct sf_ctx *ctx, const struct sf_format *f, uint64_t v)
{
    return from_magnitude(ctx, f, false, v);
}

/* Bit patterns as integers in numerical order, −0 just below +0. */
static int64_t ordered(const struct sf_format *f, uint64_t a)
{
    uint64_t sign = sf_sign_bit(f);

    return a & sign ? -(int64_t)(a & (sign - 1)) - 1 : (int64_t)a;
}

static bool is_signaling(const struct sf_format *f, uint64_t a)
{
    return sf_is_nan(f, a) && !(a >> (f->frac_bits - 1) & 1);
}

enum sf_relation sf_compare(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b,
                            bool signaling)
{
    if (sf_is_nan(f, a) || sf_is_nan(f, b)) {
        if (signaling || is_signaling(f, a) || is_signaling(f, b))
            ctx->flags |= SF_NV;
        return SF_UNORDERED;
    }
    if (((a | b) & (sf_sign_bit(f) - 1)) == 0)
        return SF_EQUAL;

    int64_t x = ordered(f, a), y = ordered(f, b);
    return x < y ? SF_LESS : x > y ? SF_GREATER : SF_EQUAL;
}

/* `want` is the relation to the other operand that wins. */
static uint64_t choose(struct sf_ctx *ctx, const struct sf_format *f, const uint64_t v[2], bool greater,
                       bool number)
{
    bool nan_a = sf_is_nan(f, v[0]), nan_b = sf_is_nan(f, v[1]);

    if (nan_a || nan_b) {
        struct sf_parts ops[2] = { sf_unpack(f, v[0]), sf_unpack(f, v[1]) }, r;

        sf_pick_nan(ctx, ops, 2, &r);
        return number && !(nan_a && nan_b) ? v[nan_a] : sf_pack(ctx, f, &r);
    }
    bool below = ordered(f, v[0]) < ordered(f, v[1]);
    return v[below == greater];
}

uint64_t sf_min_num(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b)
{
    return choose(ctx, f, (uint64_t[]){ a, b }, false, true);
}

uint64_t sf_max_num(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b)
{
    return choose(ctx, f, (uint64_t[]){ a, b }, true, true);
}

uint64_t sf_min(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b)
{
    return choose(ctx, f, (uint64_t[]){ a, b }, false, false);
}

uint64_t sf_max(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b)
{
    return choose(ctx, f, (uint64_t[]){ a, b }, true, false);
}

bool sf_is_nan(const struct sf_format *f, uint64_t a)
{
    uint64_t inf = ((1ull << f->exp_bits) - 1) << f->frac_bits;

    return (a & (sf_sign_bit(f) - 1)) > inf;
}

enum sf_class sf_classify(const struct sf_format *f, uint64_t a)
{
    uint64_t magnitude = a & (sf_sign_bit(f) - 1);
    uint64_t inf = ((1ull << f->exp_bits) - 1) << f->frac_bits;
    enum sf_class positive = SF_POS_NORMAL;

    if (magnitude > inf)
        return is_signaling(f, a) ? SF_SNAN : SF_QNAN;
    if (magnitude == inf)
        positive = SF_POS_INF;
    else if (magnitude == 0)
        positive = SF_POS_ZERO;
    else if (magnitude < 1ull << f->frac_bits)
        positive = SF_POS_SUBNORMAL;
    return a & sf_sign_bit(f) ? SF_POS_INF - positive : positive;
}
