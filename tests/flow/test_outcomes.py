#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that do not go well: each ends in the right state, with the right outcome, attempt record and webhook. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (FAST_RETRIES, PAGES, Receiver, exchange, fact, joined, main, pixels, same, signed_by,  # noqa: E402
                  started, wait_for, within)

NUMBERS = "numbers.2001.behaviour = busy\nnumbers.2002.behaviour = no_answer\nnumbers.2003.behaviour = decline"


def with_webhook(server, receiver):
    reply = server.ask("POST", "/v1/webhook-endpoints", {"url": receiver.url + "/hook"})
    same(reply.status, 201)
    return reply.json["secret"]


def told(receiver, secret, fax, *types):
    """The webhooks of a fax, in the order of their sequence, end with these types and are signed."""
    def look():
        events = sorted((e for e in receiver.events("/hook") if e["data"].get("id") == fax), key=lambda e: e["sequence"])
        return [e["type"] for e in events][-len(types):] == list(types)
    wait_for(look, f"webhooks {types}, got {[(e['type'], e['data'].get('id')) for e in receiver.events('/hook')]}", 30)
    with receiver.lock:
        for _, headers, body in receiver.got:
            same(signed_by(secret, headers, body), True)


class Told:
    """A started server with a webhook for everything, and its receiver."""

    def __init__(self, providers):
        self.providers = providers

    def __enter__(self):
        self.receiver = Receiver()
        try:
            self.server = started(FAST_RETRIES + self.providers)
            self.secret = with_webhook(self.server, self.receiver)
        except BaseException:
            self.receiver.close()
            raise
        return self

    def check(self, fax, *types):
        told(self.receiver, self.secret, fax, *types)

    def __exit__(self, *_):
        self.receiver.close()


def ends(to, status, outcome, *types, calls=1, **options):
    """A fax to the number ends so, and the webhooks tell it."""
    receiver = Receiver()
    try:
        server = started(FAST_RETRIES + exchange(NUMBERS + "\nring_timeout_ms = 1500"))
        secret = with_webhook(server, receiver)
        fax = server.wait_state(server.send(to, **options))
        same((fax["status"], fax["delivery"], fax["error"]["code"], fax["calls"]), (status, "none", outcome, calls))
        attempts = server.attempts(fax["id"])
        same([a["outcome"] for a in attempts], [outcome] * calls)
        same([(a["pages_confirmed"], a["error"]["code"]) for a in attempts], [(0, outcome)] * calls)
        same(server.inbound(), [])
        told(receiver, secret, fax["id"], *types)
        return fax
    finally:
        receiver.close()


@fact
def a_busy_number_is_called_again_as_often_as_asked():
    fax = ends("2001", "failed", "busy", "fax.dialing", "fax.retry_scheduled", "fax.dialing", "fax.failed", calls=2,
               retry={"max_attempts": 2})
    same((fax["attempts"], fax["error"]["fs_status"], fax["error"]["class"]), (2, "FS_BUSY", "call"))


@fact
def a_number_that_does_not_answer():
    fax = ends("2002", "failed", "no_answer", "fax.dialing", "fax.failed", retry={"max_attempts": 1})
    same(fax["error"]["fs_status"], "FS_NO_ANSWER")


@fact
def an_unknown_number_is_not_called_again():
    fax = ends("2999", "failed", "bad_address", "fax.dialing", "fax.failed")
    same((fax["error"]["fs_status"], fax["error"]["retryable"]), ("FS_BAD_ADDRESS", False))


@fact
def a_number_that_declines_the_call():
    with Told(exchange(NUMBERS)) as told_of:
        server = told_of.server
        fax = server.wait_state(server.send("2003", retry={"max_attempts": 1}))
        same((fax["status"], fax["delivery"]), ("failed", "none"))
        same(len(server.attempts(fax["id"])), 1)
        told_of.check(fax["id"], "fax.dialing", "fax.failed")


