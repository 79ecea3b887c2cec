#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that needs a GPU, run for real and written down: the steps, their order, their time, and the report.
# What a step does is in step.sh.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat <<TEXT
usage: tests/gpu/gpu_check.sh --out DIR [OPTION...]      or: make gpu-check DIR=DIR

Runs on a machine with an NVIDIA GPU: the tests that use the device, compute-sanitizer on tiny networks, benchmarks, and
PyTorch on the same card. DIR/report.md is written after every step. What cannot run is skipped, with the reason.

      --out DIR           where report, logs and results go
      --build DIR         the build folder; default: build-gpu if it is there ('make gpu-bundle' makes it), else build
      --minutes N         stop after N minutes; the steps that are left are skipped. Default: no limit
      --step-minutes N    a step that takes longer has failed; default 15
      --only PATTERN      only the steps whose names match this shell pattern, such as 'network-bf16-*'
      --seconds S         measure each batch size for S seconds; default 1
      --batches N,...     batch sizes of the sweep and of PyTorch; default 1,8,32,64,128,256,512,1024
      --python COMMAND    the Python that has PyTorch; default python3
      --list              print the names of the steps, and exit
  -h, --help              print this text

Exit code: 0 nothing failed, 1 something failed, 2 wrong usage, 3 everything was skipped: nothing is known.
TEXT
}
wrong() { echo "gpu_check.sh: $1; --help shows the options" >&2 && exit 2; }

SOURCE=$(cd "$here/../.." && pwd)
BUILD="" OUT="" PYTHON=python3 MEASURE=1 BATCHES=1,8,32,64,128,256,512,1024
minutes="" step_minutes=15 only="*" list=""
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --list) list=yes && shift && continue ;;
    --out | --build | --minutes | --step-minutes | --only | --seconds | --batches | --python) ;;
    *) wrong "unknown argument '$1'" ;;
    esac
    if [ $# -lt 2 ] || [ -z "$2" ]; then wrong "$1 needs a value"; fi
    case $1 in
    --out) OUT=$2 ;;
    --build) BUILD=$2 ;;
    --minutes) minutes=$2 ;;
    --step-minutes) step_minutes=$2 ;;
    --only) only=$2 ;;
    --seconds) MEASURE=$2 ;;
    --batches) BATCHES=$2 ;;
    --python) PYTHON=$2 ;;
    esac
    shift 2
done
number='^[0-9]*\.?[0-9]+$'
[[ ${minutes:-1} =~ $number ]] || wrong "--minutes '$minutes' is no number"
[[ $step_minutes =~ $number ]] || wrong "--step-minutes '$step_minutes' is no number"
[[ $MEASURE =~ $number ]] || wrong "--seconds '$MEASURE' is no number"
[[ $BATCHES =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]] || wrong "--batches '$BATCHES' is no list of numbers"

# ---- the steps, in the order of what is worth knowing first ----

steps=()
declare -A command result seconds
step() { # NAME KIND ARGUMENT...: see step.sh
    steps+=("$1")
    command[$1]="${*:2}"
    result[$1]="skipped: the check ended before it"
    seconds[$1]=""
}
plan() {
    local executable filter tool precision schedule launch mode
    set -f # filters are no file names
    step environment environment
    step build build
    while read -r executable filter; do step "$(basename "$executable")" test "$executable" "$filter"; done < <(grep '^[^#]' "$here/tests.list")
    for tool in memcheck racecheck initcheck synccheck; do
        step "$tool-bvlc" sanitize $tool bvlc fp32
        step "$tool-torchvision" sanitize $tool torchvision bf16
    done
    step limits limits
    step first network bf16 best graph 1,32,256
    step kernels kernels
    for precision in bf16 fp16 tf32 fp32; do
        for schedule in fused branches serial; do
            for launch in graph eager; do
                step "network-$precision-$schedule-$launch" network $precision $schedule $launch "$BATCHES"
            done
        done
    done
    for mode in eager graph compile; do
        for precision in bf16 fp16 tf32 fp32; do step "peers-$precision-$mode" peers $precision $mode "$BATCHES"; done
    done
}

# ---- running them ----

in_seconds() { awk -v minutes="$1" 'BEGIN { print int(60 * minutes + 0.5) }'; }
time_left() { if [ -n "$minutes" ]; then echo $(($(in_seconds "$minutes") - SECONDS)); else echo 999999; fi; }

