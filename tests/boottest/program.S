/*
 * program.S - what the bare-metal boot tests run; -DPROGRAM=NAME picks the part. All harts start here in machine mode.
 *
 * UART: NS16550A at 0x10000000. Power and reset: sifive_test at 0x100000.
 */
#define NAME(x) NAME_(x)
#define NAME_(x) program_##x

#if __riscv_xlen == 64
#define WORD 8
#define SAVE sd
#else
#define WORD 4
#define SAVE sw
#endif

    .option norelax
    .globl _start
_start:
    li s1, 0x10000000
    li s2, 0x100000
    la sp, stack_end
    li s0, 0
    csrr t0, mhartid
    bnez t0, park
    j NAME(PROGRAM)

park:
    csrw mie, zero
1:  wfi
    j 1b

/* Writes the text at a0. */
print:
    lbu t0, 0(a0)
    beqz t0, 1f
    sb t0, 0(s1)
    addi a0, a0, 1
    j print
1:  ret

    .macro say text
    .pushsection .rodata
8:  .asciz "\text"
    .popsection
    la a0, 8b
    call print
    .endm

    .macro finish value
    li t0, \value
    sw t0, 0(s2)
1:  j 1b
    .endm

/* jump to self with interrupts off, two calls deep, with frames as a compiler makes them */
program_self:
    say "about to jump to itself\n"
    call outer
outer:
    addi sp, sp, -16
    SAVE ra, 16 - WORD(sp)
    SAVE s0, 16 - 2 * WORD(sp)
    addi s0, sp, 16
    .globl stuck_here
stuck_here:
    j stuck_here

/* wfi with nothing enabled */
program_asleep:
    say "going to sleep\n"
    csrw mie, zero
    wfi
    say "woken\n"
    finish 0x5555

/* wfi, with interrupts of devices and of timers enabled and none armed */
program_waits:
    say "waiting\n"
    li t0, 0x880
    csrw mie, t0
    csrsi mstatus, 8
1:  wfi
    addi t1, t1, 1
    j 1b

/* the handler cannot be fetched */
program_traps:
    say "trapping\n"
    li t0, 0x40
    csrw mtvec, t0
    unimp

/* a timer ends the wfi, so this one lives */
program_timer:
    li t0, 0x80
    csrw mie, t0
    li t1, 0x200bff8
    lw t2, 0(t1)
    li t3, 30000000         /* 3 s */
    add t2, t2, t3
    li t1, 0x2004000
    sw t2, 0(t1)
    sw zero, 4(t1)
    wfi
    say "the timer came\n"
    finish 0x5555

/* works, and says nothing more */
program_silent:
    say "last words\n"
1:  addi t1, t1, 1
    xor t2, t2, t1
    j 1b

/* never stops talking */
program_chatter:
    say "tick\n"
    li t1, 100000
1:  addi t1, t1, -1
    bnez t1, 1b
    j program_chatter

program_resets:
    say "up\n"
    finish 0x7777

/* ends with status 3 */
program_exit3:
    say "done\n"
    finish 0x33333

program_complains:
    say "all is well\n"
    say "BUG: not quite\n"
    say "ready\n"
1:  addi t1, t1, 1
    j 1b

program_panics:
    say "working\n"
    say "Kernel panic - not syncing: nothing left to do\n"
    say "---[ end Kernel panic - not syncing: nothing left to do ]---\n"
1:  addi t1, t1, 1
    j 1b

/* reads lines without a FIFO and slowly, and says them again in upper case; "off" ends it */
program_echo:
    say "> "
    la s3, buffer
    li s5, 0
2:  li t1, 2000
3:  addi t1, t1, -1
    bnez t1, 3b
    lbu t0, 5(s1)           /* LSR: overrun is what must not happen */
    or s5, s5, t0
    andi t1, t0, 1
    beqz t1, 2b
    lbu t0, 0(s1)
    li t1, '\n'
    beq t0, t1, 4f
    addi t1, t0, -'a'
    li t2, 26
    bgeu t1, t2, 5f
    addi t0, t0, -32
5:  sb t0, 0(s3)
    addi s3, s3, 1
    j 2b
4:  sb zero, 0(s3)
    say "heard: "
    la a0, buffer
    call print
    andi s5, s5, 2
    beqz s5, 6f
    say " (overrun)"
6:  say "\n"
    la t1, buffer
    lbu t0, 0(t1)
    li t1, 'O'
    bne t0, t1, program_echo
    finish 0x5555

    .bss
    .balign 16
stack:
    .space 256
stack_end:
buffer:
    .space 256
