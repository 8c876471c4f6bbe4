/*
 * blocked: answers with TC=1 that no answer over TCP follows (tcp-blocked).
 *
 * Contained in: analyze, tests. Told for a client and a server when, after TC=1, SYN stays without
 * reply or is refused, or when no SYN is seen and a resolver (RD=0) asks the same over UDP again
 * and again. A handshake, a query or an answer over TCP ends it. Bounded; the oldest pair gives
 * way.
 *
 * Left out: a client that does not come back (it may be spoofed, and TC=1 the server's rate limit,
 * or have gone elsewhere), and SYN to servers that did not truncate anything.
 */
#ifndef ANALYZE_FOLLOW_BLOCKED_H
#define ANALYZE_FOLLOW_BLOCKED_H

#include "analyze/decode/flow.h"
#include "analyze/decode/message.h"
#include "analyze/decode/pair.h"

struct teller;
struct blocked; /* opaque */

struct blocked *blocked_new(struct teller *); /* borrowed; NULL: no memory */
void blocked_free(struct blocked *);
/* A response with TC=1 to a query, over UDP. */
void blocked_truncated(struct blocked *, const struct datagram *, const struct dns_message *,
                       const struct query *);
/* A segment with SYN or RST. */
void blocked_signal(struct blocked *, const struct flow *, uint8_t flags, int64_t time_ns,
                    uint64_t frame);
/* A query, or a response, over TCP. */
void blocked_asked(struct blocked *, const struct flow *, int64_t time_ns);
void blocked_answered(struct blocked *, const struct flow *, int64_t time_ns);
/* Judges SYNs that have waited long enough by now. */
void blocked_sweep(struct blocked *, int64_t now_ns);

#endif
