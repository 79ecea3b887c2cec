# SPDX-License-Identifier: Apache-2.0
# How many CPUs are used: computing and loading follow the affinity mask and OMP_NUM_THREADS, and devices shows why.
unset OMP_NUM_THREADS
cpu=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
last="taskset 1 devices"
taskset -c "$cpu" "$program" devices >out 2>err || fail "devices on one CPU"
grep -Eq '^  cores         1$' out || fail "one core"
expect_out "  limits        1 CPU: affinity 1, "
expect_out ", OMP_NUM_THREADS not set"
taskset -c "$cpu" "$program" devices --json >out 2>err || fail "devices --json on one CPU"
expect_out '"affinity":	1,'
expect_out '"omp_num_threads":	null'
# OpenMP does not pin our threads when it is told to pin its own.
ok devices
cp out unbound
export OMP_PROC_BIND=true
ok devices
expect_same out unbound
unset OMP_PROC_BIND
export OMP_NUM_THREADS=1,4
ok devices
expect_out "  limits        1 CPU: affinity "
expect_out ", OMP_NUM_THREADS 1"
grep -Eq '^  cores         1$' out || fail "one core"
ok devices --json
expect_out '"omp_num_threads":	1'

# Threads while it waits for more names: as many as when one core and one worker are asked for.
threads_of() { # OPTIONS COMMAND...
    options=$1
    shift
    last="$* $options"
    mkfifo names
    # shellcheck disable=SC2086 # words
    "$@" classify "$model" - -b 1 -o rows $options >out 2>err <names &
    pid=$!
    exec 3>names
    echo "$samples/00-ankle-boot.png" >&3
    tries=0
    until grep -q ankle-boot rows 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || fail "a row appears while the input is still open"
        sleep 0.1
    done
    threads=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)
    exec 3>&-
    wait "$pid" || fail "exit code 0"
    rm names rows
}
unset OMP_NUM_THREADS
threads_of "--threads 1 --workers 1" "$program"
wanted=$threads
threads_of "" taskset -c "$cpu" "$program"
[ "$threads" -eq "$wanted" ] || fail "$threads threads on one CPU; $wanted expected"
export OMP_NUM_THREADS=1
threads_of "" "$program"
[ "$threads" -eq "$wanted" ] || fail "$threads threads with OMP_NUM_THREADS=1; $wanted expected"
! grep -q "is ignored" err || fail "nothing is said of a good OMP_NUM_THREADS"

# An impossible value is reported; the option overrides it.
export OMP_NUM_THREADS=many
ok classify "$model" "$samples/00-ankle-boot.png"
expect_err "tributary: OMP_NUM_THREADS=many is ignored"
ok devices
expect_out "OMP_NUM_THREADS=many is ignored"
ok classify "$model" "$samples/00-ankle-boot.png" --threads 1
! grep -q "is ignored" err || fail "nothing is ignored where --threads is given"
