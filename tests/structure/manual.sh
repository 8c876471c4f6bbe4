#!/bin/bash
# manual.sh: the manual and the example configuration say what the program's tables say.
#
#   tests/structure/manual.sh BUILD           checks; the last line is "N passed, N failed"
#   tests/structure/manual.sh --write BUILD   writes the tables into both (make manual)
#
# A table stands between `.\" table: NAME` and `.\" end` in the manual, and between `# table: yaml`
# and `# end` in the example configuration; BUILD/tests/tables prints it from the X-macros.
set -uo pipefail
export LC_ALL=C
write=no
[ "$1" = --write ] && { write=yes; shift; }
build=$(realpath "$1")
cd "$(dirname "$0")/../.." || exit 1
manual=deploy/man/dnsbailiff.1
example=deploy/dnsbailiff.yaml
passed=0
failed=0

# merged FILE: FILE with every table replaced by what the program has; text lines are folded, and a
# sentence begins a line, as mdoc wants it.
merged() {
    awk -v tool="$build/tests/tables" '
        function folded(line, lead,    n, i, word, out) {
            n = split(substr(line, length(lead) + 1), word, " ")
            out = lead
            for (i = 1; i <= n; i++) {
                if (out != lead && (length(out word[i]) > 78 || (lead == "" && stop))) {
                    print out
                    out = lead
                }
                out = out (out == lead ? "" : " ") word[i]
                stop = word[i] ~ /[.?!]$/
            }
            print out
        }
        /^(\.\\"|#) table: / {
            print
            while (((tool " " $3) | getline line) > 0)
                if (line ~ /^# /) folded(line, "# ")
                else if (line ~ /^[.]/ || FILENAME ~ /yaml$/) print line
                else folded(line, "")
            inside = 1
            next
        }
        /^(\.\\"|#) end$/ { inside = 0 }
        !inside { print }' "$1"
}

for file in "$manual" "$example"; do
    if [ $write = yes ]; then
        text=$(merged "$file") && printf '%s\n' "$text" >"$file"
        continue
    fi
    if ! grep -qE '^(\.\\"|#) table: ' "$file"; then
        echo "FAIL $file has no table"
        failed=$((failed + 1))
    elif merged "$file" | diff -u "$file" -; then
        echo "ok   $file agrees with the tables"
        passed=$((passed + 1))
    else
        echo "FAIL $file disagrees with the tables: make manual"
        failed=$((failed + 1))
    fi
done
[ $write = no ] || exit 0

# Whether the pages that ours refers to are installed here is not our page's fault.
complaints=$(mandoc -Tlint -W style,stop "$manual" 2>&1 | grep -v 'outdated mandoc.db')
if [ -z "$complaints" ]; then
    echo "ok   mandoc has no complaint"
    passed=$((passed + 1))
else
    echo "FAIL mandoc complains"
    echo "$complaints"
    failed=$((failed + 1))
fi

# Every command that there is has its section; every option that its --help names is on a line of
# flags in the manual.
flags=$(awk '/(^|[. ])Fl /{ for (i = 1; i <= NF; i++) { sub(/^-/, "", $i); print $i } }' "$manual" |
    sort -u)
commands=$("$build/dnsbailiff" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || commands="(none)"
for command in $commands; do
    if ! grep -qx ".Ss $command" "$manual"; then
        echo "FAIL the manual has no section on $command"
        failed=$((failed + 1))
    fi
    help=$("$build/dnsbailiff" $command --help 2>&1) || help=
    if [ "$command" = baseline ]; then # each of its own commands has its own help
        for sub in $(sed -n 's/^  \([a-z]*\)  .*/\1/p' <<<"$help"); do
            help+=$'\n'$("$build/dnsbailiff" baseline $sub --help 2>&1) || help=
        done
    fi
    options=$(grep -oE '(^|[][ ,|(])--?[A-Za-z][a-z0-9-]*' <<<"$help" | sed -E 's/^[^-]*--?//' | sort -u)
    missing=$(comm -23 <(echo "$options") <(echo "$flags") | paste -sd' ')
    if [ -z "$help" ] || [ -n "$missing" ]; then
        echo "FAIL the manual lacks options of $command: ${missing:-(no help was printed)}"
        failed=$((failed + 1))
    else
        echo "ok   the manual has every option of $command"
        passed=$((passed + 1))
    fi
done

# Every member of the events of a real run is a word of the manual.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
scenario=tests/scenarios/rogue-zsk-stolen-ksk
members=
if "$build/dnsbailiff" replay -q -r $scenario.pcap --trust-anchor $scenario.anchor --log-dns \
    --log-verdicts all --baseline tests/scenarios/zones -l "$work/evidence"; then
    members=$(jq -r 'select(.event_type != "dns") | [paths | .[] | strings] | unique[]' \
        "$work/evidence/eve.json" | sort -u)
fi
missing=$(comm -23 <(echo "$members") <(tr -cs 'A-Za-z0-9_' '\n' <"$manual" | sort -u) | paste -sd' ')
if [ -z "$members" ] || [ -n "$missing" ]; then
    echo "FAIL the manual lacks members of events: ${missing:-(the replay failed)}"
    failed=$((failed + 1))
else
    echo "ok   the manual has every member of the events of a run"
    passed=$((passed + 1))
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
