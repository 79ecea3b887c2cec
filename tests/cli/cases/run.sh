# SPDX-License-Identifier: Apache-2.0
# Tensors in, tensors out.
# tensor DTYPE N BYTES_PER_IMAGE: a safetensors header for "input" of N images
tensor() {
    header="{\"input\":{\"dtype\":\"$1\",\"shape\":[$2,3,64,64],\"data_offsets\":[0,$(($2 * $3))]}}"
    byte ${#header} 0 0 0 0 0 0 0
    printf '%s' "$header"
}
# -1.0 everywhere: what a black image is to the shipped model
minus_ones() { fill $((12288 * $1)) 1 | sed "s/$(printf '\001')/$(printf '\002\003\004\005')/g" | tr '\002\003\004\005' '\000\000\200\277'; }
{ tensor F32 5 49152; minus_ones 5; } >in.safetensors
ok run "$model" in.safetensors -o out.safetensors
expect_no_out
grep -aq '"logits":{"dtype":"F32","shape":\[5,10\]' out.safetensors || fail "logits of five images"
grep -aq '"probabilities":{"dtype":"F32","shape":\[5,10\]' out.safetensors || fail "probabilities of five images"
for options in "-b 5" "--schedule branches" "--schedule branches,inception_3a=serial,inception_5b=fused" "--launch graph" "-b 99"; do
    # shellcheck disable=SC2086
    ok run "$model" in.safetensors -o again.safetensors --overwrite $options
    expect_same again.safetensors out.safetensors
done
# in parts, each image on its own
ok run "$model" in.safetensors -o parts.safetensors -b 2
floats() { tail -c 200 "$1" | od -An -v -w4 -t f4 | tr -d ' '; }
floats out.safetensors >wanted
floats parts.safetensors >parts
expect_lines 50 parts
expect_close parts wanted
# the same as classify of a black image
{ byte 0 0 8 3 0 0 0 1 0 0 0 28 0 0 0 28; fill 784 0; } >black-images-idx3-ubyte
ok classify "$model" black-images-idx3-ubyte --topk 1
wanted=$(sed -n '2s/.*,//p' out)
ok run "$model" in.safetensors -o p.safetensors --outputs probabilities
tail -c 40 p.safetensors | od -An -v -t f4 | tr -s ' ' '\n' | awk -v wanted="$wanted" \
    '{ if ($1 + 0 > best) best = $1 + 0 } END { exit !(best - wanted < 2e-6 && wanted - best < 2e-6) }' ||
    fail "probability $wanted of the black image"
# half precision: -1.0 is 0xbc00, bfloat16 0xbf80
{ tensor BF16 5 24576; fill $((12288 * 5)) 1 | sed "s/$(printf '\001')/$(printf '\002\003')/g" | tr '\002\003' '\200\277'; } >bf16.safetensors
{ tensor F16 5 24576; fill $((12288 * 5)) 1 | sed "s/$(printf '\001')/$(printf '\002\003')/g" | tr '\002\003' '\000\274'; } >f16.safetensors
for file in bf16 f16; do
    ok run "$model" $file.safetensors -o again.safetensors --overwrite
    expect_same again.safetensors out.safetensors
done
ok run "$model" in.safetensors -o trace.safetensors --outputs logits,inception_3a/output --outputs pool5/7x7_s1
grep -aq '"trace/inception_3a/output":{"dtype":"F32","shape":\[5,256,8,8\]' trace.safetensors || fail "an inner layer"
grep -aq '"trace/pool5/7x7_s1"' trace.safetensors || fail "another inner layer"
grep -aq '"logits"' trace.safetensors || fail "an output under its own name"
{ tensor F32 1 49152; minus_ones 1; } >one.safetensors
ok run --arch googlenet --seed 3 --img-size 64 --classes 7 one.safetensors -o random.safetensors
grep -aq '"shape":\[1,7\]' random.safetensors || fail "seven classes"

fails 1 "did you mean 'inception_3a/output'" run "$model" in.safetensors -o x --outputs inception_3a/outputs
fails 1 "in.safetensors: 'input' is [5, 3, 64, 64], but random:torchvision:1 takes [N, 3, 224, 224]" \
    run --arch googlenet in.safetensors -o x
fails 1 "has no tensor 'input'" run "$model" out.safetensors -o x
fails 1 "nothing.safetensors" run "$model" nothing.safetensors -o x
fails 1 "nowhere" run "$model" in.safetensors -o nowhere/x
[ ! -e x ] || fail "nothing is left behind"
