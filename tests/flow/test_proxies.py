#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Behind a proxy: whose address a request has, and who may say so. Prints TAP."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import BUILD, exchange, fact, main, same, started, wait_for  # noqa: E402

NEAR = "203.0.113.5"  # the key may be used from there


def web(settings):
    return f"web {{ {settings} }}\n" + exchange(lines=("1001", "1002"))


def bound_key(server):
    return server.ask("POST", "/v1/api-keys",
                      {"name": "k", "scopes": ["fax:read", "fax:send"], "allow_from": ["203.0.113.0/24"]}).json["token"]


def by(server, key, header, value, source="127.0.0.1", method="GET", path="/v1/faxes"):
    return server.ask(method, path, {} if method == "POST" else None, {header: value}, key, source=source)


@fact
def only_a_trusted_proxy_says_who_asks():
    server = started(web('trusted_proxies = {"127.0.0.1", "10.0.0.0/8"}'))
    key = bound_key(server)
    for value, source, wanted in (
            (NEAR, "127.0.0.1", 200), (f"198.51.100.1, {NEAR}", "127.0.0.1", 200), (f"{NEAR}, 10.1.1.1", "127.0.0.1", 200),
            (f"{NEAR}, 198.51.100.1", "127.0.0.1", 403),  # the first is what the client says of itself
            (f"{NEAR}, unknown", "127.0.0.1", 403), ("", "127.0.0.1", 403), (NEAR, "127.0.0.2", 403)):
        same((value, source, by(server, key, "X-Forwarded-For", value, source).status), (value, source, wanted))
    same(by(server, key, "Forwarded", "for=" + NEAR).status, 403)  # a client may have sent that
    # A body is let in, or not, by the same.
    same(by(server, key, "X-Forwarded-For", NEAR, method="POST").status, 422)
    same(by(server, key, "X-Forwarded-For", "198.51.100.1", method="POST").status, 403)
    reply = by(server, key, "X-Forwarded-For", "198.51.100.1")
    same((reply.json["code"], "198.51.100.1" in reply.json["detail"]), ("address_not_allowed", True))
    entry = server.get("/v1/audit-log?limit=1")["data"][0]
    same((entry["action"], entry["address"]), ("access.refused", "198.51.100.1"))


@fact
def the_header_is_the_one_of_the_configuration():
    server = started(web('trusted_proxies = {"127.0.0.1"} proxy_header = forwarded'))
    key = bound_key(server)
    same(by(server, key, "Forwarded", f'for="{NEAR}:4711";proto=https').status, 200)
    same(by(server, key, "Forwarded", f"for=198.51.100.1, for={NEAR}").status, 200)
    same(by(server, key, "X-Forwarded-For", NEAR).status, 403)


@fact
def without_proxies_nobody_is_believed_and_a_reload_changes_that():
    server = started(web(""))
    key = bound_key(server)
    same(by(server, key, "X-Forwarded-For", NEAR).status, 403)
    server.configure(web('trusted_proxies = {"127.0.0.0/8"}'))
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: by(server, key, "X-Forwarded-For", NEAR).status == 200, "the proxy to be trusted")


@fact
def limits_are_those_of_who_asks_and_not_of_the_proxy():
    server = started(web('trusted_proxies = {"127.0.0.1"} address_per_minute = 5'))

    def ask(value):
        return server.ask("GET", "/v1/faxes", headers={"X-Forwarded-For": value, "Authorization": None}).status
    same([ask("198.51.100.1") for _ in range(6)], [401] * 5 + [429])
    same(ask("198.51.100.2"), 401)


@fact
def a_network_that_is_none_is_a_fault_of_the_configuration():
    server = started(web(""))
    path = os.path.join(server.folder, "bad.conf")
    for settings, words in (('trusted_proxies = {"10.1.2.3/8"}', "web|trusted_proxies"),
                            ('proxy_header = "x-real-ip"', "web|proxy_header"),
                            ("session_idle = 7200 session_life = 3600", "web|session_idle")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(web(settings))
        done = subprocess.run([os.path.join(BUILD, "faxd"), "--check-config", "--config", path], capture_output=True, text=True,
                              check=False)
        same((settings, done.returncode != 0, words in done.stderr + done.stdout), (settings, True, True))


if __name__ == "__main__":
    sys.exit(main())
