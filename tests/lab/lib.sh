# shellcheck shell=bash
# A DNS lab in network namespaces: fake root, TLD, two authoritative servers, a validating resolver,
# a client, an attacker's seat, and a sensor behind a mirror port. Sourced by tests/lab/NN-*.sh,
# tests/scenarios/make.sh and tests/bench/make_capture.sh; needs root.
#
#            br0: 10.53.0.0/24, fd53::/64                        br1: 10.54.0.0/24, fd54::/64
#   root .1   tld .2   ns1 .3 (nsd)   ns2 .4 (knot)   att .66   res .100 ── res .1   cli .10
#                                                                  │  mirrored (both ports)
#                                                                 sen
#
# Everything lives in namespaces named $LAB_NS-<role> and in $LAB_DIR; nothing listens on the host.
# lab_down undoes all of it, kills only what lab_run started, and runs on every exit.

LAB_ARGUMENTS=("$@") # of the script that sources this
LAB_NS=${LAB_NS:-dbl$$}
LAB_DIR=${LAB_DIR:-}
LAB_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_ROLES="sw root tld ns1 ns2 att res cli sen"
export PYTHONDONTWRITEBYTECODE=1
declare -A LAB_PID=()
LAB_UP=0

lab_skip() { # a visible skip: reason; status 77 as automake's convention has it
	echo "SKIP: $*"
	exit 77
}

lab_need() { # the tools named, or skip
	local tool
	for tool in "$@"; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || lab_skip "$tool is not installed"
	done
}

lab_check() {
	PATH=$PATH:/usr/sbin:/sbin
	export PATH LC_ALL=C
	if [ "$(id -u)" != 0 ]; then # a user's own namespaces do as well, where the kernel allows them
		if [ -z "${LAB_ROOTLESS:-}" ] && unshare -Urnm true 2>/dev/null; then
			LAB_ROOTLESS=1 exec unshare -Urnm bash -c 'mount -t tmpfs run /run && exec bash "$@"' - \
				"$0" "${LAB_ARGUMENTS[@]}"
		fi
		lab_skip "needs root, or a kernel that lets users make namespaces"
	fi
	lab_need ip nft ethtool nsd knotd unbound dig tcpdump dnssec-signzone
	ip netns add "$LAB_NS-probe" 2>/dev/null || lab_skip "cannot create network namespaces"
	ip netns del "$LAB_NS-probe"
}

lab_in() { # lab_in ROLE command…
	local role=$1
	shift
	ip netns exec "$LAB_NS-$role" "$@"
}

lab_run() { # lab_run ROLE NAME command…: in the background, under a name, output to NAME.log
	local role=$1 name=$2
	shift 2
	rm -f "$LAB_DIR/$name.log" # an earlier run's "listening on" must not be taken for this one's
	ip netns exec "$LAB_NS-$role" "$@" >"$LAB_DIR/$name.log" 2>&1 &
	LAB_PID[$name]=$!
}

lab_stop() { # lab_stop NAME…: TERM, five seconds of grace, KILL; only what lab_run started
	local name pid i
	for name in "$@"; do
		pid=${LAB_PID[$name]:-}
		[ -n "$pid" ] || continue
		kill -TERM "$pid" 2>/dev/null
		for ((i = 0; i < 50; i++)); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		unset "LAB_PID[$name]"
	done
	return 0
}

lab_down() {
	local role
	trap - EXIT INT TERM HUP
	lab_stop "${!LAB_PID[@]}"
	if [ "$LAB_UP" = 1 ]; then
		for role in $LAB_ROLES; do ip netns del "$LAB_NS-$role" 2>/dev/null; done
		LAB_UP=0
	fi
	[ -n "$LAB_DIR" ] && [ -z "${LAB_KEEP:-}" ] && rm -rf "$LAB_DIR"
	return 0
}

