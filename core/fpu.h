/*
 * fpu.h - the host's floating-point unit, lent to a guest: while a vCPU runs, its thread's rounding mode and
 * sticky flags are the guest's, so that guest arithmetic is one host instruction and flags cost nothing until
 * they are read.
 *
 * Flags are SF_NX … SF_NV and roundings SF_RNE … SF_RUP of softfloat.h. A host has no SF_RMM (nor reserved
 * modes): asked for one it rounds as SF_RNE, and whoever executes the instruction goes to core/softfloat
 * instead. Code that is not the guest's (a device called from the vCPU's thread) may run in between: it must
 * not depend on the rounding mode, and its floating-point operations would add flags.
 *
 * Each host file offers:
 *   void fpu_enter(unsigned rounding, unsigned flags)   the guest's environment; nothing traps
 *   unsigned fpu_leave(void)                            flags since; back to the host's default environment
 *   unsigned fpu_flags(void)
 *   void fpu_set_flags(unsigned flags)                  exactly these
 *   void fpu_raise(unsigned flags)                      these too
 *   void fpu_set_rounding(unsigned rounding)            flags stay
 *   bool fpu_has_fma(void)                              fpu_fma64/32 may be used
 *   double fpu_fma64(double a, double b, double c), float fpu_fma32(float a, float b, float c)
 *   int64_t fpu_to_i64(double v)                        by the current rounding; v must be in range
 *
 * The code around needs -frounding-math -ftrapping-math. Compilers do not see that arithmetic depends on
 * these calls: none of them belongs in one function with the arithmetic, unless their order does not matter.
 */
#ifndef CORE_FPU_H
#define CORE_FPU_H

#include <stdbool.h>
#include <stdint.h>

#include "softfloat.h"

#ifdef __x86_64__
#include "fpu-x86_64.h"
#else
#include "fpu-fenv.h"
#endif

#endif
