#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that needs a GPU, run for real and written down. Which steps there are, in which order and for how long, is in
# steps.table; what a step does, in step.sh; the report, in report.sh.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat <<TEXT
usage: tests/gpu/gpu_check.sh --out DIR [OPTION...]      or: make gpu-check DIR=DIR

Runs on a machine with an NVIDIA GPU: the card's limits, the network and PyTorch on the same card, the tests that use the
device, and compute-sanitizer on tiny networks. DIR/report.md is written after every step: the numbers, what failed, and
how to go on. What cannot run is skipped, with the reason.

      --out DIR           where report, logs and results go
      --build DIR         the build folder; default: build-gpu if it is there ('make gpu-bundle' makes it), else build
      --cache DIR         where compiled convolutions are kept, for all steps and later runs; default: choice-cache in the
                          build folder
      --minutes N         stop after N minutes; a step that is expected to take longer than is left is skipped. Default: no
                          limit
      --step-minutes N    no step takes longer than N minutes; default: each has a limit of its own
      --only PATTERN      only the steps whose names match this shell pattern, such as 'peers-bf16-*'
      --resume            go on where the run that left DIR ended: what passed is kept, the rest is run
      --seconds S         measure each batch size for S seconds; default 1
      --batches N,...     batch sizes of the sweep and of PyTorch; default 1,8,32,64,128,256,512,1024
      --python COMMAND    the Python that has PyTorch; default python3
      --tiny              tiny networks: tries the check itself, also on a simulated card; the numbers say nothing
      --list              print the steps with the times expected of them, and exit
  -h, --help              print this text

Exit code: 0 nothing failed, 1 something failed, 2 wrong usage, 3 everything was skipped: nothing is known.
TEXT
}
wrong() { echo "gpu_check.sh: $1; --help shows the options" >&2 && exit 2; }

SOURCE=$(cd "$here/../.." && pwd)
BUILD="" OUT="" CACHE="" PYTHON=python3 MEASURE=1 BATCHES=1,8,32,64,128,256,512,1024 TINY=""
minutes="" step_minutes="" only="*" list="" resume="" options=""
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --list) list=yes && shift && continue ;;
    --resume) resume=yes && shift && continue ;;
    --tiny) TINY=yes options+=" --tiny" && shift && continue ;;
    --out | --build | --cache | --minutes | --step-minutes | --only | --seconds | --batches | --python) ;;
    *) wrong "unknown argument '$1'" ;;
    esac
    if [ $# -lt 2 ] || [ -z "$2" ]; then wrong "$1 needs a value"; fi
    case $1 in
    --out) OUT=$2 ;;
    --build) BUILD=$2 ;;
    --cache) CACHE=$2 ;;
    --minutes) minutes=$2 ;;
    --step-minutes) step_minutes=$2 ;;
    --only) only=$2 ;;
    --seconds) MEASURE=$2 ;;
    --batches) BATCHES=$2 ;;
    --python) PYTHON=$2 ;;
    esac
    # What the report's commands repeat.
    case $1 in --build | --cache | --seconds | --batches | --python) options+=" $1 $(printf %q "$2")" ;; esac
    shift 2
done
number='^[0-9]*\.?[0-9]+$'
[[ ${minutes:-1} =~ $number ]] || wrong "--minutes '$minutes' is no number"
[[ ${step_minutes:-1} =~ $number ]] || wrong "--step-minutes '$step_minutes' is no number"
[[ $MEASURE =~ $number ]] || wrong "--seconds '$MEASURE' is no number"
[[ $BATCHES =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]] || wrong "--batches '$BATCHES' is no list of numbers"

# shellcheck source=tests/gpu/plan.sh
. "$here/plan.sh"
# shellcheck source=tests/gpu/report.sh
. "$here/report.sh"
declare -A result seconds

# ---- time ----

in_seconds() { awk -v minutes="$1" 'BEGIN { print int(60 * minutes + 0.5) }'; }
time_left() { if [ -n "$minutes" ]; then echo $(($(in_seconds "$minutes") - SECONDS)); else echo 999999; fi; }
limit_of() {
    local most=${limit[$1]} asked
    asked=$(in_seconds "${step_minutes:-9999}")
    echo $((asked < most ? asked : most))
}

# ---- one step ----

# A step's processes are known by a variable in their environment, so that none outlives it: not one that ignores SIGTERM,
# nor one in a session of its own.
end_stragglers() {
    local pid
    grep -laz "^GPU_CHECK_STEP=$1\$" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3 |
        while read -r pid; do kill -KILL "$pid" 2>/dev/null; done
}

