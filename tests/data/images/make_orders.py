#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the installed Pillow makes of resizing tall-45x150.png, which it draws first, in both orders of passes:
Pillow up to 12 goes horizontally first, Pillow 13 vertically when that is cheaper.
Usage: make_orders.py FOLDER   (once with Pillow 12, once with Pillow 13)

orders-MAJOR.safetensors holds, for a Pillow of version MAJOR,
    KIND_WxH     [H, W, 3] of uint8: resized to W x H
    crop_32_24   short side 32 bilinear, centre crop 24 (torchvision's Resize and CenterCrop)"""
import json, random, struct, sys
from PIL import Image, __version__

FOLDER = sys.argv[1]
NOISE = random.Random(13)
WIDTH, HEIGHT = 45, 150
image = Image.frombytes("RGB", (WIDTH, HEIGHT), bytes(NOISE.choice([0, 255, NOISE.randrange(256)]) for _ in range(WIDTH * HEIGHT * 3)))
image.save(f"{FOLDER}/tall-{WIDTH}x{HEIGHT}.png", optimize=True)

# Twice the columns that are lost, 2 * (45 - W), is less than, as many as, or more than the 150 - H rows.
SIZES = [(20, 30), (20, 100), (20, 99), (46, 60), (20, 151), (45, 50), (44, 149), (1, 1), (9, 150)]
tensors = {}
for width, height in SIZES:
    for kind in ("BILINEAR", "BICUBIC"):
        tensors[f"{kind.lower()}_{width}x{height}"] = image.resize((width, height), Image.Resampling[kind])
long_side = int(32 * HEIGHT / WIDTH)
left, top = round((32 - 24) / 2), round((long_side - 24) / 2)
tensors["crop_32_24"] = image.resize((32, long_side), Image.Resampling.BILINEAR).crop((left, top, left + 24, top + 24))

header, offset = {}, 0
for name, out in tensors.items():
    size = 3 * out.width * out.height
    header[name] = {"dtype": "U8", "shape": [out.height, out.width, 3], "data_offsets": [offset, offset + size]}
    offset += size
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(f"{FOLDER}/orders-{__version__.split('.')[0]}.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + b"".join(out.tobytes() for out in tensors.values()))
