/* fp.S - F, D or Zfh by WIDTH_BITS: every instruction that the three widths share. */
#include "fp-macros.h"

    BEGIN

/* ---- arithmetic; one case in each rounding mode, static and dynamic ---- */
    F2(fadd, THREE, 0, ONE, TWO)
    F2(fadd, ZERO, 0, ONE, NEG(ONE))
    F2R(fadd, rdn, NEG(ZERO), 0, ONE, NEG(ONE))
    F2(fadd, INF, OF | NX, FINITE, FINITE)
    F2R(fadd, rtz, FINITE, OF | NX, FINITE, FINITE)
    F2R(fadd, rdn, FINITE, OF | NX, FINITE, FINITE)
    F2R(fadd, rup, INF, OF | NX, FINITE, FINITE)
    F2R(fadd, rmm, INF, OF | NX, FINITE, FINITE)
    F2R(fadd, rup, NEG(FINITE), OF | NX, NEG(FINITE), NEG(FINITE))
    F2(fadd, ONE, NX, ONE, SUB_MIN)
    F2R(fadd, rup, NEXT_ONE, NX, ONE, SUB_MIN)
    F2(fadd, 2, 0, SUB_MIN, SUB_MIN)
    F2(fadd, QNAN, NV, INF, NEG(INF))
    F2(fadd, QNAN, 0, QNAN_PAYLOAD, ONE)
    F2(fadd, QNAN, NV, ONE, SNAN)
    F2(fsub, ONE, 0, THREE, TWO)
    F2(fsub, NEG(ONE), 0, TWO, THREE)
    F2(fsub, ZERO, 0, INF & 0, ZERO)
    F2R(fsub, rtz, ONE - 1, NX, ONE, SUB_MIN)
    F2R(fsub, rup, ONE, NX, ONE, SUB_MIN)
    F2R(fsub, rmm, ONE, NX, ONE, SUB_MIN)
    F2(fsub, QNAN, NV, INF, INF)
    F2(fmul, SIX, 0, TWO, THREE)
    F2(fmul, NEG(ZERO), 0, NEG(ONE), ZERO)
    F2(fmul, SUB_HALF, 0, NORM_MIN, HALF)
    F2(fmul, ZERO, UF | NX, SUB_MIN, HALF)
    F2R(fmul, rup, SUB_MIN, UF | NX, SUB_MIN, HALF)
    F2R(fmul, rmm, SUB_MIN, UF | NX, SUB_MIN, HALF)
    F2R(fmul, rdn, NEG(SUB_MIN), UF | NX, NEG(SUB_MIN), HALF)
    F2R(fmul, rne, 2, UF | NX, 3, HALF)
    F2(fmul, INF, OF | NX, FINITE, TWO)
    F2(fmul, QNAN, NV, INF, ZERO)
    F2(fmul, QNAN, 0, INF, QNAN)
    F2(fdiv, THREE, 0, SIX, TWO)
    F2(fdiv, THIRD_NEAR, NX, ONE, THREE)
    F2R(fdiv, rne, THIRD_NEAR, NX, ONE, THREE)
    F2R(fdiv, rtz, THIRD, NX, ONE, THREE)
    F2R(fdiv, rdn, THIRD, NX, ONE, THREE)
    F2R(fdiv, rup, THIRD_UP, NX, ONE, THREE)
    F2R(fdiv, rmm, THIRD_NEAR, NX, ONE, THREE)
    F2R(fdiv, rdn, NEG(THIRD_UP), NX, NEG(ONE), THREE)
    F2(fdiv, INF, DZ, ONE, ZERO)
    F2(fdiv, NEG(INF), DZ, ONE, NEG(ZERO))
    F2(fdiv, QNAN, NV, ZERO, ZERO)
    F2(fdiv, QNAN, NV, INF, INF)
    F2(fdiv, ZERO, 0, ONE, INF)
    F2(fdiv, INF, 0, INF, ZERO)
    F2(fdiv, INF, OF | NX, FINITE, SUB_MIN)
    F1(fsqrt, TWO, 0, FOUR)
    F1(fsqrt, ROOT_TWO_NEAR, NX, TWO)
    F1R(fsqrt, rtz, ROOT_TWO, NX, TWO)
    F1R(fsqrt, rdn, ROOT_TWO, NX, TWO)
    F1R(fsqrt, rup, ROOT_TWO_UP, NX, TWO)
    F1R(fsqrt, rmm, ROOT_TWO_NEAR, NX, TWO)
    F1(fsqrt, NEG(ZERO), 0, NEG(ZERO))
    F1(fsqrt, INF, 0, INF)
    F1(fsqrt, QNAN, NV, NEG(ONE))
    F1(fsqrt, QNAN, NV, SNAN)

