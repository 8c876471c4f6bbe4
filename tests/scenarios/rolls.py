#!/usr/bin/python3
"""Key rolls step by step: zones whose keys, signatures and DS change while the tap records.

rolls.py WORK build NAME                   serving folders of every step in WORK/NAME/00, 01, …; anchor
rolls.py WORK ask NAME STEP FIRST          the questions of one step, straight to the servers (inside the
                                           resolver's namespace); FIRST: also the chain above
rolls.py WORK expect NAME FILE             the expectation, as written here by hand
rolls.py WORK baseline NAME FOLDER         the zones as served at first, and policies
rolls.py WORK list                         NAME STEPS SECONDS

Every zone is named for what its operator does. A timeline says from which step on which keys sign, which are
published, and which the parent's DS names: K1, K2 KSKs, Z1, Z2 ZSKs, C1, C2 both in one (CSK), all of algorithm
13; L1, M1 KSK and ZSK of algorithm 15; R1 is K1 with the REVOKE bit. All TTLs are TTL seconds, a step takes STEP
seconds, so that what must wait for caches to expire waits at least three steps.
"""
import os
import sys
import time

import dns.flags
import dns.message
import dns.query
import dns.rdatatype

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from zones import DAY, HOUR, Tree, Work, Zone  # noqa: E402

TTL, STEP = 8, 3

