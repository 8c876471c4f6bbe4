#!/bin/bash
# A lookup seen through a mirror port is in a sealed segment, has its verdict, and the bundle verifies.
. "$(dirname "$0")/lib.sh"
BUILD=$1
bad=0
check() { # check WHAT command…
	local what=$1
	shift
	if "$@" >"$LAB_DIR/check.log" 2>&1; then
		echo "ok - $what"
	else
		echo "not ok - $what"
		sed 's/^/    /' "$LAB_DIR/check.log" | tail -n 20
		bad=1
	fi
}

lab_up
lab_need tshark sqlite3
EVIDENCE=$LAB_DIR/evidence
TREE=$LAB_DIR/work/truncated-then-tcp # the sound zones
/usr/bin/python3 "$LAB_HERE/../scenarios/situations.py" "$LAB_DIR/work" build truncated-then-tcp || exit 1
lab_start "$TREE" "$TREE/anchor" || exit 1
check "an identity is made" "$BUILD/dnsbailiff" keygen "$LAB_DIR/identity"

# --- record
lab_run sen bailiff "$BUILD/dnsbailiff" capture -i eth0 -l "$EVIDENCE" --trust-anchor "$TREE/anchor" \
	--identity "$LAB_DIR/identity" --quiet
pid=${LAB_PID[bailiff]}
recording() { grep -q '"type":"open"' "$EVIDENCE/log/log.jsonl" 2>/dev/null; }
for ((i = 0; i < 100; i++)); do
	recording && break
	sleep 0.1
done
check "recording has begun" recording
sleep 0.3
lab_dig www.bank.test A >"$LAB_DIR/answer"
lab_dig nx.gov.test A >>"$LAB_DIR/answer"
lab_dig big.test DNSKEY +tcp >>"$LAB_DIR/answer"
check "the resolver validated the answers" test "$(grep -c 'flags:.* ad' "$LAB_DIR/answer")" = 3
past() { sqlite3 -readonly "$EVIDENCE/state/history.sqlite" "$1"; }
remembers() { test "$(past "SELECT count(*) FROM rrset WHERE owner='www.bank.test.' AND type='A'")" = 1; }
for ((i = 0; i < 50; i++)); do
	remembers 2>/dev/null && break
	sleep 0.1
done
check "the history is read with the sqlite3 shell while the sensor runs" remembers
check "and with the command" bash -c '"$1" history -l "$2" --name www.bank.test | grep -q "^www.bank.test. A"' - \
	"$BUILD/dnsbailiff" "$EVIDENCE"
sleep 0.5
kill -TERM "$pid"
wait "$pid"
check "TERM seals and exits 0 (status $?)" test $? = 0
unset "LAB_PID[bailiff]"
[ -s "$LAB_DIR/bailiff.log" ] && sed 's/^/    /' "$LAB_DIR/bailiff.log"

# --- look
# The second server may have been told with the first or, as every change, with the next statistics or the end.
check "the history has both servers of the answer: its authority's and the resolver" \
	test "$(past "SELECT count(DISTINCT address) FROM rrset r JOIN rrset_server ON rrset=r.id JOIN server v
		ON server=v.id WHERE owner='www.bank.test.' AND type='A' AND address IN ('10.54.0.1','10.53.0.3','10.53.0.4')")" = 2
