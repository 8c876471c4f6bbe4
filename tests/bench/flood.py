#!/usr/bin/python3
"""Writes a flood as a capture: flood.py FRAMES >FILE; its anchor: flood.py anchor >FILE

Everything is seen once: names below names that are never explained, zones with worthless keys, TCP streams
that never end, fragments without the rest, queries without answers. good.test. is secure and forged.good.test.
bogus in the beginning, every fifty thousand frames, and at the end. Needs python3-cryptography."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios"))
from hostile import (A, DNSKEY, GOOD, NOW, ROOT, RRSIG, Capture, begin, dnskey, good, message, noise,  # noqa: E402
                     query, rr, rrsig, tag_of)


def udp(data, sport, dport, source, target):
    return ip(17, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data, source, target)


def ip(protocol, payload, source, target, ident=0, fragment=0):
    ethernet = bytes.fromhex("020000000002" "020000000001" "0800")
    return ethernet + struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(payload), ident, fragment, 64, protocol, 0,
                                  source, target) + payload


def one_time(i):
    """The i-th frame of the flood."""
    client, server, port = 0x0a000000 + i % 0xffffff, 0x0a350001, 1024 + i % 60000
    kind = i % 8
    if kind < 3:  # a name below names that nobody knows
        owner = f"a.b{i}.c{i % 5000}.d{i // 9}.test."
        return udp(message(owner, A, [rr(owner, A, b"\1\2\3\4")], flags=0x8000), 53, port, server, client)
    if kind == 3:  # a zone, with a key and a signature by nobody
        apex = f"z{i}.test."
        key = dnskey(257, 15, noise(i, 32))
        sig = rr(apex, RRSIG, rrsig(DNSKEY, 15, apex, apex, tag_of(key), noise(-i, 64)))
        return udp(message(apex, DNSKEY, [rr(apex, DNSKEY, key), sig]), 53, port, server, client)
    if kind == 4:  # a signer that is never seen
        owner = f"w.s{i}.test."
        sig = rr(owner, RRSIG, rrsig(A, 15, owner, f"s{i}.test.", 1, noise(-i, 64)))
        return udp(message(owner, A, [rr(owner, A, b"\1\2\3\4"), sig]), 53, port, server, client)
    if kind == 5:  # a stream that begins
        return ip(6, struct.pack(">HHIIBBHHH", 53, port, i & 0xffffffff, 1, 0x50, 24, 65535, 0, 0) +
                  struct.pack(">H", 60000) + noise(i, 400), server, client)
    if kind == 6:  # a first fragment
        return ip(17, struct.pack(">HHHH", 53, port, 3000, 0) + noise(i, 400), server, client, i & 0xffff, 0x2000)
    return udp(query(f"q{i}.test.", A), port, 53, client, server)


def marks():
    """What must be recognised throughout."""
    c = Capture()
    good(c, "www.good.test.")
    forged = GOOD.sign("forged.good.test.", A, [b"\xc0\0\2\1"])
    forged[0] = rr("forged.good.test.", A, b"\xc0\0\2\x66")
    c.ask("forged.good.test.", A, message("forged.good.test.", A, forged))
    return c.frames


def main():
    if sys.argv[1] == "anchor":
        print(f". IN DS {ROOT.tag} 15 2 {ROOT.ds()[4:].hex().upper()}")
        return
    out, total = sys.stdout.buffer, int(sys.argv[1])
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
    count, mark = 0, marks()

    def put(frame):
        nonlocal count
        out.write(struct.pack("<IIII", NOW + count // 20000, count % 20000 * 50, len(frame), len(frame)) + frame)
        count += 1

    for frame in begin().frames + mark:
        put(frame)
    while count < total:
        put(one_time(count))
        if count % 50000 == 0:
            for frame in begin().frames + mark:
                put(frame)
    for frame in mark:
        put(frame)


main()
