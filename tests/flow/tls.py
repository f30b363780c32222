# SPDX-License-Identifier: GPL-2.0-or-later
"""faxd asked over TLS, and certificates to try: what test_tls.py and test_tls_peers.py share. It is no test itself."""
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

from faxd import Faxd, exchange, main, started

FOLDER = tempfile.mkdtemp(prefix="faxd-tls-")
PLAIN = exchange(lines=("1001", "1002"))


def path(name):
    return os.path.join(FOLDER, name)


def make_pair(name, kind="ec", password=None):
    """NAME.crt and NAME.key for localhost, signed by itself."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["-newkey", "rsa:2048"]
    secret = ["-passout", "pass:" + password] if password else ["-nodes"]
    subprocess.run(["openssl", "req", "-x509", *curve, *secret, "-keyout", path(name + ".key"), "-out",
                    path(name + ".crt"), "-days", "30", "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)


def settings(more="", pair="first"):
    return f'web {{ tls_certificate = "{path(pair)}.crt" tls_key = "{path(pair)}.key" {more} }}\n' + PLAIN


def trust(*pairs):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for pair in pairs or ("first", "second", "rsa"):
        context.load_verify_locations(path(pair + ".crt"))
    return context


class Secure(Faxd):
    """A faxd whose API is asked over TLS, its certificate checked."""

    unchecked = False

    def client(self, timeout=60, source=None):
        context = trust()
        if self.unchecked:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context,
                                           source_address=(source, 0) if source else None)

    def connect(self, context=None, timeout=60):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout)
        return (context or trust()).wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)

    def shown_name(self):
        """The common name of the certificate that a new connection is shown."""
        with self.connect() as connection:
            return dict(pair[0] for pair in connection.getpeercert()["subject"])["commonName"]

    def reload(self, certificate, key, more=""):
        self.configure(f'web {{ tls_certificate = "{certificate}" tls_key = "{key}" {more} }}\n' + PLAIN)
        self.process.send_signal(signal.SIGHUP)

    def tls_state(self):
        state = self.get("/health/ready")
        return state["status"], state["checks"]["tls"]


def secure(more="", pair="first"):
    return started(settings(more, pair), Secure)


def head(path="/health/live", more=""):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()


def rest(connection):
    """All that comes until the other side ends."""
    got = b""
    while True:
        try:
            some = connection.recv(65536)
        except ConnectionResetError:
            return got
        if not some:
            return got
        got += some


def at_most(version):
    context = trust()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def refused(server, context):
    try:
        server.connect(context).close()
    except (ssl.SSLError, ConnectionResetError):
        return True
    return False


def answer(connection):
    """One whole reply: its status, headers and body."""
    got = http.client.HTTPResponse(connection)
    got.begin()
    return got.status, got.headers, got.read()


def client_hello():
    """The first octets of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        trust().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def connections(server):
    for line in server.ask("GET", "/metrics").body.decode().splitlines():
        if line.startswith("faxd_http_connections "):
            return int(line.split()[1])
    raise AssertionError("no such metric")


def run():
    """The facts of a file, with the certificates that they try."""
    try:
        for pair in ("first", "second"):
            make_pair(pair)
        make_pair("rsa", "rsa")
        make_pair("locked", password="secret")
        with open(path("garbage"), "wb") as file:
            file.write(os.urandom(3000))
        return main()
    finally:
        shutil.rmtree(FOLDER)
