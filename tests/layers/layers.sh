#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# layers.sh CC SOURCE INCLUDE_PATHS: with the include path its layer is compiled with, no file may find a header of a
# layer above or another layer's private header; it must find every public header of its own layer and of those below.
set -euo pipefail
cc=$1
source=$2
include_paths=$3
layers=(base kernels runtime models host)

folder() { if [ "$1" = base ]; then echo "$source/kernels/base"; else echo "$source/$1"; fi; }
public() { (cd "$(folder "$1")/include" && find . -name '*.h' -printf '%P\n'); }
private() { (cd "$(folder "$1")" && find . -name '*.h' -not -path './include/*' -not -path './base/*' -printf '%P\n'); }

# For one layer: a line "HEADER yes|no WANTED" per header of any layer.
reach() {
    local from=$1 to header wanted paths
    mapfile -t paths < <(sed -n "s/^${layers[from]} //p" "$include_paths" | tr ' ' '\n' | grep "^$source" | sed 's/^/-I/')
    for ((to = 0; to < ${#layers[@]}; to++)); do
        wanted=$([ "$to" -le "$from" ] && echo yes || echo no)
        for header in $(public "${layers[to]}"); do echo "$header $wanted"; done
        if [ "$from" -ne "$to" ]; then
            for header in $(private "${layers[to]}"); do echo "$header no"; done
        fi
    done | sed -E 's|(.*) (.*)|#if __has_include("\1")\n"\1" yes \2\n#else\n"\1" no \2\n#endif|' |
        $cc -E -P -nostdinc "${paths[@]}" -x c -
}

tried=0
wrong=0
for ((from = 0; from < ${#layers[@]}; from++)); do
    while read -r header found wanted; do
        tried=$((tried + 1))
        [ "$found" = "$wanted" ] && continue
        echo "a file of ${layers[from]} can include $header: $found, wanted: $wanted"
        wrong=$((wrong + 1))
    done < <(reach "$from")
done

# The include path is the only way in.
if grep -rnE '#include "\.\./' "$source"/{kernels,runtime,models,host} --include='*.[ch]'; then
    echo "these includes climb out of their folder"
    wrong=$((wrong + 1))
fi
echo "$tried includes tried, $wrong wrong"
[ "$tried" -ge 80 ] && [ "$wrong" -eq 0 ]
