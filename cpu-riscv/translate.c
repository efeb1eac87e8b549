/*
 * translate.c - RISC-V instructions as IR: rules for the handlers of base.c and bitmanip.c, memory and control flow.
 *
 * A rule exists where host code is much better than a call of the handler; every other instruction in the middle of a
 * block becomes a call, and at its end hands the block over to the interpreter. Registers of RV32 are sign-extended, so
 * one rule serves both XLENs, as one handler does.
 */
#include "translate.h"

#include "bits.h"
#include "jit-config.h"

/* ---- operands ---- */

/* Where a result goes: writes of x0 have no destination. */
static uint8_t dst(const struct rv_op *op)
{
    return op->rd == RV_SINK ? IR_NONE : op->rd;
}

static uint64_t pc_of(const struct translation *t, const struct rv_op *op)
{
    return t->b->pc + op->off;
}

static uint64_t next_pc(const struct translation *t, const struct rv_op *op)
{
    return (pc_of(t, op) + op->len) & t->cpu->va_mask;
}

static void constant(struct translation *t, uint8_t to, uint64_t value)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_mov, .size = 8, .dst = to, .b = IR_IMM, .imm = (int64_t)value });
}

/* ---- computing ---- */

static void reg_reg(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    struct ir_op ir = { .code = r->code, .size = r->size, .cond = r->cond, .flags = r->flags, .dst = dst(op),
                        .a = op->rs1, .b = op->rs2, .imm = r->imm };

    if (!op->rs1 && (r->code == IR_add || r->code == IR_or || r->code == IR_xor) && r->size == 8) {
        ir_add(t->ir, (struct ir_op){ .code = IR_mov, .size = 8, .dst = dst(op), .b = op->rs2 }); /* mv */
        return;
    }
    if (!op->rs2 && r->code != IR_shadd && r->code != IR_select && r->code != IR_min && r->code <= IR_set) {
        ir.b = IR_IMM;
        ir.imm = 0;
    }
    if (ir.code >= IR_andn && ir.code <= IR_xnor)
        ir.b = op->rs2;
    ir_add(t->ir, ir);
}

static void reg_imm(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    struct ir_op ir = { .code = r->code, .size = r->size, .cond = r->cond, .flags = r->flags, .dst = dst(op),
                        .a = op->rs1, .b = IR_IMM, .imm = op->imm };

    if (r->code == IR_add && !op->rs1) {
        constant(t, dst(op), (uint64_t)(int64_t)op->imm); /* li */
        return;
    }
    if (r->code == IR_add && !op->imm)
        ir = r->size == 8 ? (struct ir_op){ .code = IR_mov, .size = 8, .dst = dst(op), .b = op->rs1 }
                          : (struct ir_op){ .code = IR_ext, .size = 4, .dst = dst(op), .a = op->rs1 };
    ir_add(t->ir, ir);
}

static void unary(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    ir_add(t->ir, (struct ir_op){ .code = r->code, .size = r->size, .flags = r->flags, .dst = dst(op), .a = op->rs1 });
}

static void lui(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    (void)r;
    constant(t, dst(op), (uint64_t)(int64_t)op->imm);
}

static void auipc(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    (void)r;
    constant(t, dst(op), to_x(t->cpu, pc_of(t, op) + (uint64_t)(int64_t)op->imm));
}

/* ---- memory ---- */

static void load(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_load, .size = r->size, .flags = r->flags, .dst = dst(op), .a = op->rs1,
                                  .imm = op->imm, .site = t->site });
}

static void store(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_store, .size = r->size, .a = op->rs1, .b = op->rs2 ? op->rs2 : IR_IMM,
                                  .imm = op->imm, .site = t->site });
}

/* With one vCPU there is no reservation to break. */
static void exchange(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    if (t->cpu->granule_mask)
        ir_add(t->ir, (struct ir_op){ .code = IR_call, .size = 8, .site = t->site });
    else
        ir_add(t->ir, (struct ir_op){ .code = r->code, .size = r->size, .dst = dst(op), .a = op->rs1, .b = op->rs2,
                                      .site = t->site });
}

