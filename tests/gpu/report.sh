# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Writes report.md, and results.tsv, from which --resume goes on. Sourced by gpu_check.sh, whose variables it reads.
# shellcheck disable=SC2154,SC2004 # assigned there, associative arrays among them

count() { local n=0 name; for name in "${steps[@]}"; do if [[ ${result[$name]} == $1* ]]; then n=$((n + 1)); fi; done; echo $n; }
# The command that runs these steps again, or with no argument all that have not passed, as this run was started.
again() { echo "cd $(printf %q "$SOURCE") && tests/gpu/gpu_check.sh --out $(printf %q "$OUT") --resume$options${1:+ --only $1}"; }

write_results() {
    local name
    for name in "${steps[@]}"; do printf '%s\t%s\t%s\n' "$name" "${seconds[$name]:--}" "${result[$name]}"; done
}
read_results() { # FILE
    local name took said
    while IFS=$'\t' read -r name took said; do
        if [ -z "${command[$name]:-}" ]; then continue; fi
        seconds[$name]=${took/#-/} result[$name]=$said
    done <"$1"
}

# ---- numbers ----

# rates FILE ours|"": "precision batch images/s images/s-on-the-device what" for all that tributary bench, whose precision,
# schedule and launch follow the batch size, or peers_gpu.py measured. Both write a field a line.
rates() {
    awk -v ours="$2" '
        function value() { sub(/^[^:]*:[ \t]*/, ""); sub(/,?[ \t]*$/, ""); gsub(/"/, ""); return $0 }
        function flush() { if (rate) print precision, batch, rate, device ? device : "-", ours ? schedule "," launch : engine; rate = device = 0 }
        /"precision":/ { precision = value() } /"schedule":/ { schedule = value() } /"launch":/ { launch = value() }
        /"engine":/ { flush(); engine = value() }
        /"batch":/ { if (ours) flush(); batch = value() + 0 }
        /"images_per_second":/ { rate = value() + 0 } /"device_images_per_second":|"device":[ \t]*[0-9]/ { device = value() + 0 }
        END { flush() }' "$1"
}
# The best of ours and of PyTorch's for each precision and batch size: a Markdown row each.
best_rates() { # FOLDER PEERS-FOLDER
    local file
    {
        for file in "$OUT/$1"/*.json; do if [ -s "$file" ]; then rates "$file" ours | sed 's/^/ours /'; fi; done
        for file in "$OUT/$2"/*.json; do if [ -s "$file" ]; then rates "$file" "" | sed 's/^/peer /'; fi; done
    } | awk '
        { key = $2 " " $3; keys[key] = 1
          if ($4 > best[$1, key]) { best[$1, key] = $4; what[$1, key] = $6; device[$1, key] = $5 == "-" ? "" : sprintf("; on the device %.0f", $5) } }
        function cell(who, key) { return best[who, key] ? sprintf("%.0f (%s%s)", best[who, key], what[who, key], device[who, key]) : "-" }
        END { for (key in keys) { split(key, k, " "); a = best["ours", key]; b = best["peer", key]
              printf "| %s | %d | %s | %s | %s |\n", k[1], k[2], cell("ours", key), cell("peer", key), a && b ? sprintf("%.2f", a / b) : "-" } }' |
        sort -t '|' -k 2,2 -k 3,3n
}
rates_table() { # ROWS
    printf '\n%s\n' "| precision | batch | Tributary | PyTorch | ratio |"
    printf '%s\n' "|---|---|---|---|---|" "$1"
}
numbers() {
    local rows training
    rows=$(best_rates network peers) training=$(best_rates training peers-training)
    echo "## Numbers"
    echo
    if [ -z "$rows$training" ]; then echo "None yet." && return; fi
    if [ -n "$TINY" ]; then echo "**Of a tiny network, made to try the check itself (--tiny): they say nothing about any card.**" && echo; fi
    if [ -n "$rows" ]; then
        echo "Images per second, the best of what was measured; network/ and peers/ have all of it, and what each number includes."
        rates_table "$rows"
    fi
    if [ -n "$training" ]; then
        printf '\n%s\n' "Steps of training (forward, losses, backward, update; images from ordinary memory, each step waited for), the best likewise:"
        rates_table "$training"
    fi
    if [ -s "$OUT/limits.json" ]; then
        echo
        echo "The card's limits: $(awk -F'[:,"]+' '/": [0-9.e+-]+,?$/ { printf "%s%s %.4g", s, $2, $3; s = ", " }' "$OUT/limits.json")"
    fi
}

# ---- what to do next ----

is_number() { [[ ${command[$1]} =~ ^(network|training|peers|limits|kernels|profile|tune) ]]; }

failures() {
    local name
    for name in "${steps[@]}"; do
        if [[ ${result[$name]} != failed* ]]; then continue; fi
        echo "**$name** ${result[$name]}. Its log, logs/$name.log, ends:"
        echo
        tail -n 6 "$OUT/logs/$name.log" 2>/dev/null | cut -c 1-200 | sed 's/^/    /'
        echo
        echo "Run it again:"
        echo
        echo "    $(again "$name")"
        echo
    done
}
missing_numbers() {
    local name missing=()
    for name in "${steps[@]}"; do if is_number "$name" && [[ ${result[$name]} != passed* ]]; then missing+=("$name"); fi; done
    if [ ${#missing[@]} -eq 0 ]; then return; fi
    echo
    echo "Of the numbers ${#missing[@]} are missing, the most wanted first:"
    echo
    for name in "${missing[@]:0:8}"; do echo "- $name: ${result[$name]}"; done
    if [ ${#missing[@]} -gt 8 ]; then echo "- and $((${#missing[@]} - 8)) more, see below"; fi
}
next_steps() {
    local left
    left=$((${#steps[@]} - $(count passed)))
    echo "## What to do next"
    echo
    failures
    if [ -n "$NO_CARD" ]; then echo "Run it on a machine with an NVIDIA GPU. Here: $NO_CARD." && return; fi
    if [ "$left" -eq 0 ]; then echo "Nothing: every step passed." && return; fi
    echo "All that has not passed, $left of ${#steps[@]} steps:"
    echo
    echo "    $(again)"
    missing_numbers
}

# ---- the report ----

table() {
    local name
    echo "| step | result | seconds | expected | log |"
    echo "|---|---|---|---|---|"
    for name in "${steps[@]}"; do
        echo "| $name | ${result[$name]} | ${seconds[$name]} | ${expected[$name]} | ${seconds[$name]:+logs/$name.log} |"
    done
}
report() {
    echo "# GPU check, $started"
    echo
    echo "$(count passed) passed, $(count failed) failed, $(count skipped) skipped. Machine, card and versions: environment.txt"
    echo
    numbers
    echo
    next_steps
    echo
    echo "## Steps"
    echo
    table
}
# Anew after every step, and moved into place whole: a run that is cut leaves what it knew.
write_report() {
    write_results >"$OUT/results.tsv.new" && mv "$OUT/results.tsv.new" "$OUT/results.tsv" &&
        report >"$OUT/report.md.new" && mv "$OUT/report.md.new" "$OUT/report.md"
}
