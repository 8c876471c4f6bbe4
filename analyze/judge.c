/*
 * judge: trust in zones and verdicts on RRsets.
 *
 * Contained in: analyze, tests. The recursion goes from a zone to the signer of its DS, whose name
 * is strictly shorter, so it ends after at most 127 steps; in practice after three.
 */
#include "analyze/judge.h"

#include "analyze/canon.h"
#include "analyze/negative.h"

#include <string.h>

#define SECOND_NS 1000000000ll

/* --- time --- */

int64_t judge_time(uint32_t wire, int64_t time_ns)
{
    int64_t now = time_ns / SECOND_NS;
    return now + (int32_t)(wire - (uint32_t)now);
}

struct window {
    int64_t from_ns, until_ns;
};

static const struct window always = {INT64_MIN, INT64_MAX};

static void narrow(struct window *w, int64_t from_ns, int64_t until_ns)
{
    if (from_ns > w->from_ns)
        w->from_ns = from_ns;
    if (until_ns < w->until_ns)
        w->until_ns = until_ns;
}

static struct window validity(const struct world *w, const struct signature *s, int64_t time_ns)
{
    int64_t skew = (int64_t)w->settings->skew_seconds;
    return (struct window){(judge_time(s->inception, time_ns) - skew) * SECOND_NS,
                           (judge_time(s->expiration, time_ns) + skew) * SECOND_NS + SECOND_NS - 1};
}

/* NONE inside the window; otherwise what is wrong, and *ret_holds narrowed to the times at which it
 * is. */
static enum reason time_reason(const struct world *w, const struct signature *s, int64_t time_ns,
                               struct window *holds)
{
    struct window valid = validity(w, s, time_ns);
    if (valid.until_ns < valid.from_ns)
        return REASON_SIG_INVERTED;
    if (time_ns < valid.from_ns) {
        narrow(holds, INT64_MIN, valid.from_ns - 1);
        return REASON_SIG_FUTURE;
    }
    if (time_ns > valid.until_ns) {
        narrow(holds, valid.until_ns + 1, INT64_MAX);
        return REASON_SIG_EXPIRED;
    }
    narrow(holds, valid.from_ns, valid.until_ns);
    /* The judgement is made again when the signature enters its last hours: the rules want to know.
     */
    int64_t last_hours = valid.until_ns - (int64_t)w->settings->expiring_hours * 3600 * SECOND_NS;
    if (time_ns <= last_hours)
        narrow(holds, INT64_MIN, last_hours);
    else
        narrow(holds, last_hours + 1, INT64_MAX);
    return REASON_NONE;
}

/* May the RRset, seen last when it was, still be in a cache? */
static int64_t fresh_until(const struct rrset *set)
{
    uint32_t ttl = set->signatures ? set->signature[0].original_ttl : set->ttl;
    return set->last_seen_ns + (int64_t)ttl * SECOND_NS;
}

static bool fresh(const struct rrset *set, int64_t time_ns)
{
    return time_ns <= fresh_until(set);
}

/* --- one signature, one key --- */

static enum reason check_reason(enum key_result result, uint8_t algorithm)
{
    switch (result) {
    case KEY_VERIFIES:
        return REASON_NONE;
    case KEY_REFUTES:
        return REASON_SIG_BAD;
    case KEY_MALFORMED:
        return REASON_SIG_MALFORMED;
    default: /* that we could not is no word about the zone */
        return key_algorithm_supported(algorithm) ? REASON_BUDGET : REASON_ALGORITHM_UNSUPPORTED;
    }
}

/* NONE if it verifies. The result is remembered with the signature: bytes and key never change. */
static enum reason crypto(struct world *w, struct rrset *set, struct signature *s, struct key *key)
{
    for (unsigned i = 0; i < s->checks; i++) {
        if (s->check[i].key == key) {
            w->budget.hits++;
            return check_reason(s->check[i].result, s->algorithm);
        }
    }
    if (key->malformed || !key_signature_size_ok(s->algorithm, s->bytes_size))
        return REASON_SIG_MALFORMED;
    if (s->checks == SIGNATURE_CHECKS_MAX || w->budget.message_left == 0 ||
        w->budget.second_left == 0) {
        world_exhausted(w, s->checks == SIGNATURE_CHECKS_MAX ? BUDGET_COLLISIONS
                           : w->budget.message_left == 0     ? BUDGET_SIGNATURES
                                                             : BUDGET_SECOND);
        return REASON_BUDGET;
    }
    w->budget.message_left--;
    w->budget.second_left--;
    w->budget.checks++;
    size_t size = rrset_signed_data(set, s, w->signed_data);
    if (size == 0)
        return REASON_BUDGET;
    enum key_result result = key_verify(key, 0, w->signed_data, size, s->bytes, s->bytes_size);
    s->check[s->checks].key = key;
    s->check[s->checks++].result = result;
    return check_reason(result, s->algorithm);
}

