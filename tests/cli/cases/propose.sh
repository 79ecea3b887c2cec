# SPDX-License-Identifier: Apache-2.0
# propose: lines of boxes for any images, the same for any number of threads, continued wherever a file ends.
mkdir in
cp "$samples"/0[0-5]*.png in/
cp "$samples/30-bag.png" "in/a \"b\",
c.png"
bad=$(printf 'in/not-\377-utf8.png')
cp "$samples/30-bag.png" "$bad"
cp "$samples/00"-*.png "$(printf 'in/not-\376-utf8.png')"
ok propose in --min-side 5 -o whole -j 1
images=$(find in -type f -name '*.png' -printf x | wc -c)
expect_lines "$images" whole
expect_err "$images searched, 0 skipped"
expect_err "boxes per image"
expect_err "images/s"
expect_no_out
ok propose in --min-side 5 -o many -j 7
expect_same many whole
ok propose in --min-side 5
expect_same out whole
sum=$(sha256sum in/00-*.png | cut -d' ' -f1)
grep -qF "\"sha256\":\"$sum\",\"width\":28,\"height\":28,\"by\":\"paper min-side=5\",\"boxes\":[[" whole || fail "a line as documented"
grep -qF '{"image":"in/a \"b\",\u000ac.png"' whole || grep -qF '{"image":"in/a \"b\",\nc.png"' whole || fail "names are quoted"

# options decide about boxes
ok propose in --strategy fast --min-side 3 -o fast
[ "$(wc -c <fast)" -gt "$(wc -c <whole)" ] || fail "more boxes with fast"
ok propose in --min-side 5 --limit 1
grep -q '"by":"paper min-side=5 limit=1","boxes":\[\[[0-9,]*\]\]}' out || fail "one box with --limit 1"
ok propose in --min-side 2000
expect_lines "$images" out
expect_out '"boxes":[]}'

# files are not lost
fails 1 "already exists" propose in -o whole
ok propose in --min-side 5 -o whole --overwrite
expect_same whole many

# a damaged image is reported, and skipped
printf broken >in/03-a.png
printf broken >in/zz-last.png
run propose in --min-side 5 -o whole --overwrite --errors whole.errors
expect_code 3
expect_same whole many
expect_lines 3 whole.errors
grep -q '^in/03-a.png,' whole.errors || fail "skipped images are listed"
expect_err "skipped: in/03-a.png: "
expect_err ", 2 skipped"

# cut off anywhere, and continued
size=$(wc -c <whole)
first=$(head -1 whole | wc -c)
for cut in 0 1 9 12 $((first - 1)) "$first" $((first + 1)) $((first + 90)) $((size / 2)) $((size - 1)) "$size"; do
    head -c "$cut" whole >part
    printf 'filename,reason\nstale\n' >part.errors
    run propose in --min-side 5 -o part --resume --errors part.errors
    expect_code 3
    expect_same part whole
    expect_same part.errors whole.errors
    expect_err ", 2 skipped"
done
run propose in --min-side 5 -o new --resume
expect_same new whole
# what does not fit is refused, and left as it was
head -c "$first" whole >part
cp part before
fails 1 "cannot resume" propose "$samples/30-bag.png" --min-side 5 -o part --resume
fails 1 "made by other options: paper min-side=5" propose in -o part --resume
fails 1 "made by other options" propose in --min-side 5 --strategy fast -o part --resume
fails 1 "made by other options" propose in --min-side 5 --apply-orientation -o part --resume
expect_same part before
fails 1 "more rows than the inputs have images" propose in/00-*.png --min-side 5 -o whole --resume
sed '1s/"boxes":\[\[/"boxes":[[99,1,2,3],[/' part >damaged
cp damaged before
fails 1 "row 1 is damaged" propose in --min-side 5 -o damaged --resume
expect_same damaged before
printf 'my shopping list' >precious
fails 1 "does not look like a file of proposals" propose in -o precious --resume
fails 1 "not a regular file" propose in -o /dev/null --resume
fails 2 "add -o FILE" propose in --resume
fails 2 "contradict" propose in -o part --resume --overwrite
fails 2 "INPUT is missing" propose
fails 2 "strategy" propose in --strategy best
fails 1 "in/00" propose in -o "$(ls in/00-*.png)" --overwrite
fails 1 "cannot find it" propose nothing-here.png

# memory: too little for any image, and then continued with the same limit
run propose "$samples/30-bag.png" "$samples/29-dress.png" --loader-memory 100K -o little
expect_code 3
expect_err "30-bag.png: decoding its 28 x 28 pixels takes up to"
expect_err "raise trib_loader_options.memory_limit (--loader-memory)"
expect_lines 0 little
run propose "$samples/30-bag.png" "$samples/29-dress.png" --loader-memory 100K -o little --resume
expect_code 3
expect_err "0 searched, 2 skipped"

# IDX files, tar files and pipes; images that have hardly anything in them
{ byte 0 0 8 3 0 0 0 2 0 0 0 30 0 0 0 40; fill 1200 7; fill 600 7; fill 600 200; } >two-idx3-ubyte
ok propose two-idx3-ubyte --min-side 1
expect_lines 2 out
pixels=$(fill 1200 7 | sha256sum | cut -d' ' -f1)
expect_out "\"two-idx3-ubyte#0\",\"sha256\":\"$pixels\",\"width\":40,\"height\":30,\"by\":\"paper min-side=1\",\"boxes\":[[0,0,40,30]]}"
{ byte 0 0 8 3 0 0 0 1 0 0 0 1 0 0 0 1; byte 9; } >dot
ok propose dot
expect_out '"width":1,"height":1,"by":"paper","boxes":[]}'
ok propose dot --min-side 1
expect_out '"boxes":[[0,0,1,1]]}'
{ byte 0 0 8 3 0 0 0 1 0 0 0 2 0 0 7 208; fill 1000 3; fill 3000 90; } >line
ok propose line --min-side 1
expect_out '"width":2000,"height":2,'
if tar cf in.tar in/00-*.png in/01-*.png 2>/dev/null; then
    run propose in.tar --min-side 5
    if [ "$code" = 0 ]; then
        sed 's|"image":"in.tar/|"image":"|' out >tar.lines
        head -2 whole | expect_same - tar.lines
    else
        expect_err libarchive
    fi
fi
cat in/00-*.png | "$program" propose /dev/stdin --min-side 5 >out 2>err || fail "an image from a pipe"
sed 's|/dev/stdin|x|' out >a
head -1 whole | sed 's|in/00[^"]*|x|' | expect_same - a

# SIGTERM keeps whole lines
ls in/*.png >list
mkfifo names
last="tributary propose - (then SIGTERM)"
"$program" propose - --min-side 5 -o part.jsonl <names >out 2>err &
pid=$!
exec 3>names
grep -v 03-a list | head -3 >&3
tries=0
until [ "$(wc -l <part.jsonl 2>/dev/null || echo 0)" -ge 3 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "lines appear while the input is still open"
    sleep 0.1
done
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
exec 3>&-
expect_code 1
expect_err "run the same command with --resume"
expect_lines 3 part.jsonl

# a reader that goes away, and a full disk
last="tributary propose | head"
{ "$program" propose in 2>err; echo $? >code; } | head -c 10 >/dev/null
if [ -w /dev/full ]; then
    fails 1 "cannot write" propose in -o /dev/full
fi
