/*
 * jit-names.h - names of blocks for the tools that look at this process: perf's map file, GDB. Both are told of code
 * as it is made, and GDB when it goes.
 */
#ifndef JIT_JIT_NAMES_H
#define JIT_JIT_NAMES_H

#include <stdbool.h>
#include <stdio.h>

#include "jit.h"

struct gdb_code; /* what GDB was told, a list: gdb-jit.c */

struct jit_names {
    FILE *perf; /* or NULL; borrowed */
    bool gdb;
    struct gdb_code *told;
};

/* The code in front of all blocks, and the last block. */
void jit_name_thunks(struct jit_names *n, const struct jit *j);
void jit_name_last(struct jit_names *n, const struct jit *j, uint64_t pc);

/* All code is forgotten, the thunks too: name them again. */
void jit_names_forget(struct jit_names *n);

/* ---- gdb-jit.c ---- */

void gdb_code_add(struct gdb_code **list, const void *code, size_t bytes, const char *name);
void gdb_code_drop_all(struct gdb_code **list);

#endif
