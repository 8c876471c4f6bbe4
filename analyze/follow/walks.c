/*
 * walks: who follows a chain, who gathers hashes.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/follow/walks.h"

#include "analyze/canon.h"
#include "analyze/validate/denial.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SECOND_NS INT64_C(1000000000)
#define WAYS      4 /* of a set in the table */
#define SETS      (WALKS_MAX / WAYS)
#define CLIENTS   4096
/* A walk goes on after a pause of so long; a collection is looked at for so long at least. */
#define WALK_PAUSE_NS    (1800 * SECOND_NS)
#define COLLECT_PAUSE_NS (60 * SECOND_NS)
#define OVER_NS          (3600 * SECOND_NS)
#define REVIEW_NS        (60 * SECOND_NS)
/* Answers in between that do not follow the chain: other questions of the same client. */
#define STRAYS_MAX 8
/* There is more to tell after so many steps, or so many answers with hashes. */
#define TELL_STEPS  8
#define TELL_HASHES 16
/* What a collector looks like: questions; answers to the same client, one in so many, that are no
 * NXDOMAIN for a single label below the zone, or of other zones; and questions a second. */
#define COLLECT_LEAST  12
#define COLLECT_OTHERS 20
#define COLLECT_FREE   12 /* beside: servers and keys of the zone and of those above it … */
#define COLLECT_START  4  /* … but not before there are so many times as many questions */
#define COLLECT_RATE   5
#define BLOOM_BITS     1024

struct walk { /* of one client in one zone */
    uint64_t id;
    int64_t last_ns;
    uint8_t *told; /* the zone's name, once there was something to tell; owned */
    uint8_t client_family, client[16];
    /* along NSEC; names by hash */
    int64_t from_ns;
    uint64_t start, owner, next, weak, steps;
    unsigned strays;
    bool whole;
    /* NSEC3 */
    int64_t collect_ns;
    uint64_t denials, hashes, wasted;
    uint64_t before; /* answers to the client until collect_ns, of any zone */
    uint32_t share;  /* of the hash space, in 2^-32 */
    uint64_t bloom[BLOOM_BITS / 64];
};

struct client {
    uint64_t id;
    uint64_t answers;
};

struct walks {
    uint64_t seed;
    struct client client[CLIENTS]; /* by hash; a later one takes the place */
    walks_on_walk *on_walk;
    void *context;
    int64_t review_ns;
    struct walk walk[SETS][WAYS];
};

struct walks *walks_new(uint64_t seed, walks_on_walk *on_walk, void *context)
{
    struct walks *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->seed = seed;
    w->on_walk = on_walk;
    w->context = context;
    w->review_ns = INT64_MIN;
    return w;
}

void walks_free(struct walks *w)
{
    for (size_t i = 0; w && i < SETS; i++)
        for (size_t k = 0; k < WAYS; k++)
            free(w->walk[i][k].told);
    free(w);
}

static uint64_t hash_name(const struct walks *w, const uint8_t *name)
{
    uint64_t hash = XXH3_64bits_withSeed(name, name_size(name), w->seed);
    return hash ? hash : 1;
}

/* --- the table --- */

/* One more answer to it. A client that takes the place of another begins anew, and with it what it
 * collects: less is known of it than of others then, never more. */
static uint64_t count_answer(struct walks *w, const struct flow *flow)
{
    uint64_t id = XXH3_64bits_withSeed(flow->dst, sizeof flow->dst, w->seed);
    struct client *client = &w->client[id % CLIENTS];
    if (client->id != id)
        *client = (struct client){.id = id};
    return ++client->answers;
}

static struct walk *find(struct walks *w, const uint8_t *zone, const struct flow *flow,
                         int64_t time_ns)
{
    uint64_t id = XXH3_64bits_withSeed(flow->dst, sizeof flow->dst, hash_name(w, zone));
    id += id == 0;
    struct walk *set = w->walk[id % SETS], *oldest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].id == id)
            return &set[i];
        if (set[i].last_ns < oldest->last_ns || set[i].id == 0)
            oldest = &set[i];
    }
    free(oldest->told);
    *oldest = (struct walk){.id = id, .last_ns = time_ns, .client_family = flow->family};
    memcpy(oldest->client, flow->dst, sizeof oldest->client);
    return oldest;
}

static void tell(struct walks *w, struct walk *walk, const struct answer *a, const uint8_t *zone,
                 struct fact_walk *fact)
{
    fact->client_family = walk->client_family;
    fact->client = walk->client;
    if (walk->told == NULL) {
        size_t size = name_size(zone);
        walk->told = malloc(size);
        if (walk->told)
            memcpy(walk->told, zone, size);
    }
    w->on_walk(w->context, a, fact, zone);
}

