# SPDX-License-Identifier: Apache-2.0
# What people read, to the letter: help, info and plan. Plans are of the plain C reference, which is the same everywhere.
ok help
expect_exact help
for command in classify eval train bench profile tune propose detect info plan run convert devices; do
    ok "$command" --help
    expect_exact "$command-help"
done

ln -s "$model" model.safetensors
ok info model.safetensors
expect_exact info-fashion
ok info --arch bvlc
expect_exact info-bvlc
ok info --arch torchvision --aux --layers
expect_exact info-torchvision-aux-layers

for schedule in serial branches fused; do
    ok plan --arch bvlc --device cpu --reference --layout nhwc --threads 1 -b 4 --schedule $schedule
    expect_exact "plan-bvlc-$schedule"
done
ok plan --arch torchvision --device cpu --reference --layout nhwc --threads 1 --schedule branches
expect_exact plan-torchvision-branches
