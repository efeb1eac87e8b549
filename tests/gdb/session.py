"""Runs inside GDB, with the bare-metal guest: one function a session."""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from helpers import at, check, connect, contains, hits, run, session, stops, value, where  # noqa: E402


CLOCKS = ("$mcycle", "$cycle", "$minstret", "$instret", "$time", "$mip", "$sip")


def registers(xlen):
    text = run("info registers")
    contains("info registers", text, "ra ", "sp ", "s1 ", "t6 ", "pc ")
    check("pc", value("$pc") == value("(long)&level3") or where() == "level3", run("info registers pc"))
    check("CSRs by name", value("$mstatus") & 8 == 0 and value("$mtvec") == value("(long)&on_timer"),
          run("info registers mstatus mtvec"))
    run("set var $mepc = 0x80000124")
    check("a CSR is written", value("$mepc") & 0xffffffff == 0x80000124, run("info registers mepc"))
    contains("info registers csr", run("info registers csr"), "mhartid", "mie", "satp")
    same = []
    for line in run("info registers csr").splitlines():
        name = "$" + line.split()[0]
        before = value(name)
        run("set var %s = %d" % (name, before))
        same += [name] if value(name) != before and name not in CLOCKS else []
    check("each CSR takes what it holds", not same, same)
    check("priv", value("$priv") == 3, run("info registers priv"))
    run("set var $ft0.double = 1.5")
    contains("float registers", run("info registers ft0"), "double = 1.5")
    contains("fcsr", run("info registers fcsr frm fflags"), "fcsr", "frm", "fflags")
    run("set var $t6 = 77")
    run("maintenance flush register-cache")
    check("a register is written", value("$t6") == 77, run("info registers t6"))
    check("zero is zero", value("$zero") == 0)


def breakpoints(xlen):
    loaded = 0x80100000
    check("nothing is loaded yet", value("*(int *)0x%x" % loaded) == 0)
    early = gdb.Breakpoint("*0x%x" % loaded)
    run("tbreak main")
    run("continue")
    at("software breakpoint", "main")
    run("thbreak level3")
    run("continue")
    at("hardware breakpoint", "level3")
    contains("backtrace", run("backtrace"), "level3", "level2", "level1", "main")
    registers(xlen)
    run("finish")
    check("finish", value("$") == 10 and where() == "level2", run("show values"))
    run("continue")
    check("breakpoint where a loader put code later", value("$pc") == loaded, run("info registers pc"))
    check("its hit is counted", early.hit_count == 1)
    contains("the code there", run("x/2i $pc"), "li\ta0,1", "ret")
    early.delete()


def watchpoints():
    run("tbreak change")
    run("continue")
    watch = gdb.Breakpoint("watched", gdb.BP_WATCHPOINT, gdb.WP_WRITE)
    contains("it is a hardware watchpoint", run("info breakpoints"), "hw watchpoint")
    hits("watchpoint fires", watch, watched=1)
    hits("and again", watch, watched=2)
    watch.delete()
    watch = gdb.Breakpoint("watched", gdb.BP_WATCHPOINT, gdb.WP_READ)
    hits("read watchpoint fires", watch, watched=2, seen=1)
    check("at the instruction after the load", where() == "change", run("info program"))
    watch.delete()


def stepping():
    run("tbreak *before_enable")
    run("continue")
    check("the timer's interrupt is pending", value("$mip") & value("$mie") & 0x80, run("info registers mip mie"))
    low, high = value("(long)&on_timer"), value("(long)&before_enable")
    start, stop = high, value("(long)&busy") + 64
    strays = 0
    for i in range(1000):
        run("stepi")
        pc = value("$pc")
        strays += low <= pc < high or not start <= pc < stop
    check("1000 stepi do not land in the handler", strays == 0, "%d did" % strays)
    check("interrupts were enabled meanwhile", value("$mstatus") & 8, run("info registers mstatus"))
    check("no interrupt was taken", value("ticks") == 0)
    run("tbreak *on_timer")
    run("continue")
    check("it comes when the guest goes on", value("$pc") == low, run("info registers pc"))


def threads():
    check("a thread for each vCPU", len(gdb.selected_inferior().threads()) == 2, run("info threads"))
    contains("threads have names", run("info threads"), "hart 0 [", "hart 1 [")
    run("tbreak take_turns")
    run("continue")
    run("thread 2")
    check("the other hart's registers", value("$mhartid") == 1, run("info registers mhartid"))
    contains("the other hart's frames", run("backtrace"), "second")
    run("thread 1")
    for _ in range(1000):  # the loop has two lines
        if value("seen") == value("wanted"):
            break
        run("next")
    check("next over a wait for the other hart", value("seen") == value("wanted") and value("turns") == value("wanted"),
          run("print turns") + run("print wanted") + run("info line"))
    run("tbreak one_turn")
    run("set var wanted = turns + 1")
    run("continue")
    at("breakpoint on the second hart", "one_turn")
    check("the second hart is current", gdb.selected_thread().num == 2, run("info threads"))


def change_code():
    run("thread 1")
    check("a call into the guest", value("((int (*)(void))answer)()") == 1)
    run("set var *(unsigned short *)answer = 0x4509")
    check("code that GDB changed", value("((int (*)(void))answer)()") == 2)


def interrupted(name):
    run("set var announce = 1")
    run("continue")  # the runner sends SIGINT when the guest says that it spins
    check(name, isinstance(stops[-1], gdb.SignalEvent) and stops[-1].stop_signal == "SIGINT", stops[-1])


def full():
    connect()
    breakpoints(64)
    watchpoints()
    stepping()
    threads()
    change_code()
    interrupted("Ctrl-C")
    interrupted("Ctrl-C once more")
    gdb.Breakpoint("say")
    run("set var announce = 1")
    run("detach")
    check("detach", True)


def again():
    connect()
    check("re-attached, the guest is stopped where it was", value("ticks") == 1 and value("announce") == 0)
    contains("threads after re-attaching", run("info threads"), "hart 0 [", "hart 1 [")
    run("set var stop = 1")
    run("continue")
    check("power-off ends the debugging", isinstance(stops[-1], gdb.ExitedEvent) and stops[-1].exit_code == 0, stops[-1])


def small():
    connect()
    breakpoints(32)
    watchpoints()
    contains("monitor", run("monitor help"), "reset")
    run("maintenance packet Qqemu.PhyMemMode:1")
    contains("physical memory", run("maintenance packet m80000000,4"), "received: ")
    run("maintenance packet Qqemu.PhyMemMode:0")
    run("kill")
    check("kill", True)


session({"full": full, "again": again, "small": small})
