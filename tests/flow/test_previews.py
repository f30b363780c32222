#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Previews: what a fax would look like and cost; and long documents, which are accepted at once and prepared in sight.
Prints TAP."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import png  # noqa: E402
from faxd import document, exchange, fact, main, pixels, same, started, wait_for, within  # noqa: E402
from samples import NO_HEADER, WIDTH, arrives, looks_like  # noqa: E402

PREVIEWS_MAX = 64
LONG_S = 600  # 500 pages on a slow machine under sanitizers; twenty seconds or so when all is well


def preview(server, documents, key=None, **more):
    return server.ask("POST", "/v1/previews", {"to": "1002", **({"documents": documents} if documents else {}), **more},
                      key=key)


def made(server, documents, **more):
    reply = preview(server, documents, **more)
    same((reply.status, reply.headers["Location"]), (201, "/v1/previews/" + reply.json["id"]))
    return reply.json


def stored(server):
    """Files below documents/."""
    return sorted(os.path.join(path, name) for path, _, names in os.walk(os.path.join(server.state, "documents"))
                  for name in names)


def text_pdf(pages, lines=40):
    """A PDF by hand: Helvetica, each page says its number."""
    out, places = bytearray(b"%PDF-1.4\n"), []

    def add(body):
        places.append(len(out))
        out.extend(b"%d 0 obj\n%s\nendobj\n" % (len(places), body))

    add(b"<</Type/Catalog/Pages 2 0 R>>")
    add(b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(pages))))
    add(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for n in range(1, pages + 1):
        add(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
            % (len(places) + 2))
        text = b"BT /F 11 Tf 60 780 Td 16 TL " + b"".join(b"(Page %d, line %d of an order book) ' " % (n, i)
                                                          for i in range(1, lines + 1)) + b"ET"
        add(b"<</Length %d>>stream\n%s\nendstream" % (len(text), text))
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + b"".join(b"%010d 00000 n \n" % at for at in places)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start)
    return bytes(out)


# --- previews ---


@fact
def a_preview_tells_pages_time_and_what_is_unwise():
    server = started()
    plain = made(server, [document("letter-cairo.pdf")])
    same((plain["page_count"], plain["warnings"], [page["number"] for page in plain["pages"]]), (2, [], [1, 2]))
    same(20 < plain["seconds"] < 300, True)
    dark = made(server, [document(b"<svg xmlns='http://www.w3.org/2000/svg' width='210mm' height='297mm'>"
                                  b"<rect width='100%' height='80%'/></svg>")])
    same((len(dark["warnings"]), dark["pages"][0]["ink"] > 0.5), (1, True))
    within("page 1", dark["warnings"][0])
    within("dark", dark["warnings"][0])
    # Photographs over whole pages.
    grey = made(server, [document("newsletter-chromium.pdf"), document("two-page-mixed.tif")])
    same([len(page["warnings"]) for page in grey["pages"]].count(0) >= 2, True)
    same(grey["seconds"] > plain["seconds"], True)
    same(grey["seconds"] >= sum(page["seconds"] for page in grey["pages"]), True)


@fact
def a_grey_photograph_is_warned_of():
    server = started()
    rows = [bytes((x * 7 + y * 13 + (x * y) % 31 * 5) % 200 + 40 for x in range(600)) for y in range(800)]
    reply = made(server, [document(png.write(rows))], dither="diffusion")
    within("grey", " ".join(reply["warnings"]))
    same(reply["pages"][0]["seconds"] > 60, True)


@fact
def a_preview_can_be_looked_at():
    server = started()
    seen = made(server, [document("letter-cairo.pdf")], **NO_HEADER)
    path = "/v1/previews/" + seen["id"]
    same(server.get(path), seen)
    reply = server.ask("GET", seen["pages"][0]["image"] + f"?w={WIDTH}")
    same((reply.status, reply.headers["Content-Type"]), (200, "image/png"))
    looks_like("letter-cairo.pdf", 1, png.read(reply.body))
    reply = server.ask("GET", seen["links"]["document"])
    same((reply.status, reply.headers["Content-Type"], reply.body[:5]), (200, "application/pdf", b"%PDF-"))
    tiff = server.ask("GET", path + "/document?format=tiff")
    same((tiff.status, tiff.headers["Content-Type"], len(pixels(tiff.body))), (200, "image/tiff", 2))
    sent, _ = arrives(server, [document("letter-cairo.pdf")], **NO_HEADER)
    same(pixels(tiff.body), pixels(server.document(sent["id"])))
    for wrong, status in (("/pages/3", 404), ("/pages/0", 404), ("/pages/x", 404), ("/pages/1?w=1", 400),
                          ("/document?format=doc", 400)):
        same((wrong, server.ask("GET", path + wrong).status), (wrong, status))


@fact
def a_preview_of_a_cover_is_what_the_fax_would_be():
    server = started('page { sender = "Harbour Office" }\n' + exchange())
    wanted = {"cover_page": {"template": "letter", "fields": {"to_name": "Ann", "date": "today", "time": "now"}}, **NO_HEADER}
    seen = made(server, [document("latin.txt")], **wanted)
    tiff = server.ask("GET", f"/v1/previews/{seen['id']}/document?format=tiff").body
    sent, _ = arrives(server, [document("latin.txt")], **wanted)
    same(pixels(tiff), pixels(server.document(sent["id"])))


