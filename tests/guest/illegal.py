"""Programs, made from the tables, that are a list of instructions each of which has to be illegal.

An extension that is off takes its rows along; FS = Off all of floating point; a rounding mode that does not exist
every instruction that rounds; and a CSR is out of reach from below its privilege, and read-only where its number says.
"""
import random

import rows

# Off, these are hints or plain fences: nothing about them is illegal.
HINTS = {"prefetch_i", "prefetch_r", "prefetch_w", "pause"}
# Without these no program could say what it found.
ALWAYS = {"I", "ZICSR"}
FLOATING = {"F", "D", "ZFH", "ZFHMIN", "ZFA"}
ROUNDS = {"FRM", "FMA", "FFM", "FFE", "XFM", "FXM", "FXE"}
EACH = 4  # encodings a row

HEAD = """/* made by tests/guest/illegal.py */
#include "test-macros.h"
.macro bad bits, name, setup:vararg
    li gp, 0
    li s2, -1
    la s9, 78f
    la s8, 79f
    \\setup
79:
    .if \\bits > 0xffff || \\bits & 3 == 3
    .4byte \\bits
    .else
    .2byte \\bits, 1
    .endif
78:
    la a0, \\name
    li a1, \\bits
    call verify
.endm
.macro fs_off
    li t0, MSTATUS_FS
    csrc mstatus, t0
.endm
    begin
"""
TAIL = """
    li a0, 0
    beqz s11, 1f
    li a0, 1
1:  j exit_with
verify: # a0 name, a1 bits: cause, epc and tval are what they have to be
    li a2, ILLEGAL
    bne s2, a2, 1f
    bne s3, s8, 1f
    bne s4, a1, 1f
    ret
1:  mv s10, ra
    li s11, 1
    mv s7, a1
    call print
    mv a0, s7
    call print_hex
    la a0, trap_text
    call print
    mv a0, s2
    call print_hex
    li a0, '\\n'
    call print_char
    jr s10
    end
    .section .rodata
trap_text: .asciz " is not illegal: mcause "
"""


def encodings(table, row, seed):
    """Some instructions of a row that no finer row claims."""
    rng = random.Random("%s %s %d" % (seed, row.name, row.xlens))
    found = []
    while len(found) < EACH:
        bits = row.fill(rng.getrandbits(32))
        if rows.finest(table, bits) is row:
            found.append(bits)
    return found


def program(cases, setup=""):
    """cases: (name, bits). Text of a program."""
    lines, names = [], []
    for i, (name, bits) in enumerate(cases):
        lines.append("    bad 0x%08x, name%d, %s" % (bits, i, setup))
        names.append('name%d: .asciz "FAIL %s "' % (i, name))
    return HEAD + "    li s11, 0\n" + "\n".join(lines) + TAIL + "\n".join(names) + "\n"


def without(src, xlen, ext):
    """What is illegal when `ext` is off."""
    table = rows.instructions(src, xlen)
    return [(row.name, bits) for row in table if ext in row.exts and row.name not in HINTS and row.handler != "illegal"
            for bits in encodings(table, row, "off")]


def floating(src, xlen):
    table = rows.instructions(src, xlen)
    return [(row.name, bits) for row in table if row.exts & FLOATING for bits in encodings(table, row, "fs")]


def rounding(src, xlen):
    """rm 5 and 6 in the instruction."""
    table = rows.instructions(src, xlen)
    return [(row.name, bits & ~0x7000 | rm << 12) for row in table
            if row.format in ROUNDS and not row.mask & 0x7000
            for bits in encodings(table, row, "rm") for rm in (5, 6)]


def csr_word(number, funct3, rs1, rd):
    return number << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x73


def csr_below(src, xlen, mode):
    """Reading a CSR from a mode that is below it. mode: 0 user, 1 supervisor."""
    return [(name, csr_word(number, 2, 0, 10)) for number, name, _ in rows.csrs(src, xlen) if number >> 8 & 3 > mode]


def csr_read_only(src, xlen):
    """Each way to write a CSR that cannot be written; csrrw with rs1 = x0 writes, too."""
    return [(name, csr_word(number, funct3, rs1, rd)) for number, name, _ in rows.csrs(src, xlen) if number >> 10 == 3
            for funct3, rs1, rd in ((1, 0, 0), (2, 10, 0), (3, 10, 10), (5, 0, 10), (6, 1, 0), (7, 1, 10))]


def csr_missing(src, xlen):
    """Numbers that no row of csrs.def has."""
    known = {number for number, _, _ in rows.csrs(src, xlen)}
    return [("csr", csr_word(number, 2, 0, 10)) for number in range(4096) if number not in known and number % 7 == 0]


def off_extensions(src, xlen):
    """Extensions that have instructions of their own which are not hints."""
    return sorted({ext for row in rows.instructions(src, xlen) for ext in row.exts
                   if row.handler != "illegal" and row.name not in HINTS} - ALWAYS)
