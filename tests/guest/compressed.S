/* compressed.S - C and Zcb: every one by its own mnemonic, with the ends of its immediate, and what is reserved. */
#include "test-macros.h"

/* One compressed instruction among long ones. */
.macro c insn:vararg
    .option push
    .option rvc
    \insn
    .option pop
.endm
/* Two of them, so that code stays aligned for what follows. */
#define C(...) c __VA_ARGS__; c c.nop

/* rd = rs1 = a0 before. */
.macro c_is number, want, before, insn:vararg
    line \number
    li a0, \before
    c \insn
    c c.nop
    check a0, \want
.endm
#define IS(want, before, ...) c_is __LINE__, want, before, __VA_ARGS__
/* a0 and a1 before. */
.macro c2_is number, want, a, b, insn:vararg
    line \number
    li a1, \b
    c_is \number, \want, \a, \insn
    check a1, \b
.endm
#define IS2(want, a, b, ...) c2_is __LINE__, want, a, b, __VA_ARGS__

    BEGIN
    mv s6, sp

/* ---- computation ---- */
    IS(36, 5, c.addi a0, 31)
    IS(-27, 5, c.addi a0, -32)
    IS(MIN, MAX, c.addi a0, 1)
    IS(31, 5, c.li a0, 31)
    IS(-32, 5, c.li a0, -32)
    IS(0x1f000, 5, c.lui a0, 31)
    IS(-0x20000, 5, c.lui a0, 0xfffe0)
    IS(0x1000, 5, c.lui a0, 1)
    IS(MIN, 1, c.slli a0, XLEN - 1)
    IS(0x2468, 0x1234, c.slli a0, 1)
    IS(1, MIN, c.srli a0, XLEN - 1)
    IS(MAX, -1, c.srli a0, 1)
    IS(-1, MIN, c.srai a0, XLEN - 1)
    IS(-2, -4, c.srai a0, 1)
    IS(0x1f, 0xff, c.andi a0, 31)
    IS(-32, -1, c.andi a0, -32)
    IS2(7, 5, 2, c.add a0, a1)
    IS2(MIN, MAX, 1, c.add a0, a1)
    IS2(2, 5, 2, c.mv a0, a1)
    IS2(3, 5, 2, c.sub a0, a1)
    IS2(MAX, MIN, 1, c.sub a0, a1)
    IS2(6, 5, 3, c.xor a0, a1)
    IS2(7, 5, 3, c.or a0, a1)
    IS2(1, 5, 3, c.and a0, a1)
#if XLEN == 64
    IS(0xffffffff80000000, 0x7fffffff, c.addiw a0, 1)
    IS(0x7fffffff, 0xffffffff80000000, c.addiw a0, -1)
    IS(5, 0xff00000005, c.addiw a0, 0)
    IS2(0xffffffff80000000, 0x7fffffff, 1, c.addw a0, a1)
    IS2(0x7fffffff, 0x80000000, 1, c.subw a0, a1)
#endif

    /* registers that only the wide forms reach */
    li t6, 40
    C(c.addi t6, 2)
    CHECK(t6, 42)
    C(c.mv s7, t6)
    CHECK(s7, 42)
    C(c.add s7, t6)
    CHECK(s7, 84)

    /* hints write nothing */
    li a0, 5
    C(.2byte 0x4029) /* c.li x0, 10 */
    C(.2byte 0x802a) /* c.mv x0, a0 */
    C(.2byte 0x902a) /* c.add x0, a0 */
    C(.2byte 0x6005) /* c.lui x0, 1 */
    C(.2byte 0x0501) /* c.addi a0, 0 */
    C(.2byte 0x0502) /* c.slli a0, 0 */
    CHECK(zero, 0)
    CHECK(a0, 5)

/* ---- around sp ---- */
    li sp, 0x1000
    C(c.addi16sp sp, 496)
    CHECK(sp, 0x11f0)
    C(c.addi16sp sp, -512)
    CHECK(sp, 0x0ff0)
    C(c.addi16sp sp, 16)
    CHECK(sp, 0x1000)
    C(c.addi4spn a0, sp, 4)
    CHECK(a0, 0x1004)
    C(c.addi4spn s1, sp, 1020)
    CHECK(s1, 0x13fc)
    mv sp, s6

/* ---- loads and stores: each offset's ends and middle bits ---- */
    la a1, numbers
    la sp, numbers
.macro loads number, insn, base, want, offset
    line \number
    c \insn a0, \offset(\base)
    c c.nop
    check a0, \want
