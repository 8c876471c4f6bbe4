#!/bin/bash
# make_capture.sh OUT.pcap [FRAMES]: a DNSSEC-heavy capture for the benchmark, a million frames by default,
# recorded from real servers in the lab (../lab/lib.sh): 64 zones of mixed algorithms, dnsperf through the
# resolver and directly at the servers, over UDP and TCP. Also writes OUT.anchor (the trust anchor).
# Root, or a kernel that lets users make namespaces.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
OUT=$(realpath -m "$1") FRAMES=${2:-1000000}
PYTHON=${PYTHON:-/usr/bin/python3}
. "$HERE/../lab/lib.sh"
lab_up
lab_need dnsperf

"$PYTHON" - "$HERE/../lab" "$LAB_DIR" <<'PYTHON' || exit 1
import random, sys
sys.path.insert(0, sys.argv[1])
from zones import Tree, Work, Zone
folder = sys.argv[2]
work, zones, names = Work(folder + "/work"), [], []
draw = random.Random(20261122)
ALGORITHMS = [8, 13, 13, 8, 15, 14, 13, 10, 8, 13, 16, 0, 13, 8, 7, 13]  # about as the world mixes them; 0: unsigned
for i in range(64):
    name, alg = f"z{i:03}.test.", ALGORITHMS[i % len(ALGORITHMS)]
    hosts = ["www", "mail", "api2", "img", "shop", "vpn2"] + [f"{draw.choice(['news', 'app', 'cdn'])}{n}" for n in range(60)]
    extra = [f"{h}.@ 300 IN A 198.51.{draw.randrange(256)}.{draw.randrange(1, 255)}" for h in hosts[3:]]
    nsec3 = [None, (0, "-", False), (0, "-", True)][i % 3] if alg else None
    zones.append(Zone(name, alg=alg or 13, nsec3=nsec3, signed=bool(alg), extra=extra))
    names += [(h + "." + name, t) for h in hosts for t in ("A", "A", "A", "AAAA")]
    names += [(name, t) for t in ("A", "MX", "TXT", "NS", "SOA", "DNSKEY", "DS", "CAA")] * 3
    names += [(f"host{n}.wild.{name}", "A") for n in range(8)] + [("api." + name, "A")] * 4
    names += [(f"gone{n}.{name}", draw.choice(["A", "TXT", "SRV"])) for n in range(24)]
Tree(work, zones).build(folder + "/tree")
for part in range(4):
    draw.shuffle(names)
    with open(f"{folder}/queries{part}", "w") as f:
        f.writelines(f"{n} {t}\n" for n, t in names)
PYTHON

# A short cache keeps the resolver asking.
LAB_RES_EXTRA="  cache-max-ttl: 2
  cache-max-negative-ttl: 1
  msg-cache-size: 64m
  rrset-cache-size: 64m
  outgoing-range: 4096
  num-queries-per-thread: 2048
  incoming-num-tcp: 100" lab_start "$LAB_DIR/tree" "$LAB_DIR/tree/anchor" || exit 1
for last in 11 12 13 14 15; do
	lab_in cli ip addr add "10.54.0.$last/24" dev eth0
	lab_in att ip addr add "10.53.0.1$last/24" dev eth0
done
lab_mirror p-sen p-res p-rc p-att
if [ -n "${LAB_ROOTLESS:-}" ]; then # tcpdump wants to change groups, which a user's own namespace forbids
	lab_need dumpcap
	lab_run sen tcpdump dumpcap -P -q -i eth0 -s 262144 -B 128 -c "$FRAMES" -w "$OUT"
else
	lab_run sen tcpdump tcpdump -i eth0 -s 0 -Z root -B 131072 -c "$FRAMES" -w "$OUT"
fi
lab_listening || exit 1

load() { # load NAME ROLE SERVER MODE QUERIES SOURCE RATE
	lab_run "$2" "$1" dnsperf -s "$3" -m "$4" -d "$LAB_DIR/queries$5" -a "$6" -D -e -c 8 -l 600 -Q "$7"
}
for n in 1 2 3; do load "client$n" cli 10.54.0.1 udp "$n" "10.54.0.1$n" 8000; done
load client-tcp cli 10.54.0.1 tcp 0 10.54.0.14 1500
load direct1 att 10.53.0.3 udp 1 10.53.0.111 6000
load direct2 att 10.53.0.4 udp 2 10.53.0.112 6000
load direct-tcp att 10.53.0.3 tcp 3 10.53.0.113 2000
lab_run att plain dnsperf -s 10.53.0.4 -d "$LAB_DIR/queries0" -a 10.53.0.114 -c 4 -l 600 -Q 1000 # without DO
wait "${LAB_PID[tcpdump]}"
unset "LAB_PID[tcpdump]"
grep -iE 'packets.*(captured|dropped|received)' "$LAB_DIR/tcpdump.log"
lab_stop client1 client2 client3 client-tcp direct1 direct2 direct-tcp plain
cp "$LAB_DIR/tree/anchor" "${OUT%.pcap}.anchor"
ls -l "$OUT"
