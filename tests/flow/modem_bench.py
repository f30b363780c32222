# SPDX-License-Identifier: GPL-2.0-or-later
"""The program modem_bench as a process: its folder, orders in, events out. Test files use what modems.py and
modem_lines.py make of it; it is no test itself."""
import json
import os
import shutil
import subprocess
import tempfile
import threading

from faxd import BUILD, PATIENCE_S


class ModemBench:
    """Modems with numbers, joined by an exchange; devices in a folder of their own."""

    def __init__(self, *arguments):
        self.folder = tempfile.mkdtemp(prefix="faxd-bench-")
        self.errors = os.path.join(self.folder, "log")
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [os.path.join(BUILD, "tests/lib/modem_bench"), "--folder", self.folder, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.take(json.loads(line))
        self.take(None)

    def take(self, event):
        """An event, or None when there will be no more: on a thread of its own."""
        raise NotImplementedError

    def order(self, line):
        """tests/lib/modem_command.h"""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def device(self, number):
        return os.path.join(self.folder, number)

    def log(self):
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """At the end of its input it leaves, and nothing of it stays."""
        self.process.stdin.close()
        status = self.process.wait(PATIENCE_S)
        self.reader.join()
        self.process.stdout.close()
        left = [name for name in os.listdir(self.folder) if os.path.islink(os.path.join(self.folder, name))]
        log = self.log()
        shutil.rmtree(self.folder)
        assert (status, left) == (0, []), f"modem_bench ended with {status}, left {left}: {log}"

    def kill_all(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
