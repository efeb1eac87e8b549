/* jit-config.c - see jit-config.h. */
#include "jit-config.h"

#include <string.h>

const struct jit_config jit_config_plain = { .first = 1, .last = UINT64_MAX };

/* Rows of ir-ops.def that stand together. */
static const struct group {
    const char *name;
    enum ir_code first, last;
    const char *help;
} groups[] = {
    { "alu", IR_mov, IR_min, "integer operations but those of mul and bits" },
    { "mul", IR_mul, IR_rem, "multiplication and division" },
    { "bits", IR_ext, IR_bswap, "extension, counts of bits, order of bytes" },
    { "mem", IR_load, IR_fence, "loads, stores, fences" },
    { "fp", IR_fguard, IR_fresize, "floating point" },
    { "flow", IR_frame, IR_jumpi, "branches and jumps that an instruction asks for" },
};

static const struct {
    const char *name, *help;
} switches[] = {
#define SWITCH(name, help) { #name, help },
#include "jit-switches.def"
#undef SWITCH
};

enum { GROUPS = sizeof groups / sizeof groups[0] };

/* Without these there would be no block. */
static bool must_stay(unsigned code)
{
    return code == IR_call || code == IR_leave;
}

static void set_off(struct jit_config *c, unsigned first, unsigned last)
{
    c->any_op_off = true;
    for (unsigned i = first; i <= last; i++)
        c->op_off[i] = !must_stay(i);
}

bool jit_config_off(struct jit_config *c, const char *name)
{
    for (unsigned i = 0; i < JIT_SWITCHES; i++) {
        if (!strcmp(name, switches[i].name))
            return c->off[i] = true;
    }
    for (unsigned i = 0; i < GROUPS; i++) {
        if (strcmp(name, groups[i].name))
            continue;
        set_off(c, groups[i].first, groups[i].last);
        return true;
    }
    for (unsigned i = 0; i < IR_CODES; i++) {
        if (strcmp(name, ir_name(i)) || must_stay(i))
            continue;
        set_off(c, i, i);
        return true;
    }
    return false;
}

bool jit_config_name(unsigned n, const char **name, const char **help)
{
    if (n < JIT_SWITCHES) {
        *name = switches[n].name;
        *help = switches[n].help;
        return true;
    }
    n -= JIT_SWITCHES;
    if (n < GROUPS) {
        *name = groups[n].name;
        *help = groups[n].help;
        return true;
    }
    n -= GROUPS;
    for (unsigned i = 0; i < IR_CODES; i++) {
        if (must_stay(i) || n--)
            continue;
        *name = ir_name(i);
        *help = NULL;
        return true;
    }
    return false;
}

bool jit_config_refuses(const struct jit_config *c, const struct ir_block *b, unsigned from)
{
    for (unsigned i = from; i < b->count; i++) {
        if (c->op_off[b->ops[i].code])
            return true;
    }
    return false;
}
