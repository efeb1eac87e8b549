/*
 * Translation contexts: one soft TLB and jump cache for each way of seeing memory that was used lately (satp with its
 * ASID, effective privilege, SUM, MXR). A switch of address space or mode changes two pointers and flushes nothing.
 *
 * Global pages (the kernel's) are cached in each space, and once more in a space of all address spaces. A new process
 * finds the kernel there without a walk, and a fence on one ASID leaves them there (privileged spec 4.2.1). Spaces are
 * global for the supervisor's views only, and of one paging mode at a time.
 */
#include <stdlib.h>

#include "alloc.h"
#include "jit.h"
#include "state.h"

enum { NO_JUMP = 1 }; /* no pc is odd */

static const struct rv_hull empty_hull = { UINT64_MAX, 0 };

static void hull_add(struct rv_hull *h, uint64_t lo, uint64_t hi)
{
    if (lo < h->lo)
        h->lo = lo;
    if (hi > h->hi)
        h->hi = hi;
}

static bool hull_has(const struct rv_hull *h, uint64_t va)
{
    return h->lo <= va && va <= h->hi;
}

void rv_note_page(struct rv_space *space, uint64_t gva, uint64_t span)
{
    space->used = true;
    if (span == PAGE_SIZE)
        return;
    hull_add(&space->large[gva >> 63], gva & ~(span - 1), gva | (span - 1));
    if (span > space->span)
        space->span = span;
}

void rv_remember_jump(const struct rv *cpu, struct rv_space *space, uint64_t pc, const struct rv_block *block)
{
    unsigned slot = pc >> 1 & (RV_JUMPS - 1);

    if (space->jumps[slot].pc == NO_JUMP && space->jump_count <= RV_JUMP_LIST) {
        if (space->jump_count < RV_JUMP_LIST)
            space->jumps_filled[space->jump_count] = (uint16_t)slot;
        space->jump_count++;
    }
    space->jumps[slot] = (struct rv_jump){ pc, block->entry };
    space->jump_block[slot] = rv_block_number(cpu, block);
    space->used = true;
    rv_code_page_add(&space->code, pc, block->code);
}

void rv_renew_jump(struct rv *cpu, const struct rv_block *block)
{
    struct rv_jump *j = &cpu->fetch->jumps[block->pc >> 1 & (RV_JUMPS - 1)];

    if (j->code != block->entry && rv_jump_to(cpu, cpu->fetch, block->pc) == block)
        j->code = block->entry;
}

/* Host code's open calls are jumps, too. */
static void forget_calls(struct rv *cpu)
{
    if (cpu->jit)
        jit_forget_calls(cpu->jit, cpu);
}

/* Jumps that are cleared when their numbers have been used up are not linked until all code has been forgotten. */
static void new_epoch(struct rv *cpu, struct rv_space *space)
{
    space->epoch = cpu->last_epoch < RV_NO_EPOCH ? ++cpu->last_epoch : RV_NO_EPOCH;
    if (space->epoch == RV_NO_EPOCH)
        rv_code_is_full(cpu);
    forget_calls(cpu);
}

static void clear_jumps(struct rv *cpu, struct rv_space *space)
{
    space->suspect = false;
    if (!space->jump_count)
        return;
    if (space->jump_count > RV_JUMP_LIST) {
        for (size_t i = 0; i < RV_JUMPS; i++)
            space->jumps[i].pc = NO_JUMP;
    }
    for (size_t i = 0; i < space->jump_count && i < RV_JUMP_LIST; i++)
        space->jumps[space->jumps_filled[i]].pc = NO_JUMP;
    space->jump_count = 0;
    rv_code_pages_clear(&space->code);
    new_epoch(cpu, space);
}

static void clear_tlb(struct rv_space *space)
{
    tlb_clear(&space->tlb);
    space->large[0] = space->large[1] = empty_hull;
    space->span = PAGE_SIZE;
}

static void clear(struct rv *cpu, struct rv_space *space)
{
    if (!space->used)
        return;
    clear_tlb(space);
    clear_jumps(cpu, space);
    space->used = false;
}

static void show_epochs(struct rv *cpu)
{
    const struct rv_space *s = cpu->fetch;

    cpu->epochs[0] = s->epoch;
    cpu->epochs[1] = s->global ? s->global->epoch : s->epoch;
}

