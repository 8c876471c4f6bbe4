#!/usr/bin/python3
"""The situations of the recorded scenarios: zones, questions, expectations.

situations.py WORK list [basic|NAME…]      the situations, one per line: name, recipe of make.sh
situations.py WORK build NAME              serving folders, anchor and questions in WORK/NAME
situations.py WORK expect NAME FILE        the expectation, as written here by hand
situations.py WORK baseline NAME FOLDER    the baseline of that name (see BASELINES)

Everything an expectation says was decided by reading the RFCs, and compared with what unbound and
delv said of the same names (the .judges files); nothing in it was taken from dnsbailiff's output.
"""
import os
import random
import sys
import time

import dns.dnssec
import dns.rdata
import dns.rdataclass
import dns.rdatatype

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import attacks  # noqa: E402
import changes  # noqa: E402
import cuts  # noqa: E402
import denials  # noqa: E402
import differential  # noqa: E402
from zones import DAY, HOUR, Tree, Work, Zone  # noqa: E402

NSEC3 = (0, "-", False)
OPTOUT = (0, "-", True)

CLASSES = {}


def situation(name, recipe="plain", **options):
    def register(f):
        CLASSES[name] = (f, recipe, options)
        return f
    return register


# --- the sound zones that all of this starts from; also the baseline `zones` ------------------------------

def base(**changes):
    """Sound zones by name; a change replaces or (None) removes one."""
    zones = {
        "bank": Zone("bank.test.", alg=8, signer="ldns"),
        "example": Zone("example.test.", alg=13),
        "child": Zone("child.example.test.", alg=13, nsec3=NSEC3),
        "dual": Zone("dual.test.", alg=8, keys=lambda w: [
            w.key("dual.test.", a, k) for a in (8, 13) for k in (True, False)]),
        "gov": Zone("gov.test.", alg=14, nsec3=NSEC3),
        "ed": Zone("ed.test.", alg=15, nsec3=NSEC3),
        "ed448": Zone("ed448.test.", alg=16),
        "csk": Zone("csk.test.", alg=13, nsec3=NSEC3, csk=True),
        "ten": Zone("ten.test.", alg=10, nsec3=NSEC3),
        "big": Zone("big.test.", alg=8, ksk_bits=4096, keys=lambda w: [
            w.key("big.test.", 8, True, bits=4096), w.key("big.test.", 8, True, "standby", bits=4096),
            w.key("big.test.", 8, False)]),
        "optout": Zone("optout.test.", alg=13, nsec3=OPTOUT),
        "signedchild": Zone("signed.optout.test.", alg=13),
        "plainchild": Zone("plain.optout.test.", signed=False),
        "plain": Zone("plain.test.", signed=False),
    }
    zones.update(changes)
    return [z for z in zones.values() if z is not None]


SIGNED = ["bank.test.", "example.test.", "child.example.test.", "dual.test.", "gov.test.", "ed.test.",
          "ed448.test.", "csk.test.", "ten.test.", "big.test.", "optout.test.", "signed.optout.test."]


def ask_zone(zone):
    """What a curious client asks of a zone: (name, type) pairs."""
    return [(zone, t) for t in ("A", "AAAA", "MX", "TXT", "NS", "SOA", "DNSKEY", "DS")] + [
        ("www." + zone, "A"), ("www." + zone, "AAAA"), ("api." + zone, "A"), ("host.wild." + zone, "A"),
        ("nx." + zone, "A"), ("www." + zone, "TXT"), ("wild." + zone, "A")]


def few(zone):
    return [("www." + zone, "A"), (zone, "MX"), (zone, "TXT"), (zone, "DNSKEY")]


def unusable(zone):
    """What everyone behind a validating resolver sees when nothing of a declared zone validates."""
    return [f"finding zone-dark {zone}", f"finding servfail-spike {zone}", f"finding validation-split {zone}"]


def lines_secure(pairs):
    return [f"verdict {n} {t} secure" for n, t in pairs]


SILENT = ["no-finding-above low"]


