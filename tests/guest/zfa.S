/* zfa.S - Zfa in the width WIDTH_BITS. binutils 2.40 does not know it: instructions are given by their fields. */
#include "fp-macros.h"

#if WIDTH_BITS == 16
#define FMT 2
#elif WIDTH_BITS == 32
#define FMT 0
#else
#define FMT 1
#endif
/* funct7 with the format in its low bits, funct3, and a number in the place of a register. */
.macro fminm rd, rs1, rs2
    .insn r 0x53, 2, 0x14 + FMT, \rd, \rs1, \rs2
.endm
.macro fmaxm rd, rs1, rs2
    .insn r 0x53, 3, 0x14 + FMT, \rd, \rs1, \rs2
.endm
.macro fleq rd, rs1, rs2
    .insn r 0x53, 4, 0x50 + FMT, \rd, \rs1, \rs2
.endm
.macro fltq rd, rs1, rs2
    .insn r 0x53, 5, 0x50 + FMT, \rd, \rs1, \rs2
.endm
.macro fround rm
    .insn r 0x53, \rm, 0x20 + FMT, fa0, fa1, f4
.endm
.macro froundnx rm
    .insn r 0x53, \rm, 0x20 + FMT, fa0, fa1, f5
.endm
/* rs1 is the row of the table. */
.macro fli row
    .insn r 0x53, 0, 0x78 + FMT, fa0, x\row, x1
.endm

#define M2(insn, want, flags, a, b) fp_case __LINE__, want, flags, a, b, 0, insn fa0, fa1, fa2
#define C2(insn, want, flags, a, b) fp_to_x __LINE__, want, flags, a, b, insn a0, fa1, fa2
#define ROUND(rm, want, a) fp_case __LINE__, want, 0, a, 0, 0, fround rm
#define ROUNDNX(rm, want, flags, a) fp_case __LINE__, want, flags, a, 0, 0, froundnx rm
#define RNE 0
#define RTZ 1
#define RDN 2
#define RUP 3
#define RMM 4
#define DYN 7

    BEGIN
/* ---- unlike fmin and fmax, any NaN wins ---- */
    M2(fminm, ONE, 0, ONE, TWO)
    M2(fminm, NEG(ZERO), 0, ZERO, NEG(ZERO))
    M2(fminm, QNAN, 0, QNAN_PAYLOAD, ONE)
    M2(fminm, QNAN, 0, ONE, QNAN)
    M2(fminm, QNAN, NV, SNAN, ONE)
    M2(fmaxm, TWO, 0, ONE, TWO)
    M2(fmaxm, ZERO, 0, NEG(ZERO), ZERO)
    M2(fmaxm, QNAN, 0, QNAN, ONE)
    M2(fmaxm, QNAN, 0, ONE, QNAN_PAYLOAD)
    M2(fmaxm, QNAN, NV, ONE, SNAN)

/* ---- quiet comparison ---- */
    C2(fleq, 1, 0, ONE, ONE)
    C2(fleq, 1, 0, NEG(ONE), ONE)
    C2(fleq, 0, 0, TWO, ONE)
    C2(fleq, 0, 0, QNAN, ONE)
    C2(fleq, 0, NV, ONE, SNAN)
    C2(fltq, 0, 0, ONE, ONE)
    C2(fltq, 1, 0, ONE, TWO)
    C2(fltq, 0, 0, ONE, QNAN)
    C2(fltq, 0, NV, SNAN, ONE)

/* ---- rounding to an integer: fround never says so ---- */
    ROUND(RNE, TWO, TWO_HALF)
    ROUND(RTZ, TWO, TWO_HALF)
    ROUND(RDN, TWO, TWO_HALF)
    ROUND(RUP, THREE, TWO_HALF)
    ROUND(RMM, THREE, TWO_HALF)
    ROUND(DYN, TWO, ONE_HALF)
    ROUND(RDN, NEG(THREE), NEG(TWO_HALF))
    ROUND(RUP, NEG(TWO), NEG(TWO_HALF))
    ROUND(RNE, NEG(ZERO), NEG(HALF))
    ROUND(RMM, NEG(ONE), NEG(HALF))
    ROUND(RNE, ZERO, SUB_MIN)
    ROUND(RUP, ONE, SUB_MIN)
    ROUND(RNE, FINITE, FINITE)
    ROUND(RNE, NEG(INF), NEG(INF))
    ROUND(RNE, NEG(ZERO), NEG(ZERO))
    ROUND(RNE, QNAN, QNAN_PAYLOAD)
    fsrmi 3
    ROUND(DYN, THREE, TWO_HALF)
    fsrmi 0
    ROUNDNX(RNE, TWO, NX, TWO_HALF)
    ROUNDNX(RMM, THREE, NX, TWO_HALF)
    ROUNDNX(RUP, ONE, NX, SUB_MIN)
    ROUNDNX(RDN, NEG(ONE), NX, NEG(SUB_MIN))
    ROUNDNX(RTZ, TWO, 0, TWO)
    ROUNDNX(RTZ, INF, 0, INF)
    ROUNDNX(DYN, QNAN, 0, QNAN)
    ROUNDNX(DYN, QNAN, NV, SNAN)

