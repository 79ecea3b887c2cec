#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limited.sh BUILD [COUNT]: classify on COUNT (200) photos of 12 megapixels, sequential JPEGs and then progressive ones,
# the latter on 32 threads, too, on one CPU and with 512 MB: a control group where one can be made (through systemd, or
# as root), else taskset and ulimit. Prints how long it took and the most memory that was used. Exit code 0: it finished,
# within the limit; 77: no limit can be set here.
set -u
build=$(cd "$1" && pwd) count=${2:-200}
here=$(cd "$(dirname "$0")/../.." && pwd)
model=$here/models/pretrained/googlenet-fashion-64.safetensors
limit=$((512 << 20))
folder=$(mktemp -d "${TMPDIR:-/tmp}/tributary-limited-XXXXXX") || exit 1
group=tributary-limited-$$
clean_group() {
    for path in "/sys/fs/cgroup/$group" "/sys/fs/cgroup/memory/$group" "/sys/fs/cgroup/cpu/$group"; do
        if [ -d "$path" ]; then rmdir "$path"; fi
    done
}
clean_up() {
    clean_group
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# ---- ways to set the limit: what a shell does to come under it, or what runs a program under it; 1: not possible here

group_v2() {
    local path=/sys/fs/cgroup/$group
    mkdir "$path" 2>/dev/null && [ -w "$path/memory.max" ] && [ -w "$path/cpu.max" ] || return 1
    echo "$limit" >"$path/memory.max" && echo "100000 100000" >"$path/cpu.max" || return 1
    if [ -w "$path/memory.swap.max" ]; then echo 0 >"$path/memory.swap.max"; fi
    enter="echo \$\$ >$path/cgroup.procs"
    peak_file=$path/memory.peak
}

group_v1() {
    local memory=/sys/fs/cgroup/memory/$group cpu=/sys/fs/cgroup/cpu/$group
    mkdir "$memory" 2>/dev/null && mkdir "$cpu" 2>/dev/null || return 1
    echo "$limit" >"$memory/memory.limit_in_bytes" 2>/dev/null || return 1
    echo 100000 >"$cpu/cpu.cfs_period_us" && echo 100000 >"$cpu/cpu.cfs_quota_us" || return 1
    enter="echo \$\$ >$memory/cgroup.procs; echo \$\$ >$cpu/cgroup.procs"
    peak_file=$memory/memory.max_usage_in_bytes
}

systemd() {
    local options="--scope --quiet -p MemoryMax=$limit -p MemorySwapMax=0 -p CPUQuota=100%"
    # shellcheck disable=SC2086
    if systemd-run $options true 2>/dev/null; then runner="systemd-run $options"
    elif systemd-run --user $options true 2>/dev/null; then runner="systemd-run --user $options"
    else return 1; fi
}

process_limits() {
    (ulimit -d $((limit >> 10)) && taskset -c 0 true) 2>/dev/null || return 1
    enter="ulimit -d $((limit >> 10)); taskset -pc $(taskset -pc $$ | sed 's/.*: //; s/[-,].*//') \$\$ >/dev/null"
}

choose() {
    for way in group_v2 group_v1 systemd process_limits; do
        enter=: runner="" peak_file=""
        if "$way"; then return 0; fi
        clean_group
    done
    echo "skipped: neither a control group nor ulimit -d and taskset can be used here"
    exit 77
}

# ---- one run

# The most resident memory of process $1, in KiB, once it has ended. It stays one process: shells replace themselves.
watch_peak() {
    local peak=0 now
    while kill -0 "$1" 2>/dev/null; do
        now=$(awk '/^VmHWM:/ { print $2 }' "/proc/$1/status" 2>/dev/null)
        peak=${now:-$peak}
        sleep 0.1
    done
    echo "$peak"
}

make_photos() {
    mkdir "$folder/$1"
    "$build/tests/cli/make_photo" 4000 3000 "$1" >"$folder/$1/0001.jpg" || exit 1
    for ((i = 2; i <= count; i++)); do ln "$folder/$1/0001.jpg" "$folder/$1/$(printf %04d "$i").jpg"; done
}

# classify KIND OPTION...
classify() {
    local kind=$1 code=0 child begin seconds peak
    shift
    if [ -n "$peak_file" ] && [ -w "$peak_file" ]; then echo 0 >"$peak_file" 2>/dev/null; fi
    begin=$SECONDS
    # shellcheck disable=SC2086
    bash -c "$enter; exec $runner \"\$@\"" run "$build/tributary" classify "$model" "$folder/$kind" --topk 1 "$@" \
        >"$folder/rows" 2>"$folder/messages" &
    child=$!
    watch_peak "$child" >"$folder/peak" &
    wait "$child" || code=$?
    wait $!
    peak=$(cat "$folder/peak")
    seconds=$((SECONDS - begin))
    if [ "$code" -ne 0 ] || [ "$(wc -l <"$folder/rows")" -ne $((count + 1)) ]; then
        echo "FAILED: $kind: exit code $code, $(wc -l <"$folder/rows") lines"
        tail -3 "$folder/messages"
        return 1
    fi
    echo "$kind${*:+ $*}: $count photos of 4000 x 3000, $(stat -c %s "$folder/$kind/0001.jpg") bytes each, in $seconds s;" \
        "most resident memory $((peak >> 10)) MiB${peak_file:+, of the group $(($(cat "$peak_file") >> 20)) MiB}"
    [ $((peak << 10)) -le "$limit" ]
}

choose
echo "one CPU and $((limit >> 20)) MiB by $way"
result=0
for kind in sequential progressive; do
    make_photos "$kind"
    classify "$kind" || result=1
done
classify progressive -j 32 || result=1
exit $result
