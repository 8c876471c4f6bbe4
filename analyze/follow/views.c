/*
 * views: authorities that answer the same question in two ways at the same time.
 *
 * Contained in: analyze, tests. Must never: take two observations one after the other for two at
 * the same time; grow beyond its limits.
 */
#include "analyze/follow/views.h"

#include "analyze/canon.h"
#include "analyze/follow/servers.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define QUESTIONS_FIRST 4
#define AGAIN_NS        INT64_C(1000000000)
/* Changes of side that one change of the zone cannot bring about: with the second the first answer
 * is back; machines behind one address that are not in step yet may do that once. */
#define TURNS_SERVERS 2
#define TURNS_CLIENTS 3

enum reach { REACH_OTHER, REACH_DENIED, REACH_PRIVATE, REACH_PUBLIC };

struct said {          /* one answer to a question */
    struct rrset *set; /* NULL: denied */
    uint64_t data;     /* hash of the rdata, 1 denied */
    bool is_signed, do_bit;
    enum reach reach;
};

struct question { /* answered in one way so far */
    uint64_t id;  /* hash of name and type */
    struct said said;
    uint8_t family, server[16], client[16];
    int64_t time_ns;
    uint64_t frame; /* 0: none yet */
};

struct side {
    uint8_t family, server[16], client[16];
    bool is_signed;  /* it gave something signed */
    uint16_t unlike; /* sides that gave another answer to some question, by bit */
};

struct turns {    /* of two sides that are unlike, in answers to disputed questions */
    uint8_t last; /* 1 + the side that spoke last */
    uint32_t count;
    int64_t last_ns;
};

struct voice { /* a side in a dispute */
    uint8_t side, content;
    int64_t first_ns, last_ns;
    uint64_t frame; /* the latest */
};

struct dispute { /* a question that two sides answered differently */
    uint64_t id;
    uint8_t voices;
    bool ended; /* a side went over to the other's answer, or there are too many: change, or chance
                 */
    bool told;
    int64_t told_ns;
    struct said content[VIEWS_CONTENTS]; /* data 0: free */
    struct voice voice[VIEWS_SIDES];
};

struct quarrel { /* of a zone that has a dispute */
    uint8_t disputes, sides;
    bool by_signature, by_network, by_primary; /* in any question that was told of */
    struct dispute dispute[VIEWS_DISPUTES];
    struct side side[VIEWS_SIDES];
    struct turns turns[VIEWS_SIDES][VIEWS_SIDES]; /* [lower][higher] */
};

struct views {
    size_t count, room;
    struct question *question;
    struct quarrel *quarrel; /* NULL: all agree */
};

/* --- memory -------------------------------------------------------------------------------- */

static struct views *views_of(struct world *w, struct zone *zone)
{
    if (zone->views == NULL && (zone->views = calloc(1, sizeof *zone->views)) != NULL)
        w->zone_bytes += sizeof *zone->views;
    return zone->views;
}

size_t views_free(struct views *v)
{
    if (v == NULL)
        return 0;
    size_t bytes =
        sizeof *v + v->room * sizeof *v->question + (v->quarrel ? sizeof *v->quarrel : 0);
    free(v->question);
    free(v->quarrel);
    free(v);
    return bytes;
}

void views_forget(struct world *w)
{
    for (size_t i = 0; i < w->zone_buckets; i++) {
        for (struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next) {
            w->zone_bytes -= views_free(zone->views);
            zone->views = NULL;
            zone->views_disputed = false;
        }
    }
}

/* --- what was said ------------------------------------------------------------------------- */

/* Not routed in the Internet, and in use inside: RFC 1918, RFC 6598, RFC 4193. What blocks names
 * answers with 0.0.0.0 or loopback; that is no view of the zone. */
static bool is_private(const uint8_t *r, uint16_t size)
{
    if (size == 4)
        return r[0] == 10 || (r[0] == 172 && (r[1] & 0xf0) == 16) || (r[0] == 192 && r[1] == 168) ||
               (r[0] == 100 && (r[1] & 0xc0) == 64);
    return size == 16 && (r[0] & 0xfe) == 0xfc;
}

static bool is_public(const uint8_t *r, uint16_t size)
{
    if (size == 4)
        return !is_private(r, size) && r[0] != 0 && r[0] != 127 && r[0] < 224 &&
               !(r[0] == 169 && r[1] == 254);
    return size == 16 && (r[0] & 0xe0) == 0x20; /* 2000::/3 */
}

