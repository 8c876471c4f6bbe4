"""Situations in which what a zone holds changed from what its owner declared, for the worse and otherwise; keys that are
not what was declared, or look alike.

As in situations.py, which imports this: what an expectation says is what an expert would say.
"""
import base64

import dns.dnssec
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from cryptography.hazmat.primitives.asymmetric import ed25519
from differential import altered_zsk, key_lines
from zones import Key, Zone, raw_private, raw_public

BASELINES = ["zones-changes"]
SHOP, BYTES, FLAGS = "shop.test.", "twin.test.", "flags.test."
RECORDS = ["record-unexpected", "record-changed", "record-missing", "mail-policy-weakened", "mail-moved", "tlsa-changed",
           "caa-weakened"]


def pin(digit):
    return digit * 64


def shop(**changes):
    """A shop with mail; a change replaces a line's data, None removes it."""
    lines = {
        "caa": '@ 300 IN CAA 0 issue "ca.example.net"', "caa2": '@ 300 IN CAA 0 issue "other.example.net"',
        "mx": "@ 300 IN MX 10 mail.@", "mx2": "@ 300 IN MX 20 backup.@",
        "spf": '@ 300 IN TXT "v=spf1 mx ~all"', "dmarc": '_dmarc.@ 300 IN TXT "v=DMARC1; p=quarantine"',
        "mail": "mail.@ 300 IN A 192.0.2.25", "backup": "backup.@ 300 IN A 192.0.2.26",
        "tlsa": "_25._tcp.mail.@ 300 IN TLSA 3 1 1 " + pin("a"), "tlsa2": "_25._tcp.backup.@ 300 IN TLSA 3 1 1 " + pin("b"),
        "www": "www.@ 300 IN A 192.0.2.80", "www6": "www.@ 300 IN AAAA 2001:db8::80", "vpn": "vpn.@ 300 IN A 192.0.2.44",
        "wild": "*.wild.@ 300 IN A 192.0.2.99", "lease": "host1.dyn.@ 300 IN A 192.0.2.101",
    }
    lines.update(changes)
    return Zone(SHOP, alg=13, lines=[x for x in lines.values() if x], serial=2 if changes else 1)


def twin(label):
    """A zone of which the ZSK is one of two Ed25519 keys with one tag."""
    def keys(w):
        own = w.key(BYTES, 15, False)
        return [w.key(BYTES, 15, True), own if label == "" else w.colliding(BYTES, 15, False, label)]
    return Zone(BYTES, alg=15, keys=keys)


def declared(name):
    return [shop(), twin(""), Zone(FLAGS, alg=13)] if name in BASELINES else None


def policies(w):
    own = f'zone: {SHOP}\nstrict: true\ndynamic: ["*.dyn.{SHOP} A", "_25._tcp.backup.{SHOP} TLSA"]\n'
    return {"zones-changes": {SHOP: own, BYTES: f"zone: {BYTES}\nstrict: true\n", FLAGS: f"zone: {FLAGS}\nstrict: true\n"}}


QUESTIONS = [(SHOP, t) for t in ("CAA", "MX", "TXT")] + [
    ("_dmarc." + SHOP, "TXT"), ("_25._tcp.mail." + SHOP, "TLSA"), ("_25._tcp.backup." + SHOP, "TLSA"),
    ("www." + SHOP, "A"), ("www." + SHOP, "AAAA"), ("vpn." + SHOP, "A"), ("host1.dyn." + SHOP, "A"),
    ("host2.dyn." + SHOP, "A"), ("a.wild." + SHOP, "A"), ("nothing." + SHOP, "A"), ("login." + SHOP, "A")]


def secure(questions):
    return [f"verdict {name} {kind} secure" for name, kind in questions]


def alike(w, zone, wanted):
    """An Ed25519 ZSK of the zone with the tag that a key of another algorithm has."""
    slot = f"{zone}/15/zsk/alike"
    if slot not in w.index:
        while True:
            private = ed25519.Ed25519PrivateKey.generate()
            rdata = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.DNSKEY,
                                        bytes([1, 0, 3, 15]) + raw_public(private), 0, 36)
            if dns.dnssec.key_id(rdata) == wanted.tag:
                break
        w.index[slot] = f"K{zone}+015+{wanted.tag:05d}"
        with open(f"{w.keys}/{w.index[slot]}.key", "w") as f:
            f.write(f"{zone} IN DNSKEY {rdata.to_text()}\n")
        with open(f"{w.keys}/{w.index[slot]}.private", "w") as f:
            f.write("Private-key-format: v1.3\nAlgorithm: 15 (ED25519)\nPrivateKey: "
                    f"{base64.b64encode(raw_private(private)).decode()}\n")
    return Key(w, w.index[slot])


