#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# resources.sh NVCC ARCHITECTURE KERNELS_FOLDER: compiles every kernel and fails where one keeps registers or arrays in
# local memory, or wants more static shared memory than any GPU gives a block.
set -euo pipefail
nvcc=$1
architecture=$2
kernels=$3
shared_limit=$((48 * 1024))

report=$(mktemp)
trap 'rm -f "$report"' EXIT
for file in "$kernels"/cuda/*.cu; do
    echo "file $(basename "$file")"
    "$nvcc" -std=c++17 -O3 -arch="sm_$architecture" -Xptxas -v -cubin -o /dev/null "$file" \
        -I"$kernels/cuda/native" -I"$kernels/include" -I"$kernels/base/include" 2>&1
done >"$report" || { cat "$report"; exit 1; }

awk -v limit="$shared_limit" '
    function finish_file() { if (file && !in_file) { print file ": no kernel in it"; bad = 1 } }
    /^file / { finish_file(); file = $2; in_file = 0 }
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
        if (registers + 0 > most) most = registers + 0
        if (shared + 0 > most_shared) most_shared = shared + 0
        ++used
    }
    END {
        finish_file()
        if (frames != kernels || used != kernels) { print "the report of ptxas reads differently now"; bad = 1 }
        printf "%d kernels for sm_'"$architecture"', at most %d registers and %d bytes of static shared memory\n", kernels, most, most_shared
        exit bad || !kernels
    }' "$report"
