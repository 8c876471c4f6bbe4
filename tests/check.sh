#!/bin/bash
# check.sh: runs the suites of `make check` one after the other and counts.
#
#   tests/check.sh BUILD SUITE…        each suite is a make target
#
# A suite ends with a line "N passed, N failed" or "N passed, N failed, N skipped"; one that does not
# counts as one test. A non-zero exit status is a failure whatever the line says. The whole output
# of a suite is in BUILD/check/SUITE.log and is shown when it fails. The last line is the sum.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=$1
shift
logs=$build/check
mkdir -p "$logs"

export PYTHONDONTWRITEBYTECODE=1

total_passed=0
total_failed=0
total_skipped=0
broken=()

for suite in "$@"; do
    log=$logs/$suite.log
    began=$SECONDS
    status=0
    "${MAKE:-make}" --no-print-directory "$suite" >"$log" 2>&1 </dev/null || status=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
    if [ -n "$line" ]; then
        read -r passed _ failed _ skipped _ <<<"$line"
        skipped=${skipped:-0}
    else
        passed=$((status == 0))
        failed=0
        skipped=0
    fi
    if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
    fi
    # A suite that counted failures and still exits 0 must not pass.
    if [ "$failed" -ne 0 ]; then
        broken+=("$suite")
        echo "----- $suite failed (exit status $status), the end of $log:"
        tail -n 60 "$log"
        echo "-----"
    fi
    grep -E '^SKIP' "$log" | sed 's/^/  /'
    printf '  %-14s %6d passed %4d failed %4d skipped %5d s\n' "$suite" "$passed" "$failed" \
        "$skipped" "$((SECONDS - began))"
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    total_skipped=$((total_skipped + skipped))
done

if [ "$total_skipped" -gt 0 ]; then
    echo "skipped: $total_skipped"
fi
if [ ${#broken[@]} -gt 0 ]; then
    echo "failed: ${broken[*]}"
fi
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ]
