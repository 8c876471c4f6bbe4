#!/usr/bin/python3
"""wrap.py FROM TO HOW [ARGUMENT…]: copies every frame that arrives on FROM to TO, wrapped as a mirror may
wrap it. For kernels without the devices for it, and for forms that no kernel device makes.

vlan TPID:VID…   tags, outermost first (88a8:200 8100:100 is QinQ)
vxlan geneve gre erspan2 erspan3     the whole frame in a tunnel between 198.51.100.1 and .2
mpls pppoe ipip                      the frame's IP packet under labels, a session, another IP header
"""
import socket
import sys


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (~total & 0xffff).to_bytes(2, "big")


OUTER = bytes.fromhex("020000000002" "020000000001")


def ip4(protocol, payload):
    head = bytes.fromhex("4500") + (20 + len(payload)).to_bytes(2, "big") + bytes.fromhex("00004000") + bytes(
        [64, protocol]) + b"\0\0" + socket.inet_aton("198.51.100.1") + socket.inet_aton("198.51.100.2")
    return OUTER + b"\x08\x00" + head[:10] + checksum(head) + head[12:] + payload


def udp(port, payload):
    return ip4(17, (49152).to_bytes(2, "big") + port.to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload)


def vlan(frame, tags):
    tag = b"".join(int(t.split(":")[0], 16).to_bytes(2, "big") + int(t.split(":")[1]).to_bytes(2, "big") for t in tags)
    return frame[:12] + tag + frame[12:]


sequence = 0


def wrap(how, frame, arguments):
    global sequence
    sequence += 1
    kind, inner = frame[12:14], frame[14:]
    ppp = {b"\x08\x00": b"\x00\x21", b"\x86\xdd": b"\x00\x57"}.get(kind)
    if how == "vlan":
        return vlan(frame, arguments)
    if how == "vxlan":  # RFC 7348
        return udp(4789, bytes.fromhex("0800000000002a00") + frame)
    if how == "geneve":  # RFC 8926, with one option of 4 bytes
        return udp(6081, bytes.fromhex("0200655800002a00" "0102010100000000") + frame)
    if how == "gre":  # RFC 2784 with key (2890): transparent Ethernet bridging
        return ip4(47, bytes.fromhex("2000655800000007") + frame)
    if how == "erspan2":  # draft-foschiano-erspan: sequence number, 8 bytes of header
        return ip4(47, bytes.fromhex("100088be") + sequence.to_bytes(4, "big") + bytes.fromhex("1064000500000000") + frame)
    if how == "erspan3":  # 12 bytes of header
        return ip4(47, bytes.fromhex("100022eb") + sequence.to_bytes(4, "big") + bytes.fromhex("206400050000000000000000") + frame)
    if how == "mpls" and ppp:  # two labels
        label = ((100 << 12) | 64).to_bytes(4, "big") + ((200 << 12) | 0x100 | 64).to_bytes(4, "big")
        return OUTER + b"\x88\x47" + label + inner
    if how == "pppoe" and ppp:  # RFC 2516
        return OUTER + b"\x88\x64" + b"\x11\x00\x00\x07" + (2 + len(inner)).to_bytes(2, "big") + ppp + inner
    if how == "ipip" and ppp:
        return ip4(4 if kind == b"\x08\x00" else 41, inner)
    return frame


def main(argv):
    source, target, how, arguments = argv[1], argv[2], argv[3], argv[4:]
    rx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    rx.bind((source, 3))
    rx.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    tx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    tx.bind((target, 0))
    print("wrapping", flush=True)
    while True:
        frame, address = rx.recvfrom(65536)
        if address[2] != socket.PACKET_OUTGOING:
            tx.send(wrap(how, frame, arguments))


if __name__ == "__main__":
    main(sys.argv)
