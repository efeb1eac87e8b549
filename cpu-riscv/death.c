/*
 * death.c - whether a hart can ever do something new (cpu_ops.plight).
 *
 * A hart is stuck in one of three ways: it sleeps in wfi; it goes round a few instructions that change nothing (wfi,
 * nop, pause, jumps: "j ." and `for (;;) wfi();` are such loops); or the first instruction of its trap handler traps,
 * into the same handler, forever (or firmware, in between, sends it there). Then only an interrupt helps, and which
 * ones would get through is what is reported: out of a loop those that may be taken in this mode (privileged spec
 * 3.1.9), out of wfi those that are enabled in mie, whatever mstatus says (3.3.3).
 *
 * Inaccuracies, all towards "it runs": longer loops, loops with conditional branches, and handlers that cannot be
 * fetched because of PMP or the X bit of a page are not recognised. That another hart or a device may write other code
 * into such a loop is left to the caller, who knows whether there is one that still runs.
 */
#include <stdio.h>

#include "decode.h"
#include "mem.h"
#include "state.h"

enum { LOOP_MAX = 8 };

/* The instruction at va as the hart would fetch it; false when it cannot be read. */
static bool fetch(struct rv *cpu, uint64_t va, uint32_t *raw)
{
    uint8_t half[2][2];

    for (unsigned i = 0; i < 2; i++) {
        uint64_t at = (va + 2 * i) & cpu->va_mask, gpa = at;
        bool bare = cpu->priv == PRIV_M || !cpu->fetch->satp;
        if ((!bare && !rv_translate_debug(&cpu->cpu, at, &gpa)) || !bus_memory(cpu->cpu.env.bus, gpa, 2, false))
            return false;
        memcpy(half[i], bus_memory(cpu->cpu.env.bus, gpa, 2, false), 2);
        if (i == 0 && (half[0][0] & 3) != 3) {
            *raw = get_le16(half[0]);
            return true;
        }
    }
    *raw = get_le16(half[0]) | (uint32_t)get_le16(half[1]) << 16;
    return true;
}

static bool wfi_traps(const struct rv *cpu)
{
    return cpu->priv < PRIV_M &&
           ((cpu->mstatus & MSTATUS_TW) || (cpu->priv == PRIV_U && rv_has(&cpu->isa, RV_EXT_S)));
}

/* Follows one instruction that changes nothing but pc. False for any other. */
static bool follow(struct rv *cpu, uint64_t *pc)
{
    struct rv_op op = { 0 };
    uint32_t raw;

    if (!fetch(cpu, *pc, &raw))
        return false;
    rv_decode(cpu->decoder, raw, &op);
    bool jumps = op.fn == exec_jal || (op.fn == exec_beq && op.rs1 == op.rs2);
    bool idles = op.fn == exec_pause || (op.fn == exec_wfi && !wfi_traps(cpu)) ||
                 ((op.fn == exec_addi || op.fn == exec_addiw) && op.rd == RV_SINK);
    if ((jumps && op.fn == exec_jal && op.rd != RV_SINK) || (!jumps && !idles))
        return false;
    *pc = (*pc + (jumps ? (uint64_t)(int64_t)op.imm : op.len)) & cpu->va_mask;
    return true;
}

/* From pc on there is nothing but going round. */
static bool in_closed_loop(struct rv *cpu)
{
    uint64_t seen[LOOP_MAX], pc = cpu->pc;

    for (unsigned n = 0; n < LOOP_MAX; n++) {
        for (unsigned i = 0; i < n; i++) {
            if (seen[i] == pc)
                return true;
        }
        seen[n] = pc;
        if (!follow(cpu, &pc))
            return false;
    }
    return false;
}

