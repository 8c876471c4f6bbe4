/*
 * tell_views: split horizon as facts.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/tell/tell_views.h"

#include "analyze/tell/tell_servers.h"

struct telling {
    struct tell *tell;
    const struct answer *answer;
    const struct datagram *dg;
};

static struct fact_rdata rdata[2][RRSET_RECORDS_MAX]; /* one thread; too large for the stack */

static void on_views(void *context, const struct views_told *told)
{
    const struct telling *g = context;
    struct fact_views views = {.over = told->over,
                               .by_signature = told->by_signature,
                               .by_network = told->by_network,
                               .by_primary = told->by_primary};
    struct fact f = tell_servers_about(g->tell, told->zone, FACT_VIEWS, g->answer, g->dg);
    uint64_t frames[3];
    size_t count = 0;
    for (size_t i = 0; i < 2 && !told->over; i++) {
        const struct views_side_told *side = &told->side[i];
        views.side[i] = (struct fact_view){.family = side->family,
                                           .server = side->server,
                                           .client = side->client,
                                           .is_signed = side->is_signed,
                                           .signature_known = side->do_bit};
        if (side->set)
            views.side[i].set = rrset_view(side->set, rdata[i]);
        if (side->frame != g->dg->frame)
            frames[count++] = side->frame;
    }
    frames[count++] = g->dg->frame;
    f.frames = frames;
    f.frame_count = count;
    f.views = &views;
    f.observed.owner = g->answer->qname;
    f.observed.type = g->answer->qtype;
    tell_servers_give(g->tell, told->zone, f.observed.type, &f);
}

bool tell_views_seen(struct tell *t, struct answer *a, const struct datagram *dg)
{
    struct telling g = {t, a, dg};
    return views_seen(t->answers, a, &dg->flow, dg->time_ns, dg->frame, on_views, &g);
}
