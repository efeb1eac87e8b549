/*
 * death.c - see death.h.
 *
 * Under a virtual clock the look is free: a round without a runnable vCPU and without a timer of the guest's, or else a
 * moment of guest time every now and then. Under the real clock the vCPUs are parked for it, more and more rarely while
 * nothing runs.
 *
 * Inaccuracies, towards life: a person, a socket or a network may always send something, so a guest that lets the
 * interrupts of devices through is alive unless a boot test without a network runs it; and any timer that a device of
 * the guest's has armed may be the one it waits for.
 */
#include "death.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bits.h"
#include "boot-test.h"
#include "machine.h"
#include "options.h"
#include "symbols.h"

enum { FRAMES = 32 };

#define VIRTUAL_PERIOD_NS (NS_PER_SEC / 10)
#define FIRST_LOOK_NS (NS_PER_SEC / 4)
#define PERIOD_MAX_NS (NS_PER_SEC * 4)

struct death {
    struct machine *m;
    struct timer timer; /* under the real clock */
    uint64_t period;    /* of it */
    uint64_t next;      /* virtual: guest time of the next look */
    uint64_t retired;   /* by all vCPUs at the last look */
    bool asleep;        /* virtual: looked at since a vCPU ran */
    bool reported;
};

/* ---- the verdict ---- */

static bool alive(struct machine *m, const struct cpu_plight *p)
{
    bool timers = clock_guest_deadline(m->clock) != CLOCK_NEVER;
    bool outside = !m->options->test || boot_test_outside(m->options->test);

    return (p->prospects & CPU_RUNS) || ((p->prospects & CPU_WAKES_TIMER) && timers) ||
           ((p->prospects & CPU_WAKES_DEVICE) && (timers || outside));
}

/* The first vCPU's reason stands for all. */
static bool is_dead(struct machine *m, char *why, size_t size)
{
    struct cpu_plight p = { 0 };

    for (unsigned i = m->cpus; i-- > 0;) {
        struct cpu *cpu = m->vcpus[i].cpu;
        if (!cpu->ops->plight)
            return false;
        cpu->ops->plight(cpu, &p);
        if (alive(m, &p))
            return false;
    }
    snprintf(why, size, "vCPU 0 is %s%s%s", p.why,
             p.prospects ? ", and no interrupt that it lets through can come" : "",
             m->cpus > 1 ? ", and no other will ever run again either" : "");
    return true;
}

static void report(struct machine *m, const char *why)
{
    static const size_t size = 12000;
    char *text;

    m->death->reported = true;
    if (m->options->test) {
        boot_test_dead(m->options->test, why);
        return;
    }
    text = alloc_zeroed(size);
    death_describe(m, text, size);
    fprintf(stderr, "lyrebird: warning: this guest can never run again: %s\n%s", why, text);
    free(text);
}

/* ---- when to look ---- */

static uint64_t total_retired(const struct machine *m)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < m->cpus; i++)
        sum += m->vcpus[i].cpu->ops->retired(m->vcpus[i].cpu);
    return sum;
}

static void look(struct machine *m)
{
    char why[256];

    if (!m->requested && !m->debugged && is_dead(m, why, sizeof why))
        report(m, why);
}

void death_look(struct machine *m, bool anyone)
{
    struct death *d = m->death;
    uint64_t now = clock_now(m->clock);
    bool at_rest = !anyone && !d->asleep && clock_guest_deadline(m->clock) == CLOCK_NEVER;

    if (anyone)
        d->asleep = false;
    if (d->reported || (!at_rest && (!anyone || now < d->next)))
        return;
    d->asleep = !anyone;
    d->next = now + VIRTUAL_PERIOD_NS;
    look(m);
}

/* vCPUs that somebody has stopped are none of ours; and so are those that stop while they are being parked. */
static void look_at_parked(struct machine *m)
{
    if (m->stopped || m->requested || m->debugged || m->pause)
        return;
    run_pause(m);
    look(m);
    if (!m->stopped && !m->debugged)
        run_resume(m);
}

static void on_timer(void *owner)
{
    struct death *d = owner;
    uint64_t retired = total_retired(d->m);
    bool ran = retired != d->retired;

    d->retired = retired;
    look_at_parked(d->m);
    d->period = ran ? NS_PER_SEC : d->period * 2 < PERIOD_MAX_NS ? d->period * 2 : PERIOD_MAX_NS;
    if (!d->reported)
        timer_arm(&d->timer, clock_now(d->m->clock) + d->period);
}

struct death *death_watch(struct machine *m)
{
    struct death *d = alloc_zeroed(sizeof *d);