/* Which of two reasons against a signature says more about it. */
static unsigned weight(enum reason reason)
{
    switch (reason) {
    case REASON_CHAIN:
        return 100;
    case REASON_SIG_EXPIRED:
        return 60;
    case REASON_SIG_FUTURE:
        return 59;
    case REASON_SIG_BAD:
        return 58;
    case REASON_SIG_INVERTED:
        return 57;
    case REASON_SIG_MALFORMED:
        return 56;
    case REASON_KEY_REVOKED:
        return 55;
    case REASON_KEY_NOT_ZONE:
        return 54;
    case REASON_SIG_LABELS:
        return 53;
    case REASON_SIG_SIGNER:
        return 52;
    case REASON_KEY_UNKNOWN:
        return 51;
    case REASON_SIG_MISSING:
        return 10;
    default:
        break;
    }
    switch (reason_verdict(reason)) {
    case VERDICT_INSECURE:
        return 90;
    case VERDICT_INDETERMINATE:
        return 80;
    case VERDICT_NOT_CHECKABLE:
        return 70;
    default:
        return 30;
    }
}

static enum reason key_usable(const struct key *key)
{
    if (key->protocol != 3 || !(key->flags & KEY_FLAG_ZONE))
        return REASON_KEY_NOT_ZONE;
    return key->flags & KEY_FLAG_REVOKE ? REASON_KEY_REVOKED : REASON_NONE;
}

/* The best that any key of the list says of the signature. */
struct attempt {
    enum reason
        reason; /* KEY_UNKNOWN: no key has this tag and algorithm; CHAIN: verifies and in time */
    bool verifies;
};

static void attempt_key(struct world *w, struct zone *zone, struct rrset *set, struct signature *s,
                        const uint8_t *rdata, uint16_t size, int64_t time_ns, struct window *holds,
                        struct attempt *best)
{
    if (size < 4 || rdata[3] != s->algorithm || key_tag(rdata, size) != s->tag)
        return;
    struct key *key = world_key(w, zone, rdata, size);
    enum reason reason = key ? key_usable(key) : REASON_BUDGET;
    struct window mine = always;
    bool verifies = false;
    if (reason == REASON_NONE) {
        reason = crypto(w, set, s, key);
        verifies = reason == REASON_NONE;
        if (verifies && (reason = time_reason(w, s, time_ns, &mine)) == REASON_NONE)
            reason = REASON_CHAIN;
    }
    if (best->reason == REASON_NONE || weight(reason) > weight(best->reason)) {
        best->reason = reason;
        best->verifies = verifies;
        *holds = mine;
    }
}

static void attempt_set(struct world *w, struct zone *zone, struct rrset *set, struct signature *s,
                        const struct rrset *keys, int64_t time_ns, struct window *holds,
                        struct attempt *best)
{
    uint16_t size;
    for (const uint8_t *r = NULL;
         (r = rrset_record(keys, r, &size)) && best->reason != REASON_CHAIN;)
        attempt_key(w, zone, set, s, r, size, time_ns, holds, best);
}

/* Keys that the owner declared in the baseline, as rdata. */
static void attempt_pinned(struct world *w, struct zone *zone, struct rrset *set,
                           struct signature *s, int64_t time_ns, struct window *holds,
                           struct attempt *best)
{
    struct fact_baseline declared;
    baseline_describe(zone->baseline, zone->name, TYPE_DNSKEY, time_ns, &declared);
    for (size_t i = 0; i < declared.expected.count && best->reason != REASON_CHAIN; i++)
        attempt_key(w, zone, set, s, declared.expected.rdata[i].bytes,
                    declared.expected.rdata[i].size, time_ns, holds, best);
}

/* --- DS and anchors against the DNSKEY RRset --- */

struct promise { /* what says which keys of the zone may be trusted */
    struct zone *zone;
    int64_t time_ns;
    bool anchors;                    /* else ds[] */
    struct rrset *ds[ZONE_VARIANTS]; /* judged secure */
    size_t count;
    bool usable;          /* at least one names an algorithm and a digest that we implement */
    enum reason unusable; /* why not */
    bool strong;          /* a SHA-2 digest is usable: SHA-1 does not count (RFC 4509 3) */
    bool current;         /* an anchor, or a DS RRset that may still be cached */
};

static void weigh_ds(struct promise *p, const uint8_t *ds, uint16_t size)
{
    /* A digest of the wrong length is still a promise, only one that no key can keep. */
    if (size < 4)
        return;
    bool algorithm = key_algorithm_supported(ds[2]), digest = key_digest_size(ds[3]) != 0;
    if (algorithm && digest) {
        p->usable = true;
        p->strong |= ds[3] != 1;
    } else if (!p->usable) {
        p->unusable = algorithm ? REASON_DIGEST_UNSUPPORTED : REASON_ALGORITHM_UNSUPPORTED;
    }
}

