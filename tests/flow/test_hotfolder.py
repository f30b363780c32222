#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faxd-hotfolder beside a faxd: what is sent, what is not, and what is written back. Prints TAP."""
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, PAGES, exchange, fact, main, octets, same, started, wait_for, within  # noqa: E402
from hotfolder import PROGRAM, Hotfolder  # noqa: E402


@fact
def a_file_with_a_number_in_its_name_is_sent_and_its_outcome_written_back():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    with Hotfolder(server, 'set = {"priority=high", "tags=hot", "tags=folder", "retry.max_attempts=30"}') as hot:
        os.chmod(hot.path, 0o750)
        hot.drop("2001.tif.json", {"retry": {"max_attempts": 1}})
        hot.drop("1002.tif")
        hot.drop("letter to 1003@Dr. Ruiz.tif", PAGES[1])
        hot.drop("2001.tif")
        hot.drop("to nobody.tif")
        done, other = hot.result("1002.tif"), hot.result("letter to 1003@Dr. Ruiz.tif")
        fax = server.fax(done["id"])
        same((done["file"], done["status"], done["delivery"], done["reason"], done["to"], done["pages"], done["number"]),
             ("1002.tif", "delivered", "confirmed", None, "1002", {"total": 1, "sent": 1, "confirmed": 1}, fax["number"]))
        same((fax["priority"], fax["tags"], other["to"], fax["client_reference"]),
             ("high", ["hot", "folder"], "1003", "hotfolder-" + done["claim"]))
        assert done["timing"]["ended"] and done["written_at"]
        same((octets(hot.at("done", "1002.tif")), stat.S_IMODE(os.stat(hot.at("done", "1002.tif.result.json")).st_mode) & 0o111),
             (octets(PAGES[0]), 0))
        busy = hot.result("2001.tif", "failed")
        same((busy["status"], busy["code"]), ("failed", "busy"))
        assert busy["reason"]
        server.settled_inbound(2)
        same((hot.left(), os.path.exists(hot.at("failed", "2001.tif"))), (["to nobody.tif"], True))


@fact
def a_sidecar_says_what_the_name_does_not():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server, 'sidecar_wait = 1\nset = {"priority=high", "retry.max_attempts=30"}') as hot:
        hot.drop("letter.tif.json", {"to": "1002", "priority": "normal", "tags": ["a", "b"], "metadata": {"case": "7"},
                                     "retry": {"max_attempts": 2, "delays": {"busy": [1, 2]}}, "client_reference": "r-7"})
        hot.drop("letter.tif")
        done = hot.result("letter.tif")
        fax = server.fax(done["id"])
        same((fax["to"], fax["priority"], fax["tags"], fax["metadata"], fax["max_attempts"], fax["client_reference"]),
             ("1002", "normal", ["a", "b"], {"case": "7"}, 2, "r-7"))
        same(sorted(os.listdir(hot.at("done"))), ["letter.tif", "letter.tif.json", "letter.tif.result.json"])
        # The name's number gives way to the sidecar's.
        hot.drop("1003.tif.json", {"to": "1004"})
        hot.drop("1003.tif")
        same(hot.result("1003.tif")["to"], "1004")
        # Without number and sidecar it waits for one, and then that is told.
        hot.drop("none.tif")
        within("no number in its name", hot.result("none.tif", "failed")["reason"])
        for name, sidecar, words in (("a.tif", b"{", "no JSON"), ("b.tif", [], "no JSON object"),
                                     ("c.tif", {"to": "1002", "documents": []}, "documents"),
                                     ("d.tif", {"to": "12ab"}, "/to"), ("e.tif", {"to": "1002", "x": "1"}, "/x")):
            hot.drop(name + ".json", sidecar)
            hot.drop(name)
            within(words, hot.result(name, "failed")["reason"])
        same(hot.left(), [])
        server.settled_inbound(2)


