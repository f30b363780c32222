# SPDX-License-Identifier: GPL-2.0-or-later
"""faxd-hotfolder with a folder of its own. Test files import it."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

from faxd import BUILD, PAGES, PATIENCE_S, octets, same, wait_for

PROGRAM = os.path.join(BUILD, "faxd-hotfolder")


class Hotfolder:
    """One folder of its own, and the program that watches it."""

    def __init__(self, server, more="", settings="", port=None):
        self.server = server
        self.root = tempfile.mkdtemp(prefix="faxd-hot-")
        self.path = os.path.join(self.root, "out")
        self.config = os.path.join(self.root, "faxd-hotfolder.conf")
        self.key = os.path.join(self.root, "key")
        self.log_path = os.path.join(self.root, "log")
        self.process = None
        os.mkdir(self.path)
        with open(self.key, "w", encoding="utf-8") as file:
            file.write((server.key_with("fax:send", "fax:read") if server else "fxk_live_none") + "\n")
        os.chmod(self.key, 0o600)
        self.configure(more, settings, port or (server.port if server else 1))

    def configure(self, more="", settings="", port=None):
        if "set =" not in more:
            more += '\nset = { "retry.max_attempts=30" }'  # the four lines call each other
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'server = "http://127.0.0.1:{port or self.server.port}"\nkey_file = "{self.key}"\nsettle = 0\nfollow = 1\n'
                       f'{settings}\nfolder "{self.path}" {{\n{more}\n}}\n')

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        same(self.process.stdout.readline(), "ready\n")
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        same(self.process.wait(PATIENCE_S), 0)
        self.process.stdout.close()
        check_no_sanitizer_spoke(self.log())

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind:
                self.kill()
                print("# hotfolder: " + self.log().replace("\n", "\n# hotfolder: "))
            else:
                self.stop()
        shutil.rmtree(self.root)

    def at(self, *names):
        return os.path.join(self.path, *names)

    def drop(self, name, source=PAGES[0]):
        """As a careful program does: written under another name, then moved."""
        hidden = self.at("." + name)
        if isinstance(source, (dict, list)):
            source = json.dumps(source).encode()
        if isinstance(source, bytes):
            with open(hidden, "wb") as file:
                file.write(source)
        else:
            shutil.copy(source, hidden)
        os.rename(hidden, self.at(name))

    def result(self, name, folder="done"):
        """What was written back of a file; waited for."""
        def look():
            other = "failed" if folder == "done" else "done"
            if os.path.exists(self.at(other, name + ".result.json")):
                raise AssertionError(f"{name} is in {other}: " + octets(self.at(other, name + ".result.json")).decode())
            return os.path.exists(self.at(folder, name + ".result.json")) and not os.listdir(self.at("work"))
        wait_for(look, f"{name} in {folder}")
        return json.loads(octets(self.at(folder, name + ".result.json")))

    def waits_for(self, words):
        wait_for(lambda: words in self.log(), f'the log to say "{words}"')

    def left(self):
        """What lies in the folder itself."""
        return sorted(set(os.listdir(self.path)) - {"work", "done", "failed"})


def check_no_sanitizer_spoke(log):
    for line in log.splitlines():
        assert "Sanitizer" not in line and "runtime error:" not in line, log[-4000:]
