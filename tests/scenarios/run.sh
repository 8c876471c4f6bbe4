#!/bin/bash
# Replays every recorded scenario and compares with .expect and .judges:
#   tests/scenarios/run.sh [BUILD] [NAME…]      BUILD: folder of the build, default build
#   tests/scenarios/run.sh --judges [NAME…]     compares .expect with .judges, without the program
HERE=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-/usr/bin/python3}
export PYTHONDONTWRITEBYTECODE=1
if [ "${1:-}" = --judges ]; then
	shift
	exec "$PYTHON" "$HERE/check.py" judges "$HERE" "$@"
fi
BUILD=${1:-$HERE/../../build}
shift
exec "$PYTHON" "$HERE/check.py" replay "$(cd "$BUILD" && pwd)/dnsbailiff" "$HERE" "$@"
