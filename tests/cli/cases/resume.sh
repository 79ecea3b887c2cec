# SPDX-License-Identifier: Apache-2.0
# An output cut off anywhere and resumed has the bytes of one that was not.
mkdir in
for i in 0 1 2 3 4 5 6; do cp "$samples/0$i"-*.png in/ 2>/dev/null; done
printf 'broken' >in/01-a.png
cp "$samples/30-bag.png" 'in/02, "x".png'
cp "$samples/30-bag.png" "in/02-line
break.png"
printf 'broken' >in/09-last.png
for format in csv jsonl; do
    run classify "$model" in --topk 2 --format $format -o whole -b 2 --errors whole.errors --overwrite
    expect_code 3
    size=$(wc -c <whole)
    first=$(head -1 whole | wc -c)
    second=$(head -2 whole | wc -c)
    # every place in a row with quotes and a line break would be slow; these are the kinds of places
    quoted=$(grep -abo 'line' whole | head -1 | cut -d: -f1)
    for cut in 0 1 $((first - 1)) "$first" $((first + 1)) $((second - 1)) "$second" $((second + 9)) \
        $((quoted - 20)) "$quoted" $((quoted + 4)) $((quoted + 5)) $((quoted + 6)) $((quoted + 20)) $((size - 1)) "$size"; do
        head -c "$cut" whole >part
        printf 'filename,reason\nstale\n' >part.errors
        run classify "$model" in --topk 2 --format $format -o part --resume -b 2 --errors part.errors
        expect_code 3
        expect_same part whole
        expect_same part.errors whole.errors
        expect_err "2 skipped"
    done
    # all there, and the beginning of a row that is never finished
    { cat whole; head -c $((second - 3)) whole | tail -c $((second - first - 3)); } >part
    run classify "$model" in --topk 2 --format $format -o part --resume -b 2
    expect_code 3
    expect_same part whole
    # a file that is not there yet
    run classify "$model" in --topk 2 --format $format -o "new.$format" --resume -b 2
    expect_code 3
    expect_same "new.$format" whole
    # what does not fit is refused, and left as it was
    head -c "$second" whole >part
    cp part before
    fails 1 "cannot resume" classify "$model" "$samples/30-bag.png" --topk 2 --format $format -o part --resume
    expect_same part before
    fails 1 "cannot resume" classify "$model" "$samples" in --topk 2 --format $format -o part --resume
    expect_same part before
    cp whole full
    fails 1 "more rows than the inputs have images" classify "$model" in/00-*.png in/01-a.png in/01-*r.png --topk 2 \
        --format $format -o full --resume
    expect_same full whole
    fails 1 "cannot resume" classify "$model" in --topk 3 --format $format -o full --resume
    expect_same full whole
done
printf 'my shopping list' >precious
cp precious before
for format in csv jsonl; do
    fails 1 "cannot resume" classify "$model" in --format $format -o precious --resume
    expect_same precious before
done
fails 1 "precious: not a list of skipped images" classify "$model" in -o newer.csv --resume --errors precious
expect_same precious before
fails 1 "not a regular file" classify "$model" in -o /dev/null --resume
