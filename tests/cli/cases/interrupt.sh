# SPDX-License-Identifier: Apache-2.0
# SIGTERM: whole rows are kept, the exit code is 1, and the same command with --resume continues.
ls -d "$samples"/*.png >list
ok classify "$model" @list -b 2 -o whole.csv
mkfifo names
last="tributary classify - (then SIGTERM)"
"$program" classify "$model" - -b 2 -o part.csv <names >out 2>err &
pid=$!
exec 3>names
head -5 list >&3
tries=0
until [ "$(wc -l <part.csv 2>/dev/null || echo 0)" -ge 5 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "rows appear while the input is still open"
    sleep 0.1
done
kill -TERM "$pid"
# it waits for a name that never comes: a signal must be enough
(
    sleep 60
    kill -KILL "$pid"
) >guard 2>&1 3>&- &
guard=$!
code=0
wait "$pid" || code=$?
kill "$guard" 2>/dev/null
exec 3>&-
expect_code 1
expect_err "run the same command with --resume"
expect_lines 5 part.csv
ok classify "$model" @list -b 2 -o part.csv --resume
expect_same part.csv whole.csv
