/*
 * cpu.h - the head of every guest CPU, and what the machine, the debugger and the tests call.
 *
 * A vCPU is run by one host thread at a time. Everything in it belongs to that thread, except `request` and the
 * interrupt inputs, which are atomic: another thread sets a bit and kicks.
 */
#ifndef CORE_CPU_H
#define CORE_CPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "clock.h"
#include "error.h"
#include "line.h"
#include "lock.h"
#include "state.h"
#include "trace.h"

struct cpu;

/* Why run() came back. */
enum cpu_exit {
    CPU_EXIT_BUDGET,  /* the instruction budget is used up */
    CPU_EXIT_REQUEST, /* CPU_REQUEST_STOP is pending */
    CPU_EXIT_IDLE,    /* the guest waits for an interrupt (wfi, hlt) */
    CPU_EXIT_DEBUG,   /* a breakpoint or a single step ended it */
    CPU_EXIT_FAULT,   /* the emulator found a mistake of its own: cpu.fault */
};

enum cpu_request {
    CPU_REQUEST_INTERRUPT = 1, /* interrupt inputs changed: look again; run() clears it */
    CPU_REQUEST_FLUSH = 2,     /* drop cached translations and decoded code; run() clears it */
    CPU_REQUEST_STOP = 4,      /* leave run(); whoever set it clears it */
};

/* Why a debugger got the vCPU: run() returned CPU_EXIT_DEBUG. */
enum cpu_stop { CPU_STOP_BREAK, CPU_STOP_STEP, CPU_STOP_WATCH_WRITE, CPU_STOP_WATCH_READ, CPU_STOP_WATCH_ACCESS };

enum { CPU_WATCH_READ = 1, CPU_WATCH_WRITE = 2, CPU_BREAKS = 64, CPU_WATCHES = 16 };

/* A register as the debugger and the monitor see it. */
struct cpu_reg {
    const char *name;
    const char *group; /* "general", "float", "csr" */
    unsigned bits;
    unsigned id; /* the CPU's own */
};

/* What can still make a vCPU do something new. */
enum {
    CPU_RUNS = 1,         /* it executes what may lead anywhere */
    CPU_WAKES_TIMER = 2,  /* an interrupt of a timer would get through */
    CPU_WAKES_CPU = 4,    /* one that another vCPU sends */
    CPU_WAKES_DEVICE = 8, /* a device's */
};

struct cpu_plight {
    unsigned prospects; /* OR of the above; 0: nothing, ever */
    uint64_t pc, return_address, stack, frame;
    char insn[64]; /* at pc, disassembled; empty when nothing can be read there */
    char why[128]; /* without CPU_RUNS: what it is stuck in */
    char mode[8];
};

/* What every vCPU gets from its machine. */
struct cpu_env {
    struct bus *bus;
    struct clock *clock;
    struct machine_lock *lock;
    struct trace *trace;
};

struct cpu_ops {
    const char *arch;
    void (*reset)(struct cpu *cpu);
    /* Runs about `budget` guest instructions, never fewer unless it returns another reason; a trap counts as one. */
    enum cpu_exit (*run)(struct cpu *cpu, uint64_t budget);
    /* True when the vCPU, being idle, has a reason to run again. */
    bool (*has_work)(struct cpu *cpu);
    /* Instructions retired since reset. Exact between runs; from other threads, a recent value. */
    uint64_t (*retired)(struct cpu *cpu);
    const struct cpu_reg *(*registers)(struct cpu *cpu, size_t *count);
    uint64_t (*get_register)(struct cpu *cpu, unsigned id);
    void (*set_register)(struct cpu *cpu, unsigned id, uint64_t value);
    /* Debugger's view: guest-virtual to guest-physical without side effects. */
    bool (*translate)(struct cpu *cpu, uint64_t gva, uint64_t *gpa);
    /* Debugger's, while the vCPU does not run. A breakpoint at gva stops before its instruction, whatever is there;
     * the instruction at pc itself runs when run() starts on it. False when CPU_BREAKS are set or none is there. */
    bool (*set_break)(struct cpu *cpu, uint64_t gva, bool on);
    /* Stops after an instruction that touched [gva, gva + len) in a way of `kinds` (CPU_WATCH_*). */
    bool (*set_watch)(struct cpu *cpu, uint64_t gva, uint64_t len, unsigned kinds, bool on);
    /* Executes one instruction (or takes the exception that it raises), but no interrupt. */
    void (*step)(struct cpu *cpu);
    /* Whether it can ever do something new; while it does not run, and without side effects. */
    void (*plight)(struct cpu *cpu, struct cpu_plight *out);
    void (*save)(struct cpu *cpu, struct state_out *out);
    bool (*load)(struct cpu *cpu, struct state_in *in, struct error *e);
    void (*destroy)(struct cpu *cpu);
};

struct cpu {
    const struct cpu_ops *ops;
    struct cpu_env env;
    unsigned index;
    _Atomic uint32_t request; /* OR of enum cpu_request */
    pthread_mutex_t sleep_mutex;
    pthread_cond_t sleep_cond;
    enum cpu_stop stop;    /* after CPU_EXIT_DEBUG */
    uint64_t stop_address; /* of a watchpoint: the address that was touched */
    char *fault;           /* after CPU_EXIT_FAULT: lines for the user; the CPU's own */
};

void cpu_init(struct cpu *cpu, const struct cpu_ops *ops, const struct cpu_env *env, unsigned index);

/* Releases what cpu_init took; called by ops->destroy. */
void cpu_fini(struct cpu *cpu);

/* Sets request bits and wakes the vCPU's thread if it sleeps. Any thread. */
void cpu_kick(struct cpu *cpu, uint32_t request);

/* Puts the calling thread, the vCPU's own, to sleep until a request is pending or has_work() says so. */
void cpu_sleep(struct cpu *cpu);

static inline uint32_t cpu_pending(struct cpu *cpu)
{
    return atomic_load_explicit(&cpu->request, memory_order_relaxed);
}

#endif
