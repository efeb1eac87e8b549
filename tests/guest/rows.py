"""What the tables of cpu-riscv say: the rows of insns.def, csrs.def and formats.def."""
import os
import re

ROW = re.compile(r'^INSN\((\w+),\s*(\w+),\s*(\w+),\s*"([01. ]+)",\s*(\d+),\s*(\w+),\s*(\w+),', re.M)
CSR = re.compile(r"^CSR\((0x\w+), (\d+), (\w+), (\d+), (\w+),", re.M)


class Row:
    """One instruction: its name, format, bits (`fixed` under `mask`), length in bits and the extensions it needs."""

    def __init__(self, name, handler, form, picture, xlens, ext, and_ext):
        picture = picture.replace(" ", "")
        self.name, self.handler, self.format, self.xlens = name, handler, form, int(xlens)
        self.exts = {ext, and_ext}
        self.length = len(picture)
        self.fixed = int(picture.replace(".", "0"), 2)
        self.mask = int(re.sub("[01]", "1", picture).replace(".", "0"), 2)

    def matches(self, bits):
        return bits & self.mask == self.fixed

    def fill(self, bits):
        """The instruction with its operand fields taken from `bits`."""
        return self.fixed | (bits & ~self.mask & ((1 << self.length) - 1))


def read(src, name):
    with open(os.path.join(src, "cpu-riscv", name)) as f:
        return f.read()


def instructions(src, xlen):
    text = read(src, "insns.def")
    rows = [Row(*m.groups()) for m in ROW.finditer(text)]
    assert rows and len(rows) == len(re.findall(r"^INSN\(", text, re.M)), "insns.def is not understood"
    return [row for row in rows if row.xlens & xlen]


def finest(rows, bits):
    """The row that decides what these bits are, or None."""
    found = [row for row in rows if row.matches(bits) and (row.length == 32) == (bits & 3 == 3)]
    return max(found, key=lambda row: bin(row.mask).count("1"), default=None)


def csrs(src, xlen):
    """(number, name, extension) of every CSR."""
    found = []
    for number, count, name, xlens, needs in CSR.findall(read(src, "csrs.def")):
        if int(xlens) & xlen:
            found += [(int(number, 16) + i, name, needs) for i in range(int(count))]
    return found
