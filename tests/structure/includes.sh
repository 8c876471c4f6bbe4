#!/bin/bash
# includes.sh: the source text keeps to the rooms of DESIGN: who includes whom, what is never called.
#
#   tests/structure/includes.sh [ROOT]      ROOT: a source tree, default this one
#
# Prints each violation as "file:line: what", then "N passed, N failed": one check a rule.
set -uo pipefail
export LC_ALL=C
cd "${1:-$(dirname "$0")/../..}" || exit 1

passed=0
failed=0

# verdict NAME VIOLATIONS: counts one check.
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

# sources FOLDER…: its C files and tables.
sources() {
    find "$@" -name '*.[ch]' -o -name '*.def' 2>/dev/null | sort
}

# may_include ROOM PATTERN…: every #include "…" in ROOM, folders or files, matches one of the patterns (shell globs).
may_include() {
    local room=$1 file line path pattern good bad=
    shift
    while IFS=: read -r file line path; do
        good=no
        for pattern in "$@"; do
            # shellcheck disable=SC2053 # the right side is a pattern on purpose
            [[ $path == $pattern ]] && good=yes
        done
        [ $good = yes ] || bad+="$file:$line: includes $path"$'\n'
    # shellcheck disable=SC2086 # several
    done < <(sources $room | xargs -r grep -HnoP '^\s*#\s*include\s+"\K[^"]+')
    verdict "${room//$'\n'/ } includes only $*" "${bad%$'\n'}"
}

may_include sandbox 'sandbox/*'
may_include capture 'capture/*' 'sandbox/*'
may_include rules 'rules/*' analyze/facts.h analyze/verdict.h analyze/name.h
may_include evidence 'evidence/*' 'sandbox/*'
may_include analyze 'analyze/*' 'rules/*' 'capture/*' 'sandbox/*'
# The rooms inside analyze: what stands above sees what stands below, never the other way round. All speak the same
# words; a zone owns what is followed of it, without knowing what that is (followed.h).
words=(analyze/{name,types,key,canon,verdict,facts,fact_health,jline}.h)
words_files=$(ls analyze/{name,types,key,canon,verdict,jline}.c "${words[@]}" 2>/dev/null)
below=("${words[@]}" 'rules/*' 'capture/*' 'sandbox/*')
may_include "$words_files" "${below[@]}"
may_include analyze/decode "${below[@]}" 'analyze/decode/*'
may_include analyze/declared "${below[@]}" 'analyze/declared/*'
below+=('analyze/decode/*' 'analyze/declared/*')
may_include analyze/validate "${below[@]}" 'analyze/validate/*' analyze/follow/followed.h
below+=('analyze/validate/*')
may_include analyze/follow "${below[@]}" 'analyze/follow/*'
below+=('analyze/follow/*')
may_include analyze/tell "${below[@]}" 'analyze/tell/*'
may_include history 'history/*' 'sandbox/*' analyze/facts.h analyze/key.h analyze/name.h analyze/types.h analyze/verdict.h 'evidence/format.h' 'evidence/report.h' 'evidence/verify*.h'
[ ! -e dnsbailiff.c ] || may_include dnsbailiff.c 'sandbox/*'

# Only the room that owns a library sees its headers (tests and bench may use what they like).
owns() {
    local pattern=$1 bad
    shift
    bad=$(sources sandbox capture analyze rules evidence history | grep -vE "^($(tr ' ' '|' <<<"$*"))" |
        xargs -r grep -HnE "^\s*#\s*include\s+<($pattern)")
    verdict "only $* sees <$pattern>" "$bad"
}
owns 'ldns' analyze
owns 'pcap' capture
owns 'archive' evidence
owns 'zlib|lzma|zstd|lz4' capture
owns 'openssl/(cms|x509|ts|pem)' evidence
owns 'seccomp|linux/landlock|sys/capability' sandbox
owns 'yaml' sandbox analyze rules
owns 'sqlite3' history

