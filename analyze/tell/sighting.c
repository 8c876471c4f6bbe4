/*
 * sighting: notes on responses, gathered by RRset, told to the history.
 *
 * Contained in: analyze, tests. Must never: make the analyser wait for a reader of the history, or
 * keep a pointer into what is forgotten.
 */
#include "analyze/tell/sighting.h"

#include "analyze/validate/trust.h"
#include "sandbox/channel.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <xxhash.h>

#define BUCKETS     4096 /* of addresses; a power of two */
#define BLOCK_BYTES 16   /* malloc's own, for each block */
/* Of struct signature's `reported`, beside the state. */
#define REPORTED_STATE 0x3f

struct sighting_entry {                   /* by one server */
    const struct sighting_server *server; /* NULL: several that have no place */
    uint64_t count;
    int64_t first_ns, last_ns;
};

struct sighting_others { /* of a response, but for the server that sent it last */
    uint8_t count;
    struct sighting_entry entry[SIGHTING_SERVERS_MAX - 1];
    struct sighting_entry rest;
};

struct by {
    struct sighting_entry entry;
    bool aa; /* it answered with AA=1 */
};

struct sighting_pending { /* of an RRset, until it is told */
    struct sighting_pending *next;
    struct rrset *set;
    uint64_t count; /* 0: only its verdict is new */
    int64_t first_ns, last_ns;
    uint8_t servers;
    bool more_servers;
    struct by one, *more; /* the first server; the others, malloc'd when there are any */
};

struct queue {
    struct sighting_pending *first, **end;
};

struct sightings {
    struct sighting_outputs out;
    struct answers *answers;
    struct answer *fresh, *touched; /* linked through seen.next */
    struct queue news, changed;     /* told never before, told before */
    bool due;                       /* what has changed is to be told, too */
    uint64_t seed, lost;
    size_t addresses;
    struct sighting_server *bucket[BUCKETS];
    struct { /* of a message */
        struct msg_history head;
        uint8_t
            rest[SIGHTING_SERVERS_MAX * sizeof(struct msg_history_server) + RRSET_SIGNATURES_MAX];
    } message;
};

struct sightings *sighting_new(const struct sighting_outputs *out, struct answers *answers,
                               uint64_t seed)
{
    struct sightings *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->out = *out;
    s->answers = answers;
    s->seed = seed;
    s->news.end = &s->news.first;
    s->changed.end = &s->changed.first;
    return s;
}

static size_t footprint(const struct sighting_pending *p)
{
    size_t more = p->more ? (SIGHTING_SERVERS_MAX - 1) * sizeof *p->more + BLOCK_BYTES : 0;
    return sizeof *p + BLOCK_BYTES + more;
}

static void drop(struct sightings *s, struct sighting_pending *p)
{
    s->answers->noted_bytes -= footprint(p);
    p->set->sighting = NULL;
    free(p->more);
    free(p);
}

/* Returns how many there were. */
static uint64_t drop_queue(struct sightings *s, struct queue *q)
{
    uint64_t count = 0;
    for (struct sighting_pending *p = q->first, *next; p; p = next, count++) {
        next = p->next;
        drop(s, p);
    }
    q->first = NULL;
    q->end = &q->first;
    return count;
}

void sighting_free(struct sightings *s)
{
    if (s == NULL)
        return;
    drop_queue(s, &s->news);
    drop_queue(s, &s->changed);
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct sighting_server *v = s->bucket[i], *next; v; v = next) {
            next = v->next;
            free(v);
        }
    }
    free(s);
}

uint64_t sighting_lost(const struct sightings *s)
{
    return s->lost;
}

/* --- of responses --- */

/* NULL: no place for another address. */
static const struct sighting_server *server_of(struct sightings *s, const struct flow *flow)
{
    uint64_t hash = XXH3_64bits_withSeed(flow->src, sizeof flow->src, s->seed + flow->family);
    struct sighting_server **bucket = &s->bucket[hash & (BUCKETS - 1)], *v = *bucket;
    while (v && !sighting_is_from(v, flow))
        v = v->next;
    if (v || s->addresses == SIGHTING_ADDRESSES_MAX || (v = malloc(sizeof *v)) == NULL)
        return v;
    v->next = *bucket;
    v->family = flow->family;
    memcpy(v->address, flow->src, sizeof v->address);
    s->addresses++;
    return *bucket = v;
}

static void add(struct sighting_entry *e, uint64_t count, int64_t first_ns, int64_t last_ns)
{
    if (e->count == 0 || first_ns < e->first_ns)
        e->first_ns = first_ns;
    if (e->count == 0 || last_ns > e->last_ns)
        e->last_ns = last_ns;
    e->count += count;
}

static struct sighting_others *others_of(struct sightings *s, struct answer *a)
{
    if (a->seen.others == NULL) {
        a->seen.others = calloc(1, sizeof *a->seen.others);
        if (a->seen.others)
            s->answers->bytes += sizeof *a->seen.others + BLOCK_BYTES;
    }
    return a->seen.others;
}

