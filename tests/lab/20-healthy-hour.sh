#!/bin/bash
# Healthy mixed traffic, recorded at the mirror port, gives no finding at medium or above.
#
#   tests/lab/20-healthy-hour.sh [BUILD]       without BUILD only records
#   HEALTHY_SECONDS  how long (default 75; the figure that is published is from 3600)
#   HEALTHY_RATE     clients' questions a second (default 10, some 5 frames each)
#   HEALTHY_OUT      keeps capture.pcap, anchor and baseline/ there
#   HEALTHY_PACE     how soon Knot's automatic rolls come, 1 is every 5 to 14 minutes (default 0.2 below 10 minutes)
#
# Who is there: nsd with a script that re-signs and rolls (RSA, Ed25519; NSEC, NSEC3), Knot and named that sign and roll
# by themselves (ZSK; KSK with CDS, followed by the parent), PowerDNS that signs while it answers, a secondary that is
# notified and transfers, dynamic updates, an opt-out TLD, unsigned zones, unbound and PowerDNS Recursor, both validating
# and restarted now and then, clients of every kind, a key set too large for a datagram. See healthy.py.
. "$(dirname "$0")/lib.sh"
BUILD=${1:-}
SECONDS_LONG=${HEALTHY_SECONDS:-75}
PYTHON=${PYTHON:-/usr/bin/python3}
[ "$SECONDS_LONG" -ge 600 ] || HEALTHY_PACE=${HEALTHY_PACE:-0.2}
export HEALTHY_PACE=${HEALTHY_PACE:-1}
LAB_ROLES="$LAB_ROLES ns3 ns4 ns5 res2"
lab_need named rndc pdns_server pdnsutil pdns_recursor sqlite3
lab_up
WORK=$LAB_DIR/healthy
OUT=${HEALTHY_OUT:-$LAB_DIR/out}
mkdir -p "$WORK" "$OUT"
healthy() { # healthy ROLE WHAT [ARGUMENT…]
	local role=$1
	shift
	lab_in "$role" "$PYTHON" "$LAB_HERE/healthy.py" "$WORK" "$@"
}
people() { # the same, in the background
	local role=$1 what=$2
	lab_run "$role" "$what" nice "$PYTHON" "$LAB_HERE/healthy.py" "$WORK" "${@:2}"
}

lab_port ns3 eth0 p-ns3 br0 10.53.0.5/24 fd53::5/64
lab_port ns4 eth0 p-ns4 br0 10.53.0.6/24 fd53::6/64
lab_port ns5 eth0 p-ns5 br0 10.53.0.7/24 fd53::7/64
lab_port res2 eth0 p-res2 br0 10.53.0.101/24 fd53::101/64
lab_port res2 eth1 p-rc2 br1 10.54.0.2/24 fd54::2/64

# Every frame once: the resolvers' ports, the administrator's, and of the secondary's what it says to its primaries.
{
	echo "table netdev span {"
	for port in p-res p-rc p-res2 p-rc2 p-att; do
		for hook in ingress egress; do
			echo " chain ${hook}_${port//-/_} { type filter hook $hook device \"$port\" priority -300; policy accept; dup to \"p-sen\"; }"
		done
	done
	echo ' chain out_ns5 { type filter hook egress device "p-ns5" priority -300; policy accept; ip saddr { 10.53.0.4, 10.53.0.5 } dup to "p-sen"; }'
	echo ' chain in_ns5 { type filter hook ingress device "p-ns5" priority -300; policy accept; ip daddr { 10.53.0.4, 10.53.0.5 } dup to "p-sen"; }'
	echo "}"
} >"$LAB_DIR/span.nft"
lab_in sw nft delete table netdev span
lab_in sw nft -f "$LAB_DIR/span.nft" || exit 1

# --- the servers that make their own keys, then the parents, then the resolvers
healthy sw build || exit 1
lab_run ns2 knot knotd -c "$WORK/knot.conf"
lab_run ns3 named named -g -c "$WORK/named.conf"
lab_run ns4 pdns pdns_server --config-dir="$WORK"
lab_wait_dns ns2 10.53.0.4 && lab_wait_dns ns3 10.53.0.5 && lab_wait_dns ns4 10.53.0.6 || exit 1
healthy_net() { healthy att "$@"; } # the administrator's place reaches them all
healthy_net delegate || exit 1
for zone in bind1.test bind2.test; do # the parent has their DS
	tag=$(lab_in att dig +tcp +multi @10.53.0.5 "$zone" DNSKEY | sed -n 's/.*KSK.*key id = \([0-9]*\).*/\1/p')
	lab_in ns3 rndc -c "$WORK/rndc.conf" dnssec -checkds -key "$tag" published "$zone" || exit 1
done
for role in root tld ns1 ns5; do lab_run "$role" "$role" nsd -d -c "$WORK/$role.conf"; done
for pair in root:10.53.0.1 tld:10.53.0.2 ns1:10.53.0.3 ns5:10.53.0.7; do
	lab_wait_dns "${pair%%:*}" "${pair#*:}" || exit 1
done

