#!/usr/bin/python3
"""Healthy traffic: zones, servers' configurations, and the people around them, for 20-healthy-hour.sh.

healthy.py WORK build            keys, zone files and configurations of the servers that sign by themselves
healthy.py WORK delegate         parents, once all keys are known, and the trust anchor
healthy.py WORK baseline FOLDER SECONDS   zone files as transferred now, policies with windows that long
healthy.py WORK signer SECONDS   re-signs the zones of nsd: pre-publish ZSK rolls with their cache times
healthy.py WORK registry SECONDS follows the CDS of a zone into its DS, as a parent does (RFC 7344)
healthy.py WORK updates SECONDS  dynamic updates, and a monitor that asks the servers themselves
healthy.py WORK clients SECONDS RATE      what clients ask of both resolvers

Nothing here is broken and nothing comes before its time: every step of a roll waits for the caches (RFC 7583).
What a zone is for stands in ZONES. All randomness is seeded with HEALTHY_SEED (default 1).
"""
import os
import random
import shutil
import subprocess
import sys
import time

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.update

DAY = 86400
ADDRESS = {"ns1": ("10.53.0.3", "fd53::3"), "ns2": ("10.53.0.4", "fd53::4"), "ns3": ("10.53.0.5", "fd53::5"),
           "ns4": ("10.53.0.6", "fd53::6"), "ns5": ("10.53.0.7", "fd53::7")}
ROOT, TLD = ("10.53.0.1", "fd53::1"), ("10.53.0.2", "fd53::2")
ALG = {8: "RSASHA256", 13: "ECDSAP256SHA256", 15: "ED25519"}


class Zone:
    """kind: script (nsd, dnssec-signzone), knot, bind, pdns, plain (nsd, unsigned)."""

    def __init__(self, name, kind, alg=13, ttl=20, nsec3=None, roll=False, ns=None, bits=2048, baseline=False, extra=()):
        self.name, self.kind, self.alg, self.ttl, self.nsec3, self.roll = name, kind, alg, ttl, nsec3, roll
        self.ns = ns or {"script": ["ns1"], "plain": ["ns1"], "knot": ["ns2"], "bind": ["ns3"], "pdns": ["ns4"]}[kind]
        self.bits, self.baseline, self.extra = bits, baseline, list(extra)
        self.file = name.rstrip(".") + ".zone"

    def records(self, serial=1):
        z, out = self.name, []
        out.append(f"{z} {self.ttl} IN SOA {self.ns[0]}.net.test. hostmaster.net.test. {serial} 300 60 86400 {min(self.ttl, 30)}")
        out += [f"{z} {self.ttl} IN NS {n}.net.test." for n in self.ns]
        n = sum(z.encode()) % 200
        out += [f"{z} {self.ttl} IN A 192.0.2.{n}", f"{z} {self.ttl} IN MX 10 mail.{z}",
                f'{z} {self.ttl} IN TXT "v=spf1 mx -all"', f"mail.{z} {self.ttl} IN A 192.0.2.{n + 1}",
                f"www.{z} {max(5, self.ttl // 4)} IN A 192.0.2.{n + 2}", f"www.{z} {max(5, self.ttl // 4)} IN AAAA 2001:db8::{n:x}",
                f"api.{z} 5 IN A 192.0.2.{n + 3}", f"alias.{z} {self.ttl} IN CNAME www.{z}",
                f"*.wild.{z} {self.ttl} IN A 192.0.2.{n + 4}", f"old.{z} {self.ttl} IN DNAME new.{z}",
                f"a.new.{z} {self.ttl} IN A 192.0.2.{n + 5}", f"a.b.c.{z} {self.ttl} IN TXT \"empty non-terminals above\""]
        for i in range(8):
            out.append(f"host{i}.{z} {(5, 10, 20, 60)[(n + i) % 4] if self.ttl > 10 else 5} IN A 192.0.2.{(n + 10 + i) % 250}")
        return out + [e.replace("@", z) for e in self.extra]


