# SPDX-License-Identifier: Apache-2.0
# bench: numbers, what they include, and the JSON that scripts read.
ok bench "$model" -b 1,3 --iterations 3 --warmup 1 --json results.json
expect_out "batch 1, 1 in flight, 3 runs"
expect_out "batch 3, 1 in flight, 3 runs"
for rate in "device       pixels and logits in host memory" "with copies  pixels and logits in memory of trib_host_alloc" \
    "end to end   pixels and logits in ordinary memory" "  images/s      device "; do
    expect_out "$rate"
done
expect_out "bound by computing: device memory is host memory, nothing is copied"
for key in model spec device library threads lanes precision schedule launch pixels results images_per_second latency_ms count min mean p50 \
    session_bytes start_to_first_ms includes rates with_copies end_to_end bound_by rounds images_per_second_by_round measured_seconds; do
    grep -q "\"$key\":" results.json || fail "$key in the JSON"
done
# Two measurements alternate; three runs support no other percentile than the middle.
expect_out "2 measurements in 3 rounds: each has a turn in every round"
expect_out "of 3 runs (p90 needs 10)"
expect_out " MiB for the session"
! grep -Eq '"(p90|p95|p99|ratio_to_first|not_measured)"' results.json || fail "percentiles of three runs"
expect_out "precision fp32, schedule serial, launch eager, pixels f32"
grep -q '"precision":	"fp32"' results.json || fail "the precision"
grep -q '"iterations":	3' results.json || fail "three iterations"
! grep -Eq '(nan|inf|null)' results.json || fail "only numbers"
fails 1 "results.json: already exists" bench "$model" -b 1 --iterations 1 --json results.json
ok bench --arch bvlc --img-size 64 --width-multiplier 0.25 -b 2 --seconds 0.05 --json -
head -1 out | grep -q '^{' || fail "nothing but JSON"
expect_out '"batch":	2'
ok bench "$model" --device cpu --end-to-end "$samples" -b 8 --schedule branches --launch graph --json end.json
expect_out "precision fp32, schedule branches, launch graph, pixels f32"
grep -q '"schedule":	"branches"' end.json || fail "the schedule"
grep -q '"launch":	"graph"' end.json || fail "the launch"
expect_out "batch 8, 20 images end to end, 0 skipped"
# One rate alone, which then stands for all.
ok bench "$model" -b 1 --iterations 2 --rate device --schedule fused,inception_3a=serial --json one.json
expect_out "schedule fused,inception_3a=serial, launch"
grep -q '"schedule":	"fused,inception_3a=serial"' one.json || fail "the schedules of single forks"
expect_out "batch 1, 1 in flight, 2 runs"
! grep -q "images/s .*with copies" out || fail "one rate only"
! grep -Eq '"(with_copies|end_to_end|bound_by|latency_ms)"' one.json || fail "one rate only, in the JSON"
ok bench "$model" -b 1 --iterations 2 --rate end-to-end --json -
grep -q '"end_to_end":' out || fail "the rate"
# Several batches at once have a throughput, but no latency of their own.
ok bench "$model" -b 2 --in-flight 2 --iterations 2 --json flight.json
expect_out "batch 2, 2 in flight, 2 runs"
grep -q '"in_flight":	2' flight.json || fail "two in flight"
! grep -q latency_ms flight.json || fail "no latency"
# A single measurement has the memory of the process to itself, and with enough runs every percentile.
ok bench --arch bvlc --img-size 32 --width-multiplier 0.1 -b 1 --iterations 100 --warmup 0 --rate copies --json percentiles.json
expect_out "of 100 runs"
expect_out " MiB at the peak of the process"
for key in p90 p95 p99 peak_rss_bytes; do grep -q "\"$key\":" percentiles.json || fail "$key of 100 runs"; done

