/*
 * ir-group.c - accesses that are surely near each other share one look into the TLB.
 *
 * Loads (and stores, apart from them) whose addresses differ by a known, small distance are taken to lie in one page:
 * `page` looks it up before the first of them and leaves to the guest's own code when it is not so, or when one would
 * be misaligned; `pload` and `pstore` then are bare moves.
 *
 * In a loop most base registers only grow by constants (or only shrink, or stay) until they are set anew outside. There
 * `window` looks up again only what has left its page, even for an access that is alone; what sets the register anew is
 * followed by `renew`.
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
    int window; /* or NO_WINDOW */
    bool down;
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
    const uint16_t *times;
    struct ir_op window[IR_WINDOWS];
    unsigned windows, next_window, most_windows;
};
enum { NO_WINDOW = -1, TRIPS = 4 };

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

/* ---- the look that a group shares ---- */

/* The last address that the page is looked up for: of a whole unit of the largest size, so that its low bits tell
 * whether all are aligned. */
static int64_t last_unit(const struct group *r)
{
    return r->at + ((r->hi - r->at) & -(int64_t)r->size);
}

static uint8_t write_flag(const struct group *r)
{
    return r->store ? IR_WRITE : 0;
}

static struct ir_op look(const struct group *r, const struct ir_op *first, uint8_t temp)
{
    uint32_t lo = (uint32_t)(r->lo - r->base), hi = (uint32_t)(last_unit(r) - r->base);
    struct ir_op op = { .code = IR_page, .size = (uint8_t)r->size, .flags = write_flag(r), .dst = temp, .a = first->a,
                        .site = first->site, .where = first->where, .imm = (int64_t)((uint64_t)hi << 32 | lo) };

    if (r->window == NO_WINDOW)
        return op;
    op.code = IR_window;
    op.flags |= r->down ? IR_DOWN : 0;
    op.c = (uint8_t)r->window;
    return op;
}

/* ---- loops ---- */

/* How an operation changes a register. */
enum change { SAME, UP, DOWN, ANEW };

static enum change change_of(const struct ir_op *op, unsigned base, unsigned size)
{
    if (op->code == IR_call)
        return ANEW;
    if (!(ir_operands(op->code) & IR_HAS_DST) || op->dst != base)
        return SAME;
    if (op->code != IR_add || op->size != 8 || op->a != base || op->b != IR_IMM || (op->imm & (size - 1)))
        return ANEW;
    return op->imm < 0 ? DOWN : UP;
}

static unsigned runs_of(const struct ir_block *b, unsigned op)
{
    unsigned i = b->label_count - 1;

    while (b->labels[i].at > op)
        i--;
    return b->labels[i].runs;
}

/* Does operation `inner` run so much more often than `outer` that a look in the one is better than in the other? */
static bool runs_more(const struct grouping *g, unsigned inner, unsigned outer)
{
    unsigned often = runs_of(g->b, inner), seldom = runs_of(g->b, outer);

    return g->times[inner] > g->times[outer] && (!often || often >= TRIPS * seldom);
}

/* True when a window serves a group with this base that begins at operation `at`: where the base is set anew runs less
 * often, and its steps all have one direction. */
static bool suits_window(const struct grouping *g, unsigned base, unsigned size, unsigned at, bool *down)
{
    bool seen[ANEW + 1] = { false };

    for (unsigned i = 0; i < g->b->count; i++) {
        enum change c = change_of(&g->b->ops[i], base, size);
        if (c == ANEW && !runs_more(g, at, i))
            return false;
        seen[c] = true;
    }
    *down = seen[DOWN];
    return g->times[at] > 1 && !(seen[UP] && seen[DOWN]);
}

static uint8_t temp_of(const struct grouping *g, const struct group *r)
{
    return (uint8_t)(FIRST_TEMP + (r - g->group));
}

