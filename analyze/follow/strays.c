/*
 * strays: responses that nobody waits for; see strays.h.
 *
 * Contained in: analyze, tests. Must never: look through the queries for each stray.
 */
#define XXH_INLINE_ALL

#include "analyze/follow/strays.h"

#include "analyze/decode/table.h"
#include "analyze/follow/transport.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SECOND_NS INT64_C(1000000000)
#define WINDOW_NS (10 * SECOND_NS)
#define TARGETS   256 /* addresses that strays come to, some 6 KiB each */
#define SOURCES   16  /* servers and questions told apart at one of them: the frequent ones */
#define FRAMES    8   /* cited of one of these */
/* Looks through the queries in a second of packet time: a millisecond each for the largest ring. */
#define LOOKS 20
/* Guesses for each query: below, the tap may miss a part of the queries of a popular question. */
#define GUESSES_PER_QUERY 4
/* A query is answered within this, so what comes later does not compete. */
#define LATE_NS (1 * SECOND_NS)
/* Queries of an address that show whether the tap sees both directions of it. */
#define QUERIES_TELLING 10
/* Responses of the first seconds belong to queries before the capture. */
#define BEGIN_NS (2 * SECOND_NS)
/* Queries must be remembered so long, or a slow server's responses would be strays. */
#define MEMORY_NS (5 * SECOND_NS)
/* Reflection repeats few questions; a resolver of whom only the responses are seen asks many. */
#define REPEATS 20

struct source { /* one server and one question */
    uint64_t hash;
    uint64_t question;
    uint8_t server[16];
    uint32_t count, guesses; /* guesses: different ids or ports */
    int64_t first_ns;
    uint64_t frames[FRAMES];
    uint8_t frame_count, name_size;
    uint16_t type;
    uint8_t name[NAME_MAX_BYTES];
    /* while the queries are looked through */
    uint32_t queries;
    uint64_t query_frame;
};

struct target {         /* an address that strays come to, within one window */
    uint8_t client[16]; /* key */
    uint8_t family;     /* key */
    int64_t begin_ns, last_ns;
    uint64_t last_frame, held_frame;   /* the latter is kept: it may be cited later */
    uint32_t count, next_look, looked; /* looked: at so many of them */
    uint32_t early; /* of these, such as may answer queries from before the capture */
    bool told;
    uint64_t guessed[16];  /* bits by hash of server, question, id and port */
    uint64_t servers[4];   /* bits by hash */
    uint64_t questions[4]; /* bits by hash */
    size_t sources;
    struct source source[SOURCES];
};
#define TARGET_KEY 17

struct strays {
    struct table *targets;
    struct pair *pair;
    struct teller *teller;
    int64_t second_ns;
    unsigned looks; /* in that second */
    uint64_t explained;
};

struct strays *strays_new(struct teller *teller, struct pair *pair)
{
    struct strays *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->teller = teller;
    s->pair = pair;
    s->targets = table_new(TARGETS, sizeof(struct target), TARGET_KEY, NULL, NULL);
    if (!s->targets) {
        free(s);
        return NULL;
    }
    return s;
}

void strays_free(struct strays *s)
{
    if (!s)
        return;
    table_free(s->targets);
    free(s);
}

uint64_t strays_explained(const struct strays *s)
{
    return s->explained;
}

/* --- counting --- */

/* True if the bit was not set. */
static bool set_bit(uint64_t *bits, size_t words, uint64_t hash)
{
    uint64_t *word = &bits[hash >> 6 & (words - 1)], bit = UINT64_C(1) << (hash & 63);
    bool fresh = !(*word & bit);
    *word |= bit;
    return fresh;
}

static unsigned count_bits(const uint64_t *bits, size_t words)
{
    unsigned count = 0;
    for (size_t i = 0; i < words; i++)
        count += (unsigned)__builtin_popcountll(bits[i]);
    return count;
}

static bool multicast(const struct flow *f)
{
    return f->family == 4 ? (f->dst[0] & 0xf0) == 0xe0 : f->dst[0] == 0xff;
}

static void restart(struct target *t, int64_t now_ns)
{
    t->begin_ns = now_ns;
    t->count = t->next_look = t->looked = t->early = 0;
    t->told = false;
    t->held_frame = 0;
    t->sources = 0;
    memset(t->guessed, 0, sizeof(t->guessed));
    memset(t->servers, 0, sizeof(t->servers));
    memset(t->questions, 0, sizeof(t->questions));
}

/* Its source, or the place of the rarest one: so that the frequent ones are found whatever comes
 * between. */
