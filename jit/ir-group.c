/*
 * ir-group.c - accesses that are surely near each other share one look into the TLB.
 *
 * Loads (and stores, apart from them) whose addresses differ by a known, small distance are taken to lie in one page:
 * `page` looks it up before the first of them and leaves to the guest's own code when it is not so, or when one would
 * be misaligned; `pload` and `pstore` then are bare moves.
 */
#include <string.h>

#include "ir.h"

enum { GROUPS = 12, MEMBERS = 24, SPAN = 256, FIRST_TEMP = IR_VARS - GROUPS };

/* A variable is `root` plus `offset`; roots are numbered, and have no other meaning. */
struct origin {
    uint32_t root;
    int64_t offset;
};

struct group {
    bool store, closed;
    uint32_t root;
    int64_t lo, hi;         /* first bytes of the lowest and of the highest access, from the root */
    unsigned size;          /* of the largest, which is at `at` */
    int64_t at;
    int64_t base;           /* offset of the first access's variable */
    unsigned count;
    uint16_t op[MEMBERS];
    int64_t offset[MEMBERS];
    uint8_t sizes[MEMBERS];
};

struct grouping {
    const struct ir_block *b;
    struct origin origin[IR_VARS];
    uint32_t roots;
    struct group group[GROUPS];
    unsigned groups;
};

/* ---- where addresses come from ---- */

static void forget_origins(struct grouping *g)
{
    for (unsigned v = 0; v < IR_VARS; v++)
        g->origin[v] = (struct origin){ g->roots++, 0 };
}

static void follow(struct grouping *g, const struct ir_op *op)
{
    if (op->code == IR_call) {
        forget_origins(g);
        for (unsigned i = 0; i < g->groups; i++)
            g->group[i].closed = true;
    }
    if (!(ir_operands(op->code) & IR_HAS_DST) || op->dst >= IR_VARS)
        return;
    if (op->code == IR_add && op->size == 8 && op->b == IR_IMM && op->imm == (int32_t)op->imm) {
        struct origin a = g->origin[op->a];
        g->origin[op->dst] = (struct origin){ a.root, a.offset + op->imm };
    } else if (op->code == IR_mov && op->size == 8 && op->b != IR_IMM) {
        g->origin[op->dst] = g->origin[op->b];
    } else {
        g->origin[op->dst] = (struct origin){ g->roots++, 0 };
    }
}

/* ---- who belongs together ---- */

static bool is_aligned(int64_t offset, int64_t to, unsigned size)
{
    return !((offset - to) & (size - 1));
}

static bool fits(const struct group *r, int64_t offset, unsigned size)
{
    int64_t lo = offset < r->lo ? offset : r->lo, hi = offset > r->hi ? offset : r->hi;

    if (hi - lo > SPAN || r->count == MEMBERS)
        return false;
    if (size <= r->size)
        return is_aligned(offset, r->at, size);
    for (unsigned i = 0; i < r->count; i++) {
        if (!is_aligned(r->offset[i], offset, r->sizes[i]))
            return false;
    }
    return true;
}

static void join(struct group *r, unsigned op, int64_t offset, unsigned size)
{
    r->op[r->count] = (uint16_t)op;
    r->offset[r->count] = offset;
    r->sizes[r->count++] = (uint8_t)size;
    r->lo = offset < r->lo ? offset : r->lo;
    r->hi = offset > r->hi ? offset : r->hi;
    if (size > r->size) {
        r->size = size;
        r->at = offset;
    }
}

static void place(struct grouping *g, unsigned i)
{
    const struct ir_op *op = &g->b->ops[i];
    const struct origin *a = &g->origin[op->a];
    int64_t offset = a->offset + op->imm;
    bool store = op->code == IR_store;

    for (struct group *r = g->group; r < g->group + g->groups; r++) {
        if (!r->closed && r->root == a->root && r->store == store && fits(r, offset, op->size)) {
            join(r, i, offset, op->size);
            return;
        }
    }
    if (g->groups == GROUPS)
        return;
    struct group *r = &g->group[g->groups++];
    *r = (struct group){ .store = store, .root = a->root, .lo = offset, .hi = offset, .base = a->offset };
    join(r, i, offset, op->size);
}

/* ---- the new operations ---- */

static const struct group *group_of(const struct grouping *g, unsigned op, bool *first)
{
    for (const struct group *r = g->group; r < g->group + g->groups; r++) {
        for (unsigned i = 0; i < r->count && r->count > 1; i++) {
            *first = i == 0;
            if (r->op[i] == op)
                return r;
        }
    }
    return NULL;
}

/* The last address that the page is looked up for: of a whole unit of the largest size, so that its low bits tell
 * whether all are aligned. */
static int64_t last_unit(const struct group *r)
{
    return r->at + ((r->hi - r->at) & -(int64_t)r->size);
}

static void add_access(struct grouping *g, struct ir_block *out, unsigned i)
{
    struct ir_op op = g->b->ops[i];
    bool first;
    const struct group *r = group_of(g, i, &first);

    if (r) {
        uint8_t temp = (uint8_t)(FIRST_TEMP + (r - g->group));
        if (first) {
            uint32_t lo = (uint32_t)(r->lo - r->base), hi = (uint32_t)(last_unit(r) - r->base);
            out->ops[out->count++] = (struct ir_op){
                .code = IR_page, .size = (uint8_t)r->size, .flags = r->store ? IR_WRITE : 0, .dst = temp, .a = op.a,
                .site = op.site, .where = op.where, .imm = (int64_t)((uint64_t)hi << 32 | lo),
            };
        }
        op.code = r->store ? IR_pstore : IR_pload;
        op.c = temp;
    }
    out->ops[out->count++] = op;
}

static void group_label(struct grouping *g, struct ir_block *out, unsigned from, unsigned to, bool stores)
{
    g->groups = 0;
    forget_origins(g);
    for (unsigned i = from; i < to; i++) {
        const struct ir_op *op = &g->b->ops[i];
        if (op->code == IR_load || (op->code == IR_store && stores))
            place(g, i);
        follow(g, op);
    }
    for (unsigned i = from; i < to; i++)
        add_access(g, out, i);
}

void ir_group(const struct ir_block *b, struct ir_block *out, bool stores)
{
    struct grouping g = { .b = b };

    out->count = 0;
    out->label_count = b->label_count;
    for (unsigned i = 0; i < b->label_count; i++) {
        out->labels[i] = b->labels[i];
        out->labels[i].at = (uint16_t)out->count;
        group_label(&g, out, b->labels[i].at, i + 1 < b->label_count ? b->labels[i + 1].at : b->count, stores);
    }
}
