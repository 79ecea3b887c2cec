# SPDX-License-Identifier: Apache-2.0
# eval --boxes: truth and detections of every format, what is printed and written, and files that lie.
image() { # NAME WIDTH HEIGHT OBJECTS: an annotation of VOC's
    printf '<annotation><filename>%s.jpg</filename><size><width>%s</width><height>%s</height></size>%s</annotation>\n' \
        "$1" "$2" "$3" "$4" >"voc/$1.xml"
}
object() { # NAME XMIN YMIN XMAX YMAX DIFFICULT
    printf '<object><name>%s</name><difficult>%s</difficult><bndbox><xmin>%s</xmin><ymin>%s</ymin><xmax>%s</xmax><ymax>%s</ymax></bndbox></object>' \
        "$1" "$6" "$2" "$3" "$4" "$5"
}
mkdir voc yolo results
image a 100 80 "$(object cat 11 11 30 30 0)$(object dog 51 11 90 70 0)"
image b 100 80 "$(object cat 1 1 10 10 0)$(object cat 41 41 60 60 1)"
image c 100 80 ""
cat >truth.json <<'END'
{"images": [{"id": 7, "file_name": "val/a.jpg", "width": 100, "height": 80}, {"id": 8, "file_name": "val/b.jpg",
  "width": 100, "height": 80}, {"id": 9, "file_name": "val/c.jpg", "width": 100, "height": 80}],
 "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
 "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 10, 20, 20]},
  {"id": 2, "image_id": 7, "category_id": 2, "bbox": [50, 10, 40, 60]},
  {"id": 3, "image_id": 8, "category_id": 1, "bbox": [0, 0, 10, 10]},
  {"id": 4, "image_id": 8, "category_id": 1, "bbox": [40, 40, 20, 20], "ignore": 1}]}
END
# One of two cats is found, and the one that is difficult; the dog is, and something in c.
cat >found.csv <<'END'
filename,label,score,xmin,ymin,xmax,ymax
photos/a.jpg,cat,0.9,10,10,30,30
photos/b.jpg,cat,0.8,40,40,60,60
photos/a.jpg,dog,0.7,50,10,90,70
photos/c.jpg,dog,0.95,0,0,50,50
END
printf '%s\n' '[{"image_id":7,"category_id":1,"bbox":[10,10,20,20],"score":0.9},
 {"image_id":8,"category_id":1,"bbox":[40,40,20,20],"score":0.8},
 {"image_id":7,"category_id":2,"bbox":[50,10,40,60],"score":0.7},
 {"image_id":9,"category_id":2,"bbox":[0,0,50,50],"score":0.95}]' >found.json
printf '%s\n' '7 1 0.9 10 10 29 29' '8 1 0.8 40 40 59 59' '7 2 0.7 50 10 89 69' '9 2 0.95 0 0 49 49' >ilsvrc.txt
printf '%s\n' 'a 0.9 11 11 30 30' 'b 0.8 41 41 60 60' >results/comp4_det_test_cat.txt
printf '%s\n' 'a 0.7 51 11 90 70' 'c 0.95 1 1 50 50' >results/comp4_det_test_dog.txt
printf '%s\n' '0 0.2 0.25 0.2 0.25 0.9' '1 0.7 0.5 0.4 0.75 0.7' >yolo/a.txt
printf '%s\n' '0 0.5 0.625 0.2 0.25 0.8' >yolo/b.txt
printf '%s\n' '1 0.25 0.3125 0.5 0.625 0.95' >yolo/c.txt
cat >found.jsonl <<'END'
{"filename":"a.jpg","detections":[{"label":"cat","score":0.9,"bbox":[10,10,20,20]},{"label":"dog","score":0.7,"bbox":[50,10,40,60]}]}
{"filename":"b.jpg","detections":[{"label":"cat","score":0.8,"bbox":[40,40,20,20]}]}
{"filename":"c.jpg","detections":[{"label":"dog","score":0.95,"bbox":[0,0,50,50]}]}
END

