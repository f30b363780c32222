#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Strangers, floods and broken messages at a provider on SIP: they get nothing, and the calls of others go on. Prints
TAP."""
import hashlib
import os
import random
import re
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import together  # noqa: E402
import torture  # noqa: E402
from faxd import FAST_RETRIES, PAGES, SOURCE, fact, octets, pixels, same, started, wait_for, within  # noqa: E402
from sip_peer import Caller, header  # noqa: E402
from together import own_host  # noqa: E402

ONCE = {"max_attempts": 1}
MEMORY_KB = 400000  # of a host; a sanitizer keeps what was freed for a while


def lines_of(name, host, trunks, lines, group="default", settings="", media=(20000, 29999)):
    keys = "".join(f' trunks.{trunk}.{key} = "{value}"\n' for trunk, pairs in trunks.items() for key, value in pairs.items())
    return (f'provider "{name}" {{\n module = t38\n settings {{\n listen = "{host}:5060"\n port_low = {media[0]}\n'
            f' port_high = {media[1]}\n{keys} {settings}\n }}\n' +
            "".join(f' line "{line}" {{ groups = {{{group}}} }}\n' for line in lines) + "}\n")


class World:
    """Provider "out" calls "in", which has a second trunk, "tester", and lines to spare."""

    def __init__(self, settings="", tester="", lines=3, media=(20000, 29999)):
        self.out, self.host, self.tester = own_host(), own_host(1), own_host(2)
        trunks = {"office": {"server": self.out, "options_s": 0}, "tester": {"server": self.tester, "options_s": 0}}
        self.server = started(
            FAST_RETRIES + lines_of("out", self.out, {"office": {"server": self.host, "options_s": 0}}, ("2001",), media=media) +
            lines_of("in", self.host, trunks, range(4001, 4001 + lines), "inbound", settings + "\n" + tester, media))
        self.to = (self.host, 5060)

    def send(self):
        """A fax from "out", as soon as its page goes over the line."""
        fax = self.server.send("4711", retry=ONCE)
        self.server.wait_state(fax, "sending")
        return fax

    def delivered(self, fax):
        """The fax arrived dot for dot, by its first call; no host was lost, none grew without bounds."""
        ended = self.server.wait_state(fax)
        same((ended["status"], ended["calls"]), ("delivered", 1))
        got = wait_for(lambda: [f for f in self.server.inbound("4711") if f["status"] == "received"], "the page")
        same([pixels(self.server.document(one["id"])) for one in got], [pixels(PAGES[0])])
        self.alive()
        return got[0]

    def alive(self):
        same([p["restarts"] for p in self.server.get("/v1/providers")["data"]], [0, 0])
        for pid in self.server.pids("faxd-fsp"):
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                used = int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])
            print(f"# a host uses {used // 1024} MB")
            same(used < MEMORY_KB, True)
        with Caller(self.tester, self.to) as caller:
            same(caller.ask(caller.request("OPTIONS", call="alive")), 200)


# --- who may call ---

@fact
def strangers_hear_403():
    world = World()
    with Caller(own_host(3), world.to) as stranger:
        same([stranger.ask(stranger.request("INVITE", call=f"s{n}", cseq=n + 1), f"s{n}") for n in range(3)], [403] * 3)
        same(stranger.ask(stranger.request("OPTIONS")), 200)
        same(stranger.ask(stranger.request("REGISTER", call="r")), 405)
        same(stranger.ask(stranger.request("BYE", tag="x", call="b")), 481)
    within(f"what came from {own_host(3)} was refused", world.server.log())
    same(world.server.inbound(), [])
    world.alive()


def authorization(challenge, password, count=1, user="gate"):
    realm, nonce = (re.search(rf'{key}="([^"]*)"', challenge)[1] for key in ("realm", "nonce"))

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    right = md5(f"{md5(f'{user}:{realm}:{password}')}:{nonce}:{count:08x}:me:auth:{md5('INVITE:sip:x')}")
    return (f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="sip:x", qop=auth, nc={count:08x}, '
            f'cnonce="me", response="{right}"\r\n')


@fact
def callers_prove_who_they_are_where_the_trunk_wants_it():
    gate = 'trunks.tester.challenge = yes\n trunks.tester.user = gate\n trunks.tester.password = "open sesame"'
    world = World(tester=gate)
    with Caller(world.tester, world.to) as caller:
        def call(number, more=""):
            caller.send(caller.request("INVITE", call=f"c{number}", more=more))
            answer = caller.final(f"c{number}")
            caller.acknowledge(answer, call=f"c{number}")
            return int(answer.split()[1]), answer
        status, answer = call(1)
        same(status, 401)
        challenge = header(answer, "WWW-Authenticate")
        same(call(2, authorization(challenge, "wrong"))[0], 403)
        same(call(3, authorization(challenge, "open sesame", user="other"))[0], 403)
        good = authorization(challenge, "open sesame")
        status, answer = call(4, good)
        same(status, 200)
        caller.acknowledge(answer, call="c4", cseq=2, method="BYE")
        status, answer = call(5, good)  # overheard by somebody, and used again
        same(status, 401)
        within("stale=true", header(answer, "WWW-Authenticate"))
        status, answer = call(6, authorization(challenge, "open sesame", 2))
        same(status, 200)
        caller.acknowledge(answer, call="c6", cseq=2, method="BYE")
    wait_for(lambda: len(world.server.inbound()) == 2, "two calls")
    world.alive()


@fact
def a_call_is_not_taken_over_from_another_address():
    world = World()
    with Caller(world.tester, world.to) as caller, Caller(own_host(3), world.to) as stranger:
        caller.send(caller.request("INVITE"))
        answer = caller.final()
        caller.acknowledge(answer)
        tag = re.search("tag=([^;\r\n]+)", header(answer, "To"))[1]
        taken = stranger.request("INVITE", tag=tag, cseq=2).replace(f"call@{stranger.host}", f"call@{caller.host}")
        update = stranger.request("UPDATE", tag=tag, cseq=3).replace(f"call@{stranger.host}", f"call@{caller.host}")
        same(stranger.ask(taken), 403)
        same(stranger.ask(update), 403)
        same(caller.ask(caller.request("INVITE", tag=tag, cseq=4)), 200)  # it is the caller's as before
        caller.acknowledge(answer, cseq=4)
        same(caller.ask(caller.request("BYE", tag=tag, cseq=5)), 200)
    world.alive()


@fact
def calls_with_one_call_id_are_told_apart():
    world = World()
    with Caller(world.tester, world.to) as caller:
        def request(method, ours, **more):
            return caller.request(method, **more).replace("tag=acall", "tag=" + ours)

        theirs = {}
        for ours in "abc":
            caller.send(request("INVITE", ours))
            answer = caller.final()
            same(int(answer.split()[1]), 200)
            theirs[ours] = re.search("tag=([^;\r\n]+)", header(answer, "To"))[1]
            caller.send(request("ACK", ours, tag=theirs[ours]))
        for ours in "abc":
            same(caller.ask(request("BYE", ours, tag=theirs[ours], cseq=2)), 200)
            same(caller.ask(request("BYE", "none", tag="none", cseq=3)), 481)  # somebody has to hear it, or nobody
    same(len(world.server.settled_inbound(3)), 3)
    world.alive()


# --- floods ---

def answers(caller, counts):
    """Count the final responses that have come, by status."""
    caller.socket.setblocking(False)
    try:
        while True:
            status = int(caller.receive().split()[1])
            counts[status] = counts.get(status, 0) + 1
    except BlockingIOError:
        pass


@fact
def a_flood_of_calls_leaves_the_other_trunk_its_call():
    world = World("invite_rate = 25", f'trunks.tester.peers = "{own_host(4)}"')
    fax = world.send()
    counts = {}
    with Caller(world.tester, world.to) as flood, Caller(own_host(3), world.to) as stranger, \
            Caller(own_host(4), world.to) as friend:
        for call in range(6000):
            caller = flood if call % 3 else stranger
            caller.send(caller.request("INVITE", call=f"f{call}"))
            if call % 100 == 99:  # in step with the provider, so that none of them is lost on its way
                same(friend.ask(friend.request("OPTIONS", call=f"o{call}"), f"o{call}"), 200)
        for caller in (flood, stranger):
            answers(caller, counts)
    print("#", counts)
    same(counts[503] > 40 and counts[403] > 10, True)
    world.delivered(fax)


@fact
def connections_that_say_nothing_leave_the_others_their_call():
    world = World()
    fax = world.send()
    idle = []
    for number in range(400):
        try:
            idle.append(socket.create_connection(world.to, 5, (own_host(3 + number % 2), 0)))
            idle[-1].send(b"INVITE sip:x SIP/2.0\r\nVia:" if number % 2 else b"\r\n")
        except OSError:
            break  # no more are taken
    print(f"# {len(idle)} connections")
    world.delivered(fax)
    for one in idle:
        one.close()


# --- media of others ---

@fact
def packets_of_a_third_address_are_refused_and_counted():
    world = World(lines=1, media=(20000, 20001))
    fax = world.send()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((own_host(3), 20000))
        chance = random.Random(4)
        for number in range(2000):
            for host in (world.out, world.host):
                kind = number % 3
                packet = (struct.pack(">HB", number % 65536, 1) + b"\x06\x00\x00" if kind == 0 else
                          b"\x80\x00" + struct.pack(">HII", number % 65536, number * 160, 7) + b"\xff" * 160 if kind == 1 else
                          chance.randbytes(chance.randrange(400)))
                stranger.sendto(packet, (host, 20000))
    got = world.delivered(fax)
    for one in (fax, got["id"]):
        loss = world.server.attempts(one)[0]["packet_loss"]
        print("#", loss)
        same(loss["refused"] > 100, True)


# --- broken messages ---

def under_fire(attack):
    world = World("invite_rate = 100000", f'trunks.tester.peers = "{own_host(4)}"')
    fax = world.send()
    attack(world)
    world.delivered(fax)


def fire_udp(world):
    for host in (world.tester, own_host(4)):
        with Caller(host, world.to) as caller:
            caller.socket.setblocking(False)
            for text in torture.mutants(host[:7] + "udp", 5000, host, caller.port, world.host, "UDP"):
                try:
                    caller.socket.sendto(text, world.to)
                    while True:
                        caller.socket.recv(65536)
                except OSError:
                    pass  # nothing has come; or the datagram is too long


def fire_tcp(world):
    for text in torture.torture(world.tester, 5060, world.host, "TCP"):  # none behind one that ends the connection
        with socket.create_connection(world.to, 20, (world.tester, 0)) as stream:
            stream.sendall(text.encode("latin-1"))
    for host in (world.tester, own_host(4)):
        texts = list(torture.mutants(host[:7] + "tcp", 5000, host, 5060, world.host, "TCP"))
        while texts:
            with socket.create_connection(world.to, 20, (host, 0)) as stream:
                for text in [texts.pop() for _ in range(min(25, len(texts)))]:
                    try:
                        stream.sendall(text)
                        stream.setblocking(False)
                        stream.recv(65536)
                    except OSError:
                        pass
                    stream.settimeout(20)


@fact
def ten_thousand_broken_messages_by_udp_hurt_no_call():
    under_fire(fire_udp)


@fact
def ten_thousand_broken_messages_by_tcp_hurt_no_call():
    under_fire(fire_tcp)


IMAGE = ("v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=image {port} udptl t38\r\na=T38FaxVersion:0\r\n"
         "a=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxDatagram:1400\r\na=T38FaxUdpEC:t38UDPFEC\r\n")


def datagrams(chance, count):
    """Of a true UDPTL stream, of the fuzzer's corpus, and broken ones of both."""
    seeds = []
    folder = os.path.join(SOURCE, "tests/fuzz/corpus/udptl")
    for name in sorted(os.listdir(folder)):
        data = octets(os.path.join(folder, name))[1:]
        while len(data) > 2:
            size = struct.unpack(">H", data[:2])[0]
            seeds.append(data[2:2 + size][:1400])
            data = data[2 + size:]
    for indicator in range(0, 32):
        seeds.append(struct.pack(">HBB", 0, 1, indicator << 1) + b"\0\0")
    # HDLC of V.21 with a CFR, a DIS, a DCS, in fields as T.38 has them.
    for frame in (b"\xff\x13\x84", b"\xff\xc8\x01\x00\x77\x5f\x23\x01", b"\xff\xc8\xc1\x00\x46\x1f\x21"):
        seeds.append(struct.pack(">HB", 0, 5 + len(frame)) + b"\xc0\x01\x80\x00" + bytes([len(frame) - 1]) + frame + b"\0\0")
    for number in range(count):
        data = bytearray(chance.choice([seed for seed in seeds if seed]) if number % 50 else chance.randbytes(chance.randrange(1, 1400)))
        if number % 3 and len(data) > 1:
            data[0:2] = struct.pack(">H", (number * chance.choice((1, 1, 1, 7)) + chance.choice((0, 0, 0, 1, 400))) % 65536)
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            at = chance.randrange(len(data))
            kind = chance.randrange(4)
            if kind == 0:
                data[at] = chance.choice((0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)))
            elif kind == 1 and len(data) > 3:
                del data[at:at + chance.randrange(1, 4)]
            elif kind == 2:
                data[at:at] = chance.randbytes(chance.randrange(1, 40))
            else:
                data[at:at] = data[at:at + 60]
            if not data:
                data = bytearray(b"\0")
        yield bytes(data)


@fact
def ten_thousand_broken_datagrams_hurt_their_own_call_alone():
    world = World()
    fax = world.send()
    with Caller(world.tester, world.to) as caller, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
        media.bind((world.tester, 0))
        body = IMAGE.format(host=world.tester, port=media.getsockname()[1])
        caller.send(caller.request("INVITE", body=body))
        answer = caller.final()
        caller.acknowledge(answer)
        port = int(re.search("m=image ([0-9]+)", answer)[1])
        for number, data in enumerate(datagrams(random.Random(38), 10000)):
            media.sendto(data, (world.host, port))
            if number % 100 == 99:
                same(caller.ask(caller.request("OPTIONS", call=f"o{number}"), f"o{number}"), 200)  # and in step with it
        tag = re.search("tag=([^;\r\n]+)", header(answer, "To"))[1]
        same(caller.ask(caller.request("BYE", tag=tag, cseq=2), "call") in (200, 481), True)
    world.delivered(fax)


if __name__ == "__main__":
    sys.exit(together.main())