# A sweep: every combination has a row. What the device cannot do is named, and the exit code says so.
small="--arch torchvision --img-size 32 --width-multiplier 0.1 --classes 10"
# shellcheck disable=SC2086
fails 3 "4 of 8 combinations could not be measured" bench $small --device cpu -b 1,2 --schedule serial,fused,inception_3a=branches \
    --precision fp32,bf16 --iterations 5 --warmup 1 --rounds 2 --json sweep.json --export-times times.csv --plot sweep.svg
expect_out "8 measurements in 2 rounds"
[ "$(grep -c 'not measured: .*does not compute in bf16' out)" -eq 4 ] || fail "four rows without numbers"
for row in '^ *1  fp32, serial  ' '^ *2  fp32, fused,inception_3a=branches  '; do grep -q "$row" out || fail "$row"; done
expect_out "ratio: to 'fp32, serial' at the same batch size, within each round"
[ "$(grep -c '"images_per_second":' sweep.json)" -eq 4 ] || fail "four results in the JSON"
[ "$(grep -c '"reason":' sweep.json)" -eq 4 ] || fail "four reasons in the JSON"
[ "$(grep -c '"ratio_to_first":' sweep.json)" -eq 2 ] || fail "two compared with the first"
# One that is impossible does not end the others.
# shellcheck disable=SC2086
fails 3 "1 of 2 combinations could not be measured" bench $small --device cpu -b 1 --in-flight 1,1024 --iterations 1 --warmup 0 \
    --rate device
expect_out "1024 in flight  not measured: 2048 batches in flight of a session are not possible, at most 1024 are"
# Times: three rates of four combinations, five runs each, and turns forwards, then backwards.
expect_lines 61 times.csv
[ "$(sed -n 1p times.csv)" = batch,precision,schedule,launch,in_flight,rate,round,start_s,ms ] || fail "the header"
grep -q '^2,fp32,"fused,inception_3a=branches",eager,1,end_to_end,2,' times.csv || fail "a schedule with a comma"
order() { grep "device,$1," times.csv | sort -t , -s -g -k "$2" | sed 's/,eager.*//' | uniq | tr '\n' ' '; }
sed 's/"fused,inception_3a=branches"/other/' times.csv >plain && mv plain times.csv
[ "$(order 1 8)" = "1,fp32,serial 1,fp32,other 2,fp32,serial 2,fp32,other " ] || fail "forwards: $(order 1 8)"
[ "$(order 2 8)" = "2,fp32,other 2,fp32,serial 1,fp32,other 1,fp32,serial " ] || fail "backwards: $(order 2 8)"
for part in '<title id="title">' 'role="img"' 'fp32, serial' 'Images per second' 'Latency of a batch' 'prefers-color-scheme'; do
    grep -q "$part" sweep.svg || fail "$part in the plot"
done
! grep -q bf16 out || grep -q 'bf16, serial: nothing' sweep.svg || fail "a curve without points is said to have none"
# shellcheck disable=SC2086
ok bench $small -b 1 --launch eager,graph --iterations 3 --rate copies --export-times times.json --json -
[ "$(grep -c '"rate":"with_copies"' times.json)" -eq 6 ] || fail "two combinations in three rounds"
head -1 out | grep -q '^{' || fail "nothing but JSON"
# shellcheck disable=SC2086
ok bench $small -b 2 --train --schedule serial,branches --iterations 2 --warmup 1 --export-times steps.csv
[ "$(grep -c ',step,' steps.csv)" -eq 4 ] || fail "four steps"
ok bench "$model" --end-to-end "$samples" -b 8 --launch eager,graph --plot passes.svg
expect_out "2 measurements in 1 round"
# shellcheck disable=SC2086
ok bench $small -b 1,2 --total-seconds 0.2 --rounds 2 --warmup 0
# Ops are timed in runs of their own: all of them, on their streams, in parts that make a whole.
# shellcheck disable=SC2086
ok bench $small --device cpu -b 1,2 --schedule serial,branches --iterations 3 --warmup 0 --rate copies --export-layers layers.csv
expect_out "Ops are now timed in further runs, one at a time"
for row in '^1,fp32,serial,eager,1,1,conv1/7x7_s2,conv2d,' '^2,fp32,branches,eager,.*,inception_3a/3x3,conv2d,.*,inception_3a,1,1,'; do
    grep -q "$row" layers.csv || fail "$row"
