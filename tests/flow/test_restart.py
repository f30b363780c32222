#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What an administrator does to a running server: stop, drain, restart, reload, wrong configurations. Prints TAP."""
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (BUILD, FAST_RETRIES, PAGES, PATIENCE_S, Faxd, Receiver, exchange, fact, joined, main, octets,  # noqa: E402
                  pixels, running, same, started, wait_for, within)


def under_way(server, path=PAGES[0], to="1002", **options):
    """A fax whose pages are being sent right now."""
    fax = server.send(to, path, **options)
    server.wait_state(fax, "sending")
    return fax


@fact
def term_lets_calls_end_and_takes_no_new_fax():
    server = started(FAST_RETRIES + exchange(pace=20))
    fax = under_way(server)
    held = server.send("1003", hold=True)
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: server.ask("GET", "/health/ready").status == 503, "the server to say that it drains")
    same(server.submit("1003").status, 503)
    same(server.fax(fax)["status"] in ("sending", "delivered"), True)
    same(server.process.wait(60), 0)
    wait_for(lambda: not server.processes(), "hosts and engines to end")
    server.process.stdout.close()
    server.start()
    same((server.fax(fax)["status"], server.fax(held)["status"]), ("delivered", "held"))
    same([f["status"] for f in server.inbound()], ["received"])


@fact
def drain_timeout_ends_what_takes_too_long_and_it_is_sent_after_the_restart():
    server = started(FAST_RETRIES + "server { drain_timeout = 1 }\n" + exchange(pace=4))
    path = joined(server.folder, *PAGES)
    fax = under_way(server, path)
    same(server.end(), 0)
    same(server.processes(), {})
    server.configure(FAST_RETRIES + exchange())
    server.start()
    ended = server.wait_state(fax)
    same((ended["status"], ended["pages"]["confirmed"]), ("delivered", 4))
    same([a["outcome"] for a in server.attempts(fax)], ["line_unavailable", "success"])


@fact
def int_stops_at_once_and_the_fax_goes_out_after_the_restart():
    server = started(FAST_RETRIES + exchange(pace=4))
    fax = under_way(server)
    same(server.end(signal.SIGINT), 0)
    same(server.processes(), {})
    server.start()
    ended = server.wait_state(fax)
    same((ended["status"], ended["calls"]), ("delivered", 2))


@fact
def quit_leaves_calls_running_for_the_next_faxd():
    server = started(FAST_RETRIES + exchange(pace=5))
    fax = under_way(server)
    hosts = server.pids("faxd-fsp")
    same(server.end(signal.SIGQUIT), 0)
    same((len(hosts), server.pids("faxd-fsp")), (1, hosts))
    server.start()
    ended = server.wait_state(fax)
    same((ended["status"], ended["calls"], server.pids("faxd-fsp")), ("delivered", 1, hosts))
    same(server.settled_inbound(1)[0]["status"], "received")


@fact
def a_host_that_nobody_claims_leaves_after_its_calls():
    server = started(FAST_RETRIES + exchange(pace=20, extra="orphan_grace = 1"))
    fax = under_way(server)
    server.kill()
    wait_for(lambda: not server.processes(), "the host to leave by itself")
    server.start()
    ended = server.wait_state(fax)
    same((ended["status"], ended["calls"]), ("delivered", 1))
    same([f["status"] for f in server.settled_inbound(1)], ["received"])


@fact
def what_waits_is_sent_after_a_restart():
    server = started(FAST_RETRIES + exchange(lines=(("1001", "send = false"), ("1002", "send = false"))))
    faxes = [server.send("1002", PAGES[i]) for i in range(4)]
    for fax in faxes:
        server.wait_state(fax, "queued")
    same(server.end(), 0)
    server.configure(FAST_RETRIES + exchange())
    server.start()
    for fax in faxes:
        same(server.wait_state(fax)["status"], "delivered")
    same(sorted(sum((pixels(server.document(f["id"])) for f in server.settled_inbound(4)), [])),
         sorted(sum(map(pixels, PAGES), [])))


@fact
def hup_reads_the_configuration_again():
    receiver = Receiver()
    try:
        server = started(FAST_RETRIES + exchange(lines=(("1001", "send = false"), ("1002", "send = false"))))
        fax = server.send("1002")
        server.wait_state(fax, "queued")
        server.configure(FAST_RETRIES + f'webhook "office" {{ url = "{receiver.url}/office" }}\n'
                         + exchange(lines=("1001", "1002")))
        server.process.send_signal(signal.SIGHUP)
        same(server.wait_state(fax)["status"], "delivered")
        wait_for(lambda: "fax.delivered" in [e["type"] for e in receiver.events("/office")], "the configured webhook")
        server.configure("nonsense {")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "configuration not taken over" in server.log(), "the log to tell")
        same(server.wait_state(server.send("1002"))["status"], "delivered")
    finally:
        receiver.close()


@fact
def hup_opens_the_log_file_anew_so_that_it_can_be_rotated():
    server = Faxd("")
    path = os.path.join(server.folder, "own.log")
    server.configure(f'server {{ log_file = "{path}" }}\n' + exchange())
    running.append(server.start())
    os.rename(path, path + ".1")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: os.path.exists(path) and b"configuration read again" in octets(path), "the new log")
    old = octets(path + ".1")
    within(b"ready listen=", old)
    same(server.wait_state(server.send("1002"))["status"], "delivered")
    same((octets(path + ".1"), b"fax is delivered" in octets(path)), (old, True))


