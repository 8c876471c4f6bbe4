#!/bin/bash
# Records KSK rolls by BIND's dnssec-policy that its operator begins and confirms by hand (rndc dnssec -rollover,
# -checkds), with CDS and a parent that follows them (rolls_bind.py), a validating resolver and a client. Needs root
# and deploy/deps.sh --lab.
#   tests/scenarios/rolls_bind.sh               writes rolls-bind-ksk.* and zones-rolls-bind/
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
NAME=rolls-bind-ksk
signers() { "$PYTHON" "$HERE/rolls_bind.py" "$WORK" "$@"; }

bind_conf() {
	local zone
	mkdir -p "$BIND"
	cp "$LIVE"/new/ns2/*.zone "$BIND/"
	{
		cat <<-CONF
			key lab { algorithm hmac-sha256; secret "b25seSBpbiB0aGUgbGFi"; };
			options { directory "$BIND"; listen-on { 10.53.0.4; }; listen-on-v6 { none; }; recursion no;
			  allow-transfer { any; }; pid-file "$BIND/pid"; session-keyfile "$BIND/session.key";
			  dnssec-validation no; notify no; };
			controls { inet 127.0.0.1 port 953 allow { 127.0.0.1; } keys { lab; }; };
			dnssec-policy lab { dnskey-ttl PT6S; publish-safety PT1S; retire-safety PT1S; purge-keys 0;
			  max-zone-ttl PT6S; zone-propagation-delay PT1S; parent-ds-ttl PT6S; parent-propagation-delay PT1S;
			  keys { ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13; }; };
		CONF
		for zone in $(signers zones | cut -d' ' -f1); do
			echo "zone \"$zone\" { type primary; file \"${zone}zone\"; dnssec-policy lab; inline-signing yes; };"
		done
	} >"$LAB_DIR/named.conf"
	echo 'key lab { algorithm hmac-sha256; secret "b25seSBpbiB0aGUgbGFi"; };
		options { default-key lab; default-server 127.0.0.1; };' >"$LAB_DIR/rndc.conf"
}

rndc() { lab_in ns2 rndc -c "$LAB_DIR/rndc.conf" dnssec "$@"; }
ksks() { # ZONE: the tags of its KSKs in the order in which they were made
	local file
	for file in "$BIND/K$1"+*.key; do
		grep -q ' 257 3 ' "$file" && echo "$(awk '/; Created:/ { print $3 }' "$file") $file"
	done | sort | sed 's/.*+0*//; s/\.key//'
}

install() { # what rolls_auto.py made, to where it is served
	local role
	for role in root tld; do
		mkdir -p "$LIVE/$role"
		cp "$LIVE/new/$role"/*.zone "$LIVE/$role/"
	done
}

# The parent follows CDS, but those of a zone that it is deaf to; then the operator tells BIND what he sees there.
follow() {
	local zone
	ip netns exec "$LAB_NS-res" "$PYTHON" "$HERE/rolls_bind.py" "$WORK" parent "$LIVE" "$@" || return 1
	install
	kill -HUP "${LAB_PID[nsd-tld]}"
}

confirm() { # ZONE: the DS of the newest KSK is there, that of the one before is gone
	local old new
	[ -n "${CONFIRMED[$1]:-}" ] && return
	old=$(ksks "$1" | tail -2 | head -1) new=$(ksks "$1" | tail -1)
	lab_in ns2 dig +short +norec @10.53.0.4 "$1" CDS | grep -q "^$new " || return
	signers follows "$1" && ! lab_in ns2 dig +short +norec @10.53.0.2 "$1" DS | grep -q "^$new " && return
	rndc -checkds -key "$new" published "$1" && rndc -checkds -key "$old" withdrawn "$1" && CONFIRMED[$1]=1
}

ask() {
	while read -r name kind; do
		lab_in cli dig @10.54.0.1 +dnssec +tries=1 +time=2 "$name" "$kind" </dev/null >/dev/null
	done <"$LIVE/questions"
}

lab_up
declare -A CONFIRMED=()
WORK=${MAKE_WORK:-$LAB_DIR/work} LIVE=$LAB_DIR/live BIND=$LAB_DIR/bind
mkdir -p "$WORK"
lab_need named rndc
signers build "$LIVE" || exit 1
install
bind_conf
chmod -R a+rwX "$LAB_DIR"
lab_nsd root "$LIVE/root"
lab_nsd tld "$LIVE/tld"
lab_run ns2 named named -g -c "$LAB_DIR/named.conf"
lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2 && lab_wait_dns ns2 10.53.0.4 || exit 1
for ((i = 0; i < 40; i++)); do # until every zone has its DS
	follow
	[ "$(cut -d' ' -f1 "$LIVE/ds" 2>/dev/null | sort -u | wc -l)" = 3 ] && break
	sleep 1
done
sleep 2
for zone in $(signers zones | cut -d' ' -f1); do rndc -checkds published "$zone"; done
sleep 12
rm -rf "${OUT:?}/zones-rolls-bind"
mkdir -p "$OUT/zones-rolls-bind"
for zone in $(signers zones | cut -d' ' -f1); do
	lab_in res dig +noall +answer +onesoa @10.53.0.4 "$zone" AXFR >"$OUT/zones-rolls-bind/${zone%.}.zone"
done
signers baseline "$OUT/zones-rolls-bind"
LAB_RES_EXTRA="  minimal-responses: yes" lab_unbound "$LIVE/new/anchor"
lab_wait_dns cli 10.54.0.1
lab_mirror p-sen p-res
lab_record "$OUT/$NAME.pcap" || exit 1
signers questions "$LIVE/questions"
for ((round = 0; round < 25; round++)); do
	[ "$round" = 2 ] && for zone in $(signers zones | cut -d' ' -f1); do
		rndc -rollover -key "$(ksks "$zone" | tail -1)" "$zone"
	done
	ask
	follow bind-hasty.test.
	for zone in $(signers zones | cut -d' ' -f1); do [ "$round" -gt 2 ] && confirm "$zone"; done
	sleep 2
done
for zone in $(signers zones | cut -d' ' -f1); do rndc -status "$zone"; done >"$LAB_DIR/status.log"
lab_record_end
[ -n "${SIGNERS_LOGS:-}" ] && cp "$LAB_DIR"/*.log "$SIGNERS_LOGS/"
lab_stop unbound nsd-root nsd-tld named
cp "$LIVE/new/anchor" "$OUT/$NAME.anchor"
signers expect "$NAME" "$OUT/$NAME.expect"
printf '%-32s %8d bytes\n' "$NAME" "$(stat -c %s "$OUT/$NAME.pcap")"