ZONES = [
    Zone("net.test.", "script", ttl=60, baseline=True),                              # nothing ever changes
    Zone("roll1.test.", "script", alg=8, ttl=20, roll=True, baseline=True),          # RSA, NSEC, planned
    Zone("roll2.test.", "script", alg=15, ttl=30, nsec3="-", roll=True),             # NSEC3, nobody declared anything
    Zone("child.roll1.test.", "script", ttl=10),                                     # signed below signed
    Zone("big.test.", "script", alg=8, ttl=15, bits=4096, baseline=True,
         extra=[f'@ 15 IN TXT "{"x" * 200}{i}"' for i in range(12)]),                # fragments, truncation, TCP
    Zone("plain.test.", "plain", ttl=15, extra=["alias2.@ 10 IN CNAME www.knot1.test."]),
    Zone("plain.roll1.test.", "plain", ttl=10),                                      # insecure under NSEC
    Zone("knot1.test.", "knot", ttl=15, roll=True, baseline=True),                   # automatic ZSK rolls
    Zone("knot2.test.", "knot", alg=15, ttl=20, nsec3="-", roll=True, ns=["ns2", "ns5"]),  # ZSK and KSK, CDS
    Zone("knot3.test.", "knot", ttl=30),                                             # CSK, short signatures
    Zone("bind1.test.", "bind", ttl=20, roll=True, ns=["ns3", "ns5"], baseline=True),  # dynamic, transferred
    Zone("bind2.test.", "bind", alg=8, ttl=30, nsec3="-", roll=True),
    Zone("pdns1.test.", "pdns", ttl=15, nsec3="narrow", roll=True),                  # signed while answering
    Zone("pdns2.test.", "pdns", ttl=60),                                             # CSK
]
BY_NAME = {z.name: z for z in ZONES}
PACE = float(os.environ.get("HEALTHY_PACE", "1"))  # below 1: automatic rolls come sooner
random.seed(int(os.environ.get("HEALTHY_SEED", "1")))


def run(*args, **options):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(args)}: {done.stderr}{done.stdout}")
    return done.stdout


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


# --- signing with dnssec-signzone --------------------------------------------------------------------------------

class Signed:
    """A zone that a script signs: its keys, its serial, who signs now."""

    def __init__(self, work, name, records, alg, nsec3, folder, bits=2048, ttl=20, ksks=1):
        self.work, self.name, self.records, self.alg, self.nsec3 = work, name, records, alg, nsec3
        self.folder, self.ttl, self.serial, self.bits = folder, ttl, 0, bits
        self.keys = os.path.join(work, "keys")
        os.makedirs(self.keys, exist_ok=True)
        self.ksks = [self.keygen(True) for _ in range(ksks)]
        self.published, self.signing = [self.keygen(False)], 0

    def keygen(self, ksk):
        args = ["dnssec-keygen", "-q", "-K", self.keys, "-a", ALG[self.alg]]
        if self.alg == 8:
            args += ["-b", str(self.bits if ksk else 2048)]
        return run(*args, *(["-f", "KSK"] if ksk else []), self.name).split()[-1]

    def dnskey(self, base):
        with open(os.path.join(self.keys, base + ".key")) as f:
            line = [x for x in f if not x.startswith(";")][0].split("DNSKEY", 1)[1].strip()
        return dns.rdata.from_text("IN", "DNSKEY", line)

    def ds(self):
        return [f"{self.name} {self.ttl} IN DS {dns.dnssec.make_ds(self.name, self.dnskey(self.ksks[0]), 'SHA256').to_text()}"]

    def sign(self):
        self.serial += 1
        base = self.name.rstrip(".") or "root"
        source = os.path.join(self.work, "unsigned", base)
        lines = self.records(self.serial)
        lines += [f"{self.name} {self.ttl} IN DNSKEY {self.dnskey(k).to_text()}" for k in self.ksks + self.published]
        write(source, "\n".join(lines) + "\n")
        target = os.path.join(self.folder, base + ".zone")
        args = ["dnssec-signzone", "-q", "-P", "-o", self.name, "-K", self.keys, "-e", f"+{14 * DAY}", "-j", "7200",
                "-f", target + ".new", "-d", self.keys]
        if self.nsec3:
            args += ["-3", "-", "-H", "0"] + (["-A"] if self.nsec3 == "optout" else [])
        for ksk in self.ksks[:1]:
            args += ["-k", os.path.join(self.keys, ksk)]
        run(*args, source, os.path.join(self.keys, self.published[self.signing]))
        os.rename(target + ".new", target)


