/* harness-jit-cook-impl.h - a random program in the making: what harness-jit-program.c and -privileged.c share. */
#ifndef HARNESS_JIT_COOK_IMPL_H
#define HARNESS_JIT_COOK_IMPL_H

#include "harness-jit-impl.h"

struct cook {
    struct program *p;
    const struct recipe *r;
    uint64_t random;
    bool full;
    struct {
        unsigned insn, skip; /* jump number `insn` goes `skip` items on */
    } jumps[PROGRAM_INSNS];
    unsigned jump_count;
    unsigned items[PROGRAM_INSNS], item_count; /* the first instruction of each */
};

/* A number below n. */
unsigned cook_roll(struct cook *c, unsigned n);

/* Appends an instruction of 16 or 32 bits. */
void cook_put(struct cook *c, uint32_t bits);

/* ---- harness-jit-privileged.c ---- */

/* A few instructions that change what the program may do, or how it sees memory. */
void cook_privileged(struct cook *c);

#endif
