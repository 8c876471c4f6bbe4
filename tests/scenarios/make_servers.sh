#!/bin/bash
# Records the situations of servers.py, in which servers of a zone change while it is recorded (see ../lab/lib.sh):
#   tests/scenarios/make_servers.sh        all of them and their baselines; keys are new in each run
# Needs root and the packages that deploy/deps.sh --lab installs. Takes some three minutes: what outlasts a
# refresh has to be waited for.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
situations() { "$PYTHON" "$HERE/servers.py" "$WORK" "$@"; }

# --- servers and questions ------------------------------------------------------------------------------------------

stage() { # stage NUMBER: the files of the first server are replaced and read again
	cp "$DIR/$1"/ns1/* "$DIR/1/ns1/"
	kill -HUP "${LAB_PID[nsd-ns1]}"
	sleep 0.5
}

secondary() { # ns2 is Knot, and gets the zone from ns1 by transfer
	local conf=$LAB_DIR/knot-ns2.conf
	rm -rf "$LAB_DIR/knot-ns2"
	mkdir -p "$LAB_DIR/knot-ns2"
	cat >"$conf" <<-CONF
		server:
		  rundir: "$LAB_DIR/knot-ns2"
		  listen: 10.53.0.4@53
		log:
		  - target: stderr
		    any: info
		database:
		  storage: "$LAB_DIR/knot-ns2"
		remote:
		  - id: primary
		    address: 10.53.0.3@53
		    via: 10.53.0.4
		zone:
		  - domain: example.test
		    storage: "$LAB_DIR/knot-ns2"
		    master: primary
		    refresh-min-interval: 2
		    zonefile-load: none
	CONF
	lab_run ns2 knot-ns2 knotd -c "$conf"
	lab_wait_dns ns2 10.53.0.4
	local i
	for ((i = 0; i < 50; i++)); do
		lab_in ns2 dig +short +norec @10.53.0.4 example.test SOA | grep -q hostmaster && return 0
		sleep 0.1
	done
	echo "make_servers.sh: the secondary has no zone" >&2
	return 1
}

ask() { lab_in res dig +dnssec +norec +tries=1 +time=2 @"$@" >/dev/null; } # SERVER NAME TYPE, straight from the tapped host

ask_both() { # NAME TYPE
	ask 10.53.0.3 "$1" "$2"
	ask 10.53.0.4 "$1" "$2"
}

chain() { # so that the zone can be judged
	local kind
	for kind in DNSKEY NS SOA; do ask 10.53.0.1 . "$kind"; done
	ask 10.53.0.1 test DS
	ask 10.53.0.2 test DNSKEY
	ask 10.53.0.2 example.test DS
	ask 10.53.0.2 www.example.test A
	ask_both example.test DNSKEY
	ask_both www.example.test A
}

# --- what happens -----------------------------------------------------------------------------------------------------

play_serial-back() {
	chain
	for _ in 1 2 3; do ask_both example.test SOA; done
	stage 2
	for _ in 1 2 3 4; do ask 10.53.0.3 example.test SOA; ask 10.53.0.3 nx.example.test A; sleep 0.2; done
}

play_serial-round-the-circle() {
	local number
	chain
	for number in 2 3; do
		for _ in 1 2 3; do ask 10.53.0.3 example.test SOA; ask 10.53.0.3 "nx$number.example.test" A; done
		stage "$number"
	done
	for _ in 1 2 3; do ask 10.53.0.3 example.test SOA; done
}

play_secondary-stale() { # it cannot reach its primary, and does not know that there is something new
	chain
	for _ in 1 2; do ask_both example.test SOA; sleep 0.5; done
	stage 2
	for _ in $(seq 9); do ask_both example.test SOA; sleep 1; done
}

play_secondary-follows() { # by transfer, when it looks at the end of its refresh
	chain
	for _ in 1 2; do ask_both example.test SOA; sleep 0.5; done
	stage 2
	for _ in $(seq 36); do ask_both example.test SOA; sleep 1; done
}

play_servers-other-keys() {
	chain
	for _ in $(seq 16); do
		ask_both example.test SOA
		ask_both example.test DNSKEY
		sleep 5
	done
}

play_transfer-to-stranger() {
	chain
	lab_in res dig +tries=1 @10.53.0.3 example.test AXFR >/dev/null
}

play_transfer-to-secondary() { # a mirror of the second server's port; it asks for the SOA and for the zone
	chain
	lab_in ns2 dig +tries=1 +dnssec +norec @10.53.0.1 . DNSKEY >/dev/null
	lab_in ns2 dig +tries=1 +dnssec +norec @10.53.0.2 example.test DS >/dev/null
	stage 2
	sleep 9
	ask_both example.test SOA
	ask_both www.example.test A
}

play_ttl-lowered() { chain; ask_both www.example.test AAAA; }
play_delegation-drifted() { chain; ask_both example.test NS; }
play_cds-roll-planned() { chain; ask_both example.test CDS; ask_both example.test CDNSKEY; ask_both example.test DNSKEY; }
play_cds-and-cdnskey-differ() { play_cds-roll-planned; }

# --- the loop -----------------------------------------------------------------------------------------------------------

start() {
	lab_nsd root "$DIR/1/root"
	lab_nsd tld "$DIR/1/tld"
	lab_nsd ns1 "$DIR/1/ns1"
	lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2 && lab_wait_dns ns1 10.53.0.3 || return 1
	if [ -d "$DIR/1/ns2" ]; then
		lab_knot ns2 "$DIR/1/ns2"
		lab_wait_dns ns2 10.53.0.4
	else
		secondary
	fi
}

lab_up
WORK=${MAKE_WORK:-$LAB_DIR/work}
mkdir -p "$WORK"
failed=0
for name in $(situations list); do
	DIR=$WORK/$name
	[ $# -gt 0 ] && [[ " $* " != *" $name "* ]] && continue
	if [ "$name" = transfer-to-secondary ]; then lab_mirror p-sen p-ns2; else lab_mirror p-sen p-res; fi
	situations build "$name" && start && lab_record "$OUT/$name.pcap" ||
		{ echo "make_servers.sh: $name failed" >&2; failed=1; lab_halt; continue; }
	"play_$name"
	lab_record_end
	lab_halt
	cp "$DIR/anchor" "$OUT/$name.anchor"
	situations expect "$name" "$OUT/$name.expect"
	printf '%-28s %8d bytes\n' "$name" "$(stat -c %s "$OUT/$name.pcap")"
done
situations baselines "$OUT"
exit $failed
