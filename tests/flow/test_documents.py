#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents of many makers through the whole server: prepared, sent over the exchange, and legible where they arrive.
Prints TAP.

Each received page is compared with its picture in tests/data/golden, which a person has looked at. `test_documents.py
--golden [NAME...]` makes those pictures anew, after a change of what the converter draws; look at each before it is
committed."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import png  # noqa: E402
from faxd import (BUILD, DOCUMENTS, PAGES, document, exchange, fact, main, octets, pixels, same,  # noqa: E402
                  started, within)
from samples import (GOLDEN, NO_HEADER, OFFICE, PAGES_OF, POSTSCRIPT, SQUARE_MOST, WIDTH, all_arrive,  # noqa: E402
                     arrives, fails, looks_like, make_golden)


# --- every maker ---


@fact
def every_sample_is_in_the_table_or_known_to_be_bad():
    bad = {"README.md", "empty.pdf", "encrypted.pdf", "truncated.pdf", "truncated.jpg", "zero-pages.pdf", "latin-password.pdf", "slides.odp",
           "table.xlsx"}
    same(sorted(set(os.listdir(DOCUMENTS)) - bad), sorted(PAGES_OF))


@fact
def pdf_of_many_makers_arrives_legibly():
    all_arrive(name for name in PAGES_OF if name.endswith(".pdf"))


@fact
def pictures_texts_and_drawings_arrive_legibly():
    all_arrive(name for name in PAGES_OF if not name.endswith(".pdf") and name not in POSTSCRIPT | OFFICE)


@fact
def a_page_of_another_document_would_be_seen():
    got = png.read(octets(os.path.join(GOLDEN, "latin.txt-1.png")))
    for name in ("latin1.txt-1.png", "invoice-libreoffice.pdf-1.png"):
        want = png.read(octets(os.path.join(GOLDEN, name)))
        rows = min(len(got), len(want))
        _, square = png.distance(png.shrink(got[:rows], 8), png.shrink(want[:rows], 8))
        same((name, square > SQUARE_MOST), (name, True))
    without_a_line = [b"\xff" * WIDTH if 24 <= y < 32 else row for y, row in enumerate(got)]
    same(png.distance(png.shrink(got, 8), png.shrink(without_a_line, 8))[1] > SQUARE_MOST, True)


# --- what a request says about documents ---


@fact
def documents_that_cannot_be_read_say_why():
    server = started()
    for name, code, words in (("truncated.pdf", "conversion_failed", "damaged"),
                              ("truncated.jpg", "conversion_failed", "ends too early"),
                              ("zero-pages.pdf", "conversion_failed", "no pages")):
        within(words, fails(server, [document(name)], code))
    reply = server.post([document("empty.pdf")])
    same((reply.status, reply.codes()), (422, {("/documents/0/data", "empty_document")}))
    reply = server.post([document("latin.txt"), document(b"\0\1\2\3" * 100)])
    same((reply.status, reply.codes()), (422, {("/documents/1/data", "document_unsupported")}))


@fact
def an_encrypted_pdf_needs_its_password():
    server = started()
    for more in ({}, {"password": "wrong"}):
        message = fails(server, [document("encrypted.pdf", **more)], "document_unsupported")
        within("password", message)
        same("wrong" in message, False)
    for password in ("secret", "keeper"):
        sent, received = arrives(server, [document("encrypted.pdf", password=password)], **NO_HEADER)
        same(sent["pages"]["total"], 2)
        looks_like("letter-ghostscript.pdf", 1, server.picture(received["id"], 1, WIDTH))
    sent, _ = arrives(server, [document("latin-password.pdf", password="schlüssel")])
    same(sent["pages"]["total"], 2)
    # Who has been given it once is no help to the next one.
    fails(server, [document("encrypted.pdf")], "document_unsupported")
    same("secret" in server.log() or "keeper" in server.log(), False)


@fact
def of_a_document_some_pages_can_be_taken():
    server = started()
    for pages, of in (("2", [2]), ("11-", [11, 12]), ("3,1-2", [1, 2, 3]), ("12,12", [12])):
        _, received = arrives(server, [document("text-12-pages.pdf", pages=pages)], **NO_HEADER)
        same((pages, received["pages"]["total"]), (pages, len(of)))
        for at, page in enumerate(of, 1):
            looks_like("text-12-pages.pdf", page, server.picture(received["id"], at, WIDTH))
    for pages in ("0", "3-2", "a", "1-2-3", "1;2", "-", "1" * 400):
        reply = server.post([document("text-12-pages.pdf", pages=pages)])
        same((pages, reply.status, reply.codes()), (pages, 422, {("/documents/0/pages", "invalid_pages")}))
    for pages in ("13", "20-"):
        message = fails(server, [document("text-12-pages.pdf", pages=pages)], "document_unsupported")
        within("12 pages", message)


