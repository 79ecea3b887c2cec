#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# program.sh KERNEL_BENCH: exit codes, on a machine without a visible GPU.
set -uo pipefail
bench=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect CODE STDOUT-PATTERN STDERR-PATTERN ARGUMENT...: an empty pattern means no output.
expect() {
    local code=$1 out=$2 err=$3 got
    shift 3
    "$bench" "$@" >"$folder/out" 2>"$folder/err"
    got=$?
    [ "$got" -eq "$code" ] || { echo "kernel_bench $*: exit code $got, not $code"; failed=1; }
    check "$folder/out" "$out" "$*"
    check "$folder/err" "$err" "$*"
}
check() {
    if [ -z "$2" ]; then
        [ ! -s "$1" ] || { echo "kernel_bench $3: unexpected: $(cat "$1")"; failed=1; }
    else
        grep -q -- "$2" "$1" || { echo "kernel_bench $3: no \"$2\" in: $(cat "$1")"; failed=1; }
    fi
}

expect 0 'examples:' '' --help
expect 1 '' 'there is no GPU' --batch 1
expect 2 '' 'not an option: --nonsense' --nonsense
expect 2 '' 'takes numbers' --batch 0
exit "$failed"
