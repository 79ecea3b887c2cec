#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One check of the installed package; tests/package/CMakeLists.txt names them and sets the capitals.
set -euo pipefail
prefix=$WORK/prefix
include=$prefix/$INCLUDEDIR
lib=$prefix/$LIBDIR
examples=$prefix/$DOCDIR/examples
export LC_ALL=C LSAN_OPTIONS=${LSAN_OPTIONS-}

own=$WORK/$1 # where a check may leave files

fail() { echo "FAILED: $*" >&2 && exit 1; }

# Every function that a public header declares.
declared() {
    echo '#include "tributary.h"' | $CC -std=c17 -I"$include" -E -P -x c - | grep -v '^#' | tr '\n' ' ' | sed 's/[;{}]/\n/g' |
        grep -vE '\b(static|typedef|return)\b' | grep -oE '\btrib_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u
}

# headers LANGUAGE STANDARD SUFFIX: each compiles alone, twice in a row, without a warning.
headers() {
    local count=0
    while read -r header; do
        printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" >"$WORK/header.$3"
        $1 -std="$2" -Wall -Wextra -Werror -pedantic -I"$include" -fsyntax-only "$WORK/header.$3" || fail "$header as $2"
        count=$((count + 1))
    done < <(cd "$include" && find . -name '*.h' -printf '%P\n' | sort)
    [ "$count" -ge 15 ] || fail "only $count headers are installed"
    echo "$count headers compile alone as $2"
}

# not_linked FILE: oneDNN is loaded when a CPU device is opened, and its OpenMP with it, and not before.
not_linked() {
    local linked
    linked=$(ldd "$1") || fail "ldd $1"
    if grep -E '(libdnnl|lib[gi]?omp[0-9]*)\.' <<<"$linked"; then fail "$1 is linked with these"; fi
}

# onednn TEXT: with what is in $own/lib in place of oneDNN, whatever needs it fails, saying TEXT and what to install; all
# else works.
onednn() {
    local program=$prefix/bin/tributary model=$SOURCE/models/pretrained/googlenet-fashion-64.safetensors image
    image=$SOURCE/models/pretrained/samples/00-ankle-boot.png
    export LD_LIBRARY_PATH=$own/lib
    "$program" devices >"$own/devices" || fail "devices"
    if "$program" classify "$model" "$image" 2>"$own/message" >"$own/rows"; then fail "it computes all the same"; fi
    "$program" classify "$model" "$image" --reference --format table --topk 1 >"$own/rows" || fail "--reference"
    cat "$own/message"
    for text in "$1" "apt-get install libdnnl" LD_LIBRARY_PATH; do
        grep -qF -e "$text" "$own/message" || fail "the message does not say '$text'"
        grep -qF -e "$text" "$own/devices" || fail "devices does not say '$text': $(cat "$own/devices")"
    done
    grep -qi 'ankle boot' "$own/rows" || fail "--reference finds $(cat "$own/rows")"
}

# onednn_of_version MAJOR,MINOR,PATCH: a library that can tell its version and nothing else.
onednn_of_version() {
    mkdir -p "$own/lib"
    echo "struct { int number[3]; const char *hash; unsigned runtime[2]; } version = { { $1 } };
        const void *dnnl_version(void) { return &version; }" >"$own/onednn.c"
    $CC -shared -fPIC "$own/onednn.c" -o "$own/lib/$ONEDNN_SONAME"
}

# outside PROGRAM: the example classifies a sample image correctly.
outside() {
    local sample label output
    not_linked "$1"
    sample=$(find "$SOURCE/models/pretrained/samples" -name '*ankle*boot*.png' | sort | head -1)
    [ -n "$sample" ] || fail "no ankle boot among the samples"
    output=$("$1" "$SOURCE/models/pretrained/googlenet-fashion-64.safetensors" "$sample") || fail "$1 fails"
    echo "$output"
    label=$(echo "$output" | tr '[:upper:]' '[:lower:]')
    [[ $label == *"ankle boot"* ]] || fail "an ankle boot is taken for: $output"
    if "$1" "$SOURCE/no-such-model.safetensors" "$sample" 2>"$WORK/message"; then fail "a missing model goes unnoticed"; fi
    grep -q 'no-such-model.safetensors' "$WORK/message" || fail "the message does not name the missing model"
}

