#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# without_optional.sh PROGRAM: built without any optional library it still computes, and for each thing it cannot do it
# names the library and the file, and fails.
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/../.."
model=models/pretrained/googlenet-fashion-64.safetensors
sample=models/pretrained/samples/00-ankle-boot.png
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# refuses FILE TEXT ARGUMENT...: fails, saying TEXT and FILE.
refuses() {
    local file=$1 text=$2 code=0
    shift 2
    "$program" classify "$model" "$@" >"$work/out" 2>"$work/message" || code=$?
    cat "$work/message"
    if [ "$code" -eq 0 ] || [ "$code" -gt 3 ]; then echo "FAILED: exit code $code" && exit 1; fi
    grep -q "$text" "$work/message" || { echo "FAILED: the message does not say '$text'" && exit 1; }
    grep -q "$file" "$work/message" || { echo "FAILED: the message does not name '$file'" && exit 1; }
}

refuses 00-ankle-boot.png spng --reference $sample
refuses 420.jpg libjpeg --reference tests/data/images/420.jpg
refuses lossy.webp libwebp --reference tests/data/images/lossy.webp
refuses images-idx3-ubyte.gz zlib --reference tests/data/fashion-64-images-idx3-ubyte.gz
tar -cf "$work/one.tar" $sample
refuses one.tar libarchive --reference "$work/one.tar"

code=0
tar -cf "$work/report.sqlite" $sample # any file
"$program" profile --nsys "$work/report.sqlite" 2>"$work/message" || code=$?
cat "$work/message"
[ "$code" -eq 1 ] && grep -q 'report.sqlite.*SQLite' "$work/message" || { echo "FAILED: profile --nsys" && exit 1; }

# One image as an IDX file needs no library; without --reference it does.
{
    printf '\0\0\010\003\0\0\0\001\0\0\0\034\0\0\0\034'
    gunzip -c tests/data/fashion-64-images-idx3-ubyte.gz | head -c 800 | tail -c 784
} >"$work/one-images-idx3-ubyte" || true # gunzip's pipe is closed early
refuses conv oneDNN "$work/one-images-idx3-ubyte"
"$program" classify "$model" --reference --topk 1 "$work/one-images-idx3-ubyte" | tee "$work/out"
grep -qi 'ankle boot' "$work/out"
code=0
"$program" detect "$model" --reference --draw "$work/drawn" "$work/one-images-idx3-ubyte" 2>"$work/message" || code=$?
cat "$work/message"
[ "$code" -eq 1 ] && grep -q 'libspng' "$work/message" && [ ! -e "$work/drawn" ] || { echo "FAILED: detect --draw" && exit 1; }
echo "what is missing is named; what needs no library works"
