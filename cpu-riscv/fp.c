/*
 * fp.c - floating point: chapters "F", "D", "Zfh/Zfhmin" and "Zfa" of the RISC-V unprivileged manual
 * (20240411; Zfa as ratified 2023).
 *
 * binary32 and binary64 run on the host's unit, which holds frm and fflags while the hart runs (core/fpu.h),
 * whenever the instruction's rounding mode is the one in frm and the host has it; everything else, and all of
 * binary16, is core/softfloat. Both give the same bits and flags.
 *
 * Every instruction that may set a flag makes mstatus.FS dirty, whether it does or not (privileged manual,
 * 3.1.6.6).
 */
#include "fpu.h"
#include "mem.h"
#include "state.h"

#define FOLD static inline __attribute__((always_inline))
/* A function that hands its own variables to others cannot end in a tail call: such ones return flags and
 * stay apart. */
#define APART static __attribute__((noinline))

enum width { H, S, D };

static const struct sf_format *const formats[] = { [H] = &sf_f16, [S] = &sf_f32, [D] = &sf_f64 };

enum { RM_DYNAMIC = 7, FRM_HOST_LAST = SF_RUP };

/* ---- registers: narrower values are NaN-boxed ("D" chapter, "NaN Boxing of Narrower Values") ---- */

FOLD unsigned width_bits(enum width w)
{
    return w == H ? 16 : w == S ? 32 : 64;
}

FOLD uint64_t canonical_nan(enum width w)
{
    return w == H ? 0x7e00 : w == S ? 0x7fc00000 : UINT64_C(0x7ff8000000000000);
}

FOLD uint64_t get_f(const struct rv *cpu, unsigned r, enum width w)
{
    uint64_t v = cpu->f[r];

    if (w == D)
        return v;
    return likely((int64_t)v >> width_bits(w) == -1) ? bits(v, 0, width_bits(w)) : canonical_nan(w);
}

FOLD void set_f(struct rv *cpu, unsigned r, uint64_t v, enum width w)
{
    cpu->f[r] = w == D ? v : v | ~UINT64_C(0) << width_bits(w);
}

FOLD double get_d(const struct rv *cpu, unsigned r)
{
    double d;

    memcpy(&d, &cpu->f[r], sizeof d);
    return d;
}

/* The compiler must not see that a value without its box is a NaN: it would fold, and lose flags. */
FOLD float get_s(const struct rv *cpu, unsigned r)
{
    uint32_t b = (uint32_t)get_f(cpu, r, S);
    float s;

    __asm__("" : "+r"(b));
    memcpy(&s, &b, sizeof s);
    return s;
}

/* Any NaN that the host made becomes the canonical one. */
FOLD void set_d(struct rv *cpu, unsigned r, double d)
{
    if (unlikely(d != d))
        cpu->f[r] = canonical_nan(D);
    else
        memcpy(&cpu->f[r], &d, sizeof d);
}

FOLD void set_s(struct rv *cpu, unsigned r, float s)
{
    uint32_t b;

    memcpy(&b, &s, sizeof b);
    set_f(cpu, r, unlikely(s != s) ? canonical_nan(S) : b, S);
}

/* The end of an instruction that writes an f register or may raise a flag. */
FOLD void done(struct rv *cpu, const struct rv_op *op)
{
    if (unlikely((cpu->mstatus & MSTATUS_FS) != MSTATUS_FS))
        fp_dirty(cpu);
    return next(cpu, op);
}

APART void raise_flags(unsigned flags)
{
    fpu_raise(flags);
}

/* The same for one that got its result from softfloat. */
FOLD void done_soft(struct rv *cpu, const struct rv_op *op, unsigned flags)
{
    if (flags)
        raise_flags(flags);
    return done(cpu, op);
}

/* ---- rounding ---- */

/* The instruction's rounding mode; illegal when it, or frm behind it, is reserved ("Floating-Point CSR"). */
FOLD unsigned rounding(struct rv *cpu, const struct rv_op *op)
{
    unsigned rm = op->rm == RM_DYNAMIC ? cpu->frm : op->rm;

    if (unlikely(rm > SF_RMM))
        rv_illegal(cpu, op);
    return rm;
}

