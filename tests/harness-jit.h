/*
 * harness-jit.h - host code against what it has to do: random RISC-V programs against the interpreter, and single IR
 * operations against plain C.
 */
#ifndef HARNESS_JIT_H
#define HARNESS_JIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- random programs (harness-jit-pair.c) ---- */

/* Two machines that differ in that one translates to host code. With two harts (one of which runs), stores tell
 * reservations. NULL when the host has no code memory. */
struct jit_pair;
struct jit_pair *jit_pair_new(unsigned xlen, const char *cpu, unsigned harts);
void jit_pair_free(struct jit_pair *p);

/* Runs the program of the seed on both. False when they differ: `text` says in what, and has the shortest program
 * with a difference that was found. */
bool jit_pair_agrees(struct jit_pair *p, uint64_t seed, char *text, size_t size);

/* Blocks translated, instructions retired, and traps taken so far on the translating machine. */
void jit_pair_counts(const struct jit_pair *p, uint64_t *blocks, uint64_t *insns, uint64_t *traps);

/* ---- the IR (harness-jit-flow.c) ---- */

/* An operation as ir.h has it: `name` as in ir-ops.def, variables by number (80 and up: temporaries). */
struct jit_op {
    const char *name;
    unsigned size, dst, a, b, c, cond, flags;
    int64_t imm;
};

enum { JIT_T = 80, JIT_NONE = 0xfe, JIT_IMM = 0xff, JIT_ZERO = 1, JIT_BOX = 2 };
enum { JIT_EQ, JIT_NE, JIT_LT, JIT_GE, JIT_LTU, JIT_GEU, JIT_LE, JIT_GT };

/* What the builder makes of them, as text. */
void jit_ir_text(const struct jit_op *ops, unsigned count, char *text, size_t size);

/* The same, and then without what nobody reads. */
void jit_ir_optimized(const struct jit_op *ops, unsigned count, char *text, size_t size);

/* The verifier's word on these operations, without the builder: NULL when they are right; *at is which is wrong. */
const char *jit_ir_fault(const struct jit_op *ops, unsigned count, unsigned insns, unsigned *at);

/* ---- host code of single operations (harness-jit-lab.c) ---- */

/* A guest whose layout is made up for the tests. `stamps`: its stores tell reservations. */
struct jit_lab;
struct jit_lab *jit_lab_new(unsigned address_bits, bool stamps);
void jit_lab_free(struct jit_lab *lab);

/* Operations that do not end a block, by row; NULL past the last. */
const char *jit_lab_name(unsigned row);
bool jit_lab_has(const struct jit_lab *lab, unsigned row);

/* Runs `cases` blocks around the operation of this row (row UINT_MAX: of any), with random operands in registers and
 * in memory, against plain C. The number of blocks that differ; `text` has the first. */
uint64_t jit_lab_check(struct jit_lab *lab, unsigned row, uint64_t cases, uint64_t seed, char *text, size_t size);

/* Random blocks as they are built against what ir_optimize() makes of them, both as host code; the same return value.
 * *dropped and *merged: operations that went, and rotations and extensions made of two shifts. */
uint64_t jit_lab_optimize(struct jit_lab *lab, uint64_t cases, uint64_t seed, uint64_t *dropped, uint64_t *merged,
                          char *text, size_t size);

/* Callbacks so far: loads, stores, and instructions that host code handed back. */
void jit_lab_callbacks(const struct jit_lab *lab, uint64_t *loads, uint64_t *stores, uint64_t *calls);

/* Random branches, taken or not, to targets inside the page and outside; the same return value. */
uint64_t jit_lab_branches(struct jit_lab *lab, uint64_t cases, uint64_t seed, char *text, size_t size);

/* Comparisons of floats, and a branch on the result. */
uint64_t jit_lab_decisions(struct jit_lab *lab, uint64_t cases, uint64_t seed, char *text, size_t size);

/* A block that is linked to itself, run with this budget: how often it ran, and what is left. */
uint64_t jit_lab_loop(struct jit_lab *lab, unsigned insns, int64_t budget, int64_t *left);

/* What jumpi does: 0 came back with pc set, 1 ran the block at pc. `there`: a block with code is in the jump cache. */
int jit_lab_jump(struct jit_lab *lab, uint64_t base, int64_t offset, bool there, uint64_t *pc);

/* Random nests of two loops that walk through memory, as they are and grouped: how many differ, and what was found. */
struct jit_lab_loops {
    uint64_t windows, renewals, touches, left; /* left: those that ended at a group which was not in one page */
};
uint64_t jit_lab_run_loops(struct jit_lab *lab, uint64_t cases, uint64_t seed, struct jit_lab_loops *found, char *text,
                           size_t size);

/* A function in another page is called, by a pointer or not, with its jumps linked or not; it returns `off` bytes too
 * early. Or it is not called at all, but run. 0x101: it ran, and then what is there. */
uint64_t jit_lab_call(struct jit_lab *lab, bool far, bool pointer, uint64_t off, bool called, bool linked);

/* A block calls a function, which adds 1 to x5 when this has been done to open calls; where it returns to 0x100 is
 * added. Returns x5. */
enum jit_lab_meanwhile {
    JIT_LAB_NOTHING,
    JIT_LAB_FORGET,
    JIT_LAB_HIDE,
    JIT_LAB_SHOW,
    JIT_LAB_HIDE_SHOW,
    JIT_LAB_HIDE_FORGET,
};
uint64_t jit_lab_open_calls(struct jit_lab *lab, enum jit_lab_meanwhile meanwhile);

/* Does a jump to another page arrive, linked to it or not in this epoch of those that now are, when the jump cache has
 * its target or not, with this much patience? */
void jit_lab_epochs(struct jit_lab *lab, uint32_t own, uint32_t global);
bool jit_lab_far(struct jit_lab *lab, bool linked, unsigned which, uint32_t epoch, int32_t patience, bool cached);

/* fguard: true when code behind it ran. */
bool jit_lab_guard(struct jit_lab *lab, unsigned what, uint64_t status, unsigned rounding);

#ifdef __cplusplus
}
#endif

#endif
