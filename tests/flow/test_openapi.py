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
from described import Driver  # noqa: E402
from faxd import FAST_RETRIES, FINAL, PAGES, Receiver, Script, exchange, fact, main, octets, same, started, wait_for  # noqa: E402
from visitor import PASSWORD, Visitor, make_user  # noqa: E402

TRUNKS = {"trunks": [{"name": "main", "state": "up", "kind": "static", "registrar": "sip:pbx.example.com", "calls": 0}],
          "devices": [{"line": 0, "state": "up", "device": "/dev/ttyUSB0", "model": "a model"}]}

SIMULATOR = 'provider "sim" {\n module = simulator\n line "1" { number = "+12025550198" }\n}\n'
NO_MAIL_SERVER = 'mail { server = "smtp://127.0.0.1:9" starttls = off from = "fax@example.com" }\n'

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


# --- users and sessions: the first user is made where there is none ---

@operation("getSetup", "setUp", "signIn", "getSession", "changePassword", "signOut")
def sessions(api, made):
    ann = Visitor(api.server)
    same(api.call("getSetup", 200, by=ann).json, {"needed": True})
    code = octets(os.path.join(api.server.state, "setup.code")).decode().strip()
    ann.take_session(api.call("setUp", 200, by=ann, body={"code": code, "name": "ann", "password": PASSWORD}))
    same(api.call("getSetup", 200, by=ann).json, {"needed": False})
    api.call("getSession", 200, by=ann)
    api.call("changePassword", 204, by=ann, body={"old": PASSWORD, "new": "another one of hers"})
    again = Visitor(api.server)
    again.take_session(api.call("signIn", 200, by=again, body={"name": "ann", "password": "another one of hers"}))
    api.call("signOut", 204, by=again)
    same(again.ask("GET", "/v1/session").status, 401)


