#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP calls with odd peers: sipp, which speaks no media, and a proxy that changes what two of our own providers say to
one another. The calls of all facts run side by side on one faxd. Prints TAP."""
import concurrent.futures
import os
import re
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faxd  # noqa: E402
from faxd import FAST_RETRIES, FINAL, PAGES, fact, joined, pixels, same, wait_for, within  # noqa: E402
from sip import free_port, provider  # noqa: E402
from sip_proxy import Message, Proxy  # noqa: E402
from sipp import (Sipp, ack, ack_refusal, answered, audio, both, cancel, image, invite, pause, receive,  # noqa: E402
                  reply, reply_first, request, rings, sdp)

AT_ONCE = 40  # facts; each has one or two calls
LINES = 48
LINE_SECONDS = 500  # patience for a call of one to three pages, which takes 30 to 60 s on an idle machine
NO_RETRY = {"max_attempts": 1}


class World:
    """The faxd, its proxy, and the numbers that are called."""

    def __init__(self):
        self.proxy = Proxy()
        self.deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # a trunk that never answers
        self.deaf.bind(("127.0.0.1", 0))
        self.ports = {name: free_port() for name in ("out", "in", "only", "either", "strict", "brief", "deaf", "busy",
                                                     "gone", "keeper", "patient")}
        self.numbers = iter(range(5550000, 5560000))
        self.sipps = []
        self.lock = threading.Lock()
        self.server = faxd.Faxd(self.config()).start()
        self.long_page = joined(self.server.folder, *PAGES[:3])

    def config(self):
        peer = {"peer": {"server": self.proxy.address, "options_s": 0, "user": "fax", "password": "secret"}}
        silent = {"peer": {"server": f"127.0.0.1:{self.deaf.getsockname()[1]}", "options_s": 0}}

        def one(name, lines, group, settings, first, trunks=None, media=(20000, 25999)):
            return provider(name, self.ports[name], trunks or peer, "t38", lines, group, settings, first=first,
                            media=media)

        return (FAST_RETRIES + one("out", LINES, "default", "invite_rate = 1000", 2001) +
                one("in", LINES, "inbound", "invite_rate = 1000", 4001, media=(26000, 31999)) +
                one("only", 4, "only", "t38_first = only", 6001) +
                one("either", 4, "either", "t38_first = both", 6101) +
                one("strict", 4, "strict", "t38_fallback = false", 6201) +
                one("brief", 4, "brief", "ring_timeout_ms = 2000\n response_timeout_ms = 1500", 6301) +
                one("keeper", 4, "keeper", "session_expires_s = 100", 6501) +
                one("patient", 4, "patient", "t38_request = called", 6801) +
                one("deaf", 1, "deaf", "response_timeout_ms = 1500", 6401, silent) +
                one("busy", 1, "none", "t38_request = never", 6601) +
                one("gone", 1, "none", "t38_request = never\n full = unavailable", 6701))

    def number(self):
        with self.lock:
            return str(next(self.numbers))

    def sipp(self, *steps, **options):
        one = Sipp(*steps, **options)
        with self.lock:
            self.sipps.append(one)
        return one

    # --- calls of ours to sipp ---

    def send(self, number, group="default", page=PAGES[0]):
        return self.server.send(number, page, retry=NO_RETRY, route={"group": group})

    def call(self, *steps, group="default", seconds=faxd.PATIENCE_S):
        """A fax to a sipp with these steps, which are all taken: its last attempt."""
        number = self.number()
        peer = self.sipp(*steps)
        self.proxy.route(number, peer.port)
        fax = self.send(number, group)
        peer.check()
        return self.ended(fax, seconds)

    def ended(self, fax, seconds=faxd.PATIENCE_S):
        """The first attempt, as soon as it is over; the fax is not tried again."""
        attempt = wait_for(lambda: next(iter(a for a in self.server.attempts(fax) if a.get("outcome")), None),
                           f"{fax} to have been tried", seconds)
        if self.server.fax(fax)["status"] not in FINAL:
            self.server.ask("POST", f"/v1/faxes/{fax}/cancel")
        return attempt

    def trace(self, fax, attempt=1):
        return self.server.get(f"/v1/faxes/{fax}/attempts/{attempt}/trace")

    # --- calls of sipp to us ---

    def comes(self, *steps, to="in"):
        """A call of a sipp with these steps, which are all taken: the received fax."""
        number = self.number()
        self.sipp(*steps, target=self.ports[to], service=number).check()
        return wait_for(lambda: next((f for f in self.server.faxes("direction=inbound&limit=200")
                                      if f["to"] == number and f["status"] in FINAL), None), "the call to be over")

    # --- calls of ours to ourselves, by the proxy ---

    def between(self, rule=None, group="default", page=PAGES[0]):
        """A call from "out" to "in": the proxy's view of it, and the fax."""
        number = self.number()
        call = self.proxy.route(number, self.ports["in"], rule)
        call.fax, call.to, call.page = self.send(number, group, page), number, page
        return call

    def delivered(self, call, mode="t38", seconds=LINE_SECONDS):
        """The fax went over whole, at the first attempt."""
        fax = self.server.wait_state(call.fax, seconds=seconds)
        same((fax["status"], fax["delivery"], fax["calls"], fax["transport"]["mode"]),
             ("delivered", "confirmed", 1, mode))
        got = self.server.settled_inbound(1, call.to)[0]
        same((got["status"], pixels(self.server.document(got["id"]))), ("received", pixels(call.page)))
        return fax

    def sending(self, call):
        """Wait until the page is on its way: the modems have trained."""
        self.server.wait_state(call.fax, "sending", seconds=LINE_SECONDS)

    def log(self):
        try:
            return self.server.log().splitlines()[-300:]
        except OSError:
            return ["all has ended"]

    def stop(self):
        try:
            for one in self.sipps:
                one.close()
            self.server.stop()
        finally:
            self.proxy.close()
            self.deaf.close()
        same(self.proxy.faults, [])


