#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A caller that sends frames made to break the far end loses its own call and nothing else. Prints TAP.

The lines of provider "bad" run an engine (hostile-t30) that is told by its station id what to send."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (BUILD, FAST_RETRIES, FINAL, PAGES, exchange, fact, main, pixels, running, same,  # noqa: E402
                  started, wait_for)

# What the called side says of it; None: the frame is one that only a sender reads, and the call goes on.
ATTACKS = {"DCS WIDTH": "protocol_error", "DCS RATE": "protocol_error", "DCS SHORT": "protocol_error",
           "DCS LONG": "protocol_error", "FCD SHORT": "protocol_error", "CTC": "protocol_error",
           "CTC SHORT": "protocol_error", "PPS SHORT": "protocol_error", "LONG": "protocol_error",
           **{f"RANDOM {n}": None for n in range(1, 9)}}
# What the calling side says when the called one is hostile.
ANSWERS = {"DIS SHORT": "protocol_error", "PPR SHORT": None}


def hostile(station=""):
    inside = f'station_id = "{station}" groups = {{bad}}' if station else "groups = {bad}"
    return exchange(lines=(("3001", "groups = {bad}"), ("3002", inside)), name="bad",
                    extra=f'engine = "{BUILD}/hostile-t30"')


def good_lines_work(server):
    fax = server.wait_state(server.send("1002"))
    same(fax["status"], "delivered")
    got = wait_for(lambda: [f for f in server.inbound("1002") if f["status"] == "received"], "the page")
    same(pixels(server.document(got[-1]["id"])), pixels(PAGES[0]))


@fact
def hostile_callers_lose_their_own_call():
    server = started(FAST_RETRIES + exchange() + hostile())
    for count, (attack, outcome) in enumerate(ATTACKS.items(), 1):
        fax = server.wait_state(server.send("3002", station_id="HOSTILE " + attack, route={"group": "bad"},
                                            retry={"max_attempts": 1}))
        same((attack, fax["status"] in FINAL, fax["status"] == "delivered" and outcome is not None), (attack, True, False))
        got = server.settled_inbound(count, "3002")[-1]
        if outcome:
            same((attack, got["status"], got["error"]["code"]), (attack, "failed", outcome))
            same((attack, bool(got["error"]["message"])), (attack, True))
    good_lines_work(server)
    same([p["restarts"] for p in server.get("/v1/providers")["data"]], [0, 0])


@fact
def hostile_answerers_lose_their_own_call():
    for attack, outcome in ANSWERS.items():
        server = started(FAST_RETRIES + exchange() + hostile("HOSTILE " + attack))
        fax = server.wait_state(server.send("3002", route={"group": "bad"}, retry={"max_attempts": 1}))
        if outcome:
            same((attack, fax["status"], fax["error"]["code"]), (attack, "failed", outcome))
        good_lines_work(server)
        running.pop().stop()


@fact
def an_engine_that_crashes_in_mid_page_costs_its_own_call():
    server = started(FAST_RETRIES + exchange() + hostile())
    fax = server.wait_state(server.send("3002", station_id="CRASH IN PAGE", route={"group": "bad"},
                                        retry={"max_attempts": 1}))
    same((fax["status"], fax["delivery"]), ("failed", "none"))
    good_lines_work(server)


@fact
def lost_and_refused_confirmations_are_told_as_they_are():
    server = started(FAST_RETRIES + exchange() + hostile("LOSSY MCF"))
    fax = server.wait_state(server.send("3002", route={"group": "bad"}, retry={"max_attempts": 3}))
    same((fax["status"], fax["delivery"], fax["calls"]), ("unconfirmed", "unconfirmed", 1))
    same(fax["error"]["code"], "confirmation_lost")
    good_lines_work(server)


if __name__ == "__main__":
    sys.exit(main())
