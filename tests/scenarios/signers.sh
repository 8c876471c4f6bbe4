#!/bin/bash
# Records the scenarios of stolen keys and of signers at work, with the automatic signers of BIND
# (dnssec-policy) and Knot, and thieves who sign with other tools (see ../lab/lib.sh and signers.py):
#   tests/scenarios/signers.sh [NAME…]        without names: all of them
# Each scenario has keys of its own; refresh-overdue, stolen-zsk-baseline and signer-changed have a baseline, too,
# the others belong to none. Needs root and deploy/deps.sh --lab.
#
#   ns1 .3: the signer, primary      ns2 .4: a secondary of it (nsd), transferred when it is started
#   A thief's answers come from ns1's address: a second server in the same namespace, to which the
#   resolver's queries are turned for a while. To the wire that is an injection on the path.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
Z=bank.test
signers() { "$PYTHON" "$HERE/signers.py" "$WORK" "$@"; }

# --- signers ------------------------------------------------------------------------------------

start_bind() { # the zone is signed and changed in place: dynamic updates come from ns1 itself
	local conf=$LAB_DIR/named.conf dir=$WORK/bind
	rm -rf "$dir"
	mkdir -p "$dir"
	signers zone "$dir/$Z.zone" $Z.
	cat >"$conf" <<-CONF
		options { directory "$dir"; listen-on { 10.53.0.3; }; listen-on-v6 { none; }; recursion no;
		  allow-transfer { any; }; notify no; pid-file "$dir/pid"; session-keyfile "$dir/session";
		  managed-keys-directory "$dir"; minimal-responses no; minimal-any no; dnssec-validation no; };
		controls { };
		dnssec-policy lab { dnskey-ttl 300; max-zone-ttl 300; signatures-validity P14D;
		  signatures-validity-dnskey P14D; signatures-refresh P5D;
		  keys { ksk lifetime unlimited algorithm ecdsap256sha256; zsk lifetime unlimited algorithm ecdsap256sha256; }; };
		zone "$Z" { type primary; file "$dir/$Z.zone"; dnssec-policy lab; allow-update { 10.53.0.3; }; };
	CONF
	lab_run ns1 signer named -g -n 1 -c "$conf"
	lab_wait_dns ns1 10.53.0.3 && wait_signed || return 1
	ZSK=$(grep -l ' 256 3 13 ' "$dir"/K*.key | head -n 1)
	ZSK=${ZSK%.key}
}

start_knot() { # keys of BIND's making, imported, so that they can be stolen
	local conf=$LAB_DIR/signer.conf dir=$WORK/knot key
	rm -rf "$dir"
	mkdir -p "$dir/db"
	signers zone "$dir/$Z.zone" $Z.
	lab_knot_signer "$dir" $Z on >"$conf"
	read -r KSK ZSK <<<"$(signers keys $Z.)"
	for key in $KSK $ZSK; do keymgr -c "$conf" $Z. import-bind "$key.key" >/dev/null || return 1; done
	lab_run ns1 signer knotd -c "$conf"
	KNOTC="knotc -c $conf"
	lab_wait_dns ns1 10.53.0.3 && wait_signed
}

wait_signed() {
	local i
	for ((i = 0; i < 100; i++)); do
		lab_in ns1 dig +dnssec +norec @10.53.0.3 $Z SOA | grep -q RRSIG && return 0
		sleep 0.1
	done
	echo "signers.sh: the zone was not signed" >&2
	cat "$LAB_DIR/signer.log" >&2
	return 1
}

update_bind() { # lines of nsupdate
	{ echo "server 10.53.0.3"; printf '%s\n' "$@"; echo send; } | lab_in ns1 nsupdate || echo "nsupdate failed" >&2
}

update_knot() { # "set NAME TTL TYPE RDATA" or "unset NAME TYPE"
	local line
	$KNOTC zone-begin $Z >/dev/null
	for line in "$@"; do eval "$KNOTC zone-${line%% *} $Z ${line#* }" >/dev/null || echo "knotc failed: $line" >&2; done
	$KNOTC zone-commit $Z >/dev/null
	sleep 0.3
}

