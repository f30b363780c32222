# SPDX-License-Identifier: GPL-2.0-or-later
"""A cupsd of Debian in a folder of its own, on a loopback port, with the backend of the build. Test files import it."""
import os
import shutil
import socket
import subprocess
import tempfile
import threading

from faxd import BUILD, PATIENCE_S, SOURCE, same, wait_for

BIN = "/usr/lib/cups"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Printer:
    """What a network printer is to CUPS: a port that takes what comes. `jobs` are octets, one for each copy."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"socket://127.0.0.1:{self.socket.getsockname()[1]}"
        self.jobs = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            with one:
                one.settimeout(30)
                got = b""
                while part := one.recv(65536):
                    got += part
                self.jobs.append(got)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)


class Cups:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="faxd-cups-")
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None
        os.chmod(self.folder, 0o755)
        for name in ("root", "root/ppd", "cache", "run", "run/certs", "spool", "tmp", "bin", "bin/backend"):
            os.mkdir(self.at(name), 0o755)
        os.chmod(self.at("tmp"), 0o1777)
        for name in ("filter", "daemon", "monitor", "notifier", "cgi-bin"):
            os.symlink(os.path.join(BIN, name), self.at("bin", name))
        os.symlink(os.path.join(BIN, "backend/socket"), self.at("bin/backend/socket"))
        self.backend = self.at("bin/backend/faxd")
        shutil.copy(os.path.join(BUILD, "contrib/cups/faxd"), self.backend)
        os.chmod(self.backend, 0o755)
        with open(self.at("root/cups-files.conf"), "w", encoding="utf-8") as file:
            file.write(f"""ServerRoot {self.at("root")}
ServerBin {self.at("bin")}
DataDir /usr/share/cups
CacheDir {self.at("cache")}
StateDir {self.at("run")}
RequestRoot {self.at("spool")}
TempDir {self.at("tmp")}
DocumentRoot /usr/share/cups/doc-root
AccessLog {self.at("access_log")}
ErrorLog {self.at("error_log")}
PageLog {self.at("page_log")}
User lp
Group lp
SystemGroup root lpadmin
""")
        with open(self.at("root/cupsd.conf"), "w", encoding="utf-8") as file:
            file.write(f"""Listen 127.0.0.1:{self.port}
LogLevel debug
MaxLogSize 0
Browsing Off
WebInterface No
DefaultAuthType None
PreserveJobHistory Yes
<Location />
  Order allow,deny
  Allow 127.0.0.1
</Location>
<Policy default>
  JobPrivateAccess all
  JobPrivateValues none
  <Limit All>
    Order allow,deny
    Allow 127.0.0.1
  </Limit>
</Policy>
""")

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def start(self):
        with open(self.at("out"), "ab") as out:
            self.process = subprocess.Popen(["/usr/sbin/cupsd", "-f", "-c", self.at("root/cupsd.conf"), "-s",
                                             self.at("root/cups-files.conf")], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_for(self.answers, "cupsd to answer")
        return self

    def answers(self):
        assert self.process.poll() is None, self.log()[-3000:]
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def command(self, name, *arguments, **more):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CUPS_")}
        return subprocess.run([name, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                              env={**environment, "CUPS_SERVER": f"127.0.0.1:{self.port}", "HOME": self.folder, "LC_ALL": "C"},
                              **more)

    def queue(self, name, uri, *model):
        done = self.command("lpadmin", "-p", name, "-E", "-v", uri, *(model or ("-P", os.path.join(SOURCE, "contrib/cups/faxd.ppd"))))
        same((done.returncode, done.stdout), (0, ""))

    def printer(self, name):
        """A queue that hands what it is given, as it is, to a printer on the network."""
        printer = Printer()
        self.queue(name, printer.uri, "-m", "raw")
        return printer

    def print(self, queue, path, *options, title=None, user=None, more=()):
        """The number of the job; `more` are files besides."""
        words = [word for option in options for word in ("-o", option)]
        done = self.command("lp", *(["-U", user] if user else []), "-d", queue, *(["-t", title] if title else []), *words, path, *more)
        same((done.returncode, done.stderr), (0, ""))
        return int(done.stdout.split()[3].rpartition("-")[2])

    def job(self, number):
        """State of a job as a word, and what CUPS says of it."""
        test = ('{ OPERATION Get-Job-Attributes GROUP operation-attributes-tag ATTR charset attributes-charset utf-8 '
                'ATTR language attributes-natural-language en '
                f'ATTR uri job-uri ipp://127.0.0.1:{self.port}/jobs/{number} }}')
        path = self.at("tmp", "ask.test")
        with open(path, "w", encoding="utf-8") as file:
            file.write(test)
        out = self.command("ipptool", "-tv", f"ipp://127.0.0.1:{self.port}/", path).stdout
        found = {}
        for line in out.splitlines():
            name, equals, value = line.strip().partition(" = ")
            if equals:
                found[name.split(" ")[0]] = value
        return found.get("job-state"), found.get("job-printer-state-message", "")

    def ended(self, number, state="completed"):
        """What CUPS says of a job once it has ended, which has to be as `state`."""
        def look():
            now, said = self.job(number)
            if now in ("completed", "canceled", "aborted", "stopped"):
                same((now, said), (state, said))
                return said or " "
            return None
        return wait_for(look, f"job {number} to be {state}")

    def log(self):
        text = ""
        for name in ("out", "error_log"):
            if os.path.exists(self.at(name)):
                with open(self.at(name), encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        self.stop()
        log = self.log()
        if kind:
            print("# cups: " + log[-8000:].replace("\n", "\n# cups: "))
        shutil.rmtree(self.folder)
        assert "Sanitizer" not in log and "runtime error:" not in log, log[-4000:]
