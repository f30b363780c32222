#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What lists, searches, sums and streams cost with a full store.

  bench_lists.py [FAXES]    default 1000000, and as many events and entries of the audit log

Each question is asked again and again on one connection of its own while another process asks /health/live, which only the
loop answers: the longest that it waited is how long the loop was away. Times are the client's, CPU is that of faxd."""
import http.client
import json
import os
import random
import resource
import selectors
import socket
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../flow"))
import full_store  # noqa: E402
from faxd import PAGES, Faxd, exchange, same  # noqa: E402

FAXES = 1000000
ROUNDS = 60
PAUSE_S = 0.002
LIMIT_MS = 50
STREAMS = 1000
DAY_S = 24 * 3600


def stamp(ago_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago_s))


def share(samples, part):
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * part))]


def cpu_ms(pid):
    """Of all threads, in full precision."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e6


class Asker:
    """One connection, and whose key it shows."""

    def __init__(self, server, key=None):
        self.headers = {"Authorization": "Bearer " + (key or server.key)}
        self.client = server.client()

    def get(self, path):
        self.client.request("GET", path, headers=self.headers)
        answer = self.client.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {body[:300]!r}")
        return body


# --- how long the loop is away ---

def ping(port):
    """Until standard input ends; prints the longest wait, the median and the 99th percentile in ms."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    waits = []
    print("ready", flush=True)
    while not selector.select(PAUSE_S):
        began = time.monotonic()
        client.request("GET", "/health/live")
        client.getresponse().read()
        waits.append((time.monotonic() - began) * 1000)
    print(max(waits), share(waits, 0.5), share(waits, 0.99))


