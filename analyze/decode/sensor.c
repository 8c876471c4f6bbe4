/*
 * sensor: what a mirror does to packets, counted and judged; see sensor.h.
 *
 * Contained in: analyze, tests. Must never: judge a single packet. A query without an answer is no
 * defect of a tap; most queries without one are.
 */
#include "analyze/decode/sensor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
/* The first review comes after so many DNS packets, the next ones after four times as many each, so
 * that a sensor's defect is told before what follows from it. */
#define FIRST_REVIEW 64

/* One way: 9 of 10 messages lack their counterpart. Within a run so many messages over so long, so
 * that no slow server is taken for a blind tap; at its end what there is, if it lasted at all. */
#define ONE_WAY_MESSAGES     20
#define ONE_WAY_NS           (5 * SECOND_NS)
#define ONE_WAY_END_MESSAGES 8
#define ONE_WAY_END_NS       (SECOND_NS / 4)
/* Twice: one of twenty; no network repeats so many packets within 10 ms. */
#define TWICE_LEAST 4
#define TWICE_SHARE 20
/* Gaps and lost fragments: rare ones are everyday. */
#define GAPS_LEAST      4
#define GAPS_SHARE      10
#define FRAGMENTS_LEAST 3
#define FRAGMENTS_SHARE 4
/* Checksums: a few wrong ones are everyday; one in ten of those checked is the tap or the card. */
#define CHECKSUM_LEAST 4
#define CHECKSUM_SHARE 10
/* Tags in one direction only: half of the packets there, none here. */
#define TAGS_LEAST 8

enum trouble { ONE_WAY, DOUBLED, GAPPY };

struct sensor_past { /* sums at the end of the last interval that was judged, for each question */
    struct sensor_sums flows, twice, gaps, drops;
    struct sensor_sums since[3]; /* where the trouble that is still open began: by enum trouble */
    struct sensor_counts counts[SENSOR_INTERFACES];
    uint64_t answers_lost;
    bool begun, open[3]; /* by enum trouble */
};

struct review { /* one call of sensor_review */
    struct sensor *sensor;
    const struct sensor_sums *now;
    bool end;
    sensor_on_fact *on_fact;
    void *context;
};

bool sensor_init(struct sensor *s)
{
    memset(s, 0, sizeof *s);
    s->due = FIRST_REVIEW;
    s->past = calloc(1, sizeof *s->past);
    return s->past != NULL;
}

void sensor_fini(struct sensor *s)
{
    free(s->past);
}

bool sensor_lossy(const struct sensor *s)
{
    return s->past->open[GAPPY];
}

/* --- packets --- */

static bool first(uint64_t *example, uint64_t frame)
{
    if (*example)
        return false;
    *example = frame;
    return true;
}

void sensor_answer_lost(struct sensor *s, const uint64_t *frames, size_t count)
{
    size_t most = sizeof s->lost_frames / sizeof *s->lost_frames;
    s->answers_lost++;
    for (size_t i = 0; i < count && s->answers_lost == 1 && i < most; i++)
        s->lost_frames[s->lost_frame_count++] = frames[i];
}

