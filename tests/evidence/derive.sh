#!/bin/bash
# derive.sh: `verify` derives the findings of real bundles again, and finds those that do not follow.
#
#   tests/evidence/derive.sh BUILD          the last line is "N passed, N failed"
#   tests/evidence/derive.sh --one BUILD NAME OUT    what comes of one scenario (for the former)
#
# derived.txt says what comes of each recorded scenario when only the frames that findings cite are enclosed. With
# the capture enclosed everything must follow, word for word. The lies are whole bundles, sealed by whoever
# tells them (liar.c): every hash and signature in them holds.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "$1" = --one ]; then
    build=$2
    out=$4
else
    build=$(realpath "$1")
    . "$here/../tally.sh"
fi
cd "$here/../scenarios" || exit 1
run=$build/dnsbailiff
liar=$build/tests/liar
export TMPDIR=$out

# make NAME OUT [OPTION…]: the bundle OUT.tar of a scenario
make() {
    local name=$1 to=$out/$2 zones capture=$1.pcap
    shift 2
    [ -f "$capture" ] || capture+=.zst
    zones=$(awk '$1 == "baseline" { print $2 }' "$name.expect" 2>/dev/null)
    "$run" replay -q -r "$capture" --trust-anchor "$name.anchor" ${zones:+--baseline "$zones"} -l "$to" -o "$to.tar" "$@"
}

# verdicts BUNDLE: sets `said`: the line of verify about the verdicts; `status`
verdicts() {
    said=$("$run" verify "$out/$1" 2>&1)
    status=$?
    line=$(grep -E '^[A-Z-]+ +verdicts ' <<<"$said")
}

# caught WHAT BUNDLE PATTERN: nothing but the verdicts fails, and the finding is named
caught() {
    verdicts "$2"
    is "$1: the bundle fails" "$status $(grep -c '^FAIL ' <<<"$said")" "1 1"
    has "$1: by its verdicts" "$line" '^FAIL '
    has "$1: and what does not follow is named" "$said" "$3"
}

# --- scenarios, as they are sealed without further options, and with their capture ---

one() { # NAME: a line "NAME OUTCOME, and what is said of the whole"
    local part
    make "$1" "$1"
    verdicts "$1.tar"
    part=$(cut -d' ' -f1 <<<"$line")
    make "$1" "$1-whole" --include-source
    verdicts "$1-whole.tar"
    echo "$1 $part $line"
    rm -rf "$out/$1" "$out/$1-whole" "$out/$1.tar" "$out/$1-whole.tar"
}
if [ "$1" = --one ]; then
    one "$3" 2>&1
    exit
fi
grep -v '^#' "$here/derived.txt" | cut -d' ' -f1 |
    xargs -P "$(nproc)" -I{} "$here/derive.sh" --one "$build" {} "$out" >"$out/came"
while read -r name want; do
    read -r _ part whole < <(grep "^$name " "$out/came")
    is "$name" "$part" "$want"
    has "$name, whole" "$whole" \
        '^PASS +verdicts +([0-9]+ findings? follows? again, word for word, from|nothing was found, and nothing follows from) the whole'
done < <(grep -v '^#' "$here/derived.txt")

# --- lies ---

lies() { # NAME OPTION…: about the scenario `expired`
    local name=$1
    shift
    make expired "$name" "$@"
    "$liar" "$out/$name.tar" "$out/honest.tar" edit '"rule"' '"rule"'
    verdicts honest.tar
    has "$name: sealed again without a lie" "$status $line" '^3 PASS '
    "$liar" "$out/$name.tar" "$out/rule.tar" edit '"rule":"rrsig-expired"' '"rule":"rrsig-bad"'
    caught "$name: another rule" rule.tar '^contradicted .* rrsig-bad example\.test\.: rule$'
    "$liar" "$out/$name.tar" "$out/zone.tar" edit '"zone":"example.test."' '"zone":"example.com."'
    caught "$name: another zone" zone.tar '^contradicted .* example\.com\.: zone$'
    "$liar" "$out/$name.tar" "$out/severity.tar" edit '"severity":"high"' '"severity":"low"'
    caught "$name: another severity" severity.tar '^contradicted .*: severity$'
    "$liar" "$out/$name.tar" "$out/observed.tar" edit ' IN RRSIG ' ' IN RRSIG MX '
    caught "$name: other records" observed.tar '^contradicted .* rrsig-expired .*: (observed|expected|summary)$'
}
lies part
lies whole --include-source

# What is left out, or made up, shows where all the traffic is.
id=$(jq -r 'select(.rule == "rrsig-expired") | .id' "$out/whole/state/findings.jsonl" | head -n 1)
"$liar" "$out/whole.tar" "$out/dropped.tar" drop "$id"
caught "a finding left out" dropped.tar "^not sealed +$id  rrsig-expired "
"$liar" "$out/whole.tar" "$out/made-up.tar" repeat "$id" 0123456789abcdef
caught "a finding made up" made-up.tar '^contradicted +0123456789abcdef  rrsig-expired '
"$liar" "$out/whole.tar" "$out/twice.tar" repeat "$id" "$id"
verdicts twice.tar
is "a finding told twice" "$status" 1
"$liar" "$out/part.tar" "$out/made-up.tar" repeat "$id" 0123456789abcdef
caught "a finding made up of cited frames" made-up.tar '^contradicted +0123456789abcdef  rrsig-expired '
"$liar" "$out/part.tar" "$out/dropped.tar" drop "$id"
verdicts dropped.tar
has "a finding left out shows in an extract, too" "$line" '^WARN .* 1 follow that were not sealed'

# --- several sources, in their order; a filter; damage; names ---

several() { # WHAT PATTERN OPTION…
    local what=$1 pattern=$2
    shift 2
    rm -rf "$out/several" "$out/several.tar"
    "$run" replay -q --include-source --trust-anchor expired.anchor --baseline zones -l "$out/several" \
        -o "$out/several.tar" "$@" >/dev/null 2>&1
    verdicts several.tar
    has "$what" "$line" "$pattern"
}
whole='^PASS .* follows? again, word for word, from the whole capture$'
mkdir "$out/folder"
cp expired.pcap "$out/folder/a.pcap" # the younger one first by name
cp rogue-zsk-stolen-ksk.pcap "$out/folder/b.pcap"
cp tunnel-gre.pcap "$out/folder/c (1) it's.pcap"
echo "no capture" >"$out/folder/notes.txt"
several "sources as they were listed" "$whole" -r rogue-zsk-stolen-ksk.pcap -r expired.pcap
several "sources the other way round" "$whole" -r expired.pcap -r rogue-zsk-stolen-ksk.pcap
several "a folder in order of time" "$whole" -R "$out/folder"
several "both" "$whole" -r tunnel-gre.pcap -R "$out/folder"
several "an odd name, in a finding about the tap" "$whole" -r "$out/folder/c (1) it's.pcap"
several "a filter" "$whole" -r expired.pcap 'udp port 53 and not host 192.0.2.1'
several "a filter that names a host is not run" '^(PASS|WARN) .* from the frames that they cite' \
    -r expired.pcap 'udp port domain'
head -c $(($(stat -c %s expired.pcap) - 50)) expired.pcap >"$out/cut.pcap"
several "a damaged capture" "$whole" -r "$out/cut.pcap"

tally
