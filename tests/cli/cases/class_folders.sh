# SPDX-License-Identifier: Apache-2.0
# eval on class folders: what shifts no label, and class names that no file system takes.
put() { # FOLDER SAMPLE...
    mkdir -p "$1"
    folder=$1
    shift
    for sample in "$@"; do cp "$samples"/*-"$sample".png "$folder" || fail "cp $sample"; done
}
put names/Bag bag
put names/Sandal sandal
put names/T-shirt%2Ftop t-shirt-top
put names/.ipynb_checkpoints coat
put names/Dress/.thumbnails dress
ok eval "$model" names
expect_out '"top1":	100,'
expect_out '"skipped":	0,'
grep -A2 '"T-shirt/top"' out | grep -q '"count":	2' || fail "two T-shirts"
expect_err "1 of 4 class folders have no image that can be read: Dress"
expect_err "there are no images of 7 of the model's 10 classes: Trouser, Pullover, Dress, "
expect_err "passed over: 2 hidden"
sed '/images_per_second/d' out >wanted
# by index, and both ways at once
put indices/8 bag
put indices/05 sandal
put indices/0 t-shirt-top
ok eval "$model" indices
expect_err "3 of 3 class folders are matched by index: '0' is T-shirt/top"
sed '/images_per_second/d' out >found
expect_same found wanted
mv indices/8 indices/Bag
ok eval "$model" indices
expect_err "2 of 3 class folders are matched by index"
sed '/images_per_second/d' out >found
expect_same found wanted
mkdir indices/8
cp indices/Bag/* indices/8
fails 1 "the folders '8' and 'Bag' both match class 8" eval "$model" indices
mkdir odd
put odd/10 bag
fails 1 "'10' is not a class of the model" eval "$model" odd
