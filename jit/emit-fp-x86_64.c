/*
 * emit-fp-x86_64.c - scalar floating point on the host's SSE unit, whose MXCSR is the guest's.
 *
 * xmm2 to xmm15 hold float globals (emit-regs-x86_64.c), xmm0 and xmm1 are for the moment. A 32-bit value is boxed (its
 * upper 32 bits are ones), in registers as in memory; scalar instructions leave that half alone. Operands not known to
 * be boxed are looked at, and one that is not leaves the instruction to the guest's own code.
 */
#include "emit.h"
#include "fpu.h"

static unsigned float_of(const struct emit *e, unsigned var)
{
    return var - e->l->first_float;
}

static void movaps(struct emit *e, int to, int from)
{
    rr(e->s, 0, 0, 0x0f28, to, from);
}

/* ---- registers ---- */

static unsigned place_of(int x)
{
    return JIT_PINS + (unsigned)(x - XMM_FIRST);
}

/* Registers that the operation at hand needs are locked. */
static int lock(struct emit *e, int x)
{
    e->locked_xmm |= 1u << x;
    return x;
}

static bool is_free(const struct emit *e, unsigned i)
{
    return e->now.var[i] == IR_NONE && !(e->locked_xmm >> emit_host_reg[i] & 1);
}

/* A free register whose variable at home is `var`, or any free one; HOST_REGS: there is none. */
static unsigned free_xmm(const struct emit *e, unsigned var)
{
    unsigned i = JIT_PINS;

    while (i < HOST_REGS && !(is_free(e, i) && e->home.var[i] == var))
        i++;
    for (unsigned k = JIT_PINS; i == HOST_REGS && k < HOST_REGS; k++)
        i = is_free(e, k) ? k : i;
    return i;
}

/* A register that may be written, for `var` if it has a home of its own, otherwise for one that has none. */
static int new_xmm(struct emit *e, unsigned var)
{
    unsigned i = free_xmm(e, var);

    if (i == HOST_REGS || (e->home.var[i] != var && e->home.var[i] != IR_NONE))
        i = free_xmm(e, IR_NONE);
    while (i == HOST_REGS) {
        unsigned next = JIT_PINS + e->next_xmm;
        e->next_xmm = (uint8_t)((e->next_xmm + 1) % XMM_COUNT);
        if (!(e->locked_xmm >> emit_host_reg[next] & 1))
            i = next;
    }
    if (e->unsure >> emit_host_reg[i] & 1)
        emit_make_sure(e);
    emit_evict(e, i);
    return lock(e, emit_host_reg[i]);
}

int emit_new_xmm(struct emit *e)
{
    return new_xmm(e, IR_NONE);
}

int emit_result_xmm(struct emit *e, unsigned var)
{
    return reg_of(e, var) != NO_REG ? lock(e, reg_of(e, var)) : new_xmm(e, var);
}

int emit_use_float(struct emit *e, unsigned var)
{
    if (reg_of(e, var) != NO_REG)
        return lock(e, reg_of(e, var));
    int x = new_xmm(e, var);
    movs_load(e->s, 8, x, slot(e, var));
    e->now.var[place_of(x)] = (uint8_t)var;
    e->reg[var] = (int8_t)x;
    return x;
}

void emit_put_float(struct emit *e, unsigned var, unsigned size, int x)
{
    uint32_t bit = 1u << float_of(e, var);

    if (reg_of(e, var) != NO_REG) { /* the old value */
        unsigned old = place_of(reg_of(e, var));
        e->now.var[old] = IR_NONE;
        e->now.dirty &= ~(1u << old);
        e->unsure &= ~(1u << reg_of(e, var));
    }
    e->unsure &= ~(1u << x);
    e->now.var[place_of(x)] = (uint8_t)var;
    e->now.dirty |= 1u << place_of(x);
    e->reg[var] = (int8_t)x;
    e->boxed = size == 4 ? e->boxed | bit : e->boxed & ~bit;
}

