/* harness-jit-lab.c - host code of random blocks against plain C; see harness-jit.h and harness-jit-lab-impl.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "fpu.h"
#include "harness-jit-lab-impl.h"
#include "harness-jit.h"
#include "harness.h"

enum { CODE_BYTES = 1 << 20, OPS_MAX = 96, BASE0 = 20, BASE1 = 21, BUDGET = 1000 };

struct maker {
    struct jit_lab *lab;
    uint64_t random;
    struct ir_op ops[OPS_MAX];
    unsigned count;
    bool written[IR_TEMPS];
};

/* ---- the guest ---- */

/* What a callback is shown: its argument and the registers. */
static void see(struct lab_cpu *cpu, uint64_t argument)
{
    cpu->seen = (cpu->seen ^ argument) * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < LAB_X; i++)
        cpu->seen = (cpu->seen ^ cpu->s.x[i]) * UINT64_C(0x9e3779b97f4a7c15);
}

static void note_page(struct lab_cpu *cpu, uint64_t va)
{
    uint64_t page = (va - LAB_BASE) / LAB_PAGE;

    cpu->pages |= page < LAB_PAGES ? 1u << page : 0;
}

static uint64_t load(void *c, uint32_t site, uint64_t va, unsigned size)
{
    struct lab_cpu *cpu = c;

    (void)site;
    cpu->loads++;
    see(cpu, va);
    note_page(cpu, va);
    return va - LAB_BASE <= sizeof cpu->s.memory - size ? get_le(&cpu->s.memory[va - LAB_BASE], size) : 0xbad;
}

static void store(void *c, uint32_t site, uint64_t va, uint64_t value, unsigned size)
{
    struct lab_cpu *cpu = c;

    (void)site;
    cpu->stores++;
    see(cpu, va ^ (value & UINT64_MAX >> (64 - 8 * size)));
    note_page(cpu, va);
    if (va - LAB_BASE <= sizeof cpu->s.memory - size)
        put_le(&cpu->s.memory[va - LAB_BASE], value, size);
}

static void call(void *c, uint32_t site)
{
    struct lab_cpu *cpu = c;

    cpu->calls++;
    if (cpu->on_call) {
        cpu->on_call(cpu->jit, cpu);
        return;
    }
    struct ir_op op = cpu->running->ops[site];
    see(cpu, site);
    cpu->s.flags = 0;
    op.flags &= (uint8_t)~IR_QUIET; /* which is host code's part */
    lab_eval(&cpu->s, &op, cpu->rounding, UINT64_MAX);
    fpu_raise(cpu->s.flags);
}

static void lab_fill(struct lab_cpu *cpu, unsigned page)
{
    uint64_t va = LAB_BASE + page * LAB_PAGE;
    unsigned slot = va / LAB_PAGE & ((1 << LAB_TLB_BITS) - 1);

    cpu->data->tlb[slot] = (struct tlb_entry){ { [TLB_READ] = va, [TLB_WRITE] = va, [TLB_EXEC] = TLB_EMPTY },
                                               (uintptr_t)cpu->s.memory - LAB_BASE };
}

/* Brings the page of an access into the TLB, where that is wanted. */
static bool touch(void *c, uint32_t site)
{
    struct lab_cpu *cpu = c;

    see(c, site);
    if (!cpu->touched)
        return false;
    const struct ir_op *op = &cpu->running->ops[site];
    uint64_t at = cpu->s.x[op->a] + (uint64_t)op->imm - LAB_BASE;
    unsigned slot = (LAB_BASE + at) / LAB_PAGE & ((1 << LAB_TLB_BITS) - 1);
    if (at >= sizeof cpu->s.memory || cpu->data->tlb[slot].tag[TLB_READ] != TLB_EMPTY)
        return false; /* it is there: the group is what is wrong */
    cpu->touched++;
    note_page(cpu, at + LAB_BASE);
    lab_fill(cpu, (unsigned)(at / LAB_PAGE));
    return true;
}

#define AT(member) ((int32_t)offsetof(struct lab_cpu, member))
#define IN_SPACE(member) ((int32_t)offsetof(struct lab_space, member))

