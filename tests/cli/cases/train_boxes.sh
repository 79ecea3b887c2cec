# SPDX-License-Identifier: Apache-2.0
# A region classifier: from boxes to a model, with proposals of its own and from a file. Each sample of 28 x 28 pixels
# has an object in a corner.
images=
boxes=
id=0
mkdir photos
for sample in "$samples"/*; do
    id=$((id + 1))
    cp "$sample" photos/
    images="$images,{\"id\":$id,\"file_name\":\"${sample##*/}\",\"width\":28,\"height\":28}"
    boxes="$boxes,{\"id\":$id,\"image_id\":$id,\"category_id\":$((1 + id % 2)),\"bbox\":[0,0,8,8]}"
done
printf '{"images":[%s],"annotations":[%s],"categories":[{"id":1,"name":"odd"},{"id":2,"name":"even"}]}' \
    "${images#,}" "${boxes#,}" >truth.json
small="--boxes truth.json -b 4 --img-size 32 --width-multiplier 0.1 --val-split 0.3 --aux-weight 0 --max-steps 4 --sched constant"

# shellcheck disable=SC2086
ok train photos -o whole $small
expect_no_out
expect_err "truth.json is COCO JSON: 20 images, 2 classes, 20 boxes"
expect_err " windows of objects: top-1 "
head -1 whole/summary.csv | grep -q 'eval_top1_objects,eval_top1_background$' || fail "columns of both kinds"
expect_lines 20 whole/proposals-paper.jsonl
ok info whole
expect_out "3 labels"
expect_out "classes with background"

# continued with other workers, and with proposals from a file
# shellcheck disable=SC2086
ok train photos -o part $small --max-steps 1
# shellcheck disable=SC2086
ok train photos -o part $small --resume -j 3 --threads 1
expect_err "resumed after step 1 of 4"
expect_same part/model.safetensors whole/model.safetensors
ok propose photos -o boxes.jsonl
# shellcheck disable=SC2086
ok train photos -o given $small --proposals boxes.jsonl
expect_same given/summary.csv whole/summary.csv
[ ! -e given/proposals-paper.jsonl ] || fail "no proposals of its own"

# validation by a truth of its own
mkdir val
cp photos/00-* val/
# shellcheck disable=SC2086
ok train photos -o other $small --val-data val --val-boxes truth.json --proposals boxes.jsonl --max-steps 1
expect_err "19 images of the truth are not among the data"
sed 's/"file_name":"00-/"file_name":"no-/' truth.json >without.json
# shellcheck disable=SC2086
fails 1 "no image for validation has a window" \
    train photos -o x $small --boxes without.json --val-data val --proposals boxes.jsonl
expect_err "--val-boxes gives them one of their own"
rm -rf x
# shellcheck disable=SC2086
fails 2 "give all three" train photos -o x $small --val-boxes truth.json

# what cannot be
head -3 boxes.jsonl >few.jsonl
# shellcheck disable=SC2086
fails 1 "there are no proposals for " train photos -o x $small --proposals few.jsonl
expect_err "tributary propose"
sed 's/"width":28/"width":29/' truth.json >wrong.json
# shellcheck disable=SC2086
fails 1 "the truth's image" train photos -o x $small --boxes wrong.json
