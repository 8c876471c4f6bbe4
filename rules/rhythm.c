/*
 * rhythm: a signer that has not signed anew when it always did before.
 *
 * Contained in: analyze, tests. The owner's word on `signing: {refresh}` goes before what was
 * learned (rules/served.c). Keys and data have a rhythm each, for the key-signing key may be kept
 * off line; where both have stopped it is one finding.
 */
#include "rules/judge.h"

#include <stdio.h>

#define TYPE_RRSIG 46
#define NS_PER_S   INT64_C(1000000000)
#define HOUR       INT64_C(3600)

/* Where the refresh comes so shortly before rrsig-expiring speaks, that is early enough. */
#define SPAN_LEAST (12 * HOUR)

struct edge { /* what the signer let pass at most so far, in seconds */
    int64_t left, age, validity_min, validity_max;
    int64_t margin; /* patience beyond that */
    unsigned near;  /* cycles that came near to it: a rhythm has several */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Signers go by the life that is left, or by the age: either may be what is constant. */
static unsigned count_near(const struct fact_rhythm *r, const struct edge *e)
{
    int64_t slack = most(HOUR, least(e->margin / 2, e->age / 8));
    unsigned by_left = 0, by_age = 0;
    for (size_t i = 0; i < r->cycles; i++) {
        by_left += r->cycle[i].left <= e->left + slack;
        by_age += r->cycle[i].age >= e->age - slack;
    }
    return by_left > by_age ? by_left : by_age;
}

static struct edge edge_of(const struct judge *judge)
{
    const struct fact_rhythm *r = judge->fact->rhythm;
    struct edge e = {.left = INT64_MAX, .validity_min = INT64_MAX};
    for (size_t i = 0; i < r->cycles; i++) {
        int64_t validity = r->cycle[i].left + r->cycle[i].age;
        e.left = least(e.left, r->cycle[i].left);
        e.age = most(e.age, r->cycle[i].age);
        e.validity_min = least(e.validity_min, validity);
        e.validity_max = most(e.validity_max, validity);
    }
    int64_t span = e.left - judge->limits->expiring_ns / NS_PER_S;
    if (r->cycles == 0 || span < SPAN_LEAST)
        return e;
    e.margin = span * judge->profile->refresh_margin / 100;
    e.near = count_near(r, &e);
    return e;
}

/* Made with a validity that the rhythm was not learned with, it has another one. */
static bool same_validity(const struct edge *e, int64_t validity)
{
    return validity >= e->validity_min - e->validity_min / 20 - 2 * HOUR &&
           validity <= e->validity_max + e->validity_max / 20 + 2 * HOUR;
}

static bool is_overdue(const struct judge *judge, const struct edge *e)
{
    const struct fact_rhythm *r = judge->fact->rhythm;
    return e->near >= judge->profile->refresh_cycles && r->left < e->left - e->margin &&
           r->age > e->age + e->margin / 2 && same_validity(e, r->left + r->age) &&
           /* later, rrsig-expiring says it */
           r->left >= judge->limits->expiring_ns / NS_PER_S &&
           /* the signer signed something since this was due: it is alive, the server behind */
           !r->outdated && r->newest_age > e->left - r->left &&
           /* one of several servers alone: the others may have a newer zone */
           (r->lately < 2 || r->servers >= 2);
}

/* What the finding is about so far. */
enum { OF_DATA = 1, OF_KEYS = 2 };

static void open_overdue(struct judge *judge, const struct subject *subject, const struct edge *e)
{
    const struct fact *fact = judge->fact;
    uint8_t about = findings_mark(judge, RULE_RRSIG_STALE_REFRESH, subject);
    struct entry *entry = entry_begin(judge, RULE_RRSIG_STALE_REFRESH, subject);
    char zone[NAME_TEXT_MAX], name[NAME_TEXT_MAX], type[32], when[32], line[LINE_ROOM], left[48],
        age[48], now_age[48], more[48] = "";
    if (!entry)
        return;
    entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    entry_mark(entry, (uint8_t)(about | (fact->rhythm->of_keys ? OF_KEYS : OF_DATA)));
    int64_t first = entry_earliest(entry, fact->signature->expiration);
    text_duration(e->left, left);
    text_duration(e->age, age);
    snprintf(line, sizeof line,
             "; %zu times signatures by key %u were replaced with %s or more left, at an age of %s "
             "at most",
             fact->rhythm->cycles, fact->signature->tag, left, age);
    entry_expected(entry, line);
    entry_observed(entry, text_signature(judge, fact->observed.owner, fact->signature, line));
    size_t others = entry_members(entry) - 1;
    if (others)
        snprintf(more, sizeof more, " and %zu more RRset%s", others, others > 1 ? "s" : "");
    snprintf(line, sizeof line, "%s %s", name_text(fact->observed.owner, name),
             text_type(judge, fact->observed.type, type));
    entry_summary(entry,
                  "%s: %s%s %s not signed anew at an age of %s, where the signer did so with %s or "
                  "more left, at %s at most; the first signature expires at %s, in %lld h",
                  name_text(fact->zone, zone), entry_first(entry, line), more,
                  others ? "are" : "is", text_duration(fact->rhythm->age, now_age), left, age,
                  text_time(first, when), (long long)(first - fact_clock(fact) / NS_PER_S) / 3600);
    entry_end(judge, entry, 0);
}

/* The signer is at work again: what it signs leaves with it. */
static void resume(struct judge *judge, const struct subject *subject)
{
    uint8_t mine = judge->fact->rhythm->of_keys ? OF_KEYS : OF_DATA;
    uint8_t rest = findings_mark(judge, RULE_RRSIG_STALE_REFRESH, subject) & (uint8_t)~mine;
    if (rest == 0) {
        findings_close(judge, RULE_RRSIG_STALE_REFRESH, subject);
        return;
    }
    findings_set_mark(judge, RULE_RRSIG_STALE_REFRESH, subject, rest);
    findings_leave_one(judge, RULE_RRSIG_STALE_REFRESH, subject);
}

void rhythm_judge(struct judge *judge)
{
    static const uint8_t learned[1] = {1}; /* what is stated is another finding */
    const struct fact *fact = judge->fact;
    if (fact->kind != FACT_RHYTHM || !fact->rhythm || !fact->signature || !fact->aa ||
        fact->baseline.refresh_ns)
        return;
    struct subject subject = {fact->zone, fact->zone, TYPE_RRSIG, learned, sizeof learned};
    struct edge e = edge_of(judge);
    if (is_overdue(judge, &e))
        open_overdue(judge, &subject, &e);
    else if (fact->rhythm->resumed)
        resume(judge, &subject);
    else if (fact->rhythm->left >= e.left - e.margin)
        findings_leave_one(judge, RULE_RRSIG_STALE_REFRESH, &subject);
}
