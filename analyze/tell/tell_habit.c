/*
 * tell_habit: how signatures are made becomes a fact.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/tell/tell_habit.h"

#include "analyze/follow/habit.h"
#include "analyze/validate/judge.h"

#define KEYS_MAX 16 /* of the zone, looked at for who else signs its data */

static size_t keys_of(const struct zone *zone, struct habit_rdata *ret)
{
    size_t count = 0;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        uint16_t size;
        if (!(zone->trust.trusted >> i & 1))
            continue;
        for (const uint8_t *r = NULL; (r = rrset_record(zone->dnskey[i], r, &size)) != NULL;)
            if (count < KEYS_MAX)
                ret[count++] = (struct habit_rdata){r, size};
    }
    return count;
}

static const struct key *key_of(const struct signature *s)
{
    for (uint8_t i = 0; i < s->checks; i++)
        if (s->check[i].result == KEY_VERIFIES)
            return s->check[i].key;
    return NULL;
}

void tell_habit(struct tell *t, const struct answer *a, struct rrset *set,
                const struct signature *s, const struct fact_signature *judged, struct zone *zone,
                bool retro)
{
    static struct fact_rdata rdata[RRSET_RECORDS_MAX]; /* one thread; too large for the stack */
    const struct key *key = key_of(s);
    struct habit_rdata known[KEYS_MAX];
    struct fact_habit habit;
    if (t->habits == NULL || key == NULL || judged->state != SIGNATURE_VALID ||
        judge_rrset(&t->answers->world, set, answers_clock(t->answers, a->time_ns)) != REASON_CHAIN)
        return;
    if (habits_describe(t->habits, zone->name, key, set, judged, known, keys_of(zone, known),
                        &habit)) {
        struct fact f = tell_draft(t, a, FACT_HABIT, zone, retro);
        f.observed = rrset_view(set, rdata);
        f.reason = REASON_CHAIN;
        f.verdict = VERDICT_SECURE;
        f.signature = judged;
        f.habit = &habit;
        tell_describe(&f, zone->baseline);
        if (tell_give(t, &f, set) > 0)
            return; /* by another hand: nothing to know the key by */
    }
    habits_learn(t->habits, zone->name, key, set, judged);
}
