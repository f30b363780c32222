#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Webhooks of the whole server: who is told, how often, and who is not. Prints TAP."""
import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, Receiver, exchange, fact, main, running, same, signed_by, started, wait_for, within  # noqa: E402


def endpoint(server, url, **more):
    reply = server.ask("POST", "/v1/webhook-endpoints", {"url": url, **more})
    same(reply.status, 201)
    return reply.json


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def deliveries(server, hook):
    return server.get(f"/v1/webhook-endpoints/{hook['id']}/deliveries")["data"]


def with_receiver(answers=None):
    """Decorate a fact that takes a receiver."""
    def wrap(function):
        def run():
            receiver = Receiver(answers)
            try:
                function(receiver)
            finally:
                receiver.close()
        run.__name__ = function.__name__
        return fact(run)
    return wrap


@with_receiver()
def each_event_comes_once_signed_and_in_an_order_that_can_be_told(receiver):
    server = started(FAST_RETRIES + exchange())
    hook = endpoint(server, receiver.url + "/all")
    fax = server.send("1002")
    same(server.wait_state(fax)["status"], "delivered")
    server.settled_inbound(1)
    wait_for(lambda: {"fax.delivered", "inbound.received"} <= {e["type"] for e in receiver.events("/all")}, "both ends")
    wait_for(lambda: all(d["status"] == "delivered" for d in deliveries(server, hook)), "all deliveries to be through")
    events = receiver.events("/all")
    sequences = [e["sequence"] for e in events]
    same(len(set(sequences)), len(sequences))
    mine = [e["type"] for e in sorted(events, key=lambda e: e["sequence"]) if e["data"].get("id") == fax]
    same([t for t in mine if t in ("fax.accepted", "fax.dialing", "fax.connected", "fax.delivered")],
         ["fax.accepted", "fax.dialing", "fax.connected", "fax.delivered"])
    ids = {headers["webhook-id"] for _, headers, _ in receiver.got}
    same(len(ids), len(events))
    for _, headers, body in receiver.got:
        same(signed_by(hook["secret"], headers, body), True)
        same(signed_by("whsec_" + "A" * 32, headers, body), False)


@with_receiver({"/some": [200]})
def an_endpoint_gets_what_it_asked_for(receiver):
    server = started(FAST_RETRIES + exchange())
    endpoint(server, receiver.url + "/some", events=["fax.delivered", "inbound.*"])
    same(server.wait_state(server.send("1002"))["status"], "delivered")
    wait_for(lambda: {"fax.delivered", "inbound.received"} <= {e["type"] for e in receiver.events("/some")}, "the events")
    same({e["type"].split(".")[0] for e in receiver.events("/some") if e["type"] != "fax.delivered"}, {"inbound"})


@with_receiver({"/flaky": [500, 503, 200]})
def a_delivery_is_repeated_under_the_same_id_also_across_a_restart(receiver):
    server = started(FAST_RETRIES + exchange())
    hook = endpoint(server, receiver.url + "/flaky", events=["fax.failed"])
    server.wait_state(server.send("2999"))
    wait_for(lambda: receiver.events("/flaky"), "the first try")
    wait_for(lambda: deliveries(server, hook)[0]["http_status"] == 500, "its result")
    server.kill()
    server.start()
    wait_for(lambda: len(receiver.events("/flaky")) == 2, "the second try", 60)
    same(len({headers["webhook-id"] for _, headers, _ in receiver.got}), 1)
    delivery = wait_for(lambda: [d for d in deliveries(server, hook) if d["tries"] == 2], "the second result")[0]
    same((delivery["status"], delivery["http_status"]), ("pending", 503))
    reply = server.ask("POST", f"/v1/webhook-endpoints/{hook['id']}/deliveries/{delivery['id']}/replay")
    same(reply.status, 202)
    wait_for(lambda: deliveries(server, hook)[0]["status"] == "delivered", "the replay", 60)
    same(len(receiver.events("/flaky")), 3)


@with_receiver({"/gone": [410], "/moved": [(302, {"Location": "/elsewhere"}, 0)]})
def gone_disables_and_redirects_are_not_followed(receiver):
    server = started(FAST_RETRIES + exchange())
    gone = endpoint(server, receiver.url + "/gone", events=["fax.failed"])
    moved = endpoint(server, receiver.url + "/moved", events=["fax.failed"])
    server.wait_state(server.send("2999"))
    wait_for(lambda: deliveries(server, moved)[0]["http_status"] == 302, "the redirect")
    wait_for(lambda: not [e for e in server.get("/v1/webhook-endpoints")["data"]
                          if e["id"] == gone["id"]][0]["enabled"], "the endpoint to be disabled")
    same(receiver.events("/elsewhere"), [])
    within("webhook_endpoint.disabled", server.events())
    told = [e for e in server.get("/v1/events?limit=200")["data"] if e["type"] == "webhook_endpoint.disabled"]
    same([e["data"] for e in told], [{"id": gone["id"], "reason": "it answered 410 Gone"}])  # and not its URL
    server.wait_state(server.send("2998"))
    same(len(receiver.events("/gone")), 1)


@with_receiver({"/huge": [(200, {}, 1 << 20)], "/cut": ["cut"], "/later": [(503, {"Retry-After": "99999999999"}, 0)],
                "/soon": [(503, {"Retry-After": "7200"}, 0)]})
def what_an_endpoint_answers_is_bounded_and_heard(receiver):
    server = started(FAST_RETRIES + exchange())
    hooks = {path: endpoint(server, receiver.url + "/" + path, events=["fax.failed"])
             for path in ("huge", "cut", "later", "soon")}
    server.wait_state(server.send("2999"))
    ended = wait_for(lambda: (lambda all_of: all_of if all(d["tries"] == 1 for d in all_of.values()) else None)(
        {path: deliveries(server, hook)[0] for path, hook in hooks.items()}), "the first tries")
    same((ended["huge"]["status"], ended["huge"]["http_status"]), ("delivered", 200))
    same((ended["cut"]["status"], ended["cut"]["http_status"]), ("pending", None))
    for path, seconds in (("later", 86400), ("soon", 7200)):
        wait = (at(ended[path]["next_at"]) - at(ended[path]["tried_at"])).total_seconds()
        same((path, seconds <= wait <= seconds * 1.11), (path, True))


@with_receiver()
def private_addresses_are_refused_unless_the_operator_says_so(receiver):
    server = started(exchange())
    for url in (receiver.url, "http://localhost/x", "http://10.1.2.3/", "http://[::1]:80/", "http://169.254.169.254/latest"):
        reply = server.ask("POST", "/v1/webhook-endpoints", {"url": url})
        same((url, reply.status, reply.codes()), (url, 422, {("/url", "private_address")}))
    running.pop().stop()
    # What the configuration names is the operator's own word, and still has to be allowed to be called.
    server = started(f'webhook "w" {{ url = "{receiver.url}/own" }}\n' + exchange())
    server.wait_state(server.send("2999"))
    hook = server.get("/v1/webhook-endpoints")["data"][0]
    delivery = wait_for(lambda: [d for d in deliveries(server, hook) if d["tries"] > 0], "a try")[0]
    within("private", delivery["error"])
    same(receiver.events("/own"), [])


if __name__ == "__main__":
    sys.exit(main())
