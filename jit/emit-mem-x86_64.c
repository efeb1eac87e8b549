/*
 * emit-mem-x86_64.c - guest memory: the look into the TLB, and what happens when it has nothing.
 */
#include "emit.h"
#include "tlb.h"

/* The register that has a store's value. */
static int stored_value(struct emit *e, const struct ir_op *op, int scratch)
{
    if (op->b == IR_IMM) {
        mov_imm(e->s, scratch, 0);
        return scratch;
    }
    return emit_use(e, op->b, scratch);
}

static unsigned log2_of(unsigned size)
{
    return size == 8 ? 3 : size / 2;
}

enum { ENTRY_BITS = 5 }; /* of its size */
_Static_assert(sizeof(struct tlb_entry) == 1 << ENTRY_BITS, "the index is shifted to be an offset");

static struct mem tlb_field(const struct emit *e, size_t offset)
{
    return at_index(R14, RCX, 1, e->l->tlb + (int32_t)offset);
}

static struct mem tlb_tag_of(const struct emit *e, bool write)
{
    return tlb_field(e, offsetof(struct tlb_entry, tag[write ? TLB_WRITE : TLB_READ]));
}

static struct mem tlb_addend(const struct emit *e)
{
    return tlb_field(e, offsetof(struct tlb_entry, addend));
}

/* rcx := offset of the TLB's entry for the address in rcx or `va`. */
static void emit_index(struct emit *e, int va)
{
    unsigned shift = PAGE_BITS - ENTRY_BITS;

    if (e->j->host.bmi2) {
        vex(e->s, 3, 3, 0, 0xf0, RCX, 0, va); /* rorx ecx, va, shift */
        b1(e->s, shift);
    } else {
        if (va != RCX)
            mov(e->s, 0, RCX, va);
        shift_imm(e->s, 0, SH_SHR, RCX, shift);
    }
    alu_imm(e->s, 0, ALU_AND, RCX, (int32_t)((1u << (e->l->tlb_bits + ENTRY_BITS)) - (1u << ENTRY_BITS)));
}

/* rdx is the address, `va` has the bits of its page: equal when the TLB has it for an access of this size. */
static void emit_match(struct emit *e, int va, unsigned size, bool write)
{
    emit_index(e, va);
    alu_imm(e->s, 1, ALU_AND, RDX, -4096 | (int32_t)(size - 1));
    alu_load(e->s, 1, ALU_CMP, RDX, tlb_tag_of(e, write));
}

static int32_t lowest(const struct ir_op *page)
{
    return (int32_t)page->imm;
}

static int32_t highest(const struct ir_op *page)
{
    return (int32_t)(page->imm >> 32);
}

/* Looks a page up: equal when the TLB has it; then its address is in rdx, and the entry's other half at the operand
 * returned. */
static struct mem emit_look_up_page(struct emit *e, const struct ir_op *op)
{
    int32_t lo = lowest(op), hi = highest(op);
    int base = emit_use(e, op->a, RAX);

    lea(e->s, 1, RDX, at(base, hi));
    if (lo) {
        lea(e->s, 0, RCX, at(base, lo));
        base = RCX;
    }
    emit_match(e, base, op->size, op->flags & IR_WRITE);
    return tlb_addend(e);
}

/* The same, and it is there in the end. */
static struct mem emit_bring_page(struct emit *e, const struct ir_op *op)
{
    uint8_t *again = e->s->p;
    struct mem addend = emit_look_up_page(e, op);

    emit_cold(e, COLD_TOUCH, jcc32(e->s, CC_NE), op)->back = again;
    return addend;
}

/* What host and guest addresses differ by becomes the operation's result. */
static void emit_put_addend(struct emit *e, const struct ir_op *op, struct mem m)
{
    int d = destination(e, op->dst, RCX);

    mov_load(e->s, 1, d, m);
    if (e->in_rcx != op->dst)
        emit_put(e, op->dst, d);
}

void emit_page(struct emit *e, const struct ir_op *op)
{
    emit_put_addend(e, op, emit_bring_page(e, op));
}

/* ---- windows ----
 *
 * A window has the first address for which the base register has left its page; upwards that is above it, downwards
 * below. An empty one has an address that is so for each.
 */

static struct mem window_limit(const struct emit *e, const struct ir_op *op)
{
    return field(e, e->l->windows + 16 * op->c);
}

