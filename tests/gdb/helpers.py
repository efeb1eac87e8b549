"""What sessions inside GDB share: they print "ok NAME" or "FAIL NAME: why"."""
import os

import gdb

stops = []  # GDB's stop events and exits; what a command prints of them goes past to_string
gdb.events.stop.connect(stops.append)
gdb.events.exited.connect(stops.append)


def run(command):
    return gdb.execute(command, to_string=True)


def value(expression):
    return int(gdb.parse_and_eval(expression))


def check(name, good, why=""):
    # Straight to the descriptor: GDB's pager and capturing have no say.
    os.write(1, ("ok %s\n" % name if good else "FAIL %s: %s\n" % (name, str(why).replace("\n", " | "))).encode())


def hits(name, breakpoint, **values):
    """Goes on until this breakpoint or watchpoint stops it; then variables have these values."""
    run("continue")
    at_it = isinstance(stops[-1], gdb.BreakpointEvent) and breakpoint in stops[-1].breakpoints
    check(name, at_it and all(value(key) == wanted for key, wanted in values.items()), run("info program"))


def where():
    return gdb.newest_frame().name()


def connect():
    run("set pagination off")
    run("set confirm off")
    run("target remote " + os.environ["GDB_SOCKET"])


def at(name, place):
    check(name, where() == place, "stopped in %s: %s" % (where(), run("info program")))


def contains(name, text, *parts):
    check(name, all(part in text for part in parts), text)


def session(functions):
    """Runs the one that the environment names."""
    name = os.environ["GDB_SESSION"]
    try:
        functions[name]()
    except Exception as error:  # whatever it is, it is a test that failed
        check(name, False, repr(error))
