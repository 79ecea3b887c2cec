# SPDX-License-Identifier: Apache-2.0
# profile: tables and sentences for people, JSON and a trace for programs. That sums are exact is tested in
# profile_command_test.cc.
profile() { ok profile "$model" --device cpu --iterations 2 --warmup 1 "$@"; }

profile --json p.json --trace t.json --html r.html
expect_out "batch 1, precision fp32, launch eager; 1 lane of "
expect_out "; 2 iterations of each"
expect_out "Time in ms, median, and how many times as fast as serial"
expect_out "branches: gain = "
expect_out "Module by module"
expect_out "Timing changes the processor time of a batch (branches), by"
expect_out "Bounds assume copies of "
for module in inception_3a inception_3b inception_4a inception_4b inception_4c inception_4d inception_4e inception_5a inception_5b; do
    expect_out "$module"
done
awk 'NR > 1 && length($0) > 100 && !/--schedule/ { exit 1 }' out || fail "100 columns"
! grep -Eq '(nan|inf)( |$)' out || fail "only numbers"
for key in model spec device batch iterations lanes threads_per_lane copy_bytes_per_second start_latency_ns verdict notes \
    schedules wall_ns serial_wall_ns idle_ns factor_stretch gain_at_most limited_by overlap_share trace issued_ns start_ns \
    end_ns alone_ns slack_ns critical_path sentence; do
    grep -q "\"$key\":" p.json || fail "$key in the JSON"
done
! grep -Eq '[:[,]	?-?(nan|inf)' p.json || fail "only numbers in the JSON"
grep -q '"traceEvents"' t.json || fail "a trace"
grep -q 'inception_5b/3x3_reduce' t.json || fail "ops in the trace"
grep -q 'inception_5b' r.html || fail "a page"
grep -q 'These are too few iterations to say which schedule is the fastest' r.html || fail "no claim of so few"
grep -q '"fastest_but_serial":' p.json || fail "the choice"
! grep -q '"schedule_to_use":' p.json || fail "no choice of so few"
# several schedules, one of them mixed; nothing but JSON with -
profile --schedule branches,inception_3a=serial,branches,inception_3b=serial
expect_out "  schedule 1  "
expect_out "schedule 2: gain = "
grep -q '^schedule 2: branches,inception_3b=serial$' out || fail "mixtures are told apart"
expect_out "Idle, % of streams' time in the run in the middle:"
profile --schedule fused,branches,inception_3a=serial --json -
head -1 out | grep -q '^{' || fail "nothing but JSON"
for schedule in serial fused branches,inception_3a=serial; do
    grep -q "\"name\":	\"$schedule\"" out || fail "schedule $schedule"
done
# a module in detail, all of them, and serial alone
cp t.json before
profile --schedule branches --module inception_4a --json p.json --trace t.json --overwrite
! cmp -s t.json before || fail "the trace is replaced"
expect_out "  branches, the run in the middle: "
expect_out "    stream 1: busy "
expect_out "    Critical path: ops "
expect_out "3x3_reduce"
! grep -q '^inception_4b$' out || fail "only one module"
profile --details --schedule serial
expect_out "inception_5b"
expect_out "Only serial was measured"
# several images on several lanes, as a recorded plan
profile -b 4 --launch graph --schedule branches --threads 2
expect_out "launch graph; 2 lanes of 1 thread, 2 images at a time"
expect_out "the whole batch"
# a step of training has modules that go forward and backward
ok profile --device cpu --arch torchvision --img-size 32 --width-multiplier 0.1 -b 2 --train --iterations 1 --warmup 0 \
    --schedule branches
expect_out "batch 2, a step of training"
expect_out "inception_3a backward"
expect_out "A verdict needs 6 iterations or more; in these, "

# what cannot be is said before anything is measured
fails 1 "the network has no module 'inception_4x'; did you mean 'inception_4a'?" profile "$model" --module inception_4x
fails 1 "p.json: already exists" profile "$model" --json p.json
fails 1 "t.json: already exists" profile "$model" --trace t.json
fails 1 "r.html: already exists" profile "$model" --html r.html
fails 1 "are the same file" profile "$model" --trace x --json ./x
fails 1 "MODEL $model would be lost: --trace" profile "$model" --trace "$model" --overwrite
fails 1 "cannot open it for writing" profile "$model" --json no/such/folder/p.json
fails 1 "no/such/folder/t.json: cannot write into its folder" profile "$model" --trace no/such/folder/t.json
mkdir d
fails 1 "d: is a folder, not a file that could be replaced" profile "$model" --html d
fails 1 "d: is a folder, not a file that could be replaced" profile "$model" --trace d
fails 1 "/dev/null: is a device, not a file that could be replaced" profile "$model" --html /dev/null
fails 2 "--trace and --html take the name of a file" profile "$model" --trace -
fails 2 "--trace and --html take the name of a file" profile "$model" --html -
fails 1 "no/such/folder/r.html: cannot write into its folder" profile "$model" --html no/such/folder/r.html
if [ -c /dev/full ]; then
    fails 1 "/dev/full: cannot write: No space left on device" profile "$model" --device cpu --schedule serial \
        --iterations 1 --warmup 0 --json /dev/full
fi

# a report of Nsight Systems, which this is not
fails 1 "p.json" profile --nsys p.json
fails 1 "no-such-file" profile --nsys no-such-file

# an interruption ends it cleanly
last="tributary profile (then SIGINT)"
"$program" profile "$model" --device cpu --iterations 100000 >out 2>err </dev/null &
pid=$!
tries=0
until grep -q 'lane 0' /proc/$pid/task/*/comm 2>/dev/null; do # it measures
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "streams of a session"
    sleep 0.1
done
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
expect_code 1
expect_no_out
expect_no_err
