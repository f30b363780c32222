#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail becomes faxes, behind a real Postfix: what is sent, what is refused, and what its sender hears. One faxd and one
Postfix for all facts. Prints TAP."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import PAGES, fact, main, octets, pixels, same, wait_for, within  # noqa: E402
from mail_in import LETTER, Office, mail, statuses, text_of  # noqa: E402

BOTH = ("fax.example", "lmtp.example")  # by pipe, by LMTP
MIB = 1 << 20
office = None  # made by the last lines


def letter_pages():
    told = subprocess.run(["pdfinfo", LETTER], capture_output=True, text=True, check=True).stdout
    return int(told.split("Pages:")[1].split()[0])


def refused(message_id, status, *words, to="1002@fax.example", name="anna"):
    """No call is made, and one report says why."""
    answer = office.answer(message_id, name)
    same(answer["Return-Path"], "<>")
    same(statuses(answer), {to: ("failed", status)})
    for word in words:
        within(word, " ".join(answer.as_string().replace("=\n", "").split()))
    same([fax for fax in office.faxes(message_id) if (fax["status"], fax["attempts"]) != ("failed", 0)], [])
    return answer


def nothing_is_told(message_id):
    """Postfix has done with it, and a mail after it is answered: there is no answer to it, of nobody to nobody."""
    office.settled(message_id)
    office.answer(office.hand_in(mail(), to="1002@fax.example"))
    same([octets for name in ("anna", "berta", "mallory") for octets in office.postfix.octets(name)
          if message_id.encode() in octets], [])


@fact
def a_mail_with_a_text_and_a_pdf_becomes_a_fax_by_pipe_and_by_lmtp_and_its_sender_gets_an_answer():
    for domain in BOTH:
        before = len(office.server.inbound("1002"))
        sent = office.swaks("--attach-type", "application/pdf", "--attach-name", "letter.pdf", "--attach", "@" + LETTER,
                            to="1002@" + domain, subject="The contract", body="Please sign and send it back.")
        answer = office.answer(sent)
        fax = office.server.wait_state(office.fax(sent)["id"])
        same((fax["status"], fax["to"]), ("delivered", "1002"))
        same((answer["Subject"], answer["Auto-Submitted"], answer["Return-Path"], answer["In-Reply-To"]),
             ("Fax accepted: The contract", "auto-replied", "<>", sent))
        within("id: " + fax["id"], text_of(answer))
        within(f"pages: {1 + letter_pages()}\n", text_of(answer))  # the text is on a cover page
        same(fax["pages"]["total"], 1 + letter_pages())
        received = office.server.settled_inbound(before + 1, "1002")[-1]
        same(received["status"], "received")
        same(pixels(office.server.document(received["id"])), pixels(office.server.document(fax["id"])))


@fact
def several_recipients_of_a_mail_get_a_fax_each_and_its_sender_gets_one_answer():
    for domain in BOTH:
        sent = office.hand_in(mail(), to=f"1002@{domain},FAX=1003/T33S=77@{domain},+49-30-x@{domain}")
        answer = office.answer(sent)
        same(answer["Subject"], "Fax accepted in part: A letter")
        same(statuses(answer), {f"1002@{domain}": ("relayed", "2.1.5"), f"FAX=1003/T33S=77@{domain}": ("relayed", "2.1.5"),
                                f"+49-30-x@{domain}": ("failed", "5.1.1")})
        same(sorted(fax["to"] for fax in office.faxes(sent)), ["1002", "1003"])
        for fax in office.faxes(sent):
            within(fax["id"], text_of(answer))
        within("subaddress: 77", text_of(answer))


@fact
def options_of_the_subject_are_followed_and_those_that_are_not_known_are_named():
    sent = office.hand_in(mail(Subject="[hi] [at=23:59] [bill=22343] [EXTERNAL] Größe [fine]"))
    answer = office.answer(sent)
    fax = office.fax(sent)
    same((fax["priority"], fax["metadata"]["bill"], fax["metadata"]["subject"]), ("high", "22343", "[EXTERNAL] Größe"))
    assert fax["not_before"], fax
    same(answer["Subject"], "Fax accepted: [EXTERNAL] Größe")
    within("not before: ", text_of(answer))
    within("Not known as options and left in the subject: [EXTERNAL]", text_of(answer))
    office.server.ask("POST", f"/v1/faxes/{fax['id']}/cancel")
    refused(office.hand_in(mail(Subject="[at=25:00] x")), "5.6.0", "[at=3D25:00] is no time")
    pages = {}
    for subject in ("plain", "[nocover]", "[cover=urgent]"):
        sent = office.hand_in(mail(attachments=[("a.tif", "image/tiff", octets(PAGES[0]))], Subject=subject))
        office.answer(sent)
        pages[subject] = office.fax(sent)["pages"]["total"]
    same(pages, {"plain": 2, "[nocover]": 1, "[cover=urgent]": 2})


