#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faxmail as an LMTP server, command by command, and as a program: its options, its sockets, its end. Prints TAP."""
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import SOURCE, fact, main, octets, same, started, wait_for, within  # noqa: E402
from mail_in import FAXMAIL, Faxmail, Lmtp, mail  # noqa: E402
from postfix import free_port  # noqa: E402

DATA = "DATA"


@fact
def each_recipient_gets_a_reply():
    server = started()
    with Faxmail(server) as faxmail:
        client = Lmtp(faxmail.listen().port)
        replies = client.send(mail(), "1002@fax.example", "nobody@fax.example", "FAX=1003/T33S=5@fax.example",
                              "1002@elsewhere.example")
        same([reply[:9] for reply in replies], ["250 2.1.5", "550 5.1.1", "250 2.1.5", "550 5.1.2"])
        same(sorted(fax["to"] for fax in server.faxes("direction=outbound")), ["1002", "1003"])
        within(server.faxes("direction=outbound")[0]["id"], "".join(replies))
        same(client.send(mail(From="mallory@elsewhere.example"), "1002@fax.example")[0][:9], "250 2.0.0")
        proved = b"Authentication-Results: mx.example; spf=pass smtp.mailfrom=office.example\r\n"
        same(client.send(proved + mail(From="mallory@elsewhere.example"), "1002@fax.example")[0][:9], "550 5.7.1")
        status, said, _ = faxmail.run(mail(), "1002@fax.example", "nobody@fax.example")  # a pipe has one result for all
        same((status, said[:5]), (67, "5.1.1"))
        same(len(server.faxes("direction=outbound")), 2)
        faxmail.configure(server="http://127.0.0.1:1")
        client.close()
        client = Lmtp(faxmail.port)
        same(client.send(mail(), "1002@fax.example")[0][:9], "451 4.3.0")
        client.ask("QUIT", "221")
        client.close()


@fact
def what_is_said_in_the_wrong_order_or_way_is_refused_and_the_session_goes_on():
    with Faxmail() as faxmail:
        client = Lmtp(faxmail.listen().port, greet=False)
        same(client.reply(), "220 mx.example faxmail LMTP")
        for line, code in (("EHLO x", "500"), ("MAIL FROM:<a@b>", "503"), ("LHLO", "500"), ("LHLO x", "250"), ("RCPT TO:<1@x>", "503"),
                           (DATA, "503"), ("MAIL FROM:a@b", "501"), ("MAIL FROM:<a b>", "501"), ("MAIL FROM:<\x01>", "501"),
                           ("MAIL FROM:<a@b> SIZE=99999999999", "552"), ("MAIL FROM:<a@b> SIZE=x", "501"),
                           ("MAIL FROM:<a@b> RET=FULL", "555"), ("MAIL FROM:<a@b> SIZE=9 BODY=8BITMIME SMTPUTF8", "250"),
                           ("MAIL FROM:<a@b>", "503"), ("RCPT TO:<>", "501"), ("RCPT TO:<" + "1" * 400 + "@b>", "501"),
                           ("RCPT TO:<1@x> NOTIFY=NEVER", "555"), ("NOOP", "250"), ("VRFY a", "252")):
            client.ask(line, code)
        client.close()
        client = Lmtp(faxmail.port)
        extensions = client.ask("LHLO x", "250").splitlines()
        same([line[4:].split()[0] for line in extensions[1:]], ["PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"])
        client.ask("x" * 5000, "500 5.5.2")
        client.ask("NOOP", "250")
        client.ask("MAIL FROM:<>", "250")
        for _ in range(50):
            client.ask("RCPT TO:<1@fax.example>", "250")
        client.ask("RCPT TO:<1@fax.example>", "452")
        client.ask("RSET", "250")
        client.ask(DATA, "503")
        for _ in range(17):
            client.ask("NONSENSE", "500")
        within("421 4.7.0 too many faults", client.ask("NONSENSE") + client.reply())
        same(client.file.read(), b"")
        client.close()


