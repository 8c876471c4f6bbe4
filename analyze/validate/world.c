/*
 * world: the table of zones and what was observed of them. No judgement here
 * (analyze/validate/judge.c).
 *
 * Contained in: analyze, tests.
 */
#include "analyze/validate/world.h"

#include "analyze/canon.h"
#include "analyze/follow/followed.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/denial.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define ZONE_BUCKETS_MAX ((size_t)1 << 18)
#define ZONES_MAX        ((size_t)1 << 20)
#define ZONES_MIN        ((size_t)1024)
/* What a decoded key and its contexts cost in OpenSSL, as measured for RSA; others cost less. */
#define KEY_BYTES ((size_t)6144)
/* malloc's own, for each block. */
#define BLOCK_BYTES 16

/* A quarter of the memory may be zones, most of which will be placeholders. */
static void size_tables(struct world *w, size_t memory)
{
    size_t most = memory / 4 / (sizeof(struct zone) + BLOCK_BYTES + NAME_MAX_BYTES / 4);
    w->zones_max = most < ZONES_MIN ? ZONES_MIN : most > ZONES_MAX ? ZONES_MAX : most;
    w->zone_buckets = ZONES_MIN;
    while (w->zone_buckets < w->zones_max && w->zone_buckets < ZONE_BUCKETS_MAX)
        w->zone_buckets *= 2;
}

/* The zone of an anchor or a baseline; it and all above it stay. */
static struct zone *keep_zone(struct world *w, const uint8_t *apex)
{
    unsigned labels = name_labels(apex);
    struct zone *zone = NULL;
    for (unsigned have = 0; have <= labels; have++) {
        w->zones_max += world_full(w); /* what the operator gave us has room */
        zone = world_zone(w, name_suffix(apex, have));
        if (zone == NULL)
            return NULL;
        zone->kept = true;
    }
    return zone;
}

int world_init(struct world *w, const struct settings *settings, const struct anchors *anchors,
               const struct baseline *baseline, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->settings = settings;
    w->anchors = anchors;
    w->baseline = baseline;
    w->seed = seed;
    w->budget.second = INT64_MIN;
    w->budget.failing_us = BUDGET_FAILING_US;
    w->budget.earned_ns = INT64_MAX;
    w->rrsets = rrsets_new(seed);
    w->signed_data = malloc(RRSET_SIGNED_MAX);
    size_tables(w, settings->memory_bytes);
    w->zone_bucket = calloc(w->zone_buckets, sizeof(struct zone *));
    if (w->rrsets == NULL || w->zone_bucket == NULL || w->signed_data == NULL)
        return -1;
    const struct anchor *anchor;
    size_t count = anchors ? anchors_list(anchors, &anchor) : 0;
    for (size_t i = 0; i < count; i++) {
        struct zone *zone = keep_zone(w, anchor[i].zone);
        if (zone == NULL)
            return -1;
        zone->anchored = zone->seen = true;
    }
    for (size_t i = 0; baseline && i < baseline_count(baseline); i++) {
        struct zone *zone = keep_zone(w, baseline_apex(baseline_nth(baseline, i)));
        if (zone == NULL)
            return -1;
        zone->baseline = baseline_nth(baseline, i);
    }
    const struct baseline_negative *negative;
    count = baseline ? baseline_negatives(baseline, &negative) : 0;
    for (size_t i = 0; i < count; i++)
        if (world_zone(w, negative[i].name) == NULL)
            return -1;
    return 0;
}

/* Zones hold RRsets, which go before or after them. */
static void free_zone(struct world *w, struct zone *zone)
{
    for (struct key *key = zone->keys, *after; key; key = after) {
        after = key->next;
        w->zone_bytes -= sizeof *key + key->rdata_size + KEY_BYTES;
        key_free(key);
    }
    w->zone_count--;
    w->zone_bytes -= followed_free(zone);
    w->zone_bytes -= sizeof *zone + zone->name_size + BLOCK_BYTES;
    free(zone);
}

void world_fini(struct world *w)
{
    for (size_t i = 0; w->zone_bucket && i < w->zone_buckets; i++) {
        for (struct zone *zone = w->zone_bucket[i], *next; zone; zone = next) {
            next = zone->next;
            free_zone(w, zone);
        }
    }
    free(w->zone_bucket);
    free(w->stirred);
    free(w->signed_data);
    rrsets_free(w->rrsets);
    memset(w, 0, sizeof *w);
}

static uint64_t hash_name(const struct world *w, const uint8_t *name, size_t size)
{
    return XXH3_64bits_withSeed(name, size, w->seed);
}

static struct zone *find(const struct world *w, const uint8_t *name, size_t size, uint64_t hash)
{
    struct zone *zone = w->zone_bucket[hash & (w->zone_buckets - 1)];
    while (zone &&
           !(zone->hash == hash && zone->name_size == size && memcmp(zone->name, name, size) == 0))
        zone = zone->next;
    return zone;
}

