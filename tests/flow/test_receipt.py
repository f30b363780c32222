#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Receipts: what became of a fax, on one sheet, that says what is known and no more. Prints TAP."""
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (FAST_RETRIES, PAGES, document, exchange, fact, joined, main, same, started,  # noqa: E402
                  within)


def receipt(server, fax, key=None):
    reply = server.ask("GET", f"/v1/faxes/{fax}/receipt", key=key)
    same((reply.status, reply.headers["Content-Type"], reply.body[:5]), (200, "application/pdf", b"%PDF-"))
    same(reply.headers["Content-Disposition"], f'inline; filename="receipt-{fax}.pdf"')
    return reply.body


def told(pdf):
    """Its words, line ends aside; it has to be one sheet."""
    info = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    same([line.split()[1] for line in info.splitlines() if line.startswith("Pages:")], ["1"])
    text = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    return " ".join(text.split())


def pictures(pdf, folder):
    """Width and height of each picture in it."""
    path = os.path.join(folder, "receipt.pdf")
    with open(path, "wb") as file:
        file.write(pdf)
    listed = subprocess.run(["pdfimages", "-list", path], capture_output=True, check=True).stdout.decode()
    return [tuple(map(int, line.split()[3:5])) for line in listed.splitlines()[2:]]


def joined_up(text):
    """What is broken to fit its column is one word."""
    return text.replace(" ", "")


@fact
def a_delivered_fax_and_the_one_that_came():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002", header={"show": True, "time_zone": "Europe/Berlin"}, station_id="+49 30 77",
                      client_reference="order <b>7</b>", **{"from": "Praxis"})
    sent = server.wait_state(fax)
    came = server.settled_inbound(1)[0]
    pdf = receipt(server, fax)
    text = told(pdf)
    for part in ("Proof of transmission", "DELIVERED", "To 1002", "From Praxis", "station id 1002", "Our station id +49 30 77",
                 "Pages 1 of 1 confirmed", "confirmed every page", "Duration of the call", "14400 bit/s, V.17, T.6",
                 "error correction", "Reference order <b>7</b>", "CET (UTC+0100)", "The first page as it was sent", fax):
        within(part, text)
    within(sent["document_sha256"], joined_up(text))
    same([width for width, _ in pictures(pdf, server.folder)], [1728])
    text = told(receipt(server, came["id"]))
    for part in ("Proof of reception", "RECEIVED", "Number called 1002", "Calling number 1001", "station id +49 30 77",
                 "1 received", "The first page as it was received"):
        within(part, text)
    same("Proof of transmission" in text, False)


@fact
def what_was_not_delivered_is_not_said_to_be():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy",
                                             lines=("1001", ("1002", "settings { drop_after_ms = 40000 }"), "1003")))
    busy = server.send("2001", retry={"max_attempts": 2})
    server.wait_state(busy)
    text = told(receipt(server, busy))
    for part in ("NOT DELIVERED", "did not confirm any page", "(busy)", "0 of 1 confirmed", "Calls 2",
                 "as it was prepared"):
        within(part, text)
    part = server.wait_state(server.send("1002", joined(server.folder, *PAGES), retry={"max_attempts": 1}))
    same(part["status"], "partially_delivered")
    text = told(receipt(server, part["id"]))
    for words in ("PARTIALLY DELIVERED", f"{part['pages']['confirmed']} of 4 confirmed", "as it was sent"):
        within(words, text)
    text = told(receipt(server, server.settled_inbound(1)[0]["id"]))
    within("PARTIALLY RECEIVED", text)
    held = server.send("1003", hold=True)
    server.wait_state(held, "held")
    reply = server.ask("GET", f"/v1/faxes/{held}/receipt")
    same((reply.status, reply.json["code"]), (409, "not_ended"))
    server.ask("POST", f"/v1/faxes/{held}/cancel")
    text = told(receipt(server, held))
    within("CANCELED", text)
    same("DELIVERED" in text.replace("NOT DELIVERED", ""), False)


@fact
def a_doubtful_end_and_a_test_say_so():
    server = started(FAST_RETRIES + exchange() + 'provider "sim" {\n module = simulator\n line "4001" {}\n}\n')
    key = server.ask("POST", "/v1/api-keys", {"name": "t", "scopes": ["fax:send"], "test": True}).json["token"]
    fax = server.accepted(server.submit("+12025550107", key=key, header={"show": True}))
    same(server.wait_state(fax)["status"], "unconfirmed")
    text = told(receipt(server, fax))
    for part in ("NOT CONFIRMED", "whether it has the fax is not known", "nobody was called"):
        within(part, text)


@fact
def a_fax_without_pages_has_a_receipt_without_a_picture():
    server = started(FAST_RETRIES + exchange())
    bad = server.accepted(server.post([document(b"%PDF-1.4 nothing")]))
    server.wait_state(bad)
    pdf = receipt(server, bad)
    within("There are no pages.", told(pdf))
    same(pictures(pdf, server.folder), [])
    fax = server.send("1002")
    sha = server.wait_state(fax)["document_sha256"]
    same(server.ask("DELETE", "/v1/faxes/" + fax).status, 200)
    pdf = receipt(server, fax)
    within("DELIVERED", told(pdf))
    within("The pages were deleted", told(pdf))
    within(sha, joined_up(told(pdf)))
    same(pictures(pdf, server.folder), [])


@fact
def texts_of_strangers_are_texts():
    server = started(FAST_RETRIES + exchange())
    server.wait_state(server.send("1002"))
    came = server.settled_inbound(1)[0]["id"]
    same(server.end(), 0)
    store = sqlite3.connect(server.state + "/faxd.db")
    with store:
        store.execute("UPDATE fax SET remote_station_id = ?, sender = ?, client_reference = ? WHERE public_id = ?",
                      ("<span foreground='red'>&amp;\x01\x1b[31m</span>", "\u05e9\u05dc\u05d5\u05dd " + "long name " * 60,
                       "W" * 255, came))
    store.close()
    server.start()
    text = told(receipt(server, came))
    within("<span foreground='red'>&amp; [31m</span>", text)
    within("\u05e9\u05dc\u05d5\u05dd", "".join(c for c in text if "\u05d0" <= c <= "\u05ea"))
    within("SHA-256 of the document", text)  # nothing pushed it out


@fact
def who_may_not_read_documents_gets_no_receipt():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002")
    server.wait_state(fax)
    reply = server.ask("GET", f"/v1/faxes/{fax}/receipt", key=server.key_with("fax:read"))
    same((reply.status, reply.json["code"]), (403, "insufficient_scope"))
    same(server.ask("GET", "/v1/faxes/fax_none/receipt").status, 404)
    same(server.ask("GET", f"/v1/faxes/{fax}/receipt?copy=1").status, 400)
    receipt(server, fax, server.key_with("document:read"))


@fact
def the_command_line_saves_it():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002")
    server.wait_state(fax)
    path = os.path.join(server.folder, "r.pdf")
    same(server.command("get", fax, "--receipt", "-o", path)[0], 0)
    with open(path, "rb") as file:
        within("DELIVERED", told(file.read()))


if __name__ == "__main__":
    sys.exit(main())