.endm
#define LOADS(insn, base, want, offset) loads __LINE__, insn, base, want, offset
    LOADS(c.lw, a1, -0x80000000 + 0, 0)
    LOADS(c.lw, a1, -0x80000000 + 1, 4)
    LOADS(c.lw, a1, -0x80000000 + 22, 88)
    LOADS(c.lw, a1, -0x80000000 + 31, 124)
    LOADS(c.lwsp, sp, -0x80000000 + 0, 0)
    LOADS(c.lwsp, sp, -0x80000000 + 21, 84)
    LOADS(c.lwsp, sp, -0x80000000 + 42, 168)
    LOADS(c.lwsp, sp, -0x80000000 + 63, 252)
#if XLEN == 64
    LOADS(c.ld, a1, 0x8000000180000000, 0)
    LOADS(c.ld, a1, 0x8000002b8000002a, 168)
    LOADS(c.ld, a1, 0x8000003f8000003e, 248)
    LOADS(c.ldsp, sp, 0x8000000180000000, 0)
    LOADS(c.ldsp, sp, 0x8000002b8000002a, 168)
    LOADS(c.ldsp, sp, 0x8000007f8000007e, 504)
#endif
    la a1, room
    la sp, room
.macro stores number, insn, base, load, offset
    line \number
    li a0, 0x1000 + \offset
    c \insn a0, \offset(\base)
    c c.nop
    \load a2, \offset(\base)
    check a2, 0x1000 + \offset
.endm
#define STORES(insn, base, load, offset) stores __LINE__, insn, base, load, offset
    STORES(c.sw, a1, lw, 0)
    STORES(c.sw, a1, lw, 4)
    STORES(c.sw, a1, lw, 88)
    STORES(c.sw, a1, lw, 124)
    STORES(c.swsp, sp, lw, 0)
    STORES(c.swsp, sp, lw, 84)
    STORES(c.swsp, sp, lw, 168)
    STORES(c.swsp, sp, lw, 252)
#if XLEN == 64
    STORES(c.sd, a1, ld, 0)
    STORES(c.sd, a1, ld, 168)
    STORES(c.sd, a1, ld, 248)
    STORES(c.sdsp, sp, ld, 0)
    STORES(c.sdsp, sp, ld, 168)
    STORES(c.sdsp, sp, ld, 504)
#endif

/* Floating point: bits go round by way of memory. */
.macro copies number, load, store, from, to, size, in, out
    line \number
    la a1, numbers
    la a3, room
    la sp, \from
    c \load fa0, \in
    c c.nop
    la sp, room
    c \store fa0, \out
    c c.nop
    .ifc \size, 8
    lw a0, 4 + \to(a3)
    lw a2, 4 + \to(a1)
    sub a0, a0, a2
    check a0, 0
    .endif
    lw a0, \to(a3)
    lw a2, \to(a1)
    sub a0, a0, a2
    check a0, 0
.endm
#define COPIES(load, store, size, to, in, out) copies __LINE__, load, store, numbers, to, size, in, out
    COPIES(c.fld, c.fsd, 8, 0, 0(a1), 0(a3))
    COPIES(c.fld, c.fsd, 8, 168, 168(a1), 168(a3))
    COPIES(c.fld, c.fsd, 8, 248, 248(a1), 248(a3))
    COPIES(c.fldsp, c.fsdsp, 8, 8, 8(sp), 8(sp))
    COPIES(c.fldsp, c.fsdsp, 8, 336, 336(sp), 336(sp))
    COPIES(c.fldsp, c.fsdsp, 8, 504, 504(sp), 504(sp))
#if XLEN == 32
    COPIES(c.flw, c.fsw, 4, 40, 40(a1), 40(a3))
    COPIES(c.flw, c.fsw, 4, 84, 84(a1), 84(a3))
    COPIES(c.flw, c.fsw, 4, 124, 124(a1), 124(a3))
    COPIES(c.flwsp, c.fswsp, 4, 20, 20(sp), 20(sp))
    COPIES(c.flwsp, c.fswsp, 4, 168, 168(sp), 168(sp))
    COPIES(c.flwsp, c.fswsp, 4, 252, 252(sp), 252(sp))
#endif
    mv sp, s6

/* ---- jumps and branches; a long instruction on an odd halfword ---- */
    LINE
    li a0, 0
    .option push
    .option rvc
    c.j 1f
    j fail
2:  c.beqz a0, 3f
    j fail
1:  c.bnez a0, fail_near
    c.j 2b
fail_near:
    j fail
3:  li a0, 1
    c.beqz a0, fail_near
    c.bnez a0, 4f
    j fail
4:  la a0, 5f
    c.jr a0
    j fail
5:  la a0, 6f
    c.jalr a0
7:  j fail
6:  la a1, 7b
    sub a1, a1, ra
    .balign 4
    .option pop
    CHECK(a1, 0)
    LINE
    la ra, 8f
    c c.jalr ra
9:  j fail
    c c.nop
8:  la a1, 9b
    sub a1, a1, ra
    CHECK(a1, 0)
