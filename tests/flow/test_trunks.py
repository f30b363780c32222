#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Trunks of a provider: how they are shown and told, lines that wait for them, tests, and what SIP said in a call.
Prints TAP."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, Receiver, Script, fact, main, same, started, wait_for, within  # noqa: E402

NO_TRUNK = {"lines": "unavailable", "lines_reason": "no trunk is up"}
TESTED = {"at_ms": 1795222800000, "ok": True, "status": 200, "reason": "OK", "rtt_ms": 3}
FAILED = {"at_ms": 1795222801000, "ok": False, "status": 0, "reason": "no answer"}
SENT = {"mode": "audio", "final_confirmed": True}


def trunks(state, last_test=None, **more):
    return {"trunks": [{"name": "office", "state": state, "reason": "because", "since_ms": 1795222800000, "calls": 1,
                        "calls_total": 40, "failures_total": 3, "last_test": last_test}], **more}


def office(server):
    return server.get("/v1/trunks/pbx/office")


def change(server, script, wanted):
    """The provider says that its trunks are another way."""
    script.write("trunks.next", wanted)
    server.wait_state(server.send("*9"))


def told(server):
    return [e for e in server.get("/v1/events?limit=1000")["data"] if e["type"].startswith("trunk.")]


def with_script(function):
    def run():
        with Script() as script:
            function(script)
    run.__name__ = function.__name__
    return fact(run)


@with_script
def trunks_are_shown_with_their_state(script):
    script.write("trunks", trunks("up", last_test=TESTED))
    server = started(FAST_RETRIES + script.provider())
    trunk = server.get("/v1/trunks")["data"]
    same(trunk, [{"id": "pbx/office", "provider": "pbx", "name": "office", "state": "up", "reason": "because",
                  "since": "2026-11-21T01:00:00.000Z", "kind": None, "registrar": None, "calls": 1, "calls_total": 40,
                  "failures_total": 3, "last_test": {"at": "2026-11-21T01:00:00.000Z", "ok": True, "status": 200,
                                                     "reason": "OK", "rtt_ms": 3}}])
    same(office(server), trunk[0])
    for path in ("/v1/trunks/pbx/other", "/v1/trunks/other/office"):
        same(server.ask("GET", path).status, 404)
        same(server.ask("POST", path + "/test").status, 404)
    same(server.ask("GET", "/v1/trunks?x=1").status, 400)
    reader = server.key_with("fax:read")
    same([server.ask(*order, key=reader).status for order in (("GET", "/v1/trunks"), ("GET", "/v1/trunks/pbx/office"),
                                                              ("POST", "/v1/trunks/pbx/office/test"))], [403] * 3)
    metrics = server.ask("GET", "/metrics").body.decode()
    for line in ('faxd_trunk_up{provider="pbx",trunk="office"} 1', 'faxd_trunk_calls{provider="pbx",trunk="office"} 1',
                 'faxd_trunk_calls_total{provider="pbx",trunk="office"} 40',
                 'faxd_trunk_failures_total{provider="pbx",trunk="office"} 3'):
        within(line + "\n", metrics)
    same(told(server), [])


@with_script
def a_trunk_that_goes_down_and_comes_back_is_told(script):
    script.write("trunks", trunks("up"))
    receiver = Receiver()
    try:
        server = started(FAST_RETRIES + script.provider())
        hook = {"url": receiver.url + "/hook", "events": ["trunk.*"]}
        same(server.ask("POST", "/v1/webhook-endpoints", hook).status, 201)
        change(server, script, trunks("down"))
        wait_for(lambda: receiver.events("/hook"), "trunk.down")
        within('faxd_trunk_up{provider="pbx",trunk="office"} 0\n', server.ask("GET", "/metrics").body.decode())
        change(server, script, trunks("registering"))
        change(server, script, trunks("up"))
        wait_for(lambda: len(receiver.events("/hook")) == 2, "trunk.up")
        same([(e["type"], e["data"]) for e in receiver.events("/hook")],
             [(f"trunk.{state}", {"provider": "pbx", "trunk": "office", "state": state, "reason": "because",
                                  "since": "2026-11-21T01:00:00.000Z"}) for state in ("down", "up")])
        same(server.ask("GET", "/health/ready").json["status"], "ok")
    finally:
        receiver.close()


@with_script
def a_restart_of_faxd_finds_the_trunks_as_they_are(script):
    script.write("trunks", trunks("down"))
    server = started(FAST_RETRIES + script.provider())
    same([e["type"] for e in told(server)], ["trunk.down"])
    for end in (server.kill, server.end):  # its host is adopted, and started anew
        end()
        server.start()
        same(office(server)["state"], "down")
    same([e["type"] for e in told(server)], ["trunk.down"])


@with_script
def a_provider_that_dies_has_no_trunk_up(script):
    script.write("trunks", trunks("up"))
    server = started(FAST_RETRIES + script.provider())
    os.kill(server.pids("faxd-fsp")[0], signal.SIGKILL)
    wait_for(lambda: server.get("/v1/providers")["data"][0]["restarts"] == 1, "the host to be started again")
    wait_for(lambda: office(server)["state"] == "up", "the trunk to be up again")
    within("host is gone", server.log())


