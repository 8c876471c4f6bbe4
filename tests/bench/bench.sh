#!/bin/bash
# bench.sh: frames a second of a whole replay, beside what reading and decoding alone cost.
#
#   tests/bench/bench.sh BUILD
#
# BENCH_PCAP=FILE     capture to replay (pcap or pcapng; .zst .gz .xz .lz4 are unpacked first, and
#                     replayed packed as well). Default: BUILD/bench/*.pcap, made by make_capture.sh.
# BENCH_ANCHOR=FILE   trust anchor; default FILE.anchor or root.anchor beside the capture
# BENCH_BASELINE=DIR  zone files; default none
# BENCH_ROUNDS=3      every command runs once a round, in turn, so that all see the same machine
#
# A replay is measured from the start of the command to its end: processes started and confined,
# source hashed, every frame decoded, paired and validated, rules, eve.json, log and, with -o, the
# bundle packed and signed. Rates are of the median round; "best" is the fastest. Other programs
# bench_*.c beside this script follow with their own measurements; each is given the plain capture.
set -euo pipefail
export LC_ALL=C
build=$(realpath "$1")
cd "$(dirname "$0")/../.."
rounds=${BENCH_ROUNDS:-3}
bench=$build/bench
mkdir -p "$bench"
work=$(mktemp -d "$bench/run.XXXXXX")
trap 'rm -rf "$work"' EXIT

source=${BENCH_PCAP:-}
if [ -z "$source" ]; then
    source=$(find "$bench" -maxdepth 1 -name '*.pcap' | sort | head -n 1)
    if [ -z "$source" ]; then
        echo "recording $bench/dnssec.pcap with real servers: some minutes, once"
        tests/bench/make_capture.sh "$bench/dnssec.pcap" ||
            { echo "bench.sh: no capture; give one with BENCH_PCAP=FILE" >&2; exit 1; }
        source=$bench/dnssec.pcap
    fi
fi
[ -r "$source" ] || { echo "bench.sh: cannot read $source" >&2; exit 2; }

plain=$source
case $source in
*.zst) plain=$work/capture.pcap && zstd -dqf "$source" -o "$plain" ;;
*.gz) plain=$work/capture.pcap && gzip -dc "$source" >"$plain" ;;
*.xz) plain=$work/capture.pcap && xz -dc "$source" >"$plain" ;;
*.lz4) plain=$work/capture.pcap && lz4 -dcq "$source" >"$plain" ;;
esac

anchor=${BENCH_ANCHOR:-}
for guess in "${source%.pcap*}.anchor" "$(dirname "$source")/root.anchor"; do
    [ -n "$anchor" ] || [ ! -e "$guess" ] || anchor=$guess
done
replay=("$build/dnsbailiff" replay)
[ -z "$anchor" ] || replay+=(--trust-anchor "$anchor")
[ -z "${BENCH_BASELINE:-}" ] || replay+=(--baseline "$BENCH_BASELINE")

names=("raw libpcap read" "ldns_wire2pkt a packet" "openssl dgst -sha256" "replay" "replay -o, sealed")
[ "$plain" = "$source" ] || names+=("replay -o, ${source##*.} input")
# set_command ROW FOLDER: the command of a row; FOLDER does not exist yet.
set_command() {
    case $1 in
    0) command=("$bench/reference_pcap" "$plain") ;;
    1) command=("$bench/reference_ldns" "$plain") ;;
    2) command=(openssl dgst -sha256 "$plain") ;;
    3) command=("${replay[@]}" -r "$plain" -l "$2") ;;
    4) command=("${replay[@]}" -r "$plain" -l "$2" -o "$2.tar") ;;
    5) command=("${replay[@]}" -r "$source" -l "$2" -o "$2.tar") ;;
    esac
}

cat "$plain" >/dev/null # all read from the page cache
read -r frames bytes < <("$bench/reference_pcap" "$plain")
echo "capture: ${source##*/}, $frames frames, $((bytes / 1000000)) MB captured; trust anchor: ${anchor:-default}"
echo "machine: $(nproc) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"

for round in $(seq "$rounds"); do
    for i in "${!names[@]}"; do
        set_command "$i" "$work/$round-$i"
        "$bench/measure" "$work/result" "${command[@]}" >"$work/output" 2>&1
        read -r wall cpu rss status <"$work/result"
        if [ "$status" -ne 0 ]; then
            echo "bench.sh: ${command[*]}: exit status $status" >&2
            tail -n 20 "$work/output" >&2
            exit 1
        fi
        echo "$wall $cpu $rss" >>"$work/row-$i"
        cp "$work/output" "$work/output-$i"
        [ ! -e "$work/$round-$i/eve.json" ] ||
            tail -n 1 "$work/$round-$i/eve.json" | grep -oE '"signature_(checks|hits)":[0-9]+' \
                >"$work/signatures" || true
        rm -rf "$work/$round-$i" "$work/$round-$i".tar*
    done
done

# row I: median wall, best wall, cpu and rss of the median round
row() {
    sort -n "$work/row-$1" | awk '{ wall[NR] = $1; cpu[NR] = $2; rss[NR] = $3 }
        END { m = int((NR + 1) / 2); print wall[m], wall[1], cpu[m], rss[m] }'
}
read -r pcap_wall _ < <(row 0)
read -r ldns_wall _ < <(row 1)
printf '\n%-26s %10s %10s %9s %9s %9s %10s %10s\n' "" "frames/s" "best" "seconds" "cpu s" "MiB" \
    "x libpcap" "x ldns"
for i in "${!names[@]}"; do
    read -r wall best cpu rss < <(row "$i")
    awk -v name="${names[$i]}" -v n="$frames" -v wall="$wall" -v best="$best" -v cpu="$cpu" \
        -v rss="$rss" -v pcap="$pcap_wall" -v ldns="$ldns_wall" 'BEGIN {
        printf "%-26s %10.0f %10.0f %9.3f %9.3f %9.1f %10.3f %10.2f\n", name, n / wall, n / best, wall,
            cpu, rss / 1024, pcap / wall, ldns / wall }'
done
echo "(median of $rounds rounds; MiB: largest process; x: times the reference's rate, 1.0 is as fast)"
echo
echo "what the last sealed replay said, to the line about loss:"
sed '/^Loss/q' "$work/output-4" | sed 's/^/  /'
# What no look-up can save: each signature that is new costs one verification (see openssl speed).
echo "  Signatures  $(tr -dc '0-9\n' <"$work/signatures" | paste -sd' ' |
    sed -E 's/([0-9]+) ([0-9]+)/\1 verified, \2 remembered/')"
for program in "$bench"/bench_*; do
    [ -x "$program" ] || continue
    echo
    echo "${program##*/}:"
    "$program" "$plain"
done
