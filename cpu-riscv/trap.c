/*
 * Exceptions and interrupts: RISC-V privileged spec 3.1.6-3.1.15 and 4.1.1-4.1.9.
 */
#include "state.h"

void rv_raise(struct rv *cpu, const struct rv_op *op, enum rv_cause cause, uint64_t tval)
{
    /* The block was counted as a whole when it was entered: take back what has not retired. */
    const struct rv_op *at = cpu->block->ops;
    while (at->off != op->off) /* op may be a copy */
        at++;
    cpu->slice += cpu->block->count - (at - cpu->block->ops);
    cpu->pc = op_pc(cpu, op);
    rv_trap(cpu, cause, false, tval);
    longjmp(cpu->escape, 1);
}

void rv_illegal(struct rv *cpu, const struct rv_op *op)
{
    if (trace_on(cpu->guest_error))
        trace_log(cpu->guest_error, "hart %u: illegal instruction %#x at %#llx", cpu->cpu.index, op->raw,
                  (unsigned long long)op_pc(cpu, op));
    rv_raise(cpu, op, CAUSE_ILLEGAL, op->raw);
}

void exec_illegal(struct rv *cpu, const struct rv_op *op)
{
    rv_illegal(cpu, op);
}

static uint64_t trap_vector(uint64_t tvec, uint64_t cause, bool interrupt)
{
    return (tvec & ~UINT64_C(3)) + ((tvec & 1) && interrupt ? 4 * cause : 0);
}

static void trap_to_s(struct rv *cpu, uint64_t cause, uint64_t xcause, bool interrupt, uint64_t tval)
{
    uint64_t s = cpu->mstatus & ~(MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_SIE);

    if (cpu->mstatus & MSTATUS_SIE)
        s |= MSTATUS_SPIE;
    if (cpu->priv == PRIV_S)
        s |= MSTATUS_SPP;
    cpu->mstatus = s;
    cpu->sepc = cpu->pc;
    cpu->scause = xcause;
    cpu->stval = tval;
    cpu->pc = trap_vector(cpu->stvec, cause, interrupt) & cpu->va_mask;
    cpu->priv = PRIV_S;
}

static void trap_to_m(struct rv *cpu, uint64_t cause, uint64_t xcause, bool interrupt, uint64_t tval)
{
    uint64_t s = cpu->mstatus & ~(MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MIE);

    if (cpu->mstatus & MSTATUS_MIE)
        s |= MSTATUS_MPIE;
    cpu->mstatus = s | (uint64_t)cpu->priv << 11;
    cpu->mepc = cpu->pc;
    cpu->mcause = xcause;
    cpu->mtval = tval;
    cpu->pc = trap_vector(cpu->mtvec, cause, interrupt) & cpu->va_mask;
    cpu->priv = PRIV_M;
}

void rv_trap(struct rv *cpu, uint64_t cause, bool interrupt, uint64_t tval)
{
    uint64_t deleg = interrupt ? cpu->mideleg : cpu->medeleg;
    uint64_t xcause = cause | (uint64_t)interrupt << (cpu->isa.xlen - 1);
    bool to_s = cpu->priv != PRIV_M && (deleg >> cause & 1);

    if (trace_on(cpu->log_int))
        trace_log(cpu->log_int, "hart %u: %s %llu at %#llx, tval %#llx, priv %u -> %c", cpu->cpu.index,
                  interrupt ? "interrupt" : "exception", (unsigned long long)cause, (unsigned long long)cpu->pc,
                  (unsigned long long)tval, cpu->priv, to_s ? 'S' : 'M');
    (to_s ? trap_to_s : trap_to_m)(cpu, cause, xcause, interrupt, tval & cpu->va_mask);
    cpu->reserved = false;
    cpu->traps++;
    rv_update_spaces(cpu);
}

int rv_pending_interrupt(struct rv *cpu)
{
    static const uint8_t priority[] = { 11, 3, 7, 9, 1, 5, 13 };
    uint64_t pending = rv_mip(cpu) & cpu->mie;

    if (likely(!pending))
        return -1;
    bool m_enabled = cpu->priv < PRIV_M || (cpu->mstatus & MSTATUS_MIE);
    bool s_enabled = cpu->priv < PRIV_S || (cpu->priv == PRIV_S && (cpu->mstatus & MSTATUS_SIE));
    uint64_t to_m = m_enabled ? pending & ~cpu->mideleg : 0;
    uint64_t take = to_m ? to_m : s_enabled ? pending & cpu->mideleg : 0;

    for (size_t i = 0; take && i < ARRAY_LEN(priority); i++) {
        if (take >> priority[i] & 1)
            return priority[i];
    }
    return -1;
}
