#!/bin/bash
# Explanations of recorded situations against the ones kept here, and what cannot be explained:
#   tests/scenarios/explain/run.sh [BUILD]            compares
#   tests/scenarios/explain/run.sh --write [BUILD]    writes them anew
HERE=$(cd "$(dirname "$0")" && pwd)
WRITE=
[ "${1:-}" = --write ] && WRITE=1 && shift
PROGRAM=$(cd "${1:-$HERE/../../../build}" && pwd)/dnsbailiff
SCENARIOS=$(dirname "$HERE")
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
passed=0 failed=0

verdict() { # name, 0 if good
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
	else
		echo "FAIL explain: $1"
		failed=$((failed + 1))
	fi
}

# <kept text> <capture> <question>
while read -r name capture question; do
	"$PROGRAM" explain -r "$SCENARIOS/$capture.pcap" --trust-anchor "$SCENARIOS/$capture.anchor" \
		"$question" >"$TMP/out" 2>"$TMP/err" || echo "exit status $?" >>"$TMP/out"
	cat "$TMP/err" >>"$TMP/out"
	[ -n "$WRITE" ] && cp "$TMP/out" "$HERE/$name.txt"
	diff -u "$HERE/$name.txt" "$TMP/out"
	verdict "$name" $?
done <"$HERE/cases"

# From an evidence folder: the same text while the source is there; the extract when it is gone; from
# the bundle as well; JSON says the same verdict.
cp "$SCENARIOS/expired.pcap" "$SCENARIOS/expired.anchor" "$TMP/"
ask=www.example.test/A
"$PROGRAM" replay -q -r "$TMP/expired.pcap" --trust-anchor "$TMP/expired.anchor" -l "$TMP/evidence" \
	-o "$TMP/b.tar" 2>"$TMP/err"
"$PROGRAM" explain -l "$TMP/evidence" $ask >"$TMP/folder" 2>>"$TMP/err"
diff "$HERE/expired.txt" "$TMP/folder"
verdict "an evidence folder says what its source says" $?
"$PROGRAM" explain -l "$TMP/evidence" --json $ask 2>>"$TMP/err" | "${PYTHON:-/usr/bin/python3}" -c '
import json, sys
d = json.load(sys.stdin)
assert d["verdict"] == "bogus" and d["reason"] == "signature-expired" and d["ede"] == 7
assert any(s["status"] == "fail" and s["check"] == "signature" for s in d["steps"])
assert all(set(s) == {"in", "check", "status", "text", "frames"} for s in d["steps"])'
verdict "JSON" $?
echo x >>"$TMP/expired.pcap" # one byte more: not what was replayed
"$PROGRAM" explain -l "$TMP/evidence" $ask >"$TMP/out" 2>"$TMP/err"
grep -q 'extract.pcapng' "$TMP/err" && grep -q '^verdict: bogus: the signature had expired' "$TMP/out"
verdict "the extract stands in for a source that changed" $?
"$PROGRAM" explain "$TMP/b.tar" $ask >"$TMP/out" 2>"$TMP/err" &&
	grep -q '^verdict: bogus: the signature had expired' "$TMP/out"
verdict "a bundle explains itself" $?
printf X | dd of="$TMP/b.tar" bs=1 seek=20000 conv=notrunc status=none
"$PROGRAM" explain "$TMP/b.tar" $ask >"$TMP/out" 2>"$TMP/err"
[ $? = 1 ] && [ ! -s "$TMP/out" ]
verdict "a bundle that is not sound is refused" $?

refused() { # name, exit status, text, arguments
	local name=$1 status=$2 text=$3
	shift 3
	"$PROGRAM" explain "$@" >"$TMP/out" 2>"$TMP/err"
	[ $? = "$status" ] && [ ! -s "$TMP/out" ] && grep -q "$text" "$TMP/err"
	verdict "$name" $?
}
with=(-r "$SCENARIOS/normal.pcap" --trust-anchor "$SCENARIOS/normal.anchor")
refused "an unknown frame names the nearest" 1 'nearest: .* in frame' "${with[@]}" 99999
refused "an unknown name names the nearest" 1 'nearest: bank.test./' "${with[@]}" ftp.bank.test/A
refused "neither frame nor name" 2 'neither a frame number' "${with[@]}" www
refused "no type" 2 'NAME/TYPE' "${with[@]}" www/NOTYPE
refused "no question" 2 'usage' -l "$TMP/evidence"
refused "no folder" 2 'No such file' -l "$TMP/nowhere" 1

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
