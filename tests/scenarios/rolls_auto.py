#!/usr/bin/python3
"""The parent of automatic signers: zones whose rolls Knot and BIND carry out by themselves.

rolls_auto.py WORK build FOLDER               the root and test. at first, unsigned zones for the signers, anchor
rolls_auto.py WORK parent FOLDER [ZONE…]      once: takes over what the children's CDS ask for (RFC 7344), but of those
                                           zones; exit status 0 if test. changed
rolls_auto.py WORK questions FILE             what the client asks
rolls_auto.py WORK expect NAME FILE
rolls_auto.py WORK baseline FOLDER            from zone transfers in FOLDER/*.zone: adds policies with the rolls planned

Everything has a TTL of TTL seconds, so that a roll by the book takes half a minute.
"""
import os
import sys
import time

import dns.flags
import dns.message
import dns.query
import dns.rdatatype

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from zones import DAY, HOUR, SERVER, Tree, Work, Zone  # noqa: E402

TTL = 6
# zone: (server that signs it, planned change)
ZONES = {"knot-zsk.test.": ("ns1", "zsk-rollover"), "knot-ksk.test.": ("ns1", "ksk-rollover"),
         "knot-csk.test.": ("ns1", "csk-rollover"), "knot-algorithm.test.": ("ns1", "algorithm-rollover"),
         "bind-zsk.test.": ("ns2", "zsk-rollover"), "bind-csk.test.": ("ns2", "csk-rollover")}
SIGNING = {z: "signing: {validity: 10m, refresh: 8m}\n" for z in ("bind-zsk.test.", "bind-csk.test.")}


class Child(Zone):
    """Seen from the parent: a delegation, with the DS that are known so far."""

    def __init__(self, name, server, ds):
        super().__init__(name, signed=False, ns=(server,), ds=lambda w: ds)

    def short(self, lines):
        return [line.replace(" 300 IN ", f" {TTL} IN ").replace("1209600 300", f"1209600 {TTL}") for line in lines]

    def text(self, w):
        return self.short(x for x in super().text(w) if " CAA " not in x and " TLSA " not in x)

    def ds_lines(self, w):
        return self.short(super().ds_lines(w))


def known_ds(folder):
    path = os.path.join(folder, "ds")
    found = {zone: [] for zone in ZONES}
    if os.path.exists(path):
        with open(path) as f:
            for line in f:
                zone, text = line.rstrip("\n").split(" ", 1)
                found[zone].append(text)
    return found


def build(w, folder, serial=1):
    found = known_ds(folder)
    tree = Tree(w, [Child(zone, server, found[zone]) for zone, (server, _) in ZONES.items()])
    for name in (".", "test."):
        tree.zones[name].serial = serial
        tree.zones[name].start = int(time.time()) - w.now - HOUR
    tree.build()
    out = os.path.join(folder, "new")
    tree.write(out)
    return out


def parent(w, folder, deaf_to=()):
    found, before = known_ds(folder), known_ds(folder)
    for zone, (server, _) in ZONES.items():
        if zone in deaf_to:
            continue
        query = dns.message.make_query(zone, "CDS", want_dnssec=True)
        query.flags &= ~dns.flags.RD
        try:
            answer = dns.query.udp(query, SERVER[server][0], timeout=1)
        except Exception:  # noqa: BLE001
            continue
        texts = sorted(rd.to_text() for rrset in answer.answer if rrset.rdtype == dns.rdatatype.CDS for rd in rrset)
        if texts:
            found[zone] = texts
    if found == before:
        return 1
    with open(os.path.join(folder, "ds"), "w") as f:
        f.writelines(f"{zone} {text}\n" for zone in found for text in found[zone])
    build(w, folder, int(time.time()) % 100)
    return 0


def expect_text():
    return "\n".join(["baseline zones-rolls-signers", "never bogus test."] +
                     [f"finding roll-progress {z}" for z in ZONES] +
                     ["no-finding roll-unsafe", "no-finding-above info"]) + "\n"


def baseline(w, folder):
    stamp = lambda d: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + d * DAY))
    for zone, (_, change) in ZONES.items():
        with open(os.path.join(folder, zone.rstrip(".") + ".yaml"), "w") as f:
            f.write(f"zone: {zone}\nstrict: true\n{SIGNING.get(zone, '')}planned:\n  - {{change: {change}, from: {stamp(-1)}, to: {stamp(6)}}}\n")


def main(argv):
    w, verb = Work(argv[1]), argv[2]
    if verb == "build":
        os.makedirs(argv[3], exist_ok=True)
        build(w, argv[3])
    elif verb == "parent":
        return parent(w, argv[3], argv[4:])
    elif verb == "questions":
        with open(argv[3], "w") as f:
            f.writelines(f"{name} {kind}\n" for z in ZONES for name, kind in (("www." + z, "A"), ("nx." + z, "A")))
    elif verb == "expect":
        with open(argv[4], "w") as f:
            f.write(expect_text())
    elif verb == "baseline":
        baseline(w, argv[3])
    elif verb == "zones":
        for zone, (server, _) in ZONES.items():
            print(zone, server)
    else:
        raise SystemExit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
