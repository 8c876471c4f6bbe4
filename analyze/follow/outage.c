/*
 * outage: when a zone, or something in it, failed, and when it came back.
 *
 * Contained in: analyze, tests. Must never: call an outage over because somebody still has good
 * data from before it, or because an authority serves what resolvers refuse.
 */
#include "analyze/follow/outage.h"

#include "analyze/canon.h"

#define SECOND_NS INT64_C(1000000000)

/* FNV-1a over name and type; who makes two collide has a zone of his own recover too early. */
static uint64_t question_of(const struct answer *a)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < a->qname_size; i++)
        hash = (hash ^ a->qname[i]) * UINT64_C(1099511628211);
    return (hash ^ a->qtype) * UINT64_C(1099511628211);
}

static bool has_failed(const struct usage_outages *o, uint64_t question)
{
    for (size_t i = 0; i < o->questions; i++)
        if (o->question[i] == question)
            return true;
    return false;
}

static struct usage_episode *current(struct usage_outages *o)
{
    return o && o->episodes ? &o->episode[o->episodes - 1] : NULL;
}

static bool is_over(const struct usage_episode *e, int64_t time_ns)
{
    return e->recovered_ns != INT64_MIN && flow_elapsed(e->recovered_ns, time_ns) > USAGE_QUIET_NS;
}

/* The current episode, or a new one that begins now; NULL: no room. */
static struct usage_episode *episode_at(struct world *w, struct usage *u, enum reason reason,
                                        int64_t time_ns, uint64_t frame)
{
    if (u->outages == NULL && (u->outages = usage_take(w, u, sizeof *u->outages)) == NULL)
        return NULL;
    struct usage_outages *o = u->outages;
    struct usage_episode *e = current(o);
    if (e && !is_over(e, time_ns))
        return e;
    if (o->episodes == USAGE_EPISODES_MAX) {
        o->more++;
        return NULL;
    }
    e = &o->episode[o->episodes++];
    *e = (struct usage_episode){.from_ns = time_ns,
                                .from_frame = frame,
                                .last_ns = time_ns,
                                .last_frame = frame,
                                .recovered_ns = INT64_MIN,
                                .reason = reason};
    o->questions = 0;
    o->whole_zone = false;
    return e;
}

/* It goes on. */
static void prolong(struct usage_outages *o, struct usage_episode *e, int64_t time_ns,
                    uint64_t frame)
{
    if (time_ns < e->last_ns)
        return;
    e->last_ns = time_ns;
    e->last_frame = frame;
    o->news |= e->recovered_ns != INT64_MIN;
    e->recovered_ns = INT64_MIN;
}

static void bogus(struct world *w, struct zone *zone, const struct answer *a, int64_t time_ns,
                  uint64_t frame)
{
    struct usage *u = zone->usage;
    struct usage_episode *e = episode_at(w, u, a->reason, time_ns, frame);
    struct usage_outages *o = u->outages;
    if (e == NULL)
        return;
    e->count++;
    if (time_ns < e->from_ns) {
        e->from_ns = time_ns;
        e->from_frame = frame;
        e->reason = a->reason;
    }
    if (e->reason == REASON_RCODE)
        e->reason = a->reason;
    prolong(o, e, time_ns, frame);
    o->whole_zone |= zone->trust.state == TRUST_BOGUS;
    uint64_t question = question_of(a);
    if (o->questions < USAGE_QUESTIONS_MAX && !has_failed(o, question))
        o->question[o->questions++] = question;
}

bool outage_has_failed(const struct zone *zone, const struct answer *a)
{
    const struct usage_outages *o = zone->usage ? zone->usage->outages : NULL;
    return o && has_failed(o, question_of(a));
}

void outage_darkened(struct world *w, struct zone *zone, int64_t from_ns, int64_t time_ns,
                     uint64_t frame)
{
    struct usage *u = usage_of(w, zone);
    struct usage_episode *e = u ? episode_at(w, u, REASON_RCODE, from_ns, frame) : NULL;
    if (e == NULL)
        return;
    e->felt = true;
    u->outages->whole_zone = true;
    prolong(u->outages, e, time_ns, frame);
}

/* Index of the RRset that was seen last: of keys, from the zone's own servers if they were seen. */
static uint8_t newest(struct rrset *const *variant, uint8_t count)
{
    uint8_t best = 0;
    for (uint8_t i = 1; i < count; i++) {
        const struct rrset *a = variant[i], *b = variant[best];
        bool by_authority = a->type == TYPE_DNSKEY && a->authority_ns != b->authority_ns;
        if (by_authority ? a->authority_ns > b->authority_ns : a->last_seen_ns > b->last_seen_ns)
            best = i;
    }
    return best;
}

/* Do the newest keys fit the newest DS? Earlier ones may still vouch for what is served, for those
 * who have them in a cache; who asks now gets these. */
