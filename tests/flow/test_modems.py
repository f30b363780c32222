#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines on fax modems, up to the moment where a fax would begin: what state they are in, what dialling leads to, who
rings. The modems are those of the bench, the server is the whole one. Prints TAP."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, exchange, fact, same, started, wait_for, within  # noqa: E402
from modem_lines import Bench, line, wait_line, wait_up  # noqa: E402
from together import main  # noqa: E402

SOON = "retry_min_s = 1\n retry_max_s = 2\n check_s = 1\n"
ONE_CALL = {"max_attempts": 1}


def server_on(bench, settings=SOON, lines="", extra=""):
    """A server whose modems are up."""
    return wait_up(started(FAST_RETRIES + bench.provider(settings, lines) + extra), bench)


def ended(server, to, **more):
    """A fax to a number, through its one call."""
    return server.wait_state(server.send(to, retry=ONE_CALL, **more))


def failed_with(server, to):
    fax = ended(server, to)
    return fax["status"], fax["error"] and fax["error"]["code"]


def told(server, kind):
    return [event["data"] for event in server.get("/v1/events?limit=1000")["data"] if event["type"] == kind]


# --- what a modem is ---

@fact
def a_modem_is_asked_what_it_is_and_shown_with_its_line():
    with Bench("2001", "2002") as bench:
        bench.say("make 2002 usr")
        server = server_on(bench, extra=exchange(lines=("1001",)))
        shown = line(server, "2001")
        same((shown["state"], shown["reason"], shown["device"]["path"], shown["device"]["last_test"]),
             ("idle", None, bench.device("2001"), None))
        within("U.S. Robotics 56K FAX EXT", line(server, "2002")["device"]["model"])
        same(server.get("/v1/lines/exchange/1001")["device"], None)
        within('faxd_device_up{line="modems/2001"} 1\n', server.ask("GET", "/metrics").body.decode())
        code, out, _ = server.command("line", "list")
        same((code, [row.split()[:4] for row in out.splitlines()[1:3]]),
             (0, [["modems/2001", "2001", "idle", bench.device("2001")],
                  ["modems/2002", "2002", "idle", bench.device("2002")]]))
        same(sorted(name for name in os.listdir(bench.folder) if name.startswith("LCK..pts_"))[1:] != [], True)


@fact
def fax_line_test_tells_what_was_asked_and_answered():
    with Bench("2001", "2002") as bench:
        bench.say("make 2001 usr")
        server = server_on(bench, "check_s = 0", extra=exchange(lines=("1001",)))
        code, out, err = server.command("line", "test", "modems/2001")
        same((code, err), (0, ""))
        for part in ("modems/2001: in order\n", "make:      US Robotics (usr)\n", "> ATI3\n< U.S. Robotics 56K FAX EXT",
                     "classes:   0,1,2.0\n", "receives:  24,48,72,73,74,96,97,98,121,122,145,146\n", "> AT&H1&R2\n< OK\n"):
            within(part, out)
        test = line(server, "2001")["device"]["last_test"]
        same((test["ok"], test["report"].splitlines()[0][:11]), (True, "device:    "))
        bench.say("fault 2002 hang on")
        code, out, _ = server.command("line", "test", "2002")
        same(code, 1)
        within("error:     no answer to AT at 115200 bit/s", out)
        same(wait_line(server, "2002", "faulty")["state"], "unavailable")
        # Who may ask, and of what.
        reader = server.key_with("fax:read")
        same(server.ask("POST", "/v1/lines/modems/2001/test", key=reader).status, 403)
        same(server.ask("POST", "/v1/lines/modems/2009/test").status, 404)
        reply = server.ask("POST", "/v1/lines/exchange/1001/test")
        same((reply.status, reply.json["code"]), (409, "no_device"))
        same(server.command("line", "test", "modems/2009")[0], 1)


