/*
 * decode.h - from instruction bits to a decoded op, by the pictures of insns.def.
 */
#ifndef RISCV_DECODE_H
#define RISCV_DECODE_H

#include "state.h"

/* A row of insns.def for one XLEN. */
struct rv_insn {
    const char *name;    /* identifier; '_' stands for '.' in the assembler's spelling */
    const char *picture; /* bits from the left, '.' for operands, blanks ignored; 16 or 32 of them */
    rv_handler *fn;
    uint8_t format;      /* enum rv_format: operands and how they print */
    uint8_t xlens;       /* 32, 64 or 96 for both */
    uint8_t ext;         /* enum rv_ext that it needs; see also `and_ext` */
    uint8_t and_ext;     /* a second one (compressed float: C and D), or the same */
    uint8_t flags;       /* RV_ENDS */
    uint32_t mask, match; /* parsed from the picture, in a decoder's rows */
};

enum { RV_ENDS = 1 /* ends a block: the handler sets pc */ };

struct rv_decoder;

/* ABI names of the registers (unprivileged spec, chapter on the assembly programmer's handbook). */
extern const char *const rv_x_names[32], *const rv_f_names[32];

/* Decoder for one ISA; immutable once built, shared by all harts of a machine. */
struct rv_decoder *rv_decoder_new(const struct rv_isa *isa);
void rv_decoder_free(struct rv_decoder *d);
unsigned rv_decoder_xlen(const struct rv_decoder *d);

/* Decodes the instruction whose low half is in raw's low 16 bits (the high half matters for 32-bit ones
 * only): fills op->fn, operands, raw and len, not off. An unknown one gets exec_illegal. True when it ends a
 * block (exec_illegal does). */
bool rv_decode(const struct rv_decoder *d, uint32_t raw, struct rv_op *op);

/* Does this instruction end a block? */
bool rv_ends_block(const struct rv_decoder *d, uint32_t raw);

/* The row that `raw` matches (mask and match are set), or NULL; reserved encodings have none. */
const struct rv_insn *rv_lookup(const struct rv_decoder *d, uint32_t raw);

/* Every row (both XLENs), for tests; mask and match are not set: rv_picture() reads them. */
const struct rv_insn *rv_insn_rows(size_t *count);

/* Bits of a picture: its length (16 or 32), or 0 when it is malformed. */
unsigned rv_picture(const char *picture, uint32_t *mask, uint32_t *match);

/* How a row's operands print; the letters are formats.def's. */
const char *rv_format_text(const struct rv_insn *row);

/* Assembler text of the instruction at pc, without newline, ABI register names. Returns 2 or 4, its bytes. */
unsigned rv_disasm(const struct rv_decoder *d, uint64_t pc, uint32_t raw, char *buf, size_t size);

#endif