@fact
def attachments_are_sent_in_their_order_whatever_their_names_are():
    names = ["größe 1.tif", "日本語 " * 20 + ".tif", "../../etc/passwd"]
    sent = office.hand_in(mail(None, [(name, "image/tiff", octets(page)) for name, page in zip(names, PAGES)],
                               Subject="three"))
    office.answer(sent)
    fax = office.server.wait_state(office.fax(sent)["id"])
    same((fax["status"], fax["pages"]["total"]), ("delivered", 3))
    reply = office.server.ask("POST", f"/v1/faxes/{fax['id']}/cancel")
    same(reply.status, 409)
    alone = [office.server.wait_state(office.server.send("1004", page, header={"show": True}))["id"] for page in PAGES[:3]]

    def ink(fax_id, page):
        """Rows of a page without the header line, which tells the time."""
        return office.server.picture(fax_id, page, 300)[30:]

    for page, single in enumerate(alone, 1):
        same(ink(fax["id"], page) == ink(single, 1), True)


@fact
def a_sender_gets_a_receipt_from_faxd_where_the_settings_say_so():
    office.faxmail.configure(receipt=True)
    try:
        sent = office.hand_in(mail(Subject="with a receipt"))
        office.answer(sent)
        fax = office.server.wait_state(office.fax(sent)["id"])
        same(fax["status"], "delivered")
        found = wait_for(lambda: [message for message in office.postfix.mailbox("anna") if fax["id"] in str(message)
                                  and "faxd@office.example" in message["From"]], "a receipt")
        same(len(found), 1)
    finally:
        office.faxmail.configure(receipt=False)


@fact
def a_forged_sender_gets_nothing_and_its_own_results_are_not_believed():
    forged = mail(believed=True, From="anna@office.example")  # says of itself that it is believed
    for domain in BOTH:
        sent = office.hand_in(forged.replace(b"Message-ID: <", f"Message-ID: <{domain}.".encode()), to="1002@" + domain,
                              sender="mallory@office.example")
        nothing_is_told(sent)  # neither Anna hears of it nor who was put into the envelope, by faxmail or by Postfix
        same(office.faxes(sent), [])
    dropped = [line for line in office.faxmail.log().splitlines() if sent in line and "message dropped" in line]
    within("nothing shows that the message comes from anna@office.example", dropped[0])  # of LMTP; a pipe tells syslog


@fact
def an_envelope_sender_that_nothing_vouches_for_hears_nothing():
    believed = mail()  # From is proved, the envelope is anybody's
    for to, status in (("1002@fax.example", 0), ("nobody@fax.example", 0)):
        before = len(office.postfix.octets("berta"))
        same(office.faxmail.run(believed, to, sender="berta@office.example")[0], status)
        same(len(office.postfix.octets("berta")), before)
    sent = [line.split()[1] for line in believed.decode().splitlines() if line.startswith("Message-ID:")][0]
    same(len(office.faxes(sent)), 1)
    office.faxmail.configure(unbelieved="answer")
    forged = mail(believed=False)
    try:
        same(office.faxmail.run(forged, "1002@fax.example")[0], 0)
        sent = office.hand_in(mail())
        office.answer(sent)
        same([octets for name in ("anna", "berta") for octets in office.postfix.octets(name)
              if b"nothing shows that" in octets], [])
        proved = b"Authentication-Results: mx.example; spf=pass smtp.mailfrom=berta@office.example\r\n" \
            + mail(believed=False, From="x@elsewhere.example")
        same(office.faxmail.run(proved, "1002@fax.example", sender="berta@office.example")[0], 0)
        wait_for(lambda: [octets for octets in office.postfix.octets("berta") if b"nothing shows that" in octets], "a report")
    finally:
        office.faxmail.configure(unbelieved="reject")
    same(office.faxmail.run(proved, "1002@fax.example", sender="berta@office.example")[0], 77)
    same(office.faxmail.run(forged, "1002@fax.example")[0], 0)
    office.faxmail.configure(before_queue=True)
    same(office.faxmail.run(forged, "1002@fax.example")[0], 77)
    office.faxmail.configure(before_queue=False)


