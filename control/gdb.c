/* gdb.c - a client's coming and going. GDB's manual, appendix E "GDB Remote Serial Protocol". */
#include "gdb.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "gdb-priv.h"

void gdb_attach(struct gdb *g)
{
    g->control->stop(g->control);
    if (g->attached)
        return;
    g->attached = true;
    g->waiting = g->physical = false;
    g->current = g->stopped = 0;
    g->run = g->control->cpus;
    g->signal = GDB_SIGTRAP;
    memset(g->stop, 0, sizeof g->stop);
}

void gdb_detach(struct gdb *g)
{
    if (!g->attached)
        return;
    g->control->stop(g->control);
    gdb_drop_points(g);
    g->attached = g->waiting = false;
    g->control->resume(g->control, 0);
}

/* ---- the port ---- */

static size_t can_receive(void *dev)
{
    return GDB_PACKET;
}

static void receive(void *dev, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        gdb_take(dev, buf[i]);
}

static void event(void *dev, enum char_event what)
{
    struct gdb *g = dev;

    if (what == CHAR_OPENED) {
        gdb_wire_reset(g);
        gdb_attach(g);
    } else if (what == CHAR_CLOSED) {
        gdb_detach(g);
        gdb_wire_reset(g);
    } else if (what == CHAR_BREAK) {
        gdb_interrupt(g);
    }
}

/* ---- life ---- */

static void stopped(void *owner, struct cpu *cpu)
{
    gdb_stopped(owner, cpu);
}

struct gdb *gdb_new(struct control *c, struct char_port *port, struct error *e)
{
    if (c->listeners >= CONTROL_LISTENERS) {
        error_set(e, "no more than %d debuggers and protocols can listen to one machine", CONTROL_LISTENERS);
        return NULL;
    }
    struct gdb *g = alloc_zeroed(sizeof *g);

    g->control = c;
    g->port = port;
    g->arch = gdb_arch_find(c->cpu[0]->ops->arch);
    gdb_list_registers(g);
    c->listener[c->listeners++] = (struct control_listener){ .stopped = stopped, .owner = g };
    port->can_receive = can_receive;
    port->receive = receive;
    port->event = event;
    port->dev = g;
    return g;
}

static void stop_listening(struct gdb *g)
{
    struct control *c = g->control;
    unsigned kept = 0;

    for (unsigned i = 0; i < c->listeners; i++) {
        if (c->listener[i].owner != g)
            c->listener[kept++] = c->listener[i];
    }
    c->listeners = kept;
}

void gdb_free(struct gdb *g)
{
    if (!g)
        return;
    if (g->attached && g->waiting) {
        gdb_begin(g);
        gdb_put(g, "W00");
        gdb_send(g);
    }
    stop_listening(g);
    g->port->dev = NULL;
    free(g->reg);
    free(g->target_xml);
    free(g->threads_xml);
    free(g);
}