class Manager:
    """The service manager's socket."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = os.path.join(folder, "notify")
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE_S)

    def hears(self):
        """The next thing that it is told, but for the watchdog's."""
        told = "WATCHDOG=1"
        while told == "WATCHDOG=1":
            told = self.socket.recv(4096).decode()
        return told


@fact
def the_service_manager_is_told_what_faxd_does():
    server = Faxd(exchange(extra="abort_grace = 7") + "server { drain_timeout = 11 }\n")
    manager = Manager(server.folder)
    os.environ["NOTIFY_SOCKET"] = manager.path
    try:
        running.append(server.start())
        same(manager.hears(), "READY=1\nSTATUS=ready")
        for config in (exchange(), "nonsense {"):
            server.configure(config)
            server.process.send_signal(signal.SIGHUP)
            same([manager.hears(), manager.hears()], ["RELOADING=1", "READY=1"])
        server.process.send_signal(signal.SIGTERM)
        told = manager.hears().splitlines()
        same(told[0], "STOPPING=1")
        patience_s = int(told[-1].removeprefix("EXTEND_TIMEOUT_USEC=")) / 1000000
        same(11 + 7 <= patience_s <= 120, True)
        same(server.process.wait(60), 0)
        server.process.stdout.close()
    finally:
        del os.environ["NOTIFY_SOCKET"]
        manager.socket.close()


@fact
def the_watchdog_hears_again_and_again_that_the_loop_turns():
    server = Faxd(exchange())
    manager = Manager(server.folder)
    os.environ.update(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="100000")
    try:
        running.append(server.start())
        same(manager.hears(), "READY=1\nSTATUS=ready")
        for _ in range(3):
            same(manager.socket.recv(4096), b"WATCHDOG=1")
    finally:
        del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        manager.socket.close()


@fact
def a_line_can_be_switched_off_and_on():
    server = started(FAST_RETRIES + exchange(lines=("1001", "1002")))
    for line in ("exchange/1001", "exchange/1002"):
        same(server.ask("PATCH", "/v1/lines/" + line.replace("/", "%2F"), {"send_enabled": False}).status, 200)
    fax = server.send("1002")
    server.wait_state(fax, "queued")
    same(server.ask("PATCH", "/v1/lines/exchange%2F1001", {"send_enabled": True}).status, 200)
    same(server.wait_state(fax)["line"], "exchange/1001")


@fact
def a_provider_that_cannot_start_is_told_and_tried_again():
    server = started(FAST_RETRIES + exchange() + 'provider "ghost" {\n module = "/no/such/module.so"\n line "1" {}\n}\n')
    ready = server.ask("GET", "/health/ready").json
    same((ready["status"], ready["checks"]["providers"]["exchange"]), ("degraded", "up"))
    within("/no/such/module.so", server.log())
    same(server.wait_state(server.send("1002"))["status"], "delivered")
    ghost = [p for p in server.get("/v1/providers")["data"] if p["name"] == "ghost"][0]
    same((ghost["state"] in ("stopped", "starting"), bool(ghost["reason"])), (True, True))


@fact
def a_second_faxd_is_kept_out():
    server = started()
    done = subprocess.run([os.path.join(BUILD, "faxd"), "--state", server.state, "--listen", "127.0.0.1:0"],
                          capture_output=True, text=True, timeout=30, check=False)
    same(done.returncode, 1)
    within(server.state, done.stderr)


@fact
def wrong_command_lines_and_configurations_name_the_fault():
    server = started()
    table = [(["--nonsense"], 2, "nonsense"), (["extra"], 2, "extra"), (["--config", "/no/such/file"], 3, "/no/such/file"),
             (["--listen", "nowhere"], 3, "nowhere"), (["--listen", "127.0.0.1:99999"], 3, "99999")]
    for arguments, status, word in table:
        done = subprocess.run([os.path.join(BUILD, "faxd"), "--check-config", *arguments], capture_output=True, text=True,
                              timeout=30, check=False)
        same((arguments, done.returncode), (arguments, status))
        within(word, done.stderr)
    path = os.path.join(server.folder, "wrong.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write('web { listen = "127.0.0.1:80800" }\nprovider "a" {\n module = softmodem\n abort_grace = 0\n line "x" {}\n}\n')
    done = subprocess.run([os.path.join(BUILD, "faxd"), "--check-config", "--config", path], capture_output=True, text=True,
                          timeout=30, check=False)
    same(done.returncode, 3)
    for word in ("wrong.conf:", "listen", "80800", "abort_grace", "1 to 600"):
        within(word, done.stderr)
    with open(path, "w", encoding="utf-8") as file:
        subprocess.run([os.path.join(BUILD, "faxd"), "--example-config"], stdout=file, check=True)
    done = subprocess.run([os.path.join(BUILD, "faxd"), "--check-config", "--config", path], capture_output=True, text=True,
                          timeout=30, check=False)
    same((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    sys.exit(main())
