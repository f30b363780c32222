# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP messages as nobody should send them: valid ones, torture cases after the descriptions in RFC 4475, and mutants of
both. No test itself."""
import random

SDP = ("v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8\r\n"
       "a=rtpmap:0 PCMU/8000\r\nm=image 40002 udptl t38\r\na=T38FaxVersion:0\r\na=T38FaxMaxDatagram:400\r\n")


def valid(host, port, to, transport):
    """One message of each method and a few responses."""
    made = []
    for number, method in enumerate(["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "PRACK", "INFO",
                                     "MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH", "UNHEARD"]):
        body = SDP.format(host=host) if method in ("INVITE", "UPDATE") else ""
        more = f"RAck: 1 1 INVITE\r\n" if method == "PRACK" else "Event: presence\r\n" if method in ("SUBSCRIBE", "NOTIFY") else ""
        made.append(f"{method} sip:4001@{to} SIP/2.0\r\nVia: SIP/2.0/{transport} {host}:{port};rport;branch=z9hG4bK{number}\r\n"
                    f"Max-Forwards: 70\r\nFrom: \"A\" <sip:tester@{host}>;tag=a{number}\r\nTo: <sip:4001@{to}>\r\n"
                    f"Call-ID: torture{number}@{host}\r\nCSeq: {number + 1} {method}\r\nContact: <sip:{host}:{port}>\r\n"
                    f"Supported: timer, 100rel\r\nSession-Expires: 1800;refresher=uac\r\n{more}"
                    "P-Asserted-Identity: \"B\" <sip:+4930@x>, <tel:+4931>\r\nDiversion: <sip:1@x>;reason=busy\r\n"
                    'Authorization: Digest username="u", realm="faxd", nonce="n", uri="sip:x", response="r"\r\n'
                    + ("Content-Type: application/sdp\r\n" if body else "") + f"Content-Length: {len(body)}\r\n\r\n{body}")
    for status in (100, 183, 200, 302, 407, 486, 699):
        made.append(f"SIP/2.0 {status} So\r\nVia: SIP/2.0/{transport} {to};branch=z9hG4bKx{status}\r\nFrom: <sip:a@{to}>;tag=1\r\n"
                    f"To: <sip:b@{host}>;tag=2\r\nCall-ID: nobody{status}\r\nCSeq: 1 INVITE\r\nContact: <sip:{host}:{port}>\r\n"
                    'Proxy-Authenticate: Digest realm="x", nonce="y"\r\nContent-Length: 0\r\n\r\n')
    return made


def torture(host, port, to, transport):
    """RFC 4475, sections 3.1 to 3.4, in words of our own."""
    head = (f"Via: SIP/2.0/{transport} {host}:{port};rport;branch=z9hG4bKt\r\nMax-Forwards: 70\r\nFrom: <sip:t@{host}>;tag=t\r\n"
            f"To: <sip:4001@{to}>\r\nCall-ID: t@{host}\r\n")
    end = f"CSeq: 1 INVITE\r\nContact: <sip:{host}:{port}>\r\nContent-Length: 0\r\n\r\n"
    line = f"INVITE sip:4001@{to} SIP/2.0\r\n"
    texts = [
        # folded lines, short names, odd case and blanks
        f"INVITE sip:4001@{to};unknownparam SIP/2.0\r\nTO :\r\n sip:4001@{to} ;   tag    = 1918181833n\r\nfrom   : \"J Rosenberg \\\\\\\"\""
        f"       <sip:j@{host}>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 0068\r\nCall-ID: wsinv\r\nCSeq: 0009\r\n  INVITE\r\n"
        f"Via  : SIP  /   2.0\r\n /{transport}\r\n    {host};branch=390skdjuw\r\ns :\r\nNewFangledHeader:   newfangled value\r\n"
        f" continued newfangled value\r\nUnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Length: 0\r\nm:\"Quoted string \\\"\\\"\" "
        f"<sip:j@{host}> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n",
        # any token is a method
        f"!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_"
        f"too.(doesn't-it)@{to} SIP/2.0\r\n{head}CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\nContent-Length: 0\r\n\r\n",
        line.replace("sip:4001", "sip:sips%3Auser%40example.com%00") + head + end,
        line + head.replace("<sip:t", '"\\a\\b %00 \\\\" <sip:%6E%00t') + end,
        f"REGISTER sip:{to} SIP/2.0\r\n{head}CSeq: 1 REGISTER\r\nContact: <sip:a%00b@{host}>\r\nContact: *\r\nExpires: 0\r\nContent-Length: 0\r\n\r\n",
        line + head + end + "more behind the end" * 30,
        # numbers that are none, or too large
        line + head + end.replace("Content-Length: 0", "Content-Length: -999"),
        line + head + end.replace("Content-Length: 0", "Content-Length: 9999999999999"),
        *[line + head + end.replace("Content-Length: 0", f"Content-Length: {size}") + "short"
          for size in (150, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 63, 2 ** 64 - 1, 2 ** 64 - 300, 2 ** 64)],
        line + head + "CSeq: 36893488147419103232 INVITE\r\nMax-Forwards: 300\r\nExpires: 1000000000000000000\r\n"
        "Contact: <sip:x>;expires=280297596632815\r\nContent-Length: 0\r\n\r\n",
        f"SIP/2.0 4294967301 better not break the receiver\r\n{head}CSeq: 9292394834772304023312 OPTIONS\r\nWarning: 1812 overture \"x\"\r\n"
        "Retry-After: 949302838503028349304023988\r\nContent-Length: 0\r\n\r\n",
        # a line that is none
        f"INVITE  sip:4001@{to}  SIP/2.0\r\n{head}{end}", f"INVITE <sip:4001@{to}> SIP/2.0\r\n{head}{end}",
        f"INVITE sip:4001@{to}; lr SIP/2.0\r\n{head}{end}", f"INVITE sip:4001@{to} SIP/7.0\r\n{head}{end}",
        f"INVITE sip:4001@{to} SIP/2.0  \r\n{head}{end}", f"INVITE sip:[::1@{to} SIP/2.0\r\n{head}{end}",
        f"INVITE SIP/2.0\r\n{head}{end}", "INVITE\r\n\r\n", "\0" * 300, "\r\n" * 40, "SIP/2.0\r\n\r\n", " " * 1000, "GET / HTTP/1.1\r\n\r\n",
        # schemes nobody knows
        f"OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n{head}CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        f"INVITE name:John_Smith SIP/2.0\r\n{head}{end}", f"INVITE tel:+{'9' * 500} SIP/2.0\r\n{head}{end}",
        f"INVITE http://x/{'y' * 900} SIP/2.0\r\n{head}{end}", f"INVITE sips:4001@{to} SIP/2.0\r\n{head}{end}",
        # headers that are missing, doubled, endless, of no order
        line + end, line + head, line + f"Via: SIP/2.0/{transport} {host}\r\n\r\n", line + "\r\n",
        line + head + head + end, line + head + "CSeq: 5 INVITE\r\nCSeq: 59 BYE\r\nTo: <sip:x>\r\nFrom: <sip:y>\r\n" + end,
        line + head + end.replace("1 INVITE", "1 BYE"), line + head + end.replace("1 INVITE", "INVITE"),
        line + head + end.replace("1 INVITE", "-1 INVITE"), line + head.replace("Call-ID: t", "Call-ID: " + "t" * 4000) + end,
        line + head.replace("Via", "X: y\r\n" * 700 + "Via") + end, line + head + f"X-Long: {'z' * 20000}\r\n" + end,
        line + head + "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n" * 300 + end, line + head + "Route: <sip:h;lr>\r\n" * 300 + end,
        line + head + "Record-Route: <sip:\r\n" + end, line + head + "Contact: " + "<sip:a@b>," * 400 + "<sip:c>\r\n" + end,
        line + head.replace("branch=z9hG4bKt", "branch=z9hG4bK") + end, line + head.replace("SIP/2.0/", "SIP/2.0/X") + end,
        line + head.replace("tag=t", "tag=" + "t" * 3000) + end, line + head.replace(";tag=t", ";tag=;tag") + end,
        line + head + "Require: nothingSupportsThis, nothingSupportsThisEither\r\nProxy-Require: noProxiesSupportThis\r\n" + end,
        line + head + "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n" + end, line + head + 'From: "unfinished <sip:x@y\r\n' + end,
        line + head + "To: Bell, Alexander <sip:a.g.bell@bell-tel.com>;tag=43\r\n" + end,
        line + head + "Replaces: x;to-tag=1;from-tag=2\r\nJoin: x\r\nRefer-To: <sip:x?Replaces=%00>\r\n" + end,
        line + head + "Authorization: NoOneKnowsThisScheme opaque-data=here\r\nAuthorization: Digest\r\nAuthorization: \r\n" + end,
        line + head + "Session-Expires: -1\r\nMin-SE: x\r\nTimestamp: 1e99\r\n" + end, line + head + "Reason: Q.850;cause=99999999999\r\n" + end,
        # bodies
        line + head + "CSeq: 1 INVITE\r\nContent-Type: multipart/mixed; boundary=7a9cbec02ceef655\r\nContent-Length: 60\r\n\r\n"
        "--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\n--7a9c--",
        line + head + "CSeq: 1 INVITE\r\nContent-Type: invalid/thing\r\nContent-Length: 4\r\n\r\nv=0\n",
        line + head + "CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nv=0\n",
        line + head + "CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 9000\r\n\r\n" + ("m=image 1 udptl t38\r\n" * 450)[:9000],
        line + head + "CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 60\r\n\r\n" + "-" * 60,
        line + head + end.replace("Contact: <sip:", "Contact: <sip:[::ffff:"), line + head + "\r\n" + "-" * 72 + "\r\nrecv 5 bytes\r\n" + end,
    ]
    return texts


TOKENS = [b"\0", b"\r\n", b"\r\n ", b"%00", b"%", b'"', b"<", b">", b";", b",", b":", b"@", b"[", b"]", b"\xff\xfe", b"\xc3(", b"-1", b"0",
          b"4294967296", b"99999999999999999999", b"sip:", b"sips:", b"tel:", b"SIP/2.0", b";tag=", b";branch=z9hG4bK", b"A" * 3000, b" " * 200]


def mutant(chance, seeds):
    """One of the messages, changed in a few places by `chance` (random.Random)."""
    octets = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(octets) + 1)
        kind = chance.randrange(8)
        if kind == 0 and octets:
            octets[at % len(octets)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del octets[at:at + chance.choice((1, 2, 10, 100))]
        elif kind == 2:
            octets[at:at] = chance.choice(TOKENS)
        elif kind == 3:
            octets[at:at] = octets[at:at + chance.choice((1, 20, 300))]
        elif kind == 4:
            other = chance.choice(seeds)
            cut = chance.randrange(len(other) + 1)
            octets[at:] = other[cut:]
        elif kind == 5:
            lines = bytes(octets).split(b"\r\n")
            one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[two] = lines[two], lines[one]
            octets = bytearray(b"\r\n".join(lines))
        elif kind == 6:
            lines = bytes(octets).split(b"\r\n")
            del lines[chance.randrange(len(lines))]
            octets = bytearray(b"\r\n".join(lines))
        else:
            digits = [i for i, octet in enumerate(octets) if 48 <= octet <= 57]
            if digits:
                at = chance.choice(digits)
                octets[at:at + 1] = chance.choice((b"-1", b"0", b"2147483648", b"99999999999999999999", b"", b"x"))
    return bytes(octets[:60000])


def mutants(seed, count, host, port, to, transport):
    chance = random.Random(seed)
    seeds = [text.encode("latin-1") for text in valid(host, port, to, transport) + torture(host, port, to, transport)]
    yield from seeds
    for _ in range(count - len(seeds)):
        yield mutant(chance, seeds)
