/*
 * emit-x86_64.c - host code for integer operations, guest memory and control flow.
 *
 * rbp is the CPU structure, r14 what holds the TLBs (layout.data), rax, rcx and rdx are for the moment; the other ten
 * registers hold pinned globals across blocks. The stack is aligned to 16 bytes in blocks. MXCSR is the guest's.
 *
 * What is seldom needed is emitted behind the block ("cold"): TLB misses, exits, NaNs.
 */
#include <assert.h>

#include "emit.h"

static const int8_t pin_regs[JIT_PINS] = { RBX, R12, R13, R15, RSI, RDI, R8, R9, R10, R11 };
enum { CALLEE_SAVED_PINS = 4 }; /* the first ones of pin_regs */

/* ---- variables ---- */

int emit_use(struct emit *e, unsigned var, int scratch)
{
    if (pin_of(e, var) != NO_REG)
        return pin_of(e, var);
    mov_load(e->s, 1, scratch, slot(e, var));
    return scratch;
}

/* var into this very register. */
static void copy_to(struct emit *e, int reg, unsigned var)
{
    int r = pin_of(e, var);

    if (r == NO_REG)
        mov_load(e->s, 1, reg, slot(e, var));
    else if (r != reg)
        mov(e->s, 1, reg, r);
}

void emit_put(struct emit *e, unsigned var, int reg)
{
    if (var == IR_NONE)
        return;
    if (pin_of(e, var) == NO_REG)
        mov_store(e->s, 1, slot(e, var), reg);
    else if (pin_of(e, var) != reg)
        mov(e->s, 1, pin_of(e, var), reg);
}

/* Where a result may be computed: var's own register or `scratch`. */
static int destination(const struct emit *e, unsigned var, int scratch)
{
    return var == IR_NONE || pin_of(e, var) == NO_REG ? scratch : pin_of(e, var);
}

/* A 32-bit result in `reg` becomes var's 64 bits. */
static void put_word(struct emit *e, const struct ir_op *op, int reg)
{
    int d = destination(e, op->dst, RAX);

    if (op->flags & IR_ZERO)
        mov(e->s, 0, d, reg);
    else
        movsxd(e->s, d, reg);
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
    if (op->b == IR_IMM && fits32(op->imm)) {
        alu_imm(e->s, w, what, reg, (int32_t)op->imm);
    } else if (op->b == IR_IMM) {
        assert(reg != RDX);
        mov_imm(e->s, RDX, (uint64_t)op->imm);
        alu(e->s, w, what, reg, RDX);
    } else if (pin_of(e, op->b) != NO_REG) {
        alu(e->s, w, what, reg, pin_of(e, op->b));
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
    } else if (pin_of(e, op->dst) != NO_REG) {
        mov_imm(e->s, pin_of(e, op->dst), (uint64_t)op->imm);
    } else if (fits32(op->imm)) {
        mov_store_imm(e->s, 1, slot(e, op->dst), (int32_t)op->imm);
    } else {
        mov_imm(e->s, RAX, (uint64_t)op->imm);
        emit_put(e, op->dst, RAX);
    }
}