@fact
def who_has_signed_in_to_the_mail_server_may_send_without_any_results():
    arguments = ("--auth", "PLAIN", "--auth-user", "mallory@office.example", "--auth-password", "secret")
    for users, done in ((["mallory@office.example"], 1), (["somebody"], 0)):
        office.faxmail.configure(auth_users=users)
        sent = office.swaks(*arguments, sender="mallory@office.example", body="signed in")
        same((office.answer(sent, "mallory")["Return-Path"], len(office.faxes(sent))), ("<>", done))
    office.faxmail.configure(auth_users=[])


@fact
def a_sender_who_is_not_on_the_list_gets_a_report():
    sent = office.hand_in(mail(From="berta@office.example", believed=False), sender="berta@office.example")
    office.answer(sent, "berta")
    office.faxmail.configure(senders=["anna@office.example"])
    try:
        sent = office.hand_in(mail(From="berta@office.example", believed=False), sender="berta@office.example")
        refused(sent, "5.7.1", "berta@office.example may not send faxes by mail", name="berta")
    finally:
        office.faxmail.configure(senders=["@office.example"])


@fact
def a_mail_without_a_usable_number_gets_a_report():
    for number, word in (("nobody", "is no number"), ("FAX=", "no digits"), ('"/FAX=123/ISUB=4/"', "not supported")):
        for domain in BOTH:
            sent = office.hand_in(mail(), to=f"{number}@{domain}")
            refused(sent, "5.1.1", word, to=f"{number}@{domain}".replace('"', ""))


@fact
def what_cannot_be_faxed_is_refused_by_name():
    program = b"MZ\x90\0" + bytes(200)
    for name, kind, data, word in (("setup.exe", "application/octet-stream", program, "setup.exe"),
                                   ("letter.pdf.js", "application/pdf", octets(LETTER), "letter.pdf.js"),
                                   ("letter.pdf", "application/pdf", program, "letter.pdf"),
                                   ("smime.p7m", "application/pkcs7-mime", program, "encrypted"),
                                   ("data.zip", "application/zip", b"PK\3\4" + bytes(99), "data.zip"),
                                   ("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22\1", "winmail.dat")):
        refused(office.hand_in(mail(attachments=[(name, kind, data)])), "5.6.1", word)
    refused(office.hand_in(mail("\n")), "5.6.0", "nothing to fax")
    refused(office.hand_in(mail(attachments=[("broken.pdf", "application/pdf", b"%PDF-1.4\nbroken")])), "5.6.1")
    sent = office.hand_in(mail(attachments=[("card.vcf", "text/vcard", b"BEGIN:VCARD\n")]))
    within('"card.vcf" is no page of a fax and was left out', text_of(office.answer(sent)))
    same(len(office.faxes(sent)), 1)


@fact
def a_mail_of_60_mib_is_refused():
    large = mail(attachments=[("large.pdf", "application/pdf", octets(LETTER) + bytes(44 * MIB))])
    assert len(large) > 60 * MIB
    sent = office.hand_in(large)
    refused(sent, "5.3.4", "too large")
    sent = office.hand_in(large.replace(b"Message-ID: <", b"Message-ID: <lmtp."), to="1002@lmtp.example")
    office.settled(sent)
    within("MAILER-DAEMON", refused(sent, "5.3.4", "exceeds size limit", to="1002@lmtp.example")["From"])  # by SIZE, before it came


@fact
def automatic_mail_is_faxed_and_never_answered():
    for fields in ({"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"}, {"List_Id": "<list.example>"}):
        for domain in BOTH:
            sent = office.hand_in(mail(**fields), to="1002@" + domain)
            nothing_is_told(sent)
            same(len(office.faxes(sent)), 1)
            bad = refused(office.hand_in(mail(**fields), to="nobody@" + domain), "5.1.1", "is no number", to="nobody@" + domain)
            within("MAILER-DAEMON", bad["From"])  # a report of the mail server's, which is no answer
    sent = office.hand_in(mail(Auto_Submitted="no"))
    office.answer(sent)


