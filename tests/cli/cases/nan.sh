# SPDX-License-Identifier: Apache-2.0
# A network whose numbers overflow: probabilities are NaN, rows are still written, and JSON stays valid.
size=$(od -An -t u8 -N 8 "$model" | tr -d ' ')
# overwrite TENSOR SKIP COUNT BYTE: in the copy of the model
overwrite() {
    begin=$(head -c $((8 + size)) "$model" | grep -ao "\"$1\":{[^}]*" | sed 's/.*"data_offsets":\[\([0-9]*\),.*/\1/')
    fill "$3" "$4" | dd of=huge.safetensors bs=1 seek=$((8 + size + begin + $2)) conv=notrunc 2>/dev/null
}
cp "$model" huge.safetensors
chmod u+w huge.safetensors
overwrite inception5b.branch1.bn.bias 0 4 126 # f32: one feature is 8e37
overwrite fc.weight $((2048 * 3)) 2048 123    # f16: 61280, and the logit of class 3 is infinite
ok classify huge.safetensors "$samples/30-bag.png" --device cpu
tail -1 out | grep -Eq '/30-bag.png,3,Dress,-?nan,([^,]*,[^,]*,-?nan,?){4}$' || fail "the infinite logit first, nothing a number"
ok classify huge.safetensors "$samples/30-bag.png" --device cpu --format jsonl --topk 2
expect_out '"predictions":[{"index":3,"label":"Dress","prob":null},{"index":'
[ "$(grep -o '"prob":null' out | wc -l)" -eq 2 ] || fail "no number in the JSON"