struct zone *world_find(const struct world *w, const uint8_t *name)
{
    size_t size = name_size(name);
    return find(w, name, size, hash_name(w, name, size));
}

struct zone *world_zone(struct world *w, const uint8_t *name)
{
    size_t size = name_size(name);
    uint64_t hash = hash_name(w, name, size);
    struct zone *zone = find(w, name, size, hash);
    if (zone)
        return zone;
    if (world_full(w)) {
        world_exhausted(w, BUDGET_ZONES);
        return NULL;
    }
    zone = calloc(1, sizeof *zone + size);
    if (zone == NULL)
        return NULL;
    zone->hash = hash;
    zone->name_size = (uint8_t)size;
    memcpy(zone->name, name, size);
    zone->no_dnskey_ns = INT64_MIN;
    struct zone **bucket = &w->zone_bucket[hash & (w->zone_buckets - 1)];
    zone->next = *bucket;
    *bucket = zone;
    w->zone_count++;
    w->zone_bytes += sizeof *zone + size + BLOCK_BYTES;
    return zone;
}

struct zone *world_over(const struct world *w, const uint8_t *name, bool above)
{
    unsigned labels = name_labels(name);
    for (unsigned strip = above ? 1 : 0; strip <= labels; strip++) {
        struct zone *zone = world_find(w, name_strip(name, strip));
        if (zone && zone->seen)
            return zone;
    }
    return NULL;
}

static bool is_below_cut(const struct zone *zone, const uint8_t *name, int64_t clock_ns)
{
    struct fact_baseline b = {.present = false};
    if (zone->baseline)
        baseline_describe(zone->baseline, name, TYPE_A, clock_ns, &b);
    return b.present && b.below_cut;
}

/* Is there a zone of that name, or only a name that somebody asked about? */
static bool is_zone(const struct zone *zone)
{
    return zone->inside == NULL && (zone->dnskeys || zone->dss || zone->baseline ||
                                    zone->anchored || zone->no_ds.reason != REASON_NONE);
}

struct zone *world_home(const struct world *w, const uint8_t *qname, uint16_t qtype,
                        int64_t clock_ns)
{
    unsigned labels = name_labels(qname), strip = qtype == TYPE_DS && labels > 0;
    struct zone *zone = NULL;
    for (; strip <= labels && zone == NULL; strip++) {
        zone = world_find(w, name_strip(qname, strip));
        if (zone && !is_zone(zone))
            zone = NULL;
    }
    return zone && is_below_cut(zone, qname, clock_ns) ? NULL : zone;
}

bool world_anchored(const struct world *w, const uint8_t *name, int64_t time_ns, int64_t *from_ns,
                    int64_t *until_ns)
{
    const struct anchor *anchor;
    bool any = false;
    size_t count = w->anchors ? anchors_list(w->anchors, &anchor) : 0;
    for (size_t i = 0; i < count; i++)
        if (name_within(name, anchor[i].zone))
            any |= anchor_window(anchor[i].from_ns, anchor[i].until_ns, time_ns, from_ns, until_ns);
    return any;
}

static void wake(struct world *w, struct zone *zone)
{
    if (w->stirred_count == w->stirred_room) {
        size_t room = w->stirred_room ? w->stirred_room * 2 : 16;
        struct zone **wider = realloc(w->stirred, room * sizeof(struct zone *));
        if (wider == NULL)
            return;
        w->stirred = wider;
        w->stirred_room = room;
    }
    w->stirred[w->stirred_count++] = zone;
}

/* Something new is known of the zone: its waiting answers are to be judged again. */
static void stir(struct world *w, struct zone *zone)
{
    zone->observed++;
    if (!zone->seen) {
        zone->seen = true;
        w->births++;
    }
    wake(w, zone);
}

/* Keeps `set` among the variants; the one seen longest ago among those not in `keep` gives way. */
static bool add_variant(struct rrset **variant, uint8_t *count, uint8_t keep, struct rrset *set)
{
    for (uint8_t i = 0; i < *count; i++)
        if (variant[i] == set)
            return false;
    uint8_t at = *count;
    if (at == ZONE_VARIANTS) {
        at = 0;
        for (uint8_t i = 1; i < ZONE_VARIANTS; i++) {
            bool better = (keep >> at & 1) && !(keep >> i & 1);
            bool same = (keep >> at & 1) == (keep >> i & 1);
            if (better || (same && variant[i]->last_seen_ns < variant[at]->last_seen_ns))
                at = i;
        }
        variant[at]->held--;
    } else {
        ++*count;
    }
    variant[at] = set;
    set->held++;
    return true;
}