@situation("normal")
def normal(w):
    questions, expect = [], []
    for zone in SIGNED:
        pairs = ask_zone(zone)
        questions += pairs
        for name, kind in pairs:
            # RFC 5155 9.2: what an opt-out span denies, or lets a wildcard answer for, is not proven
            weak = zone == "optout.test." and name.startswith(("nx.", "host.wild."))
            expect.append(f"verdict {name} {kind} " + ("insecure" if weak else "secure"))
    for zone in ("plain.test.", "plain.optout.test."):
        pairs = [p for p in ask_zone(zone) if p[1] != "DS"]
        questions += pairs
        expect += [f"verdict {n} {t} insecure" for n, t in pairs]
    questions += [("plain.test.", "DS"), ("plain.optout.test.", "DS")]
    expect += ["verdict plain.test. DS secure denial-proven", "verdict plain.optout.test. DS insecure"]
    return base(), questions, expect + SILENT


@situation("normal-sha1", baseline=None)
def normal_sha1(w):
    zones = [Zone("five.test.", alg=5), Zone("seven.test.", alg=7, nsec3=NSEC3)]
    questions = few("five.test.") + few("seven.test.") + [("nx.five.test.", "A"), ("nx.seven.test.", "A")]
    return zones, questions, lines_secure(questions) + ["may key-weak", "only"]


# --- theft: every answer validates, only the baseline sees it -----------------------------------------------

def rogue_zsk_keys(w):
    z = "example.test."
    return [w.key(z, 13, True), w.key(z, 13, False, "rogue")]


@situation("rogue-zsk-stolen-ksk")
def rogue_zsk(w):
    z = "example.test."
    publish = lambda w: [w.key(z, 13, True).line(), w.key(z, 13, False).line(), w.key(z, 13, False, "rogue").line()]
    zones = base(example=Zone(z, keys=rogue_zsk_keys, publish=publish))
    q = few(z) + few("bank.test.")
    return zones, q, lines_secure(q) + [f"finding key-unknown {z}", "want roll-unplanned|key-unknown " + z,
                                        "no-finding rrsig-bad", "no-finding ds-mismatch"]


@situation("records-changed-stolen-zsk")
def records_changed(w):
    z = "bank.test."
    changed = Zone(z, alg=8, signer="ldns")
    original = changed.text
    def text(work):
        out = []
        for line in original(work):
            line = line.replace(f"www.{z} 300 IN A 192.0.2.80", f"www.{z} 300 IN A 203.0.113.66")
            line = line.replace(f"MX 10 mail.{z}", "MX 10 mail.attacker.example.")
            line = line.replace("v=spf1 mx ip4:192.0.2.25 -all", "v=spf1 mx ip4:203.0.113.0/24 ~all")
            out.append(line)
        return out
    changed.text = text
    q = few(z) + few("example.test.")
    return base(bank=changed), q, lines_secure(q) + [
        f"finding record-changed {z}", f"finding mail-moved {z}", f"want mail-policy-weakened {z}",
        "no-finding key-unknown", "no-finding rrsig-bad"]


@situation("record-added-stolen-zsk")
def record_added(w):
    z = "bank.test."
    zones = base(bank=Zone(z, alg=8, signer="ldns", extra=["portal.@ 300 IN A 203.0.113.66"]))
    q = few(z) + [("portal." + z, "A")]
    return zones, q, lines_secure(q) + [f"finding record-unexpected {z}", "no-finding key-unknown"]


# --- hijacks at the parent -----------------------------------------------------------------------------------

def attacker_keys(w):
    return [w.key("example.test.", 13, True, "attacker"), w.key("example.test.", 13, False, "attacker")]


@situation("hijack-ds-replaced")
def hijack_ds_replaced(w):
    z = "example.test."
    zones = base(example=Zone(z, keys=attacker_keys, ns=("att",)), child=None)
    q = few(z) + [(z, "DS"), (z, "NS")]
    return zones, q, lines_secure(q) + [f"finding ds-unknown {z}", f"finding key-unknown {z}",
                                        f"finding delegation-changed {z}", f"finding server-unknown {z}", "no-finding ds-mismatch"]


