#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Cover pages: alone and before documents, their fields with whatever stands in them, templates of one's own. Prints
TAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import png  # noqa: E402
from faxd import document, exchange, fact, main, same, started, within  # noqa: E402
from samples import NO_HEADER, WIDTH, arrives, dots, fails, looks_like  # noqa: E402

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">%s</svg>'

# What would end an element, an attribute, a section, a field or a text; and what no XML document may hold.
HOSTILE = ["</text><rect width='210' height='297' fill='black'/>", "<script>x</script>", "&lt;&amp;&quot;&#65;&bogus;",
           "]]>", "<![CDATA[x]]>", "<!-- ", "--> <!ENTITY a SYSTEM 'file:///etc/passwd'>", "&a;", "<?xml version='1.0'?>",
           '" onload="x', "' fill='black", "{{subject}}", "{{", "}}", "{{{{note}}}}", "\x01\x02\x1b[31m", "\ufffe\uffff",
           "\u202e reversed \u202c", "\u200b\ufeff", "<span size='99999'>big</span>", "%s%n%x",
           "<image href='file:///etc/passwd'/>", "\\ud800", "\U0010ffff", "a" * 3000, "W" * 900 + " x" * 900, "\n" * 25, "\t\t\t",
           "\u0301" * 200, "\ufdfa" * 100]


def own(server, name, text):
    folder = os.path.join(server.state, "covers")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".svg"), "w", encoding="utf-8") as file:
        file.write(text)


def cover(template="plain", note=None, **fields):
    return {"cover_page": {"template": template, "fields": fields, **({"note": note} if note is not None else {})}}


@fact
def a_cover_can_go_alone_and_before_documents():
    server = started()
    for template in ("plain", "letter", "urgent"):
        sent, received = arrives(server, [], **cover(template, "Please call back.", to_name="Ann", subject="Boats"),
                                 **NO_HEADER)
        same((template, sent["pages"]["total"]), (template, 1))
        same((template, png.ink(server.picture(received["id"], 1, WIDTH)) > 0.001), (template, True))
    sent, received = arrives(server, [document("letter-cairo.pdf"), document("latin.txt")], **cover(), **NO_HEADER)
    same(sent["pages"]["total"], 4)
    looks_like("letter-cairo.pdf", 1, server.picture(received["id"], 2, WIDTH))
    looks_like("latin.txt", 1, server.picture(received["id"], 4, WIDTH))
    sent, _ = arrives(server, [], cover_page="plain")  # the name alone
    same(sent["pages"]["total"], 1)


def page_with(server, note):
    """As it arrives."""
    _, received = arrives(server, [], **cover("mine", note), **NO_HEADER)
    return dots(server.document(received["id"]))


def held_page_with(server, note):
    fax = server.accepted(server.post([], hold=True, **cover("drawn", note)))
    server.wait_state(fax, "held")
    return dots(server.document(fax))


@fact
def what_stands_in_a_field_is_text_and_nothing_else():
    server = started()
    # One line, one box, a text of the drawing; what is right of x = 150 and below y = 200 is no field's.
    own(server, "mine", SVG % '<text x="20" y="20" font-size="5" data-width="120">{{note}}</text>'
        '<text x="20" y="40" font-size="3" data-width="120" data-height="120">{{note}}</text>'
        '<text x="160" y="250" font-size="6">end</text>')
    plain = page_with(server, "harmless")
    for text in HOSTILE:
        got = page_with(server, text)
        same((text, len(got), len(got[0])), (text, 1, len(plain[0])))
        foot = len(plain[0]) * 200 // 297
        same((text, got[0][foot:] == plain[0][foot:]), (text, True))
        same((text, got[0][:foot] != plain[0][:foot] or not text.strip()), (text, True))


@fact
def what_stands_in_a_field_of_the_drawing_is_text_too():
    server = started()
    own(server, "drawn", SVG % '<g data-if="note"><text x="20" y="40" font-size="4">{{note}}</text></g>'
        '<text x="20" y="250" font-size="6">end</text>')
    plain = held_page_with(server, "harmless")
    for text in HOSTILE:
        got = held_page_with(server, text)
        foot = len(plain[0]) * 200 // 297
        same((text, len(got), got[0][foot:] == plain[0][foot:]), (text, 1, True))


@fact
def every_shipped_cover_takes_hostile_fields():
    server = started()
    for template in ("plain", "letter", "urgent"):
        for text in HOSTILE:
            fields = {name: text for name in ("to_name", "to_company", "from_name", "from_company", "subject", "reference")}
            short = {name: value[:200] for name, value in fields.items()}
            reply = server.post([], hold=True, **cover(template, text[:1500], **short))
            fax = server.wait_state(server.accepted(reply), "held", "failed")
            if fax["status"] == "failed":  # too long for its box is said so, with the field's own words
                within("no room for the text", fax["error"]["message"])
                same(fax["error"]["message"].isprintable(), True)
            else:
                same(fax["pages"]["total"], 1)


