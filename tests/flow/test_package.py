#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian packages, on a clean Debian system of their own (build-root/debian, which bootstrap makes): built, installed, used
under the limits of the unit, upgraded, removed, purged. The facts are one story and stand in its order. Prints TAP.

The system is copied, the packages are installed in it without network, and faxd runs in it as systemd would have it
(tests/flow/unit.py): in name spaces of this test's own."""
import ctypes
import fcntl
import glob
import os
import platform
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import unit  # noqa: E402
from faxd import BUILD, DOCUMENTS, PAGES, PATIENCE_S, SOURCE, fact, facts, octets, pixels, report, same, wait_for, within  # noqa: E402

CLEAN = os.path.join(SOURCE, "build-root/debian")
APART = ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
UNIT = os.path.join(SOURCE, "tests/flow/unit.py")
SYSTEMD_EXAMPLES = "/usr/share/doc/faxd/examples/systemd"
ADMINISTRATOR_S_MARK = "# changed by the administrator\n"
# What any installation leaves, whatever is installed: logs and databases of dpkg and its friends; and the user, whose number
# nobody else is to get.
ANYBODY_S = re.compile(r"/var/lib/dpkg/|/var/log/(dpkg|alternatives)|/var/cache/(ldconfig|debconf|man)|/etc/ld.so.cache"
                       r"|/var/lib/systemd/deb-systemd-helper-enabled$|/var/lib/logrotate|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$"
                       r"|/etc/\.pwd\.lock$|/var/lib/systemd/deb-systemd-helper-enabled/multi-user.target.wants$")


