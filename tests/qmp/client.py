"""A machine and the clients of its doors: the machine protocol as the qemu.qmp package speaks it (greeting,
capabilities, ids, events among the answers), and a person's monitor. Nothing here sleeps; LIMIT only ends
what hangs."""
import json
import os
import select
import socket
import subprocess
import time

LIMIT = float(os.environ.get("QMP_LIMIT", "60"))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
PROMPT = b"(qemu) "

# t0 counts: addi t0, t0, 1; j -4
COUNTER = ["-device", "loader,addr=0x80000000,data=0xffdff06f00128293,data-len=8"]
# lui t0, 0x100; lui t1, 5; addi t1, t1, OPERATION; sw t1, 0(t0); j .
def finisher(operation):
    words = [0x001002b7, 0x00005337 if operation == 0x5555 else 0x00007337,
             0x55530313 if operation == 0x5555 else 0x77730313, 0x0062a023, 0x6f, 0]
    return [option for i in range(0, 6, 2) for option in
            ("-device", "loader,addr=%#x,data=%#x,data-len=8" % (0x80000000 + 4 * i, words[i + 1] << 32 | words[i]))]


class Wrong(Exception):
    """What was checked does not hold."""


def check(good, why):
    if not good:
        raise Wrong(why)


def same(found, wanted, what):
    check(found == wanted, "%s: %r, not %r" % (what, found, wanted))


class Stream:
    """Bytes of a socket or a pair of files, with a deadline."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.data = reader, writer, b""

    def more(self):
        """False at the end."""
        if not select.select([self.reader], [], [], LIMIT)[0]:
            raise Wrong("nothing came within %g s; so far %r" % (LIMIT, self.data[-500:]))
        try:
            data = os.read(self.reader.fileno(), 65536)
        except ConnectionError:
            data = b""
        self.data += data
        return bool(data)

    def until(self, end):
        """What comes up to `end`, with it; what there is, without it, at the end of the stream."""
        while end not in self.data:
            if not self.more():
                break
        at = self.data.find(end)
        cut = len(self.data) if at < 0 else at + len(end)
        taken, self.data = self.data[:cut], self.data[cut:]
        return taken

    def write(self, data):
        while data:
            data = data[os.write(self.writer.fileno(), data):]


def connect(machine, path):
    """The socket is there when the machine is, so only its making has to be waited for."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            s.connect(path)
            return s
        except (FileNotFoundError, ConnectionRefusedError):
            s.close()
        try:
            machine.process.wait(0.01)
            break
        except subprocess.TimeoutExpired:
            pass
    raise Wrong("no socket %s: %s" % (path, machine.errors()))


class Qmp:
    def __init__(self, stream, negotiate=True):
        self.stream, self.events, self.id = stream, [], 0
        self.greeting = self.read()
        if negotiate:
            same(self.ask("qmp_capabilities"), {}, "qmp_capabilities")

    def read(self):
        line = self.stream.until(b"\n")
        check(line.endswith(b"\r\n"), "not a whole line: %r" % line[-200:])
        return json.loads(line)

    def answer(self, request):
        """Sends an object; the answer, with its id checked. Events in between are kept."""
        self.id += 1
        self.stream.write(json.dumps(dict(request, id=self.id)).encode())
        while True:
            message = self.read()
            if "event" not in message:
                same(message.pop("id", None), self.id, "the id")
                return message
            self.events.append(message)

    def ask(self, name, /, **arguments):
        names = {key.replace("_", "-"): value for key, value in arguments.items()}
        answer = self.answer({"execute": name, "arguments": names})
        check("return" in answer, "%s: %r" % (name, answer))
        return answer["return"]

    def fails(self, name, /, **arguments):
        answer = self.answer({"execute": name, "arguments": arguments})
        check("error" in answer, "%s did not fail: %r" % (name, answer))
        return answer["error"]["class"]

    def event(self, name):
        """The next event of this name, among those that came and those to come."""
        while True:
            for i, event in enumerate(self.events):
                if event["event"] == name:
                    del self.events[:i + 1]
                    check(event["timestamp"]["seconds"] > 1600000000, "timestamp of %r" % event)
                    check(0 <= event["timestamp"]["microseconds"] < 1000000, "timestamp of %r" % event)
                    return event.get("data")
            self.events.append(self.read())

    def monitor(self, line, cpu=0):
        return self.ask("human-monitor-command", command_line=line, cpu_index=cpu)


class Monitor:
    def __init__(self, stream):
        self.stream = stream
        self.banner = stream.until(PROMPT)

    def ask(self, line):
        self.stream.write(line.encode() + b"\n")
        text = self.stream.until(PROMPT).decode()
        start = line + "\r\n"
        check(text.startswith(start), "no echo: %r" % text)
        return text[len(start):-len(PROMPT)].replace("\r\n", "\n")


class Machine:
    """`options` may name sockets in its directory as {dir}."""

    def __init__(self, directory, options, door="riscv64", guest=COUNTER, monitor="none", **streams):
        self.directory = directory
        self.log = open(os.path.join(directory, "stderr"), "w+b")
        base = ["-M", "virt", "-m", "32M", "-bios", "none", "-display", "none"]
        if "-serial" not in options:
            base += ["-serial", "none"]
        if monitor and "-monitor" not in options:
            base += ["-monitor", monitor]
        self.line = [os.path.join(BUILD, "lyrebird-system-" + door)] + base + guest
        self.line += [option.replace("{dir}", directory) for option in options]
        streams.setdefault("stdin", subprocess.DEVNULL)
        streams.setdefault("stdout", subprocess.PIPE)
        self.process = subprocess.Popen(self.line, stderr=self.log, **streams)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()

    def errors(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def stream(self, name):
        s = connect(self, os.path.join(self.directory, name))
        return Stream(s, s)

    def qmp(self, name="qmp", negotiate=True):
        return Qmp(self.stream(name), negotiate)

    def ends(self, status=0):
        try:
            same(self.process.wait(LIMIT), status, "exit status (%s)" % self.errors())
        except subprocess.TimeoutExpired:
            raise Wrong("it did not end") from None

    def memory(self):
        """Bytes of host memory it has now."""
        with open("/proc/%d/statm" % self.process.pid) as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
