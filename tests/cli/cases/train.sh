# SPDX-License-Identifier: Apache-2.0
# From images to a model, and what a run leaves in its folder. A narrow network at 32 x 32 pixels, 64 images.
data=$(dirname "$case_file")/../../data/fashion-64-images-idx3-ubyte.gz
small="-b 16 --img-size 32 --width-multiplier 0.25 --val-split 0.2 --sampling mirror --seed 7"
# shellcheck disable=SC2086
train() { ok train "$data" $small "$@"; }
printf '%s\n' T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag 'Ankle boot' >names
train -o run --epochs 3 --average mean --log-every 2 --class-names names
expect_no_out
expect_err "11 of 64 images"
expect_err "epoch 3/3: loss"
expect_err "wrote run/model.safetensors: 10 steps; top-1 "
for file in args.json summary.csv metrics.jsonl curves.svg last model_best model.safetensors checkpoint-10; do
    [ -s "run/$file" ] || fail "run/$file"
done
expect_lines 4 run/summary.csv
expect_lines 6 run/metrics.jsonl
head -1 run/summary.csv | grep -q '^epoch,train_loss,eval_loss,eval_top1,lr,step,' || fail "timm's columns"
grep -q '"step":10,"epoch":2,"loss":' run/metrics.jsonl || fail "the loss of the last step"
grep -q '"batch-size": 16' run/args.json || fail "settings"

# the model, a checkpoint, and the folder are models
ok info run/model.safetensors
expect_out "trained with Tributary"
expect_out "views mirror, batch 16, 10 steps (3.019 epochs), schedule cosine to 0.01, weight decay 0.0002, seed 7"
expect_out "averaged weights"
expect_out "10 labels"
expect_out "squash 32 bilinear"
for file in run/model.safetensors run/last run/model_best run; do
    ok eval "$file" "$data"
    expect_out '"num_images":	64'
done

# the same seed, the same bits; another seed, others
train -o again --epochs 3 --average mean -j 3 --threads 1 --class-names names
expect_same again/model.safetensors run/model.safetensors
# shellcheck disable=SC2086
ok train "$data" -o other $small --seed 8 --epochs 3 --average mean
if cmp -s other/model.safetensors run/model.safetensors; then fail "another seed gives another model"; fi

# steps of several batches
train -o summed -b 6 --grad-accum-steps 2 --epochs 2 --clip-grad 1
expect_err "summed/model.safetensors: 9 steps"
ok info summed
expect_out "batch 2 x 6, 9 steps"
grep -q '"grad-accum-steps": 2' summed/args.json || fail "settings"
fails 2 "--grad-accum-steps does not take '0'" train "$data" -o x --grad-accum-steps 0
fails 1 "fewer than a step of 9 batches of 16" train "$data" -o x -b 16 --grad-accum-steps 9 --img-size 32

# it learns
# shellcheck disable=SC2086
ok train "$data" -o learns $small --epochs 40 --lr 0.02 --sched onecycle --aux-weight 0 --sampling none
tail -1 learns/summary.csv | awk -F, '{ exit !($2 < 1.2) }' || fail "the loss falls"

# what cannot be trained
fails 2 "which DATA?" train -o x
fails 2 "add -o RUN" train "$data"
fails 2 "--sched does not take 'linear'; it takes constant, paper, step, poly, cosine, onecycle" train "$data" -o x --sched linear
fails 2 "--momentum does not take '1'; it takes a number from 0 to 0.9999" train "$data" -o x --momentum 1
fails 2 "--proposals, --strategy and --positives need --boxes" train "$data" -o x --strategy fast
fails 2 "with --boxes, --sampling is mirror (the default) or none" train "$data" -o x --boxes t.json --sampling paper
fails 2 "leave --class-names and --labels out" train "$data" -o x --boxes t.json --class-names names
fails 1 "t.json" train "$data" -o x --boxes t.json
fails 2 "--model-ema and --average mean" train "$data" -o x --model-ema --average mean
fails 2 "--loss-scale does not take '0'; it takes N or dynamic" train "$data" -o x --loss-scale 0
# shellcheck disable=SC2086
fails 1 "device cpu does not compute in bf16; use fp32" train "$data" -o half $small --device cpu --precision bf16
fails 1 "run: holds a training run" train "$data" -o run
fails 1 "nowhere" train nowhere -o x
fails 1 "53 images to train on are fewer than a batch of 64; use a batch size of at most 53" train "$data" -o x -b 64 --val-split 0.2
mkdir -p photos/cat
cp "$samples"/*.png photos/cat
fails 1 "all images are of one class, 'cat': there is nothing to learn" train photos -o x
mkdir photos/dog
fails 1 "class 'dog' has no images" train photos -o x
fails 1 "(--aux-weight)" train "$data" -o x --arch bvlc --img-size 32
# shellcheck disable=SC2086
fails 1 "frozen" train "$data" -o x $small --freeze conv,inception,loss
[ ! -e x ] || fail "nothing is left behind"
