/* noc.S - without C, run with -cpu NAME,-c: jumps to an odd halfword, and what epc can hold. */
#include "test-macros.h"

/* The jump itself traps: mepc is its own address, rd is not written. mtval less `base` is `at`. */
.macro misfit number, base, at, insn:vararg
    line \number
    li ra, 0x123
    case_trap \number, FETCH_MISALIGNED, any, \insn
    la t0, \base
    sub s4, s4, t0
    check s4, \at
    check ra, 0x123
.endm
#define MISFIT(base, at, ...) misfit __LINE__, base, at, __VA_ARGS__

    BEGIN
    la a1, target
    MISFIT(target, 2, jalr ra, 2(a1))
    MISFIT(target, 2, jalr ra, 3(a1))
    MISFIT(target, 6, jalr zero, 6(a1))
    MISFIT(79b, 6, .4byte 0x006000ef) /* jal ra, .+6 */
    MISFIT(79b, 6, .4byte 0x00000363) /* beq zero, zero, .+6 */
    MISFIT(79b, -2, .4byte 0xfe055fe3 | 0) /* bge a0, zero, .-2 */
    LINE
    .4byte 0x00001363 /* bne zero, zero, .+6: not taken */
    li a0, 5
    .4byte 0xfe054fe3 /* blt a0, zero, .-2: not taken */
    jalr ra, 1(a1)
    CHECK(a2, 7)
    li a0, -1
    csrw mepc, a0
    csrr a0, mepc
    CHECK(a0, -4)
    csrw sepc, a0
    csrr a0, sepc
    CHECK(a0, -4)
    li a0, 2
    csrw mepc, a0
    csrr a0, mepc
    CHECK(a0, 0)
    TRAPS(ILLEGAL, 0x0001, .2byte 0x0001, 0x0001)
    TRAPS(ILLEGAL, 0x9002, .2byte 0x9002, 0x0001)
    csrr a0, misa
    andi a0, a0, 4
    CHECK(a0, 0)
    END
    .section .text
target:
    li a2, 7
    ret
