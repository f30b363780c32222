#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Input that nobody should send: a clear answer with the right status, nothing stored, memory bounded. Prints TAP.

The door itself (HTTP framing, slow senders, floods) is test_http.py's; here the whole server has to stand."""
import base64
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import PAGES, exchange, fact, main, same, started, within  # noqa: E402


def octets(path):
    with open(path, "rb") as file:
        return file.read()


PAGE = octets(PAGES[0])


def tiff(width, height, data=b"", compression=1, chain=0, **more):
    """A TIFF by hand. `chain` directories follow one another, all with the same data."""
    out = bytearray(struct.pack("<2sHI", b"II", 42, 0)) + data
    link = 4
    strips = more.get("strip_octets", len(data))
    for _ in range(chain or 1):
        tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 1), (259, 3, 1, compression), (262, 3, 1, 0),
                (273, 4, 1, 8), (278, 4, 1, height), (279, 4, 1, strips)]
        struct.pack_into("<I", out, link, len(out))
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        link = len(out)
        out += struct.pack("<I", 0)
    return bytes(out)


def peak_kb(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1])


def post(server, body, content_type="application/json"):
    return server.ask("POST", "/v1/faxes", body, {"Content-Type": content_type})


def fax(**fields):
    return {"to": "1002", "documents": [{"data": base64.b64encode(PAGE).decode()}], **fields}


@fact
def malformed_requests_are_named_and_leave_nothing():
    server = started()
    for body, content_type, status in (
            (b"{", "application/json", 400), (b"", "application/json", 400), (b"[]", "application/json", 422),
            (b'{"to":"1002","to":"1003"}', "application/json", 400), (b"\xff\xfe", "application/json", 400),
            (b"to=1002", "application/x-www-form-urlencoded", 415), (b"--x", "multipart/form-data", 400),
            (b"[" * 1000, "application/json", 413)):
        reply = post(server, body, content_type)
        same((body[:20], reply.status, reply.headers["Content-Type"]), (body[:20], status, "application/problem+json"))
        same(bool(reply.json["detail"] and reply.json["code"]), True)
    same(server.faxes(), [])


@fact
def every_wrong_field_is_named():
    server = started()
    for body, pointer in (
            ({"documents": fax()["documents"]}, "/to"), ({"to": "1002"}, "/documents"), (fax(to="12ab"), "/to"),
            (fax(to=""), "/to"), (fax(to="1" * 200), "/to"), (fax(to=1002), "/to"), (fax(colour=True), "/colour"),
            (fax(retry={"max_attempts": 0}), "/retry/max_attempts"), (fax(retry={"max_attempts": "3"}), "/retry/max_attempts"),
            (fax(retry={"foo": 1}), "/retry/foo"), (fax(route={"modems": ["v34"]}), "/route/modems/0"),
            (fax(priority="soon"), "/priority"), (fax(not_before="tomorrow"), "/not_before"),
            (fax(station_id="x" * 21), "/station_id"), ({"to": "1002", "documents": [{"data": "%%%"}]}, "/documents/0/data"),
            ({"to": "1002", "documents": [{"data": ""}]}, "/documents/0/data"),
            (fax(tags=["x" * 100]), "/tags/0"), (fax(metadata={"a": {"b": 1}}), "/metadata/a")):
        reply = server.ask("POST", "/v1/faxes", body)
        same((pointer, reply.status), (pointer, 422))
        within(pointer, [error["pointer"] for error in reply.json["errors"]])
        same(all(error["detail"] for error in reply.json["errors"]), True)
    same(server.faxes(), [])


@fact
def a_declared_body_of_ten_gigabytes_is_refused_before_it_is_read():
    server = started()
    for head in ("Content-Length: 10737418240\r\n", "Content-Length: 99999999999999999999\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            client.sendall((f"POST /v1/faxes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.key}\r\n{head}"
                            "Content-Type: application/json\r\n\r\n").encode())
            answer = client.recv(65536).decode()
        same((head, answer.split(" ")[1] in ("413", "400")), (head, True))
        within("application/problem+json", answer)
    same(server.faxes(), [])
    same(peak_kb(server) < 200_000 or "sanitize" in os.environ.get("FAXD_CC", ""), True)