@situation("hijack-ds-kept")
def hijack_ds_kept(w):
    z = "example.test."
    zones = base(example=Zone(z, keys=attacker_keys, ns=("att",), ds=lambda w: [w.key(z, 13, True).ds()]), child=None)
    q = few(z)
    return zones, q, [f"verdict {z} DNSKEY bogus ds-mismatch", f"verdict www.{z} A bogus",
                      f"finding ds-mismatch {z}", f"finding delegation-changed {z}", f"finding server-unknown {z}",
                      "no-finding ds-unknown", *unusable(z)]


@situation("ds-removed")
def ds_removed(w):
    z = "example.test."
    zones = base(example=Zone(z, signed=False), child=None)
    q = [("www." + z, "A"), (z, "MX"), (z, "DS")]
    return zones, q, [f"verdict www.{z} A insecure", f"verdict {z} MX insecure", f"verdict {z} DS secure denial-proven",
                      f"finding ds-removed {z}", "no-finding rrsig-missing", "no-finding ds-mismatch", "no-finding delegation-changed"]


@situation("algorithm-dropped")
def algorithm_dropped(w):
    z = "dual.test."
    keys = lambda w: [w.key(z, 13, True), w.key(z, 13, False)]
    q = few(z)
    return base(dual=Zone(z, alg=13, keys=keys)), q, lines_secure(q) + [
        f"want key-withdrawn {z}", f"finding rrsig-algorithm-missing {z}", "no-finding rrsig-bad",
        "no-finding ds-mismatch"]


@situation("move-to-sha1")
def move_to_sha1(w):
    z = "example.test."
    q = few(z) + [(z, "DS")]
    return base(example=Zone(z, alg=5, ds=lambda w: [w.key(z, 5, True).ds("SHA1")]), child=None), q, lines_secure(q) + [
        f"finding key-unknown {z}", f"finding ds-unknown {z}", f"want key-weak {z}", f"want ds-weak {z}"]


@situation("servers-disagree", second=lambda: Zone("bank.test.", alg=8, signer="ldns", serial=7))
def servers_disagree(w):
    q = [("bank.test.", "SOA")] + few("bank.test.") + [(n + ".bank.test.", "A") for n in ("nx1", "nx2", "nx3", "nx4", "nx5")]
    return base(), q, lines_secure(q) + ["finding servers-disagree bank.test.", "may signed-equivocation", "only"]


# --- time ----------------------------------------------------------------------------------------------------

@situation("expired")
def expired(w):
    z = "example.test."
    q = few(z)
    return base(example=Zone(z, start=-31 * DAY, end=-DAY), child=None), q, [
        f"verdict {z} DNSKEY bogus signature-expired", f"verdict www.{z} A bogus", f"finding rrsig-expired {z}",
        "no-finding rrsig-bad", "no-finding rrsig-not-yet-valid", "no-finding record-changed", *unusable(z)]


@situation("expired-one-rrset")
def expired_one(w):
    z = "example.test."
    def damage(s):
        s.sign("www", "A", start=-31 * DAY, end=-2 * HOUR)
    q = few(z)
    return base(example=Zone(z, damage=damage)), q, [
        f"verdict www.{z} A bogus signature-expired", f"verdict {z} MX secure", f"verdict {z} DNSKEY secure",
        f"finding rrsig-expired {z}", "may zone-dark|servfail-spike|validation-rate|validation-split", "only"]


@situation("not-yet-valid")
def not_yet_valid(w):
    z = "example.test."
    q = few(z)
    return base(example=Zone(z, start=2 * DAY, end=31 * DAY), child=None), q, [
        f"verdict {z} DNSKEY bogus signature-not-yet-valid", f"verdict www.{z} A bogus",
        f"finding rrsig-not-yet-valid {z}", "no-finding rrsig-bad", "no-finding rrsig-expired", *unusable(z)]


@situation("expiring-soon")
def expiring_soon(w):
    z = "example.test."
    q = few(z)
    return base(example=Zone(z, start=-29 * DAY, end=20 * HOUR)), q, lines_secure(q) + [
        f"finding rrsig-expiring {z}", "no-finding rrsig-expired", "only"]


# --- damage to signatures and keys ----------------------------------------------------------------------------

