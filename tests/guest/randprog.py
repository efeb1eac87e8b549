"""Random user-level programs: the same seed gives the same program, for ever.

A program is a list of items, each one or a few instructions; branches and jumps go forward, from item to item. It ends
with ebreak, and random.S hashes what it leaves. gp and sp are not written: gp points into the scratch memory, behind
constants that are only read, and sp 256 bytes further.

The instructions are listed here by name and not taken from insns.def, which only says what their bits are: a new row
there must not change the programs, whose hashes random.golden has. Left out is what QEMU 7.2 lacks (Zfa, Zacas, Zcb,
Zicond, Zicbom) or does wrong (ctzw looks at the upper half when the lower is zero), and what the manual leaves open:
misaligned atomics, stores between LR and SC.
"""
import random
import struct

import rows

INSTRUCTIONS = 500
POOL = 2048           # bytes of constants below gp
SCRATCH = 2048        # bytes above gp that are hashed
STRIDE = 0x2000       # of a program in memory
CODE_AT = 0xa00       # of its code; before it registers and constants
BASE = 0x80400000
GP, SP = 3, 2
FRM, FFLAGS, FCSR = 2, 1, 3

INTEGER = """addi slti sltiu xori ori andi slli srli srai add sub sll srl sra slt sltu xor or and addiw slliw srliw
sraiw addw subw sllw srlw sraw lui auipc mul mulh mulhsu mulhu div divu rem remu mulw divw divuw remw remuw""".split()
BITS = """sh1add sh2add sh3add add_uw sh1add_uw sh2add_uw sh3add_uw slli_uw andn orn xnor clz ctz cpop clzw cpopw max
maxu min minu sext_b sext_h zext_h rol ror rori rolw rorw roriw orc_b rev8 clmul clmulh clmulr bclr bext binv bset bclri
bexti binvi bseti""".split()
SHORT = """c_addi4spn c_addi c_addiw c_li c_lui c_srli c_srai c_andi c_sub c_xor c_or c_and c_subw c_addw c_slli c_mv
c_add""".split()
ARITHMETIC = "fmadd fmsub fnmsub fnmadd fadd fsub fmul fdiv fsqrt".split()
SELECT = "fsgnj fsgnjn fsgnjx fmin fmax feq flt fle fclass".split()
CONVERT = """fcvt_w_%s fcvt_wu_%s fcvt_l_%s fcvt_lu_%s fcvt_%s_w fcvt_%s_wu fcvt_%s_l fcvt_%s_lu""".split()
BETWEEN = """fcvt_s_d fcvt_d_s fcvt_s_h fcvt_h_s fcvt_d_h fcvt_h_d fmv_x_w fmv_w_x fmv_x_d fmv_d_x fmv_x_h
fmv_h_x""".split()
FLOAT = [n + "_" + w for w in "hsd" for n in ARITHMETIC + SELECT] + [n % w for w in "hsd" for n in CONVERT] + BETWEEN
LOADS = "lb lh lw ld lbu lhu lwu flh flw fld".split()
STORES = "sb sh sw sd fsh fsw fsd".split()
SHORT_MEMORY = "c_lw c_ld c_sw c_sd c_fld c_fsd c_flw c_fsw".split()
STACK_MEMORY = "c_lwsp c_ldsp c_swsp c_sdsp c_fldsp c_fsdsp c_flwsp c_fswsp".split()
AMOS = ["amo%s_%s" % (n, w) for w in "wd" for n in "swap add xor and or min max minu maxu".split()]
BRANCHES = "beq bne blt bge bltu bgeu c_beqz c_bnez".split()
ORDER = "fence fence_tso fence_i pause".split()

F_DEST = {"FR", "FRM", "FMA", "FFM", "FFE", "FX", "FXM", "FXE", "FL", "CFLDSP", "CFLWSP"}
NO_DEST = {"S", "FS", "B", "CSWSP", "CSDSP", "CFSWSP", "CFSDSP", "FENCE", "NONE"}
AT7 = {"CI", "CLI", "CLUI", "CSH", "CR", "CMV", "CLWSP", "CLDSP"}