static bool names_key(const struct promise *p, const uint8_t *ds, uint16_t ds_size,
                      const uint8_t *key, uint16_t key_size)
{
    if (ds_size >= 4 && ds[3] == 1 && p->strong)
        return false;
    return key_matches_ds(p->zone->name, key, key_size, ds, ds_size) == KEY_DS_MATCHES;
}

/* REVOKE changes rdata and tag: an anchor names the key before it was revoked, so a revoked key
 * never matches (RFC 5011 2.1). */
static bool promised(const struct world *w, const struct promise *p, const uint8_t *key,
                     uint16_t key_size)
{
    if (p->anchors) {
        const struct anchor *a;
        size_t count = anchors_list(w->anchors, &a);
        for (size_t i = 0; i < count; i++) {
            if (!name_equal(a[i].zone, p->zone->name) || p->time_ns < a[i].from_ns ||
                p->time_ns > a[i].until_ns)
                continue;
            if (a[i].is_ds ? names_key(p, a[i].rdata, a[i].rdata_size, key, key_size)
                           : a[i].rdata_size == key_size && memcmp(a[i].rdata, key, key_size) == 0)
                return true;
        }
        return false;
    }
    uint16_t size;
    for (size_t i = 0; i < p->count; i++)
        for (const uint8_t *ds = NULL; (ds = rrset_record(p->ds[i], ds, &size)) != NULL;)
            if (names_key(p, ds, size, key, key_size))
                return true;
    return false;
}

/* Is the DNSKEY RRset signed by a key that the promise names? CHAIN, or the best reason why not. */
static enum reason check_dnskey(struct world *w, const struct promise *p, struct rrset *set,
                                struct window *ret_holds)
{
    bool any_match = false;
    enum reason best = REASON_NONE;
    *ret_holds = always;
    uint16_t size;
    for (const uint8_t *key = NULL;
         (key = rrset_record(set, key, &size)) && best != REASON_CHAIN;) {
        /* An algorithm that we do not know neither vouches nor excuses: where the promise names one
         * that we know, that one must be there (RFC 4035 5.2, RFC 6840 5.2). */
        if (size < 4 || !key_algorithm_supported(key[3]) || !promised(w, p, key, size))
            continue;
        any_match = true;
        for (unsigned i = 0; i < set->signatures && best != REASON_CHAIN; i++) {
            struct signature *s = &set->signature[i];
            if (!name_equal(s->signer, set->owner))
                continue;
            struct attempt attempt = {REASON_NONE, false};
            struct window holds = always;
            attempt_key(w, p->zone, set, s, key, size, p->time_ns, &holds, &attempt);
            if (attempt.reason != REASON_NONE &&
                (best == REASON_NONE || weight(attempt.reason) > weight(best))) {
                best = attempt.reason;
                *ret_holds = holds;
                set->judged.by = (uint8_t)i;
            }
        }
    }
    if (!any_match)
        return p->anchors ? REASON_ANCHOR_MISMATCH : REASON_DS_MISMATCH;
    return best == REASON_NONE ? REASON_DNSKEY_UNSIGNED : best;
}

/* --- trust in a zone --- */

static void settle(struct trust *t, enum trust_state state, enum reason reason)
{
    t->state = state;
    t->reason = reason;
}

static enum trust_state state_of(enum reason reason)
{
    switch (reason_verdict(reason)) {
    case VERDICT_SECURE:
        return TRUST_SECURE;
    case VERDICT_INSECURE:
        return TRUST_INSECURE;
    case VERDICT_BOGUS:
        return TRUST_BOGUS;
    default:
        return TRUST_UNKNOWN;
    }
}

/* The keys: which observed DNSKEY RRsets the promise vouches for. */
static void trust_keys(struct world *w, const struct promise *p, struct trust *t,
                       struct window *holds)
{
    struct zone *zone = p->zone;
    enum reason worst = REASON_NONE;
    bool any_fresh = false;
    struct window bad = always;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        struct window mine;
        enum reason reason = check_dnskey(w, p, zone->dnskey[i], &mine);
        if (reason == REASON_CHAIN) {
            t->trusted |= (uint8_t)(1u << i);
            narrow(holds, mine.from_ns, mine.until_ns);
        } else {
            if (worst == REASON_NONE || weight(reason) > weight(worst))
                worst = reason;
            narrow(&bad, mine.from_ns, mine.until_ns);
            any_fresh |= fresh(zone->dnskey[i], p->time_ns);
        }
    }
    t->missing = zone;
    t->pinned = zone->baseline != NULL;
    if (t->trusted) {
        settle(t, TRUST_SECURE, REASON_CHAIN);
    } else if (zone->dnskeys == 0) {
        bool denied = zone->no_dnskey_ns != INT64_MIN;
        settle(t, denied ? TRUST_BOGUS : TRUST_UNKNOWN,
               denied ? zone->no_dnskey : REASON_DNSKEY_NOT_SEEN);
    } else {
        narrow(holds, bad.from_ns, bad.until_ns);
        if (worst == REASON_BUDGET)
            settle(t, TRUST_UNKNOWN, REASON_BUDGET);
        else if (any_fresh && p->current)
            settle(t, TRUST_BOGUS, worst);
        else
            settle(t, TRUST_UNKNOWN, REASON_CHAIN_STALE);
    }
}