/* The host rounds as the instruction wants at this moment; then its rm is not reserved either. */
FOLD bool on_host(const struct rv *cpu, const struct rv_op *op)
{
    return likely((op->rm == RM_DYNAMIC || op->rm == cpu->frm) && cpu->frm <= FRM_HOST_LAST);
}

FOLD struct sf_ctx soft_context(unsigned rm)
{
    return (struct sf_ctx){ .rounding = (uint8_t)rm, .rules = SF_RULES_RISCV };
}

/* ---- arithmetic ---- */

enum arith { ADD, SUB, MUL, DIV, SQRT, MADD, MSUB, NMSUB, NMADD };

FOLD bool negates_product(enum arith o)
{
    return o == NMSUB || o == NMADD;
}

FOLD bool negates_addend(enum arith o)
{
    return o == MSUB || o == NMADD;
}

APART unsigned arith_flags(struct rv *cpu, const struct rv_op *op, enum arith o, enum width w)
{
    const struct sf_format *f = formats[w];
    uint64_t sign = BIT(width_bits(w) - 1);
    struct sf_ctx ctx = soft_context(rounding(cpu, op));
    uint64_t a = get_f(cpu, op->rs1, w), b = get_f(cpu, op->rs2, w), c = 0, r = 0;

    switch (o) {
    case ADD:
        r = sf_add(&ctx, f, a, b);
        break;
    case SUB:
        r = sf_sub(&ctx, f, a, b);
        break;
    case MUL:
        r = sf_mul(&ctx, f, a, b);
        break;
    case DIV:
        r = sf_div(&ctx, f, a, b);
        break;
    case SQRT:
        r = sf_sqrt(&ctx, f, a);
        break;
    default:
        c = get_f(cpu, op->rs3, w);
        r = sf_fma(&ctx, f, negates_product(o) ? a ^ sign : a, b, negates_addend(o) ? c ^ sign : c);
        break;
    }
    set_f(cpu, op->rd, r, w);
    return ctx.flags;
}

APART void soft_arith(struct rv *cpu, const struct rv_op *op, enum arith o, enum width w)
{
    return done_soft(cpu, op, arith_flags(cpu, op, o, w));
}

FOLD double host_d(enum arith o, double a, double b)
{
    switch (o) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    default: return __builtin_sqrt(a);
    }
}

FOLD float host_s(enum arith o, float a, float b)
{
    switch (o) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    default: return __builtin_sqrtf(a);
    }
}

FOLD void arith(struct rv *cpu, const struct rv_op *op, enum arith o, enum width w)
{
    if (w == H || !on_host(cpu, op))
        return soft_arith(cpu, op, o, w);
    if (w == D)
        set_d(cpu, op->rd, host_d(o, get_d(cpu, op->rs1), get_d(cpu, op->rs2)));
    else
        set_s(cpu, op->rd, host_s(o, get_s(cpu, op->rs1), get_s(cpu, op->rs2)));
    return done(cpu, op);
}

/* A NaN is left to softfloat: hosts differ in the flag of infinity × 0 + a quiet NaN. */
FOLD void fused(struct rv *cpu, const struct rv_op *op, enum arith o, enum width w)
{
    if (w == H || !on_host(cpu, op) || unlikely(!fpu_has_fma()))
        return soft_arith(cpu, op, o, w);
    if (w == D) {
        double a = get_d(cpu, op->rs1), c = get_d(cpu, op->rs3);
        double r = fpu_fma64(negates_product(o) ? -a : a, get_d(cpu, op->rs2), negates_addend(o) ? -c : c);
        if (unlikely(r != r))
            return soft_arith(cpu, op, o, w);
        set_d(cpu, op->rd, r);
    } else {
        float a = get_s(cpu, op->rs1), c = get_s(cpu, op->rs3);
        float r = fpu_fma32(negates_product(o) ? -a : a, get_s(cpu, op->rs2), negates_addend(o) ? -c : c);
        if (unlikely(r != r))
            return soft_arith(cpu, op, o, w);
        set_s(cpu, op->rd, r);
    }
    return done(cpu, op);
}