# name: [(from step, who signs, who is published, whom the DS names)]; "" as before. `late`: the second server
# follows so many steps later.
SOUND = {
    # ZSK, pre-publication (RFC 7583 3.2.1)
    "zsk-prepublish.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (3, "K1 Z1", "K1 Z1 Z2", "K1"),
                             (6, "K1 Z2", "K1 Z1 Z2", "K1"), (9, "K1 Z2", "K1 Z2", "K1")],
    # ZSK, double signature (3.2.2)
    "zsk-double.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (3, "K1 Z1 Z2", "K1 Z1 Z2", "K1"), (6, "K1 Z2", "K1 Z2", "K1")],
    # KSK, double KSK (3.3.1)
    "ksk-double.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (3, "K1 K2 Z1", "K1 K2 Z1", "K1"),
                         (6, "K1 K2 Z1", "K1 K2 Z1", "K2"), (9, "K2 Z1", "K2 Z1", "K2")],
    # KSK, double DS (3.3.2)
    "ksk-double-ds.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (3, "K1 Z1", "K1 Z1", "K1 K2"), (6, "K2 Z1", "K2 Z1", "K1 K2"),
                            (9, "K2 Z1", "K2 Z1", "K2")],
    "csk.test.": [(0, "C1", "C1", "C1"), (3, "C1 C2", "C1 C2", "C1"), (6, "C1 C2", "C1 C2", "C2"), (9, "C2", "C2", "C2")],
    # a new algorithm, as RFC 6781 4.1.4 allows since RFC 6840 5.11: signatures and keys together, then the DS
    "algorithm.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (3, "K1 Z1 L1 M1", "K1 Z1 L1 M1", "K1"),
                        (6, "K1 Z1 L1 M1", "K1 Z1 L1 M1", "L1"), (9, "L1 M1", "L1 M1", "L1")],
    # a ZSK that was published all the time takes over at once
    "standby.test.": [(0, "K1 Z1", "K1 Z1 Z2", "K1"), (4, "K1 Z2", "K1 Z1 Z2", "K1"), (7, "K1 Z2", "K1 Z2", "K1")],
    # RFC 5011: the old KSK is revoked and vouches for it, the new one has long been there
    "revoked.test.": [(0, "K1 K2 Z1", "K1 K2 Z1", "K1 K2"), (3, "K1 K2 Z1", "K1 K2 Z1", "K2"),
                      (6, "R1 K2 Z1", "R1 K2 Z1", "K2"), (10, "K2 Z1", "K2 Z1", "K2")],
    # one server follows two steps after the other
    "out-of-step.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (2, "K1 Z1", "K1 Z1 Z2", "K1"), (7, "K1 Z2", "K1 Z1 Z2", "K1"),
                          (12, "K1 Z2", "K1 Z2", "K1")],
}
UNSAFE = {
    "zsk-at-once.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (4, "K1 Z2", "K1 Z2", "K1")],
    "zsk-signs-early.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (4, "K1 Z2", "K1 Z1 Z2", "K1"), (8, "K1 Z2", "K1 Z2", "K1")],
    "zsk-gone-early.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (2, "K1 Z1", "K1 Z1 Z2", "K1"), (6, "K1 Z2", "K1 Z2", "K1")],
    "ksk-no-ds.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (4, "K2 Z1", "K2 Z1", "K1"), (8, "K2 Z1", "K2 Z1", "K2")],
    # early by the clock only, and who asks here asks anew every time: a remark
    "ksk-gone-early.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (2, "K1 K2 Z1", "K1 K2 Z1", "K1"),
                             (6, "K1 K2 Z1", "K1 K2 Z1", "K2"), (7, "K2 Z1", "K2 Z1", "K2")],
    "ds-early.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (4, "K1 K2 Z1", "K1 K2 Z1", "K2"), (8, "K2 Z1", "K2 Z1", "K2")],
    "ds-pending.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (2, "K1 K2 Z1", "K1 K2 Z1", "K1")],
    "ds-followed.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (2, "K1 K2 Z1", "K1 K2 Z1", "K1"), (9, "K1 K2 Z1", "K1 K2 Z1", "K2")],
    "csk-at-once.test.": [(0, "C1", "C1", "C1"), (4, "C2", "C2", "C2")],
    # near misses
    "zsk-waited.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (2, "K1 Z1", "K1 Z1 Z2", "K1"), (5, "K1 Z2", "K1 Z1 Z2", "K1"),
                         (8, "K1 Z2", "K1 Z2", "K1")],
}
# Asked through a resolver that caches: early by the clock, and here is who holds what was before.
HURRIED = {
    "zsk-signs-soon.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (2, "K1 Z1", "K1 Z1 Z2", "K1"), (3, "K1 Z2", "K1 Z1 Z2", "K1")],
    "zsk-gone-soon.test.": [(0, "K1 Z1", "K1 Z1 Z2", "K1"), (2, "K1 Z2", "K1 Z1 Z2", "K1"), (3, "K1 Z2", "K1 Z2", "K1")],
    "ksk-gone-soon.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (1, "K1 K2 Z1", "K1 K2 Z1", "K1"),
                            (5, "K1 K2 Z1", "K1 K2 Z1", "K2"), (6, "K2 Z1", "K2 Z1", "K2")],
    # near misses
    "zsk-patient.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (1, "K1 Z1", "K1 Z1 Z2", "K1"), (6, "K1 Z2", "K1 Z1 Z2", "K1"),
                          (9, "K1 Z2", "K1 Z2", "K1")],
    "ksk-patient.test.": [(0, "K1 Z1", "K1 Z1", "K1"), (1, "K1 K2 Z1", "K1 K2 Z1", "K1"),
                          (3, "K1 K2 Z1", "K1 K2 Z1", "K2"), (9, "K2 Z1", "K2 Z1", "K2")],
}
LATE = {"out-of-step.test.": 2}
TTLS = {"zsk-signs-soon.test.": (12, 3, 12), "zsk-gone-soon.test.": (3, 12, 12), "ksk-gone-soon.test.": (3, 3, 12),
        "zsk-patient.test.": (12, 3, 12), "ksk-patient.test.": (3, 3, 12)}  # of DNSKEY, data, DS; else TTL
# RUSHED: the sound rolls once more, stage after stage within seconds, with TTLs of minutes and a resolver that is
# started anew for each stage: as one rehearses a roll in a laboratory. Nobody can hold what was before.
RUSHED = "rolls-rushed"
NAMES = {"rolls-sound": (SOUND, range(15)), "rolls-unsafe": (UNSAFE, range(12)), "rolls-hurried": (HURRIED, range(12)),
         RUSHED: (SOUND, [0, 2, 3, 4, 6, 7, 9, 10, 12, 14])}


