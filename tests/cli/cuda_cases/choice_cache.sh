# SPDX-License-Identifier: Apache-2.0
# The results of --measure are stored, and read by later plans.
unset TRIBUTARY_CACHE_DIR XDG_CACHE_HOME
HOME=$folder/home
export HOME
mkdir home
plan() { ok plan --arch bvlc --img-size 64 --width-multiplier 0.25 --device cuda --explain "$@"; }
# how many ops were decided so: ranked, measured or remembered
count() { grep -c "$1:" out; }

plan
[ "$(count ranked)" -gt 0 ] || fail "ops are ranked"
[ ! -e home/.cache/tributary/choices.txt ] || fail "nothing is compiled or measured, nothing is written"
plan --measure --choice-cache none
expect_no_err
[ "$(count measured)" -gt 0 ] || fail "ops are measured"
expect_out "a time is the median of 5, each of up to 20 runs behind each other"
[ ! -e home/.cache/tributary/choices.txt ] || fail "none is none"
plan --precision bf16
[ -s home/.cache/tributary/choices.txt ] || fail "compiled convolutions are kept"
# Each takes half a second there: only the 3x3 and the 5x5 of nine modules, two pairs of them with the same shape; not the
# 1x1, which our kernels are ranked before.
kept=$(grep -c '^key:' home/.cache/tributary/choices.txt)
[ "$kept" -eq 16 ] || fail "$kept convolutions were compiled, not 16"

plan --measure
expect_no_err
[ -s home/.cache/tributary/choices.txt ] || fail "the file in the home folder"
plan
[ "$(count remembered)" -gt 0 ] || fail "what was measured is remembered"
plan --choice-cache none
[ "$(count remembered)" -eq 0 ] || fail "none is not read either"

XDG_CACHE_HOME=relative
export XDG_CACHE_HOME
plan
[ "$(count remembered)" -gt 0 ] || fail "a relative XDG_CACHE_HOME does not count"
XDG_CACHE_HOME=$folder/xdg/deep
plan --measure
[ -s xdg/deep/tributary/choices.txt ] || fail "the file in XDG_CACHE_HOME"
TRIBUTARY_CACHE_DIR=own
export TRIBUTARY_CACHE_DIR
plan --measure
[ -s own/choices.txt ] || fail "the file in TRIBUTARY_CACHE_DIR"
plan --measure --choice-cache here.txt
[ -s here.txt ] || fail "the file named"

# an impossible folder does not stop a run, and is reported only with --measure
: >file
TRIBUTARY_CACHE_DIR=file/folder
plan
expect_no_err
plan --measure
expect_err "file/folder: cannot create this folder: Not a directory; measurements will not be remembered"
TRIBUTARY_CACHE_DIR=file
plan --measure
expect_err "file: cannot create this folder: Not a directory"
plan --measure --choice-cache file/here.txt
expect_err "measurements will not be remembered"
# without a driver nothing can be measured, and nothing is made
SIMULATED_NO_DRIVER=1 TRIBUTARY_CACHE_DIR=absent
export SIMULATED_NO_DRIVER
ok plan --arch bvlc --img-size 64 --width-multiplier 0.25 --measure
expect_no_err
[ ! -e absent ] || fail "nothing is made for a cpu"
