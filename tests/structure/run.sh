#!/bin/bash
# run.sh: all structure checks; the last line is "N passed, N failed".
#
#   tests/structure/run.sh BUILD
set -uo pipefail
build=${1:-build}
here=$(dirname "$0")
passed=0
failed=0
for part in "$here/includes.sh" "$here/symbols.sh $build" "$here/selftest.sh $build" \
    "$here/manual.sh $build"; do
    echo "== $part"
    status=0
    # shellcheck disable=SC2086 # command and its argument
    output=$($part 2>&1) || status=$?
    head -n -1 <<<"$output"
    read -r good _ bad _ < <(tail -n 1 <<<"$output" | grep -E '^[0-9]+ passed, [0-9]+ failed') ||
        { tail -n 1 <<<"$output"; good=0 bad=1; }
    [ "$status" -eq 0 ] || [ "$bad" -ne 0 ] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
