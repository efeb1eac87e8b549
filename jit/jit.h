/*
 * jit.h - from IR to host code, for any guest that describes itself in a struct jit_layout.
 *
 * One `struct jit` belongs to one vCPU and its thread: nothing here is shared, and nothing locks.
 */
#ifndef JIT_JIT_H
#define JIT_JIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ir.h"

struct jit;

enum { JIT_PINS = 10 };

/* Where things are in the guest's CPU structure, and its code that translated code calls. Offsets in bytes. */
struct jit_layout {
    int32_t center;              /* host code addresses the structure relative to here: what is hot lies within 128 */
    int32_t global[IR_GLOBALS];  /* 8-byte slots */
    int32_t temps;               /* IR_TEMPS of them, for temporaries */
    int32_t windows;             /* IR_WINDOWS times two: how far a page goes, and host less guest address */
    uint8_t pins[JIT_PINS];      /* globals kept in host registers, the most used first */
    uint8_t first_float;         /* globals from here on are of the float file */
    int32_t pc, budget;          /* where to go on; instructions left, int64_t */
    /* Pointers for host code: where its calls began, where they are during a callback, and where those that are hidden
     * are. Each takes 8 bytes of the thread's stack; no more are open than the budget had instructions. Who leaves a
     * callback by longjmp() sets stack_now to NULL. */
    int32_t stack, stack_now, stack_mark;
    int32_t data, fetch;         /* pointers to what holds the TLBs, and the jump cache */
    int32_t tlb;                 /* in *data: struct tlb_entry, 1 << tlb_bits of them */
    unsigned tlb_bits;
    /* Numbers (uint32_t) that change when what the jump cache says does: of fetch, and of what it shares with others.
     * Jumps to other pages are linked for as long as one of them stays as it is. */
    int32_t epochs[2];
    int32_t patience;            /* an int32_t: how many jumps of old epochs go by the jump cache before JIT_LINK */
    int32_t jumps;               /* in *fetch: a table of {pc, pointer to host code}, indexed by pc >> 1 */
    unsigned jump_bits;
    uint64_t address_mask;       /* guest addresses are cut to this */
    int32_t fp_status;           /* a uint64_t that has all bits of fp_mask when the unit is on and dirty */
    uint32_t fp_mask;
    int32_t fp_rounding;         /* a byte; up to 3 the host has it */
    int32_t fp_saved;            /* four bytes for host code's own use */
    int32_t privilege;           /* a byte that IR_atleast looks at */
    int32_t enables;             /* 32 bits that IR_enabled looks at */
    /* Stores on a machine with several vCPUs stamp `stamp` on their 64-byte granule's {owner, lock}; 0: no stamps. */
    uint8_t stamp;
    int32_t stamps;              /* pointer to the table */
    uint32_t stamp_mask;

    uint64_t (*load)(void *cpu, uint32_t site, uint64_t va, unsigned size);
    void (*store)(void *cpu, uint32_t site, uint64_t va, uint64_t value, unsigned size);
    void (*call)(void *cpu, uint32_t site);
    /* Brings the page that the site's load, or store, accesses into the TLB; false: it cannot. */
    bool (*touch[2])(void *cpu, uint32_t site);
    bool (*system)(void *cpu, uint32_t site); /* sets pc; true: jit_run() comes back with JIT_NEXT */
};

/* Why host code came back: what jit_run() returns. */
enum jit_exit {
    JIT_NEXT, /* pc is set */
    JIT_LINK, /* go on at jit_link_target(slot), which may be linked with jit_link(slot) */
    JIT_SITE, /* the guest's own code goes on with this instruction */
    JIT_BUDGET, /* the budget does not allow for the block of this site; nothing of it has run */
};

struct jit_result {
    enum jit_exit why;
    uint32_t what; /* slot or site */
};

/* Code memory for `size` bytes, writable in one mapping and executable in another. NULL when the host has none. The
 * layout is borrowed. */
struct jit *jit_new(const struct jit_layout *layout, size_t size);
void jit_free(struct jit *j);

/* What the host can do that not every x86-64 can: the translator asks before it uses clz, ctz, popcnt, fma. */
struct jit_host {
    bool lzcnt, bmi, bmi2, popcnt, fma;
};
const struct jit_host *jit_host(const struct jit *j);

/* Takes another host for granted from now on: for tests of what is emitted. */
void jit_set_host(struct jit *j, const struct jit_host *host);

/* Host code for a block, or NULL when the code memory is full (then jit_forget). */
const void *jit_emit(struct jit *j, const struct ir_block *b);

/* Where to enter the last jit_emit() at its n-th label. */
const void *jit_entry(const struct jit *j, unsigned n);

/* Forgets all code. None may be running. */
void jit_forget(struct jit *j);

/* Runs host code from its start. */
struct jit_result jit_run(struct jit *j, void *cpu, const void *code);

/* The guest address that a slot's jump goes to, and the site of the block that it is in. */
uint64_t jit_link_target(const struct jit *j, uint32_t slot, uint32_t *site);

/* Makes the jump go straight to this code from now on. One to another page (jit_link_is_far): as long as the number at
 * layout.epochs[which] is `epoch`, which is not 0. */
bool jit_link_is_far(const struct jit *j, uint32_t slot);
void jit_link(struct jit *j, uint32_t slot, const void *code);
void jit_link_far(struct jit *j, uint32_t slot, const void *code, unsigned which, uint32_t epoch);

/* Open calls of host code: when the guest's address is the expected one a return goes back there, and no questions
 * asked if that is in the page of the call. Callbacks have to forget them when addresses become another place's; may
 * hide them, and show them again when they have not been forgotten: those since are forgotten then. A return without an
 * open call goes by the jump cache. Outside of callbacks nothing is open. */
void jit_forget_calls(const struct jit *j, void *cpu);
void jit_hide_calls(const struct jit *j, void *cpu);
void jit_show_calls(const struct jit *j, void *cpu);

/* What comes to this entry of a block goes on at that one from now on. */
void jit_redirect(struct jit *j, const void *entry, const void *to);

/* The code that sends a jump to the dispatcher: what blocks without code of their own have as `entry`. It expects the
 * guest address in rax. */
const void *jit_exit_code(const struct jit *j);

/* Host code of the last jit_emit(), for dumps and tests: what usually runs, and what is out of the way elsewhere. */
struct jit_code {
    const uint8_t *hot, *cold;
    size_t hot_bytes, cold_bytes;
};
struct jit_code jit_last(const struct jit *j);

/* The code that all blocks share, in front of them. */
const void *jit_thunks(const struct jit *j, size_t *bytes);

/* At which hot byte the code of each operation begins; after those of all operations, the number of hot bytes. */
const uint32_t *jit_last_marks(const struct jit *j);

#endif