def key(w, zone, label):
    if label[0] == "R":
        return key(w, zone, "K" + label[1]).revoked()
    return w.key(zone, 15 if label[0] in "LM" else 13, label[0] in "KCL", label)


class Rolling(Zone):
    """A zone as it is in one phase of its timeline."""

    def __init__(self, w, name, phase, serial, rushed):
        _, sign, publish, ds = phase
        keys = lambda labels: [key(w, name, label) for label in labels.split()]
        self.ttls = (300, 300, 300) if rushed else TTLS.get(name, (TTL, TTL, TTL))
        short = lambda line: line.replace(" 300 IN ", f" {self.ttls[0]} IN ")
        super().__init__(name, keys=lambda w: keys(sign), publish=lambda w: [short(k.line()) for k in keys(publish)],
                         csk=sign[0] == "C", start=-HOUR + serial * STEP, end=14 * DAY, serial=serial,
                         ds=lambda w: [k.ds() for k in keys(ds)])

    def text(self, w):
        ttl = self.ttls[1]
        return [line.replace(" 300 IN ", f" {ttl} IN ").replace("1209600 300", f"1209600 {ttl}")
                for line in super().text(w) if " CAA " not in line and " TLSA " not in line]

    def ds_lines(self, w):
        return [line.replace(" 300 IN ", f" {self.ttls[2]} IN ") for line in super().ds_lines(w)]


def phase_of(timeline, step):
    return [p for p in timeline if p[0] <= max(step, 0)][-1]


def rolling(w, name, step, late=0):
    zones, _ = NAMES[name]
    made = []
    for zone, timeline in zones.items():
        at = step - (LATE.get(zone, 0) if late else 0)
        phase = phase_of(timeline, at)
        made.append(Rolling(w, zone, phase, timeline.index(phase) + 1, name == RUSHED))
    return made


def build(w, name):
    for step in NAMES[name][1]:
        out = os.path.join(w.folder, name, "%02d" % step)
        tree = Tree(w, rolling(w, name, step))
        tree.zones["test."].serial = step + 1
        tree.zones["test."].start = -HOUR + step * STEP
        tree.build(out)
        for zone, text in Tree(w, rolling(w, name, step, late=1)).build().items():
            if zone in LATE:
                with open(os.path.join(out, "ns2", zone.rstrip(".") + ".zone"), "w") as f:
                    f.write(text)


def put(question, kind, server, recursive=False):
    query = dns.message.make_query(question, kind, want_dnssec=True)
    if not recursive:
        query.flags &= ~dns.flags.RD
    query.use_edns(0, dns.flags.DO, 1232)
    try:
        dns.query.udp(query, server, timeout=1)
    except Exception as e:  # noqa: BLE001
        print(question, kind, server, repr(e), file=sys.stderr)


def ask_resolver(name, step):
    """From its client, for most of a step: another name each second, so that there is something to validate."""
    names = ("www", "mail", "vpn", "ns1", "a.wild", "b.wild", "c.wild", "d.wild", "e.wild")
    for second in range(3):
        for zone in NAMES[name][0]:
            put(names[(step * 3 + second) % len(names)] + "." + zone, "A", "10.54.0.1", recursive=True)
        time.sleep(0.6)


def ask(w, name, step, first):
    if name == "rolls-hurried":
        return ask_resolver(name, step)
    if name == RUSHED:
        for zone in NAMES[name][0]:
            put("www." + zone, "A", "10.54.0.1", recursive=True)
            put("nx." + zone, "A", "10.54.0.1", recursive=True)
        return
    if first:
        put(".", "DNSKEY", "10.53.0.1")
        put("test.", "DS", "10.53.0.1")
        put("test.", "DNSKEY", "10.53.0.2")
    for i, zone in enumerate(NAMES[name][0]):
        servers = ["10.53.0.3", "10.53.0.4"] if (i + step) % 2 else ["10.53.0.4", "10.53.0.3"]
        put(zone, "DS", "10.53.0.2")
        put(zone, "DNSKEY", servers[0])
        put("www." + zone, "A", servers[1])
        if step % 3 == 0:
            put("nx." + zone, "A", servers[0])


