/* harness-jit-eval.c - the operations of ir-ops.def as plain C. Floating point is core/softfloat's. */
#include <assert.h>
#include <string.h>

#include "bits.h"
#include "harness-jit-lab-impl.h"
#include "softfloat.h"

#define ONES UINT64_C(0xffffffff00000000)

uint64_t *lab_var(struct lab_state *s, unsigned var)
{
    if (var >= IR_GLOBALS)
        return &s->temps[var - IR_GLOBALS];
    return var >= LAB_FLOAT ? &s->f[var - LAB_FLOAT] : &s->x[var];
}

bool lab_holds(unsigned cond, uint64_t a, uint64_t b)
{
    int64_t sa = (int64_t)a, sb = (int64_t)b;

    switch ((enum ir_cond)cond) {
    case IR_EQ: return a == b;
    case IR_NE: return a != b;
    case IR_LT: return sa < sb;
    case IR_GE: return sa >= sb;
    case IR_LTU: return a < b;
    case IR_GEU: return a >= b;
    case IR_LE: return sa <= sb;
    case IR_GT: return sa > sb;
    }
    return false;
}

static uint64_t divide(uint64_t a, uint64_t b, unsigned width, bool is_unsigned, bool rem)
{
    if (is_unsigned) {
        a &= UINT64_MAX >> (64 - width);
        b &= UINT64_MAX >> (64 - width);
        if (!b)
            return rem ? a : UINT64_MAX;
        return rem ? a % b : a / b;
    }
    int64_t sa = sext(a, width), sb = sext(b, width);
    if (!sb)
        return rem ? a : UINT64_MAX;
    if (sb == -1)
        return rem ? 0 : 0 - a;
    return (uint64_t)(rem ? sa % sb : sa / sb);
}

static uint64_t rotate(uint64_t a, unsigned n, unsigned width)
{
    a &= UINT64_MAX >> (64 - width);
    n %= width;
    return n ? a << n | a >> (width - n) : a;
}

static uint64_t upper_half(uint64_t a, uint64_t b, bool is_unsigned)
{
    unsigned __int128 u = (unsigned __int128)a * b;
    __int128 s = (__int128)(int64_t)a * (int64_t)b;

    return is_unsigned ? (uint64_t)(u >> 64) : (uint64_t)(s >> 64);
}

/* Ones in place of each byte that is not zero. */
static uint64_t each_byte(uint64_t a)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 64; i += 8)
        v |= a >> i & 0xff ? UINT64_C(0xff) << i : 0;
    return v;
}

/* 64 bits of a result of which a 32-bit operation keeps the low half. */
static uint64_t compute(const struct ir_op *op, uint64_t a, uint64_t b)
{
    unsigned width = op->size * 8u, n = (unsigned)b & (width - 1);
    bool zero = op->flags & IR_ZERO;
    uint64_t low = a & UINT64_MAX >> (64 - width);

    switch ((enum ir_code)op->code) {
    case IR_mov: return b;
    case IR_add: return a + b;
    case IR_sub: return a - b;
    case IR_and: return a & b;
    case IR_or: return a | b;
    case IR_xor: return a ^ b;
    case IR_andn: return a & ~b;
    case IR_orn: return a | ~b;
    case IR_xnor: return ~(a ^ b);
    case IR_shl: return a << n;
    case IR_shr: return low >> n;
    case IR_sar: return (uint64_t)(sext(a, width) >> n);
    case IR_rol: return rotate(a, n, width);
    case IR_ror: return rotate(a, width - n, width);
    case IR_bset: return a | UINT64_C(1) << (b & 63);
    case IR_bclr: return a & ~(UINT64_C(1) << (b & 63));
    case IR_binv: return a ^ UINT64_C(1) << (b & 63);
    case IR_bext: return a >> (b & 63) & 1;
    case IR_shadd: return ((zero ? (uint32_t)a : a) << op->imm) + b;
    case IR_set: return lab_holds(op->cond, a, b);
    case IR_select: return lab_holds(op->cond, b, 0) ? a : 0;
    case IR_min: return lab_holds(op->cond, a, b) ? a : b;
    case IR_mul: return a * b;
    case IR_mulh: return upper_half(a, b, zero);
    case IR_div: return divide(a, b, width, zero, false);
    case IR_rem: return divide(a, b, width, zero, true);
    case IR_ext: return zero ? low : (uint64_t)sext(a, width);
    case IR_clz: return low ? (uint64_t)__builtin_clzll(low) - (64 - width) : width;
    case IR_ctz: return low ? (uint64_t)__builtin_ctzll(low) : width;
    case IR_popcnt: return (uint64_t)__builtin_popcountll(low);
    case IR_bswap: return __builtin_bswap64(a);
    case IR_orcb: return each_byte(a);
    default: assert(!"not an integer operation"); return 0;
    }
}

/* ---- floating point ---- */

static const struct sf_format *format_of(unsigned size)
{
    return size == 8 ? &sf_f64 : &sf_f32;
}

static uint64_t unboxed(uint64_t v, unsigned size)
{
    if (size == 8)
        return v;
    return (v & ONES) == ONES ? (uint32_t)v : 0x7fc00000;
}

static uint64_t boxed(uint64_t v, unsigned size)
{
    return size == 8 ? v : v | ONES;
}

static uint64_t fused(struct sf_ctx *ctx, const struct ir_op *op, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t sign = UINT64_C(1) << (op->size * 8 - 1);

    return sf_fma(ctx, format_of(op->size), op->imm & IR_FMA_NEG_PRODUCT ? a ^ sign : a, b,
                  op->imm & IR_FMA_NEG_ADDEND ? c ^ sign : c);
}

