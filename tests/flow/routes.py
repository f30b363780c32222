# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules and receptions, as tests of routing have them. Test files import it; it is no test itself."""
from faxd import same, wait_for

ROUTES = "/v1/routes/inbound"
LABEL = [{"type": "inbox", "labels": ["seen"]}]


def rule(server, methods=None, **more):
    reply = server.ask("POST", ROUTES, {"methods": methods or LABEL, **more})
    if reply.status != 201:
        raise AssertionError(f"{reply.status} {reply.body!r}")
    same(reply.headers["Location"], f"{ROUTES}/{reply.json['id']}")
    return reply.json["id"]


def call(server, to, caller="1001", **more):
    """A fax from a line to another; what was received."""
    for number in ("1001", "1002", "1003"):
        server.ask("PATCH", f"/v1/lines/exchange/{number}", {"send_enabled": number == caller})
    count = len(server.inbound())
    same(server.wait_state(server.send(to, **more))["status"], "delivered")
    return wait_for(lambda: [f["id"] for f in server.inbound()[count:] if f["status"] not in ("ringing", "receiving")],
                    "a received fax")[0]


def at_rest(server, fax, *statuses):
    """The fax as soon as it is in one of these."""
    return wait_for(lambda: (f := server.fax(fax))["status"] in statuses and f, f"{fax} to be {statuses}")