# the same by every format
ok eval --boxes truth.json found.csv --rule voc
expect_err "truth.json: COCO JSON: 3 images, 2 classes, 4 boxes (1 difficult or crowds)"
expect_err "found.csv: csv: 4 detections"
grep -v '"detections_f' out >wanted
expect_out '"map":	0.5,'
expect_out '"truths":	3,'
expect_out '"aside":	1,'
expect_out '"detections":	4,'
expect_out '"num_images":	3,'
for found in found.json ilsvrc.txt results yolo found.jsonl; do
    ok eval --boxes truth.json $found --rule voc
    grep -v '"detections_f' out >got
    expect_same wanted got
done
ok eval --boxes voc found.csv
expect_err "the rule is voc, as the truth is VOC; --rule takes another"
grep -v '_f[io][lr]' out >got
grep -v '_f[io][lr]' wanted | cmp - got || fail "VOC's truth gives the same"
"$program" eval --boxes truth.json /dev/stdin --rule voc <found.csv 2>err | grep -v '"detections_f' >got
expect_same wanted got

# rules
ok eval --boxes truth.json found.csv
expect_err "the rule is coco, as the truth is COCO JSON; --rule takes another"
expect_out '"AP50":	'
ok eval --boxes truth.json found.csv --rule voc2007
expect_out '"iou":	0.5,'
ok eval --boxes truth.json found.csv --rule ilsvrc
grep -q '"iou"' out && fail "the threshold of ILSVRC is each object's own"
expect_out '"aside":	0,'
ok eval --boxes truth.json found.csv --rule ilsvrc --iou 0.7
expect_out '"iou":	0.7,'
fails 2 "has ten overlaps of its own" eval --boxes truth.json found.csv --rule coco --iou 0.5
fails 1 "add --rule voc" eval --boxes truth.json found.csv --iou 0.5
ok eval --boxes voc found.csv --iou 0.3

# tables, to the letter
for rule in voc coco; do
    ok eval --boxes truth.json found.csv --rule $rule --format table
    expect_exact "eval-boxes-$rule"
done

# what is written
ok eval --boxes truth.json found.csv --rule voc --results-file out.json --plot curves.svg --format table
sed '/"detections_f/d' out.json | cmp - wanted || fail "the file has the same JSON"
grep -q '<svg' curves.svg && grep -q 'cat: AP 0.5' curves.svg || fail "a picture of curves"
ok eval --boxes truth.json found.csv --plot coco.svg
grep -q 'IoU' coco.svg || fail "a picture of COCO's curves"
fails 1 "out.json: already exists" eval --boxes truth.json found.csv --results-file out.json
fails 1 "curves.svg: already exists" eval --boxes truth.json found.csv --plot curves.svg
ok eval --boxes truth.json found.csv --plot curves.svg --results-file out.json --overwrite
fails 1 "--boxes truth.json would be lost" eval --boxes truth.json found.csv --plot truth.json --overwrite
fails 1 "DETECTIONS found.csv would be lost" eval --boxes truth.json found.csv --results-file ./found.csv --overwrite
fails 1 "are the same file" eval --boxes truth.json found.csv --results-file x --plot x
fails 1 "voc/a.xml would be lost" eval --boxes voc found.csv --plot voc/a.xml --overwrite
fails 1 "results/comp4_det_test_cat.txt would be lost" \
    eval --boxes truth.json results --results-file results/comp4_det_test_cat.txt --overwrite

# proposals
sum() { printf "%064d" "$1"; }
{
    printf '{"image":"x/a.jpg","sha256":"%s","width":100,"height":80,"boxes":[[10,10,30,30],[50,10,90,50]]}\n' "$(sum 1)"
    printf '{"image":"x/b.jpg","sha256":"%s","width":100,"height":80,"boxes":[]}\n' "$(sum 2)"
    printf '{"image":"x/q.jpg","sha256":"%s","width":100,"height":80,"boxes":[]}\n' "$(sum 3)"
} >proposals.jsonl
ok eval --boxes truth.json --proposals proposals.jsonl
expect_err "has no proposals for 1 of the 3 images; their objects count as not covered"
expect_err "passed over: 1 images that the truth does not have"
expect_out '"images_without":	1,'
expect_out '"truths":	3,'
ok eval --boxes truth.json --proposals proposals.jsonl --format table
expect_exact eval-boxes-proposals
ok eval --boxes truth.json found.csv --proposals proposals.jsonl --format table
expect_exact eval-boxes-both
sed 's/"height":80/"height":90/' proposals.jsonl >wrong.jsonl
fails 1 "of 100 x 90 pixels, but the truth is of 100 x 80" eval --boxes truth.json --proposals wrong.jsonl
sed -n "3p" proposals.jsonl >wrong.jsonl
fails 1 "is of an image of the truth" eval --boxes truth.json --proposals wrong.jsonl

