#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What keys are bound to, against the real server: networks, rates, and the rotation of tokens."""
import re
import signal
import socket
import sys

from faxd import PAGES, document, exchange, fact, main, octets, same, started, wait_for, within

PLAIN = exchange(lines=("1001", "1002"))


def make(server, key=None, **more):
    return server.ask("POST", "/v1/api-keys", {"name": "k", "scopes": ["fax:read"], **more}, key=key)


def made(server, **more):
    reply = make(server, **more)
    same((reply.status, reply.body if reply.status != 201 else b""), (201, b""))
    return reply.json


def codes_of(reply):
    same(reply.status, 422)
    return reply.codes()


@fact
def a_key_is_bound_to_networks_and_works_from_nowhere_else():
    server = started(PLAIN)
    near = made(server, allow_from=["203.0.113.0/24", "127.0.0.0/8", "::ffff:10.0.0.0/104", "2001:DB8::/32"])
    same(near["allow_from"], ["203.0.113.0/24", "127.0.0.0/8", "10.0.0.0/8", "2001:db8::/32"])
    far = made(server, allow_from=["203.0.113.0/24", "::/0"], scopes=["fax:send", "fax:read"])
    same(server.ask("GET", "/v1/faxes", key=near["token"]).status, 200)
    reply = server.ask("GET", "/v1/faxes", key=far["token"])
    same((reply.status, reply.json["code"]), (403, "address_not_allowed"))
    within("127.0.0.1", reply.json["detail"])
    # Nor does it get as far as a body.
    reply = server.post([document(octets(PAGES[0]))], key=far["token"])
    same((reply.status, reply.json["code"]), (403, "address_not_allowed"))
    same(server.faxes(), [])
    same([k["allow_from"] for k in server.get("/v1/api-keys")["data"] if k["id"] == far["id"]],
         [["203.0.113.0/24", "::/0"]])


@fact
def every_fault_of_a_key_is_told_and_none_is_made():
    server = started(PLAIN)
    before = len(server.get("/v1/api-keys")["data"])
    reply = make(server, allow_from=["10.1.2.3/8", "example.org", 7, "::1"], per_minute=-1)
    same(codes_of(reply), {("/allow_from/0", "invalid_network"), ("/allow_from/1", "invalid_network"),
                           ("/allow_from/2", "wrong_type"), ("/per_minute", "out_of_range")})
    within("10.0.0.0/8 may be meant", reply.json["errors"][0]["detail"])
    same(codes_of(make(server, allow_from=["10.0.0.1"] * 17)), {("/allow_from", "wrong_type")})
    same(codes_of(make(server, allow_from="10.0.0.1")), {("/allow_from", "wrong_type")})
    same(codes_of(make(server, per_minute=1000001)), {("/per_minute", "out_of_range")})
    same(codes_of(make(server, per_minute="9")), {("/per_minute", "out_of_range")})
    same(codes_of(make(server, allow_form=[])), {("/allow_form", "unknown_key")})
    same(len(server.get("/v1/api-keys")["data"]), before)


def change(server, key, by=None, **body):
    return server.ask("PATCH", f"/v1/api-keys/{key}", body, key=by)


@fact
def a_key_is_changed_in_every_way_that_it_is_made_in():
    server = started(PLAIN)
    key = made(server)
    reply = change(server, key["id"], name="n", scopes=["fax:read", "document:read"], allow_from=["127.0.0.0/8"],
                   per_minute=50, expires_at="2099-01-01T00:00:00Z")
    same(reply.status, 200)
    wanted = key | {"name": "n", "scopes": ["fax:read", "document:read"], "allow_from": ["127.0.0.0/8"],
                    "per_minute": 50, "expires_at": "2099-01-01T00:00:00.000Z"}
    token = wanted.pop("token")
    got = reply.json
    wanted["expires_at"] = got["expires_at"] if got["expires_at"].startswith("2099-01-01") else wanted["expires_at"]
    same(got, wanted)
    reply = server.ask("GET", "/v1/faxes", key=token)
    same((reply.status, "50" in reply.headers["RateLimit-Policy"]), (200, True))
    # What is not named stays, and null and [] take away.
    same(change(server, key["id"], name="o").json, server.get("/v1/api-keys/" + key["id"]))
    same(server.get("/v1/api-keys/" + key["id"])["per_minute"], 50)
    got = change(server, key["id"], expires_at=None, allow_from=[], per_minute=0).json
    same((got["expires_at"], got["allow_from"], got["per_minute"], got["name"]), (None, [], 0, "o"))
    actions = [one["action"] for one in server.get("/v1/audit-log?object=" + key["id"])["data"]]
    same(actions.count("key.changed"), 3)


