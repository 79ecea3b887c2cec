# SPDX-License-Identifier: Apache-2.0
# Pipes as inputs, a standard input that is closed, and a pipe without a writer.
image=$samples/00-ankle-boot.png
ok classify "$model" "$image" --topk 1
sed -n '2s/^[^,]*,//p' out >wanted
# check: one row, and it is that of the image
check() {
    expect_code 0
    sed -n '2s/^[^,]*,//p' out >found
    expect_same found wanted
}
from_stdin() {
    last="tributary classify $*"
    code=0
    "$program" classify "$model" --topk 1 "$@" >out 2>err || code=$?
}
cat "$image" | { from_stdin /dev/stdin; echo "$code" >code; }
code=$(cat code)
check
from_stdin /dev/stdin <"$image"
check
echo "$image" | { from_stdin @/dev/stdin; echo "$code" >code; }
code=$(cat code)
check
mkfifo p.png shard.fifo list.fifo
cat "$image" >p.png &
from_stdin p.png
check
cp "$image" a.png
tar cf - a.png >shard.fifo &
from_stdin shard.fifo
check
echo "$image" >list.fifo &
from_stdin @list.fifo
check
wait
: | { from_stdin /dev/stdin; echo "$code" >code; }
code=$(cat code)
expect_code 3
expect_err "the pipe is empty"

# nothing to read from: an error, not a wait
for input in - /dev/stdin @/dev/stdin; do
    from_stdin "$input" <&-
    expect_code 1
    expect_err "is closed, or not open for reading"
done
# the model must not become standard output, nor a row go into a file that happens to be opened first
code=0
"$program" classify "$model" "$image" >&- 2>err || code=$?
: >out
expect_code 1
expect_err "standard output: cannot write"
code=0
"$program" classify "$model" "$image" -o rows.csv >&- 2>&- || code=$?
expect_code 0
expect_lines 2 rows.csv

# a pipe without a writer: a signal is enough
for input in p.png @list.fifo; do
    last="tributary classify $input (then SIGTERM)"
    "$program" classify "$model" "$input" -o none.csv --overwrite >out 2>err </dev/null &
    pid=$!
    (
        sleep 60
        kill -KILL "$pid"
    ) >guard 2>&1 &
    guard=$!
    tries=0
    until [ -e none.csv ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "it starts"
        sleep 0.1
    done
    sleep 0.5
    kill -TERM "$pid"
    code=0
    wait "$pid" || code=$?
    kill "$guard" 2>/dev/null
    expect_code 1
    expect_err "interrupted"
    rm none.csv
done
# found in a folder, or in a list, a pipe is not read
mkdir in
mkfifo in/p.png
cp "$image" in/a.png
run classify "$model" in --topk 1
expect_code 3
expect_err "skipped: in/p.png: is a pipe, not a file"
echo in/p.png >list
run classify "$model" @list "$image" --topk 1
expect_code 3
expect_err "pipes are read only as inputs, not from lists or folders"
# nor by --resume, which looks for itself at what has no row
run classify "$model" @list "$image" --topk 1 -o rows2.csv
expect_code 3
run classify "$model" @list "$image" --topk 1 -o rows2.csv --resume
expect_code 3
expect_err "skipped: in/p.png: is a pipe, not a file"
expect_lines 2 rows2.csv