def register(situation):
    """Adds them; the name comes from situations.py."""

    @situation("records-weakened", baseline="zones-changes")
    def records_weakened(w):
        # What a thief of the ZSK would do, step by step, so that mail and certificates come to him.
        zone = shop(caa2='@ 300 IN CAA 0 issue "easy.example.org"', mx="@ 300 IN MX 10 mx.example.org.", mx2=None,
                    spf='@ 300 IN TXT "v=spf1 mx ip4:203.0.113.0/24 +all"', dmarc='_dmarc.@ 300 IN TXT "v=DMARC1; p=none"',
                    tlsa="_25._tcp.mail.@ 300 IN TLSA 3 1 1 " + pin("c"), vpn=None, www6=None,
                    www="www.@ 300 IN A 203.0.113.66", login="login.@ 300 IN A 203.0.113.66")
        return [zone], QUESTIONS, secure(QUESTIONS) + [f"finding {r} {SHOP}" for r in RECORDS] + ["only"]

    @situation("records-tightened", baseline="zones-changes")
    def records_tightened(w):
        # An owner who forgot the baseline, but made everything stricter: it is not what was declared, and no weakness.
        zone = shop(caa2=None, spf='@ 300 IN TXT "v=spf1 mx -all"', dmarc='_dmarc.@ 300 IN TXT "v=DMARC1; p=reject"',
                    tlsa2="_25._tcp.backup.@ 300 IN TLSA 3 1 1 " + pin("d"), lease=None,
                    lease2="host2.dyn.@ 300 IN A 192.0.2.102")
        return [zone], QUESTIONS, secure(QUESTIONS) + [f"finding record-changed {SHOP}"] + [
            f"no-finding {r}" for r in RECORDS if r != "record-changed"] + ["only"]

    @situation("keys-altered", baseline="zones-changes")
    def keys_altered(w):
        # The same tag and algorithm, and other bytes; the same bytes, and other flags (a SEP bit more).
        flags = Zone(FLAGS, alg=13, damage=lambda s: altered_zsk(s, flags=257))
        q = [("www." + z, "A") for z in (BYTES, FLAGS)] + [(z, "DNSKEY") for z in (BYTES, FLAGS)]
        return [twin("other"), flags, shop()], q + QUESTIONS[:3], secure(q) + [
            f"finding key-changed {BYTES}", f"finding key-changed {FLAGS}", f"no-finding key-changed {SHOP}",
            "no-finding key-revoked",
            # until the DNSKEY RRset passes by, the declared key is all there is to judge by
            f"closed rrsig-bad {BYTES}", "no-finding record-changed|mail-moved", "only"]

    @situation("key-tags-alike", baseline=None)
    def key_tags_alike(w):
        both, mixed = "both.test.", "mixed.test."
        def two(s):
            key_lines(s, s.key(ksk=True), s.key(), s.work.colliding(both, 15, False, "other"))
            s.sign("@", "DNSKEY")
        def keys(w):
            zsk = w.key(mixed, 13, False)
            return [w.key(mixed, 13, True), zsk, w.key(mixed, 15, True), alike(w, mixed, zsk)]
        q = [(n, t) for z in (both, mixed) for n, t in (("www." + z, "A"), (z, "DNSKEY"), ("nx." + z, "A"))]
        return [Zone(both, alg=15, damage=two), Zone(mixed, alg=13, keys=keys)], q, secure(q) + [
            f"finding key-tag-collision {both}", f"no-finding key-tag-collision {mixed}",
            # a trial or two more than usual is nobody's attack
            "no-finding validator-load", "only"]

    @situation("fragments-dropped", recipe="fragments_dropped", baseline=None)
    def fragments_dropped(w):
        zones = [Zone(f"big{n}.test.", alg=8, ksk_bits=4096, keys=lambda w, n=n: [
            w.key(f"big{n}.test.", 8, True, bits=4096), w.key(f"big{n}.test.", 8, True, "standby", bits=4096),
            w.key(f"big{n}.test.", 8, False)]) for n in range(1, 4)] + [Zone("small.test.", alg=13)]
        q = [(z.name, "DNSKEY") for z in zones] + [("www." + z.name, "A") for z in zones]
        return zones, q, ["verdict www.small.test. A secure", "never bogus test.", "finding fragments-lost",
                          "no-finding rrsig-missing|rrsig-bad|ds-mismatch", "only"]