def dropped_line(page_ms):
    """Line 1002 is cut after so much line time."""
    return exchange(lines=("1001", ("1002", f"settings {{ drop_after_ms = {page_ms} }}"), "1003"))


@fact
def the_far_end_hangs_up_in_mid_page():
    with Told(dropped_line(15000)) as told_of:
        server = told_of.server
        fax = server.wait_state(server.send("1002", retry={"max_attempts": 1}))
        same((fax["status"], fax["delivery"], fax["error"]["code"]), ("failed", "none", "disconnected"))
        got = server.settled_inbound(1)[0]
        same((got["status"], got["pages"]["total"], got["delivery"]), ("failed", 0, "none"))
        told_of.check(fax["id"], "fax.dialing", "fax.connected", "fax.failed")
        told_of.check(got["id"], "inbound.failed")


@fact
def a_retry_goes_on_with_the_first_unconfirmed_page_and_the_receiver_keeps_whole_pages():
    receiver = Receiver()
    try:
        server = started(FAST_RETRIES + dropped_line(40000))
        secret = with_webhook(server, receiver)
        path = joined(server.folder, *PAGES)
        fax = server.wait_state(server.send("1002", path, retry={"max_attempts": 6}))
        same((fax["status"], fax["delivery"], fax["pages"]["confirmed"]), ("delivered", "confirmed", 4))
        attempts = server.attempts(fax["id"])
        same(len(attempts) > 1, True)
        confirmed = 0
        for attempt in attempts:
            same(attempt["first_page"], confirmed + 1)
            confirmed += attempt["pages_confirmed"]
        same((confirmed, [a["outcome"] for a in attempts][-1]), (4, "success"))
        same({a["outcome"] for a in attempts[:-1]}, {"disconnected"})
        got = server.settled_inbound(len(attempts))
        same({f["status"] for f in got[:-1]} <= {"partially_received", "failed"}, True)
        held = [line for f in got if f["pages"]["total"] for line in pixels(server.document(f["id"]))]
        same(held, pixels(path))
        told(receiver, secret, fax["id"], "fax.retry_scheduled", "fax.dialing", "fax.connected", "fax.delivered")
    finally:
        receiver.close()


@fact
def a_retry_may_send_page_one_again_or_all():
    server = started(FAST_RETRIES + dropped_line(52000))
    path = joined(server.folder, *PAGES)
    want = pixels(path)
    fax = server.wait_state(server.send("1002", path, retry={"max_attempts": 6, "resume": "first_and_remaining"}))
    same(fax["status"], "delivered")
    attempts = server.attempts(fax["id"])
    got = server.settled_inbound(len(attempts))
    for attempt, received in zip(attempts, got):
        if received["pages"]["total"]:
            same(pixels(server.document(received["id"]))[0], want[0])
    fax = server.send("1002", path, retry={"max_attempts": 2, "resume": "all"})
    ended = server.wait_state(fax)
    same((ended["status"], ended["delivery"]), ("partially_delivered", "partial"))
    same([a["first_page"] for a in server.attempts(fax)], [1, 1])


@fact
def a_cancel_while_dialling():
    receiver = Receiver()
    try:
        server = started(FAST_RETRIES + exchange(NUMBERS + "\nring_timeout_ms = 60000"))
        secret = with_webhook(server, receiver)
        fax = server.send("2002")
        server.wait_state(fax, "dialing")
        same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
        ended = server.wait_state(fax)
        same((ended["status"], ended["delivery"], ended["error"]["code"]), ("canceled", "none", "aborted"))
        same([a["outcome"] for a in server.attempts(fax)], ["aborted"])
        told(receiver, secret, fax, "fax.dialing", "fax.canceled")
    finally:
        receiver.close()


