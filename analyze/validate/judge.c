/*
 * judge: verdicts on RRsets and on single signatures.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/validate/judge.h"

#include "analyze/canon.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/negative.h"
#include "analyze/validate/trust.h"

#include <string.h>

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
static bool keys_current(const struct world *w, const struct zone *zone, const struct trust *t,
                         int64_t time_ns, struct window *holds)
{
    bool current = false;
    if (t->unseen)
        return false;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        const struct rrset *set = zone->dnskey[i];
        if ((t->trusted >> i & 1) && attempt_current(w, set, time_ns)) {
            attempt_narrow(holds, attempt_current_from(w, set), attempt_current_until(w, set));
            current = true;
        } else if (t->trusted >> i & 1) {
            attempt_before(w, set, time_ns, holds);
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
    /* A declared key can vouch for what it signed. That it did not sign this says nothing while the
     * zone's own DNSKEY RRset may have another key with its tag. */
    if (best.reason == REASON_SIG_BAD && zone->dnskeys == 0)
        best.reason = REASON_NONE;
    return best;
}

/* One signature under a zone whose keys we trust. */
static enum reason judge_secure(struct world *w, struct zone *zone, const struct trust *t,
                                struct rrset *set, struct signature *s, int64_t time_ns,
                                struct window *holds)
{
    struct window mine = WINDOW_ALWAYS;
    struct attempt best = attempt_zone(w, zone, t, set, s, time_ns, &mine);
    enum reason reason = best.reason;
    if (!key_algorithm_supported(s->algorithm)) {
        reason = REASON_SIG_MISSING; /* as if it were not there (RFC 4035 5.2, RFC 6840 5.2) */
    } else if (reason == REASON_NONE) {
        if (t->only_pinned)
            reason = REASON_DS_NOT_SEEN;
        else
            reason =
                keys_current(w, zone, t, time_ns, &mine) ? REASON_KEY_UNKNOWN : REASON_CHAIN_STALE;
    }
    attempt_narrow(holds, mine.from_ns, mine.until_ns);
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
    struct zone *zone = trust_enclosing(w, set->owner, above, time_ns, &t);
    if (zone == NULL || zone->name_size <= named->name_size || t->state == TRUST_INSECURE)
        return false;
    attempt_narrow(holds, t->from_ns, t->until_ns);
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
    const struct trust *t = trust_zone(w, zone, time_ns);
    attempt_narrow(holds, t->from_ns, t->until_ns);
    uint8_t index;
    if (set->type == TYPE_DNSKEY && is_dnskey_of(set, zone, &index)) {
        /* The zone's own keys: trusted as a set or not at all. */
        if (t->state != TRUST_SECURE || (t->trusted >> index & 1))
            return t->reason;
        if (t->only_pinned)
            return judge_secure(w, zone, t, set, s, time_ns, holds);
        return trust_dnskey(w, zone, set, time_ns, holds);
    }
    if (t->state == TRUST_INSECURE && signed_below(w, set, zone, time_ns, holds, ret_zone))
        return REASON_SIG_SIGNER;
    if (t->state != TRUST_SECURE)
        return t->reason;
    return judge_secure(w, zone, t, set, s, time_ns, holds);
}

static bool judgement_holds(struct world *w, const struct rrset *set, int64_t time_ns)
{
    if (!set->judged.done && set->judged.reason == REASON_BUDGET &&
        set->judged.message == w->budget.message)
        return true; /* what was lacking a moment ago is lacking still */
    if (!set->judged.done || time_ns < set->judged.from_ns || time_ns > set->judged.until_ns)
        return false;
    struct zone *zone = (struct zone *)(uintptr_t)set->judged.zone;
    return zone == NULL || trust_zone(w, zone, time_ns)->version == set->judged.version;
}

/* It was sound and is not judged so any more: until when caches may hold it that validated it. */
static void note_sound(struct rrset *set, int64_t time_ns)
{
    if (!set->judged.done || set->judged.reason != REASON_CHAIN || set->judged.outlived)
        return;
    const struct signature *s = &set->signature[set->judged.by];
    int64_t last_ns = set->judged.until_ns < time_ns ? set->judged.until_ns : time_ns;
    int64_t until_ns = last_ns + (int64_t)s->original_ttl * 1000000000;
    int64_t expires_ns = attempt_time(s->expiration, time_ns) * 1000000000;
    set->sound_ns = until_ns < expires_ns ? until_ns : expires_ns;
}

