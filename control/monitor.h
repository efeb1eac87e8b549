/*
 * monitor.h - a person's door: commands typed on a character port. docs/protocol.md lists them.
 *
 * Prompt, commands and what they print are those that users of other emulators' monitors know.
 */
#ifndef CONTROL_MONITOR_H
#define CONTROL_MONITOR_H

#include "control.h"
#include "error.h"
#include "ports.h"
#include "text-out.h"

enum { MONITOR_LINE = 1024 };

struct monitor;

/* Attaches to `port` as its device end; both are borrowed, and outlive it. */
struct monitor *monitor_new(struct control *c, struct char_port *port);

/* `monitor` may be NULL. */
void monitor_free(struct monitor *monitor);

/* One command line for whoever has a place to print: the protocol, the debugger. *cpu is the vCPU that commands are
 * about; "cpu N" changes it. Lines of `out` end with "\n". */
void monitor_execute(struct control *c, unsigned *cpu, const char *line, struct text_out *out);

#endif