static bool usable_key(const struct fact_rdata *key)
{
    return key->size >= 4 && key_algorithm_supported(key->bytes[3]);
}

/* No DNSKEY RRset was observed: declared keys may stand in, if the promise names one of them. */
static void trust_declared(struct world *w, const struct promise *p, struct trust *t)
{
    struct fact_baseline declared;
    if (t->state != TRUST_UNKNOWN || t->reason != REASON_DNSKEY_NOT_SEEN || !p->zone->baseline)
        return;
    baseline_describe(p->zone->baseline, p->zone->name, TYPE_DNSKEY, p->time_ns, &declared);
    for (size_t i = 0; i < declared.expected.count; i++) {
        const struct fact_rdata *key = &declared.expected.rdata[i];
        if (usable_key(key) && promised(w, p, key->bytes, key->size)) {
            settle(t, TRUST_SECURE, REASON_CHAIN);
            return;
        }
    }
}

/* Anchors of the zone that are valid then; `holds` is narrowed to the ends of their validity. */
static bool anchors_at(const struct world *w, struct promise *p, struct window *holds)
{
    const struct anchor *a;
    size_t count = w->anchors ? anchors_list(w->anchors, &a) : 0;
    for (size_t i = 0; i < count; i++) {
        if (!name_equal(a[i].zone, p->zone->name) ||
            !anchor_window(a[i].from_ns, a[i].until_ns, p->time_ns, &holds->from_ns,
                           &holds->until_ns))
            continue;
        p->anchors = p->current = true;
        if (a[i].is_ds)
            weigh_ds(p, a[i].rdata, a[i].rdata_size);
        else if (a[i].rdata_size >= 4 && key_algorithm_supported(a[i].rdata[3]))
            p->usable = true;
        else if (!p->usable)
            p->unusable = REASON_ALGORITHM_UNSUPPORTED;
    }
    return p->anchors;
}

/* What the parent says. Fills p->ds with secure ones; else *ret_reason is the best that any DS came
 * to. */
static void parent_says(struct world *w, struct promise *p, struct trust *t, struct window *holds,
                        enum reason *ret_reason)
{
    struct zone *zone = p->zone;
    int64_t newest = INT64_MIN;
    *ret_reason = REASON_NONE;
    for (uint8_t i = 0; i < zone->dss; i++) {
        struct rrset *ds = zone->ds[i];
        enum reason reason = judge_rrset(w, ds, p->time_ns);
        if (reason == REASON_CHAIN && !ds->judged.wildcard) {
            p->ds[p->count++] = ds;
            t->up = (struct zone *)(uintptr_t)ds->judged.zone;
            narrow(holds, ds->judged.from_ns, ds->judged.until_ns);
            if (ds->last_seen_ns > newest)
                newest = ds->last_seen_ns;
            p->current |= fresh(ds, p->time_ns);
            uint16_t size;
            for (const uint8_t *r = NULL; (r = rrset_record(ds, r, &size)) != NULL;)
                weigh_ds(p, r, size);
        } else if (*ret_reason == REASON_NONE || weight(reason) > weight(*ret_reason)) {
            *ret_reason = reason;
            if (p->count == 0) {
                t->up = (struct zone *)(uintptr_t)ds->judged.zone;
                narrow(holds, ds->judged.from_ns, ds->judged.until_ns);
            }
        }
    }
    bool denied = zone->no_ds.reason != REASON_NONE && zone->no_ds.from_ns <= p->time_ns &&
                  p->time_ns <= zone->no_ds.until_ns;
    if (denied && zone->no_ds.seen_ns > newest) {
        p->count = 0;
        t->up = zone->no_ds.signer;
        narrow(holds, zone->no_ds.from_ns, zone->no_ds.until_ns);
        *ret_reason = zone->no_ds.reason;
    } else if (p->count == 0 && *ret_reason == REASON_NONE && zone->bad_ds.reason != REASON_NONE) {
        t->up = zone->bad_ds.signer;
        *ret_reason = zone->bad_ds.reason;
    } else if (p->count == 0 && *ret_reason == REASON_NONE && zone->inside) {
        t->up = zone->inside;
        *ret_reason = REASON_SIG_SIGNER; /* it signs as if it were a zone */
    }
}

