/* host-rig.h - what the harness-host*.c files share; tests do not include it. */
#ifndef HOST_RIG_H
#define HOST_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "lock.h"
#include "loop.h"

struct report {
    char *why;
    size_t size;
    bool failed;
};

/* Notes the first expectation that fails; returns `ok`. */
bool expect(struct report *r, bool ok, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A machine without a machine: lock (held), clock and loop. */
struct rig {
    struct machine_lock lock;
    struct clock *clock;
    struct loop *loop;
    struct error e;
};

void rig_open(struct rig *rig, double rate);
void rig_close(struct rig *rig);

/* Runs the loop until done(arg), for at most 10 s. */
bool rig_until(struct rig *rig, bool (*done)(void *arg), void *arg);

/* Runs the loop until nothing is ready any more. */
void rig_settle(struct rig *rig);

uint64_t host_now(void);

struct scenario {
    const char *name;
    void (*run)(struct report *r);
};

extern const struct scenario loop_scenarios[], char_scenarios[], terminal_scenarios[], block_scenarios[],
    net_scenarios[];

#endif
