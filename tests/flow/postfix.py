# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Postfix in a folder of its own: configuration, queue, mailboxes and log, on a loopback port of its own. It is
started and stopped at will, and nothing that it gets leaves the machine. Test files import it; it is no test itself.

    with Postfix(mailboxes=("anna", "faxes")) as postfix:
        swaks --server 127.0.0.1:{postfix.port} --to anna@office.example
        message = postfix.wait_mail("anna")[0]

Root is needed, as it is to start any Postfix."""
import email
import email.policy
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

DOMAIN = "office.example"
DAEMONS = "/usr/lib/postfix/sbin"
COMMANDS = "/usr/sbin"
PATIENCE_S = 300
USER = 65534  # who owns the mailboxes: nobody

MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {commands}
daemon_directory = {daemons}
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mail.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
notify_classes =
disable_dns_lookups = yes
smtpd_peername_lookup = no
default_transport = error:5.1.2 this Postfix knows nobody outside {domain}
virtual_transport = virtual
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = hash:{folder}/mailboxes
virtual_mailbox_base = {folder}/mail
virtual_mailbox_limit = 0
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{user}
virtual_minimum_uid = 100
message_size_limit = 104857600
smtpd_recipient_restrictions = check_recipient_access hash:{folder}/answers
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_client_connection_rate_limit = 0
in_flow_delay = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
transport_retry_time = 1s
"""