# outcome EXIT_CODE LOG: what the report says of a step that ended by itself.
outcome() {
    local said
    said=$(sed -n 's/^result: //p' "$2" | tail -n 1 | tr '|' '/')
    case $1 in
    0) echo "passed${said:+: $said}" ;;
    77) echo "skipped: ${said:-for no reason given}" ;;
    *) echo "failed: ${said:-exit code $1}" ;;
    esac
}

run_step() {
    local name=$1 log=$OUT/logs/$1.log start=$SECONDS limit left late="failed: not done" code=0
    if [ "$name" != environment ] && [ -n "$NO_CARD" ]; then result[$name]="skipped: $NO_CARD" && return; fi
    limit=$(in_seconds "$step_minutes")
    left=$(time_left)
    if [ "$left" -lt 1 ]; then result[$name]="skipped: out of time" && return; fi
    if [ "$left" -lt "$limit" ]; then limit=$left late="skipped: out of time"; fi
    # In the background, so that a signal to this script is answered at once. SC2086: a list of words.
    # shellcheck disable=SC2086
    timeout -k 10 "$limit" bash "$here/step.sh" ${command[$name]} >"$log" 2>&1 </dev/null &
    running=$!
    wait "$running" || code=$?
    running=""
    seconds[$name]=$((SECONDS - start))
    result[$name]=$(outcome $code "$log")
    if { [ $code -eq 124 ] || [ $code -eq 137 ]; } && [ "${seconds[$name]}" -ge "$limit" ]; then
        result[$name]="$late after ${seconds[$name]} s"
    fi
}

count() { local n=0 name; for name in "${steps[@]}"; do if [[ ${result[$name]} == $1* ]]; then n=$((n + 1)); fi; done; echo $n; }

# Written anew after every step, and moved into place whole: a run that is cut leaves what it knew.
write_report() {
    local name log
    {
        echo "# GPU check, $started"
        echo
        echo "$(count passed) passed, $(count failed) failed, $(count skipped) skipped. Machine, card and versions: environment.txt"
        echo
        echo "| step | result | seconds | log |"
        echo "|---|---|---|---|"
        for name in "${steps[@]}"; do
            log=""
            if [ -n "${seconds[$name]}" ]; then log=logs/$name.log; fi
            echo "| $name | ${result[$name]} | ${seconds[$name]} | $log |"
        done
    } >"$OUT/report.md.new" && mv "$OUT/report.md.new" "$OUT/report.md"
}

# Why nothing can run here; empty when there is a card.
missing_card() {
    local answer
    if ! command -v nvidia-smi >/dev/null; then echo "no GPU: nvidia-smi was not found" && return; fi
    answer=$(nvidia-smi -L 2>&1)
    if ! grep -q '^GPU ' <<<"$answer"; then echo "no GPU: nvidia-smi says: $(head -n 1 <<<"$answer")"; fi
}

plan
if [ -n "$list" ]; then printf '%s\n' "${steps[@]}" && exit 0; fi
[ -n "$OUT" ] || wrong "--out is needed: where the report goes"
mkdir -p "$OUT/logs" || exit 2
OUT=$(cd "$OUT" && pwd)
if [ -z "$BUILD" ]; then BUILD=$SOURCE/build && if [ -e "$SOURCE/build-gpu/bundle.txt" ]; then BUILD=$SOURCE/build-gpu; fi; fi
BUILD=$(realpath -m "$BUILD")
export SOURCE BUILD OUT PYTHON MEASURE BATCHES
started=$(date -u '+%Y-%m-%d %H:%M UTC')
NO_CARD=$(missing_card)
export NO_CARD
running=""
trap 'if [ -n "$running" ]; then kill "$running"; fi; exit 1' INT TERM
write_report || exit 2
for name in "${steps[@]}"; do
    # shellcheck disable=SC2053 # a pattern
    if [[ $name != $only ]]; then result[$name]="skipped: not asked for"; else run_step "$name"; fi
    if [ "${result[$name]}" != "skipped: not asked for" ]; then printf '%-34s %s\n' "$name" "${result[$name]}"; fi
    write_report || exit 1
done
echo "$(count passed) passed, $(count failed) failed, $(count skipped) skipped; $OUT/report.md"
if [ "$(count failed)" -gt 0 ]; then exit 1; fi
if [ "$(count passed)" -eq 0 ]; then exit 3; fi
