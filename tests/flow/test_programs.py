#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What other programs do for faxd: PostScript by Ghostscript, office documents by LibreOffice, text under the pages by
Tesseract; and what becomes of a fax when the program is missing, fails, hangs or is no longer needed. Prints TAP."""
import glob
import os
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (DOCUMENTS, PAGES, document, exchange, fact, main, octets, running, same, started,  # noqa: E402
                  wait_for, within)
from samples import OFFICE, POSTSCRIPT, all_arrive, arrives, fails  # noqa: E402


def program(*words, kind="postscript", more=""):
    quoted = ", ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    return f"convert {{ {kind} = {{{quoted}}} {more} }}\n" + exchange()


class Marked:
    """A PostScript document that is told from all others on the machine, with what a conversion of it has going."""

    def __init__(self):
        self.mark = uuid.uuid4().hex.encode()
        self.data = octets(os.path.join(DOCUMENTS, "letter.ps")) + b"\n% " + self.mark + b"\n"
        self.folders = set()

    def document(self):
        return document(self.data)

    def left(self):
        """Folders that hold the document."""
        found = set()
        for path in glob.glob("/tmp/convert-*/input"):
            try:
                if self.mark in octets(path):
                    found.add(os.path.dirname(path))
            except OSError:
                continue  # another test's, gone meanwhile
        self.folders |= found
        return found

    def programs(self):
        """Processes that work on it."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = octets(f"/proc/{pid}/cmdline").decode(errors="replace")
            except OSError:
                continue
            if any(folder in words for folder in self.folders):
                found.append(int(pid))
        return found

    def runs(self):
        return self.left() and self.programs()

    def check_gone(self):
        wait_for(lambda: not self.programs() and not self.left(), "the program and its folder to go")


@fact
def postscript_arrives_by_ghostscript():
    all_arrive(POSTSCRIPT)


@fact
def office_documents_arrive_by_libreoffice():
    all_arrive(OFFICE)


@fact
def without_the_program_a_document_is_refused_at_the_door():
    server = started('convert { office = {"/nonexistent"} postscript = {} }\n' + exchange())
    for name, kind in [(name, "office") for name in sorted(OFFICE)] + [("letter.ps", "postscript"), ("letter.eps", "postscript")]:
        for path in ("/v1/faxes", "/v1/previews"):
            body = {"to": "1002", "documents": [document("latin.txt"), document(name)]}
            reply = server.ask("POST", path, body)
            same((name, reply.status, reply.codes()), (name, 422, {("/documents/1", "document_unsupported")}))
            within(f"of type {kind}", reply.json["errors"][0]["detail"])
            within("send it as PDF", reply.json["errors"][0]["detail"])
    same(server.faxes(), [])


@fact
def a_conversion_leaves_no_process_and_no_folder():
    marked = Marked()
    server = started()
    arrives(server, [marked.document()])
    marked.check_gone()


@fact
def a_program_that_fails_fails_the_fax_with_its_words():
    for words, said in ((("/bin/sh", "-c", "echo wrong >&2; echo type check in line 3 >&2; exit 3"), "type check in line 3"),
                        (("/bin/sh", "-c", "printf 'a\\033[31mb\\nred\\001\\n'; exit 1"), "red?"),
                        (("/bin/sh", "-c", "kill -SEGV $$"), "cannot convert"),
                        (("/bin/true",), "made no PDF"),
                        (("/bin/sh", "-c", "mkdir {folder}/input.pdf"), "made no PDF"),
                        (("/bin/sh", "-c", "ln -s /etc/passwd {folder}/input.pdf"), "made no PDF"),
                        (("/bin/sh", "-c", "mkfifo {folder}/input.pdf"), "made no PDF"),
                        (("/bin/sh", "-c", "echo no > {folder}/input.pdf"), "made no PDF")):
        marked = Marked()
        server = started(program(*words))
        within(said, fails(server, [marked.document()], "conversion_failed"))
        marked.check_gone()
        running.pop().stop()


