/* atomic.S - A and Zacas: results, what is stored, what a reservation survives, and misalignment. */
#include "test-macros.h"

/* binutils 2.40 has no Zacas. */
.macro amocas size, rd, rs2, rs1
    .insn r 0x2f, \size, 0x14, \rd, \rs1, \rs2
.endm
.macro amocas.w rd, rs2, rs1
    amocas 2, \rd, \rs2, \rs1
.endm
.macro amocas.d rd, rs2, rs1
    amocas 3, \rd, \rs2, \rs1
.endm
.macro amocas.q rd, rs2, rs1
    amocas 4, \rd, \rs2, \rs1
.endm

/* insn: memory `before` and rs2 `with` give memory `after`; rd gets what was there. rd apart, = rs2, = rs1, x0. */
.macro amo_is number, insn, store, load, before, with, after
    line \number
    la a1, cell
    .irp rd, a0, a2, a3
    li a2, \before
    \store a2, 0(a1)
    li a2, \with
    mv a3, a1
    \insn \rd, a2, (a3)
    check \rd, \before
    \load a0, 0(a1)
    check a0, \after
    .endr
    li a2, \before
    \store a2, 0(a1)
    li a2, \with
    \insn zero, a2, (a1)
    check zero, 0
    \load a0, 0(a1)
    check a0, \after
.endm
#define AMO_W(insn, before, with, after) amo_is __LINE__, insn, sw, lw, before, with, after
#define AMO_D(insn, before, with, after) amo_is __LINE__, insn, sd, ld, before, with, after

/* All four orderings; the neighbours of a word stay. */
#define ORDERS_W(insn, before, with, after) \
    AMO_W(insn, before, with, after); \
    AMO_W(insn.aq, before, with, after); \
    AMO_W(insn.rl, before, with, after); \
    AMO_W(insn.aqrl, before, with, after)

    BEGIN
    ORDERS_W(amoswap.w, 5, -7, -7)
    AMO_W(amoswap.w, -0x80000000, 1, 1)
    ORDERS_W(amoadd.w, 5, -7, -2)
    AMO_W(amoadd.w, 0x7fffffff, 1, -0x80000000)
    AMO_W(amoxor.w, 0x0ff0, 0x00ff, 0x0f0f)
    AMO_W(amoand.w, 0x0ff0, 0x00ff, 0x00f0)
    AMO_W(amoor.w, 0x0ff0, 0x00ff, 0x0fff)
    AMO_W(amoor.w, -0x80000000, 1, -0x7fffffff)
    AMO_W(amomin.w, -1, 1, -1)
    AMO_W(amomin.w, 1, -1, -1)
    AMO_W(amomin.w, -0x80000000, 0x7fffffff, -0x80000000)
    AMO_W(amomax.w, -1, 1, 1)
    AMO_W(amomax.w, 1, -1, 1)
    AMO_W(amominu.w, -1, 1, 1)
    AMO_W(amominu.w, 1, -1, 1)
    AMO_W(amomaxu.w, -1, 1, -1)
    AMO_W(amomaxu.w, 1, -1, -1)
#if XLEN == 64
    /* Only the low word of rs2 counts. */
    AMO_W(amoswap.w, 5, 0x1280000000, -0x80000000)
    AMO_W(amomax.w, 5, 0x1280000000, 5)
    AMO_W(amominu.w, 5, 0xff00000004, 4)
    AMO_D(amoswap.d, 5, MIN, MIN)
    AMO_D(amoswap.d.aqrl, MIN, 5, 5)
    AMO_D(amoadd.d, MAX, 1, MIN)
    AMO_D(amoadd.d.aq, 5, -7, -2)
    AMO_D(amoxor.d, MIN, MAX, -1)
    AMO_D(amoand.d, -1, MIN, MIN)
    AMO_D(amoor.d, MIN, 1, MIN + 1)
    AMO_D(amomin.d, MIN, MAX, MIN)
    AMO_D(amomin.d, 1, -1, -1)
    AMO_D(amomax.d, MIN, MAX, MAX)
    AMO_D(amomax.d, -1, 1, 1)
    AMO_D(amominu.d, MIN, MAX, MAX)
    AMO_D(amominu.d, 1, -1, 1)
    AMO_D(amomaxu.d, MIN, MAX, MIN)
    AMO_D(amomaxu.d.rl, 1, -1, -1)
