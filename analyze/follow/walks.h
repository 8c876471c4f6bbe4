/*
 * walks: clients that collect a zone's names from its denials.
 *
 * Contained in: analyze, tests. An NSEC names the next owner: who asks on from there, again and
 * again, walks the chain, and nothing else does (RFC 7129 3.4). NSEC3 gives hashes to guess names
 * from; who asks for made-up names of one zone and little else, many a second, collects them. A
 * resolver whose users mistype names asks in no order, and asks of many zones.
 *
 * Fixed memory; the client that was longest quiet gives way. Only the first few times of an answer
 * are looked at: walkers and collectors ask for everything once.
 */
#ifndef ANALYZE_FOLLOW_WALKS_H
#define ANALYZE_FOLLOW_WALKS_H

#include "analyze/validate/answer.h"

/* Clients and zones watched at a time: some 1 MiB. */
#define WALKS_MAX 4096
/* An answer that was given more often is what many want to know. */
#define WALKS_REPEATS 16

struct walks; /* opaque */

typedef void walks_on_walk(void *context, const struct answer *, const struct fact_walk *,
                           const uint8_t *zone);

struct walks *walks_new(uint64_t seed, walks_on_walk *, void *context);
void walks_free(struct walks *);

/* Can the response be part of a walk? To be asked first: it costs nothing. */
static inline bool walks_wants(const struct answer *a)
{
    return a->count <= WALKS_REPEATS && a->kind != ANSWER_OTHER;
}

/* A response to the client `flow->dst`. Calls back when there is more to tell of a walk, with the
 * answer, and, with NULL, when one has been over for an hour. */
void walks_note(struct walks *, const struct answer *, const struct flow *, int64_t time_ns);

#endif
