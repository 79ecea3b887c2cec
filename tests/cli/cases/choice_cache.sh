# SPDX-License-Identifier: Apache-2.0
# Where choices are remembered is the CUDA device's affair: on a cpu nothing is made, whatever names the place.
HOME=$folder/home XDG_CACHE_HOME=$folder/xdg TRIBUTARY_CACHE_DIR=$folder/cache
export HOME XDG_CACHE_HOME TRIBUTARY_CACHE_DIR
mkdir home xdg
for place in "$TRIBUTARY_CACHE_DIR" "" no; do
    TRIBUTARY_CACHE_DIR=$place
    [ "$place" = no ] && unset TRIBUTARY_CACHE_DIR XDG_CACHE_HOME
    ok plan --arch bvlc --img-size 64 --width-multiplier 0.25 --device cpu --measure
    expect_no_err
    ok classify "$model" "$samples/30-bag.png" --device cpu --choice-cache file.txt
done
ok plan "$model" --device cpu --choice-cache none
[ "$(find . -name 'choices*' -o -name tributary -o -name file.txt -o -name cache | wc -l)" -eq 0 ] ||
    fail "nothing is written for a cpu"