/* ---- sign injection, minimum and maximum, comparison, classes ---- */

enum sign_from { COPY, NOT, XOR };

FOLD void sign_inject(struct rv *cpu, const struct rv_op *op, enum sign_from how, enum width w)
{
    uint64_t sign = BIT(width_bits(w) - 1);
    uint64_t a = get_f(cpu, op->rs1, w), b = get_f(cpu, op->rs2, w);
    uint64_t s = how == COPY ? b : how == NOT ? ~b : a ^ b;

    set_f(cpu, op->rd, (a & ~sign) | (s & sign), w);
    return done(cpu, op);
}

typedef uint64_t sf_binary(struct sf_ctx *ctx, const struct sf_format *f, uint64_t a, uint64_t b);

APART unsigned choose_flags(struct rv *cpu, const struct rv_op *op, sf_binary *fn, enum width w)
{
    struct sf_ctx ctx = soft_context(SF_RNE);

    set_f(cpu, op->rd, fn(&ctx, formats[w], get_f(cpu, op->rs1, w), get_f(cpu, op->rs2, w)), w);
    return ctx.flags;
}

FOLD void choose(struct rv *cpu, const struct rv_op *op, sf_binary *fn, enum width w)
{
    return done_soft(cpu, op, choose_flags(cpu, op, fn, w));
}

enum relation { EQ, LT, LE, LTQ, LEQ };

APART unsigned compare_flags(struct rv *cpu, const struct rv_op *op, enum relation o, enum width w)
{
    struct sf_ctx ctx = soft_context(SF_RNE);
    enum sf_relation r =
        sf_compare(&ctx, formats[w], get_f(cpu, op->rs1, w), get_f(cpu, op->rs2, w), o == LT || o == LE);

    set_x(cpu, op->rd, r == SF_EQUAL ? o == EQ || o == LE || o == LEQ : r == SF_LESS && o != EQ);
    return ctx.flags;
}

/* C's < and <= raise NV for every NaN, == for signalling ones only. */
FOLD bool host_compare_d(enum relation o, double a, double b)
{
    switch (o) {
    case EQ: return a == b;
    case LT: return a < b;
    case LE: return a <= b;
    case LTQ: return __builtin_isless(a, b);
    default: return __builtin_islessequal(a, b);
    }
}

FOLD bool host_compare_s(enum relation o, float a, float b)
{
    switch (o) {
    case EQ: return a == b;
    case LT: return a < b;
    case LE: return a <= b;
    case LTQ: return __builtin_isless(a, b);
    default: return __builtin_islessequal(a, b);
    }
}

FOLD void compare(struct rv *cpu, const struct rv_op *op, enum relation o, enum width w)
{
    if (w == H)
        return done_soft(cpu, op, compare_flags(cpu, op, o, w));
    set_x(cpu, op->rd, w == D ? host_compare_d(o, get_d(cpu, op->rs1), get_d(cpu, op->rs2))
                              : host_compare_s(o, get_s(cpu, op->rs1), get_s(cpu, op->rs2)));
    return done(cpu, op);
}

FOLD void classify(struct rv *cpu, const struct rv_op *op, enum width w)
{
    set_x(cpu, op->rd, UINT64_C(1) << sf_classify(formats[w], get_f(cpu, op->rs1, w)));
    return next(cpu, op);
}

/* ---- conversions ---- */

enum integer { I32, U32, I64, U64 };

/* Any rounding of a value in here is an integer of the type (and of int64_t). */
FOLD bool surely_fits(double v, enum integer to)
{
    static const struct { double min, max; } range[] = {
        [I32] = { -0x1p31, 0x1p31 - 1 },
        [U32] = { 0, 0x1p32 - 1 },
        [I64] = { -0x1p63, 0x1.fffffffffffffp62 },
        [U64] = { 0, 0x1.fffffffffffffp62 },
    };

    return __builtin_isgreaterequal(v, range[to].min) && __builtin_islessequal(v, range[to].max);
}