static void describe(struct jit_layout *l, unsigned address_bits, bool stamps)
{
    static const uint8_t pins[JIT_PINS] = { 1, 2, 3, 5, 8, 9, 10, 12, 15, BASE0 };

    *l = (struct jit_layout){
        .center = AT(s.x[8]), .temps = AT(s.temps), .first_float = LAB_FLOAT, .pc = AT(pc), .budget = AT(budget),
        .windows = AT(windows), .stack = AT(stack), .stack_now = AT(stack_now), .stack_mark = AT(stack_mark),
        .data = AT(data), .fetch = AT(data), .tlb = IN_SPACE(tlb),
        .tlb_bits = LAB_TLB_BITS, .jumps = IN_SPACE(jumps), .jump_bits = LAB_JUMP_BITS,
        .address_mask = UINT64_MAX >> (64 - address_bits),
        .epochs = { AT(epochs[0]), AT(epochs[1]) }, .patience = AT(patience),
        .fp_status = AT(status), .fp_mask = LAB_STATUS, .fp_rounding = AT(rounding), .fp_saved = AT(fp_saved),
        .stamp = stamps ? 7 : 0, .stamps = AT(stamps), .stamp_mask = LAB_STAMPS - 1,
        .load = load, .store = store, .call = call,
        .touch = { touch, touch },
    };
    for (unsigned i = 0; i < LAB_X; i++)
        l->global[i] = AT(s.x) + 8 * (int32_t)i;
    for (unsigned i = 0; i < LAB_F; i++)
        l->global[LAB_FLOAT + i] = AT(s.f) + 8 * (int32_t)i;
    memcpy(l->pins, pins, sizeof pins);
}

void jit_lab_fresh_tlb(struct jit_lab *lab)
{
    for (unsigned i = 0; i < 1 << LAB_TLB_BITS; i++)
        lab->space.tlb[i] = (struct tlb_entry){ { TLB_EMPTY, TLB_EMPTY, TLB_EMPTY }, 0 };
    for (unsigned i = 0; i < LAB_PAGES; i += 2)
        lab_fill(&lab->cpu, i);
    for (unsigned i = 0; i < 1 << LAB_JUMP_BITS; i++)
        lab->space.jumps[i].pc = 1;
}

struct jit_lab *jit_lab_new(unsigned address_bits, bool stamps)
{
    struct jit_lab *lab = calloc(1, sizeof *lab);

    describe(&lab->layout, address_bits, stamps);
    lab->jit = jit_new(&lab->layout, CODE_BYTES);
    lab->cpu.data = &lab->space;
    lab->cpu.stamps = calloc(LAB_STAMPS, sizeof *lab->cpu.stamps);
    lab->cpu.status = LAB_STATUS;
    lab->cpu.epochs[0] = lab->cpu.epochs[1] = 1;
    jit_lab_fresh_tlb(lab);
    if (lab->jit)
        return lab;
    jit_lab_free(lab);
    return NULL;
}

void jit_lab_free(struct jit_lab *lab)
{
    jit_free(lab->jit);
    free(lab->cpu.stamps);
    free(lab);
}

void jit_lab_callbacks(const struct jit_lab *lab, uint64_t *loads, uint64_t *stores, uint64_t *calls)
{
    *loads = lab->cpu.loads;
    *stores = lab->cpu.stores;
    *calls = lab->cpu.calls;
}

/* ---- what operations may look like ---- */

enum { WIDE = 8, WORD = 4, HALF = 2, BYTE = 1, IMM = 16, ZERO = 32, COND = 64 };

