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

/* The number of the block at this address, which joins when it is decoded, and not part of another loop. */
static uint8_t join(struct reach *r, uint64_t pc)
{
    const struct rv_block *from = r->block[0];
    struct rv_block *b = (pc ^ from->pc) < PAGE_SIZE ? rv_block_beside(r->cpu, from, pc) : NULL;

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
    const struct rv_block *b = r->block[i];
    const struct rv_op *last = &b->ops[b->count - 1];
    rv_handler *fn = b->count == 1 ? b->first : last->fn;
    uint64_t target = (b->pc + last->off + (uint64_t)(int64_t)last->imm) & r->cpu->va_mask;
    bool jumps = fn == exec_jal && last->rd == RV_SINK, branches = is_branch(fn);

    r->next[i][0] = jumps || branches ? join(r, target) : NOWHERE;
    r->next[i][1] = NOWHERE;
    if (branches || (!jumps && !rv_ends_block(r->cpu->decoder, last->raw)))
        r->next[i][1] = join(r, (b->pc + b->bytes) & r->cpu->va_mask);
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

static void insert(struct rv_block **out, unsigned n, struct rv_block *b)
{
    while (n && out[n - 1]->pc > b->pc) {
        out[n] = out[n - 1];
        n--;
    }
    out[n] = b;
}

unsigned rv_find_loop(struct rv *cpu, struct rv_block *b, bool again, struct rv_block *out[RV_LOOP_MAX])
{
    struct reach r = { .cpu = cpu, .again = again, .block = { b }, .count = 1 };
    unsigned n = 0, insns = 0;

    for (unsigned i = 0; i < r.count; i++)
        follow(&r, i);
    uint32_t back = leading_back(&r);
    for (unsigned i = 0; i < r.count; i++) {
        if (!(back >> i & 1))
            continue;
        insns += r.block[i]->count;
        if (n == RV_LOOP_MAX || insns > RV_LOOP_INSNS)
            return 0;
        insert(out, n++, r.block[i]);
    }
    return n;
}