def script_zone(work, zone):
    return Signed(work, zone.name, zone.records, zone.alg, zone.nsec3, os.path.join(work, "ns1"), zone.bits, zone.ttl,
                  2 if zone.name == "big.test." else 1)


# --- build -------------------------------------------------------------------------------------------------------

def knot_conf(work):
    out = [f"server:\n  rundir: {work}/knot\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n  udp-max-payload: 4096"]
    out += [f"  listen: {a}@53" for a in ADDRESS["ns2"]]
    pace = lambda s: max(45, int(s * PACE))
    out.append(f"""log:
  - target: stderr
    any: info
database:
  storage: {work}/knot
remote:
  - id: second
    address: {ADDRESS["ns5"][0]}@53
  - id: parent
    address: {TLD[0]}@53
acl:
  - id: xfr
    address: [{", ".join(ADDRESS["ns5"])}]
    action: transfer
submission:
  - id: parent
    parent: parent
    check-interval: 5
    parent-delay: 40
policy:
  - id: knot1.test.
    algorithm: ecdsap256sha256
    zsk-lifetime: {pace(300)}
    propagation-delay: 3
    dnskey-ttl: 15
    zone-max-ttl: {"10" if PACE < 1 else "60"}
    rrsig-lifetime: 14d
    rrsig-refresh: 7d
    cds-cdnskey-publish: none
  - id: knot2.test.
    algorithm: ed25519
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
    zsk-lifetime: {pace(500)}
    ksk-lifetime: {pace(800)}
    ksk-submission: parent
    propagation-delay: 5
    dnskey-ttl: 20
    zone-max-ttl: 60
    rrsig-lifetime: 10d
    rrsig-refresh: 5d
  - id: knot3.test.
    algorithm: ecdsap256sha256
    single-type-signing: on
    propagation-delay: 10
    dnskey-ttl: 30
    zone-max-ttl: 60
    rrsig-lifetime: 2h
    rrsig-refresh: 1h
    rrsig-pre-refresh: 10m
    cds-cdnskey-publish: none
zone:""")
    for zone in ZONES:
        if zone.kind == "knot":
            out.append(f"  - domain: {zone.name}\n    storage: {work}/ns2\n    file: {zone.file}\n    zonefile-sync: -1\n"
                       f"    zonefile-load: whole\n    journal-content: changes\n    dnssec-signing: on\n    dnssec-policy: {zone.name}\n"
                       f"    semantic-checks: off" + ("\n    notify: second\n    acl: xfr" if "ns5" in zone.ns else ""))
    return "\n".join(out) + "\n"