@situation("bad-signature")
def bad_signature(w):
    z = "example.test."
    q = few(z)
    return base(example=Zone(z, damage=lambda s: s.flip("www", "A"))), q, [
        f"verdict www.{z} A bogus signature-bad", f"verdict {z} MX secure", f"verdict {z} DNSKEY secure",
        f"finding rrsig-bad {z}", "may zone-dark|servfail-spike|validation-rate|validation-split", "only"]


@situation("rrsig-stripped")
def rrsig_stripped(w):
    z = "example.test."
    q = few(z)
    return base(example=Zone(z, damage=lambda s: s.strip("www", "A"))), q, [
        f"verdict www.{z} A bogus signature-missing", f"verdict {z} MX secure", f"finding rrsig-missing {z}",
        "may zone-dark|servfail-spike|validation-rate|validation-split", "only"]


@situation("unsigned-with-ds")
def unsigned_with_ds(w):
    z = "example.test."
    q = few(z)
    return base(example=Zone(z, signed=False, ds=lambda w: [w.key(z, 13, True).ds()]), child=None), q, [
        f"verdict www.{z} A bogus", f"verdict {z} MX bogus", f"finding rrsig-missing|ds-mismatch {z}", *unusable(z)]


@situation("unknown-signing-key")
def unknown_signing_key(w):
    z = "example.test."
    publish = lambda w: [w.key(z, 13, True).line(), w.key(z, 13, False).line()]
    q = few(z)
    return base(example=Zone(z, keys=rogue_zsk_keys, publish=publish,
                             damage=lambda s: s.put("@", "DNSKEY", *[k.rdata.to_text() for k in (
                                 s.key(ksk=True), s.key())]) and s.sign("@", "DNSKEY")), child=None), q, [
        f"verdict www.{z} A bogus signing-key-not-in-dnskey", f"verdict {z} DNSKEY secure",
        f"finding rrsig-unknown-key {z}", "no-finding rrsig-bad", "no-finding key-unknown"]


@situation("revoked-extra-key")
def revoked_extra(w):
    z = "example.test."
    keys = lambda w: [w.key(z, 13, True), w.key(z, 13, False), w.key(z, 13, True, "old").revoked()]
    q = few(z)
    return base(example=Zone(z, keys=keys, ds=lambda w: [w.key(z, 13, True).ds()])), q, lines_secure(q) + [
        f"finding key-revoked {z}", "no-finding ds-mismatch", "no-finding rrsig-bad", "no-finding key-changed"]


@situation("revoked-ksk")
def revoked_ksk(w):
    z = "example.test."
    keys = lambda w: [w.key(z, 13, True).revoked(), w.key(z, 13, False)]
    q = few(z)
    return base(example=Zone(z, keys=keys, ds=lambda w: [w.key(z, 13, True).ds()]), child=None), q, [
        f"verdict www.{z} A bogus", f"verdict {z} DNSKEY bogus", f"finding key-revoked {z}", *unusable(z)]


@situation("ds-mismatch", baseline=None)
def ds_mismatch(w):
    key = lambda w, z: w.key(z, 13, True)
    zones = [
        Zone("tag.test.", ds=lambda w: [key(w, "tag.test.").ds(tag=(key(w, "tag.test.").tag + 1) & 0xffff)]),
        Zone("algorithm.test.", ds=lambda w: [key(w, "algorithm.test.").ds(alg=8)]),
        Zone("digest.test.", ds=lambda w: [key(w, "digest.test.").ds(flip=True)]),
        Zone("digest-type.test.", ds=lambda w: [key(w, "digest-type.test.").ds(digest_type=4, size=48)]),
        Zone("unknown-digest.test.", ds=lambda w: [key(w, "unknown-digest.test.").ds(digest_type=200)]),
        Zone("one-of-two.test.", ds=lambda w: [key(w, "one-of-two.test.").ds(flip=True),
                                               key(w, "one-of-two.test.").ds()]),
    ]
    bad = ["tag.test.", "algorithm.test.", "digest.test.", "digest-type.test."]
    q = [p for z in zones for p in (("www." + z.name, "A"), (z.name, "DNSKEY"))]
    expect = []
    for z in bad:
        expect += [f"verdict www.{z} A bogus", f"verdict {z} DNSKEY bogus ds-mismatch", f"finding ds-mismatch|ds-digest-wrong|ds-algorithm-mismatch {z}"]
    expect += ["finding ds-mismatch tag.test.", "finding ds-mismatch algorithm.test.",
               "verdict www.one-of-two.test. A secure", "verdict one-of-two.test. DNSKEY secure",
               "verdict www.unknown-digest.test. A insecure digest-unsupported",
               "no-finding ds-mismatch one-of-two.test.", "no-finding ds-mismatch unknown-digest.test."]
    return zones, q, expect


