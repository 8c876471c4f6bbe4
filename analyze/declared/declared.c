/*
 * declared: the keys and DS that a zone's owner declared, by time.
 *
 * Contained in: analyze, tests. Must never learn a key from the wire.
 */
#include "analyze/declared/declared.h"

#include "analyze/canon.h"
#include "analyze/declared/zonefile.h"
#include "rules/digest.h"

#include <stdlib.h>
#include <string.h>

#define FLAG_REVOKE  0x0080u
#define FLAG_ZONE    0x0100u
#define FLAG_SEP     0x0001u
#define TYPE_CDS     59
#define TYPE_CDNSKEY 60

static const uint8_t digest_types[] = {2, 4, 1}; /* in the order in which they are shown */
#define DIGEST_TYPES sizeof digest_types

struct ds_store { /* fact_ds with its digest's bytes */
    struct fact_ds ds;
    uint8_t digest[DIGEST_DS_MAX];
};

struct period { /* holds from from_ns until the next period's */
    int64_t from_ns;
    struct fact_key *keys;
    struct fact_ds *ds;
    size_t key_count, ds_count;
};

struct declared {
    const struct policy *policy;
    size_t key_declared, ds_declared;
    struct period *periods;
    size_t period_count;
    struct ds_store *store; /* DS computed from keys */
    size_t store_count;
};

static int key_read(const uint8_t *rdata, size_t size, struct fact_key *ret)
{
    if (size < 5)
        return -1;
    *ret = (struct fact_key){.flags = (uint16_t)(rdata[0] << 8 | rdata[1]),
                             .protocol = rdata[2],
                             .algorithm = rdata[3],
                             .tag = zonefile_key_tag(rdata, size),
                             .public_key = {rdata + 4, (uint16_t)(size - 4)}};
    return 0;
}

static int ds_read(const struct fact_rdata *rdata, struct fact_ds *ret)
{
    if (rdata->size < 5)
        return -1;
    *ret = (struct fact_ds){.tag = (uint16_t)(rdata->bytes[0] << 8 | rdata->bytes[1]),
                            .algorithm = rdata->bytes[2],
                            .digest_type = rdata->bytes[3],
                            .digest = {rdata->bytes + 4, (uint16_t)(rdata->size - 4)},
                            .matches_key = true};
    return 0;
}

static bool ds_equal(const struct fact_ds *a, const struct fact_ds *b)
{
    return a->tag == b->tag && a->algorithm == b->algorithm && a->digest_type == b->digest_type &&
           a->digest.size == b->digest.size &&
           memcmp(a->digest.bytes, b->digest.bytes, a->digest.size) == 0;
}

/* Appends the DS of every digest type of the key that are not in the list yet. */
static void add_digests(struct declared *declared, struct period *period, const uint8_t *apex,
                        const struct fact_key *key, const uint8_t *types, size_t type_count)
{
    for (size_t i = 0; i < type_count; i++) {
        struct ds_store *store = &declared->store[declared->store_count];
        size_t size = digest_ds(apex, key, types[i], store->digest);
        bool known = size == 0;
        store->ds = (struct fact_ds){.tag = key->tag,
                                     .algorithm = key->algorithm,
                                     .digest_type = types[i],
                                     .digest = {store->digest, (uint16_t)size},
                                     .matches_key = true};
        for (size_t j = 0; j < period->ds_count && !known; j++)
            known = ds_equal(&period->ds[j], &store->ds);
        if (known)
            continue;
        period->ds[period->ds_count++] = store->ds;
        declared->store_count++;
    }
}

/* A key that a DS may name: with SEP; in a zone without any such key, every zone key. */
static bool is_entry(const struct fact_key *key, bool any_sep)
{
    if (!(key->flags & FLAG_ZONE) || key->flags & FLAG_REVOKE)
        return false;
    return !any_sep || key->flags & FLAG_SEP;
}

static void base_ds(struct declared *declared, struct period *period, const uint8_t *apex)
{
    bool any_sep = false, stated = period->ds_count > 0;
    size_t declared_keys = period->key_count;
    for (size_t i = 0; i < declared_keys; i++)
        any_sep |= (period->keys[i].flags & FLAG_SEP) != 0;
    for (size_t i = 0; i < declared_keys && !stated; i++) /* SHA-256 first: these are shown */
        if (is_entry(&period->keys[i], any_sep))
            add_digests(declared, period, apex, &period->keys[i], digest_types, 1);
    declared->ds_declared = period->ds_count;
    for (size_t i = 0; i < declared_keys; i++) {
        bool named = !stated && is_entry(&period->keys[i], any_sep);
        for (size_t j = 0; j < declared->ds_declared && stated; j++) {
            uint8_t digest[DIGEST_DS_MAX];
            const struct fact_ds *ds = &period->ds[j];
            size_t size = digest_ds(apex, &period->keys[i], ds->digest_type, digest);
            named |= size && size == ds->digest.size && memcmp(digest, ds->digest.bytes, size) == 0;
        }
        if (named)
            add_digests(declared, period, apex, &period->keys[i], digest_types, DIGEST_TYPES);
    }
}

