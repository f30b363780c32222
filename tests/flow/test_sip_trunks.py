#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Trunks of SIP: registered with Kamailio, by UDP, TCP, TLS and IPv6; one after the other when some are out of order;
what they tell and what they hide. Prints TAP."""
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import together  # noqa: E402
from faxd import FAST_RETRIES, PAGES, fact, pixels, running, same, started, wait_for, within  # noqa: E402
from sip_peer import Caller, Kamailio, Peer, header, response  # noqa: E402
from together import own_host  # noqa: E402

ONCE = {"max_attempts": 1}


def lines_of(name, host, trunks, module="t38", lines=("2001",), group="default", settings="", media=(20000, 29999),
             listen=None):
    """A provider at host:5060. `trunks` is {name: {key: value}}."""
    keys = "".join(f' trunks.{trunk}.{key} = "{value}"\n' for trunk, pairs in trunks.items() for key, value in pairs.items())
    carrier = " carrier = sip\n" if module == "softmodem" else ""
    return (f'provider "{name}" {{\n module = {module}\n settings {{\n{carrier} listen = "{listen or host + ":5060"}"\n'
            f' port_low = {media[0]}\n port_high = {media[1]}\n{keys} {settings}\n }}\n' +
            "".join(f' line "{line}" {{ groups = {{{group}}} }}\n' for line in lines) + "}\n")


def trunk(server, name):
    return server.get("/v1/trunks/" + name)


def wait_trunk(server, name, state, reason=""):
    def look():
        now = trunk(server, name)
        return now if now["state"] == state and reason in now["reason"] else None
    return wait_for(look, f"trunk {name} to be {state}")


def delivered(server, fax, count=1):
    """The fax arrived, dot for dot, without a second call; the received one."""
    ended = server.wait_state(fax)
    same((ended["status"], ended["calls"]), ("delivered", 1))
    got = server.settled_inbound(count)[-1]
    same((got["status"], pixels(server.document(got["id"]))), ("received", pixels(PAGES[0])))
    return got


def trace(server, fax):
    return "\n".join(message["text"] for message in server.get(f"/v1/faxes/{fax}/attempts/1/trace")["sip"])


# --- registered with Kamailio ---

def registered(kamailio, user, transport="udp", **more):
    return {"server": kamailio.host, "register": "yes", "user": user, "password": f"secret of {user}", "options_s": 0,
            "transport": transport, **more}


def through_kamailio(transport):
    with Kamailio(own_host()) as kamailio:
        server = started(FAST_RETRIES +
                         lines_of("out", own_host(1), {"pbx": registered(kamailio, 7001, transport)}) +
                         lines_of("in", own_host(2), {"pbx": registered(kamailio, 7002, transport)}, lines=("4001",),
                                  group="inbound"))
        for one in ("out/pbx", "in/pbx"):
            wait_trunk(server, one, "up", "registered")
        same(trunk(server, "out/pbx")["kind"], "register")
        fax = server.send("7002")
        got = delivered(server, fax)
        same((got["from"], got["to"], got["transport"]["mode"]), ("7001", "7002", "t38"))
        said = trace(server, fax)
        within("407 Proxy Authentication Required", said)
        within('response="***"', said)
        same(re.findall('response="[0-9a-f]', said), [])
        same(kamailio.count("call of 7001 to 7002"), 1)
        wait_for(lambda: trunk(server, "out/pbx")["calls_total"] == 1, "the call to be counted")
        wait_for(lambda: trunk(server, "out/pbx")["calls"] == 0, "the end of the call to be told")


@fact
def a_fax_goes_through_a_registrar_by_udp():
    through_kamailio("udp")


@fact
def a_fax_goes_through_a_registrar_by_tcp():
    through_kamailio("tcp")


@fact
def a_registration_is_refreshed_before_it_ends():
    with Kamailio(own_host(), expires=6) as kamailio:
        server = started(FAST_RETRIES + lines_of("out", own_host(1), {"pbx": registered(kamailio, 7001)}))
        wait_trunk(server, "out/pbx", "up")
        wait_for(lambda: kamailio.count("registered 7001") >= 4, "three refreshes")
        same((trunk(server, "out/pbx")["state"], server.events()), ("up", []))


@fact
def a_wrong_password_is_told():
    with Kamailio(own_host()) as kamailio:
        wrong = {**registered(kamailio, 7001), "password": "wrong"}
        server = started(FAST_RETRIES + lines_of("out", own_host(1), {"pbx": wrong}))
        wait_trunk(server, "out/pbx", "down", "the server refuses user and password")
        same(kamailio.count("registered"), 0)
        same(server.get("/v1/lines")["data"][0]["state"], "unavailable")
        same("wrong" in server.log().replace("wrong user", ""), False)


@fact
def a_password_is_not_given_away():
    """A server that wants Basic gets nothing."""
    class Greedy(Peer):
        def hear(self, text, source):
            self.say(response(text, 401, "Unauthorized", 'WWW-Authenticate: Basic realm="x"\r\n'), source)

    with Greedy(own_host()) as peer:
        trunks = {"pbx": {"server": peer.host, "register": "yes", "user": "7001", "password": "x"}}
        server = started(FAST_RETRIES + lines_of("out", own_host(1), trunks))
        wait_trunk(server, "out/pbx", "down", "the server refuses user and password")
        same([text for text in peer.got if "Authorization" in text], [])


@fact
def a_registrar_that_was_away_is_found_again():
    with Kamailio(own_host(), expires=6) as kamailio:
        trunks = {"pbx": registered(kamailio, 7001, "tcp", options_s=1)}
        server = started(FAST_RETRIES + lines_of("out", own_host(1), trunks))
        wait_trunk(server, "out/pbx", "up", "registered")
        kamailio.kill()
        wait_trunk(server, "out/pbx", "down")
        fax = server.send("7002", retry=ONCE)  # 7002 is not registered
        kamailio.start()
        wait_trunk(server, "out/pbx", "up", "registered")
        ended = server.wait_state(fax)
        same((ended["status"], ended["error"]["code"], ended["calls"]), ("failed", "bad_address", 1))
        same([e for e in server.events() if e.startswith("trunk")], ["trunk.down", "trunk.up"])


@fact
def a_registrar_that_was_silent_to_one_call_is_asked_again():
    with Peer(own_host(), invite=0) as peer:
        trunks = {"pbx": {"server": peer.host, "register": "yes", "user": "7001", "password": "x", "expires_s": 3600}}
        server = started(FAST_RETRIES + lines_of("out", own_host(1), trunks, settings="response_timeout_ms = 500"))
        wait_trunk(server, "out/pbx", "up", "registered")
        server.send("4711")
        wait_for(lambda: "trunk.down" in server.events(), "the trunk to be down")
        peer.invite = 486
        wait_trunk(server, "out/pbx", "up")


# --- TLS ---

class Certificates:
    """An authority and certificates by it, each in a folder as tls_dir wants it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="faxd-tls-")
        self.authority("ca")

    def run(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def authority(self, name):
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}", "-keyout",
                 self.path(name + ".key"), "-out", self.path(name + ".pem"))

    def issue(self, name, subject, by="ca", trusts="ca"):
        """A folder with agent.pem for the host `subject` and cafile.pem."""
        folder = self.path(name)
        os.mkdir(folder)
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={subject}", "-keyout", self.path("key"), "-out",
                 self.path("request"))
        self.run("x509", "-req", "-in", self.path("request"), "-CA", self.path(by + ".pem"), "-CAkey",
                 self.path(by + ".key"), "-CAcreateserial", "-days", "30", "-out", self.path("certificate"))
        with open(os.path.join(folder, "agent.pem"), "w", encoding="ascii") as file:
            for part in ("certificate", "key"):
                with open(self.path(part), encoding="ascii") as source:
                    file.write(source.read())
        shutil.copy(self.path(trusts + ".pem"), os.path.join(folder, "cafile.pem"))
        return folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


