# SPDX-License-Identifier: GPL-2.0-or-later
"""A SIP proxy on UDP between faxd and its peers, which tests let lose, change, answer and invent messages. Media do not
pass through it. Calls are told apart by the number that is called. No test itself."""
import re
import socket
import threading
import time
import uuid

PATIENCE_S = 200


class Message:
    """A SIP message as octets came, with what the tests look at."""

    def __init__(self, octets):
        head, _, self.body = octets.decode("latin-1").partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self.headers = [tuple(part.strip() for part in line.partition(":")[::2]) for line in lines]
        self.status = int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0
        self.number, self.method = (int(self["CSeq"].split()[0]), self["CSeq"].split()[1]) if self["CSeq"] else (0, "")

    def __getitem__(self, name):
        """The first header of that name, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def set(self, name, value):
        """In place of the first header of that name; None takes them all away."""
        at = next((i for i, (key, _) in enumerate(self.headers) if key.lower() == name.lower()), len(self.headers))
        self.headers = [pair for i, pair in enumerate(self.headers)
                        if pair[0].lower() != name.lower() or (value is not None and i != at)]
        if value is not None:
            self.headers.insert(at, (name, value))

    def is_request(self, *methods):
        return not self.status and (not methods or self.method in methods)

    def is_reinvite(self):
        return self.is_request("INVITE") and "tag=" in self["To"]

    @property
    def image(self):
        return "m=image" in self.body

    def octets(self):
        self.set("Content-Length", str(len(self.body.encode("latin-1"))))
        lines = [self.start] + [f"{key}: {value}" for key, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode("latin-1")


class Call:
    """One call through the proxy. "caller" and "called" are its sides."""

    def __init__(self, proxy, rule):
        self.proxy = proxy
        self.rule = rule  # (call, message, side that sent it) -> messages to pass on, or None for the message itself
        self.addresses = {}
        self.seen = []  # (side that sent it, message), in order, as they came
        self.last = {}  # last request of each side with a From and To to borrow, and Contact of each
        self.contacts = {}
        self.bodies = {}  # the last description of each side
        self.number = {"caller": 0, "called": 0}  # highest CSeq that the other side has seen
        self.shift = {"caller": 0, "called": 0}  # requests of ours in between
        self.replies = {}  # of ours, by branch
        self.changed = threading.Condition(proxy.lock)

    # --- the proxy's thread, under its lock ---

    def hear(self, message, side):
        branch = re.search(r"branch=([^;,]*)", message["Via"])
        if message.status and branch and branch.group(1) in self.replies:
            self.replies[branch.group(1)].append(message)
            self.changed.notify_all()
            return
        self.seen.append((side, message))
        if message["Contact"]:
            self.contacts[side] = re.search(r"sip:[^>]*", message["Contact"]).group(0)
        if message.body:
            self.bodies[side] = message.body
        if message.is_request("INVITE") and side == "caller" and "caller" not in self.last:
            self.last["caller"] = (message["From"], message["To"])
        elif message.status > 100 and side == "called" and "tag=" in message["To"] and "called" not in self.last:
            self.last = {"caller": (message["From"], message["To"]), "called": (message["To"], message["From"])}
        passed = self.rule(self, message, side) if self.rule else None
        self.changed.notify_all()
        for one in [message] if passed is None else passed:
            self.pass_on(one, side)

    def pass_on(self, message, side):
        other = "called" if side == "caller" else "caller"
        copy = Message(message.octets())
        if copy.status:
            copy.set("CSeq", f"{copy.number - self.shift[other]} {copy.method}")
        else:
            copy.set("CSeq", f"{copy.number + self.shift[side]} {copy.method}")
            self.number[side] = max(self.number[side], copy.number + self.shift[side])
        if copy["Contact"] and not 300 <= copy.status < 400:
            copy.set("Contact", f"<sip:{self.proxy.address}>")
        if not copy.status and "tag=" in copy["To"]:
            copy.start = f"{copy.method} {self.contacts[other]} SIP/2.0"
        self.proxy.send(copy.octets(), self.addresses[other])

    # --- in a rule ---

    def reply(self, message, side, line, *headers):
        """Answer a request in place of the other side."""
        kept = [(key, value) for key, value in message.headers if key.lower() in ("via", "from", "to", "call-id",
                                                                                  "cseq")]
        answer = Message(b"SIP/2.0 " + line.encode() + b"\r\n\r\n")
        answer.headers = kept + list(headers)
        self.proxy.send(answer.octets(), self.addresses[side])

    def count(self, what, side=None):
        """How often a message was seen for which `what` is true."""
        return sum(1 for where, message in self.seen if side in (None, where) and what(message))

    # --- any thread ---

    def wait(self, what, side=None, seconds=PATIENCE_S):
        """The first message of `side` for which `what` is true, once it came."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for where, message in self.seen:
                    if side in (None, where) and what(message):
                        return message
                if time.monotonic() > end:
                    raise AssertionError(f"no such message in {seconds} s: {self}")
                self.changed.wait(1)

    def wait_end(self, seconds=PATIENCE_S):
        """Which side said BYE first."""
        self.wait(lambda m: m.is_request("BYE"), seconds=seconds)
        return next(side for side, message in self.seen if message.is_request("BYE"))

    def ask(self, side, method, body="", headers=(), acknowledge=""):
        """A request of `side`'s that it never sent, to the other; the final response. INVITE: its ACK too, with a
        body."""
        other = "called" if side == "caller" else "caller"
        branch = "z9hG4bK" + uuid.uuid4().hex
        with self.changed:
            self.shift[side] += 1
            self.number[side] += 1
            number = self.number[side]
            self.replies[branch] = []
            self.send_own(side, other, method, number, branch, body, headers)
            end = time.monotonic() + PATIENCE_S
            while not any(m.status >= 200 for m in self.replies[branch]):
                if time.monotonic() > end:
                    raise AssertionError(f"no response to {method}: {self}")
                self.changed.wait(1)
            answer = next(m for m in self.replies[branch] if m.status >= 200)
            if method == "INVITE":
                own = branch if answer.status >= 300 else "z9hG4bK" + uuid.uuid4().hex
                self.send_own(side, other, "ACK", number, own, acknowledge, ())
            return answer

    def send_own(self, side, other, method, number, branch, body, headers):
        message = Message(f"{method} {self.contacts[other]} SIP/2.0\r\n\r\n".encode())
        message.headers = [("Via", f"SIP/2.0/UDP {self.proxy.address};rport;branch={branch}"), ("Max-Forwards", "70"),
                           ("From", self.last[side][0]), ("To", self.last[side][1]), ("Call-ID", self.call_id),
                           ("CSeq", f"{number} {method}"), ("Contact", f"<sip:{self.proxy.address}>"), *headers]
        if body:
            message.headers.append(("Content-Type", "application/sdp"))
            message.body = body
        self.proxy.send(message.octets(), self.addresses[other])

    def __str__(self):
        return "\n".join(f"{side}: {message.start} ({message['CSeq']}){' image' if message.image else ''}"
                         for side, message in self.seen)


