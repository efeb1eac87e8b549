/*
 * fpu-x86_64.h - core/fpu.h on SSE2: MXCSR holds rounding and flags (Intel SDM volume 1, §10.2.3). Underflow
 * is judged after rounding (§4.9.1.5), as RISC-V wants it.
 */
#ifndef CORE_FPU_X86_64_H
#define CORE_FPU_X86_64_H

#include <stdbool.h>
#include <stdint.h>

#include "softfloat.h"

enum { MXCSR_FLAGS = 0x3f, MXCSR_MASKED = 0x1f80, MXCSR_ROUNDING = 0x6000 };

static inline unsigned mxcsr_get(void)
{
    return __builtin_ia32_stmxcsr();
}

static inline void mxcsr_set(unsigned value)
{
    __builtin_ia32_ldmxcsr(value);
}

/* IE, (DE), ZE, OE, UE, PE from bit 0 up are NV, DZ, OF, UF, NX from bit 4 down. */
static inline unsigned mxcsr_to_flags(unsigned m)
{
    return (m >> 5 & SF_NX) | (m >> 3 & SF_UF) | (m >> 1 & SF_OF) | (m << 1 & SF_DZ) | (m << 4 & SF_NV);
}

static inline unsigned mxcsr_from_flags(unsigned f)
{
    return (f & SF_NX) << 5 | (f & SF_UF) << 3 | (f & SF_OF) << 1 | (f & SF_DZ) >> 1 | (f & SF_NV) >> 4;
}

static inline unsigned mxcsr_from_rounding(unsigned rounding)
{
    static const uint16_t control[] = {
        [SF_RNE] = 0, [SF_RTZ] = 0x6000, [SF_RDN] = 0x2000, [SF_RUP] = 0x4000
    };

    return rounding <= SF_RUP ? control[rounding] : 0;
}

static inline void fpu_enter(unsigned rounding, unsigned flags)
{
    mxcsr_set(MXCSR_MASKED | mxcsr_from_rounding(rounding) | mxcsr_from_flags(flags));
}

static inline unsigned fpu_flags(void)
{
    return mxcsr_to_flags(mxcsr_get());
}

static inline unsigned fpu_leave(void)
{
    unsigned flags = fpu_flags();

    mxcsr_set(MXCSR_MASKED);
    return flags;
}

static inline void fpu_set_flags(unsigned flags)
{
    mxcsr_set((mxcsr_get() & ~(unsigned)MXCSR_FLAGS) | mxcsr_from_flags(flags));
}

static inline void fpu_raise(unsigned flags)
{
    if (flags)
        mxcsr_set(mxcsr_get() | mxcsr_from_flags(flags));
}

static inline void fpu_set_rounding(unsigned rounding)
{
    mxcsr_set((mxcsr_get() & ~(unsigned)MXCSR_ROUNDING) | mxcsr_from_rounding(rounding));
}

static inline bool fpu_has_fma(void)
{
    return __builtin_cpu_supports("fma");
}

/* Volatile: an operation that raises flags is not to be tried on the chance that it is wanted. */
static inline double fpu_fma64(double a, double b, double c)
{
    __asm__ volatile("vfmadd231sd %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
}

static inline float fpu_fma32(float a, float b, float c)
{
    __asm__ volatile("vfmadd231ss %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
}

static inline int64_t fpu_to_i64(double v)
{
    int64_t r;

    __asm__ volatile("cvtsd2si %1, %0" : "=r"(r) : "x"(v));
    return r;
}

#endif
