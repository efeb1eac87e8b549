/*
 * emit-flow-x86_64.c - labels, jumps, the ways out of a block, cold code, and the thunks between host code and C.
 *
 * What is seldom needed is emitted behind the block ("cold"): TLB misses, exits, NaNs.
 */
#include <assert.h>

#include "emit.h"

enum { NOT_HERE = IR_LABELS };

/* ---- labels ---- */

static unsigned label_of(const struct emit *e, uint64_t pc)
{
    unsigned n = 0;

    while (n < e->b->label_count && e->b->labels[n].pc != pc)
        n++;
    return n < e->b->label_count ? n : NOT_HERE;
}

void emit_label(struct emit *e, const struct ir_label *label)
{
    unsigned n = (unsigned)(label - e->b->labels);

    e->label = label;
    e->label_at[n] = e->s->p;
    for (unsigned i = 0; i < e->fixups; i++) {
        if (e->room->fixup[i].label == n)
            land32(e->s, e->room->fixup[i].from);
    }
    emit_hold(e, &e->home);
    e->boxed = 0;
    emit_look_ahead(e);
    alu_mem_imm(e->s, 1, ALU_SUB, field(e, e->l->budget), label->insns);
    emit_cold(e, COLD_BUDGET, jcc32(e->s, CC_S), NULL);
}

/* The jump whose displacement is at `from` goes to the label. */
static void land_at_label(struct emit *e, uint8_t *from, unsigned n)
{
    if (e->label_at[n]) {
        int32_t d = (int32_t)(e->label_at[n] - (from + 4));
        if (!e->s->full)
            memcpy(from, &d, sizeof d);
    } else if (e->fixups == COLD_MAX) {
        e->s->full = 1;
    } else {
        e->room->fixup[e->fixups].from = from;
        e->room->fixup[e->fixups++].label = n;
    }
}

/* ---- jumps ---- */

static void jcc_to(struct as *s, enum cc cc, const uint8_t *target)
{
    uint8_t *from = jcc32(s, cc);
    int32_t d = (int32_t)(target - (from + 4));

    if (!s->full)
        memcpy(from, &d, sizeof d);
}

/* Looks the guest address in rax up in the jump cache: equal when it is there. */
static void emit_find(struct emit *e)
{
    const struct jit_layout *l = e->l;

    mov_load(e->s, 1, RDX, field(e, l->fetch));
    mov(e->s, 0, RCX, RAX);
    alu_imm(e->s, 0, ALU_AND, RCX, (1 << (l->jump_bits + 1)) - 2);
    alu_load(e->s, 1, ALU_CMP, RAX, at_index(RDX, RCX, 8, l->jumps));
}

/* To the code found: jmp or call. */
static void emit_go(struct emit *e, bool call)
{
    rm(e->s, 0, 0, 0xff, call ? 2 : 4, at_index(RDX, RCX, 8, e->l->jumps + 8));
}

/* The block at the guest address in rax, by the jump cache. */
static void emit_probe(struct emit *e, bool call)
{
    emit_find(e);
    jcc_to(e->s, CC_NE, e->j->exit_pc);
    emit_go(e, call);
}

static bool same_page(const struct emit *e, uint64_t pc)
{
    return (pc ^ e->b->labels[0].pc) < 4096;
}

static void emit_exit(struct emit *e, enum jit_exit why, uint32_t what)
{
    mov_imm(e->s, RAX, (uint64_t)why << 32 | what);
    jump_to(e->s, e->j->exit);
}

static uint32_t new_link(struct emit *e, struct link link)
{
    link.site = e->b->labels[0].site;
    uint32_t n = emit_new_link(e->j, link);
    if (n == LINKS_MAX)
        e->s->full = 1;
    return n;
}

/* Its displacement is at `at`: it goes to the dispatcher until it is linked. */
static void emit_link(struct emit *e, uint8_t *at, uint64_t pc)
{
    uint32_t link = new_link(e, (struct link){ .target = pc, .at = at });

    land32(e->s, at);
    emit_exit(e, JIT_LINK, link);
}

/* Another page: straight to where it was linked to in this epoch; no epoch is 0. */
static void emit_far(struct emit *e, uint64_t pc, bool call)
{
    cmp_wide_imm(e->s, RBP, e->l->epochs[0] - e->l->center, 0);
    struct cold *c = emit_cold(e, COLD_FAR, jcc32(e->s, CC_NE), NULL);
    uint8_t *at = call ? call32(e->s) : jump32(e->s);
    c->target = pc;
    c->back = call ? e->s->p : NULL;
    c->reg = (int)new_link(e, (struct link){ .target = pc, .at = at, .far = true });
}

