/* base.S - RV32I, RV64I and Zicond: integer computation, loads, stores, jumps, branches, fences. */
#include "test-macros.h"

.macro czero.eqz rd, rs1, rs2
    .insn r 0x33, 5, 7, \rd, \rs1, \rs2
.endm
.macro czero.nez rd, rs1, rs2
    .insn r 0x33, 7, 7, \rd, \rs1, \rs2
.endm

    BEGIN

/* ---- immediates ---- */
    RI(addi, 0, 0, 0)
    RI(addi, -1, 0, -1)
    RI(addi, 2047 + 5, 5, 2047)
    RI(addi, -2048 + 5, 5, -2048)
    RI(addi, MIN, MAX, 1)
    RI(addi, MAX, MIN, -1)
    RI(slti, 1, -1, 0)
    RI(slti, 0, 0, -1)
    RI(slti, 0, 7, 7)
    RI(slti, 1, MIN, -2048)
    RI(slti, 0, MAX, 2047)
    RI(sltiu, 0, -1, 0)
    RI(sltiu, 1, 0, -1)
    RI(sltiu, 1, 0, 1)
    RI(sltiu, 0, 1, 1)
    RI(sltiu, 0, -1, -1)
    RI(sltiu, 1, MAX, -2048)
    RI(xori, -1, 0, -1)
    RI(xori, 0x0f0, 0x0ff, 0x00f)
    RI(xori, MAX, MIN, -1)
    RI(ori, 0x7ff, 0x0f0, 0x70f)
    RI(ori, -1, 5, -1)
    RI(andi, 0x00f, 0xfff, 0x00f)
    RI(andi, MIN, MIN, -2048)
    RI(slli, 0, 0, 31)
    RI(slli, 2, 1, 1)
    RI(slli, MIN, 1, XLEN - 1)
    RI(slli, MIN, -1, XLEN - 1)
    RI(srli, 1, MIN, XLEN - 1)
    RI(srli, MAX, -1, 1)
    RI(srli, 0x1234, 0x1234, 0)
    RI(srai, -1, MIN, XLEN - 1)
    RI(srai, -1, -1, 1)
    RI(srai, 0x091a, 0x1234, 1)
    RI(srai, 0, MAX, XLEN - 1)

/* ---- registers ---- */
    RR(add, 0, 0, 0)
    RR(add, 3, 1, 2)
    RR(add, -1, 5, -6)
    RR(add, MIN, MAX, 1)
    RR(add, 0, MIN, MIN)
    RR(sub, -1, 1, 2)
    RR(sub, 11, 5, -6)
    RR(sub, MAX, MIN, 1)
    RR(sub, MIN, 0, MIN)
    RR(sll, 0x2468, 0x1234, 1)
    RR(sll, MIN, 1, XLEN - 1)
    RR(sll, 2, 1, XLEN + 1)
    RR(sll, MIN, 1, -1)
    RR(srl, 1, MIN, XLEN - 1)
    RR(srl, MAX, -1, XLEN + 1)
    RR(sra, -1, MIN, XLEN - 1)
    RR(sra, -4, -8, XLEN + 1)
    RR(slt, 1, MIN, MAX)
    RR(slt, 0, MAX, MIN)
    RR(slt, 0, -1, -1)
    RR(sltu, 0, MIN, MAX)
    RR(sltu, 1, MAX, MIN)
    RR(sltu, 0, 3, 3)
    RR(xor, 0x0ff0, 0x0f0f, 0x00ff)
    RR(xor, -1, MIN, MAX)
    RR(or, 0x0fff, 0x0f0f, 0x00ff)
    RR(or, -1, MIN, MAX)
    RR(and, 0x000f, 0x0f0f, 0x00ff)
    RR(and, 0, MIN, MAX)

