/*
 * suspects: signatures that wait for the zone's SOA.
 *
 * Contained in: analyze, tests. Must never: judge (rules/habit.c does).
 */
#include "analyze/follow/suspects.h"

#include "analyze/canon.h"
#include "analyze/declared/zonefile.h"
#include "analyze/follow/servers.h"

#include <stdlib.h>
#include <string.h>

struct suspects {
    size_t count;
    struct suspect item[SUSPECTS_MAX]; /* the oldest first */
};

struct suspects *suspects_new(void)
{
    return calloc(1, sizeof(struct suspects));
}

void suspects_free(struct suspects *s)
{
    free(s);
}

size_t suspects_count(const struct suspects *s)
{
    return s->count;
}

/* --- what the file shows ------------------------------------------------------------------- */

/* The only DNSKEY of the set with that tag and algorithm; NULL none, or several. */
static const struct fact_rdata *key_of(const struct fact_rrset *keys,
                                       const struct baseline_signature *s)
{
    const struct fact_rdata *only = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        const struct fact_rdata *key = &keys->rdata[i];
        if (key->size < 5 || key->size > HABIT_KEY_BYTES || key->bytes[3] != s->algorithm ||
            zonefile_key_tag(key->bytes, key->size) != s->tag)
            continue;
        if (only)
            return NULL;
        only = key;
    }
    return only;
}

static void state_zone(struct habits *h, const struct baseline_zone *zone)
{
    const struct baseline_signature *list;
    size_t count = baseline_signatures(zone, &list);
    struct fact_baseline declared;
    baseline_describe(zone, baseline_apex(zone), TYPE_DNSKEY, 0, &declared);
    for (size_t i = 0; i < count; i++) {
        const struct fact_rdata *key = key_of(&declared.expected, &list[i]);
        int32_t validity = (int32_t)(list[i].expiration - list[i].inception);
        struct fact_signature s = {.inception = list[i].inception,
                                   .expiration = (int64_t)list[i].inception + validity,
                                   .original_ttl = list[i].original_ttl};
        if (key && validity > 0)
            habits_state(h, baseline_apex(zone), key->bytes, key->size, list[i].covered, &s);
    }
}

struct habits *suspects_stated(const struct baseline *baseline, uint64_t seed)
{
    const struct baseline_signature *list;
    struct habits *h = NULL;
    for (size_t i = 0; baseline && i < baseline_count(baseline); i++) {
        const struct baseline_zone *zone = baseline_nth(baseline, i);
        if (baseline_signatures(zone, &list) == 0 || (h == NULL && (h = habits_new(seed)) == NULL))
            continue;
        state_zone(h, zone);
    }
    return h;
}

/* --- what waits ---------------------------------------------------------------------------- */

bool suspects_unlike(const struct fact_habit *stated, const struct fact_signature *s)
{
    int64_t validity = s->expiration - s->inception, slack = fact_habit_slack(stated);
    if (stated->of_keys)
        return false;
    return stated->samples == 0 || validity > stated->validity_max + slack ||
           validity < stated->validity_min - slack;
}

static void take_out(struct suspects *s, size_t i)
{
    memmove(&s->item[i], &s->item[i + 1], (--s->count - i) * sizeof *s->item);
}

void suspects_add(struct suspects *s, const struct zone *zone, const struct answer *a,
                  const struct rrset *set, const struct fact_signature *signature,
                  const struct fact_habit *stated)
{
    if (s->count == SUSPECTS_MAX)
        take_out(s, 0);
    struct suspect *k = &s->item[s->count++];
    *k = (struct suspect){.type = set->type,
                          .signature = *signature,
                          .stated = *stated,
                          .family = a->flow.family,
                          .time_ns = a->time_ns};
    memcpy(k->zone, zone->name, zone->name_size);
    memcpy(k->owner, set->owner, set->owner_size);
    memcpy(k->address, a->flow.src, sizeof k->address);
    for (uint8_t i = 0; i < a->frame_count && k->frame_count < RRSET_FRAMES_MAX; i++)
        k->frames[k->frame_count++] = a->frames[i];
}

void suspects_drop(struct suspects *s, const uint8_t *zone)
{
    for (size_t i = s->count; i-- > 0;)
        if (name_equal(s->item[i].zone, zone))
            take_out(s, i);
}

/* Did that server have the zone as it is now already when it showed the signature? */
static bool unmoved(const struct zone *zone, const struct suspect *k)
{
    const struct servers *s = zone->servers;
    for (size_t i = 0; s && i < s->count; i++)
        if (s->server[i].family == k->family &&
            memcmp(s->server[i].address, k->address, sizeof k->address) == 0)
            return s->server[i].soa && s->server[i].soa_since_ns <= k->time_ns;
    return false;
}

bool suspects_take(struct suspects *s, const struct zone *zone, const struct key *key,
                   const struct flow *flow, int64_t time_ns, struct suspect *ret)
{
    for (size_t i = 0; i < s->count; i++) {
        struct suspect *k = &s->item[i];
        if (!name_equal(k->zone, zone->name) || k->family != flow->family ||
            memcmp(k->address, flow->src, sizeof k->address) != 0 || time_ns <= k->time_ns)
            continue;
        if (k->stated.samples &&
            (k->signature.tag != key->tag || k->signature.algorithm != key->algorithm))
            continue;
        if (!unmoved(zone, k) && flow_elapsed(k->time_ns, time_ns) < SUSPECTS_SETTLED_NS)
            continue;
        *ret = *k;
        ret->signature.signer = ret->zone;
        take_out(s, i);
        return true;
    }
    return false;
}
