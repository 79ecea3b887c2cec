#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docker.sh CHECK: one check of docker/; CMakeLists.txt names them. No image is made and nothing is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dockerfiles=(docker/Dockerfile.cpu docker/Dockerfile.cuda)
work=$(mktemp -d "${TMPDIR:-/tmp}/tributary-docker-XXXXXX")
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2 && exit 1; }

# A system on which dpkg knows the packages INSTALLED, and apt those and AVAILABLE; what would be installed is in $work/asked.
system() { # INSTALLED AVAILABLE
    mkdir -p "$work/bin"
    stand_in dpkg-query "for name; do :; done; case ' $1 ' in *' all '* | *\" \$name \"*) echo -n installed ;; esac"
    stand_in apt-cache "case ' $2 ' in *' all '* | *\" \$2 \"*) echo '  Candidate: 1.0' ;; *) echo '  Candidate: (none)' ;; esac"
    stand_in apt-get "if [ \$1 = install ]; then echo \"\$*\" >'$work/asked'; fi"
    stand_in id 'echo 0'
    rm -f "$work/asked"
}
stand_in() { printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1" && chmod +x "$work/bin/$1"; }
install() { PATH=$work/bin:$PATH docker/install-dependencies.sh "$@"; }

case $1 in
copied_paths)
    count=0
    for file in "${dockerfiles[@]}"; do
        [ -e "$file.dockerignore" ] || fail "$file has no $file.dockerignore"
        while read -r -a words; do
            for path in "${words[@]:1:${#words[@]}-2}"; do
                [ -e "$path" ] || fail "$file copies $path, which is not there"
                count=$((count + 1))
            done
        done < <(grep '^COPY ' "$file" | grep -v -- --from)
    done
    [ "$count" -ge 6 ] || fail "only $count copied paths were found"
    ;;
groups) # that anything here asks for
    system all all
    mapfile -t lines < <({
        grep -rhoE 'install-dependencies\.sh( [a-z]+)+' docker .ci tests/gpu README.md
        grep -hE '^.*GROUPS_NEEDED = ' Makefile
    } | sed -E 's/^.*(install-dependencies\.sh|GROUPS_NEEDED =) //; s/ (installs|names).*//' | grep -v '^names$' | sort -u)
    [ "${#lines[@]}" -ge 4 ] || fail "only ${#lines[@]} uses were found"
    for groups in "${lines[@]}" build runtime test demo simulation cuda; do
        echo "$groups"
        # shellcheck disable=SC2086 # words
        install $groups >"$work/printed" 2>&1 || fail "'$groups': $(cat "$work/printed")"
    done
    [ ! -e "$work/asked" ] || fail "everything is there, and it asks for $(cat "$work/asked")"
    code=0 && install no-such-group 2>"$work/printed" || code=$?
    [ "$code" -eq 2 ] || fail "an unknown group ends with $code"
    ;;
packages)
    system "python3" "git libdnnl3 libarchive13t64"
    install cuda 2>"$work/printed" >&2
    [ "$(cat "$work/asked")" = "install -y -qq --no-install-recommends git" ] || fail "for cuda it asks for: $(cat "$work/asked")"
    system "git python3" "libcudnn9-dev-cuda-13"
    install cuda 2>"$work/printed" >&2
    grep -q ' libcudnn9-dev-cuda-13$' "$work/asked" || fail "what apt knows of NVIDIA's is not installed"
    system "" "libdnnl3 libarchive13t64"
    install runtime >"$work/printed"
    for package in libdnnl3 libarchive13t64 libjpeg62-turbo zlib1g; do
        grep -qw -e "$package" "$work/asked" || fail "$package is not asked for, but $(cat "$work/asked")"
    done
    ;;
normal_user)
    for file in "${dockerfiles[@]}"; do
        stage=$(awk '/^FROM / { text = "" } { text = text $0 "\n" } END { print text }' "$file")
        user=$(sed -n 's/^USER //p' <<<"$stage" | tail -n 1)
        [[ $user =~ ^[a-z]+$ && $user != root ]] || fail "$file ends as user '$user'"
        grep -q "useradd $user" <<<"$stage" || fail "$file: nobody makes the user $user"
        [ "$(grep -c '^FROM ' "$file")" -eq 2 ] || fail "$file has other than two stages"
    done
    ;;
compose)
    file=docker/compose.yaml
    count=0
    while read -r dockerfile; do
        [ -e "$dockerfile" ] || fail "$file names $dockerfile, which is not there"
        count=$((count + 1))
    done < <(sed -n 's/^ *dockerfile: //p' $file)
    [ "$count" -ge 1 ] || fail "$file names no Dockerfile"
    while read -r target; do grep -q " AS $target\$" docker/Dockerfile.cuda || fail "no stage '$target'"; done < <(sed -n 's/^ *target: //p' $file)
    if docker compose version >/dev/null 2>&1; then docker compose -f $file config -q; else echo "docker compose is not here: names only"; fi
    ;;
*) fail "no check '$1'" ;;
esac
