/*
 * attempt: one signature against one key, at one packet time.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/validate/attempt.h"

#include "analyze/canon.h"

#define SECOND_NS 1000000000ll

/* --- time --- */

int64_t attempt_time(uint32_t wire, int64_t time_ns)
{
    int64_t now = time_ns / SECOND_NS;
    return now + (int32_t)(wire - (uint32_t)now);
}

void attempt_narrow(struct window *w, int64_t from_ns, int64_t until_ns)
{
    if (from_ns > w->from_ns)
        w->from_ns = from_ns;
    if (until_ns < w->until_ns)
        w->until_ns = until_ns;
}

static struct window validity(const struct world *w, const struct signature *s, int64_t time_ns)
{
    int64_t skew = (int64_t)w->settings->skew_seconds;
    return (struct window){(attempt_time(s->inception, time_ns) - skew) * SECOND_NS,
                           (attempt_time(s->expiration, time_ns) + skew) * SECOND_NS + SECOND_NS -
                               1};
}

/* NONE inside the window; otherwise what is wrong, and *ret_holds narrowed to the times at which it
 * is. */
enum reason attempt_in_time(const struct world *w, const struct signature *s, int64_t time_ns,
                            struct window *holds)
{
    struct window valid = validity(w, s, time_ns);
    if (valid.until_ns < valid.from_ns)
        return REASON_SIG_INVERTED;
    if (time_ns < valid.from_ns) {
        attempt_narrow(holds, INT64_MIN, valid.from_ns - 1);
        return REASON_SIG_FUTURE;
    }
    if (time_ns > valid.until_ns) {
        attempt_narrow(holds, valid.until_ns + 1, INT64_MAX);
        return REASON_SIG_EXPIRED;
    }
    attempt_narrow(holds, valid.from_ns, valid.until_ns);
    /* The judgement is made again when the signature enters its last hours: the rules want to know.
     */
    int64_t last_hours = valid.until_ns - (int64_t)w->settings->expiring_hours * 3600 * SECOND_NS;
    if (time_ns <= last_hours)
        attempt_narrow(holds, INT64_MIN, last_hours);
    else
        attempt_narrow(holds, last_hours + 1, INT64_MAX);
    return REASON_NONE;
}

/* May the RRset, seen last when it was, still be in a cache? */
int64_t attempt_fresh_until(const struct world *w, const struct rrset *set)
{
    uint32_t ttl = set->signatures ? set->signature[0].original_ttl : set->ttl;
    int64_t until_ns = set->last_seen_ns + (int64_t)ttl * SECOND_NS;
    if (w->settings->at == AT_FIXED)
        return w->packet_ns <= until_ns ? INT64_MAX : INT64_MIN;
    return until_ns;
}

bool attempt_fresh(const struct world *w, const struct rrset *set, int64_t time_ns)
{
    return time_ns <= attempt_fresh_until(w, set);
}

/* The latest time at which whoever is its authority had it, as the TTLs tell. */
int64_t attempt_given(const struct rrset *set)
{
    uint32_t ttl = set->signatures ? set->signature[0].original_ttl : set->ttl;
    return set->current_ns - (int64_t)ttl * SECOND_NS;
}

/* What is not in it was not there: nothing newer can be in a cache yet. */
int64_t attempt_current_until(const struct world *w, const struct rrset *set)
{
    if (w->settings->at == AT_FIXED)
        return w->packet_ns <= set->current_ns ? INT64_MAX : INT64_MIN;
    return set->current_ns;
}

/* Long before it was first seen another may have been in its place. */
int64_t attempt_current_from(const struct world *w, const struct rrset *set)
{
    uint32_t ttl = set->signatures ? set->signature[0].original_ttl : set->ttl;
    int64_t from_ns = set->first_seen_ns - (int64_t)ttl * SECOND_NS;
    if (w->settings->at == AT_FIXED)
        return w->packet_ns >= from_ns ? INT64_MIN : INT64_MAX;
    return from_ns;
}

bool attempt_current(const struct world *w, const struct rrset *set, int64_t time_ns)
{
    return time_ns >= attempt_current_from(w, set) && time_ns <= attempt_current_until(w, set);
}

