# SPDX-License-Identifier: Apache-2.0
# profile on a simulated card, whose clock gives every op 3 ms: then a module takes as long as its longest chain.
small() { run profile --device cuda --arch bvlc --img-size 32 --width-multiplier 0.1 --iterations 1 --warmup 1 "$@"; }
small --launch graph --json p.json
expect_code 0
expect_out "Time in ms, median"
expect_out "branches: gain = "
expect_out "fused: gain = "
expect_out "  6.000  3.50x      6.000  3.50x" # 7 ops one after another, and the longest chain of 2
tr -s '\n ' ' ' <out >said
grep -q "nearly all of the 3.50 that its longest chain of ops allows" said || fail "a sentence"
expect_out "H200, copy 4.3 TB/s"
for schedule in serial branches fused; do grep -q "\"name\":	\"$schedule\"" p.json || fail "schedule $schedule"; done
grep -q '"times_from":	"CUPTI' p.json || fail "times from CUPTI"
small --train --aux-weight 0 -b 2 --schedule branches
expect_code 0
expect_out "inception_5b backward"
# of a card that is not known, copies and products are timed
SIMULATED_CARD=Other
export SIMULATED_CARD
small --schedule branches
unset SIMULATED_CARD
expect_code 0
tr -s '\n ' ' ' <out >said
grep -q "(measured on the device alone, before and after the runs, with copies of 32 MiB and 1x1 convolutions of 128 channels)" said ||
    fail "measured rates"
grep -q "Times are the GPU's own. By them a batch takes " said || fail "what timing changes"
# a clock that has nothing to do with the host's: that is said, and no number is
SIMULATED_WRONG_CLOCK=1
export SIMULATED_WRONG_CLOCK
small --schedule branches --json wrong.json
expect_code 1
expect_err "timestamps contradict the plan"
expect_no_out
[ ! -s wrong.json ] || fail "no numbers"
