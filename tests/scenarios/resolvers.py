#!/usr/bin/python3
"""What resolvers.sh needs besides servers: zones in their states, questions, expectations, forgeries.

resolvers.py WORK build STATE                 serving folders of that state of the zones, in WORK/STATE
resolvers.py WORK baseline FOLDER             the baseline `zones-resolvers`: the state `sound`
resolvers.py WORK questions SET FILE          lines "NAME TYPE"
resolvers.py WORK anchor                      the DS of the thief's key, as unbound takes it
resolvers.py WORK expect NAME FILE            the expectation, written here by hand

As a module of ../lab/mangle.py: mangles() is what an attacker between resolver and client does.
"""
import os
import sys

import dns.flags
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from zones import DAY, Tree, Work, Zone  # noqa: E402

EXAMPLE, BANK, PLAIN, LAME = "example.test.", "bank.test.", "plain.test.", "lame.test."


def sound(w):
    return {EXAMPLE: Zone(EXAMPLE, ns=("ns1",), extra=["sub.@ 300 IN NS ns.sub.@", "ns.sub.@ 300 IN A 10.53.0.66"]),
            BANK: Zone(BANK, ns=("ns1",), nsec3=(0, "-", False)),
            PLAIN: Zone(PLAIN, ns=("ns2",), signed=False),
            LAME: Zone(LAME, ns=("att",), signed=False)}  # nobody answers there


def expired(w):
    zones = sound(w)
    zones[EXAMPLE].start, zones[EXAMPLE].end = -31 * DAY, -2 * DAY
    return zones


def one_broken(w):
    zones = sound(w)
    zones[BANK].damage = lambda s: s.flip("www", "A")
    return zones


def thief_keys(w):
    return [w.key(EXAMPLE, 13, True, "thief"), w.key(EXAMPLE, 13, False, "thief")]


def hijacked(w):
    zones = sound(w)
    owner = w.key(EXAMPLE, 13, True)
    zones[EXAMPLE] = Zone(EXAMPLE, keys=thief_keys, ns=("att",), ds=lambda w: [owner.ds()])
    return zones


STATES = {"sound": sound, "expired": expired, "one-broken": one_broken, "hijacked": hijacked}


def services(zone):
    return [("www." + zone, "A"), ("www." + zone, "AAAA"), (zone, "A"), (zone, "MX"), (zone, "TXT"),
            ("_dmarc." + zone, "TXT"), ("mail." + zone, "A"), (zone, "SOA")]


QUESTIONS = {
    "example": services(EXAMPLE), "bank": services(BANK), "plain": services(PLAIN),
    # a child of a declared zone, and a zone that nobody declared, whose servers are gone
    "lame": services(LAME)[:5] + [(n + ".sub." + EXAMPLE, "A") for n in ("a", "b", "c", "d")],
    "broken": [("www." + BANK, "A")] * 6,
    "many": (services(BANK) + services(EXAMPLE)) * 8,
}

EXPECT = {
    # www and mail fail behind the validating resolver, and are answered by the other one; then the zone is
    # signed anew
    "resolvers-expired-zone": [
        f"finding rrsig-expired {EXAMPLE}", f"closed zone-dark {EXAMPLE}", f"finding servfail-spike {EXAMPLE}",
        f"finding validation-split {EXAMPLE}", f"finding recovered {EXAMPLE}", "only"],
    "resolvers-servers-gone": [
        f"closed zone-dark {PLAIN}", f"finding servfail-spike {PLAIN}", f"finding recovered {PLAIN}",
        "no-finding validation-split", "only"],
    "resolvers-negative-anchor": [
        f"verdict www.{EXAMPLE} A secure", f"finding validation-split {EXAMPLE}", "finding validation-rate", "only"],
    "resolvers-forged-ad": [
        f"finding ad-on-bogus {EXAMPLE}", f"finding rrsig-bad {EXAMPLE}", f"no-finding ad-on-bogus {BANK}",
        "may rrsig-missing|record-changed|record-unexpected", "only"],
    # what the resolver trusts is its own affair until no cache can explain it: low
    "resolvers-false-anchor": [
        f"finding ad-on-bogus {EXAMPLE}", f"finding ds-mismatch {EXAMPLE}",
        "may ds-mismatch|delegation-changed|delegation-inconsistent|key-unknown|key-withdrawn|server-unknown|record-changed",
        "no-finding servfail-spike|zone-dark|validation-split", "only"],
    "resolvers-near-misses": [
        f"finding rrsig-bad {BANK}", "no-finding servfail-spike|validation-split|zone-dark|validation-rate|ad-on-bogus|recovered",
        "only"],
}


def forge(name, kind, message):
    """Another address for www with the signature as it was; for mail without one. AD stays."""
    first = name.labels[0].lower()
    if kind != dns.rdatatype.A or first not in (b"www", b"mail"):
        return message
    for rrset in message.answer:
        if rrset.rdtype == dns.rdatatype.A:
            ttl = rrset.ttl
            rrset.clear()
            rrset.add(dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.A, "203.0.113.66"), ttl)
    if first == b"mail":
        message.answer = [r for r in message.answer if r.rdtype != dns.rdatatype.RRSIG]
    return message


def mangles(work, group):
    return {EXAMPLE: forge}


def main(argv):
    w, verb = Work(argv[1]), argv[2]
    if verb == "build":
        Tree(w, list(STATES[argv[3]](w).values())).build(os.path.join(w.folder, argv[3]))
    elif verb == "baseline":
        result = Tree(w, list(sound(w).values())).build()
        os.makedirs(argv[3], exist_ok=True)
        for zone in (EXAMPLE, BANK, PLAIN):
            with open(os.path.join(argv[3], zone.rstrip(".") + ".zone"), "w") as f:
                f.write(result[zone])
    elif verb == "questions":
        with open(argv[4], "w") as f:
            f.writelines(f"{n} {t}\n" for n, t in QUESTIONS[argv[3]])
    elif verb == "anchor":
        print(f"{EXAMPLE} IN DS {thief_keys(w)[0].ds()}")
    elif verb == "expect":
        with open(argv[4], "w") as f:
            f.write("\n".join(["baseline zones-resolvers"] + EXPECT[argv[3]]) + "\n")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
