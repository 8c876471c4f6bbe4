/*
 * habit: a valid signature that was made by another hand than its key's signatures before.
 *
 * Contained in: analyze, tests. Before: in the traffic, or in the zone file that the owner
 * declared. Each trait that differs is weak or strong; a finding takes one strong or two weak ones
 * of different kinds. What a signer does not hold constant is no trait: its jitter widens what it
 * is held against.
 */
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

#define TYPE_RRSIG 46
#define NS_PER_S   INT64_C(1000000000)
#define HOUR       INT64_C(3600)
#define KEY_SEP    0x0001u

#define KEYS_SAMPLES 3   /* DNSKEY RRsets are signed seldom: so many, in as many signings */
#define ROUND_LEAST  3   /* signings that make roundness, or the lack of it, no chance */
#define JITTER_NONE  60  /* seconds: validities that differ by no more are constant */
#define SET_BACK     300 /* seconds: a signer that allows for the clocks of others */
#define TTL_SAMPLES  8
#define QUIET_NS     (24 * HOUR * NS_PER_S) /* without such a signature it is over */

#define WEAK   1
#define STRONG 2

struct traits {
    unsigned weight;
    char lines[8][160];
    size_t count;
};

static char *trait(struct traits *t, unsigned weight)
{
    t->weight += weight;
    return t->lines[t->count++];
}

/* What the signature is held against: those before it, or those of the owner's zone file. */
static const struct fact_habit *habit_of(const struct judge *judge)
{
    return judge->fact->stated ? judge->fact->stated : judge->fact->habit;
}

static const char *when(const struct judge *judge)
{
    return judge->fact->stated ? "in the zone file" : "before";
}

static bool known_well(const struct judge *judge, const struct fact_habit *h)
{
    if (h == judge->fact->stated) /* one signing shows its validity, and the SOA bears it out */
        return h->samples >= judge->profile->habit_signatures;
    if (h->of_keys)
        return h->samples >= KEYS_SAMPLES && h->signings >= KEYS_SAMPLES;
    return h->samples >= judge->profile->habit_signatures &&
           h->signings >= judge->profile->habit_signings;
}

/* --- traits -------------------------------------------------------------------------------- */

/* The owner's word on the validity, which excuses, and accuses where it is much longer. */
static bool judge_declared(const struct judge *judge, struct traits *t, int64_t validity)
{
    int64_t declared = judge->fact->baseline.validity_ns / NS_PER_S;
    int64_t slack = declared / 10 + 2 * HOUR;
    char made[48], stated[48];
    if (!declared || !judge->fact->habit->of_data)
        return false;
    if (validity > declared + slack)
        snprintf(trait(t, STRONG), sizeof t->lines[0], "valid for %s, where the owner states %s",
                 text_duration(validity, made), text_duration(declared, stated));
    return validity > declared + slack || validity >= declared - slack;
}

static void judge_validity(const struct judge *judge, struct traits *t)
{
    const struct fact_habit *h = judge->fact->habit;
    const struct fact_signature *s = judge->fact->signature;
    int64_t validity = s->expiration - s->inception, spread = h->validity_max - h->validity_min;
    bool constant = spread <= JITTER_NONE && (h->signings >= ROUND_LEAST || h->of_keys);
    int64_t slack = spread / 4 > HOUR ? spread / 4 : HOUR;
    char made[48], least[48], most[48];
    unsigned weight = 0;
    if (judge_declared(judge, t, validity) || !known_well(judge, h))
        return;
    if (validity > h->validity_max + slack)
        weight = validity >= h->validity_max / 2 * 3 ||
                         (constant && validity > h->validity_max / 20 * 21 + HOUR)
                     ? STRONG
                     : WEAK;
    else if (validity < h->validity_min - slack)
        weight = constant && validity < h->validity_min / 20 * 19 - HOUR ? STRONG : WEAK;
    if (weight && spread <= JITTER_NONE)
        snprintf(trait(t, weight), sizeof t->lines[0], "valid for %s, before always for %s",
                 text_duration(validity, made), text_duration(h->validity_max, most));
    else if (weight)
        snprintf(trait(t, weight), sizeof t->lines[0], "valid for %s, before for %s to %s",
                 text_duration(validity, made), text_duration(h->validity_min, least),
                 text_duration(h->validity_max, most));
}

/* In the zone file, of which one signing may be all. That the SOA is still signed so bears it out:
 * it is not the signer that has changed. */
static void judge_stated(const struct judge *judge, struct traits *t)
{
    const struct fact_habit *h = judge->fact->stated;
    const struct fact_signature *s = judge->fact->signature;
    int64_t validity = s->expiration - s->inception, slack = fact_habit_slack(h);
    char made[48], least[48], most[48];
    if (judge_declared(judge, t, validity) || !known_well(judge, h) ||
        (validity <= h->validity_max + slack && validity >= h->validity_min - slack))
        return;
    snprintf(trait(t, STRONG), sizeof t->lines[0], "valid for %s, in the zone file for %s%s%s",
             text_duration(validity, made), text_duration(h->validity_min, least),
             h->validity_max - h->validity_min <= JITTER_NONE ? "" : " to ",
             h->validity_max - h->validity_min <= JITTER_NONE
                 ? ""
                 : text_duration(h->validity_max, most));
}

/* A signer that sets inception back never shows a signature that is younger than that. */
static void judge_set_back(const struct judge *judge, struct traits *t)
{
    const struct fact_habit *h = habit_of(judge);
    int64_t slack = h->set_back / 4 > HABIT_SOON ? h->set_back / 4 : HABIT_SOON;
    char made[48], least[48];
    if (!known_well(judge, h) || h->set_back < SET_BACK || h->set_back_signings < 2 ||
        h->age >= h->set_back - slack)
        return;
    snprintf(trait(t, STRONG), sizeof t->lines[0],
             "seen %s after its inception, where %u signings were set back by about %s",
             text_duration(h->age, made), h->set_back_signings, text_duration(h->set_back, least));
}

