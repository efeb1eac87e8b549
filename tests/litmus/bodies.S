/*
 * bodies.S - what each hart does in each litmus test. a0 is x, a1 is y, two words on granules of their own, 0 at first.
 * Returned: what was read, the first read in bit 0, the second in bit 1.
 */
    .section .text
    .option norvc

.macro body name
    .balign 4
    .globl \name
\name:
    li t2, 1
    li t3, 2
.endm

.macro give first, second
    slli \second, \second, 1
    or a0, \first, \second
    ret
.endm

.macro give_one first
    mv a0, \first
    ret
.endm

.macro give_none
    li a0, 0
    ret
.endm

/* a register that is 0 and depends on another one */
.macro depend to, on
    xor \to, \on, \on
.endm

body write_x
    sw t2, (a0)
    give_none
body write_y
    sw t2, (a1)
    give_none

/* message passing */
body mp_write
    sw t2, (a0)
    sw t2, (a1)
    give_none
body mp_write_fence
    sw t2, (a0)
    fence w, w
    sw t2, (a1)
    give_none
body mp_write_release
    sw t2, (a0)
    amoswap.w.rl zero, t2, (a1)
    give_none
body mp_read
    lw t0, (a1)
    lw t1, (a0)
    give t0, t1
body mp_read_fence
    lw t0, (a1)
    fence r, r
    lw t1, (a0)
    give t0, t1
body mp_read_acquire
    amoor.w.aq t0, zero, (a1)
    lw t1, (a0)
    give t0, t1
body mp_read_address
    lw t0, (a1)
    depend t1, t0
    add a0, a0, t1
    lw t1, (a0)
    give t0, t1

/* store buffering */
body sb_x
    sw t2, (a0)
    lw t0, (a1)
    give_one t0
body sb_y
    sw t2, (a1)
    lw t0, (a0)
    give_one t0
body sb_x_fence
    sw t2, (a0)
    fence rw, rw
    lw t0, (a1)
    give_one t0
body sb_y_fence
    sw t2, (a1)
    fence rw, rw
    lw t0, (a0)
    give_one t0
body sb_x_narrow /* the weakest fence that orders them */
    sw t2, (a0)
    fence w, r
    lw t0, (a1)
    give_one t0
body sb_y_narrow
    sw t2, (a1)
    fence w, r
    lw t0, (a0)
    give_one t0
body sb_x_amo
    amoswap.w.aqrl zero, t2, (a0)
    lw t0, (a1)
    give_one t0
body sb_y_amo
    amoswap.w.aqrl zero, t2, (a1)
    lw t0, (a0)
    give_one t0

/* load buffering */
body lb_x
    lw t0, (a0)
    sw t2, (a1)
    give_one t0
body lb_y
    lw t0, (a1)
    sw t2, (a0)
    give_one t0
body lb_x_data
    lw t0, (a0)
    depend t1, t0
    or t1, t1, t2
    sw t1, (a1)
    give_one t0
body lb_y_data
    lw t0, (a1)
    depend t1, t0
    or t1, t1, t2
    sw t1, (a0)
    give_one t0
body lb_x_fence
    lw t0, (a0)
    fence r, w
    sw t2, (a1)
    give_one t0
body lb_y_fence
    lw t0, (a1)
    fence r, w
    sw t2, (a0)
    give_one t0

/* one location */
body read_x_twice
    lw t0, (a0)
    lw t1, (a0)
    give t0, t1

/* final values: 1 or 2 */
body w2_xy
    sw t2, (a0)
    fence w, w
    sw t3, (a1)
    give_none
body w2_yx
    sw t2, (a1)
    fence w, w
    sw t3, (a0)
    give_none
body s_write
    sw t3, (a0)
    fence w, w
    sw t2, (a1)
    give_none
body s_read
    lw t0, (a1)
    fence r, w
    sw t2, (a0)
    give_one t0
body r_read
    sw t3, (a1)
    fence w, r
    lw t0, (a0)
    give_one t0

/* independent reads of independent writes; write to read causality */
body read_xy
    lw t0, (a0)
    lw t1, (a1)
    give t0, t1
body read_xy_fence
    lw t0, (a0)
    fence r, r
    lw t1, (a1)
    give t0, t1
body wrc_pass
    lw t0, (a0)
    fence r, w
    sw t2, (a1)
    give_one t0

/* Adds a2 times 1 to the word at a0. */
body count_lr_sc_w
1:
    lr.w t0, (a0)
    addi t0, t0, 1
    sc.w t1, t0, (a0)
    bnez t1, 1b
    addi a2, a2, -1
    bnez a2, 1b
    ret
body count_lr_sc_d
1:
    lr.d t0, (a0)
    addi t0, t0, 1
    sc.d t1, t0, (a0)
    bnez t1, 1b
    addi a2, a2, -1
    bnez a2, 1b
    ret
body count_amoadd_w
1:
    amoadd.w zero, t2, (a0)
    addi a2, a2, -1
    bnez a2, 1b
    ret
body count_amoadd_d
1:
    amoadd.d zero, t2, (a0)
    addi a2, a2, -1
    bnez a2, 1b
    ret
body count_half /* every second by an AMO */
1:
    lr.w t0, (a0)
    addi t0, t0, 1
    sc.w t1, t0, (a0)
    bnez t1, 1b
    addi a2, a2, -1
    beqz a2, 2f
    amoadd.w zero, t2, (a0)
    addi a2, a2, -1
    bnez a2, 1b
2:
    ret
body count_lock_amo /* plain additions under a lock at a1 */
1:
    amoswap.w.aq t0, t2, (a1)
    bnez t0, 1b
    lw t0, (a0)
    addi t0, t0, 1
    sw t0, (a0)
    amoswap.w.rl zero, zero, (a1)
    addi a2, a2, -1
    bnez a2, 1b
    ret
body count_lock_lr_sc
1:
    lr.w.aq t0, (a1)
    bnez t0, 1b
    sc.w t0, t2, (a1)
    bnez t0, 1b
    lw t0, (a0)
    addi t0, t0, 1
    sw t0, (a0)
    fence rw, w
    sw zero, (a1)
    addi a2, a2, -1
    bnez a2, 1b
    ret

/* Reserves x, tells a3 at a1, waits for a3 at a2, stores 9 if the reservation holds: 0 when it did. */
    .globl aba_reserve
aba_reserve:
    li t2, 9
    lr.w.aq t0, (a0)
    fence rw, rw
    sw a3, (a1)
1:
    lw t0, (a2)
    bne t0, a3, 1b
    fence rw, rw
    sc.w.rl a0, t2, (a0)
    ret

/* What the other hart does meanwhile: x holds 0 before and after. */
body aba_nothing
    give_none
body aba_same
    sw zero, (a0)
    give_none
body aba_there_and_back
    sw t2, (a0)
    sw zero, (a0)
    give_none
body aba_byte
    sb zero, 3(a0)
    give_none
body aba_amo
    amoor.w zero, zero, (a0)
    give_none
body aba_amo_there_and_back
    amoadd.w zero, t2, (a0)
    li t2, -1
    amoadd.w zero, t2, (a0)
    give_none
body aba_sc
1:
    lr.w t0, (a0)
    sc.w t1, t0, (a0)
    bnez t1, 1b
    give_none
