/*
 * The time CSR and the supervisor timer: privileged spec 3.2.1, Sstc 1.0 (stimecmp, menvcfg.STCE).
 */
#include "state.h"

#define MIP_STIP BIT(5)

uint64_t rv_time(struct rv *cpu)
{
    return (uint64_t)((unsigned __int128)clock_now(cpu->cpu.env.clock) * cpu->config->timebase / NS_PER_SEC);
}

/* First guest nanosecond at which the time CSR is at least `ticks`. */
static uint64_t deadline_of(const struct rv *cpu, uint64_t ticks)
{
    unsigned __int128 ns = ((unsigned __int128)ticks * NS_PER_SEC + cpu->config->timebase - 1) / cpu->config->timebase;

    return ns >= CLOCK_NEVER ? CLOCK_NEVER : (uint64_t)ns;
}

/* Under the machine lock. */
static void settle(struct rv *cpu)
{
    if (!(cpu->menvcfg & ENVCFG_STCE)) {
        timer_arm(&cpu->stimer, CLOCK_NEVER);
    } else if (rv_time(cpu) >= cpu->stimecmp) {
        timer_arm(&cpu->stimer, CLOCK_NEVER);
        atomic_fetch_or(&cpu->mip, MIP_STIP);
        cpu_kick(&cpu->cpu, CPU_REQUEST_INTERRUPT);
    } else {
        atomic_fetch_and(&cpu->mip, ~MIP_STIP);
        timer_arm(&cpu->stimer, deadline_of(cpu, cpu->stimecmp));
    }
}

void rv_stimer_fired(void *cpu)
{
    settle(cpu);
}

/* From the hart's own thread without the machine lock, from a debugger with it. */
void rv_settle_stimecmp(struct rv *cpu)
{
    bool ours = !lock_held(cpu->cpu.env.lock);

    if (ours)
        lock_take(cpu->cpu.env.lock);
    settle(cpu);
    if (ours)
        lock_drop(cpu->cpu.env.lock);
}