# a truth without numbers, and classes that are never found
sed 's/"image_id":7/"image_id":1/; s/"image_id":8/"image_id":2/; s/"image_id":9/"image_id":3/' found.json >by_place.json
ok eval --boxes voc by_place.json
expect_err "the truth has no numbers: where detections have no names, image 1 is taken to be a"
expect_out '"map":	0.5,'
grep -v dog found.csv >cats.csv
ok eval --boxes truth.json cats.csv
expect_err "no detections of: dog"
head -1 found.csv >nothing.csv
ok eval --boxes truth.json nothing.csv --rule voc
expect_err "no detections of: cat, dog"
expect_out '"map":	0,'
ok eval --boxes truth.json nothing.csv --rule voc --plot nothing.svg
# a class of the list that no image has
printf 'cat\ndog\nbird\n' >names
ok eval --boxes voc found.csv --box-classes names
expect_out '"ap":	null,'
printf 'a\n' >list
fails 1 "found.csv, line 3: the truth has no image 'photos/b.jpg'" eval --boxes voc found.csv --box-list list
sed 1q names >one
fails 1 "the class 'dog' is not in the list of classes" eval --boxes voc found.csv --box-classes one

# files that lie
lies() { # MESSAGE: of truth on standard input
    cat >lie
    fails 1 "$1" eval --boxes lie found.csv
    expect_no_out
}
tail -n +2 found.csv | sed 's/cat/Cat/' | cat nothing.csv - >case.csv
fails 1 "case.csv, line 2: the truth has no class 'Cat', but it has 'cat'" eval --boxes truth.json case.csv
sed 's/photos.b/photos\/unknown/' found.csv >unknown.csv
fails 1 "unknown.csv, line 3: the truth has no image 'photos/unknown.jpg'" eval --boxes truth.json unknown.csv
sed 's/0[.]8/nan/' found.csv >nan.csv
fails 1 "nan.csv, line 3: 'nan' is not a number" eval --boxes truth.json nan.csv
sed 's/40,40,60/40,40,30/' found.csv >negative.csv
fails 1 "negative.csv, line 3:" eval --boxes truth.json negative.csv
sed 's/"image_id": 7/"image_id": 70/' truth.json | lies "there is no image with number 70"
sed 's/20, 20]/20, -20]/' truth.json | lies "lie, annotation 1:"
sed 's/20, 20]/20, NaN]/' truth.json | lies "lie"
head -3 truth.json | lies "lie"
printf '{"images":[],"categories":[],"annotations":[]}' | lies "lie: has no boxes: there is nothing to be found"
printf '<annotation><object>' | lies "lie, line 1"
{
    printf '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
    printf '<annotation><filename>&b;</filename></annotation>\n'
} | lies "DOCTYPE"
printf '0 0.5 0.5 1 1\n' | lies "of YOLO's text files, the folder is to be named"
printf '' | lies "lie: is empty"
fails 1 "found.json: a JSON list, which is what COCO's results are" eval --boxes found.json found.json
fails 1 "voc: a folder without .txt files" eval --boxes truth.json voc
fails 1 "not a file of detections" eval --boxes truth.json "$case_file"
fails 1 "truth.json: this looks like COCO's truth; its detections are a list" eval --boxes truth.json truth.json
fails 1 "nowhere" eval --boxes nowhere found.csv
fails 1 "nowhere" eval --boxes truth.json nowhere
fails 1 "nowhere" eval --boxes truth.json --proposals nowhere

# the command line
fails 2 "which DETECTIONS?" eval --boxes truth.json
fails 2 "--rule is for boxes of objects: add --boxes TRUTH" eval "$model" photos --rule voc
fails 2 "--proposals is for boxes of objects: add --boxes TRUTH" eval "$model" photos --proposals proposals.jsonl
fails 2 "--confusion is for classes of images" eval --boxes truth.json found.csv --confusion
fails 2 "--plot draws" eval --boxes truth.json --proposals proposals.jsonl --plot x.svg

