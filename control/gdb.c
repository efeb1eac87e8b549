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

void gdb_give_up(struct gdb *g)
{
    g->dead = true;
    if (g->port->hang_up)
        g->port->hang_up(g->port);
}

void gdb_patience(struct gdb *g, unsigned seconds)
{
    if (g->port->patience)
        g->port->patience(g->port, seconds);
}

static size_t can_receive(void *dev)
{
    return GDB_PACKET;
}

static void receive(void *dev, const uint8_t *buf, size_t len)
{
    struct gdb *g = dev;

    for (size_t i = 0; i < len && !g->dead; i++)
        gdb_take(g, buf[i]);
}

static void event(void *dev, enum char_event what)
{
    struct gdb *g = dev;

    if (what == CHAR_OPENED) { /* the guest goes on until the first packet: a connection alone is no debugger */
        gdb_wire_reset(g);
        gdb_patience(g, GDB_PATIENCE);
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
    struct gdb *g = alloc_zeroed(sizeof *g);
    struct control_listener listener = { .stopped = stopped, .owner = g };

    if (!control_listen(c, &listener, e)) {
        free(g);
        return NULL;
    }
    g->control = c;
    g->port = port;
    g->arch = gdb_arch_find(c->cpu[0]->ops->arch);
    gdb_list_registers(g);
    port->can_receive = can_receive;
    port->receive = receive;
    port->event = event;
    port->dev = g;
    return g;
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
    control_unlisten(g->control, g);
    g->port->dev = NULL;
    g->port->can_receive = NULL;
    g->port->receive = NULL;
    g->port->event = NULL;
    free(g->reg);
    free(g->target_xml);
    free(g->threads_xml);
    free(g);
}
