/*
 * signatures: findings about RRSIGs (RFC 4034 3, RFC 4035 5.3).
 *
 * Contained in: analyze, tests. One cause is one finding: the zone and what is wrong with its
 * signatures; RRsets and keys are counted in it, and leave it when they are sound again.
 */
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

static const enum rule_id by_signer[] = {
    RULE_RRSIG_BAD,         RULE_RRSIG_EXPIRED,   RULE_RRSIG_NOT_YET_VALID,   RULE_RRSIG_EXPIRING,
    RULE_RRSIG_UNKNOWN_KEY, RULE_RRSIG_MALFORMED, RULE_RRSIG_SIGNER_NOT_ZONE,
};

/* Labels as RRSIG counts them: neither the root nor a leading "*" (RFC 4034 3.1.3). */
static unsigned rrsig_labels(const uint8_t *owner)
{
    return name_labels(owner) - (name_is_wildcard(owner) ? 1 : 0);
}

struct group { /* a finding about the signatures of a zone */
    struct entry *entry;
    const char *rrset, *plural; /* the first RRset, "s" if there are more */
    char zone[NAME_TEXT_MAX], keys[ENTRY_KEYS_ROOM], others[48];
};

/* Opens or finds the group and enters the RRset. `entry` NULL when not wanted. */
static struct group group_of(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    const struct fact *fact = judge->fact;
    const struct fact_signature *signature = fact->signature;
    char line[LINE_ROOM], name[NAME_TEXT_MAX], type[32];
    struct group group = {.entry = entry_begin(judge, rule, subject), .plural = ""};
    if (!group.entry)
        return group;
    entry_join_key(group.entry, judge->findings, fact->observed.owner, fact->observed.type,
                   (uint32_t)signature->algorithm << 16 | signature->tag, fact->time_ns);
    entry_observed(group.entry, text_signature(judge, fact->observed.owner, signature, line));
    name_text(signature->signer, group.zone);
    snprintf(line, sizeof line, "%s %s", name_text(fact->observed.owner, name),
             text_type(judge, fact->observed.type, type));
    group.rrset = entry_first(group.entry, line);
    entry_keys(judge, group.entry, group.keys, sizeof group.keys);
    size_t members = entry_members(group.entry);
    if (members > 1) {
        group.plural = "s";
        snprintf(group.others, sizeof group.others, " and %zu more RRset%s", members - 1,
                 members > 2 ? "s" : "");
    }
    return group;
}

static struct group group_begin(struct judge *judge, enum rule_id rule)
{
    const uint8_t *signer = judge->fact->signature->signer;
    struct subject subject = {signer, signer, 46, NULL, 0};
    return group_of(judge, rule, &subject);
}

static void judge_bad(struct judge *judge)
{
    struct group group = group_begin(judge, RULE_RRSIG_BAD);
    char server[64];
    if (!group.entry)
        return;
    entry_summary(group.entry, "%s: signature%s over %s%s do%s not verify with %s; last from %s",
                  group.zone, group.plural, group.rrset, group.others, *group.plural ? "" : "es",
                  group.keys, text_server(judge->fact, server));
    entry_end(judge, group.entry, (enum severity)0);
}

static void judge_expired(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_signature *signature = fact->signature;
    if (fact_clock(fact) / NS_PER_S <= signature->expiration + judge->limits->skew_ns / NS_PER_S)
        return;
    struct group group = group_begin(judge, RULE_RRSIG_EXPIRED);
    char when[32];
    if (!group.entry)
        return;
    entry_summary(group.entry, "%s: signature%s by %s over %s%s expired%s at %s%s", group.zone,
                  group.plural, group.keys, group.rrset, group.others,
                  *group.plural ? ", the first" : "",
                  text_time(entry_earliest(group.entry, signature->expiration), when),
                  signature->only_one ? "" : "; another valid signature covers it");
    entry_end(judge, group.entry, signature->only_one ? (enum severity)0 : SEVERITY_MEDIUM);
}