static struct source *source_of(struct target *t, uint64_t hash, const struct datagram *dg,
                                const struct dns_message *m, uint64_t question)
{
    struct source *rarest = &t->source[0];
    for (size_t i = 0; i < t->sources; i++) {
        struct source *one = &t->source[i];
        if (one->hash == hash)
            return one;
        if (one->count < rarest->count)
            rarest = one;
    }
    if (t->sources < SOURCES)
        rarest = &t->source[t->sources++];
    rarest->hash = hash;
    rarest->question = question;
    memcpy(rarest->server, dg->flow.src, sizeof(rarest->server));
    rarest->count = rarest->guesses = 0;
    rarest->first_ns = dg->time_ns;
    rarest->frame_count = 0;
    rarest->type = m->qtype;
    const struct dns_owner *name = &m->owners[m->qname];
    rarest->name_size = name->size;
    memcpy(rarest->name, name->name, name->size);
    return rarest;
}

/* --- judging --- */

struct look { /* through the queries of one target */
    struct target *target;
    uint64_t queries, answered;
};

/* Could these strays have been taken for its answer? Not when it was answered before they began:
 * then they are reflected, from a server that the address happens to use. */
static bool at_stake(const struct source *one, const struct pair_asked *asked)
{
    return !asked->answered || flow_elapsed(asked->time_ns, one->first_ns) <= LATE_NS;
}

static bool on_query(void *context, const struct pair_asked *asked)
{
    struct look *look = context;
    struct target *t = look->target;
    look->queries++;
    look->answered += asked->answered;
    for (size_t i = 0; i < t->sources; i++) {
        struct source *one = &t->source[i];
        if (one->question != asked->question ||
            memcmp(one->server, asked->server, sizeof(one->server)) != 0 || !at_stake(one, asked))
            continue;
        if (one->queries++ == 0)
            one->query_frame = asked->frame;
    }
    return true;
}

static void tell(struct strays *s, const struct target *t, const struct source *source,
                 const struct fact_transport *what)
{
    struct fact fact = {.kind = FACT_TRANSPORT,
                        .time_ns = t->last_ns,
                        .clock_ns = t->last_ns,
                        .frame = t->last_frame,
                        .frames = source->frames,
                        .frame_count = source->frame_count,
                        .chain = &source->query_frame,
                        .chain_count = source->query_frame != 0,
                        .observed = {.owner = source->name, .type = source->type},
                        .server_family = t->family,
                        .server = source->server,
                        .transport = what};
    s->teller->fact(s->teller->context, &fact);
}

/* Responses for a query that is remembered, with other ids or ports. */
static uint64_t judge_guesses(struct strays *s, struct target *t)
{
    uint64_t guesses = 0;
    for (size_t i = 0; i < t->sources; i++) {
        struct source *one = &t->source[i];
        if (one->guesses < s->teller->thresholds->flood || one->queries == 0 ||
            one->count < (uint64_t)one->queries * GUESSES_PER_QUERY)
            continue;
        guesses += one->count;
        const struct fact_transport what = {.kind = TRANSPORT_FLOOD,
                                            .family = t->family,
                                            .client = t->client,
                                            .server = one->server,
                                            .part = one->count,
                                            .all = one->queries,
                                            .from_ns = t->begin_ns};
        tell(s, t, one, &what);
    }
    return guesses;
}

/* Does the tap show the queries of this address? If it asks, from its own; else from those of
 * others, and if it is a few questions that come again and again. */
static bool both_ways(const struct strays *s, const struct target *t, const struct look *look,
                      uint64_t strays)
{
    const struct pair_counters *c = pair_counters(s->pair);
    if (look->queries >= QUERIES_TELLING)
        return look->answered * 2 >= look->queries && strays * 4 >= look->queries;
    return c->paired >= QUERIES_TELLING && c->paired * 2 >= c->queries &&
           (uint64_t)count_bits(t->questions, 4) * REPEATS <= strays;
}

static bool judge_unasked(struct strays *s, struct target *t, const struct look *look,
                          uint64_t strays, int64_t covered_ns)
{
    const struct source *most = &t->source[0];
    if (strays < s->teller->thresholds->unasked || !both_ways(s, t, look, strays) ||
        flow_elapsed(covered_ns, t->last_ns) < MEMORY_NS)
        return false;
    for (size_t i = 1; i < t->sources; i++)
        if (t->source[i].count > most->count)
            most = &t->source[i];
    const struct fact_transport what = {.kind = TRANSPORT_UNASKED,
                                        .family = t->family,
                                        .client = t->client,
                                        .part = strays,
                                        .servers = count_bits(t->servers, 4),
                                        .from_ns = t->begin_ns};
    tell(s, t, most, &what);
    return true;
}