/* --- NSEC --- */

struct link { /* an NSEC RRset */
    const uint8_t *owner;
    uint64_t from, to; /* hashes of owner and next owner */
};

static bool read_link(const struct walks *w, const struct rrset *set, struct link *ret)
{
    uint8_t next[NAME_MAX_BYTES];
    uint16_t size;
    size_t after;
    const uint8_t *r = set->type == TYPE_NSEC ? rrset_record(set, NULL, &size) : NULL;
    if (r == NULL || name_read(r, size, 0, false, next, &after) == 0)
        return false;
    *ret = (struct link){set->owner, hash_name(w, set->owner), hash_name(w, next)};
    return true;
}

/* Was the name asked for because it comes next after the owner: the owner itself with a question
 * for NSEC, something below it, or its first label with something behind it? */
static bool asks_after(const struct answer *a, const uint8_t *owner)
{
    if (name_equal(a->qname, owner))
        return a->qtype == TYPE_NSEC || a->qtype == TYPE_ANY;
    if (name_within(a->qname, owner))
        return true;
    return a->qname[0] > owner[0] && owner[0] > 0 &&
           memcmp(a->qname + 1, owner + 1, owner[0]) == 0 &&
           name_equal(name_strip(a->qname, 1), name_strip(owner, 1));
}

static void begin_at(struct walk *walk, const struct link *link, const struct answer *a,
                     int64_t time_ns)
{
    walk->start = walk->owner = link->from;
    walk->next = link->to;
    walk->steps = 1;
    walk->weak = asks_after(a, link->owner) ? 0 : 1;
    walk->strays = 0;
    walk->whole = false;
    walk->from_ns = time_ns;
}

static void tell_walk(struct walks *w, struct walk *walk, const struct answer *a,
                      const uint8_t *zone)
{
    struct fact_walk fact = {.names = walk->steps,
                             .unasked = walk->weak,
                             .whole = walk->whole,
                             .since_ns = walk->from_ns};
    tell(w, walk, a, zone, &fact);
}

/* The links of one answer, of which the nearest before the name is the answer to the question. */
static void follow(struct walks *w, struct walk *walk, const struct answer *a, const uint8_t *zone,
                   int64_t time_ns)
{
    struct link link, nearest = {.owner = NULL};
    if (walk->steps && flow_elapsed(walk->last_ns, time_ns) > WALK_PAUSE_NS)
        walk->steps = 0;
    for (size_t i = 0; i < a->sets; i++) {
        if (!read_link(w, answer_nth(a, i)->set, &link))
            continue;
        if (walk->steps && link.from == walk->next) {
            bool apex = walk->whole;
            walk->owner = link.from;
            walk->next = link.to;
            walk->strays = 0;
            walk->steps++;
            walk->weak += asks_after(a, link.owner) ? 0 : 1;
            walk->whole |= link.to == walk->start;
            if (walk->whole != apex || walk->steps % TELL_STEPS == 0)
                tell_walk(w, walk, a, zone);
            return;
        }
        if (walk->steps && link.from == walk->owner)
            return; /* the same again, or another type of it */
        if (name_compare(link.owner, a->qname) <= 0 &&
            (nearest.owner == NULL || name_compare(link.owner, nearest.owner) > 0))
            nearest = link;
    }
    if (nearest.owner && (walk->steps == 0 || ++walk->strays > STRAYS_MAX))
        begin_at(walk, &nearest, a, time_ns);
}

/* --- NSEC3 --- */

static bool read_span(const struct rrset *set, uint64_t *ret_from, uint64_t *ret_to)
{
    uint8_t owner[DENIAL_HASH];
    uint16_t size;
    const uint8_t *r = set->type == TYPE_NSEC3 ? rrset_record(set, NULL, &size) : NULL;
    if (r == NULL || size < 5 || set->owner[0] != 32 || !denial_hash_of(set->owner, owner))
        return false;
    size_t at = 5u + r[4];
    if (at + 1 + DENIAL_HASH > size || r[at] != DENIAL_HASH)
        return false;
    *ret_from = *ret_to = 0;
    for (size_t i = 0; i < 8; i++) {
        *ret_from = *ret_from << 8 | owner[i];
        *ret_to = *ret_to << 8 | r[at + 1 + i];
    }
    return true;
}

