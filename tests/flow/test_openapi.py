#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every operation of the served description of the API, asked of the whole server. Prints TAP.

A new operation needs a function in the table below: @operation("itsId"), which makes a valid request of it with
api.call(). They run in this order on one server, and keep in `made` what later ones need."""
import base64
import os
import sys
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from described import Driver, Wrong, without  # noqa: E402
from faxd import FAST_RETRIES, FINAL, PAGES, Receiver, Script, exchange, fact, main, octets, same, started, wait_for  # noqa: E402

TRUNKS = {"trunks": [{"name": "main", "state": "up", "kind": "static", "registrar": "sip:pbx.example.com", "calls": 0}],
          "devices": [{"line": 0, "state": "up", "device": "/dev/ttyUSB0", "model": "a model"}]}

SIMULATOR = 'provider "sim" {\n module = simulator\n line "1" { number = "+12025550198" }\n}\n'

table = {}


def operation(*names):
    """Mark what calls these operations."""
    def mark(function):
        for name in names:
            assert name not in table, name
            table[name] = function
        return function
    return mark


def page():
    return {"data": base64.b64encode(octets(PAGES[0])).decode()}


def form(**fields):
    """multipart/form-data with a page: (content type, octets)."""
    mark = uuid.uuid4().hex
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]
    parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.tif"\r\n'
                 "Content-Type: image/tiff\r\n\r\n".encode() + octets(PAGES[0]) + b"\r\n")
    return f"multipart/form-data; boundary={mark}", b"".join(parts) + f"--{mark}--\r\n".encode()


# --- faxes ---

@operation("sendFax")
def send_fax(api, made):
    body = {"to": "1002", "documents": [page()], "header": {"show": True, "text": "The Office"}, "priority": "high",
            "resolution": "fine", "retry": {"max_attempts": 2}, "tags": ["a", "b"], "metadata": {"case": "7"},
            "client_reference": "ref-1"}
    made["fax"] = api.call("sendFax", 202, body=body, headers={"Idempotency-Key": "one"}).json["id"]
    same(api.call("sendFax", 202, body=body, headers={"Idempotency-Key": "one"}).json["id"], made["fax"])
    made["form"] = api.call("sendFax", 202, form=form(to="1003", hold="true")).json["id"]
    made["held"] = api.call("sendFax", 202, body={"to": "1003", "documents": [page()], "hold": True}).json["id"]
    made["failed"] = api.call("sendFax", 202, body={"to": "2999", "documents": [page()]}).json["id"]
    api.server.wait_state(made["fax"])
    api.server.wait_state(made["failed"])
    made["received"] = api.server.settled_inbound(1)[0]["id"]


@operation("listFaxes")
def list_faxes(api, made):
    first = api.call("listFaxes", 200, query={"limit": 1}).json
    api.call("listFaxes", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    for query in ({"direction": "inbound"}, {"status": "delivered,failed"}, {"to": "1002"}, {"from": "1001"},
                  {"error": "bad_address"}, {"tag": "a"}, {"client_reference": "ref-1"},
                  {"created[gte]": "2020-01-01T00:00:00Z", "created[lt]": "2099-01-01T00:00:00Z"}):
        api.call("listFaxes", 200, query=query)


@operation("getFax")
def get_fax(api, made):
    for fax in ("fax", "held", "failed", "received"):
        api.call("getFax", 200, {"id": made[fax]})


@operation("releaseFax", "holdFax", "cancelFax")
def wishes(api, made):
    api.server.wait_state(made["held"], "held")
    api.call("holdFax", 200, {"id": made["held"]})
    api.call("releaseFax", 200, {"id": made["held"]})
    api.server.wait_state(made["held"])
    api.server.wait_state(made["form"], "held")
    api.call("cancelFax", 202, {"id": made["form"]})


@operation("listAttempts", "getTrace", "listFaxEvents")
def story(api, made):
    for fax in ("fax", "failed", "received"):
        api.call("listAttempts", 200, {"id": made[fax]})
        api.call("listFaxEvents", 200, {"id": made[fax]}, {"limit": 2})
        api.call("getTrace", 200, {"id": made[fax], "n": 1})


@operation("getDocument", "getPage", "getThumbnail")
def pages(api, made):
    for fax in ("fax", "received"):
        for query in ({}, {"format": "tiff"}, {"format": "pdf", "copy": "as_sent"}):
            api.call("getDocument", 200, {"id": made[fax]}, query)
        reply = api.call("getPage", 200, {"id": made[fax], "n": 1}, {"w": 100})
        api.call("getPage", 304, {"id": made[fax], "n": 1}, {"w": 100}, headers={"If-None-Match": reply.headers["ETag"]})
        api.call("getThumbnail", 200, {"id": made[fax]})
    api.call("getDocument", 200, {"id": made["fax"]}, {"copy": "original", "n": 1})


@operation("makePreview", "getPreview", "getPreviewDocument", "getPreviewPage")
def previews(api, made):
    body = {"to": "1002", "documents": [page()]}
    preview = api.call("makePreview", 201, body=body).json["id"]
    api.call("makePreview", 201, form=form(resolution="fine"))
    api.call("getPreview", 200, {"id": preview})
    api.call("getPreviewDocument", 200, {"id": preview}, {"format": "tiff"})
    api.call("getPreviewDocument", 200, {"id": preview}, {"format": "pdf"})
    api.call("getPreviewPage", 200, {"id": preview, "n": 1}, {"w": 100})


@operation("listCoverPages")
def covers(api, made):
    api.call("listCoverPages", 200)


# --- lines ---

@operation("listLines", "getLine", "changeLine", "testLine", "listProviders")
def lines(api, made):
    api.call("listLines", 200)
    api.call("getLine", 200, {"line": "exchange/1001"})
    api.call("getLine", 200, {"line": "pbx/1"})
    api.call("changeLine", 200, {"line": "exchange/1004"}, body={"send_enabled": False, "receive_enabled": True})
    api.call("testLine", 202, {"provider": "pbx", "line": "1"})
    api.call("listProviders", 200)


@operation("listTrunks", "getTrunk", "testTrunk")
def trunks(api, made):
    api.call("listTrunks", 200)
    api.call("getTrunk", 200, {"provider": "pbx", "trunk": "main"})
    api.call("testTrunk", 202, {"provider": "pbx", "trunk": "main"})


@operation("listDestinations", "getDestination", "forgetDestination")
def destinations(api, made):
    number = made["script_number"]
    api.call("listDestinations", 200, query={"limit": 10})
    api.call("getDestination", 200, {"number": number})
    api.call("forgetDestination", 204, {"number": number})


# --- events and webhooks ---

@operation("listEvents")
def events(api, made):
    first = api.call("listEvents", 200, query={"limit": 5}).json
    api.call("listEvents", 200, query={"limit": 5, "cursor": first["next_cursor"]})


@operation("streamEvents")
def stream(api, made):
    """A reply without an end: its head, and the first event of it."""
    import http.client  # a connection that is not read to its end
    client = http.client.HTTPConnection("127.0.0.1", api.server.port, timeout=30)
    try:
        client.request("GET", api.target("streamEvents", {}, {"cursor": 0}),
                       headers={"Authorization": "Bearer " + api.server.key})
        answer = client.getresponse()
        same((answer.status, answer.headers["Content-Type"].split(";")[0]), (200, "text/event-stream"))
        same(list(api.description.operations["streamEvents"][2]["responses"]["200"]["content"]), ["text/event-stream"])
        assert answer.readline()
        api.replies["streamEvents"] = [200]
    finally:
        client.close()


@operation("createEndpoint", "listEndpoints", "getEndpoint", "changeEndpoint", "rotateSecret", "testEndpoint",
           "listDeliveries", "replayDelivery", "deleteEndpoint")
def webhooks(api, made):
    hook = api.call("createEndpoint", 201, body={"url": made["receiver"].url + "/all", "events": ["fax.*"]}).json["id"]
    path = {"id": hook}
    api.call("listEndpoints", 200)
    api.call("getEndpoint", 200, path)
    api.call("changeEndpoint", 200, path, body={"events": ["fax.*", "inbound.*"], "enabled": True})
    api.call("rotateSecret", 200, path)
    api.call("testEndpoint", 202, path)
    wait_for(lambda: api.server.get(f"/v1/webhook-endpoints/{hook}/deliveries")["data"], "a delivery")
    delivery = api.call("listDeliveries", 200, path, {"limit": 10}).json["data"][0]["id"]
    api.call("replayDelivery", 202, {"id": hook, "delivery": delivery})
    api.call("deleteEndpoint", 204, path)


# --- keys, audit, reports, system ---

@operation("createKey", "listKeys", "getKey", "revokeKey")
def keys(api, made):
    key = api.call("createKey", 201, body={"name": "k", "scopes": ["fax:read"], "test": False,
                                           "expires_at": "2099-01-01T00:00:00Z"}).json["id"]
    api.call("listKeys", 200)
    api.call("getKey", 200, {"id": key})
    api.call("revokeKey", 204, {"id": key})
    api.call("getKey", 200, {"id": key})


@operation("listAuditLog", "verifyAuditLog")
def audit(api, made):
    first = api.call("listAuditLog", 200, query={"limit": 2}).json
    api.call("listAuditLog", 200, query={"limit": 2, "cursor": first["next_cursor"], "action": "fax.*", "actor": "server",
                                         "object": made["fax"], "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"})
    api.call("listAuditLog", 200, query={"limit": 1000})
    api.call("listAuditLog", 200, query={"limit": 10000}, headers={"Accept": "text/csv"})
    same(api.call("verifyAuditLog", 200).json["ok"], True)


@operation("reportUsage", "dashboard", "system", "systemLog")
def reports(api, made):
    for group in ("day", "hour", "destination", "user", "provider", "error"):
        api.call("reportUsage", 200, query={"group_by": group})
    api.call("reportUsage", 200, headers={"Accept": "text/csv"})
    api.call("reportUsage", 200, query={"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"})
    api.call("dashboard", 200)
    api.call("system", 200)
    api.call("systemLog", 200, query={"lines": 10})


@operation("testInbound")
def test_mode(api, made):
    key = api.server.ask("POST", "/v1/api-keys", {"name": "t", "test": True, "scopes": ["fax:send"]}).json["token"]
    api.call("testInbound", 202, body={"from": "+12025550123", "to": "+12025550198", "station_id": "HELLO", "pages": 2},
             key=key)


@operation("live", "ready", "metrics", "openapi")
def open_to_all(api, made):
    for name in ("live", "ready", "metrics", "openapi"):
        api.call(name, 200)


@operation("purgeFax")
def purge(api, made):
    api.call("purgeFax", 200, {"id": made["fax"]})
    api.call("purgeFax", 204, {"id": made["failed"]}, {"record": "true"})


# --- the facts ---

class World:
    """One server with all that the calls need; asked once, judged by several facts."""
    api = None  # once all was asked

    @classmethod
    def drive(cls):
        """Run the table. A call that fails does not keep the others from being made."""
        with Script() as script:
            script.write("trunks", TRUNKS)
            script.write("trunks.tested", TRUNKS)
            script.write("5551", {"outcome": "success", "mode": "audio", "codec": "PCMU", "trunk": "main"})
            receiver = Receiver()
            try:
                server = started(FAST_RETRIES + exchange() + SIMULATOR + script.provider().replace(
                    "number = 300", "groups = {script} number = 300"))
                cls.driver = Driver(server)
                made = {"receiver": receiver, "script_number": "5551"}
                fax = server.send("5551", route={"group": "script"})
                wait_for(lambda: server.fax(fax)["status"] in FINAL | {"scheduled"}, "a call of the scripted provider")
                cls.run(made)
                cls.lack()
                cls.strangers()
                cls.api = cls.driver
            finally:
                receiver.close()

    @classmethod
    def run(cls, made):
        cls.faults, done = [], []
        for function in table.values():
            if function in done:
                continue
            done.append(function)
            try:
                function(cls.driver, made)
            except Exception as fault:  # told by the facts
                cls.faults.append(f"{function.__name__}: {type(fault).__name__}: {fault}")

    @classmethod
    def lack(cls):
        """Bodies that lack what is required, or have what is not known."""
        cls.accepted = []
        for name, (target, body, headers) in cls.driver.bodies.items():
            description = cls.driver.description
            headers = {key: value for key, value in headers.items() if key != "Idempotency-Key"}
            bad = [(place, without(body, place)) for place in description.required(name, body)]
            if any(part.get("additionalProperties") is False
                   for part in description.branches(description.body_schema(name), ("allOf",))):
                bad.append((["no_such_member"], body | {"no_such_member": 1}))
            for place, wrong in bad:
                try:
                    cls.driver.refused(name, description.operations[name][0], target, wrong, headers)
                except Wrong as fault:
                    cls.accepted.append(f"{name} {place}: {fault}")

    @classmethod
    def strangers(cls):
        """Those without a key that is one."""
        cls.let_in = []
        for name, (method, path, described) in cls.driver.description.operations.items():
            body = {} if "requestBody" in described else None
            if described.get("security", [{}]):
                reply = cls.driver.server.ask(method, path.replace("{", "x").replace("}", ""), body,
                                              {"Authorization": "Bearer fxk_live_no"})
                if reply.status != 401:
                    cls.let_in.append(f"{name}: {reply.status}")


def world():
    if World.api is None:
        World.drive()
    return World


@fact
def every_operation_has_a_call():
    """And every call an operation, so that none stays behind."""
    names = set(world().api.description.operations)
    same((sorted(names - set(table)), sorted(set(table) - names)), ([], []))


@fact
def every_operation_answers_as_it_is_described():
    same(world().faults, [])
    answered = {name for name, statuses in world().api.replies.items() if any(s < 300 for s in statuses)}
    same(sorted(set(world().api.description.operations) - answered), [])


@fact
def no_reply_tells_more_than_is_described():
    same(sorted(world().api.unknown), [])


@fact
def a_body_that_lacks_what_is_required_is_refused():
    assert len(world().api.bodies) >= 4
    same(world().accepted, [])


@fact
def nothing_is_open_to_a_stranger_but_what_says_so():
    same(world().let_in, [])


if __name__ == "__main__":
    sys.exit(main())
