# SPDX-License-Identifier: GPL-2.0-or-later
"""faxd and its helpers as programs under test: started in a folder of their own, asked by REST, ended, and looked for
afterwards. Test files import it; it is no test itself."""
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import uuid

import png

BUILD = os.environ.get("FAXD_BUILD") or os.getcwd()
SOURCE = os.environ.get("FAXD_SRC") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
DATA = os.path.join(SOURCE, "tests/data")
DOCUMENTS = os.path.join(DATA, "documents")
PAGES = [os.path.join(DATA, f"itu{n}.tif") for n in (1, 2, 3, 5)]
FINAL = {"delivered", "partially_delivered", "unconfirmed", "failed", "canceled", "expired", "received",
         "partially_received", "rejected"}
PATIENCE_S = 300  # a sanitizer build on a machine that others want; nothing waits that long when all is well

# Four lines, unpaced, with calls repeated soon.
FAST_RETRIES = """retry { busy = {1} no_answer = {1} protocol = {1} disconnected = {1} line = {1} }
web { allow_private_webhooks = true }
"""


def exchange(settings="", lines=("1001", "1002", "1003", "1004"), pace=0, name="exchange", extra=""):
    """A softmodem provider. `lines` are numbers, or pairs of a number and what stands in its section."""
    parts = [line if isinstance(line, tuple) else (line, "") for line in lines]
    return (f'provider "{name}" {{\n module = softmodem\n {extra}\n settings {{\n carrier = exchange\n pace = {pace}\n'
            f' {settings}\n }}\n' + "".join(f' line "{number}" {{ {inside} }}\n' for number, inside in parts) + "}\n")


class Script:
    """What tests/fsp/scripted.c reads as it goes along: trunks, and records of calls by the number that is dialled."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="faxd-script-")

    def provider(self, name="pbx"):
        return (f'provider "{name}" {{\n module = "{BUILD}/scripted-record.so"\n settings {{ script = "{self.folder}" }}\n'
                ' line "1" { number = 3001 }\n line "2" { number = 3002 }\n}\n')

    def write(self, name, content):
        """Whole or not at all: the provider may be reading."""
        path = os.path.join(self.folder, name)
        with open(path + "~", "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        os.rename(path + "~", path)

    def options(self, number):
        """What the provider was given with the last call to a number that has a record."""
        with open(os.path.join(self.folder, number + ".options"), encoding="utf-8") as file:
            return json.load(file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


def wait_for(condition, what, seconds=PATIENCE_S):
    """The first true result of `condition`, looked at again and again; fails after `seconds`."""
    end = time.monotonic() + seconds
    pause = 0.01
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.2)


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, wanted {want!r}")


def within(part, whole):
    if part not in whole:
        raise AssertionError(f"{part!r} is not in {whole!r}")


def pixels(path_or_octets):
    """One line for each page: width, height and a hash of its dots (tests/flow/pixels)."""
    if isinstance(path_or_octets, bytes):
        with tempfile.NamedTemporaryFile(suffix=".tif") as file:
            file.write(path_or_octets)
            file.flush()
            return pixels(file.name)
    done = subprocess.run([os.path.join(BUILD, "tests/flow/pixels"), path_or_octets], capture_output=True, text=True,
                          check=True)
    return done.stdout.splitlines()


def octets(path):
    with open(path, "rb") as file:
        return file.read()


def document(name, **more):
    """One of tests/data/documents (or octets) as it stands in a request, with "pages", "password" and so on."""
    data = name if isinstance(name, bytes) else octets(os.path.join(DOCUMENTS, name))
    return {"data": base64.b64encode(data).decode(), **more}


def joined(folder, *pages):
    """A TIFF file of several documents' pages, in that order."""
    path = os.path.join(folder, f"joined{len(pages)}.tif")
    subprocess.run(["tiffcp", *pages, path], check=True)
    return path


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def codes(self):
        return {(e["pointer"], e["code"]) for e in self.json.get("errors", [])}


