/*
 * blocked: TCP that does not come about; see blocked.h.
 *
 * Contained in: analyze, tests. Must never: claim that there was no SYN where the tap shows no TCP,
 * unless the client itself shows that it has no answer.
 */
#include "analyze/follow/blocked.h"

#include "analyze/decode/packet.h"
#include "analyze/decode/table.h"
#include "analyze/follow/transport.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define PATHS     1024
#define QUESTIONS 4
#define FRAMES    12
/* A SYN that is not answered is sent again after one second, then after two (RFC 6298 2, 5.5). Not
 * answered are SYNs that have waited for three seconds, one that was sent twice more, and one that
 * was sent once more and has waited for as long again: some resolvers give up after that. */
#define PATIENCE_NS (3 * SECOND_NS)
#define RESEND_NS   (SECOND_NS - SECOND_NS / 10)
#define REPLY_NS    (SECOND_NS / 5)
/* What the client asks again so soon it has not got: caches keep answers longer. */
#define AGAIN_NS (30 * SECOND_NS)
/* At least so long between the first and the last time that it is asked: not one burst. But who
 * asks several servers, the same again and again without a pause, has no answer either. */
#define SPREAD_NS  (1 * SECOND_NS)
#define BURST_MANY 4 /* times the threshold */
/* After so long without another truncated answer counting begins anew. */
#define IDLE_NS (120 * SECOND_NS)

struct asked {
    uint64_t question;
    uint32_t count; /* answers with TC=1 */
    int64_t first_ns, last_ns;
};

struct path { /* a client and a server that truncated something for it */
    uint8_t client[16], server[16];
    uint8_t family;
    bool recursion; /* the last query had RD=1: a client that may have neither cache nor TCP */
    uint16_t type;  /* of the last question */
    uint32_t truncated, syns, refused, told; /* told: of `truncated` */
    enum transport_kind kind;                /* as told */
    bool certain;                            /* as told */
    uint16_t syn_port;                       /* of the last SYN, */
    uint16_t resent;                         /* so often it was sent again */
    int64_t syn_last_ns;                     /* and its time: the mirror may show it twice */
    int64_t first_ns, last_ns;               /* answers with TC=1 */
    int64_t syn_ns;                          /* of the first SYN without reply */
    struct asked asked[QUESTIONS];
    uint64_t frames[FRAMES];
    uint8_t frame_count;
    uint8_t name[NAME_MAX_BYTES];
};
#define PATH_KEY 33

struct blocked {
    struct table *paths;
    struct teller *teller;
    bool tcp_seen; /* the tap shows handshakes */
};

struct blocked *blocked_new(struct teller *teller)
{
    struct blocked *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->teller = teller;
    b->paths = table_new(PATHS, sizeof(struct path), PATH_KEY, NULL, NULL);
    if (!b->paths) {
        free(b);
        return NULL;
    }
    return b;
}

void blocked_free(struct blocked *b)
{
    if (!b)
        return;
    table_free(b->paths);
    free(b);
}

static void put_key(uint8_t key[PATH_KEY], const uint8_t *client, const uint8_t *server,
                    uint8_t family)
{
    memcpy(key, client, 16);
    memcpy(key + 16, server, 16);
    key[32] = family;
}

/* The path of a packet, seen from the client, or NULL. */
static struct path *find(struct blocked *b, const struct flow *f, bool from_client)
{
    uint8_t key[PATH_KEY];
    if (table_count(b->paths) == 0)
        return NULL;
    put_key(key, from_client ? f->src : f->dst, from_client ? f->dst : f->src, f->family);
    return table_find(b->paths, key);
}

static void restart(struct path *p)
{
    memset((uint8_t *)p + PATH_KEY, 0, sizeof(*p) - PATH_KEY);
}

static void cite(struct blocked *b, struct path *p, uint64_t frame)
{
    if (frame == 0 || p->frame_count == FRAMES)
        return;
    p->frames[p->frame_count++] = frame;
    b->teller->hold(b->teller->context, &frame, 1);
}

/* --- judging --- */

/* What was told of the path is over. */
static void end(struct blocked *b, const struct path *p, int64_t now_ns)
{
    const struct fact_transport what = {.kind = p->kind,
                                        .over = true,
                                        .family = p->family,
                                        .client = p->client,
                                        .server = p->server};
    const struct fact fact = {.kind = FACT_TRANSPORT,
                              .time_ns = now_ns,
                              .clock_ns = now_ns,
                              .observed = {.owner = p->name, .type = p->type},
                              .transport = &what};
    if (p->told)
        b->teller->fact(b->teller->context, &fact);
}

