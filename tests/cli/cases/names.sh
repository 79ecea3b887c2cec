# SPDX-License-Identifier: Apache-2.0
# Names that are not UTF-8: JSON keeps their bytes in a second field, csv unchanged, and --resume distinguishes them.
mkdir in
latin=$(printf 'in/caf\351.png')
other=$(printf 'in/caf\350.png')
cp "$samples/30-bag.png" "$latin"
cp "$samples/03-trouser.png" "$other"
cp "$samples/30-bag.png" 'in/a %, "b".png'
cp "$samples/30-bag.png" "$(printf 'in/\303\251.png')"
printf 'broken' >"$(printf 'in/z\377.png')"
run classify "$model" in --topk 1 --format jsonl -b 2 -o whole.jsonl
expect_code 3
expect_lines 5 whole.jsonl
cp whole.jsonl out
fffd=$(printf '\357\277\275')
expect_out '{"filename":"in/a %, \"b\".png","predictions"'
expect_out "{\"filename\":\"in/$(printf '\303\251').png\",\"predictions\""
expect_out "{\"filename\":\"in/caf$fffd.png\",\"filename_bytes\":\"in/caf%E8.png\",\"predictions\":[{\"index\":1,"
expect_out "{\"filename\":\"in/caf$fffd.png\",\"filename_bytes\":\"in/caf%E9.png\",\"predictions\":[{\"index\":8,"
expect_out "{\"filename\":\"in/z$fffd.png\",\"filename_bytes\":\"in/z%FF.png\",\"error\":"
run classify "$model" in --topk 1 -b 2 -o whole.csv --errors errors.csv
expect_code 3
grep -q "^$latin,8,Bag," whole.csv || fail "the bytes of a name in csv"
grep -q "^$(printf 'in/z\377.png')," errors.csv || fail "the bytes of a name in a list of skipped images"
for format in csv jsonl; do
    # cut off at every row, and in the middle of each
    for row in 1 2 3 4 5; do
        size=$(head -$row whole.$format | wc -c)
        for cut in "$size" $((size - 7)); do
            head -c "$cut" whole.$format >part
            run classify "$model" in --topk 1 --format $format -b 2 -o part --resume
            expect_code 3
            expect_same part whole.$format
        done
    done
    # the rows of one are not those of the other
    ok classify "$model" "$latin" --topk 1 --format $format -o "one.$format"
    fails 1 "cannot resume" classify "$model" "$other" "$latin" --topk 1 --format $format -o "one.$format" --resume
done
# other commands that print the name of a file
bytes=$(printf 'mod\351l %%.safetensors')
cp "$model" "$bytes"
ok info "$bytes" --json
grep -q '"model_bytes":.*"mod%E9l%20%25.safetensors"' out || fail "info --json"
mkdir classes classes/Bag
cp "$samples/30-bag.png" classes/Bag/
ok eval "$bytes" classes
grep -q '"model_bytes":.*"mod%E9l%20%25.safetensors"' out || fail "eval"
ok bench "$bytes" -b 1 --iterations 1 --warmup 0 --json -
grep -q '"model_bytes":.*"mod%E9l%20%25.safetensors"' out || fail "bench --json"
ok info "$model" --json
grep -q 'model_bytes' out && fail "only where it is needed"
:
