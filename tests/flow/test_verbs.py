#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be done with a fax that is there: changed while it waits, called again, sent anew, sent on. Prints TAP."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (FAST_RETRIES, PAGES, Script, document, exchange, fact, joined, main, pixels, same,  # noqa: E402
                  started, within)

LATER, MUCH_LATER = "2099-01-01T00:00:00.000Z", "2099-06-01T00:00:00.000Z"


def verb(server, fax, name, body=None, key=None, headers=None):
    return server.ask("POST", f"/v1/faxes/{fax}/{name}", body, headers, key)


def change(server, fax, body):
    return server.ask("PATCH", "/v1/faxes/" + fax, body)


def problem(reply):
    return reply.status, reply.json["code"]


def test_key(server, *scopes):
    reply = server.ask("POST", "/v1/api-keys", {"name": "t", "scopes": list(scopes), "test": True})
    same(reply.status, 201)
    return reply.json["token"]


def dropping(ms):
    """Line 1002 is cut after so much line time."""
    return exchange(lines=("1001", ("1002", f"settings {{ drop_after_ms = {ms} }}"), "1003"))


# --- PATCH ---

@fact
def a_fax_that_waits_is_changed_and_follows_its_time():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002", not_before=LATER, tags=["a"], client_reference="one")
    server.wait_state(fax, "scheduled")
    reply = change(server, fax, {"priority": "urgent", "tags": ["b", "c"], "client_reference": "two",
                                 "not_before": MUCH_LATER})
    now = reply.json
    same((reply.status, now["status"], now["priority"], now["tags"], now["client_reference"], now["next_attempt_at"]),
         (200, "scheduled", "urgent", ["b", "c"], "two", MUCH_LATER))
    same(server.fax(fax), now)
    same([f["id"] for f in server.faxes("client_reference=two")], [fax])
    now = change(server, fax, {"tags": [], "client_reference": None}).json
    same((now["tags"], now["client_reference"], now["priority"]), ([], None, "urgent"))
    same(change(server, fax, {"not_before": None}).json["status"], "queued")
    same(server.wait_state(fax)["status"], "delivered")
    same(problem(change(server, fax, {"priority": "bulk"})), (409, "conflict"))
    same(problem(change(server, server.settled_inbound(1)[0]["id"], {"priority": "bulk"})), (409, "conflict"))


@fact
def when_a_fax_is_given_up_can_be_changed_while_it_waits():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    fax = server.send("2001", not_before=LATER)
    server.wait_state(fax, "scheduled")
    now = change(server, fax, {"expires_at": MUCH_LATER, "max_attempts": 2}).json
    same((now["expires_at"], now["max_attempts"]), (MUCH_LATER, 2))
    for body, fault in (({"expires_at": "2020-01-01T00:00:00Z"}, ("/expires_at", "in_the_past")),
                        ({"expires_at": LATER}, ("/expires_at", "after_expires_at")),
                        ({"not_before": MUCH_LATER}, ("/not_before", "after_expires_at")),
                        ({"max_attempts": 0}, ("/max_attempts", "out_of_range")),
                        ({"max_attempts": None}, ("/max_attempts", "wrong_type"))):
        reply = change(server, fax, body)
        same((body, reply.status, fault in reply.codes() or reply.codes()), (body, 422, True))
    now = change(server, str(now["number"]), {"not_before": None, "expires_at": None}).json  # by its number
    same((now["id"], now["expires_at"]), (fax, None))
    ended = server.wait_state(fax)
    same((ended["status"], ended["attempts"]), ("failed", 2))
    same(server.ask("GET", "/v1/faxes/999999").status, 404)


@fact
def a_queued_fax_is_put_off_and_a_held_one_keeps_its_time():
    server = started(FAST_RETRIES + exchange(lines=("1001", "1002"), pace=1))
    first, second = server.send("1002", hold=True), server.send("1002", hold=True)
    for fax in (first, second):
        server.wait_state(fax, "held")
        same(verb(server, fax, "release").status, 200)
    server.wait_state(first, "dialing", "negotiating", "sending")
    same(problem(change(server, first, {"priority": "bulk"})), (409, "conflict"))
    server.wait_state(second, "queued")
    same(change(server, second, {"not_before": LATER}).json["status"], "scheduled")
    same(verb(server, first, "cancel").status, 202)
    held = server.send("1002", hold=True)
    server.wait_state(held, "held")
    same(change(server, held, {"not_before": LATER}).json["status"], "held")
    same(verb(server, held, "release").json["status"], "scheduled")


