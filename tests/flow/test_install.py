#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts about installation, printed as TAP: a package can be built from what `make install` leaves in DESTDIR, nothing is
left after `make uninstall`, and the distribution holds the whole tree."""
import os
import shutil
import stat
import subprocess
import sys
import tempfile

TOP = os.environ["FAXD_SRC"]
BUILD = os.environ["FAXD_BUILD"]
PREFIX = "/opt/faxd-test"

PROGRAMS = ["sbin/faxd", "bin/fax", "libexec/faxd/faxd-fsp", "libexec/faxd/faxd-t30", "libexec/faxd/faxd-convert",
            "sbin/faxd-hotfolder", "lib/cups/backend/faxd"] + ["libexec/faxd/hylafax/" + name for name in
                                                              ("sendfax", "faxstat", "faxrm", "faxalter")]
PLUGINS = ["lib/faxd/softmodem.so", "lib/faxd/t38.so", "lib/faxd/class1.so", "lib/faxd/simulator.so"]
PAGES = ["share/man/man1/fax.1", "share/man/man8/faxd.8", "share/man/man5/faxd.conf.5", "share/man/man7/faxd-sip.7",
         "share/man/man7/faxd-class1.7", "share/man/man8/faxd-fsp.8", "share/man/man8/faxd-t30.8",
         "share/man/man8/faxd-convert.8", "share/man/man8/faxd-hotfolder.8", "share/man/man5/faxd-hotfolder.conf.5",
         "share/man/man7/faxd-cups.7", "share/man/man1/faxd-hylafax.1"]
SERVICE = ["lib/systemd/system/faxd.service", "lib/sysusers.d/faxd.conf", "lib/tmpfiles.d/faxd.conf"]
COMPLETION = ["share/bash-completion/completions/fax", "share/zsh/site-functions/_fax"]
EXAMPLES = os.path.join(TOP, "contrib", "examples")


def make(*arguments):
    """Run make in the build folder as if nobody had called us from another make."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
    done = subprocess.run(["make", "-s", *arguments], cwd=BUILD, env=environment, stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"make {' '.join(arguments)}: {done.stderr[-2000:]}"]


def files_in(folder):
    return sorted(os.path.relpath(os.path.join(path, name), folder) for path, _, names in os.walk(folder) for name in names)


def relocated(target):
    """Paths as if the prefix were the one that we ask for."""
    return [f"prefix={PREFIX}", f"sysconfdir={PREFIX}/etc", f"localstatedir={PREFIX}/var", f"DESTDIR={target}"]


def missing(target, names):
    return [name for name in names if not os.path.exists(f"{target}{PREFIX}/{name}")]


def examples_missing(target):
    return [name for name in files_in(EXAMPLES) if not os.path.exists(f"{target}{PREFIX}/share/doc/faxd/examples/{name}")]


def not_executable(target):
    return [name for name in PROGRAMS if not os.access(f"{target}{PREFIX}/{name}", os.X_OK)]


def writable_by_others(target):
    return [name for name in files_in(target) if not os.path.islink(f"{target}/{name}")
            and os.stat(f"{target}/{name}").st_mode & (stat.S_IWOTH | stat.S_IWGRP | stat.S_ISUID | stat.S_ISGID)]


def outside_prefix(target):
    return [name for name in files_in(target) if not name.startswith(PREFIX.lstrip("/") + "/")]


def not_loadable(target):
    """Plug-ins find what they need from where they are."""
    faults = []
    for name in PLUGINS:
        done = subprocess.run(["ldd", f"{target}{PREFIX}/{name}"], capture_output=True, text=True, check=False)
        faults += [f"{name}: {line.strip()}" for line in done.stdout.splitlines() if "not found" in line]
        faults += [] if done.returncode == 0 else [f"{name}: {done.stderr}"]
    return faults


def not_distributed(target):
    """Files under version control that are not in the distribution. Without git there is nothing to compare with."""
    tracked = subprocess.run(["git", "-C", TOP, "ls-files"], capture_output=True, text=True, check=False)
    if tracked.returncode != 0:
        return []
    distributed = set(files_in(target))
    return [name for name in tracked.stdout.split("\n") if name and name not in distributed
            and os.path.basename(name) not in (".gitignore", ".gitattributes")]


def facts(target):
    yield "make install succeeds", make("install", *relocated(target))
    yield "the programs are there", missing(target, PROGRAMS)
    yield "the plug-ins are there", missing(target, PLUGINS)
    yield "the manual pages are there", missing(target, PAGES)
    yield "the service is there", missing(target, SERVICE)
    yield "the shells find how to complete fax", missing(target, COMPLETION)
    yield "the examples are there", examples_missing(target)
    yield "the programs can be run", not_executable(target)
    yield "the plug-ins find their libraries", not_loadable(target)
    yield "nobody else may write to what is installed", writable_by_others(target)
    yield "nothing is installed outside the prefix", outside_prefix(target)
    yield "make uninstall succeeds", make("uninstall", *relocated(target))
    yield "nothing is left after it", files_in(target)
    yield "a distribution can be made", make("distdir", f"distdir={target}/dist")
    yield "it holds every file under version control", not_distributed(f"{target}/dist")


def main():
    target = tempfile.mkdtemp(prefix="faxd-test-install-")
    number, failed = 0, False
    try:
        for number, (fact, faults) in enumerate(facts(target), 1):
            failed = failed or bool(faults)
            print(f"{'not ok' if faults else 'ok'} {number} - {fact}")
            for line in "\n".join(faults).splitlines():
                print("# " + line)
    finally:
        shutil.rmtree(target, ignore_errors=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
