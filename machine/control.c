/* The machine's end of core/control.h. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "gdb.h"
#include "machine.h"
#include "options.h"
#include "peripherals.h"

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

static void resume(struct control *c, uint32_t held)
{
    machine_continue(machine_of(c), held);
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

static void control_init(struct machine *m)
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

/* A socket for GDB listens, and does not wait, unless the text says otherwise. */
static void gdb_port_text(const char *text, char *out, size_t size)
{
    bool is_socket = !strncmp(text, "tcp:", 4) || !strncmp(text, "unix:", 5);

    snprintf(out, size, "%s%s", text, is_socket && !strstr(text, ",server") ? ",server,nowait" : "");
}

bool control_open(struct machine *m, struct error *e)
{
    char text[512];

    control_init(m);
    if (!m->options->gdb || !strcmp(m->options->gdb, "none"))
        return true;
    gdb_port_text(m->options->gdb, text, sizeof text);
    struct char_port *port = peripherals_open_port(m->peripherals, text, "gdb", e);
    m->gdb = port ? gdb_new(&m->control, port, e) : NULL;
    return m->gdb || error_prefix(e, "-gdb %s", m->options->gdb);
}

void control_close(struct machine *m)
{
    gdb_free(m->gdb);
}

void control_debugged(struct machine *m)
{
    struct cpu *cpu = m->debugged;

    machine_stop(m);
    m->debugged = NULL;
    for (unsigned i = 0; i < m->control.listeners; i++)
        m->control.listener[i].stopped(m->control.listener[i].owner, cpu);
}