/* OP x, [rip + constant], which is aligned to 16 bytes. */
static void constant_operand(struct emit *e, unsigned opcode, int x, const uint8_t *constant)
{
    prefixes(e->s, 0, 0, x, 0, 0, 0);
    opcode_bytes(e->s, opcode);
    b1(e->s, (unsigned)(x & 7) << 3 | 5);
    b4(e->s, (uint32_t)(constant - (e->s->p + 4)));
}

void emit_box(struct emit *e, int x)
{
    constant_operand(e, 0x0f56, x, e->j->box); /* orps */
}

static void constant(struct emit *e, uint64_t low)
{
    b8(e->s, low);
    b8(e->s, 0);
}

static void flag_tables(struct emit *e)
{
    e->j->flags_of = e->s->p;
    for (unsigned m = 0; m <= MXCSR_FLAGS; m++)
        b1(e->s, mxcsr_to_flags(m));
    e->j->mxcsr_of = e->s->p;
    for (unsigned f = 0; f < 32; f++)
        b1(e->s, mxcsr_from_flags(f));
}

void emit_constants(struct emit *e)
{
    while ((uintptr_t)e->s->p & 15)
        b1(e->s, 0);
    e->j->box = e->s->p;
    constant(e, UINT64_C(0xffffffff00000000));
    e->j->sign = e->s->p;
    constant(e, UINT64_C(1) << 63);
    constant(e, UINT64_C(1) << 31);
    constant(e, ~(UINT64_C(1) << 63));
    constant(e, ~(UINT64_C(1) << 31));
    flag_tables(e);
}

/* The upper half of a 32-bit operand must be ones. */
static void need_box(struct emit *e, const struct ir_op *op, unsigned var, struct cold **colds, unsigned *n)
{
    unsigned f = float_of(e, var);
    int x = reg_of(e, var);

    if (op->size != 4 || e->boxed >> f & 1)
        return;
    if (x != NO_REG && e->now.dirty >> place_of(x) & 1) {
        mov_from_xmm(e->s, 1, RAX, x);
        shift_imm(e->s, 1, SH_SAR, RAX, 32);
        alu_imm(e->s, 0, ALU_CMP, RAX, -1);
    } else {
        alu_mem_imm(e->s, 0, ALU_CMP, at(RBP, slot(e, var).disp + 4), -1);
    }
    colds[(*n)++] = emit_cold(e, COLD_CALL, jcc32(e->s, CC_NE), op);
}

/* ---- operations ---- */

/* ---- NaNs ----
 *
 * The host's NaNs have signs and payloads, the guest's results are the canonical one. A result that is a NaN is a quiet
 * one, whatever its bits, and as an operand of its own size makes the same result and flags as the canonical NaN would.
 * So results of arithmetic stay `unsure` while only arithmetic and comparisons of that size use them, and are looked
 * at, two at a time, before anything can see their bits: a way out of the block, a store, a move, another size, which
 * looks for a box. The guest's own code for a single instruction of arithmetic may come in between, as it never traps:
 * it, too, sees a quiet NaN.
 */

static void ucomis(struct emit *e, unsigned size, int a, int b)
{
    rr(e->s, size == 8 ? 0x66 : 0, 0, 0x0f2e, a, b);
}

static void canonical_nan(struct emit *e, unsigned size, int x)
{
    mov_imm(e->s, RAX, size == 8 ? UINT64_C(0x7ff8000000000000) : UINT64_C(0xffffffff7fc00000));
    mov_to_xmm(e->s, 1, x, RAX);
}

/* A NaN in one of the registers becomes canonical in cold code. */
static void check_nan(struct emit *e, const struct ir_op *op, unsigned size, int x, int y)
{
    ucomis(e, size, x, y);
    struct cold *c = emit_cold(e, COLD_NAN, jcc32(e->s, CC_P), op);
    c->reg = x;
    c->other = y;
    c->target = size;
    c->back = e->s->p;
}