@fact
def every_make_becomes_ready():
    makes = ("usr", "multitech", "conexant", "agere", "zoom", "spandsp", "old")
    numbers = [f"20{i:02}" for i in range(len(makes))]
    with Bench(*numbers) as bench:
        for number, make in zip(numbers, makes):
            bench.say(f"make {number} {make}")
        server = server_on(bench)
        for number, make in zip(numbers, makes):
            code, out, _ = server.command("line", "test", number)
            same((make, code), (make, 0))
            within("sends:     24,48,72,96\n" if make == "old" else f"({make})\n", out)


@fact
def a_modem_without_class_1_is_faulty_and_told_so_once():
    with Bench("2001", "2002", n5550="busy") as bench:
        bench.say("make 2001 data")
        server = started(FAST_RETRIES + bench.provider(SOON))
        faulty = wait_line(server, "2001", "faulty")
        same(faulty["state"], "unavailable")
        within("lass", faulty["reason"])
        wait_line(server, "2002", "up")
        same([(event["line"], event["state"]) for event in told(server, "channel.fault")], [("modems/2001", "faulty")])
        within("not in order", server.command("line", "test", "2001")[1])
        same(len(told(server, "channel.fault")), 1)
        same(failed_with(server, "5550"), ("failed", "busy"))  # the other line goes on


@fact
def noise_echo_and_slowness_do_no_harm():
    with Bench("2001", n5550="busy") as bench:
        bench.say("fault 2001 echo on")
        bench.say("fault 2001 slow 200")
        server = server_on(bench, "check_s = 0")
        bench.say("fault 2001 garbage 300")
        same(server.command("line", "test", "2001")[0], 0)
        same(failed_with(server, "5550"), ("failed", "busy"))


# --- coming and going ---

@fact
def a_modem_that_is_unplugged_comes_back_without_a_restart():
    with Bench("2001", n5550="busy") as bench:
        server = server_on(bench, "check_s = 0")
        bench.say("fault 2001 vanish")
        gone = wait_line(server, "2001", "down")
        same(gone["state"], "unavailable")
        waiting = server.send("5550", retry=ONE_CALL)
        server.wait_state(waiting, "queued")
        bench.say("fault 2001 return")
        wait_line(server, "2001", "up")
        done = server.wait_state(waiting)
        same((done["error"]["code"], done["calls"]), ("busy", 1))  # nobody tried while there was no modem
        same(told(server, "channel.fault"), [])
        same(server.get("/v1/providers")["data"][0]["restarts"], 0)


@fact
def a_modem_that_is_not_there_at_the_start_is_awaited():
    with Bench("2001") as bench:
        bench.say("fault 2001 vanish")
        wait_for(lambda: not os.path.lexists(bench.device("2001")), "the device to go")
        server = started(FAST_RETRIES + bench.provider())
        within("there is no device " + bench.device("2001"), wait_line(server, "2001", "down")["reason"] + " " +
               wait_for(lambda: "there is no device" in line(server, "2001")["reason"] and
                        line(server, "2001")["reason"], "the reason"))
        bench.say("fault 2001 return")
        wait_line(server, "2001", "up")


@fact
def a_modem_that_stops_answering_is_reset_then_faulty_then_back():
    with Bench("2001", n5550="busy") as bench:
        server = server_on(bench)
        bench.say("fault 2001 hang on")
        within("no answer to AT", wait_line(server, "2001", "faulty")["reason"])
        within("the modem does not answer and is reset", server.log())
        wait_for(lambda: len(told(server, "channel.fault")) == 1, "channel.fault")
        bench.say("fault 2001 hang off")
        wait_line(server, "2001", "up")
        same(failed_with(server, "5550"), ("failed", "busy"))
        same(len(told(server, "channel.fault")), 1)


@fact
def a_modem_that_another_program_has_is_left_to_it():
    with Bench("2001") as bench:
        with subprocess.Popen(["sleep", "600"]) as other:
            try:
                name = os.path.realpath(bench.device("2001")).removeprefix("/dev/").replace("/", "_")
                path = os.path.join(bench.folder, "LCK.." + name)
                with open(path, "w", encoding="ascii") as file:
                    file.write(f"{other.pid:10}\n")
                server = started(FAST_RETRIES + bench.provider())
                within(f"locked by process {other.pid} (sleep)",
                       wait_for(lambda: "locked" in (line(server, "2001")["reason"] or "") and
                                wait_line(server, "2001", "down")["reason"], "the lock to be seen"))
            finally:
                other.kill()
        wait_line(server, "2001", "up")  # its process is gone: the lock is stale
        with open(path, encoding="ascii") as file:
            same(int(file.read()), server.pids("faxd-fsp")[0])


