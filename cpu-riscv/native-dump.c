/*
 * native-dump.c - translations as text: -d op and -d out_asm. Guest instructions stand in front of what became of them.
 */
#include "native-dump.h"

#include <stdio.h>

#include "decode.h"
#include "host-names.h"
#include "host-text.h"
#include "native-stats.h"

struct dump {
    struct trace_cat *log;
    struct rv *cpu;
    const struct ir_block *ir;
    const uint32_t *marks; /* where the code of each operation begins, and what is out of the way */
    struct host_scope scope;
    size_t before;  /* bytes of the block in front of what is printed now */
    unsigned op;    /* the next one whose code is not yet reached */
    uint32_t site;  /* of the guest instruction printed last */
};

static void put_guest(struct dump *d, uint32_t site)
{
    unsigned i;
    const struct rv_block *b = rv_block_at(d->cpu, site, &i);
    const struct rv_op *op = &b->ops[i];
    char text[96];

    if (site == d->site)
        return;
    d->site = site;
    rv_disasm(d->cpu->decoder, b->pc + op->off, op->raw, text, sizeof text);
    trace_raw(d->log, "0x%08llx:  %0*x  %s\n", (unsigned long long)(b->pc + op->off), op->len * 2, op->raw, text);
}

static void put_host(void *owner, size_t at, unsigned bytes, const char *text)
{
    struct dump *d = owner;
    char named[200];

    at += d->before;
    for (; d->op < d->ir->count && d->marks[d->op] <= at; d->op++)
        put_guest(d, d->ir->ops[d->op].where);
    if (d->op == d->ir->count && d->marks[d->op] <= at) {
        trace_raw(d->log, "out of the way:\n");
        d->op++;
    }
    host_names(&d->scope, text, named, sizeof named);
    trace_raw(d->log, "    +%#-6zx %s\n", at, named);
}

static void dump_code(struct dump *d, unsigned number)
{
    struct jit_code c = jit_last(d->cpu->jit);

    d->scope = (struct host_scope){ d->cpu->jit, c, d->ir };
    d->marks = jit_last_marks(d->cpu->jit);
    trace_raw(d->log, "----------------\nOUT: hart %u, block %u, %zu bytes at %#llx\n", d->cpu->cpu.index, number,
              c.hot_bytes + c.cold_bytes, (unsigned long long)(uintptr_t)c.hot);
    host_text(c.hot, c.hot_bytes, (uintptr_t)c.hot, put_host, d);
    d->before = c.hot_bytes;
    host_text(c.cold, c.cold_bytes, (uintptr_t)c.cold, put_host, d);
}

static void dump_ir(struct dump *d, unsigned number)
{
    char text[96];

    trace_raw(d->log, "----------------\nOP: hart %u, block %u, at 0x%llx, %u instructions\n", d->cpu->cpu.index,
              number, (unsigned long long)d->ir->labels[0].pc, rv_stats_insns(d->ir));
    for (const struct ir_op *op = d->ir->ops; op < d->ir->ops + d->ir->count; op++) {
        put_guest(d, op->where);
        ir_dump_op(op, text, sizeof text);
        trace_raw(d->log, "    %s\n", text);
    }
}

void rv_dump_native(struct rv *cpu, const struct ir_block *ir, unsigned number)
{
    struct dump d = { .cpu = cpu, .ir = ir, .site = UINT32_MAX };

    d.log = cpu->log_op;
    if (trace_on(d.log))
        dump_ir(&d, number);
    d.site = UINT32_MAX;
    d.log = cpu->log_out;
    if (trace_on(d.log))
        dump_code(&d, number);
}
