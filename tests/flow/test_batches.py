#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One document set to many numbers: accepted, made in slices, counted, canceled, and whole after kill -9. Prints TAP."""
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (FAST_RETRIES, PAGES, document, exchange, fact, main, octets, pixels, same, started,  # noqa: E402
                  wait_for, within)

MANY = 20000


def numbers(count, first=0):
    return [{"to": f"+4930{first + n:07}"} for n in range(count)]


def post(server, recipients, documents=None, headers=None, key=None, **more):
    body = {"documents": [document(octets(PAGES[0]))] if documents is None else documents,
            "header": {"show": False}, "recipients": recipients, **more}
    if not body["documents"]:
        del body["documents"]
    return server.ask("POST", "/v1/batches", body, headers, key)


def accepted(reply):
    same((reply.status, reply.body[:300] if reply.status != 202 else b""), (202, b""))
    same(reply.headers["Location"], "/v1/batches/" + reply.json["id"])
    return reply.json["id"]


def batch(server, name):
    return server.get("/v1/batches/" + name)


def wait_counts(server, name, counts):
    return wait_for(lambda: (lambda b: b if b["counts"] == counts else None)(batch(server, name)),
                    f"{counts}, it is {batch(server, name)['counts']}")


def store(server, sql):
    base = sqlite3.connect(f"file:{server.state}/faxd.db?mode=ro", uri=True, timeout=30)
    try:
        return base.execute(sql).fetchall()
    finally:
        base.close()


@fact
def a_batch_goes_to_everybody_with_what_is_their_own():
    server = started(FAST_RETRIES + exchange(lines=("1001", "1002", "1003", "1004")))
    name = accepted(post(server, [{"to": "1002", "client_reference": "two", "metadata": {"n": 2}}, {"to": "1003"},
                                  {"to": "1004", "client_reference": "four"}],
                         client_reference="all", tags=["t"], priority="normal"))
    done = wait_for(lambda: (lambda b: b if b["status"] == "done" else None)(batch(server, name)), "the batch")
    same((done["total"], done["counts"], done["test"], done["completed_at"] is not None), (3, {"delivered": 3}, False, True))
    faxes = server.faxes(f"batch={name}")
    same([(f["to"], f["client_reference"], f["metadata"], f["tags"], f["batch"]) for f in faxes],
         [("1004", "four", {}, ["t"], name), ("1003", "all", {}, ["t"], name), ("1002", "two", {"n": 2}, ["t"], name)])
    same([pixels(server.document(f["id"])) for f in server.settled_inbound(3)], [pixels(PAGES[0])] * 3)
    told = [e["data"] for e in server.get("/v1/events?limit=1000")["data"] if e["type"] == "batch.completed"]
    same([(e["id"], e["counts"]) for e in told], [(name, {"delivered": 3})])
    # What was only the batch's is gone with its work: each fax has the document, nobody the list.
    same(store(server, "SELECT count(*) FROM batch_document"), [(0,)])
    same(len(os.listdir(os.path.join(server.state, "documents"))) > 0, True)
    same(server.ask("POST", f"/v1/batches/{name}/cancel").status, 409)


@fact
def twenty_thousand_are_made_of_one_preparation_and_counted():
    server = started(FAST_RETRIES + exchange())
    reply = post(server, numbers(MANY), headers={"Idempotency-Key": "k"}, hold=True)
    name = accepted(reply)
    same((reply.json["total"], sum(reply.json["counts"].values())), (MANY, MANY))
    seen = set()

    def look():
        # Others are served meanwhile, and at every moment everybody is counted once.
        now = batch(server, name)
        same((sum(now["counts"].values()), now["status"]), (MANY, "running"))
        seen.add(tuple(sorted(now["counts"])))
        return now if now["counts"] == {"held": MANY} else None
    wait_for(look, "all to be held")
    same(len(seen) > 1, True)
    same(store(server, "SELECT count(*), count(DISTINCT destination), count(DISTINCT document) FROM fax"),
         [(MANY, MANY, 1)])
    same(store(server, "SELECT count(*) FROM prepared WHERE options LIKE '% fine %'")[0][0], 1)
    same(store(server, "SELECT count(*) FROM event WHERE type = 'fax.held'"), [(MANY,)])
    same(post(server, numbers(MANY), headers={"Idempotency-Key": "k"}, hold=True).json["id"], name)
    page = server.get(f"/v1/faxes?batch={name}&limit=500")
    same((len(page["data"]), page["has_more"], page["data"][0]["to"]), (500, True, f"+4930{MANY - 1:07}"))
    same(server.ask("POST", f"/v1/batches/{name}/cancel").json["status"], "canceled")
    ended = wait_counts(server, name, {"canceled": MANY})
    same((ended["status"], ended["completed_at"] is not None), ("canceled", True))
    same(store(server, "SELECT count(*) FROM event WHERE type = 'batch.completed'"), [(1,)])


