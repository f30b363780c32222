# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages in a browser (Chromium, driven by run.mjs) on a real faxd with its own exchange and a receiver of webhooks.
./bootstrap check puts what the browser is driven with into build-ui. Test files import it; it is no test itself."""
import http.server
import json
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../flow"))
import faxd  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


class Counter:
    """Takes webhooks at any path, and tells how many came: GET /count."""

    def __init__(self):
        self.counts = {}
        counter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, body):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                name = self.path.strip("/")
                counter.counts[name] = counter.counts.get(name, 0) + 1
                self.answer(b"")

            def do_GET(self):
                self.answer(json.dumps(counter.counts).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def setup_code(state):
    try:
        with open(os.path.join(state, "setup.code"), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def main(facts):
    if not os.path.isdir(os.path.join(faxd.SOURCE, "build-ui/node_modules/playwright-core")):
        print("1..1\nnot ok 1 - what drives the browser is installed: ./bootstrap check does it, or\n"
              "# mkdir -p build-ui && cp tests/ui/package.json build-ui/ && npm install --prefix build-ui")
        return 1
    server, counter = faxd.Faxd(faxd.FAST_RETRIES + faxd.exchange(pace=8)).start(), Counter()
    status = 1
    try:
        status = subprocess.run(["node", os.path.join(HERE, "run.mjs"), facts, *sys.argv[1:]], check=False, timeout=540, env={
            **os.environ, "FAXD_SRC": faxd.SOURCE, "UI_URL": f"http://127.0.0.1:{server.port}", "UI_KEY": server.key,
            "UI_SETUP": setup_code(server.state), "UI_RECEIVER": counter.url}).returncode
        if status:
            for line in server.log().splitlines()[-40:]:
                print("# log: " + line)
    finally:
        counter.close()
        server.stop()
    return status

