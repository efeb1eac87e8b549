/*
 * remap.S - code whose pages move: a jump from page to page, taken often enough to be host code, leads to where the page
 * table says after each kind of fence, in two address spaces and through global pages; and to new code after fence.i.
 */
#include "test-macros.h"
#include "paging-macros.h"

#define TRIED 0x40000000 /* its first page jumps to its second, which adds to s6 and returns */
#define SECOND (TRIED + 4096)
#define CODE (V | R | X | AD)
#define TIMES 200
#define FETCH_PAGE 12

/* What a page of code at `address` leads to. */
.macro lead table, address, frame, flags
    la a2, \frame
    entry \table, \address, 12, a2, \flags
.endm
/* The code TIMES over, by S: each time adds `step` to s6. */
.macro goes_to number, step
    line \number
    li s6, 0
    li s7, TIMES
76: li t6, TRIED
    jalr ra, t6
    addi s7, s7, -1
    bnez s7, 76b
    check s6, TIMES * (\step)
.endm
#define GOES_TO(step) goes_to __LINE__, step
#define ADDS_1 0x101 /* the first page's 0x100, and that of `one` */
#define ADDS_2 0x102

.macro table_for root, middle, leaves
    li a2, 0x80000000
    entry \root, 0x80000000, LARGE, a2, V | R | W | X | AD
    tables \root, \middle, \leaves, TRIED
    lead \leaves, TRIED, first, CODE
    lead \leaves, SECOND, one, CODE
.endm

    BEGIN
    table_for root, middle, leaves
    table_for root2, middle2, leaves2
    use root, 1
    sfence.vma
    fence.i
    enter S_MODE
    GOES_TO(ADDS_1)

    /* ---- each kind of fence; the last changes nothing that is code ---- */
    li s8, SECOND
    li s10, 1
    lead leaves, SECOND, two, CODE
    sfence.vma s8
    GOES_TO(ADDS_2)
    lead leaves, SECOND, one, CODE
    sfence.vma s8, s10
    GOES_TO(ADDS_1)
    lead leaves, SECOND, two, CODE
    sfence.vma zero, s10
    GOES_TO(ADDS_2)
    lead leaves, SECOND, one, CODE
    sfence.vma
    GOES_TO(ADDS_1)
    lead leaves, TRIED + 8192, two, CODE
    sfence.vma
    GOES_TO(ADDS_1)

    /* ---- the page goes, and comes back; the fault is at the jump's target ---- */
    LINE
    lead leaves, SECOND, one, (V | R | AD)
    sfence.vma s8
    li s6, 0
    la s9, 1f
    li t6, TRIED
    jalr ra, t6
1:  CHECK(s2, FETCH_PAGE)
    CHECK(s3, SECOND)
    CHECK(s6, 0x100)
    enter S_MODE
    lead leaves, SECOND, two, CODE
    sfence.vma s8
    GOES_TO(ADDS_2)

    /* ---- an address space each; ASIDs keep them apart ---- */
    use root2, 2
    GOES_TO(ADDS_1)
    use root, 1
    GOES_TO(ADDS_2)
    LINE
    li s6, 0
    li s7, TIMES
1:  use root, 1
    li t6, TRIED
    jalr ra, t6
    use root2, 2
    li t6, TRIED
    jalr ra, t6
    addi s7, s7, -1
    bnez s7, 1b
    CHECK(s6, TIMES * (ADDS_1 + ADDS_2))
    /* a fence of the other one, whose page moves: seen when it comes back */
    li s10, 1
    lead leaves, SECOND, one, CODE
    sfence.vma zero, s10
    GOES_TO(ADDS_1)
    use root, 1
    GOES_TO(ADDS_1)
    lead leaves2, SECOND, two, CODE
    li s10, 2
    sfence.vma s8, s10
    GOES_TO(ADDS_1)
    use root2, 2
    GOES_TO(ADDS_2)

    /* ---- global pages, the same in both ---- */
.macro both frame
    lead leaves, SECOND, \frame, (CODE | G)
    lead leaves2, SECOND, \frame, (CODE | G)
.endm
    both one
    lead leaves, TRIED, first, (CODE | G)
    lead leaves2, TRIED, first, (CODE | G)
    sfence.vma
    GOES_TO(ADDS_1)
    use root, 1
    GOES_TO(ADDS_1)
    both two
    sfence.vma s8
    GOES_TO(ADDS_2)
    use root2, 2
    GOES_TO(ADDS_2)
    both one
    sfence.vma
    use root, 1
    GOES_TO(ADDS_1)
    use root2, 2
    GOES_TO(ADDS_1)

    /* ---- new code at the same place ---- */
    la a0, one
    lw a1, 0(a0)
    la a2, two
    lw a3, 0(a2)
    sw a3, 0(a0)
    fence.i
    GOES_TO(ADDS_2)
    sw a1, 0(a0)
    fence.i
    GOES_TO(ADDS_1)
    la s9, 1f
    ecall
1:  csrw satp, zero
    END
    .section .frames, "awx"
    .balign 4096
first:
    addi s6, s6, 0x100
    j . + 4092
    .balign 4096
one:
    addi s6, s6, 1
    ret
    .balign 4096
two:
    addi s6, s6, 2
    ret
    .balign 4096
    page_tables root, middle, leaves, root2, middle2, leaves2
