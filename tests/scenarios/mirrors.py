#!/usr/bin/python3
"""Captures as other mirrors would have shown them: what is said of the zones must stay, what is said of the
sensor must be right.

mirrors.py PROGRAM FOLDER      makes them from recorded scenarios, replays and compares

Standard library only, no root, no network.
"""
import importlib.util
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
_spec = importlib.util.spec_from_file_location("wrap", os.path.join(HERE, "..", "lab", "wrap.py"))
sys.dont_write_bytecode = True
wrap = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(wrap)

TAP = ("sensor-", "fragments-lost")  # findings about the tap, not about a zone


# --- captures: (time in microseconds, bytes, length on the wire) ------------------------------------------------

def read_pcap(path):
    with open(path, "rb") as f:
        data = f.read()
    magic, link = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, 20)[0]
    assert magic in (0xa1b2c3d4, 0xa1b23c4d) and link == 1, path
    unit, at, frames = (1 if magic == 0xa1b2c3d4 else 1000), 24, []
    while at < len(data):
        seconds, fraction, kept, length = struct.unpack_from("<IIII", data, at)
        frames.append((seconds * 1000000 + fraction // unit, data[at + 16:at + 16 + kept], length))
        at += 16 + kept
    return frames


def write_pcap(path, frames):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for time, frame, length in frames:
            f.write(struct.pack("<IIII", time // 1000000, time % 1000000, len(frame), length) + frame)


def write_pcapng(path, frames, dropped):
    """With a statistics block at the end, as dumpcap writes it: loss that becomes known when all is over."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size
    def stamp(time):
        return struct.pack("<II", time >> 32, time & 0xffffffff)
    with open(path, "wb") as f:
        f.write(block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)))
        f.write(block(1, struct.pack("<HHI", 1, 0, 0)))
        for time, frame, length in frames:
            f.write(block(6, struct.pack("<I", 0) + stamp(time) + struct.pack("<II", len(frame), length) + frame))
        f.write(block(5, struct.pack("<I", 0) + stamp(frames[-1][0]) + struct.pack("<HHQ", 7, 8, dropped) + bytes(4)))


def ports(frame):
    """Of UDP or TCP over IPv4 in Ethernet, else None."""
    if frame[12:14] != b"\x08\x00" or frame[23] not in (6, 17):
        return None
    return struct.unpack_from(">HH", frame, 14 + (frame[14] & 15) * 4)


def wrapped(how, *arguments):
    def one(frame):
        time, data, length = frame
        inside = wrap.wrap(how, data, list(arguments))
        return (time, inside, length + len(inside) - len(data))
    return lambda frames: [one(f) for f in frames]


def twice(other=lambda frames: frames, after=20):
    """Every frame, and a copy of it that went through `other` and came `after` microseconds later."""
    def both(frames):
        out = []
        for frame in frames:
            (time, data, length), = other([frame])
            out += [frame, (time + after, data, length)]
        return sorted(out, key=lambda f: f[0])
    return both


def routed(frames):
    """The other side of a router: other MAC addresses, a TTL less, header checksum to match."""
    out = []
    for time, data, length in frames:
        if data[12:14] == b"\x08\x00":
            head = bytearray(data[14:14 + (data[14] & 15) * 4])
            head[8] -= 1
            head[10:12] = b"\0\0"
            head[10:12] = wrap.checksum(bytes(head))
            data = bytes.fromhex("02aa00000001" "02aa00000002") + data[12:14] + bytes(head) + data[14 + len(head):]
        out.append((time, data, length))
    return out


def offloaded(frames):
    """Captured on the resolver: what it sends has only the sum over the pseudo-header."""
    out = []
    for time, data, length in frames:
        p = ports(data)
        if p and p[1] == 53 and data[23] == 17:
            at = 14 + (data[14] & 15) * 4
            pseudo = data[26:34] + b"\0\x11" + data[at + 4:at + 6]
            total = sum(struct.unpack(">6H", pseudo))
            while total >> 16:
                total = (total & 0xffff) + (total >> 16)
            data = data[:at + 6] + struct.pack(">H", total) + data[at + 8:]
        out.append((time, data, length))
    return out


def snapped(size):
    return lambda frames: [(time, data[:size], length) for time, data, length in frames]


def one_way(side):
    def keep(frames):
        return [f for f in frames if (ports(f[1]) or (0, 0))[side] == 53]
    return keep


# --- replays ----------------------------------------------------------------------------------------------------

class Said:
    def __init__(self, evidence):
        self.verdicts, self.findings, self.tap, self.stats, self.order = [], {}, {}, {}, []
        with open(os.path.join(evidence, "eve.json")) as f:
            for line in f:
                event = json.loads(line)
                if event["event_type"] == "dnssec":
                    self.verdicts.append((event["dns"]["rrname"], event["dns"]["rrtype"],
                                          event["dnssec"]["verdict"], event["dnssec"]["reason"]))
                elif event["event_type"] == "stats":
                    self.stats = event["stats"]
                elif event["event_type"] == "alert":
                    self.order.append(event["finding"]["rule"])
        with open(os.path.join(evidence, "state", "findings.jsonl")) as f:
            for line in f:
                finding = json.loads(line)
                if finding["rule"].startswith(TAP):
                    self.tap[finding["rule"]] = finding
                else:
                    key = (finding["rule"], finding["zone"], finding["rrname"], finding["rrtype"])
                    self.findings[key] = (finding["severity"], finding["count"], finding["loss"])


def replay(program, folder, scenario, capture, scratch):
    evidence = os.path.join(scratch, "evidence-" + os.path.basename(capture))
    command = [program, "replay", "-q", "-r", capture, "-l", evidence, "--baseline", os.path.join(folder, "zones"),
               "--trust-anchor", os.path.join(folder, scenario + ".anchor")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, text=True, errors="replace")
    assert done.returncode == 0, done.stdout
    return Said(evidence)


# what, how it is made, findings about the tap with their severities
def clock_set_back(frames):
    """The clock is set back by 40 s in the longest pause of the middle of the capture."""
    at = max(range(len(frames) // 3, 2 * len(frames) // 3), key=lambda i: frames[i][0] - frames[i - 1][0])
    return frames[:at] + [(time - 40000000, frame, length) for time, frame, length in frames[at:]]


SAME = [
    ("as-recorded", lambda frames: frames, {}),
    ("vlan", wrapped("vlan", "8100:100"), {}),
    ("qinq", wrapped("vlan", "88a8:200", "8100:100"), {}),
    ("vlan-three-deep", wrapped("vlan", "88a8:200", "8100:100", "8100:7"), {}),
    ("through-a-router", routed, {}),
    ("offload", offloaded, {"sensor-mirror": "info"}),
] + [(how, wrapped(how), {"sensor-mirror": "info"})
     for how in ("vxlan", "geneve", "gre", "erspan2", "erspan3", "mpls", "pppoe", "ipip")] + [
    ("vxlan-in-erspan2", lambda frames: wrapped("erspan2")(wrapped("vxlan")(frames)), {"sensor-mirror": "info"}),
]
TWICE = [
    ("twice", twice(), {"sensor-duplicates": "medium"}),
    ("twice-9ms", twice(after=9000), {"sensor-duplicates": "medium"}),
    ("both-sides-of-a-router", twice(routed), {"sensor-duplicates": "medium"}),
    ("tagged-and-not", twice(wrapped("vlan", "8100:100")), {"sensor-duplicates": "medium"}),
] + [(how + "-inside-and-outside", twice(wrapped(how)), {"sensor-duplicates": "medium", "sensor-mirror": "info"})
     for how in ("gre", "vxlan", "erspan3", "ipip")]
SAME.append(("clock-set-back", clock_set_back, {"sensor-clock": "high"}))
BLIND = [
    ("queries-only", one_way(1), {"sensor-one-way": "high"}),
    ("responses-only", one_way(0), {"sensor-one-way": "high"}),
    ("snapped-200", snapped(200), {"sensor-mirror": "medium"}),
]


def lower(severity):
    words = ["info", "low", "medium", "high", "critical"]
    return words[max(words.index(severity) - 1, 0)]


ABSENCE = ("rrsig-missing", "key-withdrawn", "record-missing")  # of the findings here: weaker when frames were lost


class Check:
    def __init__(self):
        self.passed = self.failed = 0

    def equal(self, what, got, wanted):
        if got == wanted:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL {what}: got {str(got)[:300]}, expected {str(wanted)[:300]}")


def severities(said):
    return {rule: f["severity"] for rule, f in said.tap.items()}


def compare(check, program, folder, scenario, scratch):
    frames = read_pcap(os.path.join(folder, scenario + ".pcap"))
    def shown(name, made):
        path = os.path.join(scratch, f"{scenario}-{name}.pcap")
        write_pcap(path, made)
        return replay(program, folder, scenario, path, scratch)
    base = shown("base", frames)
    assert base.verdicts and base.findings, scenario
    for name, make, tap in SAME + TWICE:
        said, what = shown(name, make(frames)), f"{scenario} {name}"
        check.equal(what + " tap", severities(said), tap)
        check.equal(what + " verdicts", sorted(said.verdicts), sorted(base.verdicts))
        check.equal(what + " findings", said.findings, base.findings)
        for counter in ("queries", "responses", "paired", "unanswered", "unasked"):
            check.equal(f"{what} {counter}", said.stats["messages"][counter], base.stats["messages"][counter])
        copies = base.stats["messages"]["queries"] + base.stats["messages"]["responses"] if "duplicates" in str(tap) else 0
        check.equal(what + " duplicates", said.stats["messages"]["duplicates"], copies)
    for name, make, tap in BLIND:
        said, what = shown(name, make(frames)), f"{scenario} {name}"
        check.equal(what + " tap", severities(said), tap)
        check.equal(what + " told before the zones", said.order[:1], list(tap))
        extra = {k: v for k, v in said.findings.items() if k not in base.findings and v[0] in ("medium", "high", "critical")}
        check.equal(what + " nothing new about zones", extra, {})
        check.equal(what + " nothing found bogus", [v for v in said.verdicts if v[2] == "bogus" and v not in base.verdicts], [])
    path = os.path.join(scratch, scenario + "-lossy.pcapng")
    write_pcapng(path, frames, 50)
    said = replay(program, folder, scenario, path, scratch)
    check.equal(scenario + " lossy tap", severities(said), {"sensor-loss": "high"})
    for key, (severity, count, _) in base.findings.items():
        absent = key[0] in ABSENCE
        check.equal(f"{scenario} lossy {key[0]}", said.findings.get(key),
                    (lower(severity) if absent else severity, count, absent))


def main(program, folder):
    check = Check()
    with tempfile.TemporaryDirectory(prefix="mirrors-") as scratch:
        for scenario in ("rogue-zsk-stolen-ksk", "rrsig-stripped", "records-changed-stolen-zsk"):
            compare(check, program, folder, scenario, scratch)
    print(f"{check.passed} passed, {check.failed} failed")
    return check.failed == 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(0 if main(sys.argv[1], sys.argv[2]) else 1)
