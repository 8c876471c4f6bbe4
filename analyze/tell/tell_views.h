/*
 * tell_views: split horizon as facts.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_TELL_TELL_VIEWS_H
#define ANALYZE_TELL_TELL_VIEWS_H

#include "analyze/follow/views.h"
#include "analyze/tell/tell.h"

bool tell_views_seen(struct tell *, struct answer *, const struct datagram *);

/* A response to a query that was seen, new or again, after tell_servers. True: its frames may be
 * cited. */
static inline bool tell_views(struct tell *t, struct answer *a, const struct datagram *dg)
{
    return views_want(a, a->frame == dg->frame) && tell_views_seen(t, a, dg);
}

#endif