@fact
def a_batch_survives_kill_9_with_nothing_twice_and_nothing_lost():
    count = 6000
    server = started(FAST_RETRIES + exchange())
    name = accepted(post(server, numbers(count), hold=True))
    for part in (0.1, 0.3, 0.6):
        wait_for(lambda p=part: batch(server, name)["counts"].get("held", 0) > p * count, "a part of them")
        server.kill()
        made = store(server, "SELECT count(*), count(DISTINCT destination) FROM fax")[0]
        expanded = store(server, "SELECT expanded FROM batch")[0][0]
        same((made, expanded < count), ((expanded, expanded), True))
        server.start()
    wait_counts(server, name, {"held": count})
    same(store(server, "SELECT count(*), count(DISTINCT destination), min(destination), max(destination) FROM fax"),
         [(count, count, "+49300000000", f"+4930{count - 1:07}")])


@fact
def a_number_that_may_not_be_called_has_a_fax_that_says_so():
    server = started(FAST_RETRIES + exchange(lines=("1001", "1002")))
    rule = server.ask("POST", "/v1/rules/block", {"direction": "outbound", "action": "deny", "kind": "prefix",
                                                  "value": "+49900", "reason": "premium rate"})
    same(rule.status, 201)
    name = accepted(post(server, [{"to": "1002"}, {"to": "+499001234567"}]))
    wait_counts(server, name, {"delivered": 1, "failed": 1})
    [failed] = server.faxes(f"batch={name}&status=failed")
    same((failed["to"], failed["error"]["code"], failed["attempts"]), ("+499001234567", "blacklisted", 0))
    within("premium rate", failed["error"]["message"])


@fact
def what_is_called_ends_and_the_rest_is_canceled():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = no_answer\nring_timeout_ms = 600000"))
    name = accepted(post(server, [{"to": "2001"}] + numbers(300), priority="urgent", not_before="2099-01-01T00:00:00Z"))
    wait_counts(server, name, {"scheduled": 301})
    first = server.get(f"/v1/faxes?batch={name}&to=2001")["data"][0]["id"]
    same(server.ask("PATCH", f"/v1/faxes/{first}", {"not_before": None}).status, 200)
    server.wait_state(first, "dialing")
    same(server.ask("POST", f"/v1/batches/{name}/cancel").status, 202)
    wait_counts(server, name, {"dialing": 1, "canceled": 300})
    same(server.ask("POST", f"/v1/batches/{name}/cancel").json["completed_at"], None)
    same(server.ask("POST", f"/v1/faxes/{first}/cancel").status, 202)
    done = wait_counts(server, name, {"canceled": 301})
    same((done["status"], done["completed_at"] is not None), ("canceled", True))
    other = server.get(f"/v1/faxes?batch={name}&limit=1")["data"][0]["id"]
    same(server.ask("POST", f"/v1/faxes/{other}/retry").status, 409)


@fact
def no_fax_of_a_canceled_batch_is_called_again():
    server = started("retry { busy = {1} }\n" + exchange("numbers.2001.behaviour = busy"))
    name = accepted(post(server, [{"to": "2001"}], retry={"max_attempts": 50}))
    wait_for(lambda: server.faxes(f"batch={name}") and server.faxes(f"batch={name}")[0]["calls"] > 0, "a call")
    same(server.ask("POST", f"/v1/batches/{name}/cancel").status, 202)
    wait_counts(server, name, {"canceled": 1})
    calls = server.faxes(f"batch={name}")[0]["calls"]
    same((len(server.attempts(server.faxes(f"batch={name}")[0]["id"])), calls < 50), (calls, True))


@fact
def a_cover_page_for_each():
    server = started(FAST_RETRIES + exchange())
    people = [{**r, "cover_page": {"fields": {"to_name": f"Person {n}"}}} for n, r in enumerate(numbers(40))]
    name = accepted(post(server, people, hold=True, cover_page={"template": "plain", "fields": {"subject": "S"}}))
    wait_counts(server, name, {"held": 40})
    same(store(server, "SELECT count(DISTINCT document), min(pages_total), max(pages_total) FROM fax"), [(40, 2, 2)])
    same(store(server, "SELECT count(*) FROM prepared WHERE options LIKE '% fine %'")[0][0], 1)
    fields = {row[0] for row in store(server, "SELECT info FROM fax_document WHERE role = 2")}
    same((len(fields), all('"subject":"S"' in f for f in fields)), (40, True))


@fact
def what_cannot_be_prepared_fails_for_all():
    server = started(FAST_RETRIES + exchange())
    name = accepted(post(server, numbers(250), [document(b"%PDF-1.4 nothing")]))
    done = wait_counts(server, name, {"failed": 250})
    same(done["status"], "done")
    same(store(server, "SELECT count(DISTINCT outcome), count(DISTINCT message) FROM fax"), [(1, 1)])