.macro dynamic number, rm, want
    line \number
    fsrmi \rm
    fp_case \number, \want, NX, ONE, THREE, 0, OP(fdiv) fa0, fa1, fa2
    frrm a0
    check a0, \rm
    fsrmi 0
.endm
#define DYNAMIC(rm, want) dynamic __LINE__, rm, want
    DYNAMIC(0, THIRD_NEAR)
    DYNAMIC(1, THIRD)
    DYNAMIC(2, THIRD)
    DYNAMIC(3, THIRD_UP)
    DYNAMIC(4, THIRD_NEAR)
    /* the instruction's own mode wins over frm */
    fsrmi 3
    F2R(fdiv, rtz, THIRD, NX, ONE, THREE)
    F2(fdiv, THIRD_UP, NX, ONE, THREE)
    fsrmi 0

/* ---- fused: the sign of each, one rounding, and the NV of infinity times zero ---- */
    F3(fmadd, SEVEN, 0, TWO, THREE, ONE)
    F3(fmsub, FIVE, 0, TWO, THREE, ONE)
    F3(fnmsub, NEG(FIVE), 0, TWO, THREE, ONE)
    F3(fnmadd, NEG(SEVEN), 0, TWO, THREE, ONE)
    F3(fmadd, NEG_ULP_SQUARED, 0, NEXT_ONE, BEFORE_ONE, NEG(ONE))
    F3(fmsub, NEG_ULP_SQUARED, 0, NEXT_ONE, BEFORE_ONE, ONE)
    F3(fnmsub, NEG(NEG_ULP_SQUARED) ^ SIGN, 0, NEXT_ONE, BEFORE_ONE, ONE)
    F3(fnmadd, NEG(NEG_ULP_SQUARED) ^ SIGN, 0, NEXT_ONE, BEFORE_ONE, NEG(ONE))
    F3(fmadd, ZERO, 0, ONE, ONE, NEG(ONE))
    F3(fnmadd, NEG(ZERO), 0, ZERO, ONE, ZERO)
    F3R(fmadd, rdn, NEG(ZERO), 0, ONE, ONE, NEG(ONE))
    F3R(fmadd, rup, NEXT_ONE, NX, ONE, ONE, SUB_MIN)
    F3R(fmsub, rtz, ONE - 1, NX, ONE, ONE, SUB_MIN)
    F3R(fnmsub, rdn, NEG(ONE), NX, ONE, ONE, SUB_MIN)
    F3R(fnmadd, rdn, NEG(NEXT_ONE), NX, ONE, ONE, SUB_MIN)
    F3R(fmadd, rmm, ONE, NX, ONE, ONE, SUB_MIN)
    F3(fmadd, QNAN, NV, INF, ZERO, ONE)
    F3(fmadd, QNAN, NV, INF, ZERO, QNAN)
    F3(fmsub, QNAN, NV, ZERO, INF, QNAN)
    F3(fnmsub, QNAN, NV, INF, ONE, INF)
    F3(fnmadd, QNAN, 0, ONE, ONE, QNAN_PAYLOAD)
    F3(fmadd, QNAN, NV, ONE, SNAN, ONE)
    F3(fmadd, INF, OF | NX, FINITE, TWO, ZERO)

