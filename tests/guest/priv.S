/* priv.S - privileged instructions and traps: what each may do in each mode, and what a trap leaves behind. */
#include "test-macros.h"

#define MSTATUS_SIE (1 << 1)
#define MSTATUS_MIE (1 << 3)
#define MSTATUS_SPIE (1 << 5)
#define MSTATUS_MPIE (1 << 7)
#define MSTATUS_SPP (1 << 8)
#define MSTATUS_MPRV (1 << 17)
#define MSTATUS_TVM (1 << 20)
#define MSTATUS_TW (1 << 21)
#define MSTATUS_TSR (1 << 22)
#define CLINT 0x2000000

.macro set_mstatus bits
    li t0, \bits
    csrs mstatus, t0
.endm
.macro clear_mstatus bits
    li t0, \bits
    csrc mstatus, t0
.endm
/* Bits `mask` of a CSR. */
.macro csr_is number, csr, mask, want
    line \number
    csrr a0, \csr
    li a1, \mask
    and a0, a0, a1
    check a0, \want
.endm
#define CSR_IS(csr, mask, want) csr_is __LINE__, csr, mask, want

    BEGIN
    la s6, .

/* ---- environment call and breakpoint ---- */
    TRAPS(ECALL_M, 0, ecall)
    TRAPS_IN(S_MODE, ECALL_S, 0, ecall)
    TRAPS_IN(U_MODE, ECALL_U, 0, ecall)
    TRAPS(BREAKPOINT, any, ebreak)
    TRAPS_IN(U_MODE, BREAKPOINT, any, ebreak)
    /* what the trap says of the mode it came from */
    enter S_MODE
    la s9, 1f
    li s5, 0
    ecall
1:  CHECK(s2, ECALL_S)

/* ---- illegal: mtval is the instruction ---- */
    TRAPS(ILLEGAL, 0, .4byte 0)
    TRAPS(ILLEGAL, 0xffffffff, .4byte 0xffffffff)
    TRAPS(ILLEGAL, 0x0000707b, .4byte 0x0000707b)
    TRAPS_IN(U_MODE, ILLEGAL, 0x30200073, mret)

/* ---- access faults ---- */
    li a1, 0x10
    li a0, 0x77
    TRAPS(LOAD_ACCESS, 0x10, lw a0, 0(a1))
    CHECK(a0, 0x77)
    TRAPS(LOAD_ACCESS, 0x12, lb a0, 2(a1))
    TRAPS(STORE_ACCESS, 0x10, sw a0, 0(a1))
    TRAPS(STORE_ACCESS, 0x13, sb a0, 3(a1))
    LINE
    la s9, 1f
    jr a1
1:  CHECK(s2, FETCH_ACCESS)
    CHECK(s3, 0x10)
    CHECK(s4, 0x10)

/* ---- mret ---- */
    TRAPS_IN(S_MODE, ILLEGAL, 0x30200073, mret)
    clear_mstatus MSTATUS_MIE
    set_mstatus MSTATUS_MPIE | MSTATUS_MPP
    la t0, 1f
    csrw mepc, t0
    mret
1:  CSR_IS(mstatus, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP, MSTATUS_MIE | MSTATUS_MPIE)
    clear_mstatus MSTATUS_MIE | MSTATUS_MPIE
    set_mstatus MSTATUS_MPP | MSTATUS_MPRV
    la t0, 1f
    csrw mepc, t0
    mret
1:  CSR_IS(mstatus, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPRV, MSTATUS_MPIE | MSTATUS_MPRV)
    set_mstatus MSTATUS_MPRV
    enter S_MODE
    la s9, 1f
    ecall
1:  NEW(CSR_IS(mstatus, MSTATUS_MPRV, 0))
    clear_mstatus MSTATUS_MPRV

/* ---- sret ---- */
    TRAPS_IN(U_MODE, ILLEGAL, 0x10200073, sret)
.macro sret_from number, mode, bits, want
    line \number
    enter \mode
    li t0, MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE
    csrc sstatus, t0
    li t0, \bits
    csrs sstatus, t0
    la t0, 1f
    csrw sepc, t0
    sret