static void judge_future(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_signature *signature = fact->signature;
    if (fact_clock(fact) / NS_PER_S >= signature->inception - judge->limits->skew_ns / NS_PER_S)
        return;
    struct group group = group_begin(judge, RULE_RRSIG_NOT_YET_VALID);
    char when[32];
    if (!group.entry)
        return;
    bool all = !findings_noted_valid(judge->findings, signature->signer);
    entry_summary(group.entry, "%s: signature%s by %s over %s%s %s not valid before %s%s",
                  group.zone, group.plural, group.keys, group.rrset, group.others,
                  *group.plural ? "are" : "is",
                  text_time(entry_earliest(group.entry, signature->inception), when),
                  all ? "; no valid signature of this zone was seen: a clock is wrong, the "
                        "signer's or the sensor's"
                      : "");
    entry_end(judge, group.entry, signature->only_one ? (enum severity)0 : SEVERITY_MEDIUM);
}

/* Which remaining life is too short for this zone: where the owner states the rhythm of its signer,
 * life is short only once the refresh is overdue. */
static int64_t lead_time(const struct judge *judge)
{
    const struct fact_baseline *baseline = &judge->fact->baseline;
    int64_t lead = judge->limits->expiring_ns;
    if (baseline->refresh_ns && baseline->refresh_ns < lead)
        lead = baseline->refresh_ns;
    else if (baseline->validity_ns && baseline->validity_ns / 4 < lead)
        lead = baseline->validity_ns / 4;
    return lead;
}

/* Made for so short a time that the lead time cannot be kept, and nobody states the rhythm: no
 * deadline is near before three quarters of the life are over. */
static bool short_lived(const struct fact *fact, int64_t left)
{
    const struct fact_signature *signature = fact->signature;
    return !fact->baseline.refresh_ns && !fact->baseline.validity_ns &&
           left >= (signature->expiration - signature->inception) / 4;
}

static struct subject expiring_subject(const struct judge *judge, bool brief)
{
    static const uint8_t identity[1] = {1};
    const uint8_t *signer = judge->fact->signature->signer;
    return (struct subject){signer, signer, 46, brief ? identity : NULL, brief};
}

static void judge_expiring(struct judge *judge, int64_t left)
{
    const struct fact_signature *signature = judge->fact->signature;
    bool brief = short_lived(judge->fact, left);
    struct subject subject = expiring_subject(judge, brief);
    struct group group = group_of(judge, RULE_RRSIG_EXPIRING, &subject);
    char when[32];
    if (!group.entry)
        return;
    /* What lives briefly is made anew all the time: no deadline but that of the one in hand. */
    int64_t deadline =
        brief ? signature->expiration : entry_earliest(group.entry, signature->expiration);
    left = deadline - fact_clock(judge->fact) / NS_PER_S;
    text_time(deadline, when);
    if (brief)
        entry_summary(group.entry,
                      "%s: signature%s by %s over %s%s %s made for %lld h only; the one seen last "
                      "expires at %s",
                      group.zone, group.plural, group.keys, group.rrset, group.others,
                      *group.plural ? "are" : "is",
                      (long long)(signature->expiration - signature->inception + 1800) / 3600,
                      when);
    else
        entry_summary(group.entry,
                      "%s: signature%s by %s over %s%s expire%s soon; deadline for signing anew: "
                      "%s, in %lld h",
                      group.zone, group.plural, group.keys, group.rrset, group.others,
                      *group.plural ? "" : "s", when, (long long)(left > 0 ? left / 3600 : 0));
    entry_end(judge, group.entry, brief ? SEVERITY_LOW : (enum severity)0);
}

static bool key_declared(const struct fact_baseline *baseline,
                         const struct fact_signature *signature)
{
    for (size_t i = 0; i < baseline->key_count; i++)
        if (baseline->keys[i].tag == signature->tag &&
            baseline->keys[i].algorithm == signature->algorithm)
            return true;
    return false;
}