@fact
def a_folder_may_want_a_sidecar_for_all_and_the_document_may_come_first():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server, "sidecar = required") as hot:
        hot.drop("1002.tif")
        hot.drop("1003.tif")
        hot.drop("1003.tif.json", {"to": "1004"})
        same(hot.result("1003.tif")["to"], "1004")
        same(hot.left(), ["1002.tif"])
        hot.drop("1002.tif.json", {"tags": ["late"]})
        same(server.fax(hot.result("1002.tif")["id"])["tags"], ["late"])


@fact
def only_complete_files_are_taken():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server) as hot:
        page = octets(PAGES[0])
        slow = open(hot.at("1002.tif"), "wb")  # noqa: SIM115
        slow.write(page[:1000])
        slow.flush()
        for name in (".1002.tif", "1002.tif.tmp", "1002.part", "1002.tif~"):
            with open(hot.at(name), "wb") as file:
                file.write(page)
        with open(hot.at("empty 1002.tif"), "wb"):
            pass
        os.mkdir(hot.at("1002"))
        shutil.copy(PAGES[0], hot.at("1002", "1002.tif"))
        hot.waits_for("only files in the folder itself are sent")
        hot.drop("1003.tif")
        hot.result("1003.tif")
        # A start finds the half of it, and still nobody has closed it.
        hot.stop()
        hot.start()
        hot.drop("1004.tif")
        hot.result("1004.tif")
        assert "1002.tif" in hot.left()
        slow.write(page[1000:])
        slow.close()
        hot.result("1002.tif")
        same(octets(hot.at("done", "1002.tif")), page)
        same(hot.left(), [".1002.tif", "1002", "1002.part", "1002.tif.tmp", "1002.tif~", "empty 1002.tif"])
        server.settled_inbound(3)


@fact
def links_and_files_of_others_are_refused():
    server = started(FAST_RETRIES + exchange())
    secret = os.path.join(server.folder, "secret")
    shutil.copy(PAGES[0], secret)
    nobody = pwd.getpwnam("nobody").pw_uid
    with Hotfolder(server, f'owners = {{ "{pwd.getpwuid(os.geteuid()).pw_name}" }}\nsize_max_mib = 1') as hot:
        os.symlink(secret, hot.at("1002.tif"))
        within("symbolic link", hot.result("1002.tif", "failed")["reason"])
        os.link(secret, hot.at("1003.tif"))
        within("hard links", hot.result("1003.tif", "failed")["reason"])
        shutil.copy(PAGES[0], hot.at(".x"))
        os.chown(hot.at(".x"), nobody, -1)
        os.rename(hot.at(".x"), hot.at("1004.tif"))
        within("its owner", hot.result("1004.tif", "failed")["reason"])
        hot.drop("1001.tif", b"x" * (1 << 20) + b"x")
        within("too large", hot.result("1001.tif", "failed")["reason"])
        os.symlink(secret, hot.at("+1002.tif.json"))
        hot.drop("+1002.tif")
        within("symbolic link", hot.result("+1002.tif", "failed")["reason"])
        same((octets(secret), server.faxes()), (octets(PAGES[0]), []))
        # Where they are allowed, and to everybody, they are sent.
        hot.stop()
        hot.configure("hard_links = true")
        hot.start()
        shutil.copy(PAGES[0], hot.at(".x"))
        os.chown(hot.at(".x"), nobody, -1)
        os.rename(hot.at(".x"), hot.at("1002 .tif"))
        hot.result("1002 .tif")
        os.link(secret, hot.at("(1003).tif"))
        hot.result("(1003).tif")
        server.settled_inbound(2)


