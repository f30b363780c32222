# SPDX-License-Identifier: GPL-2.0-or-later
"""Far ends for tests of trunks: a SIP server that says what it is told to, a registrar (Kamailio), and what a message is
made of. No test itself."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from faxd import SOURCE, wait_for

SDP = ("v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
       "a=rtpmap:0 PCMU/8000\r\n")


def header(message, name):
    """The first value of a header, "" when there is none."""
    found = re.search(rf"^{name}[ \t]*:[ \t]*(.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def response(request, status, reason, more="", body="", tag="peer"):
    """To a request of faxd's, with its Via, From, To, Call-ID and CSeq."""
    vias = "".join(f"Via: {via}\r\n" for via in re.findall(r"^Via: (.*?)\r?$", request, re.MULTILINE))
    to = header(request, "To")
    to += "" if "tag=" in to else f";tag={tag}"
    return (f"SIP/2.0 {status} {reason}\r\n{vias}From: {header(request, 'From')}\r\nTo: {to}\r\n"
            f"Call-ID: {header(request, 'Call-ID')}\r\nCSeq: {header(request, 'CSeq')}\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n{body}")


class Peer:
    """A SIP server on UDP. `options` and `invite` are what it answers (0 = nothing); `got` all requests, oldest first.
    It is quiet, as if it was not there, while `deaf`."""

    def __init__(self, host, port=5060, options=200, invite=486):
        self.host, self.port, self.options, self.invite, self.deaf = host, port, options, invite, False
        self.got = []
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            data, source = self.socket.recvfrom(65536)
            if data == b"stop":
                return
            text = data.decode("latin-1")
            if self.deaf or not text.strip():
                continue
            self.got.append(text)
            self.hear(text, source)

    def hear(self, text, source):
        method = text.split(" ", 1)[0]
        status = {"OPTIONS": self.options, "INVITE": self.invite, "REGISTER": 200, "CANCEL": 200, "BYE": 200}.get(method, 0)
        more = "Contact: <sip:peer>;expires=60\r\n" if method == "REGISTER" else ""
        if status:
            self.say(response(text, status, f"status {status}", more), source)

    def say(self, text, source):
        self.socket.sendto(text.encode("latin-1"), source)

    def requests(self, method):
        return [text for text in list(self.got) if text.startswith(method + " ")]

    def wait_request(self, method, count=1):
        wait_for(lambda: len(self.requests(method)) >= count, f"{count} {method}")
        return self.requests(method)[count - 1]

    def close(self):
        if not self.thread.is_alive():
            return
        with socket.socket(self.socket.family, socket.SOCK_DGRAM) as end:
            end.sendto(b"stop", (self.host, self.port))
        self.thread.join()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Caller:
    """A caller from a chosen address: requests by UDP, and what came back."""

    def __init__(self, host, to, port=0):
        self.to = to
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.host, self.port = self.socket.getsockname()[:2]
        self.socket.settimeout(20)

    def request(self, method, number="4001", more="", body=None, tag="", call="call", cseq=1, sender="tester", uri=None):
        if body is None:
            body = SDP.format(address=self.host, port=40000) if method == "INVITE" else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (f"{method} {uri or f'sip:{number}@{self.to[0]}:{self.to[1]}'} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bK{method}{cseq}{call}{time.monotonic_ns()}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{sender}@{self.host}>;tag=a{call}\r\n"
                f"To: <sip:{number}@{self.to[0]}>{';tag=' + tag if tag else ''}\r\nCall-ID: {call}@{self.host}\r\n"
                f"CSeq: {cseq} {method}\r\nContact: <sip:{self.host}:{self.port}>\r\n{more}{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}")

    def send(self, text):
        self.socket.sendto(text.encode("latin-1"), self.to)

    def receive(self):
        return self.socket.recv(65536).decode("latin-1")

    def final(self, call=None):
        """The next final response (of a call)."""
        while True:
            text = self.receive()
            if re.match(r"SIP/2\.0 [2-6]", text) and (call is None or header(text, "Call-ID").startswith(call + "@")):
                return text

    def ask(self, text, call=None):
        """Status of the final response."""
        self.send(text)
        return int(self.final(call).split()[1])

    def acknowledge(self, answer, number="4001", call="call", cseq=1, method="ACK"):
        tag = re.search(r"tag=([^;\r\n]+)", header(answer, "To"))
        self.send(self.request(method, number, tag=tag[1] if tag else "", call=call, cseq=cseq, body=""))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Kamailio:
    """A registrar and proxy at host:5060 with the users 7001 and 7002 of tests/data/kamailio.cfg."""

    def __init__(self, host, expires=300):
        self.host, self.expires = host, expires
        self.folder = tempfile.mkdtemp(prefix="faxd-kamailio-")
        self.process = None
        self.log_path = os.path.join(self.folder, "log")

    def start(self):
        program = shutil.which("kamailio", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program, "-f", os.path.join(SOURCE, "tests/data/kamailio.cfg"), "-DD", "-E", "-A", "LISTEN=" + self.host,
                 "-A", f"MAX_EXPIRES={self.expires}", "-m", "32", "-M", "8", "-Y", self.folder],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_for(self.is_there, "Kamailio to listen")
        return self

    def is_there(self):
        with socket.socket() as probe:
            return probe.connect_ex((self.host, 5060)) == 0

    def kill(self):
        """Gone at once, as by a power cut; it is a group of processes of its own."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def count(self, what):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read().count(what)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)
