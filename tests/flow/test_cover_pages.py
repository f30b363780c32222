#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Cover pages that are stored by way of the API: made, drawn, changed, deleted, and what is refused. Prints TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import png  # noqa: E402
from faxd import exchange, fact, main, same, started, within  # noqa: E402
from samples import NO_HEADER, WIDTH, arrives  # noqa: E402
from visitor import Visitor, made, problem  # noqa: E402

PLAIN = exchange(lines=("1001", "1002"))
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">%s</svg>'
BLACK = SVG % '<rect x="20" y="20" width="160" height="160"/><text x="20" y="250" font-size="6">{{note}} {{ticket}}</text>'
EMPTY = SVG % '<text x="20" y="250" font-size="6">{{note}}</text>'


def store(server, name, template, **more):
    return server.ask("POST", "/v1/cover-pages", {"name": name, "template": template}, **more)


def stored(server, name, template):
    reply = store(server, name, template)
    same((reply.status, reply.body if reply.status != 201 else b""), (201, b""))
    return reply


def sample(server, **wish):
    return server.ask("POST", "/v1/cover-pages/sample", wish)


@fact
def a_template_is_stored_used_changed_and_deleted():
    server = started(PLAIN)
    reply = stored(server, "office-1", BLACK)
    same(reply.headers["Location"], "/v1/cover-pages/office-1")
    cover = reply.json
    same((cover["name"], cover["from_config"], sorted(cover["fields"]), cover["size"], cover["template"]),
         ("office-1", False, ["note", "ticket"], len(BLACK), BLACK))
    same(server.get("/v1/cover-pages/office-1"), cover)
    wanted = {"cover_page": {"template": "office-1", "fields": {"note": "Hello", "ticket": "1"}}}
    waits = server.accepted(server.post([], hold=True, **wanted, **NO_HEADER))
    server.wait_state(waits, "held")
    _, received = arrives(server, [], **wanted, **NO_HEADER)
    same(png.ink(server.picture(received["id"], 1, WIDTH)) > 0.3, True)
    # Changed: the next fax has the new one, the one that waits what it was accepted with.
    reply = server.ask("PATCH", "/v1/cover-pages/office-1", {"template": EMPTY})
    same((reply.status, reply.json["template"], reply.json["created_at"]), (200, EMPTY, cover["created_at"]))
    _, received = arrives(server, [], cover_page={"template": "office-1", "note": "Hello"}, **NO_HEADER)
    same(png.ink(server.picture(received["id"], 1, WIDTH)) < 0.02, True)
    same(server.ask("DELETE", "/v1/cover-pages/office-1").status, 204)
    problem(server.ask("GET", "/v1/cover-pages/office-1"), 404, "no_such_cover_page")
    reply = server.post([], cover_page="office-1")
    same(reply.codes(), {("/cover_page/template", "unknown_cover_page")})
    server.ask("POST", f"/v1/faxes/{waits}/release")
    server.wait_state(waits, "delivered")
    same(png.ink(server.picture(waits, 1, WIDTH)) > 0.3, True)


