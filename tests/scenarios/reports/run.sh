#!/bin/bash
# The reports of recorded situations against the ones kept here, from folder and from bundle:
#   tests/scenarios/reports/run.sh [BUILD]            compares
#   tests/scenarios/reports/run.sh --write [BUILD]    writes them anew
HERE=$(cd "$(dirname "$0")" && pwd)
WRITE=
[ "${1:-}" = --write ] && WRITE=1 && shift
PROGRAM=$(cd "${1:-$HERE/../../../build}" && pwd)/dnsbailiff
SCENARIOS=$(dirname "$HERE")
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
cd "$TMP" || exit 1 # reports name their source as it was given
passed=0 failed=0

verdict() { # name, 0 if good
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
	else
		echo "FAIL reports: $1"
		failed=$((failed + 1))
	fi
}

for name in rogue-zsk-stolen-ksk records-changed-stolen-zsk hijack-ds-replaced unknown-signing-key \
	move-to-sha1 expired normal; do
	"$PROGRAM" replay -q -r "$SCENARIOS/$name.pcap" --trust-anchor "$SCENARIOS/$name.anchor" \
		--baseline "$SCENARIOS/zones" -l "$name" -o "$name.tar" 2>err
	verdict "$name is replayed" $?
	for report in inventory timeline scope; do
		"$PROGRAM" $report -l "$name" >out 2>&1
		status=$?
		[ -n "$WRITE" ] && cp out "$HERE/$name.$report.txt"
		diff -u "$HERE/$name.$report.txt" out && [ $status = 0 ]
		verdict "$report of $name" $?
		"$PROGRAM" $report "$name.tar" >sealed 2>&1 &&
			diff <(sed '1,/^$/d' out) <(sed '1,/^$/d' sealed)
		verdict "$report of $name is the same from the bundle" $?
		"$PROGRAM" $report --json "$name.tar" 2>&1 | jq -e '.source.standing and .run.frames' >/dev/null
		verdict "$report of $name as JSON" $?
		! LC_ALL=C grep -qP '[^\x20-\x7e]' out && ! grep -vE '[^ ]{60}' out | grep -qE '.{101}'
		verdict "$report of $name is printable and narrow" $?
	done
	for report in inventory timeline; do
		"$PROGRAM" $report --csv -l "$name" >out 2>&1
		"${PYTHON:-/usr/bin/python3}" -c '
import csv, sys
rows = list(csv.reader(open("out", newline="")))
assert len(rows) > 1 and all(len(r) == len(rows[0]) for r in rows), rows'
		verdict "$report of $name as CSV" $?
	done
done

# Which case it is, and which keys.
told() { # scenario, jq expression that must be true
	"$PROGRAM" scope --json "$1.tar" | jq -e ".zones | $2" >/dev/null
	verdict "scope of $1: $2" $?
}
told rogue-zsk-stolen-ksk 'map(.case) == ["ksk"] and (.[0].suspects | map(.tag) | sort) == [8700, 32373]'
told rogue-zsk-stolen-ksk '.[0].deadline == "2026-12-22T09:15:34Z"'
told records-changed-stolen-zsk 'map(.case) == ["zsk"] and (.[0].suspects | map(.tag)) == [8185]'
told records-changed-stolen-zsk '.[0].changes[0].received_by.receivers | map(.address) == ["10.53.0.100", "10.54.0.10"]'
told hijack-ds-replaced 'map(.case) == ["parent"] and (.[0].suspects | map(.declared) | any | not)'
told unknown-signing-key 'map(.case) == ["foreign-signatures"] and .[0].deadline == null'
told move-to-sha1 'map(.case) == ["algorithm"]'
told expired '. == []'
told normal '. == []'


# Situations of which the case and the deadline alone are told.
scoped() { # scenario, its baseline
	"$PROGRAM" replay -q -r "$SCENARIOS/$1.pcap" --trust-anchor "$SCENARIOS/$1.anchor" \
		--baseline "$SCENARIOS/$2" -l "$1" -o "$1.tar" 2>err
	verdict "$1 is replayed" $?
}
scoped caa-removed-stolen-zsk zones-changed
told caa-removed-stolen-zsk 'map(.case) == ["zsk"] and (.[0].suspects | map(.tag)) == [42745]'
told caa-removed-stolen-zsk '.[0].suspects[0].reasons[0] | test("denial of gov.test. CAA")'
scoped hijack-signed-ten-years zones-changed
told hijack-signed-ten-years 'map(.case) == ["parent"] and .[0].deadline_bound == "ds"'
told hijack-signed-ten-years '.[0].deadline == "2026-12-20T15:02:42Z"'
told hijack-signed-ten-years '.[0].changes | map(select(.rrname == "ns1.ed.test.")) |
	length == 1 and .[0].received_by.receivers[0].address == "10.53.0.53"'
scoped recorded-behind-caches zones-undone
told recorded-behind-caches 'map(.case) == ["zsk"] and .[0].deadline == "2026-12-13T18:55:45Z"'
told recorded-behind-caches '.[0].suspects | map([.tag, .declared, .first_seen]) == [[5704, true, null]]'
scoped hijack-ds-kept zones
told hijack-ds-kept 'map(.case) == ["parent"] and .[0].deadline == null and .[0].deadline_bound == "never"'
scoped delegation-drifted zones-servers
told delegation-drifted 'map(.case) == ["parent"] and .[0].suspects == []'
scoped resolvers-forged-ad zones-resolvers
told resolvers-forged-ad 'map(.case) == ["data-only"] and .[0].suspects == []'
scoped rolls-sound-unplanned zones-rolls-unplanned
told rolls-sound-unplanned 'map({(.zone): .case}) | add | ."ksk-double-ds.test." == "ksk" and ."csk.test." == "both"'
told rolls-sound-unplanned 'map({(.zone): .case}) | add | ."zsk-prepublish.test." == "ksk" and ."algorithm.test." == "algorithm"'

# The log names the inventory, and a bundle that is not sound is refused.
grep -q '"file":"findings/inventory.jsonl"' normal/log/log.jsonl
verdict "the inventory is logged" $?
printf X | dd of=normal.tar bs=1 seek=20000 conv=notrunc status=none
"$PROGRAM" inventory normal.tar >out 2>err
[ $? = 1 ] && [ ! -s out ] && grep -q 'not sound' err
verdict "a bundle that is not sound is refused" $?

refused() { # name, exit status, text, arguments
	local name=$1 status=$2 text=$3
	shift 3
	"$PROGRAM" "$@" >out 2>err
	[ $? = "$status" ] && [ ! -s out ] && grep -q "$text" err
	verdict "$name" $?
}
refused "no folder" 2 'No such file' inventory -l nowhere
refused "neither folder nor bundle" 2 usage timeline
refused "both" 2 usage timeline -l normal normal.tar
refused "two forms" 2 usage timeline --json --csv -l normal
refused "scope is no table" 2 usage scope --csv -l normal
rm normal/state/inventory.jsonl
refused "a run that recorded none" 1 'no inventory' inventory -l normal

# Lines that are no JSON, and hostile text, are survived and shown harmless.
printf '{"record":"zone","zone":"\\u001b[31mred.","trust":"secure","observed":true}\n{]\n{"record":7}\n' \
	>normal/state/inventory.jsonl
"$PROGRAM" inventory -l normal >out 2>err &&
	grep -q '2 recorded lines' out && ! grep -q $'\033' out
verdict "what cannot be read is counted, what would colour the terminal is not obeyed" $?

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
