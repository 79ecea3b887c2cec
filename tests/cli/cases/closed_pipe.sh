# SPDX-License-Identifier: Apache-2.0
# A reader that goes away: exit code 1, soon, and without a word.
for i in 1 2 3 4 5 6 7 8 9 10; do ls -d "$samples"/*.png; done >list
last="tributary classify | head -1"
{
    "$program" classify "$model" @list -b 1 2>err
    echo $? >code
} | head -1 >out
code=$(cat code)
expect_code 1
expect_out "filename,index_0"
expect_no_err
for command in "plan --arch bvlc" "info --arch bvlc --json" "classify $model $samples --format jsonl"; do
    last="tributary $command | true"
    {
        sleep 0.2
        # shellcheck disable=SC2086
        "$program" $command 2>err
        echo $? >code
    } | true
    code=$(cat code)
    : >out
    expect_code 1
    expect_no_err
done