static void emit_cold_far(struct emit *e, const struct cold *c)
{
    if (!e->s->full)
        land32(e->s, e->j->links[c->reg].at);
    mov_imm(e->s, RAX, c->target);
    mov_imm(e->s, RDX, (uint32_t)c->reg);
    if (c->back) {
        call_to(e->s, e->j->far);
        jump_to(e->s, c->back);
    } else {
        jump_to(e->s, e->j->far);
    }
}

static struct cold *exit_at(struct emit *e, uint8_t *from, uint64_t pc)
{
    struct cold *c = emit_cold(e, COLD_EXIT, from, NULL);

    c->target = pc;
    return c;
}

/* ---- calls and returns ----
 *
 * A guest's call is a call of host code, and its return the host's. Where that leads to, the guest's return address is
 * looked at: if it is another (another thread, a jump out of nested calls), all open calls are forgotten. Nothing else
 * needs to be: whatever makes another place of an address forgets them, too (open-calls.c).
 */

/* The pinned globals are in their registers, and that is all that the label's code expects. */
static bool may_fall_in(const struct emit *e, unsigned label)
{
    return label != NOT_HERE && emit_is_already(e, &e->home) && !e->guards && !e->windows;
}

static void emit_return_site(struct emit *e, const struct ir_op *frame)
{
    if (fits32(frame->imm)) {
        alu_imm(e->s, 1, ALU_CMP, RAX, (int32_t)frame->imm);
    } else {
        mov_imm(e->s, RCX, (uint64_t)frame->imm);
        alu(e->s, 1, ALU_CMP, RAX, RCX);
    }
    jcc_to(e->s, CC_NE, e->j->lost);
    uint64_t pc = (uint64_t)frame->imm;
    unsigned n = label_of(e, pc);
    if (!same_page(e, pc)) {
        emit_far(e, pc, false);
    } else if (!may_fall_in(e, n)) {
        emit_cold(e, COLD_LINK, jump32(e->s), NULL)->target = pc;
    } else if (e->b->labels[n].at != e->at + 1) {
        land_at_label(e, jump32(e->s), n);
    }
}

/* A return to rax that is not the last call's, or has none. */
static void emit_lost(struct emit *e)
{
    e->j->lost = e->s->p;
    mov_load(e->s, 1, RSP, field(e, e->l->stack));
    mov_store_imm(e->s, 1, field(e, e->l->stack_mark), 0);
    alu_imm(e->s, 1, ALU_AND, RAX, -2);
    emit_probe(e, false);
}

void emit_jump(struct emit *e, uint64_t pc)
{
    unsigned n = label_of(e, pc);
    const struct ir_op *frame = e->frame;

    e->frame = NULL;
    if (n != NOT_HERE && !frame) {
        emit_become(e, &e->home);
        if (e->b->labels[n].at != e->at + 1)
            land_at_label(e, jump32(e->s), n);
        return;
    }
    emit_become(e, &e->j->pinned);
    if (same_page(e, pc) && frame)
        emit_cold(e, COLD_LINK, call32(e->s), NULL)->target = pc;
    else if (same_page(e, pc))
        exit_at(e, jump32(e->s), pc);
    else
        emit_far(e, pc, frame);
    if (frame)
        emit_return_site(e, frame);
}

void emit_branch(struct emit *e, const struct ir_op *op)
{
    struct ir_op compare = *op;
    uint64_t pc = (uint64_t)op->imm;
    unsigned n = label_of(e, pc);

    enum cc cc = emit_cc(op->cond);
    if (e->decided != UNDECIDED) {
        cc = (enum cc)(e->decided ^ (op->cond == IR_EQ));
        e->decided = UNDECIDED;
    } else {
        if (op->b == IR_IMM)
            compare.imm = 0; /* imm is the target: only zero is compared with */
        emit_compare(e, &compare, op->a);
    }
    uint8_t *from = jcc32(e->s, cc);
    if (n != NOT_HERE && emit_is_already(e, &e->home))
        land_at_label(e, from, n);
    else
        exit_at(e, from, pc);
}