@fact
def what_is_no_plain_drawing_is_refused_with_the_reason_and_not_stored():
    server = started(PLAIN)
    before = server.get("/v1/cover-pages")
    for template, words in (
            ("<svg", "well-formed"), ("no markup at all", "well-formed"), ("<html></html>", "no SVG drawing"),
            ('<!DOCTYPE svg [<!ENTITY a "x">]>' + SVG % "<text>&a;</text>", "document type"),
            (SVG % "<script>x()</script>", "<script>"), (SVG % '<rect onclick="x()" width="1" height="1"/>', "onclick"),
            (SVG % '<g><a xlink:href="javascript:x()" xmlns:xlink="http://www.w3.org/1999/xlink"/></g>', "javascript"),
            (SVG % '<image href="file:///etc/passwd" width="9" height="9"/>', "/etc/passwd"),
            (SVG % '<image href="https://example.org/logo.png" width="9" height="9"/>', "example.org"),
            (SVG % '<image href="data:image/svg+xml,x" width="9" height="9"/>', "svg+xml"),
            (SVG % '<use href="other.svg#a"/>', "other.svg"),
            (SVG % '<style>@import "a.css";</style>', "@import"),
            (SVG % '<style>text { fill: url( "https://example.org/a#b" ) }</style>', "example.org"),
            (SVG % '<rect fill="URL(a.svg#x)" width="1" height="1"/>', "a.svg"),
            (SVG % '<rect style="fill:\\75rl(a.svg)" width="1" height="1"/>', "backslash"),
            (SVG % "<foreignObject/>", "foreignObject"),
            ('<?xml-stylesheet href="a.css"?>' + SVG % "", "xml-stylesheet"),
            ('<?xml version="1.0" encoding="iso-8859-1"?>' + SVG % "", "UTF-8"),
            (SVG % "<text x='{{note}}' y='1'>a</text>", "attribute"), (SVG % "<text>{{No Field}}</text>", "no field"),
            (SVG % "<g data-if='colour'/>", "colour"), (SVG % ("<g>" * 300 + "</g>" * 300), "well-formed|nested")):
        for reply in (store(server, "bad", template), sample(server, template=template)):
            same((template, reply.status, reply.codes() if reply.status == 422 else reply.body),
                 (template, 422, {("/template", "invalid_template")}))
            detail = reply.json["errors"][0]["detail"]
            same((detail, any(word in detail for word in words.split("|"))), (detail, True))
    same(server.get("/v1/cover-pages"), before)
    # The same of one that is changed: it stays as it was.
    stored(server, "good", EMPTY)
    same(server.ask("PATCH", "/v1/cover-pages/good", {"template": SVG % "<script/>"}).status, 422)
    same(server.get("/v1/cover-pages/good")["template"], EMPTY)


@fact
def what_is_in_the_drawing_itself_may_be_referred_to():
    server = started(PLAIN)
    dot = ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5Erk"
           "Jggg==")
    stored(server, "inside", SVG % (
        f'<image href="{dot}" width="9" height="9"/><defs><g id="a"><rect width="5" height="5"/></g></defs>'
        '<use href="#a"/><linearGradient id="b"/><rect fill="url(#b)" width="1" height="1"/>'
        '<style>text { fill: url(\'#b\') }</style><!-- a comment -->'))


@fact
def names_and_sizes_have_their_limits():
    server = started(PLAIN)
    for name in ("", "Upper", "with space", "../plain", "a" * 65, "ä"):
        reply = store(server, name, EMPTY)
        same((name, reply.status, {pointer for pointer, _ in reply.codes()}), (name, 422, {"/name"}))
    same(server.ask("POST", "/v1/cover-pages", {}).codes(), {("/name", "missing"), ("/template", "missing")})
    same(server.ask("POST", "/v1/cover-pages", {"name": "a", "template": 1, "tmplate": ""}).codes(),
         {("/template", "wrong_type"), ("/tmplate", "unknown_key")})
    same(store(server, "a", "x" * (256 * 1024 + 1)).codes(), {("/template", "too_long")})
    same(store(server, "a", "x" * 900000).status, 413)
    padded = EMPTY + "<!--" + "\n" * (256 * 1024 - len(EMPTY) - 7) + "-->"
    same(len(padded), 256 * 1024)
    stored(server, "large", padded)
    problem(store(server, "large", EMPTY), 409, "exists")


@fact
def the_configurations_own_are_only_looked_at():
    server = started(PLAIN)
    folder = os.path.join(server.state, "covers")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "mine.svg"), "w", encoding="utf-8") as file:
        file.write(EMPTY)
    for name in ("mine", "plain"):
        cover = server.get("/v1/cover-pages/" + name)
        same((cover["from_config"], cover["created_at"], cover["template"].startswith("<")), (True, None, True))
        problem(server.ask("PATCH", "/v1/cover-pages/" + name, {"template": EMPTY}), 409, "from_config")
        problem(server.ask("DELETE", "/v1/cover-pages/" + name), 409, "from_config")
        problem(store(server, name, EMPTY), 409, "exists")
    same(server.get("/v1/cover-pages/mine")["template"], EMPTY)
    # A file that comes later wins over what was stored under its name, and gives it free when it goes.
    stored(server, "later", BLACK)
    with open(os.path.join(folder, "later.svg"), "w", encoding="utf-8") as file:
        file.write(EMPTY)
    same(server.get("/v1/cover-pages/later")["template"], EMPTY)
    problem(server.ask("DELETE", "/v1/cover-pages/later"), 409, "from_config")
    os.unlink(os.path.join(folder, "later.svg"))
    same(server.get("/v1/cover-pages/later")["template"], BLACK)


