/*
 * softfloat.c - addition, multiplication, division, square root and fused multiply-add (IEEE 754 §5.4.1).
 *
 * Gaps: formats up to 53 bits of precision (see softfloat-parts.h); no x86 denormal-operand flag, no
 * flush-to-zero or denormals-are-zero modes.
 */
#include "softfloat-parts.h"

/* sig / 2^shift, with a one in bit 0 for anything lost. */
static sf_u128 shift_right_sticky(sf_u128 sig, int shift)
{
    if (shift > SF_TOP + 1)
        return sig != 0;
    sf_u128 kept = sig >> shift;
    return kept | (kept << shift != sig);
}

/* Adds two numbers; the larger exponent comes first. */
static struct sf_parts add_numbers(const struct sf_ctx *ctx, const struct sf_parts *a,
                                   const struct sf_parts *b)
{
    struct sf_parts r = *a;
    sf_u128 sig_b = shift_right_sticky(b->sig, a->exp - b->exp);

    if (a->sign == b->sign) {
        r.sig += sig_b;
    } else if (r.sig >= sig_b) {
        r.sig -= sig_b;
    } else {
        r.sig = sig_b - r.sig;
        r.sign = b->sign;
    }
    if (r.sig == 0) {
        r.kind = SF_KIND_ZERO;
        r.sign = ctx->rounding == SF_RDN;
    } else {
        sf_normalize(&r);
    }
    return r;
}

/* Neither operand is a NaN. */
static struct sf_parts add_parts(struct sf_ctx *ctx, const struct sf_parts *a, const struct sf_parts *b)
{
    if (a->kind == SF_KIND_INF || b->kind == SF_KIND_INF) {
        if (a->kind == b->kind && a->sign != b->sign)
            return sf_invalid(ctx);
        return a->kind == SF_KIND_INF ? *a : *b;
    }
    if (a->kind == SF_KIND_ZERO && b->kind == SF_KIND_ZERO) {
        struct sf_parts r = *a;
        r.sign = a->sign == b->sign ? a->sign : ctx->rounding == SF_RDN;
        return r;
    }
    if (a->kind == SF_KIND_ZERO)
        return *b;
    if (b->kind == SF_KIND_ZERO)
        return *a;
    return a->exp >= b->exp ? add_numbers(ctx, a, b) : add_numbers(ctx, b, a);
}

/* Neither operand is a NaN, nor is this infinity times zero. */
static struct sf_parts mul_parts(const struct sf_parts *a, const struct sf_parts *b)
{
    struct sf_parts r = { .sign = a->sign != b->sign };

    if (a->kind == SF_KIND_INF || b->kind == SF_KIND_INF) {
        r.kind = SF_KIND_INF;
    } else if (a->kind == SF_KIND_ZERO || b->kind == SF_KIND_ZERO) {
        r.kind = SF_KIND_ZERO;
    } else {
        r.kind = SF_KIND_NUMBER;
        r.sig = (a->sig >> 63) * (b->sig >> 63);
        r.exp = a->exp + b->exp;
        sf_normalize(&r);
    }
    return r;
}

static bool infinity_times_zero(const struct sf_parts *a, const struct sf_parts *b)
{
    return (a->kind == SF_KIND_INF && b->kind == SF_KIND_ZERO) ||
           (a->kind == SF_KIND_ZERO && b->kind == SF_KIND_INF);
}

static uint64_t add_signed(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b,
                           bool negate_b)
{
    struct sf_parts ops[2] = { sf_unpack(f, a), sf_unpack(f, b) }, r;

    if (!sf_pick_nan(ctx, ops, 2, &r)) {
        ops[1].sign ^= negate_b;
        r = add_parts(ctx, &ops[0], &ops[1]);
    }
    return sf_pack(ctx, f, &r);
}

uint64_t sf_add(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b)
{
    return add_signed(ctx, f, a, b, false);
}

uint64_t sf_sub(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b)
{
    return add_signed(ctx, f, a, b, true);
}

uint64_t sf_mul(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b)
{
    struct sf_parts ops[2] = { sf_unpack(f, a), sf_unpack(f, b) }, r;

    if (!sf_pick_nan(ctx, ops, 2, &r))
        r = infinity_times_zero(&ops[0], &ops[1]) ? sf_invalid(ctx) : mul_parts(&ops[0], &ops[1]);
    return sf_pack(ctx, f, &r);
}