# --- changes that were planned ----------------------------------------------------------------------------------

def policy(w, zone, change, key=None, more=""):
    window = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(w.now + d * DAY)) for d in (-2, 28)]
    what = ""
    if key:
        flags, protocol, alg, public = key.rdata.to_text().split(None, 3)
        what = f'key: "{flags} {protocol} {alg} {public.replace(" ", "")}", '
    planned = f"planned:\n  - {{change: {change}, {what}from: {window[0]}, to: {window[1]}}}\n" if change else ""
    return f"zone: {zone}\nstrict: true\n{more}{planned}"


def prepublish_zones(w):
    z = "example.test."
    publish = lambda w: [w.key(z, 13, True).line(), w.key(z, 13, False).line(), w.key(z, 13, False, "next").line()]
    return base(example=Zone(z, publish=publish))


@situation("zsk-prepublish-planned", baseline="zones-prepublish")
def zsk_prepublish_planned(w):
    q = few("example.test.") + few("bank.test.")
    return prepublish_zones(w), q, lines_secure(q) + SILENT


@situation("zsk-prepublish-unplanned")
def zsk_prepublish_unplanned(w):
    q = few("example.test.") + few("bank.test.")
    return prepublish_zones(w), q, lines_secure(q) + ["finding key-unknown example.test.", "may roll-unplanned", "only"]


@situation("ksk-double-ds-planned", baseline="zones-double-ds")
def ksk_double_ds(w):
    z = "example.test."
    ds = lambda w: [w.key(z, 13, True).ds(), w.key(z, 13, True, "next").ds()]
    q = few(z) + [(z, "DS")]
    return base(example=Zone(z, ds=ds)), q, lines_secure(q) + SILENT


@situation("ksk-double-ds-unplanned")
def ksk_double_ds_unplanned(w):
    zones, q, _ = ksk_double_ds(w)
    return zones, q, lines_secure(q) + ["finding ds-unknown example.test.", "may roll-unplanned", "only"]


@situation("algorithm-roll-planned", baseline="zones-algorithm-roll")
def algorithm_roll(w):
    z = "example.test."
    keys = lambda w: [w.key(z, a, k) for a in (13, 15) for k in (True, False)]
    q = few(z)
    return base(example=Zone(z, keys=keys, ds=lambda w: [w.key(z, 13, True).ds()])), q, lines_secure(q) + [
        "no-finding rrsig-algorithm-missing"] + SILENT


def multi_keys(w, provider):
    z = "example.test."
    return [w.key(z, 13, True, provider), w.key(z, 13, False, provider)]


def multi_zone(provider):
    z = "example.test."
    publish = lambda w: [k.line() for p in ("a", "b") for k in multi_keys(w, p)]
    ds = lambda w: [w.key(z, 13, True, p).ds() for p in ("a", "b")]
    return Zone(z, keys=lambda w: multi_keys(w, provider), publish=publish, ds=ds)


@situation("multi-signer", baseline="zones-multi-signer", second=lambda: multi_zone("b"))
def multi_signer(w):
    q = few("example.test.") * 3 + [("www.example.test.", t) for t in ("AAAA", "TXT")] + [
        (n + ".example.test.", "A") for n in ("mail", "vpn", "ns1", "ns2", "a.wild", "b.wild", "c.wild", "nx")]
    return base(example=multi_zone("a"), child=None), q, lines_secure(dict.fromkeys(q)) + [
        "no-finding roll-progress"] + SILENT


# --- transport ---------------------------------------------------------------------------------------------------

