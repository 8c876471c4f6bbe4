#!/bin/bash
# by_hand BUNDLE.tar CA.pem: the five commands of EVIDENCE.md, as its README.txt prints them, with
# standard tools only. Exit 0 if all pass. The commands are ours, never run from inside a bundle;
# that README.txt holds the same ones is checked.
set -u
X=$(realpath "$1") CA=$(realpath "$2")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
fail() { echo "by_hand: $*" >&2; exit 1; }
tar xf "$X" -C "$tmp" || fail "tar cannot read the bundle"
set -- "$tmp"/*
[ $# = 1 ] && [ -d "$1" ] || fail "not one folder"
cd "$1" || exit 1
EPOCH=$(sed -n 's/^Verify-Epoch: \([0-9]*\)$/\1/p' bag-info.txt)
grep -qx "  EPOCH=$EPOCH" README.txt || fail "README.txt and bag-info.txt disagree on the time"

promised='  find . ! -type f ! -type d ; tar tf X.tar | sort | uniq -d         # both print nothing
  openssl ts -verify -data signatures/seal.p7s -in signatures/seal.p7s.tsr -CAfile ca.pem
  openssl cms -verify -binary -cades -purpose any -no-CApath -no-CAstore -CAfile ca.pem -attime $EPOCH \
    -inform DER -in signatures/seal.p7s -content tagmanifest-sha512.txt -out /dev/null
  sha512sum -c --quiet --strict tagmanifest-sha512.txt && sha512sum -c --quiet --strict manifest-sha512.txt
  diff <(LC_ALL=C find data -type f | LC_ALL=C sort) <(cut -d'"' '"' -f3- manifest-sha512.txt)'
diff <(echo "$promised") <(grep -A5 '^  find \. ' README.txt) >&2 || fail "README.txt gives other commands"

out=$(find . ! -type f ! -type d ; tar tf "$X" | sort | uniq -d) || fail "1: find, tar"
[ -z "$out" ] || fail "1: odd members: $out"
if [ -e signatures/seal.p7s.tsr ]; then
    openssl ts -verify -data signatures/seal.p7s -in signatures/seal.p7s.tsr -CAfile "$CA" || fail "2: time stamp"
fi
openssl cms -verify -binary -cades -purpose any -no-CApath -no-CAstore -CAfile "$CA" -attime "$EPOCH" \
    -inform DER -in signatures/seal.p7s -content tagmanifest-sha512.txt -out /dev/null 2>"$tmp.err" ||
    fail "3: $(cat "$tmp.err"; rm -f "$tmp.err")"
rm -f "$tmp.err"
sha512sum -c --quiet --strict tagmanifest-sha512.txt && sha512sum -c --quiet --strict manifest-sha512.txt || fail "4: hashes"
diff <(LC_ALL=C find data -type f | LC_ALL=C sort) <(cut -d' ' -f3- manifest-sha512.txt) || fail "5: files"

# Beyond the five: the older manifests, the log's chain, and the first key's certificate.
sha256sum -c --quiet --strict tagmanifest-sha256.txt && sha256sum -c --quiet --strict manifest-sha256.txt || fail "sha256"
prev=$(printf '0%.0s' {1..64}) seq=0
while IFS= read -r line; do
    case $line in "{\"seq\":$seq,\"prev\":\"$prev\",\"type\":\""*) ;; *) fail "log: chain broken at $seq" ;; esac
    prev=$(printf '%s\n' "$line" | sha256sum | cut -d' ' -f1) seq=$((seq + 1))
done <data/log/log.jsonl
openssl cms -verify -binary -cades -purpose any -no-CApath -no-CAstore -CAfile "$CA" -attime "$EPOCH" \
    -inform DER -in data/log/key0.p7s -content data/log/key0.b64 -out /dev/null 2>/dev/null || fail "key0"

# Each checkpoint by the key of its epoch, with openssl pkeyutl.
spki() { { printf '302a300506032b6570032100' | xxd -r -p; base64 -d <<<"$1"; } >"$tmp/spki.der"; }
for c in data/log/checkpoints/*; do
    epoch=$((10#$(basename "$c" | cut -d- -f1)))
    if [ $epoch = 0 ]; then key=$(cat data/log/key0.b64); else
        key=$(sed -n "s/.*\"type\":\"epoch\".*\"epoch\":$((epoch - 1)),\"next_key\":\"\([^\"]*\)\"}\$/\1/p" data/log/log.jsonl)
    fi
    spki "$key"
    head -n 3 "$c" >"$tmp/text"
    tail -n 1 "$c" | sed 's/.* //' | base64 -d | tail -c 64 >"$tmp/sig"
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$tmp/spki.der" -rawin -in "$tmp/text" \
        -sigfile "$tmp/sig" >/dev/null || fail "checkpoint $c"
done
