#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a number's calls teach for its next one: T.38 or G.711. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, Script, fact, main, same, started, within  # noqa: E402

T38_FAILED = {"outcome": "training_failed", "mode": "t38", "t38_version": 0}
T38_SENT = {"mode": "t38", "t38_version": 0, "final_confirmed": True}
G711_FAILED = {"outcome": "carrier_lost", "mode": "audio", "codec": "PCMA"}
G711_SENT = {"mode": "audio", "codec": "PCMA", "final_confirmed": True}


def call(server, script, number, record):
    """One call that goes so; the transport that the provider was told."""
    script.write(number, record)
    server.wait_state(server.send(number, retry={"max_attempts": 1}))
    return script.options(number).get("transport", "auto")


@fact
def the_next_call_takes_what_has_not_failed():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        same([call(server, script, "5551", record) for record in (T38_FAILED, G711_SENT, G711_SENT)],
             ["auto", "g711", "g711"])
        same(call(server, script, "5552", G711_FAILED), "auto")  # another number knows nothing of it
        same(call(server, script, "5552", T38_SENT), "t38")
        same(call(server, script, "5551", G711_SENT), "g711")
        known = server.get("/v1/destinations/5551")
        same((known["number"], known["transport"], known["t38"], known["g711"], known["last_outcome"]),
             ("5551", "g711", {"ok": 0, "failed": 1}, {"ok": 3, "failed": 0}, "success"))


@fact
def a_retry_of_the_same_fax_already_takes_the_other_one():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        script.write("5551", T38_FAILED)
        one = server.wait_state(server.send("5551", retry={"max_attempts": 2}))
        same((one["status"], one["calls"]), ("failed", 2))
        same(script.options("5551")["transport"], "g711")


@fact
def a_number_that_takes_nothing_is_left_alone():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        told = [call(server, script, "5551", record) for record in (T38_FAILED, G711_FAILED) * 4]
        same(told[:2], ["auto", "g711"])
        same(told[-2:], ["auto", "auto"])
        known = server.get("/v1/destinations/5551")
        same((known["transport"], known["reason"]), ("auto", "neither T.38 nor G.711 has worked"))


@fact
def numbers_are_listed_and_forgotten():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        for number in ("+15550001", "5552", "5553"):
            call(server, script, number, T38_FAILED)
        page = server.get("/v1/destinations?limit=2")
        same(([d["number"] for d in page["data"]], page["has_more"]), (["5553", "5552"], True))
        rest = server.get("/v1/destinations?limit=2&cursor=" + page["next_cursor"])
        same(([d["number"] for d in rest["data"]], rest["has_more"]), (["+15550001"], False))
        for path in ("/v1/destinations?limit=0", "/v1/destinations?cursor=x", "/v1/destinations?q=1"):
            same((path, server.ask("GET", path).status), (path, 400))
        for path in ("+15550001", "%2B15550001", "+1555-0001"):
            same(server.get("/v1/destinations/" + path)["number"], "+15550001")
        reader = server.key_with("fax:read")
        same(server.ask("DELETE", "/v1/destinations/5552", key=reader).status, 403)
        same(server.ask("DELETE", "/v1/destinations/5552").status, 204)
        for method in ("GET", "DELETE"):
            for number in ("5552", "none"):
                same(server.ask(method, "/v1/destinations/" + number).status, 404)
        same(call(server, script, "5552", T38_FAILED), "auto")
        server.kill()  # what was learnt is on disk
        server.start()
        same(server.get("/v1/destinations/5553")["transport"], "g711")


@fact
def fax_destination_shows_and_forgets():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        call(server, script, "+15550001", T38_FAILED)
        code, out, _ = server.command("destination", "show", "+15550001")
        same(code, 0)
        within("Transport    g711", out)
        within("training_failed", out)
        same(server.command("destination", "list")[1].splitlines()[1].split()[:2], ["+15550001", "g711"])
        same(server.command("destination", "forget", "+15550001")[:2], (0, ""))
        same(server.command("destination", "show", "+15550001")[0], 1)
        same(server.command("destination", "forget", "+15550001")[0], 1)


if __name__ == "__main__":
    sys.exit(main())
