# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of faxd on modems of the bench: the program modem_bench, kept for as long as a test wants it, and providers on its
devices. Test files import it; it is no test itself."""
import threading

from faxd import wait_for
from modem_bench import ModemBench


class Bench(ModemBench):
    """`config` is made of its provider(): a section of faxd.conf on its modems."""

    def __init__(self, *numbers, **behaviours):
        """`behaviours`: n5550="busy", and options of the program: delay_ms, noise."""
        self.numbers = numbers
        self.events, self.lock = [], threading.Lock()
        options = []
        for name, value in behaviours.items():
            if name[0] == "n" and name[1:].isdigit():
                options += ["--number", f"{name[1:]}={value}"]
            else:
                options += ["--" + name.replace("_", "-"), str(value)]
        super().__init__(*options, *numbers)
        self.wait("ready")

    def take(self, event):
        if event:
            with self.lock:
                self.events.append(event)

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
        """One order, obeyed when this returns."""
        before = len(self.answers())
        self.order(command)
        wait_for(lambda: len(self.answers()) > before, f"the bench to obey {command}")
        if self.seen("error"):
            raise AssertionError(f"{command}: {self.seen('error')}")

    def provider(self, settings="", lines="", name="modems", numbers=None, group="default"):
        """A provider on these modems; `settings` are the provider's, `lines` stands in the settings of each line."""
        parts = [f' line "{number}" {{ number = "{number}"\n groups = {{{group}}}\n settings {{ device = "{self.device(number)}"\n {lines} }} }}\n'
                 for number in numbers or self.numbers]
        return (f'provider "{name}" {{\n module = class1\n settings {{ lock_dir = "{self.folder}"\n {settings} }}\n'
                + "".join(parts) + "}\n")

    def close(self):
        self.stop()

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
