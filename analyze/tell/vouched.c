/*
 * vouched: the ways from DS and anchors to a key.
 *
 * Contained in: analyze, tests. Must never: check a signature; what was not checked is no way.
 */
#include "analyze/tell/vouched.h"

#include "analyze/canon.h"
#include "analyze/validate/attempt.h"
#include "rules/judge.h"

#include <string.h>

#define TAGS_MAX  32
#define SECOND_NS INT64_C(1000000000)

static bool has_record(const struct rrset *set, const uint8_t *rdata, uint16_t size)
{
    uint16_t other;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &other)) != NULL;)
        if (other == size && memcmp(r, rdata, size) == 0)
            return true;
    return false;
}

/* The key that made the signature, NULL if none is known to have. */
static const struct key *maker(const struct signature *s)
{
    for (uint8_t i = 0; i < s->checks; i++)
        if (s->check[i].result == KEY_VERIFIES)
            return s->check[i].key;
    return NULL;
}

void vouched_put_by(struct jline *j, const struct zone *zone, const uint8_t *rdata, uint16_t size)
{
    uint16_t told[TAGS_MAX];
    size_t count = 0;
    jline_array(j, "vouched_by");
    for (uint8_t v = 0; v < zone->dnskeys; v++) {
        const struct rrset *set = zone->dnskey[v];
        for (uint8_t i = 0; has_record(set, rdata, size) && i < set->signatures; i++) {
            bool known = count == TAGS_MAX;
            for (size_t k = 0; k < count; k++)
                known |= told[k] == set->signature[i].tag;
            if (maker(&set->signature[i]) == NULL || known)
                continue;
            told[count++] = set->signature[i].tag;
            jline_number(j, NULL, set->signature[i].tag);
        }
    }
    jline_close(j, ']');
}

/* --- what names keys from outside --- */

static bool is_declared(const struct fact_baseline *b, const uint8_t *ds, uint16_t size)
{
    const struct fact_ds of = {.tag = (uint16_t)(ds[0] << 8 | ds[1]),
                               .algorithm = ds[2],
                               .digest_type = ds[3],
                               .digest = {ds + 4, (uint16_t)(size - 4)}};
    return !b->present || b->ds_count == 0 || ds_known(b, &of);
}

/* Was it checked, and is no key's? What was not checked may be good. */
static bool is_refuted(const struct signature *s)
{
    return s->checks > 0 && maker(s) == NULL;
}

/* The key that signed the DS may hang on a DS itself that the owner of its zone did not declare:
 * until when the signature can be taken then; INT64_MAX: that is no bound. Names grow shorter, so
 * it ends. */
static int64_t held_by_parent(const struct world *w, const struct zone *zone,
                              const struct signature *s, int64_t clock_ns)
{
    const struct key *key = maker(s);
    const struct zone *parent =
        key && name_size(s->signer) < zone->name_size ? world_find(w, s->signer) : NULL;
    int64_t sum;
    if (!parent || !parent->baseline)
        return INT64_MAX;
    struct vouched v = vouched_key(w, parent, key->rdata, key->rdata_size, clock_ns);
    if (!v.taken || v.ds_expiration == INT64_MAX ||
        __builtin_add_overflow(v.until, (int64_t)s->original_ttl, &sum))
        return INT64_MAX;
    return sum;
}

/* When the DS RRset ends, by its signature that lasts longest; INT64_MAX: it was seen without any;
 * INT64_MIN: all are refuted. */
static int64_t ds_end(const struct world *w, const struct zone *zone, const struct rrset *ds,
                      int64_t clock_ns)
{
    int64_t best = ds->signatures ? INT64_MIN : INT64_MAX;
    for (uint8_t i = 0; i < ds->signatures; i++) {
        const struct signature *s = &ds->signature[i];
        int64_t end = attempt_time(s->expiration, ds->last_seen_ns);
        if (is_refuted(s))
            continue;
        int64_t held = held_by_parent(w, zone, s, clock_ns);
        if (held < end)
            end = held;
        if (end > best)
            best = end;
    }
    return best;
}

