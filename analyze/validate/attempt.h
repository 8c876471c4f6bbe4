/*
 * attempt: one signature against one key, at one packet time (RFC 4035 5.3).
 *
 * Contained in: analyze, tests. What a check found is remembered with the signature; time is judged
 * anew each time, and says for which packet times its answer holds.
 */
#ifndef ANALYZE_VALIDATE_ATTEMPT_H
#define ANALYZE_VALIDATE_ATTEMPT_H

#include "analyze/validate/world.h"

struct window { /* packet times at which a judgement holds, both ends included */
    int64_t from_ns, until_ns;
};

#define WINDOW_ALWAYS ((struct window){INT64_MIN, INT64_MAX})

void attempt_narrow(struct window *, int64_t from_ns, int64_t until_ns);

/* Seconds since 1970 of a 32-bit signature time near `time_ns` (RFC 4034 3.1.5, RFC 1982). */
int64_t attempt_time(uint32_t wire, int64_t time_ns);
/* NONE inside the signature's window; otherwise what is wrong. *holds is narrowed to the times at
 * which that is so. */
enum reason attempt_in_time(const struct world *, const struct signature *, int64_t time_ns,
                            struct window *holds);

/* Until when the RRset, seen last when it was, may still be in a cache; and whether it may at a
 * time. Caches live in packet time: by a fixed clock (--at) it is for ever or never, as it is at
 * the packet in hand. */
int64_t attempt_fresh_until(const struct world *, const struct rrset *);
bool attempt_fresh(const struct world *, const struct rrset *, int64_t time_ns);
/* Until when the RRset, as it was last seen and with the TTL that it then had, was all that caches
 * could hold: a key or DS that it lacks was not there. Never later than attempt_fresh_until. */
int64_t attempt_current_until(const struct world *, const struct rrset *);
int64_t attempt_given(const struct rrset *);
int64_t attempt_current_from(const struct world *, const struct rrset *);
bool attempt_current(const struct world *, const struct rrset *, int64_t time_ns);
void attempt_before(const struct world *, const struct rrset *, int64_t time_ns,
                    struct window *holds);

/* NONE if the signature verifies with this key of the zone, whatever the time; else why not. BUDGET
 * if it was not checked. */
enum reason attempt_crypto(struct world *, struct zone *, struct rrset *, struct signature *,
                           struct key *);
/* May a check of the zone be done ahead, before it is known that it will be asked for and paid? At
 * most as many as a zone's record so far deserves: what fails is work for nothing. Counts it. */
bool attempt_ahead(struct world *, struct zone *);
/* NONE if a key with these flags and protocol may sign data of its zone. */
enum reason attempt_usable(const struct key *);
/* Which of two reasons says more about a signature: the greater weight does. */
unsigned attempt_weight(enum reason);

struct attempt {        /* the best that any key tried so far says of the signature */
    enum reason reason; /* NONE: no key has this tag and algorithm; CHAIN: verifies and in time */
    bool verifies;
};

/* Tries the key of this rdata if tag and algorithm fit; *holds goes with the best attempt. */
void attempt_key(struct world *, struct zone *, struct rrset *, struct signature *,
                 const uint8_t *rdata, uint16_t size, int64_t time_ns, struct window *holds,
                 struct attempt *best);
/* The same with every key of a DNSKEY RRset, and with the keys that the owner declared. */
void attempt_set(struct world *, struct zone *, struct rrset *, struct signature *,
                 const struct rrset *keys, int64_t time_ns, struct window *holds,
                 struct attempt *best);
void attempt_pinned(struct world *, struct zone *, struct rrset *, struct signature *,
                    int64_t time_ns, struct window *holds, struct attempt *best);

#endif