# models and images: the same as of what 'detect' writes
sum_of() { sha256sum "$1" | cut -c1-64; }
mkdir photos
cp "$samples/30-bag.png" photos/bag.png
cp "$samples/03-trouser.png" photos/trouser.png
for name in bag trouser; do
    printf '{"image":"photos/%s.png","sha256":"%s","width":28,"height":28,"boxes":[[0,0,28,28],[0,0,14,28]]}\n' \
        $name "$(sum_of photos/$name.png)"
done >regions.jsonl
cat >garments.json <<'END'
{"images": [{"id": 1, "file_name": "trouser.png", "width": 28, "height": 28}, {"id": 2, "file_name": "bag.png", "width": 28,
  "height": 28}], "categories": [{"id": 1, "name": "Bag"}, {"id": 2, "name": "Trouser"}], "annotations": [
  {"id": 1, "image_id": 2, "category_id": 1, "bbox": [0, 0, 28, 28]},
  {"id": 2, "image_id": 1, "category_id": 2, "bbox": [0, 0, 28, 28]}]}
END
ok detect "$model" photos --proposals regions.jsonl --format csv -o made.csv
grep -e Bag -e Trouser -e filename made.csv >known.csv
ok eval --boxes garments.json known.csv --format json
sed -n '/per_class/,$p' out >wanted
ok eval "$model" photos --boxes garments.json --proposals regions.jsonl --plot made.svg
expect_err "left out: classes of the model that the truth does not have: T-shirt/top"
expect_err "2 images, 0 skipped"
expect_out '"images_seen":	2,'
expect_out '"regions":	4,'
expect_out '"proposals_file":	"regions.jsonl",'
expect_out '"max_proposals":	null,'
expect_out '"precision":	"fp32"'
grep -q '"device":	"..*",' out || fail "the device of the model expected"
grep -q '"strategy"' out && fail "nothing was searched"
expect_out '"recall50":	1,'
sed -n '/per_class/,$p' out | sed '/best_overlap/d; s/\(recall":.*\),$/\1,/' >got
grep -e '"ap"' -e '"recall"' wanted | sed 's/,$//' >a
grep -e '"ap"' -e '"recall"' got | sed 's/,$//' >b
expect_same a b
ok eval "$model" "$model" photos --boxes garments.json --proposals regions.jsonl
grep -e '"ap"' -e '"recall"' out | sed -n '/"ap"/p' >b # the same model twice
sed -n '/"ap"/p' a | sed 's/$/,/' >c
expect_same c b
ok eval "$model" photos --boxes garments.json --strategy fast --max-proposals 2
expect_out '"strategy":	"fast",'
expect_out '"max_proposals":	2,'
# more and less than the truth has, and what cannot be read
cp "$samples/30-bag.png" photos/more.png
rm photos/trouser.png
printf 'no image' >photos/trouser.png
run eval "$model" photos --boxes garments.json --proposals regions.jsonl
expect_code 3
expect_err "skipped: photos/more.png: the truth has no image 'photos/more.png'"
expect_err "skipped: photos/trouser.png"
expect_err "1 of the truth's 2 images were not among the inputs, or were skipped; their objects count as not found"
sed 's/28/29/g' garments.json >larger.json
fails 1 "none of the 3 images could be read and is one of the truth's" \
    eval "$model" photos --boxes larger.json --proposals regions.jsonl
expect_err "it has 28 x 28 pixels, but the truth is of 29 x 29"
sed 's/"Bag"/"bag"/; s/"Trouser"/"trousers"/' garments.json >other.json
fails 1 "no class of the model is one of the truth's, such as 'bag'" eval "$model" photos --boxes other.json
expect_err "the model has no class for: bag (but Bag), trousers"
mkdir twice twice/a twice/b
cp photos/bag.png twice/a/
cp photos/bag.png twice/b/
fails 1 "another input is the truth's image 'bag.png' as well" \
    eval "$model" twice --boxes garments.json --proposals regions.jsonl
fails 2 "which IMAGES?" eval "$model" --boxes garments.json
fails 2 "which IMAGES? All arguments are models" eval "$model" "$model" --boxes garments.json
fails 2 "--strategy is how to search for regions" \
    eval "$model" photos --boxes garments.json --proposals regions.jsonl --strategy fast
fails 2 "say how a MODEL detects" eval --boxes truth.json found.csv --threshold 0.5
