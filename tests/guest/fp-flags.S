/*
 * fp-flags.S - fflags around comparisons and arithmetic, each case in a loop that runs often enough to become host
 * code.
 */
#include "fp-macros.h"

/* What is between them runs twenty times, with `before` in fflags and in a3; the last time counts. */
.macro repeat before
    li s6, 20
    li a3, \before
74:
    fsflags a3
.endm
.macro until_done
    addi s6, s6, -1
    bnez s6, 74b
.endm

/* What compilers make of a comparison that must be quiet: result as wanted, flags as they were. */
.macro wrapped number, want, before, a, b, insn:vararg
    line \number
    fp_operands \a, \b
    .irp flags, \before, 0x1f & ~(\before)
    repeat \flags
    frflags a4
    \insn
    fsflags a4
    frflags t1
    until_done
    check a0, \want
    check a4, \flags
    check t1, \flags
    .endr
.endm

#define WRAPPED(insn, want, before, a, b) \
    wrapped __LINE__, want, before, (a) | BOX, (b) | BOX, OP(insn) a0, fa1, fa2
/* Any other sequence: the flags that it ends with. */
#define FLAGS(want, before, a, b, ...) \
    line __LINE__; fp_operands (a) | BOX, (b) | BOX; repeat before; __VA_ARGS__; frflags t1; until_done; check t1, want

    BEGIN
/* ---- quiet comparisons ---- */
    WRAPPED(flt, 1, 0, ONE, TWO)
    WRAPPED(flt, 0, NX, TWO, ONE)
    WRAPPED(flt, 0, DZ, ONE, ONE)
    WRAPPED(flt, 0, 0, QNAN, ONE)
    WRAPPED(flt, 0, UF, ONE, QNAN_PAYLOAD)
    WRAPPED(flt, 0, OF, SNAN, ONE)
    WRAPPED(flt, 0, NV, ONE, SNAN)
    WRAPPED(fle, 1, 0, ONE, ONE)
    WRAPPED(fle, 0, NX | DZ, TWO, ONE)
    WRAPPED(fle, 0, 0, QNAN, QNAN)
    WRAPPED(fle, 0, NX, SNAN, QNAN)
    WRAPPED(fle, 1, NX, SUB_MIN, SUB_MIN)
    WRAPPED(feq, 1, 0, ZERO, NEG(ZERO))
    WRAPPED(feq, 0, 0, ONE, QNAN)
    WRAPPED(feq, 0, UF | OF, ONE, SNAN)
    WRAPPED(feq, 0, 0, SNAN, SNAN)
#if WIDTH_BITS != 64
/* not boxed: a NaN */
    wrapped __LINE__, 0, NX, ONE, ONE | BOX, OP(flt) a0, fa1, fa2
    wrapped __LINE__, 0, 0, ONE | BOX, ONE, OP(fle) a0, fa1, fa2
    wrapped __LINE__, 0, 0, ONE, ONE, OP(feq) a0, fa1, fa2
#endif

/* ---- nearly so ---- */
    FLAGS(NV, 0, QNAN, ONE, frflags a4; OP(flt) a4, fa1, fa2; fsflags a3; OP(flt) a0, fa1, fa2)
    FLAGS(0, 0, QNAN, ONE, frflags a4; OP(flt) a4, fa1, fa2; fsflags a4)    /* the result, 0 */
    FLAGS(1, NV, ONE, TWO, frflags a4; OP(flt) a4, fa1, fa2; fsflags a4)    /* and 1 */
    FLAGS(NV | NX, NX, QNAN, ONE, frflags a4; OP(flt) a0, fa1, fa2; nop)
    FLAGS(NV | NX, NX, QNAN, ONE, frflags a4; OP(flt) a0, fa1, fa2; csrs fflags, a4)
    FLAGS(NV, NX, QNAN, ONE, frflags a4; OP(flt) a0, fa1, fa2; csrc fflags, a4)
    FLAGS(0, NX, QNAN, ONE, frflags a4; OP(flt) a0, fa1, fa2; fsflags zero)
    FLAGS(NX | DZ, NX, QNAN, ONE, frflags a4; addi a4, a4, DZ; OP(flt) a0, fa1, fa2; fsflags a4)
    FLAGS(NX, NX, QNAN, ONE, frflags a4; OP(flt) a0, fa1, fa2; fsflags t1, a4; mv t2, t1)
    CHECK(t2, NV | NX)
    FLAGS(NX, NX, ONE, THREE, frflags a4; OP(fdiv) fa0, fa1, fa2; fsflags a4)
    FLAGS(0, 0, ONE, THREE, frflags a4; OP(fdiv) fa0, fa1, fa2; fsflags a4)
    FLAGS(NX, 0, ONE, THREE, frflags a4; OP(flt) a0, fa1, fa2; fsflags a4; OP(fdiv) fa0, fa1, fa2)

