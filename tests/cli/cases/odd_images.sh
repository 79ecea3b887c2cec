# SPDX-License-Identifier: Apache-2.0
# Images that PIL reads although their format is broken, animations, and photos on their side.
images=${model%/models/*}/tests/data/images
mkdir odd
cp "$images/zeros-for-end.jpg" "$images/long-palette.png" "$images/no-end.png" "$images/text-checksum-after.png" odd
run classify "$model" odd --topk 1
expect_code 0
expect_err "4 classified, 0 skipped"
! grep -q "note for" err || fail "nothing is noted of these"
# the first frame, reported once
mkdir animated
cp "$images/animated.webp" "$images/animated-part.webp" "$images/animated.png" "$images/rgb.png" animated
mkdir classes
cp -r animated classes/Bag
for command in "classify $model animated" "eval $model classes"; do
    # shellcheck disable=SC2086
    run $command -b 2
    expect_code 0
    expect_err "note for 3 images: animation: its first frame is used"
    [ "$(grep -c "note for" err)" -eq 1 ] || fail "the note comes once"
done
# EXIF's orientation, only when asked for
mkdir rotated upright
cp "$images/420.jpg" rotated/1.jpg
cp "$images/rotated-6.jpg" rotated/6.jpg
run classify "$model" rotated --topk 1
sed 's/^[^,]*,//' out >rows
[ "$(sed -n 2p rows)" = "$(sed -n 3p rows)" ] || fail "without the option both are the same image"
run classify "$model" rotated --topk 1 --apply-orientation
sed 's/^[^,]*,//' out >rows
[ "$(sed -n 2p rows)" != "$(sed -n 3p rows)" ] || fail "with the option they are not"
# refused by PIL as well: the reason is right
run classify "$model" "$images/refused-progressive-zeros-for-end.jpg"
expect_code 3
expect_err "the file ends without an end marker"
