#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents that were damaged at random: each ends as a fax or with a reason, and the server stands. Prints TAP.

`test_mutants.py --seed N [COUNT]` tries others; MUTANTS_KEPT names a folder for those on which the converter crashed."""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import BUILD, DOCUMENTS, PAGES, document, exchange, fact, main, octets, same, started  # noqa: E402
from samples import arrives  # noqa: E402

SEED = 20240815
SAMPLES = ["letter-cairo.pdf", "letter-ghostscript.pdf", "encrypted.pdf", "rotated.pdf", "jpeg2000-img2pdf.pdf",
           "acroform-reportlab.pdf", "broken-xref.pdf", "two-page-mixed.tif", "jpeg-in-tiff.tif", "photo.jpg",
           "progressive.jpg", "palette.png", "grey16.png", "photo.svg"]
KNOWN = {"document_unsupported", "conversion_failed", "too_many_pages"}
AT_A_TIME = 20
CRASHED = "the converter crashed"


def sanitized():
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as file:
        return "#define FAXD_SANITIZED 1" in file.read()


COUNT = 200 if sanitized() else 1000


def flip(dice, data):
    for _ in range(dice.choice((1, 3, 10, 100))):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return data


def cut(dice, data):
    return data[:dice.randrange(1, len(data))]


def splice(dice, data):
    other = octets(os.path.join(DOCUMENTS, dice.choice(SAMPLES)))
    at = dice.randrange(len(other))
    to = dice.randrange(len(data))
    size = dice.randrange(1, 2000)
    return data[:to] + other[at:at + size] + data[to + dice.choice((0, size)):]


def repeat(dice, data):
    at, size = dice.randrange(len(data)), dice.choice((1, 4, 50, 1000))
    return data[:at] + data[at:at + size] * dice.choice((2, 10, 300)) + data[at + size:]


def leave_out(dice, data):
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.randrange(1, 500):]


def number(dice, data):
    """A decimal number in the text, or four octets, become an extreme."""
    digits = [i for i, octet in enumerate(data) if 48 <= octet <= 57]
    if digits and dice.random() < 0.7:
        at = dice.choice(digits)
        return data[:at] + dice.choice((b"-1", b"0", b"65536", b"2147483648", b"99999999999999999999")) + data[at + 1:]
    at = dice.randrange(len(data))
    return data[:at] + dice.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")) + data[at + 4:]


def mutants(seed, count):
    dice = random.Random(seed)
    for _ in range(count):
        data = bytearray(octets(os.path.join(DOCUMENTS, dice.choice(SAMPLES))))
        for _ in range(dice.choice((1, 1, 2, 4))):
            change = dice.choice((flip, flip, cut, splice, repeat, leave_out, number, number))
            data = change(dice, data) or data
        yield bytes(data)


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1])


def keep(data, number):
    folder = os.environ.get("MUTANTS_KEPT")
    if folder:
        with open(os.path.join(folder, f"mutant-{SEED}-{number}"), "wb") as file:
            file.write(data)


def check_end(fax, number):
    if fax["status"] == "held":
        same((number, 1 <= fax["pages"]["total"] <= 500), (number, True))
        return
    same((number, fax["status"], fax["calls"]), (number, "failed", 0))
    same((number, fax["error"]["code"] in KNOWN), (number, True))
    message = fax["error"]["message"]
    same((number, message, bool(message) and message.isprintable() and len(message) <= 400), (number, message, True))


def check_batch(server, batch):
    """Post them all, look how they end, and let go of them; how many became faxes, and which crashed the converter."""
    faxes, held, crashed = [], 0, []
    for number, data in batch:
        reply = server.post([document(data, password="secret")], hold=True)
        if reply.status == 422:
            same((number, {code for _, code in reply.codes()} <= {"document_unsupported"}), (number, True))
        else:
            faxes.append((number, data, server.accepted(reply)))
    for number, data, fax in faxes:
        end = server.wait_state(fax, "held", "failed")
        check_end(end, number)
        held += end["status"] == "held"
        if CRASHED in end.get("error", {}).get("message", ""):
            keep(data, number)
            crashed.append(number)
        if end["status"] == "held":
            same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    return held, crashed


@fact
def a_thousand_damaged_documents_harm_nobody():
    print(f"# seed {SEED}, {COUNT} documents")
    server = started()
    arrives(server, [document("latin.txt")])
    spawner, faxd = server.pids("faxd-convert"), server.process.pid
    before = resident_kb(faxd)
    all_of_them = list(enumerate(mutants(SEED, COUNT)))
    held, crashed = 0, []
    for at in range(0, COUNT, AT_A_TIME):
        more, worse = check_batch(server, all_of_them[at:at + AT_A_TIME])
        held += more
        crashed += worse
    print(f"# {held} became faxes; the converter crashed on {crashed}; {before} kB, at most {resident_kb(faxd)} kB")
    same((server.process.poll(), server.pids("faxd-convert")), (None, spawner))
    same(COUNT // 10 < held < COUNT, True)
    if not sanitized():
        same(resident_kb(faxd) < before + 64_000, True)
    same([fax["id"] for fax in server.faxes("status=preparing")], [])
    arrives(server, [document("letter-cairo.pdf")])


@fact
def as_covers_they_harm_nobody_either():
    server = started(exchange())
    folder = os.path.join(server.state, "covers")
    os.makedirs(folder, exist_ok=True)
    plain = octets(os.path.join(BUILD, "covers/plain.svg"))
    dice = random.Random(SEED)
    for number in range(COUNT // 10):
        data = bytearray(plain)
        for _ in range(dice.choice((1, 2, 4))):
            data = dice.choice((flip, cut, repeat, leave_out))(dice, data) or data
        with open(os.path.join(folder, "mine.svg"), "wb") as file:
            file.write(data)
        reply = server.post([], hold=True, cover_page={"template": "mine", "note": "x"})
        if reply.status == 422:
            continue
        fax = server.accepted(reply)
        end = server.wait_state(fax, "held", "failed")
        check_end(end, number)
    arrives(server, [document(octets(PAGES[0]))])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--seed"]:
        SEED = int(sys.argv[2])
        COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else COUNT
        sys.argv[1:] = []
    sys.exit(main())
