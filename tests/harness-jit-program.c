/*
 * harness-jit-program.c - random RISC-V programs for the comparison of host code with the interpreter.
 *
 * A program is a loop over some dozen instructions taken from insns.def, with branches forwards, calls, code that
 * changes itself, and memory accesses around gp, of which many are misaligned or cross pages. Everything may trap:
 * the handler skips the instruction.
 */
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "harness-jit-cook-impl.h"
#include "harness.h"
#include "tlb.h"

enum kind { PLAIN, FLOATS, MEMORY, ATOMIC, BRANCH, JUMP, INDIRECT, CSR, OTHER, KINDS };

struct recipe {
    const struct rv_decoder *decoder;
    unsigned xlen;
    unsigned count[KINDS];
    struct dish {
        struct rv_insn row; /* with mask and match */
        const char *text;
    } dishes[KINDS][256];
};

/* ---- the rows ---- */

static bool has(const struct dish *d, char letter)
{
    return strchr(d->text, letter);
}

static bool starts(const char *name, const char *with)
{
    return !strncmp(name, with, strlen(with));
}

/* Rows that would stop the hart, or that programs make on purpose. */
static bool left_out(const char *name)
{
    static const char *const names[] = { "mret", "sret", "wfi", "wrs", "fence_i", "sinval", "hfence", "csr_" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (starts(name, names[i]))
            return true;
    }
    return false;
}

static enum kind kind_of(const struct dish *d)
{
    bool ends = d->row.flags & RV_ENDS;

    if (starts(d->row.name, "csr"))
        return CSR;
    if (ends && has(d, 'b'))
        return starts(d->row.name, "jal") || starts(d->row.name, "c_j") ? JUMP : BRANCH;
    if (ends && has(d, 's') && strstr(d->row.name, "j"))
        return INDIRECT;
    if (strstr(d->text, ",(s)"))
        return ATOMIC;
    if (strstr(d->text, "(s)"))
        return MEMORY;
    if (has(d, 'D') || has(d, 'S'))
        return FLOATS;
    return ends || !*d->text || !has(d, 'd') ? OTHER : PLAIN;
}

struct recipe *recipe_new(const struct rv_decoder *decoder, const struct rv_isa *isa)
{
    struct recipe *r = calloc(1, sizeof *r);
    size_t count;
    const struct rv_insn *rows = rv_insn_rows(&count);

    r->decoder = decoder;
    r->xlen = isa->xlen;
    for (size_t i = 0; i < count; i++) {
        struct dish d = { rows[i], rv_format_text(&rows[i]) };
        if (!(d.row.xlens & isa->xlen) || !rv_has(isa, d.row.ext) || !rv_has(isa, d.row.and_ext))
            continue;
        if (left_out(d.row.name) || d.row.fn == exec_illegal)
            continue;
        enum kind k = kind_of(&d);
        rv_picture(d.row.picture, &d.row.mask, &d.row.match);
        r->dishes[k][r->count[k]++] = d;
    }
    return r;
}

void recipe_free(struct recipe *r)
{
    free(r);
}

/* ---- random things ---- */

unsigned cook_roll(struct cook *c, unsigned n)
{
    return (unsigned)(harness_random(&c->random) % n);
}

static uint64_t number(struct cook *c)
{
    static const uint64_t special[] = { 0, 1, 2, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
                                        0x80000000, 0xffffffff, UINT64_C(0x100000000), UINT64_C(1) << 63, INT64_MAX,
                                        UINT64_MAX, UINT64_MAX - 1, UINT64_C(0xff00ff00ff00ff00), INT64_MIN + 1,
                                        UINT64_C(0xffffffff80000000) };
    uint64_t v = harness_random(&c->random);

    switch (cook_roll(c, 5)) {
    case 0: return v;
    case 1: return v >> cook_roll(c, 64);
    case 2: return PROGRAM_DATA + v % PROGRAM_DATA_BYTES;
    case 3: return special[cook_roll(c, ARRAY_LEN(special))] ^ UINT64_C(1) << cook_roll(c, 64);
    default: return special[cook_roll(c, ARRAY_LEN(special))];
    }
}