def named_conf(work):
    policy = """dnssec-policy "%s" {
 keys { ksk lifetime unlimited algorithm %s; zsk lifetime PT%dS algorithm %s; };
 dnskey-ttl 20; publish-safety PT5S; retire-safety PT5S; zone-propagation-delay PT5S; max-zone-ttl 60;
 signatures-validity PT60M; signatures-validity-dnskey PT60M; signatures-refresh PT52M; signatures-jitter PT4M;
 parent-ds-ttl 30; parent-propagation-delay PT5S; %s
};
"""
    out = [f"""options {{ directory "{work}/ns3"; listen-on {{ {ADDRESS["ns3"][0]}; }}; listen-on-v6 {{ {ADDRESS["ns3"][1]}; }};
 recursion no; pid-file "{work}/named.pid"; session-keyfile "{work}/session.key"; notify explicit; dnssec-validation no;
 max-udp-size 4096; edns-udp-size 4096; allow-transfer {{ {"; ".join(ADDRESS["ns5"])}; 127.0.0.1; }}; }};
key "rndc" {{ algorithm hmac-sha256; secret "aGVhbHRoeS10cmFmZmljLW9mLXRoZS1sYWI="; }};
controls {{ inet 127.0.0.1 port 953 allow {{ 127.0.0.1; }} keys {{ "rndc"; }}; }};
"""]
    for zone in ZONES:
        if zone.kind == "bind":
            alg = ALG[zone.alg].lower()
            out.append(policy % (zone.name, alg, 960 if zone.name == "bind1.test." else 1140, alg,
                                 "nsec3param iterations 0 optout no salt-length 0;" if zone.nsec3 else ""))
            dynamic = "ns5" in zone.ns
            out.append(f'zone "{zone.name}" {{ type primary; file "{work}/ns3/{zone.file}"; key-directory "{work}/ns3"; '
                       f'dnssec-policy "{zone.name}"; ' +
                       (f'allow-update {{ 10.53.0.66; }}; also-notify {{ {ADDRESS["ns5"][0]}; }}; ' if dynamic else "inline-signing yes; ") +
                       "};\n")
    write(f"{work}/rndc.conf", 'key "rndc" { algorithm hmac-sha256; secret "aGVhbHRoeS10cmFmZmljLW9mLXRoZS1sYWI="; };\n'
          'options { default-key "rndc"; default-server 127.0.0.1; default-port 953; };\n')
    return "".join(out)


def nsd_conf(work, role, addresses, zones, extra=""):
    out = ["server:"] + [f"  ip-address: {a}" for a in addresses]
    out.append(f"""  port: 53
  username: ""
  database: ""
  zonesdir: "{work}/{role}"
  xfrdfile: "{work}/{role}.xfrd"
  xfrdir: "{work}"
  pidfile: "{work}/{role}.pid"
  zonelistfile: "{work}/{role}.list"
  server-count: 1
  ipv4-edns-size: 4096
  ipv6-edns-size: 4096
  minimal-responses: no
  rrl-ratelimit: 0
remote-control:
  control-enable: no""")
    for name, file, more in zones:
        out.append(f'zone:\n  name: "{name}"\n  zonefile: "{file}"{more}')
    write(f"{work}/{role}.conf", "\n".join(out) + "\n" + extra)


