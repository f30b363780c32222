#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The modems of the bench carry pages of efax, a Class 1 program that is not ours, from one to the other."""
import os
import struct
import subprocess
import sys

from faxd import PAGES, fact, main, same
from modems import Bench, efax, efax_ends

ROWS, WIDTH = 400, 216  # rows of a page that is sent in real time; octets of a row
EFAX_HEADER = 20        # rows with its header that efax puts before a page
EFAX_OVER = 10          # rows of the page that its header may run into


def read_rows(path):
    """The rows of the first page of a TIFF, black is 1."""
    plain = path + ".plain"
    subprocess.run(["tiffcp", "-c", "none", "-r", "100000", path, plain], check=True, capture_output=True)
    with open(plain, "rb") as file:
        octets = file.read()
    order = "<" if octets[:2] == b"II" else ">"
    at, = struct.unpack_from(order + "I", octets, 4)
    count, = struct.unpack_from(order + "H", octets, at)
    tags = {}
    for entry in range(count):
        tag, kind, _, value = struct.unpack_from(order + "HHII", octets, at + 2 + 12 * entry)
        tags[tag] = value if kind == 4 or order == "<" and kind == 3 else value >> 16
    rows = [octets[tags[273] + i:tags[273] + i + WIDTH] for i in range(0, tags[257] * WIDTH, WIDTH)]
    return rows if tags[262] & 0xffff == 0 else [bytes(255 - octet for octet in row) for row in rows]


def make_pages(folder, count):
    """Pages for efax, PBM, and their rows: pieces of the ITU's pages."""
    paths, pages = [], []
    for n in range(count):
        rows = read_rows_of(folder, PAGES[n % len(PAGES)])[300 + 200 * n:300 + 200 * n + ROWS]
        paths.append(os.path.join(folder, f"sent{n}.pbm"))
        with open(paths[-1], "wb") as file:
            file.write(f"P4\n{WIDTH * 8} {ROWS}\n".encode() + b"".join(rows))
        pages.append(rows)
    return paths, pages


def read_rows_of(folder, path):
    copy = os.path.join(folder, os.path.basename(path))
    with open(path, "rb") as source, open(copy, "wb") as target:
        target.write(source.read())
    return read_rows(copy)


def efax_pages(bench, count, *receiver):
    """Send pages from efax on 1001 to efax on 1002; they arrive row for row. What both logged."""
    paths, pages = make_pages(bench.folder, count)
    answerer, answerer_log = efax(bench, "1002", "-w", "-iS0=1", "-r", "page", *receiver)
    caller, caller_log = efax(bench, "1001", "-t", "T1002", *paths)
    sent, said = efax_ends(bench, caller, caller_log)
    received, heard = efax_ends(bench, answerer, answerer_log, 60 if sent == 0 else 1)
    assert (sent, received) == (0, 0), f"efax: {sent}, {received}\n{said[-4000:]}\n----\n{heard[-4000:]}"
    for n, rows in enumerate(pages, 1):
        got = read_rows(os.path.join(bench.folder, f"page.{n:03}"))
        wrong = [y for y in range(EFAX_OVER, ROWS) if got[EFAX_HEADER + y:EFAX_HEADER + y + 1] != [rows[y]]]
        same((n, wrong[:10], len(wrong)), (n, [], 0))
        same((n, len([row for row in got[EFAX_HEADER + ROWS:] if any(row)])), (n, 0))
    same(os.path.exists(os.path.join(bench.folder, f"page.{len(pages) + 1:03}")), False)
    return said, heard


@fact
def a_page_of_efax_arrives_row_for_row():
    bench = Bench("1001", "1002", delay_ms=50)
    said, heard = efax_pages(bench, 1)
    for log in (said, heard):
        assert "in class 1" in log and "ERROR" not in log, log
    bench.wait("dialled", **{"from": "1001", "to": "1002"})
    bench.wait("ringing", number="1002")
    bench.wait("answered", number="1002")
    bench.wait("hung_up", number="1001")
    bench.wait("hung_up", number="1002")
    stats = bench.ask("stats")
    same((stats["calls"], stats["connected"], stats["lost_octets"]), (1, 1, 0))
    assert stats["turnarounds"] >= 10 and 0 < stats["turnaround_p999_us"] <= stats["turnaround_max_us"], stats


@fact
def three_pages_arrive_over_a_long_and_noisy_line():
    efax_pages(Bench("1001", "1002", options=("--delay-ms", "300", "--noise", "-50")), 3)


@fact
def pages_arrive_at_the_slower_rates():
    bench = Bench("1001", "1002", delay_ms=50)
    for capability, make, rate in (("1,3,0,2,0,0,0,0", "old", "96"), ("1,1,0,2,0,0,0,0", "old", "48")):
        bench.do(f"make 1001 {make}", f"make 1002 {make}")
        said, _ = efax_pages(bench, 1, "-c", capability)
        assert f'command  "+FTM={rate}"' in said, said


if __name__ == "__main__":
    sys.exit(main())
