#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the small images that the decoders are tested with, and what PIL makes of them.
Usage: make_images.py OUT_DIR   (needs python3-pil)

decode.safetensors holds, for each file NAME, a tensor NAME [height, width, 3] of uint8: PIL's open(NAME).convert("RGB").
One exception: PIL clips 16-bit gray to 255; the tensor of gray-16.png has the high bytes instead."""
import io, json, random, struct, sys, zlib
from PIL import Image, ImageDraw

OUT = sys.argv[1]
RANDOM = random.Random(1)
W, H = 37, 23  # odd: partial blocks, partial bytes


def picture(mode="RGB"):
    im = Image.new("RGB", (W, H))
    im.putdata([(x * 255 // W, y * 255 // H, (x * y * 3) % 256) for y in range(H) for x in range(W)])
    draw = ImageDraw.Draw(im)
    draw.ellipse([4, 3, 24, 18], fill=(250, 40, 10))
    draw.line([0, H, W, 0], fill=(0, 255, 255))
    return im.convert(mode)


def alpha():
    mask = Image.new("L", (W, H))
    mask.putdata([(x * 7 + y * 11) % 256 for y in range(H) for x in range(W)])
    return mask


def saved(im, *args, **options):
    out = io.BytesIO()
    im.save(out, *args, **options)
    return out.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, depth):
    """One row of samples: big-endian, most significant bits first."""
    if depth == 16:
        return struct.pack(f">{len(samples)}H", *samples)
    bits = "".join(format(s, f"0{depth}b") for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(colour, depth, sample, channels, extra=b"", interlaced=False, size=(W, H)):
    """A PNG that PIL cannot write itself. sample(x, y, c) gives the values."""
    rows = b""
    for x0, y0, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
        for y in range(y0, size[1], dy):
            row = [sample(x, y, c) for x in range(x0, size[0], dx) for c in range(channels)]
            if row:
                rows += b"\0" + packed(row, depth)
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def ramp(depth):
    top = (1 << depth) - 1
    return lambda x, y, c: (x * 2654435761 + y * 40503 + c * 977) >> 3 & top


RGB = picture()
PALETTE = chunk(b"PLTE", bytes(RANDOM.randrange(256) for _ in range(3 * 16)))
CMYK = saved(picture("CMYK"), "JPEG", quality=90)
ADOBE = CMYK.index(b"Adobe") + 11  # the colour transform: 0 CMYK, 2 YCCK

files = {
    "rgb.png": saved(RGB, "PNG"),
    "gray.png": saved(picture("L"), "PNG"),
    "gray-alpha.png": saved(Image.merge("LA", (picture("L"), alpha())), "PNG"),
    "rgba.png": saved(Image.merge("RGBA", (*RGB.split(), alpha())), "PNG"),
    "palette.png": saved(RGB.quantize(16), "PNG"),
    "palette-transparent.png": png(3, 4, ramp(4), 1, PALETTE + chunk(b"tRNS", bytes(range(0, 256, 16)))),
    "palette-2.png": png(3, 2, ramp(2), 1, chunk(b"PLTE", bytes(range(3, 36, 3)) + b"\xff")),
    "palette-8-interlaced.png": png(3, 8, lambda x, y, c: (x + y) % 16, 1, PALETTE, interlaced=True),
    "gray-1.png": saved(picture("1"), "PNG"),
    "gray-2.png": png(0, 2, ramp(2), 1),
    "gray-4-interlaced.png": png(0, 4, ramp(4), 1, interlaced=True),
    "gray-transparent.png": png(0, 8, ramp(8), 1, chunk(b"tRNS", b"\0\5")),
    "gray-16.png": png(0, 16, ramp(16), 1),
    "gray-alpha-16.png": png(4, 16, ramp(16), 2),
    "rgb-16.png": png(2, 16, ramp(16), 3),
    "rgba-16-interlaced.png": png(6, 16, ramp(16), 4, interlaced=True),
    "rgb-interlaced.png": png(2, 8, ramp(8), 3, interlaced=True),
    "rgb-text.png": png(2, 8, ramp(8), 3, chunk(b"tEXt", b"Comment\0hello")),
    "one.png": png(2, 8, ramp(8), 3, size=(1, 1)),
    "420.jpg": saved(RGB, "JPEG", quality=85, subsampling=2),
    "422.jpg": saved(RGB, "JPEG", quality=85, subsampling=1),
    "444.jpg": saved(RGB, "JPEG", quality=95, subsampling=0),
    "progressive.jpg": saved(RGB, "JPEG", quality=85, progressive=True),
    "gray.jpg": saved(picture("L"), "JPEG", quality=85),
    "gray-progressive.jpg": saved(picture("L"), "JPEG", quality=85, progressive=True),
    "cmyk.jpg": CMYK,
    "ycck.jpg": CMYK[:ADOBE] + b"\2" + CMYK[ADOBE + 1 :],
    "cmyk-plain.jpg": CMYK[:2] + CMYK[2 + 16 :],  # without the Adobe marker
    "rgb-adobe.jpg": None,
    "rotated.jpg": saved(RGB, "JPEG", quality=85, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"),
    "trailing.jpg": saved(RGB, "JPEG", quality=85) + b"garbage after the end",
    "lossy.webp": saved(RGB, "WEBP", quality=80),
    "lossless.webp": saved(RGB, "WEBP", lossless=True),
    "lossy-alpha.webp": saved(Image.merge("RGBA", (*RGB.split(), alpha())), "WEBP", quality=80),
    "lossless-alpha.webp": saved(Image.merge("RGBA", (*RGB.split(), alpha())), "WEBP", lossless=True, exact=True),
}
assert CMYK[2:4] == b"\xff\xee" and CMYK[4:6] == b"\0\x0e"
plain = files["444.jpg"]
assert plain[2:4] == b"\xff\xe0"  # JFIF says YCbCr: replaced by an Adobe marker that says RGB
files["rgb-adobe.jpg"] = plain[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0" + plain[4 + (plain[4] << 8 | plain[5]) :]

names, blobs, header, offset = sorted(files), [], {}, 0
for name in names:
    with open(f"{OUT}/{name}", "wb") as f:
        f.write(files[name])
    pixels = Image.open(io.BytesIO(files[name])).convert("RGB").tobytes()
    size = Image.open(io.BytesIO(files[name])).size
    if name == "gray-16.png":
        pixels = bytes(ramp(16)(x, y, 0) >> 8 for y in range(H) for x in range(W) for _ in range(3))
    header[name] = {"dtype": "U8", "shape": [size[1], size[0], 3], "data_offsets": [offset, offset + len(pixels)]}
    offset += len(pixels)
    blobs.append(pixels)
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(f"{OUT}/decode.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))

# Never decoded, so without expected pixels.
still = Image.new("RGB", (W, H), "green")
with open(f"{OUT}/animated.webp", "wb") as f:
    f.write(saved(RGB, "WEBP", save_all=True, append_images=[still], duration=100))
