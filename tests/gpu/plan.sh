# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Reads steps.table. Sourced.

steps=()
declare -A command expected limit
# read_steps FILE: fills the above, in the file's order.
read_steps() {
    local name seconds most what
    while read -r name seconds most what; do
        steps+=("$name")
        command[$name]=$what expected[$name]=$seconds limit[$name]=$most
    done < <(grep '^[^#]' "$1")
}

# programs FILE: those that the steps run, in a build folder; kernel_bench may be missing.
programs() {
    echo tributary
    awk '/^[^#]/ && $4 == "test" { print $5 } /^[^#]/ && $4 == "sanitize" && $6 == "network" { print "tests/gpu/tiny_network" }' "$1" | sort -u
}

list_steps() {
    local name total=0
    printf '%-30s %8s %6s %6s  %s\n' step expected total limit 'what (seconds on an H100: see steps.table)'
    for name in "${steps[@]}"; do
        total=$((total + expected[$name]))
        printf '%-30s %8d %6d %6d  %s\n' "$name" "${expected[$name]}" $total "${limit[$name]}" "${command[$name]}"
    done
}