@fact
def a_preview_shows_the_header_line():
    server = started()
    with_line = made(server, [document("latin.txt")])
    without = made(server, [document("latin.txt")], **NO_HEADER)
    a, b = (png.read(server.ask("GET", seen["pages"][0]["image"]).body) for seen in (with_line, without))
    same((a[:60] == b[:60], a[70:] == b[70:]), (False, True))


@fact
def a_preview_is_its_owners_alone():
    server = started()
    seen = made(server, [document("latin.txt")])
    other = server.key_with("fax:send", "fax:read", "document:read")
    for path in ("", "/pages/1", "/document"):
        reply = server.ask("GET", f"/v1/previews/{seen['id']}{path}", key=other)
        same((path, reply.status), (path, 404))
    theirs = preview(server, [document("latin.txt")], key=other)
    same((theirs.status, server.ask("GET", "/v1/previews/" + theirs.json["id"]).status), (201, 404))
    same(preview(server, [document("latin.txt")], key=server.key_with("fax:read")).status, 403)


@fact
def a_preview_leaves_nothing_behind():
    server = started()
    made(server, [document("letter-cairo.pdf"), document("letter.ps")],
         cover_page={"template": "plain", "fields": {"to_name": "Ann"}})
    preview(server, [document("truncated.pdf")])
    same((stored(server), server.faxes()), ([], []))


@fact
def documents_that_cannot_be_faxed_cannot_be_previewed():
    server = started("page { max_pages = 3 }\n" + exchange())
    for documents, code in (([document("truncated.pdf")], "conversion_failed"),
                            ([document("encrypted.pdf")], "document_unsupported"),
                            ([document("encrypted.pdf", password="no")], "document_unsupported"),
                            ([document("text-12-pages.pdf")], "too_many_pages"),
                            ([document("latin.txt"), document("zero-pages.pdf")], "conversion_failed")):
        reply = preview(server, documents)
        same((code, reply.status, reply.codes()), (code, 422, {("/documents", code)}))
        same(bool(reply.json["errors"][0]["detail"]), True)
    reply = preview(server, [document(b"\0\1\2\3" * 100)])
    same((reply.status, reply.codes()), (422, {("/documents/0/data", "document_unsupported")}))
    same(preview(server, []).status, 422)
    same(stored(server), [])


@fact
def the_oldest_previews_make_room():
    server = started()
    ids = [made(server, [{"text": f"number {n}"}])["id"] for n in range(PREVIEWS_MAX + 6)]
    kept = [server.ask("GET", "/v1/previews/" + each).status for each in ids]
    same(kept, [404] * 6 + [200] * PREVIEWS_MAX)
    same(stored(server), [])


# --- long documents ---


@fact
def a_document_of_500_pages_is_accepted_at_once_and_prepared_in_sight():
    server = started()
    fax = server.accepted(server.post([document(text_pdf(500))], hold=True))
    same(server.fax(fax)["status"], "preparing")
    begun = time.monotonic()
    seen = []

    def look():
        state = server.fax(fax)
        if state["preparation"] and state["preparation"]["of"]:
            seen.append((state["preparation"]["pages"], state["preparation"]["of"]))
        return state if state["status"] != "preparing" else None

    state = wait_for(look, "500 pages", LONG_S)
    print(f"# {time.monotonic() - begun:.0f} s, {len(set(seen))} steps seen")
    same((state["status"], state["pages"]["total"], state["preparation"]), ("held", 500, None))
    same(({of for _, of in seen}, sorted(seen) == seen, len(set(seen)) > 2), ({500}, True, True))
    last = png.read(server.ask("GET", f"/v1/faxes/{fax}/pages/500?w={WIDTH}").body)
    same(0.005 < png.ink(last) < 0.2, True)
    fresh = server.accepted(server.post([document(text_pdf(501))], hold=True))
    same(server.wait_state(fresh)["error"]["code"], "too_many_pages")


@fact
def a_cancel_stops_the_preparation():
    server = started()
    fax = server.accepted(server.post([document(text_pdf(500))]))
    wait_for(lambda: (server.fax(fax)["preparation"] or {}).get("pages"), "its first pages")
    same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    same(server.wait_state(fax)["status"], "canceled")
    # The spawner alone is left of the converter's processes, and the next fax has its turn.
    wait_for(lambda: len(server.pids("faxd-convert")) <= 1, "the conversions to end")
    arrives(server, [document("latin.txt")])
    same(server.fax(fax)["status"], "canceled")


@fact
def a_long_document_keeps_nobody_waiting():
    server = started()
    long = server.accepted(server.post([document(text_pdf(500))], hold=True))
    arrives(server, [document("latin.txt")])
    same(server.fax(long)["status"], "preparing")
    server.ask("POST", f"/v1/faxes/{long}/cancel")


if __name__ == "__main__":
    sys.exit(main())
