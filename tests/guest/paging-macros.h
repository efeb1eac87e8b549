/*
 * paging-macros.h - page tables of guest test programs: Sv39 or Sv32.
 */
#define V 1
#define R 2
#define W 4
#define X 8
#define U 16
#define G 32
#define A 64
#define D 128
#define AD (A | D)
#if XLEN == 64
#define SATP_MODE (8 << 60)
#define ASID_SHIFT 44
#define LARGE 30
#define MIDDLE 21
#define INDEX 511
#define SHIFT 3
#else
#define SATP_MODE (1 << 31)
#define ASID_SHIFT 22
#define LARGE 22
#define INDEX 1023
#define SHIFT 2
#endif
/* Entry of `table` for virtual address `va` at the level with shift `level`: physical address in a register, flags. */
.macro entry table, va, level, address, flags
    la t0, \table
    li t1, (((\va) >> \level) & INDEX) << SHIFT
    add t0, t0, t1
    srli t1, \address, 2
    li t2, \flags
    or t1, t1, t2
    REG_S t1, 0(t0)
.endm
/* satp: this root, this ASID. */
.macro use table, asid
    la t0, \table
    srli t0, t0, 12
    li t1, SATP_MODE + (\asid << ASID_SHIFT)
    or t0, t0, t1
    csrw satp, t0
.endm
/* The way down from `root` to `leaves`, the table of the smallest pages around `address`. */
.macro tables root, middle, leaves, address
#if XLEN == 64
    la a2, \middle
    entry \root, \address, LARGE, a2, V
    la a2, \leaves
    entry \middle, \address, MIDDLE, a2, V
#else
    la a2, \leaves
    entry \root, \address, LARGE, a2, V
#endif
.endm
/* Room for page tables, behind everything else. */
.macro page_tables names:vararg
    .section .bss
    .balign 4096
    .irp name, \names
\name: .space 4096
    .endr
.endm