# The verifier's files and the files that write or sign never include each other; format.h, names and
# numbers without code, is what they share.
bad=$(sources evidence | grep -E '/(verify|explain|report)[^/]*$' |
    xargs -r grep -HnE '#\s*include\s+"evidence/' | grep -vE '"evidence/((verify|explain|report)[^"]*|format\.h)"')
verdict "the verifier includes nothing that writes or signs" "$bad"
bad=$(sources evidence | grep -vE '/(verify|explain|report)[^/]*$' |
    xargs -r grep -HnE '#\s*include\s+"evidence/verify')
verdict "nothing that writes or signs includes the verifier" "$bad"

# Comments and strings may name what code must not call: they are blanked, lines are kept.
code() {
    awk '
    {
        text = $0; out = ""
        while (text != "") {
            if (inside) {
                end = index(text, "*/")
                if (!end) { text = ""; break }
                text = substr(text, end + 2); inside = 0
            } else if (match(text, /\/\*|\/\/|"([^"\\]|\\.)*"|'\''([^'\''\\]|\\.)*'\''/)) {
                token = substr(text, RSTART, 2)
                out = out substr(text, 1, RSTART - 1) " "
                text = substr(text, RSTART + (token == "/*" ? 2 : RLENGTH))
                if (token == "/*") inside = 1
                if (token == "//") text = ""
            } else {
                out = out text; text = ""
            }
        }
        printf "%s:%d: %s\n", FILENAME, FNR, out
    }' "$1"
}

banned='strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|alloca|system|popen|tmpnam|mktemp|atoi|atol'
bad=
while read -r file; do
    [ "$file" != sandbox/banned.h ] || continue
    grep -qE "($banned)[[:space:]]*\(" "$file" || continue
    text=$(code "$file")
    hit=$(grep -E "(^|[^A-Za-z0-9_.>])($banned)[[:space:]]*\(" <<<"$text")
    [ -z "$hit" ] || bad+="$hit"$'\n'
done < <(sources sandbox capture analyze rules evidence history tests; ls dnsbailiff.c 2>/dev/null)
verdict "no call of ${banned//|/, }" "${bad%$'\n'}"

# Rules are pure: the same facts give the same findings (the `rules` command is not part of that).
bad=$(sources rules | grep -v '^rules/command' |
    xargs -r grep -HnE '^\s*#\s*include\s+<(unistd|fcntl|sys/|pthread|poll)')
verdict "rules see no file, process or thread" "$bad"

# Every file begins with its name (policy_sign.c: "policy of sign") and its purpose.
bad=$({ sources sandbox capture analyze rules evidence history tests | grep '\.[ch]$'
    ls dnsbailiff.c 2>/dev/null; } | while read -r file; do
    stem=$(basename "${file%.[ch]}")
    stem=${stem#test_}
    awk -v file="$file" -v stem="$stem" -v name=" (test_)?${stem//_/[_ a-z]*}[:,]" '
        FNR == 1 && !/^\/\*/ { print file ":1: does not begin with a comment"; exit }
        FNR <= 2 && $0 ~ name { found = 1 }
        FNR == 2 { if (!found) print file ":2: the comment does not begin with \"" stem ": \""; exit }
    ' "$file"
done)
verdict "every .c and .h begins with its name and purpose" "$bad"

# A header is protected by the name of its path.
bad=$(sources sandbox capture analyze rules evidence history | grep '\.h$' | while read -r file; do
    guard=$(tr 'a-z/.' 'A-Z__' <<<"$file")
    grep -q "^#define $guard$" "$file" || echo "$file:1: include guard is not $guard"
done)
verdict "include guards are named for the path" "$bad"

# foo.c includes foo.h first, by its full path.
bad=$(sources sandbox capture analyze rules evidence history | grep '\.c$' | while read -r file; do
    [ -e "${file%.c}.h" ] || continue
    first=$(grep -nm1 -E '^\s*#\s*include' "$file")
    grep -qF "#include \"${file%.c}.h\"" <<<"$first" ||
        echo "$file:${first%%:*}: does not include ${file%.c}.h first"
done)
verdict "foo.c includes foo.h first" "$bad"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
