#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes files that are not quite as their format wants them, made from those of make_images.py, and what PIL makes of
them. Usage: make_odd.py FOLDER   (needs Pillow 12; FOLDER has the files of make_images.py, and gets the new ones)

odd.safetensors holds, for each file NAME that PIL reads, a tensor NAME [height, width, 3] of uint8: PIL's
open(NAME).convert("RGB"); and for files with an EXIF orientation, NAME.upright: the same after exif_transpose().
The files that PIL refuses have names that begin with "refused-"."""
import io, json, struct, sys, warnings, zlib
from PIL import Image, ImageOps, __version__

FOLDER = sys.argv[1]
assert __version__.startswith("12."), "the acceptance rules are Pillow 12's"
warnings.simplefilter("ignore")


def read(name):
    with open(f"{FOLDER}/{name}", "rb") as f:
        return f.read()


def chunk(kind, data, checksum=None):
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def chunks(png):
    at = 8
    while at < len(png):
        size = struct.unpack(">I", png[at : at + 4])[0]
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += 12 + size


def rebuilt(png, change):
    """change(kind, data) gives the bytes to put in place of a chunk."""
    return png[:8] + b"".join(change(kind, data) for kind, data in chunks(png))


def before(wanted, extra):
    return lambda kind, data: (extra if kind == wanted else b"") + chunk(kind, data)


def wrong(wanted):
    return lambda kind, data: chunk(kind, data, 1 if kind == wanted else None)


def split(size):
    """IDAT in pieces of `size` bytes, with wrong checksums."""
    return lambda kind, data: (
        b"".join(chunk(kind, data[i : i + size], 7) for i in range(0, len(data), size)) if kind == b"IDAT" else chunk(kind, data)
    )


def exif(orientation, order="MM"):
    e = ">" if order == "MM" else "<"
    tags = [(0x0100, 4, 1, struct.pack(e + "I", 37)), (0x0112, 3, 1, struct.pack(e + "HH", orientation, 0))]
    body = b"".join(struct.pack(e + "HHI", tag, kind, count) + value for tag, kind, count, value in tags)
    return order.encode() + struct.pack(e + "HI", 42, 8) + struct.pack(e + "H", len(tags)) + body + bytes(4)


def with_exif(jpeg, data):
    data = b"Exif\0\0" + data
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + jpeg[2:]


def riff(*parts):
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in parts)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def u24(value):
    return struct.pack("<I", value)[:3]


def canvas(flags, width, height):
    return b"VP8X", bytes([flags, 0, 0, 0]) + u24(width - 1) + u24(height - 1)


def frame(x, y, width, height, image):
    return b"ANMF", u24(x // 2) + u24(y // 2) + u24(width - 1) + u24(height - 1) + u24(100) + b"\0" + image


ANIMATED, EXIF = 2, 8
RGB, TEXT, PALETTE = read("rgb.png"), chunk(b"tEXt", b"Comment\0hello"), read("palette.png")
LONG = chunk(b"PLTE", bytes((3 * i + c) % 251 for i in range(256) for c in range(3)))
JPEG, PROGRESSIVE, LOSSLESS = read("420.jpg"), read("progressive.jpg"), read("lossless.webp")[12:]
W, H = Image.open(io.BytesIO(RGB)).size
FRAME_CONTROL = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, W, H, 0, 0, 1, 10, 0, 0))
NEXT_FRAME = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, W, H, 0, 0, 1, 10, 0, 0))

files = {
    "zeros-for-end.jpg": JPEG[:-2] + bytes(16),
    "gray-zeros-for-end.jpg": read("gray.jpg")[:-2] + bytes(40),
    "cmyk-zeros-for-end.jpg": read("cmyk.jpg")[:-2] + bytes(1000),
    "tables-first.jpg": JPEG[:2] + b"\xff\xd9" + JPEG,
    "refused-no-end.jpg": JPEG[:-2],
    "refused-two-zeros-for-end.jpg": read("gray.jpg")[:-2] + bytes(2),  # libjpeg looks ahead further
    "refused-progressive-zeros-for-end.jpg": PROGRESSIVE[:-2] + bytes(16),
    "long-palette.png": rebuilt(PALETTE, lambda kind, data: LONG if kind == b"PLTE" else chunk(kind, data)),
    "long-palette-1.png": rebuilt(
        read("gray-1.png"),
        lambda kind, data: chunk(kind, data[:9] + b"\3" + data[10:]) + LONG if kind == b"IHDR" else chunk(kind, data),
    ),
    "short-palette.png": rebuilt(PALETTE, lambda kind, data: chunk(kind, data[:10] if kind == b"PLTE" else data)),
    "no-end.png": RGB[:-12],
    "end-in-checksum.png": RGB[:-14],
    "end-in-zlib-checksum.png": RGB[:-18],
    "text-checksum-after.png": rebuilt(RGB, before(b"IEND", TEXT[:-1] + b"!")),
    "pixel-checksums.png": rebuilt(RGB, split(97)),
    "unknown-critical.png": rebuilt(RGB, before(b"IDAT", chunk(b"ABCD", b"?"))),
    "text-before-header.png": rebuilt(RGB, before(b"IHDR", TEXT)),
    "bytes-after.png": RGB + b"\0\1\2\3 whatever",
    "animated.png": rebuilt(
        RGB,
        lambda kind, data: chunk(b"acTL", struct.pack(">II", 2, 0)) + FRAME_CONTROL + chunk(kind, data) + NEXT_FRAME + b"cut off here"
        if kind == b"IDAT"
        else chunk(kind, data) if kind != b"IEND" else b"",
    ),
    "refused-text-checksum-before.png": rebuilt(RGB, before(b"IDAT", TEXT[:-1] + b"!")),
    "refused-palette-checksum.png": rebuilt(PALETTE, wrong(b"PLTE")),
    "refused-header-checksum.png": rebuilt(RGB, wrong(b"IHDR")),
    "refused-zlib-checksum.png": rebuilt(RGB, lambda kind, data: chunk(kind, data[:-4] + b"oops" if kind == b"IDAT" else data)),
    "refused-cut-text.png": (RGB[:-12] + TEXT)[:-8],
    "refused-text-among-pixels.png": rebuilt(
        RGB, lambda kind, data: chunk(kind, data[:99]) + TEXT + chunk(kind, data[99:]) if kind == b"IDAT" else chunk(kind, data)
    ),
    "refused-no-pixels.png": rebuilt(RGB, lambda kind, data: b"" if kind == b"IDAT" else chunk(kind, data)),
    "animated-part.webp": riff(
        canvas(ANIMATED, 50, 40),
        (b"ANIM", b"\xff\xff\xff\xff\0\0"),
        frame(4, 6, W, H, LOSSLESS),
        frame(0, 0, W, H, LOSSLESS),
    ),
    "refused-animated-cut.webp": read("animated.webp")[:-40],
    "rotated.png": rebuilt(RGB, before(b"IDAT", chunk(b"eXIf", exif(8, "II")))),
    "rotated-after.png": rebuilt(read("gray.png"), before(b"IEND", chunk(b"eXIf", exif(7)))),
    "rotated.webp": riff(canvas(EXIF, W, H), (LOSSLESS[:4], LOSSLESS[8:]), (b"EXIF", exif(5))),
    **{f"rotated-{k}.jpg": with_exif(JPEG, exif(k, "II" if k % 2 else "MM")) for k in range(1, 10)},
}

header, blobs, offset = {}, [], 0


def keep(name, image):
    global offset
    pixels = image.tobytes()
    header[name] = {"dtype": "U8", "shape": [image.height, image.width, 3], "data_offsets": [offset, offset + len(pixels)]}
    offset += len(pixels)
    blobs.append(pixels)


for name in sorted(files):
    with open(f"{FOLDER}/{name}", "wb") as f:
        f.write(files[name])
    try:
        image = Image.open(io.BytesIO(files[name]))
        keep(name, image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        assert name.startswith("refused-"), (name, error)
        continue
    assert not name.startswith("refused-"), name
    if name.startswith("rotated"):
        keep(name + ".upright", ImageOps.exif_transpose(image).convert("RGB"))
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(f"{FOLDER}/odd.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
