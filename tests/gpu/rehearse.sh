#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rehearse.sh BUILD [WHOLE]: make gpu-check GPU_FLAGS='--minutes 9' from the unpacked archive of a bundle, on the simulated
# CUDA: the programs of BUILD that run on it, under the names of the real ones, and each step's real command on a tiny
# network. One step is made to fail, another to hang. Not simulated, but imitated: nvidia-smi; compute-sanitizer, which
# checks its options and runs the program; PyTorch, unless PYTHON3 has it: then it runs, on the CPU.
# WHOLE: every step, without an end after nine minutes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
built=$1 whole=${2:-} python=${PYTHON3:-python3}
for tool in git pgrep "$python"; do command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed" && exit 77; }; done
# What is packed are the files that git knows.
git -C "$here" ls-files --error-unmatch rehearse.sh >/dev/null 2>&1 || { echo "skipped: the sources are not a git clone" && exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/tributary-rehearsal-XXXXXX")
trap 'rm -rf "$work"' EXIT
there=$work/there/tributary
report=$there/report/report.md
fail() {
    echo "FAILED: $*"
    cat "$report" 2>/dev/null || cat "$work/printed"
    exit 1
}
row() { sed -n "s/^| $1 | \([^|]*\) |.*/\1/p" "$report"; }
# shellcheck disable=SC2053 # a pattern
expect_row() { [[ $(row "$1") == $2 ]] || fail "step $1 says '$(row "$1")', not '$2'; $(tail -n 5 "$there/report/logs/$1.log" 2>/dev/null)"; }

# ---- the bundle: packed, unpacked elsewhere ----

while read -r name simulated; do
    mkdir -p "$work/from/$(dirname "$name")"
    cp "$built/$simulated" "$work/from/$name"
done <<'TEXT'
tributary                            tests/cli/tributary_simulated
tests/test_golden                    tests/cuda/test_golden_cuda
tests/test_conformance               tests/cuda/test_conformance_cuda
tests/kernels_cuda/test_kernels_gpu  tests/kernels_cuda/test_kernels_cuda
tests/gpu/tiny_network               tests/gpu/tiny_network_simulated
benches/kernels/kernel_bench         tests/kernel_bench/kernel_bench_simulated
TEXT
"$here/bundle.sh" --from "$work/from" --out "$work/packed" --archive "$work/all.tar.gz" --max-mb 500 >"$work/printed"
mkdir "$work/there"
tar -xf "$work/all.tar.gz" -C "$work/there"
# Its programs load nothing from here, where they were built.
rm -rf "$work/from" "$work/packed"

# ---- the machine ----

mkdir "$work/bin"
imitate() { { echo '#!/bin/bash' && cat; } >"$work/bin/$1" && chmod +x "$work/bin/$1"; }
imitate nvidia-smi <<'TEXT'
case $* in
-L) echo "GPU 0: NVIDIA H200, simulated (UUID: 0)" ;;
*compute_cap*) echo 9.0 ;;
*) echo "NVIDIA H200, simulated, 580.00, 1 MiB" ;;
esac
TEXT
# The options that version 2025.3 has, of those that are used here. It sees whether the program reset the device at its
# end; that of the emulated kernels has none.
imitate compute-sanitizer <<'TEXT'
set -o pipefail
leaks=""
while [ $# -gt 0 ]; do
    case $1 in
    --help) echo "  --kernel-name arg" && exit ;;
    --tool) [[ $2 =~ ^(memcheck|racecheck|initcheck|synccheck)$ ]] ;;
    --error-exitcode) [[ $2 =~ ^[0-9]+$ ]] ;;
    --leak-check) [ "$2" = full ] && leaks=yes ;;
    --kernel-name) [[ $2 =~ ^kns=_Z[0-9]+[a-z] ]] ;;
    -*) false ;;
    *) break ;;
    esac || { echo "unrecognised option '$1' '$2'" && exit 255; }
    shift 2
done
said=$("$@" 2>&1) || { echo "$said" && exit 9; }
echo "$said"
if [ -n "$leaks" ] && { [[ $1 == *test_kernels_gpu ]] || grep -q '^simulated CUDA: reset with nothing left' <<<"$said"; }; then
    echo "========= LEAK SUMMARY: 0 bytes leaked in 0 allocations"
