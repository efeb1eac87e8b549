/* harness-decode.c - see harness-decode.h. */
#include "harness-decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

struct dec {
    struct rv *cpu;
    struct rv_decoder *decoder;
};

size_t dec_row_count(void)
{
    size_t count;

    rv_insn_rows(&count);
    return count;
}

struct dec_row dec_get_row(size_t n)
{
    size_t count;
    const struct rv_insn *r = &rv_insn_rows(&count)[n];
    struct dec_row row = { .name = r->name, .picture = r->picture, .xlens = r->xlens };

    row.length = rv_picture(r->picture, &row.mask, &row.match);
    row.has_handler = r->fn != NULL;
    row.reserved = r->fn == exec_illegal;
    row.ends = r->flags & RV_ENDS;
    row.operands = *rv_format_text(r);
    return row;
}

struct dec *dec_new(unsigned xlen, const char *cpu, char *message, size_t size)
{
    struct error e = { "" };
    struct rv_isa isa;
    struct dec *d;

    if (!rv_isa_parse(&isa, xlen, cpu, &e)) {
        snprintf(message, size, "%s", e.text);
        return NULL;
    }
    d = calloc(1, sizeof *d);
    d->cpu = calloc(1, sizeof *d->cpu);
    d->decoder = rv_decoder_new(&isa);
    d->cpu->isa = isa;
    d->cpu->va_mask = ~UINT64_C(0) >> (64 - isa.xlen);
    d->cpu->priv = PRIV_M;
    return d;
}

void dec_free(struct dec *d)
{
    if (!d)
        return;
    rv_decoder_free(d->decoder);
    free(d->cpu);
    free(d);
}

const char *dec_lookup(const struct dec *d, uint32_t raw)
{
    const struct rv_insn *row = rv_lookup(d->decoder, raw);

    return row ? row->name : NULL;
}

struct dec_op dec_decode(const struct dec *d, uint32_t raw)
{
    struct rv_op op = { 0 };
    bool ends = rv_decode(d->decoder, raw, &op);

    return (struct dec_op){
        op.fn != exec_illegal, ends, op.imm, op.raw, op.rd, op.rs1, op.rs2, op.rs3, op.rm, op.len
    };
}

unsigned dec_disasm(const struct dec *d, uint64_t pc, uint32_t raw, char *text, size_t size)
{
    return rv_disasm(d->decoder, pc, raw, text, size);
}

/* The successor: says that it was reached. */
static void arrive(struct rv *cpu, const struct rv_op *op)
{
    cpu->pc = 1;
}

bool dec_run(struct dec *d, uint32_t raw, uint64_t a, uint64_t b)
{
    struct rv_op ops[2] = { { 0 }, { .fn = arrive } };

    if (rv_decode(d->decoder, raw, &ops[0]))
        return false;
    memset(d->cpu->x, 0, sizeof d->cpu->x);
    d->cpu->x[1] = d->cpu->x[8] = a;
    d->cpu->x[2] = d->cpu->x[9] = b;
    d->cpu->pc = 0;
    ops[0].fn(d->cpu, ops);
    return d->cpu->pc == 1;
}

uint64_t dec_x(const struct dec *d, unsigned r)
{
    return d->cpu->x[r];
}

void dec_isa_string(const struct dec *d, char *text, size_t size)
{
    rv_isa_string(&d->cpu->isa, text, size);
}

unsigned dec_va_bits(const struct dec *d)
{
    return d->cpu->isa.va_bits;
}
