/*
 * death.h - a guest that can never do anything again: every vCPU is stuck (cpu_ops.plight), and nothing is left that
 * could send one an interrupt that gets through. It is reported once, with where the vCPUs are.
 */
#ifndef MACHINE_DEATH_H
#define MACHINE_DEATH_H

#include <stdbool.h>
#include <stddef.h>

struct death;
struct machine;

/* Watches the machine, whose vCPUs are there. */
struct death *death_watch(struct machine *m);
void death_forget(struct death *d);

/* Under a virtual clock, between rounds; `anyone`: a vCPU has run in this one. */
void death_look(struct machine *m, bool anyone);

/* Where each vCPU is, with a backtrace: while they stand still. `owner` is the machine. */
void death_describe(void *owner, char *out, size_t size);

#endif
