#!/usr/bin/python3
"""Situations in which the servers of a zone change, or differ, while it is recorded: zones and expectations.

servers.py WORK list                    the situations, one per line
servers.py WORK build NAME              WORK/NAME/STAGE/: what each server has in each stage; and the anchor
servers.py WORK expect NAME FILE        the expectation, as written here by hand
servers.py WORK baselines FOLDER        the baselines zones-servers*, as served when all was well

make_servers.sh plays the stages. Keys are new in each run, so all of them are recorded together. What an
expectation says was decided by reading RFC 1034 4.3.5, RFC 1982, RFC 5936, RFC 7344 and RFC 8078.
"""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from zones import DAY, Tree, Work, Zone, stamp  # noqa: E402

Z = "example.test."
REFRESH = 6  # seconds: so short that a recording outlasts it


class Served(Zone):
    """A zone whose SOA and delegation can be chosen."""

    def __init__(self, serial=2026112205, refresh=REFRESH, parent_ns=None, ttl=None, **more):
        super().__init__(Z, alg=13, **more)
        self.number, self.refresh, self.parent_ns, self.ttl = serial, refresh, parent_ns, ttl

    def text(self, work):
        out = []
        for line in super().text(work):
            words = line.split()
            if words[3] == "SOA":
                words[6:8] = [str(self.number), str(self.refresh)]
            if self.ttl and words[0].startswith("www."):
                words[1] = str(self.ttl)
            out.append(" ".join(words))
        return out

    def delegation(self):
        if self.parent_ns is None:
            return super().delegation()
        ours, self.ns = self.ns, self.parent_ns
        lines = super().delegation()
        self.ns = ours
        return lines


def old_ksk(w):
    return w.key(Z, 13, True)


def next_ksk(w):
    return w.key(Z, 13, True, "next")


def cds(key):
    return f"{Z} 300 IN CDS {key.ds()}"


def cdnskey(key):
    return f"{Z} 300 IN CDNSKEY {key.rdata.to_text()}"


def rolling(w, asked):
    """Both KSKs published and signing, as in a double-KSK roll (RFC 7583 3.3.1), and `asked` at the parent."""
    keys = lambda w: [old_ksk(w), next_ksk(w), w.key(Z, 13, False)]
    return Served(keys=keys, ds=lambda w: [old_ksk(w).ds()], extra=asked)


def other_zsk(w):
    """A copy of the zone with the same serial, signed by a key that the other server does not publish."""
    return Served(keys=lambda w: [old_ksk(w), w.key(Z, 13, False, "other")])


SILENT = ["no-finding-above low", "no-finding servers-disagree", "no-finding soa-serial-back"]
# of the data that changed with the serial, not of the servers
DATA = "may signed-equivocation|signed-out-of-serial|signer-habit"