/* ---- sign injection ---- */
    F2(fsgnj, ONE, 0, NEG(ONE), TWO)
    F2(fsgnj, NEG(ONE), 0, ONE, NEG(ZERO))
    F2(fsgnj, NEG(SNAN), 0, SNAN, NEG(ONE))
    F2(fsgnjn, NEG(ONE), 0, ONE, TWO)
    F2(fsgnjn, ONE, 0, ONE, NEG(TWO))
    F2(fsgnjx, NEG(ONE), 0, ONE, NEG(TWO))
    F2(fsgnjx, ONE, 0, NEG(ONE), NEG(TWO))
    F2(fsgnjx, NEG(ONE), 0, NEG(ONE), TWO)

/* ---- minimum and maximum ---- */
    F2(fmin, ONE, 0, ONE, TWO)
    F2(fmin, NEG(TWO), 0, ONE, NEG(TWO))
    F2(fmin, NEG(ZERO), 0, ZERO, NEG(ZERO))
    F2(fmin, NEG(ZERO), 0, NEG(ZERO), ZERO)
    F2(fmin, ONE, 0, QNAN, ONE)
    F2(fmin, ONE, NV, ONE, SNAN)
    F2(fmin, QNAN, 0, QNAN_PAYLOAD, QNAN)
    F2(fmin, QNAN, NV, SNAN, QNAN)
    F2(fmax, TWO, 0, ONE, TWO)
    F2(fmax, ONE, 0, ONE, NEG(TWO))
    F2(fmax, ZERO, 0, ZERO, NEG(ZERO))
    F2(fmax, ZERO, 0, NEG(ZERO), ZERO)
    F2(fmax, ONE, 0, ONE, QNAN)
    F2(fmax, ONE, NV, SNAN, ONE)
    F2(fmax, QNAN, 0, QNAN_PAYLOAD, QNAN)

/* ---- comparison ---- */
    FC(feq, 1, 0, ONE, ONE)
    FC(feq, 1, 0, ZERO, NEG(ZERO))
    FC(feq, 0, 0, ONE, TWO)
    FC(feq, 0, 0, QNAN, ONE)
    FC(feq, 0, NV, SNAN, ONE)
    FC(flt, 1, 0, ONE, TWO)
    FC(flt, 0, 0, ONE, ONE)
    FC(flt, 0, 0, NEG(ZERO), ZERO)
    FC(flt, 1, 0, NEG(INF), NEG(FINITE))
    FC(flt, 0, NV, ONE, QNAN)
    FC(flt, 0, NV, SNAN, ONE)
    FC(fle, 1, 0, ONE, TWO)
    FC(fle, 1, 0, ONE, ONE)
    FC(fle, 1, 0, ZERO, NEG(ZERO))
    FC(fle, 0, 0, TWO, ONE)
    FC(fle, 0, NV, QNAN, QNAN)
    FC(fle, 0, NV, ONE, SNAN)

    FX1(fclass, 1 << 0, 0, NEG(INF))
    FX1(fclass, 1 << 1, 0, NEG(ONE))
    FX1(fclass, 1 << 2, 0, NEG(SUB_HALF))
    FX1(fclass, 1 << 3, 0, NEG(ZERO))
    FX1(fclass, 1 << 4, 0, ZERO)
    FX1(fclass, 1 << 5, 0, SUB_MIN)
    FX1(fclass, 1 << 6, 0, NORM_MIN)
    FX1(fclass, 1 << 7, 0, INF)
    FX1(fclass, 1 << 8, 0, SNAN)
    FX1(fclass, 1 << 9, 0, NEG(QNAN))

/* ---- to integers ---- */
.macro to_w number, unsigned, want, flags, a, rm
    .if \unsigned
    fp_to_x \number, \want, \flags, \a, 0, OP(fcvt.wu) a0, fa1, \rm
    .else
    fp_to_x \number, \want, \flags, \a, 0, OP(fcvt.w) a0, fa1, \rm
    .endif
