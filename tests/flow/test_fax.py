#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fax, the command line, against a running server: what it prints and how it exits. Prints TAP."""
import contextlib
import http.server
import json
import os
import pty
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import BUILD, FAST_RETRIES, PAGES, PATIENCE_S, exchange, fact, main, same, started, wait_for, within  # noqa: E402


def run(server, *arguments, **more):
    """Exit status, standard output, standard error."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FAXD_")}
    done = subprocess.run([os.path.join(BUILD, "fax"), *arguments, "--server", f"http://127.0.0.1:{server.port}",
                           *(["--state", server.state] if more.pop("key", True) else [])],
                          capture_output=True, text=True, timeout=PATIENCE_S, env=environment, check=False, **more)
    return done.returncode, done.stdout, done.stderr


@fact
def the_exit_status_tells_the_class_of_the_outcome():
    server = started(FAST_RETRIES + exchange("numbers.2001.behaviour = busy"))
    for arguments, status, words in ((["--to", "1002"], 0, "delivered"), (["--to", "2001", "--max-attempts", "1"], 2, "engaged"),
                                     (["--to", "2999"], 3, "no line has this number")):
        code, out, _ = run(server, "send", "--wait", *arguments, PAGES[0])
        same((arguments, code), (arguments, status))
        within(words, out)
    noise = os.path.join(server.folder, "noise")
    with open(noise, "wb") as file:
        file.write(bytes(range(256)))
    same(run(server, "send", "--wait", "--to", "1002", noise)[0], 7)
    same(run(server, "send", "--to", "1002", "/no/such/file.tif")[0], 7)
    same(run(server, "send", "--to", "12ab", PAGES[0])[0], 3)
    same(run(server, "send", PAGES[0])[0], 1)
    same(run(server, "dance")[0], 1)
    same(run(server, "list", key=False)[0], 1)
    server.kill()
    same(run(server, "list")[0], 8)
    server.start()


@fact
def a_document_from_standard_input_and_the_fields_of_the_api():
    server = started(FAST_RETRIES + exchange())
    with open(PAGES[1], "rb") as page:
        code, out, err = run(server, "send", "--to", "1002", "--no-ecm", "--reference", "case 7", "--tag", "a", "--set",
                             "metadata.case=7", "-", stdin=page)
    same((code, err), (0, ""))
    fax = server.wait_state(out.strip())
    same((fax["status"], fax["transport"]["ecm"], fax["client_reference"], fax["tags"], fax["metadata"]),
         ("delivered", False, "case 7", ["a"], {"case": "7"}))


@fact
def json_is_the_objects_of_the_api():
    server = started(FAST_RETRIES + exchange())
    code, out, _ = run(server, "send", "--to", "1002", "--wait", "--json", PAGES[0])
    fax = json.loads(out.splitlines()[-1])
    same((code, fax["status"], fax["to"]), (0, "delivered", "1002"))
    same(json.loads(run(server, "show", fax["id"], "--json")[1])["fax"]["id"], fax["id"])
    lines = [json.loads(line) for line in run(server, "lines", "--json")[1].splitlines()]
    text = json.dumps(lines)
    for number in ("1001", "1002", "1003", "1004"):
        within(f'"{number}"', text)


@fact
def a_call_can_be_watched_and_canceled():
    server = started(FAST_RETRIES + exchange(pace=4))
    fax = run(server, "send", "--to", "1002", PAGES[0])[1].strip()
    server.wait_state(fax, "sending")
    watcher = subprocess.Popen([os.path.join(BUILD, "fax"), "watch", fax, "--server", f"http://127.0.0.1:{server.port}",
                                "--state", server.state], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    same(run(server, "cancel", fax)[0], 0)
    out, _ = watcher.communicate(timeout=60)
    same(watcher.returncode, 6)
    within("canceled", out)
    same(run(server, "cancel", fax)[0], 0)  # it is what was wanted
    within("canceled", run(server, "list", "--status", "canceled")[1])


@fact
def a_terminal_gets_a_bar():
    server = started(FAST_RETRIES + exchange(pace=20))
    main_end, terminal = pty.openpty()
    process = subprocess.Popen([os.path.join(BUILD, "fax"), "send", "--to", "1002", "--wait", "--server",
                                f"http://127.0.0.1:{server.port}", "--state", server.state, PAGES[0]],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal, env={**os.environ, "TERM": "xterm"})
    os.close(terminal)
    seen = b""
    try:
        while True:
            piece = os.read(main_end, 4096)
            if not piece:
                break
            seen += piece
    except OSError:
        pass  # the other end was closed
    os.close(main_end)
    same((process.wait(60), b"delivered" in process.stdout.read()), (0, True))
    process.stdout.close()
    same((b"\r" in seen, b"sending" in seen or b"page" in seen), (True, True))


@fact
def pages_are_fetched_and_files_are_not_left_half():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002")
    same(server.wait_state(fax)["status"], "delivered")
    for option, first in (("--pdf", b"%PDF-"), ("--tiff", b"II*\0"), ("--original", None)):
        path = os.path.join(server.folder, "out" + option)
        same((option, run(server, "get", fax, option, "--output", path)[0]), (option, 0))
        with open(path, "rb") as file:
            data = file.read()
        same((option, first is None or data.startswith(first)), (option, True))
    path = os.path.join(server.folder, "page.png")
    same(run(server, "get", fax, "--page", "1", "--width", "400", "--output", path)[0], 0)
    same(run(server, "get", fax, "--page", "9", "--output", path + "x")[0] != 0, True)
    same(os.path.exists(path + "x"), False)


@fact
def keys_are_made_shown_once_and_revoked():
    server = started(FAST_RETRIES + exchange())
    code, out, _ = run(server, "key", "create", "--name", "reader", "--scopes", "fax:read")
    same(code, 0)
    token = [word for word in out.split() if word.startswith("fxk_live_")][0]
    path = os.path.join(server.folder, "key")
    with open(path, "w", encoding="ascii") as file:
        file.write(token + "\n")
    os.chmod(path, 0o600)
    same(run(server, "list", "--key-file", path, key=False)[0], 0)
    same(run(server, "send", "--to", "1002", "--key-file", path, PAGES[0], key=False)[0], 1)
    listed = run(server, "key", "list", "--json")[1]
    same(token in listed, False)
    key = [k for k in json.loads(listed) if k["name"] == "reader"][0]["id"]
    same(run(server, "key", "revoke", key)[0], 0)
    wait_for(lambda: run(server, "list", "--key-file", path, key=False)[0] == 1, "the key to be of no use", 20)


class Replies(http.server.BaseHTTPRequestHandler):
    """A server that gives the replies it was told, one by one, and keeps what was posted to it."""
    protocol_version = "HTTP/1.1"
    replies, posted = [], []

    def log_message(self, *_):
        pass

    def answer(self):
        self.posted.append((self.headers.get("Idempotency-Key"), self.rfile.read(int(self.headers.get("Content-Length", 0)))))
        status, body = self.replies.pop(0)
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/problem+json" if "title" in body else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer


@contextlib.contextmanager
def replying(*replies):
    """The port, and the list of what was posted: idempotency key and body."""
    Replies.replies, Replies.posted = list(replies), []
    with http.server.HTTPServer(("127.0.0.1", 0), Replies) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, Replies.posted
        finally:
            server.shutdown()
            thread.join()


def ask(port, *arguments, **more):
    done = subprocess.run([os.path.join(BUILD, "fax"), f"--server=http://127.0.0.1:{port}", *arguments], capture_output=True,
                          timeout=PATIENCE_S, check=False, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@fact
def a_busy_server_is_asked_again_with_the_same_key_and_the_whole_document():
    with open(PAGES[0], "rb") as file:
        page = file.read()
    with replying((503, {"title": "busy"}), (202, {"id": "fax_1", "status": "preparing"})) as (port, posted):
        same(ask(port, "send", "--to", "1002", "/dev/stdin", input=page)[:2], (0, "fax_1\n"))  # a pipe: it can be read once
    same((len(posted), posted[0][0] is not None, posted[0][0] == posted[1][0]), (2, True, True))
    same([page in body for _, body in posted], [True, True])


@fact
def a_server_that_is_not_ready_says_why():
    with replying((503, {"status": "draining", "checks": {"disk": "full"}})) as (port, _):
        same(ask(port, "health")[:2], (1, "draining\n  disk: full\n"))
    with replying((503, {"title": "too many connections"})) as (port, _):
        code, out, err = ask(port, "health")
        same((code, out), (1, ""))
        within("too many connections", err)


@fact
def an_accepted_fax_is_named_also_when_it_cannot_be_followed():
    with replying((202, {"id": "fax_1", "status": "preparing"}), (403, {"title": "no"})) as (port, _):
        code, _, err = ask(port, "send", "--to", "1002", "--wait", PAGES[0])
        same(code, 1)
        within("fax_1 was accepted", err)


@fact
def what_is_no_document_is_told_before_the_server_is_asked():
    for path, why in (("/", "Is a directory"), ("/dev/null", "it is empty"), ("/no/such/file.tif", "No such file")):
        code, _, err = ask(9, "send", "--to", "1002", path)
        same((path, code), (path, 7))
        within(why, err)
    same(ask(9, "send", "--to", "1002", "--set", "=1", PAGES[0])[0], 1)


@fact
def without_a_terminal_each_change_is_a_line():
    server = started(FAST_RETRIES + exchange(pace=20))
    code, out, err = run(server, "send", "--to", "1002", "--wait", PAGES[0])
    lines = err.splitlines()
    same((code, "\r" in err, lines == list(dict.fromkeys(lines))), (0, False, True))
    within("preparing", lines[0])
    within("delivered", lines[-1])
    same([line.split()[0] for line in lines], [out.split()[0]] * len(lines))


@fact
def documents_and_records_can_be_purged():
    server = started(FAST_RETRIES + exchange())
    first, second = server.send("1002"), server.send("1003", hold=True)
    server.wait_state(first)
    server.wait_state(second, "held")
    code, out, err = run(server, "purge", first, second)
    same((code, out), (1, f"{first} documents deleted\n"))  # the second waits to be sent
    within("held", err)
    within("Purged", run(server, "show", first)[1])
    code, out, err = run(server, "get", first, "-o", os.path.join(server.folder, "x.pdf"))
    same((code, out), (1, ""))
    within("deleted", err)
    same(run(server, "purge", "--record", first)[:2], (0, f"{first} record deleted\n"))
    same(server.ask("GET", f"/v1/faxes/{first}").status, 404)


@fact
def help_is_there_for_everything():
    server = started(FAST_RETRIES + exchange())
    for command in ("send", "list", "show", "trace", "watch", "cancel", "purge", "get", "lines", "trunk", "destination",
                    "key", "webhook", "health"):
        code, out, _ = run(server, command, "--help", key=False)
        same((command, code, out.startswith("Usage: fax " + command)), (command, 0, True))
    code, out, _ = run(server, "health", key=False)
    same((code, out.splitlines()[0]), (0, "ok"))


if __name__ == "__main__":
    sys.exit(main())