/* The hart stands at the start of the handler of the very exception that this instruction raises. */
static bool in_trap_loop(struct rv *cpu)
{
    uint32_t raw;
    bool bare = cpu->priv == PRIV_M || !cpu->fetch->satp, readable = fetch(cpu, cpu->pc, &raw);

    if (readable && rv_lookup(cpu->decoder, raw))
        return false;
    if (cpu->priv == PRIV_M)
        return cpu->pc == (cpu->mtvec & ~UINT64_C(3));
    unsigned cause = readable ? CAUSE_ILLEGAL : bare ? CAUSE_FETCH_ACCESS : CAUSE_FETCH_PAGE;
    return cpu->priv == PRIV_S && cpu->pc == (cpu->stvec & ~UINT64_C(3)) && (cpu->medeleg >> cause & 1);
}

/* Machine mode's handler (firmware) has sent a fault at the start of supervisor mode's handler to that handler, and now
 * has the same fault in hand again. Seen without translation only: before a kernel has turned it on, which is where a
 * file that is no kernel ends. */
static bool in_redirect_loop(struct rv *cpu)
{
    uint64_t vector = cpu->stvec & ~UINT64_C(3);
    uint64_t previous = (cpu->mstatus & MSTATUS_MPP) >> 11;
    bool fault = cpu->mcause == CAUSE_FETCH_ACCESS || cpu->mcause == CAUSE_ILLEGAL ||
                 cpu->mcause == CAUSE_LOAD_ACCESS || cpu->mcause == CAUSE_STORE_ACCESS;

    return fault && cpu->priv == PRIV_M && previous == PRIV_S && !cpu->satp && cpu->mepc == vector &&
           cpu->sepc == vector && cpu->scause == cpu->mcause && cpu->stval == cpu->mtval;
}

/* Interrupts that would be taken now if they were pending. */
static uint64_t takeable(const struct rv *cpu)
{
    bool m_enabled = cpu->priv < PRIV_M || (cpu->mstatus & MSTATUS_MIE);
    bool s_enabled = cpu->priv < PRIV_S || (cpu->priv == PRIV_S && (cpu->mstatus & MSTATUS_SIE));

    return (m_enabled ? cpu->mie & ~cpu->mideleg : 0) | (s_enabled ? cpu->mie & cpu->mideleg : 0);
}

static unsigned prospects_of(struct rv *cpu, uint64_t wakers)
{
    if (rv_mip(cpu) & wakers)
        return CPU_RUNS;
    return (wakers & (BIT(1) | BIT(3)) ? CPU_WAKES_CPU : 0U) | (wakers & (BIT(5) | BIT(7)) ? CPU_WAKES_TIMER : 0U) |
           (wakers & (BIT(9) | BIT(11)) ? CPU_WAKES_DEVICE : 0U);
}

static void judge(struct rv *cpu, struct cpu_plight *out)
{
    bool loop = in_closed_loop(cpu);
    const char *stuck = cpu->waiting ? loop ? "asleep in a loop around wfi" : "asleep in wfi"
                        : loop       ? "in a loop that changes nothing"
                                     : NULL;

    if (!stuck && in_trap_loop(cpu))
        stuck = "in a trap handler whose first instruction traps";
    if (!stuck && in_redirect_loop(cpu))
        stuck = "in firmware that sends faults to a handler which faults at once";
    out->prospects = !stuck ? CPU_RUNS : prospects_of(cpu, cpu->waiting && !loop ? cpu->mie : takeable(cpu));
    if (stuck && !(out->prospects & CPU_RUNS))
        snprintf(out->why, sizeof out->why, "%s%s", stuck, out->prospects ? "" : " with interrupts off");
}

void rv_plight(struct cpu *c, struct cpu_plight *out)
{
    static const char *const modes[] = { "U", "S", "?", "M" };
    struct rv *cpu = (struct rv *)c;
    uint32_t raw;

    *out = (struct cpu_plight){ .pc = cpu->pc,
                                .return_address = cpu->x[1] & cpu->va_mask,
                                .stack = cpu->x[2] & cpu->va_mask,
                                .frame = cpu->x[8] & cpu->va_mask };
    snprintf(out->mode, sizeof out->mode, "%s", modes[cpu->priv & 3]);
    if (fetch(cpu, cpu->pc, &raw))
        rv_disasm(cpu->decoder, cpu->pc, raw, out->insn, sizeof out->insn);
    judge(cpu, out);
}