# trains PROGRAM: the example makes two steps, and the program takes its model.
trains() {
    local data=$SOURCE/tests/data/fashion-64-images-idx3-ubyte.gz output
    output=$("$1" "$data" 2 "$WORK/trained.safetensors") || fail "$1 fails"
    [[ $output == *"step 2: loss "* ]] || fail "two steps, but: $output"
    "$prefix/bin/tributary" info "$WORK/trained.safetensors" >/dev/null || fail "the model of $1"
    if "$1" "$SOURCE/no-such-data" 2 "$WORK/none" 2>"$WORK/message"; then fail "missing data goes unnoticed"; fi
    grep -q 'no-such-data' "$WORK/message" || fail "the message does not name the missing data"
}

with_cmake() { # KIND TARGET
    rm -rf "$WORK/cmake_$1"
    "$CMAKE" -S "$SOURCE/tests/package/outside" -B "$WORK/cmake_$1" -G "$GENERATOR" -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="$FLAGS" \
        -DCMAKE_PREFIX_PATH="$prefix" -DKIND="$1" -DTARGET="$2" -DEXAMPLES="$examples" >"$WORK/cmake_$1.log" || { cat "$WORK/cmake_$1.log" && exit 1; }
    "$CMAKE" --build "$WORK/cmake_$1"
    outside "$WORK/cmake_$1/classify_image"
    trains "$WORK/cmake_$1/train"
}

with_pkgconfig() { # NAME OPTION: from $PKG_CONFIG_PATH
    # shellcheck disable=SC2046,SC2086 # lists of words
    $CC -std=c17 $FLAGS "$examples/classify_image.c" $(pkg-config --cflags tributary) $(pkg-config $2 --libs tributary) -o "$WORK/$1"
    outside "$WORK/$1"
}

# man_page FILE [COMMAND]: the page is well-formed, has the sections people look for, and all options.
man_page() {
    local page=$1 text options
    shift
    [ -s "$page" ] || fail "$page is missing"
    text=$(sed 's/\\f[BIRP]//g; s/\\-/-/g' "$page")
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS "SEE ALSO"; do
        grep -qE "^\.SH \"?$section\"?$" <<<"$text" || fail "$page has no $section"
    done
    options=$("$prefix/bin/tributary" "$@" --help | grep -oE '^ +(-[A-Za-z], )?--[a-z-]+' | grep -oE -e '--[a-z-]+')
    [ -n "$options" ] || fail "'tributary $* --help' shows no option"
    for option in $options; do
        grep -qE -e "^(-[A-Za-z], )?$option( |$)" <<<"$text" || fail "$page does not describe $option"
    done
    if command -v mandoc >/dev/null; then mandoc -T lint -W warning "$page" || fail "$page"; fi
    echo "$(basename "$page"): $(wc -w <<<"$options") options"
}

case $1 in
install)
    rm -rf "$prefix"
    "$CMAKE" --install "$BUILD" --prefix "$prefix" >"$WORK/install.log"
    [ ! -e "$include/tributary/internal" ] || fail "private headers are installed"
    "$prefix/bin/tributary" --version
    ;;
headers_c17) headers "$CC" c17 c ;;
headers_cxx17) headers "$CXX" c++17 cc ;;
exports)
    # What sanitizers and fuzzers add is theirs.
    "$NM" -D --defined-only "$lib/libtributary.so" | awk '{ print $NF }' | grep -vE '^_*(odr_)?(asan|sancov|ubsan|start|stop)_' | sort -u >"$WORK/exported"
    declared >"$WORK/declared"
    [ -s "$WORK/declared" ] || fail "no function is declared"
    diff "$WORK/declared" "$WORK/exported" || fail "< is declared but not exported, > is exported but not declared"
    echo "$(wc -l <"$WORK/declared") functions are declared and exported"
    ;;
static_names)
    # A static library shares one name space with the program that links it. NVTX's own are weak, made to be merged with
    # those of other parts of the program.
    "$NM" -g --defined-only "$lib/libtributary.a" | awk 'NF == 3 && !($2 ~ /[VW]/ && $3 ~ /^nvtx|Nvtx2_fnptr$/) { print $3 }' |
        grep -vE '^(trib_|_*(odr_)?(asan|sancov|ubsan|start|stop)_)' | sort -u >"$WORK/strangers" || true
    [ ! -s "$WORK/strangers" ] || fail "global names in libtributary.a that do not begin with trib_: $(tr '\n' ' ' <"$WORK/strangers")"
    ;;
linked)
    not_linked "$prefix/bin/tributary"
    not_linked "$lib/libtributary.so"
    if grep -ri dnnl "$lib/pkgconfig" "$lib/cmake"; then fail "who uses the library must find oneDNN"; fi
    ;;
onednn_damaged) # the loader's text comes last, where it may be cut off
    mkdir -p "$own/lib"
    echo "no library" >"$own/lib/$ONEDNN_SONAME"
    onednn "$ONEDNN_SONAME cannot be loaded"
    ;;
