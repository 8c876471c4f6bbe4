#!/bin/bash
# run.sh: what the operator decides, end to end on recorded captures: negative anchors, anchors below
# the root, what RFC 8624 and RFC 9276 advise. Each run's bundle must verify: the decisions are in it.
#
#   tests/policy/run.sh BUILD               the last line is "N passed, N failed"
set -uo pipefail
build=$(realpath "$1")
. "$(dirname "$0")/../tally.sh"
cd "$(dirname "$0")/../scenarios" || exit 1

# replay NAME CAPTURE [OPTION…]: into $out/NAME; its bundle must verify.
replay() {
    local name=$1 capture=$2 said
    shift 2
    "$build/dnsbailiff" replay -q -r "$capture.pcap" -l "$out/$name" -o "$out/$name.tar" "$@" \
        >"$out/said" 2>&1
    is "$name: replay" "$? $(cat "$out/said")" "0 "
    said=$("$build/dnsbailiff" verify "$out/$name.tar" 2>&1)
    # What resolvers made of a zone, and how it rolls, rests on more than the frames that are cited.
    has "$name: the verdicts of its bundle" "$(grep ' verdicts ' <<<"$said")" '^(PASS|WARN|NOT-CHECKED .*nothing was found)'
    is "$name: what does not follow" "$(grep -E '^(partly|not derived|not sealed|contradicted) ' <<<"$said" |
        grep -vE ' (validation-split|servfail-spike|zone-dark|roll-progress)( |$)')" ""
}

# verdicts NAME RRNAME RRTYPE: the last verdict of each, with its reason.
verdicts() {
    jq -r --arg n "$2" --arg t "$3" 'select(.event_type == "dnssec" and .dns.rrname == $n and
        .dns.rrtype == $t) | .dnssec.verdict + " " + .dnssec.reason' "$out/$1/eve.json" | tail -n 1
}

findings() {
    jq -r .rule "$out/$1/state/findings.jsonl" | sort -u | paste -sd,
}

# --- negative anchors ---

mkdir "$out/now" "$out/past" "$out/below"
cat >"$out/now/example.test.yaml" <<YAML
zone: example.test.
negative-anchor: {until: 2030-01-01, why: the signer is broken}
YAML
sed 's/2030/2020/' "$out/now/example.test.yaml" >"$out/past/example.test.yaml"
echo 'zone: www.example.test.
validate: false' >"$out/below/www.example.test.yaml"
anchor=(--trust-anchor expired.anchor)

replay without expired "${anchor[@]}"
is "an expired zone" "$(verdicts without www.example.test. A)" "bogus signature-expired"
replay now expired "${anchor[@]}" --baseline "$out/now"
is "under a negative anchor" "$(verdicts now www.example.test. A)" "insecure negative-anchor"
is "its keys" "$(verdicts now example.test. DNSKEY)" "insecure negative-anchor"
is "its findings" "$(findings now)" ""
is "the zone above" "$(verdicts now test. DNSKEY)" "secure chain-complete"
replay past expired "${anchor[@]}" --baseline "$out/past"
is "one that has run out" "$(verdicts past www.example.test. A)" "bogus signature-expired"
replay below expired "${anchor[@]}" --baseline "$out/below"
is "one below the zone" "$(verdicts below www.example.test. A)" "insecure negative-anchor"
is "the zone itself then" "$(verdicts below example.test. MX)" "bogus signature-expired"

# --- what a folder holds besides ---

mkdir "$out/others"
cp zones/example.test.zone "$out/others"
cp zones/example.test.zone "$out/others/example.test.zone.1"
cp zones/bank.test.zone "$out/others/bank.test.db"
besides() {
    "$build/dnsbailiff" replay -T -r expired.pcap --baseline "$out/others" 2>&1
    echo "$?"
}
is "a file that is not read is named" "$(besides)" \
    "dnsbailiff: warning: $out/others/bank.test.db: is not read; a baseline is NAME.zone and NAME.yaml
0"
rm "$out/others/bank.test.db"
is "an earlier version is not" "$(besides)" 0
echo 'zone: example.test.' >"$out/others/example.test.yml"
is "a policy under another name is refused" "$(besides)" \
    "dnsbailiff: error: $out/others/example.test.yml: expected the name of a policy to end in .yaml