NUMBERS = [0, 1, 2, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
           0x100000000, 1 << 63, (1 << 63) - 1, (1 << 64) - 1, (1 << 64) - 2, 0x5555555555555555, 0xff00ff00ff00ff00]
HALVES = [0, 0x8000, 1, 0x3ff, 0x400, 0x3c00, 0xbc00, 0x3bff, 0x3c01, 0x4248, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x7d01,
          0x3800, 0x4100, 0x7800]
SINGLES = [0, 0x80000000, 1, 0x7fffff, 0x800000, 0x3f800000, 0xbf800000, 0x3f7fffff, 0x3f800001, 0x40490fdb,
           0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7fa00001, 0x4f000000, 0xcf000000, 0x5f000000, 0x40200000,
           0x33000000, 0x477ff000, 0x38800000]
DOUBLES = [0, 1 << 63, 1, 0xfffffffffffff, 1 << 52, 0x3ff0000000000000, 0xbff0000000000000, 0x3fefffffffffffff,
           0x3ff0000000000001, 0x400921fb54442d18, 0x7fefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000,
           0x7ff8000000000000, 0x7ff4000000000001, 0x41e0000000000000, 0xc1e0000000000000, 0x43e0000000000000,
           0x4004000000000000, 0x36a0000000000000, 0x380fffffe0000000, 0x47efffffe8000000]


