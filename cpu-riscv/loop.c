/*
 * loop.c - the blocks of a page that form a loop: they become host code together and keep in registers what the loop
 * uses most.
 */
#include "decode.h"
#include "mem.h"
#include "state.h"

enum { NEAR = 32 }; /* blocks that are looked at */

/* Blocks within reach of the first one, by direct jumps inside its page. */
struct reach {
    struct rv *cpu;
    bool again; /* they are part of a loop */
    struct rv_block *block[NEAR];
    uint8_t next[NEAR][2];
    unsigned count;
};
enum { NOWHERE = NEAR };

static bool is_branch(rv_handler *fn)
{
    return fn == exec_beq || fn == exec_bne || fn == exec_blt || fn == exec_bge || fn == exec_bltu || fn == exec_bgeu;
}

struct rv_ways rv_ways(const struct rv *cpu, const struct rv_block *b)
{
    const struct rv_op *last = &b->ops[b->count - 1];
    rv_handler *fn = b->count == 1 ? b->first : last->fn;
    bool jumps = fn == exec_jal && last->rd == RV_SINK, branches = is_branch(fn);
    bool calls = (fn == exec_jal || fn == exec_jalr) && rv_is_link(last->rd);
    bool goes_on = branches || (!jumps && !rv_ends_block(cpu->decoder, last->raw));

    return (struct rv_ways){
        .which = (jumps || branches ? 1u << RV_TAKEN : 0) | (goes_on ? 1u << RV_ON : 0) | (calls ? 1u << RV_BACK : 0),
        .to = { [RV_TAKEN] = (b->pc + last->off + (uint64_t)(int64_t)last->imm) & cpu->va_mask,
                [RV_ON] = (b->pc + b->bytes) & cpu->va_mask, [RV_BACK] = (b->pc + b->bytes) & cpu->va_mask },
    };
}

struct rv_block *rv_block_near(struct rv *cpu, const struct rv_block *b, uint64_t pc)
{
    return (pc ^ b->pc) < PAGE_SIZE ? rv_block_beside(cpu, b, pc) : NULL;
}

/* The number of the block at this address, which joins when it is decoded, and not part of another loop. */
static uint8_t join(struct reach *r, uint64_t pc)
{
    struct rv_block *b = rv_block_near(r->cpu, r->block[0], pc);

    if (!b || (b->in_loop && !r->again))
        return NOWHERE;
    for (unsigned i = 0; i < r->count; i++) {
        if (r->block[i] == b)
            return (uint8_t)i;
    }
    if (r->count == NEAR)
        return NOWHERE;
    r->block[r->count] = b;
    return (uint8_t)r->count++;
}

static void follow(struct reach *r, unsigned i)
{
    struct rv_ways ways = rv_ways(r->cpu, r->block[i]);

    for (unsigned k = 0; k <= RV_ON; k++)
        r->next[i][k] = ways.which >> k & 1 ? join(r, ways.to[k]) : NOWHERE;
}

/* Which of them lead back to the first one. */
static uint32_t leading_back(const struct reach *r)
{
    uint32_t back = 0, before;

    do {
        before = back;
        for (unsigned i = 0; i < r->count; i++) {
            for (unsigned k = 0; k < 2; k++) {
                unsigned n = r->next[i][k];
                if (n != NOWHERE && (n == 0 || (back >> n & 1)))
                    back |= 1u << i;
            }
        }
    } while (back != before);
    return back;
}

static void insert(struct rv_region *out, struct rv_block *b)
{
    unsigned n = out->count++;

    while (n && out->block[n - 1]->pc > b->pc) {
        out->block[n] = out->block[n - 1];
        n--;
    }
    out->block[n] = b;
}

struct rv_region rv_find_loop(struct rv *cpu, struct rv_block *b, bool again)
{
    struct reach r = { .cpu = cpu, .again = again, .block = { b }, .count = 1 };
    struct rv_region out = { 0 };
    unsigned insns = 0;

    for (unsigned i = 0; i < r.count; i++)
        follow(&r, i);
    uint32_t back = leading_back(&r);
    for (unsigned i = 0; i < r.count; i++) {
        if (!(back >> i & 1))
            continue;
        insns += r.block[i]->count;
        if (out.count == RV_REGION_MAX || insns > RV_REGION_INSNS)
            return (struct rv_region){ 0 };
        insert(&out, r.block[i]);
    }
    return out;
}
