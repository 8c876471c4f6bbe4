#!/bin/bash
# run.sh: what an operator meets at the command line: exit statuses, errors that name the thing, and
# that nothing is left where nothing was made.
#
#   tests/commands/run.sh BUILD               the last line is "N passed, N failed"
set -uo pipefail
build=$(realpath "$1")
. "$(dirname "$0")/../tally.sh"
cases=$(realpath "$(dirname "$0")/../scenarios")
cd "$out" || exit 1
run=$build/dnsbailiff
anchor=$cases/expired.anchor

# ends WHAT STATUS PATTERN COMMAND…: by that exit status, saying so, and leaving nothing behind.
ends() {
    local what=$1 status=$2 pattern=$3 said
    shift 3
    said=$("$@" 2>&1)
    is "$what: exit status" "$?" "$status"
    grep -qe "$pattern" <<<"$said"
    is "$what: \"$pattern\" in \"$said\"" "$?" 0
    rm -f said
    is "$what: what is left" "$(find . -name 'left*' | tr '\n' ' ')" ""
}

# --- mistakes ---
mkdir base lone
cp "$cases/expired.pcap" good.pcap
printf 'zone: example.test.\nfoo: 1\n' >base/example.test.yaml
printf '. IN DS 20326 8 2 E06D\n' >short.anchor
left=(-l left -o left.tar)
ends "no capture" 2 'no capture given' "$run" replay "${left[@]}"
ends "no such capture" 2 'nowhere.pcap: No such file' "$run" replay -r nowhere.pcap "${left[@]}"
ends "a folder" 2 'base: is a folder' "$run" replay -r base "${left[@]}"
ends "a device" 2 'is a device' "$run" replay -r /dev/zero "${left[@]}"
ends "a policy" 2 'example.test.yaml:2: "foo"' "$run" replay -r good.pcap --baseline base "${left[@]}"
ends "an anchor" 2 'short.anchor:1:' "$run" replay -r good.pcap --trust-anchor short.anchor "${left[@]}"
ends "a filter" 2 'filter:' "$run" replay -r good.pcap "${left[@]}" 'port nonsense'
ends "an identity" 2 'lone/ca.pem' "$run" replay -r good.pcap --identity lone "${left[@]}"
ends "-T: a policy" 2 'example.test.yaml:2: "foo"' "$run" replay -T --baseline base "${left[@]}"
ends "-T: capture" 2 'example.test.yaml:2: "foo"' "$run" capture -T --baseline base
ends "-T: all in order" 0 '' "$run" replay -T -r good.pcap --baseline "$cases/zones" "${left[@]}"
ends "--check: a policy" 3 'example.test.yaml:2: "foo"' "$run" replay --check -r good.pcap --baseline base
: >there.tar
ends "a bundle that is there" 2 'never overwritten' "$run" replay -r good.pcap -o there.tar
is "it is as it was" "$(stat -c %s there.tar)" 0

# --- standard descriptors that are closed ---
"$run" replay -r - <&- >said 2>&1
is "standard input closed" "$? $(grep -c 'standard input is closed' said)" "2 1"
"$run" rules list >&- 2>said
is "standard output closed" "$? $(grep -c 'standard output' said)" "1 1"

# --- standard output that is full ---
"$run" replay -r good.pcap --trust-anchor "$anchor" >/dev/full 2>said
is "standard output full" "$? $(cat said)" "1 dnsbailiff: error: standard output: No space left on device"
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l quiet >/dev/full 2>said
is "nothing to say, nothing lost" "$? $(cat said)" "0 "

# --- a finding counts responses, also those beyond the frames that it cites ---
"$run" replay -q -r "$cases/hostile-rdata.pcap" --trust-anchor "$cases/hostile-rdata.anchor" --log-verdicts all -l many
is "responses are counted once" "$(jq 'select(.rule == "rrsig-missing").count' many/state/findings.jsonl)" \
    "$(jq 'select(.dnssec.reason == "signature-missing").pcap_cnt' many/eve.json | sort -u | wc -l)"

# --- mistakes in the configuration: file, line, what was expected ---
while IFS='|' read -r text expected; do
    printf '# settings\n%b\n' "$text" >settings.yaml
    "$run" replay -q -r good.pcap -c settings.yaml >said 2>&1
    is "configuration $text" "$? $(cat said)" "2 dnsbailiff: error: settings.yaml:$expected"
