/*
 * host-names.h - assembler text of a block with names in place of numbers that tell a reader nothing, or that differ
 * from run to run: variables, tables, sites, the code that all blocks share.
 */
#ifndef JIT_HOST_NAMES_H
#define JIT_HOST_NAMES_H

#include "jit.h"

struct host_scope {
    const struct jit *jit;
    const uint8_t *code; /* the block's, where it runs */
    size_t bytes;
    const struct ir_block *ir;
};

/* `text` is one instruction of host_text(). */
void host_names(const struct host_scope *s, const char *text, char *out, size_t size);

#endif
