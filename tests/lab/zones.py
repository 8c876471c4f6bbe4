#!/usr/bin/python3
"""Zones for the lab: keys, zone files, real signers, and precise damage afterwards.

A Zone says what a zone contains and how it is signed; a Tree signs a set of zones from the leaves
upwards (each parent gets the NS, glue and DS of its children), applies each zone's damage, and
writes one folder per server. Signing is done by real signers (dnssec-signzone, ldns-signzone);
damage that no signer would produce is done here afterwards with dnspython, with the zone's own keys.

Keys and signed zones are cached in the work folder, so that all situations recorded in one run
share their keys, and an unchanged zone keeps its very signatures.
"""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import time

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, ed448, padding, rsa, utils

IN = dns.rdataclass.IN
ALG_NAME = {5: "RSASHA1", 7: "NSEC3RSASHA1", 8: "RSASHA256", 10: "RSASHA512", 13: "ECDSAP256SHA256",
            14: "ECDSAP384SHA384", 15: "ED25519", 16: "ED448"}
RSA = (5, 7, 8, 10)
SERVER = {"ns1": ("10.53.0.3", "fd53::3"), "ns2": ("10.53.0.4", "fd53::4"), "att": ("10.53.0.66", "fd53::66")}
HOUR, DAY = 3600, 86400


def stamp(seconds):
    """Absolute time as the signers want it."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds))


class Work:
    """A work folder: the lab's clock, its keys, and the signed zones made so far."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = os.path.join(folder, "keys")
        self.cache = os.path.join(folder, "cache")
        os.makedirs(self.keys, exist_ok=True)
        os.makedirs(self.cache, exist_ok=True)
        clock = os.path.join(folder, "clock")
        if not os.path.exists(clock):
            with open(clock, "w") as f:
                f.write(str(int(time.time())))
        with open(clock) as f:
            self.now = int(f.read())
        self.index_path = os.path.join(self.keys, "index.json")
        self.index = {}
        if os.path.exists(self.index_path):
            with open(self.index_path) as f:
                self.index = json.load(f)

    def key(self, zone, alg, ksk, label="", bits=None):
        """The key of that zone, algorithm, role and label; made on first use."""
        slot = f"{zone}/{alg}/{'ksk' if ksk else 'zsk'}/{label}"
        if slot not in self.index:
            args = ["dnssec-keygen", "-q", "-K", self.keys, "-a", ALG_NAME[alg], "-n", "ZONE"]
            if alg in RSA:
                args += ["-b", str(bits or 2048)]
            if ksk:
                args += ["-f", "KSK"]
            out = subprocess.run(args + [zone], check=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
            self.index[slot] = out.stdout.split()[-1]
            with open(self.index_path, "w") as f:
                json.dump(self.index, f, indent=1)
        return Key(self, self.index[slot])

    def colliding(self, zone, alg, ksk, label):
        """Another key with the tag of key(zone, alg, ksk): about 65536 tries, so ECDSA or Ed only."""
        wanted = self.key(zone, alg, ksk)
        slot = f"{zone}/{alg}/{'ksk' if ksk else 'zsk'}/{label}"
        if slot in self.index:
            return Key(self, self.index[slot])
        assert alg == 15
        flags = 257 if ksk else 256
        while True:
            private = ed25519.Ed25519PrivateKey.generate()
            public = raw_public(private)
            rdata = dns.rdata.from_wire(IN, dns.rdatatype.DNSKEY,
                                        flags.to_bytes(2, "big") + bytes([3, alg]) + public, 0, 4 + len(public))
            if dns.dnssec.key_id(rdata) == wanted.tag and rdata != wanted.rdata:
                break
        base = f"collide-{zone.strip('.')}-{label}"
        secret = base64.b64encode(private.private_bytes_raw() if hasattr(private, "private_bytes_raw")
                                  else raw_private(private)).decode()
        with open(os.path.join(self.keys, base + ".key"), "w") as f:
            f.write(f"{zone} IN DNSKEY {rdata.to_text()}\n")
        with open(os.path.join(self.keys, base + ".private"), "w") as f:
            f.write(f"Private-key-format: v1.3\nAlgorithm: {alg} (ED25519)\nPrivateKey: {secret}\n")
        self.index[slot] = base
        with open(self.index_path, "w") as f:
            json.dump(self.index, f, indent=1)
        return Key(self, base)


def raw_public(private):
    from cryptography.hazmat.primitives import serialization as s
    return private.public_key().public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)


