/* plic.h - the RISC-V platform-level interrupt controller. */
#ifndef DEVICES_PLIC_H
#define DEVICES_PLIC_H

#include "device.h"

enum { PLIC_MAX_SOURCES = 1023, PLIC_MAX_CONTEXTS = 128, PLIC_SPAN = 0x600000 };

/* `sources`: interrupts 1..sources exist, at most PLIC_MAX_SOURCES. `contexts`: at most PLIC_MAX_CONTEXTS; by
 * convention two a hart, M then S. */
struct device *plic_new(const char *id, const struct dev_env *env, unsigned sources, unsigned contexts);

/* The input wires, a line_fn: `plic` is the struct device *, `source` 1..sources. */
void plic_set_input(void *plic, unsigned source, bool level);

/* The external-interrupt output of a context < contexts; the machine connects it. */
struct line *plic_output(struct device *dev, unsigned context);

#endif
