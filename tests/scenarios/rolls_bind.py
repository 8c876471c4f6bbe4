#!/usr/bin/python3
"""KSK rolls that BIND carries out on its operator's word, beside the parent of rolls_auto.py, whose verbs these are.

rolls_bind.py WORK VERB …                     build, parent, questions, expect, baseline, zones: see rolls_auto.py
rolls_bind.py WORK follows ZONE               may the parent follow that zone's CDS? exit status

bind-planned.test.    rolled by the book, and the owner said so beforehand
bind-unplanned.test.  the same roll at the same time, of which the owner knows nothing
bind-hasty.test.      planned, but the operator tells BIND that the DS were exchanged when the parent has not done it
"""
import sys

import rolls_auto

PLANNED, UNPLANNED, HASTY = "bind-planned.test.", "bind-unplanned.test.", "bind-hasty.test."
rolls_auto.ZONES = {PLANNED: ("ns2", "ksk-rollover"), UNPLANNED: ("ns2", None), HASTY: ("ns2", "ksk-rollover")}


def expect_text():
    return "\n".join([
        "baseline zones-rolls-bind",
        f"never bogus {PLANNED}", f"never bogus {UNPLANNED}",
        # the near miss: whatever BIND does in its own time is as it should be
        f"finding roll-progress {PLANNED}",
        "no-finding roll-unplanned|roll-unsafe|key-unknown|key-withdrawn|key-withdrawn-early|ds-unknown|ds-mismatch|"
        f"ds-removed|cds-unexpected|cds-inconsistent|rrsig-unknown-key|key-not-secure-entry {PLANNED}",
        f"finding roll-unplanned {UNPLANNED}", f"finding key-unknown {UNPLANNED}", f"finding ds-unknown {UNPLANNED}",
        f"finding cds-unexpected {UNPLANNED}", f"finding key-withdrawn {UNPLANNED}",
        f"no-finding roll-unsafe|ds-mismatch|ds-removed|cds-inconsistent|key-withdrawn-early {UNPLANNED}",
        f"finding roll-unsafe {HASTY}", f"finding ds-mismatch {HASTY}",
        f"no-finding roll-unplanned|key-unknown|ds-removed {HASTY}",
        # what everybody behind the resolver sees of it
        f"may zone-dark|servfail-spike|validation-split|key-not-secure-entry|cds-inconsistent {HASTY}",
        "only"]) + "\n"


def baseline(w, folder):
    rolls_auto.baseline(w, folder)
    with open(f"{folder}/{UNPLANNED.rstrip('.')}.yaml", "w") as f:
        f.write(f"zone: {UNPLANNED}\nstrict: true\n")


if __name__ == "__main__":
    if sys.argv[2] == "follows":
        sys.exit(sys.argv[3] == HASTY)
    elif sys.argv[2] == "expect":
        with open(sys.argv[4], "w") as out:
            out.write(expect_text())
    elif sys.argv[2] == "baseline":
        baseline(rolls_auto.Work(sys.argv[1]), sys.argv[3])
    else:
        sys.exit(rolls_auto.main(sys.argv))
