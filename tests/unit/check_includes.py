#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prove over the #include lines who knows whom, and print the result as TAP.

    daemon -> web -> spool -> db -> server/base

No folder is reached from something that it includes, no header leads back to itself, and each header compiles alone.
"""
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile

TOP = os.environ.get("FAXD_SRC") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("FAXD_BUILD") or os.path.join(TOP, "build")

BASE = "server/base"
# Who may include whom besides itself; the longest matching folder counts.
ALLOWED = {
    "server/base": set(),
    "server/link": {BASE},
    "server/fsphost": {"server/link", BASE, "plugins/include"},
    "server": {"spool", BASE, "server/link"},
    "server/daemon.c": {"server", "web", "spool", BASE, "server/link"},
    "web": {"spool", BASE},
    "web/cli": {BASE},
    "spool": {"db", BASE},
    "spool/convert": {BASE},
    "db": {BASE},
    "plugins/include": set(),
    "plugins/common": {"plugins/include", BASE},
    "plugins/sip": {"plugins/common", BASE},
    "plugins/t30": {"plugins/common", BASE},
    "plugins": {"plugins/include", "plugins/common", "plugins/sip", BASE},
    "contrib": {"web/cli", BASE},
    "contrib/mail": {BASE},
}
ANYTHING = "tests"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def owner(path):
    """The key of ALLOWED (or the single plug-in) that a file belongs to."""
    parts = path.split("/")
    for length in range(len(parts), 0, -1):
        key = "/".join(parts[:length])
        if key == "plugins" and len(parts) > 2:
            return "plugins/" + parts[1]
        if key in ALLOWED:
            return key
    return parts[0]


def may_include(path, target):
    mine, theirs = owner(path), owner(target)
    rule = ALLOWED.get(mine, ALLOWED["plugins"] if mine.startswith("plugins/") else None)
    return mine == ANYTHING or (rule is not None and (theirs == mine or theirs in rule))


def wrong_arrows(includes):
    return [f"{path} includes {target}" for path, targets in sorted(includes.items()) for target in targets
            if not may_include(path, target)]


def circles(includes):
    """Chains of headers that lead back to where they began."""
    found, done = [], set()

    def follow(path, way):
        if path in way:
            found.append(" -> ".join(way[way.index(path):] + [path]))
        elif path not in done:
            for target in includes.get(path, ()):
                follow(target, way + [path])
            done.add(path)

    for path in sorted(includes):
        follow(path, [])
    return found


def sources():
    for folder, folders, names in os.walk(TOP):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "build", "autom4te")))
        for name in sorted(names):
            if name.endswith((".c", ".h")) and folder != TOP:
                yield os.path.relpath(os.path.join(folder, name), TOP)


def find(path, target):
    """The file of ours that an include means. Only the headers for plug-in authors name their neighbours: they are
    installed as one folder."""
    if owner(path) == "plugins/include":
        target = "plugins/include/" + target
    return target if os.path.exists(os.path.join(TOP, target)) else None


def read_includes():
    """File -> files of ours that it includes, and the includes that are not there."""
    includes, lost = {}, []
    for path in sources():
        with open(os.path.join(TOP, path), encoding="utf-8") as file:
            targets = INCLUDE.findall(file.read())
        includes[path] = [find(path, t) for t in targets if find(path, t)]
        lost += [f'{path}: "{t}"' for t in targets if not find(path, t)
                 and not os.path.exists(os.path.join(BUILD, t)) and owner(path) not in ("contrib", ANYTHING)]
    return includes, lost


def compile_alone(header):
    """What the compiler says about a file that includes only this header, "" when nothing."""
    command = shlex.split(os.environ.get("FAXD_CC", "cc -std=c17"))
    setup = ["-include", "config.h"] if os.path.exists(os.path.join(BUILD, "config.h")) else ["-D_GNU_SOURCE"]
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(f'#include "{header}"\n#include "{header}"\nextern int not_empty;\n')
        file.flush()
        done = subprocess.run(command + ["-I", TOP, "-I", BUILD] + setup + ["-fsyntax-only", file.name],
                              capture_output=True, text=True, check=False)
    return f"{header}:\n{done.stderr}" if done.returncode else ""


def headers_that_need_others(includes):
    headers = [path for path in includes if path.endswith(".h")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [text for text in pool.map(compile_alone, headers) if text]


def self_check():
    """The finders find: a made-up tree with one fault of each kind."""
    wrong = wrong_arrows({"web/a.c": ["db/db.h"], "server/line.c": ["web/web.h"], "server/daemon.c": ["web/web.h"],
                          "plugins/softmodem/x.c": ["plugins/simulator/y.h", "plugins/common/job.h"],
                          "server/base/err.c": ["spool/fax.h"], "nowhere/x.c": ["server/base/err.h"],
                          "tests/unit/t.c": ["db/db.h"]})
    ring = circles({"server/a.c": ["server/a.h"], "server/a.h": ["server/b.h"], "server/b.h": ["server/c.h"],
                    "server/c.h": ["server/a.h"]})
    faults = [] if len(wrong) == 5 else [f"arrows: {wrong}"]
    return faults + ([] if ring == ["server/a.h -> server/b.h -> server/c.h -> server/a.h"] else [f"circles: {ring}"])


def main():
    includes, lost = read_includes()
    wrong = wrong_arrows(includes)
    facts = [("the finders see a fault of each kind", self_check()),
             ("every include is written from the top and is there", lost)]
    for folder in sorted({owner(path) for path in includes} - {ANYTHING}):
        facts.append((f"{folder} includes only what it may know",
                      [line for line in wrong if owner(line.split(" ")[0]) == folder]))
    facts.append(("no header leads back to itself", circles({p: t for p, t in includes.items() if owner(p) != ANYTHING})))
    facts.append(("each header compiles alone", headers_that_need_others(includes)))
    print(f"1..{len(facts)}")
    for number, (fact, faults) in enumerate(facts, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {fact}")
        for line in "\n".join(faults).splitlines():
            print("# " + line)
    return 1 if any(faults for _, faults in facts) else 0


if __name__ == "__main__":
    sys.exit(main())
