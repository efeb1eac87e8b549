/*
 * host-names.h - assembler text of a block with names in place of numbers that tell a reader nothing, or that differ
 * from run to run: variables, tables, sites, the code that all blocks share.
 */
#ifndef JIT_HOST_NAMES_H
#define JIT_HOST_NAMES_H

#include "jit.h"

struct host_scope {
    const struct jit *jit;
    struct jit_code code;
    const struct ir_block *ir;
};

/* The place of an address in the block, what is out of the way counted behind the rest; SIZE_MAX: elsewhere. */
size_t host_place(const struct jit_code *c, uint64_t address);

/* `text` is one instruction of host_text(). */
void host_names(const struct host_scope *s, const char *text, char *out, size_t size);

#endif
