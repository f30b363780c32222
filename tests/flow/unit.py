#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The limits of a unit of systemd without systemd: `unit.py ROOT UNIT [DROP-IN...]` becomes the program of ExecStart=, in
the file system ROOT ("/" is this one), with the user, folders, limits, capabilities and system calls that the unit gives
it. A directive that is not known here ends it with a message, so that no limit is forgotten.

Runs as root, in a mount name space of its own where the machine allows that; without one the user's rights alone keep the
program from writing elsewhere."""
import ctypes
import ctypes.util
import errno
import os
import pwd
import re
import resource
import shlex
import stat
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
CLONE_NEWNS = 0x20000
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, CAP_LAST = 24, 38, 63
ALLOW = 0x7FFF0000

# Nothing that a program without capabilities could do anyway, or about things outside of the process.
WITHOUT_EFFECT = {
    "Description", "Documentation", "After", "Wants", "Requires", "StartLimitIntervalSec", "NotifyAccess", "ExecReload", "Restart",
    "RestartSec", "RestartPreventExitStatus", "TimeoutStartSec", "TimeoutStopSec", "KillMode", "RuntimeDirectoryPreserve",
    "OOMPolicy", "AmbientCapabilities", "ProtectClock", "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules",
    "ProtectKernelTunables", "SystemCallArchitectures", "WantedBy", "DevicePolicy", "DeviceAllow", "RemoveIPC", "Also",
    "ConditionPathExists", "ListenStream", "SocketUser", "SocketGroup", "SocketMode", "StandardInput", "PartOf", "StandardError",
    "KeyringMode", "StandardOutput", "Sockets", "MaxConnections", "RestartPreventExitStatus", "CollectMode", "SyslogIdentifier"}


def settings(paths):
    """Directive: list of values, of the unit and its drop-ins in order. An empty value empties the list."""
    found = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file.read().replace("\\\n", " ").splitlines():
                if re.match(r"[A-Za-z]+=", line):
                    name, value = line.split("=", 1)
                    if value:
                        found.setdefault(name, []).append(value)
                    else:
                        found[name] = []
    return found


def check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def seconds(text):
    units = {"": 1, "s": 1, "min": 60, "h": 3600}
    number, unit = re.fullmatch(r"(\d+)\s*([a-z]*)", text).groups()
    return int(number) * units[unit]


# ---- what is where ----

def mount(source, target, kind, flags, data=""):
    check(libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, data.encode() if data else None),
          f"mount {target}")


def can_mount():
    """In a name space of mounts of our own from here on, if the machine lets us."""
    if libc.unshare(CLONE_NEWNS) != 0:
        return False
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    return True


def mounts_below(root):
    prefix = "" if root == "/" else root
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        paths = [line.split()[4].encode().decode("unicode_escape") for line in file]
    return [path for path in paths if path == root or path.startswith(prefix + "/")]


def make_devices(root):
    """/dev as PrivateDevices=yes has it."""
    kept = {name: os.open(f"/dev/{name}", os.O_PATH) for name in ("null", "zero", "full", "random", "urandom", "tty")}
    mount("tmpfs", f"{root}/dev", "tmpfs", MS_NOSUID, "mode=755")
    for name, fd in kept.items():
        with open(f"{root}/dev/{name}", "wb"):
            pass
        mount(f"/proc/self/fd/{fd}", f"{root}/dev/{name}", "", MS_BIND)
        os.close(fd)
    os.mkdir(f"{root}/dev/shm")
    mount("tmpfs", f"{root}/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")


def seclude(unit, root, writable):
    top = "" if root == "/" else root
    if unit.get("ProtectSystem") == ["strict"]:
        for path in writable:
            mount(path, path, "", MS_BIND | MS_REC)
        kept = [path for path in mounts_below(root) if not any(path == w or path.startswith(w + "/") for w in writable)]
        for path in kept:
            if not path.startswith((f"{top}/proc", f"{top}/dev", f"{top}/sys")):
                flags = os.statvfs(path).f_flag & (MS_NOSUID | MS_NODEV)
                mount("none", path, "", MS_REMOUNT | MS_BIND | MS_RDONLY | flags)
    if unit.get("ProtectHome") == ["yes"]:
        for name in ("home", "root"):
            mount("tmpfs", f"{top}/{name}", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=0")
    if unit.get("PrivateTmp") == ["yes"]:
        for name in ("tmp", "var/tmp"):
            mount("tmpfs", f"{top}/{name}", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    if unit.get("PrivateDevices") == ["yes"]:
        make_devices(top)
    if unit.get("ProtectProc") == ["invisible"] or unit.get("ProcSubset"):
        data = "hidepid=invisible" + (",subset=pid" if unit.get("ProcSubset") == ["pid"] else "")
        mount("proc", f"{top}/proc", "proc", MS_NOSUID | MS_NODEV, data)


def folders(unit, root, user):
    """Make the unit's own folders; their environment, and where it may write."""
    environment, writable = {}, []
    for kind, below in (("State", "/var/lib"), ("Runtime", "/run"), ("Logs", "/var/log"), ("Cache", "/var/cache")):
        for name in unit.get(f"{kind}Directory", []):
            path = f"{root.rstrip('/')}{below}/{name}"
            os.makedirs(path, exist_ok=True)
            os.chown(path, user.pw_uid, user.pw_gid)
            os.chmod(path, int(unit.get(f"{kind}DirectoryMode", ["755"])[-1], 8))
            environment[f"{kind.upper()}_DIRECTORY"] = f"{below}/{name}"
            writable.append(path)
    for line in unit.get("ReadWritePaths", []):
        for path in line.split():
            path = root.rstrip("/") + path.lstrip("-")
            if os.path.isdir(path):
                writable.append(path)
    return environment, writable


