# Reset, traps and the way out. Every hart has its own stack, and a trap uses it, too.
# A faulting access is skipped. An interrupt is answered, and its bit in mie cleared, so that no storm stops the abuse.

    .section .text.start, "ax"
    .globl _start
_start:
    csrr    a0, mhartid
    la      sp, stacks
    addi    t0, a0, 1
    slli    t0, t0, 14
    add     sp, sp, t0
    la      t0, trap
    csrw    mtvec, t0
    csrw    mie, zero
    la      gp, __global_pointer$
    call    abuse

    .text
    .balign 4
trap:
    addi    sp, sp, -128
    sd      ra, 0(sp)
    sd      t0, 8(sp)
    sd      t1, 16(sp)
    sd      t2, 24(sp)
    sd      a0, 32(sp)
    sd      a1, 40(sp)
    sd      a2, 48(sp)
    sd      a3, 56(sp)
    sd      a4, 64(sp)
    sd      a5, 72(sp)
    sd      a6, 80(sp)
    sd      a7, 88(sp)
    sd      t3, 96(sp)
    sd      t4, 104(sp)
    sd      t5, 112(sp)
    sd      t6, 120(sp)
    csrr    a0, mcause
    bltz    a0, 1f
    csrr    t0, mepc
    lhu     t1, 0(t0)           # the two low bits of a 4-byte instruction are ones
    andi    t1, t1, 3
    addi    t0, t0, 2
    addi    t1, t1, -3
    bnez    t1, 2f
    addi    t0, t0, 2
2:
    csrw    mepc, t0
    j       3f
1:
    call    interrupt
3:
    ld      ra, 0(sp)
    ld      t0, 8(sp)
    ld      t1, 16(sp)
    ld      t2, 24(sp)
    ld      a0, 32(sp)
    ld      a1, 40(sp)
    ld      a2, 48(sp)
    ld      a3, 56(sp)
    ld      a4, 64(sp)
    ld      a5, 72(sp)
    ld      a6, 80(sp)
    ld      a7, 88(sp)
    ld      t3, 96(sp)
    ld      t4, 104(sp)
    ld      t5, 112(sp)
    ld      t6, 120(sp)
    addi    sp, sp, 128
    mret

    .bss
    .balign 16
stacks:
    .space  8 << 14
