/*
 * pair: queries wait for their responses; see pair.h.
 *
 * Contained in: analyze, tests. Must never: grow, or let one client's queries cost more than their
 * places in the table.
 */
#define XXH_INLINE_ALL

#include "analyze/pair.h"

#include "analyze/table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Same addresses, ports, protocol and id. VLAN tags are left out: the two directions of a routed
 * conversation may carry different ones. */
struct key {
    uint8_t client[16], server[16];
    uint16_t client_port, server_port;
    uint16_t id;
    uint8_t proto, family;
};

struct open_query {
    struct key key;
    uint64_t question;
    struct query query;
};

struct pair {
    struct table *queries;
    int64_t patience_ns;
    struct pair_counters counters;
};

static void give_way(void *context, void *entry)
{
    struct pair *p = context;
    const struct open_query *q = entry;
    p->counters.unanswered += !q->query.answered;
}

struct pair *pair_new(const struct settings *s)
{
    struct pair *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->patience_ns = (int64_t)s->query_seconds * 1000000000;
    p->queries = table_new(s->queries, sizeof(struct open_query), sizeof(struct key), give_way, p);
    if (!p->queries) {
        free(p);
        return NULL;
    }
    return p;
}

void pair_free(struct pair *p)
{
    if (!p)
        return;
    table_free(p->queries);
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

static void forget(struct pair *p, int64_t now)
{
    struct open_query *q;
    while ((q = table_oldest(p->queries)) && flow_elapsed(q->query.time_ns, now) > p->patience_ns) {
        give_way(p, q);
        table_remove(p->queries, q);
    }
}

void pair_query(struct pair *p, const struct datagram *d, const struct dns_message *m)
{
    struct key key = key_of(d, m->id, true);
    uint64_t question = question_of(m);
    p->counters.queries++;
    forget(p, d->time_ns);
    struct open_query *q = table_find(p->queries, &key);
    while (q && q->question != question)
        q = table_find_next(p->queries, q);
    if (q && !q->query.answered) {
        table_touch(p->queries, q); /* sent again */
    } else {
        q = table_insert(p->queries, &key);
        q->question = question;
    }
    q->query = (struct query){.frame = d->frame,
                              .time_ns = d->time_ns,
                              .flags = m->flags,
                              .edns = m->edns,
                              .edns_do = m->edns_do};
}

bool pair_response(struct pair *p, const struct datagram *d, const struct dns_message *m,
                   struct query *ret_query)
{
    struct key key = key_of(d, m->id, false);
    p->counters.responses++;
    struct open_query *q = table_find(p->queries, &key);
    if (m->has_question) {
        uint64_t question = question_of(m);
        while (q && q->question != question)
            q = table_find_next(p->queries, q);
    }
    if (!q || flow_elapsed(q->query.time_ns, d->time_ns) > p->patience_ns) {
        p->counters.unasked++;
        return false;
    }
    p->counters.paired++;
    *ret_query = q->query;
    q->query.answered = true;
    return true;
}

void pair_finish(struct pair *p)
{
    struct open_query *q;
    while ((q = table_oldest(p->queries))) {
        give_way(p, q);
        table_remove(p->queries, q);
    }
}

const struct pair_counters *pair_counters(const struct pair *p)
{
    return &p->counters;
}
