/*
 * Translation contexts: one soft TLB and jump cache for each way of seeing memory that was used lately (satp with its
 * ASID, effective privilege, SUM, MXR). A switch of address space or mode changes two pointers and flushes nothing.
 *
 * Global mappings need no care: every space caches them for itself, and a fence on one ASID drops them too, which the
 * manual allows (privileged spec 4.2.1: a fence may always do more).
 */
#include "state.h"

static const struct rv_hull empty_hull = { UINT64_MAX, 0 };

static void hull_add(struct rv_hull *h, uint64_t lo, uint64_t hi)
{
    if (lo < h->lo)
        h->lo = lo;
    if (hi > h->hi)
        h->hi = hi;
}

static bool hull_meets(const struct rv_hull *h, uint64_t lo, uint64_t hi)
{
    return h->lo <= hi && lo <= h->hi;
}

static bool hull_has(const struct rv_hull *h, uint64_t va)
{
    return hull_meets(h, va, va);
}

static unsigned page_hash(uint64_t va)
{
    return (unsigned)((va >> PAGE_BITS) * UINT64_C(0x9e3779b97f4a7c15) >> 54) & (RV_PAGE_FILTER - 1);
}

void rv_note_page(struct rv_space *space, uint64_t gva, uint64_t span)
{
    space->used = true;
    if (span == PAGE_SIZE)
        return;
    hull_add(&space->half[gva >> 63].large, gva & ~(span - 1), gva | (span - 1));
    if (span > space->span)
        space->span = span;
}

void rv_note_jump(struct rv_space *space, uint64_t pc)
{
    unsigned bit = page_hash(pc);

    space->used = true;
    hull_add(&space->half[pc >> 63].code, pc & ~(uint64_t)(PAGE_SIZE - 1), pc | (PAGE_SIZE - 1));
    space->code_pages[bit / 64] |= BIT(bit % 64);
}

static void clear_jumps(struct rv_space *space)
{
    for (size_t i = 0; i < RV_JUMPS; i++)
        space->jumps[i].pc = 1;
    space->half[0].code = space->half[1].code = empty_hull;
    memset(space->code_pages, 0, sizeof space->code_pages);
}

static void clear(struct rv_space *space)
{
    if (!space->used)
        return;
    tlb_clear(&space->read);
    tlb_clear(&space->write);
    tlb_clear(&space->exec);
    clear_jumps(space);
    space->half[0].large = space->half[1].large = empty_hull;
    space->used = false;
    space->span = PAGE_SIZE;
}

static struct rv_space *find(struct rv *cpu, uint64_t satp, uint32_t view)
{
    struct rv_space_key *k = cpu->space_keys, *oldest = k;
    unsigned i = 0;

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
    clear(s);
    s->satp = satp;
    s->view = view;
    *oldest = (struct rv_space_key){ satp, view, ++cpu->tick };
    return s;
}

static uint64_t effective_satp(const struct rv *cpu, unsigned priv)
{
    uint64_t mode = is_rv32(cpu) ? cpu->satp >> 31 : cpu->satp >> 60;

    return priv == PRIV_M || !mode ? 0 : cpu->satp;
}

void rv_update_spaces(struct rv *cpu)
{
    unsigned priv = cpu->priv;
    uint32_t view = 0;

    cpu->fetch = find(cpu, effective_satp(cpu, priv), priv);
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
    for (struct rv_space *s = cpu->spaces; s < cpu->spaces + RV_SPACES; s++)
        clear(s);
}

void rv_clear_jumps(struct rv *cpu)
{
    for (struct rv_space *s = cpu->spaces; s < cpu->spaces + RV_SPACES; s++) {
        if (s->half[0].code.lo <= s->half[0].code.hi || s->half[1].code.lo <= s->half[1].code.hi)
            clear_jumps(s);
    }
}

static uint64_t asid_of(const struct rv *cpu, uint64_t satp)
{
    return is_rv32(cpu) ? bits(satp, 22, 9) : bits(satp, 44, 16);
}

/* Drops what is cached for one address. What came from a superpage is cached page by page, all of which go. */
static void fence_address(struct rv_space *s, uint64_t va)
{
    const struct rv_footprint *half = &s->half[va >> 63];
    uint64_t span = hull_has(&half->large, va) ? s->span : PAGE_SIZE;
    unsigned bit = page_hash(va);

    tlb_drop(&s->read, va, span);
    tlb_drop(&s->write, va, span);
    tlb_drop(&s->exec, va, span);
    /* Code need not be near va when it shares a superpage with it. */
    if (span > PAGE_SIZE ? hull_meets(&half->code, va & ~(span - 1), va | (span - 1))
                         : hull_has(&half->code, va) && s->code_pages[bit / 64] >> bit % 64 & 1)
        clear_jumps(s);
}

void rv_fence_vma(struct rv *cpu, const uint64_t *va, const uint64_t *asid)
{
    for (struct rv_space *s = cpu->spaces; s < cpu->spaces + RV_SPACES; s++) {
        if (!s->used || !s->satp || (asid && asid_of(cpu, s->satp) != *asid))
            continue;
        if (va)
            fence_address(s, *va);
        else
            clear(s);
    }
}