/* Keys and DS that have gone take nothing from what was validated with them and is cached. */
static bool outlives_keys(const struct rrset *set, const struct zone *zone, enum reason reason,
                          int64_t time_ns)
{
    return zone && zone->trust.lapsed && time_ns <= set->sound_ns && set->type != TYPE_DNSKEY &&
           set->type != TYPE_DS &&
           (reason == REASON_KEY_UNKNOWN || reason == REASON_DS_MISMATCH ||
            reason == REASON_DNSKEY_UNSIGNED);
}

enum reason judge_rrset(struct world *w, struct rrset *set, int64_t time_ns)
{
    if (judgement_holds(w, set, time_ns))
        return set->judged.reason;
    note_sound(set, time_ns);
    enum reason best = REASON_SIG_MISSING;
    struct window best_holds = WINDOW_ALWAYS;
    struct zone *best_zone = NULL;
    uint8_t by = 0;
    for (uint8_t i = 0; i < set->signatures && best != REASON_CHAIN; i++) {
        struct window holds = WINDOW_ALWAYS;
        struct zone *zone = NULL;
        enum reason reason = judge_one(w, set, &set->signature[i], time_ns, &holds, &zone);
        if (i == 0 || attempt_weight(reason) > attempt_weight(best)) {
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
    set->judged.outlived = outlives_keys(set, best_zone, best, time_ns);
    if (set->judged.outlived) {
        best = REASON_CHAIN;
        by = set->judged.by;
        attempt_narrow(&best_holds, INT64_MIN, set->sound_ns);
    }
    set->judged.done = best != REASON_BUDGET;
    set->judged.message = w->budget.message;
    set->judged.reason = best;
    set->judged.zone = best_zone;
    set->judged.version = best_zone ? trust_zone(w, best_zone, time_ns)->version : 0;
    set->judged.from_ns = best_holds.from_ns;
    set->judged.until_ns = best_holds.until_ns;
    set->judged.by = by;
    set->judged.wildcard = set->signatures && set->signature[by].labels < owner_labels(set);
    return best;
}

struct key *judge_next_check(struct world *w, struct rrset *set, struct signature **ret_signature,
                             struct zone **ret_zone)
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
                if (key == NULL || key->malformed || attempt_usable(key) != REASON_NONE)
                    continue;
                *ret_signature = s;
                *ret_zone = zone;
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
        if (key && attempt_crypto(w, zone, set, s, key) == REASON_NONE)
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

static bool has_algorithm(const struct zone *zone, uint8_t algorithm)
{
    uint16_t size;
    for (uint8_t i = 0; i < zone->dnskeys; i++)
        for (const uint8_t *r = NULL; (zone->trust.trusted >> i & 1) &&
                                      (r = rrset_record(zone->dnskey[i], r, &size)) != NULL;)
            if (size >= 4 && r[3] == algorithm)
                return true;
    return false;
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
                                   .inception = attempt_time(s->inception, time_ns),
                                   .expiration = attempt_time(s->expiration, time_ns)};
    struct zone *zone = name_within(set->owner, s->signer) ? world_zone(w, s->signer) : NULL;
    if (zone == NULL)
        return;
    const struct trust *t = trust_zone(w, zone, time_ns);
    if (t->state == TRUST_UNKNOWN || t->state == TRUST_INSECURE)
        return;
    struct window ignored = WINDOW_ALWAYS;
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
        keys_current(w, zone, t, time_ns, &ignored))
        reason = REASON_KEY_UNKNOWN;
    ret->verifies = best.verifies;
    ret->state = state_of_signature(t, reason);
    ret->only_one = judge_rrset(w, set, time_ns) != REASON_CHAIN;
    ret->foreign = reason == REASON_KEY_UNKNOWN && !has_algorithm(zone, s->algorithm);
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
