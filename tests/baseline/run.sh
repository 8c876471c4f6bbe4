#!/bin/bash
# run.sh: `dnsbailiff baseline` on the recorded scenarios: what import makes of zone files and of
# dig's output, what learn takes from traffic and what not, what diff shows.
#
#   tests/baseline/run.sh BUILD               the last line is "N passed, N failed"
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

# has WHAT TEXT PATTERN: an extended regular expression in the text
has() {
    if grep -qE -- "$3" <<<"$2"; then
        passed=$((passed + 1))
    else
        echo "FAIL $1: no \"$3\" in \"$2\""
        failed=$((failed + 1))
    fi
}

# baseline ARGUMENT…: sets said and status
baseline() {
    said=$("$build/dnsbailiff" baseline "$@" 2>&1)
    status=$?
}

# --- import ---

baseline import zones/*.zone -o "$out/imported"
is "import of signed zones" "$status" 0
is "one file a zone" "$(ls "$out/imported" | wc -l)" "$(ls zones/*.zone | wc -l)"
is "maintenance is left out" "$(cat "$out/imported"/* | grep -cE ' IN (RRSIG|NSEC|NSEC3) ')" 0
baseline diff zones "$out/imported"
is "an import says what its zone file says" "$status $said" "0 "
baseline import zones/*.zone -o "$out/imported"
is "the same again is fine" "$status" 0
before=$(sha256sum <"$out/imported/example.test.zone")
sed 's/-all"/+all"/' zones/example.test.zone >"$out/example.test.zone"
baseline import "$out/example.test.zone" -o "$out/imported"
has "nothing is overwritten" "$status $said" '^1 .*--force'
is "the file is as it was" "$(sha256sum <"$out/imported/example.test.zone")" "$before"
is "nothing half is left" "$(find "$out/imported" -name '.*' -type f)" ""
baseline import "$out/example.test.zone" -o "$out/imported" --force
is "unless asked to" "$status" 0
baseline diff zones "$out/imported"
is "diff finds a change" "$status" 1
has "the old record" "$said" '^- example\.test\. [0-9]+ IN TXT "v=spf1 .* -all"$'
has "the new record" "$said" '^\+ example\.test\. [0-9]+ IN TXT "v=spf1 .* \+all"$'
baseline diff zones "$out/imported" --json
is "as JSON" "$(jq -r '"\(.different) \(.changes[0].rrtype) \(.changes[0].change)"' <<<"$said")" \
    "true TXT changed"

# What dig prints: SOA twice, head and foot as comments.
soa='example.net. 300 IN SOA ns.example.net. root.example.net. 7 3600 900 1209600 300'
transfer() {
    printf '\n; <<>> DiG 9.18.33 <<>> @192.0.2.1 example.net axfr\n; (1 server found)\n'
    printf ';; global options: +cmd\n%s\nexample.net.\t300\tIN\tNS\tns.example.net.\n' "$soa"
    printf 'ns.example.net.\t\t300\tIN\tA\t192.0.2.1\n%s\n' "$soa"
    printf ';; Query time: 0 msec\n;; XFR size: 4 records (messages 1, bytes 200)\n\n'
}
ds='example.net. IN DS 12345 13 2 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
said=$(transfer | "$build/dnsbailiff" baseline import - -o "$out/dig" --ds "$ds" 2>&1)
is "import of a transfer" "$?" 0
has "DS is declared" "$(cat "$out/dig/example.net.zone")" '^example\.net\. +3600 IN DS 12345 13 2 '
is "the SOA stands there once" "$(grep -c ' SOA ' "$out/dig/example.net.zone")" 1
said=$(transfer | head -n 6 | "$build/dnsbailiff" baseline import - -o "$out/cut" 2>&1)
has "a transfer that broke off is refused" "$? $said" '^2 .*standard input:1: expected a whole transfer'
said=$(printf '; <<>> DiG 9.18.33 <<>> axfr example.net\n; Transfer failed.\n' |
    "$build/dnsbailiff" baseline import - -o "$out/cut" 2>&1)
has "a transfer that was refused is named" "$? $said" '^2 .*dig says that the transfer failed'
is "nothing was written" "$(ls "$out/cut" 2>/dev/null)" ""

printf '$TTL 300\n@ SOA ns root 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n' >"$out/db.net"
baseline import "$out/db.net" -o "$out/relative"
has "relative names without an origin" "$status $said" '^2 .*db\.net:2: expected a name with its final dot, or --zone'
baseline import "$out/db.net" -o "$out/relative" --zone example.net
has "with an origin" "$status $(cat "$out/relative/example.net.zone")" 'ns\.example\.net\. +300 IN A 192\.0\.2\.1'
baseline import zones/example.test.zone -o "$out/other" --zone other.test
has "another zone than named" "$status $said" '^2 .*expected zone other\.test'
printf '%s\nexample.net. IN A 192.0.2.300\n' "$soa" >"$out/bad.zone"
baseline import "$out/bad.zone" -o "$out/bad"
has "a mistake has its line" "$status $said" '^2 .*bad\.zone:2: expected a record'
baseline import zones/example.test.zone -o "$out/other" --ds 'other.test. IN DS 1 13 2 00'
has "DS of another zone" "$status $said" '^2 .*expected a '
baseline import zones/example.test.zone -o "$out/other" --ds "${ds/example.net/example.test}"
has "a DS without its key is declared, with a warning" "$status $said" '^0 .*DS 12345: names no DNSKEY'

# --- learn ---

anchor=(--trust-anchor normal.anchor)
baseline learn -r normal.pcap "${anchor[@]}" -o "$out/learned"
is "learn" "$status" 0
has "unsigned zones are left out" "$said" '^ +[0-9]+  plain\.test\. '
has "wildcards are left out" "$said" '^  wildcard: '
is "no unsigned zone is written" "$(ls "$out/learned" | grep -c plain)" 0
is "a learned zone is held loosely" "$(grep -c '^strict: false' "$out/learned/example.test.yaml")" 1
learned=$(cd "$out/learned" && sha256sum ./*)
baseline learn -r normal.pcap "${anchor[@]}" -o "$out/again"
is "learning is deterministic" "$(cd "$out/again" && sha256sum ./*)" "$learned"
baseline diff zones -r normal.pcap "${anchor[@]}"
has "what was seen is what is declared" "$status $said" '^0 .*not seen'
"$build/dnsbailiff" replay -q -r normal.pcap "${anchor[@]}" --baseline "$out/learned" -l "$out/held"
is "traffic agrees with what was learned from it" \
    "$(jq -r 'select(.severity != "low" and .severity != "info") | .rule' "$out/held/state/findings.jsonl")" ""
rogue=rogue-zsk-stolen-ksk
"$build/dnsbailiff" replay -q -r $rogue.pcap --trust-anchor $rogue.anchor --baseline zones -l "$out/rogue"
is "a finding names the baseline that it was held against" \
    "$(jq -r 'select(.rule == "key-unknown") | "\(.baseline.sha256)  \(.baseline.file)"' \
        "$out/rogue/state/findings.jsonl")" "$(cd zones && sha256sum example.test.zone)"
"$build/dnsbailiff" replay -q -r expired.pcap --trust-anchor expired.anchor --baseline zones -l "$out/late" \
    -o "$out/late.tar"
is "one that needs none names none" \
    "$(jq -r 'select(.rule == "rrsig-expired") | .baseline' "$out/late/state/findings.jsonl" | sort -u)" null
has "the findings follow again" "$("$build/dnsbailiff" verify "$out/late.tar" 2>&1)" '^PASS +verdicts'
baseline diff "$out/learned" -l "$out/held"
has "evidence is looked at with its own anchors" "$status $said" '^0 '

baseline diff zones -r rogue-zsk-stolen-ksk.pcap --trust-anchor rogue-zsk-stolen-ksk.anchor
is "a rogue key differs" "$status $(grep -c '^+ .* DNSKEY 256 ' <<<"$said")" "1 1"
baseline learn -r expired.pcap --trust-anchor expired.anchor -o "$out/expired"
is "what expired is not learned" "$(ls "$out/expired" | grep -c example.test)" 0
has "it is told" "$said" '^  bogus: '
baseline learn -r normal.pcap -o "$out/stranger"
has "under another anchor nothing is learned" "$status $said" '^1 .*no zone was learned'
head -c 30000 normal.pcap >"$out/damaged.pcap"
baseline learn -r "$out/damaged.pcap" "${anchor[@]}" -o "$out/damaged"
is "a damaged capture says so" "$status" 2
baseline learn -r "$out/nothing.pcap" "${anchor[@]}" -o "$out/nothing"
is "a missing capture is no zone" "$status" 2

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
