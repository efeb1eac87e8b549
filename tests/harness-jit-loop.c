/* harness-jit-loop.c - random loops over memory with and without ir_group(); see harness-jit.h. */
#include <string.h>

#include "harness-jit-lab-impl.h"
#include "harness-jit.h"
#include "harness.h"

enum { POINTERS = 3, POINTER = 8, SOURCE = 12, INNER_COUNT = 5, OUTER_COUNT = 6, BUDGET = 100000 };
enum { INNER = LAB_PC + 0x40, TAIL = LAB_PC + 0x80, OUT = LAB_PC + 0xc0 };

struct walk {
    unsigned size; /* of what is accessed, at most */
    int64_t step, again; /* in the inner loop; of the source, from which the outer loop takes it, or 0: it does not */
};

static void add(struct ir_block *b, struct ir_op op)
{
    op.size = op.size ? op.size : 8;
    op.site = b->count;
    ir_add(b, op);
}

static void step(struct ir_block *b, unsigned reg, int64_t by)
{
    add(b, (struct ir_op){ .code = IR_add, .dst = (uint8_t)reg, .a = (uint8_t)reg, .b = IR_IMM, .imm = by });
}

static int64_t distance(uint64_t *random, unsigned size)
{
    return ((int64_t)lab_roll(random, 17) - 8) * (int64_t)size;
}

static void access(struct ir_block *b, uint64_t *random, const struct walk *walk)
{
    unsigned k = lab_roll(random, POINTERS), data = 1 + lab_roll(random, 4);
    uint8_t size = (uint8_t)(walk[k].size >> lab_roll(random, 2));
    struct ir_op op = { .size = size ? size : 1, .a = (uint8_t)(POINTER + k) };

    op.imm = distance(random, op.size);
    if (lab_roll(random, 2)) {
        op.code = IR_load;
        op.dst = (uint8_t)data;
    } else {
        op.code = IR_store;
        op.b = (uint8_t)data;
    }
    add(b, op);
}

static void take_anew(struct ir_block *b, unsigned k, const struct walk *walk)
{
    add(b, (struct ir_op){ .code = IR_mov, .dst = (uint8_t)(POINTER + k), .b = (uint8_t)(SOURCE + k) });
    step(b, SOURCE + k, walk->again);
}

static void loop_end(struct ir_block *b, unsigned count, uint64_t start, uint64_t on)
{
    step(b, count, -1);
    add(b, (struct ir_op){ .code = IR_branch, .cond = IR_NE, .a = (uint8_t)count, .b = IR_IMM, .imm = (int64_t)start });
    add(b, (struct ir_op){ .code = IR_jump, .imm = (int64_t)on });
}

static void make(struct ir_block *b, uint64_t *random)
{
    struct walk walk[POINTERS];

    for (unsigned k = 0; k < POINTERS; k++) {
        walk[k].size = 1u << lab_roll(random, 4);
        walk[k].step = lab_roll(random, 4) ? distance(random, walk[k].size) : 0;
        walk[k].again = lab_roll(random, 3) ? distance(random, walk[k].size) * 32 : 0;
    }
    ir_begin(b);
    ir_label(b, LAB_PC, 0, 1);
    for (unsigned k = 0; k < POINTERS; k++) {
        if (walk[k].again)
            take_anew(b, k, &walk[k]);
    }
    add(b, (struct ir_op){ .code = IR_mov, .dst = INNER_COUNT, .b = IR_IMM, .imm = 1 + lab_roll(random, 20) });
    add(b, (struct ir_op){ .code = IR_jump, .imm = INNER });
    ir_label(b, INNER, b->count, 1);
    for (unsigned n = 1 + lab_roll(random, 6); n; n--) {
        access(b, random, walk);
        unsigned k = lab_roll(random, 2 * POINTERS);
        if (k < POINTERS && walk[k].step)
            step(b, POINTER + k, walk[k].step);
    }
    loop_end(b, INNER_COUNT, INNER, TAIL);
    ir_label(b, TAIL, b->count, 1);
    loop_end(b, OUTER_COUNT, LAB_PC, OUT);
}

static void run(struct jit_lab *lab, const struct ir_block *b, const struct lab_state *from, struct lab_state *to,
                struct jit_result *r)
{
    jit_lab_fresh_tlb(lab);
    lab->cpu.pages = 0;
    lab->cpu.s = *from;
    lab->cpu.budget = BUDGET;
    lab->cpu.touched = 1;
    *r = jit_lab_run(lab, b);
    *to = lab->cpu.s;
}

static unsigned count_of(const struct ir_block *b, enum ir_code code)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->count; i++)
        n += b->ops[i].code == code;
    return n;
}

static bool one_loop(struct jit_lab *lab, uint64_t *random, struct jit_lab_loops *found, char *text, size_t size)
{
    struct ir_block built, grouped;
    struct lab_state from, want, got;
    struct jit_result r[2];
    unsigned at = 0, pages;

    make(&built, random);
    jit_lab_state(lab, random, &from);
    for (unsigned k = 0; k < POINTERS; k++) { /* on either side of a page's start or end */
        uint64_t page = LAB_BASE + (1 + lab_roll(random, LAB_PAGES - 1)) * (uint64_t)LAB_PAGE;
        from.x[POINTER + k] = from.x[SOURCE + k] = page + 8 * (uint64_t)lab_roll(random, 64) - 256;
    }
    from.x[OUTER_COUNT] = 1 + lab_roll(random, 4);
    ir_group(&built, &grouped, true);
    const char *fault = ir_verify(&grouped, &at);
    found->windows += count_of(&grouped, IR_window);
    found->renewals += count_of(&grouped, IR_renew);
    lab->cpu.running = &built;
    run(lab, &built, &from, &want, &r[0]);
    pages = lab->cpu.pages;
    run(lab, &grouped, &from, &got, &r[1]);
    found->touches += lab->cpu.touched - 1;
    lab->cpu.touched = 0;
    *text = 0;
    if (r[1].why == JIT_SITE) { /* a group across two pages */
        found->left++;
        return true;
    }
    bool same = jit_lab_same(&want, &got, text, size) && !fault && r[0].why == r[1].why && pages == lab->cpu.pages;
    if (!same) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s at %u; came back with %d and %d; pages %#x and %#x\n",
                 fault ? fault : "ran", at, (int)r[0].why, (int)r[1].why, pages, lab->cpu.pages);
        used = strlen(text);
        ir_dump(&grouped, text + used, size - used);
    }
    return same;
}

uint64_t jit_lab_run_loops(struct jit_lab *lab, uint64_t cases, uint64_t seed, struct jit_lab_loops *found, char *text,
                           size_t size)
{
    char other[16384];
    uint64_t wrong = 0;

    *text = 0;
    *found = (struct jit_lab_loops){ 0 };
    for (uint64_t i = 0; i < cases; i++)
        wrong += !(wrong ? one_loop(lab, &seed, found, other, sizeof other) : one_loop(lab, &seed, found, text, size));
    jit_lab_fresh_tlb(lab);
    return wrong;
}
