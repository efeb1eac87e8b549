/*
 * disasm.c - assembler text, from the rows of insns.def and the texts of formats.def.
 *
 * The spelling is that of the GNU disassembler without aliases: RISC-V Assembly Programmer's Manual. Numbers
 * are decimal or 0x…, branch targets absolute, encodings without a row `.short` or `.word`.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "csr.h"
#include "decode.h"

/* Where text goes: cut to fit, always ended. */
struct out {
    char *buf;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *fmt, ...)
{
    size_t room = o->used < o->size ? o->size - o->used : 0;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(room ? o->buf + o->used : NULL, room, fmt, args);
    va_end(args);
    if (n > 0)
        o->used += (size_t)n;
}

const char *const rv_x_names[32] = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

const char *const rv_f_names[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

static const char *const rounding_names[8] = {
    "rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", "dyn"
};

/* Zfa, table 1. */
static const char *const fli_names[32] = {
    "-1.0", "min", "1.52587890625e-05", "3.0517578125e-05", "0.00390625", "0.0078125", "0.0625", "0.125",
    "0.25", "0.3125", "0.375", "0.4375", "0.5", "0.625", "0.75", "0.875",
    "1.0", "1.25", "1.5", "1.75", "2.0", "2.5", "3.0", "4.0",
    "8.0", "16.0", "128.0", "256.0", "32768.0", "65536.0", "inf", "nan",
};

/* The row's name with its dots; an atomic's ordering is part of it. */
static void put_name(struct out *o, const struct rv_insn *row, const struct rv_op *op)
{
    static const char *const orderings[4] = { "", ".rl", ".aq", ".aqrl" };
    bool is_atomic = (op->raw & 0x7f) == 0x2f;

    for (const char *p = row->name; *p; p++)
        put(o, "%c", *p == '_' ? '.' : *p);
    put(o, "%s", is_atomic ? orderings[op->rm & 3] : "");
}

static void put_fence_set(struct out *o, unsigned set)
{
    for (unsigned i = 0; i < 4; i++)
        if (set & 8 >> i)
            put(o, "%c", "iorw"[i]);
    if (!set)
        put(o, "unknown");
}

static void put_csr(struct out *o, unsigned number)
{
    char text[32];
    const char *name = rv_csr_name(number, text);

    if (name)
        put(o, "%s", name);
    else
        put(o, "0x%x", number);
}

static void put_rounding(struct out *o, unsigned rm, bool exact)
{
    if (rm != 7 && !(exact && rm == 0))
        put(o, ",%s", rounding_names[rm]);
}

/* One letter of a format's text. */
static void put_operand(struct out *o, const struct rv_op *op, uint64_t pc, uint64_t pc_mask, char letter)
{
    switch (letter) {
    case 'd': put(o, "%s", rv_x_names[op->rd & 31]); break;
    case 's': put(o, "%s", rv_x_names[op->rs1]); break;
    case 't': put(o, "%s", rv_x_names[op->rs2]); break;
    case 'D': put(o, "%s", rv_f_names[op->rd]); break;
    case 'S': put(o, "%s", rv_f_names[op->rs1]); break;
    case 'T': put(o, "%s", rv_f_names[op->rs2]); break;
    case 'R': put(o, "%s", rv_f_names[op->rs3]); break;
    case 'i': put(o, "%" PRId32, op->imm); break;
    case 'h': put(o, "0x%" PRIx32, (uint32_t)op->imm); break;
    case 'u': put(o, "0x%" PRIx32, (uint32_t)op->imm >> 12); break;
    case 'b': put(o, "0x%" PRIx64, (pc + (uint64_t)(int64_t)op->imm) & pc_mask); break;
    case 'c': put_csr(o, (unsigned)op->imm); break;
    case 'z': put(o, "%u", op->rs1); break;
    case 'k': put(o, "%s", fli_names[op->rs1]); break;
    case 'm': put_rounding(o, op->rm, false); break;
    case 'n': put_rounding(o, op->rm, true); break;
    case 'p':
        put_fence_set(o, op->imm >> 4 & 15);
        put(o, ",");
        put_fence_set(o, op->imm & 15);
        break;
    default: put(o, "%c", letter); break;
    }
}

unsigned rv_disasm(const struct rv_decoder *d, uint64_t pc, uint32_t raw, char *buf, size_t size)
{
    const struct rv_insn *row = rv_lookup(d, raw);
    struct out o = { buf, size, 0 };
    struct rv_op op = { 0 };

    rv_decode(d, raw, &op);
    if (!row) {
        put(&o, op.len == 2 ? ".short 0x%04" PRIx32 : ".word 0x%08" PRIx32, op.raw);
        return op.len;
    }
    put_name(&o, row, &op);
    if (*rv_format_text(row))
        put(&o, "\t");
    for (const char *p = rv_format_text(row); *p; p++)
        put_operand(&o, &op, pc, rv_decoder_xlen(d) == 32 ? UINT32_MAX : UINT64_MAX, *p);
    return op.len;
}
