# SPDX-License-Identifier: Apache-2.0
# `make demo` shows what it runs, the results and what to do next in eight lines; failures are shown.
demo=$(dirname "$model")/demo.sh
images=$(dirname "$case_file")/../../data/fashion-64-images-idx3-ubyte.gz
last="demo.sh"
"$demo" "$program" "$images" >out 2>err || fail "the demo"
expect_no_err
expect_lines 8 out
expect_out "\$ $program classify "
grep ' %' out | sed 's/; [0-9]* images\/s$//' >results
mv results out
expect_exact demo

"$demo" "$program" nowhere >out 2>err || fail "without a test set"
expect_lines 8 out
expect_out "  skipped: nowhere is missing; on Debian: apt-get install dataset-fashion-mnist"

echo damaged >damaged
if "$demo" "$program" damaged >out 2>err; then fail "a damaged test set goes unnoticed"; fi
expect_err "damaged"
