# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts that mostly wait, side by side: each runs in a process of its own, and what they print comes out as one TAP. No
test itself."""
import concurrent.futures
import os
import re
import subprocess
import sys

import faxd

AT_ONCE = 8


def run_one(name):
    """Exit status and output of this test program with one fact."""
    done = subprocess.run([sys.executable, sys.argv[0], name], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout


def main():
    if len(sys.argv) > 1:
        return faxd.main()
    names = [function.__name__ for function in faxd.facts]
    print(f"1..{len(names)}", flush=True)
    held = True
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for number, (name, text) in enumerate(zip(names, pool.map(run_one, names)), 1):
            lines = [line for line in text.splitlines() if not line.startswith("1..")]
            if not any(re.match(r"(not )?ok 1 - ", line) for line in lines):
                lines.append(f"not ok 1 - {name.replace('_', ' ')}")
            for line in lines:
                print(re.sub(r"^(not ok|ok) 1 - ", lambda match: f"{match[1]} {number} - ", line), flush=True)
                held = held and not line.startswith("not ok")
    return 0 if held else 1


def own_host(number=0):
    """A loopback address that no other process of the tests uses at the same time, so that ports need no search; up to
    100 of them, by `number`."""
    pid = os.getpid()
    return f"127.{10 + number}.{pid // 254 % 256}.{pid % 254 + 1}"
