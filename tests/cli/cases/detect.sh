# SPDX-License-Identifier: Apache-2.0
# Boxes in images: every format, from proposals too, the same whatever the batches, continued, drawn and evaluated.
printf '%s\n' background trousers pullover dress coat sandal 'shirt, red' sneaker bag boot >labels
ok convert "$model" net.safetensors --labels labels
mkdir in
for i in 0 1 2 4; do cp "$samples/0$i"-*.png in/; done
printf 'broken' >in/05-broken.png
run detect net.safetensors in -o boxes.csv --errors skipped.csv
expect_code 3
expect_err "skipped: in/05-broken.png: "
expect_err "4 images, 1 skipped; "
expect_err "regions through the network"
[ "$(head -1 boxes.csv)" = filename,label,score,x,y,width,height ] || fail "a header expected"
grep -q '^in/00-ankle-boot.png,boot,0\.[0-9]*,0,0,28,[0-9]*$' boxes.csv || fail "a boot expected"
grep -q background boxes.csv && fail "no background expected"
grep -q '^in/05-broken.png,' skipped.csv || fail "the broken image expected in skipped.csv"
rm in/05-broken.png

# neither batches nor threads matter, nor where proposals come from
ok propose in -o proposals.jsonl
mv in/04-shirt.png in/06-renamed.png
ok detect net.safetensors in --proposals proposals.jsonl
sed 's/06-renamed/04-shirt/' out >from.csv
expect_same from.csv boxes.csv
mv in/06-renamed.png in/04-shirt.png
ok detect net.safetensors in -j 1
expect_same out boxes.csv
ok detect net.safetensors in -b 5 -j 3
expect_close out boxes.csv
ok detect net.safetensors net.safetensors in # the mean of equal numbers
expect_same out boxes.csv
ok detect net.safetensors in --threshold 0.4 --max-boxes 1
[ "$(sed 1d out | cut -d, -f1 | sort | uniq -d | wc -l)" = 0 ] || fail "one box per image expected"
cp "$samples/30-bag.png" in/00b-new.png
fails 3 "skipped: in/00b-new.png: proposals.jsonl: there are no proposals for 'in/00b-new.png'; make them first" \
    detect net.safetensors in --proposals proposals.jsonl
expect_same out boxes.csv
for format in csv coco ilsvrc jsonl; do # continued, that image is skipped again, also where it has no rows
    run detect net.safetensors in --format $format --proposals proposals.jsonl -o whole.$format --errors whole.err --overwrite
    expect_code 3
    cp whole.$format part
    cp whole.err part.err
    fails 3 "skipped: in/00b-new.png: " \
        detect net.safetensors in --format $format --proposals proposals.jsonl -o part --errors part.err --resume
    expect_same part whole.$format
    expect_same part.err whole.err
done
rm in/00b-new.png

# images without regions have no boxes
ok detect net.safetensors in --proposals proposals.jsonl --threshold 1
expect_lines 1 out
for format in coco ilsvrc jsonl csv; do
    ok detect net.safetensors in --format $format -o "found.$format"
    size=$(wc -c <"found.$format")
    for cut in $((size / 2)) "$size"; do
        head -c "$cut" "found.$format" >part
        ok detect net.safetensors in --format $format -o part --resume
        expect_same part "found.$format"
        expect_err "part does not say which models and options made its rows"
    done
    fails 1 "already exists" detect net.safetensors in --format $format -o "found.$format"
done
expect_same found.csv boxes.csv

# with the numbers of a truth, and evaluated
sep='{"images": ['
id=40
for name in in/0*.png; do
    printf '%s{"id": %d, "file_name": "%s"}' "$sep" $id "${name#in/}"
    sep=', '
    id=$((id - 1))
done >truth.json
printf '], "categories": [' >>truth.json
id=20
sep=
sed 1d labels | while read -r label; do
    printf '%s{"id": %d, "name": "%s"}' "$sep" $id "$label"
    sep=', '
    id=$((id + 1))
done >>truth.json
printf '], "annotations": [{"image_id": 40, "category_id": 28, "bbox": [0, 0, 28, 28]}]}\n' >>truth.json
cp "$samples/30-bag.png" in/09-unknown.png
for format in coco ilsvrc; do
    run detect net.safetensors in --format $format -o results.$format --truth truth.json
    expect_code 3
    expect_err "skipped: in/09-unknown.png: "
    expect_err "4 images, 1 skipped"
done
grep -q '"image_id": 40, "category_id": 28, ' results.coco || fail "numbers of the truth expected"
grep -q '^40 28 ' results.ilsvrc || fail "numbers of the truth expected"
rm in/09-unknown.png
mkdir -p other
cp in/02-trouser.png other/00-ankle-boot.png
twice="other/00-ankle-boot.png: another input is the truth's image '00-ankle-boot.png' as well"
fails 1 "$twice" detect net.safetensors in other --format coco -o twice --truth truth.json
[ "$(grep -c '"image_id": 40,' twice)" = "$(grep -c '"image_id": 40,' results.coco)" ] || fail "rows of one expected"
fails 1 "$twice" detect net.safetensors in other --format coco -o twice --truth truth.json --resume
for results in results.coco found.jsonl found.csv; do ok eval --boxes truth.json $results; done

# drawn
ok detect net.safetensors in -o /dev/null --draw drawn --draw-threshold 0.3
ok classify "$model" drawn/in+00-ankle-boot.png.png drawn/in+01-pullover.png.png --format csv
fails 1 "drawn: has files in it" detect net.safetensors in --draw drawn
ok detect net.safetensors in --draw drawn --overwrite
printf 'precious' >drawn/in+02-trouser.png.png
head -1 boxes.csv >part
fails 1 "in+02-trouser.png.png: already exists, and 'tributary detect' did not draw it" \
    detect net.safetensors in --draw drawn -o part --resume
fails 1 "is also an input" detect net.safetensors in --draw in --overwrite
fails 1 "lies in the input in," detect net.safetensors in --draw in/drawn
[ ! -e in/drawn ] || fail "no folder expected where none is drawn"

# a plain classifier
ok detect "$model" in/00-ankle-boot.png
expect_err "has no class 'background'"

# odd images
printf 'P' >in/00-ankle-boot.png
printf '' >in/01-pullover.png
fails 3 "2 images, 2 skipped" detect net.safetensors in

# usage
fails 2 "which INPUT? All arguments are models" detect net.safetensors net.safetensors
fails 2 "--resume continues a file" detect net.safetensors in --resume
fails 2 "contradict each other" detect net.safetensors in --resume --overwrite -o x
fails 2 "add --format coco or ilsvrc" detect net.safetensors in --truth truth.json
fails 2 "--strategy is how to search" detect net.safetensors in --proposals proposals.jsonl --strategy fast
fails 2 "nms" detect net.safetensors in --nms 2
