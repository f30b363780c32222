#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports, the dashboard and the state of the system, asked of the whole server. Prints TAP."""
import csv
import datetime
import io
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, PAGES, Script, exchange, fact, main, same, started, wait_for, within  # noqa: E402

GROUPS = ("day", "hour", "destination", "user", "provider", "error")


def report(server, group, query=""):
    return server.get(f"/v1/reports/usage?group_by={group}{query}")


def sums(rows):
    return {name: sum(row[name] for row in rows) for name in ("sent", "delivered", "failed", "received", "pages_sent",
                                                              "pages_received")}


def alarms(server):
    return {(alarm["code"], alarm["object"]) for alarm in server.get("/v1/dashboard")["alarms"]}


@fact
def what_was_sent_and_received_is_counted_however_it_is_grouped():
    server = started(FAST_RETRIES + exchange())
    for number in ("1002", "1003"):
        same(server.wait_state(server.send(number, PAGES[1]))["status"], "delivered")
    same(server.wait_state(server.send("2999"))["status"], "failed")
    fax = server.send("1002", hold=True)
    server.ask("POST", f"/v1/faxes/{fax}/cancel")
    server.wait_state(fax)
    server.settled_inbound(2)
    want = {"sent": 4, "delivered": 2, "failed": 1, "received": 2, "pages_sent": 2, "pages_received": 2}
    for group in ("day", "hour", "user", "provider"):
        same((group, sums(report(server, group)["data"])), (group, want))
    same([(row["key"], row["failed"]) for row in report(server, "error")["data"]], [("bad_address", 1)])
    same({row["key"]: (row["sent"], row["delivered"]) for row in report(server, "destination")["data"]},
         {"1002": (2, 1), "1003": (1, 1), "2999": (1, 0)})
    provider = {row["key"]: row for row in report(server, "provider")["data"]}
    same({key: row["sent"] for key, row in provider.items()}, {"exchange": 3, None: 1})
    assert provider["exchange"]["call_s"] > 0
    # What is deleted stays counted, but for the numbers that nobody knows any more.
    same(server.ask("DELETE", f"/v1/faxes/{fax}?record=true").status, 204)
    same(sums(report(server, "day")["data"]), want)
    server.kill()
    server.start()
    same(sums(report(server, "day")["data"]), want)


@fact
def a_report_is_also_a_table():
    server = started(FAST_RETRIES + exchange())
    server.wait_state(server.send("1002"))
    server.settled_inbound(1)
    for group in GROUPS:
        reply = server.ask("GET", f"/v1/reports/usage?group_by={group}", headers={"Accept": "text/csv"})
        same((group, reply.status, reply.headers["Content-Type"]), (group, 200, "text/csv; charset=utf-8"))
        rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
        same((group, [int(row["sent"]) for row in rows]), (group, [row["sent"] for row in report(server, group)["data"]]))
        same(list(rows[0] if rows else {group: 0})[0], group)
    server.wait_state(server.send("+12025550100"))
    reply = server.ask("GET", "/v1/reports/usage?group_by=destination", headers={"Accept": "text/csv"})
    within(b"\r\n+12025550100,", reply.body)  # a number, and no formula


