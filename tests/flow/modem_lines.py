# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of faxd on modems of the bench: the program modem_bench, kept for as long as a test wants it, and providers on its
devices. Test files import it; it is no test itself."""
import json
import os
import shutil
import subprocess
import tempfile
import threading

from faxd import BUILD, PATIENCE_S, wait_for


class Bench:
    """Modems with numbers, joined by an exchange, in a folder of their own. `config` is a provider's section on them."""

    def __init__(self, *numbers, **behaviours):
        """`behaviours`: n5550="busy", and options of the program: delay_ms, noise."""
        self.folder = tempfile.mkdtemp(prefix="faxd-modems-")
        self.numbers = numbers
        command = [os.path.join(BUILD, "tests/lib/modem_bench"), "--folder", self.folder]
        for name, value in behaviours.items():
            if name[0] == "n" and name[1:].isdigit():
                command += ["--number", f"{name[1:]}={value}"]
            else:
                command += ["--" + name.replace("_", "-"), str(value)]
        self.events, self.lock = [], threading.Lock()
        self.process = subprocess.Popen(command + list(numbers), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        self.wait("ready")

    def read(self):
        for line in self.process.stdout:
            with self.lock:
                self.events.append(json.loads(line))

    def seen(self, event, **more):
        with self.lock:
            return [e for e in self.events if e["event"] == event and more.items() <= e.items()]

    def wait(self, event, count=1, **more):
        """The events of that kind, once there are so many."""
        return wait_for(lambda: len(self.seen(event, **more)) >= count and self.seen(event, **more),
                        f"{count} {event} {more} of the bench")

    def answers(self):
        return [e for e in self.seen("done") + self.seen("error")]

    def say(self, command):
        """One order (tests/lib/modem_command.h), obeyed when this returns."""
        before = len(self.answers())
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        wait_for(lambda: len(self.answers()) > before, f"the bench to obey {command}")
        if self.seen("error"):
            raise AssertionError(f"{command}: {self.seen('error')}")

    def device(self, number):
        return os.path.join(self.folder, number)

    def provider(self, settings="", lines="", name="modems", numbers=None, group="default"):
        """A provider on these modems; `settings` are the provider's, `lines` stands in the settings of each line."""
        parts = [f' line "{number}" {{ number = "{number}"\n groups = {{{group}}}\n settings {{ device = "{self.device(number)}"\n {lines} }} }}\n'
                 for number in numbers or self.numbers]
        return (f'provider "{name}" {{\n module = class1\n settings {{ lock_dir = "{self.folder}"\n {settings} }}\n'
                + "".join(parts) + "}\n")

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(PATIENCE_S)
        self.reader.join()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if status != 0:
            raise AssertionError(f"the bench ended with {status}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def line(server, number, provider="modems"):
    return server.get(f"/v1/lines/{provider}/{number}")


def wait_line(server, number, state, provider="modems"):
    """The line as soon as its device is in that state."""
    def look():
        found = line(server, number, provider)
        return found if found["device"] and found["device"]["state"] == state else None
    return wait_for(look, f"modem {number} to be {state}")


def wait_up(server, bench, provider="modems", numbers=None):
    for number in numbers or bench.numbers:
        wait_line(server, number, "up", provider)
    return server
