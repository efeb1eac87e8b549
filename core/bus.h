/*
 * bus.h - a guest-physical address space: a sorted list of ranges, each RAM, ROM or a device window.
 *
 * The bus, not the device, enforces access width and natural alignment. DMA reaches RAM only: an address that
 * lands on a device is an error by type, so a device can never re-enter a device.
 */
#ifndef CORE_BUS_H
#define CORE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct bus;
struct code_watch;
struct device;
struct ram;
struct trace;

enum bus_kind {
    BUS_RAM,    /* read, write, execute */
    BUS_ROM,    /* read, execute; a write is an access fault */
    BUS_DEVICE, /* every access goes to the device */
    BUS_ROMD,   /* reads and fetches come from memory, writes go to the device (flash in read-array mode) */
};

struct bus_range {
    uint64_t base;
    uint64_t size;
    enum bus_kind kind;
    uint8_t *host;      /* BUS_RAM, BUS_ROM, BUS_ROMD: host address of `base` */
    struct device *dev; /* BUS_DEVICE, BUS_ROMD */
};

enum bus_status { BUS_OK, BUS_UNMAPPED, BUS_REFUSED };

struct bus *bus_new(struct trace *trace);
void bus_free(struct bus *bus);

/* Adds [base, base + size): the first `size` bytes of `ram` (borrowed) as RAM or ROM. Overlaps are refused. */
bool bus_add_memory(struct bus *bus, enum bus_kind kind, uint64_t base, struct ram *ram, uint64_t size,
                    struct error *e);

/* The same for bytes [offset, offset + size) of `ram`. */
bool bus_add_memory_part(struct bus *bus, enum bus_kind kind, uint64_t base, struct ram *ram, uint64_t offset,
                         uint64_t size, struct error *e);

/* Adds the device's window (dev->ops->span bytes) at `base`; `rom` (or NULL) backs reads of a BUS_ROMD window. */
bool bus_add_device(struct bus *bus, uint64_t base, struct device *dev, struct ram *rom, struct error *e);

/* Switches the window of `dev` between BUS_ROMD (direct) and BUS_DEVICE, and tells the bus's watcher. */
void bus_set_direct(struct bus *bus, struct device *dev, bool direct);

/* `changed` is called when a range changed its kind: vCPUs must drop what they cached. */
void bus_watch(struct bus *bus, void (*changed)(void *owner), void *owner);

/* The range that contains `gpa`, or NULL. Ranges never move once the machine runs; any thread. */
const struct bus_range *bus_find(const struct bus *bus, uint64_t gpa);

/* All ranges in ascending order, for `info mtree`. */
const struct bus_range *bus_ranges(const struct bus *bus, size_t *count);

/* Host address of [gpa, gpa + len) if it is wholly in one RAM (or, unless `writing`, ROM) range; else NULL.
 * For vCPUs, loaders and debuggers; devices use DMA. Any thread. */
uint8_t *bus_memory(const struct bus *bus, uint64_t gpa, uint64_t len, bool writing);

/* One access of `width` 1, 2, 4 or 8 bytes, zero-extended. The caller holds the machine lock. */
enum bus_status bus_read(struct bus *bus, uint64_t gpa, unsigned width, uint64_t *value);
enum bus_status bus_write(struct bus *bus, uint64_t gpa, unsigned width, uint64_t value);

/* Device access to RAM, bounded; false (nothing, or a prefix, was copied) when any byte is not RAM.
 * May cross RAM ranges. */
bool dma_read(struct bus *bus, uint64_t gpa, void *buf, size_t len) __attribute__((warn_unused_result));
bool dma_write(struct bus *bus, uint64_t gpa, const void *buf, size_t len) __attribute__((warn_unused_result));

/* Tells the watch (borrowed) of everything that is written through the bus: by devices, loaders and debuggers. Before
 * the machine runs; NULL ends it. */
void bus_set_code_watch(struct bus *bus, struct code_watch *watch);

/* Loaders and debuggers: also writes ROM and flash contents. */
bool bus_poke(struct bus *bus, uint64_t gpa, const void *buf, size_t len) __attribute__((warn_unused_result));
bool bus_peek(struct bus *bus, uint64_t gpa, void *buf, size_t len) __attribute__((warn_unused_result));

#endif