@fact
def a_range_is_kept_to_and_checked():
    server = started(FAST_RETRIES + exchange())
    server.wait_state(server.send("1002"))
    now = datetime.datetime.now(datetime.timezone.utc)

    def at(hours):
        return (now + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")

    for group in GROUPS[:3]:
        same(sums(report(server, group, f"&from={at(-30)}&to={at(-2)}")["data"])["sent"], 0)
        same(sums(report(server, group, f"&from={at(-3)}&to={at(1)}")["data"])["sent"], 1)
    for query in ("group_by=month", "from=x", f"from={at(1)}&to={at(-1)}", f"group_by=hour&from={at(-24 * 70)}",
                  "from=1990-01-01T00:00:00Z", "what=x"):
        reply = server.ask("GET", "/v1/reports/usage?" + query)
        same((query, reply.status, reply.json["code"]), (query, 400, "invalid_parameter"))


@fact
def the_dashboard_shows_lines_queue_and_today():
    server = started(FAST_RETRIES + exchange(lines=("1001", ("1002", "send = false"))))
    same(server.wait_state(server.send("1002"))["status"], "delivered")
    same(server.wait_state(server.send("2999"))["status"], "failed")
    server.settled_inbound(1)
    held = server.send("1002", hold=True)
    server.wait_state(held, "held")
    server.send("1002", not_before="2099-01-01T00:00:00Z")
    wait_for(lambda: server.get("/v1/dashboard")["queue"]["scheduled"], "the fax to be scheduled")
    same(server.ask("PATCH", "/v1/lines/exchange/1001", {"send_enabled": False}).status, 200)
    server.wait_state(server.send("1002"), "queued")
    seen = wait_for(lambda: (lambda got: got if got["lines"]["busy"] == 0 else None)(server.get("/v1/dashboard")), "idle lines")
    same((seen["lines"]["total"], seen["lines"]["idle"]), (2, 2))
    same({name: seen["queue"][name] for name in ("preparing", "held", "scheduled", "queued", "sending", "receiving")},
         {"preparing": 0, "held": 1, "scheduled": 1, "queued": 1, "sending": 0, "receiving": 0})
    same(sum(age["count"] for age in seen["queue"]["ages"]), 1)
    same((seen["today"]["totals"]["sent"], seen["today"]["totals"]["delivered"], seen["today"]["totals"]["received"]), (2, 1, 1))
    same(seen["today"]["errors"], [{"code": "bad_address", "count": 1}])
    same(seen["alarms"], [])
    server.kill_all()
    server.process.wait()
    server.process.stdout.close()
    server.configure(FAST_RETRIES + exchange(lines=(("1001", "send = false"), ("1002", "send = false"))))
    server.start()
    wait_for(lambda: server.get("/v1/dashboard")["queue"]["queued"] == 1, "the queue to be counted")
    wait_for(lambda: sum(age["count"] for age in server.get("/v1/dashboard")["queue"]["ages"]) == 1, "its ages")


@fact
def alarms_tell_what_a_person_has_to_see_to():
    with Script() as script:
        script.write("trunks", {"trunks": [{"name": "main", "state": "up"}]})
        server = started("store { min_free_mib = 1000000000 }\n" + script.provider() +
                         'provider "broken" {\n module = "/nowhere.so"\n line "1" {}\n}\n')
        wait_for(lambda: ("provider_down", "broken") in alarms(server), "the provider")
        within(("storage_low", None), alarms(server))
        for alarm in server.get("/v1/dashboard")["alarms"]:
            same((alarm["severity"], bool(alarm["message"])), ("critical", True))


@fact
def the_system_tells_its_version_disk_and_last_words():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002")
    server.wait_state(fax)
    server.settled_inbound(1)
    seen = wait_for(lambda: (lambda got: got if got["counts"]["documents"] else None)(server.get("/v1/system")), "counts")
    same((seen["counts"]["faxes_outbound"], seen["counts"]["faxes_inbound"], seen["encrypted"]), (1, 1, False))
    same(seen["version"], server.get("/health/live")["version"])
    assert 0 < seen["disk"]["free_bytes"] <= seen["disk"]["total_bytes"]
    assert seen["store"]["documents_bytes"] > 0 and seen["store"]["database_bytes"] > 0 and seen["uptime_s"] >= 0
    same(seen["health"]["status"], "ok")
    lines = server.get("/v1/system/log?lines=2000")["data"]
    same(lines, [line for line in server.log().splitlines() if " faxd: " in line][:len(lines)])
    within(fax, "\n".join(lines))
    same(len(server.get("/v1/system/log?lines=3")["data"]), 3)
    same(server.ask("GET", "/v1/system/log?lines=2001").status, 400)
    for path in ("/v1/system", "/v1/system/log"):
        same(server.ask("GET", path, key=server.key_with("fax:read")).status, 403)


if __name__ == "__main__":
    sys.exit(main())
