/*
 * jit-names.c - see jit-names.h. A line of perf's map is "START SIZE NAME", in hexadecimal without 0x: Linux's
 * tools/perf/Documentation/jit-interface.txt.
 */
#include "jit-names.h"

#include <inttypes.h>

static void name_code(struct jit_names *n, const void *code, size_t bytes, const char *name)
{
    if (n->perf)
        fprintf(n->perf, "%" PRIxPTR " %zx %s\n", (uintptr_t)code, bytes, name);
    if (n->gdb)
        gdb_code_add(&n->told, code, bytes, name);
}

void jit_name_thunks(struct jit_names *n, const struct jit *j)
{
    size_t bytes;
    const void *code = jit_thunks(j, &bytes);

    name_code(n, code, bytes, "jit_thunks");
}

void jit_name_last(struct jit_names *n, const struct jit *j, uint64_t pc)
{
    struct jit_code c = jit_last(j);
    char name[40];

    snprintf(name, sizeof name, "guest_0x%" PRIx64, pc);
    name_code(n, c.hot, c.hot_bytes, name);
    snprintf(name, sizeof name, "guest_0x%" PRIx64 ".cold", pc);
    name_code(n, c.cold, c.cold_bytes, name);
}

void jit_names_forget(struct jit_names *n)
{
    gdb_code_drop_all(&n->told);
}
