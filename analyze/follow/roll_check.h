/*
 * roll_check: from what was served, to the stages of rolls (roll_check.c) and the steps that were
 * unsafe (roll_unsafe.c); and the tables that it is noted in (roll_table.c).
 *
 * Contained in: analyze, tests. Private to roll.c and the facts made of it.
 */
#ifndef ANALYZE_FOLLOW_ROLL_CHECK_H
#define ANALYZE_FOLLOW_ROLL_CHECK_H

#include "analyze/follow/roll.h"

/* --- the tables ---------------------------------------------------------------------------- */

/* Each returns NULL or ROLL_NONE without memory or room; the latter is counted. */
struct roll *roll_table_of(struct world *, struct zone *);
void *roll_table_take(struct world *, struct roll *, size_t size);
/* Drops what no cache can hold any more and no server serves; indices change, events must be gone
 * (else it does nothing). */
void roll_table_tidy(struct world *, struct roll *, int64_t now_ns);
/* By algorithm and key field: flags may change (RFC 5011). */
uint8_t roll_table_find(const struct roll *, const uint8_t *rdata, uint16_t size);
uint8_t roll_table_add(struct world *, struct zone *, const uint8_t *rdata, uint16_t size,
                       int64_t first_ns);
/* The keys that the DS RRset names. */
uint16_t roll_table_named(const struct zone *, const struct rrset *ds);
struct roll_server *roll_table_server(struct world *, struct roll *, const struct flow *);
/* Of the receiver. */
struct roll_cache *roll_table_cache(struct world *, struct roll *, const struct flow *);

/* --- conclusions --------------------------------------------------------------------------- */

/* A server went to that DNSKEY RRset; a DS RRset was served; a new group of signers was seen. Each
 * leaves events. */
void roll_check_keys(struct roll *, uint8_t set, int64_t now_ns);
void roll_check_ds(struct roll *, bool fresh, int64_t now_ns);
void roll_check_data(struct roll *, int64_t now_ns);

/* Looks for steps that were unsafe; for those whose time has passed; and, when an RRset was served
 * again, for conclusions that this refutes. */
void roll_unsafe_look(struct roll *, int64_t now_ns);
void roll_unsafe_expire(struct roll *, int64_t now_ns);
void roll_unsafe_review(struct roll *, int64_t now_ns);

/* How the key takes its predecessor's place, as far as seen. */
enum roll_method roll_check_method(const struct roll *, uint8_t key);

/* --- shared by both ------------------------------------------------------------------------ */

/* Did one DNSKEY RRset take the other's place? Was a server seen to do it? */
bool roll_check_replaced(const struct roll *, uint8_t newer, uint8_t older);
bool roll_check_proven(const struct roll *, uint8_t newer, uint8_t older);
const struct roll_ds *roll_check_latest_ds(const struct roll *);
/* A stage of that key; NULL if there is no room. */
struct roll_event *roll_check_event(struct roll *, enum roll_stage, uint8_t key, int64_t now_ns);

/* Until when a cache may hold what was served last then, with that TTL. */
static inline int64_t roll_cached(int64_t last_ns, uint32_t ttl)
{
    int64_t until_ns;
    bool over = __builtin_add_overflow(last_ns, (int64_t)ttl * 1000000000, &until_ns);
    return over ? INT64_MAX : until_ns;
}

static inline int64_t roll_since(int64_t from_ns, int64_t to_ns)
{
    int64_t elapsed = flow_elapsed(from_ns, to_ns);
    return elapsed > 0 ? elapsed : 0;
}

static inline bool roll_has(uint16_t keys, uint8_t key)
{
    return keys >> key & 1;
}

static inline uint8_t roll_lowest(uint16_t keys)
{
    return keys ? (uint8_t)__builtin_ctz(keys) : ROLL_NONE;
}

static inline uint8_t roll_algorithm(const struct roll *r, uint8_t key)
{
    return r->key[key].rdata[3];
}

#endif