static struct mem window_addend(const struct emit *e, const struct ir_op *op)
{
    return field(e, e->l->windows + 16 * op->c + 8);
}

void emit_window(struct emit *e, const struct ir_op *op)
{
    alu_load(e->s, 1, ALU_CMP, emit_use(e, op->a, RAX), window_limit(e, op));
    struct cold *c = emit_cold(e, COLD_WINDOW, jcc32(e->s, op->flags & IR_DOWN ? CC_BE : CC_AE), op);
    c->back = e->s->p;
    emit_put_addend(e, op, window_addend(e, op));
}

/* The window is of the page that has been looked up. */
static void emit_open_window(struct emit *e, const struct ir_op *op, struct mem addend)
{
    mov_load(e->s, 1, RCX, addend);
    mov_store(e->s, 1, window_addend(e, op), RCX);
    lea(e->s, 1, RDX, at(RDX, op->flags & IR_DOWN ? -lowest(op) - 1 : 4096 - op->size - highest(op) + 1));
    mov_store(e->s, 1, window_limit(e, op), RDX);
}

void emit_cold_window(struct emit *e, const struct cold *c)
{
    emit_open_window(e, c->op, emit_bring_page(e, c->op));
    jump_to(e->s, c->back);
}

void emit_renew(struct emit *e, const struct ir_op *op)
{
    mov_store_imm(e->s, 1, window_limit(e, op), op->flags & IR_DOWN ? -1 : 0);
    struct mem addend = emit_look_up_page(e, op);
    uint8_t *nowhere = jcc8(e->s, CC_NE);
    emit_open_window(e, op, addend);
    land8(e->s, nowhere);
}

void emit_renew_all(struct emit *e)
{
    for (const struct ir_op *op = e->b->ops; op < e->b->ops + e->b->count && e->windows; op++) {
        if (op->code == IR_window)
            emit_renew(e, op);
    }
}

/* The operand of pload and pstore. */
static struct mem in_page(struct emit *e, const struct ir_op *op)
{
    int base = emit_use(e, op->a, RAX);

    return at_index(base, e->in_rcx == op->c ? RCX : emit_use(e, op->c, RCX), 1, (int32_t)op->imm);
}

/* Looks the address up, for a load or a store; the operand is where it is. */
static struct mem emit_lookup(struct emit *e, const struct ir_op *op, bool write, enum cold_kind kind,
                              struct cold **cold)
{
    int va = emit_use(e, op->a, RAX);
    int32_t imm = (int32_t)op->imm;

    if (e->l->address_mask == UINT32_MAX) {
        lea(e->s, 0, RAX, at(va, imm));
        va = RAX;
        imm = 0;
    }
    if (imm)
        lea(e->s, 1, RDX, at(va, imm));
    else
        mov(e->s, 1, RDX, va);
    emit_match(e, imm ? RDX : va, op->size, write);
    *cold = emit_cold(e, kind, jcc32(e->s, CC_NE), op);
    (*cold)->reg = va;
    (*cold)->other = imm;
    mov_load(e->s, 1, RCX, tlb_addend(e));
    return at_index(va, RCX, 1, imm);
}

