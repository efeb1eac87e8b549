"""The inputs of tests/malformed/run: good ones, then truncated, bit-flipped and edged copies of them, from a fixed seed.

A mutated kernel that is still valid may hold any code. So it runs below a small firmware that powers the machine off
at the first trap, and by the timer after 0.1 s of guest time.
"""
import lzma
import random
import struct
import zlib

RAM = 0x80000000

# RV64: mtvec = poweroff; mtimecmp = mtime + 2^20 (ACLINT at 0x2000000, 10 MHz); mie.MTIE, mstatus.MIE; jump to
# next_addr of the fw_dynamic information at a2. poweroff: write 0x5555 to the test device at 0x100000.
STUB = struct.pack(
    "<20I",
    0x00000297, 0x03C28293, 0x30529073, 0x0200C337, 0xFF833383, 0x00100E37, 0x01C383B3, 0x02004337, 0x00733023,
    0x08000313, 0x30431073, 0x30046073, 0x01063303, 0x00030067, 0x00000013,
    0x001002B7, 0x00005337, 0x55530313, 0x0062A023, 0x0000006F)
POWEROFF = STUB[60:]

BASE = ["-M", "virt", "-m", "64M", "-display", "none", "-serial", "null", "-monitor", "none", "-no-reboot"]


class Case:
    def __init__(self, name, args, files=None, refused=False, must_run=False):
        self.name = name
        self.args = args
        self.files = files or {}
        self.refused = refused
        self.must_run = must_run


def elf(code, address):
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 243, 1, address, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7, 120, address, address, len(code), len(code) + 64, 8)
    return header + segment + code


def image(code):
    header = struct.pack("<IIQQQIIQ8s4sI", 0x0400006F, 0, 0x200000, 8192, 0, 2, 0, 0, b"RISCV\0\0\0", b"RSC\5", 0)
    return header + code + bytes(2048)


