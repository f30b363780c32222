# SPDX-License-Identifier: GPL-2.0-or-later
"""Faxes by SIP that run side by side, in real time, for tests: all are sent first, and looked at one by one. No test
itself."""
import os

from faxd import BUILD, Faxd, pixels, same


TRIES = 4  # of a call that the machine breaks


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
        self.server, self.to, self.path = server, to, path
        self.more = {"retry": {"max_attempts": 1}, **more}
        self.earlier = 0  # calls of faxes before this one that were answered
        self.fax = server.send(to, path, **self.more)

    def sent(self, seconds=600):
        return self.server.wait_state(self.fax, seconds=seconds)

    def answered(self):
        return sum(attempt["connected_at"] is not None for attempt in self.server.attempts(self.fax))

    def received(self):
        """What the far end has of the caller's last call."""
        return self.server.settled_inbound(max(1, self.earlier + self.answered()), self.to)[-1]

    def stood_still(self):
        """Did one of the ends not get the processor for so long that a modem's signal broke off? That call tells of the
        machine alone. T.38 has to bear it."""
        if not self.answered():
            return False
        for fax in (self.fax, self.received()["id"]):
            for attempt in self.server.attempts(fax):
                loss = attempt["packet_loss"]
                if loss and loss["standstill_ms"] > 0 and (attempt["transport"] or {}).get("mode") == "audio":
                    print(f"# {self.to}: stood still for {loss['standstill_ms']} ms, {attempt['outcome']}")
                    return True
        return False

    def heard_out(self):
        """The fax, sent again where the machine stood still."""
        for _ in range(TRIES - 1):
            self.sent()
            if not self.stood_still():
                break
            self.earlier += self.answered()
            self.fax = self.server.send(self.to, self.path, **self.more)
        return self.sent()

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
        fax = self.heard_out()
        same((self.to, fax["status"], fax.get("error"), fax["pages"]["confirmed"]),
             (self.to, "delivered", None, page_count))
        same((self.to, self.received()["status"], self.is_whole(page_count)), (self.to, "received", True))
        for record, wanted in ((fax, sender), (self.received(), receiver)):
            same((self.to, {key: record["transport"][key] for key in wanted}), (self.to, wanted))
