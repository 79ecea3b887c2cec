#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what Tributary and PIL make of the JPEG, PNG and WebP files in folders: which of the two reads a file, and
whether the pixels are the same bytes.

    tests/image/against_pil.py [--program build/tests/dump_pixels] [--damage N] FOLDER...

Needs Pillow and the program, which is built with the tests. Files are taken by their first bytes, whatever their names.
--damage N compares N damaged copies of each file too (a byte changed, or the end cut off or zeroed; the same ones in
every run). Prints the count of each outcome, and the files that differ. The exit code is 0 when none does, else 1."""
import argparse, collections, os, random, subprocess, sys, tempfile, warnings
from PIL import Image, features, __version__

SIGNATURES = [(0, b"\xff\xd8\xff"), (0, b"\x89PNG\r\n\x1a\n"), (8, b"WEBP")]


def is_ours(start):
    return any(start[at : at + len(s)] == s for at, s in SIGNATURES) and (start[8:12] != b"WEBP" or start[:4] == b"RIFF")


def find_files(folders):
    for folder in folders:
        for root, subfolders, names in os.walk(folder):
            subfolders.sort()
            for name in sorted(names):
                path = os.path.join(root, name)
                with open(path, "rb") as f:
                    start = f.read(12)
                if is_ours(start) and "\n" not in path:
                    yield os.path.relpath(path, folder), path


class Ours:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, path):
        """(size, RGB bytes), or the reason as a string."""
        self.process.stdin.write(os.fsencode(path) + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{path}: the program ended")
        kind, rest = line.rstrip(b"\n").split(b" ", 1)
        if kind == b"failed":
            return os.fsdecode(rest)
        width, height, channels, size = map(int, rest.split())
        pixels = self.process.stdout.read(size)
        image = Image.frombytes("RGB" if channels == 3 else "L", (width, height), pixels)
        return image.size, image.convert("RGB").tobytes()


def pil(path):
    try:
        with Image.open(path, formats=["JPEG", "PNG", "WEBP"]) as image:
            return image.size, image.convert("RGB").tobytes()
    except Exception as error:  # of many kinds: OSError, SyntaxError, ValueError, struct.error ...
        return f"{type(error).__name__}: {error}".replace(path, "FILE")


def compare(ours, theirs):
    """(outcome, what differs or None)."""
    if isinstance(ours, str) and isinstance(theirs, str):
        return "refused by both", None
    if isinstance(ours, str):
        return "read by PIL only", ours
    if isinstance(theirs, str):
        return "read by Tributary only", theirs
    if ours == theirs:
        return "the same pixels", None
    if ours[0] != theirs[0]:
        return "other pixels", f"{ours[0][0]} x {ours[0][1]} instead of {theirs[0][0]} x {theirs[0][1]}"
    differences = [abs(a - b) for a, b in zip(ours[1], theirs[1]) if a != b]
    return "other pixels", f"{len(differences) / len(ours[1]):.2%} of the samples, by up to {max(differences)}"


def damaged(data, number):
    """A damaged copy of a file, and how it was damaged."""
    rnd = random.Random(number)
    at = rnd.randrange(12, len(data)) if len(data) > 12 else 0
    kind = number % 3
    if kind == 0:
        return data[:at] + bytes([rnd.randrange(256)]) + data[at + 1 :], f"byte {at} changed"
    at = max(at, len(data) - rnd.randrange(1, 64)) if number % 2 else at
    if kind == 1:
        return data[:at], f"cut off at byte {at}"
    return data[:at] + bytes(len(data) - at), f"zeros from byte {at}"


def variants(folders, damage, scratch):
    for name, path in find_files(folders):
        yield name, path
        if not damage:
            continue
        with open(path, "rb") as f:
            data = f.read()
        for number in range(damage):
            copy, how = damaged(data, number)
            if not is_ours(copy[:12]):
                continue
            with open(scratch, "wb") as f:
                f.write(copy)
            yield f"{name}, {how}", scratch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--program", default="build/tests/dump_pixels")
    parser.add_argument("--damage", type=int, default=0, metavar="N")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    ours = Ours(options.program)
    counts, lines = collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        for name, path in variants(options.folders, options.damage, os.path.join(folder, "damaged")):
            outcome, difference = compare(ours.read(path), pil(path))
            counts[outcome] += 1
            if difference:
                lines.append(f"| {outcome} | {name} | {difference} |")
    print(f"Pillow {__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, libwebp {features.version('webp')}")
    for outcome, count in sorted(counts.items()):
        print(f"{count:6} {outcome}")
    if lines:
        print("\n| outcome | file | difference |\n|---|---|---|")
        print("\n".join(sorted(lines)))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
