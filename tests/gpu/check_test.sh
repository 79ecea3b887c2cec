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
skip() { echo "skipped: $*" && exit 77; }
needs() { command -v "$1" >/dev/null || skip "$1 is not installed"; }
# What is packed are the files that git knows.
needs_clone() { needs git && git -C "$here" ls-files --error-unmatch check_test.sh >/dev/null 2>&1 || skip "the sources are not a git clone"; }
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
fake_card() { fake "$work/bin/nvidia-smi" <<<'if [ "${1-}" = -L ]; then echo "GPU 0: Imaginary 9000 (UUID: 1)"; elif [[ $* == *compute_cap* ]]; then echo 9.0; else echo "Imaginary 9000, 999.9, 1 MiB"; fi'; }
fake_test() { # FILE PASSED SKIPPED EXIT_CODE
    fake "$1" <<<"echo '[  PASSED  ] $2 tests.'; if [ $3 -gt 0 ]; then echo 'there is no such thing'; echo '[  SKIPPED ] $3 tests, listed below:'; fi; exit $4"
}
# A machine on which everything is there and works.
fake_machine() {
    fake_card
    fake "$work/bin/compute-sanitizer" <<<'if [ $1 = --help ]; then echo "--kernel-name arg"; exit; fi; until [ -f "$1" ]; do shift; done; "$@"; echo "LEAK SUMMARY: 0 bytes"'
    fake "$work/bin/python" <<<'while [ $# -gt 0 ]; do if [ "$1" = --json ]; then echo "{}" >"$2"; fi; shift; done'
    fake "$work/build/tributary" <<'TEXT'
while [ $# -gt 0 ]; do
    case $1 in -b) batches=$2 ;; --json) file=$2 ;; --precision) precision=$2 ;; --schedule) schedules=$2 ;; --launch) launches=$2 ;; esac
    case $1 in --json | --trace | --html) echo "{}" >"$2" ;; esac
    shift
done
[ -z "${file-}" ] || for batch in ${batches//,/ }; do for schedule in ${schedules//,/ }; do for launch in ${launches//,/ }; do
    rate=$((batch * 1000))
    if [ $schedule$launch != branchesgraph ]; then rate=$((rate - 100)); fi
    printf '"batch":\t%d,\n"precision":\t"%s",\n"schedule":\t"%s",\n"launch":\t"%s",\n"images_per_second":\t%d.5,\n"images_per_second_by_round":\t[1, 2],\n' \
        $batch "$precision" "$schedule" "$launch" $rate
done; done; done >>"$file"
TEXT
    local executable
    for executable in "${executables[@]}"; do fake_test "$work/build/$executable" 7 0 0; done
    fake "$work/build/benches/kernel_bench" <<<'while [ $# -gt 0 ]; do if [ "$1" = --json ]; then echo "{}" >"$2"; fi; shift; done'
    echo "$(git -C "$here" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown), packed today" >"$work/build/bundle.txt"
    export PATH=$work/bin:$PATH
}
python=(--python python) # the stand-in
# shellcheck source=tests/gpu/plan.sh
. "$here/plan.sh"
mapfile -t executables < <(programs "$here/steps.table" | grep -v '^tributary$')

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
        "$(bash "$here/gpu_check.sh" --list | tail -n +2 | wc -l)" ] || fail "every step has to be skipped, with the reason"
    grep -q '^commit ' "$work/report/environment.txt" || fail "environment.txt does not name the commit"
    ;;
