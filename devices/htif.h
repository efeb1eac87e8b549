/* htif.h - the host-target interface of spike and riscv-tests: the words `tohost` and `fromhost`. */
#ifndef DEVICES_HTIF_H
#define DEVICES_HTIF_H

#include "device.h"
#include "ports.h"

enum { HTIF_SPAN_MAX = 4096 };

/* Where a board puts the window over RAM: the smallest aligned one that holds both words. False when the two
 * symbols are not 8-byte aligned or too far apart for one window. */
struct htif_place {
    uint64_t base, span;       /* both multiples of 64 */
    uint64_t tohost, fromhost; /* offsets in the window */
};
bool htif_place(uint64_t tohost, uint64_t fromhost, struct htif_place *place, struct error *e);

/* The rest of the window behaves as RAM, but cannot be executed or reached by DMA. `console` may be NULL. */
struct device *htif_new(const char *id, const struct dev_env *env, const struct htif_place *place,
                        struct char_port *console, struct machine_port *machine);

#endif
