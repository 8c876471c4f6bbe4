/*
 * resolvers: the resolvers that were seen to answer, and how much of what they could have validated
 * they did.
 *
 * Contained in: analyze, tests. A table of fixed size, in which the longest silent of four places
 * gives way: who forges source addresses makes it forget, and never makes it slow or large.
 */
#ifndef ANALYZE_FOLLOW_RESOLVERS_H
#define ANALYZE_FOLLOW_RESOLVERS_H

#include "analyze/decode/flow.h"
#include "analyze/facts.h"

/* Counted together, then anew. */
#define RESOLVERS_INTERVAL_NS (INT64_C(3600) * 1000000000)
/* Examples of questions whose answers lacked AD. */
#define RESOLVERS_EXAMPLES 8

struct resolvers_example {
    uint64_t hash;
    uint64_t frame;
    uint16_t type;
    uint8_t name[NAME_MAX_BYTES];
};

struct resolver {
    uint8_t family; /* 0: free */
    uint8_t address[16];
    bool asked; /* queries to it were seen */
    int64_t last_ns;
    /* when it last answered, about which zone, and when last about another one than that */
    int64_t answered_ns, other_ns;
    const void *zone; /* only compared */
    /* secure answers to queries with DO=1 and CD=0, since `from_ns` */
    int64_t from_ns, ad_ns; /* last AD; INT64_MIN never */
    uint64_t with_ad, without_ad;
    size_t examples;
    struct resolvers_example *example; /* NULL: none */
    struct finding *rate;              /* what the rules made of it, or NULL */
};

struct resolvers;                               /* opaque */
struct resolvers *resolvers_new(uint64_t seed); /* NULL without memory */
void resolvers_free(struct resolvers *);

/* The resolver with that address, made if it is not there. Valid until the next call. */
struct resolver *resolvers_at(struct resolvers *, uint8_t family, const uint8_t address[16],
                              int64_t time_ns);
/* It answered about that zone. */
void resolvers_answered(struct resolver *, const void *zone, int64_t time_ns);
/* Did it answer about another zone than that one, since then? */
bool resolvers_answered_others(const struct resolver *, const void *zone, int64_t since_ns);
/* Begins a new interval when the old one is over; true if it was. The counts are those of the old
 * one until resolvers_begin. */
static inline bool resolvers_is_over(const struct resolver *r, int64_t time_ns)
{
    return r->from_ns != INT64_MIN && flow_elapsed(r->from_ns, time_ns) > RESOLVERS_INTERVAL_NS;
}
void resolvers_begin(struct resolver *, int64_t time_ns);
/* Keeps an example; true if it is the first with that question. */
bool resolvers_example(struct resolver *, uint64_t hash, const uint8_t *name, uint16_t type,
                       uint64_t frame);

#endif