fi
TEXT
imitate python3 <<TEXT
exec "$(command -v "$python")" "$here/rehearsed_python.py" "\$@"
TEXT
export PATH=$work/bin:$PATH
unset TRIBUTARY_CACHE_DIR XDG_CACHE_HOME TRIB_TEST_DATA TRIB_TEST_LONG

# break_program NAME: puts a script of standard input before it, which goes on with "real" if nothing is wrong.
break_program() {
    mv "$there/build-gpu/$1" "$there/build-gpu/$1.real"
    { echo '#!/bin/bash' && echo 'real() { exec "$0.real" "$@"; }' && cat && echo 'real "$@"'; } >"$there/build-gpu/$1"
    chmod +x "$there/build-gpu/$1"
}
break_program tests/test_golden <<<'case $* in *Bfloat16/bvlc*) echo "made to fail"; exit 1 ;; esac'
break_program tributary <<<'case $* in *profile-bf16-32.json*) trap "" TERM; setsid sleep 987.65 & sleep 987.65 ;; esac'

# ---- the check ----

check() { # CODE FLAGS
    local code=0
    make -s -C "$there" gpu-check DIR=report GPU_FLAGS="$2" >"$work/printed" 2>&1 || code=$?
    # make says 2 for every failure
    [ "$code" -eq "$1" ] || fail "exit code $code, not $1; it printed: $(cat "$work/printed")"
}
if [ -n "$whole" ]; then check 2 "--tiny --step-minutes 3"; else check 2 "--minutes 9 --tiny --step-minutes 1"; fi

expect_row build 'passed: copied from *'
for step in environment kernels-edges limits first-bf16 first-peers-bf16 golden-bf16-torchvision network-bf16 peers-bf16-graph \
    profile-bf16-1 tune-bf16 training-bf16 profile-training-bf16-256; do
    expect_row $step 'passed*'
done
expect_row first-bf16 'passed: images/s at batch 1: *, 2: *'
expect_row golden-bf16-bvlc 'failed: exit code 1*'
expect_row profile-bf16-32 'failed: not done after * s'
[ "$(grep -cE '^\| [a-z0-9-]+ \| failed' "$report")" -le 2 ] || [ -n "$whole" ] || fail "more than these two have failed"
if pgrep -f '^sleep 987.65' >"$work/printed"; then fail "the hanging step went on: $(cat "$work/printed")"; fi
grep -q '^| bf16 | 2 | [0-9]* (.*) | [0-9]* (pytorch-graph; .*) | [0-9.]* |' "$report" || fail "no row with both numbers"
ls "$there"/build-gpu/choice-cache/schedules-*.txt >/dev/null || fail "nothing that was tuned is kept"
# Compiled convolutions of the network and of the tests were kept, for all steps.
for file in choices.txt tests.txt; do
    grep -qa '^key: cudnn' "$there/build-gpu/choice-cache/$file" || fail "no choice cache $file"
done

# ---- what the report says to do ----

mv "$there/build-gpu/tests/test_golden.real" "$there/build-gpu/tests/test_golden"
sed -n 's/^    \(cd .* --only golden-bf16-bvlc\)$/\1/p' "$report" >"$work/again"
[ -s "$work/again" ] || fail "no command for the step that failed"
bash "$work/again" >"$work/printed" 2>&1 || true # the other has still failed
expect_row golden-bf16-bvlc 'passed*'
expect_row profile-bf16-32 'failed: not done after * s'
mv "$there/build-gpu/tributary.real" "$there/build-gpu/tributary"
check 0 "--tiny --resume"
for step in memcheck-bvlc racecheck-bvlc synccheck-bvlc golden-fp32-bvlc measured-bf16-256 training-fp32 kernels-all conformance profile-bf16-32; do expect_row $step 'passed*'; done
grep -q '^Nothing: every step passed' "$report" || fail "something is left to do"
echo "$(grep -cE '^\| [a-z0-9-]+ \| passed' "$report") steps passed; the one that failed and the one that hung when they were run again"