static const uint8_t forms[IR_CODES] = {
    [IR_mov] = WIDE | IMM,
    [IR_add] = WIDE | WORD | IMM | ZERO, [IR_sub] = WIDE | WORD | IMM | ZERO, [IR_and] = WIDE | WORD | IMM,
    [IR_or] = WIDE | WORD | IMM, [IR_xor] = WIDE | WORD | IMM | ZERO, [IR_andn] = WIDE, [IR_orn] = WIDE,
    [IR_xnor] = WIDE, [IR_shl] = WIDE | WORD | IMM | ZERO, [IR_shr] = WIDE | WORD | IMM | ZERO,
    [IR_sar] = WIDE | WORD | IMM, [IR_rol] = WIDE | WORD | IMM, [IR_ror] = WIDE | WORD | IMM,
    [IR_bset] = WIDE | IMM, [IR_bclr] = WIDE | IMM, [IR_binv] = WIDE | IMM, [IR_bext] = WIDE | IMM,
    [IR_shadd] = WIDE | ZERO, [IR_set] = WIDE | IMM | COND, [IR_select] = WIDE | COND, [IR_min] = WIDE | COND,
    [IR_mul] = WIDE | WORD | IMM, [IR_mulh] = WIDE | ZERO, [IR_div] = WIDE | WORD | ZERO | IMM,
    [IR_rem] = WIDE | WORD | ZERO | IMM, [IR_ext] = WIDE | WORD | HALF | BYTE | ZERO, [IR_clz] = WIDE | WORD,
    [IR_ctz] = WIDE | WORD, [IR_popcnt] = WIDE | WORD, [IR_bswap] = WIDE, [IR_orcb] = WIDE,
    [IR_load] = WIDE | WORD | HALF | BYTE | ZERO, [IR_store] = WIDE | WORD | HALF | BYTE, [IR_xchg] = WIDE | WORD,
    [IR_xadd] = WIDE | WORD, [IR_clear] = WIDE, [IR_fence] = WIDE,
    [IR_fguard] = WIDE, [IR_fadd] = WIDE | WORD, [IR_fsub] = WIDE | WORD, [IR_fmul] = WIDE | WORD,
    [IR_fdiv] = WIDE | WORD, [IR_fsqrt] = WIDE | WORD, [IR_fma] = WIDE | WORD, [IR_fset] = WIDE | WORD,
    [IR_fmov] = WIDE | WORD, [IR_fneg] = WIDE | WORD, [IR_fabs] = WIDE | WORD, [IR_fbits] = WIDE | WORD,
    [IR_fmake] = WIDE | WORD, [IR_ftoi] = WIDE | WORD, [IR_fromi] = WIDE | WORD, [IR_fresize] = WIDE | WORD,
    [IR_fgetflags] = WIDE, [IR_fsetflags] = WIDE,
    [IR_call] = WIDE,
};

const char *jit_lab_name(unsigned row)
{
    return row < IR_frame ? ir_name((enum ir_code)row) : NULL;
}

bool jit_lab_has(const struct jit_lab *lab, unsigned row)
{
    const struct jit_host *h = jit_host(lab->jit);

    switch (row) {
    case IR_clz: return h->lzcnt;
    case IR_ctz: return h->bmi;
    case IR_popcnt: return h->popcnt;
    case IR_fma: return h->fma;
    default: return forms[row]; /* not what ir_group() makes */
    }
}

static unsigned roll(struct maker *m, unsigned n)
{
    return lab_roll(&m->random, n);
}

static uint64_t value(struct maker *m)
{
    static const uint64_t special[] = { 0, 1, 63, 0x7f, 0x80, 0x7fff, 0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX,
                                        UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0xffffffff80000000) };
    uint64_t v = harness_random(&m->random);

    switch (roll(m, 4)) {
    case 0: return v;
    case 1: return v >> roll(m, 64);
    case 2: return (uint64_t)((int64_t)v >> roll(m, 64));
    default: return special[roll(m, ARRAY_LEN(special))];
    }
}

