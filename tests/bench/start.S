/* One hart, a stack, run(). */
    .section .text.start
    .globl _start
_start:
    csrr t0, mhartid
    bnez t0, 1f
    la sp, stack_end
    call run
1:  wfi
    j 1b

    .bss
    .balign 16
    .space 4096
stack_end:
