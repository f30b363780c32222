#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print to fax: the backend in a cupsd of Debian, with its filters, and by itself. Prints TAP."""
import os
import pwd
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cups import Cups  # noqa: E402
from faxd import (BUILD, DOCUMENTS, FAST_RETRIES, PAGES, PATIENCE_S, exchange, fact, main, same, started,  # noqa: E402
                  wait_for, within)

BACKEND = os.path.join(BUILD, "contrib/cups/faxd")
LP = pwd.getpwnam("lp")


def uri(server, cups, more="", key=None, port=None, owner=LP):
    """Of a queue with a key of its own, which the user of backends can read."""
    path = cups.at("key")
    with open(path, "w", encoding="utf-8") as file:
        file.write((key or server.key_with("fax:send", "fax:read", "fax:cancel")) + "\n")
    os.chmod(path, 0o600)
    os.chown(path, owner.pw_uid, owner.pw_gid)
    return f"faxd://127.0.0.1:{port or server.port}/?key-file={path}&retry=1{more}"


def text_file(cups, words="Printed as a fax.\n"):
    path = cups.at("tmp", "letter.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(words)
    os.chmod(path, 0o644)
    return path


@fact
def a_print_job_arrives_as_a_fax():
    server = started(FAST_RETRIES + exchange())
    with Cups() as cups:
        cups.queue("fax", uri(server, cups, "&tag=printed"))
        job = cups.print("fax", text_file(cups), "phone=1002", "faxResolution=standard", title="Letter", user="ann")
        cups.ended(job)
        within("Fax to 1002 accepted as fax_", cups.log())
        fax = server.wait_state(server.faxes("direction=outbound")[0]["id"])
        same((fax["status"], fax["to"], fax["tags"], fax["transport"]["resolution"], fax["metadata"]["user"],
              fax["metadata"]["title"], fax["metadata"]["printer"], fax["metadata"]["job"], fax["pages"]["total"]),
             ("delivered", "1002", ["user:ann", "printed"], "204x98", "ann", "Letter", "fax", str(job), 1))
        same(server.settled_inbound(1)[0]["pages"]["confirmed"], 1)
        # PDF, a custom option as dialogs give it, several copies, a cover page, and a queue without filters.
        done = cups.print("fax", os.path.join(DOCUMENTS, "letter-cairo.pdf"), "phone=Custom.1003", "copies=3", "faxCover=plain",
                          "faxToName=Dr. 'Ann' Ruiz")
        cups.ended(done)
        again = server.wait_state(server.faxes("direction=outbound&to=1003")[0]["id"])
        cups.queue("raw", uri(server, cups), "-m", "raw")
        cups.ended(cups.print("raw", PAGES[0], "phone=1004"))
        raw = server.wait_state(server.faxes("direction=outbound&to=1004")[0]["id"])
        same((again["status"], raw["status"], len(server.settled_inbound(3))), ("delivered", "delivered", 3))
        with_cover = again["pages"]["total"]
        plain = cups.print("fax", os.path.join(DOCUMENTS, "letter-cairo.pdf"), "phone=1003")
        cups.ended(plain)
        last = server.wait_state(server.faxes("direction=outbound&to=1003")[0]["id"])
        same(with_cover, last["pages"]["total"] + 1)


@fact
def a_job_waits_for_faxd_and_is_sent_once():
    server = started(FAST_RETRIES + exchange())
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    with Cups() as cups:
        cups.queue("fax", uri(server, cups, port=holder.getsockname()[1]))
        job = cups.print("fax", text_file(cups), "phone=1002")
        # More often than cupsd's own count of tries (JobRetryLimit) would have it.
        wait_for(lambda: cups.log().count("] Waiting for faxd") >= 7, "the job to have been tried seven times")
        assert cups.job(job)[0] in ("pending", "processing", "pending-held"), cups.job(job)
        cups.queue("fax", uri(server, cups))
        cups.ended(job)
        same(len(server.settled_inbound(1)), 1)
    holder.close()


@fact
def what_can_never_be_faxed_cancels_the_job_and_says_why():
    server = started(FAST_RETRIES + exchange())
    with Cups() as cups:
        cups.queue("fax", uri(server, cups))
        within("no number to fax to", cups.ended(cups.print("fax", text_file(cups)), "canceled"))
        within("cannot be dialled", cups.ended(cups.print("fax", text_file(cups), "phone=12ab"), "canceled"))
        cups.queue("raw", uri(server, cups), "-m", "raw")
        noise = cups.at("tmp", "noise")
        with open(noise, "wb") as file:
            file.write(bytes(range(256)))
        os.chmod(noise, 0o644)
        within("refused", cups.ended(cups.print("raw", noise, "phone=1002"), "canceled"))
        same(server.faxes(), [])
        # The title has the number only where the queue says so.
        cups.ended(cups.print("fax", text_file(cups), title="1002"), "canceled")
        cups.queue("titled", uri(server, cups, "&title=yes"))
        cups.ended(cups.print("titled", text_file(cups), title="Letter to 1003.odt"))
        same(server.wait_state(server.faxes("direction=outbound")[0]["id"])["to"], "1003")


@fact
def a_queue_whose_key_is_not_let_in_stops():
    server = started(FAST_RETRIES + exchange())
    with Cups() as cups:
        cups.queue("fax", uri(server, cups, key="fxk_live_wrong"))
        job = cups.print("fax", text_file(cups), "phone=1002")
        wait_for(lambda: "disabled" in cups.command("lpstat", "-p", "fax").stdout, "the queue to be stopped")
        within("key of this queue", cups.log())
        cups.queue("fax", uri(server, cups))
        same(cups.command("cupsenable", "fax").returncode, 0)
        cups.ended(job)
        # A backend that only root may run is run as root, and reads what only root may.
        os.chmod(cups.backend, 0o700)
        cups.queue("private", uri(server, cups, owner=pwd.getpwuid(0)))
        cups.ended(cups.print("private", text_file(cups), "phone=1003"))
        same(len(server.settled_inbound(2)), 2)


@fact
def a_job_may_wait_until_its_fax_has_ended():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    with Cups() as cups:
        cups.queue("fax", uri(server, cups, "&wait=yes"))
        cups.ended(cups.print("fax", text_file(cups), "phone=1002"))
        within("Fax delivered.", cups.log())
        same(server.faxes("direction=outbound")[0]["status"], "delivered")
        within("engaged", cups.ended(cups.print("fax", text_file(cups), "phone=2001"), "canceled"))
        # A job that is canceled takes its fax with it.
        held = cups.print("fax", text_file(cups), "phone=1003", "faxNotBefore=2099-01-01T00:00:00Z")
        wait_for(lambda: server.faxes("direction=outbound&to=1003"), "the fax")
        fax = server.faxes("direction=outbound&to=1003")[0]["id"]
        server.wait_state(fax, "scheduled")
        same(cups.command("cancel", str(held)).returncode, 0)
        same(server.wait_state(fax)["status"], "canceled")


@fact
def a_job_whose_queue_was_stopped_is_faxed_when_it_goes_on():
    server = started(FAST_RETRIES + exchange())
    with Cups() as cups:
        cups.queue("fax", uri(server, cups, "&wait=yes"))
        job = cups.print("fax", text_file(cups), "phone=1003", "faxNotBefore=2099-01-01T00:00:00Z")
        wait_for(lambda: server.faxes("direction=outbound"), "the fax")
        first = server.faxes("direction=outbound")[0]["id"]
        server.wait_state(first, "scheduled")
        same(cups.command("cupsdisable", "fax").returncode, 0)
        same(server.wait_state(first)["status"], "canceled")
        same(cups.command("cupsenable", "fax").returncode, 0)
        wait_for(lambda: len(server.faxes("direction=outbound")) == 2, "another fax")
        second = server.faxes("direction=outbound")[0]["id"]
        server.wait_state(second, "scheduled")
        same(server.ask("PATCH", f"/v1/faxes/{second}", {"not_before": None}).status, 200)
        cups.ended(job)
        same((server.fax(second)["status"], len(server.faxes("direction=outbound"))), ("delivered", 2))


@fact
def all_files_of_a_job_are_one_fax():
    server = started(FAST_RETRIES + exchange())
    with Cups() as cups:
        cups.queue("fax", uri(server, cups))
        letter = os.path.join(DOCUMENTS, "letter-cairo.pdf")
        cups.ended(cups.print("fax", letter, "phone=1002"))
        one = server.wait_state(server.faxes("direction=outbound")[0]["id"])["pages"]["total"]
        cups.ended(cups.print("fax", letter, "phone=1003", "job-sheets=none", more=(letter, letter)))
        fax = server.wait_state(server.faxes("direction=outbound&to=1003")[0]["id"])
        same((fax["status"], fax["pages"]["total"]), ("delivered", 3 * one))


def backend(*arguments, document=b"A letter.\n", **environment):
    done = subprocess.run([BACKEND, *arguments], input=document, capture_output=True, check=False, timeout=PATIENCE_S,
                          env={"PATH": os.environ["PATH"], **environment})
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@fact
def the_backend_by_itself_behaves_as_backends_do():
    server = started(FAST_RETRIES + exchange())
    same(backend(), (0, 'network faxd:/ "faxd Fax" "Fax by faxd on this machine" "MFG:faxd;MDL:Fax;CMD:PDF;CLS:PRINTER;"\n', ""))
    same(backend("1")[0], 1)
    key = os.path.join(server.folder, "key")
    with open(key, "w", encoding="utf-8") as file:
        file.write(server.key_with("fax:send", "fax:read"))
    os.chmod(key, 0o600)
    device = f"faxd://127.0.0.1:{server.port}/?key-file={key}"
    job = ("7", "ann", "Letter", "1")
    options = "phone=1002 job-uuid=urn:uuid:1 nofit x='a b' media=A4"
    status, out, said = backend(*job, options, DEVICE_URI=device, PRINTER="fax")
    same((status, out), (0, ""))
    within("INFO: Fax to 1002 accepted as fax_", said)
    # The same job once more, and as other octets: the fax is there already.
    for text in (b"A letter.\n", b"A letter!\n"):
        same(backend(*job, options, document=text, DEVICE_URI=device, PRINTER="fax")[0], 0)
    same(len(server.faxes("direction=outbound")), 1)
    # One whose fax was canceled is sent anew, once again.
    later = "phone=1003 job-uuid=urn:uuid:2 faxNotBefore=2099-01-01T00:00:00Z"
    for count in (1, 2):
        for text in (b"Later.\n", b"Later!\n"):
            same(backend(*job, later, document=text, DEVICE_URI=device, PRINTER="fax")[0], 0)
        faxes = server.faxes("direction=outbound&to=1003")
        same(len(faxes), count)
        server.wait_state(faxes[0]["id"], "scheduled")
        server.ask("POST", f"/v1/faxes/{faxes[0]['id']}/cancel")
        same(server.wait_state(faxes[0]["id"])["status"], "canceled")
    device += "&retry=0"
    for arguments, document, device_uri, status, words in (
            ((*job, options), b"", device, 5, "empty"), ((*job, options, "/no/such/file"), b"", device, 7, "cannot be read"),
            ((*job, options), b"x", "http://x/", 4, "is not of the form"), ((*job, options), b"x", "faxd:/?dance=1", 4, "dance"),
            ((*job, options), b"x", "faxd:/?key-file=%zz", 4, "key-file"),
            ((*job, options), b"x", "faxd:/?key-file=/no/such/file", 4, "cannot read the key"),
            ((*job, options), b"x", f"faxd://127.0.0.1:1/?key-file={key}&retry=0", 7, "Waiting for faxd")):
        got = backend(*arguments, document=document, DEVICE_URI=device_uri)
        same((device_uri, got[0]), (device_uri, status))
        within(words, got[2])
    # A folder for temporary files that takes none is the machine's fault, not the job's.
    same(backend(*job, options, DEVICE_URI=device, TMPDIR="/no/such/folder")[0], 7)
    os.chmod(key, 0o644)
    status, _, said = backend(*job, options, DEVICE_URI=device)
    same(status, 4)
    within("everybody may read", said)


if __name__ == "__main__":
    sys.exit(main())