static uint64_t relation(struct sf_ctx *ctx, const struct ir_op *op, uint64_t a, uint64_t b)
{
    enum sf_relation r = sf_compare(ctx, format_of(op->size), a, b, op->cond != IR_EQ);

    return op->cond == IR_EQ ? r == SF_EQUAL : r == SF_LESS || (op->cond == IR_LE && r == SF_EQUAL);
}

static uint64_t to_integer(struct sf_ctx *ctx, const struct ir_op *op, uint64_t a)
{
    int width = (int)op->imm * 8;

    ctx->rounding = SF_RTZ;
    return (uint64_t)sext(sf_to_int(ctx, format_of(op->size), a, width, true), (unsigned)width);
}

static uint64_t from_integer(struct sf_ctx *ctx, const struct ir_op *op, uint64_t a)
{
    int64_t v = op->imm == 8 ? (int64_t)a : op->flags & IR_ZERO ? (int64_t)(uint32_t)a : (int64_t)(int32_t)a;

    return boxed(sf_from_i64(ctx, format_of(op->size), v), op->size);
}

static uint64_t compute_float(struct sf_ctx *ctx, const struct ir_op *op, uint64_t a, uint64_t b, uint64_t c)
{
    const struct sf_format *f = format_of(op->size);
    unsigned size = op->size, other = 12 - size;
    uint64_t va = unboxed(a, size), vb = unboxed(b, size), sign = UINT64_C(1) << (size * 8 - 1);

    switch ((enum ir_code)op->code) {
    case IR_fadd: return boxed(sf_add(ctx, f, va, vb), size);
    case IR_fsub: return boxed(sf_sub(ctx, f, va, vb), size);
    case IR_fmul: return boxed(sf_mul(ctx, f, va, vb), size);
    case IR_fdiv: return boxed(sf_div(ctx, f, va, vb), size);
    case IR_fsqrt: return boxed(sf_sqrt(ctx, f, va), size);
    case IR_fma: return boxed(fused(ctx, op, va, vb, unboxed(c, size)), size);
    case IR_fset: return relation(ctx, op, va, vb);
    case IR_fmov: return boxed(va, size);
    case IR_fneg: return boxed(va ^ sign, size);
    case IR_fabs: return boxed(va & ~sign, size);
    case IR_fbits: return size == 8 ? a : (uint64_t)(int64_t)(int32_t)a;
    case IR_fmake: return boxed(size == 8 ? a : (uint32_t)a, size);
    case IR_ftoi: return to_integer(ctx, op, va);
    case IR_fromi: return from_integer(ctx, op, a);
    case IR_fresize: return boxed(sf_convert(ctx, f, format_of(other), va), other);
    default: assert(!"not a floating-point operation"); return 0;
    }
}

/* ---- all of them ---- */

static void access_memory(struct lab_state *s, const struct ir_op *op, uint64_t va)
{
    uint8_t *p = &s->memory[va - LAB_BASE];

    assert(va - LAB_BASE <= sizeof s->memory - op->size);
    if (op->code == IR_store) {
        put_le(p, op->b == IR_IMM ? 0 : *lab_var(s, op->b), op->size);
        return;
    }
    uint64_t v = get_le(p, op->size);
    if (op->code == IR_xchg || op->code == IR_xadd)
        put_le(p, *lab_var(s, op->b) + (op->code == IR_xadd ? v : 0), op->size);
    if (op->dst == IR_NONE)
        return;
    if (op->flags & IR_BOX)
        v |= ONES;
    else if (!(op->flags & IR_ZERO))
        v = (uint64_t)sext(v, op->size * 8u);
    *lab_var(s, op->dst) = v;
}

void lab_eval(struct lab_state *s, const struct ir_op *op, unsigned rounding, uint64_t address_mask)
{
    struct sf_ctx ctx = { .rounding = (uint8_t)rounding, .rules = SF_RULES_RISCV };
    uint64_t a = ir_has(op->code, 'a') ? *lab_var(s, op->a) : 0;
    uint64_t b = !ir_has(op->code, 'b') ? 0 : op->b == IR_IMM ? (uint64_t)op->imm : *lab_var(s, op->b);
    uint64_t c = ir_has(op->code, 'c') ? *lab_var(s, op->c) : 0, v;

    if (op->code == IR_clear) {
        memset(&s->memory[(a & address_mask & ~UINT64_C(63)) - LAB_BASE], 0, 64);
        return;
    }
    if (op->code >= IR_load && op->code <= IR_xadd) {
        access_memory(s, op, (a + (uint64_t)op->imm) & address_mask);
        return;
    }
    if (op->code == IR_call) { /* a guest's code may write everything */
        s->x[3] += 0x1234567;
        s->x[19] ^= s->x[3];
        s->f[2] = ~s->f[2];
        return;
    }
    if (op->code == IR_fence || op->code == IR_fguard)
        return;
    if (op->code == IR_fgetflags || op->code == IR_fsetflags) {
        v = s->flags;
        s->flags = op->code == IR_fsetflags ? a & 0x1f : s->flags;
    } else if (op->code < IR_load) {
        v = compute(op, a, b);
        bool narrow = op->size == 4 && op->code != IR_ext && op->code != IR_clz && op->code != IR_ctz;
        bool divides = op->code == IR_div || op->code == IR_rem;
        if (narrow)
            v = op->flags & IR_ZERO && !divides ? (uint32_t)v : (uint64_t)(int64_t)(int32_t)v;
    } else {
        v = compute_float(&ctx, op, a, b, c);
        s->flags |= op->flags & IR_QUIET ? 0 : ctx.flags;
    }
    if (op->dst != IR_NONE)
        *lab_var(s, op->dst) = v;
}
