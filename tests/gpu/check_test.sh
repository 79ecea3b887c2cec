#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check_test.sh CHECK: one check of gpu_check.sh and bundle.sh; CMakeLists.txt names them and sets the capitals.
# shellcheck disable=SC2016,SC2053 # what the stand-ins do is not for this shell to expand; expected rows are patterns
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/tributary-gpu-XXXXXX")
trap 'rm -rf "$work"' EXIT
report=$work/report/report.md
calls=$work/calls
export CALLS=$calls
: >"$calls"

fail() {
    echo "FAILED: $*"
    cat "$report" 2>/dev/null
    exit 1
}
row() { sed -n "s/^| $1 | \([^|]*\) |.*/\1/p" "$report"; }
expect_row() { [[ $(row "$1") == $2 ]] || fail "step $1 says '$(row "$1")', not '$2'"; }
expect_call() { grep -qF -e "$1" "$calls" || fail "nothing was called with '$1': $(cat "$calls")"; }
# check WANTED_CODE OPTION...: gpu_check.sh on the machine that the stand-ins make.
check() {
    local wanted=$1 code=0
    shift
    bash "$here/gpu_check.sh" --build "$work/build" --out "$work/report" "$@" >"$work/printed" 2>&1 || code=$?
    [ "$code" -eq "$wanted" ] || fail "exit code $code, not $wanted; it printed: $(cat "$work/printed")"
}

# ---- stand-ins ----

fake() { # FILE: an executable that notes how it is called and then does what standard input says
    mkdir -p "$(dirname "$1")"
    { echo '#!/bin/bash' && echo 'echo "$(basename "$0") $*" >>"$CALLS"' && cat; } >"$1"
    chmod +x "$1"
}
fake_card() { fake "$work/bin/nvidia-smi" <<<'if [ "${1-}" = -L ]; then echo "GPU 0: Imaginary 9000 (UUID: 1)"; else echo "Imaginary 9000, 999.9, 1 MiB"; fi'; }
fake_test() { # FILE PASSED SKIPPED EXIT_CODE
    fake "$1" <<<"echo '[  PASSED  ] $2 tests.'; if [ $3 -gt 0 ]; then echo 'there is no such thing'; echo '[  SKIPPED ] $3 tests, listed below:'; fi; exit $4"
}
# A machine on which everything is there and works.
fake_machine() {
    fake_card
    fake "$work/bin/compute-sanitizer" <<<'until [[ $1 == */tributary ]]; do shift; done; "$@"'
    fake "$work/bin/python" <<<'while [ $# -gt 0 ]; do if [ "$1" = --json ]; then echo "{}" >"$2"; fi; shift; done'
    fake "$work/build/tributary" <<'TEXT'
if [ "$2" = --help ]; then echo "  --schedule serial|branches  x"; echo "  --launch eager|graph  x"; echo "  --precision fp32|tf32|fp16|bf16"; exit; fi
while [ $# -gt 0 ]; do
    case $1 in -b) batches=$2 ;; --json) file=$2 ;; esac
    shift
done
[ -z "${file-}" ] || for batch in ${batches//,/ }; do printf '"batch":\t%d,\n"images_per_second":\t%d.5,\n' $batch $((batch * 1000)); done >"$file"
TEXT
    local executable
    while read -r executable _; do fake_test "$work/build/$executable" 7 0 0; done < <(grep '^[^#]' "$here/tests.list")
    fake "$work/build/benches/kernel_bench" <<<'while [ $# -gt 0 ]; do if [ "$1" = --json ]; then echo "{}" >"$2"; fi; shift; done'
    echo "$(git -C "$here" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown), packed today" >"$work/build/bundle.txt"
    export PATH=$work/bin:$PATH
}
python=(--python python) # the stand-in

case $1 in
no_card)
    # As this machine is, unless it has a card; then with a driver that finds none.
    if grep -q '^GPU ' <<<"$(nvidia-smi -L 2>/dev/null)"; then
        fake "$work/bin/nvidia-smi" <<<'echo "No devices were found"; exit 6'
        export PATH=$work/bin:$PATH
    fi
    check 3
    if grep -qE '^\|.*(passed|failed)' "$report"; then fail "without a card nothing passes or fails"; fi
    [ "$(grep -cE '^\| [a-z0-9_-]+ \| skipped: no GPU: nvidia-smi (was not found|says: .+) \|' "$report")" -eq \
        "$(bash "$here/gpu_check.sh" --list | wc -l)" ] || fail "every step has to be skipped, with the reason"
    grep -q '^commit ' "$work/report/environment.txt" || fail "environment.txt does not name the commit"
    ;;