1:  la s9, 2f
    li s2, -1
    ecall
2:  check s2, \want
    csr_is \number, sstatus, MSTATUS_SPP, 0
    csr_is \number, sstatus, MSTATUS_SPIE, MSTATUS_SPIE
    csr_is \number, sstatus, MSTATUS_SIE, (\bits & MSTATUS_SPIE) >> 4
.endm
#define SRET(mode, bits, want) sret_from __LINE__, mode, bits, want
    SRET(S_MODE, 0, ECALL_U)
    SRET(S_MODE, MSTATUS_SPP, ECALL_S)
    SRET(S_MODE, MSTATUS_SPIE, ECALL_U)
    SRET(M_MODE, MSTATUS_SPP | MSTATUS_SPIE, ECALL_S)
    set_mstatus MSTATUS_TSR
    TRAPS_IN(S_MODE, ILLEGAL, 0x10200073, sret)
    SRET(M_MODE, 0, ECALL_U)
    clear_mstatus MSTATUS_TSR | MSTATUS_SIE

/* ---- wfi: an interrupt that is pending and enabled ends it at once, taken or not ---- */
    csrwi mideleg, 2
    csrsi mip, 2
    csrsi mie, 2
    LINE
    wfi
    RUNS_IN(S_MODE, wfi)
    set_mstatus MSTATUS_TW
    TRAPS_IN(S_MODE, ILLEGAL, 0x10500073, wfi)
    LINE
    wfi
    csrci mip, 2
    csrci mie, 2
    csrwi mideleg, 0
    TRAPS_IN(U_MODE, ILLEGAL, 0x10500073, wfi)
    NEW(TRAPS_IN(S_MODE, ILLEGAL, 0x00d00073, wrs.nto))
    NEW(TRAPS_IN(U_MODE, ILLEGAL, 0x00d00073, wrs.nto))
    NEW(RUNS_IN(U_MODE, wrs.sto))
    clear_mstatus MSTATUS_TW
    TRAPS_IN(U_MODE, ILLEGAL, 0x10500073, wfi)
    NEW(LINE)
    NEW(wrs.nto)
    NEW(RUNS_IN(U_MODE, wrs.nto))
    NEW(RUNS_IN(S_MODE, wrs.sto))

/* ---- fences of translation ---- */
    LINE
    sfence.vma
    sfence.vma a0, a1
    sinval.vma a0, zero
    sfence.w.inval
    sfence.inval.ir
    RUNS_IN(S_MODE, sfence.vma)
    RUNS_IN(S_MODE, sfence.vma zero, a1)
    RUNS_IN(S_MODE, sinval.vma zero, zero)
    RUNS_IN(S_MODE, csrr a0, satp)
    TRAPS_IN(U_MODE, ILLEGAL, 0x12000073, sfence.vma)
    NEW(TRAPS_IN(U_MODE, ILLEGAL, 0x16000073, sinval.vma zero, zero))
    NEW(TRAPS_IN(U_MODE, ILLEGAL, 0x18000073, sfence.w.inval))
    NEW(TRAPS_IN(U_MODE, ILLEGAL, 0x18100073, sfence.inval.ir))
    set_mstatus MSTATUS_TVM
    TRAPS_IN(S_MODE, ILLEGAL, 0x12000073, sfence.vma)
    NEW(TRAPS_IN(S_MODE, ILLEGAL, 0x16b50073, sinval.vma a0, a1))
    TRAPS_IN(S_MODE, ILLEGAL, any, csrr a0, satp)
    TRAPS_IN(S_MODE, ILLEGAL, any, csrw satp, zero)
    RUNS_IN(S_MODE, sfence.w.inval)
    RUNS_IN(S_MODE, sfence.inval.ir)
    sfence.vma
    csrr a0, satp
    CHECK(a0, 0)
    clear_mstatus MSTATUS_TVM

