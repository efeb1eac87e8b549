/*
 * decode.c - the rows of insns.def as a decoder: RISC-V instruction set manual, volume I, 2.2, 2.3 and
 * chapter "C".
 *
 * A decoder keeps the rows that its ISA has, in short candidate lists by opcode and funct3 (32-bit
 * instructions) or by quadrant and funct3 (16-bit ones), the most specific first. Decoding happens once a
 * block, so the operands come out by walking tables.
 *
 * Gaps: instructions longer than 32 bits are illegal ones of 4 bytes.
 */
#include "decode.h"

#include <assert.h>
#include <stdlib.h>

#include "alloc.h"

enum { KEYS_32 = 256, KEYS = KEYS_32 + 32 };

enum rv_reg {
#define REG(id, ...) REG_##id,
#include "formats.def"
#undef REG
};

enum rv_imm {
#define IMM(id, ...) IMM_##id,
#include "formats.def"
#undef IMM
};

enum rv_format {
#define FORMAT(id, ...) FORMAT_##id,
#include "formats.def"
#undef FORMAT
};

enum rv_dest { DEST_X, DEST_F };
enum rv_rm { RM_NO, RM_ROUND, RM_AQRL };

struct reg_field {
    uint8_t number, shift, mask;
};

struct imm_field {
    uint8_t sign;
    struct {
        uint8_t from, length, to;
    } slices[8]; /* up to the one of length 0, if any */
};

struct format {
    uint8_t dest, rd, rs1, rs2, rs3, rm, imm;
    const char *text;
};

static const struct reg_field regs[] = {
#define REG(id, number, shift, mask) { number, shift, mask },
#include "formats.def"
#undef REG
};

static const struct imm_field imms[] = {
#define IMM(id, sign, ...) { sign, { __VA_ARGS__ } },
#include "formats.def"
#undef IMM
};

static const struct format formats[] = {
#define FORMAT(id, dest, rd, rs1, rs2, rs3, rm, imm, text) \
    { DEST_##dest, REG_##rd, REG_##rs1, REG_##rs2, REG_##rs3, RM_##rm, IMM_##imm, text },
#include "formats.def"
#undef FORMAT
};

static const struct rv_insn all_rows[] = {
#define INSN(name, handler, format, picture, xlens, ext, and_ext, flags) \
    { #name, picture, exec_##handler, FORMAT_##format, xlens, RV_EXT_##ext, RV_EXT_##and_ext, flags, 0, 0 },
#include "insns.def"
#undef INSN
};

struct rv_decoder {
    struct rv_insn rows[ARRAY_LEN(all_rows)];
    unsigned count, xlen;
    uint16_t first[KEYS + 1]; /* list k: candidates[first[k]] up to first[k + 1] */
    const struct rv_insn *candidates[];
};

static unsigned key_of(uint32_t raw)
{
    if ((raw & 3) == 3)
        return (unsigned)(bits(raw, 2, 5) | bits(raw, 12, 3) << 5);
    return (unsigned)(KEYS_32 + (bits(raw, 0, 2) | bits(raw, 13, 3) << 2));
}

/* The bits that a key stands for, and which they are. */
static uint32_t key_bits(unsigned key, uint32_t *mask)
{
    if (key < KEYS_32) {
        *mask = 0x707f;
        return (key & 31) << 2 | (key >> 5) << 12 | 3;
    }
    key -= KEYS_32;
    *mask = 0xe003;
    return (key & 3) | (key >> 2) << 13;
}

unsigned rv_picture(const char *picture, uint32_t *mask, uint32_t *match)
{
    unsigned n = 0;

    *mask = *match = 0;
    for (; *picture; picture++) {
        if (*picture == ' ')
            continue;
        if (*picture != '.' && *picture != '0' && *picture != '1')
            return 0;
        *mask = *mask << 1 | (*picture != '.');
        *match = *match << 1 | (*picture == '1');
        n++;
    }
    return n == 16 || n == 32 ? n : 0;
}

/* Could an instruction with this key match the row? */
static bool row_has_key(const struct rv_insn *row, unsigned key)
{
    uint32_t mask, match = key_bits(key, &mask);

    return !((row->match ^ match) & row->mask & mask);
}

static int finer_first(const void *a, const void *b)
{
    const struct rv_insn *x = a, *y = b;

    return __builtin_popcount(y->mask) - __builtin_popcount(x->mask);
}

static unsigned fill_list(const struct rv_decoder *d, unsigned key, const struct rv_insn **list)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->count; i++) {
        if (!row_has_key(&d->rows[i], key))
            continue;
        if (list)
            list[n] = &d->rows[i];
        n++;
    }
    return n;
}

