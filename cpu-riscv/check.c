/*
 * check.c - -accel check: every slice of instructions runs twice from the same state, in the interpreter and as host
 * code, and all that the guest can see is compared: registers, CSRs, flags, counters, the reservation, memory.
 *
 * The interpreter goes first. Both start with empty TLBs, so the first write to a page in a turn goes through mmu.c,
 * which tells rv_check_write(): the page is copied. Then everything is put back, and host code has its turn; the hart
 * goes on from where that ended. Exceptions, changes of mode and the like are part of a turn, an interrupt ends it. The
 * sizes of slices are random, so that blocks are entered and left in every way.
 *
 * What cannot be put back is a device's: before the interpreter touches one its turn is cut, the instructions up to
 * the block in question are compared, and that one block runs in the interpreter alone. The same goes for time, other
 * harts and DMA: they stand still, as the checker runs under a virtual clock, in which one thread does everything.
 *
 * Both share decoded blocks, so a turn that has a fence.i starts as after one, in both.
 *
 * Gaps: decoding, page walks and handlers that host code calls are the same code in both, so their mistakes do not
 * show. Host code that writes RAM other than through a TLB is noticed only when the guest reads it. fresh.c is off:
 * each fence.i distrusts all blocks. Traces of the guest (-d int, guest_errors) come twice.
 */
#include "check.h"

#include <stdlib.h>

#include "alloc.h"
#include "bus.h"
#include "fpu.h"
#include "mem.h"

const struct state_field check_fields[] = {
    STATE_BOOL(struct rv, reserved), STATE(struct rv, reserved_hva), STATE(struct rv, reserved_value),
    STATE(struct rv, traps), STATE_END,
};

struct rv_check *rv_check_new(void)
{
    struct rv_check *c = alloc_zeroed(sizeof *c);

    c->pages = alloc_array(CHECK_PAGES, sizeof *c->pages);
    c->random = 1;
    return c;
}

void rv_check_free(struct rv *cpu)
{
    struct rv_check *c = cpu->check;

    if (!c)
        return;
    if (trace_on(cpu->log_check))
        trace_log(cpu->log_check, "hart %u: %llu instructions in %llu slices are the same; %llu only interpreted",
                  cpu->cpu.index, (unsigned long long)c->compared, (unsigned long long)c->slices,
                  (unsigned long long)c->left_out);
    free(c->pages);
    free(c);
}

/* ---- what mmu.c tells ---- */

/* Ends the turn before the running block has done anything that would have to be put back. */
static _Noreturn void end_turn(struct rv *cpu, const char *what)
{
    struct rv_check *c = cpu->check;

    if (c->native)
        c->stray = what;
    else
        c->cut = (int64_t)(check_spent(cpu) - check_spent(&c->start)) + cpu->slice_size - cpu->slice -
                 cpu->block->count;
    longjmp(cpu->escape, 1);
}

void rv_check_write(struct rv *cpu, uint64_t gpa)
{
    struct rv_check *c = cpu->check;
    uint64_t page = gpa & ~(uint64_t)(PAGE_SIZE - 1);
    uint8_t *host = bus_memory(cpu->cpu.env.bus, page, PAGE_SIZE, true);

    if (!c->watching || !host)
        return;
    for (unsigned i = c->page_count; i-- > 0;) {
        if (c->pages[i].host == host)
            return;
    }
    if (c->page_count == CHECK_PAGES)
        end_turn(cpu, "it writes to many more pages than the interpreter");
    struct check_page *p = &c->pages[c->page_count++];
    p->gpa = page;
    p->host = host;
    memcpy(p->before, host, PAGE_SIZE);
    memcpy(p->after, host, PAGE_SIZE);
}

void rv_check_device(struct rv *cpu)
{
    if (cpu->check->watching)
        end_turn(cpu, "it accesses a device, and the interpreter does not");
}

/* ---- turns ---- */

static void save(struct rv *to, const struct rv *cpu)
{
    memcpy(to, cpu, sizeof *to);
}

static void restore_registers(struct rv *cpu, const struct rv *from)
{
    bool timer = cpu->stimecmp != from->stimecmp || cpu->menvcfg != from->menvcfg;

    state_copy(rv_fields, cpu, from);
    state_copy(check_fields, cpu, from);
    if (timer)
        rv_settle_stimecmp(cpu);
    cpu->mip = from->mip;
    if (cpu->reserved)
        rv_granule_of(cpu, (uint8_t *)(uintptr_t)cpu->reserved_hva)->owner = cpu->check->owner;
    rv_pmp_derive(cpu);
    rv_update_spaces(cpu);
}

