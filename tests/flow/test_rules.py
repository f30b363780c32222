#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What may be called, whose calls are answered, and numbers that are given a rest. Prints TAP."""
import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, Script, exchange, fact, main, same, started, wait_for, within  # noqa: E402

SENT = {"mode": "audio", "codec": "PCMA", "final_confirmed": True}
VOICE = {"outcome": "not_fax", "mode": "audio", "codec": "PCMA"}


def rule(server, kind, value="", action="deny", direction="outbound", **more):
    reply = server.ask("POST", "/v1/rules/block", {"direction": direction, "action": action, "kind": kind, "value": value,
                                                   **more})
    same((kind, value, reply.status), (kind, value, 201))
    same(reply.headers["Location"], "/v1/rules/block/" + reply.json["id"])
    return reply.json["id"]


def enable(server, number, send):
    same(server.ask("PATCH", f"/v1/lines/exchange/{number}", {"send_enabled": send}).status, 200)


def hits(server, made):
    return server.get("/v1/rules/block/" + made)["hits"]


def verdict(server, number):
    reply = server.submit(number, hold=True)
    return "" if reply.status == 202 else {code for _, code in reply.codes()}.pop()


@fact
def a_fax_to_a_number_that_a_rule_denies_is_refused():
    server = started(exchange(lines=("1001",)))
    premium = rule(server, "prefix", "+1 (900)", reason="premium rate")
    rule(server, "prefix", "+1900555", action="allow")
    one = rule(server, "number", "+19005551234")
    rule(server, "number", "1002", reason="asked us to stop")
    rule(server, "number", "1002", action="allow")
    refused = server.submit("+1-900-123")
    same((refused.status, refused.codes()), (422, {("/to", "blacklisted")}))
    for part in (premium, "+1900", "premium rate"):
        within(part, refused.body.decode())
    same([verdict(server, number) for number in ("+1900", "+19005550000", "+19005551234", "+19005551235", "+1901", "1002",
                                                 "900")],
         ["blacklisted", "", "blacklisted", "", "", "", ""])
    same((hits(server, premium), hits(server, one)), (2, 1))
    assert server.get("/v1/rules/block/" + premium)["last_hit_at"]
    same(server.ask("PATCH", "/v1/rules/block/" + premium, {"action": "allow", "reason": None}).json["action"], "allow")
    same(verdict(server, "+1900"), "")
    same(server.ask("DELETE", "/v1/rules/block/" + one).status, 204)
    same(verdict(server, "+19005551234"), "")
    everything = rule(server, "prefix", "")
    same([verdict(server, number) for number in ("5", "1002")], ["blacklisted", ""])
    server.kill()  # rules are on disk
    server.start()
    same([verdict(server, number) for number in ("5", "1002")], ["blacklisted", ""])
    same(server.ask("DELETE", "/v1/rules/block/" + everything).status, 204)
    same(verdict(server, "5"), "")