#if XLEN == 64
    RI(addiw, 0xffffffff80000000, 0x7fffffff, 1)
    RI(addiw, 0x7fffffff, 0xffffffff80000000, -1)
    RI(addiw, 5, 0x1200000005, 0)
    RI(slliw, 0xffffffff80000000, 1, 31)
    RI(slliw, 0x10, 0xff00000001, 4)
    RI(srliw, 1, 0xff80000000, 31)
    RI(srliw, 0xffffffff80000000, 0x80000000, 0)
    RI(sraiw, -1, 0x80000000, 31)
    RI(sraiw, 0x3fffffff, 0xff7fffffff, 1)
    RR(addw, 0xffffffff80000000, 0x7fffffff, 1)
    RR(addw, 0, 0xffffffff, 1)
    RR(subw, 0x7fffffff, 0x80000000, 1)
    RR(subw, -1, 0x100000000, 1)
    RR(sllw, 0xffffffff80000000, 1, 31)
    RR(sllw, 2, 1, 33)
    RR(srlw, 1, 0xff80000000, 31)
    RR(srlw, 0xffffffff80000000, 0x80000000, 32)
    RR(sraw, -1, 0x80000000, 63)
    RR(sraw, 0xffffffffc0000000, 0x80000000, 33)
#endif

/* ---- Zicond ---- */
    NEW(RR(czero.eqz, 0, 5, 0))
    NEW(RR(czero.eqz, 5, 5, 1))
    NEW(RR(czero.eqz, MIN, MIN, MIN))
    NEW(RR(czero.nez, 5, 5, 0))
    NEW(RR(czero.nez, 0, 5, MIN))
    NEW(RR(czero.nez, 0, -1, -1))

/* ---- upper immediates ---- */
    lui a0, 0x7ffff
    CHECK(a0, 0x7ffff000)
    lui a0, 0x80000
    CHECK(a0, -0x80000000)
    lui zero, 0x12345
    CHECK(zero, 0)
1:  auipc a0, 0
    la a1, 1b
    sub a0, a0, a1
    CHECK(a0, 0)
1:  auipc a0, 0xfffff
    la a1, 1b
    sub a0, a0, a1
    CHECK(a0, -4096)
1:  auipc a0, 0x7ffff
    la a1, 1b
    sub a0, a0, a1
    CHECK(a0, 0x7ffff000)

/* ---- branches: taken forward, taken backward, not taken; each with both orders of its operands ---- */
.macro branch_is number, insn, taken, a, b
    line \number
    li a1, \a
    li a2, \b
    li a0, 0
    \insn a1, a2, 1f
    j 2f
1:  li a0, 1
2:  check a0, \taken
    li a0, 0
    j 2f
1:  li a0, 1
    j 3f
2:  \insn a1, a2, 1b
3:  check a0, \taken
.endm
#define BRANCH(insn, taken, a, b) branch_is __LINE__, insn, taken, a, b
    BRANCH(beq, 1, 5, 5)
    BRANCH(beq, 0, 5, 6)
    BRANCH(beq, 0, MIN, 0)
    BRANCH(bne, 0, -1, -1)
    BRANCH(bne, 1, MIN, 0)
    BRANCH(blt, 1, MIN, MAX)
    BRANCH(blt, 0, MAX, MIN)
    BRANCH(blt, 0, 4, 4)
    BRANCH(bge, 0, MIN, MAX)
    BRANCH(bge, 1, MAX, MIN)
    BRANCH(bge, 1, 4, 4)
    BRANCH(bltu, 0, MIN, MAX)
    BRANCH(bltu, 1, MAX, MIN)
    BRANCH(bltu, 0, 4, 4)
    BRANCH(bgeu, 1, MIN, MAX)
    BRANCH(bgeu, 0, MAX, MIN)
    BRANCH(bgeu, 1, 4, 4)

/* ---- jumps: the link, rd = rs1, an odd target ---- */
    LINE
    li a0, 0
1:  jal a0, 2f
    j fail
2:  la a1, 1b + 4
    sub a0, a0, a1
    CHECK(a0, 0)
    la a0, 3f
    jalr a0, 0(a0)
2:  j fail
3:  la a1, 2b
    sub a0, a0, a1
    CHECK(a0, 0)
    la a0, 4f + 1024
    jalr a1, -1023(a0)
    j fail
