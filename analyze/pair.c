/*
 * pair: queries wait for their responses; see pair.h.
 *
 * Contained in: analyze, tests. Must never: grow, or let one client's queries cost more than their
 * places in the ring.
 *
 * Queries lie in a ring in order of arrival; a bucket names the newest of its queries, and each
 * query the one before it in the bucket. A query that was overwritten is recognised by its age, so
 * nothing is ever unlinked: a query costs one place and one bucket, whatever gives way for it.
 */
#define XXH_INLINE_ALL

#include "analyze/pair.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A search looks at so many queries of a bucket: chosen collisions cost no more than a miss. */
#define PROBES_MAX 64

/* Same addresses, ports, protocol and id. VLAN tags are left out: the two directions of a routed
 * conversation may carry different ones. */
struct key {
    uint8_t client[16], server[16];
    uint16_t client_port, server_port;
    uint16_t id;
    uint8_t proto, family;
};

/* Second copies of a query are looked for among so many newest ones: 10 ms of a busy tap, and still
 * in the cache. */
#define RECENT 8192
/* Responses without a query that are remembered, for their second copies. */
#define STRAYS 1024
/* So many messages after the last second copy, responses are no longer hashed: it costs more than
 * all else here. What looks like a copy then is taken for a response, and brings the hashing back.
 */
#define VIGILANCE 16384

struct seen {      /* the last response to a query, or one without */
    uint64_t hash; /* 0: not hashed */
    int64_t time_ns;
};

struct open_query {
    struct key key;
    uint64_t question;
    uint32_t before; /* turn of the next older one in the bucket */
    struct query query;
    struct seen response; /* if answered */
};

struct pair {
    struct open_query *ring;
    uint32_t *buckets; /* turn of the newest query, 0 none */
    uint32_t capacity, mask;
    uint32_t turn; /* of the newest query, from 1; wraps after four thousand million, harmlessly */
    uint32_t used;
    int64_t patience_ns;
    uint64_t seed;
    uint32_t vigilance; /* messages for which it still lasts */
    struct pair_counters counters;
    struct seen strays[STRAYS];
};

struct pair *pair_new(const struct settings *s)
{
    struct pair *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    uint32_t places =
        16; /* a power of two, so that the place follows from the turn when it wraps */
    while (places < s->queries)
        places *= 2;
    p->capacity = places;
    p->mask = 2 * places - 1;
    p->vigilance = VIGILANCE;
    p->patience_ns = (int64_t)s->query_seconds * 1000000000;
    p->ring = calloc(places, sizeof(*p->ring));
    p->buckets = calloc(2 * (size_t)places, sizeof(*p->buckets));
    if (!p->ring || !p->buckets) {
        pair_free(p);
        return NULL;
    }
    return p;
}

void pair_seed(struct pair *p, uint64_t seed)
{
    p->seed = seed;
}

void pair_free(struct pair *p)
{
    if (!p)
        return;
    free(p->ring);
    free(p->buckets);
    free(p);
}

static struct key key_of(const struct datagram *d, uint16_t id, bool from_client)
{
    const struct flow *f = &d->flow;
    struct key key;
    memcpy(key.client, from_client ? f->src : f->dst, sizeof(key.client));
    memcpy(key.server, from_client ? f->dst : f->src, sizeof(key.server));
    key.client_port = from_client ? f->sport : f->dport;
    key.server_port = from_client ? f->dport : f->sport;
    key.id = id;
    key.proto = f->proto;
    key.family = f->family;
    return key;
}

static uint64_t question_of(const struct dns_message *m)
{
    const struct dns_owner *name = &m->owners[m->qname];
    return XXH3_64bits_withSeed(name->name, name->size, (uint64_t)m->qtype << 16 | m->qclass);
}

static struct open_query *place_of(struct pair *p, uint32_t turn)
{
    return &p->ring[turn & (p->capacity - 1)];
}

static uint32_t *bucket_of(struct pair *p, const struct key *key)
{
    return &p->buckets[XXH3_64bits(key, sizeof(*key)) & p->mask];
}

/* The newest query of the bucket with this key and, if `question` is not NULL, this question. */
static struct open_query *find(struct pair *p, uint32_t turn, const struct key *key,
                               const uint64_t *question)
{
    /* every step must lead further back, within what is still in the ring */
    uint32_t age = 0;
    for (unsigned probes = 0; probes < PROBES_MAX && turn != 0; probes++) {
        uint32_t its_age = p->turn - turn;
        if (its_age >= p->used || (probes > 0 && its_age <= age))
            return NULL;
        struct open_query *q = place_of(p, turn);
        if ((!question || q->question == *question) && memcmp(&q->key, key, sizeof(*key)) == 0)
            return q;
        age = its_age;
        turn = q->before;
    }
    return NULL;
}

