/*
 * gdb-run.c - c, s, vCont and stop replies. GDB's manual, sections "Packets", "vCont packet", "Stop Reply Packets".
 *
 * All-stop: all vCPUs stand, or those run that the client lets run. A step is one instruction, without interrupts;
 * vCPUs that the client lets run meanwhile make one instruction too, so that stepping over a lock that another one
 * holds comes to an end.
 *
 * Two vCPUs can stop at once, but the client hears of one stop at a time. The other's is kept, and told when the
 * client lets it go on, unless its reason is gone by then.
 */
#include <string.h>

#include "gdb-priv.h"

/* ---- stop replies ---- */

static void put_watch(struct gdb *g, const struct gdb_stop *stop)
{
    static const char *const names[POINT_KINDS] = {
        [POINT_WRITE] = "watch", [POINT_READ] = "rwatch", [POINT_ACCESS] = "awatch"
    };
    const struct gdb_point *p = gdb_watch_at(g, stop->address);

    if (p)
        gdb_put(g, "%s:%llx;", names[p->kind],
                (unsigned long long)(stop->address - p->gva < p->len ? stop->address : p->gva));
}

static void put_break(struct gdb *g, const struct gdb_stop *stop)
{
    const struct gdb_point *p = gdb_break_at(g, stop->pc);

    if (p && p->kind == POINT_SOFT && g->knows_swbreak)
        gdb_put(g, "swbreak:;");
    else if (p && p->kind == POINT_HARD && g->knows_hwbreak)
        gdb_put(g, "hwbreak:;");
}

static void put_stop(struct gdb *g)
{
    const struct gdb_stop *stop = &g->stop[g->stopped];

    gdb_put(g, "T%02xthread:%x;", g->signal, g->stopped + 1);
    if (g->signal != GDB_SIGTRAP)
        return;
    if (stop->why == CPU_STOP_BREAK)
        put_break(g, stop);
    else if (stop->why != CPU_STOP_STEP)
        put_watch(g, stop);
}

/* The stop of this vCPU becomes the one that the client knows of. */
static void report(struct gdb *g, unsigned cpu, unsigned signal)
{
    g->stop[cpu].pending = false;
    g->stopped = g->current = cpu;
    g->signal = signal;
    g->waiting = false;
    put_stop(g);
}

void gdb_why(struct gdb *g, struct gdb_text *t)
{
    put_stop(g);
}

static void note_stop(struct gdb *g, struct cpu *cpu)
{
    g->stop[cpu->index] =
        (struct gdb_stop){ .pending = true, .why = cpu->stop, .pc = gdb_get_pc(g, cpu), .address = cpu->stop_address };
}

/* Has the vCPU a stop that was not told, and is its reason still there? */
static bool still_pending(struct gdb *g, unsigned cpu)
{
    struct gdb_stop *stop = &g->stop[cpu];

    if (!stop->pending)
        return false;
    if (stop->why == CPU_STOP_BREAK)
        stop->pending = gdb_break_at(g, stop->pc) && gdb_get_pc(g, g->control->cpu[cpu]) == stop->pc;
    else
        stop->pending = gdb_watch_at(g, stop->address);
    return stop->pending;
}

void gdb_stopped(struct gdb *g, struct cpu *cpu)
{
    if (!g->attached) { /* the client took its breakpoints along, but this one had been hit already */
        g->control->resume(g->control, 0);
        return;
    }
    note_stop(g, cpu);
    if (!g->waiting)
        return;
    gdb_begin(g);
    report(g, cpu->index, GDB_SIGTRAP);
    gdb_send(g);
}

static void stop_without_reason(struct gdb *g, unsigned signal)
{
    g->stop[g->current].why = CPU_STOP_STEP;
    report(g, g->current, signal);
}

void gdb_interrupt(struct gdb *g)
{
    if (!g->control->running(g->control))
        return;
    gdb_attach(g); /* which stops, and a breakpoint may be faster */
    if (!g->waiting)
        return;
    gdb_begin(g);
    stop_without_reason(g, GDB_SIGINT);
    gdb_send(g);
}

/* ---- going on ---- */

enum action { ACTION_NONE, ACTION_CONTINUE, ACTION_STEP, ACTION_STOP };

static void step_one(struct gdb *g, unsigned cpu)
{
    struct cpu *c = g->control->cpu[cpu];

    c->stop = CPU_STOP_STEP;
    g->control->step(g->control, c);
    note_stop(g, c);
}