/* cbo.zero by S, or by M when S may. */
static void clear(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    enum { CBZE = 7 }; /* bit of menvcfg */

    (void)r;
    if (t->cpu->granule_mask) {
        ir_add(t->ir, (struct ir_op){ .code = IR_call, .size = 8, .site = t->site });
        return;
    }
    ir_add(t->ir, (struct ir_op){ .code = IR_atleast, .size = 8, .imm = PRIV_S, .site = t->site });
    ir_add(t->ir, (struct ir_op){ .code = IR_enabled, .size = 8, .imm = CBZE, .site = t->site });
    ir_add(t->ir, (struct ir_op){ .code = IR_clear, .size = 8, .a = op->rs1, .site = t->site });
}

static void spin(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    (void)op;
    (void)r;
    if (t->cpu->granule_mask) /* lets the other vCPU of a host core run */
        ir_add(t->ir, (struct ir_op){ .code = IR_call, .size = 8, .site = t->site });
}

/* Other vCPUs see stores late only from before a later load. */
static void fence(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    enum { R_OR_I = 2 | 8, W_OR_O = 1 | 4 };
    (void)r;

    if ((op->imm >> 4 & W_OR_O) && (op->imm & R_OR_I))
        ir_add(t->ir, (struct ir_op){ .code = IR_fence, .size = 8 });
}

/* ---- control flow ---- */

void rv_translate_system(struct translation *t)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_system, .size = 8, .site = t->site });
    t->ended = true;
}

static void system(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    (void)op;
    (void)r;
    rv_translate_system(t);
}

void rv_translate_leaves(struct translation *t)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_leave, .size = 8, .site = t->site });
    t->ended = true;
}

static void jump_to(struct translation *t, uint64_t pc)
{
    ir_add(t->ir, (struct ir_op){ .code = IR_jump, .size = 8, .imm = (int64_t)pc, .site = t->site });
    t->ended = true;
}

void rv_translate_goes_on(struct translation *t, const struct rv_op *op)
{
    jump_to(t, next_pc(t, op));
}

/* Without C an odd halfword is an exception, which the handler raises. */
static bool may_misalign(const struct translation *t, uint64_t target)
{
    return target & 2 && !rv_has(&t->cpu->isa, RV_EXT_C);
}

static void branch(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    uint64_t target = (pc_of(t, op) + (uint64_t)(int64_t)op->imm) & t->cpu->va_mask, on = next_pc(t, op);
    enum { OPPOSITE = 1 }; /* of the first six of enum ir_cond */

    if (may_misalign(t, target)) {
        rv_translate_leaves(t);
        return;
    }
    bool falls = t->next && t->next->pc == target;
    ir_add(t->ir, (struct ir_op){ .code = IR_branch, .size = 8, .cond = falls ? r->cond ^ OPPOSITE : r->cond,
                                  .a = op->rs1, .b = op->rs2 ? op->rs2 : IR_IMM,
                                  .imm = (int64_t)(falls ? on : target), .site = t->site });
    jump_to(t, falls ? target : on);
}

static void frame(struct translation *t, const struct rv_op *op)
{
    if (rv_is_link(op->rd) && !t->cpu->config->tuning->off[JIT_SWITCH_returns])
        ir_add(t->ir, (struct ir_op){ .code = IR_frame, .size = 8, .imm = (int64_t)next_pc(t, op) });
}

static void jal(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    uint64_t target = (pc_of(t, op) + (uint64_t)(int64_t)op->imm) & t->cpu->va_mask;

    (void)r;
    if (may_misalign(t, target)) {
        rv_translate_leaves(t);
        return;
    }
    constant(t, dst(op), to_x(t->cpu, next_pc(t, op)));
    frame(t, op);
    jump_to(t, target);
}

