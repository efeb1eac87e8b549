/*
 * emit-x86_64.c - host code for integer operations, and the pass over a block.
 *
 * rbp is the CPU structure, r14 what holds the TLBs (layout.data), rax, rcx and rdx are for the moment; the other ten
 * hold variables (emit-regs-x86_64.c). The stack is aligned to 16 bytes in blocks. MXCSR is the guest's.
 *
 * What is seldom needed is emitted behind the block ("cold"): TLB misses, exits, NaNs.
 */
#include <assert.h>

#include "emit.h"

/* ---- variables ---- */

int emit_use(struct emit *e, unsigned var, int scratch)
{
    if (reg_of(e, var) != NO_REG)
        return reg_of(e, var);
    mov_load(e->s, 1, scratch, slot(e, var));
    return scratch;
}

/* var into this very register. */
static void copy_to(struct emit *e, int reg, unsigned var)
{
    int r = reg_of(e, var);

    if (r == NO_REG)
        mov_load(e->s, 1, reg, slot(e, var));
    else if (r != reg)
        mov(e->s, 1, reg, r);
}

void emit_put(struct emit *e, unsigned var, int reg)
{
    if (var == IR_NONE)
        return;
    if (reg_of(e, var) == NO_REG)
        mov_store(e->s, 1, slot(e, var), reg);
    else if (reg_of(e, var) != reg)
        mov(e->s, 1, reg_of(e, var), reg);
}

/* A 32-bit result in `reg` becomes var's 64 bits. Its upper half is zero when reg is var's own register. */
static void put_word(struct emit *e, const struct ir_op *op, int reg)
{
    int d = destination(e, op->dst, RAX);

    if (!(op->flags & (IR_ZERO | IR_LOW)))
        movsxd(e->s, d, reg);
    else if (d != reg)
        mov(e->s, 0, d, reg);
    emit_put(e, op->dst, d);
}

static void put_sized(struct emit *e, const struct ir_op *op, int reg)
{
    if (op->size == 8)
        emit_put(e, op->dst, reg);
    else
        put_word(e, op, reg);
}

static int wide(const struct ir_op *op)
{
    return op->size == 8;
}

/* alu reg, b */
static void alu_operand(struct emit *e, int w, enum alu what, int reg, const struct ir_op *op)
{
    if (what == ALU_XOR && op->b == IR_IMM && op->imm == -1) {
        group3(e->s, w, 2, reg); /* not */
    } else if (op->b == IR_IMM && fits32(op->imm)) {
        alu_imm(e->s, w, what, reg, (int32_t)op->imm);
    } else if (op->b == IR_IMM) {
        assert(reg != RDX);
        mov_imm(e->s, RDX, (uint64_t)op->imm);
        alu(e->s, w, what, reg, RDX);
    } else if (reg_of(e, op->b) != NO_REG) {
        alu(e->s, w, what, reg, reg_of(e, op->b));
    } else {
        alu_load(e->s, w, what, reg, slot(e, op->b));
    }
}

/* The register that has b; an immediate goes to `scratch`. */
static int use_b(struct emit *e, const struct ir_op *op, int scratch)
{
    if (op->b != IR_IMM)
        return emit_use(e, op->b, scratch);
    mov_imm(e->s, scratch, (uint64_t)op->imm);
    return scratch;
}

/* ---- arithmetic ---- */

static void emit_mov(struct emit *e, const struct ir_op *op)
{
    if (op->b != IR_IMM) {
        emit_put(e, op->dst, emit_use(e, op->b, destination(e, op->dst, RAX)));
    } else if (reg_of(e, op->dst) != NO_REG) {
        mov_imm(e->s, reg_of(e, op->dst), (uint64_t)op->imm);
    } else if (fits32(op->imm)) {
        mov_store_imm(e->s, 1, slot(e, op->dst), (int32_t)op->imm);
    } else {
        mov_imm(e->s, RAX, (uint64_t)op->imm);
        emit_put(e, op->dst, RAX);
    }
}

