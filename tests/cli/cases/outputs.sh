# SPDX-License-Identifier: Apache-2.0
# What is written is never what is read, by whatever name; and a file that holds something is replaced only with
# --overwrite, in the same words everywhere.
cp "$model" m.safetensors
mkdir photos classes
cp "$samples/30-bag.png" photos/a.png
cp "$samples/03-trouser.png" photos/b.png
mkdir classes/Bag classes/Trouser
cp photos/a.png classes/Bag/
cp photos/b.png classes/Trouser/
printf 'photos/a.png\nphotos/b.png\n' >list
header='{"input":{"dtype":"F32","shape":[1,3,64,64],"data_offsets":[0,49152]}}'
{ byte ${#header} 0 0 0 0 0 0 0; printf '%s' "$header"; fill 49152 60; } >in.safetensors
byte 0 0 8 1 0 0 0 1 5 >t-labels-idx1-ubyte
{ byte 0 0 8 3 0 0 0 1 0 0 0 28 0 0 0 28; fill 784 0; } >t-images-idx3-ubyte
tar cf s-000.tar -C photos a.png
mkdir kept
cp -a m.safetensors list in.safetensors t-labels-idx1-ubyte t-images-idx3-ubyte s-000.tar photos classes kept/
unharmed() {
    for file in m.safetensors list in.safetensors t-labels-idx1-ubyte t-images-idx3-ubyte s-000.tar photos/a.png \
        photos/b.png classes/Bag/a.png classes/Trouser/b.png; do
        cmp "$file" "kept/$file" || fail "$file is as it was"
    done
}
ln -s m.safetensors link
ln m.safetensors hard
ln -s photos linked
ln -s ../list photos/up

# the model, by any name, for every command and option
for name in m.safetensors ./m.safetensors link hard "$PWD/photos/../m.safetensors"; do
    fails 1 "MODEL m.safetensors would be lost: --output $name is the same file" \
        classify m.safetensors photos -o "$name" --overwrite
    fails 1 "would be lost: --errors" classify m.safetensors photos --errors "$name" --overwrite
    fails 1 "would be lost: --results-file" eval m.safetensors classes --results-file "$name" --overwrite
    fails 1 "would be lost: --json" bench m.safetensors -b 1 --iterations 1 --json "$name" --overwrite
    fails 1 "would be lost: --output" run m.safetensors in.safetensors -o "$name" --overwrite
    fails 1 "would be lost: --choice-cache" plan m.safetensors --choice-cache "$name"
    fails 1 "would be lost: --output" classify "$name" photos -o m.safetensors --overwrite
done
fails 1 "IN in.safetensors would be lost" run m.safetensors in.safetensors -o ./in.safetensors --overwrite
fails 1 "--labels t-labels-idx1-ubyte would be lost" eval m.safetensors t-images-idx3-ubyte \
    --labels t-labels-idx1-ubyte --results-file t-labels-idx1-ubyte --overwrite
unharmed
# two outputs
fails 1 "--output x.csv and --errors ./x.csv are the same file" classify m.safetensors photos -o x.csv --errors ./x.csv
[ ! -e x.csv ] || fail "nothing is made"
ln -s x.csv soon
fails 1 "are the same file" classify m.safetensors photos -o soon --errors photos/../x.csv
fails 1 "are the same file" classify m.safetensors photos -o x.csv --choice-cache x.csv
fails 1 "are the same file" run m.safetensors in.safetensors -o x.csv --choice-cache x.csv
# inputs: lists, shards, IDX files and their labels, images named or in a folder, by link or not
fails 1 "list: is also written, as list; name another output" classify m.safetensors @list -o list --overwrite
fails 1 "list: is also written, as photos/up" classify m.safetensors @list --errors photos/up --overwrite
fails 1 "s-000.tar: is also written" classify m.safetensors 's-{000..000}.tar' -o s-000.tar --overwrite
fails 1 "s-000.tar: is also written" classify m.safetensors s-000.tar -o s-000.tar --overwrite
fails 1 "t-images-idx3-ubyte: is also written" classify m.safetensors t-images-idx3-ubyte -o t-images-idx3-ubyte --overwrite
fails 1 "t-labels-idx1-ubyte: is also written" eval m.safetensors t-images-idx3-ubyte --results-file t-labels-idx1-ubyte --overwrite
for name in photos/a.png linked/a.png "$PWD/photos/a.png"; do
    fails 1 "a.png: is also written" classify m.safetensors photos/a.png -o "$name" --overwrite
    fails 1 "a.png: is also written" classify m.safetensors photos -o "$name" --overwrite
    fails 1 "a.png: is also written" classify m.safetensors linked --errors "$name" --overwrite
done
ln photos/b.png same
fails 1 "photos/b.png: is also written, as same" classify m.safetensors photos -o same --overwrite
fails 1 "classes/Bag/a.png: is also written" eval m.safetensors classes --results-file classes/Bag/a.png --overwrite
fails 1 "photos/a.png: is also written" bench m.safetensors --end-to-end photos -b 1 --json photos/a.png --overwrite
last="tributary classify - <list, onto list"
code=0
"$program" classify m.safetensors - -o list --overwrite <list >out 2>err || code=$?
expect_code 1
expect_err "/dev/stdin: is also written, as list"
unharmed
# a name in a list that turns out to be the output: that item fails, and is not read
printf 'photos/a.png\nrows.csv\nphotos/b.png\n' >names
ok classify m.safetensors photos/a.png photos/b.png --topk 1
cp out wanted
run classify m.safetensors @names --topk 1 -o rows.csv
expect_code 3
expect_err "skipped: rows.csv: is also written, as rows.csv"
expect_same rows.csv wanted

# a listed image that an output would replace is seen before anything is written
cp photos/b.png listed.png
printf 'photos/a.png\nlisted.png\n' >names
fails 1 "listed.png: is also written, as listed.png" classify m.safetensors @names -o listed.png --overwrite
expect_same listed.png photos/b.png

# standard output is a file like any other: it is not read while it grows (that would never end)
onto() {
    file=$1
    shift
    last="tributary $* >>$file"
    code=0
    : >out
    "$program" "$@" >>"$file" 2>err </dev/null || code=$?
}
onto list classify m.safetensors @list
expect_code 1
expect_err "list: is also written, as standard output"
onto m.safetensors info m.safetensors
expect_code 1
expect_err "would be lost: standard output is the same file"
last="tributary classify @list 2>>list"
code=0
"$program" classify m.safetensors @list no-such-file >out 2>>list || code=$?
expect_code 1
grep -q "list: is also written, as standard error" list || fail "the message is in the list"
cp kept/list list
unharmed
cp m.safetensors gone
for command in "classify gone photos" "info gone" "plan gone --json" "eval gone classes" "bench gone -b 1"; do
    last="tributary $command >gone"
    code=0
    # shellcheck disable=SC2086
    "$program" $command >gone 2>err </dev/null || code=$?
    expect_code 1
    expect_err "MODEL gone is the file that standard output goes to, and the shell's '>' has emptied it"
done
# both streams into one log, and an output named as standard output, are as before
"$program" classify m.safetensors photos >log 2>&1 || fail "one log"
"$program" classify m.safetensors photos -o /dev/stdout --topk 1 >log 2>err || fail "-o /dev/stdout"
expect_same log wanted

# one rule
for command in classify eval bench profile run; do
    ok "$command" --help
    awk '/^ +--overwrite/ { on = 1; print; next } on && !/^                    / { exit } on' out >"help.$command"
    expect_same "help.$command" help.classify
    tr -s "\n " " " <"help.$command" | grep -q "without it they are kept" || fail "$command --help has the rule"
done
rule() {
    file=$1
    shift
    printf 'precious' >"$file"
    fails 1 "$file: already exists" "$@"
    [ "$(cat "$file")" = precious ] || fail "$file is kept"
    run "$@" --overwrite
    expect_code 0
    [ "$(head -c 8 "$file")" != precious ] || fail "$file is replaced"
    : >"$file"
    ok "$@" # an empty file holds nothing
}
rule o.csv classify m.safetensors photos -o o.csv
rule e.csv classify m.safetensors photos --errors e.csv
rule r.json eval m.safetensors classes --results-file r.json
rule b.json bench m.safetensors -b 1 --iterations 1 --warmup 0 --json b.json
rule o.safetensors run m.safetensors in.safetensors -o o.safetensors
# it is kept until there is something to put in its place
printf 'precious' >old
for command in "classify m.safetensors no-image -o old" "eval m.safetensors photos --results-file old" \
    "bench m.safetensors --end-to-end no-image --json old" "run m.safetensors list -o old"; do
    # shellcheck disable=SC2086
    run $command --overwrite
    [ "$code" != 0 ] || fail "this cannot work"
    [ "$(cat old)" = precious ] || fail "old is kept when nothing comes of it"
done
