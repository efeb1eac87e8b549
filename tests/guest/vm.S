/*
 * vm.S - translation (Sv39 or Sv32) as loads, stores, atomics and fetches see it: permissions, SUM, MXR, MPRV, and the
 * three page faults with their addresses. One large page maps the program, small ones what it tries.
 */
#include "test-macros.h"
#include "paging-macros.h"

#define MSTATUS_SUM (1 << 18)
#define MSTATUS_MXR (1 << 19)
#define MSTATUS_MPRV (1 << 17)
#define FETCH_PAGE 12
#define LOAD_PAGE 13
#define STORE_PAGE 15
#define TRIED 0x40000000 /* virtual address of what is tried */

/* The page at TRIED becomes `frame` with these flags. */
.macro page flags
    la a2, frame
    entry leaves, TRIED, 12, a2, \flags
    sfence.vma
.endm
.macro try_is number, flags, mode, cause, insn:vararg
    line \number
    page \flags
    li a1, TRIED + 8
    enter \mode
    li s2, -1
    la s9, 78f
    \insn
    ecall
78: check s2, \cause
    .if \cause >= FETCH_PAGE
    check s4, TRIED + 8
    .endif
.endm
#define TRY(flags, mode, cause, ...) try_is __LINE__, flags, mode, cause, __VA_ARGS__
#define LOAD lw a0, 0(a1)
#define STORE sw a0, 0(a1)
#define AMO amoadd.w a0, a0, (a1)
#define RESERVE lr.w a0, (a1)
#define FETCH jr a1

    BEGIN
    /* the program is where it is, for S; its large page is not for U, so U programs run from TRIED + 4096 */
    li a2, 0x80000000
    entry root, 0x80000000, LARGE, a2, V | R | W | X | AD
#if XLEN == 64
    la a2, middle
    entry root, TRIED, LARGE, a2, V
    la a2, leaves
    entry middle, TRIED, MIDDLE, a2, V
#else
    li a2, 0x80000000 + 0x400000
    entry root, 0x80400000, LARGE, a2, V | R | W | X | AD
    la a2, leaves
    entry root, TRIED, LARGE, a2, V
#endif
    use root, 0
    sfence.vma

    /* ---- the data is that of the frame ---- */
    la a2, frame
    li a0, 0x1234567
    sw a0, 8(a2)
    TRY(V | R | W | AD, S_MODE, ECALL_S, LOAD)
    CHECK(a0, 0x1234567)
    li a0, 0x7654321
    TRY(V | R | W | AD, S_MODE, ECALL_S, STORE)
    la a2, frame
    lw a0, 8(a2)
    CHECK(a0, 0x7654321)

    /* ---- each permission, for each kind of access ---- */
    TRY(0, S_MODE, LOAD_PAGE, LOAD)
    TRY(0, S_MODE, STORE_PAGE, STORE)
    NEW(TRY(0, S_MODE, STORE_PAGE, AMO))
    TRY(0, S_MODE, LOAD_PAGE, RESERVE)
    TRY(0, S_MODE, FETCH_PAGE, FETCH)
    TRY(R | W | X | AD, S_MODE, LOAD_PAGE, LOAD)
    TRY(V | R | AD, S_MODE, ECALL_S, LOAD)
    TRY(V | R | AD, S_MODE, ECALL_S, RESERVE)
    TRY(V | R | AD, S_MODE, STORE_PAGE, STORE)
    TRY(V | R | AD, S_MODE, STORE_PAGE, AMO)
    TRY(V | R | W | AD, S_MODE, FETCH_PAGE, FETCH)
    TRY(V | X | AD, S_MODE, LOAD_PAGE, LOAD)
    TRY(V | R | W | AD, S_MODE, ECALL_S, AMO)
    /* W without R is reserved, and so is a pointer at the last level */
    TRY(V | W | AD, S_MODE, LOAD_PAGE, LOAD)
    TRY(V | W | X | AD, S_MODE, FETCH_PAGE, FETCH)
    TRY(V, S_MODE, LOAD_PAGE, LOAD)

    /* ---- U, SUM, MXR ---- */
    TRY(V | R | W | U | AD, S_MODE, LOAD_PAGE, LOAD)
    TRY(V | R | W | X | U | AD, S_MODE, FETCH_PAGE, FETCH)
    li t0, MSTATUS_SUM
    csrs mstatus, t0
    TRY(V | R | W | U | AD, S_MODE, ECALL_S, LOAD)
    TRY(V | R | W | U | AD, S_MODE, ECALL_S, STORE)
    TRY(V | R | W | X | U | AD, S_MODE, FETCH_PAGE, FETCH)
    li t0, MSTATUS_SUM
    csrc mstatus, t0
    li t0, MSTATUS_MXR
    csrs mstatus, t0
    TRY(V | X | AD, S_MODE, ECALL_S, LOAD)
    TRY(V | X | AD, S_MODE, STORE_PAGE, STORE)
    li t0, MSTATUS_MXR
    csrc mstatus, t0
    TRY(V | X | AD, S_MODE, LOAD_PAGE, LOAD)

    /* ---- MPRV: M's loads and stores as the mode in MPP, its fetches not ---- */
