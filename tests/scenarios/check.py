#!/usr/bin/python3
"""Compares what dnsbailiff says of the recorded scenarios with the expectations and the judges.

check.py replay PROGRAM FOLDER [NAME…]    replays each scenario of FOLDER; a table of differences, then a count
check.py judges FOLDER [NAME…]            compares .expect with .judges, without the program

Standard library only: this runs in `make check`, without root, servers or network.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

import coverage

SEVERITIES = ["info", "low", "medium", "high", "critical"]
# Responses that carry no data of their own: they count only when a question got nothing else.
EMPTY = {"error-response", "referral", "truncated", "no-dnssec-requested", "none"}
SECONDS = 60


def absolute(name):
    name = name.lower()
    return name if name.endswith(".") else name + "."


class Outcome:
    """What one replay said: the last verdict of each question, and the findings."""

    def __init__(self):
        self.last, self.all, self.retro, self.findings = {}, collections.defaultdict(list), set(), []
        self.frames = {}

    def read_event(self, event):
        if event.get("event_type") != "dnssec":
            return
        question = (absolute(event["dns"]["rrname"]), event["dns"]["rrtype"])
        verdict, reason = event["dnssec"]["verdict"], event["dnssec"].get("reason", "")
        self.all[question].append((verdict, reason))
        self.frames[event["pcap_cnt"]] = verdict
        if event["dnssec"].get("retro"):
            self.retro.add(question)
        if reason not in EMPTY or question not in self.last or self.last[question][1] in EMPTY:
            self.last[question] = (verdict, reason)


def replay(program, folder, name, baseline):
    """(Outcome, problem): runs the program as a user would."""
    outcome = Outcome()
    capture = os.path.join(folder, name + ".pcap")
    if not os.path.exists(capture):
        capture += ".zst"  # a large one
    with tempfile.TemporaryDirectory(prefix="scenario-") as scratch:
        evidence = os.path.join(scratch, "evidence")
        command = [program, "replay", "-r", capture, "--trust-anchor", os.path.join(folder, name + ".anchor"),
                   "-l", evidence]
        if baseline:
            command += ["--baseline", os.path.join(folder, baseline)]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=SECONDS, text=True, errors="replace")
        except subprocess.TimeoutExpired:
            return outcome, f"no end after {SECONDS} s"
        if done.returncode != 0:
            return outcome, f"exit status {done.returncode}: {done.stdout.strip()[-300:]}"
        if "not in the extract" in done.stdout:  # a frame that a finding cites was let go
            return outcome, done.stdout.strip()[-300:]
        for path, take in ((os.path.join(evidence, "eve.json"), outcome.read_event),
                           (os.path.join(evidence, "state", "findings.jsonl"), outcome.findings.append)):
            if not os.path.exists(path):
                return outcome, f"{path.split('evidence/', 1)[1]} was not written"
            with open(path) as f:
                for number, line in enumerate(f, 1):
                    try:
                        take(json.loads(line))
                    except (ValueError, KeyError, TypeError) as e:
                        return outcome, f"{path.split('evidence/', 1)[1]}:{number}: {e!r}"
    return outcome, None


def statements(path):
    with open(path) as f:
        for line in f:
            words = line.split("#", 1)[0].split()
            if words:
                yield words


def read_differences(folder):
    """SCENARIO NAME TYPE VERDICT… # why: verdicts that are right for a passive observer."""
    allowed = collections.defaultdict(set)
    path = os.path.join(folder, "differences.txt")
    for words in statements(path) if os.path.exists(path) else ():
        allowed[(words[0], absolute(words[1]), words[2])].update(words[3:])
    return allowed


def read_judges(path):
    """[(name, type, {field: value})]"""
    rows = []
    with open(path) as f:
        for line in f:
            head = line.split(None, 2)
            if len(head) == 3 and not line.startswith("#"):
                rows.append((absolute(head[0]), head[1], dict(
                    (k, v.strip('"')) for k, v in re.findall(r'(\w+)=("[^"]*"|\S+)', head[2]))))
    return rows


def opinions(fields):
    """The verdicts of the judges, in our words."""
    said = {}
    if "unbound" in fields:
        said["unbound"] = {"servfail": "bogus", "silent": None}.get(fields["unbound"], fields["unbound"])
    delv = fields.get("delv", "")
    parts = [p for p in delv.split("|") if p and not p.startswith("failed: ncache")]  # the weakest link decides
    if any(p.startswith("failed") for p in parts):
        said["delv"] = "bogus"
    elif any("unsigned answer" in p for p in parts):
        said["delv"] = "insecure"
    elif parts and all("fully validated" in p for p in parts):
        said["delv"] = "secure"
    return {k: v for k, v in said.items() if v}


