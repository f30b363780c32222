#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Test keys: faxes that place no call, and receptions on demand. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import exchange, fact, main, pixels, same, started, wait_for  # noqa: E402

SCOPES = ["fax:send", "fax:read", "document:read"]


def test_key(server):
    reply = server.ask("POST", "/v1/api-keys", {"name": "t", "test": True, "scopes": SCOPES})
    same(reply.status, 201)
    return reply.json["token"]


def ring(server, key, **wish):
    return server.ask("POST", "/v1/test/inbound", wish, key=key)


@fact
def with_nothing_configured_a_test_key_has_its_numbers():
    server = started()
    key = test_key(server)
    ends = {"+12025550100": ("delivered", None), "+12025550103": ("failed", "bad_address"),
            "+12025550104": ("failed", "not_fax"), "+12025550110": ("failed", "blacklisted")}
    faxes = {number: server.send(number, key=key, retry={"max_attempts": 1}) for number in ends}
    for number, fax in faxes.items():
        end = server.wait_state(fax)
        same((number, end["status"], (end["error"] or {}).get("code") if end["status"] == "failed" else None, end["test"]),
             (number, *ends[number], True))
        same(end["line"].split("/")[0], "test")
    live = server.send("1002")  # and a live key has the exchange
    same(server.wait_state(live)["line"].split("/")[0], "exchange")
    same([row["key"] for row in server.get("/v1/reports/usage?group_by=provider")["data"]], ["exchange"])


@fact
def a_reception_has_the_caller_station_and_pages_that_were_wished():
    server = started()
    key = test_key(server)
    for count, wish in enumerate(({"from": "+1 202 555-0123", "station_id": "HELLO WORLD", "pages": 3},
                                  {"to": "+12025550197"}, {"pages": 3}), 1):
        reply = ring(server, key, **wish)
        same(reply.status, 202)
        got = server.settled_inbound(count)[-1]
        same((got["status"], got["test"], got["to"], got["line"]), ("received", True, reply.json["to"], reply.json["line"]))
        same(got["from"], "+12025550123" if "from" in wish else "+12025550199")
        same(got["to"], wish.get("to", got["to"]))
        same(len(pixels(server.document(got["id"]))), wish.get("pages", 1))
        if "station_id" in wish:
            same(got["remote_station_id"], "HELLO WORLD")
    same(server.events(got["id"])[-1], "inbound.received")
    same(server.get("/v1/reports/usage?group_by=day")["data"], [])
    same(len(server.get("/v1/audit-log?action=test.received&object=" + got["line"])["data"]) > 0, True)


@fact
def only_test_keys_ring_and_every_fault_is_told():
    server = started()
    key = test_key(server)
    same(ring(server, server.key).status, 403)
    reply = ring(server, key, **{"from": "x", "to": 7, "station_id": "x" * 21, "pages": 21, "page": 1})
    same((reply.status, reply.codes()), (422, {("/from", "invalid_number"), ("/to", "invalid_number"), ("/pages", "out_of_range"),
                                               ("/station_id", "invalid_station_id"), ("/page", "unknown_key")}))
    same(ring(server, key, pages=True).status, 422)
    reply = ring(server, key, to="1002")  # of the exchange
    same((reply.status, reply.json["code"]), (422, "no_line"))
    same(server.inbound(), [])


@fact
def without_a_line_that_could_ring_it_says_so():
    server = started(exchange() + 'provider "sim" {\n module = simulator\n line "1" { receive = false }\n}\n')
    key = test_key(server)
    reply = ring(server, key)
    same((reply.status, reply.json["code"]), (409, "line_busy"))
    same(server.ask("PATCH", "/v1/lines/sim/1", {"receive_enabled": True}).status, 200)
    wait_for(lambda: ring(server, key).status == 202, "the line to ring")
    server.settled_inbound(1)
    other = started(exchange())
    reply = ring(other, test_key(other))
    same((reply.status, reply.json["code"]), (422, "no_line"))


if __name__ == "__main__":
    sys.exit(main())
