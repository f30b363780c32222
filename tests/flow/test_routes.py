#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Inbound rules: which received fax meets which rule, what the API refuses, what is put aside. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, exchange, fact, main, same, started, wait_for, within  # noqa: E402
from routes import ROUTES, at_rest, call, rule  # noqa: E402

def met(server, **facts):
    """Positions of the rules that a fax would meet."""
    reply = server.ask("POST", ROUTES + "/test", facts)
    same((reply.status, facts), (200, facts))
    return [one["position"] for one in reply.json["rules"] if one["matches"]]


def why(server, position=1, **facts):
    return server.ask("POST", ROUTES + "/test", facts).json["rules"][position - 1]["reason"]


@fact
def each_condition_of_a_rule_is_compared():
    server = started(exchange(lines=[("1001", "groups = {sales, default}"), ("1002", "")]))
    made = rule(server)
    cases = (({"did": "+49 (30) 123"}, {"did": "+4930123"}, {"did": "+49301234"}, "not +4930123"),
             ({"did": "sales"}, {"did": "sales"}, {"did": "Sales"}, "not sales"),
             ({"did_prefix": "+49 30"}, {"did": "+4930123"}, {"did": "+4931"}, "does not begin with +4930"),
             ({"line": "exchange/1001"}, {"line": "exchange/1001"}, {"line": "exchange/1002"}, "exchange/1002"),
             ({"group": "sales"}, {"line": "exchange/1001"}, {"line": "exchange/1002"}, "of the group sales"),
             ({"from": "+1 202 5550100"}, {"from": "+1-202-5550100"}, {"from": ""}, "The caller is not known"),
             ({"from_prefix": "+1"}, {"from": "+1202"}, {"from": "+4930"}, "does not begin with +1"),
             ({"anonymous": True}, {"from": "anonymous"}, {"from": "1001"}, "says a number: 1001"),
             ({"anonymous": False}, {"from": "1001"}, {}, "says no number"),
             ({"station_id": "acme corp"}, {"station_id": " Acme Corp "}, {"station_id": "Acme"}, "not ACME CORP"),
             ({"station_id_prefix": "ACME"}, {"station_id": "acme 7"}, {"station_id": "The Acme"}, "begin with ACME"),
             ({"subaddress": "12"}, {"subaddress": "12"}, {"subaddress": "1"}, "The subaddress is 1, not 12"),
             ({"pages_min": 3}, {"pages": 3}, {"pages": 2}, "fewer than 3"),
             ({"pages_max": 3}, {"pages": 3}, {"pages": 4}, "more than 3"),
             ({"outcome": "received"}, {}, {"outcome": "partially_received"}, "in part only"),
             ({"outcome": "partially_received"}, {"outcome": "partially_received"}, {}, "received whole"),
             ({"window": {"from": "08:00", "to": "18:00", "days": [1, 2, 3, 4, 5], "time_zone": "Europe/Berlin"}},
              {"at": "2026-11-20T07:00:00Z"}, {"at": "2026-11-21T07:00:00Z"}, "outside 08:00 to 18:00"))
    for match, good, bad, reason in cases:
        same(server.ask("PATCH", f"{ROUTES}/{made}", {"match": match}).status, 200)
        same((match, met(server, **good), met(server, **bad)), (match, [1], []))
        within(reason, why(server, **bad))
        same(why(server, **good), None)
    server.ask("PATCH", f"{ROUTES}/{made}", {"match": {"did": "1", "pages_max": 2, "from": "2"}})
    same([met(server, did="1", pages=2, **{"from": one}) for one in ("2", "3")], [[1], []])  # all of them
    same(server.ask("PATCH", f"{ROUTES}/{made}", {"match": None}).json["match"]["did"], None)
    same(met(server), [1])