static void emit_add(struct emit *e, const struct ir_op *op)
{
    int w = wide(op), d = destination(e, op->dst, RAX);

    if (op->b == IR_IMM && fits32(op->imm)) {
        if ((w || (op->flags & IR_LOW)) && op->dst == op->a && d == RAX) {
            alu_mem_imm(e->s, 1, ALU_ADD, slot(e, op->dst), (int32_t)op->imm);
            return;
        }
        int a = emit_use(e, op->a, d);
        if (a == d)
            alu_imm(e->s, w, ALU_ADD, d, (int32_t)op->imm);
        else
            lea(e->s, w, d, at(a, (int32_t)op->imm));
    } else {
        int a = emit_use(e, op->a, RAX);
        int b = op->b == op->a ? a : use_b(e, op, RDX);
        if (a == d)
            alu(e->s, w, ALU_ADD, d, b);
        else if (b == d)
            alu(e->s, w, ALU_ADD, d, a);
        else
            lea(e->s, w, d, at_index(a, b, 1, 0));
    }
    put_sized(e, op, d);
}

static bool is_b(const struct emit *e, const struct ir_op *op, int reg)
{
    return op->b != IR_IMM && reg_of(e, op->b) == reg && reg != NO_REG;
}

static void emit_logic(struct emit *e, const struct ir_op *op, enum alu what)
{
    int w = wide(op), d = destination(e, op->dst, RAX);

    if (is_b(e, op, d)) {
        if (what != ALU_SUB) {
            struct ir_op swapped = *op;
            swapped.a = op->b;
            swapped.b = op->a;
            alu_operand(e, w, what, d, &swapped);
            put_sized(e, op, d);
            return;
        }
        d = RAX;
    }
    copy_to(e, d, op->a);
    alu_operand(e, w, what, d, op);
    put_sized(e, op, d);
}

/* and, or, xor with the complement of b. */
static void emit_complement(struct emit *e, const struct ir_op *op, enum alu what)
{
    int w = wide(op), d = destination(e, op->dst, RAX);

    if (what == ALU_AND && e->j->host.bmi) {
        int a = emit_use(e, op->a, RAX), b = emit_use(e, op->b, RDX);
        vex(e->s, 2, 0, w, 0xf2, d, b, a); /* andn */
    } else {
        copy_to(e, RDX, op->b);
        group3(e->s, w, 2, RDX);
        copy_to(e, d, op->a);
        alu(e->s, w, what, d, RDX);
    }
    put_sized(e, op, d);
}

/* d := a shifted by a constant. */
static void shift_by(struct emit *e, const struct ir_op *op, enum shift what, int d)
{
    int w = wide(op), width = w ? 64 : 32, count = (int)op->imm & (width - 1);

    if (count && what <= SH_ROR && e->j->host.bmi2 && reg_of(e, op->a) != d) {
        vex(e->s, 3, 3, w, 0xf0, d, 0, emit_use(e, op->a, RAX)); /* rorx */
        b1(e->s, (unsigned)(what == SH_ROR ? count : width - count));
        return;
    }
    copy_to(e, d, op->a);
    if (count)
        shift_imm(e->s, w, what, d, (unsigned)count);
    else if (!w)
        mov(e->s, 0, d, d);
}

static void emit_shift(struct emit *e, const struct ir_op *op, enum shift what)
{
    int w = wide(op), d = destination(e, op->dst, RAX);

    if (op->b == IR_IMM) {
        shift_by(e, op, what, d);
    } else if (e->j->host.bmi2 && what >= SH_SHL) {
        static const uint8_t prefix[] = { [SH_SHL] = 1, [SH_SHR] = 3, [SH_SAR] = 2 };
        int a = emit_use(e, op->a, RAX), b = emit_use(e, op->b, RCX);
        vex(e->s, 2, prefix[what], w, 0xf7, d, b, a);
    } else {
        copy_to(e, RCX, op->b);
        copy_to(e, RAX, op->a);
        shift_cl(e->s, w, what, RAX);
        d = RAX;
    }
    put_sized(e, op, d);
}

/* bt, bts, btr, btc: /4 to /7, 64 bits. */
static void emit_bit(struct emit *e, const struct ir_op *op, unsigned digit)
{
    copy_to(e, RAX, op->a);
    if (op->b == IR_IMM) {
        prefixes(e->s, 0, 1, 0, 0, RAX, 0);
        opcode_bytes(e->s, 0x0fba);
        modrm_reg(e->s, (int)digit, RAX);
        b1(e->s, (unsigned)op->imm & 63);
    } else {
        rr(e->s, 0, 1, 0x0f83 + digit * 8, emit_use(e, op->b, RCX), RAX);
    }
    if (digit == 4) {
        rr8(e->s, 0, 0x0f92, 0, RAX); /* setb */
        rr8(e->s, 0, 0x0fb6, RAX, RAX);
    }
    emit_put(e, op->dst, RAX);
}