static void emit_add(struct emit *e, const struct ir_op *op)
{
    int w = wide(op), d = w ? destination(e, op->dst, RAX) : RAX;

    if (op->b == IR_IMM && fits32(op->imm)) {
        if (w && op->dst == op->a && d == RAX) {
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
    return op->b != IR_IMM && pin_of(e, op->b) == reg && reg != NO_REG;
}

static void emit_logic(struct emit *e, const struct ir_op *op, enum alu what)
{
    int w = wide(op), d = w ? destination(e, op->dst, RAX) : RAX;

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
    copy_to(e, RDX, op->b);
    group3(e->s, 1, 2, RDX);
    copy_to(e, RAX, op->a);
    alu(e->s, 1, what, RAX, RDX);
    put_sized(e, op, RAX);
}

static void emit_shift(struct emit *e, const struct ir_op *op, enum shift what)
{
    int w = wide(op), d = w ? destination(e, op->dst, RAX) : RAX;

    if (op->b == IR_IMM) {
        unsigned count = (unsigned)op->imm & (w ? 63 : 31);
        copy_to(e, d, op->a);
        if (count)
            shift_imm(e->s, w, what, d, count);
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

/* Flags of a compared with b. */
static void emit_compare(struct emit *e, const struct ir_op *op, unsigned a)
{
    int r = pin_of(e, a);

    if (op->b == IR_IMM && fits32(op->imm) && r == NO_REG)
        alu_mem_imm(e->s, 1, ALU_CMP, slot(e, a), (int32_t)op->imm);
    else if (op->b == IR_IMM && op->imm == 0)
        test(e->s, 1, r, r);
    else
        alu_operand(e, 1, ALU_CMP, emit_use(e, a, RAX), op);
}

static enum cc cc_of(unsigned cond)
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
    rr8(e->s, 0, 0x0f90u + cc_of(op->cond), 0, RAX);
    rr8(e->s, 0, 0x0fb6, d, RAX);
    emit_put(e, op->dst, d);
}

static void emit_select(struct emit *e, const struct ir_op *op)
{
    int b = emit_use(e, op->b, RDX), a = emit_use(e, op->a, RCX);

    test(e->s, 1, b, b);
    mov_imm(e->s, RAX, 0);
    rr(e->s, 0, 1, 0x0f40u + cc_of(op->cond), RAX, a);
    emit_put(e, op->dst, RAX);
}

static void emit_min(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RCX), b = emit_use(e, op->b, RAX);

    alu(e->s, 1, ALU_CMP, a, b);
    if (b != RAX)
        mov(e->s, 1, RAX, b);
    rr(e->s, 0, 1, 0x0f40u + cc_of(op->cond), RAX, a);
    emit_put(e, op->dst, RAX);
}

static void emit_mul(struct emit *e, const struct ir_op *op)
{
    int w = wide(op), d = w ? destination(e, op->dst, RAX) : RAX;

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
        put_word(e, &(struct ir_op){ .dst = op->dst }, RAX);
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

/* ---- guest memory ---- */

/* The register that has a store's value. */
static int stored_value(struct emit *e, const struct ir_op *op, int scratch)
{
    if (op->b == IR_IMM) {
        mov_imm(e->s, scratch, 0);
        return scratch;
    }
    if (op->size == 8 || pin_of(e, op->b) != NO_REG)
        return emit_use(e, op->b, scratch);
    mov_load(e->s, 0, scratch, slot(e, op->b)); /* no wider than a float's store was: the host forwards it */
    return scratch;
}

struct cold *emit_cold(struct emit *e, enum cold_kind kind, uint8_t *from, const struct ir_op *op)
{
    struct cold *c = &e->cold[e->colds];

    if (e->colds + 1 < COLD_MAX)
        e->colds++;
    else
        e->s->full = 1;
    *c = (struct cold){ .kind = kind, .from = from, .op = op };
    memcpy(c->cached, e->cached, sizeof c->cached);
    return c;
}

static unsigned log2_of(unsigned size)
{
    return size == 8 ? 3 : size / 2;
}

/* Looks the address up in the table; the TLB entry is at [r14 + rcx + table]. Returns the address's register. */
static int emit_lookup(struct emit *e, const struct ir_op *op, int32_t table, enum cold_kind kind, struct cold **cold)
{
    const struct jit_layout *l = e->l;
    int va = emit_use(e, op->a, RAX);

    if (l->address_mask == UINT32_MAX) {
        lea(e->s, 0, RAX, at(va, (int32_t)op->imm));
        va = RAX;
    } else if (op->imm) {
        lea(e->s, 1, RAX, at(va, (int32_t)op->imm));
        va = RAX;
    }
    mov(e->s, 0, RCX, va);
    shift_imm(e->s, 0, SH_SHR, RCX, 8);
    alu_imm(e->s, 0, ALU_AND, RCX, (1 << (l->tlb_bits + 4)) - 16);
    mov(e->s, 1, RDX, va);
    alu_imm(e->s, 1, ALU_AND, RDX, -4096 | (op->size - 1));
    alu_load(e->s, 1, ALU_CMP, RDX, at_index(R14, RCX, 1, table));
    *cold = emit_cold(e, kind, jcc32(e->s, CC_NE), op);
    (*cold)->reg = va;
    mov_load(e->s, 1, RCX, at_index(R14, RCX, 1, table + 8));
    return va;
}

/* The bits that a load of this kind puts into a register. */
static void load_extended(struct emit *e, const struct ir_op *op, int d, struct mem m)
{
    bool zero = op->flags & (IR_ZERO | IR_BOX);

    switch (op->size) {
    case 1: rm(e->s, 0, 1, zero ? 0x0fb6 : 0x0fbe, d, m); break;
    case 2: rm(e->s, 0, 1, zero ? 0x0fb7 : 0x0fbf, d, m); break;
    case 4: rm(e->s, 0, !zero, zero ? 0x8b : 0x63, d, m); break;
    default: mov_load(e->s, 1, d, m); break;
    }
}

static void extend(struct emit *e, const struct ir_op *op, int d)
{
    bool zero = op->flags & (IR_ZERO | IR_BOX);

    switch (op->size) {
    case 1: rr8(e->s, 1, zero ? 0x0fb6 : 0x0fbe, d, RAX); break;
    case 2: rr(e->s, 0, 1, zero ? 0x0fb7 : 0x0fbf, d, RAX); break;
    case 4: zero ? mov(e->s, 0, d, RAX) : movsxd(e->s, d, RAX); break;
    default:
        if (d != RAX)
            mov(e->s, 1, d, RAX);
        break;
    }
}

static bool is_float(const struct emit *e, unsigned var)
{
    return var != IR_NONE && var < IR_GLOBALS && var >= e->l->first_float;
}

static void emit_load(struct emit *e, const struct ir_op *op)
{
    struct cold *c;
    int va = emit_lookup(e, op, e->l->read, COLD_LOAD, &c), d = destination(e, op->dst, RAX);

    load_extended(e, op, d, at_index(va, RCX, 1, 0));
    c->back = e->s->p;
    c->target = (uint64_t)d;
    if (is_float(e, op->dst))
        emit_float_loaded(e, op->dst, op->size);
    else
        emit_put(e, op->dst, d);
}

static void store_sized(struct emit *e, unsigned size, struct mem m, int reg)
{
    switch (size) {
    case 1: rm8(e->s, 0x88, reg, m); break;
    case 2: rm(e->s, 0x66, 0, 0x89, reg, m); break;
    default: mov_store(e->s, size == 8, m, reg); break;
    }
}

/* rcx is the host address: tells other vCPUs' reservations on the granule. */
static void emit_stamp(struct emit *e, struct cold *miss, const struct ir_op *op)
{
    const struct jit_layout *l = e->l;

    mov(e->s, 1, RDX, RCX);
    shift_imm(e->s, 1, SH_SHR, RDX, 6);
    alu_imm(e->s, 0, ALU_AND, RDX, (int32_t)l->stamp_mask);
    alu(e->s, 1, ALU_ADD, RDX, RDX);
    alu_load(e->s, 1, ALU_ADD, RDX, field(e, l->stamps));
    rm8(e->s, 0x80, 7, at(RDX, 1)); /* cmp byte [rdx + 1], 0 */
    b1(e->s, 0);
    struct cold *locked = emit_cold(e, COLD_STORE, jcc32(e->s, CC_NE), op);
    locked->reg = miss->reg;
    rm8(e->s, 0xc6, 0, at(RDX, 0)); /* mov byte [rdx], stamp */
    b1(e->s, l->stamp);
}

static void emit_store(struct emit *e, const struct ir_op *op)
{
    struct cold *c;
    int va = emit_lookup(e, op, e->l->write, COLD_STORE, &c);
    unsigned first = e->colds - 1;
    struct mem m = at_index(va, RCX, 1, 0);

    if (e->l->stamp) {
        alu(e->s, 1, ALU_ADD, RCX, va);
        emit_stamp(e, c, op);
        m = at(RCX, 0);
    }
    store_sized(e, op->size, m, stored_value(e, op, RDX));
    for (unsigned i = first; i < e->colds; i++)
        e->cold[i].back = e->s->p;
}

/* ---- control flow ---- */

static void emit_probe(struct emit *e)
{
    const struct jit_layout *l = e->l;

    /* rax: the guest address */
    mov_load(e->s, 1, RDX, field(e, l->fetch));
    mov(e->s, 0, RCX, RAX);
    alu_imm(e->s, 0, ALU_AND, RCX, (1 << (l->jump_bits + 1)) - 2);
    alu_load(e->s, 1, ALU_CMP, RAX, at_index(RDX, RCX, 8, l->jumps));
    emit_cold(e, COLD_PROBE, jcc32(e->s, CC_NE), NULL);
    mov_load(e->s, 1, RDX, at_index(RDX, RCX, 8, l->jumps + 8));
    rm(e->s, 0, 0, 0xff, 4, at(RDX, l->entry)); /* jmp [rdx + entry] */
}

/* The same for an address that is known. */
static void emit_probe_at(struct emit *e, uint64_t pc)
{
    const struct jit_layout *l = e->l;
    int32_t index = (int32_t)((pc & ((1u << (l->jump_bits + 1)) - 2)) * 8);

    mov_load(e->s, 1, RDX, field(e, l->fetch));
    mov_imm(e->s, RAX, pc);
    alu_load(e->s, 1, ALU_CMP, RAX, at(RDX, l->jumps + index));
    emit_cold(e, COLD_PROBE, jcc32(e->s, CC_NE), NULL);
    mov_load(e->s, 1, RDX, at(RDX, l->jumps + index + 8));
    rm(e->s, 0, 0, 0xff, 4, at(RDX, l->entry));
}

static bool same_page(const struct emit *e, uint64_t pc)
{
    return (pc ^ e->b->pc) < 4096;
}

static void emit_jump(struct emit *e, uint64_t pc)
{
    if (same_page(e, pc))
        emit_cold(e, COLD_LINK, jump32(e->s), NULL)->target = pc;
    else
        emit_probe_at(e, pc);
}

static void emit_branch_on(struct emit *e, enum cc cc, uint64_t pc)
{
    uint8_t *from = jcc32(e->s, cc);

    if (same_page(e, pc)) {
        emit_cold(e, COLD_LINK, from, NULL)->target = pc;
        return;
    }
    struct cold *c = emit_cold(e, COLD_PROBE, from, NULL);
    c->target = pc;
    c->reg = 1;
}

static void emit_branch(struct emit *e, const struct ir_op *op)
{
    struct ir_op compare = *op;

    if (op->b == IR_IMM)
        compare.imm = 0; /* imm is the target: only zero is compared with */
    emit_compare(e, &compare, op->a);
    emit_branch_on(e, cc_of(op->cond), (uint64_t)op->imm);
}

static void emit_jumpi(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RAX);

    lea(e->s, e->l->address_mask == UINT64_MAX, RAX, at(a, (int32_t)op->imm));
    alu_imm(e->s, 1, ALU_AND, RAX, -2);
    emit_probe(e);
}

static void emit_exit(struct emit *e, enum jit_exit why, uint32_t what)
{
    mov_imm(e->s, RAX, (uint64_t)why << 32 | what);
    jump_to(e->s, e->j->exit);
}

static void emit_call(struct emit *e, const struct ir_op *op)
{
    mov_imm(e->s, RDX, op->site);
    call_to(e->s, e->j->call);
    emit_forget_floats(e);
}

static void emit_fence(struct emit *e)
{
    /* lock or dword [rsp], 0 */
    b1(e->s, 0xf0);
    alu_mem_imm(e->s, 0, ALU_OR, at(RSP, 0), 0);
}

/* ---- cold code ---- */

static void emit_cold_load(struct emit *e, const struct cold *c)
{
    if (c->reg != RAX)
        mov(e->s, 1, RAX, c->reg);
    mov_imm(e->s, RDX, c->op->site);
    call_to(e->s, e->j->load[log2_of(c->op->size)]);
    extend(e, c->op, (int)c->target);
    emit_reload_floats(e, c);
    jump_to(e->s, c->back);
}

static void emit_cold_store(struct emit *e, const struct cold *c)
{
    if (c->reg != RAX)
        mov(e->s, 1, RAX, c->reg);
    int value = stored_value(e, c->op, RCX);
    if (value != RCX)
        mov(e->s, 1, RCX, value);
    mov_imm(e->s, RDX, c->op->site);
    call_to(e->s, e->j->store[log2_of(c->op->size)]);
    emit_reload_floats(e, c);
    jump_to(e->s, c->back);
}

static void emit_cold_link(struct emit *e, const struct cold *c)
{
    uint32_t link = emit_new_link(e->j, e->b->site, c->target, c->from);

    if (link == LINKS_MAX)
        e->s->full = 1;
    emit_exit(e, JIT_LINK, link);
}

static void emit_one_cold(struct emit *e, const struct cold *c)
{
    land32(e->s, c->from);
    switch (c->kind) {
    case COLD_LOAD: emit_cold_load(e, c); break;
    case COLD_STORE: emit_cold_store(e, c); break;
    case COLD_CALL:
        mov_imm(e->s, RDX, c->op->site);
        call_to(e->s, e->j->call);
        emit_reload_floats(e, c);
        jump_to(e->s, c->back);
        break;
    case COLD_NAN: emit_cold_nan(e, c); break;
    case COLD_LEAVE: emit_exit(e, JIT_SITE, c->op->site); break;
    case COLD_BUDGET:
        alu_mem_imm(e->s, 1, ALU_ADD, field(e, e->l->budget), (int32_t)e->b->insns);
        emit_exit(e, JIT_BUDGET, e->b->site);
        break;
    case COLD_LINK: emit_cold_link(e, c); break;
    case COLD_PROBE:
        if (c->reg)
            emit_probe_at(e, c->target); /* which adds a cold end of its own */
        else
            jump_to(e->s, e->j->exit_pc);
        break;
    }
}

/* ---- blocks ---- */

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
    case IR_load: emit_load(e, op); break;
    case IR_store: emit_store(e, op); break;
    case IR_fence: emit_fence(e); break;
    case IR_call: emit_call(e, op); break;
    case IR_branch: emit_branch(e, op); break;
    case IR_jump: emit_jump(e, (uint64_t)op->imm); break;
    case IR_jumpi: emit_jumpi(e, op); break;
    case IR_leave: emit_exit(e, JIT_SITE, op->site); break;
    default: assert(!"an operation without code"); break;
    }
}