def with_certificates(function):
    def run():
        with Certificates() as certificates:
            function(certificates)
    run.__name__ = function.__name__
    return fact(run)


def secured(name, host, peer, folder, module="t38", number="2001", group="default", **more):
    return lines_of(name, host, {"peer": {"server": peer + ":5061", "transport": "tls", "options_s": 1, **more}}, module,
                    (number,), group, f'tls_listen = "{host}:5061"\n tls_dir = "{folder}"')


def over_tls(certificates, module, **more):
    one, other = own_host(1), own_host(2)
    server = started(FAST_RETRIES +
                     secured("out", one, other, certificates.issue("out", one), module, **more) +
                     secured("in", other, one, certificates.issue("in", other), module, "4001", "inbound", **more))
    for name in ("out/peer", "in/peer"):
        wait_trunk(server, name, "up")
    fax = server.send("5551234")
    got = delivered(server, fax)
    return got, trace(server, fax)


@with_certificates
def tls_carries_a_fax_between_certificates_that_are_checked(certificates):
    got, said = over_tls(certificates, "t38")
    same(got["transport"]["mode"], "t38")
    within("SIP/2.0/TLS", said)


@with_certificates
def srtp_carries_a_page_under_tls(certificates):
    got, said = over_tls(certificates, "softmodem", srtp="yes")
    same(got["transport"]["mode"], "audio")
    within("RTP/SAVP", said)
    within("inline:***", said)
    same(re.findall("inline:[A-Za-z0-9]", said), [])


