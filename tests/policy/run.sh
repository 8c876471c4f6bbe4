#!/bin/bash
# run.sh: what the operator decides, end to end on recorded captures: negative anchors, anchors below
# the root, what RFC 8624 and RFC 9276 advise. Each run's bundle must verify: the decisions are in it.
#
#   tests/policy/run.sh BUILD               the last line is "N passed, N failed"
set -uo pipefail
export LC_ALL=C
build=$(realpath "$1")
cd "$(dirname "$0")/../scenarios" || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0
failed=0

# is WHAT GOT EXPECTED
is() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $1: got \"$2\", expected \"$3\""
        failed=$((failed + 1))
    fi
}

# replay NAME CAPTURE [OPTION…]: into $out/NAME; its bundle must verify.
replay() {
    local name=$1 capture=$2 said
    shift 2
    "$build/dnsbailiff" replay -q -r "$capture.pcap" -l "$out/$name" -o "$out/$name.tar" "$@" \
        >"$out/said" 2>&1
    is "$name: replay" "$? $(cat "$out/said")" "0 "
    said=$("$build/dnsbailiff" verify "$out/$name.tar" 2>&1)
    is "$name: the verdicts of its bundle" "$(awk '$2 == "verdicts" { print $1 }' <<<"$said")" PASS
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

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