/* Neither operand is a NaN. */
static struct sf_parts div_parts(struct sf_ctx *ctx, const struct sf_parts *a, const struct sf_parts *b)
{
    struct sf_parts r = { .sign = a->sign != b->sign };

    if (a->kind == b->kind && a->kind != SF_KIND_NUMBER)
        return sf_invalid(ctx);
    if (a->kind == SF_KIND_INF || b->kind == SF_KIND_ZERO) {
        r.kind = SF_KIND_INF;
        if (a->kind == SF_KIND_NUMBER)
            ctx->flags |= SF_DZ;
    } else if (a->kind == SF_KIND_ZERO || b->kind == SF_KIND_INF) {
        r.kind = SF_KIND_ZERO;
    } else {
        uint64_t divisor = (uint64_t)(b->sig >> 63);

        /* 63 or 64 bits of quotient, of which the lowest is free to be the sticky one. */
        r.kind = SF_KIND_NUMBER;
        r.sig = a->sig / divisor;
        r.sig |= r.sig * divisor != a->sig;
        r.exp = a->exp - b->exp + 63;
        sf_normalize(&r);
    }
    return r;
}

uint64_t sf_div(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b)
{
    struct sf_parts ops[2] = { sf_unpack(f, a), sf_unpack(f, b) }, r;

    if (!sf_pick_nan(ctx, ops, 2, &r))
        r = div_parts(ctx, &ops[0], &ops[1]);
    return sf_pack(ctx, f, &r);
}

/* The root of a positive number to `digits` (at most 64) bits and a sticky one, digit by digit. */
static struct sf_parts sqrt_number(const struct sf_parts *a, int digits)
{
    sf_u128 rest = a->sig << (a->exp & 1);
    sf_u128 digit = (sf_u128)1 << 126;
    sf_u128 root = 0;

    /* root holds 2 × (root so far) × sqrt(digit), so that root + digit is what the next digit takes. */
    for (int i = 0; i < digits; i++) {
        bool one = rest >= root + digit;
        if (one)
            rest -= root + digit;
        root = (root >> 1) + (one ? digit : 0);
        digit >>= 2;
    }
    root >>= 64 - digits;
    return (struct sf_parts){
        .sig = root << 63 | (rest != 0),
        .exp = a->exp >> 1,
        .kind = SF_KIND_NUMBER,
    };
}

uint64_t sf_sqrt(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a)
{
    struct sf_parts op = sf_unpack(f, a), r;

    if (sf_pick_nan(ctx, &op, 1, &r) || op.kind == SF_KIND_ZERO)
        r = op;
    else if (op.sign)
        r = sf_invalid(ctx);
    else
        r = op.kind == SF_KIND_INF ? op : sqrt_number(&op, f->frac_bits + 3);
    return sf_pack(ctx, f, &r);
}

/*
 * Infinity × 0 + a quiet NaN: RISC-V raises NV; Arm raises it and gives the default NaN; x86 neither
 * (SDM volume 1, §14.5, table of special cases).
 */
uint64_t sf_fma(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b, uint64_t c)
{
    struct sf_parts ops[3] = { sf_unpack(f, a), sf_unpack(f, b), sf_unpack(f, c) }, r;
    bool impossible = infinity_times_zero(&ops[0], &ops[1]);

    if (impossible && (ctx->rules != SF_RULES_X86 || !sf_parts_nan(&ops[2])) &&
        !(ctx->rules == SF_RULES_ARM && ops[2].kind == SF_KIND_SNAN)) {
        r = sf_invalid(ctx);
    } else if (ctx->rules == SF_RULES_ARM) {
        /* Arm looks at the addend first. */
        struct sf_parts order[3] = { ops[2], ops[0], ops[1] };
        if (sf_pick_nan(ctx, order, 3, &r))
            return sf_pack(ctx, f, &r);
        r = mul_parts(&ops[0], &ops[1]);
        r = add_parts(ctx, &r, &ops[2]);
    } else if (!sf_pick_nan(ctx, ops, 3, &r)) {
        r = mul_parts(&ops[0], &ops[1]);
        r = add_parts(ctx, &r, &ops[2]);
    }
    return sf_pack(ctx, f, &r);
}
