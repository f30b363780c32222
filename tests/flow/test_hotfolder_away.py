#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faxd-hotfolder when things break off: it, faxd or the events. Nothing is lost, nothing is sent twice. Prints TAP."""
import json
import os
import resource
import shutil
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, PAGES, exchange, fact, main, octets, same, started, wait_for, within  # noqa: E402
from hotfolder import Hotfolder  # noqa: E402


@fact
def a_file_is_sent_once_however_often_the_program_dies():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server, 'set = { "retry.max_attempts=50" }') as hot:
        for n in range(12):
            hot.drop(f"{n} to {1002 + n % 3}.tif", PAGES[n % 4])
            if n % 3 == 2:
                hot.kill()
                hot.start()
        wait_for(lambda: len(server.faxes()) >= 12, "all of them to be accepted")
        hot.kill()
        hot.start()
        for n in range(12):
            same(hot.result(f"{n} to {1002 + n % 3}.tif")["status"], "delivered")
        same((len(server.faxes("direction=outbound&limit=200")), len(server.settled_inbound(12)), hot.left()), (12, 12, []))


@fact
def a_crash_at_any_step_is_made_good_at_the_next_start():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server, 'patterns = { "{any} {number}" }') as hot:
        hot.stop()
        one, two, three, four = (f"01JZZZZZZZZZZZZZZZZZZZZZZ{n}" for n in "1234")
        fax = server.wait_state(server.send("1004"))
        for name in (one, two, three, four):
            os.mkdir(hot.at("work", name), 0o700)
        shutil.copy(PAGES[0], hot.at("work", one, "claimed 1002.tif"))   # claimed, perhaps sent
        with open(hot.at("work", two, "moved 1003.tif.json"), "w", encoding="utf-8") as file:
            file.write('{"tags": ["kept"]}')                             # its document was not moved yet
        shutil.copy(PAGES[0], hot.at("moved 1003.tif"))
        shutil.copy(PAGES[0], hot.at("work", three, "ended 1004.tif"))   # its fax ended while nobody looked
        with open(hot.at("work", three, ".fax"), "w", encoding="utf-8") as file:
            json.dump({"id": fax["id"]}, file)
        with open(hot.at("done", "ended 1004.tif.result.json"), "w", encoding="utf-8") as file:
            json.dump({"claim": three}, file)                            # and half of it was written back
        with open(hot.at("work", four, ".fax"), "w", encoding="utf-8") as file:
            json.dump({"id": fax["id"]}, file)                           # all was written back but its folder
        hot.start()
        same(hot.result("claimed 1002.tif")["claim"], one)
        same(server.fax(hot.result("moved 1003.tif")["id"])["tags"], ["kept"])
        wait_for(lambda: os.path.exists(hot.at("done", "ended 1004.tif")), "the ended one")
        same(hot.result("ended 1004.tif")["id"], fax["id"])
        same(os.listdir(hot.at("work")), [])


@fact
def a_refused_file_is_not_sent_after_a_crash_that_took_its_sidecar():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server) as hot:
        hot.stop()
        one, two = (f"01JZZZZZZZZZZZZZZZZZZZZZZ{n}" for n in "89")
        for claim, result in ((one, "1002.tif"), (two, f"{two}-1003.tif")):  # where 1003.tif was there already
            os.mkdir(hot.at("work", claim), 0o700)
            shutil.copy(PAGES[0], hot.at("work", claim, result[-8:]))
            for name, text in ((f"{result}.result.json", json.dumps({"claim": claim})), (f"{result}.json", "{")):
                with open(hot.at("failed", name), "w", encoding="utf-8") as file:
                    file.write(text)
        hot.start()
        wait_for(lambda: not os.listdir(hot.at("work")), "both to be written back")
        assert os.path.exists(hot.at("failed", "1002.tif")) and os.path.exists(hot.at("failed", f"{two}-1003.tif"))
        same(server.faxes(), [])


@fact
def a_file_that_was_accepted_under_other_settings_is_not_refused():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server, 'set = { "hold=true" }') as hot:
        hot.drop("1002.tif")
        hot.drop("1003.tif")
        wait_for(lambda: len(server.faxes()) == 2 and hot.log().count(": accepted ") == 2, "both faxes")
        hot.kill()
        # As if it had died between the request and the note of its fax; then other fields, and no way to a number.
        faxes = {fax["to"]: fax["id"] for fax in server.faxes()}
        for claim in os.listdir(hot.at("work")):
            os.unlink(hot.at("work", claim, ".fax"))
        hot.configure('set = { "hold=true", "priority=high" }')
        hot.start()
        wait_for(lambda: hot.log().count(": accepted ") == 4, "both to be known again")
        hot.kill()
        for claim in os.listdir(hot.at("work")):
            os.unlink(hot.at("work", claim, ".fax"))
        hot.configure('patterns = { "never {number}" }')
        hot.start()
        wait_for(lambda: hot.log().count(": accepted ") == 6, "both to be known once more")
        for fax in faxes.values():
            same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
        same([hot.result(f"{to}.tif", "failed")["id"] for to in sorted(faxes)], [faxes[to] for to in sorted(faxes)])
        same(len(server.faxes()), 2)


