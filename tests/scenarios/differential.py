#!/usr/bin/python3
"""The differential scenarios: many zones in one capture, each zone named for what is wrong with it.

Run through situations.py (which knows them by name) and make.sh. Two judges, unbound and delv, answer
the same questions while the tap records; their opinion is the expectation. Three ways to break a zone:
a signer told to (dates, keys), the signed zone edited with the zone's own keys (Signed), and answers
damaged on their way (mangle.py), which is how an incomplete denial comes about.
"""
import os
import sys

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from zones import DAY, HOUR, Work, Zone, make_rrsig  # noqa: E402

NSEC3 = (0, "-", False)
OPTOUT = (0, "-", True)
KINDS = {"nsec": None, "nsec3": NSEC3}
LINES = ["www.@ 300 IN A 192.0.2.80", "www.@ 300 IN AAAA 2001:db8::80", "api.@ 300 IN CNAME www.@",
         "*.wild.@ 300 IN A 192.0.2.99", "a.ent.@ 300 IN A 192.0.2.70", "mail.@ 300 IN A 192.0.2.25"]
BITS = 1280  # RSA of test zones: small captures; key size is not what these scenarios are about


def zone(label, alg=13, nsec3=None, extra=(), **more):
    more.setdefault("ns", ("ns1",))
    return Zone(label + ".test.", alg=alg, nsec3=nsec3, lines=list(LINES) + list(extra), bits=BITS, **more)


class Group:
    """Zones with their questions and damage on the way."""

    def __init__(self):
        self.zones, self.questions, self.mangles, self.expect = [], [], {}, []

    def add(self, z, *questions, mangle=None):
        self.zones.append(z)
        for label, kind in questions or (("www", "A"),):
            self.questions.append((z.name if label == "@" else f"{label}.{z.name}", kind))
        if mangle:
            self.mangles[z.name] = mangle
        return z

    def ask(self, name, kind):
        self.questions.append((name, kind))


# --- sound zones -------------------------------------------------------------------------------------------

def sound(w):
    g = Group()
    for alg in (5, 7, 8, 10, 13, 14, 15, 16):
        for kind, nsec3 in KINDS.items():
            if alg == 5 and nsec3:
                continue
            g.add(zone(f"sound-{alg}-{kind}", alg, nsec3), ("www", "A"), ("nx", "A"), ("www", "TXT"),
                  ("host.wild", "A"), ("host.wild", "TXT"), ("ent", "A"), ("api", "A"), ("nx.www", "A"),
                  ("@", "DNSKEY"), ("@", "DS"))
    return g


# --- signatures over one RRset -----------------------------------------------------------------------------

def cut(s, size):
    s.map_sigs("www", "A", lambda r: r.replace(signature=r.signature[:size]))


def second_signature(s, broken):
    good = list(s.sigs("www", "A"))[0]
    s.set_sigs("www", "A", good, broken(s, good))


def flipped(s, r):
    value = bytearray(r.signature)
    value[-1] ^= 1
    return r.replace(signature=bytes(value))


def add_record(s):
    s.put("www", "A", "192.0.2.80", "203.0.113.66")


CORE = {
    "expired": lambda s: s.sign("www", "A", start=-40 * DAY, end=-DAY),
    "future": lambda s: s.sign("www", "A", start=DAY, end=30 * DAY),
    "badsig": lambda s: s.flip("www", "A"),
    "norrsig": lambda s: s.strip("www", "A"),
    "unknown-key": lambda s: s.sign("www", "A", key=s.key(label="rogue")),
    "signer-parent": lambda s: s.sign("www", "A", signer="test."),
    "labels-low": lambda s: s.sign("www", "A", labels=2),
    "data-changed": lambda s: s.put("www", "A", "203.0.113.66"),
}
MORE = {
    "inverted": lambda s: s.sign("www", "A", start=DAY, end=-DAY),
    "signer-self": lambda s: s.sign("www", "A", signer="www." + s.zone.name),
    "signer-sibling": lambda s: s.sign("www", "A", signer="sound-13-nsec.test."),
    "signer-root": lambda s: s.sign("www", "A", signer="."),
    "labels-high": lambda s: s.sign("www", "A", labels=5),
    "wrong-tag": lambda s: s.map_sigs("www", "A", lambda r: r.replace(key_tag=(r.key_tag + 1) & 0xffff)),
    "ttl-lower-than-original": lambda s: s.sign("www", "A", ttl=3600),
    "ttl-above-original": lambda s: s.sign("www", "A", ttl=60),
    "signed-other-owner": lambda s: s.sign("www", "A", sign_owner=s.name("mail")),
    "record-added": add_record,
    "one-good-one-bad": lambda s: second_signature(s, flipped),
    "one-good-one-expired": lambda s: second_signature(s, lambda s, r: make_rrsig(
        s.name("www"), s.rrset("www", "A"), s.key(), s.work, start=-40 * DAY, end=-DAY)),
    "signed-by-ksk": lambda s: s.sign("www", "A", key=s.key(ksk=True)),
    "wrong-algorithm": lambda s: s.map_sigs("www", "A", lambda r: r.replace(algorithm=14)),
    "unknown-algorithm": lambda s: s.map_sigs("www", "A", lambda r: r.replace(algorithm=200)),
}


