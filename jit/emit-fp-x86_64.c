/*
 * emit-fp-x86_64.c - scalar floating point on the host's SSE unit, whose MXCSR is the guest's.
 *
 * A float global is always up to date in memory; xmm2 to xmm15 cache values inside a block, xmm0 and xmm1 are for the
 * moment. A 32-bit value is boxed (its upper 32 bits are ones): operands not known to be are looked at, and one that
 * is not leaves the instruction to the guest's own code.
 */
#include "emit.h"

enum { SSE_SD = 0xf2, SSE_SS = 0xf3, NOTHING = 0xff };

void emit_forget_floats(struct emit *e)
{
    memset(e->cached, -1, sizeof e->cached);
    e->boxed = e->narrow = 0;
}

static unsigned float_of(const struct emit *e, unsigned var)
{
    return var - e->l->first_float;
}

static void drop(struct emit *e, unsigned f)
{
    for (unsigned i = 0; i < XMM_COUNT; i++) {
        if (e->cached[i] == (int8_t)f)
            e->cached[i] = -1;
    }
}

/* What is known of a variable's value after a write of `size` bytes. */
static void note_size(struct emit *e, unsigned var, unsigned size)
{
    uint32_t bit = 1u << float_of(e, var);

    e->boxed = size == 4 ? e->boxed | bit : e->boxed & ~bit;
    e->narrow = size == 4 ? e->narrow | bit : e->narrow & ~bit;
}

void emit_reload_floats(struct emit *e, const struct cold *c)
{
    for (unsigned i = 0; i < XMM_COUNT; i++) {
        if (c->cached[i] >= 0) /* movsd */
            rm(e->s, SSE_SD, 0, 0x0f10, (int)(XMM_FIRST + i), slot(e, e->l->first_float + (unsigned)c->cached[i]));
    }
}

/* Where 32-bit operand's upper half is: must be ones. */
static void need_box(struct emit *e, const struct ir_op *op, unsigned var, struct cold **colds, unsigned *n)
{
    unsigned f = float_of(e, var);

    if (op->size != 4 || e->boxed >> f & 1)
        return;
    alu_mem_imm(e->s, 0, ALU_CMP, at(RBP, slot(e, var).disp + 4), -1);
    colds[(*n)++] = emit_cold(e, COLD_CALL, jcc32(e->s, CC_NE), op);
}

/* An xmm that holds none of the operands; its old value stays in memory. */
static int new_xmm(struct emit *e, unsigned dst, const int *busy, unsigned n)
{
    for (;;) {
        int x = XMM_FIRST + e->next_xmm;
        bool taken = false;
        e->next_xmm = (uint8_t)((e->next_xmm + 1) % XMM_COUNT);
        for (unsigned i = 0; i < n; i++)
            taken |= busy[i] == x;
        if (!taken) {
            e->cached[x - XMM_FIRST] = (int8_t)dst;
            return x;
        }
    }
}

static unsigned scalar(unsigned size)
{
    return size == 8 ? SSE_SD : SSE_SS;
}

/* The xmm that has the variable. Loads are as wide as the stores were, or the host could not forward them. */
static int use_float(struct emit *e, unsigned var, unsigned size, const int *busy, unsigned n)
{
    unsigned f = float_of(e, var);

    if (size == 8 && e->narrow >> f & 1)
        drop(e, f);
    for (unsigned i = 0; i < XMM_COUNT; i++) {
        if (e->cached[i] == (int8_t)f)
            return (int)(XMM_FIRST + i);
    }
    int x = new_xmm(e, f, busy, n);
    rm(e->s, scalar(size), 0, 0x0f10, x, slot(e, var));
    e->narrow = size == 4 ? e->narrow | 1u << f : e->narrow & ~(1u << f);
    return x;
}

/* The upper half of a 32-bit result's slot. */
static void box(struct emit *e, unsigned var, unsigned size)
{
    if (size == 4)
        mov_store_imm(e->s, 0, at(RBP, slot(e, var).disp + 4), -1);
}

/* x becomes the variable's value, in memory and here. */
static void put_float(struct emit *e, unsigned var, unsigned size, int x)
{
    unsigned f = float_of(e, var);

    rm(e->s, scalar(size), 0, 0x0f11, x, slot(e, var));
    box(e, var, size);
    for (unsigned i = 0; i < XMM_COUNT; i++) {
        if (e->cached[i] == (int8_t)f && (int)(XMM_FIRST + i) != x)
            e->cached[i] = -1;
    }
    e->cached[x - XMM_FIRST] = (int8_t)f;
    note_size(e, var, size);
}

void emit_float_loaded(struct emit *e, unsigned var, unsigned size)
{
    int x = new_xmm(e, NOTHING, NULL, 0);

    rr(e->s, 0x66, size == 8, 0x0f6e, x, RAX); /* movd, movq */
    put_float(e, var, size, x);
}