static void tell(struct blocked *b, struct path *p, enum transport_kind kind, uint64_t part,
                 bool certain, int64_t now_ns)
{
    bool known = p->told && p->kind == kind;
    if (known && p->truncated < p->told * 2 && (p->certain || !certain))
        return;
    if (!known)
        end(b, p, now_ns);
    p->told = p->truncated;
    p->kind = kind;
    p->certain = certain;
    const struct fact_transport what = {.kind = kind,
                                        .family = p->family,
                                        .client = p->client,
                                        .server = p->server,
                                        .part = part,
                                        .all = p->truncated,
                                        .from_ns = p->first_ns,
                                        .certain = certain};
    struct fact fact = {.kind = FACT_TRANSPORT,
                        .time_ns = now_ns,
                        .clock_ns = now_ns,
                        .frames = p->frames,
                        .frame_count = p->frame_count,
                        .tc = true,
                        .observed = {.owner = p->name, .type = p->type},
                        .server_family = p->family,
                        .server = p->server,
                        .transport = &what};
    b->teller->fact(b->teller->context, &fact);
}

static const struct asked *asked_of(const struct path *p, uint64_t question)
{
    for (size_t i = 0; i < QUESTIONS; i++)
        if (p->asked[i].count && p->asked[i].question == question)
            return &p->asked[i];
    return NULL;
}

/* How often this client was told TC=1 for the question lately, by all its servers; and how many
 * these are. */
static uint64_t asked_of_all(struct blocked *b, const struct path *p, uint64_t question,
                             int64_t now_ns, unsigned *ret_servers)
{
    uint64_t count = 0;
    *ret_servers = 0;
    for (struct path *o = table_oldest(b->paths); o; o = table_newer(b->paths, o)) {
        const struct asked *a = asked_of(o, question);
        if (a && o->family == p->family && memcmp(o->client, p->client, 16) == 0 &&
            flow_elapsed(a->last_ns, now_ns) <= AGAIN_NS) {
            count += a->count;
            ++*ret_servers;
        }
    }
    return count;
}

/* Several servers truncated the same for this client, and each has refused it: a resolver that
 * gives up after one attempt at each gets no further. */
static bool is_refused_by_all(struct blocked *b, const struct path *p, int64_t now_ns)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        unsigned servers = 0, refusing = 0;
        for (struct path *o = table_oldest(b->paths); o; o = table_newer(b->paths, o)) {
            const struct asked *a = p->asked[i].count ? asked_of(o, p->asked[i].question) : NULL;
            if (a == NULL || o->family != p->family || memcmp(o->client, p->client, 16) != 0 ||
                flow_elapsed(a->last_ns, now_ns) > AGAIN_NS)
                continue;
            servers++;
            refusing += o->refused > 0 && o->refused == o->syns;
        }
        if (servers > 1 && refusing == servers)
            return true;
    }
    return false;
}

static bool is_silent(const struct path *p, uint64_t least, int64_t now_ns)
{
    int64_t waited = flow_elapsed(p->syn_last_ns, now_ns);
    bool in_vain =
        (p->resent >= 2 && waited >= REPLY_NS) || (p->resent == 1 && waited >= SECOND_NS);
    bool long_ago = p->syns >= least && flow_elapsed(p->syn_ns, now_ns) >= PATIENCE_NS;
    return p->refused == 0 && p->syns > 0 && (in_vain || long_ago);
}

static void judge(struct blocked *b, struct path *p, int64_t now_ns)
{
    uint64_t least = b->teller->thresholds->tcp;
    if (p->truncated == 0)
        return;
    if (p->refused >= least || (p->refused > 0 && is_refused_by_all(b, p, now_ns))) {
        tell(b, p, TRANSPORT_TCP_REFUSED, p->refused, true, now_ns);
    } else if (is_silent(p, least, now_ns)) {
        tell(b, p, TRANSPORT_TCP_SILENT, p->syns, true, now_ns);
    } else if (p->syns == 0 && !p->recursion) {
        for (size_t i = 0; i < QUESTIONS; i++) {
            const struct asked *a = &p->asked[i];
            unsigned servers;
            uint64_t all = asked_of_all(b, p, a->question, now_ns, &servers);
            bool pressing = servers > 1 && all >= BURST_MANY * least;
            bool spread = flow_elapsed(a->first_ns, a->last_ns) >= SPREAD_NS;
            if (a->count < least || !(spread || pressing))
                continue;
            bool certain = b->tcp_seen || all >= 2 * least;
            tell(b, p, TRANSPORT_TCP_UNSEEN, a->count, certain, now_ns);
        }
    }
}

