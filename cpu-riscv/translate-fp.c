/*
 * translate-fp.c - F and D as IR: the host's unit holds frm and fflags while the hart runs (core/fpu.h).
 *
 * Host code computes when the instruction's rounding mode is frm's; a block looks once at mstatus.FS and frm, and
 * leaves to the interpreter when FS is not Dirty yet or the host has no such rounding. Half precision, min and max,
 * unsigned and rounded conversions, and single bits of fflags stay calls.
 */
#include "translate.h"

enum { RM_RTZ = 1, RM_RMM = 4, RM_DYNAMIC = 7 };

static uint8_t f(unsigned r)
{
    return (uint8_t)(RV_IR_F + r);
}

static void guard(struct translation *t, unsigned what)
{
    if (!(what &= ~t->guards))
        return;
    ir_add(t->ir, (struct ir_op){ .code = IR_fguard, .size = 8, .imm = what, .site = t->site });
    t->guards |= what;
}

static void call(struct translation *t)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_call, .size = 8, .site = t->site });
}

static void arith(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    if (op->rm != RM_DYNAMIC || (r->code == IR_fma && !jit_host(t->cpu->jit)->fma)) {
        call(t);
        return;
    }
    guard(t, IR_FP_ON | IR_FP_ROUNDS);
    ir_add(t->ir, (struct ir_op){ .code = r->code, .size = r->size, .dst = f(op->rd), .a = f(op->rs1), .b = f(op->rs2),
                                  .c = f(op->rs3), .imm = r->imm, .site = t->site });
}

/* ---- fflags ---- */

enum { CSRRW = 1 };

static unsigned csr_form(const struct rv_op *op)
{
    return op->raw >> 12 & 7;
}

/* fsflags of what is in x register r. */
static bool is_put_back(const struct rv_op *op, rv_handler *fn, unsigned r)
{
    return fn == exec_fflags && csr_form(op) == CSRRW && op->rd == RV_SINK && op->rs1 == r;
}

/* Compilers make a comparison quiet by `frflags r`, the comparison, `fsflags r`. Is `op` the middle one? The last then
 * has nothing left to do. */
static bool is_wrapped(const struct translation *t, const struct rv_op *op)
{
    const struct rv_op *read = t->flags_read, *end = t->b->ops + t->b->count;

    return read && read + 1 == op && op->rd != read->rd && op + 1 < end && is_put_back(op + 1, op[1].fn, read->rd);
}

static void fflags(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    bool swaps = csr_form(op) == CSRRW, reads = (csr_form(op) & 3) != CSRRW && !op->rs1;
    uint8_t dst = op->rd == RV_SINK ? IR_NONE : op->rd;

    (void)r;
    guard(t, IR_FP_ON);
    if (t->quiet && t->quiet + 1 == op)
        return;
    if (swaps) {
        ir_add(t->ir, (struct ir_op){ .code = IR_fsetflags, .size = 8, .dst = dst, .a = op->rs1 });
    } else if (!reads) {
        call(t);
    } else if (op->rd != RV_SINK) {
        ir_add(t->ir, (struct ir_op){ .code = IR_fgetflags, .size = 8, .dst = dst });
        t->flags_read = op;
    }
}

static void compare(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    bool quiet = is_wrapped(t, op);

    guard(t, IR_FP_ON);
    ir_add(t->ir, (struct ir_op){ .code = IR_fset, .size = r->size, .cond = r->cond, .flags = quiet ? IR_QUIET : 0,
                                  .dst = op->rd == RV_SINK ? IR_NONE : op->rd, .a = f(op->rs1), .b = f(op->rs2),
                                  .site = t->site });
    if (quiet)
        t->quiet = op;
}

/* ---- moves and conversions ---- */

/* The pseudo instructions fmv, fneg and fabs; others are rare. */
static void sign(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    if (op->rs1 != op->rs2) {
        call(t);
        return;
    }
    guard(t, IR_FP_ON);
    ir_add(t->ir, (struct ir_op){ .code = r->code, .size = r->size, .dst = f(op->rd), .a = f(op->rs1),
                                  .site = t->site });
}

static void load(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    guard(t, IR_FP_ON);
    ir_add(t->ir, (struct ir_op){ .code = IR_load, .size = r->size, .flags = r->flags, .dst = f(op->rd), .a = op->rs1,
                                  .imm = op->imm, .site = t->site });
}

static void store(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    guard(t, IR_FP_ON);
    ir_add(t->ir, (struct ir_op){ .code = IR_store, .size = r->size, .a = op->rs1, .b = f(op->rs2), .imm = op->imm,
                                  .site = t->site });
}

static void to_integer(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    if (op->rm != RM_RTZ) {
        call(t);
        return;
    }
    guard(t, IR_FP_ON);
    ir_add(t->ir, (struct ir_op){ .code = IR_ftoi, .size = r->size, .dst = op->rd == RV_SINK ? IR_NONE : op->rd,
                                  .a = f(op->rs1), .imm = r->imm, .site = t->site });
}