static unsigned pick_rows(const struct rv_isa *isa, struct rv_insn *rows)
{
    unsigned n = 0;

    for (size_t i = 0; i < ARRAY_LEN(all_rows); i++) {
        const struct rv_insn *row = &all_rows[i];

        if (!(row->xlens & isa->xlen) || !rv_has(isa, row->ext) || !rv_has(isa, row->and_ext))
            continue;
        rows[n] = *row;
        unsigned length = rv_picture(row->picture, &rows[n].mask, &rows[n].match);
        assert(length); /* else a mistake in insns.def; the table test finds it */
        (void)length;
        n++;
    }
    qsort(rows, n, sizeof *rows, finer_first);
    return n;
}

struct rv_decoder *rv_decoder_new(const struct rv_isa *isa)
{
    struct rv_decoder *d = alloc_zeroed(sizeof *d);
    size_t total = 0;

    d->xlen = isa->xlen;
    d->count = pick_rows(isa, d->rows);
    for (unsigned key = 0; key < KEYS; key++)
        total += fill_list(d, key, NULL);
    d = alloc_resize(d, 1, sizeof *d + total * sizeof d->candidates[0]);
    for (unsigned key = 0; key < KEYS; key++)
        d->first[key + 1] = (uint16_t)(d->first[key] + fill_list(d, key, &d->candidates[d->first[key]]));
    return d;
}

void rv_decoder_free(struct rv_decoder *d)
{
    free(d);
}

unsigned rv_decoder_xlen(const struct rv_decoder *d)
{
    return d->xlen;
}

static const struct rv_insn *find(const struct rv_decoder *d, uint32_t raw)
{
    unsigned key = key_of(raw);

    for (unsigned i = d->first[key]; i < d->first[key + 1]; i++) {
        const struct rv_insn *row = d->candidates[i];

        if ((raw & row->mask) == row->match)
            return row;
    }
    return NULL;
}

/* The bits of the instruction that starts raw. */
static uint32_t own_bits(uint32_t raw)
{
    return (raw & 3) == 3 ? raw : raw & 0xffff;
}

const struct rv_insn *rv_lookup(const struct rv_decoder *d, uint32_t raw)
{
    const struct rv_insn *row = find(d, own_bits(raw));

    return row && row->fn != exec_illegal ? row : NULL;
}

static uint8_t reg_of(unsigned field, uint32_t raw)
{
    const struct reg_field *r = &regs[field];

    return (uint8_t)((raw >> r->shift & r->mask) + r->number);
}

static int32_t imm_of(unsigned field, uint32_t raw)
{
    const struct imm_field *f = &imms[field];
    uint64_t v = 0;

    for (size_t i = 0; i < ARRAY_LEN(f->slices) && f->slices[i].length; i++)
        v |= bits(raw, f->slices[i].from, f->slices[i].length) << f->slices[i].to;
    return (int32_t)(f->sign ? sext(v, f->sign) : (int64_t)v);
}

static uint8_t rm_of(unsigned field, uint32_t raw)
{
    switch (field) {
    case RM_ROUND: return (uint8_t)bits(raw, 12, 3);
    case RM_AQRL: return (uint8_t)bits(raw, 25, 2);
    default: return 0;
    }
}

static void decode_operands(const struct format *f, uint32_t raw, struct rv_op *op)
{
    op->rd = reg_of(f->rd, raw);
    if (f->dest == DEST_X && op->rd == 0)
        op->rd = RV_SINK;
    op->rs1 = reg_of(f->rs1, raw);
    op->rs2 = reg_of(f->rs2, raw);
    op->rs3 = reg_of(f->rs3, raw);
    op->rm = rm_of(f->rm, raw);
    op->imm = imm_of(f->imm, raw);
}

/* The one CSR that changes nothing about the next instruction; compilers wrap quiet comparisons in it. */
static bool is_fflags(const struct rv_insn *row, uint32_t raw)
{
    enum { CSR_FFLAGS = 1 };

    return row->ext == RV_EXT_ZICSR && raw >> 20 == CSR_FFLAGS;
}

static bool ends_block(const struct rv_insn *row, uint32_t raw)
{
    return !row || (row->flags & RV_ENDS && !is_fflags(row, raw));
}

bool rv_decode(const struct rv_decoder *d, uint32_t raw, struct rv_op *op)
{
    const struct rv_insn *row = rv_lookup(d, raw);

    op->raw = own_bits(raw);
    op->len = (raw & 3) == 3 ? 4 : 2;
    op->fn = !row ? exec_illegal : is_fflags(row, raw) ? exec_fflags : row->fn;
    decode_operands(&formats[row ? row->format : FORMAT_NONE], op->raw, op);
    return ends_block(row, raw);
}

bool rv_ends_block(const struct rv_decoder *d, uint32_t raw)
{
    return ends_block(rv_lookup(d, raw), raw);
}

const struct rv_insn *rv_insn_rows(size_t *count)
{
    *count = ARRAY_LEN(all_rows);
    return all_rows;
}

const char *rv_format_text(const struct rv_insn *row)
{
    return formats[row->format].text;
}
