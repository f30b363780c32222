#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The audit log of the whole server: who sent, saw, downloaded, purged and changed. Prints TAP."""
import csv
import datetime
import hashlib
import io
import json
import os
import signal
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, exchange, fact, main, running, same, started, wait_for, within  # noqa: E402

KINDS = {"server": 0, "key": 1, "user": 2, "unknown": 3}


def log(server, **filters):
    """The entries, oldest first."""
    query = "&".join(f"{name}={value}" for name, value in ({"limit": 1000} | filters).items())
    return server.get("/v1/audit-log?" + query)["data"][::-1]


def actions(server, **filters):
    return [entry["action"] for entry in log(server, **filters)]


def told(server, action, **filters):
    return [e for e in log(server, action=action, **filters)]


def verified(server):
    return server.get("/v1/audit-log/verify")


def store(server):
    return sqlite3.connect(os.path.join(server.state, "faxd.db"), timeout=30)


def chain(server):
    """Hash all entries as the description of the API says, from what it shows; the number of entries."""
    previous = None
    entries = sorted(log(server), key=lambda entry: entry["sequence"])
    for entry in entries:
        at = datetime.datetime.fromisoformat(entry["at"].replace("Z", "+00:00"))
        ms = round(at.timestamp() * 1000)
        fields = [entry["sequence"], ms, KINDS[entry["actor"]["kind"]], entry["actor"]["id"] or "",
                  entry["actor"]["name"] or "", entry["address"] or "", entry["action"], entry["object"] or "",
                  json.dumps(entry["detail"], separators=(",", ":"), ensure_ascii=False)]
        octets = bytes.fromhex(previous) if previous else bytes(32)
        for field in fields:
            field = str(field).encode()
            octets += len(field).to_bytes(8, "big") + field
        same(entry["previous"], previous)
        same((entry["sequence"], hashlib.sha256(octets).hexdigest()), (entry["sequence"], entry["hash"]))
        previous = entry["hash"]
    return len(entries)


@fact
def what_is_done_and_seen_is_told_with_who_and_from_where():
    server = started(FAST_RETRIES + exchange())
    admin = server.get("/v1/api-keys")["data"][0]["id"]
    fax = server.send("1002")
    server.wait_state(fax)
    received = server.settled_inbound(1)[0]["id"]
    reader = server.ask("POST", "/v1/api-keys", {"name": "reader", "scopes": ["document:read"]}).json
    for path in (f"{fax}/document", f"{received}/document?format=tiff&copy=as_sent", f"{received}/document?format=tiff"):
        same(server.ask("GET", "/v1/faxes/" + path, key=reader["token"]).status, 200)
    for path in ("pages/1?w=300", "pages/1?w=400", "thumbnail", "pages/1?w=300"):
        same(server.ask("GET", f"/v1/faxes/{fax}/{path}", key=reader["token"]).status, 200)
    same(server.ask("GET", f"/v1/faxes/{fax}/thumbnail").status, 200)  # another requester
    same(server.ask("PATCH", "/v1/lines/exchange/1001", {"send_enabled": False}).status, 200)
    same(server.ask("DELETE", f"/v1/faxes/{fax}?record=true").status, 204)
    same(server.ask("DELETE", f"/v1/api-keys/{reader['id']}").status, 204)
    mine = [(e["actor"]["id"], e["action"], e["object"]) for e in log(server) if e["actor"]["kind"] == "key"]
    same(mine, [(admin, "fax.sent", fax), (admin, "key.created", reader["id"]),
                (reader["id"], "document.downloaded", fax), (reader["id"], "document.downloaded", received),
                (reader["id"], "document.downloaded", received), (reader["id"], "fax.viewed", fax),
                (admin, "fax.viewed", fax), (admin, "line.changed", "exchange/1001"), (admin, "fax.purged", fax),
                (admin, "key.revoked", reader["id"])])
    same({e["address"] for e in log(server) if e["actor"]["kind"] == "key"}, {"127.0.0.1"})
    details = {e["action"]: e["detail"] for e in log(server) if e["actor"]["kind"] == "key"}
    same((details["fax.sent"]["to"], details["line.changed"]["changed"], details["fax.purged"]["query"]),
         ("1002", {"send_enabled": False}, {"record": "true"}))
    within("copy", [e["detail"].get("query", {}) for e in told(server, "document.downloaded")][1])
    same(server.ask("GET", "/v1/audit-log?limit=1").json["data"][0]["action"], "audit.viewed")  # the last but this


