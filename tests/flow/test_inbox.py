#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Received faxes as people see to them: read, assigned, labelled, junk, with notes; and how they are found. Prints TAP."""
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, PAGES, exchange, fact, main, same, started  # noqa: E402


def do(server, fax, verb, body, key=None):
    return server.ask("POST", f"/v1/faxes/{fax}/{verb}", body, key=key)


def problem(reply):
    return reply.status, reply.json["code"]


def received(server, count):
    """So many received faxes, oldest first, by the ids of theirs."""
    for _ in range(count):
        server.wait_state(server.send("1002"))
    return [f["id"] for f in server.settled_inbound(count)]


def found(server, query, key=None):
    reply = server.ask("GET", "/v1/faxes?" + query, key=key)
    same((query, reply.status), (query, 200))
    return [f["id"] for f in reply.json["data"]]


def with_users(server):
    """A stopped server gets two users, an operator and a sender, and a key for each; it is started again. Their ids and
    keys."""
    keys = [server.key_with("fax:read", "inbox:manage", "document:read", "fax:send") for _ in range(2)]
    rows = [k["id"] for k in server.get("/v1/api-keys")["data"]][:2][::-1]
    same(server.end(), 0)
    store = sqlite3.connect(server.state + "/faxd.db")
    with store:
        for number, role in ((1, 2), (2, 4)):
            store.execute("INSERT INTO account (id, public_id, name, role, created_at) VALUES (?, ?, ?, ?, 1)",
                          (number, f"usr_{number}", f"user{number}", role))
            store.execute("UPDATE api_key SET user_id = ? WHERE public_id = ?", (number, rows[number - 1]))
    store.close()
    server.start()
    return ("usr_1", keys[0]), ("usr_2", keys[1])


@fact
def what_came_is_unread_until_somebody_says_otherwise():
    server = started(FAST_RETRIES + exchange())
    first, second = received(server, 2)
    same(server.fax(first)["unread"], True)
    for path in ("document", "pages/1", "thumbnail"):
        same(server.ask("GET", f"/v1/faxes/{first}/{path}").status, 200)
    same(found(server, "unread=true"), [second, first])
    reply = do(server, first, "read", {"read": True})
    same((reply.status, reply.json["unread"], reply.json), (200, False, server.fax(first)))
    same((found(server, "unread=true"), found(server, "unread=false")), ([second], [first]))
    same(found(server, "unread=true&direction=outbound"), [])
    same(do(server, first, "read", {"read": False}).json["unread"], True)
    same(found(server, "unread=true&direction=inbound"), [second, first])
    sent = server.faxes("direction=outbound")[0]
    same("unread" in sent, False)
    same(problem(do(server, sent["id"], "read", {"read": True})), (409, "conflict"))


@fact
def junk_is_told_and_can_be_left_out():
    server = started(FAST_RETRIES + exchange())
    first, second = received(server, 2)
    same(do(server, first, "junk", {"junk": True}).json["junk"], True)
    same(do(server, first, "junk", {"junk": True}).status, 200)
    same(found(server, "direction=inbound&junk=false"), [second])
    same((found(server, "junk=true"), found(server, "direction=inbound")), ([first], [second, first]))
    same(do(server, first, "junk", {"junk": False}).json["junk"], False)
    told = [e["data"]["junk"] for e in server.get(f"/v1/faxes/{first}/events")["data"] if e["type"] == "inbound.junked"]
    same(told, [True, False])


