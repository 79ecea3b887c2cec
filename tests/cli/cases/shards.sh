# SPDX-License-Identifier: Apache-2.0
# Tar shards and IDX files as inputs of classify and eval.
mkdir shard
n=0
for name in 00-ankle-boot 02-trouser 08-sandal 18-bag; do
    cp "$samples/$name.png" shard/s$n.png
    n=$((n + 1))
done
printf 9 >shard/s0.cls
printf 1 >shard/s1.cls
printf 5 >shard/s2.cls
printf 7 >shard/s3.cls
(cd shard && tar cf ../part-000.tar s0.png s0.cls s1.png s1.cls && tar cf ../part-001.tar s2.png s2.cls s3.png s3.cls) ||
    fail "tar"
ok classify "$model" 'part-{000..001}.tar' --topk 1
sed 1d out | cut -d, -f1-3 >rows
printf '%s\n' "part-000.tar/s0.png,9,Ankle boot" "part-000.tar/s1.png,1,Trouser" "part-001.tar/s2.png,5,Sandal" \
    "part-001.tar/s3.png,8,Bag" >wanted
expect_same rows wanted
cp out whole
head -c 120 whole >part
ok classify "$model" 'part-{000..001}.tar' --topk 1 -o part --resume
expect_same part whole
# the bag is labelled sneaker: 3 of 4
ok eval "$model" 'part-{000..001}.tar' --confusion --results-file results.json
expect_out '"top1":	75,'
expect_out '"top1_err":	25,'
expect_out '"num_images":	4,'
expect_out '"skipped":	0,'
expect_same out results.json
expect_out '[0,0,0,0,0,0,0,0,1,0]'
fails 1 "results.json: already exists" eval "$model" part-000.tar --results-file results.json
# a member that is cut off is skipped, and only it
head -c 1000 part-001.tar >cut.tar
cat part-000.tar >good.tar
run classify "$model" good.tar cut.tar --topk 1
expect_code 3
expect_err "skipped: cut.tar"
expect_out "good.tar/s1.png,1,Trouser"

# six 28x28 images in one gray each, and their labels
{
    byte 0 0 8 3 0 0 0 6 0 0 0 28 0 0 0 28
    for gray in 0 50 100 150 200 255; do fill 784 $gray; done
} >x-images-idx3-ubyte
{ byte 0 0 8 1 0 0 0 6 0 1 2 3 4 5; } >x-labels-idx1-ubyte
ok classify "$model" x-images-idx3-ubyte --topk 1
expect_lines 7 out
expect_out "x-images-idx3-ubyte#5,"
sed 's/^[^#]*//' out >plain
gzip -c x-images-idx3-ubyte >y-images-idx3-ubyte.gz
gzip -c x-labels-idx1-ubyte >y-labels-idx1-ubyte.gz
ok classify "$model" y-images-idx3-ubyte.gz --topk 1
sed 's/^[^#]*//' out >zipped
expect_same plain zipped
ok eval "$model" y-images-idx3-ubyte.gz
expect_out '"num_images":	6,'
ok eval "$model" x-images-idx3-ubyte --labels y-labels-idx1-ubyte.gz
expect_out '"num_images":	6,'
# eval and classify agree
right=$(sed 's/^#\([0-9]\),\1,.*/right/' plain | grep -c right)
grep -q "\"top1\":	$((right * 1000000 / 6 / 10000))[.,]" out || fail "top1 of $right in 6"
fails 1 "no-labels" eval "$model" x-images-idx3-ubyte --labels no-labels

# class folders, by the model's names for them
mkdir -p set/Bag set/Sandal set/Coat
cp "$samples"/*-bag.png set/Bag
cp "$samples"/*-sandal.png set/Sandal
cp "$samples"/*-coat.png set/Coat
printf 'broken' >set/Coat/broken.png
run eval "$model" set
expect_code 3
expect_out '"top1":	100,'
expect_out '"num_images":	6,'
expect_out '"skipped":	1,'
expect_err "skipped: set/Coat/broken.png: "
