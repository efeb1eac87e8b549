/*
 * harness-softfloat.c - operand generator and the two oracles.
 *
 * MPFR computes with the format's precision and exponent range and mpfr_subnormalize; RMM, which MPFR lacks,
 * is chosen between the two neighbours by a comparison with their midpoint at high precision. Flags come from
 * MPFR's ternary value and from a second computation with unbounded exponent (tininess after rounding).
 */
#include "harness-softfloat.h"

#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "softfloat.h"

enum sft_op {
    OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_SQRT, OP_FMA, OP_RINT, OP_NEARBYINT,
    OP_TO_F16, OP_TO_BF16, OP_TO_F32, OP_TO_F64, OP_TO_I32, OP_TO_U32, OP_TO_I64, OP_TO_U64,
    OP_FROM_I64, OP_FROM_U64, OP_EQ, OP_LT, OP_LE, OP_MIN_NUM, OP_MAX_NUM, OP_MIN, OP_MAX, OP_COUNT,
};

static const struct {
    const char *name;
    int operands;
} ops[OP_COUNT] = {
    { "add", 2 },    { "sub", 2 },      { "mul", 2 },       { "div", 2 },    { "sqrt", 1 },
    { "fma", 3 },    { "rint", 1 },     { "nearbyint", 1 }, { "to_f16", 1 }, { "to_bf16", 1 },
    { "to_f32", 1 }, { "to_f64", 1 },   { "to_i32", 1 },    { "to_u32", 1 }, { "to_i64", 1 },
    { "to_u64", 1 }, { "from_i64", 1 }, { "from_u64", 1 },  { "eq", 2 },     { "lt", 2 },
    { "le", 2 },     { "min_num", 2 },  { "max_num", 2 },   { "min", 2 },    { "max", 2 },
};

static const struct {
    const char *name;
    const struct sf_format *format;
} formats[SFT_FORMATS] = {
    { "f16", &sf_f16 }, { "bf16", &sf_bf16 }, { "f32", &sf_f32 }, { "f64", &sf_f64 },
};

struct sft_case {
    enum sft_op op;
    int format;
    int rounding;
    uint64_t v[3];
};

struct sft_result {
    uint64_t bits;
    unsigned flags;
};

int sft_op_count(void)
{
    return OP_COUNT;
}

const char *sft_op_name(int op)
{
    return ops[op].name;
}

const char *sft_format_name(int format)
{
    return formats[format].name;
}

int sft_op_by_name(const char *name)
{
    for (int i = 0; i < OP_COUNT; i++)
        if (strcmp(name, ops[i].name) == 0)
            return i;
    return -1;
}

/* ---- operands ---- */

static int width(const struct sf_format *f)
{
    return 1 + f->exp_bits + f->frac_bits;
}

static uint64_t random_fraction(const struct sf_format *f, uint64_t *seed)
{
    uint64_t mask = (1ull << f->frac_bits) - 1;
    uint64_t r = harness_random(seed);
    unsigned n = (unsigned)(r >> 8) % (unsigned)(f->frac_bits + 1);

    switch (r & 7) {
    case 0: return 0;
    case 1: return mask;
    case 2: return (1ull << n) & mask;
    case 3: return mask >> n;
    case 4: return mask << n & mask;
    case 5: return (mask ^ 1ull << n) & mask;
    default: return harness_random(seed) & mask;
    }
}

static uint64_t random_exponent(const struct sf_format *f, uint64_t *seed)
{
    uint64_t max = (1ull << f->exp_bits) - 1, bias = max >> 1;
    uint64_t r = harness_random(seed);
    uint64_t near = (r >> 8) % 4;

    switch (r & 7) {
    case 0: return near;
    case 1: return max - near;
    case 2: return bias + near;
    case 3: return bias - near;
    case 4: return (bias + (uint64_t)f->frac_bits + near - 2) & max;
    case 5: return (bias + 31 + (r >> 16 & 1) * 32 + near - 2) & max; /* the edges of integers */
    default: return harness_random(seed) & max;
    }
}