all_pass)
    fake_machine
    check 0 "${python[@]}" --batches 1,8
    expect_row environment 'passed: Imaginary 9000*'
    expect_row golden-bf16-bvlc 'passed: 7 tests'
    expect_row memcheck-bvlc passed
    expect_row kernels-32 passed
    expect_row network-bf16 'passed: images/s at batch 1: 1000 (branches, graph), 8: 8000 (branches, graph)'
    expect_row training-bf16 'passed: images/s at batch 32: 32000 (branches, graph), 256: 256000 (branches, graph)'
    expect_call "--device cuda --precision bf16 --schedule branches,fused,serial --launch graph,eager -b 32,256 --train --rounds 2 --json $work/report/training/training-bf16.json"
    grep -qx '| bf16 | 256 | 256000 (branches,graph) | - | - |' "$report" || fail "no row of training"
    expect_call "profile --arch torchvision --device cuda --precision bf16 -b 256 --train --json $work/report/profile/profile-training-bf16-256.json"
    expect_call 'tune --arch torchvision --device cuda --precision bf16 --launch graph -b 1,32 --tune-seconds 20'
    expect_call "--train --precisions bf16 --modes graph -b 32,256 --json $work/report/peers-training/peers-training-bf16-graph.json"
    expect_row peers-tf32-compile passed
    expect_call 'test_conformance --gtest_filter=Devices/*'
    expect_call 'test_golden --gtest_filter=Golden/Inference.MatchesPyTorchInTf32/bvlc_*'
    expect_call 'compute-sanitizer --tool memcheck --error-exitcode 9 --leak-check full'
    expect_call 'compute-sanitizer --tool racecheck --error-exitcode 9 --kernel-name kns=_Z17adjust_loss_scale --kernel-name kns=_Z14apply_gradient'
    expect_call 'tiny_network torchvision bf16 branches'
    for tool in racecheck initcheck synccheck; do expect_call "compute-sanitizer --tool $tool --error-exitcode 9 "; done
    expect_call 'kernel_bench --batch 256 --json'
    expect_call '--modes graph -b 1,8 --json'
    expect_call '--modes graph -b 1,32,256 --json'
    for precision in fp32 tf32 fp16 bf16; do
        expect_call "--device cuda --precision $precision --schedule fused,branches,serial --launch graph,eager -b 1,8"
        [ -s "$work/report/network/network-$precision.json" ] || fail "no results of $precision"
    done
    if grep '^| [a-z].*| skipped' "$report"; then fail "something is skipped"; fi
    if grep -l 'unbound variable\|step.sh: line' "$work/report/logs"/*.log; then fail "step.sh itself complains"; fi
    ;;
failures)
    fake_machine
    fake "$work/build/tests/test_golden" <<<'case $* in *Bfloat16*) echo "the last words"; exit 1 ;; esac; echo "[  PASSED  ] 7 tests."'
    fake "$work/bin/compute-sanitizer" <<<'if [ $2 = racecheck ]; then exit 9; fi; if [ $2 = memcheck ]; then echo "LEAK SUMMARY: 8 bytes leaked in 1"; fi'
    fake "$work/bin/python" <<<'case $* in *peers_gpu*compile*) exit 1 ;; esac'
    check 1 "${python[@]}" --seconds 0.5
    expect_row golden-bf16-bvlc 'failed: exit code 1*'
    expect_row golden-fp16-bvlc 'passed: 7 tests'
    expect_row racecheck-bvlc 'failed: exit code 9'
    expect_row memcheck-bvlc 'failed: no leak check: LEAK SUMMARY: 8 bytes*'
    expect_row synccheck-bvlc passed
    expect_row peers-bf16-compile-1 'failed: exit code 1*'
    expect_row peers-bf16-graph passed
    # The report says what to do: the log, its end, and a command that runs that step again and keeps the rest.
    grep -q '^\*\*golden-bf16-bvlc\*\* failed.*logs/golden-bf16-bvlc.log' "$report" || fail "no word on what failed"
    grep -q '^    the last words$' "$report" || fail "the end of the log is not shown"
    sed -n 's/^    \(cd .* --only golden-bf16-bvlc\)$/\1/p' "$report" >"$work/again"
    grep -qF -e "--build $work/build --python python --seconds 0.5 --only golden-bf16-bvlc" "$work/again" || fail "the command is $(cat "$work/again")"
    fake_test "$work/build/tests/test_golden" 3 0 0
    bash "$work/again" >"$work/printed" 2>&1 || true # others have still failed
    expect_row golden-bf16-bvlc 'passed: 3 tests'
    expect_row golden-bf16-torchvision 'failed: exit code 1*'
    expect_row golden-fp16-bvlc 'passed: 7 tests'
    ;;
nothing_ran)
    fake_machine
    fake_test "$work/build/tests/test_golden" 0 0 0
    fake_test "$work/build/tests/test_conformance" 0 5 0
    fake "$work/build/tests/kernels_cuda/test_kernels_gpu" <<<'true'
    check 1 "${python[@]}" --only '[ckg]*'
    expect_row golden-fp32-bvlc 'failed: no test ran on the device'
    expect_row conformance 'skipped: all 5 tests were skipped*'
    expect_row kernels-edges 'failed: it ended without a summary'
    ;;
missing_parts)
    fake_machine
    rm "$work/build/benches/kernel_bench"
    rm "$work/bin/compute-sanitizer"
    fake "$work/bin/ldd" <<<'printf "\tlibcudnn.so.9 => not found\n\tlibcudart.so.13 => /x/libcudart.so.13 (0x1)\n"'
    fake "$work/bin/python" <<<'case $2 in *find_spec*) exit 1 ;; esac'
    check 0 "${python[@]}"
    expect_row golden-fp16-bvlc 'skipped: tests/test_golden needs what was not found: libcudnn.so.9'
    expect_row kernels-256 'skipped: kernel_bench is not built'
    expect_row limits 'skipped: python has no PyTorch'
    expect_row first-peers-bf16 'skipped: python has no PyTorch'
    grep -q '^- first-bf16: skipped: tributary needs what was not found' "$report" || fail "missing numbers are not named"
    rm "$work/bin/ldd"
    if ! command -v compute-sanitizer >/dev/null; then
        CUDA_HOME=$work/no-cuda check 3 "${python[@]}" --only 'memcheck-*'
        expect_row memcheck-bvlc 'skipped: compute-sanitizer was not found'
    fi
    # A CUDA library inside a Python package is found there.
    mkdir -p "$work/site/nvidia/cudnn/lib" "$work/site/nvidia/cu13/lib"
    touch "$work/site/nvidia/cudnn/lib/libcudnn.so.9" "$work/site/nvidia/cu13/lib/libcublasLt.so.13"
    fake "$work/bin/python" <<<"echo $work/site"
    check 0 "${python[@]}" --only conformance
    grep -q "^LD_LIBRARY_PATH=$work/site/nvidia/cu13/lib:$work/site/nvidia/cudnn/lib" "$work/report/logs/conformance.log" || fail "Python's packages are not used"
    ;;
out_of_time) # what does not fit in is skipped, what fits in is not, and what takes longer than expected is ended
    fake_machine
    fake "$work/build/tests/kernels_cuda/test_kernels_gpu" <<<'sleep 60'
    check 0 "${python[@]}" --minutes 0.2 --only '[elkg]*'
    expect_row environment 'passed: *'
    expect_row kernels-edges 'skipped: out of time after * s'
    expect_row limits 'skipped: out of time*'
    check 0 "${python[@]}" --minutes 0.3 --only '[cg]*'
    expect_row golden-bf16-torchvision 'skipped: out of time: it takes about 44 s, and 18 s were left'
    expect_row golden-modules 'passed: 7 tests'
    expect_row conformance 'skipped: out of time: it takes about 80 s, *'
    ;;
hanging_step) # costs its own time alone, and leaves nothing behind: not what ignores SIGTERM, not what has a session of its own
    needs pgrep
    fake_machine
    fake "$work/build/tests/test_conformance" <<<'trap "" TERM; setsid sleep 543.21 & exec sleep 543.21'
    check 1 "${python[@]}" --step-minutes 0.02 --only '[cg]*'
    expect_row conformance 'failed: not done after [1-9] s'
    expect_row golden-fp16-torchvision 'passed: 7 tests'
    if pgrep -f '^sleep 543.21' >"$work/printed"; then fail "the step went on: $(cat "$work/printed")"; fi
    ;;
cut) # while a step runs: what was known is in the report, the step does not go on, and the next run can
    fake_machine
    fake "$work/build/tests/test_conformance" <<<"trap '' TERM; sleep 3; touch $work/went-on; echo '[  PASSED  ] 7 tests.'"
    bash "$here/gpu_check.sh" --build "$work/build" --out "$work/report" "${python[@]}" >"$work/printed" 2>&1 &
    for _ in $(seq 200); do if grep -q '^test_conformance' "$calls"; then break; fi; sleep 0.1; done
    kill -TERM $!
    wait $! && fail "cut short, it succeeds"
    expect_row golden-bf16-torchvision 'passed: 7 tests'
    expect_row conformance 'skipped: the check ended before it'
    sleep 4
    [ ! -e "$work/went-on" ] || fail "the step went on"
    : >"$calls"
    fake_test "$work/build/tests/test_conformance" 5 0 0
    check 0 "${python[@]}" --resume
    expect_row golden-bf16-torchvision 'passed: 7 tests'
    expect_row conformance 'passed: 5 tests'
    if grep -q 'Bfloat16/torchvision' "$calls"; then fail "what had passed is run again"; fi
    expect_call '--gtest_filter=Golden/Inference.MatchesPyTorchInFloat32/bvlc_*'
    grep -q '^Nothing: every step passed' "$report" || fail "something is still to be done"
    ;;
numbers) # the report's table: the best of ours and of PyTorch's in a row, and their ratio
    fake_machine
    fake "$work/bin/python" <<'TEXT'
precision="" mode="" file=""
while [ $# -gt 0 ]; do case $1 in --precisions) precision=$2 ;; --modes) mode=$2 ;; --json) file=$2 ;; esac; shift; done
case $file in
*limits*) printf '{\n "limits": {\n  "device_copy_gb_per_s": 3000.5,\n  "launch_us": 2\n }\n}\n' >"$file" ;;
?*) printf '{\n "results": [\n  {\n   "engine": "pytorch-%s",\n   "precision": "%s",\n   "batch": 32,\n   "images_per_second": %d,\n   "device_images_per_second": 20000\n  }\n ],\n "errors": [\n  {\n   "engine": "x",\n   "precision": "fp16",\n   "batch": 1024,\n   "reason": ""\n  }\n ]\n}\n' \
    "$mode" "$precision" "$([ "$mode" = graph ] && echo 16000 || echo 10000)" >"$file" ;;
esac
TEXT
    check 0 "${python[@]}" --batches 1,32
    # The same row twice: of the network, and of training.
    [ "$(grep -cx '| bf16 | 32 | 32000 (branches,graph) | 16000 (pytorch-graph; on the device 20000) | 2.00 |' "$report")" -eq 2 ] || fail "no rows for bf16 32"
    grep -qx '| fp32 | 1 | 1000 (branches,graph) | - | - |' "$report" || fail "no row without PyTorch"
    if grep -q '^| fp16 | 1024' "$report"; then fail "an error is taken for a number"; fi
    grep -qx "The card's limits: device_copy_gb_per_s 3000, launch_us 2" "$report" || fail "no limits"
    ;;
order) # numbers of the network and of PyTorch come within four minutes, by the table's own times, also after a build
    read_steps "$here/steps.table"
    total=0 worst=0
    for name in "${steps[@]}"; do
        if [ "${limit[$name]}" -lt $((2 * expected[$name])) ]; then fail "$name: a limit is at least twice what is expected"; fi
        [ "${limit[$name]}" -le 600 ] || fail "$name may take more than ten minutes"
        total=$((total + expected[$name])) most=${limit[$name]}
        if [ "$name" = build ]; then most=30; fi # of what was packed, as gpu_check.sh says
        worst=$((worst + most))
        case ${command[$name]} in
        "network bf16 fused graph"*) : "${network:=$total}" ;;
        "peers bf16 graph"*) : "${peers:=$total}" "${hanging:=$worst}" ;;
        sanitize*) sanitized=yes ;;
        *) [ -z "${sanitized:-}" ] || fail "$name comes after the sanitizer" ;;
        esac
    done
    if [ "${network:-999}" -gt 240 ] || [ "${peers:-999}" -gt 240 ]; then fail "the first numbers come after ${network:-} and ${peers:-} s"; fi
    [ "$hanging" -le 540 ] || fail "if all before them hang, the first numbers come after $hanging s, not in nine minutes"
    [ "$(printf '%s\n' "${steps[@]}" | sort | uniq -d | wc -l)" -eq 0 ] || fail "two steps have the same name"
    for name in "${steps[@]}"; do if [[ ${command[$name]} == *golden* ]] && [ "${expected[$name]}" -gt 60 ]; then fail "$name takes minutes"; fi; done
    bash "$here/gpu_check.sh" --list >"$work/printed"
    sed -nE 's/^\| ([a-z0-9-]+) \| .* \| ([0-9]+) \| ([0-9]+) \|$/\1 \2 \3/p' "$here/../../benches/README.md" >"$work/told"
    [ -s "$work/told" ] || fail "benches/README.md has no table of the first steps"
    awk 'NR > 1 { print $1, $2, $3 }' "$work/printed" | head -n "$(wc -l <"$work/told")" | diff - "$work/told" || fail "benches/README.md tells other times"
    [ "$(wc -l <"$work/printed")" -eq $((${#steps[@]} + 1)) ] || fail "--list does not list every step"
    ;;
only)
    fake_machine
    check 0 "${python[@]}" --only 'network-bf*'
    expect_row network-bf16 'passed:*'
    expect_row network-fp16 'skipped: not asked for'
    expect_row conformance 'skipped: not asked for'
    check 3 "${python[@]}" --only 'no-such-step'
    ;;
usage)
    for wrong in "--minutes x" "--step-minutes -1" "--cache" "--batches 1,,2" "--seconds" "--nonsense" "--batches 0"; do
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
    # Other sources are told by their contents: the commit may be one of another repository.
    echo "0123456789ab, packed long ago" >"$work/build/bundle.txt"
    (cd "$here/../.." && sha256sum Makefile tests/gpu/steps.table) >"$work/build/sources.sha256"
    check 0 --only build
    expect_row build 'passed: copied from 0123456789ab, not built here'
    sed -i "1s/^[0-9a-f]*/$(sha256sum </dev/null | cut -d ' ' -f 1)/" "$work/build/sources.sha256"
    (cd "$here" && sha256sum steps.table | sed 's/steps.table/no such file/') >>"$work/build/sources.sha256"
    check 1 --only build
    expect_row build "failed: 2 files are not those that $work/build was packed from (0123456789ab): Makefile no such file; *"
    rm "$work/build/sources.sha256"
    # Built elsewhere: used; built here: built again.
    rm "$work/build/bundle.txt"
    echo "CMAKE_HOME_DIRECTORY:INTERNAL=/somewhere/else" >"$work/build/CMakeCache.txt"
    check 0 --only build
    echo "CMAKE_HOME_DIRECTORY:INTERNAL=$(cd "$here/../.." && pwd)" >"$work/build/CMakeCache.txt"
    fake "$work/bin/cmake" <<<'if [ "$4" = help ]; then printf "%s: phony\n" kernel_bench tributary tiny_network test_kernels_gpu test_conformance test_golden; fi'
    check 0 --only build
    expect_call "-DTRIB_CUDA_ARCHITECTURES=90"
    expect_call '--target tributary tiny_network test_kernels_gpu test_conformance test_golden kernel_bench'
    expect_row build 'passed: built here: tributary tiny_network *'
    ;;
