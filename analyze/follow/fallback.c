/*
 * fallback: EDNS that is lost; see fallback.h.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/follow/fallback.h"

#include "analyze/decode/table.h"
#include "analyze/follow/transport.h"

#include <stdlib.h>
#include <string.h>

#define PATHS     512
#define FRAMES    12
#define TELL_EACH 16 /* so many are told one by one: any of them may be of a signed zone */
#define WORDS     4  /* different questions, as bits by hash: enough to count some dozens */
#define WINDOW_NS (3600 * INT64_C(1000000000))

#define RCODE_OK       0
#define RCODE_NXDOMAIN 3

struct path {
    uint8_t client[16], server[16];
    uint8_t family;
    uint8_t frame_count;
    uint32_t questions, told;
    int64_t first_ns;
    uint64_t asked[WORDS];
    uint64_t frames[FRAMES];
};
#define PATH_KEY 33

struct fallback {
    struct table *paths;
    struct teller *teller;
};

struct fallback *fallback_new(struct teller *teller)
{
    struct fallback *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->teller = teller;
    f->paths = table_new(PATHS, sizeof(struct path), PATH_KEY, NULL, NULL);
    if (!f->paths) {
        free(f);
        return NULL;
    }
    return f;
}

void fallback_free(struct fallback *f)
{
    if (!f)
        return;
    table_free(f->paths);
    free(f);
}

static void restart(struct path *p, int64_t now_ns)
{
    memset((uint8_t *)p + PATH_KEY, 0, sizeof(*p) - PATH_KEY);
    p->first_ns = now_ns;
}

/* The path of the response; a new one only for a query that fell back. NULL: none. */
static struct path *path_of(struct fallback *f, const struct datagram *dg, bool fell_back)
{
    uint8_t key[PATH_KEY];
    if (table_count(f->paths) == 0 && !fell_back)
        return NULL;
    memcpy(key, dg->flow.dst, 16);
    memcpy(key + 16, dg->flow.src, 16);
    key[32] = dg->flow.family;
    struct path *p = table_find(f->paths, key);
    bool stale = p && flow_elapsed(p->first_ns, dg->time_ns) > WINDOW_NS;
    if ((!p || stale) && !fell_back)
        return NULL;
    bool known = p != NULL;
    if (known)
        table_touch(f->paths, p);
    else
        p = table_insert(f->paths, key);
    if (stale || !known)
        restart(p, dg->time_ns);
    return p;
}

static void cite(struct fallback *f, struct path *p, uint64_t frame)
{
    if (frame == 0 || p->frame_count == FRAMES)
        return;
    p->frames[p->frame_count++] = frame;
    f->teller->hold(f->teller->context, &frame, 1);
}

void fallback_answered(struct fallback *f, const struct datagram *dg, const struct dns_message *m,
                       const struct query *query)
{
    unsigned rcode = m->flags & 15u;
    if (!m->has_question || (rcode != RCODE_OK && rcode != RCODE_NXDOMAIN))
        return;
    /* Behind the one address that asks with RD=1 there may be many clients, some of them without
     * EDNS: where a response is lost to the tap, two of them look like one that falls back. */
    if (query->flags & DNS_RD)
        return;
    struct path *p = path_of(f, dg, query->fallback != 0);
    if (!p)
        return;
    uint64_t question = pair_question(m), bit = UINT64_C(1) << (question & 63);
    uint64_t *word = &p->asked[question >> 6 & (WORDS - 1)];
    if (*word & bit)
        return;
    *word |= bit;
    p->questions++;
    const uint8_t *name = message_qname(m);
    cite(f, p, query->fallback);
    cite(f, p, query->frame);
    cite(f, p, dg->frame);
    if (p->questions < f->teller->thresholds->edns ||
        (p->told > TELL_EACH && p->questions < p->told * 2))
        return;
    p->told = p->questions;
    const struct fact_transport what = {.kind = TRANSPORT_DOWNGRADE,
                                        .family = p->family,
                                        .client = p->client,
                                        .server = p->server,
                                        .part = p->questions,
                                        .from_ns = p->first_ns};
    struct fact fact = {.kind = FACT_TRANSPORT,
                        .time_ns = dg->time_ns,
                        .clock_ns = dg->time_ns,
                        .frame = dg->frame,
                        .frames = p->frames,
                        .frame_count = p->frame_count,
                        .observed = {.owner = name, .type = m->qtype},
                        .server_family = p->family,
                        .server = p->server,
                        .transport = &what};
    f->teller->fact(f->teller->context, &fact);
}
