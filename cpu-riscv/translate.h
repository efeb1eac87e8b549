/*
 * translate.h - what the rules from instructions to IR share. Private to translate*.c.
 */
#ifndef RISCV_TRANSLATE_H
#define RISCV_TRANSLATE_H

#include "decode.h"
#include "jit.h"
#include "state.h"

/* One block on its way to IR. */
struct translation {
    struct rv *cpu;
    const struct rv_block *b;
    const struct rv_block *next; /* its code is behind, or NULL */
    struct ir_block *ir;
    uint32_t site;   /* of the instruction at hand */
    bool ended;
    unsigned guards; /* IR_FP_* that hold from here on */
    const struct rv_op *flags_read, *quiet; /* the last frflags as IR_fgetflags; the last comparison with IR_QUIET */
};

/* Instructions of a handler: a function, and what it has to know. */
struct rule {
    rv_handler *handler;
    void (*translate)(struct translation *t, const struct rv_op *op, const struct rule *r);
    uint8_t code, size, cond, flags;
    int8_t imm;
};

/* The block ends: the interpreter takes over at this instruction; its handler is called and says where to go on; or the
 * next instruction's block follows. */
void rv_translate_leaves(struct translation *t);
void rv_translate_system(struct translation *t);
void rv_translate_goes_on(struct translation *t, const struct rv_op *op);

/* Zicsr, but for fflags. */
void rv_translate_csr(struct translation *t, const struct rv_op *op, const struct rule *r);

/* F and D, and their flags; false when there is no rule. */
bool rv_translate_float(struct translation *t, const struct rv_op *op, rv_handler *fn);

#endif
