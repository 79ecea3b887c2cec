#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packs what gpu_check.sh runs for a machine without network and compilers: programs without symbols, in the places they
# have in a build folder, and the shared libraries that such a machine may lack. CUDA's own stay out: they are looked for
# there, by libraries.sh. Test data and scripts come with the sources.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat <<TEXT
usage: tests/gpu/bundle.sh [OPTION...]      or: make gpu-bundle

      --out DIR      the folder to make; default build-gpu, where gpu_check.sh looks for it. One that is there is replaced
      --from DIR     take the programs from this build folder instead of building them
      --limit MIB    fail if the folder and the sources are larger together; default 64
  -h, --help         print this text

CMAKE_FLAGS in the environment goes to CMake, as in: CMAKE_FLAGS=-DTRIB_CUDA_ARCHITECTURES=90 make gpu-bundle
TEXT
}
fail() { echo "bundle.sh: $1" >&2 && exit "${2:-1}"; }

out=build-gpu from="" limit=64
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --out | --from | --limit) if [ $# -lt 2 ]; then fail "$1 needs a value" 2; fi ;;
    *) fail "unknown argument '$1'; --help shows the options" 2 ;;
    esac
    case $1 in
    --out) out=$2 ;;
    --from) from=$2 ;;
    --limit) limit=$2 ;;
    esac
    shift 2
done
[[ $limit =~ ^[0-9]+$ ]] || fail "--limit '$limit' is no number" 2

programs() { echo tributary && awk '/^[^#]/ { print $1 }' tests/gpu/tests.list; }

# Nothing that the checks do not need, and no paths of this machine. C++'s library is the other machine's: ours, static or
# not, may want a newer C library than there is.
build() {
    local targets
    mapfile -t targets < <(programs | xargs -n 1 basename)
    # shellcheck disable=SC2086 # a list of words
    cmake -S . -B "$1" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DTRIB_CUDA=ON -DCMAKE_SKIP_RPATH=ON \
        "-DTRIB_WITHOUT=ONEDNN;JPEG;SPNG;WEBP;ARCHIVE;ZLIB" ${CMAKE_FLAGS:-}
    if grep -qw kernel_bench <<<"$(cmake --build "$1" --target help)"; then targets+=(kernel_bench); fi
    cmake --build "$1" --parallel "$(nproc)" --target "${targets[@]}"
}

# The libraries that PROGRAM loads, but CUDA's and those of every Linux.
libraries() {
    ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | grep -vE '^lib(cuda|cudnn|cublas|nv)[A-Za-z_]*\.' |
        grep -vE '^lib(c|m|dl|rt|pthread|resolv|util|stdc\+\+|gcc_s)\.so'
}

pack() { # PROGRAM
    local name path
    [ -x "$from/$1" ] || fail "$from has no $1"
    mkdir -p "$out/$(dirname "$1")"
    strip -o "$out/$1" "$from/$1"
    while read -r name path; do cp -L "$path" "$out/lib/$name"; done < <(libraries "$from/$1" || true)
}

mebibytes() { awk '{ bytes += $1 } END { printf "%.1f", bytes / 1048576 }'; }

if [ -z "$from" ]; then
    from=build-offline
    build "$from"
fi
[ "$(realpath -m "$out")" != "$(realpath -m "$from")" ] || fail "--out and --from are the same folder" 2
if [ -e "$out" ] && ! [ -e "$out/bundle.txt" ]; then fail "$out is there, and was not made by this script" 2; fi
rm -rf "$out"
mkdir -p "$out/lib"
echo "$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown), packed $(date -u '+%Y-%m-%d %H:%M UTC')" >"$out/bundle.txt"
for program in $(programs) $(cd "$from" && find . -name kernel_bench -type f -perm -u+x -printf '%P\n'); do pack "$program"; done

find "$out" -type f -printf '%s %P\n' | sort -rn
packed=$(find "$out" -type f -printf '%s\n' | mebibytes)
sources=$(git ls-files -z | xargs -0 stat -c %s 2>/dev/null | mebibytes)
echo "$out: $packed MiB, with the sources $(echo "$packed $sources" | awk '{ print $1 + $2 }') MiB"
awk -v a="$packed" -v b="$sources" -v limit="$limit" 'BEGIN { exit !(a + b <= limit) }' || fail "more than $limit MiB"