static uint64_t float_value(struct maker *m)
{
    static const uint32_t special[] = { 0, 0x80000000, 1, 0x7fffff, 0x800000, 0x3f800000, 0xbf800000, 0x7f7fffff,
                                        0x7f800000, 0xff800000, 0x7fc00000, 0x7fa00001, 0x4f000000, 0xcf000000,
                                        0x5f000000, 0xdf000000, 0x40490fdb, 0x33000001 };
    uint32_t s = special[roll(m, ARRAY_LEN(special))];
    uint64_t exp = s >> 23 & 255, v = harness_random(&m->random);

    switch (roll(m, 6)) {
    case 0: return v;
    case 1: return s; /* not boxed */
    case 2: /* as a double */
        exp = exp == 255 ? 2047 : exp ? exp + 896 : 0;
        return (uint64_t)(s >> 31) << 63 | exp << 52 | (uint64_t)(s & 0x7fffff) << 29;
    case 3: return v | UINT64_C(0xffffffff00000000);
    default: return s | UINT64_C(0xffffffff00000000);
    }
}

/* ---- random operations ---- */

static unsigned size_of(struct maker *m, enum ir_code code)
{
    for (;;) {
        unsigned size = 1u << roll(m, 4);
        if (forms[code] & size)
            return size;
    }
}

static uint8_t source(struct maker *m)
{
    unsigned t = roll(m, IR_TEMPS);

    return (uint8_t)(roll(m, 4) == 0 && m->written[t] ? IR_GLOBALS + t : roll(m, LAB_X));
}

/* The bases of addresses stay. */
static uint8_t target(struct maker *m)
{
    if (!roll(m, 16))
        return IR_NONE;
    return (uint8_t)(roll(m, 4) ? roll(m, BASE0) : IR_GLOBALS + roll(m, IR_TEMPS));
}

static uint8_t float_var(struct maker *m)
{
    return (uint8_t)(LAB_FLOAT + roll(m, LAB_F));
}

static void integer_operands(struct maker *m, struct ir_op *op)
{
    op->dst = target(m);
    op->a = source(m);
    op->b = roll(m, 6) ? source(m) : op->a;
    if (roll(m, 5) == 0 && op->dst != IR_NONE && (op->dst < IR_GLOBALS || m->written[op->dst - IR_GLOBALS]))
        op->a = op->dst;
    if (roll(m, 5) == 0 && op->dst != IR_NONE && (op->dst < IR_GLOBALS || m->written[op->dst - IR_GLOBALS]))
        op->b = op->dst;
    if (forms[op->code] & IMM && roll(m, 2)) {
        op->b = IR_IMM;
        op->imm = (int64_t)value(m);
    }
    if (op->code == IR_shadd)
        op->imm = roll(m, 4);
    if (op->code == IR_ext && op->size == 8)
        op->flags = 0;
}

static void memory_operands(struct maker *m, struct ir_op *op)
{
    bool is_float = roll(m, 3) == 0 && op->size >= 4;

    op->a = (uint8_t)(BASE0 + roll(m, 2));
    op->imm = (int64_t)roll(m, 4000) - 2000;
    if (roll(m, 2))
        op->imm &= -8;
    if (op->code == IR_clear) {
        op->imm = 0;
    } else if (op->code == IR_xchg || op->code == IR_xadd) {
        op->imm = 0;
        op->b = source(m);
        op->dst = target(m);
    } else if (op->code == IR_store) {
        op->flags = 0;
        op->b = is_float ? float_var(m) : roll(m, 4) ? source(m) : (uint8_t)IR_IMM;
    } else {
        op->dst = is_float ? float_var(m) : target(m);
        op->flags = is_float ? (op->size == 4 ? IR_BOX : 0) : op->flags;
    }
}

static void float_operands(struct maker *m, struct ir_op *op)
{
    op->dst = float_var(m);
    op->a = float_var(m);
    op->b = roll(m, 4) ? float_var(m) : op->a;
    op->c = float_var(m);
    op->flags = 0;
    switch (op->code) {
    case IR_fguard: op->imm = IR_FP_ON | IR_FP_ROUNDS; break;
    case IR_fma: op->imm = roll(m, 4); break;
    case IR_fset:
        op->cond = (const uint8_t[]){ IR_EQ, IR_LT, IR_LE }[roll(m, 3)];
        op->dst = target(m);
        op->flags = m->count && m->ops[m->count - 1].code == IR_fgetflags ? IR_QUIET : 0;
        break;
    case IR_fgetflags:
    case IR_fsetflags:
        op->a = source(m);
        op->dst = roll(m, 3) ? target(m) : (uint8_t)roll(m, BASE0);
        op->dst = roll(m, 4) || op->a >= BASE0 ? op->dst : op->a;
        break;
    case IR_fbits: op->dst = (uint8_t)roll(m, BASE0); break;
    case IR_ftoi:
        op->imm = roll(m, 2) ? 4 : 8;
        op->dst = target(m);
        break;
    case IR_fromi:
        op->imm = roll(m, 2) ? 4 : 8;
        op->flags = op->imm == 4 && roll(m, 2) ? IR_ZERO : 0;
        op->a = source(m);
        break;
    case IR_fmake: op->a = source(m); break;
    }
}

