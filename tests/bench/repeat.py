#!/usr/bin/python3
"""Writes a capture again and again, later each time: repeat.py CAPTURE FRAMES >FILE (classic pcap)"""
import struct
import sys

data, total, at, frames = open(sys.argv[1], "rb").read(), int(sys.argv[2]), 24, []
while at + 16 <= len(data):
    sec, usec, cap, length = struct.unpack("<4I", data[at:at + 16])
    frames.append((sec * 1000000 + usec, cap, length, data[at + 16:at + 16 + cap]))
    at += 16 + cap
span, out = frames[-1][0] - frames[0][0] + 1000, sys.stdout.buffer
out.write(data[:24])
for i in range(total):
    time, cap, length, frame = frames[i % len(frames)]
    time += i // len(frames) * span
    out.write(struct.pack("<4I", time // 1000000, time % 1000000, cap, length) + frame)