@fact
def every_fault_of_every_recipient_is_told_and_nothing_is_stored():
    server = started(FAST_RETRIES + exchange())
    reply = post(server, [{"to": "+49 30 1"}, {"to": "+49-30-1"}, {"to": "x"}, {}, 7, {"to": "1002", "tags": []},
                          {"to": "1003", "cover_page": {"fields": {"note": 1}}}, {"to": "1004", "client_reference": ""}],
                 to="1002")
    same((reply.status, reply.codes()),
         (422, {("/recipients/1/to", "twice"), ("/recipients/2/to", "invalid_number"), ("/recipients/3", "missing"),
                ("/recipients/4", "wrong_type"), ("/recipients/5/tags", "unknown_key"),
                ("/recipients/6/cover_page/fields/note", "wrong_type"),
                ("/recipients/7/client_reference", "too_short"), ("/to", "not_here")}))
    reply = post(server, [{"to": "x"}] * 1000)
    same((reply.status, len(reply.json["errors"]), reply.json["errors_left_out"]), (422, 64, 936))
    same(post(server, []).codes(), {("/recipients", "wrong_count")})
    same(post(server, numbers(MANY + 1)).codes(), {("/recipients", "wrong_count")})
    same(post(server, {}).codes(), {("/recipients", "wrong_type")})
    reply = server.ask("POST", "/v1/batches", {"documents": [document(octets(PAGES[0]))]})
    same(reply.codes(), {("/recipients", "missing")})
    same(post(server, numbers(1), []).codes(), {("/documents", "missing")})
    lonely = [{"to": "1002", "cover_page": {"fields": {"to_name": "a"}}}]
    same(post(server, lonely).codes(), {("/cover_page", "missing")})
    odd = [{"to": "1002", "cover_page": {"fields": {"to_nam": "a"}}}]
    same(post(server, odd, cover_page="plain").codes(), {("/recipients/to_nam", "unknown_field")})
    same((server.faxes(), server.get("/v1/batches")["data"], store(server, "SELECT count(*) FROM document")),
         ([], [], [(0,)]))


@fact
def batches_are_listed_page_by_page_and_run_again_when_one_is_retried():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    names = [accepted(post(server, [{"to": "2001"}], retry={"max_attempts": 1})) for _ in range(3)]
    for name in names:
        wait_counts(server, name, {"failed": 1})
    page = server.get("/v1/batches?limit=2")
    same(([b["id"] for b in page["data"]], page["has_more"]), (names[:0:-1], True))
    page = server.get(f"/v1/batches?limit=2&cursor={page['next_cursor']}")
    same(([b["id"] for b in page["data"]], page["has_more"], page["next_cursor"]), ([names[0]], False, None))
    fax = server.faxes(f"batch={names[0]}")[0]["id"]
    same(server.ask("POST", f"/v1/faxes/{fax}/retry").status, 202)
    wait_for(lambda: server.events().count("batch.completed") == 4, "the end of it")
    same(batch(server, names[0])["status"], "done")
    same(server.ask("DELETE", f"/v1/faxes/{fax}?record=true").status, 204)
    same(server.ask("GET", "/v1/batches/" + names[0]).status, 404)
    same(server.ask("GET", "/v1/faxes?batch=bat_none").status, 400)


@fact
def the_command_line_does_the_same():
    server = started(FAST_RETRIES + exchange())
    path = os.path.join(server.folder, "batch.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"documents": [document(octets(PAGES[0]))], "recipients": numbers(5), "hold": True}, file)
    status, out, _ = server.command("batch", "send", path)
    name = out.strip()
    same(status, 0)
    wait_counts(server, name, {"held": 5})
    for words in (("list",), ("show", name)):
        status, out, _ = server.command("batch", *words)
        same((status, [name in out, "held 5" in out, "running" in out]), (0, [True] * 3))
    same(server.command("batch", "cancel", name)[0], 0)
    wait_counts(server, name, {"canceled": 5})
    same(server.command("batch", "send", server.log_path)[0] != 0, True)


@fact
def recipients_may_be_contacts():
    server = started(FAST_RETRIES + exchange())
    ruiz = server.ask("POST", "/v1/contacts", {"name": "Dr. Ruiz", "organization": "Lakeside", "number": "1002"}).json["id"]
    reply = post(server, [{"to": "1003"}, {"to": "contact:" + ruiz}], cover_page="plain")
    name = accepted(reply)
    wait_counts(server, name, {"delivered": 2})
    sent = {f["to"]: f["to_contact"] for f in server.faxes(f"batch={name}&limit=10")}
    same(sent, {"1002": {"id": ruiz, "name": "Dr. Ruiz"}, "1003": None})
    # Unknown ones and numbers that are there twice are told before anything is made.
    reply = post(server, [{"to": "1002"}, {"to": "contact:con_none"}, {"to": "contact:" + ruiz}])
    same((reply.status, reply.codes()), (422, {("/recipients/1/to", "no_such_contact"), ("/recipients/2/to", "twice")}))
    reply = post(server, [{"to": f"contact:con_{n}"} for n in range(1002)])
    same((reply.status, reply.codes()),
         (422, {("/recipients/1000/to", "too_many"), ("/recipients/1001/to", "too_many")}))


if __name__ == "__main__":
    sys.exit(main())