void blocked_sweep(struct blocked *b, int64_t now_ns)
{
    for (struct path *p = table_oldest(b->paths); p; p = table_newer(b->paths, p))
        if (p->syns > 0)
            judge(b, p, now_ns);
}

/* --- what happens --- */

static void note_question(struct path *p, uint64_t question, int64_t now_ns)
{
    struct asked *place = NULL, *oldest = &p->asked[0];
    for (size_t i = 0; i < QUESTIONS && !place; i++) {
        struct asked *a = &p->asked[i];
        if (a->count == 0 || a->question == question)
            place = a;
        if (a->last_ns < oldest->last_ns)
            oldest = a;
    }
    if (!place)
        place = oldest;
    bool again = place->count && place->question == question &&
                 flow_elapsed(place->first_ns, now_ns) <= AGAIN_NS;
    if (!again)
        *place = (struct asked){question, 0, now_ns, now_ns};
    place->count++;
    place->last_ns = now_ns;
}

void blocked_truncated(struct blocked *b, const struct datagram *dg, const struct dns_message *m,
                       const struct query *query)
{
    const struct dns_owner *name = &m->owners[m->qname];
    struct path *p = find(b, &dg->flow, false);
    if (DNS_OPCODE(m->flags) != 0 || !m->has_question)
        return;
    if (p) {
        table_touch(b->paths, p);
    } else {
        uint8_t key[PATH_KEY];
        put_key(key, dg->flow.dst, dg->flow.src, dg->flow.family);
        p = table_insert(b->paths, key);
        restart(p);
    }
    if (p->truncated && !p->told && flow_elapsed(p->last_ns, dg->time_ns) > IDLE_NS)
        restart(p);
    if (p->truncated++ == 0)
        p->first_ns = dg->time_ns;
    p->last_ns = dg->time_ns;
    p->recursion = (query->flags & DNS_RD) != 0;
    p->type = m->qtype;
    memcpy(p->name, name->name, name->size);
    note_question(p, pair_question(m), dg->time_ns);
    cite(b, p, query->frame);
    cite(b, p, dg->frame);
    judge(b, p, dg->time_ns);
}

/* TCP works between the two, as far as can be seen. */
static void works(struct blocked *b, struct path *p, int64_t now_ns)
{
    end(b, p, now_ns);
    restart(p);
}

void blocked_signal(struct blocked *b, const struct flow *flow, uint8_t flags, int64_t time_ns,
                    uint64_t frame)
{
    bool syn = (flags & TCP_SYN) != 0, ack = (flags & TCP_ACK) != 0;
    b->tcp_seen |= syn && ack;
    struct path *p = find(b, flow, syn && !ack);
    if (!p || p->truncated == 0)
        return;
    if (syn && ack) {
        works(b, p, time_ns);
    } else if (syn) {
        bool same = p->syns && p->syn_port == flow->sport;
        bool copy = same && flow_twice(p->syn_last_ns, time_ns);
        bool resent = same && flow_elapsed(p->syn_last_ns, time_ns) >= RESEND_NS;
        if (resent)
            judge(b, p, time_ns); /* as it stands before this one */
        p->syn_port = flow->sport;
        p->syn_last_ns = time_ns;
        if (copy)
            return;
        p->resent = resent ? (uint16_t)(p->resent + 1) : 0;
        if (p->syns == 0 || flow_elapsed(p->syn_ns, time_ns) > IDLE_NS) {
            p->syns = 0;
            p->syn_ns = time_ns;
        }
        p->syns++;
        cite(b, p, frame);
        judge(b, p, time_ns);
    } else if (p->syns > p->refused) { /* RST of the server, which has not accepted */
        p->refused++;
        cite(b, p, frame);
        judge(b, p, time_ns);
    }
}

void blocked_asked(struct blocked *b, const struct flow *flow, int64_t time_ns)
{
    struct path *p = find(b, flow, true);
    if (p)
        works(b, p, time_ns);
}

void blocked_answered(struct blocked *b, const struct flow *flow, int64_t time_ns)
{
    b->tcp_seen = true;
    struct path *p = find(b, flow, false);
    if (p)
        works(b, p, time_ns);
}