def signatures(w):
    g = Group()
    for defect, damage in CORE.items():
        for alg, kind in ((8, "nsec"), (8, "nsec3"), (13, "nsec"), (13, "nsec3"), (15, "nsec3")):
            g.add(zone(f"{defect}-{alg}-{kind}", alg, KINDS[kind], damage=damage))
    for defect, damage in MORE.items():
        for alg, kind in ((13, "nsec"), (8, "nsec3")):
            g.add(zone(f"{defect}-{alg}-{kind}", alg, KINDS[kind], damage=damage))
    for alg in (10, 14, 16):
        for defect in ("expired", "badsig", "data-changed"):
            g.add(zone(f"{defect}-{alg}-nsec", alg, damage=CORE[defect]))
    for alg in (8, 10, 13, 14, 15, 16):
        g.add(zone(f"sig-cut-{alg}-nsec", alg, damage=lambda s: cut(s, 8)))
        g.add(zone(f"sig-short-by-one-{alg}-nsec", alg, damage=lambda s: cut(s, -1)))
    # whole zones signed for another time
    for alg, kind in ((13, "nsec"), (8, "nsec3")):
        g.add(zone(f"zone-expired-{alg}-{kind}", alg, KINDS[kind], start=-40 * DAY, end=-DAY), ("www", "A"), ("nx", "A"))
        g.add(zone(f"zone-future-{alg}-{kind}", alg, KINDS[kind], start=DAY, end=30 * DAY), ("www", "A"), ("nx", "A"))
        g.add(zone(f"zone-soon-{alg}-{kind}", alg, KINDS[kind], start=-20 * DAY, end=2 * HOUR), ("www", "A"), ("nx", "A"))
    # what the judges do not name: the defect itself, and its neighbours
    g.expect += [f"finding rrsig-signer-not-zone {what}-13-nsec.test." for what in (
        "signer-parent", "signer-self", "signer-sibling", "signer-root")] + [
        "no-finding rrsig-signer-not-zone unknown-key-13-nsec.test.", "no-finding rrsig-signer-not-zone test.",
        "finding rrsig-labels labels-low-13-nsec.test.", "finding rrsig-labels labels-high-13-nsec.test.",
        "no-finding rrsig-labels signed-other-owner-13-nsec.test.",
        "finding rrsig-ttl ttl-above-original-13-nsec.test.", "no-finding rrsig-ttl ttl-lower-than-original-13-nsec.test.",
        "finding rrsig-malformed sig-cut-13-nsec.test.", "finding rrsig-malformed inverted-13-nsec.test.",
        "no-finding rrsig-malformed badsig-13-nsec.test.", "no-finding rrsig-malformed unknown-algorithm-13-nsec.test."]
    return g


# --- keys --------------------------------------------------------------------------------------------------

def key_lines(s, *keys):
    s.put("@", "DNSKEY", *[k if isinstance(k, str) else k.rdata.to_text() for k in keys])


def deny_dnskey(s):
    s.remove("@", "DNSKEY")
    name = s.origin
    if s.zone.nsec3:
        return
    nsec = list(s.rrset(name, "NSEC"))[0]
    bits = [t for t in nsec.to_text().split()[1:] if t != "DNSKEY"]
    s.put(name, "NSEC", " ".join([nsec.next.to_text()] + bits))
    s.sign(name, "NSEC")


def altered_zsk(s, **fields):
    """The ZSK published with other flags or protocol, and www signed with it under its new tag."""
    zsk = s.key()
    rdata = zsk.rdata.replace(**fields)
    key_lines(s, s.key(ksk=True), rdata.to_text())
    s.sign("@", "DNSKEY")
    s.sign("www", "A", key=zsk, tag=dns.dnssec.key_id(rdata))


def altered_ksk(flags):
    """KSK published with other flags, DNSKEY signed with it, DS over it."""
    def damage(s):
        ksk = s.key(ksk=True)
        rdata = ksk.rdata.replace(flags=flags)
        key_lines(s, rdata.to_text(), s.key())
        s.sign("@", "DNSKEY", key=ksk, tag=dns.dnssec.key_id(rdata))
    return damage


def altered_ds(name, alg, flags):
    def make(w):
        rdata = w.key(name, alg, True, bits=BITS).rdata.replace(flags=flags)
        return [dns.dnssec.make_ds(dns.name.from_text(name), rdata, "SHA256").to_text()]
    return make


KEYS = {
    "dnskey-norrsig": lambda s: s.strip("@", "DNSKEY"),
    "dnskey-badsig": lambda s: s.flip("@", "DNSKEY"),
    "dnskey-expired": lambda s: s.sign("@", "DNSKEY", start=-40 * DAY, end=-DAY),
    "dnskey-future": lambda s: s.sign("@", "DNSKEY", start=DAY, end=30 * DAY),
    "dnskey-signed-by-zsk-only": lambda s: s.sign("@", "DNSKEY", key=s.key()),
    "dnskey-missing": lambda s: s.remove("@", "DNSKEY"),
    "dnskey-denied": deny_dnskey,
    "ksk-missing": lambda s: (key_lines(s, s.key()), s.sign("@", "DNSKEY", key=s.key())),
    "zsk-missing": lambda s: (key_lines(s, s.key(ksk=True)), s.sign("@", "DNSKEY")),
    "ksk-replaced": lambda s: (key_lines(s, s.key(ksk=True, label="other"), s.key()),
                               s.sign("@", "DNSKEY", key=s.key(ksk=True, label="other"))),
    "zsk-not-zone-key": lambda s: altered_zsk(s, flags=0),
    "zsk-protocol-2": lambda s: altered_zsk(s, protocol=2),
    "zsk-revoked": lambda s: altered_zsk(s, flags=256 + 128),
    "extra-key-unsigned-use": lambda s: (key_lines(s, s.key(ksk=True), s.key(), s.key(label="next")), s.sign("@", "DNSKEY")),
    "extra-key-unknown-algorithm": lambda s: (key_lines(s, s.key(ksk=True), s.key(), "256 3 200 AQIDBAUGBwg="),
                                              s.sign("@", "DNSKEY")),
    "extra-key-malformed": lambda s: (key_lines(s, s.key(ksk=True), s.key(), "256 3 13 AQIDBAUGBwg="),
                                      s.sign("@", "DNSKEY")),
    "dnskey-added-unsigned": lambda s: key_lines(s, s.key(ksk=True), s.key(), s.key(label="rogue")),
}


