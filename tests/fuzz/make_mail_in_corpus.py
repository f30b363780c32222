#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The saved messages of fuzz_mail_in and of tests/flow/test_mail_in_odd.py: shapes of real mail programs and scanners, those
damaged in every way, and messages made to break whoever reads them. The same octets at each run:

    make_mail_in_corpus.py FOLDER
"""
import base64
import os
import random
import sys

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
GIF = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
TIFF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
RESULTS = "Authentication-Results: mx.example; dmarc=pass (p=none dis=none) header.from=office.example\n"
TOP = RESULTS + "Received: from mail.office.example by mx.example with ESMTPS; Sat, 21 Nov 2026 12:00:00 +0000\n"


def b64(data, width=76):
    text = base64.b64encode(data).decode()
    return "\n".join(text[i:i + width] for i in range(0, len(text), width)) if width else text


def head(program, subject="Vertrag", sender="Anna Amsel <anna@office.example>", more=""):
    return (TOP + f"From: {sender}\nTo: 1002@fax.example\nSubject: {subject}\nDate: Sat, 21 Nov 2026 13:00:00 +0100\n"
            f"Message-ID: <{abs(sum(map(ord, program + subject))):x}@office.example>\nMIME-Version: 1.0\n{more}{program}\n")


def attribute(kind, data):
    return b"\2" + kind.to_bytes(4, "little") + len(data).to_bytes(4, "little") + data + b"\0\0"


def tnef(*attachments):
    data = b"\x78\x9f\x3e\x22\1\0" + attribute(0x00089006, b"\0\0\1\0")
    for name, octets in attachments:
        data += attribute(0x00069002, b"\1\0" + bytes(12)) + attribute(0x00018010, name + b"\0") + attribute(0x0006800F, octets)
    return data


def part(kind, body, *fields):
    return f"Content-Type: {kind}\n" + "".join(field + "\n" for field in fields) + "\n" + body + "\n"


def multi(kind, boundary, *parts):
    return (f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'
            + "".join(f"--{boundary}\n{each}" for each in parts) + f"--{boundary}--\n")


BASE64 = "Content-Transfer-Encoding: base64"
QUOTED = "Content-Transfer-Encoding: quoted-printable"


def pdf_part(name, disposition="attachment", *more):
    return part(f'application/pdf; name="{name}"', b64(PDF), BASE64, f'Content-Disposition: {disposition}; filename="{name}"',
                *more)


def mailers():
    """Messages as they come: name -> text or octets."""
    text = part('text/plain; charset="utf-8"', "Guten Tag,\nanbei der Vertrag.\n-- \nAnna", "Content-Transfer-Encoding: 8bit")
    html = part('text/html; charset="utf-8"', "<html><head><style>p{color:red}</style></head><body><p>Guten Tag,</p>"
                "<p>anbei der <b>Vertrag</b>.<o:p></o:p></p></body></html>", QUOTED)
    made = {
        "gmail_text": head("X-Gm-Message-State: AOJu0Yx") + multi(
            "alternative", "0000000000003c5d1b05f6a0", part('text/plain; charset="UTF-8"', "Hello"),
            part('text/html; charset="UTF-8"', '<div dir="ltr">Hello</div>')),
        "gmail_pdf": head("X-Gm-Features: x", "=?UTF-8?Q?Vertr=C3=A4ge?=") + multi(
            "mixed", "000000000000f1", multi("alternative", "000000000000f2", text, html),
            pdf_part("Vertrag.pdf", "attachment", "Content-ID: <f_lq1>", "X-Attachment-Id: f_lq1")),
        "gmail_rfc2231": head("X-Mailer: none") + multi(
            "mixed", "00a", text, part("application/pdf; name=\"=?UTF-8?B?VmVydHLDpGdlLnBkZg==?=\"", b64(PDF), BASE64,
                                       "Content-Disposition: attachment; filename*=UTF-8''Vertr%C3%A4ge.pdf")),
        "apple_mail": head("X-Mailer: Apple Mail (2.3731.700.6)") + multi(
            "alternative", "Apple-Mail=_1", part("text/plain;\n\tcharset=us-ascii", "Hello", "Content-Transfer-Encoding: 7bit"),
            multi("mixed", "Apple-Mail=_2", html, pdf_part("a b.pdf", "inline;\n\t"), html)),
        "apple_ios": head("X-Mailer: iPhone Mail (20E252)") + multi(
            "mixed", "Apple-Mail-3", part("text/plain; charset=us-ascii", "\n"),
            part('image/jpeg; name=IMG_1.jpeg', b64(b"\xff\xd8\xff\xe0" + bytes(40)), BASE64,
                 "Content-Disposition: inline; filename=IMG_1.jpeg"), part("text/plain", "\nSent from my iPhone")),
        "outlook_html": head("X-Mailer: Microsoft Outlook 16.0\nThread-Index: AQHZ") + multi(
            "mixed", "----=_NextPart_000_0001", multi(
                "related", "----=_NextPart_001", multi("alternative", "----=_NextPart_002", text, html),
                part('image/png; name="image001.png"', b64(b"\x89PNG\r\n\x1a\n" + bytes(30)), BASE64,
                     "Content-ID: <image001.png@01D9>")), pdf_part("Vertrag.pdf")),
        "outlook_tnef": head("X-MS-TNEF-Correlator: <x>") + multi(
            "mixed", "_002_", text, part('application/ms-tnef; name="winmail.dat"', b64(tnef((b"VERTRA~1.PDF", PDF))), BASE64,
                                         'Content-Disposition: attachment; filename="winmail.dat"')),
        "outlook_tnef_two": head("X-MS-Has-Attach: yes") + multi(
            "mixed", "_003_", text, part("application/ms-tnef; name=winmail.dat", b64(tnef((b"a.pdf", PDF), (b"b.tif", TIFF))),
                                         BASE64)),
        "outlook_calendar": head("Content-class: urn:content-classes:calendarmessage") + multi(
            "alternative", "_000_", text, part("text/calendar; method=REQUEST; charset=utf-8", "BEGIN:VCALENDAR\nEND:VCALENDAR")),
        "outlook_com": head("X-Tmn: [x]\nReturn-Path: anna@office.example") + multi("mixed", "_004_DB7P_", html, pdf_part("1.pdf")),
        "exchange_signed": head("x") + multi("signed", "----=_NextPart_4", multi("mixed", "n5", text, pdf_part("1.pdf")),
                                             part("application/pkcs7-signature; name=smime.p7s", b64(bytes(80)), BASE64)),
        "thunderbird": head("User-Agent: Mozilla Thunderbird") + multi(
            "mixed", "------------a0", part("text/plain; charset=UTF-8; format=flowed", "Guten Tag, \nanbei \n", BASE64.replace(
                "base64", "8bit")), pdf_part("Brief.pdf"), part('text/vcard; charset=UTF-8; name="anna.vcf"', "BEGIN:VCARD\nEND:VCARD")),
        "thunderbird_pgp": head("User-Agent: Mozilla Thunderbird 102") + multi(
            "signed", "------------b0", multi("mixed", "------------b1", text, part(
                'application/pgp-keys; name="OpenPGP_0x1.asc"', "-----BEGIN PGP PUBLIC KEY BLOCK-----")),
            part('application/pgp-signature; name="OpenPGP_signature.asc"', "-----BEGIN PGP SIGNATURE-----")),
        "pgp_mime": head("x") + multi("encrypted", "c", part("application/pgp-encrypted", "Version: 1"),
                                      part("application/octet-stream", "-----BEGIN PGP MESSAGE-----\nx\n-----END PGP MESSAGE-----")),
        "pgp_inline": head("x") + "\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n",
        "smime": head("x") + part('application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', b64(bytes(300)), BASE64,
                                  'Content-Disposition: attachment; filename="smime.p7m"'),
        "k9": head("User-Agent: K-9 Mail for Android") + multi("mixed", "----KX", part("text/plain;\n charset=utf-8", "Hi", QUOTED),
                                                              pdf_part("scan.pdf")),
        "mutt": head("User-Agent: Mutt/2.2.9") + part("text/plain; charset=us-ascii", "Hello", "Content-Disposition: inline"),
        "mutt_pdf": head("User-Agent: Mutt/1.5") + multi("mixed", "AqsLC8rIMeq19msA", part(
            "text/plain; charset=iso-8859-1", "Gr=FC=DFe", QUOTED, "Content-Disposition: inline"), pdf_part("x.pdf")),
        "mailx": TOP + "From: anna@office.example\nTo: 1002@fax.example\nSubject: x\n\nplain old text\n",
        "notes": head("X-Mailer: Lotus Notes Release 9.0.1") + multi(
            "mixed", "=_mixed 0042", multi("alternative", "=_alternative 0042", part('text/plain; charset="US-ASCII"', "Hello"),
                                           part('text/html; charset="US-ASCII"', "<font>Hello</font>")), pdf_part("n.pdf")),
        "groupwise": head("X-Mailer: Novell GroupWise Internet Agent 14") + multi("mixed", "=__Part1__=", text, pdf_part("g.pdf")),
        "sap": head("X-Mailer: SAP NetWeaver 7.5") + multi("mixed", "=_0", part("text/plain; charset=\"utf-8\"", b64("Beleg".encode()),
                                                                              BASE64), pdf_part("BELEG.PDF", "attachment")),
        "scanner_canon": head("X-Mailer: Canon MFP", "Attached Image") + multi(
            "mixed", "Boundary_(ID)", part("text/plain; charset=us-ascii", ""), part(
                "application/pdf; name=0123_001.pdf", b64(PDF, 0), BASE64, "Content-Disposition: attachment; filename=0123_001.pdf")),
        "scanner_hp": head("X-Mailer: HP Digital Sending", "Scan") + multi(
            "mixed", "==HP==", part("text/plain", "Please open the attached document."), part(
                "image/tiff; name=scan.tif", b64(TIFF), BASE64)),
        "scanner_ricoh": head("X-Mailer: RICOH MP C3004", "Message from \"RNP0026\"") + multi(
            "mixed", "DC_BOUND_PRE_<1>", part("text/plain; charset=iso-8859-1", "This E-mail was sent from \"RNP0026\".", QUOTED),
            part("application/pdf", b64(PDF), BASE64, "Content-Disposition: attachment; filename=\"20261121.pdf\"")),
        "scanner_konica": head("X-Mailer: KONICA MINOLTA bizhub", "Message from KMBT").replace("\n", "\r\n") + multi(
            "mixed", "KMBT", part("text/plain", ""), pdf_part("SKM.pdf")).replace("\n", "\r\n"),
        "scanner_xerox": head("X-Mailer: Xerox WorkCentre") + part("application/octet-stream; name=\"Scan001.PDF\"", b64(PDF), BASE64),
        "scanner_brother": head("X-Mailer: Brother", more="Content-Transfer-Encoding: 7bit\n") + multi(
            "mixed", "b", part("TEXT/PLAIN", "x"), part("IMAGE/TIFF", b64(TIFF), BASE64.upper())),
        "fax_t37": head("X-Mailer: Internet FAX, MGCS", "IFAX") + part("image/tiff; application=faxbw", b64(TIFF), BASE64),
        "cron": TOP + "From: root@office.example (Cron Daemon)\nTo: 1002@fax.example\nSubject: Cron\nAuto-Submitted: auto-generated\n"
                "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\nbackup: ok\n",
        "bounce": TOP + "Return-Path: <>\nFrom: MAILER-DAEMON@office.example\nTo: 1002@fax.example\nSubject: Undelivered\n"
                "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n" + multi(
                    "report; report-type=delivery-status", "r/1", text, part("message/delivery-status",
                                                                              "Reporting-MTA: dns; x\n\nAction: failed"),
                    part("message/rfc822", "From: x@x\n\nx")),
        "list": head("List-Id: <list.office.example>\nPrecedence: list\nList-Unsubscribe: <mailto:x>") + text,
        "vacation": head("Auto-Submitted: auto-replied\nPrecedence: bulk\nX-Autoreply: yes") + text,
        "forward_eml": head("x") + multi("mixed", "f", text, part(
            'message/rfc822; name="old.eml"', head("x", "old") + multi("mixed", "g", text, pdf_part("old.pdf")),
            "Content-Disposition: attachment")),
        "japanese": head("x", "=?ISO-2022-JP?B?GyRCN0BMcz1xGyhC?=") + multi("mixed", "j", part(
            "text/plain; charset=ISO-2022-JP", "\x1b$B7@Ls=q\x1b(B"), pdf_part("=?ISO-2022-JP?B?GyRCN0BMcz1xGyhCLnBkZg==?=")),
        "russian": head("x", "=?koi8-r?B?5M/Hz9fP0g==?=") + part("text/plain; charset=koi8-r", "=E4=CF", QUOTED),
        "chinese": head("x", "=?gb2312?B?us/NrA==?=") + part("text/html; charset=gb2312", b64(b"<p>\xba\xcf\xcd\xac</p>"), BASE64),
        "arabic": head("x", "=?windows-1256?Q?=DA=DE=CF?=") + part("text/plain; charset=windows-1256", "=DA=DE=CF", QUOTED),
        "uuencode": head("x") + "\nHello\nbegin 644 a.pdf\n(4$1&+3$N-`H \n`\nend\n",
        "office_files": head("x") + multi("mixed", "o", text, part(
            'application/vnd.openxmlformats-officedocument.wordprocessingml.document; name="a.docx"',
            b64(b"PK\3\4" + bytes(26) + b"[Content_Types].xml"), BASE64), part('application/msword; name="b.doc"', b64(
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40)), BASE64)),
        "zip": head("x") + multi("mixed", "z", text, part('application/zip; name="a.zip"', b64(b"PK\3\4" + bytes(60)), BASE64)),
        "exe": head("x") + multi("mixed", "e", text, part('application/octet-stream; name="Rechnung.pdf.exe"', b64(b"MZ" + bytes(60)),
                                                          BASE64)),
        "related_logos": head("x") + multi("related", "l", html, *[part(
            "image/gif", b64(GIF), BASE64, f"Content-ID: <logo{i}>", "Content-Disposition: inline") for i in range(5)]),
        "empty_body": head("x") + multi("mixed", "y", part("text/plain", ""), pdf_part("only.pdf")),
        "subject_options": head("x", "[hi] [at=18:00] [nocover] [bill=22343] [EXTERNAL] Vertrag") + text,
        "subject_wrong_option": head("x", "[at=tomorrow] Vertrag") + text,
    }
    return {name: message if isinstance(message, bytes) else message.encode("latin-1" if name == "chinese" else "utf-8")
            for name, message in made.items()}


def damaged(name, message, chance):
    """The message in other states: name -> octets."""
    yield name + "_cut", message[:chance.randrange(len(message))]
    yield name + "_cut_late", message[:-chance.randrange(1, 80)]
    flipped = bytearray(message)
    for _ in range(chance.randrange(1, 40)):
        flipped[chance.randrange(len(flipped))] = chance.randrange(256)
    yield name + "_flipped", bytes(flipped)
    lines = message.split(b"\n")
    chance.shuffle(lines)
    yield name + "_shuffled", b"\n".join(lines)
    lines = [line for line in message.split(b"\n") if not (line.startswith(b"--") and chance.random() < 0.5)]
    yield name + "_boundaries_lost", b"\n".join(lines)
    kind = chance.randrange(5)
    if kind == 0:
        yield name + "_cr", message.replace(b"\n", b"\r")
    elif kind == 1:
        yield name + "_nul", message.replace(b" ", b" \0", 40)
    elif kind == 2:
        yield name + "_encoding", message.replace(b"base64", chance.choice([b"x-uuencode", b"quoted-printable", b"BASE-64", b"7bit; x"]))
    elif kind == 3:
        yield name + "_charset", message.replace(b"utf-8", chance.choice([b"utf-7", b"utf-16", b"x-none", b"\xff\xfe", b"a" * 300]))
    else:
        yield name + "_twice", message + message


def hostile(chance):
    """Messages made to break something: name -> text or octets."""
    made = {"empty": "", "line_end": "\n", "line_ends": "\r\n" * 50, "dot": ".", "from_line": "From x\n", "header_alone": head("x")[:-1],
            "body_alone": "\n" + "text", "no_colon": "no header at all\nnor here\n\nx", "colon": ":\n:\n\nx", "spaces": " \n \n x: y\n\nx",
            "pdf_bare": PDF, "elf_bare": b"\x7fELF" + bytes(range(256)), "all_octets": bytes(range(256)) * 8,
            "mbox": "From a\n" + head("x") + "\nx\n\nFrom b\n" + head("x") + "\ny\n"}
    for depth in (16, 60, 400, 1100):
        made[f"deep_multipart_{depth}"] = head("x") + "".join(
            f"Content-Type: multipart/mixed; boundary={i:x}\n\n--{i:x}\n" for i in range(depth)) + "\nx"
        made[f"deep_message_{depth}"] = head("x") + "Content-Type: message/rfc822\n\n" * depth + "x: y\n\nx"
        made[f"deep_same_boundary_{depth}"] = head("x") + "Content-Type: multipart/mixed; boundary=b\n\n--b\n" * depth
        made[f"deep_alternative_{depth}"] = head("x") + "".join(
            f"Content-Type: multipart/alternative; boundary={i:x}\n\n--{i:x}\n\nx\n--{i:x}\n" for i in range(depth))
        made[f"comments_{depth}"] = head("x", sender="(" * depth * 20 + "x" + ")" * depth + " <anna@office.example>") + "\nx"
    for count in (150, 250, 3000):
        made[f"wide_{count}"] = head("x") + "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * count
        made[f"wide_empty_{count}"] = head("x") + "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n" * count
        made[f"wide_pdf_{min(count, 60)}_{count}"] = head("x") + multi("mixed", "b", *[
            part("application/pdf", "%PDF-1") for _ in range(min(count, 60))])
        made[f"wide_digest_{count}"] = head("x") + "Content-Type: multipart/digest; boundary=b\n\n" + "--b\n\nSubject: x\n\nx\n" * count
        made[f"received_{count}"] = "Received: x\n" * count + head("x") + "\nx"
        made[f"fields_{count}"] = head("".join(f"X-{i}: y\n" for i in range(count)) + "x: y") + "\nx"
        made[f"folds_{count}"] = head("X-Folded: y" + "\n z" * count) + "\nx"
        made[f"parameters_{count}"] = head("x") + part("text/plain" + "".join(f"; p{i}=v" for i in range(count)), "x")
        made[f"name_pieces_{count}"] = head("x") + part("application/pdf" + "".join(f";\n name*{i}=a" for i in range(count)), "%PDF-1")
        made[f"encoded_words_{count}"] = head("x", " ".join(["=?utf-8?q?=C3=A4?="] * count)) + "\nx"
        made[f"groups_{count}"] = head("x", sender="g: a@b.example;, " * count + "anna@office.example") + "\nx"
        made[f"options_{count}"] = head("x", "[x]" * count + "[hi" * count) + "\nx"
        made[f"results_{count}"] = ("Authentication-Results: mx.example" + "; dkim=pass header.d=x" * count + "\n") * 2 + head("x") + "\nx"
    made["long_header"] = head("x", "S" * 300000) + "\nx"
    for size in (5000, 70000):
        made[f"long_subject_{size}"] = head("x", "S" * size) + "\nx"
        made[f"long_encoded_{size}"] = head("x", "=?utf-8?b?" + "w6Q=" * (size // 4) + "?=") + "\nx"
        made[f"long_name_{size}"] = head("x") + part(f'application/pdf; name="{"n" * size}.pdf"', "%PDF-1")
        made[f"long_boundary_{size}"] = head("x") + multi("mixed", "b" * size, part("text/plain", "x"))
        made[f"long_line_{size}"] = head("x") + "\n" + "x" * size
        made[f"long_quote_{size}"] = head("x", sender='"' + "q" * size + " <anna@office.example>") + "\nx"
    boundaries = ["", " ", '"', "--", "a b", "a" * 71, "a\\", "(x)", "a;b", "\t", "?=", "=?utf-8?q?b?=", "b\0c", "%s%n", "-" * 60]
    for number, boundary in enumerate(boundaries):
        made[f"boundary_{number}"] = head("x") + multi("mixed", boundary, part("text/plain", "x"), pdf_part("1.pdf"))
        made[f"boundary_bare_{number}"] = head("x") + f"Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n\nx\n"
    for number, (outer, inner) in enumerate((("a", "a"), ("a", "ab"), ("ab", "a"), ("a", "a--"), ("a--", "a"))):
        made[f"boundaries_alike_{number}"] = head("x") + multi("mixed", outer, multi("mixed", inner, part("text/plain", "x")),
                                                               pdf_part("1.pdf"))
    kinds = ["", "/", "text", "text/", "/plain", "text/plain/plain", "text plain", ";;;;", "multipart/", "multipart/mixed", "*/*",
             "text/plain; charset", "text/plain; =x", "text/plain; charset=\"", "application/pdf; name*=x'y'%", "TEXT/HTML;charset=''",
             "message/rfc822", "message/partial; number=1", "message/external-body", "message/delivery-status", "message/global",
             "multipart/parallel; boundary=b", "image/tiff; name*99999999999=x", "text/plain; charset=utf-8; charset=utf-7",
             "application/pdf; name*0*=utf-8''%ff%fe; name*1*=%", "application/x-none; name=\"a\nb\""]
    for number, kind in enumerate(kinds):
        made[f"type_{number}"] = head("x") + part(kind, "--b\n\nx\n--b--\n")
        made[f"type_within_{number}"] = head("x") + multi("mixed", "b", part("text/plain", "x"), part(kind, "--b\n\ny"))
    encodings = ["", "x", "base64", "BASE64 ", "quoted-printable", "x-uuencode", "yenc", "binary", "8bit\0", "7bit, base64"]
    rubbish = ["====", "=", "=A", "=\n=\n=", "%%%%", "begin 644 x\n!!!!\nend", "=ybegin line=128 size=9 name=x\nxx\n=yend size=9",
               "A", "QUJD=QUJD", "\xff\xfe\xfd" * 50]
    for number, encoding in enumerate(encodings):
        for other in (0, 3, 7):
            made[f"encoding_{number}_{other}"] = head("x") + part(
                "text/plain; charset=utf-8", rubbish[(number + other) % len(rubbish)], f"Content-Transfer-Encoding: {encoding}")
    for number, charset in enumerate(["utf-7", "utf-16", "utf-32", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "gb18030", "big5", "cp037",
                                      "unknown-8bit", "x-mac-roman", "utf-8\r", "../../etc/passwd", "ISO646-DE", "utf-9", "//IGNORE"]):
        text = bytes(chance.randrange(1, 256) for _ in range(300)).replace(b"\n", b"")
        made[f"charset_{number}"] = (head("x") + f'Content-Type: text/plain; charset="{charset}"\n\n').encode() + text
        made[f"charset_html_{number}"] = (head("x") + f'Content-Type: text/html; charset="{charset}"\n\n<p>').encode() + text
    pages = ["<" * 5000, "<p>" * 5000, "&" * 5000, "&#x10FFFF;" * 500, "<!--" * 1000, "<script>" * 500, "<pre>\n" * 900, "</" * 3000,
             "<a href='" + "x" * 5000, "<![CDATA[x]]>" * 100, "<style>" + "x" * 9000, "&nbsp;" * 2000, "<td>" * 3000, "<br>" * 5000,
             "<p title='>'>x", "\xff" * 1000, "<svg onload=x>", "<?xml ?>" * 90, "<HTML><HEAD>" * 60, "<li>" * 2000]
    for number, page in enumerate(pages):
        made[f"html_{number}"] = head("x") + part("text/html", page)
    whole = tnef((b"a.pdf", PDF), (b"b.pdf", PDF))
    for number in range(20):
        data = bytearray(whole)
        for _ in range(number):
            data[chance.randrange(6, len(data))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
        made[f"tnef_{number}"] = head("x") + part("application/ms-tnef", b64(bytes(data[:len(data) - number * 7])), BASE64)
    made["tnef_many"] = head("x") + part("application/ms-tnef", b64(tnef(*[(b"x", b"%PDF") for _ in range(100)])), BASE64)
    made["tnef_length"] = head("x") + part("application/ms-tnef", b64(b"\x78\x9f\x3e\x22\1\0\2\x0f\x80\6\0\xff\xff\xff\xff"), BASE64)
    for number, value in enumerate(["", "Sat, 99 Foo 99999 99:99:99 +9999", "0", "-1", "Sat, 21 Nov 292277026596 00:00:00 +0000", "\xff"]):
        made[f"date_{number}"] = head("x").replace("Sat, 21 Nov 2026 13:00:00 +0100", value) + "\nx"
    for number, value in enumerate(["", "<>", "@", "anna@", "@office.example", "<anna@office.example", "a@b@c", "a@[127.0.0.1]", "\"\"@x.y",
                                    "anna@office.example\0@x", "=?utf-8?q?anna=40office.example?=", "undisclosed-recipients:;",
                                    "x <anna@office.example>, y <y@z.example>", "<@a,@b:anna@office.example>", "\u202eelpmaxe@anna"]):
        made[f"sender_{number}"] = head("x", sender=value) + "\nx"
    for number, value in enumerate(["\x1b[2J", "a\rb", "=?utf-8?q?=0D=0ABcc:_x?=", "=?utf-8?b?//79?=", "=?x?x?x?=", "=?utf-8?q?" + "=" * 900,
                                    "\u202e\u2066x", "[at=18:00", "[bill=" + "9" * 300 + "]", "[at=%s%n]"]):
        made[f"subject_{number}"] = head("x", value) + "\nx"
    for number, value in enumerate(["mx.example", "mx.example;", "mx.example; =", "mx.example; dmarc", "(" * 500 + "mx.example; dmarc=pass",
                                    "mx.example; dmarc=pass header.from=\"office.example", "mx.example; " + "x=" * 4000, ";", "\xff; x=y"]):
        made[f"result_{number}"] = f"Authentication-Results: {value}\n" + head("x") + "\nx"
    return {name: message if isinstance(message, bytes) else message.encode("utf-8") for name, message in made.items()}


def messages():
    chance = random.Random(3192)
    made = mailers()
    for name in sorted(made):
        made |= dict(damaged(name, made[name], chance))
    return made | hostile(chance)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name, message in messages().items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(message)


if __name__ == "__main__":
    main()