check "no unsealed segment is left" test -z "$(find "$EVIDENCE/segments" -name '*.part*')"
frames() { # frames FILTER: frames of all segments that tshark finds
	find "$EVIDENCE/segments" -name '*.pcapng' -print0 | sort -z |
		xargs -0 -n 1 -I{} tshark -r {} -Y "$1" 2>/dev/null | wc -l
}
[ "$bad" = 0 ] || exit 1
check "the client's question and its answer are sealed" test "$(frames 'dns.qry.name == "www.bank.test" && ip.addr == 10.54.0.10')" -ge 2
check "the resolver's question and its answer are sealed" test "$(frames 'dns.qry.name == "www.bank.test" && ip.src == 10.53.0.100')" -ge 1
check "the answer over TCP is sealed" test "$(frames 'tcp && dns.qry.name == "big.test" && dns.flags.response == 1')" -ge 1
check "the log names each segment with its hash" bash -c '
	cd "$1" || exit 1
	for file in segments/*.pcapng; do
		grep -q "$(sha256sum "$file" | cut -d" " -f1)" log/log.jsonl || { echo "$file"; exit 1; }
	done' - "$EVIDENCE"
verdict() { # verdict NAME TYPE: the last one, with the segment and the packet it is sealed in
	/usr/bin/python3 - "$EVIDENCE" "$1" "$2" <<'PYTHON'
import json, os, sys
folder, name, kind = sys.argv[1:]
last = None
for line in open(os.path.join(folder, "eve.json")):
    event = json.loads(line)
    if event["event_type"] == "dnssec" and (event["dns"]["rrname"], event["dns"]["rrtype"]) == (name, kind):
        if event["dnssec"]["reason"] not in ("error-response", "referral", "truncated"):
            last = event
if not last:
    sys.exit("no verdict")
print(json.dumps(last))
if last["dnssec"]["verdict"] != "secure":
    sys.exit("not secure")
segment = last["segment"]
path = os.path.join(folder, segment) if os.sep in segment else os.path.join(folder, "segments", segment)
if not os.path.exists(path):
    sys.exit(f"{path} is not there")
int(last["packet_id"])
PYTHON
}
check "www.bank.test. A is secure, and its frame can be cited" verdict www.bank.test. A
check "nx.gov.test. A is proven not to exist" verdict nx.gov.test. A
check "big.test. DNSKEY is secure, over TCP" verdict big.test. DNSKEY

# --- the process of the history is killed
lab_run sen again "$BUILD/dnsbailiff" capture -i eth0 -l "$EVIDENCE.2" --trust-anchor "$TREE/anchor" \
	--identity "$LAB_DIR/identity" --quiet
pid=${LAB_PID[again]}
for ((i = 0; i < 100; i++)); do
	[ -s "$EVIDENCE.2/state/history.sqlite-wal" ] && break
	sleep 0.1
done
historian=$(for child in $(ps -o pid= --ppid "$pid"); do
	[ "$(tr '\0' ' ' <"/proc/$child/cmdline")" = "dnsbailiff-history " ] && echo "$child"
done)
check "the history has a process of its own" test -n "$historian"
sleep 0.3
kill -KILL "$historian"
sleep 0.3
lab_dig late.bank.test A >/dev/null
sleep 0.5
check "the capture goes on without it" kill -0 "$pid"
kill -TERM "$pid"
wait "$pid"
check "and is sealed: exit status $?" test $? = 0
unset "LAB_PID[again]"
check "the operator was told" grep -q 'the capture goes on without its history' "$LAB_DIR/again.log"
check "and a finding says so" test "$(jq -r 'select(.rule == "sensor-storage") | .severity' "$EVIDENCE.2/state/findings.jsonl" | tail -n 1)" = medium
check "what it wrote is kept, unsealed" bash -c '! grep -q history.sqlite "$1/log/log.jsonl" &&
	test "$(sqlite3 -readonly "$1/state/history.sqlite" "PRAGMA quick_check")" = ok' - "$EVIDENCE.2"
check "the rest packs" "$BUILD/dnsbailiff" pack -l "$EVIDENCE.2" -o "$LAB_DIR/second.tar" --identity "$LAB_DIR/identity" --quiet
check "and verifies" "$BUILD/dnsbailiff" verify "$LAB_DIR/second.tar" --ca "$LAB_DIR/identity/ca.pem"

# --- pack and verify
check "the evidence packs" "$BUILD/dnsbailiff" pack -l "$EVIDENCE" -o "$LAB_DIR/bundle.tar" --identity "$LAB_DIR/identity" --quiet
ca=$(find "$LAB_DIR/identity" -name 'ca*.pem' | head -n 1)
check "the bundle verifies" "$BUILD/dnsbailiff" verify "$LAB_DIR/bundle.tar" --ca "$ca"
check "its findings follow again from its segments" bash -c '"$1" verify "$2" | grep -qE "^PASS +verdicts .* from the segments"' \
	- "$BUILD/dnsbailiff" "$LAB_DIR/bundle.tar"
/usr/bin/python3 - "$LAB_DIR/bundle.tar" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as f:  # one bit, in the middle of the first segment's data
    data = f.read()
    at = data.index(b"bank\x04test")
    f.seek(at)
    f.write(bytes([data[at] ^ 1]))
PYTHON
verified=$bad
refused() { [ "$verified" = 0 ] && ! "$BUILD/dnsbailiff" verify "$LAB_DIR/bundle.tar" --ca "$ca"; }
check "one flipped bit of a sealed packet is refused" refused
exit $bad