    d->m = m;
    d->period = FIRST_LOOK_NS;
    d->retired = UINT64_MAX;
    timer_init(&d->timer, m->clock, on_timer, d);
    d->timer.observer = true;
    if (!clock_is_virtual(m->clock))
        timer_arm(&d->timer, FIRST_LOOK_NS);
    return d;
}

void death_forget(struct death *d)
{
    if (!d)
        return;
    timer_arm(&d->timer, CLOCK_NEVER);
    free(d);
}

/* ---- the description ---- */

struct text {
    char *at;
    size_t left;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(t->at, t->left, fmt, ap);
    va_end(ap);
    size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
    t->at += used;
    t->left -= used;
}

static void put_place(struct text *t, const struct symbols *s, uint64_t address)
{
    char name[128];

    symbols_name(s, address, name, sizeof name);
    put(t, "%#" PRIx64 "%s%s", address, *name ? " " : "", name);
}

/* A word of the guest's at a virtual address, when it is in memory. */
static bool word_at(struct machine *m, struct cpu *cpu, uint64_t gva, uint64_t *value)
{
    unsigned size = m->xlen / 8;
    uint8_t buf[8] = { 0 };
    uint64_t gpa;

    if (gva % size || !cpu->ops->translate(cpu, gva, &gpa) || !bus_peek(m->bus, gpa, buf, size))
        return false;
    *value = get_le64(buf);
    return true;
}

/* Frames as gcc lays them out with -fno-omit-frame-pointer: below fp the return address, below that the caller's fp.
 * Each frame has to lie above the one before, so that no loop in memory is followed. */
static void put_frames(struct text *t, struct machine *m, struct cpu *cpu, const struct cpu_plight *p,
                       const struct symbols *s)
{
    uint64_t word = m->xlen / 8, frame = p->frame, floor = p->stack, next, back;

    put(t, "  #0 ");
    put_place(t, s, p->pc);
    put(t, "\n  #1 ");
    put_place(t, s, p->return_address);
    put(t, " (ra)\n");
    for (unsigned n = 2; n < FRAMES && frame > floor && frame >= 2 * word; n++) {
        if (!word_at(m, cpu, frame - word, &back) || !word_at(m, cpu, frame - 2 * word, &next) || !back)
            return;
        put(t, "  #%u ", n);
        put_place(t, s, back);
        put(t, "\n");
        floor = frame;
        frame = next;
    }
}

/* The registers that a trap leaves behind, in this order. */
static void put_registers(struct text *t, struct cpu *cpu)
{
    static const char *const names[] = { "mstatus", "mcause", "mepc", "mtval", "mtvec", "mie",  "mip",
                                         "scause",  "sepc",   "stval", "stvec", "satp", "medeleg", "mideleg" };
    size_t count, shown = 0;
    const struct cpu_reg *regs = cpu->ops->registers(cpu, &count);

    for (size_t n = 0; n < ARRAY_LEN(names); n++) {
        for (size_t i = 0; i < count; i++) {
            if (strcmp(regs[i].name, names[n]))
                continue;
            put(t, "%s%s %#" PRIx64, shown % 7 == 0 ? shown ? "\n  " : "  " : "  ", names[n],
                cpu->ops->get_register(cpu, regs[i].id));
            shown++;
        }
    }
    put(t, "\n");
}

static void put_cpu(struct text *t, struct machine *m, struct cpu *cpu, const struct symbols *s)
{
    struct cpu_plight p;

    cpu->ops->plight(cpu, &p);
    put(t, "vCPU %u: %s, mode %s, %" PRIu64 " instructions\n", cpu->index,
        p.prospects & CPU_RUNS ? "running" : p.why, p.mode, cpu->ops->retired(cpu));
    put(t, "  pc %#" PRIx64 ": %s\n  ra %#" PRIx64 "  sp %#" PRIx64 "  fp %#" PRIx64 "\n", p.pc,
        *p.insn ? p.insn : "(no instruction there)", p.return_address, p.stack, p.frame);
    put_registers(t, cpu);
    put_frames(t, m, cpu, &p, s);
}

void death_describe(void *owner, char *out, size_t size)
{
    struct machine *m = owner;
    struct text t = { out, size };
    struct error e;
    const char *file = m->options->symbols ? m->options->symbols : m->options->kernel;
    struct symbols *s = file ? symbols_read(file, &e) : NULL;

    out[0] = 0;
    for (unsigned i = 0; i < m->cpus; i++) {
        if (m->vcpus[i].cpu->ops->plight)
            put_cpu(&t, m, m->vcpus[i].cpu, s);
    }
    symbols_free(s);
}
