/*
 * roll: findings about key rolls: how they go on, whether they were planned, whether a step came
 * too early (RFC 7583, RFC 6781 4.1, RFC 5011).
 *
 * Contained in: analyze, tests. One roll is one finding of each kind, named by the new key; what
 * its times mean is decided in analyze/follow/roll_check.c.
 */
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

#define TYPE_DNSKEY   48
#define IDENTITY_ROOM 4096 /* longer keys share the finding of their first bytes */
#define NS_PER_S      INT64_C(1000000000)

static struct subject roll_subject(const struct fact *fact, const struct fact_key *key,
                                   uint8_t *identity)
{
    size_t size =
        key->public_key.size < IDENTITY_ROOM - 1 ? key->public_key.size : IDENTITY_ROOM - 1;
    identity[0] = key->algorithm; /* not the flags: REVOKE makes no other key of it */
    memcpy(identity + 1, key->public_key.bytes, size);
    return (struct subject){fact->zone, fact->zone, TYPE_DNSKEY, identity, size + 1};
}

static const char *role(const struct fact *fact, const struct fact_key *key)
{
    if (fact->roll->both && key->flags & KEY_SEP)
        return "CSK";
    return key->flags & KEY_SEP ? "KSK" : "ZSK";
}

static const char *method(const struct fact *fact)
{
    bool sep = fact->roll->roll->flags & KEY_SEP;
    switch (fact->roll->method) {
    case ROLL_BY_PREPUBLICATION:
        return " by pre-publication";
    case ROLL_BY_DOUBLE_SIGNATURE:
        return sep && !fact->roll->both ? " by double KSK" : " by double signature";
    case ROLL_BY_DOUBLE_DS:
        return " by double DS";
    case ROLL_BY_ALGORITHM:
        return " to another algorithm";
    case ROLL_BY_UNKNOWN:
        break;
    }
    return "";
}

/* "KSK roll of example. from key 1 to key 2 (ECDSAP256SHA256) by double DS" */
static void text_roll(const struct judge *judge, char ret_text[NAME_TEXT_MAX + 160])
{
    const struct fact *fact = judge->fact;
    const struct fact_roll *roll = fact->roll;
    char zone[NAME_TEXT_MAX], algorithm[32];
    name_text(fact->zone, zone);
    text_algorithm(judge, roll->roll->algorithm, algorithm);
    if (roll->other)
        snprintf(ret_text, NAME_TEXT_MAX + 160, "%s roll of %s from key %u to key %u (%s)%s",
                 role(fact, roll->roll), zone, roll->other->tag, roll->roll->tag, algorithm,
                 method(fact));
    else
        snprintf(ret_text, NAME_TEXT_MAX + 160, "%s %u (%s) of %s", role(fact, roll->roll),
                 roll->roll->tag, algorithm, zone);
}

/* "www.example. A" */
static const char *text_rrset(const struct judge *judge, char ret_text[NAME_TEXT_MAX + 40])
{
    const struct fact_roll *roll = judge->fact->roll;
    char name[NAME_TEXT_MAX], type[32];
    snprintf(ret_text, NAME_TEXT_MAX + 40, "%s %s", name_text(roll->owner, name),
             text_type(judge, roll->type, type));
    return ret_text;
}

/* Whole seconds, or what is left of one. */
static const char *text_span(int64_t ns, char ret_text[32])
{
    if (ns > 0 && ns < 10 * NS_PER_S)
        snprintf(ret_text, 32, "%lld.%lld s", (long long)(ns / NS_PER_S),
                 (long long)(ns % NS_PER_S / (NS_PER_S / 10)));
    else
        snprintf(ret_text, 32, "%lld s", (long long)(ns / NS_PER_S));
    return ret_text;
}

/* --- roll-progress, roll-unplanned --------------------------------------------------------- */

static const char *what_happened(enum roll_stage stage)
{
    switch (stage) {
    case ROLL_PUBLISHED:
        return "was published";
    case ROLL_SIGNS:
        return "signs RRsets";
    case ROLL_DS_SEEN:
        return "is named by the parent's DS";
    case ROLL_DS_GONE:
        return "is no longer named by the parent's DS";
    case ROLL_REVOKED:
        return "was revoked";
    case ROLL_REMOVED:
        return "left the DNSKEY RRset";
    default:
        return NULL;
    }
}

