# SPDX-License-Identifier: GPL-2.0-or-later
"""sipp as the odd peer: scenarios from short lists of steps, and sipp running one of them. It speaks SIP and no media.
A step that does not come as written fails the scenario. No test itself."""
import os
import shutil
import subprocess
import tempfile

from sip import free_port

US = "sipp[pid]"  # our tag
VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]"
SDP_TYPE = "Content-Type: application/sdp"


def sdp(*lines, version=1, address="127.0.0.1"):
    return "\n".join(("v=0", f"o=sipp 7 {version} IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
                      *lines)) + "\n"


def audio(port=40000, version=1, more=()):
    return sdp(f"m=audio {port} RTP/AVP 0 8", *more, version=version)


T38_LINES = ("a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxRateManagement:transferredTCF",
             "a=T38FaxMaxBuffer:2000", "a=T38FaxMaxDatagram:400", "a=T38FaxUdpEC:t38UDPRedundancy")


def image(port=40000, version=1):
    return sdp(f"m=image {port} udptl t38", *T38_LINES, version=version)


def both(audio_port=40000, image_port=40002, version=1):
    return sdp(f"m=audio {audio_port} RTP/AVP 0", f"m=image {image_port} udptl t38", *T38_LINES, version=version)


# ---- steps ----

def xml_text(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def send(text, again=False):
    """A message as sipp writes it: head, and body if there is one after an empty line. `again`: until it is
    answered."""
    head, _, body = text.partition("\n\n")
    retrans = ' retrans="500"' if again else ""
    return f"<send{retrans}><![CDATA[\n\n{head}\nContent-Length: [len]\n\n{body}]]></send>"


def receive(what, *patterns, optional=False, first=False, keep=None, seconds=200):
    """A request (its method) or response (its status), in which all the patterns (regular expressions) are found.
    `first`: the INVITE that begins a call to us. `keep`: a header whose number is [$kept] afterwards."""
    kind = "response" if isinstance(what, int) else "request"
    actions = [f'<ereg regexp="{xml_text(pattern)}" search_in="msg" check_it="true" assign_to="found"/>'
               for pattern in patterns]
    if first:
        actions += ['<ereg regexp=".*" search_in="hdr" header="From:" assign_to="them"/>',
                    '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="me"/>',
                    '<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>',
                    '<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>',
                    '<ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="where"/>']
    if keep:
        actions.append(f'<ereg regexp="[0-9]+" search_in="hdr" header="{keep}:" assign_to="kept"/>')
    inside = f"<action>{''.join(actions)}</action>" if actions else ""
    route = ' rrs="true"' if isinstance(what, int) else ""
    often = ' optional="true"' if optional else f' timeout="{seconds * 1000}"'
    return f'<recv {kind}="{what}"{route}{often}>{inside}</recv>'


def pause(ms):
    return f'<pause milliseconds="{ms}"/>'


def reply(line, body="", *headers, first=False, again=False):
    """To the last request. `first`: it began the call, so our tag is new."""
    tag = f";tag={US}" if first else ""
    contact = [] if line[0] == "3" else ["Contact: <sip:sipp@[local_ip]:[local_port]>"]
    lines = [f"SIP/2.0 {line}", "[last_Via:]", "[last_From:]", f"[last_To:]{tag}", "[last_Call-ID:]", "[last_CSeq:]",
             *contact, *headers, *([SDP_TYPE] if body else [])]
    return send("\n".join(lines) + "\n\n" + body, again)


def reply_first(line, body="", *headers):
    """To the INVITE of receive(first=True), after other requests have come."""
    lines = [f"SIP/2.0 {line}", "Via:[$via]", "From:[$them]", f"To:[$me];tag={US}", "Call-ID: [call_id]",
             "CSeq:[$cseq]",
             "Contact: <sip:sipp@[local_ip]:[local_port]>", *headers, *([SDP_TYPE] if body else [])]
    return send("\n".join(lines) + "\n\n" + body, True)


def request(method, number, body="", *headers, cseq=None, caller=False, again=True):
    """In the dialog. `caller`: the call is one of ours (`invite`), else it came to us."""
    if caller:
        line = f"{method} [next_url] SIP/2.0"
        ends = [f"From: <sip:sipp@[local_ip]>;tag={US}", "To: <sip:[service]@[remote_ip]>[peer_tag_param]"]
    else:
        line, ends = f"{method} [$where] SIP/2.0", [f"From:[$me];tag={US}", "To:[$them]"]
    lines = [line, VIA, *ends, "Call-ID: [call_id]", f"CSeq: {number} {cseq or method}", "Max-Forwards: 70",
             "Contact: <sip:sipp@[local_ip]:[local_port]>", *headers, *([SDP_TYPE] if body else [])]
    return send("\n".join(lines) + "\n\n" + body, again and method != "ACK")


def invite(body="", *headers, number=1, again=True, method="INVITE"):
    lines = [f"{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0", VIA, f"From: <sip:sipp@[local_ip]>;tag={US}",
             "To: <sip:[service]@[remote_ip]>", "Call-ID: [call_id]", f"CSeq: {number} {method}", "Max-Forwards: 70",
             "Contact: <sip:sipp@[local_ip]:[local_port]>", *headers, *([SDP_TYPE] if body else [])]
    return send("\n".join(lines) + "\n\n" + body, again)


def ack(body="", number=1):
    return request("ACK", number, body, caller=True)


def cancel():
    """Of the INVITE that was just sent: sipp's branch goes by the message's place, so ours is the last Via's."""
    lines = ["CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0", "[last_Via:]",
             f"From: <sip:sipp@[local_ip]>;tag={US}", "To: <sip:[service]@[remote_ip]>", "Call-ID: [call_id]",
             "CSeq: 1 CANCEL", "Max-Forwards: 70"]
    return send("\n".join(lines) + "\n\n", True)


def ack_refusal(number=1):
    """Of a 300 to 699, in its transaction."""
    lines = ["ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0", "[last_Via:]",
             f"From: <sip:sipp@[local_ip]>;tag={US}",
             "[last_To:]", "Call-ID: [call_id]", f"CSeq: {number} ACK", "Max-Forwards: 70"]
    return send("\n".join(lines) + "\n\n")


def answered(*, body=None, number=1):
    """A call of ours that is answered."""
    return [invite(audio() if body is None else body, number=number), receive(100, optional=True),
            receive(180, optional=True), receive(200), ack(number=number)]


def rings(body=None, *headers):
    """A call to us, up to our 200 and its ACK."""
    return [receive("INVITE", first=True), reply("180 Ringing", first=True),
            reply("200 OK", audio() if body is None else body, *headers, first=True, again=True), receive("ACK")]


class Sipp:
    """sipp at a port of its own. With `target` (port) and `service` (number) it calls, else it is called."""

    def __init__(self, *steps, target=None, service="", calls=1):
        self.folder = tempfile.mkdtemp(prefix="faxd-sipp-")
        self.port = free_port()
        flat = [step for part in steps for step in (part if isinstance(part, list) else [part])]
        text = "\n".join(flat)
        names = ("found", "them", "me", "where", "via", "cseq", "kept")
        used = [name for name in names if f'assign_to="{name}"' in text]
        reference = f'<Reference variables="{",".join(used)}"/>\n' if used else ""
        with open(os.path.join(self.folder, "s.xml"), "w", encoding="utf-8") as file:
            file.write('<?xml version="1.0" encoding="ISO-8859-1"?>\n'
                       f'<scenario name="s">\n{text}\n{reference}</scenario>\n')
        command = ["sipp", "-sf", "s.xml", "-i", "127.0.0.1", "-p", str(self.port), "-m", str(calls), "-nostdin",
                   "-timeout", "140s", "-timeout_error", "-trace_err", "-trace_msg", "-message_file", "messages",
                   "-error_file", "errors", "-max_retrans", "12", "-cp", str(free_port())]
        if target:
            command += ["-s", service, f"127.0.0.1:{target}"]
        with open(os.path.join(self.folder, "out"), "wb") as out:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT)

    def read(self, name):
        try:
            with open(os.path.join(self.folder, name), encoding="latin-1") as file:
                return file.read()
        except OSError:
            return ""

    def check(self, seconds=400):
        """The scenario came to its end as written."""
        status = self.process.wait(seconds)
        if status:
            raise AssertionError(f"sipp ended with {status}:\n{self.read('errors')[-3000:]}\n" +
                                 self.read("messages")[-6000:])

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)