def build(work):
    for role in ("ns1", "ns2", "ns3", "ns4", "ns5", "root", "tld", "knot", "state"):
        os.makedirs(f"{work}/{role}", exist_ok=True)
    for zone in ZONES:
        if zone.kind in ("knot", "bind"):
            write(f"{work}/{zone.ns[0]}/{zone.file}", "\n".join(zone.records()) + "\n")
        elif zone.kind == "plain":
            write(f"{work}/ns1/{zone.file}", "\n".join(zone.records()) + "\n")
    write(f"{work}/knot.conf", knot_conf(work))
    write(f"{work}/named.conf", named_conf(work))
    nsd_conf(work, "ns5", ADDRESS["ns5"], [
        (z.name, z.file, "".join(f"\n  allow-notify: {a} NOKEY" for a in ADDRESS[z.ns[0]]) +
         f"\n  request-xfr: {ADDRESS[z.ns[0]][0]} NOKEY") for z in ZONES if "ns5" in z.ns])
    pdns = f"{work}/pdns.sqlite"
    write(f"{work}/pdns.conf", f"""launch=gsqlite3
gsqlite3-database={pdns}
gsqlite3-dnssec=yes
local-address={",".join(ADDRESS["ns4"])}
socket-dir={work}
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
dnssec-key-cache-ttl=0
zone-metadata-cache-ttl=0
zone-cache-refresh-interval=0
udp-truncation-threshold=1232
guardian=no
dname-processing=yes
daemon=no
""")
    run("sqlite3", pdns, ".read /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
    for zone in ZONES:
        if zone.kind != "pdns":
            continue
        write(f"{work}/ns4/{zone.file}", "\n".join(zone.records()) + "\n")
        util = lambda *a: run("pdnsutil", "--config-dir", work, *a)
        util("load-zone", zone.name, f"{work}/ns4/{zone.file}")
        if zone.roll:
            util("add-zone-key", zone.name, "ksk", "active", "ecdsa256")
            util("add-zone-key", zone.name, "zsk", "active", "ecdsa256")
        else:
            util("secure-zone", zone.name)
        if zone.nsec3:
            util("set-nsec3", zone.name, "1 0 0 -", "narrow")
        util("rectify-zone", zone.name)


# --- the parents ---------------------------------------------------------------------------------------------------

def cut(zone, ds):
    """What a parent holds of a child."""
    return [f"{zone.name} 60 IN NS {n}.net.test." for n in zone.ns] + ds


def glue():
    out = []
    for name, (four, six) in ADDRESS.items():
        out += [f"{name}.net.test. 60 IN A {four}", f"{name}.net.test. 60 IN AAAA {six}"]
    return out


def keys_at(zone, address):
    """The DNSKEY RRset that a server has now."""
    for _ in range(100):
        try:
            answer = dns.query.tcp(dns.message.make_query(zone, "DNSKEY", want_dnssec=True), address, timeout=2)
            found = [s for s in answer.answer if s.rdtype == dns.rdatatype.DNSKEY]
            if found:
                return found[0]
        except (OSError, dns.exception.DNSException):
            pass
        time.sleep(0.2)
    sys.exit(f"{zone} has no DNSKEY at {address}")


def ds_of(zone, address, ttl=30):
    return [f"{zone} {ttl} IN DS {dns.dnssec.make_ds(zone, key, 'SHA256').to_text()}"
            for key in keys_at(zone, address) if key.flags & 1]


def delegate(work):
    """Signs everything that a script signs, leaves first."""
    import pickle
    ds, scripts = {}, {}
    for zone in ZONES:
        if zone.kind == "script":
            if zone.name == "net.test.":
                zone.extra += glue()
            scripts[zone.name] = (zone, script_zone(work, zone))
            ds[zone.name] = scripts[zone.name][1].ds()
        elif zone.kind != "plain":
            ds[zone.name] = ds_of(zone.name, ADDRESS[zone.ns[0]][0])
    for zone in ZONES:  # cuts below another of these zones
        for parent in ZONES:
            if zone is not parent and zone.name.endswith("." + parent.name):
                parent.extra += cut(zone, ds.get(zone.name, []))
    for zone, signed in scripts.values():
        signed.sign()
    tld = Signed(work, "test.", None, 13, "optout", f"{work}/tld", ttl=30)
    root = Signed(work, ".", None, 8, None, f"{work}/root", ttl=60)
    children = {z.name: ds.get(z.name, []) for z in ZONES if z.name.count(".") == 2}
    save(work, {"scripts": {n: s for n, (z, s) in scripts.items()}, "tld": tld, "root": root, "children": children})
    parent_sign(work, tld, children)
    root.records = lambda serial: [
        f". 60 IN SOA ns.root-servers.test. hostmaster.net.test. {serial} 300 60 86400 30", ". 60 IN NS ns.root-servers.test.",
        f"ns.root-servers.test. 60 IN A {ROOT[0]}", f"ns.root-servers.test. 60 IN AAAA {ROOT[1]}",
        "test. 60 IN NS ns.nic.test.", f"ns.nic.test. 60 IN A {TLD[0]}", f"ns.nic.test. 60 IN AAAA {TLD[1]}"] + tld.ds()
    root.sign()
    root.records = None
    write(f"{work}/anchor", "".join(f". 60 IN DNSKEY {root.dnskey(k).to_text()}\n" for k in root.ksks))
    write(f"{work}/anchor.ds", root.ds()[0].split("DS ", 1)[1])
    nsd_conf(work, "root", ROOT, [(".", "root.zone", "")])
    nsd_conf(work, "tld", TLD, [("test.", "test.zone", "")])
    nsd_conf(work, "ns1", ADDRESS["ns1"], [(z.name, z.file, "") for z in ZONES if z.kind in ("script", "plain")])
    save(work, {"scripts": {n: s for n, (z, s) in scripts.items()}, "tld": tld, "root": root, "children": children})


def save(work, state):
    import pickle
    kept = []
    for signed in list(state["scripts"].values()) + [state["tld"], state["root"]]:
        kept.append((signed, signed.records))
        if signed.name != "." and signed is not state["tld"]:
            signed.lines = BY_NAME[signed.name].records()[1:]
        signed.records = None
    with open(f"{work}/state/all", "wb") as f:
        pickle.dump(state, f)
    for signed, records in kept:
        signed.records = records


def load(work):
    import pickle
    with open(f"{work}/state/all", "rb") as f:
        state = pickle.load(f)
    for signed in state["scripts"].values():
        zone = BY_NAME[signed.name]
        soa = zone.records()[0]
        signed.records = lambda serial, soa=soa, lines=signed.lines: [soa.replace(" 1 300 ", f" {serial} 300 ")] + lines
    return state


def parent_sign(work, tld, children):
    tld.records = lambda serial: [
        f"test. 30 IN SOA ns.nic.test. hostmaster.net.test. {serial} 300 60 86400 15", "test. 30 IN NS ns.nic.test.",
        f"ns.nic.test. 60 IN A {TLD[0]}", f"ns.nic.test. 60 IN AAAA {TLD[1]}",
        f"ns.root-servers.test. 60 IN A {ROOT[0]}", f"ns.root-servers.test. 60 IN AAAA {ROOT[1]}"] + glue() + [
        line for name, ds in children.items() for line in cut(BY_NAME[name], ds)]
    tld.sign()


# --- those who change things ---------------------------------------------------------------------------------------

def reload_nsd(work, role):
    with open(f"{work}/{role}.pid") as f:
        os.kill(int(f.read()), 1)


def log(text):
    print(time.strftime("%H:%M:%S ", time.gmtime()) + text, flush=True)


def signer(work, seconds):
    """Pre-publish rolls (RFC 6781 4.1.1.1): publish, wait for the key set's TTL; sign with it, wait for the zone's
    greatest TTL; withdraw. The same for the online signer, whose serial stands still meanwhile."""
    state, end = load(work), time.time() + seconds
    longest = 60 + 8  # greatest TTL of these zones, and what a reload takes
    jobs = [(time.time() + 5 + 7 * i, s, "publish") for i, s in enumerate(
        [s for n, s in state["scripts"].items() if BY_NAME[n].roll] + ["pdns1.test."])]
    util = lambda *a: run("pdnsutil", "--config-dir", work, *a)
    fresh = old = None
    while jobs and time.time() < end:
        jobs.sort(key=lambda j: j[0])
        at, signed, step = jobs.pop(0)
        time.sleep(max(0, min(at, end) - time.time()))
        if time.time() >= end:
            break
        name = signed if isinstance(signed, str) else signed.name
        ttl = BY_NAME[name].ttl + 8
        if isinstance(signed, str):
            if step == "publish":
                old = zsks(util("list-keys", name))
                util("add-zone-key", name, "zsk", "inactive", "published", "ecdsa256")
                fresh = [k for k in zsks(util("list-keys", name)) if k not in old]
            elif step == "activate":
                util("activate-zone-key", name, fresh[0])
                util("deactivate-zone-key", name, old[0])
            else:
                util("remove-zone-key", name, old[0])
        else:
            if step == "publish":
                signed.published.append(signed.keygen(False))
            elif step == "activate":
                signed.signing = 1
            else:
                signed.published.pop(0)
                signed.signing = 0
            signed.sign()
            reload_nsd(work, "ns1")
        log(f"{name} {step}")
        following, wait = {"publish": ("activate", ttl), "activate": ("withdraw", longest if PACE == 1 else 68),
                           "withdraw": ("publish", random.randint(60, 200))}[step]
        jobs.append((time.time() + wait, signed, following))


def zsks(listing):
    """The ids of the ZSKs in what `pdnsutil list-keys` prints: the column after the algorithm."""
    return [line.split("ECDSAP256SHA256")[1].split()[0] for line in listing.splitlines() if " ZSK " in line]


def registry(work, seconds):
    """Polls the CDS of knot2.test., checked as secure by being asked at its own server, and publishes that as DS."""
    state, end = load(work), time.time() + seconds
    parent_sign_state = state["tld"]
    zone = "knot2.test."
    while time.time() < end:
        time.sleep(8)
        try:
            answer = dns.query.tcp(dns.message.make_query(zone, "CDS", want_dnssec=True), ADDRESS["ns2"][0], timeout=2)
        except (OSError, dns.exception.DNSException):
            continue
        wanted = [f"{zone} 30 IN DS {d.to_text()}" for s in answer.answer if s.rdtype == dns.rdatatype.CDS for d in s]
        if not wanted or " 0 0 0 " in wanted[0] or sorted(w.lower() for w in wanted) == sorted(
                w.lower() for w in state["children"][zone]):
            continue
        state["children"][zone] = wanted
        parent_sign(work, parent_sign_state, state["children"])
        reload_nsd(work, "tld")
        log(f"{zone} DS {' | '.join(w.split()[4] for w in wanted)}")


def updates(work, seconds):
    """A dynamic host that moves, hosts that come and go, and a monitor's questions to each server."""
    end, turn, present = time.time() + seconds, 0, set()
    while time.time() < end:
        turn += 1
        update = dns.update.Update("bind1.test.")
        update.replace("dhcp.dyn", 10, "A", f"192.0.2.{turn % 250}")
        lease = f"lease{random.randint(0, 20)}.dyn"
        if lease in present:
            update.delete(lease)
            present.discard(lease)
        else:
            update.add(lease, 20, "A", f"192.0.2.{random.randint(1, 250)}")
            present.add(lease)
        try:
            dns.query.udp(update, ADDRESS["ns3"][0], timeout=3)
            for zone in random.sample(ZONES, 2):
                for server in zone.ns:
                    question = dns.message.make_query(zone.name, random.choice(("SOA", "SOA", "DNSKEY", "NS")),
                                                      want_dnssec=True, payload=4096)
                    question.flags &= ~dns.flags.RD
                    dns.query.udp_with_fallback(question, ADDRESS[server][0], timeout=2)
        except (OSError, dns.exception.DNSException) as e:
            log(str(e))
        time.sleep(random.uniform(4, 9))


# --- clients -------------------------------------------------------------------------------------------------------

def question():
    zone = random.choice(ZONES).name
    draw = random.random()
    if draw < 0.55:
        name = random.choice(["www", "api", "mail", "host%d" % random.randint(0, 7)]) + "." + zone
        kind = random.choice(("A", "A", "A", "AAAA"))
    elif draw < 0.70:
        name, kind = zone, random.choice(("MX", "TXT", "NS", "SOA", "A", "AAAA", "DNSKEY", "DS", "CAA"))
    elif draw < 0.78:
        name, kind = random.choice(("alias.", "a.old.", f"x{random.randint(0, 30)}.wild.", "b.c.")) + zone, "A"
    elif draw < 0.88:
        name, kind = f"nx{random.randint(0, 400)}.{zone}", "A"
    elif draw < 0.93:
        name, kind = f"www.{zone}", random.choice(("TXT", "MX", "CAA", "SRV"))
    elif draw < 0.96:
        name, kind = random.choice(("dhcp.dyn.bind1.test.", f"lease{random.randint(0, 20)}.dyn.bind1.test.", "alias2.plain.test.")), "A"
    elif draw < 0.98:
        name, kind = random.choice(("nosuch.", "www.nosuch.test.", "x.nosuch-tld.", "test.", ".")), random.choice(("A", "NS", "SOA"))
    else:
        name, kind = random.choice(("big.test.", "roll1.test.")), random.choice(("TXT", "DNSKEY", "ANY"))
    if random.random() < 0.1:
        name = "".join(random.choice((c.lower(), c.upper())) for c in name)
    return name, kind


def message(name, kind):
    draw = random.random()
    if draw < 0.30:  # a stub of old
        return dns.message.make_query(name, kind)
    query = dns.message.make_query(name, kind, use_edns=0, payload=random.choice((512, 1232, 1232, 4096)),
                                   want_dnssec=draw >= 0.45)
    if draw < 0.45 or draw >= 0.85:
        query.flags |= dns.flags.AD
    if draw >= 0.85:
        query.flags |= dns.flags.CD
    return query


def clients(work, seconds, rate):
    end, asked, silent = time.time() + seconds, 0, 0
    resolvers = ["10.54.0.1", "10.54.0.1", "10.54.0.2", "10.54.0.2", "fd54::1"]
    while time.time() < end:
        began = time.time()
        query, resolver = message(*question()), random.choice(resolvers)
        try:
            if random.random() < 0.04:
                dns.query.tcp(query, resolver, timeout=3)
            else:
                dns.query.udp_with_fallback(query, resolver, timeout=3)
            asked += 1
        except (OSError, dns.exception.DNSException) as e:
            silent += 1
            if silent < 50:
                log(f"{query.question[0]} at {resolver}: {e!r}")
        time.sleep(max(0, random.expovariate(rate) - (time.time() - began)))
    log(f"{asked} answered, {silent} not")


# --- baselines -----------------------------------------------------------------------------------------------------

def baseline(work, folder, seconds):
    """As transferred from the primaries now; what will change is planned or said to be dynamic."""
    os.makedirs(folder, exist_ok=True)
    state, now = load(work), time.time()
    stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
    for zone in ZONES:
        if not zone.baseline:
            continue
        address = ADDRESS[zone.ns[0]][0]
        if zone.kind == "script":
            shutil.copy(f"{work}/ns1/{zone.file}", f"{folder}/{zone.file}")
        else:
            keys = keys_at(zone.name, address)
            write(f"{folder}/{zone.file}", "\n".join(zone.records() + keys.to_text().splitlines()) + "\n")
        policy = [f"zone: {zone.name}", "strict: true", f"servers: [{', '.join(a for n in zone.ns for a in ADDRESS[n])}]"]
        if "ns5" in zone.ns:
            policy.append(f"transfer-clients: [{', '.join(ADDRESS['ns5'])}]")
            policy.append(f'dynamic: ["*.dyn.{zone.name} A"]')
        if zone.roll:
            policy.append("planned:\n  - {change: zsk-rollover, from: %s, to: %s, why: automatic rolls}" %
                          (stamp(now - 3600), stamp(now + seconds + 3600)))
        write(f"{folder}/{zone.name}yaml", "\n".join(policy) + "\n")


def main(work, what, *rest):
    work = os.path.abspath(work)
    if what == "baseline":
        baseline(work, rest[0], float(rest[1]))
    else:
        globals()[what](work, *[float(r) for r in rest])


if __name__ == "__main__":
    main(*sys.argv[1:])