def keys(w):
    g = Group()
    for alg, kind in ((13, "nsec"), (8, "nsec3")):
        for defect, damage in KEYS.items():
            g.add(zone(f"{defect}-{alg}-{kind}", alg, KINDS[kind], damage=damage))
        for what, flags in (("ksk-no-zone-flag", 1), ("ksk-ds-without-sep", 256), ("ksk-ds-revoked", 257 + 128)):
            label = f"{what}-{alg}-{kind}"
            g.add(zone(label, alg, KINDS[kind], damage=altered_ksk(flags), ds=altered_ds(label + ".test.", alg, flags)))
        label = f"revoked-ksk-ds-old-{alg}-{kind}"
        name = label + ".test."
        g.add(zone(label, alg, KINDS[kind],
                   keys=lambda w, n=name, a=alg: [w.key(n, a, True, bits=BITS).revoked(), w.key(n, a, False, bits=BITS)],
                   ds=lambda w, n=name, a=alg: [w.key(n, a, True, bits=BITS).ds()]))
        label = f"revoked-extra-ksk-{alg}-{kind}"
        name = label + ".test."
        g.add(zone(label, alg, KINDS[kind],
                   keys=lambda w, n=name, a=alg: [w.key(n, a, True, bits=BITS), w.key(n, a, False, bits=BITS),
                                                  w.key(n, a, True, "old", bits=BITS).revoked()],
                   ds=lambda w, n=name, a=alg: [w.key(n, a, True, bits=BITS).ds()]))
        g.add(zone(f"csk-{alg}-{kind}", alg, KINDS[kind], csk=True))
        label = f"ds-names-zsk-{alg}-{kind}"
        name = label + ".test."
        g.add(zone(label, alg, KINDS[kind], damage=lambda s: s.sign("@", "DNSKEY", key=s.key()),
                   ds=lambda w, n=name, a=alg: [w.key(n, a, False, bits=BITS).ds()]))
        label = f"ds-standby-{alg}-{kind}"
        name = label + ".test."
        g.add(zone(label, alg, KINDS[kind],
                   ds=lambda w, n=name, a=alg: [w.key(n, a, True, bits=BITS).ds(), w.key(n, a, True, "standby", bits=BITS).ds()]))
    # colliding tags: two Ed25519 keys of one tag
    def collide(ksk, use):
        def damage(s):
            own, other = s.key(ksk=ksk), s.work.colliding(s.zone.name, 15, ksk, "twin")
            others = [s.key(ksk=not ksk)]
            if use == "published":      # both there, the first one signs
                key_lines(s, own, other, *others)
                s.sign("@", "DNSKEY")
            elif use == "twin-signs":   # both there, the data (or keys) signed with the twin
                key_lines(s, own, other, *others)
                s.sign("@", "DNSKEY", key=other if ksk else None)
                if not ksk:
                    s.sign("www", "A", key=other)
            else:                       # the twin signs and is not published
                s.sign("@" if ksk else "www", "DNSKEY" if ksk else "A", key=other)
        return damage
    for role, ksk in (("ksk", True), ("zsk", False)):
        for use in ("published", "twin-signs", "twin-hidden"):
            g.add(zone(f"tag-collision-{role}-{use}", 15, damage=collide(ksk, use)))
    g.expect += [
        "finding key-not-secure-entry dnskey-signed-by-zsk-only-13-nsec.test.",
        # a zone is entered by the key that a DS names, whatever its flags say (RFC 4034 2.1.1)
        "no-finding key-not-secure-entry ds-names-zsk-13-nsec.test.",
        "no-finding key-not-secure-entry ksk-ds-without-sep-13-nsec.test."]
    return g


# --- DS ----------------------------------------------------------------------------------------------------

def wire_ds(text):
    tag, alg, kind, digest = (text.split() + [""])[:4]
    return int(tag).to_bytes(2, "big") + bytes([int(alg), int(kind)]) + bytes.fromhex(digest)


