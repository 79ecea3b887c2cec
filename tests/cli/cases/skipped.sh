# SPDX-License-Identifier: Apache-2.0
# Bad images among good ones: named with the reason, exit code 3, and no row is another image's.
mkdir in
cp "$samples/00-ankle-boot.png" in/a.png
head -c 200 "$samples/01-pullover.png" >in/b.png
cp "$samples/02-trouser.png" "in/c, with \"quotes\".png"
: >in/d.png
cp "$samples/30-bag.png" "in/e
two lines.png"
printf 'no image at all' >in/f.jpg
cp "$samples/08-sandal.png" in/g.png
cp "$samples/08-sandal.png" "$(printf 'in/h\377\033.png')"
for options in "-b 1 -j 1" "-b 32 -j 4" "-b 2 -j 2" "-b 3"; do
    # shellcheck disable=SC2086
    run classify "$model" in --topk 1 --errors errors.csv --overwrite $options
    expect_code 3
    expect_err "skipped: in/b.png: "
    expect_err "skipped: in/d.png: "
    expect_err "skipped: in/f.jpg: "
    expect_err "5 classified, 3 skipped"
    sed 's/,0\.[0-9]*$//' out >rows
    { printf '%s\n' "filename,index_0,label_0,prob_0" "in/a.png,9,Ankle boot" '"in/c, with ""quotes"".png",1,Trouser'
      printf '"in/e\ntwo lines.png",8,Bag\n'
      printf 'in/g.png,5,Sandal\nin/h\377\033.png,5,Sandal\n'; } >wanted
    sed 's/,1\.000000$//' rows >rounded
    expect_same rounded wanted
    expect_lines 4 errors.csv
    [ "$(head -1 errors.csv)" = "filename,reason" ] || fail "header of --errors"
    grep -q '^in/d.png,' errors.csv || fail "in/d.png among the errors"
done
run classify "$model" in --topk 1 --format jsonl
expect_code 3
expect_lines 8 out
expect_out '{"filename":"in/b.png","error":"'
expect_out '{"filename":"in/c, with \"quotes\".png","predictions":[{"index":1,'
expect_out '{"filename":"in/e\u000atwo lines.png","predictions":[{"index":8,'
expect_out '{"filename":"in/h'"$(printf '\357\277\275')"'\u001b.png","filename_bytes":"in/h%FF%1B.png","predictions":[{"index":5,'
# nothing that a terminal obeys
run classify "$model" in --topk 1 --format table
expect_code 3
! grep -q "$(printf '\033')" out || fail "escape characters are not shown"
# only bad ones
mkdir bad
cp in/b.png in/d.png bad
run classify "$model" bad
expect_code 3
expect_lines 1 out
expect_err "0 classified, 2 skipped"
