/*
 * ir-opt.c - what nobody reads is not computed.
 *
 * A pass backwards over the operations from one label to the next knows of each variable whether somebody still reads
 * it, or its low 32 bits only. What nobody reads goes; what is read in part is computed without the extension that
 * RISC-V's 32-bit instructions end with (IR_LOW). Whatever may stop shows every global to the guest, whole. On the way,
 * rotations and extensions that are spelled as two shifts become one operation, and so do `not` and `and`.
 */
#include <string.h>

#include "ir.h"

enum need { NOTHING, LOW, ALL };
enum { NOWHERE = UINT16_MAX, NEAR = 64 };

struct pass {
    struct ir_block *b;
    uint8_t need[IR_VARS]; /* enum need, behind the operation at hand */
    struct {
        uint16_t a, b; /* the operation that an operand comes from, or NOWHERE: from before the label */
    } from[IR_OPS];
};

static void remove_op(struct ir_op *op)
{
    *op = (struct ir_op){ .code = IR_mov, .size = 8, .dst = IR_NONE, .b = IR_IMM };
}

static bool is_removed(const struct ir_op *op)
{
    return op->code == IR_mov && op->dst == IR_NONE;
}

static bool writes(const struct ir_op *op, unsigned var)
{
    return op->code == IR_call || ((ir_operands(op->code) & IR_HAS_DST) && op->dst == var);
}

static void find_origins(struct pass *p, unsigned first, unsigned end)
{
    uint16_t last[IR_VARS];

    memset(last, 0xff, sizeof last);
    for (unsigned i = first; i < end; i++) {
        const struct ir_op *op = &p->b->ops[i];
        unsigned has = ir_operands(op->code);
        p->from[i].a = (has & IR_HAS_A) && op->a < IR_VARS ? last[op->a] : NOWHERE;
        p->from[i].b = (has & IR_HAS_B) && op->b < IR_VARS ? last[op->b] : NOWHERE;
        for (unsigned v = 0; op->code == IR_call && v < IR_VARS; v++)
            last[v] = (uint16_t)i;
        if ((has & IR_HAS_DST) && op->dst < IR_VARS)
            last[op->dst] = (uint16_t)i;
    }
}

/* ---- one operation for two or three ---- */

/* Does var keep what it has before operation `from` until operation `to`? */
static bool is_kept(const struct pass *p, unsigned var, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        if (writes(&p->b->ops[i], var))
            return false;
    }
    return true;
}

/* May operation `at`, whose result is for operation i alone, set i's destination instead? */
static bool may_come_early(const struct pass *p, unsigned at, unsigned i)
{
    unsigned dst = p->b->ops[i].dst, old = p->b->ops[at].dst;

    if (old != dst && p->need[old] != NOTHING)
        return false;
    for (unsigned k = at + 1; k < i; k++) {
        const struct ir_op *op = &p->b->ops[k];
        if (ir_stops(op->code) || ir_reads(op, dst) || ir_reads(op, old) || writes(op, dst))
            return false;
    }
    return true;
}

/* Puts op, which does what operations first, last and i do, in place of i; when its operand is gone there, of last. */
static bool merge(struct pass *p, unsigned first, unsigned last, unsigned i, struct ir_op op)
{
    struct ir_op *ops = p->b->ops;

    if (i - first > NEAR)
        return false;
    op.dst = ops[i].dst;
    op.b = IR_IMM;
    if (is_kept(p, op.a, first, i)) {
        op.where = ops[i].where;
        ops[i] = op;
        return true;
    }
    if (!may_come_early(p, last, i))
        return false;
    op.where = ops[last].where;
    ops[last] = op;
    remove_op(&ops[i]);
    return true;
}

static bool is_shift(const struct ir_op *op, enum ir_code code)
{
    return op->code == code && op->b == IR_IMM && op->size >= 4;
}

static unsigned count_of(const struct ir_op *op)
{
    return (unsigned)op->imm & (op->size * 8u - 1);
}

