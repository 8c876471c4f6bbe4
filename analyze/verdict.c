/*
 * verdict: the texts of analyze/verdict.h.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/verdict.h"

#include "analyze/canon.h"

#include <stddef.h>

struct reason_row {
    const char *code;
    enum verdict_kind verdict;
    uint16_t ede;
    const char *rfc, *dnsviz, *text;
};

static const struct reason_row rows[] = {
#define X(name, code, verdict, ede, rfc, dnsviz, text)                                             \
    [REASON_##name] = {code, VERDICT_##verdict, ede, rfc, dnsviz, text},
    REASONS(X)
#undef X
};

const char *verdict_name(enum verdict_kind kind)
{
    static const char *const names[] = {
#define X(name, text, meaning) [VERDICT_##name] = text,
        VERDICTS(X)
#undef X
    };
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "?";
}

static const struct reason_row *row(enum reason reason)
{
    return &rows[(unsigned)reason < REASON_COUNT ? reason : REASON_NONE];
}

enum verdict_kind reason_verdict(enum reason reason)
{
    return row(reason)->verdict;
}

const char *reason_code(enum reason reason)
{
    return row(reason)->code;
}

const char *reason_rfc(enum reason reason)
{
    return row(reason)->rfc;
}

const char *reason_dnsviz(enum reason reason)
{
    return row(reason)->dnsviz;
}

const char *reason_text(enum reason reason)
{
    return row(reason)->text;
}

uint16_t reason_ede(enum reason reason)
{
    return row(reason)->ede;
}

/* Message tags of Zonemaster's test cases DNSSEC02, 03, 08 to 11, as its specifications name them.
 * It looks at the signatures of DNSKEY, SOA, NSEC and NSEC3 only; type 0: any RRset, or none. */
static const struct {
    enum reason reason;
    uint16_t type;
    const char *tag;
} zonemaster[] = {
    {REASON_SIG_EXPIRED, TYPE_DNSKEY, "DS08_DNSKEY_RRSIG_EXPIRED"},
    {REASON_SIG_FUTURE, TYPE_DNSKEY, "DS08_DNSKEY_RRSIG_NOT_YET_VALID"},
    {REASON_SIG_BAD, TYPE_DNSKEY, "DS08_RRSIG_NOT_VALID_BY_DNSKEY"},
    {REASON_SIG_MALFORMED, TYPE_DNSKEY, "DS08_RRSIG_NOT_VALID_BY_DNSKEY"},
    {REASON_SIG_MISSING, TYPE_DNSKEY, "DS08_MISSING_RRSIG_IN_RESPONSE"},
    {REASON_KEY_UNKNOWN, TYPE_DNSKEY, "DS08_NO_MATCHING_DNSKEY"},
    {REASON_SIG_EXPIRED, TYPE_SOA, "DS09_SOA_RRSIG_EXPIRED"},
    {REASON_SIG_FUTURE, TYPE_SOA, "DS09_SOA_RRSIG_NOT_YET_VALID"},
    {REASON_SIG_BAD, TYPE_SOA, "DS09_RRSIG_NOT_VALID_BY_DNSKEY"},
    {REASON_SIG_MALFORMED, TYPE_SOA, "DS09_RRSIG_NOT_VALID_BY_DNSKEY"},
    {REASON_SIG_MISSING, TYPE_SOA, "DS09_MISSING_RRSIG_IN_RESPONSE"},
    {REASON_KEY_UNKNOWN, TYPE_SOA, "DS09_NO_MATCHING_DNSKEY"},
    {REASON_SIG_EXPIRED, TYPE_NSEC, "DS10_NSEC_RRSIG_VERIFY_ERROR"},
    {REASON_SIG_FUTURE, TYPE_NSEC, "DS10_NSEC_RRSIG_VERIFY_ERROR"},
    {REASON_SIG_BAD, TYPE_NSEC, "DS10_NSEC_RRSIG_VERIFY_ERROR"},
    {REASON_SIG_MALFORMED, TYPE_NSEC, "DS10_NSEC_RRSIG_VERIFY_ERROR"},
    {REASON_KEY_UNKNOWN, TYPE_NSEC, "DS10_NSEC_RRSIG_VERIFY_ERROR"},
    {REASON_SIG_MISSING, TYPE_NSEC, "DS10_NSEC_MISSING_SIGNATURE"},
    {REASON_SIG_EXPIRED, TYPE_NSEC3, "DS10_NSEC3_RRSIG_VERIFY_ERROR"},
    {REASON_SIG_FUTURE, TYPE_NSEC3, "DS10_NSEC3_RRSIG_VERIFY_ERROR"},
    {REASON_SIG_BAD, TYPE_NSEC3, "DS10_NSEC3_RRSIG_VERIFY_ERROR"},
    {REASON_SIG_MALFORMED, TYPE_NSEC3, "DS10_NSEC3_RRSIG_VERIFY_ERROR"},
    {REASON_KEY_UNKNOWN, TYPE_NSEC3, "DS10_NSEC3_RRSIG_VERIFY_ERROR"},
    {REASON_SIG_MISSING, TYPE_NSEC3, "DS10_NSEC3_MISSING_SIGNATURE"},
    {REASON_DENIAL_MISSING, 0, "DS10_MISSING_NSEC_NSEC3"},
    {REASON_NSEC3_ITERATIONS, 0, "DS03_ILLEGAL_ITERATION_VALUE"},
    {REASON_DS_MISMATCH, 0, "DS02_NO_VALID_DNSKEY_FOR_ANY_DS"},
    {REASON_DNSKEY_UNSIGNED, 0, "DS02_DNSKEY_NOT_SIGNED_BY_ANY_DS"},
    {REASON_KEY_NOT_ZONE, 0, "DS02_DNSKEY_NOT_FOR_ZONE_SIGNING"},
    {REASON_DNSKEY_MISSING, 0, "DS11_DS_BUT_UNSIGNED_ZONE"},
};

const char *reason_zonemaster(enum reason reason, uint16_t type)
{
    for (size_t i = 0; i < sizeof zonemaster / sizeof *zonemaster; i++)
        if (zonemaster[i].reason == reason &&
            (zonemaster[i].type == 0 || zonemaster[i].type == type))
            return zonemaster[i].tag;
    return "";
}
