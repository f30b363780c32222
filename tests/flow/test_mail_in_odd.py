#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Odd and hostile messages, those of tests/fuzz/corpus/mail_in: each gets a clear answer, in bounded time and memory. Prints
TAP."""
import concurrent.futures
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import SOURCE, fact, main, octets, same  # noqa: E402
from mail_in import FAXMAIL, Faxmail, mail  # noqa: E402

CORPUS = os.path.join(SOURCE, "tests/fuzz/corpus/mail_in")
SANITIZED = "AddressSanitizer" in subprocess.run(["nm", "-D", FAXMAIL], capture_output=True, text=True, check=False).stdout \
    or "__asan_init" in subprocess.run(["nm", FAXMAIL], capture_output=True, text=True, check=False).stdout
MEMORY_KIB = 150 * 1024  # where no sanitizer takes memory of its own
TIME_S = 60 if SANITIZED else 20  # of the processor for a message; the slowest take less than one


def look(faxmail, path, options=()):
    """What faxmail would do with the message in a file, and the faults of that."""
    with open(path, "rb") as given, tempfile.TemporaryFile() as said:
        process = subprocess.Popen([FAXMAIL, "--config", faxmail.config, "--log", faxmail.log_path, "--check", "--sender",
                                    "anna@office.example", *options, "--", "1002@fax.example"], stdin=given, stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = usage.ru_utime + usage.ru_stime  # of its reader too; what else the machine does is no fault of a message
        said.seek(0)
        told = said.read()
    faults = [] if process.returncode in (0, 65, 67, 77) else [f"status {process.returncode}"]
    faults += [f"{took:.1f} s"] if took > TIME_S else []
    faults += [f"{usage.ru_maxrss} KiB"] if usage.ru_maxrss > MEMORY_KIB and not SANITIZED else []
    try:
        result = json.loads(told)["recipients"][0]
        faults += [] if re.fullmatch(r"[25]\.\d+\.\d+", result["status"]) else [f"status {result['status']}"]
        faults += [] if re.fullmatch(r"[^\x00-\x1f\x7f-\x9f]{5,}", result["text"]) else [f"text {result['text']!r}"]
        faults += [] if result["outcome"] in ("accepted", "answered", "dropped", "refused") else [result["outcome"]]
        outcome = result["outcome"]
    except (ValueError, KeyError, IndexError) as fault:
        faults, outcome = faults + [f"{fault}: {told[:200]!r}"], None
    return outcome, [f"{os.path.basename(path)}: {fault}" for fault in faults]


def look_at_all(faxmail, folder):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda name: look(faxmail, os.path.join(folder, name)), sorted(os.listdir(folder))))
    same([fault for _, found in results for fault in found], [])
    return [outcome for outcome, _ in results]


def write(folder, name, kind, piece, count):
    """A large message with one attachment. Piece by piece: what a process starts is charged with the memory that it has
    itself."""
    with open(os.path.join(folder, name), "wb") as file:
        file.write(mail("x").split(b"\r\n\r\n")[0].replace(b"Content-Type", b"X-Type").replace(b"Content-T", b"X-T"))
        file.write(b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + kind)
        for _ in range(count):
            file.write(piece)
    return os.path.join(folder, name)


@fact
def the_saved_messages_are_what_the_script_makes():
    specification = importlib.util.spec_from_file_location("corpus", os.path.join(SOURCE, "tests/fuzz/make_mail_in_corpus.py"))
    corpus = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(corpus)
    made, saved = corpus.messages(), {name: octets(os.path.join(CORPUS, name)) for name in os.listdir(CORPUS)}
    same([name for name in sorted(made) if made[name] != saved.get(name)], [])
    assert len(saved) >= 500, len(saved)


@fact
def each_odd_or_hostile_message_gets_a_clear_answer_in_bounded_time_and_memory():
    with Faxmail(smarthost="smtp://127.0.0.1:1") as faxmail:
        outcomes = look_at_all(faxmail, CORPUS)
        for outcome, least in (("accepted", 5), ("answered", 5), ("dropped", 5), ("refused", 2)):  # of two the sender is proved
            assert outcomes.count(outcome) >= least, (outcome, outcomes.count(outcome))
        broken = [line for line in faxmail.log().splitlines() if "could not be read" in line]
        same(broken, [])  # no reader was ended by a signal


@fact
def large_messages_are_read_without_much_memory():
    line = b"JVBERi0xLjQK" * 6 + b"\r\n"
    pdf = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    with Faxmail() as faxmail, tempfile.TemporaryDirectory() as folder:
        write(folder, "a_pdf", pdf, line, 500000)
        write(folder, "b_text", b"Content-Type: text/plain\r\n\r\n", b"so it goes on\r\n", 1000000)
        write(folder, "c_html", b"Content-Type: text/html; name=a.html\r\n\r\n", b"<p>word</p>\r\n", 1000000)
        write(folder, "d_too_large", pdf, line, 800000)
        same(look_at_all(faxmail, folder), ["accepted", "accepted", "accepted", "refused"])


@fact
def a_reader_that_takes_too_much_is_ended_and_the_sender_told():
    with Faxmail(memory_mib=64, cpu=5) as faxmail, tempfile.TemporaryDirectory() as folder:
        many = write(folder, "many", b"\r\n", b"--b\r\n\r\n", 300000)
        same(look(faxmail, many, ("--auth-user", "anna")), ("refused", []))
        # The fence of a sanitizer's build leaves memory alone: there it is the number of parts that is told.
        assert SANITIZED or "could not be read" in faxmail.log(), faxmail.log()


if __name__ == "__main__":
    sys.exit(main())