QUIET = ["no-finding-above info"]


def expect_text(name):
    if name == RUSHED:
        lines = ["baseline zones-rolls-rushed", "never bogus test.", "no-finding roll-unsafe|key-withdrawn-early"] + QUIET
    elif name == "rolls-sound":
        lines = ["baseline zones-rolls-sound", "never bogus test."] + [f"finding roll-progress {z}" for z in SOUND] + QUIET
    elif name == "rolls-sound-unplanned":
        lines = ["baseline zones-rolls-unplanned", "never bogus test."] + [
            f"finding roll-unplanned {z}" for z in SOUND] + [
            "may key-unknown|key-withdrawn|key-revoked|ds-unknown|key-changed",
            "no-finding roll-unsafe", "no-finding key-withdrawn-early", "no-finding ds-mismatch"]
    elif name == "rolls-hurried":
        lines = ["no-baseline"]
        for zone in HURRIED:
            if "patient" in zone:
                lines += [f"finding roll-progress {zone}", f"no-finding roll-unsafe|key-withdrawn-early|ds-mismatch {zone}"]
            elif zone != "zsk-gone-soon.test.":  # who takes over was always there: no roll, for the tap
                lines.append(f"finding roll-unsafe {zone}")
        lines += ["finding key-withdrawn-early zsk-gone-soon.test.", "no-finding roll-unplanned"]
    else:
        fine = ("ds-pending.test.", "ds-followed.test.", "zsk-waited.test.", "ksk-gone-early.test.")
        bad = [z for z in UNSAFE if z not in fine]
        lines = ["no-baseline"] + [f"finding roll-unsafe {z}" for z in bad] + [
            "finding key-withdrawn-early zsk-at-once.test.", "finding key-withdrawn-early zsk-gone-early.test.",
            "finding key-withdrawn-early csk-at-once.test.", "finding ds-pending ds-pending.test.",
            "finding ds-mismatch ksk-no-ds.test.", "no-finding ds-pending ksk-no-ds.test.",
            "no-finding key-withdrawn-early zsk-signs-early.test."]
        lines += [f"no-finding roll-unsafe|key-withdrawn-early {z}" for z in fine]
        lines += ["no-finding roll-unplanned", "only"]
    return "\n".join(lines) + "\n"


def change_of(zone):
    return {"z": "zsk-rollover", "k": "ksk-rollover", "c": "csk-rollover", "a": "algorithm-rollover",
            "s": "zsk-rollover", "r": "ksk-rollover", "o": "zsk-rollover"}[zone[0]]


def baseline(w, name, folder):
    os.makedirs(folder, exist_ok=True)
    texts = Tree(w, rolling(w, RUSHED if name == "zones-rolls-rushed" else "rolls-sound", 0)).build()
    stamp = lambda d: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(w.now + d * DAY))
    for zone in SOUND:
        planned = f"planned:\n  - {{change: {change_of(zone)}, from: {stamp(-1)}, to: {stamp(6)}}}\n"
        with open(os.path.join(folder, zone.rstrip(".") + ".zone"), "w") as f:
            f.write(texts[zone])
        with open(os.path.join(folder, zone.rstrip(".") + ".yaml"), "w") as f:
            f.write(f"zone: {zone}\nstrict: true\n" + ("" if name == "zones-rolls-unplanned" else planned))


def main(argv):
    w, verb = Work(argv[1]), argv[2]
    if verb == "list":
        for name, (_, steps) in NAMES.items():
            print(name, ",".join(map(str, steps)), 1 if name == RUSHED else STEP)
    elif verb == "build":
        build(w, argv[3])
    elif verb == "ask":
        ask(w, argv[3], int(argv[4]), argv[5] == "1")
    elif verb == "expect":
        with open(argv[4], "w") as f:
            f.write(expect_text(argv[3]))
    elif verb == "baseline":
        baseline(w, argv[3], argv[4])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
