/*
 * trust: what a zone's keys are worth.
 *
 * Contained in: analyze, tests. The recursion goes from a zone to the signer of its DS, whose name
 * is strictly shorter, so it ends after at most 127 steps; in practice after three.
 */
#include "analyze/validate/trust.h"

#include "analyze/canon.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/negative.h"

#include <string.h>

/* --- DS and anchors against the DNSKEY RRset --- */

struct promise { /* what says which keys of the zone may be trusted */
    struct zone *zone;
    int64_t time_ns;
    bool anchors;                    /* else ds[] */
    struct rrset *ds[ZONE_VARIANTS]; /* judged secure */
    size_t count;
    size_t newest;   /* of ds[]: what the parent gives now */
    int64_t from_ns; /* since when it does; INT64_MIN: it was never seen to give anything else */
    int64_t gone_ns; /* when the last of the others has left the caches */
    bool lapsed;     /* one has */
    /* Bit i: in ds[i], bit 0: among the anchors, */
    uint8_t usable;       /* at least one names an algorithm and a digest that we implement */
    uint8_t strong;       /* and has a SHA-2 digest: SHA-1 does not count beside it (RFC 4509 3) */
    enum reason unusable; /* why not */
    bool current;         /* an anchor, or a DS RRset that may still be cached */
};

/* `set`: which one the record is of. What was published at another time has no say in it. */
static void weigh_ds(struct promise *p, size_t set, const uint8_t *ds, uint16_t size)
{
    /* A digest of the wrong length is still a promise, only one that no key can keep. */
    if (size < 4)
        return;
    bool algorithm = key_algorithm_supported(ds[2]), digest = key_digest_size(ds[3]) != 0;
    if (algorithm && digest) {
        p->usable |= (uint8_t)(1u << set);
        p->strong |= (uint8_t)((ds[3] != 1) << set);
    } else if (!(p->usable >> set & 1)) {
        p->unusable = algorithm ? REASON_DIGEST_UNSUPPORTED : REASON_ALGORITHM_UNSUPPORTED;
    }
}

static bool names_key(const struct promise *p, size_t set, const uint8_t *ds, uint16_t ds_size,
                      const uint8_t *key, uint16_t key_size)
{
    if (ds_size >= 4 && ds[3] == 1 && (p->strong >> set & 1))
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
            if (a[i].is_ds ? names_key(p, 0, a[i].rdata, a[i].rdata_size, key, key_size)
                           : a[i].rdata_size == key_size && memcmp(a[i].rdata, key, key_size) == 0)
                return true;
        }
        return false;
    }
    uint16_t size;
    for (size_t i = 0; i < p->count; i++)
        for (const uint8_t *ds = NULL; (ds = rrset_record(p->ds[i], ds, &size)) != NULL;)
            if (names_key(p, i, ds, size, key, key_size))
                return true;
    return false;
}

