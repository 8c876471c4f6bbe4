#!/usr/bin/python3
"""What signers.sh needs besides servers: zones, parents, and a thief's work.

signers.py WORK zone FILE ZONE                    an unsigned zone for an automatic signer, short TTLs
signers.py WORK keys ZONE                         makes KSK and ZSK (13); prints their paths
signers.py WORK parents OUT ZONE DSFILE           root and test. with that DS, in OUT/root and OUT/tld
signers.py WORK overdue OUT BASELINE              zones for refresh-overdue, and what their owners state
signers.py WORK expect NAME FILE                  the expectation, written here by hand
signers.py WORK forge OUT AXFR KEY TOOL LINE…     the signed zone with the RRsets of the lines put in their
                                                  places, signed by TOOL (ldns, bind, dnspython) with KEY

A line is "NAME TTL IN TYPE RDATA". Nothing but those RRsets and their signatures is altered: serial, SOA,
DNSKEY and denial stay as the legitimate signer made them, as they do when answers are replaced on the way.
"""
import os
import subprocess
import sys
import time

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from zones import Key, Tree, Work, Zone  # noqa: E402

NAMES = ["a%02d" % i for i in range(12)]


def zone_file(w, path, name):
    lines = Zone(name).text(w)
    lines += [f"{n}.{name} 300 IN A 192.0.2.{100 + i}" for i, n in enumerate(NAMES)]
    with open(path, "w") as f:
        f.write("$TTL 300\n" + "\n".join(lines) + "\n")


def overdue(w, out, baseline):
    """Two zones whose owners state that signatures are renewed a week before they expire."""
    zones = [Zone("late.test.", end=5 * 86400), Zone("fresh.test.", end=8 * 86400)]
    result = Tree(w, zones).build(out)
    os.makedirs(baseline, exist_ok=True)
    for zone in zones:
        base = os.path.join(baseline, zone.name.rstrip("."))
        with open(base + ".zone", "w") as f:
            f.write(result[zone.name])
        with open(base + ".yaml", "w") as f:
            f.write(f"zone: {zone.name}\nsigning: {{validity: 14d, refresh: 7d}}\n")


def parents(w, out, name, ds_file):
    with open(ds_file) as f:
        texts = [line.split("DS", 1)[1].strip() for line in f if "DS" in line]
    Tree(w, [Zone(name, ds=lambda w: texts)]).build(out)


def thief_zone(lines, zone):
    """The least zone that a signer takes: SOA and NS of its own, and what is to be signed."""
    return [f"{zone} 300 IN SOA ns1.{zone} hostmaster.{zone} 1 3600 900 1209600 300",
            f"{zone} 300 IN NS ns1.{zone}", f"ns1.{zone} 300 IN A 10.53.0.3"] + lines


def sign_with_tool(w, tool, key, zone, lines):
    """{(name, type): RRSIG rdata}, as that tool makes them when nothing is said about times."""
    source, signed = os.path.join(w.folder, "thief.in"), os.path.join(w.folder, "thief.out")
    with open(source, "w") as f:
        f.write("\n".join(thief_zone(lines, zone) + [key.line()]) + "\n")
    if tool == "ldns":
        command = ["ldns-signzone", "-o", zone, "-f", signed, source, key.path]
    else:
        command = ["dnssec-signzone", "-P", "-q", "-z", "-o", zone, "-O", "full", "-f", signed, source, key.path]
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=w.folder)
    z = dns.zone.from_file(signed, origin=zone, relativize=False, check_origin=False)
    return {(n, s.covers): list(s) for n, node in z.nodes.items() for s in node.rdatasets
            if s.rdtype == dns.rdatatype.RRSIG}


def private_of(key):
    from cryptography.hazmat.primitives.asymmetric import ec
    import base64
    secret = int.from_bytes(base64.b64decode(key.fields()["PrivateKey"]), "big")
    return ec.derive_private_key(secret, ec.SECP256R1())