world = None
begun = {}


def call(function):
    """A fact about calls; they begin with all others."""
    def run():
        begun[function.__name__][1].result()
    run.__name__ = function.__name__
    begun[function.__name__] = function
    return fact(run)


def outcome(attempt):
    return attempt["outcome"], attempt.get("sip_status")


# ---- how a call is refused ----

REFUSALS = ((486, 0, "busy"), (600, 0, "busy"), (404, 0, "bad_address"), (484, 0, "bad_address"),
            (410, 0, "bad_address"),
            (604, 0, "bad_address"), (603, 0, "call_rejected"), (607, 0, "call_rejected"), (403, 0, "call_rejected"),
            (480, 0, "no_answer"), (408, 0, "no_answer"), (500, 0, "congestion"), (503, 0, "congestion"),
            (504, 0, "congestion"), (503, 17, "busy"), (503, 34, "congestion"), (503, 1, "bad_address"),
            (480, 18, "no_answer"), (486, 21, "call_rejected"), (500, 16, "congestion"))


@call
def each_refusal_has_its_outcome():
    def refusal(status, cause):
        reason = [f'Reason: Q.850;cause={cause};text="so"'] if cause else []
        return [receive("INVITE"), reply(f"{status} No", "", *reason, first=True, again=True), receive("ACK")]

    def one(row):
        status, cause, wanted = row
        attempt = world.call(*refusal(status, cause))
        same((status, cause, attempt["outcome"], attempt["sip_status"], attempt["q850"]),
             (status, cause, wanted, status, cause or None))

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(one, REFUSALS))


@call
def a_trunk_that_is_overloaded_is_tried_later():
    attempt = world.call(receive("INVITE"), reply("503 Full", "", "Retry-After: 120", first=True, again=True),
                         receive("ACK"))
    same(outcome(attempt), ("congestion", 503))


@call
def a_redirection_is_followed():
    other = world.sipp(receive("INVITE"), reply("486 Busy", first=True, again=True), receive("ACK"))
    attempt = world.call(receive("INVITE"), reply("302 Moved", "", f"Contact: <sip:other@127.0.0.1:{other.port}>",
                                                  first=True),
                         receive("ACK"))
    other.check()
    same(outcome(attempt), ("busy", 486))


@call
def a_redirection_to_nobody_ends_soon():
    attempt = world.call(receive("INVITE"), reply("302 Moved", "", f"Contact: <sip:other@127.0.0.1:{free_port()}>",
                                                  first=True),
                         receive("ACK"), group="brief", seconds=20)
    same(outcome(attempt), ("congestion", 503))


