# SPDX-License-Identifier: Apache-2.0
# devices, info and plan: what they must tell, as text and as JSON.
ok devices
expect_out "cpu        available"
expect_out "instructions"
expect_out "library"
expect_out "layouts"
expect_out "cuda"
grep -Eq '^  precisions    fp32$' out || fail "the cpu's precision"
grep -Eq '^  pixels        f32$' out || fail "the pixels the cpu takes"
ok devices --json
expect_out '"spec":	"cpu"'
expect_out '"available":	true'
expect_out '"precisions":	["fp32"]'
expect_out '"pixels":	["f32"]'

# the paper's Table 1
ok info --arch bvlc
expect_no_err
grep -Eq '^inception_3a +28x28x256 +2 +64 +96 +128 +16 +32 +32 +164K +128M$' out || fail "inception_3a as in the paper"
grep -Eq '^inception_5b +7x7x1024 +2 +384 +192 +384 +48 +128 +128 ' out || fail "inception_5b as in the paper"
grep -Eq '^conv2/3x3 +3x3/1 +56x56x192 +2 +64 +192 +115K +360M$' out || fail "conv2 with its reduction"
expect_out "parameters     6998552"
ok info --arch torchvision --json
expect_out '"parameters":	6624904'
expect_out '"network":	"torchvision"'
ok info --arch googlenet --aux --json
expect_out '"parameters":	13004888'
ok info --arch googlenet --classes 10 --width-multiplier 0.5 --img-size 128
expect_out "classes        10"
expect_out "input          128 x 128"
ok info "$model"
expect_out "classes        10, 10 labels"
expect_out "preprocessing  squash 64 bilinear"
expect_out "Fashion-MNIST"
ok info "$model" --json --layers
expect_out '"labels":	["T-shirt/top"'
expect_out '"name":	"inception_3a/3x3_reduce"'
ok info "$model" --layers
grep -Eq '^inception_3a/3x3_reduce +conv2d +96x8x8 +inception_3a:1 ' out || fail "a layer with its branch"
# preprocessing as the options change it
ok info "$model" --img-size 96 --crop-pct 0.75 --crop-mode center --interpolation bicubic --mean 0.1,0.2,0.3 \
    --std=1,2,3 --channels bgr
expect_out "preprocessing  short side 128 bicubic, centre crop 96 x 96, pixel * 0.00392157, minus 0.1,0.2,0.3, over 1,2,3"
expect_out "BGR"
fails 1 "std" info "$model" --std 1,0,1

ok plan "$model" -b 4
expect_out "batch 4"
expect_out "inception_3a/3x3"
cp out serial
ok plan "$model" -b 4 --schedule branches
! cmp -s out serial || fail "branches differ from serial"
ok plan "$model" -b 4 --schedule fused
expect_out "schedule fused"
# Some modules otherwise: the plan says which, in words that make the same plan.
ok plan "$model" --schedule 'branches,inception_3a=serial,inception_4*=fused' --schedule inception_4c=serial
expect_out "schedule branches,inception_3a=serial,inception_4a=fused,inception_4b=fused,inception_4c=serial,inception_4d=fused,inception_4e=fused, precision"
cp out mixed
ok plan "$model" --schedule "$(sed -nE '1s/.*schedule (.*), precision.*/\1/p' mixed)"
expect_same out mixed
ok plan "$model" --schedule inception_3a=branches --explain
expect_out "assign_streams: serial,inception_3a=branches, 4 streams"
ok plan "$model" --schedule fused,inception_5b=serial --json
expect_out '{"name": "inception_5a", "parent": -1, "schedule": "fused"}, {"name": "inception_5b", "parent": -1, "schedule": "serial"}'
fails 1 "there is no fork 'inception_9'; there are inception_3a, inception_3b" plan "$model" --schedule serial,inception_9=fused
ok plan "$model" --explain
expect_out "workspaces), parameters "
expect_out "prepare_parameters: those of 58 ops are packed"
expect_out "inception_3a/3x3/fold"
[ "$(wc -l <out)" -gt "$(wc -l <serial)" ] || fail "--explain says more"
ok plan "$model" --json
expect_out '"implementation"'
cp out json
ok plan "$model" --json
expect_same out json
ok plan --arch bvlc --disable-pass elide_concat,plan_memory --disable-pass fuse_bias_relu
ok plan --arch bvlc --reference --memory-limit 2G
expect_out "reference"