void emit_jumpi(struct emit *e, const struct ir_op *op)
{
    int a = emit_use(e, op->a, RAX);

    lea(e->s, e->l->address_mask == UINT64_MAX, RAX, at(a, (int32_t)op->imm));
    emit_become(e, &e->j->pinned);
    const struct ir_op *frame = e->frame;
    e->frame = NULL;
    if (op->flags & IR_RETURN) {
        b1(e->s, 0xc3);
        return;
    }
    alu_imm(e->s, 1, ALU_AND, RAX, -2);
    emit_probe(e, frame);
    if (frame)
        emit_return_site(e, frame);
}

void emit_leave(struct emit *e, uint32_t site)
{
    emit_become(e, &e->j->pinned);
    emit_exit(e, JIT_SITE, site);
}

void emit_call(struct emit *e, const struct ir_op *op)
{
    emit_become(e, &e->j->pinned);
    mov_imm(e->s, RDX, op->site);
    call_to(e->s, e->j->call[0]);
    e->boxed = 0;
    e->at++;
    emit_look_ahead(e);
    e->at--;
}

void emit_system(struct emit *e, const struct ir_op *op)
{
    emit_become(e, &e->j->pinned);
    mov_imm(e->s, RDX, op->site);
    call_to(e->s, e->j->system);
    test(e->s, 0, RAX, RAX);
    jcc_to(e->s, CC_NE, e->j->exit_next);
    mov_load(e->s, 1, RAX, field(e, e->l->pc));
    emit_probe(e, false);
}

/* ---- cold code ---- */

struct cold *emit_cold(struct emit *e, enum cold_kind kind, uint8_t *from, const struct ir_op *op)
{
    struct cold *c = &e->room->cold[e->colds];

    if (e->colds + 1 < COLD_MAX)
        e->colds++;
    else
        e->s->full = 1;
    *c = (struct cold){ .kind = kind, .from = from, .op = op, .label = e->label, .held = e->now, .after = e->now };
    return c;
}

/* The registers hold the pinned globals, all of them: the thunks know where to. */
static bool is_pinned(const struct emit *e, const struct holding *h)
{
    return !memcmp(h->var, e->j->pinned.var, sizeof h->var);
}

static bool needs_no_moves(const struct emit *e, const struct cold *c)
{
    return is_pinned(e, &c->held) && is_pinned(e, &c->after);
}

/* Routines that store and load what is held, unless the last ones do the same. */
static void share_moves(struct emit *e, const struct cold *c)
{
    const struct holding *h = &c->held, *after = &c->after;

    if (needs_no_moves(e, c) || (e->shared.spill && !memcmp(&e->shared.held, h, sizeof *h) &&
                                 !memcmp(&e->shared.after, after, sizeof *after)))
        return;
    e->shared.held = *h;
    e->shared.after = *after;
    e->shared.spill = e->s->p;
    emit_spill(e, h);
    b1(e->s, 0xc3);
    e->shared.reload = e->s->p;
    emit_reload(e, after);
    b1(e->s, 0xc3);
}

void emit_thunk_call(struct emit *e, const struct cold *c, uint8_t *const which[2])
{
    if (needs_no_moves(e, c)) {
        call_to(e->s, which[0]);
        return;
    }
    call_to(e->s, e->shared.spill);
    call_to(e->s, which[1]);
    call_to(e->s, e->shared.reload);
}

void emit_cold_call(struct emit *e, const struct cold *c)
{
    mov_imm(e->s, RDX, c->op->site);
    emit_thunk_call(e, c, e->j->call);
    if (c->op->flags & IR_QUIET)
        emit_restore_flags(e);
    jump_to(e->s, c->back);
}

/* Tries again when the guest could bring the page into the TLB. */
static void emit_cold_touch(struct emit *e, const struct cold *c)
{
    mov_imm(e->s, RDX, c->op->site);
    emit_thunk_call(e, c, e->j->touch[!!(c->op->flags & IR_WRITE)]);
    test(e->s, 0, RAX, RAX);
    jcc_to(e->s, CC_NE, c->back);
    emit_leave(e, c->op->site);
}

static void emit_cold_exit(struct emit *e, const struct cold *c)
{
    unsigned n = label_of(e, c->target);

    if (n != NOT_HERE) {
        land32(e->s, c->from);
        emit_become(e, &e->home);
        land_at_label(e, jump32(e->s), n);
        return;
    }
    bool direct = emit_is_already(e, &e->j->pinned);
    if (!direct || !same_page(e, c->target))
        land32(e->s, c->from);
    emit_become(e, &e->j->pinned);
    if (same_page(e, c->target))
        emit_link(e, direct ? c->from : jump32(e->s), c->target);
    else
        emit_far(e, c->target, false);
}