/* Nothing from the parent was observed: what is known further up decides. */
static void trust_from_above(struct world *w, const struct promise *p, struct trust *t,
                             struct window *holds)
{
    struct zone *zone = p->zone;
    struct zone *above = name_is_root(zone->name) ? NULL : world_over(w, zone->name, true);
    t->missing = zone;
    t->births = w->births;
    if (!world_anchored(w, zone->name, p->time_ns, &holds->from_ns, &holds->until_ns)) {
        settle(t, TRUST_INSECURE, REASON_NO_ANCHOR);
        return;
    }
    settle(t, TRUST_UNKNOWN, REASON_DS_NOT_SEEN);
    if (above == NULL)
        return;
    const struct trust *their = judge_zone(w, above, p->time_ns);
    t->up = above;
    narrow(holds, their->from_ns, their->until_ns);
    if (their->state == TRUST_INSECURE || their->state == TRUST_BOGUS)
        settle(t, their->state, their->reason);
    else if (their->state == TRUST_UNKNOWN) {
        t->reason = their->reason;
        t->missing = their->missing;
    }
}

static void trust_only_declared(struct zone *zone, int64_t time_ns, struct trust *t)
{
    struct fact_baseline declared;
    if (zone->baseline == NULL || t->state == TRUST_BOGUS ||
        (t->state == TRUST_INSECURE && t->reason != REASON_NO_ANCHOR))
        return;
    baseline_describe(zone->baseline, zone->name, TYPE_DNSKEY, time_ns, &declared);
    bool usable = false;
    for (size_t i = 0; i < declared.expected.count; i++)
        usable |= usable_key(&declared.expected.rdata[i]);
    if (!usable)
        return;
    settle(t, TRUST_SECURE, REASON_CHAIN);
    t->pinned = t->only_pinned = true;
}

static void compute(struct world *w, struct zone *zone, int64_t time_ns, struct trust *t)
{
    struct promise p = {.zone = zone, .time_ns = time_ns, .unusable = REASON_DIGEST_UNSUPPORTED};
    struct window holds = always;
    enum reason said = REASON_NONE;
    t->births = 0;
    if (negative_over(w, zone->name, 0, time_ns, &holds.from_ns, &holds.until_ns)) {
        settle(t, TRUST_INSECURE, REASON_NEGATIVE_ANCHOR);
        t->from_ns = holds.from_ns;
        t->until_ns = holds.until_ns;
        return;
    }
    if (!anchors_at(w, &p, &holds))
        parent_says(w, &p, t, &holds, &said);
    if (p.anchors || p.count > 0) {
        if (p.usable) {
            trust_keys(w, &p, t, &holds);
            trust_declared(w, &p, t);
        } else {
            settle(t, TRUST_INSECURE, p.unusable);
        }
    } else if (said != REASON_NONE && reason_verdict(said) != VERDICT_SECURE) {
        settle(t, state_of(said), said);
        t->missing = t->up ? t->up->trust.missing : zone;
        if (t->missing == NULL)
            t->missing = zone;
    } else {
        trust_from_above(w, &p, t, &holds);
    }
    if (!p.anchors && p.count == 0)
        trust_only_declared(zone, time_ns, t);
    t->from_ns = holds.from_ns;
    t->until_ns = holds.until_ns;
}

static bool trust_current(struct world *w, struct zone *zone, int64_t time_ns)
{
    struct trust *t = &zone->trust;
    if (!t->done || t->observed != zone->observed || time_ns < t->from_ns ||
        time_ns > t->until_ns || (t->births && t->births != w->births))
        return false;
    if (t->reason == REASON_BUDGET && t->second != w->budget.second)
        return false; /* there is something to spend again */
    return t->up == NULL || t->up == zone ||
           judge_zone(w, t->up, time_ns)->version == t->up_version;
}

const struct trust *judge_zone(struct world *w, struct zone *zone, int64_t time_ns)
{
    if (trust_current(w, zone, time_ns))
        return &zone->trust;
    struct trust fresh_trust = {
        .done = true, .observed = zone->observed, .second = w->budget.second};
    compute(w, zone, time_ns, &fresh_trust);
    struct trust *t = &zone->trust;
    if (fresh_trust.up && fresh_trust.up != zone)
        fresh_trust.up_version = judge_zone(w, fresh_trust.up, time_ns)->version;
    bool same = t->done && t->state == fresh_trust.state && t->reason == fresh_trust.reason &&
                t->trusted == fresh_trust.trusted && t->pinned == fresh_trust.pinned &&
                t->only_pinned == fresh_trust.only_pinned && t->missing == fresh_trust.missing &&
                t->observed == fresh_trust.observed;
    fresh_trust.version = t->version + !same;
    *t = fresh_trust;
    return t;
}