@fact
def labels_find_faxes_and_are_theirs_whole():
    server = started(FAST_RETRIES + exchange())
    first, second = received(server, 2)
    same(do(server, first, "labels", {"labels": ["urgent", "\u00fc %"]}).json["labels"], ["urgent", "\u00fc %"])
    do(server, second, "labels", {"labels": ["urgent"]})
    same((found(server, "label=urgent"), found(server, "label=%C3%BC%20%25")), ([second, first], [first]))
    same((found(server, "label=urg"), found(server, "label=urgent&unread=false")), ([], []))
    page = server.get("/v1/faxes?label=urgent&limit=1")
    same((page["has_more"], found(server, f"label=urgent&limit=1&cursor={page['next_cursor']}")), (True, [first]))
    same(do(server, first, "labels", {"labels": []}).json["labels"], [])
    same(found(server, "label=urgent"), [second])
    reply = do(server, first, "labels", {"labels": ["", "a", "a", 7, "x" * 65]})
    same((reply.status, reply.codes()), (422, {("/labels/0", "too_short"), ("/labels/2", "twice"),
                                              ("/labels/3", "wrong_type"), ("/labels/4", "too_long")}))
    same(server.ask("DELETE", f"/v1/faxes/{second}?record=true").status, 204)
    same(found(server, "label=urgent"), [])


@fact
def notes_stay_as_they_were_written():
    server = started(FAST_RETRIES + exchange())
    fax, = received(server, 1)
    texts = ["first \u05d0", "second <b>", "third"]
    for text in texts:
        reply = do(server, fax, "notes", {"text": text})
        same((reply.status, reply.json["text"], reply.json["author"], reply.json["user"]), (201, text, "admin", None))
    page = server.get(f"/v1/faxes/{fax}/notes?limit=2")
    same(([n["text"] for n in page["data"]], page["has_more"]), (texts[:2], True))
    rest = server.get(f"/v1/faxes/{fax}/notes?limit=2&cursor={page['next_cursor']}")
    same(([n["text"] for n in rest["data"]], rest["has_more"], rest["next_cursor"]), (texts[2:], False, None))
    for body, code in (({}, "missing"), ({"text": ""}, "too_short"), ({"text": "x" * 10001}, "too_long")):
        same(do(server, fax, "notes", body).codes(), {("/text", code)})
    same(problem(server.ask("GET", f"/v1/faxes/{fax}/notes?cursor=x")), (400, "invalid_parameter"))
    same(server.ask("DELETE", f"/v1/faxes/{fax}?record=true").status, 204)
    same(server.ask("GET", f"/v1/faxes/{fax}/notes").status, 404)


@fact
def a_fax_is_given_to_somebody_who_then_sees_it():
    server = started(FAST_RETRIES + exchange())
    first, second = received(server, 2)
    (operator, key), (sender, own) = with_users(server)
    same((found(server, "direction=inbound", own), server.ask("GET", "/v1/faxes/" + first, key=own).status), ([], 404))
    same(found(server, "assigned=none", key), [second, first])
    reply = do(server, first, "assign", {"user": sender}, key)
    same((reply.status, reply.json["assigned"]), (200, sender))
    same((found(server, "direction=inbound", own), server.ask("GET", "/v1/faxes/" + first, key=own).status),
         ([first], 200))
    same((found(server, f"assigned={sender}"), found(server, "assigned=me", own), found(server, "assigned=none", key)),
         ([first], [first], [second]))
    mine = server.accepted(server.submit("1003", key=own, header={"show": True}))
    same((found(server, "limit=10", own), found(server, "q=1002", own)), ([mine, first], [first]))
    same(found(server, f"limit=1&cursor={server.get('/v1/faxes?limit=1')['next_cursor']}", own), [first])
    same(problem(do(server, second, "read", {"read": True}, own)), (404, "no_such_fax"))
    same(do(server, first, "read", {"read": True}, own).status, 200)
    same(problem(do(server, first, "assign", {"user": operator}, own)), (403, "role_not_allowed"))
    same(do(server, first, "notes", {"text": "seen"}, own).json["user"], sender)
    mine_too = server.ask("GET", "/v1/events?limit=1000", key=own).json["data"]
    same([e["data"]["id"] for e in mine_too if e["type"].startswith("inbound.")], [first])
    same(do(server, first, "assign", {"user": None}, key).json["assigned"], None)
    same(found(server, "assigned=me", own), [])
    told = [e["data"]["assigned"] for e in server.get(f"/v1/faxes/{first}/events")["data"]
            if e["type"] == "inbound.assigned"]
    same(told, [sender, None])
    same(do(server, first, "assign", {"user": "usr_9"}, key).codes(), {("/user", "unknown_user")})
    same(problem(server.ask("GET", "/v1/faxes?assigned=usr_9&unread=maybe&q=")), (400, "invalid_parameter"))