/* Is the DNSKEY RRset signed by a key that the promise names? CHAIN, or the best reason why not. */
static enum reason check_dnskey(struct world *w, const struct promise *p, struct rrset *set,
                                struct window *ret_holds)
{
    bool any_match = false;
    enum reason best = REASON_NONE;
    *ret_holds = WINDOW_ALWAYS;
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
            struct window holds = WINDOW_ALWAYS;
            attempt_key(w, p->zone, set, s, key, size, p->time_ns, &holds, &attempt);
            if (attempt.reason != REASON_NONE &&
                (best == REASON_NONE || attempt_weight(attempt.reason) > attempt_weight(best))) {
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

/* Did the zone deny having keys under this promise? What an unsigned zone denied before it got its
 * DS was right then. */
static bool keys_denied(const struct promise *p)
{
    const struct zone *zone = p->zone;
    if (zone->no_dnskey_ns == INT64_MIN || zone->no_ds.reason == REASON_NONE)
        return zone->no_dnskey_ns != INT64_MIN;
    bool under = p->anchors;
    for (size_t i = 0; i < p->count; i++)
        under |= zone->no_dnskey_ns >= p->ds[i]->first_seen_ns;
    return under;
}

/* What came of the newest DS RRset, where another was seen before: it names keys that were not
 * observed yet, or keys that the zone was since seen not to have. */
static void trust_newest(struct world *w, const struct promise *p, struct trust *t,
                         struct window *holds)
{
    struct zone *zone = p->zone;
    if (p->anchors || p->from_ns == INT64_MIN)
        return;
    struct promise newest = *p;
    bool seen_since = false;
    newest.ds[0] = p->ds[p->newest];
    newest.count = 1;
    newest.strong = p->strong >> p->newest & 1;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        struct window ignored;
        bool since = attempt_given(zone->dnskey[i]) > p->from_ns;
        seen_since |= since;
        if (!since && !attempt_current(w, zone->dnskey[i], p->time_ns))
            continue;
        if (check_dnskey(w, &newest, zone->dnskey[i], &ignored) != REASON_CHAIN)
            continue;
        if (!since)
            attempt_narrow(holds, INT64_MIN, attempt_current_until(w, zone->dnskey[i]));
        return;
    }
    t->unseen = !seen_since;
    t->orphaned = seen_since;
    t->gone_ns = p->gone_ns;
}

/* The keys: which observed DNSKEY RRsets the promise vouches for. */
static void trust_keys(struct world *w, const struct promise *p, struct trust *t,
                       struct window *holds)
{
    struct zone *zone = p->zone;
    enum reason worst = REASON_NONE;
    bool any_current = false;
    struct window bad = WINDOW_ALWAYS;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        struct window mine;
        enum reason reason = check_dnskey(w, p, zone->dnskey[i], &mine);
        if (reason == REASON_CHAIN) {
            t->trusted |= (uint8_t)(1u << i);
            attempt_narrow(holds, mine.from_ns, mine.until_ns);
        } else {
            if (worst == REASON_NONE || attempt_weight(reason) > attempt_weight(worst))
                worst = reason;
            attempt_narrow(&bad, mine.from_ns, mine.until_ns);
            any_current |= attempt_current(w, zone->dnskey[i], p->time_ns);
            attempt_before(w, zone->dnskey[i], p->time_ns, &bad);
        }
    }
    t->missing = zone;
    t->pinned = zone->baseline != NULL;
    trust_newest(w, p, t, holds);
    if (t->trusted) {
        settle(t, TRUST_SECURE, REASON_CHAIN);
    } else if (zone->dnskeys == 0) {
        bool denied = keys_denied(p);
        settle(t, denied ? TRUST_BOGUS : TRUST_UNKNOWN,
               denied ? zone->no_dnskey : REASON_DNSKEY_NOT_SEEN);
    } else {
        attempt_narrow(holds, bad.from_ns, bad.until_ns);
        if (worst == REASON_BUDGET)
            settle(t, TRUST_UNKNOWN, REASON_BUDGET);
        else if (any_current && !t->unseen && p->current)
            settle(t, TRUST_BOGUS, worst);
        else
            settle(t, TRUST_UNKNOWN, REASON_CHAIN_STALE);
    }
}

/* Declared keys stand in for what was not observed. */
static void stand_in(struct trust *t)
{
    t->unproven = t->reason;
    settle(t, TRUST_SECURE, REASON_CHAIN);
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
            stand_in(t);
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
            weigh_ds(p, 0, a[i].rdata, a[i].rdata_size);
        else if (a[i].rdata_size >= 4 && key_algorithm_supported(a[i].rdata[3]))
            p->usable = 1;
        else if (!p->usable)
            p->unusable = REASON_ALGORITHM_UNSUPPORTED;
    }
    return p->anchors;
}

/* When a DS RRset that was replaced has left every cache: a TTL after the first sight of any that
 * came later; INT64_MAX: none did. */
