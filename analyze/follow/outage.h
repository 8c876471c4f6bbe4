/*
 * outage: when a zone, or something in it, failed, and when it came back (M6 of the operators'
 * guides).
 *
 * Contained in: analyze, tests. An outage begins with data that is bogus, or when the rules find
 * that the zone no longer resolves. Where resolvers were seen to fail it ends when one of them
 * answers again what had failed, or when another gives validated data that it fetched since. Else
 * it ends with good data; of an outage of the whole zone only when the newest keys fit the newest
 * DS. Notes are in struct usage; no verdict looks at them.
 */
#ifndef ANALYZE_FOLLOW_OUTAGE_H
#define ANALYZE_FOLLOW_OUTAGE_H

#include "analyze/follow/usage.h"

/* A response about the zone with that verdict. `zone->usage` is there. */
void outage_seen(struct world *, struct zone *, const struct answer *, int64_t time_ns,
                 uint64_t frame);
/* The zone stopped resolving: an outage, unless one is going on. */
void outage_darkened(struct world *, struct zone *, int64_t from_ns, int64_t time_ns,
                     uint64_t frame);
/* Was the question answered with bogus data in the zone's current or last outage? */
bool outage_has_failed(const struct zone *, const struct answer *);
/* Is SERVFAIL to that question what an outage that goes on would bring? */
bool outage_has_failing(const struct zone *, const struct answer *, int64_t time_ns);
/* A resolver answered SERVFAIL because of it. */
void outage_felt(struct usage *, int64_t time_ns, uint64_t frame);
/* Does a resolver's answer show that it is over? `had_failed`: to the same question that resolver
 * answered SERVFAIL before. */
bool outage_recovers(const struct zone *, const struct answer *, bool had_failed, int64_t time_ns,
                     uint64_t frame);
/* Then it is. */
void outage_recovered(struct zone *, int64_t time_ns, uint64_t frame);

#endif
