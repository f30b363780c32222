#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The first user, signing in and out, and who may not: against the real server. Prints TAP."""
import concurrent.futures
import datetime
import os
import stat
import subprocess
import sys

from faxd import BUILD, exchange, fact, main, octets, same, started, wait_for, within
from visitor import PASSWORD, Visitor, key_of, made, make_user, nothing_told, problem, send, try_password

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
    same(try_password(server, "NoBody2", PASSWORD).status, 401)  # another name is not locked
    # Nor is the name for others: who guesses badly keeps nobody else out.
    same(server.get("/v1/users/" + user)["locked_until"], None)
    same(try_password(server, "ann", PASSWORD, "127.0.0.2").status, 200)
    # A new password from an admin opens it.
    same(server.ask("PATCH", "/v1/users/" + user, {"password": PASSWORD + "2"}).json["locked_until"], None)
    same(try_password(server, "ann", PASSWORD).status, 401)
    same(try_password(server, "ann", PASSWORD + "2").status, 200)
    nothing_told()


def guess(server, name, times, first=10):
    """So many wrong passwords, five from each of as many addresses as that takes."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: try_password(server, name, "wrong", f"127.0.7.{first + n // 5}"), range(times)))
    return [reply.status for reply in replies]


@fact
def many_who_guess_at_a_name_lock_it_for_strangers_and_not_for_its_owner():
    server = started()
    user = make_user(server, "ann", "sender")
    ann = Visitor(server, source="127.0.0.9").sign_in("ann")
    for name in ("ann", "nobody"):
        same(set(guess(server, name, 50)), {401})
        for source in ("127.0.8.1", "127.0.8.2"):  # who never tried
            reply = try_password(server, name, PASSWORD, source)
            problem(reply, 429, "too_many_attempts")
            same(0 < int(reply.headers["Retry-After"]) <= 30, True)
    same(server.get("/v1/users/" + user)["locked_until"] is not None, True)
    same(try_password(server, "ann", PASSWORD, "127.0.0.9").status, 200)
    # From a strange address too, in a browser in which she is signed in.
    ann.source = ("127.0.8.3", 0)
    same(ann.ask("POST", "/v1/session", {"name": "ann", "password": PASSWORD}).status, 200)
    same(Visitor(server, source="127.0.8.3").sign_in("ann").get("/v1/session")["user"]["name"], "ann")  # known since
    # A restart leaves it locked for strangers only.
    for _ in range(5):
        try_password(server, "ann", "wrong", "127.0.8.4")
    same(server.end(), 0)
    server.start()
    same(try_password(server, "ann", PASSWORD, "127.0.0.9").status, 200)
    nothing_told()


@fact
def what_strangers_do_to_a_name_is_locked_still_after_a_restart():
    server = started()
    make_user(server, "ann", "sender")
    same(Visitor(server, source="127.0.0.9").sign_in("ann").get("/v1/session")["user"]["name"], "ann")
    same(set(guess(server, "ann", 50)), {401})
    problem(try_password(server, "ann", PASSWORD, "127.0.8.1"), 429, "too_many_attempts")
    server.kill()
    server.start()
    problem(try_password(server, "ann", PASSWORD, "127.0.8.1"), 429, "too_many_attempts")
    same(try_password(server, "ann", PASSWORD, "127.0.0.9").status, 200)


@fact
def a_neighbour_behind_the_same_address_keeps_nobody_out():
    server = started()
    make_user(server, "ann", "sender")
    make_user(server, "bob", "sender")
    Visitor(server).sign_in("ann")
    tried = [try_password(server, f"n{n}", "wrong").status for n in range(31)]
    same((tried[:30], tried[30]), ([401] * 30, 429))
    same(try_password(server, "ann", PASSWORD).status, 200)  # she has signed in from here
    problem(try_password(server, "bob", PASSWORD), 429, "too_many_attempts")
    same(try_password(server, "bob", PASSWORD, "127.0.0.2").status, 200)
    # Her own wrong ones count, known or not.
    same([try_password(server, "ann", "wrong").status for _ in range(6)], [401] * 5 + [429])


@fact
def sessions_last_as_long_as_the_configuration_says():
    server = started('web { session_idle = 300 session_life = 600 }\n' + exchange())
    make_user(server, "ann", "sender")
    ann = Visitor(server).sign_in("ann")
    expires = datetime.datetime.fromisoformat(ann.get("/v1/session")["expires_at"].replace("Z", "+00:00"))
    left = (expires - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    same((0 < left <= 300, left > 100), (True, True))


@fact
def wrong_passwords_from_one_address_lock_it():
    server = started()
    make_user(server, "ann", "sender")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tried = [reply.status for reply in pool.map(lambda n: try_password(server, f"n{n}", "wrong"), range(40))]
    same((set(tried), tried.count(401)), ({401, 429}, 30))
    problem(try_password(server, "ann", PASSWORD), 429, "too_many_attempts")


@fact
def a_crowd_is_told_to_come_again_and_counts_against_nobody():
    server = started()
    names = [f"u{n}" for n in range(26)]
    for name in names:
        make_user(server, name, "reader")
    with concurrent.futures.ThreadPoolExecutor(26) as pool:
        replies = list(pool.map(lambda name: try_password(server, name, PASSWORD), names))
    for reply in replies:
        same((reply.status, reply.json.get("code"), reply.headers["Retry-After"]) in
             ((200, None, None), (503, "busy", "5")), True)
    same([try_password(server, name, PASSWORD).status for name in names[:3]], [200] * 3)
    for n in range(29):  # those who were turned away count for no wrong try of the address
        same(try_password(server, f"nobody{n}", "wrong").status, 401)
    same(try_password(server, "u3", PASSWORD).status, 200)


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


@fact
def an_admin_who_is_locked_out_gets_in_again():
    server = started()
    user = make_user(server, "ann", "admin")
    for _ in range(5):
        same(try_password(server, "ann", "wrong").status, 401)
    problem(try_password(server, "ann", PASSWORD), 429, "too_many_attempts")

    def reset(name):
        done = subprocess.run([os.path.join(BUILD, "faxd"), "--state", server.state, "--reset-password", name],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    status, out, err = reset("ann")
    same((status, out, "another faxd has the state folder" in err), (1, "", True))
    same(server.end(), 0)
    status, out, err = reset("bob")
    same((status, out, "there is no user bob" in err), (1, "", True))
    status, out, err = reset("ANN")
    same((status, out.startswith("new password of ANN: "), len(out.split()[-1])), (0, True, 24))
    server.start()
    problem(try_password(server, "ann", PASSWORD), 401, "wrong_password")
    ann = Visitor(server).sign_in("ann", out.split()[-1])
    same(ann.get("/v1/users/" + user)["locked_until"], None)


if __name__ == "__main__":
    sys.exit(main())
