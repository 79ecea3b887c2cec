#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# step.sh KIND ARGUMENT...: one step of gpu_check.sh, which exports the capitals; STEP is its name. Exit code 0: passed, 77:
# skipped, any other: failed. The last line "result: TEXT" is what the report says of it.
set -uo pipefail
# shellcheck source=tests/gpu/libraries.sh
. "$SOURCE/tests/gpu/libraries.sh"
# shellcheck source=tests/gpu/plan.sh
. "$SOURCE/tests/gpu/plan.sh"
# At its limit a step's programs are asked to end; this script waits for them.
trap 'exit 143' TERM
# What the step's program prints, if the step reads it. Global: at exit no function's variables are left.
output=""
trap 'if [ -n "$output" ]; then rm -f "$output"; fi' EXIT
# One folder for everybody's compiled convolutions: the tests have a file of their own, with shapes of their own.
mkdir -p "$CACHE"
export TRIBUTARY_CACHE_DIR=$CACHE TRIB_TEST_CHOICE_CACHE=$CACHE/tests.txt

note() { echo "result: $*"; }
skip() { note "$*" && exit 77; }
fail() { note "$*" && exit 1; }

# program PATH: built, and its libraries are here; or else the step is skipped.
program() {
    [ -x "$BUILD/$1" ] || skip "$1 is not built"
    use_libraries "$BUILD" "$PYTHON" "$BUILD/$1"
    [ -z "$libraries_missing" ] || skip "$1 needs what was not found: $libraries_missing"
}

all_programs() { programs "$SOURCE/tests/gpu/steps.table"; }
kernel_bench() { find "$BUILD" -name kernel_bench -type f -perm -u+x -printf '%P\n' | head -n 1; }
# Of these sources, if they are a clone of their own.
sources() {
    [ "$(git -C "$SOURCE" rev-parse --show-toplevel 2>/dev/null)" = "$SOURCE" ] || return
    git -C "$SOURCE" describe --always --dirty --abbrev=12 2>/dev/null
}
packed() { sed -n '1s/,.*//p' "$BUILD/bundle.txt" 2>/dev/null; }
# A bundle's sources may have come in a repository of another history.
commit() { packed || sources || echo unknown; }

# ---- environment ----

# Importing PyTorch takes ten seconds on a fresh machine; its version does not.
python_packages() {
    "$PYTHON" - <<'TEXT'
import sys
from importlib import metadata
print("Python", sys.version.split()[0])
for d in metadata.distributions():
    name = d.metadata["Name"] or ""
    if name in ("torch", "triton", "numpy") or name.startswith("nvidia-"): print(name, d.version)
TEXT
}
environment() {
    date -u
    uname -a
    echo "commit $(commit)"
    nvidia-smi
    nvidia-smi -q
    nvcc --version || /usr/local/cuda/bin/nvcc --version
    python_packages
    lscpu
    free -g
}
step_environment() {
    environment >"$OUT/environment.txt" 2>&1
    cat "$OUT/environment.txt"
    [ -z "$NO_CARD" ] || skip "$NO_CARD"
    note "$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | paste -sd';'), commit $(commit)"
}

# ---- build ----

lacking() { for p in $(all_programs); do if ! [ -x "$BUILD/$p" ]; then echo "$p"; fi; done | paste -sd' '; }

# A build folder that was made elsewhere cannot be built again here, and is used as it is.
copied() {
    if [ -e "$BUILD/bundle.txt" ]; then return 0; fi
    local home
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$BUILD/CMakeCache.txt" 2>/dev/null)
    [ -n "$home" ] && [ "$home" != "$SOURCE" ]
}
check_copy() {
    local differ first
    [ -z "$(lacking)" ] || fail "the copied folder $BUILD lacks $(lacking)"
    if [ -e "$BUILD/sources.sha256" ]; then
        differ=$(cd "$SOURCE" && LC_ALL=C sha256sum -c --quiet "$BUILD/sources.sha256" 2>/dev/null)
        if [ -n "$differ" ]; then
            first=$(awk -F ': FAILED' 'NR <= 3 { print $1 }' <<<"$differ" | paste -sd' ')
            fail "$(wc -l <<<"$differ") files are not those that $BUILD was packed from ($(packed)): $first; make gpu-bundle again, or --build another folder"
        fi
    fi
    note "copied from $(packed), not built here"
}