2"
rm "$out/others/example.test.yml"
ln -s nowhere "$out/others/bank.test.zone"
has "and so is a link that leads nowhere" "$(besides)" 'bank.test.zone: No such file'

# refused TEXT POLICY: the mistake is named with file and line.
refused() {
    local status
    mkdir -p "$out/bad"
    printf '%s\n' "${@:2}" >"$out/bad/x.yaml"
    "$build/dnsbailiff" replay -q -r expired.pcap -l "$out/refused" --baseline "$out/bad" >"$out/said" 2>&1
    status=$?
    is "refused: $1" "$((status != 0)) $(grep -cF "$1" "$out/said")" "1 1"
}
refused "x.yaml:2: expected until and why" 'zone: x.' 'negative-anchor: {why: none}'
refused "x.yaml:3: expected a zone file for x." 'zone: x.' 'validate: false' 'strict: false'

# --- an island of trust: the anchor of a zone, none above it ---

"$build/dnsbailiff" replay -q --log-dns -r normal.pcap --trust-anchor normal.anchor -l "$out/keys" 2>/dev/null
jq -r 'select(.event_type == "dns") | (.dns.answers // [])[] | select(.rrname == "test." and .rrtype == "DNSKEY")
    | .rrname + " IN DNSKEY " + .rdata' "$out/keys/eve.json" | grep ' 257 ' | sort -u >"$out/island.anchor"
if [ -s "$out/island.anchor" ]; then
    replay island normal --trust-anchor "$out/island.anchor"
    is "on the island" "$(verdicts island www.example.test. A)" "secure chain-complete"
    is "above it" "$(verdicts island . DNSKEY)" "insecure no-anchor"
else
    is "a key of test. to anchor at" none some
fi

# --- keys that an earlier run kept ---

stub=(client-only-no-chain --trust-anchor client-only-no-chain.anchor)
replay first normal --trust-anchor normal.anchor
keys=$out/first/state/keys.dnsbailiff
is "what is kept" "$(head -n 1 "$keys") $(awk 'NR > 1 { print $1 }' "$keys" | sort -u | paste -sd' ')" \
    "dnsbailiff-keys 1 ds end habit key no-ds rhythm"
replay again normal --trust-anchor normal.anchor
is "the same capture keeps the same" "$(cmp "$keys" "$out/again/state/keys.dnsbailiff" && echo same)" same
replay alone "${stub[@]}"
is "a client's answer alone" "$(verdicts alone www.bank.test. A)" "indeterminate dnskey-not-seen"
replay kept "${stub[@]}" --state "$keys"
is "with keys that were kept" "$(verdicts kept www.bank.test. A)" "secure chain-complete"
is "and a proof that was kept" "$(verdicts kept www.plain.test. A)" "insecure unsigned-delegation"
is "events say so" "$(jq -c 'select(.event_type == "dnssec") | .dnssec.kept' "$out/kept/eve.json" | sort -u)" true
is "without, too" "$(jq -c 'select(.event_type == "dnssec") | .dnssec.kept' "$out/alone/eve.json" | sort -u)" false
is "the bundle has what was used" "$(tar -xOf "$out/kept.tar" --wildcards '*/data/anchors/keys.dnsbailiff' | cmp - "$keys" && echo same)" same
"$build/dnsbailiff" pack -l "$out/kept" -o "$out/kept-2.tar" >/dev/null 2>&1
is "two packs are one" "$(tar -xOf "$out/kept.tar" --wildcards '*/tagmanifest-sha512.txt' | sha512sum)" \
    "$(tar -xOf "$out/kept-2.tar" --wildcards '*/tagmanifest-sha512.txt' | sha512sum)"
is "explain uses it" "$("$build/dnsbailiff" explain -l "$out/kept" www.bank.test./A 2>/dev/null | grep -c secure | awk '{ print ($1 > 0) }')" 1

