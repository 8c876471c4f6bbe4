#!/bin/bash
# Records the situations of views.py: zones that tell different clients different things (see ../lab/lib.sh):
#   tests/scenarios/views.sh [NAME…]      keys are new in each run of all
# Needs root and the packages that deploy/deps.sh --lab installs. The tap is at the servers' side: it sees who asks.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
situations() { "$PYTHON" "$HERE/views.py" "$WORK" "$@"; }

named_views() { # ROLE FOLDER: the host `res` is inside, all others are outside
	lab_need named
	local conf=$LAB_DIR/named-$1.conf
	cat >"$conf" <<-CONF
		options { directory "$LAB_DIR"; pid-file "$LAB_DIR/named-$1.pid"; session-keyfile none; listen-on { any; };
			listen-on-v6 { none; }; recursion no; empty-zones-enable no; };
		controls { };
		view "inside" { match-clients { 10.53.0.100; };
			zone "example.test" { type primary; file "$2/inside/example.test.zone"; }; };
		view "outside" { match-clients { any; };
			zone "example.test" { type primary; file "$2/outside/example.test.zone"; }; };
	CONF
	lab_run "$1" "named-$1" named -g -c "$conf"
}

start() {
	local role
	lab_nsd root "$DIR/root"
	lab_nsd tld "$DIR/tld"
	lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2 || return 1
	for role in ns1 ns2 att; do
		if [ -d "$DIR/$role/inside" ]; then
			named_views "$role" "$DIR/$role"
		elif [ -d "$DIR/$role" ]; then
			lab_nsd "$role" "$DIR/$role"
		fi
	done
	lab_wait_dns res 10.53.0.3
}

ask() { # ROLE SERVER NAME TYPE
	local role=$1 server=$2
	shift 2
	lab_in "$role" dig +dnssec +norec +tries=1 +time=2 @"$server" "$@" >/dev/null
}

# Who asks whom: the inside and the outside of the situation. Both look at the chain, as resolvers do.
ask_all() {
	local side role server
	for side in "$OUTSIDE" "$INSIDE"; do
		read -r role server <<<"$side"
		for kind in DNSKEY NS SOA; do ask "$role" 10.53.0.1 . "$kind"; done
		ask "$role" 10.53.0.1 test DS
		ask "$role" 10.53.0.2 test DNSKEY
		ask "$role" 10.53.0.2 example.test DS
		ask "$role" "$server" example.test DNSKEY
		ask "$role" "$server" example.test SOA
	done
	local name
	for name in www.example.test mail.example.test www.example.test intranet.example.test mail.example.test; do
		for side in "$OUTSIDE" "$INSIDE"; do
			read -r role server <<<"$side"
			ask "$role" "$server" "$name" A
			ask "$role" "$server" example.test SOA
			sleep 0.1
		done
	done
}

lab_up
WORK=${MAKE_WORK:-$LAB_DIR/work}
mkdir -p "$WORK"
failed=0
for name in $(situations list); do
	DIR=$WORK/$name
	[ $# -gt 0 ] && [[ " $* " != *" $name "* ]] && continue
	situations build "$name" && start || { echo "views.sh: $name failed" >&2; failed=1; lab_halt; continue; }
	if [ -d "$DIR/ns1/inside" ]; then
		OUTSIDE="ns2 10.53.0.3" INSIDE="res 10.53.0.3"
		lab_mirror p-sen p-ns2 p-res
	elif [ -d "$DIR/att" ]; then
		OUTSIDE="res 10.53.0.3" INSIDE="res 10.53.0.66"
		lab_mirror p-sen p-res
	else
		OUTSIDE="res 10.53.0.3" INSIDE="res 10.53.0.4"
		lab_mirror p-sen p-res
	fi
	lab_record "$OUT/$name.pcap" || failed=1
	ask_all
	lab_record_end
	lab_halt
	cp "$DIR/anchor" "$OUT/$name.anchor"
	situations expect "$name" "$OUT/$name.expect"
	printf '%-28s %8d bytes\n' "$name" "$(stat -c %s "$OUT/$name.pcap")"
done
exit $failed