static uint64_t random_value(const struct sf_format *f, uint64_t *seed)
{
    /* In this order, whatever the compiler: a seed must mean the same everywhere. */
    uint64_t sign = harness_random(seed) & 1;
    uint64_t exponent = random_exponent(f, seed);

    return sign << (width(f) - 1) | exponent << f->frac_bits | random_fraction(f, seed);
}

/* A second operand related to the first: nearly equal, or with a product or quotient at the range's edge. */
static uint64_t related_value(const struct sf_format *f, enum sft_op op, uint64_t a, uint64_t *seed)
{
    uint64_t mask = ~0ull >> (64 - width(f)), max = (1ull << f->exp_bits) - 1, bias = max >> 1;
    uint64_t r = harness_random(seed), exponent = a >> f->frac_bits & max;
    uint64_t near = (r >> 8) % 8 - 4;

    switch (r & 7) {
    case 0: return (a + near) & mask;
    case 1: return (a ^ 1ull << (width(f) - 1)) & mask;
    case 2: return ((a + near) ^ 1ull << (width(f) - 1)) & mask;
    case 3: exponent = op == OP_DIV ? exponent + bias - near : bias + 1 - exponent + near; break;
    case 4: exponent = op == OP_DIV ? exponent - bias + near : 3 * bias - exponent + near; break;
    case 5:
        exponent =
            op == OP_MUL || op == OP_FMA ? bias - (uint64_t)f->frac_bits - exponent + near : exponent + near;
        break;
    default: return random_value(f, seed);
    }
    return (r >> 60 & 1) << (width(f) - 1) | (exponent & max) << f->frac_bits | random_fraction(f, seed);
}

static void random_operands(struct sft_case *t, uint64_t *seed)
{
    const struct sf_format *f = formats[t->format].format;
    uint64_t r;

    t->v[0] = random_value(f, seed);
    t->v[1] = related_value(f, t->op, t->v[0], seed);
    t->v[2] = random_value(f, seed);
    if (t->op == OP_FMA && (harness_random(seed) & 1)) {
        /* An addend near the negated product: cancellation down to the product's last bits. */
        struct sf_ctx ctx = { .rounding = SF_RTZ };
        uint64_t product = sf_mul(&ctx, f, t->v[0], t->v[1]);
        t->v[2] =
            ((product ^ 1ull << (width(f) - 1)) + harness_random(seed) % 4 - 1) & (~0ull >> (64 - width(f)));
    }
    if (t->op == OP_FROM_I64 || t->op == OP_FROM_U64) {
        r = harness_random(seed);
        t->v[0] =
            (harness_random(seed) >> (r & 63)) + ((r >> 6 & 1) ? harness_random(seed) << (r >> 8 & 63) : 0);
        t->v[0] = r >> 20 & 1 ? -t->v[0] : t->v[0];
    }
}

uint64_t sft_random_value(int format, uint64_t *seed)
{
    return random_value(formats[format].format, seed);
}

uint64_t sft_random_related(int format, bool division, uint64_t a, uint64_t *seed)
{
    return related_value(formats[format].format, division ? OP_DIV : OP_MUL, a, seed);
}

/* ---- core/softfloat ---- */

static uint64_t run_convert(struct sf_ctx *ctx, const struct sft_case *t, const struct sf_format *f)
{
    int integer = t->op - OP_TO_I32;

    if (integer >= 0)
        return sf_to_int(ctx, f, t->v[0], integer & 2 ? 64 : 32, !(integer & 1));
    return sf_convert(ctx, f, formats[t->op - OP_TO_F16].format, t->v[0]);
}

static struct sft_result run(const struct sft_case *t, struct sf_ctx ctx)
{
    const struct sf_format *f = formats[t->format].format;
    uint64_t a = t->v[0], b = t->v[1], r = 0;

