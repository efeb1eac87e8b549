/* harness-jit-flow.c - the IR as text, and control flow of host code; see harness-jit.h. */
#include <stdlib.h>
#include <string.h>

#include "harness-jit-lab-impl.h"
#include "harness-jit.h"
#include "harness.h"

/* ---- the IR ---- */

static struct ir_op convert(const struct jit_op *o)
{
    unsigned code = 0;

    while (code < IR_CODES && strcmp(ir_name((enum ir_code)code), o->name))
        code++;
    return (struct ir_op){ .code = (uint8_t)code, .size = (uint8_t)o->size, .cond = (uint8_t)o->cond,
                           .flags = (uint8_t)o->flags, .dst = (uint8_t)o->dst, .a = (uint8_t)o->a,
                           .b = (uint8_t)o->b, .c = (uint8_t)o->c, .imm = o->imm };
}

static void build(struct ir_block *b, const struct jit_op *ops, unsigned count)
{
    ir_begin(b);
    ir_label(b, 0x1000, 0, count);
    for (unsigned i = 0; i < count; i++)
        ir_add(b, convert(&ops[i]));
}

void jit_ir_text(const struct jit_op *ops, unsigned count, char *text, size_t size)
{
    struct ir_block b;

    build(&b, ops, count);
    ir_dump(&b, text, size);
}

void jit_ir_optimized(const struct jit_op *ops, unsigned count, char *text, size_t size)
{
    struct ir_block b;

    build(&b, ops, count);
    ir_optimize(&b);
    ir_dump(&b, text, size);
}

const char *jit_ir_fault(const struct jit_op *ops, unsigned count, unsigned insns, unsigned *at)
{
    struct ir_block b;

    ir_begin(&b);
    ir_label(&b, 0x1000, 0, insns);
    for (unsigned i = 0; i < count; i++) {
        b.ops[b.count++] = convert(&ops[i]);
        if (!strcmp(ops[i].name, "nothing"))
            b.ops[i].code = IR_CODES;
    }
    return ir_verify(&b, at);
}

/* ---- control flow ---- */

static uint64_t where(struct jit_lab *lab, struct jit_result r)
{
    uint32_t site;

    return r.why == JIT_LINK ? jit_link_target(lab->jit, r.what, &site) : r.why == JIT_NEXT ? lab->cpu.pc : 0;
}

uint64_t jit_lab_branches(struct jit_lab *lab, uint64_t cases, uint64_t seed, char *text, size_t size)
{
    uint64_t wrong = 0, random = seed;

    *text = 0;
    for (uint64_t i = 0; i < cases; i++) {
        uint64_t r = harness_random(&random), v = harness_random(&random) >> (r & 63);
        uint64_t taken = LAB_PC + (r & 64 ? 0x200 : 0x4200), on = LAB_PC + (r & 128 ? 0x10 : 0x7010);
        struct ir_op op = { .code = IR_branch, .size = 8, .cond = r >> 8 & 7, .a = r >> 11 & 15, .b = r >> 15 & 15,
                            .imm = (int64_t)taken };
        struct ir_block b;
        lab->cpu.s.x[op.a] = r & 0x80000 ? v : 0 - v;
        lab->cpu.s.x[op.b] = r & 0x100000 ? lab->cpu.s.x[op.a] : harness_random(&random) >> (r >> 24 & 63);
        if (r & 0x200000) {
            op.b = IR_IMM; /* zero */
            lab->cpu.s.x[op.a] = r & 0x400000 ? 0 : lab->cpu.s.x[op.a];
        }
        uint64_t vb = op.b == IR_IMM ? 0 : lab->cpu.s.x[op.b];
        bool holds = lab_holds(op.cond, lab->cpu.s.x[op.a], vb);
        lab->cpu.budget = 1;
        jit_lab_block(&b, &op, 1, on);
        uint64_t went = where(lab, jit_lab_run(lab, &b));
        if (went == (holds ? taken : on))
            continue;
        if (!wrong++)
            snprintf(text, size, "condition %u of %#llx and %#llx went to %#llx", op.cond,
                     (unsigned long long)lab->cpu.s.x[op.a], (unsigned long long)vb, (unsigned long long)went);
    }
    return wrong;
}

/* A number, or one of the NaNs. */
static uint64_t any_float(uint64_t *random)
{
    static const uint64_t values[] = { 0, UINT64_C(1) << 63, UINT64_C(0x3ff0000000000000), UINT64_C(0xbff0000000000000),
                                       UINT64_C(0x7ff0000000000000), UINT64_C(0x7ff8000000000000),
                                       UINT64_C(0x7ff4000000000000) };

    return values[harness_random(random) % (sizeof values / sizeof values[0])];
}