# name: (stages, baseline, expectation); a stage: {server: zone}. Root and test. are those of the first stage.
SITUATIONS = {
    "serial-back": (
        lambda w: [{"ns1": Served(), "ns2": Served()}, {"ns1": Served(serial=2026112201)}], "zones-servers",
        ["finding soa-serial-back " + Z, "no-finding servers-disagree", DATA, "only"]),
    "serial-round-the-circle": (  # RFC 1982: half the circle and on, each step is newer
        lambda w: [{"ns1": Served(), "ns2": Served()}, {"ns1": Served(serial=(2026112205 + 2**31 - 1) % 2**32)},
                   {"ns1": Served(serial=5)}], "zones-servers", SILENT),
    "secondary-stale": (
        lambda w: [{"ns1": Served(), "ns2": Served()}, {"ns1": Served(serial=2026112206)}], "zones-servers",
        ["finding servers-disagree " + Z, "no-finding soa-serial-back", "only"]),
    "secondary-follows": (
        lambda w: [{"ns1": Served(refresh=30)}, {"ns1": Served(serial=2026112206, refresh=30)}], "zones-servers-slow",
        SILENT),
    "servers-other-keys": (
        lambda w: [{"ns1": Served(), "ns2": other_zsk(w)}], "zones-servers",
        ["finding servers-disagree " + Z, "finding key-unknown " + Z,
         "may key-withdrawn|rrsig-unknown-key|roll-unplanned|roll-unsafe|signed-equivocation|signer-habit|"
         "rrsig-bad|ad-on-bogus|servfail-spike|validation-split|key-withdrawn-early"]),
    "transfer-to-stranger": (
        lambda w: [{"ns1": Served(), "ns2": Served()}], "zones-servers",
        ["finding transfer-unexpected " + Z, "only"]),
    "transfer-to-secondary": (
        lambda w: [{"ns1": Served()}, {"ns1": Served(serial=2026112206)}], "zones-servers",
        SILENT + ["no-finding transfer-unexpected", "no-finding server-unknown"]),
    "ttl-lowered": (
        lambda w: [{"ns1": Served(serial=2026112206, ttl=20), "ns2": Served(serial=2026112206, ttl=20)}],
        "zones-servers", ["finding ttl-anomaly " + Z, DATA, "only"]),
    "delegation-drifted": (
        lambda w: [{"ns1": Served(parent_ns=("ns1", "att")), "ns2": Served()}], "zones-servers",
        ["finding delegation-inconsistent " + Z, "finding delegation-changed " + Z, "only"]),
    "cds-roll-planned": (
        lambda w: [dict.fromkeys(("ns1", "ns2"), rolling(w, [cds(next_ksk(w)), cdnskey(next_ksk(w))]))],
        "zones-servers-roll", SILENT + ["no-finding cds-inconsistent", "no-finding cds-unexpected"]),
    "cds-and-cdnskey-differ": (
        lambda w: [dict.fromkeys(("ns1", "ns2"), rolling(w, [cds(next_ksk(w)), cdnskey(old_ksk(w))]))],
        "zones-servers-roll", ["finding cds-inconsistent " + Z, "no-finding cds-unexpected", "only"]),
}


def zone_file(folder, name):
    return os.path.join(folder, ("root" if name == "." else name.rstrip(".")) + ".zone")


def build(w, name):
    out = os.path.join(w.folder, name)
    shutil.rmtree(out, ignore_errors=True)
    for number, stage in enumerate(SITUATIONS[name][0](w), 1):
        for server, zone in stage.items():
            folder = os.path.join(out, str(number), server)
            tree = Tree(w, [zone])
            result = tree.build()
            os.makedirs(folder)
            with open(zone_file(folder, Z), "w") as f:
                f.write(result[Z])
            if number == 1 and server == "ns1":
                for above, role in ((".", "root"), ("test.", "tld")):
                    os.makedirs(os.path.join(out, "1", role))
                    with open(zone_file(os.path.join(out, "1", role), above), "w") as f:
                        f.write(result[above])
                key = [k for k in tree.zones["."].default_keys(w) if k.ksk][0]
                with open(os.path.join(out, "anchor"), "w") as f:
                    f.write(f". IN DNSKEY {key.rdata.to_text()}\n")


def baselines(w, folder):
    key = next_ksk(w).rdata.to_text().split(None, 3)
    iso = lambda days: f"{stamp(w.now + days * DAY)}"
    window = ["%s-%s-%sT00:00:00Z" % (t[:4], t[4:6], t[6:8]) for t in (iso(-2), iso(28))]
    servers = "servers: [10.53.0.3, 10.53.0.4]\ntransfer-clients: [10.53.0.4]\n"
    plan = (f'planned:\n  - {{change: ksk-rollover, key: "{key[0]} {key[1]} {key[2]} {key[3].replace(" ", "")}", '
            f"from: {window[0]}, to: {window[1]}}}\n")
    for name, zone, more in (("zones-servers", Served(), ""), ("zones-servers-slow", Served(refresh=30), ""),
                             ("zones-servers-roll", Served(), plan)):
        out = os.path.join(folder, name)
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        with open(zone_file(out, Z), "w") as f:
            f.write(Tree(w, [zone]).build()[Z])
        with open(os.path.join(out, Z.rstrip(".") + ".yaml"), "w") as f:
            f.write(f"zone: {Z}\nstrict: true\n{servers}{more}")


def main(argv):
    w = Work(argv[1])
    verb = argv[2]
    if verb == "list":
        print("\n".join(SITUATIONS))
    elif verb == "build":
        build(w, argv[3])
    elif verb == "expect":
        _, baseline, expect = SITUATIONS[argv[3]]
        with open(argv[4], "w") as f:
            f.write("\n".join([f"baseline {baseline}", f"verdict www.{Z} A secure"] + expect) + "\n")
    elif verb == "baselines":
        baselines(w, argv[3])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
