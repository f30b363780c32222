#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS as faxd itself speaks it, over real sockets: versions, what goes over it, and pairs that change."""
import json
import os
import socket
import ssl
import subprocess
import sys

from faxd import BUILD, PAGES, document, fact, octets, same, started, wait_for, within
from tls import PLAIN, answer, at_most, head, path, refused, rest, run, secure, settings, trust


@fact
def tls_1_2_and_1_3_are_spoken_and_nothing_older():
    server = secure()
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        with server.connect(at_most(version)) as connection:
            same(connection.version(), name)
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        same((version, refused(server, at_most(version))), (version, True))
    same(server.shown_name(), "first")


@fact
def only_ciphers_with_forward_secrecy_and_authentication_are_taken():
    server = secure(pair="rsa")
    for ciphers, wanted in (("ECDHE-RSA-AES128-GCM-SHA256", False), ("ECDHE-RSA-CHACHA20-POLY1305", False),
                            ("AES128-GCM-SHA256", True), ("AES128-SHA", True), ("ECDHE-RSA-AES128-SHA", True),
                            ("DHE-RSA-AES128-GCM-SHA256", True)):
        context = at_most(ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(ciphers + ":@SECLEVEL=0")
        same((ciphers, refused(server, context)), (ciphers, wanted))


@fact
def http_1_1_is_agreed_on_and_a_client_of_only_other_protocols_is_told_so():
    server = secure()
    context = trust()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with server.connect(context) as connection:
        same(connection.selected_alpn_protocol(), "http/1.1")
    context.set_alpn_protocols(["h2"])
    same(refused(server, context), True)


@fact
def one_address_has_a_share_of_all_connections_for_handshakes():
    server = secure("connections_max = 50")
    waiting = [socket.create_connection(("127.0.0.1", server.port), 60, source_address=("127.0.0.2", 0))
               for _ in range(60)]

    def open_ones():
        """Those that are not hung up on: there is nothing to read, and no end."""
        found = []
        for connection in waiting:
            connection.setblocking(False)
            try:
                connection.recv(1)
            except BlockingIOError:
                found.append(connection)
            except OSError:
                pass
        return found
    wait_for(lambda: len(open_ones()) == 5, "all but five to be hung up on")
    same([server.ask("GET", "/health/live", source="127.0.0.3").status for _ in range(3)], [200] * 3)
    open_ones()[0].close()  # as one goes, the next may come
    wait_for(lambda: comes_in(server), "the next one to come in")
    for connection in waiting:
        connection.close()


def comes_in(server):
    try:
        return server.ask("GET", "/health/live", source="127.0.0.2").status == 200
    except OSError:
        return False


@fact
def a_fax_goes_out_over_tls_and_an_event_stream_tells_of_it():
    server = secure()
    with server.connect() as stream:
        stream.sendall(head("/v1/events/stream", f"Authorization: Bearer {server.key}\r\n"))
        got = b""
        while b"retry:" not in got:
            got += stream.recv(4096)
        fax = server.send("1002")
        same(server.wait_state(fax)["status"], "delivered")
        while b"event: fax.delivered" not in got:
            some = stream.recv(4096)
            same(some != b"", True)
            got += some
        within(fax.encode(), got)
    same(server.document(fax)[:2], b"II")


@fact
def a_large_upload_and_its_download_are_the_same_octets():
    server = secure()
    data = b"%PDF-1.4\n" + os.urandom(20 << 20)
    fax = server.accepted(server.post([document(data)]))
    server.wait_state(fax)
    same(server.document(fax, "original") == data, True)


@fact
def a_sender_that_waits_to_be_asked_for_its_body_is_asked():
    server = secure()
    body = json.dumps({"to": "1002", "documents": [document(octets(PAGES[0]))]}).encode()
    with server.connect() as connection:
        connection.sendall(f"POST /v1/faxes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"
                           f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                           "Expect: 100-continue\r\n\r\n".encode())
        same(connection.recv(25), b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(body)
        within(b"HTTP/1.1 202 ", connection.recv(4096))


@fact
def the_command_speaks_tls_with_a_server_that_it_can_check():
    server = secure()
    for known, wanted in (("first", 0), ("second", 8)):
        done = subprocess.run([os.path.join(BUILD, "fax"), "health", "--server", f"https://localhost:{server.port}"],
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "FAXD_CA": path(known + ".crt")})
        same((known, done.returncode), (known, wanted))


@fact
def a_cookie_that_is_given_over_tls_is_for_tls_alone():
    server = secure()
    with open(os.path.join(server.state, "setup.code"), encoding="ascii") as file:
        code = file.read().strip()
    reply = server.ask("POST", "/v1/setup", {"code": code, "name": "root", "password": "a long one, and odd"})
    same(reply.status, 200)
    within("; Secure", reply.headers["Set-Cookie"])


@fact
def requests_in_one_record_are_answered_in_order_and_the_end_is_told():
    server = secure()
    with server.connect() as connection:
        connection.sendall(head() + head("/nowhere") + head("/health/live", "Connection: close\r\n"))
        answers = rest(connection).split(b"HTTP/1.1 ")[1:]
    same([answer[:3] for answer in answers], [b"200", b"404", b"200"])


@fact
def replies_over_tls_tell_browsers_to_stay_with_it_and_plain_ones_do_not():
    same(secure().ask("GET", "/health/live").headers["Strict-Transport-Security"], "max-age=31536000")
    same(started(PLAIN).ask("GET", "/health/live").headers["Strict-Transport-Security"], None)


@fact
def another_pair_is_taken_on_hup_and_open_connections_go_on():
    server = secure()
    with server.connect() as old:
        old.sendall(head())
        same(answer(old)[0], 200)
        server.reload(path("second.crt"), path("second.key"))
        wait_for(lambda: server.shown_name() == "second", "the second certificate")
        old.sendall(head())
        same(answer(old)[0], 200)
    same(server.tls_state(), ("ok", "ok"))


@fact
def a_pair_that_does_not_fit_leaves_the_old_one_and_log_and_health_say_so():
    server = secure()
    for certificate, key, told in (("second.crt", "first.key", "no key for the certificate in"),
                                   ("second.crt", "missing.key", "cannot read " + path("missing.key")),
                                   ("garbage", "first.key", "no certificate in"),
                                   ("locked.crt", "locked.key", "no key for the certificate in")):
        server.reload(path(certificate), path(key))
        wait_for(lambda: server.tls_state() == ("degraded", "stale"), f"{certificate} and {key} to be refused")
        within(told, server.log().splitlines()[-2])
        same(server.shown_name(), "first")
        server.reload(path("first.crt"), path("first.key"))
        wait_for(lambda: server.tls_state() == ("ok", "ok"), "the first pair")


@fact
def metrics_tell_when_the_certificate_ends_and_health_when_it_has():
    server = secure()
    with server.connect() as connection:
        ends = int(ssl.cert_time_to_seconds(connection.getpeercert()["notAfter"]))
    within(f"\nfaxd_tls_certificate_expires_seconds {ends}\n", server.ask("GET", "/metrics").body.decode())
    for command in (["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                     path("old.key"), "-out", path("old.csr"), "-subj", "/CN=old"],
                    ["x509", "-req", "-in", path("old.csr"), "-signkey", path("old.key"), "-days", "-1", "-out",
                     path("old.crt")]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    old = secure(pair="old")
    old.unchecked = True
    same(old.tls_state(), ("degraded", "expired"))


@fact
def a_key_that_everybody_can_read_is_told():
    os.chmod(path("second.key"), 0o644)
    within("everybody on this machine can read " + path("second.key"), secure(pair="second").log())
    os.chmod(path("second.key"), 0o600)
    same("everybody" in secure(pair="second").log(), False)


def check(text):
    name = path("check.conf")
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([os.path.join(BUILD, "faxd"), "--check-config", "--config", name], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stderr


@fact
def check_config_names_what_is_wrong_with_the_pair():
    web = 'web {{ tls_certificate = "{}" tls_key = "{}" }}\n'
    for certificate, key, told in (("none.crt", "first.key", "tls_certificate: cannot read " + path("none.crt")),
                                   ("first.crt", "none.key", "tls_key: cannot read " + path("none.key")),
                                   ("garbage", "first.key", "tls_certificate: no certificate in"),
                                   ("first.crt", "second.key", "tls_key: no key for the certificate in"),
                                   ("locked.crt", "locked.key", "tls_key: no key for the certificate in")):
        status, said = check(web.format(path(certificate), path(key)) + PLAIN)
        same(status, 3)
        within(told, said)
    status, said = check(f'web {{ tls_certificate = "{path("first.crt")}" }}\n' + PLAIN)
    same(status, 3)
    within("tls_certificate and tls_key belong together", said)
    same(check(settings()), (0, ""))


@fact
def without_tls_other_addresses_than_loopback_have_to_be_allowed():
    for address, wanted in (("0.0.0.0:0", 3), ("[::]:0", 3), ("192.0.2.1:80", 3), ("127.0.0.7:80", 0), ("[::1]:80", 0),
                            ("localhost:80", 0), ("[::ffff:10.0.0.1]:80", 3), ("localhost.example:80", 3)):
        status, said = check(f'web {{ listen = "{address}" }}\n' + PLAIN)
        same((address, status), (address, wanted))
        if wanted:
            within("web|allow_plain = true", said)
    same(check('web { listen = "0.0.0.0:80" allow_plain = true }\n' + PLAIN), (0, ""))
    same(check(settings('listen = "0.0.0.0:443"')), (0, ""))


if __name__ == "__main__":
    sys.exit(run())