all_pass)
    fake_machine
    check 0 "${python[@]}" --batches 1,8
    expect_row environment 'passed: Imaginary 9000*'
    expect_row test_golden 'passed: 7 tests'
    expect_row memcheck-bvlc passed
    expect_row first 'passed: branches, images/s at batch 1: 1000, 32: 32000, 256: 256000'
    expect_row network-bf16-branches-graph 'passed: branches, images/s at batch 1: 1000, 8: 8000'
    expect_row network-fp16-fused-eager 'skipped: this build has no --schedule fused'
    expect_row peers-tf32-compile passed
    expect_call 'test_conformance --gtest_filter=Devices/*'
    expect_call 'compute-sanitizer --tool memcheck --error-exitcode 9 --leak-check full'
    for tool in racecheck initcheck synccheck; do expect_call "compute-sanitizer --tool $tool --error-exitcode 9 "; done
    expect_call 'kernel_bench --batch 1,32,256 --json'
    expect_call '--modes compile -b 1,8'
    for precision in fp32 tf32 fp16 bf16; do for schedule in serial branches; do for launch in eager graph; do
        expect_call "--device cuda --precision $precision --schedule $schedule --launch $launch -b 1,8"
        [ -s "$work/report/network/$precision-$schedule-$launch.json" ] || fail "no results of $precision $schedule $launch"
    done; done; done
    [ "$(grep -c '^| [a-z].*| skipped' "$report")" -eq 8 ] || fail "only the schedule that is not there is skipped"
    ;;
failures)
    fake_machine
    fake_test "$work/build/tests/test_golden" 3 0 1
    fake "$work/bin/compute-sanitizer" <<<'if [ $2 = racecheck ]; then exit 9; fi'
    fake "$work/bin/python" <<<'case $* in *peers_gpu*compile*) exit 1 ;; esac'
    check 1 "${python[@]}"
    expect_row test_golden 'failed: exit code 1*'
    expect_row racecheck-bvlc 'failed: exit code 9 with --launch eager'
    expect_row memcheck-bvlc passed
    expect_row peers-bf16-compile 'failed: exit code 1*'
    expect_row peers-bf16-graph passed
    ;;
nothing_ran)
    fake_machine
    fake_test "$work/build/tests/test_golden" 0 0 0
    fake_test "$work/build/tests/test_conformance" 0 5 0
    fake "$work/build/tests/kernels_cuda/test_kernels_gpu" <<<'true'
    check 1 "${python[@]}" --only 'test_*'
    expect_row test_golden 'failed: no test ran on the device'
    expect_row test_conformance 'skipped: all 5 tests were skipped*'
    expect_row test_kernels_gpu 'failed: it ended without a summary'
    ;;
missing_parts)
    fake_machine
    rm "$work/build/benches/kernel_bench"
    rm "$work/bin/compute-sanitizer"
    fake "$work/bin/ldd" <<<'printf "\tlibcudnn.so.9 => not found\n\tlibcudart.so.13 => /x/libcudart.so.13 (0x1)\n"'
    fake "$work/bin/python" <<<'if [ "$2" = "import torch" ]; then exit 1; fi'
    check 0 "${python[@]}"
    expect_row test_golden 'skipped: tests/test_golden needs what was not found: libcudnn.so.9'
    expect_row kernels 'skipped: kernel_bench is not built'
    expect_row limits 'skipped: python has no PyTorch'
    rm "$work/bin/ldd"
    fake "$work/bin/python" <<<'case $2 in *is_available*) exit 1 ;; esac'
    CUDA_HOME=$work/no-cuda check 3 "${python[@]}" --only limits
    expect_row limits 'skipped: PyTorch sees no GPU'
    if ! command -v compute-sanitizer >/dev/null; then
        CUDA_HOME=$work/no-cuda check 3 "${python[@]}" --only 'memcheck-*'
        expect_row memcheck-bvlc 'skipped: compute-sanitizer was not found'
    fi
    # A CUDA library inside a Python package is found there.
    mkdir -p "$work/site/nvidia/cudnn/lib" "$work/site/nvidia/cu13/lib"
    touch "$work/site/nvidia/cudnn/lib/libcudnn.so.9" "$work/site/nvidia/cu13/lib/libcublasLt.so.13"
    fake "$work/bin/python" <<<"echo $work/site"
    check 0 "${python[@]}" --only test_golden
    grep -q "^LD_LIBRARY_PATH=$work/site/nvidia/cu13/lib:$work/site/nvidia/cudnn/lib" "$work/report/logs/test_golden.log" || fail "Python's packages are not used"
    ;;
