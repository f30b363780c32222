#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails that faxd sends, to a real Postfix: receipts, received faxes, alarms; TLS, passwords, refusals, and a server
that is away. Prints TAP."""
import email
import email.policy
import os
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, Faxd, Receiver, exchange, fact, main, running, same, started, wait_for, within  # noqa: E402
from postfix import Postfix  # noqa: E402
import tls  # noqa: E402

FROM = "fax@office.example"
LINES = FAST_RETRIES + exchange()


def mail(port, more="", starttls="off", scheme="smtp", retry="{1, 1, 1, 2}"):
    return (f'mail {{ server = "{scheme}://127.0.0.1:{port}" starttls = {starttls} from = "{FROM}" retry = {retry}\n'
            f'{more} }}\n')


posts = []


def postfix(**more):
    """A started Postfix that ends after the fact."""
    posts.append(Postfix(**more))
    return posts[-1].start()


def mailed(function):
    """A fact after which every Postfix ends."""
    def run():
        try:
            function()
        finally:
            while posts:
                posts.pop().close()
    run.__name__ = function.__name__
    return fact(run)


def strict(raw):
    """The message as the standard library reads it when it forgives nothing."""
    return email.message_from_bytes(raw, policy=email.policy.strict)


def mails(server, query="limit=200"):
    return server.get("/v1/mails?" + query)["data"]


def wait_mails(server, condition, what):
    return wait_for(lambda: (lambda rows: rows if rows and condition(rows) else None)(mails(server)), what)


def all_sent(server, count=1):
    return wait_mails(server, lambda rows: len(rows) >= count and all(m["status"] == "sent" for m in rows), "all to be sent")


def attachments(message):
    return [(part.get_content_type(), part.get_filename(), part.get_payload(decode=True))
            for part in message.walk() if part.get_content_disposition() == "attachment"]


def text_of(message):
    return message.get_body(("plain",)).get_content()


def undated(pdf):
    """The same file whenever it was made."""
    return re.sub(rb"/CreationDate \([^)]*\)", b"", pdf)


def pdf_of(server, fax):
    return undated(server.ask("GET", f"/v1/faxes/{fax}/document?format=pdf").body)


def received(server, **more):
    """A received fax, which nothing has mailed."""
    same(server.wait_state(server.send("1002", **more))["status"], "delivered")
    return server.settled_inbound(1)[0]


def queue_received(server, fax, to="anna@office.example", options="{}"):
    """As a routing rule would: the row, in the store, while faxd is not there."""
    server.kill()
    store = sqlite3.connect(os.path.join(server.state, "faxd.db"))
    now = int(time.time() * 1000)
    with store:
        row = store.execute("SELECT id FROM fax WHERE public_id = ?", (fax["id"],)).fetchone()[0]
        number = store.execute("SELECT count(*) FROM mail").fetchone()[0]
        store.execute("INSERT INTO mail (public_id, kind, fax, recipient, options, created_at, queued_at, next_at)"
                      " VALUES (?, 1, ?, ?, ?, ?, ?, ?)",
                      (f"mail_01TEST{number:020d}", row, to, options, now, now, now))
    store.close()
    server.start()


def noise(folder, pages):
    """A fax of dots at random: a TIFF of uncompressed pages, 1728 wide, in fine resolution."""
    path, width, height = os.path.join(folder, "noise.tif"), 1728, 2200
    size = width // 8 * height
    with open(path, "wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, 8))
        for page in range(pages):
            start = file.tell()
            entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 1), (259, 3, 1, 1), (262, 3, 1, 0),
                       (273, 4, 1, start + 154), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, size),
                       (282, 5, 1, start + 138), (283, 5, 1, start + 146)]
            ahead = 0 if page + 1 == pages else start + 154 + size
            file.write(struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
                       + struct.pack("<I", ahead) + struct.pack("<4I", 204, 1, 196, 1))
            file.seek(start + 154)
            file.write(os.urandom(size))
    return path


# --- receipts ---

@mailed
def a_receipt_tells_of_delivery_and_brings_what_was_asked_for():
    post = postfix()
    server = started(mail(post.port) + LINES)
    fax = server.send("1002", client_reference="Rechnung Müller", receipt={
        "email": "anna@office.example", "on": "always", "first_page": True, "attach": True})
    same(server.wait_state(fax)["status"], "delivered")
    raw = (post.wait_mail("anna"), post.octets("anna")[0])[1]
    message = strict(raw)
    same(message.defects, [])
    within("1002", message["Subject"])
    for name, value in (("From", FROM), ("To", "anna@office.example"), ("Auto-Submitted", "auto-generated"),
                        ("X-Faxd-Id", fax), ("Return-Path", "<>"), ("MIME-Version", "1.0")):
        same((name, message[name]), (name, value))
    for name in ("From", "To", "Date", "Message-ID", "Subject"):
        same((name, len(message.get_all(name))), (name, 1))
    row = all_sent(server)[0]
    same(message["Message-ID"], f"<{row['id']}@office.example>")
    same(abs(message["Date"].datetime.timestamp() - time.time()) < 3600, True)
    body = message.get_body(("plain",))
    same((body.get_content_type(), body.get_content_charset()), ("text/plain", "utf-8"))
    within("Rechnung Müller", text_of(message))
    within(fax, text_of(message))
    sheet, pages = attachments(message)
    same((sheet[0], pages[0]), ("application/pdf", "application/pdf"))
    same((sheet[1], pages[1]), ("Receipt 1002.pdf", fax + ".pdf"))
    same(sheet[2].startswith(b"%PDF"), True)
    same(undated(pages[2]), pdf_of(server, fax))
    same([(m["kind"], m["status"], m["fax"], m["to"], m["tries"]) for m in mails(server)],
         [("receipt", "sent", fax, "anna@office.example", 1)])
    same(server.get(f"/v1/faxes/{fax}/mails")["data"], mails(server))
    within(("fax.mailed", fax), [(e["action"], e["object"]) for e in server.get("/v1/audit-log?limit=50")["data"]])
    same(max(len(line) for line in raw.split(b"\n")) < 999, True)


@mailed
def each_outcome_has_its_receipt_and_only_for_who_wants_it():
    post = postfix(mailboxes=("delivered", "failed", "always"))
    server = started(mail(post.port) + FAST_RETRIES.replace("retry {", "retry { max_attempts = 1") +
                     exchange(lines=["1001"] + [(line, "groups = {called}") for line in ("1002", "1003", "1004")]))
    ends = {}
    for on, to in (("delivered", "1002"), ("failed", "1003"), ("always", "1004")):  # the one line that calls is none of these
        for end, number in (("delivered", to), ("failed", "2999")):
            ends[end, on] = server.send(number, receipt={"email": f"{on}@office.example", "on": on})
    held = [server.send("1003", hold=True, receipt={"email": f"{on}@office.example", "on": on}) for on in ("failed", "always")]
    for fax in held:
        server.wait_state(fax, "held")
        same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    for (end, _), fax in ends.items():
        same(server.wait_state(fax)["status"], end)
    all_sent(server, 5)
    same({m["X-Faxd-Id"] for m in post.wait_mail("delivered")}, {ends["delivered", "delivered"]})
    same({m["X-Faxd-Id"] for m in post.wait_mail("failed")}, {ends["failed", "failed"]})
    same({m["X-Faxd-Id"] for m in post.wait_mail("always", 3)}, {ends["delivered", "always"], ends["failed", "always"], held[1]})
    failed = post.mailbox("failed")[0]
    within("was not delivered", failed["Subject"])
    within("Reason: ", text_of(failed))
    within("canceled", " ".join(m["Subject"] for m in post.mailbox("always")))


@mailed
def an_identity_brings_its_own_receipt_and_language():
    post = postfix(mailboxes=("buero", "anna"))
    server = started(mail(post.port, 'from_name = "Büro Fax"') + LINES)
    reply = server.ask("POST", "/v1/identities", {"name": "Büro", "receipt_email": "buero@office.example", "language": "de"})
    same(reply.status, 201)
    same((reply.json["receipt_email"], reply.json["receipt_on"], reply.json["language"]),
         ("buero@office.example", "always", "de"))
    fax = server.send("1002")
    message = strict((post.wait_mail("buero"), post.octets("buero")[0])[1])
    same(message["X-Faxd-Id"], fax)
    same(str(message["Subject"]), "Fax an 1002 wurde zugestellt")
    same((message["From"].addresses[0].display_name, message["From"].addresses[0].addr_spec), ("Büro Fax", FROM))
    within("bestätigt", text_of(message))
    same(server.ask("PATCH", "/v1/identities/" + reply.json["id"], {"language": "hu"}).status, 200)
    asked = server.send("1003", receipt={"email": "anna@office.example", "first_page": True})
    message = strict((post.wait_mail("anna"), post.octets("anna")[0])[1])
    same(message["X-Faxd-Id"], asked)
    same(str(message["Subject"]), "A fax megérkezett ide: 1003")
    same(attachments(message)[0][1], "Igazolás 1003.pdf")
    within(b"filename*", post.octets("anna")[0].lower().replace(b"filename*0", b"filename*"))
    same(server.ask("PATCH", "/v1/identities/" + reply.json["id"], {"receipt_email": "not one"}).codes(),
         {("/receipt_email", "invalid_email")})


@mailed
def wishes_are_checked_and_refused_where_no_mail_is_sent():
    server = started(LINES)
    wish = {"email": "anna@office.example"}
    same(server.submit("1002", receipt=wish).codes(), {("/receipt", "mail_not_configured")})
    same(server.ask("POST", "/v1/mails/mail_x/retry").status, 404)
    same(mails(server), [])
    running.pop().stop()
    post = postfix()
    server = started(mail(post.port) + LINES)
    for bad, codes in (
            ({"email": "a@b, c@d"}, {("/receipt/email", "invalid_email")}),
            ({"email": "a@b\r\nBcc: c@d"}, {("/receipt/email", "invalid_email")}),
            ({"email": "Anna <a@b.example>"}, {("/receipt/email", "invalid_email")}),
            ({"on": "always"}, {("/receipt/email", "missing")}),
            ({**wish, "on": "often"}, {("/receipt/on", "unknown_word")}),
            ({**wish, "first_page": "yes"}, {("/receipt/first_page", "wrong_type")}),
            ({**wish, "frist_page": True}, {("/receipt/frist_page", "unknown_key")}),
    ):
        same((bad, server.submit("1002", receipt=bad).codes()), (bad, codes))
    same(mails(server), [])


# --- received faxes ---

@mailed
def a_received_fax_comes_as_pdf_or_tiff_octet_for_octet():
    post = postfix(mailboxes=("anna", "bela"))
    server = started(mail(post.port) + LINES)
    fax = received(server)
    queue_received(server, fax, options='{"language":"hu"}')
    queue_received(server, fax, "bela@office.example", '{"format":"tiff","subject":"Fax {from} \u2013 {pages} S."}')
    message = strict((post.wait_mail("anna"), post.octets("anna")[0])[1])
    kind, name, data = attachments(message)[0]
    same((kind, undated(data)), ("application/pdf", pdf_of(server, fax["id"])))
    within("fax", name.lower())
    same(message["Return-Path"], f"<{FROM}>")
    within("Oldalak: 1", text_of(message))
    message = strict((post.wait_mail("bela"), post.octets("bela")[0])[1])
    kind, name, data = attachments(message)[0]
    same((kind, data), ("image/tiff", server.document(fax["id"])))
    same(message["Subject"].endswith("\u2013 1 S."), True)


@mailed
def with_link_only_a_mail_holds_no_number_and_a_link_that_works():
    post = postfix(mailboxes=("anna", "bela"))
    server = started(mail(post.port, 'link_only = true') + 'web { public_url = "http://fax.example/" }\n' + LINES)
    fax = received(server, client_reference="Patient Müller", receipt={
        "email": "bela@office.example", "first_page": True, "attach": True})
    queue_received(server, fax, options='{"format":"pdf","subject":"From {from}"}')
    post.wait_mail("anna"), post.wait_mail("bela")
    for name, about in (("anna", fax["id"]), ("bela", post.mailbox("bela")[0]["X-Faxd-Id"])):
        message = strict(post.octets(name)[0])
        same(attachments(message), [])
        shown = message["Subject"] + text_of(message).replace(about, "")
        for secret in ("1001", "1002", "Müller"):
            same((name, secret, secret in re.sub(r"http://\S+|\d{4}-\d\d-\d\d \d\d:\d\d", "", shown)), (name, secret, False))
        within(about, text_of(message))
    link = re.search(r"http://fax.example(/v1/links/\S+)", text_of(post.mailbox("anna")[0]))[1]
    reply = server.ask("GET", link, headers={"Authorization": None})
    same((reply.status, reply.headers["Content-Type"]), (200, "application/pdf"))
    within("http://fax.example/#/faxes/fax_", text_of(post.mailbox("bela")[0]))


@mailed
def a_large_fax_becomes_a_link_and_one_the_server_finds_too_large_is_given_up():
    post = postfix(main={"message_size_limit": "20000"})
    server = started(mail(post.port, "max_attachment_mib = 1") + 'web { public_url = "http://fax.example" }\n' + LINES)
    # Dots that no code makes smaller: a page of them has half a megabyte.
    large = received(server, path=noise(server.folder, 4))
    queue_received(server, large, options='{"format":"tiff"}')
    message = strict((post.wait_mail("anna"), post.octets("anna")[0])[1])
    same(attachments(message), [])
    within("http://fax.example/v1/links/", text_of(message))
    row = mails(server)[0]
    same((row["status"], row["fax"]), ("sent", large["id"]))
    same(server.wait_state(server.send("1003"))["status"], "delivered")
    fax = [f for f in server.settled_inbound(2) if f["id"] != large["id"]][0]
    queue_received(server, fax)
    row = wait_mails(server, lambda rows: rows[0]["status"] == "failed", "it to be given up")[0]
    same((row["smtp_status"], row["tries"], row["next_at"]), (552, 1, None))
    within("size", row["reason"].lower())


# --- the way ---

@mailed
def tls_is_needed_and_the_certificate_has_to_be_right():
    certificate = (tls.path("first.crt"), tls.path("first.key"))
    post = postfix(mailboxes=("anna", "bela", "cili"), tls=certificate)
    wish = {"email": "anna@office.example"}
    # No certificate of ours is known: nothing leaves, and the mail waits.
    server = started(mail(post.port, starttls="required") + LINES)
    fax = server.send("1002", receipt=wish)
    row = wait_mails(server, lambda rows: rows[0]["tries"] > 0, "a try")[0]
    same((row["status"], row["smtp_status"]), ("pending", None))
    within("certificate", row["reason"])
    # Known, but of another name.
    other = [tls.path("other.crt"), tls.path("other.key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    other[1], "-out", other[0], "-days", "30", "-subj", "/CN=other", "-addext",
                    "subjectAltName=DNS:other.example"], check=True, capture_output=True)
    stranger = postfix(tls=other)
    server.configure(mail(stranger.port, f'ca_file = "{other[0]}"', "required") + LINES)
    server.end()
    server.start()
    wait_mails(server, lambda rows: "SSL" in rows[0]["reason"] and "127.0.0.1" in rows[0]["reason"], "the name to be refused")
    same(stranger.mailbox("anna"), [])
    known = f'ca_file = "{tls.path("first.crt")}"'
    server.configure(mail(post.port, known, "required") + LINES)
    server.end()
    server.start()
    same(strict((post.wait_mail("anna"), post.octets("anna")[0])[1])["X-Faxd-Id"], fax)
    within("ESMTPS", post.octets("anna")[0].decode().split("Subject:")[0])
    # At once, on a port of its own.
    server.configure(mail(post.tls_port, known, scheme="smtps") + LINES)
    server.end()
    server.start()
    server.send("1002", receipt={"email": "bela@office.example"})
    post.wait_mail("bela")
    # A server that has no TLS gets nothing where TLS is required.
    plain = postfix(mailboxes=("cili",))
    server.configure(mail(plain.port, known, "required") + LINES)
    server.end()
    server.start()
    server.send("1002", receipt={"email": "cili@office.example"})
    wait_mails(server, lambda rows: rows[0]["tries"] > 0 and rows[0]["reason"], "a try")
    same(plain.mailbox("cili"), [])


@mailed
def a_password_is_said_over_tls_only_and_a_wrong_one_loses_no_mail():
    certificate = (tls.path("first.crt"), tls.path("first.key"))
    post = postfix(tls=certificate, users={"faxd": "geheim"},
                   main={"smtpd_client_restrictions": "permit_sasl_authenticated, reject", "smtpd_tls_auth_only": "yes"})
    password = tls.path("password")
    with open(password, "w", encoding="utf-8") as file:
        file.write("falsch\n")
    os.chmod(password, 0o600)
    config = mail(post.port, f'ca_file = "{certificate[0]}" user = "faxd@office.example" password_file = "{password}"',
                  "required") + LINES
    server = started(config)
    server.send("1002", receipt={"email": "anna@office.example"})
    row = wait_mails(server, lambda rows: rows[0]["tries"] > 0, "a try")[0]
    same((row["status"], row["smtp_status"]), ("pending", 535))
    with open(password, "w", encoding="utf-8") as file:
        file.write("geheim\n")
    server.process.send_signal(1)
    post.wait_mail("anna")
    within("sasl_username=faxd@office.example", post.log())
    for secret in ("geheim", "falsch"):
        same(secret in server.log(), False)


@mailed
def what_is_put_off_is_tried_again_and_what_is_refused_is_not():
    post = postfix(mailboxes=("anna",))
    server = started(mail(post.port) + LINES)
    post.answer("anna@office.example", "450 4.2.0 the mailbox is asleep")
    fax = server.send("1002", receipt={"email": "anna@office.example"})
    row = wait_mails(server, lambda rows: rows[0]["tries"] > 0, "a try")[0]
    same((row["status"], row["smtp_status"]), ("pending", 450))
    within("the mailbox is asleep", row["reason"])
    post.answer("anna@office.example", None)
    post.wait_mail("anna")
    gone = server.send("1002", receipt={"email": "nobody@office.example"})
    rows = wait_mails(server, lambda rows: rows[0]["status"] == "failed", "it to be given up")
    same((rows[0]["fax"], rows[0]["smtp_status"], rows[0]["tries"]), (gone, 550, 1))
    within("User unknown", rows[0]["reason"])
    event = [e for e in server.get("/v1/events?limit=1000")["data"] if e["type"] == "mail.failed"]
    same([(e["data"]["id"], e["data"]["mail"], "nobody" in e["data"].get("to", "")) for e in event],
         [(gone, rows[0]["id"], False)])
    same(server.get("/v1/mails?status=failed")["data"], [rows[0]])
    same([m["fax"] for m in mails(server, f"fax={fax}")], [fax])
    # By hand once more, when the mailbox is there.
    post.write_table("mailboxes", {"nobody@office.example": "nobody/"})
    same(server.ask("POST", f"/v1/mails/{rows[0]['id']}/retry").status, 202)
    message = post.wait_mail("nobody")[0]
    same(message["Message-ID"], f"<{rows[0]['id']}@office.example>")
    same(server.ask("POST", f"/v1/mails/{rows[0]['id']}/retry").status, 409)


@mailed
def a_server_that_is_away_costs_nothing_but_time():
    post = postfix()
    post.stop()
    server = started(mail(post.port) + LINES)
    faxes = [server.send("1002", receipt={"email": "anna@office.example"}) for _ in range(3)]
    for fax in faxes:
        server.wait_state(fax)
    wait_mails(server, lambda rows: len(rows) == 3 and any(m["tries"] for m in rows), "a try")
    metrics = server.ask("GET", "/metrics").body.decode()
    same(int(re.search(r"^faxd_mails_waiting (\d+)", metrics, re.M)[1]), 3)
    post.start()
    same(sorted(m["X-Faxd-Id"] for m in post.wait_mail("anna", 3)), sorted(faxes))
    all_sent(server, 3)
    # Connections are used again.
    for _ in range(3):
        server.wait_state(server.send("1002", receipt={"email": "anna@office.example"}))
    post.wait_mail("anna", 6)
    all_sent(server, 6)
    running.pop().stop()
    wait_for(lambda: re.search(r"disconnect from .* mail=[3-6] ", post.log()), "a session of several mails")


@mailed
def after_kill_9_each_mail_is_there_once():
    post = postfix()
    server = started(mail(post.port) + LINES)
    wanted = []
    for number in range(6):
        wanted.append(server.send("1002", receipt={"email": "anna@office.example", "first_page": number % 2 == 0}))
        if number % 2 == 1:
            server.wait_state(wanted[-1])
            server.kill()
            server.start()
    for fax in wanted:
        server.wait_state(fax)
    rows = all_sent(server, 6)
    by_id = {m["Message-ID"]: m["X-Faxd-Id"] for m in post.wait_mail("anna", 6)}
    same(sorted(by_id.values()), sorted(wanted))
    same(sorted(by_id), sorted(f"<{row['id']}@office.example>" for row in rows))


@mailed
def a_mail_server_that_answers_no_more_holds_nothing_up():
    listener = socket.create_server(("127.0.0.1", 0))
    silent = []

    def serve():
        """Have no time first; then greet, take the command, refuse the recipient; and say nothing any more."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            silent.append(connection)
            if len(silent) == 1:
                connection.sendall(b"554 5.3.2 not now\r\n")
                continue
            connection.sendall(b"220 hello\r\n")
            for answer in (b"250 here\r\n", b"250 sender\r\n", b"550 5.1.1 nobody\r\n"):
                connection.recv(1000)
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        server = started(mail(listener.getsockname()[1]) + LINES)
        server.send("1002", receipt={"email": "anna@office.example"})
        rows = wait_mails(server, lambda rows: rows[0]["status"] == "failed", "the refusal", )
        same((rows[0]["smtp_status"], rows[0]["reason"], rows[0]["tries"]), (550, "550 5.1.1 nobody", 2))
        begun = time.monotonic()
        server.get("/v1/mails")
        same(time.monotonic() - begun < 100, True)  # libcurl would wait for two minutes
    finally:
        socket.socket.shutdown(listener, socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in silent:
            connection.close()


# --- alarms, and the owner of a webhook ---

@mailed
def a_disabled_webhook_is_told_to_who_made_it():
    post = postfix(mailboxes=("owner", "admin"))
    receiver = Receiver({"/gone": [410]})
    try:
        server = started(mail(post.port, 'alarm_to = "admin@office.example"') + LINES)
        user = server.ask("POST", "/v1/users", {"name": "owner", "email": "owner@office.example", "role": "admin",
                                                "password": "correct horse battery"}).json
        key = server.ask("POST", "/v1/api-keys", {"name": "k", "scopes": ["config:*"], "user": user["id"]})
        same(key.status, 201)
        for token in (key.json["token"], server.key):
            reply = server.ask("POST", "/v1/webhook-endpoints", {"url": receiver.url + "/gone", "events": ["fax.failed"]},
                               key=token)
            same(reply.status, 201)
        server.wait_state(server.send("2999"))
        message = strict((post.wait_mail("owner"), post.octets("owner")[0])[1])
        within("410 Gone", text_of(message))
        same((message["Return-Path"], message["Auto-Submitted"]), ("<>", "auto-generated"))
        within("whe_", text_of(post.wait_mail("admin")[0]))  # nobody's: the administrator is told
        same(len(post.mailbox("owner")), 1)
    finally:
        receiver.close()


@mailed
def refused_requests_raise_one_alarm():
    post = postfix(mailboxes=("admin",))
    server = started("web { per_minute = 20 }\n" + mail(post.port, 'alarm_to = "admin@office.example"') + LINES)
    answers = [server.ask("GET", "/v1/faxes").status for _ in range(40)]
    within(429, answers)
    message = post.wait_mail("admin")[0]
    within("rate_limited", message["Subject"])
    same(len(post.mailbox("admin")), 1)


# --- templates and configuration ---

@mailed
def templates_of_ones_own_go_first_and_faults_are_told_at_the_start():
    post = postfix()
    server = Faxd(mail(post.port) + LINES)
    running.append(server)
    folder = os.path.join(server.state, "mail", "en")
    os.makedirs(folder)
    path = os.path.join(folder, "receipt-delivered.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("Subject: Sent!\n\nHello {{you}}, {pages} page(s) to {to}.\nNo such line: {reason}\n")
    server.start()
    server.send("1002", receipt={"email": "anna@office.example"})
    message = post.wait_mail("anna")[0]
    same((message["Subject"], text_of(message)), ("Sent!", "Hello {you}}, 1 page(s) to 1002.\n"))
    server.end()
    with open(path, "w", encoding="utf-8") as file:
        file.write("Subject: Sent!\n\nTo {number}.\n")
    try:
        server.start()
        raise RuntimeError("it started")
    except AssertionError:
        pass
    within("there is no field {number}", server.log())
    shutil.rmtree(os.path.join(server.state, "mail"))
    server.start()


def run():
    try:
        for pair in ("first", "second"):
            tls.make_pair(pair)
        return main()
    finally:
        shutil.rmtree(tls.FOLDER)


if __name__ == "__main__":
    sys.exit(run())
