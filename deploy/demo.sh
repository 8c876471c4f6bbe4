#!/bin/bash
# demo.sh: replays a recorded incident, seals what was found, verifies it: what `make demo` shows.
#
#   deploy/demo.sh [BUILD]
#
# Everything it makes lies in BUILD/demo, which is made anew each time.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
demo=$build/demo
incident=tests/scenarios/rogue-zsk-stolen-ksk.pcap
anchor=tests/scenarios/rogue-zsk-stolen-ksk.anchor
baseline=tests/scenarios/zones
export PATH="$build:$PATH"
rm -rf "$demo"
mkdir -p "$demo"

say() {
    printf '\n'
    fold -s -w 92 <<<"$*" | sed 's/^/## /; s/ *$//'
}
# Shows a command as one would type it, runs it, and accepts only the exit status that was promised.
run() {
    local expected=$1 status=0
    shift
    printf '$'
    printf ' %q' "$@"
    printf '\n'
    "$@" </dev/null || status=$?
    if [ "$status" -ne "$expected" ]; then
        echo "demo: exit status $status where $expected was expected" >&2
        exit 1
    fi
}

say "The incident, recorded from real servers: somebody holds the KSK of example.test. and has" \
    "slipped a ZSK of their own into its DNSKEY RRset. Every signature is valid; a validating" \
    "resolver sets AD. First an identity to seal with; ca.pem is what a verifier will be given."
run 0 dnsbailiff keygen "$demo/identity"

say "Replay: the capture, the root's trust anchor, and the zone files that the owners declared."
run 0 dnsbailiff replay -r "$incident" --trust-anchor "$anchor" --baseline "$baseline" \
    --identity "$demo/identity" -l "$demo/evidence" -o "$demo/incident.tar"

say "Verify, trusting nothing but the CA certificate that came by another way:"
run 0 dnsbailiff verify "$demo/incident.tar" --ca "$demo/identity/ca.pem"

say "The same seal and the same files, by hand, without this program:"
mkdir "$demo/by-hand"
run 0 tar -xf "$demo/incident.tar" -C "$demo/by-hand" --strip-components=1
cp "$demo/identity/ca.pem" "$demo/by-hand.ca.pem"
(
    cd "$demo/by-hand"
    run 0 openssl cms -verify -binary -cades -purpose any -no-CApath -no-CAstore \
        -CAfile ../by-hand.ca.pem -inform DER -in signatures/seal.p7s \
        -content tagmanifest-sha512.txt -out /dev/null
    run 0 sha512sum -c --quiet --strict tagmanifest-sha512.txt
    run 0 sha512sum -c --quiet --strict manifest-sha512.txt
)

say "One bit of the middle of the bundle is flipped. Now it is refused:"
cp "$demo/incident.tar" "$demo/tampered.tar"
chmod u+w "$demo/tampered.tar"
middle=$(($(stat -c %s "$demo/tampered.tar") / 2))
byte=$(od -An -tu1 -j "$middle" -N 1 "$demo/tampered.tar")
printf "\\x$(printf %x $((byte ^ 1)))" |
    dd of="$demo/tampered.tar" bs=1 seek="$middle" conv=notrunc status=none
run 1 dnsbailiff verify "$demo/tampered.tar" --ca "$demo/identity/ca.pem"

say "What you saw: the answers stay secure, because the signatures are; only the comparison with" \
    "what the owner declared finds the foreign key, and the finding cites the frames that show it." \
    "The bundle holds those frames, the chain they rely on, the anchor, the baseline and a log" \
    "under signed checkpoints. Everything lies in $demo; the frames open with: tshark -r" \
    "$demo/by-hand/data/capture/extract.pcapng"