static void emit_shadd(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RAX), b = emit_use(e, op->b, RDX), d = destination(e, op->dst, RAX);

    if (op->flags & IR_ZERO) {
        mov(e->s, 0, RAX, a);
        a = RAX;
    }
    lea(e->s, 1, d, at_index(b, a, 1 << op->imm, 0));
    emit_put(e, op->dst, d);
}

void emit_compare(struct emit *e, const struct ir_op *op, unsigned a)
{
    int r = reg_of(e, a);

    if (op->b == IR_IMM && fits32(op->imm) && r == NO_REG)
        alu_mem_imm(e->s, 1, ALU_CMP, slot(e, a), (int32_t)op->imm);
    else if (op->b == IR_IMM && op->imm == 0)
        test(e->s, 1, r, r);
    else
        alu_operand(e, 1, ALU_CMP, emit_use(e, a, RAX), op);
}

enum cc emit_cc(unsigned cond)
{
    static const uint8_t cc[] = {
        [IR_EQ] = CC_E, [IR_NE] = CC_NE, [IR_LT] = CC_L, [IR_GE] = CC_GE,
        [IR_LTU] = CC_B, [IR_GEU] = CC_AE, [IR_LE] = CC_LE, [IR_GT] = CC_G,
    };

    return (enum cc)cc[cond];
}

static void emit_set(struct emit *e, const struct ir_op *op)
{
    int d = destination(e, op->dst, RAX);

    emit_compare(e, op, op->a);
    rr8(e->s, 0, 0x0f90u + emit_cc(op->cond), 0, RAX);
    rr8(e->s, 0, 0x0fb6, d, RAX);
    emit_put(e, op->dst, d);
}

static void emit_select(struct emit *e, const struct ir_op *op)
{
    int b = emit_use(e, op->b, RDX), a = emit_use(e, op->a, RCX);

    test(e->s, 1, b, b);
    mov_imm(e->s, RAX, 0);
    rr(e->s, 0, 1, 0x0f40u + emit_cc(op->cond), RAX, a);
    emit_put(e, op->dst, RAX);
}

static void emit_min(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RCX), b = emit_use(e, op->b, RAX);

    alu(e->s, 1, ALU_CMP, a, b);
    if (b != RAX)
        mov(e->s, 1, RAX, b);
    rr(e->s, 0, 1, 0x0f40u + emit_cc(op->cond), RAX, a);
    emit_put(e, op->dst, RAX);
}

static void emit_mul(struct emit *e, const struct ir_op *op)
{
    int w = wide(op), d = destination(e, op->dst, RAX);

    if (is_b(e, op, d))
        d = RAX;
    copy_to(e, d, op->a);
    rr(e->s, 0, w, 0x0faf, d, use_b(e, op, RDX));
    put_sized(e, op, d);
}

static void emit_mulh(struct emit *e, const struct ir_op *op)
{
    int b = use_b(e, op, RCX);

    copy_to(e, RAX, op->a);
    group3(e->s, 1, op->flags & IR_ZERO ? 4 : 5, b);
    emit_put(e, op->dst, RDX);
}