/* ---- constants ---- */
#define FLI(row, want) fp_case __LINE__, want, 0, 0, 0, 0, fli row
    FLI(0, NEG(ONE))
    FLI(1, NORM_MIN)
    FLI(8, HALF - (ONE - HALF)) /* a quarter: one exponent down */
    FLI(12, HALF)
    FLI(16, ONE)
    FLI(18, ONE_HALF)
    FLI(20, TWO)
    FLI(21, TWO_HALF)
    FLI(22, THREE)
    FLI(23, FOUR)
    FLI(30, INF)
    FLI(31, QNAN)
#if WIDTH_BITS == 16
    FLI(2, 0x0100)
    FLI(3, 0x0200)
    FLI(4, 0x1c00)
    FLI(9, 0x3500)
    FLI(17, 0x3d00)
    FLI(28, 0x7800)
    FLI(29, INF)
#elif WIDTH_BITS == 32
    FLI(2, 0x37800000)
    FLI(3, 0x38000000)
    FLI(4, 0x3b800000)
    FLI(5, 0x3c000000)
    FLI(6, 0x3d800000)
    FLI(7, 0x3e000000)
    FLI(9, 0x3ea00000)
    FLI(10, 0x3ec00000)
    FLI(11, 0x3ee00000)
    FLI(13, 0x3f200000)
    FLI(14, 0x3f400000)
    FLI(15, 0x3f600000)
    FLI(17, 0x3fa00000)
    FLI(19, 0x3fe00000)
    FLI(24, 0x41000000)
    FLI(25, 0x41800000)
    FLI(26, 0x43000000)
    FLI(27, 0x43800000)
    FLI(28, 0x47000000)
    FLI(29, 0x47800000)
#else
    FLI(2, 0x3ef0000000000000)
    FLI(29, 0x40f0000000000000)

/* ---- fcvtmod.w.d: modulo 2^32, toward zero; always written with rtz ---- */
.macro fcvtmod rd, rs1
    .insn r 0x53, 1, 0x61, \rd, \rs1, f8
.endm
#define MODULAR(want, flags, a) fp_to_x __LINE__, want, flags, a, 0, fcvtmod a0, fa1
    MODULAR(3, 0, THREE)
    MODULAR(-2, NX, NEG(TWO_HALF))
    MODULAR(0, NX, SUB_MIN)
    MODULAR(-0x80000000, NV, 0x41e0000000000000)
    MODULAR(1, NV, 0x41f0000000100000)
    MODULAR(-1, NV, 0xc1f0000000100000)
    MODULAR(-1, NV, 0x433fffffffffffff)
    MODULAR(-0x80000000, NV, 0x4520000000000001)
    MODULAR(0, NV, 0x4530000000000001)
    MODULAR(0, NV, 0x4540000000000000)
    MODULAR(0, NV, INF)
    MODULAR(0, NV, QNAN)
    MODULAR(-0x80000000, 0, 0xc1e0000000000000)
    /* its other rounding modes are reserved */
    TRAPS(ILLEGAL, any, .insn r 0x53, 0, 0x61, a0, fa1, f8)
    TRAPS(ILLEGAL, any, .insn r 0x53, 7, 0x61, a0, fa1, f8)
#if XLEN == 32
.macro fmvh.x.d rd, rs1
    .insn r 0x53, 0, 0x71, \rd, \rs1, f1
.endm
.macro fmvp.d.x rd, rs1, rs2
    .insn r 0x53, 0, 0x59, \rd, \rs1, \rs2
.endm
    RAW_TO_X(0x11223344, 0, 0x1122334455667788, fmvh.x.d a0, fa1)
    RAW_TO_X(-0x80000000, 0, 0x8000000000000001, fmvh.x.d a0, fa1)
    line __LINE__
    fsflags zero
    li a0, 0x55667788
    li a1, 0x81223344
    fmvp.d.x fa0, a0, a1
    fp_result 0x8122334455667788, 0
    li a0, -1
    fmvp.d.x fa0, zero, a0
    fp_result 0xffffffff00000000, 0
    fmvp.d.x fa0, a0, zero
    fp_result 0x00000000ffffffff, 0
#endif
#endif
    END
