/*
 * objectives: the figures of zones.
 *
 * Contained in: analyze, tests. Must never: change what it reads.
 */
#include "analyze/follow/objectives.h"

#include "analyze/follow/roll.h"

#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)

struct rrset *objectives_newest(struct rrset *const *variant, uint8_t count)
{
    struct rrset *set = NULL;
    for (uint8_t i = 0; i < count; i++)
        if (set == NULL || variant[i]->last_seen_ns >= set->last_seen_ns)
            set = variant[i];
    return set;
}

static void find_m2(const struct usage *u, int64_t clock_ns, struct objectives *o)
{
    const struct usage_signing *s = u->signing;
    if (s == NULL || s->expirings == 0)
        return;
    size_t least = 0;
    for (size_t i = 1; i < s->expirings; i++)
        if (s->expiring[i].expiration < s->expiring[least].expiration)
            least = i;
    int64_t left = s->expiring[least].expiration - clock_ns / SECOND_NS;
    o->m2_seconds = left > 0 ? (uint64_t)left : 0;
    o->m2_expiration = s->expiring[least].expiration;
    o->m2_rrset = s->expiring[least].name;
}

/* RFC 6781 4.1.2: every DS names a published key. */
static void find_m3(const struct zone *zone, struct objectives *o)
{
    const struct rrset *keys = objectives_newest(zone->dnskey, zone->dnskeys);
    const struct rrset *ds = objectives_newest(zone->ds, zone->dss);
    uint16_t size, key_size;
    if (keys == NULL || ds == NULL || zone->no_ds.seen_ns > ds->last_seen_ns)
        return;
    o->m3_ds = o->m3_ds_with_key = 0;
    for (const uint8_t *r = NULL; (r = rrset_record(ds, r, &size)) != NULL; o->m3_ds++) {
        bool any = false;
        for (const uint8_t *k = NULL; !any && (k = rrset_record(keys, k, &key_size)) != NULL;)
            any = key_matches_ds(zone->name, k, key_size, r, size) == KEY_DS_MATCHES;
        o->m3_ds_with_key += any;
    }
}

static void find_m6(const struct usage_outages *outages, struct objectives *o)
{
    if (outages == NULL)
        return;
    o->m6_outages = outages->episodes + outages->more;
    for (size_t i = 0; i < outages->episodes; i++) {
        const struct usage_episode *e = &outages->episode[i];
        if (e->recovered_ns == INT64_MIN) {
            o->m6_open++;
            continue;
        }
        int64_t elapsed = flow_elapsed(e->from_ns, e->recovered_ns);
        uint64_t seconds = elapsed > 0 ? (uint64_t)(elapsed / SECOND_NS) : 0;
        if (o->m6_seconds == OBJECTIVE_UNKNOWN || seconds > o->m6_seconds)
            o->m6_seconds = seconds;
    }
}

void objectives_of(const struct zone *zone, int64_t clock_ns, struct objectives *o)
{
    static const struct usage nothing;
    const struct usage *u = zone->usage ? zone->usage : &nothing;
    *o = (struct objectives){
#define X(name, text) .name = OBJECTIVE_UNKNOWN,
        OBJECTIVES(X)
#undef X
    };
    if (u->with_ad + u->without_ad) {
        o->m1_answers = u->with_ad + u->without_ad;
        o->m1_with_ad = u->with_ad;
    }
    find_m2(u, clock_ns, o);
    find_m3(zone, o);
    if (zone->roll && zone->roll->completed) {
        o->m4_rolls = zone->roll->completed;
        o->m4_safe = zone->roll->completed - zone->roll->completed_unsafe;
    }
    if (u->resolved) {
        o->m5_responses = u->resolved;
        o->m5_by_validation = u->servfail_dnssec;
    }
    o->m6_outages = o->m6_open = 0;
    find_m6(u->outages, o);
}

/* --- the stats event --- */

static bool has_problems(const struct zone *zone)
{
    const struct usage *u = zone->usage;
    return zone->answers[VERDICT_BOGUS] > 0 || zone->trust.state == TRUST_BOGUS ||
           (u && (u->outages || u->servfail_dnssec > 0));
}

static int by_rank(const void *a, const void *b)
{
    const struct zone *x = *(const struct zone *const *)a, *y = *(const struct zone *const *)b;
    if ((x->baseline != NULL) != (y->baseline != NULL))
        return x->baseline ? -1 : 1;
    return name_compare(x->name, y->name);
}

static void put_zone(struct jline *j, const struct zone *zone, int64_t clock_ns)
{
    char text[NAME_TEXT_MAX];
    struct objectives o;
    objectives_of(zone, clock_ns, &o);
    jline_object(j, NULL);
    jline_string(j, "zone", name_text(zone->name, text));
#define X(name, text)                                                                              \
    if (o.name == OBJECTIVE_UNKNOWN)                                                               \
        jline_null(j, #name);                                                                      \
    else                                                                                           \
        jline_number(j, #name, o.name);
    OBJECTIVES(X)
#undef X
    jline_close(j, '}');
}

/* Of those with problems the first ones that the table holds, so that the list is bounded before it
 * is sorted. */
void objectives_put(struct jline *j, const struct world *w, int64_t clock_ns)
{
    const struct zone *list[OBJECTIVES_ZONES_MAX];
    size_t count = 0, all = 0;
    for (int declared = 1; declared >= 0; declared--)
        for (size_t i = 0; i < w->zone_buckets; i++)
            for (const struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next) {
                if ((zone->baseline != NULL) != (declared == 1) ||
                    !(declared || has_problems(zone)))
                    continue;
                all++;
                if (count < OBJECTIVES_ZONES_MAX)
                    list[count++] = zone;
            }
    if (count > 1)
        qsort(list, count, sizeof *list, by_rank);
    jline_array(j, "objectives");
    for (size_t i = 0; i < count; i++)
        put_zone(j, list[i], clock_ns);
    jline_close(j, ']');
    jline_number(j, "objectives_not_listed", all - count);
}