bool judge_promised(struct world *w, struct zone *zone, int64_t time_ns)
{
    struct promise p = {.zone = zone, .time_ns = time_ns};
    struct trust ignored = {0};
    struct window holds = always;
    enum reason said;
    if (negative_over(w, zone->name, 0, time_ns, &holds.from_ns, &holds.until_ns))
        return false;
    if (anchors_at(w, &p, &holds))
        return p.usable;
    parent_says(w, &p, &ignored, &holds, &said);
    return p.count > 0 && p.usable;
}

struct zone *judge_enclosing(struct world *w, const uint8_t *name, bool above, int64_t time_ns,
                             const struct trust **ret)
{
    struct zone *zone = world_over(w, name, above);
    if (zone)
        *ret = judge_zone(w, zone, time_ns);
    return zone;
}

/* --- RRsets --- */

static unsigned owner_labels(const struct rrset *set)
{
    unsigned labels = name_labels(set->owner);
    return labels > 0 && name_is_wildcard(set->owner) ? labels - 1 : labels;
}

/* What can be said of a signature before any key is looked at; NONE if nothing is against it. */
static enum reason structure(const struct rrset *set, const struct signature *s)
{
    if (!name_within(set->owner, s->signer))
        return REASON_SIG_SIGNER;
    bool at_apex = name_equal(set->owner, s->signer);
    if ((set->type == TYPE_DS && at_apex) || (set->type == TYPE_DNSKEY && !at_apex))
        return REASON_SIG_SIGNER;
    if (s->labels > owner_labels(set))
        return REASON_SIG_LABELS;
    return REASON_NONE;
}

/* The newest DNSKEY RRset we trust: while it may still be cached, a key it lacks is really unknown.
 */
static bool keys_current(const struct zone *zone, const struct trust *t, int64_t time_ns,
                         struct window *holds)
{
    bool current = false;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        const struct rrset *set = zone->dnskey[i];
        if ((t->trusted >> i & 1) && fresh(set, time_ns)) {
            narrow(holds, INT64_MIN, fresh_until(set));
            current = true;
        }
    }
    return current;
}

static struct attempt attempt_zone(struct world *w, struct zone *zone, const struct trust *t,
                                   struct rrset *set, struct signature *s, int64_t time_ns,
                                   struct window *holds)
{
    struct attempt best = {REASON_NONE, false};
    bool all =
        t->state == TRUST_BOGUS; /* no key is trusted: learn at least what the signature is */
    for (uint8_t i = 0; i < zone->dnskeys && best.reason != REASON_CHAIN; i++)
        if (all || (t->trusted >> i & 1))
            attempt_set(w, zone, set, s, zone->dnskey[i], time_ns, holds, &best);
    if (best.reason != REASON_CHAIN && t->pinned && zone->baseline &&
        (t->only_pinned || zone->dnskeys == 0))
        attempt_pinned(w, zone, set, s, time_ns, holds, &best);
    return best;
}

/* One signature under a zone whose keys we trust. */
static enum reason judge_secure(struct world *w, struct zone *zone, const struct trust *t,
                                struct rrset *set, struct signature *s, int64_t time_ns,
                                struct window *holds)
{
    struct window mine = always;
    struct attempt best = attempt_zone(w, zone, t, set, s, time_ns, &mine);
    enum reason reason = best.reason;
    if (!key_algorithm_supported(s->algorithm)) {
        reason = REASON_SIG_MISSING; /* as if it were not there (RFC 4035 5.2, RFC 6840 5.2) */
    } else if (reason == REASON_NONE) {
        if (t->only_pinned)
            reason = REASON_DS_NOT_SEEN;
        else
            reason =
                keys_current(zone, t, time_ns, &mine) ? REASON_KEY_UNKNOWN : REASON_CHAIN_STALE;
    }
    narrow(holds, mine.from_ns, mine.until_ns);
    return reason;
}