/* ---- each flag, both ways ---- */
    FLAGS(0x1f, 0x1f, ONE, ONE, frflags a4)
    CHECK(a4, 0x1f)
    FLAGS(NX, 0, ONE, THREE, OP(fdiv) fa0, fa1, fa2; frflags a4)
    CHECK(a4, NX)
    FLAGS(UF | NX, 0, SUB_MIN, HALF, OP(fmul) fa0, fa1, fa2; frflags a4)
    CHECK(a4, UF | NX)
    FLAGS(OF | NX, 0, FINITE, TWO, OP(fmul) fa0, fa1, fa2; frflags a4)
    CHECK(a4, OF | NX)
    FLAGS(DZ, 0, ONE, ZERO, OP(fdiv) fa0, fa1, fa2; frflags a4)
    CHECK(a4, DZ)
    FLAGS(NV, 0, INF, NEG(INF), OP(fadd) fa0, fa1, fa2; frflags a4)
    CHECK(a4, NV)
    FLAGS(0, 0, SUB_MIN, SUB_MIN, OP(fadd) fa0, fa1, fa2; frflags a4)   /* the host has a flag of its own for these */
    CHECK(a4, 0)
    FLAGS(UF, NX, ONE, ONE, li a4, UF; fsflags a4)
    FLAGS(OF, NX, ONE, ONE, li a4, OF; fsflags a4)
    FLAGS(DZ, NX, ONE, ONE, li a4, DZ; fsflags a4)
    FLAGS(NV, NX, ONE, ONE, li a4, NV; fsflags a4)
    FLAGS(NX, DZ, ONE, ONE, li a4, NX; fsflags a4)
    FLAGS(0x15, 0x0a, ONE, ONE, li a4, -0x0b; fsflags a4)               /* no other bits */
    FLAGS(0x0a, 0x15, ONE, ONE, li a4, 0x0a; fsflags a4, a4; mv t2, a4)
    CHECK(t2, 0x15)
    FLAGS(0x12, 0x15, ONE, ONE, fsflagsi a4, 0x12)
    CHECK(a4, 0x15)
    FLAGS(0x17, 0x15, ONE, ONE, csrrsi a4, fflags, 2)
    CHECK(a4, 0x15)
    FLAGS(0x11, 0x15, ONE, ONE, csrrci a4, fflags, 6)
    CHECK(a4, 0x15)

/* ---- NaNs that only arithmetic has seen: the host's have payloads, and a sign ---- */
    FLAGS(0, 0, QNAN_PAYLOAD, ONE, OP(fadd) fa0, fa1, fa2; OP(fsub) fa4, fa2, fa1; OP(fmul) fa0, fa0, fa4)
    fp_result QNAN | BOX, 0
    FLAGS(NV, 0, INF, NEG(INF), OP(fadd) fa4, fa1, fa2; OP(fsub) fa0, fa1, fa1; OP(feq) a0, fa0, fa4)
    fp_result QNAN | BOX, NV
    FLAGS(NV, 0, INF, NEG(INF), OP(fadd) fa0, fa1, fa2; OP(fmadd) fa4, fa2, fa0, fa2; OP(fsqrt) fa4, fa4)
    fp_result QNAN | BOX, NV
    FLAGS(NV, 0, INF, ZERO, OP(fmul) fa0, fa1, fa2; OP(fdiv) fa4, fa0, fa0; fsflags zero; OP(fmadd) fa0, fa1, fa2, fa4)
    fp_result QNAN | BOX, NV
    FLAGS(NV, 0, NEG(ONE), ONE, OP(fsqrt) fa0, fa1; OP(fadd) fa0, fa0, fa2; OP(flt) a0, fa0, fa2)
    fp_result QNAN | BOX, NV
#if WIDTH_BITS == 64
    /* as a single this is a boxed value, though the canonical NaN is none */
    FLAGS(NX, NX, 0xffffffff3f800000, ONE, fadd.d fa3, fa1, fa2; fadd.s fa0, fa3, fa3)
    fp_result 0xffffffff7fc00000, NX
#endif

/* ---- the rounding mode stays ---- */
    line __LINE__
    fp_operands ONE | BOX, THREE | BOX
    fsrmi 3
    repeat 0
    OP(fdiv) fa0, fa1, fa2
    frflags a4
    OP(flt) a0, fa1, fa2
    fsflags a4
    until_done
    fsrmi 0
    fp_result THIRD_UP | BOX, NX

/* ---- mstatus.FS: reads leave it alone, writes make it dirty ---- */
    LINE
    li s7, MSTATUS_FS
    li s8, 0x2000
    csrc mstatus, s7
    csrs mstatus, s8
    frflags a4
    csrr a0, mstatus
    and a0, a0, s7
    check a0, 0x2000
    fsflags a4
    csrr a0, mstatus
    and a0, a0, s7
    check a0, MSTATUS_FS
    LINE
    csrc mstatus, s7
    TRAPS(ILLEGAL, 0x00102773, frflags a4)
    TRAPS(ILLEGAL, 0x00171073, fsflags a4)
    csrs mstatus, s7
    END
