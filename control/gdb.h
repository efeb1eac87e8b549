/*
 * gdb.h - a debugger's door: GDB's Remote Serial Protocol on a character port.
 *
 * While nobody is connected it costs nothing. A client that connects stops the machine; one that detaches or goes away
 * leaves no breakpoint behind, and the machine goes on. docs/debugging.md says what is understood.
 */
#ifndef CONTROL_GDB_H
#define CONTROL_GDB_H

#include "control.h"
#include "error.h"
#include "ports.h"

struct gdb;

/* Attaches to `port` as its device end. Both `c` and `port` are borrowed, and outlive it. Fails when `c` has no room
 * for another listener. */
struct gdb *gdb_new(struct control *c, struct char_port *port, struct error *e);

/* Tells a client that waits for the guest that it is gone. `gdb` may be NULL. */
void gdb_free(struct gdb *gdb);

#endif