@with_certificates
def servers_with_wrong_certificates_are_refused(certificates):
    certificates.authority("stranger")
    one = own_host(1)
    mine = certificates.issue("mine", one)
    text, wrong = FAST_RETRIES, {"name": ("ca", "192.0.2.1"), "authority": ("stranger", None)}
    for number, (what, (by, subject)) in enumerate(wrong.items(), 2):
        host = own_host(number)
        folder = certificates.issue(what, subject or host, by)
        text += secured("far-" + what, host, one, folder, number=f"400{number}", group="inbound")
        text += secured("out-" + what, own_host(number + 10), host, mine, number=f"200{number}", group=what)
    server = started(text)
    for what in wrong:
        wait_trunk(server, f"out-{what}/peer", "down")
        fax = server.send("5551234", retry=ONCE, route={"group": what})
        server.wait_state(fax, "queued")
        same(server.inbound(), [])


# --- IPv6, static trunks ---

@fact
def a_fax_goes_by_ipv6():
    ports = [36000 + os.getpid() % 2000 + 2000 * i for i in range(2)]
    server = started(FAST_RETRIES +
                     lines_of("out", "", {"peer": {"server": f"[::1]:{ports[1]}"}}, listen=f"[::1]:{ports[0]}") +
                     lines_of("in", "", {"peer": {"server": f"[::1]:{ports[0]}"}}, lines=("4001",), group="inbound",
                              listen=f"[::1]:{ports[1]}", media=(30000, 31999)))
    fax = server.send("5551234")
    got = delivered(server, fax)
    same(got["transport"]["mode"], "t38")
    within("IN IP6 ::1", trace(server, fax))


@fact
def a_static_trunk_is_asked_whether_it_is_there():
    with Peer(own_host(), options=503) as peer:
        server = started(FAST_RETRIES + lines_of("out", own_host(1), {"pbx": {"server": peer.host, "options_s": 1}}))
        wait_trunk(server, "out/pbx", "down", "OPTIONS was answered with 503")
        fax = server.send("4711", retry=ONCE)
        peer.options = 404  # whoever says so is there
        wait_trunk(server, "out/pbx", "up", "answers to OPTIONS")
        same(server.wait_state(fax)["error"]["code"], "busy")
        peer.deaf = True
        wait_trunk(server, "out/pbx", "down", "no answer to OPTIONS")
        same(server.command("trunk", "test", "out/pbx")[0], 1)
        peer.deaf = False
        wait_trunk(server, "out/pbx", "up")
        same(server.command("trunk", "test", "out/pbx")[0], 0)


# --- one trunk after the other ---

