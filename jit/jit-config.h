/*
 * jit-config.h - what a user wants to see of the JIT, and parts that he switched off to find a wrong one. Shared by all
 * vCPUs of a machine, and constant while they run.
 */
#ifndef JIT_JIT_CONFIG_H
#define JIT_JIT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ir.h"

enum jit_switch {
#define SWITCH(name, help) JIT_SWITCH_##name,
#include "jit-switches.def"
#undef SWITCH
    JIT_SWITCHES
};

struct jit_config {
    bool stats;           /* count calls and exits by instruction, and print at the end */
    bool perf, gdb;       /* tell them the names of blocks */
    FILE *perf_map;       /* with perf, where to; the machine opens it */
    uint64_t first, last; /* blocks that become host code, by their number in order of translation, from 1 */
    bool any_op_off;
    bool op_off[IR_CODES]; /* instructions that need the operation are left to the guest's own code */
    bool off[JIT_SWITCHES];
};

/* Nothing is off. */
extern const struct jit_config jit_config_plain;

/* Switches off an operation, a group of them or a switch; false: there is none of that name. */
bool jit_config_off(struct jit_config *c, const char *name);

/* The n-th name that jit_config_off() takes and what it means, or false. */
bool jit_config_name(unsigned n, const char **name, const char **help);

/* Does some operation of b in ops[from] and behind it have to be left to the guest's own code? */
bool jit_config_refuses(const struct jit_config *c, const struct ir_block *b, unsigned from);

#endif