def declined(status):
    return [receive("INVITE", "m=image [1-9]"), reply(f"{status} No T.38", first=True, again=True), receive("ACK")]


@call
def t38_alone_in_the_invite_that_is_declined_is_followed_by_audio():
    for status in (488, 606, 415):
        number = world.number()
        second = world.sipp(receive("INVITE", "m=audio [1-9]"), reply("486 Busy", first=True, again=True),
                            receive("ACK"))

        def after(proxied, message, side, port=second.port, number=number):
            if message.is_request("ACK"):  # the next INVITE with this number goes there
                world.proxy.route(number, port)

        first = world.sipp(declined(status))
        world.proxy.route(number, first.port, after)
        fax = world.send(number, "only")
        first.check()
        second.check()
        same(outcome(world.ended(fax)), ("busy", 486))


@call
def t38_alone_in_the_invite_that_is_answered_with_port_0_is_followed_by_audio():
    number = world.number()
    second = world.sipp(receive("INVITE", "m=audio [1-9]"), reply("486 Busy", first=True, again=True), receive("ACK"))

    def rule(proxied, message, side):
        if message.is_request("ACK"):
            world.proxy.route(number, second.port)

    first = world.sipp(rings(image(0)), receive("BYE"), reply("200 OK"))
    world.proxy.route(number, first.port, rule)
    fax = world.send(number, "only")
    first.check()
    second.check()
    same(outcome(world.ended(fax)), ("busy", 486))


# ---- 401 and 407 ----

DIGEST = 'Digest realm="pbx", nonce="abc{}", algorithm=MD5, qop="auth"'


@call
def a_challenge_of_the_invite_is_answered():
    attempt = world.call(
        receive("INVITE"), reply("407 Who", "", "Proxy-Authenticate: " + DIGEST.format(1), first=True), receive("ACK"),
        receive("INVITE", 'Proxy-Authorization: Digest', 'username="fax"'), reply("486 Busy", first=True),
        receive("ACK"))
    same(outcome(attempt), ("busy", 486))


@call
def a_challenge_that_is_never_content_ends_the_call():
    challenge = [receive("INVITE"), reply("401 Who", "", "WWW-Authenticate: " + DIGEST.format(1), first=True),
                 receive("ACK")]
    attempt = world.call(*challenge, *challenge)
    same(outcome(attempt), ("line_unavailable", 401))


@call
def a_challenge_of_our_bye_is_answered():
    attempt = world.call(
        rings(sdp("m=image 0 udptl t38")), receive("BYE"),
        reply("401 Who", "", "WWW-Authenticate: " + DIGEST.format(1)), receive("BYE", "Authorization: Digest"),
        reply("200 OK"))
    same(attempt["outcome"], "t38_negotiation_failed")


@call
def a_challenge_of_our_reinvite_is_answered():
    def rule(proxied, message, side):
        if message.is_reinvite() and not message["Proxy-Authorization"]:
            proxied.reply(message, side, "407 Who", ("Proxy-Authenticate", DIGEST.format(2)))
            return []
        return swallow_ack(proxied, message)
    proxied = world.between(rule)
    world.delivered(proxied)
    same(proxied.count(lambda m: m.is_reinvite() and m["Proxy-Authorization"]) >= 1, True)


# ---- no answer ----

@call
def a_call_that_rings_is_cancelled_at_last():
    attempt = world.call(receive("INVITE", first=True), reply("180 Ringing", first=True), receive("CANCEL"),
                         reply("200 OK"),
                         *TERMINATED, group="brief")
    same(outcome(attempt), ("no_answer", 480))


TERMINATED = (reply_first("487 Terminated"), receive("ACK"))


@call
def a_trunk_that_takes_the_call_and_does_nothing():
    attempt = world.call(receive("INVITE", first=True), reply("100 Trying"), receive("CANCEL"), reply("200 OK"),
                         *TERMINATED,
                         group="brief")
    same(outcome(attempt), ("congestion", 503))


@call
def a_trunk_that_says_nothing_is_down():
    fax = world.send(world.number(), "deaf")
    attempt = world.ended(fax)
    same(outcome(attempt), ("line_unavailable", None))
    trunk = world.server.get("/v1/trunks/deaf/peer")
    same((trunk["state"], trunk["reason"]), ("down", "no answer to INVITE"))
    world.server.ask("POST", f"/v1/faxes/{fax}/cancel")