@fact
def faxes_are_found_by_what_a_text_begins_with():
    server = started(FAST_RETRIES + exchange())
    sent = server.send("+49 30 1234567", hold=True, client_reference="Case-77", **{"from": "Billing"})
    other = server.send("+49 89 1234567", hold=True)
    came, = received(server, 1)
    for q, want in (("%2B49%20(30)", [sent]), ("%2B49", [other, sent]), ("case-7", [sent]), ("bill", [sent]),
                    ("1001", [came]), ("1234567", []), ("ase", []), ("%25", []), ("_", [])):
        same((q, found(server, "q=" + q + "&status=held,received")), (q, want))
    same(found(server, "q=%2B49&client_reference=Case-77"), [sent])
    page = server.get("/v1/faxes?q=%2B49&limit=1")
    same((page["data"][0]["id"], page["has_more"]), (other, True))
    page = server.get(f"/v1/faxes?q=%2B49&limit=1&cursor={page['next_cursor']}")
    same(([f["id"] for f in page["data"]], page["has_more"]), ([sent], False))


def store_faxes(server, rows):
    """Canceled faxes behind the server's back: pairs of an id and a number, oldest first."""
    same(server.end(), 0)
    store = sqlite3.connect(server.state + "/faxd.db")
    with store:
        store.executemany("INSERT INTO fax (public_id, direction, state, destination, created_at, updated_at)"
                          " VALUES (?, 0, 14, ?, 1, 1)", rows)
    store.close()
    server.start()


def all_pages(server, query):
    """The ids of all pages, and how many pages had none."""
    seen, cursor, empty = [], "", 0
    while True:
        page = server.get(f"/v1/faxes?{query}&limit=500{cursor}")
        seen += [f["id"] for f in page["data"]]
        empty += not page["data"]
        if not page["has_more"]:
            return seen, empty
        cursor = "&cursor=" + page["next_cursor"]


@fact
def a_search_finds_what_is_old_at_once_unless_many_match():
    server = started(FAST_RETRIES + exchange())
    store_faxes(server, ((f"fax_{n}", f"+49{n}" if n < 3000 else f"+48{n}" if n < 15000 else "+1") for n in range(60000)))
    same(all_pages(server, "q=%2B49"), ([f"fax_{n}" for n in range(2999, -1, -1)], 0))
    same(all_pages(server, "q=%2B48"), ([f"fax_{n}" for n in range(14999, 2999, -1)], 9))
    same(all_pages(server, "q=%2B49&to=%2B4977"), (["fax_77"], 0))


@fact
def what_few_pass_of_many_is_found_page_by_page():
    server = started(FAST_RETRIES + exchange())
    store_faxes(server, ((f"fax_{n}", "+1") for n in range(12000)))
    store = sqlite3.connect(server.state + "/faxd.db")
    with store:
        store.execute("UPDATE fax SET state = 10 WHERE public_id = 'fax_7'")
    store.close()
    same(all_pages(server, "status=delivered"), (["fax_7"], 0))
    same(all_pages(server, "to=%2B1&status=delivered"), (["fax_7"], 2))
    same(all_pages(server, "to=%2B1&status=failed"), ([], 3))


