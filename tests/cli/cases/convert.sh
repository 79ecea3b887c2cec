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
ok convert "$model" model.onnx
expect_err "wrote model.onnx: torchvision, 10 classes, 287 tensors"
ok classify model.onnx "$samples" --topk 1
expect_same out wanted
ok info model.onnx
expect_out "10 labels"
expect_out "converted with Tributary"
ok convert "${case_file%/*}/../../data/torch/timm.pth.tar" timm.safetensors
expect_err "57 tensors that only training uses (counters of batch norms, its state) are left out"
ok convert timm.safetensors again.pth
if grep -q "only training uses" err; then fail "no counters are in what convert writes"; fi
import=${case_file%/*}/../../data/import
caffe=$import/bvlc-v1.caffemodel
ok convert "$caffe" bvlc.caffemodel --prototxt "$import/bvlc-deploy.prototxt"
expect_err "wrote bvlc.caffemodel: bvlc, 7 classes, auxiliary classifiers, 128 tensors"
expect_err "wrote bvlc.prototxt: the same network as text"
ok convert bvlc.caffemodel again.CaffeModel --prototxt bvlc.prototxt
expect_same bvlc.caffemodel again.CaffeModel
expect_same bvlc.prototxt again.prototxt
ok convert bvlc.caffemodel bvlc.onnx
expect_err "auxiliary classifiers, which only training needs, are left out"
expect_err "wrote bvlc.onnx: bvlc, 7 classes, 116 tensors"
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
bad "$model" none.caffemodel --dtype f32
expect_code 1
expect_err "Caffe has no layer like this batch_norm"
[ ! -e none.caffemodel ] && [ ! -e none.prototxt ] || fail "no file expected"
cp bvlc.prototxt before
bad "$caffe" bvlc.caffemodel --overwrite --prototxt bvlc.prototxt
expect_code 1
expect_err "bvlc.prototxt"
rm bvlc.caffemodel
bad "$caffe" bvlc.caffemodel
expect_code 1
expect_err "bvlc.prototxt"
expect_same bvlc.prototxt before
[ ! -e bvlc.caffemodel ] || fail "no file expected"
# usage
bad "$model" model.onnx2
expect_code 2
expect_err ".safetensors"
bad "$model" other.pth --labels names
expect_code 2
bad "$caffe" other.caffemodel --labels names
expect_code 2
expect_err "a Caffe model has no place for labels"
bad "$caffe" other.caffemodel --dtype bf16
expect_code 2
expect_err "holds f32 only"
bad "$model"
expect_code 2