@fact
def rules_are_looked_at_in_their_order_until_one_says_stop():
    server = started(exchange(lines=("1001",)))
    last = rule(server, name="all")
    rule(server, name="long", position=1, then="continue", match={"pages_min": 5})
    rule(server, name="off", position=1, enabled=False)
    rule(server, name="one", position=2, match={"did": "1"})
    same([one["name"] for one in server.get(ROUTES)["data"]], ["off", "one", "long", "all"])
    same([met(server, did="1", pages=9), met(server, did="2", pages=9), met(server, did="2")], [[2], [3, 4], [4]])
    tried = server.ask("POST", ROUTES + "/test", {"did": "1", "pages": 9}).json
    same([(one["evaluated"], one["then"]) for one in tried["rules"]],
         [(False, "stop"), (True, "stop"), (False, "continue"), (False, "stop")])
    same((tried["rules"][0]["reason"], tried["status"]), ("It is disabled.", "routing"))
    within("ends the search", tried["rules"][2]["reason"])
    same(tried["deliveries"], [{"rule": tried["rules"][1]["id"], "method": "inbox", "target": '["seen"]'}])
    same(server.ask("PATCH", f"{ROUTES}/{last}", {"position": 1}).json["position"], 1)
    same([one["name"] for one in server.get(ROUTES)["data"]], ["all", "off", "one", "long"])
    page = server.get(ROUTES + "?limit=3")
    same([one["name"] for one in server.get(f"{ROUTES}?limit=3&cursor=" + page["next_cursor"])["data"]], ["long"])
    server.kill()  # rules are on disk
    server.start()
    same([one["position"] for one in server.get(ROUTES)["data"]], [1, 2, 3, 4])
    same(server.ask("DELETE", f"{ROUTES}/{last}").status, 204)
    same([(one["position"], one["name"]) for one in server.get(ROUTES)["data"]], [(1, "off"), (2, "one"), (3, "long")])
    for method in ("GET", "DELETE", "PATCH"):
        same(server.ask(method, f"{ROUTES}/{last}", {} if method == "PATCH" else None).status, 404)
    while server.get(ROUTES)["data"]:
        server.ask("DELETE", f"{ROUTES}/{server.get(ROUTES)['data'][0]['id']}")
    tried = server.ask("POST", ROUTES + "/test", {"outcome": "partially_received"}).json
    same((tried["status"], tried["rules"], tried["deliveries"]), ("partially_received", [], []))