def documents():
    """(what, octets, outcome)"""
    yield "noise", bytes(range(256)) * 10, "document_unsupported"
    yield "a PDF without anything", b"%PDF-1.4 nonsense", "conversion_failed"
    yield "a cut JPEG", b"\xff\xd8\xff\xe0" + bytes(200), "conversion_failed"
    yield "a cut page", PAGE[:len(PAGE) // 2], "conversion_failed"
    yield "a header alone", PAGE[:8], "conversion_failed"
    yield "2^31 rows", tiff(1728, 2 ** 31 - 1, b"\0" * 216, strip_octets=216), "document_unsupported"
    yield "2^31 columns", tiff(2 ** 31 - 1, 1000, b"\0" * 216), "document_unsupported"
    yield "no rows", tiff(1728, 0, b"\0" * 216), "conversion_failed"
    yield "a strip beyond the end", tiff(1728, 1000, b"\0" * 216, strip_octets=2 ** 30), "conversion_failed"
    yield "400,000 pages", tiff(8, 1, b"\xaa", chain=400_000), "too_many_pages"
    # A directory that follows itself.
    loop = bytearray(tiff(8, 1, b"\xaa"))
    struct.pack_into("<I", loop, len(loop) - 4, struct.unpack_from("<I", loop, 4)[0])
    yield "an endless chain", bytes(loop), "conversion_failed"


@fact
def documents_that_are_none_fail_with_a_reason_and_harm_nobody():
    server = started()
    for what, data, outcome in documents():
        reply = server.ask("POST", "/v1/faxes", {"to": "1002", "documents": [{"data": base64.b64encode(data).decode()}]})
        if reply.status != 202:  # what is of no type is seen at the door
            same((what, reply.status, reply.codes()), (what, 422, {("/documents/0/data", outcome)}))
            continue
        ended = server.wait_state(reply.json["id"])
        same((what, ended["status"], ended["calls"], ended["error"]["code"]), (what, "failed", 0, outcome))
        same((what, bool(ended["error"]["message"])), (what, True))
    sent = server.send("1002")
    same(server.wait_state(sent)["status"], "delivered")
    same(peak_kb(server) < 400_000 or "sanitize" in os.environ.get("FAXD_CC", ""), True)


@fact
def a_fax_that_no_line_could_carry_is_refused_at_the_door():
    server = started(exchange(lines=(("1001", "groups = {east}"), ("1002", "groups = {east, west}"))))
    for group, status in (({}, 422), ({"route": {"group": "north"}}, 422), ({"route": {"group": "west"}}, 202)):
        reply = server.submit("1001", **group)
        same((group, reply.status), (group, status))
        if status == 422:
            same(reply.codes(), {("/route/group", "unknown_group")})
    test_key = server.ask("POST", "/v1/api-keys", {"name": "t", "scopes": ["fax:send"], "test": True}).json["token"]
    reply = server.submit("1001", key=test_key, route={"group": "west"})
    same((reply.status, "simulator" in reply.json["errors"][0]["detail"]), (422, True))
    same(len(server.faxes("direction=outbound")), 1)


@fact
def keys_that_may_not_cannot():
    server = started(exchange())
    same(server.ask("GET", "/v1/faxes", key="fxk_live_nonsense").status, 401)
    reply = server.ask("POST", "/v1/api-keys", {"name": "reader", "scopes": ["fax:read"]})
    same(reply.status, 201)
    reader = reply.json["token"]
    same(server.ask("GET", "/v1/faxes", key=reader).status, 200)
    same(server.submit("1002", key=reader).status, 403)
    same(server.ask("POST", "/v1/api-keys", {"name": "x", "scopes": ["config:*"]}, key=reader).status, 403)
    same(server.faxes(), [])


@fact
def a_repeated_idempotency_key_sends_once_and_another_request_under_it_is_refused():
    server = started()
    headers = {"Idempotency-Key": "one"}
    first = server.ask("POST", "/v1/faxes", fax(), headers)
    second = server.ask("POST", "/v1/faxes", fax(), headers)
    same((first.status, second.status, second.json["id"]), (202, 202, first.json["id"]))
    other = server.ask("POST", "/v1/faxes", fax(to="1003"), headers)
    same(other.status, 422)
    same(server.wait_state(first.json["id"])["status"], "delivered")
    same(len(server.settled_inbound(1)), 1)


if __name__ == "__main__":
    sys.exit(main())
