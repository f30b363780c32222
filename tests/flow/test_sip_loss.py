#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Faxes over a bad network, in real time and side by side: packets are lost, late, doubled and out of order between two
providers, and clocks differ. What is called delivered is there, dot for dot. Prints TAP."""
import collections
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sip  # noqa: E402
from faxd import BUILD, FAST_RETRIES, PAGES, fact, joined, main, pixels, same, wait_for  # noqa: E402
from sip_calls import Call, Rig, sanitized  # noqa: E402
from sip_middle import Middle  # noqa: E402

SEED = 20250411
rig = Rig()
CALLS = 8 if not sanitized() else 2
AUDIO_CALLS = 20 if not sanitized() else 4
AUDIO_MINIMUM = 0.6
PERCENT = 10_000  # of a million packets
Badness = collections.namedtuple("Badness", "loss jitter_ms duplicates drift_ppm", defaults=(0, 0, 0, 0))


class Network:
    """tests/flow/lossy between two providers; `middle` is what their SIP goes through."""

    def __init__(self, badness):
        self.badness = badness
        self.process = subprocess.Popen([os.path.join(BUILD, "tests/flow/lossy"), str(SEED)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.paths = {}  # Call-ID: ports towards either side, index
        self.middle = Middle(self.media)
        self.middle.ports = [sip.free_port(), sip.free_port()]

    def ask(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def media(self, message):
        """The description with the network's port in place of the sender's own, which the network is told."""
        if message.call_id not in self.paths:
            self.paths[message.call_id] = self.ask("open " + " ".join(map(str, self.badness)))
        *ports, index = self.paths[message.call_id]
        own = re.search(r"^m=\w+ ([1-9]\d*) ", message.body, re.M)[1]
        self.ask(f"far {index} {message.side} {own}")
        return re.sub(rf"^(m=\w+ ){own} ", rf"\g<1>{ports[1 - message.side]} ", message.body, flags=re.M)

    def cut(self):
        """From now on nothing passes, neither SIP nor media."""
        self.middle.lose = lambda message: True
        for *_, index in self.paths.values():
            self.ask(f"cut {index}")

    def close(self):
        try:
            self.middle.close()
        finally:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()


class Group:
    """Calls of one kind; one and two pages by turns."""

    def __init__(self, numbers, module, settings, badness, count, pages=(1, 2)):
        network = rig.own(Network(badness))
        peers = [{"peer": {"server": f"127.0.0.1:{door}"}} for door in network.middle.doors]
        server = rig.server(FAST_RETRIES +
                            sip.provider("out", network.middle.ports[0], peers[0], module, count, settings=settings) +
                            sip.provider("in", network.middle.ports[1], peers[1], module, count, "inbound", settings,
                                         first=4001, media=(26000, 31999)))
        self.network, self.calls = network, []
        for i in range(count):
            path = joined(server.folder, *(PAGES[i // 2 % 2:] + PAGES)[:pages[i % len(pages)]])
            self.calls.append((Call(server, f"{numbers}{i:02}", path), pages[i % len(pages)]))

    def all_arrive(self, **wanted):
        for call, pages in self.calls:
            call.arrives(pages, wanted, wanted)
        self.print_losses()

    def print_losses(self):
        sums = collections.Counter()
        for call, _ in self.calls:
            for fax in (call.fax, call.received()["id"]):
                sums.update(call.attempt(fax)["packet_loss"] or {})
        print(f"# {dict(sums)}")


class Broken:
    """A call of three pages that ends as soon as the first is confirmed: the caller's side is told to hang up, or
    nothing passes any more between the two, neither media nor SIP."""

    def __init__(self, numbers, module, hangs_up):
        self.group, self.hangs_up = Group(numbers, module, "", Badness(), 1, (3, )), hangs_up
        self.call = self.group.calls[0][0]
        self.failure = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            wait_for(lambda: self.call.server.fax(self.call.fax)["pages"]["confirmed"] == 1, "a page", 200)
            if self.hangs_up:
                same(self.call.server.ask("POST", f"/v1/faxes/{self.call.fax}/cancel").status, 202)
                return
            network = self.group.network
            network.middle.lose = lambda message: True
            *_, index = network.paths[self.call.attempt()["call_id"] or next(iter(network.paths))]
            network.ask(f"cut {index}")
        except Exception as error:  # for the fact
            self.failure = error

    def ends(self, status, codes):
        """Asserts that both ends have the first page and know of no other."""
        self.thread.join()
        if self.failure:
            raise self.failure
        fax, received = self.call.sent(), self.call.received()
        same((self.call.to, fax["status"], fax["pages"]["confirmed"], self.call.attempt()["pages_confirmed"]),
             (self.call.to, status, 1, 1))
        same((self.call.to, fax["error"]["code"] in codes, fax["error"]["code"]),
             (self.call.to, True, fax["error"]["code"]))
        same((self.call.to, received["status"], received["pages"]["total"], received["error"]["code"]),
             (self.call.to, "partially_received", 1, "receive_incomplete"))
        same(pixels(self.call.server.document(received["id"])), pixels(self.call.server.document(fax["id"]))[:1])
        return received["error"]["message"]


def start():
    t38 = {"module": "t38", "count": CALLS}
    return {
        "five": Group("+155510", settings="", badness=Badness(5 * PERCENT), **t38),
        "ten": Group("+155520", settings="", badness=Badness(10 * PERCENT), **t38),
        "fec": Group("+155530", settings="t38_ec = fec", badness=Badness(5 * PERCENT), **t38),
        "jitter": Group("+155540", settings="", badness=Badness(0, 50, 5 * PERCENT), **t38),
        "audio": Group("+155550", "softmodem", 'codecs = "PCMU"', Badness(PERCENT // 10, drift_ppm=100), AUDIO_CALLS, (1, )),
        "hung up": [Broken("+155560", "t38", True), Broken("+155561", "softmodem", True)],
        "gone": [Broken("+155570", "t38", False), Broken("+155571", "softmodem", False)],
    }


@fact
def t38_with_redundancy_survives_the_loss_of_five_packets_in_a_hundred():
    groups["five"].all_arrive(mode="t38", ecm=True)


@fact
def and_of_ten():
    groups["ten"].all_arrive(mode="t38", ecm=True)


@fact
def t38_with_parity_survives_the_loss_of_five():
    groups["fec"].all_arrive(mode="t38", ecm=True)


@fact
def t38_does_not_mind_packets_that_are_late_doubled_or_out_of_order():
    groups["jitter"].all_arrive(mode="t38", ecm=True)


def is_true(call, pages):
    """Does the caller's state agree with what the receiver has? Returns whether the fax was delivered."""
    fax = call.sent()
    received = call.received()
    if fax["status"] == "delivered":
        same((call.to, received["status"], call.is_whole(pages)), (call.to, "received", True))
        return True
    same((call.to, fax["status"] in ("failed", "unconfirmed", "partially_delivered")), (call.to, True))
    same((call.to, fax["pages"]["confirmed"] <= received["pages"]["total"]), (call.to, True))
    return False


@fact
def g711_tells_the_truth_on_a_line_that_loses_and_drifts():
    calls = groups["audio"].calls
    delivered = sum([is_true(call, pages) for call, pages in calls])
    reasons = collections.Counter((call.sent().get("error") or {"code": "delivered"})["code"] for call, _ in calls)
    print(f"# {delivered} of {len(calls)} delivered: {dict(reasons)}")
    groups["audio"].print_losses()
    same(delivered >= AUDIO_MINIMUM * len(calls), True)


@fact
def both_ends_know_how_far_a_call_got_that_was_hung_up():
    for call in groups["hung up"]:
        same(call.ends("canceled", ("aborted", )), "the far end hung up")


@fact
def and_one_whose_far_end_vanished():
    t38, audio = groups["gone"]
    # Which of them gives up first, the watch over datagrams or T.30, depends on where in the page it was.
    for broken, codes in ((t38, ("media_timeout", "page_transfer_failed")), (audio, ("media_timeout", "carrier_lost"))):
        same(bool(broken.ends("partially_delivered", codes)), True)


if __name__ == "__main__":
    try:
        groups = start()
        status = main()
    finally:
        rig.close()
    sys.exit(status)
