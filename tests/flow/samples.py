# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents of tests/data/documents: what fax each makes, what its pages look like, and how they are sent and compared.
Test files import it; it is no test itself."""
import os
import struct
import subprocess
import tempfile

import png
from faxd import DATA, document, exchange, octets, running, same, started

GOLDEN = os.path.join(DATA, "golden")
WIDTH = 216  # an eighth of a fax page

os.environ["FONTCONFIG_FILE"] = os.path.join(DATA, "fonts.conf")  # for every server that is started here

# Pages of the fax that comes of each.
PAGES_OF = {
    "acroform-reportlab.pdf": 1, "alpha.png": 1, "animated.gif": 1, "article-pdftex.pdf": 3, "bom.txt": 1,
    "broken-xref.pdf": 2, "cjk-not-embedded.pdf": 1, "cmyk.jpg": 1, "cmyk.tif": 1, "crlf.txt": 1,
    "cropbox-userunit.pdf": 2, "delivery-haru.pdf": 1, "fonts-not-embedded.pdf": 1, "form-feed.txt": 2,
    "form-wkhtmltopdf.pdf": 1, "grey16.png": 1, "huge-mediabox.pdf": 1, "invoice-libreoffice.pdf": 2,
    "journal-enscript.pdf": 2, "jpeg-in-tiff.tif": 1, "jpeg2000-img2pdf.pdf": 1, "latin.txt": 1, "latin1.txt": 1,
    "letter-cairo.pdf": 2, "letter-ghostscript.pdf": 2, "long-lines.txt": 1, "lzw-rgb.tif": 1, "memo-groff.pdf": 2,
    "mixed-sizes.pdf": 6, "multi-script.txt": 1, "newsletter-chromium.pdf": 2, "owner-only-encrypted.pdf": 2,
    "palette.png": 1, "photo.bmp": 1, "photo.heic": 1, "photo.jpg": 1, "photo.svg": 1, "photo.webp": 1,
    "plan-rsvg.pdf": 1, "pricelist-reportlab.pdf": 2, "progressive.jpg": 1, "receipt.pdf": 1, "report-weasyprint.pdf": 1,
    "rotated.pdf": 3, "scan-img2pdf.pdf": 2, "statement-fpdf.pdf": 2, "table-libreoffice.pdf": 1, "text-12-pages.pdf": 12,
    "tiled.tif": 1, "tiny-mediabox.pdf": 1, "two-page-mixed.tif": 2, "utf16le.txt": 1,
    # By other programs.
    "letter.ps": 2, "letter.eps": 1, "letter.odt": 2, "letter.docx": 2, "letter.rtf": 2, "old.doc": 2,
}
POSTSCRIPT = {"letter.ps", "letter.eps"}
OFFICE = {"letter.odt", "letter.docx", "letter.rtf", "old.doc"}
# Their letters are those of whatever fonts the machine has.
OF_FONTS_HERE = {"acroform-reportlab.pdf", "broken-xref.pdf", "cjk-not-embedded.pdf", "fonts-not-embedded.pdf",
                 "journal-enscript.pdf", "letter-ghostscript.pdf", "mixed-sizes.pdf", "multi-script.txt",
                 "owner-only-encrypted.pdf", "rotated.pdf", "statement-fpdf.pdf"} | POSTSCRIPT | OFFICE
# What the tolerance is: of an eighth of the page, the mean difference of its greys (0 to 255); and the greatest of
# squares of 8 x 8 of them, in which one line of text that is missing makes some 35. The
# pictures have 16 greys, which alone is a mean of 3 in a photograph. Other fonts move every word.
MEAN_MOST, SQUARE_MOST = 5.0, 16
MEAN_MOST_FONTS, INK_FONTS = 20.0, (0.6, 1.6)

NO_HEADER = {"header": {"show": False}}


def arrives(server, documents, **more):
    """A fax of such documents goes through; both faxes: sent, received."""
    before = len(server.inbound())
    sent = server.wait_state(server.accepted(server.post(documents, **more)))
    same((sent["status"], sent.get("error")), ("delivered", None))
    received = server.settled_inbound(before + 1)[-1]
    same((received["status"], received["pages"]["total"]), ("received", sent["pages"]["total"]))
    return sent, received


def fails(server, documents, code, **more):
    """A fax of such documents cannot be prepared; the message."""
    fax = server.wait_state(server.accepted(server.post(documents, **more)))
    same((fax["status"], fax["error"]["code"], fax["calls"]), ("failed", code, 0))
    same(fax["error"]["message"].isprintable(), True)
    return fax["error"]["message"]


def looks_like(name, page, got):
    want = png.read(octets(os.path.join(GOLDEN, f"{name}-{page}.png")))
    mean, _ = png.distance(got, want)
    _, square = png.distance(png.shrink(got, 8), png.shrink(want, 8))
    said = f"{name} page {page}: mean {mean:.2f}, square {square}, ink {png.ink(got):.4f} for {png.ink(want):.4f}"
    print("# " + said)
    if name in OF_FONTS_HERE:
        good = mean <= MEAN_MOST_FONTS and INK_FONTS[0] <= png.ink(got) / png.ink(want) <= INK_FONTS[1]
    else:
        good = mean <= MEAN_MOST and square <= SQUARE_MOST
    if not good:
        raise AssertionError(said)


def pictures(server, name):
    """Send it; the received pages."""
    sent, received = arrives(server, [document(name)], **NO_HEADER)
    same((name, sent["pages"]["total"]), (name, PAGES_OF[name]))
    return [server.picture(received["id"], page, WIDTH) for page in range(1, PAGES_OF[name] + 1)]


def all_arrive(names):
    server = started(exchange())
    for name in sorted(names):
        for page, got in enumerate(pictures(server, name), 1):
            looks_like(name, page, got)


def make_golden(names):
    os.makedirs(GOLDEN, exist_ok=True)
    server = started(exchange())
    for name in names or PAGES_OF:
        for page, got in enumerate(pictures(server, name), 1):
            with open(os.path.join(GOLDEN, f"{name}-{page}.png"), "wb") as file:
                file.write(png.write(got))
    running.pop().stop()
    return 0


def dots(tiff):
    """The pages of a fax TIFF as rows of octets, a dot a bit, black = 1."""
    with tempfile.TemporaryDirectory() as folder:
        packed, plain = os.path.join(folder, "a.tif"), os.path.join(folder, "b.tif")
        with open(packed, "wb") as file:
            file.write(tiff)
        subprocess.run(["tiffcp", "-c", "none", "-r", "100000", packed, plain], check=True)
        data = octets(plain)
    order = "<" if data[:2] == b"II" else ">"
    pages, at = [], struct.unpack_from(order + "I", data, 4)[0]
    while at:
        count = struct.unpack_from(order + "H", data, at)[0]
        tags = {}
        for i in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHII", data, at + 2 + 12 * i)
            tags[tag] = value if kind == 4 else struct.unpack_from(order + "H", data, at + 2 + 12 * i + 8)[0]
        size = (tags[256] + 7) // 8
        pages.append([data[tags[273] + y * size:tags[273] + (y + 1) * size] for y in range(tags[257])])
        at = struct.unpack_from(order + "I", data, at + 2 + 12 * count)[0]
    return pages