def first_then_second(first, settings="", after=None):
    """The first trunk cannot carry the call, the second says busy: one attempt, by the second. `after(server)` goes on."""
    with Peer(own_host(1)) as peer:
        trunks = {"first": {"server": first, "options_s": 0}, "second": {"server": peer.host, "options_s": 0}}
        server = started(FAST_RETRIES + lines_of("out", own_host(2), trunks, settings=settings))
        fax = server.send("4711", retry=ONCE)
        ended = server.wait_state(fax)
        same((ended["status"], ended["error"]["code"], ended["calls"]), ("failed", "busy", 1))
        tried = server.attempts(fax)
        same([(one["trunk"], one["sip_status"]) for one in tried], [("second", 486)])
        same(len(peer.requests("INVITE")) > 0, True)
        wait_for(lambda: trunk(server, "out/first")["failures_total"] == 1, "the failure to be counted")
        if after:
            after(server)


@fact
def the_next_trunk_is_tried_when_one_says_503():
    with Peer(own_host(), invite=503) as peer:
        first_then_second(peer.host, after=lambda server: same(trunk(server, "out/first")["state"], "up"))


@fact
def the_next_trunk_is_tried_when_one_says_500():
    with Peer(own_host(), invite=500) as peer:
        first_then_second(peer.host)


@fact
def the_next_trunk_is_tried_when_one_is_silent():
    def it_is_not_asked_again(server):
        wait_trunk(server, "out/first", "down")
        same(server.wait_state(server.send("4712", retry=ONCE))["error"]["code"], "busy")
        same({text.split()[1].split("@")[0] for text in peer.requests("INVITE")}, {"sip:4711"})

    with Peer(own_host(), options=0, invite=0) as peer:
        first_then_second(peer.host, "response_timeout_ms = 400", it_is_not_asked_again)


@fact
def the_next_trunk_is_tried_when_nobody_listens_at_one():
    first_then_second(own_host())


@fact
def the_next_trunk_is_tried_when_one_has_no_name():
    with Names(own_host(3), own_host(4), own_host(4)) as names:
        first_then_second("nowhere.test", f'resolv_conf = "{names.path}"')
        within(("nowhere.test", 1), names.asked)


@fact
def the_next_trunk_is_tried_when_no_name_server_can_be_reached():
    """The library's resolver would try for ever, and nothing else would move. No socket is connected to a broadcast
    address, as none to an address without a route."""
    def it_is_known_why(server):
        within("no name server can be reached", wait_trunk(server, "out/first", "down")["reason"])
        same(server.wait_state(server.send("4712", retry=ONCE))["error"]["code"], "busy")

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "resolv.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("# the network is not there yet\nsearch test\nnameserver 255.255.255.255\n")
        first_then_second("nowhere.test", f'resolv_conf = "{path}"', it_is_known_why)


@fact
def a_registration_without_a_name_server_says_so_and_is_tried_again():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "resolv.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("nameserver 255.255.255.255\n")
        pbx = {"server": "nowhere.test", "register": "yes", "user": "7001", "password": "secret", "options_s": 0}
        server = started(FAST_RETRIES + lines_of("out", own_host(), {"pbx": pbx}, settings=f'resolv_conf = "{path}"'))
        wait_trunk(server, "out/pbx", "down", "REGISTER: no name server can be reached")
        same(server.command("trunk", "test", "out/pbx")[0], 1)
        wait_trunk(server, "out/pbx", "down", "OPTIONS: no name server can be reached")
        wait_trunk(server, "out/pbx", "down", "REGISTER: no name server can be reached")


@fact
def a_busy_number_is_not_called_by_the_next_trunk():
    with Peer(own_host()) as one, Peer(own_host(1)) as other:
        trunks = {"first": {"server": one.host}, "second": {"server": other.host}}
        server = started(FAST_RETRIES + lines_of("out", own_host(2), trunks))
        fax = server.send("4711", retry=ONCE)
        same(server.wait_state(fax)["error"]["code"], "busy")
        same((server.attempts(fax)[0]["trunk"], other.requests("INVITE")), ("first", []))


