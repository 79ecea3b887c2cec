#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# classify_rate.sh BUILD FOLDER [ROUNDS]: how much of min(decode rate, compute rate) `classify` reaches on the images of
# FOLDER, with the shipped model enlarged to 224x224 and batches of 32. All three are measured in turns.
#
#     benches/loading/make_jpegs.py /tmp/jpegs
#     benches/loading/classify_rate.sh build /tmp/jpegs
set -eu
build=$1 folder=$2 rounds=${3:-3}
here=$(cd "$(dirname "$0")/../.." && pwd)
model=$here/models/pretrained/googlenet-fashion-64.safetensors
rates=$(mktemp)
trap 'rm -f "$rates"' EXIT
i=0
while [ "$i" -lt "$rounds" ]; do
    decode=$("$build/benches/decode_rate" "$folder")
    compute=$("$build/tributary" bench "$model" --img-size 224 -b 32 --seconds 10 --json - |
        sed -n 's/.*"images_per_second":[^0-9]*\([0-9.]*\).*/\1/p')
    classify=$("$build/tributary" classify "$model" "$folder" --img-size 224 --crop-mode center --crop-pct 0.875 -b 32 \
        --format csv 2>&1 >/dev/null | sed -n 's/.*; \([0-9.]*\) images\/s.*/\1/p')
    echo "$decode $compute $classify" >>"$rates"
    i=$((i + 1))
done
awk '{ least = $1 < $2 ? $1 : $2
       printf "decode %.1f  compute %.1f  classify %.1f images/s: %.1f %% of the least\n", $1, $2, $3, 100 * $3 / least }' "$rates"
