"""Building guest programs and running them, here and in QEMU. Used by run and record."""
import os
import shutil
import subprocess

import illegal
import randprog

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
WORK = os.path.join(BUILD, "check", "guest")
GOLDEN = os.path.join(HERE, "random.golden")
SEEDS = {64: 200, 32: 100}   # programs in random.golden
LIMIT = 60                   # seconds; a program takes well under one
BOARD = ["-M", "spike", "-display", "none", "-serial", "stdio", "-bios", "none"]
QEMU_CPU = "rv%d,Zfh=true,svinval=true"


def cross():
    """The prefix of a RISC-V compiler, or None."""
    named = os.environ.get("RISCV_CROSS")
    for prefix in [named] if named else ["riscv64-unknown-elf-", "riscv64-linux-gnu-", "riscv64-elf-"]:
        if shutil.which(prefix + "gcc"):
            return prefix
    return None


class Failure(Exception):
    """What the user has to see, and what to run again."""


def build(name, xlen, source, defines=()):
    """An ELF file of an assembly file. `name` is unique."""
    elf = os.path.join(WORK, "%s-rv%d.elf" % (name, xlen))
    command = [cross() + "gcc", "-nostdlib", "-nostartfiles", "-static", "-march=rv%dimafdc_zicsr_zifencei" % xlen,
               "-mabi=" + {64: "lp64d", 32: "ilp32d"}[xlen], "-I", HERE, "-Wl,-T," + os.path.join(HERE, "link.ld"),
               "-Wl,--build-id=none", "-o", elf, source] + ["-D" + d for d in defines]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          text=True)
    if done.returncode:
        raise Failure("does not assemble: %s\n%s" % (" ".join(command), done.stdout))
    return elf


def execute(command):
    """(status, standard output); the whole complaint is in it when there is one."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise Failure("still running after %d s\n     %s" % (LIMIT, " ".join(command))) from None
    except OSError as error:
        raise Failure("%s: %s" % (command[0], error.strerror)) from None
    out = done.stdout.replace(b"\0", b"").decode(errors="replace")
    return done.returncode, out + (done.stderr.decode(errors="replace") if done.returncode else "")


def here(xlen, elf, cpu="", accel="interp", more=()):
    return [os.path.join(BUILD, "lyrebird-system-riscv%d" % xlen)] + BOARD + \
        ["-nodefaults", "-accel", accel, "-cpu", "rv%d%s" % (xlen, cpu), "-kernel", elf] + list(more)


def qemu(xlen, elf):
    return ["qemu-system-riscv%d" % xlen] + BOARD + ["-cpu", QEMU_CPU % xlen, "-kernel", elf]


def has_qemu():
    return all(shutil.which("qemu-system-riscv%d" % xlen) for xlen in (32, 64))


def build_text(name, xlen, text):
    source = os.path.join(WORK, "%s-rv%d.S" % (name, xlen))
    with open(source, "w") as f:
        f.write(text)
    return build(name, xlen, source)


def build_illegal(name, xlen, cases, setup=""):
    return build_text(name, xlen, illegal.program(cases, setup))


def build_random(name, xlen, programs, first=None, dump=False):
    """One ELF file of many random programs."""
    image = os.path.join(WORK, "%s-rv%d.bin" % (name, xlen))
    with open(image, "wb") as f:
        for program in programs:
            f.write(program.image(first))
    defines = ['PROGRAMS="%s"' % image, "COUNT=%d" % len(programs)] + (["DUMP"] if dump else [])
    return build(name, xlen, os.path.join(HERE, "random.S"), defines)


def random_programs(xlen, seeds):
    return randprog.programs(SRC, xlen, seeds)
