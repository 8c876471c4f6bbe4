#!/bin/bash
# proof.sh: the proofs in the findings of the scenarios with a stolen key hold by themselves, and stop
# holding when one byte of them is altered (proof.py).
#
#   tests/judges/proof.sh PROGRAM           the last line is "N passed, N failed"
set -uo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-/usr/bin/python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0

check() { # check TEXT STATUS-WANTED COMMAND…
    local text=$1 wanted=$2 status=0
    shift 2
    "$@" >"$scratch/said" 2>&1 || status=$?
    if [ "$status" = "$wanted" ]; then
        passed=$((passed + 1))
        echo "ok   $text"
    else
        failed=$((failed + 1))
        echo "FAIL $text (exit status $status)"
        cat "$scratch/said"
    fi
}

for capture in "$here"/../scenarios/stolen-zsk-*.pcap; do
    name=$(basename "$capture" .pcap)
    [ "$name" != stolen-zsk-baseline ] || continue # held against a zone file: no second truth, no proof of two
    anchor=${capture%.pcap}.anchor
    "$program" replay -r "$capture" --trust-anchor "$anchor" -l "$scratch/$name" >/dev/null 2>&1
    findings=$scratch/$name/state/findings.jsonl
    check "$name: each proof holds" 0 "$PYTHON" "$here/proof.py" "$findings" "$anchor"
    sed 's/203\.0\.113\.66/203.0.113.67/g' "$findings" >"$scratch/altered"
    check "$name: altered data does not verify" 1 "$PYTHON" "$here/proof.py" "$scratch/altered" "$anchor"
    check "$name: no other anchor vouches" 1 "$PYTHON" "$here/proof.py" "$findings" "$here/../scenarios/normal.anchor"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