APART unsigned to_integer_flags(struct rv *cpu, const struct rv_op *op, enum integer to, enum width w)
{
    struct sf_ctx ctx = soft_context(rounding(cpu, op));
    uint64_t r =
        sf_to_int(&ctx, formats[w], get_f(cpu, op->rs1, w), to >= I64 ? 64 : 32, to == I32 || to == I64);

    set_x(cpu, op->rd, to >= I64 ? r : (uint64_t)(int32_t)r);
    return ctx.flags;
}

APART void soft_to_integer(struct rv *cpu, const struct rv_op *op, enum integer to, enum width w)
{
    return done_soft(cpu, op, to_integer_flags(cpu, op, to, w));
}

FOLD void to_integer(struct rv *cpu, const struct rv_op *op, enum integer to, enum width w)
{
    /* rm comes first: widening a signalling NaN raises NV. */
    if (w == H || !(op->rm == SF_RTZ || on_host(cpu, op)))
        return soft_to_integer(cpu, op, to, w);

    double v = w == D ? get_d(cpu, op->rs1) : (double)get_s(cpu, op->rs1);
    if (!surely_fits(v, to))
        return soft_to_integer(cpu, op, to, w);
    uint64_t r = (uint64_t)(op->rm == SF_RTZ ? (int64_t)v : fpu_to_i64(v));
    set_x(cpu, op->rd, to >= I64 ? r : (uint64_t)(int32_t)r);
    return done(cpu, op);
}

FOLD int64_t integer_operand(const struct rv *cpu, const struct rv_op *op, enum integer from)
{
    uint64_t v = get_x(cpu, op->rs1);

    return from == I32 ? (int32_t)v : from == U32 ? (uint32_t)v : (int64_t)v;
}

APART unsigned from_integer_flags(struct rv *cpu, const struct rv_op *op, enum integer from, enum width w)
{
    struct sf_ctx ctx = soft_context(rounding(cpu, op));
    int64_t v = integer_operand(cpu, op, from);

    set_f(cpu, op->rd,
          from == U64 ? sf_from_u64(&ctx, formats[w], (uint64_t)v) : sf_from_i64(&ctx, formats[w], v), w);
    return ctx.flags;
}

APART void soft_from_integer(struct rv *cpu, const struct rv_op *op, enum integer from, enum width w)
{
    return done_soft(cpu, op, from_integer_flags(cpu, op, from, w));
}

FOLD void from_integer(struct rv *cpu, const struct rv_op *op, enum integer from, enum width w)
{
    int64_t v = integer_operand(cpu, op, from);

    if (w == H || !on_host(cpu, op) || (from == U64 && v < 0))
        return soft_from_integer(cpu, op, from, w);
    if (w == D)
        set_d(cpu, op->rd, (double)v);
    else
        set_s(cpu, op->rd, (float)v);
    return done(cpu, op);
}

APART unsigned resize_flags(struct rv *cpu, const struct rv_op *op, enum width from, enum width to)
{
    struct sf_ctx ctx = soft_context(rounding(cpu, op));

    set_f(cpu, op->rd, sf_convert(&ctx, formats[from], formats[to], get_f(cpu, op->rs1, from)), to);
    return ctx.flags;
}

APART void soft_resize(struct rv *cpu, const struct rv_op *op, enum width from, enum width to)
{
    return done_soft(cpu, op, resize_flags(cpu, op, from, to));
}

FOLD void resize(struct rv *cpu, const struct rv_op *op, enum width from, enum width to)
{
    if (from == H || to == H || !on_host(cpu, op))
        return soft_resize(cpu, op, from, to);
    if (to == D)
        set_d(cpu, op->rd, (double)get_s(cpu, op->rs1));
    else
        set_s(cpu, op->rd, (float)get_d(cpu, op->rs1));
    return done(cpu, op);
}

