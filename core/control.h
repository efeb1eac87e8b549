/*
 * control.h - a machine as those see it who steer it from outside: debugger, protocol, monitor.
 *
 * Everything is called with the machine lock held, from the main loop.
 */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "clock.h"
#include "cpu.h"

enum { CONTROL_CPUS = 8, CONTROL_LISTENERS = 4 };

/* Somebody who wants to know when the machine stopped by itself: a breakpoint, a watchpoint. */
struct control_listener {
    void (*stopped)(void *owner, struct cpu *cpu);
    void *owner;
};

struct control {
    unsigned cpus;
    struct cpu *cpu[CONTROL_CPUS];
    struct bus *bus;
    struct clock *clock;
    struct control_listener listener[CONTROL_LISTENERS];
    unsigned listeners;

    bool (*running)(struct control *c);
    /* Parks all vCPUs and stops guest time; returns when no guest code runs. Idempotent. */
    void (*stop)(struct control *c);
    /* Lets the machine go on, but for the vCPUs of the bit mask `held`. */
    void (*resume)(struct control *c, uint32_t held);
    /* While stopped: one instruction on this vCPU alone; see cpu_ops.step. */
    void (*step)(struct control *c, struct cpu *cpu);
    void (*reset)(struct control *c);
    void (*quit)(struct control *c, int status);
};

#endif
