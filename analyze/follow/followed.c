/*
 * followed: what is followed of a zone over time, to whoever owns the zone.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/follow/followed.h"

#include "analyze/follow/contradiction.h"
#include "analyze/follow/denials.h"
#include "analyze/follow/roll.h"
#include "analyze/follow/servers.h"
#include "analyze/follow/usage.h"
#include "analyze/follow/views.h"

size_t followed_free(struct zone *zone)
{
    return usage_free(zone->usage) + servers_free(zone->servers) + roll_free(zone->roll) +
           denials_free(zone->denials) + contradictions_free(zone->contradictions) +
           views_free(zone->views);
}

void followed_let_go(const struct zone *zone)
{
    servers_let_go(zone->servers);
}

void followed_forget(struct zone *zone)
{
    roll_forget(zone->roll);
}