# outcome EXIT_CODE LOG: what the report says of a step that ended by itself.
outcome() {
    local said
    said=$(sed -n 's/^result: //p' "$2" | tail -n 1 | tr '|\t' '/ ')
    case $1 in
    0) echo "passed${said:+: $said}" ;;
    77) echo "skipped: ${said:-for no reason given}" ;;
    *) echo "failed: ${said:-exit code $1}" ;;
    esac
}

# Why it cannot run now; empty when it can.
obstacle() {
    local left
    left=$(time_left)
    if [ "$1" != environment ] && [ -n "$NO_CARD" ]; then
        echo "$NO_CARD"
    elif [ "$left" -lt 1 ]; then
        echo "out of time"
    elif [ "$left" -lt "${expected[$1]}" ]; then
        echo "out of time: it takes about ${expected[$1]} s, and $left s were left"
    fi
}

run_step() { # $name, which stop() needs to know, too
    local log=$OUT/logs/$name.log start=$SECONDS most left late="failed: not done" code=0 why words
    why=$(obstacle "$name")
    if [ -n "$why" ]; then result[$name]="skipped: $why" && return; fi
    most=$(limit_of "$name")
    left=$(time_left)
    if [ "$left" -lt "$most" ]; then most=$left late="skipped: out of time"; fi
    read -ra words <<<"${command[$name]}" # a filter is no file name
    # In the background, so that a signal to this script is answered at once.
    GPU_CHECK_STEP=$$-$name STEP=$name timeout -k 5 "$most" bash "$here/step.sh" "${words[@]}" >"$log" 2>&1 </dev/null &
    running=$!
    wait "$running" || code=$?
    running=""
    end_stragglers "$$-$name"
    seconds[$name]=$((SECONDS - start))
    result[$name]=$(outcome $code "$log")
    if { [ $code -eq 124 ] || [ $code -eq 137 ]; } && [ "${seconds[$name]}" -ge "$most" ]; then
        result[$name]="$late after ${seconds[$name]} s"
    fi
}
stop() {
    if [ -n "$running" ]; then kill "$running" && sleep 1 && end_stragglers "$$-$name"; fi
    exit 1
}

# ---- all of them ----

# Why nothing can run here; empty when there is a card.
missing_card() {
    local answer
    if ! command -v nvidia-smi >/dev/null; then echo "no GPU: nvidia-smi was not found" && return; fi
    answer=$(timeout -k 5 30 nvidia-smi -L 2>&1) || answer=${answer:-nothing}
    if ! grep -q '^GPU ' <<<"$answer"; then echo "no GPU: nvidia-smi says: $(head -n 1 <<<"$answer")"; fi
}

read_steps "$here/steps.table"
if [ -n "$list" ]; then list_steps && exit 0; fi
[ -n "$OUT" ] || wrong "--out is needed: where the report goes"
mkdir -p "$OUT/logs" || exit 2
OUT=$(cd "$OUT" && pwd)
if [ -z "$BUILD" ]; then BUILD=$SOURCE/build && if [ -e "$SOURCE/build-gpu/bundle.txt" ]; then BUILD=$SOURCE/build-gpu; fi; fi
BUILD=$(realpath -m "$BUILD")
CACHE=$(realpath -m "${CACHE:-$BUILD/choice-cache}")
export SOURCE BUILD OUT CACHE PYTHON MEASURE BATCHES TINY
# What was packed need not be built.
if [ -e "$BUILD/bundle.txt" ]; then expected[build]=2 limit[build]=30; fi
started=$(date -u '+%Y-%m-%d %H:%M UTC')
for name in "${steps[@]}"; do result[$name]="skipped: the check ended before it" seconds[$name]=""; done
if [ -n "$resume" ] && [ -s "$OUT/results.tsv" ]; then read_results "$OUT/results.tsv"; fi
NO_CARD=$(missing_card)
export NO_CARD
running=""
trap stop INT TERM
write_report || exit 2
for name in "${steps[@]}"; do
    # shellcheck disable=SC2053 # a pattern
    if [[ $name != $only ]]; then
        if [ -z "$resume" ]; then result[$name]="skipped: not asked for"; fi
        continue
    fi
    if [ -n "$resume" ] && [[ ${result[$name]} == passed* && $name != environment ]]; then continue; fi
    run_step
    printf '%-30s %s\n' "$name" "${result[$name]}"
    write_report || exit 1
done
write_report || exit 1
echo "$(count passed) passed, $(count failed) failed, $(count skipped) skipped; $OUT/report.md"
if [ "$(count failed)" -gt 0 ]; then exit 1; fi
if [ "$(count passed)" -eq 0 ]; then exit 3; fi