@call
def a_200_that_crosses_our_cancel_is_hung_up():
    attempt = world.call(receive("INVITE", first=True), reply("180 Ringing", first=True), receive("CANCEL"),
                         reply("481 Too late"), reply_first("200 OK", audio()), receive("ACK"),
                         receive("BYE"), reply("200 OK"), group="brief")
    same(attempt["outcome"], "no_answer")


# ---- answers that are odd ----

@call
def a_200_with_broken_sdp_is_hung_up():
    attempt = world.call(rings("v=0\nthis is no description\n"), receive("BYE"), reply("200 OK"))
    same(attempt["outcome"], "t38_negotiation_failed")


@call
def a_200_without_sdp_is_hung_up():
    attempt = world.call(receive("INVITE", first=True), reply("200 OK", first=True, again=True), receive("ACK"),
                         receive("BYE"), reply("200 OK"))
    same(attempt["outcome"], "t38_negotiation_failed")


@call
def early_media_in_a_183_stand_for_the_answer():
    attempt = world.call(receive("INVITE", first=True), reply("183 Early", audio(), first=True),
                         reply("200 OK", first=True, again=True), receive("ACK"), pause(300),
                         request("BYE", 1), receive(200))
    same(attempt["outcome"], "disconnected")


@call
def a_reliable_183_is_acknowledged():
    attempt = world.call(receive("INVITE", "Supported:.*100rel", first=True),
                         reply("183 Early", audio(), "Require: 100rel", "RSeq: 10", first=True, again=True),
                         receive("PRACK", "RAck: 10 [0-9]+ INVITE"), reply("200 OK"), reply_first("486 Busy"),
                         receive("ACK"))
    same(outcome(attempt), ("busy", 486))


# ---- hang-ups ----

@call
def a_far_end_that_hangs_up_at_once():
    attempt = world.call(rings(), request("BYE", 1, "", 'Reason: Q.850;cause=16;text="bye"'), receive(200))
    same((attempt["outcome"], attempt["q850"]), ("disconnected", 16))


@call
def a_caller_that_hangs_up_at_once():
    got = world.comes(answered(), hangs_up())
    same((got["status"], got["error"]["code"]), ("failed", "disconnected"))


# ---- calls that come ----

NEVER_HEARD = [receive(100, optional=True), receive(180, optional=True)]


def hangs_up(number=2):
    return [request("BYE", number, caller=True), receive(200, f"CSeq: {number} BYE")]


@call
def an_offerless_invite_gets_our_offer():
    got = world.comes(invite(), NEVER_HEARD, receive(200, "m=audio [1-9]"), ack(audio()), pause(500), hangs_up())
    same((got["status"], got["error"]["code"]), ("failed", "disconnected"))


@call
def an_offer_of_ours_that_nobody_answers_ends_the_call():
    got = world.comes(invite(), NEVER_HEARD, receive(200, "m=audio [1-9]"), ack(), receive("BYE"), reply("200 OK"))
    same((got["status"], got["error"]["code"]), ("failed", "disconnected"))


@call
def t38_in_the_first_invite_is_taken():
    world.comes(invite(image()), NEVER_HEARD, receive(200, "m=image [1-9]"), ack(), pause(300), hangs_up())


@call
def t38_beside_audio_is_taken():
    world.comes(invite(both()), NEVER_HEARD, receive(200, "m=audio 0 .*", "m=image [1-9]"), ack(), pause(300),
                hangs_up())


@call
def what_cannot_be_spoken_is_refused():
    number = world.number()
    refusals = ((audio().replace("0 8", "18"), 488, ()), ("nothing of the kind\n", 400, ()),
                (sdp("m=video 4000 RTP/AVP 31"), 488, ()), (image(0), 488, ()))
    for body, status, headers in refusals:
        world.sipp(invite(body, *headers), receive(100, optional=True), receive(status), ack_refusal(),
                   target=world.ports["in"], service=number).check()
    wrong = invite(audio()).replace("application/sdp", "text/plain")
    world.sipp(wrong, receive(100, optional=True), receive(415), ack_refusal(), target=world.ports["in"],
               service=number).check()
    same([f for f in world.server.faxes("direction=inbound&limit=200") if f["to"] == number], [])