@situation("truncated-then-tcp")
def truncated_then_tcp(w):
    q = [("big.test.", "DNSKEY"), ("www.big.test.", "A")]
    return base(), q, ["verdict big.test. DNSKEY secure", "verdict www.big.test. A secure"] + SILENT


@situation("tcp-blocked", recipe="blocked")
def tcp_blocked(w):
    q = [("big.test.", "DNSKEY"), ("www.big.test.", "A")]
    return base(), q, ["verdict big.test. DNSKEY not-checkable truncated", "finding tcp-blocked big.test.", "no-finding rrsig-missing",
                       "no-finding ds-mismatch", "no-finding key-withdrawn"]


@situation("fragmented-udp", recipe="fragments")
def fragmented(w):
    q = [("big.test.", "DNSKEY"), ("www.big.test.", "A"), ("nx.big.test.", "A"), ("nx.dual.test.", "A")]
    return base(), q, lines_secure(q) + ["no-finding fragments-lost"] + SILENT


@situation("tcp-pipelined", recipe="tcp")
def tcp_pipelined(w):
    q = [p for z in ("bank.test.", "example.test.", "gov.test.", "big.test.") for p in ask_zone(z)]
    return base(), q, lines_secure(q) + SILENT


def link_layer(w):
    q = few("bank.test.") + few("gov.test.") + [("nx.ed.test.", "A"), ("www.plain.test.", "A")]
    return base(), q, lines_secure(q[:-1]) + ["verdict www.plain.test. A insecure"] + SILENT


def also(function, *more):
    """The same situation, of which more is expected."""
    def made(w):
        zones, questions, expect = function(w)
        return zones, questions, expect + list(more)
    return made


for link in ("vlan", "qinq", "sll", "sll2"):  # tags and cooked headers in both directions are how it is
    CLASSES["link-" + link] = (also(link_layer, "no-finding sensor-mirror"), link, {})
for tunnel in ("vxlan", "geneve", "gre", "erspan2", "erspan3", "mpls", "pppoe", "ipip"):
    CLASSES["tunnel-" + tunnel] = (link_layer, tunnel, {})
CLASSES["edns-and-case"] = (also(link_layer, "no-finding ttl-anomaly"), "edns", {})  # a cache lowers TTLs
CLASSES["transport-ipv6"] = (link_layer, "ipv6", {})


@situation("client-only-no-chain", recipe="clientonly", baseline=None)
def client_only(w):
    q = [("www.bank.test.", "A"), ("example.test.", "MX"), ("www.plain.test.", "A")]
    return base(), q, ["verdict www.bank.test. A indeterminate dnskey-not-seen",
                       "verdict example.test. MX indeterminate dnskey-not-seen",
                       "verdict www.plain.test. A indeterminate"] + SILENT


@situation("client-only-validating-stub", recipe="stub")
def client_stub(w):
    q = [("www.bank.test.", "A"), ("example.test.", "MX"), ("www.plain.test.", "A"), ("nx.gov.test.", "A")]
    return base(), q, ["verdict www.bank.test. A secure", "verdict example.test. MX secure",
                       "verdict www.plain.test. A insecure", "verdict nx.gov.test. A secure"] + SILENT


@situation("mirrored-twice", recipe="twice")
def mirrored_twice(w):
    zones, q, expect = link_layer(w)
    return zones, q, expect[:-1] + ["finding sensor-duplicates", "only"]


@situation("mirrored-queries-only", recipe="queries", baseline=None)
def mirrored_queries(w):
    q = few("bank.test.")
    return base(), q, ["finding sensor-one-way", "only"]


@situation("captured-short", recipe="snapped", baseline=None)
def captured_short(w):
    q = few("bank.test.")
    return base(), q, ["verdict bank.test. DNSKEY not-checkable snapped", "finding sensor-mirror", "no-finding rrsig-missing",
                       "no-finding rrsig-bad"]


@situation("recording-begins-midway", recipe="midway", baseline=None)
def midway(w):
    q = [("www.bank.test.", "A"), ("www.example.test.", "A")]
    return base(), q, [f"verdict {n} {t} indeterminate" for n, t in q] + SILENT


