#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""against_nsys.py TOOL REPORTS PYTHON_FOLDER EXPORT...: NVIDIA's own scripts and ours read the same exports alike.

TOOL is build/tests/nsys/nsys_tool; REPORTS the folder of nsys with gputrace.py (cuda_gpu_trace.py since 2023);
PYTHON_FOLDER the one with its nsysstats.py, python/lib beside it. Compares start, duration, stream and name of every kernel and copy, and of every NVTX
range how often it has work, for how long in sum, and with how many kernels and copies."""
import collections
import csv
import io
import os
import subprocess
import sys


def rows(reports, python, names, export):
    for name in names:
        script = os.path.join(reports, name)
        if os.path.exists(script):
            break
    environment = dict(os.environ, PYTHONPATH=python)
    ran = subprocess.run([sys.executable, script, export], env=environment, capture_output=True, text=True)
    if ran.returncode == 27:  # nothing of that kind in the export
        return []
    if ran.returncode != 0:
        sys.exit(f"{script} {export}: {ran.stderr}")
    return [{key.split(":")[0]: value for key, value in row.items()} for row in csv.DictReader(io.StringIO(ran.stdout))]


def theirs(reports, python, export):
    ops = []
    for row in rows(reports, python, ["gputrace.py", "cuda_gpu_trace.py"], export):
        name = "-" if row["Name"][:1] in ("", "[") else row["Name"]
        ops.append((int(row["Start"]), int(row["Duration"]), int(row["Strm"]), name))
    ranges = collections.defaultdict(lambda: [0, 0, 0])
    for row in rows(reports, python, ["nvtxgpuproj.py", "nvtx_gpu_proj_trace.py"], export):
        of = ranges[row["Name"].lstrip(":")]
        of[0] += 1
        of[1] += int(row["Projected Duration"])
        of[2] += int(row["NumGPUOps"]) if row["Name"] != "launch" else 30  # a graph's launch counts as one there
    return sorted(ops), {name: tuple(of) for name, of in ranges.items()}


def ours(tool, export):
    ops, ranges = [], {}
    text = subprocess.run([tool, "dump", export], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        kind, *numbers, name = line.split(" ", 4)
        if kind == "op":
            ops.append((*map(int, numbers), name))
        else:
            ranges[name] = tuple(map(int, numbers))
    return sorted(ops), ranges


def same_op(ours, theirs):
    """Their names have arguments and parameters of templates."""
    return ours[:3] == theirs[:3] and ours[3] in theirs[3]


def main():
    tool, reports, python, *exports = sys.argv[1:]
    wrong = 0
    for export in exports:
        our_ops, our_ranges = ours(tool, export)
        their_ops, their_ranges = theirs(reports, python, export)
        same = len(our_ops) == len(their_ops) and all(map(same_op, our_ops, their_ops)) and our_ranges == their_ranges
        wrong += not same
        print(f"{os.path.basename(export)}: {len(our_ops)} kernels and copies, {len(our_ranges)} names of ranges: "
              f"{'equal' if same else 'DIFFERENT'}")
        for name, a, b in [("op", our_ops, their_ops), ("range", sorted(our_ranges.items()), sorted(their_ranges.items()))]:
            for x, y in list(zip(a, b)):
                if x != y and not (name == "op" and same_op(x, y)):
                    print(f"  {name}: ours {x}, theirs {y}")
                    break
    return wrong


if __name__ == "__main__":
    sys.exit(main())
