#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Some classes of an IDX data set as a data set of their own, numbered anew from 0 in the order given.

    idx_subset.py FOLDER OUT CLASS,CLASS,... [IMAGES]

Reads FOLDER/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz and writes the same four files to OUT: of the training
images, the first IMAGES of each class (default: all); of the test images, all."""
import gzip
import pathlib
import struct
import sys


def read(path, header):
    return gzip.decompress(path.read_bytes())[header:]


def subset(images, labels, classes, most):
    size, left = len(images) // len(labels), {c: most for c in classes}
    for i, label in enumerate(labels):
        if left.get(label, 0) > 0:
            left[label] -= 1
            yield images[i * size:(i + 1) * size], classes.index(label)


def main(folder, out, classes, most=10**9):
    out.mkdir(parents=True, exist_ok=True)
    for part, limit in ("train", most), ("t10k", 10**9):
        images, labels = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
        shape = struct.unpack(">2I", gzip.decompress((folder / images).read_bytes())[8:16])
        chosen = list(subset(read(folder / images, 16), read(folder / labels, 8), classes, limit))
        (out / images).write_bytes(gzip.compress(struct.pack(">4I", 0x803, len(chosen), *shape) + b"".join(i for i, _ in chosen)))
        (out / labels).write_bytes(gzip.compress(struct.pack(">2I", 0x801, len(chosen)) + bytes(c for _, c in chosen)))


if len(sys.argv) not in (4, 5): sys.exit(__doc__)
main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), [int(c) for c in sys.argv[3].split(",")], *map(int, sys.argv[4:]))