/* ucomis x, x: a NaN becomes the canonical one in cold code. */
static struct cold *check_nan(struct emit *e, const struct ir_op *op, unsigned size, int x)
{
    rr(e->s, size == 8 ? 0x66 : 0, 0, 0x0f2e, x, x);
    struct cold *c = emit_cold(e, COLD_NAN, jcc32(e->s, CC_P), op);
    c->reg = x;
    c->target = size;
    c->back = e->s->p;
    return c;
}

void emit_cold_nan(struct emit *e, const struct cold *c)
{
    mov_imm(e->s, RAX, c->target == 8 ? UINT64_C(0x7ff8000000000000) : 0x7fc00000);
    rr(e->s, 0x66, 1, 0x0f6e, c->reg, RAX); /* movq */
    jump_to(e->s, c->back);
}

/* Here the ways meet again when the guest's own code came instead: it reloads what is cached from now on. */
static void land_calls(struct emit *e, struct cold **colds, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        colds[i]->back = e->s->p;
        memcpy(colds[i]->cached, e->cached, sizeof e->cached);
    }
}

static void emit_arith(struct emit *e, const struct ir_op *op, unsigned opcode)
{
    struct cold *colds[3];
    unsigned n = 0;
    int busy[2];
    bool unary = op->code == IR_fsqrt;

    need_box(e, op, op->a, colds, &n);
    if (!unary)
        need_box(e, op, op->b, colds, &n);
    busy[0] = use_float(e, op->a, op->size, NULL, 0);
    busy[1] = unary ? busy[0] : use_float(e, op->b, op->size, busy, 1);
    int x = new_xmm(e, NOTHING, busy, 2);
    if (unary) {
        rr(e->s, scalar(op->size), 0, opcode, x, busy[0]);
    } else {
        rr(e->s, 0, 0, 0x0f28, x, busy[0]); /* movaps */
        rr(e->s, scalar(op->size), 0, opcode, x, busy[1]);
    }
    check_nan(e, op, op->size, x);
    put_float(e, op->dst, op->size, x);
    land_calls(e, colds, n);
}

/* dst = ±(a × b) ± c. A NaN is left to the guest's own code. */
static void emit_fma(struct emit *e, const struct ir_op *op)
{
    static const uint8_t opcodes[] = { [0] = 0xa9, [IR_FMA_NEG_ADDEND] = 0xab, [IR_FMA_NEG_PRODUCT] = 0xad,
                                       [IR_FMA_NEG_PRODUCT | IR_FMA_NEG_ADDEND] = 0xaf };
    struct cold *colds[4];
    unsigned n = 0;
    int busy[3];

    need_box(e, op, op->a, colds, &n);
    need_box(e, op, op->b, colds, &n);
    need_box(e, op, op->c, colds, &n);
    busy[0] = use_float(e, op->a, op->size, NULL, 0);
    busy[1] = use_float(e, op->b, op->size, busy, 1);
    busy[2] = use_float(e, op->c, op->size, busy, 2);
    int x = new_xmm(e, NOTHING, busy, 3);
    rr(e->s, 0, 0, 0x0f28, x, busy[0]);
    vex(e->s, 2, 1, op->size == 8, opcodes[op->imm], x, busy[1], busy[2]); /* vf[n]m{add,sub}213 */
    rr(e->s, op->size == 8 ? 0x66 : 0, 0, 0x0f2e, x, x);
    colds[n++] = emit_cold(e, COLD_CALL, jcc32(e->s, CC_P), op);
    put_float(e, op->dst, op->size, x);
    land_calls(e, colds, n);
}

static void emit_fset(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[2];
    unsigned n = 0, prefix = op->size == 8 ? 0x66 : 0;
    int busy[2];

    need_box(e, op, op->a, colds, &n);
    need_box(e, op, op->b, colds, &n);
    busy[0] = use_float(e, op->a, op->size, NULL, 0);
    busy[1] = use_float(e, op->b, op->size, busy, 1);
    if (op->cond == IR_EQ) {
        rr(e->s, prefix, 0, 0x0f2e, busy[0], busy[1]); /* ucomis: quiet */
        rr8(e->s, 0, 0x0f90 + CC_NP, 0, RAX);
        rr8(e->s, 0, 0x0f90 + CC_E, 0, RCX);
        alu(e->s, 0, ALU_AND, RAX, RCX);
    } else {
        rr(e->s, prefix, 0, 0x0f2f, busy[1], busy[0]); /* comis b, a: above when a < b, never when unordered */
        rr8(e->s, 0, 0x0f90u + (op->cond == IR_LT ? CC_A : CC_AE), 0, RAX);
    }
    rr8(e->s, 0, 0x0fb6, RAX, RAX);
    emit_put(e, op->dst, RAX);
    land_calls(e, colds, n);
}

/* -a or |a|: btc or btr of the sign. */
static void emit_sign(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[1];
    unsigned n = 0, digit = op->code == IR_fneg ? 7 : 6;
    int w = op->size == 8;

    need_box(e, op, op->a, colds, &n);
    mov_load(e->s, w, RAX, slot(e, op->a));
    prefixes(e->s, 0, w, 0, 0, RAX, 0);
    opcode_bytes(e->s, 0x0fba);
    modrm_reg(e->s, (int)digit, RAX);
    b1(e->s, w ? 63 : 31);
    emit_float_loaded(e, op->dst, op->size);
    land_calls(e, colds, n);
}

