#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real pages through real modem signals, from line to line of the softmodem's exchange. Prints TAP."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import BUILD, PAGES, exchange, fact, joined, main, pixels, same, started, within  # noqa: E402


def arrives(server, path, to="1002", **options):
    """The page goes through, and the far side holds exactly its dots. Both faxes: sent, received."""
    before = len(server.inbound(to))
    sent = server.wait_state(server.send(to, path, **options))
    same((sent["status"], sent["delivery"], sent.get("error")), ("delivered", "confirmed", None))
    received = server.settled_inbound(before + 1, to)[-1]
    same((received["status"], received["delivery"]), ("received", "confirmed"))
    want = pixels(path)
    same(pixels(server.document(received["id"])), want)
    same((sent["pages"]["confirmed"], received["pages"]["total"]), (len(want), len(want)))
    return sent, received


def transport(fax):
    return tuple(fax["transport"][key] for key in ("modem", "rate_bps", "ecm", "compression"))


@fact
def a_server_without_configuration_sends_from_line_to_line():
    server = started()
    same([line["number"] for line in server.get("/v1/lines")["data"] if not line["simulated"]],
         ["1001", "1002", "1003", "1004"])
    sent, received = arrives(server, PAGES[0])
    same((sent["remote_station_id"], received["remote_station_id"]), ("1002", "1001"))
    same(os.stat(os.path.join(server.state, "admin.key")).st_mode & 0o777, 0o600)


@fact
def the_itu_pages_arrive_dot_for_dot_by_v17_with_ecm_and_mmr():
    server = started()
    for page in PAGES:
        for fax in arrives(server, page):
            same(transport(fax), ("V.17", 14400, True, "T.6"))


@fact
def the_same_without_ecm():
    server = started()
    for page in PAGES[:2]:
        for fax in arrives(server, page, route={"ecm": False}):
            same(transport(fax)[:3], ("V.17", 14400, False))


@fact
def the_same_at_v29_and_v27ter():
    server = started()
    for page in PAGES[1:3]:
        sent, _ = arrives(server, page, route={"modems": ["v27ter", "v29"]})
        same(transport(sent)[:3], ("V.29", 9600, True))
        sent, _ = arrives(server, page, route={"modems": ["v27ter"]})
        same(transport(sent)[:3], ("V.27ter", 4800, True))
        sent, _ = arrives(server, page, route={"modems": ["v27ter", "v29"], "ecm": False})
        same(transport(sent)[:3], ("V.29", 9600, False))


@fact
def a_lower_rate_and_a_plainer_compression_can_be_asked_for():
    server = started()
    sent, _ = arrives(server, PAGES[0], route={"max_rate": 7200, "compressions": ["mh"], "ecm": False})
    same(transport(sent), ("V.17", 7200, False, "T.4 1D"))


@fact
def a_document_of_ten_pages_arrives_whole():
    server = started()
    path = joined(server.folder, *PAGES, *PAGES, *PAGES[:2])
    sent, _ = arrives(server, path)
    same(sent["pages"], {"total": 10, "sent": 10, "confirmed": 10})


@fact
def several_lines_send_at_the_same_time():
    server = started(exchange(lines=("1001", "1002", "1003", "1004", "1005", "1006")))
    faxes = [server.send(to, PAGES[i % 4]) for i, to in enumerate(["1004", "1005", "1006"] * 4)]
    for fax in faxes:
        same(server.wait_state(fax)["status"], "delivered")
    got = server.settled_inbound(12)
    same(sorted(line for fax in got for line in pixels(server.document(fax["id"]))),
         sorted(line for i in range(12) for line in pixels(PAGES[i % 4])))


@fact
def a_page_can_be_had_as_pdf_and_png():
    server = started()
    _, received = arrives(server, PAGES[0])
    pdf = server.ask("GET", f"/v1/faxes/{received['id']}/document?format=pdf")
    same((pdf.status, pdf.headers["Content-Type"], pdf.body[:5]), (200, "application/pdf", b"%PDF-"))
    png = server.ask("GET", f"/v1/faxes/{received['id']}/pages/1")
    same((png.status, png.headers["Content-Type"], png.body[:8]), (200, "image/png", b"\x89PNG\r\n\x1a\n"))


@fact
def the_command_line_sends_waits_and_fetches():
    server = started()
    command = [os.path.join(BUILD, "fax"), "--server", f"http://127.0.0.1:{server.port}", "--state", server.state]
    done = subprocess.run([*command, "send", "--to", "1002", "--wait", "--set", "header.show=false", PAGES[1]], capture_output=True, text=True,
                          check=False)
    same(done.returncode, 0)
    within("delivered 1/1 pages to 1002", done.stdout)
    received = server.settled_inbound(1)[0]
    out = os.path.join(server.folder, "got.tif")
    subprocess.run([*command, "get", received["id"], "--tiff", "--output", out], check=True, capture_output=True)
    same(pixels(out), pixels(PAGES[1]))
    done = subprocess.run([*command, "send", "--to", "7777", "--wait", PAGES[1]], capture_output=True, text=True,
                          check=False)
    same(done.returncode, 3)  # a bad number
    listed = subprocess.run([*command, "list"], capture_output=True, text=True, check=True).stdout
    within("bad_address", listed)


if __name__ == "__main__":
    sys.exit(main())
