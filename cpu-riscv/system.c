/*
 * System instructions: Zicsr, ecall, ebreak, xRET, wfi, fences of memory management, fence.i, Zawrs.
 * Unprivileged spec 6 and 7, privileged spec 3.3 and 4.2.1, Svinval 1.0, Zawrs 1.01.
 *
 * All of them but accesses to fflags end a block: they may change what the next instruction means.
 */
#include <sched.h>

#include "csr.h"
#include "fpu.h"
#include "state.h"

/* ---- Zicsr ---- */

static const struct rv_csr *csr_for(struct rv *cpu, const struct rv_op *op, bool writing)
{
    unsigned number = (unsigned)op->imm & 4095;
    const struct rv_csr *csr = rv_csr_find(cpu, number);

    if (!csr || cpu->priv < bits(number, 8, 2) || (writing && bits(number, 10, 2) == 3) ||
        !csr->check(cpu, csr, number - csr->number))
        rv_illegal(cpu, op);
    return csr;
}

enum csr_change { CSR_SWAP, CSR_SET, CSR_CLEAR };

/* mip and sip: read-modify-write sees mip.SEIP as software wrote it, not the wire. 3.1.9 */
static uint64_t modify_base(const struct rv *cpu, unsigned number, uint64_t read)
{
    return number == 0x344 ? (read & ~BIT(9)) | cpu->seip_soft : read;
}

static void access_csr(struct rv *cpu, const struct rv_op *op, enum csr_change change, bool reading, bool writing,
                       uint64_t operand)
{
    const struct rv_csr *csr = csr_for(cpu, op, writing);
    unsigned number = (unsigned)op->imm & 4095;
    uint64_t old = reading ? csr->read(cpu, csr, number - csr->number) : 0;
    uint64_t base = modify_base(cpu, number, old);

    if (writing) {
        uint64_t value = change == CSR_SWAP ? operand : change == CSR_SET ? base | operand : base & ~operand;
        value &= ~UINT64_C(0) >> (64 - cpu->isa.xlen);
        csr->write(cpu, csr, number - csr->number, value);
    }
    if (reading)
        set_x(cpu, op->rd, to_x(cpu, old));
    cpu->pc = op_end(cpu, op);
    if (writing && !csr_is_trap_register(number))
        go_on(cpu);
    else
        next_block(cpu);
}

void exec_csrrw(struct rv *cpu, const struct rv_op *op)
{
    access_csr(cpu, op, CSR_SWAP, op->rd != RV_SINK, true, get_x(cpu, op->rs1));
}

void exec_csrrs(struct rv *cpu, const struct rv_op *op)
{
    access_csr(cpu, op, CSR_SET, true, op->rs1, get_x(cpu, op->rs1));
}

void exec_csrrc(struct rv *cpu, const struct rv_op *op)
{
    access_csr(cpu, op, CSR_CLEAR, true, op->rs1, get_x(cpu, op->rs1));
}

void exec_csrrwi(struct rv *cpu, const struct rv_op *op)
{
    access_csr(cpu, op, CSR_SWAP, op->rd != RV_SINK, true, op->rs1);
}

void exec_csrrsi(struct rv *cpu, const struct rv_op *op)
{
    access_csr(cpu, op, CSR_SET, true, op->rs1, op->rs1);
}

void exec_csrrci(struct rv *cpu, const struct rv_op *op)
{
    access_csr(cpu, op, CSR_CLEAR, true, op->rs1, op->rs1);
}

/* Any of the six, of fflags. */
void exec_fflags(struct rv *cpu, const struct rv_op *op)
{
    unsigned funct3 = op->raw >> 12 & 7, old = fpu_flags();
    unsigned in = (funct3 & 4 ? op->rs1 : (unsigned)get_x(cpu, op->rs1)) & 0x1f;
    unsigned new = (funct3 & 3) == 1 ? in : (funct3 & 3) == 2 ? old | in : old & ~in;

    if (!(cpu->mstatus & MSTATUS_FS))
        rv_illegal(cpu, op);
    if (new != old) /* the host's own instruction is slow */
        fpu_set_flags(new);
    if ((funct3 & 3) == 1 || op->rs1)
        fp_dirty(cpu);
    set_x(cpu, op->rd, old);
    next(cpu, op);
}

/* ---- environment call and breakpoint ---- */

/* Neither retires; the frequent trap does not go through rv_raise(). It uses up as much of the slice as an instruction
 * that retires: see spent() in run.c. */
void exec_ecall(struct rv *cpu, const struct rv_op *op)
{
    cpu->slice_size--;
    cpu->pc = op_pc(cpu, op);
    rv_trap(cpu, CAUSE_ECALL_U + cpu->priv, false, 0);
    go_on(cpu);
}

void exec_ebreak(struct rv *cpu, const struct rv_op *op)
{
    rv_raise(cpu, op, CAUSE_BREAKPOINT, op_pc(cpu, op));
}