static void jalr(struct translation *t, const struct rv_op *op, const struct rule *r)
{
    uint8_t base = op->rs1;

    (void)r;
    if (!rv_has(&t->cpu->isa, RV_EXT_C)) {
        rv_translate_leaves(t);
        return;
    }
    if (op->rd == op->rs1 && op->rd != RV_SINK) {
        base = IR_GLOBALS;
        ir_add(t->ir, (struct ir_op){ .code = IR_mov, .size = 8, .dst = base, .b = op->rs1 });
    }
    constant(t, dst(op), to_x(t->cpu, next_pc(t, op)));
    frame(t, op);
    bool returns = rv_is_link(op->rs1) && !rv_is_link(op->rd) && !t->cpu->config->tuning->off[JIT_SWITCH_returns];
    ir_add(t->ir, (struct ir_op){ .code = IR_jumpi, .size = 8, .flags = returns ? IR_RETURN : 0, .a = base,
                                  .imm = op->imm, .site = t->site });
    t->ended = true;
}

/* ---- rules ---- */

#define RR(handler, op, bytes) { exec_##handler, reg_reg, IR_##op, bytes, 0, 0, 0 }
#define RI(handler, op, bytes) { exec_##handler, reg_imm, IR_##op, bytes, 0, 0, 0 }
#define UN(handler, op, bytes, flags) { exec_##handler, unary, IR_##op, bytes, 0, flags, 0 }