def command(*words, **more):
    """What a program says, which has to succeed."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x49))  # SIOCSIFFLAGS: up, running


class System:
    """A copy of the clean system, and what is done in it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="faxd-package-")
        self.root = os.path.join(self.folder, "root")
        self.debs = os.path.join(self.folder, "debs")
        self.faxd, self.told = None, None
        self.before = set()

    # --- the copy ---

    def make(self):
        for name in ("root", "upper", "work"):
            os.mkdir(os.path.join(self.folder, name))
        layers = f"lowerdir={CLEAN},upperdir={self.folder}/upper,workdir={self.folder}/work,redirect_dir=on"
        done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.root], capture_output=True, check=False)
        if done.returncode != 0:  # copied for real: not every file system, and not everybody, can lay one over another
            command("sh", "-c", f"tar -C '{CLEAN}' --exclude='./dev/*' -cf - . | tar -C '{self.root}' -xpf -")
        command("mount", "-t", "proc", "proc", self.path("/proc"))
        unit.make_devices(self.root)
        with open(self.path("/usr/sbin/policy-rc.d"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(self.path("/usr/sbin/policy-rc.d"), 0o755)
        self.before = self.files()

    def path(self, path):
        return self.root + path

    def run(self, *words):
        return command("chroot", self.root, *words, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
                                                         "DEBIAN_FRONTEND": "noninteractive"})

    def files(self):
        done = command("find", self.root, "-xdev", "-mindepth", "1", "-printf", "/%P\\n")
        return {path for path in done.splitlines() if not ANYBODY_S.match(path) and not path.startswith(("/proc", "/tmp/", "/var/tmp/"))}

    def status(self, path):
        """Mode, user and group by name."""
        return self.run("stat", "-c", "%a %U %G", path).strip()

    # --- packages ---

    def build(self, debian=None):
        """The packages of the build folder, with the debian/ of a folder."""
        shutil.rmtree(self.debs, ignore_errors=True)
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
        command("make", "-s", "deb", f"DEBS={self.debs}", *([f"DEBIAN={debian}"] if debian else []), cwd=BUILD, env=environment)

    def names(self):
        return sorted(os.path.basename(path).split("_")[0] for path in glob.glob(f"{self.debs}/*.deb"))

    def install(self):
        os.makedirs(self.path("/debs"), exist_ok=True)
        names = []
        for path in sorted(glob.glob(f"{self.debs}/*.deb")):
            shutil.copy(path, self.path("/debs"))
            names.append("/debs/" + os.path.basename(path))
        said = self.run("dpkg", "--install", *names)
        shutil.rmtree(self.path("/debs"))
        return said

    def version(self):
        return self.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "faxd")

    # --- faxd ---

    def start(self):
        """As systemd does, up to the word that it is ready."""
        address = self.path("/run/notify")
        if os.path.exists(address):
            os.unlink(address)
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(address)
        os.chmod(address, 0o666)
        self.told.settimeout(PATIENCE_S)
        with open(os.path.join(self.folder, "journal"), "ab") as journal:
            self.faxd = subprocess.Popen([sys.executable, UNIT, self.root, self.path("/lib/systemd/system/faxd.service")], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=journal, env={**os.environ, "NOTIFY_SOCKET": "/run/notify"})
        within("READY=1", self.hear())

    def hear(self):
        """The next thing that the service manager is told, but for the watchdog's."""
        told = "WATCHDOG=1"
        try:
            while told == "WATCHDOG=1":
                told = self.told.recv(4096).decode()
            return told
        except TimeoutError:
            raise AssertionError("faxd says nothing to its manager:\n" + self.journal()[-4000:]) from None

    def journal(self):
        return octets(os.path.join(self.folder, "journal")).decode(errors="replace")

    def stop(self):
        self.faxd.terminate()
        told = self.hear()
        status = self.faxd.wait(PATIENCE_S)
        self.told.close()
        self.faxd = None
        same(status, 0)
        return told

    def programs(self):
        """pid: name of what runs of ours in the system."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                    status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            except OSError:
                continue  # gone meanwhile
            if status["Name"].startswith("faxd") and not status["State"].startswith("Z"):
                found[int(pid)] = status["Name"]
        return found

    def hosts(self):
        return sorted(pid for pid, name in self.programs().items() if name == "faxd-fsp")

    def signal_engines(self, number):
        for pid, name in self.programs().items():
            if name == "faxd-t30":
                os.kill(pid, number)

    def fax(self, *words):
        return self.run("fax", *words, "--state", "/var/lib/faxd")

    def send(self, path, *options, to="1002", wait=True):
        shutil.copy(path, self.path("/root/document"))
        return self.fax("send", "--to", to, *(["--wait"] if wait else []), *options, "/root/document")

    def received(self):
        """Ids of the faxes whose reception is over, the newest first."""
        lines = [line.split() for line in self.fax("list", "--direction", "inbound").splitlines()]
        return [words[0] for words in lines if words[1] == "received"]

    def pages_of(self, fax):
        self.fax("get", fax, "--tiff", "--output", "/root/received.tif")
        return pixels(octets(self.path("/root/received.tif")))

    def states(self):
        return sorted(line.split()[1] for line in self.fax("list").splitlines() if line.startswith("fax_"))

    def configure(self, old, new):
        path = self.path("/etc/faxd/faxd.conf")
        text = octets(path).decode()
        within(old, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))


system = System()


def probed(probes):
    """What each shell command, started as the unit's program, comes to: name: whether it succeeded."""
    lines = [f"if ( {probe} ) >/dev/null 2>&1; then echo {name} yes; else echo {name} no; fi" for name, probe in probes.items()]
    with open(system.path("/usr/local/bin/probe"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + "\n".join(lines) + "\n")
    os.chmod(system.path("/usr/local/bin/probe"), 0o755)
    text = octets(system.path("/lib/systemd/system/faxd.service")).decode()
    path = os.path.join(system.folder, "probe.service")
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub("(?m)^ExecStart=.*", "ExecStart=/usr/local/bin/probe", text))
    said = command(sys.executable, UNIT, system.root, path)
    os.unlink(system.path("/usr/local/bin/probe"))
    return dict(line.split() for line in said.splitlines())


# --- built ---

@fact
def a_package_is_built_from_what_the_build_folder_holds():
    system.build()
    for name in ("faxd", "faxd-client", "faxd-dev"):
        within(name, system.names())
    same(os.path.exists(f"{system.debs}/stage"), False)