MASTER = """127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


def free_port():
    """A port that nobody listens on, from below those that the kernel hands out: so it stays ours while Postfix is away."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Postfix:
    """`mailboxes`: local parts at `domain` that there are; whoever else is asked for is refused (550).
    `main`: further settings, a mapping; they replace what stands above.
    `master`: further services, text of master.cf ({folder} and {port} are not replaced in it).
    `tls`: certificate and key, paths: STARTTLS is offered on `port`, and `tls_port` speaks TLS at once.
    `users`: name -> password for SMTP AUTH (PLAIN and LOGIN)."""

    def __init__(self, mailboxes=("anna",), domain=DOMAIN, main=None, master="", tls=None, users=None):
        self.folder = tempfile.mkdtemp(prefix="faxd-postfix-")
        self.config = os.path.join(self.folder, "etc")
        self.port, self.tls_port = free_port(), free_port() if tls else None
        self.domain, self.process = domain, None
        os.chmod(self.folder, 0o755)
        for name in ("etc", "etc/sasl", "queue", "data", "mail"):
            os.mkdir(self.path(name))
        os.mkdir(self.path("queue/pid"))
        shutil.chown(self.path("data"), "postfix")
        os.chown(self.path("mail"), USER, USER)
        self.main = dict(line.split(" =", 1) for line in MAIN.format(
            folder=self.folder, commands=COMMANDS, daemons=DAEMONS, domain=domain, user=USER).splitlines())
        self.master = MASTER.format(port=self.port)
        if tls:
            self.main |= {"smtpd_tls_cert_file": tls[0], "smtpd_tls_key_file": tls[1], "smtpd_tls_security_level": "may"}
            self.master += f"127.0.0.1:{self.tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n"
        if users:
            self.add_users(users)
        self.main |= main or {}
        self.master += master
        self.answers = {}
        self.write_config()
        self.write_table("mailboxes", {f"{name}@{domain}": f"{name}/" for name in mailboxes})
        self.write_table("answers", {})

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def write_config(self):
        self.write("etc/main.cf", "".join(f"{name} = {value}\n" for name, value in self.main.items()))
        self.write("etc/master.cf", self.master)

    def write_table(self, name, table):
        """Sessions that begin from now on follow it: smtpd looks at its tables before it accepts a connection, and sees
        that a file is another one. (One that was written twice in a second looks the same to it.)"""
        self.write(name + ".new", "".join(f"{key} {value}\n" for key, value in table.items()))
        subprocess.run([os.path.join(COMMANDS, "postmap"), "-c", self.config, "hash:" + self.path(name + ".new")],
                       check=True)
        os.rename(self.path(name + ".new"), self.path(name))
        os.rename(self.path(name + ".new.db"), self.path(name + ".db"))

    def add_users(self, users):
        database = self.path("etc/sasl/users")
        for name, password in users.items():
            subprocess.run(["saslpasswd2", "-c", "-p", "-f", database, "-u", self.domain, name], input=password, text=True,
                           check=True)
        shutil.chown(database, group="postfix")
        self.write("etc/sasl/smtpd.conf", "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n"
                   f"sasldb_path: {database}\n")
        self.main |= {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "cyrus", "smtpd_sasl_path": "smtpd",
                      "smtpd_sasl_local_domain": self.domain}  # Debian's looks in sasl/ beside main.cf, and nowhere else

    # --- running ---

    def start(self):
        """Start, also once more after stop(): the port, the queue and the mailboxes are the same."""
        # Not `postfix start-fg`, whose shell stands between: what is started here is master itself, leader of its group.
        subprocess.run([os.path.join(COMMANDS, "postfix"), "-c", self.config, "check"], check=True, capture_output=True)
        with open(self.path("output"), "ab") as output:
            self.process = subprocess.Popen([os.path.join(DAEMONS, "master"), "-s", "-c", self.config],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            start_new_session=True)
        end = time.monotonic() + PATIENCE_S
        while not self.answers_on(self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("Postfix did not start: " + self.log())
            time.sleep(0.02)
        return self

    def answers_on(self, port):
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                greeted = connection.recv(4) == b"220 "
                connection.sendall(b"QUIT\r\n")
                connection.recv(100)
                return greeted
        except OSError:
            return False

    def stop(self):
        """Away: connections to its ports are refused. What it has taken stays in its queue."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)  # which it hands to its group
        try:
            self.process.wait(PATIENCE_S)
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # all of it went
            self.process.wait()
            self.process = None

    def close(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder)

    def reload(self):
        """New sessions soon follow self.main and self.master as they are now."""
        self.write_config()
        self.process.send_signal(signal.SIGHUP)

    def answer(self, address, action):
        """From now on a recipient is answered so ("450 4.2.0 later", "550 5.2.2 full", "HOLD"; None: as ever). Sessions
        that are open go on as they began."""
        self.answers.pop(address, None)
        if action is not None:
            self.answers[address] = action
        self.write_table("answers", self.answers)

    # --- what came ---

    def log(self):
        text = ""
        for name in ("output", "log"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def octets(self, name):
        """Each message of a mailbox as it lies there, oldest first."""
        found = []
        for folder in ("new", "cur"):
            place = self.path(f"mail/{name}/{folder}")
            if os.path.isdir(place):
                found += [os.path.join(place, entry) for entry in os.listdir(place)]
        messages = []
        for path in sorted(found, key=lambda path: (os.stat(path).st_mtime_ns, path)):
            with open(path, "rb") as file:
                messages.append(file.read())
        return messages

    def mailbox(self, name):
        """The messages of a mailbox, read by the standard library, oldest first."""
        return [email.message_from_bytes(octets, policy=email.policy.default) for octets in self.octets(name)]

    def wait_mail(self, name, count=1, seconds=PATIENCE_S):
        """The messages of a mailbox as soon as there are so many."""
        end = time.monotonic() + seconds
        while True:
            messages = self.mailbox(name)
            if len(messages) >= count:
                return messages
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {count} messages of {name}; log:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def queue(self):
        """What waits in Postfix's own queue: objects as postqueue(1) says them."""
        done = subprocess.run([os.path.join(COMMANDS, "postqueue"), "-c", self.config, "-j"], check=True,
                              capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def flush(self):
        """Have it try once more what it has put off."""
        subprocess.run([os.path.join(COMMANDS, "postqueue"), "-c", self.config, "-f"], check=True, capture_output=True)
