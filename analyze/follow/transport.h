/*
 * transport: watches how messages travel: forged, unasked and truncated responses, queries that
 * lose EDNS, names that carry data.
 *
 * Contained in: analyze, tests. What is ordinary passes with a comparison or two (the inline
 * functions); what is odd is counted in tables of fixed size, the oldest entry giving way, and told
 * as a fact when there is more of it than the profile allows. What looks alike and is innocent is
 * left out here: each part's header says what. Nothing here looks at a verdict but race.c.
 */
#ifndef ANALYZE_FOLLOW_TRANSPORT_H
#define ANALYZE_FOLLOW_TRANSPORT_H

#include "analyze/decode/flow.h"
#include "analyze/decode/message.h"
#include "analyze/decode/pair.h"
#include "rules/rules.h"

#include <netinet/in.h>

/* Shorter names hold no data: forty bytes of it (analyze/follow/covert.c) and a domain. */
#define COVERT_NAME 48

/* Where the parts tell what they found. */
struct teller {
    /* Copies what it needs. fact->zone NULL: that of the question. `over` ends what was told of the
     * same kind and addresses, if it was. */
    void (*fact)(void *context, const struct fact *);
    /* Frames that a later fact may cite. */
    void (*hold)(void *context, const uint64_t *frames, size_t count);
    void *context;
    const struct rules_thresholds *thresholds;
    const int64_t *begin_ns; /* packet time of the first frame */
    uint64_t seed;
};

struct transport; /* opaque */
/* `teller` is copied, `pair` borrowed. NULL: no memory. */
struct transport *transport_new(const struct teller *, struct pair *);
void transport_free(struct transport *);
/* Judges what was waiting for time to pass. */
void transport_review(struct transport *, int64_t now_ns);
/* Responses without a query that floods account for: no sign of a tap that shows one direction. */
uint64_t transport_explained(const struct transport *);

/* A TCP segment on a DNS port with SYN or RST. */
void transport_signal(struct transport *, const struct flow *, uint8_t flags, int64_t time_ns,
                      uint64_t frame);
/* A query over TCP: its connection works that far. */
void transport_asked(struct transport *, const struct datagram *);

/* Out of line, for what the next one lets pass. */
void transport_odd(struct transport *, enum pair_result, const struct datagram *,
                   const struct dns_message *, const struct query *);
void transport_long(struct transport *, const struct datagram *, const struct dns_message *);

/* A response whose head has been read; `query` where PAIR_FOUND. */
static inline void transport_response(struct transport *t, enum pair_result result,
                                      const struct datagram *dg, const struct dns_message *m,
                                      const struct query *query)
{
    bool ordinary = result == PAIR_FOUND && !(m->flags & DNS_TC) && dg->flow.proto == IPPROTO_UDP &&
                    (query->edns || (query->flags & DNS_RD)) && !query->fallback;
    if (t && !ordinary)
        transport_odd(t, result, dg, m, query);
}

/* A response that was read whole. */
static inline void transport_read(struct transport *t, const struct datagram *dg,
                                  const struct dns_message *m)
{
    if (t && m->owners[m->qname].size >= COVERT_NAME)
        transport_long(t, dg, m);
}

#endif
