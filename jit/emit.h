/*
 * emit.h - what the parts of the emitter share. Private to this folder.
 */
#ifndef JIT_EMIT_H
#define JIT_EMIT_H

#include "asm-x86_64.h"
#include "code-memory.h"
#include "jit.h"

enum { COLD_MAX = 256, LINKS_MAX = 1 << 18, XMM_FIRST = 2, XMM_COUNT = 14 };

/* A jump that goes to the dispatcher until its target has code. */
struct link {
    uint64_t target;
    uint32_t site; /* of the block that it is in */
    uint8_t *at;   /* its 32-bit displacement, in the writable mapping */
};

struct jit {
    const struct jit_layout *layout;
    struct jit_host host;
    struct code_memory memory;
    ptrdiff_t to_exec;    /* from the writable mapping to the executable one */
    size_t start;         /* behind the thunks */
    struct as as;
    const uint8_t *last;
    size_t last_bytes;
    struct link *links;
    unsigned link_count;
    int8_t pin[256]; /* host register of a variable, or NO_REG */

    /* thunks, in the writable mapping */
    uint8_t *enter, *exit, *exit_pc, *load[4], *store[4], *call;
};

enum cold_kind { COLD_LOAD, COLD_STORE, COLD_CALL, COLD_NAN, COLD_LEAVE, COLD_BUDGET, COLD_LINK, COLD_PROBE };

/* Code out of the way: where it is come to from, what it does, and where it goes back to. */
struct cold {
    enum cold_kind kind;
    uint8_t *from; /* displacement of the jump to it */
    uint8_t *back; /* in the writable mapping */
    const struct ir_op *op;
    uint64_t target;
    int reg;            /* the address's register; the xmm that gets the NaN */
    int8_t cached[XMM_COUNT]; /* the float cache at this point */
};

struct emit {
    struct jit *j;
    struct as *s;
    const struct jit_layout *l;
    const struct ir_block *b;
    struct cold cold[COLD_MAX];
    unsigned colds;
    /* float globals (counted from layout.first_float) whose value an xmm register has; memory always has it too */
    int8_t cached[XMM_COUNT];
    uint8_t next_xmm;
    uint32_t boxed;  /* float globals known to hold a boxed 32-bit value */
    uint32_t narrow; /* float globals of whose value the cache has the low 32 bits only */
};

/* ---- for both parts ---- */

static inline struct mem slot(const struct emit *e, unsigned var)
{
    int32_t offset = var < IR_GLOBALS ? e->l->global[var] : e->l->temps + 8 * (int32_t)(var - IR_GLOBALS);

    return at(RBP, offset - e->l->center);
}

static inline struct mem field(const struct emit *e, int32_t offset)
{
    return at(RBP, offset - e->l->center);
}

static inline int pin_of(const struct emit *e, unsigned var)
{
    return e->j->pin[var];
}

/* The register that has var's value: its own, or `scratch` after a load. */
int emit_use(struct emit *e, unsigned var, int scratch);

/* var := reg. */
void emit_put(struct emit *e, unsigned var, int reg);

struct cold *emit_cold(struct emit *e, enum cold_kind kind, uint8_t *from, const struct ir_op *op);

/* ---- emit-x86_64-fp.c ---- */

/* True when the operation was one of its own. */
bool emit_float(struct emit *e, const struct ir_op *op);

/* Nothing is in xmm registers any more. */
void emit_forget_floats(struct emit *e);

/* A load of `size` bytes into a float global: eax or rax has the value. */
void emit_float_loaded(struct emit *e, unsigned var, unsigned size);

/* In cold code: reloads what the registers held. */
void emit_reload_floats(struct emit *e, const struct cold *c);

void emit_cold_nan(struct emit *e, const struct cold *c);

/* ---- jit.c ---- */

/* A new link from the block of `site`, to `target`, whose displacement is at `at`; its number, or LINKS_MAX when there
 * is no room. */
uint32_t emit_new_link(struct jit *j, uint32_t site, uint64_t target, uint8_t *at);

/* ---- emit-x86_64.c ---- */

void emit_thunks(struct jit *j);
bool emit_block(struct jit *j, const struct ir_block *b);

#endif