/* ---- FS: Off makes illegal, any change makes Dirty ---- */
    clear_mstatus MSTATUS_FS
    TRAPS(ILLEGAL, 0x00c5f553, fadd.s fa0, fa1, fa2, dyn)
    TRAPS(ILLEGAL, any, fmv.x.w a0, fa0)
    TRAPS(ILLEGAL, any, flw fa0, 0(sp))
    TRAPS(ILLEGAL, any, fsd fa0, 0(sp))
    TRAPS(ILLEGAL, any, csrr a0, fcsr)
    TRAPS(ILLEGAL, any, csrw fflags, zero)
    TRAPS_IN(U_MODE, ILLEGAL, any, csrr a0, frm)
    CSR_IS(mstatus, MSTATUS_FS | MIN, 0)
.macro makes_dirty number, insn:vararg
    clear_mstatus MSTATUS_FS
    set_mstatus 0x2000
    \insn
    csr_is \number, mstatus, MSTATUS_FS | MIN, MSTATUS_FS | MIN
.endm
.macro stays_clean number, insn:vararg
    clear_mstatus MSTATUS_FS
    set_mstatus 0x4000
    \insn
    csr_is \number, mstatus, MSTATUS_FS | MIN, 0x4000
.endm
    makes_dirty __LINE__, fadd.s fa0, fa1, fa2
    makes_dirty __LINE__, fmv.w.x fa0, zero
    makes_dirty __LINE__, fld fa0, 0(sp)
    makes_dirty __LINE__, csrw frm, zero
    stays_clean __LINE__, fsd fa0, -8(sp)
    stays_clean __LINE__, csrr a0, fcsr
    stays_clean __LINE__, fmv.x.w a0, fa0
    stays_clean __LINE__, csrr a0, sstatus
    set_mstatus MSTATUS_FS

    /* a rounding mode that does not exist, in the instruction and in frm */
    TRAPS(ILLEGAL, 0x00c5d553, .4byte 0x00c5d553)
    TRAPS(ILLEGAL, 0x00c5e553, .4byte 0x00c5e553)
    csrwi frm, 5
    TRAPS(ILLEGAL, any, fadd.s fa0, fa1, fa2, dyn)
    TRAPS(ILLEGAL, any, fcvt.w.d a0, fa1, dyn)
    TRAPS(ILLEGAL, any, fmadd.d fa0, fa1, fa2, fa3, dyn)
    LINE
    fadd.s fa0, fa1, fa2, rne
    fsgnj.s fa0, fa1, fa2
    csrwi frm, 7
    TRAPS(ILLEGAL, any, fsqrt.d fa0, fa1, dyn)
    csrwi frm, 0

/* ---- delegation: U to S, and what S sees ---- */
    li t0, (1 << ILLEGAL) | (1 << ECALL_U)
    csrw medeleg, t0
    la t0, in_s
    csrw stvec, t0
    set_mstatus MSTATUS_SIE
    enter U_MODE
    la s9, 2f
1:  .4byte 0xffffffff
2:  CHECK(s2, ECALL_S)
    csrr a0, scause
    CHECK(a0, ILLEGAL)
    csrr a0, stval
    CHECK(a0, 0xffffffff)
    csrr a0, sepc
    la a1, 1b
    sub a0, a0, a1
    CHECK(a0, 0)
    CSR_IS(sstatus, MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE, MSTATUS_SPIE)
    /* M is not delegated from */
    TRAPS(ILLEGAL, 0xffffffff, .4byte 0xffffffff)
    TRAPS(ECALL_M, 0, ecall)
    csrw medeleg, zero
    clear_mstatus MSTATUS_SIE | MSTATUS_SPIE

/* ---- interrupts ---- */
    /* the CLINT's software interrupt, in M only when MIE says so */
    li a1, CLINT
    li a0, 1
    sw a0, 0(a1)
    csrwi mie, 8
    CSR_IS(mip, 8, 8)
    la s9, 1f
    li s2, -1
    set_mstatus MSTATUS_MIE
    j fail
1:  CHECK(s2, MIN + 3)
    CHECK(s4, 0)
    CSR_IS(mstatus, MSTATUS_MIE, 0)
    /* ... and in U whatever MIE says */
    la s9, 1f
    li s2, -1
    enter U_MODE
    j fail