@fact
def lintian_finds_no_errors():
    changes = glob.glob(f"{system.debs}/*.changes")
    same(len(changes), 1)
    command("lintian", "--fail-on", "error", "--allow-root", *changes)


# --- installed ---

@fact
def it_installs_on_a_clean_system_and_tells_where_the_setup_code_will_be():
    system.make()
    said = system.install()
    within("/var/lib/faxd/setup.code", said)
    within("http://127.0.0.1:8080/", said)
    same(system.version(), "0.1.0 installed")


@fact
def user_folders_and_modes_are_as_the_unit_wants_them():
    same(system.status("/var/lib/faxd"), "700 faxd faxd")
    same(system.status("/var/log/faxd"), "750 faxd faxd")
    same(system.status("/etc/faxd/faxd.conf"), "640 root faxd")
    same(system.run("getent", "passwd", "faxd").split(":")[5:], ["/var/lib/faxd", "/usr/sbin/nologin\n"])


@fact
def the_service_starts_with_the_machine():
    same(os.readlink(system.path("/etc/systemd/system/multi-user.target.wants/faxd.service")), "/lib/systemd/system/faxd.service")


@fact
def the_configuration_that_comes_with_it_is_fine():
    within("fine", system.run("faxd", "--config", "/etc/faxd/faxd.conf", "--check-config"))


@fact
def systemd_verifies_every_unit_and_finds_it_little_exposed():
    names = [os.path.basename(path) for path in glob.glob(system.path("/lib/systemd/system/fax*")) if not os.path.isdir(path)]
    within("faxd.service", names)
    for name in names:
        same(command("systemd-analyze", "verify", "--man=no", f"--root={system.root}", name), "")
        if name.endswith(".service"):
            command("systemd-analyze", "security", "--offline=yes", "--threshold=20", f"--root={system.root}", name)


@fact
def it_does_so_with_the_drop_ins_for_modems_and_keys():
    folder = system.path("/etc/systemd/system/faxd.service.d")
    os.mkdir(folder)
    for name in ("modem.conf", "credentials.conf"):
        lines = octets(system.path(f"{SYSTEMD_EXAMPLES}/{name}")).decode()
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            file.write(re.sub(r"(?m)^#([A-Z][A-Za-z]+=)", r"\1", lines))
    same(command("systemd-analyze", "verify", "--man=no", f"--root={system.root}", "faxd.service"), "")
    command("systemd-analyze", "security", "--offline=yes", "--threshold=25", f"--root={system.root}", "faxd.service")
    shutil.rmtree(folder)


# --- used ---

@fact
def the_limits_of_the_unit_hold():
    mmap = {"x86_64": 9, "aarch64": 222}[platform.machine()]
    writable = {"state": "touch /var/lib/faxd/x && rm /var/lib/faxd/x", "runtime": "touch /run/faxd/x && rm /run/faxd/x",
                "logs": "touch /var/log/faxd/x && rm /var/log/faxd/x", "tmp": "touch /tmp/x", "null": "echo >/dev/null",
                "memory": f"perl -e 'exit(syscall({mmap}, 0, 4096, 3, 34, -1, 0) == -1)'",
                "inet": "perl -e 'exit(!socket(S, 2, 1, 0))'", "configuration": "cat /etc/faxd/faxd.conf"}
    refused = {"etc": "touch /etc/x", "usr": "touch /usr/x", "var": "touch /var/lib/x", "run": "touch /run/x", "other_root": "ls /root",
               "kernel": "touch /proc/sys/kernel/hostname", "set_id": "touch /tmp/y && chmod u+s /tmp/y", "name_spaces": "unshare --user true",
               "realtime": "chrt --rr 1 true", "devices": "mknod /tmp/z c 1 3", "descriptor_limit": "ulimit -n 1000000",
               "executable_memory": f"perl -e 'exit(syscall({mmap}, 0, 4096, 7, 34, -1, 0) == -1)'",
               "raw_sockets": "perl -e 'exit(!socket(S, 17, 3, 0))'", "trace": "grep -q 'CapBnd:.*[1-9a-f]' /proc/self/status",
               "privileges": "grep -q 'NoNewPrivs:.*0' /proc/self/status", "others_read": "touch /tmp/o && stat -c %a /tmp/o | grep -v 600"}
    same(probed({**writable, **refused}), {**{name: "yes" for name in writable}, **{name: "no" for name in refused}})


