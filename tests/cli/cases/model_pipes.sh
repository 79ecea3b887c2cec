# SPDX-License-Identifier: Apache-2.0
# A model, and the tensors of run, out of a pipe: the same as out of a file.
mkfifo model input
ok classify "$model" "$samples" -b 4 -o wanted.csv
cat "$model" >model &
ok classify model "$samples" -b 4 -o pipe.csv
expect_same pipe.csv wanted.csv
# given to the program as its standard input, which is a pipe
last="cat MODEL | tributary classify /dev/stdin"
code=0
cat "$model" | "$program" classify /dev/stdin "$samples" -b 4 -o stdin.csv >out 2>err || code=$?
expect_code 0
expect_same stdin.csv wanted.csv
# ... or a file
last="tributary info /dev/stdin <MODEL"
"$program" info /dev/stdin <"$model" >out 2>err || fail "a file as standard input"
expect_out "10, 10 labels"
# a model that is needed for several batch sizes is read once
for options in "" "--end-to-end $samples"; do
    cat "$model" >model &
    # shellcheck disable=SC2086
    ok bench model -b 1,2 --iterations 1 --warmup 0 $options
    expect_out "batch 2, "
done

header='{"input":{"dtype":"F32","shape":[3,3,64,64],"data_offsets":[0,147456]}}'
{ byte ${#header} 0 0 0 0 0 0 0; printf '%s' "$header"; fill 147456 60; } >in.safetensors
ok run "$model" in.safetensors -o wanted.safetensors
cat "$model" >model &
cat in.safetensors >input &
ok run model input -o out.safetensors -b 2
ok run "$model" in.safetensors -o two.safetensors -b 2
expect_same out.safetensors two.safetensors

# a pipe that ends early
head -c 100000 "$model" >model &
fails 1 "model: tensor '" classify model "$samples"
expect_err "it is truncated"
head -c 100000 in.safetensors >input &
fails 1 "input: tensor 'input': ends after 99" run "$model" input -o short.safetensors
[ ! -e short.safetensors ] || fail "nothing is written"
printf 'no model' >model &
fails 1 "model: is a text file" info model