@fact
def faxes_wait_while_all_trunks_are_down():
    with Peer(own_host(), options=0) as one, Peer(own_host(1), options=503) as other:
        trunks = {"first": {"server": one.host, "options_s": 1}, "second": {"server": other.host, "options_s": 1}}
        server = started(FAST_RETRIES + lines_of("out", own_host(2), trunks))
        for name in trunks:
            wait_trunk(server, "out/" + name, "down")
        faxes = [server.send("4711", retry=ONCE) for _ in range(3)]
        same([server.fax(fax)["calls"] for fax in faxes], [0, 0, 0])
        other.options = 200
        for fax in faxes:
            ended = server.wait_state(fax)
            same((ended["error"]["code"], ended["calls"]), ("busy", 1))
        same((one.requests("INVITE"), len(server.attempts(faxes[0]))), ([], 1))


def far_host_dies(module, media, *ends):
    """The far end's machine goes in mid-call: the call ends as what it was, and the next one goes elsewhere."""
    here, far = own_host(), own_host(1)
    with Peer(own_host(2)) as peer:
        trunks = {"first": {"server": far, "options_s": 1}, "second": {"server": peer.host}}
        other = started(FAST_RETRIES + lines_of("in", far, {"peer": {"server": here}}, module, ("4001",), "inbound"))
        server = started(FAST_RETRIES + lines_of("out", here, trunks, module))
        fax = server.send("5551234", retry=ONCE)
        server.wait_state(fax, "sending")
        other.kill_all()
        other.process.wait()
        wait_trunk(server, "out/first", "down")
        ended = server.wait_state(fax)
        within((ended["status"], ended["error"]["code"]), ends)
        same(server.attempts(fax)[0]["transport"]["mode"], media)
        fax = server.send("5551234", retry=ONCE)
        same((server.wait_state(fax)["error"]["code"], server.attempts(fax)[0]["trunk"]), ("busy", "second"))
        wait_for(lambda: [line["state"] for line in server.get("/v1/lines")["data"]] == ["idle"], "the line to be idle")


@fact
def a_far_end_that_dies_in_a_t38_call_ends_it():
    # The page went out whole: nobody knows whether it was taken.
    far_host_dies("t38", "t38", ("failed", "media_timeout"), ("unconfirmed", "confirmation_lost"))


@fact
def a_far_end_that_dies_in_an_audio_call_ends_it():
    far_host_dies("softmodem", "audio", ("failed", "media_timeout"))


@fact
def a_trunk_has_no_more_calls_than_it_may():
    with Peer(own_host(), invite=180) as one, Peer(own_host(1)) as other:
        trunks = {"first": {"server": one.host, "calls_max": 1}, "second": {"server": other.host}}
        server = started(FAST_RETRIES + lines_of("out", own_host(2), trunks, lines=("2001", "2002")))
        ringing = server.send("4711", retry=ONCE)
        one.wait_request("INVITE")
        wait_for(lambda: trunk(server, "out/first")["calls"] == 1, "the call to be told")
        fax = server.send("4712", retry=ONCE)
        same((server.wait_state(fax)["error"]["code"], server.attempts(fax)[0]["trunk"]), ("busy", "second"))
        same((len({header(text, "Call-ID") for text in one.requests("INVITE")}), trunk(server, "out/first")["calls"]), (1, 1))
        same(server.ask("POST", f"/v1/faxes/{ringing}/cancel").status in (200, 202), True)
        one.wait_request("CANCEL")
        server.wait_state(ringing)


# --- who calls whom ---

@fact
def numbers_are_written_as_the_trunk_wants_them():
    wanted = {"as_dialled": "sip:0+49301234@", "digits": "sip:049301234@", "plus": "sip:0+49301234@"}
    plain = {"as_dialled": "sip:030@", "digits": "sip:030@", "plus": "sip:0+30@"}
    with Peer(own_host()) as peer:
        text = FAST_RETRIES
        for number, form in enumerate(wanted, 1):
            text += lines_of(form, own_host(number), {"pbx": {"server": peer.host, "number_format": form, "prefix": "0"}},
                             lines=(f"200{number}",), group=form)
        server = started(text)
        for number, uris in (("+49301234", wanted), ("30", plain)):
            for form, uri in uris.items():
                before = len(peer.requests("INVITE"))
                server.wait_state(server.send(number, retry=ONCE, route={"group": form}))
                same(peer.requests("INVITE")[before].split()[1].startswith(uri), True)


