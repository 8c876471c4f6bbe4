# shellcheck shell=bash
# The recipes of attacks.py's situations; sourced by make.sh.

attack() { # attack ROLE VERB…: in the foreground
	local role=$1
	shift
	lab_in "$role" "$PYTHON" "$HERE/../lab/attack.py" "$@"
}
attack_run() { # the same in the background, as "attack"
	local role=$1
	shift
	lab_run "$role" attack "$PYTHON" "$HERE/../lab/attack.py" "$@"
	sleep 0.5
}
mac_of() { lab_in "$1" cat /sys/class/net/eth0/address; }

recipe_race() { # a copy of the resolver's traffic leaks to the attacker, who is nearer than the servers
	lab_in sw nft -f - <<<'table netdev leak { chain in_ { type filter hook ingress device "p-res" priority -299; policy accept; dup to "p-att"; }; }'
	LAB_MANGLE="$HERE/attacks.py $WORK slow" lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	attack_run att race eth0 www.bank.test.=203.0.113.66 www.plain.test.=203.0.113.66
	lab_ask "$DIR/questions" "$JUDGES"
	lab_stop attack
	finish
	lab_in sw nft delete table netdev leak
}

recipe_resent() { # queries that were sent twice, answered twice by a server whose answers alternate
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	attack_run att alternate 10.53.0.66
	attack res resend 10.53.0.66 www.rotating.test. 20
	lab_stop attack
	finish
}

recipe_flood() { # the attacker does not see the queries: he makes the resolver ask, and guesses
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	local victim
	for victim in cc1.bank.test. cc2.bank.test.; do
		attack_run att flood eth0 10.53.0.3 10.53.0.100 "$(mac_of res)" "$victim" 200
		lab_dig "$victim" A >/dev/null
		attack att flood eth0 10.53.0.4 10.53.0.100 "$(mac_of res)" "$victim" 200
		lab_stop attack
	done
	finish
}

recipe_reflected() { # queries that bear the resolver's address, from where the tap does not see them
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	sleep 2
	attack att reflect eth0 10.53.0.100 10.53.0.3 "$(mac_of ns1)" bank.test. DNSKEY 80
	attack att reflect eth0 10.53.0.100 10.53.0.4 "$(mac_of ns2)" bank.test. DNSKEY 80
	finish
}

walled() { # walled ACTION: what the servers' firewall does with TCP
	local role
	for role in ns1 ns2; do
		lab_in "$role" nft -f - <<<"table inet wall { chain in_ { type filter hook input priority 0; tcp dport 53 $1; }; }"
	done
	recipe_plain
	for role in ns1 ns2; do lab_in "$role" nft delete table inet wall; done
}
recipe_walled() { walled drop; }
recipe_refusing() { walled "reject with tcp reset"; }

recipe_noedns() { # a box before the first server that does not know EDNS (mangles() in attacks.py)
	LAB_MANGLE="$HERE/attacks.py $WORK noedns" recipe_plain
}

recipe_noedns_named() { # the same box before a resolver that remembers who does without EDNS
	lab_need named
	eval "unbound_$(declare -f lab_unbound)"
	lab_unbound() {
		cat >"$LAB_DIR/named.conf" <<-CONF
			options { directory "$LAB_DIR"; pid-file "$LAB_DIR/named.pid"; session-keyfile none; listen-on { 10.54.0.1; };
				listen-on-v6 { none; }; query-source address 10.53.0.100; recursion yes; dnssec-validation yes;
				empty-zones-enable no; allow-query { any; }; };
			controls { };
			zone "." { type hint; file "$LAB_DIR/root.hints"; };
			include "$DIR/delv.keys";
		CONF
		printf '. 3600000 IN NS ns.root-servers.test.\nns.root-servers.test. 3600000 IN A 10.53.0.1\n' >"$LAB_DIR/root.hints"
		lab_run res unbound named -g -c "$LAB_DIR/named.conf"
	}
	recipe_noedns
	eval "$(declare -f unbound_lab_unbound | sed '1s/unbound_//')"
}

recipe_lossyedns() { # a box that drops EDNS now and then: once is chance
	LAB_MANGLE="$HERE/attacks.py $WORK once" recipe_plain
}

recipe_iodine() { # IP over DNS through the resolver, as iodine does it
	rm -rf "$DIR/att"
	LAB_RES_EXTRA="  qname-minimisation: no" lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_run att iodined iodined -f -c -P lab 10.99.0.1 tun.test
	sleep 1
	lab_ask "$DIR/questions" "$JUDGES"
	lab_run cli iodine iodine -f -r -L0 -T TXT -m 300 -P lab 10.54.0.1 tun.test
	sleep 8
	attack_run att echo 10.99.0.1
	attack cli talk 10.99.0.1 16000
	lab_stop attack
	lab_stop iodine iodined
	finish
}

recipe_longnames() { # what has long names, or much TXT, and is no tunnel
	local i hash
	lab_start "$DIR" "$DIR/anchor" && lab_record "$PCAP" || return 1
	lab_ask "$DIR/questions" "$JUDGES"
	for ((i = 0; i < 60; i++)); do
		hash=$(printf 'file %d' "$i" | sha224sum | cut -c 1-56)
		echo "$hash.hash.rep.test. A"      # reputation by hash
		echo "$hash.same.rep.test. TXT"    # a wildcard says the same to all
		echo "$hash.short.rep.test. TXT"   # nothing there
		echo "${hash:0:32}.dkim.rep.test. TXT" # keys of many senders below one domain
	done >"$LAB_DIR/long"
	lab_in cli dnsperf -s 10.54.0.1 -d "$LAB_DIR/long" -n 1 -q 5 -e -D >/dev/null 2>&1
	finish
}
