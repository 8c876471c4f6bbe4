#!/usr/bin/python3
"""dnspython.py PROGRAM SCENARIO…: recorded answers, validated by dnspython at packet time.

A capture reader of its own (pcap, Ethernet, IPv4 and IPv6, UDP, TCP in order, no fragments) takes the responses;
dnspython checks every signature; from the anchor file a chain of DS and DNSKEY RRsets is built, each
link good at the time it is used. For every response whose RRsets are signed the outcome is compared
with our last event of that frame: what dnspython validates down from the anchor we must call secure,
and what we call secure it must validate. dnspython proves no denial: of negative answers that we
call secure it checks the signatures of the proof. The last line is "N passed, N failed".
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset

HERE = os.path.dirname(os.path.abspath(__file__))
DIGESTS = {1: "SHA1", 2: "SHA256", 4: "SHA384"}
SCENARIOS = os.path.join(HERE, "..", "scenarios")


def packets(path):
    """(frame number, seconds, bytes) of a pcap or pcapng file with one kind of Ethernet interface."""
    data = open(path, "rb").read()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        raise SystemExit(f"{path}: pcapng is not read here")
    magic = struct.unpack("<I", data[:4])[0]
    scale = {0xA1B2C3D4: 1e-6, 0xA1B23C4D: 1e-9}[magic]
    if struct.unpack("<I", data[20:24])[0] & 0xFFFF != 1:
        raise SystemExit(f"{path}: not Ethernet")
    at, number = 24, 0
    while at + 16 <= len(data):
        seconds, fraction, size, _ = struct.unpack("<IIII", data[at:at + 16])
        number += 1
        yield number, seconds + fraction * scale, data[at + 16:at + 16 + size]
        at += 16 + size


def transport(frame):
    """(protocol, addresses, bytes after the IP header) of an unfragmented packet, or None."""
    kind = struct.unpack(">H", frame[12:14])[0]
    if kind == 0x0800 and not struct.unpack(">H", frame[20:22])[0] & 0x3FFF:
        end = 14 + struct.unpack(">H", frame[16:18])[0]
        return frame[23], frame[26:34], frame[14 + (frame[14] & 15) * 4:end]
    if kind == 0x86DD:
        return frame[20], frame[22:54], frame[54:54 + struct.unpack(">H", frame[18:20])[0]]
    return None


class Reader:
    """The DNS messages that come from port 53; TCP streams as long as their segments are in order."""

    def __init__(self):
        self.streams = {}

    def messages(self, frame):
        packet = transport(frame)
        if packet is None or len(packet[2]) < 8 or packet[2][:2] != b"\x00\x35":
            return []
        protocol, addresses, data = packet
        if protocol == 17:
            return [data[8:]]
        return self.segment((addresses, data[:4]), data) if protocol == 6 else []

    def segment(self, flow, data):
        sequence, flags = struct.unpack(">I", data[4:8])[0], data[13]
        body = data[(data[12] >> 4) * 4:]
        if flags & 2:
            self.streams[flow] = [sequence + 1 & 0xFFFFFFFF, b""]
        stream, found = self.streams.get(flow), []
        if stream is None or sequence != stream[0]:
            return found
        stream[0] = stream[0] + len(body) & 0xFFFFFFFF
        stream[1] += body
        while len(stream[1]) >= 2 and len(stream[1]) >= 2 + int.from_bytes(stream[1][:2], "big"):
            size = int.from_bytes(stream[1][:2], "big")
            found.append(stream[1][2:2 + size])
            stream[1] = stream[1][2 + size:]
        return found


class Response:
    def __init__(self, frame, time, message):
        self.frame, self.time, self.message = frame, time, message

    def sets(self, section):
        """(RRset, its RRSIGs) of every RRset but RRSIG."""
        for rrset in section:
            if rrset.rdtype == dns.rdatatype.RRSIG:
                continue
            signatures = [s for s in section if s.rdtype == dns.rdatatype.RRSIG and
                          s.covers == rrset.rdtype and s.name == rrset.name]
            yield rrset, signatures[0] if signatures else None


def zone_key(key):
    """RFC 4034 2.1.1, 2.1.2, RFC 5011 2.1: what dnspython leaves to its caller."""
    return key.flags & 0x100 and not key.flags & 0x80 and key.protocol == 3


class Judge:
    def __init__(self, responses, anchors):
        self.keys, self.ds = {}, {}  # by zone: lists of (RRset, RRSIGs)
        self.anchors = anchors
        self.memo = {}
        for r in responses:
            for rrset, signatures in r.sets(r.message.answer + r.message.authority):
                table = {dns.rdatatype.DNSKEY: self.keys, dns.rdatatype.DS: self.ds}.get(rrset.rdtype)
                if table is not None and signatures is not None:
                    table.setdefault(rrset.name, []).append((rrset, signatures))

    def verifies(self, rrset, signature, keys, time):
        try:
            dns.dnssec.validate_rrsig(rrset, signature, {signature.signer: keys}, now=time)
            return True
        except Exception:  # ValidationFailure, and what dnspython meets in malformed keys
            return False

    def trusted(self, zone, time):
        """The DNSKEY RRsets of the zone that the anchor, or a valid DS, vouches for."""
        key = (zone, int(time))
        if key in self.memo:
            return self.memo[key]
        self.memo[key] = []
        vouched = []
        for rrset, signatures in self.keys.get(zone, []):
            entry = [k for k in rrset if zone_key(k) and self.promised(zone, k, time)]
            entry = dns.rrset.from_rdata_list(zone, rrset.ttl, entry) if entry else None
            if entry and any(self.verifies(rrset, s, entry, time) for s in signatures):
                vouched.append(rrset)
        self.memo[key] = vouched
        return vouched

    def promised(self, zone, key, time):
        if zone in self.anchors:
            return any(key == a or (a.rdtype == dns.rdatatype.DS and self.named(zone, key, a))
                       for a in self.anchors[zone])
        for rrset, signatures in self.ds.get(zone, []):
            if not self.valid(rrset, signatures, time):
                continue
            strong = any(ds.digest_type in (2, 4) for ds in rrset)
            for ds in rrset:
                if ds.digest_type == 1 and strong:  # RFC 4509 3
                    continue
                if self.named(zone, key, ds):
                    return True
        return False

    @staticmethod
    def named(zone, key, ds):
        return ds.digest_type in DIGESTS and ds.algorithm == key.algorithm and \
            ds.key_tag == dns.dnssec.key_id(key) and \
            dns.dnssec.make_ds(zone, key, DIGESTS[ds.digest_type], validating=True) == ds

    def valid(self, rrset, signatures, time):
        # RFC 4035 5.2: keys are vouched for from above, not by keys that once were
        if rrset.rdtype == dns.rdatatype.DNSKEY and rrset not in self.trusted(rrset.name, time):
            return False
        for signature in signatures:
            if not rrset.name.is_subdomain(signature.signer):
                continue
            if rrset.rdtype == dns.rdatatype.DS and rrset.name == signature.signer:
                continue
            for keys in self.trusted(signature.signer, time):
                good = [k for k in keys if zone_key(k)]
                if good and self.verifies(rrset, signature, dns.rrset.from_rdata_list(keys.name, keys.ttl, good), time):
                    return True
        return False


def read_anchors(path):
    anchors = {}
    for line in open(path):
        words = line.split(";")[0].split()
        kind = next((w for w in words if w in ("DNSKEY", "DS")), None)
        if kind:
            at = words.index(kind)
            rdata = dns.rdata.from_text("IN", kind, " ".join(words[at + 1:]))
            anchors.setdefault(dns.name.from_text(words[0]), []).append(rdata)
    return anchors


def our_verdicts(program, scenario):
    """By frame: verdict and reason of the last event. A revision is told once, with the first frame of the
    response; it holds for the repetitions that were undecided with it."""
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.join(SCENARIOS, scenario)
        subprocess.run([program, "replay", "-q", "--log-verdicts", "all", "-r", base + ".pcap",
                        "--trust-anchor", base + ".anchor", "-l", os.path.join(folder, "l")], check=True)
        verdicts, told = {}, {}
        for line in open(os.path.join(folder, "l", "eve.json")):
            event = json.loads(line)
            if event["event_type"] != "dnssec":
                continue
            frame, ours = event["pcap_cnt"], event["dnssec"]
            verdict = ours["verdict"], ours["reason"]
            like = event["dns"]["rrname"], event["dns"]["rrtype"], ours["zone"], ours["verdict"]
            if ours["retro"] and frame in told:
                verdicts.update((other, verdict) for other in told if told[other] == told[frame])
            verdicts[frame], told[frame] = verdict, like
        return verdicts


def wildcard(rrset, signatures):
    return any(s.labels < len(rrset.name) - 1 - rrset.name.is_wild() for s in signatures)


def compare(scenario, judge, response, ours):
    """What is wrong, or None; None, too, where dnspython cannot judge ("" counts as judged)."""
    verdict, reason = ours
    message = response.message
    if message.flags & dns.flags.TC:
        return None
    answer = list(response.sets(message.answer))
    if answer:
        if any(signatures is None for _, signatures in answer):
            return None
        theirs = all(judge.valid(rrset, signatures, response.time) for rrset, signatures in answer)
        if any(wildcard(rrset, signatures) for rrset, signatures in answer) and verdict != "secure":
            return None  # a wildcard needs its denial
        if any(a.rdtype == dns.rdatatype.CNAME for a, _ in answer) and verdict != "secure":
            return None  # and an alias the end of its chain
        if theirs and verdict != "secure":
            return f"dnspython validates it, we say {verdict} ({reason})"
        if not theirs and verdict == "secure":
            return f"dnspython does not validate it, we say secure ({reason})"
        return ""
    if verdict != "secure":
        return None
    for rrset, signatures in response.sets(message.authority):
        if signatures is None or not judge.valid(rrset, signatures, response.time):
            return f"dnspython does not validate {rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} of a proof that we call secure"
    return ""


def main():
    program = sys.argv[1]
    passed = failed = 0
    for scenario in sys.argv[2:]:
        responses, reader = [], Reader()
        for frame, time, data in packets(os.path.join(SCENARIOS, scenario + ".pcap")):
            for wire in reader.messages(data):
                try:
                    message = dns.message.from_wire(wire)
                except Exception:
                    continue  # malformed on purpose: what it is worth is not dnspython's matter
                if message.flags & dns.flags.QR:
                    responses.append(Response(frame, time, message))
        judge = Judge(responses, read_anchors(os.path.join(SCENARIOS, scenario + ".anchor")))
        verdicts = our_verdicts(program, scenario)
        judged = {}
        for response in responses:
            if response.frame not in verdicts:
                continue
            wrong = compare(scenario, judge, response, verdicts[response.frame])
            if wrong is None:
                continue
            verdict = verdicts[response.frame][0]
            judged[verdict] = judged.get(verdict, 0) + 1
            if wrong:
                failed += 1
                print(f"FAIL {scenario} frame {response.frame} {response.message.question[0]}: {wrong}")
            else:
                passed += 1
        print(f"ok   {scenario}: " + ", ".join(f"{n} {v}" for v, n in sorted(judged.items())))
        if not judged:
            failed += 1
            print(f"FAIL {scenario}: nothing that both could judge")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
