/*
 * native-stats.h - what a hart's host code did, counted where it comes by in C anyway: nothing is counted in host code.
 * Private to this folder.
 */
#ifndef RISCV_NATIVE_STATS_H
#define RISCV_NATIVE_STATS_H

#include <stdio.h>

#include "jit-names.h"
#include "state.h"

enum { RV_TALLIES = 512, RV_EXITS = 4 };

/* How often something came to pass for the instructions of one handler (of one CSR, when it is an access to one). */
struct rv_tally {
    rv_handler *fn; /* NULL: free */
    uint32_t csr, raw;
    uint64_t count;
};

struct rv_tallies {
    struct rv_tally rows[RV_TALLIES]; /* a hash table; what does not fit is in no row */
    uint64_t lost;
};

struct rv_stats {
    uint64_t translate_ns; /* IR and host code of all blocks */
    uint64_t insns, ops, bytes, cold_bytes;
    uint32_t blocks;       /* translated */
    uint32_t number;       /* of the last that was to be: what -jit blocks= counts */
    uint64_t kept;         /* blocks that stayed with the interpreter */
    uint64_t forgotten;    /* how often all code was */
    uint64_t links;        /* jumps that became direct */
    uint64_t enters;       /* of host code from C, and how it came back: enum jit_exit */
    uint64_t exits[RV_EXITS];
    uint64_t loads, stores, calls, systems, touches; /* calls from host code */
    uint64_t misaligned;           /* of the loads and stores */
    struct jit_names names;        /* whom to tell of new code */
    /* by instruction; NULL unless asked for */
    struct rv_tallies *called, *left;
};

struct rv_stats *rv_stats_new(const struct jit_config *tuning);
void rv_stats_free(struct rv_stats *s);

/* The next block's number is among those that the user wants as host code. */
bool rv_stats_wanted(struct rv_stats *s, const struct jit_config *tuning);

/* A clock for translation: with figures by instruction the thread's own, which other work on the host does not move. */
uint64_t rv_stats_now(const struct rv_stats *s);

/* jit_emit() made code of the block; the work began at rv_stats_now() `since`. */
void rv_stats_translated(struct rv_stats *s, const struct jit *j, const struct ir_block *ir, uint64_t since);

/* Guest instructions of a translation. */
unsigned rv_stats_insns(const struct ir_block *ir);

void rv_tally(struct rv_tallies *t, const struct rv_op *op, rv_handler *fn);

/* A line of text for each figure; the hart stands still. */
void rv_stats_print(struct rv *cpu, FILE *out);

#endif