@call
def a_session_that_is_too_short_is_told_what_is_enough():
    got = world.comes(invite(audio(), "Supported: timer", "Session-Expires: 30"), receive(100, optional=True),
                      receive(422, "Min-SE: 90"), ack_refusal(),
                      invite(audio(), "Supported: timer", "Session-Expires: 90", "Min-SE: 90", number=2), NEVER_HEARD,
                      receive(200, "Session-Expires: 90"), ack(number=2), hangs_up(3))
    same(got["status"], "failed")


@call
def unknown_methods_out_of_a_call_are_declined():
    number = world.number()
    for method, status in (("FOO", 501), ("MESSAGE", 405), ("SUBSCRIBE", 405), ("REFER", 405), ("INFO", 405)):
        world.sipp(invite(method=method), receive(status), target=world.ports["in"], service=number).check()
    world.sipp(invite(method="OPTIONS"), receive(200), target=world.ports["in"], service=number).check()
    for method in ("BYE", "UPDATE", "PRACK"):
        world.sipp(invite(method=method), receive(481), target=world.ports["in"], service=number).check()


@call
def a_caller_that_wants_reliable_ringing_gets_it():
    got = world.comes(invite(audio(), "Require: 100rel", "Supported: 100rel"), receive(100, optional=True),
                      receive(180, "Require:.*100rel", keep="RSeq"),
                      request("PRACK", 2, "", "RAck: [$kept] 1 INVITE", caller=True),
                      receive(200, "CSeq: 2 PRACK"), receive(200, "CSeq: 1 INVITE"), ack(), hangs_up(3))
    same(got["status"], "failed")


@call
def an_ack_that_never_comes_ends_the_call():
    got = world.comes(invite(audio()), NEVER_HEARD, receive(200), receive("BYE"), reply("200 OK"))
    same(got["status"], "failed")


@call
def a_caller_that_hangs_up_before_its_ack():
    got = world.comes(invite(audio()), NEVER_HEARD, receive(200), hangs_up())
    same((got["status"], got["error"]["code"]), ("failed", "disconnected"))


@call
def t38_that_the_caller_answers_with_port_0_leads_back_to_audio():
    """The audio line was given up by that answer, so it is asked for anew."""
    got = world.comes(answered(), receive("INVITE", "m=image [1-9]"), reply("200 OK", image(0)), receive("ACK"),
                      receive("INVITE", "m=audio [1-9]"), reply("200 OK", audio(version=3)), receive("ACK"), hangs_up())
    same(got["status"], "failed")


@call
def both_lines_of_an_offer_that_are_accepted_mean_t38():
    number = world.number()
    peer = world.sipp(receive("INVITE", "m=audio [1-9]", "m=image [1-9]", first=True),
                      reply("200 OK", both(), first=True, again=True), receive("ACK"), pause(500),
                      request("BYE", 1), receive(200))
    world.proxy.route(number, peer.port)
    fax = world.send(number, "either")
    peer.check()
    attempt = world.ended(fax)
    same((attempt["outcome"], attempt["transport"]["mode"]), ("disconnected", "t38"))


@call
def of_both_lines_audio_alone_may_be_accepted():
    number = world.number()
    peer = world.sipp(receive("INVITE", "m=audio [1-9]", "m=image [1-9]", first=True),
                      reply("200 OK", both(image_port=0), first=True, again=True), receive("ACK"), pause(500),
                      request("BYE", 1), receive(200))
    world.proxy.route(number, peer.port)
    fax = world.send(number, "either")
    peer.check()
    attempt = world.ended(fax)
    same((attempt["outcome"], attempt["transport"]["mode"]), ("disconnected", "audio"))


@call
def a_provider_with_no_free_line_says_so():
    for name, status in (("busy", 486), ("gone", 503)):
        first = world.sipp(answered(), receive("BYE"), reply("200 OK"), target=world.ports[name],
                           service=world.number())
        wait_for(lambda one=first: "ACK sip:" in one.read("messages"), "the first call to stand")
        world.sipp(invite(audio()), NEVER_HEARD, receive(status), ack_refusal(), target=world.ports[name],
                   service=world.number()).check()
        first.check()


# ---- the switch to T.38, with real faxes behind the proxy ----