static uint64_t floating(struct cook *c)
{
    static const uint32_t singles[] = { 0, 0x80000000, 1, 0x7fffff, 0x800000, 0x3f800000, 0xbf800000, 0x3f7fffff,
                                        0x3f800001, 0x40490fdb, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
                                        0x7fa00001, 0x4f000000, 0xcf000000, 0x5f000000, 0xdf000000, 0x40200000,
                                        0xffc12345, 0x4effffff };
    static const uint64_t doubles[] = {
        0, UINT64_C(1) << 63, 1, 0xfffffffffffff, 0x3ff0000000000000, 0xbff0000000000000, 0x3fefffffffffffff,
        0x400921fb54442d18, 0x7fefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
        0x7ff4000000000001, 0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000100000, 0x43e0000000000000,
        0xc3e0000000000000, 0x4004000000000000, 0x36a0000000000000, 0x380fffffe0000000, 0x47efffffe8000000,
        0xfff8000000012345 };
    uint64_t v = harness_random(&c->random);

    switch (cook_roll(c, 8)) {
    case 0: return v;
    case 1: return doubles[cook_roll(c, ARRAY_LEN(doubles))] ^ UINT64_C(1) << cook_roll(c, 64);
    case 2:
    case 3: return doubles[cook_roll(c, ARRAY_LEN(doubles))];
    case 4: return v | UINT64_C(0xffffffff00000000);
    case 5: return singles[cook_roll(c, ARRAY_LEN(singles))]; /* not boxed */
    default: return singles[cook_roll(c, ARRAY_LEN(singles))] | UINT64_C(0xffffffff00000000);
    }
}

/* ---- instructions ---- */

void cook_put(struct cook *c, uint32_t bits)
{
    struct program *p = c->p;
    unsigned len = (bits & 3) == 3 ? 4 : 2;

    if (p->count + 1 >= PROGRAM_INSNS || p->bytes + 16 >= PROGRAM_CODE_BYTES) {
        c->full = true;
        return;
    }
    p->insn[p->count].at = (uint16_t)p->bytes;
    p->insn[p->count++].len = (uint8_t)len;
    put_le(&p->code[p->bytes], bits, len);
    p->bytes += len;
}

/* Three of four instructions round as frm says, as compiled code does. */
static uint32_t with_rounding(struct cook *c, const struct dish *d, uint32_t bits)
{
    if (!has(d, 'm') && !has(d, 'n'))
        return bits;
    bits |= 7 << 12;
    return cook_roll(c, 4) ? bits : bits & (~(7u << 12) | cook_roll(c, 8) << 12);
}

/* Random operands; gp and sp are seldom written. A few registers come up often, so that results are used. */
static uint32_t operands(struct cook *c, const struct dish *d)
{
    for (;;) {
        uint32_t v = (uint32_t)harness_random(&c->random);
        if (cook_roll(c, 3))
            v &= ~(UINT32_C(0x14) << 7 | UINT32_C(0x14) << 15 | UINT32_C(0x14) << 20 | UINT32_C(0x14) << 27);
        struct rv_op op;
        uint32_t bits = with_rounding(c, d, d->row.match | (v & ~d->row.mask));
        if (d->row.picture[0] && (d->row.match & 3) != 3)
            bits &= 0xffff;
        rv_decode(c->r->decoder, bits, &op);
        bool base = has(d, 'd') && (op.rd == 3 || op.rd == 2);
        if (op.fn == d->row.fn && (!base || !cook_roll(c, 40)))
            return bits;
    }
}

static const struct dish *any(struct cook *c, enum kind k)
{
    return &c->r->dishes[k][cook_roll(c, c->r->count[k])];
}

static uint32_t field(uint32_t bits, unsigned shift, unsigned width, uint32_t value)
{
    uint32_t mask = ((1u << width) - 1) << shift;

    return (bits & ~mask) | (value << shift & mask);
}

static int near_gp(struct cook *c)
{
    int at = (int)cook_roll(c, 4096) - 2048;

    switch (cook_roll(c, 4)) {
    case 0: return at;
    case 1: return (int)cook_roll(c, 32) - 16; /* around a page's end */
    default: return at & -8;
    }
}

static void memory(struct cook *c)
{
    const struct dish *d = any(c, MEMORY);
    uint32_t bits = operands(c, d);
    unsigned base = cook_roll(c, 2) ? 3 : 8 + cook_roll(c, 8);
    int at = near_gp(c);

    if ((bits & 3) == 0) {
        base |= 8;
        bits = field(bits, 7, 3, base);
    } else if ((bits & 3) == 3 && cook_roll(c, 20)) {
        bits = field(bits, 15, 5, base);
    }
    if ((bits & 3) != 2 && base != 3 && cook_roll(c, 3))
        cook_put(c, asm_addi(base, 3, at));
    else if ((bits & 3) != 2 && base != 3) /* around the end of what may be written */
        cook_put(c, asm_addi(base, 2, (int)(PROGRAM_DATA + 0x2000 - PROGRAM_SP) + (int)cook_roll(c, 32) - 24));
    else if ((bits & 3) == 3 && strstr(d->text, "i(s)") && !has(d, 't') && !has(d, 'T'))
        bits = field(bits, 20, 12, (uint32_t)at);
    if ((bits & 3) == 3 && base != 3 && !has(d, 't') && !has(d, 'T') && strstr(d->text, "i(s)"))
        bits = field(bits, 20, 12, (uint32_t)(int)(cook_roll(c, 64) - 32u));
    cook_put(c, bits);
}