done <<'MISTAKES'
ring-bytes: [1, 2]|2: ring-bytes: expected one number, which may carry a unit
ring-bytes: 3|2: ring-bytes: 3: outside 1048576 to 1073741824
segment-seconds: 60\nnosuch: 1|3: no setting is called "nosuch"; dnsbailiff(1) lists them
segment-seconds: 60\nsegment-seconds: 60|3: segment-seconds: expected each setting once
- ring-bytes|2: expected settings, one a line, like `ring-bytes: 32MiB`
hello|2: expected settings, one a line, like `ring-bytes: 32MiB`
ports: 53|2: ports: expected a list like [53, 5353]
ports: []|2: ports: expected at least one
ports:\n  - 53\n  - 65536|4: ports: 65536: expected a port, 1 to 65535
sensor: Tap 1|2: sensor: expected a name of at most 63 lower-case letters, digits, '-' and '.'
sensor: {}|2: sensor: expected a name of lower-case letters, digits, '-' and '.'
identity: ""|2: identity: expected the name of a file or folder
ring-bytes: 32MiB\n---\nports: [53]|4: expected one document
ports: [53|3: not YAML: did not find expected ',' or ']'
MISTAKES
printf '# nothing but this\n' >settings.yaml
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -c settings.yaml >said 2>&1
is "a configuration of comments" "$? $(cat said)" "0 "

# --- damage ---
head -c 24 good.pcap >none.pcap
head -c -1 good.pcap >cut.pcap
"$run" replay -q -r none.pcap -l empty >said 2>&1
is "no frame" "$? $(cat said)" "0 "
"$run" replay --check -q -r cut.pcap --trust-anchor "$anchor" >said 2>/dev/null
is "--check: critical before damage" "$? $(grep -o '^DNSBAILIFF [A-Z]*' said)" "2 DNSBAILIFF CRITICAL"
"$run" replay -q -r cut.pcap --trust-anchor "$anchor" -o cut.tar 2>said
is "damage" "$? $(grep -c 'cut.pcap: at byte' said)" "2 1"
"$run" verify cut.tar >/dev/null
is "what came before it is sealed" "$?" 3

# --- recorded and packed under different identities: what each vouches for is said, and nothing fails ---
"$run" keygen signer >/dev/null
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l first
"$run" pack -q -l first -o later.tar --identity signer
"$run" verify later.tar --ca signer/ca.pem >said
is "recorded without an identity, packed with one" "$? $(grep -c '^WARN .*vouches for what was packed, not for' said)" "0 1"
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l second --identity signer
"$run" pack -q -l second -o bare.tar
"$run" verify bare.tar >said
is "recorded with an identity, packed without" "$? $(grep -c '^WARN .*nobody vouches for the packing' said)" "3 1"
"$run" keygen stranger >/dev/null
"$run" pack -q -l second -o strange.tar --identity stranger
"$run" verify strange.tar --ca stranger/ca.pem >said
is "packed by somebody else" "$? $(grep -c '^FAIL .*made by another identity than the seal' said)" "1 1"

# --- names that are no text ---
for name in $'a\xffb.pcap' $'a\eb.pcap' $'a\nb.pcap' $'a\xc2\x9bb.pcap'; do
    cp good.pcap "$name"
    rm -rf odd odd.tar
    "$run" replay -r "$name" -l odd -o odd.tar >said 2>&1
    is "a capture called $(printf %q "$name")" "$? $(head -n 1 said)" "0 Capture     a?b.pcap"
    "$run" verify odd.tar >/dev/null
    is "its bundle" "$?" 3
done

# --- events ---
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l all --log-verdicts all --log-dns
what='[.pcap_cnt, .dns.id, .timestamp, .community_id] | @csv'
jq -r "select(.event_type == \"dnssec\" and .dnssec.retro == false) | $what" all/eve.json | sort >verdicts
jq -r "select(.event_type == \"dns\" and .dns.qr) | $what" all/eve.json | sort >responses
is "--log-verdicts all: each response, once, as itself" "$(diff verdicts responses | head -n 3)" ""
is "no alert says again what was said" "$(jq -c 'select(.event_type == "alert") | .finding' \
    all/eve.json | sort | uniq -d)" ""
# Signatures are judged by the clock that is given; what was current when it was seen stays current.
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l packet
at=$(jq -r .timestamp packet/eve.json | sort | tail -n 1 | cut -c1-10)
"$run" replay -q -r good.pcap --trust-anchor "$anchor" -l fixed --at "${at}T23:59:59Z"
for run_of in packet fixed; do
    jq -c 'select(.event_type == "stats") | .stats.verdicts.bogus' $run_of/eve.json | tail -n 1 >$run_of.bogus
done
is "--at: as many bogus" "$(cat fixed.bogus)" "$(cat packet.bogus)"

tally
