#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# resources.sh NVCC ARCHITECTURE KERNELS_FOLDER: compiles every kernel and fails where one keeps registers or arrays in
# local memory, wants more static shared memory than any GPU gives a block, does not say how many threads its blocks have
# at most (__launch_bounds__), or needs more registers for those than there are: such a launch fails on a card only.
set -euo pipefail
nvcc=$1
architecture=$2
kernels=$3
shared_limit=$((48 * 1024))

report=$(mktemp)
parts=$(mktemp -d)
trap 'rm -rf "$report" "$parts"' EXIT
for file in "$kernels"/cuda/*.cu; do
    echo "file $(basename "$file")"
    "$nvcc" -std=c++17 -O3 -arch="sm_$architecture" -Xptxas -v -cubin -o /dev/null "$file" --keep --keep-dir "$parts" \
        -I"$kernels/cuda/native" -I"$kernels/include" -I"$kernels/base/include" 2>&1
    grep -hE '^(\.visible )?\.entry|^\.maxntid' "$parts"/*.ptx
    rm -f "$parts"/*
done >"$report" || { cat "$report"; exit 1; }

awk -v limit="$shared_limit" '
    function finish_file() { if (file && !in_file) { print file ": no kernel in it"; bad = 1 } }
    function blocks_fit(kernel) { # registers are given to a warp by the 256
        return int((registers_of[kernel] * 32 + 255) / 256) * 256 * int((bound[kernel] + 31) / 32) <= 65536
    }
    /^file / { finish_file(); file = $2; in_file = 0 }
    /\.entry / { entry = $0; sub(/.*\.entry /, "", entry); sub(/\(.*/, "", entry) }
    /^\.maxntid/ { bound[entry] = $2 + 0 }
    /Compiling entry function/ { name = $0; sub(/.*function ./, "", name); sub(/. for .*/, "", name); ++kernels; ++in_file }
    /bytes stack frame/ {
        if ($1 || $5 || $9) { print file ": " name ": " $0; bad = 1 }
        ++frames
    }
    /Used [0-9]+ registers/ {
        shared = 0
        for (i = 1; i < NF; ++i) if ($(i + 2) ~ /^smem/) shared = $i
        if (shared > limit) { print file ": " name ": " shared " bytes of shared memory"; bad = 1 }
        registers = $0; sub(/.*Used /, "", registers); sub(/ .*/, "", registers)
        registers_of[name] = registers + 0
        if (registers + 0 > most) most = registers + 0
        if (shared + 0 > most_shared) most_shared = shared + 0
        ++used
    }
    END {
        finish_file()
        for (kernel in registers_of) {
            if (!bound[kernel]) { print kernel ": no launch bound"; bad = 1 }
            else if (!blocks_fit(kernel)) { print kernel ": " registers_of[kernel] " registers for " bound[kernel] " threads"; bad = 1 }
        }
        if (frames != kernels || used != kernels) { print "the report of ptxas reads differently now"; bad = 1 }
        printf "%d kernels for sm_'"$architecture"', at most %d registers and %d bytes of static shared memory\n", kernels, most, most_shared
        exit bad || !kernels
    }' "$report"