    ctx.rounding = (uint8_t)t->rounding;
    switch (t->op) {
    case OP_ADD: r = sf_add(&ctx, f, a, b); break;
    case OP_SUB: r = sf_sub(&ctx, f, a, b); break;
    case OP_MUL: r = sf_mul(&ctx, f, a, b); break;
    case OP_DIV: r = sf_div(&ctx, f, a, b); break;
    case OP_SQRT: r = sf_sqrt(&ctx, f, a); break;
    case OP_FMA: r = sf_fma(&ctx, f, a, b, t->v[2]); break;
    case OP_RINT: r = sf_round_int(&ctx, f, a, true); break;
    case OP_NEARBYINT: r = sf_round_int(&ctx, f, a, false); break;
    case OP_FROM_I64: r = sf_from_i64(&ctx, f, (int64_t)a); break;
    case OP_FROM_U64: r = sf_from_u64(&ctx, f, a); break;
    case OP_EQ: r = sf_compare(&ctx, f, a, b, false) == SF_EQUAL; break;
    case OP_LT: r = sf_compare(&ctx, f, a, b, true) == SF_LESS; break;
    case OP_LE: r = sf_compare(&ctx, f, a, b, true) <= SF_EQUAL; break;
    case OP_MIN_NUM: r = sf_min_num(&ctx, f, a, b); break;
    case OP_MAX_NUM: r = sf_max_num(&ctx, f, a, b); break;
    case OP_MIN: r = sf_min(&ctx, f, a, b); break;
    case OP_MAX: r = sf_max(&ctx, f, a, b); break;
    default: r = run_convert(&ctx, t, f); break;
    }
    return (struct sft_result){ r, ctx.flags };
}

uint64_t sft_run(int op, int format, int rounding, uint64_t a, uint64_t b, uint64_t c, unsigned *flags)
{
    struct sft_case t = { (enum sft_op)op, format, rounding, { a, b, c } };
    struct sft_result r = run(&t, (struct sf_ctx){ .rules = SF_RULES_RISCV });

    *flags = r.flags;
    return r.bits;
}

uint64_t sft_run_arm(int op, int format, int rounding, uint64_t a, uint64_t b, uint64_t c, unsigned *flags)
{
    struct sft_case t = { (enum sft_op)op, format, rounding, { a, b, c } };
    struct sft_result r = run(&t, (struct sf_ctx){ .rules = SF_RULES_ARM, .tiny_before = true });

    *flags = r.flags;
    return r.bits;
}

unsigned sft_classify(int format, uint64_t a)
{
    return 1u << sf_classify(formats[format].format, a);
}

/* ---- MPFR ---- */

struct oracle {
    mpfr_t v[3], r, s, high, low;
};

static const mpfr_rnd_t mpfr_modes[] = { MPFR_RNDN, MPFR_RNDZ, MPFR_RNDD, MPFR_RNDU };

static void full_range(void)
{
    mpfr_set_emin(mpfr_get_emin_min() / 2);
    mpfr_set_emax(mpfr_get_emax_max() / 2);
}

static int bias_of(const struct sf_format *f)
{
    return (1 << (f->exp_bits - 1)) - 1;
}

static uint64_t infinity_of(const struct sf_format *f)
{
    return ((1ull << f->exp_bits) - 1) << f->frac_bits;
}

static bool nan_bits(const struct sf_format *f, uint64_t a)
{
    return (a & (~0ull >> (65 - width(f)))) > infinity_of(f);
}

static bool snan_bits(const struct sf_format *f, uint64_t a)
{
    return nan_bits(f, a) && !(a >> (f->frac_bits - 1) & 1);
}

static void to_mpfr(mpfr_t out, const struct sf_format *f, uint64_t a)
{
    uint64_t fraction = a & ((1ull << f->frac_bits) - 1);
    int exponent = (int)(a >> f->frac_bits & ((1ull << f->exp_bits) - 1));
    int sign = a >> (width(f) - 1) & 1 ? -1 : 1;

    mpfr_set_prec(out, 64);
    if (nan_bits(f, a)) {
        mpfr_set_nan(out);
    } else if (exponent == (1 << f->exp_bits) - 1) {
        mpfr_set_inf(out, sign);
    } else if (exponent == 0 && fraction == 0) {
        mpfr_set_zero(out, sign);
    } else {
        fraction |= exponent ? 1ull << f->frac_bits : 0;
        mpfr_set_uj_2exp(out, fraction, (exponent ? exponent : 1) - bias_of(f) - f->frac_bits, MPFR_RNDN);
        mpfr_setsign(out, out, sign < 0, MPFR_RNDN);
    }
}