4:  la a0, 5f - 2047
    jalr zero, 2047(a0)
    j fail
5:

/* ---- loads and stores ---- */
.macro load_is number, insn, want, offset
    line \number
    la a1, bytes
    \insn a0, \offset(a1)
    check a0, \want
    la a1, bytes + 100
    \insn a1, \offset - 100(a1)
    check a1, \want
    la a1, bytes
    \insn zero, \offset(a1)
    check zero, 0
.endm
#define LOAD(insn, want, offset) load_is __LINE__, insn, want, offset
    LOAD(lb, 0x01, 0)
    LOAD(lb, -0x7e, 1)
    LOAD(lbu, 0x82, 1)
    LOAD(lh, -0x7dff, 0)
    LOAD(lhu, 0x8201, 0)
    LOAD(lh, 0x0382, 1)
    LOAD(lw, 0x04038201, 0)
    LOAD(lw, -0x78f9fafc, 3)
    LOAD(lhu, 0x0504, 3)
#if XLEN == 64
    LOAD(lwu, 0x87060504, 3)
    LOAD(lwu, 0x04038201, 0)
    LOAD(ld, 0x8887060504038201, 0)
    LOAD(ld, 0x8988870605040382, 1)
    LOAD(ld, 0x908f8e8d8c8b8a89, 8)
#endif

/* A store, the bytes around it, and the same one misaligned and across a page. */
.macro store_is number, insn, size, at
    line \number
    la a1, scratch + \at - 8
    li a0, -1
    REG_S a0, 8 - REG_BYTES(a1)
    REG_S a0, 8 + \size(a1)
    li a0, IF64(0x1122334455667788) IF32(0x55667788)
    \insn a0, 8(a1)
    lbu a0, 8(a1)
    check a0, 0x88
    lbu a0, 7(a1)
    check a0, 0xff
    lbu a0, 8 + \size(a1)
    check a0, 0xff
    lbu a0, 8 + \size - 1(a1)
    check a0, (0x1122334455667788 >> (8 * (\size - 1))) & 0xff
.endm
#define STORE(insn, size, at) store_is __LINE__, insn, size, at
    STORE(sb, 1, 16)
    STORE(sb, 1, 17)
    STORE(sh, 2, 16)
    STORE(sh, 2, 17)
    STORE(sh, 2, 4095)
    STORE(sw, 4, 16)
    STORE(sw, 4, 18)
    STORE(sw, 4, 4093)
#if XLEN == 64
    STORE(sd, 8, 16)
    STORE(sd, 8, 21)
    STORE(sd, 8, 4092)
#endif
    la a1, scratch + 4094
    li a0, 0x12345678
    sw a0, 0(a1)
    lw a2, 0(a1)
    CHECK(a2, 0x12345678)
    lhu a2, 2(a1)
    CHECK(a2, 0x1234)

/* ---- fences: nothing to see but that the next instruction runs; reserved fields are ignored ---- */
    LINE
    fence
    fence r, w
    fence w, r
    fence.tso
    .insn i 0x0f, 0, a0, a1, 0x0ff
    .insn i 0x0f, 0, zero, zero, 0x0f0
    .insn i 0x0f, 1, a0, a1, 5
    pause
    CHECK(zero, 0)

/* fence.i: the instruction that was just written is the one that runs, also the second time. */
    li a0, 0
    la a1, patched
    call patched
    CHECK(a0, 1)
    la t0, template
    lw t1, 0(t0)
    sw t1, 0(a1)
    fence.i
    call patched
    CHECK(a0, 3)
    lw t1, 4(t0)
    sw t1, 0(a1)
    fence.i
    call patched
    CHECK(a0, 1)

    END
    .section .data
    .balign 16
bytes:
    .byte 0x01, 0x82, 0x03, 0x04, 0x05, 0x06, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90
template:
    addi a0, a0, 2
    addi a0, a0, -2
    .section .text
patched:
    addi a0, a0, 1
    ret
    .section .bss
    .balign 4096
scratch: .space 8192