@fact
def every_fault_of_an_inbound_rule_is_told():
    server = started("routing { folder_root = \"/srv/fax\" }\n" + exchange(lines=("1001",)))
    same(server.ask("POST", ROUTES, {}).codes(), {("/methods", "missing")})
    same(server.ask("POST", ROUTES, {"methods": []}).codes(), {("/methods", "wrong_count")})
    bad = {"position": 0, "name": 1, "then": "go", "enabled": 1, "x": 1,
           "match": {"did": 1, "did_prefix": "", "anonymous": True, "from": "1", "pages_min": 3, "pages_max": 2, "y": 1,
                     "outcome": "all", "window": {"from": "8"}, "station_id": "  ", "line": "a\nb"},
           "methods": [1, {}, {"type": "fly"}]}
    same(server.ask("POST", ROUTES, bad).codes(),
         {("/position", "out_of_range"), ("/name", "wrong_type"), ("/then", "unknown_word"), ("/enabled", "wrong_type"),
          ("/x", "unknown_key"), ("/match/did", "wrong_type"), ("/match/did_prefix", "wrong_length"),
          ("/match/anonymous", "not_together"), ("/match/pages_max", "out_of_range"), ("/match/y", "unknown_key"),
          ("/match/outcome", "unknown_word"), ("/match/window", "invalid_window"), ("/match/station_id", "wrong_length"),
          ("/match/line", "control_character"), ("/methods/0", "wrong_type"), ("/methods/1/type", "missing"),
          ("/methods/2/type", "unknown_word")})
    methods = (({"type": "folder"}, {("folder", "missing")}),
               ({"type": "folder", "folder": "srv", "format": "gif", "name": "a/{id}", "z": 1},
                {("folder", "invalid_path"), ("format", "unknown_word"), ("name", "invalid_name"), ("z", "unknown_key")}),
               ({"type": "folder", "folder": "/srv/fax/../x", "name": "{date}"},
                {("folder", "invalid_path"), ("name", "invalid_name")}),
               ({"type": "folder", "folder": "/srv/faxes", "name": "{who}-{id}"},
                {("folder", "not_allowed"), ("name", "invalid_name")}),
               ({"type": "folder", "folder": "/srv/fax/a", "name": ".{id}"}, {("name", "invalid_name")}),
               ({"type": "command", "argv": ["/bin/true", ""], "timeout_s": 0},
                {("argv/0", "not_allowed"), ("argv/1", "wrong_type"), ("timeout_s", "out_of_range")}),
               ({"type": "command"}, {("argv", "missing")}),
               ({"type": "webhook", "url": "ftp://x", "secret": "s", "expires_s": 1},
                {("url", "invalid_url"), ("secret", "invalid_secret"), ("expires_s", "out_of_range")}),
               ({"type": "print", "printer": "-d x", "server": "-h", "copies": 0, "options": [1]},
                {("printer", "invalid_name"), ("server", "invalid_name"), ("copies", "out_of_range"),
                 ("options/0", "wrong_type")}),
               ({"type": "inbox"}, {("user", "missing")}),
               ({"type": "inbox", "user": "usr_none"}, {("user", "unknown_user")}))
    for method, codes in methods:
        same((method, server.ask("POST", ROUTES, {"methods": [method]}).codes()),
             (method, {("/methods/0/" + name, code) for name, code in codes}))
    same(server.get(ROUTES)["data"], [])  # nothing of it was stored
    made = rule(server, [{"type": "folder", "folder": "/srv/fax/a"}])
    same(server.ask("PATCH", f"{ROUTES}/{made}", {"methods": []}).status, 422)
    same(server.get(f"{ROUTES}/{made}")["methods"],
         [{"type": "folder", "folder": "/srv/fax/a", "format": "pdf", "name": "{date}-{time}-{from}-{id}"}])
    same(server.ask("POST", ROUTES + "/test", {"pages": 0, "outcome": "lost", "at": "noon", "z": 1}).codes(),
         {("/pages", "out_of_range"), ("/outcome", "unknown_word"), ("/at", "invalid_time"), ("/z", "unknown_key")})


@fact
def the_secret_of_a_webhook_is_shown_once_and_stays():
    server = started(exchange(lines=("1001",)))
    reply = server.ask("POST", ROUTES, {"methods": [{"type": "webhook", "url": "https://hook.example/?key=1"}]}).json
    secret = reply["methods"][0]["secret"]
    within("whsec_", secret)
    path = ROUTES + "/" + reply["id"]
    same("secret" in server.get(path)["methods"][0], False)
    same("secret" in server.ask("PATCH", path, {"name": "n"}).json["methods"][0], False)
    changed = server.ask("PATCH", path, {"methods": [{"type": "webhook", "url": "https://hook.example/?key=1"}]}).json
    same(changed["methods"][0]["secret"], secret)
    other = server.ask("PATCH", path, {"methods": [{"type": "webhook", "url": "https://hook.example/"}]}).json
    same(other["methods"][0]["secret"] != secret, True)
    same(server.ask("POST", ROUTES + "/test", {}).json["deliveries"][0]["target"], "https://hook.example")


