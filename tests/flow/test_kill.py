#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 of faxd, of a host, of an engine, of several at once, at random moments under load. Prints TAP.

  test_kill.py [ROUNDS [SEED]]     `make soak` runs 100 rounds

Every page of every fax is a picture of its own, so that what the receiver holds can be counted afterwards:
  - every fax whose POST was answered, or repeated with its Idempotency-Key until it was, is there once and comes to an end;
  - a fax shown as delivered is held whole; of any fax the pages shown as confirmed are held;
  - no last page is held twice: nothing is sent again after its last EOP had left (policy stop);
  - nothing stays open: no line busy, no call undecided, no process left behind.
"""
import base64
import http.client
import os
import random
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faxd  # noqa: E402
from faxd import FAST_RETRIES, FINAL, exchange, fact, pixels, same, started, wait_for  # noqa: E402

ROUNDS = 4
SEED = None
FAXES = 6   # each round
WIDTH, ROWS = 1728, 160
# Lines that call, and lines that are called: a line that does both is busy most of the time.
LINES = ("1001", "1005", "1006", ("1002", "send = false"), ("1003", "send = false"), ("1004", "send = false"))


def picture(number, page):
    """A TIFF page that no other fax has: its numbers as a pattern of bars."""
    pattern = random.Random(number * 100 + page).getrandbits(WIDTH).to_bytes(WIDTH // 8, "big")
    white = bytes(WIDTH // 8)
    return b"".join(pattern if row % 40 < 8 else white for row in range(ROWS))


def document(number, pages):
    """An uncompressed bilevel TIFF of so many pages."""
    out = bytearray(struct.pack("<2sHI", b"II", 42, 0))
    link = 4
    for page in range(pages):
        data = picture(number, page)
        at = len(out)
        out += data
        resolution = len(out)
        out += struct.pack("<IIII", 204, 1, 196, 1)
        tags = [(254, 4, 1, 2), (256, 4, 1, WIDTH), (257, 4, 1, ROWS), (258, 3, 1, 1), (259, 3, 1, 1), (262, 3, 1, 0),
                (273, 4, 1, at), (278, 4, 1, ROWS), (279, 4, 1, len(data)), (282, 5, 1, resolution),
                (283, 5, 1, resolution + 8), (296, 3, 1, 2)]
        struct.pack_into("<I", out, link, len(out))
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        link = len(out)
        out += struct.pack("<I", 0)
    return bytes(out)


class Load:
    """Faxes sent while things die, and what has to be true of them."""

    def __init__(self, server, chance):
        self.server, self.chance = server, chance
        self.sent = {}  # Idempotency-Key: (number, pages)
        self.ids = {}   # Idempotency-Key: id, once the POST was answered

    def post(self, key):
        number, pages = self.sent[key]
        body = {"to": str(1002 + number % 3), "retry": {"max_attempts": 50}, "client_reference": key,
                "documents": [{"data": base64.b64encode(document(number, pages)).decode()}], "header": {"show": False}}
        try:
            reply = self.server.ask("POST", "/v1/faxes", body, {"Idempotency-Key": key}, timeout=20)
        except (OSError, http.client.HTTPException):
            return  # nobody knows: asked again later
        if reply.status == 202:
            self.ids[key] = reply.json["id"]
        elif reply.status not in (409, 503):
            raise AssertionError(f"{reply.status} {reply.body!r}")

    def add(self):
        number = len(self.sent)
        key = f"kill-{number}"
        self.sent[key] = (number, self.chance.choice([1, 2, 3]))
        self.post(key)

    def add_unanswered(self):
        for key in self.sent.keys() - self.ids.keys():
            self.post(key)
        return self.sent.keys() == self.ids.keys()


def kill_some(server, victim, chance):
    """End it as a crash would; the word that the log has to have about it."""
    if victim in ("faxd", "faxd and host"):
        server.kill()
    if victim in ("host", "faxd and host"):
        for pid in server.pids("faxd-fsp"):
            os.kill(pid, signal.SIGKILL)
    if victim == "engine":
        pids = server.pids("faxd-t30")
        if pids:
            try:
                os.kill(chance.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                pass  # its call had just ended
    if victim.startswith("faxd"):
        server.start()


def all_ended(server):
    ready = server.ask("GET", "/health/ready")
    return (ready.status == 200 and ready.json["checks"]["undecided_calls"] == 0
            and all(line["state"] == "idle" for line in server.get("/v1/lines")["data"])
            and all(fax["status"] in FINAL for fax in every_fax(server)))


def every_fax(server):
    found, cursor = [], ""
    while True:
        page = server.get("/v1/faxes?limit=200" + cursor)
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = "&cursor=" + page["next_cursor"]


def held_pages(server, faxes):
    """How often each picture is held by the receiver."""
    counts = {}
    for fax in faxes:
        if fax["direction"] == "inbound" and fax["pages"]["total"]:
            lines = pixels(server.document(fax["id"]))
            same((fax["id"], len(lines)), (fax["id"], fax["pages"]["total"]))
            for line in lines:
                counts[line] = counts.get(line, 0) + 1
    return counts


def check(server, load):
    faxes = every_fax(server)
    outbound = {fax["client_reference"]: fax for fax in faxes if fax["direction"] == "outbound"}
    same(len([f for f in faxes if f["direction"] == "outbound"]), len(load.sent))
    same({key: fax["id"] for key, fax in outbound.items()}, load.ids)
    held = held_pages(server, faxes)
    for key, (number, pages) in load.sent.items():
        fax = outbound[key]
        wanted = pixels(document(number, pages))
        counts = [held.get(line, 0) for line in wanted]
        story = (key, fax["id"], fax["status"], fax["pages"], counts)
        if fax["status"] not in ("delivered", "unconfirmed"):
            raise AssertionError(f"ended otherwise: {story} {fax.get('error')}")
        if fax["status"] == "delivered" and (0 in counts or counts[-1] != 1):
            raise AssertionError(f"delivered, and not held so: {story}")
        if counts[-1] > 1 or 0 in counts[:fax["pages"]["confirmed"]]:
            raise AssertionError(f"sent twice, or confirmed and not held: {story}")
        for attempt in server.attempts(fax["id"]):
            if attempt["ended_at"] is None:
                raise AssertionError(f"a call without an end: {story}")
    return [fax["status"] for fax in outbound.values()]


def survives(victims, pace):
    seed = SEED if SEED is not None else int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)
    print(f"# seed {seed} rounds {ROUNDS} victims {victims} pace {pace}", flush=True)
    server = started(FAST_RETRIES + exchange(pace=pace, lines=LINES))
    load = Load(server, chance)
    for number in range(ROUNDS):
        for _ in range(FAXES):
            load.add()
        time.sleep(chance.uniform(0, 0.12 if pace == 0 else 0.8))
        kill_some(server, victims[number % len(victims)], chance)
    wait_for(load.add_unanswered, "every POST to be answered", 120)
    wait_for(lambda: all_ended(server), "everything to end", 120 + 4 * ROUNDS)
    states = check(server, load)
    print(f"# {states.count('delivered')} delivered, {states.count('unconfirmed')} unconfirmed", flush=True)
    log = server.log()
    if any(victim.startswith("faxd") for victim in victims) and log.count(" ready listen=") < 2:
        raise AssertionError("the log does not tell of the restarts")
    if "host" in victims and "host is gone" not in log:
        raise AssertionError("the log does not tell of the host")


@fact
def faxes_survive_the_death_of_faxd():
    survives(["faxd"], 0)


@fact
def faxes_survive_the_death_of_a_host():
    survives(["host"], 0)


@fact
def faxes_survive_the_death_of_engines():
    survives(["engine"], 50)


@fact
def faxes_survive_the_death_of_everything_in_turn():
    survives(["faxd", "engine", "host", "faxd and host"], 50)


@fact
def calls_go_on_while_faxd_is_away():
    server = started(FAST_RETRIES + exchange(pace=5))
    fax = server.send("1002")
    server.wait_state(fax, "sending")
    server.kill()
    server.start()
    ended = server.wait_state(fax)
    same((ended["status"], ended["calls"]), ("delivered", 1))
    same([f["status"] for f in server.settled_inbound(1)], ["received"])
    same("call goes on" in server.log(), True)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        ROUNDS = int(sys.argv.pop(1))
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        SEED = int(sys.argv.pop(1))
    sys.exit(faxd.main())