static void canonical_if_nan(struct emit *e, unsigned size, int x)
{
    ucomis(e, size, x, x);
    uint8_t *no = jcc8(e->s, CC_NP);
    canonical_nan(e, size, x);
    land8(e->s, no);
}

void emit_cold_nan(struct emit *e, const struct cold *c)
{
    if (c->reg == c->other) {
        canonical_nan(e, (unsigned)c->target, c->reg);
    } else {
        canonical_if_nan(e, (unsigned)c->target, c->reg);
        canonical_if_nan(e, (unsigned)c->target, c->other);
    }
    jump_to(e->s, c->back);
}

/* The lowest register that is unsure, which it is no longer; or NO_REG. */
static int take_unsure(struct emit *e)
{
    if (!e->unsure)
        return NO_REG;
    int x = __builtin_ctz(e->unsure);
    e->unsure &= e->unsure - 1;
    return x;
}

void emit_make_sure(struct emit *e)
{
    int x;

    while ((x = take_unsure(e)) != NO_REG) {
        int y = take_unsure(e);
        check_nan(e, NULL, e->unsure_size, x, y == NO_REG ? x : y);
    }
}

/* An operation may take this many registers. One of an unsure result is not to be among them: cold code for operands
 * without a box would come back behind the look at it. */
enum { MOST_NEW = 4 };

static bool is_crowded(const struct emit *e)
{
    unsigned free = 0;

    for (unsigned i = JIT_PINS; i < HOST_REGS; i++)
        free += e->now.var[i] == IR_NONE;
    return free < MOST_NEW;
}

bool emit_shows_nan(const struct emit *e, const struct ir_op *op)
{
    bool is_arithmetic = op->code >= IR_fadd && op->code <= IR_fset && op->size == e->unsure_size &&
                         !is_crowded(e);

    if (op->code == IR_pstore)
        return op->b != IR_IMM && is_float(e, op->b) && reg_of(e, op->b) != NO_REG &&
               (e->unsure >> reg_of(e, op->b) & 1);
    return !is_arithmetic && op->code >= IR_load && op->code != IR_pload && op->code != IR_fgetflags &&
           op->code != IR_fsetflags;
}

/* Here the ways meet again when the guest's own code came instead. */
static void land_calls(struct emit *e, struct cold **colds, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        colds[i]->back = e->s->p;
        colds[i]->after = e->now;
    }
}

/* x = a OP b; the upper half is a's box. */
static void compute(struct emit *e, const struct ir_op *op, unsigned opcode, int x, int a, int b)
{
    if (e->j->host.fma && x != a) { /* such a host has AVX */
        vex(e->s, 1, op->size == 8 ? 3 : 2, 0, opcode & 0xff, x, a, b);
        return;
    }
    if (x == b && x != a) {
        movaps(e, 1, b);
        b = 1;
    }
    if (x != a)
        movaps(e, x, a);
    rr(e->s, scalar(op->size), 0, opcode, x, b);
}

static void emit_arith(struct emit *e, const struct ir_op *op, unsigned opcode)
{
    struct cold *colds[3];
    unsigned n = 0;
    bool unary = op->code == IR_fsqrt;

    need_box(e, op, op->a, colds, &n);
    if (!unary)
        need_box(e, op, op->b, colds, &n);
    int a = emit_use_float(e, op->a), b = unary ? a : emit_use_float(e, op->b), x = emit_result_xmm(e, op->dst);
    compute(e, op, opcode, x, a, b);
    emit_put_float(e, op->dst, op->size, x);
    e->unsure |= 1u << x;
    e->unsure_size = op->size;
    land_calls(e, colds, n);
}

/* dst = ±(a × b) ± c. A NaN is left to the guest's own code, which needs the operands: one that gets lost waits in
 * xmm1. */