/* A value that the format holds exactly. */
static uint64_t from_mpfr(const struct sf_format *f, mpfr_t v)
{
    uint64_t sign = (uint64_t)(mpfr_signbit(v) != 0) << (width(f) - 1);
    mpfr_t scaled;

    if (mpfr_nan_p(v))
        return infinity_of(f) | 1ull << (f->frac_bits - 1);
    if (mpfr_inf_p(v))
        return sign | infinity_of(f);
    if (mpfr_zero_p(v))
        return sign;

    int exponent = (int)mpfr_get_exp(v) - 1 + bias_of(f);
    int field = exponent < 1 ? 0 : exponent;
    mpfr_init2(scaled, mpfr_get_prec(v));
    mpfr_mul_2si(scaled, v, -((field ? field : 1) - bias_of(f) - f->frac_bits), MPFR_RNDN);
    mpfr_abs(scaled, scaled, MPFR_RNDN);
    uint64_t significand = mpfr_get_uj(scaled, MPFR_RNDN);
    mpfr_clear(scaled);
    return sign | ((uint64_t)field << f->frac_bits) | (significand & ((1ull << f->frac_bits) - 1));
}

static int compute(struct oracle *o, const struct sft_case *t, mpfr_t r, mpfr_rnd_t rnd)
{
    switch (t->op) {
    case OP_ADD: return mpfr_add(r, o->v[0], o->v[1], rnd);
    case OP_SUB: return mpfr_sub(r, o->v[0], o->v[1], rnd);
    case OP_MUL: return mpfr_mul(r, o->v[0], o->v[1], rnd);
    case OP_DIV: return mpfr_div(r, o->v[0], o->v[1], rnd);
    case OP_SQRT: return mpfr_sqrt(r, o->v[0], rnd);
    case OP_FMA: return mpfr_fma(r, o->v[0], o->v[1], o->v[2], rnd);
    case OP_FROM_I64: return mpfr_set_sj(r, (int64_t)t->v[0], rnd);
    case OP_FROM_U64: return mpfr_set_uj(r, t->v[0], rnd);
    default: return mpfr_set(r, o->v[0], rnd);
    }
}

/* In the format's precision and range; returns the ternary value. */
static int compute_in(struct oracle *o, const struct sft_case *t, const struct sf_format *f, mpfr_t r,
                      mpfr_rnd_t rnd)
{
    mpfr_set_prec(r, f->frac_bits + 1);
    mpfr_clear_flags();
    mpfr_set_emin(2 - bias_of(f) - f->frac_bits);
    mpfr_set_emax(bias_of(f) + 1);
    int ternary = compute(o, t, r, rnd);
    ternary = mpfr_check_range(r, ternary, rnd);
    ternary = mpfr_subnormalize(r, ternary, rnd);
    full_range();
    return ternary;
}

/* To nearest, ties away, at any precision and with unbounded exponent: the ternary value's being zero or
 * not. */
static int nearest_away(struct oracle *o, const struct sft_case *t, int precision, mpfr_t r)
{
    mpfr_set_prec(r, precision);
    int ternary = compute(o, t, r, MPFR_RNDZ);
    if (ternary == 0 || mpfr_inf_p(r))
        return ternary;

    mpfr_set_prec(o->low, precision + 1);
    mpfr_set(o->low, r, MPFR_RNDN);
    mpfr_set_prec(o->high, precision + 1);
    compute(o, t, o->high, MPFR_RNDZ);
    if (mpfr_cmp(o->high, o->low) != 0) {
        /* The bit after the last is set: away from zero. */
        if (mpfr_signbit(r))
            mpfr_nextbelow(r);
        else
            mpfr_nextabove(r);
    }
    return ternary;
}

