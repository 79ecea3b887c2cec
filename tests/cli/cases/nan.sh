# SPDX-License-Identifier: Apache-2.0
# A network that gives NaN: its rows say so, the class without a number comes last, and JSON stays JSON.
size=$(od -An -t u8 -N 8 "$model" | tr -d ' ')
begin=$(head -c $((8 + size)) "$model" | grep -ao '"fc.bias":{[^}]*' | sed 's/.*"data_offsets":\[\([0-9]*\),.*/\1/')
cp "$model" nan.safetensors
# the bias of class 9 becomes a NaN
byte 0 0 192 127 | dd of=nan.safetensors bs=1 seek=$((8 + size + begin + 4 * 9)) conv=notrunc 2>/dev/null
ok classify nan.safetensors "$samples/00-ankle-boot.png" --topk 10
tail -1 out | grep -Eq ',9,Ankle boot,-?nan$' || fail "the class without a number comes last"
ok classify nan.safetensors "$samples/00-ankle-boot.png" --topk 10 --format jsonl
expect_out '{"index":9,"label":"Ankle boot","prob":null}]}'
