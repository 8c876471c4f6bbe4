/*
 * pair: a response finds its query (RFC 5452 9.1: addresses, ports, protocol, id, question).
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_PAIR_H
#define ANALYZE_PAIR_H

#include "analyze/flow.h"
#include "analyze/message.h"
#include "sandbox/settings.h"

struct query { /* what is remembered of a query */
    uint64_t frame;
    int64_t time_ns;
    uint16_t flags; /* header flags */
    bool edns, edns_do;
    bool answered; /* a response was paired before */
};

struct pair; /* opaque; bounded by settings: the oldest query gives way */
struct pair *pair_new(const struct settings *);
void pair_free(struct pair *);
void pair_query(struct pair *, const struct datagram *, const struct dns_message *);
/* The query of this response, or false when none was seen. A hash of the question decides with the
 * rest; a response without question section pairs on the rest alone. Several responses may pair
 * with one query; `answered` tells. */
bool pair_response(struct pair *, const struct datagram *, const struct dns_message *,
                   struct query *ret_query);
/* A query that was sent again is another query: if only one was answered, one is unanswered. */
struct pair_counters {
    uint64_t queries, responses, paired, unanswered, unasked;
};
/* `unanswered` is complete only after pair_finish. */
void pair_finish(struct pair *);
const struct pair_counters *pair_counters(const struct pair *);

#endif
