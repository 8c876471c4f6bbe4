#!/bin/bash
# run.sh: replays corpus and regress of each fuzz target; the last line is "N passed, N failed".
#
#   tests/fuzz/run.sh BUILD TARGET…
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1
shift
passed=0
failed=0
for name in "$@"; do
    folders=()
    for kind in corpus regress; do
        [ -d "tests/fuzz/$kind/$name" ] && folders+=("tests/fuzz/$kind/$name")
    done
    if line=$(timeout 300 "$build/fuzz/$name" "${folders[@]}" 2>"$build/fuzz/$name.log" | tail -n 1) &&
        [[ $line =~ ^([0-9]+)\ passed ]]; then
        passed=$((passed + BASH_REMATCH[1]))
    else
        failed=$((failed + 1))
        echo "fuzz target $name failed on:"
        tail -n 20 "$build/fuzz/$name.log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