out_of_time)
    fake_machine
    fake "$work/build/tests/test_conformance" <<<'sleep 60'
    check 0 "${python[@]}" --minutes 0.1 --only '[tp]*'
    expect_row test_kernels_gpu 'passed: 7 tests'
    expect_row test_conformance 'skipped: out of time after * s'
    expect_row test_golden 'skipped: out of time'
    expect_row peers-fp32-compile 'skipped: out of time'
    ;;
slow_step)
    fake_machine
    fake "$work/build/tests/test_conformance" <<<'sleep 30'
    check 1 "${python[@]}" --step-minutes 0.02 --only 'test_*'
    expect_row test_conformance 'failed: not done after * s'
    expect_row test_golden 'passed: 7 tests'
    ;;
cut) # while a step runs: what was known is in the report, and the step does not go on
    fake_machine
    fake "$work/build/tests/test_golden" <<<"sleep 3; touch $work/went-on"
    bash "$here/gpu_check.sh" --build "$work/build" --out "$work/report" "${python[@]}" >"$work/printed" 2>&1 &
    for _ in $(seq 100); do if grep -q '^test_golden' "$calls"; then break; fi; sleep 0.1; done
    kill -TERM $!
    wait $! && fail "cut short, it succeeds"
    expect_row test_conformance 'passed: 7 tests'
    expect_row test_golden 'skipped: the check ended before it'
    sleep 4
    [ ! -e "$work/went-on" ] || fail "the step went on"
    ;;
only)
    fake_machine
    check 0 "${python[@]}" --only 'network-bf16-serial-*'
    expect_row network-bf16-serial-eager 'passed:*'
    expect_row test_golden 'skipped: not asked for'
    check 3 "${python[@]}" --only 'no-such-step'
    ;;
usage)
    for wrong in "--minutes x" "--batches 1,,2" "--seconds" "--nonsense" "--batches 0"; do
        # shellcheck disable=SC2086 # words
        check 2 $wrong
    done
    grep -q -- --minutes <<<"$(bash "$here/gpu_check.sh" --help)" || fail "--help does not show the options"
    code=0 && bash "$here/gpu_check.sh" 2>/dev/null || code=$?
    [ $code -eq 2 ] || fail "without --out it ends with $code"
    make -s -n -C "$here/../.." gpu-check gpu-bundle DIR=a/report GPU_FLAGS=--list >"$work/printed"
    grep -qx 'tests/gpu/gpu_check.sh --out "a/report" --list' "$work/printed" || fail "make gpu-check does $(cat "$work/printed")"
    ;;
build_folders)
    fake_machine
    rm "$work/build/tests/test_golden"
    check 1 --only build
    expect_row build "failed: the copied folder $work/build lacks tests/test_golden"
    fake_test "$work/build/tests/test_golden" 1 0 0
    check 0 --only build
    expect_row build 'passed: copied from * not built here'
    if git -C "$here" describe --always >/dev/null 2>&1; then
        echo "0123456789ab, packed long ago" >"$work/build/bundle.txt"
        check 1 --only build
        expect_row build "failed: $work/build was packed from 0123456789ab*"
    fi
    # Built elsewhere: used; built here: built again.
    rm "$work/build/bundle.txt"
    echo "CMAKE_HOME_DIRECTORY:INTERNAL=/somewhere/else" >"$work/build/CMakeCache.txt"
    check 0 --only build
    echo "CMAKE_HOME_DIRECTORY:INTERNAL=$(cd "$here/../.." && pwd)" >"$work/build/CMakeCache.txt"
    fake "$work/bin/cmake" <<<'if [ "$4" = help ]; then echo "kernel_bench: phony"; fi'
    check 0 --only build
    expect_call '--target tributary test_kernels_gpu test_conformance test_golden kernel_bench'
    ;;
labels) # every executable with the label gpu stands in tests.list
    "$CTEST" --test-dir "$BUILT" -L '^gpu$' -N -V >"$work/listed"
    sed -nE 's/^[0-9]+: Test command: "?([^" ]+).*/\1/p' "$work/listed" | sort -u >"$work/executables"
    [ -s "$work/executables" ] || fail "no test has the label gpu"
    while read -r executable; do
        grep -q "^${executable#"$BUILT"/} " "$here/tests.list" || fail "$executable has the label gpu, but is not in tests.list"
    done <"$work/executables"
    ;;
