/*
 * tell_habit: how signatures are made becomes a fact.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/tell/tell_habit.h"

#include "analyze/canon.h"
#include "analyze/follow/habit.h"
#include "analyze/follow/suspects.h"
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

/* Is it unlike what the owner's zone file shows? Then it waits for what the SOA says; the SOA
 * itself says that the signer is not the file's any more. */
static bool suspected(struct tell *t, const struct answer *a, const struct rrset *set,
                      const struct key *key, const struct fact_signature *judged,
                      const struct zone *zone, const struct habit_rdata *known, size_t count)
{
    struct fact_habit stated;
    if (t->stated == NULL || !(a->flags & DNS_AA) ||
        !habits_describe(t->stated, zone->name, key, set, judged, known, count, &stated) ||
        !suspects_unlike(&stated, judged))
        return false;
    if (set->type == TYPE_SOA) {
        habits_unlearn(t->stated, zone->name, key);
        suspects_drop(t->suspects, zone->name);
        return false;
    }
    suspects_add(t->suspects, zone, a, set, judged, &stated);
    return true;
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
    size_t count = keys_of(zone, known);
    bool waits = suspected(t, a, set, key, judged, zone, known, count);
    if (habits_describe(t->habits, zone->name, key, set, judged, known, count, &habit)) {
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
    if (!waits)
        habits_learn(t->habits, zone->name, key, set, judged);
}

/* --- what waits for the SOA ---------------------------------------------------------------- */

/* The key of a signature of the SOA, if it is made in the manner of the owner's zone file. */
static const struct key *as_stated(struct tell *t, struct rrset *soa, struct signature *s,
                                   const struct zone *zone, int64_t clock_ns)
{
    struct fact_habit stated;
    struct fact_signature judged;
    const struct key *key = key_of(s);
    judge_signature(&t->answers->world, soa, s, clock_ns, &judged);
    bool is = key && judged.state == SIGNATURE_VALID &&
              habits_describe(t->stated, zone->name, key, soa, &judged, NULL, 0, &stated) &&
              !suspects_unlike(&stated, &judged);
    return is ? key : NULL;
}

static bool tell_suspect(struct tell *t, const struct answer *a, const struct datagram *dg,
                         const struct zone *zone, const struct suspect *k)
{
    const struct fact_habit nothing = {.of_data = k->stated.of_data};
    struct fact f = tell_draft(t, a, FACT_HABIT, zone, false);
    f.time_ns = dg->time_ns;
    f.clock_ns = answers_clock(t->answers, dg->time_ns);
    f.frames = k->frames;
    f.frame_count = k->frame_count;
    f.frame = dg->frame; /* the SOA */
    f.observed = (struct fact_rrset){.owner = k->owner, .type = k->type};
    f.reason = REASON_CHAIN;
    f.verdict = VERDICT_SECURE;
    f.signature = &k->signature;
    f.habit = &nothing;
    f.stated = &k->stated;
    tell_describe(&f, zone->baseline);
    return tell_give(t, &f, NULL) > 0;
}

static bool tell_soa(struct tell *t, const struct answer *a, struct rrset *soa,
                     const struct datagram *dg)
{
    int64_t clock_ns = answers_clock(t->answers, dg->time_ns);
    const struct zone *zone = world_find(&t->answers->world, soa->owner);
    bool cited = false;
    struct suspect k;
    if (zone == NULL || judge_rrset(&t->answers->world, soa, clock_ns) != REASON_CHAIN)
        return false;
    for (uint8_t i = 0; i < soa->signatures; i++) {
        const struct key *key = as_stated(t, soa, &soa->signature[i], zone, clock_ns);
        while (key && suspects_take(t->suspects, zone, key, &dg->flow, dg->time_ns, &k))
            cited |= tell_suspect(t, a, dg, zone, &k);
    }
    return cited;
}

bool tell_suspects(struct tell *t, const struct answer *a, const struct datagram *dg)
{
    bool cited = false;
    if (t->suspects == NULL || suspects_count(t->suspects) == 0 || !(a->flags & DNS_AA))
        return false;
    for (size_t i = 0; i < a->sets; i++) {
        struct rrset *set = answer_nth(a, i)->set;
        if (set->type == TYPE_SOA && set->signatures)
            cited |= tell_soa(t, a, set, dg);
    }
    return cited;
}