/* ---- trap return: 3.3.2 ---- */

static uint64_t return_pc(const struct rv *cpu, uint64_t epc)
{
    return epc & (rv_has(&cpu->isa, RV_EXT_C) ? ~UINT64_C(1) : ~UINT64_C(3));
}

void exec_mret(struct rv *cpu, const struct rv_op *op)
{
    if (cpu->priv != PRIV_M)
        rv_illegal(cpu, op);
    uint64_t s = cpu->mstatus & ~(MSTATUS_MIE | MSTATUS_MPP);
    unsigned mpp = (unsigned)bits(cpu->mstatus, 11, 2);

    s |= s & MSTATUS_MPIE ? MSTATUS_MIE : 0;
    if (!rv_has(&cpu->isa, RV_EXT_U))
        s |= MSTATUS_MPP;
    if (mpp != PRIV_M)
        s &= ~MSTATUS_MPRV;
    cpu->mstatus = s | MSTATUS_MPIE;
    cpu->priv = (uint8_t)mpp;
    cpu->pc = return_pc(cpu, cpu->mepc);
    rv_update_spaces(cpu);
    go_on(cpu);
}

void exec_sret(struct rv *cpu, const struct rv_op *op)
{
    if (cpu->priv < PRIV_S || (cpu->priv == PRIV_S && (cpu->mstatus & MSTATUS_TSR)))
        rv_illegal(cpu, op);
    uint64_t s = cpu->mstatus & ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);

    s |= s & MSTATUS_SPIE ? MSTATUS_SIE : 0;
    cpu->priv = cpu->mstatus & MSTATUS_SPP ? PRIV_S : PRIV_U;
    cpu->mstatus = s | MSTATUS_SPIE;
    cpu->pc = return_pc(cpu, cpu->sepc);
    rv_update_spaces(cpu);
    go_on(cpu);
}

/* ---- waiting: 3.3.3, Zawrs ---- */

void exec_wfi(struct rv *cpu, const struct rv_op *op)
{
    bool s_mode = rv_has(&cpu->isa, RV_EXT_S);

    if (cpu->priv < PRIV_M && ((cpu->mstatus & MSTATUS_TW) || (cpu->priv == PRIV_U && s_mode)))
        rv_illegal(cpu, op);
    cpu->waiting = true;
    cpu->pc = op_end(cpu, op);
    leave(cpu);
}

/* A hart that waits for a reservation gives its host core to the one that will break it; returning early is allowed. */
static void yield_core(struct rv *cpu, const struct rv_op *op)
{
    if (cpu->granule_mask)
        sched_yield();
    cpu->pc = op_end(cpu, op);
    leave(cpu);
}

void exec_wrs_nto(struct rv *cpu, const struct rv_op *op)
{
    if (cpu->priv < PRIV_M && (cpu->mstatus & MSTATUS_TW))
        rv_illegal(cpu, op);
    yield_core(cpu, op);
}

void exec_wrs_sto(struct rv *cpu, const struct rv_op *op)
{
    yield_core(cpu, op);
}

/* ---- fences ---- */

/* fence.i: unprivileged spec 6 */
void exec_fence_i(struct rv *cpu, const struct rv_op *op)
{
    rv_fence_code(cpu);
    cpu->pc = op_end(cpu, op);
    go_on(cpu);
}

static void fence_vma(struct rv *cpu, const struct rv_op *op)
{
    uint64_t va = get_x(cpu, op->rs1) & cpu->va_mask;
    uint64_t asid = get_x(cpu, op->rs2) & (is_rv32(cpu) ? 0x1ff : 0xffff);

    if (cpu->priv < PRIV_S || (cpu->priv == PRIV_S && (cpu->mstatus & MSTATUS_TVM)))
        rv_illegal(cpu, op);
    rv_fence_vma(cpu, op->rs1 ? &va : NULL, op->rs2 ? &asid : NULL);
    cpu->pc = op_end(cpu, op);
    go_on(cpu);
}

void exec_sfence_vma(struct rv *cpu, const struct rv_op *op)
{
    fence_vma(cpu, op);
}

void exec_sinval_vma(struct rv *cpu, const struct rv_op *op)
{
    fence_vma(cpu, op);
}

/* Every sinval.vma is complete when it ends, so the fences around it have nothing left to order. */
static void fence_around_sinval(struct rv *cpu, const struct rv_op *op)
{
    if (cpu->priv < PRIV_S)
        rv_illegal(cpu, op);
    cpu->pc = op_end(cpu, op);
    go_on(cpu);
}

void exec_sfence_w_inval(struct rv *cpu, const struct rv_op *op)
{
    fence_around_sinval(cpu, op);
}

void exec_sfence_inval_ir(struct rv *cpu, const struct rv_op *op)
{
    fence_around_sinval(cpu, op);
}
