/* The machine's end of core/control.h. */
#include <stddef.h>
#include <stdio.h>

#include "machine.h"

static struct machine *machine_of(struct control *c)
{
    return (struct machine *)((char *)c - offsetof(struct machine, control));
}

static bool running(struct control *c)
{
    return !machine_of(c)->stopped;
}

static void stop(struct control *c)
{
    machine_stop(machine_of(c));
}

static void resume(struct control *c)
{
    machine_continue(machine_of(c));
}

static void step(struct control *c, struct cpu *cpu)
{
    struct machine *m = machine_of(c);

    /* A device that the instruction reaches is entered under the lock, which the vCPU takes itself. */
    lock_drop(&m->lock);
    cpu->ops->step(cpu);
    lock_take(&m->lock);
}

static void reset(struct control *c)
{
    struct machine *m = machine_of(c);

    m->port.request(&m->port, MACHINE_RESET, 0, "debugger");
}

static void quit(struct control *c, int status)
{
    machine_quit(machine_of(c), status);
}

void control_init(struct machine *m)
{
    m->control = (struct control){
        .cpus = m->cpus,
        .bus = m->bus,
        .clock = m->clock,
        .running = running,
        .stop = stop,
        .resume = resume,
        .step = step,
        .reset = reset,
        .quit = quit,
    };
    for (unsigned i = 0; i < m->cpus; i++)
        m->control.cpu[i] = m->vcpus[i].cpu;
}

void control_debugged(struct machine *m)
{
    struct cpu *cpu = m->debugged;

    machine_stop(m);
    m->debugged = NULL;
    for (unsigned i = 0; i < m->control.listeners; i++)
        m->control.listener[i].stopped(m->control.listener[i].owner, cpu);
}