@fact
def a_change_is_told_with_the_names_of_what_changed():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002", hold=True)
    server.wait_state(fax, "held")
    for body, names in (({"priority": "urgent"}, ["priority"]),
                        ({"tags": ["a"], "client_reference": "r", "not_before": None},
                         ["not_before", "tags", "client_reference"])):
        same(change(server, fax, body).status, 200)
        event = server.get(f"/v1/faxes/{fax}/events")["data"][-1]
        same((event["type"], event["data"]["id"], event["data"]["changed"]), ("fax.changed", fax, names))
    count = len(server.events(fax))
    same(change(server, fax, {}).status, 200)
    same(change(server, fax, {"priority": "no"}).status, 422)
    same(len(server.events(fax)), count)


@fact
def what_cannot_be_changed_is_told_with_every_fault():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002", hold=True, expires_at=LATER)
    server.wait_state(fax, "held")
    before = server.fax(fax)
    reply = change(server, fax, {"priority": "soon", "tags": "x", "client_reference": "", "not_before": 7, "to": "1"})
    same((reply.status, reply.codes()),
         (422, {("/priority", "unknown_word"), ("/tags", "wrong_type"), ("/client_reference", "too_short"),
                ("/not_before", "wrong_type"), ("/to", "unknown_key")}))
    reply = change(server, fax, {"not_before": MUCH_LATER, "priority": "bulk"})
    same((reply.status, reply.codes()), (422, {("/not_before", "after_expires_at")}))
    reply = change(server, fax, {"priority": None})
    same((reply.status, reply.codes()), (422, {("/priority", "wrong_type")}))
    same(server.fax(fax), before)
    same(problem(change(server, "fax_NONE", {"priority": "bulk"})), (404, "no_such_fax"))
    reply = server.ask("PATCH", "/v1/faxes/" + fax, {"priority": "bulk"}, key=server.key_with("fax:send"))
    same(problem(reply), (403, "insufficient_scope"))


# --- retry ---

@fact
def a_retry_goes_on_with_the_first_page_that_was_not_confirmed():
    server = started(FAST_RETRIES + dropping(40000))
    path = joined(server.folder, *PAGES)
    fax = server.send("1002", path, retry={"max_attempts": 1})
    ended = server.wait_state(fax)
    same((ended["status"], ended["attempts"]), ("partially_delivered", 1))
    confirmed = ended["pages"]["confirmed"]
    rounds = 0
    while ended["status"] != "delivered":
        same(ended["status"], "partially_delivered")
        reply = verb(server, fax, "retry")
        same((reply.status, reply.json["id"], reply.json["status"], reply.json["attempts"], reply.json["timing"]["ended"]),
             (202, fax, "queued", 0, None))
        ended = server.wait_state(fax)
        rounds += 1
        same((ended["attempts"], ended["calls"]), (1, rounds + 1))
        same(server.attempts(fax)[-1]["first_page"], confirmed + 1)
        confirmed = ended["pages"]["confirmed"]
    same((confirmed, rounds > 0), (4, True))
    got = server.settled_inbound(rounds + 1)
    same([line for f in got if f["pages"]["total"] for line in pixels(server.document(f["id"]))], pixels(path))
    same(server.events(fax).count("fax.retry_scheduled"), rounds)
    same(problem(verb(server, fax, "retry")), (409, "conflict"))


@fact
def a_retry_has_all_attempts_before_it_and_is_asked_for_once():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    fax = server.send("2001", retry={"max_attempts": 2})
    same(server.wait_state(fax)["attempts"], 2)
    replies = [verb(server, fax, "retry", headers={"Idempotency-Key": "again"}) for _ in range(3)]
    same([(r.status, r.headers["Idempotent-Replayed"]) for r in replies], [(202, None), (202, "true"), (202, "true")])
    ended = server.wait_state(fax)
    same((ended["status"], ended["attempts"], ended["calls"], ended["error"]["code"]), ("failed", 2, 4, "busy"))
    same(verb(server, fax, "retry").status, 202)
    same(problem(verb(server, fax, "retry")), (409, "conflict"))
    same(server.wait_state(fax)["calls"], 6)


@fact
def what_may_have_arrived_is_called_again_only_when_that_is_said():
    with Script() as script:
        script.write("3009", {"outcome": "success", "pages_confirmed": 0, "end_sent": True, "final_confirmed": False})
        server = started(FAST_RETRIES + script.provider())
        fax = server.send("3009")
        ended = server.wait_state(fax)
        same((ended["status"], ended["delivery"]), ("unconfirmed", "unconfirmed"))
        for body in (None, {}, {"confirm": False}):
            reply = verb(server, fax, "retry", body)
            same(problem(reply), (409, "unconfirmed"))
            within("twice", reply.json["detail"])
        reply = verb(server, fax, "retry", {"confirm": "yes", "sure": True})
        same((reply.status, reply.codes()), (422, {("/confirm", "wrong_type"), ("/sure", "unknown_key")}))
        same((server.fax(fax)["calls"], server.fax(fax)["status"]), (1, "unconfirmed"))
        same(verb(server, fax, "retry", {"confirm": True}).status, 202)
        ended = server.wait_state(fax)
        same((ended["status"], ended["calls"]), ("unconfirmed", 2))


