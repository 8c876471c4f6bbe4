/*
 * tell_rhythm: when zones are signed anew becomes a fact.
 *
 * Contained in: analyze, tests. Must never: cost more than a comparison for a response that was
 * looked at within the hour.
 */
#include "analyze/tell/tell_rhythm.h"

#include "analyze/canon.h"
#include "analyze/follow/rhythm.h"
#include "analyze/follow/servers.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/judge.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define LOOK_NS INT64_C(3600000000000) /* a response that comes again is looked at so often */
#define DAY_NS  INT64_C(86400000000000)

/* The same in every run: it is kept. */
static uint64_t hash_records(const struct rrset *set)
{
    uint64_t hash = set->count;
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;)
        hash = XXH3_64bits_withSeed(r, size, hash);
    return hash;
}

/* The key of the signature, where it verifies and the time is within its window. */
static const struct key *key_of(const struct signature *s, int64_t clock_ns)
{
    int64_t now = clock_ns / 1000000000;
    if (attempt_time(s->inception, clock_ns) > now || attempt_time(s->expiration, clock_ns) < now)
        return NULL;
    for (uint8_t i = 0; i < s->checks; i++)
        if (s->check[i].result == KEY_VERIFIES)
            return s->check[i].key;
    return NULL;
}

/* The newest of its valid signatures; NULL none. */
static struct signature *newest(const struct rrset *set, int64_t clock_ns)
{
    struct signature *best = NULL;
    for (uint8_t i = 0; i < set->signatures; i++) {
        struct signature *s = &set->signature[i];
        if (key_of(s, clock_ns) && (best == NULL || attempt_time(s->expiration, clock_ns) >
                                                        attempt_time(best->expiration, clock_ns)))
            best = s;
    }
    return best;
}

static void note_servers(const struct zone *zone, const struct flow *flow, int64_t time_ns,
                         struct fact_rhythm *rhythm)
{
    const struct servers *s = zone->servers;
    for (size_t i = 0; s && i < s->count; i++) {
        const struct server *server = &s->server[i];
        bool this = server->family == flow->family &&
                    memcmp(server->address, flow->src, sizeof server->address) == 0;
        rhythm->lately += this || flow_elapsed(server->last_ns, time_ns) <= DAY_NS;
        rhythm->outdated |= this && server->behind_ns != INT64_MIN;
    }
}

static bool tell_set(struct tell *t, const struct answer *a, struct rrset *set, bool retro)
{
    static struct fact_rdata rdata[RRSET_RECORDS_MAX]; /* one thread; too large for the stack */
    int64_t clock_ns = answers_clock(t->answers, a->time_ns);
    if (judge_rrset(&t->answers->world, set, clock_ns) != REASON_CHAIN || set->judged.wildcard)
        return false;
    struct signature *s = newest(set, clock_ns);
    struct zone *zone = s ? world_find(&t->answers->world, s->signer) : NULL;
    if (zone == NULL)
        return false;
    const struct key *key = key_of(s, clock_ns);
    struct rhythm_sight sight = {.zone = zone->name,
                                 .owner = set->owner,
                                 .key = key->rdata,
                                 .type = set->type,
                                 .key_size = key->rdata_size,
                                 .records = hash_records(set),
                                 .inception = attempt_time(s->inception, clock_ns),
                                 .expiration = attempt_time(s->expiration, clock_ns),
                                 .time_ns = a->time_ns,
                                 .family = a->flow.family,
                                 .address = a->flow.src};
    struct fact_rhythm rhythm;
    struct fact_signature judged;
    if (!rhythms_see(t->rhythms, &sight, &rhythm))
        return false;
    note_servers(zone, &a->flow, a->time_ns, &rhythm);
    judge_signature(&t->answers->world, set, s, clock_ns, &judged);
    struct fact f = tell_draft(t, a, FACT_RHYTHM, zone, retro);
    f.observed = rrset_view(set, rdata);
    f.verdict = VERDICT_SECURE;
    f.reason = REASON_CHAIN;
    f.signature = &judged;
    f.rhythm = &rhythm;
    tell_describe(&f, zone->baseline);
    if (tell_give(t, &f, NULL) == 0)
        return false;
    rhythms_told(t->rhythms, &sight);
    return true;
}

/* The answer as it was seen just now. */
static struct answer seen_again(const struct answer *a, const struct datagram *dg)
{
    struct answer now = *a;
    now.flow = dg->flow;
    now.time_ns = dg->time_ns;
    now.frame = dg->frame;
    now.source = dg->source;
    now.interface = dg->interface;
    now.frame_count = 0;
    for (size_t i = 0; i < dg->frame_count && now.frame_count < ANSWER_FRAMES_MAX; i++)
        now.frames[now.frame_count++] = dg->frames[i];
    return now;
}

bool tell_rhythm(struct tell *t, struct answer *a, const struct datagram *again, bool retro)
{
    bool is_signed = false, cited = false;
    a->rhythm_ns = INT64_MAX;
    if (t->rhythms == NULL || !(a->flags & DNS_AA) || t->answers->world.settings->at == AT_FIXED)
        return false;
    struct answer now = again ? seen_again(a, again) : *a;
    for (size_t i = 0; i < a->sets; i++) {
        struct rrset *set = answer_nth(a, i)->set;
        if (set->signatures == 0)
            continue;
        is_signed = true;
        cited |= tell_set(t, &now, set, retro);
        if (again)
            tell_served(t, &now, answer_nth(a, i), retro); /* what the owner states of it */
    }
    if (is_signed && __builtin_add_overflow(now.time_ns, LOOK_NS, &a->rhythm_ns))
        a->rhythm_ns = INT64_MAX;
    return cited && again;
}