static const struct rule rules[] = {
    { exec_lui, lui, 0, 0, 0, 0, 0 },
    { exec_auipc, auipc, 0, 0, 0, 0, 0 },
    RI(addi, add, 8), RI(addiw, add, 4), RI(xori, xor, 8), RI(ori, or, 8), RI(andi, and, 8),
    RI(slli, shl, 8), RI(srli, shr, 8), RI(srai, sar, 8), RI(slliw, shl, 4), RI(srliw, shr, 4), RI(sraiw, sar, 4),
    { exec_slti, reg_imm, IR_set, 8, IR_LT, 0, 0 },
    { exec_sltiu, reg_imm, IR_set, 8, IR_LTU, 0, 0 },
    RR(add, add, 8), RR(addw, add, 4), RR(sub, sub, 8), RR(subw, sub, 4), RR(xor, xor, 8), RR(or, or, 8),
    RR(and, and, 8), RR(sll, shl, 8), RR(srl, shr, 8), RR(sra, sar, 8), RR(sllw, shl, 4), RR(srlw, shr, 4),
    RR(sraw, sar, 4),
    { exec_slt, reg_reg, IR_set, 8, IR_LT, 0, 0 },
    { exec_sltu, reg_reg, IR_set, 8, IR_LTU, 0, 0 },
    RR(mul, mul, 8), RR(mulw, mul, 4), RR(mulh, mulh, 8),
    { exec_mulhu, reg_reg, IR_mulh, 8, 0, IR_ZERO, 0 },
    RR(div, div, 8), RR(divw, div, 4), RR(rem, rem, 8), RR(remw, rem, 4),
    { exec_divu, reg_reg, IR_div, 8, 0, IR_ZERO, 0 },
    { exec_divuw, reg_reg, IR_div, 4, 0, IR_ZERO, 0 },
    { exec_remu, reg_reg, IR_rem, 8, 0, IR_ZERO, 0 },
    { exec_remuw, reg_reg, IR_rem, 4, 0, IR_ZERO, 0 },
    { exec_czero_eqz, reg_reg, IR_select, 8, IR_NE, 0, 0 },
    { exec_czero_nez, reg_reg, IR_select, 8, IR_EQ, 0, 0 },
    /* Zba, Zbb, Zbs */
    { exec_sh1add, reg_reg, IR_shadd, 8, 0, 0, 1 },
    { exec_sh2add, reg_reg, IR_shadd, 8, 0, 0, 2 },
    { exec_sh3add, reg_reg, IR_shadd, 8, 0, 0, 3 },
    { exec_add_uw, reg_reg, IR_shadd, 8, 0, IR_ZERO, 0 },
    { exec_sh1add_uw, reg_reg, IR_shadd, 8, 0, IR_ZERO, 1 },
    { exec_sh2add_uw, reg_reg, IR_shadd, 8, 0, IR_ZERO, 2 },
    { exec_sh3add_uw, reg_reg, IR_shadd, 8, 0, IR_ZERO, 3 },
    RR(andn, andn, 8), RR(orn, orn, 8), RR(xnor, xnor, 8),
    { exec_min, reg_reg, IR_min, 8, IR_LT, 0, 0 },
    { exec_max, reg_reg, IR_min, 8, IR_GT, 0, 0 },
    { exec_minu, reg_reg, IR_min, 8, IR_LTU, 0, 0 },
    { exec_maxu, reg_reg, IR_min, 8, IR_GEU, 0, 0 },
    UN(sext_b, ext, 1, 0), UN(sext_h, ext, 2, 0), UN(zext_h, ext, 2, IR_ZERO), UN(zext_b, ext, 1, IR_ZERO),
    UN(rev8, bswap, 8, 0), UN(orc_b, orcb, 8, 0),
    RR(rol, rol, 8), RR(ror, ror, 8), RR(rolw, rol, 4), RR(rorw, ror, 4), RI(rori, ror, 8), RI(roriw, ror, 4),
    RR(bset, bset, 8), RR(bclr, bclr, 8), RR(binv, binv, 8), RR(bext, bext, 8), RI(bseti, bset, 8),
    RI(bclri, bclr, 8), RI(binvi, binv, 8), RI(bexti, bext, 8),
    UN(clz, clz, 8, 0), UN(clzw, clz, 4, 0), UN(ctz, ctz, 8, 0), UN(ctzw, ctz, 4, 0), UN(cpop, popcnt, 8, 0),
    UN(cpopw, popcnt, 4, 0),
    /* memory */
    { exec_lb, load, 0, 1, 0, 0, 0 }, { exec_lh, load, 0, 2, 0, 0, 0 }, { exec_lw, load, 0, 4, 0, 0, 0 },
    { exec_ld, load, 0, 8, 0, 0, 0 }, { exec_lbu, load, 0, 1, 0, IR_ZERO, 0 }, { exec_lhu, load, 0, 2, 0, IR_ZERO, 0 },
    { exec_lwu, load, 0, 4, 0, IR_ZERO, 0 },
    { exec_sb, store, 0, 1, 0, 0, 0 }, { exec_sh, store, 0, 2, 0, 0, 0 }, { exec_sw, store, 0, 4, 0, 0, 0 },
    { exec_sd, store, 0, 8, 0, 0, 0 }, { exec_fence, fence, 0, 0, 0, 0, 0 },
    { exec_amoswap_w, exchange, IR_xchg, 4, 0, 0, 0 }, { exec_amoswap_d, exchange, IR_xchg, 8, 0, 0, 0 },
    { exec_amoadd_w, exchange, IR_xadd, 4, 0, 0, 0 }, { exec_amoadd_d, exchange, IR_xadd, 8, 0, 0, 0 },
    { exec_cbo_zero, clear, IR_clear, 0, 0, 0, 0 }, { exec_pause, spin, 0, 0, 0, 0, 0 },
    /* control flow */
    { exec_beq, branch, 0, 0, IR_EQ, 0, 0 }, { exec_bne, branch, 0, 0, IR_NE, 0, 0 },
    { exec_blt, branch, 0, 0, IR_LT, 0, 0 }, { exec_bge, branch, 0, 0, IR_GE, 0, 0 },
    { exec_bltu, branch, 0, 0, IR_LTU, 0, 0 }, { exec_bgeu, branch, 0, 0, IR_GEU, 0, 0 },
    { exec_jal, jal, 0, 0, 0, 0, 0 }, { exec_jalr, jalr, 0, 0, 0, 0, 0 },
    { exec_ecall, system, 0, 0, 0, 0, 0 }, { exec_mret, system, 0, 0, 0, 0, 0 },
    { exec_csrrw, rv_translate_csr, 0, 0, 0, 0, 0 }, { exec_csrrs, rv_translate_csr, 0, 0, 0, 0, 0 },
    { exec_csrrc, rv_translate_csr, 0, 0, 0, 0, 0 }, { exec_csrrwi, rv_translate_csr, 0, 0, 0, 0, 0 },
    { exec_csrrsi, rv_translate_csr, 0, 0, 0, 0, 0 }, { exec_csrrci, rv_translate_csr, 0, 0, 0, 0, 0 },
    { exec_sret, system, 0, 0, 0, 0, 0 }, { exec_fence_i, system, 0, 0, 0, 0, 0 },
    { exec_sfence_vma, system, 0, 0, 0, 0, 0 }, { exec_sinval_vma, system, 0, 0, 0, 0, 0 },
};