void check_undo(struct rv *cpu)
{
    struct rv_check *c = cpu->check;

    for (unsigned i = 0; i < c->page_count; i++)
        memcpy(c->pages[i].host, c->pages[i].before, PAGE_SIZE);
    restore_registers(cpu, &c->start);
}

static void begin_turn(struct rv *cpu, bool native)
{
    struct rv_check *c = cpu->check;

    c->cut = -1;
    c->stray = NULL;
    c->native = native;
    c->watching = true;
    cpu->interpreting = !native;
    cpu->link = RV_NO_LINK;
    cpu->code_epoch += c->fenced;
    rv_flush_all(cpu);
    fpu_enter(cpu->frm, cpu->fflags);
}

static void finish_turn(struct rv *cpu)
{
    cpu->fflags = (uint8_t)fpu_leave();
    cpu->interpreting = cpu->check->watching = false;
    cpu->x[RV_SINK] = 0; /* host code leaves it out */
    if (!cpu->reserved)
        cpu->reserved_hva = cpu->reserved_value = 0;
}

/* Host code has to come back by itself for an interrupt, as the interpreter does. */
static void run(struct rv *cpu, int64_t n, bool native)
{
    const struct rv_check *c = cpu->check;
    uint64_t until = check_spent(cpu) + (uint64_t)n;

    begin_turn(cpu, native);
    do
        rv_run_slice(cpu, (int64_t)(until - check_spent(cpu)));
    while (c->cut < 0 && !c->stray && check_spent(cpu) < until && !cpu->waiting && rv_pending_interrupt(cpu) < 0);
    finish_turn(cpu);
}

void check_interpret(struct rv *cpu, int64_t n)
{
    run(cpu, n, false);
}

static bool same_memory(const struct rv_check *c)
{
    for (unsigned i = 0; i < c->page_count; i++) {
        if (memcmp(c->pages[i].host, c->pages[i].after, PAGE_SIZE))
            return false;
    }
    return true;
}

/* Host code's turn after the interpreter's. */
static bool repeat(struct rv *cpu, int64_t n)
{
    struct rv_check *c = cpu->check;
    uint32_t i;

    save(&c->end, cpu);
    for (unsigned k = 0; k < c->page_count; k++)
        memcpy(c->pages[k].after, c->pages[k].host, PAGE_SIZE);
    check_undo(cpu);
    run(cpu, n, true);
    return !c->stray && !state_diff(rv_fields, &c->end, cpu, &i) && !state_diff(check_fields, &c->end, cpu, &i) &&
           same_memory(c);
}

bool check_both(struct rv *cpu, int64_t n)
{
    check_undo(cpu);
    cpu->check->page_count = 0;
    check_interpret(cpu, n);
    return repeat(cpu, n);
}

/* The interpreter's first turn; false when it has to be had again, with *n. */
static bool try_interpret(struct rv *cpu, int64_t *n)
{
    struct rv_check *c = cpu->check;
    uint32_t epoch = cpu->code_epoch + c->fenced;

    check_interpret(cpu, *n);
    bool fences = cpu->code_epoch != epoch && !c->fenced;
    if (c->cut < 0 && !fences)
        return true;
    c->fenced |= fences;
    if (c->cut >= 0)
        *n = c->cut;
    check_undo(cpu);
    c->page_count = 0;
    return false;
}

/* One block that cannot be compared. */
static void interpret_only(struct rv *cpu)
{
    cpu->interpreting = true;
    fpu_enter(cpu->frm, cpu->fflags);
    rv_run_slice(cpu, 1);
    cpu->fflags = (uint8_t)fpu_leave();
    cpu->interpreting = false;
    cpu->check->left_out += cpu->retired - cpu->check->start.retired;
}

static int64_t random_size(struct rv_check *c, int64_t most)
{
    c->random = c->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    int64_t n = 1 + (int64_t)((c->random >> 33) % CHECK_SLICE);
    return n < most ? n : most;
}

/* The live unit has the flags before and after. */
void rv_check_slice(struct rv *cpu, int64_t most)
{
    struct rv_check *c = cpu->check;
    int64_t n = random_size(c, most);

    cpu->fflags = (uint8_t)fpu_leave();
    save(&c->start, cpu);
    c->owner = cpu->reserved ? rv_granule_of(cpu, (uint8_t *)(uintptr_t)cpu->reserved_hva)->owner : 0;
    c->page_count = 0;
    c->fenced = false;
    while (n && !try_interpret(cpu, &n))
        ;
    if (!n) {
        interpret_only(cpu);
    } else if (repeat(cpu, n)) {
        c->slices++;
        c->compared += cpu->retired - c->start.retired;
    } else {
        cpu->cpu.fault = check_report(cpu, n);
    }
    fpu_enter(cpu->frm, cpu->fflags);
}
