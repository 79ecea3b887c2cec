#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh PROGRAM [IMAGES]: a first meeting, in eight lines: classifies the samples here with the model here, then
# evaluates the model on an IDX file of images, by default Debian's copy of Fashion-MNIST's test set.
set -eu
program=$1 images=${2:-/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz}
folder=$(dirname "$0")
model=$folder/googlenet-fashion-64.safetensors
LC_ALL=C
export LC_ALL
work=$(mktemp -d "${TMPDIR:-/tmp}/tributary-demo-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
# Counts and rates are in the lines below; messages matter when something fails.
quietly() { "$@" >"$work/out" 2>"$work/messages" || { cat "$work/messages" >&2 && exit 1; }; }

echo "\$ $program classify $model $folder/samples"
quietly "$program" classify "$model" "$folder/samples" --topk 1
# A sample is called INDEX-CLASS.png.
awk -F, 'NR > 1 {
    class = tolower($3); gsub(/[^a-z]+/, "-", class)
    right += $1 ~ ("/[0-9]+-" class "\\.png$")
    if (NR <= 4) shown = shown sprintf("%s %.1f %%, ", $3, 100 * $4)
} END { printf "  %s... %d of %d samples are right\n", shown, right, NR - 1 }' "$work/out"

echo "\$ $program eval $model $images"
if [ -e "$images" ]; then
    quietly "$program" eval "$model" "$images"
    awk -F'[:,]' '{ gsub(/[ \t"]/, ""); if (!($1 in value)) value[$1] = $2 } END {
        printf "  %d images: top-1 %.2f %%, top-5 %.2f %%; %.0f images/s\n", value["num_images"], value["top1"], value["top5"], value["images_per_second"]
    }' "$work/out"
else
    echo "  skipped: $images is missing; on Debian: apt-get install dataset-fashion-mnist"
fi

echo "Next, with this model or your own:"
echo "  $program classify MODEL IMAGES-OR-FOLDERS   classifies your images"
echo "  $program info MODEL                         shows what a network is made of; plan MODEL --explain: how it runs"
echo "  $program --help                             lists all commands; from C: host/examples/classify_image.c"
