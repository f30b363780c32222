# SPDX-License-Identifier: GPL-2.0-or-later
"""What a long list costs in the browser: 10,000 waiting faxes scrolled through from the first to the last."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../flow"))
import faxd  # noqa: E402

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 10000


def main():
    server = faxd.Faxd(faxd.exchange())
    subprocess.run([os.path.join(faxd.BUILD, "tests/bench/fill_queue"), server.state, str(ROWS), "nowhere"], check=True)
    server.start()
    try:
        done = subprocess.run(["node", os.path.join(faxd.SOURCE, "tests/ui/scroll.mjs")], check=True, capture_output=True, text=True,
                              timeout=540, env={**os.environ, "FAXD_SRC": faxd.SOURCE, "UI_ROWS": str(ROWS),
                                                "UI_URL": f"http://127.0.0.1:{server.port}", "UI_KEY": server.key})
        got = json.loads(done.stdout)
        print(f"{got['rows']} rows scrolled in {got['seconds']:.1f} s, {got['drawn_at_most']} of them in the document at most")
        longest = f", the longest {got['longest_ms']:.0f} ms" if got["long_tasks"] else ""  # the browser tells of no shorter ones
        print(f"tasks over 50 ms: {got['long_tasks']}{longest}, over 100 ms: {got['over_100_ms']}")
    finally:
        server.stop()


main()
