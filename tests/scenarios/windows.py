#!/usr/bin/python3
"""Makes windows-*: what the owner's policies say changes while the tap records. *.pcap with .anchor, .expect and
zones-windows, beside this file or in a folder.

windows.py [FOLDER]

Six weeks in which windows and suppressions begin and end, and two trust anchors are exchanged, one of them too
early for whoever follows RFC 5011: no server is asked for that long, so the messages are written here. Keys are
derived from fixed words: two runs give the same files. Needs python3-cryptography only."""
import hashlib
import os
import struct
import sys
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import hostile
from hostile import A, DNSKEY, DS, NOW, RRSIG, SOA, dnskey, labels, message, name, rr, tag_of

DAY, TTL = 86400, 3600


class Key:
    def __init__(self, word, flags=256):
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(word.encode()).digest())
        raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.rdata, self.flags = dnskey(flags, 15, raw), flags
        self.tag = tag_of(self.rdata)

    def revoked(self):
        twin = object.__new__(Key)
        twin.private, twin.flags = self.private, self.flags | 128
        twin.rdata = struct.pack(">H", twin.flags) + self.rdata[2:]
        twin.tag = tag_of(twin.rdata)
        return twin

    def ds(self, apex):
        return struct.pack(">HBB", self.tag, 15, 2) + hashlib.sha256(name(apex) + self.rdata).digest()


def foreign_key():
    """A whole key of another algorithm, ECDSA P-256, that signs nothing."""
    n = ec.derive_private_key(7, ec.SECP256R1()).public_key().public_numbers()
    key = object.__new__(Key)
    key.rdata, key.flags = dnskey(257, 13, n.x.to_bytes(32, "big") + n.y.to_bytes(32, "big")), 257
    key.tag = tag_of(key.rdata)
    return key


class Zone:
    """Records by (owner, type); `published` keys, `ksk` that sign them, `zsk` that sign the rest."""

    def __init__(self, apex, address=None):
        self.apex, self.inception, self.serial = apex, NOW - DAY, 1
        self.ksk, self.zsk = [Key("ksk " + apex, 257)], [Key("zsk " + apex)]
        self.published = self.ksk + self.zsk
        self.records = {("www." + apex, A): b"\xc0\0\2\1"}
        self.declared = self.text() if address else None

    def sign(self, owner, kind, rdatas):
        out = [rr(owner, kind, r, TTL) for r in rdatas]
        for key in self.ksk if kind == DNSKEY else self.zsk:
            head = struct.pack(">HBBIIIH", kind, 15, len(labels(name(owner))), TTL, self.inception + 90 * DAY,
                               self.inception, key.tag) + name(self.apex)
            data = head + b"".join(rr(owner, kind, r, TTL) for r in sorted(rdatas))
            out.append(rr(owner, RRSIG, head + key.private.sign(data), TTL))
        return out

    def answer(self, owner, kind):
        if kind == DNSKEY:
            rdatas = [k.rdata for k in self.published]
        elif kind == SOA:
            rdatas = [name("ns." + self.apex) + name("h." + self.apex) + struct.pack(">5I", self.serial, 7200, 900,
                                                                                      1209600, 300)]
        else:
            rdatas = [self.records[owner, kind]]
        return message(owner, kind, self.sign(owner, kind, rdatas))

    def text(self):
        lines = [f"$TTL {TTL}", f"{self.apex} SOA ns.{self.apex} h.{self.apex} 1 7200 900 1209600 300",
                 f"{self.apex} NS ns.{self.apex}", f"ns.{self.apex} A 10.53.0.1", f"www.{self.apex} A 192.0.2.1"]
        lines += [f"{self.apex} TYPE48 \\# {len(k.rdata)} {k.rdata.hex()}" for k in self.published]
        return "\n".join(lines) + "\n"


class Capture(hostile.Capture):
    def __init__(self):
        super().__init__()
        self.now, self.times = NOW, []

    def put(self, packet):
        super().put(packet)
        self.times.append(self.now)
        self.now += 0.001

    def show(self, zone, *questions, client=2):
        for owner, kind in questions:
            self.port += 1
            response = zone.answer(owner, kind)
            self.udp(hostile.query(owner, kind), self.port, 53, client, 1)
            self.udp(response, 53, self.port, 1, client)

    def save(self, path):
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
            for at, frame in zip(self.times, self.frames):
                micro = round(at * 1000000)
                f.write(struct.pack("<IIII", micro // 1000000, micro % 1000000, len(frame), len(frame)) + frame)


def day(n):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + n * DAY))


POLICIES = {
    # a ZSK comes and goes within the window: silent; and the same when the window ends before the file is changed
    "plan-kept.test.": f"planned:\n  - {{change: zsk-rollover, from: {day(-1)}, to: {day(60)}}}\n",
    "plan-over.test.": f"planned:\n  - {{change: zsk-rollover, from: {day(-1)}, to: {day(20)}}}\n",
    # the key was there before its window
    "plan-later.test.": f"planned:\n  - {{change: zsk-rollover, from: {day(5)}, to: {day(60)}}}\n",
    # www has another address all the time
    "quiet.test.": f"suppress:\n  - {{rule: record-changed, name: www.quiet.test. A, until: {day(60)}, why: t}}\n",
    "quiet-over.test.": f"suppress:\n  - {{rule: record-changed, name: '*.quiet-over.test.', until: {day(20)}, why: t}}\n",
    "quiet-other.test.": f"suppress:\n  - {{rule: record-changed, name: www.quiet-other.test. AAAA, until: {day(60)}, why: t}}\n",
    # a KSK of an algorithm that the signer is not said to use
    "signer.test.": f"planned:\n  - {{change: ksk-rollover, from: {day(-1)}, to: {day(60)}}}\n",
    "signer-other.test.": "signing: {algorithm: 15}\n"
                          f"planned:\n  - {{change: ksk-rollover, from: {day(-1)}, to: {day(60)}}}\n",
}
EXPECT = """baseline zones-windows
never bogus test.
never indeterminate test.
no-finding key-unknown|key-withdrawn|roll-unplanned plan-kept.test.
stands key-unknown plan-over.test.
stands key-withdrawn plan-over.test.
no-finding roll-unplanned plan-over.test.
closed key-unknown plan-later.test.
may roll-unplanned plan-later.test.
no-finding record-changed quiet.test.
stands record-changed quiet-over.test.
stands record-changed quiet-other.test.
no-finding key-unknown signer.test.
stands key-unknown signer-other.test.
may roll-unplanned signer-other.test.
finding roll-unsafe anchor-early.test.
may key-revoked anchor-early.test.
no-finding roll-unsafe|key-withdrawn-early anchor-patient.test.
may key-revoked anchor-patient.test.
only
"""