def refuses(status):
    """Every offer of T.38 is declined."""
    def rule(proxied, message, side):
        if message.is_reinvite() and message.image:
            proxied.reply(message, side, f"{status} No")
            return []
        return swallow_ack(proxied, message)
    return rule


def swallow_ack(proxied, message):
    """The ACK of a refusal that the proxy gave goes no further: it has the branch of its INVITE."""
    invites = [m["Via"] for _, m in proxied.seen if m.is_request("INVITE")]
    return [] if message.is_request("ACK") and message["Via"] in invites else None


def falls_back(status):
    proxied = world.between(refuses(status))
    world.delivered(proxied, "audio")
    same({message.image for _, message in proxied.seen if message.is_reinvite()}, {True})


@call
def t38_refused_with_488_goes_on_in_audio():
    falls_back(488)


@call
def t38_refused_with_606_goes_on_in_audio():
    falls_back(606)


@call
def t38_refused_with_415_goes_on_in_audio():
    falls_back(415)


@call
def t38_refused_ends_the_call_where_audio_is_not_wanted():
    proxied = world.between(refuses(488), "strict")
    attempt = world.ended(proxied.fax)
    same(outcome(attempt), ("t38_negotiation_failed", 488))


@call
def glare_is_answered_with_491_and_tried_again():
    """Both sides ask at the same time: what is asked first is held until the other has asked too."""
    def rule(proxied, message, side):
        del side
        if message.is_reinvite() and proxied.count(lambda m: m.status == 491) == 0:
            asked = {where: m for where, m in reversed(proxied.seen) if m.is_reinvite()}
            if len(asked) < 2:
                return []
            if not crossed:
                crossed.append(True)
                for where, held in asked.items():
                    proxied.pass_on(held, where)
            return []
        return None
    crossed = []
    proxied = world.between(rule)
    world.delivered(proxied)
    same(proxied.count(lambda m: m.status == 491) >= 1, True)


@call
def a_491_without_end_leaves_the_call_in_audio():
    proxied = world.between(refuses(491))
    world.delivered(proxied, "audio")


@call
def an_answer_of_later_is_heeded():
    """503 with Retry-After: T.38 is asked for once more."""
    def rule(proxied, message, side):
        if message.is_reinvite() and proxied.count(lambda m: m.is_reinvite()) < 2:
            proxied.reply(message, side, "503 Later", ("Retry-After", "1"))
            return []
        return swallow_ack(proxied, message)
    world.delivered(world.between(rule))


@call
def t38_may_be_asked_for_late():
    def rule(proxied, message, side):
        del side
        if message.is_reinvite():
            asked.append(time.monotonic())
            if asked[-1] - asked[0] < 3:
                return []
        return None
    asked = []
    world.delivered(world.between(rule, "patient"))


@call
def a_cancel_that_comes_after_the_answer_is_too_late():
    def rule(proxied, message, side):
        if side == "called" and message.status == 200 and message.method == "INVITE":
            late = Message(next(m for _, m in proxied.seen if m.is_request("INVITE")).octets())
            late.start, late.body = late.start.replace("INVITE", "CANCEL"), ""
            late.set("CSeq", f"{late.number} CANCEL")
            proxied.proxy.send(late.octets(), proxied.addresses["called"])
        return [] if message.method == "CANCEL" else None
    proxied = world.between(rule)
    world.delivered(proxied)
    same(proxied.count(lambda m: m.method == "CANCEL" and m.status) >= 1, True)


@call
def every_message_twice_does_no_harm():
    world.delivered(world.between(lambda proxied, message, side: [message, message]))


@call
def every_message_lost_once_does_no_harm():
    def rule(proxied, message, side):
        del side
        key = (message.start, message["CSeq"], message["Via"])
        was_lost = key in lost or message.status == 100
        lost.add(key)
        return None if was_lost else []
    lost = set()
    world.delivered(world.between(rule))


# ---- in mid-page ----

@call
def t38_asked_for_again_in_mid_page_is_granted():
    """With the same description, and with a new version of it; by either side."""
    proxied = world.between()
    world.sending(proxied)
    for side in ("called", "caller", "called"):
        body = proxied.bodies[side]
        for text in (body, newer(body)):
            answer = proxied.ask(side, "INVITE", text)
            same((answer.status, answer.image), (200, True))
    world.delivered(proxied)