static void atomic(struct cook *c)
{
    const struct dish *d = any(c, ATOMIC);
    unsigned base = 8 + cook_roll(c, 8);
    int at = near_gp(c);

    cook_put(c, asm_addi(base, 3, cook_roll(c, 8) ? at & -8 : at));
    cook_put(c, field(operands(c, d), 15, 5, base));
    if (starts(d->row.name, "lr_"))
        cook_put(c, field(field(operands(c, any(c, ATOMIC)), 15, 5, base), 7, 5, 5 + cook_roll(c, 3)));
}

static void note_jump(struct cook *c)
{
    if (c->full)
        return;
    c->jumps[c->jump_count].insn = c->p->count - 1;
    c->jumps[c->jump_count++].skip = 1 + cook_roll(c, 5);
}

static void jump(struct cook *c, enum kind k)
{
    cook_put(c, operands(c, any(c, k)));
    note_jump(c);
}

/* A base by auipc, then a jump a few instructions on. */
static void indirect(struct cook *c)
{
    const struct dish *d = any(c, INDIRECT);
    unsigned base = 8 + cook_roll(c, 8), shift = (d->row.match & 3) == 3 ? 15 : 7;
    uint32_t bits = field(operands(c, d), shift, 5, base);

    cook_put(c, asm_auipc(base, 0));
    cook_put(c, asm_addi(base, base, shift == 15 ? 12 : 10));
    if (shift == 15)
        bits = field(bits, 20, 12, cook_roll(c, 2));
    cook_put(c, bits);
    cook_put(c, ASM_NOP);
}

static void csr(struct cook *c)
{
    /* fflags, frm, fcsr, instret, cycle; mstatus for FS */
    static const uint16_t numbers[] = { 1, 1, 2, 2, 3, 0xc02, 0xc00, 0x300 };
    unsigned number_ = numbers[cook_roll(c, ARRAY_LEN(numbers))];

    if (number_ == 0x300) {
        cook_put(c, asm_lui(5, 2u << cook_roll(c, 2)));
        cook_put(c, asm_csr(cook_roll(c, 4) ? CSRRS : CSRRC, cook_roll(c, 2) ? 0 : 6, cook_roll(c, 2) ? 0x100 : 0x300,
                            5));
        return;
    }
    uint32_t bits = field(operands(c, any(c, CSR)), 20, 12, number_);
    if (number_ == 2 && cook_roll(c, 3))
        bits = asm_csr(CSRRWI, 0, 2, cook_roll(c, 5));
    cook_put(c, bits);
}

static bool is_comparison(const char *name)
{
    return starts(name, "flt") || starts(name, "fle") || starts(name, "feq");
}

/* What compilers do for a comparison that must be quiet, or nearly so: flags read, an instruction, flags put back, a
 * branch on the result. */
static void wrapped(struct cook *c)
{
    unsigned r = 8 + cook_roll(c, 4);
    const struct dish *d = any(c, FLOATS);

    while (!is_comparison(d->row.name) && cook_roll(c, 64))
        d = any(c, FLOATS);
    if (cook_roll(c, 4)) /* something to put back */
        cook_put(c, operands(c, any(c, FLOATS)));
    if (cook_roll(c, 4))
        cook_put(c, asm_csr(CSRRS, r, 1, 0));
    uint32_t compare = operands(c, d);
    cook_put(c, compare);
    if (!cook_roll(c, 8))
        cook_put(c, operands(c, any(c, cook_roll(c, 2) ? PLAIN : FLOATS)));
    unsigned from = cook_roll(c, 8) ? r : 8 + cook_roll(c, 4);
    if (cook_roll(c, 4))
        cook_put(c, asm_csr(CSRRW, cook_roll(c, 4) ? 0 : 8 + cook_roll(c, 4), 1, from));
    if (cook_roll(c, 2)) { /* beqz or bnez of the result */
        cook_put(c, asm_branch(cook_roll(c, 2), compare >> 7 & 31, 0, 0));
        note_jump(c);
    }
}