static void emit_fma(struct emit *e, const struct ir_op *op)
{
    enum { FMA213 = 0xa9, FMA231 = 0xb9 }; /* x = x × v + m; x = v × m + x */
    static const uint8_t variant[] = { [0] = 0, [IR_FMA_NEG_ADDEND] = 2, [IR_FMA_NEG_PRODUCT] = 4,
                                       [IR_FMA_NEG_PRODUCT | IR_FMA_NEG_ADDEND] = 6 };
    struct cold *colds[4];
    unsigned n = 0, with = variant[op->imm];
    int w = op->size == 8;

    need_box(e, op, op->a, colds, &n);
    need_box(e, op, op->b, colds, &n);
    need_box(e, op, op->c, colds, &n);
    int a = emit_use_float(e, op->a), b = emit_use_float(e, op->b), c = emit_use_float(e, op->c);
    int x = emit_result_xmm(e, op->dst);
    bool loses = x == a || x == b || x == c;
    movaps(e, loses ? 1 : x, loses ? x : a);
    if (x == c)
        vex(e->s, 2, 1, w, FMA231 + with, x, a == x ? 1 : a, b == x ? 1 : b);
    else if (x == b)
        vex(e->s, 2, 1, w, FMA213 + with, x, a == x ? 1 : a, c);
    else
        vex(e->s, 2, 1, w, FMA213 + with, x, b, c);
    e->unsure &= ~(1u << x);
    int y = n ? NO_REG : take_unsure(e); /* code for operands without a box would leave it out */
    ucomis(e, op->size, x, y == NO_REG ? x : y);
    colds[n] = emit_cold(e, COLD_FMA, jcc32(e->s, CC_P), op);
    colds[n]->reg = x;
    colds[n]->other = y;
    colds[n++]->target = loses;
    emit_put_float(e, op->dst, op->size, x);
    land_calls(e, colds, n);
}

void emit_cold_fma(struct emit *e, const struct cold *c)
{
    uint8_t *no = NULL;

    if (c->other != NO_REG) {
        canonical_if_nan(e, c->op->size, c->other);
        ucomis(e, c->op->size, c->reg, c->reg);
        no = jcc32(e->s, CC_NP);
    }
    if (c->target)
        movaps(e, c->reg, 1);
    emit_cold_call(e, c);
    if (no) {
        land32(e->s, no);
        jump_to(e->s, c->back);
    }
}

/* ---- flags ---- */

static void stmxcsr(struct emit *e)
{
    rm(e->s, 0, 0, 0x0fae, 3, field(e, e->l->fp_saved));
}

void emit_restore_flags(struct emit *e)
{
    rm(e->s, 0, 0, 0x0fae, 2, field(e, e->l->fp_saved)); /* ldmxcsr */
}

/* reg := the table's byte of number `index`; scratch gets lost. */
static void look_up(struct emit *e, const uint8_t *table, int reg, int index, int scratch)
{
    prefixes(e->s, 0, 1, scratch, 0, 0, 0); /* lea scratch, [rip + table] */
    b1(e->s, 0x8d);
    b1(e->s, (unsigned)(scratch & 7) << 3 | 5);
    b4(e->s, (uint32_t)(table - (e->s->p + 4)));
    rm(e->s, 0, 0, 0x0fb6, reg, at_index(scratch, index, 1, 0));
}

/* reg := the guest's flags. MXCSR's low byte is those and the first mask bit, which is set. */
static void read_flags(struct emit *e, int reg)
{
    stmxcsr(e);
    rm(e->s, 0, 0, 0x0fb6, RAX, field(e, e->l->fp_saved)); /* movzx eax, byte */
    look_up(e, e->j->flags_of - (MXCSR_MASKED & 0xff), reg, RAX, RDX);
}

static void emit_fgetflags(struct emit *e, const struct ir_op *op)
{
    if (op->dst == IR_NONE) {
        stmxcsr(e);
        return;
    }
    int d = destination(e, op->dst, RAX);
    read_flags(e, d);
    emit_put(e, op->dst, d);
}

/* Most of the time they are so already; to write MXCSR is slow. */
static void emit_fsetflags(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RCX);

    read_flags(e, RAX);
    mov(e->s, 0, RDX, RAX);
    alu(e->s, 0, ALU_XOR, RDX, a);
    group3(e->s, 0, 0, RDX); /* test edx, 31 */
    b4(e->s, 31);
    struct cold *c = emit_cold(e, COLD_FLAGS, jcc32(e->s, CC_NE), op);
    c->reg = a;
    c->back = e->s->p;
    emit_put(e, op->dst, RAX);
}