def jumble(rng, special, bits):
    """A special value, one near it, or anything."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.getrandbits(bits)
    value = rng.choice(special)
    return value if kind < 3 else value ^ 1 << rng.randrange(bits)


def number(rng):
    if rng.randrange(3) == 0:
        return rng.getrandbits(rng.randrange(1, 65))
    return jumble(rng, NUMBERS, 64)


def floating(rng):
    """A register of any width; a few are not boxed."""
    width = rng.choice((16, 32, 64))
    value = jumble(rng, {16: HALVES, 32: SINGLES, 64: DOUBLES}[width], width)
    if width == 64 or rng.randrange(12) == 0:
        return value
    return value | (1 << 64) - (1 << width)


class Program:
    def __init__(self, table, finer, xlen, seed):
        self.rng = random.Random("%d/%s" % (xlen, seed))
        self.finer, self.xlen = finer, xlen
        self.rows = {row.name: row for row in table}
        self.items = []   # each a list of instructions as bits, or of functions of the distances to later items
        self.data = self.make_data()
        self.kinds = self.make_kinds()
        while sum(len(item) for item in self.items) < INSTRUCTIONS:
            names, make = self.rng.choice(self.kinds)
            self.items.append(make(self.rows[self.rng.choice(names)]))

    def make_data(self):
        rng = self.rng
        x = [number(rng) for _ in range(32)]
        f = [floating(rng) for _ in range(32)]
        pool = [floating(rng) if rng.randrange(2) else number(rng) for _ in range(POOL // 8)]
        return struct.pack("<%dQ" % (64 + POOL // 8), *x, *f, *pool)

    def make_kinds(self):
        """(names, function from a row to an item), as often as its kind is to come up."""
        weights = [(INTEGER, 7, self.plain), (BITS, 5, self.plain), (SHORT, 4, self.plain), (FLOAT, 11, self.plain),
                   (LOADS, 5, self.load), (STORES, 3, self.store), (SHORT_MEMORY, 2, self.short_memory),
                   (STACK_MEMORY, 2, self.plain), (AMOS, 2, self.amo), (["lr_w", "lr_d"], 1, self.reserve),
                   (["sc_w", "sc_d"], 1, self.amo), (BRANCHES, 3, self.branch),
                   (["jal", "c_j", "c_jal"], 1, self.branch),
                   (["jalr", "c_jr", "c_jalr"], 1, self.indirect), (["csrrw", "csrrs", "csrrc"], 1, self.flags),
                   (["csrrwi", "csrrsi", "csrrci"], 1, self.rounding), (ORDER, 1, self.plain)]
        kinds = []
        for names, weight, make in weights:
            names = [name for name in names if name in self.rows]
            kinds += [(names, make)] * weight
        return kinds

    def register(self):
        """One that may be written, and not x0."""
        return self.rng.choice([1] + list(range(4, 32)))

    def allowed(self, row, bits):
        """No program writes gp or sp, and rounding modes exist."""
        form = row.format
        if any(finer.matches(bits) for finer in self.finer[row.name]):
            return False
        has_rd = form in AT7 or (row.length == 32 and form not in F_DEST | NO_DEST)
        if has_rd and bits >> 7 & 31 in (GP, SP):
            return False
        return row.length == 16 or row.mask & 0x7000 or bits >> 12 & 7 not in (5, 6)

    def bits(self, row, **fields):
        """Random operands, but for the fields that are given as name=(shift, width, value)."""
        while True:
            bits = row.fill(self.rng.getrandbits(32))
            for shift, width, value in fields.values():
                bits = bits & ~((1 << width) - 1 << shift) | (value & (1 << width) - 1) << shift
            if self.allowed(row, bits):
                return bits

    def named(self, name, **fields):
        return self.bits(self.rows[name], **fields)

    def plain(self, row):
        return [self.bits(row)]

    # ---- memory ----

    def offset(self, low, high, align):
        """Within [low, high], two out of three aligned."""
        at = self.rng.randrange(low, high + 1)
        return at & -align if self.rng.randrange(3) else at

    def point(self, register, offset):
        return self.named("addi", rd=(7, 5, register), rs1=(15, 5, GP), imm=(20, 12, offset))

    def load(self, row):
        offset = self.offset(-POOL, SCRATCH - 8, 8)
        if self.rng.randrange(3):
            return [self.bits(row, rs1=(15, 5, GP), imm=(20, 12, offset))]
        base, part = self.register(), self.rng.randrange(-POOL, SCRATCH)
        if not -2048 <= offset - part < 2048:
            part = offset
        return [self.point(base, part), self.bits(row, rs1=(15, 5, base), imm=(20, 12, offset - part))]

    def store(self, row):
        offset = self.offset(0, SCRATCH - 8, 8)
        return [self.bits(row, rs1=(15, 5, GP), low=(7, 5, offset), high=(25, 7, offset >> 5))]

    def short_memory(self, row):
        base = self.rng.randrange(8, 16)
        return [self.point(base, self.offset(0, SCRATCH - 264, 8)), self.bits(row, rs1=(7, 3, base - 8))]

    # ---- atomics: aligned, and a reservation is used up at once ----

    def amo(self, row):
        base = self.register()
        return [self.point(base, self.rng.randrange(0, SCRATCH, 8)), self.bits(row, rs1=(15, 5, base))]

    def reserve(self, row):
        base, other = self.rng.sample(range(5, 32), 2)
        last = self.rows["sc_" + row.name[-1]]
        to = self.rng.choice((base, base, base, other))
        return [self.point(base, self.rng.randrange(0, SCRATCH // 2, 8)),
                self.point(other, self.rng.randrange(SCRATCH // 2, SCRATCH, 8)),
                self.bits(row, rd=(7, 5, self.rng.choice([0] + [r for r in range(5, 32) if r not in (base, other)])),
                          rs1=(15, 5, base)),
                self.bits(last, rs1=(15, 5, to))]

    # ---- control: forward by a few items ----

    def branch(self, row):
        bits, skip = self.bits(row), self.rng.randrange(1, 6)
        encode = {"B": set_b, "J": set_j, "CB": set_cb, "CJ": set_cj, "CJAL": set_cj}[row.format]
        return [Jump(row.length // 8, skip, lambda distance: encode(bits, distance))]

    def indirect(self, row):
        """auipc base; addi base; then the jump, whose distance is known last."""
        base, skip = self.register(), self.rng.randrange(1, 6)
        begin = self.named("auipc", rd=(7, 5, base), imm=(12, 20, 0))
        add = self.named("addi", rd=(7, 5, base), rs1=(15, 5, base), imm=(20, 12, 0))
        if row.length == 16:
            jump = self.bits(row, rs1=(7, 5, base))
        else:
            jump = self.bits(row, rs1=(15, 5, base), imm=(20, 12, self.rng.randrange(2)))
        size = row.length // 8
        return [begin, Jump(4, skip, lambda distance: add | (distance + 4) << 20, size), jump]

    # ---- fflags and frm ----

    def flags(self, row):
        return [self.bits(row, csr=(20, 12, FFLAGS))]

    def rounding(self, row):
        if row.name == "csrrwi" and self.rng.randrange(2):
            return [self.bits(row, csr=(20, 12, FRM), imm=(15, 5, self.rng.randrange(5)))]
        return [self.bits(row, csr=(20, 12, self.rng.choice((FFLAGS, FCSR))))]

    # ---- the whole ----

    def code(self, first=None):
        """Bytes of the program, or of its first items and an end."""
        items = self.items[:first]
        places, at = [], 0
        for item in items:
            places.append(at)
            at += sum(size_of(insn) for insn in item)
        out = bytearray()
        for i, item in enumerate(items):
            for insn in item:
                if isinstance(insn, Jump):
                    to = i + insn.skip
                    target = places[to] if to < len(items) else at
                    insn_bits = insn.encode(target - len(out))
                    out += insn_bits.to_bytes(insn.size, "little")
                else:
                    out += insn.to_bytes(size_of(insn), "little")
        out += (0x00100073).to_bytes(4, "little")
        assert CODE_AT + len(out) <= STRIDE
        return bytes(out)

    def image(self, first=None):
        return (self.data.ljust(CODE_AT, b"\0") + self.code(first)).ljust(STRIDE, b"\0")


class Jump:
    """An instruction that is complete when the distance from it to its target is known."""

    def __init__(self, size, skip, encode, behind=0):
        self.size, self.skip, self.encode, self.behind = size, skip, encode, behind


def size_of(insn):
    if isinstance(insn, Jump):
        return insn.size
    return 4 if insn & 3 == 3 else 2


def move(bits, value, slices):
    """Puts slices (from, length, to) of value into bits."""
    for source, length, to in slices:
        mask = (1 << length) - 1
        bits = bits & ~(mask << to) | (value >> source & mask) << to
    return bits


def set_b(bits, distance):
    return move(bits, distance, ((1, 4, 8), (5, 6, 25), (11, 1, 7), (12, 1, 31)))


def set_j(bits, distance):
    return move(bits, distance, ((1, 10, 21), (11, 1, 20), (12, 8, 12), (20, 1, 31)))


def set_cb(bits, distance):
    return move(bits, distance, ((1, 2, 3), (3, 2, 10), (5, 1, 2), (6, 2, 5), (8, 1, 12)))


def set_cj(bits, distance):
    return move(bits, distance, ((1, 3, 3), (4, 1, 11), (5, 1, 2), (6, 1, 7), (7, 1, 6), (8, 2, 9), (10, 1, 8),
                                 (11, 1, 12)))


def finer_rows(table):
    """For each row by name, the rows that refine it."""
    return {row.name: [r for r in table if r.length == row.length and r.mask != row.mask and
                       r.mask & row.mask == row.mask and row.matches(r.fixed)] for row in table}


def programs(src, xlen, seeds):
    table = rows.instructions(src, xlen)
    finer = finer_rows(table)
    return [Program(table, finer, xlen, seed) for seed in seeds]
