#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed links to documents, against the real server; and the headers that every reply has."""
import os
import re
import stat
import sys

from faxd import PAGES, document, exchange, fact, main, octets, pixels, same, started, wait_for, within

PLAIN = exchange(lines=("1001", "1002"))
TOKEN = re.compile(r"/v1/links/[A-Za-z0-9_-]{80,120}")


def link(server, fax, key=None, **more):
    return server.ask("POST", f"/v1/faxes/{fax}/links", more, key=key)


def made(server, fax, **more):
    reply = link(server, fax, **more)
    same((reply.status, reply.body if reply.status != 201 else b""), (201, b""))
    same(TOKEN.fullmatch(reply.json["url"]) is not None, True)
    return reply.json["url"]


def stranger(server, path, method="GET", **headers):
    """Asks without a key."""
    client = server.client()
    client.request(method, path, headers=headers)
    answer = client.getresponse()
    found = answer.status, answer.headers, answer.read()
    client.close()
    return found


def code_of(server, path):
    status, _, body = stranger(server, path)
    return status, re.search(rb'"code":"([a-z_]+)"', body)[1].decode()


def sent(server):
    fax = server.send("1002")
    same(server.wait_state(fax)["status"], "delivered")
    return fax


@fact
def a_link_gives_the_document_to_who_has_no_key():
    server = started(PLAIN)
    fax = sent(server)
    for more, kind, ending in (({}, "application/pdf", "pdf"), ({"format": "pdf"}, "application/pdf", "pdf"),
                               ({"format": "tiff"}, "image/tiff", "tif"), ({"copy": "original"}, "image/tiff", "tif")):
        status, headers, body = stranger(server, made(server, fax, **more))
        same((status, headers["Content-Type"]), (200, kind))
        same(headers["Content-Disposition"], f'inline; filename="{fax}.{ending}"')
        same((headers["Cache-Control"], headers["Referrer-Policy"]), ("no-store", "no-referrer"))
        if ending == "tif":
            same(pixels(body), pixels(PAGES[0]))
        else:
            same(body[:5], b"%PDF-")
    same(stranger(server, made(server, fax, copy="original"))[2], octets(PAGES[0]))
    status, headers, body = stranger(server, made(server, fax, format="tiff"), "HEAD")
    same((status, body, int(headers["Content-Length"]) > 1000), (200, b"", True))


@fact
def a_link_that_was_changed_is_none():
    server = started(PLAIN)
    fax, other = sent(server), sent(server)
    url = made(server, fax)
    for at in range(len("/v1/links/"), len(url)):
        changed = url[:at] + ("A" if url[at] != "A" else "B") + url[at + 1:]
        same((at, code_of(server, changed)), (at, (404, "no_such_link")))
    for path in ("/v1/links/x", url + "A", url[:-1], url + "=", url + "%00", url + "%0d%0aX:%20y", url + "/..",
                 "/v1/links/..%2f..%2flink.key", "/v1/links/%2e%2e", "/v1/links/" + fax, "/v1/links/"):
        status = stranger(server, path)[0]
        same((path, status), (path, 404))
    # The parts of two links do not make a third.
    second = made(server, other)
    mixed = [url[:cut] + second[cut:] for cut in range(60, len(url) - 3)]
    same({code_of(server, path) for path in mixed if path not in (url, second)}, {(404, "no_such_link")})
    same(code_of(server, url + "?format=tiff"), (400, "invalid_parameter"))
    same(stranger(server, url, "POST")[0], 405)


@fact
def a_link_ends_with_its_time():
    server = started(PLAIN)
    fax = sent(server)
    long, short = made(server, fax, expires_s=604800), made(server, fax, expires_s=1)
    same(wait_for(lambda: (lambda s: s if s[0] == 410 else None)(stranger(server, short))
                  and code_of(server, short), "the link to expire"), (410, "link_expired"))
    same(stranger(server, long)[0], 200)


@fact
def a_link_ends_when_the_documents_are_deleted():
    server = started(PLAIN)
    fax = sent(server)
    url = made(server, fax)
    same(stranger(server, url)[0], 200)
    same(server.ask("DELETE", f"/v1/faxes/{fax}").status in (200, 204), True)
    same(code_of(server, url), (410, "purged"))
    reply = link(server, fax)
    same((reply.status, reply.json["code"]), (410, "purged"))


@fact
def links_survive_a_restart_and_are_of_one_server_only():
    server = started(PLAIN)
    fax = sent(server)
    url = made(server, fax)
    path = os.path.join(server.state, "link.key")
    info = os.stat(path)
    same((stat.S_IMODE(info.st_mode), info.st_size), (0o600, 32))
    server.kill()
    server.start()
    same(stranger(server, url)[0], 200)
    server.kill()
    os.remove(path)
    server.start()
    same(code_of(server, url), (404, "no_such_link"))


