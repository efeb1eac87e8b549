/* harness-jit-pair.c - random programs on two machines, one of which translates; see harness-jit.h. */
#include "harness-jit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness-jit-impl.h"
#include "mem.h"
#include "native-stats.h"

enum { RESET_EVERY = 64 };

struct jit_pair {
    struct rig *rig[2]; /* interpreter, host code */
    struct recipe *recipe;
    uint64_t start;
    struct program program;
    unsigned programs;
    uint64_t insns, traps;
};

static struct rv *hart_of(const struct jit_pair *p, unsigned side)
{
    return (struct rv *)rig_hart(p->rig[side], 0);
}

/* ---- page tables: two, for U and S, that map the first pages of RAM where they are, and once more behind ---- */

enum { V = 1, R = 2, W = 4, X = 8, USER = 16, A = 64, D = 128 };

static uint64_t leaf(const struct program *prog, unsigned page, bool user)
{
    static const unsigned data = (PROGRAM_DATA - RIG_RAM) >> PAGE_BITS;
    uint64_t flags = V | R | W | X | A | D | (user ? USER : 0);

    page %= PROGRAM_PAGES;
    if (page - data < sizeof prog->lost)
        flags &= ~(uint64_t)prog->lost[page - data];
    if (page == data + 2)
        flags &= ~(uint64_t)(W | D);
    if (page == data + 3)
        flags &= ~(uint64_t)V;
    return ((RIG_RAM >> PAGE_BITS) + page) << 10 | flags;
}

/* The tables of a mode follow each other, the root first. */
static uint64_t make_tables(struct rig *r, const struct program *prog, bool user)
{
    unsigned width = prog->xlen / 8, bits = width == 8 ? 9 : 10;
    uint64_t table = PROGRAM_PTES(user);

    for (unsigned i = 0; i < 2 * PROGRAM_PAGES; i++)
        rig_poke(r, table + i * width, leaf(prog, i, user), width);
    for (unsigned level = 1; level < prog->levels; level++) {
        table -= PAGE_SIZE;
        uint64_t index = RIG_RAM >> (PAGE_BITS + level * bits) & ((1u << bits) - 1);
        rig_poke(r, table + index * width, (table + PAGE_SIZE) >> 2 | V, width);
    }
    return table >> PAGE_BITS | (width == 8 ? (5 + (uint64_t)prog->levels) << 60 : UINT64_C(1) << 31);
}

/* ---- making and unmaking ---- */

struct jit_pair *jit_pair_new(unsigned xlen, const char *cpu, unsigned harts)
{
    struct jit_pair *p = calloc(1, sizeof *p);

    p->rig[0] = rig_new(xlen, cpu, harts);
    p->rig[1] = rig_new_jit(xlen, cpu, harts);
    if (!p->rig[0] || !p->rig[1]) {
        jit_pair_free(p);
        return NULL;
    }
    for (unsigned i = 0; i < 2; i++)
        program_handler(p->rig[i], &p->start);
    p->recipe = recipe_new(hart_of(p, 0)->decoder, &hart_of(p, 0)->isa);
    return p;
}

void jit_pair_free(struct jit_pair *p)
{
    rig_free(p->rig[0]);
    rig_free(p->rig[1]);
    recipe_free(p->recipe);
    free(p);
}

void jit_pair_counts(const struct jit_pair *p, uint64_t *blocks, uint64_t *insns, uint64_t *traps)
{
    *blocks = hart_of(p, 1)->stats->blocks;
    *insns = p->insns;
    *traps = p->traps;
}

/* ---- running ---- */

static void load_program(struct jit_pair *p, unsigned side)
{
    const struct program *prog = &p->program;
    struct rv *cpu = hart_of(p, side);
    struct rig *r = p->rig[side];

    rig_prepare(r, 0);
    program_handler(r, &p->start);
    memset(rig_ram(r) + (PROGRAM_CODE - RIG_RAM), 0, PROGRAM_CODE_BYTES);
    memcpy(rig_ram(r) + (PROGRAM_CODE - RIG_RAM), prog->code, prog->bytes);
    memcpy(rig_ram(r) + (PROGRAM_DATA - RIG_RAM), prog->data, PROGRAM_DATA_BYTES);
    memset(rig_ram(r) + (PROGRAM_TABLES - RIG_RAM), 0, 10 * PAGE_SIZE);
    uint64_t satp = make_tables(r, prog, false), user = make_tables(r, prog, true);
    rig_set(r, 0, prog->xlen == 64 ? "menvcfg" : "menvcfgh", (uint64_t)prog->adue << (prog->xlen == 64 ? 61 : 29));
    rig_set(r, 0, "mcounteren", 7);
    rig_set(r, 0, "scounteren", 7);
    rig_set(r, 0, "satp", !prog->paged ? 0 : prog->priv == PRIV_U ? user : satp);
    rig_set(r, 0, "mstatus", (uint64_t)prog->fs << 13);
    memcpy(cpu->x, prog->x, sizeof prog->x);
    memcpy(cpu->f, prog->f, sizeof prog->f);
    cpu->frm = prog->frm;
    cpu->fflags = prog->fflags;
    rig_set(r, 0, "priv", prog->priv);
    rig_set(r, 0, "pc", p->start + (prog->alias ? PROGRAM_PAGES * PAGE_SIZE : 0));
}

__attribute__((format(printf, 3, 4))) static void say(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list ap;

    va_start(ap, format);
    vsnprintf(text + used, size - used, format, ap);
    va_end(ap);
}