@fact
def a_name_that_is_there_already_is_not_written_over():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server) as hot:
        hot.drop("1002.tif")
        first = hot.result("1002.tif")
        hot.drop("1002.tif", PAGES[1])
        wait_for(lambda: len(os.listdir(hot.at("done"))) == 4, "the second result")
        same((octets(hot.at("done", "1002.tif")), json.loads(octets(hot.at("done", "1002.tif.result.json")))),
             (octets(PAGES[0]), first))
        hot.stop()
        hot.configure("keep = false")
        hot.start()
        hot.drop("1003.tif")
        hot.result("1003.tif")
        same((os.path.exists(hot.at("done", "1003.tif")), hot.left()), (False, []))


@fact
def what_others_left_in_done_stops_nothing():
    server = started(FAST_RETRIES + exchange())
    with Hotfolder(server) as hot:
        hot.stop()
        group = pwd.getpwnam("nobody").pw_gid
        os.chown(hot.path, -1, group)
        os.chmod(hot.path, 0o2770)
        hot.drop("1002.tif.json", {"tags": ["a"]})
        hot.drop("1002.tif")
        with open(hot.at("done", "1002.tif.json"), "w", encoding="utf-8") as file:
            file.write("{}")  # its document was taken away, the sidecar was not
        os.mkfifo(hot.at("done", ".1003.tif.result.json.new"))
        os.chown(hot.at("done"), -1, os.getegid())
        hot.drop("1003.tif")
        hot.start()
        same(hot.result("1003.tif")["to"], "1003")
        found = os.stat(hot.at("done", "1003.tif.result.json"))
        same((found.st_gid, stat.S_IMODE(found.st_mode)), (group, 0o660))
        wait_for(lambda: not os.listdir(hot.at("work")), "the other")
        assert any(name.endswith("-1002.tif") for name in os.listdir(hot.at("done"))), os.listdir(hot.at("done"))
        same(octets(hot.at("done", "1002.tif.json")), b"{}")


@fact
def what_the_configuration_has_wrong_is_told_with_its_line():
    hot = Hotfolder(None)
    good = octets(hot.config).decode()
    faults = [("settle = -1", "settle has to be 0 to 3600"), (f'folder "{hot.path}" {{ sidecar = maybe }}', "no, optional or required"),
              ('folder "relative" { }', "absolute"), (f'folder "{hot.path}" {{ patterns = {{ "letter" }} }}', "{number} is missing"),
              (f'folder "{hot.path}" {{ patterns = {{ "{{number}}{{fax}}" }} }}', "are known"),
              (f'folder "{hot.path}" {{ owners = {{ "no-such-user" }} }}', "no user"),
              (f'folder "{hot.path}" {{ set = {{ "priority" }} }}', "KEY=VALUE"), ("dance = 1", "no such option")]

    def check():
        done = subprocess.run([PROGRAM, "--config", hot.config, "--check"], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    same(check(), (0, ""))
    for text, words in faults:
        with open(hot.config, "w", encoding="utf-8") as file:
            file.write(f'key_file = "{hot.key}"\n' + text + "\n")
        status, said = check()
        same((text, status), (text, 78))
        within(words, said)
        within(hot.config, said)
    with open(hot.config, "w", encoding="utf-8") as file:
        file.write(good)

    def starts():
        return subprocess.run([PROGRAM, "--config", hot.config], capture_output=True, text=True, check=False, timeout=60)
    os.chmod(hot.key, 0o644)
    done = starts()
    same(done.returncode, 78)
    within("everybody may read the key", done.stderr)
    os.chmod(hot.key, 0o600)
    os.rename(hot.path, hot.path + ".away")
    done = starts()
    same(done.returncode, 74)  # it may come back
    within("cannot be used", done.stderr)
    os.rename(hot.path + ".away", hot.path)
    os.mkdir(hot.at("work"))
    os.chown(hot.at("work"), pwd.getpwnam("nobody").pw_uid, -1)
    done = starts()
    same(done.returncode, 78)
    within("belongs to somebody else", done.stderr)
    shutil.rmtree(hot.root)


if __name__ == "__main__":
    sys.exit(main())