static enum reach reach_of(const struct rrset *set)
{
    uint16_t size;
    bool all_private = true, all_public = true;
    if (set->type != TYPE_A && set->type != TYPE_AAAA)
        return REACH_OTHER;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;) {
        all_private &= is_private(r, size);
        all_public &= is_public(r, size);
    }
    return all_private ? REACH_PRIVATE : all_public ? REACH_PUBLIC : REACH_OTHER;
}

bool views_apart(const struct rrset *a, const struct rrset *b)
{
    enum reach x = reach_of(a), y = reach_of(b);
    return (x == REACH_PRIVATE && y == REACH_PUBLIC) || (x == REACH_PUBLIC && y == REACH_PRIVATE);
}

static uint64_t data_of(const struct rrset *set)
{
    uint64_t hash = set->type;
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;)
        hash = XXH3_64bits_withSeed(r, size, hash + size);
    return hash | 2; /* never that of a denial */
}

static bool read_said(const struct answer *a, struct said *ret)
{
    struct said said = {.data = 1, .reach = REACH_DENIED, .do_bit = a->do_known && a->do_bit};
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        bool answers = a->kind == ANSWER_POSITIVE && s->section == SECTION_ANSWER &&
                       (s->set->type == a->qtype || s->set->type == TYPE_CNAME) &&
                       name_equal(s->set->owner, a->qname);
        if (a->kind != ANSWER_POSITIVE)
            said.is_signed |= s->set->signatures > 0;
        if (!answers)
            continue;
        said.set = s->set;
        said.is_signed = s->set->signatures > 0;
    }
    if (said.set) {
        said.data = data_of(said.set);
        said.reach = reach_of(said.set);
    }
    *ret = said;
    return said.set || a->kind != ANSWER_POSITIVE;
}

/* Without DO=1 nobody is told of signatures. */
static bool same_said(const struct said *a, const struct said *b)
{
    return a->data == b->data && (a->is_signed == b->is_signed || !a->do_bit || !b->do_bit);
}

/* Each server, or each question, may have its own, by design; or other rules compare them. */
static bool is_comparable(uint16_t type)
{
    switch (type) {
    case TYPE_DS:
    case TYPE_CDS:
    case TYPE_CDNSKEY:
    case TYPE_NSEC:
    case TYPE_NSEC3PARAM:
    case TYPE_RRSIG:
    case TYPE_NS:
        return false;
    default:
        return type < 128 ||
               type > 255; /* not for the transfer, nor for all types (RFC 6895 3.1) */
    }
}

/* --- sides --------------------------------------------------------------------------------- */

static bool same_side(const struct side *s, uint8_t family, const uint8_t server[16],
                      const uint8_t client[16])
{
    return s->family == family && memcmp(s->server, server, 16) == 0 &&
           memcmp(s->client, client, 16) == 0;
}

/* What the side gave before anybody disputed it. */
static void recall_side(const struct views *v, struct side *side)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct question *q = &v->question[i];
        if (same_side(side, q->family, q->server, q->client))
            side->is_signed |= q->said.is_signed;
    }
}

/* Its index, or VIEWS_SIDES. */
static uint8_t side_at(struct views *v, uint8_t family, const uint8_t server[16],
                       const uint8_t client[16])
{
    struct quarrel *all = v->quarrel;
    uint8_t i = 0;
    while (i < all->sides && !same_side(&all->side[i], family, server, client))
        i++;
    if (i < all->sides || i == VIEWS_SIDES)
        return i;
    struct side *side = &all->side[all->sides++];
    *side = (struct side){.family = family};
    memcpy(side->server, server, 16);
    memcpy(side->client, client, 16);
    recall_side(v, side);
    return i;
}

static bool one_server(const struct side *a, const struct side *b)
{
    return a->family == b->family && memcmp(a->server, b->server, 16) == 0;
}

static struct turns *turns_between(struct quarrel *all, uint8_t a, uint8_t b)
{
    return a < b ? &all->turns[a][b] : &all->turns[b][a];
}

/* An answer to a disputed question: a turn for each side unlike this one that spoke last. */
static void take_turns(struct quarrel *all, uint8_t side, int64_t time_ns)
{
    for (uint8_t other = 0; other < all->sides; other++) {
        if (!(all->side[side].unlike >> other & 1))
            continue;
        struct turns *t = turns_between(all, side, other);
        if (t->last && time_ns < t->last_ns)
            continue;
        t->count += t->last == other + 1;
        t->last = (uint8_t)(side + 1);
        t->last_ns = time_ns;
    }
}