@fact
def faxd_starts_under_them_and_makes_its_setup_code():
    system.start()
    same(system.status("/var/lib/faxd/setup.code"), "600 faxd faxd")
    within("ready listen=127.0.0.1:8080", system.journal())
    if "fxk_live_" in system.journal():
        raise AssertionError("the first key is in the journal")


@fact
def a_fax_is_sent_from_line_to_line_and_received_dot_for_dot():
    within("delivered", system.send(PAGES[0], "--set", "header.show=false"))
    fax = wait_for(system.received, "the received fax")[0]
    same(system.pages_of(fax), pixels(PAGES[0]))


@fact
def pdf_text_and_pictures_are_read_under_the_limits():
    for name in ("letter-cairo.pdf", "multi-script.txt", "grey16.png"):
        within("delivered", system.send(os.path.join(DOCUMENTS, name), to="1003"))


@fact
def calls_outlive_a_crash_of_faxd_and_the_next_one_adopts_them():
    system.stop()
    system.configure("carrier = exchange", "carrier = exchange\n        pace = 4")
    system.start()
    system.send(PAGES[0], wait=False)
    wait_for(lambda: "sending" in system.states(), "the call")
    hosts = system.hosts()
    system.faxd.kill()
    system.faxd.wait()
    system.start()
    same((len(hosts), system.hosts()), (1, hosts))
    wait_for(lambda: system.states() == ["delivered"] * 5 + ["received"] * 5, "the fax to arrive")


@fact
def the_log_is_rotated_and_goes_on_in_a_new_file():
    system.configure('# log_file = "/var/log/faxd/faxd.log"', 'log_file = "/var/log/faxd/faxd.log"\n    ' + ADMINISTRATOR_S_MARK)
    system.faxd.send_signal(signal.SIGHUP)
    same([system.hear(), system.hear()], ["RELOADING=1", "READY=1"])
    same(system.status("/var/log/faxd/faxd.log"), "600 faxd faxd")
    system.run("logrotate", "--force", "/etc/logrotate.d/faxd")
    same(system.status("/var/log/faxd/faxd.log"), "640 faxd faxd")
    old = octets(system.path("/var/log/faxd/faxd.log.1"))
    system.faxd.send_signal(signal.SIGHUP)  # as systemctl would, which finds no systemd here
    same([system.hear(), system.hear()], ["RELOADING=1", "READY=1"])
    same((octets(system.path("/var/log/faxd/faxd.log.1")), b"configuration read again" in octets(system.path("/var/log/faxd/faxd.log"))),
         (old, True))


# --- upgraded ---

@fact
def a_higher_version_is_built_by_its_changelog_alone():
    debian = os.path.join(system.folder, "debian")
    shutil.copytree(os.path.join(SOURCE, "debian"), debian)
    changelog = octets(f"{debian}/changelog").decode()
    with open(f"{debian}/changelog", "w", encoding="utf-8") as file:
        file.write(changelog.split("\n\n -- ")[0].replace("(0.1.0)", "(0.1.1)") + "\n\n -- " +
                   changelog.split("\n\n -- ")[1].split("\n")[0] + "\n\n" + changelog)
    system.build(debian)
    same([os.path.basename(path) for path in glob.glob(f"{system.debs}/faxd_*.deb")],
         [f"faxd_0.1.1_{platform.machine().replace('x86_64', 'amd64').replace('aarch64', 'arm64')}.deb"])