class Pinger:
    def __init__(self, server):
        self.process = subprocess.Popen([sys.executable, __file__, "--ping", str(server.port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        same(self.process.stdout.readline(), "ready\n")

    def end(self):
        """Longest, median and 99th percentile."""
        self.process.stdin.close()
        words = self.process.stdout.read().split()
        same(self.process.wait(), 0)
        return [float(word) for word in words]


# --- the questions ---

def deep(asker, path, pages):
    """The address of a page so many pages down."""
    cursor = ""
    for _ in range(pages):
        page = json.loads(asker.get(path + (f"&cursor={cursor}" if cursor else "")))
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    return path + (f"&cursor={cursor}" if cursor else "")


def faxes_asked(users):
    """Name to query of /v1/faxes."""
    final = "delivered,partially_delivered,unconfirmed,failed,canceled,expired"
    old = urllib.parse.urlencode({"created[gte]": stamp(300 * DAY_S), "created[lt]": stamp(299 * DAY_S)})
    rare_old = urllib.parse.urlencode({"created[lt]": stamp(300 * DAY_S), "error": "no_answer"})
    texts = {"all": "", "sent": "direction=outbound", "received": "direction=inbound", "ended": "direction=outbound&status=" + final,
             "waiting": "direction=outbound&status=preparing,held,scheduled,queued,dialing,negotiating,sending", "held": "status=held",
             "expired": "status=expired", "dialing (none)": "status=dialing", "failed to receive": "status=failed&direction=inbound",
             "to a frequent number": "to=%2B15550000000", "to a number called 5 times": "to=%2B16660000004", "to nobody": "to=%2B999",
             "frequent number, seldom status": "to=%2B15550000000&status=expired", "from identity": "from=billing",
             "from a caller": "from=%2B17770000016", "from nobody": "from=nobody", "error": "error=busy", "error that none has":
             "error=storage_full", "error of received": "error=no_answer&direction=inbound", "tag": "tag=monthly", "seldom tag":
             "tag=rare%20tag", "no such tag": "tag=none", "reference": "client_reference=INV-0000501", "frequent reference":
             "client_reference=order", "no such reference": "client_reference=none", "one day long ago": old,
             "error before a day": rare_old, "future": "created%5Bgte%5D=2999-01-01T00:00:00Z", "inbox": "direction=inbound&junk=false",
             "unread": "unread=true", "read": "unread=false", "junk": "junk=true", "unread and junk": "unread=true&junk=true",
             "unassigned": "assigned=none", "assigned to one": "assigned=" + users[1], "label": "label=label%2002",
             "seldom label": "label=seldom", "no such label": "label=none", "label and status": "label=label%2002&status=failed",
             "label and unread": "label=label%2012&unread=true", "batch": "batch=bat_FULL000000000000000008",
             "limit 500": "limit=500"}
    for name, q in (("rare prefix", "+16660000004"), ("frequent prefix", "+1666"), ("frequent number", "+1555"), ("reference prefix",
                    "inv-00005"), ("one reference", "zebra"), ("station id", "station 00"), ("a miss", "nothing of the kind"),
                    ("one letter", "s"), ("contact", "person 00012"), ("organization", "office 0001"), ("digit", "1")):
        texts["q: " + name] = "q=" + urllib.parse.quote(q)
        texts[f"q: {name}, failed"] = "status=expired&q=" + urllib.parse.quote(q)
    return texts


def questions(server, users):
    """(who, what, path) of all."""
    asked = []
    admin, few = Asker(server), Asker(server, users["few key"])
    for name, query in faxes_asked(users["ids"]).items():
        for who, asker in (("admin", admin), ("sender", few)):
            if who == "sender" and "assigned" in query:
                continue
            path = "/v1/faxes?" + query + ("" if "limit" in query else "&limit=50")
            asked.append((who, "faxes " + name, path))
            further = deep(asker, path, 10 if who == "admin" else 1)
            if further != path:
                asked.append((who, "faxes " + name + ", deep", further))
    year = urllib.parse.urlencode({"from": stamp(365 * DAY_S), "to": stamp(0)})
    day = urllib.parse.urlencode({"from": stamp(DAY_S), "to": stamp(0)})
    for group in ("day", "hour", "destination", "user", "provider", "error"):
        if group != "hour":
            asked.append(("admin", f"usage by {group}, a year", f"/v1/reports/usage?group_by={group}&{year}"))
        asked.append(("admin", f"usage by {group}, a day", f"/v1/reports/usage?group_by={group}&{day}"))
    old = urllib.parse.urlencode({"from": stamp(200 * DAY_S), "to": stamp(199 * DAY_S)})
    for name, query in (("all", ""), ("actor", "actor=key_0004"), ("action", "action=fax.canceled"), ("seldom action", "action=purge.rare"),
                        ("actions", "action=fax.*"), ("seldom actions", "action=purge.*"), ("object", "object=fax_FULL000000000000000777"),
                        ("actor and action", "actor=key_0004&action=purge.rare"), ("a day", old), ("limit 1000", "limit=1000")):
        path = "/v1/audit-log?" + query + ("" if "limit" in query else "&limit=50")
        asked.append(("admin", "audit " + name, path))
        further = deep(admin, path, 10)
        if further != path:
            asked.append(("admin", f"audit {name}, deep", further))
    lists = {"events": "/v1/events?limit=200", "events, 1000": "/v1/events?limit=1000", "events, deep":
             "/v1/events?limit=1000&cursor=900000", "destinations": "/v1/destinations?limit=50", "destinations, 1000":
             "/v1/destinations?limit=1000", "destinations, deep": "/v1/destinations?limit=50&cursor=1000", "contacts":
             "/v1/contacts?limit=50", "contacts, 1000": "/v1/contacts?limit=1000", "contacts q": "/v1/contacts?q=person%2000012",
             "contacts q, number": "/v1/contacts?q=%2B1666001", "contacts q, frequent": "/v1/contacts?q=o&limit=50", "contacts q, miss":
             "/v1/contacts?q=nobody", "batches": "/v1/batches?limit=50", "batches, 100": "/v1/batches?limit=100", "batches, deep":
             "/v1/batches?limit=50&cursor=200", "dashboard": "/v1/dashboard", "users": "/v1/users", "keys": "/v1/api-keys",
             "lines": "/v1/lines", "webhooks": "/v1/webhook-endpoints", "deliveries": f"/v1/webhook-endpoints/{users['hook']}/deliveries",
             "metrics": "/metrics", "one fax": "/v1/faxes/fax_FULL000000000000000401",
             "events of a fax": "/v1/faxes/fax_FULL000000000000000401/events", "attempts": "/v1/faxes/fax_FULL000000000000000401/attempts"}
    for name, path in lists.items():
        asked.append(("admin", name, path))
        if "contacts" in name or name in ("events", "batches", "dashboard"):
            asked.append(("sender", name, path))
    return asked


def measure(server, asked, rounds, users):
    """Each question `rounds` times, in an order that is thrown; what to print of each."""
    askers = {"admin": Asker(server), "sender": Asker(server, users["few key"])}
    samples = {question: [] for question in asked}
    spent = {question: [] for question in asked}
    order = asked * rounds
    random.Random(7).shuffle(order)
    for question in order:
        before = cpu_ms(server.process.pid)
        began = time.monotonic()
        askers[question[0]].get(question[2])
        samples[question].append((time.monotonic() - began) * 1000)
        spent[question].append(cpu_ms(server.process.pid) - before)
    return samples, spent


def print_table(samples, spent):
    everything = [ms for list_of in samples.values() for ms in list_of]
    cpu = [ms for list_of in spent.values() for ms in list_of]
    print("| question | as | p50, p99, worst ms | CPU p50, p99 ms |\n|---|---|---|---|")
    for (who, name, _), times in sorted(samples.items(), key=lambda item: -share(item[1], 0.99)):
        cost = spent[(who, name, _)]
        print(f"| {name} | {who} | {share(times, .5):.1f}, {share(times, .99):.1f}, {max(times):.1f} | {share(cost, .5):.1f},"
              f" {share(cost, .99):.1f} |")
    print(f"\n{len(samples)} questions, {len(everything)} answers: p50 {share(everything, .5):.1f} ms, p99 {share(everything, .99):.1f} ms,"
          f" worst {max(everything):.1f} ms; CPU p50 {share(cpu, .5):.1f} ms, p99 {share(cpu, .99):.1f} ms, worst {max(cpu):.1f} ms")
    over = sorted({question[1] for question in samples if share(samples[question], 0.99) > LIMIT_MS})
    print(f"over {LIMIT_MS} ms at the 99th percentile: {', '.join(over) or 'none'}")


def one_by_one(server, users):
    """What takes longer than an answer, each alone, and how long the loop was away meanwhile."""
    print("\n| what | seconds | loop's longest wait, ms |\n|---|---|---|")
    lines = "".join(f"New {i:05d},Firm {i % 3000:04d},+1888{i:07d},,,{'Team' if i % 2 else ''}\n" for i in range(20000))
    doing = (("audit log verified", "GET", "/v1/audit-log/verify", None, {}),
             ("10,000 entries of the audit log as CSV", "GET", "/v1/audit-log?limit=10000", None, {"Accept": "text/csv"}),
             ("usage by destination, a year", "GET", "/v1/reports/usage?group_by=destination&"
              + urllib.parse.urlencode({"from": stamp(365 * DAY_S), "to": stamp(0)}), None, {}),
             ("usage by hour as CSV, 31 days", "GET", "/v1/reports/usage?group_by=hour&"
              + urllib.parse.urlencode({"from": stamp(31 * DAY_S), "to": stamp(0)}), None, {"Accept": "text/csv"}),
             ("all contacts as CSV", "GET", "/v1/contacts", None, {"Accept": "text/csv"}),
             ("20,000 contacts imported", "POST", "/v1/contacts/import", "name,organization,number,email,notes,groups\n" + lines,
              {"Content-Type": "text/csv"}),
             ("the same once more", "POST", "/v1/contacts/import", "name,organization,number,email,notes,groups\n" + lines,
              {"Content-Type": "text/csv"}),
             ("receipt of a fax", "GET", "/v1/faxes/" + users["fax"] + "/receipt", None, {}))
    for name, method, path, body, headers in doing:
        pinger = Pinger(server)
        began = time.monotonic()
        reply = server.ask(method, path, body, headers, timeout=300)
        took = time.monotonic() - began
        longest = pinger.end()[0]
        same((name, reply.status), (name, 200))
        print(f"| {name} | {took:.2f} | {longest:.1f} |", flush=True)


# --- streams ---

def memory_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))


def take_all(streams):
    """Whatever has come, until nothing has for a moment; octets."""
    selector = selectors.DefaultSelector()
    for stream in streams:
        selector.register(stream, selectors.EVENT_READ)
    total = 0
    while True:
        ready = selector.select(1)
        if not ready:
            return total
        for key, _ in ready:
            total += len(key.fileobj.recv(65536))


def events(server):
    page = server.get("/v1/events?limit=1000")
    same(page["has_more"], False)
    return len(page["data"])


def streams():
    """CPU of an event for each client that hears it, and memory of a connection; on a store without faxes, so that the
    memory is not what lists have left."""
    server = Faxd(exchange(lines=(("1001", "send = false"),))).start()
    pid = server.process.pid
    head = f"GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n\r\n".encode()

    def spend(count):
        """CPU in ms of so many submissions, after what is done once is done."""
        server.wait_state(server.send("99"), "queued")
        began = cpu_ms(pid)
        for _ in range(count):
            server.send("99")
        heard = take_all(opened)
        return cpu_ms(pid) - began, heard

    opened = []
    alone, _ = spend(50)
    before_kb = memory_kb(pid)
    for _ in range(STREAMS):
        stream = socket.create_connection(("127.0.0.1", server.port))
        stream.sendall(head)
        opened.append(stream)
    take_all(opened)
    open_kb = memory_kb(pid) - before_kb
    before = events(server)
    spent, heard = spend(50)
    print(f"\n{STREAMS} event-stream clients: {open_kb / STREAMS:.1f} kB a connection,"
          f" {(spent - alone) * 1000 / ((events(server) - before) * STREAMS):.1f} us CPU an event and client"
          f" ({events(server) - before} events, {heard / 1e6:.1f} MB heard)")
    for stream in opened:
        stream.close()
    server.stop()


def prepare(faxes):
    """A server on a full store, and who may ask."""
    server = Faxd(exchange(lines=(("1001", "send = false"),))).start()
    users = {"ids": []}
    for name in ("few", *(f"user{i}" for i in range(50))):
        reply = server.ask("POST", "/v1/users", {"name": name, "role": "sender"})
        same(reply.status, 201)
        users["ids"].append(reply.json["id"])
    reply = server.ask("POST", "/v1/api-keys", {"name": "few", "scopes": ["fax:send", "fax:read"], "user": users["ids"][0]})
    same(reply.status, 201)
    users["few key"] = reply.json["token"]
    reply = server.ask("POST", "/v1/webhook-endpoints", {"url": "https://example.com/", "events": ["document.*"]})
    same(reply.status, 201)
    users["hook"] = reply.json["id"]
    users["fax"] = server.send("99", PAGES[0])
    server.wait_state(users["fax"], "queued")
    same(server.ask("POST", f"/v1/faxes/{users['fax']}/cancel").status, 202)
    server.wait_state(users["fax"], "canceled")
    same(server.end(), 0)
    began = time.monotonic()
    first = full_store.rows_of(server.state, "account", users["ids"])
    full_store.fill(server.state, faxes, first[0], first[1:], full_store.rows_of(server.state, "endpoint", [users["hook"]])[0])
    size = os.path.getsize(os.path.join(server.state, "faxd.db"))
    print(f"{faxes:,} faxes, events and entries of the audit log: {size / 1e9:.2f} GB, filled in {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    server.start()
    print(f"exec to ready: {(time.monotonic() - began) * 1000:.0f} ms\n", flush=True)
    return server, users


def run(server, users, rounds):
    asked = questions(server, users)
    pinger = Pinger(server)
    samples, spent = measure(server, asked, rounds, users)
    longest, median, last = pinger.end()
    print_table(samples, spent)
    print(f"the loop meanwhile: p50 {median:.1f} ms, p99 {last:.1f} ms, longest wait {longest:.1f} ms")
    one_by_one(server, users)


def main():
    faxes = int(sys.argv[1]) if len(sys.argv) > 1 else FAXES
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    server, users = prepare(faxes)
    try:
        run(server, users, rounds)
    finally:
        server.stop()
    streams()
    return 0


if __name__ == "__main__":
    sys.exit(ping(int(sys.argv[2])) if sys.argv[1:2] == ["--ping"] else main())