static void report_stage(struct judge *judge, enum rule_id rule)
{
    const struct fact *fact = judge->fact;
    const struct fact_roll *roll = fact->roll;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = roll_subject(fact, roll->roll, identity);
    struct entry *entry = entry_begin(judge, rule, &subject);
    char text[NAME_TEXT_MAX + 160], line[LINE_ROOM], when[32];
    if (!entry)
        return;
    snprintf(line, sizeof line, "; %s %s %u %s%s", text_time(fact->time_ns / NS_PER_S, when),
             role(fact, roll->key), roll->key->tag, what_happened(roll->stage),
             roll->proven ? "" : " (inferred)");
    entry_observed(entry, line);
    text_roll(judge, text);
    entry_summary(entry, "%s%s: key %u %s", text,
                  rule == RULE_ROLL_UNPLANNED ? " outside every planned window" : "",
                  roll->key->tag, what_happened(roll->stage));
    entry_end(judge, entry, 0);
}

/* With the old key gone the roll is over. */
static void end_roll(struct judge *judge)
{
    const struct fact_roll *roll = judge->fact->roll;
    if (roll->stage != ROLL_REMOVED || !roll->other ||
        !rdata_equal(&roll->key->public_key, &roll->other->public_key))
        return;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = roll_subject(judge->fact, roll->roll, identity);
    findings_close(judge, RULE_ROLL_PROGRESS, &subject);
}

static const struct fact_key *declared(const struct fact_baseline *baseline, size_t from, size_t to,
                                       const struct fact_key *key)
{
    for (size_t i = from; i < to; i++)
        if (baseline->keys[i].algorithm == key->algorithm &&
            rdata_equal(&baseline->keys[i].public_key, &key->public_key))
            return &baseline->keys[i];
    return NULL;
}

/* In a window that names the new key, or in one of its kind that names none. */
static bool is_planned(const struct fact *fact)
{
    const struct fact_baseline *b = &fact->baseline;
    const struct fact_key *key = fact->roll->roll;
    if (!fact->roll->other && fact->roll->stage == ROLL_REMOVED)
        return b->planned;
    if (declared(b, b->key_declared, b->key_count, key))
        return true;
    return (!b->algorithm || key->algorithm == b->algorithm) &&
           (key->flags & KEY_SEP ? b->planned_sep : b->planned_zsk);
}

static void judge_unplanned(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_baseline *b = &fact->baseline;
    const struct fact_roll *roll = fact->roll;
    if (!b->present || !b->signed_zone || b->multi_signer || !roll->proven || is_planned(fact))
        return;
    /* A revocation and a mere withdrawal have findings of their own; that a declared key is
     * published was declared. */
    if (roll->stage == ROLL_REVOKED || (roll->stage == ROLL_REMOVED && !roll->other) ||
        (roll->stage == ROLL_PUBLISHED && declared(b, 0, b->key_declared, roll->key)))
        return;
    report_stage(judge, RULE_ROLL_UNPLANNED);
}

/* --- roll-unsafe, key-withdrawn-early ------------------------------------------------------ */