def ds(w):
    g = Group()
    forms = {
        "ds-wrong-tag": lambda k: [k.ds(tag=(k.tag + 1) & 0xffff)],
        "ds-wrong-algorithm": lambda k: [k.ds(alg=14)],
        "ds-wrong-digest": lambda k: [k.ds(flip=True)],
        "ds-digest-type-wrong": lambda k: [k.ds(digest_type=4, size=48)],
        "ds-sha384": lambda k: [k.ds("SHA384")],
        "ds-sha1-only": lambda k: [k.ds("SHA1")],
        "ds-sha1-and-sha256": lambda k: [k.ds("SHA1"), k.ds()],
        "ds-sha1-good-sha256-bad": lambda k: [k.ds("SHA1"), k.ds(flip=True)],
        "ds-sha1-bad-sha256-good": lambda k: [k.ds("SHA1", flip=True), k.ds()],
        "ds-sha384-bad-sha256-good": lambda k: [k.ds("SHA384", flip=True), k.ds()],
        "ds-one-of-two-good": lambda k: [k.ds(flip=True), k.ds()],
        "ds-unknown-digest": lambda k: [k.ds(digest_type=200)],
        "ds-gost-digest": lambda k: [k.ds(digest_type=3)],
        "ds-unknown-digest-and-good": lambda k: [k.ds(digest_type=200), k.ds()],
        "ds-unknown-digest-and-bad": lambda k: [k.ds(digest_type=200), k.ds(flip=True)],
        "ds-unknown-algorithm": lambda k: [k.ds(alg=200)],
        "ds-unknown-algorithm-and-good": lambda k: [k.ds(alg=200), k.ds()],
        "ds-unknown-algorithm-and-bad": lambda k: [k.ds(alg=200), k.ds(flip=True)],
        "ds-deprecated-algorithm": lambda k: [k.ds(alg=3)],
        "ds-private-algorithm": lambda k: [k.ds(alg=253)],
        "ds-gost-algorithm": lambda k: [k.ds(alg=12)],
    }
    for alg, kind in ((13, "nsec"), (8, "nsec3")):
        for form, make in forms.items():
            label = f"{form}-{alg}-{kind}"
            name = label + ".test."
            g.add(zone(label, alg, KINDS[kind],
                       ds=lambda w, n=name, a=alg, m=make: m(w.key(n, a, True, bits=BITS))), ("www", "A"))
        for what, size in (("ds-digest-short", 20), ("ds-digest-long", 40), ("ds-digest-empty", 0)):
            label = f"{what}-{alg}-{kind}"
            name = label + ".test."
            g.add(zone(label, alg, KINDS[kind], ds_after=lambda w, n=name, a=alg, s=size: [
                wire_ds(w.key(n, a, True, bits=BITS).ds(size=s))]))
        label = f"unsigned-with-ds-{alg}-{kind}"
        name = label + ".test."
        g.add(zone(label, alg, signed=False, ds=lambda w, n=name, a=alg: [w.key(n, a, True, bits=BITS).ds()]),
              ("www", "A"), ("nx", "A"))
        g.add(zone(f"island-{alg}-{kind}", alg, KINDS[kind], ds=[]), ("www", "A"), ("nx", "A"), ("@", "DS"))
        g.add(zone(f"island-badsig-{alg}-{kind}", alg, KINDS[kind], ds=[], damage=lambda s: s.flip("www", "A")))
    g.add(zone("unsigned-no-ds", signed=False), ("www", "A"), ("nx", "A"), ("@", "DS"))
    g.expect += [
        "finding ds-digest-wrong ds-wrong-digest-13-nsec.test.", "finding ds-digest-wrong ds-one-of-two-good-13-nsec.test.",
        "no-finding ds-digest-wrong ds-unknown-digest-13-nsec.test.", "no-finding ds-digest-wrong ds-wrong-tag-13-nsec.test.",
        "finding ds-algorithm-mismatch ds-wrong-algorithm-13-nsec.test.",
        "no-finding ds-algorithm-mismatch ds-wrong-digest-13-nsec.test.",
        "finding ds-weak ds-sha1-only-13-nsec.test.", "no-finding ds-weak ds-sha1-and-sha256-13-nsec.test."]
    return g


# --- denial of existence, damaged on the way -----------------------------------------------------------------

NSECS = (dns.rdatatype.NSEC, dns.rdatatype.NSEC3)


def is_proof(r):
    return r.rdtype in NSECS or (r.rdtype == dns.rdatatype.RRSIG and r.covers in NSECS)


def proofs(message):
    return [r for r in message.authority if r.rdtype in NSECS]


def hash_of(name, r):
    rd = r[0]
    return dns.dnssec.nsec3_hash(name, rd.salt, rd.iterations, "SHA1").upper()


def next_of(r):
    import base64
    table = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHIJKLMNOPQRSTUV")
    return base64.b32encode(r[0].next).translate(table).decode().rstrip("=").upper()


def covers(r, name):
    """Does this NSEC or NSEC3 RRset cover the name (its owner and next lie around it)?"""
    if r.rdtype == dns.rdatatype.NSEC:
        low, high = r.name, r[0].next
        return low < name and (name < high or high <= low)
    low, high, here = r.name.labels[0].decode().upper(), next_of(r), hash_of(name, r)
    return low < here < high if low < high else here > low or here < high


def matches(r, name):
    if r.rdtype == dns.rdatatype.NSEC:
        return r.name == name
    return r.name.labels[0].decode().upper() == hash_of(name, r)


def drop(message, wanted):
    """Takes the proofs for which wanted() holds, with their signatures, out of the authority section."""
    owners = {r.name for r in proofs(message) if wanted(r)}
    message.authority = [r for r in message.authority if not (is_proof(r) and r.name in owners)]
    return message


def negative(message):
    return bool(proofs(message))


def strip_proofs(name, kind, m):
    m.authority = [r for r in m.authority if not is_proof(r)]
    return m


def unsign_proofs(name, kind, m):
    m.authority = [r for r in m.authority if not (r.rdtype == dns.rdatatype.RRSIG and r.covers in NSECS)]
    return m


def change_proof_sigs(change):
    def act(name, kind, m):
        out = []
        for r in m.authority:
            if r.rdtype == dns.rdatatype.RRSIG and r.covers in NSECS:
                r = dns.rrset.from_rdata_list(r.name, r.ttl, [change(rd) for rd in r])
            out.append(r)
        m.authority = out
        return m
    return act


