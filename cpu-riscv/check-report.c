/*
 * check-report.c - what -accel check says when host code and the interpreter differ: the slice is made shorter as long
 * as they do, which leads to the block, then guest code, IR, and the state before and after both.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "check.h"
#include "decode.h"

enum { TEXT_MAX = 64 << 10, WORDS_SHOWN = 16 };

struct report {
    struct rv *cpu;
    struct rv before; /* at the start of the block */
    const struct rv_block *block;
    uint64_t pc;
    size_t used;
    char *text;
};

__attribute__((format(printf, 2, 3))) static void say(struct report *r, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    int n = vsnprintf(r->text + r->used, TEXT_MAX - r->used, format, ap);
    va_end(ap);
    r->used += n > 0 ? (size_t)n : 0;
    if (r->used >= TEXT_MAX)
        r->used = TEXT_MAX - 1;
}

/* ---- from the slice to the block ---- */

static int64_t shortest(struct rv *cpu, int64_t n)
{
    int64_t same = 0;

    while (n - same > 1) {
        int64_t middle = same + (n - same) / 2;
        if (check_both(cpu, middle))
            same = middle;
        else
            n = middle;
    }
    return n;
}

/* How far the interpreter gets. */
static uint64_t advance(struct rv *cpu, int64_t n)
{
    check_undo(cpu);
    cpu->check->page_count = 0;
    if (n)
        check_interpret(cpu, n);
    return check_spent(cpu);
}

/* The last block that runs within n instructions, and the state before it. */
static void find_block(struct report *r, int64_t n)
{
    uint64_t end = advance(r->cpu, n);

    r->block = r->cpu->block;
    r->pc = r->cpu->block_pc;
    while (n && advance(r->cpu, --n) == end)
        ;
    memcpy(&r->before, r->cpu, sizeof r->before);
}

/* ---- its parts ---- */

static void say_code(struct report *r)
{
    const struct rv_block *b = r->block;
    char line[96];

    say(r, "\nguest code (%s):\n", !b->page ? "one instruction, interpreted"
        : b->entry == jit_exit_code(r->cpu->jit) ? "interpreted" : "host code");
    for (unsigned i = 0; i < b->count; i++) {
        const struct rv_op *op = &b->ops[i];
        rv_disasm(r->cpu->decoder, r->pc + op->off, op->raw, line, sizeof line);
        say(r, "  %#llx:  %0*x  %s\n", (unsigned long long)(r->pc + op->off), op->len * 2, op->raw, line);
    }
}

static void say_ir(struct report *r)
{
    struct rv_block *b = (struct rv_block *)(uintptr_t)r->block;
    struct ir_block *ir = alloc_zeroed(sizeof *ir);

    if (b->page && rv_translate(r->cpu, &(struct rv_region){ 1, { b } }, ir)) {
        say(r, "\nIR%s:\n", b->in_loop ? " (of this block; its host code is that of a whole loop)" : "");
        r->used += ir_dump(ir, r->text + r->used, TEXT_MAX - r->used);
    }
    free(ir);
}

static void say_fields(struct report *r, const struct state_field *fields, bool only_different)
{
    const struct rv *end = &r->cpu->check->end;

    for (const struct state_field *f = fields; f->count; f++) {
        for (uint32_t i = 0; i < f->count; i++) {
            uint64_t before = state_get(f, &r->before, i), a = state_get(f, end, i), b = state_get(f, r->cpu, i);
            char name[48];
            if (only_different ? a == b : a != b || before == a)
                continue;
            snprintf(name, sizeof name, f->count > 1 ? "%s[%u]" : "%s", f->name, i);
            say(r, "  %-16s %16llx  %16llx  %16llx\n", name, (unsigned long long)before, (unsigned long long)a,
                (unsigned long long)b);
        }
    }
}

static void say_memory(struct report *r)
{
    const struct rv_check *c = r->cpu->check;
    unsigned shown = 0;

    for (unsigned i = 0; i < c->page_count; i++) {
        const struct check_page *p = &c->pages[i];
        for (unsigned at = 0; at < PAGE_SIZE && shown < WORDS_SHOWN; at += 8) {
            uint64_t a = get_le64(p->after + at), b = get_le64(p->host + at);
            if (a == b)
                continue;
            shown++;
            say(r, "  [%#llx]%*s %16llx  %16llx  %16llx\n", (unsigned long long)(p->gpa + at), 2, "",
                (unsigned long long)get_le64(p->before + at), (unsigned long long)a, (unsigned long long)b);
        }
    }
}

static void say_file(struct report *r, const char *name, const uint64_t *values)
{
    unsigned shown = 0;

    say(r, "\n%s registers before the block that are not 0:", name);
    for (unsigned i = 0; i < 32; i++) {
        if (values[i])
            say(r, "%s%3u %016llx", shown++ % 4 ? "  " : "\n  ", i, (unsigned long long)values[i]);
    }
    say(r, "\n");
}

static void say_differences(struct report *r)
{
    const char *stray = r->cpu->check->stray;

    if (stray)
        say(r, "\nhost code: %s\n", stray);
    say(r, "\n  %-16s %16s  %16s  %16s\n", "differs", "before", "interpreter", "host code");
    say_fields(r, rv_fields, true);
    say_fields(r, check_fields, true);
    say_memory(r);
    say(r, "  changed, the same in both:\n");
    say_fields(r, rv_fields, false);
}

char *check_report(struct rv *cpu, int64_t n)
{
    struct report *r = alloc_zeroed(sizeof *r);
    struct rv_check *c = cpu->check;

    r->cpu = cpu;
    r->text = alloc_zeroed(TEXT_MAX);
    memcpy(&r->before, &c->start, sizeof r->before);
    say(r, "the checker: host code and the interpreter differ\n"
           "hart %u, rv%u, within %lld steps from pc %#llx, priv %u, after %llu instructions since reset\n",
        cpu->cpu.index, cpu->isa.xlen, (long long)n, (unsigned long long)c->start.pc, c->start.priv,
        (unsigned long long)c->start.retired);
    size_t used = r->used;
    say_differences(r);
    n = shortest(cpu, n);
    find_block(r, n);
    if (check_both(cpu, n)) {
        say(r, "\nIt does not happen again when the slice is repeated.\n");
    } else {
        r->used = used;
        say_code(r);
        say_ir(r);
        say_differences(r);
        say_file(r, "x", r->before.x);
        say_file(r, "f", r->before.f);
    }
    char *text = r->text;
    free(r);
    return text;
}
