/*
 * declared: the keys and DS that a zone's owner declared, by the time at which they hold.
 *
 * Contained in: analyze, tests. Outside every planned window: the zone file's DNSKEYs, and its apex
 * DS or else the DS of its SEP keys. Inside a window that names a key, that key and its DS as well.
 * All variants are made once, so that look-ups allocate nothing.
 */
#ifndef ANALYZE_DECLARED_DECLARED_H
#define ANALYZE_DECLARED_DECLARED_H

#include "analyze/declared/policy.h"
#include "analyze/facts.h"

struct declared; /* opaque */

/* `keys` and `ds` are rdata that outlives the result, as does the policy (or NULL). NULL: a key or
 * DS is too short, or no memory. */
struct declared *declared_new(const uint8_t *apex, const struct fact_rdata *keys, size_t key_count,
                              const struct fact_rdata *ds, size_t ds_count,
                              const struct policy *policy);
void declared_free(struct declared *);

/* Sets keys, ds, their counts, signed_zone, and the planned flags as they concern `type`. */
void declared_describe(const struct declared *, uint16_t type, int64_t time_ns,
                       struct fact_baseline *);

#endif
