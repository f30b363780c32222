# SPDX-License-Identifier: GPL-2.0-or-later
"""faxmail under test: its settings and key in a folder, as a pipe, as an LMTP server, and behind a real Postfix. Test
files import it; it is no test itself."""
import email
import email.message
import email.policy
import email.utils
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import uuid

import faxd
from faxd import BUILD, DOCUMENTS, octets, same, wait_for
from postfix import Postfix

FAXMAIL = os.path.join(BUILD, "faxmail")
LETTER = os.path.join(DOCUMENTS, "letter-cairo.pdf")
SANITIZERS = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
RESULTS = "Authentication-Results: mx.example; dmarc=%s header.from=office.example"


class Faxmail:
    """Settings for one faxd, and the program with them."""

    def __init__(self, faxd_there=None, **settings):
        self.folder = tempfile.mkdtemp(prefix="faxd-mail-")
        self.config, self.log_path = self.path("faxmail.conf"), self.path("log")
        os.chmod(self.folder, 0o755)
        self.process, self.port = None, 0
        self.settings = {"domains": ["fax.example", "lmtp.example"], "authserv_id": ["mx.example"],
                         "senders": ["@office.example"], "answer_from": "Fax <fax@fax.example>",
                         "hostname": "mx.example", "wait": 60, "key_file": self.path("key"), **settings}
        self.write("key", (faxd_there.key_with("fax:send", "fax:read") if faxd_there else "none") + "\n")
        self.configure(**{"server": f"http://127.0.0.1:{faxd_there.port if faxd_there else 1}", **settings})

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def configure(self, **settings):
        """Change settings; a running LMTP server reads them again."""
        self.settings |= settings
        self.write("faxmail.conf", "".join(f"{name} = {self.value(value)}\n" for name, value in self.settings.items()))
        if self.process:
            before = self.log().count("settings read again")
            self.process.send_signal(signal.SIGHUP)
            wait_for(lambda: self.log().count("settings read again") > before, "the settings to be read again")

    @staticmethod
    def value(value):
        if isinstance(value, list):
            return "{" + ", ".join(f'"{item}"' for item in value) + "}"
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, int) else f'"{value}"'

    def log(self):
        return octets(self.log_path).decode(errors="replace") if os.path.exists(self.log_path) else ""

    def run(self, message, *recipients, sender="anna@office.example", options=(), timeout=120):
        """Exit status and what was written of the program as a pipe."""
        done = subprocess.run([FAXMAIL, "--config", self.config, "--log", self.log_path, "--sender", sender, *options, "--",
                               *recipients], input=message, capture_output=True, timeout=timeout, check=False)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def listen(self, address="inet:127.0.0.1:0", command=(), environment=None):
        """Start it as an LMTP server."""
        self.process = subprocess.Popen([*command, FAXMAIL, "--config", self.config, "--log", self.log_path, "--lmtp",
                                         *(["--listen", address] if address else [])], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        for line in self.process.stdout:
            if line.startswith("listening on port "):
                self.port = int(line.split()[-1])
            if line == "ready\n":
                return self
        raise AssertionError(f"faxmail did not get ready, status {self.process.wait()}: {self.log()}")

    def stop(self):
        """End the server in order."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            same(self.process.wait(60), 0)
            self.process.stdout.close()
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind and self.process:
                self.process.kill()
                self.process.wait()
                self.process.stdout.close()
            else:
                self.stop()
                assert "Sanitizer" not in self.log() and "runtime error:" not in self.log(), self.log()
        finally:
            shutil.rmtree(self.folder)


class Office:
    """A faxd, faxmail, and a Postfix that hands mail for fax.example to its pipe and mail for lmtp.example to its server.
    Postfix says of mail from anna@office.example that it is from there, and of mail from mallory@ that it is not."""

    def __init__(self, **settings):
        self.postfix = Postfix(mailboxes=("anna", "berta", "mallory"), users={"mallory": "secret"})
        self.server = faxd.Faxd(faxd.exchange() + f'mail {{ server = "smtp://127.0.0.1:{self.postfix.port}" starttls = off'
                                ' from = "faxd@office.example" }\n').start()
        self.faxmail = Faxmail(self.server, **settings)
        environment = "".join(f" {name}={value}" for name, value in SANITIZERS.items())
        self.postfix.master += (
            "faxmail unix - n n - 4 pipe\n  flags= user=nobody null_sender= argv=/usr/bin/env" + environment + f" {FAXMAIL}"
            f" --config {self.faxmail.config} --sender ${{sender}} --auth-user ${{sasl_username}} -- ${{recipient}}\n")
        self.faxmail.configure(smarthost=f"smtp://127.0.0.1:{self.postfix.port}", smarthost_tls="none")
        self.faxmail.listen()
        tables = self.postfix.folder
        self.postfix.main |= {"transport_maps": f"hash:{tables}/transport", "relay_domains": "fax.example lmtp.example",
                              "faxmail_destination_recipient_limit": "20",
                              "smtpd_sender_restrictions": f"check_sender_access hash:{tables}/senders"}
        self.postfix.write_config()
        self.postfix.write_table("transport", {"fax.example": "faxmail:",
                                               "lmtp.example": f"lmtp:inet:127.0.0.1:{self.faxmail.port}"})
        self.postfix.write_table("senders", {
            name + "@office.example": "PREPEND " + RESULTS % ("fail" if name == "mallory" else "pass")
            for name in ("anna", "berta", "mallory")} | {"zoe@elsewhere.example": "PREPEND " + (RESULTS % "pass").replace(
                "office", "elsewhere")})

    def __enter__(self):
        self.postfix.start()
        return self

    def __exit__(self, kind, *rest):
        try:
            log = self.postfix.log()
            self.postfix.close()
            assert kind or ("Sanitizer" not in log and "runtime error" not in log), log
        finally:
            try:
                self.faxmail.__exit__(kind, *rest)
            finally:
                self.server.stop()

    def server_away(self):
        """End faxd in order; server_back() starts it again, on another port."""
        same(self.server.end(), 0)

    def server_back(self):
        self.server.start()
        self.faxmail.configure(server=f"http://127.0.0.1:{self.server.port}")

    def swaks(self, *arguments, to="1002@fax.example", sender="anna@office.example", subject="A letter", body=None):
        """Send a mail by swaks, as a person's mail program does. Its Message-ID."""
        message_id = f"<{uuid.uuid4().hex}@office.example>"
        command = ["swaks", "--server", f"127.0.0.1:{self.postfix.port}", "--helo", "desk.office.example", "--from", sender,
                   "--to", to, "--h-Subject", subject, "--h-Message-Id", message_id, "--suppress-data",
                   *(["--body", body] if body else []), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"swaks: {done.returncode}: {done.stdout[-2000:]}{done.stderr}")
        return message_id

    def hand_in(self, message, to="1002@fax.example", sender="anna@office.example"):
        """Send octets as they are. Their Message-ID."""
        with smtplib.SMTP("127.0.0.1", self.postfix.port, "desk.office.example", timeout=120) as client:
            client.sendmail(sender, to.split(","), message)
        return email.message_from_bytes(message)["Message-ID"]

    def answers(self, message_id, count=1, name="anna"):
        """All answers to a message, when there are so many."""
        def look():
            found = [octets for octets in self.postfix.octets(name) if message_id.encode() in octets]
            return found if len(found) >= count else None
        found = wait_for(look, f"{count} answers to {message_id}")
        same(len(found), count)
        return [email.message_from_bytes(octets, policy=email.policy.default) for octets in found]

    def answer(self, message_id, name="anna"):
        return self.answers(message_id, 1, name)[0]

    def settled(self, message_id):
        """Wait until Postfix has done with a message, and with what was sent because of it before."""
        def queue_id():
            found = re.search(r"(\w+): message-id=" + re.escape(message_id), self.postfix.log())
            return found and found.group(1)
        mark = wait_for(queue_id, f"{message_id} to be taken")
        wait_for(lambda: mark + ": removed" in self.postfix.log(), f"{message_id} to leave the queue")

    def faxes(self, message_id):
        """The faxes that came of a message."""
        return [fax for fax in self.server.faxes("direction=outbound&limit=200&tag=mail")
                if (fax.get("metadata") or {}).get("message_id") == message_id.strip("<>")]

    def fax(self, message_id):
        faxes = self.faxes(message_id)
        same(len(faxes), 1)
        return faxes[0]


def text_of(message):
    """The text of an answer."""
    return message.get_body(("plain",)).get_content()


def statuses(message):
    """What a report says of each recipient: address -> (action, status)."""
    same((message.get_content_type(), message.get_param("report-type")), ("multipart/report", "delivery-status"))
    parts = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    fields = [field for field in parts[0].get_payload() if field["Final-Recipient"]]
    return {field["Final-Recipient"].split(";")[1].strip(): (field["Action"], field["Status"]) for field in fields}


def mail(body="Good morning\n", attachments=(), believed=True, message_id=None, **headers):
    """A message as octets; `attachments` are (name, type, octets)."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    fields = {"From": "Anna <anna@office.example>", "To": "fax@fax.example", "Subject": "A letter",
              "Date": email.utils.format_datetime(email.utils.localtime()),
              "Message-ID": email.utils.make_msgid(domain="office.example") if message_id is None else message_id}
    for name, value in (fields | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value:
            message[name] = value
    if body is not None:
        message.set_content(body)
    for name, kind, data in attachments:
        message.add_attachment(data, *kind.split("/"), filename=name)
    head = (RESULTS % "pass").encode() + b"\r\n" if believed else b""
    return head + message.as_bytes()


class Lmtp:
    """A client, line by line."""

    def __init__(self, port, greet=True):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.file = self.socket.makefile("rwb")
        if greet:
            same(self.reply()[:4], "220 ")
            self.ask("LHLO desk.office.example", "250")

    def reply(self):
        """The lines of a reply, as one text."""
        lines = []
        while True:
            line = self.file.readline().decode()
            lines.append(line.rstrip("\r\n"))
            if len(line) < 4 or line[3] != "-":
                return "\n".join(lines)

    def ask(self, line, code=None):
        self.file.write(line.encode() + b"\r\n")
        self.file.flush()
        reply = self.reply()
        if code is not None and not reply.startswith(code):
            raise AssertionError(f"{line!r} is answered with {reply!r}, wanted {code}")
        return reply

    def send(self, message, *recipients, sender="anna@office.example"):
        """The reply for each recipient."""
        self.ask(f"MAIL FROM:<{sender}>", "250")
        for recipient in recipients:
            self.ask(f"RCPT TO:<{recipient}>", "250")
        self.ask("DATA", "354")
        self.file.write(b"".join(b"." + line if line.startswith(b".") else line for line in message.splitlines(True)))
        self.file.write(b".\r\n")
        self.file.flush()
        return [self.reply() for _ in recipients]

    def close(self):
        self.file.close()
        self.socket.close()
