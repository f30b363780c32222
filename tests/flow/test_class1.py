#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole faxes from modem to modem, in real time and side by side: two modems of the bench for each, so that all that
is between two faxd's lines is a telephone line. Every page arrives dot for dot; calls that go wrong end in a true
state. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, FINAL, PAGES, fact, joined, pixels, same, wait_for, within  # noqa: E402
from modem_lines import Bench, line, wait_line, wait_up  # noqa: E402
from sip_calls import Call, Rig, sanitized  # noqa: E402
from together import main  # noqa: E402

rig = Rig()
MANY = 3 if not sanitized() else 2
V17 = {"rate_bps": 14400, "modem": "V.17"}
ECM = {"ecm": True, "compression": "T.6"}
NO_ECM = {"ecm": False, "compression": "T.4 2D"}


class Pair:
    """A server with two providers, of one modem each: `out` calls, `in` is called. The bench is theirs alone."""

    def __init__(self, callee, settings="", make=None, **line_of):
        self.caller, self.callee = f"1{callee}", callee
        self.bench = rig.own(Bench(self.caller, callee, **line_of))
        if make:
            self.bench.say(f"make {self.caller} {make}")
        common = "check_s = 0\n caller_id = no\n dial_timeout_s = 40\n" + settings
        config = (FAST_RETRIES + self.bench.provider(common, name="out", numbers=[self.caller]) +
                  self.bench.provider(common, name="in", numbers=[callee], group="inbound"))
        self.server = rig.server(config)
        wait_up(self.server, self.bench, "out", [self.caller])
        wait_up(self.server, self.bench, "in", [callee])

    def call(self, path=PAGES[0], **more):
        return Call(self.server, self.callee, path, **more)

    def many(self, count=MANY):
        return joined(self.server.folder, *(PAGES * 3)[:count])


def arrives(call, record, pages=1):
    call.arrives(pages, {"mode": "class1", **record}, {"mode": "class1", **record})


@fact
def a_page_arrives_with_ecm():
    arrives(Pair("2001").call(), {**V17, **ECM})


@fact
def a_page_arrives_without_ecm():
    arrives(Pair("2002").call(route={"ecm": False}), {**V17, **NO_ECM})


@fact
def several_pages_arrive_with_ecm():
    pair = Pair("2003")
    arrives(pair.call(pair.many()), {**V17, **ECM}, MANY)


@fact
def several_pages_arrive_without_ecm():
    pair = Pair("2004")
    arrives(pair.call(pair.many(), route={"ecm": False}), {**V17, **NO_ECM}, MANY)


@fact
def pages_arrive_over_a_satellite():
    arrives(Pair("2005", delay_ms=400).call(), {**V17, **ECM})


@fact
def a_modem_without_v17_sends_with_v29():
    arrives(Pair("2006", make="old").call(), {"rate_bps": 9600, "modem": "V.29", **ECM})


@fact
def noise_on_the_line_costs_no_dot():
    arrives(Pair("2007", noise=-50).call(), ECM)


MANY_CALLS = {"max_attempts": 50}  # a receiver that was left alone is busy until it gives up


def wait_idle(pair):
    wait_for(lambda: all(line(pair.server, number, name)["state"] == "idle"
                         for name, number in (("out", pair.caller), ("in", pair.callee))), "both lines to be idle")


def in_page(pair, fax):
    """The call as soon as a page is on its way."""
    return wait_for(lambda: pair.server.fax(fax)["status"] == "sending", "a page to be on its way")


@fact
def a_modem_that_vanishes_in_a_page_ends_its_call_and_comes_back():
    pair = Pair("2011")
    call = pair.call(pair.many(2), retry=MANY_CALLS)
    in_page(pair, call.fax)
    pair.bench.say(f"fault {pair.caller} vanish")
    wait_line(pair.server, pair.caller, "down", "out")
    lost = pair.server.attempts(call.fax)[0]["outcome"]
    same(lost in ("carrier_lost", "disconnected", "line_unavailable", "internal"), True)
    pair.bench.say(f"fault {pair.caller} return")
    done = call.sent()
    same((done["status"], done["pages"]["confirmed"]), ("delivered", 2))
    same([attempt["outcome"] for attempt in pair.server.attempts(call.fax)][-1], "success")
    wait_idle(pair)


@fact
def a_call_is_aborted_in_a_page():
    pair = Pair("2012")
    call = pair.call(pair.many(2))
    in_page(pair, call.fax)
    same(pair.server.ask("POST", f"/v1/faxes/{call.fax}/cancel").status, 202)
    same(call.sent()["status"], "canceled")
    pair.bench.wait("hung_up", number=pair.caller)
    wait_idle(pair)
    again = pair.call()
    same(again.sent()["status"], "delivered")  # the modem is as good as before


@fact
def a_line_that_is_cut_in_a_page_goes_on_where_it_was():
    pair = Pair("2013")
    call = pair.call(pair.many(2), retry=MANY_CALLS)
    in_page(pair, call.fax)
    pair.bench.say(f"drop {pair.callee} after 1")
    pair.bench.wait("line_cut")
    done = call.sent()
    same((done["status"], done["pages"]["confirmed"]), ("delivered", 2))
    # What the pages of all its calls are together is the document.
    wanted = sorted(set(pixels(pair.server.document(call.fax))))
    wait_for(lambda: received_pages(pair) == wanted, "all pages to be there")


def received_pages(pair):
    """Of all faxes that came in, each page once."""
    ended = [fax for fax in pair.server.inbound(pair.callee) if fax["status"] in FINAL and fax["pages"]["total"]]
    return sorted({page for fax in ended for page in pixels(pair.server.document(fax["id"]))})


@fact
def who_called_is_in_the_record():
    pair = Pair("2014", "caller_id = yes\n")
    call = pair.call()
    same(call.sent()["status"], "delivered")
    received = call.received()
    same(received["from"], pair.caller)
    within("class1", pair.server.attempts(received["id"])[-1]["transport"]["mode"])


if __name__ == "__main__":
    try:
        status = main()
    finally:
        rig.close()
    sys.exit(status)