@fact
def every_fault_of_a_link_is_told():
    server = started(PLAIN)
    fax = sent(server)
    for body, faults in (({"format": "gif"}, {("/format", "unknown_word")}),
                         ({"format": 1, "copy": "x", "expires_s": 0, "n": 1},
                          {("/format", "wrong_type"), ("/copy", "unknown_word"), ("/expires_s", "out_of_range"),
                           ("/n", "unknown_key")}),
                         ({"expires_s": 604801}, {("/expires_s", "out_of_range")}),
                         ({"expires_s": "9"}, {("/expires_s", "out_of_range")}),
                         ({"copy": "original", "format": "tiff"}, {("/format", "not_supported")}),
                         ({"format": "pdf-searchable"}, {("/format", "not_supported")})):
        reply = link(server, fax, **body)
        same((body, reply.status, reply.codes()), (body, 422, faults))
    same(server.ask("POST", f"/v1/faxes/{fax}/links", "[]", {"Content-Type": "application/json"}).status, 422)
    same(link(server, "fax_NONE").status, 404)
    same(link(server, fax, key=server.key_with("fax:read")).status, 403)
    same(stranger(server, f"/v1/faxes/{fax}/links", "POST")[0], 401)


@fact
def what_has_no_pages_has_no_link():
    server = started(PLAIN)
    fax = server.accepted(server.post([document(b"%PDF-1.4\nnothing of the kind")]))
    server.wait_state(fax, "failed")
    same(link(server, fax).status, 404)
    same(stranger(server, made(server, fax, copy="original"))[2], b"%PDF-1.4\nnothing of the kind")


@fact
def the_command_prints_a_link_that_works():
    server = started(PLAIN)
    fax = sent(server)
    for options, start in (([], b"%PDF-"), (["--format", "tiff", "--expires", "60"], b"II"), (["--original"], b"II")):
        code, out, _ = server.command("link", fax, *options)
        same(code, 0)
        prefix = f"http://127.0.0.1:{server.port}"
        same(out.startswith(prefix + "/v1/links/"), True)
        status, _, body = stranger(server, out.strip().removeprefix(prefix))
        same((status, body.startswith(start)), (200, True))
    same(server.command("link", fax, "--expires", "0")[0] != 0, True)
    same(server.command("link", fax, "--expires", "soon")[0] != 0, True)


@fact
def the_token_is_in_no_log_and_no_problem():
    server = started('server { log_level = debug }\n' + PLAIN)
    fax = sent(server)
    url = made(server, fax)
    stranger(server, url)
    _, _, body = stranger(server, url[:-1])
    within(b"/v1/links/{token}", body)
    token = url.rpartition("/")[2]
    wait_for(lambda: "path=/v1/links/{token} status=404" in server.log(), "the request in the log")
    same(token[:40] in server.log(), False)


@fact
def every_reply_has_the_headers_that_keep_browsers_safe():
    server = started(PLAIN)
    fax = sent(server)
    asked = [("GET", p) for p in ("/", "/ui/style.css", "/ui/start.js", "/favicon.ico", "/v1/openapi.json", "/v1/faxes",
                                  f"/v1/faxes/{fax}", f"/v1/faxes/{fax}/document", f"/v1/faxes/{fax}/pages/1",
                                  "/health/live", "/metrics", "/nowhere", "/v1/links/x")]
    for method, path in asked + [("OPTIONS", "/v1/faxes"), ("DELETE", "/v1/faxes"), ("POST", "/v1/faxes")]:
        headers = server.ask(method, path).headers
        for name, value in (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
                            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
                            ("Cross-Origin-Resource-Policy", "same-origin")):
            same((path, name, headers[name]), (path, name, value))
        within("default-src 'none'", headers["Content-Security-Policy"])
        within("frame-ancestors 'none'", headers["Content-Security-Policy"])
        same("unsafe" in headers["Content-Security-Policy"], False)
        within("camera=()", headers["Permissions-Policy"])
        same(headers["Cache-Control"] in ("no-store", "no-cache", "private, no-cache"), True)
        same((path, headers["Server"]), (path, None))
    for path in ("/v1/faxes", f"/v1/faxes/{fax}", "/v1/api-keys", "/v1/events"):
        same((path, server.ask("GET", path).headers["Cache-Control"]), (path, "no-store"))


if __name__ == "__main__":
    sys.exit(main())
