#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# step.sh KIND ARGUMENT...: one step of gpu_check.sh, which exports the capitals. Exit code 0: passed, 77: skipped, any
# other: failed. The last line "result: TEXT" is what the report says of it.
set -uo pipefail
# shellcheck source=tests/gpu/libraries.sh
. "$SOURCE/tests/gpu/libraries.sh"

note() { echo "result: $*"; }
skip() { note "$*" && exit 77; }
fail() { note "$*" && exit 1; }

# program PATH: built, and its libraries are here; or else the step is skipped.
program() {
    [ -x "$BUILD/$1" ] || skip "$1 is not built"
    use_libraries "$BUILD" "$PYTHON" "$BUILD/$1"
    [ -z "$libraries_missing" ] || skip "$1 needs what was not found: $libraries_missing"
}

# option NAME VALUE: this build's tributary has it, or else the step is skipped.
option() { offers "$1" "$2" || skip "this build has no --$1 $2"; }
# Not through a pipe, which grep may close before the other side has written everything.
offers() { grep -qE -- "--$1 ([a-z0-9]+\|)*$2(\||\$| )" <<<"$("$BUILD/tributary" bench --help)"; }

programs() { echo tributary && awk '/^[^#]/ { print $1 }' "$SOURCE/tests/gpu/tests.list"; }
kernel_bench() { find "$BUILD" -name kernel_bench -type f -perm -u+x -printf '%P\n' | head -n 1; }
sources() { git -C "$SOURCE" describe --always --dirty --abbrev=12 2>/dev/null; }
packed() { sed -n '1s/,.*//p' "$BUILD/bundle.txt" 2>/dev/null; }
commit() { sources || packed || echo unknown; }

# ---- environment ----

environment() {
    date -u
    uname -a
    echo "commit $(commit)"
    nvidia-smi
    nvidia-smi -q
    nvcc --version || /usr/local/cuda/bin/nvcc --version
    "$PYTHON" -c 'import torch; print("PyTorch", torch.__version__, "CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())'
    lscpu
}
step_environment() {
    environment >"$OUT/environment.txt" 2>&1
    cat "$OUT/environment.txt"
    [ -z "$NO_CARD" ] || skip "$NO_CARD"
    note "$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | paste -sd';'), commit $(commit)"
}

# ---- build ----

lacking() { for p in $(programs); do if ! [ -x "$BUILD/$p" ]; then echo "$p"; fi; done | paste -sd' '; }

# A build folder that was made elsewhere cannot be built again here, and is used as it is.
copied() {
    if [ -e "$BUILD/bundle.txt" ]; then return 0; fi
    local home
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$BUILD/CMakeCache.txt" 2>/dev/null)
    [ -n "$home" ] && [ "$home" != "$SOURCE" ]
}
step_build() {
    if copied; then
        [ -z "$(lacking)" ] || fail "the copied folder $BUILD lacks $(lacking)"
        if [ -n "$(packed)" ] && [ -n "$(sources)" ] && [ "$(packed)" != "$(sources)" ]; then
            fail "$BUILD was packed from $(packed), but here is $(sources): make gpu-bundle again, or --build another folder"
        fi
        note "copied from $(packed), not built here" && exit 0
    fi
    command -v cmake >/dev/null || fail "no cmake: docker/install-dependencies.sh build test cuda, or bring what make gpu-bundle packs"
    local targets
    mapfile -t targets < <(programs | xargs -n 1 basename)
    cmake -S "$SOURCE" -B "$BUILD" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DTRIB_CUDA=ON || fail "cmake failed"
    if grep -qw kernel_bench <<<"$(cmake --build "$BUILD" --target help)"; then targets+=(kernel_bench); fi
    cmake --build "$BUILD" --parallel "$(nproc)" --target "${targets[@]}" || fail "the build failed"
    [ -z "$(lacking)" ] || fail "built, but without $(lacking)"
}

# ---- tests ----

# Passed means that tests ran: none at all is a failure, and all of them skipped is skipped.
step_test() { # EXECUTABLE FILTER
    program "$1"
    local code=0 passed skipped output
    output=$(mktemp) && trap 'rm -f "$output"' EXIT
    export TRIB_TEST_DATA=$SOURCE/tests/data TRIB_TEST_DEVICE=cuda
    "$BUILD/$1" --gtest_filter="$2" --gtest_color=no 2>&1 | tee "$output" || code=$?
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
step_sanitize() { # TOOL ARCHITECTURE PRECISION
    local sanitizer launch flags=(--tool "$1" --error-exitcode 9)
    program tributary
    sanitizer=$(sanitizer) || skip "compute-sanitizer was not found"
    option precision "$3"
    if [ "$1" = memcheck ]; then flags+=(--leak-check full); fi
    for launch in eager graph; do
        (set -x && "$sanitizer" "${flags[@]}" "$BUILD/tributary" bench --arch "$2" --classes 10 --img-size 64 --width-multiplier 0.125 \
            -b 2 --iterations 1 --warmup 0 --device cuda --precision "$3" --schedule branches --launch $launch) ||
            fail "exit code $? with --launch $launch"
    done
}

# ---- benchmarks ----

step_network() { # PRECISION SCHEDULE|best LAUNCH BATCHES
    local schedule=$2 file wanted measured
    program tributary
    if [ "$schedule" = best ]; then schedule=branches && if offers schedule fused; then schedule=fused; fi; fi
    option precision "$1"
    option schedule "$schedule"
    option launch "$3"
    mkdir -p "$OUT/network"
    file=$OUT/network/$1-$2-$3.json
    (set -x && "$BUILD/tributary" bench --arch torchvision --device cuda --precision "$1" --schedule "$schedule" --launch "$3" -b "$4" \
        --seconds "$MEASURE" --json "$file" --overwrite) || fail "exit code $?"
    wanted=$(tr ',' '\n' <<<"$4" | wc -l)
    measured=$(grep -c '"images_per_second"' "$file")
    [ "$measured" -eq "$wanted" ] || fail "$measured of $wanted batch sizes were measured"
    note "$schedule, images/s at batch $(awk -F'[:,]' '/"batch"/ { batch = $2 + 0 }
        /"images_per_second"/ { printf "%s%d: %.0f", separator, batch, $2; separator = ", " }' "$file")"
}

step_kernels() {
    local bench
    bench=$(kernel_bench)
    [ -n "$bench" ] || skip "kernel_bench is not built"
    program "$bench"
    "$BUILD/$bench" --batch 1,32,256 --json "$OUT/kernels.json" || fail "exit code $?"
    [ -s "$OUT/kernels.json" ] || fail "it wrote no results"
}

# ---- with PyTorch ----

pytorch() {
    "$PYTHON" -c 'import torch' || skip "$PYTHON has no PyTorch"
    "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || skip "PyTorch sees no GPU"
}
step_limits() {
    pytorch
    "$PYTHON" "$SOURCE/benches/peers/card_limits.py" --json "$OUT/limits.json" || fail "exit code $?"
}
step_peers() { # PRECISION MODE BATCHES
    pytorch
    mkdir -p "$OUT/peers"
    "$PYTHON" "$SOURCE/benches/peers/peers_gpu.py" --precisions "$1" --modes "$2" -b "$3" --seconds "$MEASURE" \
        --json "$OUT/peers/$1-$2.json" || fail "exit code $?; what was measured is in peers/$1-$2.json"
}

"step_$1" "${@:2}"