@fact
def our_own_number_and_address_are_told_as_configured():
    with Peer(own_host(), invite=488) as peer:
        trunks = {"pbx": {"server": peer.host, "caller_id": "4930777", "domain": "fax.example", "identity": "asserted"}}
        server = started(FAST_RETRIES + lines_of("out", own_host(1), trunks, settings='external_address = "192.0.2.77"'))
        server.wait_state(server.send("4711", retry=ONCE))
        invite = peer.wait_request("INVITE")
        within("<sip:4930777@fax.example>", header(invite, "From"))
        within("<sip:4930777@fax.example>", header(invite, "P-Asserted-Identity"))
        within("192.0.2.77", header(invite, "Contact"))
        within("c=IN IP4 192.0.2.77", invite)
        server.wait_state(server.send("4712", retry=ONCE, caller_id="+49 30 888"))  # what a fax asks for comes first
        asked = peer.requests("INVITE")[-1]
        within("<sip:+4930888@fax.example>", header(asked, "From"))
        within("<sip:+4930888@fax.example>", header(asked, "P-Asserted-Identity"))


def call_in(server, caller, call, **more):
    """A call that is answered and hung up at once; the received fax."""
    before = len(server.inbound())
    caller.send(caller.request("INVITE", call=call, **more))
    answer = caller.final(call)
    same(answer.split()[1], "200")
    number = more.get("number", "4001")
    caller.acknowledge(answer, number, call)
    caller.acknowledge(answer, number, call, 2, "BYE")
    caller.final(call)
    wait_for(lambda: len(server.inbound()) > before, "the call to be recorded")
    return server.inbound()[-1]


@fact
def who_calls_and_who_is_called_is_found_where_the_trunk_says():
    callers = {"uri": own_host(1), "to": own_host(2), "x-called": own_host(3)}
    trunks = {name: {"server": host, "did": name, "options_s": 0} for name, host in callers.items()}
    server = started(FAST_RETRIES + lines_of("in", own_host(), trunks, lines=("4001", "4002", "4003"), group="inbound"))
    asked = {"uri": "4001", "to": "4711", "x-called": "4712"}
    headers = {"P-Asserted-Identity": '"Fax" <sip:+4930111@pbx>', "Remote-Party-ID": "<sip:+4930222@pbx>;party=calling"}
    who = {"uri": ("", "+4930999"), "to": ("Remote-Party-ID", "+4930222"), "x-called": ("P-Asserted-Identity", "+4930111")}
    for name, host in callers.items():
        with Caller(host, (own_host(), 5060)) as caller:
            which, number = who[name]
            more = "X-Called: <sip:4712@pbx>\r\nDiversion: <sip:4999@pbx>;reason=busy\r\n"
            more += f"{which}: {headers[which]}\r\n" if which else ""
            text = {"number": "4711" if name == "to" else "4001", "more": more, "sender": "+4930999"}
            if name == "to":
                text["uri"] = f"sip:4001@{own_host()}"
            got = call_in(server, caller, name, **text)
            same((got["to"], got["from"]), (asked[name], number))


# --- names, ports, sizes ---

