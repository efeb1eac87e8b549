/*
 * Translation contexts: one soft TLB and jump cache for each way of seeing memory that was used lately (satp with its
 * ASID, effective privilege, SUM, MXR). A switch of address space or mode changes two pointers and flushes nothing.
 *
 * Global mappings need no care: every space caches them for itself, and a fence on one ASID drops them too, which the
 * manual allows (privileged spec 4.2.1: a fence may always do more).
 */
#include "state.h"

static void clear_jumps(struct rv_space *space)
{
    for (size_t i = 0; i < RV_JUMPS; i++)
        space->jumps[i].pc = 1;
}

static void clear(struct rv_space *space)
{
    if (!space->used)
        return;
    tlb_clear(&space->read);
    tlb_clear(&space->write);
    tlb_clear(&space->exec);
    clear_jumps(space);
    space->used = false;
    space->span = PAGE_SIZE;
}

static struct rv_space *find(struct rv *cpu, uint64_t satp, uint32_t view)
{
    struct rv_space *oldest = &cpu->spaces[0];

    for (struct rv_space *s = cpu->spaces; s < cpu->spaces + RV_SPACES; s++) {
        if (s->satp == satp && s->view == view) {
            s->tick = ++cpu->tick;
            return s;
        }
        if (s->tick < oldest->tick)
            oldest = s;
    }
    clear(oldest);
    oldest->satp = satp;
    oldest->view = view;
    oldest->tick = ++cpu->tick;
    return oldest;
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
        if (s->used)
            clear_jumps(s);
    }
}

static uint64_t asid_of(const struct rv *cpu, uint64_t satp)
{
    return is_rv32(cpu) ? bits(satp, 22, 9) : bits(satp, 44, 16);
}

void rv_fence_vma(struct rv *cpu, const uint64_t *va, const uint64_t *asid)
{
    for (struct rv_space *s = cpu->spaces; s < cpu->spaces + RV_SPACES; s++) {
        if (!s->used || !s->satp || (asid && asid_of(cpu, s->satp) != *asid))
            continue;
        if (!va) {
            clear(s);
            continue;
        }
        tlb_drop(&s->read, *va, s->span);
        tlb_drop(&s->write, *va, s->span);
        tlb_drop(&s->exec, *va, s->span);
        clear_jumps(s);
    }
}
