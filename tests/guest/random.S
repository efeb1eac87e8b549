/*
 * random.S - runs the random programs of PROGRAMS (randprog.py), COUNT of them, and prints a line of 16 digits for
 * each: a hash of all registers, fcsr, the trap that ended it, and the scratch memory. With DUMP, all of that in full.
 * A program runs several times, each time from what the time before left.
 *
 * Only plain instructions here, so that what runs the programs is not what they test.
 */
#include "test-macros.h"
#define POOL 2048
#define SCRATCH 2048
#define STRIDE 0x2000
#define CODE_AT 0xa00
/* of the frame: x0 to x31, f0 to f31, fcsr, mcause, mepc less the program, then memory */
#define FRAME_F (32 * REG_BYTES)
#define FRAME_END (FRAME_F + 32 * 8)
#define PASSES 7 /* after the first: host code is made of what has run a few times */
#define FRAME_WORDS ((FRAME_END + 4 * REG_BYTES) / 4)

/* Registers first to last, `step` bytes apart in memory from x31 on. x31 is the last to be loaded. */
.macro x_registers insn, step, first, last
    .set r, \first
    .rept \last - \first + 1
    one_register \insn, x, %r, \step, 0
    .set r, r + 1
    .endr
.endm
.macro f_registers insn, offset
    .set r, 0
    .rept 32
    one_register \insn, f, %r, 8, \offset
    .set r, r + 1
    .endr
.endm
.macro one_register insn, file, number, step, offset
    \insn \file\number, \number * \step + \offset(x31)
.endm

    BEGIN
    .altmacro
    la t0, ended
    csrw mtvec, t0
    la s0, the_programs
    la s1, the_programs + COUNT * STRIDE

next_program:
    /* constants below gp, zeros above */
    addi t0, s0, 512
    la t1, pool
    li t2, POOL
1:  lw t3, 0(t0)
    sw t3, 0(t1)
    addi t0, t0, 4
    addi t1, t1, 4
    addi t2, t2, -4
    bnez t2, 1b
    li t2, SCRATCH
1:  sw t2, 0(t1)
    addi t1, t1, 4
    addi t2, t2, -4
    bnez t2, 1b

    la t0, where
    REG_S s0, 0(t0)
    REG_S s1, REG_BYTES(t0)
    li t1, PASSES
    REG_S t1, 2 * REG_BYTES(t0)
    la t0, frame
    csrw mscratch, t0
    li t0, CODE_AT
    add t0, t0, s0
    csrw mepc, t0
    csrwi fcsr, 0
    mv x31, s0
    f_registers fld, 256
    x_registers REG_L, 8, 1, 1
    x_registers REG_L, 8, 4, 31
    la gp, scratch
    addi sp, gp, 256
    mret

    .balign 4
ended:
    csrrw x31, mscratch, x31
    REG_S x29, 29 * REG_BYTES(x31)
    REG_S x30, 30 * REG_BYTES(x31)
    csrr x30, mcause
    addi x30, x30, -3 /* the ebreak at its end: once more, from the registers that it left */
    bnez x30, finished
    la x30, where
    REG_L x29, 2 * REG_BYTES(x30)
    addi x29, x29, -1
    bltz x29, finished
    REG_S x29, 2 * REG_BYTES(x30)
    REG_L x30, 0(x30)
    li x29, CODE_AT
    add x30, x30, x29
    csrw mepc, x30
    REG_L x29, 29 * REG_BYTES(x31)
    REG_L x30, 30 * REG_BYTES(x31)
    csrrw x31, mscratch, x31
    mret
finished:
    REG_L x29, 29 * REG_BYTES(x31)
    REG_L x30, 30 * REG_BYTES(x31)
    x_registers REG_S, REG_BYTES, 0, 30
    f_registers fsd, FRAME_F
    csrr t0, mscratch
    REG_S t0, 31 * REG_BYTES(x31)
    csrr t0, fcsr
    REG_S t0, FRAME_END(x31)
    csrr t0, mcause
    REG_S t0, FRAME_END + REG_BYTES(x31)
    la t1, where
    REG_L s0, 0(t1)
    REG_L s1, REG_BYTES(t1)
    csrr t0, mepc
    sub t0, t0, s0
    REG_S t0, FRAME_END + 2 * REG_BYTES(x31)
    la sp, stack_top

    /* two hashes of all words, side by side */
    li s2, 0x1234567
    li s3, 0x7654321
    li s5, 16777619
    li s6, 0x1e3779b1
    la s4, frame
    li s7, FRAME_WORDS
    call hash
    la s4, scratch
    li s7, SCRATCH / 4
    call hash
#ifdef DUMP
    la s4, frame
    li s7, FRAME_WORDS
    call dump
    la s4, scratch
    li s7, SCRATCH / 4
    call dump
#endif
    mv s7, s2
    call print_word
    mv s7, s3
    call print_word
    li a0, '\n'
    call print_char
    li t0, STRIDE
    add s0, s0, t0
    bltu s0, s1, next_program
    END

hash: # s7 words at s4
    lw t0, 0(s4)
    xor s2, s2, t0
    mul s2, s2, s5
    add s3, s3, t0
    mul s3, s3, s6
    slli t1, s3, XLEN - 32
    srli t1, t1, XLEN - 17
    xor s3, s3, t1
    addi s4, s4, 4
    addi s7, s7, -1
    bnez s7, hash
    ret
print_word: # s7
    mv s8, ra
    li s9, 28
1:  srl a0, s7, s9
    andi a0, a0, 15
    addi a0, a0, '0'
    li t2, '9'
    ble a0, t2, 2f
    addi a0, a0, 'a' - '9' - 1
2:  call print_char
    addi s9, s9, -4
    bgez s9, 1b
    jr s8
#ifdef DUMP
dump: # s7 words at s4
    mv s10, ra
    mv s11, s7
1:  lw s7, 0(s4)
    call print_word
    li a0, ' '
    call print_char
    addi s4, s4, 4
    addi s11, s11, -1
    bnez s11, 1b
    jr s10
#endif

    .section .bss
    .balign 4096
    .space 4096 - POOL /* a page ends at gp */
pool: .space POOL
scratch: .space SCRATCH + 64
    .balign 64
frame: .space 4096
where: .space 64
    .section .programs, "a"
the_programs:
    .incbin PROGRAMS
