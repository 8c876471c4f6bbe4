#!/bin/bash
# Runs the lab tests: tests/lab/run.sh [BUILD] [NN…]. Each NN-name.sh gets the build folder, prints "ok - what"
# or "not ok - what" for each check, and exits 0, 1, or 77 after "SKIP: reason".
HERE=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${1:-$HERE/../../build}" && pwd) || exit 2
shift
passed=0 failed=0 skipped=0
for test in "$HERE"/[0-9][0-9]-*.sh; do
	name=$(basename "$test" .sh)
	[ $# -eq 0 ] || [[ " $* " == *" ${name%%-*} "* ]] || continue
	echo "== $name"
	output=$(mktemp)
	bash "$test" "$BUILD" >"$output" 2>&1
	status=$?
	cat "$output"
	if [ $status = 77 ]; then
		skipped=$((skipped + 1))
	else
		good=$(grep -c '^ok ' "$output") bad=$(grep -c '^not ok ' "$output")
		[ $status != 0 ] && [ "$bad" = 0 ] && bad=1
		passed=$((passed + good)) failed=$((failed + bad))
	fi
	rm -f "$output"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