class Proxy:
    """Listens at a port of the loopback until `close`. Calls go to where `route` has told."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.lock = threading.RLock()
        self.routes, self.calls = {}, {}
        self.faults = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def route(self, number, port, rule=None):
        """Calls to the number go to that port; the call object, which comes to life with the INVITE."""
        call = Call(self, rule)
        call.addresses["called"] = ("127.0.0.1", port)
        with self.lock:
            self.routes[number] = call
        return call

    def send(self, octets, address):
        self.socket.sendto(octets, address)

    def run(self):
        while True:
            octets, address = self.socket.recvfrom(65536)
            if not octets:
                return
            try:
                with self.lock:
                    self.hear(Message(octets), address)
            except (ValueError, KeyError, AttributeError, IndexError) as fault:
                self.faults.append(f"{fault!r}: {octets[:300]!r}")

    def hear(self, message, address):
        call_id = message["Call-ID"]
        if call_id not in self.calls:
            number = re.match(r"\w+ sip:([^@;]*)@", message.start)
            if not message.is_request("INVITE") or not number or number.group(1) not in self.routes:
                return
            call = self.routes[number.group(1)]
            call.call_id = call_id
            call.addresses["caller"] = address
            self.calls[call_id] = call
        call = self.calls[call_id]
        call.hear(message, "called" if address == call.addresses["called"] else "caller")

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join()
        self.socket.close()