/* RMM: as compute_in, with the precision that the exponent leaves. */
static int compute_away(struct oracle *o, const struct sft_case *t, const struct sf_format *f, mpfr_t r)
{
    int precision = f->frac_bits + 1;
    int subnormal_exp = 2 - bias_of(f); /* MPFR's exponent of the smallest normal number */

    mpfr_clear_flags();
    int ternary = nearest_away(o, t, precision, r);
    if (!mpfr_regular_p(r))
        return ternary;

    mpfr_set_prec(o->s, precision);
    compute(o, t, o->s, MPFR_RNDZ);
    int left = precision - (subnormal_exp - (int)mpfr_get_exp(o->s));
    if (left < precision && left >= 1) {
        ternary = nearest_away(o, t, left, r);
    } else if (left < 1) {
        /* Below the smallest subnormal number: half of it or more becomes it. */
        int sign = mpfr_signbit(r) != 0;
        ternary = 1;
        if (left == 0)
            mpfr_set_si_2exp(r, 1, 1 - bias_of(f) - f->frac_bits, MPFR_RNDN);
        else
            mpfr_set_zero(r, 1);
        mpfr_setsign(r, r, sign, MPFR_RNDN);
    }
    if (mpfr_regular_p(r) && mpfr_get_exp(r) > bias_of(f) + 1) {
        mpfr_set_inf(r, mpfr_signbit(r) ? -1 : 1);
        mpfr_set_overflow();
        ternary = 1;
    }
    return ternary;
}

static bool any_nan(const struct sft_case *t, const struct sf_format *f, bool signaling_only)
{
    for (int i = 0; i < ops[t->op].operands; i++)
        if (signaling_only ? snan_bits(f, t->v[i]) : nan_bits(f, t->v[i]))
            return true;
    return false;
}

/* Flags that depend on the operands' kinds alone. */
static unsigned kind_flags(struct oracle *o, const struct sft_case *t, const struct sf_format *f)
{
    bool integers = t->op == OP_FROM_I64 || t->op == OP_FROM_U64;
    bool nan = !integers && any_nan(t, f, false);
    unsigned flags = !integers && any_nan(t, f, true) ? SF_NV : 0;

    if (mpfr_nan_p(o->r) && !nan)
        flags |= SF_NV;
    if (t->op == OP_FMA &&
        ((mpfr_inf_p(o->v[0]) && mpfr_zero_p(o->v[1])) || (mpfr_zero_p(o->v[0]) && mpfr_inf_p(o->v[1]))))
        flags |= SF_NV;
    if (t->op == OP_DIV && mpfr_zero_p(o->v[1]) && mpfr_number_p(o->v[0]) && !mpfr_zero_p(o->v[0]))
        flags |= SF_DZ;
    return flags;
}

/* Arithmetic and conversions to a floating-point format. */
static struct sft_result expect_float(struct oracle *o, const struct sft_case *t)
{
    const struct sf_format *f = formats[t->format].format;
    const struct sf_format *to =
        t->op >= OP_TO_F16 && t->op <= OP_TO_F64 ? formats[t->op - OP_TO_F16].format : f;
    mpfr_rnd_t rnd = t->rounding == SF_RMM ? MPFR_RNDN : mpfr_modes[t->rounding];
    int ternary = t->rounding == SF_RMM ? compute_away(o, t, to, o->r) : compute_in(o, t, to, o->r, rnd);
    bool overflow = mpfr_overflow_p() && ternary != 0;
    struct sft_result e = { from_mpfr(to, o->r), kind_flags(o, t, f) };

    if (mpfr_nan_p(o->r))
        return e;
    if (overflow)
        e.flags |= SF_OF;
    if (ternary == 0)
        return e;
    e.flags |= SF_NX;
    if (t->rounding == SF_RMM) {
        nearest_away(o, t, to->frac_bits + 1, o->s);
    } else {
        mpfr_set_prec(o->s, to->frac_bits + 1);
        compute(o, t, o->s, rnd);
    }
    if (mpfr_regular_p(o->s) && mpfr_get_exp(o->s) < 2 - bias_of(to))
        e.flags |= SF_UF;
    return e;
}