def sign_with_dnspython(key, zone, sets):
    """A script of ten lines: from now on, for a week."""
    now, out = int(time.time()), {}
    for rrset in sets:
        rrsig = dns.dnssec.sign(rrset, private_of(key), dns.name.from_text(zone), key.rdata, inception=now,
                                lifetime=7 * 86400)
        out[(rrset.name, rrset.rdtype)] = [rrsig]
    return out


def forge(w, out, axfr, key_path, tool, lines):
    key = Key(w, os.path.relpath(key_path, w.keys))
    zone = key.zone
    z = dns.zone.from_file(axfr, origin=zone, relativize=False, check_origin=False)
    sets = {}
    for line in lines:
        name, ttl, _, kind, rdata = line.split(None, 4)
        sets.setdefault((name, kind, int(ttl)), []).append(rdata)
    sets = [dns.rrset.from_text_list(n, ttl, "IN", kind, r) for (n, kind, ttl), r in sets.items()]
    rrsigs = (sign_with_dnspython(key, zone, sets) if tool == "dnspython"
              else sign_with_tool(w, tool, key, zone, lines))
    for rrset in sets:
        node = z.find_node(rrset.name, create=True)
        data = dns.rdataset.from_rdata_list(rrset.ttl, list(rrset))
        node.replace_rdataset(data)
        node.replace_rdataset(dns.rdataset.from_rdata_list(rrset.ttl, rrsigs[(rrset.name, rrset.rdtype)]))
    os.makedirs(out, exist_ok=True)
    z.to_file(os.path.join(out, zone.rstrip(".") + ".zone"), relativize=False)


Z = "bank.test."
SECURE = [f"verdict {n} {t} secure" for n, t in ((f"www.{Z}", "A"), (Z, "MX"), (Z, "TXT"), (Z, "SOA"))]
# Every answer validates. The servers' serial did not move, so that no update explains what the thief served.
# Tools and times are the thief's own, too.
STOLEN = SECURE + [f"finding signed-equivocation {Z}", f"finding signed-out-of-serial {Z}",
                   f"finding signer-habit {Z}", "may soa-serial-back|servers-disagree|spoof-race", "only"]
QUIET = SECURE + ["no-finding signed-equivocation|signed-out-of-serial|signer-habit", "no-finding-above low"]
OVERDUE = [f"verdict www.{z}.test. A secure" for z in ("late", "fresh")] + [
    "finding rrsig-stale-refresh late.test.", "no-finding rrsig-stale-refresh fresh.test.", "no-finding rrsig-expiring",
    "only"]
# Nothing else was seen of the MX: what the owner declared is all that there is to hold it against.
BASELINED = [f"verdict www.{Z} A secure", f"verdict {Z} MX secure", f"finding signer-habit {Z}", f"finding mail-moved {Z}",
             "only"]
CHANGED = SECURE + ["no-finding signer-habit", "no-finding-above low"]
EXPECT = {"stolen-zsk-baseline": BASELINED, "signer-changed": CHANGED, "updates-bind": QUIET, "updates-knot": QUIET, "refresh-overdue": OVERDUE}
BASELINE = {"refresh-overdue": "baseline zones-refresh", "stolen-zsk-baseline": "baseline zones-stolen",
            "signer-changed": "baseline zones-signer-changed"}


def expect(name, path):
    with open(path, "w") as f:
        f.write("\n".join([BASELINE.get(name, "no-baseline")] + EXPECT.get(name, STOLEN)) + "\n")


def main(argv):
    w, verb = Work(argv[1]), argv[2]
    if verb == "zone":
        zone_file(w, argv[3], argv[4])
    elif verb == "keys":
        print(w.key(argv[3], 13, True).path, w.key(argv[3], 13, False).path)
    elif verb == "parents":
        parents(w, *argv[3:6])
    elif verb == "overdue":
        overdue(w, argv[3], argv[4])
    elif verb == "expect":
        expect(argv[3], argv[4])
    elif verb == "forge":
        forge(w, argv[3], argv[4], argv[5], argv[6], argv[7:])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