def roll(c, zone):
    """What the tap sees of a ZSK roll by pre-publication, in six weeks."""
    www = ("www." + zone.apex, A)
    new = Key("new " + zone.apex)
    c.show(zone, (zone.apex, DNSKEY), (zone.apex, SOA), www)
    yield
    zone.published = zone.published + [new]
    c.show(zone, (zone.apex, DNSKEY))
    yield
    zone.zsk, zone.inception, zone.serial = [new], NOW + 9 * DAY, 2
    c.show(zone, (zone.apex, SOA), www)
    yield
    zone.published = zone.ksk + [new]
    c.show(zone, (zone.apex, DNSKEY), www)
    yield
    c.show(zone, (zone.apex, DNSKEY), www)
    yield


def moved(c, zone):
    zone.records["www." + zone.apex, A] = b"\xcb\0\x71\1"
    for _ in range(5):
        c.show(zone, (zone.apex, DNSKEY), ("www." + zone.apex, A))
        yield


def second_ksk(c, zone):
    c.show(zone, (zone.apex, DNSKEY))
    yield
    zone.published = zone.published + [foreign_key()]
    for _ in range(4):
        c.show(zone, (zone.apex, DNSKEY))
        yield


def anchor(c, zone, new, patient):
    """The old anchor is revoked 29 days, or 31, after its successor was published."""
    old = zone.ksk[0]
    c.show(zone, (zone.apex, DNSKEY), (zone.apex, SOA))
    yield
    zone.published = zone.published + [new]
    c.show(zone, (zone.apex, DNSKEY))
    yield
    c.show(zone, (zone.apex, SOA))
    yield
    c.show(zone, (zone.apex, DNSKEY))
    yield
    c.now += 2 * DAY if patient else 0
    zone.published, zone.ksk = [old.revoked(), new] + zone.zsk, [old.revoked(), new]
    c.show(zone, (zone.apex, DNSKEY), (zone.apex, SOA))
    yield


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    c, root = Capture(), Zone(".")
    top = Zone("test.")
    zones = {apex: Zone(apex, True) for apex in POLICIES}
    anchors = {apex: (Zone(apex), Key("new " + apex, 257)) for apex in ("anchor-early.test.", "anchor-patient.test.")}
    c.udp(hostile.query(".", DNSKEY), 1024, 53, 2, 1)
    c.udp(root.answer(".", DNSKEY), 53, 1024, 1, 2)
    for parent, child in [(root, top)] + [(top, z) for z in zones.values()]:
        if child is not top and c.port == 1024:
            c.show(top, ("test.", DNSKEY))
        c.port += 1
        c.udp(hostile.query(child.apex, DS), c.port, 53, 2, 1)
        c.udp(message(child.apex, DS, parent.sign(child.apex, DS, [child.ksk[0].ds(child.apex)])), 53, c.port, 1, 2)
        if child is top:
            c.show(top, ("test.", DNSKEY))
    stories = [roll(c, zones[apex]) for apex in zones if apex.startswith("plan-")]
    stories += [moved(c, zones[apex]) for apex in zones if apex.startswith("quiet")]
    stories += [second_ksk(c, zones[apex]) for apex in zones if apex.startswith("signer")]
    stories += [anchor(c, zone, new, apex == "anchor-patient.test.") for apex, (zone, new) in anchors.items()]
    for at in (0, 2, 10, 15, 31):  # the new keys come on day 2
        for i, story in enumerate(stories):
            c.now = NOW + at * DAY + 10 + i
            next(story)
    c.frames = [f for _, f in sorted(zip(c.times, c.frames), key=lambda x: x[0])]
    c.times.sort()
    c.save(os.path.join(folder, "windows-end.pcap"))
    with open(os.path.join(folder, "windows-end.anchor"), "w") as f:
        f.write(f". IN DS {root.ksk[0].tag} 15 2 {root.ksk[0].ds('.')[4:].hex().upper()}\n")
        for zone, new in anchors.values():
            for key in [Key("ksk " + zone.apex, 257), new]:
                f.write(f"{zone.apex} IN DS {key.tag} 15 2 {key.ds(zone.apex)[4:].hex().upper()}\n")
    with open(os.path.join(folder, "windows-end.expect"), "w") as f:
        f.write(EXPECT)
    os.makedirs(os.path.join(folder, "zones-windows"), exist_ok=True)
    for apex, zone in zones.items():
        path = os.path.join(folder, "zones-windows", apex.rstrip("."))
        with open(path + ".zone", "w") as f:
            f.write(zone.declared)
        with open(path + ".yaml", "w") as f:
            f.write(f"zone: {apex}\n{POLICIES[apex]}")


if __name__ == "__main__":
    main()