def gz(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def zboot(data, method):
    packed = gz(data) if method == b"gzip" else lzma.compress(data)
    return struct.pack("<4s4sIIII32s", b"MZ\0\0", b"zimg", 64, len(packed), 0, 0, method) + bytes(8) + packed


def dtb():
    """A flattened device tree, version 17: a root with a few properties, /memory and /chosen."""
    strings, struct_block = bytearray(), bytearray()

    def prop(name, value):
        at = strings.find(name + b"\0")
        if at < 0:
            at = len(strings)
            strings.extend(name + b"\0")
        struct_block.extend(struct.pack(">III", 3, len(value), at) + value + bytes(-len(value) % 4))

    def begin(name):
        struct_block.extend(struct.pack(">I", 1) + name + bytes(4 - len(name) % 4))

    begin(b"")
    prop(b"#address-cells", struct.pack(">I", 2))
    prop(b"#size-cells", struct.pack(">I", 2))
    prop(b"compatible", b"riscv-virtio\0")
    begin(b"memory@80000000")
    prop(b"device_type", b"memory\0")
    prop(b"reg", struct.pack(">QQ", RAM, 64 << 20))
    struct_block.extend(struct.pack(">I", 2))
    begin(b"chosen")
    prop(b"bootargs", b"quiet\0")
    struct_block.extend(struct.pack(">III", 2, 2, 9))
    at_struct = 40 + 16
    at_strings = at_struct + len(struct_block)
    head = struct.pack(">10I", 0xD00DFEED, at_strings + len(strings), at_struct, at_strings, 40, 17, 16, 0, len(strings),
                       len(struct_block))
    return head + bytes(16) + bytes(struct_block) + bytes(strings)


def truncations(data, count):
    return [data[:len(data) * i // count] for i in range(count)]


def flips(rng, data, count, span):
    """One to three bits of the first `span` bytes."""
    for _ in range(count):
        out = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            bit = rng.randrange(min(span, len(data)) * 8)
            out[bit // 8] ^= 1 << bit % 8
        yield bytes(out)


EDGES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000,
         0xFFFFFFFFFFFFFFF8, 0xFFFFFFFFFFFFFFFF)


def edges(rng, data, count, span):
    """A number at the edge of its range in place of an aligned field."""
    for _ in range(count):
        width = rng.choice((2, 4, 8))
        at = rng.randrange(min(span, len(data)) // width) * width
        value = rng.choice(EDGES) & ((1 << 8 * width) - 1)
        order = rng.choice(("little", "big"))
        yield (data[:at] + value.to_bytes(width, order) + data[at + width:])[:len(data)]


def mutations(rng, data, cuts, flipped, edged, span):
    for i, out in enumerate(truncations(data, cuts)):
        yield "cut-%d" % i, out
    for i, out in enumerate(flips(rng, data, flipped, span)):
        yield "flip-%d" % i, out
    for i, out in enumerate(edges(rng, data, edged, span)):
        yield "edge-%d" % i, out


def kernel_cases(rng):
    good_elf = elf(POWEROFF, RAM + 0x200000)
    good_image = image(POWEROFF)
    kinds = {
        "elf": (good_elf, 10, 24, 16, 120),
        "image": (good_image, 4, 14, 10, 64),
        "gz": (gz(good_image), 8, 14, 4, 4096),
        "zboot": (zboot(good_image, b"gzip"), 6, 10, 6, 64),
        "zbootxz": (zboot(good_image, b"xzkern"), 4, 8, 2, 4096),
    }
    for kind, (data, *counts) in kinds.items():
        args = BASE + ["-bios", "fw.bin", "-kernel", "kernel"]
        yield Case("kernel-%s-good" % kind, args, {"fw.bin": STUB, "kernel": data}, must_run=True)
        for how, bad in mutations(rng, data, *counts):
            # Every cut but the Image's loses what the headers promise; an Image may end anywhere behind its header.
            refused = how.startswith("cut") and (kind != "image" or how == "cut-0")
            if kind == "elf" and how.startswith("cut") and 0 < len(bad) < 4:
                refused = False
            yield Case("kernel-%s-%s" % (kind, how), args, {"fw.bin": STUB, "kernel": bad}, refused=refused)


def dtb_cases(rng):
    good, good_kernel = dtb(), elf(POWEROFF, RAM + 0x200000)
    args = BASE + ["-bios", "fw.bin", "-kernel", "kernel", "-append", "console=ttyS0", "-dtb", "tree.dtb"]
    files = {"fw.bin": STUB, "kernel": good_kernel}
    yield Case("dtb-good", args, dict(files, **{"tree.dtb": good}), must_run=True)
    for how, bad in mutations(rng, good, 10, 20, 14, 4096):
        yield Case("dtb-%s" % how, args, dict(files, **{"tree.dtb": bad}), refused=how.startswith("cut"))


def firmware_cases():
    good = elf(STUB, RAM)
    args = BASE + ["-bios", "fw"]
    yield Case("bios-raw-good", args + ["-kernel", "k"], {"fw": STUB, "k": POWEROFF}, must_run=True)
    yield Case("bios-elf-good", args + ["-kernel", "k"], {"fw": good, "k": POWEROFF}, must_run=True)
    yield Case("bios-none-good", BASE + ["-bios", "none", "-kernel", "k"], {"k": elf(POWEROFF, RAM)}, must_run=True)
    for i, bad in enumerate(truncations(good, 8)):
        yield Case("bios-cut-%d" % i, args, {"fw": bad}, refused=True)
    for at, width, value in ((4, 1, 1), (4, 1, 9), (5, 1, 2), (16, 2, 1), (18, 2, 62), (32, 8, 1 << 63), (54, 2, 1),
                             (56, 2, 0), (56, 2, 0xFFFF), (72, 8, 1 << 40), (88, 8, 0x40), (96, 8, 1 << 33),
                             (104, 8, 1 << 62)):
        bad = good[:at] + value.to_bytes(width, "little") + good[at + width:]
        yield Case("bios-field-%d-%x" % (at, value), args, {"fw": bad}, refused=True)
    yield Case("bios-too-large", BASE[:2] + ["-m", "1M", "-display", "none", "-serial", "null", "-bios", "fw"],
               {"fw": bytes(2 << 20)}, refused=True)


def initrd_and_loader_cases(rng):
    kernel = elf(POWEROFF, RAM + 0x200000)
    args = BASE + ["-bios", "fw.bin", "-kernel", "kernel"]
    files = {"fw.bin": STUB, "kernel": kernel}
    for size, refused in ((0, True), (1, False), (4097, False), (63 << 20, True)):
        yield Case("initrd-%d" % size, args + ["-initrd", "rd"], dict(files, rd=bytes(size)), refused=refused)
    yield Case("initrd-random", args + ["-initrd", "rd"], dict(files, rd=rng.randbytes(65536)))
    for i, (text, refused) in enumerate((
            ("loader,file=data,addr=0x80300000", False), ("loader,file=data,addr=0", True),
            ("loader,file=data,addr=0x83ffffff", True), ("loader,file=data,addr=0xffffffffffffffff", True),
            ("loader,file=data", True), ("loader,file=nothing,addr=0x80300000", True), ("loader", True),
            ("loader,addr=0x80300000,data=1,data-len=9", True), ("loader,addr=0x80300000,data=1,data-len=0", True),
            ("loader,addr=0x80200000,data=1,data-len=4", True), ("loader,addr=0x80300000,cpu-num=1", True),
            ("loader,adr=1", True), ("loader,file=data,addr=0x80300000,force-raw=maybe", True))):
        yield Case("loader-%d" % i, args + ["-device", text], dict(files, data=bytes(100)), refused=refused)
    elf_cut = elf(bytes(100), RAM + 0x300000)
    for i, bad in enumerate(truncations(elf_cut, 6)[1:]):
        yield Case("loader-elf-cut-%d" % i, args + ["-device", "loader,file=data"], dict(files, data=bad), refused=True)


def disk_cases(rng):
    """A raw disk is never wrong, whatever it holds: also not when it looks like another format."""
    kernel = elf(POWEROFF, RAM + 0x200000)
    files = {"fw.bin": STUB, "kernel": kernel}
    args = BASE + ["-bios", "fw.bin", "-kernel", "kernel", "-drive", "file=disk,if=none,id=d,format=raw", "-device",
                   "virtio-blk-device,drive=d"]
    for size in (0, 1, 511, 512, 513, 4095, 65536):
        yield Case("disk-size-%d" % size, args, dict(files, disk=rng.randbytes(size)))
    for name, magic in (("qcow2", b"QFI\xfb\0\0\0\3"), ("vmdk", b"KDMV"), ("vdi", b"<<< Oracle VM"), ("mbr", bytes(510))):
        for how, data in (("zeros", magic + bytes(4096)), ("ones", magic + b"\xff" * 4096)):
            yield Case("disk-%s-%s" % (name, how), args, dict(files, disk=data))


BAD_OPTIONS = (
    ["-kernal", "x"], ["-"], ["--"], ["---help"], ["-kernel"], ["-m", "0"], ["-m", "-1"], ["-m", "1Q"],
    ["-m", "99999999999999999999"], ["-m", "17T"], ["-smp", "0"], ["-smp", "9"], ["-smp", "1000000000000"],
    ["-smp", "cpus=2,cores=1"], ["-smp", "x=1"], ["-M", "nosuch"], ["-M", "virt,nosuch=1"], ["-M", ""], ["-M", ","],
    ["-cpu", "nosuch"], ["-cpu", "rv64,nosuch=on"], ["-accel", "kvm"], ["-accel", "nosuch"], ["-accel", ""],
    ["-device", "nosuch"], ["-device", ""], ["-device", ",,,"], ["-device", "=x"], ["-device", "{}"],
    ["-device", "virtio-blk-device,drive=missing"], ["-device", "virtio-blk-device"],
    ["-drive", "nosuch=1"], ["-drive", "file=/nonexistent,if=none"], ["-drive", "if=nosuch,file=/dev/null"],
    ["-rtc", "base=yesterday"], ["-rtc", "clock=nosuch"], ["-icount", "shift=64"], ["-icount", "x=1"],
    ["-action", "panic=nosuch"], ["-action", "nosuch=none"], ["-watchdog-action", "nosuch"], ["-uuid", "1-2-3"],
    ["-echr", "999"], ["-serial", "nosuch"], ["-chardev", "nosuch,id=x"], ["-chardev", "null"],
    ["-kernel", "/nonexistent"], ["-kernel", "/"], ["-kernel", ""], ["-bios", "/nonexistent"], ["-initrd", "/nonexistent"],
    ["-dtb", "/nonexistent"], ["-dtb", "/"], ["-netdev", "nosuch,id=x"], ["-monitor", "nosuch"], ["-loadvm", "x"],
    ["-name", "nosuch=1"], ["-kernal", "\x1b[31m\n%s%n" * 40], ["-append", "x", "-" + "y" * 5000],
)


def option_cases(rng):
    kernel = {"kernel": elf(POWEROFF, RAM)}
    base = ["-display", "none", "-serial", "null", "-bios", "none", "-kernel", "kernel"]
    for i, words in enumerate(BAD_OPTIONS):
        yield Case("options-bad-%d" % i, base + list(words), kernel, refused=True)
    pool = [w for words in BAD_OPTIONS for w in words] + ["-M", "virt", "-m", "64M", "-smp", "2", "-nodefaults", "on"]
    for i in range(24):
        words = [rng.choice(pool) for _ in range(rng.randint(1, 6))]
        yield Case("options-random-%d" % i, base + words, kernel)


def all_cases():
    rng = random.Random(20240607)
    for make in (kernel_cases, dtb_cases, initrd_and_loader_cases, disk_cases, option_cases):
        yield from make(rng)
    yield from firmware_cases()