parts) # every test with the label gpu is in one of the steps, and in one alone
    "$CTEST" --test-dir "$BUILT" -L '^gpu$' -N -V | sed -nE 's/^[0-9]+: Test command: "?([^" ]+).*/\1/p' | sort -u >"$work/labelled"
    printf "$BUILT/%s\n" tests/test_golden tests/test_conformance | sort -u - "$work/labelled" >"$work/all"
    for executable in "${executables[@]}"; do if [[ $executable == */test_* ]]; then echo "$BUILT/$executable"; fi; done | sort >"$work/listed"
    diff "$work/all" "$work/listed" || fail "< has tests for a GPU, > stands in steps.table"
    tests() { "$1" --gtest_list_tests --gtest_filter="$2" | awk '/^[^ ].*\.$/ { suite = $1 } /^  / { print suite $1 }'; }
    # No card runs the references in plain C.
    declare -A whole=([test_kernels_gpu]='*' [test_golden]='Golden*-*.ReferencesMatch*' [test_conformance]='Devices/*')
    while read -r executable; do
        tests "$executable" "${whole[$(basename "$executable")]}" | sort >"$work/whole"
        read_steps "$here/steps.table"
        awk -v e="${executable#"$BUILT"/}" '$4 == "test" && $5 == e { print $6 }' "$here/steps.table" >"$work/filters"
        while read -r filter; do tests "$executable" "$filter"; done <"$work/filters" | sort >"$work/parts"
        [ -s "$work/whole" ] || fail "$executable has no tests"
        diff "$work/whole" "$work/parts" || fail "$executable: < is in no step or > in two"
    done <"$work/listed"
    ;;
