/* pflash.h - parallel NOR flash: a pair of Intel-command-set chips side by side on a 32-bit bus. */
#ifndef DEVICES_PFLASH_H
#define DEVICES_PFLASH_H

#include "device.h"
#include "ports.h"
#include "ram.h"

enum { PFLASH_SECTOR = 256 * 1024, PFLASH_BANK_WIDTH = 4 };

/* `span`: bytes, a power of two of at least two sectors. `contents`: at least `span` bytes, borrowed; the
 * machine maps the device with it: bus_add_device(bus, base, dev, contents, e). It is the flash's memory, so
 * it is saved and loaded with the machine's memory, not with the device's registers. `drive` (borrowed) keeps
 * the contents, or NULL: they are lost at the end. A read-only drive write-protects the chips. */
struct device *pflash_new(const char *id, const struct dev_env *env, uint64_t span, struct ram *contents,
                          struct block_port *drive);

/* Fills the contents from the drive, and what a shorter drive lacks with erased bytes; before the machine
 * runs. Without a drive it does nothing. */
bool pflash_load(struct device *dev, struct error *e);

#endif
