/*
 * isa.h - what a RISC-V hart implements: XLEN, extensions, address-translation modes. All of it is data.
 */
#ifndef RISCV_ISA_H
#define RISCV_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum rv_ext {
#define EXT(id, name, on) RV_EXT_##id,
#include "exts.def"
#undef EXT
    RV_EXT_COUNT
};

struct rv_isa {
    unsigned xlen;    /* 32 or 64 */
    uint64_t exts;    /* BIT(RV_EXT_x) */
    unsigned va_bits; /* widest translation: 32, 39, 48 or 57; 0: bare only */
    unsigned pmp;     /* entries: 0 or 16 */
};

static inline bool rv_has(const struct rv_isa *isa, enum rv_ext ext)
{
    return isa->exts >> ext & 1;
}

/* Parses `-cpu` text: NAME[,+ext,-ext,ext=on|off,sv39=on…] with NAME "rv64", "rv32", "max", "rva22s64"... */
bool rv_isa_parse(struct rv_isa *isa, unsigned xlen, const char *text, struct error *e);

/* The `riscv,isa` string ("rv64imafdc_zicbom_…") without S and U; cut to fit. */
void rv_isa_string(const struct rv_isa *isa, char *buf, size_t size);

/* Name of one extension as in exts.def. */
const char *rv_ext_name(enum rv_ext ext);

#endif
