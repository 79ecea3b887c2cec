# SPDX-License-Identifier: Apache-2.0
# --verbose: after the message of a failure, where in the source it was seen first, and in which library call.
fails 1 "nothing.safetensors: cannot" info nothing.safetensors
expect_lines 1 err
cp err quiet
for arguments in "info nothing.safetensors --verbose" "info --verbose nothing.safetensors"; do
    fails 1 "nothing.safetensors: cannot" $arguments
    expect_lines 2 err
    head -1 err >first
    expect_same quiet first
    grep -Eq "^tributary:   not found at .*host/data/file\.c:[0-9]+, open failed with code 2\$" err || fail "where, and errno"
done
# A failure of our own has neither call nor code.
fails 1 "there is no pass" plan "$model" --disable-pass none --verbose
grep -Eq '^tributary:   invalid argument at .*host/cli/[a-z_]+\.c:[0-9]+$' err || fail "where"
# A success is as quiet as ever.
ok info "$model" --verbose
expect_no_err
ok info --help
expect_out "--verbose"
fails 2 "did you mean --verbose?" info --verbos "$model"