# The same folder twice: the second run starts from what the first one kept.
cp -r "$out/first" "$out/twice"
"$build/dnsbailiff" replay -q -r client-only-no-chain.pcap --trust-anchor normal.anchor -l "$out/twice" >/dev/null 2>&1
is "the same folder" "$(verdicts twice www.bank.test. A)" "secure chain-complete"
cp -r "$out/first" "$out/none"
"$build/dnsbailiff" replay -q -r client-only-no-chain.pcap --trust-anchor normal.anchor -l "$out/none" --state none >/dev/null 2>&1
is "--state none" "$(verdicts none www.bank.test. A)" "indeterminate dnskey-not-seen"

# A key stolen after a quiet run: its first strange signature is held against what that run learned.
/usr/bin/python3 - stolen-zsk-bind-ldns.pcap "$out/quiet.pcap" "$out/theft.pcap" <<'SPLIT'
import struct
import sys
with open(sys.argv[1], "rb") as f:
    data = f.read()
at, cut = 24, None
while at < len(data):
    size = struct.unpack("<I", data[at + 8:at + 12])[0]
    if bytes([203, 0, 113, 66]) in data[at + 16:at + 16 + size]:
        cut = at
        break
    at += 16 + size
for path, part in ((sys.argv[2], data[24:cut]), (sys.argv[3], data[cut:])):
    with open(path, "wb") as f:
        f.write(data[:24] + part)
SPLIT
habit() { # habit NAME CAPTURE [OPTION…]: the rules of its findings
    "$build/dnsbailiff" replay -q -r "$out/$2.pcap" --trust-anchor stolen-zsk-bind-ldns.anchor -l "$out/$1" "${@:3}" >/dev/null 2>&1
    jq -r .rule "$out/$1/state/findings.jsonl" | grep -c signer-habit
}
is "the signer at work" "$(habit quiet quiet)" 0
is "a thief whom nothing is known of" "$(habit stranger theft)" 0
is "a thief after a quiet run" "$(habit theft theft --state "$out/quiet/state/keys.dnsbailiff")" 1

# When a signer signs anew is learned over runs, too; and where the owner states it, that counts, also of answers
# that have been the same for days.
python3 - refresh-rhythm-lost.pcap "$out/weeks.pcap" "$out/after.pcap" <<'SPLIT'
import struct, sys
data = open(sys.argv[1], "rb").read()
begin, at = struct.unpack("<I", data[24:28])[0], 24
while struct.unpack("<I", data[at:at + 4])[0] < begin + 35 * 86400:
    at += 16 + struct.unpack("<I", data[at + 8:at + 12])[0]
for path, part in ((sys.argv[2], data[24:at]), (sys.argv[3], data[at:])):
    with open(path, "wb") as f:
        f.write(data[:24] + part)
SPLIT
rhythm() { # rhythm NAME CAPTURE [OPTION…]: the zones whose signer is late
    "$build/dnsbailiff" replay -q -r "$2" --trust-anchor refresh-rhythm-lost.anchor -l "$out/$1" "${@:3}" >/dev/null 2>&1
    jq -r 'select(.rule == "rrsig-stale-refresh") | .zone' "$out/$1/state/findings.jsonl" | sort | paste -sd' '
}
is "signers at work" "$(rhythm weeks "$out/weeks.pcap")" ""
is "late signers of whom nothing is known" "$(rhythm after "$out/after.pcap")" ""
is "late signers after quiet weeks" "$(rhythm late-runs "$out/after.pcap" --state "$out/weeks/state/keys.dnsbailiff")" \
    "auto.test. cron.test."
mkdir "$out/refresh"
printf 'auto.test. 300 IN %s\n' 'SOA ns1.auto.test. h.auto.test. 1 1 1 1 1' 'NS ns1.auto.test.' >"$out/refresh/auto.test.zone"
printf 'zone: auto.test.\nstrict: false\nsigning: {refresh: 8d}\n' >"$out/refresh/auto.test.yaml"
is "the owner states when" "$(rhythm stated refresh-rhythm-lost.pcap --baseline "$out/refresh")" "auto.test. cron.test."
sed -i 's/8d/3d/' "$out/refresh/auto.test.yaml"
is "the owner states that it is in time" "$(rhythm in-time refresh-rhythm-lost.pcap --baseline "$out/refresh")" "cron.test."

