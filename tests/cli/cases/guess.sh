# SPDX-License-Identifier: Apache-2.0
# Preprocessing that the model file does not specify is guessed and reported once, on standard error, with how to set it.
sed 's/tributary\.preprocessing/tributary.preprocessinx/' "$model" >untold.safetensors
size="--img-size 64"

ok classify "$model" "$samples/00-ankle-boot.png"
expect_no_guess() { ! grep -qi 'guess' err || fail "no word of a guess expected on standard error"; }
expect_no_guess

# shellcheck disable=SC2086 # two words
ok classify untold.safetensors "$samples" $size
expect_err "untold.safetensors does not say all of how its images were preprocessed"
expect_err "cannot be known"
expect_err "--mean A,B,C --std A,B,C"
[ "$(grep -c 'does not say' err)" = 1 ] || fail "said once, expected"

# Users who set it get the right answers, and no report.
ok classify "$model" "$samples" --topk 1 --format csv -o told.csv
# shellcheck disable=SC2086
ok classify untold.safetensors "$samples" --topk 1 --format csv -o given.csv $size --crop-mode squash --crop-pct 1 \
    --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5
expect_no_guess
cut -d, -f1,2 told.csv >told
cut -d, -f1,2 given.csv >given
expect_same told given

# Where it comes from, for people and for programs.
ok info "$model"
expect_out "comes from   the model file"
ok info untold.safetensors --mean 0.5,0.5,0.5 --channels rgb
expect_out "comes from   a guess; changed by --mean, --channels"
expect_out "guessed      the number of classes is not ImageNet's 1000, so it cannot be known"
ok info --arch torchvision
expect_out "comes from   the network's published files; parameters are random"
ok info "$model" --json
expect_out '"source":	"file"'
expect_out '"guess":	null'
ok info untold.safetensors --std 1,1,1 --json
expect_out '"source":	"guess"'
expect_out '"changed_by":	"--std"'