/* ---- Zfa ---- */

APART unsigned round_flags(struct rv *cpu, const struct rv_op *op, bool inexact, enum width w)
{
    struct sf_ctx ctx = soft_context(rounding(cpu, op));

    set_f(cpu, op->rd, sf_round_int(&ctx, formats[w], get_f(cpu, op->rs1, w), inexact), w);
    return ctx.flags;
}

FOLD void round_integral(struct rv *cpu, const struct rv_op *op, bool inexact, enum width w)
{
    return done_soft(cpu, op, round_flags(cpu, op, inexact, w));
}

/* Zfa, table "Immediate Values for FLI"; row 1 is each format's smallest normal number. */
static const double fli_values[32] = {
    -1, 0, 0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0x1p-4, 0x1p-3,                  /* 0..7 */
    0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625, 0.75, 0.875,                     /* 8..15 */
    1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4,                                         /* 16..23 */
    8, 16, 128, 256, 0x1p15, 0x1p16, __builtin_inf(), __builtin_nan(""),      /* 24..31 */
};

/* 2^16 is infinity in binary16; the immediate raises no flag. */
APART uint64_t immediate(unsigned row, enum width w)
{
    struct sf_ctx ctx = soft_context(SF_RNE);
    uint64_t v;

    memcpy(&v, &fli_values[row], sizeof v);
    return row == 1 ? BIT(formats[w]->frac_bits) : sf_convert(&ctx, &sf_f64, formats[w], v);
}

FOLD void load_immediate(struct rv *cpu, const struct rv_op *op, enum width w)
{
    set_f(cpu, op->rd, immediate(op->rs1, w), w);
    return done(cpu, op);
}

/* ECMAScript's ToInt32: toward zero, modulo 2^32; NV where fcvt.w.d would raise it. */
APART unsigned modular_flags(struct rv *cpu, const struct rv_op *op, enum width w)
{
    struct sf_ctx ctx = soft_context(SF_RTZ);
    uint64_t v = get_f(cpu, op->rs1, w);
    int exponent = (int)bits(v, 52, 11) - 1023;
    uint64_t significand = bits(v, 0, 52) | BIT(52);
    uint64_t r = 0;

    sf_to_int(&ctx, &sf_f64, v, 32, true);
    if (exponent >= 0 && exponent < 52)
        r = significand >> (52 - exponent);
    else if (exponent >= 52 && exponent < 52 + 32)
        r = significand << (exponent - 52);
    set_x(cpu, op->rd, (uint64_t)(int32_t)(v >> 63 ? -r : r));
    return ctx.flags;
}

FOLD void to_integer_modular(struct rv *cpu, const struct rv_op *op, enum width w)
{
    return done_soft(cpu, op, modular_flags(cpu, op, w));
}

/* ---- loads, stores, moves ---- */

FOLD void load(struct rv *cpu, const struct rv_op *op, enum width w)
{
    set_f(cpu, op->rd, rv_load(cpu, op, rv_ea(cpu, op), width_bits(w) / 8), w);
    return done(cpu, op);
}

/* Stores and moves transfer bits: what is not a boxed value goes out as it is. */
FOLD void store(struct rv *cpu, const struct rv_op *op, enum width w)
{
    rv_store(cpu, op, rv_ea(cpu, op), cpu->f[op->rs2], width_bits(w) / 8);
    return next(cpu, op);
}

FOLD void move_to_x(struct rv *cpu, const struct rv_op *op, enum width w)
{
    set_x(cpu, op->rd, (uint64_t)sext(cpu->f[op->rs1], width_bits(w)));
    return next(cpu, op);
}

FOLD void move_from_x(struct rv *cpu, const struct rv_op *op, enum width w)
{
    set_f(cpu, op->rd, get_x(cpu, op->rs1), w);
    return done(cpu, op);
}