def newer(body):
    """The description with a higher version in o=."""
    return re.sub(r"(o=\S+ \d+ )(\d+)", lambda m: m.group(1) + str(int(m.group(2)) + 1), body)


@call
def audio_asked_for_in_mid_page_is_refused():
    proxied = world.between()
    first = proxied.wait(lambda m: m.status == 200 and m.method == "INVITE", "called").body
    asked = next(m for side, m in proxied.seen if m.is_request("INVITE")).body
    world.sending(proxied)
    same(proxied.ask("called", "INVITE", newer(first)).status, 488)
    same(proxied.ask("called", "INVITE", first, [("Supported", "timer"),
                                                 ("Session-Expires", "90;refresher=uac")]).status, 488)
    same(proxied.ask("caller", "INVITE", newer(asked)).status, 488)
    world.delivered(proxied)


@call
def t38_asked_for_after_training_is_refused():
    proxied = world.between(refuses(488))
    world.sending(proxied)
    for side in ("called", "caller"):
        answer = proxied.ask(side, "INVITE", image(41000, version=9))
        same(answer.status, 488)
    world.delivered(proxied, "audio")


@call
def an_offerless_invite_in_mid_page_gets_what_is_spoken():
    proxied = world.between()
    world.sending(proxied)
    for side in ("called", "caller"):
        answer = proxied.ask(side, "INVITE", acknowledge=proxied.bodies[side])
        same((answer.status, answer.image), (200, True))
        answer = proxied.ask(side, "INVITE")  # and an ACK that does not answer
        same((answer.status, answer.image), (200, True))
    world.delivered(proxied)


@call
def broken_descriptions_in_mid_page_are_refused():
    proxied = world.between()
    world.sending(proxied)
    for side in ("called", "caller"):
        same(proxied.ask(side, "INVITE", "nothing of the kind\n").status, 400)
        same(proxied.ask(side, "INVITE", sdp("m=video 4000 RTP/AVP 31")).status, 488)
        same(proxied.ask(side, "UPDATE", "nothing of the kind\n").status, 400)
        same(proxied.ask(side, "INVITE", image(0)).status, 488)
    world.delivered(proxied)


@call
def the_peer_refreshes_the_session_in_mid_page():
    proxied = world.between()
    world.sending(proxied)
    timer = [("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Min-SE", "90")]
    for side in ("called", "caller"):
        answer = proxied.ask(side, "UPDATE", "", timer)
        same((answer.status, answer["Session-Expires"].replace(" ", "")), (200, "90;refresher=uac"))
        answer = proxied.ask(side, "INVITE", proxied.bodies[side], timer)
        same((answer.status, answer["Session-Expires"].replace(" ", "")), (200, "90;refresher=uac"))
        answer = proxied.ask(side, "UPDATE", proxied.bodies[side], timer)
        same((answer.status, answer.image), (200, True))
        short = [("Supported", "timer"), ("Session-Expires", "30")]
        same([proxied.ask(side, method, "", short).status for method in ("UPDATE", "INVITE")], [422, 422])
    world.delivered(proxied)


@call
def unknown_methods_in_mid_page_do_no_harm():
    proxied = world.between()
    world.sending(proxied)
    for side in ("called", "caller"):
        for method in ("FOO", "MESSAGE", "REFER", "SUBSCRIBE"):
            status = proxied.ask(side, method).status
            same((method, 400 <= status < 700), (method, True))
        for method in ("INFO", "NOTIFY"):
            proxied.ask(side, method)
        same(proxied.ask(side, "OPTIONS").status, 200)
    world.delivered(proxied)


@call
def we_refresh_with_what_is_spoken_where_update_is_not_known():
    def rule(proxied, message, side):
        message.set("Allow", "INVITE, ACK, BYE, CANCEL")
        if side == "called" and message.status == 200 and message.method == "INVITE":
            message.set("Session-Expires", "20;refresher=uac")
        return None
    proxied = world.between(rule)
    world.delivered(proxied)
    refreshes = [m for side, m in proxied.seen if side == "caller" and m.is_reinvite()]
    same((len(refreshes) >= 1, {m.image for m in refreshes}, proxied.count(lambda m: m.is_request("UPDATE"))),
         (True, {True}, 0))