static void judge_unknown_key(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_signature *signature = fact->signature;
    if (!fact->dnskey_seen || key_declared(&fact->baseline, signature))
        return;
    if (signature->foreign && !signature->only_one)
        return; /* signatures of an algorithm come before its keys and stay after them (RFC 6781
                   4.1.4) */
    struct group group = group_begin(judge, RULE_RRSIG_UNKNOWN_KEY);
    char line[LINE_ROOM], server[64];
    if (!group.entry)
        return;
    for (size_t i = 0; i < fact->key_count; i++)
        entry_expected(group.entry, text_key(signature->signer, &fact->keys[i], line));
    for (size_t i = 0; i < fact->baseline.key_count && !fact->key_count; i++)
        entry_expected(group.entry, text_key(signature->signer, &fact->baseline.keys[i], line));
    entry_summary(group.entry,
                  "%s: signature%s over %s%s name%s %s, not in the DNSKEY RRset%s%s; last "
                  "from %s",
                  group.zone, group.plural, group.rrset, group.others, *group.plural ? "" : "s",
                  group.keys, fact->baseline.present ? " nor in the baseline" : "",
                  signature->only_one ? "" : "; another valid signature covers it",
                  text_server(fact, server));
    /* Beside a valid one it harms nobody, and is how a key comes by double signature (RFC 7583
     * 3.2.2): the DNSKEY RRset that has it may not have passed by yet. */
    entry_end(judge, group.entry, signature->only_one ? (enum severity)0 : SEVERITY_INFO);
}

static void judge_malformed(struct judge *judge)
{
    struct group group = group_begin(judge, RULE_RRSIG_MALFORMED);
    if (!group.entry)
        return;
    entry_summary(group.entry, "%s: signature%s by %s over %s%s %s impossible for the algorithm",
                  group.zone, group.plural, group.keys, group.rrset, group.others,
                  *group.plural ? "are" : "is");
    entry_end(judge, group.entry, (enum severity)0);
}

/* --- form: signer and labels --------------------------------------------------------------- */

static bool judge_signer(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_signature *signature = fact->signature;
    char zone[NAME_TEXT_MAX];
    struct subject subject = {fact->zone, fact->zone, 46, NULL, 0};
    if (!signature->astray)
        return false;
    struct group group = group_of(judge, RULE_RRSIG_SIGNER_NOT_ZONE, &subject);
    if (!group.entry)
        return true;
    entry_summary(group.entry, "signature over %s%s names %s as signer; the zone is %s",
                  group.rrset, group.others, group.zone, name_text(fact->zone, zone));
    entry_end(judge, group.entry, signature->only_one ? (enum severity)0 : SEVERITY_MEDIUM);
    return true;
}

static bool judge_labels(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_signature *signature = fact->signature;
    bool too_many =
        signature->labels > rrsig_labels(fact->observed.owner) || fact->reason == REASON_SIG_LABELS;
    if (!too_many && fact->reason != REASON_WILDCARD_CLOSER)
        return false;
    struct group group = group_begin(judge, RULE_RRSIG_LABELS);
    if (!group.entry)
        return true;
    if (too_many)
        entry_summary(group.entry, "signature over %s%s states %u labels, more than the owner has",
                      group.rrset, group.others, signature->labels);
    else
        entry_summary(group.entry,
                      "%s%s comes from a wildcard (%u labels signed) and nothing denies the name",
                      group.rrset, group.others, signature->labels);
    entry_end(judge, group.entry, (enum severity)0);
    return true;
}

/* --- rrsig-missing ------------------------------------------------------------------------- */

/* Where the signatures are missing: with those who have the zone, or with those who pass it on. */
static struct subject missing_subject(const struct fact *fact, bool authority)
{
    static const uint8_t roles[2][1] = {{0}, {1}};
    return (struct subject){fact->zone, fact->zone, 46, roles[authority], 1};
}

