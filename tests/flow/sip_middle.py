# SPDX-License-Identifier: GPL-2.0-or-later
"""A middle between two SIP parties for tests: what they say is passed on, and the descriptions of media in it are
rewritten. No test itself.

Like a router that translates addresses, it has a port for each party; a party takes the other to live there. All
occurrences of addresses in the headers are exchanged, so that neither Via nor Contact leads past the middle."""
import re
import select
import socket
import threading


class Message:
    """A SIP message. `side` is the party that it comes from, 0 or 1."""

    def __init__(self, octets, side):
        head, _, body = octets.partition(b"\r\n\r\n")
        self.head, self.body, self.side = head.decode(), body.decode(), side

    def header(self, name):
        found = re.search(rf"^{name}: *(.*?)\r?$", self.head, re.I | re.M)
        return found[1] if found else ""

    def tag(self, name):
        found = re.search(r";tag=([^;>\s]+)", self.header(name))
        return found[1] if found else ""

    @property
    def call_id(self):
        return self.header("Call-ID")

    @property
    def is_response(self):
        return self.head.startswith("SIP/2.0")

    @property
    def status(self):
        return int(self.head.split()[1]) if self.is_response else 0

    @property
    def called(self):
        """The number in To."""
        return re.search(r"sip:([^@>;]*)", self.header("To"))[1]

    def octets(self, addresses):
        head = self.head
        if addresses:
            every = "|".join(re.escape(address) for address in addresses)
            head = re.sub(rf"(?:{every})(?!\d)", lambda found: addresses[found[0]], head)
        head = re.sub(r"^(Content-Length: *)\d+", rf"\g<1>{len(self.body.encode())}", head, flags=re.I | re.M)
        return (head + "\r\n\r\n" + self.body).encode()


class Middle:
    """Between the parties at `ports` of 127.0.0.1, caller's side first. `media(message)` returns the body to pass on,
    the same for a message that is repeated; `lose(message)`, if there is one, whether the message is swallowed. Both
    are called on a thread of the middle's own. `ports` can be set later, before the first message."""

    def __init__(self, media, lose=None):
        self.media, self.lose, self.ports = media, lose, None
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for end in self.sockets:
            end.bind(("127.0.0.1", 0))
        #: where the caller's side finds the called one, and the other way round
        self.doors = [end.getsockname()[1] for end in self.sockets]
        self.stopping, self.bell = socket.socketpair()
        self.failure = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def addresses(self, side):
        """What the addresses in a message from `side` become: the other party's door, and our own party's."""
        here, there = f"127.0.0.1:{self.ports[side]}", f"127.0.0.1:{self.ports[1 - side]}"
        return {f"127.0.0.1:{self.doors[side]}": there, here: f"127.0.0.1:{self.doors[1 - side]}"}

    def pass_on(self, octets, side):
        message = Message(octets, side)
        if self.lose and self.lose(message):
            return
        if message.body:
            message.body = self.media(message)
        self.sockets[1 - side].sendto(message.octets(self.addresses(side)), ("127.0.0.1", self.ports[1 - side]))

    def run(self):
        while True:
            ready, _, _ = select.select([self.stopping, *self.sockets], [], [])
            if self.stopping in ready:
                return
            for end in ready:
                octets = end.recv(65536)
                try:
                    self.pass_on(octets, self.sockets.index(end))
                except Exception as error:  # told to the test, which waits for a call that will not come
                    self.failure = error

    def close(self):
        self.bell.send(b"x")
        self.thread.join()
        for end in (*self.sockets, self.stopping, self.bell):
            end.close()
        if self.failure:
            raise self.failure
