/* Two harts; the stacks are 4 KiB each, the second one's first. */
    .section .text.start, "ax"
    .globl _start
_start:
    csrr a0, mhartid
    la t0, on_timer
    csrw mtvec, t0
    la sp, stacks
    addi t1, a0, 1
    slli t1, t1, 12
    add sp, sp, t1
    bnez a0, 1f
    call main
1:  li t0, 1
    bne a0, t0, 2f
    call second
2:  wfi
    j 2b

    .text
    .globl answer, answer_end, on_timer, before_enable, busy
answer:
    .option push
    .option arch, +c
    c.li a0, 1
    ret
    .option pop
answer_end:

    .balign 4
on_timer:
    addi sp, sp, -16
    la t0, ticks
    li t1, 1
    sw t1, 0(t0)
    csrw mie, zero
    addi sp, sp, 16
    mret

/* With a timer interrupt pending: enables it and is busy until it has come. */
before_enable:
    csrsi mstatus, 8
    la a1, ticks
busy:
    addi a2, a2, 1
    lw a3, 0(a1)
    beqz a3, busy
    csrci mstatus, 8
    ret

    .bss
    .balign 16
stacks:
    .skip 3 * 4096
