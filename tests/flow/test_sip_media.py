#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Faxes over T.38 and G.711, from one provider to another and through a gateway between the two, in real time and side
by side: every page arrives dot for dot, and the records of both ends are right. Prints TAP."""
import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sip  # noqa: E402
from faxd import FAST_RETRIES, PAGES, fact, joined, main, same  # noqa: E402
from rtpengine import Rtpengine  # noqa: E402
from sip_calls import Call, Rig, sanitized  # noqa: E402

rig = Rig()
FAST_RATE = {"rate_bps": 14400, "modem": "V.17"}
# A gateway is a program of somebody else in the path of a modem's signal: what it puts out late, while it does not get
# the processor, costs a rate or a call. Then faxd has to call again, and all has to be as true as ever.
T38_GATEWAY = {"mode": "t38", "codec": None, "t38_version": 0}
PCMU_GATEWAY = {"mode": "audio", "codec": "PCMU", "t38_version": None}
AGAIN = {"max_attempts": 4, "resume": "all", "on_unconfirmed": "resend"}
T38 = {**T38_GATEWAY, **FAST_RATE}
PCMU = {**PCMU_GATEWAY, **FAST_RATE}
PCMA = {**PCMU, "codec": "PCMA"}
ECM = {"ecm": True, "compression": "T.6"}
NO_ECM = {"ecm": False, "compression": "T.4 2D"}
MANY = 8 if not sanitized() else 2
FEW = MANY if sanitized() else 3  # by G.711: the longer a call, the likelier that the processor is away in it


class Pair:
    """A server with a provider that calls and one that is called: one page and several, with ECM and without."""

    def __init__(self, config, numbers, several, one=(True, False), pages=FEW, **more):
        server = rig.server(config)
        many = joined(server.folder, *(PAGES * 2)[:pages])
        self.calls = {}
        for number, (count, ecm) in enumerate([(1, ecm) for ecm in one] + [(pages, ecm) for ecm in several]):
            path = PAGES[0] if count == 1 else many
            self.calls[count, ecm] = Call(server, f"{numbers}{number}", path, route={"ecm": ecm}, **more)

    def all_arrive(self, sender, receiver):
        for (count, ecm), call in self.calls.items():
            more = ECM if ecm else NO_ECM
            call.arrives(count, {**sender, **more}, {**receiver, **more})
            for attempt in (call.attempt(), call.attempt(call.received()["id"])):
                loss = attempt["packet_loss"]
                same((call.to, loss["expected"] > 10, loss["lost"] * 100 < loss["expected"], loss["refused"]),
                     (call.to, True, True, 0))


def through(engine, t38, out_module, in_module):
    """Configuration of a pair whose calls go through rtpengine."""
    middle = rig.own(engine.between(t38))
    middle.ports = [sip.free_port(), sip.free_port()]
    peers = [{"peer": {"server": f"127.0.0.1:{door}"}} for door in middle.doors]
    return (FAST_RETRIES + sip.provider("out", middle.ports[0], peers[0], out_module, 4) +
            sip.provider("in", middle.ports[1], peers[1], in_module, 4, "inbound", first=4001, media=(26000, 31999)))


def start():
    engine = rig.own(Rtpengine())
    both, all_with = (True, False), (True,)
    return {
        "t38": Pair(sip.pair("t38", "t38", 4)[0], "+1555100", both, pages=MANY),
        "g711": Pair(sip.pair("softmodem", "softmodem", 4)[0], "+1555200", both),
        "pcma": Pair(sip.pair("softmodem", "softmodem", 4, 'codecs = "PCMA"')[0], "+1555300", ()),
        "refused": Pair(sip.pair("t38", "softmodem", 4)[0], "+1555400", all_with),
        "decoded": Pair(through(engine, ("decode", "force"), "t38", "softmodem"), "+1555500", all_with, retry=AGAIN),
        "forced": Pair(through(engine, ("force", "decode"), "softmodem", "t38"), "+1555600", all_with, retry=AGAIN),
    }


@fact
def t38_carries_pages_from_provider_to_provider():
    pairs["t38"].all_arrive(T38, T38)


@fact
def g711_carries_pages_from_provider_to_provider():
    pairs["g711"].all_arrive(PCMU, PCMU)


@fact
def the_other_law_of_g711_does_too():
    pairs["pcma"].all_arrive(PCMA, PCMA)


def said(call, fax):
    """The messages of SIP in the last call of one of the two faxes."""
    return call.server.get(f"/v1/faxes/{fax}/attempts/{call.attempt(fax)['number']}/trace")["sip"]


@fact
def a_far_end_that_refuses_t38_gets_g711():
    pairs["refused"].all_arrive(PCMU, PCMU)
    call = pairs["refused"].calls[1, True]
    lines = [message["text"].splitlines()[0] for message in said(call, call.fax)]
    same([line for line in lines if " 488 " in line], ["SIP/2.0 488 Not Acceptable Here"])


@fact
def t38_becomes_g711_in_a_gateway():
    pairs["decoded"].all_arrive(T38_GATEWAY, PCMU_GATEWAY)


@fact
def g711_becomes_t38_in_a_gateway():
    pairs["forced"].all_arrive(PCMU_GATEWAY, T38_GATEWAY)


def milliseconds(text):
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1000 + 0.5)


@fact
def a_call_is_connected_when_sip_says_so_at_both_ends():
    for name in ("t38", "g711"):
        call = pairs[name].calls[1, True]
        for fax in (call.fax, call.received()["id"]):
            attempt, messages = call.attempt(fax), said(call, fax)
            answer = next(i for i, m in enumerate(messages) if m["text"].startswith("SIP/2.0 200") and "m=" in m["text"])
            later = [m["at_ms"] for m in messages[answer + 1:] if not m["text"].startswith("ACK")]
            later.append(milliseconds(attempt["ended_at"]) - milliseconds(attempt["connected_at"]))
            # Times of the trace are those since the call was connected; ours is written a moment before it is sent.
            same((name, messages[0]["at_ms"] <= 0 < later[0], messages[answer]["at_ms"] < later[0]), (name, True, True))


if __name__ == "__main__":
    try:
        pairs = start()
        status = main()
    finally:
        rig.close()
    sys.exit(status)
