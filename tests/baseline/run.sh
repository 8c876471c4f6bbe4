#!/bin/bash
# run.sh: `dnsbailiff baseline` on the recorded scenarios: what import makes of zone files and of
# dig's output, what learn takes from traffic and what not, what diff shows.
#
#   tests/baseline/run.sh BUILD               the last line is "N passed, N failed"
set -uo pipefail
build=$(realpath "$1")
. "$(dirname "$0")/../tally.sh"
cd "$(dirname "$0")/../scenarios" || exit 1

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
said=$(printf '; <<>> DiG 9.18.33 <<>> example.net any\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY\n%s\n' "$soa" |
    "$build/dnsbailiff" baseline import - -o "$out/cut" 2>&1)
has "the answer to one question is no zone" "$? $said" '^2 .*expected a zone, not the answer'
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
# What was secure when it was seen last does not wait for keys that were signed anew since.
baseline learn --latest -r rolls-unsafe.pcap --trust-anchor rolls-unsafe.anchor -o "$out/rolled"
is "keys that are signed anew take nothing away" "$(grep -c '^  indeterminate' <<<"$said")" 0
# What learning cannot see is no deviation: NS of a zone known by its DS. A child that nobody declared is one, its data
# are not the parent's.
baseline learn --strict -r normal.pcap "${anchor[@]}" -o "$out/strict"
"$build/dnsbailiff" replay -q -r normal.pcap "${anchor[@]}" --baseline "$out/strict" -l "$out/strictly"
is "one deviation, one finding" \
    "$(jq -r 'select(.zone == "test." and .severity != "low") | "\(.rule) \(.rrname)"' "$out/strictly/state/findings.jsonl")" \
    "delegation-changed plain.test."
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
cp normal.pcap "$out/moved.pcap"
"$build/dnsbailiff" replay -q -r "$out/moved.pcap" "${anchor[@]}" -l "$out/replayed"
baseline learn -l "$out/replayed" -o "$out/whole"
is "of a replay the whole capture is learned from" "$(cd "$out/whole" && sha256sum ./*)" "$learned"
"$build/dnsbailiff" replay -q -r "$out/moved.pcap" "${anchor[@]}" -l "$out/filtered" udp
baseline learn -l "$out/filtered" -o "$out/by-udp"
is "as far as the run looked at it: keys that came over TCP are not" "$(ls "$out/whole" "$out/by-udp" | grep -c big.test.zone)" 1
printf '\0' | dd of="$out/moved.pcap" bs=1 seek=30 conv=notrunc 2>"$out/dd.log"
baseline learn -l "$out/replayed" -o "$out/cited"
has "of one that has changed what findings cite, and it says so" "$status $said" \
    "extract.pcapng, which has only what findings cite"
rm "$out/moved.pcap"
baseline diff "$out/whole" -l "$out/replayed"
has "and of one that is gone" "$status $said" "^0 .*is gone or changed"

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

# --- a report that an analyser under somebody else's hand might make ---

mkdir -p "$out/fake/libexec/dnsbailiff"
cp "$build/dnsbailiff" "$out/fake/"
cp "$build/libexec/dnsbailiff/baseline" "$out/fake/libexec/dnsbailiff/"
cat >"$out/fake/libexec/dnsbailiff/supervisor" <<'FAKE'
#!/bin/sh
printf "$FAKE_REPORT"
FAKE
chmod +x "$out/fake/libexec/dnsbailiff/supervisor"
key='x. 300 IN DNSKEY 257 3 13 GTs7W+MvU3n1+EoXE8ekCGp0qzN+S5vVAwckwcjOXYrv9wc/O+c1XmCrfN0t09eo3qDn4x3NjxkQmMhzmLDncA=='
keys="zone x.\\nset 1 x. DNSKEY\\nrecord $key\\n"
fake() {
    said=$(FAKE_REPORT=$1 "$out/fake/dnsbailiff" baseline learn -r x -o "$out/faked" 2>&1)
    status=$?
}
fake "learned 1\\n${keys}end\\n"
is "an honest report" "$status $(ls "$out/faked")" "0 x.yaml
x.zone"
rm -rf "$out/faked"
while IFS= read -r report; do
    fake "$report"
    has "report: $report" "$status $said" "^1 .*report is not one"