static bool off(uint32_t round, int64_t time)
{
    return round >= HOUR && time % round != 0;
}

static void judge_rounding(const struct judge *judge, struct traits *t)
{
    const struct fact_habit *h = habit_of(judge);
    const struct fact_signature *s = judge->fact->signature;
    bool inception = off(h->inception_round, s->inception);
    bool expiration = off(h->expiration_round, s->expiration);
    char span[48];
    if (!known_well(judge, h) || h->signings < ROUND_LEAST)
        return;
    if (inception || expiration)
        snprintf(trait(t, STRONG), sizeof t->lines[0], "%s is no multiple of %s, as all %s",
                 inception ? "inception" : "expiration",
                 text_duration(inception ? h->inception_round : h->expiration_round, span),
                 when(judge));
    else if (h->unrounded == h->signings && s->inception % HOUR == 0)
        snprintf(trait(t, WEAK), sizeof t->lines[0],
                 "inception at a full hour, %s never at a full minute", when(judge));
}

static void judge_key_use(const struct judge *judge, struct traits *t)
{
    const struct fact_habit *h = habit_of(judge);
    if (h->of_data && h->over_data == 0 && h->over_keys > 0 && (h->key_flags & KEY_SEP) &&
        h->others_over_data >= judge->profile->habit_signatures)
        snprintf(trait(t, STRONG), sizeof t->lines[0],
                 "by a key that signed the zone's keys alone, where another signs its data");
    else if (h->of_keys && h->over_keys == 0 && !(h->key_flags & KEY_SEP) &&
             h->over_data >= judge->profile->habit_signatures)
        snprintf(trait(t, WEAK), sizeof t->lines[0],
                 "over the zone's keys, by a key that signed its data alone");
}

static void judge_ttl(const struct judge *judge, struct traits *t)
{
    const struct fact_habit *h = habit_of(judge);
    if (known_well(judge, h) && h->ttl_samples >= TTL_SAMPLES &&
        judge->fact->signature->original_ttl != h->ttl)
        snprintf(trait(t, WEAK), sizeof t->lines[0], "original TTL %u, %s always %u",
                 judge->fact->signature->original_ttl, when(judge), h->ttl);
}

/* --- the finding --------------------------------------------------------------------------- */

static void show_habit(struct entry *entry, const struct fact_habit *h)
{
    char line[LINE_ROOM], least[48], most[48];
    if (h->samples == 0)
        return;
    snprintf(line, sizeof line, "; %u signature%s of %u signing%s: valid for %s to %s", h->samples,
             h->samples == 1 ? "" : "s", h->signings, h->signings == 1 ? "" : "s",
             text_duration(h->validity_min, least), text_duration(h->validity_max, most));
    entry_expected(entry, line);
    if (h->set_back >= SET_BACK && h->set_back_signings >= 2) {
        snprintf(line, sizeof line, "; first seen %s or more after their inception",
                 text_duration(h->set_back, least));
        entry_expected(entry, line);
    }
}

static void open_habit(struct judge *judge, const struct traits *t)
{
    const struct fact *fact = judge->fact;
    const struct fact_signature *s = fact->signature;
    uint8_t identity[3] = {(uint8_t)(s->tag >> 8), (uint8_t)s->tag, s->algorithm};
    struct subject subject = {fact->zone, fact->zone, TYPE_RRSIG, identity, sizeof identity};
    char zone[NAME_TEXT_MAX], name[NAME_TEXT_MAX], type[32], word[32], more[48] = "";
    char line[LINE_ROOM], all[3 * 160] = "";
    size_t used = 0;
    struct entry *entry = entry_begin(judge, RULE_SIGNER_HABIT, &subject);
    if (!entry)
        return;
    entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    show_habit(entry, habit_of(judge));
    entry_observed(entry, text_signature(judge, fact->observed.owner, s, line));
    for (size_t i = 0; i < t->count; i++) {
        snprintf(line, sizeof line, "; %s", t->lines[i]);
        entry_observed(entry, line);
        if (used < sizeof all - 1)
            used +=
                (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? "; " : "", t->lines[i]);
    }
    snprintf(line, sizeof line, "%s %s", name_text(fact->observed.owner, name),
             text_type(judge, fact->observed.type, type));
    size_t others = entry_members(entry) - 1;
    if (others)
        snprintf(more, sizeof more, " and %zu more RRset%s", others, others > 1 ? "s" : "");
    entry_summary(
        entry, "%s: the signature by key %u (%s) over %s%s is valid and made unlike those %s: %s",
        name_text(fact->zone, zone), s->tag, text_algorithm(judge, s->algorithm, word),
        entry_first(entry, line), more,
        fact->stated ? "of the zone file, as the SOA still is" : "before", all);
    if (fact->stated)
        entry_declared(judge, entry);
    entry_end(judge, entry, 0);
}

void habit_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct traits t = {.weight = 0};
    if (fact->kind != FACT_HABIT || !fact->habit || !fact->signature)
        return;
    if (fact->stated)
        judge_stated(judge, &t);
    else
        judge_validity(judge, &t);
    judge_set_back(judge, &t);
    judge_rounding(judge, &t);
    judge_key_use(judge, &t);
    judge_ttl(judge, &t);
    if (t.weight >= STRONG)
        open_habit(judge, &t);
    else
        findings_close_quiet(judge, RULE_SIGNER_HABIT, fact->zone, 0, QUIET_NS);
}
