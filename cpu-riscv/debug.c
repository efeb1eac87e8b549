/*
 * Breakpoints, watchpoints and single steps for a debugger.
 *
 * Code is never patched. Pages with a breakpoint run one instruction at a time, and so does everything while there is a
 * watchpoint; pages that are watched stay out of the soft TLB, so that every access to them takes the slow path.
 */
#include "fpu.h"
#include "state.h"

bool rv_set_break(struct cpu *c, uint64_t gva, bool on)
{
    struct rv *cpu = (struct rv *)c;
    struct rv_debug *d = &cpu->debug;
    unsigned i = 0;

    gva &= cpu->va_mask;
    rv_clear_jumps(cpu);
    while (i < d->break_count && d->breaks[i] != gva)
        i++;
    if (!on) {
        if (i == d->break_count)
            return false;
        d->breaks[i] = d->breaks[--d->break_count];
        return true;
    }
    if (i < d->break_count)
        return true;
    if (i == CPU_BREAKS)
        return false;
    d->breaks[d->break_count++] = gva;
    return true;
}

bool rv_set_watch(struct cpu *c, uint64_t gva, uint64_t len, unsigned kinds, bool on)
{
    struct rv *cpu = (struct rv *)c;
    struct rv_debug *d = &cpu->debug;
    unsigned i = 0;

    gva &= cpu->va_mask;
    rv_flush_all(cpu);
    while (i < d->watch_count &&
           (d->watches[i].gva != gva || d->watches[i].len != len || d->watches[i].kinds != kinds))
        i++;
    if (!on) {
        if (i == d->watch_count)
            return false;
        d->watches[i] = d->watches[--d->watch_count];
        return true;
    }
    if (i == CPU_WATCHES || !len)
        return false;
    if (i == d->watch_count)
        d->watches[d->watch_count++] = (struct rv_watch){ gva, len, kinds };
    return true;
}

bool rv_debug_close_look(const struct rv *cpu, uint64_t pc)
{
    const struct rv_debug *d = &cpu->debug;

    if (cpu->stepping || d->watch_count)
        return true;
    for (unsigned i = 0; i < d->break_count; i++) {
        if (!((d->breaks[i] ^ pc) >> PAGE_BITS))
            return true;
    }
    return false;
}

bool rv_debug_stops(struct rv *cpu, uint64_t pc)
{
    struct rv_debug *d = &cpu->debug;
    bool pass = d->passing && d->pass_pc == pc;

    if (cpu->stepping)
        return false;
    d->passing = false;
    if (d->hit)
        return true;
    for (unsigned i = 0; i < d->break_count && !pass; i++) {
        if (d->breaks[i] != pc)
            continue;
        cpu->cpu.stop = CPU_STOP_BREAK;
        d->hit = d->passing = true;
        d->pass_pc = pc;
        return true;
    }
    return false;
}

static bool overlaps(const struct rv_watch *w, uint64_t va, unsigned size)
{
    return va - w->gva < w->len || w->gva - va < size;
}

void rv_debug_access(struct rv *cpu, uint64_t va, unsigned size, bool write)
{
    struct rv_debug *d = &cpu->debug;

    for (unsigned i = 0; i < d->watch_count && !d->hit; i++) {
        const struct rv_watch *w = &d->watches[i];
        if (!(w->kinds & (write ? CPU_WATCH_WRITE : CPU_WATCH_READ)) || !overlaps(w, va, size))
            continue;
        cpu->cpu.stop = w->kinds == CPU_WATCH_WRITE  ? CPU_STOP_WATCH_WRITE
                        : w->kinds == CPU_WATCH_READ ? CPU_STOP_WATCH_READ
                                                     : CPU_STOP_WATCH_ACCESS;
        cpu->cpu.stop_address = va > w->gva ? va : w->gva;
        d->hit = true;
    }
}

bool rv_debug_watched(const struct rv *cpu, uint64_t va)
{
    uint64_t page = va & ~(uint64_t)(PAGE_SIZE - 1);

    for (unsigned i = 0; i < cpu->debug.watch_count; i++) {
        if (overlaps(&cpu->debug.watches[i], page, PAGE_SIZE))
            return true;
    }
    return false;
}

void rv_step(struct cpu *c)
{
    struct rv *cpu = (struct rv *)c;

    cpu->waiting = cpu->debug.hit = cpu->debug.passing = false;
    cpu->stepping = true;
    rv_run_one(cpu);
    cpu->stepping = false;
    if (!cpu->debug.hit)
        c->stop = CPU_STOP_STEP;
    cpu->debug.hit = false;
}
