#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what Tributary needs on Debian and Ubuntu; returns quickly if everything is installed.
#
#     docker/install-dependencies.sh [build] [runtime] [test] [demo] [docs] [simulation] [cuda]      (no argument: build)
set -eu

build="cmake ninja-build make gcc g++ pkg-config libdnnl-dev libjpeg-dev libspng-dev libwebp-dev libcjson-dev
       libarchive-dev zlib1g-dev libsqlite3-dev help2man"
# Only what the built program loads, including oneDNN, which it is not linked with.
runtime="libdnnl2|libdnnl3|libdnnl3.6 libjpeg62-turbo|libjpeg-turbo8 libspng0|libspng0t64 libwebp7 libwebpdemux2 libcjson1
         libarchive13|libarchive13t64 zlib1g libsqlite3-0"
test="mandoc libgtest-dev libboost-context-dev clang libclang-rt-dev|libclang-rt-14-dev|libclang-common-14-dev clang-format-14|clang-format
      git procps python3"
demo="dataset-fashion-mnist"
docs="doxygen"
# For a machine with a GPU. CUDA comes from NVIDIA (docker/Dockerfile.cuda starts from its image); where apt knows NVIDIA's
# packages, the parts that are easily forgotten. "-": may be missing.
cuda="git python3 libcudnn9-dev-cuda-13|- cuda-sanitizer-13-0|-"

# For compiling the tests on the simulated CUDA if there is no CUDA and apt knows NVIDIA's packages.
simulation="cuda-nvcc-13-0|- cuda-cudart-dev-13-0|- cuda-nvtx-13-0|- cuda-cupti-dev-13-0|- libcublas-dev-13-0|- libcudnn9-dev-cuda-13|-"
have_nvcc() { command -v nvcc >/dev/null 2>&1 || [ -x /usr/local/cuda/bin/nvcc ]; }

wanted=""
for group in "${@:-build}"; do
    case $group in
    build) wanted="$wanted $build" ;;
    runtime) wanted="$wanted $runtime" ;;
    test) wanted="$wanted $test" ;;
    demo) wanted="$wanted $demo" ;;
    docs) wanted="$wanted $docs" ;;
    simulation) if ! have_nvcc; then wanted="$wanted $simulation"; fi ;;
    cuda)
        wanted="$wanted $cuda"
        if ! have_nvcc; then
            echo "nvcc is missing: CUDA 12 or 13 and cuDNN 9.8 or newer come from NVIDIA, https://developer.nvidia.com/cuda-downloads," >&2
            echo "or from its image, as in docker/Dockerfile.cuda. Continuing with the rest." >&2
        fi
        ;;
    *)
        echo "$0: no group '$group'; there are: build runtime test demo docs simulation cuda" >&2
        exit 2
        ;;
    esac
done

if ! command -v apt-get >/dev/null 2>&1; then
    echo "This system has no apt-get. Please install with its own tools, if missing:"
    echo "  CMake 3.25, Ninja or Make, a C17 and a C++17 compiler, pkg-config, cJSON (needed)"
    echo "  oneDNN 2.6 or 3.x, libjpeg-turbo, libspng, libwebp (with libwebpdemux), libarchive, zlib, SQLite, help2man (each optional)"
    echo "  GoogleTest, Boost.Context, git, pgrep, Python 3 (for the tests); clang and clang-format 14 (for .ci/run)"
    echo "Continuing; CMake lists what it finds."
    exit 0
fi

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
# True if apt knows the package and can install it.
available() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

# Prints the packages of `wanted` that are not installed. Of "a|b" one is enough: the first that apt knows; with "|-" it
# may be none.
missing() {
    for choice in $wanted; do
        found=""
        pick=${choice%%|*}
        names=$(echo "$choice" | tr '|' ' ')
        for name in $names; do
            if installed "$name"; then found=yes; fi
        done
        if [ -z "$found" ]; then
            for name in $names; do
                if [ "$name" = - ]; then
                    pick=""
                elif available "$name"; then
                    pick=$name
                    break
                fi
            done
            if [ -n "$pick" ]; then printf ' %s' "$pick"; fi
        fi
    done
}

packages=$(missing)
if [ -z "$packages" ]; then exit 0; fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "$0: needs root, and there is no sudo. Please run as root: apt-get install$packages" >&2
        echo "(or skip this: make ... INSTALL=no)" >&2
        exit 1
    fi
    as_root="sudo"
fi
echo "Installing with ${as_root:+sudo }apt-get:$packages"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq || echo "apt-get update failed; trying with the package lists that are there" >&2
packages=$(missing) # names may have become known
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
