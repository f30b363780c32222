#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a page of a document costs in faxd-convert, beside pdftoppm and Ghostscript at the same resolution in the same
run: `make bench`.

  bench_documents.py [PDF...]    default: the samples named below

CPU is that of all pages of many copies of the document, less that of a run with one blank page, so that no start of a
program counts. pdftoppm writes its dots as they are; the other two code them. Dots of all three are then coded by the
same program, in one strip a page: that size is the time on the line. A ratio is to the better of the two others."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("FAXD_BUILD") or os.getcwd()
SOURCE = os.environ.get("FAXD_SRC") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
SAMPLES = ("text-12-pages.pdf", "invoice-libreoffice.pdf", "report-weasyprint.pdf", "letter-cairo.pdf",
           "pricelist-reportlab.pdf", "newsletter-chromium.pdf")
RUNS = 5           # the least counts: what others do on the machine only adds
PAGES_AT_LEAST = 40
ROWS_MAX = 65535   # of a strip: any page
CPU_TARGET, SIZE_TARGET = 1.5, 1.05

BLANK = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj
xref
0 4
0000000000 65535 f 
0000000009 00000 n 
0000000052 00000 n 
0000000101 00000 n 
trailer<</Root 1 0 R/Size 4>>
startxref
164
%%EOF
"""


# B4 is a width of fax paper too, so that no sample is made smaller than the others make it.
def faxd(pdf, folder):
    return [os.path.join(BUILD, "faxd-convert"), "--max-width", "2048", pdf, os.path.join(folder, "pages.tif")]


def pdftoppm(pdf, folder):
    return ["pdftoppm", "-mono", "-rx", "204", "-ry", "196", pdf, os.path.join(folder, "page")]


def ghostscript(pdf, folder):
    return ["gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=tiffg4", "-r204x196",
            "-sOutputFile=" + os.path.join(folder, "pages.tif"), pdf]


CONVERTERS = (faxd, pdftoppm, ghostscript)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def cpu_s(command):
    """CPU seconds of a program and of the children it waited for."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise AssertionError(f"{command[0]} ended with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def least_cpu_s(pdf):
    """For each converter; they take turns, so that a busy time of the machine meets all."""
    least = [float("inf")] * len(CONVERTERS)
    for _ in range(RUNS):
        for i, converter in enumerate(CONVERTERS):
            with tempfile.TemporaryDirectory() as folder:
                least[i] = min(least[i], cpu_s(converter(pdf, folder)))
    return least


def uncoded_tiff(pbm):
    """A PBM file as TIFF, dot for dot: in both, 1 is black and rows are whole octets."""
    head = re.match(rb"P4\s(\d+)\s(\d+)\s", pbm)
    width, height, dots = int(head[1]), int(head[2]), pbm[head.end():]
    tags = ((256, width), (257, height), (258, 1), (259, 1), (262, 0), (273, 8), (277, 1), (278, height), (279, len(dots)))
    entries = b"".join(tag.to_bytes(2, "little") + b"\4\0\1\0\0\0" + value.to_bytes(4, "little") for tag, value in tags)
    return (b"II*\0" + (8 + len(dots)).to_bytes(4, "little") + dots + len(tags).to_bytes(2, "little") + entries + bytes(4))


def coded_bytes(folder):
    """The size of all pages in a folder in Group 4, without any header or directory."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.endswith(".pbm"):
            with open(path, "rb") as file:
                tiff = uncoded_tiff(file.read())
            with open(path + ".tif", "wb") as file:
                file.write(tiff)
    pages = sorted(name for name in os.listdir(folder) if name.endswith(".tif"))
    coded = os.path.join(folder, "coded")
    run("tiffcp", "-c", "g4", "-r", str(ROWS_MAX), *(os.path.join(folder, name) for name in pages), coded)
    return sum(map(int, re.findall(r"^ +\d+: \[ *\d+, +(\d+)\]", run("tiffinfo", "-s", coded), re.MULTILINE)))


def sizes(pdf):
    result = []
    for converter in CONVERTERS:
        with tempfile.TemporaryDirectory() as folder:
            run(*converter(pdf, folder))
            result.append(coded_bytes(folder))
    return result


def ratio(values, target):
    """Ours to the better of the others."""
    of_best = values[0] / min(values[1:])
    return f"{of_best:.2f}" + (" (missed)" if of_best > target else "")


def measure(pdf, starts, folder):
    pages = int(re.search(r"^Pages: +(\d+)", run("pdfinfo", pdf), re.MULTILINE)[1])
    copies = -(-PAGES_AT_LEAST // pages)
    many = os.path.join(folder, "many.pdf")
    run("pdfunite", *[pdf] * copies, many)
    cpu = [1000 * (spent - start) / (pages * copies) for spent, start in zip(least_cpu_s(many), starts)]
    size = [octets / pages / 1000 for octets in sizes(pdf)]
    print(f"| {os.path.basename(pdf)} | " + " / ".join(f"{ms:.1f}" for ms in cpu) + f" | {ratio(cpu, CPU_TARGET)} | "
          + " / ".join(f"{kb:.1f}" for kb in size) + f" | {ratio(size, SIZE_TARGET)} |", flush=True)


def main():
    missing = [name for name in ("gs", "pdftoppm", "pdfunite", "pdfinfo", "tiffcp", "tiffinfo") if shutil.which(name) is None]
    if missing:
        print("skipped, for lack of " + ", ".join(missing))
        return 0
    print("Pages of 204 by 196 dots an inch; faxd-convert / pdftoppm -mono / Ghostscript tiffg4\n")
    print(f"| document | CPU of a page, ms | ratio, at most {CPU_TARGET} | coded page, kB | ratio, at most {SIZE_TARGET} |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        blank = os.path.join(folder, "blank.pdf")
        with open(blank, "wb") as file:
            file.write(BLANK)
        starts = least_cpu_s(blank)
        for pdf in sys.argv[1:] or [os.path.join(SOURCE, "tests/data/documents", name) for name in SAMPLES]:
            measure(pdf, starts, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
