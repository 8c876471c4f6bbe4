#!/bin/bash
# run.sh: the sandbox's tests: every policy probed, every step of the confinement made to fail, and
# runs in which a process dies, with actors in place of the real processes.
#
#   tests/sandbox/run.sh BUILD
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=$1
bin=$(cd "$build" && pwd)/tests/sandbox
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work/tmp # private evidence folders go there, so that what stays behind is seen
mkdir "$TMPDIR"

passed=0 failed=0 skipped=0
add() { # the last line of a program that counts for itself
    local p f s
    read -r p _ f _ s _ <<<"$1"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
}
ok() {
    passed=$((passed + 1))
}
bad() {
    failed=$((failed + 1))
    echo "FAIL $*"
}

for process in supervisor capture analyze store sign digest pack verify history lookup; do
    output=$("$bin/probe_$process" --golden "tests/sandbox/golden/$process.calls")
    grep -v ' passed, ' <<<"$output"
    add "$(tail -n 1 <<<"$output")"
done
output=$("$bin/faults")
grep -v ' passed, ' <<<"$output"
add "$(tail -n 1 <<<"$output")"

# --- whole runs ---------------------------------------------------------------------------------------
printf 'frames' >"$work/capture.pcap"

# run NAME EXPECTED-STATUS [ARGUMENT…]: a replay of the actors; its words are in $said.
run() {
    name=$1
    local expected=$2 status=0
    shift 2
    rm -rf "$work/out"
    mkdir "$work/out"
    said=$(timeout 60 "$bin/actors/supervisor" replay -r "$work/capture.pcap" -o "$work/out/b.tar" "$@" \
        2>&1 </dev/null) || status=$?
    if [ "$status" -eq "$expected" ]; then ok; else bad "$name: exit status $status, expected $expected: $said"; fi
    if [ -z "$(ls -A "$TMPDIR")" ]; then ok; else
        bad "$name: left in TMPDIR: $(ls -A "$TMPDIR")"
        rm -rf "${TMPDIR:?}"/*
    fi
}
says() {
    if grep -qF -- "$1" <<<"$said"; then ok; else bad "$name: does not say \"$1\": $said"; fi
}
bundle() { # there or gone
    if [ "$1" = there ] && [ "$(cat "$work/out/b.tar" 2>/dev/null)" = signed ]; then ok
    elif [ "$1" = gone ] && [ -z "$(ls -A "$work/out")" ]; then ok
    else bad "$name: bundle is not $1: $(ls -lA "$work/out")"; fi
}

run "all well" 0
bundle there
says "all?[2J seen"
says "Bundle: $work/out/b.tar"

run "small ring" 0 --set ring-bytes=1MiB
bundle there

run "check" 1 --check
says "DNSBAILIFF WARNING"

run "damaged input" 2 capture damaged
bundle there
says "input is damaged: capture.pcap: cut at 4711"

for process in capture analyze store sign digest pack history; do
    if [ "$process" = store ] || [ "$process" = analyze ] || [ "$process" = capture ]; then when=midway; else when=early; fi
    run "$process fails $when" 1 "$process" exit
    says "dnsbailiff-$process: error: told to fail"
    says "error: $process failed (exit status 1)"
    says "error: the replay ends here and leaves no bundle"
    bundle gone
    run "$process calls what is forbidden" 1 "$process" forbidden
    says "error: $process was killed for a system call its policy refuses"
    bundle gone
    if [ "$process" != sign ]; then
        run "$process leaves before it is done" 1 "$process" leave
        says "error: $process ended before it was done"
        bundle gone
    fi
done

# The child of the supervisor that plays this part.
pid_of() {
    local pid
    for pid in $(ps -o pid= --ppid "$1"); do
        if [ "$( (tr '\0' ' ' <"/proc/$pid/cmdline") 2>/dev/null)" = "dnsbailiff-$2 " ]; then
            echo "$pid"
            return 0
        fi
    done
    return 1
}

# staged NAME EXPECTED WHO SIGNAL: while WHO hangs in the middle of the replay, it (or the supervisor)
# gets a signal.
staged() {
    name=$1
    local expected=$2 who=$3 to=$4 signal=$5 status=0 pid='' supervisor tries
    rm -rf "$work/out"
    mkdir "$work/out"
    "$bin/actors/supervisor" replay -r "$work/capture.pcap" -o "$work/out/b.tar" "$who" hang \
        >"$work/said" 2>&1 </dev/null &
    supervisor=$!
    for ((tries = 0; tries < 100; tries++)); do
        pid=$(pid_of $supervisor "$who") && break
        sleep 0.05
    done
    sleep 0.3
    if [ "$to" = supervisor ]; then kill "-$signal" $supervisor; else kill "-$signal" "$pid"; fi
    { wait $supervisor || status=$?; } 2>/dev/null
    said=$(cat "$work/said")
    if [ "$status" -eq "$expected" ]; then ok; else bad "$name: exit status $status, expected $expected: $said"; fi
    sleep 0.1
    if [ -d "/proc/$pid" ] && [ "$(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null)" != Z ]; then
        bad "$name: $who lives on"
        kill -KILL "$pid"
    else ok; fi
    bundle gone
}
for process in capture analyze store sign digest history; do
    staged "$process is killed" 1 "$process" "$process" KILL
    says "error: $process was killed by signal 9 (KILL)"
    says "error: the replay ends here and leaves no bundle"
    if [ -z "$(ls -A "$TMPDIR")" ]; then ok; else bad "$name: left in TMPDIR"; fi
done
staged "interrupted" 1 analyze supervisor INT
says "ended by INT; no bundle is left"
if [ -z "$(ls -A "$TMPDIR")" ]; then ok; else bad "$name: left in TMPDIR"; fi
staged "the supervisor is killed" 137 analyze supervisor KILL
rm -rf "${TMPDIR:?}"/*

# --- what processes are born with ------------------------------------------------------------------------
table() {
    run "table of $1" 0 "$1" table
    says "dnsbailiff-$1: table $2"
}
table capture "0 1 2 3 4r 5 6 7r 8r 9 10 11 15 32r"
table analyze "0 1 2 3 4r 5r 6r 7 8r 9 10 11 12 23"
table store "0 1 2 3 4r 5r 6r 7r 8 9 11 12 13 14 16r 24"
table history "0 1 2 3 4r 23 24"
table sign "0 1 2 3 4r 13"
table digest "0 1 2 3 4r 14 32r"
table pack "0 1 2 3 4r 13 16r 17"

run "a process that shouts" 0 analyze shout
says "dnsbailiff-analyze: ?[2Jdnsbailiff-sign: all is well?"
# ESC and the second byte of CSI as UTF-8 writes it; bytes, in whatever locale this runs
if LC_ALL=C grep -q $'[\033\233]' <<<"$said"; then bad "$name: control characters came through"; else ok; fi

# --- refusals, before anything is made ----------------------------------------------------------------------
refused() { # NAME TEXT [ARGUMENT…]
    name=$1
    local text=$2 status=0
    shift 2
    rm -rf "$work/out"
    mkdir "$work/out"
    said=$("$bin/actors/supervisor" "$@" 2>&1 </dev/null) || status=$?
    if [ "$status" -eq 2 ]; then ok; else bad "$name: exit status $status: $said"; fi
    says "$text"
    bundle gone
}
capture=$work/capture.pcap
out=$work/out
refused "no source" "no capture given" replay -o "$out/b.tar"
refused "missing source" "nowhere: No such file" replay -r "$work/nowhere" -l "$out/l" -o "$out/b.tar"
refused "folder as source" "is a folder" replay -r "$work" -l "$out/l"
refused "bundle to standard output" "a bundle is a file" replay -r "$capture" -o -
refused "existing bundle" "exists; a bundle is never overwritten" replay -r "$capture" -o "$capture"
refused "missing anchor" "No such file" replay -r "$capture" -l "$out/l" --trust-anchor "$work/nowhere"
refused "missing baseline" "No such file" replay -r "$capture" -l "$out/l" --baseline "$work/nowhere"
refused "baseline without zones" "holds no zone file" replay -r "$capture" -l "$out/l" --baseline "$TMPDIR"
refused "empty folder of captures" "holds no file" replay -R "$TMPDIR" -l "$out/l"
refused "bad time" "is not packet, now, or a time" replay -r "$capture" --at yesterday -l "$out/l"
refused "30 February" "is not packet, now, or a time" replay -r "$capture" --at 2026-02-30T00:00:00Z -l "$out/l"
refused "bad port" "is not a list of ports" replay -r "$capture" --ports 53,x -l "$out/l"
refused "unknown option" "--frobnicate is no option here" replay -r "$capture" --frobnicate -l "$out/l"
refused "-i in a replay" "is no option here" replay -r "$capture" -i lo -l "$out/l"
refused "-r in a capture" "is no option here" capture -i lo -r "$capture" -l "$out/l"
refused "capture without folder" "needs an interface (-i) and an evidence folder (-l)" capture -i lo
refused "pack without log" "holds no evidence" pack -l "$TMPDIR" -o "$out/b.tar"
refused "missing identity" "No such file" replay -r "$capture" -l "$out/l" --identity "$work/nowhere"
refused "bad sensor" "lower-case letters" replay -r "$capture" -l "$out/l" --sensor 'A B'
printf 'tcp-streams: 5\n' >"$work/c1.yaml"
refused "bad value in the configuration" "c1.yaml:1: tcp-streams: 5: outside" replay -r "$capture" -c "$work/c1.yaml" -l "$out/l"
printf 'frobnicate: 5\n' >"$work/c2.yaml"
refused "unknown key in the configuration" "frobnicate" replay -r "$capture" -c "$work/c2.yaml" -l "$out/l"

# --- configuration, lock, streams ---------------------------------------------------------------------------
printf '# only a comment\n' >"$work/c3.yaml"
printf 'ring-bytes: 2MiB\nports: [53, 5353]\nsensor: tap-1\n' >"$work/c4.yaml"
run "empty configuration" 0 -c "$work/c3.yaml"
run "configuration" 0 -c "$work/c4.yaml"
run "example configuration" 0 -c deploy/dnsbailiff.yaml

name="standard input"
rm -rf "$out"; mkdir "$out"
said=$(cat "$capture" | "$bin/actors/supervisor" replay -r - -o "$out/b.tar" digest table 2>&1)
says "table 0 1 2 3 4r 14 19 32r"
bundle there

name="lock"
mkdir "$work/locked"
if flock "$work/locked" "$bin/actors/supervisor" replay -r "$capture" -l "$work/locked" >"$work/said" 2>&1 </dev/null; then
    bad "$name: two runs in one evidence folder"
else ok; fi
said=$(cat "$work/said")
says "another run is using this evidence folder"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
