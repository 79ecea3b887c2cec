# SPDX-License-Identifier: Apache-2.0
# One process from start to end: it keeps its name, does not restart itself, and still sets how OpenMP waits.
unset GOMP_SPINCOUNT OMP_WAIT_POLICY
mkfifo names
last="tributary classify -"
"$program" classify "$model" - -b 1 -o rows <names >out 2>err &
pid=$!
exec 3>names
echo "$samples/00-ankle-boot.png" >&3
tries=0
until grep -q ankle-boot rows 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail "a row appears while the input is still open"
    sleep 0.1
done
name=$(basename "$program" | cut -c 1-15) # as much as the kernel keeps
found=$(cat "/proc/$pid/comm")
[ "$found" = "$name" ] || fail "the process is called $found"
# The environment that it was started with, by the test or by itself.
tr '\000' '\n' <"/proc/$pid/environ" >environment
grep -q '^TRIBUTARY_CACHE_DIR=' environment || fail "the environment can be read"
! grep GOMP_SPINCOUNT environment || fail "it started itself once more"
exec 3>&-
wait "$pid" || fail "exit code 0"

# The settings of GNU's OpenMP when it was loaded, if oneDNN is built on it.
spin_count() { sed -n "s/.*GOMP_SPINCOUNT = '\(.*\)'.*/\1/p" err; }
export OMP_DISPLAY_ENV=verbose
ok devices
expect_out "  library       "
if grep -q "oneDNN .*(OpenMP)" out && grep -q GOMP_ err; then
    [ "$(spin_count)" = 1000 ] || fail "a spin count of 1000"
    export GOMP_SPINCOUNT=77
    ok devices
    [ "$(spin_count)" = 77 ] || fail "the user's own spin count"
    unset GOMP_SPINCOUNT
    export OMP_WAIT_POLICY=passive
    ok devices
    [ "$(spin_count)" = 0 ] || fail "the spin count of the user's own policy"
else
    echo "no oneDNN on GNU OpenMP here: its spin count is not looked at"
fi