bool sensor_odd(struct sensor_counts *c, struct sensor_examples *e, const struct packet *p,
                enum sensor_direction direction, uint64_t frame)
{
    bool example = false;
    size_t header = (size_t)(p->c.base + p->c.at - p->transport);
    if (p->wire > cursor_left(&p->c)) {
        c->cut[direction]++;
        example |= first(&e->cut, frame);
    }
    size_t ip = p->flow.family == 4 ? 20 : 40; /* without options: never too much */
    if (!(p->layers & PACKET_REASSEMBLED) && ip + header + p->wire > SENSOR_MTU) {
        c->oversize++;
        example |= first(&e->oversize, frame);
    }
    if (p->layers & PACKET_WRAPPED) {
        c->wrapped++;
        c->layers |= p->layers & PACKET_WRAPPED;
        example |= first(&e->wrapped, frame);
    }
    return example;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* RFC 1071: 16-bit words, the last one padded; four bytes at a time in the machine's order, which
 * the sum does not mind (2 B). */
static uint64_t add_words(uint64_t sum, const uint8_t *bytes, size_t size)
{
    uint64_t native = 0;
    uint32_t word;
    for (; size >= 4; size -= 4, bytes += 4) {
        memcpy(&word, bytes, 4);
        native += word;
    }
    word = 0;
    memcpy(&word, bytes, size);
    return sum + ntohs(fold(native + word));
}

/* RFC 768, RFC 9293 3.1, RFC 8200 8.1. A sender that leaves the checksum to its card writes the sum
 * over the pseudo-header into the field. */
bool sensor_check(struct sensor_counts *c, struct sensor_examples *e, const struct packet *p,
                  enum sensor_direction direction, uint64_t frame)
{
    size_t header = (size_t)(p->c.base + p->c.at - p->transport),
           size = header + cursor_left(&p->c);
    bool udp = p->flow.proto == IPPROTO_UDP;
    if (p->wire > cursor_left(&p->c) || size > UINT16_MAX)
        return false;
    uint16_t field = packet_be16(p->transport + (udp ? 6 : 16));
    if (udp && field == 0) /* none, which IPv4 allows */
        return false;
    size_t address = p->flow.family == 4 ? 4 : 16;
    uint64_t pseudo = add_words(add_words(0, p->flow.src, address), p->flow.dst, address);
    pseudo += p->flow.proto + size;
    c->checked[direction]++;
    if (fold(add_words(pseudo, p->transport, size)) == 0xffff)
        return false;
    if (field == fold(pseudo)) {
        c->left[direction]++;
        return first(&e->left, frame);
    }
    c->wrong[direction]++;
    return first(&e->wrong, frame);
}

/* --- facts --- */

static void tell(const struct review *r, const struct fact_sensor *f, const uint64_t *frames,
                 size_t count)
{
    static const uint8_t root[1] = {0};
    struct fact fact = {.kind = FACT_SENSOR,
                        .time_ns = r->now->last_ns,
                        .clock_ns = r->now->last_ns,
                        .zone = root,
                        .observed = {.owner = root},
                        .frames = frames,
                        .frame_count = count,
                        .sensor = f};
    r->on_fact(r->context, &fact);
}

/* What an interval showed. One that shows trouble again tells of all of it, from its begin. */
static const struct sensor_sums *since(const struct review *r, enum trouble which, bool trouble,
                                       const struct sensor_sums *interval)
{
    struct sensor_past *past = r->sensor->past;
    if (!trouble || !past->open[which])
        past->since[which] = *interval;
    return &past->since[which];
}

static void conclude(const struct review *r, enum trouble which, bool trouble,
                     const struct fact_sensor *f, const uint64_t *frames, size_t count)
{
    struct sensor_past *past = r->sensor->past;
    if (trouble || past->open[which])
        tell(r, f, frames, count);
    past->open[which] = trouble;
}

static void review_drops(const struct review *r)
{
    struct sensor_past *past = r->sensor->past;
    const struct sensor_sums *n = r->now, *w = &past->drops;
    uint64_t lost = n->dropped_kernel + n->dropped_interface + n->dropped_ring;
    uint64_t before = w->dropped_kernel + w->dropped_interface + w->dropped_ring;
    int64_t from = w->last_ns;
    char how[160];
    if (lost > before) {
        snprintf(how, sizeof how, "%llu by the kernel, %llu by the interface, %llu by the ring",
                 (unsigned long long)n->dropped_kernel, (unsigned long long)n->dropped_interface,
                 (unsigned long long)n->dropped_ring);
        struct fact_sensor f = {.kind = SENSOR_DROPPED,
                                .part = lost,
                                .all = n->frames + lost,
                                .from_ns = from,
                                .how = how};
        tell(r, &f, NULL, 0);
    }
    if (n->not_analysed > w->not_analysed) {
        struct fact_sensor f = {.kind = SENSOR_NOT_ANALYSED,
                                .part = n->not_analysed,
                                .all = n->frames + n->not_analysed,
                                .from_ns = from};
        tell(r, &f, NULL, 0);
    }
    if (n->damages > w->damages) {
        struct fact_sensor f = {.kind = SENSOR_DAMAGED, .part = n->damages, .from_ns = from};
        tell(r, &f, NULL, 0);
    }
    past->drops = *n;
}

/* Messages without their counterpart. */
static uint64_t alone(const struct sensor_sums *w, const struct sensor_sums *n)
{
    uint64_t all = n->queries - w->queries + n->responses - w->responses;
    uint64_t paired = 2 * (n->paired - w->paired); /* more where one query got two responses */
    return all > paired ? all - paired : 0;
}

/* Which side is missing. */
static enum sensor_kind half(uint64_t queries, uint64_t responses)
{
    if (responses <= (queries + responses) / 20)
        return SENSOR_ONLY_QUERIES;
    if (queries <= (queries + responses) / 20)
        return SENSOR_ONLY_RESPONSES;
    return SENSOR_HALVES;
}

static void review_flows(const struct review *r)
{
    struct sensor_past *past = r->sensor->past;
    const struct sensor_sums *n = r->now, *w = &past->flows;
    uint64_t all = n->queries - w->queries + n->responses - w->responses;
    int64_t lasted = flow_elapsed(w->last_ns, n->last_ns);
    if ((all < ONE_WAY_MESSAGES || lasted < ONE_WAY_NS) &&
        !(r->end && all >= ONE_WAY_END_MESSAGES && lasted >= ONE_WAY_END_NS))
        return; /* the interval goes on */
    bool one_way = alone(w, n) * 10 >= all * 9;
    if (!one_way && all < ONE_WAY_MESSAGES)
        return; /* too few to say that it is over */
    w = since(r, ONE_WAY, one_way, w);
    uint64_t queries = n->queries - w->queries, responses = n->responses - w->responses;
    struct fact_sensor f = {.kind = half(queries, responses),
                            .over = !one_way,
                            .part = alone(w, n),
                            .all = queries + responses,
                            .from_ns = w->last_ns};
    conclude(r, ONE_WAY, one_way, &f, NULL, 0);
    past->flows = *n;
}

static uint64_t again(const struct sensor_sums *w, const struct sensor_sums *n)
{
    return n->duplicates - w->duplicates + n->segments_twice - w->segments_twice;
}

static uint64_t distinct(const struct sensor_sums *w, const struct sensor_sums *n)
{
    return n->queries - w->queries + n->responses - w->responses + n->segments - w->segments -
           (n->segments_twice - w->segments_twice);
}

static void review_twice(const struct review *r)
{
    struct sensor_past *past = r->sensor->past;
    const struct sensor_sums *n = r->now, *w = &past->twice;
    if (distinct(w, n) < FIRST_REVIEW / 2 && !r->end)
        return;
    bool twice = again(w, n) >= TWICE_LEAST && again(w, n) * TWICE_SHARE >= distinct(w, n);
    if (!twice && distinct(w, n) < FIRST_REVIEW / 2)
        return;
    w = since(r, DOUBLED, twice, w);
    struct fact_sensor f = {.kind = SENSOR_TWICE,
                            .over = !twice,
                            .part = again(w, n),
                            .all = distinct(w, n),
                            .from_ns = w->last_ns};
    conclude(r, DOUBLED, twice, &f, n->duplicate_frames, n->duplicate_count);
    past->twice = *n;
}

static bool anything_cut(const struct sensor *s)
{
    for (size_t i = 0; i < SENSOR_INTERFACES; i++)
        if (s->counts[i].cut[SENSOR_TO_SERVER] + s->counts[i].cut[SENSOR_FROM_SERVER] > 0)
            return true;
    return false;
}

/* A gap that stays although the connection went on: both ends had the bytes, the tap had not. */
static void review_gaps(const struct review *r)
{
    struct sensor_past *past = r->sensor->past;
    const struct sensor_sums *n = r->now, *w = &past->gaps;
    uint64_t lost = n->streams_lost - w->streams_lost, all = n->streams - w->streams;
    if ((all < GAPS_LEAST * GAPS_SHARE && !r->end) || anything_cut(r->sensor))
        return; /* snapped segments are gaps of another kind */
    bool gappy = lost >= GAPS_LEAST && lost * GAPS_SHARE >= all;
    if (!gappy && all < GAPS_LEAST * GAPS_SHARE)
        return;
    w = since(r, GAPPY, gappy, w);
    struct fact_sensor f = {.kind = SENSOR_GAPS,
                            .over = !gappy,
                            .part = n->streams_lost - w->streams_lost,
                            .all = n->streams - w->streams,
                            .from_ns = w->last_ns};
    conclude(r, GAPPY, gappy, &f, NULL, 0);
    past->gaps = *n;
}

static void review_fragments(const struct review *r)
{
    const struct sensor *s = r->sensor;
    uint64_t lost = s->answers_lost, all = lost + s->answers_whole;
    if (lost == s->past->answers_lost || lost < FRAGMENTS_LEAST || lost * FRAGMENTS_SHARE < all)
        return;
    s->past->answers_lost = lost;
    struct fact_sensor f = {
        .kind = SENSOR_FRAGMENTS, .part = lost, .all = all, .from_ns = r->now->first_ns};
    tell(r, &f, s->lost_frames, s->lost_frame_count);
}

/* --- the mirror, for each interface --- */

static const char *direction_word(uint64_t to_server, uint64_t from_server)
{
    if (to_server > 0 && from_server > 0)
        return "in both directions";
    return to_server > 0 ? "towards servers only" : "from servers only";
}

static uint64_t both(const uint64_t counts[SENSOR_DIRECTIONS])
{
    return counts[SENSOR_TO_SERVER] + counts[SENSOR_FROM_SERVER];
}

/* "GRE, ERSPAN II" */
static const char *layer_words(uint32_t layers, char *ret_text, size_t room)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {{PACKET_LAYER(PPPOE), "PPPoE"},
                 {PACKET_LAYER(MPLS), "MPLS"},
                 {PACKET_LAYER(GRE), "GRE"},
                 {PACKET_LAYER(ERSPAN2), "ERSPAN II"},
                 {PACKET_LAYER(ERSPAN3), "ERSPAN III"},
                 {PACKET_LAYER(VXLAN), "VXLAN"},
                 {PACKET_LAYER(GENEVE), "GENEVE"}};
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words && used + 16 < room; i++)
        if (layers & words[i].bit)
            used += (size_t)snprintf(ret_text + used, room - used, "%s%s", used ? ", " : "",
                                     words[i].word);
    if (used == 0)
        snprintf(ret_text, room, "IP in IP");
    return ret_text;
}

