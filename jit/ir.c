#include "ir.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PURE = IR_PURE, ENDS = IR_ENDS, STOPS = IR_STOPS, HALVES = IR_HALVES };

const struct ir_row ir_rows[IR_CODES] = {
#define HAS(operands, letter, bit) (__builtin_strchr(operands, letter) ? (bit) : 0)
#define OP(name, operands, flags)                                                                                  \
    { #name, operands, flags, HAS(operands, 'd', IR_HAS_DST) | HAS(operands, 'a', IR_HAS_A) |                      \
                              HAS(operands, 'b', IR_HAS_B) | HAS(operands, 'c', IR_HAS_C) },
#include "ir-ops.def"
#undef OP
#undef HAS
};

bool ir_has(enum ir_code code, char letter)
{
    return strchr(ir_rows[code].operands, letter);
}

/* ---- building ---- */

void ir_begin(struct ir_block *b)
{
    b->label_count = b->count = 0;
    b->where = 0;
}

void ir_label(struct ir_block *b, uint64_t pc, uint32_t site, unsigned insns)
{
    b->labels[b->label_count++] = (struct ir_label){ pc, site, (uint16_t)insns, (uint16_t)b->count, 0 };
    memset(b->known, 0, sizeof b->known);
}

static bool is_known(const struct ir_block *b, unsigned var, uint64_t *value)
{
    if (var >= IR_GLOBALS || !b->known[var])
        return false;
    *value = b->known_value[var];
    return true;
}

static void become_constant(struct ir_op *op, uint64_t value)
{
    *op = (struct ir_op){ .code = IR_mov, .size = 8, .dst = op->dst, .b = IR_IMM, .imm = (int64_t)value };
}

static uint64_t extend(const struct ir_op *op, uint64_t value)
{
    if (op->size == 8)
        return value;
    return op->flags & IR_ZERO ? (uint32_t)value : (uint64_t)(int64_t)(int32_t)value;
}

/* Operations for which a constant b is better than a variable. */
static bool takes_constant(unsigned code)
{
    return code <= IR_xor || (code >= IR_shl && code <= IR_sar);
}

/* Address arithmetic: what compilers build constants with. */
static void fold(const struct ir_block *b, struct ir_op *op)
{
    uint64_t a, v;

    if (takes_constant(op->code) && op->b != IR_IMM && is_known(b, op->b, &v)) {
        op->b = IR_IMM;
        op->imm = (int64_t)v;
    }
    if (op->code == IR_add && op->b == IR_IMM && is_known(b, op->a, &a))
        become_constant(op, extend(op, a + (uint64_t)op->imm));
    else if (op->code == IR_shl && op->b == IR_IMM && op->size == 8 && is_known(b, op->a, &a))
        become_constant(op, a << (op->imm & 63));
}

static void learn(struct ir_block *b, const struct ir_op *op)
{
    if (op->code == IR_call)
        memset(b->known, 0, sizeof b->known);
    if (!ir_has(op->code, 'd') || op->dst >= IR_GLOBALS)
        return;
    b->known[op->dst] = op->code == IR_mov && op->b == IR_IMM;
    b->known_value[op->dst] = (uint64_t)op->imm;
}

void ir_add(struct ir_block *b, struct ir_op op)
{
    if (op.dst == IR_NONE && (ir_rows[op.code].flags & PURE))
        return;
    fold(b, &op);
    op.where = b->where;
    b->ops[b->count++] = op;
    learn(b, &op);
}

/* ---- loops ---- */

enum { MOST_TIMES = 512 };

static unsigned label_end(const struct ir_block *b, unsigned at_)
{
    unsigned end = b->count;

    for (unsigned i = 0; i < b->label_count; i++) {
        if (b->labels[i].at > at_ && b->labels[i].at < end)
            end = b->labels[i].at;
    }
    return end;
}

bool ir_contains(const struct ir_block *b, enum ir_code code)
{
    unsigned i = 0;

    while (i < b->count && b->ops[i].code != code)
        i++;
    return i < b->count;
}

bool ir_guess_times(const struct ir_block *b, uint16_t times[IR_OPS])
{
    bool loop = false, calls = ir_contains(b, IR_frame); /* behind which registers are as between blocks */

    for (unsigned i = 0; i < b->count; i++)
        times[i] = 1;
    for (unsigned i = 0; i < b->count && !calls; i++) {
        const struct ir_op *op = &b->ops[i];
        for (unsigned k = 0; (op->code == IR_branch || op->code == IR_jump) && k < b->label_count; k++) {
            if (b->labels[k].pc != (uint64_t)op->imm || b->labels[k].at > i)
                continue;
            loop = true;
            for (unsigned n = b->labels[k].at; n < label_end(b, i); n++)
                times[n] = (uint16_t)(times[n] < MOST_TIMES ? times[n] * IR_LOOP_TIMES : MOST_TIMES);
        }
    }
    return loop;
}

/* ---- looking at it ---- */