@fact
def a_message_comes_as_it_was_sent_and_ends_only_where_it_ends():
    server = started()
    with Faxmail(server, cover="") as faxmail:
        client = Lmtp(faxmail.listen().port)
        text = b".\r\n..a dot in front\r\nlines\n.\nwith bare ends\r.\r\r\n.\r.\r\nQUIT\r\nthe end\r\n"
        message = b"\r\n".join(mail(None).split(b"\r\n")[:-2]) + b"\r\n\r\n" + text
        client.file.write(b"MAIL FROM:<anna@office.example>\r\nRCPT TO:<1002@fax.example>\r\nDATA\r\n")
        stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in message.split(b"\r\n"))
        client.file.write(stuffed + b".\r\nNOOP\r\n")  # all at once: PIPELINING
        client.file.flush()
        same([client.reply()[:3] for _ in range(5)], ["250", "250", "354", "250", "250"])
        status, said, _ = faxmail.run(message, "1002@fax.example", options=["--check"])
        same(status, 0)
        same(len(server.faxes("direction=outbound")), 1)
        client.close()
        same(faxmail.run(message, "1002@fax.example")[:2], (0, ""))  # the same message by pipe is the same fax
        same(len(server.faxes("direction=outbound")), 1)


@fact
def connections_are_served_side_by_side_up_to_a_number():
    server = started()
    with Faxmail(server, max_sessions=3) as faxmail:
        faxmail.listen()
        idle = [Lmtp(faxmail.port) for _ in range(2)]
        busy = Lmtp(faxmail.port)
        waiting = Lmtp(faxmail.port, greet=False)
        same(busy.send(mail(), "1002@fax.example")[0][:3], "250")
        waiting.socket.settimeout(0.5)
        try:
            waiting.file.readline()
            raise AssertionError("a fourth connection was served")
        except TimeoutError:
            pass
        waiting.close()
        late = socket.create_connection(("127.0.0.1", faxmail.port), 60)
        idle[0].ask("QUIT", "221")  # makes room for those that wait
        idle[1].ask("QUIT", "221")
        same(late.recv(4), b"220 ")
        late.close()
        replies = []

        def send():
            client = Lmtp(faxmail.port)
            replies.extend(client.send(mail(), "1003@fax.example"))
            client.close()

        busy.close()
        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same([reply[:9] for reply in replies], ["250 2.1.5"] * 8)
        same(len(server.faxes("direction=outbound&to=1003")), 8)
        for client in idle:
            client.close()


@fact
def who_is_silent_is_sent_away():
    with Faxmail(timeout=1) as faxmail:
        client = Lmtp(faxmail.listen().port)
        same(client.reply()[:9], "421 4.4.2")
        same(client.file.read(), b"")
        client.close()
        client = Lmtp(faxmail.port)
        for line in ("MAIL FROM:<a@b>", "RCPT TO:<1@fax.example>"):
            client.ask(line, "250")
        client.ask(DATA, "354")
        same(client.file.read(), b"")
        client.close()


@fact
def a_server_that_is_ended_finishes_the_message_that_it_is_at():
    server = started()
    with Faxmail(server) as faxmail:
        idle, busy = Lmtp(faxmail.listen().port), Lmtp(faxmail.port)
        for line, code in (("MAIL FROM:<anna@office.example>", "250"), ("RCPT TO:<1002@fax.example>", "250"), (DATA, "354")):
            busy.ask(line, code)
        faxmail.process.send_signal(signal.SIGTERM)
        same(idle.reply(), "421 4.4.2 the server is stopping")
        busy.file.write(mail() + b".\r\n")
        busy.file.flush()
        same(busy.reply()[:3], "250")
        same(busy.reply()[:3], "421")
        same(faxmail.process.wait(60), 0)
        same(len(server.faxes("direction=outbound")), 1)
        idle.close()
        busy.close()
        faxmail.stop()


