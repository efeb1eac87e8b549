/*
 * csr.h - control and status registers, by the rows of csrs.def.
 */
#ifndef RISCV_CSR_H
#define RISCV_CSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rv;
struct rv_isa;

/* Plain storage on which nothing depends: host code has them as variables (translate-csr.c), and nobody has to look at
 * interrupts after a write. */
enum { CSR_SSCRATCH = 0x140, CSR_SEPC, CSR_SCAUSE, CSR_STVAL };

static inline bool csr_is_trap_register(unsigned number)
{
    return number >= CSR_SSCRATCH && number <= CSR_STVAL;
}

struct rv_csr {
    uint16_t number, count;
    const char *name; /* of the first; CSRs of a group get their index appended */
    uint8_t xlens;    /* 32, 64 or 96 for both */
    uint8_t needs;    /* enum rv_ext */
    uint32_t offset;  /* of the field in struct rv */
    uint64_t mask, reset;
    uint64_t (*read)(struct rv *cpu, const struct rv_csr *csr, unsigned index);
    void (*write)(struct rv *cpu, const struct rv_csr *csr, unsigned index, uint64_t value);
    bool (*check)(struct rv *cpu, const struct rv_csr *csr, unsigned index);
};

/* All rows, ascending. */
const struct rv_csr *rv_csr_rows(size_t *count);

/* The row that holds the CSR in this hart (XLEN and extension present), or NULL. */
const struct rv_csr *rv_csr_find(const struct rv *cpu, unsigned number);

/* Fills index[4096] with row number + 1 for the CSRs that an ISA has, 0 elsewhere. */
void rv_csr_index(uint8_t index[4096], const struct rv_isa *isa);

/* The debugger's access, without privilege checks, while the hart does not run. */
uint64_t rv_csr_peek(struct rv *cpu, unsigned number);
void rv_csr_poke(struct rv *cpu, unsigned number, uint64_t value);

/* Sets every field to its reset value. */
void rv_csr_reset(struct rv *cpu);

/* "mstatus", "pmpaddr3"; NULL when no row has it. `buf` holds 32 bytes. */
const char *rv_csr_name(unsigned number, char *buf);

#endif