static void add_planned(struct declared *declared, struct period *period, const uint8_t *apex)
{
    for (size_t i = 0; declared->policy && i < declared->policy->plan_count; i++) {
        const struct policy_plan *plan = &declared->policy->plans[i];
        struct fact_key *key = &period->keys[period->key_count];
        if (!plan->key || period->from_ns < plan->from_ns || period->from_ns > plan->to_ns ||
            key_read(plan->key, plan->key_size, key) != 0)
            continue;
        period->key_count++;
        if (is_entry(key, plan->change != POLICY_CSK))
            add_digests(declared, period, apex, key, digest_types, DIGEST_TYPES);
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The times at which the set of keys may change, sorted, each once; their number. */
static size_t boundaries(const struct policy *policy, int64_t *ret_times)
{
    size_t count = 0, kept = 0;
    ret_times[count++] = INT64_MIN;
    for (size_t i = 0; policy && i < policy->plan_count; i++)
        if (policy->plans[i].key) {
            ret_times[count++] = policy->plans[i].from_ns;
            ret_times[count++] = policy->plans[i].to_ns + 1;
        }
    qsort(ret_times, count, sizeof *ret_times, compare_times);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || ret_times[kept - 1] != ret_times[i])
            ret_times[kept++] = ret_times[i];
    return kept;
}

static int fill(struct declared *declared, const uint8_t *apex, const struct fact_rdata *keys,
                size_t key_count, const struct fact_rdata *ds, size_t ds_count)
{
    size_t plans = declared->policy ? declared->policy->plan_count : 0;
    size_t most_keys = key_count + plans, most_ds = ds_count + most_keys * DIGEST_TYPES;
    int64_t *times = calloc(2 * plans + 1, sizeof *times);
    if (!times)
        return -1;
    declared->period_count = boundaries(declared->policy, times);
    declared->periods = calloc(declared->period_count, sizeof *declared->periods);
    declared->store =
        calloc(declared->period_count * most_keys * DIGEST_TYPES + 1, sizeof *declared->store);
    declared->key_declared = key_count;
    int result = declared->periods && declared->store ? 0 : -1;
    for (size_t i = 0; i < declared->period_count && result == 0; i++) {
        struct period *period = &declared->periods[i];
        period->from_ns = times[i];
        period->keys = calloc(most_keys + 1, sizeof *period->keys);
        period->ds = calloc(most_ds + 1, sizeof *period->ds);
        if (!period->keys || !period->ds) {
            result = -1;
            break;
        }
        for (; period->key_count < key_count && result == 0; period->key_count++)
            result = key_read(keys[period->key_count].bytes, keys[period->key_count].size,
                              &period->keys[period->key_count]);
        for (; period->ds_count < ds_count && result == 0; period->ds_count++)
            result = ds_read(&ds[period->ds_count], &period->ds[period->ds_count]);
        if (result == 0) {
            base_ds(declared, period, apex);
            add_planned(declared, period, apex);
        }
    }
    free(times);
    return result;
}

struct declared *declared_new(const uint8_t *apex, const struct fact_rdata *keys, size_t key_count,
                              const struct fact_rdata *ds, size_t ds_count,
                              const struct policy *policy)
{
    struct declared *declared = calloc(1, sizeof *declared);
    if (!declared)
        return NULL;
    declared->policy = policy;
    if (fill(declared, apex, keys, key_count, ds, ds_count) != 0) {
        declared_free(declared);
        return NULL;
    }
    return declared;
}

void declared_free(struct declared *declared)
{
    if (!declared)
        return;
    for (size_t i = 0; declared->periods && i < declared->period_count; i++) {
        free(declared->periods[i].keys);
        free(declared->periods[i].ds);
    }
    free(declared->periods);
    free(declared->store);
    free(declared);
}

static bool concerns_ds(uint16_t type)
{
    return type == TYPE_DS || type == TYPE_CDS || type == TYPE_CDNSKEY;
}

static void describe_plans(const struct declared *declared, uint16_t type, int64_t time_ns,
                           struct fact_baseline *ret)
{
    for (size_t i = 0; declared->policy && i < declared->policy->plan_count; i++) {
        const struct policy_plan *plan = &declared->policy->plans[i];
        bool sep = false, zsk = false, ds = false, withdrawal = false;
        if (time_ns < plan->from_ns || time_ns > plan->to_ns)
            continue;
        switch (plan->change) {
        case POLICY_KSK:
            sep = ds = true;
            break;
        case POLICY_ZSK:
            zsk = true;
            break;
        case POLICY_CSK:
        case POLICY_ALGORITHM:
            sep = zsk = ds = true;
            break;
        case POLICY_DS:
            ds = true;
            break;
        case POLICY_INSECURE:
            withdrawal = true;
            break;
        default:
            break;
        }
        if (type == TYPE_DNSKEY) {
            ret->planned |= sep || zsk || withdrawal;
            ret->planned_sep |= sep && !plan->key;
            ret->planned_zsk |= zsk && !plan->key;
        } else if (concerns_ds(type)) {
            ret->planned |= ds || withdrawal;
            ret->planned_withdrawal |= withdrawal;
            ret->planned_sep |= ds && !plan->key;
        }
    }
}

void declared_describe(const struct declared *declared, uint16_t type, int64_t time_ns,
                       struct fact_baseline *ret)
{
    size_t at = declared->period_count - 1;
    while (at > 0 && declared->periods[at].from_ns > time_ns)
        at--;
    const struct period *period = &declared->periods[at];
    ret->keys = period->keys;
    ret->key_count = period->key_count;
    ret->key_declared = declared->key_declared;
    ret->ds = period->ds;
    ret->ds_count = period->ds_count;
    ret->ds_declared = declared->ds_declared;
    ret->signed_zone = declared->key_declared > 0 || declared->ds_declared > 0;
    describe_plans(declared, type, time_ns, ret);
}