/* shl t, a, n; shr u, a, width - n; or d, t, u. */
static bool merge_rotation(struct pass *p, unsigned i, enum need want)
{
    const struct ir_op *ops = p->b->ops, *op = &ops[i];
    unsigned l = p->from[i].a, r = p->from[i].b;

    if ((op->code != IR_or && op->code != IR_xor && op->code != IR_add) || l == NOWHERE || r == NOWHERE)
        return false;
    if (ops[l].code == IR_shr) {
        l = r;
        r = p->from[i].a;
    }
    const struct ir_op *left = &ops[l], *right = &ops[r];
    if (!is_shift(left, IR_shl) || !is_shift(right, IR_shr) || left->a != right->a || p->from[l].a != p->from[r].a)
        return false;
    bool low = want == LOW || op->size == 4;
    unsigned width = right->size * 8u;
    if (count_of(left) + count_of(right) != width || !count_of(right) || (left->flags & IR_ZERO))
        return false;
    if (width == 64 ? left->size == 4 || op->size == 4 : left->size == 8 && !low)
        return false;
    return merge(p, l < r ? l : r, l < r ? r : l, i,
                 (struct ir_op){ .code = IR_ror, .size = right->size, .flags = op->size == 4 ? op->flags : 0,
                                 .a = left->a, .imm = count_of(right) });
}

/* shl t, a, n; shr d, t, m: the low 8, 16 or 32 bits extended, and those of 32 shifted. */
static bool merge_extension(struct pass *p, unsigned i)
{
    const struct ir_op *ops = p->b->ops, *op = &ops[i];
    unsigned first = p->from[i].a;

    if ((!is_shift(op, IR_shr) && !is_shift(op, IR_sar)) || op->size != 8 || first == NOWHERE ||
        !is_shift(&ops[first], IR_shl) || ops[first].size != 8)
        return false;
    unsigned n = count_of(&ops[first]), m = count_of(op);
    struct ir_op new = { .flags = op->code == IR_shr ? IR_ZERO : 0, .a = ops[first].a };
    if (n == m && (n == 32 || n == 48 || n == 56)) {
        new.code = IR_ext;
        new.size = (uint8_t)(8 - n / 8);
    } else if (n == 32 && m > 32) {
        new.code = op->code;
        new.size = 4;
        new.imm = m - 32;
    } else {
        return false;
    }
    return merge(p, first, first, i, new);
}

/* xor t, b, -1; and d, a, t. */
static bool merge_complement(struct pass *p, unsigned i)
{
    struct ir_op *op = &p->b->ops[i];
    const uint16_t from[] = { p->from[i].b, p->from[i].a };

    for (unsigned k = 0; k < 2 && op->code == IR_and && op->size == 8 && op->b != IR_IMM; k++) {
        const struct ir_op *t = from[k] == NOWHERE ? NULL : &p->b->ops[from[k]];
        if (!t || t->code != IR_xor || t->size != 8 || t->b != IR_IMM || t->imm != -1 || i - from[k] > NEAR ||
            !is_kept(p, t->a, from[k], i))
            continue;
        op->code = IR_andn;
        op->a = k ? op->b : op->a;
        op->b = t->a;
        return true;
    }
    return false;
}

/* ---- what is needed ---- */

/* The operation's low half, without an extension. */
static void halve(struct ir_op *op)
{
    op->size = 4;
    op->flags = IR_LOW;
    op->imm = (int32_t)op->imm;
}

static void become_mov(struct ir_op *op, uint8_t b, int64_t imm)
{
    op->code = IR_mov;
    op->size = 8;
    op->flags = 0;
    op->b = b;
    op->imm = imm;
}

/* Only the low half of the result is read. */
static void narrow(struct ir_op *op)
{
    if (ir_halves(op->code))
        halve(op);
    switch ((enum ir_code)op->code) {
    case IR_mov: op->imm = (uint32_t)op->imm; break;
    case IR_shl:
        if (op->size == 8 && op->b == IR_IMM && count_of(op) >= 32)
            become_mov(op, IR_IMM, 0);
        else if (op->size == 4 || op->b == IR_IMM)
            halve(op);
        break;
    case IR_shr:
    case IR_sar:
    case IR_rol:
    case IR_ror:
        if (op->size == 4)
            halve(op);
        break;
    case IR_div:
    case IR_rem: op->flags |= op->size == 4 ? IR_LOW : 0; break;
    case IR_shadd: op->flags = 0; break;
    case IR_ext:
        if (op->size == 4)
            become_mov(op, op->a, 0);
        break;
    default: break;
    }
}

