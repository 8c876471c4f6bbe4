/*
 * objectives: M1 to M6 of a zone, from what was noted of it.
 *
 * Contained in: analyze, tests. The figures of the operators' guides, for `inventory` and the stats
 * event. What was not observed is unknown, not zero.
 */
#ifndef ANALYZE_FOLLOW_OBJECTIVES_H
#define ANALYZE_FOLLOW_OBJECTIVES_H

#include "analyze/follow/usage.h"
#include "analyze/jline.h"

/* Zones named in one stats event: those with a baseline first, then those with problems. */
#define OBJECTIVES_ZONES_MAX ((size_t)64)

#define OBJECTIVE_UNKNOWN UINT64_MAX

/* X(name, "what it counts"): in the order of the stats event, all cumulative but m2 and m3. */
#define OBJECTIVES(X)                                                                              \
    X(m1_answers, "resolvers' secure answers to queries with DO=1 and CD=0")                       \
    X(m1_with_ad, "of these, such with AD=1")                                                      \
    X(m2_seconds, "least remaining life of an RRset's newest signature; objective: over 172800")   \
    X(m3_ds, "DS records of the parent")                                                           \
    X(m3_ds_with_key, "of these, such that name a published key; objective: all")                  \
    X(m4_rolls, "key rolls that were completed")                                                   \
    X(m4_safe, "of these, such without an unsafe step; objective: all")                            \
    X(m5_responses, "resolvers' responses with CD=0")                                              \
    X(m5_by_validation, "of these, SERVFAIL that the resolver's EDE or our own verdict lays to "   \
                        "validation; objective: under 0.01 %")                                     \
    X(m6_outages, "times that data of the zone began to be bogus or that it stopped resolving")    \
    X(m6_open, "of these, such of which no recovery was observed")                                 \
    X(m6_seconds, "longest time from onset to recovery; objective: under 1800")

struct objectives {
#define X(name, text) uint64_t name;
    OBJECTIVES(X)
#undef X
    int64_t m2_expiration;             /* seconds since 1970; only where m2_seconds is known */
    const struct usage_name *m2_rrset; /* whose signature that is, or NULL. Borrowed */
};

/* At that time, which is also the clock that signatures are judged by. */
void objectives_of(const struct zone *, int64_t clock_ns, struct objectives *ret);
/* The newest of the variants of a DNSKEY or DS RRset; NULL if there is none. */
struct rrset *objectives_newest(struct rrset *const *variant, uint8_t count);
/* `"objectives":[{"zone":…, "m1_answers":…}…],"objectives_not_listed":…` */
void objectives_put(struct jline *, const struct world *, int64_t clock_ns);

#endif