kernel_names) # racecheck looks at all of our kernels, by their names in the object files
    needs strings
    (STEP=x CACHE=$work/cache SOURCE=$(cd "$here/../.." && pwd) && export STEP CACHE SOURCE &&
        bash -c 'set -- none; step_none() { :; }; . "$SOURCE/tests/gpu/step.sh"; our_kernels --kernel-name') >"$work/options"
    strings -n 6 "$BUILT"/kernels/cuda/CMakeFiles/trib_kernels_cuda.dir/*.o | grep -oE '^\.nv\.info\._Z[0-9A-Za-z_]+' | sed 's/^.nv.info.//' | sort -u >"$work/kernels"
    [ "$(wc -l <"$work/kernels")" -ge 30 ] || fail "only these kernels: $(cat "$work/kernels")"
    sed 's/.*kns=/^/' "$work/options" >"$work/patterns"
    if grep -v -f "$work/patterns" "$work/kernels"; then fail "these kernels are not looked at"; fi
    while read -r pattern; do grep -q "$pattern" "$work/kernels" || fail "no kernel is called $pattern"; done <"$work/patterns"
    ;;
bundle) # moved away, the programs start with nothing but what was packed and CUDA's libraries
    needs_clone
    bash "$here/bundle.sh" --from "$BUILT" --out "$work/packed" --max-mb 1024 --archive "$work/all.tar.gz" >"$work/printed"
    mkdir "$work/unpacked" && tar -xf "$work/all.tar.gz" -C "$work/unpacked"
    diff -r "$work/packed" "$work/unpacked/tributary/build-gpu" || fail "the archive has other programs"
    for file in Makefile tests/gpu/steps.table; do cmp "$here/../../$file" "$work/unpacked/tributary/$file" || fail "the archive lacks $file"; done
    (cd "$work/unpacked/tributary" && sha256sum -c --quiet build-gpu/sources.sha256) || fail "the archive has other sources"
    grep -q '^build-gpu\|packed: .* MB, with the sources .* MB' "$work/printed" || fail "no sizes: $(cat "$work/printed")"
    mv "$work/packed" "$work/moved"
    cuda=$(ldd "$BUILT/tributary" | awk '$1 ~ /^libcudart/ { print $3 }' | xargs dirname)
    LD_LIBRARY_PATH=$work/moved/lib:$cuda "$work/moved/tributary" devices >"$work/printed"
    grep -q '^cuda' "$work/printed" || fail "the moved tributary knows no cuda device"
    mkdir "$work/data"
    cp "$here"/../data/infer-bvlc-seed1-n1-96.safetensors "$work/data"
    LD_LIBRARY_PATH=$work/moved/lib:$cuda TRIB_TEST_DATA=$work/data "$work/moved/tests/test_golden" --gtest_filter='*Inference*bvlc_96'
    if TRIB_TEST_DATA=$work/none "$work/moved/tests/test_golden" --gtest_filter='*Inference*bvlc_96' >"$work/printed"; then fail "TRIB_TEST_DATA is not used"; fi
    if TRIB_TEST_DEVICE=none "$work/moved/tests/test_golden" --gtest_filter='*Inference*bvlc_96' >"$work/printed"; then fail "TRIB_TEST_DEVICE is not used"; fi
    code=0 && bash "$here/bundle.sh" --from "$BUILT" --out "$work/moved" --max-mb 1 2>"$work/printed" || code=$?
    if [ $code -ne 1 ] || ! grep -q 'more than 1 MB' "$work/printed"; then fail "too large a bundle goes unnoticed"; fi
    for wrong in "--arch h100" "--max-mb 4x" "--archive a.zip" "--arch 90 --from $BUILT" "--arch"; do
        # shellcheck disable=SC2086 # words
        code=0 && bash "$here/bundle.sh" $wrong 2>"$work/printed" || code=$?
        [ $code -eq 2 ] || fail "bundle.sh $wrong ends with $code: $(cat "$work/printed")"
    done
    mkdir "$work/precious"
    if bash "$here/bundle.sh" --from "$BUILT" --out "$work/precious" 2>/dev/null; then fail "a folder that it did not make is replaced"; fi
    ;;
python_packages) # cuDNN and cuBLASLt are found there, if nowhere else, and where a ROOT says before all
    needs "$PYTHON3"
    for package in site/nvidia/cudnn site/nvidia/cu13 own; do mkdir -p "$work/$package/include" "$work/$package/lib"; done
    for package in site/nvidia/cudnn own; do
        touch "$work/$package/include/cudnn_graph.h" "$work/$package/lib/libcudnn.so.9"
        printf '#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 21\n#define CUDNN_PATCHLEVEL 1\n' >"$work/$package/include/cudnn_version.h"
    done
    touch "$work/site/nvidia/cu13/include/cublasLt.h" "$work/site/nvidia/cu13/lib/libcublasLt.so.13"
    fake "$work/bin/python" <<<"PYTHONPATH=$work/site exec $PYTHON3 \"\$@\""
    mkdir "$work/project"
    cat >"$work/project/CMakeLists.txt" <<TEXT
cmake_minimum_required(VERSION 3.25)
project(Finds LANGUAGES NONE)
list(APPEND CMAKE_MODULE_PATH $(cd "$here/../../runtime/cuda/libraries" && pwd))
set(CMAKE_FIND_LIBRARY_PREFIXES lib)
set(CMAKE_FIND_LIBRARY_SUFFIXES .so)
set(CUDAToolkit_VERSION_MAJOR 13)
find_package(CUDNN 9.8)
find_package(CUBLASLT)
foreach(name IN ITEMS CUDNN_INCLUDE_DIR CUDNN_LIBRARY CUDNN_VERSION CUBLASLT_INCLUDE_DIR CUBLASLT_LIBRARY)
  message(STATUS "\${name}=\${\${name}}")
endforeach()
TEXT
    find_in() { # EXPECTED-FOLDER OPTION...: nothing of the system's is looked at
        "$CMAKE" -S "$work/project" -B "$work/found" --fresh -DCMAKE_MAKE_PROGRAM=true "-DTRIB_PYTHON=$work/bin/python" \
            -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF "${@:2}" >"$work/printed" 2>&1 || fail "$(cat "$work/printed")"
        for line in "CUDNN_INCLUDE_DIR=$1/include" "CUDNN_LIBRARY=$1/lib/libcudnn.so.9" CUDNN_VERSION=9.21.1 \
            "CUBLASLT_INCLUDE_DIR=$work/site/nvidia/cu13/include" "CUBLASLT_LIBRARY=$work/site/nvidia/cu13/lib/libcublasLt.so.13"; do
            grep -qx -- "-- $line" "$work/printed" || fail "not '$line': $(cat "$work/printed")"
        done
    }
    find_in "$work/site/nvidia/cudnn"
    find_in "$work/own" "-DCUDNN_ROOT=$work/own"
    ;;
source_build) # without GoogleTest and without pkg-config's cJSON, with cuDNN and cuBLASLt of Python's packages: it is configured
    needs "$PYTHON3"
    mkdir -p "$work/site/nvidia/cudnn" "$work/site/nvidia/cu13/lib" "$work/cjson/include" "$work/cjson/lib"
    from_cache() { sed -n "s/^$1:[A-Z]*=//p" "$BUILT/CMakeCache.txt"; }
    ln -s "$(from_cache CUDNN_INCLUDE_DIR)" "$work/site/nvidia/cudnn/include"
    mkdir "$work/site/nvidia/cudnn/lib" && ln -s "$(from_cache CUDNN_LIBRARY)" "$work/site/nvidia/cudnn/lib/libcudnn.so.9"
    ln -s "$(from_cache CUBLASLT_INCLUDE_DIR)" "$work/site/nvidia/cu13/include"
    major=$(sed -n 's/^#define CUDART_VERSION *\([0-9]*\)[0-9]\{3\}$/\1/p' "$(from_cache CUBLASLT_INCLUDE_DIR)/cuda_runtime_api.h")
    ln -s "$(from_cache CUBLASLT_LIBRARY)" "$work/site/nvidia/cu13/lib/libcublasLt.so.$major"
    ln -s "$(pkg-config --variable=includedir libcjson)/cjson" "$work/cjson/include/cjson"
    ln -s "$(ldd "$BUILT/tributary" | awk '$1 ~ /^libcjson/ { print $3 }')" "$work/cjson/lib/libcjson.so.1"
    fake "$work/bin/python" <<<"PYTHONPATH=$work/site exec $PYTHON3 \"\$@\""
    "$CMAKE" -S "$here/../.." -B "$work/build" -DBUILD_TESTING=ON -DTRIB_GTEST=AUTO -DTRIB_CUDA=ON -DTRIB_CUDA_ARCHITECTURES=90 \
        -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON "-DCJSON_ROOT=$work/cjson" \
        "-DCUDNN_ROOT=$work/site/nvidia/cudnn" "-DTRIB_PYTHON=$work/bin/python" >"$work/printed" 2>&1 || fail "$(cat "$work/printed")"
    grep -q 'GoogleTest was not found: all programs called test_... are left out' "$work/printed" || fail "what is left out is not said: $(cat "$work/printed")"
    grep -q "^CUDNN_LIBRARY:FILEPATH=$work/site/nvidia/cudnn/lib/libcudnn.so.9" "$work/build/CMakeCache.txt" || fail "another cuDNN is found"
    grep -q "^CJSON_LIBRARY:FILEPATH=$work/cjson/lib/libcjson.so.1" "$work/build/CMakeCache.txt" || fail "another cJSON is found"
    "$CMAKE" --build "$work/build" --target help >"$work/targets"
    for target in tributary tiny_network kernel_bench; do grep -qw $target "$work/targets" || fail "no target $target"; done
    if grep -qw test_golden "$work/targets"; then fail "a test is built without GoogleTest"; fi
    # By default a missing GoogleTest is an error: who asks for tests wants them.
    if "$CMAKE" -S "$here/../.." -B "$work/other" -DTRIB_CUDA=OFF -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON >"$work/printed" 2>&1; then fail "no tests, and no error"; fi
    grep -q 'GoogleTest is needed' "$work/printed" || fail "GoogleTest is not named: $(cat "$work/printed")"
    ;;
peers_arguments)
    needs "$PYTHON3"
    export PYTHONDONTWRITEBYTECODE=1
    peers=$here/../../benches/peers
    for wrong in "peers.py --engines x" "peers.py --devices tpu" "peers.py --precision fp8" "peers_gpu.py --modes x" "peers_gpu.py --precisions fp32,fp8" "peers_gpu.py -b 0" "peers_gpu.py --train --modes streams" \
        "peers_gpu.py --train --width 0.5" "card_limits.py --device tpu"; do
        # shellcheck disable=SC2086 # words
        code=0 && "$PYTHON3" "$peers"/$wrong 2>/dev/null || code=$?
        [ $code -eq 2 ] || fail "$wrong ends with $code"
    done
    # What is not installed, or lacks a GPU, is skipped by name.
    "$PYTHON3" "$peers/peers.py" --list >"$work/listed"
    for engine in onnxruntime openvino-throughput pytorch-fork cuda-pytorch-streams cuda-onnxruntime cuda-tensorrt; do
        grep -q "^$engine" "$work/listed" || fail "no engine $engine"
    done
    if ! ls /dev/nvidia[0-9]* >/dev/null 2>&1; then
        code=0 && "$PYTHON3" "$peers/peers.py" --devices cuda --json "$work/none.json" 2>"$work/said" || code=$?
        [ $code -eq 1 ] || fail "without any engine it ends with $code"
        grep -q 'skipped cuda-tensorrt: ' "$work/said" || fail "$(cat "$work/said")"
        [ "$(grep -c '"reason"' "$work/none.json")" -eq 7 ] || fail "$(cat "$work/none.json")"
    fi
    code=0 && "$PYTHON3" "$peers/peers_gpu.py" --device cpu --modes tensorrt --precisions fp32 -b 1 --json "$work/trt.json" 2>/dev/null || code=$?
    if ! "$PYTHON3" -c 'import tensorrt' 2>/dev/null; then
        [ $code -eq 0 ] || fail "a mode that is skipped ends with $code"
        grep -q 'this Python has no tensorrt' "$work/trt.json" || fail "$(cat "$work/trt.json")"
    fi
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
    needs "$PYTHON3"
    "$PYTHON3" -c 'import torch, numpy' 2>/dev/null || skip "$PYTHON3 has no PyTorch"
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
    "$PYTHON3" -c 'import torchvision' 2>/dev/null || skip "$PYTHON3 has no torchvision, which --train needs"
    "$PYTHON3" "$here/../../benches/peers/peers_gpu.py" --train --device cpu --image-size 64 --modes eager --precisions fp32,bf16 -b 2 --seconds 0.1 \
        --json "$work/training.json"
    "$PYTHON3" - "$work/training.json" <<'TEXT' || fail "$(cat "$work/training.json")"
import json, sys
report = json.load(open(sys.argv[1]))
assert [(r["precision"], r["batch"]) for r in report["results"]] == [("fp32", 2), ("bf16", 2)], report
assert all(r["min"] <= r["images_per_second"] <= r["max"] and r["device_images_per_second"] > 0 for r in report["results"]), report
assert all(r["step_ms"]["min"] <= r["step_ms"]["p50"] and r["step_ms"]["count"] >= 3 for r in report["results"]), report
TEXT
    ;;
*) fail "no check '$1'" ;;
esac
