#!/bin/bash
# tamper.sh BUILD: the exhaustive tamper test, on bundles that forge_case makes (every key known to the
# attacker) and on one that the real programs make. Last line: "N passed, N failed".
set -uo pipefail
build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
programs=$build/libexec/dnsbailiff
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0
failed=0

# count COMMAND…: runs a campaign, shows it, adds its tally.
count() {
    local status=0 line
    "$@" >out 2>&1 || status=$?
    cat out
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' out | tail -n 1)
    if [ -n "$line" ]; then
        read -r good _ bad _ <<<"$line"
        passed=$((passed + good))
        failed=$((failed + bad))
    fi
    if [ $status -ne 0 ] && [ "${bad:-0}" -eq 0 ]; then
        failed=$((failed + 1))
    fi
}

count "$build/tests/tamper"

# A capture of two frames, two findings, epochs of a few records: small, so that every bit can be tried.
{
    printf '\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0'
    for i in 1 2; do
        printf "\\x0$i\\0\\0\\0\\0\\0\\0\\0\\x3c\\0\\0\\0\\x3c\\0\\0\\0"
        head -c 60 /dev/zero
    done
} >frames.pcap
if "$programs/keygen" id >out 2>&1 &&
    "$build/tests/make_evidence" "$programs" ev real.tar -r frames.pcap -i id -n 2 -e 4 >out 2>&1; then
    count "$build/tests/tamper" real.tar id
else
    cat out
    echo "no bundle could be made"
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
