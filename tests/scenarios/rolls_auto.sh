#!/bin/bash
# Records rolls that automatic signers carry out: Knot's policy signing and BIND's dnssec-policy, with a parent that
# follows CDS (rolls_auto.py), a validating resolver and a client. Needs root and deploy/deps.sh --lab.
#   tests/scenarios/rolls_auto.sh [SECONDS]     writes rolls-signers.* and zones-rolls-signers/
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
SECONDS_LONG=${1:-160}
signers() { "$PYTHON" "$HERE/rolls_auto.py" "$WORK" "$@"; }

knot_conf() { # ALGORITHM of knot-algorithm.test.
	mkdir -p "$LAB_DIR/knot-ns1"
	cat >"$LAB_DIR/knot-ns1.conf" <<-CONF
		server:
		  rundir: "$LAB_DIR/knot-ns1"
		  udp-workers: 1
		  tcp-workers: 1
		  background-workers: 1
		  listen: 10.53.0.3@53
		log:
		  - target: stderr
		    any: info
		database:
		  storage: "$LAB_DIR/knot-ns1"
		remote:
		  - id: parent
		    address: 10.53.0.2
		acl:
		  - id: all
		    address: 0.0.0.0/0
		    action: transfer
		submission:
		  - id: parent
		    parent: parent
		    check-interval: 2
		policy:
	CONF
	local name what
	for name in zsk ksk csk algorithm; do
		case $name in
		zsk) what="zsk-lifetime: 35" ;;
		ksk) what="ksk-lifetime: 35" ;;
		csk) what=$'single-type-signing: on\n    ksk-lifetime: 35' ;;
		algorithm) what="ksk-lifetime: 0" ;;
		esac
		cat <<-CONF
			  - id: $name
			    algorithm: $([ $name = algorithm ] && echo "$1" || echo ecdsap256sha256)
			    dnskey-ttl: 6
			    zone-max-ttl: 6
			    propagation-delay: 2
			    rrsig-lifetime: 14d
			    rrsig-refresh: 7d
			    ksk-submission: parent
			    $([ $name = zsk ] || [ $name = algorithm ] || echo "zsk-lifetime: 0")
			    $what
		CONF
	done >>"$LAB_DIR/knot-ns1.conf"
	cat >>"$LAB_DIR/knot-ns1.conf" <<-CONF
		template:
		  - id: default
		    storage: "$LIVE/ns1"
		    zonefile-sync: -1
		    zonefile-load: difference-no-serial
		    journal-content: all
		    serial-policy: increment
		    dnssec-signing: on
		    acl: all
		zone:
	CONF
	for name in zsk ksk csk algorithm; do
		printf '  - domain: knot-%s.test.\n    file: knot-%s.test.zone\n    dnssec-policy: %s\n' $name $name $name
	done >>"$LAB_DIR/knot-ns1.conf"
}