/* A way into a loop that the unit is not ready for: the guest's own code runs the block, and is charged for it. */
static void emit_unready(struct emit *e, const struct cold *c)
{
    alu_mem_imm(e->s, 1, ALU_SUB, field(e, e->l->budget), c->label->insns);
    uint8_t *enough = jcc8(e->s, CC_NS);
    alu_mem_imm(e->s, 1, ALU_ADD, field(e, e->l->budget), c->label->insns);
    emit_exit(e, JIT_BUDGET, c->label->site);
    land8(e->s, enough);
    emit_exit(e, JIT_SITE, c->label->site);
}

static void emit_one_cold(struct emit *e, const struct cold *c)
{
    if (c->kind <= COLD_TOUCH)
        share_moves(e, c);
    emit_hold(e, &c->held);
    if (c->kind != COLD_EXIT && c->kind != COLD_LINK)
        land32(e->s, c->from);
    switch (c->kind) {
    case COLD_LOAD: emit_cold_load(e, c); break;
    case COLD_STORE: emit_cold_store(e, c); break;
    case COLD_CALL: emit_cold_call(e, c); break;
    case COLD_FMA: emit_cold_fma(e, c); break;
    case COLD_TOUCH: emit_cold_touch(e, c); break;
    case COLD_NAN: emit_cold_nan(e, c); break;
    case COLD_QUIET: emit_cold_quiet(e, c); break;
    case COLD_FLAGS: emit_cold_flags(e, c); break;
    case COLD_LEAVE: emit_leave(e, (uint32_t)c->target); break;
    case COLD_UNREADY: emit_unready(e, c); break;
    case COLD_BUDGET:
        alu_mem_imm(e->s, 1, ALU_ADD, field(e, e->l->budget), c->label->insns);
        emit_become(e, &e->j->pinned);
        emit_exit(e, JIT_BUDGET, c->label->site);
        break;
    case COLD_EXIT: emit_cold_exit(e, c); break;
    case COLD_LINK: emit_link(e, c->from, c->target); break;
    case COLD_FAR: emit_cold_far(e, c); break;
    case COLD_WINDOW: emit_cold_window(e, c); break;
    }
}

/* The way in at a label: whoever comes has the pinned globals. */
static const uint8_t *emit_way_in(struct emit *e, unsigned n)
{
    uint8_t *start = e->s->p;

    emit_hold(e, &e->j->pinned);
    if (emit_is_already(e, &e->home) && !e->guards && !e->windows)
        return e->label_at[n];
    e->label = &e->b->labels[n];
    emit_guard(e, e->guards, COLD_UNREADY, e->label->site);
    emit_become(e, &e->home);
    emit_renew_all(e);
    jump_to(e->s, e->label_at[n]);
    return start;
}

void emit_cold_parts(struct emit *e)
{
    for (unsigned n = 0; n < e->b->label_count; n++)
        e->j->entry[n] = emit_way_in(e, n) + e->j->to_exec;
    for (unsigned i = 0; i < e->colds && !e->s->full; i++)
        emit_one_cold(e, &e->room->cold[i]);
}

/* ---- thunks ---- */

static void move_pins(struct emit *e, unsigned first, bool store)
{
    for (unsigned i = first; i < JIT_PINS; i++) {
        struct mem m = slot(e, e->j->pinned.var[i]);
        if (store)
            mov_store(e->s, 1, m, emit_host_reg[i]);
        else
            mov_load(e->s, 1, emit_host_reg[i], m);
    }
}

/* Calls the guest with rdi = CPU, rsi = site (from rdx), and, with a size, rdx = address (rax), rcx, r8 = size. */
static uint8_t *emit_callback(struct emit *e, const void *fn, unsigned size, bool store, bool pinned)
{
    uint8_t *start = e->s->p;
    bool call = !size;

    mov_store(e->s, 1, field(e, e->l->stack_now), RSP);
    lea(e->s, 1, RSP, at(RSP, -16)); /* room for open-calls.c */
    alu_imm(e->s, 1, ALU_AND, RSP, -16);
    if (pinned)
        move_pins(e, 0, true);
    lea(e->s, 1, RDI, at(RBP, -e->l->center));
    mov(e->s, 0, RSI, RDX);
    if (size)
        mov(e->s, 1, RDX, RAX);
    if (size)
        mov_imm(e->s, store ? R8 : RCX, size);
    mov_imm(e->s, RAX, (uintptr_t)fn);
    rr(e->s, 0, 0, 0xff, 2, RAX); /* call rax; bool is al alone */
    if (call && fn != (const void *)(uintptr_t)e->l->call)
        rr8(e->s, 0, 0x0fb6, RAX, RAX);
    if (pinned)
        move_pins(e, call ? 0 : CALLEE_SAVED, false);
    if (call)
        mov_load(e->s, 1, R14, field(e, e->l->data));
    mov_load(e->s, 1, RSP, field(e, e->l->stack_now));
    b1(e->s, 0xc3);
    return start;
}

