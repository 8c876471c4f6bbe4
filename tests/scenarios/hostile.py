#!/usr/bin/python3
"""Makes the hostile scenarios: hostile-*.pcap with .anchor and .expect, beside this file or in a folder.

hostile.py [FOLDER] [NAME…]

Zones made to hurt whoever looks at them: no server would serve most of this, so the messages are written
byte by byte. Every capture also holds good.test., which must stay secure in the midst of it. Keys and bytes
are derived from fixed words: two runs give the same files. Needs python3-cryptography only."""
import hashlib
import os
import struct
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOW = 1795340000  # packet time of the first frame
A, NS, CNAME, SOA, TXT, DNAME, DS, RRSIG, NSEC, DNSKEY, NSEC3 = 1, 2, 5, 6, 16, 39, 43, 46, 47, 48, 50
ALGORITHMS = [1, 3, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 253]


def noise(word, size):
    """Bytes that look random and are the same in every run."""
    out = b""
    while len(out) < size:
        out += hashlib.sha256(f"{word} {len(out)}".encode()).digest()
    return out[:size]


# --- names and records ---

def name(text):
    if isinstance(text, bytes):
        return text
    return b"".join(bytes([len(l)]) + l.encode() for l in text.split(".") if l) + b"\0"


def labels(wire):
    out = []
    while wire[0]:
        out.append(wire[1:1 + wire[0]])
        wire = wire[1 + wire[0]:]
    return out


def rr(owner, kind, rdata, ttl=300, rdlen=None):
    return name(owner) + struct.pack(">HHIH", kind, 1, ttl, len(rdata) if rdlen is None else rdlen) + rdata


def tag_of(rdata):
    total = sum(b if i & 1 else b << 8 for i, b in enumerate(rdata))
    return (total + (total >> 16)) & 0xffff


def dnskey(flags, algorithm, key):
    return struct.pack(">HBB", flags, 3, algorithm) + key


def coloured(flags, algorithm, key, tag):
    """The DNSKEY with its last two bytes (at an even place) chosen so that it has this tag."""
    key = key[:-2]
    assert len(key) % 2 == 0
    base = dnskey(flags, algorithm, key)
    rest = tag_of(base + b"\0\0")
    for carry in (0, -1, 1, -2):  # what the sum's overflow adds
        rdata = base + struct.pack(">H", (tag - rest + carry) & 0xffff)
        if tag_of(rdata) == tag:
            return rdata
    raise ValueError("no such tag")


def rrsig(covered, algorithm, owner, signer, tag, signature, ttl=300, count=None):
    count = len(labels(name(owner))) if count is None else count
    return struct.pack(">HBBIIIH", covered, algorithm, count, ttl, NOW + 864000, NOW - 864000, tag) + \
        name(signer) + signature


def types(*wanted):
    windows = {}
    for t in wanted:
        window = windows.setdefault(t >> 8, bytearray(32))
        window[(t & 255) // 8] |= 0x80 >> t % 8
    out = b""
    for w in sorted(windows):
        bits = bytes(windows[w]).rstrip(b"\0")
        out += bytes([w, len(bits)]) + bits
    return out


class Zone:
    """A zone with one Ed25519 key that signs all."""

    def __init__(self, apex):
        self.apex = name(apex)
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"zone" + self.apex).digest())
        raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.key = dnskey(257, 15, raw)
        self.tag = tag_of(self.key)

    def sign(self, owner, kind, rdatas, count=None):
        """The RRset and its signature, as records."""
        owner = name(owner)
        head = rrsig(kind, 15, owner, self.apex, self.tag, b"", count=count)
        data = head + b"".join(rr(owner, kind, r) for r in sorted(set(rdatas)))
        return [rr(owner, kind, r) for r in rdatas] + [rr(owner, RRSIG, head + self.private.sign(data))]

    def ds(self):
        return struct.pack(">HBB", self.tag, 15, 2) + hashlib.sha256(self.apex + self.key).digest()

    def soa(self):
        return self.sign(self.apex, SOA, [name("ns.") + name("h.") + struct.pack(">5I", 1, 2, 3, 4, 300)])


# --- messages and frames ---