@fact
def sockets_come_from_a_path_from_the_loopback_or_from_systemd():
    with Faxmail() as faxmail:
        path = faxmail.path("socket")
        faxmail.listen("unix:" + path)
        same(stat.S_IMODE(os.stat(path).st_mode), 0o660)
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        same(client.recv(4), b"220 ")
        client.close()
        faxmail.stop()
        assert not os.path.exists(path)
        port = free_port()
        faxmail.process = subprocess.Popen(
            ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", FAXMAIL, "--config", faxmail.config, "--log", faxmail.log_path,
             "--lmtp"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def connected():
            try:
                return Lmtp(port)
            except ConnectionRefusedError:
                return None
        client = wait_for(connected, "a socket of systemd")
        client.ask("QUIT", "221")
        client.close()
        faxmail.stop()
        for address, word in (("inet:0.0.0.0:2424", "not this machine"), ("inet:192.0.2.1:2424", "not this machine"),
                              ("inet:127.0.0.1", "no address"), ("2424", "neither"), ("unix:/nowhere/socket", "cannot listen")):
            done = subprocess.run([FAXMAIL, "--config", faxmail.config, "--lmtp", "--listen", address], capture_output=True,
                                  text=True, timeout=60, check=False)
            same(done.returncode, 69)
            within(word, done.stderr)
        done = subprocess.run([FAXMAIL, "--config", faxmail.config, "--lmtp"], capture_output=True, text=True, timeout=60, check=False)
        same(done.returncode, 69)


@fact
def wrong_settings_make_mail_wait_and_wrong_usage_is_told():
    def run(*arguments):
        done = subprocess.run([FAXMAIL, *arguments], input=b"", capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    for arguments in ((), ("--sender", "a@b"), ("--bogus",), ("1@x",), ("--lmtp", "1@x"), ("--lmtp", "--socket-mode", "9")):
        same(run(*arguments)[0], 64)
    same(run("--version")[0], 0)
    within("Usage: faxmail", run("--help")[1])
    same(run("--config", "/nowhere", "--sender", "", "1@x")[0], 75)
    with Faxmail() as faxmail:
        for settings, word in (({"domains": []}, "domains is missing"), ({"wait": 999}, "wait is 0 to 300"),
                               ({"unbelieved": "maybe"}, "one of: reject answer drop"), ({"nonsense": "x"}, "nonsense"),
                               ({"server": "faxd"}, "server begins with"), ({"smarthost": "mail"}, "smarthost begins with"),
                               ({"smarthost": "smtp://x", "answer_from": ""}, "answer_from is missing"),
                               ({"smarthost": "smtp://x", "smarthost_password_file": "/x"}, "needs smarthost_tls = require"),
                               ({"time_zone": "Nowhere"}, "time_zone"), ({"trusted_networks": ["x"]}, "trusted_networks"),
                               ({"key_file": "/nowhere"}, "/nowhere")):
            with Faxmail(**settings) as wrong:
                status, said = run("--config", wrong.config, "--sender", "a@b", "1@fax.example")
                same((word, status), (word, 75))
                within(word, said)
        status, said, _ = faxmail.run(mail(), "1002@fax.example", options=["--check"])
        same((status, '"outcome": "accepted"' in said), (0, True))
        same(octets(faxmail.log_path).count(b"message accepted"), 1)


@fact
def manuals_and_examples_know_every_option_and_key_and_no_others():
    folder = os.path.join(SOURCE, "contrib/mail")

    def text(name):
        return octets(os.path.join(folder, name)).decode().replace("\\-", "-").replace("\\fR", " ")

    usage = subprocess.run([FAXMAIL, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    same(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text("faxmail.8"))), set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", usage)))
    keys = set(re.findall(r'^    \{"(\w+)", KIND_', text("settings.c"), re.MULTILINE))
    same(set(re.findall(r"^\.TP\n\.B (\w+)$", text("faxmail.conf.5"), re.MULTILINE)), keys)
    for page in ("faxmail.8", "faxmail.conf.5"):
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", os.path.join(folder, page)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100"})
        same((page, done.returncode, done.stderr), (page, 0, ""))
    with Faxmail() as faxmail:
        example = text("faxmail.conf").replace("/etc/faxd/faxmail.key", faxmail.path("key"))
        faxmail.write("faxmail.conf", example)
        message = mail(From="anna@example.com").replace(b"header.from=office.example", b"header.from=example.com")
        status, said, _ = faxmail.run(message, "1002@fax.example", options=["--check"])
        same((status, '"number": "1002"' in said, '"outcome": "accepted"' in said), (0, True, True))


if __name__ == "__main__":
    sys.exit(main())