bool world_show_dnskey(struct world *w, struct zone *zone, struct rrset *set, int64_t time_ns)
{
    if (time_ns > set->last_seen_ns)
        set->last_seen_ns = time_ns;
    bool awaited = zone->trust.unseen || zone->trust.orphaned;
    if (!add_variant(zone->dnskey, &zone->dnskeys, zone->trust.trusted, set) && !awaited)
        return false;
    stir(w, zone);
    return true;
}

static bool is_secure(const struct rrset *ds)
{
    return ds->judged.done && reason_verdict(ds->judged.reason) == VERDICT_SECURE;
}

/* Has the parent gone back to a DS RRset that it gave before? */
static bool newest_changed(const struct zone *zone)
{
    const struct rrset *newest = NULL;
    for (uint8_t i = 0; i < zone->dss; i++)
        if (is_secure(zone->ds[i]) &&
            (newest == NULL || attempt_given(zone->ds[i]) >= attempt_given(newest)))
            newest = zone->ds[i];
    return zone->newest_ds && newest && newest != zone->newest_ds;
}

static int64_t newest_ds(const struct zone *zone)
{
    int64_t newest = INT64_MIN;
    for (uint8_t i = 0; i < zone->dss; i++)
        if (zone->ds[i]->last_seen_ns > newest)
            newest = zone->ds[i]->last_seen_ns;
    return newest;
}

bool world_show_ds(struct world *w, struct zone *zone, struct rrset *set, int64_t time_ns)
{
    if (time_ns > set->last_seen_ns)
        set->last_seen_ns = time_ns;
    uint8_t secure = 0;
    for (uint8_t i = 0; i < zone->dss; i++)
        if (is_secure(zone->ds[i]))
            secure |= (uint8_t)(1u << i);
    bool added = add_variant(zone->ds, &zone->dss, secure, set);
    /* It is newer than the denial, which its trust still rests on. */
    bool denied = zone->no_ds.reason != REASON_NONE && zone->trust.reason == zone->no_ds.reason;
    if (added || newest_changed(zone) || (denied && newest_ds(zone) > zone->no_ds.seen_ns)) {
        stir(w, zone);
        return true;
    }
    return false;
}

bool world_show_no_ds(struct world *w, struct zone *zone, enum reason reason, struct zone *signer,
                      struct rrset *const *proof, size_t proofs, int64_t time_ns, int64_t from_ns,
                      int64_t until_ns)
{
    bool changes =
        zone->no_ds.reason != reason || until_ns > zone->no_ds.until_ns ||
        (zone->dss > 0 && zone->no_ds.seen_ns < newest_ds(zone) && time_ns >= newest_ds(zone));
    zone->no_ds.reason = reason;
    zone->no_ds.signer = signer;
    if (time_ns > zone->no_ds.seen_ns || changes)
        zone->no_ds.seen_ns = time_ns;
    if (!changes)
        return false;
    zone->no_ds.from_ns = from_ns;
    zone->no_ds.until_ns = until_ns;
    for (size_t i = 0; i < PROOF_SETS_MAX; i++) {
        struct rrset *old = zone->no_ds.proof[i];
        zone->no_ds.proof[i] = i < proofs ? proof[i] : NULL;
        if (zone->no_ds.proof[i])
            zone->no_ds.proof[i]->held++;
        if (old)
            old->held--;
    }
    stir(w, zone);
    return true;
}

void world_show_bad_ds(struct world *w, struct zone *zone, enum reason reason, struct zone *signer,
                       int64_t time_ns)
{
    bool news = zone->bad_ds.reason == REASON_NONE;
    zone->bad_ds.reason = reason;
    zone->bad_ds.signer = signer;
    zone->bad_ds.seen_ns = time_ns;
    if (news)
        stir(w, zone);
}

void world_show_no_dnskey(struct world *w, struct zone *zone, enum reason reason, int64_t time_ns)
{
    bool first = zone->no_dnskey_ns == INT64_MIN;
    zone->no_dnskey = reason;
    if (time_ns > zone->no_dnskey_ns)
        zone->no_dnskey_ns = time_ns;
    /* One that was made before there was a DS counts for nothing; this one may. */
    if (zone->seen && zone->dnskeys == 0 && (first || zone->trust.state == TRUST_UNKNOWN))
        stir(w, zone);
}

void world_show_inside(struct world *w, const uint8_t *name, struct zone *zone)
{
    struct zone *mistaken = world_zone(w, name);
    if (mistaken == NULL || mistaken == zone || mistaken->inside == zone)
        return;
    mistaken->inside = zone;
    mistaken->observed++;
    mistaken->roused = true;
    wake(w, mistaken);
}

