/* csr.S - the six CSR instructions, read-only and missing CSRs, privilege, counters. */
#include "test-macros.h"

    BEGIN
/* ---- what each form reads and writes ---- */
    li a1, 0x155
    csrrw a0, mscratch, a1
    csrrw a0, mscratch, zero
    CHECK(a0, 0x155)
    csrrw zero, mscratch, a1
    csrrs a0, mscratch, zero
    CHECK(a0, 0x155)
    li a1, MIN + 0x0ff
    csrrs a0, mscratch, a1
    CHECK(a0, 0x155)
    csrrc a0, mscratch, a1
    CHECK(a0, MIN + 0x1ff)
    csrrc a0, mscratch, zero
    CHECK(a0, 0x100)
    csrrwi a0, mscratch, 31
    CHECK(a0, 0x100)
    csrrsi a0, mscratch, 0
    CHECK(a0, 31)
    csrrci a0, mscratch, 5
    CHECK(a0, 31)
    csrrsi a0, mscratch, 1
    CHECK(a0, 26)
    csrrci a0, mscratch, 0
    CHECK(a0, 27)
    csrrwi zero, mscratch, 0
    csrr a0, mscratch
    CHECK(a0, 0)
    /* rd = rs1 */
    li a0, 7
    csrrw a0, mscratch, a0
    CHECK(a0, 0)
    csrrs a0, mscratch, a0
    CHECK(a0, 7)
    li a0, 3
    csrrc a0, mscratch, a0
    CHECK(a0, 7)
    csrr a0, mscratch
    CHECK(a0, 4)

/* ---- frm, fflags and fcsr are one register ---- */
    csrwi fcsr, 0
    csrwi frm, 5
    csrwi fflags, 0x1f
    csrr a0, fcsr
    CHECK(a0, 0xbf)
    li a0, -1
    csrw fcsr, a0
    csrr a0, frm
    CHECK(a0, 7)
    csrr a0, fflags
    CHECK(a0, 31)
    csrr a0, fcsr
    CHECK(a0, 0xff)
    csrwi fcsr, 0

/* ---- read-only: any write is illegal, and a read that writes nothing is not ---- */
    csrrs a0, mhartid, zero
    CHECK(a0, 0)
    csrrsi a0, mvendorid, 0
    LINE
    csrrci a0, mimpid, 0
    csrr a0, marchid
    TRAPS(ILLEGAL, any, csrrw zero, mhartid, zero)
    TRAPS(ILLEGAL, any, csrrwi zero, cycle, 0)
    TRAPS(ILLEGAL, any, csrrs a0, mhartid, a0)
    TRAPS(ILLEGAL, any, csrrc a0, mvendorid, a1)
    TRAPS(ILLEGAL, any, csrrsi a0, instret, 1)
    TRAPS(ILLEGAL, any, csrrci a0, marchid, 1)
    li a0, 0x5a5
    TRAPS(ILLEGAL, 0xf1451573, csrrw a0, mhartid, a0)
    CHECK(a0, 0x5a5)

/* ---- numbers that no CSR has ---- */
    TRAPS(ILLEGAL, any, csrr a0, 0x010)
    TRAPS(ILLEGAL, any, csrr a0, 0x800)
    TRAPS(ILLEGAL, any, csrw 0x5c0, a0)
    TRAPS(ILLEGAL, any, csrr a0, 0xfff)
    IF64(TRAPS(ILLEGAL, any, csrr a0, 0xc80))
    IF64(TRAPS(ILLEGAL, any, csrr a0, 0x310))

/* ---- from where a CSR may be seen ---- */
    TRAPS_IN(U_MODE, ILLEGAL, any, csrr a0, mstatus)
    TRAPS_IN(S_MODE, ILLEGAL, any, csrr a0, mstatus)
    TRAPS_IN(S_MODE, ILLEGAL, any, csrr a0, mhartid)
    TRAPS_IN(S_MODE, ILLEGAL, any, csrw mscratch, zero)
    TRAPS_IN(U_MODE, ILLEGAL, any, csrr a0, sstatus)
    TRAPS_IN(U_MODE, ILLEGAL, any, csrw sscratch, zero)
    RUNS_IN(S_MODE, csrw sscratch, s6)
    RUNS_IN(S_MODE, csrr a0, sstatus)
    RUNS_IN(U_MODE, csrr a0, fcsr)
    csrr a0, sscratch
    sub a0, a0, s6
    CHECK(a0, 0)

/* ---- counters: mcounteren for S, both for U ---- */
    csrwi mcounteren, 0
    TRAPS_IN(S_MODE, ILLEGAL, any, csrr a0, cycle)
    TRAPS_IN(S_MODE, ILLEGAL, any, csrr a0, time)
    TRAPS_IN(U_MODE, ILLEGAL, any, csrr a0, instret)
    csrwi mcounteren, 7
    csrwi scounteren, 0
    RUNS_IN(S_MODE, csrr a0, cycle)
    NEW(RUNS_IN(S_MODE, csrr a0, time))
    TRAPS_IN(U_MODE, ILLEGAL, any, csrr a0, instret)
    csrwi scounteren, 4
    RUNS_IN(U_MODE, csrr a0, instret)
    TRAPS_IN(U_MODE, ILLEGAL, any, csrr a0, cycle)
    IF32(RUNS_IN(U_MODE, csrr a0, instreth))
    IF32(TRAPS_IN(U_MODE, ILLEGAL, any, csrr a0, cycleh))

#ifndef FOR_QEMU
    /* instret is exact: the instruction that reads it is not yet in it */
    csrr a0, minstret
    nop
    nop
    nop
    csrr a1, minstret
    sub a1, a1, a0
    CHECK(a1, 4)
    /* ... also across a branch that is taken and a trap, which does not retire */
    csrr a0, minstret
    j 1f
    nop
1:  csrr a1, minstret
    sub a1, a1, a0
    CHECK(a1, 2)
    /* a write counts from the next instruction on */
    li a0, 1000
    csrw minstret, a0
    csrr a1, minstret
    CHECK(a1, 1000)
    csrr a1, minstret
    CHECK(a1, 1000 + 1 + IF64(3) IF32(3) + 1)
    csrwi mcountinhibit, 4
    csrr a0, minstret
    nop
    csrr a1, minstret
    sub a1, a1, a0
    CHECK(a1, 0)
    csrwi mcountinhibit, 0
#endif
    END
