# SPDX-License-Identifier: Apache-2.0
# Several models are asked together: the mean of what each says, whatever the models are.
data=$(dirname "$case_file")/../../data/fashion-64-images-idx3-ubyte.gz
cp "$(dirname "$model")/classes.txt" names
quick="--aux-weight 0 -b 8 --max-steps 2 --val-split 0 --sampling none --seed 3"
# shellcheck disable=SC2086
ok train "$data" -o narrow --arch bvlc --img-size 32 --width-multiplier 0.25 --class-names names $quick
# shellcheck disable=SC2086
ok train "$data" -o other --arch torchvision --img-size 40 --width-multiplier 0.125 $quick
cp other/model.safetensors other.bin # its content tells, not its name

# single runs, all classes; the joint probabilities are their means, and equal ones are in the order of classes
i=0
for m in "$model" narrow other.bin; do
    i=$((i + 1))
    ok classify "$m" "$samples" --topk 10 -b 7
    cp out "single$i"
done
ok classify "$model" narrow other.bin "$samples" --topk 10 -b 7
expect_err "20 classified, 0 skipped"
cp out joint.csv
awk -F, 'FNR == 1 { ++file; next }
    { for (c = 0; c < 10; ++c) p[file, FNR, $(2 + 3 * c)] = $(4 + 3 * c) }
    file == 4 { for (c = 0; c < 10; ++c) {
        k = $(2 + 3 * c); d = p[4, FNR, k] - (p[1, FNR, k] + p[2, FNR, k] + p[3, FNR, k]) / 3
        if (!(d < 2e-6 && d > -2e-6)) bad = 1
        if (c && $(4 + 3 * c) > $(1 + 3 * c)) bad = 1
        ++compared } }
    END { exit bad || compared != 200 }' single1 single2 single3 joint.csv || fail "means of single runs"
# the same bytes whatever the batches and workers are
for options in "-b 1 -j 1" "-b 64 --device cpu,cpu,cpu --precision fp32,fp32,fp32 --schedule branches"; do
    # shellcheck disable=SC2086
    ok classify "$model" narrow other.bin "$samples" --topk 10 $options
    expect_close out joint.csv
done
# labels are those of the first model that has them
ok classify other.bin "$model" "$samples/30-bag.png" --topk 1 --format jsonl
expect_out '"index":8,"label":"Bag"'

# one run of eval: each model alone, and all together
for m in "$model" narrow other.bin; do
    ok eval "$m" "$data"
    grep -m1 '"top1":' out | tr -d '	'
done >alone
ok eval "$model" narrow other.bin "$data" --results-file joint.json
sed -n '/"models":/,/"per_class"/p' out | grep '"top1":' | tr -d '	' >found
expect_same found alone
expect_out '"num_images":	64'
expect_out '"crops":	1'
expect_out '"mirror":	false'
expect_out '"evaluations_per_image":	3'
expect_same joint.json out

# crops
head -c 200 "$samples/30-bag.png" >cut.png
mkdir -p set/Bag && cp "$samples/30-bag.png" cut.png set/Bag
run eval "$model" set --crops 10
expect_code 3
expect_out '"num_images":	1'
expect_out '"skipped":	1'
for text in '"crops":	10' '"mirror":	true' '"evaluations_per_image":	10' '"scales":	[73]' '"interpolation":	"'; do
    expect_out "$text"
done
run eval narrow "$model" set --crops 10 --scales 80,70
expect_out '"evaluations_per_image":	20'
expect_out '"scales":	[70]'
ok classify narrow "$samples/30-bag.png" "$samples/00-ankle-boot.png" --crops 144 --topk 3
cp out crops.csv
ok classify narrow narrow "$samples/30-bag.png" "$samples/00-ankle-boot.png" --crops 144 --topk 3 -b 50
expect_close out crops.csv
fails 1 "scales" classify "$model" "$samples" --scales 80

# damaged images among good ones, and going on with a file that was cut off
mkdir in
cp "$samples"/0[0-4]-*.png in
head -c 200 "$samples/01-pullover.png" >in/01-cut.png
printf 'no image' >in/03-none.png
for format in csv jsonl; do
    run classify narrow other.bin in --topk 2 --format $format -o whole --errors whole.errors --overwrite -b 3
    expect_code 3
    expect_err "skipped: in/01-cut.png: "
    expect_err "5 classified, 2 skipped"
    expect_lines 3 whole.errors
    first=$(head -1 whole | wc -c) all=$(wc -c <whole)
    for cut in "$first" $((all * 2 / 3)) "$all"; do
        head -c "$cut" whole >part
        run classify narrow other.bin in --topk 2 --format $format -o part --resume -b 3
        expect_code 3
        expect_err "2 skipped"
        expect_same part whole
    done
done

# interrupted while a list is still open
ls -d "$samples"/*.png >list
ok classify narrow other.bin @list -b 2 -o whole.csv
mkfifo fifo
last="tributary classify narrow other.bin - (then SIGTERM)"
"$program" classify narrow other.bin - -b 2 -o part.csv <fifo >out 2>err &
pid=$!
exec 3>fifo
head -7 list >&3
tries=0
until [ "$(wc -l <part.csv 2>/dev/null || echo 0)" -ge 3 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "rows appear while the input is still open"
    sleep 0.1
done
kill -TERM "$pid"
(
    sleep 60
    kill -KILL "$pid"
) >guard 2>&1 3>&- &
guard=$!
code=0
wait "$pid" || code=$?
kill "$guard" 2>/dev/null
exec 3>&-
expect_code 1
expect_err "run the same command with --resume"
ok classify narrow other.bin @list -b 2 -o part.csv --resume
expect_same part.csv whole.csv

# what does not go together
sed 's/Coat/Cape/' names >changed
ok convert "$model" changed.safetensors --labels changed
fails 1 "class 4 is 'Coat' in $model, and 'Cape' in changed.safetensors" classify "$model" narrow changed.safetensors "$samples"
fails 1 "has 10 classes, and" eval narrow "$(dirname "$case_file")/../../data/import/bvlc-v1.caffemodel" "$data" --img-size 64
fails 1 "--device has 2 values for 3 models; give one for all, or one for each" \
    classify "$model" narrow other.bin "$samples" --device cpu,cpu
fails 1 "--precision has 3 values for 2 models" eval "$model" narrow "$data" --precision fp32,fp32,fp32
fails 2 "which INPUT? All arguments are models" classify "$model" narrow
fails 2 "which DATASET? All arguments are models" eval "$model" narrow other.bin
fails 2 "--prototxt and --mean-file are for one MODEL" classify "$model" narrow "$samples" --prototxt x
fails 1 "MODEL other.bin would be lost" classify "$model" narrow other.bin "$samples" -o other.bin --overwrite
rm -rf narrow/model.safetensors narrow/model_best narrow/last narrow/checkpoint-*
fails 1 "narrow: the training run has no checkpoint yet" classify "$model" narrow "$samples"
