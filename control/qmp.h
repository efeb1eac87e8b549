/*
 * qmp.h - a program's door: the machine protocol (QMP) on a character port. docs/protocol.md lists what it understands.
 */
#ifndef CONTROL_QMP_H
#define CONTROL_QMP_H

#include "control.h"
#include "error.h"
#include "ports.h"

struct qmp;

/* Attaches to `port` as its device end; both are borrowed, and outlive it. NULL when `c` has no room for another
 * listener. */
struct qmp *qmp_new(struct control *c, struct char_port *port, struct error *e);

/* `qmp` may be NULL. */
void qmp_free(struct qmp *qmp);

#endif