@situation("answers-before-keys", recipe="backwards", baseline=None)
def backwards(w):
    q = [("www.bank.test.", "A"), ("www.gov.test.", "A"), ("example.test.", "MX"), ("www.plain.test.", "A")]
    return base(), q, lines_secure(q[:-1]) + ["verdict www.plain.test. A insecure", "retro www.bank.test. A"] + SILENT


# --- hostile zones: shapes that cost a validator without limits much (CVE-2023-50387, CVE-2023-50868) ------------

def forged_key(tag, draw, exponent=b"\x01\x00\x01", size=128):
    """An RSASHA256 DNSKEY of that tag whose modulus is noise. The tag is a sum of 16-bit words (RFC 4034
    appendix B), so the last word sets it; now and then the carry spoils that, and another modulus is drawn."""
    head = (bytes([len(exponent)]) if len(exponent) < 256 else b"\0" + len(exponent).to_bytes(2, "big")) + exponent
    while True:
        body = head + b"\xc1" + draw.randbytes(size - 3 - len(head) % 2)
        last = 0
        for _ in range(2):
            data = b"\x01\x00\x03\x08" + body + last.to_bytes(2, "big")
            rdata = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.DNSKEY, data, 0, len(data))
            if dns.dnssec.key_id(rdata) == tag:
                return rdata.to_text()
            last = (tag - dns.dnssec.key_id(rdata)) & 0xffff


def keytrap(keys, signatures):
    def damage(s):
        draw = random.Random(20261122)
        tag = s.key().tag
        s.put("@", "DNSKEY", s.key(ksk=True).rdata.to_text(), s.key().rdata.to_text(),
              *[forged_key(tag, draw) for _ in range(keys)])
        s.sign("@", "DNSKEY")
        good = list(s.sigs("www", "A"))[0]
        s.set_sigs("www", "A", *[good.replace(signature=b"\0" + draw.randbytes(127)) for _ in range(signatures)])
    return damage


@situation("hostile-keytrap", baseline=None)
def hostile_keytrap(w):
    z = "keytrap.test."
    q = [("www." + z, "A"), (z, "MX")]
    return [Zone(z, alg=8, damage=keytrap(80, 80), ns=("ns1",))], q, [
        f"not-verdict www.{z} A secure", f"not-verdict www.{z} A insecure", f"want validator-load {z}"]


@situation("hostile-rsa-exponent", baseline=None)
def hostile_exponent(w):
    z = "exponent.test."

    def damage(s):
        draw = random.Random(20261122)
        key = forged_key(4711, draw, exponent=bytes([0xff]) + draw.randbytes(500) + b"\x01", size=512)
        s.put("@", "DNSKEY", s.key(ksk=True).rdata.to_text(), s.key().rdata.to_text(), key)
        s.sign("@", "DNSKEY")
        good = list(s.sigs("www", "A"))[0]
        s.set_sigs("www", "A", good.replace(key_tag=4711, signature=b"\0" + draw.randbytes(511)))
    q = [("www." + z, "A"), (z, "MX")]
    return [Zone(z, alg=8, damage=damage, ns=("ns1",))], q, [
        f"not-verdict www.{z} A secure", f"not-verdict www.{z} A insecure", f"verdict {z} MX secure"]


@situation("hostile-nsec3", baseline=None)
def hostile_nsec3(w):
    z = "iterations.test."
    q = [(".".join("abcdefghijklmnopqrstuvwxyz"[:n]) + ".gone." + z, "A") for n in (1, 13, 26)]
    return [Zone(z, nsec3=(2500, "AABBCCDD" * 16, False), signer="ldns", ns=("ns1",))], q, [
        f"verdict {n} {t} insecure nsec3-iterations" for n, t in q] + ["want validator-load|nsec3-parameters " + z]


# --- many zones in one capture; the judges are the expectation ----------------------------------------------------------

def differential_group(group):
    def build_group(w):
        made = group(w)
        return made.zones, made.questions, made.expect or None
    return build_group


for group_name, group in differential.GROUPS.items():
    CLASSES[group_name] = (differential_group(group), "differential", {"baseline": None})