static void add(struct maker *m, enum ir_code code)
{
    struct ir_op op = { .code = (uint8_t)code, .site = m->count, .dst = IR_NONE };

    op.size = (uint8_t)size_of(m, code);
    op.flags = forms[code] & ZERO && roll(m, 2) ? IR_ZERO : 0;
    op.cond = (uint8_t)(forms[code] & COND ? roll(m, 8) : 0);
    if (op.size == 8 && code < IR_shadd)
        op.flags = 0;
    if (code < IR_load)
        integer_operands(m, &op);
    else if (code <= IR_clear)
        memory_operands(m, &op);
    else if (code != IR_fence && code != IR_call)
        float_operands(m, &op);
    if (ir_has(code, 'd') && op.dst >= IR_GLOBALS && op.dst != IR_NONE)
        m->written[op.dst - IR_GLOBALS] = true;
    m->ops[m->count++] = op;
}

/* A comparison is quiet behind a look at the flags. */
static void add_with_prefix(struct maker *m, enum ir_code code)
{
    if (code == IR_fset && roll(m, 2))
        add(m, IR_fgetflags);
    add(m, code);
}

static void make_block(struct maker *m, unsigned row)
{
    unsigned around = row < IR_frame ? roll(m, 4) : 1 + roll(m, OPS_MAX / 2 - 4);

    m->count = 0;
    memset(m->written, 0, sizeof m->written);
    for (unsigned i = 0; i < around; i++) {
        enum ir_code code = (enum ir_code)roll(m, IR_frame);
        if (jit_lab_has(m->lab, code))
            add_with_prefix(m, code);
    }
    if (row < IR_frame)
        add_with_prefix(m, (enum ir_code)row);
    if (row < IR_frame && roll(m, 2)) /* its result is used */
        add(m, row >= IR_fguard ? IR_fadd : IR_add);
}

unsigned jit_lab_ops(struct jit_lab *lab, uint64_t *random, struct ir_op *ops, unsigned count)
{
    struct maker m = { .lab = lab, .random = *random };

    for (unsigned i = 0; i < count && i < OPS_MAX; i++) {
        enum ir_code code = (enum ir_code)roll(&m, roll(&m, 4) ? IR_load : IR_frame);
        if (!roll(&m, 8))
            code = roll(&m, 2) ? IR_load : IR_store;
        if (jit_lab_has(lab, code))
            add(&m, code);
    }
    *random = m.random;
    memcpy(ops, m.ops, m.count * sizeof *ops);
    return m.count;
}

static void make_state(struct maker *m, struct lab_state *s, bool narrow)
{
    for (unsigned i = 0; i < LAB_X; i++)
        s->x[i] = value(m);
    for (unsigned i = 0; i < LAB_F; i++)
        s->f[i] = float_value(m);
    for (unsigned i = 0; i < sizeof s->memory; i += 8)
        put_le64(&s->memory[i], roll(m, 2) ? value(m) : float_value(m));
    s->x[BASE0] = LAB_BASE + LAB_PAGE + roll(m, 64);
    s->x[BASE1] = LAB_BASE + 2 * LAB_PAGE + (roll(m, LAB_PAGE) & -8u);
    if (narrow)
        s->x[BASE1] |= UINT64_C(0xabcd) << 32;
    s->flags = 0;
}