/* Has the host what the rule's operation needs? Bit numbers and sums of 64 bits are wrong for RV32. */
static bool applies(const struct translation *t, const struct rule *r)
{
    const struct jit_host *h = jit_host(t->cpu->jit);

    if (r->code >= IR_bset && r->code <= IR_shadd)
        return !is_rv32(t->cpu);

    switch (r->code) {
    case IR_orcb: return !is_rv32(t->cpu);
    case IR_clz: return h->lzcnt;
    case IR_ctz: return h->bmi;
    case IR_popcnt: return h->popcnt;
    default: return true;
    }
}

static bool apply(struct translation *t, const struct rv_op *op, rv_handler *fn)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].handler != fn)
            continue;
        if (!applies(t, &rules[i]))
            return false;
        rules[i].translate(t, op, &rules[i]);
        return true;
    }
    return rv_translate_float(t, op, fn);
}

/* Did the user switch off (-jit off=) the handler, or what its rule has added behind operation `from`? */
static bool is_off(const struct translation *t, rv_handler *fn, unsigned from)
{
    const struct rv_config *config = t->cpu->config;

    for (unsigned i = 0; i < config->off_count; i++) {
        if (fn == config->off[i])
            return true;
    }
    return jit_config_refuses(config->tuning, t->ir, from);
}

/* Applies the rule, and takes it back when it is off. */
static bool apply_unless_off(struct translation *t, const struct rv_op *op, rv_handler *fn)
{
    if (!t->cpu->config->off_count && !t->cpu->config->tuning->any_op_off)
        return apply(t, op, fn);
    struct ir_block ir = *t->ir;
    struct translation before = *t;
    if (apply(t, op, fn) && !is_off(t, fn, ir.count))
        return true;
    *t->ir = ir;
    *t = before;
    return false;
}

/* Returns how many instructions a rule was found for. */
static unsigned translate_block(struct translation *t)
{
    const struct rv_block *b = t->b;
    struct ir_block *ir = t->ir;
    unsigned rules_used = 0;

    ir_label(ir, b->pc, rv_site(t->cpu, b, 0), b->count);
    ir->labels[ir->label_count - 1].runs = b->runs;
    for (unsigned i = 0; i < b->count && !t->ended; i++) {
        const struct rv_op *op = &b->ops[i];
        rv_handler *fn = i ? op->fn : b->first;
        t->site = rv_site(t->cpu, b, i);
        ir->where = t->site;
        if (!ir_has_room(ir)) {
            rv_translate_leaves(t);
        } else if (apply_unless_off(t, op, fn)) {
            rules_used += ir->count && ir->ops[ir->count - 1].code != IR_leave;
        } else if (i + 1 == b->count && rv_ends_block(t->cpu->decoder, op->raw)) {
            rv_translate_leaves(t);
        } else {
            ir_add(ir, (struct ir_op){ .code = IR_call, .size = 8, .site = t->site });
        }
    }
    if (!t->ended)
        jump_to(t, (b->pc + b->bytes) & t->cpu->va_mask);
    return rules_used;
}

bool rv_translate(struct rv *cpu, const struct rv_region *r, struct ir_block *ir)
{
    unsigned rules_used = 0;

    ir_begin(ir);
    for (unsigned i = 0; i < r->count; i++) {
        struct translation t = { .cpu = cpu, .b = r->block[i], .next = i + 1 < r->count ? r->block[i + 1] : NULL,
                                 .ir = ir };
        rules_used += translate_block(&t);
    }
    return rules_used;
}
