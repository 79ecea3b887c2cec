# SPDX-License-Identifier: Apache-2.0
# No room for the output: exit code 1, the file named, and what was written is good for --resume.
full() {
    last="tributary $* >/dev/full"
    code=0
    "$program" "$@" >/dev/full 2>err </dev/null || code=$?
    : >out
    expect_code 1
    expect_err "standard output: cannot write"
    expect_err "No space left on device"
}
if [ -c /dev/full ]; then
    full help
    full devices
    full info "$model" --json
    full plan "$model"
    full classify "$model" "$samples"
    full bench "$model" -b 1 --iterations 1 --warmup 0 --json -
    full profile "$model" --device cpu --schedule serial --iterations 1 --warmup 0
    fails 1 "/dev/full: cannot write: No space left on device" classify "$model" "$samples" -o /dev/full
    fails 1 "/dev/full: cannot write" classify "$model" "$samples" -o out.csv --errors /dev/full
fi
# a file that may not grow past 1 KiB or so: in the middle of a row, at some point
ok classify "$model" "$samples" -b 4 -o whole.csv
last="tributary classify with a limited file size"
code=0
(
    ulimit -f 1
    "$program" classify "$model" "$samples" -b 4 -o part.csv >out 2>err </dev/null
) || code=$?
expect_code 1
expect_err "part.csv: cannot write"
expect_err "--resume"
[ -s part.csv ] || fail "the rows that fitted are kept"
ok classify "$model" "$samples" -b 4 -o part.csv --resume
expect_same part.csv whole.csv
# run writes all or nothing
header='{"input":{"dtype":"F32","shape":[1,3,64,64],"data_offsets":[0,49152]}}'
{ byte ${#header} 0 0 0 0 0 0 0; printf '%s' "$header"; fill 49152 0; } >in.safetensors
last="tributary run with a limited file size"
code=0
(
    ulimit -f 1
    "$program" run "$model" in.safetensors -o out.safetensors --outputs inception_3a/output >out 2>err </dev/null
) || code=$?
expect_code 1
expect_err "out.safetensors"
[ ! -e out.safetensors ] || fail "no half a file"
fails 1 "/dev/null: exists and is not a regular file" run "$model" in.safetensors -o /dev/null
