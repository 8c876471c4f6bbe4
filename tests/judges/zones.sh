#!/bin/bash
# zones.sh: every zone that tests are made with, judged by ldns-verify-zone, by dnssec-verify and by us,
# while its signatures are valid; and the same zones with a defect each, which nobody may pass.
#
#   tests/judges/zones.sh BUILD             the last line is "N passed, N failed, N skipped"
#
# A judge that is not installed is a visible SKIP. There are no exceptions: all must agree.
set -uo pipefail
export LC_ALL=C TZ=UTC
build=$(realpath "$1")
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
skipped=0
skip=

# The second after the last inception, in the form of RRSIG: the moment to judge the zone at.
moment() {
    tr -s ' \t\n()' ' ' <"$1" | grep -oE ' RRSIG [A-Z0-9-]+ [0-9]+ [0-9]+ [0-9]+ [0-9]{14} [0-9]{14}' |
        awk '$7 > last { last = $7 } END { print last }'
}

seconds() { # YYYYMMDDhhmmss
    date -u -d "${1:0:8} ${1:8:2}:${1:10:2}:${1:12:2}" +%s
}

origin() {
    awk '{ for (i = 2; i <= NF; i++) if ($i == "SOA" && $1 !~ /^;/) { print $1; exit } }' "$1"
}

# One judge each: 0 sound, 1 not.
ldns_() {
    ldns-verify-zone -V 0 -t "$2" "$1" >"$work/said" 2>&1 || return 1
}

# dnssec-verify takes no time: its clock is moved.
bind_() {
    local csk=() shift
    case $(origin "$1") in *csk.test.) csk=(-z) ;; esac # one key signs all, as the zone means it
    shift=$(($(seconds "$2") + 1 - $(date -u +%s)))
    CLOCK_SHIFT=$shift LD_PRELOAD=$build/tests/clock.so timeout 30 \
        dnssec-verify -q "${csk[@]}" -o "$(origin "$1")" "$1" >"$work/said" 2>&1 || return 1
}

we_() {
    "$build/tests/zone_judge" "$(($(seconds "$2") + 1))" "$1" >"$work/said" 2>&1 || return 1
}

declare -A tool=([ldns]=ldns-verify-zone [bind]=dnssec-verify [we]="$build/tests/zone_judge")

# A baseline may declare the DS as the parent has it; that is no record of the zone.
without_ds() {
    awk -v apex="$(origin "$1")" '!($1 == apex && ($3 == "DS" || $4 == "DS"))' "$1"
}

# ask FILE LABEL EXPECTED(0 sound, 1 broken)
ask() {
    local judge status when file=$work/asked
    when=$(moment "$1")
    without_ds "$1" >"$file"
    for judge in we ldns bind; do
        if ! command -v "${tool[$judge]}" >/dev/null; then
            skip+="$judge "
            skipped=$((skipped + 1))
            continue
        fi
        "${judge}_" "$file" "$when"
        status=$?
        if [ $status = "$3" ]; then
            passed=$((passed + 1))
        else
            echo "FAIL $judge says $([ $status = 0 ] && echo sound || echo broken), $2"
            sed 's/^/  /' "$work/said" | head -n 5
            failed=$((failed + 1))
        fi
    done
}

# --- sound zones ---

signed=()
for zone in tests/scenarios/zones*/*.zone tests/unit/data/zones/*; do
    if [ -z "$(moment "$zone")" ]; then
        # What a signer is given to sign, with its keys, is a declaration and no zone as served.
        grep -qwE 'DNSKEY|TYPE48' "$zone" && continue
        "$build/tests/zone_judge" 0 "$zone" >/dev/null
        if [ $? = 2 ]; then
            passed=$((passed + 1))
        else
            echo "FAIL $zone: without signatures, and not called so"
            failed=$((failed + 1))
        fi
        continue
    fi
    signed+=("$zone")
    ask "$zone" "$zone" 0
done

# --- the same with a defect, spread over the zones ---

# spoil DEFECT FILE: the zone with it, on standard output.
spoil() {
    ldns-read-zone -u NONE "$2" 2>/dev/null | awk -v defect="$1" '
        { type = $4 }
        defect == "signature" && type == "RRSIG" && $5 == "MX" { # every signature: one that is good suffices (RFC 6840 5.4)
            n = length($13)
            $13 = substr($13, 1, n - 8) (substr($13, n - 7, 1) == "A" ? "B" : "A") substr($13, n - 6)
        }
        defect == "rdata" && type == "MX" && !done { $5 = $5 + 1; done = 1 }
        defect == "stripped" && type == "RRSIG" && $5 == "MX" { next }
        defect == "denial" && (type == "NSEC" || type == "NSEC3") && ++seen == 2 { gone = $1; next }
        defect == "denial" && type == "RRSIG" && $1 == gone && $5 ~ /^NSEC3?$/ { next }
        { print }'
}

if command -v ldns-read-zone >/dev/null; then
    defects=(signature rdata stripped denial)
    for i in "${!signed[@]}"; do
        zone=${signed[$i]}
        defect=${defects[$((i % 4))]}
        spoil "$defect" "$zone" >"$work/zone"
        if cmp -s "$work/zone" <(spoil none "$zone"); then
            echo "FAIL $zone could not be given the defect $defect"
            failed=$((failed + 1))
        fi
        ask "$work/zone" "$zone with the defect $defect" 1
    done
else
    skip+="defects(ldnsutils) "
    skipped=$((skipped + 1))
fi

[ -z "$skip" ] || echo "SKIP not installed: $(tr ' ' '\n' <<<"$skip" | sort | uniq -c | awk 'NF > 1 { printf "%s %s times, ", $2, $1 }')"
echo "${#signed[@]} signed zones"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