@with_script
def lines_wait_while_no_trunk_is_up(script):
    script.write("trunks", trunks("down", **NO_TRUNK))
    script.write("5551", SENT)
    server = started(FAST_RETRIES + script.provider())
    same([(line["state"], line["reason"]) for line in server.get("/v1/lines")["data"]],
         [("unavailable", "no trunk is up")] * 2)
    within('faxd_lines{state="unavailable"} 2\n', server.ask("GET", "/metrics").body.decode())
    faxes = [server.send("5551") for _ in range(3)]
    for one in faxes:
        server.wait_state(one, "queued")
    script.write("trunks.tested", trunks("up", last_test=TESTED))
    same(server.ask("POST", "/v1/trunks/pbx/office/test").status, 202)
    for one in faxes:
        ended = server.wait_state(one)
        same((ended["status"], ended["calls"]), ("delivered", 1))  # nobody tried while there was no way
    same([(line["state"], line["reason"]) for line in server.get("/v1/lines")["data"]], [("idle", None)] * 2)


@with_script
def an_answer_that_makes_no_sense_is_dropped(script):
    script.write("trunks", trunks("up"))
    server = started(FAST_RETRIES + script.provider())
    for wrong, fault in (("nonsense", "FaxdProviderAsk gave what is no JSON object"),
                         ('{"trunks":[{"name":"office","state":"down"},5]}', "a trunk has no name that can be shown"),
                         ('{"trunks":7}', '"trunks" is not a list')):
        change(server, script, wrong)
        wait_for(lambda text=fault: text in server.log(), fault)
        same(office(server)["state"], "up")


@with_script
def fax_trunk_lists_and_tests(script):
    script.write("trunks", trunks("up"))
    server = started(FAST_RETRIES + script.provider())
    code, out, _ = server.command("trunk", "list")
    same((code, out.splitlines()[1].split()[:2]), (0, ["pbx/office", "up"]))
    script.write("trunks.tested", trunks("up", last_test=TESTED))
    same(server.command("trunk", "test", "office"), (0, "pbx/office: ok 200 OK, 3 ms\n", ""))
    script.write("trunks.tested", trunks("down", last_test=FAILED))
    same(server.command("trunk", "test", "pbx/office"), (1, "pbx/office: failed: no answer\n", ""))
    code, out, err = server.command("trunk", "test", "nowhere")
    same((code, out), (1, ""))
    within("there is no trunk nowhere", err)
    script.write("trunks.tested", trunks("up", last_test=TESTED))
    code, out, _ = server.command("trunk", "test", "office", "--json")
    same(code, 0)
    within('"rtt_ms":3', out.replace(" ", ""))


@with_script
def what_sip_said_is_shown_with_the_call(script):
    invite = "INVITE sip:5551@pbx SIP/2.0\r\nCall-ID: abc\r\n\r\nv=0\r\nm=audio 4000 RTP/AVP 0\r\n"
    loss = {"expected": 100, "lost": 1, "recovered": 1, "late": 0, "refused": 0}
    script.write("5551", {"outcome": "busy", "mode": "audio", "codec": "PCMU", "trunk": "office", "call_id": "abc",
                          "sip_status": 486, "sip_reason": "Busy Here\u001b[2J", "q850": 17, "packet_loss": loss,
                          "frames": [{"at_ms": 1200, "dir": "received", "name": "DIS", "hex": "ff1380"}],
                          "frames_omitted": 4,
                          "sip": [{"at_ms": -120, "dir": "sent", "text": invite},
                                  {"at_ms": 1500, "dir": "received", "text": "SIP/2.0 486 Busy Here\r\n\r\n"}]})
    server = started(FAST_RETRIES + script.provider())
    one = server.send("5551", retry={"max_attempts": 1})
    ended = server.wait_state(one)
    same((ended["status"], ended["error"]["code"], ended["error"]["sip"], ended["error"]["q850"]),
         ("failed", "busy", 486, 17))
    attempt = server.attempts(one)[0]
    same({key: attempt[key] for key in ("trunk", "call_id", "sip_status", "q850", "codec", "t38_version",
                                        "packet_loss")},
         {"trunk": "office", "call_id": "abc", "sip_status": 486, "q850": 17, "codec": "PCMU", "t38_version": None,
          "packet_loss": loss})
    same(("sip" in attempt, "frames" in attempt), (False, False))
    trace = server.get(attempt["frames_link"])
    same((trace["sip"][0]["text"], len(trace["frames"]), trace["frames_omitted"], trace["call_id"]),
         (invite, 1, 4, "abc"))
    code, out, _ = server.command("trace", one)
    same(code, 0)
    same("\x1b" in out, False)
    at = [out.index(word) for word in ("Trunk: office", "SIP status: 486", "-0.120 sent     INVITE sip:5551@pbx",
                                       "    m=audio 4000", "1.200 received DIS  ff1380", "1.500 received SIP/2.0 486")]
    same(at, sorted(at))
    same(server.command("trace", one, "1")[1], out)
    same(server.command("trace", one, "2")[0], 1)
    out = server.command("show", one)[1].splitlines()[-1].split()
    same(out[-3:], ["audio", "office", "486"])


if __name__ == "__main__":
    sys.exit(main())