@fact
def every_fault_of_a_rule_is_told():
    server = started(exchange(lines=("1001",)))
    same(server.ask("POST", "/v1/rules/block", {"action": "drop", "kind": 1, "expires_at": "soon", "x": 1}).codes(),
         {("/action", "unknown_word"), ("/kind", "wrong_type"), ("/expires_at", "invalid_time"), ("/x", "unknown_key"),
          ("/direction", "missing")})
    for body, pointer, code in (({"kind": "number", "value": ""}, "/value", "invalid_number"),
                                ({"kind": "number", "value": "+"}, "/value", "invalid_number"),
                                ({"kind": "prefix", "value": "12x"}, "/value", "invalid_number"),
                                ({"kind": "prefix", "value": "1+2"}, "/value", "invalid_number"),
                                ({"kind": "anonymous"}, "/kind", "not_possible"),
                                ({"kind": "anonymous", "value": "1"}, "/value", "invalid_number"),
                                ({"kind": "prefix", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "in_the_past")):
        within((pointer, code), server.ask("POST", "/v1/rules/block", {"direction": "outbound", **body}).codes())
    made = rule(server, "prefix", "+")
    same(server.ask("POST", "/v1/rules/block", {"direction": "outbound", "kind": "prefix", "value": "+"}).status, 409)
    same(verdict(server, "+4930"), "blacklisted")  # what failed has left the rules as they were
    same(server.ask("PATCH", "/v1/rules/block/" + made, {"value": "1"}).codes(), {("/value", "fixed")})
    for method in ("GET", "DELETE"):
        same(server.ask(method, "/v1/rules/block/blk_none").status, 404)
    same(server.ask("GET", "/v1/rules/block", key=server.key_with("fax:send", "fax:read")).status, 403)
    rule(server, "prefix", "+", direction="inbound")
    page = server.get("/v1/rules/block?limit=1")
    rest = server.get("/v1/rules/block?limit=1&cursor=" + page["next_cursor"])
    same([one["direction"] for one in page["data"] + rest["data"]], ["inbound", "outbound"])
    same([one["id"] for one in server.get("/v1/rules/block?direction=outbound")["data"]], [made])
    same(server.ask("GET", "/v1/rules/block?direction=both").status, 400)


@fact
def a_rule_that_is_made_later_stops_a_queued_fax_without_a_call():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        held = server.wait_state(server.send("5551", hold=True), "held")["id"]
        denied = rule(server, "number", "5551", reason="court order")
        same(server.ask("POST", f"/v1/faxes/{held}/release").status, 200)
        ended = server.wait_state(held)
        same((ended["status"], ended["calls"], ended["error"]["code"]), ("failed", 0, "blacklisted"))
        within("court order", ended["error"]["message"])
        same((server.attempts(held), hits(server, denied)), ([], 1))


@fact
def a_call_from_a_number_that_a_rule_denies_is_not_answered():
    server = started(FAST_RETRIES + exchange())
    denied = rule(server, "prefix", "100", direction="inbound", reason="nuisance")
    let = rule(server, "number", "1003", direction="inbound", action="allow")
    for number in (1002, 1003, 1004):  # so that it is known who calls
        enable(server, number, False)
    one = server.wait_state(server.send("1002", retry={"max_attempts": 1}))
    same((one["status"], one["calls"]), ("failed", 1))
    got = server.settled_inbound(1)[0]
    same((got["status"], got["error"]["code"], got["from"], got["to"], got["pages"]["total"] or 0),
         ("rejected", "rejected_by_rule", "1001", "1002", 0))
    within("nuisance", got["error"]["message"])
    within("inbound.rejected", server.events())
    same(hits(server, denied), 1)
    enable(server, 1001, False)
    enable(server, 1003, True)
    same(server.wait_state(server.send("1002", retry={"max_attempts": 1}))["status"], "delivered")
    same((hits(server, denied), hits(server, let)), (1, 0))
    same([line["state"] for line in server.get("/v1/lines")["data"]], ["idle"] * 4)


def call(server, script, number, record):
    script.write(number, record)
    return server.wait_state(server.send(number, retry={"max_attempts": 1}))


@fact
def a_number_that_is_no_fax_twice_in_a_row_is_suspended():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        call(server, script, "5551", VOICE)
        call(server, script, "5551", SENT)
        call(server, script, "5551", VOICE)
        same(server.get("/v1/destinations/5551")["suspended"], None)
        waits = server.wait_state(server.send("5551", hold=True), "held")["id"]
        script.write("5551", VOICE)
        last = server.wait_state(server.send("5551"), "held")  # it might have been called once more
        same((last["calls"], last["reason"]), (1, "destination_suspended"))
        known = server.get("/v1/destinations/5551")
        within("fax machine", known["suspended"]["reason"])
        same((known["calls"], known["success_rate"]), ({"ok": 1, "failed": 3}, 0.25))
        events = server.get("/v1/events?limit=1000")["data"]
        same([event["data"]["number"] for event in events if event["type"] == "destination.suspended"], ["5551"])
        refused = server.submit("5551")
        same((refused.status, refused.codes()), (422, {("/to", "destination_suspended")}))
        server.ask("POST", f"/v1/faxes/{waits}/release")
        held = wait_for(lambda: (f := server.fax(waits))["reason"] == "destination_suspended" and f, "the fax to be held")
        same((held["status"], held["calls"]), ("held", 0))
        script.write("5551", SENT)
        same(server.ask("PATCH", "/v1/destinations/5551", {"suspended": False}).json["suspended"], None)
        same([server.wait_state(one)["status"] for one in (waits, last["id"])], ["delivered"] * 2)
        same(server.get("/v1/destinations/5551")["calls"], {"ok": 3, "failed": 3})


@fact
def somebody_may_suspend_a_number_and_force_its_transport():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        script.write("5551", SENT)
        path = "/v1/destinations/+5551"
        same(server.ask("PATCH", "/v1/destinations/5551", {"suspended": 1, "forced_transport": "v34", "x": 1}).codes(),
             {("/suspended", "wrong_type"), ("/forced_transport", "unknown_word"), ("/x", "unknown_key")})
        same(server.ask("PATCH", path, {"reason": "x"}).codes(), {("/reason", "not_alone")})
        same(server.ask("GET", path).status, 404)  # nothing of it was stored
        path = "/v1/destinations/5551"
        set_ = server.ask("PATCH", path, {"suspended": True, "reason": "asked us to wait", "forced_transport": "g711"}).json
        same((set_["suspended"]["reason"], set_["transport"], set_["success_rate"]), ("asked us to wait", "g711", None))
        within("asked us to wait", server.submit("5551").body.decode())
        same(server.ask("PATCH", path, {"suspended": False}).json["forced_transport"], "g711")
        server.wait_state(server.send("5551"))
        same(script.options("5551")["transport"], "g711")
        same(server.ask("PATCH", path, {"forced_transport": "auto"}).json["transport"], "auto")
        server.ask("PATCH", path, {"suspended": True})
        same(server.ask("DELETE", path).status, 204)  # forgotten is called again
        same(server.wait_state(server.send("5551"))["status"], "delivered")
        same(server.ask("PATCH", path, {"suspended": True}, key=server.key_with("fax:read")).status, 403)


# --- outbound rules ---

def groups_of(**numbers):
    """An exchange on which each line is in a group of its own name, and 1009 receives."""
    return FAST_RETRIES + exchange(lines=[(str(number), f"groups = {{{name}}}\n receive = no")
                                          for name, number in numbers.items()] + [("1009", "send = no")])


def route(server, groups, prefix="", **more):
    reply = server.ask("POST", "/v1/routes/outbound", {"groups": groups, "prefix": prefix, **more})
    if reply.status != 201:
        raise AssertionError(f"{reply.status} {reply.body!r}")
    return reply.json["id"]


def sent_on(server, number="1009", **more):
    """The line on which a fax is delivered."""
    one = server.wait_state(server.send(number, **more))
    same(one["status"], "delivered")
    return one["line"].removeprefix("exchange/")


@fact
def a_prefix_chooses_the_line_group():
    server = started(groups_of(cheap=1001, dear=1002, default=1003))
    same(sent_on(server), "1003")
    first = route(server, ["cheap"], "10")
    same(sent_on(server), "1001")
    route(server, ["dear"], "1009", position=1)
    same(sent_on(server), "1002")
    same([(one["position"], one["prefix"]) for one in server.get("/v1/routes/outbound")["data"]], [(1, "1009"), (2, "10")])
    same(server.ask("PATCH", "/v1/routes/outbound/" + first, {"position": 1}).json["position"], 1)
    same(sent_on(server), "1001")
    same(sent_on(server, route={"group": "default"}), "1003")  # a group that is asked for is left alone
    same(server.ask("PATCH", "/v1/routes/outbound/" + first, {"enabled": False}).json["enabled"], False)
    same(sent_on(server), "1002")
    server.kill()  # rules are on disk
    server.start()
    same(sent_on(server), "1002")


@fact
def a_group_whose_lines_cannot_send_is_passed_over():
    server = started(groups_of(cheap=1001, dear=1002, default=1003))
    route(server, ["cheap", "dear"])
    enable(server, 1001, False)
    same(sent_on(server), "1002")
    enable(server, 1002, False)
    waits = server.send("1009")
    server.wait_state(waits, "queued")
    asked = server.ask("POST", "/v1/routes/outbound/test", {"to": "1009"}).json
    same(asked["groups"], [{"name": "cheap", "can_send": False}, {"name": "dear", "can_send": False}])
    same(asked["reasons"][-1], "It would wait for a line.")
    enable(server, 1001, True)
    same((server.wait_state(waits)["status"], server.fax(waits)["line"]), ("delivered", "exchange/1001"))


@fact
def a_failure_of_the_line_goes_on_with_the_next_group_and_is_not_counted():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider().replace("number = 3001", "number = 3001\n groups = {cheap}") +
                         exchange(lines=[("1001", "groups = {dear}\n receive = no"), ("1009", "send = no")]))
        route(server, ["cheap", "dear"])
        for outcome in ("congestion", "line_unavailable"):
            script.write("1009", {"outcome": outcome})
            one = server.wait_state(server.send("1009", retry={"max_attempts": 1}))
            same((one["status"], one["line"], one["calls"], one["attempts"]), ("delivered", "exchange/1001", 2, 1))
        script.write("1009", {"outcome": "busy"})  # that is the number's own
        one = server.wait_state(server.send("1009", retry={"max_attempts": 1}))
        same((one["status"], one["line"], one["calls"], one["attempts"]), ("failed", "pbx/1", 1, 1))
        script.write("1008", {"outcome": "congestion"})  # nobody has this number on the exchange
        one = server.wait_state(server.send("1008", retry={"max_attempts": 3}))
        same((one["status"], [attempt["line"] for attempt in server.attempts(one["id"])][:2]), ("failed", ["1", "1001"]))