@fact
def what_fails_is_not_told_as_done():
    server = started(exchange())
    fax = server.send("1002")
    for method, path, body in (("POST", "/v1/faxes", {"to": "1002"}), ("POST", "/v1/faxes/fax_0/cancel", None),
                               ("GET", f"/v1/faxes/{fax}/pages/99", None), ("PATCH", "/v1/lines/none", {}),
                               ("DELETE", "/v1/api-keys/key_0", None)):
        assert server.ask(method, path, body).status >= 400
    first = server.ask("POST", f"/v1/faxes/{fax}/hold", headers={"Idempotency-Key": "k"})
    again = server.ask("POST", f"/v1/faxes/{fax}/hold", headers={"Idempotency-Key": "k"})
    same((first.status, again.status), (first.status, first.status))
    assert first.status in (200, 409)  # it may be in its call
    same(actions(server, actor=server.get("/v1/api-keys")["data"][0]["id"]).count("fax.held"), int(first.status == 200))
    same([e["object"] for e in log(server, action="fax.sent")], [fax])
    same(actions(server, action="key.revoked"), [])


@fact
def refused_keys_and_rights_are_told_and_no_token_ever():
    server = started(exchange())
    wrong = "fxk_live_" + "w" * 32
    weak = server.key_with("fax:read")
    same(server.ask("GET", "/v1/faxes", key=wrong).status, 401)
    same(server.ask("GET", "/v1/api-keys", key=weak).status, 403)
    same(server.ask("POST", "/v1/faxes/fax_x/cancel", key=weak).status, 403)
    same([(e["actor"]["kind"], e["object"], e["detail"]["status"], e["detail"]["method"], e["detail"]["path"])
          for e in told(server, "access.refused")],
         [("unknown", None, 401, "GET", "/v1/faxes"), ("key", None, 403, "GET", "/v1/api-keys"),
          ("key", "fax_x", 403, "POST", "/v1/faxes/{id}/cancel")])
    for _ in range(40):
        server.ask("GET", "/v1/faxes", key=wrong)
    assert 30 <= len(told(server, "access.refused")) <= 60  # a minute may have ended meanwhile
    hook = server.ask("POST", "/v1/webhook-endpoints", {"url": "http://8.8.8.8/"})
    same(hook.status, 201)
    server.ask("PATCH", f"/v1/webhook-endpoints/{hook.json['id']}", {"url": "http://8.8.8.8/token", "enabled": False})
    same(told(server, "webhook.changed")[0]["detail"]["changed"], {"url": "...", "enabled": False})
    text = json.dumps(log(server)) + server.ask("GET", "/v1/audit-log?limit=1000", headers={"Accept": "text/csv"}).body.decode()
    for secret in (wrong, weak, server.key, hook.json["secret"], "8.8.8.8"):
        same((secret, secret in text), (secret, False))