/* Divides rax by rcx; the two cases that the host would trap on are told apart first. */
static void emit_divide(struct emit *e, const struct ir_op *op, bool rem)
{
    int w = wide(op);
    bool is_unsigned = op->flags & IR_ZERO;
    uint8_t *minus_one = NULL, *end = NULL;

    if (op->b == IR_IMM)
        mov_imm(e->s, RCX, (uint64_t)op->imm);
    else
        copy_to(e, RCX, op->b);
    copy_to(e, RAX, op->a);
    test(e->s, w, RCX, RCX);
    uint8_t *zero = jcc8(e->s, CC_E);
    if (!is_unsigned) {
        alu_imm(e->s, w, ALU_CMP, RCX, -1);
        minus_one = jcc8(e->s, CC_E);
        prefixes(e->s, 0, w, 0, 0, 0, 0);
        b1(e->s, 0x99); /* cdq, cqo */
    } else {
        alu(e->s, 0, ALU_XOR, RDX, RDX);
    }
    group3(e->s, w, is_unsigned ? 6 : 7, RCX);
    if (rem)
        mov(e->s, 1, RAX, RDX);
    uint8_t *done = jump8(e->s);
    if (minus_one) {
        land8(e->s, minus_one);
        if (rem)
            mov_imm(e->s, RAX, 0);
        else
            group3(e->s, w, 3, RAX);
        end = jump8(e->s);
    }
    land8(e->s, zero);
    if (!rem)
        mov_imm(e->s, RAX, UINT64_MAX);
    if (end)
        land8(e->s, end);
    land8(e->s, done);
    if (w)
        emit_put(e, op->dst, RAX);
    else /* words of either sign are sign-extended */
        put_word(e, &(struct ir_op){ .dst = op->dst, .flags = op->flags & IR_LOW }, RAX);
}

static void emit_ext(struct emit *e, const struct ir_op *op)
{
    int d = destination(e, op->dst, RAX), a = emit_use(e, op->a, RAX);
    bool zero = op->flags & IR_ZERO;

    switch (op->size) {
    case 1: rr8(e->s, 1, zero ? 0x0fb6 : 0x0fbe, d, a); break;
    case 2: rr(e->s, 0, 1, zero ? 0x0fb7 : 0x0fbf, d, a); break;
    case 4: zero ? mov(e->s, 0, d, a) : movsxd(e->s, d, a); break;
    default: mov(e->s, 1, d, a); break;
    }
    emit_put(e, op->dst, d);
}

/* lzcnt, tzcnt, popcnt: the translator has asked jit_host(). */
static void emit_count(struct emit *e, const struct ir_op *op, unsigned opcode)
{
    rr(e->s, 0xf3, wide(op), opcode, RAX, emit_use(e, op->a, RAX));
    emit_put(e, op->dst, RAX);
}

static void emit_bswap(struct emit *e, const struct ir_op *op)
{
    copy_to(e, RAX, op->a);
    prefixes(e->s, 0, 1, 0, 0, RAX, 0);
    opcode_bytes(e->s, 0x0fc8);
    emit_put(e, op->dst, RAX);
}

static void emit_orcb(struct emit *e, const struct ir_op *op)
{
    rr(e->s, 0x66, 1, 0x0f6e, 0, emit_use(e, op->a, RAX)); /* movq xmm0, a */
    rr(e->s, 0x66, 0, 0x0fef, 1, 1);                       /* pxor xmm1, xmm1 */
    rr(e->s, 0x66, 0, 0x0f74, 0, 1);                       /* pcmpeqb xmm0, xmm1 */
    rr(e->s, 0x66, 1, 0x0f7e, 0, RAX);                     /* movq rax, xmm0 */
    group3(e->s, 1, 2, RAX);                               /* not rax */
    emit_put(e, op->dst, RAX);
}

static void emit_atleast(struct emit *e, const struct ir_op *op)
{
    rm8(e->s, 0x80, 7, field(e, e->l->privilege)); /* cmp byte */
    b1(e->s, (uint8_t)op->imm);
    emit_cold(e, COLD_LEAVE, jcc32(e->s, CC_B), op)->target = op->site;
}

static void emit_enabled(struct emit *e, const struct ir_op *op)
{
    rm(e->s, 0, 0, 0xf7, 0, field(e, e->l->enables)); /* test dword, imm */
    b4(e->s, UINT32_C(1) << op->imm);
    emit_cold(e, COLD_LEAVE, jcc32(e->s, CC_E), op)->target = op->site;
}

/* ---- blocks ---- */

static void emit_fence(struct emit *e)
{
    /* lock or dword [rsp], 0 */
    b1(e->s, 0xf0);
    alu_mem_imm(e->s, 0, ALU_OR, at(RSP, 0), 0);
}