/* --- disputes ------------------------------------------------------------------------------ */

static struct dispute *dispute_of(struct quarrel *all, uint64_t id)
{
    for (uint8_t i = 0; all && i < all->disputes; i++)
        if (all->dispute[i].id == id)
            return &all->dispute[i];
    return NULL;
}

/* NULL if there is no room; one that has ended gives way. */
static struct dispute *new_dispute(struct world *w, struct views *v, uint64_t id)
{
    if (v->quarrel == NULL) {
        v->quarrel = calloc(1, sizeof *v->quarrel);
        if (v->quarrel == NULL)
            return NULL;
        w->zone_bytes += sizeof *v->quarrel;
    }
    struct quarrel *all = v->quarrel;
    struct dispute *d = all->disputes < VIEWS_DISPUTES ? &all->dispute[all->disputes++] : NULL;
    for (uint8_t i = 0; i < all->disputes && d == NULL; i++)
        if (all->dispute[i].ended)
            d = &all->dispute[i];
    if (d)
        *d = (struct dispute){.id = id, .told_ns = INT64_MIN};
    return d;
}

/* How many sides give that answer. */
static unsigned speakers(const struct dispute *d, uint8_t content)
{
    unsigned count = 0;
    for (uint8_t i = 0; i < d->voices; i++)
        count += d->voice[i].content == content;
    return count;
}

/* Its index, in place of one that nobody gives any more if it is new; or VIEWS_CONTENTS. */
static uint8_t content_at(struct dispute *d, const struct said *said)
{
    uint8_t free = VIEWS_CONTENTS;
    for (uint8_t i = 0; i < VIEWS_CONTENTS; i++) {
        if (speakers(d, i) == 0) {
            free = i;
        } else if (same_said(&d->content[i], said)) {
            if (said->do_bit) /* tells whether it is signed */
                d->content[i] = *said;
            return i;
        }
    }
    if (free < VIEWS_CONTENTS)
        d->content[free] = *said;
    return free;
}

static struct voice *voice_at(struct dispute *d, uint8_t side)
{
    for (uint8_t i = 0; i < d->voices; i++)
        if (d->voice[i].side == side)
            return &d->voice[i];
    return NULL;
}

static void set_unlike(struct quarrel *all, const struct dispute *d, const struct voice *voice)
{
    for (uint8_t i = 0; i < d->voices; i++) {
        if (d->voice[i].content == voice->content)
            continue;
        all->side[voice->side].unlike |= (uint16_t)(1u << d->voice[i].side);
        all->side[d->voice[i].side].unlike |= (uint16_t)(1u << voice->side);
    }
}

/* One side gave that answer. */
static void speak(struct quarrel *all, struct dispute *d, uint8_t side, const struct said *said,
                  int64_t time_ns, uint64_t frame)
{
    if (side == VIEWS_SIDES || d->ended)
        return;
    struct voice *voice = voice_at(d, side);
    bool stays = voice && same_said(&d->content[voice->content], said);
    if (voice && !stays && speakers(d, voice->content) == 1)
        voice->content = VIEWS_CONTENTS; /* its old answer gives way */
    uint8_t content = stays ? voice->content : content_at(d, said);
    /* A new answer is a change on one side; the other side's is the end of the dispute. */
    d->ended = content == VIEWS_CONTENTS || (voice && !stays && speakers(d, content) > 0);
    if (d->ended)
        return;
    all->side[side].is_signed |= said->is_signed;
    if (voice == NULL) {
        voice = &d->voice[d->voices++];
        *voice = (struct voice){.side = side, .first_ns = time_ns, .last_ns = time_ns};
    }
    voice->content = content;
    voice->frame = frame;
    if (time_ns > voice->last_ns)
        voice->last_ns = time_ns;
    set_unlike(all, d, voice);
}

/* --- what they differ in ------------------------------------------------------------------- */

static const struct server *server_of(const struct zone *zone, const struct side *side)
{
    struct flow flow = {.family = side->family};
    memcpy(flow.src, side->server, sizeof flow.src);
    return zone->servers ? servers_find(zone->servers, &flow) : NULL;
}