static bool same_registers(struct jit_pair *p, char *text, size_t size)
{
    size_t count, size0, size1;

    for (unsigned i = 0; i < 2; i++)
        hart_of(p, i)->x[RV_SINK] = 0; /* host code leaves it out */
    uint8_t *a = rig_save(p->rig[0], 0, &size0), *b = rig_save(p->rig[1], 0, &size1);
    bool same = size0 == size1 && !memcmp(a, b, size0);
    free(a);
    free(b);
    if (same)
        return true;
    struct cpu *c0 = rig_hart(p->rig[0], 0), *c1 = rig_hart(p->rig[1], 0);
    const struct cpu_reg *regs = c0->ops->registers(c0, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t v = c0->ops->get_register(c0, regs[i].id), w = c1->ops->get_register(c1, regs[i].id);
        if (v != w)
            say(text, size, "  %s: interpreter %#llx, host code %#llx\n", regs[i].name, (unsigned long long)v,
                (unsigned long long)w);
    }
    say(text, size, "  retired: interpreter %llu, host code %llu\n", (unsigned long long)rig_retired(p->rig[0], 0),
        (unsigned long long)rig_retired(p->rig[1], 0));
    return false;
}

static bool same_memory(struct jit_pair *p, size_t bytes, char *text, size_t size)
{
    const uint8_t *a = rig_ram(p->rig[0]), *b = rig_ram(p->rig[1]);

    if (!memcmp(a, b, bytes))
        return true;
    for (size_t i = 0; i < bytes; i += 8) {
        if (memcmp(a + i, b + i, 8)) {
            say(text, size, "  memory at %#llx: interpreter %#llx, host code %#llx\n",
                (unsigned long long)(RIG_RAM + i),
                (unsigned long long)rig_peek(p->rig[0], RIG_RAM + i, 8),
                (unsigned long long)rig_peek(p->rig[1], RIG_RAM + i, 8));
            break;
        }
    }
    return false;
}

/* Runs p->program on both machines; what they differ in goes to `text`. */
static bool agrees(struct jit_pair *p, char *text, size_t size)
{
    *text = 0;
    for (unsigned i = 0; i < 2; i++)
        load_program(p, i);
    for (unsigned i = 0; i < PROGRAM_RUNS; i++) {
        int why = rig_run(p->rig[0], 0, p->program.runs[i]), why1 = rig_run(p->rig[1], 0, p->program.runs[i]);
        if (why != why1)
            say(text, size, "  the interpreter ended with %d, host code with %d\n", why, why1);
        bool same = same_registers(p, text, size);
        same &= same_memory(p, PROGRAM_PAGES * PAGE_SIZE, text, size);
        if (!same || why != why1) {
            say(text, size, "  after run %u of %u instructions\n", i, p->program.runs[i]);
            return false;
        }
        if (why == RIG_IDLE)
            break;
    }
    p->insns += rig_retired(p->rig[1], 0);
    p->traps += hart_of(p, 1)->traps;
    return true;
}

/* ---- a shorter program with a difference ---- */

static void nop_out(struct program *prog, unsigned i)
{
    uint32_t nop = prog->insn[i].len == 4 ? ASM_NOP : ASM_C_NOP;

    put_le(&prog->code[prog->insn[i].at], nop, prog->insn[i].len);
}

static bool is_nop(const struct program *prog, unsigned i)
{
    uint64_t bits = get_le(&prog->code[prog->insn[i].at], prog->insn[i].len);

    return bits == (prog->insn[i].len == 4 ? ASM_NOP : ASM_C_NOP);
}

static void shorten(struct jit_pair *p)
{
    char text[4096];

    for (unsigned i = 0; i + 1 < p->program.count; i++) {
        uint8_t old[4];
        uint8_t *at = &p->program.code[p->program.insn[i].at];
        memcpy(old, at, 4);
        if (is_nop(&p->program, i))
            continue;
        nop_out(&p->program, i);
        if (agrees(p, text, sizeof text))
            memcpy(at, old, 4);
    }
}

static void print_program(struct jit_pair *p, char *text, size_t size)
{
    const struct program *prog = &p->program;

    say(text, size, "  priv %u%s, %u levels, mstatus.FS %u, frm %u\n", prog->priv, prog->paged ? ", pages" : "",
        prog->levels, prog->fs, prog->frm);
    for (unsigned i = 0; i < prog->count; i++) {
        char line[96];
        uint64_t pc = PROGRAM_CODE + prog->insn[i].at;
        uint32_t raw = (uint32_t)get_le(&prog->code[prog->insn[i].at], prog->insn[i].len);
        if (is_nop(prog, i))
            continue;
        rv_disasm(hart_of(p, 0)->decoder, pc, raw, line, sizeof line);
        say(text, size, "  %#llx: %08x  %s\n", (unsigned long long)pc, raw, line);
    }
}

bool jit_pair_agrees(struct jit_pair *p, uint64_t seed, char *text, size_t size)
{
    program_make(&p->program, p->recipe, seed);
    if (agrees(p, text, size)) {
        bool all = ++p->programs % RESET_EVERY == 0;
        return !all || same_memory(p, RIG_RAM_SIZE, text, size);
    }
    shorten(p);
    if (agrees(p, text, size))
        say(text, size, "  only when run after other programs\n");
    print_program(p, text, size);
    return false;
}
