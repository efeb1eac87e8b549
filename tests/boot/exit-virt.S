# Ends through the test finisher with status CODE.
    .globl _start
_start:
    li      t0, 0x100000
#if CODE
    li      t1, CODE << 16 | 0x3333
#else
    li      t1, 0x5555
#endif
    sw      t1, 0(t0)
1:  j       1b
