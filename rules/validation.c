/*
 * validation: findings about what resolvers make of DNSSEC: opinions that differ, AD where it does
 * not belong, and AD that is missing.
 *
 * Contained in: analyze, tests. Must never: take a client that does not ask, or a cache that was
 * right, for a resolver that errs.
 */
#include "rules/resolution.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

static const char *text_other(const struct fact_health *h, char ret_text[64])
{
    const struct fact other = {.server_family = h->other_family, .server = h->other};
    return text_server(&other, ret_text);
}

/* --- validation-split ---------------------------------------------------------------------- */

static void judge_split(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_health *h = fact->health;
    char zone[NAME_TEXT_MAX], resolver[64], other[64], ede[16], line[LINE_ROOM];
    char text[LINE_ROOM + 256];
    static const uint8_t failing = 's';
    struct subject subject = resolution_subject(fact, &failing, 1);
    struct entry *entry = entry_begin(judge, RULE_VALIDATION_SPLIT, &subject);
    if (!entry)
        return;
    (void)entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    text_server(fact, resolver);
    text_other(h, other);
    snprintf(text, sizeof text, "%s: SERVFAIL from %s%s; %s from %s%s",
             resolution_question(judge, fact->observed.owner, fact->observed.type, line), resolver,
             resolution_ede(h->ede, ede),
             fact->verdict == VERDICT_BOGUS ? "data that we find bogus" : "data", other,
             h->other_is_same ? " with CD=1" : "");
    entry_observed(entry, text);
    size_t count = entry_members(entry);
    entry_summary(entry, "%s answers SERVFAIL to %zu question%s about %s where %s gives data",
                  resolver, count, count == 1 ? "" : "s", name_text(fact->zone, zone),
                  h->other_is_same ? "CD=1" : other);
    entry_end(judge, entry, 0);
}

#define RESOLVER_IDENTITY 18

static struct subject resolver_subject(const struct fact *fact, uint8_t identity[RESOLVER_IDENTITY])
{
    identity[0] = 'r';
    identity[1] = fact->server_family;
    memcpy(identity + 2, fact->server, 16);
    return resolution_subject(fact, identity, RESOLVER_IDENTITY);
}

static void judge_unvalidated(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_health *h = fact->health;
    char zone[NAME_TEXT_MAX], resolver[64], line[LINE_ROOM], text[LINE_ROOM + 64];
    uint8_t identity[RESOLVER_IDENTITY];
    struct subject subject = resolver_subject(fact, identity);
    if (h->kind == HEALTH_VALIDATED) {
        findings_close(judge, RULE_VALIDATION_SPLIT, &subject);
        return;
    }
    if (h->question_count < RESOLUTION_QUESTIONS || resolution_names(h) < RESOLUTION_NAMES)
        return;
    struct entry *entry = entry_begin(judge, RULE_VALIDATION_SPLIT, &subject);
    if (!entry)
        return;
    for (size_t i = 0; i < h->question_count; i++) {
        const struct fact_question *q = &h->questions[i];
        snprintf(text, sizeof text, "%s: secure, and without AD",
                 resolution_question(judge, q->name, q->type, line));
        entry_observed(entry, text);
        (void)entry_join(entry, judge->findings, q->name, q->type);
    }
    entry_summary(entry,
                  "%s validates other zones and does not set AD for %s, which is secure (%zu "
                  "questions): it may have a negative trust anchor for it",
                  text_server(fact, resolver), name_text(fact->zone, zone), entry_members(entry));
    entry_end(judge, entry, 0);
}

/* --- ad-on-bogus --------------------------------------------------------------------------- */

static void judge_ad_on_bogus(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_health *h = fact->health;
    char zone[NAME_TEXT_MAX], resolver[64], until[32], more[128] = "";
    uint8_t identity[RESOLVER_IDENTITY];
    struct subject subject = resolver_subject(fact, identity);
    enum severity severity = 0;
    if (h->excuse_ns != INT64_MIN) {
        bool excused = fact_clock(fact) <= h->excuse_ns;
        severity = excused ? SEVERITY_LOW : SEVERITY_HIGH;
        if (excused)
            snprintf(more, sizeof more, "; until %s a cache from before may explain it",
                     text_time(h->excuse_ns / SECOND_NS, until));
        else
            snprintf(more, sizeof more, "; no cache explains it any longer");
    }
    struct entry *entry = entry_begin(judge, RULE_AD_ON_BOGUS, &subject);
    if (!entry)
        return;
    (void)entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    text_observe_set(judge, entry, &fact->observed);
    entry_summary(entry, "%s sets AD on data of %s that is bogus (%s)%s",
                  text_server(fact, resolver), name_text(fact->zone, zone),
                  reason_text(fact->reason), more);
    entry_end(judge, entry, severity);
}

/* --- validation-rate ----------------------------------------------------------------------- */

/* Fewer are chance: at 99.9 % one in a thousand may lack AD. */
#define WITHOUT_LEAST  5
#define EXAMPLES_LEAST 3
#define WHOLE_SHARE    100000 /* thousandths of a percent */

static void judge_rate(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_health *h = fact->health;
    char resolver[64], line[LINE_ROOM], text[LINE_ROOM + 32];
    uint8_t identity[RESOLVER_IDENTITY];
    struct subject subject = resolver_subject(fact, identity);
    subject.type = 0; /* about a resolver, not about a zone */
    uint64_t without = h->answered - h->validated;
    if (h->answered < judge->profile->validation_answers || h->validated == 0)
        return;
    double share = (double)h->validated / (double)h->answered;
    if (share * WHOLE_SHARE >= judge->profile->validation_share) {
        findings_close(judge, RULE_VALIDATION_RATE, &subject);
        return;
    }
    if (without < WITHOUT_LEAST || h->question_count < EXAMPLES_LEAST)
        return;
    struct entry *entry = entry_begin(judge, RULE_VALIDATION_RATE, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    for (size_t i = 0; i < h->question_count; i++) {
        snprintf(text, sizeof text, "%s: without AD",
                 resolution_question(judge, h->questions[i].name, h->questions[i].type, line));
        entry_observed(entry, text);
    }
    entry_summary(entry,
                  "%s set AD on %.3f %% of its answers with secure data (%" PRIu64 " of %" PRIu64
                  "), objective %.3f %%",
                  text_server(fact, resolver), 100 * share, h->validated, h->answered,
                  judge->profile->validation_share / 1000.0);
    entry_end(judge, entry, 0);
}

void validation_judge(struct judge *judge)
{
    switch ((int)judge->fact->health->kind) {
    case HEALTH_SPLIT:
        judge_split(judge);
        break;
    case HEALTH_AGREED:
        findings_leave(judge, RULE_VALIDATION_SPLIT, judge->fact->zone);
        break;
    case HEALTH_UNVALIDATED:
    case HEALTH_VALIDATED:
        judge_unvalidated(judge);
        break;
    case HEALTH_AD_ON_BOGUS:
        judge_ad_on_bogus(judge);
        break;
    case HEALTH_RATE:
        judge_rate(judge);
        break;
    default:
        break;
    }
}
