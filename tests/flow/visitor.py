# SPDX-License-Identifier: GPL-2.0-or-later
"""Users of a server under test: what a browser or a program with a key keeps and sends. Test files import it; it is no
test itself."""
import http.client
import json

from faxd import PAGES, Reply, document, octets, same

PASSWORD = "correct horse battery"
WRITING = ("POST", "PUT", "PATCH", "DELETE")
SCOPES = ["fax:send", "fax:read", "fax:cancel", "document:read", "inbox:manage", "config:*", "audit:read"]
seen = []  # every reply of a fact, to be searched for what must not be in one


class Visitor:
    """A browser, or a program with a key: what it was given, it sends with each request."""

    def __init__(self, server, key=None, source=None):
        self.server, self.key, self.cookie, self.csrf = server, key, None, None
        self.source = (source, 0) if source else None  # the loopback address that it comes from

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
        client = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60, source_address=self.source)
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


def try_password(server, name, password, source=None):
    return Visitor(server, source=source).ask("POST", "/v1/session", {"name": name, "password": password})


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