.macro as_mode number, flags, mode, cause, insn:vararg
    line \number
    page \flags
    li a1, TRIED + 8
    li t0, MSTATUS_MPP
    csrc mstatus, t0
    li t0, (\mode << 11) | MSTATUS_MPRV
    csrs mstatus, t0
    li s2, -1
    la s9, 78f
    \insn
    li s9, 0
78: li t0, MSTATUS_MPRV
    csrc mstatus, t0
    check s2, \cause
.endm
#define AS(flags, mode, cause, ...) as_mode __LINE__, flags, mode, cause, __VA_ARGS__
    AS(V | R | W | AD, S_MODE, -1, LOAD)
    AS(V | R | W | AD, U_MODE, LOAD_PAGE, LOAD)
    AS(V | R | W | AD, U_MODE, STORE_PAGE, STORE)
    AS(V | R | U | AD, U_MODE, -1, LOAD)
    AS(V | R | U | AD, U_MODE, STORE_PAGE, STORE)
    AS(V | R | U | AD, S_MODE, LOAD_PAGE, LOAD)
    AS(V | R | U | AD, M_MODE, LOAD_ACCESS, lw a0, 8(zero))

    /* ---- an access across two pages: the fault is at the second ---- */
    LINE
    page V | R | W | AD
    li a1, TRIED + 4094
    enter S_MODE
    la s9, 1f
    lw a0, 0(a1)
    ecall
1:  CHECK(s2, LOAD_PAGE)
    CHECK(s4, TRIED + 4096)
    LINE
    li a1, TRIED + 4094
    enter S_MODE
    la s9, 1f
    li a0, -1
    sw a0, 0(a1)
    ecall
1:  CHECK(s2, STORE_PAGE)
    CHECK(s4, TRIED + 4096)
    la a2, frame + 4094
    lhu a0, 0(a2)
    CHECK(a0, 0)

#ifndef FOR_QEMU
    /* ---- A and D: set by hardware (Svadu), when menvcfg.ADUE says so; faults without ---- */
#if XLEN == 64
    csrw menvcfg, zero
#else
    csrw menvcfgh, zero
#endif
    TRY(V | R | W, S_MODE, LOAD_PAGE, LOAD)
    TRY(V | R | W | A, S_MODE, STORE_PAGE, STORE)
    TRY(V | R | W | A, S_MODE, ECALL_S, LOAD)
    li t0, 1 << 29
#if XLEN == 64
    slli t0, t0, 32
    csrw menvcfg, t0
#else
    csrw menvcfgh, t0
#endif
.macro flags_are number, want
    line \number
    la t0, leaves
    lw a0, 0(t0)
    andi a0, a0, 0xff
    check a0, \want
.endm
    TRY(V | R | W, S_MODE, ECALL_S, LOAD)
    flags_are __LINE__, V | R | W | A
    TRY(V | R | W, S_MODE, ECALL_S, STORE)
    flags_are __LINE__, V | R | W | AD
    TRY(V | R | W | A, S_MODE, ECALL_S, AMO)
    flags_are __LINE__, V | R | W | AD
    TRY(V | R, S_MODE, STORE_PAGE, STORE)
    flags_are __LINE__, V | R
#endif
    csrw satp, zero
    END
    .section .bss
    .balign 4096
root: .space 4096
middle: .space 4096
leaves: .space 4096
frame: .space 8192
