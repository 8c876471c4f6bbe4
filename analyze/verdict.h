/*
 * verdict: what the validator says of a response or of an RRset, and why.
 *
 * Contained in: analyze, rules, tests. One table gives the stable code, the verdict it belongs to,
 * the section that demands it, the EDE code (RFC 8914), the DNSViz error class and the sentence for
 * people.
 */
#ifndef ANALYZE_VERDICT_H
#define ANALYZE_VERDICT_H

#include <stdint.h>

#define VERDICTS(X)                                                                                \
    X(INDETERMINATE, "indeterminate", "part of the chain has not been observed yet")               \
    X(SECURE, "secure", "a chain of valid signatures from a trust anchor reaches all of it")       \
    X(INSECURE, "insecure", "validly proven to be unsigned, or no anchor above the name")          \
    X(BOGUS, "bogus", "the chain was seen and something in it is wrong")                           \
    X(NOT_CHECKABLE, "not-checkable", "the response cannot be judged")

enum verdict_kind {
#define X(name, text, meaning) VERDICT_##name,
    VERDICTS(X)
#undef X
};

#define EDE_NONE 0xffff

/* X(name, "stable code", verdict, EDE, "RFC section", "DNSViz error class", "sentence") */
#define REASONS(X)                                                                                 \
    X(NONE, "none", INDETERMINATE, EDE_NONE, "", "", "not judged")                                 \
    X(CHAIN, "chain-complete", SECURE, EDE_NONE, "RFC 4035 5", "",                                 \
      "signatures reach a trust anchor")                                                           \
    X(DENIAL, "denial-proven", SECURE, EDE_NONE, "RFC 4035 5.4", "",                               \
      "the denial is signed and complete")                                                         \
    X(WILDCARD, "wildcard-proven", SECURE, EDE_NONE, "RFC 4035 5.3.4", "",                         \
      "synthesised from a signed wildcard, and no closer name exists")                             \
    X(OPT_OUT, "opt-out", INSECURE, EDE_NONE, "RFC 5155 6", "",                                    \
      "the name lies in an opt-out span: it may be an unsigned delegation")                        \
    X(UNSIGNED_DELEGATION, "unsigned-delegation", INSECURE, EDE_NONE, "RFC 4035 5.2", "",          \
      "the parent proves that there is no DS")                                                     \
    X(NO_ANCHOR, "no-anchor", INSECURE, EDE_NONE, "RFC 4035 4.3", "",                              \
      "no trust anchor is configured at or above the name")                                        \
    X(NEGATIVE_ANCHOR, "negative-anchor", INSECURE, EDE_NONE, "RFC 7646", "",                      \
      "the operator switched validation off for this zone")                                        \
    X(ALGORITHM_UNSUPPORTED, "algorithm-unsupported", INSECURE, 1, "RFC 4035 5.2",                 \
      "ALGORITHM_NOT_SUPPORTED", "every DS names an algorithm that we do not implement")           \
    X(DIGEST_UNSUPPORTED, "digest-unsupported", INSECURE, 2, "RFC 4035 5.2",                       \
      "DIGEST_ALGORITHM_NOT_SUPPORTED", "every DS uses a digest that we do not implement")         \
    X(NSEC3_ITERATIONS, "nsec3-iterations", INSECURE, 27, "RFC 9276 3.2", "",                      \
      "more NSEC3 iterations than we compute")                                                     \
    X(DNSKEY_NOT_SEEN, "dnskey-not-seen", INDETERMINATE, EDE_NONE, "RFC 4035 5.3.1", "",           \
      "the zone's DNSKEY RRset has not been observed")                                             \
    X(DS_NOT_SEEN, "ds-not-seen", INDETERMINATE, EDE_NONE, "RFC 4035 5.2", "",                     \
      "neither a DS nor a proof of its absence has been observed")                                 \
    X(CUT_NOT_SEEN, "cut-not-seen", INDETERMINATE, EDE_NONE, "RFC 4035 5.2", "",                   \
      "unsigned, and no observation tells whether the zone is signed")                             \
    X(CHAIN_STALE, "chain-stale", INDETERMINATE, EDE_NONE, "RFC 4035 5.3.1", "",                   \
      "a link of the chain has run out and its renewal has not been observed")                     \
    X(WILDCARD_UNPROVEN, "wildcard-proof-not-seen", INDETERMINATE, EDE_NONE, "RFC 4035 5.3.4", "", \
      "part of the response that would prove the wildcard was not seen")                           \
    X(SIG_EXPIRED, "signature-expired", BOGUS, 7, "RFC 4035 5.3.1", "EXPIRATION_IN_PAST",          \
      "the signature had expired when the packet was captured")                                    \
    X(SIG_FUTURE, "signature-not-yet-valid", BOGUS, 8, "RFC 4035 5.3.1", "INCEPTION_IN_FUTURE",    \
      "the signature was not yet valid when the packet was captured")                              \
    X(SIG_INVERTED, "signature-expires-before-inception", BOGUS, 6, "RFC 4034 3.1.5",              \
      "INCEPTION_AFTER_EXPIRATION", "the signature expires before its inception")                  \
    X(SIG_BAD, "signature-bad", BOGUS, 6, "RFC 4035 5.3.3", "SIGNATURE_INVALID",                   \
      "the signature does not verify with the key it names")                                       \
    X(SIG_MALFORMED, "signature-malformed", BOGUS, 6, "RFC 4034 3.1", "RRSIG_BAD_LENGTH",          \
      "the signature is malformed for its algorithm")                                              \
    X(SIG_MISSING, "signature-missing", BOGUS, 10, "RFC 4035 5.3", "MISSING_RRSIG",                \
      "the zone is signed and this RRset carries no signature")                                    \
    X(SIG_LABELS, "signature-labels", BOGUS, 6, "RFC 4035 5.3.1", "RRSET_LABELS_OVER_RRSIG",       \
      "the signature claims more labels than the owner has")                                       \
    X(SIG_SIGNER, "signer-not-zone", BOGUS, 6, "RFC 4035 5.3.1", "SIGNER_NOT_ZONE",                \
      "the signer is not the zone that holds the RRset")                                           \
    X(KEY_UNKNOWN, "signing-key-not-in-dnskey", BOGUS, 9, "RFC 4035 5.3.1", "",                    \
      "the key that the signature names is not in the DNSKEY RRset")                               \
    X(KEY_REVOKED, "signing-key-revoked", BOGUS, 9, "RFC 5011 2.1", "REVOKED_NOT_SIGNING",         \
      "only a revoked key signs it")                                                               \
    X(KEY_NOT_ZONE, "signing-key-not-zone-key", BOGUS, 11, "RFC 4034 2.1.1", "",                   \
      "the signing key lacks the ZONE flag, or its protocol is not 3")                             \
    X(DS_MISMATCH, "ds-mismatch", BOGUS, 9, "RFC 4035 5.2", "NO_SEP",                              \
      "no DNSKEY matches a DS of the parent")                                                      \
    X(DNSKEY_UNSIGNED, "dnskey-not-signed-by-ds-key", BOGUS, 9, "RFC 4035 5.2", "NO_SEP",          \
      "no key that a DS names signs the DNSKEY RRset")                                             \
    X(DNSKEY_MISSING, "dnskey-missing", BOGUS, 9, "RFC 4035 5.2", "DNSKEY_MISSING_FOR_DS",         \
      "the parent has a DS, and the zone denies having a DNSKEY")                                  \
    X(ANCHOR_MISMATCH, "anchor-mismatch", BOGUS, 9, "RFC 4035 5.2", "",                            \
      "no DNSKEY matches the trust anchor")                                                        \
    X(DENIAL_MISSING, "denial-missing", BOGUS, 12, "RFC 4035 3.1.3", "MISSING_NSEC_FOR_NODATA",    \
      "the zone is signed and the negative answer carries no NSEC or NSEC3")                       \
    X(NAME_NOT_COVERED, "name-not-covered", BOGUS, 12, "RFC 4035 5.4", "SNAME_NOT_COVERED",        \
      "no NSEC or NSEC3 covers the name")                                                          \
    X(WILDCARD_NOT_DENIED, "wildcard-not-denied", BOGUS, 12, "RFC 4035 5.4",                       \
      "WILDCARD_NOT_COVERED", "nothing denies the wildcard that would have matched")               \
    X(TYPE_NOT_DENIED, "type-in-bitmap", BOGUS, 12, "RFC 4035 5.4", "STYPE_IN_BITMAP",             \
      "the bitmap of the name has the type that is denied")                                        \
    X(CLOSEST_ENCLOSER, "closest-encloser-not-proven", BOGUS, 12, "RFC 5155 8.3",                  \
      "INCONSISTENT_NSEC3_ANCESTOR", "no NSEC3 proves the closest encloser")                       \
    X(NEXT_CLOSER, "next-closer-not-covered", BOGUS, 12, "RFC 5155 8.3",                           \
      "NEXT_CLOSEST_ENCLOSER_NOT_COVERED", "no NSEC3 covers the next closer name")                 \
    X(WILDCARD_CLOSER, "wildcard-closer-name-not-denied", BOGUS, 12, "RFC 4035 5.3.4",             \
      "WILDCARD_EXPANSION_INVALID",                                                                \
      "the answer comes from a wildcard and nothing denies the name itself")                       \
    X(DS_NOT_DENIED, "ds-not-denied", BOGUS, 12, "RFC 4035 5.2", "REFERRAL_WITHOUT_DS",            \
      "a delegation without DS carries no proof of its absence")                                   \
    X(DNAME_MISMATCH, "dname-synthesis", BOGUS, 6, "RFC 6672 3.4", "DNAME_TARGET_MISMATCH",        \
      "the CNAME is not what the DNAME yields")                                                    \
    X(CHAIN_BOGUS, "chain-bogus", BOGUS, 6, "RFC 4035 5.2", "", "a link above is bogus")           \
    X(TRUNCATED, "truncated", NOT_CHECKABLE, EDE_NONE, "RFC 4035 3.2.3", "",                       \
      "TC=1: the answer follows over TCP")                                                         \
    X(SNAPPED, "snapped", NOT_CHECKABLE, EDE_NONE, "", "",                                         \
      "the frame was captured short, or fragments are missing")                                    \
    X(NO_DO, "no-dnssec-requested", NOT_CHECKABLE, EDE_NONE, "RFC 3225 3", "",                     \
      "the query did not ask for DNSSEC records")                                                  \
    X(MALFORMED, "malformed", NOT_CHECKABLE, EDE_NONE, "RFC 1035 4", "",                           \
      "the message is malformed")                                                                  \
    X(RCODE, "error-response", NOT_CHECKABLE, EDE_NONE, "RFC 4035 5.5", "",                        \
      "an error code without data")                                                                \
    X(REFERRAL, "referral", NOT_CHECKABLE, EDE_NONE, "RFC 1034 4.3.2", "",                         \
      "a referral answers nothing")                                                                \
    X(DELEGATION_NS, "delegation-ns", NOT_CHECKABLE, EDE_NONE, "RFC 4035 2.2", "",                 \
      "NS records without signature that a resolver gives may be the parent's, which nobody "      \
      "signs")                                                                                     \
    X(NOT_CACHED, "not-in-cache", NOT_CHECKABLE, EDE_NONE, "RFC 1034 4.3.1", "",                   \
      "the query did not ask for recursion, and the resolver's cache had nothing for it")          \
    X(LOCAL, "locally-served", NOT_CHECKABLE, EDE_NONE, "RFC 6303 3", "",                          \
      "resolvers answer such names by themselves, whatever the root says of them")                 \
    X(TRANSLATED, "address-translated", NOT_CHECKABLE, EDE_NONE, "RFC 6147 5.5", "",               \
      "a resolver made the IPv6 address out of the name's IPv4 address (DNS64), which nobody "     \
      "signs")                                                                                     \
    X(TRANSFER, "zone-transfer", NOT_CHECKABLE, EDE_NONE, "RFC 5936 2.2", "",                      \
      "a zone transfer holds glue and delegations, which nobody signs")                            \
    X(SIGNATURES, "signatures-only", NOT_CHECKABLE, EDE_NONE, "RFC 4035 2.2", "",                  \
      "signatures were asked for, without what they sign; nobody signs signatures")                \
    X(OPCODE, "not-a-query", NOT_CHECKABLE, EDE_NONE, "RFC 1035 4.1.1", "",                        \
      "the response is to a NOTIFY, an UPDATE or the like")                                        \
    X(BUDGET, "budget-exhausted", NOT_CHECKABLE, EDE_NONE, "CVE-2023-50387", "",                   \
      "the verification budget ran out")                                                           \
    X(UNCLASS, "class-not-in", NOT_CHECKABLE, EDE_NONE, "RFC 4033 7", "",                          \
      "DNSSEC is defined for class IN")

enum reason {
#define X(name, code, verdict, ede, rfc, dnsviz, text) REASON_##name,
    REASONS(X)
#undef X
        REASON_COUNT
};

const char *verdict_name(enum verdict_kind);   /* "secure" … */
enum verdict_kind reason_verdict(enum reason); /* the verdict a reason belongs to */
const char *reason_code(enum reason);          /* "signature-expired" … */
const char *reason_rfc(enum reason);           /* "RFC 4035 5.3.1" or "" */
const char *reason_dnsviz(enum reason);        /* DNSViz error class or "" */
const char *reason_text(enum reason);          /* the sentence */
uint16_t reason_ede(enum reason);              /* info code or EDE_NONE */
/* The message tag that Zonemaster's DNSSEC test cases give for it where an RRset of that type
 * decided (0: none did), or "". */
const char *reason_zonemaster(enum reason, uint16_t type);

#endif
