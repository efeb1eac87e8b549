/*
 * calls.S - where calls return to, often enough to be host code: in loops, on pages that move during the call, and when
 * another mode returns to the address of an open call, where it has other code, or none.
 */
#include "test-macros.h"
#include "paging-macros.h"

#define TRIED 0x40000000
#define TIMES 300
#define FETCH_PAGE 12

    BEGIN
    /* ---- a loop around a call that goes on elsewhere in memory ---- */
    LINE
    li s6, 0
    li s7, TIMES
1:  la s8, left
    REG_L t1, 0(s8)
    add s6, s6, t1
    call elsewhere
    REG_L t1, 0(s8)
    add s6, s6, t1
    addi s8, s8, REG_BYTES
    li s10, 3
2:  REG_L t1, 0(s8)
    add s6, s6, t1
    addi s8, s8, REG_BYTES
    addi s10, s10, -1
    bnez s10, 2b
    addi s7, s7, -1
    bnez s7, 1b
    CHECK(s6, TIMES * (1 + 0x10 + 3 * 0x20))

    /* ---- calls of oneself, and two open calls that return in the wrong order ---- */
    LINE
    li s6, 0
    li s7, TIMES
1:  li a0, 5
    call depth
    call outer
    addi s7, s7, -1
    bnez s7, 1b
    CHECK(s6, TIMES * (5 + 0x100))

    /* ---- the page of the call moves before the return ---- */
    tables root, middle, leaves, TRIED
    la a2, here
    entry leaves, TRIED, 12, a2, V | R | X | AD
    li a2, 0x80000000
    entry root, 0x80000000, LARGE, a2, V | R | W | X | AD
    use root, 1
    sfence.vma
    fence.i
    la s8, leaves + (((TRIED >> 12) & INDEX) << SHIFT)
    REG_L s10, 0(s8)
    la a0, here
    la a1, there
    sub a1, a1, a0
    srli a1, a1, 2
    add s11, s10, a1
    enter S_MODE
    LINE
    li s6, 0
    li s7, TIMES
1:  la t5, swap
    li t6, TRIED
    jalr s5, t6
    addi s7, s7, -1
    bnez s7, 1b
    CHECK(s6, (TIMES + 1) / 2 * 0x100 + TIMES / 2)
    la s9, 1f
    ecall

    /* ---- S returns to an open call of U: it may not fetch there ---- */
1:  li t0, 1 << ECALL_U
    csrw medeleg, t0
    la t0, supervisor
    csrw stvec, t0
    la a2, user
    entry leaves, TRIED, 12, a2, V | R | X | U | AD
    sfence.vma
    LINE
    li s6, 0
    li s7, TIMES
    li s8, 0
    li t0, MSTATUS_MPP
    csrc mstatus, t0
    li t0, TRIED
    csrw mepc, t0
    la s9, 1f
    mret
1:  CHECK(s2, FETCH_PAGE)
    la t0, user_back
    la t1, user
    sub t0, t0, t1
    sub s3, s3, t0
    CHECK(s3, TRIED)
    CHECK(s6, TIMES)

    /* ---- M returns to an open call of U: the address is another one's, for M ---- */
    csrw medeleg, zero
    la t0, machine
    csrw mtvec, t0
    la s8, other
    tables root2, middle2, leaves2, 0x80000000
    la a0, leaves2
    srli a1, s8, 12
    andi a1, a1, INDEX
    slli a1, a1, SHIFT
    add a0, a0, a1
    la a2, user
    srli a2, a2, 2
    ori a2, a2, V | R | X | U | AD
    REG_S a2, 0(a0)
    use root2, 2
    sfence.vma
    LINE
    li s6, 0
    li s7, TIMES
    li s10, 0
    li t0, MSTATUS_MPP
    csrc mstatus, t0
    csrw mepc, s8
    mret
machine_returned:
    CHECK(s10, 77)
    CHECK(s6, TIMES)
    END

elsewhere:
    la s8, right
    ret
depth:
    beqz a0, 1f
    addi sp, sp, -16
    REG_S ra, 0(sp)
    addi a0, a0, -1
    addi s6, s6, 1
    call depth
    REG_L ra, 0(sp)
    addi sp, sp, 16
1:  ret
outer: /* calls inner, which returns to outer's caller */
    mv s8, ra
    call inner
    j fail
inner:
    addi s6, s6, 0x100
    mv ra, s8
    ret

    /* The page of TRIED becomes the other one. */
swap:
    REG_S s11, 0(s8)
    mv t4, s10
    mv s10, s11
    mv s11, t4
    sfence.vma
    ret
    /* The user's ecall is an instruction of four bytes. While s7 is not 0 the handler returns to itself and goes on
     * there; then it returns to where the user's call would. */
.macro handler epc, return
    csrr t0, \epc
    addi t0, t0, 4
    csrw \epc, t0
    mv t2, ra
    la t1, 72f
    sub t1, t1, ra
    snez t0, s7
    neg t0, t0
    and t1, t1, t0
    add ra, ra, t1
    ret
72: mv ra, t2
    \return
.endm
    .balign 4
supervisor:
    handler sepc, sret
    .balign 4
machine:
    handler mepc, mret

    .section .frames, "awx"
    .balign 4096
here:
    jalr ra, t5
    addi s6, s6, 1
    jr s5
    .balign 4096
there:
    jalr ra, t5
    addi s6, s6, 0x100
    jr s5
    .balign 4096
user:
    call asks
user_back: /* TIMES times */
    addi s6, s6, 1
    addi s7, s7, -1
    j user
asks:
    ecall
    ret
    .balign 4096
other:
    .space user_back - user
    li s10, 77
    la t0, machine_returned
    jr t0
    .balign 4096
left: .fill 512, REG_BYTES, 1
    .balign 4096
right:
#if XLEN == 64
    .8byte 0x10
#else
    .4byte 0x10
#endif
    .fill 511, REG_BYTES, 0x20
    page_tables root, middle, leaves, root2, middle2, leaves2