/* RV32's way to the upper half of a binary64, and to both halves. */
FOLD void move_upper(struct rv *cpu, const struct rv_op *op, enum width w)
{
    set_x(cpu, op->rd, (uint64_t)sext(cpu->f[op->rs1] >> 32, 32));
    return next(cpu, op);
}

FOLD void move_pair(struct rv *cpu, const struct rv_op *op, enum width w)
{
    set_f(cpu, op->rd, get_x(cpu, op->rs2) << 32 | (uint32_t)get_x(cpu, op->rs1), w);
    return done(cpu, op);
}

/* ---- the instructions ---- */

/* exec_NAME: BODY with the rest as its arguments. */
#define FP(name, body, ...)                                  \
    void exec_##name(struct rv *cpu, const struct rv_op *op) \
    {                                                        \
        fp_enter(cpu, op);                                   \
        body(cpu, op, __VA_ARGS__);                          \
    }

/* What every width has. */
#define FP_WIDTH(l, W)                            \
    FP(fadd_##l, arith, ADD, W)                   \
    FP(fsub_##l, arith, SUB, W)                   \
    FP(fmul_##l, arith, MUL, W)                   \
    FP(fdiv_##l, arith, DIV, W)                   \
    FP(fsqrt_##l, arith, SQRT, W)                 \
    FP(fmadd_##l, fused, MADD, W)                 \
    FP(fmsub_##l, fused, MSUB, W)                 \
    FP(fnmsub_##l, fused, NMSUB, W)               \
    FP(fnmadd_##l, fused, NMADD, W)               \
    FP(fsgnj_##l, sign_inject, COPY, W)           \
    FP(fsgnjn_##l, sign_inject, NOT, W)           \
    FP(fsgnjx_##l, sign_inject, XOR, W)           \
    FP(fmin_##l, choose, sf_min_num, W)           \
    FP(fmax_##l, choose, sf_max_num, W)           \
    FP(fminm_##l, choose, sf_min, W)              \
    FP(fmaxm_##l, choose, sf_max, W)              \
    FP(feq_##l, compare, EQ, W)                   \
    FP(flt_##l, compare, LT, W)                   \
    FP(fle_##l, compare, LE, W)                   \
    FP(fltq_##l, compare, LTQ, W)                 \
    FP(fleq_##l, compare, LEQ, W)                 \
    FP(fclass_##l, classify, W)                   \
    FP(fcvt_w_##l, to_integer, I32, W)            \
    FP(fcvt_wu_##l, to_integer, U32, W)           \
    FP(fcvt_l_##l, to_integer, I64, W)            \
    FP(fcvt_lu_##l, to_integer, U64, W)           \
    FP(fcvt_##l##_w, from_integer, I32, W)        \
    FP(fcvt_##l##_wu, from_integer, U32, W)       \
    FP(fcvt_##l##_l, from_integer, I64, W)        \
    FP(fcvt_##l##_lu, from_integer, U64, W)       \
    FP(fround_##l, round_integral, false, W)      \
    FP(froundnx_##l, round_integral, true, W)     \
    FP(fli_##l, load_immediate, W)

FP_WIDTH(h, H)
FP_WIDTH(s, S)
FP_WIDTH(d, D)

FP(flh, load, H)
FP(flw, load, S)
FP(fld, load, D)
FP(fsh, store, H)
FP(fsw, store, S)
FP(fsd, store, D)

FP(fmv_x_h, move_to_x, H)
FP(fmv_x_w, move_to_x, S)
FP(fmv_x_d, move_to_x, D)
FP(fmv_h_x, move_from_x, H)
FP(fmv_w_x, move_from_x, S)
FP(fmv_d_x, move_from_x, D)
FP(fmvh_x_d, move_upper, D)
FP(fmvp_d_x, move_pair, D)

FP(fcvt_s_h, resize, H, S)
FP(fcvt_d_h, resize, H, D)
FP(fcvt_d_s, resize, S, D)
FP(fcvt_h_s, resize, S, H)
FP(fcvt_h_d, resize, D, H)
FP(fcvt_s_d, resize, D, S)
FP(fcvtmod_w_d, to_integer_modular, D)
