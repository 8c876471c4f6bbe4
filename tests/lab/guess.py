#!/usr/bin/python3
"""guess.py SERVER ZONE COUNT: asks for made-up names of the zone, some fifty a second, as who collects NSEC3 hashes does."""
import random
import socket
import sys
import time

import dns.message


def main(server, zone, count):
    draw = random.Random(20261122)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        for _ in range(int(count)):
            label = "".join(draw.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(10))
            s.sendto(dns.message.make_query(f"{label}.{zone}", "A", want_dnssec=True).to_wire(), (server, 53))
            try:
                s.recv(65535)
            except socket.timeout:
                pass
            time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])
