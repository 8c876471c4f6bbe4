#!/bin/bash
# selftest.sh: the structure checks can fail: plants one violation of each rule in an empty tree, expects
# that the planted file is named.
#
#   tests/structure/selftest.sh BUILD
set -uo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/../.." || exit 1
passed=0
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# judged NAME WANTED OUTPUT: the output must contain the line that the plant should cause.
judged() {
    if grep -qE "$2" <<<"$3"; then
        echo "ok   refused: $1"
        passed=$((passed + 1))
    else
        echo "FAIL accepted: $1"
        failed=$((failed + 1))
    fi
}

tree=$work/tree
mkdir -p "$tree"/{sandbox,capture,analyze,rules,evidence,tests}

# planted NAME FILE BODY: a file with the right opening comment and a body that breaks one rule.
planted() {
    local name=$1 file=$2 body=$3 stem
    stem=$(basename "${file%.[ch]}")
    mkdir -p "$(dirname "$tree/$file")"
    printf '/*\n * %s: planted.\n */\n%b\n' "$stem" "$body" >"$tree/$file"
    judged "$name" "^  $file:[0-9]+:" "$(tests/structure/includes.sh "$tree")"
    rm "$tree/$file"
}
planted "sandbox includes evidence" sandbox/planted.c '#include "evidence/format.h"'
planted "sandbox includes analyze" sandbox/planted.h \
    '#define SANDBOX_PLANTED_H\n#include "analyze/name.h"'
planted "capture includes analyze" capture/planted.c '#include "analyze/name.h"'
planted "rules includes the analyser" rules/planted.c '#include "analyze/decode/dissect.h"'
planted "rules includes the sandbox" rules/planted.c '#include "sandbox/ring.h"'
planted "rules sees files" rules/planted.c '#include <fcntl.h>'
planted "evidence includes DNS" evidence/planted.c '#include "analyze/decode/message.h"'
planted "analyze includes evidence" analyze/planted.c '#include "evidence/format.h"'
planted "decoding includes the validator" analyze/decode/planted.c '#include "analyze/validate/world.h"'
planted "the validator includes a tracker" analyze/validate/planted.c '#include "analyze/follow/usage.h"'
planted "a tracker includes what tells of it" analyze/follow/planted.c '#include "analyze/tell/tell.h"'
planted "what tells includes the pipeline" analyze/tell/planted.c '#include "analyze/pipeline.h"'
planted "evidence sees ldns" evidence/planted.c '#include <ldns/ldns.h>'
planted "analyze sees libpcap" analyze/planted.c '#include <pcap/pcap.h>'
planted "analyze sees CMS" analyze/planted.c '#include <openssl/cms.h>'
planted "rules sees seccomp" rules/planted.c '#include <seccomp.h>'
planted "the verifier includes the writer" evidence/verify_planted.c '#include "evidence/store.h"'
planted "the writer includes the verifier" evidence/planted.c '#include "evidence/verify.h"'
planted "a call of strcpy" analyze/planted.c 'void f(char *a) { strcpy (a, "/*"); }'
planted "a call of alloca" sandbox/planted.c '/* fine */ void f(void) { alloca(1); } /* alloca */'
planted "a wrong include guard" sandbox/planted.h '#define PLANTED_H'
printf '#include "sandbox/ring.h"\n' >"$tree/capture/planted.c"
judged "no opening comment" '^  capture/planted.c:1: ' "$(tests/structure/includes.sh "$tree")"
printf '/* another: name */\n\n' >"$tree/capture/planted.c"
judged "another file's comment" '^  capture/planted.c:2: ' "$(tests/structure/includes.sh "$tree")"
rm "$tree/capture/planted.c"
printf '/*\n * planted: x\n */\n#define CAPTURE_PLANTED_H\n' >"$tree/capture/planted.h"
planted "its header is not included first" capture/planted.c \
    '#include <stdio.h>\n#include "capture/planted.h"'
rm "$tree/capture/planted.h"

# And what must be let through: names of banned functions in comments, strings and other names.
printf '/*\n * planted: strcpy(a, b).\n */\n// gets(x)\nint my_gets(int);\nint x = f("strcat(");\n' \
    >"$tree/analyze/planted.c"
if tests/structure/includes.sh "$tree" | grep -q 'analyze/planted.c'; then
    echo "FAIL refused: banned names in comments and strings"
    failed=$((failed + 1))
else
    echo "ok   accepted: banned names in comments and strings"
    passed=$((passed + 1))
fi

# planted_object NAME OBJECT CODE: compiles CODE as the only object there is.
objects=$work/obj
planted_object() {
    local name=$1 object=$2 code=$3
    mkdir -p "$(dirname "$objects/$object")"
    if ! ${CC:-cc} -w -O1 -x c -c -o "$objects/$object" - <<<"$code"; then
        judged "$name" x ""
        return
    fi
    judged "$name" "^  $object: " "$(tests/structure/symbols.sh "$build" "$objects")"
    rm "$objects/$object"
}
planted_object "analyze opens a socket" analyze/planted.o 'void planted(void) { socket(1, 2, 3); }'
planted_object "analyze opens a file" analyze/planted.o 'void planted(void) { open("x", 0); }'
planted_object "analyze asks for the time" analyze/planted.o 'void planted(void) { time(0); }'
planted_object "rules draw lots" rules/planted.o 'void planted(void) { random(); }'
planted_object "capture transmits" capture/planted.o 'void planted(void) { sendto(1, 2, 3, 4, 5, 6); }'
planted_object "store signs" evidence/planted.o 'void planted(void) { EVP_DigestSign(1, 2, 3, 4, 5); }'
planted_object "evidence reads DNS" evidence/planted.o 'void planted(void) { ldns_rr_new(); }'
planted_object "something listens" sandbox/planted.o 'void planted(void) { listen(1, 2); }'
planted_object "something runs a program" sandbox/planted.o 'void planted(void) { execv("x", 0); }'
planted_object "the verifier writes archives" evidence/verify_planted.o \
    'void verify(void) { archive_write_new(); }'
planted_object "a call of sprintf" sandbox/planted.o \
    'int planted(char *a, char *b) { return sprintf(a, "%d%s", 1, b); }'
planted_object "a foreign name is exported" sandbox/planted.o 'void foreign_to_all(void) {}'
planted_object "a variable is exported" sandbox/planted.o 'int planted_state = 1;'

# The compiler refuses them as well.
for call in 'strcpy(a, a)' 'strcat(a, a)' 'sprintf(a, a)' 'system(a)' 'alloca(1)' 'atoi(a)' 'strtok(a, a)'; do
    output=$(${CC:-cc} -std=gnu11 -D_GNU_SOURCE -include sandbox/banned.h -fsyntax-only -x c - 2>&1 \
        <<<"void f(char *a); void f(char *a) { (void)$call; }")
    judged "$call, by the compiler" "${call%%(*} is banned" "$output"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
