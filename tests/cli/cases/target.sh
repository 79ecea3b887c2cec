# SPDX-License-Identifier: Apache-2.0
# Plans for a card of another machine: a build with CUDA knows some by name, a build without reports that it has none.
ok devices
targets=$(sed -n 's/^  targets       \(.*\) (plan --target)$/\1/p' out)
fails 1 "a target (h200) belongs to device cuda" plan "$model" --target h200 --device cpu
if [ -z "$targets" ]; then
    fails 1 "this build has no CUDA device" plan "$model" --target h200
    return
fi
ok devices --json
for target in $targets; do
    grep -q "\"targets\":.*\"$target\"" out || fail "$target in the JSON"
done
fails 1 "--target: there is no card 'voodoo'; there are $(echo "$targets" | sed 's/ /, /g')" plan "$model" --target voodoo
target=${targets%% *}
for precision in fp32 tf32 fp16 bf16; do
    ok plan --arch googlenet --target "$target" --precision $precision -b 32
    expect_out "on cuda ($target): batch 32, schedule serial, precision $precision"
done
cp out chosen
ok plan --arch googlenet --target "$target" --device cuda --precision bf16 -b 32
expect_same out chosen
ok plan --arch bvlc --target "$target" --train -b 256
for text in "A step at best:" "At the peak, op " "Fits: "; do expect_out "$text"; done
if [ "$target" = h200 ]; then expect_out "Goal: 42000 images/s "; fi
ok plan --arch bvlc --target "$target" --schedule fused --json
expect_out '"schedule": "fused"'
