/*
 * fallback: queries with DO=1 that were sent again without EDNS and answered then (edns-downgrade).
 *
 * Contained in: analyze, tests. Told for a client and a server when it happened with several
 * different questions: once is chance. Resolvers remember that a server does without EDNS: after
 * the first such question the iterative ones (RD=0) that follow without EDNS count too. A client
 * without EDNS is none that fell back, nor is one that asks in both ways and gets an answer to
 * each. Bounded; the oldest pair gives way.
 */
#ifndef ANALYZE_FOLLOW_FALLBACK_H
#define ANALYZE_FOLLOW_FALLBACK_H

#include "analyze/decode/flow.h"
#include "analyze/decode/message.h"
#include "analyze/decode/pair.h"

struct teller;
struct fallback; /* opaque */

struct fallback *fallback_new(struct teller *); /* borrowed; NULL: no memory */
void fallback_free(struct fallback *);
/* A response to a query without EDNS. */
void fallback_answered(struct fallback *, const struct datagram *, const struct dns_message *,
                       const struct query *);

#endif