done <<REPORTS
${keys}end\\n
learned 1\\n$keys
learned 1\\n${keys}end\\nmore\\n
learned 1\\nset 1 x. A\\nend\\n
learned 1\\nzone x.\\nrecord $key\\nend\\n
learned 1\\nzone x.\\nset 1 y. DNSKEY\\nrecord $key\\nend\\n
learned 1\\nzone x.\\nset 1 x. A\\nrecord $key\\nend\\n
learned 1\\nzone x.\\nset 1 a.x. DNSKEY\\nrecord $key\\nend\\n
learned 1\\nzone x.\\nset 1 x. A\\nrecord x. 1 IN A 192.0.2.1\\033[2J\\nend\\n
learned 1\\nzone x.\\nset 1 x. A\\nrecord \$ORIGIN y.\\nend\\n
learned 1\\n${keys}out many x. bogus x. A\\nend\\n
learned 1\\n${keys}out 1 x.\\nend\\n
REPORTS
is "none of these wrote anything" "$(ls "$out/faked" 2>/dev/null)" ""

# --- accept ---

# id RULE FOLDER: the finding's
id() {
    jq -r --arg r "$1" 'select(.rule == $r) | .id' "$2/state/findings.jsonl" | head -n 1
}

stolen=records-changed-stolen-zsk
judge() {
    "$build/dnsbailiff" replay -q -r $stolen.pcap --trust-anchor $stolen.anchor --baseline "$out/declared" \
        --identity "$out/identity" -l "$1"
}
cp -r zones "$out/declared"
"$build/dnsbailiff" keygen "$out/identity" >/dev/null
judge "$out/case"
old=$(sha256sum <"$out/declared/bank.test.zone")
accept=(-l "$out/case" --baseline "$out/declared" --identity "$out/identity")
baseline accept "${accept[@]}" --finding "$(id mail-moved "$out/case")" --who "Jane Doe" --why 'ticket "4711"'
is "accept" "$status" 0
has "the new record is declared" "$(cat "$out/declared/bank.test.zone")" '^bank\.test\. +[0-9]+ IN MX 10 mail\.attacker\.example\.$'
is "the old one is not" "$(grep -c 'MX 10 mail.bank.test' "$out/declared/bank.test.zone")" 0
is "the old file is kept" "$(sha256sum <"$out/declared/bank.test.zone.1")" "$old"
record=$(grep '"type":"accept"' "$out/case/accepted/log/log.jsonl")
is "the record says who and why" "$(jq -r '"\(.who), \(.why)"' <<<"$record")" 'Jane Doe, ticket "4711"'
is "the record has both files" "$(jq -r '"\(.old_sha256) \(.sha256)"' <<<"$record")" \
    "${old%% *} $(sha256sum <"$out/declared/bank.test.zone" | cut -d' ' -f1)"
is "the record names the finding as it was logged" \
    "$(grep -c "\"type\":\"finding\".*$(jq -r .finding_sha256 <<<"$record")" "$out/case/log/log.jsonl")" 1
baseline accept "${accept[@]}" --finding "$(id record-changed "$out/case")" --who Jane --why again
is "accept another" "$status" 0
is "its log names the one before" \
    "$(head -n 1 "$out/case/accepted/log/log.jsonl" | jq -r '"\(.run) \(.previous.log) \(.previous.state)"')" \
    "accept log-0001 closed"
baseline accept "${accept[@]}" --finding "$(id record-changed "$out/case")" --who Jane --why again
has "what is adopted is adopted" "$status $said" '^2 .*(not what the finding was held against|says so already)'
is "each acceptance is a version" "$(grep -h '^; Version' "$out"/declared/*.zone)" "; Version 3"
is "and nothing is recorded" "$(find "$out/case/accepted" -maxdepth 1 -name 'log*' | wc -l)" 2
judge "$out/after"
is "findings that were accepted are gone" \
    "$(jq -r .rule "$out/after/state/findings.jsonl" | grep -cE '^(mail-moved|record-changed)$')" 0
has "others are not" "$(jq -r .rule "$out/after/state/findings.jsonl")" '^mail-policy-weakened$'
"$build/dnsbailiff" pack -q -l "$out/case/accepted" -o "$out/accepted.tar" --identity "$out/identity"
said=$("$build/dnsbailiff" verify "$out/accepted.tar" --ca "$out/identity/ca.pem" 2>&1)
has "the record's bundle verifies" "$? $said" '^VERIFIED$'
"$build/dnsbailiff" pack -q -l "$out/case" -o "$out/case.tar" --identity "$out/identity"
said=$("$build/dnsbailiff" verify "$out/case.tar" --ca "$out/identity/ca.pem" 2>&1)
has "the evidence verifies as before" "$? $said" '^VERIFIED$'

# A move of keys, DS and servers at once, finding by finding.
moved=hijack-ds-replaced
cp -r zones "$out/moving"
moves() {
    "$build/dnsbailiff" replay -q -r $moved.pcap --trust-anchor $moved.anchor --baseline "$out/moving" -l "$1"
}
moves "$out/moved"
# That a server is unknown goes with the NS and addresses that make it known.
for finding in $(jq -r 'select(.rule != "server-unknown").id' "$out/moved/state/findings.jsonl"); do
    baseline accept -l "$out/moved" --baseline "$out/moving" --finding "$finding" --who Jane --why moved
    is "accept $finding" "$status" 0
done
moves "$out/settled"
is "a move that was accepted is none" "$(jq -r .rule "$out/settled/state/findings.jsonl")" ""

baseline accept "${accept[@]}" --finding 0123456789abcdef --who Jane --why none
has "no such finding" "$status $said" '^2 .*no such finding'
baseline accept "${accept[@]}" --finding "$(id mail-policy-weakened "$out/case")" --who Jane --why "$(printf 'two\nlines')"
is "a reason is one line" "$status" 2
sed -i 's/203\.0\.113\.0/198.51.100.0/' "$out/case/state/findings.jsonl"
baseline accept "${accept[@]}" --finding "$(id mail-policy-weakened "$out/case")" --who Jane --why none
has "a finding that was changed is refused" "$status $said" '^2 .*not the finding that was logged'
judge_rogue=$(id rrsig-expired "$out/late")
baseline accept -l "$out/late" --baseline "$out/declared" --finding "$judge_rogue" --who Jane --why none
has "a finding without a change of records" "$status $said" '^2 .*shows no change of records'

tally