void emit_cold_flags(struct emit *e, const struct cold *c)
{
    struct mem saved = field(e, e->l->fp_saved);

    mov(e->s, 0, RDX, c->reg);
    alu_imm(e->s, 0, ALU_AND, RDX, 31);
    look_up(e, e->j->mxcsr_of, RDX, RDX, RCX);
    alu_mem_imm(e->s, 0, ALU_AND, saved, ~MXCSR_FLAGS);
    rm(e->s, 0, 0, 0x09, RDX, saved); /* or saved, edx */
    emit_restore_flags(e);
    jump_to(e->s, c->back);
}

/* A NaN was compared; condition codes stay. */
void emit_cold_quiet(struct emit *e, const struct cold *c)
{
    emit_restore_flags(e);
    jump_to(e->s, c->back);
}

static void quieten(struct emit *e, const struct ir_op *op)
{
    if (op->flags & IR_QUIET) {
        struct cold *c = emit_cold(e, COLD_QUIET, jcc32(e->s, CC_P), op);
        c->back = e->s->p;
    }
}

/* Does the next operation branch on whether this one's result is zero? */
static bool decides(const struct emit *e, const struct ir_op *op)
{
    const struct ir_op *next = op + 1;

    return next < e->b->ops + e->b->count && next->code == IR_branch && next->a == op->dst && next->b == IR_IMM &&
           next->cond <= IR_NE;
}

static void emit_fset(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[2];
    unsigned n = 0, prefix = op->size == 8 ? 0x66 : 0;
    int d = destination(e, op->dst, RAX);

    if (decides(e, op)) /* nothing may come between it and the branch */
        emit_make_sure(e);
    need_box(e, op, op->a, colds, &n);
    need_box(e, op, op->b, colds, &n);
    int a = emit_use_float(e, op->a), b = emit_use_float(e, op->b);
    if (op->cond == IR_EQ) {
        rr(e->s, prefix, 0, 0x0f2e, a, b); /* ucomis: quiet */
        quieten(e, op);
        rr8(e->s, 0, 0x0f90 + CC_NP, 0, RAX);
        rr8(e->s, 0, 0x0f90 + CC_E, 0, RCX);
        alu(e->s, 0, ALU_AND, RAX, RCX);
    } else {
        enum cc cc = op->cond == IR_LT ? CC_A : CC_AE;
        rr(e->s, prefix, 0, 0x0f2f, b, a); /* comis b, a: above when a < b, never when unordered */
        quieten(e, op);
        rr8(e->s, 0, 0x0f90u + cc, 0, RAX);
        e->decided = !n && decides(e, op) ? (int8_t)cc : UNDECIDED;
    }
    rr8(e->s, 0, 0x0fb6, d, RAX); /* moves leave the condition codes alone */
    emit_put(e, op->dst, d);
    land_calls(e, colds, n);
}

/* -a or |a|. */
static void emit_sign(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[1];
    unsigned n = 0;

    need_box(e, op, op->a, colds, &n);
    int a = emit_use_float(e, op->a), x = emit_result_xmm(e, op->dst);
    if (x != a)
        movaps(e, x, a);
    if (op->code == IR_fneg)
        constant_operand(e, 0x0f57, x, e->j->sign + 16 * (op->size == 4)); /* xorps */
    else
        constant_operand(e, 0x0f54, x, e->j->sign + 32 + 16 * (op->size == 4)); /* andps */
    emit_put_float(e, op->dst, op->size, x);
    land_calls(e, colds, n);
}

static void emit_fmov(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[1];
    unsigned n = 0;

    need_box(e, op, op->a, colds, &n);
    int a = emit_use_float(e, op->a);
    if (op->dst != op->a) {
        int x = emit_result_xmm(e, op->dst);
        movaps(e, x, a);
        emit_put_float(e, op->dst, op->size, x);
    }
    land_calls(e, colds, n);
}