.endm
#define TO_W(rm, want, flags, a) to_w __LINE__, 0, want, flags, a, rm
#define TO_WU(rm, want, flags, a) to_w __LINE__, 1, want, flags, a, rm
    TO_W(rtz, 3, 0, THREE)
    TO_W(rne, 2, NX, TWO_HALF)
    TO_W(rtz, 2, NX, TWO_HALF)
    TO_W(rdn, 2, NX, TWO_HALF)
    TO_W(rup, 3, NX, TWO_HALF)
    TO_W(rmm, 3, NX, TWO_HALF)
    TO_W(rne, -2, NX, NEG(TWO_HALF))
    TO_W(rtz, -2, NX, NEG(TWO_HALF))
    TO_W(rdn, -3, NX, NEG(TWO_HALF))
    TO_W(rup, -2, NX, NEG(TWO_HALF))
    TO_W(rmm, -3, NX, NEG(TWO_HALF))
    TO_W(dyn, 2, NX, ONE_HALF)
    TO_W(rne, 0, NX, HALF)
    TO_W(rup, 1, NX, SUB_MIN)
    TO_W(rtz, 0, 0, NEG(ZERO))
    TO_W(rtz, 0x7fffffff, NV, INF)
    TO_W(rtz, -0x80000000, NV, NEG(INF))
    TO_W(rtz, 0x7fffffff, NV, QNAN)
    TO_W(rtz, 0x7fffffff, NV, NEG(SNAN))
    TO_WU(rtz, 3, 0, THREE)
    TO_WU(rup, 3, NX, TWO_HALF)
    TO_WU(rtz, 0, NX, NEG(HALF))
    TO_WU(rne, 0, NX, NEG(HALF))
    TO_WU(rdn, 0, NV, NEG(HALF))
    TO_WU(rtz, 0, NV, NEG(ONE))
    TO_WU(rtz, -1, NV, INF)
    TO_WU(rtz, 0, NV, NEG(INF))
    TO_WU(rtz, -1, NV, NEG(QNAN))
#if WIDTH_BITS == 32
    TO_W(rtz, 0x7fffff80, 0, 0x4effffff)
    TO_W(rtz, 0x7fffffff, NV, 0x4f000000)
    TO_W(rtz, -0x80000000, 0, 0xcf000000)
    TO_W(rtz, -0x80000000, NV, 0xcf000001)
    TO_WU(rtz, -0x80000000, 0, 0x4f000000)
    TO_WU(rtz, -1, NV, 0x4f800000)
#elif WIDTH_BITS == 64
    TO_W(rtz, 0x7fffffff, NX, 0x41dfffffffe00000)
    TO_W(rne, 0x7fffffff, NV, 0x41dfffffffe00000)
    TO_W(rtz, -0x80000000, NX, 0xc1e0000000100000)
    TO_W(rdn, -0x80000000, NV, 0xc1e0000000100000)
    TO_WU(rtz, -1, NX, 0x41effffffff00000)
    TO_WU(rup, -1, NV, 0x41effffffff00000)
    TO_WU(rtz, -0x80000000, 0, 0x41e0000000000000)
#else
    TO_W(rtz, 65504, 0, FINITE)
    TO_WU(rtz, 65504, 0, FINITE)
#endif
#if XLEN == 64
    FX1R(fcvt.l, rtz, 3, 0, THREE)
    FX1R(fcvt.l, rdn, -3, NX, NEG(TWO_HALF))
    FX1R(fcvt.l, rmm, -3, NX, NEG(TWO_HALF))
    FX1R(fcvt.l, rtz, MAX, NV, INF)
    FX1R(fcvt.l, rtz, MIN, NV, NEG(INF))
    FX1R(fcvt.l, rtz, MAX, NV, QNAN)
    FX1R(fcvt.lu, rtz, 3, 0, THREE)
    FX1R(fcvt.lu, rup, 3, NX, TWO_HALF)
    FX1R(fcvt.lu, rtz, 0, NV, NEG(ONE))
    FX1R(fcvt.lu, rtz, 0, NX, NEG(HALF))
    FX1R(fcvt.lu, rtz, -1, NV, INF)
    FX1R(fcvt.lu, rtz, -1, NV, QNAN)
