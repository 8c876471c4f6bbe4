#!/usr/bin/python3
"""mangle.py ADDRESS BACKEND-PORT MODULE WORK GROUP: an attacker's (or a broken middlebox's) seat in
front of an authoritative server: passes questions to nsd on 127.0.0.1, and hands the answers of some
zones through a function that damages them.

MODULE.mangles(WORK, GROUP) gives {zone: function(question name, type, dns.message) -> message or None}.
Other zones' answers pass untouched, byte for byte.
"""
import importlib.util
import os
import socket
import sys
import threading

import dns.exception
import dns.message
import dns.name


def ask_udp(port, wire):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(3)
        s.sendto(wire, ("127.0.0.1", port))
        return s.recv(65535)


def ask_tcp(port, wire):
    with socket.create_connection(("127.0.0.1", port), timeout=3) as s:
        s.sendall(len(wire).to_bytes(2, "big") + wire)
        return read_message(s.makefile("rb"))


def read_message(stream):
    size = stream.read(2)
    return stream.read(int.from_bytes(size, "big")) if len(size) == 2 else b""


def mangle(rules, wire):
    message = dns.message.from_wire(wire)
    if not message.question:
        return wire
    name, kind = message.question[0].name, message.question[0].rdtype
    for labels in range(len(name.labels), 0, -1):
        zone = dns.name.Name(name.labels[-labels:]).to_text().lower()
        if zone in rules:
            changed = rules[zone](name, kind, message)
            return None if changed is None else changed.to_wire(max_size=65535)
    return wire


def serve_udp(address, port, rules):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 53))
    while True:
        query, peer = s.recvfrom(65535)
        try:
            answer = mangle(rules, ask_udp(port, query))
            if answer:
                s.sendto(answer, peer)
        except (OSError, dns.exception.DNSException) as e:
            print("udp", repr(e), flush=True)


def serve_tcp(address, port, rules):
    s = socket.create_server((address, 53), backlog=50)
    while True:
        peer, _ = s.accept()
        with peer:
            stream = peer.makefile("rb")
            try:
                while query := read_message(stream):
                    answer = mangle(rules, ask_tcp(port, query))
                    if answer:
                        peer.sendall(len(answer).to_bytes(2, "big") + answer)
            except (OSError, dns.exception.DNSException) as e:
                print("tcp", repr(e), flush=True)


def main(argv):
    address, port, path, work, group = argv[1], int(argv[2]), argv[3], argv[4], argv[5]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location("situation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rules = module.mangles(work, group)
    threading.Thread(target=serve_tcp, args=(address, port, rules), daemon=True).start()
    serve_udp(address, port, rules)


if __name__ == "__main__":
    main(sys.argv)
