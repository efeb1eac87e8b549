/*
 * chain.c - blocks that run one after the other become host code one behind the other, so that host code falls from one
 * into the next. A jump that is taken costs a host more than the same instructions in a row: it has to be known to the
 * branch predictor, and begins another line of the instruction cache.
 */
#include "state.h"

/* Blocks that have not run need not be near. */
static bool is_new(struct rv *cpu, struct rv_block *b)
{
    return b->runs && b->entry == jit_exit_code(cpu->jit) && !rv_find_loop(cpu, b, true).count;
}

static bool is_in(const struct rv_region *r, const struct rv_block *b)
{
    bool found = false;

    for (unsigned i = 0; i < r->count; i++)
        found |= r->block[i] == b;
    return found;
}

/* What has run behind the last block most often. */
static struct rv_block *follower(struct rv *cpu, const struct rv_region *r)
{
    const struct rv_block *last = r->block[r->count - 1];
    struct rv_ways ways = rv_ways(cpu, last);
    struct rv_block *best = NULL;

    for (unsigned k = 0; k < RV_WAYS; k++) {
        struct rv_block *b = ways.which >> k & 1 ? rv_block_near(cpu, last, ways.to[k]) : NULL;
        if (b && !is_in(r, b) && (!best || b->runs >= best->runs) && is_new(cpu, b))
            best = b;
    }
    return best;
}

struct rv_region rv_find_chain(struct rv *cpu, struct rv_block *b)
{
    struct rv_region r = { .count = 1, .block = { b } };
    unsigned insns = b->count;
    struct rv_block *more;

    while (r.count < RV_REGION_MAX && (more = follower(cpu, &r)) && insns + more->count <= RV_REGION_INSNS) {
        insns += more->count;
        r.block[r.count++] = more;
    }
    return r;
}
