#!/bin/bash
# run O: evidence made by the real store, sign, digest and pack, checked by hand with standard tools:
# replay and live, certified and ephemeral, packed twice, a second run into the same folder, and that
# a changed log is not packed. Last line: "N passed, N failed".
set -u
O=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
L=$O/libexec/dnsbailiff
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
passed=0 failed=0
check() { # name command…
    local name=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "not ok: $name"
        sed 's/^/    /' "$tmp/out"
    fi
}
refused() { ! "$@"; }
pcap=$here/../scenarios/$(cd "$here/../scenarios" && ls -S -r *.pcap 2>/dev/null | head -n 1)
if [ ! -f "$pcap" ]; then # 3 frames of nothing in particular will do
    pcap=$tmp/frames.pcap
    { printf '\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0'
      for i in 1 2 3; do printf "\\x0$i\\0\\0\\0\\0\\0\\0\\0\\x3c\\0\\0\\0\\x3c\\0\\0\\0"; head -c 60 /dev/zero; done; } >"$pcap"
fi
make() { "$O/tests/make_evidence" "$L" "$@" -r "$pcap"; }

check keygen "$L/keygen" id
check "keygen keeps what is there" refused "$L/keygen" id
check "keygen keys are private" test -z "$(find id -name "*.key" ! -perm 600)"
check "certificates can be handed out" test -z "$(find id -name "*.pem" ! -perm 644)"

check "replay, certified" make ev a.tar -i id
check "by hand" "$here/by_hand.sh" a.tar id/ca.pem
check "another authority is refused" bash -c '"$0" id2 && ! "$1" a.tar id2/ca.pem' "$L/keygen" "$here/by_hand.sh"
flip() { python3 - "$1" "$2" "$3" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[b.index(sys.argv[3].encode()) + 3] ^= 1
open(sys.argv[2], "wb").write(b)
PY
}
for text in '"type":"close"' '"verdict"' 'Payload-Oxum' 'finding","time"'; do
    flip a.tar flipped.tar "$text"
    check "one bit in $text is refused" refused "$here/by_hand.sh" flipped.tar id/ca.pem
done
check "packed twice" make ev b.tar -i id -P
inside() { tar xOf "$1" --wildcards "*/$2"; }
check "same manifests" bash -c 'cmp <(tar xOf a.tar --wildcards "*/tagmanifest-sha512.txt") <(tar xOf b.tar --wildcards "*/tagmanifest-sha512.txt")'
check "same names" cmp <(tar tvf a.tar | grep -v signatures/) <(tar tvf b.tar | grep -v signatures/)
check "second run keeps the first" make ev c.tar -i id
check "by hand" "$here/by_hand.sh" c.tar id/ca.pem
check "names the log before" bash -c 'inside() { tar xOf "$1" --wildcards "*/$2"; }
    inside c.tar data/log/log.jsonl | head -n 1 | grep -q "\"previous\":{\"log\":\"log-0001\",\"size\":[0-9]*,.*\"state\":\"closed\"}}"'
check "set aside" test -s ev/eve-0001.json -a -d ev/segments-0001 -a -d ev/state-0001 -a -s ev/log-0001/log.jsonl

check "source included" make ev2 d.tar -i id -S
check "by hand" "$here/by_hand.sh" d.tar id/ca.pem
check "source is the source" bash -c 'tar xOf d.tar --wildcards "*/data/capture/source-0000-*" | cmp - "$0"' "$pcap"

check "ephemeral" make ev3 e.tar -n 0 -e 2
inside e.tar signatures/chain.pem | awk '/BEGIN/ {n++} n == 2' >own.pem
check "by hand, its own authority" "$here/by_hand.sh" e.tar own.pem
check "packed twice by two ephemeral identities" make ev3 e2.tar -P
check "same manifests" bash -c 'cmp <(tar xOf e.tar --wildcards "*/tagmanifest-sha512.txt") <(tar xOf e2.tar --wildcards "*/tagmanifest-sha512.txt")'
check "says so" bash -c 'tar xOf e.tar --wildcards "*/bag-info.txt" | grep -qx "Seal: ephemeral"'

check "live" make ev4 f.tar -i id -L
check "by hand" "$here/by_hand.sh" f.tar id/ca.pem
check "events name their segment" grep -q '"segment":"seg-00000001.pcapng","packet_id":1}$' ev4/eve.json

check "events tell of sealed segments" bash -c '
    n=$(sed -n "s/.*\"segment\":\"seg-00000001.pcapng\",\"record\":\([0-9]*\)}}\$/\1/p" ev4/eve.json)
    sed -n "$((n + 1))p" ev4/log/log.jsonl | grep -q "\"type\":\"segment\".*\"file\":\"capture/seg-00000001.pcapng\""'
check "a changed log is not packed" bash -c 'sed -i "s/finding/Finding/" ev/log/log.jsonl; ! "$0" "$1" ev g.tar -i id -P -r "$2"' "$O/tests/make_evidence" "$L" "$pcap"
for n in 1 2 3 4 5 6 7 8 9; do
    check "store ends over broken message $n" bash -c '! "$0" "$1" "ev5-$2" h.tar -r "$3" -x "$2" && grep -q "store" <("$0" "$1" "ev6-$2" h.tar -r "$3" -x "$2" 2>&1)
        ! [ -e h.tar ] && ! grep -rq forged "ev5-$2"' "$O/tests/make_evidence" "$L" "$n" "$pcap"
done
if command -v tshark >/dev/null; then
    for f in ev2/segments/*.pcapng ev4/segments/*.pcapng; do
        check "tshark reads $f" bash -c 'n=$(tshark -r "$0" -T fields -e frame.number 2>/dev/null | wc -l); test "$n" -gt 0' "$f"
        check "capinfos reads $f" capinfos "$f"
    done
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