def raw_private(private):
    from cryptography.hazmat.primitives import serialization as s
    return private.private_bytes(s.Encoding.Raw, s.PrivateFormat.Raw, s.NoEncryption())


class Key:
    """One DNSKEY with its private half, as BIND's tools keep it."""

    def __init__(self, work, base):
        self.work, self.base = work, base
        self.path = os.path.join(work.keys, base)
        with open(self.path + ".key") as f:
            line = [x for x in f.read().splitlines() if x and not x.startswith(";")][0]
        self.zone, text = line.split()[0], line.split("DNSKEY", 1)[1].strip()
        self.rdata = dns.rdata.from_text(IN, dns.rdatatype.DNSKEY, text)

    @property
    def tag(self):
        return dns.dnssec.key_id(self.rdata)

    @property
    def alg(self):
        return int(self.rdata.algorithm)

    @property
    def ksk(self):
        return bool(self.rdata.flags & 1)

    def line(self, flags=None, protocol=None):
        rdata = self.rdata.replace(flags=flags if flags is not None else self.rdata.flags,
                                   protocol=protocol if protocol is not None else self.rdata.protocol)
        return f"{self.zone} 300 IN DNSKEY {rdata.to_text()}"

    def revoked(self):
        """The same key with the REVOKE bit, as dnssec-revoke makes it (RFC 5011): the tag changes."""
        slot = f"revoked/{self.base}"
        if slot not in self.work.index:
            out = subprocess.run(["dnssec-revoke", self.base], cwd=self.work.keys, check=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.work.index[slot] = out.stdout.split()[-1].split("/")[-1]
            with open(self.work.index_path, "w") as f:
                json.dump(self.work.index, f, indent=1)
        return Key(self.work, self.work.index[slot])

    def ds(self, digest="SHA256", tag=None, alg=None, digest_type=None, flip=False, size=None):
        """A DS line's rdata for this key; the arguments damage one field each."""
        number, function = {"SHA1": (1, hashlib.sha1), "SHA256": (2, hashlib.sha256), "SHA384": (4, hashlib.sha384)}[digest]
        owner = dns.name.from_text(self.zone).to_digestable()
        value = bytearray(function(owner + self.rdata.to_wire()).digest())  # RFC 4034 5.1.4
        if flip:
            value[0] ^= 1
        if size is not None:
            value = value[:size] + bytes(max(0, size - len(value)))
        return "%d %d %d %s" % (self.tag if tag is None else tag, self.alg if alg is None else alg,
                                number if digest_type is None else digest_type, value.hex().upper())

    def fields(self):
        with open(self.path + ".private") as f:
            return dict(x.split(": ", 1) for x in f.read().splitlines() if ": " in x)

    def sign_bytes(self, data):
        field = self.fields()
        number = lambda name: int.from_bytes(base64.b64decode(field[name]), "big")
        if self.alg in RSA:
            p, q, d = number("Prime1"), number("Prime2"), number("PrivateExponent")
            public = rsa.RSAPublicNumbers(number("PublicExponent"), number("Modulus"))
            private = rsa.RSAPrivateNumbers(p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q),
                                            rsa.rsa_crt_iqmp(p, q), public).private_key()
            digest = {5: hashes.SHA1, 7: hashes.SHA1, 8: hashes.SHA256, 10: hashes.SHA512}[self.alg]()
            return private.sign(data, padding.PKCS1v15(), digest)
        if self.alg in (13, 14):
            curve, digest, size = ((ec.SECP256R1(), hashes.SHA256(), 32) if self.alg == 13
                                   else (ec.SECP384R1(), hashes.SHA384(), 48))
            private = ec.derive_private_key(number("PrivateKey"), curve)
            r, s = utils.decode_dss_signature(private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        raw = base64.b64decode(field["PrivateKey"])
        kind = ed25519.Ed25519PrivateKey if self.alg == 15 else ed448.Ed448PrivateKey
        return kind.from_private_bytes(raw).sign(data)


def make_rrsig(owner, rdataset, key, work, signer=None, start=-HOUR, end=30 * DAY, labels=None,
               ttl=None, tag=None, alg=None, sign_owner=None):
    """An RRSIG over a set with any field chosen freely; start and end are relative to the lab's clock."""
    labels = len(owner.labels) - 1 - (1 if owner.is_wild() else 0) if labels is None else labels
    rrsig = dns.rdata.from_text(IN, dns.rdatatype.RRSIG, "%s %d %d %d %s %s %d %s %s" % (
        dns.rdatatype.to_text(rdataset.rdtype), key.alg if alg is None else alg, labels,
        rdataset.ttl if ttl is None else ttl, stamp(work.now + end), stamp(work.now + start),
        key.tag if tag is None else tag, signer or key.zone, "AA=="))
    name = (sign_owner or owner).canonicalize()
    if labels < len(name.labels) - 1:
        name = dns.name.Name((b"*",) + name.labels[-(labels + 1):])
    wires = sorted(rd.to_digestable(dns.name.root) for rd in rdataset)
    data = canonical_rrsig_prefix(rrsig)
    for wire in wires:
        data += name.to_digestable() + int(rdataset.rdtype).to_bytes(2, "big") + b"\0\1"
        data += int(rrsig.original_ttl).to_bytes(4, "big") + len(wire).to_bytes(2, "big") + wire
    return rrsig.replace(signature=key.sign_bytes(data))


def canonical_rrsig_prefix(rrsig):
    """RRSIG rdata without the signature, signer in canonical form (RFC 4034 3.1.8.1)."""
    return (int(rrsig.type_covered).to_bytes(2, "big") + bytes([int(rrsig.algorithm), rrsig.labels]) +
            rrsig.original_ttl.to_bytes(4, "big") + rrsig.expiration.to_bytes(4, "big") +
            rrsig.inception.to_bytes(4, "big") + rrsig.key_tag.to_bytes(2, "big") +
            rrsig.signer.canonicalize().to_digestable())


class Zone:
    """What a zone holds, how it is signed, how its parent points at it, and what is broken."""

    def __init__(self, name, alg=13, nsec3=None, keys=None, publish=None, csk=False, signer="bind",
                 lines=None, extra=(), ns=("ns1", "ns2"), start=-HOUR, end=30 * DAY, ds=None,
                 damage=None, bits=2048, ksk_bits=None, signed=True, options=(), serial=1, served=None,
                 ds_after=None):
        self.name, self.alg, self.nsec3, self.csk = name, alg, nsec3, csk
        self.keys, self.publish, self.signer = keys, publish, signer
        self.lines, self.extra, self.ns = lines, list(extra), ns
        self.start, self.end, self.ds, self.damage = start, end, ds, damage
        self.bits, self.ksk_bits, self.signed, self.options = bits, ksk_bits or bits, signed, list(options)
        self.serial = serial
        self.served = served
        self.ds_after = ds_after  # DS rdata (bytes) that no signer would take: set after the parent is signed

    def default_keys(self, work):
        if self.keys is not None:
            return self.keys(work) if callable(self.keys) else self.keys
        ksk = work.key(self.name, self.alg, True, bits=self.ksk_bits)
        if self.csk:
            return [ksk]
        return [ksk, work.key(self.name, self.alg, False, bits=self.bits)]

    def text(self, work):
        """The unsigned zone: what an ordinary domain holds."""
        z = self.name
        serial = time.strftime("%Y%m%d", time.gmtime(work.now)) + "%02d" % self.serial
        if self.lines is not None:
            body = [line.replace("@", z) for line in self.lines]
        else:
            body = f"""{z} 300 IN A 192.0.2.10
{z} 300 IN AAAA 2001:db8::10
{z} 300 IN MX 10 mail.{z}
{z} 300 IN TXT "v=spf1 mx ip4:192.0.2.25 -all"
{z} 300 IN CAA 0 issue "ca.example.test"
_dmarc.{z} 300 IN TXT "v=DMARC1; p=reject"
api.{z} 300 IN CNAME www.{z}
mail.{z} 300 IN A 192.0.2.25
_25._tcp.mail.{z} 300 IN TLSA 3 1 1 AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00112233445566778899
vpn.{z} 300 IN A 192.0.2.44
*.wild.{z} 300 IN A 192.0.2.99
www.{z} 300 IN A 192.0.2.80
www.{z} 300 IN AAAA 2001:db8::80""".splitlines()
        head = [f"{z} 300 IN SOA {self.ns[0]}.{z} hostmaster.{z} {serial} 3600 900 1209600 300"]
        for ns in self.ns:
            four, six = SERVER[ns]
            head += [f"{z} 300 IN NS {ns}.{z}", f"{ns}.{z} 300 IN A {four}", f"{ns}.{z} 300 IN AAAA {six}"]
        return head + body + [line.replace("@", z) for line in self.extra]

    def delegation(self):
        lines = []
        for ns in self.ns:
            four, six = SERVER[ns]
            lines += [f"{self.name} 300 IN NS {ns}.{self.name}", f"{ns}.{self.name} 300 IN A {four}",
                      f"{ns}.{self.name} 300 IN AAAA {six}"]
        return lines

    def ds_lines(self, work):
        if not self.signed and self.ds is None:
            return []
        if self.ds is None:
            seps = [k for k in self.default_keys(work) if k.ksk]
            texts = [k.ds() for k in seps]
        else:
            texts = self.ds(work) if callable(self.ds) else self.ds
        return [f"{self.name} 300 IN DS {text}" for text in texts]


def sign_zone(work, zone, lines):
    """The zone signed by a real signer, as text; from the cache when nothing changed."""
    keys = zone.default_keys(work)
    publish = zone.publish(work) if callable(zone.publish) else zone.publish
    lines = list(lines)
    for line in publish if publish is not None else [k.line() for k in keys]:
        lines.append(line)
    recipe = json.dumps([lines, [k.base for k in keys], zone.nsec3, zone.start, zone.end, zone.signer,
                         zone.csk, zone.options])
    cached = os.path.join(work.cache, hashlib.sha256(recipe.encode()).hexdigest())
    if not os.path.exists(cached):
        source = cached + ".in"
        with open(source, "w") as f:
            f.write("\n".join(lines) + "\n")
        start, end = stamp(work.now + zone.start), stamp(work.now + zone.end)
        if zone.signer == "ldns":
            args = ["ldns-signzone", "-o", zone.name, "-i", start, "-e", end, "-f", cached + ".out"]
            if zone.nsec3:
                args += ["-n", "-t", str(zone.nsec3[0])] + (["-s", zone.nsec3[1]] if zone.nsec3[1] != "-" else [])
                args += ["-p"] if zone.nsec3[2] else []
            args += zone.options + [source] + [k.path for k in keys]
        else:
            args = ["dnssec-signzone", "-P", "-q", "-o", zone.name, "-s", start, "-e", end, "-O", "full",
                    "-K", work.keys, "-f", cached + ".out"]
            if zone.nsec3:
                args += ["-3", zone.nsec3[1], "-H", str(zone.nsec3[0])] + (["-A"] if zone.nsec3[2] else [])
            args += ["-z"] if zone.csk else ["-x"]
            args += zone.options + [source] + [k.path for k in keys]
        done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd=work.cache)
        if done.returncode != 0 or not os.path.exists(cached + ".out"):
            raise RuntimeError(f"{' '.join(args)}:\n{done.stdout}")
        os.rename(cached + ".out", cached)
    with open(cached) as f:
        return f.read()