@fact
def a_search_finds_faxes_by_their_contacts():
    server = started(FAST_RETRIES + exchange())
    for name, organization, number in (("Zoë Müller", "Printers", "+49301"), ("Bob", "Muller & Sons", "1001")):
        same(server.ask("POST", "/v1/contacts", {"name": name, "organization": organization, "number": number}).status, 201)
    sent = server.send("+49 30 1", hold=True)
    server.send("+49 30 2", hold=True)
    came, = received(server, 1)
    for q, want in (("zoe", [sent]), ("MULLER", [came]), ("print", [sent]), ("mull", [came]), ("b", [came]), ("x", [])):
        same((q, found(server, "status=held,received&q=" + q)), (q, want))
    reply = server.ask("POST", "/v1/api-keys", {"name": "k", "scopes": ["fax:read"]})
    same(server.ask("GET", "/v1/faxes?q=zoe", key=reply.json["token"]).json["data"], [])  # it may not see contacts


@fact
def who_may_not_manage_the_inbox_changes_nothing():
    server = started(FAST_RETRIES + exchange())
    fax, = received(server, 1)
    before, key = server.fax(fax), server.key_with("fax:read", "fax:send", "fax:cancel")
    for verb, body in (("read", {"read": True}), ("assign", {"user": None}), ("labels", {"labels": ["a"]}),
                       ("junk", {"junk": True}), ("notes", {"text": "a"})):
        same((verb, problem(do(server, fax, verb, body, key))), (verb, (403, "insufficient_scope")))
        reply = do(server, fax, verb, {"other": 1})
        same((verb, reply.codes()), (verb, {("/other", "unknown_key"), ("/" + next(iter(body)), "missing")}))
    same(server.fax(fax), before)


@fact
def the_command_line_does_the_same():
    server = started(FAST_RETRIES + exchange())
    first, second = received(server, 2)
    same([server.command("inbox", *words)[0] for words in
          (("read", first), ("label", first, "a", "b"), ("note", first, "seen"), ("junk", second))], [0] * 4)
    fax = server.fax(first)
    same((fax["unread"], fax["labels"], server.fax(second)["junk"]), (False, ["a", "b"], True))
    same([n["text"] for n in server.get(f"/v1/faxes/{first}/notes")["data"]], ["seen"])

    def listed(*words):
        status, out, _ = server.command("inbox", "list", *words)
        same(status, 0)
        return [line.split()[0] for line in out.splitlines()[1:]]
    same((listed(), listed("--junk"), listed("--junk", "--unread"), listed("--label", "b"), listed("--q", "9")),
         ([first], [second, first], [second], [first], []))
    same(server.command("inbox", "unread", first)[0], 0)
    same(listed("--unread"), [first])
    same(server.command("inbox", "assign", first, "usr_none")[0] != 0, True)


@fact
def who_hands_faxes_out_sees_to_whom_and_no_more_of_them():
    server = started(FAST_RETRIES + exchange())
    (operator, key), (sender, own) = with_users(server)
    for name, more in (("late", {"display_name": "Miss Late"}), ("gone", {"disabled": True})):
        server.ask("POST", "/v1/users", {"name": name, "role": "reader", "password": "correct horse battery", **more})
    page = server.ask("GET", "/v1/assignees", key=key)
    same((page.status, [(one["display_name"], sorted(one)) for one in page.json["data"]]),
         (200, [(name, ["display_name", "id"]) for name in ("Miss Late", "user2", "user1")]))
    first = server.ask("GET", "/v1/assignees?limit=2", key=key).json
    rest = server.ask("GET", "/v1/assignees?limit=2&cursor=" + first["next_cursor"], key=key).json
    same([one["id"] for one in first["data"] + rest["data"]], [one["id"] for one in page.json["data"]])
    same((rest["has_more"], rest["next_cursor"]), (False, None))
    same(problem(server.ask("GET", "/v1/assignees", key=own)), (403, "role_not_allowed"))
    same(server.ask("GET", "/v1/assignees?cursor=x", key=key).status, 400)
    fax = received(server, 1)[0]
    same(do(server, fax, "assign", {"user": page.json["data"][0]["id"]}, key).status, 200)


if __name__ == "__main__":
    sys.exit(main())
