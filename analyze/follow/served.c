/*
 * served: algorithms promised and kept, TTLs promised and kept.
 *
 * Contained in: analyze, tests. Must never hold an RRset against keys that it may be older or newer
 * than: servers are out of step for a while after every change.
 */
#include "analyze/follow/served.h"

#include "analyze/canon.h"
#include "analyze/validate/attempt.h"

#define SECOND_NS INT64_C(1000000000)
/* So long after a DNSKEY RRset was first seen every server has it, or is a finding of its own. */
#define PROPAGATION_NS (3600 * SECOND_NS)
#define OVERDUE_LEAST  7200 /* seconds */

static void add(struct fact_algorithms *set, uint8_t algorithm)
{
    set->bits[algorithm >> 6] |= UINT64_C(1) << (algorithm & 63);
}

/* Seconds since 1970 at which the newest signature of the RRset begins. */
static int64_t newest_inception(const struct rrset *set, int64_t clock_ns)
{
    int64_t newest = INT64_MIN;
    for (uint8_t i = 0; i < set->signatures; i++) {
        int64_t inception = attempt_time(set->signature[i].inception, clock_ns);
        if (inception > newest)
            newest = inception;
    }
    return newest;
}

/* Is it the later word? Some signers are told the same inception for each. */
static bool is_later(const struct rrset *a, const struct rrset *b, int64_t clock_ns)
{
    int64_t from_a = newest_inception(a, clock_ns), from_b = newest_inception(b, clock_ns);
    return from_a != from_b ? from_a > from_b : a->authority_ns > b->authority_ns;
}

/* The trusted DNSKEY RRset that an authority served and that was signed last: the zone's last word.
 * NULL if it may have left the caches since: the zone may announce others now. */
static const struct rrset *announcing(const struct world *w, const struct zone *zone,
                                      int64_t clock_ns)
{
    const struct rrset *best = NULL;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        const struct rrset *set = zone->dnskey[i];
        if (!(zone->trust.trusted >> i & 1) || set->authority_ns == 0 || set->signatures == 0)
            continue;
        if (best == NULL || is_later(set, best, clock_ns))
            best = set;
    }
    if (best == NULL || w->settings->at == AT_FIXED)
        return best;
    int64_t age_ns = w->packet_ns - best->authority_ns;
    return age_ns <= (int64_t)best->signature[0].original_ttl * SECOND_NS ? best : NULL;
}

/* Is the RRset of the zone's state that announced these keys, or of a later one? */
static bool as_new_as(const struct rrset *set, const struct rrset *keys, const struct world *w,
                      int64_t clock_ns)
{
    return set == keys || newest_inception(set, clock_ns) >= newest_inception(keys, clock_ns) ||
           w->packet_ns - keys->first_seen_ns >= PROPAGATION_NS;
}

static void add_keys(struct fact_algorithms *to, const struct rrset *keys)
{
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(keys, r, &size)) != NULL;)
        if (size > 4 && (r[0] & 0x01) && !(r[1] & 0x80)) /* ZONE, not REVOKE */
            add(to, r[3]);
}

/* Those of the only DS RRset that can be in a cache now; none while two of them can. */
static void add_ds(struct fact_algorithms *to, struct world *w, const struct zone *zone)
{
    const struct rrset *only = NULL;
    uint16_t size;
    for (uint8_t i = 0; i < zone->dss; i++) {
        if (!attempt_fresh(w, zone->ds[i], w->packet_ns))
            continue;
        if (only)
            return;
        only = zone->ds[i];
    }
    if (only == NULL || !only->judged.done || only->judged.reason != REASON_CHAIN)
        return;
    for (const uint8_t *r = NULL; (r = rrset_record(only, r, &size)) != NULL;)
        if (size > 4)
            add(to, r[2]);
}

static void describe_ttl(const struct answer_set *as, int64_t clock_ns, bool aa,
                         struct fact_served *ret)
{
    const struct rrset *set = as->set;
    int64_t latest = INT64_MIN;
    ret->ttl = as->ttl;
    for (uint8_t i = 0; i < set->signatures; i++) {
        const struct signature *s = &set->signature[i];
        int64_t expiration = attempt_time(s->expiration, clock_ns);
        if (s->original_ttl > ret->original_ttl)
            ret->original_ttl = s->original_ttl;
        if (expiration > latest)
            latest = expiration;
    }
    ret->expiration = latest;
    ret->ttl_raised = as->ttl > ret->original_ttl;
    ret->outlives = aa && clock_ns / SECOND_NS + (int64_t)as->ttl > latest;
}

/* A fifth of the stated time is left to the signer's own pace, two hours at least. */
static bool is_overdue(const struct fact_served *served, int64_t clock_ns, int64_t refresh_ns)
{
    int64_t refresh = refresh_ns / SECOND_NS;
    int64_t slack = refresh / 5 > OVERDUE_LEAST ? refresh / 5 : OVERDUE_LEAST;
    return refresh > 0 && served->expiration - clock_ns / SECOND_NS < refresh - slack;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

uint64_t served_describe(struct world *w, const struct answer *a, const struct answer_set *as,
                         const struct zone *zone, int64_t clock_ns, int64_t refresh_ns,
                         struct fact_served *ret)
{
    const struct rrset *set = as->set;
    bool aa = (a->flags & DNS_AA) != 0;
    *ret = (struct fact_served){0};
    for (uint8_t i = 0; i < set->signatures; i++)
        add(&ret->signed_with, set->signature[i].algorithm);
    if (aa && a->do_bit) {
        const struct rrset *keys = announcing(w, zone, clock_ns);
        ret->whole = !set->more_signatures;
        if (keys && as_new_as(set, keys, w, clock_ns))
            add_keys(&ret->in_dnskey, keys);
        if (set->type == TYPE_DNSKEY)
            add_ds(&ret->in_ds, w, zone);
    }
    describe_ttl(as, clock_ns, aa, ret);
    ret->overdue = aa && is_overdue(ret, clock_ns, refresh_ns);
    uint64_t hash = mix(aa, ret->whole);
    for (size_t i = 0; i < 4; i++)
        hash = mix(mix(hash, ret->in_dnskey.bits[i]), ret->in_ds.bits[i]);
    return mix(hash, ret->ttl_raised + 2u * ret->outlives + 4u * ret->overdue) | 1;
}
