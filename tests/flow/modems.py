# SPDX-License-Identifier: GPL-2.0-or-later
"""The modem bench as a program under test, and hosts of its modems: AT commands line by line, or efax. Test files
import it; it is no test itself."""
import os
import queue
import re
import select
import subprocess
import termios
import time
import tty

from faxd import PATIENCE_S, running
from modem_bench import ModemBench

DLE, ETX, CAN = b"\x10", b"\x03", b"\x18"
END = DLE + ETX


class Bench(ModemBench):
    """A modem for each of `numbers`; what it tells is taken event by event. It is ended after the fact."""

    def __init__(self, *numbers, delay_ms=0, options=()):
        self.events = queue.Queue()
        self.kept = []
        super().__init__("--delay-ms", str(delay_ms), *options, *numbers)
        running.append(self)
        self.wait("ready")

    def take(self, event):
        self.events.put(event)

    def wait(self, *names, **wanted):
        """The next event of one of the names with such values, also one that has been passed over before."""
        end = time.monotonic() + PATIENCE_S
        while True:
            for event in self.kept:
                if event["event"] in names and all(event.get(key) == value for key, value in wanted.items()):
                    self.kept.remove(event)
                    return event
            try:
                event = self.events.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {names} {wanted}; there were {self.kept}") from None
            assert event is not None, f"the bench ended before {names} {wanted}"
            self.kept.append(event)

    def ask(self, line):
        """Give a command; what it is answered with."""
        self.order(line)
        return self.wait("done", "error", "stats")

    def do(self, *lines):
        for line in lines:
            answer = self.ask(line)
            assert answer["event"] == "done", f"{line}: {answer}"


class Host:
    """A host of a modem. What the modem says is read octet by octet in order; nothing is thrown away unseen."""

    def __init__(self, bench, number, ready=True):
        self.fd = os.open(bench.device(number), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)
        self.seen = b""
        if ready:
            self.ask("ATE0")
            self.ask("AT+FCLASS=1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.fd >= 0:
            self.close()

    def close(self):
        """DTR goes down."""
        os.close(self.fd)
        self.fd = -1

    def send(self, octets):
        octets = octets.encode() if isinstance(octets, str) else octets
        end = time.monotonic() + PATIENCE_S
        while octets:
            assert time.monotonic() < end, "the modem does not read"
            if select.select([], [self.fd], [], 1)[1]:
                octets = octets[os.write(self.fd, octets):]

    def more(self, seconds):
        """Read what comes within so many seconds: False when nothing does."""
        if not select.select([self.fd], [], [], max(0, seconds))[0]:
            return False
        try:
            got = os.read(self.fd, 4096)
        except OSError:  # the device has gone
            return False
        self.seen += got
        return got != b""

    def until(self, pattern, seconds=PATIENCE_S):
        """What comes up to the end of the first match of the pattern; the match."""
        pattern = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.DOTALL)
        end = time.monotonic() + seconds
        while not (match := pattern.search(self.seen)):
            assert self.more(end - time.monotonic()), f"no {pattern.pattern} but {self.seen[:500]}"
        self.seen = self.seen[match.end():]
        return match

    def result(self, seconds=PATIENCE_S):
        """The next result code in words."""
        words = self.until(rb"\r\n(OK|CONNECT|ERROR|NO CARRIER|BUSY|NO DIALTONE|NO ANSWER|\+FCERROR|RING)\r\n", seconds)
        return words.group(1).decode()

    def quiet(self, seconds):
        """Nothing comes within so many seconds."""
        end = time.monotonic() + seconds
        while self.more(end - time.monotonic()):
            pass
        assert self.seen == b"", f"there came {self.seen}"

    def command(self, line):
        self.send(line + "\r")

    def ask(self, line):
        """Give a command; the lines of its answer, of which the last is the result."""
        self.command(line)
        answer = self.until(rb"^(.*?)\r\n(OK|ERROR)\r\n")
        lines = [text for text in answer.group(1).decode("latin-1").split("\r\n") if text]
        return lines + [answer.group(2).decode()]


# ---- efax ----

def efax(bench, number, *arguments):
    """Start efax on a modem; its log is what it says on standard error, with every octet of the modem."""
    log = open(os.path.join(bench.folder, f"efax-{number}.log"), "w+b")
    try:
        return subprocess.Popen(
            ["efax", "-d", bench.device(number), "-x", os.path.join(bench.folder, f"lock-{number}"), "-v",
             "chewmainrxtf", "-l", number, "-i", "Z", "-i", "E0", *arguments], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, cwd=bench.folder, env=dict(os.environ, TZ="UTC")), log
    except BaseException:
        log.close()
        raise


def efax_ends(bench, process, log, seconds=240):
    """Wait for efax; its exit status and log. It does not outlive the wait."""
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    log.seek(0)
    text = log.read().decode("latin-1")
    log.close()
    return status, text
