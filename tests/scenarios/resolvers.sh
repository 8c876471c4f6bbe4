#!/bin/bash
# Records the scenarios of what resolvers make of zones: a validating one (unbound) and one that does not
# (BIND), zones in trouble, and what lies between resolver and client (see ../lab/lib.sh and resolvers.py):
#   tests/scenarios/resolvers.sh       all of them, and the baseline zones-resolvers: they share their keys
# Needs root and deploy/deps.sh --lab.
#
#   res .1: unbound      res .2: named, dnssec-validation no      res .3: who forges what unbound says
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
resolvers() { "$PYTHON" "$HERE/resolvers.py" "$WORK" "$@"; }

named_start() {
	local conf=$LAB_DIR/named.conf
	cat >"$conf" <<-CONF
		options { directory "$LAB_DIR"; listen-on { 10.54.0.2; }; listen-on-v6 { none; }; recursion yes;
		  allow-query { any; }; allow-recursion { any; }; dnssec-validation no; query-source address 10.53.0.101;
		  notify no; pid-file "$LAB_DIR/named.pid"; session-keyfile "$LAB_DIR/session"; empty-zones-enable no;
		  managed-keys-directory "$LAB_DIR"; minimal-responses no; qname-minimization off; };
		controls { };
		zone "." { type hint; file "$LAB_DIR/root.hints"; };
	CONF
	lab_run res named named -4 -g -n 1 -c "$conf"
	lab_wait_dns cli 10.54.0.2
}

serve() { # serve STATE: root, test. and the zones in that state; nobody is at .66 unless the thief is
	DIR=$WORK/$1
	lab_nsd root "$DIR/root"
	lab_nsd tld "$DIR/tld"
	[ -d "$DIR/ns1" ] && lab_nsd ns1 "$DIR/ns1"
	[ -d "$DIR/ns2" ] && lab_knot ns2 "$DIR/ns2"
	[ "$1" = hijacked ] && lab_nsd att "$DIR/att"
	lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2
}

halt() { # all but the recorder
	lab_stop unbound named mangle nsd-root nsd-tld nsd-ns1 knot-ns2 nsd-att
}

unbound_start() { lab_unbound "$WORK/sound/anchor" && lab_wait_dns cli 10.54.0.1; }

next() { # next STATE: everything is started anew, with empty caches
	halt
	serve "$1" && unbound_start
}

ask() { # ask RESOLVER SET [dig arguments…]
	local server=$1 name kind
	resolvers questions "$2" "$LAB_DIR/questions"
	shift 2
	while read -r name kind; do
		lab_in cli dig @"$server" +dnssec +tries=1 +time=8 "$@" "$name" "$kind" </dev/null >/dev/null
	done <"$LAB_DIR/questions"
}
both() { ask 10.54.0.1 "$@"; ask 10.54.0.2 "$@"; }

# --- recipes ------------------------------------------------------------------------------------

record_expired_zone() {
	next sound && named_start && lab_record "$1" || return 1
	both example
	both bank
	next expired && named_start || return 1
	both example
	ask 10.54.0.1 bank
	ask 10.54.0.1 example +cd
	sleep 2
	ask 10.54.0.1 example
	next sound && named_start || return 1
	both example
	both bank
}

record_servers_gone() {
	next sound && lab_record "$1" || return 1
	ask 10.54.0.1 plain
	ask 10.54.0.1 bank
	lab_stop unbound knot-ns2
	unbound_start || return 1
	ask 10.54.0.1 bank
	ask 10.54.0.1 plain
	ask 10.54.0.1 bank
	ask 10.54.0.1 plain
	next sound || return 1
	ask 10.54.0.1 plain
}

record_negative_anchor() {
	local LAB_RES_EXTRA="  domain-insecure: \"example.test.\""
	next sound && lab_record "$1" || return 1
	ask 10.54.0.1 many
}

record_forged_ad() {
	local LAB_RES_EXTRA="  interface: 127.0.0.1@5300"
	next sound && lab_record "$1" || return 1
	lab_run res mangle "$PYTHON" "$HERE/../lab/mangle.py" 10.54.0.3 5300 "$HERE/resolvers.py" "$WORK" -
	lab_wait_dns cli 10.54.0.3 || return 1
	ask 10.54.0.1 example
	ask 10.54.0.3 example
	ask 10.54.0.3 bank
	ask 10.54.0.3 example
}

record_false_anchor() {
	local LAB_RES_EXTRA
	LAB_RES_EXTRA="  trust-anchor: \"$(resolvers anchor)\""
	next hijacked && lab_record "$1" || return 1
	ask 10.54.0.1 example
	ask 10.54.0.1 bank
}

record_near_misses() { # cold caches; CD=1 about sound zones; no DO; servers that are gone; one broken name
	next one-broken && named_start && lab_record "$1" || return 1
	ask 10.54.0.1 example +cd
	ask 10.54.0.1 example
	ask 10.54.0.1 plain +nodnssec +noadflag
	ask 10.54.0.1 example +nodnssec +noadflag
	ask 10.54.0.2 example
	ask 10.54.0.1 lame
	ask 10.54.0.1 broken
	ask 10.54.0.1 lame
	ask 10.54.0.1 example
}

# --- all of them ----------------------------------------------------------------------------------

lab_need named
lab_up
lab_in res ip addr add 10.54.0.2/24 dev eth1
lab_in res ip addr add 10.54.0.3/24 dev eth1
lab_in res ip addr add 10.53.0.101/24 dev eth0
WORK=$LAB_DIR/work
mkdir -p "$WORK"
for state in sound expired one-broken hijacked; do resolvers build $state || exit 1; done
failed=0
for recipe in expired_zone servers_gone negative_anchor forged_ad false_anchor near_misses; do
	name=resolvers-${recipe//_/-} PCAP=$OUT/resolvers-${recipe//_/-}.pcap
	record_$recipe "$PCAP" || { echo "resolvers.sh: $name failed" >&2; failed=1; }
	lab_record_end
	halt
	cp "$WORK/sound/anchor" "$OUT/$name.anchor"
	resolvers expect "$name" "$OUT/$name.expect"
	printf '%-32s %8d bytes\n' "$name" "$(stat -c %s "$PCAP")"
done
rm -rf "$OUT/zones-resolvers"
resolvers baseline "$OUT/zones-resolvers"
exit $failed
