# SPDX-License-Identifier: GPL-2.0-or-later
"""rtpengine as a gateway between T.38 and G.711 for tests: started without its kernel module, told of offers and answers
by its ng protocol (bencode over UDP). No test itself."""
import os
import socket
import subprocess
import tempfile
import time
import uuid

from sip import free_port
from sip_middle import Middle

PROGRAM = "/usr/bin/rtpengine"


def encode(value):
    if isinstance(value, dict):
        return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    if isinstance(value, int):
        return b"i%de" % value
    return b"%d:%s" % (len(value.encode()), value.encode())


def decode(octets, at=0):
    """The value that begins at `at`, and where it ends."""
    kind = octets[at:at + 1]
    if kind == b"i":
        end = octets.index(b"e", at)
        return int(octets[at + 1:end]), end + 1
    if kind not in (b"d", b"l"):
        colon = octets.index(b":", at)
        end = colon + 1 + int(octets[at:colon])
        return octets[colon + 1:end].decode(), end
    items, at = [], at + 1
    while octets[at:at + 1] != b"e":
        item, at = decode(octets, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if kind == b"d" else items), at + 1


class Rtpengine:
    """A running rtpengine. `between(t38)` makes middles whose calls go through it."""

    def __init__(self):
        self.port = free_port((socket.SOCK_DGRAM,))
        # It shares ports with whoever has them: each its own, so that two of them do not meet.
        low = 10000 + os.getpid() % 25 * 200
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", PROGRAM, "--config-file=none", "--table=-1", "--interface=127.0.0.1",
             f"--listen-ng=127.0.0.1:{self.port}", "--foreground", "--log-stderr", f"--port-min={low}", f"--port-max={low + 199}", "--num-threads=2"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.2)
        self.socket.connect(("127.0.0.1", self.port))
        self.ask({"command": "ping"})

    def ask(self, order):
        """Its answer. UDP: asked until it comes, which it takes for the same question by the cookie."""
        cookie = uuid.uuid4().hex.encode()
        for _ in range(150):
            try:
                self.socket.send(cookie + b" " + encode(order))
                while True:
                    answer = self.socket.recv(65536)
                    if answer.startswith(cookie):
                        return decode(answer, len(cookie) + 1)[0]
            except TimeoutError:
                continue
            except ConnectionRefusedError:  # it is only starting
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise AssertionError("rtpengine does not answer")

    def describe(self, message, offer, t38):
        """The description in `message`, an answer if `offer` is false, as rtpengine wants it."""
        order = {"command": "offer" if offer else "answer", "call-id": message.call_id, "from-tag": message.tag("From"),
                 "sdp": message.body, "ICE": "remove", "replace": ["origin"], "flags": ["trust-address"]}
        if message.tag("To"):
            order["to-tag"] = message.tag("To")
        if offer:
            order["T.38"] = [t38[message.side]]
        answer = self.ask(order)
        if answer.get("result") != "ok":
            raise AssertionError(f"rtpengine: {answer}")
        return answer["sdp"]

    def between(self, t38):
        """A Middle whose media go through this. `t38` says what is done with the offers of each side: "decode" (T.38 is
        made G.711) or "force" (G.711 is made T.38)."""
        known = {}

        def media(message):
            key = (message.call_id, message.side, message.header("CSeq"), message.status, message.body)
            if key not in known:
                known[key] = self.describe(message, not message.is_response, t38)
            return known[key]
        return Middle(media)

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.socket.close()
