/* harness-decode.h - the RISC-V instruction table, decoder, disassembler and integer handlers, seen from a
 * test. */
#ifndef HARNESS_DECODE_H
#define HARNESS_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A row of insns.def. */
struct dec_row {
    const char *name, *picture;
    unsigned xlens;  /* 32, 64, 96 */
    unsigned length; /* bits of the picture; 0 when it is malformed */
    uint32_t mask, match;
    bool has_handler, reserved, ends, operands;
};

size_t dec_row_count(void);
struct dec_row dec_get_row(size_t n);

/* What one instruction decodes to. Registers: 32 is where writes to x0 go. */
struct dec_op {
    bool legal, ends;
    int32_t imm;
    uint32_t raw;
    unsigned rd, rs1, rs2, rs3, rm, len;
};

/* A decoder and one hart's registers for a `-cpu` text; NULL when that is refused, and then `message` says
 * why. */
struct dec *dec_new(unsigned xlen, const char *cpu, char *message, size_t size);
void dec_free(struct dec *d);

/* Name of the row that matches, or NULL. */
const char *dec_lookup(const struct dec *d, uint32_t raw);
struct dec_op dec_decode(const struct dec *d, uint32_t raw);

/* Bytes of the instruction; `text` has no newline. */
unsigned dec_disasm(const struct dec *d, uint64_t pc, uint32_t raw, char *text, size_t size);

/* Runs one instruction that stays in registers (no memory, CSR, jump): x1 and x8 = a, x2 and x9 = b, others
 * 0; dec_x() then reads them. False when it is illegal or does not reach its successor. */
bool dec_run(struct dec *d, uint32_t raw, uint64_t a, uint64_t b);
uint64_t dec_x(const struct dec *d, unsigned r);

/* The ISA string of the decoder's hart, and its widest translation. */
void dec_isa_string(const struct dec *d, char *text, size_t size);
unsigned dec_va_bits(const struct dec *d);

#ifdef __cplusplus
}
#endif

#endif