start_secondary() { # what it transfers now it keeps: nobody notifies it
	local conf=$LAB_DIR/secondary.conf
	rm -f "$LAB_DIR/secondary.zone"
	cat >"$conf" <<-CONF
		server:
		  ip-address: 10.53.0.4
		  username: ""
		  database: ""
		  zonesdir: "$LAB_DIR"
		  xfrdfile: "$LAB_DIR/secondary.xfrd"
		  pidfile: "$LAB_DIR/secondary.pid"
		  zonelistfile: "$LAB_DIR/secondary.list"
		  server-count: 1
		  rrl-ratelimit: 0
		remote-control:
		  control-enable: no
		zone:
		  name: $Z
		  zonefile: secondary.zone
		  request-xfr: AXFR 10.53.0.3 NOKEY
		  allow-notify: 10.53.0.3 NOKEY
	CONF
	rm -f "$LAB_DIR/secondary.xfrd"
	lab_run ns2 secondary nsd -d -c "$conf"
	local i
	for ((i = 0; i < 100; i++)); do
		lab_in ns2 dig +norec +time=1 +tries=1 @10.53.0.4 $Z SOA | grep -q 'status: NOERROR' && return 0
		sleep 0.1
	done
	echo "signers.sh: no transfer" >&2
	cat "$LAB_DIR/secondary.log" >&2
	return 1
}

start_all() { # start_all bind|knot: signer, secondary, parents, resolver; then the recording
	DIR=$WORK/serve
	rm -rf "$DIR"
	"start_$1" || return 1
	lab_in ns1 dig +norec @10.53.0.3 $Z DNSKEY | dnssec-dsfromkey -2 -f - $Z >"$WORK/ds" || return 1
	signers parents "$DIR" $Z. "$WORK/ds"
	start_secondary || return 1
	lab_nsd root "$DIR/root"
	lab_nsd tld "$DIR/tld"
	lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2 || return 1
	LAB_RES_EXTRA="  cache-max-ttl: 2
  cache-max-negative-ttl: 2
  aggressive-nsec: no
  trust-anchor-signaling: no" lab_unbound "$DIR/anchor"
	lab_wait_dns cli 10.54.0.1
	cp "$DIR/anchor" "$OUT/$NAME.anchor"
	lab_record "$OUT/$NAME.pcap"
}

stop_all() {
	lab_record_end
	lab_stop unbound nsd-root nsd-tld nsd-ns1 knot-ns2 signer secondary thief
	lab_in ns1 nft delete table ip turn 2>/dev/null
	return 0
}

# --- questions ----------------------------------------------------------------------------------

