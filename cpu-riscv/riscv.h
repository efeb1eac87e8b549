/*
 * riscv.h - RISC-V harts, as the machine sees them.
 */
#ifndef RISCV_RISCV_H
#define RISCV_RISCV_H

#include "cpu.h"
#include "isa.h"

enum { RV_OFF = 64 };

struct jit_config;
struct rv;
struct rv_decoder;
struct rv_op;

typedef void rv_handler(struct rv *cpu, const struct rv_op *op);
struct rv_granule;

/* What the harts of one machine share; made once, outlives them. */
struct rv_config {
    struct rv_isa isa;
    struct rv_decoder *decoder;
    struct rv_granule *granules;
    uint64_t granule_mask;
    bool jit;            /* harts translate to host code: set before rv_new() */
    bool check;          /* and compare it with the interpreter; under a virtual clock only */
    const struct jit_config *tuning; /* borrowed; at first that of jit_config_plain */
    rv_handler *off[RV_OFF];         /* handlers that host code calls, whether or not it has a rule for them */
    unsigned off_count;
    uint64_t timebase;   /* Hz of the time CSR */
    uint64_t reset_pc;
    uint8_t csr_index[4096]; /* see csr.h */
};

/* `harts`: how many will be made. NULL only when memory is short. */
struct rv_config *rv_config_new(const struct rv_isa *isa, unsigned harts, uint64_t timebase, uint64_t reset_pc);
/* Before rv_new(): host code calls the handler of this instruction, and so of all that share it ("addi" is "c.li",
 * too). False: no such name, or RV_OFF of them. */
bool rv_config_off(struct rv_config *config, const char *insn);

void rv_config_free(struct rv_config *config);

/* A hart with mhartid = index, in its reset state. */
struct cpu *rv_new(const struct rv_config *config, const struct cpu_env *env, unsigned index);

/* Interrupt inputs, numbered as in mip: SSIP 1, MSIP 3, MTIP 7, SEIP 9, MEIP 11. A line_fn: owner is the cpu. */
enum rv_irq { RV_IRQ_SS = 1, RV_IRQ_MS = 3, RV_IRQ_MT = 7, RV_IRQ_SE = 9, RV_IRQ_ME = 11 };
void rv_set_irq(void *cpu, unsigned irq, bool level);

#endif
