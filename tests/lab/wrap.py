#!/usr/bin/python3
"""tagger.py FROM TO TAG…: copies every frame that arrives on FROM to TO with VLAN tags, outermost first.

A tag is TPID:VID, e.g. 88a8:200 8100:100 for QinQ. A trunk port for kernels without VLAN devices.
"""
import socket
import sys

source, target, tags = sys.argv[1], sys.argv[2], sys.argv[3:]
tag = b"".join(int(t.split(":")[0], 16).to_bytes(2, "big") + int(t.split(":")[1]).to_bytes(2, "big") for t in tags)
rx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
rx.bind((source, 3))
rx.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
tx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
tx.bind((target, 0))
print("tagging", flush=True)
while True:
    frame, address = rx.recvfrom(65536)
    if address[2] != 4:  # PACKET_OUTGOING: our own
        tx.send(frame[:12] + tag + frame[12:])