@fact
def a_change_of_a_key_is_felt_at_once():
    server = started(PLAIN)
    key = made(server)
    same(server.ask("GET", "/v1/faxes", key=key["token"]).status, 200)
    change(server, key["id"], allow_from=["203.0.113.0/24"])
    same(server.ask("GET", "/v1/faxes", key=key["token"]).json["code"], "address_not_allowed")
    change(server, key["id"], allow_from=[], scopes=["fax:send"])
    same(server.ask("GET", "/v1/faxes", key=key["token"]).json["code"], "insufficient_scope")
    change(server, key["id"], scopes=["fax:read"])
    same(server.ask("GET", "/v1/faxes", key=key["token"]).status, 200)


@fact
def nobody_gives_a_key_more_than_he_has_or_loosens_one_that_may_more():
    server = started(PLAIN)
    small = made(server, scopes=["config:*", "fax:read"])["token"]
    weak, strong = made(server), made(server, scopes=["fax:read", "fax:send"], allow_from=["203.0.113.0/24"])
    same(change(server, weak["id"], weak["token"], scopes=["fax:read"]).status, 403)  # it lacks config:*
    same(change(server, weak["id"], small, name="ok", scopes=["fax:read", "config:*"]).status, 200)
    for key, body in ((weak, {"scopes": ["fax:send"]}), (strong, {"allow_from": []}), (strong, {"scopes": ["fax:read"]})):
        before = server.get("/v1/api-keys/" + key["id"])
        reply = change(server, key["id"], small, **body)
        same((reply.status, reply.json["code"]), (403, "insufficient_scope"))
        same(server.get("/v1/api-keys/" + key["id"]), before)


@fact
def every_fault_of_a_change_is_told_and_nothing_is_changed():
    server = started(PLAIN)
    key = made(server)
    before = server.get("/v1/api-keys/" + key["id"])
    reply = change(server, key["id"], name="", scopes=["all"], allow_from=["x"], per_minute=-1, test=True, user=None,
                   expires_at="2001-01-01T00:00:00Z", nmae="")
    same(codes_of(reply), {("/name", "invalid_name"), ("/scopes", "unknown_scope"), ("/allow_from/0", "invalid_network"),
                           ("/per_minute", "out_of_range"), ("/test", "fixed"), ("/user", "fixed"),
                           ("/expires_at", "in_the_past"), ("/nmae", "unknown_key")})
    same(server.get("/v1/api-keys/" + key["id"]), before)
    same(server.ask("PATCH", "/v1/api-keys/" + key["id"], []).status, 422)
    same(change(server, "key_none", name="x").status, 404)
    server.ask("DELETE", "/v1/api-keys/" + key["id"])
    reply = change(server, key["id"], name="x")
    same((reply.status, reply.json["code"]), (409, "revoked"))


def rotate(server, key, key_token=None, **body):
    return server.ask("POST", f"/v1/api-keys/{key}/rotate", body, key=key_token)


@fact
def a_rotated_key_works_with_both_tokens_and_after_the_next_rotation_with_the_last_two():
    server = started(PLAIN)
    key = made(server)
    reply = rotate(server, key["id"])
    same(reply.status, 200)
    second = reply.json
    same((second["id"], second["name"], second["scopes"]), (key["id"], "k", ["fax:read"]))
    same(second["old_token_until"] > second["created_at"], True)
    for token in (key["token"], second["token"]):
        same(server.ask("GET", "/v1/faxes", key=token).status, 200)
    third = rotate(server, key["id"], overlap_s=60).json
    same([server.ask("GET", "/v1/faxes", key=t).status for t in (key["token"], second["token"], third["token"])],
         [401, 200, 200])
    fourth = rotate(server, key["id"], overlap_s=0).json
    same(fourth["old_token_until"], None)
    same([server.ask("GET", "/v1/faxes", key=t).status for t in (second["token"], third["token"], fourth["token"])],
         [401, 401, 200])
    shown = server.get(f"/v1/api-keys/{key['id']}")
    same("token" in shown, False)