@fact
def a_cancel_in_mid_page():
    with Told(exchange(pace=10)) as told_of:
        server = told_of.server
        path = joined(server.folder, *PAGES)
        fax = server.send("1002", path)
        wait_for(lambda: server.fax(fax)["pages"]["confirmed"] >= 1, "the first page to be confirmed")
        same(server.fax(fax)["status"], "sending")
        same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
        ended = server.wait_state(fax)
        same((ended["status"], ended["delivery"], ended["error"]["code"]), ("canceled", "partial", "aborted"))
        got = server.settled_inbound(1)[0]
        same(got["status"], "partially_received")
        held = pixels(server.document(got["id"]))
        same(held, pixels(path)[:len(held)])
        same(len(held) >= ended["pages"]["confirmed"], True)
        told_of.check(fax, "fax.dialing", "fax.connected", "fax.canceled")
        told_of.check(got["id"], "inbound.partially_received")


@fact
def a_cancel_before_any_call_and_after_the_end():
    server = started(FAST_RETRIES + exchange())
    held = server.send("1002", hold=True)
    server.wait_state(held, "held")
    same(server.ask("POST", f"/v1/faxes/{held}/cancel").json["status"], "canceled")
    same(server.fax(held)["calls"], 0)
    done = server.send("1002")
    same(server.wait_state(done)["status"], "delivered")
    reply = server.ask("POST", f"/v1/faxes/{done}/cancel")
    same(reply.status, 409)
    within("delivered", reply.json["detail"])


@fact
def one_call_at_a_time_goes_to_a_number():
    server = started(FAST_RETRIES + exchange(pace=20))
    faxes = [server.send("1003") for _ in range(3)]
    waiting = wait_for(lambda: [f for f in map(server.fax, faxes) if f["reason"] == "destination_busy"],
                       "a fax to wait for the number")
    same({f["status"] for f in waiting}, {"queued"})
    for fax in faxes:
        ended = server.wait_state(fax)
        same((ended["status"], ended["calls"]), ("delivered", 1))


@fact
def the_simulator_plays_what_the_number_says():
    server = started(FAST_RETRIES + exchange() + 'provider "sim" {\n module = simulator\n line "4001" {}\n line "4002" {}\n}\n')
    reply = server.ask("POST", "/v1/api-keys", {"name": "test", "scopes": ["fax:send", "fax:read"], "test": True})
    same(reply.status, 201)
    key = reply.json["token"]
    fax = server.wait_state(server.send("1", key=key))
    same((fax["status"], fax["test"], fax["line"].split("/")[0]), ("delivered", True, "sim"))
    real = server.wait_state(server.send("1002"))
    same((real["test"], real["line"].split("/")[0]), (False, "exchange"))


@fact
def a_call_that_ignores_its_abort_costs_its_line_until_the_provider_is_replaced():
    server = started(FAST_RETRIES + exchange() + 'provider "sim" {\n module = simulator\n abort_grace = 1\n'
                     ' settings { answer_ms = 300 }\n line "4001" {}\n line "4002" {}\n}\n')
    key = server.ask("POST", "/v1/api-keys", {"name": "test", "scopes": ["fax:send", "fax:read", "fax:cancel"],
                                              "test": True}).json["token"]
    host = next(p for p in server.get("/v1/providers")["data"] if p["name"] == "sim")["pid"]
    deaf = server.send("*6", key=key)
    server.wait_state(deaf, "negotiating", "sending")
    same(server.ask("POST", f"/v1/faxes/{deaf}/cancel", key=key).status, 202)
    ended = server.wait_state(deaf)
    same((ended["status"] in ("canceled", "unconfirmed"), ended["delivery"] in ("none", "unconfirmed")), (True, True))
    provider = wait_for(lambda: next((p for p in server.get("/v1/providers")["data"]
                                      if p["name"] == "sim" and p["state"] == "up" and p["pid"] != host), None),
                        "the provider to be replaced")
    same(provider["restarts"], 1)
    same(server.wait_state(server.send("1", key=key))["status"], "delivered")
    same(server.wait_state(server.send("1002"))["status"], "delivered")


if __name__ == "__main__":
    sys.exit(main())