/* Swaps an instruction with another one that waits in memory, and runs it. */
static void rewrite(struct cook *c)
{
    int at = (int)cook_roll(c, 256) * 4;

    for (int i = 0; i < 2; i++) { /* both have to be there: the pool is data */
        uint32_t *word = (uint32_t *)(void *)((uint8_t *)c->p->data + (PROGRAM_GP - PROGRAM_DATA)) + at / 4 + i;
        *word = (operands(c, any(c, cook_roll(c, 2) ? PLAIN : FLOATS)));
        if ((*word & 3) != 3)
            *word = *word | 1u << 16; /* and c.nop */
    }
    cook_put(c, asm_load(LW, 5, 3, at));
    cook_put(c, asm_load(LW, 6, 3, at + 4));
    cook_put(c, asm_store(SW, 5, 3, at + 4));
    cook_put(c, asm_store(SW, 6, 3, at));
    cook_put(c, asm_auipc(6, 0));
    cook_put(c, asm_store(SW, 5, 6, 12));
    cook_put(c, ASM_FENCE_I);
    cook_put(c, ASM_NOP);
}

static void item(struct cook *c, unsigned control)
{
    c->items[c->item_count++] = c->p->count;
    if (cook_roll(c, 100) < control) {
        switch (cook_roll(c, 18)) {
        case 0: cook_put(c, operands(c, any(c, OTHER))); return;
        case 1: rewrite(c); return;
        case 2:
        case 3: indirect(c); return;
        case 4:
        case 5: csr(c); return;
        case 6:
        case 7: jump(c, JUMP); return;
        case 8:
        case 9: cook_privileged(c); return;
        default: jump(c, BRANCH); return;
        }
    }
    switch (cook_roll(c, 13)) {
    case 12: wrapped(c); return;
    case 0:
    case 1:
    case 2:
    case 3: cook_put(c, operands(c, any(c, PLAIN))); return;
    case 4:
    case 5:
    case 6:
    case 7: cook_put(c, operands(c, any(c, FLOATS))); return;
    case 8: atomic(c); return;
    default: memory(c); return;
    }
}

/* ---- programs ---- */

/* Puts slices {from, length, to} of the distance into the bits. */
static uint32_t aimed(uint32_t bits, const char *text, int distance)
{
    static const uint8_t b[][3] = { { 1, 4, 8 }, { 5, 6, 25 }, { 11, 1, 7 }, { 12, 1, 31 }, { 0 } };
    static const uint8_t j[][3] = { { 1, 10, 21 }, { 11, 1, 20 }, { 12, 8, 12 }, { 20, 1, 31 }, { 0 } };
    static const uint8_t cb[][3] = { { 1, 2, 3 }, { 3, 2, 10 }, { 5, 1, 2 }, { 6, 2, 5 }, { 8, 1, 12 }, { 0 } };
    static const uint8_t cj[][3] = { { 1, 3, 3 },  { 4, 1, 11 }, { 5, 1, 2 },  { 6, 1, 7 }, { 7, 1, 6 },
                                     { 8, 2, 9 }, { 10, 1, 8 }, { 11, 1, 12 }, { 0 } };
    bool is_long = (bits & 3) == 3, compares = strchr(text, 's');
    const uint8_t(*s)[3] = is_long ? (compares ? b : j) : (compares ? cb : cj);

    for (; (*s)[1]; s++)
        bits = field(bits, (*s)[2], (*s)[1], (uint32_t)distance >> (*s)[0]);
    return bits;
}

static void aim(struct cook *c, unsigned insn, unsigned target)
{
    struct program *p = c->p;
    unsigned at = p->insn[insn].at, len = p->insn[insn].len;
    uint32_t bits = (uint32_t)get_le(&p->code[at], len);
    const struct rv_insn *row = rv_lookup(c->r->decoder, bits);

    put_le(&p->code[at], aimed(bits, rv_format_text(row), (int)target - (int)at), len);
}

static void aim_all(struct cook *c)
{
    for (unsigned i = 0; i < c->jump_count; i++) {
        unsigned from = 0;
        while (from + 1 < c->item_count && c->items[from + 1] <= c->jumps[i].insn)
            from++;
        unsigned to = from + c->jumps[i].skip;
        aim(c, c->jumps[i].insn, to < c->item_count ? c->p->insn[c->items[to]].at : c->p->bytes);
    }
}