static void judge_missing(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    char name[NAME_TEXT_MAX], zone[NAME_TEXT_MAX], type[32], server[64], line[LINE_ROOM];
    if (!fact->do_bit || fact->tc || fact->from_referral || fact->baseline.below_cut)
        return;
    struct subject subject = missing_subject(fact, fact->aa);
    struct subject origin = missing_subject(fact, true);
    if (!fact->aa && findings_concerns(judge, RULE_RRSIG_MISSING, &origin))
        return; /* a resolver passes on what the servers left out: one deviation */
    struct entry *entry = entry_begin(judge, RULE_RRSIG_MISSING, &subject);
    if (!entry)
        return;
    entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    name_text(fact->observed.owner, name);
    text_type(judge, fact->observed.type, type);
    snprintf(line, sizeof line, "%s IN RRSIG %s (...)", name, type);
    entry_expected(entry, line);
    text_observe_set(judge, entry, &fact->observed);
    snprintf(line, sizeof line, "; unsigned from %s %s", fact->aa ? "server" : "resolver",
             text_server(fact, server));
    entry_observed(entry, line);
    size_t others = entry_members(entry) - 1;
    char more[48] = "";
    if (others)
        snprintf(more, sizeof more, " and %zu more RRset%s", others, others > 1 ? "s" : "");
    snprintf(line, sizeof line, "%s %s", name, type);
    entry_summary(entry, "%s%s of the signed zone %s come%s without signature from %s %s%s%s",
                  entry_first(entry, line), more, name_text(fact->zone, zone), others ? "" : "s",
                  fact->aa ? "server" : "resolver", server,
                  fact->was_signed ? ", other data of the zone with"
                                   : ", though a DS or an anchor promises one",
                  fact->rewritten ? "; it says that it rewrote the answer" : "");
    entry_end(judge, entry, fact->rewritten ? SEVERITY_LOW : (enum severity)0);
}

/* --- what it is not ------------------------------------------------------------------------ */

/* Of a signature that turned out to be something else, what was said before is taken back. */
static void take_back(struct judge *judge, enum rule_id now)
{
    const struct fact *fact = judge->fact;
    for (size_t i = 0; i < sizeof by_signer / sizeof *by_signer; i++)
        if (fact->revised && !fact->also_wrong && by_signer[i] != now)
            findings_leave(judge, by_signer[i], fact->signature->signer);
}

/* --- a sound signature --------------------------------------------------------------------- */

static void judge_valid(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_signature *signature = fact->signature;
    int64_t left = signature->expiration - fact_clock(fact) / NS_PER_S;
    bool expiring = left < lead_time(judge) / NS_PER_S;
    findings_note_valid(judge->findings, signature->signer);
    if (fact->aa && fact->zone)
        findings_leave(judge, RULE_RRSIG_MISSING, fact->zone);
    /* One that is valid beside another that is not makes the RRset none the sounder. */
    for (size_t i = 0; i < sizeof by_signer / sizeof *by_signer && !fact->also_wrong; i++)
        if (by_signer[i] != RULE_RRSIG_EXPIRING || !expiring)
            findings_leave(judge, by_signer[i], signature->signer);
    if (expiring && short_lived(judge->fact, left) && !fact->also_wrong) {
        struct subject subject = expiring_subject(judge, false);
        findings_leave_one(judge, RULE_RRSIG_EXPIRING, &subject); /* it was signed anew */
    }
    if (expiring)
        judge_expiring(judge, left);
}

void signatures_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    if (fact->kind == FACT_UNSIGNED) {
        judge_missing(judge);
        return;
    }
    if (fact->kind != FACT_SIGNATURE || !fact->signature)
        return;
    if (judge_signer(judge) || judge_labels(judge))
        return;
    switch (fact->signature->state) {
    case SIGNATURE_VALID:
        judge_valid(judge);
        break;
    case SIGNATURE_BAD:
        take_back(judge, RULE_RRSIG_BAD);
        judge_bad(judge);
        break;
    case SIGNATURE_EXPIRED:
        take_back(judge, RULE_RRSIG_EXPIRED);
        judge_expired(judge);
        break;
    case SIGNATURE_FUTURE:
        take_back(judge, RULE_RRSIG_NOT_YET_VALID);
        judge_future(judge);
        break;
    case SIGNATURE_KEY_UNKNOWN:
        take_back(judge, RULE_RRSIG_UNKNOWN_KEY);
        judge_unknown_key(judge);
        break;
    case SIGNATURE_MALFORMED:
        take_back(judge, RULE_RRSIG_MALFORMED);
        judge_malformed(judge);
        break;
    case SIGNATURE_UNCHECKED:
        take_back(judge, RULE_COUNT);
        break;
    }
}
