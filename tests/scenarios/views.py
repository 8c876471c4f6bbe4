#!/usr/bin/python3
"""Zones that tell different clients different things, or seem to: zones and expectations.

views.py WORK list                    the situations, one per line
views.py WORK build NAME              WORK/NAME/ROLE/: what each server has; and the anchor
views.py WORK expect NAME FILE        the expectation, as written here by hand

views.sh plays them. A server that has the folders `inside` and `outside` is BIND's named with two views, by the
client's address (match-clients); the others are nsd.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from zones import Tree, Work, Zone  # noqa: E402

Z = "example.test."
PUBLIC = ["{z} 300 IN A 192.0.2.10", "www.{z} 300 IN A 192.0.2.80", "mail.{z} 300 IN A 192.0.2.25",
          "{z} 300 IN MX 10 mail.{z}", '{z} 300 IN TXT "v=spf1 mx -all"']
PRIVATE = ["{z} 300 IN A 10.20.0.10", "www.{z} 300 IN A 10.20.0.80", "mail.{z} 300 IN A 10.20.0.25",
           "{z} 300 IN MX 10 mail.{z}", '{z} 300 IN TXT "v=spf1 mx -all"', "intranet.{z} 300 IN A 10.20.0.7"]


class View(Zone):
    """One version of the zone: its primary, its serial, its records."""

    def __init__(self, lines, primary="ns1", number=2026112205, ns=("ns1", "ns2"), **more):
        super().__init__(Z, alg=13, lines=[line.replace("{z}", Z) for line in lines], ns=ns, **more)
        self.primary, self.number = primary, number

    def text(self, work):
        out = super().text(work)
        soa = out[0].split()
        soa[4], soa[6] = f"{self.primary}.{Z}", str(self.number)
        return [" ".join(soa)] + out[1:]


def ours(w, label=""):
    return [w.key(Z, 13, True, label), w.key(Z, 13, False, label)]


def provider(own, other, lines, primary):
    """RFC 8901 2.1.2: a KSK and a ZSK of its own, and the other's ZSK published."""
    return View(lines, primary=primary, keys=lambda w: ours(w, own),
                publish=lambda w: [k.line() for k in ours(w, own)] + [ours(w, other)[1].line()],
                ds=lambda w: [ours(w, label)[0].ds() for label in ("one", "two")])


def balanced(which):
    return [line.replace("192.0.2.80", which) for line in PUBLIC]


UNSIGNED = "rrsig-missing|denial-missing|ds-mismatch"  # what an unsigned view is beside, to who validates it
SITUATIONS = {
    # an unsigned zone with private addresses for the inside; both by one server
    "views-by-client": ({"ns1/outside": View(PUBLIC), "ns1/inside": View(PRIVATE, signed=False)},
                        ["finding views-disagree " + Z, "no-finding servers-disagree", "no-finding soa-serial-back",
                         "may " + UNSIGNED, "may zone-dark|servfail-spike", "only"]),
    # the same by a server of its own, which an internal resolver asks
    "views-by-server": ({"ns1": View(PUBLIC), "att": View(PRIVATE, primary="dc1", number=42, signed=False)},
                        ["finding views-disagree " + Z, "no-finding servers-disagree", "may " + UNSIGNED, "only"]),
    # both views signed, with private addresses inside: nothing but the addresses differs
    "views-both-signed": ({"ns1/outside": View(PUBLIC), "ns1/inside": View(PRIVATE)},
                          ["finding views-disagree " + Z, "may signed-equivocation|signed-out-of-serial", "only"]),
    # an answer by place: other addresses, all public, signed by the same key
    "answers-by-place": ({"ns1/outside": View(balanced("192.0.2.80")), "ns1/inside": View(balanced("198.51.100.80"))},
                         ["no-finding views-disagree", "may signed-equivocation|signed-out-of-serial", "only"]),
    # two providers, each with its own primary, keys and pool of addresses
    "providers-two": ({"ns1": provider("one", "two", balanced("192.0.2.80"), "ns1"),
                       "ns2": provider("two", "one", balanced("198.51.100.80"), "ns2")},
                      ["no-finding views-disagree", "no-finding-above low"]),
    # an address that has moved into a private network, and a server that has not heard of it yet
    "address-moved-inside": ({"ns1": View(PRIVATE, number=2026112206), "ns2": View(PUBLIC)},
                             ["no-finding views-disagree", "may denial-contradicted", "no-finding-above low"]),
}


def build(w, name):
    served, _ = SITUATIONS[name]
    for role, zone in served.items():
        out = os.path.join(w.folder, name, role)
        tree = Tree(w, [zone])
        result = tree.build()
        os.makedirs(out, exist_ok=True)
        with open(os.path.join(out, "example.test.zone"), "w") as f:
            f.write(result[Z])
        if not zone.signed or os.path.exists(os.path.join(w.folder, name, "anchor")):
            continue
        for above, folder in ((".", "root"), ("test.", "tld")):
            os.makedirs(os.path.join(w.folder, name, folder), exist_ok=True)
            file = "root.zone" if above == "." else "test.zone"
            with open(os.path.join(w.folder, name, folder, file), "w") as f:
                f.write(result[above])
        key = [k for k in tree.zones["."].default_keys(w) if k.ksk][0]
        with open(os.path.join(w.folder, name, "anchor"), "w") as f:
            f.write(f". IN DNSKEY {key.rdata.to_text()}\n")


def main(argv):
    w = Work(argv[1])
    if argv[2] == "list":
        print("\n".join(SITUATIONS))
    elif argv[2] == "build":
        build(w, argv[3])
    elif argv[2] == "expect":
        with open(argv[4], "w") as f:
            f.write("\n".join(["no-baseline"] + SITUATIONS[argv[3]][1]) + "\n")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