class Signed:
    """A signed zone open for damage. Names are absolute or relative to the apex ("www", "@")."""

    def __init__(self, work, zone, text):
        self.work, self.zone = work, zone
        self.origin = dns.name.from_text(zone.name)
        self.z = dns.zone.from_text(text, origin=self.origin, relativize=False, check_origin=False)

    def name(self, name):
        return self.origin if name == "@" else dns.name.from_text(name, self.origin)

    def node(self, name):
        return self.z.find_node(self.name(name) if isinstance(name, str) else name, create=True)

    def rrset(self, name, rdtype, covers=dns.rdatatype.NONE):
        return self.node(name).find_rdataset(IN, dns.rdatatype.from_text(rdtype) if isinstance(rdtype, str)
                                             else rdtype, covers)

    def sigs(self, name, rdtype):
        return self.rrset(name, "RRSIG", dns.rdatatype.from_text(rdtype) if isinstance(rdtype, str) else rdtype)

    def key(self, alg=None, ksk=False, label=""):
        return self.work.key(self.zone.name, alg or self.zone.alg, ksk, label, self.zone.bits)

    def signing_key(self, rdtype):
        return self.key(ksk=(rdtype == "DNSKEY" or self.zone.csk))

    def each(self, rdtype):
        """Owners that hold that type (a type of which there may be several: NSEC3)."""
        wanted = dns.rdatatype.from_text(rdtype)
        return sorted(n for n, node in self.z.nodes.items() for s in node.rdatasets if s.rdtype == wanted)

    def strip(self, name, rdtype):
        self.node(name).delete_rdataset(IN, dns.rdatatype.RRSIG, dns.rdatatype.from_text(rdtype))

    def remove(self, name, rdtype):
        """A set with its signatures."""
        self.node(name).delete_rdataset(IN, dns.rdatatype.from_text(rdtype))
        self.strip(name, rdtype)

    def put(self, name, rdtype, *texts, ttl=300):
        """Sets the data, keeps whatever signatures stand there."""
        rds = dns.rdataset.Rdataset(IN, dns.rdatatype.from_text(rdtype))
        rds.update_ttl(ttl)
        for text in texts:
            rds.add(text if isinstance(text, dns.rdata.Rdata) else
                    dns.rdata.from_text(IN, rds.rdtype, text, self.origin, relativize=False), ttl)
        self.node(name).replace_rdataset(rds)
        return rds

    def set_sigs(self, name, rdtype, *rrsigs, ttl=300):
        covered = dns.rdatatype.from_text(rdtype) if isinstance(rdtype, str) else rdtype
        rds = dns.rdataset.Rdataset(IN, dns.rdatatype.RRSIG, covered)
        rds.update_ttl(ttl)
        for rrsig in rrsigs:
            rds.add(rrsig, ttl)
        self.node(name).replace_rdataset(rds)

    def sign(self, name, rdtype, key=None, **fields):
        """Replaces the signatures of a set by one with the given fields (see make_rrsig)."""
        owner = self.name(name) if isinstance(name, str) else name
        kind = rdtype if isinstance(rdtype, str) else dns.rdatatype.to_text(rdtype)
        rrsig = make_rrsig(owner, self.rrset(name, rdtype), key or self.signing_key(kind), self.work, **fields)
        self.set_sigs(name, rdtype, rrsig)
        return rrsig

    def map_sigs(self, name, rdtype, change):
        old = self.sigs(name, rdtype)
        self.set_sigs(name, rdtype, *[change(r) for r in old])

    def flip(self, name, rdtype):
        """One bit of every signature of the set."""
        def change(r):
            value = bytearray(r.signature)
            value[len(value) // 2] ^= 0x10
            return r.replace(signature=bytes(value))
        self.map_sigs(name, rdtype, change)

    def text(self):
        out = []
        for name in sorted(self.z.nodes, key=lambda n: (n != self.origin, n)):
            rdatasets = sorted(self.z.nodes[name].rdatasets, key=lambda s: (s.rdtype != dns.rdatatype.SOA, s.rdtype))
            for s in rdatasets:
                out += [f"{name} {s.ttl} IN {dns.rdatatype.to_text(s.rdtype)} {rd.to_text()}" for rd in s]
        return "\n".join(out) + "\n"


class Tree:
    """All zones of a situation. build() signs from the leaves upwards and fills the serving folders."""

    def __init__(self, work, zones):
        self.work, self.zones = work, {z.name: z for z in zones}
        for name, alg, nsec3 in ((".", 8, None), ("test.", 8, (0, "-", False))):
            if name not in self.zones:
                self.zones[name] = Zone(name, alg=alg, nsec3=nsec3, lines=[], ns=())
        self.result = {}

    def parent(self, name):
        candidates = [z for z in self.zones if z != name and dns.name.from_text(name).is_subdomain(dns.name.from_text(z))]
        return max(candidates, key=lambda z: len(dns.name.from_text(z).labels)) if candidates else None

    def infrastructure(self, zone):
        """SOA and NS of the root and of test., which have servers of their own."""
        serial = time.strftime("%Y%m%d", time.gmtime(self.work.now)) + "%02d" % zone.serial
        if zone.name == ".":
            return [f". 86400 IN SOA ns.root-servers.test. hostmaster.test. {serial} 1800 900 604800 86400",
                    ". 86400 IN NS ns.root-servers.test.", "test. 86400 IN NS ns.test.",
                    "ns.test. 86400 IN A 10.53.0.2", "ns.test. 86400 IN AAAA fd53::2",
                    "ns.root-servers.test. 86400 IN A 10.53.0.1", "ns.root-servers.test. 86400 IN AAAA fd53::1"]
        return [f"test. 3600 IN SOA ns.test. hostmaster.test. {serial} 1800 900 604800 300",
                "test. 3600 IN NS ns.test.", "ns.test. 3600 IN A 10.53.0.2", "ns.test. 3600 IN AAAA fd53::2",
                "ns.root-servers.test. 3600 IN A 10.53.0.1", "ns.root-servers.test. 3600 IN AAAA fd53::1"]

    def build(self, out=None):
        order = sorted(self.zones, key=lambda z: -len(dns.name.from_text(z).labels))
        pending = {}
        for name in order:
            zone = self.zones[name]
            base = self.infrastructure(zone) if name in (".", "test.") else zone.text(self.work)
            lines = base + [x.replace("@", name) for x in (zone.extra if name in (".", "test.") else [])]
            lines += pending.pop(name, [])
            if zone.signed:
                text = sign_zone(self.work, zone, lines)
            else:
                text = "\n".join(lines) + "\n"
            self.result[name] = text
            parent = self.parent(name)
            if parent:
                cut = [] if name == "test." else zone.delegation()
                pending.setdefault(parent, []).extend(cut + zone.ds_lines(self.work))
        malformed = [z for z in self.zones.values() if z.ds_after]
        for name in order:
            forms = [z for z in malformed if self.parent(z.name) == name]
            if self.zones[name].damage or forms:
                signed = Signed(self.work, self.zones[name], self.result[name])
                for child in forms:
                    signed.put(child.name, "DS", *[dns.rdata.GenericRdata(IN, dns.rdatatype.DS, d)
                                                    for d in child.ds_after(self.work)])
                    signed.sign(child.name, "DS")
                if self.zones[name].damage:
                    self.zones[name].damage(signed)
                self.result[name] = signed.text()
        if out:
            self.write(out)
        return self.result

    def write(self, out):
        shutil.rmtree(out, ignore_errors=True)
        for name, text in self.result.items():
            servers = {".": ["root"], "test.": ["tld"]}.get(name) or self.zones[name].served or self.zones[name].ns
            for server in servers:
                os.makedirs(os.path.join(out, server), exist_ok=True)
                file = "root.zone" if name == "." else name.rstrip(".") + ".zone"
                with open(os.path.join(out, server, file), "w") as f:
                    f.write(text)
        with open(os.path.join(out, "anchor"), "w") as f:
            key = [k for k in self.zones["."].default_keys(self.work) if k.ksk][0]
            f.write(f". IN DNSKEY {key.rdata.to_text()}\n")
        with open(os.path.join(out, "delv.keys"), "w") as f:
            body = key.rdata.to_text().split(None, 3)
            f.write('trust-anchors { . static-key %s %s %s "%s"; };\n' % (*body[:3], body[3].replace(" ", "")))
