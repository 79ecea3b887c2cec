# SPDX-License-Identifier: Apache-2.0
# Standard output and error that are non-blocking, and read slowly: nothing is lost, nothing ends early.
# slowly ARGUMENT...: as run, through such pipes
slowly() {
    last="tributary $* | slow reader"
    code=0
    "$SLOW_READER" "$program" "$@" >slow.out 2>slow.err </dev/null || code=$?
}
[ -x "$SLOW_READER" ] || fail "slow_reader is built"
i=0
while [ $i -lt 300 ]; do
    printf '%s\n' "$samples/30-bag.png" "no/such/file-with-a-rather-long-name-so-that-messages-fill-the-pipe/$i.png"
    i=$((i + 1))
done >list
for format in csv jsonl; do
    run classify "$model" @list -b 8 --format $format
    expect_code 3
    slowly classify "$model" @list -b 8 --format $format
    expect_code 3
    expect_same slow.out out
    grep -v 'images/s' err >wanted.err
    grep -v 'images/s' slow.err >got.err
    expect_same got.err wanted.err
done
# whatever is printed at once, and what is printed piece by piece and written at the end
for command in "info --arch bvlc --layers" "info --arch bvlc --json --layers" "plan --arch bvlc --json" "plan --arch bvlc" "help" "classify --help"; do
    # shellcheck disable=SC2086
    ok $command
    # shellcheck disable=SC2086
    slowly $command
    expect_code 0
    expect_same slow.out out
done
# nothing is read: the second signal ends it, as with blocking pipes
last="tributary classify | nobody"
"$SLOW_READER" --stuck "$program" classify "$model" @list -b 8 --format jsonl || fail "signals end it"