#endif

    /* The word beside an AMO's stays. */
    la a1, cell
    li a0, 0x11223344
    sw a0, 0(a1)
    sw a0, 4(a1)
    sw a0, 8(a1)
    addi a2, a1, 4
    li a0, -1
    amoadd.w a0, a0, (a2)
    lw a0, 0(a1)
    CHECK(a0, 0x11223344)
    lw a0, 4(a1)
    CHECK(a0, 0x11223343)
    lw a0, 8(a1)
    CHECK(a0, 0x11223344)

/* ---- LR and SC ---- */
.macro lrsc_is number, lr, sc, store, load
    line \number
    la a1, cell
    li a2, -5
    \store a2, 0(a1)
    \lr a0, (a1)
    check a0, -5
    li a2, 9
    \sc a0, a2, (a1)
    check a0, 0
    \load a0, 0(a1)
    check a0, 9
    /* no reservation is left */
    li a2, 10
    \sc a0, a2, (a1)
    check a0, 1
    \load a0, 0(a1)
    check a0, 9
    /* an SC elsewhere fails, and takes the reservation along */
    \lr a0, (a1)
    addi a3, a1, 256
    \store zero, 0(a3)
    \lr a0, (a1)
    \sc a0, a2, (a3)
    check a0, 1
    \load a0, 0(a3)
    check a0, 0
    \sc a0, a2, (a1)
    check a0, 1
    /* the later of two LRs counts */
    \lr a0, (a1)
    \lr a0, (a3)
    \sc a0, a2, (a3)
    check a0, 0
    \load a0, 0(a3)
    check a0, 10
    /* rd = rs2, rd = rs1, rd = x0 */
    \lr a0, (a1)
    li a2, 11
    \sc a2, a2, (a1)
    check a2, 0
    \load a0, 0(a1)
    check a0, 11
    mv a3, a1
    \lr a3, (a3)
    check a3, 11
    li a2, 12
    \sc zero, a2, (a1)
    check zero, 0
    \load a0, 0(a1)
    check a0, 12
.endm
#define LRSC(lr, sc, store, load) lrsc_is __LINE__, lr, sc, store, load
    LRSC(lr.w, sc.w, sw, lw)
    LRSC(lr.w.aq, sc.w.rl, sw, lw)
    LRSC(lr.w.aqrl, sc.w.aqrl, sw, lw)
#if XLEN == 64
    LRSC(lr.d, sc.d, sd, ld)
    LRSC(lr.d.aq, sc.d.rl, sd, ld)
    la a1, cell
    li a2, 0x8000000180000000
    sd a2, 0(a1)
    lr.w a0, (a1)
    CHECK(a0, -0x80000000)
#endif

    /* A counting loop, as compilers write it. */
    la a1, cell
    sw zero, 0(a1)
    li a3, 100
1:  lr.w a0, (a1)
    addi a0, a0, 1
    sc.w a2, a0, (a1)
    bnez a2, 1b
    addi a3, a3, -1
    bnez a3, 1b
    lw a0, 0(a1)
    CHECK(a0, 100)

/* ---- Zacas ---- */
#ifndef FOR_QEMU
.macro cas_is number, insn, store, load, before, expected, with, after
    line \number
    la a1, cell
    li a0, \before
    \store a0, 0(a1)
    li a0, \expected
    li a2, \with
    \insn a0, a2, a1
    check a0, \before
    \load a0, 0(a1)
    check a0, \after
.endm
#define CAS_W(before, expected, with, after) \
    cas_is __LINE__, amocas.w, sw, lw, before, expected, with, after
#define CAS_D(before, expected, with, after) \
    cas_is __LINE__, amocas.d, sd, ld, before, expected, with, after
    CAS_W(5, 5, 7, 7)
    CAS_W(5, 6, 7, 5)
    CAS_W(-0x80000000, -0x80000000, -1, -1)
    CAS_W(-0x80000000, 0, -1, -0x80000000)
    /* rd = x0 compares with zero */
    la a1, cell
    li a2, 7
    sw zero, 0(a1)
    amocas.w zero, a2, a1
    lw a0, 0(a1)
    CHECK(a0, 7)
