# SPDX-License-Identifier: Apache-2.0
# Models of Caffe, with the files that come with them, and ONNX models are models for every command.
data=${case_file%/*}/../../data/import
caffe=$data/bvlc-v1.caffemodel onnx=$data/torchvision-transform-13.onnx

ok info "$caffe" --prototxt "$data/bvlc-deploy.prototxt"
expect_out "network        bvlc, width"
expect_out "minus 104,117,123, over 1,1,1"
expect_out "comes from   the model file; changed by --prototxt"
sed 's/round_mode/x/; s/stride: 2/stride: 2 round_mode: FLOOR/' "$data/bvlc-deploy.prototxt" >floor.prototxt
fails 1 "floor.prototxt: layer pool1/3x3_s2: round_mode (0: CEIL, 1: FLOOR) is 1 where the network has 0" info "$caffe" --prototxt floor.prototxt
fails 1 "a prototxt is given with --prototxt" info floor.prototxt
fails 1 "is not a text file" info "$caffe" --prototxt "$caffe"

# What was assumed is said, on standard error, by all that read the model.
ok classify "$onnx" "$samples" --topk 1 --img-size 64
expect_err "its arithmetic before the first convolution has become preprocessing"
ok info "$onnx"
expect_out "minus 0.5,0.5,0.5, over 0.5,0.5,0.5"
expect_out "ONNX model by 'pytorch', operator set 13, batch norms folded into convolutions"

# The same answers as safetensors, and from a pipe.
ok classify "$onnx" "$samples" --topk 1 --img-size 64
cp out wanted
ok convert "$onnx" same.safetensors
ok classify same.safetensors "$samples" --topk 1 --img-size 64
expect_same out wanted
cat "$caffe" | "$program" info /dev/stdin >out 2>err || fail "a pipe is a file, expected"
expect_out "Caffe model 'GoogleNet' (V1 layers)"