void rv_restart_epochs(struct rv *cpu)
{
    cpu->last_epoch = 0;
    for (unsigned i = 0; i < RV_SPACES; i++)
        new_epoch(cpu, &cpu->spaces[i]);
    for (unsigned i = 0; i < RV_GLOBALS; i++)
        new_epoch(cpu, &cpu->globals[i]);
    show_epochs(cpu);
}

unsigned rv_epoch_of(const struct rv *cpu, const struct rv_block *block)
{
    const struct rv_space *g = cpu->fetch->global;

    return g && rv_jump_to(cpu, g, block->pc) == block;
}

/* ---- what all address spaces share ---- */

static uint64_t paging_mode(const struct rv *cpu, uint64_t satp)
{
    return is_rv32(cpu) ? satp >> 31 : satp >> 60;
}

static void use_paging_mode(struct rv *cpu, uint64_t mode)
{
    if (cpu->global_mode == mode)
        return;
    for (unsigned i = 0; i < RV_GLOBALS; i++)
        clear(cpu, &cpu->globals[i]);
    cpu->global_mode = mode;
}

static struct rv_space *global_of(struct rv *cpu, uint64_t satp, uint32_t view)
{
    return satp && (view & RV_VIEW_PRIV) == PRIV_S ? &cpu->globals[view / RV_VIEW_SUM] : NULL;
}

uint8_t *rv_adopt_page(struct rv_space *space, uint64_t va, enum tlb_kind kind)
{
    struct rv_space *g = space->global;
    uint8_t *host = g ? tlb_find(&g->tlb, va, 1, kind) : NULL;

    if (!host)
        return NULL;
    tlb_fill(&space->tlb, va, host - (va & (PAGE_SIZE - 1)), kind);
    rv_note_page(space, va, hull_has(&g->large[va >> 63], va) ? g->span : PAGE_SIZE);
    return host;
}

const struct rv_block *rv_adopt_jump(struct rv *cpu, struct rv_space *space, uint64_t pc)
{
    const struct rv_block *b = space->global ? rv_jump_to(cpu, space->global, pc) : NULL;

    if (b)
        rv_remember_jump(cpu, space, pc, b);
    return b;
}

/* ---- selecting ---- */

static struct rv_space *find(struct rv *cpu, uint64_t satp, uint32_t view)
{
    struct rv_space_key *k = cpu->space_keys, *oldest = k;
    unsigned i = 0;

    if (satp)
        use_paging_mode(cpu, paging_mode(cpu, satp));
    while (i < RV_SPACES && (k[i].satp != satp || k[i].view != view)) {
        if (k[i].tick < oldest->tick)
            oldest = &k[i];
        i++;
    }
    if (i < RV_SPACES) {
        k[i].tick = ++cpu->tick;
        return &cpu->spaces[i];
    }
    struct rv_space *s = &cpu->spaces[oldest - k];
    clear(cpu, s);
    s->satp = satp;
    s->view = view;
    s->global = global_of(cpu, satp, view);
    *oldest = (struct rv_space_key){ satp, view, ++cpu->tick };
    return s;
}

static uint64_t effective_satp(const struct rv *cpu, unsigned priv)
{
    uint64_t mode = paging_mode(cpu, cpu->satp);

    return priv == PRIV_M || !mode ? 0 : cpu->satp;
}

/* A space is about to be fetched from under this satp. */
static void settle(struct rv *cpu, struct rv_space *space, uint64_t satp)
{
    if (!space || !space->suspect)
        return;
    space->suspect = false;
    if (!rv_code_pages_hold(cpu, &space->code, satp, space->view))
        clear_jumps(cpu, space);
}

static void settle_fetch(struct rv *cpu)
{
    settle(cpu, cpu->fetch->global, cpu->fetch->satp);
    settle(cpu, cpu->fetch, cpu->fetch->satp);
    show_epochs(cpu);
}

/* While the supervisor runs the user's open calls wait; an address leads to one of both alone. Everybody else has
 * addresses of his own. */
static void switch_calls(struct rv *cpu, uint64_t satp, uint32_t from)
{
    uint32_t to = cpu->fetch->view;

    if (!cpu->jit || (cpu->fetch->satp == satp && to == from))
        return;
    if (!satp || satp != cpu->fetch->satp || from + to != PRIV_U + PRIV_S)
        jit_forget_calls(cpu->jit, cpu);
    else if (to == PRIV_S)
        jit_hide_calls(cpu->jit, cpu);
    else
        jit_show_calls(cpu->jit, cpu);
}

