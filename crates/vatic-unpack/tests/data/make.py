"""Writes the files of this folder: deflate streams and progressive pictures as others write them, of text of this project's fixtures and of hills.

    python3 make.py

The pictures are cjpeg's (libjpeg-turbo 2.1), which has to be there.

`miniz.zz` is not among them: it was written once by miniz_oxide 0.9 (level 6), which looks for matches in its own way.
"""

import gzip
import io
import pathlib
import struct
import subprocess
import tempfile
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parents[3] / "fixtures"
STORY = (FIXTURES / "story.txt").read_bytes()
ORDERS = (FIXTURES / "orders.json").read_bytes()


def noise(count, state=1):
    """Bytes of a linear congruential generator."""
    out = bytearray()
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append(state >> 56)
    return bytes(out)


def notes():
    """A zip archive: text at two levels, noise that is stored, and a file so small that it stays as it is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content, method, level in [
            ("notes/story.txt", STORY[:5000], zipfile.ZIP_DEFLATED, 6),
            ("notes/noise", noise(300), zipfile.ZIP_STORED, None),
            ("notes/orders.json", ORDERS[:4000], zipfile.ZIP_DEFLATED, 1),
            ("notes/small", b"see the other files\n", zipfile.ZIP_DEFLATED, 9),
        ]:
            info = zipfile.ZipInfo(name, (2026, 11, 28, 12, 0, 0))
            info.compress_type = method
            archive.writestr(info, content, compresslevel=level)
    return out.getvalue()


def hills():
    """A PNG image of 96 by 64 pixels, whose stream has a small window and is cut into chunks of 1000 bytes."""
    width, height = 96, 64
    rows = []
    for y in range(height):
        row = bytearray()
        for x in range(width):
            slope = (x * x // 40 + y * y // 30 + x * y // 50) & 0xFF
            row += bytes([slope, (2 * slope + noise(1, x * y + 7)[0] % 3) & 0xFF, 255 - slope])
        rows.append(b"\x01" + bytes((row[i] - (row[i - 3] if i >= 3 else 0)) & 0xFF for i in range(len(row))))
    packer = zlib.compressobj(9, zlib.DEFLATED, 13, 9, zlib.Z_FILTERED)
    return png(width, height, 2, packer.compress(b"".join(rows)) + packer.flush(), 1000)


def photo(width, height, *options):
    """A progressive JPEG picture of hills with some noise and sharp edges."""
    pixels, grains = bytearray(), noise(width * height, 3)
    for y in range(height):
        for x in range(width):
            slope = (x * x // 40 + y * y // 30 + x * y // 50) % 512
            grey = min(slope, 511 - slope) + grains[y * width + x] % 40
            colour = [grey * 3 // 4, grey // 2 + x // 2, 200 - grey // 2] if (x // 24 + y // 40) % 3 else [250, 250, 245]
            pixels += bytes(min(max(value, 0), 255) for value in colour)
    picture = b"P6 %d %d 255\n" % (width, height) + pixels
    return subprocess.run(["cjpeg", "-progressive", *options], input=picture, capture_output=True, check=True).stdout


def scans():
    """The same in scans of another order: each component by itself, bands without lower bits, and bits one by one."""
    script = "0:0-0,0,1; 2:0-0,0,1; 1:0-0,0,1; 0:1-9,0,3; 1:1-63,0,0; 0:10-63,0,2; 0:1-9,3,2; 0:1-63,2,1; 0,2:0-0,1,0; 1:0-0,1,0; 0:1-63,1,0; 2:1-2,0,1; 2:1-2,1,0;"
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(script.replace("; ", ";\n"))
        file.flush()
        return photo(83, 61, "-sample", "2x1", "-quality", "90", "-scans", file.name)


def png(width, height, colours, stream, cut):
    """An image of so many pixels whose stream is in chunks of `cut` bytes."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0))]
    parts += [chunk(b"IDAT", stream[at : at + cut]) for at in range(0, len(stream), cut)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def foretold(kind, left, up, corner):
    """What a PNG filter takes off a byte."""
    near = left + up - corner
    return [0, left, up, (left + up) // 2, min((left, up, corner), key=lambda byte: abs(byte - near))][kind]


def screen():
    """A PNG image of 200 by 90 pixels of four bytes, as a picture of a screen is: the same few signs again and again, and rows of all filters."""
    width, height = 200, 90
    signs = [noise(12, 100 + n) for n in range(9)]
    line = noise(800, 3)
    rows, above = [], bytes(4 * width)
    for y in range(height):
        row = bytearray()
        for x in range(width):
            sign = signs[line[x // 8 + 25 * (y // 15)] % 9]
            ink = y % 15 < 12 and x % 8 < 7 and sign[y % 15] >> x % 8 & 1
            row += bytes([20, 30, 90, 255] if ink else [240, 240, 250 - y // 15, 255])
        kind = (y * 7 + y // 5) % 5
        at = lambda values, i: values[i] if i >= 0 else 0
        filtered = [row[i] - foretold(kind, at(row, i - 4), above[i], at(above, i - 4)) & 0xFF for i in range(4 * width)]
        rows.append(bytes([kind, *filtered]))
        above = row
    packer = zlib.compressobj(6)
    return png(width, height, 6, packer.compress(b"".join(rows)) + packer.flush(), 8192)


def inside():
    """An archive of an archive with a picture, all of it compressed once more, as a document with pictures is that lies in a tar.gz."""
    document = io.BytesIO()
    with zipfile.ZipFile(document, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in [("text.xml", STORY[20_000:24_000]), ("hills.png", hills()), ("notes.zip", notes())]:
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 29, 0, 30, 0)), content, zipfile.ZIP_DEFLATED)
    return gzip.compress(STORY[10_000:12_000] + document.getvalue() + ORDERS[9000:10_000], 6, mtime=0)


def flushed():
    """A zlib stream that was flushed now and then, and has noise that zlib stores."""
    packer = zlib.compressobj(5, zlib.DEFLATED, 15, 8)
    out = packer.compress(STORY[:3000]) + packer.flush(zlib.Z_SYNC_FLUSH)
    out += packer.compress(noise(20_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return out + packer.compress(STORY[2000:6000]) + packer.flush()


def unused(stream):
    """The stream with ones in the bits behind its end, if it ends within a byte: raw deflate, then Adler-32."""
    body, sum_ = bytearray(stream[:-4]), stream[-4:]
    for bits in range(7, 0, -1):
        tried = bytes(body[:-1]) + bytes([body[-1] | (0xFF << (8 - bits)) & 0xFF])
        if zlib.decompress(tried + sum_) == zlib.decompress(stream) and tried != bytes(body):
            return tried + sum_
    return stream


def levels():
    """Streams of the other levels and of a strategy that takes fixed codes; lengths of 258, matches of three bytes as far away as they may
    be and one farther, symbols so unequal that their codes would be too long, and bits behind a stream's end."""

    def stream(content, level, strategy=zlib.Z_DEFAULT_STRATEGY):
        packer = zlib.compressobj(level, zlib.DEFLATED, 15, 8, strategy)
        return packer.compress(content) + packer.flush()

    unequal, counts = bytearray(), [1, 1]
    while sum(counts) < 9000:
        counts.append(counts[-1] + counts[-2])
    for symbol, count in enumerate(counts):
        unequal += bytes([symbol * 7]) * count
    order = noise(2 * len(unequal), 5)
    places = sorted(range(len(unequal)), key=lambda at: order[2 * at] << 8 | order[2 * at + 1])
    unequal = bytes(unequal[at] for at in places)
    letters = bytes(byte % 16 + 97 for byte in noise(4093, 9))
    far = b"XYZ" + letters + b"XYZ" + b"PQR" + letters + b"-PQR."
    parts = [stream(STORY[at : at + 2500], level) for at, level in [(0, 2), (2000, 3), (4000, 4), (6000, 7), (8000, 8)]]
    parts += [stream(STORY[500:1500], 6, zlib.Z_FIXED), stream(bytes(3000) + STORY[:400], 1)]
    parts += [stream(far, 6), stream(unequal, 1, zlib.Z_HUFFMAN_ONLY), unused(stream(STORY[3000:4000], 6))]
    return b" and ".join(parts)


for name, content in {
    "story.gz": gzip.compress(STORY[:9000], 9, mtime=0),
    "notes.zip": notes(),
    "hills.png": hills(),
    "flushed.zz": flushed(),
    "levels.zz": levels(),
    "inside.gz": inside(),
    "screen.png": screen(),
    "hills.jpg": photo(100, 75, "-quality", "85"),
    "restarts.jpg": photo(60, 45, "-sample", "1x1", "-quality", "95", "-restart", "5B"),
    "grey.jpg": photo(70, 50, "-grayscale", "-quality", "50"),
    "scans.jpg": scans(),
}.items():
    (HERE / name).write_bytes(content)
    print(f"{name}: {len(content)} bytes")
