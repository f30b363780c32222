#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may do what: users, roles and whose things they are, against the real server. Prints TAP."""
import http.client
import json
import sys

from faxd import PAGES, document, fact, main, octets, same, started
from visitor import PASSWORD, Visitor, key_of, made, make_user, nothing_told, problem, send, try_password

ROLES = ("admin", "operator", "sender", "reader")

# --- the table of rights ---

def operations(server):
    """(method, path, description) of everything that the server says it can do."""
    for path, methods in server.get("/v1/openapi.json")["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def filled(path, fax):
    path = path.replace("/v1/faxes/{id}", f"/v1/faxes/{fax}")
    return path.replace("{n}", "1").replace("{", "none-").replace("}", "")


def try_out(visitor, method, path, operation):
    """What the operation answers to as little as can be sent: the status, and what happened in a word."""
    body = {} if "requestBody" in operation else None
    reply = visitor.ask(method, path, body, read="stream" not in path)
    if reply.status == 404 and reply.json["code"] == "no_such_fax":
        return reply.status, "no such fax"
    if reply.status == 403 and reply.json["code"] == "test_key_needed":
        return reply.status, "allowed"  # it is refused for another reason than rights
    return reply.status, {401: "401", 403: "403"}.get(reply.status, "allowed")


def wanted_of(actor, operation):
    """The word that is right for an actor."""
    roles = operation["x-roles"]
    if roles == ["anyone"]:
        return "allowed"
    if actor == "nobody":
        return "401"
    if actor in ("key of a sender", "free key"):
        if not any("bearer" in scheme for scheme in operation["security"]):
            return "401"
        return "allowed" if actor == "free key" or "sender" in roles else "403"
    return "allowed" if actor in roles else "403"


@fact
def every_cell_of_the_table_of_rights_holds():
    server = started()
    visitors = {role: made(server, role, role) for role in ROLES}
    visitors["key of a sender"] = key_of(server, visitors["sender"].get("/v1/session")["user"]["id"])
    visitors["free key"] = Visitor(server, server.key)
    visitors["nobody"] = Visitor(server)
    other = made(server, "other", "sender")
    server.wait_state(send(visitors["sender"]), "held")  # from then on others of this document are ready at once
    cells, wrong = 0, []
    for method, path, operation in sorted(operations(server), key=lambda o: o[1] == "/v1/session"):  # ends the sessions
        fax = send(visitors["sender"]) if "/v1/faxes/{id}" in path else None
        wanted = {actor: wanted_of(actor, operation) for actor in visitors}
        tried = dict(visitors)
        if fax and "sender" in operation["x-roles"]:
            wanted["other"], tried["other"] = "no such fax", other
        for actor in ("other", *visitors):
            if actor in tried:
                cells += 1
                status, got = try_out(tried[actor], method, filled(path, fax), operation)
                if got != wanted[actor]:
                    wrong.append(f"{method} {path} by {actor}: {status}, wanted {wanted[actor]}")
    print(f"# {cells} cells of the table were tried")
    same(wrong, [])
    same(cells > 400, True)
    nothing_told()


@fact
def a_sender_sees_what_is_its_own_and_nothing_else():
    server = started()
    ann, bob = made(server, "ann", "sender"), made(server, "bob", "sender")
    ann_id = ann.get("/v1/session")["user"]["id"]
    of_ann, of_bob, of_nobody = send(ann), send(bob), send(Visitor(server, server.key))
    same(ann.get("/v1/faxes/" + of_ann)["user"], ann_id)
    same(server.fax(of_nobody)["user"], None)
    key = key_of(server, ann_id)
    by_key = send(key)
    same(server.fax(by_key)["user"], ann_id)
    for visitor, faxes in ((ann, [by_key, of_ann]), (key, [by_key, of_ann]), (bob, [of_bob]),
                           (Visitor(server, server.key), [by_key, of_nobody, of_bob, of_ann])):
        same([fax["id"] for fax in visitor.get("/v1/faxes")["data"]], faxes)
        same([fax["id"] for fax in visitor.get("/v1/faxes?to=1002&direction=outbound")["data"]], faxes)
        same({event["data"]["id"] for event in visitor.get("/v1/events?limit=1000")["data"] if "id" in event["data"]},
             set(faxes))
    for path in (f"/v1/faxes/{of_bob}", f"/v1/faxes/{of_bob}/document", f"/v1/faxes/{of_bob}/pages/1"):
        same([visitor.ask("GET", path).status for visitor in (ann, key)], [404, 404])
        same(ann.ask("GET", path).json["code"], ann.ask("GET", path.replace(of_bob, "fax_none")).json["code"])
    problem(ann.ask("POST", f"/v1/faxes/{of_bob}/cancel"), 404, "no_such_fax")
    same(bob.get("/v1/faxes/" + of_bob)["status"] in ("preparing", "held"), True)
    same(bob.ask("POST", f"/v1/faxes/{of_bob}/cancel").status, 202)


@fact
def the_event_stream_of_a_sender_tells_of_its_own_faxes():
    server = started()
    ann, bob = made(server, "ann", "sender"), made(server, "bob", "sender")
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.request("GET", "/v1/events/stream", headers={"Cookie": "faxd_session=" + ann.cookie})
    stream = client.getresponse()
    same(stream.status, 200)
    of_bob, of_ann = send(bob), send(ann)
    told = []
    while not told or told[-1]["data"]["id"] != of_ann:
        line = stream.readline().decode()
        if line.startswith("data: "):
            told.append(json.loads(line[6:]))
    same({event["data"]["id"] for event in told}, {of_ann})
    # Once she has signed out, it ends.
    same(ann.ask("DELETE", "/v1/session").status, 204)
    try:
        rest = stream.read()
    except http.client.IncompleteRead as cut:  # it is cut, since no stream has an end of its own
        rest = cut.partial
    same(of_bob.encode() in rest, False)
    client.close()


@fact
def a_preview_and_an_idempotency_key_are_for_who_made_them():
    server = started()
    ann, bob = made(server, "ann", "sender"), made(server, "bob", "sender")
    body = {"to": "1002", "documents": [document(octets(PAGES[0]))], "hold": True}
    preview = ann.ask("POST", "/v1/previews", {"documents": body["documents"]})
    same(preview.status, 201)
    path = "/v1/previews/" + preview.json["id"]
    same([ann.ask("GET", path).status, bob.ask("GET", path).status, server.ask("GET", path).status], [200, 404, 404])
    asked = [visitor.ask("POST", "/v1/faxes", body, {"Idempotency-Key": "once"}) for visitor in (ann, bob, ann)]
    same([reply.status for reply in asked], [202] * 3)
    same([reply.headers["Idempotent-Replayed"] for reply in asked], [None, None, "true"])
    same(len({reply.json["id"] for reply in asked}), 2)
    reply = server.ask("POST", "/v1/faxes", body, {"Idempotency-Key": "once"})
    same((reply.headers["Idempotent-Replayed"], reply.json["user"]), (None, None))


@fact
def a_key_of_a_user_needs_both_scope_and_role():
    server = started()
    reader, operator = make_user(server, "reader", "reader"), make_user(server, "operator", "operator")
    fax = send(Visitor(server, server.key))
    same(key_of(server, reader, "fax:read").ask("GET", "/v1/faxes/" + fax).status, 200)
    problem(key_of(server, reader, "fax:cancel").ask("GET", "/v1/faxes/" + fax), 403, "insufficient_scope")
    problem(key_of(server, reader, "fax:cancel").ask("POST", f"/v1/faxes/{fax}/cancel"), 403, "role_not_allowed")
    key = key_of(server, operator)
    same(key.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    problem(key.ask("GET", "/v1/users"), 403, "role_not_allowed")
    server.wait_state(fax)
    problem(key.ask("DELETE", f"/v1/faxes/{fax}?record=true"), 403, "insufficient_scope")
    problem(Visitor(server).sign_in("operator").ask("DELETE", f"/v1/faxes/{fax}?record=true"), 403, "role_not_allowed")
    reply = server.ask("POST", "/v1/api-keys", {"name": "k", "scopes": ["fax:read"], "user": "usr_none"})
    same((reply.status, reply.codes()), (422, {("/user", "unknown_user")}))


# --- users ---

@fact
def a_user_who_is_disabled_or_changed_feels_it_at_once():
    server = started()
    ann = made(server, "ann", "operator")
    user = ann.get("/v1/session")["user"]["id"]
    key = key_of(server, user)
    same([v.ask("GET", "/v1/lines").status for v in (ann, key)], [200, 200])
    same(server.ask("PATCH", "/v1/users/" + user, {"role": "sender"}).json["role"], "sender")
    same([v.ask("GET", "/v1/lines").status for v in (ann, key)], [403, 403])
    same(server.ask("PATCH", "/v1/users/" + user, {"disabled": True}).json["disabled"], True)
    same([v.ask("GET", "/v1/faxes").status for v in (ann, key)], [401, 401])
    problem(try_password(server, "ann", PASSWORD), 401, "wrong_password")
    same(server.ask("PATCH", "/v1/users/" + user, {"disabled": False}).status, 200)
    same([v.ask("GET", "/v1/faxes").status for v in (ann, key)], [401, 200])  # the session does not come back
    same(Visitor(server).sign_in("ann").ask("GET", "/v1/faxes").status, 200)


@fact
def users_are_made_listed_changed_and_deleted():
    server = started()
    ids = [make_user(server, f"u{n}", "reader") for n in range(5)]
    page = server.get("/v1/users?limit=2")
    listed = page["data"]
    while page["has_more"]:
        page = server.get("/v1/users?limit=2&cursor=" + page["next_cursor"])
        listed += page["data"]
    same([user["id"] for user in listed], ids[::-1])
    path = "/v1/users/" + ids[0]
    reply = server.ask("PATCH", path, {"name": "Zoë", "role": "king", "display_name": 1, "disabled": "no", "nam": ""})
    same((reply.status, reply.codes()),
         (422, {("/name", "invalid_name"), ("/role", "unknown_word"), ("/display_name", "wrong_type"),
                ("/disabled", "wrong_type"), ("/nam", "unknown_key")}))
    reply = server.ask("PATCH", path, {"display_name": "a\r\nSet-Cookie: b=c", "email": "x" * 255, "name": "a\nb"})
    same((reply.status, reply.codes()),
         (422, {("/name", "invalid_name"), ("/display_name", "invalid_text"), ("/email", "wrong_type")}))
    same(server.get(path)["name"], "u0")
    for name in ("U1", "u1"):
        problem(server.ask("PATCH", path, {"name": name}), 409, "name_taken")
        problem(server.ask("POST", "/v1/users", {"name": name, "role": "reader"}), 409, "name_taken")
    reply = server.ask("PATCH", path, {"name": "U0", "display_name": "Zoë <b>", "email": "zoe@example.com"})
    same((reply.json["name"], reply.json["display_name"], reply.json["email"]), ("U0", "Zoë <b>", "zoe@example.com"))
    same(server.ask("PATCH", path, {"email": None}).json["email"], None)
    same(set(server.ask("POST", "/v1/users", {}).codes()), {("/name", "missing"), ("/role", "missing")})
    same(server.ask("DELETE", path).status, 204)
    problem(server.ask("GET", path), 404, "no_such_user")
    problem(server.ask("DELETE", path), 404, "no_such_user")


@fact
def a_key_makes_no_user_who_may_do_more_than_itself():
    server = started()
    admin, reader = make_user(server, "admin", "admin"), make_user(server, "reader", "reader")
    key = Visitor(server, server.key_with("config:*", "fax:read", "document:read"))
    problem(key.ask("POST", "/v1/users", {"name": "mine", "role": "admin", "password": PASSWORD}), 403,
            "insufficient_scope")
    problem(key.ask("PATCH", "/v1/users/" + admin, {"password": PASSWORD + "2"}), 403, "insufficient_scope")
    problem(key.ask("PATCH", "/v1/users/" + reader, {"role": "operator"}), 403, "insufficient_scope")
    same(server.get("/v1/users/" + reader)["role"], "reader")
    same(try_password(server, "admin", PASSWORD).status, 200)
    same(key.ask("POST", "/v1/users", {"name": "mine", "role": "reader"}).status, 201)
    same(key.ask("PATCH", "/v1/users/" + reader, {"password": PASSWORD + "2"}).status, 200)
    same(try_password(server, "reader", PASSWORD + "2").status, 200)


@fact
def the_last_admin_stays_one():
    server = started()
    ann = made(server, "ann", "admin")
    path = "/v1/users/" + ann.get("/v1/session")["user"]["id"]
    make_user(server, "other", "admin", disabled=True)
    for method, body in (("DELETE", None), ("PATCH", {"role": "reader"}), ("PATCH", {"disabled": True})):
        problem(ann.ask(method, path, body), 409, "last_admin")
    same((server.get(path)["role"], server.get(path)["disabled"]), ("admin", False))
    make_user(server, "third", "admin")
    same(ann.ask("DELETE", path).status, 204)
    same(ann.ask("GET", "/v1/session").status, 401)


@fact
def a_user_with_faxes_is_disabled_rather_than_deleted():
    server = started()
    ann = made(server, "ann", "sender")
    user = ann.get("/v1/session")["user"]["id"]
    key = key_of(server, user)
    fax = send(ann)
    problem(server.ask("DELETE", "/v1/users/" + user), 409, "has_faxes")
    same(server.fax(fax)["user"], user)
    same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    server.wait_state(fax)
    same(server.ask("DELETE", f"/v1/faxes/{fax}?record=true").status, 204)
    same(server.ask("DELETE", "/v1/users/" + user).status, 204)
    same([v.ask("GET", "/v1/faxes").status for v in (ann, key)], [401, 401])


if __name__ == "__main__":
    sys.exit(main())
