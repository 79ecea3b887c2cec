#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# real_report.sh BUILD [--download [SUITE]]: Nsight Systems records the program on the CPU, and profile --nsys reads the
# report. With nsys from PATH, or from BUILD/nsys, where --download extracts it from Debian's non-free packages (bookworm
# has 2022.4, trixie 2023.4; 170 MB and more; nothing is installed). Ends with 77, skipped, where there is none.
set -euo pipefail
build=$(realpath "$1")
download=${2:-}
suite=${3:-bookworm}
cd "$(dirname "$0")/../.."
model=$PWD/models/pretrained/googlenet-fashion-64.safetensors
program=$build/tributary

skip() { echo "skipped: $1" && exit 77; }
fail() { echo "FAILED: $1" && exit 1; }

# ---- nsys ----

# Debian's signed lists, of this suite alone, beside the system's own.
fetch() { # FOLDER
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg packages="nsight-systems nsight-systems-target libssh-4"
    if ! command -v apt-get >/dev/null || ! [ -f $keys ]; then skip "nsys: no apt-get, or no $keys"; fi
    mkdir -p "$1"/{none,lists/partial,cache/archives/partial,packages}
    echo "deb [signed-by=$keys] ${DEBIAN_MIRROR:-http://deb.debian.org/debian} $suite main non-free" >"$1/sources.list"
    printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "%s";\nDir::State::Lists "%s";\nDir::Cache "%s";\n' \
        "$1/sources.list" "$1/none" "$1/lists" "$1/cache" >"$1/apt.conf"
    # shellcheck disable=SC2086 # a list of words
    (cd "$1/packages" && export APT_CONFIG=$1/apt.conf && apt-get update -qq && apt-get download -qq $packages) ||
        skip "nsys: Debian's $suite cannot be had here"
    for package in "$1"/packages/*.deb; do dpkg -x "$package" "$1/root"; done
    rm -r "$1"/{none,lists,cache,packages}
}

# What the extracted parts need to find each other: the importer beside the collector, and libssh by a short name.
join() { # FOLDER
    local collector importer
    collector=$(dirname "$(find "$1/root" -type f -name nsys -path '*target-linux*' | head -1)")
    importer=$(find "$1/root" -type d -name 'host-linux-x64' | head -1)
    if ! [ -d "$collector" ] || ! [ -d "$importer" ]; then fail "the packages in $1 have no nsys"; fi
    [ -e "$(dirname "$collector")/host-linux-x64" ] || ln -s "$importer" "$(dirname "$collector")/host-linux-x64"
    mkdir -p "$1/lib" "$1/bin"
    ln -sf "$(find "$1/root" -name libssh.so.4)" "$1/lib/libssh.so"
    printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' \
        "$1/lib:$(dirname "$(find "$1/root" -name libssh.so.4)")" "$collector/nsys" >"$1/bin/nsys"
    chmod +x "$1/bin/nsys"
}

if ! command -v nsys >/dev/null; then
    folder=$build/nsys/$suite
    for there in "$build"/nsys/*; do
        if [ -z "$download" ] && [ -x "$there/bin/nsys" ]; then folder=$there; fi
    done
    if [ "$download" = --download ] && ! [ -x "$folder/bin/nsys" ]; then fetch "$folder" && join "$folder"; fi
    [ -x "$folder/bin/nsys" ] || skip "no nsys on PATH or in $folder; $0 BUILD --download fetches Debian's"
    PATH=$folder/bin:$PATH
fi
nsys --version | head -1

# ---- a report ----

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
# A clean environment, but for a word that must not be printed.
env -i PATH="$PATH" HOME="$work" TMPDIR="$work" SECRET_OF_THE_TEST=zebra-4711 \
    nsys profile --trace=nvtx --sample=none --cpuctxsw=none -o "$work/run" \
    "$program" bench "$model" -b 2 --device cpu --schedule branches --iterations 20 --rate device >"$work/log" 2>&1 ||
    { cat "$work/log" && fail "nsys profile"; }
[ -f "$work/run.nsys-rep" ] || { cat "$work/log" && fail "nsys made no report"; }
env -i PATH="$PATH" HOME="$work" TMPDIR="$work" nsys export -t sqlite -o "$work/run.sqlite" "$work/run.nsys-rep" >"$work/log" 2>&1 ||
    { cat "$work/log" && fail "nsys export"; }

# ---- read back ----

"$program" profile --nsys "$work/run.sqlite" | tee "$work/text"
for text in 'ops on the threads of a CPU' ', CPU: ' inception_3a inception_5b ' of 4 '; do
    grep -q -- "$text" "$work/text" || fail "the text does not have '$text'"
done
! grep -q 'left out\|nothing is shown' "$work/text" || fail "runs or ops are left out"
! grep -q zebra "$work/text" || fail "the environment is printed"
HOME=$work TMPDIR=$work "$program" profile --nsys "$work/run.nsys-rep" >"$work/exported"
cmp "$work/text" "$work/exported" || fail "the report and its export are read differently"
python3 - "$work/run.sqlite" "$work/text" <<'PYTHON' || fail "other ops than the export has"
import sqlite3
import sys
rows = sqlite3.connect(sys.argv[1]).execute(
    "SELECT count(*) FROM NVTX_EVENTS WHERE eventType = 59 AND category > 0 AND end IS NOT NULL").fetchone()
text = open(sys.argv[2]).read()
print("the export has", rows[0], "ranges of ops")
sys.exit(f"; {rows[0]} ops on the threads" not in text)
PYTHON
echo "a report of $(nsys --version | head -1) is read back"