#if XLEN == 64
    /* the upper half of rd and rs2 is not looked at */
    CAS_W(5, 0xff00000005, 0x1200000007, 7)
    CAS_D(MIN, MIN, 7, 7)
    CAS_D(MIN, 0, 7, MIN)
    CAS_D(0x100000005, 5, 7, 0x100000005)
#define PAIR amocas.q
#else
#define PAIR amocas.d
#endif
    /* Pairs: a0/a1 is compared with two words at a2; t1's pair a4/a5 goes in. */
.macro pair_is number, low, high, swapped
    line \number
    la a2, cell
    li a0, 0x11
    li a1, -0x22
    REG_S a0, 0(a2)
    REG_S a1, REG_BYTES(a2)
    li a0, \low
    li a1, \high
    li a4, 0x33
    li a5, -0x44
    PAIR a0, a4, a2
    check a0, 0x11
    check a1, -0x22
    REG_L a0, 0(a2)
    REG_L a1, REG_BYTES(a2)
    .if \swapped
    check a0, 0x33
    check a1, -0x44
    .else
    check a0, 0x11
    check a1, -0x22
    .endif
.endm
#define CAS_PAIR(low, high, swapped) pair_is __LINE__, low, high, swapped
    CAS_PAIR(0x11, -0x22, 1)
    CAS_PAIR(0x11, 0x22, 0)
    CAS_PAIR(0x10, -0x22, 0)
    /* x0 as a pair is two zeros, and writes neither x0 nor x1 */
    la a2, cell
    REG_S zero, 0(a2)
    REG_S zero, REG_BYTES(a2)
    li ra, 0x5a
    li a4, 0x33
    li a5, -0x44
    PAIR zero, a4, a2
    CHECK(ra, 0x5a)
    REG_L a1, REG_BYTES(a2)
    CHECK(a1, -0x44)
    li a0, 0x33
    li a1, -0x44
    PAIR a0, zero, a2
    CHECK(ra, 0x5a)
    REG_L a1, REG_BYTES(a2)
    CHECK(a1, 0)
    /* odd registers are reserved */
    la a2, cell
    TRAPS(ILLEGAL, any, PAIR a1, a4, a2)
    TRAPS(ILLEGAL, any, PAIR a0, a5, a2)
    /* a failing compare is a store all the same: of memory that cannot be written */
    LINE
    li a2, 0x10
    TRAPS(STORE_ACCESS, 0x10, PAIR a0, a4, a2)
    la a2, cell + REG_BYTES
    mv s6, a2
    TRAPS(STORE_MISALIGNED, any, PAIR a0, a4, a2)
    sub s4, s4, s6
    CHECK(s4, 0)
#endif

/* ---- misaligned, and no memory ---- */
.macro misaligned number, cause, insn:vararg
    line \number
    la a1, cell + 2
    li a0, 0x55
    case_trap \number, \cause, any, \insn
    la a1, cell + 2
    sub s4, s4, a1
    check s4, 0
    check a0, 0x55
.endm
#define MISALIGNED(cause, ...) misaligned __LINE__, cause, __VA_ARGS__
    NEW(MISALIGNED(LOAD_MISALIGNED, lr.w a0, (a1)))
    NEW(MISALIGNED(STORE_MISALIGNED, sc.w a0, a2, (a1)))
    NEW(MISALIGNED(STORE_MISALIGNED, amoswap.w a0, a2, (a1)))
    NEW(MISALIGNED(STORE_MISALIGNED, amomaxu.w a0, a2, (a1)))
    NEW(MISALIGNED(STORE_MISALIGNED, amocas.w a0, a2, a1))
#if XLEN == 64
    NEW(MISALIGNED(LOAD_MISALIGNED, lr.d a0, (a1)))
    NEW(MISALIGNED(STORE_MISALIGNED, sc.d a0, a2, (a1)))
    NEW(MISALIGNED(STORE_MISALIGNED, amoadd.d a0, a2, (a1)))
    NEW(MISALIGNED(STORE_MISALIGNED, amomin.d a0, a2, (a1)))
#endif
    li a1, 0x10
    TRAPS(LOAD_ACCESS, 0x10, lr.w a0, (a1))
    li a1, 0x10
    NEW(TRAPS(STORE_ACCESS, 0x10, amoadd.w a0, a2, (a1)))
    END
    .section .bss
    .balign 64
cell: .space 1024