attacks.register(situation, base, few, Zone)
denials.register(situation, policy)
cuts.register(situation)
changes.register(situation)


# --- baselines -------------------------------------------------------------------------------------------------------

def baseline_policies(w, name):
    z = "example.test."
    return {
        "zones": {},
        "zones-prepublish": {z: policy(w, z, "zsk-rollover", w.key(z, 13, False, "next"))},
        "zones-double-ds": {z: policy(w, z, "ksk-rollover", w.key(z, 13, True, "next"))},
        "zones-algorithm-roll": {z: policy(w, z, "algorithm-rollover")},
        "zones-multi-signer": {z: policy(w, z, None, more="multi-signer: true\n")},
        **denials.policies(w),
        **changes.policies(w),
    }[name]


BASELINES = ["zones", "zones-prepublish", "zones-double-ds", "zones-algorithm-roll", "zones-multi-signer"] + denials.BASELINES + \
    changes.BASELINES


def write_baseline(w, name, folder):
    os.makedirs(folder, exist_ok=True)
    zones = base(example=multi_zone("a"), child=None) if name == "zones-multi-signer" else base()
    zones = denials.declared(name) or changes.declared(name) or zones
    result = Tree(w, zones).build()
    policies = baseline_policies(w, name)
    for zone, text in result.items():
        if zone in (".", "test.") or (name != "zones" and zone not in policies):
            continue
        with open(os.path.join(folder, zone.rstrip(".") + ".zone"), "w") as f:
            f.write(text)
    for zone, text in policies.items():
        with open(os.path.join(folder, zone.rstrip(".") + ".yaml"), "w") as f:
            f.write(text)


def build(w, name):
    function, _, options = CLASSES[name]
    zones, questions, _ = function(w)
    out = os.path.join(w.folder, name)
    tree = Tree(w, zones)
    tree.build(out)
    if "second" in options:  # the second server serves another provider's signing of the same zone
        other = options["second"]()
        text = Tree(w, [other if z.name == other.name else z for z in zones]).build()[other.name]
        with open(os.path.join(out, "ns2", other.name.rstrip(".") + ".zone"), "w") as f:
            f.write(text)
    for number, stage in enumerate(options["stages"]() if "stages" in options else ()):  # what is served later on
        others = {z.name: z for z in (stage if isinstance(stage, list) else [stage])}
        os.makedirs(os.path.join(out, f"stage{number + 1}"), exist_ok=True)
        result = Tree(w, [others.get(z.name, z) for z in zones] + [z for z in others.values() if z.name == "test."]).build()
        for other in others:
            with open(os.path.join(out, f"stage{number + 1}", other.rstrip(".") + ".zone"), "w") as f:
                f.write(result[other])
    # Zones whose every defect, if any, is in their own content: what zone checkers can judge.
    damaged = differential.mangles(w.folder, name) if name in differential.GROUPS else {}
    with open(os.path.join(out, "whole"), "w") as f:
        f.writelines(z.name + "\n" for z in tree.zones.values() if z.signed and z.ds is None and not z.ds_after and
                     z.name not in damaged and not z.name.startswith("sub.") and
                     name != "differential-aliases")  # there, verdicts hang on other zones
    with open(os.path.join(out, "questions"), "w") as f:
        f.writelines(f"{n} {t}\n" for n, t in questions)


def expect_text(w, name):
    function, _, options = CLASSES[name]
    _, _, expect = function(w)
    if expect is None:
        return None
    base_name = options.get("baseline", "zones")
    head = [f"baseline {base_name}"] if base_name else ["no-baseline"]
    return "\n".join(head + expect) + "\n"


def main(argv):
    w = Work(argv[1])
    verb = argv[2]
    if verb == "list":
        for name in argv[3:] or CLASSES:
            print(name, CLASSES[name][1])
    elif verb == "build":
        build(w, argv[3])
    elif verb == "expect":
        text = expect_text(w, argv[3])
        if text:
            with open(argv[4], "w") as f:
                f.write(text)
    elif verb == "baseline":
        write_baseline(w, argv[3], argv[4])
    elif verb == "baselines":
        print("\n".join(BASELINES))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