/* What went wrong, and (ret_rule) what should have been waited for. */
static void text_step(const struct judge *judge, char *ret_text, size_t room, const char **ret_rule)
{
    const struct fact_roll *roll = judge->fact->roll;
    char rrset[NAME_TEXT_MAX + 40], passed[32], needed[32];
    unsigned tag = roll->key->tag;
    text_span(roll->passed_ns, passed);
    text_span(roll->needed_ns, needed);
    switch (roll->stage) {
    case ROLL_SIGNS_EARLY:
        *ret_rule = "RFC 7583 3.2.1: Ipub = Dprp + TTLkey between publishing a key and signing "
                    "with it alone";
        snprintf(ret_text, room,
                 "key %u alone signed %s %s after a DNSKEY RRset without it was last served, which "
                 "caches may hold for %s",
                 tag, text_rrset(judge, rrset), passed, needed);
        break;
    case ROLL_REMOVED_EARLY:
        *ret_rule = "RFC 7583 3.2.1: Iret = Dsgn + Dprp + TTLsig between replacing the signatures "
                    "of a key and withdrawing it";
        snprintf(ret_text, room,
                 "key %u was withdrawn %s after RRsets that it alone signed (%s) were last served, "
                 "which caches may hold for %s",
                 tag, passed, text_rrset(judge, rrset), needed);
        break;
    case ROLL_KSK_EARLY:
        *ret_rule = "RFC 7583 3.3: Iret = DprpP + TTLds between replacing the DS of a KSK and "
                    "withdrawing it";
        snprintf(ret_text, room,
                 "KSK %u was withdrawn %s after a DS RRset that names no other of the keys was "
                 "last served, which caches may hold for %s",
                 tag, passed, needed);
        break;
    case ROLL_KSK_NO_DS:
        *ret_rule = "RFC 7583 3.3: the DS of the new KSK at the parent, and DprpP + TTLds, before "
                    "the old one is withdrawn";
        snprintf(ret_text, room,
                 "KSK %u was withdrawn while no DS of the parent, nor a trust "
                 "anchor, named another key that signs the DNSKEY RRset",
                 tag);
        break;
    case ROLL_DS_EARLY:
        *ret_rule = "RFC 7583 3.3.1: IpubC = DprpC + TTLkey between publishing a KSK and having "
                    "the DS name it alone";
        snprintf(ret_text, room,
                 "the DS named key %u %s after a DNSKEY RRset that none of its keys signs was last "
                 "served, which caches may hold for %s",
                 tag, passed, needed);
        break;
    case ROLL_ALGORITHM_EARLY:
        *ret_rule = "RFC 6781 4.1.4: signatures of an algorithm first, its DS last; and back in "
                    "the other order";
        snprintf(ret_text, room,
                 "a DS of the algorithm of key %u and RRsets without a signature of it (%s) can be "
                 "in caches at the same time: %s passed, %s are needed",
                 tag, text_rrset(judge, rrset), passed, needed);
        break;
    default: /* ROLL_HOLD_DOWN */
        *ret_rule = "RFC 5011 2.4.1: 30 days between publishing a trust anchor and relying on it";
        snprintf(ret_text, room,
                 "trust anchor %u no longer vouches for the keys %s after its successor was first "
                 "published; who follows RFC 5011 trusts that one after %s",
                 tag, passed, needed);
        break;
    }
}

/* "; caches are rid of it at 2026-…" */
static const char *text_until(const struct fact_roll *roll, char ret_text[128])
{
    char when[32];
    if (roll->until_ns == INT64_MAX)
        snprintf(ret_text, 128, "; until it is mended");
    else
        snprintf(ret_text, 128, "; caches are rid of it at %s%s",
                 text_time(roll->until_ns / NS_PER_S + 1, when),
                 roll->exposed || !roll->proven ? "" : ", and none was seen here that holds it");
    return ret_text;
}

/* Early by the clock alone, before resolvers that had all asked anew: a remark in the diary. */
static void report_early(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = roll_subject(fact, fact->roll->roll, identity);
    struct entry *entry = entry_begin(judge, RULE_ROLL_PROGRESS, &subject);
    char text[NAME_TEXT_MAX + 160], step[LINE_ROOM - 128], line[LINE_ROOM], until[128];
    const char *rule;
    if (!entry)
        return;
    text_roll(judge, text);
    text_step(judge, step, sizeof step, &rule);
    snprintf(line, sizeof line, "; early by the clock: %s%s", step, text_until(fact->roll, until));
    entry_observed(entry, line);
    entry_summary(
        entry, "%s: early by the clock, %s", text,
        fact->roll->proven
            ? "and no cache was seen that can hold what was before"
            : "if one server's keys took the place of another's: none was seen to change");
    entry_end(judge, entry, 0);
}

static void report_unsafe(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = roll_subject(fact, fact->roll->roll, identity);
    struct entry *entry = entry_begin(judge, RULE_ROLL_UNSAFE, &subject);
    char text[NAME_TEXT_MAX + 160], step[LINE_ROOM - 128], line[LINE_ROOM], until[128];
    const char *rule;
    if (!entry)
        return;
    text_roll(judge, text);
    text_step(judge, step, sizeof step, &rule);
    snprintf(line, sizeof line, "; %s", rule);
    entry_expected(entry, line);
    snprintf(line, sizeof line, "; %s%s", step, text_until(fact->roll, until));
    entry_observed(entry, line);
    entry_summary(entry, "%s: %s", text, entry_first(entry, step));
    entry_end(judge, entry, 0);
}