static const int8_t saved[] = { RBX, RBP, R12, R13, R14, R15 };
enum { SAVED = sizeof saved };

static void emit_exits(struct emit *e)
{
    struct jit *j = e->j;

    j->exit_pc = e->s->p; /* rax: the guest address */
    mov_store(e->s, 1, field(e, e->l->pc), RAX);
    j->exit_next = e->s->p; /* pc is set */
    mov_imm(e->s, RAX, (uint64_t)JIT_NEXT << 32);
    j->exit = e->s->p; /* rax: the result */
    move_pins(e, 0, true);
    mov_load(e->s, 1, RSP, field(e, e->l->stack));
    mov_store_imm(e->s, 1, field(e, e->l->stack_now), 0);
    pop(e->s, RCX);
    for (unsigned i = SAVED; i-- > 0;)
        pop(e->s, saved[i]);
    b1(e->s, 0xc3);
}

/* rdi: CPU, rsi: code. What returns without a call is lost. */
static void emit_entry(struct emit *e)
{
    struct jit *j = e->j;

    j->enter = e->s->p;
    for (unsigned i = 0; i < SAVED; i++)
        push(e->s, saved[i]);
    lea(e->s, 1, RBP, at(RDI, e->l->center));
    mov_imm(e->s, RCX, (uintptr_t)(j->lost + j->to_exec));
    push(e->s, RCX);
    mov_store(e->s, 1, field(e, e->l->stack), RSP);
    mov_store_imm(e->s, 1, field(e, e->l->stack_mark), 0);
    mov(e->s, 1, RAX, RSI);
    mov_load(e->s, 1, R14, field(e, e->l->data));
    move_pins(e, 0, false);
    rr(e->s, 0, 0, 0xff, 4, RAX); /* jmp rax */
}

/* A far jump of another epoch, to the address in rax, is link edx: by the jump cache, unless it is time to link it. */
static void emit_far_thunk(struct emit *e)
{
    const struct jit_layout *l = e->l;

    e->j->far = e->s->p;
    alu_mem_imm(e->s, 0, ALU_SUB, field(e, l->patience), 1);
    uint8_t *link = jcc8(e->s, CC_S);
    mov_to_xmm(e->s, 0, 0, RDX);
    emit_find(e);
    uint8_t *miss = jcc8(e->s, CC_NE);
    emit_go(e, false);
    land8(e->s, miss);
    mov_from_xmm(e->s, 0, RDX, 0);
    land8(e->s, link);
    mov_imm(e->s, RAX, (uint64_t)JIT_LINK << 32);
    alu(e->s, 1, ALU_OR, RAX, RDX);
    jump_to(e->s, e->j->exit);
}

void emit_thunks(struct jit *j)
{
    struct emit e = { .j = j, .s = &j->as, .l = j->layout };

    memset(j->pinned.var, IR_NONE, sizeof j->pinned.var);
    memcpy(j->pinned.var, j->layout->pins, sizeof j->layout->pins);
    j->pinned.dirty = (1 << JIT_PINS) - 1;
    emit_constants(&e);
    emit_exits(&e);
    emit_lost(&e);
    emit_entry(&e);
    emit_far_thunk(&e);
    for (unsigned pinned = 0; pinned < 2; pinned++) {
        for (unsigned i = 0; i < 4; i++) {
            const void *load = (const void *)(uintptr_t)j->layout->load;
            const void *store = (const void *)(uintptr_t)j->layout->store;
            j->load[!pinned][i] = emit_callback(&e, load, 1u << i, false, pinned);
            j->store[!pinned][i] = emit_callback(&e, store, 1u << i, true, pinned);
        }
        for (unsigned i = 0; i < 2; i++)
            j->touch[i][!pinned] = emit_callback(&e, (const void *)(uintptr_t)j->layout->touch[i], 0, false, pinned);
        j->call[!pinned] = emit_callback(&e, (const void *)(uintptr_t)j->layout->call, 0, false, pinned);
    }
    j->system = emit_callback(&e, (const void *)(uintptr_t)j->layout->system, 0, false, true);
}
