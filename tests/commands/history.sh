#!/bin/bash
# history.sh: what is kept of every run in state/history.sqlite, as the sqlite3 shell and the command
# show it: after a run, while it lasts, out of a bundle, and when it is damaged.
#
#   tests/commands/history.sh BUILD           the last line is "N passed, N failed"
set -uo pipefail
build=$(realpath "$1")
. "$(dirname "$0")/../tally.sh"
cases=$(realpath "$(dirname "$0")/../scenarios")
cd "$out" || exit 1
run=$build/dnsbailiff
anchor=$cases/expired.anchor
cp "$cases/expired.pcap" good.pcap

sql() { sqlite3 -readonly "$1/state/history.sqlite" "$2"; }
asks() { "$run" history "$@" 2>said; }
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l past -o past.tar
is "whole, and one plain file" "$(sql past 'PRAGMA quick_check; PRAGMA journal_mode; PRAGMA user_version;
    SELECT kind, ended FROM run' | tr '\n' ' ')$(find past/state -name 'history*' -printf '%f')" \
    "ok delete 1 replay|1 history.sqlite"
keys=$(sql past 'SELECT count(*) FROM key')
is "keys" "$((keys > 0))" 1
is "every response with data counts" "$(sql past "SELECT sum(count) > 0 AND count(*) = sum((SELECT sum(count) FROM
    rrset_server WHERE rrset = rrset.id) = count) FROM rrset")" 1
is "no byte that a terminal obeys" "$(sql past "SELECT count(*) FROM rrset WHERE rdata || owner GLOB
    '*[^ -~' || char(10) || ']*'")" 0
is "the log has its hash" "$(grep -c "$(sha256sum <past/state/history.sqlite | cut -d' ' -f1)" past/log/log.jsonl)" 1
asks past.tar --only keys --csv >bundle.csv
is "of a bundle" "$? $(wc -l <bundle.csv)" "0 $((keys + 1))"
is "the same from the folder" "$(asks -l past --only keys --csv | diff bundle.csv -)" ""
is "as JSON" "$(asks past.tar --json | jq '[(.rrsets | length), ([.rrsets[].count] | add)] | @csv')" \
    "$(sql past "SELECT '\"' || count(*) || ',' || sum(count) || '\"' FROM rrset")"
is "by type" "$(asks -l past --json --type dnskey | jq '[.rrsets[].type] | unique | .[]')" '"DNSKEY"'
is "of one zone" "$(asks -l past --json --zone test | jq '[.rrsets[].owner | endswith("test.")] | unique | .[]')" true
is "not in the year before" "$(asks -l past --json --until 2020-01-01 | jq '.rrsets | length')" 0
for wrong in '--type nonsense' '--zone a..b' '--since yesterday' '--only all' '--json --csv' ''; do
    # shellcheck disable=SC2086 # options
    "$run" history ${wrong:+-l past} $wrong >/dev/null 2>said
    is "history $wrong: exit status" "$?" 2
done

# A run goes on from a copy of the last one, which stays as it was sealed.
before=$(sql past "SELECT sum(count) FROM rrset")
sealed=$(sha256sum <past/state/history.sqlite)
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l past
is "goes on" "$(sql past "SELECT sum(count), (SELECT count(*) FROM run) FROM rrset")" "$((2 * before))|2"
is "the one before is as it was" "$(sha256sum <past/state-0001/history.sqlite)" "$sealed"
"$run" pack -q -l past -o a.tar
"$run" pack -q -l past -o b.tar
"$run" verify a.tar >/dev/null
is "the bundle verifies" "$?" 3
is "packed twice, the same" "$(tar xOf a.tar --wildcards '*/tagmanifest-sha512.txt' | sha256sum)" \
    "$(tar xOf b.tar --wildcards '*/tagmanifest-sha512.txt' | sha256sum)"
sqlite3 past/state/history.sqlite "UPDATE rrset SET count = count + 1 WHERE id = 1"
"$run" pack -q -l past -o c.tar
"$run" verify c.tar >said
is "changed after the run" "$? $(grep -c '^FAIL.*history.sqlite is not the file' said)" "1 1"
is "of such a bundle" "$(asks c.tar; echo "$? $(grep -c 'not sound' said)")" "1 1"
printf 'no database' >past/state/history.sqlite
is "of no database" "$(asks -l past; echo "$? $(grep -c 'not a database' said)")" "1 1"
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l past 2>said
is "a damaged one is not continued" "$? $(grep -c 'not continued, a new one begins' said)$(sql past 'SELECT count(*)
    FROM run')" "0 11"
"$run" replay -q -r good.pcap -l none --set history=false
is "switched off" "$? $(find none -name 'history*')$(asks -l none; echo $? && grep -c 'no history was kept' said)" "0 1
1"
"$run" replay -q -r good.pcap -l small --set history-bytes=1MiB
is "within its size" "$?" 0

# Others read it while it is written, also in the middle of a query.
/usr/bin/python3 - good.pcap <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
order = "<" if data[0] in (0xd4, 0x4d) else ">"
frames, at = [], 24
while at < len(data):
    seconds, part, kept, size = struct.unpack(order + "IIII", data[at:at + 16])
    frames.append((seconds, part, kept, size, data[at + 16:at + 16 + kept]))
    at += 16 + kept
rounds = 3 * 2048 // len(frames) + 1
with open("long.pcap", "wb") as out:
    out.write(data[:24])
    for i in range(rounds):
        for seconds, part, kept, size, frame in frames:
            out.write(struct.pack(order + "IIII", seconds + 60 * i, part, kept, size) + frame)
PYTHON
mkfifo feed busy
"$run" replay -q -r - --trust-anchor "$anchor" -l while <feed &
replay=$!
exec 3>feed
head -c -100 long.pcap >&3
for ((i = 0; i < 100; i++)); do
    [ "$(sql while 'SELECT count(*) > 0 FROM rrset' 2>/dev/null)" = 1 ] && break
    sleep 0.1
done
is "read while it is written" "$(sql while 'SELECT count(*) > 0, (SELECT ended FROM run) FROM rrset')" "1|0"
is "listed while it is written" "$(asks -l while --json | jq '[(.rrsets | length > 0), .runs[0].ended] | @csv')" \
    '"true,false"'
is "the journal is there" "$(find while/state -name 'history.sqlite-*' | wc -l)" 2
sqlite3 -readonly while/state/history.sqlite <busy >answer &
reader=$!
exec 4>busy
echo "BEGIN; SELECT count(*) FROM rrset;" >&4
tail -c 100 long.pcap >&3
exec 3>&-
sleep 1
echo "SELECT (SELECT ended FROM run); COMMIT;" >&4
exec 4>&-
wait $reader
is "a reader sees one state" "$(tail -n 1 answer)" 0
wait $replay
is "and is waited for" "$? $(sql while 'SELECT ended FROM run; PRAGMA journal_mode' | tr '\n' ' ')" "0 1 delete "

tally