client() { # NAME TYPE pairs, through the resolver
	while [ $# -gt 1 ]; do
		lab_dig "$1" "$2" >/dev/null
		shift 2
	done
}

direct() { # SERVER, then NAME TYPE pairs: another resolver behind the same tap
	local server=$1
	shift
	while [ $# -gt 1 ]; do
		lab_in res dig +dnssec +norec +tries=1 "@$server" "$1" "$2" >/dev/null
		shift 2
	done
}

ask_all() { # what there is in the zone
	local i
	client $Z SOA $Z NS $Z A $Z AAAA $Z MX $Z TXT $Z CAA www.$Z A www.$Z AAAA mail.$Z A vpn.$Z A api.$Z A \
		_dmarc.$Z TXT nx.$Z A
	for i in 00 01 02 03 04 05 06 07 08 09 10 11; do client a$i.$Z A; done
}

turn_on() { # turn_on TOOL LINE…: the thief answers for ns1
	lab_in ns1 dig @10.53.0.3 $Z AXFR +onesoa >"$WORK/axfr"
	signers forge "$WORK/forged" "$WORK/axfr" "$ZSK" "$@" || return 1
	cat >"$LAB_DIR/thief.conf" <<-CONF
		server:
		  ip-address: 10.53.0.3@5399
		  username: ""
		  database: ""
		  zonesdir: "$WORK/forged"
		  xfrdfile: "$LAB_DIR/thief.xfrd"
		  pidfile: "$LAB_DIR/thief.pid"
		  zonelistfile: "$LAB_DIR/thief.list"
		  server-count: 1
		  rrl-ratelimit: 0
		remote-control:
		  control-enable: no
		zone:
		  name: $Z
		  zonefile: $Z.zone
	CONF
	lab_run ns1 thief nsd -d -c "$LAB_DIR/thief.conf"
	sleep 0.7
	lab_in ns1 nft -f - <<-RULES
		table ip turn {
		 chain in { type nat hook prerouting priority -100; ip saddr 10.53.0.100 meta l4proto { tcp, udp } th dport 53 redirect to :5399; }
		}
	RULES
}

turn_off() {
	lab_in ns1 nft delete table ip turn
	lab_stop thief
	sleep 0.2
}

# --- scenarios ----------------------------------------------------------------------------------

learn_bind() { # three occasions at which the signer works, as a quiet zone has them in a month
	ask_all
	for i in 1 2 3; do
		sleep 1.2
		update_bind "update add new$i.$Z 300 A 192.0.2.$((200 + i))" "update delete a0$i.$Z A" \
			"update add a0$i.$Z 300 A 192.0.2.$((210 + i))"
		client new$i.$Z A a0$i.$Z A $Z SOA
	done
	sleep 2.2
	lab_stop secondary
	start_secondary
	ask_all
}

learn_knot() {
	ask_all
	for i in 1 2 3; do
		sleep 1.2
		update_knot "set new$i 300 A 192.0.2.$((200 + i))" "unset a0$i A" "set a0$i 300 A 192.0.2.$((210 + i))"
		client new$i.$Z A a0$i.$Z A $Z SOA
	done
	sleep 2.2
	lab_stop secondary
	start_secondary
	ask_all
}

steal() { # steal TOOL: web, mail and policy of the zone lead elsewhere for a while
	turn_on "$1" "www.$Z. 300 IN A 203.0.113.66" "$Z. 300 IN MX 10 mail.attacker.example." \
		"$Z. 300 IN TXT \"v=spf1 ip4:203.0.113.0/24 ~all\"" || return 1
	direct 10.53.0.3 www.$Z A $Z MX $Z TXT
	client www.$Z A $Z MX $Z TXT
	turn_off
	sleep 2.2
	direct 10.53.0.3 $Z SOA www.$Z A $Z SOA
	client www.$Z A $Z MX $Z TXT $Z SOA
}

record_stolen_zsk_bind_ldns() { start_all bind && learn_bind && steal ldns; }
record_stolen_zsk_bind_dnspython() { start_all bind && learn_bind && steal dnspython; }
record_stolen_zsk_knot_bind() { start_all knot && learn_knot && steal bind; }
record_stolen_zsk_knot_ldns() { start_all knot && learn_knot && steal ldns; }

baseline_of() { # FOLDER: the zone as it is now, signed, with its DS
	rm -rf "${OUT:?}/$1"
	mkdir -p "$OUT/$1"
	{ lab_in ns1 dig +nocomments +nostats @10.53.0.3 $Z AXFR +onesoa && cat "$WORK/ds"; } >"$OUT/$1/$Z.zone"
}

record_stolen_zsk_baseline() { # the owner's zone file alone shows how Knot signs: little was asked for before
	start_all knot || return 1
	baseline_of zones-stolen
	client $Z SOA www.$Z A
	direct 10.53.0.3 $Z SOA
	turn_on bind "$Z. 300 IN MX 10 mail.attacker.example." || return 1
	direct 10.53.0.3 $Z MX
	turn_off
	direct 10.53.0.3 $Z SOA
	client www.$Z A
}

record_signer_changed() { # Knot is told to sign for longer: what is changed at first, then everything
	start_all knot || return 1
	baseline_of zones-signer-changed
	printf 'zone: %s.\ndynamic: ["new1.%s. A"]\n' $Z $Z >"$OUT/zones-signer-changed/$Z.yaml"
	client $Z SOA www.$Z A $Z TXT
	direct 10.53.0.3 $Z SOA
	sed -i -e 's/rrsig-lifetime: 14d/rrsig-lifetime: 30d/' "$LAB_DIR/signer.conf"
	$KNOTC reload >/dev/null
	sleep 0.5
	update_knot "set new1 300 A 192.0.2.201"
	direct 10.53.0.3 new1.$Z A $Z MX $Z SOA
	client new1.$Z A $Z MX vpn.$Z A nx.$Z A
	sleep 2.2
	client $Z SOA $Z CAA
	$KNOTC zone-sign $Z >/dev/null
	sleep 1
	direct 10.53.0.3 $Z MX $Z TXT $Z DNSKEY $Z SOA
	sleep 2.2
	ask_all
}

record_updates_bind() { # everything an owner does: records, TTLs, serials; a secondary behind; everything signed anew
	start_all bind && learn_bind || return 1
	update_bind "update delete www.$Z A" "update add www.$Z 300 A 192.0.2.81" "update delete $Z MX" \
		"update add mail2.$Z 300 A 192.0.2.26" "update add $Z 300 MX 10 mail2.$Z"
	direct 10.53.0.3 $Z SOA www.$Z A $Z MX $Z SOA # new here, old there
	direct 10.53.0.4 $Z SOA www.$Z A $Z MX $Z SOA
	client www.$Z A $Z MX $Z SOA www.$Z A
	sleep 2.2
	client www.$Z A $Z MX $Z SOA
	lab_stop secondary
	start_secondary
	direct 10.53.0.4 $Z SOA www.$Z A $Z MX $Z SOA
	update_bind "update delete vpn.$Z A" "update add vpn.$Z 60 A 192.0.2.44" # another TTL alone
	update_bind "update delete www.$Z A" "update add www.$Z 300 A 192.0.2.80" # and back
	direct 10.53.0.3 $Z SOA www.$Z A vpn.$Z A $Z SOA
	update_bind "update delete www.$Z A" "update add www.$Z 300 A 192.0.2.81" # and forth
	direct 10.53.0.3 www.$Z A $Z SOA
	sleep 2.2
	ask_all
}

record_updates_knot() {
	start_all knot && learn_knot || return 1
	update_knot "unset www A" "set www 300 A 192.0.2.81" "unset @ MX" "set @ 300 MX '10 mail2'"
	direct 10.53.0.3 $Z SOA www.$Z A $Z MX $Z SOA
	direct 10.53.0.4 $Z SOA www.$Z A $Z MX $Z SOA
	client www.$Z A $Z MX $Z SOA www.$Z A
	sleep 2.2
	lab_stop secondary
	start_secondary
	direct 10.53.0.4 $Z SOA www.$Z A $Z MX $Z SOA
	$KNOTC zone-sign $Z >/dev/null # everything anew
	sleep 1
	direct 10.53.0.3 $Z SOA www.$Z A vpn.$Z A $Z DNSKEY $Z SOA
	update_knot "unset www A" "set www 60 A 192.0.2.80"
	direct 10.53.0.3 www.$Z A $Z SOA
	sleep 2.2
	ask_all
}

record_refresh_overdue() { # the signer of one zone of two has stopped
	DIR=$WORK/serve
	rm -rf "${OUT:?}/zones-refresh"
	signers overdue "$DIR" "$OUT/zones-refresh" && lab_start "$DIR" "$DIR/anchor" || return 1
	cp "$DIR/anchor" "$OUT/$NAME.anchor"
	lab_record "$OUT/$NAME.pcap" || return 1
	client www.late.test A late.test MX nx.late.test A late.test SOA www.fresh.test A fresh.test MX fresh.test SOA
}

SCENARIOS="refresh-overdue signer-changed stolen-zsk-baseline stolen-zsk-bind-ldns stolen-zsk-bind-dnspython stolen-zsk-knot-bind stolen-zsk-knot-ldns updates-bind updates-knot"

lab_up
lab_need named knotd keymgr knotc nsupdate dnssec-dsfromkey ldns-signzone
failed=0
for NAME in ${*:-$SCENARIOS}; do
	WORK=$LAB_DIR/work-$NAME
	mkdir -p "$WORK"
	"record_${NAME//-/_}" || { echo "signers.sh: $NAME failed" >&2; failed=1; }
	stop_all
	signers expect "$NAME" "$OUT/$NAME.expect"
	printf '%-32s %8d bytes\n' "$NAME" "$(stat -c %s "$OUT/$NAME.pcap")"
done
exit $failed
