#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The line on top of each page: what it says, that it is on what leaves and not on what was prepared, who may turn it off,
and the copy of what left when a fax took several calls. Prints TAP."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import png  # noqa: E402
from faxd import (DOCUMENTS, FAST_RETRIES, PAGES, document, exchange, fact, joined, main, octets, pixels, same,  # noqa: E402
                  started, within)
from samples import arrives, dots  # noqa: E402

ROWS = 60  # of fine resolution, in which the line stands

LETTER = [document("letter-cairo.pdf")]


def words(server, fax, page=1):
    """What an eye reads on top of a page."""
    path = os.path.join(server.folder, "top.png")
    with open(path, "wb") as file:
        file.write(png.write(server.picture(fax, page, 3456)[:90]))
    done = subprocess.run(["tesseract", path, "-", "--dpi", "400", "--psm", "6"], capture_output=True, text=True, check=True)
    return done.stdout


def prepared_and_sent(server, documents, **more):
    """Both as dots, and the faxes: what waited for its release, what left, what arrived."""
    fax = server.accepted(server.post(documents, hold=True, **more))
    held = server.wait_state(fax, "held")
    prepared = dots(server.document(fax))
    same(server.ask("POST", f"/v1/faxes/{fax}/release").status, 200)
    sent = server.wait_state(fax)
    same((sent["status"], sent["document_sha256"]), ("delivered", held["document_sha256"]))
    received = server.settled_inbound(1)[-1]
    same(pixels(server.document(fax)), pixels(server.document(received["id"])))
    return prepared, dots(server.document(fax)), sent, received


@fact
def a_page_leaves_with_a_line_on_top_and_is_else_as_it_was_prepared():
    server = started()
    prepared, sent, _, _ = prepared_and_sent(server, LETTER)
    same(len(prepared), len(sent))
    for before, after in zip(prepared, sent):
        same(before[:ROWS] == after[:ROWS], False)
        same((len(before), before[ROWS:]), (len(after), after[ROWS:]))


def moved(before, after):
    """By how many rows a page moved down to make room: all of it is there, but for white rows at its foot."""
    for rows in range(ROWS + 1):
        kept = len(after) - rows
        if after[ROWS:] == before[ROWS - rows:kept] and not any(any(row) for row in before[kept:]):
            return rows
    raise AssertionError("the page is not what was prepared")


@fact
def what_stands_on_top_of_a_page_moves_down():
    server = started()
    prepared, sent, _, _ = prepared_and_sent(server, [document("jpeg2000-img2pdf.pdf"), document(octets(PAGES[0]))])
    same(any(any(row) for row in prepared[0][:10]), True)
    same(moved(prepared[0], sent[0]) > 20, True)
    same(prepared[1], dots(octets(PAGES[0]))[0])
    moved(prepared[1], sent[1])


@fact
def the_original_is_given_as_it_came():
    server = started()
    fax = server.wait_state(server.accepted(server.post([document("letter-cairo.pdf"), document("latin.txt")])))["id"]
    for n, name in ((1, "letter-cairo.pdf"), (2, "latin.txt")):
        reply = server.ask("GET", f"/v1/faxes/{fax}/document?copy=original&n={n}")
        same((n, reply.status, reply.body == octets(os.path.join(DOCUMENTS, name))),
             (n, 200, True))
    same(server.ask("GET", f"/v1/faxes/{fax}/document?copy=original&n=3").status, 404)


@fact
def the_line_says_when_from_whom_to_whom_and_which_page():
    server = started('page { sender = "Harbour Office" time_zone = "Asia/Kolkata" }\n' + exchange())
    _, received = arrives(server, LETTER)
    first, second = words(server, received["id"]), words(server, received["id"], 2)
    for part in ("Harbour Office", "1001", "1002", "1/2", "IST"):
        within(part, first)
    within("2/2", second)
    _, received = arrives(server, LETTER, header={"text": "Night Desk", "time_zone": "America/New_York",
                                                  "page_numbers": False}, **{"from": "5550100"})
    line = words(server, received["id"])
    for part in ("Night Desk", "5550100", "1002"):
        within(part, line)
    same(("EST" in line or "EDT" in line, "1/2" in line, "IST" in line), (True, False, False))


@fact
def a_wrong_header_is_named():
    server = started()
    for header, pointer, code in (({"time_zone": "Mars/Base"}, "/header/time_zone", "unknown_time_zone"),
                                  ({"time_zone": "../../etc/passwd"}, "/header/time_zone", "unknown_time_zone"),
                                  ({"text": "x" * 101}, "/header/text", "too_long"),
                                  ({"show": 1}, "/header/show", "wrong_type"),
                                  ({"colour": "red"}, "/header/colour", "unknown_key")):
        reply = server.post(LETTER, header=header)
        same((header, reply.status, reply.codes()), (header, 422, {(pointer, code)}))


@fact
def who_turns_the_line_off_has_to_be_allowed_to_and_it_is_written_down():
    server = started()
    sender = server.key_with("fax:send", "fax:read")
    reply = server.post(LETTER, key=sender, header={"show": False})
    same((reply.status, reply.json["code"]), (403, "header_required"))
    same(server.faxes(), [])
    same(server.post(LETTER, key=sender, header={"show": True}, hold=True).status, 202)
    prepared, sent, fax, _ = prepared_and_sent(server, LETTER, header={"show": False})
    same(sent, prepared)
    within("fax.header_hidden", server.events(fax["id"]))
    others = [f["id"] for f in server.faxes() if f["id"] != fax["id"]]
    same(["fax.header_hidden" in server.events(other) for other in others], [False] * len(others))


@fact
def without_a_line_by_configuration_pages_leave_as_they_are():
    server = started("page { header = false }\n" + exchange())
    prepared, sent, fax, _ = prepared_and_sent(server, LETTER)
    same((sent, "fax.header_hidden" in server.events(fax["id"])), (prepared, False))


def in_several_calls(resume, line_ms):
    """After so much line time, which is no time of day, the far end is gone in the middle of a page."""
    server = started(FAST_RETRIES + exchange(lines=("1001", ("1002", f"settings {{ drop_after_ms = {line_ms} }}"), "1003")))
    path = joined(server.folder, *PAGES)
    retry = {"max_attempts": 8, "resume": resume, "on_unconfirmed": "resend"}
    fax = server.wait_state(server.send("1002", path, retry=retry, header={"text": "Sender"}))
    same((fax["status"], fax["pages"]["total"], fax["calls"] > 1), ("delivered", 4, True))
    return server, fax, dots(octets(path))


@fact
def the_copy_as_sent_is_put_together_from_all_calls():
    for resume, line_ms in (("remaining", 40000), ("first_and_remaining", 56000)):
        server, fax, pages = in_several_calls(resume, line_ms)
        left = dots(server.document(fax["id"]))
        same(len(left), len(pages))
        for before, after in zip(pages, left):
            same(any(any(row) for row in after[:ROWS]), True)
            moved(before, after)
        held = [page for f in server.settled_inbound(fax["calls"]) if f["pages"]["total"]
                for page in dots(server.document(f["id"]))]
        same([page in held for page in left], [True] * 4)
        pdf = server.ask("GET", f"/v1/faxes/{fax['id']}/document")
        same((pdf.status, pdf.body[:5]), (200, b"%PDF-"))
        said = subprocess.run(["pdfinfo", "-"], input=pdf.body, capture_output=True, check=True).stdout.decode()
        same([line.split()[1] for line in said.splitlines() if line.startswith("Pages:")], ["4"])


if __name__ == "__main__":
    sys.exit(main())
