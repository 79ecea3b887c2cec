#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage.py BUILD: lines and branches of the library and the program that the tests of BUILD have run, per folder.

BUILD was compiled by gcc with --coverage (make coverage). Needs gcov, which comes with gcc, and nothing else. Exits with
1 if a folder of REQUIRED has less than that.
"""
import collections
import json
import os
import subprocess
import sys

# What reads other people's files, what proves that plans are free of races, and what runs them: percent of lines and of
# branches. The aim is 100 % of lines; of branches, those of guards against what cannot happen are never taken.
REQUIRED = {
    "host/data": (99.9, 93),
    "host/detect": (99.8, 92),
    "host/formats": (99.5, 90),
    "host/model": (100, 91),
    "runtime/check": (100, 97),
    "runtime/session": (100, 90),
}
# Without the simulated CUDA nothing is copied beside computing, and a session's lines for that are not run.
NEEDS_CUDA = {"runtime/session"}

SOURCES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def reports(build):
    """gcov's report of each object of the library, however many tests were run."""
    for folder, _, names in os.walk(build):
        notes = [name for name in names if name.endswith(".gcno")]
        if notes and "/tests/" not in folder + "/" and "CompilerId" not in folder:
            # By name: without counts, all lines of the object were not run.
            command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", "--object-directory", ".", *notes]
            text = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            for line in text.splitlines():
                if line.strip():
                    yield json.loads(line)


def count(build):
    lines, branches = collections.Counter(), collections.Counter()
    for report in reports(build):
        for file in report["files"]:
            path = os.path.relpath(os.path.join(report["current_working_directory"], file["file"]), SOURCES)
            if path.startswith("..") or not path.endswith(".c"):
                continue
            for line in file["lines"]:
                lines[path, line["line_number"]] += line["count"]
                for i, branch in enumerate(line["branches"]):
                    branches[path, line["line_number"], i] += branch["count"]
    return lines, branches


def per_folder(counts):
    run, all_of_them = collections.Counter(), collections.Counter()
    for (path, *_), times in counts.items():
        for folder in (os.path.dirname(path), "all"):
            all_of_them[folder] += 1
            run[folder] += times > 0
    return run, all_of_them


def percent(run, total):
    return f"{100 * run / total:6.1f} %" if total else "       -"


def places(lines, folder):
    """The first lines of a folder that were not run: "path:line ..."."""
    most = 20
    all_of_them = [f"{path}:{line}" for (path, line), times in sorted(lines.items())
                   if os.path.dirname(path) == folder and not times]
    return " ".join(all_of_them[:most] + (["..."] if len(all_of_them) > most else []))


def shortfalls(lines, branches):
    """A message for each folder with less than is required."""
    has_cuda = any(times and path.startswith("runtime/cuda/streams/") for (path, _), times in lines.items())
    lines_run, lines_all = per_folder(lines)
    branches_run, branches_all = per_folder(branches)
    for folder, (of_lines, of_branches) in REQUIRED.items():
        if folder in NEEDS_CUDA and not has_cuda:
            print(f"{folder}: not checked, because no test ran on the simulated CUDA")
            continue
        if 100 * lines_run[folder] < of_lines * lines_all[folder] or not lines_all[folder]:
            yield f"{folder}: {of_lines} % of its lines must be run; these are not: {places(lines, folder)}"
        if 100 * branches_run[folder] < of_branches * branches_all[folder]:
            yield (f"{folder}: {of_branches} % of its branches must be run, and"
                   f"{percent(branches_run[folder], branches_all[folder])} are")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lines, branches = count(sys.argv[1])
    if not lines:
        sys.exit(f"{sys.argv[1]}: nothing in it was compiled with --coverage")
    lines_run, lines_all = per_folder(lines)
    branches_run, branches_all = per_folder(branches)
    print(f"{'folder':32} {'lines':>8} {'run':>8} {'branches':>9} {'run':>8}")
    for folder in sorted(lines_all, key=lambda name: (name == "all", name)):
        print(f"{folder:32} {lines_all[folder]:8} {percent(lines_run[folder], lines_all[folder])} "
              f"{branches_all[folder]:9} {percent(branches_run[folder], branches_all[folder])}")
    missing = list(shortfalls(lines, branches))
    if missing:
        sys.exit("\n".join(missing))


main()
