/* harness-atomic.c - see harness-atomic.h. */
#include "harness-atomic.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus.h"
#include "clock.h"
#include "decode.h"
#include "ram.h"

enum { HARTS = 2, OPS = 2 };

struct at {
    struct trace *trace;
    struct clock *clock;
    struct machine_lock lock;
    struct bus *bus;
    struct ram *ram;
    struct rv_config *config;
    struct rv *hart[HARTS];
    struct rv_block *block[HARTS]; /* the instruction, then arrive() */
    unsigned harts;
};

/* The instruction's successor. */
static void arrive(struct rv *cpu, const struct rv_op *op)
{
}

struct at *at_new(unsigned xlen, unsigned harts)
{
    struct at *t = calloc(1, sizeof *t);
    struct error e = { "" };
    struct rv_isa isa;

    t->harts = harts;
    t->trace = trace_new(stderr);
    t->clock = clock_new(0, 0);
    lock_init(&t->lock);
    t->bus = bus_new(t->trace);
    t->ram = ram_new("ram", AT_RAM_SIZE, &e);
    if (!t->ram || !bus_add_memory(t->bus, BUS_RAM, AT_RAM, t->ram, AT_RAM_SIZE, &e) ||
        !rv_isa_parse(&isa, xlen, "max,pmp=off", &e)) {
        fprintf(stderr, "%s\n", e.text);
        at_free(t);
        return NULL;
    }
    t->config = rv_config_new(&isa, harts, 10000000, AT_RAM);
    for (unsigned i = 0; i < harts; i++) {
        struct cpu_env env = { .bus = t->bus, .clock = t->clock, .lock = &t->lock, .trace = t->trace };

        t->hart[i] = (struct rv *)rv_new(t->config, &env, i);
        t->block[i] = calloc(1, sizeof *t->block[i] + OPS * sizeof t->block[i]->ops[0]);
        t->block[i]->count = 1;
        t->hart[i]->block = t->block[i];
        t->hart[i]->block_pc = AT_RAM;
    }
    return t;
}

void at_free(struct at *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < HARTS; i++) {
        if (t->hart[i])
            t->hart[i]->cpu.ops->destroy(&t->hart[i]->cpu);
        free(t->block[i]);
    }
    rv_config_free(t->config);
    bus_free(t->bus);
    ram_free(t->ram);
    clock_free(t->clock);
    lock_destroy(&t->lock);
    trace_free(t->trace);
    free(t);
}

void at_set_x(struct at *t, unsigned hart, unsigned r, uint64_t value)
{
    t->hart[hart]->x[r] = value;
}

uint64_t at_x(const struct at *t, unsigned hart, unsigned r)
{
    return t->hart[hart]->x[r];
}

int at_run(struct at *t, unsigned hart, uint32_t raw)
{
    struct rv *cpu = t->hart[hart];
    struct rv_op *ops = t->block[hart]->ops;

    rv_decode(t->config->decoder, raw, &ops[0]);
    ops[1].fn = arrive;
    if (setjmp(cpu->escape))
        return (int)cpu->mcause;
    ops[0].fn(cpu, ops);
    return -1;
}

uint64_t at_tval(const struct at *t, unsigned hart)
{
    return t->hart[hart]->mtval;
}

void at_set_mode(struct at *t, unsigned hart, unsigned priv, uint64_t menvcfg, uint64_t senvcfg)
{
    struct rv *cpu = t->hart[hart];

    cpu->priv = (uint8_t)priv;
    cpu->menvcfg = menvcfg;
    cpu->senvcfg = senvcfg;
    rv_update_spaces(cpu);
}

uint64_t at_peek(struct at *t, uint64_t gpa, unsigned width)
{
    uint64_t value = 0;

    bus_read(t->bus, gpa, width, &value);
    return value;
}

void at_poke(struct at *t, uint64_t gpa, uint64_t value, unsigned width)
{
    bus_write(t->bus, gpa, width, value);
}

/* ---- two threads ---- */

struct worker {
    struct at *t;
    unsigned hart, times;
    bool amo, busy;
    pthread_barrier_t *start;
};

enum {
    LR_D_X3_X1 = 0x1000b1af, /* lr.d x3, (x1) */
    SC_D_X4_X5_X1 = 0x1850b22f,
    AMOADD_D_X0_X6_X1 = 0x0060b02f,
    SB_X0_8_X1 = 0x00008423, /* another word of the granule */
};

static void count_once(struct worker *w)
{
    if (w->amo) {
        at_run(w->t, w->hart, AMOADD_D_X0_X6_X1);
        return;
    }
    do {
        at_run(w->t, w->hart, LR_D_X3_X1);
        at_set_x(w->t, w->hart, 5, at_x(w->t, w->hart, 3) + 1);
        at_run(w->t, w->hart, SC_D_X4_X5_X1);
    } while (at_x(w->t, w->hart, 4));
}

static void *work(void *arg)
{
    struct worker *w = arg;

    at_set_x(w->t, w->hart, 1, AT_RAM);
    at_set_x(w->t, w->hart, 6, 1);
    pthread_barrier_wait(w->start);
    for (unsigned i = 0; i < w->times; i++) {
        count_once(w);
        if (w->busy)
            at_run(w->t, w->hart, SB_X0_8_X1);
    }
    return NULL;
}

uint64_t at_count_together(struct at *t, unsigned times, bool amo, bool busy)
{
    pthread_barrier_t start;
    struct worker w[HARTS] = { { t, 0, times, false, busy, &start }, { t, 1, times, amo, busy, &start } };
    pthread_t other;

    pthread_barrier_init(&start, NULL, HARTS);
    pthread_create(&other, NULL, work, &w[1]);
    work(&w[0]);
    pthread_join(other, NULL);
    pthread_barrier_destroy(&start);
    return at_peek(t, AT_RAM, 8);
}
