/*
 * device.h - the device interface.
 *
 * A device knows neither its address nor its interrupt number, nor which CPU there is. Its outputs (lines, timers)
 * follow from its registers: `settle` derives them, is idempotent, and runs after every write, after reset and after a
 * load; no handler pulses a wire. devices/goldfish-rtc.c is the template.
 *
 * Every function is called with the machine lock held.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "clock.h"
#include "error.h"
#include "line.h"
#include "state.h"
#include "trace.h"

struct device;

/* Access widths a window takes, for dev_ops.widths: the OR of the byte counts. */
enum { WIDTH_1 = 1, WIDTH_2 = 2, WIDTH_4 = 4, WIDTH_8 = 8 };

struct dev_ops {
    const char *name; /* as in `-device help` and the state stream */
    uint64_t span;    /* bytes of its window; 0: the instance's own (device.span) */
    uint8_t widths;
    uint64_t (*read)(struct device *dev, uint64_t off, unsigned width);
    void (*write)(struct device *dev, uint64_t off, unsigned width, uint64_t value);
    void (*reset)(struct device *dev);                        /* to the data sheet's reset values; or NULL */
    void (*settle)(struct device *dev);                       /* or NULL */
    bool (*valid)(const struct device *dev, struct error *e); /* cross-field check of a loaded scratch copy; or NULL */
    void (*destroy)(struct device *dev);                      /* frees everything, the struct too */
    const struct state_field *fields;                         /* offsets from the struct device * */
    size_t size;                                              /* of the whole instance, for load's scratch copy */
};

/* What every device gets from its machine. */
struct dev_env {
    struct bus *bus;     /* for DMA only */
    struct clock *clock;
    struct trace *trace;
};

/* The head of every device's own struct. */
struct device {
    const struct dev_ops *ops;
    const char *id; /* unique in the machine: "uart0"; string owned by the machine */
    uint64_t span;
    struct dev_env env;
    struct trace_cat *log;         /* category ops->name */
    struct trace_cat *guest_error; /* what the guest did wrong */
};

/* Fills the head; called first by a device's constructor. */
void device_init(struct device *dev, const struct dev_ops *ops, const char *id, const struct dev_env *env);

/* reset, then settle. */
void device_reset(struct device *dev);

/* Runs after a write: calls settle when there is one. */
void device_settle(struct device *dev);

void device_destroy(struct device *dev);

/* Saves and loads by ops->fields; load validates a scratch copy, commits, settles. */
void device_save(const struct device *dev, struct state_out *out);
bool device_load(struct device *dev, struct state_in *in, struct error *e);

#endif