static void round_integral(mpfr_t r, mpfr_t v, int rounding)
{
    mpfr_set_prec(r, 128);
    switch (rounding) {
    case SF_RNE: mpfr_rint(r, v, MPFR_RNDN); break;
    case SF_RTZ: mpfr_rint(r, v, MPFR_RNDZ); break;
    case SF_RDN: mpfr_rint(r, v, MPFR_RNDD); break;
    case SF_RUP: mpfr_rint(r, v, MPFR_RNDU); break;
    default: mpfr_round(r, v); break;
    }
}

static struct sft_result expect_integral(struct oracle *o, const struct sft_case *t)
{
    const struct sf_format *f = formats[t->format].format;

    round_integral(o->r, o->v[0], t->rounding);
    bool inexact = mpfr_number_p(o->r) && mpfr_cmp(o->r, o->v[0]) != 0;
    return (struct sft_result){
        from_mpfr(f, o->r),
        (snan_bits(f, t->v[0]) ? SF_NV : 0u) | (inexact && t->op == OP_RINT ? SF_NX : 0u),
    };
}

static struct sft_result expect_integer(struct oracle *o, const struct sft_case *t)
{
    static const struct { uint64_t min, max; bool is_signed; } range[] = {
        { (uint64_t)INT32_MIN, INT32_MAX, true }, { 0, UINT32_MAX, false },
        { (uint64_t)INT64_MIN, INT64_MAX, true }, { 0, UINT64_MAX, false },
    };
    uint64_t min = range[t->op - OP_TO_I32].min, max = range[t->op - OP_TO_I32].max;
    bool is_signed = range[t->op - OP_TO_I32].is_signed;

    if (mpfr_nan_p(o->v[0]))
        return (struct sft_result){ max, SF_NV };
    round_integral(o->r, o->v[0], t->rounding);
    mpfr_set_prec(o->s, 64);
    mpfr_set_uj(o->s, max, MPFR_RNDN);
    if (mpfr_cmp(o->r, o->s) > 0)
        return (struct sft_result){ max, SF_NV };
    mpfr_set_sj(o->s, (int64_t)min, MPFR_RNDN);
    if (mpfr_cmp(o->r, o->s) < 0)
        return (struct sft_result){ min, SF_NV };
    return (struct sft_result){
        is_signed ? (uint64_t)mpfr_get_sj(o->r, MPFR_RNDN) : mpfr_get_uj(o->r, MPFR_RNDN),
        mpfr_cmp(o->r, o->v[0]) ? SF_NX : 0,
    };
}

static struct sft_result expect_relation(struct oracle *o, const struct sft_case *t)
{
    const struct sf_format *f = formats[t->format].format;
    bool nan_a = nan_bits(f, t->v[0]), nan_b = nan_bits(f, t->v[1]);
    struct sft_result e = {
        0, any_nan(t, f, true) || (t->op != OP_EQ && t->op < OP_MIN_NUM && (nan_a || nan_b)) ? SF_NV : 0
    };

    if (t->op < OP_MIN_NUM) {
        e.bits = t->op == OP_EQ ? mpfr_equal_p(o->v[0], o->v[1])
               : t->op == OP_LT ? mpfr_less_p(o->v[0], o->v[1]) : mpfr_lessequal_p(o->v[0], o->v[1]);
    } else if (nan_a || nan_b) {
        bool number = (t->op == OP_MIN_NUM || t->op == OP_MAX_NUM) && !(nan_a && nan_b);
        e.bits = number ? t->v[nan_a] : infinity_of(f) | 1ull << (f->frac_bits - 1);
    } else {
        int order = mpfr_cmp(o->v[0], o->v[1]);
        if (order == 0)
            order = (mpfr_signbit(o->v[1]) != 0) - (mpfr_signbit(o->v[0]) != 0);
        bool max = t->op == OP_MAX_NUM || t->op == OP_MAX;
        e.bits = t->v[max ? order < 0 : order > 0];
    }
    return e;
}

