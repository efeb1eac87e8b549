/* ns16550.h - the NS16550A serial port. */
#ifndef DEVICES_NS16550_H
#define DEVICES_NS16550_H

#include "device.h"
#include "ports.h"

/* Attaches to `port` (borrowed; or NULL: nothing is connected). `clock_hz`: the input clock, not 0; the virt
 * board's is 3686400, a PC's 1843200. Registers are one byte apart. */
struct device *ns16550_new(const char *id, const struct dev_env *env, struct char_port *port,
                           uint32_t clock_hz);

/* INTR; the machine connects it. */
struct line *ns16550_irq(struct device *dev);

#endif
