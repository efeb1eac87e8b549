/*
 * jumps.S - every bit of every jump's distance, both ways. Each is put into memory of its own, with a way back where it
 * has to arrive; wherever else it arrives is an illegal instruction.
 */
#include "test-macros.h"

#define PLACE 0x81000000
#define JR_T6 0x000f8067
#define C_EBREAK 0x9002

/* The assembler encodes; the instruction is its text up to the target. */
.macro far_is number, distance, insn:vararg
    line \number
    .pushsection .data
    .balign 4
    .option push
    .option rvc
74: \insn . + (\distance)
    .balign 4, 0
    .option pop
    .popsection
    la a1, 74b
    li a2, PLACE
    lhu a0, 0(a1)
    andi a3, a0, 3
    sh a0, 0(a2)
    li a4, C_EBREAK
    sh a4, 2(a2)
    addi a3, a3, -3
    bnez a3, 75f
    lhu a0, 2(a1)
    sh a0, 2(a2)
    sh a4, 4(a2)
75: li a3, PLACE + (\distance)
    li a0, JR_T6
    sh a0, 0(a3)
    srli a0, a0, 16
    sh a0, 2(a3)
    fence.i
    li s0, 0
    li s1, 1
    la t6, 76f
    jr a2
76: sh zero, 0(a3)
    sh zero, 2(a3)
    check s0, 0
.endm
/* 8, -8, 16, -16 and so on, then the least and the greatest. */
.macro far_jumps number, count, insn:vararg
    .set distance, 8
    .rept \count
    far_is \number, distance, \insn
    far_is \number, -distance, \insn
    .set distance, distance * 2
    .endr
    far_is \number, -distance, \insn
    far_is \number, distance - 2, \insn
.endm
/* bits: the distance is that wide, sign included */
#define FAR(bits, ...) far_jumps __LINE__, bits - 4, __VA_ARGS__

    BEGIN
    FAR(13, beq zero, zero,)
    FAR(13, bne s0, s1,)
    FAR(13, blt s0, s1,)
    FAR(13, bge s1, s0,)
    FAR(13, bltu s0, s1,)
    FAR(13, bgeu s1, s0,)
    FAR(21, jal a5,)
    FAR(12, c.j)
    IF32(FAR(12, c.jal))
    FAR(9, c.beqz s0,)
    FAR(9, c.bnez s1,)
    END