# ---- system calls ----

class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


NE, EQ, GT, MASKED = 1, 4, 6, 7


class Filter:
    """One filter; several of them hold together."""
    seccomp = ctypes.CDLL(ctypes.util.find_library("seccomp"), use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    seccomp.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
    seccomp.seccomp_load.argtypes = [ctypes.c_void_p]

    def __init__(self, otherwise=ALLOW):
        self.context = self.seccomp.seccomp_init(ctypes.c_uint32(otherwise))

    def add(self, action, name, *compares):
        number = self.seccomp.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            raise ValueError(f"no such system call: {name}")
        table = (Compare * len(compares))(*(Compare(*compare) for compare in compares))
        result = self.seccomp.seccomp_rule_add_array(self.context, action, number, len(compares), table)
        if result != 0 and number >= 0:
            raise OSError(-result, f"a rule for {name}")

    def refuse(self, name, *compares, error=errno.EPERM):
        self.add(0x00050000 | error, name, *compares)

    def load(self):
        result = self.seccomp.seccomp_load(self.context)
        if result != 0:
            raise OSError(-result, "a filter of system calls")


def call_set(name):
    """The calls of a set such as @system-service, as systemd knows it."""
    done = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    calls = set()
    for word in (line.strip() for line in done.stdout.splitlines()[1:]):
        if word.startswith("@"):
            calls |= call_set(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def allowed_calls(lines):
    allowed = call_set("@default") | {"execve"}
    for line in lines:
        words = set().union(*(call_set(word) if word.startswith("@") else {word} for word in line.lstrip("~").split()))
        allowed = allowed - words if line.startswith("~") else allowed | words
    return allowed


def is_set(unit, name):
    return unit.get(name, ["no"])[-1:] == ["yes"]


def refuse_memory(filter_):
    filter_.refuse("mmap", (2, MASKED, 6, 6))  # to be written and executed
    filter_.refuse("mprotect", (2, MASKED, 4, 4))
    filter_.refuse("pkey_mprotect", (2, MASKED, 4, 4))
    filter_.refuse("shmat", (2, MASKED, 0o100000, 0o100000))


def refuse_name_spaces(filter_):
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        filter_.refuse("unshare", (0, MASKED, bit, bit))
        filter_.refuse("clone", (0, MASKED, bit, bit))
    filter_.refuse("setns")
    filter_.refuse("clone3", error=errno.ENOSYS)


def refuse_set_id(filter_):
    for name, argument in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2), ("mknod", 1), ("mknodat", 2),
                           ("creat", 1)):
        for bit in (stat.S_ISUID, stat.S_ISGID):
            filter_.refuse(name, (argument, MASKED, bit, bit))


def refuse_families(filter_, names):
    known = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
    wanted = {known[name] for name in names}
    for family in range(48):
        if family not in wanted:
            filter_.refuse("socket", (0, EQ, family, 0), error=errno.EAFNOSUPPORT)
    filter_.refuse("socket", (0, GT, 47, 0), error=errno.EAFNOSUPPORT)


def refuse_realtime(filter_):
    for policy in (1, 2, 6):
        filter_.refuse("sched_setscheduler", (1, EQ, policy, 0))