static struct sft_result expect(struct oracle *o, const struct sft_case *t)
{
    full_range();
    for (int i = 0; i < ops[t->op].operands; i++)
        to_mpfr(o->v[i], formats[t->format].format, t->v[i]);
    switch (t->op) {
    case OP_RINT:
    case OP_NEARBYINT:
        return expect_integral(o, t);
    case OP_TO_I32:
    case OP_TO_U32:
    case OP_TO_I64:
    case OP_TO_U64:
        return expect_integer(o, t);
    case OP_EQ:
    case OP_LT:
    case OP_LE:
    case OP_MIN_NUM:
    case OP_MAX_NUM:
    case OP_MIN:
    case OP_MAX:
        return expect_relation(o, t);
    default:
        return expect_float(o, t);
    }
}

static void describe(char *text, size_t size, const struct sft_case *t, struct sft_result got,
                     struct sft_result want)
{
    static const char *const modes[] = { "rne", "rtz", "rdn", "rup", "rmm" };

    snprintf(text, size,
             "%s.%s %s %" PRIx64 " %" PRIx64 " %" PRIx64 ": got %" PRIx64 " flags %02x, expected %" PRIx64
             " flags %02x",
             ops[t->op].name, formats[t->format].name, modes[t->rounding], t->v[0], t->v[1], t->v[2],
             got.bits, got.flags, want.bits, want.flags);
}

uint64_t sft_check_mpfr(int op, int format, int rounding, uint64_t cases, uint64_t seed, char *text,
                        size_t size)
{
    struct sft_case t = { .op = (enum sft_op)op, .format = format, .rounding = rounding };
    struct oracle o;
    uint64_t wrong = 0;

    mpfr_inits2(64, o.v[0], o.v[1], o.v[2], o.r, o.s, o.high, o.low, (mpfr_ptr)NULL);
    for (uint64_t i = 0; i < cases; i++) {
        random_operands(&t, &seed);
        struct sft_result got = run(&t, (struct sf_ctx){ .rules = SF_RULES_RISCV });
        struct sft_result want = expect(&o, &t);
        if ((got.bits != want.bits || got.flags != want.flags) && wrong++ == 0)
            describe(text, size, &t, got, want);
    }
    mpfr_clears(o.v[0], o.v[1], o.v[2], o.r, o.s, o.high, o.low, (mpfr_ptr)NULL);
    return wrong;
}

/* ---- the host's FPU ---- */

union host_value {
    uint64_t bits;
    double d;
    float s;
};

#ifdef __x86_64__
static const enum sf_rules host_rules = SF_RULES_X86;

static bool host_has_fma(void)
{
    return __builtin_cpu_supports("fma");
}

