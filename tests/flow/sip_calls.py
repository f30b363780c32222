# SPDX-License-Identifier: GPL-2.0-or-later
"""Faxes by SIP that run side by side, in real time, for tests: all are sent first, and looked at one by one. No test
itself."""
import os

from faxd import BUILD, Faxd, pixels, same


def sanitized():
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as file:
        return "#define FAXD_SANITIZED 1" in file.read()


class Rig:
    """Servers, and what stands between them, for all facts of a file: opened before the first, closed after the last."""

    def __init__(self):
        self.servers, self.others = [], []

    def server(self, config):
        server = Faxd(config)
        self.servers.append(server)
        return server.start()

    def own(self, thing):
        """Anything with close()."""
        self.others.append(thing)
        return thing

    def close(self):
        """In order; asserts that nothing is left."""
        try:
            while self.servers:
                self.servers[-1].stop()
                self.servers.pop()
        finally:
            for server in self.servers:
                print("".join(f"# log: {line}\n" for line in server.log().splitlines()[-60:]))
                server.kill_all()
            while self.others:
                self.others.pop().close()


class Call:
    """A fax on its way from one provider to another of the same server."""

    def __init__(self, server, to, path, **more):
        self.server, self.to = server, to
        more.setdefault("retry", {"max_attempts": 1})
        self.fax = server.send(to, path, **more)

    def sent(self, seconds=600):
        return self.server.wait_state(self.fax, seconds=seconds)

    def received(self):
        """What the far end has of the caller's last call."""
        answered = [attempt for attempt in self.server.attempts(self.fax) if attempt["connected_at"]]
        return self.server.settled_inbound(max(1, len(answered)), self.to)[-1]

    def attempt(self, fax=None):
        return self.server.attempts(fax or self.fax)[-1]

    def is_whole(self, page_count):
        """Has the receiver every page, dot for dot?"""
        received = self.received()
        if received["pages"]["total"] != page_count:
            return False
        return pixels(self.server.document(received["id"])) == pixels(self.server.document(self.fax))

    def arrives(self, page_count, sender, receiver):
        """Asserts that all is there and that both records say what they have to; {key of transport: value} each."""
        fax = self.sent()
        same((self.to, fax["status"], fax.get("error"), fax["pages"]["confirmed"]),
             (self.to, "delivered", None, page_count))
        same((self.to, self.received()["status"], self.is_whole(page_count)), (self.to, "received", True))
        for record, wanted in ((fax, sender), (self.received(), receiver)):
            same((self.to, {key: record["transport"][key] for key in wanted}), (self.to, wanted))
