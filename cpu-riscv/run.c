/*
 * The run loop of a hart: slices of blocks, and between slices interrupts and requests.
 */
#include "fpu.h"
#include "mem.h"
#include "state.h"

void exec_block_end(struct rv *cpu, const struct rv_op *op)
{
    cpu->pc = op_pc(cpu, op);
    next_block(cpu);
}

/* The block at pc: most often the jump cache has it. */
static const struct rv_block *block_at_pc(struct rv *cpu)
{
    const struct rv_block *b = rv_jump_to(cpu, cpu->fetch, cpu->pc);

    if (likely(b))
        return b;
    cpu->counts.jump_misses++;
    b = rv_adopt_jump(cpu, cpu->fetch, cpu->pc);
    if (b)
        return b;
    cpu->counts.lookups++;
    return rv_find_block(cpu);
}

static void run_slice(struct rv *cpu)
{
    while (cpu->slice > 0) {
        const struct rv_block *b = cpu->stepping ? rv_find_block(cpu) : block_at_pc(cpu);
        if (!b)
            return;
        if (trace_on(cpu->log_exec))
            trace_log(cpu->log_exec, "hart %u: %#llx, %u instructions", cpu->cpu.index, (unsigned long long)cpu->pc,
                      b->count);
        cpu->block = b;
        cpu->block_pc = cpu->pc;
        cpu->slice -= b->count;
        b->ops[0].fn(cpu, b->ops);
    }
}

/* Closes the books of the slice that ended, wherever it ended. */
static void account(struct rv *cpu)
{
    __atomic_store_n(&cpu->retired, rv_count(cpu), __ATOMIC_RELAXED);
    cpu->slice = cpu->slice_size = 0;
    cpu->host_stack_now = NULL; /* rv_raise() may have left it */
}

static void serve_requests(struct rv *cpu, uint32_t request)
{
    atomic_fetch_and(&cpu->cpu.request, ~(uint32_t)(CPU_REQUEST_INTERRUPT | CPU_REQUEST_FLUSH));
    if (request & CPU_REQUEST_FLUSH) {
        cpu->code_epoch++;
        rv_flush_all(cpu);
    }
}

/* Traps count against the budget too: a guest whose trap handler traps retires nothing, ever. */
static uint64_t spent(const struct rv *cpu)
{
    return cpu->retired + cpu->traps;
}

void rv_run_slice(struct rv *cpu, int64_t n)
{
    if (!setjmp(cpu->escape)) {
        cpu->slice = cpu->slice_size = n;
        run_slice(cpu);
    }
    account(cpu);
}

void rv_run_one(struct rv *cpu)
{
    fpu_enter(cpu->frm, cpu->fflags);
    rv_run_slice(cpu, 1);
    cpu->fflags = (uint8_t)fpu_leave();
}

bool rv_has_to_look(struct rv *cpu)
{
    return cpu_pending(&cpu->cpu) || cpu->waiting || cpu->debug.hit || rv_pending_interrupt(cpu) >= 0;
}

/* Between slices: why run() has to return, or -1. */
static int look_around(struct rv *cpu)
{
    uint32_t request = cpu_pending(&cpu->cpu);

    if (request)
        serve_requests(cpu, request);
    if (request & CPU_REQUEST_STOP)
        return CPU_EXIT_REQUEST;
    if (cpu->cpu.fault)
        return CPU_EXIT_FAULT;
    if (cpu->debug.hit) {
        cpu->debug.hit = false;
        return CPU_EXIT_DEBUG;
    }
    if (cpu->waiting && (rv_mip(cpu) & cpu->mie))
        cpu->waiting = false;
    if (cpu->waiting)
        return CPU_EXIT_IDLE;
    if (spent(cpu) >= cpu->run_until)
        return CPU_EXIT_BUDGET;
    int cause = rv_pending_interrupt(cpu);
    if (cause >= 0)
        rv_trap(cpu, (uint64_t)cause, true, 0);
    return -1;
}

enum cpu_exit rv_run(struct cpu *c, uint64_t budget)
{
    struct rv *cpu = (struct rv *)c;
    int reason;

    cpu->run_until = budget > UINT64_MAX - spent(cpu) ? UINT64_MAX : spent(cpu) + budget;
    fpu_enter(cpu->frm, cpu->fflags);
    /* rv_raise() comes back here after it has taken the trap. */
    if (setjmp(cpu->escape))
        account(cpu);
    while ((reason = look_around(cpu)) < 0) {
        uint64_t left = cpu->run_until > spent(cpu) ? cpu->run_until - spent(cpu) : 1;
        int64_t n = left < RV_SLICE ? (int64_t)left : RV_SLICE;
        if (unlikely(cpu->check) && !cpu->debug.break_count && !cpu->debug.watch_count) {
            rv_check_slice(cpu, n);
            continue;
        }
        cpu->slice = cpu->slice_size = n;
        run_slice(cpu);
        account(cpu);
    }
    cpu->fflags = (uint8_t)fpu_leave();
    return (enum cpu_exit)reason;
}
