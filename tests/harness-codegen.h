/* harness-codegen.h - what the JIT makes of a few instructions, as -d out_asm shows it. */
#ifndef HARNESS_CODEGEN_H
#define HARNESS_CODEGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is there a disassembler of host code? */
bool codegen_has_text(void);

/* The log of a hart that ran `code` (`len` bytes at RIG_CODE, then a return) until it was translated, on a host that
 * has all that struct jit_host knows of, or (`old`) next to nothing. Host code itself does not run. The caller frees;
 * NULL when the host has no code memory. */
char *codegen_log(unsigned xlen, const uint8_t *code, size_t len, bool old);

#ifdef __cplusplus
}
#endif

#endif