@fact
def the_list_goes_page_by_page():
    server = started(PLAIN)
    for name in ("zebra", "apple"):
        stored(server, name, EMPTY)
    names, query = [], "limit=2"
    while query:
        page = server.get("/v1/cover-pages?" + query)
        names += [one["name"] for one in page["data"]]
        same(all("template" not in one for one in page["data"]), True)
        query = f"limit=2&cursor={page['next_cursor']}" if page["has_more"] else None
    same(names, ["apple", "letter", "plain", "urgent", "zebra"])
    same(server.ask("GET", "/v1/cover-pages?limit=0").status, 400)


@fact
def a_sample_is_drawn_with_the_fields_that_are_given():
    server = started(PLAIN)
    template = SVG % ('<g data-if="note"><rect x="20" y="20" width="160" height="160"/></g>'
                      '<text x="20" y="250" font-size="6" data-width="150" data-height="12">{{subject}} {{ticket}}</text>')
    full, bare = sample(server, template=template), sample(server, template=template, fields={"note": ""})
    for reply, heavy in ((full, True), (bare, False)):
        same((reply.status, reply.headers["Content-Type"], png.ink(png.read(reply.body)) > 0.3),
             (200, "image/png", heavy))
    same(len(png.read(sample(server, template=template, width=300).body)[0]), 300)
    reply = sample(server, template=template, format="pdf")
    same((reply.status, reply.headers["Content-Type"], reply.body[:5]), (200, "application/pdf", b"%PDF-"))
    same(sample(server, name="plain").status, 200)
    problem(sample(server, name="none"), 404, "no_such_cover_page")
    within("no room", sample(server, template=template, fields={"subject": "word " * 600}).json["errors"][0]["detail"])
    same(sample(server).codes(), {("", "missing")})
    same(sample(server, name="plain", template=template).codes(), {("", "missing")})
    same(sample(server, name="plain", format="gif", width=0, fields={"A": "", "b": 1}).codes(),
         {("/format", "unknown_word"), ("/width", "out_of_range"), ("/fields/A", "invalid_name"),
          ("/fields/b", "wrong_type")})
    same([one["name"] for one in server.get("/v1/cover-pages")["data"]], ["letter", "plain", "urgent"])


@fact
def who_may_send_sees_them_and_who_operates_makes_them():
    server = started(PLAIN)
    operator, sender, reader = (made(server, role, role) for role in ("operator", "sender", "reader"))
    body = {"name": "ours", "template": EMPTY}
    for visitor in (sender, reader):
        problem(visitor.ask("POST", "/v1/cover-pages", body), 403, "role_not_allowed")
    same(operator.ask("POST", "/v1/cover-pages", body).status, 201)
    same(sender.get("/v1/cover-pages/ours")["template"], EMPTY)
    same(sender.ask("POST", "/v1/cover-pages/sample", {"name": "ours"}).status, 200)
    problem(sender.ask("DELETE", "/v1/cover-pages/ours"), 403, "role_not_allowed")
    key = server.ask("POST", "/v1/api-keys", {"name": "k", "scopes": ["fax:send"]}).json["token"]
    problem(Visitor(server, key).ask("PATCH", "/v1/cover-pages/ours", {"template": BLACK}), 403, "insufficient_scope")
    entries = [(one["action"], one["object"]) for one in server.get("/v1/audit-log?object=ours")["data"]]
    same(("cover_page.created", "ours") in entries, True)


@fact
def they_are_there_after_a_restart():
    server = started(PLAIN)
    stored(server, "ours", EMPTY)
    server.kill()
    server.start()
    same(server.get("/v1/cover-pages/ours")["template"], EMPTY)


if __name__ == "__main__":
    sys.exit(main())
