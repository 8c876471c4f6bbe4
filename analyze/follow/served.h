/*
 * served: a signed RRset as one response served it, held against what the zone announces: the
 * algorithms that its DNSKEY and DS RRsets promise (RFC 6840 5.11), and the TTL that its signatures
 * allow (RFC 4035 5.3.3).
 *
 * Contained in: analyze, tests. Changes no verdict: a validator accepts any one path.
 */
#ifndef ANALYZE_FOLLOW_SERVED_H
#define ANALYZE_FOLLOW_SERVED_H

#include "analyze/validate/answer.h"

/* What is to be told of the RRset; valid (CHAIN) signatures only, `zone` is their signer, whose
 * owner states that signatures with less than `refresh_ns` left are renewed (0: nothing). Returns a
 * number that is the same as long as the same is to be told, and never 0. */
uint64_t served_describe(struct world *, const struct answer *, const struct answer_set *,
                         const struct zone *, int64_t clock_ns, int64_t refresh_ns,
                         struct fact_served *ret);

#endif