/* One instruction of a vCPU that the client lets run while it steps another. What that leads to is told later. */
static void step_along(struct gdb *g, unsigned cpu)
{
    struct cpu *c = g->control->cpu[cpu];

    if (still_pending(g, cpu) || !c->ops->has_work(c))
        return;
    step_one(g, cpu);
    struct gdb_stop *stop = &g->stop[cpu];
    if (stop->why == CPU_STOP_STEP && gdb_break_at(g, stop->pc))
        stop->why = CPU_STOP_BREAK;
    stop->pending = stop->why != CPU_STOP_STEP;
}

static void step(struct gdb *g, const enum action *action, unsigned first)
{
    for (unsigned i = 0; i < g->control->cpus; i++) {
        if (action[i] == ACTION_STEP)
            step_one(g, i);
        else if (action[i] == ACTION_CONTINUE)
            step_along(g, i);
    }
    for (unsigned i = 0; i < g->control->cpus; i++) {
        if (action[i] == ACTION_STEP && i != first)
            g->stop[i].pending = g->stop[i].why > CPU_STOP_STEP;
    }
    report(g, first, GDB_SIGTRAP);
}

static unsigned first_of(const struct gdb *g, const enum action *action, enum action what)
{
    unsigned i = 0;

    while (i < g->control->cpus && action[i] != what)
        i++;
    return i;
}

static void go(struct gdb *g, const enum action *action)
{
    unsigned cpus = g->control->cpus, stepping = first_of(g, action, ACTION_STEP);

    if (stepping < cpus) {
        step(g, action, action[g->current] == ACTION_STEP ? g->current : stepping);
        return;
    }
    if (first_of(g, action, ACTION_CONTINUE) == cpus) {
        stop_without_reason(g, 0);
        return;
    }
    uint32_t held = 0;
    for (unsigned i = 0; i < cpus; i++) {
        if (action[i] != ACTION_CONTINUE) {
            held |= 1u << i;
        } else if (still_pending(g, i)) {
            report(g, i, GDB_SIGTRAP);
            return;
        }
    }
    g->waiting = g->silent = true;
    g->control->resume(g->control, held);
}

/* "c [address]" and "s [address]": the threads are those of the last Hc. */
static void go_plain(struct gdb *g, struct gdb_text *t, enum action what)
{
    enum action action[CONTROL_CPUS] = { ACTION_NONE };
    uint64_t address;

    if (!gdb_at_end(t)) {
        if (!gdb_take_number(t, &address) || !gdb_at_end(t)) {
            gdb_error(g, GDB_EINVAL);
            return;
        }
        gdb_set_pc(g, gdb_cpu(g), address);
    }
    for (unsigned i = 0; i < g->control->cpus; i++)
        action[i] = ACTION_CONTINUE;
    if (what == ACTION_STEP)
        action[g->run < g->control->cpus ? g->run : g->current] = ACTION_STEP;
    go(g, action);
}

void gdb_continue(struct gdb *g, struct gdb_text *t)
{
    go_plain(g, t, ACTION_CONTINUE);
}

void gdb_step(struct gdb *g, struct gdb_text *t)
{
    go_plain(g, t, ACTION_STEP);
}

/* One of c, s, t, or C and S, whose signal no bare machine can get. */
static bool take_action(struct gdb_text *t, enum action *what)
{
    uint64_t signal;

    if (gdb_take_char(t, 'c'))
        *what = ACTION_CONTINUE;
    else if (gdb_take_char(t, 's'))
        *what = ACTION_STEP;
    else if (gdb_take_char(t, 't'))
        *what = ACTION_STOP;
    else if (gdb_take_char(t, 'C') && gdb_take_number(t, &signal))
        *what = ACTION_CONTINUE;
    else if (gdb_take_char(t, 'S') && gdb_take_number(t, &signal))
        *what = ACTION_STEP;
    else
        return false;
    return true;
}

/* "[:thread]"; the first action that names a thread is its. */
static bool take_whom(struct gdb *g, struct gdb_text *t, enum action what, enum action *action)
{
    unsigned cpu = g->control->cpus;

    if (gdb_take_char(t, ':') && !gdb_take_word(t, "-1") && !gdb_take_thread(g, t, &cpu))
        return false;
    for (unsigned i = 0; i < g->control->cpus; i++) {
        if (action[i] == ACTION_NONE && (cpu == i || cpu == g->control->cpus))
            action[i] = what;
    }
    return true;
}

/* Behind "vCont": one or more of ";action[:thread]". */
void gdb_vcont(struct gdb *g, struct gdb_text *t)
{
    enum action action[CONTROL_CPUS] = { ACTION_NONE }, what;

    if (gdb_at_end(t)) {
        gdb_error(g, GDB_EINVAL);
        return;
    }
    while (!gdb_at_end(t)) {
        if (!gdb_take_char(t, ';') || !take_action(t, &what) || !take_whom(g, t, what, action)) {
            gdb_error(g, GDB_EINVAL);
            return;
        }
    }
    go(g, action);
}