static bool may_look(struct strays *s, int64_t now_ns)
{
    int64_t since = flow_elapsed(s->second_ns, now_ns);
    if (since > SECOND_NS || since < -SECOND_NS) {
        s->second_ns = now_ns;
        s->looks = 0;
    }
    return s->looks++ < LOOKS;
}

static void look(struct strays *s, struct target *t)
{
    struct look look = {.target = t};
    int64_t since_ns;
    if (!may_look(s, t->last_ns))
        return; /* the next stray may */
    t->looked = t->count;
    uint64_t unasked_least = s->teller->thresholds->unasked;
    t->next_look = t->count * 2;
    if (t->count < unasked_least && t->next_look > unasked_least)
        t->next_look = (uint32_t)unasked_least;
    for (size_t i = 0; i < t->sources; i++) {
        t->source[i].queries = 0;
        t->source[i].query_frame = 0;
    }
    if (__builtin_sub_overflow(t->begin_ns, WINDOW_NS, &since_ns))
        since_ns = INT64_MIN;
    int64_t covered_ns = pair_survey(s->pair, t->family, t->client, since_ns, on_query, &look);
    uint64_t guesses = judge_guesses(s, t), known = guesses + t->early;
    bool unasked = judge_unasked(s, t, &look, t->count > known ? t->count - known : 0, covered_ns);
    if ((guesses || unasked) && !t->told) {
        t->told = true;
        s->explained += t->count;
    }
}

/* What has come since the last look, before it is forgotten. */
static void look_last(struct strays *s, struct target *t)
{
    const struct rules_thresholds *least = s->teller->thresholds;
    if (t->count > t->looked && (t->count >= least->flood || t->count >= least->unasked)) {
        t->last_frame = t->held_frame;
        look(s, t);
    }
}

void strays_sweep(struct strays *s)
{
    for (struct target *t = table_oldest(s->targets); t; t = table_newer(s->targets, t))
        look_last(s, t);
}

static struct target *target_of(struct strays *s, const struct datagram *dg)
{
    uint8_t key[TARGET_KEY];
    memcpy(key, dg->flow.dst, 16);
    key[16] = dg->flow.family;
    struct target *t = table_find(s->targets, key);
    if (t) {
        table_touch(s->targets, t);
        int64_t elapsed = flow_elapsed(t->begin_ns, dg->time_ns);
        if (elapsed > WINDOW_NS || elapsed < -WINDOW_NS) {
            look_last(s, t);
            restart(t, dg->time_ns);
        }
        return t;
    }
    t = table_insert(s->targets, key);
    restart(t, dg->time_ns);
    return t;
}

void strays_add(struct strays *s, const struct datagram *dg, const struct dns_message *m)
{
    const struct rules_thresholds *least = s->teller->thresholds;
    if (dg->flow.proto != IPPROTO_UDP || DNS_OPCODE(m->flags) != 0 || multicast(&dg->flow))
        return;
    struct target *t = target_of(s, dg);
    uint64_t question = pair_question(m);
    uint64_t hash = XXH3_64bits_withSeed(dg->flow.src, 16, s->teller->seed ^ question);
    struct source *source = source_of(t, hash, dg, m, question);
    uint64_t guess[2] = {hash, (uint64_t)m->id << 16 | dg->flow.dport};
    t->count++;
    t->last_ns = dg->time_ns;
    t->last_frame = dg->frame;
    t->early += flow_elapsed(*s->teller->begin_ns, dg->time_ns) < BEGIN_NS;
    s->explained += t->told;
    source->count++;
    source->guesses += set_bit(t->guessed, 16, XXH3_64bits(guess, sizeof(guess)));
    set_bit(t->servers, 4, XXH3_64bits_withSeed(dg->flow.src, 16, s->teller->seed));
    set_bit(t->questions, 4, question);
    if (source->count >= FRAMES / 2 && source->frame_count < FRAMES) {
        source->frames[source->frame_count++] = dg->frame;
        s->teller->hold(s->teller->context, &dg->frame, 1);
        t->held_frame = dg->frame;
    }
    if (t->next_look == 0)
        t->next_look = (uint32_t)(least->flood < least->unasked ? least->flood : least->unasked);
    if (t->count >= t->next_look)
        look(s, t);
}
