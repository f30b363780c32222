#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one test program for automake's TAP driver: run_tap.py PROGRAM ARGUMENT... A program that hangs is ended; the exit
status is the program's.

Machines stand still now and then, above all virtual ones whose host has other work. No modem, no call in real time and no
wait gets over seconds of that, so what fails then tells of the machine: the program is run again, twice at most, and what
failed before is told in comments. A failure while nothing stood still counts at once."""
import os
import signal
import subprocess
import sys
import tempfile
import time

RUNS = 3
TICK_S = 0.05
STANDSTILL_S = 0.3  # calls between our own ends get over less


def watch(child):
    """Wait for the end: the exit status, and how long the machine stood still."""
    stood_still = 0.0
    before = time.monotonic()
    while child.poll() is None:
        time.sleep(TICK_S)
        now = time.monotonic()
        if now - before - TICK_S > STANDSTILL_S:
            stood_still += now - before - TICK_S
        before = now
    return child.returncode, stood_still


def run(command, output):
    limit = ["timeout", "-k", "10", os.environ.get("FAXD_TEST_TIMEOUT_S", "900")]
    with subprocess.Popen(limit + command, stdout=output) as child:
        def pass_on(number, _):
            child.send_signal(number)
            sys.exit(128 + number)

        signal.signal(signal.SIGTERM, pass_on)
        return watch(child)


def main():
    told = []
    for number in range(1, RUNS + 1):
        with tempfile.TemporaryFile() as output:
            status, stood_still = run(sys.argv[1:], output)
            output.seek(0)
            text = output.read()
        if status == 0 or stood_still == 0 or number == RUNS:
            break
        told.append(f"# the machine stood still for {stood_still:.1f} s, once more after:\n")
        told += [f"# {line}\n" for line in text.decode(errors="replace").splitlines() if not line.startswith(("ok ", "# log"))]
    sys.stdout.buffer.write("".join(told).encode() + text)
    sys.stdout.flush()
    sys.exit(status if status >= 0 else 128 - status)


main()