# --- calling ---

@fact
def results_of_dialling_are_outcomes():
    with Bench("2001", "2002", "2003", "2004", n5550="busy", n5551="no_answer", n5552="reorder",
               n5554="silent") as bench:
        server = server_on(bench, "check_s = 0\n dial_timeout_s = 6")
        faxes = {to: server.send(to, retry=ONE_CALL) for to in ("5550", "5551", "5552", "5554")}
        got = {to: server.wait_state(fax)["error"]["code"] for to, fax in faxes.items()}
        same(got, {"5550": "busy", "5551": "no_answer", "5552": "busy", "5554": "no_answer"})
        same({server.attempts(fax)[0]["transport"]["mode"] for fax in faxes.values()}, {"class1"})


@fact
def a_line_without_dial_tone_says_so():
    with Bench("2001") as bench:
        server = server_on(bench, "check_s = 0")
        bench.say("fault 2001 no_dialtone on")
        same(failed_with(server, "5550"), ("failed", "no_dial_tone"))
        bench.say("fault 2001 no_dialtone off")
        bench.say("fault 2001 no_carrier_early on")
        same(failed_with(server, "5550"), ("failed", "no_answer"))  # too soon for anybody to have answered


@fact
def prefix_and_plus_are_dialled():
    with Bench("2001", "2002") as bench:
        server = server_on(bench, 'dial_prefix = "9"\n plus = "00"\n dial_timeout_s = 5')
        ended(server, "+15551234567")
        same([event["to"] for event in bench.wait("dialled")], ["90015551234567"])


@fact
def a_call_is_aborted_while_it_is_dialled():
    with Bench("2001", n5551="no_answer", n5550="busy") as bench:
        server = server_on(bench, "check_s = 0")
        fax = server.send("5551", retry=ONE_CALL)
        bench.wait("dialled")
        reply = server.ask("POST", "/v1/lines/modems/2001/test")
        same((reply.status, reply.json["code"]), (409, "line_busy"))
        same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
        same(server.wait_state(fax)["status"], "canceled")
        bench.wait("hung_up", number="2001")
        same(failed_with(server, "5550"), ("failed", "busy"))  # the line is as good as before


@fact
def a_modem_that_vanishes_while_it_dials_costs_no_attempt():
    with Bench("2001", n5551="no_answer") as bench:
        server = server_on(bench, "check_s = 0\n dial_timeout_s = 5")
        fax = server.send("5551", retry=ONE_CALL)
        bench.wait("dialled")
        bench.say("fault 2001 vanish")
        wait_line(server, "2001", "down")
        server.wait_state(fax, "queued")
        same(server.attempts(fax)[0]["outcome"], "line_unavailable")
        bench.say("fault 2001 return")
        done = server.wait_state(fax)
        same(done["error"]["code"], "no_answer")
        same([attempt["outcome"] for attempt in server.attempts(fax)], ["line_unavailable", "no_answer"])


@fact
def a_modem_that_hangs_while_it_dials_costs_no_attempt():
    with Bench("2001", n5551="no_answer") as bench:
        server = server_on(bench, SOON + "dial_timeout_s = 5")
        fax = server.send("5551", retry=ONE_CALL)
        bench.wait("dialled")
        bench.say("fault 2001 hang on")
        wait_line(server, "2001", "faulty")
        same(server.attempts(fax)[0]["outcome"], "line_unavailable")
        bench.say("fault 2001 hang off")
        same(server.wait_state(fax)["error"]["code"], "no_answer")


# --- being called ---

def caught(server, count=1):
    """Calls that came in, as they ended."""
    return server.settled_inbound(count)