@fact
def what_was_canceled_or_has_expired_is_retried_and_what_has_no_pages_is_not():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002", hold=True)
    server.wait_state(fax, "held")
    same(problem(verb(server, fax, "retry")), (409, "conflict"))
    verb(server, fax, "cancel")
    same(verb(server, fax, "retry").status, 202)
    same(server.wait_state(fax)["status"], "delivered")
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    late = server.send("1003", hold=True, expires_at=soon)
    ended = server.wait_state(late)
    same((ended["status"], ended["error"]["code"]), ("expired", "expired"))
    now = verb(server, late, "retry").json
    same((now["status"], now["expires_at"], now.get("error")), ("queued", None, None))
    same(server.wait_state(late)["status"], "delivered")
    bad = server.accepted(server.post([document(b"%PDF-1.4 nothing")]))
    same(server.wait_state(bad)["status"], "failed")
    same(problem(verb(server, bad, "retry")), (409, "conflict"))
    same(problem(verb(server, server.settled_inbound(2)[0]["id"], "retry")), (409, "conflict"))
    gone = server.send("1002", hold=True)
    server.wait_state(gone, "held")
    verb(server, gone, "cancel")
    same(server.ask("DELETE", "/v1/faxes/" + gone).status, 200)
    for name, body in (("retry", None), ("resend", None), ("forward", {"to": "1003"})):
        same(problem(verb(server, gone, name, body)), (410, "purged"))


# --- resend ---

@fact
def a_resent_fax_is_a_new_one_with_the_same_pages():
    server = started(FAST_RETRIES + exchange())
    first = server.send("1002", PAGES[1], tags=["t"], metadata={"a": 1}, client_reference="r", retry={"max_attempts": 3},
                        priority="high")
    server.wait_state(first)
    reply = verb(server, first, "resend", headers={"Idempotency-Key": "k"})
    new = reply.json
    same((reply.status, reply.headers["Location"], new["resent_from"]), (202, "/v1/faxes/" + new["id"], first))
    same(verb(server, first, "resend", headers={"Idempotency-Key": "k"}).json, new)
    same((new["to"], new["tags"], new["metadata"], new["client_reference"], new["max_attempts"], new["priority"]),
         ("1002", ["t"], {"a": 1}, "r", 3, "high"))
    same((new["status"], new["pages"]["total"]), ("queued", 1))  # the pages are those of the first
    same(server.wait_state(new["id"])["status"], "delivered")
    other = verb(server, first, "resend", {"to": "1003"}).json
    same((other["to"], server.wait_state(other["id"])["status"]), ("1003", "delivered"))
    want = pixels(PAGES[1])
    same([pixels(server.document(f["id"])) for f in server.settled_inbound(3)], [want] * 3)
    same(server.document(new["id"], "original"), server.document(first, "original"))


@fact
def a_fax_under_way_is_not_resent_to_its_number():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002", hold=True)
    server.wait_state(fax, "held")
    for body in (None, {"to": "1002"}):
        same(problem(verb(server, fax, "resend", body)), (409, "conflict"))
    other = verb(server, fax, "resend", {"to": "1003"})
    same((other.status, server.wait_state(other.json["id"])["status"]), (202, "delivered"))
    same(server.fax(fax)["status"], "held")


@fact
def a_cover_is_drawn_anew_for_the_number_it_goes_to():
    server = started(FAST_RETRIES + exchange())
    first = server.send("1002", header={"show": True}, cover_page={"template": "plain", "fields": {"to_name": "Ruiz"}})
    ended = server.wait_state(first)
    same((ended["status"], ended["pages"]["total"]), ("delivered", 2))
    new = verb(server, first, "resend", {"to": "1003"}).json
    after = server.wait_state(new["id"])
    same((after["status"], after["pages"]["total"]), ("delivered", 2))
    same(after["document_sha256"] == ended["document_sha256"], False)
    same(pixels(server.document(new["id"], "original")), pixels(PAGES[0]))