#if XLEN == 32
    LINE
    c c.jal 8f
9:  j fail
    c c.nop
8:  la a1, 9b
    sub a1, a1, ra
    CHECK(a1, 0)
#endif
    c c.nop
    lui a0, 0x12345
    addi a0, a0, 0x678
    c c.nop
    CHECK(a0, 0x12345678)

    /* across a page, in both of its halves */
    la a0, crossing
    jalr a0
    CHECK(a0, 0x7654321)
    LINE
    la s9, 1f
    c c.ebreak
    c c.nop
1:  CHECK(s2, BREAKPOINT)

/* ---- reserved ---- */
.macro reserved number, bits
    line \number
    case_trap \number, ILLEGAL, \bits, .2byte \bits
    .balign 4
.endm
#define RESERVED(bits) reserved __LINE__, bits
    RESERVED(0x0000) /* defined to be illegal */
    RESERVED(0x0014) /* c.addi4spn a3, sp, 0 */
    RESERVED(0x6101) /* c.addi16sp 0 */
    RESERVED(0x6501) /* c.lui a0, 0 */
    RESERVED(0x4002) /* c.lwsp x0 */
    RESERVED(0x8002) /* c.jr x0 */
    RESERVED(0x9000) /* quadrant 0, beyond Zcb */
    .balign 4
#if XLEN == 64
    RESERVED(0x2001) /* c.addiw x0 */
    RESERVED(0x6002) /* c.ldsp x0 */
    RESERVED(0x9c7d) /* quadrant 1, beyond Zcb */
#else
    RESERVED(0x1506) /* c.slli a0, 33: custom here */
    RESERVED(0x9105) /* c.srli a0, 33 */
    RESERVED(0x9c1d) /* c.subw */
#endif

/* ---- Zcb: binutils 2.40 has none of it. s0 = x8, a0 = x10, a1 = x11 as 0, 2, 3. ---- */
#ifndef FOR_QEMU
    IS(0x80, 0x1280, .2byte 0x9d61) /* c.zext.b a0 */
    IS(-128, 0x1280, .2byte 0x9d65) /* c.sext.b a0 */
    IS(0x8000, 0x18000, .2byte 0x9d69) /* c.zext.h a0 */
    IS(-0x8000, 0x18000, .2byte 0x9d6d) /* c.sext.h a0 */
    IS(-6, 5, .2byte 0x9d75) /* c.not a0 */
    IS2(-42, 6, -7, .2byte 0x9d4d) /* c.mul a0, a1 */
#if XLEN == 64
    IS(0x80000000, 0x1280000000, .2byte 0x9d71) /* c.zext.w a0 */
#endif
.macro zcb_load number, want, bits
    line \number
    la a1, bytes
    c .2byte \bits
    c c.nop
    check a0, \want
.endm
#define ZCB_LOAD(want, bits) zcb_load __LINE__, want, bits
    ZCB_LOAD(0x81, 0x8188) /* c.lbu a0, 0(a1) */
    ZCB_LOAD(0x82, 0x81c8) /* c.lbu a0, 1(a1): the low bit is the upper one */
    ZCB_LOAD(0x83, 0x81a8)
    ZCB_LOAD(0x84, 0x81e8)
    ZCB_LOAD(0x8281, 0x8588) /* c.lhu a0, 0(a1) */
    ZCB_LOAD(0x8483, 0x85a8)
    ZCB_LOAD(-0x7d7f, 0x85c8) /* c.lh a0, 0(a1) */
    ZCB_LOAD(-0x7b7d, 0x85e8)
.macro zcb_store number, want, bits
    line \number
    la a1, room
    sw zero, 0(a1)
    li a0, 0x5678
    c .2byte \bits
    c c.nop
    lw a0, 0(a1)
    check a0, \want
.endm
#define ZCB_STORE(want, bits) zcb_store __LINE__, want, bits
    ZCB_STORE(0x78, 0x8988) /* c.sb a0, 0(a1) */
    ZCB_STORE(0x7800, 0x89c8)
    ZCB_STORE(0x780000, 0x89a8)
    ZCB_STORE(0x78000000, 0x89e8)
    ZCB_STORE(0x5678, 0x8d88) /* c.sh a0, 0(a1) */
    ZCB_STORE(0x56780000, 0x8da8)
#endif
    END

    .section .text
    .balign 4096
    .space 4094
crossing: # one instruction that crosses, after a short jump to it
    lui a0, 0x7654
    addi a0, a0, 0x321
    ret

    .section .data
    .balign 16
numbers:
    .set i, 0
    .rept 128
    .4byte 0x80000000 + i
    .set i, i + 1
    .endr
bytes: .byte 0x81, 0x82, 0x83, 0x84
    .section .bss
    .balign 16
room: .space 1024