class Report:
    def __init__(self):
        self.passed, self.failed, self.pending, self.rows = 0, 0, 0, []

    def check(self, good, scenario, what, wanted, got):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            self.rows.append((scenario, what, wanted, got))

    def pend(self, scenario, what):
        self.pending += 1
        self.rows.append((scenario, what, "pending", "not found"))

    def print(self):
        if self.rows:
            table = [("SCENARIO", "STATEMENT", "EXPECTED", "GOT")] + self.rows
            widths = [max(len(str(row[i])) for row in table) for i in range(3)]
            for row in table:
                print("  ".join(str(row[i]).ljust(widths[i]) for i in range(3)) + "  " + str(row[3]))
        if self.pending:
            print(f"{self.pending} pending")
        print(f"{self.passed} passed, {self.failed} failed")


def found(outcome, rules, zone, states=None):
    rules = rules.split("|")
    return [f for f in outcome.findings if f.get("rule") in rules and
            (zone is None or absolute(f.get("zone") or "") == absolute(zone))]


def check_expectation(report, scenario, outcome, path, allowed):
    listed, ceiling = set(), None
    for words in statements(path):
        verb, rest = words[0], words[1:]
        zone = rest[1] if len(rest) > 1 else None
        if verb == "verdict":
            question = (absolute(rest[0]), rest[1])
            got = outcome.last.get(question)
            good = got is not None and got[0] == rest[2] and (len(rest) < 4 or got[1] in rest[3:])
            if rest[2] == "not-checkable":
                good = any(v == rest[2] and (len(rest) < 4 or r in rest[3:]) for v, r in outcome.all[question])
            if not good and got and got[0] in allowed.get((scenario,) + question, ()):
                good = True
            report.check(good, scenario, " ".join(rest[:2]), " ".join(rest[2:]), " ".join(got) if got else "no verdict")
        elif verb == "not-verdict":
            question = (absolute(rest[0]), rest[1])
            wrong = [v for v in outcome.all[question] if v[0] == rest[2]]
            report.check(question in outcome.last and not wrong, scenario, " ".join(words), "never " + rest[2],
                         " ".join(wrong[0]) if wrong else "no verdict")
        elif verb == "never":
            below = [q for q in outcome.all if q[0].endswith("." + absolute(rest[1]))]
            wrong = [q for q in below if any(v == rest[0] for v, _ in outcome.all[q])]
            report.check(below and not wrong, scenario, " ".join(words), "never", " ".join(wrong[0]) if wrong else "no verdict")
        elif verb == "retro":
            question = (absolute(rest[0]), rest[1])
            report.check(question in outcome.retro, scenario, " ".join(words), "revised", "not revised")
        elif verb == "closed":
            listed.update(rest[0].split("|"))
            states = {f.get("state") for f in found(outcome, rest[0], zone)}
            report.check(states == {"closed"}, scenario, " ".join(words), "closed", " ".join(sorted(states)) or "not found")
        elif verb == "seen":
            counts = {f.get("count") for f in found(outcome, rest[1], rest[2] if len(rest) > 2 else None)}
            report.check(counts == {int(rest[0])}, scenario, " ".join(words), rest[0], " ".join(map(str, counts)) or "not found")
        elif verb == "stands":
            listed.update(rest[0].split("|"))
            good = [f for f in found(outcome, rest[0], zone) if f.get("state") != "closed" and
                    f.get("severity") not in ("info", "low")]
            report.check(bool(good), scenario, " ".join(words), "open, medium or above", ", ".join(sorted(
                f"{f.get('severity')} {f.get('rule')} {f.get('state')}" for f in found(outcome, rest[0], zone))) or "not found")
        elif verb in ("finding", "want"):
            listed.update(rest[0].split("|"))
            if found(outcome, rest[0], zone) or verb == "finding":
                report.check(bool(found(outcome, rest[0], zone)), scenario, " ".join(words), "found",
                             "only " + (", ".join(sorted({f.get("rule", "?") for f in outcome.findings})) or "nothing"))
            else:
                report.pend(scenario, " ".join(words))
        elif verb == "no-finding":
            wrong = found(outcome, rest[0], zone)
            report.check(not wrong, scenario, " ".join(words), "absent", wrong[0].get("summary", "") if wrong else "")
        elif verb == "may":
            listed.update(rest[0].split("|"))
        elif verb == "only":
            ceiling = ("low", listed)
        elif verb == "no-finding-above":
            ceiling = (rest[0], set())
        elif verb not in ("baseline", "no-baseline"):
            report.check(False, scenario, " ".join(words), "a known statement", "unknown")
    if ceiling:
        above = [f for f in outcome.findings if f.get("rule") not in ceiling[1] and
                 SEVERITIES.index(f.get("severity", "critical")) > SEVERITIES.index(ceiling[0])]
        report.check(not above, scenario, f"nothing else above {ceiling[0]}", "nothing",
                     "; ".join(sorted({f"{f.get('rule')} {f.get('zone')}" for f in above})))


def check_judges(report, scenario, outcome, path, allowed):
    """Our verdict of each question must be the judges'; where they disagree, one of theirs."""
    for name, kind, fields in read_judges(path):
        said = opinions(fields)
        if not said:
            continue
        verdict, reason = outcome.last.get((name, kind), ("no verdict", ""))
        good = verdict in said.values() or verdict in allowed.get((scenario, name, kind), ())
        report.check(good, scenario, f"{name} {kind}", " ".join(f"{k}={v}" for k, v in said.items()) +
                     (f" ede={fields['ede']}" if fields.get("ede", "-") != "-" else ""), f"{verdict} {reason}".strip())