1:  CHECK(s2, MIN + 3)
    /* ... vectored: BASE + 4 * cause */
    la t0, vectors + 1
    csrw mtvec, t0
    la s9, 1f
    li s10, 0
    set_mstatus MSTATUS_MIE
    j fail
1:  CHECK(s10, 3)
    clear_mstatus MSTATUS_MIE
    li s10, 0
    TRAPS(ECALL_M, 0, ecall)
    CHECK(s10, 0)
    la t0, trap_vector
    csrw mtvec, t0
    li a1, CLINT
    sw zero, 0(a1)
    CSR_IS(mip, 8, 0)
    /* the timer: mtimecmp of 0 is past */
    li a1, CLINT + 0x4000
    sw zero, 0(a1)
    sw zero, 4(a1)
    csrwi mie, 0
    li t0, 0x80
    csrw mie, t0
    LINE
    wfi
    la s9, 1f
    set_mstatus MSTATUS_MIE
    j fail
1:  CHECK(s2, MIN + 7)
    clear_mstatus MSTATUS_MIE
    li t0, -1
    sw t0, 4(a1)
    CSR_IS(mip, 0x80, 0)
    /* SSIP: to S when delegated, and not in M */
    csrwi mie, 2
    csrwi mideleg, 2
    csrwi mip, 2
    set_mstatus MSTATUS_MIE
    la s9, 1f
    enter S_MODE
    csrsi sstatus, MSTATUS_SIE
    j fail
1:  CHECK(s2, ECALL_S)
    csrr a0, scause
    CHECK(a0, MIN + 1)
    CSR_IS(sip, 2, 2)
    csrwi mip, 0
    csrwi mie, 0
    csrwi mideleg, 0
    clear_mstatus MSTATUS_MIE | MSTATUS_SIE

/* ---- PMP: what U may, and what M may not when an entry is locked ---- */
    la a1, guarded
    srli t0, a1, 2
    csrw pmpaddr1, t0
    addi t0, t0, 1024
    csrw pmpaddr2, t0
    csrr t1, pmpaddr0
    csrw pmpaddr3, t1
    srli t0, a1, 2
    csrw pmpaddr0, t0
.macro pmp second # entry 0: TOR up to guarded, rwx; 1: nothing; 2: TOR, guarded itself; 3: the rest
    li t0, 0x1f00000f | (\second << 16)
    csrw pmpcfg0, t0
.endm
    pmp 0x08
    TRAPS_IN(U_MODE, LOAD_ACCESS, any, lw a0, 0(a1))
    TRAPS_IN(U_MODE, STORE_ACCESS, any, sw a0, 0(a1))
    NEW(TRAPS_IN(S_MODE, STORE_ACCESS, any, amoadd.w a0, a0, (a1)))
    LINE
    lw a0, 0(a1)
    pmp 0x09
    RUNS_IN(U_MODE, lw a0, 0(a1))
    TRAPS_IN(U_MODE, STORE_ACCESS, any, sw a0, 0(a1))
    pmp 0x0b
    RUNS_IN(U_MODE, sw a0, 0(a1))
    LINE
    enter U_MODE
    la s9, 1f
    jr a1
1:  CHECK(s2, FETCH_ACCESS)
    set_mstatus MSTATUS_MPRV
    pmp 0x08
    clear_mstatus MSTATUS_MPP
    TRAPS(LOAD_ACCESS, any, lw a0, 0(a1))
    clear_mstatus MSTATUS_MPRV
    pmp 0x89
    LINE
    lw a0, 0(a1)
    TRAPS(STORE_ACCESS, any, sw a0, 0(a1))
    /* locked: what says so cannot be changed */
    pmp 0x0f
    TRAPS(STORE_ACCESS, any, sw a0, 0(a1))
    csrr a0, pmpaddr2
    csrw pmpaddr2, zero
    csrr a2, pmpaddr2
    sub a0, a0, a2
    CHECK(a0, 0)
    END

    .section .text
    .balign 4
in_s:
    ecall
    .balign 256
vectors:
    j trap_vector
    j fail
    j fail
    j 1f
    j fail
1:  li s10, 3
    j trap_vector
    .section .bss
    .balign 4096
guarded: .space 4096
