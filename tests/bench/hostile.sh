#!/bin/bash
# hostile.sh: what hostile traffic costs: frames a second of each hostile scenario, repeated, beside the normal
# one repeated to the same number; and memory under a flood in which every frame is new.
#
#   tests/bench/hostile.sh BUILD [FRAMES]       default 100000; the flood has ten times as many
#
# Fails when a scenario is slower than a tenth of normal, when the flood takes more memory than it was given
# (beside the ring and fixed tables), or when it makes the validator mistake what it knows.
set -euo pipefail
export LC_ALL=C
build=$(realpath "$1")
frames=${2:-100000}
cd "$(dirname "$0")/../.."
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

measured() { # FILE ANCHOR [OPTION…]: wall seconds and largest resident set, KiB
    "$build/bench/measure" "$work/cost" "$build/dnsbailiff" replay -r "$1" --trust-anchor "$2" "${@:3}" >"$work/out" 2>&1 ||
        { cat "$work/out" >&2; exit 1; }
    awk '{print $1, $3}' "$work/cost"
}

rate() { # SCENARIO: frames a second
    $python tests/bench/repeat.py "tests/scenarios/$1.pcap" "$frames" >"$work/again.pcap"
    read -r seconds _ < <(measured "$work/again.pcap" "tests/scenarios/$1.anchor")
    awk -v n="$frames" -v s="$seconds" 'BEGIN {printf "%.0f", n / s}'
}

normal=$(rate normal)
printf '%-32s %10d frames/s\n' normal "$normal"
for capture in tests/scenarios/hostile-*.pcap; do
    name=$(basename "$capture" .pcap)
    this=$(rate "$name")
    note=
    [ $((this * 10)) -ge "$normal" ] || { note='  slower than a tenth'; failed=1; }
    printf '%-32s %10d frames/s  %s of normal%s\n' "$name" "$this" \
        "$(awk -v a="$this" -v b="$normal" 'BEGIN {printf "%.2f", a / b}')" "$note"
done

# and one in which nothing is like what came before
$python tests/bench/keytrap.py $((frames / 5)) >"$work/trap.pcap"
$python tests/bench/keytrap.py anchor >"$work/trap.anchor"
read -r seconds _ < <(measured "$work/trap.pcap" "$work/trap.anchor")
measured "$work/trap.pcap" "$work/trap.anchor" -l "$work/trap" >"$work/out2"
this=$(grep -o '"frames":[0-9]*' "$work/trap/eve.json" | tail -1 | awk -F: -v s="$seconds" '{printf "%.0f", $2 / s}')
note=
[ $((this * 10)) -ge "$normal" ] || { note='  slower than a tenth'; failed=1; }
printf '%-32s %10d frames/s  %s of normal%s\n' 'keytrap, all distinct' "$this" \
    "$(awk -v a="$this" -v b="$normal" 'BEGIN {printf "%.2f", a / b}')" "$note"
grep -q '"rrname":"late.good.test.".*"verdict":"secure"' "$work/trap/eve.json" ||
    { echo 'the good zone was not judged amid the trap'; failed=1; }

$python tests/bench/flood.py $((frames * 10)) >"$work/flood.pcap"
$python tests/bench/flood.py anchor >"$work/flood.anchor"
echo 'memory-bytes: 64MiB' >"$work/small.yaml"
read -r seconds kib < <(measured "$work/flood.pcap" "$work/flood.anchor" -c "$work/small.yaml" -l "$work/evidence")
printf '%-32s %10.0f frames/s, %d MiB resident with memory-bytes: 64MiB\n' flood \
    "$(awk -v n=$((frames * 10)) -v s="$seconds" 'BEGIN {print n / s}')" $((kib / 1024))
# 64 MiB of tables, 32 of the ring, 32 for what does not grow
[ "$kib" -le $((128 * 1024)) ] || { echo "memory grew beyond its limit"; failed=1; }
wrong=$(grep -h '"event_type":"dnssec"' "$work/evidence/eve.json" | grep -E '"rrname":"(www|forged).good.test."' |
    grep -vcE '"rrname":"www.good.test.".*"verdict":"secure"|"rrname":"forged.good.test.".*"verdict":"bogus"' || true)
[ "$wrong" -eq 0 ] || { echo "$wrong answers were mistaken in the flood"; failed=1; }
exit $failed