/* All of the result is read, but its upper half is known to be zero. */
static void extend_for_free(struct ir_op *op)
{
    if (op->code == IR_and && op->size == 8 && op->b == IR_IMM && op->imm == (uint32_t)op->imm) {
        halve(op);
        op->flags = IR_ZERO;
    } else if (is_shift(op, IR_shr) && op->size == 4 && count_of(op)) {
        op->flags = IR_ZERO;
    }
}

static void demand(struct pass *p, unsigned var, enum need need)
{
    if (var < IR_VARS && p->need[var] < need)
        p->need[var] = (uint8_t)need;
}

static enum need need_of_a(const struct ir_op *op, enum need want)
{
    if (ir_halves(op->code))
        return op->size == 4 ? LOW : ALL;
    switch ((enum ir_code)op->code) {
    case IR_shr:
    case IR_sar:
    case IR_rol:
    case IR_ror:
    case IR_div:
    case IR_rem:
    case IR_clz:
    case IR_ctz:
    case IR_popcnt: return op->size == 4 ? LOW : ALL;
    case IR_shl: return op->size == 4 ? LOW : want;
    case IR_shadd: return op->flags & IR_ZERO ? LOW : want;
    case IR_select: return want;
    case IR_ext: return op->size == 8 ? want : LOW;
    case IR_bext: return op->b == IR_IMM && (op->imm & 63) < 32 ? LOW : ALL;
    default: return ALL;
    }
}

static enum need need_of_b(const struct ir_op *op, enum need want)
{
    switch ((enum ir_code)op->code) {
    case IR_shl:
    case IR_shr:
    case IR_sar:
    case IR_rol:
    case IR_ror:
    case IR_bset:
    case IR_bclr:
    case IR_binv:
    case IR_bext: return LOW; /* a count, or the number of a bit */
    case IR_mov:
    case IR_shadd: return want;
    case IR_select: return ALL;
    case IR_store:
    case IR_pstore: return op->size == 8 ? ALL : LOW;
    default: return need_of_a(op, want);
    }
}

static void demand_operands(struct pass *p, const struct ir_op *op, enum need want)
{
    unsigned has = ir_operands(op->code);

    if (ir_stops(op->code))
        memset(p->need, ALL, IR_GLOBALS);
    if (has & IR_HAS_A)
        demand(p, op->a, need_of_a(op, want));
    if (has & IR_HAS_B)
        demand(p, op->b, need_of_b(op, want));
    if (has & IR_HAS_C)
        demand(p, op->c, ALL);
}

static void look_at(struct pass *p, unsigned i)
{
    struct ir_op *op = &p->b->ops[i];
    bool has_dst = ir_operands(op->code) & IR_HAS_DST;
    enum need want = !has_dst ? ALL : op->dst < IR_VARS ? p->need[op->dst] : NOTHING;

    if (want == NOTHING && (ir_pure(op->code) || op->code == IR_pload)) {
        remove_op(op);
        return;
    }
    if (ir_pure(op->code)) {
        if ((merge_rotation(p, i, want) || merge_extension(p, i) || merge_complement(p, i)) && is_removed(op))
            return;
        if (want == LOW)
            narrow(op);
        else
            extend_for_free(op);
        if (op->code == IR_mov && op->dst == op->b) {
            remove_op(op);
            return;
        }
    }
    if (has_dst && op->dst < IR_VARS)
        p->need[op->dst] = NOTHING;
    demand_operands(p, op, want);
}

void ir_optimize(struct ir_block *b)
{
    struct pass p; /* large, and of `from` only what is used gets a value */
    unsigned kept = 0;

    p.b = b;
    for (unsigned n = 0; n < b->label_count; n++) {
        unsigned first = b->labels[n].at, end = n + 1 < b->label_count ? b->labels[n + 1].at : b->count;
        memset(p.need, NOTHING, sizeof p.need);
        find_origins(&p, first, end);
        for (unsigned i = end; i-- > first;)
            look_at(&p, i);
        b->labels[n].at = (uint16_t)kept;
        for (unsigned i = first; i < end; i++) {
            if (is_removed(&b->ops[i]))
                continue;
            if (kept != i)
                b->ops[kept] = b->ops[i];
            kept++;
        }
    }
    b->count = kept;
}