/* Hashes that are new to the client; false: none was. */
static bool gather(struct walk *walk, const struct answer *a)
{
    bool any = false;
    uint64_t from, to;
    for (size_t i = 0; i < a->sets; i++) {
        if (!read_span(answer_nth(a, i)->set, &from, &to))
            continue;
        unsigned bit = (unsigned)((from * UINT64_C(0x9e3779b97f4a7c15)) >> 54) % BLOOM_BITS;
        uint64_t mask = UINT64_C(1) << bit % 64;
        if (walk->bloom[bit / 64] & mask)
            continue;
        walk->bloom[bit / 64] |= mask;
        walk->hashes++;
        any = true;
        uint32_t span = (uint32_t)((to - from) >> 32); /* modulo 2^64: the last one wraps */
        walk->share = span > UINT32_MAX - walk->share ? UINT32_MAX : walk->share + span;
    }
    return any;
}

/* Questions enough for the time they took. */
static bool is_fast(const struct walk *walk, int64_t time_ns)
{
    int64_t took = flow_elapsed(walk->collect_ns, time_ns) / SECOND_NS;
    return took <= 0 || walk->denials / COLLECT_RATE >= (uint64_t)took;
}

/* `answers`: to the client, of any zone, since it is known. */
static bool looks_like_collecting(const struct walk *walk, uint64_t answers, int64_t time_ns)
{
    uint64_t all = answers - walk->before;
    uint64_t beside = walk->denials / COLLECT_START;
    uint64_t most =
        walk->denials / COLLECT_OTHERS + (beside < COLLECT_FREE ? beside : COLLECT_FREE);
    return walk->denials >= COLLECT_LEAST && answers >= walk->before &&
           all - walk->denials <= most && is_fast(walk, time_ns);
}

static void collect(struct walks *w, struct walk *walk, const struct answer *a, const uint8_t *zone,
                    uint64_t answers, int64_t time_ns)
{
    if (a->kind != ANSWER_NXDOMAIN || name_labels(a->qname) != name_labels(zone) + 1)
        return;
    bool slow =
        flow_elapsed(walk->collect_ns, time_ns) > COLLECT_PAUSE_NS && !is_fast(walk, time_ns);
    if (walk->denials == 0 || slow || answers < walk->before) {
        walk->denials = walk->hashes = walk->wasted = walk->share = 0;
        memset(walk->bloom, 0, sizeof walk->bloom);
        walk->collect_ns = time_ns;
        walk->before = answers - 1;
    }
    bool any = gather(walk, a);
    walk->denials++;
    walk->wasted += !any;
    if ((!any && walk->denials % TELL_HASHES != 0) ||
        !looks_like_collecting(walk, answers, time_ns))
        return;
    struct fact_walk fact = {.nsec3 = true,
                             .names = walk->hashes,
                             .questions = walk->denials,
                             .wasted = walk->wasted,
                             .share = (unsigned)((uint64_t)walk->share * 100 >> 32),
                             .since_ns = walk->collect_ns};
    tell(w, walk, a, zone, &fact);
}

/* --- either --- */

static void review(struct walks *w, int64_t time_ns)
{
    w->review_ns = time_ns;
    for (size_t i = 0; i < SETS; i++)
        for (size_t k = 0; k < WAYS; k++) {
            struct walk *walk = &w->walk[i][k];
            if (walk->told == NULL || flow_elapsed(walk->last_ns, time_ns) < OVER_NS)
                continue;
            struct fact_walk fact = {.over = true,
                                     .since_ns = time_ns,
                                     .client_family = walk->client_family,
                                     .client = walk->client};
            w->on_walk(w->context, NULL, &fact, walk->told);
            free(walk->told);
            *walk = (struct walk){0};
        }
}

/* What the answer denies with, or NULL. */
static const struct rrset *denial_in(const struct answer *a)
{
    for (size_t i = 0; i < a->sets; i++) {
        const struct rrset *set = answer_nth(a, i)->set;
        if ((set->type == TYPE_NSEC || set->type == TYPE_NSEC3) && set->signatures)
            return set;
    }
    return NULL;
}

void walks_note(struct walks *w, const struct answer *a, const struct flow *flow, int64_t time_ns)
{
    const struct rrset *set = denial_in(a);
    uint64_t answers = count_answer(w, flow);
    if (w->review_ns == INT64_MIN || flow_elapsed(w->review_ns, time_ns) > REVIEW_NS)
        review(w, time_ns);
    if (set == NULL || a->kind == ANSWER_REFERRAL || reason_verdict(a->reason) == VERDICT_BOGUS)
        return;
    const uint8_t *zone = set->signature[0].signer;
    if (!name_within(a->qname, zone))
        return;
    struct walk *walk = find(w, zone, flow, time_ns);
    if (set->type == TYPE_NSEC)
        follow(w, walk, a, zone, time_ns);
    else
        collect(w, walk, a, zone, answers, time_ns);
    if (time_ns > walk->last_ns)
        walk->last_ns = time_ns;
}