static bool soa_differs(const struct server *a, const struct server *b)
{
    return a->soa && b->soa && (a->primary != b->primary || a->serial != b->serial);
}

static bool names_other_primary(const struct said *a, const struct said *b)
{
    uint16_t size;
    if (!a->set || !b->set || a->set->type != TYPE_SOA || b->set->type != TYPE_SOA)
        return false;
    const uint8_t *x = rrset_record(a->set, NULL, &size), *y = rrset_record(b->set, NULL, &size);
    return x && y && !name_equal(x, y);
}

struct pair { /* two sides in a dispute */
    const struct voice *voice[2];
    const struct side *side[2];
    const struct said *said[2];
    const struct server *server[2];
    bool one_server;
};

/* That a zone without signatures has no keys is no difference of data. */
static bool is_other_data(const struct said *a, const struct said *b)
{
    const struct rrset *set = a->set ? a->set : b->set;
    return a->data != b->data && set && set->type != TYPE_DNSKEY;
}

static bool differ(const struct pair *p, struct views_told *ret)
{
    const struct said *a = p->said[0], *b = p->said[1];
    bool plain_a = !a->is_signed && !p->side[0]->is_signed;
    bool plain_b = !b->is_signed && !p->side[1]->is_signed;
    ret->by_signature =
        a->do_bit && b->do_bit && ((a->is_signed && plain_b) || (b->is_signed && plain_a)) &&
        (is_other_data(a, b) || (!p->one_server && soa_differs(p->server[0], p->server[1])));
    ret->by_network =
        (a->reach == REACH_PRIVATE && (b->reach == REACH_PUBLIC || b->reach == REACH_DENIED)) ||
        (b->reach == REACH_PRIVATE && (a->reach == REACH_PUBLIC || a->reach == REACH_DENIED));
    ret->by_primary = p->one_server && names_other_primary(a, b);
    return ret->by_signature || ret->by_network || ret->by_primary;
}

/* May a version of the zone that is on its way explain it? */
static bool is_lag(const struct zone *zone, const struct pair *p)
{
    uint32_t turns =
        turns_between(zone->views->quarrel, p->voice[0]->side, p->voice[1]->side)->count;
    if (p->one_server)
        return turns < TURNS_CLIENTS;
    if (turns < TURNS_SERVERS)
        return true;
    const struct server *a = p->server[0], *b = p->server[1];
    if (a->soa && b->soa && (a->primary != b->primary || a->serial == b->serial))
        return false;
    int64_t from = p->voice[0]->first_ns, to = p->voice[0]->last_ns;
    from = p->voice[1]->first_ns > from ? p->voice[1]->first_ns : from;
    to = p->voice[1]->last_ns < to ? p->voice[1]->last_ns : to;
    int64_t refresh_ns =
        zone->servers->refresh ? (int64_t)zone->servers->refresh * AGAIN_NS : SERVERS_REFRESH_NS;
    return flow_elapsed(from, to) <= refresh_ns;
}

static bool find_pair(const struct zone *zone, const struct dispute *d, struct views_told *ret)
{
    const struct quarrel *all = zone->views->quarrel;
    for (uint8_t i = 1; i < d->voices && !d->ended; i++) {
        for (uint8_t k = 0; k < i; k++) {
            if (d->voice[i].content == d->voice[k].content)
                continue;
            struct pair p = {.voice = {&d->voice[k], &d->voice[i]}};
            for (size_t n = 0; n < 2; n++) {
                p.side[n] = &all->side[p.voice[n]->side];
                p.said[n] = &d->content[p.voice[n]->content];
                p.server[n] = server_of(zone, p.side[n]);
            }
            p.one_server = one_server(p.side[0], p.side[1]);
            if (!p.server[0] || !p.server[1] || is_lag(zone, &p) || !differ(&p, ret))
                continue;
            for (size_t n = 0; n < 2; n++)
                ret->side[n] = (struct views_side_told){.family = p.side[n]->family,
                                                        .server = p.side[n]->server,
                                                        .client = p.side[n]->client,
                                                        .set = p.said[n]->set,
                                                        .is_signed = p.said[n]->is_signed,
                                                        .do_bit = p.said[n]->do_bit,
                                                        .frame = p.voice[n]->frame};
            return true;
        }
    }
    return false;
}

/* --- a response ---------------------------------------------------------------------------- */