def message(qname, qtype, answer=(), authority=(), flags=0x8400, counts=None, tail=b"", opt=True):
    counts = counts or (1, len(answer), len(authority), 1 if opt else 0)
    return struct.pack(">HH4H", 7, flags, *counts) + name(qname) + struct.pack(">HH", qtype, 1) + \
        b"".join(answer) + b"".join(authority) + tail + \
        (b"\0" + struct.pack(">HHIH", 41, 1232, 0x8000, 0) if opt else b"")


def query(qname, qtype):
    return message(qname, qtype, flags=0x0000)


def ones(data):
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) & 1)))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


class Capture:
    def __init__(self):
        self.frames, self.port, self.expect = [], 1024, []

    def put(self, packet):
        ethernet = bytes.fromhex("020000000002" "020000000001" "0800")
        self.frames.append(ethernet + packet)

    def ip(self, protocol, payload, source, target, checksum):
        """`checksum`: where the payload has its own (RFC 768, RFC 9293 3.1)."""
        pseudo = bytes([10, 53, 0, source, 10, 53, 0, target]) + struct.pack(">HH", protocol, len(payload))
        payload = payload[:checksum] + struct.pack(">H", ones(pseudo + payload) or 0xffff) + payload[checksum + 2:]
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), len(self.frames) & 0xffff, 0, 64, protocol, 0,
                             bytes([10, 53, 0, source]), bytes([10, 53, 0, target]))
        header = header[:10] + struct.pack(">H", ones(header)) + header[12:]
        self.put(header + payload)

    def udp(self, data, sport, dport, source, target):
        self.ip(17, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data, source, target, 6)

    def tcp(self, data, sport, dport, source, target, seq, ack, flags):
        self.ip(6, struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65535, 0, 0) + data, source, target, 16)

    def ask(self, qname, qtype, response):
        """Question and answer, by TCP when it does not fit."""
        self.port = 1024 + (self.port - 1023) % 60000
        q = query(qname, qtype)
        if len(response) <= 1400:
            self.udp(q, self.port, 53, 2, 1)
            self.udp(response, 53, self.port, 1, 2)
            return
        q, response = struct.pack(">H", len(q)) + q, struct.pack(">H", len(response)) + response
        self.tcp(b"", self.port, 53, 2, 1, 100, 0, 2)
        self.tcp(b"", 53, self.port, 1, 2, 900, 101, 18)
        self.tcp(q, self.port, 53, 2, 1, 101, 901, 24)
        for at in range(0, len(response), 1400):
            self.tcp(response[at:at + 1400], 53, self.port, 1, 2, 901 + at, 101 + len(q), 16)
        self.tcp(b"", 53, self.port, 1, 2, 901 + len(response), 101 + len(q), 17)

    def write(self, folder, title):
        with open(os.path.join(folder, title + ".pcap"), "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
            for i, frame in enumerate(self.frames):
                f.write(struct.pack("<IIII", NOW + i // 1000, i % 1000 * 1000, len(frame), len(frame)) + frame)
        with open(os.path.join(folder, title + ".anchor"), "w") as f:
            f.write(f". IN DS {ROOT.tag} 15 2 {ROOT.ds()[4:].hex().upper()}\n")
        with open(os.path.join(folder, title + ".expect"), "w") as f:
            f.write("".join(line + "\n" for line in ["no-baseline"] + self.expect +
                            ["verdict www.good.test. A secure", "verdict late.good.test. A secure"]))


ROOT, TEST, GOOD, BAD = Zone("."), Zone("test."), Zone("good.test."), Zone("bad.test.")


def begin():
    c = Capture()
    c.ask(".", DNSKEY, message(".", DNSKEY, ROOT.sign(".", DNSKEY, [ROOT.key])))
    for zone, parent in ((TEST, ROOT), (GOOD, TEST), (BAD, TEST)):
        c.ask(zone.apex, DS, message(zone.apex, DS, parent.sign(zone.apex, DS, [zone.ds()])))
    for zone in (TEST, GOOD):
        c.ask(zone.apex, DNSKEY, message(zone.apex, DNSKEY, zone.sign(zone.apex, DNSKEY, [zone.key])))
    good(c, "www.good.test.")
    return c


def good(c, owner):
    c.ask(owner, A, message(owner, A, GOOD.sign(owner, A, [b"\xc0\0\2\1"])))


def bad_keys(c, *more):
    keys = [BAD.key, *more]
    c.ask(BAD.apex, DNSKEY, message(BAD.apex, DNSKEY, BAD.sign(BAD.apex, DNSKEY, keys)))


# --- the scenarios ---

def colliding_tags(c):
    """Keys that share a tag, and signatures that name it: each must be tried with each (CVE-2023-50387)."""
    keys = [coloured(256, 15, noise(f"trap {i}", 32), 4711) for i in range(240)]
    bad_keys(c, *keys)
    for n in range(3):
        owner = f"trap{n}.bad.test."
        signatures = [rr(owner, RRSIG, rrsig(A, 15, owner, BAD.apex, 4711, noise(f"s {n} {i}", 64))) for i in range(240)]
        c.ask(owner, A, message(owner, A, [rr(owner, A, b"\xc0\0\2\1")] + signatures))
        c.expect.append(f"verdict {owner} A not-checkable budget-exhausted")
    c.expect.append("finding validator-load bad.test.")


def colliding_keys_p384():
    keys, i = [], 0
    while len(keys) < 6:
        point = ec.derive_private_key(1 + i, ec.SECP384R1()).public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:]
        for flags in range(256, 65536, 2):  # the other flag bits are ours to choose (RFC 4034 2.1.1)
            rdata = dnskey(flags & ~0x80 | 0x100, 14, point)
            if tag_of(rdata) == 815:
                keys.append(rdata)
                break
        i += 1
    return keys


def colliding_tags_p384(c):
    """The same with the algorithm that is slowest to check, and many RRsets."""
    bad_keys(c, *colliding_keys_p384())
    for n in range(6):
        answer = []
        for k in range(4):
            owner = f"h{n}-{k}.bad.test."
            answer += [rr(owner, A, b"\xc0\0\2\1")] + \
                [rr(owner, RRSIG, rrsig(A, 14, owner, BAD.apex, 815, noise(f"p {n} {k} {i}", 96))) for i in range(16)]
        c.ask(f"h{n}-0.bad.test.", A, message(f"h{n}-0.bad.test.", A, answer))
    c.expect += ["never secure bad.test.", "finding validator-load bad.test."]


def nsec3_iterations(c):
    """More iterations than anyone should compute (RFC 9276)."""
    bad_keys(c)
    for n, iterations in enumerate((151, 500, 2500, 65535)):
        owner = f"n{n}.bad.test."
        records = BAD.soa()
        for i in range(3):
            hashed = base32(noise(f"hash {n} {i}", 20))
            rdata = struct.pack(">BBHB", 1, 0, iterations, 255) + noise("salt", 255) + b"\x14" + noise(f"next {i}", 20) + types(A)
            records += BAD.sign(f"{hashed}.bad.test.", NSEC3, [rdata])
        c.ask(owner, A, message(owner, A, authority=records, flags=0x8403))
        c.expect.append(f"verdict {owner} A insecure nsec3-iterations")


def base32(data):
    alphabet, bits = "0123456789abcdefghijklmnopqrstuv", int.from_bytes(data, "big")
    return "".join(alphabet[bits >> 5 * i & 31] for i in range(31, -1, -1))


def nsec3_encloser(c):
    """Closest enclosers 120 labels away, each to be hashed 150 times with a salt of 255 (CVE-2023-50868)."""
    bad_keys(c)
    for n in range(12):
        owner = b"".join(b"\1" + bytes([97 + (n + i) % 26]) for i in range(118)) + BAD.apex
        records = BAD.soa()
        for i in range(8):
            hashed = base32(noise(f"far {n} {i}", 20))
            rdata = struct.pack(">BBHB", 1, 0, 150, 255) + noise("salt", 255) + b"\x14" + noise(f"next {i}", 20) + types(A)
            records += BAD.sign(f"{hashed}.bad.test.", NSEC3, [rdata])
        c.ask(owner, A, message(owner, A, authority=records, flags=0x8403))
    c.expect.append("never secure bad.test.")


def thousands(c):
    """Sixty-four kilobytes of keys, of signatures, and of RRs with owners of their own."""
    bad_keys(c, *[dnskey(256, 15, noise(f"many {i}", 32)) for i in range(1000)])
    bad_keys(c)
    owner = "many.bad.test."
    signatures = [rr(b"\xc0\x0c", RRSIG, rrsig(A, 15, owner, b"\0", BAD.tag, b"\0")) for i in range(1)]
    signatures += [rr(b"\xc0\x0c", RRSIG, rrsig(A, 15, owner, BAD.apex, BAD.tag, noise(f"m {i}", 64))) for i in range(560)]
    c.ask(owner, A, message(owner, A, [rr(b"\xc0\x0c", A, b"\xc0\0\2\1")] + signatures))
    c.expect.append(f"not-verdict {owner} A secure")
    owners = [rr(bytes([2]) + struct.pack(">H", 0x6161 + i) + b"\xc0\x0c", A, b"\1\2\3\4") for i in range(3300)]
    c.ask("owners.bad.test.", A, message("owners.bad.test.", A, owners))
    c.expect.append("verdict owners.bad.test. A not-checkable budget-exhausted")
    same = [rr(b"\xc0\x0c", TXT, bytes([3]) + i.to_bytes(3, "big")) for i in range(4000)]
    c.ask("same.bad.test.", TXT, message("same.bad.test.", TXT, same))
    sets = [rr(b"\xc0\x0c", 1000 + i, b"\0") for i in range(5000)]
    c.ask("sets.bad.test.", TXT, message("sets.bad.test.", TXT, sets))


def rsa_shapes(c):
    """Moduli and exponents that no one should compute with."""
    odd = lambda word, size: b"\xc1" + noise(word, size - 2) + b"\x0d"
    shapes = [b"", b"\0", b"\1", b"\3\1\0\1", b"\0\0\0", b"\0\xff\xff" + b"\1" * 10,
              b"\3\1\0\1" + bytes(128), b"\3\1\0\1" + odd("even", 127) + b"\0", b"\3\1\0\1" + b"\1", b"\3\1\0\1" + b"\3",
              b"\3\1\0\1" + odd("m63", 63), b"\3\1\0\1" + odd("m64", 64), b"\3\1\0\1" + odd("m512", 512),
              b"\3\1\0\1" + odd("m513", 513), b"\3\1\0\1" + odd("m2048", 2048), b"\3\1\0\1" + b"\0" + odd("lead", 127),
              b"\1\0" + odd("e0", 128), b"\1\1" + odd("e1", 128), b"\1\2" + odd("e2", 128),
              b"\x08" + b"\xff" * 8 + odd("e64", 128), b"\x09" + b"\xff" * 9 + odd("e72", 128),
              b"\0\1\0" + b"\xff" * 256 + odd("huge", 256), b"\0\0\3\1\0\1" + odd("long", 128),
              b"\xff" + b"\xff" * 255 + odd("e255", 256), b"\x80" + odd("m", 128) + odd("m", 128)]
    for n, shape in enumerate(shapes):
        for algorithm in (5, 8, 10):
            key = dnskey(256, algorithm, shape)
            owner = f"r{n}-{algorithm}.bad.test."
            bad_keys(c, key)
            size = max(1, min(len(shape), 512))
            for fill, sizes in ((b"\0", size), (b"\xff", size), (b"\1", 128)):
                sig = rr(owner, RRSIG, rrsig(A, algorithm, owner, BAD.apex, tag_of(key), fill * sizes))
                c.ask(owner, A, message(owner, A, [rr(owner, A, b"\xc0\0\2\1"), sig]))
    c.expect.append("never secure bad.test.")


def curves(c):
    """Points that are not on their curve, at infinity, of small order, and of impossible lengths."""
    for n, (algorithm, size) in enumerate(((13, 64), (14, 96), (15, 32), (16, 57))):
        points = [bytes(size), b"\xff" * size, noise("off", size), b"\1" + bytes(size - 1), bytes(size - 1) + b"\1"]
        points += [noise("len", k) for k in (0, 1, size - 1, size + 1, 2 * size)]
        for k, point in enumerate(points):
            key, owner = dnskey(256, algorithm, point), f"c{n}-{k}.bad.test."
            bad_keys(c, key)
            length = {13: 64, 14: 96, 15: 64, 16: 114}[algorithm]
            for fill in (b"\xff" * length, noise("sig", length)):
                sig = rr(owner, RRSIG, rrsig(A, algorithm, owner, BAD.apex, tag_of(key), fill))
                c.ask(owner, A, message(owner, A, [rr(owner, A, b"\xc0\0\2\1"), sig]))
    c.expect.append("never secure bad.test.")


def signatures(c):
    """Signatures of nothing but zeros or ones, of every length that is just wrong, for every algorithm."""
    g256 = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    g384 = ec.derive_private_key(7, ec.SECP384R1()).public_key()
    raw = lambda k: k.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:]
    bodies = {13: raw(g256), 14: raw(g384), 15: noise("e", 32), 16: noise("ed448", 57)}
    keys = {a: dnskey(256, a, bodies.get(a, b"\3\1\0\1\xc1" + noise("n", 126) + b"\x0d")) for a in ALGORITHMS}
    bad_keys(c, *keys.values())
    for a in ALGORITHMS:
        for n in (0, 1, 2, 32, 63, 64, 65, 95, 96, 97, 113, 114, 115, 127, 128, 129, 512, 513):
            for word, fill in (("z", b"\0"), ("f", b"\xff")):
                if n > 129 and word == "f" or n < 32 and word == "z" and a > 8:
                    continue
                owner = f"{word}{n}-{a}.bad.test."
                sig = rr(owner, RRSIG, rrsig(A, a, owner, BAD.apex, tag_of(keys[a]), fill * n))
                c.ask(owner, A, message(owner, A, [rr(owner, A, b"\xc0\0\2\1"), sig]))
    c.expect.append("never secure bad.test.")


def rdata(c):
    """Every DNSSEC record cut at every length, and with lengths inside that lie."""
    bad_keys(c)
    sig = rrsig(A, 15, "x.bad.test.", BAD.apex, BAD.tag, bytes(64))
    whole = {DNSKEY: BAD.key, DS: BAD.ds(), RRSIG: sig,
             NSEC: name("y.bad.test.") + types(A, RRSIG, NSEC),
             NSEC3: struct.pack(">BBHB", 1, 0, 1, 4) + b"salt" + b"\x14" + bytes(20) + types(A, RRSIG),
             51: struct.pack(">BBHB", 1, 0, 1, 4) + b"salt"}
    for kind, full in whole.items():
        owner = f"x{kind}.bad.test."
        variants = [full[:n] for n in range(0, len(full), 1 if len(full) < 60 else 3)]
        variants += [full + b"\0", full + b"\xff" * 300]
        variants += [full[:i] + b"\xff" + full[i + 1:] for i in range(0, min(len(full), 40), 2)]
        for data in variants:
            c.ask(owner, kind, message(owner, kind, [rr(owner, kind, data), rr(owner, RRSIG, sig)]))
    for lie in (b"\0\0", b"\0\x21" + b"\xff" * 33, b"\0\xff", b"\xff\x20" + b"\xff" * 31, b"\1\1\1\0\1\1", b"\0\1\0" * 90):
        for kind, head in ((NSEC, name("y.bad.test.")), (NSEC3, struct.pack(">BBHB", 1, 0, 0, 0) + b"\x14" + bytes(20))):
            owner = f"{base32(noise('o', 20))}.bad.test."
            c.ask(owner, A, message(owner, A, authority=BAD.soa() + BAD.sign(owner, kind, [head + lie]), flags=0x8400))
    for salt, hashed in ((255, 20), (0, 255), (0, 0), (4, 0), (0, 21)):
        owner = f"{base32(noise('p', 20))}.bad.test."
        record = struct.pack(">BBHB", 1, 1, 0, salt) + b"s" * min(salt, 4) + bytes([hashed]) + bytes(20)
        c.ask("p.bad.test.", A, message("p.bad.test.", A, authority=BAD.soa() + BAD.sign(owner, NSEC3, [record]), flags=0x8403))
    c.expect.append("never secure bad.test.")


def compression(c):
    """Pointers to themselves, to each other, forwards, in chains, and to long names from every record."""
    head = len(message("q.bad.test.", A, opt=False))
    point = lambda at: struct.pack(">H", 0xc000 | at)
    fixed = struct.pack(">HHIH", A, 1, 300, 4) + b"\1\2\3\4"
    for owner in (point(head), point(head + 2) + point(head), point(head + 40), b"\3abc" + point(head), point(0x3fff),
                  b"\x40", b"\x80\0", b"\x3f" * 300, point(0), point(11)):
        c.ask("q.bad.test.", A, message("q.bad.test.", A, [owner + fixed], counts=(1, 1, 0, 1)))
    chain, at = b"", head + 11  # 2000 pointers in rdata, each to the one before
    for i in range(2000):
        chain += point(12 if i == 0 else at + 2 * (i - 1))
    chained = [rr("q.bad.test.", TXT, b"", rdlen=len(chain))[:0] + b"\0" + struct.pack(">HHIH", 65280, 1, 0, len(chain)) + chain]
    c.ask("q.bad.test.", A, message("q.bad.test.", A, chained + [point(at + 2 * 1999) + fixed], counts=(1, 2, 0, 1)))
    long = b"".join(b"\x3f" + noise(f"l{i}", 63).replace(b"\0", b"a") for i in range(3)) + b"\x2f" + b"b" * 47 + b"\0"
    bomb = [point(12) + struct.pack(">HHIH", NS, 1, 300, 2) + point(12) for _ in range(4600)]
    c.ask(long, NS, message(long, NS, bomb))
    bomb = [point(12) + struct.pack(">HHIH", SOA, 1, 300, 24) + point(12) + point(12) + struct.pack(">5I", i, 0, 0, 0, 0)
            for i in range(1700)]
    c.ask(long, SOA, message(long, SOA, bomb))
    c.expect.append("never secure bad.test.")


def aliases(c):
    """Aliases that go round, go on, or grow."""
    bad_keys(c)
    cname = lambda a, b: BAD.sign(f"{a}.bad.test.", CNAME, [name(f"{b}.bad.test.")])
    c.ask("l.bad.test.", A, message("l.bad.test.", A, cname("l", "l")))
    c.ask("a.bad.test.", A, message("a.bad.test.", A, cname("a", "b") + cname("b", "c") + cname("c", "a")))
    for size in (20, 63, 64, 65, 200):
        links = sum((cname(f"k{size}-{i}", f"k{size}-{i + 1}") for i in range(size)), [])
        c.ask(f"k{size}-0.bad.test.", A, message(f"k{size}-0.bad.test.", A, links))
    c.expect.append("verdict l.bad.test. A secure")
    two = [rr("t.bad.test.", CNAME, name("u.bad.test.")), rr("t.bad.test.", CNAME, name("v.bad.test."))]
    c.ask("t.bad.test.", A, message("t.bad.test.", A, two))
    dname = lambda a, b: BAD.sign(a, DNAME, [name(b)])
    c.ask("x.d.bad.test.", A, message("x.d.bad.test.", A, dname("d.bad.test.", "d.bad.test.") +
                                      [rr("x.d.bad.test.", CNAME, name("x.d.bad.test."))]))
    c.ask("x.g.bad.test.", A, message("x.g.bad.test.", A, dname("g.bad.test.", "g.g.bad.test.") +
                                      [rr("x." + "g." * n + "bad.test.", CNAME, name("x." + "g." * (n + 1) + "bad.test."))
                                       for n in range(1, 100)]))
    long = "x" * 60
    deep = f"{long}.{long}.{long}.g.bad.test."
    c.ask(deep, A, message(deep, A, dname("g.bad.test.", f"{long}.bad.test.") + [rr(deep, CNAME, name("y.bad.test."))]))
    c.ask("e.bad.test.", A, message("e.bad.test.", A, [rr("e.bad.test.", CNAME, b""), rr("e.bad.test.", DNAME, b"\xc0\x0c")]))


def deep(c):
    """Names of 127 labels, with and without a zone for each of them."""
    bad_keys(c)
    owner = b"\1a" * 122 + BAD.apex
    c.ask(owner, A, message(owner, A, BAD.sign(owner, A, [b"\xc0\0\2\1"])))
    for n in range(0, 122, 5):
        apex = b"\1a" * n + b"\1z" + BAD.apex
        zone = Zone(apex)
        c.ask(apex, DS, message(apex, DS, BAD.sign(apex, DS, [zone.ds()])))
        c.ask(apex, DNSKEY, message(apex, DNSKEY, zone.sign(apex, DNSKEY, [zone.key])))
        unsigned = b"\1w" + apex
        c.ask(unsigned, A, message(unsigned, A, [rr(unsigned, A, b"\1\2\3\4")], flags=0x8000))
    below = b"\1b" * 119 + BAD.apex
    for kind in (NSEC, NSEC3):
        record = name("z.bad.test.") + types(A) if kind == NSEC else \
            struct.pack(">BBHB", 1, 0, 0, 0) + b"\x14" + b"\xff" * 20 + types(A)
        at = "bad.test." if kind == NSEC else "0" * 32 + ".bad.test."
        c.ask(below, A, message(below, A, authority=BAD.soa() + BAD.sign(at, kind, [record]), flags=0x8403))


def counts(c):
    """Headers that claim more than there is, questions none or many, and bytes behind the end."""
    for claim in ((1, 65535, 0, 0), (1, 0, 65535, 65535), (65535, 0, 0, 0), (1, 65535, 65535, 65535), (0, 1, 0, 0), (2, 1, 0, 0)):
        c.ask("n.bad.test.", A, message("n.bad.test.", A, [rr("n.bad.test.", A, b"\1\2\3\4")], counts=claim, opt=False))
    short = rr(b"\0", A, b"")
    c.ask("n.bad.test.", A, message("n.bad.test.", A, [short] * 5900, counts=(1, 65535, 0, 0), opt=False))
    c.ask("n.bad.test.", A, message("n.bad.test.", A, [rr("n.bad.test.", A, b"\1\2\3\4", rdlen=65535)], opt=False))
    c.ask("n.bad.test.", A, message("n.bad.test.", A, [rr("n.bad.test.", A, b"\1\2\3\4")], tail=b"x" * 500, opt=False))
    options = b"".join(struct.pack(">HH", 15, 2) + b"\0\6" for _ in range(200))
    many = b"\0" + struct.pack(">HHIH", 41, 1232, 0x8000, len(options)) + options
    c.ask("n.bad.test.", A, message("n.bad.test.", A, counts=(1, 0, 0, 2), tail=many * 2, opt=False))
    c.expect.append("never secure bad.test.")


def key_flood(c):
    """Ever other keys for the zone, all of them worthless, while answers wait for the right one."""
    for i in range(120):
        owner = f"w{i}.bad.test."
        c.ask(owner, A, message(owner, A, BAD.sign(owner, A, [b"\xc0\0\2\1"])))
    for i in range(120):
        key = dnskey(257, 15, noise(f"flood {i}", 32))
        sig = rr(BAD.apex, RRSIG, rrsig(DNSKEY, 15, BAD.apex, BAD.apex, tag_of(key), noise(f"f {i}", 64)))
        c.ask(BAD.apex, DNSKEY, message(BAD.apex, DNSKEY, [rr(BAD.apex, DNSKEY, key), sig]))
    bad_keys(c)
    c.expect += ["verdict w0.bad.test. A secure", "verdict w119.bad.test. A secure", "retro w5.bad.test. A"]


SCENARIOS = [colliding_tags, colliding_tags_p384, nsec3_iterations, nsec3_encloser, thousands, rsa_shapes, curves, signatures, rdata, compression,
             aliases, deep, counts, key_flood]


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for scenario in SCENARIOS:
        title = "hostile-" + scenario.__name__.replace("_", "-")
        if len(sys.argv) > 2 and title not in sys.argv[2:]:
            continue
        c = begin()
        scenario(c)
        good(c, "late.good.test.")
        c.write(folder, title)


if __name__ == "__main__":
    main()