/* The rounding mode counts: the unit has to have it. An exact operation takes any that is not reserved. */
static bool rounds_on_host(struct translation *t, const struct rv_op *op, bool exact)
{
    if (op->rm != RM_DYNAMIC && !(exact && op->rm <= RM_RMM)) {
        call(t);
        return false;
    }
    guard(t, op->rm == RM_DYNAMIC ? IR_FP_ON | IR_FP_ROUNDS : IR_FP_ON);
    return true;
}

/* A double has room for every 32-bit integer: no rounding. */
static void from_integer(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    if (!rounds_on_host(t, op, r->size == 8 && r->imm == 4))
        return;
    ir_add(t->ir, (struct ir_op){ .code = IR_fromi, .size = r->size, .flags = r->flags, .dst = f(op->rd), .a = op->rs1,
                                  .imm = r->imm });
}

static void resize(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    if (!rounds_on_host(t, op, r->size == 4))
        return;
    ir_add(t->ir, (struct ir_op){ .code = IR_fresize, .size = r->size, .dst = f(op->rd), .a = f(op->rs1),
                                  .site = t->site });
}

static void to_bits(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    guard(t, IR_FP_ON);
    if (op->rd != RV_SINK)
        ir_add(t->ir, (struct ir_op){ .code = IR_fbits, .size = r->size, .dst = op->rd, .a = f(op->rs1) });
}

static void from_bits(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    guard(t, IR_FP_ON);
    ir_add(t->ir, (struct ir_op){ .code = IR_fmake, .size = r->size, .dst = f(op->rd), .a = op->rs1 });
}

#define BOTH(name, translate, op, cond, imm) \
    { exec_##name##_s, translate, IR_##op, 4, cond, 0, imm }, { exec_##name##_d, translate, IR_##op, 8, cond, 0, imm }

static const struct rule rules[] = {
    { exec_fld, load, 0, 8, 0, 0, 0 }, { exec_flw, load, 0, 4, 0, IR_BOX, 0 },
    { exec_fsd, store, 0, 8, 0, 0, 0 }, { exec_fsw, store, 0, 4, 0, 0, 0 },
    BOTH(fadd, arith, fadd, 0, 0), BOTH(fsub, arith, fsub, 0, 0), BOTH(fmul, arith, fmul, 0, 0),
    BOTH(fdiv, arith, fdiv, 0, 0), BOTH(fsqrt, arith, fsqrt, 0, 0), BOTH(fmadd, arith, fma, 0, 0),
    BOTH(fmsub, arith, fma, 0, IR_FMA_NEG_ADDEND), BOTH(fnmsub, arith, fma, 0, IR_FMA_NEG_PRODUCT),
    BOTH(fnmadd, arith, fma, 0, IR_FMA_NEG_PRODUCT | IR_FMA_NEG_ADDEND),
    BOTH(feq, compare, fset, IR_EQ, 0), BOTH(flt, compare, fset, IR_LT, 0), BOTH(fle, compare, fset, IR_LE, 0),
    BOTH(fsgnj, sign, fmov, 0, 0), BOTH(fsgnjn, sign, fneg, 0, 0), BOTH(fsgnjx, sign, fabs, 0, 0),
    BOTH(fcvt_w, to_integer, ftoi, 0, 4), BOTH(fcvt_l, to_integer, ftoi, 0, 8),
    { exec_fcvt_d_w, from_integer, 0, 8, 0, 0, 4 }, { exec_fcvt_s_w, from_integer, 0, 4, 0, 0, 4 },
    { exec_fcvt_d_l, from_integer, 0, 8, 0, 0, 8 }, { exec_fcvt_s_l, from_integer, 0, 4, 0, 0, 8 },
    { exec_fcvt_d_wu, from_integer, 0, 8, 0, IR_ZERO, 4 }, { exec_fcvt_s_wu, from_integer, 0, 4, 0, IR_ZERO, 4 },
    { exec_fcvt_d_s, resize, 0, 4, 0, 0, 0 }, { exec_fcvt_s_d, resize, 0, 8, 0, 0, 0 },
    { exec_fmv_x_d, to_bits, 0, 8, 0, 0, 0 }, { exec_fmv_x_w, to_bits, 0, 4, 0, 0, 0 },
    { exec_fflags, fflags, 0, 0, 0, 0, 0 },
    { exec_fmv_d_x, from_bits, 0, 8, 0, 0, 0 }, { exec_fmv_w_x, from_bits, 0, 4, 0, 0, 0 },
};

bool rv_translate_float(struct translation *t, const struct rv_op *op, rv_handler *fn)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].handler != fn)
            continue;
        rules[i].translate(t, op, &rules[i]);
        return true;
    }
    return false;
}
