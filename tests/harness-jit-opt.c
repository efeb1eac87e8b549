/* harness-jit-opt.c - blocks before and after ir_optimize(), both as host code; see harness-jit.h. */
#include <string.h>

#include "harness-jit-lab-impl.h"
#include "harness-jit.h"
#include "harness.h"

enum { OPS = 40, FEW = 6, TEMPS = 4, BASE0 = 20, TAKEN = LAB_PC + 0x200, ON = LAB_PC + 64, BUDGET = 1000 };

/* Few variables, so that they die young; ir_group() has the upper temporaries. */
static uint8_t fewer(uint8_t var)
{
    if (var < BASE0)
        return var % FEW;
    return var >= IR_GLOBALS && var < IR_VARS ? (uint8_t)(IR_GLOBALS + (var - IR_GLOBALS) % TEMPS) : var;
}

static struct ir_op with_fewer(struct ir_op op)
{
    op.dst = fewer(op.dst);
    op.a = fewer(op.a);
    op.b = fewer(op.b);
    op.c = fewer(op.c);
    return op;
}

/* Two or three operations that may be one; at times they are not quite that. */
static unsigned add_pattern(uint64_t *random, struct ir_op *ops)
{
    uint8_t size = lab_roll(random, 2) ? 4 : 8, v[4];
    unsigned width = size * 8u, n = lab_roll(random, 3) ? 1 + lab_roll(random, width - 1) : width / 2;
    unsigned m = lab_roll(random, 8) ? width - n : lab_roll(random, width);

    for (unsigned i = 0; i < 4; i++)
        v[i] = (uint8_t)lab_roll(random, FEW);
    if (!lab_roll(random, 5)) {
        ops[0] = (struct ir_op){ .code = IR_xor, .size = 8, .dst = v[0], .a = v[1], .b = IR_IMM, .imm = -1 };
        ops[1] = (struct ir_op){ .code = IR_and, .size = 8, .dst = v[2], .a = v[lab_roll(random, 4)], .b = v[0] };
        if (lab_roll(random, 2)) {
            ops[1].b = ops[1].a;
            ops[1].a = v[0];
        }
        return 2;
    }
    if (!lab_roll(random, 3)) {
        n = lab_roll(random, 3) ? 32 : 48 + 8 * lab_roll(random, 2);
        m = lab_roll(random, 2) ? n : n + lab_roll(random, 64 - n);
        ops[0] = (struct ir_op){ .code = IR_shl, .size = 8, .dst = v[0], .a = v[1], .b = IR_IMM, .imm = n };
        ops[1] = (struct ir_op){ .code = lab_roll(random, 2) ? IR_shr : IR_sar, .size = 8, .dst = v[2], .a = v[0],
                                 .b = IR_IMM, .imm = m };
        return 2;
    }
    unsigned left = lab_roll(random, 2);
    uint8_t left_size = lab_roll(random, 8) ? size : 8;
    ops[left] = (struct ir_op){ .code = IR_shl, .size = left_size, .dst = v[0], .a = v[1], .b = IR_IMM, .imm = n };
    ops[!left] = (struct ir_op){ .code = IR_shr, .size = size, .dst = v[2], .a = v[1], .b = IR_IMM, .imm = m };
    ops[2] = (struct ir_op){ .code = (uint8_t[]){ IR_or, IR_xor, IR_add }[lab_roll(random, 3)], .dst = v[3],
                             .size = lab_roll(random, 4) ? 8 : 4, .a = ops[0].dst, .b = ops[1].dst };
    if (lab_roll(random, 2))
        ops[2].dst = lab_roll(random, 2) ? v[0] : v[2];
    return 3;
}

static unsigned add_branch(uint64_t *random, struct ir_op *op)
{
    *op = (struct ir_op){ .code = IR_branch, .size = 8, .cond = lab_roll(random, 8) & 7, .a = lab_roll(random, FEW) & 7,
                          .b = lab_roll(random, FEW) & 7, .imm = TAKEN };
    return 1;
}