#if WIDTH_BITS == 32
    FX1R(fcvt.l, rtz, 0x7fffff8000000000, 0, 0x5effffff)
    FX1R(fcvt.l, rtz, MAX, NV, 0x5f000000)
    FX1R(fcvt.l, rtz, MIN, 0, 0xdf000000)
    FX1R(fcvt.lu, rtz, MIN, 0, 0x5f000000)
    FX1R(fcvt.lu, rtz, -1, NV, 0x5f800000)
#elif WIDTH_BITS == 64
    FX1R(fcvt.l, rtz, 0x7ffffffffffffc00, 0, 0x43dfffffffffffff)
    FX1R(fcvt.l, rtz, MAX, NV, 0x43e0000000000000)
    FX1R(fcvt.l, rtz, MIN, 0, 0xc3e0000000000000)
    FX1R(fcvt.lu, rtz, MIN, 0, 0x43e0000000000000)
    FX1R(fcvt.lu, rtz, 0xfffffffffffff800, 0, 0x43efffffffffffff)
    FX1R(fcvt.lu, rtz, -1, NV, 0x43f0000000000000)
#endif
#endif

/* ---- from integers ---- */
#define FROM_I(insn, want, flags, a) FROM(OP(fcvt).insn, want, flags, a)
#define FROM_IR(insn, rm, want, flags, a) FROMR(OP(fcvt).insn, rm, want, flags, a)
    FROM_I(w, THREE, 0, 3)
    FROM_I(w, NEG(THREE), 0, -3)
    FROM_I(w, ZERO, 0, 0)
    FROM_I(wu, THREE, 0, 3)
#if WIDTH_BITS == 16
    FROM_I(w, 0x6800, NX, 2049)
    FROM_IR(w, rup, 0x6801, NX, 2049)
    FROM_I(w, INF, OF | NX, 65520)
    FROM_IR(w, rtz, FINITE, NX, 65520)
    FROM_IR(w, rtz, FINITE, OF | NX, 65536)
    FROM_I(w, NEG(INF), OF | NX, -0x80000000)
    FROM_I(wu, INF, OF | NX, -1)
    FROM_IR(wu, rdn, FINITE, OF | NX, -1)
#elif WIDTH_BITS == 32
    FROM_I(w, 0x4b800000, NX, 16777217)
    FROM_IR(w, rup, 0x4b800001, NX, 16777217)
    FROM_IR(w, rmm, 0x4b800001, NX, 16777217)
    FROM_I(w, 0xcf000000, 0, -0x80000000)
    FROM_I(wu, 0x4f800000, NX, -1)
    FROM_IR(wu, rtz, 0x4f7fffff, NX, -1)
#else
    FROM_I(w, 0xc1e0000000000000, 0, -0x80000000)
    FROM_I(w, 0x41dfffffffc00000, 0, 0x7fffffff)
    FROM_I(wu, 0x41efffffffe00000, 0, -1)
#endif
#if XLEN == 64
    FROM_I(l, NEG(THREE), 0, -3)
    FROM_I(lu, THREE, 0, 3)
    /* only the low word of a W */
    FROM_I(w, ONE, 0, 0xff00000001)
    FROM_I(wu, ONE, 0, 0xff00000001)
#if WIDTH_BITS == 16
    FROM_I(l, INF, OF | NX, MAX)
    FROM_IR(lu, rtz, FINITE, OF | NX, -1)
#elif WIDTH_BITS == 32
    FROM_I(l, 0x5f000000, NX, MAX)
    FROM_IR(l, rtz, 0x5effffff, NX, MAX)
    FROM_I(l, 0xdf000000, 0, MIN)
    FROM_I(lu, 0x5f800000, NX, -1)
    FROM_IR(lu, rtz, 0x5f7fffff, NX, -1)
    FROM_I(lu, 0x5f000000, 0, MIN)
