#!/bin/bash
# deps.sh: the Debian 12 packages that building, testing and the lab need: names them, installs them.
#
#   deploy/deps.sh [--build] [--test] [--lab] [--check]
#
# Groups (default: all three): --build to compile and run, --test for `make check` and the demo's
# standard tools, --lab for the real servers of the network-namespace tests.
# --check installs nothing: prints each missing package on a line; exit status 1 if any is missing.
# Installs as root or through sudo, and says what. Prints nothing when nothing is missing.
# While the lab's servers are installed a temporary policy-rc.d keeps their daemons from starting;
# what was there before is put back, and freshly installed daemons are not enabled at boot.
set -euo pipefail

build=(gcc libc6-dev linux-libc-dev clang make pkg-config libpcap-dev libldns-dev libssl-dev
    libarchive-dev libseccomp-dev libcmocka-dev libjansson-dev libyaml-dev
    libxxhash-dev uthash-dev zlib1g-dev liblzma-dev libzstd-dev liblz4-dev libsqlite3-dev openssl)
test=(clang-format-14 libclang-rt-14-dev libasan8 libubsan1 git tshark tcpdump ldnsutils
    bind9-dnsutils iproute2 nftables ethtool python3 python3-cryptography python3-dnspython jq
    mandoc gzip xz-utils zstd lz4 xxd procps sqlite3 util-linux)
lab=(nsd knot unbound bind9 bind9-utils pdns-server pdns-backend-sqlite3 pdns-recursor dnsperf
    faketime iodine)
daemons=(nsd knot unbound bind9 pdns-server pdns-recursor)
declare -A unit=([bind9]=named [pdns-server]=pdns) # where it is not called as its package

usage() {
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
}

check=no
groups=()
for word in "$@"; do
    case $word in
    --build | --test | --lab) groups+=("${word#--}") ;;
    --check) check=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "deps.sh: unknown option $word" >&2; usage >&2; exit 2 ;;
    esac
done
[ ${#groups[@]} -gt 0 ] || groups=(build test lab)

command -v dpkg-query >/dev/null || {
    echo "deps.sh: this is not Debian (no dpkg-query); the packages it would want:" >&2
    echo "${build[*]} ${test[*]} ${lab[*]}" | fold -s -w 100 >&2
    exit 1
}

wanted=()
for group in "${groups[@]}"; do
    case $group in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    lab) wanted+=("${lab[@]}") ;;
    esac
done

# A package counts as there when dpkg says "installed" ("ii"), whatever its architecture.
present=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | awk '$1 == "ii" { print $2 }')
missing=()
for package in "${wanted[@]}"; do
    grep -qxF "$package" <<<"$present" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$check" = yes ]; then
    printf '%s\n' "${missing[@]}"
    exit 1
fi

root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps.sh: not root and no sudo; have someone install: ${missing[*]}" >&2
        exit 1
    }
    root=(sudo)
fi
# Runs a command as root, without a stdin that it could wait for.
as_root() {
    "${root[@]}" "$@" </dev/null
}

policy=/usr/sbin/policy-rc.d
kept=$policy.kept-by-dnsbailiff
restore_policy() {
    as_root rm -f "$policy"
    if [ -e "$kept" ]; then
        as_root mv "$kept" "$policy"
    fi
}
forbid_daemons() {
    # A run that was killed here has left the original aside: that one is put back, not ours.
    if [ -e "$policy" ] && [ ! -e "$kept" ]; then
        as_root mv "$policy" "$kept"
    fi
    trap restore_policy EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

fresh_daemons=()
for daemon in "${daemons[@]}"; do
    for package in "${missing[@]}"; do
        [ "$package" = "$daemon" ] && fresh_daemons+=("${unit[$daemon]:-$daemon}")
    done
done

echo "deps.sh: installing ${missing[*]}"
[ ${#fresh_daemons[@]} -eq 0 ] || forbid_daemons
options=(-q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold --no-install-recommends)
as_root apt-get -qq update
as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "${missing[@]}"
if [ ${#fresh_daemons[@]} -gt 0 ] && command -v systemctl >/dev/null; then
    as_root systemctl -q disable "${fresh_daemons[@]}" || true
    echo "deps.sh: not started and not enabled at boot: ${fresh_daemons[*]}"
fi