# For this machine's cards, without GoogleTest if need be, and with libraries that are in Python's packages or in the bundle.
configure() {
    local cards flags=(-DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DTRIB_GTEST=AUTO -DTRIB_CUDA=ON)
    cards=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | tr -d '. ' | sort -u | paste -sd';')
    if [[ $cards =~ ^[0-9]+(\;[0-9]+)*$ ]]; then flags+=("-DTRIB_CUDA_ARCHITECTURES=$cards"); fi
    if command -v ninja >/dev/null && ! [ -e "$BUILD/CMakeCache.txt" ]; then flags+=(-G Ninja); fi
    if command -v "$PYTHON" >/dev/null; then flags+=("-DTRIB_PYTHON=$(command -v "$PYTHON")"); fi
    if [ -e "$SOURCE/build-gpu/include/cjson" ]; then flags+=("-DCJSON_ROOT=$SOURCE/build-gpu"); fi
    if ! command -v nvcc >/dev/null && [ -x /usr/local/cuda/bin/nvcc ]; then export CUDACXX=${CUDACXX:-/usr/local/cuda/bin/nvcc}; fi
    (set -x && cmake -S "$SOURCE" -B "$BUILD" "${flags[@]}")
}
step_build() {
    if copied; then check_copy && exit 0; fi
    command -v cmake >/dev/null || fail "no cmake: docker/install-dependencies.sh build test cuda, or bring what make gpu-bundle packs"
    local wanted known targets=()
    configure || fail "cmake failed"
    known=$(cmake --build "$BUILD" --target help)
    for wanted in $(all_programs | xargs -n 1 basename) kernel_bench; do
        if grep -qw "$wanted" <<<"$known"; then targets+=("$wanted"); fi
    done
    cmake --build "$BUILD" --parallel "$(nproc)" --target "${targets[@]}" || fail "the build failed"
    [ -x "$BUILD/tributary" ] || fail "built, but without tributary"
    note "built here${targets:+: ${targets[*]}}$(if [ -n "$(lacking)" ]; then echo "; without $(lacking) (is GoogleTest missing?)"; fi)"
}

# ---- tests ----

# Passed means that tests ran: none at all is a failure, and all of them skipped is skipped.
step_test() { # EXECUTABLE FILTER ["long"]
    program "$1"
    local code=0 passed skipped filter=$2${TINY:+-*_161:*_224:*Training5*/torchvision}
    if [ "${3:-}" = long ] && [ -z "$TINY" ]; then export TRIB_TEST_LONG=1; fi
    output=$(mktemp)
    export TRIB_TEST_DATA=$SOURCE/tests/data TRIB_TEST_DEVICE=cuda
    "$BUILD/$1" --gtest_filter="$filter" --gtest_color=no 2>&1 | tee "$output" || code=$?
    passed=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?.*/\1/p' "$output")
    skipped=$(sed -nE 's/^\[  SKIPPED \] ([0-9]+) tests?, listed.*/\1/p' "$output")
    [ $code -eq 0 ] || fail "exit code $code, $(grep -c '^\[  FAILED  \] .*(.* ms)$' "$output") tests failed"
    [ -n "$passed" ] || fail "it ended without a summary"
    if [ "$passed" -eq 0 ] && [ -n "$skipped" ]; then skip "all $skipped tests were skipped: $(grep -m 1 -A 1 'Skipped$' "$output" | tail -n 1)"; fi
    [ "$passed" -gt 0 ] || fail "no test ran on the device"
    note "$passed tests${skipped:+, $skipped skipped}"
}