bundle) # moved away, the programs start with nothing but what was packed and CUDA's libraries
    bash "$here/bundle.sh" --from "$BUILT" --out "$work/packed" --limit 1024
    mv "$work/packed" "$work/moved"
    cuda=$(ldd "$BUILT/tributary" | awk '$1 ~ /^libcudart/ { print $3 }' | xargs dirname)
    LD_LIBRARY_PATH=$work/moved/lib:$cuda "$work/moved/tributary" devices >"$work/printed"
    grep -q '^cuda' "$work/printed" || fail "the moved tributary knows no cuda device"
    mkdir "$work/data"
    cp "$here"/../data/infer-bvlc-seed1-n1-96.safetensors "$work/data"
    LD_LIBRARY_PATH=$work/moved/lib:$cuda TRIB_TEST_DATA=$work/data "$work/moved/tests/test_golden" --gtest_filter='*Inference*bvlc_96'
    if TRIB_TEST_DATA=$work/none "$work/moved/tests/test_golden" --gtest_filter='*Inference*bvlc_96' >"$work/printed"; then fail "TRIB_TEST_DATA is not used"; fi
    if TRIB_TEST_DEVICE=none "$work/moved/tests/test_golden" --gtest_filter='*Inference*bvlc_96' >"$work/printed"; then fail "TRIB_TEST_DEVICE is not used"; fi
    code=0 && bash "$here/bundle.sh" --from "$BUILT" --out "$work/moved" --limit 1 2>"$work/printed" || code=$?
    if [ $code -ne 1 ] || ! grep -q 'more than 1 MiB' "$work/printed"; then fail "too large a bundle goes unnoticed"; fi
    mkdir "$work/precious"
    if bash "$here/bundle.sh" --from "$BUILT" --out "$work/precious" 2>/dev/null; then fail "a folder that it did not make is replaced"; fi
    ;;
peers_arguments)
    export PYTHONDONTWRITEBYTECODE=1
    peers=$here/../../benches/peers
    for wrong in "peers_gpu.py --modes x" "peers_gpu.py --precisions fp32,fp8" "peers_gpu.py -b 0" "card_limits.py --device tpu"; do
        # shellcheck disable=SC2086 # words
        code=0 && "$PYTHON3" "$peers"/$wrong 2>/dev/null || code=$?
        [ $code -eq 2 ] || fail "$wrong ends with $code"
    done
    # A mode that cannot work, here for lack of a graph or of PyTorch, is an entry with its reason for each batch size.
    code=0 && "$PYTHON3" "$peers/peers_gpu.py" --device cpu --modes graph --precisions fp32 -b 1,2 --json "$work/peers.json" || code=$?
    [ $code -eq 1 ] || fail "a mode that cannot work ends with $code"
    "$PYTHON3" - "$work/peers.json" <<'TEXT' || fail "$(cat "$work/peers.json")"
import json, sys
report = json.load(open(sys.argv[1]))
assert report["results"] == [] and [e["batch"] for e in report["errors"]] == [1, 2], report
assert all("graph" in e["reason"] or "torch" in e["reason"] for e in report["errors"]), report
TEXT
    ;;
peers_on_cpu)
    export PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
    "$PYTHON3" -c 'import torch, numpy' 2>/dev/null || { echo "skipped: $PYTHON3 has no PyTorch" && exit 77; }
    "$PYTHON3" "$here/../../benches/peers/peers_gpu.py" --device cpu --width 0.25 --image-size 64 --modes eager --precisions fp32,bf16 -b 1,2 \
        --seconds 0.1 --json "$work/peers.json"
    "$PYTHON3" - "$work/peers.json" <<'TEXT' || fail "$(cat "$work/peers.json")"
import json, sys
report = json.load(open(sys.argv[1]))
assert [(r["precision"], r["batch"]) for r in report["results"]] == [("fp32", 1), ("fp32", 2), ("bf16", 1), ("bf16", 2)], report
assert all(r["min"] <= r["images_per_second"] <= r["max"] for r in report["results"]), report
assert all(r[rate] > 0 for r in report["results"] for rate in ("device_images_per_second", "end_to_end_images_per_second", "latency_ms")), report
assert all((r["pixels"], r["in_flight"]) == ("u8", 2) for r in report["results"]), report
TEXT
    ;;
*) fail "no check '$1'" ;;
esac
