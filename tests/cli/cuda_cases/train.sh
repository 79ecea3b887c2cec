# SPDX-License-Identifier: Apache-2.0
# Training on a (simulated) card: the same bits again, recorded or not, and resumed.
data=$(dirname "$case_file")/../../data/fashion-64-images-idx3-ubyte.gz
small="--device cuda -b 4 --img-size 32 --width-multiplier 0.1 --val-split 0.05 --sampling none --sched constant --average mean"
# shellcheck disable=SC2086
ok train "$data" -o whole $small --max-steps 4
# shellcheck disable=SC2086
ok train "$data" -o graph $small --max-steps 4 --launch graph
expect_same graph/model.safetensors whole/model.safetensors
# shellcheck disable=SC2086
for steps in 1 4; do ok train "$data" -o part $small --max-steps $steps --resume --launch graph; done
expect_err "resumed after step 1 of 4"
expect_same part/model.safetensors whole/model.safetensors
# on a cpu it would go on with other bits
# shellcheck disable=SC2086
fails 1 "instruction set: was " train "$data" -o part $small --device cpu --max-steps 6 --resume
# in tf32 the simulated library has an engine that sums in any order
# shellcheck disable=SC2086
ok train "$data" -o fast $small --precision tf32 --max-steps 1 --resume
for steps in 2 3; do
    # shellcheck disable=SC2086
    ok train "$data" -o any $small --precision tf32 --fast --max-steps $steps --resume
    expect_err "ops may sum in any order"
done
# shellcheck disable=SC2086
fails 1 "hash of implementations: was " train "$data" -o fast $small --precision tf32 --fast --max-steps 2 --resume
ok eval whole "$data" --device cuda