static bool is_dnskey_of(const struct rrset *set, const struct zone *zone, uint8_t *ret_index)
{
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        if (zone->dnskey[i] == set) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

/* Is there a signed zone between the insecure one that a signature names and the RRset? Then
 * whoever made it is not the RRset's zone (RFC 4035 5.3.1), and cannot make it insecure: a trust
 * anchor below an unsigned root must not be worth less than one at the root. */
static bool signed_below(struct world *w, const struct rrset *set, const struct zone *named,
                         int64_t time_ns, struct window *holds, struct zone **ret_zone)
{
    const struct trust *t = NULL;
    bool above = set->type == TYPE_DS && !name_is_root(set->owner);
    struct zone *zone = judge_enclosing(w, set->owner, above, time_ns, &t);
    if (zone == NULL || zone->name_size <= named->name_size || t->state == TRUST_INSECURE)
        return false;
    narrow(holds, t->from_ns, t->until_ns);
    *ret_zone = zone;
    return true;
}

static enum reason judge_one(struct world *w, struct rrset *set, struct signature *s,
                             int64_t time_ns, struct window *holds, struct zone **ret_zone)
{
    const uint8_t *off =
        negative_over(w, set->owner, set->type, time_ns, &holds->from_ns, &holds->until_ns);
    if (off) {
        *ret_zone = world_zone(w, off);
        return REASON_NEGATIVE_ANCHOR;
    }
    enum reason reason = structure(set, s);
    if (reason != REASON_NONE)
        return reason;
    struct zone *zone = world_zone(w, s->signer);
    if (zone == NULL)
        return REASON_BUDGET;
    *ret_zone = zone;
    const struct trust *t = judge_zone(w, zone, time_ns);
    narrow(holds, t->from_ns, t->until_ns);
    uint8_t index;
    if (set->type == TYPE_DNSKEY && is_dnskey_of(set, zone, &index)) {
        /* The zone's own keys: trusted as a set or not at all. */
        if (t->state != TRUST_SECURE || (t->trusted >> index & 1))
            return t->reason;
        if (t->only_pinned)
            return judge_secure(w, zone, t, set, s, time_ns, holds);
        struct promise p = {.zone = zone, .time_ns = time_ns};
        enum reason said;
        struct trust ignored = {0};
        struct window mine;
        if (!anchors_at(w, &p, holds))
            parent_says(w, &p, &ignored, holds, &said);
        reason = check_dnskey(w, &p, set, &mine);
        narrow(holds, mine.from_ns, mine.until_ns);
        return reason;
    }
    if (t->state == TRUST_INSECURE && signed_below(w, set, zone, time_ns, holds, ret_zone))
        return REASON_SIG_SIGNER;
    if (t->state != TRUST_SECURE)
        return t->reason;
    return judge_secure(w, zone, t, set, s, time_ns, holds);
}

static bool judgement_holds(struct world *w, const struct rrset *set, int64_t time_ns)
{
    if (!set->judged.done || time_ns < set->judged.from_ns || time_ns > set->judged.until_ns)
        return false;
    struct zone *zone = (struct zone *)(uintptr_t)set->judged.zone;
    return zone == NULL || judge_zone(w, zone, time_ns)->version == set->judged.version;
}

enum reason judge_rrset(struct world *w, struct rrset *set, int64_t time_ns)
{
    if (judgement_holds(w, set, time_ns))
        return set->judged.reason;
    enum reason best = REASON_SIG_MISSING;
    struct window best_holds = always;
    struct zone *best_zone = NULL;
    uint8_t by = 0;
    for (uint8_t i = 0; i < set->signatures && best != REASON_CHAIN; i++) {
        struct window holds = always;
        struct zone *zone = NULL;
        enum reason reason = judge_one(w, set, &set->signature[i], time_ns, &holds, &zone);
        if (i == 0 || weight(reason) > weight(best)) {
            best = reason;
            best_holds = holds;
            best_zone = zone;
            by = i;
        }
    }
    if (best != REASON_CHAIN && reason_verdict(best) == VERDICT_BOGUS && set->more_signatures) {
        best = REASON_BUDGET;
        world_exhausted(w, BUDGET_COLLISIONS);
    }
    set->judged.done = best != REASON_BUDGET;
    set->judged.reason = best;
    set->judged.zone = best_zone;
    set->judged.version = best_zone ? judge_zone(w, best_zone, time_ns)->version : 0;
    set->judged.from_ns = best_holds.from_ns;
    set->judged.until_ns = best_holds.until_ns;
    set->judged.by = by;
    set->judged.wildcard = set->signatures && set->signature[by].labels < owner_labels(set);
    return best;
}

struct key *judge_next_check(struct world *w, struct rrset *set, struct signature **ret_signature)
{
    if (set->judged.done)
        return NULL;
    for (uint8_t i = 0; i < set->signatures; i++) {
        struct signature *s = &set->signature[i];
        if (s->checks || s->queued)
            return NULL;
        if (structure(set, s) != REASON_NONE || !key_signature_size_ok(s->algorithm, s->bytes_size))
            continue;
        struct zone *zone = world_find(w, s->signer);
        if (zone == NULL || !zone->trust.done || zone->trust.state != TRUST_SECURE)
            return NULL;
        uint16_t size;
        for (uint8_t v = 0; v < zone->dnskeys; v++) {
            if (!(zone->trust.trusted >> v & 1))
                continue;
            for (const uint8_t *r = NULL; (r = rrset_record(zone->dnskey[v], r, &size));) {
                if (size < 4 || r[3] != s->algorithm || key_tag(r, size) != s->tag)
                    continue;
                struct key *key = world_key(w, zone, r, size);
                if (key == NULL || key->malformed || key_usable(key) != REASON_NONE)
                    continue;
                *ret_signature = s;
                return key;
            }
        }
    }
    return NULL;
}

bool judge_signed_with(struct world *w, struct rrset *set, const uint8_t *key_rdata, uint16_t size)
{
    for (uint8_t i = 0; size >= 4 && i < set->signatures; i++) {
        struct signature *s = &set->signature[i];
        if (s->algorithm != key_rdata[3] || s->tag != key_tag(key_rdata, size) ||
            structure(set, s) != REASON_NONE)
            continue;
        struct zone *zone = world_zone(w, s->signer);
        struct key *key = zone ? world_key(w, zone, key_rdata, size) : NULL;
        if (key && crypto(w, set, s, key) == REASON_NONE)
            return true;
    }
    return false;
}

static enum signature_state state_of_signature(const struct trust *t, enum reason reason)
{
    switch (reason) {
    case REASON_CHAIN:
        return SIGNATURE_VALID;
    case REASON_SIG_BAD:
        return SIGNATURE_BAD;
    case REASON_SIG_EXPIRED:
        return SIGNATURE_EXPIRED;
    case REASON_SIG_FUTURE:
        return SIGNATURE_FUTURE;
    case REASON_SIG_MALFORMED:
    case REASON_SIG_INVERTED:
        return SIGNATURE_MALFORMED;
    case REASON_KEY_UNKNOWN:
        return t->state == TRUST_SECURE ? SIGNATURE_KEY_UNKNOWN : SIGNATURE_UNCHECKED;
    default:
        return SIGNATURE_UNCHECKED;
    }
}

void judge_signature(struct world *w, struct rrset *set, struct signature *s, int64_t time_ns,
                     struct fact_signature *ret)
{
    *ret = (struct fact_signature){.state = SIGNATURE_UNCHECKED,
                                   .signer = s->signer,
                                   .covered = set->type,
                                   .tag = s->tag,
                                   .algorithm = s->algorithm,
                                   .labels = s->labels,
                                   .original_ttl = s->original_ttl,
                                   .inception = judge_time(s->inception, time_ns),
                                   .expiration = judge_time(s->expiration, time_ns)};
    struct zone *zone = name_within(set->owner, s->signer) ? world_zone(w, s->signer) : NULL;
    if (zone == NULL)
        return;
    const struct trust *t = judge_zone(w, zone, time_ns);
    if (t->state == TRUST_UNKNOWN || t->state == TRUST_INSECURE)
        return;
    struct window ignored = always;
    struct attempt best;
    if (set->type == TYPE_DNSKEY) {
        /* A DNSKEY RRset is signed by its own keys; whether they are trusted is the chain's matter.
         */
        best = (struct attempt){REASON_NONE, false};
        attempt_set(w, zone, set, s, set, time_ns, &ignored, &best);
    } else {
        best = attempt_zone(w, zone, t, set, s, time_ns, &ignored);
    }
    enum reason reason = best.reason;
    if (reason == REASON_NONE && key_algorithm_supported(s->algorithm) &&
        keys_current(zone, t, time_ns, &ignored))
        reason = REASON_KEY_UNKNOWN;
    ret->verifies = best.verifies;
    ret->state = state_of_signature(t, reason);
    ret->only_one = judge_rrset(w, set, time_ns) != REASON_CHAIN;
}

static size_t put_frames(const struct rrset *set, uint64_t *out, size_t at, size_t room)
{
    for (uint8_t i = 0; i < set->frame_count && at < room; i++)
        out[at++] = set->frames[i];
    return at;
}

size_t judge_chain_frames(const struct world *w, const struct zone *zone, uint64_t *ret_frames,
                          size_t room)
{
    size_t at = 0;
    (void)w;
    for (unsigned depth = 0; zone && depth < NAME_MAX_LABELS; depth++) {
        bool any = false;
        for (uint8_t i = 0; i < zone->dnskeys; i++) {
            if (zone->trust.trusted >> i & 1 || (!zone->trust.trusted && !any)) {
                at = put_frames(zone->dnskey[i], ret_frames, at, room);
                any = true;
            }
        }
        for (uint8_t i = 0; i < zone->dss; i++)
            at = put_frames(zone->ds[i], ret_frames, at, room);
        for (size_t i = 0; i < PROOF_SETS_MAX && zone->no_ds.proof[i]; i++)
            at = put_frames(zone->no_ds.proof[i], ret_frames, at, room);
        if (zone->trust.up == zone)
            break;
        zone = zone->trust.up;
    }
    return at;
}
