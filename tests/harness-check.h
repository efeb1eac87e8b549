/* harness-check.h - the checker (-accel check) on a hart of a rig. */
#ifndef HARNESS_CHECK_H
#define HARNESS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "harness-riscv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the checker has found, or "". */
const char *check_fault(struct rig *r);

/* Instructions that were the same in both, and those that only the interpreter ran. */
void check_counts(struct rig *r, uint64_t *compared, uint64_t *left_out);

/* Makes the two differ: from now on the interpreter adds `by` to the immediate of the instruction at pc. False when
 * that is in no block with host code. */
bool check_spoil(struct rig *r, uint64_t pc, int by);

#ifdef __cplusplus
}
#endif

#endif
