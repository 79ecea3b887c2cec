#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_jpegs.py FOLDER [COUNT]: COUNT (2,000) JPEGs of 500x375, quality 90: smooth colours with a little noise, about
as heavy to decode as photographs. Needs Pillow (Debian: python3-pil)."""
import os
import random
import sys

from PIL import Image

folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2000
os.makedirs(folder, exist_ok=True)
noise = Image.effect_noise((500, 375), 40).convert("RGB")
dice = random.Random(1)
for i in range(count):
    colours = Image.frombytes("RGB", (16, 12), dice.randbytes(16 * 12 * 3)).resize((500, 375), Image.BICUBIC)
    Image.blend(colours, noise, 0.3).save(f"{folder}/{i:04d}.jpg", quality=90)
