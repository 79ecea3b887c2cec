# SPDX-License-Identifier: Apache-2.0
# bench reports what it measured: precision, schedule, launch, and the input pixels.
ok bench "$model" --device cuda -b 1 --iterations 1 --warmup 0 --pixels u8 --precision fp16 --schedule fused \
    --launch graph --json results.json
expect_out "precision fp16, schedule fused, launch graph, pixels u8"
expect_out "pixels are 8-bit, normalised by the device"
expect_out "with copies  pixels in page-locked memory to the device"
expect_out "bound by" # which limit it is depends on how fast this machine simulates
expect_out "latency ms"
for key in device with_copies end_to_end bound_by bound copy_alone_bytes_per_second bytes_to_device_per_image latency_ms; do
    grep -q "\"$key\":" results.json || fail "$key in the JSON"
done
grep -q '"bytes_to_device_per_image":	12288' results.json || fail "64 x 64 pixels of three bytes"
for pair in 'spec":	"cuda:0' 'precision":	"fp16' 'schedule":	"fused' 'launch":	"graph' 'pixels":	"u8'; do
    grep -qF "\"$pair\"" results.json || fail "$pair in the JSON"
done
# two batches in flight and 8-bit pixels unless something else is asked for
ok bench "$model" --device cuda -b 1 --iterations 1 --warmup 0 --rate copies
expect_out "pixels u8"
expect_out "batch 1, 2 in flight"
ok bench "$model" --device cuda -b 1 --iterations 1 --warmup 0 --pixels f32 --in-flight 1 --rate copies
expect_out "pixels f32"
expect_out "batch 1, 1 in flight"
# classify hands over 8-bit pixels, and so does what measures it
ok bench "$model" --device cuda -b 2 --end-to-end "$samples/30-bag.png"
expect_out "pixels u8"
# steps of training beside what the card allows; in tf32 the simulated library has an engine that sums in any order
ok bench --device cuda --arch torchvision --img-size 32 --width-multiplier 0.1 --train -b 4 --iterations 1 --warmup 0 \
    --precision tf32 --fast --json train.json
expect_out "images/s, each op at the card's limit; this is "
expect_err "ops may sum in any order"
for key in images_per_second_at_best any_order_ops; do grep -q "\"$key\":" train.json || fail "$key in the JSON"; done
# a sweep compares precisions within rounds; device memory is that of each session
ok bench --device cuda --arch torchvision --img-size 32 --width-multiplier 0.1 -b 1 --precision fp16,bf16 --iterations 2 --warmup 0 \
    --rate copies --json sweep.json --export-layers layers.csv
expect_out "2 measurements in 2 rounds"
expect_out "ratio: to 'fp16' at the same batch size, within each round"
for key in ratio_to_first session_bytes images_per_second_by_round; do grep -q "\"$key\":" sweep.json || fail "$key in the JSON"; done
for row in '^1,fp16,serial,eager,2,1,input/normalise,preprocess,' '^1,bf16,serial,eager,2,1,conv1/7x7_s2,conv2d,'; do
    grep -q "$row" layers.csv || fail "$row"
done