static void choose_windows(struct grouping *g)
{
    for (struct group *r = g->group; r < g->group + g->groups; r++) {
        unsigned base = g->b->ops[r->op[0]].a;
        r->window = NO_WINDOW;
        if (g->next_window == g->most_windows || base >= IR_GLOBALS ||
            !suits_window(g, base, r->size, r->op[0], &r->down))
            continue;
        r->window = (int)g->next_window;
        g->window[g->next_window++] = look(r, &g->b->ops[r->op[0]], temp_of(g, r));
    }
}

/* ---- the new operations ---- */

static const struct group *group_of(const struct grouping *g, unsigned op, bool *first)
{
    for (const struct group *r = g->group; r < g->group + g->groups; r++) {
        for (unsigned i = 0; i < r->count && (r->count > 1 || r->window != NO_WINDOW); i++) {
            *first = i == 0;
            if (r->op[i] == op)
                return r;
        }
    }
    return NULL;
}

static bool sets_anew(const struct ir_op *op, const struct ir_op *window)
{
    return change_of(op, window->a, window->size) == ANEW;
}

/* Behind an operation: windows whose base it has set anew. */
static void add_renewals(const struct grouping *g, struct ir_block *out, const struct ir_op *op)
{
    for (unsigned i = 0; i < g->windows; i++) {
        if (!sets_anew(op, &g->window[i]))
            continue;
        struct ir_op renew = g->window[i];
        renew.code = IR_renew;
        renew.dst = 0;
        renew.site = op->site;
        renew.where = op->where;
        out->ops[out->count++] = renew;
    }
}

static void add_access(struct grouping *g, struct ir_block *out, unsigned i)
{
    struct ir_op op = g->b->ops[i];
    bool first;
    const struct group *r = group_of(g, i, &first);

    if (r) {
        if (first)
            out->ops[out->count++] = look(r, &op, temp_of(g, r));
        op.code = r->store ? IR_pstore : IR_pload;
        op.c = temp_of(g, r);
    }
    out->ops[out->count++] = op;
    add_renewals(g, out, &op);
}

static void find_groups(struct grouping *g, unsigned from, unsigned to, bool stores)
{
    g->groups = 0;
    forget_origins(g);
    for (unsigned i = from; i < to; i++) {
        const struct ir_op *op = &g->b->ops[i];
        if (op->code == IR_load || (op->code == IR_store && stores))
            place(g, i);
        follow(g, op);
    }
    choose_windows(g);
}

static unsigned end_of(const struct ir_block *b, unsigned label)
{
    return label + 1 < b->label_count ? b->labels[label + 1].at : b->count;
}

/* Is there room for what ends windows, and for a look of each group? */
static bool has_room(const struct grouping *g)
{
    unsigned n = g->b->count + g->b->label_count * GROUPS;

    for (unsigned i = 0; i < g->b->count; i++) {
        for (unsigned k = 0; k < g->windows; k++)
            n += sets_anew(&g->b->ops[i], &g->window[k]);
    }
    return n <= IR_OPS;
}

void ir_group(const struct ir_block *b, struct ir_block *out, bool stores)
{
    uint16_t times[IR_OPS];
    struct grouping g = { .b = b, .times = times };

    g.most_windows = ir_guess_times(b, times) ? IR_WINDOWS : 0;
    for (unsigned i = 0; i < b->label_count && g.most_windows; i++)
        find_groups(&g, b->labels[i].at, end_of(b, i), stores);
    g.windows = g.next_window;
    if (!has_room(&g))
        g.windows = g.most_windows = 0;
    g.next_window = 0;
    out->count = 0;
    out->label_count = b->label_count;
    for (unsigned i = 0; i < b->label_count; i++) {
        unsigned from = b->labels[i].at, to = end_of(b, i);
        out->labels[i] = b->labels[i];
        out->labels[i].at = (uint16_t)out->count;
        find_groups(&g, from, to, stores);
        for (unsigned k = from; k < to; k++)
            add_access(&g, out, k);
    }
}