static void make_state(struct cook *c)
{
    struct program *p = c->p;

    for (unsigned i = 0; i < 32; i++) {
        p->x[i] = c->r->xlen == 32 ? (uint64_t)(int64_t)(int32_t)number(c) : number(c);
        p->f[i] = floating(c);
    }
    p->x[0] = 0;
    p->x[3] = (uint64_t)sext(PROGRAM_GP, c->r->xlen);
    p->x[2] = (uint64_t)sext(PROGRAM_SP, c->r->xlen);
    for (unsigned i = 0; i < PROGRAM_DATA_BYTES / 8; i++)
        p->data[i] = cook_roll(c, 2) ? floating(c) : number(c);
    p->priv = (uint8_t[]){ PRIV_M, PRIV_S, PRIV_U }[cook_roll(c, 3)];
    p->xlen = (uint8_t)c->r->xlen;
    p->paged = cook_roll(c, 3); /* M may borrow the view of S */
    p->alias = p->paged && p->priv != PRIV_M && cook_roll(c, 2);
    p->levels = (uint8_t)(p->xlen == 32 ? 2 : 3 + cook_roll(c, 3));
    p->adue = cook_roll(c, 2);
    for (unsigned i = 0; i < ARRAY_LEN(p->lost); i++)
        p->lost[i] = (uint8_t[]){ 0, 0, 0x40, 0x80, 0xc0 }[cook_roll(c, 5)];
    p->frm = (uint8_t)(cook_roll(c, 3) ? cook_roll(c, 5) : 0);
    p->fflags = (uint8_t)(cook_roll(c, 2) ? cook_roll(c, 32) : 0);
    p->fs = (uint8_t)(cook_roll(c, 6) ? 3 : cook_roll(c, 4));
    for (unsigned i = 0; i < PROGRAM_RUNS; i++)
        p->runs[i] = cook_roll(c, 3) ? 1 + cook_roll(c, 500) : 1 + cook_roll(c, 20);
}

void program_make(struct program *p, const struct recipe *r, uint64_t seed)
{
    struct cook c = { .p = p, .r = r, .random = seed };

    p->count = p->bytes = 0;
    make_state(&c);
    unsigned items = 3 + cook_roll(&c, 60), control = (const uint8_t[]){ 3, 10, 30 }[cook_roll(&c, 3)];
    if (!cook_roll(&c, 4)) { /* across two pages */
        unsigned origin = PAGE_SIZE - 2 * cook_roll(&c, 80);
        cook_put(&c, asm_jal(0, (int)origin));
        p->bytes = origin;
    }
    for (unsigned i = 0; i < items && !c.full; i++)
        item(&c, control);
    c.full = false;
    aim_all(&c);
    p->insn[p->count].at = (uint16_t)p->bytes;
    p->insn[p->count++].len = 4;
    put_le(&p->code[p->bytes], asm_jal(0, -(int)p->bytes), 4);
    p->bytes += 4;
}

void program_handler(struct rig *r, uint64_t *start)
{
    enum { MSCRATCH = 0x340, MEPC, MCAUSE, X4 = 4, X5 };
    const uint32_t words[] = {
        asm_csr(CSRRW, 0, MSCRATCH, X5),
        asm_csr(CSRRS, X5, MCAUSE, 0),
        asm_branch(0, X5, 0, 15 * 4), /* a wild jump: to `again` */
        asm_addi(X5, X5, -1),
        asm_branch(0, X5, 0, 13 * 4),
        asm_addi(X5, X5, -11),
        asm_branch(0, X5, 0, 11 * 4),
        asm_csr(CSRRS, X4, MEPC, 0),
        asm_load(LHU, X5, X4, 0),
        asm_i(0x13, 7, X5, X5, 3),
        asm_addi(X5, X5, -3),
        asm_i(0x13, 3, X5, X5, 1), /* sltiu: 1 when it was 3 */
        asm_i(0x13, 1, X5, X5, 1),
        asm_addi(X5, X5, 2),
        asm_add(X4, X4, X5),
        asm_jal(0, 6 * 4),
        ASM_NOP,
        /* again: */
        asm_auipc(3, 5), /* gp */
        asm_addi(3, 3, -17 * 4),
        asm_auipc(X4, 2),
        asm_addi(X4, X4, -19 * 4),
        asm_csr(CSRRW, 0, MEPC, X4),
        asm_csr(CSRRS, X5, MSCRATCH, 0),
        ASM_MRET,
        /* start: */
        ASM_FENCE_I,
        asm_jal(0, (int)(PROGRAM_CODE - RIG_HANDLER) - 25 * 4),
    };

    rig_words(r, RIG_HANDLER, words, sizeof words / sizeof words[0]);
    *start = RIG_HANDLER + 24 * 4;
}
