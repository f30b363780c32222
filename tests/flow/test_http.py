#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP as strangers and clients speak it, against the web part and the spool alone (tests/flow/web_server). Prints TAP."""
import base64
import concurrent.futures
import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.environ.get("FAXD_BUILD", ".")
SOURCE = os.environ.get("FAXD_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
MIB = 1 << 20


def tiff(seed=0):
    """A bilevel TIFF of one page of 8x1, enough to be taken; `seed` makes another document of it."""
    tags = [(256, 3, 1, 8), (257, 3, 1, 1), (258, 3, 1, 1), (259, 3, 1, 1), (262, 3, 1, 0), (273, 4, 1, 8), (278, 3, 1, 1),
            (279, 4, 1, 1)]
    body = struct.pack("<2sHI", b"II", 42, 12) + bytes([seed & 255, seed >> 8 & 255, 0, 0]) + struct.pack("<H", len(tags))
    for tag in tags:
        body += struct.pack("<HHII", *tag)
    return body + struct.pack("<I", 0)


PAGE = tiff()


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def codes(self):
        return {(e["pointer"], e["code"]) for e in self.json.get("errors", [])}


class Server:
    def __init__(self, *limits):
        self.state = tempfile.mkdtemp(prefix="faxd-http-")
        self.process = subprocess.Popen([os.path.join(BUILD, "tests/flow/web_server"), self.state, *map(str, limits)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port, self.key = self.process.stdout.readline().split()
        self.port = int(port)

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(20)
        shutil.rmtree(self.state)
        return status

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def ask(self, method, path, body=None, headers=None, key=True, connection=None):
        sent = {} if headers is None else dict(headers)
        if key:
            sent["Authorization"] = "Bearer " + (self.key if key is True else key)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        client = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        client.request(method, path, body, sent)
        answer = client.getresponse()
        reply = Reply(answer.status, answer.headers, answer.read())
        if not connection:
            client.close()
        return reply

    def raw(self, data, close=False, wait=5):
        """Send octets, read all until the server closes or `wait` seconds of silence."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(data)
            if close:
                client.shutdown(socket.SHUT_WR)
            client.settimeout(wait)
            got = b""
            try:
                while True:
                    piece = client.recv(65536)
                    if not piece:
                        break
                    got += piece
            except socket.timeout:
                pass
            return got

    def memory_kb(self, name="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(next(line for line in status if line.startswith(name + ":")).split()[1])

    def is_sanitized(self):
        """Then memory that was freed is kept for a while; the shadow of all memory gives it away."""
        return self.memory_kb("VmSize") > 1 << 30


def form(parts, boundary="xxBOUNDARYxx"):
    """[(name, value) or (name, filename, octets)] -> body, headers"""
    body = b""
    for part in parts:
        name, value = part[0], part[-1]
        value = value if isinstance(value, bytes) else str(value).encode()
        extra = f'; filename="{part[1]}"\r\nContent-Type: image/tiff' if len(part) == 3 else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + value + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def fax(to="1002", page=PAGE, **more):
    return {"to": to, "documents": [{"data": base64.b64encode(page).decode()}], **more}


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, wanted {want!r}")


def within(part, whole):
    if part not in whole:
        raise AssertionError(f"{part!r} is not in {whole!r}")


facts = []


def fact(function):
    facts.append(function)
    return function


# --- the plain ways ---------------------------------------------------------------------------------------------------

@fact
def a_fax_by_json_is_accepted_and_read_again(s):
    reply = s.ask("POST", "/v1/faxes", fax(to="+1 (202) 555-0100", tags=["a"], client_reference="r-1", metadata={"k": 1}))
    same(reply.status, 202)
    same(reply.json["status"], "preparing")
    same(reply.json["to"], "+12025550100")
    same(reply.headers["Location"], "/v1/faxes/" + reply.json["id"])
    again = s.ask("GET", reply.headers["Location"])
    same((again.status, again.json["client_reference"], again.json["tags"]), (200, "r-1", ["a"]))


@fact
def a_fax_by_form_is_accepted_with_dotted_fields(s):
    body, headers = form([("to", "1002"), ("retry.max_attempts", "1"), ("route.ecm", "false"), ("tags", "x"), ("tags", "y"),
                          ("metadata.case", "7"), ("hold", "true"), ("file", "page.tif", PAGE)])
    reply = s.ask("POST", "/v1/faxes", body, headers)
    same(reply.status, 202)
    same((reply.json["to"], reply.json["tags"], reply.json["metadata"]), ("1002", ["x", "y"], {"case": "7"}))


@fact
def curl_sends_a_fax(s):
    path = os.path.join(s.state, "page.tif")
    with open(path, "wb") as file:
        file.write(PAGE)
    done = subprocess.run(["curl", "-sS", "-o", "-", "-w", "%{http_code}", "-H", "Authorization: Bearer " + s.key, "-F", "to=1002",
                           "-F", "file=@" + path, f"http://127.0.0.1:{s.port}/v1/faxes"], capture_output=True, text=True)
    same((done.returncode, done.stdout[-3:]), (0, "202"))


@fact
def a_list_goes_by_pages_and_filters(s):
    for i in range(5):
        same(s.ask("POST", "/v1/faxes", fax(to="7%d" % i, tags=["page"])).status, 202)
    first = s.ask("GET", "/v1/faxes?limit=2&tag=page")
    same((first.status, len(first.json["data"]), first.json["has_more"]), (200, 2, True))
    within('rel="next"', first.headers["Link"])
    link = first.headers["Link"].split("<")[1].split(">")[0]
    within("tag=page", link)
    second = s.ask("GET", link)
    same([f["to"] for f in second.json["data"]], ["72", "71"])
    same([f["to"] for f in s.ask("GET", "/v1/faxes?to=7-3").json["data"]], ["73"])
    same(s.ask("GET", "/v1/faxes?status=delivered").json["data"], [])


@fact
def a_list_refuses_what_it_does_not_know(s):
    for query, code in (("limit=0", "out_of_range"), ("limit=ten", "out_of_range"), ("limt=5", "unknown_parameter"),
                        ("direction=up", "unknown_word"), ("created[gte]=yesterday", "invalid_time"),
                        ("error=nosuch", "unknown_word")):
        reply = s.ask("GET", "/v1/faxes?" + query)
        same((query, reply.status, reply.json["errors"][0]["code"]), (query, 400, code))
    within("did you mean limit", s.ask("GET", "/v1/faxes?limt=5").json["errors"][0]["detail"])
    same(s.ask("GET", "/v1/faxes?cursor=nonsense").status, 400)


@fact
def a_fax_is_held_released_and_canceled(s):
    path = s.ask("POST", "/v1/faxes", fax(hold=True)).headers["Location"]
    same(s.ask("POST", path + "/cancel").status, 202)
    same(s.ask("GET", path).json["status"], "canceled")
    same(s.ask("POST", path + "/cancel").status, 202)
    same((s.ask("POST", path + "/release").status, s.ask("POST", path + "/release").json["code"]), (409, "conflict"))
    same(s.ask("GET", path + "/attempts").json["data"], [])
    same(s.ask("GET", path + "/attempts/1/trace").status, 404)
    types = [e["type"] for e in s.ask("GET", path + "/events").json["data"]]
    within("fax.accepted", types)
    within("fax.canceled", types)


@fact
def lines_are_shown_and_switched(s):
    same(s.ask("GET", "/v1/lines").json["data"][0]["id"], "exchange/1001")
    for path in ("/v1/lines/exchange/1001", "/v1/lines/exchange%2F1001", "/v1/lines/1001"):
        same((path, s.ask("GET", path).status), (path, 200))
    off = s.ask("PATCH", "/v1/lines/exchange/1001", {"send_enabled": False})
    same((off.status, off.json["send_enabled"], off.json["receive_enabled"]), (200, False, True))
    same(s.ask("PATCH", "/v1/lines/exchange/9", {"send_enabled": False}).status, 404)
    bad = s.ask("PATCH", "/v1/lines/exchange/1001", {"send_enabled": "no", "sned_enabled": True})
    same((bad.status, bad.codes()), (422, {("/send_enabled", "wrong_type"), ("/sned_enabled", "unknown_key")}))
    same(s.ask("PATCH", "/v1/lines/exchange/1001", {}).status, 422)


@fact
def events_go_by_cursor(s):
    page = s.ask("GET", "/v1/events?limit=2").json
    same((len(page["data"]), page["has_more"]), (2, True))
    rest = s.ask("GET", "/v1/events?cursor=" + page["next_cursor"]).json["data"]
    if int(rest[0]["id"]) <= int(page["data"][1]["id"]):
        raise AssertionError("the cursor went backwards")


def read_events(file, count):
    got = []
    while len(got) < count:
        line = file.readline().decode().strip()
        if line.startswith("id: "):
            number = int(line[4:])
        elif line.startswith("data: "):
            got.append((number, json.loads(line[6:])))
    return got


def open_stream(s, **headers):
    client = http.client.HTTPConnection("127.0.0.1", s.port, timeout=120)
    client.request("GET", "/v1/events/stream", headers={"Authorization": "Bearer " + s.key, **headers})
    reply = client.getresponse()
    same((reply.status, reply.headers["Content-Type"]), (200, "text/event-stream"))
    return client, reply


@fact
def pages_come_as_tiff_pdf_and_png(s):
    with open(os.path.join(SOURCE, "tests/data/itu1.tif"), "rb") as file:
        page = file.read()
    path = s.ask("POST", "/v1/faxes", fax(page=page)).headers["Location"]
    same((s.ask("GET", path + "/document").status, s.ask("GET", path + "/pages/1").json["code"]), (409, "not_ready"))
    same(s.ask("GET", path + "/document?copy=original").body, page)
    s.tell("prepare")
    while s.ask("GET", path).json["status"] == "preparing":
        time.sleep(0.05)
    tiff_copy = s.ask("GET", path + "/document?format=tiff")
    same((tiff_copy.status, tiff_copy.headers["Content-Type"], tiff_copy.body), (200, "image/tiff", page))
    pdf = s.ask("GET", path + "/document")
    same((pdf.status, pdf.headers["Content-Type"], pdf.body[:5]), (200, "application/pdf", b"%PDF-"))
    within(".pdf", pdf.headers["Content-Disposition"])
    whole, small, thumb = (s.ask("GET", path + p) for p in ("/pages/1", "/pages/1?w=400", "/thumbnail"))
    for png, width in ((whole, 1728), (small, 400), (thumb, 200)):
        same((png.status, png.headers["Content-Type"], png.body[:4]), (200, "image/png", b"\x89PNG"))
        same(struct.unpack(">I", png.body[16:20])[0], width)
    same(s.ask("GET", path + "/thumbnail", headers={"If-None-Match": thumb.headers["ETag"]}).status, 304)
    same(s.ask("HEAD", path + "/document?format=tiff").headers["Content-Length"], str(len(page)))
    for wrong, status in (("/pages/2", 404), ("/pages/0", 404), ("/pages/x", 404), ("/pages/1?w=5", 400), ("/document?format=gif", 400),
                          ("/document?copy=third", 400), ("/document?copy=original&format=pdf", 400)):
        same((wrong, s.ask("GET", path + wrong).status), (wrong, status))


@fact
def a_page_that_cannot_be_shown_harms_nobody(s):
    path = s.ask("POST", "/v1/faxes", fax(page=PAGE[:9], to="4711")).headers["Location"]
    s.tell("prepare")
    while s.ask("GET", path).json["status"] == "preparing":
        time.sleep(0.05)
    same([s.ask("GET", path + p).json["code"] for p in ("/pages/1", "/document")], ["conversion_failed"] * 2)


@fact
def an_event_stream_is_live_and_resumes(s):
    client, stream = open_stream(s)
    sent = s.ask("POST", "/v1/faxes", fax(to="88")).json["id"]
    number, event = read_events(stream, 1)[0]
    same((event["type"], event["data"]["id"], event["sequence"]), ("fax.accepted", sent, number))
    client.close()
    other = s.ask("POST", "/v1/faxes", fax(to="89")).json["id"]
    client, stream = open_stream(s, **{"Last-Event-ID": str(number)})
    same(read_events(stream, 1)[0][1]["data"]["id"], other)
    client.close()
    client, stream = open_stream(s, **{"Last-Event-ID": "0"})
    numbers = [n for n, _ in read_events(stream, 12)]
    same(numbers, sorted(set(numbers)))
    client.close()
    same(s.ask("GET", "/v1/events/stream", headers={"Last-Event-ID": "x"}).status, 400)


@fact
def a_slow_event_reader_loses_nothing_and_costs_nothing(s):
    client = socket.create_connection(("127.0.0.1", s.port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(f"GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\n\r\n".encode())
    time.sleep(0.2)
    wanted = []
    keep = http.client.HTTPConnection("127.0.0.1", s.port)
    for i in range(600):
        reply = s.ask("POST", "/v1/faxes", fax(to="5%d" % i, client_reference="r" * 200), connection=keep)
        wanted.append(reply.json["id"])
    client.settimeout(120)
    got, seen = b"", []
    while len(seen) < len(wanted):
        got += client.recv(65536)
        blocks = got.split(b"\n\n")
        got = blocks.pop()
        for block in blocks:
            for line in block.split(b"\n"):
                if line.startswith(b"data: ") and b'"fax.accepted"' in line:
                    seen.append(line)
    same([wanted.index(w) for w, line in zip(wanted, seen) if w.encode() not in line], [])
    client.close()


@fact
def what_comes_after_the_request_of_a_stream_is_read_over(s):
    client, stream = open_stream(s)
    for _ in range(64):
        client.sock.sendall(b"GET /v1/faxes HTTP/1.1\r\nHost: x\r\n\r\n" * 800)
    sent = s.ask("POST", "/v1/faxes", fax(to="87")).json["id"]
    same(read_events(stream, 1)[0][1]["data"]["id"], sent)
    client.close()


@fact
def streams_are_counted(s):
    clients = [open_stream(s) for _ in range(75)]  # of 100 connections
    same((s.ask("GET", "/v1/events/stream").status, s.ask("GET", "/health/live").status), (503, 200))
    for client, _ in clients:
        client.close()
    deadline = time.time() + 10
    while "faxd_http_event_streams 0" not in s.ask("GET", "/metrics").body.decode():
        if time.time() > deadline:
            raise AssertionError("closed streams are still counted")
        time.sleep(0.05)


@fact
def keys_are_made_limited_and_revoked(s):
    made = s.ask("POST", "/v1/api-keys", {"name": "reader", "scopes": ["fax:read"]})
    same(made.status, 201)
    token, path = made.json["token"], made.headers["Location"]
    within("fxk_live_", token)
    same(s.ask("GET", "/v1/faxes", key=token).status, 200)
    denied = s.ask("POST", "/v1/faxes", fax(), key=token)
    same((denied.status, denied.json["code"]), (403, "insufficient_scope"))
    within('scope="fax:send"', denied.headers["WWW-Authenticate"])
    if "token" in s.ask("GET", path).json:
        raise AssertionError("the secret is shown again")
    config = s.ask("POST", "/v1/api-keys", {"name": "c", "scopes": ["config:*"]}).json["token"]
    same(s.ask("POST", "/v1/api-keys", {"name": "d", "scopes": ["fax:send"]}, key=config).status, 403)
    same(s.ask("DELETE", path).status, 204)
    same(s.ask("GET", "/v1/faxes", key=token).status, 401)
    bad = s.ask("POST", "/v1/api-keys", {"nam": "x", "scopes": ["fax:fly"], "expires_at": "2001-01-01T00:00:00Z"})
    same(bad.codes(), {("/nam", "unknown_key"), ("/name", "missing"), ("/scopes", "unknown_scope"), ("/expires_at", "in_the_past")})


@fact
def webhook_endpoints_are_kept(s):
    made = s.ask("POST", "/v1/webhook-endpoints", {"url": "https://hooks.example.org/x", "events": ["fax.delivered"]})
    same(made.status, 201)
    path, secret = made.headers["Location"], made.json["secret"]
    within("whsec_", secret)
    if "secret" in s.ask("GET", path).json:
        raise AssertionError("the secret is shown again")
    rotated = s.ask("POST", path + "/rotate-secret")
    same((rotated.status, rotated.json["secret"] != secret), (200, True))
    same(s.ask("PATCH", path, {"events": ["fax.*"]}).json["events"], ["fax.*"])
    same(s.ask("POST", path + "/test").status, 202)
    deliveries = s.ask("GET", path + "/deliveries").json["data"]
    same((len(deliveries), deliveries[0]["type"]), (1, "webhook_endpoint.test"))
    same(s.ask("POST", f"{path}/deliveries/{deliveries[0]['id']}/replay").status, 202)
    same(s.ask("PATCH", path, {"enabled": False}).json["enabled"], False)
    same(s.ask("POST", path + "/test").status, 409)
    same((s.ask("DELETE", path).status, s.ask("GET", path).status), (204, 404))


@fact
def webhooks_do_not_reach_inside(s):
    for host in ("127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1:8080", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]",
                 "0x7f000001", "2130706433", "[fe80::1]", "127.1"):
        reply = s.ask("POST", "/v1/webhook-endpoints", {"url": f"http://{host}/"})
        same((host, reply.status, reply.codes()), (host, 422, {("/url", "private_address")}))


@fact
def health_and_metrics_need_no_key(s):
    same(s.ask("GET", "/health/live", key=False).json["status"], "ok")
    same(s.ask("GET", "/health/ready", key=False).status, 200)
    reply = s.ask("GET", "/metrics", key=False)
    within("text/plain", reply.headers["Content-Type"])
    names = [line.split("{")[0].split(" ")[0] for line in reply.body.decode().splitlines() if not line.startswith("#")]
    within("faxd_faxes", names)
    within("faxd_http_replies_total", names)


@fact
def pages_are_served_with_a_strict_policy(s):
    for path, kind in (("/", "text/html"), ("/ui/style.css", "text/css"), ("/ui/app.js", "text/javascript"), ("/ui/lib/api.js", "text/javascript"), ("/ui/pages/send.js", "text/javascript"),
                       ("/favicon.ico", "image/svg+xml"), ("/v1/openapi.json", "application/json")):
        reply = s.ask("GET", path, key=False)
        same((path, reply.status), (path, 200))
        within(kind, reply.headers["Content-Type"])
        within("default-src 'none'", reply.headers["Content-Security-Policy"])
        if "unsafe" in reply.headers["Content-Security-Policy"]:
            raise AssertionError("the policy allows inline script")
        again = s.ask("GET", path, headers={"If-None-Match": reply.headers["ETag"]}, key=False)
        same((again.status, again.body, reply.headers["Cache-Control"]), (304, b"", "no-cache"))
        head = s.ask("HEAD", path, key=False)
        same((head.status, head.body, head.headers["Content-Length"]), (200, b"", str(len(reply.body))))


@fact
def every_reply_has_an_id_and_safe_headers(s):
    for path, key in (("/v1/faxes", True), ("/nothing", True), ("/v1/faxes", False)):
        reply = s.ask("GET", path, key=key)
        within("req_", reply.headers["X-Request-Id"])
        same((reply.headers["X-Content-Type-Options"], reply.headers["X-Frame-Options"]), ("nosniff", "DENY"))
        if reply.status >= 400:
            same(reply.headers["Content-Type"], "application/problem+json")
            same((reply.json["request_id"], reply.json["status"]), (reply.headers["X-Request-Id"], reply.status))


# --- idempotency ------------------------------------------------------------------------------------------------------

@fact
def the_same_key_and_body_is_one_fax(s):
    key = {"Idempotency-Key": "k-1"}
    first = s.ask("POST", "/v1/faxes", fax(), key)
    again = s.ask("POST", "/v1/faxes", fax(), key)
    same((again.status, again.json["id"], again.headers["Location"]), (202, first.json["id"], first.headers["Location"]))
    same((first.headers["Idempotent-Replayed"], again.headers["Idempotent-Replayed"]), (None, "true"))
    other = s.ask("POST", "/v1/faxes", fax(to="1003"), key)
    same((other.status, other.json["code"]), (422, "idempotency_key_reused"))
    same(s.ask("POST", "/v1/faxes", fax(), {"Idempotency-Key": "k" * 256}).status, 400)


@fact
def a_form_is_the_same_under_another_boundary(s):
    parts = [("to", "1002"), ("file", "page.tif", PAGE)]
    replies = []
    for boundary in ("aaaa", "bbbb"):
        body, headers = form(parts, boundary)
        replies.append(s.ask("POST", "/v1/faxes", body, {**headers, "Idempotency-Key": "form"}))
    same((replies[1].json["id"], replies[1].headers["Idempotent-Replayed"]), (replies[0].json["id"], "true"))
    body, headers = form([("to", "1003"), ("file", "page.tif", PAGE)])
    same(s.ask("POST", "/v1/faxes", body, {**headers, "Idempotency-Key": "form"}).status, 422)


@fact
def a_refused_request_does_not_use_its_key_up(s):
    key = {"Idempotency-Key": "k-2"}
    same(s.ask("POST", "/v1/faxes", fax(to="x"), key).status, 422)
    same(s.ask("POST", "/v1/faxes", fax(), key).status, 202)


@fact
def a_large_body_holds_nobody_up_and_is_the_same_fax(s):
    page = PAGE + os.urandom(5 * MIB)
    key = {"Idempotency-Key": "large"}
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(lambda _: s.ask("POST", "/v1/faxes", fax(page=page), key), range(3)))
    same({r.status for r in replies} <= {202, 409}, True)
    same({r.json["code"] for r in replies if r.status == 409} <= {"idempotency_key_in_progress"}, True)
    ids = {r.json["id"] for r in replies if r.status == 202}
    same(len(ids), 1)
    again = s.ask("POST", "/v1/faxes", fax(page=page), key)
    same((again.status, again.json["id"], again.headers["Idempotent-Replayed"]), (202, *ids, "true"))
    body, headers = form([("to", "1002"), ("file", "page.tif", page)])
    by_form = s.ask("POST", "/v1/faxes", body, headers)
    same(by_form.status, 202)
    for path in ("/v1/faxes/" + ids.pop(), by_form.headers["Location"]):
        same(s.ask("GET", path + "/document?copy=original").body == page, True)
    same(s.ask("POST", "/v1/faxes", fax(page=page, to="x")).status, 422)
    same(s.ask("POST", "/v1/faxes", '{"to":"1","documents":[{"data":"' + "A" * 3 * MIB, {"Content-Type": "application/json"}).status, 400)
    same(os.listdir(os.path.join(s.state, "documents/tmp")), [])


@fact
def a_secret_is_not_kept_for_replay(s):
    reply = s.ask("POST", "/v1/api-keys", {"name": "x", "scopes": ["fax:read"]}, {"Idempotency-Key": "k-3"})
    same((reply.status, reply.json["code"]), (422, "idempotency_not_possible"))


# --- bad input --------------------------------------------------------------------------------------------------------

@fact
def every_fault_is_told_at_once_and_nothing_is_stored(s):
    before = len(s.ask("GET", "/v1/faxes?limit=500").json["data"])
    documents = sum(len(files) for _, _, files in os.walk(os.path.join(s.state, "documents")))
    reply = s.ask("POST", "/v1/faxes", {
        "to": "555-CALL", "priority": "asap", "retry": {"max_attempts": "5x", "resum": "all", "delays": {"busy": [0]}},
        "not_before": "tomorrow", "tags": "a", "hold": "yes", "colour": True, "webhook_url": "https://x.example",
        "documents": [{"data": base64.b64encode(tiff(99)).decode()}, {"data": "AAAA"}]})
    same((reply.status, reply.json["code"]), (422, "validation"))
    same(reply.codes(), {("/to", "invalid_number"), ("/priority", "unknown_word"), ("/retry/max_attempts", "not_a_number"),
                         ("/retry/resum", "unknown_key"), ("/retry/delays/busy/0", "out_of_range"),
                         ("/not_before", "invalid_time"), ("/tags", "wrong_type"), ("/hold", "wrong_type"),
                         ("/colour", "unknown_key"), ("/webhook_url", "not_supported"),
                         ("/documents/1/data", "document_unsupported")})
    details = {e["pointer"]: e["detail"] for e in reply.json["errors"]}
    within("did you mean resume", details["/retry/resum"])
    within("C", details["/to"])
    same(len(s.ask("GET", "/v1/faxes?limit=500").json["data"]), before)
    same(sum(len(files) for _, _, files in os.walk(os.path.join(s.state, "documents"))), documents)


@fact
def missing_fields_are_named(s):
    same(s.ask("POST", "/v1/faxes", {}).codes(), {("/to", "missing"), ("/documents", "missing")})
    body, headers = form([("file", "p.tif", PAGE)])
    same(s.ask("POST", "/v1/faxes", body, headers).codes(), {("/to", "missing")})
    same(s.ask("POST", "/v1/faxes", []).codes(), {("", "wrong_type")})


@fact
def malformed_json_is_told_with_its_place(s):
    reply = s.ask("POST", "/v1/faxes", '{"to":"1",\n  "documents": [,]}', {"Content-Type": "application/json"})
    same((reply.status, reply.json["code"]), (400, "malformed_json"))
    within("line 2", reply.json["detail"])
    for body in ("", "{", '{"a":1,"a":2}', "\xff\xfe", '{"to":"\\ud800"}', "{} x", "nul"):
        reply = s.ask("POST", "/v1/faxes", body.encode("latin-1"), {"Content-Type": "application/json"})
        same((body, reply.status), (body, 400))


@fact
def json_that_would_grow_is_refused(s):
    deep = s.ask("POST", "/v1/faxes", "[" * 1000000, {"Content-Type": "application/json"})
    same((deep.status, deep.json["code"]), (413, "json_too_complex"))
    wide = s.ask("POST", "/v1/faxes", '{"tags":[' + "0," * 1000000 + "0]}", {"Content-Type": "application/json"})
    same((wide.status, wide.json["code"]), (413, "json_too_complex"))


@fact
def documents_have_to_be_documents(s):
    for document, code in (({"data": "!!"}, "not_base64"), ({"data": ""}, "empty_document"), ({"data": 5}, "wrong_type"),
                           ({"data": base64.b64encode(b"\0\1\2\3 nonsense").decode()}, "document_unsupported"),
                           ({"url": "http://x"}, "not_supported"), ({"dat": "x"}, "unknown_key"), ("x", "wrong_type"), ({}, "missing")):
        reply = s.ask("POST", "/v1/faxes", {"to": "1", "documents": [document]})
        same((document, reply.status, reply.json["errors"][0]["code"]), (document, 422, code))


@fact
def a_truncated_tiff_is_taken_and_left_to_the_converter(s):
    same(s.ask("POST", "/v1/faxes", fax(page=PAGE[:20])).status, 202)


@fact
def a_body_of_10_gb_is_refused_before_it_is_read(s):
    head = (f"POST /v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: 10737418240\r\n\r\n").encode()
    began = time.time()
    got = s.raw(head, wait=10)
    within(b"HTTP/1.1 413 ", got)
    within(b"application/problem+json", got)
    within(b"body_too_large", got)
    if time.time() - began > 6:
        raise AssertionError("the connection stayed open")


@fact
def a_client_that_goes_on_sending_still_reads_its_413(s):
    with socket.create_connection(("127.0.0.1", s.port)) as client:
        client.sendall((f"POST /v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\n"
                        f"Content-Type: application/json\r\nContent-Length: {1 << 33}\r\n\r\n").encode())
        for _ in range(40):
            client.sendall(b"x" * 65536)
        client.settimeout(60)
        within(b" 413 ", client.recv(65536))


@fact
def curl_with_expect_is_answered_before_it_sends(s):
    path = os.path.join(s.state, "large")
    with open(path, "wb") as file:
        file.truncate(64 * MIB)
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{size_upload}", "-H", "Authorization: Bearer " + s.key,
                           "-H", "Expect: 100-continue", "-F", "to=1", "-F", "file=@" + path,
                           f"http://127.0.0.1:{s.port}/v1/faxes"], capture_output=True, text=True)
    same(done.stdout, "413 0")
    with open(path, "wb") as file:
        file.write(PAGE + bytes(MIB))
    # It waits for the 100 longer than it may take at all.
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: Bearer " + s.key,
                           "--max-time", "60", "--expect100-timeout", "600", "-H", "Expect: 100-continue", "-F", "to=1", "-F", "file=@" + path,
                           f"http://127.0.0.1:{s.port}/v1/faxes"], capture_output=True, text=True)
    same((done.returncode, done.stdout), (0, "202"))


@fact
def a_stranger_may_send_no_body(s):
    for key in ("", "Authorization: Bearer fxk_live_wrong\r\n"):
        got = s.raw(f"POST /v1/faxes HTTP/1.1\r\nHost: x\r\n{key}Content-Length: 1000000\r\n\r\n".encode())
        within(b"HTTP/1.1 401 ", got)
        within(b"WWW-Authenticate: Bearer", got)
    within(b" 404 ", s.raw(f"POST /v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n".encode()))


@fact
def chunked_bodies_are_taken(s):
    body = json.dumps(fax()).encode()
    head = (f"POST /v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\nContent-Type: application/json\r\n"
            f"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7))
    within(b" 202 ", s.raw(head + chunks + b"0\r\nTrailer: x\r\n\r\n"))
    within(b" 400 ", s.raw(head + b"5\r\nabcdefgh\r\n0\r\n\r\n"))
    within(b" 400 ", s.raw(head + b"zz\r\n"))
    within(b" 413 ", s.raw(head + b"ffffffff\r\n" + b"x" * (9 * MIB)))


@fact
def framing_that_could_be_read_two_ways_is_refused(s):
    auth = f"Host: x\r\nAuthorization: Bearer {s.key}\r\nContent-Type: application/json\r\n"
    for head, status in (
            (f"POST /v1/faxes HTTP/1.1\r\n{auth}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (f"POST /v1/faxes HTTP/1.1\r\n{auth}Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400),
            (f"POST /v1/faxes HTTP/1.1\r\n{auth}Content-Length: +5\r\n\r\nabcde", 400),
            (f"POST /v1/faxes HTTP/1.1\r\n{auth}Content-Length: -5\r\n\r\nabcde", 400),
            (f"POST /v1/faxes HTTP/1.1\r\n{auth}Content-Length: 99999999999999999999\r\n\r\n", 400),
            (f"POST /v1/faxes HTTP/1.1\r\n{auth}Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
            (f"POST /v1/faxes HTTP/1.0\r\n{auth}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (f"GET /v1/faxes HTTP/1.1\r\n{auth}Content-Length: 5\r\n\r\nabcde", 400),
            (f"GET /v1/faxes HTTP/1.1\r\n{auth} folded: x\r\n\r\n", 400),
            (f"GET /v1/faxes HTTP/1.1\r\n{auth}No Token: x\r\n\r\n", 400),
            (f"GET /v1/faxes HTTP/1.1\r\n{auth}Expect: miracles\r\n\r\n", 417),
            ("GET /v1/faxes HTTP/1.1\r\n\r\n", 400),
            ("GET /v1/faxes HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET /v1/faxes HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            ("GET /v1/faxes\r\n\r\n", 400),
            ("BREW /v1/faxes HTTP/1.1\r\nHost: a\r\n\r\n", 501),
            ("\x16\x03\x01\x02\r\n\r\n", 400),
            ("GET v1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET /v1/faxes HTTP/1.1\nHost: a\n\r\n\r\n", 400)):
        got = s.raw(head.encode("latin-1"), wait=4)
        same((head.split("\r\n")[0], head, got.split(b" ")[1:2]), (head.split("\r\n")[0], head, [str(status).encode()]))
        within(b"application/problem+json", got)


@fact
def heads_have_limits(s):
    within(b" 431 ", s.raw(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20000))
    within(b" 431 ", s.raw(b"G" * 20000))
    within(b" 400 ", s.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 200 + b"\r\n"))


@fact
def requests_in_a_row_and_at_once_on_one_connection(s):
    one = f"GET /v1/faxes?limit=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\n\r\n".encode()
    got = s.raw(one * 50 + b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", wait=10)
    same(got.count(b"HTTP/1.1 200 "), 51)
    client = http.client.HTTPConnection("127.0.0.1", s.port)
    for _ in range(20):
        same(s.ask("GET", "/v1/lines", connection=client).status, 200)
        same(s.ask("POST", "/v1/faxes", fax(), connection=client).status, 202)
    within(b"HTTP/1.0 200", s.raw(b"GET /health/live HTTP/1.0\r\n\r\n"))
    within(b" 200 ", s.raw(b"GET http://example.org/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))


@fact
def paths_lead_nowhere_else(s):
    for path in ("/../../etc/passwd", "/ui/../../../etc/passwd", "/ui/%2e%2e/openapi.json", "/ui/../v1/openapi.json", "/ui/lib", "/ui/none.js", "//v1/faxes", "/v1//faxes", "/v1/faxes/",
                 "/ui/", "/v1/faxes/%00", "/v1/faxes/..%2f..%2fetc", "/v1/faxes/fax_x%0d%0aX: y"):
        got = s.raw(f"GET {path.replace(' ', '%20')} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\nConnection: close\r\n\r\n".encode())
        same((path, got.split(b" ")[1]), (path, b"404"))


@fact
def methods_and_types_are_checked(s):
    reply = s.ask("DELETE", "/v1/faxes")
    same((reply.status, reply.headers["Allow"]), (405, "POST, GET, HEAD"))
    same(s.ask("OPTIONS", "/v1/lines").status, 204)
    same(s.ask("POST", "/v1/faxes", "to=1", {"Content-Type": "application/x-www-form-urlencoded"}).status, 415)
    same(s.ask("POST", "/v1/faxes", "{}", {"Content-Type": "text/plain"}).status, 415)
    same(s.ask("POST", "/v1/api-keys", *form([("name", "x")])).status, 415)
    same(s.ask("GET", "/v1/faxes/fax_nope").json["code"], "no_such_fax")


@fact
def forms_are_checked(s):
    good, headers = form([("to", "1002"), ("file", "p.tif", PAGE)])
    for body, status in ((good[:-40], 400), (b"", 400), (good.replace(b'name="to"', b"nothing"), 400),
                         (good.replace(b"xxBOUNDARYxx\r\n", b"xxBOUNDARYxxzz\r\n", 1), 400)):
        same((body[:60], s.ask("POST", "/v1/faxes", body, headers).status), (body[:60], status))
    same(s.ask("POST", "/v1/faxes", good, {"Content-Type": "multipart/form-data"}).status, 400)
    many, headers = form([("tags", "x")] * 200)
    same(s.ask("POST", "/v1/faxes", many, headers).status, 413)
    for parts, pointer, code in (([("to", "1"), ("to", "2"), ("file", "p", PAGE)], "/to", "twice"),
                                 ([("to", "1")] + [("file", "p", PAGE)] * 21, "/file", "too_many_documents"),
                                 ([("to", "1"), ("fle", "p", PAGE)], "/fle", "unknown_key"),
                                 ([("to", "1"), ("file", "p", PAGE), ("retry.max_attempts", "1e3")], "/retry/max_attempts", "not_a_number"),
                                 ([("to", "1"), ("file", "p", PAGE), ("retry", "1")], "/retry", "wrong_type"),
                                 ([("to", "1"), ("file", "p", PAGE), ("a.b.c", "1")], "/a", "unknown_key"),
                                 ([("to", b"\xff"), ("file", "p", PAGE)], "/to", "not_utf8")):
        body, headers = form(parts)
        reply = s.ask("POST", "/v1/faxes", body, headers)
        same(reply.status, 422)
        within((pointer, code), reply.codes())


@fact
def clients_that_vanish_leave_nothing(s):
    request = json.dumps(fax()).encode()
    head = (f"POST /v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(request)}\r\n\r\n").encode()
    listing = f"GET /v1/faxes?limit=500 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\n\r\n".encode()
    for i in range(60):
        client = socket.create_connection(("127.0.0.1", s.port))
        client.sendall((head + request[:i * 2], head + request, listing, head[:i])[i % 4])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        client.close()
    deadline = time.time() + 10
    while "faxd_http_connections 1\n" not in s.ask("GET", "/metrics").body.decode():
        if time.time() > deadline:
            raise AssertionError("connections are still counted")
        time.sleep(0.05)
    within("faxd_http_body_bytes 0\n", s.ask("GET", "/metrics").body.decode())


@fact
def many_clients_at_once(s):
    def one(i):
        return s.ask("POST", "/v1/faxes", fax(to="6%03d" % i, tags=["many"])).status

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        same(set(pool.map(one, range(200))), {202})
    same(len(s.ask("GET", "/v1/faxes?tag=many&limit=500").json["data"]), 200)


# --- servers with small limits ----------------------------------------------------------------------------------------

def memory_is_bounded():
    s = Server(8 * MIB, 16 * MIB, 100)
    try:
        clients = []
        for _ in range(4):
            client = socket.create_connection(("127.0.0.1", s.port))
            client.sendall((f"POST /v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {7 * MIB}\r\n\r\n").encode())
            time.sleep(0.1)
            clients.append(client)
        for client in clients[2:]:
            client.settimeout(60)
            got = client.recv(65536)
            within(b" 503 ", got)
            within(b"Retry-After:", got)
            within(b"memory_full", got)
        for client in clients:
            client.close()
        time.sleep(0.3)
        same(s.ask("POST", "/v1/faxes", fax(page=PAGE + bytes(4 * MIB))).status, 202)
    finally:
        same(s.stop(), 0)


def connections_are_bounded():
    s = Server(8 * MIB, 16 * MIB, 10)
    try:
        clients = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(10)]
        time.sleep(0.2)
        over = s.raw(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        within(b" 503 ", over)
        within(b"too_many_connections", over)
        more = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(60)]  # past what is accepted at all
        time.sleep(0.2)
        count = len(os.listdir(f"/proc/{s.process.pid}/fd"))
        if count > 10 + 32 + 30:
            raise AssertionError(f"{count} descriptors are open")
        for client in clients + more:
            client.close()
        time.sleep(0.5)
        same(s.ask("GET", "/health/live").status, 200)
    finally:
        same(s.stop(), 0)


def a_draining_server_takes_no_fax():
    s = Server()
    try:
        s.tell("drain")
        time.sleep(0.2)
        reply = s.ask("POST", "/v1/faxes", fax())
        same((reply.status, reply.json["code"]), (503, "draining"))
        within("5", reply.headers["Retry-After"])
        same((s.ask("GET", "/v1/faxes").status, s.ask("GET", "/health/ready").status), (200, 503))
    finally:
        same(s.stop(), 0)


def it_ends_cleanly_with_too_many_connections():
    s = Server(8 * MIB, 16 * MIB, 2)
    clients = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(60)]
    time.sleep(0.2)
    same(s.stop(), 0)
    for client in clients:
        client.close()


def it_ends_cleanly_with_work_under_way():
    s = Server()
    client, _ = open_stream(s)
    half = socket.create_connection(("127.0.0.1", s.port))
    half.sendall(b"POST /v1/faxes HTTP/1.1\r\nHost: x\r\nContent-Le")
    large = socket.create_connection(("127.0.0.1", s.port))
    body = json.dumps(fax(page=PAGE + bytes(5 * MIB))).encode()
    large.sendall(f"POST /v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\nContent-Type: application/json\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    late = socket.create_connection(("127.0.0.1", s.port))
    late.sendall(f"GET /v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {s.key}\r\n\r\n".encode())
    same(s.stop(), 0)
    for c in (client, half, large, late):
        c.close()


def a_stream_keeps_nothing_of_its_request():
    s = Server()
    try:
        clients = [open_stream(s)]
        before = s.memory_kb()
        for _ in range(70):
            clients.append(open_stream(s, Cookie="faxd=" + "c" * 12000))
        each = (s.memory_kb() - before) / 70
        if each > 12 and not s.is_sanitized():
            raise AssertionError(f"{each:.1f} kB a stream")
        for client, _ in clients:
            client.close()
        return f"{each:.1f} kB a stream"
    finally:
        same(s.stop(), 0)


def slow_senders_are_told_so():
    s = Server()
    try:
        with socket.create_connection(("127.0.0.1", s.port)) as client:
            client.settimeout(120)
            began = time.time()
            client.sendall(b"GET / HTT")
            got = client.recv(65536)
            within(b" 408 ", got)
            if time.time() - began < 8:
                raise AssertionError(f"after {time.time() - began} s")
    finally:
        same(s.stop(), 0)


def main():
    alone = [memory_is_bounded, connections_are_bounded, a_draining_server_takes_no_fax, it_ends_cleanly_with_work_under_way,
             it_ends_cleanly_with_too_many_connections, a_stream_keeps_nothing_of_its_request,
             slow_senders_are_told_so]
    only = sys.argv[1:]
    number, failed = 0, 0
    server = Server()

    def run(function, *args):
        nonlocal number, failed
        if only and function.__name__ not in only:
            return
        number += 1
        name = function.__name__.replace("_", " ")
        try:
            result = function(*args)
            print(f"ok {number} - {name}" + (f" # {result}" if result else ""), flush=True)
        except Exception:
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)

    for function in facts:
        run(function, server)
    for function in alone:
        run(function)
    number += 1
    status = server.stop()
    failed += status != 0
    print(f"{'ok' if status == 0 else 'not ok'} {number} - the server ended with {status}")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
