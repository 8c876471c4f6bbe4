#!/bin/bash
# Records the scenarios of situations.py anew, with real servers in network namespaces (see ../lab/lib.sh):
#   tests/scenarios/make.sh [NAME…]        without names: all of them, and the baselines
# Needs root and the packages that deploy/deps.sh --lab installs. Keys are new in each run, so scenarios and
# baselines that belong together must be recorded together: without names, everything is replaced; with names,
# MAKE_WORK must name the work folder of the run that made the others.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
situations() { "$PYTHON" "$HERE/situations.py" "$WORK" "$@"; }

# --- recipes: what is recorded where, with what resolver ------------------------------------------------------

finish() { # after the questions: stop recording, ask delv, stop the servers
	lab_record_end
	lab_delv "$JUDGES" "$DIR/delv.keys"
	lab_halt
}

recipe_plain() {
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	finish
}

recipe_fragments() { # the resolver asks for 4096 bytes and the servers give them, in fragments
	LAB_EDNS_SIZE=4096 LAB_RES_EXTRA="  edns-buffer-size: 4096
  max-udp-size: 4096" lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES" +bufsize=4096
	finish
}

recipe_fragments_dropped() { # … and a box on the servers' side lets no fragment through but the first
	local role
	for role in ns1 ns2; do
		lab_in sw nft -f - <<<"table netdev wall_$role { chain in_ { type filter hook ingress device \"p-$role\" priority -400; policy accept; ip frag-off & 0x1fff != 0 drop; }; }"
	done
	recipe_fragments
	for role in ns1 ns2; do lab_in sw nft delete table netdev "wall_$role"; done
}

recipe_tcp() { # many questions in one connection, from client and resolver
	LAB_RES_EXTRA="  tcp-upstream: yes" lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_in cli "$PYTHON" "$HERE/../lab/pipeline.py" 10.54.0.1 "$DIR/questions"
	lab_record_end
	lab_ask "$DIR/questions" "$JUDGES"
	finish
}

recipe_blocked() { # a firewall between resolver and servers that lets no TCP through
	lab_in res nft -f - <<<'table inet wall { chain out { type filter hook output priority 0; oifname "eth0" tcp dport 53 drop; }; }'
	recipe_plain
	lab_in res nft delete table inet wall
}

recipe_ipv6() {
	local LAB_IP6=yes LAB_IP4=no LAB_RESOLVER=fd54::1
	recipe_plain
}

wrapped() { # wrapped HOW [ARGUMENT…]: the mirror port wraps what it sends (../lab/wrap.py); jumbo frames inside
	lab_in sw ip link add p-m type veth peer name p-mb
	lab_offloads_off sw p-m
	lab_offloads_off sw p-mb
	lab_in sw ip link set p-m up
	lab_in sw ip link set p-mb up
	lab_in sw ip link set p-sen mtu 1700
	lab_in sen ip link set eth0 mtu 1700
	lab_mirror p-m p-res p-rc
	lab_run sw wrap "$PYTHON" "$HERE/../lab/wrap.py" p-mb p-sen "$@"
	recipe_plain
	lab_stop wrap
	lab_mirror p-sen p-res p-rc
	lab_in sw ip link del p-m
}
recipe_vlan() { wrapped vlan 8100:100; }
recipe_qinq() { wrapped vlan 88a8:200 8100:100; }
for how in vxlan geneve gre erspan2 erspan3 mpls pppoe ipip; do eval "recipe_$how() { wrapped $how; }"; done

recipe_twice() { # both ends of every path are mirrored
	lab_mirror p-sen p-res p-rc p-root p-tld p-ns1 p-ns2
	recipe_plain
	lab_mirror p-sen p-res p-rc
}

recipe_queries() { # the mirror copies one direction: what the resolver sends to servers
	lab_one_way p-sen p-res
	recipe_plain
	lab_mirror p-sen p-res p-rc
}

recipe_snapped() { # a capture that kept 200 bytes of each frame
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" sen eth0 -s 200 || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	finish
}

recipe_midway() { # recording begins when the resolver already knows the chain
	lab_start "$DIR" "$DIR/anchor" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	finish
}

recipe_edns() { # 0x20 upstream, cookies and padding from the client, clients without DO, lowered TTLs
	LAB_RES_EXTRA="  use-caps-for-id: yes" lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES" +cookie +padding=128
	sleep 2
	lab_ask "$DIR/questions" "$LAB_DIR/second" +nocookie
	lab_ask "$DIR/questions" "$LAB_DIR/third" +nodnssec
	lab_ask "$DIR/questions" "$LAB_DIR/fourth" +noedns
	finish
}

cooked() { # on the resolver itself, all its interfaces at once
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" res any -y "$1" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	finish
}
recipe_sll() { cooked LINUX_SLL; }
recipe_sll2() { cooked LINUX_SLL2; }

recipe_clientonly() { # the tap sees only what client and resolver say to each other
	lab_mirror p-sen p-rc
	recipe_plain
	lab_mirror p-sen p-res p-rc
}

