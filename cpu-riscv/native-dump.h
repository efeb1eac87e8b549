/* native-dump.h - a translation as text, for whoever asked with -d. Private to this folder. */
#ifndef RISCV_NATIVE_DUMP_H
#define RISCV_NATIVE_DUMP_H

#include "state.h"

/* After jit_emit(): the block's `number` is what -jit blocks= counts. */
void rv_dump_native(struct rv *cpu, const struct ir_block *ir, unsigned number);

#endif