@fact
def rules_of_the_configuration_come_first_and_cannot_be_changed():
    text = ('route "all" { then = continue\n method { type = inbox labels = {one} }\n method { type = command'
            ' argv = {"/bin/true", "{file}"} } }\nroute "nights" { did = "+49 30" from_time = "18:00" to_time = "06:00"'
            ' days = {1, 2} time_zone = UTC\n method { folder = "/var/spool/fax" } }\n')
    server = started(text + exchange(lines=("1001",)))
    made = rule(server, position=1)
    shown = server.get(ROUTES)["data"]
    same([(one["id"], one["position"], one["from_config"]) for one in shown],
         [("conf_all", 1, True), ("conf_nights", 2, True), (made, 3, False)])
    same(shown[1]["match"]["window"], {"from": "18:00", "to": "06:00", "days": [1, 2], "time_zone": "UTC"})
    same((shown[1]["match"]["did"], shown[1]["then"], shown[0]["then"]), ("+4930", "stop", "continue"))
    same([one["type"] for one in shown[0]["methods"]], ["inbox", "command"])
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        reply = server.ask(method, ROUTES + "/conf_all", body)
        same((reply.status, reply.json["code"]), (409, "from_config"))
    same(met(server), [1, 3])
    server.configure('route "new" { method { type = inbox labels = {two} } }\n' + exchange(lines=("1001",)))
    server.process.send_signal(1)
    wait_for(lambda: [one["id"] for one in server.get(ROUTES)["data"]] == ["conf_new", made], "the new rules")


@fact
def a_test_of_the_rules_says_what_blocks_a_call():
    server = started(exchange(lines=("1001",)))
    rule(server)
    body = {"direction": "inbound", "kind": "prefix", "value": "+1900"}
    denied = server.ask("POST", "/v1/rules/block", body).json["id"]
    aside = server.ask("POST", "/v1/rules/block", {**body, "kind": "station_id_prefix", "value": "spam"}).json
    same((aside["action"], aside["value"]), ("quarantine", "SPAM"))
    tried = server.ask("POST", ROUTES + "/test", {"from": "+19005"}).json
    same((tried["status"], tried["blocked"]["rule"], tried["deliveries"]), ("rejected", denied, []))
    tried = server.ask("POST", ROUTES + "/test", {"from": "+1901", "station_id": "Spammers"}).json
    same((tried["status"], tried["blocked"]["rule"]), ("junk", aside["id"]))
    for bad, pointer in (({"kind": "station_id", "value": "x", "action": "deny"}, "/action"),
                         ({"kind": "station_id", "value": "x", "direction": "outbound"}, "/kind"),
                         ({"action": "quarantine", "direction": "outbound"}, "/action")):
        within((pointer, "not_possible"), server.ask("POST", "/v1/rules/block", {**body, **bad}).codes())
    within(("/value", "invalid_number"),
           server.ask("POST", "/v1/rules/block", {**body, "kind": "station_id", "value": " "}).codes())


# --- receptions ---

NAMED = [("1001", 'station_id = "ACME 1"'), ("1002", ""), ("1003", 'station_id = "SPAM INC"')]


@fact
def a_received_fax_meets_its_rules_and_is_routed():
    server = started(FAST_RETRIES + exchange(lines=NAMED))
    user = server.ask("POST", "/v1/users", {"name": "ann", "role": "sender", "password": "correct horse 1"})
    same(user.status, 201)
    rule(server, [{"type": "inbox", "user": user.json["id"], "labels": ["acme"]}],
         match={"did": "1002", "station_id": "acme 1", "from": "1001"}, then="continue", name="Acme")
    rule(server, [{"type": "inbox", "labels": ["sub", "acme"]}], match={"subaddress": "77"})
    fax = at_rest(server, call(server, "1002"), "routed")
    same((fax["assigned"], fax["labels"], fax["delivery"]), (user.json["id"], ["acme"], "confirmed"))
    same(server.events(fax["id"])[-3:], ["inbound.received", "inbound.assigned", "inbound.routed"])
    done = server.get(f"/v1/faxes/{fax['id']}/deliveries")["data"]
    same([(one["method"], one["status"], one["tries"], one["rule_name"], one["next_at"]) for one in done],
         [("inbox", "delivered", 1, "Acme", None)])
    with_sub = at_rest(server, call(server, "1002", t30={"sub": "77"}), "routed")
    same(sorted(with_sub["labels"]), ["acme", "sub"])
    same(len(server.get(f"/v1/faxes/{with_sub['id']}/deliveries")["data"]), 2)
    other = call(server, "1001", "1002")  # no rule is about it
    same(at_rest(server, other, "received")["labels"], [])
    same(server.get(f"/v1/faxes/{other}/deliveries")["data"], [])
    counts = server.get("/v1/reports/usage?group_by=day")
    same(sum(row["received"] for row in counts["data"]), 3)
    same([f["id"] for f in server.faxes("status=routed")], [with_sub["id"], fax["id"]])