/* rax := the address that the lookup missed. */
static void emit_missed(struct emit *e, const struct cold *c)
{
    if (c->reg != RAX || c->other)
        lea(e->s, 1, RAX, at(c->reg, c->other));
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

static void load_integer(struct emit *e, const struct ir_op *op)
{
    int d = destination(e, op->dst, RAX);

    if (op->code == IR_pload) {
        load_extended(e, op, d, in_page(e, op));
    } else {
        struct cold *c;
        load_extended(e, op, d, emit_lookup(e, op, false, COLD_LOAD, &c));
        c->back = e->s->p;
        c->target = (uint64_t)d;
    }
    emit_put(e, op->dst, d);
}

static void load_float(struct emit *e, const struct ir_op *op)
{
    int x = emit_result_xmm(e, op->dst);

    if (op->code == IR_pload) {
        movs_load(e->s, op->size, x, in_page(e, op));
    } else {
        struct cold *c;
        movs_load(e->s, op->size, x, emit_lookup(e, op, false, COLD_LOAD, &c));
        c->back = e->s->p;
        c->target = (uint64_t)x;
    }
    if (op->size == 4)
        emit_box(e, x);
    emit_put_float(e, op->dst, op->size, x);
}

void emit_load(struct emit *e, const struct ir_op *op)
{
    if (is_float(e, op->dst))
        load_float(e, op);
    else
        load_integer(e, op);
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
    locked->other = miss->other;
    rm8(e->s, 0xc6, 0, at(RDX, 0)); /* mov byte [rdx], stamp */
    b1(e->s, l->stamp);
}

/* `x`: the xmm register that has the value of a float global. */
static void store_value(struct emit *e, const struct ir_op *op, struct mem m, int x)
{
    if (x != NO_REG)
        movs_store(e->s, op->size, m, x);
    else
        store_sized(e, op->size, m, stored_value(e, op, RDX));
}

void emit_store(struct emit *e, const struct ir_op *op)
{
    int x = op->b != IR_IMM && is_float(e, op->b) ? emit_use_float(e, op->b) : NO_REG;
    struct cold *c;

    if (op->code == IR_pstore) {
        store_value(e, op, in_page(e, op), x);
        return;
    }
    struct mem m = emit_lookup(e, op, true, COLD_STORE, &c);
    unsigned first = e->colds - 1;

    if (e->l->stamp) {
        lea(e->s, 1, RCX, m);
        emit_stamp(e, c, op);
        m = at(RCX, 0);
    }
    store_value(e, op, m, x);
    for (unsigned i = first; i < e->colds; i++)
        e->room->cold[i].back = e->s->p;
}

void emit_exchange(struct emit *e, const struct ir_op *op)
{
    struct cold *c;
    int w = op->size == 8;

    lea(e->s, 1, RCX, emit_lookup(e, op, true, COLD_CALL, &c));
    if (op->b == IR_IMM)
        mov_imm(e->s, RDX, 0);
    else
        mov(e->s, 1, RDX, emit_use(e, op->b, RDX));
    if (op->code == IR_xadd)
        b1(e->s, 0xf0); /* lock; xchg needs none */
    rm(e->s, 0, w, op->code == IR_xadd ? 0x0fc1 : 0x87, RDX, at(RCX, 0));
    if (!w)
        movsxd(e->s, RDX, RDX);
    emit_put(e, op->dst, RDX);
    c->back = e->s->p;
}

void emit_clear(struct emit *e, const struct ir_op *op)
{
    enum { BLOCK = 64 };
    int a = emit_use(e, op->a, RAX);

    if (a != RAX)
        mov(e->s, e->l->address_mask == UINT64_MAX, RAX, a);
    alu_imm(e->s, e->l->address_mask == UINT64_MAX, ALU_AND, RAX, -BLOCK);
    mov(e->s, 1, RDX, RAX);
    emit_match(e, RAX, 1, true);
    struct cold *c = emit_cold(e, COLD_CALL, jcc32(e->s, CC_NE), op);
    alu_load(e->s, 1, ALU_ADD, RAX, tlb_addend(e));
    rr(e->s, 0, 0, 0x0f57, 0, 0); /* xorps xmm0, xmm0 */
    for (int32_t i = 0; i < BLOCK; i += 16)
        rm(e->s, 0, 0, 0x0f11, 0, at(RAX, i)); /* movups */
    c->back = e->s->p;
}

/* ---- cold code ---- */

void emit_cold_load(struct emit *e, const struct cold *c)
{
    emit_missed(e, c);
    mov_imm(e->s, RDX, c->op->site);
    unsigned n = log2_of(c->op->size);
    emit_thunk_call(e, c, (uint8_t *const[]){ e->j->load[0][n], e->j->load[1][n] });
    if (is_float(e, c->op->dst))
        mov_to_xmm(e->s, 1, (int)c->target, RAX);
    else
        extend(e, c->op, (int)c->target);
    jump_to(e->s, c->back);
}

void emit_cold_store(struct emit *e, const struct cold *c)
{
    emit_missed(e, c);
    int value = RCX;
    if (c->op->b != IR_IMM && is_float(e, c->op->b))
        mov_from_xmm(e->s, 1, RCX, reg_of(e, c->op->b));
    else
        value = stored_value(e, c->op, RCX);
    if (value != RCX)
        mov(e->s, 1, RCX, value);
    mov_imm(e->s, RDX, c->op->site);
    unsigned n = log2_of(c->op->size);
    emit_thunk_call(e, c, (uint8_t *const[]){ e->j->store[0][n], e->j->store[1][n] });
    jump_to(e->s, c->back);
}
