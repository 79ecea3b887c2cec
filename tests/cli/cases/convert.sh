# SPDX-License-Identifier: Apache-2.0
# A model in another format answers the same; files are replaced only if asked, and never the model itself.
ok convert "$model" model.pth
expect_no_out
expect_err "labels, preprocessing and provenance are left out"
expect_err "wrote model.pth: torchvision, 10 classes"
printf '%s\n' a b c d e f g h i j >names
ok convert model.pth again.safetensors --labels names --mean 0.5,0.5,0.5 --std 0.25,0.25,0.25
ok info again.safetensors
expect_out "minus 0.5,0.5,0.5, over 0.25,0.25,0.25"
expect_out "10 labels"
expect_out "from model.pth (SHA-256 $(sha256sum model.pth | cut -d' ' -f1))"
ok convert "$model" same.safetensors
ok classify "$model" "$samples" --topk 1
cp out wanted
ok classify same.safetensors "$samples" --topk 1
expect_same out wanted
ok convert "$model" half.pt --dtype f16
ok classify half.pt "$samples" --topk 1
# no file is lost
bad() { run convert "$@"; }
cp same.safetensors before
bad model.pth same.safetensors
expect_code 1
expect_err "same.safetensors"
expect_same same.safetensors before
bad same.safetensors same.safetensors --overwrite
expect_code 1
expect_same same.safetensors before
ok convert model.pth same.safetensors --overwrite
bad "$model" other.safetensors --labels "${model%/pretrained/*}/labels/imagenet.txt"
expect_code 1
expect_err "has 1000 names, but the model has 10 classes"
[ ! -e other.safetensors ] || fail "no file expected"
# usage
bad "$model" model.onnx2
expect_code 2
expect_err ".safetensors"
bad "$model" other.pth --labels names
expect_code 2
bad "$model"
expect_code 2