# A veth pair: ROLE's interface DEV with addresses, the other end in the switch as PORT on BRIDGE.
lab_port() { # ROLE DEV PORT BRIDGE [ADDRESS…]
	local role=$1 dev=$2 port=$3 bridge=$4 address
	shift 4
	ip link add "$dev" netns "$LAB_NS-$role" type veth peer name "$port" netns "$LAB_NS-sw"
	for address in "$@"; do
		case $address in
		*:*) lab_in "$role" ip addr add "$address" dev "$dev" nodad ;;
		*) lab_in "$role" ip addr add "$address" dev "$dev" ;;
		esac
	done
	lab_offloads_off "$role" "$dev"
	lab_offloads_off sw "$port"
	[ "$bridge" = - ] || lab_in sw ip link set "$port" master "$bridge"
	lab_in sw ip link set "$port" up
	lab_in "$role" ip link set "$dev" up
}

lab_offloads_off() { # without this a veth shows 50 kB frames and unfinished checksums
	lab_in "$1" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1
}

lab_up() { # builds the topology; LAB_DIR becomes a new folder
	local role bridge
	lab_check
	LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/$LAB_NS.XXXXXX")
	chmod 755 "$LAB_DIR"
	trap lab_down EXIT
	trap 'lab_down; exit 130' INT
	trap 'lab_down; exit 143' TERM HUP
	LAB_UP=1
	for role in $LAB_ROLES; do
		ip netns add "$LAB_NS-$role"
		lab_in "$role" sysctl -qw net.ipv6.conf.all.router_solicitations=0 \
			net.ipv6.conf.default.router_solicitations=0 \
			net.ipv6.conf.default.accept_dad=0 2>/dev/null
		lab_in "$role" ip link set lo up
	done
	for bridge in br0 br1; do
		lab_in sw ip link add "$bridge" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
		lab_in sw ip link set "$bridge" up
	done
	lab_port root eth0 p-root br0 10.53.0.1/24 fd53::1/64
	lab_port tld eth0 p-tld br0 10.53.0.2/24 fd53::2/64
	lab_port ns1 eth0 p-ns1 br0 10.53.0.3/24 fd53::3/64
	lab_port ns2 eth0 p-ns2 br0 10.53.0.4/24 fd53::4/64
	lab_port att eth0 p-att br0 10.53.0.66/24 fd53::66/64
	lab_port res eth0 p-res br0 10.53.0.100/24 fd53::100/64
	lab_port res eth1 p-rc br1 10.54.0.1/24 fd54::1/64
	lab_port cli eth0 p-cli br1 10.54.0.10/24 fd54::10/64
	lab_port sen eth0 p-sen -
	lab_mirror p-sen p-res p-rc
}

lab_mirror() { # lab_mirror TO PORT…: both directions of each port are copied to TO
	local to=$1 port
	shift
	lab_in sw nft delete table netdev span 2>/dev/null
	{
		echo "table netdev span {"
		for port in "$@"; do
			echo " chain in_${port//-/_} { type filter hook ingress device \"$port\" priority -300; policy accept; dup to \"$to\"; }"
			echo " chain out_${port//-/_} { type filter hook egress device \"$port\" priority -300; policy accept; dup to \"$to\"; }"
		done
		echo "}"
	} | lab_in sw nft -f -
}

# --- servers: each serves a folder of <zone>.zone files ("root.zone" is the root) --------------------