@fact
def more_pages_than_allowed_are_refused_and_as_many_go():
    server = started("page { max_pages = 3 }\n" + exchange())
    within("3", fails(server, [document("text-12-pages.pdf")], "too_many_pages"))
    within("3", fails(server, [document("letter-cairo.pdf"), document("letter-cairo.pdf")], "too_many_pages"))
    fails(server, [document("article-pdftex.pdf")], "too_many_pages", cover_page="plain")
    sent, _ = arrives(server, [document("text-12-pages.pdf", pages="4-6")])
    same(sent["pages"]["total"], 3)
    sent, _ = arrives(server, [document("article-pdftex.pdf")])
    same(sent["pages"]["total"], 3)


@fact
def several_documents_go_in_their_order():
    server = started()
    names = ("latin.txt", "letter-cairo.pdf", "photo.jpg", "two-page-mixed.tif", "bom.txt")
    sent, received = arrives(server, [document(name) for name in names], **NO_HEADER)
    same(sent["pages"]["total"], 7)
    page = 0
    for name in names:
        for of in range(1, PAGES_OF[name] + 1):
            page += 1
            looks_like(name, of, server.picture(received["id"], page, WIDTH))
    # Fax pages among others stay as they are, dot for dot.
    _, received = arrives(server, [document("latin.txt"), document(octets(PAGES[0])), document(octets(PAGES[1]))],
                          **NO_HEADER)
    same(pixels(server.document(received["id"]))[1:], pixels(PAGES[0]) + pixels(PAGES[1]))
    message = fails(server, [document("latin.txt"), document("truncated.jpg")], "conversion_failed")
    within("document 2", message)
    reply = server.post([document("bom.txt")] * 21)
    same((reply.status, reply.codes()), (422, {("/documents", "too_many_documents")}))


@fact
def a_text_needs_no_base64():
    server = started()
    text = octets(os.path.join(DOCUMENTS, "latin.txt")).decode()
    _, received = arrives(server, [{"text": text}], **NO_HEADER)
    looks_like("latin.txt", 1, server.picture(received["id"], 1, WIDTH))
    for wrong, code in ((1, "wrong_type"), ("", "empty_document")):
        reply = server.post([{"text": wrong}])
        same((reply.status, reply.codes()), (422, {("/documents/0/text", code)}))
    reply = server.post([{"text": text, "data": "eA=="}])
    same((reply.status, reply.codes()), (422, {("/documents/0", "missing")}))


# --- what the far end can print ---


def plain_machine(station):
    """A far end that can do less; its engine is told by its station id (tests/fsp/hostile.c)."""
    return exchange(lines=(("3001", ""), ("3002", f'station_id = "{station}" send = false')), name="plain",
                    extra=f'engine = "{BUILD}/hostile-t30"')


def widths_and_heights(server, fax):
    return [tuple(int(part) for part in line.split()[:2]) for line in pixels(server.document(fax["id"]))]


@fact
def a_machine_of_standard_resolution_gets_that_in_the_same_call():
    server = started(plain_machine("ONLY STANDARD"))
    for resolution in ("standard", "fine", "superfine"):
        sent, received = arrives(server, [document("letter-cairo.pdf")], to="3002", resolution=resolution, **NO_HEADER)
        same((resolution, sent["calls"], sent["transport"]["resolution"]), (resolution, 1, "204x98"))
        same([width for width, _ in widths_and_heights(server, received)], [1728, 1728])
        looks_like("letter-cairo.pdf", 1, server.picture(received["id"], 1, WIDTH))


@fact
def a_machine_of_a4_alone_gets_wider_pages_made_narrower_in_the_same_call():
    wide = [document("pricelist-reportlab.pdf")]
    server = started(exchange())
    sent, received = arrives(server, wide, resolution="fine", **NO_HEADER)
    same((sent["calls"], [width for width, _ in widths_and_heights(server, received)]), (1, [2048, 2048]))
    server = started(plain_machine("ONLY NARROW"))
    sent, received = arrives(server, wide, to="3002", resolution="fine", **NO_HEADER)
    same((sent["calls"], sent["transport"]["resolution"]), (1, "204x196"))
    same([width for width, _ in widths_and_heights(server, received)], [1728, 1728])


@fact
def a_header_line_is_on_whichever_form_leaves():
    server = started(plain_machine("ONLY STANDARD"))
    sent, received = arrives(server, [document("letter-cairo.pdf")], to="3002")
    same(pixels(server.document(sent["id"])), pixels(server.document(received["id"])))


if __name__ == "__main__":
    sys.exit(make_golden(sys.argv[2:]) if sys.argv[1:2] == ["--golden"] else main())