@fact
def the_server_tells_what_it_does_by_itself():
    server = started("retention { outbound_documents = 1 }\n" + exchange())
    fax = server.send("1002")
    server.wait_state(fax)
    same(server.end(), 0)
    with store(server) as rows:  # two days ago
        rows.execute("UPDATE fax SET ended_at = ended_at - 172800000 WHERE public_id = ?", (fax,))
    server.start()
    wait_for(lambda: server.fax(fax)["documents_purged_at"], "the documents to be purged")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: told(server, "config.reloaded"), "the reload")
    server.configure("nonsense {\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: told(server, "config.refused"), "the refusal")
    same(actions(server, actor="server"), ["key.created", "server.started", "server.stopped", "server.started",
                                           "fax.purged", "config.reloaded", "config.refused"])
    purged = told(server, "fax.purged")[0]
    same((purged["object"], purged["detail"]), (fax, {"after_days": 1, "record": False}))


@fact
def the_chain_holds_and_can_be_followed_from_outside():
    server = started(exchange())
    for _ in range(3):
        server.send("1002")
    count = chain(server)
    told_by_server = verified(server)
    same((told_by_server["ok"], told_by_server["broken"]), (True, None))
    assert told_by_server["entries"] >= count >= 5
    same(told_by_server["head"]["sequence"], told_by_server["entries"])


@fact
def a_row_that_was_changed_behind_the_server_is_named():
    server = started(exchange())
    for _ in range(4):
        server.send("1002")
    victim = told(server, "fax.sent")[1]["sequence"]
    with store(server) as rows:
        try:
            rows.execute("UPDATE audit SET object = 'fax_other' WHERE sequence = ?", (victim,))
            raise AssertionError("the table took a change")
        except sqlite3.IntegrityError as refusal:
            within("append-only", str(refusal))
        rows.execute("DROP TRIGGER audit_no_update")
        rows.execute("UPDATE audit SET object = 'fax_other' WHERE sequence = ?", (victim,))
    found = verified(server)
    same((found["ok"], found["broken"], found["entries"]),
         (False, {"sequence": victim, "reason": "changed"}, victim - 1))
    within(f"entry {victim} changed", server.log())
    with store(server) as rows:
        rows.execute("DROP TRIGGER audit_no_delete")
        rows.execute("DELETE FROM audit WHERE sequence = ?", (victim,))
    same(verified(server)["broken"], {"sequence": victim, "reason": "missing"})
    server.send("1002")  # and the server goes on
    same(server.get("/v1/audit-log?action=fax.sent&limit=1")["data"][0]["sequence"] > victim, True)


@fact
def a_crash_leaves_an_entry_for_each_fax_and_a_whole_chain():
    server = started(FAST_RETRIES + exchange())
    sent = []
    for _ in range(3):
        sent += [server.send("1002", hold=True) for _ in range(4)]
        server.kill()
        server.start()
    same([e["object"] for e in told(server, "fax.sent")], sent)
    same(verified(server)["ok"], True)
    chain(server)
    same(actions(server, actor="server").count("server.stopped"), 0)


@fact
def the_log_is_filtered_paged_and_exported():
    server = started(exchange())
    faxes = [server.send("1002", hold=True) for _ in range(5)]
    for fax in faxes[:2]:
        same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    same([e["action"] for e in log(server, object=faxes[0])], ["fax.sent", "fax.canceled"])
    same(len(log(server, action="fax.*")), 7)
    got, path = [], "/v1/audit-log?action=fax.*&limit=2"
    while path:
        reply = server.ask("GET", path)
        got += [e["sequence"] for e in reply.json["data"]]
        path = reply.headers["Link"].split(">")[0][1:] if reply.json["has_more"] else None
    same(got, [e["sequence"] for e in log(server, action="fax.*")][::-1])
    middle = log(server, action="fax.sent")[2]["at"]
    same(len(log(server, action="fax.sent", **{"from": middle})) + len(log(server, action="fax.sent", to=middle)), 5)
    reply = server.ask("GET", "/v1/audit-log?action=fax.sent&limit=10000", headers={"Accept": "text/csv"})
    same((reply.status, reply.headers["Content-Type"]), (200, "text/csv; charset=utf-8"))
    rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
    same([row["object"] for row in rows], faxes[::-1])
    same({row["hash"] for row in rows}, {e["hash"] for e in log(server, action="fax.sent")})
    same(json.loads(rows[0]["detail"])["to"], "1002")
    # Who opens it in a spreadsheet meets no formula.
    reply = server.ask("POST", "/v1/api-keys", {"name": "=1+1", "scopes": ["fax:send"]})
    server.submit("+12025550100", hold=True, key=reply.json["token"])
    table = server.ask("GET", "/v1/audit-log?action=fax.sent&limit=1", headers={"Accept": "text/csv"}).body.decode()
    same([row["actor_name"] for row in csv.DictReader(io.StringIO(table))], ["'=1+1"])
    for query, code in (("limit=1001", "invalid_parameter"), ("cursor=x", "invalid_parameter"), ("from=x", "invalid_parameter"),
                        ("what=x", "invalid_parameter")):
        reply = server.ask("GET", "/v1/audit-log?" + query)
        same((query, reply.status, reply.json["code"]), (query, 400, code))
    same(server.ask("GET", "/v1/audit-log", key=server.key_with("config:*")).status, 403)
    same(server.ask("GET", "/v1/audit-log/verify", key=server.key_with("config:*")).status, 403)


if __name__ == "__main__":
    sys.exit(main())
