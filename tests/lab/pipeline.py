#!/usr/bin/python3
"""pipeline.py SERVER QUESTIONS: all questions of the file in one TCP connection, written in bursts
without waiting (RFC 7766 6.2.1.1), so that several messages share a segment and one spans several."""
import socket
import sys

import dns.message
import dns.query

with open(sys.argv[2]) as f:
    pairs = [line.split() for line in f]
wire = b""
for name, kind in pairs:
    data = dns.message.make_query(name, kind, want_dnssec=True).to_wire()
    wire += len(data).to_bytes(2, "big") + data
with socket.create_connection((sys.argv[1], 53)) as s:
    s.settimeout(10)
    for at in range(0, len(wire), 700):
        s.sendall(wire[at:at + 700])
    stream, got = s.makefile("rb"), 0
    while got < len(pairs):
        size = stream.read(2)
        if len(size) < 2:
            sys.exit(f"the server closed after {got} of {len(pairs)} answers")
        dns.message.from_wire(stream.read(int.from_bytes(size, "big")))
        got += 1