static bool may_be_constant(unsigned code)
{
    switch (code) {
    case IR_andn:
    case IR_orn:
    case IR_xnor:
    case IR_shadd:
    case IR_select:
    case IR_min: return false;
    default: return code < IR_ext || code == IR_store || code == IR_pstore || code == IR_branch;
    }
}

static bool is_var(unsigned v)
{
    return v < IR_VARS;
}

static const char *operand_fault(const struct ir_op *op, const bool *written)
{
    const uint8_t reads[] = { op->a, op->b, op->c };

    if (ir_has(op->code, 'd') && !is_var(op->dst) && op->dst != IR_NONE)
        return "dst is no variable";
    for (unsigned i = 0; i < 3; i++) {
        if (!ir_has(op->code, (char)('a' + i)) || (i == 1 && reads[i] == IR_IMM && may_be_constant(op->code)))
            continue;
        if (!is_var(reads[i]))
            return "an operand is no variable";
        if (reads[i] >= IR_GLOBALS && !written[reads[i] - IR_GLOBALS])
            return "a temporary is read before it is written";
    }
    if (ir_has(op->code, 'k') && op->cond > IR_GT)
        return "no such condition";
    return NULL;
}

/* Every label's operations end where the next one's start. */
static bool ends_here(const struct ir_block *b, unsigned at)
{
    bool last = at + 1 == b->count;

    for (unsigned i = 0; i < b->label_count; i++)
        last |= b->labels[i].at == at + 1;
    return last;
}

const char *ir_verify(const struct ir_block *b, unsigned *at)
{
    bool written[IR_TEMPS] = { false };
    const char *fault;

    for (*at = 0; *at < b->count; ++*at) {
        const struct ir_op *op = &b->ops[*at];
        if (op->code >= IR_CODES)
            return "no such operation";
        if (op->size != 1 && op->size != 2 && op->size != 4 && op->size != 8)
            return "no such size";
        if (ir_ends(op->code) != ends_here(b, *at))
            return ir_ends(op->code) ? "operations after the end" : "the block has no end";
        if ((fault = operand_fault(op, written)))
            return fault;
        if (ir_has(op->code, 'd') && op->dst >= IR_GLOBALS && op->dst != IR_NONE)
            written[op->dst - IR_GLOBALS] = true;
    }
    for (unsigned i = 0; i < b->label_count; i++) {
        if (!b->labels[i].insns)
            return "the block is empty";
    }
    return b->count && b->label_count && !b->labels[0].at ? NULL : "the block is empty";
}

struct text {
    char *out;
    size_t len, size;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    int n = vsnprintf(t->out + t->len, t->size - t->len, format, ap);
    va_end(ap);
    t->len = n < 0 || (size_t)n >= t->size - t->len ? t->size - 1 : t->len + (size_t)n;
}

static void put_var(struct text *t, const struct ir_op *op, char letter, unsigned v)
{
    if (!ir_has(op->code, letter))
        return;
    if (v == IR_IMM)
        put(t, " #%#" PRIx64, (uint64_t)op->imm);
    else if (v == IR_NONE)
        put(t, " -");
    else
        put(t, v < IR_GLOBALS ? " g%u" : " t%u", v < IR_GLOBALS ? v : v - IR_GLOBALS);
}

static void put_op(struct text *t, const struct ir_op *op)
{
    static const char *const conds[] = { "eq", "ne", "lt", "ge", "ltu", "geu", "le", "gt" };

    put(t, "%s%u", ir_name(op->code), op->size * 8u);
    if (ir_has(op->code, 'k'))
        put(t, ".%s", conds[op->cond]);
    if (op->flags)
        put(t, "%s%s%s%s", op->flags & IR_ZERO ? ".zero" : "", op->flags & IR_BOX ? ".box" : "",
            op->flags & IR_QUIET ? ".quiet" : "", op->flags & IR_LOW ? ".low" : "");
    put_var(t, op, 'd', op->dst);
    put_var(t, op, 'a', op->a);
    put_var(t, op, 'b', op->b);
    put_var(t, op, 'c', op->c);
    if (ir_has(op->code, 'i') || op->code == IR_branch)
        put(t, " %#" PRIx64, (uint64_t)op->imm);
}

size_t ir_dump_op(const struct ir_op *op, char *out, size_t size)
{
    struct text t = { out, 0, size };

    put_op(&t, op);
    return t.len;
}

size_t ir_dump(const struct ir_block *b, char *out, size_t size)
{
    struct text t = { out, 0, size };

    const struct ir_label *label = b->labels;

    for (const struct ir_op *op = b->ops; op < b->ops + b->count; op++) {
        if (label < b->labels + b->label_count && op == b->ops + label->at) {
            put(&t, "block %#" PRIx64 ", %u instructions\n", label->pc, label->insns);
            label++;
        }
        put(&t, "  ");
        put_op(&t, op);
        put(&t, "\n");
    }
    return t.len;
}
