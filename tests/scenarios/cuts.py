"""Situations at the cut: glue that is not what the zone says, DS and DNSKEY that cannot be what they claim to be, and
what only looks like it.

As in situations.py, which imports this: what an expectation says is what an expert would say.
"""
import dns.dnssec

from differential import key_lines, wire_ds
from zones import Zone

SILENT = ["no-finding-above low"]
GLUE = "delegation-inconsistent"


class Moved(Zone):
    """A zone whose name servers' addresses can be chosen: `at` as it says itself, `glue` as its parent does; each maps a
    server to its A and AAAA lists."""

    def __init__(self, name, at=None, glue=None, ttl=300, **more):
        super().__init__(name, alg=13, ns=("ns1", "ns2"), **more)
        self.at, self.glue, self.ttl = at or {}, glue or {}, ttl

    def addresses(self, lines, chosen):
        out = []
        for line in lines:
            owner, _, _, kind, *rest = line.split()
            server = owner.split(".")[0]
            if owner != f"{server}.{self.name}" or kind not in ("A", "AAAA") or server not in self.ns:
                out.append(line)
            elif server not in chosen:
                out.append(f"{owner} {self.ttl} IN {kind} {rest[0]}")
            else:
                out += [f"{owner} {self.ttl} IN {kind} {a}" for a in chosen[server][kind == "AAAA"]]
        return [line.replace(" 300 IN NS ", f" {self.ttl} IN NS ") for line in out]

    def text(self, work):
        return self.addresses(super().text(work), self.at)

    def delegation(self):
        return self.addresses(super().delegation(), self.glue)


OLD, NEW = (["10.53.0.4"], ["fd53::4"]), (["10.53.0.44"], ["fd53::4"])


def ns_questions(zone):
    return [("www." + zone, "A"), ("ns1." + zone, "A"), ("ns2." + zone, "A"), ("ns1." + zone, "AAAA"),
            ("ns2." + zone, "AAAA")]


def secure(questions):
    return [f"verdict {name} {kind} secure" for name, kind in questions]


def test_zone(serial):
    return Zone("test.", alg=8, nsec3=(0, "-", False), lines=[], ns=(), serial=serial)


def moves(name, ttl):
    """The zone before; after its second server moved; after the parent followed, too."""
    at = lambda own, parent, serial: Moved(name, at={"ns2": own}, glue={"ns2": parent}, ttl=ttl, serial=serial)
    return [at(OLD, OLD, 1), [at(NEW, OLD, 2)], [at(NEW, NEW, 2), test_zone(2)]]


