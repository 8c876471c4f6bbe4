#!/bin/bash
# run.sh: the independent judges that need no servers: ldns-verify-zone, dnssec-verify, dnspython.
#
#   tests/judges/run.sh BUILD               the last line is "N passed, N failed, N skipped"
set -uo pipefail
export LC_ALL=C
build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-/usr/bin/python3}
passed=0
failed=0
skipped=0

# count COMMAND…: runs it, shows what it says, adds up its last line.
count() {
    local said status p f s
    said=$("$@" 2>&1)
    status=$?
    echo "== $(basename "$1" .sh)"
    echo "$said"
    read -r p _ f _ s _ <<<"$(tail -n 1 <<<"$said")"
    if ! [[ ${p:-} =~ ^[0-9]+$ && ${f%,} =~ ^[0-9]+$ ]]; then
        p=0 f=1
    elif [ $status -ne 0 ] && [ "${f%,}" = 0 ]; then
        f=1
    fi
    passed=$((passed + p))
    failed=$((failed + ${f%,}))
    [[ ${s:-} =~ ^[0-9]+$ ]] && skipped=$((skipped + s))
}

count "$here/zones.sh" "$build"

# Every capture that is plain pcap over Ethernet, without fragments or other links. Hostile zones are
# left out: our budget ends where dnspython's patience does not, and that is meant.
scenarios=()
for capture in "$here"/../scenarios/*.pcap; do
    name=$(basename "$capture" .pcap)
    case $name in
    hostile-* | link-* | fragmented-* | captured-* | mirror* | *tunnel* | truncated-then-tcp) continue ;;
    staged-ds-removed-and-back) continue ;; # dnspython proves no denial, and knows not that the DS was gone
    expired-seen-by-clients) continue ;; # no data, only SERVFAIL
    ds-malformed) continue ;; # dnspython refuses the DS RRset for the sake of one digest, as delv does
    esac
    [ -e "${capture%.pcap}.anchor" ] && scenarios+=("$name")
done
if "$PYTHON" -c 'import dns.dnssec, cryptography' 2>/dev/null; then
    count "$here/dnspython.py" "$build/dnsbailiff" "${scenarios[@]}"
    count "$here/proof.sh" "$build/dnsbailiff"
else
    echo "SKIP dnspython: not installed (python3-dnspython, python3-cryptography)"
    skipped=$((skipped + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
