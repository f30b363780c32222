#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What faxd costs, as figures and ratios taken in one run on one machine: `make bench`.

  bench.py [QUEUED]    the longest queue, default 1000000

A figure by itself says little on a shared machine: each row has a ratio to something measured beside it."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../flow"))
from faxd import BUILD, FAST_RETRIES, PAGES, Faxd, exchange, joined, same  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
rows = []


def row(what, figure, ratio):
    rows.append((what, figure, ratio))
    print(f"| {what} | {figure} | {ratio} |", flush=True)


def tool(name, *arguments):
    return subprocess.run([os.path.join(BUILD, "tests/bench", name), *map(str, arguments)], check=True,
                          capture_output=True, text=True).stdout.split()


def cpu_s(server, *programs):
    """CPU seconds of the programs, their ended children included."""
    total = 0
    for pid, name in server.processes().items():
        if programs and name not in programs:
            continue
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            fields = file.read().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / TICK


def simulator(lines, settings="", groups="default"):
    return (f'provider "sim" {{\n module = simulator\n settings {{ {settings} }}\n'
            + "".join(f' line "{5000 + i}" {{ groups = {{{groups}}} }}\n' for i in range(lines)) + "}\n")


def test_key(server):
    reply = server.ask("POST", "/v1/api-keys", {"name": "bench", "scopes": ["fax:send", "fax:read"], "test": True})
    same(reply.status, 201)
    return reply.json["token"]


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        name = re.search(r"model name\s*: (.*)", file.read())
    path = os.path.join(BUILD, "bench-sync")
    with open(path, "wb") as file:
        began = time.monotonic()
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        per_sync = (time.monotonic() - began) / 200
    os.unlink(path)
    print(f"{os.cpu_count()} cores, {name.group(1) if name else 'unknown'}; a synced write takes {per_sync * 1000:.2f} ms\n")
    print("| what | figure | ratio |\n|---|---|---|")
    return per_sync


def pages():
    """CPU of a page of a ten-page document through faxd against two bare fax machines of spandsp."""
    server = Faxd(FAST_RETRIES + exchange()).start()
    path = joined(server.folder, *PAGES, *PAGES, *PAGES[:2])
    bare = min(float(tool("bare_pair", path, 4)[0]) for _ in range(3))
    same(server.wait_state(server.send("1002", path))["status"], "delivered")  # the document is prepared once
    time.sleep(0.5)
    best = 1e9
    for _ in range(3):
        before, converter = cpu_s(server), cpu_s(server, "faxd-convert")
        for _ in range(8):
            same(server.wait_state(server.send("1002", path))["status"], "delivered")
        time.sleep(0.5)
        spent, converting = cpu_s(server) - before, cpu_s(server, "faxd-convert") - converter
        best = min(best, (spent - converting) / 80)
    row("CPU of a page, V.17 with ECM and MMR, through faxd (converter apart)", f"{best * 1000:.1f} ms",
        f"{best / bare:.2f} times two bare spandsp machines ({bare * 1000:.1f} ms)")
    began = time.monotonic()
    path = joined(server.folder, *PAGES, *PAGES)
    same(server.wait_state(server.send("1003", path, resolution="fine"))["status"], "delivered")
    took = time.monotonic() - began
    row("eight pages through faxd on the unpaced exchange, POST to delivered", f"{took:.2f} s", f"{took / 10:.3f} of the 10 s asked for")
    server.stop()


def submissions(per_sync):
    server = Faxd("web { allow_private_webhooks = true }\n" + exchange(lines=(("1001", "send = false"),))).start()
    server.wait_state(server.send("99", PAGES[1]), "queued")
    alone = None
    for clients in (1, 16, 64):
        rate, median, last = map(float, tool("post_load", server.port, server.key, PAGES[1], clients, 4))
        alone = alone or rate
        row(f"durable submissions by REST, {clients} client{'s' if clients > 1 else ''}",
            f"{rate:.0f} /s (median {median:.1f} ms, 99 % {last:.1f} ms)",
            f"{rate * per_sync:.2f} for each synced write the disk can do; {rate / alone:.1f} times one client")
    server.stop()


def queue(counts):
    """POST to FaxDevSend with a long queue, and the restart with it."""
    first = empty_start = None
    for count in counts:
        server = Faxd(FAST_RETRIES + simulator(2) + exchange(lines=("1001",)))
        subprocess.run([os.path.join(BUILD, "tests/bench/fill_queue"), server.state, str(count), "parked"], check=True)
        began = time.monotonic()
        server.start()
        restart = time.monotonic() - began
        key = test_key(server)
        server.wait_state(server.send("1", key=key))
        samples = []
        for _ in range(60):
            began = time.time()
            fax = server.send("1", key=key)
            server.wait_state(fax)
            line = [text for text in server.log().splitlines()[-40:] if "sending job=" in text][-1]
            stamp = line.split(" ")[0]
            at = time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(stamp[19:-1])
            samples.append((at - began) * 1000)
        samples.sort()
        median, last = samples[30], samples[-1]
        first = first or median
        row(f"POST to FaxDevSend, {count:,} faxes queued", f"median {median:.1f} ms, longest of 60 {last:.1f} ms",
            f"{median / first:.2f} times that with {counts[0]:,}")
        if count == counts[-1]:
            began = time.monotonic()
            same(server.end(), 0)
            ended = time.monotonic() - began
            began = time.monotonic()
            server.start()
            again = time.monotonic() - began
            row(f"restart with {count:,} faxes queued, exec to ready", f"{again * 1000:.0f} ms (end {ended * 1000:.0f} ms)",
                f"{again / empty_start:.2f} times a start with an empty store")
        elif count == counts[0]:
            empty_start = restart
        server.stop()


def packets():
    """Completion packets from the FSP through port, link and commit."""
    server = Faxd(FAST_RETRIES + simulator(1) + exchange(lines=("1001",))).start()
    key = test_key(server)
    count = 100000
    server.wait_state(server.send("1", key=key))
    began = time.monotonic()
    fax = server.wait_state(server.send(f"*8*{count}", key=key))
    took = time.monotonic() - began
    same(fax["status"], "delivered")
    before = cpu_s(server)
    began = time.monotonic()
    server.wait_state(server.send(f"*8*{count}", key=key))
    took = min(took, time.monotonic() - began)
    spent = cpu_s(server) - before
    row("completion packets, FSP to commit", f"{count / took:,.0f} /s", f"{spent / count * 1e6:.1f} us CPU each, both sides")
    server.stop()


def idle():
    """What 200 idle lines cost."""
    server = Faxd(exchange(lines=tuple(str(1000 + i) for i in range(200)))).start()
    time.sleep(2)
    before = cpu_s(server)
    time.sleep(30)
    spent = (cpu_s(server) - before) * 2
    row("CPU of 200 idle lines in a minute", f"{spent * 1000:.0f} ms", f"{spent / 60 * 100:.3f} % of a core")
    server.stop()


def main():
    longest = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    per_sync = machine()
    pages()
    submissions(per_sync)
    queue([count for count in (1000, 100000) if count < longest] + [longest])
    packets()
    idle()
    return 0


if __name__ == "__main__":
    sys.exit(main())