@fact
def a_rotation_survives_a_kill_and_ends_with_the_key():
    server = started(PLAIN)
    key = made(server)
    second = rotate(server, key["id"]).json
    server.kill()
    server.start()
    for token in (key["token"], second["token"]):
        same(server.ask("GET", "/v1/faxes", key=token).status, 200)
    same(server.ask("DELETE", f"/v1/api-keys/{key['id']}").status, 204)
    for token in (key["token"], second["token"]):
        same(server.ask("GET", "/v1/faxes", key=token).status, 401)
    same(rotate(server, key["id"]).status, 409)


@fact
def a_key_cannot_rotate_one_that_may_do_more_and_faults_are_told():
    server = started(PLAIN)
    small = made(server, scopes=["config:*"])
    big = made(server, scopes=["config:*", "document:read"])
    reply = rotate(server, big["id"], small["token"])
    same((reply.status, reply.json["code"]), (403, "insufficient_scope"))
    same("token" in reply.json, False)
    same(server.ask("GET", "/v1/api-keys", key=big["token"]).status, 200)
    same(rotate(server, small["id"], small["token"], overlap_s=0).status, 200)
    same(codes_of(rotate(server, big["id"], overlap_s=2592001)), {("/overlap_s", "out_of_range")})
    same(codes_of(rotate(server, big["id"], overlap=5)), {("/overlap", "unknown_key")})
    same(rotate(server, "key_NONE").status, 404)
    reply = server.ask("POST", f"/v1/api-keys/{big['id']}/rotate", {}, {"Idempotency-Key": "a"})
    same(reply.json["code"], "idempotency_not_possible")


@fact
def the_command_makes_and_rotates_such_keys():
    server = started(PLAIN)
    code, out, _ = server.command("key", "create", "--name", "n", "--scopes", "fax:read", "--allow-from",
                                  "127.0.0.1,10.0.0.0/8", "--per-minute", "50")
    same(code, 0)
    key = [k for k in server.get("/v1/api-keys")["data"] if k["name"] == "n"][0]
    same((key["allow_from"], key["per_minute"]), (["127.0.0.1", "10.0.0.0/8"], 50))
    first = out.split()[0]
    code, out, _ = server.command("key", "rotate", key["id"], "--overlap", "0")
    same(code, 0)
    same([server.ask("GET", "/v1/faxes", key=t).status for t in (first, out.split()[0])], [401, 200])
    same(server.command("key", "rotate", key["id"], "--overlap", "soon")[0] != 0, True)


# --- rates ---

def limited(server, per_minute):
    return made(server, per_minute=per_minute, scopes=["fax:read", "fax:send"])["token"]


@fact
def a_key_past_its_rate_is_told_how_long_to_wait_and_others_go_on():
    server = started(PLAIN)
    token = limited(server, 5)
    for left in (4, 3, 2, 1, 0):
        reply = server.ask("GET", "/v1/faxes", key=token)
        same((reply.status, reply.headers["RateLimit-Policy"]), (200, '"key";q=5;w=60'))
        within(f'"key";r={left};t=', reply.headers["RateLimit"])
    reply = server.ask("GET", "/v1/faxes", key=token)
    same((reply.status, reply.headers["Content-Type"], reply.json["code"]),
         (429, "application/problem+json", "rate_limited"))
    same(1 <= int(reply.headers["Retry-After"]) <= 12, True)
    same(re.fullmatch(r'"key";r=0;t=\d+', reply.headers["RateLimit"]) is not None, True)
    # It is not told before its body is sent, and no fax is made of it.
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        connection.sendall(f"POST /v1/faxes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: "
                           "application/json\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n\r\n".encode())
        within(b"HTTP/1.1 429 ", connection.recv(4096))
    same(server.ask("GET", "/v1/faxes").status, 200)
    same(server.ask("GET", "/v1/faxes", key=limited(server, 5)).status, 200)


@fact
def without_a_limit_nothing_is_told_of_one():
    server = started(PLAIN)
    for _ in range(3):
        reply = server.ask("GET", "/v1/faxes")
        same((reply.status, reply.headers["RateLimit"], reply.headers["RateLimit-Policy"]), (200, None, None))


