# shellcheck shell=bash
# tally.sh: what the suites of shell tests share; sourced. A folder $out that goes when they end, comparisons that count,
# and the last line, "N passed, N failed".
export LC_ALL=C
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0
failed=0

# is WHAT GOT EXPECTED
is() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $1: got \"$2\", expected \"$3\""
        failed=$((failed + 1))
    fi
}

# has WHAT TEXT PATTERN: an extended regular expression in the text
has() {
    if grep -qE -- "$3" <<<"$2"; then
        passed=$((passed + 1))
    else
        echo "FAIL $1: no \"$3\" in \"${2:0:600}\""
        failed=$((failed + 1))
    fi
}

tally() { # at the end
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
