#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What T.38 calls cost: real-time calls from one provider of faxd to another over loopback SIP, all pages compared.

  bench_sip.py [CALLS ...]    how many calls at a time, default 100 300 1000

With one call in each engine and with 32. CPU is that of hosts and engines, both sides together; a side is half of it."""
import datetime
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../flow"))
import sip  # noqa: E402
from bench import cpu_s, row, tool  # noqa: E402
from faxd import FINAL, PAGES, Faxd, pixels, wait_for  # noqa: E402

PAGE = PAGES[0]


def memory_kb(server, *programs):
    """Proportional memory of the programs: what is shared is counted once."""
    total = 0
    for pid, name in server.processes().items():
        if name not in programs:
            continue
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            continue
    return total


def count_states(server):
    counts = {}
    cursor = ""
    while True:
        page = server.get("/v1/faxes?limit=200&direction=outbound" + cursor)
        for fax in page["data"]:
            counts[fax["status"]] = counts.get(fax["status"], 0) + 1
        if not page["has_more"]:
            return counts
        cursor = "&cursor=" + page["next_cursor"]


def received(server):
    found, cursor = [], ""
    while True:
        page = server.get("/v1/faxes?limit=200&direction=inbound" + cursor)
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = "&cursor=" + page["next_cursor"]


def setup_rate(calls, per_engine):
    """Calls a second from INVITE to answer with the engines started, when nothing holds them back."""
    text, _, _ = sip.pair(lines=calls, out_settings="invite_rate = 100000", in_settings="invite_rate = 100000",
                          provider_extra=f"calls_per_engine = {per_engine}", trunk={"calls_per_second": 1000})
    server = Faxd(text).start()
    try:
        server.wait_state(server.send("+15550000", PAGE, hold=True), "held")
        # All fall due at once, so that the requests by which they came are not what is measured.
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=5 + calls / 20)
        faxes = [server.send(f"+1555{n:07d}", PAGE, retry={"max_attempts": 1}, not_before=at.isoformat(timespec="seconds"))
                 for n in range(calls)]
        wait_for(lambda: sum(v for k, v in count_states(server).items() if k in FINAL) >= calls, "calls to end", 600)
        timing = [server.fax(fax)["timing"] for fax in faxes]
        stamps = {key: [datetime.datetime.fromisoformat(t[key]).timestamp() for t in timing if t[key]]
                  for key in ("dialed", "connected")}
        rate = len(stamps["connected"]) / (max(stamps["connected"]) - min(stamps["dialed"]))
        delivered = count_states(server).get("delivered", 0)
        row(f"call set-up, {calls} calls as fast as they go, {per_engine} in an engine", f"{rate:.0f} calls/s answered",
            f"{delivered} of {calls} delivered")
    finally:
        server.kill_all()


def calls_at_once(calls, per_engine, bare_ms):
    """`calls` faxes of one page at the same time; a row of what they cost."""
    text, _, _ = sip.pair(lines=calls, out_settings="invite_rate = 100000", in_settings="invite_rate = 100000",
                          provider_extra=f"calls_per_engine = {per_engine}")
    server = Faxd(text).start()
    try:
        server.wait_state(server.send("+15550000", PAGE, hold=True), "held")  # the page is prepared once
        hosts = ("faxd-fsp", "faxd-t30")
        before, began = cpu_s(server, *hosts), time.monotonic()
        faxes = [server.send(f"+1555{n:07d}", PAGE, retry={"max_attempts": 1}) for n in range(calls)]
        peak, memory, setup_s, deadline = 0, 0, 0, began + 600
        while time.monotonic() < deadline:
            states = count_states(server)
            in_call = sum(states.get(state, 0) for state in ("dialing", "negotiating", "sending"))
            peak = max(peak, in_call)
            if in_call > calls * 9 // 10:
                memory = max(memory, memory_kb(server, *hosts))
            if not setup_s and states.get("queued", 0) + states.get("preparing", 0) == 0:
                setup_s = time.monotonic() - began
            if sum(count for state, count in states.items() if state in FINAL) >= calls:
                break
            time.sleep(1)
        spent = cpu_s(server, *hosts) - before
        took = time.monotonic() - began
        want = pixels(PAGE)
        wait_for(lambda: all(f["status"] in FINAL for f in received(server)), "receptions to end", 60)
        right = sum(1 for f in received(server) if f["status"] == "received" and pixels(server.document(f["id"])) == want)
        delivered = count_states(server).get("delivered", 0)
        for fax in (server.fax(f) for f in faxes):
            if fax["status"] != "delivered":
                print("not delivered:", fax["status"], fax["error"], fax["transport"]["mode"], file=sys.stderr)
        for fax in received(server):
            if fax["status"] != "received":
                print("not received:", fax["status"], fax["error"], fax["transport"]["mode"], file=sys.stderr)
        modes = [server.fax(f)["transport"]["mode"] for f in faxes[:5]]
        ms = spent / calls / 2 * 1000
        row(f"{calls} T.38 calls at once, {per_engine} in an engine (modes {set(modes)})",
            f"{delivered} delivered, {right} pages right; {ms:.1f} ms CPU a page and side; {memory / peak / 2:.0f} kB a "
            f"call and side; {peak} in call at a time, begun within {setup_s:.0f} s, over after {took:.0f} s",
            f"{ms / bare_ms:.2f} times bare spandsp")
    finally:
        if os.environ.get("BENCH_LOG"):
            print("\n".join(l for l in server.log().splitlines() if " info " not in l)[-6000:], file=sys.stderr)
        server.kill_all()


def main():
    counts = [int(n) for n in sys.argv[1:]] or [100, 300, 1000]
    bare = min(float(tool("bare_pair", PAGE, 8, "t38")[0]) for _ in range(3)) * 1000 / 2
    print("| what | figure | ratio |\n|---|---|---|")
    row("T.38 page on bare spandsp, a side", f"{bare:.1f} ms CPU", "1")
    for per_engine in (1, 32):
        setup_rate(min(counts[-1], 300), per_engine)
        for calls in counts:
            calls_at_once(calls, per_engine, bare)


if __name__ == "__main__":
    main()
