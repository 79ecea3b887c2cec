#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make_reference.sh FOLDER: makes the API reference there. Any warning of Doxygen's is a failure.
set -eu
if ! command -v doxygen >/dev/null 2>&1; then
    echo "$0: doxygen is missing; on Debian: apt-get install doxygen" >&2
    exit 1
fi
folder=$(realpath -m "$1")
cd "$(dirname "$0")/../.."

# The headers side by side, as they are installed.
rm -rf "$folder"
mkdir -p "$folder/headers"
for layer in kernels/base kernels runtime models host; do cp -R "$layer/include/." "$folder/headers"; done
rm -r "$folder/headers/tributary/internal"

version=$(sed -n 's/^#define TRIB_VERSION "\(.*\)"/\1/p' kernels/base/include/tributary/version.h)
{
    cat host/reference/Doxyfile
    echo "PROJECT_NUMBER = $version"
    echo "OUTPUT_DIRECTORY = \"$folder\""
    echo "INPUT += \"$folder/headers\""
    echo "STRIP_FROM_PATH = \"$folder/headers\""
    echo "STRIP_FROM_INC_PATH = \"$folder/headers\""
} | doxygen -