sanitizer() {
    local folder
    command -v compute-sanitizer && return
    for folder in "${CUDA_HOME:-/usr/local/cuda}"/{bin,compute-sanitizer}; do
        if [ -x "$folder/compute-sanitizer" ]; then echo "$folder/compute-sanitizer" && return; fi
    done
    return 1
}

# Our kernels as the compiler mangles them, _Z10lrn_chunks...: an option for each.
our_kernels() { # OPTION
    local kernel
    cat "$SOURCE"/kernels/cuda/*.cu | tr -s ' \n' ' ' | grep -oE '__global__ void (__launch_bounds__\([^)]*\) )?[a-z0-9_]+\(' |
        sed -E 's/.* ([a-z0-9_]+)\($/\1/' | sort -u | while read -r kernel; do echo "$1 kns=_Z${#kernel}$kernel"; done
}

step_sanitize() { # TOOL kernels, or TOOL network ARCHITECTURE PRECISION
    local tool=$1 subject=$2 sanitizer filter=--kernel-name run=() flags=(--tool "$1" --error-exitcode 9)
    if [ "$subject" = kernels ]; then
        run=(tests/kernels_cuda/test_kernels_gpu "--gtest_filter=*Edges*" --gtest_brief=1)
    else
        run=(tests/gpu/tiny_network "$3" "$4" branches)
    fi
    program "${run[0]}"
    sanitizer=$(sanitizer) || skip "compute-sanitizer was not found"
    if [ "$tool" = memcheck ]; then flags+=(--leak-check full); fi
    # Those of cuDNN use more barriers than synccheck tracks, and then fail (H100, CUDA 13.0).
    if { [ "$tool" = racecheck ] || [ "$tool" = synccheck ]; } && [ "$subject" = network ]; then
        grep -q -- --kernel-name <<<"$("$sanitizer" --help)" || filter=--kernel-regex # its name before CUDA 12.3
        mapfile -t -O "${#flags[@]}" flags < <(our_kernels $filter | tr ' ' '\n')
    fi
    output=$(mktemp)
    (set -x && "$sanitizer" "${flags[@]}" "$BUILD/${run[0]}" "${run[@]:1}") 2>&1 | tee "$output" || fail "exit code $?"
    # Without it nobody looked.
    if [ "$tool" = memcheck ] && ! grep -q 'LEAK SUMMARY: 0 bytes' "$output"; then fail "no leak check: $(grep 'LEAK SUMMARY' "$output")"; fi
}

# ---- benchmarks: all calls of other programs' command lines ----

wanted_batches() { # BATCHES
    if [ -n "$TINY" ]; then echo 1,2; elif [ "$1" = all ]; then echo "$BATCHES"; else echo "$1"; fi
}

count_of() { tr ',' '\n' <<<"$1" | wc -l; }
# tributary ARGUMENT...: the networks of --tiny are tiny.
run_tributary() {
    if [ -n "$TINY" ]; then set -- "$@" --classes 10 --img-size 64 --width-multiplier 0.125; fi
    (set -x && "$BUILD/tributary" "$@")
}

step_network() { rates_of network "$@"; } # PRECISION SCHEDULES LAUNCHES BATCHES [OPTION...]
# The same of steps of training. A trainer is made for each turn: fewer rounds.
step_training() { rates_of training "$@" --train --rounds 2; }
rates_of() { # FOLDER PRECISION SCHEDULES LAUNCHES BATCHES [OPTION...]
    local folder=$OUT/$1 batches wanted measured run file
    file=$folder/$STEP.json
    shift
    program tributary
    batches=$(wanted_batches "$4")
    run=(bench --arch torchvision --device cuda --precision "$1" --schedule "$2" --launch "$3" -b "$batches" "${@:5}" --json "$file" --overwrite)
    if [ -n "$TINY" ]; then run+=(--iterations 2 --warmup 0); else run+=(--seconds "$MEASURE"); fi
    # What is measured decides for whoever reads that cache.
    if [[ " ${*:5} " == *" --measure "* ]]; then run+=(--choice-cache "$CACHE/measured.txt"); fi
    mkdir -p "$folder"
    run_tributary "${run[@]}" || fail "exit code $?; what was measured is in the log"
    wanted=$(($(count_of "$2") * $(count_of "$3") * $(count_of "$batches")))
    measured=$(grep -c '"images_per_second":' "$file")
    [ "$measured" -eq "$wanted" ] || fail "$measured of $wanted combinations were measured"
    note "images/s at batch $(best_of "$file")"
}
# "1: 1000 (fused, graph), 8: ...": the best of each batch size.
best_of() { # FILE
    awk -F '[:,]' '
        { value = $2; gsub(/[" \t]/, "", value) }
        /"batch":/ { batch = value + 0; if (!(batch in best)) order[++count] = batch }
        /"schedule":/ { schedule = value } /"launch":/ { launch = value }
        /"images_per_second":/ && value + 0 > best[batch] { best[batch] = value + 0; how[batch] = schedule ", " launch }
        END { for (i = 1; i <= count; ++i) printf "%s%d: %.0f (%s)", (i > 1 ? ", " : ""), order[i], best[order[i]], how[order[i]] }' "$1"
}

step_profile() { # PRECISION BATCH [--train]
    local to=$OUT/profile/$STEP batch=$2 run=() file
    program tributary
    if [ -n "$TINY" ]; then batch=2 run=(--iterations 2 --warmup 1); fi
    run+=(--arch torchvision --device cuda --precision "$1" -b "$batch" "${@:3}" --json "$to.json" --trace "$to.trace.json" --html "$to.html" --overwrite)
    mkdir -p "$OUT/profile"
    run_tributary profile "${run[@]}" || fail "exit code $?"
    for file in "$to".{json,trace.json,html}; do [ -s "$file" ] || fail "$file was not written"; done
}
# What is found is kept beside the choice cache, where --schedule auto looks for it.
step_tune() { # PRECISION BATCHES SECONDS
    local seconds=$3
    program tributary
    if [ -n "$TINY" ]; then seconds=1; fi
    run_tributary tune --arch torchvision --device cuda --precision "$1" --launch graph -b "$(wanted_batches "$2")" --tune-seconds "$seconds" ||
        fail "exit code $?"
}

step_kernels() { # BATCH
    local bench run
    bench=$(kernel_bench)
    [ -n "$bench" ] || skip "kernel_bench is not built"
    program "$bench"
    run=(--batch "$1" --json "$OUT/kernels-$1.json")
    if [ -n "$TINY" ]; then run=(--batch 1 --kernel softmax_top_k --seconds 0.001 "${run[@]:2}"); fi
    (set -x && "$BUILD/$bench" "${run[@]}") || fail "exit code $?"
    [ -s "$OUT/kernels-$1.json" ] || fail "it wrote no results"
}

# Without importing it, which takes its time; the scripts say themselves when it sees no GPU.
pytorch() {
    "$PYTHON" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)' || skip "$PYTHON has no PyTorch"
}
step_limits() {
    local run=("$SOURCE/benches/peers/card_limits.py" --json "$OUT/limits.json")
    pytorch
    if [ -n "$TINY" ]; then run+=(--megabytes 16 --size 256); fi
    (set -x && "$PYTHON" "${run[@]}") || fail "exit code $?"
}
step_peers() { # PRECISION MODE BATCHES [--train]
    local folder=peers${4:+-training} run
    pytorch
    run=("$SOURCE/benches/peers/peers_gpu.py" "${@:4}" --precisions "$1" --modes "$2" -b "$(wanted_batches "$3")" --json "$OUT/$folder/$STEP.json")
    if [ -z "$TINY" ]; then run+=(--seconds "$MEASURE"); else run+=(--image-size 64 --seconds 0.1); fi
    if [ -n "$TINY" ] && [ -z "${4:-}" ]; then run+=(--width 0.125); fi
    mkdir -p "$OUT/$folder"
    (set -x && "$PYTHON" "${run[@]}") || fail "exit code $?; what was measured is in $folder/$STEP.json"
}

"step_$1" "${@:2}"