/* fgetflags, a comparison, and a branch to `taken` on its result. */
static void decision(struct ir_op ops[3], uint64_t r, uint64_t taken)
{
    uint8_t result = r >> 8 & 15;

    ops[0] = (struct ir_op){ .code = IR_fgetflags, .size = 8, .dst = 2 };
    ops[1] = (struct ir_op){ .code = IR_fset, .size = r & 1 ? 8 : 4, .flags = r & 2 ? IR_QUIET : 0,
                             .cond = (const uint8_t[]){ IR_EQ, IR_LT, IR_LE }[(r >> 24) % 3], .dst = result,
                             .a = LAB_FLOAT + 1, .b = (uint8_t)(LAB_FLOAT + (r >> 16 & 1)), .site = 1 };
    ops[2] = (struct ir_op){ .code = IR_branch, .size = 8, .cond = r >> 20 & 1 ? IR_EQ : IR_NE, .a = result,
                             .b = IR_IMM, .imm = (int64_t)taken };
}

static void compared_floats(struct lab_state *s, unsigned size, uint64_t *random)
{
    for (unsigned k = 0; k < 2; k++) {
        s->f[k] = any_float(random);
        if (size == 4 && harness_random(random) % 4)
            s->f[k] = s->f[k] >> 32 | UINT64_C(0xffffffff00000000);
    }
    s->flags = 0;
}

uint64_t jit_lab_decisions(struct jit_lab *lab, uint64_t cases, uint64_t seed, char *text, size_t size)
{
    uint64_t wrong = 0, random = seed, taken = LAB_PC + 0x200, on = LAB_PC + 0x10;
    struct lab_state *s = &lab->cpu.s, want;

    *text = 0;
    for (uint64_t i = 0; i < cases; i++) {
        struct ir_op ops[3];
        struct ir_block b, plain;
        decision(ops, harness_random(&random), taken);
        compared_floats(s, ops[1].size, &random);
        want = *s;
        lab_eval(&want, &ops[0], 0, UINT64_MAX);
        lab_eval(&want, &ops[1], 0, UINT64_MAX);
        bool holds = lab_holds(ops[2].cond, want.x[ops[2].a], 0);
        memcpy(plain.ops, ops, sizeof ops);
        lab->cpu.running = &plain;
        lab->cpu.budget = 1;
        jit_lab_block(&b, ops, 3, on);
        uint64_t went = where(lab, jit_lab_run(lab, &b));
        if (went == (holds ? taken : on) && s->x[ops[2].a] == want.x[ops[2].a] && s->flags == want.flags)
            continue;
        if (!wrong++)
            ir_dump(&b, text, size);
    }
    return wrong;
}

uint64_t jit_lab_loop(struct jit_lab *lab, unsigned insns, int64_t budget, int64_t *left)
{
    struct ir_op count = { .code = IR_add, .size = 8, .dst = 5, .a = 5, .b = IR_IMM, .imm = 1 };
    struct ir_block b;

    jit_lab_block(&b, &count, 1, LAB_PC);
    b.labels[0].insns = (uint16_t)insns;
    const void *code = jit_emit(lab->jit, &b);
    lab->cpu.s.x[5] = 0;
    lab->cpu.budget = budget;
    struct jit_result r = jit_run(lab->jit, &lab->cpu, code);
    while (r.why == JIT_LINK) {
        jit_link(lab->jit, r.what, code);
        r = jit_run(lab->jit, &lab->cpu, code);
    }
    *left = r.why == JIT_BUDGET ? lab->cpu.budget : -1;
    return lab->cpu.s.x[5];
}

int jit_lab_jump(struct jit_lab *lab, uint64_t base, int64_t offset, bool there, uint64_t *pc)
{
    struct ir_op jump = { .code = IR_jumpi, .size = 8, .a = 7, .imm = offset };
    struct ir_op mark = { .code = IR_mov, .size = 8, .dst = 6, .b = IR_IMM, .imm = 1 };
    uint64_t target = (base + (uint64_t)offset) & lab->layout.address_mask & ~UINT64_C(1);
    struct ir_block b;

    jit_lab_block(&b, &mark, 1, target ^ 0x100000); /* to a page that nobody has */
    const void *code = jit_emit(lab->jit, &b);
    unsigned slot = target >> 1 & ((1 << LAB_JUMP_BITS) - 1);
    lab->space.jumps[slot].pc = there ? target : 1;
    lab->space.jumps[slot].code = code;
    ir_begin(&b);
    ir_label(&b, LAB_PC, 0, 1);
    ir_add(&b, jump);
    lab->cpu.s.x[6] = 0;
    lab->cpu.s.x[7] = base;
    lab->cpu.budget = 10;
    struct jit_result r = jit_lab_run(lab, &b);
    lab->space.jumps[slot].pc = 1;
    *pc = where(lab, r);
    return (int)lab->cpu.s.x[6];
}

