# SPDX-License-Identifier: Apache-2.0
# bench says what it measured: precision, schedule, launch, and the pixels that were handed over.
ok bench "$model" --device cuda -b 1 --iterations 1 --warmup 0 --pixels u8 --precision fp16 --schedule fused \
    --launch graph --json results.json
expect_out "precision fp16, schedule fused, launch graph, pixels u8"
expect_out "host memory as 8-bit pixels"
for pair in 'spec":	"cuda:0' 'precision":	"fp16' 'schedule":	"fused' 'launch":	"graph' 'pixels":	"u8'; do
    grep -qF "\"$pair\"" results.json || fail "$pair in the JSON"
done
ok bench "$model" --device cuda -b 1 --iterations 1 --warmup 0
expect_out "pixels f32"
# classify hands over 8-bit pixels, and so does what measures it
ok bench "$model" --device cuda -b 2 --end-to-end "$samples/30-bag.png"
expect_out "pixels u8"