# Nothing on disk is believed. Another anchor, a later clock, a key that was changed: no trust.
replay other client-only-no-chain --trust-anchor hostile-deep.anchor --state "$keys"
is "under another anchor" "$(verdicts other www.bank.test. A | cut -d' ' -f1 | grep -c secure)" 0
replay late "${stub[@]}" --state "$keys" --at 2030-01-01T00:00:00Z
is "when its signatures have expired" "$(verdicts late www.bank.test. A | grep -c ^secure)" 0
# the last base64 group of a message lies in OPT; twenty groups before it in the last signature
awk '$2 == "bank.test." && $1 == "key" {
        n = length($4) - 80
        $4 = substr($4, 1, n - 1) (substr($4, n, 1) == "A" ? "B" : "A") substr($4, n + 1)
    } { print }' "$keys" >"$out/forged.keys"
replay forged "${stub[@]}" --state "$out/forged.keys"
is "a signature that was changed" "$(verdicts forged www.bank.test. A | grep -c ^secure)" 0
is "the others are untouched" "$(verdicts forged example.test. MX)" "secure chain-complete"

# broken TEXT SED: the mistake is named with its line.
broken() {
    local status
    sed "$2" "$keys" >"$out/broken"
    "$build/dnsbailiff" replay -q -r client-only-no-chain.pcap -l "$out/broken.d" --state "$out/broken" >"$out/said" 2>&1
    status=$?
    is "broken: $1" "$((status != 0)) $(grep -cF "keys.dnsbailiff:$1" "$out/said")" "1 1"
    rm -rf "$out/broken.d"
}
broken '1: expected "dnsbailiff-keys 1"' '1s/1$/2/'
broken '2: expected key, ds, no-ds, habit or rhythm' '2s/^key/sig/'
broken '3: expected nanoseconds' '3s/ [0-9]* / soon /'
broken '3: expected nanoseconds' '3s/ [0-9]* / 9223372036854775807 /'
broken '2: expected a message in base64' '2s/.$/!/'
broken '2: expected kind, zone, time and message' '2s/ [^ ]*$//'
broken "$(wc -l <"$keys"): expected \"end\"" '$d'

# --- the responder's opinion, beside ours ---

is "a SERVFAIL that says why" "$(jq -c 'select(.event_type == "dnssec" and .dns.rcode == "SERVFAIL") | .responder' \
    "$out/without/eve.json" | sort -u)" '{"ad":false,"ede":[7]}'

# --- RFC 8624, RFC 9276 ---

replay sha1 move-to-sha1 --trust-anchor move-to-sha1.anchor
is "RSASHA1 is advised against" "$(findings sha1)" "ds-weak,key-weak"
replay sha1-ignored move-to-sha1 --trust-anchor move-to-sha1.anchor --ignore-rfc8624
is "and that can be ignored" "$(findings sha1-ignored)" ""
is "the verdict is the same" "$(verdicts sha1 www.example.test. A)" "$(verdicts sha1-ignored www.example.test. A)"
is "and it is" "$(verdicts sha1 www.example.test. A)" "secure chain-complete"

nsec3=(differential-denial-nsec3 --trust-anchor differential-denial-nsec3.anchor)
replay iterations "${nsec3[@]}"
replay none "${nsec3[@]}" --set nsec3-iterations=0
replay many "${nsec3[@]}" --ignore-rfc9276
is "150 iterations" "$(verdicts iterations nx.iterations-150.test. A)" "secure denial-proven"
is "151 iterations" "$(verdicts iterations nx.iterations-151.test. A)" "insecure nsec3-iterations"
is "1 iteration where none is taken" "$(verdicts none nx.iterations-1.test. A)" "insecure nsec3-iterations"
is "151 iterations, ignored" "$(verdicts many nx.iterations-151.test. A)" "secure denial-proven"
is "2500 iterations, ignored" "$(verdicts many nx.iterations-2500.test. A)" "secure denial-proven"

for id in key-weak ds-weak; do
    is "$id names the table's version" \
        "$("$build/dnsbailiff" rules explain $id | tr -s ' \n' ' ' | grep -cE 'as of 20[0-9]{2}-[0-9]{2}-[0-9]{2}')" 1
done
is "the table" "$("$build/dnsbailiff" rules algorithms | awk '$1 == 5 && $2 == "RSASHA1" { print $3, $4, $5, $6 }')" \
    "yes MUST NOT RECOMMENDED"

tally