bind_conf() {
	local name
	mkdir -p "$LAB_DIR/bind"
	cp "$LIVE"/ns2/*.zone "$LAB_DIR/bind/"
	{
		cat <<-CONF
			options { directory "$LAB_DIR/bind"; listen-on { 10.53.0.4; }; listen-on-v6 { none; }; recursion no;
			  allow-transfer { any; }; pid-file "$LAB_DIR/bind/pid"; session-keyfile "$LAB_DIR/bind/session.key";
			  dnssec-validation no; notify no; };
			controls { };
		CONF
		for name in zsk csk; do
			# BIND replaces signatures as they come due, and waits for that with the key: they live ten minutes
			local keys="csk lifetime PT90S algorithm 13;" refresh=PT530S validity=PT10M
			[ $name = zsk ] && keys="ksk lifetime unlimited algorithm 13; zsk lifetime PT90S algorithm 13;"
			cat <<-CONF
				dnssec-policy $name { dnskey-ttl PT6S; publish-safety PT1S; retire-safety PT1S; purge-keys 0;
				  signatures-refresh $refresh; signatures-validity $validity; signatures-validity-dnskey $validity; signatures-jitter PT0S;
				  max-zone-ttl PT6S; zone-propagation-delay PT1S; parent-ds-ttl PT6S; parent-propagation-delay PT1S;
				  keys { $keys }; };
				zone "bind-$name.test" { type primary; file "bind-$name.test.zone"; dnssec-policy $name;
				  inline-signing yes; parental-agents { 10.53.0.2; }; };
			CONF
		done
	} >"$LAB_DIR/named.conf"
}

install() { # what rolls_auto.py made, to where it is served
	local role
	for role in root tld; do
		mkdir -p "$LIVE/$role"
		cp "$LIVE/new/$role"/*.zone "$LIVE/$role/"
	done
}

lab_up
WORK=${MAKE_WORK:-$LAB_DIR/work} LIVE=$LAB_DIR/live
mkdir -p "$WORK"
lab_need named
signers build "$LIVE" || exit 1
install
for role in ns1 ns2; do mkdir -p "$LIVE/$role" && cp "$LIVE/new/$role"/*.zone "$LIVE/$role/"; done
chmod -R a+rwX "$LAB_DIR"
lab_nsd root "$LIVE/root"
lab_nsd tld "$LIVE/tld"
knot_conf ecdsap256sha256
lab_run ns1 knot-ns1 knotd -c "$LAB_DIR/knot-ns1.conf"
bind_conf
lab_run ns2 named named -g -c "$LAB_DIR/named.conf"
lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2 && lab_wait_dns ns1 10.53.0.3 && lab_wait_dns ns2 10.53.0.4 || exit 1

# The parent follows CDS, for as long as the signers live.
follow() { ip netns exec "$LAB_NS-res" "$PYTHON" "$HERE/rolls_auto.py" "$WORK" parent "$LIVE" && install && kill -HUP "${LAB_PID[nsd-tld]}"; }
for ((i = 0; i < 40; i++)); do # until every zone has its DS
	follow
	[ "$(cut -d' ' -f1 "$LIVE/ds" 2>/dev/null | sort -u | wc -l)" = 6 ] && break
	sleep 1
done
sleep 8
rm -rf "${OUT:?}/zones-rolls-signers"
mkdir -p "$OUT/zones-rolls-signers"
while read -r zone server; do
	address=10.53.0.3
	[ "$server" = ns2 ] && address=10.53.0.4
	lab_in res dig +noall +answer +onesoa "@$address" "$zone" AXFR >"$OUT/zones-rolls-signers/${zone%.}.zone"
done < <(signers zones)
signers baseline "$OUT/zones-rolls-signers"
LAB_RES_EXTRA="  minimal-responses: yes" lab_unbound "$LIVE/new/anchor"
lab_wait_dns cli 10.54.0.1
lab_mirror p-sen p-res
lab_record "$OUT/rolls-signers.pcap" || exit 1
signers questions "$LIVE/questions"
end=$(($(date +%s) + SECONDS_LONG)) changed=0
while [ "$(date +%s)" -lt "$end" ]; do
	if [ $changed = 0 ] && [ "$(date +%s)" -ge $((end - SECONDS_LONG + 8)) ]; then
		changed=1 # the operator wants another algorithm
		knot_conf ed25519
		kill -HUP "${LAB_PID[knot-ns1]}"
	fi
	while read -r name kind; do
		lab_in cli dig @10.54.0.1 +dnssec +tries=1 +time=2 "$name" "$kind" </dev/null >/dev/null
	done <"$LIVE/questions"
	follow
	sleep 3
done
lab_record_end
[ -n "${SIGNERS_LOGS:-}" ] && cp "$LAB_DIR"/*.log "$SIGNERS_LOGS/"
lab_stop unbound nsd-root nsd-tld knot-ns1 named
cp "$LIVE/new/anchor" "$OUT/rolls-signers.anchor"
signers expect rolls-signers "$OUT/rolls-signers.expect"
printf '%-32s %8d bytes\n' rolls-signers "$(stat -c %s "$OUT/rolls-signers.pcap")"
