/*
 * strays: responses without a query: somebody guesses ids and ports (spoof-flood), or sends what
 * nobody asked for (response-unasked).
 *
 * Contained in: analyze, tests. Strays are counted by the address they came to. When there are many
 * the queries that are still remembered are looked through, once for each doubling and so often a
 * second at most: only then is it known whether they miss an open query.
 *
 * Left out: what the tap does not show queries of (sensor-one-way), the first seconds of a capture
 * (their queries came before it), times in which queries are forgotten too soon to be found,
 * multicast DNS, and popular questions of which a part of the queries is not mirrored.
 */
#ifndef ANALYZE_FOLLOW_STRAYS_H
#define ANALYZE_FOLLOW_STRAYS_H

#include "analyze/decode/pair.h"

struct teller;
struct strays; /* opaque */

struct strays *strays_new(struct teller *, struct pair *); /* both borrowed; NULL: no memory */
void strays_free(struct strays *);
void strays_add(struct strays *, const struct datagram *, const struct dns_message *);
/* Judges what has come since the last look. */
void strays_sweep(struct strays *);
/* Of these, such as came in a flood that was told of. */
uint64_t strays_explained(const struct strays *);

#endif