static struct question *question_at(struct world *w, struct views *v, uint64_t id)
{
    size_t oldest = 0;
    for (size_t i = 0; i < v->count; i++) {
        if (v->question[i].id == id)
            return &v->question[i];
        if (v->question[i].time_ns < v->question[oldest].time_ns)
            oldest = i;
    }
    if (v->count == v->room && v->room < VIEWS_QUESTIONS) {
        size_t room = v->room ? v->room * 2 : QUESTIONS_FIRST;
        struct question *more = realloc(v->question, room * sizeof *more);
        if (more == NULL)
            return NULL;
        w->zone_bytes += (room - v->room) * sizeof *more;
        v->question = more;
        v->room = room;
    }
    struct question *q = v->count < v->room ? &v->question[v->count++] : &v->question[oldest];
    *q = (struct question){.id = id};
    return q;
}

static void set_question(struct question *q, const struct said *said, const struct flow *flow,
                         int64_t time_ns, uint64_t frame)
{
    q->said = *said;
    q->family = flow->family;
    memcpy(q->server, flow->src, sizeof q->server);
    memcpy(q->client, flow->dst, sizeof q->client);
    q->time_ns = time_ns;
    q->frame = frame;
}

/* The dispute about it, or NULL while nobody disagreed. */
static struct dispute *note(struct world *w, struct views *v, uint64_t id, const struct said *said,
                            const struct flow *flow, int64_t time_ns, uint64_t frame)
{
    struct dispute *d = dispute_of(v->quarrel, id);
    uint8_t first = VIEWS_SIDES;
    int64_t first_ns = 0;
    if (d == NULL) {
        struct question *q = question_at(w, v, id);
        if (q == NULL)
            return NULL;
        bool one_side = q->family == flow->family && memcmp(q->server, flow->src, 16) == 0 &&
                        memcmp(q->client, flow->dst, 16) == 0;
        if (q->frame == 0 || one_side || same_said(&q->said, said)) {
            set_question(q, said, flow, time_ns, frame);
            return NULL;
        }
        d = new_dispute(w, v, id);
        if (d == NULL)
            return NULL;
        first = side_at(v, q->family, q->server, q->client);
        first_ns = q->time_ns;
        speak(v->quarrel, d, first, &q->said, first_ns, q->frame);
    }
    uint8_t side = side_at(v, flow->family, flow->src, flow->dst);
    speak(v->quarrel, d, side, said, time_ns, frame);
    if (first < VIEWS_SIDES)
        take_turns(v->quarrel, first, first_ns);
    if (side < VIEWS_SIDES)
        take_turns(v->quarrel, side, time_ns);
    return d;
}

/* Has it shown itself to be one of the zone's? */
static bool is_authority(const struct zone *zone, const struct flow *flow)
{
    return zone->servers && servers_find(zone->servers, flow);
}

/* What the views of the zone differ in altogether. */
static void sum_up(struct quarrel *all, struct views_told *told)
{
    told->by_signature = all->by_signature |= told->by_signature;
    told->by_network = all->by_network |= told->by_network;
    told->by_primary = all->by_primary |= told->by_primary;
}

bool views_seen(struct answers *t, struct answer *a, const struct flow *flow, int64_t time_ns,
                uint64_t frame, views_on_told *on_told, void *context)
{
    struct said said;
    if (a->home == NULL && a->qname_size)
        a->home = world_home(&t->world, a->qname, a->qtype, answers_clock(t, time_ns));
    struct zone *zone = a->home;
    if (zone == NULL || !is_comparable(a->qtype) || !is_authority(zone, flow) ||
        !read_said(a, &said))
        return false;
    struct views *v = views_of(&t->world, zone);
    if (v == NULL)
        return false;
    uint64_t id = XXH3_64bits_withSeed(a->qname, a->qname_size, t->world.seed + a->qtype);
    struct dispute *d = note(&t->world, v, id, &said, flow, time_ns, frame);
    if (d == NULL)
        return false;
    zone->views_disputed = true;
    struct views_told told = {.zone = zone};
    bool stands = find_pair(zone, d, &told);
    if (!stands && !d->told)
        return true;
    if (stands && d->told && flow_elapsed(d->told_ns, time_ns) < AGAIN_NS)
        return true;
    told.over = !stands;
    d->told = stands;
    d->told_ns = time_ns;
    sum_up(v->quarrel, &told);
    on_told(context, &told);
    return true;
}
