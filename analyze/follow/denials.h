/*
 * denials: what a zone was seen to deny, and with what parameters.
 *
 * Contained in: analyze, tests. Only validly signed NSEC and NSEC3 come here. Bounded, counted with
 * the zone's memory, and gone with the zone.
 */
#ifndef ANALYZE_FOLLOW_DENIALS_H
#define ANALYZE_FOLLOW_DENIALS_H

#include "analyze/validate/answer.h"

struct denials; /* opaque, in struct zone */

/* Frees it; returns how many bytes it took. NULL is fine. */
size_t denials_free(struct denials *);

/* A validly signed NSEC3 RRset of the zone, from `a`. True if its parameters are news: ret_nsec3
 * has all that are in use, borrowed until the next call. */
bool denials_parameters(struct world *, struct zone *, const struct rrset *, const struct answer *a,
                        struct fact_nsec3 *ret_nsec3);
#endif
