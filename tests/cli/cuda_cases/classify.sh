# SPDX-License-Identifier: Apache-2.0
# Images go to the card as 8-bit pixels and come back as the likeliest classes: the same as on the cpu.
set -- "$samples/00-ankle-boot.png" "$samples/01-pullover.png" "$samples/30-bag.png"
ok classify "$model" "$@" --device cpu
cp out cpu.csv
ok devices
expect_out "cuda:0     available"
grep -Eq '^  precisions    fp32 tf32 fp16 bf16$' out || fail "precisions"
grep -Eq '^  pixels        u8 f32$' out || fail "pixels"
expect_out "targets"
ok devices --json
expect_out '"precisions":	["fp32", "tf32", "fp16", "bf16"]'
expect_out '"pixels":	["u8", "f32"]'

for options in "" "-b 2 -j 3" "--schedule branches" "--schedule fused" "--schedule fused,inception_3a=serial,inception_4b=branches" "--launch graph" "--lanes 2 -b 1"; do
    # shellcheck disable=SC2086
    ok classify "$model" "$@" --device cuda $options
    expect_close out cpu.csv
done
fails 1 "on the cpu device only" classify "$model" "$@" --device cuda --reference
# what happens to the pixels happens on the card: mean, scale and order of channels
normalise="--mean 0.1,0.2,0.3 --std 0.5,0.6,0.7 --channels bgr --img-size 96 --crop-pct 0.8"
# shellcheck disable=SC2086
ok classify "$model" "$@" --device cpu $normalise
cp out other.csv
! cmp -s other.csv cpu.csv || fail "other preprocessing, other results"
# shellcheck disable=SC2086
ok classify "$model" "$@" --device cuda $normalise
expect_close out other.csv
# fewer bits: the same classes
sed 1d cpu.csv | cut -d, -f2 >wanted
for precision in tf32 fp16 bf16; do
    ok classify "$model" "$@" --precision $precision --topk 1
    sed 1d out | cut -d, -f2 >classes
    expect_same classes wanted
done
# a damaged image among good ones
head -c 200 "$samples/01-pullover.png" >cut.png
run classify "$model" "$samples/00-ankle-boot.png" cut.png "$samples/30-bag.png" --device cuda -b 2
expect_code 3
sed 3d cpu.csv >wanted
expect_close out wanted

mkdir -p set/Bag "set/Ankle boot"
cp "$samples/30-bag.png" set/Bag
cp "$samples/00-ankle-boot.png" "set/Ankle boot"
ok eval "$model" set --device cuda --confusion
expect_out '"top1":	100'
expect_out '"num_images":	2'
