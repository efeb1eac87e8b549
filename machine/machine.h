/*
 * machine.h - a machine: what a board's rows were built into, and how it runs. Private to this folder.
 *
 * Threads: one host thread a vCPU (one for all of them under a virtual clock), and the main loop on the thread that
 * calls machine_run(). Everything here is entered with the machine lock held unless it says otherwise.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <pthread.h>

#include "bus.h"
#include "clock.h"
#include "control.h"
#include "cpu.h"
#include "device.h"
#include "error.h"
#include "lock.h"
#include "ports.h"
#include "ram.h"
#include "trace.h"

enum { MACHINE_CPUS = 8, MACHINE_DEVICES = 96, MACHINE_MEMORIES = 8 };

struct board;
struct control_doors;
struct death;
struct gdb;
struct loop;
struct machine;
struct options;
struct peripherals;

struct vcpu {
    struct machine *machine;
    struct cpu *cpu;
    pthread_t thread;
    int tid; /* the host's number of it; atomic */
};

struct machine {
    const struct board *board;
    struct options *options; /* borrowed */
    unsigned xlen;
    FILE *log; /* -D, or NULL */
    struct machine_lock lock;
    struct trace *trace;
    struct clock *clock;
    struct bus *bus;
    struct loop *loop;
    struct dev_env env;
    struct machine_port port;

    struct vcpu vcpus[MACHINE_CPUS];
    unsigned cpus;
    void *cpu_config; /* what the vCPUs share; freed by board->free_cpus */
    struct device *devices[MACHINE_DEVICES];
    unsigned device_count;
    struct ram *memories[MACHINE_MEMORIES];
    unsigned memory_count;
    struct ram *ram;
    uint64_t ram_base;
    struct peripherals *peripherals; /* host ends: serial lines, disks, networks */
    void *board_data;

    /* vCPU threads */
    bool threads;      /* they were started */
    bool pause;        /* they are to park */
    bool quit;         /* they are to end */
    uint32_t held;     /* bits of vCPUs that stay parked while the others run */
    unsigned parked;
    pthread_cond_t all_parked, resume;

    /* what the guest or the user asked for; carried out by the main loop */
    bool requested;
    enum machine_request request;
    int exit_status;
    const char *requester; /* a device's id, or QMP's "host-..." */
    bool done;

    struct death *death; /* watches for it */
    struct gdb *gdb;
    struct control_doors *doors; /* protocol and monitors */
    struct control control; /* for debugger, protocol, monitor: control.c */
    bool stopped;           /* by one of them: nothing runs, the clock stands still */
    bool launched;          /* it ran, or was let run, once */
    bool shut_down;         /* the guest is off, and -no-shutdown keeps the machine */
    bool at_break;          /* stopped by a breakpoint or watchpoint */
    struct cpu *debugged;   /* hit a breakpoint or watchpoint; the main loop tells the listeners */
};

/* What differs from board to board. */
struct board {
    const char *name;
    const char *summary;
    const char *alias;    /* or NULL */
    unsigned xlens;       /* 32 | 64 */
    unsigned max_cpus;
    unsigned virtio_slots;
    bool (*build)(struct machine *m, struct error *e);
    bool (*restart)(struct machine *m, struct error *e); /* puts images back into memory; after every reset */
    void (*dismantle)(struct machine *m);                /* frees cpu_config and board_data */
};

extern const struct board board_virt, board_spike;

/* NULL-terminated, the default first. */
extern const struct board *const boards[];

/* Builds the machine that the options describe; NULL with a message. The lock is not held before or after. */
struct machine *machine_new(struct options *o, unsigned xlen, struct error *e);
void machine_free(struct machine *m);

/* Runs until power-off, exit or quit; returns the exit status. Takes the lock itself. */
int machine_run(struct machine *m);

/* The user wants out: same path as a guest's power-off, with this status. */
void machine_quit(struct machine *m, int status);

/* ---- for boards ---- */

/* The machine owns the device from now on; NULL is passed through as failure. */
bool machine_add(struct machine *m, struct device *dev, uint64_t base, struct ram *rom, struct error *e);

/* A device without a window of its own (behind a transport). */
void machine_adopt(struct machine *m, struct device *dev);

/* Memory that the machine owns. */
struct ram *machine_memory(struct machine *m, const char *name, uint64_t size, struct error *e);

void machine_add_cpu(struct machine *m, struct cpu *cpu);

struct cpu_env machine_cpu_env(struct machine *m);

/* Stops and goes on for whoever steers the machine; vCPUs of the bit mask `held` stay where they are. Idempotent. */
void machine_stop(struct machine *m);
void machine_continue(struct machine *m, uint32_t held);

/* What the main loop is to do for `who`. The first one of two counts, but a guest that resets itself over and over
 * does not keep the host from ending it. */
void machine_request(struct machine *m, enum machine_request what, int status, const char *who);

/* Puts devices, vCPUs and memory into their state after power-on; the vCPUs are parked. */
bool machine_reset(struct machine *m, struct error *e);

/* ---- control.c ---- */

/* What is opened last, and may wait for its client, is no option that nobody took. */
void control_claim(struct options *o);

/* Once the machine is built: opens what the options want it steered by. */
bool control_open(struct machine *m, struct error *e);
void control_close(struct machine *m);

/* control-info.c: what there is in the machine. */
void control_init_info(struct machine *m);

/* Tells the listeners of the vCPU that stopped by itself. */
void control_debugged(struct machine *m);

/* ---- run.c ---- */

/* Parks every vCPU thread; returns when none runs guest code. Idempotent. The caller holds the lock. */
void run_pause(struct machine *m);
void run_resume(struct machine *m);

/* Starts the vCPU threads; ends and joins them. */
bool run_start(struct machine *m, struct error *e);
void run_end(struct machine *m);

/* A vCPU came back with CPU_EXIT_DEBUG: everybody is to park, and the main loop to take over. */
void run_debug_stop(struct machine *m, struct cpu *cpu);

/* Under a virtual clock: one round of all vCPUs and the time it took. */
void run_round(struct machine *m);

#endif