@operation("createUser", "listUsers", "getUser", "changeUser", "deleteUser", "listAssignees")
def users(api, made):
    body = {"name": "bob", "display_name": "Bob", "email": "bob@example.com", "role": "sender", "disabled": False,
            "password": PASSWORD}
    made["user"] = api.call("createUser", 201, body=body).json["id"]
    first = api.call("listUsers", 200, query={"limit": 1}).json
    api.call("listUsers", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("getUser", 200, {"id": made["user"]})
    first = api.call("listAssignees", 200, query={"limit": 1}).json
    api.call("listAssignees", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("changeUser", 200, {"id": made["user"]}, body={"display_name": None, "email": None, "role": "operator"})
    api.call("deleteUser", 204, {"id": make_user(api.server, "cid", "reader")})


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
    for query in ({"direction": "inbound"}, {"q": "100"}, {"status": "delivered,failed"}, {"to": "1002"}, {"from": "1001"},
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


@operation("changeFax", "retryFax", "resendFax", "forwardFax")
def verbs(api, made):
    held = api.server.send("1002", hold=True)
    api.server.wait_state(held, "held")
    api.call("changeFax", 200, {"id": held}, body={"not_before": "2099-01-01T00:00:00Z", "expires_at": "2099-01-02T00:00:00Z",
                                                   "max_attempts": 7, "priority": "bulk",
                                                   "tags": ["c"], "client_reference": "ref-2"})
    api.call("changeFax", 200, {"id": held}, body={"not_before": None, "tags": None, "client_reference": None})
    api.call("retryFax", 202, {"id": made["failed"]}, body={"confirm": False})
    api.server.wait_state(made["failed"])
    api.call("retryFax", 202, {"id": made["failed"]})
    api.server.wait_state(made["failed"])
    api.call("resendFax", 202, {"id": made["fax"]}, body={"to": "1004"}, headers={"Idempotency-Key": "resent"})
    api.call("resendFax", 202, {"id": made["fax"]})
    api.call("forwardFax", 202, {"id": made["received"]}, body={"to": "1003", "note": "For you."})


@operation("readFax", "assignFax", "labelFax", "junkFax", "addNote", "listNotes")
def inbox(api, made):
    path = {"id": made["received"]}
    api.call("readFax", 200, path, body={"read": True})
    api.call("assignFax", 200, path, body={"user": made["user"]})
    api.call("labelFax", 200, path, body={"labels": ["invoices"]})
    api.call("junkFax", 200, path, body={"junk": True})
    query = {"assigned": made["user"], "label": "invoices", "junk": "true", "unread": "false"}
    same([fax["id"] for fax in api.call("listFaxes", 200, query=query).json["data"]], [made["received"]])
    api.call("assignFax", 200, path, body={"user": None})
    api.call("junkFax", 200, path, body={"junk": False})
    for text in ("Is it ours?", "It is."):
        api.call("addNote", 201, path, body={"text": text})
    first = api.call("listNotes", 200, path, {"limit": 1}).json
    api.call("listNotes", 200, path, {"limit": 1, "cursor": first["next_cursor"]})


@operation("sendBatch", "listBatches", "getBatch", "cancelBatch")
def batches(api, made):
    recipients = [{"to": "1002", "client_reference": "one", "metadata": {"n": 1}}, {"to": "1003"}]
    body = {"recipients": recipients, "documents": [page()], "hold": True, "tags": ["b"]}
    batch = api.call("sendBatch", 202, body=body, headers={"Idempotency-Key": "batch"}).json["id"]
    api.call("sendBatch", 202, body={"recipients": [{"to": "1002", "cover_page": {"fields": {"note": "Hello."}}}],
                                     "cover_page": "plain", "hold": True})
    first = api.call("listBatches", 200, query={"limit": 1}).json
    api.call("listBatches", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("getBatch", 200, {"id": batch})
    api.call("cancelBatch", 202, {"id": batch})
    api.call("listFaxes", 200, query={"batch": batch})


@operation("listAttempts", "getTrace", "listFaxEvents")
def story(api, made):
    for fax in ("fax", "failed", "received"):
        api.call("listAttempts", 200, {"id": made[fax]})
        first = api.call("listFaxEvents", 200, {"id": made[fax]}, {"limit": 1}).json
        api.call("listFaxEvents", 200, {"id": made[fax]}, {"limit": 1, "cursor": first["next_cursor"]})
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


@operation("getReceipt", "makeLink", "openLink")
def proofs(api, made):
    api.call("getReceipt", 200, {"id": made["fax"]})
    for body in ({"format": "pdf", "copy": "as_sent", "expires_s": 60}, {"format": "tiff"}, {"copy": "original"}):
        url = api.call("makeLink", 201, {"id": made["fax"]}, body=body).json["url"]
        api.call("openLink", 200, {"token": url.removeprefix("/v1/links/")}, by=Visitor(api.server))


@operation("makePreview", "getPreview", "getPreviewDocument", "getPreviewPage")
def previews(api, made):
    body = {"to": "1002", "documents": [page()]}
    preview = api.call("makePreview", 201, body=body).json["id"]
    api.call("makePreview", 201, form=form(resolution="fine"))
    api.call("getPreview", 200, {"id": preview})
    api.call("getPreviewDocument", 200, {"id": preview}, {"format": "tiff"})
    api.call("getPreviewDocument", 200, {"id": preview}, {"format": "pdf"})
    api.call("getPreviewPage", 200, {"id": preview, "n": 1}, {"w": 100})


@operation("listCoverPages", "createCoverPage", "getCoverPage", "changeCoverPage", "sampleCoverPage", "deleteCoverPage")
def covers(api, made):
    template = '<svg xmlns="http://www.w3.org/2000/svg"><text y="50">{{note}}</text></svg>'
    api.call("createCoverPage", 201, body={"name": "ours", "template": template})
    first = api.call("listCoverPages", 200, query={"limit": 1}).json
    api.call("listCoverPages", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("getCoverPage", 200, {"name": "ours"})
    api.call("getCoverPage", 200, {"name": "plain"})
    api.call("changeCoverPage", 200, {"name": "ours"}, body={"template": template})
    api.call("sampleCoverPage", 200, body={"name": "ours", "fields": {"note": "Hello."}, "width": 200})
    api.call("sampleCoverPage", 200, body={"template": template, "format": "pdf"})
    api.call("deleteCoverPage", 204, {"name": "ours"})


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


@operation("listDestinations", "getDestination", "changeDestination", "forgetDestination")
def destinations(api, made):
    number = made["script_number"]
    api.call("changeDestination", 200, {"number": "5552"}, body={"forced_transport": "t38"})
    first = api.call("listDestinations", 200, query={"limit": 1}).json
    api.call("listDestinations", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("getDestination", 200, {"number": number})
    api.call("changeDestination", 200, {"number": number},
             body={"forced_transport": "g711", "suspended": True, "reason": "asked us to stop"})
    api.call("getDestination", 200, {"number": number})
    api.call("changeDestination", 200, {"number": number}, body={"forced_transport": "auto", "suspended": False})
    api.call("forgetDestination", 204, {"number": number})


# --- contacts, identities, rules ---

@operation("createGroup", "listGroups", "getGroup", "renameGroup", "deleteGroup")
def groups(api, made):
    made["group"] = api.call("createGroup", 201, body={"name": "friends"}).json["id"]
    empty = api.call("createGroup", 201, body={"name": "nobody"}).json["id"]
    first = api.call("listGroups", 200, query={"limit": 1}).json
    api.call("listGroups", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("getGroup", 200, {"id": empty})
    api.call("renameGroup", 200, {"id": empty}, body={"name": "no one"})
    api.call("deleteGroup", 204, {"id": empty})


@operation("createContact", "listContacts", "getContact", "changeContact", "importContacts", "deleteContact")
def contacts(api, made):
    body = {"name": "Smith", "organization": "Smith & Co", "number": "+1 202 555 0100", "email": "smith@example.com",
            "notes": "Mondays", "groups": [made["group"]]}
    contact = api.call("createContact", 201, body=body).json["id"]
    table = b"name,number,groups\r\nJones,1002,friends;others\r\n"
    same(api.call("importContacts", 200, form=("text/csv", table)).json,
         {"created": 1, "updated": 0, "groups_created": 1})
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
    api.call("importContacts", 200, form=("multipart/form-data; boundary=x", head + table + b"\r\n--x--\r\n"))
    first = api.call("listContacts", 200, query={"limit": 1}).json
    api.call("listContacts", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("listContacts", 200, query={"q": "smi", "group": made["group"]})
    api.call("listContacts", 200, headers={"Accept": "text/csv"})
    api.call("getContact", 200, {"id": contact})
    api.call("changeContact", 200, {"id": contact}, body={"name": "Smyth", "organization": None, "email": None,
                                                          "notes": None, "groups": []})
    api.call("deleteContact", 204, {"id": contact})


@operation("createIdentity", "listIdentities", "getIdentity", "changeIdentity", "deleteIdentity")
def identities(api, made):
    body = {"name": "Sales", "number": "+12025550123", "station_id": "+1 202 555 0123", "header_text": "Sales",
            "time_zone": "Europe/Berlin", "caller_id": "+12025550123", "default": False,
            "receipt_email": "sales@example.com", "receipt_on": "failed", "language": "en"}
    identity = api.call("createIdentity", 201, body=body).json["id"]
    other = api.call("createIdentity", 201, body={"name": "Others"}).json["id"]
    first = api.call("listIdentities", 200, query={"limit": 1}).json
    api.call("listIdentities", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("getIdentity", 200, {"id": identity})
    api.call("changeIdentity", 200, {"id": identity}, body={"number": None, "time_zone": None, "caller_id": None,
                                                            "receipt_email": None, "language": None})
    api.call("changeIdentity", 200, {"id": other}, body={"default": True})  # the first one made was
    api.call("deleteIdentity", 204, {"id": identity})


@operation("createBlockRule", "listBlockRules", "getBlockRule", "changeBlockRule", "deleteBlockRule")
def block_rules(api, made):
    body = {"direction": "outbound", "action": "deny", "kind": "prefix", "value": "+1900", "reason": "premium rate",
            "expires_at": "2099-01-01T00:00:00Z"}
    rule = api.call("createBlockRule", 201, body=body).json["id"]
    api.call("createBlockRule", 201, body={"direction": "inbound", "kind": "anonymous"})
    same(api.server.submit("+19005550100").status, 422)
    first = api.call("listBlockRules", 200, query={"limit": 1}).json
    api.call("listBlockRules", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("listBlockRules", 200, query={"direction": "outbound"})
    api.call("getBlockRule", 200, {"id": rule})
    api.call("changeBlockRule", 200, {"id": rule}, body={"action": "allow", "reason": None, "expires_at": None})
    api.call("deleteBlockRule", 204, {"id": rule})


@operation("createOutboundRule", "listOutboundRules", "getOutboundRule", "changeOutboundRule", "deleteOutboundRule",
           "testOutboundRules")
def outbound_rules(api, made):
    body = {"position": 1, "name": "local calls", "prefix": "+1202", "groups": ["script", "default"],
            "window": {"from": "08:00", "to": "18:00", "days": [1, 2, 3, 4, 5], "time_zone": "America/New_York"},
            "enabled": True}
    rule = api.call("createOutboundRule", 201, body=body).json["id"]
    other = api.call("createOutboundRule", 201, body={"prefix": "+49", "groups": ["script"]}).json["id"]
    first = api.call("listOutboundRules", 200, query={"limit": 1}).json
    api.call("listOutboundRules", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("getOutboundRule", 200, {"id": rule})
    for to in ("+12025550100", "+4930123456", "1002"):
        api.call("testOutboundRules", 200, body={"to": to})
    api.call("changeOutboundRule", 200, {"id": rule},
             body={"position": 2, "name": None, "window": None, "enabled": False})
    for one in (rule, other):
        api.call("deleteOutboundRule", 204, {"id": one})


@operation("createInboundRule", "listInboundRules", "getInboundRule", "changeInboundRule", "deleteInboundRule",
           "testInboundRules", "listDeliveriesOfFax", "retryDelivery", "routeFax")
def inbound_rules(api, made):
    window = {"from": "08:00", "to": "18:00", "days": [1, 2, 3, 4, 5], "time_zone": "America/New_York"}
    match = {"did": "no", "did_prefix": "n", "line": "exchange/1002", "group": "default", "from": "+12025550123",
             "from_prefix": "+1", "anonymous": False, "station_id": "ACME", "station_id_prefix": "AC", "subaddress": "1",
             "pages_min": 1, "pages_max": 9, "outcome": "received", "window": window}
    hook = {"type": "webhook", "url": made["receiver"].url + "/document", "format": "tiff", "expires_s": 60}
    paper = {"type": "print", "printer": "office", "server": "127.0.0.1:1", "options": ["media=a4"], "copies": 1,
             "format": "pdf", "timeout_s": 5}
    rule = api.call("createInboundRule", 201, body={"position": 1, "name": "Acme", "match": match, "then": "continue",
                                                    "methods": [hook, paper], "enabled": True}).json["id"]
    inbox = {"type": "inbox", "user": made["user"], "labels": ["routed"]}
    other = api.call("createInboundRule", 201, body={"methods": [inbox]}).json["id"]
    first = api.call("listInboundRules", 200, query={"limit": 1}).json
    api.call("listInboundRules", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    api.call("getInboundRule", 200, {"id": rule})
    api.call("testInboundRules", 200, body={"did": "1002", "from": "+12025550123", "station_id": "ACME", "subaddress": "1",
                                            "line": "exchange/1002", "pages": 2, "outcome": "received",
                                            "at": "2026-11-20T12:00:00Z"})
    api.call("changeInboundRule", 200, {"id": rule}, body={"position": 2, "name": None, "match": None, "enabled": False,
                                                           "methods": [{**hook, "url": made["receiver"].url + "/gone"}]})
    path = {"id": made["received"]}
    api.call("routeFax", 200, path)
    wait_for(lambda: api.server.fax(made["received"])["status"] == "routed", "the fax to be routed")
    same(api.server.ask("PATCH", "/v1/routes/inbound/" + rule, {"enabled": True, "position": 1}).status, 200)
    same(api.server.ask("DELETE", "/v1/routes/inbound/" + other).status, 204)
    made["receiver"].answers["/gone"] = [500, 200]
    api.call("routeFax", 200, path)
    waits = wait_for(lambda: [one for one in api.server.get(f"/v1/faxes/{made['received']}/deliveries")["data"]
                              if one["reason"]], "a try that failed")
    api.call("retryDelivery", 200, {**path, "delivery": waits[0]["id"]})
    wait_for(lambda: api.server.fax(made["received"])["status"] == "routed", "the fax to be routed")
    listed = api.call("listDeliveriesOfFax", 200, path, {"limit": 1}).json
    api.call("listDeliveriesOfFax", 200, path, {"limit": 1, "cursor": listed["next_cursor"]})
    api.call("deleteInboundRule", 204, {"id": rule})


# --- mails ---

@operation("listMails", "getMail", "retryMail", "listFaxMails")
def mails(api, made):
    """There is no mail server where the configuration says: every mail is tried, and waits."""
    receipt = {"email": "ann@example.com", "on": "always", "first_page": True, "attach": True, "language": "de"}
    fax = api.call("sendFax", 202, body={"to": "1003", "documents": [page()], "receipt": receipt}).json["id"]
    api.server.wait_state(fax)
    api.server.wait_state(api.server.send("1003", receipt={"email": "ann@example.com"}))
    tried = wait_for(lambda: [m for m in api.server.get("/v1/mails?fax=" + fax)["data"] if m["tries"]], "a try")[0]
    first = api.call("listMails", 200, query={"limit": 1}).json
    api.call("listMails", 200, query={"limit": 1, "cursor": first["next_cursor"]})
    for status in ("pending", "sent", "failed"):
        api.call("listMails", 200, query={"status": status, "fax": fax})
    first = api.call("listFaxMails", 200, {"id": fax}, query={"limit": 1}).json
    api.call("listFaxMails", 200, {"id": fax}, query={"limit": 1, "cursor": "1000000"})
    same(len(first["data"]), 1)
    api.call("getMail", 200, {"id": tried["id"]})
    api.call("retryMail", 202, {"id": tried["id"]})


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
    api.call("testEndpoint", 202, path)
    wait_for(lambda: len(api.server.get(f"/v1/webhook-endpoints/{hook}/deliveries")["data"]) >= 2, "two deliveries")
    first = api.call("listDeliveries", 200, path, {"limit": 1}).json
    api.call("listDeliveries", 200, path, {"limit": 1, "cursor": first["next_cursor"]})
    api.call("replayDelivery", 202, {"id": hook, "delivery": first["data"][0]["id"]})
    api.call("deleteEndpoint", 204, path)


# --- keys, audit, reports, system ---

@operation("createKey", "listKeys", "getKey", "changeKey", "rotateKey", "revokeKey")
def keys(api, made):
    key = api.call("createKey", 201, body={"name": "k", "scopes": ["fax:read"], "test": False,
                                           "expires_at": "2099-01-01T00:00:00Z"}).json["id"]
    bound = api.call("createKey", 201, body={"name": "k", "scopes": ["fax:read"], "user": made["user"],
                                             "allow_from": ["127.0.0.0/8", "::1"], "per_minute": 100}).json["id"]
    api.call("changeKey", 200, {"id": bound}, body={"name": "m", "scopes": ["fax:send"], "allow_from": [], "per_minute": 0,
                                                    "expires_at": None})
    api.call("rotateKey", 200, {"id": bound}, body={"overlap_s": 60})
    api.call("rotateKey", 200, {"id": bound}, body={})
    api.call("listKeys", 200)
    api.call("getKey", 200, {"id": bound})
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
                server = started(NO_MAIL_SERVER + FAST_RETRIES + exchange() + SIMULATOR + script.provider().replace(
                    "number = 300", "groups = {script} number = 300"))
                cls.driver = Driver(server)
                made = {"receiver": receiver, "script_number": "5551"}
                fax = server.send("5551", route={"group": "script"})
                wait_for(lambda: server.fax(fax)["status"] in FINAL | {"scheduled"}, "a call of the scripted provider")
                cls.run(made)
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
    def strangers(cls):
        """Those without a key, or with none that is one. For each operation they come from an address of its own: wrong
        tries of one are limited."""
        cls.let_in = []
        for number, (name, (method, path, described)) in enumerate(cls.driver.description.operations.items(), 1):
            for key in ("Bearer fxk_live_no", None) if described.get("security", [{}]) else ():
                reply = cls.driver.server.ask(method, path.replace("{", "x").replace("}", ""),
                                              {} if "requestBody" in described else None, {"Authorization": key},
                                              source=f"127.0.1.{number}")
                if reply.status != 401:
                    cls.let_in.append(f"{name} with {key}: {reply.status}")


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
def every_query_parameter_is_asked_for():
    api = world().api
    described = {(name, place[1]) for name in api.description.operations
                 for place in api.description.parameters(name) if place[0] == "query"}
    same(sorted(described - api.asked), [])


@fact
def a_body_that_lacks_what_is_required_is_refused():
    api = world().api
    taking = {name for name in api.description.operations if api.description.body_schema(name)}
    same(sorted(taking - api.bodies), [])
    same(api.accepted, [])


@fact
def nothing_is_open_to_a_stranger_but_what_says_so():
    same(world().let_in, [])


if __name__ == "__main__":
    sys.exit(main())
