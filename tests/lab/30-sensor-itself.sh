#!/bin/bash
# What the sensor says of itself: room for evidence on a small file system, the clock's
# discipline, walls that do not stand, and that sound ones are no finding.
. "$(dirname "$0")/lib.sh"
BUILD=$1
bad=0
check() { # check WHAT command…
	local what=$1
	shift
	if "$@" >"$LAB_DIR/check.log" 2>&1; then
		echo "ok - $what"
	else
		echo "not ok - $what"
		sed 's/^/    /' "$LAB_DIR/check.log" | tail -n 20
		bad=1
	fi
}

lab_up
lab_need jq mount
TREE=$LAB_DIR/work/truncated-then-tcp
/usr/bin/python3 "$LAB_HERE/../scenarios/situations.py" "$LAB_DIR/work" build truncated-then-tcp || exit 1
lab_start "$TREE" "$TREE/anchor" || exit 1
"$BUILD/dnsbailiff" keygen "$LAB_DIR/identity" >/dev/null || exit 1

# record FOLDER [environment…]: a lookup, recorded; eve.json is left in FOLDER
record() {
	local evidence=$1 i
	shift
	lab_run sen bailiff env "$@" "$BUILD/dnsbailiff" capture -i eth0 -l "$evidence" --trust-anchor "$TREE/anchor" \
		--identity "$LAB_DIR/identity" --quiet
	for ((i = 0; i < 100; i++)); do
		grep -q '"type":"open"' "$evidence/log/log.jsonl" 2>/dev/null && break
		sleep 0.1
	done
	sleep 3 # the second look at the clock
	lab_dig www.bank.test A >/dev/null
	sleep 0.5
	kill -TERM "${LAB_PID[bailiff]}"
	wait "${LAB_PID[bailiff]}"
	unset "LAB_PID[bailiff]"
}
found() { # found FOLDER RULE TEXT: a finding of that rule whose summary has the text
	jq -e -n --arg rule "$2" --arg text "$3" \
		'[inputs | select(.event_type == "alert" and .finding.rule == $rule and (.finding.summary | contains($text)))] | length > 0' \
		"$1/eve.json" || { jq -c 'select(.event_type == "alert") | .finding | [.rule, .summary]' "$1/eve.json" && false; }
}
not_found() { ! found "$@"; }

record "$LAB_DIR/sound"
check "walls that stand are no finding" not_found "$LAB_DIR/sound" sensor-confinement ""
check "enough room is no finding" not_found "$LAB_DIR/sound" sensor-storage ""
if /usr/bin/python3 - <<'PYTHON'; then
import ctypes, sys
timex = ctypes.create_string_buffer(512)
state = ctypes.CDLL(None).adjtimex(timex)
sys.exit(state != 5)  # TIME_ERROR
PYTHON
	check "nothing synchronises this clock, and it says so" found "$LAB_DIR/sound" sensor-clock "nothing synchronises"
else
	check "a synchronised clock is no finding" not_found "$LAB_DIR/sound" sensor-clock ""
fi

mkdir "$LAB_DIR/small"
trap 'umount "$LAB_DIR/small" 2>/dev/null; lab_down' EXIT
if mount -t tmpfs -o size=64m tmpfs "$LAB_DIR/small" 2>/dev/null; then
	record "$LAB_DIR/small/evidence"
	check "little room is a finding" found "$LAB_DIR/small/evidence" sensor-storage "MiB left"
	umount "$LAB_DIR/small"
else
	echo "SKIP: no tmpfs can be mounted here"
fi

record "$LAB_DIR/traced" DNSBAILIFF_CONFINE=trace
check "trace mode is a finding about analyze" found "$LAB_DIR/traced" sensor-confinement "analyze: confinement"
check "… and about capture" found "$LAB_DIR/traced" sensor-confinement "capture: confinement"
exit $bad
