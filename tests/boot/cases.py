"""The cases of tests/boot/run: functions that get a Setup, and raise console.Failure (or Skip)."""
import contextlib
import hashlib
import http.server
import os
import random
import re
import shlex
import socket
import subprocess
import threading
import time

from console import PROMPT, Console, Failure


class Skip(Exception):
    pass


class Setup:
    """What a case gets: a directory of its own, and the emulator's command lines."""

    def __init__(self, build, directory, debian, cross):
        self.build = build
        self.directory = directory
        self._debian = debian
        self.cross = cross

    def door(self, arch):
        return os.path.join(self.build, "lyrebird-system-" + arch)

    def debian(self, smp=int(os.environ.get("BOOT_SMP", "1")), more=(), netdev=None, network=True):
        """The command line of `lyrebird run debian`, with other numbers."""
        if not self._debian:
            raise Skip("`lyrebird run debian --dry-run` gave no command line (no network, or no mirror)")
        line = [self.door("riscv64")] + self._debian[1:]
        line[line.index("-smp") + 1] = str(smp)
        at = line.index("-netdev")
        if netdev:
            line[at + 1] = netdev
        if not network:
            del line[at:at + 4]
        return line + list(more)

    def path(self, name):
        return os.path.join(self.directory, name)

    def boot(self, **how):
        return Console(self.debian(**how), self.directory)

    def image(self, name, size, seed):
        with open(self.path(name), "wb") as f:
            f.write(random.Random(seed).randbytes(size))
        return ["-drive", "file=%s,format=raw,if=none,id=s0" % name, "-device", "virtio-blk-device,drive=s0"]

    def data(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def compile(self, xlen, source, *flags):
        if not self.cross:
            raise Skip("no RISC-V cross compiler (RISCV_CROSS)")
        out = self.path("program%d.elf" % xlen)
        subprocess.run([self.cross + "gcc", "-march=rv%dima" % xlen, "-mabi=" + ("lp64" if xlen == 64 else "ilp32"),
                        "-nostdlib", "-static", "-Wl,-Ttext=0x80000000,--build-id=none,-N,--no-warn-rwx-segments",
                        *flags, "-o", out, os.path.join(os.path.dirname(os.path.abspath(__file__)), source)], check=True)
        return out


def need(condition, what):
    if not condition:
        raise Failure(what)


# ---- the shell, and the way out ----

def boot_and_poweroff(setup, smp):
    with setup.boot(smp=smp) as guest:
        guest.expect(PROMPT)
        need(guest.is_raw(), "the terminal is not in raw mode while the guest runs")
        need("riscv64" in guest.run("uname -a"), "uname -a does not say riscv64")
        need(guest.run("nproc").strip() == str(smp), "nproc is not %d" % smp)
        guest.send("poweroff\n")
        guest.end(0)


def shell_smp1(setup):
    boot_and_poweroff(setup, 1)


def shell_smp4(setup):
    boot_and_poweroff(setup, 4)


def ctrl_a_x(setup):
    with setup.boot() as guest:
        guest.expect("Linux version")
        need(guest.is_raw(), "the terminal is not in raw mode while the guest runs")
        guest.send("\x01x")
        guest.end(0)


def sigterm(setup):
    with setup.boot() as guest:
        guest.expect("Linux version")
        need(guest.is_raw(), "the terminal is not in raw mode while the guest runs")
        guest.terminate()
        status = guest.wait()
        need(status in (0, 1, -15, 143), "status %d after SIGTERM" % status)
        guest.check_terminal()


def reboot(setup):
    with setup.boot() as guest:
        guest.expect("Linux version")
        guest.expect(PROMPT)
        guest.send("reboot\n")
        guest.expect("Linux version")
        guest.expect(PROMPT)
        guest.send("poweroff\n")
        guest.end(0)


def no_reboot(setup):
    with setup.boot(more=["-no-reboot"]) as guest:
        guest.expect(PROMPT)
        guest.send("reboot\n")
        guest.end(0)
        need(guest.text.count("Linux version") == 1, "it booted again")


# ---- the process ----

def maps(pid):
    """The lines of /proc/PID/maps; none when the process is gone."""
    try:
        with open("/proc/%d/maps" % pid, encoding="utf-8", errors="replace") as f:
            return f.read().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []


def never_writable_and_executable(setup):
    """Every sample of the process's mappings from its start to its end, as fast as they can be read."""
    with setup.boot(smp=2) as guest:
        bad, samples, executable = set(), [0], set()

        def sample():
            while guest.process.poll() is None:
                lines = maps(guest.process.pid)
                samples[0] += bool(lines)
                bad.update(line for line in lines if line.split()[1][1:3] == "wx")
                executable.update(line for line in lines if "x" in line.split()[1])

        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            guest.expect(PROMPT)
            guest.send("poweroff\n")
            guest.end(0)
        finally:
            if guest.process.poll() is None:
                guest.process.kill()
            sampler.join()
        need(not bad, "writable and executable: %s" % bad)
        need(samples[0] >= 100, "only %d samples" % samples[0])
        need(any("memfd:lyrebird-code" in line for line in executable), "no code memory was seen")


def resident_memory(setup):
    """What a machine with 1 GiB needs at its shell beside the RAM that the guest has touched."""
    with open(setup.door("riscv64"), "rb") as f:
        if b"__asan_init" in f.read():
            raise Skip("the sanitizers' memory is not the machine's")
    with setup.boot() as guest:
        guest.expect(PROMPT)
        ram = everything = 0
        with open("/proc/%d/smaps" % guest.process.pid, encoding="utf-8", errors="replace") as f:
            for line in f:
                if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                    is_ram = "/memfd:ram" in line
                elif line.startswith("Rss:"):
                    everything += int(line.split()[1])
                    ram += int(line.split()[1]) if is_ram else 0
        need(ram > 16 << 10, "no guest RAM was found, only %d KiB" % ram)
        print("     resident: %d KiB, of these RAM %d KiB" % (everything, ram))
        need(everything - ram <= 80 << 10, "%d KiB beside RAM, more than 80 MiB" % (everything - ram))
        guest.send("poweroff\n")
        guest.end(0)


# ---- network ----

@contextlib.contextmanager
def web_server(body):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def receive_all(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        data = b""
        while True:
            more = s.recv(4096)
            if not more:
                return data
            data += more


def network(setup):
    body = random.Random(7).randbytes(1 << 20)
    with web_server(body) as port, setup.boot(netdev="user,id=n0,hostfwd=tcp::0-:8080") as guest:
        guest.expect(PROMPT)
        need("10.0.2.15" in guest.run("ip addr show eth0"), "DHCP did not give 10.0.2.15")
        got = guest.run("wget -q -O - http://10.0.2.2:%d/file | md5sum" % port)
        need(hashlib.md5(body).hexdigest() in got, "another file arrived: " + got)
        printed = re.search(r"forwarding \S+:(\d+) -> :8080", guest.stderr() + guest.text)
        need(printed, "the chosen port was not printed: " + guest.stderr())
        guest.run("echo 'from the guest' | nc -l -p 8080 >/dev/null & true")
        guest.run("until netstat -ltn | grep -q ':8080 '; do :; done")
        answer = receive_all(int(printed.group(1)))
        need(answer == b"from the guest\n", "the forwarded port answered %r" % answer)
        guest.send("poweroff\n")
        guest.end(0)


# ---- disks ----

DISK = 8 << 20
PATTERN = b"ABCDEFG\n" * 8192
WRITE = "yes ABCDEFG | head -c 65536 | dd of=/dev/vda bs=4096 seek=3 conv=fsync"


def disk(setup):
    drive = setup.image("scratch.img", DISK, 1)
    expected = bytearray(setup.data("scratch.img"))
    with setup.boot(more=drive) as guest:
        guest.expect(PROMPT)
        need(guest.run("md5sum </dev/vda").split()[0] == hashlib.md5(expected).hexdigest(), "the guest reads another disk")
        guest.run(WRITE)
        expected[3 * 4096:3 * 4096 + len(PATTERN)] = PATTERN
        need(setup.data("scratch.img") == expected, "after fsync the image is not what the guest wrote")
        guest.run("dd if=/dev/vda of=/dev/vda bs=4096 skip=3 seek=100 count=16 && sync")
        guest.send("poweroff\n")
        guest.end(0)
    expected[100 * 4096:100 * 4096 + len(PATTERN)] = PATTERN
    need(setup.data("scratch.img") == expected, "after the power-off the image is not what the guest wrote")


def snapshot(setup):
    drive = setup.image("scratch.img", DISK, 2)
    before = setup.data("scratch.img")
    names = set(os.listdir(setup.directory)) | {"stderr"}
    with setup.boot(more=drive + ["-snapshot"]) as guest:
        guest.expect(PROMPT)
        guest.run(WRITE)
        need(guest.run("dd if=/dev/vda bs=4096 skip=3 count=16 2>/dev/null | md5sum").split()[0] ==
             hashlib.md5(PATTERN).hexdigest(), "the guest does not read what it wrote")
        guest.send("poweroff\n")
        guest.end(0)
    need(setup.data("scratch.img") == before, "the image has changed under -snapshot")
    need(set(os.listdir(setup.directory)) == names, "files were left: %s" % os.listdir(setup.directory))


def disk_in_use(setup):
    drive = setup.image("scratch.img", DISK, 3)
    with setup.boot(more=drive) as guest:
        guest.expect("Linux version")
        second = subprocess.run(setup.debian(more=drive), cwd=setup.directory, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        need(second.returncode == 1, "the second one has status %d" % second.returncode)
        message = second.stderr.decode(errors="replace")
        need("in use" in message and re.search(r"\b%d\b" % guest.process.pid, message),
             "no refusal with the holder's pid %d: %s" % (guest.process.pid, message))
        guest.send("\x01x")
        guest.end(0)


# ---- time ----

def icount(setup):
    more = ["-icount", "shift=1", "-rtc", "base=2026-01-01T00:00:00,clock=vm"]
    texts = []
    for _ in range(2):
        with setup.boot(network=False, more=more) as guest:
            guest.expect(PROMPT)
            texts.append(guest.text[:guest.seen])
            guest.send("\x01x")
            guest.end(0)
    for one, other in zip(texts[0].split("\n"), texts[1].split("\n")):
        need(one == other, "two runs differ:\n  %r\n  %r" % (one, other))
    need(texts[0] == texts[1], "two runs differ in length")
    need(re.search(r"\[ +0\.\d{6}\]", texts[0]), "no timestamps on the console")


def idle(setup):
    with setup.boot() as guest:
        guest.expect(PROMPT)
        guest.run("true")
        guest.listen(3)  # what the kernel puts off until after its start
        cpu, wall = guest.cpu_seconds(), time.monotonic()
        guest.listen(10)
        cpu, wall = guest.cpu_seconds() - cpu, time.monotonic() - wall
        print("     idle: %.2f s of CPU time in %.1f s (%.1f %%)" % (cpu, wall, 100 * cpu / wall), flush=True)
        need(cpu <= 0.2 * wall, "an idle guest uses more than 20 % of a CPU")
        guest.send("poweroff\n")
        guest.end(0)


# ---- exit codes of bare-metal programs ----

def statuses(setup, board, source):
    for xlen in (64, 32):
        for code in (0, 1, 77):
            program = setup.compile(xlen, source, "-DCODE=%d" % code)
            done = subprocess.run([setup.door("riscv%d" % xlen), "-M", board, "-bios", "none", "-kernel", program,
                                   "-nographic"], cwd=setup.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=60)
            need(done.returncode == code, "riscv%d: status %d instead of %d: %s" % (xlen, done.returncode, code, done.stderr))
            need(not done.stderr, "riscv%d: stderr is %r" % (xlen, done.stderr))


def exit_virt(setup):
    statuses(setup, "virt", "exit-virt.S")


def exit_spike(setup):
    statuses(setup, "spike", "exit-spike.S")


# ---- the Debian installer ----

def installer(setup):
    folder = os.environ.get("BOOT_INSTALLER")
    if not folder:
        raise Skip("BOOT_INSTALLER names no folder with debian-installer's netboot linux and initrd.gz")
    line = setup.debian()
    for option, name in (("-kernel", "linux"), ("-initrd", "initrd.gz")):
        line[line.index(option) + 1] = os.path.join(folder, name)
    line[line.index("-append") + 1] = "console=ttyS0 TERM=vt102"
    with Console(line, setup.directory) as guest:
        guest.expect("Select a language|Choose (a )?language|Choose the language")
        guest.expect("Go Back|<Tab>")
        guest.listen(3)  # the rest of the dialog
        guest.seen = len(guest.text)
        guest.send("\x1b[B")
        guest.expect(r"\x1b\[[0-9;]*[mH]")  # the bar moves: a change of colour or position
        guest.send("\x01x")
        guest.end(0)


CASES = {f.__name__.replace("_", "-"): f for f in (
    exit_virt, exit_spike, shell_smp1, shell_smp4, ctrl_a_x, sigterm, reboot, no_reboot, network, disk, snapshot,
    disk_in_use, icount, idle, never_writable_and_executable, resident_memory, installer)}


def debian_line(build, limit):
    """The words of the command that `lyrebird run debian` would start; None without one."""
    done = subprocess.run([os.path.join(build, "lyrebird"), "run", "debian", "-q", "--dry-run"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit)
    if done.returncode:
        print("no Debian: " + done.stderr.decode(errors="replace").strip())
        return None
    line = shlex.split(done.stdout.decode())
    line[line.index("-append") + 1] = line[line.index("-append") + 1].replace(" quiet", "")
    line[line.index("-append") + 1] += " lyrebird.size=50x400"  # so that the shell wraps no line
    return line
