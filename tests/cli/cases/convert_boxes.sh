# SPDX-License-Identifier: Apache-2.0
# convert --boxes: what is written in another format comes back, and nothing is lost without a word.
cat >truth.json <<'END'
{"images": [{"id": 7, "file_name": "a.png", "width": 28, "height": 28}, {"id": 8, "file_name": "b.png",
  "width": 28, "height": 28}], "categories": [{"id": 3, "name": "cat"}, {"id": 5, "name": "big dog"}],
 "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [7, 7, 14, 14]},
  {"id": 2, "image_id": 7, "category_id": 5, "bbox": [0, 0, 7, 28], "ignore": 1},
  {"id": 3, "image_id": 8, "category_id": 3, "bbox": [14, 0, 7, 7], "iscrowd": 1}]}
END
cat >found.csv <<'END'
filename,label,score,x,y,width,height
a,cat,0.75,7,7,14,14
a,big dog,0.5,0,0,7,28
b,cat,0.25,0,0,14,7
END
images() { for folder in "$@"; do cp "$samples/30-bag.png" "$folder/a.png" && cp "$samples/30-bag.png" "$folder/b.png"; done; }

# truth
ok convert --boxes truth.json again.json
expect_err "truth.json: COCO JSON: 2 images, 2 classes, 3 boxes (2 difficult or crowds)"
expect_err "wrote again.json: COCO JSON, 3 boxes"
expect_no_out
ok convert --boxes again.json third.json
expect_same again.json third.json
ok convert --boxes truth.json voc --format voc
expect_err "1 crowds are written as difficult objects: VOC has no crowds"
ok convert --boxes voc voc.json
ok convert --boxes voc.json voc2 --format voc
expect_same voc/a.xml voc2/a.xml
expect_same voc/b.xml voc2/b.xml
ok convert --boxes truth.json labels --format yolo
expect_err "2 crowds and difficult objects are written as any other"
printf 'cat\nbig dog\n' | cmp - labels/classes.txt || fail "the list of classes"
images labels
ok convert --boxes labels yolo.json
expect_err "labels: YOLO: 2 images, 2 classes, 3 boxes"
mkdir elsewhere
images elsewhere
rm labels/*.png
fails 1 "labels: has no images" convert --boxes labels yolo2.json
ok convert --boxes labels yolo2.json --box-images elsewhere
expect_same yolo.json yolo2.json
fails 1 "ILSVRC's classes are WordNet ids such as n02691156, but 'cat' is none" convert --boxes truth.json i --format ilsvrc
sed 's/"cat"/"n02691156"/; s/"big dog"/"n02672831"/' truth.json >wordnet.json
ok convert --boxes wordnet.json ilsvrc --format ilsvrc
ok convert --boxes ilsvrc ilsvrc.json
expect_err "ilsvrc: ILSVRC: 2 images, 2 classes, 3 boxes"
printf 'n02691156 3 n02691156\nn02672831 5 n02672831\n' | cmp - ilsvrc/map_det.txt || fail "the list of classes"
printf 'a 7\nb 8\n' | cmp - ilsvrc/list.txt || fail "the list of images"
sed 's/,cat,/,n02691156,/; s/,big dog,/,n02672831,/' found.csv >wordnet.csv
ok convert --boxes wordnet.json wordnet.csv results.txt --format ilsvrc
ok convert --boxes wordnet.json results.txt direct.json
ok convert --boxes ilsvrc results.txt through.json
expect_same direct.json through.json

# names and boxes that do not come back
sed 's/"b.png"/"b c.png"/' truth.json >space.json
sed 's/^b,/b c,/' found.csv >space.csv
fails 1 "the image 'b c.png' has a space in its name" convert --boxes space.json space.csv space --format voc
sed 's/"cat"/"n02691156"/; s/"big dog"/"n02672831"/' space.json >space-ids.json
fails 1 "the image 'b c.png' has a space in its name" convert --boxes space-ids.json space --format ilsvrc
sed 's/"big dog"/"a  dog of no less than nine different words"/; s/"a.png"/"beyond.png"/; s/\[7, 7, 14, 14\]/[27, 27, 14, 14]/' \
    truth.json >odd.json
ok convert --boxes odd.json odd --format yolo
expect_err "1 boxes were clipped to their images"
for name in beyond b; do cp "$samples/30-bag.png" odd/$name.png; done
ok convert --boxes odd odd-again.json
grep -qF '"a  dog of no less than nine different words"' odd-again.json || fail "the name of a class as it was"
sed 's/"cat"/"cat "/' truth.json >end.json
fails 1 "the class 'cat ' begins or ends with a space" convert --boxes end.json end --format yolo
sed 's/"a.png"/"classes.png"/' truth.json >list.json
fails 1 "the image 'classes.png' has the name of the list classes.txt" convert --boxes list.json list --format yolo
sed 's/"a.png"/".a.png"/' truth.json >dot.json
for format in yolo voc; do
    fails 1 "the image '.a.png' has a name that begins with a dot" convert --boxes dot.json dot --format $format
done

# detections
for format in coco voc ilsvrc yolo; do
    ok convert --boxes truth.json found.csv found-$format --format $format
    expect_err "3 detections"
    ok convert --boxes truth.json found-$format $format-again.json
    for file in found-coco $format-again.json; do tr '{' '\n' <$file | sed 's/[],]*$//' | sort >${file%.json}.lines; done
    expect_same found-coco.lines $format-again.lines # VOC has a file per class
done

# the command line, and what is there already
fails 1 "again.json: already exists" convert --boxes truth.json again.json
fails 1 "voc: already exists and has files" convert --boxes truth.json voc --format voc
ok convert --boxes truth.json again.json --overwrite
ok convert --boxes truth.json voc --format voc --overwrite
# files that would be read with those that are written
cp voc/a.xml voc/old.xml
fails 1 "voc: has old.xml, which is not replaced" convert --boxes truth.json voc --format voc --overwrite
cp labels/a.txt labels/old.txt
fails 1 "labels: has old.txt" convert --boxes truth.json labels --format yolo --overwrite
mv labels/old.txt labels/old.xml
fails 1 "labels: has old.xml" convert --boxes truth.json labels --format yolo --overwrite
rm labels/old.xml
ok convert --boxes truth.json labels --format yolo --overwrite
ok convert --boxes truth.json found.csv found-voc --format voc --overwrite
cp found-voc/cat.txt found-voc/old_cat.txt
fails 1 "found-voc: has old_cat.txt" convert --boxes truth.json found.csv found-voc --format voc --overwrite
ok convert --boxes wordnet.json ilsvrc --format ilsvrc --overwrite
fails 1 "--boxes truth.json would be lost" convert --boxes truth.json ./truth.json --overwrite
fails 1 "DETECTIONS found.csv would be lost" convert --boxes truth.json found.csv found.csv --format coco --overwrite
fails 1 "voc would be lost" convert --boxes voc voc --format voc --overwrite
fails 1 "found.csv" convert --boxes truth.json found.csv/x --format voc
sed 's/"cat"/"a\/b"/' truth.json >slash.json
fails 1 "the class 'a/b' cannot be the name of a file" convert --boxes slash.json found-coco slash --format voc
fails 2 "which OUT?" convert --boxes truth.json
fails 2 "voc: which format? Add --format" convert --boxes truth.json voc
fails 2 "is one argument too many" convert --boxes truth.json a b c
fails 2 "add --boxes TRUTH" convert "$model" out.onnx --format coco
fails 2 "add --boxes TRUTH" convert "$model" out.onnx --box-list list
fails 2 "--dtype is for models" convert --boxes truth.json out.json --dtype f16