class Faxd:
    """One faxd in a folder of its own. `stop` asserts that it ends in order and leaves nothing running."""

    def __init__(self, config=None):
        self.folder = tempfile.mkdtemp(prefix="faxd-flow-")
        self.state = os.path.join(self.folder, "state")
        self.log_path = os.path.join(self.folder, "log")
        self.config = os.path.join(self.folder, "faxd.conf") if config is not None else None
        self.mark = uuid.uuid4().hex  # in the environment of all that faxd starts
        self.process, self.port, self.key = None, 0, None
        if config is not None:
            self.configure(config)

    def configure(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        command = [os.path.join(BUILD, "faxd"), "--state", self.state, "--listen", "127.0.0.1:0"]
        if self.config:
            command += ["--config", self.config]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            text=True, env={**os.environ, "FAXD_TEST": self.mark})
        for line in self.process.stdout:
            if line.startswith("listening on port "):
                self.port = int(line.split()[-1])
            if line == "ready\n":
                break
        else:
            raise AssertionError(f"faxd did not get ready, status {self.process.wait()}")
        with open(os.path.join(self.state, "admin.key"), encoding="utf-8") as file:
            self.key = file.read().strip()
        return self

    def processes(self):
        """pid: program of all that this faxd or an earlier one started and that runs."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    environment = file.read()
                with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
                    state = file.read().rpartition(")")[2].split()[0]
                if f"FAXD_TEST={self.mark}".encode() in environment and state != "Z":
                    found[int(pid)] = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            except OSError:
                continue
        return found

    def pids(self, program):
        return sorted(pid for pid, name in self.processes().items() if name == program)

    def kill(self):
        """kill -9 of faxd alone."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def kill_all(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it has just ended by itself

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return status

    def stop(self):
        """End in order, and prove that nothing is left."""
        try:
            if self.process and self.process.poll() is None:
                same(self.end(), 0)
            wait_for(lambda: not self.processes(), "all processes to end", 20)
        finally:
            self.kill_all()
        self.check_log()
        shutil.rmtree(self.folder)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def check_log(self):
        for line in self.log().splitlines():
            if "Sanitizer" in line or "runtime error:" in line:
                raise AssertionError("a sanitizer spoke:\n" + self.log()[-6000:])

    def command(self, *arguments):
        """Exit status, standard output and standard error of `fax` with the admin's key."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FAXD_")}
        done = subprocess.run([os.path.join(BUILD, "fax"), *arguments, "--server", f"http://127.0.0.1:{self.port}",
                               "--state", self.state], capture_output=True, text=True, timeout=PATIENCE_S,
                              env=environment, check=False)
        return done.returncode, done.stdout, done.stderr

    # --- REST ---

    def client(self, timeout=PATIENCE_S, source=None):
        """A connection; `source` is the loopback address that it comes from."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout,
                                          source_address=(source, 0) if source else None)

    def ask(self, method, path, body=None, headers=None, key=None, timeout=PATIENCE_S, source=None):
        sent = {"Authorization": "Bearer " + (key or self.key), **(headers or {})}
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        client = self.client(timeout, source)
        try:
            client.request(method, path, body, {name: value for name, value in sent.items() if value is not None})
            answer = client.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            client.close()

    def get(self, path):
        reply = self.ask("GET", path)
        same((path, reply.status), (path, 200))
        return reply.json

    def submit(self, to, path=PAGES[0], key=None, **more):
        """POST a fax; the reply."""
        if key is None:
            more = {"header": {"show": False}} | more  # so that pages can be compared dot for dot
        return self.post([document(octets(path))], key=key, to=to, **more)

    def send(self, to, path=PAGES[0], key=None, **more):
        """POST a fax that has to be accepted; its id."""
        return self.accepted(self.submit(to, path, key, **more))

    def post(self, documents, key=None, to="1002", **more):
        """POST a fax of such documents (none = not even the list); the reply."""
        body = {"to": to, **({"documents": documents} if documents else {}), **more}
        return self.ask("POST", "/v1/faxes", body, key=key)

    @staticmethod
    def accepted(reply):
        """The id of the fax."""
        if reply.status != 202:
            raise AssertionError(f"{reply.status} {reply.body!r}")
        return reply.json["id"]

    def fax(self, fax):
        return self.get("/v1/faxes/" + fax)

    def wait_state(self, fax, *states, seconds=PATIENCE_S):
        """The fax as soon as it is in one of the states (by default: at its end)."""
        wanted = set(states) or FINAL
        last = {}

        def look():
            last.update(self.fax(fax))
            if last["status"] in wanted:
                return dict(last)
            if states and last["status"] in FINAL:
                raise AssertionError(f"{fax} ended as {last['status']} before {states}: {last.get('error')}")
            return None

        return wait_for(look, f"{fax} to be {' or '.join(wanted)}", seconds)

    def attempts(self, fax):
        return self.get(f"/v1/faxes/{fax}/attempts")["data"]

    def faxes(self, query="limit=200"):
        return self.get("/v1/faxes?" + query)["data"]

    def inbound(self, to=None):
        """Received faxes that are through, oldest first."""
        found = [f for f in self.faxes("direction=inbound&limit=200") if to in (None, f["to"])]
        return found[::-1]

    def settled_inbound(self, count, to=None):
        """So many received faxes, all of them through."""
        def look():
            found = self.inbound(to)
            return found if len(found) >= count and all(f["status"] in FINAL for f in found) else None
        return wait_for(look, f"{count} received faxes")

    def document(self, fax, copy="as_sent"):
        reply = self.ask("GET", f"/v1/faxes/{fax}/document?format=tiff&copy={copy}")
        same(reply.status, 200)
        return reply.body

    def picture(self, fax, page, width):
        """A page as rows of greys."""
        reply = self.ask("GET", f"/v1/faxes/{fax}/pages/{page}?w={width}")
        same((reply.status, reply.headers["Content-Type"]), (200, "image/png"))
        return png.read(reply.body)

    def key_with(self, *scopes):
        reply = self.ask("POST", "/v1/api-keys", {"name": "k", "scopes": list(scopes)})
        same(reply.status, 201)
        return reply.json["token"]

    def events(self, fax=None):
        path = f"/v1/faxes/{fax}/events" if fax else "/v1/events"
        return [event["type"] for event in self.get(path + "?limit=1000")["data"]]