/* Narrows to the times before it can be current, where that is now. */
void attempt_before(const struct world *w, const struct rrset *set, int64_t time_ns,
                    struct window *holds)
{
    int64_t from_ns = attempt_current_from(w, set);
    if (time_ns < from_ns)
        attempt_narrow(holds, INT64_MIN, from_ns - 1);
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
/* Has a check of this RRset failed already? One failure is what a broken signature costs; more are
 * what a zone costs that has many keys with one tag, or many signatures of nobody. */
static bool failed_before(const struct rrset *set)
{
    for (uint8_t i = 0; i < set->signatures; i++)
        for (uint8_t k = 0; k < set->signature[i].checks; k++)
            if (set->signature[i].check[k].result == KEY_REFUTES)
                return true;
    return false;
}

/* Zones whose signatures are in order but for so many go on being checked when those of others have
 * used up the time for checks that fail. */
#define ZONE_GRACE 8

/* Is there time for one more check that may fail? */
static bool affordable(const struct world *w, const struct zone *zone)
{
    return w->budget.failing_us > 0 || zone->refuted < ZONE_GRACE;
}

/* The result counts from here on. Checks that succeed are what the traffic is worth. */
static void charge(struct world *w, struct zone *zone, struct signature *s, unsigned check,
                   const struct key *key)
{
    s->check[check].charged = true;
    if (s->check[check].result == KEY_VERIFIES) {
        zone->verified++;
    } else if (s->check[check].result == KEY_REFUTES) {
        zone->refuted++;
        w->budget.failing_us -= key_cost(key);
    }
}

/* What there is no more of to check this signature; BUDGET_KINDS: nothing is lacking. */
static enum budget_kind lacking(struct world *w, struct zone *zone, const struct rrset *set,
                                const struct signature *s)
{
    if (zone->failed_second != w->budget.second) {
        zone->failed_second = w->budget.second;
        zone->failed = 0;
    }
    if (s->checks == SIGNATURE_CHECKS_MAX)
        return BUDGET_COLLISIONS;
    if (w->budget.message_left == 0)
        return BUDGET_SIGNATURES;
    if (zone->failed >= w->settings->zone_signatures && failed_before(set))
        return BUDGET_ZONE;
    if (!affordable(w, zone))
        return BUDGET_FAILING;
    return w->budget.second_left == 0 ? BUDGET_SECOND : BUDGET_KINDS;
}

enum reason attempt_crypto(struct world *w, struct zone *zone, struct rrset *set,
                           struct signature *s, struct key *key)
{
    for (unsigned i = 0; i < s->checks; i++) {
        if (s->check[i].key != key)
            continue;
        if (!s->check[i].charged) { /* done ahead: at a guess, so it may not be ours to use yet */
            if (!affordable(w, zone)) {
                world_exhausted(w, BUDGET_FAILING);
                return REASON_BUDGET;
            }
            charge(w, zone, s, i, key);
        }
        w->budget.hits++;
        return check_reason(s->check[i].result, s->algorithm);
    }
    if (key->malformed || !key_signature_size_ok(s->algorithm, s->bytes_size))
        return REASON_SIG_MALFORMED;
    enum budget_kind what = lacking(w, zone, set, s);
    if (what != BUDGET_KINDS) {
        world_exhausted(w, what);
        return REASON_BUDGET;
    }
    w->budget.message_left--;
    w->budget.second_left--;
    w->budget.checks++;
    size_t size = rrset_signed_data(set, s, w->signed_data);
    if (size == 0)
        return REASON_BUDGET;
    enum key_result result = key_verify(key, 0, w->signed_data, size, s->bytes, s->bytes_size);
    zone->failed += result == KEY_REFUTES && failed_before(set);
    s->check[s->checks].key = key;
    s->check[s->checks].result = result;
    charge(w, zone, s, s->checks++, key);
    return check_reason(result, s->algorithm);
}

/* Which of two reasons against a signature says more about it. */
unsigned attempt_weight(enum reason reason)
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

enum reason attempt_usable(const struct key *key)
{
    if (key->protocol != 3 || !(key->flags & KEY_FLAG_ZONE))
        return REASON_KEY_NOT_ZONE;
    return key->flags & KEY_FLAG_REVOKE ? REASON_KEY_REVOKED : REASON_NONE;
}

void attempt_key(struct world *w, struct zone *zone, struct rrset *set, struct signature *s,
                 const uint8_t *rdata, uint16_t size, int64_t time_ns, struct window *holds,
                 struct attempt *best)
{
    if (size < 4 || rdata[3] != s->algorithm || key_tag(rdata, size) != s->tag)
        return;
    struct key *key = world_key(w, zone, rdata, size);
    enum reason reason = key ? attempt_usable(key) : REASON_BUDGET;
    struct window mine = WINDOW_ALWAYS;
    bool verifies = false;
    if (reason == REASON_NONE) {
        reason = attempt_crypto(w, zone, set, s, key);
        verifies = reason == REASON_NONE;
        if (verifies && (reason = attempt_in_time(w, s, time_ns, &mine)) == REASON_NONE)
            reason = REASON_CHAIN;
    }
    if (best->reason == REASON_NONE || attempt_weight(reason) > attempt_weight(best->reason)) {
        best->reason = reason;
        best->verifies = verifies;
        *holds = mine;
    }
}

void attempt_set(struct world *w, struct zone *zone, struct rrset *set, struct signature *s,
                 const struct rrset *keys, int64_t time_ns, struct window *holds,
                 struct attempt *best)
{
    uint16_t size;
    for (const uint8_t *r = NULL;
         (r = rrset_record(keys, r, &size)) && best->reason != REASON_CHAIN;)
        attempt_key(w, zone, set, s, r, size, time_ns, holds, best);
}

/* Keys that the owner declared in the baseline, as rdata. */
void attempt_pinned(struct world *w, struct zone *zone, struct rrset *set, struct signature *s,
                    int64_t time_ns, struct window *holds, struct attempt *best)
{
    struct fact_baseline declared;
    baseline_describe(zone->baseline, zone->name, TYPE_DNSKEY, time_ns, &declared);
    for (size_t i = 0; i < declared.expected.count && best->reason != REASON_CHAIN; i++)
        attempt_key(w, zone, set, s, declared.expected.rdata[i].bytes,
                    declared.expected.rdata[i].size, time_ns, holds, best);
}

/* Checks that may be queued of a zone that has shown nothing good yet. */
#define AHEAD_UNPROVEN 64

bool attempt_ahead(struct world *w, struct zone *zone)
{
    if (zone->ahead_round != w->budget.round) {
        zone->ahead_round = w->budget.round;
        zone->ahead = 0;
    }
    bool proven = zone->refuted * 4 <= zone->verified;
    if (w->budget.second_left == 0 || !affordable(w, zone) ||
        (zone->ahead >= AHEAD_UNPROVEN && (!proven || zone->ahead / 8 > zone->verified)))
        return false;
    zone->ahead++;
    w->budget.second_left--;
    w->budget.checks++;
    return true;
}