/* The server comes to the front, where it is recognised at once; the one that was there goes to the
 * others. False: there is no place for it. */
static bool bring_forward(struct sightings *s, struct answer *a, const struct flow *flow)
{
    struct sighting_tally *seen = &a->seen;
    struct sighting_others *o = others_of(s, a);
    uint8_t at = 0;
    while (o && at < o->count && !sighting_is_from(o->entry[at].server, flow))
        at++;
    if (o == NULL || at == SIGHTING_SERVERS_MAX - 1)
        return false;
    if (at == o->count) {
        const struct sighting_server *v = server_of(s, flow);
        if (v == NULL)
            return false;
        o->entry[o->count++] = (struct sighting_entry){.server = v};
    }
    struct sighting_entry its = o->entry[at];
    o->entry[at] =
        (struct sighting_entry){seen->server, seen->count, seen->first_ns, seen->last_ns};
    seen->server = its.server;
    seen->count = its.count;
    seen->first_ns = its.first_ns;
    seen->last_ns = its.last_ns;
    return true;
}

void sighting_note(struct sightings *s, struct answer *a, const struct datagram *dg, bool fresh)
{
    struct sighting_tally *seen = &a->seen;
    int64_t now = dg->time_ns;
    if (!seen->queued) {
        struct answer **queue = fresh ? &s->fresh : &s->touched;
        seen->next = *queue;
        seen->queued = true;
        *queue = a;
    }
    if (seen->server == NULL)
        seen->server = server_of(s, &dg->flow);
    bool is_its = seen->server &&
                  (sighting_is_from(seen->server, &dg->flow) || bring_forward(s, a, &dg->flow));
    if (!is_its) {
        if (others_of(s, a))
            add(&a->seen.others->rest, 1, now, now);
        return;
    }
    struct sighting_entry e = {seen->server, seen->count, seen->first_ns, seen->last_ns};
    add(&e, 1, now, now);
    seen->count = e.count;
    seen->first_ns = e.first_ns;
    seen->last_ns = e.last_ns;
}

/* --- of RRsets --- */

static void enqueue(struct queue *q, struct sighting_pending *p)
{
    p->next = NULL;
    *q->end = p;
    q->end = &p->next;
}

static struct sighting_pending *pending_of(struct sightings *s, struct rrset *set)
{
    if (set->sighting)
        return set->sighting;
    struct sighting_pending *p = calloc(1, sizeof *p);
    if (p == NULL) {
        s->lost++;
        return NULL;
    }
    p->set = set;
    p->first_ns = INT64_MAX;
    p->last_ns = INT64_MIN;
    s->answers->noted_bytes += footprint(p);
    enqueue(set->listed ? &s->changed : &s->news, p);
    return set->sighting = p;
}

static struct by *by_nth(struct sighting_pending *p, uint8_t i)
{
    return i == 0 ? &p->one : &p->more[i - 1];
}

/* NULL: no place for one more. */
static struct by *by_server(struct sightings *s, struct sighting_pending *p,
                            const struct sighting_server *server)
{
    uint8_t i = 0;
    while (i < p->servers && by_nth(p, i)->entry.server != server)
        i++;
    if (i < p->servers)
        return by_nth(p, i);
    if (i == SIGHTING_SERVERS_MAX)
        return NULL;
    if (i == 1 && p->more == NULL) {
        p->more = calloc(SIGHTING_SERVERS_MAX - 1, sizeof *p->more);
        if (p->more == NULL)
            return NULL;
        s->answers->noted_bytes += (SIGHTING_SERVERS_MAX - 1) * sizeof *p->more + BLOCK_BYTES;
    }
    struct by *by = by_nth(p, p->servers++);
    *by = (struct by){.entry = {.server = server}};
    return by;
}

static void add_entry(struct sightings *s, struct sighting_pending *p,
                      const struct sighting_entry *e, bool aa)
{
    if (e->count == 0)
        return;
    if (e->first_ns < p->first_ns)
        p->first_ns = e->first_ns;
    if (e->last_ns > p->last_ns)
        p->last_ns = e->last_ns;
    p->count += e->count;
    struct by *by = e->server ? by_server(s, p, e->server) : NULL;
    if (by == NULL) {
        p->more_servers = true;
        return;
    }
    add(&by->entry, e->count, e->first_ns, e->last_ns);
    by->aa |= aa;
}

static void add_to_set(struct sightings *s, const struct answer *a, struct rrset *set)
{
    const struct sighting_tally *seen = &a->seen;
    struct sighting_entry e = {seen->server, seen->count, seen->first_ns, seen->last_ns};
    bool aa = (a->flags & DNS_AA) != 0;
    struct sighting_pending *p = pending_of(s, set);
    if (p == NULL)
        return;
    add_entry(s, p, &e, aa);
    if (seen->others == NULL)
        return;
    for (uint8_t i = 0; i < seen->others->count; i++)
        add_entry(s, p, &seen->others->entry[i], aa);
    add_entry(s, p, &seen->others->rest, aa);
}

