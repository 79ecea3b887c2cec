# SPDX-License-Identifier: Apache-2.0
# Signals, resuming, a loss that is not finite, damaged images, fine-tuning.
data=$(dirname "$case_file")/../../data/fashion-64-images-idx3-ubyte.gz
small="-b 16 --img-size 32 --width-multiplier 0.1 --val-split 0.2 --sampling none --sched constant"
# shellcheck disable=SC2086
ok train "$data" -o whole $small --max-steps 12

# start COMMAND...: in the background, until its first checkpoint is there
start() {
    last="tributary $* (in the background)"
    "$program" "$@" >out 2>err </dev/null &
    pid=$!
    tries=0
    until [ -e part/last ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || fail "a checkpoint"
        sleep 0.05
    done
}
# SIGTERM: a checkpoint, and exit code 4; SIGUSR1 before it: a checkpoint
# shellcheck disable=SC2086
start train "$data" -o part $small --max-steps 1000000 --keep 100
kill -USR1 "$pid"
sleep 0.3
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
expect_code 4
expect_err "the same command with --resume continues"
[ -e part/last ] || fail "a checkpoint"
# shellcheck disable=SC2086
fails 1 "(--resume)" train "$data" -o part $small --max-steps 1000000
# shellcheck disable=SC2086
fails 1 "batch-size: was 16, is 8" train "$data" -o part $small -b 8 --resume
expect_err "(--resume-anyway)"

# one command line for both: it starts, then continues to the same bits, with other threads, schedule and launch
rm -rf part
for options in "3" "5 --threads 1 -j 2 --schedule branches" "12 --launch graph"; do
    # shellcheck disable=SC2086
    ok train "$data" -o part $small --resume --max-steps $options
done
expect_err "resumed after step 5 of 12"
expect_same part/model.safetensors whole/model.safetensors

# made elsewhere: by another version or library, on another machine, from other data
for key in "program version" library "instruction set" "hash of implementations" "data hash"; do
    sed -i.bak "s/\(\"$key\": \"\)/\1other /" part/args.json
    # shellcheck disable=SC2086
    fails 1 "$key: was 'other " train "$data" -o part $small --max-steps 12 --resume
    expect_err "(--resume-anyway)"
    mv part/args.json.bak part/args.json
done
# shellcheck disable=SC2086
ok train "$data" -o part $small --max-steps 13 --resume --lr 0.02 --resume-anyway
expect_err "from here on results differ: lr: was 0.01, is 0.02"

# the newest checkpoint is damaged: the one before it will do
rm -rf part
# shellcheck disable=SC2086
ok train "$data" -o part $small --max-steps 6 --checkpoint-every 1
head -c 5000 part/last >cut
cat cut >part/last # under all of its names
# shellcheck disable=SC2086
ok train "$data" -o part $small --max-steps 12 --resume
expect_err "warning: passed over part/checkpoint-6: header (bytes 0 to 7): its length of "
expect_err "resumed after step 5 of 12"
expect_same part/model.safetensors whole/model.safetensors

# a loss that is not finite
# shellcheck disable=SC2086
fails 1 "is not finite" train "$data" -o wild $small --lr 1e6 --checkpoint-every 1
expect_err "tributary train --replay wild "
expect_err "wild/last"
[ ! -e wild/model.safetensors ] || fail "no model"
step=$(sed -n 's/.*--replay wild //p' err)
expect_err "step $step"
expect_err "; its batch had "
expect_err "fashion-64-images-idx3-ubyte.gz#"
expect_err " more; a lower learning rate or a warm-up may help"
ok train --replay wild "$step"
expect_out "step $step, from the checkpoint of step $((step - 1)), learning rate 1e+06"
expect_out "loss of logits: "
expect_out "afterwards not finite: "
[ "$(grep -c '#' out)" -eq 16 ] || fail "all files of the batch"
# without a checkpoint to begin at, a replay begins at the beginning
# shellcheck disable=SC2086
fails 1 "is not finite" train "$data" -o wilder $small --lr 1e6
expect_err "; its batch had "
ok train --replay wilder "$(sed -n 's/.*--replay wilder //p' err)"
expect_out "from the beginning"
expect_out "afterwards not finite: "
ok eval wild "$data"
fails 2 "the number of a STEP" train --replay wild
fails 1 "nowhere" train --replay nowhere 3

# a disk that is full when the second checkpoint comes: the first one stays, and the run goes on once there is room
# shellcheck disable=SC2086
ok train "$data" -o full $small --max-steps 2
size=$(($(wc -c <full/last) / 2048)) # in half: blocks of 512 bytes to dash, of 1024 to bash
cp full/last before
# shellcheck disable=SC2086
(
    ulimit -f "$size"
    fails 1 "cannot write: File too large" train "$data" -o full $small --max-steps 12 --resume
) || exit 1
expect_same full/last before
# shellcheck disable=SC2086
ok train "$data" -o full $small --max-steps 12 --resume
expect_same full/model.safetensors whole/model.safetensors
# a folder that cannot be, data that are gone
echo file >file
# shellcheck disable=SC2086
fails 1 "file/run" train "$data" -o file/run $small
# shellcheck disable=SC2086
fails 1 "gone" train gone -o full $small --resume

# folders of classes, one image damaged; fine-tuning with other classes, and a frozen beginning
mkdir -p photos/dress photos/bag
i=0
for image in "$samples"/*.png; do
    i=$((i + 1))
    if [ $((i % 2)) -eq 0 ]; then cp "$image" photos/dress/; else cp "$image" photos/bag/; fi
done
# data that are gone while the run is on: it ends and says so, and goes on to the same bits once they are back
tiny="-b 4 --img-size 32 --width-multiplier 0.06 --val-split 0 --sampling none --sched constant --checkpoint-every 1"
rm -rf part
# shellcheck disable=SC2086
start train photos -o part $tiny --max-steps 1000000
mv photos away
code=0
wait "$pid" || code=$?
expect_code 1
expect_err "(are the data still there?)"
step=$(sed -n 's/.*newest checkpoint is that of step \([0-9]*\): part.last$/\1/p' err)
mv away photos
for run in part alone; do
    # shellcheck disable=SC2086
    ok train photos -o $run $tiny --max-steps $((step + 2)) --resume
done
expect_same part/model.safetensors alone/model.safetensors
echo damaged >photos/bag/damaged.png
mkdir -p val/dress val/bag
cp "$samples"/00-*.png val/dress
echo damaged >val/bag/unreadable.png
# shellcheck disable=SC2086
run train photos -o measured --val-data val $tiny --epochs 2
expect_code 3
[ "$(grep -c 'skipped: .*damaged.png' err)" -eq 1 ] || fail "the damaged image, once"
[ "$(grep -c 'left out of the validation: .*unreadable.png' err)" -eq 1 ] || fail "the unreadable image, once"
expect_err "1 images could not be read; others took their places"
expect_err "1 images for validation could not be read, and were left out"
rm val/dress/*
# shellcheck disable=SC2086
fails 1 "evaluating after step 6: " train photos -o unmeasured --val-data val $tiny --epochs 2 --checkpoint-every 1000
expect_err "the newest checkpoint is that of step 6: unmeasured/last"
run train photos -o tuned --init whole/model.safetensors --freeze conv1,conv2 -b 8 --max-steps 4 --val-split 0 --sampling none
expect_code 3
expect_err "damaged.png"
expect_err "the model has 10 classes, the data 2; classifiers begin anew"
ok classify tuned "$samples" --topk 1
expect_lines 21 out
[ "$(grep -cE 'bag|dress' out)" -eq 20 ] || fail "the folders' names"
weights() { "$program" run "$1" in.safetensors -o "$2" --overwrite --outputs "$3" >out 2>err || fail "run $1"; }
header='{"input":{"dtype":"F32","shape":[1,3,32,32],"data_offsets":[0,12288]}}'
{
    byte ${#header} 0 0 0 0 0 0 0
    printf '%s' "$header"
    fill 12288 0
} >in.safetensors
weights tuned a conv2/3x3_reduce
weights whole b conv2/3x3_reduce
expect_same a b
weights tuned a inception_3a/output
weights whole b inception_3a/output
if cmp -s a b; then fail "what is not frozen learns"; fi