recipe_stub() { # the same tap, but the client validates by itself and so fetches the chain
	local name kind
	lab_mirror p-sen p-rc
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	while read -r name kind; do
		lab_in cli delv @10.54.0.1 -a "$DIR/delv.keys" "$name" "$kind" </dev/null >/dev/null 2>&1
	done <"$DIR/questions"
	finish
	lab_mirror p-sen p-res p-rc
}

recipe_backwards() { # answers first, then the keys of the zones, then their parents'
	local zone name kind
	ask() { lab_in res dig +dnssec +norec +tries=1 @"$@" >/dev/null; }
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	while read -r name kind; do ask 10.53.0.3 "$name" "$kind" </dev/null; done <"$DIR/questions"
	for zone in bank.test gov.test example.test; do ask 10.53.0.4 "$zone" DNSKEY; done
	for zone in bank.test gov.test example.test plain.test; do ask 10.53.0.2 "$zone" DS; done
	ask 10.53.0.2 test DNSKEY
	ask 10.53.0.1 test DS
	ask 10.53.0.1 . DNSKEY
	lab_record_end
	lab_ask "$DIR/questions" "$JUDGES"
	finish
}

recipe_walk() { # along the NSEC chain, through the resolver
	recipe_asked() { lab_in cli ldns-walk @10.54.0.1 nsec.test </dev/null >/dev/null 2>&1; }
	recipe_before recipe_asked
}

recipe_guess() { # names made up, many a second, for the hashes in the answers
	recipe_asked() { lab_in cli "$PYTHON" "$HERE/../lab/guess.py" 10.54.0.1 nsec3.test. 160; }
	recipe_before recipe_asked
}

recipe_stages() { # the first server gets a zone after the other, the second is one behind; both are asked
	local stage
	ask_servers() {
		local server name kind round
		for round in 1 2; do
			for server in 10.53.0.3 10.53.0.4; do
				while read -r name kind; do
					lab_in res dig +dnssec +norec +tries=1 @"$server" "$name" "$kind" </dev/null >/dev/null
				done <"$DIR/questions"
			done
		done
	}
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	ask_servers
	for stage in "$DIR"/stage*; do
		lab_stop nsd-ns1 knot-ns2
		cp "$DIR"/ns1/*.zone "$DIR/ns2/"
		cp "$stage"/*.zone "$DIR/ns1/"
		sleep 1
		lab_nsd ns1 "$DIR/ns1"
		lab_knot ns2 "$DIR/ns2"
		lab_wait_dns ns1 10.53.0.3 && lab_wait_dns ns2 10.53.0.4 || return 1
		ask_servers
	done
	finish
}

recipe_cuts() { # the parent's servers and the zone's are asked while first the zone changes, then its parent follows
	local stage
	ask_cut() {
		local name kind
		while read -r name kind; do
			lab_in res dig +dnssec +norec +tries=1 @10.53.0.2 "$name" "$kind" </dev/null >/dev/null
			lab_in res dig +dnssec +norec +tries=1 @10.53.0.3 "$name" "$kind" </dev/null >/dev/null
		done <"$DIR/questions"
	}
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	ask_cut
	for stage in "$DIR"/stage*; do
		for zone in "$stage"/*.zone; do
			if [ "${zone##*/}" = test.zone ]; then cp "$zone" "$DIR/tld/"; else cp "$zone" "$DIR/ns1/"; fi
		done
		kill -HUP "${LAB_PID[nsd-ns1]}" "${LAB_PID[nsd-tld]}"
		sleep 0.5
		for _ in 1 2 3 4 5; do ask_cut; sleep 1; done
	done
	finish
}

recipe_before() { # recipe_before COMMAND: the command, then the questions
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	"$1"
	lab_ask "$DIR/questions" "$JUDGES"
	finish
}

recipe_differential() { # damage on the way needs every question to reach the servers, and one server only
	LAB_MANGLE="$HERE/differential.py $WORK $name" LAB_RES_EXTRA="  aggressive-nsec: no
  qname-minimisation: no
  harden-below-nxdomain: no
  trust-anchor-signaling: no
  infra-host-ttl: 0
  infra-cache-min-rtt: 50" lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	finish
}

. "$HERE/attacks.sh"

# --- the loop -----------------------------------------------------------------------------------------------------

[ $# -gt 0 ] && [ -z "${MAKE_WORK:-}" ] && { echo "make.sh: with names, MAKE_WORK must name the work folder of the others" >&2; exit 2; }
lab_up
WORK=${MAKE_WORK:-$LAB_DIR/work}
mkdir -p "$WORK"
failed=0
while read -r name recipe; do
	DIR=$WORK/$name PCAP=$OUT/$name.pcap JUDGES=$OUT/$name.judges
	situations build "$name" && "recipe_$recipe" || { echo "make.sh: $name failed" >&2; failed=1; lab_halt; continue; }
	lab_verify_zones "$DIR" "$OUT/$name.zones"
	cp "$DIR/anchor" "$OUT/$name.anchor"
	situations expect "$name" "$OUT/$name.expect"
	printf '%-32s %8d bytes %s\n' "$name" "$(stat -c %s "$PCAP")" "$recipe"
done < <(situations list "$@")
if [ $# -eq 0 ]; then
	for baseline in $(situations baselines); do
		rm -rf "${OUT:?}/$baseline"
		situations baseline "$baseline" "$OUT/$baseline"
	done
fi
exit $failed
