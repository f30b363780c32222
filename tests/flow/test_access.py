#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may do what: users, sessions and roles, against the real server. Prints TAP."""
import concurrent.futures
import http.client
import json
import os
import stat
import sys

from faxd import PAGES, Reply, document, fact, main, octets, same, started, wait_for, within

PASSWORD = "correct horse battery"
ROLES = ("admin", "operator", "sender", "reader")
WRITING = ("POST", "PUT", "PATCH", "DELETE")
SCOPES = ["fax:send", "fax:read", "fax:cancel", "document:read", "inbox:manage", "config:*", "audit:read"]
seen = []  # every reply of a fact, to be searched for what must not be in one


class Visitor:
    """A browser, or a program with a key: what it was given, it sends with each request."""

    def __init__(self, server, key=None):
        self.server, self.key, self.cookie, self.csrf = server, key, None, None

    def ask(self, method, path, body=None, headers=None, read=True):
        sent = dict(headers or {})
        if self.key:
            sent["Authorization"] = "Bearer " + self.key
        if self.cookie:
            sent.setdefault("Cookie", "faxd_session=" + self.cookie)
        if self.csrf and method in WRITING:
            sent.setdefault("X-CSRF-Token", self.csrf)
        if body is not None:
            body = json.dumps(body)
            sent["Content-Type"] = "application/json"
        client = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            client.request(method, path, body, {name: value for name, value in sent.items() if value is not None})
            answer = client.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read() if read else b"")
            seen.append(reply)
            return reply
        finally:
            client.close()

    def get(self, path):
        reply = self.ask("GET", path)
        same((path, reply.status), (path, 200))
        return reply.json

    def take_session(self, reply):
        """What a browser keeps of the reply."""
        same((reply.status, reply.body), (200, reply.body))
        self.cookie = reply.headers["Set-Cookie"].split(";")[0].removeprefix("faxd_session=")
        self.csrf = reply.json["csrf"]
        return self

    def sign_in(self, name, password=PASSWORD):
        return self.take_session(self.ask("POST", "/v1/session", {"name": name, "password": password}))


def try_password(server, name, password):
    return Visitor(server).ask("POST", "/v1/session", {"name": name, "password": password})


def make_user(server, name, role, **more):
    reply = server.ask("POST", "/v1/users", {"name": name, "role": role, "password": PASSWORD, **more})
    same((reply.status, reply.json.get("name")), (201, name))
    seen.append(reply)
    return reply.json["id"]


def made(server, name, role):
    """A user, signed in."""
    make_user(server, name, role)
    return Visitor(server).sign_in(name)


def key_of(server, user, *scopes, **more):
    reply = server.ask("POST", "/v1/api-keys", {"name": "k", "scopes": list(scopes) or SCOPES, "user": user, **more})
    same((reply.status, reply.json.get("user")), (201, user))
    return Visitor(server, reply.json["token"])


def send(visitor, to="1002", **more):
    """A fax that stays where it is; its id."""
    body = {"to": to, "documents": [document(octets(PAGES[0]))], "hold": True, **more}
    reply = visitor.ask("POST", "/v1/faxes", body)
    if reply.status != 202:
        raise AssertionError(f"{reply.status} {reply.body!r}")
    return reply.json["id"]


def problem(reply, status, code):
    same((reply.status, reply.json.get("code")), (status, code))


def nothing_told():
    """No reply held a password, or what is stored of one."""
    for reply in seen:
        text = reply.body + str(reply.headers).encode()
        if PASSWORD.encode() in text or b"argon2" in text:
            raise AssertionError(f"a password in {text[:2000]!r}")
    seen.clear()


# --- the first user ---

