/*
 * fp-macros.h - cases of floating point: result and flags, operands and result as bits of the width WIDTH (h, s or d).
 *
 *     F2(fadd, TWO, 0, ONE, ONE)                fadd.WIDTH fa0, fa1, fa2, dynamic rounding
 *     F2R(fadd, rup, ...)                       ... with this rounding mode in the instruction
 *
 * The result is compared in all its 64 bits: narrower ones have to be boxed. The file is assembled once a width.
 */
#include "test-macros.h"

#if WIDTH_BITS == 16
#define WIDTH h
#define BOX 0xffffffffffff0000
#define ZERO 0
#define ONE 0x3c00
#define NEXT_ONE 0x3c01
#define BEFORE_ONE 0x3bfe
#define NEG_ULP_SQUARED 0x8010
#define TWO 0x4000
#define THREE 0x4200
#define FOUR 0x4400
#define FIVE 0x4500
#define SIX 0x4600
#define SEVEN 0x4700
#define HALF 0x3800
#define ONE_HALF 0x3e00
#define TWO_HALF 0x4100
#define SUB_MIN 1
#define NORM_MIN 0x0400
#define SUB_HALF 0x0200
#define FINITE 0x7bff
#define INF 0x7c00
#define QNAN 0x7e00
#define QNAN_PAYLOAD 0x7e55
#define SNAN 0x7d00
#define SIGN 0x8000
#define THIRD 0x3555
#define THIRD_UP 0x3556
#define ROOT_TWO 0x3da8
#define ROOT_TWO_UP 0x3da9
#define ROOT_TWO_NEAR ROOT_TWO
#elif WIDTH_BITS == 32
#define WIDTH s
#define BOX 0xffffffff00000000
#define ZERO 0
#define ONE 0x3f800000
#define NEXT_ONE 0x3f800001
#define BEFORE_ONE 0x3f7ffffe
#define NEG_ULP_SQUARED 0xa8800000
#define TWO 0x40000000
#define THREE 0x40400000
#define FOUR 0x40800000
#define FIVE 0x40a00000
#define SIX 0x40c00000
#define SEVEN 0x40e00000
#define HALF 0x3f000000
#define ONE_HALF 0x3fc00000
#define TWO_HALF 0x40200000
#define SUB_MIN 1
#define NORM_MIN 0x00800000
#define SUB_HALF 0x00400000
#define FINITE 0x7f7fffff
#define INF 0x7f800000
#define QNAN 0x7fc00000
#define QNAN_PAYLOAD 0x7fc12345
#define SNAN 0x7fa00000
#define SIGN 0x80000000
#define THIRD 0x3eaaaaaa
#define THIRD_UP 0x3eaaaaab
#define ROOT_TWO 0x3fb504f3
#define ROOT_TWO_UP 0x3fb504f4
#define ROOT_TWO_NEAR ROOT_TWO
#else
#define WIDTH d
#define BOX 0
#define ZERO 0
#define ONE 0x3ff0000000000000
#define NEXT_ONE 0x3ff0000000000001
#define BEFORE_ONE 0x3feffffffffffffe
#define NEG_ULP_SQUARED 0xb970000000000000
#define TWO 0x4000000000000000
#define THREE 0x4008000000000000
#define FOUR 0x4010000000000000
#define FIVE 0x4014000000000000
#define SIX 0x4018000000000000
#define SEVEN 0x401c000000000000
#define HALF 0x3fe0000000000000
#define ONE_HALF 0x3ff8000000000000
#define TWO_HALF 0x4004000000000000
#define SUB_MIN 1
#define NORM_MIN 0x0010000000000000
#define SUB_HALF 0x0008000000000000
#define FINITE 0x7fefffffffffffff
#define INF 0x7ff0000000000000
#define QNAN 0x7ff8000000000000
#define QNAN_PAYLOAD 0x7ff8123456789abc
#define SNAN 0x7ff4000000000000
#define SIGN 0x8000000000000000
#define THIRD 0x3fd5555555555555
#define THIRD_UP 0x3fd5555555555556
#define ROOT_TWO 0x3ff6a09e667f3bcc
#define ROOT_TWO_UP 0x3ff6a09e667f3bcd
#define ROOT_TWO_NEAR ROOT_TWO_UP
#endif
#if WIDTH_BITS == 32
#define THIRD_NEAR THIRD_UP
#else
#define THIRD_NEAR THIRD
#endif
#define NEG(x) (x | SIGN)

