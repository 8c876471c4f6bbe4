#!/usr/bin/python3
"""What rhythm.sh needs besides servers: zones as they were signed on each of its days, and the weeks between.

rhythm.py WORK days NAME                     the days of that scenario, in seconds from its begin
rhythm.py WORK keys ZONE                     makes KSK and ZSK (13); prints their paths
rhythm.py WORK zone FILE ZONE                an unsigned zone for an automatic signer
rhythm.py WORK parents OUT                   root and test., signed for half a year
rhythm.py WORK day OUT NAME SECONDS          OUT/ns1 and OUT/ns2 as they are on that day
rhythm.py WORK join OUT NAME FOLDER          FOLDER/SECONDS.pcap, each moved to its day, as one capture
rhythm.py WORK expect NAME FILE              the expectation, written here by hand

The zones of ns2 are signed by dnssec-signzone and ldns-signzone, which are told the time (-s, -e; -i, -e).
"""
import glob
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from zones import Tree, Work, Zone, sign_zone  # noqa: E402

DAY, HOUR = 86400, 3600
AUTO = "auto.test."  # Knot signs it: for 14 days, anew when 7 are left
STATIC = ("cron.test.", "hand.test.", "lag.test.")
SERVERS = {AUTO: ("ns1",), "lag.test.": ("ns1", "ns2")}

# The days on which something is seen, and on which each zone is signed anew; with its validity in days.
# cron: once a week (dnssec-signzone). hand: when somebody thinks of it (ldns-signzone). lag: like cron,
# but ns2 gets no transfer any more from some day on.
SCENARIO = {
    # Knot's machine is gone after day 29.2; the cron job failed once, and ran again.
    "refresh-rhythm-lost": {
        "days": [0, 3, 7.3, 14.6, 17, 21.9, 29.2, 39.7, 40.2],
        "cron.test.": ([0, 7.3, 14.6, 21.9, 29.2, 40.2], [14] * 6),
        "hand.test.": ([0, 3, 17, 21.9], [28] * 4),
    },
    "refresh-rhythm-kept": {
        "days": [0, 7.3, 14.6, 21.9, 29.2, 33, 34, 36.5, 43.8],
        "cron.test.": ([0, 7.3, 14.6, 21.9, 29.2, 36.5, 43.8], [14] * 7),
        "hand.test.": ([0, 14.6, 21.9], [28] * 3),
        "lag.test.": ([0, 7.3, 14.6, 21.9, 29.2, 36.5, 43.8], [14] * 7),
        "until": {"ns2": 22},  # what it has then expires after day 35.9
    },
}
SECURE = [f"verdict www.{z} A secure" for z in (AUTO, "cron.test.", "hand.test.")]
EXPECT = {
    "refresh-rhythm-lost": SECURE + [
        f"finding rrsig-stale-refresh {AUTO}", "closed rrsig-stale-refresh cron.test.",
        "no-finding rrsig-stale-refresh hand.test.", "no-finding rrsig-expiring|rrsig-expired", "only"],
    # ns2 is behind for long; that is what is found, and nothing else.
    "refresh-rhythm-kept": SECURE + [
        "no-finding rrsig-stale-refresh", "finding servers-disagree lag.test.", "may rrsig-expired lag.test.",
        # the answers of its last two days are those of weeks before, byte for byte
        "finding rrsig-expiring lag.test.", "only"],
}


def seconds_of(day):
    return round(day * DAY)


def last(plan, name, seconds):
    """Which signing of the zone is current then: its number, day and validity."""
    signed, validity = plan[name]
    n = max(i for i, day in enumerate(signed) if seconds_of(day) <= seconds)
    return n, signed[n], validity[n]


def static_zone(name, n, day, validity):
    start = seconds_of(day)
    return Zone(name, ns=SERVERS.get(name, ("ns2",)), serial=n + 1, start=start - HOUR, end=start + validity * DAY,
                signer="ldns" if name == "hand.test." else "bind")


def parents(w, out):
    zones = [Zone(".", alg=8, lines=[], ns=(), end=180 * DAY), Zone("test.", alg=8, lines=[], ns=(), end=180 * DAY)]
    Tree(w, zones + [Zone(AUTO, ns=("ns1",))] + [static_zone(z, 0, 0, 14) for z in STATIC]).build(out)


def day(w, out, name, seconds):
    plan = SCENARIO[name]
    for server in ("ns1", "ns2"):
        folder = os.path.join(out, server)
        os.makedirs(folder, exist_ok=True)
        for old in glob.glob(os.path.join(folder, "*.zone")):
            os.remove(old)
        for zone in (z for z in STATIC if z in plan and server in SERVERS.get(z, ("ns2",))):
            limit = plan.get("until", {}).get(server) if zone == "lag.test." else None
            z = static_zone(zone, *last(plan, zone, min(seconds, limit * DAY) if limit else seconds))
            with open(os.path.join(folder, zone.rstrip(".") + ".zone"), "w") as f:
                f.write(sign_zone(w, z, z.text(w)))


def join(out, name, folder):
    spec = importlib.util.spec_from_file_location("mirrors", os.path.join(HERE, "mirrors.py"))
    mirrors = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mirrors)
    frames = []
    for seconds in days(name):
        frames += [(time + seconds * 1000000, frame, length)
                   for time, frame, length in mirrors.read_pcap(os.path.join(folder, f"{seconds}.pcap"))]
    mirrors.write_pcap(out, frames)


def days(name):
    return [seconds_of(d) for d in SCENARIO[name]["days"]]


def main(argv):
    w, verb = Work(argv[1]), argv[2]
    if verb == "days":
        print(*days(argv[3]))
    elif verb == "keys":
        print(w.key(argv[3], 13, True).path, w.key(argv[3], 13, False).path)
    elif verb == "zone":
        with open(argv[3], "w") as f:
            f.write("$TTL 300\n" + "\n".join(Zone(argv[4], ns=("ns1",)).text(w)) + "\n")
    elif verb == "parents":
        parents(w, argv[3])
    elif verb == "day":
        day(w, argv[3], argv[4], int(argv[5]))
    elif verb == "join":
        join(argv[3], argv[4], argv[5])
    elif verb == "expect":
        with open(argv[4], "w") as f:
            f.write("\n".join(["no-baseline"] + EXPECT[argv[3]]) + "\n")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
