"""Runs inside GDB, with Debian's kernel on two vCPUs and nothing of it but its symbols: one function a session."""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from helpers import at, check, connect, contains, hits, run, session, stops, value, where  # noqa: E402

ENTRY = 0x80200000  # where OpenSBI's next stage is on this board
INTERRUPT = 1 << 63
TIMER = 1 << 5


def names():
    """The functions of the stack; GDB finds the last frame by failing, which is no failure."""
    found, frame = [], gdb.newest_frame()
    try:
        while frame:
            found.append(frame.name())
            frame = frame.older()
    except gdb.error:
        pass
    return found


def stack(name, *functions):
    check(name, all(function in names() for function in functions), names())


def address(symbol):
    return value("(unsigned long)&" + symbol)


def csr(name):
    """GDB has them with a sign."""
    return value("(unsigned long)$" + name)


def before_it_is_there():
    """The kernel's functions are at virtual addresses, and nothing translates yet."""
    check("two vCPUs are two threads", len(gdb.selected_inferior().threads()) == 2, run("info threads"))
    try:
        check("the kernel is not there yet", False, run("x/i start_kernel"))
    except gdb.MemoryError:
        check("the kernel is not there yet", True)
    entry, early = gdb.Breakpoint("*0x%x" % ENTRY, gdb.BP_HARDWARE_BREAKPOINT), gdb.Breakpoint("*start_kernel")
    late, soft = gdb.Breakpoint("*do_filp_open", gdb.BP_HARDWARE_BREAKPOINT), gdb.Breakpoint("*vfs_open")
    hits("hardware breakpoint at the kernel's entry", entry)
    check("its CSRs by name", csr("pc") == ENTRY and csr("satp") == 0 and csr("priv") == 1,
          run("info registers pc satp priv"))
    hits("software breakpoint at start_kernel", early)
    check("its CSRs by name, now", csr("satp") >> 60 & 15 in (8, 9, 10) and
          csr("stvec") == address("handle_exception") and csr("pc") == address("start_kernel"),
          run("info registers satp stvec pc"))
    stack("backtrace at start_kernel", "start_kernel", "_start_kernel")
    hits("hardware breakpoint at a function", late)
    hits("software breakpoint at a function", soft)
    stack("backtrace at vfs_open", "vfs_open", "path_openat", "do_filp_open")
    for point in (entry, early, late, soft):
        point.delete()


def watchpoint():
    watch = gdb.Breakpoint("*(unsigned long *)&jiffies_64", gdb.BP_WATCHPOINT, gdb.WP_WRITE)
    before = value("*(unsigned long *)&jiffies_64")
    hits("watchpoint on jiffies_64", watch)
    check("it counts", value("*(unsigned long *)&jiffies_64") > before)
    stack("backtrace at the watchpoint", "hrtimer_interrupt", "riscv_timer_interrupt")
    watch.delete()


def module():
    """What lx-symbols is told of a module by: a breakpoint in the kernel, and what its argument points at."""
    load = gdb.Breakpoint("*do_init_module")
    hits("breakpoint at do_init_module", load)
    text = run("x/s $a0 + 24")
    check("struct module has the name", text.split('"')[1].replace("_", "").isalnum(), text)
    load.delete()


def stepping():
    """A timer interrupt is pending and let through, all the while."""
    run("tbreak *vfs_open")
    run("continue")
    run("set var $stimecmp = 0")
    check("the timer's interrupt is pending", csr("sip") & csr("sie") & TIMER and csr("sstatus") & 2,
          run("info registers sip sie sstatus"))
    strays, places = [], set()
    for _ in range(1000):
        run("stepi")
        places.add(csr("pc"))
        if csr("pc") == address("handle_exception") and csr("scause") & INTERRUPT:
            strays.append(csr("scause"))
    check("1000 stepi do not land in the interrupt handler", not strays, strays)
    check("they are steps in the kernel", len(places) > 100 and all(pc >> 63 for pc in places), len(places))
    run("tbreak *handle_exception if $scause < 0 && ($scause & 255) == 5")  # others may come first
    run("continue")
    check("it comes when the guest goes on", csr("pc") == address("handle_exception") and
          csr("scause") & ~INTERRUPT == 5 and csr("sepc") >> 63, run("info registers scause sepc pc"))


def kernel():
    connect()
    before_it_is_there()
    watchpoint()
    module()
    stepping()
    run("continue")  # the runner sends SIGINT when the shell is there
    check("Ctrl-C", isinstance(stops[-1], gdb.SignalEvent) and stops[-1].stop_signal == "SIGINT", stops[-1])
    for thread in gdb.selected_inferior().threads():
        run("tbreak *arch_cpu_idle thread %d" % thread.num)
        run("continue")
        check("breakpoint of thread %d alone" % thread.num, gdb.selected_thread() == thread and where() == "arch_cpu_idle",
              run("info program"))
        check("thread %d is hart %d" % (thread.num, thread.num - 1), csr("mhartid") == thread.num - 1)
        stack("backtrace of thread %d" % thread.num, "arch_cpu_idle", "default_idle_call")
    gdb.Breakpoint("*handle_exception")
    run("detach")
    check("detach", True)


def kernel_again():
    connect()
    contains("threads after re-attaching", run("info threads"), "hart 0 [", "hart 1 [")
    run("tbreak kernel_power_off")
    check("re-attached", True)  # the runner types poweroff
    run("continue")
    at("breakpoint after re-attaching", "kernel_power_off")
    stack("backtrace of a system call", "kernel_power_off", "__do_sys_reboot")
    run("continue")
    check("power-off ends the debugging", isinstance(stops[-1], gdb.ExitedEvent) and stops[-1].exit_code == 0, stops[-1])


session({"kernel": kernel, "kernel_again": kernel_again})