onednn_other_version)
    onednn_of_version 2,5,1
    onednn "$ONEDNN_SONAME is version 2.5.1, but this was built with "
    ;;
onednn_incomplete)
    version=${ONEDNN_SONAME#libdnnl.so.}
    onednn_of_version "${version%%.*},6,0"
    onednn "$ONEDNN_SONAME has no dnnl_"
    ;;
reference)
    # `make docs` without a warning; all functions are in it, and the first page leads to what is needed first.
    "$SOURCE/host/reference/make_reference.sh" "$own" || fail "Doxygen warns"
    html=$own/html
    declared | while read -r name; do
        grep -qF ">$name</a>" "$html"/*_8h.html || fail "$name is not in the reference"
    done
    for name in trib_model trib_device trib_session trib_source trib_loader trib_status trib_graph trib_plan; do
        grep -qE "<td[^>]*>.*<a [^>]*>$name</a>" "$html/index.html" || fail "the first page does not lead to $name"
    done
    ;;
man)
    # The program and each command have a page that names every option of --help.
    man=$prefix/$MANDIR/man1
    commands=$("$prefix/bin/tributary" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
    [ "$(wc -w <<<"$commands")" -ge 9 ] || fail "help lists only these commands: $commands"
    for command in "" $commands; do man_page "$man/tributary${command:+-$command}.1" $command; done
    [ "$(find "$man" -type f | wc -l)" -eq $(($(wc -w <<<"$commands") + 1)) ] || fail "pages of no command are installed: $(ls "$man")"
    ;;
cmake_shared) with_cmake shared Tributary::tributary ;;
cmake_static) with_cmake static Tributary::tributary_static ;;
pkgconfig_shared)
    export PKG_CONFIG_PATH=$lib/pkgconfig
    unset LD_LIBRARY_PATH
    with_pkgconfig shared ""
    ;;
pkgconfig_static) # from a copy of the package without the shared library
    rm -rf "$WORK/static-prefix"
    cp -r "$prefix" "$WORK/static-prefix"
    rm "$WORK/static-prefix/$LIBDIR"/libtributary.so*
    export PKG_CONFIG_PATH=$WORK/static-prefix/$LIBDIR/pkgconfig
    with_pkgconfig static --static
    ;;
labels) # that README.md names, with the license they are under
    labels=$prefix/$DATADIR/tributary/labels
    [ "$(wc -l <"$labels/imagenet.txt")" -eq 1000 ] || fail "$labels/imagenet.txt has not 1000 lines"
    [ -s "$labels/LICENSE.torchvision" ] || fail "the names of ImageNet's classes are without their license"
    ;;
readme)
    # shellcheck disable=SC2016 # no expansion wanted
    # The C block of README.md is the example, word for word.
    sed -n '/^```c$/,/^```$/p' "$SOURCE/README.md" | sed '1d;$d' | diff - <(sed 1d "$SOURCE/host/examples/classify_image.c") ||
        fail "README.md and host/examples/classify_image.c differ"
    ;;
recipe)
    # The README's way from installing to running, in a shell that has seen nothing else. Only names are filled in, and
    # the sanitizers' options of this build.
    folder=$WORK/recipe sample=$(find "$SOURCE/models/pretrained/samples" -name '*ankle*boot*.png' | sort | head -1)
    rm -rf "$folder"
    mkdir "$folder"
    awk -v RS= '/pkg-config --cflags --libs/' "$SOURCE/README.md" | grep '^    ' | sed -E "s|^ +||; s|--install build|--install $BUILD|
        s|DIR/lib/|DIR/$LIBDIR/|; s|\\bDIR\\b|$folder/installed|; s|^cc host|$CC $FLAGS $SOURCE/host|; s|\\bMODEL IMAGE|'$SOURCE/models/pretrained/googlenet-fashion-64.safetensors' '$sample'|" >"$folder/recipe.sh"
    cat "$folder/recipe.sh"
    [ "$(wc -l <"$folder/recipe.sh")" -eq 4 ] || fail "the README's recipe has another number of lines"
    output=$(cd "$folder" && env -i PATH="$PATH" HOME="$HOME" LSAN_OPTIONS="$LSAN_OPTIONS" ASAN_OPTIONS="${ASAN_OPTIONS-}" sh -e recipe.sh) || fail "the README's recipe fails"
    [[ ${output,,} == *"ankle boot"* ]] || fail "an ankle boot is taken for: $output"
    ;;
*) fail "no check '$1'" ;;
esac