static void emit_fbits(struct emit *e, const struct ir_op *op)
{
    mov_from_xmm(e->s, 1, RAX, emit_use_float(e, op->a));
    if (op->size == 4)
        movsxd(e->s, RAX, RAX);
    emit_put(e, op->dst, RAX);
}

static void emit_fmake(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RAX), x = emit_result_xmm(e, op->dst);

    mov_to_xmm(e->s, op->size == 8, x, a);
    if (op->size == 4)
        emit_box(e, x);
    emit_put_float(e, op->dst, op->size, x);
}

/* The host's "integer indefinite" is the lowest number: the guest's code finds out what it was. */
static void emit_ftoi(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[2];
    unsigned n = 0;
    int w = op->imm == 8;

    need_box(e, op, op->a, colds, &n);
    rr(e->s, scalar(op->size), w, 0x0f2c, RAX, emit_use_float(e, op->a)); /* cvtt */
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
    int x = emit_result_xmm(e, op->dst);

    if (op->flags & IR_ZERO) {
        mov(e->s, 0, RAX, a);
        a = RAX;
    }
    rr(e->s, 0, 0, 0x0f57, x, x); /* xorps: no wait for the old value */
    rr(e->s, scalar(op->size), w, 0x0f2a, x, a);
    if (op->size == 4)
        emit_box(e, x);
    emit_put_float(e, op->dst, op->size, x);
}

static void emit_fresize(struct emit *e, const struct ir_op *op)
{
    struct cold *colds[1];
    unsigned n = 0, to = 12 - op->size;

    need_box(e, op, op->a, colds, &n);
    int a = emit_use_float(e, op->a), x = emit_new_xmm(e);
    rr(e->s, 0, 0, 0x0f57, x, x);
    rr(e->s, scalar(op->size), 0, 0x0f5a, x, a);
    check_nan(e, op, to, x, x);
    if (to == 4)
        emit_box(e, x);
    emit_put_float(e, op->dst, to, x);
    land_calls(e, colds, n);
}

void emit_guard(struct emit *e, unsigned what, enum cold_kind otherwise, uint32_t site)
{
    const struct jit_layout *l = e->l;

    if (what & IR_FP_ON) {
        mov_load(e->s, 0, RAX, field(e, l->fp_status));
        group3(e->s, 0, 2, RAX); /* not */
        prefixes(e->s, 0, 0, 0, 0, RAX, 0);
        b1(e->s, 0xa9); /* test eax, imm */
        b4(e->s, l->fp_mask);
        emit_cold(e, otherwise, jcc32(e->s, CC_NE), NULL)->target = site;
    }
    if (what & IR_FP_ROUNDS) {
        rm8(e->s, 0x80, 7, field(e, l->fp_rounding)); /* cmp byte, 3 */
        b1(e->s, 3);
        emit_cold(e, otherwise, jcc32(e->s, CC_A), NULL)->target = site;
    }
}

bool emit_float(struct emit *e, const struct ir_op *op)
{
    e->locked_xmm = 0;
    switch ((enum ir_code)op->code) {
    case IR_fguard: emit_guard(e, (unsigned)op->imm & ~e->guards, COLD_LEAVE, op->site); return true;
    case IR_fadd: emit_arith(e, op, 0x0f58); return true;
    case IR_fsub: emit_arith(e, op, 0x0f5c); return true;
    case IR_fmul: emit_arith(e, op, 0x0f59); return true;
    case IR_fdiv: emit_arith(e, op, 0x0f5e); return true;
    case IR_fsqrt: emit_arith(e, op, 0x0f51); return true;
    case IR_fma: emit_fma(e, op); return true;
    case IR_fset: emit_fset(e, op); return true;
    case IR_fgetflags: emit_fgetflags(e, op); return true;
    case IR_fsetflags: emit_fsetflags(e, op); return true;
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
