#!/usr/bin/python3
"""The proofs in findings, checked by dnspython alone.

proof.py FINDINGS.JSONL ANCHOR     prints a line for each proof; exits 1 if one does not hold, or none is there

A proof holds two RRsets of one name and type, each with its RRSIGs, and the DNSKEY and DS RRsets above them.
That is all that is used: not the capture, not the program, and no clock, since both signatures state when
they are valid. It holds when the two RRsets differ, a key of the DNSKEY RRset verifies both, the validity of
the two overlaps, and DS after DNSKEY leads up to the anchor.
"""
import json
import sys

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.zone
import dns.rrset


def parse(lines):
    """{(name, type): rrset}, with RRSIGs under (name, "RRSIG", covered)."""
    sets = {}
    for line in lines:
        name, ttl, _, kind, rdata = line.split(None, 4)
        slot = (name, kind) if kind != "RRSIG" else (name, kind, rdata.split()[0])
        sets.setdefault(slot, []).append((int(ttl), rdata))
    return {slot: dns.rrset.from_text_list(slot[0], rows[0][0], "IN", slot[1], [r for _, r in rows])
            for slot, rows in sets.items()}


def verified(rrset, rrsigs, keys):
    """The (rrsig, tag) pairs that verify with one of the keys."""
    good = []
    for rrsig in rrsigs:
        for key in keys:
            if dns.dnssec.key_id(key) != rrsig.key_tag or key.algorithm != rrsig.algorithm:
                continue
            try:
                dns.dnssec.validate_rrsig(rrset, rrsig, {rrsig.signer: dns_keys(rrsig.signer, key)},
                                          now=rrsig.inception)
                good.append((rrsig, bytes(key.to_wire())))
            except dns.dnssec.ValidationFailure:
                pass
    return good


def dns_keys(name, *keys):
    return dns.rrset.from_rdata_list(name, 300, list(keys))


def check_pair(proof, keys):
    first, second = parse(proof["first"]), parse(proof["second"])
    name, kind = next(slot for slot in first if slot[1] != "RRSIG")
    a, b = first[(name, kind)], second[(name, kind)]
    assert set(a) != set(b), "the two are the same"
    one = verified(a, first[(name, "RRSIG", kind)], keys)
    two = verified(b, second[(name, "RRSIG", kind)], keys)
    assert any(k == l and r.inception <= s.expiration and s.inception <= r.expiration
               for r, k in one for s, l in two), "no key signed both for one time"
    return f"{name} {kind}"


def check_chain(chain, zone, anchor):
    """The zone's keys, when every link up to the anchor holds."""
    name, keys = dns.name.from_text(zone), None
    while True:
        dnskey = chain[(name.to_text(), "DNSKEY")]
        keys = keys or list(dnskey)
        signers = [k for _, k in verified(dnskey, chain[(name.to_text(), "RRSIG", "DNSKEY")], list(dnskey))]
        assert signers, f"DNSKEY of {name} does not verify"
        if name == dns.name.root:
            assert any(bytes(a.to_wire()) in signers for a in anchor), "not the anchor's key"
            return keys
        ds = chain[(name.to_text(), "DS")]
        assert any(dns.dnssec.make_ds(name, k, d.digest_type) == d for d in ds for k in dnskey
                   if bytes(k.to_wire()) in signers and d.digest_type in (1, 2, 4)), f"DS of {name}"
        rrsigs = chain[(name.to_text(), "RRSIG", "DS")]
        name = next(iter(rrsigs)).signer
        parent = chain[(name.to_text(), "DNSKEY")]
        assert verified(ds, rrsigs, list(parent)), f"DS of {name} does not verify"


def main(argv):
    with open(argv[2]) as f:
        anchor = [dns.rrset.from_text(".", 300, "IN", "DNSKEY", line.split("DNSKEY", 1)[1].strip())[0]
                  for line in f if "DNSKEY" in line]
    held = 0
    with open(argv[1]) as f:
        for finding in map(json.loads, f):
            if "proof" not in finding:
                continue
            chain = parse(finding["proof"]["chain"])
            keys = check_chain(chain, finding["zone"], anchor)
            print("holds:", check_pair(finding["proof"], keys))
            held += 1
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