@fact
def what_a_cover_does_not_know_is_named():
    server = started()
    own(server, "mine", SVG % '<text x="20" y="20">{{ticket}}</text>')
    for wanted, pointer, code, words in (
            (cover("nosuch"), "/cover_page/template", "unknown_cover_page", "nosuch"),
            (cover("../plain"), "/cover_page/template", "unknown_cover_page", ""),
            (cover("plain", colour="red"), "/cover_page/fields/colour", "unknown_field", "colour"),
            (cover("mine"), "/cover_page/fields", "missing_field", "ticket"),
            (cover("mine", ticket="1", colour="red"), "/cover_page/fields/colour", "unknown_field", "colour"),
            (cover("plain", **{"To-Name": "x"}), "/cover_page/fields/To-Name", "invalid_name", "a-z"),
            (cover("plain", to_name=1), "/cover_page/fields/to_name", "wrong_type", ""),
            (cover("plain", to_name="x" * 4001), "/cover_page/fields/to_name", "too_long", "4000"),
            ({"cover_page": {"fields": {}}}, "/cover_page", "missing", "template"),
            ({"cover_page": 1}, "/cover_page", "wrong_type", "")):
        for path in ("/v1/faxes", "/v1/previews"):
            reply = server.ask("POST", path, {"to": "1002", **wanted})
            same((wanted, path, reply.status, reply.codes()), (wanted, path, 422, {(pointer, code)}))
            within(words, reply.json["errors"][0]["detail"])
    same(server.faxes(), [])


@fact
def the_covers_there_are_can_be_listed_with_their_fields():
    server = started()
    own(server, "mine", SVG % '<text x="20" y="20">{{ticket}} {{to_name}} {{ticket}}</text>')
    listed = {entry["name"]: entry["fields"] for entry in server.get("/v1/cover-pages")["data"]}
    same(sorted(listed), ["letter", "mine", "plain", "urgent"])
    same(sorted(listed["mine"]), ["ticket", "to_name"])


@fact
def a_cover_of_ones_own_wins_over_the_shipped_one():
    server = started()
    _, shipped = arrives(server, [], **cover("plain", "x"), **NO_HEADER)
    own(server, "plain", SVG % '<rect x="20" y="20" width="100" height="100"/>')
    _, mine = arrives(server, [], **cover("plain", "x"), **NO_HEADER)
    inks = [png.ink(server.picture(fax["id"], 1, WIDTH)) for fax in (shipped, mine)]
    same((inks[0] < 0.05, inks[1] > 0.1), (True, True))


@fact
def covers_may_lie_in_a_folder_of_the_configuration():
    server = started()
    own(server, "mine", SVG % "<rect x='20' y='20' width='100' height='100'/>")
    folder = os.path.join(server.state, "covers")
    other = started(f'page {{ covers = "{folder}" }}\n' + exchange())
    sent, _ = arrives(other, [], **cover("mine"))
    same(sent["pages"]["total"], 1)


@fact
def a_damaged_cover_fails_the_fax_and_says_why():
    server = started()
    for text, words in (("<svg", "cover page"), ("", "cover page"), ("no markup at all", "cover page"),
                        (SVG % "<text x='1' y='1'>{{note</text>", "{{note"),
                        (SVG % "<text x='1' y='1' data-width='-4'>{{note}}</text>", "data-width"),
                        (SVG % "<text x='{{note}}' y='1'>a</text>", "attribute"),
                        (SVG % "<style>{{note}}</style>", "style"),
                        (SVG % ("<g>" * 300 + "</g>" * 300), "cover page"),
                        ('<!DOCTYPE svg [<!ENTITY a "x">]>' + SVG % "<text x='1' y='20'>&a;</text>", "cover page"),
                        ("<html></html>", "cover page")):
        own(server, "mine", text)
        within(words, fails(server, [document("latin.txt")], "conversion_failed", **cover("mine", "x")))
    own(server, "mine", SVG % "<text x='20' y='20' data-width='50' data-height='10'>{{note}}</text>")
    within("no room for the text", fails(server, [], "conversion_failed", **cover("mine", "word " * 700)))
    own(server, "mine", SVG % "<image href='file:///etc/passwd' width='50' height='50'/><text x='20' y='200'>{{note}}</text>")
    arrives(server, [], **cover("mine", "x"))  # what lies elsewhere is not drawn


@fact
def a_cover_is_kept_as_it_was_when_the_fax_was_accepted():
    server = started()
    own(server, "mine", SVG % "<rect x='20' y='20' width='100' height='100'/>")
    fax = server.accepted(server.post([], hold=True, **cover("mine")))
    os.unlink(os.path.join(server.state, "covers", "mine.svg"))
    same(server.wait_state(fax, "held")["pages"]["total"], 1)


if __name__ == "__main__":
    sys.exit(main())
