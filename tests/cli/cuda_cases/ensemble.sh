# SPDX-License-Identifier: Apache-2.0
# Several models and several crops on a card: pictures go there once, and the results are those of the cpu. A damaged
# image stands among good ones; ten crops of a card are mirrored there.
head -c 200 "$samples/01-pullover.png" >cut.png
small="--img-size 32 --crop-mode squash"
for device in cpu "cuda,cpu --launch graph -b 1"; do
    # shellcheck disable=SC2086
    run classify "$model" "$model" "$samples/30-bag.png" cut.png "$samples/00-ankle-boot.png" --device $device $small
    expect_code 3
    expect_err "2 classified, 1 skipped"
    expect_lines 3 out
    case $device in
    cpu) cp out cpu.csv ;;
    *) expect_close out cpu.csv ;;
    esac
done
for device in cpu cuda; do
    ok classify "$model" "$samples/30-bag.png" --device $device --crops 10 --img-size 32 -b 7
    cp out $device.csv
done
expect_close cuda.csv cpu.csv