bool emit_block(struct jit *j, const struct ir_block *b)
{
    struct emit e = { .j = j, .s = &j->as, .l = j->layout, .b = b };

    emit_forget_floats(&e);
    alu_mem_imm(e.s, 1, ALU_SUB, field(&e, e.l->budget), (int32_t)b->insns);
    emit_cold(&e, COLD_BUDGET, jcc32(e.s, CC_S), NULL);
    for (const struct ir_op *op = b->ops; op < b->ops + b->count && !e.s->full; op++) {
        if (!emit_float(&e, op))
            emit_op(&e, op);
    }
    for (unsigned i = 0; i < e.colds && !e.s->full; i++)
        emit_one_cold(&e, &e.cold[i]);
    return !e.s->full;
}

/* ---- thunks ---- */

static void move_pins(struct emit *e, unsigned first, bool store)
{
    for (unsigned i = first; i < JIT_PINS; i++) {
        struct mem m = slot(e, e->l->pins[i]);
        if (store)
            mov_store(e->s, 1, m, pin_regs[i]);
        else
            mov_load(e->s, 1, pin_regs[i], m);
    }
}

/* Calls the guest with rdi = CPU, rsi = site (from rdx), and, with a size, rdx = address (rax), rcx, r8 = size. */
static uint8_t *emit_callback(struct emit *e, const void *fn, unsigned size, bool store)
{
    uint8_t *start = e->s->p;
    bool call = !size;

    alu_imm(e->s, 1, ALU_SUB, RSP, 8);
    move_pins(e, 0, true);
    lea(e->s, 1, RDI, at(RBP, -e->l->center));
    mov(e->s, 0, RSI, RDX);
    if (size)
        mov(e->s, 1, RDX, RAX);
    if (size)
        mov_imm(e->s, store ? R8 : RCX, size);
    mov_imm(e->s, RAX, (uintptr_t)fn);
    rr(e->s, 0, 0, 0xff, 2, RAX); /* call rax */
    move_pins(e, call ? 0 : CALLEE_SAVED_PINS, false);
    if (call)
        mov_load(e->s, 1, R14, field(e, e->l->data));
    alu_imm(e->s, 1, ALU_ADD, RSP, 8);
    b1(e->s, 0xc3);
    return start;
}

