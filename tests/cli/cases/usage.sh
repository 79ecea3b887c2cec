# SPDX-License-Identifier: Apache-2.0
# Wrong command lines: exit code 2, nothing on standard output, and a message that helps.
usage() {
    fails 2 "$@"
    expect_no_out
}
run
expect_code 2
expect_err "tributary help"
usage "did you mean 'classify'" clasify
usage "there is no command 'frobnicate'" frobnicate
usage "there is no command 'nothing'" help nothing
usage "did you mean --batch-size?" classify --batchsize 3 m i
usage "did you mean --topk?" classify --topc=3 m i
usage "unknown option '-q'" classify -q m i
usage "unknown option '--nothing'" eval --nothing=3 m i
usage "'tributary eval --help'" eval --nothing m i
usage "--batch-size does not take '0'; it takes a whole number from 1 to 65536" classify -b 0 m i
usage "--batch-size does not take '1x'" classify -b1x m i
usage "--batch-size does not take ''" classify --batch-size= m i
usage "--batch-size does not take '99999999999999999999'" classify -b 99999999999999999999 m i
usage "--batch-size needs a value" classify m i -b
usage "--overwrite takes no value" classify --overwrite=yes m i
usage "--format does not take 'xml'; it takes csv, jsonl or table" classify --format xml m i
usage "--schedule does not take 'figure'; it takes auto, serial, branches or fused" plan --schedule figure m
usage "FORK=SCHEDULE" plan --schedule figure m
for wrong in fused, ,fused fused,serial inception_3a=serial,fused =serial inception_3a= inception_3a=figure inception_3a; do
    usage "--schedule does not take '$wrong'" plan --schedule "$wrong" m
done
for wrong in branches, ,branches inception_3a= figure; do
    usage "--schedule does not take '$wrong'" profile --schedule "$wrong" m
done
usage "leave out --module" profile m --details --module inception_3a
usage "--fast is for training" profile m --fast
usage "add --nsys FILE" profile m --range r
usage "leave out MODEL" profile m --nsys r.sqlite
usage "--iterations does not take '0'" profile m --iterations 0
usage "--pixels does not take 'u16'; it takes u8 or f32" bench --pixels u16 m
usage "leave one out" bench m --end-to-end i --pixels f32
usage "leave one out" bench m --end-to-end i --rate device
usage "--rate does not take 'some'; it takes all, device, copies or end-to-end" bench m --rate some
usage "--target needs a value" plan m --target
usage "unknown option '--target'" classify m i --target h200
usage "--measure needs the card itself" plan m --target h200 --measure
usage "--choice-cache does not take ''" plan m --choice-cache=
usage "--launch does not take 'later'" plan --launch later m
usage "--precision does not take 'int8'" plan --precision int8 m
usage "--layout does not take 'chw'" plan --layout chw m
usage "--memory-limit does not take '-5'" plan --memory-limit -5 m
usage "--mean does not take '1,2'; it takes three numbers" classify --mean 1,2 m i
usage "--mean does not take '1,2,nan'" classify --mean 1,2,nan m i
usage "--crop-pct does not take '0'; it takes a number above 0, at most 1" classify --crop-pct 0 m i
usage "--crop-mode does not take 'border'; it takes center or squash" classify --crop-mode border m i
usage "--interpolation does not take 'lanczos'" classify --interpolation lanczos m i
usage "--channels does not take 'rbg'" classify --channels rbg m i
usage "--batch-size does not take '1,,2'" bench -b 1,,2 m
usage "--arch does not take 'alexnet'; it takes bvlc, torchvision" plan --arch alexnet
usage "--outputs does not take 'a,,b'" run m i -o o --outputs a,,b
usage "which MODEL?" classify
usage "which INPUT?" classify m
usage "which DATASET?" eval m
usage "which input file?" run m -o o
usage "add -o FILE" run m i
usage "one argument too many" info m n
usage "one argument too many; with --arch there is no MODEL" info --arch bvlc m
usage "add --arch" info --classes 5 m
usage "takes no argument" devices now
usage "add -o FILE" classify m i --resume
usage "contradict" classify m i --resume --overwrite -o o
usage "a table cannot be continued" classify m i --resume --format table -o o
# `--` ends options: what follows is a name
fails 1 "--help" info -- --help