/* The first copy of a query that came twice, if it is the newest of its bucket. */
static const struct open_query *first_copy(struct pair *p, uint32_t turn, const struct key *key,
                                           uint64_t question, const struct datagram *d,
                                           const struct dns_message *m)
{
    uint32_t age = p->turn - turn;
    if (turn == 0 || age >= p->used || age >= RECENT)
        return NULL;
    const struct open_query *q = place_of(p, turn);
    bool same = q->question == question && q->query.size == (uint16_t)d->wire_size &&
                q->query.flags == m->flags && memcmp(&q->key, key, sizeof(*key)) == 0;
    return same && flow_twice(q->query.time_ns, d->time_ns) ? q : NULL;
}

enum pair_result pair_query(struct pair *p, const struct datagram *d, const struct dns_message *m,
                            uint64_t *ret_first)
{
    struct key key = key_of(d, m->id, true);
    uint64_t question = question_of(m);
    uint32_t *bucket = bucket_of(p, &key);
    const struct open_query *first = first_copy(p, *bucket, &key, question, d, m);
    if (first) {
        p->counters.duplicates++;
        p->vigilance = VIGILANCE;
        *ret_first = first->query.frame;
        return PAIR_TWICE;
    }
    p->counters.queries++;
    p->turn += p->turn == UINT32_MAX ? 2 : 1; /* 0 is nobody's turn */
    struct open_query *q = place_of(p, p->turn);
    if (p->used < p->capacity)
        p->used++;
    else
        p->counters.unanswered += !q->query.answered;
    q->key = key;
    q->question = question;
    q->before = *bucket;
    q->query = (struct query){.frame = d->frame,
                              .time_ns = d->time_ns,
                              .flags = m->flags,
                              .size = (uint16_t)d->wire_size,
                              .edns = m->edns,
                              .edns_do = m->edns_do};
    *bucket = p->turn;
    return PAIR_FOUND;
}

/* The same bytes as seen last, just now; else they become what was seen last. */
static bool again(struct pair *p, struct seen *seen, bool known, uint64_t hash, int64_t time_ns)
{
    if (known && flow_twice(seen->time_ns, time_ns)) {
        p->vigilance = VIGILANCE;
        if (hash != 0 && seen->hash == hash) {
            p->counters.duplicates++;
            return true;
        }
    }
    *seen = (struct seen){hash, time_ns};
    return false;
}

/* A response without a query: seen twice? */
static bool stray_again(struct pair *p, const struct key *key, uint64_t hash, int64_t time_ns)
{
    uint64_t place = XXH3_64bits_withSeed(key, sizeof(*key), p->seed);
    struct seen *seen = &p->strays[place % STRAYS];
    return again(p, seen, seen->time_ns != 0, hash ? hash ^ place : 0, time_ns);
}

enum pair_result pair_response(struct pair *p, const struct datagram *d,
                               const struct dns_message *m, struct query *ret_query)
{
    struct key key = key_of(d, m->id, false);
    uint64_t question = m->has_question ? question_of(m) : 0, hash = 0;
    struct open_query *q = find(p, *bucket_of(p, &key), &key, m->has_question ? &question : NULL);
    if (p->vigilance > 0) {
        p->vigilance--;
        hash = XXH3_64bits_withSeed(d->bytes, d->size, p->seed);
    }
    if (!q || flow_elapsed(q->query.time_ns, d->time_ns) > p->patience_ns) {
        if (stray_again(p, &key, hash, d->time_ns))
            return PAIR_TWICE;
        p->counters.responses++;
        p->counters.unasked++;
        return PAIR_NONE;
    }
    *ret_query = q->query;
    if (again(p, &q->response, q->query.answered, hash, d->time_ns))
        return PAIR_TWICE;
    p->counters.responses++;
    p->counters.paired++;
    q->query.answered = true;
    return PAIR_FOUND;
}

void pair_finish(struct pair *p)
{
    for (uint32_t i = 0; i < p->used; i++)
        p->counters.unanswered += !place_of(p, p->turn - i)->query.answered;
    p->used = 0;
}

const struct pair_counters *pair_counters(const struct pair *p)
{
    return &p->counters;
}