static void report_withdrawn(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_roll *roll = fact->roll;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = roll_subject(fact, roll->key, identity);
    struct entry *entry = entry_begin(judge, RULE_KEY_WITHDRAWN_EARLY, &subject);
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], rrset[NAME_TEXT_MAX + 40], passed[32], needed[32];
    char until[128];
    if (!entry)
        return;
    entry_clear(entry);
    entry_expected(entry, text_key(fact->zone, roll->key, line));
    snprintf(line, sizeof line,
             "; %s, signed by key %u alone, last served %s before the key was "
             "gone, TTL %s%s",
             text_rrset(judge, rrset), roll->key->tag, text_span(roll->passed_ns, passed),
             text_span(roll->needed_ns, needed), text_until(roll, until));
    entry_observed(entry, line);
    entry_summary(entry,
                  "%s %u left the DNSKEY RRset of %s %s after its signatures were last served; "
                  "they stay in caches for %s and no longer validate",
                  role(fact, roll->key), roll->key->tag, name_text(fact->zone, zone), passed,
                  needed);
    entry_end(judge, entry, 0);
}

static void close_key(struct judge *judge, enum rule_id rule, const struct fact_key *key)
{
    uint8_t identity[IDENTITY_ROOM];
    if (!key)
        return;
    struct subject subject = roll_subject(judge->fact, key, identity);
    findings_close(judge, rule, &subject);
}

static void judge_over(struct judge *judge)
{
    const struct fact_roll *roll = judge->fact->roll;
    close_key(judge, RULE_ROLL_UNSAFE, roll->roll);
    close_key(judge, RULE_KEY_WITHDRAWN_EARLY, roll->roll);
    close_key(judge, RULE_KEY_WITHDRAWN_EARLY, roll->other);
}

/* --- ds-pending ---------------------------------------------------------------------------- */

static void judge_pending(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_roll *roll = fact->roll;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = roll_subject(fact, roll->key, identity);
    struct entry *entry = entry_begin(judge, RULE_DS_PENDING, &subject);
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], age[32], needed[32];
    if (!entry)
        return;
    entry_clear(entry);
    entry_expected(entry, text_key(fact->zone, roll->key, line));
    snprintf(line, sizeof line,
             "; DS of the parent seen %s after the key began to sign: it names "
             "key %u only",
             text_span(roll->passed_ns, age), roll->other ? roll->other->tag : 0);
    entry_observed(entry, line);
    entry_summary(entry,
                  "%s %u signs the DNSKEY RRset of %s for %s, and the parent's DS does not name it "
                  "(%s for TTLs to pass, then the parent's own time)",
                  role(fact, roll->key), roll->key->tag, name_text(fact->zone, zone), age,
                  text_span(roll->needed_ns, needed));
    entry_end(judge, entry, roll->overdue && !is_planned(fact) ? (enum severity)0 : SEVERITY_INFO);
}

static bool is_unsafe(enum roll_stage stage)
{
    return stage >= ROLL_SIGNS_EARLY && stage <= ROLL_HOLD_DOWN;
}

void roll_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    if (fact->kind != FACT_ROLL)
        return;
    if (is_unsafe(fact->roll->stage) && !fact->roll->exposed) {
        report_early(judge);
        return;
    }
    switch (fact->roll->stage) {
    case ROLL_RESTORED:
        close_key(judge, RULE_KEY_WITHDRAWN_EARLY, fact->roll->key);
        break;
    case ROLL_UNDONE:
        close_key(judge, RULE_ROLL_PROGRESS, fact->roll->key);
        close_key(judge, RULE_ROLL_UNPLANNED, fact->roll->key);
        break;
    case ROLL_SAFE_AGAIN:
        judge_over(judge);
        break;
    case ROLL_DS_PENDING:
        judge_pending(judge);
        break;
    case ROLL_DS_FOLLOWED:
        close_key(judge, RULE_DS_PENDING, fact->roll->key);
        break;
    case ROLL_REMOVED_EARLY:
        report_withdrawn(judge);
        if (fact->roll->other) /* a step of a roll; else a key was withdrawn, and no more */
            report_unsafe(judge);
        break;
    case ROLL_SIGNS_EARLY:
    case ROLL_KSK_EARLY:
    case ROLL_KSK_NO_DS:
    case ROLL_DS_EARLY:
    case ROLL_ALGORITHM_EARLY:
    case ROLL_HOLD_DOWN:
        report_unsafe(judge);
        break;
    default:
        report_stage(judge, RULE_ROLL_PROGRESS);
        end_roll(judge);
        judge_unplanned(judge);
        break;
    }
}