@call
def we_refresh_by_update_where_it_is_known():
    """The pages take longer than half the session."""
    def rule(proxied, message, side):
        if side == "called" and message.status == 200 and message.method == "INVITE":
            message.set("Session-Expires", "90;refresher=uac")
        elif side == "called" and message.is_reinvite():
            message.set("Session-Expires", "90;refresher=uas")
        return None
    proxied = world.between(rule, page=world.long_page)
    world.delivered(proxied)
    updates = [m for side, m in proxied.seen if side == "caller" and m.is_request("UPDATE")]
    same((len(updates) >= 1, {m.body for m in updates}), (True, {""}))
    same(proxied.count(lambda m: m.is_reinvite() and not m.image), 0)


@call
def the_called_refreshes_what_the_caller_wants_kept():
    proxied = world.between(group="keeper", page=world.long_page)
    world.delivered(proxied)
    same(proxied.count(lambda m: m.is_request("UPDATE")) >= 1, True)
    same(proxied.count(lambda m: m.is_reinvite() and not m.image), 0)


@call
def a_session_too_short_for_the_peer_is_asked_for_longer():
    def rule(proxied, message, side):
        if message.is_request("INVITE") and side == "caller" and not message["Session-Expires"].startswith("200"):
            proxied.reply(message, side, "422 Too Small", ("Min-SE", "200"))
            return []
        return swallow_ack(proxied, message)
    proxied = world.between(rule, "keeper")
    world.delivered(proxied)
    same(proxied.count(lambda m: m.is_request("INVITE") and m["Session-Expires"].startswith("200")) >= 1, True)


@call
def the_far_end_hangs_up_in_mid_page():
    proxied = world.between()
    world.sending(proxied)
    same(proxied.ask("called", "BYE").status, 200)
    attempt = world.ended(proxied.fax)
    same(attempt["outcome"], "disconnected")
    same(proxied.ask("caller", "BYE").status, 200)
    got = world.server.settled_inbound(1, proxied.to)[0]
    same((got["status"], got["error"]["code"]), ("failed", "disconnected"))


# ---- on a faxd of their own ----

@call
def a_call_that_is_cancelled_while_it_rings_is_gone():
    """faxd itself is stopped, so that nobody answers."""
    port = free_port()
    server = faxd.Faxd(FAST_RETRIES + provider("in", port, {"peer": {"server": "127.0.0.1:9", "options_s": 0}},
                                               settings="ring_timeout_ms = 4000")).start()
    try:
        os.kill(server.process.pid, signal.SIGSTOP)
        world.sipp(invite(audio()), receive(100, optional=True), receive(180), cancel(), receive(200), receive(487),
                   ack_refusal(), target=port, service="1").check()
        world.sipp(invite(audio()), receive(100, optional=True), receive(180), receive(480), ack_refusal(), target=port,
                   service="2").check()
        os.kill(server.process.pid, signal.SIGCONT)
        world.sipp(answered(), hangs_up(), target=port, service="3").check()
        server.settled_inbound(1, "3")
        server.stop()
    finally:
        server.kill_all()


@call
def a_call_that_faxd_has_no_room_for_is_declined():
    for setting, status in (("", 603), ("reject = busy", 486)):
        port = free_port()
        server = faxd.Faxd("store { min_free_mib = 1000000000 }\n" + FAST_RETRIES + provider(
            "in", port, {"peer": {"server": "127.0.0.1:9", "options_s": 0}}, settings=setting)).start()
        try:
            world.sipp(invite(audio()), receive(100, optional=True), receive(180), receive(status), ack_refusal(),
                       target=port, service="1").check()
            server.stop()
        finally:
            server.kill_all()


@fact
def nothing_is_left_of_all_these_calls():
    """The hosts end in order; a sanitizer would have told of what they still held."""
    world.stop()


if __name__ == "__main__":
    only = sys.argv[1:]
    world = World()
    pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    for name, function in begun.items():
        if not only or name in only:
            begun[name] = (function, pool.submit(function))
    status = faxd.main()
    pool.shutdown()
    if status:
        print("# log: " + "\n# log: ".join(world.log()))
    if only and "nothing_is_left_of_all_these_calls" not in only:
        world.stop()
    sys.exit(status)
