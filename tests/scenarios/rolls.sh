#!/bin/bash
# Records the key rolls of rolls.py anew, with real servers in network namespaces (see ../lab/lib.sh):
#   tests/scenarios/rolls.sh [NAME…]        without names: all of them, and their baselines
# Needs root and the packages that deploy/deps.sh --lab installs. All zones of a recording roll at the same time,
# at both servers; the questions go straight to the servers, as a resolver without a cache would ask, but for
# rolls-hurried, where a resolver caches.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab/lib.sh"
OUT=${MAKE_OUT:-$HERE}
PYTHON=${PYTHON:-/usr/bin/python3}
rolls() { "$PYTHON" "$HERE/rolls.py" "$WORK" "$@"; }

swap() { # the servers' folders become those of a step; who has news reads it again (HUP)
	local role
	for role in tld ns1 ns2; do
		diff -rq "$DIR/$1/$role" "$LIVE/$role" >/dev/null && continue
		cp "$DIR/$1/$role"/*.zone "$LIVE/$role/"
		touch "$LIVE/$role"/*.zone
		case $role in ns2) kill -HUP "${LAB_PID[knot-ns2]}" ;; *) kill -HUP "${LAB_PID[nsd-$role]}" ;; esac
	done
}

record() { # NAME STEPS SECONDS
	local name=$1 steps=$2 seconds=$3 step next role
	DIR=$WORK/$name LIVE=$WORK/$name/live
	rolls build "$name" || return 1
	cp -r "$DIR/00" "$LIVE"
	lab_nsd root "$LIVE/root"
	lab_nsd tld "$LIVE/tld"
	lab_nsd ns1 "$LIVE/ns1"
	lab_knot ns2 "$LIVE/ns2"
	lab_wait_dns root 10.53.0.1 && lab_wait_dns tld 10.53.0.2 && lab_wait_dns ns1 10.53.0.3 && lab_wait_dns ns2 10.53.0.4 || return 1
	role=res
	case $name in rolls-hurried | rolls-rushed)
		role=cli
		LAB_RES_EXTRA="  minimal-responses: yes" lab_unbound "$LIVE/anchor"
		lab_wait_dns cli 10.54.0.1 || return 1
		lab_mirror p-sen p-res
		;;
	esac
	lab_record "$OUT/$name.pcap" || return 1
	next=$(date +%s%N)
	for step in ${steps//,/ }; do
		if [ "$step" != 0 ]; then
			swap "$(printf %02d "$step")"
			sleep 0.7 # the servers read
		fi
		if [ "$name" = rolls-rushed ]; then # a resolver that knows nothing yet
			lab_stop unbound
			LAB_RES_EXTRA="  minimal-responses: yes" lab_unbound "$LIVE/anchor"
			lab_wait_dns cli 10.54.0.1 || return 1
		fi
		ip netns exec "$LAB_NS-$role" "$PYTHON" "$HERE/rolls.py" "$WORK" ask "$name" "$step" $((step == 0))
		next=$((next + seconds * 1000000000))
		sleep "$("$PYTHON" -c "import time; print(max(0, $next / 1e9 - time.time()))")"
	done
	lab_record_end
	lab_halt
	lab_mirror p-sen p-res p-rc
	cp "$DIR/00/anchor" "$OUT/$name.anchor"
	rolls expect "$name" "$OUT/$name.expect"
	printf '%-32s %8d bytes\n' "$name" "$(stat -c %s "$OUT/$name.pcap")"
}

lab_up
WORK=${MAKE_WORK:-$LAB_DIR/work}
mkdir -p "$WORK"
failed=0
while read -r name steps seconds; do
	[ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
	record "$name" "$steps" "$seconds" || { echo "rolls.sh: $name failed" >&2; failed=1; lab_halt; }
done < <(rolls list)
if [ $# = 0 ] || [[ " $* " == *" rolls-sound "* ]]; then
	for baseline in zones-rolls-sound zones-rolls-unplanned; do
		rm -rf "${OUT:?}/$baseline"
		rolls baseline "$baseline" "$OUT/$baseline"
	done
	for suffix in pcap anchor; do ln -sf "rolls-sound.$suffix" "$OUT/rolls-sound-unplanned.$suffix"; done
	rolls expect rolls-sound-unplanned "$OUT/rolls-sound-unplanned.expect"
fi
if [ $# = 0 ] || [[ " $* " == *" rolls-rushed "* ]]; then
	rm -rf "${OUT:?}/zones-rolls-rushed"
	rolls baseline zones-rolls-rushed "$OUT/zones-rolls-rushed"
fi
exit $failed
