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

#include "analyze/decode/pair.h"

#include <netinet/in.h>
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

/* Queries with DO=1 that are found again by who asked whom what: in the cache, and enough for those
 * of the last seconds that are still in vain. */
#define HOPES 16384
/* A query that is sent again without EDNS follows so soon: resolvers give up long before. */
#define FALLBACK_NS    (10 * INT64_C(1000000000))
#define RCODE_FORMERR  1
#define RCODE_SERVFAIL 2
#define RCODE_NOTIMP   4

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
    uint8_t rcode;        /* if answered: of the header */
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
    uint32_t hopes[HOPES]; /* turns of queries with DO=1, see hope_of */
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

uint64_t pair_question(const struct dns_message *m)
{
    return m->has_question ? question_of(m) : 0;
}

uint32_t pair_capacity(const struct pair *p)
{
    return p->capacity;
}

static struct open_query *place_of(const struct pair *p, uint32_t turn)
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

static void count_up(uint8_t *count)
{
    if (*count < UINT8_MAX)
        ++*count;
}

/* The first copy of a query that came twice, if it is the newest of its bucket. */
static struct open_query *first_copy(struct pair *p, uint32_t turn, const struct key *key,
                                     uint64_t question, const struct datagram *d,
                                     const struct dns_message *m)
{
    uint32_t age = p->turn - turn;
    if (turn == 0 || age >= p->used || age >= RECENT)
        return NULL;
    struct open_query *q = place_of(p, turn);
    bool same = q->question == question && q->query.size == (uint16_t)d->wire_size &&
                q->query.flags == m->flags && memcmp(&q->key, key, sizeof(*key)) == 0;
    return same && flow_twice(q->query.time_ns, d->time_ns) ? q : NULL;
}

/* The place for who asked whom what, whatever the port and id. Every query with DO=1 passes here:
 * two multiplications; keyed, and a collision only forgets. */
static uint32_t *hope_of(struct pair *p, const struct key *key, uint64_t question)
{
    uint64_t part[4];
    memcpy(part, key, sizeof(part)); /* client and server, which come first */
    uint64_t mixed = (part[0] ^ part[1] ^ question) * (p->seed | 1);
    mixed = (mixed ^ mixed >> 32 ^ part[2] ^ part[3]) * UINT64_C(0x9e3779b97f4a7c15);
    return &p->hopes[mixed >> 32 & (HOPES - 1)];
}

/* In vain: no answer, or one that does not speak EDNS (RFC 6891 7). Servers that choke on it say
 * SERVFAIL too; resolvers do for many other reasons. */
static bool in_vain(const struct open_query *q)
{
    bool recursion = (q->query.flags & DNS_RD) != 0;
    return !q->query.answered || q->rcode == RCODE_FORMERR || q->rcode == RCODE_NOTIMP ||
           (q->rcode == RCODE_SERVFAIL && !recursion);
}

/* The frame of the try with DO=1 that this query without EDNS follows; 0 none. */
static uint64_t falls_back(struct pair *p, const struct key *key, uint64_t question,
                           int64_t time_ns)
{
    uint32_t turn = *hope_of(p, key, question), age = p->turn - turn;
    if (turn == 0 || age >= p->used)
        return 0;
    const struct open_query *q = place_of(p, turn);
    int64_t waited = flow_elapsed(q->query.time_ns, time_ns);
    bool same = q->query.edns_do && q->question == question &&
                memcmp(q->key.client, key->client, sizeof(key->client)) == 0 &&
                memcmp(q->key.server, key->server, sizeof(key->server)) == 0 &&
                q->key.server_port == key->server_port && q->key.proto == key->proto;
    return same && waited >= 0 && waited <= FALLBACK_NS && in_vain(q) ? q->query.frame : 0;
}

enum pair_result pair_query(struct pair *p, const struct datagram *d, const struct dns_message *m,
                            uint64_t *ret_first)
{
    struct key key = key_of(d, m->id, true);
    uint64_t question = question_of(m);
    uint32_t *bucket = bucket_of(p, &key);
    struct open_query *first = first_copy(p, *bucket, &key, question, d, m);
    if (first) {
        p->counters.duplicates++;
        p->vigilance = VIGILANCE;
        count_up(&first->query.asked);
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
                              .edns_do = m->edns_do,
                              .turn = p->turn,
                              .asked = 1};
    *bucket = p->turn;
    if (d->flow.proto == IPPROTO_UDP) {
        if (m->edns_do)
            *hope_of(p, &key, question) = p->turn;
        else if (!m->edns)
            q->query.fallback = falls_back(p, &key, question, d->time_ns);
    }
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

/* A query that was sent again with the same id and port is another one in the ring, and may have
 * its own response: they count together. Rare: only for a query that has a response already. */
static void add_siblings(const struct pair *p, const struct open_query *q, int64_t time_ns,
                         struct query *ret_query)
{
    unsigned asked = q->query.asked, replies = q->query.replies;
    uint32_t turn = q->before, age = p->turn - q->query.turn;
    for (unsigned probes = 0; probes < PROBES_MAX && turn != 0; probes++) {
        uint32_t its_age = p->turn - turn;
        if (its_age >= p->used || its_age <= age)
            break;
        const struct open_query *older = place_of(p, turn);
        if (flow_elapsed(older->query.time_ns, time_ns) > p->patience_ns)
            break;
        if (older->question == q->question && memcmp(&older->key, &q->key, sizeof(q->key)) == 0) {
            asked += older->query.asked;
            replies += older->query.replies;
        }
        age = its_age;
        turn = older->before;
    }
    ret_query->asked = (uint8_t)(asked < UINT8_MAX ? asked : UINT8_MAX);
    ret_query->replies = (uint8_t)(replies < UINT8_MAX ? replies : UINT8_MAX);
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
    if (q->query.answered)
        add_siblings(p, q, d->time_ns, ret_query);
    count_up(&q->query.replies);
    if (again(p, &q->response, q->query.answered, hash, d->time_ns))
        return PAIR_TWICE;
    p->counters.responses++;
    p->counters.paired++;
    q->query.answered = true;
    q->rcode = m->flags & 15u;
    return PAIR_FOUND;
}

int64_t pair_survey(const struct pair *p, uint8_t family, const uint8_t client[16],
                    int64_t since_ns, pair_on_query *on_query, void *context)
{
    int64_t covered = p->used < p->capacity ? since_ns : INT64_MAX;
    for (uint32_t i = 0; i < p->used; i++) {
        const struct open_query *q = place_of(p, p->turn - i);
        if (q->query.time_ns < since_ns)
            return since_ns;
        if (i + 1 == p->used && p->used == p->capacity)
            covered = q->query.time_ns;
        if (q->key.family != family || memcmp(q->key.client, client, sizeof(q->key.client)) != 0)
            continue;
        const struct pair_asked asked = {.server = q->key.server,
                                         .question = q->question,
                                         .frame = q->query.frame,
                                         .time_ns = q->query.time_ns,
                                         .answered = q->query.answered};
        if (!on_query(context, &asked))
            break;
    }
    return covered;
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