static bool tags_differ(const struct sensor_counts *c)
{
    const uint64_t *of = c->packets, *tagged = c->tagged;
    if (of[0] < TAGS_LEAST || of[1] < TAGS_LEAST)
        return false;
    return (tagged[0] * 2 >= of[0] && tagged[1] == 0) || (tagged[1] * 2 >= of[1] && tagged[0] == 0);
}

static bool many(uint64_t part, uint64_t all)
{
    return part >= CHECKSUM_LEAST && part * CHECKSUM_SHARE >= all;
}

static void review_interface(const struct review *r, uint16_t number)
{
    const struct sensor_counts *c = &r->sensor->counts[number];
    struct sensor_counts *was = &r->sensor->past->counts[number];
    const struct sensor_examples *e = &r->sensor->examples[number];
    const char *name = r->now->name ? r->now->name(r->now->context, number) : NULL;
    uint64_t packets = both(c->packets), checked = both(c->checked);
    char words[96];
    struct fact_sensor f = {.interface = name, .from_ns = r->now->first_ns, .all = packets};
    if (c->wrapped > was->wrapped) {
        f.kind = SENSOR_WRAPPED;
        f.part = c->wrapped;
        f.how = layer_words(c->layers, words, sizeof words);
        tell(r, &f, &e->wrapped, 1);
    }
    if (both(c->cut) > both(was->cut)) {
        f.kind = SENSOR_CUT;
        f.part = both(c->cut);
        f.how = direction_word(c->cut[SENSOR_TO_SERVER], c->cut[SENSOR_FROM_SERVER]);
        f.harmful = c->cut[SENSOR_FROM_SERVER] * 100 >= c->packets[SENSOR_FROM_SERVER];
        tell(r, &f, &e->cut, 1);
        f.harmful = false;
    }
    if (c->oversize > was->oversize) {
        f.kind = SENSOR_OVERSIZE;
        f.part = c->oversize;
        f.how = NULL;
        tell(r, &f, &e->oversize, 1);
    }
    if (both(c->tagged) > both(was->tagged) && tags_differ(c)) {
        f.kind = SENSOR_TAGS;
        f.part = both(c->tagged);
        f.how = direction_word(c->tagged[SENSOR_TO_SERVER], c->tagged[SENSOR_FROM_SERVER]);
        tell(r, &f, NULL, 0);
    }
    f.all = checked;
    if (both(c->left) > both(was->left) && many(both(c->left), checked)) {
        f.kind = SENSOR_OFFLOAD;
        f.part = both(c->left);
        f.how = direction_word(c->left[SENSOR_TO_SERVER], c->left[SENSOR_FROM_SERVER]);
        tell(r, &f, &e->left, 1);
    }
    if (both(c->wrong) > both(was->wrong) && many(both(c->wrong), checked)) {
        f.kind = SENSOR_CHECKSUMS;
        f.part = both(c->wrong);
        f.how = direction_word(c->wrong[SENSOR_TO_SERVER], c->wrong[SENSOR_FROM_SERVER]);
        tell(r, &f, &e->wrong, 1);
    }
    *was = *c;
}

void sensor_review(struct sensor *s, const struct sensor_sums *now, bool end,
                   sensor_on_fact *on_fact, void *context)
{
    const struct review r = {s, now, end, on_fact, context};
    struct sensor_past *past = s->past;
    while (s->packets >= s->due)
        s->due *= 4;
    if (!past->begun) { /* the first interval starts with the first frame */
        past->flows.last_ns = past->twice.last_ns = now->first_ns;
        past->gaps.last_ns = past->drops.last_ns = now->first_ns;
        past->begun = true;
    }
    review_drops(&r);
    review_flows(&r);
    review_twice(&r);
    review_gaps(&r);
    for (uint16_t i = 0; i < SENSOR_INTERFACES; i++)
        if (both(s->counts[i].packets) > both(past->counts[i].packets))
            review_interface(&r, i);
    review_fragments(&r);
}
