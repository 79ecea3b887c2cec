# SPDX-License-Identifier: Apache-2.0
# The samples in all three formats, however they are named and whatever computes them.
ok classify "$model" "$samples"
expect_err "20 classified, 0 skipped"
cp out all.csv
expect_lines 21 all.csv
head -1 all.csv >header
printf '%s\n' "filename,index_0,label_0,prob_0,index_1,label_1,prob_1,index_2,label_2,prob_2,index_3,label_3,prob_3,index_4,label_4,prob_4" >wanted
expect_same header wanted
# in order, and with what the model is known to say (PyTorch agrees)
sed 1d all.csv | cut -d, -f1 >names
ls -d "$samples"/*.png >wanted
expect_same names wanted
awk -F, 'NR > 1 { sub(/.*\//, "", $1); printf "%-20s %-11s %.2f\n", $1, $3, $4 }' all.csv >out
expect_exact classify-samples

# the same bytes with any number of workers, any way of naming the images, any output
ok classify "$model" "$samples" -b 4 -j 1
cp out four.csv
expect_close four.csv all.csv
ok classify "$model" "$samples" -b 4 -j 4
expect_same out four.csv
for schedule in branches fused,inception_3a=serial,inception_4b=branches; do
    ok classify "$model" "$samples" -b 4 --schedule "$schedule"
    expect_same out four.csv
done
ok classify "$model" "$samples" -b 4 --launch graph -o file.csv
expect_no_out
expect_same file.csv four.csv
ls -d "$samples"/*.png >list
ok classify "$model" @list -b 4
expect_same out four.csv
"$program" classify "$model" - -b 4 <list >out 2>err || fail "a list on standard input"
expect_same out four.csv
# the same results, however they are computed
for options in "-b 1" "-b 7 -j 3" "--threads 1" "--lanes 1" "--layout nhwc" "--measure" "--disable-pass elide_concat"; do
    # shellcheck disable=SC2086
    ok classify "$model" "$samples" $options
    expect_close out all.csv
done
ok classify "$model" "$samples/00-ankle-boot.png" "$samples/01-pullover.png" --reference
head -3 all.csv >wanted
expect_close out wanted

fails 1 "file.csv: already exists" classify "$model" "$samples" -o file.csv
expect_same file.csv four.csv
ok classify "$model" "$samples" -o file.csv --overwrite
expect_close file.csv all.csv

prob=$(sed -n 2p all.csv | cut -d, -f4 | cut -c1-5)[0-9]{3}
percent=$(awk -F, 'NR == 2 { printf "%.1f", int(1000 * $4) / 10 }' all.csv)[0-9]
ok classify "$model" "$samples" --format jsonl --topk 1
expect_lines 20 out
head -1 out | grep -Eq '^\{"filename":".*/00-ankle-boot\.png","predictions":\[\{"index":9,"label":"Ankle boot","prob":'"$prob"'\}\]\}$' || fail "a jsonl row"
ok classify "$model" "$samples" --format table --topk=2
expect_lines 60 out
grep -Eq "^ +$percent %  Ankle boot$" out || fail "a table row"
# no more classes than there are
ok classify "$model" "$samples/30-bag.png" --topk 100
expect_out "index_9,label_9,prob_9"
! grep -q index_10 out || fail "ten classes at most"
