#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packs what gpu_check.sh runs for a machine without network and compilers: programs without symbols, in the places they
# have in a build folder, and the shared libraries that such a machine may lack. CUDA's own stay out: they are looked for
# there, by libraries.sh. Test data and scripts come with the sources.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/gpu/plan.sh
. tests/gpu/plan.sh

usage() {
    cat <<TEXT
usage: tests/gpu/bundle.sh [OPTION...]      or: make gpu-bundle GPU_FLAGS='OPTION...'

      --arch N,...    only for cards of this kind: 80 A100, 90 H100 and H200, 120 RTX 50; default: all that the build knows
      --out DIR       the folder to make; default build-gpu, where gpu_check.sh looks for it. One that is there is replaced
      --archive FILE  write folder and sources to FILE, too, to be unpacked there: a .tar.gz or .tar.xz
      --from DIR      take the programs from this build folder instead of building them
      --max-mb N      fail if the folder and the sources are larger together, unpacked; default 64
  -h, --help          print this text

CMAKE_FLAGS in the environment goes to CMake.
TEXT
}
fail() { echo "bundle.sh: $1" >&2 && exit "${2:-1}"; }

arch="" out=build-gpu archive="" from="" most=64
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --arch | --out | --archive | --from | --max-mb) if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value" 2; fi ;;
    *) fail "unknown argument '$1'; --help shows the options" 2 ;;
    esac
    case $1 in
    --arch) arch=${2//,/;} ;;
    --out) out=$2 ;;
    --archive) archive=$2 ;;
    --from) from=$2 ;;
    --max-mb) most=$2 ;;
    esac
    shift 2
done
[[ $most =~ ^[0-9]+$ ]] || fail "--max-mb '$most' is no number" 2
[[ $arch =~ ^([0-9]+a?(\;[0-9]+a?)*)?$ ]] || fail "--arch '${arch//;/,}' is no list of numbers such as 90" 2
[[ $archive =~ ^(.+\.tar\.[gx]z)?$ ]] || fail "--archive '$archive' ends in neither .tar.gz nor .tar.xz" 2
if [ -n "$arch" ] && [ -n "$from" ]; then fail "--from takes what was built, --arch says what to build: leave one out" 2; fi

# ---- building ----

# Nothing that the checks do not need, and no paths of this machine. C++'s library is the other machine's: ours, static or
# not, may want a newer C library than there is. Without --arch the build's own list counts, not the last --arch.
build() {
    local targets architectures=-UTRIB_CUDA_ARCHITECTURES
    if [ -n "$arch" ]; then architectures=-DTRIB_CUDA_ARCHITECTURES=$arch; fi
    mapfile -t targets < <(programs tests/gpu/steps.table | xargs -n 1 basename)
    # shellcheck disable=SC2086 # a list of words
    cmake -S . -B "$1" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DTRIB_CUDA=ON -DCMAKE_SKIP_RPATH=ON "$architectures" \
        "-DTRIB_WITHOUT=ONEDNN;JPEG;SPNG;WEBP;ARCHIVE;ZLIB;SQLITE" ${CMAKE_FLAGS:-}
    if grep -qw kernel_bench <<<"$(cmake --build "$1" --target help)"; then targets+=(kernel_bench); fi
    cmake --build "$1" --parallel "$(nproc)" --target "${targets[@]}"
}

# ---- packing ----

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
# The one header that a build over there needs and may not find.
pack_header() {
    local folder
    for folder in "$(pkg-config --variable=includedir libcjson 2>/dev/null || true)" /usr/include; do
        if [ -e "$folder/cjson/cJSON.h" ]; then install -D -m 644 "$folder/cjson/cJSON.h" "$out/include/cjson/cJSON.h" && return; fi
    done
}

source_files() { git ls-files -z | while IFS= read -r -d '' path; do if [ -e "$path" ]; then printf '%s\0' "$path"; fi; done; }
# Unpacked it is one folder, with the sources and in them build-gpu.
write_archive() {
    local staging compress=gzip
    if [[ $archive == *.xz ]]; then compress="xz -T0"; fi
    staging=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder is known now
    trap "rm -rf '$staging'" EXIT
    mkdir "$staging/tributary"
    source_files | tar -c --null -T - | tar -x -C "$staging/tributary"
    cp -r "$out" "$staging/tributary/build-gpu"
    tar -c -I "$compress" -f "$archive.new" -C "$staging" --owner 0 --group 0 tributary
    mv "$archive.new" "$archive"
}

megabytes() { awk '{ bytes += $1 } END { printf "%.1f", bytes / 1e6 }'; }

if [ -z "$from" ]; then
    from=build-offline
    build "$from"
fi
[ "$(realpath -m "$out")" != "$(realpath -m "$from")" ] || fail "--out and --from are the same folder" 2
if [ -e "$out" ] && ! [ -e "$out/bundle.txt" ]; then fail "$out is there, and was not made by this script" 2; fi
rm -rf "$out"
mkdir -p "$out/lib"
echo "$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown), packed $(date -u '+%Y-%m-%d %H:%M UTC')${arch:+ for sm_$arch}" >"$out/bundle.txt"
for program in $(programs tests/gpu/steps.table) $(cd "$from" && find . -name kernel_bench -type f -perm -u+x -printf '%P\n'); do pack "$program"; done
pack_header
# By which the check over there sees whether these are its sources.
source_files | xargs -0 sha256sum >"$out/sources.sha256"

find "$out" -type f -printf '%s %P\n' | sort -rn
packed=$(find "$out" -type f -printf '%s\n' | megabytes)
sources=$(source_files | xargs -0 stat -c %s | megabytes)
total=$(awk -v a="$packed" -v b="$sources" 'BEGIN { print a + b }')
echo "$out: $packed MB, with the sources $total MB"
awk -v total="$total" -v most="$most" 'BEGIN { exit !(total <= most) }' ||
    fail "more than $most MB; --arch packs for one kind of card, --max-mb allows more"
if [ -n "$archive" ]; then
    write_archive
    echo "$archive: $(stat -c %s "$archive" | megabytes) MB"
fi