static void emit_fmov(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[1];
    unsigned n = 0;

    need_box(e, op, op->a, colds, &n);
    int a = use_float(e, op->a, op->size, NULL, 0);
    if (op->dst != op->a) {
        int x = new_xmm(e, NOTHING, &a, 1);
        rr(e->s, 0, 0, 0x0f28, x, a);
        put_float(e, op->dst, op->size, x);
    }
    land_calls(e, colds, n);
}

static void emit_fbits(struct emit *e, const struct ir_op *op)
{
    if (op->size == 8)
        mov_load(e->s, 1, RAX, slot(e, op->a));
    else
        rm(e->s, 0, 1, 0x63, RAX, slot(e, op->a));
    emit_put(e, op->dst, RAX);
}

static void emit_fmake(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RAX);

    if (a != RAX)
        mov(e->s, 1, RAX, a);
    emit_float_loaded(e, op->dst, op->size);
}

/* The host's "integer indefinite" is the lowest number: the guest's code finds out what it was. */
static void emit_ftoi(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[2];
    unsigned n = 0;
    int w = op->imm == 8;

    need_box(e, op, op->a, colds, &n);
    rr(e->s, scalar(op->size), w, 0x0f2c, RAX, use_float(e, op->a, op->size, NULL, 0)); /* cvtt */
    mov(e->s, w, RCX, RAX);
    alu_imm(e->s, w, ALU_SUB, RCX, 1);
    colds[n++] = emit_cold(e, COLD_CALL, jcc32(e->s, CC_O), op);
    if (!w)
        movsxd(e->s, RAX, RAX);
    emit_put(e, op->dst, RAX);
    land_calls(e, colds, n);
}

static void emit_fromi(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RAX), w = op->imm == 8 || (op->flags & IR_ZERO);

    if (op->flags & IR_ZERO) {
        mov(e->s, 0, RAX, a);
        a = RAX;
    }
    int x = new_xmm(e, NOTHING, NULL, 0);
    rr(e->s, 0, 0, 0x0f57, x, x); /* xorps: no wait for the old value */
    rr(e->s, scalar(op->size), w, 0x0f2a, x, a);
    put_float(e, op->dst, op->size, x);
}

static void emit_fresize(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[1];
    unsigned n = 0, to = 12 - op->size;

    need_box(e, op, op->a, colds, &n);
    int a = use_float(e, op->a, op->size, NULL, 0), x = new_xmm(e, NOTHING, &a, 1);
    rr(e->s, 0, 0, 0x0f57, x, x);
    rr(e->s, scalar(op->size), 0, 0x0f5a, x, a);
    check_nan(e, op, to, x);
    put_float(e, op->dst, to, x);
    land_calls(e, colds, n);
}

static void emit_fguard(struct emit *e, const struct ir_op *op)
{
    const struct jit_layout *l = e->l;

    if (op->imm & IR_FP_ON) {
        mov_load(e->s, 0, RAX, field(e, l->fp_status));
        group3(e->s, 0, 2, RAX); /* not */
        prefixes(e->s, 0, 0, 0, 0, RAX, 0);
        b1(e->s, 0xa9); /* test eax, imm */
        b4(e->s, l->fp_mask);
        emit_cold(e, COLD_LEAVE, jcc32(e->s, CC_NE), op);
    }
    if (op->imm & IR_FP_ROUNDS) {
        rm8(e->s, 0x80, 7, field(e, l->fp_rounding)); /* cmp byte, 3 */
        b1(e->s, 3);
        emit_cold(e, COLD_LEAVE, jcc32(e->s, CC_A), op);
    }
}

bool emit_float(struct emit *e, const struct ir_op *op)
{
    switch ((enum ir_code)op->code) {
    case IR_fguard: emit_fguard(e, op); return true;
    case IR_fadd: emit_arith(e, op, 0x0f58); return true;
    case IR_fsub: emit_arith(e, op, 0x0f5c); return true;
    case IR_fmul: emit_arith(e, op, 0x0f59); return true;
    case IR_fdiv: emit_arith(e, op, 0x0f5e); return true;
    case IR_fsqrt: emit_arith(e, op, 0x0f51); return true;
    case IR_fma: emit_fma(e, op); return true;
    case IR_fset: emit_fset(e, op); return true;
    case IR_fmov: emit_fmov(e, op); return true;
    case IR_fneg:
    case IR_fabs: emit_sign(e, op); return true;
    case IR_fbits: emit_fbits(e, op); return true;
    case IR_fmake: emit_fmake(e, op); return true;
    case IR_ftoi: emit_ftoi(e, op); return true;
    case IR_fromi: emit_fromi(e, op); return true;
    case IR_fresize: emit_fresize(e, op); return true;
    default: return false;
    }
}
