# SPDX-License-Identifier: Apache-2.0
# Training without a run: its plan, its speed, and its numbers.
small="--arch torchvision --img-size 32 --width-multiplier 0.25 --classes 10"
# shellcheck disable=SC2086
ok plan $small --train -b 4
expect_out "loss1/classifier/backward"
expect_out "Memory of a step:"
expect_out "At the peak, op "
expect_out "Fits: "
# shellcheck disable=SC2086
ok plan $small --train -b 4 --fast
expect_err "--fast changes nothing here"
fails 2 "--fast is for training: add --train" plan "$model" --fast
fails 2 "--fast is for training: add --train" bench "$model" --fast
# shellcheck disable=SC2086
ok plan $small --train -b 4 --grad-accum-steps 2
expect_out "gradients of a run, and their sum"
fails 2 "--grad-accum-steps is for training: add --train" plan "$model" --grad-accum-steps 2
# shellcheck disable=SC2086
ok plan $small --train -b 4 --aux-weight 0 --json
if grep -q "loss1/classifier" out; then fail "no auxiliary classifiers"; fi

# shellcheck disable=SC2086
ok bench $small --train -b 2,4 --iterations 3 --warmup 1
expect_out "batch 4, 3 steps of training: "
expect_out "memory        grows by "
# shellcheck disable=SC2086
ok bench $small --aux --train -b 4 --iterations 3 --json -
for key in images_per_second rss_before_bytes peak_rss_bytes plan_bytes; do expect_out "\"$key\":"; done
fails 2 "--train measures steps of training" bench "$model" --train --rate device

# tensors: two images of -1.0, and labels
header='{"input":{"dtype":"F32","shape":[2,3,32,32],"data_offsets":[0,24576]},"labels":{"dtype":"I32","shape":[2],"data_offsets":[24576,24584]}}'
batch() {
    byte ${#header} 0 0 0 0 0 0 0
    printf '%s' "$header"
    fill 6144 1 | sed "s/$(printf '\001')/$(printf '\002\003\004\005')/g" | tr '\002\003\004\005' '\000\000\200\277'
    byte "$1" 0 0 0 "$2" 0 0 0
}
batch 3 9 >in.safetensors
# shellcheck disable=SC2086
ok run $small in.safetensors -o gradients.safetensors --backward
for name in logits aux1 aux2 loss grad/conv1.conv.weight grad/fc.bias grad/aux1.fc1.weight; do
    grep -aq "\"$name\":{" gradients.safetensors || fail "$name"
done
if grep -aq '"after/' gradients.safetensors; then fail "nothing is updated without --steps"; fi
# shellcheck disable=SC2086
ok run $small in.safetensors -o steps.safetensors --backward --steps 3 --lr 0.001 --no-dropout
grep -aq '"losses":{"dtype":"F32","shape":\[3\]' steps.safetensors || fail "three losses"
grep -aq '"after/conv1.bn.running_mean":{' steps.safetensors || fail "running statistics"
# shellcheck disable=SC2086
for options in "--threads 1" "--schedule branches" "--launch graph"; do
    ok run $small in.safetensors -o again.safetensors --overwrite --backward --steps 3 --lr 0.001 --no-dropout $options
    expect_same again.safetensors steps.safetensors
done
ok run --arch bvlc --img-size 32 --width-multiplier 0.25 --classes 10 in.safetensors -o bvlc.safetensors --backward --aux-weight 0
grep -aq '"grad/inception_3a/1x1.weight":{' bvlc.safetensors || fail "the names of the model's files"

batch 3 10 >bad.safetensors
# shellcheck disable=SC2086
fails 1 "label 10 of image 1 is not one of the 10 classes" run $small bad.safetensors -o x --backward
# shellcheck disable=SC2086
fails 2 "--steps is for training: add --backward" run $small in.safetensors -o x --steps 2
fails 2 "--outputs is for inference" run "$model" in.safetensors -o x --backward --outputs logits
[ ! -e x ] || fail "nothing is left behind"