@fact
def faxes_that_are_queued_follow_the_rules_as_they_become():
    server = started(groups_of(cheap=1001, dear=1002, default=1003))
    made = route(server, ["cheap"])
    enable(server, 1001, False)
    faxes = [server.send("1009") for _ in range(3)]
    for one in faxes:
        server.wait_state(one, "queued")
    same(server.ask("DELETE", "/v1/routes/outbound/" + made).status, 204)
    same([server.wait_state(one)["line"] for one in faxes], ["exchange/1003"] * 3)
    same((server.ask("GET", "/v1/routes/outbound/" + made).status, server.get("/v1/routes/outbound")["data"]), (404, []))
    enable(server, 1003, False)
    late = server.send("1009")
    server.wait_state(late, "queued")
    route(server, ["dear"])
    enable(server, 1003, True)
    same(server.wait_state(late)["line"], "exchange/1002")


@fact
def out_of_its_window_a_fax_is_scheduled_for_its_beginning():
    server = started(groups_of(cheap=1001, default=1003))
    now = datetime.datetime.now(datetime.timezone.utc)
    day = (now.isoweekday() + 2) % 7 + 1  # neither today nor tomorrow
    window = {"from": "10:00", "to": "11:00", "days": [day], "time_zone": "UTC"}
    made = route(server, ["cheap"], "10", name="Nights", window=window)
    waits = server.wait_state(server.send("1009"), "scheduled")
    starts = datetime.datetime.fromisoformat(waits["next_attempt_at"].replace("Z", "+00:00"))
    within("not called at this time", waits["reason_text"])
    same((waits["reason"], starts.isoweekday(), starts.hour, starts.minute, starts > now),
         ("outside_window", day, 10, 0, True))
    asked = server.ask("POST", "/v1/routes/outbound/test", {"to": "1009"}).json
    same((asked["rule"]["id"], asked["rule"]["window"], asked["opens_at"]), (made, window, waits["next_attempt_at"]))
    within("10:00 to 11:00 (UTC)", " ".join(asked["reasons"]))
    route(server, ["default"], "1009")  # another rule about the number is open
    same(sent_on(server), "1003")
    same(server.ask("POST", "/v1/routes/outbound/test", {"to": "1009"}).json["opens_at"], None)


