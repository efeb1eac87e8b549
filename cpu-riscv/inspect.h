/* inspect.h - a hart's code and address space for people who look at it: core/control.h. */
#ifndef RISCV_INSPECT_H
#define RISCV_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "control.h"
#include "riscv.h"

/* Assembler text of the instruction at the start of bytes[0..len). Returns 2 or 4, its bytes; 0 when `len` is less. */
unsigned rv_inspect_code(const struct rv_config *config, uint64_t pc, const uint8_t *bytes, size_t len, char *text,
                         size_t size);

/* Every leaf of the tables that satp names, whatever the mode, in ascending order of virtual addresses, until take()
 * returns false. The hart stands still. False: satp says Bare. */
bool rv_inspect_mappings(struct cpu *cpu, bool (*take)(void *owner, const struct control_mapping *mapping),
                         void *owner);

/* What the hart's JIT did so far, as text; the hart stands still. False: it has none. */
bool rv_inspect_jit(struct cpu *cpu, FILE *out);

#endif