def restrict_calls(unit, allowed):
    filters = [Filter()]
    for name, add in (("MemoryDenyWriteExecute", refuse_memory), ("RestrictNamespaces", refuse_name_spaces),
                      ("RestrictSUIDSGID", refuse_set_id), ("RestrictRealtime", refuse_realtime)):
        if is_set(unit, name):
            add(filters[0])
    if is_set(unit, "LockPersonality"):
        filters[0].refuse("personality", (0, NE, 0, 0))
    if is_set(unit, "ProtectHostname"):
        filters[0].refuse("sethostname")
    if "RestrictAddressFamilies" in unit:
        refuse_families(filters[0], " ".join(unit["RestrictAddressFamilies"]).split())
    if "SystemCallFilter" in unit:
        filters.append(Filter(0x00050000 | getattr(errno, unit.get("SystemCallErrorNumber", ["EPERM"])[-1])))
        for name in sorted(allowed):
            if Filter.seccomp.seccomp_syscall_resolve_name(name.encode()) >= 0:
                filters[1].add(ALLOW, name)
    for filter_ in filters:
        filter_.load()


# ---- the process ----

RLIMITS = {"LimitNOFILE": resource.RLIMIT_NOFILE, "LimitCORE": resource.RLIMIT_CORE, "LimitRTPRIO": 14}  # the last has no name here


def limit(unit):
    for name, number in RLIMITS.items():
        if name in unit:
            wanted, most = int(unit[name][-1]), resource.getrlimit(number)[1]
            if most != resource.RLIM_INFINITY:
                wanted = min(wanted, most)  # root of a container may not be allowed to raise one
            resource.setrlimit(number, (wanted, wanted))
    os.umask(int(unit.get("UMask", ["0022"])[-1], 8))


def drop_capabilities(unit):
    if unit.get("CapabilityBoundingSet") != []:
        raise SystemExit("unit.py: only an empty CapabilityBoundingSet= is known")
    for capability in range(CAP_LAST + 1):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the last one that this kernel has


def become(unit, user, groups):
    os.setgroups(groups)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    if is_set(unit, "NoNewPrivileges"):
        check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def user_in(root, name):
    """Of the user database in the root."""
    with open(f"{root.rstrip('/')}/etc/passwd", encoding="utf-8") as file:
        for line in file:
            fields = line.rstrip("\n").split(":")
            if fields[0] == name:
                return pwd.struct_passwd((name, "x", int(fields[2]), int(fields[3]), fields[4], fields[5], fields[6]))
    raise SystemExit(f"unit.py: no user {name} in {root}")


def group_in(root, name):
    with open(f"{root.rstrip('/')}/etc/group", encoding="utf-8") as file:
        return next(int(line.split(":")[2]) for line in file if line.startswith(name + ":"))


HANDLED = {"Type", "ExecStart", "User", "Group", "UMask", "StateDirectory", "StateDirectoryMode", "RuntimeDirectory", "RuntimeDirectoryMode",
           "LogsDirectory", "LogsDirectoryMode", "CacheDirectory", "CacheDirectoryMode", "NoNewPrivileges", "CapabilityBoundingSet",
           "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectProc", "ProcSubset", "ProtectHostname",
           "LockPersonality", "MemoryDenyWriteExecute", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
           "RestrictAddressFamilies", "SystemCallFilter", "SystemCallErrorNumber", "ReadWritePaths", "SupplementaryGroups", "WatchdogSec"}


def main(root, *paths):
    unit = settings(paths)
    unknown = [name for name in unit if name not in HANDLED | WITHOUT_EFFECT | set(RLIMITS)]
    if unknown:
        raise SystemExit(f"unit.py: not known: {', '.join(unknown)}")
    user = user_in(root, unit["User"][-1])
    groups = [user.pw_gid] + [group_in(root, name) for line in unit.get("SupplementaryGroups", []) for name in line.split()]
    environment, writable = folders(unit, root, user)
    environment.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", LANG="C.UTF-8", USER=user.pw_name,
                       HOME=user.pw_dir, **{n: os.environ[n] for n in ("NOTIFY_SOCKET", "FAXD_TEST") if n in os.environ})
    if "WatchdogSec" in unit:
        environment.update(WATCHDOG_USEC=str(seconds(unit["WatchdogSec"][-1]) * 1000000), WATCHDOG_PID=str(os.getpid()))
    calls = allowed_calls(unit["SystemCallFilter"]) if "SystemCallFilter" in unit else set()
    words = shlex.split(unit["ExecStart"][-1])
    if can_mount():
        seclude(unit, root, writable)
    if root != "/":
        os.chroot(root)
    os.chdir("/")
    limit(unit)
    drop_capabilities(unit)
    become(unit, user, groups)
    restrict_calls(unit, calls)
    os.execve(words[0], words, environment)


if __name__ == "__main__":
    main(*sys.argv[1:])
