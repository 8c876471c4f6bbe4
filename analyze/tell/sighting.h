/*
 * sighting: which RRsets were seen, when, how often and from whom, for the history.
 *
 * Contained in: analyze, tests. A response that was seen before costs a comparison and an addition
 * in its record. What was noted goes from the records of responses to their RRsets, and from there
 * into messages to the history: what is new at once, the rest from time to time and before it is
 * forgotten. The receiver may lag: then more is added to what waits. No verdict looks at any of it.
 */
#ifndef ANALYZE_TELL_SIGHTING_H
#define ANALYZE_TELL_SIGHTING_H

#include "analyze/validate/answer.h"

#include <string.h>

/* Servers named of one response or RRset each time it is told; that there were more is told. */
#define SIGHTING_SERVERS_MAX 8
/* Servers told apart in a run; those beyond are unnamed. */
#define SIGHTING_ADDRESSES_MAX 65536

struct sighting_server {          /* once for each address, for the life of the run */
    struct sighting_server *next; /* of the same bucket */
    uint8_t address[16];          /* as in struct flow */
    uint8_t family;
};

struct sightings; /* opaque */

struct sighting_outputs {
    /* A message in two parts; `wait`: it is worth waiting for the receiver. False: not taken, try
     * later, or not at all. */
    bool (*tell)(void *context, const void *head, size_t head_size, const void *body,
                 size_t body_size, bool wait);
    bool (*is_gone)(void *context); /* the receiver will never take anything again */
    void *context;
    bool is_patient; /* replay: what must be told before it is forgotten is waited for */
};

/* Everything is borrowed. NULL: no memory. `seed` keys the table of addresses. */
struct sightings *sighting_new(const struct sighting_outputs *, struct answers *, uint64_t seed);
/* Before the answers are freed. NULL is fine. */
void sighting_free(struct sightings *);

/* What sighting_again leaves to it. */
void sighting_note(struct sightings *, struct answer *, const struct datagram *, bool fresh);

static inline bool sighting_is_from(const struct sighting_server *v, const struct flow *flow)
{
    return v->family == flow->family && memcmp(v->address, flow->src, sizeof v->address) == 0;
}

/* The response was in this datagram; `fresh`: nothing with this content was known. */
static inline void sighting_again(struct sightings *s, struct answer *a, const struct datagram *dg,
                                  bool fresh)
{
    struct sighting_tally *seen = &a->seen;
    if (seen->count > 0 && dg->time_ns >= seen->first_ns &&
        sighting_is_from(seen->server, &dg->flow)) {
        seen->count++;
        if (dg->time_ns > seen->last_ns)
            seen->last_ns = dg->time_ns;
    } else if (a->sets > 0) {
        sighting_note(s, a, dg, fresh);
    }
}

/* Tells what is new, and what else waits, as far as the receiver takes it. Often. */
void sighting_flush(struct sightings *);
/* Puts what was seen again in line to be told. From time to time. */
void sighting_gather(struct sightings *);
/* Before answers and RRsets are forgotten, or (`last`) at the end: tells all that waits; what
 * cannot be told is lost and counted. */
void sighting_forget(struct sightings *, bool last);
/* Tellings lost so far. */
uint64_t sighting_lost(const struct sightings *);

#endif