@fact
def a_fax_is_routed_again_by_the_rules_of_now():
    server = started(FAST_RETRIES + exchange(lines=NAMED))
    fax = call(server, "1002")
    same(at_rest(server, fax, "received")["labels"], [])
    made = rule(server)
    same(server.ask("POST", f"/v1/faxes/{fax}/route").json["status"], "routing")
    same(at_rest(server, fax, "routed")["labels"], ["seen"])
    same(server.ask("PATCH", f"{ROUTES}/{made}", {"enabled": False}).status, 200)
    same(server.ask("POST", f"/v1/faxes/{fax}/route").json["status"], "received")
    same(server.ask("POST", "/v1/faxes/fax_none/route").status, 404)
    sent = server.faxes("direction=outbound")[0]["id"]
    same(server.ask("POST", f"/v1/faxes/{sent}/route").status, 409)
    delivery = server.get(f"/v1/faxes/{fax}/deliveries")["data"][0]["id"]
    same(server.ask("POST", f"/v1/faxes/{fax}/deliveries/{delivery}/retry").status, 409)  # it has arrived
    same(server.ask("POST", f"/v1/faxes/{fax}/deliveries/rtd_none/retry").status, 404)
    same(server.ask("DELETE", f"/v1/faxes/{fax}").status, 200)
    same(server.ask("POST", f"/v1/faxes/{fax}/route").status, 409)


@fact
def junk_is_put_aside_and_routed_when_it_is_released():
    server = started(FAST_RETRIES + exchange(lines=NAMED))
    rule(server)
    body = {"direction": "inbound", "kind": "station_id", "value": "Spam Inc", "reason": "nuisance"}
    spam = server.ask("POST", "/v1/rules/block", body).json["id"]
    body = {"direction": "inbound", "kind": "number", "value": "1002", "action": "quarantine"}
    number = server.ask("POST", "/v1/rules/block", body).json["id"]
    same(at_rest(server, call(server, "1002"), "routed")["junk"], False)
    one, other = call(server, "1002", "1003"), call(server, "1001", "1002")
    for fax, by in ((one, spam), (other, number)):
        same([(f["status"], f["junk"], f["labels"]) for f in [at_rest(server, fax, "received")]], [("received", True, [])])
        told = [e["data"] for e in server.get(f"/v1/faxes/{fax}/events")["data"] if e["type"] == "inbound.junked"]
        same([(data["junk"], data["rule"]) for data in told], [(True, by)])
        same(server.get("/v1/rules/block/" + by)["hits"], 1)
        same(server.get(f"/v1/faxes/{fax}/deliveries")["data"], [])
    same(server.ask("POST", f"/v1/faxes/{one}/junk", {"junk": False}).json["junk"], False)
    same(at_rest(server, one, "routed")["labels"], ["seen"])
    server.ask("POST", f"/v1/faxes/{one}/junk", {"junk": True})
    server.ask("POST", f"/v1/faxes/{one}/junk", {"junk": False})
    same(len(server.get(f"/v1/faxes/{one}/deliveries")["data"]), 1)  # not once more
    allow = {"direction": "inbound", "kind": "station_id", "value": "SPAM INC", "action": "allow"}
    same(server.ask("POST", "/v1/rules/block", allow).status, 201)
    same(at_rest(server, call(server, "1002", "1003"), "routed")["junk"], False)


if __name__ == "__main__":
    sys.exit(main())