/* An RRset may be in two sections; the response had it once. */
static bool came_before(const struct answer *a, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (answer_nth(a, k)->set == answer_nth(a, i)->set)
            return true;
    return false;
}

static void pass_on(struct sightings *s, struct answer *a)
{
    struct sighting_tally *seen = &a->seen;
    for (size_t i = 0; i < a->sets; i++)
        if (!came_before(a, i))
            add_to_set(s, a, answer_nth(a, i)->set);
    seen->count = 0;
    seen->queued = false;
    if (seen->others == NULL)
        return;
    seen->others->rest.count = 0;
    for (uint8_t i = 0; i < seen->others->count; i++)
        seen->others->entry[i].count = 0;
}

/* In the order in which they came. */
static void pass_all(struct sightings *s, struct answer **queue)
{
    struct answer *forward = NULL;
    for (struct answer *a = *queue, *next; a; a = next) {
        next = a->seen.next;
        a->seen.next = forward;
        forward = a;
    }
    *queue = NULL;
    for (struct answer *a = forward, *next; a; a = next) {
        next = a->seen.next;
        pass_on(s, a);
    }
}

/* --- telling --- */

/* What the rules were last told of each signature. */
static uint8_t *put_states(const struct rrset *set, uint8_t *at)
{
    for (uint8_t i = 0; i < set->signatures; i++)
        *at++ = set->signature[i].reported & REPORTED_STATE;
    return at;
}

static uint8_t *put_servers(struct sighting_pending *p, uint8_t *at)
{
    for (uint8_t i = 0; i < p->servers; i++) {
        const struct by *by = by_nth(p, i);
        struct msg_history_server m = {.family = by->entry.server->family,
                                       .aa = by->aa,
                                       .first_ns = by->entry.first_ns,
                                       .last_ns = by->entry.last_ns,
                                       .count = by->entry.count};
        memcpy(m.address, by->entry.server->address, sizeof m.address);
        memcpy(at, &m, sizeof m);
        at += sizeof m;
    }
    return at;
}

static enum reason reason_of(const struct rrset *set)
{
    if (!set->judged.done)
        return REASON_NONE;
    enum reason reason = set->judged.reason;
    return set->judged.zone ? trust_told(&set->judged.zone->trust, reason) : reason;
}

static bool tell_one(struct sightings *s, struct sighting_pending *p, bool wait)
{
    struct rrset *set = p->set;
    enum reason reason = reason_of(set);
    uint8_t *at = put_states(set, put_servers(p, s->message.rest));
    s->message.head =
        (struct msg_history){.first_ns = p->first_ns,
                             .last_ns = p->last_ns,
                             .count = p->count,
                             .frame = set->frame_count ? set->frames[set->frame_count - 1] : 0,
                             .ttl = set->ttl,
                             .type = set->type,
                             .records = set->count,
                             .reason = (uint16_t)reason,
                             .owner_size = set->owner_size,
                             .signatures = set->signatures,
                             .servers = p->servers,
                             .more_servers = p->more_servers};
    if (!s->out.tell(s->out.context, &s->message, (size_t)(at - (uint8_t *)&s->message), set->owner,
                     set->size, wait))
        return false;
    if (!set->listed || reason != REASON_NONE)
        set->listed = (uint8_t)(1 + reason);
    return true;
}

/* False: the receiver takes no more for now. */
static bool tell_queue(struct sightings *s, struct queue *q, bool wait)
{
    while (q->first) {
        struct sighting_pending *p = q->first;
        if (!tell_one(s, p, wait))
            return false;
        q->first = p->next;
        if (q->first == NULL)
            q->end = &q->first;
        drop(s, p);
    }
    return true;
}

/* Nobody will ever take it. */
static void lose(struct sightings *s)
{
    s->lost += drop_queue(s, &s->news) + drop_queue(s, &s->changed);
}

static void tell(struct sightings *s, bool wait)
{
    bool all = tell_queue(s, &s->news, wait);
    if (all && s->due) {
        all = tell_queue(s, &s->changed, wait);
        s->due = !all;
    }
    if (!all && s->out.is_gone(s->out.context))
        lose(s);
}

void sighting_flush(struct sightings *s)
{
    pass_all(s, &s->fresh);
    tell(s, false);
}

void sighting_gather(struct sightings *s)
{
    pass_all(s, &s->fresh);
    pass_all(s, &s->touched);
    s->due = true;
}

/* A verdict may have changed since an RRset was told, and the RRset not have come again. */
static void note_verdict(void *context, struct rrset *set)
{
    struct sightings *s = context;
    enum reason reason = reason_of(set);
    if (set->listed && set->sighting == NULL && reason != REASON_NONE && set->listed != 1 + reason)
        pending_of(s, set);
}

void sighting_forget(struct sightings *s, bool last)
{
    sighting_gather(s);
    rrsets_each(s->answers->world.rrsets, note_verdict, s);
    tell(s, last || s->out.is_patient);
    lose(s);
}