void jit_lab_state(struct jit_lab *lab, uint64_t *random, struct lab_state *s)
{
    struct maker m = { .lab = lab, .random = *random };

    make_state(&m, s, lab->layout.address_mask == UINT32_MAX);
    *random = m.random;
}

/* ---- running ---- */

__attribute__((format(printf, 3, 4))) static void say(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list ap;

    va_start(ap, format);
    vsnprintf(text + used, size - used, format, ap);
    va_end(ap);
}

bool jit_lab_same(struct lab_state *want, struct lab_state *got, char *text, size_t size)
{
    bool same = want->flags == got->flags && !memcmp(want->memory, got->memory, sizeof want->memory);

    if (want->flags != got->flags)
        say(text, size, "  flags: %#x, host code %#x\n", want->flags, got->flags);
    if (memcmp(want->memory, got->memory, sizeof want->memory))
        say(text, size, "  memory differs\n");
    for (unsigned v = 0; v < LAB_FLOAT + LAB_F; v++) {
        if (v == LAB_X)
            v = LAB_FLOAT;
        uint64_t w = *lab_var(want, v), g = *lab_var(got, v);
        same &= w == g;
        if (w != g)
            say(text, size, "  g%u: %#" PRIx64 ", host code %#" PRIx64 "\n", v, w, g);
    }
    return same;
}

struct jit_result jit_lab_run(struct jit_lab *lab, const struct ir_block *b)
{
    const void *code = jit_emit(lab->jit, b);

    if (!code) {
        jit_forget(lab->jit);
        code = jit_emit(lab->jit, b);
    }
    fpu_enter(lab->cpu.rounding, 0);
    struct jit_result r = jit_run(lab->jit, &lab->cpu, code);
    lab->cpu.s.flags = fpu_leave();
    return r;
}

void jit_lab_block(struct ir_block *b, const struct ir_op *ops, unsigned count, uint64_t end)
{
    ir_begin(b);
    ir_label(b, LAB_PC, 0, 1);
    for (unsigned i = 0; i < count; i++)
        ir_add(b, ops[i]);
    ir_add(b, (struct ir_op){ .code = IR_jump, .size = 8, .imm = (int64_t)end });
}

static bool one_case(struct maker *m, unsigned row, char *text, size_t size)
{
    struct jit_lab *lab = m->lab;
    struct ir_block plain = { .count = 0 }, built;
    struct lab_state want;
    uint32_t site;

    make_block(m, row);
    make_state(m, &want, lab->layout.address_mask == UINT32_MAX);
    memcpy(plain.ops, m->ops, sizeof m->ops);
    lab->cpu.s = want;
    lab->cpu.running = &plain;
    lab->cpu.budget = BUDGET;
    lab->cpu.rounding = (uint8_t)roll(m, 4);
    for (unsigned i = 0; i < m->count; i++)
        lab_eval(&want, &m->ops[i], lab->cpu.rounding, lab->layout.address_mask);
    jit_lab_block(&built, m->ops, m->count, LAB_PC + 64);
    struct jit_result r = jit_lab_run(lab, &built);
    *text = 0;
    bool same = jit_lab_same(&want, &lab->cpu.s, text, size);
    if (r.why != JIT_LINK || jit_link_target(lab->jit, r.what, &site) != LAB_PC + 64 || lab->cpu.budget != BUDGET - 1) {
        say(text, size, "  it ended with %u, budget %lld\n", r.why, (long long)lab->cpu.budget);
        same = false;
    }
    if (!same)
        ir_dump(&built, text + strlen(text), size - strlen(text));
    return same;
}

uint64_t jit_lab_check(struct jit_lab *lab, unsigned row, uint64_t cases, uint64_t seed, char *text, size_t size)
{
    struct maker m = { .lab = lab, .random = seed + row };
    char other[8192];
    uint64_t wrong = 0;

    *text = 0;
    for (uint64_t i = 0; i < cases; i++) {
        bool same = wrong ? one_case(&m, row, other, sizeof other) : one_case(&m, row, text, size);
        wrong += !same;
    }
    return wrong;
}