done
grep -q '^1,fp32,branches,.*,conv1/7x7_s2,conv2d,[^,]*,,-1,0,' layers.csv || fail "the trunk is no branch"
awk -F, 'NR == 1 { if ($19 != "") bad = 1; next }
    { sum[$1 "," $3] += $18; if (!($15 > 0 && $16 <= $15 && $15 <= $17 && $14 >= 0 && $13 >= 3)) bad = 1 }
    END { for (cell in sum) { ++cells; if (!(sum[cell] > 0.999 && sum[cell] < 1.001)) bad = 1 }; exit bad || cells != 4 }' layers.csv ||
    fail "times and shares in layers.csv"
# shellcheck disable=SC2086
ok bench $small --device cpu -b 2 --train --iterations 1 --export-layers layers.json
for part in '"times_by":"worker threads"' '"name":"conv1/7x7_s2","op":"conv2d"' '"runs":1,'; do
    grep -q "$part" layers.json || fail "$part in layers.json"
done
# Sessions that do not fit side by side are opened for each of their turns; one that does not fit alone is named.
few="-b 1,4 --reference --threads 1 --device cpu --iterations 2 --warmup 0 --rate device"
# shellcheck disable=SC2086
ok bench $small $few --memory-limit 1M
! grep -q "for want of memory" out || fail "both fit into 1 MiB"
# shellcheck disable=SC2086
ok bench $small $few --memory-limit 600K
expect_out "batch 4, 1 in flight, 2 runs"
expect_out "not all sessions stayed open between their turns, for want of memory"
# shellcheck disable=SC2086
fails 3 "1 of 2 combinations could not be measured" bench $small $few --memory-limit 380K
expect_out "batch 4: not measured: "
# shellcheck disable=SC2086
fails 1 "cpu memory: " bench $small $few --memory-limit 100K
# Interrupted, it prints what was measured until then; how soon that is depends on the machine.
wait_seconds=1
until grep -q "^batch 1, 1 in flight" out; do
    [ "$wait_seconds" -le 64 ] || fail "what was measured before the signal"
    last="tributary bench (then SIGTERM)"
    rm out
    # shellcheck disable=SC2086
    "$program" bench $small --device cpu -b 1 --seconds 1000 --json part.json >out 2>err &
    pid=$!
    until grep -q "^Not included" out 2>/dev/null || ! kill -0 "$pid" 2>/dev/null; do sleep 0.1; done # from then on it catches signals
    sleep "$wait_seconds"
    kill -TERM "$pid"
    code=0
    wait "$pid" || code=$?
    expect_code 1
    wait_seconds=$((2 * wait_seconds))
done
[ ! -s part.json ] || fail "a file holds whole results"

fails 2 "leave one out" bench "$model" --seconds 1 --total-seconds 1
fails 2 "leave out --end-to-end" bench "$model" --end-to-end "$samples" --export-times x
fails 2 "leave out --end-to-end" bench "$model" --end-to-end "$samples" --export-layers x
fails 2 "leave one out" bench "$model" --end-to-end "$samples" --in-flight 1
for option in --export-times --export-layers --plot; do
    fails 2 "take the name of a file" bench "$model" $option -
done
fails 2 "--launch does not take 'eager,lazy'; it takes eager and graph" bench "$model" --launch eager,lazy
fails 2 "--schedule does not take 'serial,none'" bench "$model" --schedule serial,none
fails 1 "--plot can tell 12 curves apart, but these are 24" bench "$model" --schedule serial,branches,fused --launch eager,graph \
    --precision fp32,tf32,fp16,bf16 --plot x
[ ! -e x ] || fail "nothing is left behind"