@fact
def an_upgrade_lets_the_call_under_way_end():
    system.send(PAGES[1], wait=False)
    wait_for(lambda: "sending" in system.states(), "the call")
    system.signal_engines(signal.SIGSTOP)  # however long the installation takes, the call does
    system.install()
    same(system.version(), "0.1.1 installed")
    same("sending" in system.states(), True)
    system.signal_engines(signal.SIGCONT)
    within("STOPPING=1", system.stop())  # what systemd does after an upgrade: stop, which drains, and start
    wait_for(lambda: not system.programs(), "the old version's hosts to end")
    system.start()
    same(system.states(), ["delivered"] * 6 + ["received"] * 6)


@fact
def it_keeps_configuration_key_and_setup_code():
    within(ADMINISTRATOR_S_MARK, octets(system.path("/etc/faxd/faxd.conf")).decode())
    same(system.status("/etc/faxd/faxd.conf"), "640 root faxd")
    same(system.status("/var/lib/faxd"), "700 faxd faxd")
    within("delivered", system.send(PAGES[2]))
    system.stop()


# --- removed ---

@fact
def removing_it_keeps_the_faxes():
    within("faxes and their database stay in /var/lib/faxd", system.run("dpkg", "--remove", *system.names()))
    same([os.path.exists(system.path(path)) for path in ("/usr/sbin/faxd", "/usr/libexec/faxd", "/lib/systemd/system/faxd.service",
                                                         "/var/lib/faxd/faxd.db", "/etc/faxd/faxd.conf")],
         [False, False, False, True, True])


@fact
def installed_again_it_has_them():
    system.install()
    system.start()
    same(system.states(), ["delivered"] * 7 + ["received"] * 7)
    system.stop()


@fact
def purging_it_says_what_goes_and_leaves_nothing_of_ours():
    for name in ("document", "received.tif"):
        os.unlink(system.path(f"/root/{name}"))
    os.unlink(system.path("/run/notify"))
    within("removing all faxes", system.run("dpkg", "--purge", *system.names()))
    same(sorted(system.files() - system.before), [])


@fact
def the_system_is_what_it_was_before():
    same(sorted(system.before - system.files()), [])
    same(system.programs(), {})
    same(system.run("dpkg", "--audit"), "")


def story():
    """The facts in their order, up to the first that does not hold."""
    print(f"1..{len(facts)}", flush=True)
    held = True
    for number, function in enumerate(facts, 1):
        if held:
            held = report(function, number)
        else:
            print(f"not ok {number} - {function.__name__.replace('_', ' ')}\n# not tried, after what did not hold before", flush=True)
    return 0 if held else 1


def become_owner():
    """In a user name space in which we are root of all users of this one: root of a container may mount only there."""
    asked, answered = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:  # an unprivileged process writes no map for itself, so that another does
        os.read(asked[0], 1)
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{os.getppid()}/{name}", "w", encoding="utf-8") as file:
                file.write("0 0 65536\n")
        os.write(answered[1], b"x")
        os._exit(0)
    if ctypes.CDLL(None).unshare(0x10000000) != 0:  # CLONE_NEWUSER
        raise SystemExit("test_package.py: neither mounts nor user name spaces are possible here")
    os.close(answered[1])  # so that a child that fails ends the reading
    os.write(asked[1], b"x")
    written = os.read(answered[0], 1)
    os.waitpid(child, 0)
    if not written:
        raise SystemExit("test_package.py: a user name space gets no users here: run it as root")


def apart():
    """In name spaces of our own: mounts go with them, whatever happens, and so do processes; there is no network."""
    if subprocess.run([*APART, "true"], capture_output=True, check=False).returncode != 0:
        become_owner()
    os.execvp(APART[0], [*APART, sys.executable, os.path.abspath(__file__), "--apart", *sys.argv[1:]])


if __name__ == "__main__":
    if "--apart" not in sys.argv:
        apart()
    sys.argv.remove("--apart")
    loopback_up()
    try:
        sys.exit(story())
    finally:
        if system.faxd:
            system.faxd.kill()
        subprocess.run(["umount", "-R", system.root], capture_output=True, check=False)
        shutil.rmtree(system.folder, ignore_errors=True)