class Receiver:
    """A receiver of webhooks on the loopback. `answers` says for each path what to give, the last repeats: a status, or
    (status, headers, octets of a body). "cut" declares more than it sends."""

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.got = []  # (path, headers, octets)
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    receiver.got.append((self.path, dict(self.headers), body))
                    count = sum(path == self.path for path, _, _ in receiver.got)
                answers = receiver.answers.get(self.path, [200])
                answer = answers[min(count, len(answers)) - 1]
                if answer == "cut":
                    answer = (200, {"Content-Length": "100"}, 10)
                status, headers, octets = answer if isinstance(answer, tuple) else (answer, {}, 0)
                self.send_response(status)
                for name, value in ({"Content-Length": str(octets)} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(b"x" * octets)
                except ConnectionError:
                    pass  # it has heard enough
                if int(headers.get("Content-Length", octets)) != octets:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def events(self, path):
        with self.lock:
            return [json.loads(body) for at, _, body in self.got if at == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def signed_by(secret, headers, body):
    """Is one of the signatures the secret's (Standard Webhooks 1.0.0)?"""
    names = {name.lower(): value for name, value in headers.items()}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{names['webhook-id']}.{names['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return wanted in names["webhook-signature"].split()


facts = []


def fact(function):
    """Mark a function of no arguments as a test; its name is the sentence that it proves."""
    facts.append(function)
    return function


running = []


def started(config=None, kind=Faxd):
    """A started faxd that the runner ends after the fact."""
    server = kind(config)
    running.append(server)
    return server.start()


def report(function, number):
    """Run one fact; True when it holds."""
    name = function.__name__.replace("_", " ")
    try:
        function()
        while running:
            running[-1].stop()
            running.pop()
    except Exception:  # whatever went wrong is the result
        print(f"not ok {number} - {name}", flush=True)
        for line in traceback.format_exc().splitlines():
            print("# " + line)
        while running:
            server = running.pop()
            for line in server.log().splitlines()[-60:]:
                print("# log: " + line)
            server.kill_all()
            shutil.rmtree(server.folder, ignore_errors=True)
        sys.stdout.flush()
        return False
    print(f"ok {number} - {name}", flush=True)
    return True


def main():
    only = sys.argv[1:]
    chosen = [function for function in facts if not only or function.__name__ in only]
    print(f"1..{len(chosen)}", flush=True)
    held = [report(function, number) for number, function in enumerate(chosen, 1)]
    return 0 if all(held) else 1