def check_zones(report, scenario, verdicts, path, allowed):
    """ldns-verify-zone and dnssec-verify agree: of a sound zone nothing is bogus, of a broken one something is.

    verdicts: {(name, type): {verdict…}}, ours or a judge's. Where the two tools disagree, nothing is asked.
    """
    zones = {z: f for z, f in read_zones(path)}
    asked = collections.defaultdict(dict)
    for (name, kind), verdict in verdicts.items():
        labels = name.split(".")
        above = [".".join(labels[i:]) or "." for i in range(len(labels))]
        zone = next((z for z in above[1 if kind == "DS" else 0:] if z in zones), None)
        if zone and zone not in (".", "test."):  # what is bogus below a cut says nothing of the zone above
            asked[zone][(name, kind)] = verdict
    for zone, questions in sorted(asked.items()):
        tools = set(zones[zone].values())
        if len(tools) > 1:
            continue
        bogus = [q for q, v in questions.items() if "bogus" in v]
        good = not bogus if tools == {"good"} else bool(bogus)
        good = good or "zone" in allowed.get((scenario, zone, "-"), ())
        report.check(good, scenario, f"zone {zone}", f"ldns-verify-zone, dnssec-verify: {tools.pop()}",
                     "bogus: " + (" ".join(bogus[0]) if bogus else "nothing"))


def read_zones(path):
    if os.path.exists(path):
        for words in statements(path):
            yield absolute(words[0]), dict(w.split("=") for w in words[1:])


def scenarios(folder, wanted):
    names = sorted({f.rsplit(".", 1)[0] for f in os.listdir(folder) if f.endswith((".expect", ".judges"))})
    return [n for n in names if not wanted or n in wanted]


def baseline_of(path):
    for words in statements(path) if os.path.exists(path) else ():
        if words[0] == "baseline":
            return words[1]
    return None


def check_unaided(report, scenario, outcome, program, folder):
    """What an owner declared makes findings; a verdict rests on what was observed alone."""
    bare, problem = replay(program, folder, scenario, None)
    report.check(not problem, scenario, "replay without baseline", "exit status 0", problem)
    theirs, ours = bare.frames, outcome.frames
    moved = sorted(n for n in theirs.keys() | ours.keys() if theirs.get(n) != ours.get(n))
    report.check(not moved, scenario, "verdicts with the baseline and without", "the same", ", ".join(
        f"frame {n}: {ours.get(n)}, without {theirs.get(n)}" for n in moved[:3]))


def main_replay(program, folder, wanted):
    report, allowed = Report(), read_differences(folder)
    for name in scenarios(folder, wanted):
        expect, judges = (os.path.join(folder, name + suffix) for suffix in (".expect", ".judges"))
        baseline = baseline_of(expect)
        outcome, problem = replay(program, folder, name, baseline)
        report.check(not problem, name, "replay", "exit status 0", problem)
        if problem:
            continue
        if baseline:
            check_unaided(report, name, outcome, program, folder)
        if os.path.exists(expect):
            check_expectation(report, name, outcome, expect, allowed)
        if os.path.exists(judges) and (not os.path.exists(expect) or name.startswith("differential-")):
            check_judges(report, name, outcome, judges, allowed)
        check_zones(report, name, {q: {v} for q, (v, _) in outcome.last.items()}, os.path.join(folder, name + ".zones"), allowed)
    if not wanted:
        coverage.check(report, program, folder, statements)
    report.print()
    return report.failed == 0


def main_judges(folder, wanted):
    report, allowed = Report(), read_differences(folder)
    for name in scenarios(folder, wanted):
        expect, judges = (os.path.join(folder, name + suffix) for suffix in (".expect", ".judges"))
        if not os.path.exists(judges):
            continue
        said = {(n, k): opinions(f) for n, k, f in read_judges(judges)}
        check_zones(report, name, {q: set(v.values()) for q, v in said.items()}, os.path.join(folder, name + ".zones"), allowed)
        if not os.path.exists(expect):
            continue
        for words in statements(expect):
            question = (absolute(words[1]), words[2]) if words[0] == "verdict" else None
            if question in said:
                for judge, verdict in said[question].items():
                    good = verdict == words[3] or "judge:" + judge in allowed.get((name,) + question, ())
                    report.check(good, name, " ".join(words[1:3]), words[3], f"{judge}: {verdict}")
    report.print()
    return report.failed == 0


if __name__ == "__main__":
    if len(sys.argv) > 3 and sys.argv[1] == "replay":
        good = main_replay(sys.argv[2], sys.argv[3], sys.argv[4:])
    elif len(sys.argv) > 2 and sys.argv[1] == "judges":
        good = main_judges(sys.argv[2], sys.argv[3:])
    else:
        raise SystemExit(__doc__)
    sys.exit(0 if good else 1)
