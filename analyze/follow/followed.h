/*
 * followed: what is followed of a zone over time, to whoever owns the zone.
 *
 * A zone (analyze/validate/world.h) owns what the trackers of this room note of it, and the
 * validator knows none of them: this is the one header of analyze/follow that analyze/validate
 * includes.
 */
#ifndef ANALYZE_FOLLOW_FOLLOWED_H
#define ANALYZE_FOLLOW_FOLLOWED_H

#include <stddef.h>

struct zone;

/* Frees all of it; returns the bytes that were counted for it. */
size_t followed_free(struct zone *zone);

/* What it holds of RRsets, it holds no longer: they are about to be freed (struct rrset.held). */
void followed_let_go(const struct zone *zone);

/* What it concluded from RRsets that are no longer remembered, it forgets. */
void followed_forget(struct zone *zone);

#endif
