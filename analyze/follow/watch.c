/*
 * watch: how messages travelled, told with what is known of the zone; see watch.h.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/follow/watch.h"

#include "analyze/declared/baseline.h"
#include "analyze/validate/judge.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
/* Of one message: all floods at one address, and what else it may show. */
#define QUEUE_MAX    32
#define QUEUE_FRAMES 16
#define CHAIN_FRAMES 48
/* Open at once; beyond that the one that was quiet longest stays open for good. */
#define TOLD_MAX 256
/* What was not told again for so long has ended. */
#define QUIET_NS        (60 * SECOND_NS)
#define QUIET_TUNNEL_NS (600 * SECOND_NS)
#define QUIET_EDNS_NS   (3600 * SECOND_NS)

struct told {
    enum transport_kind kind;
    uint8_t family, client[16], server[16];
    bool signed_zone;
    uint64_t question; /* of a race; else 0 */
    uint8_t zone[NAME_MAX_BYTES];
    int64_t last_ns;
};

struct watch_told {
    struct told one[TOLD_MAX];
    size_t count;
};

struct queued { /* a fact with all that it points to */
    struct fact fact;
    struct fact_transport transport;
    uint8_t client[16], server[16];
    uint8_t zone[NAME_MAX_BYTES], owner[NAME_MAX_BYTES];
    uint64_t frames[QUEUE_FRAMES], chain[1];
};

struct watch_queue {
    struct queued one[QUEUE_MAX];
};

static const uint8_t root[1] = {0};
static const uint8_t nobody[16];

/* --- what is open --- */

static uint64_t question_of(const struct fact *fact)
{
    if (fact->transport->kind != TRANSPORT_RACE)
        return 0;
    uint64_t hash = fact->observed.type;
    size_t size = name_size(fact->observed.owner);
    for (size_t i = 0; i < size; i++)
        hash = hash * 31 + fact->observed.owner[i];
    return hash;
}

static struct told *find(const struct watch *w, const struct fact *fact)
{
    const struct fact_transport *t = fact->transport;
    uint64_t question = question_of(fact);
    for (size_t i = 0; i < w->told->count; i++) {
        struct told *o = &w->told->one[i];
        if (o->kind == t->kind && o->family == t->family && o->question == question &&
            memcmp(o->client, t->client ? t->client : nobody, 16) == 0 &&
            memcmp(o->server, t->server ? t->server : nobody, 16) == 0)
            return o;
    }
    return NULL;
}

static struct told *remember(struct watch *w, const struct fact *fact)
{
    const struct fact_transport *t = fact->transport;
    struct watch_told *all = w->told;
    struct told *o = &all->one[0];
    if (all->count < TOLD_MAX)
        o = &all->one[all->count++];
    else
        for (size_t i = 1; i < TOLD_MAX; i++)
            if (all->one[i].last_ns < o->last_ns)
                o = &all->one[i];
    *o = (struct told){.kind = t->kind, .family = t->family, .question = question_of(fact)};
    memcpy(o->client, t->client ? t->client : nobody, 16);
    memcpy(o->server, t->server ? t->server : nobody, 16);
    memcpy(o->zone, fact->zone, name_size(fact->zone));
    return o;
}

static bool of_tcp(enum transport_kind kind)
{
    return kind == TRANSPORT_TCP_SILENT || kind == TRANSPORT_TCP_REFUSED ||
           kind == TRANSPORT_TCP_UNSEEN;
}

/* What is told of a zone has not ended for it while other addresses show it. */
static bool shared(const struct watch *w, const struct told *ended)
{
    for (size_t i = 0; i < w->told->count; i++) {
        const struct told *o = &w->told->one[i];
        bool alike = (of_tcp(o->kind) && of_tcp(ended->kind)) ||
                     (o->kind == TRANSPORT_TUNNEL && ended->kind == TRANSPORT_TUNNEL);
        if (o != ended && alike && name_equal(o->zone, ended->zone))
            return true;
    }
    return false;
}

/* --- telling --- */

/* The zone of the question as far as it is known; what is about addresses alone is about none. */
static const uint8_t *zone_of(const struct watch *w, const struct fact *fact)
{
    const struct zone *zone = fact->transport->kind == TRANSPORT_UNASKED
                                  ? NULL
                                  : world_over(&w->answers->world, fact->observed.owner, false);
    return zone ? zone->name : root;
}

/* The frames that show that there is such a zone, and, for a race, who is right. */
static void add_chain(const struct watch *w, struct fact *fact, uint64_t chain[CHAIN_FRAMES])
{
    const struct zone *zone = world_find(&w->answers->world, fact->zone);
    size_t count = 0;
    if (fact->chain_count)
        chain[count++] = fact->chain[0];
    if (zone)
        count += judge_chain_frames(&w->answers->world, zone, chain + count, CHAIN_FRAMES - count);
    fact->chain = chain;
    fact->chain_count = count;
}

static void give(struct watch *w, struct fact *fact)
{
    uint64_t chain[CHAIN_FRAMES];
    const struct baseline *b = w->answers->world.baseline;
    struct finding *findings[4];
    fact->lossy = w->lossy(w->context, fact->time_ns);
    const struct baseline_zone *declared = b ? baseline_over(b, fact->observed.owner, 0) : NULL;
    if (declared)
        baseline_describe(declared, fact->observed.owner, fact->observed.type, fact->clock_ns,
                          &fact->baseline);
    if (!fact->transport->over)
        add_chain(w, fact, chain);
    rules_judge(w->rules, fact, findings, sizeof findings / sizeof *findings);
}

