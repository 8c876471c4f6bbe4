/*
 * tell_roll: stages of key rolls, and steps that were unsafe, become facts.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/tell/tell.h"

#include "analyze/canon.h"
#include "analyze/follow/roll.h"
#include "analyze/follow/roll_check.h"

static struct fact_key view(const struct roll_key *k)
{
    return (struct fact_key){.flags = k->flags,
                             .protocol = k->rdata[2],
                             .algorithm = k->rdata[3],
                             .tag = k->tag,
                             .public_key = {k->rdata + 4, (uint16_t)(k->size - 4)},
                             .signs_dnskey = k->entry_ns != INT64_MIN};
}

/* A CSK: with SEP, and RRsets other than DNSKEY are signed with it. */
static bool signs_both(const struct roll *r, uint8_t key)
{
    return r->key[key].flags & KEY_FLAG_SEP && r->key[key].signs_ns != INT64_MIN;
}

static void tell_event(struct tell *t, const struct answer *a, const struct zone *zone,
                       const struct roll_event *e, bool retro)
{
    const struct roll *r = zone->roll;
    struct fact f = tell_draft(t, a, FACT_ROLL, zone, retro);
    struct fact_key named = view(&r->key[e->roll]), key = view(&r->key[e->key]), other;
    uint64_t frames[2];
    size_t count = 0;
    struct fact_roll roll = {.stage = e->stage,
                             .method = roll_check_method(r, e->roll),
                             .roll = &named,
                             .key = &key,
                             .both = signs_both(r, e->roll) || signs_both(r, e->key),
                             .proven = e->proven,
                             .exposed = e->exposed,
                             .overdue = r->key[e->key].overdue,
                             .passed_ns = e->passed_ns,
                             .needed_ns = e->needed_ns,
                             .until_ns = e->until_ns};
    if (e->other != ROLL_NONE) {
        other = view(&r->key[e->other]);
        roll.other = &other;
    }
    if (e->group != ROLL_NONE) {
        roll.owner = r->group[e->group].owner;
        roll.type = r->group[e->group].type;
    }
    if (e->since_frame)
        frames[count++] = e->since_frame;
    if (e->frame)
        frames[count++] = e->frame;
    f.frames = frames;
    f.frame_count = count;
    f.time_ns = e->time_ns;
    f.aa = true; /* whatever showed it: the zone's own servers, or its parent's */
    f.observed = (struct fact_rrset){.owner = zone->name, .type = TYPE_DNSKEY};
    f.roll = &roll;
    tell_describe(&f, zone->baseline);
    tell_give(t, &f, NULL);
}

void tell_rolls(struct tell *t, struct answer *a, const struct flow *flow, int64_t first_ns,
                int64_t last_ns, int64_t flow_ns, bool retro)
{
    struct zone *zones[ROLL_ZONES_MAX];
    size_t count = roll_seen(t->answers, a, flow, first_ns, last_ns, flow_ns, zones);
    for (size_t i = 0; i < count; i++) {
        struct roll *r = zones[i]->roll;
        for (uint8_t k = 0; k < r->events; k++)
            tell_event(t, a, zones[i], &r->event[k], retro);
        r->events = 0;
    }
}
