/*
 * records: findings about the data of a zone, held against its baseline.
 *
 * Contained in: analyze, tests. What DNSSEC maintenance alters by itself, and TTLs, are never a
 * deviation; nor is what the baseline cannot speak of (below a delegation, `dynamic`, planned).
 */
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

/* IANA numbers of the types that the conditions name. */
enum {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_HINFO = 13,
    TYPE_MX = 15,
    TYPE_TXT = 16,
    TYPE_SIG = 24,
    TYPE_KEY = 25,
    TYPE_AAAA = 28,
    TYPE_NXT = 30,
    TYPE_OPT = 41,
    TYPE_DS = 43,
    TYPE_RRSIG = 46,
    TYPE_NSEC = 47,
    TYPE_DNSKEY = 48,
    TYPE_NSEC3 = 50,
    TYPE_NSEC3PARAM = 51,
    TYPE_TLSA = 52,
    TYPE_CDS = 59,
    TYPE_CDNSKEY = 60,
    TYPE_ZONEMD = 63,
    TYPE_CAA = 257,
    TYPE_META_FIRST = 128, /* RFC 6895 3.1: Q and meta types */
    TYPE_META_LAST = 255,
    TYPE_SIGNING = 65534 /* BIND's private record of signing under way */
};

#define SOA_TAIL        20 /* serial, refresh, retry, expire, minimum */
#define SOA_SERIAL_SIZE 4

/* Types that maintenance alters, or that another rule or family looks after. */
static bool not_a_record(uint16_t type)
{
    switch (type) {
    case TYPE_NS: /* delegation-changed */
    case TYPE_SIG:
    case TYPE_NXT:
    case TYPE_OPT:
    case TYPE_DS:
    case TYPE_RRSIG:
    case TYPE_NSEC:
    case TYPE_DNSKEY:
    case TYPE_NSEC3:
    case TYPE_NSEC3PARAM:
    case TYPE_CDS:
    case TYPE_CDNSKEY:
    case TYPE_ZONEMD:
    case TYPE_SIGNING:
        return true;
    default:
        return type == 0 || (type >= TYPE_META_FIRST && type <= TYPE_META_LAST);
    }
}

/* RFC 8482 4.2: a HINFO made up in place of an answer to ANY. */
static bool is_any_refusal(const struct fact_rrset *set)
{
    static const uint8_t mark[] = "\x07RFC8482";
    return set->type == TYPE_HINFO && set->count == 1 && set->rdata[0].size >= sizeof mark - 1 &&
           memcmp(set->rdata[0].bytes, mark, sizeof mark - 1) == 0;
}

/* Equal apart from the serial. */
static bool soa_equal(const struct fact_rrset *a, const struct fact_rrset *b)
{
    if (a->count != 1 || b->count != 1 || a->rdata[0].size != b->rdata[0].size ||
        a->rdata[0].size < SOA_TAIL)
        return false;
    size_t names = a->rdata[0].size - SOA_TAIL, after = names + SOA_SERIAL_SIZE;
    return memcmp(a->rdata[0].bytes, b->rdata[0].bytes, names) == 0 &&
           memcmp(a->rdata[0].bytes + after, b->rdata[0].bytes + after,
                  SOA_TAIL - SOA_SERIAL_SIZE) == 0;
}

static bool as_declared(const struct fact_rrset *expected, const struct fact_rrset *seen)
{
    return seen->type == TYPE_SOA ? soa_equal(expected, seen) : rrset_equal(expected, seen);
}

static bool is_prized(uint16_t type)
{
    return type == TYPE_A || type == TYPE_AAAA || type == TYPE_MX || type == TYPE_NS ||
           type == TYPE_CNAME || type == TYPE_TLSA || type == TYPE_CAA;
}

/* A CAA set is weaker when it allows what it did not (RFC 8659 4): any entry more. */
static bool caa_grew(const struct fact_rrset *expected, const struct fact_rrset *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        if (!rrset_has(expected, &seen->rdata[i]))
            return true;
    return false;
}

static enum rule_id rule_for_change(const struct fact *fact, const char **ret_why)
{
    const struct fact_rrset *expected = &fact->baseline.expected, *seen = &fact->observed;
    switch (seen->type) {
    case TYPE_MX:
        return RULE_MAIL_MOVED;
    case TYPE_TLSA:
        return RULE_TLSA_CHANGED;
    case TYPE_CAA:
        return caa_grew(expected, seen) ? RULE_CAA_WEAKENED : RULE_RECORD_CHANGED;
    case TYPE_TXT:
        return mail_weakened(expected, seen, seen->owner, ret_why) ? RULE_MAIL_POLICY_WEAKENED
                                                                   : RULE_RECORD_CHANGED;
    default:
        return RULE_RECORD_CHANGED;
    }
}

