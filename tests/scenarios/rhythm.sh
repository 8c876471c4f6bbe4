#!/bin/bash
# Records refresh-rhythm-*: weeks of signers at work, seen for a few seconds on some of the days (see
# ../lab/lib.sh and rhythm.py):
#   tests/scenarios/rhythm.sh [NAME…]        without names: all of them
# On each of the days the clock of Knot, which signs by itself, is set forward with faketime; what is
# recorded then is moved forward by the same time, so that the capture is what the weeks would have shown.
# Needs root, deploy/deps.sh --lab.
#
#   ns1 .3: Knot, signer of auto.test      ns2 .4: nsd, with zones that are signed elsewhere
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
AUTO=auto.test
rhythm() { "$PYTHON" "$HERE/rhythm.py" "$WORK" "$@"; }

auto_conf() { # on|off
	lab_knot_signer "$WORK/knot" $AUTO "$1"
	local file
	for file in "$WORK"/serve/ns1/*.zone; do
		[ -e "$file" ] && printf '  - domain: "%s"\n    file: "%s"\n    journal-content: none\n    zonefile-sync: -1\n' "$(lab_zone_of "$file")" "$file"
	done
	return 0
}

make_auto() { # keys of BIND's making, as in signers.sh
	local key
	mkdir -p "$WORK/knot/db"
	rhythm zone "$WORK/knot/$AUTO.zone" $AUTO.
	auto_conf on >"$WORK/knot.conf"
	for key in $(rhythm keys $AUTO.); do
		keymgr -c "$WORK/knot.conf" $AUTO. import-bind "$key.key" >/dev/null || return 1
	done
}

start_auto() { # start_auto SECONDS: its clock is ahead by so much
	auto_conf on >"$WORK/knot.conf"
	# not by faketime itself, which would be what lab_stop ends
	lab_run ns1 auto env LD_PRELOAD="$FAKETIME_LIBRARY" FAKETIME="+$1s" FAKETIME_DONT_FAKE_MONOTONIC=1 \
		knotd -c "$WORK/knot.conf"
	lab_wait_dns ns1 10.53.0.3 || return 1
	local i
	for ((i = 0; i < 100; i++)); do
		lab_in ns1 dig +dnssec +norec @10.53.0.3 $AUTO SOA | grep -q RRSIG && break
		sleep 0.1
	done
	sleep 0.5
	lab_in ns1 dig @10.53.0.3 $AUTO AXFR +onesoa >"$WORK/$AUTO.last"
}

start_auto_gone() { # a secondary of it has what it got last
	cp "$WORK/$AUTO.last" "$WORK/serve/ns1/$AUTO.zone"
	lab_nsd ns1 "$WORK/serve/ns1"
	lab_wait_dns ns1 10.53.0.3
}

ask() { # SERVER, then NAME TYPE pairs
	local server=$1
	shift
	while [ $# -gt 1 ]; do
		lab_in res dig +dnssec +norec +tries=1 "@$server" "$1" "$2" >/dev/null
		shift 2
	done
}

ask_all() { # as a resolver does that has forgotten all, of the zones of each server
	local zone file
	ask 10.53.0.1 . DNSKEY test DS
	ask 10.53.0.2 test DNSKEY
	for file in "$WORK"/serve/ns1/*.zone "$WORK"/serve/ns2/*.zone; do
		[ -e "$file" ] && lab_zone_of "$file" && echo
	done | sort -u >"$WORK/zones"
	grep -q "^$AUTO$" "$WORK/zones" || echo $AUTO >>"$WORK/zones"
	while read -r zone; do
		ask 10.53.0.2 "$zone" DS </dev/null
		[ "$zone" = $AUTO ] || [ "$zone" = lag.test ] && ask_zone 10.53.0.3 "$zone" </dev/null
		[ "$zone" = $AUTO ] || ask_zone 10.53.0.4 "$zone" </dev/null
	done <"$WORK/zones"
	return 0
}

ask_zone() {
	ask "$1" "$2" DNSKEY "$2" SOA "$2" MX "$2" TXT "www.$2" A
}

record() { # the days of NAME; Knot's machine is gone after the second LAST
	local last=$1 seconds
	make_auto || return 1
	rhythm parents "$WORK/serve" || return 1
	cp "$WORK/serve/anchor" "$OUT/$NAME.anchor"
	mkdir -p "$WORK/parts"
	lab_nsd root "$WORK/serve/root"
	lab_nsd tld "$WORK/serve/tld"
	lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2 || return 1
	for seconds in $(rhythm days "$NAME"); do
		rhythm day "$WORK/serve" "$NAME" "$seconds" || return 1
		if [ "$seconds" -le "$last" ]; then start_auto "$seconds"; else start_auto_gone; fi || return 1
		lab_nsd ns2 "$WORK/serve/ns2"
		lab_wait_dns ns2 10.53.0.4 || return 1
		lab_record "$WORK/parts/$seconds.pcap" || return 1
		ask_all
		lab_record_end
		lab_stop auto nsd-ns1 nsd-ns2
	done
	rhythm join "$OUT/$NAME.pcap" "$NAME" "$WORK/parts"
}

lab_up
lab_need faketime knotd keymgr ldns-signzone
export LAB_MINIMAL=yes
FAKETIME_LIBRARY=$(faketime -f +0s printenv LD_PRELOAD) || exit 1
failed=0
for NAME in ${*:-refresh-rhythm-lost refresh-rhythm-kept}; do
	WORK=$LAB_DIR/work-$NAME
	mkdir -p "$WORK"
	case $NAME in
	*-lost) record $((30 * 86400)) ;;
	*) record $((99 * 86400)) ;;
	esac || { echo "rhythm.sh: $NAME failed" >&2; failed=1; }
	lab_stop auto nsd-root nsd-tld nsd-ns1 nsd-ns2 tcpdump
	rhythm expect "$NAME" "$OUT/$NAME.expect"
	printf '%-32s %8d bytes\n' "$NAME" "$(stat -c %s "$OUT/$NAME.pcap")"
done
exit $failed
