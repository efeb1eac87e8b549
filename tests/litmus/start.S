/* Every hart: a stack of its own, then main(hart, harts). */
    .section .text.start, "ax"
    .globl _start
_start:
    la t0, trapped
    csrw mtvec, t0
    csrr a0, mhartid
    la sp, stacks
    addi t0, a0, 1
    slli t0, t0, 12
    add sp, sp, t0
    call main
1:
    wfi
    j 1b
    .balign 4
trapped:
    csrr a0, mcause
    csrr a1, mepc
    call die

    .section .tohost, "aw"
    .globl tohost, fromhost
    .type tohost, @object
    .size tohost, 8
    .type fromhost, @object
    .size fromhost, 8
    .balign 64
tohost: .8byte 0
    .balign 64
fromhost: .8byte 0
    .section .bss
    .balign 4096
stacks:
    .space 8 * 4096
