"""A guest on a pseudo-terminal, talked to like expect(1) does: wait for a text, then type. Nothing here sleeps: every wait
ends with the text, with the end of the process, or at a cap of host time, which only a hang reaches."""
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

LIMIT = float(os.environ.get("BOOT_LIMIT", "180"))
PROMPT = r"lyrebird:\S*# "


class Failure(Exception):
    pass


class Console:
    """Runs `line` with its standard input and output on a new pseudo-terminal; standard error goes to a file."""

    def __init__(self, line, directory):
        self.line = line
        self.text = ""
        self.seen = 0
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.errors = open(os.path.join(directory, "stderr"), "w+b")
        self.process = subprocess.Popen(line, stdin=self.slave, stdout=self.slave, stderr=self.errors, cwd=directory,
                                        start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
        self.errors.close()

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def fail(self, what):
        raise Failure("%s\n%s\n... %r\n%s" % (what, " ".join(self.line), self.text[-1500:], self.stderr()[-1500:]))

    def _read(self, deadline, wait=0.2):
        """More output, or False at the end of the process. The slave stays open here, so the end is not seen as EOF."""
        if time.monotonic() > deadline:
            self.fail("nothing of what was waited for within %g s" % LIMIT)
        ready, _, _ = select.select([self.master], [], [], wait)
        if ready:
            self.text += os.read(self.master, 65536).decode("utf-8", errors="replace")
            return True
        return self.process.poll() is None

    def expect(self, pattern):
        """Waits for the regular expression in what has not been matched yet; the match."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + LIMIT
        while True:
            match = wanted.search(self.text, self.seen)
            if match:
                self.seen = match.end()
                return match
            if not self._read(deadline):
                self.fail("the process ended with %s before %r" % (self.process.returncode, pattern))

    def send(self, text):
        os.write(self.master, text.encode())

    def run(self, command, status=0):
        """A command in the guest's shell; what it printed. The echoed line itself does not match the end mark."""
        self.send(command + '; echo "<$?"">"\n')
        self.expect(r'<\$\?"">"\r*\n')
        start = self.seen
        end = self.expect(r"<(\d+)>\r*\n")
        self.expect(PROMPT)
        if int(end.group(1)) != status:
            self.fail("%r has status %s" % (command, end.group(1)))
        return self.text[start:end.start()].replace("\r", "")

    def wait(self):
        """The status of the process, which ends by itself."""
        deadline = time.monotonic() + LIMIT
        while self._read(deadline):
            pass
        return self.process.wait()

    def end(self, status=0):
        found = self.wait()
        if found != status:
            self.fail("status %d instead of %d" % (found, status))
        self.check_terminal()

    def check_terminal(self):
        if termios.tcgetattr(self.slave) != self.before:
            self.fail("the terminal is not as it was before")

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def cpu_seconds(self):
        """User and system time of the process so far."""
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def listen(self, seconds):
        """Reads on for that long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._read(end + LIMIT, max(0.0, end - time.monotonic()))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
