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
for key in model spec device library threads lanes precision schedule launch pixels results images_per_second latency_ms min mean median p90 \
    p95 p99 peak_rss_bytes start_to_first_ms includes rates with_copies end_to_end bound_by; do
    grep -q "\"$key\":" results.json || fail "$key in the JSON"
done
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