@fact
def a_program_that_goes_is_waited_for_no_longer_than_the_limit():
    marked = Marked()
    server = started(program("/usr/bin/tail", "-f", "{input}", more="timeout = 5"))
    within("too long", fails(server, [marked.document()], "conversion_failed"))
    marked.check_gone()


@fact
def a_cancel_ends_the_program():
    marked = Marked()
    server = started(program("/usr/bin/tail", "-f", "{input}"))
    fax = server.accepted(server.post([marked.document()]))
    wait_for(marked.runs, "the program")
    same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    same(server.wait_state(fax)["status"], "canceled")
    marked.check_gone()


@fact
def a_program_may_be_ended_at_any_moment():
    server = started(program("/usr/bin/tail", "-f", "{input}"))
    for _ in range(30):
        marked = Marked()
        fax = server.accepted(server.post([marked.document()]))
        server.ask("POST", f"/v1/faxes/{fax}/cancel")
        same(server.wait_state(fax)["status"], "canceled")
        marked.check_gone()


@fact
def the_end_of_faxd_ends_the_program_and_the_fax_is_prepared_at_the_next_start():
    marked = Marked()
    server = started(program("/usr/bin/tail", "-f", "{input}"))
    fax = server.accepted(server.post([marked.document()]))
    wait_for(marked.runs, "the program")
    same(server.end(), 0)
    marked.check_gone()
    server.configure(exchange())
    server.start()
    same(server.wait_state(fax)["status"], "delivered")


@fact
def children_of_a_program_go_with_it():
    marked = Marked()
    server = started(program("/bin/sh", "-c", "tail -f {input} & setsid tail -f {folder}/input & wait"))
    fax = server.accepted(server.post([marked.document()]))
    wait_for(lambda: len(marked.runs() or []) >= 3, "the program and its children")
    same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    marked.check_gone()


# --- searchable PDF ---


# Tesseract alone cannot: of pages of black and white it makes files in /tmp, which is closed to programs of documents.
TESSERACT = ("tiff2pdf -o fax.pdf {input} && pdftoppm -r 204 -gray -png fax.pdf page && ls page-*.png > list && "
             "tesseract list input --dpi 204 pdf")


def text_of(pdf):
    return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


@fact
def a_searchable_pdf_holds_what_stands_on_the_page():
    server = started(program("/bin/sh", "-c", TESSERACT, kind="searchable"))
    sent, received = arrives(server, [document("letter-cairo.pdf")])
    for fax in (sent, received):
        reply = server.ask("GET", f"/v1/faxes/{fax['id']}/document?format=pdf-searchable")
        same((reply.status, reply.headers["Content-Type"]), (200, "application/pdf"))
        pages = text_of(reply.body).split("\f")
        same(len(pages), 3)  # each page ends so
        within("Atelier", pages[0])
        within("Croquis", pages[1])
        again = server.ask("GET", f"/v1/faxes/{fax['id']}/document?format=pdf-searchable")
        same(text_of(again.body), text_of(reply.body))


@fact
def a_searchable_pdf_is_offered_only_when_a_program_makes_it():
    server = started(exchange())
    fax = server.wait_state(server.send("1002", PAGES[0]))["id"]
    reply = server.ask("GET", f"/v1/faxes/{fax}/document?format=pdf-searchable")
    same((reply.status, reply.codes()), (400, {("?format", "not_supported")}))
    running.pop().stop()
    server = started(program("/bin/sh", "-c", "echo no language >&2; exit 1", kind="searchable"))
    fax = server.wait_state(server.send("1002", PAGES[0]))["id"]
    reply = server.ask("GET", f"/v1/faxes/{fax}/document?format=pdf-searchable")
    same((reply.status, reply.json["code"]), (500, "conversion_failed"))
    within("no language", reply.json["detail"])


if __name__ == "__main__":
    sys.exit(main())
