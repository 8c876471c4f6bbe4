"""Situations about the denial of existence: parameters, contradictions, and who walks a zone.

Imported by situations.py, which knows them by name.
"""
import random

from zones import HOUR, Zone

NSEC3 = (0, "-", False)
OPTOUT = (0, "-", True)
HOSTS = [f"{word}{n}" for word in ("alpha", "delta", "gamma", "node", "printer", "srv", "web") for n in range(1, 7)]
LINES = [f"{h}.@ 300 IN A 192.0.2.{i + 1}" for i, h in enumerate(HOSTS)] + ["*.wild.@ 300 IN A 192.0.2.99"]


def hosts(name, nsec3=None, **more):
    return Zone(name, nsec3=nsec3, lines=list(LINES), ns=("ns1",), **more)


def many_users(w):
    """Typing errors, hosts that have no IPv6 address, and ordinary look-ups, in no order."""
    draw = random.Random(20261122)
    questions = []
    for zone in ("nsec.test.", "nsec3.test."):
        for _ in range(36):
            wrong = "".join(draw.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(draw.randint(3, 9)))
            questions.append((f"{wrong}.{zone}", "A"))
        questions += [(f"{h}.{zone}", t) for h in HOSTS[::4] for t in ("A", "AAAA")]
    draw.shuffle(questions)
    # and a script of the owner's that looks every host up in order
    questions += [(f"{h}.nsec.test.", "AAAA") for h in sorted(HOSTS)]
    return [hosts("nsec.test."), hosts("nsec3.test.", NSEC3)], questions, [
        "no-finding zone-walk", "no-finding denial-broken|denial-missing|denial-contradicted", "no-finding-above low"]


def walk_nsec(w):
    zones = [hosts("nsec.test."), hosts("other.test.")]
    return zones, [("alpha1.nsec.test.", "A"), ("alpha1.other.test.", "A")], [
        "finding zone-walk nsec.test.", "no-finding zone-walk other.test.", "may zone-walk", "only"]


def walk_nsec3(w):
    zones = [hosts("nsec3.test.", NSEC3), hosts("other.test.", NSEC3)]
    return zones, [("alpha1.nsec3.test.", "A"), ("alpha1.other.test.", "A")], [
        "finding zone-walk nsec3.test.", "no-finding zone-walk other.test.", "may zone-walk", "only"]


def version(serial, hours, *extra):
    """One state of stages.test., signed so many hours ago."""
    return Zone("stages.test.", lines=["mail.@ 300 IN A 192.0.2.25", "zz.@ 300 IN A 192.0.2.26"], serial=serial,
                start=-hours * HOUR, extra=[f"{n}.@ 300 IN A 192.0.2.80" for n in extra])


STAGES = [("mail.stages.test.", "A"), ("nx.stages.test.", "A"), ("www.stages.test.", "A"), ("stages.test.", "SOA"),
          ("www.stages.test.", "AAAA")]


def contradicted(w):
    """A server that has the name goes back to a state without it, and returns; the old proofs are still valid."""
    return [version(2, 1, "www")], STAGES, ["finding denial-contradicted stages.test.", "may soa-serial-back", "only"]


def added_and_removed(w):
    """A name is added and removed again, each time with a new serial, and one server is always late."""
    return [version(1, 5)], STAGES, ["no-finding denial-contradicted|denial-broken|denial-missing", "only"]


def declared(name):
    return {"zones-nsec3": parameters_sound}.get(name, lambda: None)()


def parameters_sound():
    return [Zone("iterated.test.", nsec3=NSEC3), Zone("salted.test.", nsec3=NSEC3), Zone("optout.test.", nsec3=NSEC3),
            Zone("servers.test.", nsec3=NSEC3), Zone("fine.test.", nsec3=NSEC3)]


def parameters(w):
    zones = [Zone("iterated.test.", nsec3=(10, "-", False)), Zone("salted.test.", nsec3=(0, "AABBCCDD", False)),
             Zone("optout.test.", nsec3=OPTOUT), Zone("servers.test.", nsec3=NSEC3), Zone("fine.test.", nsec3=NSEC3)]
    q = [(f"{n}.{z.name}", "A") for z in zones for n in ("nx", "nx1", "nx2", "nx3", "nx4", "nx5", "nx6", "nx7")]
    return zones, q, [f"finding nsec3-parameters {z}.test." for z in ("iterated", "salted", "optout", "servers")] + [
        "no-finding nsec3-parameters fine.test.", "may servers-disagree", "only"]


def policies(w):
    return {"zones-nsec3": {z.name: f"zone: {z.name}\nstrict: true\n" for z in parameters_sound()}}


BASELINES = ["zones-nsec3"]


def register(situation, policy):
    situation("denial-many-users", baseline=None)(many_users)
    situation("zone-walk-nsec", recipe="walk", baseline=None)(walk_nsec)
    situation("zone-walk-nsec3", recipe="guess", baseline=None)(walk_nsec3)
    situation("denial-contradicted", recipe="stages", baseline=None,
              stages=lambda: [version(1, 3), version(2, 1, "www")])(contradicted)
    situation("name-added-and-removed", recipe="stages", baseline=None,
              stages=lambda: [version(2, 4, "www"), version(3, 3), version(3, 3)])(added_and_removed)
    situation("nsec3-parameters", baseline="zones-nsec3",
              second=lambda: Zone("servers.test.", nsec3=(0, "0102030405060708", False)))(parameters)