static int64_t gone_from_caches(const struct promise *p, size_t i)
{
    int64_t replaced_ns = INT64_MAX, given_ns = attempt_given(p->ds[i]);
    for (size_t k = 0; k < p->count; k++) {
        const struct rrset *later = p->ds[k];
        int64_t at_ns =
            later->first_seen_ns > given_ns ? later->first_seen_ns : attempt_given(later);
        if (attempt_given(later) > given_ns && at_ns < replaced_ns)
            replaced_ns = at_ns;
    }
    int64_t ttl_ns = p->ds[i]->current_ns - given_ns;
    return replaced_ns > INT64_MAX - ttl_ns ? INT64_MAX : replaced_ns + ttl_ns;
}

/* Of the DS RRsets that were seen, each counts while it can be in a cache, and the newest. */
static void keep_current(const struct world *w, struct promise *p, struct window *holds)
{
    int64_t gone_ns[ZONE_VARIANTS];
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++)
        if (attempt_given(p->ds[i]) >= attempt_given(p->ds[p->newest]))
            p->newest = i;
    const struct rrset *newest = p->zone->newest_ds = p->ds[p->newest];
    p->from_ns = p->zone->no_ds.reason != REASON_NONE ? p->zone->no_ds.seen_ns : INT64_MIN;
    for (size_t i = 0; i < p->count; i++) {
        gone_ns[i] = w->settings->at == AT_FIXED ? INT64_MAX : gone_from_caches(p, i);
        if (p->ds[i] != newest && attempt_given(p->ds[i]) > p->from_ns)
            p->from_ns = attempt_given(p->ds[i]);
    }
    if (p->from_ns > INT64_MIN && newest->first_seen_ns > p->from_ns)
        p->from_ns = newest->first_seen_ns;
    for (size_t i = 0; i < p->count; i++) {
        if (p->ds[i] != newest && p->time_ns > gone_ns[i]) {
            attempt_narrow(holds, gone_ns[i] + 1, INT64_MAX);
            p->lapsed = true;
            continue;
        }
        if (p->ds[i] != newest) {
            attempt_narrow(holds, INT64_MIN, gone_ns[i]);
            p->gone_ns = gone_ns[i] > p->gone_ns ? gone_ns[i] : p->gone_ns;
        }
        p->ds[kept++] = p->ds[i];
    }
    p->count = kept;
    for (size_t i = 0; i < kept; i++)
        if (p->ds[i] == newest)
            p->newest = i;
}

/* The newest last: if nothing of it is usable, that is why the zone is insecure. */
static void weigh_each(struct world *w, struct promise *p)
{
    for (size_t n = 1; n <= p->count; n++) {
        size_t i = (p->newest + n) % p->count;
        uint16_t size;
        p->current |= attempt_current(w, p->ds[i], p->time_ns);
        for (const uint8_t *r = NULL; (r = rrset_record(p->ds[i], r, &size)) != NULL;)
            weigh_ds(p, i, r, size);
    }
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
            attempt_narrow(holds, ds->judged.from_ns, ds->judged.until_ns);
            if (ds->last_seen_ns > newest)
                newest = ds->last_seen_ns;
        } else if (*ret_reason == REASON_NONE ||
                   attempt_weight(reason) > attempt_weight(*ret_reason)) {
            *ret_reason = reason;
            if (p->count == 0) {
                t->up = (struct zone *)(uintptr_t)ds->judged.zone;
                attempt_narrow(holds, ds->judged.from_ns, ds->judged.until_ns);
            }
        }
    }
    if (p->count > 0) {
        keep_current(w, p, holds);
        t->lapsed = p->lapsed;
        weigh_each(w, p);
    }
    bool denied = zone->no_ds.reason != REASON_NONE && zone->no_ds.from_ns <= p->time_ns &&
                  p->time_ns <= zone->no_ds.until_ns;
    if (denied && zone->no_ds.seen_ns > newest) {
        p->count = 0;
        t->up = zone->no_ds.signer;
        attempt_narrow(holds, zone->no_ds.from_ns, zone->no_ds.until_ns);
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
    const struct trust *their = trust_zone(w, above, p->time_ns);
    t->up = above;
    attempt_narrow(holds, their->from_ns, their->until_ns);
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
    stand_in(t);
    t->pinned = t->only_pinned = true;
}

/* What rests on a zone above for which declared keys stand in is proven no better, and what has to
 * be observed first is up there. */
