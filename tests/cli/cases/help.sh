# SPDX-License-Identifier: Apache-2.0
# Every command explains itself, and its examples are command lines that it accepts.
ok help
expect_no_err
cp out overview
for command in classify eval train bench profile propose detect info plan run convert devices help version; do
    grep -q "^  $command " overview || fail "help lists $command"
    ok "$command" --help
    expect_no_err
    expect_out "Usage: tributary $command"
    expect_out "Examples:"
    expect_out "-h, --help"
    cp out text
    ok help "$command"
    expect_same out text
    ok "$command" -h
    expect_same out text
    sed -n '/^Examples:/,$p' text | grep -o "tributary ${command}[^|>]*" >examples
    [ "$(wc -l <examples)" -ge 2 ] || fail "$command shows two examples"
    while read -r example; do
        eval "set -- $example"
        shift
        ok "$@" --help
    done <examples
done
ok --help
expect_same out overview
ok --version
expect_out "tributary "
ok version --json
expect_out '{"version":"'