bool jit_lab_far(struct jit_lab *lab, bool linked, unsigned which, uint32_t epoch, int32_t patience, bool cached)
{
    struct ir_op mark = { .code = IR_mov, .size = 8, .dst = 6, .b = IR_IMM, .imm = 1 };
    uint64_t target = LAB_PC + 0x100000;
    unsigned slot = target >> 1 & ((1 << LAB_JUMP_BITS) - 1);
    struct ir_block b;

    jit_lab_block(&b, &mark, 1, target + 0x100000);
    const void *there = jit_emit(lab->jit, &b);
    jit_lab_block(&b, &mark, 0, target);
    const void *code = jit_emit(lab->jit, &b);
    lab->cpu.patience = -1;
    lab->cpu.budget = 10;
    struct jit_result r = jit_run(lab->jit, &lab->cpu, code);
    if (r.why != JIT_LINK || !jit_link_is_far(lab->jit, r.what))
        return false;
    if (linked)
        jit_link_far(lab->jit, r.what, there, which, epoch);
    lab->space.jumps[slot].pc = cached ? target : 1;
    lab->space.jumps[slot].code = there;
    lab->cpu.patience = patience;
    lab->cpu.s.x[6] = 0;
    jit_run(lab->jit, &lab->cpu, code);
    lab->space.jumps[slot].pc = 1;
    return lab->cpu.s.x[6];
}

/* A function that adds 1 to x5 and returns to x1, from which x6 is taken first; and a place that adds 0x100. */
static void emit_function(struct jit_lab *lab, struct lab_block *function)
{
    struct ir_block b;

    ir_begin(&b);
    ir_label(&b, function->pc, 0, 1);
    ir_add(&b, (struct ir_op){ .code = IR_add, .size = 8, .dst = 5, .a = 5, .b = IR_IMM, .imm = 1 });
    ir_add(&b, (struct ir_op){ .code = IR_sub, .size = 8, .dst = 1, .a = 1, .b = 6 });
    ir_add(&b, (struct ir_op){ .code = IR_jumpi, .size = 8, .flags = IR_RETURN, .a = 1 });
    function->entry = jit_emit(lab->jit, &b);
}

static void emit_place(struct jit_lab *lab, struct lab_block *place)
{
    struct ir_op count = { .code = IR_add, .size = 8, .dst = 5, .a = 5, .b = IR_IMM, .imm = 0x100 };
    struct ir_block b;

    jit_lab_block(&b, &count, 1, place->pc + 0x100000);
    place->entry = jit_emit(lab->jit, &b);
}

/* The jump cache has pc; or, with NULL, has not. */
static void remember(struct jit_lab *lab, uint64_t pc, const struct lab_block *b)
{
    unsigned slot = pc >> 1 & ((1 << LAB_JUMP_BITS) - 1);

    lab->space.jumps[slot].pc = b ? pc : 1;
    lab->space.jumps[slot].code = b ? b->entry : NULL;
}

uint64_t jit_lab_call(struct jit_lab *lab, bool far, bool pointer, uint64_t off, bool called, bool linked)
{
    const uint64_t back = LAB_PC + (far ? 0x1004 : 4);
    struct lab_block function = { .pc = LAB_PC + 0x3000 }, place = { .pc = (back - off) & ~UINT64_C(1) };
    struct ir_block b;

    emit_function(lab, &function);
    emit_place(lab, &place);
    ir_begin(&b);
    ir_label(&b, LAB_PC, 0, 1);
    ir_add(&b, (struct ir_op){ .code = IR_mov, .size = 8, .dst = 1, .b = IR_IMM, .imm = (int64_t)back });
    ir_add(&b, (struct ir_op){ .code = IR_mov, .size = 8, .dst = 7, .b = IR_IMM, .imm = (int64_t)function.pc });
    ir_add(&b, (struct ir_op){ .code = IR_frame, .size = 8, .imm = (int64_t)back });
    if (pointer)
        ir_add(&b, (struct ir_op){ .code = IR_jumpi, .size = 8, .a = 7 });
    else
        ir_add(&b, (struct ir_op){ .code = IR_jump, .size = 8, .imm = (int64_t)function.pc });
    const void *code = jit_emit(lab->jit, &b);
    remember(lab, function.pc, &function);
    remember(lab, place.pc, &place);
    struct jit_result r = { JIT_NEXT, 0 };
    for (unsigned round = 0; round < 8; round++) {
        lab->cpu.s.x[5] = 0;
        lab->cpu.s.x[6] = off;
        lab->cpu.s.x[1] = back;
        lab->cpu.budget = 100;
        lab->cpu.patience = linked ? 0 : 100;
        r = jit_run(lab->jit, &lab->cpu, called ? code : function.entry);
        if (r.why != JIT_LINK || !linked)
            break;
        uint64_t to = where(lab, r);
        const void *entry = to == function.pc ? function.entry : to == place.pc ? place.entry : NULL;
        if (!entry)
            break;
        if (jit_link_is_far(lab->jit, r.what))
            jit_link_far(lab->jit, r.what, entry, 0, lab->cpu.epochs[0]);
        else
            jit_link(lab->jit, r.what, entry);
    }
    remember(lab, function.pc, NULL);
    remember(lab, place.pc, NULL);
    return lab->cpu.s.x[5];
}

