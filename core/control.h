/*
 * control.h - a machine as those see it who steer it from outside: debugger, protocol, monitor.
 *
 * Everything is called with the machine lock held, from the main loop.
 */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "clock.h"
#include "cpu.h"
#include "error.h"

enum { CONTROL_CPUS = 8, CONTROL_LISTENERS = 16 };

struct device;

enum control_event { CONTROL_STOP, CONTROL_RESUME, CONTROL_RESET, CONTROL_SHUTDOWN, CONTROL_EVENTS };

/* Somebody who wants to know what became of the machine. */
struct control_listener {
    /* It stopped by itself: a breakpoint, a watchpoint. Or NULL. */
    void (*stopped)(void *owner, struct cpu *cpu);
    /* `by_guest` and `reason` ("guest-shutdown") go with CONTROL_RESET and CONTROL_SHUTDOWN. Or NULL. */
    void (*event)(void *owner, enum control_event what, bool by_guest, const char *reason);
    void *owner;
};

/* ---- inventories: texts are the machine's and stay as long as it ---- */

struct control_block {
    const char *id, *file, *format;
    uint64_t size; /* bytes */
    bool read_only, snapshot;
};

struct control_net {
    const char *id, *type, *device; /* device: NULL when nothing is plugged into it */
    uint8_t mac[6];
    bool up;
};

struct control_char {
    const char *id, *target, *user; /* target: "unix:PATH,server"; user: "serial0", or NULL */
};

struct control_board {
    const char *name, *alias, *summary; /* alias may be NULL */
    unsigned cpus;                      /* at most */
    bool chosen_by_default;
};

/* A run of guest-virtual addresses that lead to as many guest-physical ones. */
struct control_mapping {
    uint64_t gva, gpa, size;
    char attributes[8]; /* "rwxugad", with '-' for what is not */
};

/* What is known from the start. */
struct control_about {
    const char *name;    /* or NULL */
    const char *version; /* "0.1.0" */
    const char *target;  /* "riscv64" */
    const char *board;
    uint8_t uuid[16];
    uint64_t ram; /* bytes */
};

struct control {
    unsigned cpus;
    struct cpu *cpu[CONTROL_CPUS];
    struct bus *bus;
    struct clock *clock;
    struct control_about about;
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

    /* The rest may be NULL: the machine has nothing of the kind. */

    /* Between the two no guest code runs; nobody is told, and guest time goes on. */
    void (*freeze)(struct control *c);
    void (*thaw)(struct control *c);
    /* QMP's RunState: "running", "paused", "prelaunch", "shutdown", "debug". */
    const char *(*status)(struct control *c);
    /* Presses the power button. */
    bool (*powerdown)(struct control *c, struct error *e);
    /* The host's number of the thread that runs vCPU n, or 0. */
    int (*thread)(struct control *c, unsigned n);
    /* Assembler text of the instruction in bytes[0..len); the number of bytes it takes, 0 when `len` is too few. */
    unsigned (*disassemble)(struct control *c, uint64_t pc, const uint8_t *bytes, size_t len, char *text, size_t size);
    /* The vCPU's address space in ascending order, until take() returns false. False: no translation is on. */
    bool (*mappings)(struct control *c, struct cpu *cpu,
                     bool (*take)(void *owner, const struct control_mapping *mapping), void *owner);

    /* What the JIT did so far, a text that the caller frees; NULL: there is none. */
    char *(*jit)(struct control *c);

    /* The n-th of each; false: there are no more. */
    bool (*block)(struct control *c, unsigned n, struct control_block *out);
    bool (*net)(struct control *c, unsigned n, struct control_net *out);
    bool (*character)(struct control *c, unsigned n, struct control_char *out);
    bool (*board)(struct control *c, unsigned n, struct control_board *out);
    const struct device *(*device)(struct control *c, unsigned n);

    /* A text about the connections of network n that the caller frees, or NULL. */
    char *(*connections)(struct control *c, unsigned n);
    bool (*set_link)(struct control *c, const char *id, bool up);
    /* `id` may be NULL for the first network; *port gets the host's port. */
    bool (*forward)(struct control *c, const char *id, const char *rule, unsigned *port, struct error *e);
    bool (*unforward)(struct control *c, const char *id, const char *rule, struct error *e);
    /* Takes up to `size` bytes out of a ring buffer; false: no ring buffer has this id. */
    bool (*ring_read)(struct control *c, const char *id, uint8_t *buf, size_t *size);
};

/* Fails when there are CONTROL_LISTENERS. */
bool control_listen(struct control *c, const struct control_listener *listener, struct error *e);
void control_unlisten(struct control *c, const void *owner);
void control_tell(struct control *c, enum control_event what, bool by_guest, const char *reason);

#endif