@fact
def a_request_that_was_lost_for_days_is_not_repeated_blindly():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server) as hot:
        hot.stop()
        sent, lost, unknown = (f"01JZZZZZZZZZZZZZZZZZZZZZZ{n}" for n in "567")
        fax = server.wait_state(server.send("1004", client_reference="hotfolder-" + sent))
        for claim, name in ((sent, "1004.tif"), (lost, "1002.tif"), (unknown, "1003.tif")):
            os.mkdir(hot.at("work", claim), 0o700)
            shutil.copy(PAGES[0], hot.at("work", claim, name))
        with open(hot.at("work", unknown, "1003.tif.json"), "w", encoding="utf-8") as file:
            json.dump({"client_reference": "mine"}, file)
        for claim in (sent, lost, unknown):
            os.utime(hot.at("work", claim), (0, 0))
        hot.start()
        same(hot.result("1004.tif")["id"], fax["id"])
        same(hot.result("1002.tif")["claim"], lost)
        within("not known whether", hot.result("1003.tif", "failed")["reason"])
        server.settled_inbound(2)


@fact
def many_files_wait_for_faxd_and_go_out_in_their_order():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server, 'set = { "hold=true" }', port=1) as hot:
        # Fewer descriptors than files.
        resource.prlimit(hot.process.pid, resource.RLIMIT_NOFILE, (40, 40))
        for n in range(60):
            hot.drop(f"{n:02} to 1002.tif")
        wait_for(lambda: len(os.listdir(hot.at("work"))) == 60 and not hot.left(), "all of them to be taken")
        hot.stop()
        hot.configure('set = { "hold=true" }')
        hot.start()
        resource.prlimit(hot.process.pid, resource.RLIMIT_NOFILE, (40, 40))
        wait_for(lambda: hot.log().count(": accepted ") == 60, "all of them to be accepted")
        hot.drop("60 to 1002.tif")
        hot.drop("61 to 1002.tif")
        wait_for(lambda: hot.log().count(": accepted ") == 62, "two more")
        assert hot.log().rindex("name=60 ") < hot.log().rindex("name=61 ")
        for fax in server.faxes("direction=outbound&limit=200"):
            same(server.ask("POST", f"/v1/faxes/{fax['id']}/cancel").status, 202)
        same(hot.result("61 to 1002.tif", "failed")["status"], "canceled")
        wait_for(lambda: len(os.listdir(hot.at("failed"))) == 124, "all results")


@fact
def faxd_may_be_away():
    server = started(FAST_RETRIES + exchange("", pace=20))
    holder = socket.socket()  # a port where nobody listens
    holder.bind(("127.0.0.1", 0))
    with Hotfolder(server, port=holder.getsockname()[1]) as hot:
        hot.drop("1002.tif")
        hot.waits_for("does not take faxes now, waiting")
        same((len(os.listdir(hot.at("work"))), hot.left()), (1, []))
        hot.stop()
        hot.configure()
        hot.start()
        hot.result("1002.tif")
        # A key that is not let in is no fault of the file, either.
        good = octets(hot.key)
        with open(hot.key, "w", encoding="utf-8") as file:
            file.write("fxk_live_wrong\n")
        hot.stop()
        hot.start()
        hot.drop("1003.tif")
        wait_for(lambda: hot.log().count("does not take faxes now") == 2, "the wrong key to be told")
        hot.stop()
        with open(hot.key, "wb") as file:
            file.write(good)
        hot.start()
        hot.result("1003.tif")
        server.settled_inbound(2)
    holder.close()


@fact
def faxd_may_go_and_come_back_while_a_fax_is_on_its_way():
    server = started(FAST_RETRIES + "web { listen = \"127.0.0.1:0\" }\n" + exchange("", pace=20))
    with Hotfolder(server) as hot:
        hot.drop("1002.tif")
        wait_for(lambda: server.faxes("direction=outbound"), "the fax")
        server.kill()
        hot.waits_for("does not take faxes now")
        server.start()  # at another port, as these tests have it
        hot.stop()
        hot.configure()
        hot.start()
        same(hot.result("1002.tif")["status"], "delivered")
        same(len(server.faxes("direction=outbound")), 1)


@fact
def more_events_than_the_kernel_keeps_lose_no_file():
    server = started(FAST_RETRIES + exchange())
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="utf-8") as file:
        room = int(file.read())
    with Hotfolder(server) as hot:
        hot.process.send_signal(signal.SIGSTOP)
        for n in range(room // 2 + 100):  # made and closed: two events each
            with open(hot.at(f".{n % 2}"), "w", encoding="utf-8"):
                pass
            os.unlink(hot.at(f".{n % 2}"))
        hot.drop("1002.tif")
        hot.process.send_signal(signal.SIGCONT)
        hot.result("1002.tif")
        within("too much happened at once", hot.log())


if __name__ == "__main__":
    sys.exit(main())