@fact
def event_streams_health_and_metrics_are_not_counted():
    server = started('web { address_per_minute = 1 }\n' + PLAIN)
    token = limited(server, 1)
    same(server.ask("GET", "/v1/faxes", key=token).status, 200)
    same(server.ask("GET", "/v1/faxes", key=token).status, 429)
    with socket.create_connection(("127.0.0.1", server.port), 60) as stream:
        stream.sendall(f"GET /v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        within(b"HTTP/1.1 200 ", stream.recv(4096))
    for path in ("/health/live", "/health/ready", "/metrics") * 3:
        reply = server.ask("GET", path)
        same((path, reply.status, reply.headers["RateLimit"]), (path, 200, None))


def stream_ends(server, key, end):
    """Whether its event stream ends once `end` was called."""
    with socket.create_connection(("127.0.0.1", server.port), 60) as stream:
        stream.sendall(f"GET /v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key['token']}\r\n\r\n".encode())
        within(b"HTTP/1.1 200 ", stream.recv(4096))
        end()
        return any(stream.recv(4096) == b"" for _ in range(5))  # else there is a comment now and then


@fact
def an_event_stream_ends_with_its_key():
    server = started(PLAIN)
    ends = [lambda key: same(server.ask("DELETE", "/v1/api-keys/" + key["id"]).status, 204),
            lambda key: same(server.ask("PATCH", "/v1/api-keys/" + key["id"], {"scopes": ["fax:send"]}).status, 200),
            lambda key: same(rotate(server, key["id"], overlap_s=0).status, 200)]
    for end in ends:
        key = made(server)
        same(stream_ends(server, key, lambda key=key, end=end: end(key)), True)


@fact
def a_test_key_makes_no_key_that_places_calls():
    server = started(PLAIN)
    tester = made(server, scopes=["config:*", "fax:send"], test=True)["token"]
    live = made(server, scopes=["fax:send"])
    refused = [make(server, tester, scopes=["fax:send"], test=False), rotate(server, live["id"], tester),
               server.ask("PATCH", "/v1/api-keys/" + live["id"], {"name": "mine"}, key=tester),
               server.ask("POST", "/v1/users", {"name": "eve", "password": "a long enough one", "role": "sender"}, key=tester)]
    same([(reply.status, reply.json["code"]) for reply in refused], [(403, "test_key")] * 4)
    same(make(server, tester, scopes=["fax:send"], test=True).status, 201)


@fact
def who_has_no_key_shares_the_rate_of_the_address():
    server = started('web { address_per_minute = 3 per_minute = 100 }\n' + PLAIN)
    for left in (2, 1, 0):
        reply = server.ask("GET", "/v1/openapi.json")
        same((reply.status, reply.headers["RateLimit-Policy"]), (200, '"address";q=3;w=60'))
        within(f'"address";r={left};', reply.headers["RateLimit"])
    same(server.ask("GET", "/nowhere").status, 429)
    same(server.ask("GET", "/").status, 200)  # the pages are many small files, and count for nobody
    same(server.ask("DELETE", "/v1/faxes").status, 429)
    for headers in ({}, {"Cookie": "faxd_session=x"}):
        client = server.client()
        client.request("GET", "/v1/faxes", headers=headers)
        same(client.getresponse().status, 429)
        client.close()
    reply = server.ask("GET", "/v1/faxes")  # a key has its own, here the server's default
    same((reply.status, reply.headers["RateLimit-Policy"]), (200, '"key";q=100;w=60'))


@fact
def wrong_keys_are_told_to_wait_longer_and_longer_and_a_right_one_is_not():
    server = started(PLAIN)
    wrong = "fxk_live_" + "0" * 32
    statuses = [server.ask("GET", "/v1/faxes", key=wrong).status for _ in range(60)]
    same(set(statuses), {401})
    seen = set()
    for _ in range(20):
        reply = server.ask("GET", "/v1/faxes", key=wrong)
        seen.add(reply.status)
        if reply.status == 429:
            same((reply.json["code"], int(reply.headers["Retry-After"]) >= 1), ("rate_limited", True))
    same(429 in seen, True)
    same(server.ask("GET", "/v1/faxes").status, 200)
    client = server.client()
    client.request("GET", "/v1/faxes")  # without any
    same(client.getresponse().status, 401)
    client.close()


@fact
def a_limit_that_is_changed_holds_after_hup():
    server = started('web { per_minute = 0 }\n' + PLAIN)
    same(server.ask("GET", "/v1/faxes").headers["RateLimit-Policy"], None)
    server.configure('web { per_minute = 7000 }\n' + PLAIN)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: server.ask("GET", "/v1/faxes").headers["RateLimit-Policy"] == '"key";q=7000;w=60', "the limit")


if __name__ == "__main__":
    sys.exit(main())