void rv_update_spaces(struct rv *cpu)
{
    unsigned priv = cpu->priv;
    uint32_t view = 0, old_view = cpu->fetch->view;
    uint64_t old_satp = cpu->fetch->satp;

    cpu->fetch = find(cpu, effective_satp(cpu, priv), priv);
    settle_fetch(cpu);
    switch_calls(cpu, old_satp, old_view);
    if (cpu->priv == PRIV_M && (cpu->mstatus & MSTATUS_MPRV))
        priv = bits(cpu->mstatus, 11, 2);
    uint64_t satp = effective_satp(cpu, priv);
    if (satp) {
        view |= cpu->mstatus & MSTATUS_MXR ? RV_VIEW_MXR : 0;
        view |= priv == PRIV_S && (cpu->mstatus & MSTATUS_SUM) ? RV_VIEW_SUM : 0;
    }
    cpu->data = find(cpu, satp, priv | view);
}

void rv_flush_all(struct rv *cpu)
{
    for (unsigned i = 0; i < RV_SPACES; i++)
        clear(cpu, &cpu->spaces[i]);
    for (unsigned i = 0; i < RV_GLOBALS; i++)
        clear(cpu, &cpu->globals[i]);
    show_epochs(cpu);
}

void rv_drop_write_entries(struct rv *cpu)
{
    for (unsigned i = 0; i < RV_SPACES; i++)
        tlb_clear_kind(&cpu->spaces[i].tlb, TLB_WRITE);
    for (unsigned i = 0; i < RV_GLOBALS; i++)
        tlb_clear_kind(&cpu->globals[i].tlb, TLB_WRITE);
}

void rv_clear_jumps(struct rv *cpu)
{
    for (unsigned i = 0; i < RV_SPACES; i++)
        clear_jumps(cpu, &cpu->spaces[i]);
    for (unsigned i = 0; i < RV_GLOBALS; i++)
        clear_jumps(cpu, &cpu->globals[i]);
    forget_calls(cpu);
    show_epochs(cpu);
}

static uint64_t asid_of(const struct rv *cpu, uint64_t satp)
{
    return is_rv32(cpu) ? bits(satp, 22, 9) : bits(satp, 44, 16);
}

/* Drops what is cached for one address. What came from a superpage is cached page by page, all of which go. `current`:
 * satp is what the space is seen under. */
static void fence_address(struct rv *cpu, struct rv_space *s, uint64_t va, bool current)
{
    uint64_t span = hull_has(&s->large[va >> 63], va) ? s->span : PAGE_SIZE;

    tlb_drop(&s->tlb, va, span);
    if (s->jump_count && (span > PAGE_SIZE || !current || !rv_code_page_holds(cpu, &s->code, cpu->satp, s->view, va)))
        s->suspect = true;
}

static void fence(struct rv *cpu, struct rv_space *s, const uint64_t *va, bool current)
{
    if (!s->used)
        return;
    if (va) {
        fence_address(cpu, s, *va, current);
        return;
    }
    clear_tlb(s);
    s->used = s->suspect = s->jump_count;
}

void rv_fence_vma(struct rv *cpu, const uint64_t *va, const uint64_t *asid)
{
    bool same_mode = paging_mode(cpu, cpu->satp) == cpu->global_mode;

    for (struct rv_space *s = cpu->spaces; s < cpu->spaces + RV_SPACES; s++) {
        if (s->satp && (!asid || asid_of(cpu, s->satp) == *asid))
            fence(cpu, s, va, s->satp == cpu->satp);
    }
    for (unsigned i = 0; i < RV_GLOBALS && !asid; i++)
        fence(cpu, &cpu->globals[i], va, same_mode);
    settle_fetch(cpu);
}

static void init(struct rv *cpu, struct rv_space *s)
{
    tlb_init(&s->tlb);
    s->jump_count = RV_JUMP_LIST + 1;
    s->used = true;
    clear(cpu, s);
}

void rv_spaces_init(struct rv *cpu)
{
    cpu->spaces = alloc_array(RV_SPACES, sizeof *cpu->spaces);
    cpu->globals = alloc_array(RV_GLOBALS, sizeof *cpu->globals);
    for (unsigned i = 0; i < RV_SPACES; i++)
        init(cpu, &cpu->spaces[i]);
    for (unsigned i = 0; i < RV_GLOBALS; i++)
        init(cpu, &cpu->globals[i]);
    cpu->fetch = cpu->data = cpu->spaces;
}

void rv_spaces_free(struct rv *cpu)
{
    free(cpu->spaces);
    free(cpu->globals);
}