@fact
def a_loop_ends():
    own = office.answer(office.hand_in(mail()))
    sent = office.hand_in(b"Received: again\r\nMessage-ID: <loop@office.example>\r\n"
                          + own.as_bytes().replace(own["Message-ID"].encode(), b"<x@x>"))
    nothing_is_told(sent)
    same(office.faxes(sent), [])
    circle = b"".join(b"Received: from %d\r\n" % hop for hop in range(40))
    sent = office.hand_in(circle + mail())
    refused(sent, "5.4.6", "circle")
    nothing_is_told(office.hand_in(mail(), sender="<>"))


@fact
def a_message_that_comes_twice_is_one_fax():
    message = mail()
    for count in (1, 2, 3):
        sent = office.hand_in(message)
        same(len(office.answers(sent, count)), count)
        office.fax(sent)
    within("was accepted before, and is not sent again", "".join(text_of(answer) for answer in office.answers(sent, 3)))
    changed = office.hand_in(message.replace(b"Good morning", b"Good evening"))
    office.answers(changed, 4)
    office.fax(changed)
    nameless = mail(message_id=False, Subject="without a name")
    for _ in range(2):
        same(office.faxmail.run(nameless, "1002@fax.example")[0], 0)
    same(len([fax for fax in office.server.faxes("direction=outbound&limit=200&tag=mail")
              if fax["metadata"].get("subject") == "without a name"]), 1)


@fact
def while_faxd_is_away_mail_waits_and_then_becomes_one_fax():
    office.server_away()
    sent = {domain: office.hand_in(mail(), to="1002@" + domain) for domain in BOTH}
    try:
        for domain in BOTH:
            wait_for(lambda: f"to=<1002@{domain}>" in office.postfix.log().split(sent[domain])[-1] and [
                entry for entry in office.postfix.queue() if entry["recipients"][0]["address"] == "1002@" + domain
                and "cannot be reached" in entry["recipients"][0].get("delay_reason", "")], "the mail to be put off")
        same([o for o in office.postfix.octets("anna") if sent["fax.example"].encode() in o], [])
    finally:
        office.server_back()
    for domain in BOTH:
        office.settled(sent[domain])
        office.answer(sent[domain])
        same(office.server.wait_state(office.fax(sent[domain])["id"])["status"], "delivered")


@fact
def while_an_answer_cannot_be_sent_mail_waits_and_is_one_fax():
    office.postfix.answer("anna@office.example", "450 4.2.0 not now")
    message = mail()
    run = lambda: office.faxmail.run(message, "1002@fax.example")  # noqa: E731
    status, said, _ = run()
    same((status, said[:5]), (75, "4.4.1"))
    same(run()[0], 75)
    office.postfix.answer("anna@office.example", None)
    same(run()[:2], (0, ""))
    sent = [line.split()[1] for line in message.decode().splitlines() if line.startswith("Message-ID:")][0]
    office.answer(sent)
    office.fax(sent)
    office.postfix.answer("anna@office.example", "550 5.1.1 nobody of that name")
    message = mail()
    same(run()[:2], (0, ""))  # it will never be answered: that is no reason to fax it again and again
    status, said, _ = office.faxmail.run(mail(), "nobody@fax.example")  # but what is no fax is not to vanish
    same((status, said[:5]), (67, "5.1.1"))
    office.postfix.answer("anna@office.example", "530 5.7.0 sign in first")
    status, said, _ = office.faxmail.run(mail(), "nobody@fax.example")
    same((status, said[:5]), (75, "4.4.1"))
    office.postfix.answer("anna@office.example", None)
    port = office.postfix.port
    office.faxmail.configure(smarthost="smtp://127.0.0.1:1")
    message = mail(Subject="nobody to tell")
    status, said, _ = run()
    same(status, 75)
    within("is not there", said)
    same([fax for fax in office.server.faxes("tag=mail&limit=200") if fax["metadata"].get("subject") == "nobody to tell"], [])
    office.faxmail.configure(smarthost=f"smtp://127.0.0.1:{port}")


if __name__ == "__main__":
    with Office() as office:
        status = main()
    sys.exit(status)
