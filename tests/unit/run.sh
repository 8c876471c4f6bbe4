#!/bin/bash
# run.sh: runs cmocka programs and sums what they report; the last line is "N passed, N failed".
#
#   tests/unit/run.sh PROGRAM…
#
# A program that dies before it reports counts as one failure, however many of its tests passed.
set -uo pipefail

output=$(mktemp)
trap 'rm -f "$output"' EXIT

# sum WORD: cmocka says, per group, "[  PASSED  ] 3 test(s)." and
# "[  FAILED  ] tests: 1 test(s), listed below:".
sum() {
    sed -nE 's/^\[  '"$1"'  \].*[^0-9]([0-9]+) test\(s\).*/\1/p' "$output" |
        awk '{ n += $1 } END { print n + 0 }'
}

passed=0
failed=0
for program in "$@"; do
    status=0
    timeout 300 "$program" >"$output" 2>&1 </dev/null || status=$?
    good=$(sum PASSED)
    bad=$(sum FAILED)
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    fi
    # A program that ran nothing proves nothing.
    if [ "$good" -eq 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
        echo "$program: reported no test" >>"$output"
    fi
    if [ "$bad" -ne 0 ]; then
        echo "== $program: exit status $status"
        cat "$output"
    fi
    printf '%-24s %4d passed %3d failed\n' "${program##*/}" "$good" "$bad"
    passed=$((passed + good))
    failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
