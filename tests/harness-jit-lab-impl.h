/* harness-jit-lab-impl.h - a guest made up for the emitter's tests, and its operations in plain C. */
#ifndef HARNESS_JIT_LAB_IMPL_H
#define HARNESS_JIT_LAB_IMPL_H

#include "harness.h"
#include "jit.h"
#include "tlb.h"

enum {
    LAB_X = 24,      /* integer globals 0.. */
    LAB_FLOAT = 40,  /* float globals LAB_FLOAT.. */
    LAB_F = 20,
    LAB_TLB_BITS = 4,
    LAB_JUMP_BITS = 6,
    LAB_PAGES = 4,   /* of guest memory, at LAB_BASE; every second one is in the TLB */
    LAB_PAGE = 4096,
    LAB_STAMPS = 64,
};

#define LAB_BASE UINT64_C(0x7fff4000)

struct lab_space {
    struct tlb_entry tlb[1 << LAB_TLB_BITS];
    struct {
        uint64_t pc;
        const void *code;
    } jumps[1 << LAB_JUMP_BITS];
};

struct lab_block {
    uint64_t pc;
    const void *entry;
};

/* What operations work on: the host code's and the interpreter's copy are compared. */
struct lab_state {
    uint64_t x[LAB_X], f[LAB_F], temps[IR_TEMPS];
    uint8_t memory[LAB_PAGES * LAB_PAGE];
    unsigned flags; /* SF_* */
};

struct lab_stamp {
    uint8_t owner, lock;
};

struct lab_cpu {
    struct lab_state s;
    int64_t budget;
    uint64_t pc;
    struct lab_space *data;
    uint64_t status;
    uint8_t rounding;
    uint32_t epochs[2];
    int32_t patience;
    void *stack, *stack_now, *stack_mark;
    uint64_t windows[IR_WINDOWS][2];
    uint32_t fp_saved;
    struct lab_stamp *stamps;
    const struct ir_block *running;
    unsigned loads, stores, calls; /* callbacks */
    void (*on_call)(const struct jit *j, void *cpu); /* NULL: the operation of the site is executed */
    const struct jit *jit;
    unsigned pages;                /* that they were for, a bit each */
    unsigned touched;              /* one more than pages brought into the TLB; 0: that is not wanted */
    uint64_t seen;                 /* a hash of what they were shown */
};

enum { LAB_STATUS = 0x6000, LAB_PC = 0x10000 };

struct jit_lab {
    struct lab_cpu cpu;
    struct lab_space space;
    struct jit_layout layout;
    struct jit *jit;
};

/* A number below n. */
static inline unsigned lab_roll(uint64_t *random, unsigned n)
{
    return (unsigned)(harness_random(random) % n);
}

/* Every second page is in the TLB, and no block in the jump cache. */
void jit_lab_fresh_tlb(struct jit_lab *lab);

/* Builds a block of these operations that ends with a jump. */
void jit_lab_block(struct ir_block *b, const struct ir_op *ops, unsigned count, uint64_t end);

/* Random operations that do not end a block, at most `count`; each one's site is its index. */
unsigned jit_lab_ops(struct jit_lab *lab, uint64_t *random, struct ir_op *ops, unsigned count);
void jit_lab_state(struct jit_lab *lab, uint64_t *random, struct lab_state *s);

/* Adds to `text` in what the states differ. */
bool jit_lab_same(struct lab_state *want, struct lab_state *got, char *text, size_t size);

/* Emits and runs it. */
struct jit_result jit_lab_run(struct jit_lab *lab, const struct ir_block *b);

uint64_t *lab_var(struct lab_state *s, unsigned var);

/* Executes one operation that goes on with the next; `rounding` is enum sf_rounding. */
void lab_eval(struct lab_state *s, const struct ir_op *op, unsigned rounding, uint64_t address_mask);

/* Does `a cond b` hold? */
bool lab_holds(unsigned cond, uint64_t a, uint64_t b);

#endif