lab_zone_of() { # file name -> zone name without the trailing dot ("." for the root)
	local base=${1##*/}
	base=${base%.zone}
	[ "$base" = root ] && base=.
	printf '%s' "$base"
}

lab_wait_dns() { # ROLE ADDRESS: until something answers there
	local i
	for ((i = 0; i < 100; i++)); do
		lab_in "$1" dig +time=1 +tries=1 +norec @"$2" version.bind CH TXT >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "lab: $2 does not answer" >&2
	cat "$LAB_DIR"/*.log >&2
	return 1
}

lab_nsd() { # lab_nsd ROLE FOLDER [PORT [ADDRESS]]
	local role=$1 folder=$2 port=${3:-53} address=${4:-} conf=$LAB_DIR/nsd-$1.conf file
	{
		echo "server:"
		if [ -n "$address" ]; then
			echo "  ip-address: $address"
		else
			lab_in "$role" ip -o addr show dev eth0 scope global |
				awk '{ sub("/.*", "", $4); print "  ip-address: " $4 }'
		fi
		cat <<-CONF
			  port: $port
			  username: ""
			  database: ""
			  zonesdir: "$folder"
			  xfrdfile: "$LAB_DIR/nsd-$role.xfrd"
			  pidfile: "$LAB_DIR/nsd-$role.pid"
			  zonelistfile: "$LAB_DIR/nsd-$role.list"
			  server-count: 1
			  tcp-count: 100
			  ipv4-edns-size: ${LAB_EDNS_SIZE:-1232}
			  ipv6-edns-size: ${LAB_EDNS_SIZE:-1232}
			  minimal-responses: ${LAB_MINIMAL:-no}
			  rrl-ratelimit: 0
			remote-control:
			  control-enable: no
		CONF
		for file in "$folder"/*.zone; do
			printf 'zone:\n  name: "%s"\n  zonefile: "%s"\n  provide-xfr: 0.0.0.0/0 NOKEY\n' \
				"$(lab_zone_of "$file")" "$file"
		done
	} >"$conf"
	lab_run "$role" "nsd-$role" nsd -d -c "$conf"
}

lab_knot() { # lab_knot ROLE FOLDER
	local role=$1 folder=$2 conf=$LAB_DIR/knot-$1.conf file address
	mkdir -p "$LAB_DIR/knot-$role"
	{
		cat <<-CONF
			server:
			  rundir: "$LAB_DIR/knot-$role"
			  udp-workers: 1
			  tcp-workers: 1
			  background-workers: 1
			  udp-max-payload: ${LAB_EDNS_SIZE:-1232}
		CONF
		for address in $(lab_in "$role" ip -o addr show dev eth0 scope global | awk '{ sub("/.*", "", $4); print $4 }'); do
			echo "  listen: $address@53"
		done
		cat <<-CONF
			log:
			  - target: stderr
			    any: warning
			database:
			  storage: "$LAB_DIR/knot-$role"
			template:
			  - id: default
			    storage: "$folder"
			    semantic-checks: off
			    zonefile-sync: -1
			    journal-content: none
			zone:
		CONF
		for file in "$folder"/*.zone; do
			printf '  - domain: "%s"\n    file: "%s"\n' "$(lab_zone_of "$file")" "$file"
		done
	} >"$conf"
	lab_run "$role" "knot-$role" knotd -c "$conf"
}

# The resolver. Settings through the environment: LAB_RES_EXTRA (lines for the server clause).
lab_knot_signer() { # lab_knot_signer FOLDER ZONE on|off: knot.conf of one that signs FOLDER/ZONE.zone with imported keys
	cat <<-CONF
		server:
		  rundir: "$1"
		  listen: 10.53.0.3@53
		  udp-workers: 1
		  tcp-workers: 1
		  background-workers: 1
		log:
		  - target: stderr
		    any: warning
		database:
		  storage: "$1/db"
		acl:
		  - id: all
		    address: 10.53.0.0/24
		    action: transfer
		policy:
		  - id: lab
		    manual: on
		    algorithm: ecdsap256sha256
		    rrsig-lifetime: 14d
		    rrsig-refresh: 7d
		    dnskey-ttl: 300
		zone:
		  - domain: $2
		    file: "$1/$2.zone"
		    acl: all
		    dnssec-signing: $3
		    dnssec-policy: lab
		    zonefile-sync: -1
		    zonefile-load: difference-no-serial
		    journal-content: all
	CONF
}

lab_unbound() { # lab_unbound ANCHORFILE
	local conf=$LAB_DIR/unbound.conf
	printf '. 3600000 IN NS ns.root-servers.test.\nns.root-servers.test. 3600000 IN A 10.53.0.1\nns.root-servers.test. 3600000 IN AAAA fd53::1\n' >"$LAB_DIR/root.hints"
	cat >"$conf" <<-CONF
		server:
		  interface: 10.54.0.1
		  interface: fd54::1
		  access-control: 0.0.0.0/0 allow
		  access-control: ::/0 allow
		  do-not-query-localhost: no
		  outgoing-interface: 10.53.0.100
		  outgoing-interface: fd53::100
		  username: ""
		  chroot: ""
		  directory: "$LAB_DIR"
		  pidfile: "$LAB_DIR/unbound.pid"
		  use-syslog: no
		  verbosity: 1
		  val-log-level: 2
		  num-threads: 1
		  root-hints: "$LAB_DIR/root.hints"
		  trust-anchor-file: "$1"
		  module-config: "validator iterator"
		  local-zone: "test." nodefault
		  do-ip6: ${LAB_IP6:-no}
		  do-ip4: ${LAB_IP4:-yes}
		  val-sig-skew-min: 0
		  val-sig-skew-max: 0
		  ede: yes
		  ede-serve-expired: no
		  minimal-responses: no
		  target-fetch-policy: "0 0 0 0 0"
		  outbound-msg-retry: 2
		  val-max-restart: 0
		${LAB_RES_EXTRA:-}
		remote-control:
		  control-enable: no
	CONF
	lab_run res unbound unbound -d -p -c "$conf"
}

lab_start() { # lab_start SERVEDIR ANCHOR: root/, tld/, ns1/, ns2/ of SERVEDIR, then the resolver
	local dir=$1
	lab_nsd root "$dir/root"
	lab_nsd tld "$dir/tld"
	if [ -n "${LAB_MANGLE:-}" ]; then # module, work folder and group of mangle.py, which then stands before nsd
		lab_nsd ns1 "$dir/ns1" 5300 127.0.0.1
		# shellcheck disable=SC2086
		lab_run ns1 mangle "${PYTHON:-/usr/bin/python3}" "$LAB_HERE/mangle.py" 10.53.0.3 5300 $LAB_MANGLE
	elif [ -d "$dir/ns1" ]; then
		lab_nsd ns1 "$dir/ns1"
	fi
	[ -d "$dir/ns2" ] && lab_knot ns2 "$dir/ns2"
	[ -d "$dir/att" ] && lab_nsd att "$dir/att"
	lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2 || return 1
	if [ -d "$dir/ns1" ]; then lab_wait_dns ns1 10.53.0.3 || return 1; fi
	if [ -d "$dir/ns2" ]; then lab_wait_dns ns2 10.53.0.4 || return 1; fi
	if [ -d "$dir/att" ]; then lab_wait_dns att 10.53.0.66 || return 1; fi
	lab_unbound "$2"
	lab_wait_dns cli "${LAB_RESOLVER:-10.54.0.1}"
}

lab_halt() { # stops all servers and the resolver
	lab_stop unbound nsd-root nsd-tld nsd-ns1 nsd-ns2 knot-ns2 nsd-att named-ns1 mangle
}

# --- recording ---------------------------------------------------------------------------------------

lab_record() { # lab_record FILE [ROLE DEV [tcpdump arguments…]]: starts tcpdump and waits until it listens
	local file=$1 role=${2:-sen} dev=${3:-eth0}
	shift
	[ $# -gt 0 ] && shift
	[ $# -gt 0 ] && shift
	rm -f "$file"
	if [ -n "${LAB_ROOTLESS:-}" ]; then # tcpdump wants to change groups, which a user's own namespace forbids
		lab_need dumpcap
		lab_run "$role" tcpdump dumpcap -P -q -i "$dev" -w "$file" "$@"
	else
		lab_run "$role" tcpdump tcpdump -i "$dev" --immediate-mode -U -s 0 -Z root -w "$file" "$@"
	fi
	lab_listening
}

lab_listening() { # until the recorder listens
	local i
	for ((i = 0; i < 100; i++)); do
		grep -qE 'listening on|Capturing on' "$LAB_DIR/tcpdump.log" 2>/dev/null && return 0
		kill -0 "${LAB_PID[tcpdump]}" 2>/dev/null || break
		sleep 0.05
	done
	echo "lab: the recorder did not start" >&2
	cat "$LAB_DIR/tcpdump.log" >&2
	return 1
}

lab_record_end() {
	sleep 0.3
	lab_stop tcpdump
}

lab_dig() { # a question from the client to the resolver: lab_dig NAME TYPE [+options]
	lab_in cli dig @"${LAB_RESOLVER:-10.54.0.1}" +dnssec +tries=1 +time=5 "$@"
}

lab_one_way() { # lab_one_way TO PORT: only what enters the switch there, as a mirror of one direction does
	lab_in sw nft delete table netdev span 2>/dev/null
	printf 'table netdev span {\n chain in_ { type filter hook ingress device "%s" priority -300; policy accept; dup to "%s"; }\n}\n' \
		"$2" "$1" | lab_in sw nft -f -
}

# lab_ask QUESTIONS JUDGES [dig arguments…]: each "name type" of the file is asked with DO=1, then with
# CD=1 so that bogus data is on the wire too; what unbound made of it goes to JUDGES.
lab_ask() {
	local questions=$1 judges=$2 name kind answer
	shift 2
	: >"$judges"
	while read -r name kind; do
		answer=$(lab_dig "$@" "$name" "$kind" </dev/null)
		lab_dig "$@" +cd "$name" "$kind" </dev/null >/dev/null
		printf '%s %s %s\n' "$name" "$kind" "$(lab_opinion <<<"$answer")" >>"$judges"
	done <"$questions"
}

lab_opinion() { # dig's output -> unbound=<verdict> rcode=<rcode> ede=<codes>
	awk '
	/status: /  { match($0, /status: [A-Z]+/); rcode = substr($0, RSTART + 8, RLENGTH - 8) }
	/^;; flags:/ { ad = $0 ~ / ad[ ;]/ }
	/EDE: /     { match($0, /EDE: [0-9]+/); code = substr($0, RSTART + 5, RLENGTH - 5) + 0; ede = ede (ede == "" ? "" : ",") code
	              if (code >= 5 && code <= 12 || code == 1 || code == 2) dnssec = 1 }
	END {
		verdict = rcode == "SERVFAIL" ? (dnssec ? "bogus" : "servfail") : rcode == "" ? "silent" : ad ? "secure" : "insecure"
		printf "unbound=%s rcode=%s ede=%s", verdict, rcode == "" ? "-" : rcode, ede == "" ? "-" : ede
	}'
}

# lab_delv JUDGES KEYS: delv judges each question from the same resolver (CD=1); its opinion is appended.
lab_delv() {
	local judges=$1 keys=$2 name kind rest opinion
	while read -r name kind rest; do
		opinion=$(lab_in cli delv @"${LAB_RESOLVER:-10.54.0.1}" -a "$keys" +cdflag "$name" "$kind" </dev/null 2>&1 |
			sed -n -e 's/^;; resolution failed: /failed: /p' -e 's/^; \(fully validated\|unsigned answer\|negative response.*\|.*validated\)$/\1/p' |
			sort -u | paste -sd '|')
		printf '%s %s %s delv="%s"\n' "$name" "$kind" "$rest" "$opinion"
	done <"$judges" >"$judges.new"
	mv "$judges.new" "$judges"
}

# lab_verify_zones DIR OUT: what ldns-verify-zone and dnssec-verify say of each zone listed in DIR/whole.
lab_verify_zones() {
	local dir=$1 zone file ldns bind
	while read -r zone; do
		file=${zone%.}.zone
		[ "$zone" = . ] && file=root.zone
		file=$(find "$dir"/root "$dir"/tld "$dir"/ns1 "$dir"/att -name "$file" 2>/dev/null | head -n 1)
		[ -n "$file" ] || continue
		ldns=good bind=good
		ldns-verify-zone "$file" >/dev/null 2>&1 </dev/null || ldns=bad
		dnssec-verify -q -z -o "$zone" "$file" >/dev/null 2>&1 </dev/null || bind=bad
		echo "$zone ldns-verify-zone=$ldns dnssec-verify=$bind"
	done <"$dir/whole" >"$2"
}
