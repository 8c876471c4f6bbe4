"""Situations of transport and attacks, and of what only looks like it; recipes in attacks.sh.

As in situations.py, which imports this: what an expectation says is what an expert would say.
"""
import time

import dns.flags
import dns.message
import dns.rcode

TRANSPORT = ["spoof-race", "spoof-flood", "response-unasked", "tcp-blocked", "edns-downgrade", "tunnel-shape"]


def none_but(*rules):
    return [f"no-finding {r}" for r in TRANSPORT if r not in rules]


def register(situation, base, few, Zone):
    """Adds them; each of these names comes from situations.py."""

    def near(**more):
        return base(bank=Zone("bank.test.", alg=8, signer="ldns", ns=("ns1",)),
                    plain=Zone("plain.test.", signed=False, ns=("ns1",)), **more)

    @situation("spoof-race", recipe="race", baseline=None)
    def spoof_race(w):
        q = [("bank.test.", "MX"), ("www.bank.test.", "A"), ("plain.test.", "MX"), ("www.plain.test.", "A")]
        return near(), q, ["finding spoof-race bank.test.", "finding spoof-race plain.test.",
                           "not-verdict www.bank.test. A insecure"] + none_but("spoof-race")

    @situation("answered-twice", recipe="resent", baseline=None)
    def answered_twice(w):
        q = [("bank.test.", "MX"), ("www.bank.test.", "A")]
        return base(), q, [f"verdict {n} {t} secure" for n, t in q] + none_but() + ["only"]

    @situation("spoof-flood", recipe="flood", baseline=None)
    def spoof_flood(w):
        q = few("bank.test.")
        return base(), q, [f"verdict {n} {t} secure" for n, t in q] + ["finding spoof-flood bank.test.",
                           "no-finding sensor-one-way"] + none_but("spoof-flood")

    @situation("reflected", recipe="reflected", baseline=None)
    def reflected(w):
        q = few("bank.test.") + few("gov.test.") + few("example.test.")
        return base(), q, [f"verdict {n} {t} secure" for n, t in q] + ["finding response-unasked",
                           "no-finding sensor-one-way"] + none_but("response-unasked") + ["only"]

    @situation("tcp-dropped", recipe="walled", baseline=None)
    def tcp_dropped(w):
        q = [("big.test.", "DNSKEY"), ("www.big.test.", "A"), ("www.bank.test.", "A")]
        return base(), q, ["verdict big.test. DNSKEY not-checkable truncated", "verdict www.bank.test. A secure",
                           "finding tcp-blocked big.test.", "no-finding tcp-blocked bank.test.",
                           "no-finding rrsig-missing", "no-finding ds-mismatch"] + none_but("tcp-blocked") + ["only"]

    @situation("tcp-refused", recipe="refusing", baseline=None)
    def tcp_refused(w):
        zones, q, expect = tcp_dropped(w)
        return zones, q, expect

    @situation("edns-refused", recipe="noedns", baseline=None)
    def edns_refused(w):
        q = few("bank.test.") + few("plain.test.")
        return near(), q, ["finding edns-downgrade"] + none_but("edns-downgrade")

    @situation("edns-refused-named", recipe="noedns_named", baseline=None)
    def edns_refused_named(w):
        return edns_refused(w)

    @situation("edns-lost-once", recipe="lossyedns", baseline=None)
    def edns_lost_once(w):
        zones, q, _ = edns_refused(w)
        return zones, q, none_but()

    @situation("tunnel-iodine", recipe="iodine", baseline=None)
    def tunnel_iodine(w):
        zones = base(tun=Zone("tun.test.", signed=False, ns=("att",)))
        q = [("www.bank.test.", "A"), ("bank.test.", "TXT")]
        return zones, q, [f"verdict {n} {t} secure" for n, t in q] + ["finding tunnel-shape tun.test."] + \
            none_but("tunnel-shape") + ["only"]

    @situation("long-names", recipe="longnames", baseline=None)
    def long_names(w):
        key = '"v=DKIM1; k=rsa; p=' + "A" * 200 + '"'
        rep = Zone("rep.test.", signed=False, extra=["*.hash.@ 60 IN A 127.0.0.2", f"*.same.@ 60 IN TXT {key}",
                                                     f"*.dkim.@ 60 IN TXT {key}"])
        q = [("www.bank.test.", "A"), ("bank.test.", "TXT")]
        return base(rep=rep), q, [f"verdict {n} {t} secure" for n, t in q] + none_but() + ["only"]


# --- what stands before the server (../lab/mangle.py) -----------------------------------------------------------------

def without_edns(message):
    """What a server from before RFC 2671 says to an OPT."""
    answer = dns.message.Message(message.id)
    answer.flags = dns.flags.QR | (message.flags & dns.flags.RD)
    answer.set_rcode(dns.rcode.FORMERR)
    answer.question = message.question
    return answer


def mangles(work, group):
    state = {"left": 1}

    def refuse(name, kind, message):
        return message if message.edns < 0 else without_edns(message)

    def refuse_once(name, kind, message):
        if message.edns < 0 or state["left"] == 0:
            return message
        state["left"] -= 1
        return without_edns(message)

    def far_away(name, kind, message):
        time.sleep(0.03)
        return message

    return {".": {"noedns": refuse, "once": refuse_once, "slow": far_away}[group]}