/* The set that the finding is about: a wildcard stands for all names that it answers for. */
static struct subject set_subject(const struct fact *fact)
{
    const uint8_t *owner = fact->observed.owner;
    if (fact->baseline.expected.count && fact->baseline.expected.owner)
        owner = fact->baseline.expected.owner;
    return (struct subject){fact->zone, owner, fact->observed.type, NULL, 0};
}

static const enum rule_id rules_of_sets[] = {
    RULE_RECORD_UNEXPECTED,    RULE_RECORD_CHANGED, RULE_RECORD_MISSING, RULE_MAIL_MOVED,
    RULE_MAIL_POLICY_WEAKENED, RULE_TLSA_CHANGED,   RULE_CAA_WEAKENED,
};

static bool comparable(const struct fact *fact)
{
    const struct fact_baseline *baseline = &fact->baseline;
    return baseline->present && !fact->tc && !fact->from_referral && !baseline->below_cut &&
           !not_a_record(fact->observed.type) && !is_any_refusal(&fact->observed) &&
           (baseline->strict || baseline->watched);
}

static void judge_set(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_rrset *expected = &fact->baseline.expected, *seen = &fact->observed;
    struct subject subject = set_subject(fact);
    char name[NAME_TEXT_MAX], type[32], trust[256];
    const char *why = NULL;
    if (!comparable(fact) || seen->count == 0)
        return;
    if (as_declared(expected, seen)) {
        for (size_t i = 0; i < sizeof rules_of_sets / sizeof *rules_of_sets; i++)
            findings_close(judge, rules_of_sets[i], &subject);
        return;
    }
    if (fact->baseline.dynamic || fact->baseline.planned)
        return;
    enum rule_id rule = expected->count ? rule_for_change(fact, &why) : RULE_RECORD_UNEXPECTED;
    for (size_t i = 0; i < sizeof rules_of_sets / sizeof *rules_of_sets; i++)
        if (rules_of_sets[i] != rule) /* another deviation takes its place */
            findings_close(judge, rules_of_sets[i], &subject);
    struct entry *entry = entry_begin(judge, rule, &subject);
    if (!entry)
        return;
    enum severity severity = (enum severity)0;
    if (fact->baseline.watched && is_prized(seen->type))
        severity = SEVERITY_CRITICAL;
    else if (seen->type == TYPE_SOA && rule == RULE_RECORD_CHANGED)
        severity = SEVERITY_MEDIUM; /* timers and contact lead nobody astray */
    text_expect_set(judge, entry, expected);
    text_observe_set(judge, entry, seen);
    entry_summary(entry, "%s %s %s%s%s (%s)", name_text(seen->owner, name),
                  text_type(judge, seen->type, type),
                  expected->count ? "differs from the baseline" : "is not in the baseline",
                  why ? ": " : "", why ? why : "", text_trust(fact, trust));
    entry_end(judge, entry, severity);
}

/* --- a signed denial of what is declared --------------------------------------------------- */

static enum rule_id rule_for_absence(const struct fact *fact, const char **ret_why)
{
    const struct fact_rrset none = {.owner = fact->observed.owner, .type = fact->observed.type};
    switch (fact->observed.type) {
    case TYPE_MX:
        return RULE_MAIL_MOVED;
    case TYPE_TLSA:
        return RULE_TLSA_CHANGED;
    case TYPE_CAA:
        return RULE_CAA_WEAKENED;
    case TYPE_TXT:
        return mail_weakened(&fact->baseline.expected, &none, fact->observed.owner, ret_why)
                   ? RULE_MAIL_POLICY_WEAKENED
                   : RULE_RECORD_MISSING;
    default:
        return RULE_RECORD_MISSING;
    }
}

static void judge_denied(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = set_subject(fact);
    char name[NAME_TEXT_MAX], type[32];
    const char *why = NULL;
    if (!comparable(fact) || fact->verdict != VERDICT_SECURE)
        return;
    if (fact->baseline.expected.count == 0)
        findings_close(judge, RULE_RECORD_UNEXPECTED, &subject); /* it is gone again */
    if (fact->baseline.expected.count == 0 || fact->baseline.dynamic || fact->baseline.planned ||
        fact->baseline.may_exist)
        return;
    enum rule_id rule = rule_for_absence(fact, &why);
    struct entry *entry = entry_begin(judge, rule, &subject);
    if (!entry)
        return;
    text_expect_set(judge, entry, &fact->baseline.expected);
    entry_summary(
        entry, "%s %s is in the baseline, and a signed denial says that it does not exist",
        name_text(fact->observed.owner, name), text_type(judge, fact->observed.type, type));
    bool critical =
        fact->baseline.watched && is_prized(fact->observed.type) && rule != RULE_RECORD_MISSING;
    entry_end(judge, entry, critical ? SEVERITY_CRITICAL : (enum severity)0);
}

void records_judge(struct judge *judge)
{
    if (judge->fact->kind == FACT_RRSET)
        judge_set(judge);
    else if (judge->fact->kind == FACT_DENIED)
        judge_denied(judge);
}
