# SPDX-License-Identifier: Apache-2.0
# Limits for images: pixels and memory, named in the messages of what they refuse.
images=${model%/models/*}/tests/data/images
mkdir in
cp "$samples/00-ankle-boot.png" in/a.png
cp "$samples/01-pullover.png" in/b.png

# a progressive JPEG of 16384 x 16384 pixels in 172 bytes: once 2.9 GB
cp "$images/hostile/progressive-bomb.jpg" in/bomb.jpg
run classify "$model" in --topk 1
expect_code 3
expect_err "in/bomb.jpg: JPEG image: its size is 16384 x 16384: more than the limit of 178956970 pixels"
expect_err "raise trib_decode_options.max_pixels (--max-pixels)"
expect_err "2 classified, 1 skipped"
run classify "$model" in --topk 1 --max-pixels 300M
expect_code 3
expect_err "refused as a decompression bomb"
rm in/bomb.jpg

run classify "$model" in --topk 1 --max-pixels 100
expect_code 3
expect_err "more than the limit of 100 pixels"
mkdir -p "classes/Ankle boot" classes/Pullover
cp in/a.png "classes/Ankle boot"
cp in/b.png classes/Pullover
run eval "$model" classes --max-pixels 100
expect_code 1
expect_err "more than the limit of 100 pixels"
ok classify "$model" in --topk 1 --max-pixels 178956971 --loader-memory 2M

# memory: too little for any image, then an interrupted run that is continued with the same limit
run classify "$model" in --topk 1 --loader-memory 10K -o out.csv
expect_code 3
expect_err "in/a.png: decoding its 28 x 28 pixels takes up to"
expect_err "raise trib_loader_options.memory_limit (--loader-memory)"
expect_lines 1 out.csv
cp "$samples/02-trouser.png" in/c.png
run classify "$model" in --topk 1 --loader-memory 10K -o out.csv --resume
expect_code 3
expect_err "0 classified, 3 skipped"
for options in "--max-pixels 0" "--max-pixels many" "--loader-memory -1" "--loader-memory 0"; do
    # shellcheck disable=SC2086
    fails 2 "it takes a number" classify "$model" in $options
done

# half of what a limit of the process leaves is the default; AddressSanitizer's shadow memory needs more than any limit
if ! (ulimit -d 2000000 && "$program" devices) >out 2>err; then
    grep -q ReserveShadowMemoryRange err || fail "devices under ulimit -d"
    echo "not tried with AddressSanitizer: devices under ulimit -d"
else
    expect_out "1.9 GiB: ulimit -d 2000000"
fi
ok classify --help
expect_out "--max-pixels"
expect_out "--loader-memory"