@fact
def the_first_user_needs_the_code_and_it_works_once():
    server = started()
    path = os.path.join(server.state, "setup.code")
    visitor = Visitor(server)
    same(visitor.get("/v1/setup"), {"needed": True})
    same(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    with open(path, encoding="utf-8") as file:
        code = file.read().strip()
    body = {"code": code, "name": "first", "password": PASSWORD}
    problem(visitor.ask("POST", "/v1/setup", {**body, "code": "0" * len(code)}), 403, "wrong_code")
    problem(visitor.ask("POST", "/v1/setup", body, {"Origin": "http://evil.example"}), 403, "cross_origin")
    reply = visitor.ask("POST", "/v1/setup", {"code": code, "name": "a b", "password": "short", "more": 1})
    same((reply.status, reply.codes()),
         (422, {("/name", "invalid_name"), ("/password", "invalid_password"), ("/more", "unknown_key")}))
    same(visitor.get("/v1/setup"), {"needed": True})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # several who know it: one of them is the first
        replies = list(pool.map(lambda n: visitor.ask("POST", "/v1/setup", {**body, "name": f"first{n}"}), range(4)))
    same(sorted(reply.status for reply in replies), [200, 409, 409, 409])
    first = Visitor(server).take_session(next(reply for reply in replies if reply.status == 200))
    same(first.get("/v1/session")["user"]["role"], "admin")
    same(len(first.get("/v1/users")["data"]), 1)
    same(visitor.get("/v1/setup"), {"needed": False})
    wait_for(lambda: not os.path.exists(path), "the code to be gone")
    problem(visitor.ask("POST", "/v1/setup", body), 409, "already_set_up")
    nothing_told()


@fact
def the_code_stays_the_same_until_there_is_a_user():
    server = started()
    path = os.path.join(server.state, "setup.code")
    code = octets(path)
    same(server.end(), 0)
    server.start()
    same(octets(path), code)
    make_user(server, "made-by-key", "admin")
    wait_for(lambda: not os.path.exists(path), "the code to be gone")
    same(server.end(), 0)
    with open(path, "wb") as file:  # as a crash between the two would leave it
        file.write(code)
    server.start()
    same(os.path.exists(path), False)


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


# --- sessions ---

@fact
def each_sign_in_makes_a_new_session_whatever_cookie_came_with_it():
    server = started()
    make_user(server, "ann", "sender")
    planted = "a" * 64
    reply = Visitor(server).ask("POST", "/v1/session", {"name": "ann", "password": PASSWORD},
                                {"Cookie": "faxd_session=" + planted})
    cookie = reply.headers["Set-Cookie"]
    same([word in cookie for word in ("; HttpOnly", "; SameSite=Strict", "; Path=/", "; Secure", planted)],
         [True, True, True, False, False])
    ann = Visitor(server).take_session(reply)
    same(Visitor(server).ask("GET", "/v1/session", headers={"Cookie": "faxd_session=" + planted}).status, 401)
    old = ann.cookie
    again = Visitor(server).take_session(ann.ask("POST", "/v1/session", {"name": "ANN", "password": PASSWORD}))
    same(again.cookie != old and again.csrf != ann.csrf, True)
    problem(ann.ask("GET", "/v1/session"), 401, "not_signed_in")  # the one that it came with has ended
    same(again.get("/v1/session")["csrf"], again.csrf)
    reply = Visitor(server).ask("POST", "/v1/session", {"name": "ann", "password": PASSWORD},
                                {"Origin": "https://fax.example", "Host": "fax.example"})
    within("; Secure", reply.headers["Set-Cookie"])
    for cookie in ("", "faxd_session", "faxd_session=", "faxd_session=" + again.cookie[:-1], "x" * 8000,
                   "xfaxd_session=" + again.cookie, "faxd_session=" + again.cookie + "0"):
        same((cookie, Visitor(server).ask("GET", "/v1/faxes", headers={"Cookie": cookie}).status), (cookie, 401))
    same(Visitor(server).ask("GET", "/v1/faxes", headers={"Cookie": "a=b; faxd_session=" + again.cookie}).status, 200)
    nothing_told()


@fact
def what_changes_something_needs_the_token_and_a_page_of_ours():
    server = started()
    ann, bob = made(server, "ann", "sender"), made(server, "bob", "sender")
    fax = send(ann)
    path = f"/v1/faxes/{fax}/cancel"
    for token in (None, "", "0" * 32, ann.csrf[:-1], ann.csrf + "0", bob.csrf):
        problem(ann.ask("POST", path, headers={"X-CSRF-Token": token}), 403, "csrf_token")
    here = f"http://127.0.0.1:{server.port}"
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": here + "0"},
                    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site", "Origin": here},
                    {"Sec-Fetch-Site": "none"}, {"Origin": "https://127.0.0.1"}):
        problem(ann.ask("POST", path, headers=headers), 403, "cross_origin")
        problem(Visitor(server).ask("POST", "/v1/session", {"name": "ann", "password": PASSWORD}, headers), 403,
                "cross_origin")
    same(ann.get("/v1/faxes/" + fax)["status"] in ("preparing", "held"), True)
    problem(ann.ask("DELETE", "/v1/session", headers={"X-CSRF-Token": None}), 403, "csrf_token")
    for headers in ({"Origin": here}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}):
        same(ann.ask("POST", path, headers=headers).status in (202, 409), True)
    # A key is no cookie: no browser sends it by itself.
    same(key_of(server, ann.get("/v1/session")["user"]["id"]).ask(
        "POST", path, headers={"Origin": "http://evil.example"}).status in (202, 409), True)