static void emit_entry(struct emit *e)
{
    static const int8_t saved[] = { RBX, RBP, R12, R13, R14, R15 };
    struct jit *j = e->j;

    j->enter = e->s->p; /* rdi: CPU, rsi: code */
    for (unsigned i = 0; i < 6; i++)
        push(e->s, saved[i]);
    alu_imm(e->s, 1, ALU_SUB, RSP, 8);
    lea(e->s, 1, RBP, at(RDI, e->l->center));
    mov(e->s, 1, RAX, RSI);
    mov_load(e->s, 1, R14, field(e, e->l->data));
    move_pins(e, 0, false);
    rr(e->s, 0, 0, 0xff, 4, RAX); /* jmp rax */

    j->exit_pc = e->s->p;
    mov_store(e->s, 1, field(e, e->l->pc), RAX);
    mov_imm(e->s, RAX, (uint64_t)JIT_NEXT << 32);
    j->exit = e->s->p; /* rax: the result */
    move_pins(e, 0, true);
    alu_imm(e->s, 1, ALU_ADD, RSP, 8);
    for (unsigned i = 6; i-- > 0;)
        pop(e->s, saved[i]);
    b1(e->s, 0xc3);
}

void emit_thunks(struct jit *j)
{
    struct emit e = { .j = j, .s = &j->as, .l = j->layout };

    memset(j->pin, NO_REG, sizeof j->pin);
    for (unsigned i = 0; i < JIT_PINS; i++)
        j->pin[j->layout->pins[i]] = pin_regs[i];
    emit_entry(&e);
    for (unsigned i = 0; i < 4; i++) {
        j->load[i] = emit_callback(&e, (const void *)(uintptr_t)j->layout->load, 1u << i, false);
        j->store[i] = emit_callback(&e, (const void *)(uintptr_t)j->layout->store, 1u << i, true);
    }
    j->call = emit_callback(&e, (const void *)(uintptr_t)j->layout->call, 0, false);
}
