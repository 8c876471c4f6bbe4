#!/usr/bin/python3
"""Makes the corpus of fuzz_pipeline from captures: seed_pipeline.py FOLDER CAPTURE…

Classic pcap files only. One seed a capture; its first frames when it is large."""
import os
import struct
import sys

LINKTYPES = [1, 113, 276, 101, 0, 108, 9, 228]
MOST = 10000  # bytes of one seed


def seed(path, mode):
    data = open(path, "rb").read()
    nano = data[:4] == b"\x4d\x3c\xb2\xa1"
    link = struct.unpack("<I", data[20:24])[0]
    at, last, out = 24, None, b""
    while at + 16 <= len(data):
        sec, frac, cap, length = struct.unpack("<4I", data[at:at + 16])
        frame = data[at + 16:at + 16 + cap]
        at += 16 + cap
        ms = sec * 1000 + frac // (1000000 if nano else 1000)
        if last is None:
            out = bytes([mode]) + struct.pack(">I", sec)
            last = ms
        step = min(max(ms - last, 0), 127)
        last = ms
        piece = bytes([LINKTYPES.index(link) | min(length - cap, 31) << 3, step]) + struct.pack(">H", cap) + frame
        if len(out) + len(piece) > MOST:
            break
        out += piece
    return out


os.makedirs(sys.argv[1], exist_ok=True)
for i, capture in enumerate(sys.argv[2:]):
    # baseline or not, talkative or not, ahead or not; strangers are left to the fuzzer
    mode = (i & 1) << 1 | (i & 2) << 1 | (i & 4) << 2
    name = os.path.basename(capture).rsplit(".", 1)[0]
    with open(os.path.join(sys.argv[1], name), "wb") as f:
        f.write(seed(capture, mode))