static bool anchored(const struct world *w, const struct zone *zone, const struct key *key)
{
    const struct anchor *a;
    size_t count = w->anchors ? anchors_list(w->anchors, &a) : 0;
    for (size_t i = 0; i < count; i++) {
        if (!name_equal(a[i].zone, zone->name))
            continue;
        if (a[i].is_ds ? key_matches_ds(zone->name, key->rdata, key->rdata_size, a[i].rdata,
                                        a[i].rdata_size) == KEY_DS_MATCHES
                       : a[i].rdata_size == key->rdata_size &&
                             memcmp(a[i].rdata, key->rdata, key->rdata_size) == 0)
            return true;
    }
    return false;
}

/* Until when the key may be the way in; false: nothing names it. */
static bool entry(const struct world *w, const struct zone *zone, const struct fact_baseline *b,
                  const struct key *key, int64_t clock_ns, int64_t *ret_end)
{
    bool any = anchored(w, zone, key);
    int64_t best = any ? INT64_MAX : INT64_MIN;
    for (uint8_t v = 0; v < zone->dss; v++) {
        const struct rrset *ds = zone->ds[v];
        int64_t end = ds_end(w, zone, ds, clock_ns);
        uint16_t size;
        if (end == INT64_MIN)
            continue;
        for (const uint8_t *r = NULL; (r = rrset_record(ds, r, &size)) != NULL;) {
            if (size < 4 ||
                key_matches_ds(zone->name, key->rdata, key->rdata_size, r, size) != KEY_DS_MATCHES)
                continue;
            any = true;
            if (is_declared(b, r, size))
                best = INT64_MAX;
            else if (end > best)
                best = end;
        }
    }
    if (any)
        *ret_end = best;
    return any;
}

/* --- ways --- */

/* Was it observed what the parent has, not so long before that it may have changed since? */
static bool parent_known(const struct world *w, const struct zone *zone, int64_t time_ns)
{
    bool known = zone->anchored || zone->no_ds.reason != REASON_NONE;
    for (uint8_t v = 0; v < zone->dss; v++)
        known |= attempt_fresh(w, zone->ds[v], time_ns);
    return known;
}

static void take_way(struct vouched *v, int64_t dnskey, int64_t ds, uint32_t ttl)
{
    int64_t sum = ds, until;
    if (ds != INT64_MAX && __builtin_add_overflow(ds, (int64_t)ttl, &sum))
        sum = INT64_MAX;
    until = dnskey < sum ? dnskey : sum;
    if (v->taken && until <= v->until)
        return;
    v->taken = true;
    v->dnskey_expiration = dnskey;
    v->ds_expiration = ds;
    v->until = until;
}

static bool holds_declared(const struct rrset *set, const struct fact_baseline *b)
{
    for (size_t i = 0; i < b->expected.count; i++)
        if (has_record(set, b->expected.rdata[i].bytes, b->expected.rdata[i].size))
            return true;
    return false;
}

struct vouched vouched_key(const struct world *w, const struct zone *zone, const uint8_t *rdata,
                           uint16_t size, int64_t clock_ns)
{
    struct fact_baseline b = {.present = false};
    struct vouched v = {.asked =
                            zone->dss > 0 || zone->anchored || zone->no_ds.reason != REASON_NONE};
    if (zone->baseline)
        baseline_describe(zone->baseline, zone->name, TYPE_DNSKEY, clock_ns, &b);
    for (uint8_t n = 0; n < zone->dnskeys; n++) {
        const struct rrset *set = zone->dnskey[n];
        if (!has_record(set, rdata, size))
            continue;
        v.asked &= parent_known(w, zone, set->last_seen_ns);
        v.beside |= b.present && holds_declared(set, &b);
        for (uint8_t i = 0; i < set->signatures; i++) {
            const struct signature *s = &set->signature[i];
            const struct key *key = maker(s);
            int64_t ds;
            v.asked &= key != NULL || is_refuted(s);
            if (key == NULL || (key->flags & KEY_FLAG_REVOKE) ||
                !entry(w, zone, &b, key, clock_ns, &ds))
                continue;
            v.named |= key->rdata_size == size && memcmp(key->rdata, rdata, size) == 0;
            take_way(&v, attempt_time(s->expiration, set->last_seen_ns), ds, s->original_ttl);
        }
    }
    v.asked |= v.taken;
    return v;
}
