/*
 * cbo.c - cache-block operations: Zicbom, Zicboz, Zicbop. Blocks of 64 bytes.
 *
 * RISC-V Instruction Set Manual, volume I (20240411), chapter "CMO", with the enables of menvcfg and senvcfg.
 * There is no cache that memory could disagree with, so cbo.inval, .clean and .flush only check, and
 * prefetches do nothing.
 *
 * Gaps: henvcfg, for want of H.
 */
#include "mem.h"
#include "state.h"

enum { CBO_BLOCK = 64 };

/* The enable must not be 0 in menvcfg (below M), nor in senvcfg (in U, where there is an S). */
static void require(struct rv *cpu, const struct rv_op *op, uint64_t field)
{
    if (cpu->priv != PRIV_M && !(cpu->menvcfg & field))
        rv_illegal(cpu, op);
    if (cpu->priv == PRIV_U && rv_has(&cpu->isa, RV_EXT_S) && !(cpu->senvcfg & field))
        rv_illegal(cpu, op);
}

/* A management operation may touch what may be read or written; its exceptions are a store's. */
static void manage(struct rv *cpu, const struct rv_op *op, uint64_t field)
{
    uint64_t va = rv_ea(cpu, op), block = va & ~(uint64_t)(CBO_BLOCK - 1);

    require(cpu, op, field);
    if (rv_check_access(cpu, block, CBO_BLOCK, ACCESS_READ)) {
        int cause = rv_check_access(cpu, block, CBO_BLOCK, ACCESS_WRITE);
        if (cause)
            rv_raise(cpu, op, (enum rv_cause)cause, va);
    }
}

void exec_cbo_inval(struct rv *cpu, const struct rv_op *op)
{
    manage(cpu, op, ENVCFG_CBIE);
    next(cpu, op);
}

void exec_cbo_clean(struct rv *cpu, const struct rv_op *op)
{
    manage(cpu, op, ENVCFG_CBCFE);
    next(cpu, op);
}

void exec_cbo_flush(struct rv *cpu, const struct rv_op *op)
{
    manage(cpu, op, ENVCFG_CBCFE);
    next(cpu, op);
}

static void zero(struct rv *cpu, const struct rv_op *op)
{
    uint64_t va = rv_ea(cpu, op), block = va & ~(uint64_t)(CBO_BLOCK - 1);
    int cause;
    uint8_t *hva;

    require(cpu, op, ENVCFG_CBZE);
    hva = tlb_find(&cpu->data->tlb, block, CBO_BLOCK, TLB_WRITE);
    if (unlikely(!hva)) {
        cause = rv_check_access(cpu, block, CBO_BLOCK, ACCESS_WRITE);
        if (cause)
            rv_raise(cpu, op, (enum rv_cause)cause, va);
        hva = rv_atomic_address(cpu, op, block, CBO_BLOCK, ACCESS_WRITE);
    }
    rv_break_reservation(cpu, hva);
    for (unsigned i = 0; i < CBO_BLOCK; i += 8)
        host_store(hva + i, 0, 8);
}

void exec_cbo_zero(struct rv *cpu, const struct rv_op *op)
{
    zero(cpu, op);
    next(cpu, op);
}

void exec_prefetch(struct rv *cpu, const struct rv_op *op)
{
    next(cpu, op);
}