def register(situation):
    """Adds them; the name comes from situations.py."""

    @situation("glue-stale", baseline=None)
    def glue_stale(w):
        zones = [Moved("moved.test.", glue={"ns2": NEW}), Moved("plain.test.", glue={"ns2": NEW}, signed=False),
                 Moved("still.test.")]
        q = [x for z in zones for x in ns_questions(z.name)]
        return zones, q, secure(ns_questions("moved.test.")) + [
            f"finding {GLUE} moved.test.", f"finding {GLUE} plain.test.", f"no-finding {GLUE} still.test.", "only"]

    @situation("glue-left-behind", recipe="cuts", baseline=None, stages=lambda: moves("moved.test.", 3)[1:])
    def glue_left_behind(w):
        q = ns_questions("moved.test.")
        return moves("moved.test.", 3)[:1], q, [f"closed {GLUE} moved.test.", "only"]

    @situation("glue-followed", recipe="cuts", baseline=None, stages=lambda: moves("moved.test.", 300)[1:])
    def glue_followed(w):
        four = {"ns1": (["10.53.0.3"], []), "ns2": (["10.53.0.4"], [])}
        two = {"ns1": (["10.53.0.3", "10.53.0.103"], ["fd53::3"])}
        zones = [moves("moved.test.", 300)[0], Moved("half.test.", glue=four), Moved("two.test.", at=two, glue=two)]
        q = [x for z in zones for x in ns_questions(z.name)]
        return zones, q, secure(ns_questions("half.test.")) + [f"no-finding {GLUE}"] + SILENT

    @situation("ds-malformed", baseline=None)
    def ds_malformed(w):
        ksk = lambda w, name: w.key(name, 13, True)
        forms = {
            "cut.test.": lambda k: [k.ds(size=20)],
            "beside.test.": lambda k: [k.ds(), k.ds(size=20)],
            "long.test.": lambda k: [k.ds(), k.ds(size=40)],
            # SHA-384 was chosen in the form, and the SHA-256 digest pasted
            "other.test.": lambda k: [k.ds(), k.ds(digest_type=4)],
        }
        zones = [Zone(name, alg=13, ds_after=lambda w, n=name, m=make: [wire_ds(x) for x in m(ksk(w, n))])
                 for name, make in forms.items()] + [Zone("good.test.", alg=13)]
        q = [(n, t) for z in zones for n, t in (("www." + z.name, "A"), (z.name, "DS"), (z.name, "DNSKEY"))]
        sound = [x for x in q if "cut.test." not in x[0]]
        return zones, q, secure(sound) + [f"finding ds-malformed {n}" for n in forms] + [
            "no-finding ds-malformed good.test.", "verdict www.cut.test. A bogus", "may ds-mismatch cut.test.",
            "may servfail-spike|validation-split cut.test.", "no-finding ds-digest-wrong", "only"]

    @situation("ds-types-unknown", baseline=None)
    def ds_types_unknown(w):
        ksk = lambda w, name: w.key(name, 13, True)
        forms = {
            "odd.test.": lambda k: [k.ds(), k.ds(digest_type=200, size=7)],
            "only.test.": lambda k: [k.ds(digest_type=200, size=51)],
            "long.test.": lambda k: [k.ds(), k.ds("SHA384")],
        }
        zones = [Zone(name, alg=13, ds_after=lambda w, n=name, m=make: [wire_ds(x) for x in m(ksk(w, n))])
                 for name, make in forms.items()]
        q = [(n, t) for z in zones for n, t in (("www." + z.name, "A"), (z.name, "DS"), (z.name, "DNSKEY"))]
        sound = [x for x in q if "only.test." not in x[0]]
        return zones, q, secure(sound) + ["verdict www.only.test. A insecure", "no-finding ds-malformed"] + SILENT

    def with_keys(*texts):
        def damage(s):
            key_lines(s, s.key(ksk=True), s.key(), *texts)
            s.sign("@", "DNSKEY")
        return damage

    def b64(size, first=1):
        import base64
        return base64.b64encode(bytes([first]) + bytes((i * 37 + 11) % 251 for i in range(size - 1))).decode()

    @situation("key-malformed", baseline=None)
    def key_malformed(w):
        forms = {
            "p256.test.": (13, f"256 3 13 {b64(63)}"),
            "p384.test.": (14, f"256 3 14 {b64(64)}"),
            "ed25519.test.": (15, f"256 3 15 {b64(33)}"),
            "rsa.test.": (8, f"256 3 8 {b64(4, 200)}"),  # an exponent of 200 bytes in a key of four
        }
        zones = [Zone(name, alg=alg, damage=with_keys(text)) for name, (alg, text) in forms.items()] + [
            Zone("good.test.", alg=13)]
        q = [(n, t) for z in zones for n, t in (("www." + z.name, "A"), (z.name, "DNSKEY"))]
        return zones, q, secure(q) + [f"finding key-malformed {n}" for n in forms] + [
            "no-finding key-malformed good.test.", "only"]

    @situation("key-algorithms-unknown", baseline=None)
    def key_algorithms_unknown(w):
        forms = {"new.test.": f"256 3 200 {b64(7)}", "private.test.": f"256 3 253 {b64(19)}",
                 "named.test.": f"256 3 254 {b64(19)}", "reserved.test.": f"256 3 255 {b64(1)}"}
        zones = [Zone(name, alg=13, damage=with_keys(text)) for name, text in forms.items()]
        q = [(n, t) for z in zones for n, t in (("www." + z.name, "A"), (z.name, "DNSKEY"))]
        # A number that means an algorithm to nobody yet is announced, and must sign all the same (RFC 6840 5.11).
        return zones, q, secure(q) + ["no-finding key-malformed|key-weak", "may rrsig-algorithm-missing new.test.", "only"]