static void nothing(const struct jit *j, void *cpu)
{
    (void)j;
    (void)cpu;
}

static void hide_and_show(const struct jit *j, void *cpu)
{
    jit_hide_calls(j, cpu);
    jit_show_calls(j, cpu);
}

static void hide_and_forget(const struct jit *j, void *cpu)
{
    jit_hide_calls(j, cpu);
    jit_forget_calls(j, cpu);
    jit_show_calls(j, cpu);
}

/* Only returns that go straight back find their place: the jump cache has nothing. */
uint64_t jit_lab_open_calls(struct jit_lab *lab, enum jit_lab_meanwhile meanwhile)
{
    static void (*const what[])(const struct jit *, void *) = {
        [JIT_LAB_NOTHING] = nothing,           [JIT_LAB_FORGET] = jit_forget_calls,
        [JIT_LAB_HIDE] = jit_hide_calls,       [JIT_LAB_SHOW] = jit_show_calls,
        [JIT_LAB_HIDE_SHOW] = hide_and_show,   [JIT_LAB_HIDE_FORGET] = hide_and_forget,
    };
    enum { INNER = LAB_PC + 0x40, BACK = LAB_PC + 4 };
    struct ir_block b, inner;

    ir_begin(&b);
    ir_label(&b, LAB_PC, 0, 1);
    ir_add(&b, (struct ir_op){ .code = IR_mov, .size = 8, .dst = 1, .b = IR_IMM, .imm = BACK });
    ir_add(&b, (struct ir_op){ .code = IR_frame, .size = 8, .imm = BACK });
    ir_add(&b, (struct ir_op){ .code = IR_jump, .size = 8, .imm = INNER });
    ir_label(&b, BACK, 0, 1);
    ir_add(&b, (struct ir_op){ .code = IR_add, .size = 8, .dst = 5, .a = 5, .b = IR_IMM, .imm = 0x100 });
    ir_add(&b, (struct ir_op){ .code = IR_leave, .size = 8 });
    const void *code = jit_emit(lab->jit, &b);
    ir_begin(&inner);
    ir_label(&inner, INNER, 0, 1);
    ir_add(&inner, (struct ir_op){ .code = IR_call, .size = 8 });
    ir_add(&inner, (struct ir_op){ .code = IR_add, .size = 8, .dst = 5, .a = 5, .b = IR_IMM, .imm = 1 });
    ir_add(&inner, (struct ir_op){ .code = IR_jumpi, .size = 8, .flags = IR_RETURN, .a = 1 });
    const void *entry = jit_emit(lab->jit, &inner);
    lab->cpu.on_call = what[meanwhile];
    lab->cpu.jit = lab->jit;
    for (unsigned round = 0; round < 4; round++) {
        lab->cpu.s.x[5] = 0;
        lab->cpu.budget = 100;
        struct jit_result r = jit_run(lab->jit, &lab->cpu, code);
        if (r.why != JIT_LINK || where(lab, r) != INNER)
            break;
        jit_link(lab->jit, r.what, entry);
    }
    lab->cpu.on_call = NULL;
    return lab->cpu.s.x[5];
}

void jit_lab_epochs(struct jit_lab *lab, uint32_t own, uint32_t global)
{
    lab->cpu.epochs[0] = own;
    lab->cpu.epochs[1] = global;
}

bool jit_lab_guard(struct jit_lab *lab, unsigned what, uint64_t status, unsigned rounding)
{
    struct ir_op ops[] = { { .code = IR_fguard, .size = 8, .imm = what, .site = 77 },
                           { .code = IR_mov, .size = 8, .dst = 6, .b = IR_IMM, .imm = 1 } };
    struct ir_block b;

    jit_lab_block(&b, ops, 2, LAB_PC + 64);
    lab->cpu.s.x[6] = 0;
    lab->cpu.status = status;
    lab->cpu.rounding = (uint8_t)rounding;
    lab->cpu.budget = 10;
    const void *code = jit_emit(lab->jit, &b);
    struct jit_result r = jit_run(lab->jit, &lab->cpu, code);
    lab->cpu.status = LAB_STATUS;
    lab->cpu.rounding = 0;
    bool left = r.why == JIT_SITE && r.what == 77;
    return lab->cpu.s.x[6] && !left;
}