static void inherit(struct world *w, const struct zone *zone, int64_t time_ns, struct trust *t)
{
    if (t->state == TRUST_UNKNOWN || t->up == NULL || t->up == zone)
        return;
    const struct trust *their = trust_zone(w, t->up, time_ns);
    if (their->unproven == REASON_NONE)
        return;
    t->unproven = their->unproven;
    t->missing = their->missing;
}

static void compute(struct world *w, struct zone *zone, int64_t time_ns, struct trust *t)
{
    struct promise p = {.zone = zone, .time_ns = time_ns, .unusable = REASON_DIGEST_UNSUPPORTED};
    struct window holds = WINDOW_ALWAYS;
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
        if (p.usable >> p.newest & 1) {
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
    inherit(w, zone, time_ns, t);
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
           trust_zone(w, t->up, time_ns)->version == t->up_version;
}

const struct trust *trust_zone(struct world *w, struct zone *zone, int64_t time_ns)
{
    if (trust_current(w, zone, time_ns))
        return &zone->trust;
    struct trust fresh_trust = {
        .done = true, .observed = zone->observed, .second = w->budget.second};
    compute(w, zone, time_ns, &fresh_trust);
    struct trust *t = &zone->trust;
    if (fresh_trust.up && fresh_trust.up != zone)
        fresh_trust.up_version = trust_zone(w, fresh_trust.up, time_ns)->version;
    bool same = t->done && t->state == fresh_trust.state && t->reason == fresh_trust.reason &&
                t->trusted == fresh_trust.trusted && t->pinned == fresh_trust.pinned &&
                t->only_pinned == fresh_trust.only_pinned && t->missing == fresh_trust.missing &&
                t->unproven == fresh_trust.unproven && t->unseen == fresh_trust.unseen &&
                t->orphaned == fresh_trust.orphaned && t->observed == fresh_trust.observed;
    fresh_trust.version = t->version + !same;
    *t = fresh_trust;
    return t;
}

enum reason trust_told(const struct trust *t, enum reason reason)
{
    enum verdict_kind verdict = reason_verdict(reason);
    if (t->unproven == REASON_NONE || verdict == VERDICT_INDETERMINATE ||
        verdict == VERDICT_NOT_CHECKABLE || reason == REASON_SIG_SIGNER)
        return reason;
    return t->unproven;
}

bool trust_promised(struct world *w, struct zone *zone, int64_t time_ns)
{
    struct promise p = {.zone = zone, .time_ns = time_ns};
    struct trust ignored = {0};
    struct window holds = WINDOW_ALWAYS;
    enum reason said;
    if (negative_over(w, zone->name, 0, time_ns, &holds.from_ns, &holds.until_ns))
        return false;
    if (anchors_at(w, &p, &holds))
        return p.usable != 0;
    parent_says(w, &p, &ignored, &holds, &said);
    return p.count > 0 && (p.usable >> p.newest & 1);
}

bool trust_broken(const struct zone *zone)
{
    for (const struct zone *below = NULL; zone && zone != below; zone = zone->trust.up) {
        if (zone->trust.state == TRUST_BOGUS || zone->trust.orphaned)
            return true;
        below = zone;
    }
    return false;
}

struct zone *trust_enclosing(struct world *w, const uint8_t *name, bool above, int64_t time_ns,
                             const struct trust **ret)
{
    struct zone *zone = world_over(w, name, above);
    if (zone)
        *ret = trust_zone(w, zone, time_ns);
    return zone;
}

enum reason trust_dnskey(struct world *w, struct zone *zone, struct rrset *set, int64_t time_ns,
                         struct window *holds)
{
    struct promise p = {.zone = zone, .time_ns = time_ns};
    struct trust ignored = {0};
    struct window mine;
    enum reason said;
    if (!anchors_at(w, &p, holds))
        parent_says(w, &p, &ignored, holds, &said);
    enum reason reason = check_dnskey(w, &p, set, &mine);
    attempt_narrow(holds, mine.from_ns, mine.until_ns);
    return reason;
}