#else
    FROM_I(l, 0x43e0000000000000, NX, MAX)
    FROM_IR(l, rdn, 0x43dfffffffffffff, NX, MAX)
    FROM_I(l, 0xc3e0000000000000, 0, MIN)
    FROM_I(lu, 0x43f0000000000000, NX, -1)
    FROM_IR(lu, rtz, 0x43efffffffffffff, NX, -1)
    FROM_IR(lu, rmm, 0x43e0000000000001, NX, MIN + 1024)
#endif
#endif

/* ---- moves, loads and stores: bits as they are ---- */
#if WIDTH_BITS == 16
    FX1(fmv.x, -0x8000, 0, NEG(ZERO))
    FX1(fmv.x, SNAN, 0, SNAN)
    RAW_TO_X(-0x7fff, 0, 0x1234567812348001, fmv.x.h a0, fa1)
    FROM(fmv.h.x, SNAN, 0, 0x12340000 + SNAN)
#define FLOAD flh
#define FSTORE fsh
#define SIZE 2
#elif WIDTH_BITS == 32
    FX1(fmv.x, -0x80000000, 0, NEG(ZERO))
    FX1(fmv.x, SNAN, 0, SNAN)
    RAW_TO_X(-0x7fffffff, 0, 0x1234567880000001, fmv.x.w a0, fa1)
    FROM(fmv.w.x, SNAN, 0, SNAN)
    FROM(fmv.w.x, NEG(ZERO), 0, -0x80000000)
#define FLOAD flw
#define FSTORE fsw
#define SIZE 4
#else
#if XLEN == 64
    FX1(fmv.x, MIN, 0, NEG(ZERO))
    FX1(fmv.x, SNAN, 0, SNAN)
    FROM(fmv.d.x, SNAN, 0, SNAN)
#endif
#define FLOAD fld
#define FSTORE fsd
#define SIZE 8
#endif
.macro memory_is number, offset
    line \number
    .pushsection .data
    .balign 8
74: .8byte 0x1122334455667788, 0x99aabbccddeeff00
    .popsection
    fsflags zero
    la a1, 74b
    FLOAD fa0, \offset(a1)
    la a2, fp_scratch + 4096 - 3
    REG_S zero, SIZE(a2)
    FSTORE fa0, 0(a2)
    .set i, 0
    .rept SIZE
    lbu a3, \offset + i(a1)
    lbu a4, i(a2)
    mv a6, a4
    mv a7, a3
    beq a6, a7, 77f
    j fail
77:
    .set i, i + 1
    .endr
    lbu a4, SIZE(a2)
    check a4, 0
    frflags a4
    check a4, 0
.endm
    memory_is __LINE__, 0
    memory_is __LINE__, 1
    memory_is __LINE__, 3
    LINE
    li a1, 0x10
    TRAPS(LOAD_ACCESS, 0x10, FLOAD fa0, 0(a1))
    li a1, 0x10
    TRAPS(STORE_ACCESS, 0x10, FSTORE fa0, 0(a1))

/* ---- boxes: a value that is not boxed is the canonical NaN, but for moves and stores ---- */
#if WIDTH_BITS != 64
    RAW2(QNAN | BOX, 0, ONE, ONE | BOX, OP(fadd) fa0, fa1, fa2)
    RAW2(QNAN | BOX, 0, ONE | BOX, ONE | (BOX << 1), OP(fmul) fa0, fa1, fa2)
    RAW2(QNAN | BOX, 0, ONE, NEG(ONE), OP(fsgnj) fa0, fa1, fa2)
    RAW2(ONE | BOX, 0, ONE, ONE | BOX, OP(fmin) fa0, fa1, fa2)
    RAW2(ONE | BOX, 0, NEG(ONE) | BOX, ONE, OP(fsgnj) fa0, fa1, fa2)
    RAW_TO_X(1 << 9, 0, ONE, OP(fclass) a0, fa1)
    RAW_TO_X(0x7fffffff, NV, ONE, OP(fcvt.w) a0, fa1)
    RAW_TO_X(0, 0, ONE, OP(feq) a0, fa1, fa1)
#endif
    END
    .section .bss
    .balign 4096
fp_scratch: .space 8192
