# SPDX-License-Identifier: Apache-2.0
# Things that are not there, or not what they should be: exit code 1 and a message that names them.
fails 1 "no-model.safetensors" info no-model.safetensors
fails 1 "no-model.safetensors" classify no-model.safetensors "$samples"
fails 1 "no-image.png" classify "$model" no-image.png
expect_no_out
mkdir empty
fails 1 "empty" classify "$model" empty
fails 1 "no-list" classify "$model" @no-list
printf 'not a model' >wrong.safetensors
fails 1 "wrong.safetensors" info wrong.safetensors
: >void.safetensors
fails 1 "void.safetensors" classify void.safetensors "$samples"
head -c 100000 "$model" >cut.safetensors
fails 1 "cut.safetensors" plan cut.safetensors
header='{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
{ byte ${#header} 0 0 0 0 0 0 0; printf '%s' "$header"; fill 4 0; } >other.safetensors
fails 1 "other.safetensors" info other.safetensors
fails 1 "nowhere/out.csv" classify "$model" "$samples" -o nowhere/out.csv
fails 1 "tpu" plan "$model" --device tpu
for precision in tf32 fp16 bf16; do
    fails 1 "device cpu does not compute in $precision; use fp32" plan "$model" --device cpu --precision $precision
    fails 1 "device cpu does not compute in $precision" classify "$model" "$samples" --device cpu --precision $precision
    expect_no_out
done
fails 1 "8-bit pixels: device cpu takes float32 only" bench "$model" --device cpu --pixels u8 -b 1
fails 1 "there is no pass 'fold'; there are " plan "$model" --disable-pass fold
run devices
if grep -q '^cuda .*not available' out; then
    fails 1 "cuda" plan "$model" --device cuda
    if grep -q "open device cpu" err; then expect_err "(--device cpu)"; fi
    fails 1 "cuda" classify "$model" "$samples" --device cuda:1
fi
