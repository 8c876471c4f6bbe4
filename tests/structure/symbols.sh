#!/bin/bash
# symbols.sh: what each object and each program can contain, read from their symbol tables.
#
#   tests/structure/symbols.sh BUILD [OBJECTS]     OBJECTS: default BUILD/obj
#
# The objects are ours, so what they import is what we call; what the libraries import is theirs.
# Prints violations, then "N passed, N failed": one check a rule.
set -uo pipefail
export LC_ALL=C
build=$(realpath "$1")
obj=$(realpath "${2:-$build/obj}")
cd "$(dirname "$0")/../.." || exit 1
programs=$build/libexec/dnsbailiff

passed=0
failed=0
verdict() {
    if [ -n "$2" ]; then
        echo "FAIL $1"
        sed 's/^/  /' <<<"$2"
        failed=$((failed + 1))
    else
        echo "ok   $1"
        passed=$((passed + 1))
    fi
}

# Every import and every export of our objects, one line each: "room/file.o symbol" and, for exports,
# the type. Without version and without the fortified spelling. Tests may do what they like.
cd "$obj" || exit 1
all=$(find sandbox capture analyze rules evidence history dnsbailiff.o -name '*.o' 2>/dev/null | sort)
cd - >/dev/null || exit 1
[ -n "$all" ] || { echo "FAIL no objects in $obj"; echo "0 passed, 1 failed"; exit 1; }
listed() {
    (cd "$obj" && xargs nm -A --format=posix "$@" <<<"$all" 2>/dev/null) | sed -E 's/^([^:]+): /\1 /'
}
imported=$(listed -u | awk '{ sub(/@.*/, "", $2); sub(/^__isoc99_/, "", $2)
    if ($2 ~ /^__.*_chk$/) { sub(/^__/, "", $2); sub(/_chk$/, "", $2) } print $1, $2 }')
exported=$(listed -g --defined-only | awk '$2 !~ /^_*(asan|odr_asan|ubsan)/ { print $1, $2, $3 }')

