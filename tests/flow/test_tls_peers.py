#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers of TLS that mean harm, or are many."""
import concurrent.futures
import socket
import sys
import threading

from faxd import fact, same, wait_for, within
from tls import client_hello, connections, head, path, rest, run, secure


@fact
def under_load_no_request_is_lost_to_a_reload():
    server = secure()
    over, done = threading.Event(), []

    def work():
        while not over.is_set():
            client = server.client()
            for _ in range(3):
                client.request("GET", "/health/live")
                answer = client.getresponse()
                done.append(answer.status)
                answer.read()
            client.close()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work) for _ in range(4)]
        for i in range(10):
            name = ("second", "first")[i % 2]
            server.reload(path(name + ".crt"), path(name + ".key"))
            wait_for(lambda n=name: server.shown_name() == n, "the " + name + " certificate")
        over.set()
        for worker in workers:
            worker.result()
    same(set(done), {200})


@fact
def what_is_no_handshake_is_closed_and_costs_nobody_else():
    server = secure()
    for sent in (head(), b"\0" * 5000, bytes(range(255, -1, -1)) * 20, b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                 b"\x15\x03\x03\0\2\2\x28"):
        with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
            except (ConnectionResetError, BrokenPipeError, OSError):
                pass
            same(b"HTTP" in rest(connection), False)
    # A handshake that is cut at any octet, and one whose client leaves right after it.
    hello = client_hello()
    for cut in range(0, len(hello), 29):
        with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
            connection.sendall(hello[:cut])
    server.connect().close()
    same(server.ask("GET", "/health/live").status, 200)
    wait_for(lambda: connections(server) == 1, "only the asking connection to be left")


@fact
def half_handshakes_and_slow_heads_are_ended_in_their_time():
    server = secure()
    with socket.create_connection(("127.0.0.1", server.port), 60) as silent, \
            socket.create_connection(("127.0.0.1", server.port), 60) as half, server.connect() as slow, \
            server.connect() as quiet:
        half.sendall(client_hello()[:100])
        slow.sendall(b"GET / HTTP/1.1\r\nHost:")
        same(rest(silent), b"")
        same(rest(half), b"")
        within(b"HTTP/1.1 408 ", rest(slow))
        quiet.sendall(head())  # a connection that is through its handshake may wait longer
        within(b"200 OK", quiet.recv(4096))


@fact
def connections_past_the_limit_are_told_over_tls_as_well():
    server = secure("connections_max = 10")
    held = [server.connect() for _ in range(10)]
    with server.connect() as more:
        more.sendall(head())
        within(b"HTTP/1.1 503 ", more.recv(4096))
    for connection in held:
        connection.sendall(head())
        within(b"200 OK", connection.recv(4096))
        connection.close()
    wait_for(lambda: connections(server) == 1, "the connections to be gone")


@fact
def two_hundred_connections_at_once_are_all_served():
    server = secure()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        held = list(pool.map(lambda _: server.connect(), range(200)))
    for connection in held:
        connection.sendall(head())
    for connection in held:
        within(b"200 OK", connection.recv(4096))
        connection.close()


if __name__ == "__main__":
    sys.exit(run())
