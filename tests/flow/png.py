# SPDX-License-Identifier: GPL-2.0-or-later
"""Grey pictures as lists of rows of octets: PNG in and out, averages, and how far two of them are apart. Enough for
page images; test files import it, it is no test itself."""
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunks(octets):
    at = len(SIGNATURE)
    while at + 12 <= len(octets):
        size, kind = struct.unpack_from(">I4s", octets, at)
        data = octets[at + 8:at + 8 + size]
        if zlib.crc32(kind + data) != struct.unpack_from(">I", octets, at + 8 + size)[0]:
            raise ValueError(f"chunk {kind} is damaged")
        yield kind, data
        at += size + 12


def paeth(left, above, corner):
    near = left + above - corner
    distances = abs(near - left), abs(near - above), abs(near - corner)
    return (left, above, corner)[distances.index(min(distances))]


def unfilter(kind, row, before):
    """PNG (ISO/IEC 15948) clause 9, for pictures of one octet a pixel or less."""
    if kind == 0:
        return row
    out = bytearray(len(row))
    for x, value in enumerate(row):
        left, corner = (out[x - 1], before[x - 1]) if x else (0, 0)
        guess = (0, left, before[x], (left + before[x]) // 2, paeth(left, before[x], corner))[kind]
        out[x] = (value + guess) & 255
    return bytes(out)


def unpack(row, width, bits):
    if bits == 8:
        return row
    scale, share = 255 // ((1 << bits) - 1), 8 // bits
    return bytes((row[x // share] >> (8 - bits - x % share * bits) & ((1 << bits) - 1)) * scale for x in range(width))


def read(octets):
    """The rows of a grey PNG, 0 = black."""
    if not octets.startswith(SIGNATURE):
        raise ValueError("no PNG")
    parts = list(chunks(octets))
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", parts[0][1])
    if colour != 0 or bits > 8 or interlaced:
        raise ValueError("only plain grey pictures are read here")
    data = zlib.decompress(b"".join(data for kind, data in parts if kind == b"IDAT"))
    size = (width * bits + 7) // 8
    rows, before = [], bytes(size)
    for y in range(height):
        at = y * (size + 1)
        before = unfilter(data[at], data[at + 1:at + 1 + size], before)
        rows.append(unpack(before, width, bits))
    return rows


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write(rows):
    """A PNG of 16 greys."""
    width = len(rows[0])
    data = bytearray()
    for row in rows:
        values = [(value + 8) // 17 for value in row] + [0]
        data.append(0)
        data += bytes(values[x] << 4 | values[x + 1] for x in range(0, width, 2))
    head = struct.pack(">IIBBBBB", width, len(rows), 4, 0, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(data), 9)) + chunk(b"IEND", b"")


def shrink(rows, times):
    """Each square of `times` pixels to its average."""
    small = []
    for y in range(0, len(rows), times):
        band = [list(map(sum, zip(*(row[x:x + times] for row in rows[y:y + times]))))
                for x in range(0, len(rows[0]), times)]
        height = min(times, len(rows) - y)
        small.append(bytes(sum(column) // (len(column) * height) for column in band))
    return small


def distance(a, b):
    """Mean and greatest difference of two pictures of one size, 0 to 255."""
    if (len(a), len(a[0])) != (len(b), len(b[0])):
        raise AssertionError(f"sizes differ: {len(a[0])} x {len(a)} and {len(b[0])} x {len(b)}")
    total = most = 0
    for one, other in zip(a, b):
        apart = [abs(p - q) for p, q in zip(one, other)]
        total += sum(apart)
        most = max(most, max(apart))
    return total / (len(a) * len(a[0])), most


def ink(rows):
    """The share that is black, 0 to 1."""
    return sum(255 * len(row) - sum(row) for row in rows) / (255 * len(rows) * len(rows[0]))