static void emit_op(struct emit *e, const struct ir_op *op)
{
    switch ((enum ir_code)op->code) {
    case IR_mov: emit_mov(e, op); break;
    case IR_add: emit_add(e, op); break;
    case IR_sub: emit_logic(e, op, ALU_SUB); break;
    case IR_and: emit_logic(e, op, ALU_AND); break;
    case IR_or: emit_logic(e, op, ALU_OR); break;
    case IR_xor: emit_logic(e, op, ALU_XOR); break;
    case IR_andn: emit_complement(e, op, ALU_AND); break;
    case IR_orn: emit_complement(e, op, ALU_OR); break;
    case IR_xnor: emit_complement(e, op, ALU_XOR); break;
    case IR_shl: emit_shift(e, op, SH_SHL); break;
    case IR_shr: emit_shift(e, op, SH_SHR); break;
    case IR_sar: emit_shift(e, op, SH_SAR); break;
    case IR_rol: emit_shift(e, op, SH_ROL); break;
    case IR_ror: emit_shift(e, op, SH_ROR); break;
    case IR_bext: emit_bit(e, op, 4); break;
    case IR_bset: emit_bit(e, op, 5); break;
    case IR_bclr: emit_bit(e, op, 6); break;
    case IR_binv: emit_bit(e, op, 7); break;
    case IR_shadd: emit_shadd(e, op); break;
    case IR_set: emit_set(e, op); break;
    case IR_select: emit_select(e, op); break;
    case IR_min: emit_min(e, op); break;
    case IR_mul: emit_mul(e, op); break;
    case IR_mulh: emit_mulh(e, op); break;
    case IR_div: emit_divide(e, op, false); break;
    case IR_rem: emit_divide(e, op, true); break;
    case IR_ext: emit_ext(e, op); break;
    case IR_clz: emit_count(e, op, 0x0fbd); break;
    case IR_ctz: emit_count(e, op, 0x0fbc); break;
    case IR_popcnt: emit_count(e, op, 0x0fb8); break;
    case IR_bswap: emit_bswap(e, op); break;
    case IR_orcb: emit_orcb(e, op); break;
    case IR_load:
    case IR_pload: emit_load(e, op); break;
    case IR_store:
    case IR_pstore: emit_store(e, op); break;
    case IR_page: emit_page(e, op); break;
    case IR_window: emit_window(e, op); break;
    case IR_renew: emit_renew(e, op); break;
    case IR_xchg:
    case IR_xadd: emit_exchange(e, op); break;
    case IR_clear: emit_clear(e, op); break;
    case IR_fence: emit_fence(e); break;
    case IR_atleast: emit_atleast(e, op); break;
    case IR_enabled: emit_enabled(e, op); break;
    case IR_call: emit_call(e, op); break;
    case IR_frame: e->frame = op; break;
    case IR_branch: emit_branch(e, op); break;
    case IR_jump: emit_jump(e, (uint64_t)op->imm); break;
    case IR_jumpi: emit_jumpi(e, op); break;
    case IR_system: emit_system(e, op); break;
    case IR_leave: emit_leave(e, op->site); break;
    default: assert(!"an operation without code"); break;
    }
}

/* A label's own code ends with a jump: nothing falls into the next one unless the jump was left out. */
static void emit_at(struct emit *e)
{
    const struct ir_block *b = e->b;

    for (const struct ir_label *l = b->labels; l < b->labels + b->label_count; l++) {
        if (l->at == e->at)
            emit_label(e, l);
    }
    const struct ir_op *op = &b->ops[e->at];
    e->j->marks[e->at] = (uint32_t)(e->s->p - e->j->begin);
    if (e->unsure && emit_shows_nan(e, op))
        emit_make_sure(e);
    emit_prepare(e, op);
    if (!emit_float(e, op))
        emit_op(e, op);
    emit_settle(e, op);
}

bool emit_block(struct jit *j, const struct ir_block *b)
{
    struct emit e = { .j = j, .s = &j->as, .l = j->layout, .b = b, .room = j->room, .in_rcx = IR_NONE,
                      .decided = UNDECIDED };

    j->begin = j->as.p;
    emit_choose_home(&e);
    for (e.at = 0; e.at < b->count && !e.s->full; e.at++)
        emit_at(&e);
    j->marks[b->count] = (uint32_t)(j->as.p - j->begin);
    if (j->as.full)
        return false;
    e.s = &j->cold;
    emit_cold_parts(&e);
    return !e.s->full;
}
