/*
 * fpu-fenv.h - core/fpu.h by C's own <fenv.h> (C17 §7.6), for hosts without a file of their own.
 *
 * Gaps: hosts that judge underflow before rounding (Arm) would show the guest's UF differently in results
 * that round up to the smallest normal number; such a host needs its own file. No fused multiply-add:
 * softfloat's is used.
 */
#ifndef CORE_FPU_FENV_H
#define CORE_FPU_FENV_H

#include <fenv.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "softfloat.h"

static inline unsigned fenv_to_flags(int e)
{
    return (e & FE_INEXACT ? SF_NX : 0u) | (e & FE_UNDERFLOW ? SF_UF : 0u) | (e & FE_OVERFLOW ? SF_OF : 0u) |
           (e & FE_DIVBYZERO ? SF_DZ : 0u) | (e & FE_INVALID ? SF_NV : 0u);
}

static inline int fenv_from_flags(unsigned f)
{
    return (f & SF_NX ? FE_INEXACT : 0) | (f & SF_UF ? FE_UNDERFLOW : 0) | (f & SF_OF ? FE_OVERFLOW : 0) |
           (f & SF_DZ ? FE_DIVBYZERO : 0) | (f & SF_NV ? FE_INVALID : 0);
}

static inline void fpu_set_rounding(unsigned rounding)
{
    static const int mode[] = {
        [SF_RNE] = FE_TONEAREST, [SF_RTZ] = FE_TOWARDZERO, [SF_RDN] = FE_DOWNWARD, [SF_RUP] = FE_UPWARD,
    };

    fesetround(rounding <= SF_RUP ? mode[rounding] : FE_TONEAREST);
}

static inline unsigned fpu_flags(void)
{
    return fenv_to_flags(fetestexcept(FE_ALL_EXCEPT));
}

/* By an environment's image and not by feraiseexcept(), which may compute and add FE_INEXACT. */
static inline void fpu_set_flags(unsigned flags)
{
    fexcept_t all;

    feclearexcept(FE_ALL_EXCEPT);
    feraiseexcept(fenv_from_flags(flags));
    fegetexceptflag(&all, fenv_from_flags(flags));
    feclearexcept(FE_ALL_EXCEPT);
    fesetexceptflag(&all, fenv_from_flags(flags));
}

static inline void fpu_raise(unsigned flags)
{
    if (flags)
        fpu_set_flags(fpu_flags() | flags);
}

static inline void fpu_enter(unsigned rounding, unsigned flags)
{
    fesetenv(FE_DFL_ENV);
    fpu_set_rounding(rounding);
    fpu_set_flags(flags);
}

static inline unsigned fpu_leave(void)
{
    unsigned flags = fpu_flags();

    fesetenv(FE_DFL_ENV);
    return flags;
}

static inline bool fpu_has_fma(void)
{
    return false;
}

static inline double fpu_fma64(double a, double b, double c)
{
    return fma(a, b, c);
}

static inline float fpu_fma32(float a, float b, float c)
{
    return fmaf(a, b, c);
}

static inline int64_t fpu_to_i64(double v)
{
    return llrint(v);
}

#endif