def flip_rdata(rd):
    value = bytearray(rd.signature)
    value[len(value) // 2] ^= 0x10
    return rd.replace(signature=bytes(value))


bad_proofs = change_proof_sigs(flip_rdata)


def unsign_soa(name, kind, m):
    m.authority = [r for r in m.authority
                   if not (r.rdtype == dns.rdatatype.RRSIG and r.covers == dns.rdatatype.SOA)]
    return m


def encloser_of(name):
    """Closest encloser of the names asked here: the zone, or wild.<zone>."""
    parent = name.parent()
    return parent if parent.labels[0] == b"wild" or len(parent.labels) <= 3 else parent


def no_cover(name, kind, m):
    return drop(m, lambda r: covers(r, name)) if negative(m) else m


def no_wildcard(name, kind, m):
    star = dns.name.Name((b"*",) + encloser_of(name).labels)
    return drop(m, lambda r: covers(r, star) or matches(r, star)) if negative(m) else m


def no_encloser(name, kind, m):
    return drop(m, lambda r: matches(r, encloser_of(name))) if negative(m) else m


def no_match(name, kind, m):
    return drop(m, lambda r: matches(r, name)) if negative(m) else m


def as_nodata(name, kind, m):
    if m.rcode() == dns.rcode.NXDOMAIN:
        m.set_rcode(dns.rcode.NOERROR)
    return m


def as_nxdomain(name, kind, m):
    if negative(m) and not m.answer:
        m.set_rcode(dns.rcode.NXDOMAIN)
    return m


def fetch(name, kind):
    """Another answer of the same server, as an attacker would have collected it."""
    query = dns.message.make_query(name, kind, want_dnssec=True)
    query.flags &= ~dns.flags.RD
    return dns.query.udp(query, "127.0.0.1", port=5300, timeout=3)


def replay_of(label, kind, keep_rcode=False, only=None):
    """Answers every question for `only` with the denial that belongs to another name of the zone."""
    def act(name, asked, m):
        zone_name = dns.name.Name(name.labels[-3:])
        if only and name != dns.name.from_text(only, zone_name):
            return m
        if asked in (dns.rdatatype.DNSKEY, dns.rdatatype.DS, dns.rdatatype.NS):
            return m
        other = fetch(zone_name if label == "@" else dns.name.from_text(label, zone_name), kind)
        m.answer = []
        m.authority = other.authority
        if not keep_rcode:
            m.set_rcode(other.rcode())
        return m
    return act


def only_when(wanted, act):
    """Damages answers to the question meant, and leaves keys and the rest alone."""
    def run(name, kind, m):
        return act(name, kind, m) if wanted(name, kind) else m
    return run


def at(label, act):
    return only_when(lambda name, kind: name.labels[0] == label.encode(), act)


DENIAL = {
    "nxdomain": (("nx", "A"), {
        "sound": None, "proof-stripped": strip_proofs, "proof-unsigned": unsign_proofs, "proof-badsig": bad_proofs,
        "name-not-covered": no_cover, "wildcard-not-covered": no_wildcard, "soa-unsigned": unsign_soa,
        "said-nodata": as_nodata, "replayed-for-existing": replay_of("nx", "A", only="www"),
        "replayed-from-other-name": replay_of("b.nx2.www", "A", only="nx"),
        "no-encloser": no_encloser}),
    "nodata": (("www", "TXT"), {
        "sound": None, "proof-stripped": strip_proofs, "proof-unsigned": unsign_proofs, "proof-badsig": bad_proofs,
        "name-not-matched": no_match, "said-nxdomain": as_nxdomain, "soa-unsigned": unsign_soa,
        "type-exists": replay_of("www", "TXT", only="www"),
        "cname-exists": replay_of("api", "TXT", only="api"),
        "other-name": replay_of("mail", "TXT", only="www")}),
    "wildcard": (("host.wild", "A"), {
        "sound": None, "proof-stripped": strip_proofs, "proof-unsigned": unsign_proofs, "proof-badsig": bad_proofs,
        "closer-not-covered": no_cover}),
    "wildcard-nodata": (("host.wild", "TXT"), {
        "sound": None, "proof-stripped": strip_proofs, "closer-not-covered": no_cover,
        "wildcard-not-matched": no_wildcard, "no-encloser": no_encloser}),
    "ent": (("ent", "A"), {
        "sound": None, "proof-stripped": strip_proofs, "name-not-matched": no_match, "name-not-covered": no_cover}),
    "below-existing": (("nx.www", "A"), {
        "sound": None, "proof-stripped": strip_proofs, "no-encloser": no_encloser}),
}
DENIAL_QUESTION = {"replayed-for-existing": ("www", "A"), "type-exists": ("www", "A"), "cname-exists": ("api", "A")}


def cname_exists(name, kind, m):
    """api has a CNAME; a NODATA for another type is forged from its NSEC, whose bitmap has CNAME."""
    zone_name = dns.name.Name(name.labels[-3:])
    if name.labels[0] != b"api" or kind != dns.rdatatype.A:
        return m
    other = fetch(dns.name.from_text("api", zone_name), "NSEC" if m.answer else "A")
    soa = fetch(dns.name.from_text("www", zone_name), "TXT")
    m.authority = [r for r in soa.authority if not is_proof(r)] + [r for r in other.answer if is_proof(r)]
    m.answer = []
    return m


DENIAL["nodata"][1]["cname-exists"] = cname_exists


HARMLESS = {("ent", "name-not-matched", "nsec"), ("ent", "name-not-covered", "nsec3")}  # nothing there to be taken away


def expected_of_denial(what, act, kind, z):
    """Findings: a step that failed, or nothing left of the proof; and what is wrong with signatures is said of those."""
    proof = "denial-broken|denial-missing"
    if act == "sound" or (what, act, kind) in HARMLESS:
        return [f"no-finding {proof}|rrsig-missing|rrsig-bad|rrsig-labels {z}"]
    if act == "proof-unsigned" or act == "soa-unsigned":
        return [f"finding rrsig-missing {z}", f"no-finding {proof} {z}"]
    if act == "proof-badsig":
        return [f"finding rrsig-bad {z}", f"no-finding {proof} {z}"]
    if act == "proof-stripped":
        return [f"finding {'denial-broken' if what == 'wildcard' else 'denial-missing'} {z}"]
    return [f"finding {proof} {z}"]


def denial(w, kind, algs):
    g = Group()
    for what, (question, acts) in DENIAL.items():
        for act_name, act in acts.items():
            if kind == "nsec" and act_name == "no-encloser" or kind == "nsec3" and act_name == "cname-exists":
                continue
            for alg in algs:
                asked = DENIAL_QUESTION.get(act_name, question)
                # fetch() would see the damage again if it came through here: it asks nsd directly
                z = g.add(zone(f"{what}-{act_name}-{alg}-{kind}", alg, KINDS[kind]), asked, mangle=act)
                g.expect += expected_of_denial(what, act_name, kind, z.name)
    # proofs that have run out, signed by another, or contradict the data: in the zone itself
    def each_proof(change):
        def damage(s):
            rdtype = "NSEC3" if s.zone.nsec3 else "NSEC"
            for owner in s.each(rdtype):
                change(s, owner, rdtype)
        return damage
    for alg in algs:
        for defect, fields in (("proof-expired", {"start": -40 * DAY, "end": -DAY}),
                               ("proof-future", {"start": DAY, "end": 30 * DAY}),
                               ("proof-signer-parent", {"signer": "test."})):
            g.add(zone(f"{defect}-{alg}-{kind}", alg, KINDS[kind],
                       damage=each_proof(lambda s, o, t, f=fields: s.sign(o, t, **f))), ("nx", "A"), ("www", "TXT"))
    return g


def denial_nsec(w):
    return denial(w, "nsec", (13,))


def denial_nsec3(w):
    g = denial(w, "nsec3", (13,))
    for iterations in (1, 50, 100, 150, 151, 500, 2500):
        g.add(zone(f"iterations-{iterations}", 13, (iterations, "AABBCCDD", False),
                   signer="ldns" if iterations > 150 else "bind"), ("www", "A"), ("nx", "A"),
              ("www", "TXT"), ("host.wild", "A"))
    g.add(zone("salted", 13, (0, "00112233445566778899AABBCCDDEEFF", False)), ("nx", "A"), ("www", "TXT"))
    g.add(zone("optout", 13, OPTOUT, extra=["sub.@ 300 IN NS ns1.sub.@", "ns1.sub.@ 300 IN A 10.53.0.3"]),
          ("nx", "A"), ("www", "TXT"), ("host.wild", "A"), ("host.wild", "TXT"), ("sub", "DS"), ("ent", "A"))
    g.add(zone("optout-8", 8, OPTOUT), ("nx", "A"), ("www", "TXT"))

    def unknown_hash(name, kind, m):
        """NSEC3 of a hash algorithm that does not exist, properly signed (nsd itself would not serve it)."""
        out = []
        for r in proofs(m):
            changed = dns.rrset.from_rdata_list(r.name, r.ttl, [rd.replace(algorithm=6) for rd in r])
            key = w.key("hash-unknown.test.", 13, False, bits=BITS)
            out += [changed, dns.rrset.from_rdata_list(r.name, r.ttl, [make_rrsig(r.name, changed, key, w)])]
        m.authority = [r for r in m.authority if not is_proof(r)] + out
        return m
    g.add(zone("hash-unknown", 13, NSEC3), ("nx", "A"), ("www", "TXT"), mangle=unknown_hash)

    def unknown_flags(s):
        for owner in s.each("NSEC3"):
            rd = list(s.rrset(owner, "NSEC3"))[0]
            s.put(owner, "NSEC3", rd.replace(flags=2).to_text())
            s.sign(owner, "NSEC3")
    g.add(zone("flags-unknown", 13, NSEC3, damage=unknown_flags), ("nx", "A"), ("www", "TXT"))
    return g


# --- delegations -------------------------------------------------------------------------------------------

def delegations(w):
    """Parents with an unsigned child; both on one server, the child's questions and the DS are damaged."""
    g = Group()

    def family(label, nsec3, act, alg=13, child_signed=False, ds=None, questions=(("www.sub", "A"), ("sub", "DS"))):
        parent = g.add(zone(label, alg, nsec3), *questions, mangle=act)
        child = zone("sub." + label, alg, signed=child_signed, ds=ds)
        g.zones.append(child)
        return parent

    def ds_only(act):
        return only_when(lambda name, kind: kind == dns.rdatatype.DS, act)

    def take_ds(name, kind, m):
        m.answer = []
        return m

    def ds_from_bitmap(name, kind, m):
        """DS removed from the answer; the NSEC of the cut, whose bitmap has DS, offered as proof."""
        if kind != dns.rdatatype.DS or not name.labels[0] == b"sub":
            return m
        proof = fetch(name, "NSEC")
        soa = fetch(dns.name.Name((b"www",) + name.labels[1:]), "TXT")
        m.answer = []
        m.authority = [r for r in soa.authority if not is_proof(r)] + [r for r in proof.answer if is_proof(r)]
        return m

    for kind, nsec3 in (("nsec", None), ("nsec3", NSEC3), ("optout", OPTOUT)):
        family(f"deleg-sound-{kind}", nsec3, None)
        family(f"deleg-proof-stripped-{kind}", nsec3, ds_only(strip_proofs))
        family(f"deleg-proof-unsigned-{kind}", nsec3, ds_only(unsign_proofs))
        family(f"deleg-proof-badsig-{kind}", nsec3, ds_only(bad_proofs))
        family(f"deleg-island-{kind}", nsec3, None, child_signed=True, ds=[])
        family(f"deleg-secure-{kind}", nsec3, None, child_signed=True)
        family(f"deleg-secure-ds-stripped-{kind}", nsec3, ds_only(take_ds), child_signed=True)
        if kind == "nsec":
            family("deleg-secure-ds-in-bitmap-nsec", nsec3, ds_from_bitmap, child_signed=True)
            family("deleg-wrong-proof-nsec", nsec3, ds_only(replay_of_ds("www", "TXT")))
        else:
            family(f"deleg-no-cover-{kind}", nsec3, ds_only(lambda n, k, m: no_match(n, k, no_cover(n, k, m))))
            family(f"deleg-no-encloser-{kind}", nsec3, ds_only(lambda n, k, m: drop(m, lambda r: matches(r, n.parent()))))
    # a name below a cut denied with the parent's NSEC (RFC 6840 4.1)
    for kind, nsec3 in (("nsec", None), ("nsec3", NSEC3)):
        family(f"deleg-ancestor-{kind}", nsec3, ancestor, child_signed=True, questions=(("host.sub", "A"),))
    return g


def replay_of_ds(label, kind):
    def act(name, asked, m):
        other = fetch(dns.name.Name((label.encode(),) + name.labels[1:]), kind)
        m.answer, m.authority = [], other.authority
        return m
    return act


def ancestor(name, kind, m):
    if name.labels[0] != b"host":
        return m
    cut = fetch(name.parent(), "DS")
    m.answer, m.authority, m.additional = [], cut.authority, []
    m.flags |= dns.flags.AA
    m.set_rcode(dns.rcode.NXDOMAIN)
    return m


# --- aliases -----------------------------------------------------------------------------------------------

def aliases(w):
    g = Group()
    target = "alias-target.test."
    plain, broken = "alias-plain.test.", "alias-broken.test."
    g.zones += [zone("alias-target", 8), zone("alias-plain", signed=False),
                zone("alias-broken", 13, damage=lambda s: s.flip("www", "A"))]
    links = ["in.@ 300 IN CNAME www.@", "two.@ 300 IN CNAME in.@", f"out.@ 300 IN CNAME www.{target}",
             f"plain.@ 300 IN CNAME www.{plain}", f"broken.@ 300 IN CNAME www.{broken}", f"nx.@ 300 IN CNAME gone.{target}",
             "gone.@ 300 IN CNAME nothing.@", f"wild.out.@ 300 IN CNAME host.wild.{target}", "nodata.@ 300 IN CNAME mail.@",
             f"*.star.@ 300 IN CNAME www.{target}", "loop.@ 300 IN CNAME loop2.@", "loop2.@ 300 IN CNAME loop.@",
             f"tree.@ 300 IN DNAME {target}", f"plaintree.@ 300 IN DNAME {plain}", f"brokentree.@ 300 IN DNAME {broken}",
             "intree.@ 300 IN DNAME ent.@", "todname.@ 300 IN CNAME www.tree.@"]
    asked = [("in", "A"), ("two", "A"), ("out", "A"), ("plain", "A"), ("broken", "A"), ("nx", "A"), ("gone", "A"),
             ("wild.out", "A"), ("nodata", "TXT"), ("host.star", "A"), ("loop", "A"), ("www.tree", "A"), ("gone.tree", "A"),
             ("www.plaintree", "A"), ("www.brokentree", "A"), ("a.intree", "A"), ("todname", "A"), ("tree", "DNAME"),
             ("tree", "A"), ("in", "CNAME"), ("host.wild.tree", "A")]
    for kind, nsec3 in KINDS.items():
        g.add(zone(f"alias-signed-{kind}", 13, nsec3, extra=links), *asked)
    g.add(zone("alias-unsigned", signed=False, extra=links), ("out", "A"), ("plain", "A"), ("broken", "A"), ("www.tree", "A"),
          ("nx", "A"))
    g.add(zone("alias-cname-norrsig", 13, extra=links, damage=lambda s: s.strip("out", "CNAME")), ("out", "A"))
    g.add(zone("alias-cname-badsig", 13, extra=links, damage=lambda s: s.flip("out", "CNAME")), ("out", "A"), ("out", "CNAME"))
    g.add(zone("alias-cname-expired", 13, extra=links,
               damage=lambda s: s.sign("out", "CNAME", start=-40 * DAY, end=-DAY)), ("out", "A"))
    g.add(zone("alias-dname-norrsig", 13, extra=links, damage=lambda s: s.strip("tree", "DNAME")), ("www.tree", "A"))
    g.add(zone("alias-dname-badsig", 13, extra=links, damage=lambda s: s.flip("tree", "DNAME")), ("www.tree", "A"))
    g.add(zone("alias-second-link-badsig", 13, extra=links, damage=lambda s: s.flip("in", "CNAME")), ("two", "A"))
    g.add(zone("alias-end-badsig", 13, extra=links, damage=lambda s: s.flip("www", "A")), ("in", "A"), ("two", "A"))

    def swap_synthesis(name, kind, m):
        for i, r in enumerate(m.answer):
            if r.rdtype == dns.rdatatype.CNAME and any(x.rdtype == dns.rdatatype.DNAME for x in m.answer):
                m.answer[i] = dns.rrset.from_text(r.name, r.ttl, "IN", "CNAME", "www." + plain)
        m.answer = [r for r in m.answer if r.rdtype in (dns.rdatatype.DNAME, dns.rdatatype.CNAME) or r.covers == dns.rdatatype.DNAME]
        return m
    g.add(zone("alias-dname-forged-cname", 13, extra=links), ("www.tree", "A"), mangle=swap_synthesis)

    def no_dname(name, kind, m):
        m.answer = [r for r in m.answer if r.rdtype != dns.rdatatype.DNAME and r.covers != dns.rdatatype.DNAME]
        return m
    g.add(zone("alias-dname-taken-out", 13, extra=links), ("www.tree", "A"), mangle=only_when(
        lambda n, k: k == dns.rdatatype.A and n.labels[0] == b"www", no_dname))
    g.add(zone("alias-wildcard-proof-stripped", 13, extra=links), ("host.star", "A"), mangle=at("host", strip_proofs))
    return g


# --- algorithms --------------------------------------------------------------------------------------------

def algorithms(w):
    g = Group()

    def dual(label, damage=None, ds_algs=None, first=8, second=13, nsec3=None):
        name = label + ".test."
        make = lambda w: [w.key(name, a, k, bits=BITS) for a in (first, second) for k in (True, False)]
        choose = (lambda w: [w.key(name, a, True, bits=BITS).ds() for a in ds_algs]) if ds_algs else None
        return g.add(zone(label, first, nsec3, keys=make, ds=choose, damage=damage), ("www", "A"), ("nx", "A"))

    def keep(alg):
        def damage(s):
            s.set_sigs("www", "A", *[r for r in s.sigs("www", "A") if r.algorithm == alg])
        return damage

    def flip_alg(*algs):
        def damage(s):
            s.map_sigs("www", "A", lambda r: flip_rdata(r) if r.algorithm in algs else r)
        return damage

    def dnskey_keep(alg):
        def damage(s):
            s.set_sigs("@", "DNSKEY", *[r for r in s.sigs("@", "DNSKEY") if r.algorithm == alg])
        return damage

    dual("dual-sound")
    dual("dual-sound-nsec3", nsec3=NSEC3)
    dual("dual-15-13", first=15, second=13)
    dual("dual-ds-first", ds_algs=(8,))
    dual("dual-ds-second", ds_algs=(13,))
    dual("dual-rrset-without-first", keep(13))
    dual("dual-rrset-without-second", keep(8))
    dual("dual-first-bad", flip_alg(8))
    dual("dual-second-bad", flip_alg(13))
    dual("dual-both-bad", flip_alg(8, 13))
    dual("dual-dnskey-without-first", dnskey_keep(13))
    dual("dual-dnskey-without-second", dnskey_keep(8))
    dual("dual-dnskey-only-other-than-ds", dnskey_keep(8), ds_algs=(13,))
    # DS for two algorithms, the zone signed with one of them
    for alg, other in ((13, 8), (8, 13)):
        label = f"ds-for-{alg}-and-{other}-signed-{alg}"
        name = label + ".test."
        g.add(zone(label, alg, ds=lambda w, n=name, a=alg, o=other: [w.key(n, a, True, bits=BITS).ds(),
                                                                      w.key(n, o, True, "gone", bits=BITS).ds()]))

    # algorithms that nobody implements: proper zones renumbered
    def renumber(alg):
        def damage(s):
            ksk, zsk = s.key(ksk=True), s.key()
            new = [k.rdata.replace(algorithm=alg) for k in (ksk, zsk)]
            key_lines(s, *[n.to_text() for n in new])
            for owner in list(s.z.nodes):
                for rds in list(s.z.nodes[owner].rdatasets):
                    if rds.rdtype == dns.rdatatype.RRSIG:
                        s.map_sigs(owner, rds.covers, lambda r: r.replace(
                            algorithm=alg, key_tag=dns.dnssec.key_id(new[0] if r.type_covered == dns.rdatatype.DNSKEY else new[1])))
        return damage

    def renumbered_ds(name, alg):
        def make(w):
            rdata = w.key(name, 13, True, bits=BITS).rdata.replace(algorithm=alg)
            return [dns.dnssec.make_ds(dns.name.from_text(name), rdata, "SHA256").to_text()]
        return make
    for alg in (3, 6, 12, 17, 23, 200, 253, 254):
        label = f"algorithm-{alg}"
        g.add(zone(label, 13, damage=renumber(alg), ds=renumbered_ds(label + ".test.", alg)), ("www", "A"), ("nx", "A"))
    return g


GROUPS = {"differential-sound": sound, "differential-signatures": signatures, "differential-keys": keys,
          "differential-ds": ds, "differential-denial-nsec": denial_nsec, "differential-denial-nsec3": denial_nsec3,
          "differential-delegations": delegations, "differential-aliases": aliases,
          "differential-algorithms": algorithms}


def mangles(work, group):
    return {zone: act for zone, act in GROUPS[group](Work(work)).mangles.items() if act}