/* Random operations with patterns, which may be interrupted, and branches between them; sites are the indices. */
static unsigned make(struct jit_lab *lab, uint64_t *random, struct ir_op *ops)
{
    struct ir_op any[OPS], pattern[3];
    unsigned n = jit_lab_ops(lab, random, any, OPS), count = 0;

    for (unsigned i = 0; i < n;) {
        unsigned length = lab_roll(random, 3) ? 0 : lab_roll(random, 5) ? add_pattern(random, pattern)
                                                                : add_branch(random, pattern);
        ops[count++] = with_fewer(any[i++]);
        for (unsigned k = 0; k < length; k++) {
            ops[count++] = pattern[k];
            if (i < n && !lab_roll(random, 3))
                ops[count++] = with_fewer(any[i++]);
        }
    }
    for (unsigned i = 0; i < count; i++)
        ops[i].site = i;
    return count;
}

struct outcome {
    struct lab_state s;
    struct jit_result r;
    uint64_t where, seen;
};

static void run(struct jit_lab *lab, const struct ir_block *b, const struct lab_state *from, struct outcome *o)
{
    uint32_t site;

    lab->cpu.s = *from;
    lab->cpu.budget = BUDGET;
    lab->cpu.seen = 0;
    o->r = jit_lab_run(lab, b);
    o->where = o->r.why == JIT_LINK ? jit_link_target(lab->jit, o->r.what, &site) : o->r.what;
    o->s = lab->cpu.s;
    o->seen = lab->cpu.seen;
}

/* Operations that are one now. */
static unsigned count_merged(const struct ir_block *b, const struct ir_block *was)
{
    unsigned now = 0, before = 0;

    for (unsigned i = 0; i < b->count; i++)
        now += b->ops[i].code == IR_ror || b->ops[i].code == IR_ext;
    for (unsigned i = 0; i < was->count; i++)
        before += was->ops[i].code == IR_ror || was->ops[i].code == IR_ext;
    return now > before ? now - before : 0;
}

static bool one_case(struct jit_lab *lab, uint64_t *random, uint64_t *dropped, uint64_t *merged, char *text,
                     size_t size)
{
    static const char *const titles[] = { "built:\n", "optimized:\n" };
    struct ir_block running = { .count = 0 }, built, b[2];
    struct lab_state from;
    struct outcome o[2];
    unsigned count = make(lab, random, running.ops), at = 0;

    jit_lab_state(lab, random, &from);
    lab->cpu.running = &running;
    lab->cpu.rounding = (uint8_t)lab_roll(random, 4);
    jit_lab_block(&built, running.ops, count, ON);
    if (lab_roll(random, 2))
        ir_group(&built, &b[0], lab_roll(random, 2));
    else
        b[0] = built;
    b[1] = b[0];
    ir_optimize(&b[1]);
    const char *fault = ir_verify(&b[1], &at);
    *dropped += b[0].count - b[1].count;
    *merged += count_merged(&b[1], &b[0]);
    for (unsigned i = 0; i < 2; i++)
        run(lab, &b[i], &from, &o[i]);
    *text = 0;
    bool same = jit_lab_same(&o[0].s, &o[1].s, text, size) && !fault && o[0].r.why == o[1].r.why &&
                o[0].where == o[1].where && o[0].seen == o[1].seen;
    for (unsigned i = 0; i < 2 && !same; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s at %u; came back with %d, %#llx\n%s", fault ? fault : "ran", at,
                 (int)o[i].r.why, (unsigned long long)o[i].where, titles[i]);
        used = strlen(text);
        ir_dump(&b[i], text + used, size - used);
    }
    return same;
}

uint64_t jit_lab_optimize(struct jit_lab *lab, uint64_t cases, uint64_t seed, uint64_t *dropped, uint64_t *merged,
                          char *text, size_t size)
{
    char other[16384];
    uint64_t wrong = 0;

    *text = 0;
    *dropped = *merged = 0;
    for (uint64_t i = 0; i < cases; i++)
        wrong += !(wrong ? one_case(lab, &seed, dropped, merged, other, sizeof other)
                         : one_case(lab, &seed, dropped, merged, text, size));
    return wrong;
}