# never NAME OBJECTS EXCEPT PATTERN: no object that matches OBJECTS (and not EXCEPT) imports PATTERN.
never() {
    local bad
    bad=$(awk -v of="^($2)" -v except="^($3)" -v pattern="^($4)\$" '
        $1 ~ of && $1 !~ except && $2 ~ pattern { print $1 ": imports " $2 }' <<<"$imported")
    verdict "$1" "$bad"
}

run='system|popen|execl.*|execvp.*|posix_spawn.*|dlopen|dlmopen'
start='fork|vfork|clone|clone3|execv|execve|execveat|fexecve'
network='socket|connect|bind|listen|accept|accept4|getaddrinfo|gethostby.*|res_.*|sendto'
files='open|open64|openat|openat64|openat2|creat|creat64|fopen|fopen64|freopen.*|opendir|fdopendir|unlink.*|rename.*|mkdir.*'
hidden='time|clock_gettime|gettimeofday|getrandom|getentropy|rand|random|rand_r|drand48|arc4random.*|RAND_.*|getenv|secure_getenv'
banned='strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|tmpnam|mktemp|atoi|atol'
signing='EVP_PKEY_sign.*|EVP_DigestSign.*|EVP_SignFinal.*|CMS_sign.*|CMS_add1_signer|CMS_final|ECDSA_.*sign.*|EVP_PKEY_.*keygen.*|EVP_PKEY_Q_keygen|EVP_PKEY_generate|PEM_read.*PrivateKey|d2i_.*PrivateKey.*|EVP_PKEY_new_raw_private_key.*|X509_sign.*|PEM_write.*PrivateKey|i2d_.*PrivateKey.*'

none='^$'
never "nothing calls a banned function" . "$none" "$banned"
never "nothing starts a program through a shell or a path" . "$none" "$run"
never "nothing accepts a connection or looks up a name" . "$none" \
    'listen|accept|accept4|getaddrinfo|gethostby.*|res_.*'
# baseline runs the supervisor for what was seen; verify, explain, report and lookup have the checker that
# reads the bundle forked in one place (verify_child); the first two run `replay` to see whether findings follow.
never "only the supervisor, the front door, verify, explain, report, lookup and baseline start processes" . \
    'sandbox/(supervisor|spawn)[^/]*|evidence/(verify_child|verify_replay|explain)\.o|analyze/declared/command_run\.o|dnsbailiff\.o' "$start"
never "analyze reaches neither network nor files" analyze/ 'analyze/declared/command_[a-z]*\.o' "$network|$files|$start"
never "history reaches neither network nor files" history/ 'history/lookup\.o' "$network|$files|$start"
never "baseline reaches no network" analyze/declared/command "$none" "$network"
never "analyze takes time and chance from outside" analyze/ 'analyze/(analyze|declared/command_[a-z]*)\.o' "$hidden"
never "rules are pure" rules/ 'rules/command\.o' \
    "$network|$files|$start|$hidden|read|write|pthread_.*"
never "capture transmits nothing" capture/ "$none" \
    'pcap_inject|pcap_sendpacket|pcap_sendqueue.*|send|sendto|sendmmsg|connect|bind'
never "evidence knows no DNS and no network" evidence/ "$none" "ldns_.*|pcap_.*|$network"
never "only sign and keygen can sign" . 'evidence/(sign|keygen|identity|epoch|certificate)[^/]*' "$signing"
never "the verifier writes no archive" evidence/verify "$none" 'archive_write_.*|archive_entry_set_.*'

# A .c file exports names that begin with its own (or with the first word of it), main, or what a
# header of its room declares (a module in several files); never what no header announces.
bad=$(awk '$3 ~ /^[TDBRVWC]$/ && $2 != "main" {
        stem = $1; sub(/.*\//, "", stem); sub(/\.o$/, "", stem)
        word = stem; sub(/_.*/, "", word)
        if ($2 != stem && index($2, stem "_") != 1 && $2 != word && index($2, word "_") != 1)
            print $1 ": exports " $2
    }' <<<"$exported" | while read -r line; do
    grep -rqwh --include="*.h" "${line##* }" "${line%%/*}" 2>/dev/null || echo "$line"
done)
verdict "foo.c exports only foo_* and what its room declares" "$bad"

# Nothing that can be written to is visible outside its file. Tables of pointers are read-only after
# relocation (.data.rel.ro), though nm calls them D.
bad=$(awk '$3 ~ /^[DBC]$/ { print $1, $2 }' <<<"$exported" | while read -r file symbol; do
    objdump -t "$obj/$file" | awk -v s="$symbol" '$NF == s && !/\.data\.rel\.ro/' | grep -q . &&
        echo "$file: exports the variable $symbol"
done)
verdict "no variable is exported" "$bad"

if [ $# -eq 2 ]; then # objects alone, for the self-test
    echo "$passed passed, $failed failed"
    exit $((failed != 0))
fi

# The object lists of the makefile: what checks shares no file with what writes and signs.
list() {
    make -s --no-print-directory "print-$1_SRC" | tr ' ' '\n' | grep . | sort -u
}
writers=$(for p in store pack sign digest keygen; do list "$p"; done | sort -u)
bad=$(comm -12 <({ list verify; list explain; list report; list lookup; } | sort -u | grep '^evidence/') <(grep '^evidence/' <<<"$writers"))
verdict "verify, explain, report and lookup share no evidence file with store, pack, sign, digest and keygen" "$bad"
bad=$(for p in capture store digest pack verify explain report supervisor keygen; do
    list "$p" | grep -E '^(analyze|rules)/' | sed "s/^/$p contains /"
done
for p in analyze rules baseline history; do list "$p" | grep -E '^evidence/' | sed "s/^/$p contains /"; done
list supervisor | grep -E '^(capture|evidence)/' | sed 's/^/supervisor contains /'
list sign | grep -E '^(capture|analyze|rules)/' | sed 's/^/sign contains /')
verdict "each program is linked from its own room and sandbox/" "$bad"

# The linked programs: dynamic imports, which include what link-time choices pulled in.
dynamic() {
    nm -D -u --format=posix "$programs/$1" 2>/dev/null | awk '{ print $1 }' |
        sed -E 's/@.*//; s/^__(.*)_chk$/\1/'
}
program_never() {
    local name=$1 pattern=$2 program hit bad=
    shift 2
    for program in "$@"; do
        [ -e "$programs/$program" ] || { bad+="$program was not built"$'\n'; continue; }
        hit=$(dynamic "$program" | grep -xE "$pattern" | paste -sd' ')
        [ -z "$hit" ] || bad+="$program imports $hit"$'\n'
    done
    verdict "$name" "${bad%$'\n'}"
}
program_never "verify, explain, report and lookup import nothing that signs or makes keys" "$signing" verify explain report lookup
program_never "no program but sign and keygen can sign" "$signing" \
    supervisor capture analyze store digest pack history verify explain report lookup rules baseline
program_never "only analyze, baseline, history and lookup are linked with ldns" 'ldns_.*' \
    supervisor capture store sign digest pack verify explain report keygen rules
program_never "only capture is linked with libpcap" 'pcap_.*' \
    supervisor analyze store sign digest pack verify explain report keygen rules baseline
program_never "only history and lookup are linked with SQLite" 'sqlite3_.*' \
    supervisor capture analyze store sign digest pack verify explain report keygen rules baseline
program_never "sign, store and analyze read no archive" 'archive_.*' sign store analyze supervisor

# Hardening of every program: position independent, relocations read-only, no executable stack.
bad=$(for program in "$build/dnsbailiff" "$programs"/*; do
    name=$(basename "$program")
    header=$(readelf -hldW "$program" 2>/dev/null)
    grep -q 'Type: *DYN' <<<"$header" || echo "$name is not position independent"
    grep -q 'GNU_RELRO' <<<"$header" || echo "$name has no read-only relocations"
    grep -qE '\(FLAGS(_1)?\).*(BIND_)?NOW' <<<"$header" || echo "$name binds lazily"
    grep -E 'GNU_STACK' <<<"$header" | grep -q 'RWE' && echo "$name has an executable stack"
done)
verdict "programs are PIE, full RELRO, without executable stack" "$bad"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
