#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run_case.sh PROGRAM MODELS CASE: runs one script of cases/ in a new empty folder, removed afterwards.
# The script sees $model (the shipped model), $samples (a folder of images), and the functions below. Its first
# expectation that is not met ends it with exit code 1 and what was seen.
set -u
LC_ALL=C
export LC_ALL
program=$1
model=$2/googlenet-fashion-64.safetensors
samples=$2/samples
case_file=$3
folder=$(mktemp -d "${TMPDIR:-/tmp}/tributary-cli-XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
# The sanitizers' own exit codes must not look like ours.
ASAN_OPTIONS=${ASAN_OPTIONS:-}:exitcode=99
UBSAN_OPTIONS=${UBSAN_OPTIONS:-}:exitcode=99
export ASAN_OPTIONS UBSAN_OPTIONS
# Nothing is read from the user's own cache, nor written to it.
TRIBUTARY_CACHE_DIR=$folder/.cache
export TRIBUTARY_CACHE_DIR
cd "$folder" || exit 1

code=none
last=none
# run ARGUMENT...: the program; its output is in ./out, its messages in ./err, its exit code in $code.
run() {
    last="tributary $*"
    code=0
    "$program" "$@" >out 2>err </dev/null || code=$?
}
fail() {
    printf 'FAILED: %s\n  after: %s\n  exit code %s\n--- out (first lines)\n' "$1" "$last" "$code"
    head -20 out 2>/dev/null
    printf '%s\n' '--- err'
    head -20 err 2>/dev/null
    exit 1
}
expect_code() { [ "$code" = "$1" ] || fail "exit code $1 expected"; }
# Fixed texts, anywhere in what was written.
expect_out() { grep -qF -e "$1" out || fail "'$1' expected on standard output"; }
expect_err() { grep -qF -e "$1" err || fail "'$1' expected on standard error"; }
expect_no_out() { [ ! -s out ] || fail "nothing expected on standard output"; }
expect_no_err() { [ ! -s err ] || fail "nothing expected on standard error"; }
expect_same() { cmp "$1" "$2" || fail "$1 and $2 expected to be the same"; }
# expect_exact NAME: standard output is exact/NAME.stdout.exact beside the script. `make rewrite-exact` writes these files
# anew; what changed is then for the eye and for git diff.
expect_exact() {
    exact=${case_file%/*}/exact/$1.stdout.exact
    if [ -n "${TRIB_REWRITE_EXACT:-}" ]; then cp out "$exact"; fi
    diff -u "$exact" out || fail "exactly exact/$1.stdout.exact expected; make rewrite-exact accepts what is printed now"
}
# The same but for numbers, which differ by at most 0.0001: other batch sizes and threads may add up in another order.
expect_close() {
    awk -F, 'BEGIN { number = "^-?[0-9]+[.e][-+.e0-9]*$" }
        NR == FNR { a[FNR] = $0; n = FNR; next }
        { m = split(a[FNR], f, ","); if (m != NF) bad = 1
          for (i = 1; i <= NF; ++i) {
              if ($i ~ number && f[i] ~ number) { d = $i - f[i]; if (!(d <= 1e-4 && d >= -1e-4)) bad = 1 }
              else if ($i "" != f[i] "") bad = 1
          } }
        END { exit bad || n != FNR || n == 0 }' "$1" "$2" || fail "$1 and $2 expected to be close"
}
expect_lines() { [ "$(wc -l <"$2")" -eq "$1" ] || fail "$1 lines expected in $2"; }
# ok ARGUMENT..., fails CODE TEXT ARGUMENT...: run with the usual expectations.
ok() {
    run "$@"
    expect_code 0
}
fails() {
    wanted=$1 text=$2
    shift 2
    run "$@"
    expect_code "$wanted"
    expect_err "$text"
}
# byte VALUE...: bytes, given in decimal.
byte() { for value in "$@"; do printf "\\$(printf %03o "$value")"; done; }
# fill COUNT VALUE: the same byte over and over.
fill() { head -c "$1" /dev/zero | tr '\000' "\\$(printf %03o "$2")"; }

. "$case_file"