static void end(struct watch *w, struct told *o, int64_t time_ns)
{
    const struct fact_transport t = {.kind = o->kind,
                                     .over = true,
                                     .family = o->family,
                                     .client = o->client,
                                     .server = o->server};
    struct fact fact = {.kind = FACT_TRANSPORT,
                        .time_ns = time_ns,
                        .clock_ns = time_ns,
                        .zone = o->zone,
                        .observed = {.owner = o->zone},
                        .transport = &t};
    if (!shared(w, o))
        give(w, &fact);
    *o = w->told->one[--w->told->count];
}

static void tell(struct watch *w, struct fact *fact)
{
    struct told *o = find(w, fact);
    if (fact->transport->over && !o)
        return;
    if (fact->transport->over && fact->transport->kind != TRANSPORT_RACE) {
        end(w, o, fact->time_ns);
        return;
    }
    if (fact->zone == NULL)
        fact->zone = o ? o->zone : zone_of(w, fact);
    give(w, fact);
    if (o == NULL)
        o = remember(w, fact);
    o->last_ns = fact->time_ns;
    o->signed_zone = fact->transport->signed_zone;
}

/* Was the question, or one told of before, about a zone that is signed or meant to be: of which
 * keys or DS were seen? */
static bool lost_signatures(const struct watch *w, const struct fact *fact)
{
    const struct zone *zone = world_over(&w->answers->world, fact->observed.owner, false);
    const struct told *o = find(w, fact);
    return (o && o->signed_zone) || (zone && (zone->dnskeys > 0 || zone->dss > 0));
}

/* --- the queue --- */

static void on_fact(void *context, const struct fact *fact)
{
    struct watch *w = context;
    if (w->pending == QUEUE_MAX)
        return; /* no message shows so much */
    struct queued *q = &w->queue->one[w->pending++];
    const struct fact_transport *t = fact->transport;
    q->fact = *fact;
    q->transport = *t;
    q->fact.transport = &q->transport;
    memcpy(q->owner, fact->observed.owner, name_size(fact->observed.owner));
    q->fact.observed.owner = q->owner;
    if (fact->zone) {
        memcpy(q->zone, fact->zone, name_size(fact->zone));
        q->fact.zone = q->zone;
    }
    if (t->client)
        q->transport.client = memcpy(q->client, t->client, 16);
    if (fact->server)
        q->fact.server = memcpy(q->server, fact->server, 16);
    if (t->server)
        q->transport.server = memcpy(q->server, t->server, 16);
    if (q->fact.frame_count > QUEUE_FRAMES)
        q->fact.frame_count = QUEUE_FRAMES;
    if (q->fact.frame_count)
        memcpy(q->frames, fact->frames, q->fact.frame_count * sizeof *q->frames);
    q->fact.frames = q->frames;
    q->fact.chain_count = fact->chain_count > 0;
    if (fact->chain_count)
        q->chain[0] = fact->chain[0];
    q->fact.chain = q->chain;
    w->hold(w->context, q->frames, q->fact.frame_count);
    w->hold(w->context, q->chain, q->fact.chain_count);
    if (fact->frame)
        w->hold(w->context, &fact->frame, 1);
    if (w->at_once)
        watch_tell(w);
}

void watch_tell(struct watch *w)
{
    for (size_t i = 0; i < w->pending; i++) {
        struct queued *q = &w->queue->one[i];
        if (q->transport.kind == TRANSPORT_DOWNGRADE)
            q->transport.signed_zone = lost_signatures(w, &q->fact);
        tell(w, &q->fact);
    }
    w->pending = 0;
}

/* --- races, told while responses are judged --- */

static void on_race(void *context, const struct fact *fact)
{
    struct fact copy = *fact;
    tell(context, &copy);
}

static void on_hold(void *context, const uint64_t *frames, size_t count)
{
    struct watch *w = context;
    w->hold(w->context, frames, count);
}

/* --- birth, time, death --- */

static int64_t quiet_ns(enum transport_kind kind)
{
    switch (kind) {
    case TRANSPORT_FLOOD:
    case TRANSPORT_UNASKED:
        return QUIET_NS;
    case TRANSPORT_TUNNEL:
        return QUIET_TUNNEL_NS;
    case TRANSPORT_DOWNGRADE:
        return QUIET_EDNS_NS;
    default: /* ends with what refutes it */
        return INT64_MAX;
    }
}

void watch_review(struct watch *w, int64_t now_ns)
{
    watch_tell(w);
    w->at_once = true;
    transport_review(w->transport, now_ns);
    w->at_once = false;
    for (size_t i = w->told->count; i-- > 0;) {
        struct told *o = &w->told->one[i];
        if (flow_elapsed(o->last_ns, now_ns) > quiet_ns(o->kind))
            end(w, o, now_ns);
    }
}

static void on_signal(void *context, const struct flow *flow, uint8_t flags, int64_t time_ns,
                      uint64_t frame)
{
    struct watch *w = context;
    transport_signal(w->transport, flow, flags, time_ns, frame);
}

int watch_init(struct watch *w, struct pair *pair, struct dissect *dissect, const int64_t *begin_ns,
               uint64_t seed)
{
    struct teller teller = {.fact = on_fact,
                            .hold = on_hold,
                            .context = w,
                            .thresholds = rules_thresholds(w->rules),
                            .begin_ns = begin_ns,
                            .seed = seed};
    w->queue = calloc(1, sizeof *w->queue);
    w->told = calloc(1, sizeof *w->told);
    w->transport = transport_new(&teller, pair);
    if (w->queue == NULL || w->told == NULL || w->transport == NULL)
        return -1;
    dissect_signals(dissect, on_signal, w);
    teller.fact = on_race;
    return race_init(&w->race, pair_capacity(pair), &teller, w->answers);
}

void watch_fini(struct watch *w)
{
    race_fini(&w->race);
    transport_free(w->transport);
    free(w->queue);
    free(w->told);
}