@fact
def who_calls_is_known_before_the_call_is_answered():
    with Bench("2001", "2002", "2003") as bench:
        server = server_on(bench, "check_s = 0")
        bench.say('ring 2001 from 5551234 name "HARBOUR & VALE" times 4')
        bench.say("ring 2002 from P times 4")
        bench.say("ring 2003 from 5557777 times 4 did 4321")
        for number in bench.numbers:
            bench.wait("answered", number=number)
            same(len(bench.seen("ringing", number=number)) >= 1, True)
        found = {fax["to"]: fax for fax in caught(server, 3)}
        same(sorted(found), ["2001", "2002", "4321"])
        same([(found[to]["from"] or "") for to in ("2001", "2002", "4321")], ["5551234", "", "5557777"])
        same({fax["status"] for fax in found.values()}, {"failed"})  # there was nobody


@fact
def raw_caller_id_is_read_too():
    with Bench("2001") as bench:
        server = server_on(bench, "check_s = 0\n caller_id = no\n rings = 2\n init = \"AT+VCID=2\"")
        bench.say('ring 2001 from 5551234 name "HARBOUR" times 4')
        same(caught(server)[0]["from"], "5551234")


@fact
def a_distinctive_ring_is_another_number():
    with Bench("2001", "2002") as bench:
        rules = '{\\"RING 2\\":\\"5551235\\"}'
        server = server_on(bench, f'check_s = 0\n distinctive = "{rules}"')
        bench.say("ring 2001 from 5551234 times 4 ring 2")
        bench.say("ring 2002 from 5551234 times 4 ring 1")
        same(sorted(fax["to"] for fax in caught(server, 2)), ["2002", "5551235"])


@fact
def a_caller_who_gives_up_is_no_fax():
    with Bench("2001", n5550="busy") as bench:
        server = server_on(bench, "check_s = 0\n rings = 3")
        bench.say("ring 2001 from 5551234 times 2")
        bench.wait("ringing", number="2001")
        # While it rings the line does not dial: the fax waits, and nothing is lost.
        same(failed_with(server, "5550"), ("failed", "busy"))
        same((server.inbound(), bench.seen("answered")), ([], []))


@fact
def a_line_that_must_not_receive_lets_it_ring():
    with Bench("2001", "2002") as bench:
        server = server_on(bench, "check_s = 0\n caller_id = no")
        same(server.ask("PATCH", "/v1/lines/modems/2001", {"receive_enabled": False}).status, 200)
        bench.say("ring 2001 from 5551234 times 2")
        bench.wait("ringing", number="2001")
        bench.say("ring 2002 from 5551234 times 2")
        bench.wait("answered", number="2002")
        bench.wait("hung_up")
        same(bench.seen("answered", number="2001"), [])
        same([fax["to"] for fax in caught(server)], ["2002"])


@fact
def a_call_that_comes_as_the_line_is_about_to_dial_is_answered():
    with Bench("2001", n5550="busy") as bench:
        server = server_on(bench, "check_s = 0\n rings = 3")
        bench.say("ring 2001 from 5551234 times 8")
        bench.wait("ringing", number="2001")
        fax = server.send("5550", retry=ONE_CALL)
        bench.wait("answered", number="2001")
        same([one["from"] for one in caught(server)], ["5551234"])
        done = server.wait_state(fax)
        same(done["error"]["code"], "busy")
        outcomes = [attempt["outcome"] for attempt in server.attempts(fax)]
        same((set(outcomes[:-1]) <= {"line_unavailable"}, outcomes[-1]), (True, "busy"))


@fact
def lines_end_in_order_whatever_they_do():
    with Bench("2001", "2002", "2003", n5551="no_answer") as bench:
        server = server_on(bench, "check_s = 0")
        bench.say("fault 2003 hang on")
        server.ask("POST", "/v1/lines/modems/2003/test")  # it takes long
        bench.say("ring 2002 from 5551234 times 9")
        server.send("5551")
        bench.wait("dialled")
        same(server.end(signal.SIGINT), 0)
        wait_for(lambda: not server.processes(), "the hosts to end")
        same([name for name in os.listdir(bench.folder) if name.startswith("LCK")], [])


if __name__ == "__main__":
    sys.exit(main())
