#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# man_pages.sh PROGRAM FOLDER: writes a man page for the program and one for each of its commands, made by help2man from
# what --help prints.
set -eu
program=$1 folder=$2
PATH=$(dirname "$program"):$PATH # help2man takes a command line, in which a path with blanks would be two words
LC_ALL=C
export PATH LC_ALL
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%F)
version=$("$program" --version)
version=${version#tributary }
help=$("$program" help)
commands=$(echo "$help" | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')

# Options are bold, placeholders italic, as help2man has them.
synopsis() { "$program" "$@" --help | sed -n -E '1{s/^Usage: tributary( [a-z]+)? ?//; s/--?[a-z-]+/\\fB&\\fR/g; s/[A-Z][A-Za-z.]*[A-Za-z]|\b[A-Z]\b/\\fI&\\fR/g; s/-/\\-/g; p}'; }

see_also() {
    separator=""
    for other in tributary $(echo "$commands" | sed 's/^/tributary-/'); do
        if [ "$other" = "$1" ]; then continue; fi
        printf '%s.BR %s (1)' "$separator" "$(echo "$other" | sed 's/-/\\-/')"
        separator=",
"
    done
    echo
}

# page NAME SUMMARY [COMMAND]
page() {
    name=$1 summary=$2
    shift 2
    {
        printf '[=NAME]\n%s \\- %s\n\n' "$(echo "$name" | sed 's/-/\\-/')" "$summary"
        printf '[=SYNOPSIS]\n.B tributary%s\n%s\n\n' "${1:+ $1}" "$(synopsis "$@")"
        if [ $# -gt 0 ]; then
            printf '[EXIT STATUS]\n0 done, 1 failed, 2 wrong usage, 3 done but some inputs were skipped, 4 a training run was stopped by a signal, and saved.\n\n'
        fi
        printf '[SEE ALSO]\n%s\n' "$(see_also "$name")"
    } >"$folder/$name.include"
    help2man --no-info --manual="Tributary" --source="Tributary $version" --version-string="$version" \
        --include="$folder/$name.include" "tributary${1:+ $1}" |
        sed "s/^\\(\\.TH [^\"]*\"1\"\\) \"[^\"]*\"/\\1 \"$date\"/" >"$folder/$name.1"
    [ -s "$folder/$name.1" ] # the pipe hides a failure of help2man
    rm "$folder/$name.include"
}

mkdir -p "$folder"
page tributary "classify images with Inception networks, measure and inspect them"
for command in $commands; do page "tributary-$command" "$(echo "$help" | sed -n "s/^  $command  *//p")" "$command"; done
