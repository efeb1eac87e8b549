/* cmo.S - Zicbom, Zicboz, Zicbop: blocks of 64 bytes. */
#include "test-macros.h"
#define MENVCFG_CBZE 0x80
#define MENVCFG_CBCFE 0x40
#define MENVCFG_CBIE 0x30

    BEGIN
    /* cbo.zero: all of the block that holds the address, and nothing else */
    la a1, area
    li a0, -1
    li a2, 192
1:  add a3, a1, a2
    sb a0, -1(a3)
    addi a2, a2, -1
    bnez a2, 1b
    addi a3, a1, 64 + 29
    cbo.zero 0(a3)
    lb a0, 63(a1)
    CHECK(a0, -1)
    lb a0, 64(a1)
    CHECK(a0, 0)
    lb a0, 127(a1)
    CHECK(a0, 0)
    lb a0, 128(a1)
    CHECK(a0, -1)
    LINE
    cbo.clean 0(a1)
    cbo.flush 0(a1)
    cbo.inval 0(a1)
    lb a0, 0(a1)
    CHECK(a0, -1)
    li a1, 0x50
    TRAPS(STORE_ACCESS, 0x50, cbo.zero 0(a1))
    TRAPS(STORE_ACCESS, 0x50, cbo.clean 0(a1))
    TRAPS(STORE_ACCESS, 0x50, cbo.flush 0(a1))
    TRAPS(STORE_ACCESS, 0x50, cbo.inval 0(a1))

    /* each is there for S and U only when it is turned on */
    la a1, area
    TRAPS_IN(S_MODE, ILLEGAL, 0x0045a00f, cbo.zero 0(a1))
    TRAPS_IN(S_MODE, ILLEGAL, 0x0015a00f, cbo.clean 0(a1))
    TRAPS_IN(S_MODE, ILLEGAL, 0x0025a00f, cbo.flush 0(a1))
    TRAPS_IN(S_MODE, ILLEGAL, 0x0005a00f, cbo.inval 0(a1))
    li a0, MENVCFG_CBZE | MENVCFG_CBCFE | MENVCFG_CBIE
    csrw menvcfg, a0
    RUNS_IN(S_MODE, cbo.zero 0(a1))
    RUNS_IN(S_MODE, cbo.clean 0(a1))
    RUNS_IN(S_MODE, cbo.flush 0(a1))
    RUNS_IN(S_MODE, cbo.inval 0(a1))
    TRAPS_IN(U_MODE, ILLEGAL, 0x0045a00f, cbo.zero 0(a1))
    TRAPS_IN(U_MODE, ILLEGAL, 0x0015a00f, cbo.clean 0(a1))
    TRAPS_IN(U_MODE, ILLEGAL, 0x0005a00f, cbo.inval 0(a1))
    csrw senvcfg, a0
    RUNS_IN(U_MODE, cbo.zero 0(a1))
    RUNS_IN(U_MODE, cbo.clean 0(a1))
    RUNS_IN(U_MODE, cbo.flush 0(a1))
    RUNS_IN(U_MODE, cbo.inval 0(a1))
    /* often enough to be host code: in S until it is turned off, and then in U, in M on */
.macro clears mode, times
    enter \mode
    la a1, area
    li a2, \times
    li s6, 0
1:  li a0, -1
    sb a0, 63(a1)
    sb a0, 64(a1)
    sb a0, 127(a1)
    sb a0, 128(a1)
    addi a3, a1, 64 + 29
    cbo.zero 0(a3)
    lb a0, 63(a1)
    lb a4, 128(a1)
    and a0, a0, a4
    lb a4, 64(a1)
    sub a0, a0, a4
    lb a4, 127(a1)
    sub a0, a0, a4
    sub s6, s6, a0
    addi a2, a2, -1
    bnez a2, 1b
.endm
    LINE
    clears S_MODE, 100
    CHECK(s6, 100)
    la s9, 1f
    ecall
1:  LINE
    clears M_MODE, 100
    CHECK(s6, 100)
    LINE
    clears U_MODE, 100
    CHECK(s6, 100)
    la s9, 1f
    ecall
1:  csrw menvcfg, zero
    TRAPS_IN(U_MODE, ILLEGAL, 0x0045a00f, cbo.zero 0(a1))

    /* prefetches are hints: nothing is written, and no address is wrong */
    li a1, 0x60
    LINE
    prefetch.i 0(a1)
    prefetch.r 32(a1)
    prefetch.w -2048(a1)
    CHECK(a1, 0x60)
    CHECK(zero, 0)
    END
    .section .bss
    .balign 64
area: .space 192