struct key *world_key(struct world *w, struct zone *zone, const uint8_t *rdata, uint16_t size)
{
    for (struct key *key = zone->keys; key; key = key->next)
        if (key->rdata_size == size && memcmp(key->rdata, rdata, size) == 0)
            return key;
    if (zone->key_count == ZONE_KEYS_MAX) {
        world_exhausted(w, BUDGET_KEYS);
        return NULL;
    }
    struct key *key = key_new(rdata, size);
    if (key) {
        key->next = zone->keys;
        zone->keys = key;
        zone->key_count++;
        w->zone_bytes += sizeof *key + size + KEY_BYTES;
    }
    return key;
}

/* --- forgetting --- */

static void let_go(const struct zone *zone)
{
    for (uint8_t i = 0; i < zone->dnskeys; i++)
        zone->dnskey[i]->held--;
    for (uint8_t i = 0; i < zone->dss; i++)
        zone->ds[i]->held--;
    for (size_t i = 0; i < PROOF_SETS_MAX && zone->no_ds.proof[i]; i++)
        zone->no_ds.proof[i]->held--;
    followed_let_go(zone);
}

enum { FORGET_PLACEHOLDERS, FORGET_UNTRUSTED, FORGET_ALL, FORGET_STAGES };

static bool may_go(const struct zone *zone, unsigned stage)
{
    if (zone->kept)
        return false;
    return stage == FORGET_ALL ||
           (stage == FORGET_UNTRUSTED && zone->trust.state != TRUST_SECURE) ||
           (!zone->seen && zone->keys == NULL);
}

/* What stays is judged anew, without what has gone; only counters that others compare go on. */
static void begin_anew(struct zone *zone)
{
    zone->trust = (struct trust){.version = zone->trust.version + 1};
    zone->settled.missing = NULL;
    zone->roused = true;
    followed_forget(zone);
}

/* A proof rests on its signer. That something was wrong is remembered whoever is gone. */
static void miss_gone(struct zone *zone)
{
    if (zone->no_ds.signer && zone->no_ds.signer->gone) {
        for (size_t i = 0; i < PROOF_SETS_MAX && zone->no_ds.proof[i]; i++)
            zone->no_ds.proof[i]->held--;
        memset(&zone->no_ds, 0, sizeof zone->no_ds);
    }
    if (zone->bad_ds.signer && zone->bad_ds.signer->gone)
        zone->bad_ds.signer = NULL;
    if (zone->inside && zone->inside->gone)
        zone->inside = NULL;
}

static void drop_zones(struct world *w, unsigned stage)
{
    for (size_t i = 0; i < w->zone_buckets; i++)
        for (struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next)
            zone->gone = may_go(zone, stage);
    for (size_t i = 0; i < w->zone_buckets; i++)
        for (struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next)
            miss_gone(zone);
    for (size_t i = 0; i < w->zone_buckets; i++) {
        for (struct zone **link = &w->zone_bucket[i]; *link;) {
            struct zone *zone = *link;
            if (!zone->gone) {
                link = &zone->next;
                continue;
            }
            *link = zone->next;
            let_go(zone);
            free_zone(w, zone);
        }
    }
}

void world_forget(struct world *w, size_t goal)
{
    w->stirred_count = 0;
    w->forgotten++;
    for (unsigned stage = 0; stage < FORGET_STAGES; stage++) {
        drop_zones(w, stage);
        rrsets_forget(w->rrsets);
        if (w->zone_bytes + rrsets_bytes(w->rrsets) <= goal && w->zone_count <= w->zones_max / 2)
            break;
    }
    for (size_t i = 0; i < w->zone_buckets; i++)
        for (struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next)
            begin_anew(zone);
}

void world_begin(struct world *w, int64_t time_ns)
{
    int64_t second = time_ns / 1000000000;
    if (w->trace)
        w->trace->count = 0;
    w->packet_ns = time_ns;
    w->budget.ran_out = 0;
    w->budget.message++;
    w->budget.message_left = w->settings->message_signatures;
    w->budget.hashes_left = w->settings->message_hashes;
    if (second != w->budget.second) {
        w->budget.second = second;
        w->budget.second_left = w->settings->second_signatures;
    }
}

void world_earn(struct world *w, uint64_t frame, int64_t time_ns)
{
    struct budget *b = &w->budget;
    if (frame > b->earned_frame) {
        uint64_t frames = frame - b->earned_frame;
        if (frames > BUDGET_FAILING_US)
            frames = BUDGET_FAILING_US;
        b->failing_us += (int64_t)(frames * w->settings->frame_check_us);
        b->earned_frame = frame;
    }
    if (w->settings->open_end && time_ns > b->earned_ns)
        b->failing_us += (time_ns - b->earned_ns) / 5000;
    b->earned_ns = time_ns;
    if (b->failing_us > BUDGET_FAILING_US)
        b->failing_us = BUDGET_FAILING_US;
}