/* Spelled out, because which NaN comes out depends on the order of the instruction's operands. */
static double fma_d(double a, double b, double c)
{
    __asm__("vfmadd231sd %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
}

static float fma_s(float a, float b, float c)
{
    __asm__("vfmadd231ss %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
}
#else
static const enum sf_rules host_rules = SF_RULES_ARM;

static bool host_has_fma(void)
{
    return true;
}

static double fma_d(double a, double b, double c)
{
    return __builtin_fma(a, b, c);
}

static float fma_s(float a, float b, float c)
{
    return __builtin_fmaf(a, b, c);
}
#endif

/* Volatile keeps each operation between the two accesses to the flags. */
static bool host_double(const struct sft_case *t, union host_value *out)
{
    const volatile double a = (union host_value){ t->v[0] }.d, b = (union host_value){ t->v[1] }.d;
    const volatile double c = (union host_value){ t->v[2] }.d;
    volatile double r = 0;

    switch (t->op) {
    case OP_ADD: r = a + b; break;
    case OP_SUB: r = a - b; break;
    case OP_MUL: r = a * b; break;
    case OP_DIV: r = a / b; break;
    case OP_SQRT: r = __builtin_sqrt(a); break;
    case OP_FMA: r = fma_d(a, b, c); break;
    case OP_FROM_I64: r = (double)*(const volatile int64_t *)&t->v[0]; break;
    case OP_TO_F32: {
        volatile float s = (float)a;
        *out = (union host_value){ .bits = 0 };
        out->s = s;
        return true;
    }
    case OP_TO_I64: out->bits = (uint64_t)llrint(a); return true;
    case OP_EQ: out->bits = a == b; return true;
    case OP_LT: out->bits = a < b; return true;
    case OP_LE: out->bits = a <= b; return true;
    default: return false;
    }
    out->d = r;
    return true;
}

static bool host_single(const struct sft_case *t, union host_value *out)
{
    const volatile float a = (union host_value){ t->v[0] }.s, b = (union host_value){ t->v[1] }.s;
    const volatile float c = (union host_value){ t->v[2] }.s;
    volatile float r = 0;

    switch (t->op) {
    case OP_ADD: r = a + b; break;
    case OP_SUB: r = a - b; break;
    case OP_MUL: r = a * b; break;
    case OP_DIV: r = a / b; break;
    case OP_SQRT: r = __builtin_sqrtf(a); break;
    case OP_FMA: r = fma_s(a, b, c); break;
    case OP_FROM_I64: r = (float)*(const volatile int64_t *)&t->v[0]; break;
    case OP_TO_F64: {
        volatile double d = (double)a;
        out->d = d;
        return true;
    }
    case OP_TO_I64: out->bits = (uint64_t)llrintf(a); return true;
    case OP_EQ: out->bits = a == b; return true;
    case OP_LT: out->bits = a < b; return true;
    case OP_LE: out->bits = a <= b; return true;
    default: return false;
    }
    *out = (union host_value){ .bits = 0 };
    out->s = r;
    return true;
}

static unsigned host_flags(void)
{
    int e = fetestexcept(FE_ALL_EXCEPT);

    return (e & FE_INEXACT ? SF_NX : 0u) | (e & FE_UNDERFLOW ? SF_UF : 0u) | (e & FE_OVERFLOW ? SF_OF : 0u) |
           (e & FE_DIVBYZERO ? SF_DZ : 0u) | (e & FE_INVALID ? SF_NV : 0u);
}

static bool run_host(const struct sft_case *t, struct sft_result *r)
{
    static const int modes[] = { FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD };
    union host_value v = { .bits = 0 };

    fesetround(modes[t->rounding]);
    feclearexcept(FE_ALL_EXCEPT);
    bool known = t->format == 3 ? host_double(t, &v) : host_single(t, &v);
    *r = (struct sft_result){ v.bits, host_flags() };
    fesetround(FE_TONEAREST);
    return known;
}

bool sft_host_can(int op)
{
    struct sft_case t = { .op = (enum sft_op)op, .format = op == OP_TO_F64 ? 2 : 3 };
    struct sft_result r;

    return (op != OP_FMA || host_has_fma()) && run_host(&t, &r);
}

uint64_t sft_check_host(int op, int format, int rounding, uint64_t cases, uint64_t seed, char *text,
                        size_t size)
{
    struct sft_case t = { .op = (enum sft_op)op, .format = format, .rounding = rounding };
    struct sf_ctx ctx = { .rules = host_rules, .tiny_before = host_rules == SF_RULES_ARM };
    uint64_t wrong = 0;

    for (uint64_t i = 0; i < cases; i++) {
        struct sft_result want;

        random_operands(&t, &seed);
        if (!run_host(&t, &want))
            continue;
        struct sft_result got = run(&t, ctx);
        if (got.bits != want.bits && (op == OP_ADD || op == OP_MUL)) {
            /* A compiler may exchange the operands of these, and then the other one's NaN comes out. */
            struct sft_case swapped = { t.op, t.format, t.rounding, { t.v[1], t.v[0] } };
            got = run(&swapped, ctx);
        }
        if ((got.bits != want.bits || got.flags != want.flags) && wrong++ == 0)
            describe(text, size, &t, got, want);
    }
    return wrong;
}
