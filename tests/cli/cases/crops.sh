# SPDX-License-Identifier: Apache-2.0
# Several crops of an image: PyTorch's probabilities, in any batch; a run that is continued; what eval says it asked.
mkdir in
for name in 04-shirt 06-coat 19-t-shirt-top; do cp "$samples/$name.png" in/; done
golden=${case_file%/*}/../../data/crops/samples.csv
for policy in 10 144; do
    ok classify "$model" in --crops $policy --topk 10
    cp out "$policy.csv"
    # FILE,index,label,probability,... against POLICY,FILE,probability of each class
    awk -F, -v policy=$policy '
        NR == FNR { if ($1 == policy) for (i = 3; i <= NF; ++i) wanted[$2, i - 3] = $i; next }
        FNR > 1 { sub(/.*\//, "", $1)
                  for (i = 2; i < NF; i += 3) { d = $(i + 2) - wanted[$1, $i]; if (!(d <= 2e-6 && d >= -2e-6)) bad = 1; ++n } }
        END { exit bad || n != 30 }' "$golden" "$policy.csv" || fail "PyTorch's probabilities expected"
done
for batch in 1 7 100; do
    ok classify "$model" in --crops 10 --topk 10 -b $batch
    expect_close out 10.csv
done
ok classify "$model" in --topk 10
cp out one.csv
ok classify "$model" in --crops 1 --topk 10
expect_same out one.csv

# a damaged image is one image, and a run is continued after any of them
printf 'broken' >in/05.png
run classify "$model" in --crops 10 -o whole.csv --topk 2
expect_code 3
expect_err "3 classified, 1 skipped"
for lines in 2 3; do
    head -n $lines whole.csv >part.csv
    run classify "$model" in --crops 10 -o part.csv --topk 2 --resume
    expect_code 3
    expect_same part.csv whole.csv
done

# eval's words; scales in the order given
mkdir set set/Coat && cp in/06-coat.png set/Coat/
scales() { tr -d '\n\t ' <out | grep -qF "\"scales\":[$1]" || fail "scales $1 expected"; }
ok eval "$model" set --crops 144
expect_out '"evaluations_per_image":	144'
scales 73,82,91,101
ok eval "$model" set --crops 144 --scales 70,64
expect_out '"evaluations_per_image":	72'
scales 70,64

fails 2 "--crops" classify "$model" in --crops 5
fails 1 "a scale of 63 pixels is smaller than the model's input of 64 x 64" classify "$model" in --crops 10 --scales 63
fails 1 "9 scales" classify "$model" in --crops 144 --scales 64,65,66,67,68,69,70,71,72
fails 1 "one crop is the model's own" classify "$model" in --scales 64
fails 1 "--crop-pct is for one crop: 10 crops are cut from scales of their own" \
    classify "$model" in --crops 10 --crop-pct 0.5
fails 1 "--crop-mode is for one crop: 144 crops" eval "$model" "$model" set --crops 144 --crop-mode squash
