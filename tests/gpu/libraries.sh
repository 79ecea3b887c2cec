# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Finds CUDA's libraries on a machine that may have them only inside Python's packages. Sourced.

# Folders that may hold them, the likeliest first: beside the programs, Python's packages, the toolkit.
library_folders() { # BUILD PYTHON
    local root
    echo "$1/lib"
    while read -r root; do
        for folder in "$root"/nvidia/*/lib; do echo "$folder"; done
    done < <("$2" -c 'import sys; print("\n".join(p for p in sys.path if p))' 2>/dev/null)
    for root in "${CUDA_HOME:-}" /usr/local/cuda /usr/local/cuda-[0-9]*; do
        if [ -n "$root" ]; then printf '%s\n' "$root/lib64" "$root/lib" "$root/targets/x86_64-linux/lib"; fi
    done
}

# use_libraries BUILD PYTHON PROGRAM: puts the folders found before LD_LIBRARY_PATH, prints what the program loads from
# where, and sets libraries_missing to the names that were not found.
use_libraries() {
    local folder found="" loads
    while read -r folder; do
        # Any of these; libnvrtc and libcupti are not linked but loaded.
        if [ -n "$(ls "$folder"/lib{cudart,cudnn,cublasLt,nvrtc,cupti,cjson}.so.* 2>/dev/null)" ]; then found=$found:$(cd "$folder" && pwd -P); fi
    done < <(library_folders "$1" "$2")
    found=$(tr ':' '\n' <<<"${found#:}" | awk '!seen[$0]++' | paste -sd:)
    LD_LIBRARY_PATH=$found${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
    loads=$(ldd "$3" 2>/dev/null)
    echo "LD_LIBRARY_PATH=$LD_LIBRARY_PATH"
    grep -E '^\s*lib(cuda|cudnn|cublas|nv)' <<<"$loads"
    # shellcheck disable=SC2034 # for the script that sources this
    libraries_missing=$(awk '/=> not found/ { print $1 }' <<<"$loads" | paste -sd' ')
}
