/*
 * test-macros.h - what a guest test program is made of: bare metal, machine mode, on the spike board.
 *
 *     #include "test-macros.h"
 *     BEGIN
 *     RR(add, 3, 1, 2)                          one case a line
 *     TRAPS(2, 0, "csrw mhartid, a0")           cause, mtval (or ANY), instruction
 *     END
 *
 * A case puts its source line into gp. The first case that fails prints `FAIL line N: ...` and ends the program with
 * status 1; END ends it with 0.
 *
 * Registers: gp line; a6 got, a7 wanted; s2 mcause, s3 mepc, s4 mtval of the last trap; s9 where a trap that is
 * expected goes on; s5 the handler's. Cases may use the others.
 *
 * Nothing here is compressed or relaxed, so that the programs run without C, and addresses are what they look like.
 */
#define XLEN __riscv_xlen
#if XLEN == 64
#define REG_S sd
#define REG_L ld
#define REG_BYTES 8
#define MIN 0x8000000000000000
#define MAX 0x7fffffffffffffff
#define IF64(...) __VA_ARGS__
#define IF32(...)
#else
#define REG_S sw
#define REG_L lw
#define REG_BYTES 4
#define MIN 0x80000000
#define MAX 0x7fffffff
#define IF64(...)
#define IF32(...) __VA_ARGS__
#endif

/* Causes. */
#define FETCH_MISALIGNED 0
#define FETCH_ACCESS 1
#define ILLEGAL 2
#define BREAKPOINT 3
#define LOAD_MISALIGNED 4
#define LOAD_ACCESS 5
#define STORE_MISALIGNED 6
#define STORE_ACCESS 7
#define ECALL_U 8
#define ECALL_S 9
#define ECALL_M 11

/* fflags. */
#define NX 1
#define UF 2
#define OF 4
#define DZ 8
#define NV 16

#define U_MODE 0
#define S_MODE 1
#define M_MODE 3
#define MSTATUS_MPP 0x1800
#define MSTATUS_FS 0x6000

/* What the second opinion does not know: QEMU 7.2 has no Zicond, Zacas, Zawrs, Zcb, Zfa, Zicbop. */
/* It also lets a misaligned LR through, calls an AMO that may neither read nor write a load, keeps MPRV after mret, has
 * no mtval for Svinval, and no `time` on spike. */
#ifdef FOR_QEMU
#define NEW(...)
#else
#define NEW(...) __VA_ARGS__
#endif

/* ---- the frame of a program ---- */

.macro begin
    .option norvc
    .option norelax
    .option arch, +zba, +zbb, +zbc, +zbs, +zicbom, +zicboz, +zicbop, +zawrs, +svinval, +zihintpause, +zfh
    .section .text.start, "ax"
    .globl _start
_start:
    la t0, trap_vector
    csrw mtvec, t0
    li t0, MSTATUS_FS
    csrs mstatus, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li s9, 0
    la sp, stack_top
.endm

.macro end
    li a0, 0
    j exit_with

    .balign 4
trap_vector:
    beqz s9, unexpected
    csrr s2, mcause
    csrr s3, mepc
    csrr s4, mtval
    csrw mepc, s9
    li s9, 0
    li s5, 1 << 7 /* MPIE: an interrupt that is still there is not taken again */
    csrc mstatus, s5
    li s5, MSTATUS_MPP
    csrs mstatus, s5
    mret
unexpected:
    la a0, unexpected_text
    call print
    csrr a0, mepc
    call print_hex
    la a0, cause_text
    call print
    csrr a6, mcause
    csrr a7, mtval
fail: # line in gp, a6 is not a7
    la a0, fail_text
    call print
    call print_line
    la a0, got_text
    call print
    mv a0, a6
    call print_hex
    la a0, want_text
    call print
    mv a0, a7
    call print_hex
    li a0, '\n'
    call print_char
    li a0, 1
exit_with:
    slli a0, a0, 1
    ori a0, a0, 1
    li a1, 0
    call tell_host
stay:
    j stay

/* a0: low word of a command, a1: its high word. RV32 writes the high word first, as the command is taken with the low
 * one here, and last for QEMU, which takes it with that. */
tell_host:
    la a2, tohost
#if XLEN == 64
    slli a1, a1, 32
    or a0, a0, a1
    sd a0, 0(a2)
#else
    sw a1, 4(a2)
    sw a0, 0(a2)
    sw a1, 4(a2)
#endif
    la a2, fromhost
    REG_S zero, 0(a2)
    ret
print_char:
    li a1, 0x01010000
    j tell_host
print: # text at a0
    mv t5, ra
    mv t4, a0