class Names:
    """A name server that knows _sip._udp.fax.test: two hosts of different priority."""

    def __init__(self, host, best, other):
        self.records = {"fax.test": (35, [self.naptr()]), "_sip._udp.fax.test": (33, [self.srv(20, "other.fax.test"),
                                                                                      self.srv(10, "best.fax.test")]),
                        "best.fax.test": (1, [socket.inet_aton(best)]), "other.fax.test": (1, [socket.inet_aton(other)])}
        self.asked = []
        self.host = host
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.folder = tempfile.mkdtemp(prefix="faxd-names-")
        self.path = os.path.join(self.folder, "resolv.conf")
        with open(self.path, "w", encoding="ascii") as file:
            file.write(f"port {self.socket.getsockname()[1]}\nnameserver {host}\n")
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    @staticmethod
    def name(text):
        return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"

    def srv(self, priority, target):
        return struct.pack(">HHH", priority, 0, 5060) + self.name(target)

    def naptr(self):
        return struct.pack(">HH", 10, 10) + b"\x01s\x07SIP+D2U\x00" + self.name("_sip._udp.fax.test")

    def serve(self):
        while True:
            data, source = self.socket.recvfrom(4096)
            if data == b"stop":
                return
            labels, at = [], 12
            while data[at]:
                labels.append(data[at + 1:at + 1 + data[at]].decode())
                at += 1 + data[at]
            name, kind = ".".join(labels).lower(), struct.unpack(">H", data[at + 1:at + 3])[0]
            self.asked.append((name, kind))
            known, values = self.records.get(name, (None, []))
            values = values if known == kind else []
            answer = data[:2] + struct.pack(">HHHHH", 0x8580 if known else 0x8583, 1, len(values), 0, 0) + data[12:at + 5]
            for value in values:
                answer += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(value)) + value
            self.socket.sendto(answer, source)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"stop", self.socket.getsockname())
        self.thread.join()
        self.socket.close()
        shutil.rmtree(self.folder)


@fact
def a_trunk_by_name_is_found_by_srv_records_in_their_order():
    with Peer(own_host(1)) as best, Peer(own_host(2), invite=404) as other, \
            Names(own_host(3), best.host, other.host) as names:
        server = started(FAST_RETRIES + lines_of("out", own_host(), {"pbx": {"server": "fax.test"}},
                                                 settings=f'resolv_conf = "{names.path}"'))
        wait_trunk(server, "out/pbx", "up", "answers to OPTIONS")
        same(server.wait_state(server.send("4711", retry=ONCE))["error"]["code"], "busy")
        same((len({header(text, "Call-ID") for text in best.requests("INVITE")}), other.requests("INVITE")), (1, []))
        within(("_sip._udp.fax.test", 33), names.asked)
        best.close()  # nobody there any more: the record behind it
        same(server.wait_state(server.send("4712", retry=ONCE))["error"]["code"], "bad_address")


@fact
def a_call_without_a_port_for_media_says_so():
    host = own_host()
    with Peer(own_host(1)) as peer:
        with Caller(host, (peer.host, 5060), 20000):
            server = started(FAST_RETRIES + lines_of("out", host, {"pbx": {"server": peer.host}}, media=(20000, 20001)))
            fax = server.send("4711", retry=ONCE)
            server.wait_state(fax, "scheduled")
            same(server.attempts(fax)[0]["outcome"], "line_unavailable")
            within("no port for media is free from 20000 to 20001", server.log())
            same(peer.requests("INVITE"), [])
        same(server.wait_state(fax)["error"]["code"], "busy")


@fact
def a_thousand_lines_are_there_soon():
    with Peer(own_host(1)) as peer:
        names = [str(number) for number in range(10000, 11000)]
        begin = time.monotonic()
        server = started(FAST_RETRIES + lines_of("out", own_host(), {"pbx": {"server": peer.host}}, lines=names))
        wait_trunk(server, "out/pbx", "up")
        print(f"# a thousand lines after {time.monotonic() - begin:.2f} s")
        same(len(server.get("/v1/lines")["data"]), 1000)
        fax = server.send("4711", retry=ONCE)
        same(server.wait_state(fax)["error"]["code"], "busy")


@fact
def faxd_ends_though_its_registrar_is_gone():
    with Peer(own_host(1)) as peer:
        trunks = {"pbx": {"server": peer.host, "register": "yes", "user": "7001", "password": "x"}}
        server = started(FAST_RETRIES + lines_of("out", own_host(), trunks))
        wait_trunk(server, "out/pbx", "up")
        peer.deaf = True
        begin = time.monotonic()
        running.pop().stop()
        print(f"# ended after {time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    sys.exit(together.main())