unbound_start() {
	LAB_IP6=yes LAB_RES_EXTRA="  edns-buffer-size: 4096
  max-udp-size: 4096
  qname-minimisation: ${1:-yes}
  use-caps-for-id: ${2:-no}" lab_unbound "$WORK/anchor"
	lab_wait_dns cli 10.54.0.1
}
recursor_start() {
	mkdir -p "$WORK/recursor"
	printf 'clearTA(".")\naddTA(".", "%s")\n' "$(cat "$WORK/anchor.ds")" >"$WORK/recursor/lua"
	printf '%s=%s\n' local-address 10.54.0.2 query-local-address "10.53.0.101 fd53::101" allow-from 0.0.0.0/0 dont-query "" \
		hint-file "$LAB_DIR/root.hints" lua-config-file "$WORK/recursor/lua" dnssec validate socket-dir "$WORK/recursor" \
		daemon no threads 1 edns-outgoing-bufsize 1232 udp-truncation-threshold 1232 serve-rfc1918 no \
		security-poll-suffix "" >"$WORK/recursor/recursor.conf"
	lab_run res2 recursor pdns_recursor --config-dir="$WORK/recursor"
	lab_wait_dns cli 10.54.0.2
}
unbound_start && recursor_start || exit 1
sleep "${HEALTHY_SETTLE:-40}" # until the new zones' own keys and CDS are settled
healthy_net baseline "$OUT/baseline" "$SECONDS_LONG" || exit 1
cp "$WORK/anchor" "$OUT/anchor"
lab_in cli dig @10.54.0.1 +dnssec www.knot2.test A >"$LAB_DIR/first"
lab_in cli dig @10.54.0.2 +dnssec www.bind1.test A >>"$LAB_DIR/first"
if [ "$(grep -c 'flags:.* ad' "$LAB_DIR/first")" != 2 ]; then
	echo "not ok - the resolvers validate"
	cat "$LAB_DIR/first" "$LAB_DIR"/*.log
	exit 1
fi
echo "ok - the resolvers validate"
lab_stop unbound recursor # both begin with empty caches
unbound_start && recursor_start || exit 1

# --- the hour
LAB_PID_BEFORE=("${!LAB_PID[@]}")
lab_record "$OUT/capture.pcap" || exit 1
people sw signer "$SECONDS_LONG"
people att updates "$SECONDS_LONG"
lab_run tld registry nice "$PYTHON" "$LAB_HERE/healthy.py" "$WORK" registry "$SECONDS_LONG"
people cli clients "$SECONDS_LONG" "${HEALTHY_RATE:-10}"
started=$SECONDS turn=0
while [ $((SECONDS - started)) -lt "$SECONDS_LONG" ]; do
	sleep 5
	if [ $(((SECONDS - started) / 600)) -gt "$turn" ]; then # cold caches, other habits
		turn=$(((SECONDS - started) / 600))
		if [ $((turn % 2)) = 1 ]; then
			lab_stop unbound
			unbound_start "$([ $((turn % 4)) = 1 ] && echo no || echo yes)" "$([ $((turn % 4)) = 1 ] && echo yes || echo no)"
		else
			lab_stop recursor
			recursor_start
		fi
	fi
done
sleep 1
lab_record_end
lab_stop clients updates registry signer
cat "$LAB_DIR/signer.log" "$LAB_DIR/registry.log" "$LAB_DIR/updates.log" "$LAB_DIR/clients.log" >"$OUT/log"
cp "$LAB_DIR/tcpdump.log" "$LAB_DIR/knot.log" "$LAB_DIR/named.log" "$LAB_DIR/unbound.log" "$OUT/" 2>/dev/null
grep -h "packets\|answered" "$LAB_DIR/tcpdump.log" "$LAB_DIR/clients.log"
[ -n "$BUILD" ] || exit 0

# --- what we say of it
"$BUILD/dnsbailiff" replay -r "$OUT/capture.pcap" --trust-anchor "$OUT/anchor" --baseline "$OUT/baseline" \
	-l "$LAB_DIR/evidence" --quiet >"$LAB_DIR/replay.log" 2>&1 || { cat "$LAB_DIR/replay.log"; exit 1; }
"$PYTHON" - "$LAB_DIR/evidence/eve.json" <<'PYTHON'
import collections, json, sys
worst, verdicts = collections.Counter(), collections.Counter()
for line in open(sys.argv[1]):
    event = json.loads(line)
    if event["event_type"] == "dnssec":
        verdicts[event["dnssec"]["verdict"]] += 1
    if event["event_type"] == "alert" and event["alert"]["action"] != "closed" and event["alert"]["severity"] <= 2:
        worst[event["finding"]["rule"] + ": " + event["finding"]["summary"]] += 1
for text, count in worst.items():
    print(f"    {count} x {text}")
print(("not ok" if worst else "ok") + " - no finding at medium or above")
print(("ok" if verdicts["secure"] and not verdicts["bogus"] else "not ok") + f" - verdicts: {dict(verdicts)}")
sys.exit(bool(worst) or not verdicts["secure"] or bool(verdicts["bogus"]))
PYTHON