@fact
def signing_out_really_ends_it():
    server = started()
    ann, elsewhere = made(server, "ann", "sender"), Visitor(server).sign_in("ann")
    reply = ann.ask("DELETE", "/v1/session")
    same((reply.status, "Max-Age=0" in reply.headers["Set-Cookie"]), (204, True))
    problem(ann.ask("GET", "/v1/session"), 401, "not_signed_in")
    same(ann.ask("POST", "/v1/faxes", {}).status, 401)
    same(elsewhere.ask("GET", "/v1/session").status, 200)
    same(server.end(), 0)
    server.start()
    problem(ann.ask("GET", "/v1/session"), 401, "not_signed_in")
    same(elsewhere.get("/v1/session")["user"]["name"], "ann")  # a restart ends no session


@fact
def wrong_passwords_lock_a_name_and_one_that_nobody_has_alike():
    server = started()
    user = make_user(server, "ann", "sender")
    make_user(server, "gone", "sender", disabled=True)
    for name in ("ann", "nobody", "gone"):
        wrong = [try_password(server, name, f"wrong {n}") for n in range(5)]
        same([(reply.status, reply.json["code"], reply.json["detail"]) for reply in wrong],
             [(401, "wrong_password", "the name or the password is wrong")] * 5)
        for password in ("wrong", PASSWORD):
            reply = try_password(server, name.upper(), password)
            problem(reply, 429, "too_many_attempts")
            same(0 < int(reply.headers["Retry-After"]) <= 30, True)
    locked = server.get("/v1/users/" + user)["locked_until"]
    same(locked is not None, True)
    same(try_password(server, "NoBody2", PASSWORD).status, 401)  # another name is not locked
    same(server.end(), 0)
    server.start()
    problem(try_password(server, "ann", PASSWORD), 429, "too_many_attempts")
    # A new password from an admin opens it.
    same(server.ask("PATCH", "/v1/users/" + user, {"password": PASSWORD + "2"}).json["locked_until"], None)
    same(try_password(server, "ann", PASSWORD).status, 401)
    same(try_password(server, "ann", PASSWORD + "2").status, 200)
    nothing_told()


@fact
def wrong_passwords_from_one_address_lock_it():
    server = started()
    make_user(server, "ann", "sender")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tried = [reply.status for reply in pool.map(lambda n: try_password(server, f"n{n}", "wrong"), range(40))]
    same((set(tried), tried.count(401)), ({401, 429}, 30))
    problem(try_password(server, "ann", PASSWORD), 429, "too_many_attempts")


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
def a_new_password_ends_the_other_sessions():
    server = started()
    ann, elsewhere = made(server, "ann", "sender"), Visitor(server).sign_in("ann")
    reply = ann.ask("POST", "/v1/session/password", {"old": "wrong password", "new": "another password"})
    same((reply.status, reply.codes()), (422, {("/old", "wrong_password")}))
    reply = ann.ask("POST", "/v1/session/password", {"old": PASSWORD, "new": "short"})
    same((reply.status, reply.codes()), (422, {("/new", "invalid_password")}))
    same(ann.ask("POST", "/v1/session/password", {"old": PASSWORD, "new": "another password"}).status, 204)
    same([v.ask("GET", "/v1/session").status for v in (ann, elsewhere)], [200, 401])
    same([try_password(server, "ann", p).status for p in (PASSWORD, "another password")], [401, 200])
    nothing_told()


# --- users ---

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