@fact
def every_fault_of_an_outbound_rule_is_told():
    server = started(groups_of(cheap=1001, default=1003))
    same(server.ask("POST", "/v1/routes/outbound", {"prefix": "x", "groups": ["none", 1], "position": 0, "enabled": 1,
                                                    "window": {"from": "1"}, "line": 1}).codes(),
         {("/prefix", "invalid_number"), ("/groups/0", "unknown_group"), ("/groups/1", "wrong_type"),
          ("/position", "out_of_range"), ("/enabled", "wrong_type"), ("/window", "invalid_window"),
          ("/line", "unknown_key")})
    same(server.ask("POST", "/v1/routes/outbound", {}).codes(), {("/groups", "missing")})
    same(server.ask("POST", "/v1/routes/outbound", {"groups": []}).codes(), {("/groups", "wrong_count")})
    same(server.ask("POST", "/v1/routes/outbound/test", {"to": "abc"}).codes(), {("/to", "invalid_number")})
    same(server.get("/v1/routes/outbound")["data"], [])
    made = [route(server, ["cheap"], str(i)) for i in range(1, 4)]
    window = {"from": "08:00", "to": "18:00", "days": [1, 5], "time_zone": "Europe/Berlin"}
    same(server.ask("PATCH", "/v1/routes/outbound/" + made[0], {"window": window}).json["window"], window)
    same(server.ask("PATCH", "/v1/routes/outbound/" + made[0], {"name": "n", "position": 9}).json["window"], window)
    page = server.get("/v1/routes/outbound?limit=2")
    rest = server.get("/v1/routes/outbound?limit=2&cursor=" + page["next_cursor"])
    same([one["prefix"] for one in page["data"] + rest["data"]], ["2", "3", "1"])
    same(server.ask("PATCH", "/v1/routes/outbound/" + made[0], {"window": None}).json["window"], None)
    for method in ("GET", "DELETE"):
        same(server.ask(method, "/v1/routes/outbound/rto_none").status, 404)


if __name__ == "__main__":
    sys.exit(main())
