#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# runtime.sh SOURCE: inside the runtime, too, arrows point one way: no file includes a header of a folder that
# runtime_order.txt has below its own line, or beside it. (All of the runtime is compiled with one include path: here
# the lines themselves are read.)
set -euo pipefail
runtime=$1/runtime
order=$(dirname "$0")/runtime_order.txt
declare -A level owner
line=0
while read -ra words; do
    line=$((line + 1))
    folders=()
    for word in "${words[@]}"; do
        if [[ $word != *.h ]]; then
            level[$word]=$line
            folders+=("$word")
        elif [ "${#folders[@]}" -eq 1 ]; then
            owner[$word]=${folders[0]}
        else
            owner[$word]=${word%.h} # several folders: each has the header of its name
        fi
    done
done < <(grep -v '^#' "$order")

checked=0
wrong=0
complain() {
    echo "$1"
    wrong=$((wrong + 1))
}

for folder in "$runtime"/*/; do
    folder=$(basename "$folder")
    [ "$folder" = include ] || [ -n "${level[$folder]:-}" ] || complain "runtime/$folder is not in runtime_order.txt"
done
for header in "$runtime"/include/tributary/*.h; do
    header=$(basename "$header")
    [ -n "${owner[$header]:-}" ] || complain "$header is not in runtime_order.txt"
done

# FILE:NUMBER:#include "HEADER" -> the folder of each; headers of the layers below are none of the runtime's.
while IFS=: read -r file number include; do
    path=${file#"$runtime"/}
    header=$(sed -E 's/.*"(.*)".*/\1/' <<<"$include")
    from=${path%%/*}
    [ "$from" = include ] && from=${owner[$(basename "$path")]:-}
    case $header in
        tributary/*) to=${owner[${header#tributary/}]:-} ;;
        *) to=${header%%/*} ;;
    esac
    [ -n "$to" ] && [ -n "$from" ] || continue
    checked=$((checked + 1))
    if [ -z "${level[$to]:-}" ]; then
        complain "runtime/$path:$number: $header is in no folder of runtime_order.txt"
    elif [ "$from" != "$to" ] && [ "${level[$to]}" -ge "${level[$from]}" ]; then
        complain "runtime/$path:$number: $from must not include $header of $to"
    fi
done < <(grep -rnE '^ *# *include "' "$runtime" --include='*.h' --include='*.c' --include='*.cu' --include='*.cc')

echo "$checked includes of the runtime checked, $wrong wrong"
[ "$checked" -ge 200 ] && [ "$wrong" -eq 0 ]
