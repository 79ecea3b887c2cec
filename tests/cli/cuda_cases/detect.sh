# SPDX-License-Identifier: Apache-2.0
# An image goes to the card once, and its regions are cut and warped there: the same boxes as on the cpu.
ok detect "$model" "$samples/04-shirt.png" --device cpu
cp out cpu.csv
ok detect "$model" "$samples/04-shirt.png" --device cuda -b 3 --schedule fused --launch graph
expect_close out cpu.csv
