# SPDX-License-Identifier: Apache-2.0
# Tall images are resized as Pillow up to 12 does, or as Pillow 13: the model's choice, or an option's.
tall=${model%/models/*}/tests/data/images/tall-45x150.png
classify() { ok classify "$@" "$tall" --topk 1 --interpolation bicubic; }
classify "$model"
cp out pillow_12
classify "$model" --resample-order horizontal-first
expect_same out pillow_12
classify "$model" --resample-order cheaper-first
cp out pillow_13
! cmp -s out pillow_12 || fail "Pillow 13's pixels give other probabilities"
# The other order in the model file, in as many bytes.
sed 's/\\"horizontal_first\\"/\\"cheaper_first\\"   /' "$model" >made_with_13.safetensors
classify made_with_13.safetensors
expect_same out pillow_13
classify made_with_13.safetensors --resample-order horizontal-first
expect_same out pillow_12
ok info made_with_13.safetensors
expect_out "squash 64 bilinear as Pillow 13"
ok info "$model" --json
expect_out '"resample_order":	"horizontal first"'