static bool is_sound_by_newest(const struct zone *zone)
{
    uint16_t size, key_size;
    if (zone->dnskeys == 0)
        return zone->trust.state != TRUST_BOGUS;
    uint8_t at = newest(zone->dnskey, zone->dnskeys);
    const struct rrset *ds = zone->dss ? zone->ds[newest(zone->ds, zone->dss)] : NULL;
    if (zone->trust.state != TRUST_SECURE || !(zone->trust.trusted >> at & 1))
        return false;
    for (const uint8_t *r = NULL; ds && (r = rrset_record(ds, r, &size)) != NULL;)
        for (const uint8_t *k = NULL; (k = rrset_record(zone->dnskey[at], k, &key_size)) != NULL;)
            if (key_matches_ds(zone->name, k, key_size, r, size) == KEY_DS_MATCHES)
                return true;
    return ds == NULL;
}

/* The outage that this answer can be the end of; NULL: none. What is asked for keys and proofs
 * alone is nobody's use of the zone. */
static struct usage_episode *ending(const struct usage *u, const struct answer *a, int64_t time_ns)
{
    struct usage_episode *e = current(u->outages);
    bool open = e && e->recovered_ns == INT64_MIN && time_ns > e->last_ns;
    return open && !usage_is_plumbing(a->qtype) ? e : NULL;
}

static void end(struct usage *u, struct usage_episode *e, int64_t time_ns, uint64_t frame)
{
    e->recovered_ns = time_ns;
    e->recovered_frame = frame;
    u->outages->news = true;
}

/* Where resolvers failed, only they show that it is over (outage_recovered); and where they are
 * seen to answer at all, what an authority says is not what anyone got. */
static void secure(const struct zone *zone, const struct answer *a, int64_t time_ns, uint64_t frame)
{
    struct usage *u = zone->usage;
    struct usage_episode *e = ending(u, a, time_ns);
    if (e == NULL || e->felt || (u->resolved > 0 && !usage_is_resolved(a)) ||
        !(u->outages->whole_zone ? is_sound_by_newest(zone)
                                 : has_failed(u->outages, question_of(a))))
        return;
    end(u, e, time_ns, frame);
}

/* Data as good as the zone has it: an unsigned zone is back when it answers. */
static bool is_good(const struct usage *u, enum verdict_kind kind)
{
    const struct usage_episode *e = current(u->outages);
    return kind == VERDICT_SECURE || (kind == VERDICT_INSECURE && e && e->reason == REASON_RCODE);
}

/* The answer was not yet in a cache when it last failed. Known of the first such answer alone, of
 * which the TTLs are. */
static bool is_fetched_since(const struct answer *a, int64_t failed_ns, int64_t time_ns,
                             uint64_t frame)
{
    bool any = false;
    for (size_t i = 0; i < a->sets && a->frame == frame; i++) {
        const struct answer_set *as = answer_nth(a, i);
        if (as->section != SECTION_ANSWER || as->set->signatures == 0)
            continue;
        int64_t age = (int64_t)as->set->signature[0].original_ttl - as->ttl;
        if (age < 0 || flow_elapsed(failed_ns, time_ns) <= (age + 1) * SECOND_NS)
            return false;
        any = true;
    }
    return any;
}

bool outage_recovers(const struct zone *zone, const struct answer *a, bool had_failed,
                     int64_t time_ns, uint64_t frame)
{
    const struct usage *u = zone->usage;
    const struct usage_episode *e = u && u->outages ? ending(u, a, time_ns) : NULL;
    if (e == NULL || !e->felt || !usage_is_resolved(a) || !is_good(u, reason_verdict(a->reason)))
        return false;
    return had_failed || (a->flags & DNS_AD && is_fetched_since(a, e->last_ns, time_ns, frame));
}

void outage_recovered(struct zone *zone, int64_t time_ns, uint64_t frame)
{
    end(zone->usage, current(zone->usage->outages), time_ns, frame);
}

void outage_seen(struct world *w, struct zone *zone, const struct answer *a, int64_t time_ns,
                 uint64_t frame)
{
    enum verdict_kind kind = reason_verdict(a->reason);
    if (kind == VERDICT_BOGUS && a->rewritten)
        return; /* the resolver's doing, and none of the zone's */
    if (kind == VERDICT_BOGUS)
        bogus(w, zone, a, time_ns, frame);
    else if (zone->usage->outages && is_good(zone->usage, kind))
        secure(zone, a, time_ns, frame);
    zone->usage->last = kind;
}

bool outage_has_failing(const struct zone *zone, const struct answer *a, int64_t time_ns)
{
    const struct usage_episode *e = zone->usage ? current(zone->usage->outages) : NULL;
    return zone->trust.state == TRUST_BOGUS ||
           (e && e->recovered_ns == INT64_MIN && time_ns >= e->from_ns &&
            has_failed(zone->usage->outages, question_of(a)));
}

/* Others may have recovered by then: who remembers a failure for a while does not take that back.
 */
void outage_felt(struct usage *u, int64_t time_ns, uint64_t frame)
{
    struct usage_episode *e = current(u->outages);
    if (e == NULL || is_over(e, time_ns))
        return;
    e->felt = true;
    if (e->recovered_ns == INT64_MIN)
        prolong(u->outages, e, time_ns, frame);
}