1:
    lbu a0, 0(t4)
    beqz a0, 2f
    call print_char
    addi t4, t4, 1
    j 1b
2:
    jr t5
print_hex:
    mv t5, ra
    mv t4, a0
    li t3, XLEN - 4
1:
    srl a0, t4, t3
    andi a0, a0, 15
    addi a0, a0, '0'
    li t2, '9'
    ble a0, t2, 2f
    addi a0, a0, 'a' - '9' - 1
2:
    call print_char
    addi t3, t3, -4
    bgez t3, 1b
    jr t5
print_line: # gp in decimal, four digits, by subtraction: M may be off
    mv t5, ra
    li t3, 1000
    call print_digit
    li t3, 100
    call print_digit
    li t3, 10
    call print_digit
    li t3, 1
    call print_digit
    jr t5
print_digit:
    mv t4, ra
    li a0, '0'
1:
    bltu gp, t3, 2f
    sub gp, gp, t3
    addi a0, a0, 1
    j 1b
2:
    call print_char
    jr t4

    .section .rodata
fail_text: .asciz "FAIL line "
got_text: .asciz ": got "
want_text: .asciz ", want "
unexpected_text: .asciz "unexpected trap at "
cause_text: .asciz ", mcause and mtval follow. "
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
    .space 4096
stack_top:
    .section .text
.endm

#define BEGIN begin
#define END end

/* ---- checks ---- */

.macro check reg, want
    mv a6, \reg
    li a7, \want
    beq a6, a7, 77f
    j fail
77:
.endm

.macro line number
    li gp, \number
.endm

/* CHECK(register, value): of whatever was done before. LINE where the case begins with something that may trap. */
#define LINE line __LINE__;
#define CHECK(reg, want) line __LINE__; check reg, want

/* ---- integer instructions: with rd apart, rd = each source, and rd = x0 ---- */

.macro case_rr number, insn, want, a, b
    line \number
    li a1, \a
    li a2, \b
    \insn a0, a1, a2
    check a0, \want
    \insn zero, a1, a2
    check zero, 0
    check a1, \a
    check a2, \b
    \insn a2, a1, a2
    check a2, \want
    li a2, \b
    \insn a1, a1, a2
    check a1, \want
.endm

.macro case_ri number, insn, want, a, imm
    line \number
    li a1, \a
    \insn a0, a1, \imm
    check a0, \want
    \insn zero, a1, \imm
    check zero, 0
    \insn a1, a1, \imm
    check a1, \want
.endm

.macro case_r number, insn, want, a
    line \number
    li a1, \a
    \insn a0, a1
    check a0, \want
    \insn zero, a1
    check zero, 0
    \insn a1, a1
    check a1, \want
.endm

#define RR(insn, want, a, b) case_rr __LINE__, insn, want, a, b
#define RI(insn, want, a, imm) case_ri __LINE__, insn, want, a, imm
#define R1(insn, want, a) case_r __LINE__, insn, want, a

/* ---- traps ---- */

/* The instruction is one macro argument: quote it. Nothing of it may have happened: that is for the caller to check. */
.macro case_trap number, cause, tval, insn:vararg
    line \number
    li s2, -1
    la s9, 78f
79:
    \insn
78:
    check s2, \cause
    la t0, 79b
    mv a6, s3
    mv a7, t0
    beq a6, a7, 76f
    j fail
76:
    .ifnc \tval, any
    check s4, \tval
    .endif
.endm

/* TRAPS(cause, mtval or any, instruction...): taken from whatever mode to M; goes on after it in M. */
#define TRAPS(cause, tval, ...) case_trap __LINE__, cause, tval, __VA_ARGS__

/* Goes on in a lower mode; a trap comes back. */
.macro enter mode
    li t0, MSTATUS_MPP
    csrc mstatus, t0
    li t0, \mode << 11
    csrs mstatus, t0
    la t0, 75f
    csrw mepc, t0
    mret
75:
.endm

#define ENTER(mode) enter mode

/* The instruction in a lower mode has to trap, or has not to: then an ecall comes back. */
.macro case_trap_in number, mode, cause, tval, insn:vararg
    enter \mode
    case_trap \number, \cause, \tval, \insn
.endm

.macro case_runs_in number, mode, insn:vararg
    line \number
    enter \mode
    li s2, -1
    la s9, 78f
    \insn
    ecall
78:
    check s2, ECALL_U + \mode
.endm

#define TRAPS_IN(mode, cause, tval, ...) case_trap_in __LINE__, mode, cause, tval, __VA_ARGS__
#define RUNS_IN(mode, ...) case_runs_in __LINE__, mode, __VA_ARGS__
