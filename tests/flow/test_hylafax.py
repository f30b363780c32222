#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sendfax, faxstat, faxrm and faxalter as scripts for HylaFAX call them: what they send, what they print, how they exit.
The call shapes are those of programs that people run. Prints TAP."""
import datetime
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (BUILD, DOCUMENTS, FAST_RETRIES, PAGES, PATIENCE_S, exchange, fact, main, same, started,  # noqa: E402
                  wait_for, within)

ID = re.compile(r"^request id is (\d+) \(group id (\d+)\) for host (\S+) \((\d+) files?\)$", re.MULTILINE)
# As Elastix reads `faxstat -sdl`.
MODEM = re.compile(r"^Modem (\S+).*?:\s*(.*)")
JOB = re.compile(r"^(\d+)\s+(\d+)\s+(\w+)\s+(\S+)\s+(\S+)\s+(\d+):(\d+)\s+(\d+):(\d+)\s*(\d+:\d+)?\s*(.*)")


class Hyla:
    """The commands for one server, with a home of their own."""

    def __init__(self, server, settings="", key="key"):
        self.server = server
        self.home = tempfile.mkdtemp(prefix="home-", dir=server.folder)
        path = os.path.join(self.home, key)
        with open(path, "w", encoding="utf-8") as file:
            file.write(server.key_with("fax:send", "fax:read", "fax:cancel", "inbox:manage"))
        os.chmod(path, 0o600)
        self.settings(f'Server: "http://127.0.0.1:{server.port}"\nKeyFile: {path}\n{settings}')

    def settings(self, text, name=".faxd"):
        with open(os.path.join(self.home, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, name, *arguments, document=b"", **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FAX")}
        done = subprocess.run([os.path.join(BUILD, "contrib/hylafax", name), *arguments], input=document, check=False,
                              capture_output=True, timeout=PATIENCE_S, env={**clean, "HOME": self.home, "TZ": "UTC", **environment})
        said = done.stderr.decode()
        assert "Sanitizer" not in said and "runtime error:" not in said, said
        return done.returncode, done.stdout.decode(), said

    def send(self, *arguments, document=b"", **environment):
        """The faxes that it made, of which it has to print the numbers."""
        status, out, said = self.run("sendfax", *arguments, document=document, **environment)
        same((status, said), (0, ""))
        faxes = [self.server.fax(found[0]) for found in ID.findall(out)]
        same([str(fax["number"]) for fax in faxes], [found[0] for found in ID.findall(out)])
        same({found[1] for found in ID.findall(out)}, {str(faxes[0]["number"])})
        return faxes

    def lines(self, *arguments):
        status, out, said = self.run("faxstat", *arguments)
        same((status, said), (0, ""))
        return out.splitlines()

    def jobs(self, *arguments):
        """What a program would take from the table: JID to its columns."""
        return {int(found[1]): found for found in map(JOB.match, self.lines(*arguments)) if found}


def ahead(text):
    """Seconds from now."""
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


@fact
def the_calls_that_programs_make_send_faxes():
    server = started(FAST_RETRIES + exchange())
    hyla = Hyla(server)
    pdf = os.path.join(DOCUMENTS, "letter-cairo.pdf")
    # A web page, a mail gateway, a practice's program, a billing program, LyX, a shell script, Asterisk's people.
    calls = [(["-n", "-d", "1002", PAGES[0]], {}),
             (["-n", "-D", "-t", "5", "-T", "15", "-k", "now +2 days", "-f", "a.moreno@fax.example", "-S", "EIS FAX", "-i", "case 7",
               "-d", "1003", PAGES[1]], {}),
             (["-n", "-E", "-l", "-s", "a4", "-b", "9600", "-B", "9600", "-d", "1004", pdf], {}),
             (["-n", "-t1", "-d", "1002", pdf], {}),
             (["-n", "-h", "localhost", "-c", "see below", "-x", "Ruiz & Co", "-d", "Ann Ruiz@1003", PAGES[0]], {}),
             (["-n", "-d", "1004"], {"document": b"From a pipe.\n"}),
             (["-m", "-n", "-P", "high", "-R", "-d", "1-00-2", pdf, PAGES[0]], {"FAXSERVER": "127.0.0.1:4559", "FAXUSER": "www-data"})]
    sent = []
    for count, (arguments, more) in enumerate(calls, 1):
        fax, = hyla.send(*arguments, **more)
        same((arguments, server.wait_state(fax["id"])["status"]), (arguments, "delivered"))
        server.settled_inbound(count)  # its line is free again
        sent.append(fax)
    _, two, three, four, _, _, seven = sent
    same((two["max_attempts"], two["client_reference"], two["metadata"]["from"]), (15, "case 7", "a.moreno@fax.example"))
    assert 2 * 86400 - 60 < ahead(two["expires_at"]) <= 2 * 86400
    ended = server.fax(three["id"])["transport"]
    same((ended["ecm"], ended["rate_bps"], ended["resolution"]), (False, 9600, "204x98"))
    same((four["max_attempts"], seven["priority"], seven["metadata"]["owner"]), (1, "high", "www-data"))
    within("EIS FAX", {fax["remote_station_id"] for fax in server.settled_inbound(7)})
    # Nothing is called but what was asked for.
    same(len(server.faxes("direction=outbound&limit=100")), 7)


@fact
def several_destinations_are_a_group_and_options_count_from_where_they_stand():
    server = started(FAST_RETRIES + exchange())
    hyla = Hyla(server)
    listed = os.path.join(server.folder, "list")
    with open(listed, "w", encoding="utf-8") as file:
        file.write("# people\nAnn@1004#77\n\n1002\n")
    faxes = hyla.send("-n", "-P", "bulk", "-d", "1002", "-c", "note", "-r", "About", "-d", "1003", "-P", "63", "-z", listed, "-a",
                      "now + 1 hour", "-d", "1004", PAGES[0])
    same([(fax["to"], fax["priority"]) for fax in faxes],
         [("1002", "bulk"), ("1003", "bulk"), ("1004", "high"), ("1002", "high"), ("1004", "high")])
    same(faxes[2]["metadata"]["receiver"], "Ann")
    assert 3500 < ahead(faxes[4]["not_before"]) <= 3600
    same([fax["metadata"].get("group") for fax in faxes], [None] + 4 * [str(faxes[0]["number"])])
    # With a cover page, which is HylaFAX's default, unless the configuration says otherwise.
    status, out, _ = hyla.run("sendfax", "-d", "Dr. Ruiz@1003", "-X", "Us", PAGES[0])
    same((status, ID.search(out)[4]), (0, "2"))
    number = ID.search(out)[1]
    same(server.wait_state(number)["pages"]["total"], 2)
    hyla.settings("AutoCoverPage: no\nMaxDials: 3\n", ".hylarc")
    fax, = hyla.send("-d", "1003", PAGES[0])
    same((fax["max_attempts"], server.wait_state(fax["id"])["pages"]["total"]), (3, 1))


@fact
def what_cannot_be_sent_as_asked_is_refused_with_words():
    server = started(FAST_RETRIES + exchange())
    hyla = Hyla(server)
    for arguments, words in ((["-n", PAGES[0]], "No destination specified"), (["-n", "-d", "1002", "/no/such"], "no such file"),
                             (["-n", "-p", "-d", "1002"], "does not poll"), (["-n", "-d", "x@", PAGES[0]], "Null destination"),
                             (["-n", "-P", "300", "-d", "1002", PAGES[0]], "[0,255]"),
                             (["-n", "-a", "whenever", "-d", "1002", PAGES[0]], "is no time"),
                             (["-n", "-I", "soon", "-d", "1002", PAGES[0]], "no span of time"),
                             (["-n", "-Z", "1-2", "-d", "1002", PAGES[0]], "-Z"), (["-n", "-t", "x", "-d", "1002", PAGES[0]], "calls"),
                             (["-?"], "usage:"), (["-n", "-d", "1002"], "No input data"),
                             (["-n", "-d", "+1+2", PAGES[0]], "/to"), (["-C", "/etc/none.ps", "-d", "1002", PAGES[0]], "none"),
                             (["-n", "-h", "127.0.0.1:1", "-d", "1002", PAGES[0]], "cannot reach the server")):
        status, out, said = hyla.run("sendfax", *arguments)
        same((arguments, status, out), (arguments, 1, ""))
        within(words, said)
    same(server.faxes(), [])
    # One of two: the other is sent, and the status tells.
    status, out, said = hyla.run("sendfax", "-n", "-d", "+1+2", "-d", "1002", PAGES[0])
    same((status, len(ID.findall(out))), (1, 1))
    for name, words in (("faxrm", ("99",)), ("faxalter", ("-p", "99"))):
        status, _, said = hyla.run(name, *words)
        same(status, 1)
        within("No such job", said)
    same(hyla.run("faxalter", "99")[0], 1)
    within("No job parameters", hyla.run("faxalter", "99")[2])
    within("usage:", hyla.run("faxrm")[2])
    for words in (("-d", "1003"), ("-g",), ("-g", "-p")):
        status, _, said = hyla.run("faxalter", *words, "1")
        same(status, 1)
        within("remove it, and send it anew", said)
    hyla.settings('Server: "http://127.0.0.1:1"\n')
    same([hyla.run(name, *words)[0] for name, words in (("faxstat", ("-s",)), ("faxrm", ("1",)))], [1, 1])


@fact
def faxstat_shows_lines_and_queues_as_programs_read_them():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    hyla = Hyla(server)
    status, out, _ = hyla.run("faxstat")
    same((status, out.splitlines()), (0, ["HylaFAX scheduler on localhost: Running"] + [
        f"Modem exchange/{n} ({n}): Running and idle" for n in (1001, 1002, 1003, 1004)]))
    done, = hyla.send("-n", "-o", "ann", "-d", "1002", PAGES[0])
    server.wait_state(done["id"])
    server.settled_inbound(1)  # all lines are free again
    failed, = hyla.send("-n", "-T", "1", "-o", "ann", "-d", "2001", PAGES[0])
    server.wait_state(failed["id"])
    later, = hyla.send("-n", "-a", "now + 2 hours", "-P", "high", "-o", "longownername", "-d", "1003", PAGES[0])
    server.wait_state(later["id"], "scheduled")
    held = server.get("/v1/faxes/" + server.wait_state(server.send("1004", hold=True), "held")["id"])
    lines = hyla.lines("-s")
    same(lines[5:7], ["", "JID  Pri S  Owner Number       Pages Dials     TTS Status"])
    jobs = hyla.jobs("-s")
    same(sorted(jobs), [later["number"], held["number"]])
    same(jobs[later["number"]].groups()[1:9], ("63", "P", "longow", "1003", "0", "1", "0", "5"))
    assert re.fullmatch(r"\d\d:\d\d", jobs[later["number"]][10])
    same((jobs[held["number"]][3], jobs[held["number"]][2]), ("T", "127"))
    jobs = hyla.jobs("-d", "-l")
    same(sorted(jobs), [done["number"], failed["number"]])
    same([jobs[fax["number"]].groups()[2:] for fax in (done, failed)],
         [("D", "ann", "1002", "1", "1", "1", "5", None, ""), ("F", "ann", "2001", "0", "1", "1", "1", None, "the line is engaged")])
    same(hyla.jobs("-sd").keys(), {done["number"], failed["number"], later["number"], held["number"]})
    # A format of one's own, on the command line and in the configuration; columns that faxd has not are empty.
    same(hyla.lines("-F", "%j|%-5a|%08e|%.3o|%%|%A|", "-d")[6:], ["JID|S    |  Number|Own|%||",
                                                                 f'{done["number"]}|D    |00001002|ann|%||',
                                                                 f'{failed["number"]}|F    |00002001|ann|%||'])
    hyla.settings('JobFmt: "%j %a"\nModemFmt: "%m %s"\n', ".hylarc")
    same(hyla.lines("-d")[4:], ["exchange/1004 Running and idle", "", "JID S", f'{done["number"]} D', f'{failed["number"]} F'])
    got = server.settled_inbound(1)[0]
    lines = hyla.lines("-r")[5:]
    same(lines[1], "Protect Page  Owner        Sender/TSI  Recvd@ Filename")
    assert re.fullmatch(rf'-rw----    1  faxd +100\d [0-9:]+[AP]M fax{got["number"]:09}\.tif', lines[2]), lines
    within("usage:", hyla.run("faxstat", "-?")[2])


@fact
def a_line_in_a_call_says_which_job_it_sends():
    server = started(FAST_RETRIES + exchange(pace=60))
    hyla = Hyla(server)
    job, = hyla.send("-n", "-d", "1002", PAGES[0])
    wait_for(lambda: any(f'Sending job {job["number"]}' in line for line in hyla.lines()), "the line to say so")
    wait_for(lambda: server.fax(job["id"])["status"] == "delivered" or any("Receiving" in line for line in hyla.lines()), "the other")
    server.wait_state(job["id"])


@fact
def jobs_are_removed_and_altered_by_their_numbers():
    server = started(FAST_RETRIES + exchange())
    hyla = Hyla(server)
    job, = hyla.send("-n", "-a", "23:59", "-d", "1002", PAGES[0])
    number = str(job["number"])
    server.wait_state(job["id"], "scheduled")
    same(hyla.run("faxalter", "-a", "now + 3 days", "-k", "now + 1 hour", "-P", "10", "-t", "9", number), (0, f"Job {number}: done.\n", ""))
    now = server.fax(number)
    assert 3 * 86400 - 60 < ahead(now["not_before"]) <= 3 * 86400
    same((now["priority"], now["max_attempts"], round(ahead(now["expires_at"]) - ahead(now["not_before"]))), ("urgent", 9, 3600))
    # A job that is not there ends it, unless -C is given.
    same(hyla.run("faxalter", "-t", "8", "99", number)[:2], (1, ""))
    same(hyla.run("faxalter", "-C", "-t", "8", "99", number)[:2], (1, f"Job {number}: done.\n"))
    status, _, said = hyla.run("faxalter", "-r", number)
    same(status, 1)
    within("twice", said)  # it waits: there is nothing to repeat yet
    same(hyla.run("faxrm", number), (0, f"Job {number} removed.\n", ""))
    same(server.wait_state(number)["status"], "canceled")
    status, out, said = hyla.run("faxalter", "-r", number)
    twin = re.fullmatch(rf"Job {number}: duplicated as job (\d+)\.\n", out)[1]
    same((status, said, server.fax(twin)["resent_from"], server.wait_state(twin)["status"]), (0, "", job["id"], "delivered"))
    within("sent at once", hyla.run("faxalter", "-r", "-a", "now + 1 day", number)[2])
    # What is done is done away with; what was received by the name that faxstat gives it.
    pushed, = hyla.send("-n", "-a", "now + 1 day", "-d", "1003", PAGES[0])
    server.wait_state(pushed["id"], "scheduled")
    same(hyla.run("faxalter", "-p", str(pushed["number"]))[0], 0)
    same(server.wait_state(pushed["id"])["status"], "delivered")
    within(pushed["number"], hyla.jobs("-d"))
    same(hyla.run("faxrm", str(pushed["number"])), (0, f'Job {pushed["number"]} removed (from doneq).\n', ""))
    assert pushed["number"] not in hyla.jobs("-d") and server.fax(pushed["id"])["documents_purged_at"]
    got = server.settled_inbound(2)[0]
    name = f'recvq/fax{got["number"]:09}.tif'
    same(hyla.run("faxrm", "-d", name), (0, f"{name} removed.\n", ""))
    same(hyla.run("faxrm", str(got["number"]))[0], 1)  # it is no job
    status, _, said = hyla.run("faxalter", "-P", "high", str(pushed["number"]))
    same(status, 1)
    within("delivered", said)


@fact
def sendfax_waits_for_the_end_when_it_is_asked_to():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    hyla = Hyla(server)
    same(hyla.run("sendfax", "-n", "-w", "-d", "1002", PAGES[0])[0], 0)
    same(server.faxes("direction=outbound")[0]["status"], "delivered")
    status, out, said = hyla.run("sendfax", "-n", "-w", "-T", "1", "-d", "2001", PAGES[0])
    same((status, len(ID.findall(out))), (1, 1))
    within("the line is engaged", said)


@fact
def the_key_may_be_where_the_command_line_client_has_it():
    server = started(FAST_RETRIES + exchange())
    hyla = Hyla(server)
    key = server.key_with("fax:read")
    os.makedirs(os.path.join(hyla.home, ".config/faxd"))
    path = os.path.join(hyla.home, ".config/faxd/key")
    with open(path, "w", encoding="utf-8") as file:
        file.write(key)
    hyla.settings(f"Server: http://127.0.0.1:{server.port}\n")
    os.chmod(path, 0o644)
    status, _, said = hyla.run("faxstat")
    same(status, 1)
    within("everybody may read the key", said)
    os.chmod(path, 0o600)
    same(len(hyla.lines()), 5)
    os.remove(path)
    same(hyla.run("faxstat")[0], 1)
    same(hyla.run("faxstat", FAXD_KEY=key)[0], 0)
    hyla.settings("")
    same(hyla.run("faxstat", FAXD_KEY=key, FAXD_URL=f"http://127.0.0.1:{server.port}")[0], 0)
    same(hyla.run("faxstat", "-h", f"127.0.0.1:{server.port}", FAXD_KEY=key)[0], 0)
    same(hyla.run("faxstat", "-h", "somewhere", FAXD_KEY=key, FAXD_URL="http://127.0.0.1:1")[0], 1)


if __name__ == "__main__":
    sys.exit(main())