/* fa1, fa2, fa3 from three patterns; fflags is clear. */
.macro fp_operands a, b=0, c=0
    .pushsection .data
    .balign 8
74: .8byte \a, \b, \c
    .popsection
    la t0, 74b
    fld fa1, 0(t0)
    fld fa2, 8(t0)
    fld fa3, 16(t0)
    fsflags zero
.endm

/* fa0 and fflags. */
.macro fp_result want, flags
    frflags t1
    .pushsection .data
    .balign 8
74: .8byte \want, 0
    .popsection
    la t0, 74b
    fsd fa0, 8(t0)
    REG_L a6, 8(t0)
    REG_L a7, 0(t0)
    beq a6, a7, 77f
    j fail
77:
#if XLEN == 32
    lw a6, 12(t0)
    lw a7, 4(t0)
    beq a6, a7, 77f
    j fail
77:
#endif
    check t1, \flags
.endm

.macro fp_case number, want, flags, a, b, c, insn:vararg
    line \number
    fp_operands (\a) | BOX, (\b) | BOX, (\c) | BOX
    \insn
    fp_result (\want) | BOX, \flags
.endm

/* The result is an x register. */
.macro fp_to_x number, want, flags, a, b, insn:vararg
    line \number
    fp_operands (\a) | BOX, (\b) | BOX
    \insn
    frflags t1
    check a0, \want
    check t1, \flags
.endm

/* The operand is one. */
.macro fp_from_x number, want, flags, a, insn:vararg
    line \number
    fsflags zero
    li a1, \a
    \insn
    fp_result (\want) | BOX, \flags
.endm

/* Operand and result as 64 bits, whatever their widths. */
.macro fp_raw number, want, flags, a, b, insn:vararg
    line \number
    fp_operands \a, \b
    \insn
    fp_result \want, \flags
.endm

.macro fp_raw_to_x number, want, flags, a, insn:vararg
    line \number
    fp_operands \a
    \insn
    frflags t1
    check a0, \want
    check t1, \flags
.endm

#define OP(insn) insn.WIDTH
#define F1(insn, want, flags, a) fp_case __LINE__, want, flags, a, 0, 0, OP(insn) fa0, fa1
#define F1R(insn, rm, want, flags, a) fp_case __LINE__, want, flags, a, 0, 0, OP(insn) fa0, fa1, rm
#define F2(insn, want, flags, a, b) fp_case __LINE__, want, flags, a, b, 0, OP(insn) fa0, fa1, fa2
#define F2R(insn, rm, want, flags, a, b) fp_case __LINE__, want, flags, a, b, 0, OP(insn) fa0, fa1, fa2, rm
#define F3(insn, want, flags, a, b, c) fp_case __LINE__, want, flags, a, b, c, OP(insn) fa0, fa1, fa2, fa3
#define F3R(insn, rm, want, flags, a, b, c) fp_case __LINE__, want, flags, a, b, c, OP(insn) fa0, fa1, fa2, fa3, rm
#define FC(insn, want, flags, a, b) fp_to_x __LINE__, want, flags, a, b, OP(insn) a0, fa1, fa2
#define FX1(insn, want, flags, a) fp_to_x __LINE__, want, flags, a, 0, OP(insn) a0, fa1
#define FX1R(insn, rm, want, flags, a) fp_to_x __LINE__, want, flags, a, 0, OP(insn) a0, fa1, rm
#define FROM(insn, want, flags, a) fp_from_x __LINE__, want, flags, a, insn fa0, a1
#define FROMR(insn, rm, want, flags, a) fp_from_x __LINE__, want, flags, a, insn fa0, a1, rm
#define RAW(want, flags, a, ...) fp_raw __LINE__, want, flags, a, 0, __VA_ARGS__
#define RAW2(want, flags, a, b, ...) fp_raw __LINE__, want, flags, a, b, __VA_ARGS__
#define RAW_TO_X(want, flags, a, ...) fp_raw_to_x __LINE__, want, flags, a, __VA_ARGS__
