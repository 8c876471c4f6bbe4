"""Is every rule of the catalogue shown to fire by a recording, and to stay away where it comes close?

Imported by check.py. A rule fires where an .expect states `finding`, `closed` or `stands` of it alone; a near miss is a
`no-finding` that names it. What no capture can show is shown by a test that makes it happen.
"""
import os
import subprocess

# rule: (test that makes it fire, test or recording that denies it); paths from tests/
ELSEWHERE = {
    "sensor-loss": ("scenarios/mirrors.py", "scenarios/healthy-mixed.expect"),
    "sensor-clock": ("lab/30-sensor-itself.sh", "scenarios/healthy-mixed.expect"),
    "sensor-storage": ("lab/30-sensor-itself.sh", "lab/30-sensor-itself.sh"),
    "sensor-confinement": ("lab/30-sensor-itself.sh", "lab/30-sensor-itself.sh"),
}


def working(program):
    """The ids of the rules that work, as the program lists them."""
    said = subprocess.run([program, "rules", "list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    rows = [line.split() for line in said.stdout.splitlines()]
    return [r[0] for r in rows if len(r) > 3 and r[-1] == "works"]


def mentions(path, rule):
    if not os.path.exists(path):
        return False
    with open(path) as f:
        return rule in f.read()


def check(report, program, folder, statements):
    """`statements(path)` gives the words of each statement of an .expect."""
    fires, denied = set(), set()
    for name in sorted(os.listdir(folder)):
        for words in statements(os.path.join(folder, name)) if name.endswith(".expect") else ():
            if words[0] in ("finding", "closed", "stands") and "|" not in words[1]:
                fires.add(words[1])
            elif words[0] == "no-finding":
                denied.update(words[1].split("|"))
    for rule in working(program):
        places = [os.path.join(folder, "..", p) for p in ELSEWHERE.get(rule, ())]
        fired = rule in fires or bool(places) and mentions(places[0], rule)
        missed = rule in denied or bool(places) and mentions(places[1], rule)
        report.check(fired, "every rule", rule, "fires in a recording", "no .expect says so")
        report.check(missed, "every rule", rule, "has a near miss", "no .expect says so")