@fact
def who_may_not_read_pages_cannot_have_them_sent_elsewhere():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002")
    server.wait_state(fax)
    came = server.settled_inbound(1)[0]["id"]
    sender = server.key_with("fax:send", "fax:read")
    same(problem(verb(server, fax, "resend", {"to": "1003"}, sender)), (403, "insufficient_scope"))
    same(problem(verb(server, came, "forward", {"to": "1003"}, sender)), (403, "insufficient_scope"))
    # The first fax went without its header line, which takes a right of its own.
    same(problem(verb(server, fax, "resend", None, sender)), (403, "header_required"))
    plain = server.send("1002", header={"show": True})
    server.wait_state(plain)
    again = verb(server, plain, "resend", {"to": " 1002 "}, sender)
    same((again.status, server.wait_state(again.json["id"])["status"]), (202, "delivered"))


# --- forward ---

@fact
def pages_that_came_are_sent_on_with_a_note_before_them():
    server = started(FAST_RETRIES + exchange())
    server.wait_state(server.send("1002", PAGES[2]))
    came = server.settled_inbound(1)[0]["id"]
    plain = verb(server, came, "forward", {"to": "1003"}).json
    same((plain["direction"], plain["resent_from"], plain["to"]), ("outbound", came, "1003"))
    ended = server.wait_state(plain["id"])
    same((ended["status"], ended["pages"]["total"]), ("delivered", 1))
    same(pixels(server.document(plain["id"], "original")), pixels(PAGES[2]))
    noted = verb(server, came, "forward", {"to": "1003", "note": "\u05d0\u05d1 <b>please look</b>"}).json
    ended = server.wait_state(noted["id"])
    same((ended["status"], ended["pages"]["total"]), ("delivered", 2))
    again = verb(server, noted["id"], "forward", {"to": "1004"}).json
    same(server.wait_state(again["id"])["pages"]["total"], 2)
    reply = verb(server, came, "forward", {"note": "", "too": "1"})
    same((reply.status, reply.codes()),
         (422, {("/note", "too_short"), ("/too", "unknown_key"), ("/to", "missing")}))
    same(verb(server, came, "forward", {"to": "not a number"}).codes(), {("/to", "invalid_number")})
    same(verb(server, came, "forward").status, 415)


@fact
def a_forwarded_fax_outlives_the_one_that_came():
    server = started(FAST_RETRIES + exchange())
    server.wait_state(server.send("1002", PAGES[2]))
    came = server.settled_inbound(1)[0]["id"]
    new = verb(server, came, "forward", {"to": "1003"}).json["id"]
    same(server.ask("DELETE", "/v1/faxes/" + came).status, 200)
    same(server.wait_state(new)["status"], "delivered")
    same(pixels(server.document(new, "original")), pixels(PAGES[2]))
    same(problem(verb(server, came, "forward", {"to": "1003"})), (410, "purged"))


@fact
def what_a_test_key_touches_stays_a_test():
    server = started(FAST_RETRIES + exchange() + 'provider "sim" {\n module = simulator\n line "s1" { number = 9001 }\n}\n')
    live = server.send("1002", header={"show": True})
    server.wait_state(live)
    key = test_key(server, "fax:send", "fax:read", "document:read")
    for name, body in (("resend", {"to": "1003"}), ("forward", {"to": "1003"})):
        reply = verb(server, live, name, body, key)
        same((reply.status, reply.json["test"]), (202, True))
        again = verb(server, server.wait_state(reply.json["id"])["id"], "resend", {"to": "1004"})
        same((again.status, again.json["test"]), (202, True))
        same(server.wait_state(again.json["id"])["line"], "sim/s1")
    failed = server.send("7777", header={"show": True})
    same(server.wait_state(failed)["status"], "failed")
    same(problem(verb(server, failed, "retry", None, key)), (403, "test_key"))
    same(server.fax(failed)["calls"], 1)


@fact
def the_command_line_does_the_same():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    fax = server.send("2001", retry={"max_attempts": 1})
    server.wait_state(fax)
    same(server.command("retry", fax)[:2], (0, f"{fax} is called again\n"))
    same(server.wait_state(fax)["calls"], 2)
    status, out, _ = server.command("resend", fax, "--to", "1002")
    new = out.strip()
    same((status, server.wait_state(new)["status"], server.fax(new)["resent_from"]), (0, "delivered", fax))
    status, _, told = server.command("retry", new)
    same((status != 0, "delivered" in told), (True, True))
    came = server.settled_inbound(1)[0]["id"]
    status, out, _ = server.command("forward", came, "--to", "1003", "--note", "look")
    same((status, server.wait_state(out.strip())["pages"]["total"]), (0, 2))
    same(server.command("forward", came)[0] != 0, True)


if __name__ == "__main__":
    sys.exit(main())
