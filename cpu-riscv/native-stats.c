/* native-stats.c - see native-stats.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "native-stats.h"

#include "alloc.h"
#include "clock.h"
#include "csr.h"
#include "decode.h"
#include "inspect.h"
#include "jit-config.h"

enum { TOP = 10, OPCODE_SYSTEM = 0x73 };

struct rv_stats *rv_stats_new(const struct jit_config *tuning)
{
    struct rv_stats *s = alloc_zeroed(sizeof *s);

    s->names = (struct jit_names){ .perf = tuning->perf_map, .gdb = tuning->gdb };
    if (tuning->stats) {
        s->called = alloc_zeroed(sizeof *s->called);
        s->left = alloc_zeroed(sizeof *s->left);
    }
    return s;
}

void rv_stats_free(struct rv_stats *s)
{
    if (!s)
        return;
    jit_names_forget(&s->names);
    free(s->called);
    free(s->left);
    free(s);
}

bool rv_stats_wanted(struct rv_stats *s, const struct jit_config *tuning)
{
    s->number++;
    return s->number >= tuning->first && s->number <= tuning->last;
}

uint64_t rv_stats_now(const struct rv_stats *s)
{
    return s->called ? clock_thread() : clock_host();
}

unsigned rv_stats_insns(const struct ir_block *ir)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ir->label_count; i++)
        n += ir->labels[i].insns;
    return n;
}

void rv_stats_translated(struct rv_stats *s, const struct jit *j, const struct ir_block *ir, uint64_t since)
{
    struct jit_code code = jit_last(j);

    s->translate_ns += rv_stats_now(s) - since;
    s->blocks++;
    s->insns += rv_stats_insns(ir);
    s->ops += ir->count;
    s->bytes += code.hot_bytes;
    s->cold_bytes += code.cold_bytes;
}

/* ---- by instruction ---- */

/* The CSR that is accessed, or 0: funct3 0 and 4 are other instructions. */
static uint32_t csr_of(const struct rv_op *op)
{
    return op->len == 4 && (op->raw & 0x7f) == OPCODE_SYSTEM && (op->raw >> 12 & 3) ? op->raw >> 20 : 0;
}

void rv_tally(struct rv_tallies *t, const struct rv_op *op, rv_handler *fn)
{
    uint32_t csr = csr_of(op);
    uint32_t hash = ((uint32_t)((uintptr_t)fn >> 4) + csr) * UINT32_C(0x9e3779b1) >> 16;

    for (unsigned i = 0; i < RV_TALLIES; i++) {
        struct rv_tally *row = &t->rows[(hash + i) % RV_TALLIES];
        if (!row->fn)
            *row = (struct rv_tally){ fn, csr, op->raw, 0 };
        if (row->fn != fn || row->csr != csr)
            continue;
        row->count++;
        return;
    }
    t->lost++;
}

static int by_count(const void *a, const void *b)
{
    const struct rv_tally *x = a, *y = b;

    return (x->count < y->count) - (x->count > y->count);
}

static void print_name(const struct rv *cpu, const struct rv_tally *t, FILE *out)
{
    const struct rv_insn *row = rv_lookup(cpu->decoder, t->raw);
    char name[32];

    for (const char *p = row ? row->name : "illegal"; *p; p++)
        fputc(*p == '_' ? '.' : *p, out);
    if (t->csr && rv_csr_name(t->csr, name))
        fprintf(out, " %s", name);
    else if (t->csr)
        fprintf(out, " 0x%x", t->csr);
}

static void print_tallies(const struct rv *cpu, const char *what, const struct rv_tallies *t, FILE *out)
{
    struct rv_tallies *sorted = alloc_copy(t, sizeof *t);
    unsigned kinds = 0;

    qsort(sorted->rows, RV_TALLIES, sizeof sorted->rows[0], by_count);
    while (kinds < RV_TALLIES && sorted->rows[kinds].count)
        kinds++;
    fprintf(out, "  %s, by instruction:\n", what);
    for (unsigned i = 0; i < kinds && i < TOP; i++) {
        fprintf(out, "    %12" PRIu64 "  ", sorted->rows[i].count);
        print_name(cpu, &sorted->rows[i], out);
        fprintf(out, "\n");
    }
    if (kinds > TOP)
        fprintf(out, "    and %u kinds more\n", kinds - TOP);
    free(sorted);
}

/* ---- in all ---- */

static double per(uint64_t n, uint64_t of)
{
    return of ? (double)n / (double)of : 0;
}

static void print_translation(const struct rv_stats *s, FILE *out)
{
    fprintf(out,
            "  translated:   %" PRIu32 " blocks of %" PRIu64 " instructions into %" PRIu64 " IR operations and %" PRIu64
            " bytes\n",
            s->blocks, s->insns, s->ops, s->bytes + s->cold_bytes);
    fprintf(out, "                %.2f IR operations and %.1f bytes an instruction, and %.1f out of the way\n",
            per(s->ops, s->insns), per(s->bytes, s->insns), per(s->cold_bytes, s->insns));
    fprintf(out, "                in %.3f s: %.2f million instructions a second\n", (double)s->translate_ns / 1e9,
            per(s->insns * 1000, s->translate_ns));
    fprintf(out, "                %" PRIu64 " jumps linked; %" PRIu64 " blocks kept by the interpreter;", s->links,
            s->kept);
    fprintf(out, " all forgotten %" PRIu64 " times\n", s->forgotten);
}

static void print_events(const struct rv_stats *s, const struct rv_counts *c, uint64_t retired, FILE *out)
{
    const struct {
        const char *what;
        uint64_t count;
    } rows[] = {
        { "slow loads", s->loads },
        { "slow stores", s->stores },
        { "of both, misaligned", s->misaligned },
        { "page walks", c->walks },
        { "accesses to devices", c->devices },
        { "instructions that called the interpreter's handler", s->calls },
        { "and of those that end a block", s->systems },
        { "looks for a page of several accesses", s->touches },
        { "entries into host code", s->enters },
        { "exits: jump cache miss, or no host code there", s->exits[JIT_NEXT] },
        { "exits: jump not linked", s->exits[JIT_LINK] },
        { "exits: instruction left to the interpreter", s->exits[JIT_SITE] },
        { "exits: budget used up", s->exits[JIT_BUDGET] },
        { "exits: exception in a load, store or call",
          s->enters - s->exits[JIT_NEXT] - s->exits[JIT_LINK] - s->exits[JIT_SITE] - s->exits[JIT_BUDGET] },
        { "run loop: jump cache misses", c->jump_misses },
        { "run loop: blocks looked up or decoded", c->lookups },
    };

    fprintf(out, "  %12s  per 1000 of %" PRIu64 " instructions executed\n", "count", retired);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        fprintf(out, "  %12" PRIu64 "  %8.3f  %s\n", rows[i].count, 1000 * per(rows[i].count, retired), rows[i].what);
}

void rv_stats_print(struct rv *cpu, FILE *out)
{
    const struct rv_stats *s = cpu->stats;

    fprintf(out, "JIT of hart %u\n", cpu->cpu.index);
    print_translation(s, out);
    print_events(s, &cpu->counts, cpu->retired, out);
    if (!s->called)
        return;
    print_tallies(cpu, "calls of a handler", s->called, out);
    print_tallies(cpu, "left to the interpreter", s->left, out);
}

bool rv_inspect_jit(struct cpu *c, FILE *out)
{
    struct rv *cpu = (struct rv *)c;

    if (!cpu->jit)
        return false;
    rv_stats_print(cpu, out);
    return true;
}
