/*
 * tell_cut: parent and child, compared.
 *
 * Contained in: analyze, tests. Must never: compare what was not seen at about one time.
 */
#include "analyze/tell/tell_cut.h"

#include "analyze/canon.h"
#include "analyze/tell/tell_servers.h"
#include "analyze/validate/judge.h"

#include <string.h>

#define SECOND_NS 1000000000ll

struct shown { /* views of RRsets; this process has one thread */
    struct fact_rdata first[RRSET_RECORDS_MAX], second[RRSET_RECORDS_MAX];
    struct fact_key key[RRSET_RECORDS_MAX];
    uint64_t frame[4];
};

static struct shown shown;

/* --- NS ------------------------------------------------------------------------------------ */

static struct fact_cut compare(const struct servers *s)
{
    const struct servers_ns *p = &s->parent, *c = &s->child;
    const struct servers_ns *older = p->last_ns < c->last_ns ? p : c, *newer = older == p ? c : p;
    const struct servers_ns *changed = p->since_ns > c->since_ns ? p : c;
    uint32_t ttl = p->ttl > c->ttl ? p->ttl : c->ttl;
    return (struct fact_cut){.differ = !servers_same_records(p->set, c->set),
                             .current = flow_elapsed(older->last_ns, newer->last_ns) <=
                                        (int64_t)older->ttl * SECOND_NS,
                             .began = changed->moved,
                             .lasted_ns = flow_elapsed(changed->since_ns, newer->last_ns),
                             .ttl_ns = (int64_t)ttl * SECOND_NS};
}

static bool tell_cut(struct tell *t, struct zone *zone, const struct answer *a,
                     const struct datagram *dg)
{
    struct servers *s = zone->servers;
    if (s->parent.set == NULL || s->child.set == NULL)
        return false;
    struct fact_cut cut = compare(s);
    if (!tell_servers_due(&s->told_ns, dg->time_ns, cut.differ))
        return false;
    struct fact f = tell_servers_about(t, zone, FACT_CUT, a, dg);
    shown.frame[0] = s->parent.frame;
    shown.frame[1] = s->child.frame;
    shown.frame[2] = dg->frame;
    f.frames = shown.frame;
    f.frame_count = 3;
    f.cut = &cut;
    f.observed = rrset_view(s->parent.set, shown.first);
    cut.child = rrset_view(s->child.set, shown.second);
    tell_servers_give(t, zone, TYPE_NS, &f);
    return true;
}

/* An RRset is held against the baseline when it is first seen (analyze/tell/tell.c). One that was
 * there before another took its place, and is back, ends what was found of that. */
static void tell_returned(struct tell *t, struct zone *zone, bool of_parent, struct rrset *ns,
                          const struct answer *a, const struct datagram *dg)
{
    struct fact f = tell_servers_about(t, zone, FACT_DELEGATION, a, dg);
    if (!(of_parent ? &zone->servers->parent : &zone->servers->child)->moved)
        return;
    f.observed = rrset_view(ns, shown.first);
    f.from_referral = of_parent;
    f.aa = !of_parent;
    f.reason = a->reason;
    tell_servers_give(t, zone, TYPE_NS, &f);
}

static bool note(struct tell *t, struct zone *zone, bool of_parent, struct rrset *ns,
                 const struct answer *a, const struct datagram *dg)
{
    struct servers *s = servers_of(&t->answers->world, zone);
    if (s == NULL || ns == NULL || reason_verdict(a->reason) == VERDICT_BOGUS)
        return false;
    bool is_new = servers_note_ns(of_parent ? &s->parent : &s->child, ns, dg->time_ns, dg->frame);
    if (is_new && zone->baseline && ns->first_seen_ns < dg->time_ns)
        tell_returned(t, zone, of_parent, ns, a, dg);
    return ((is_new || s->told_ns.differ) && tell_cut(t, zone, a, dg)) || is_new;
}

bool tell_cut_parent(struct tell *t, struct zone *zone, struct rrset *ns, const struct answer *a,
                     const struct datagram *dg)
{
    return note(t, zone, true, ns, a, dg);
}

bool tell_cut_child(struct tell *t, struct zone *zone, struct rrset *ns, const struct answer *a,
                    const struct datagram *dg)
{
    return note(t, zone, false, ns, a, dg);
}

/* --- CDS and CDNSKEY ----------------------------------------------------------------------- */

/* Both were there at about one time. */
static bool near(const struct server_set *a, const struct server_set *b)
{
    int64_t from = a->since_ns > b->since_ns ? a->since_ns : b->since_ns;
    int64_t to = a->last_ns < b->last_ns ? a->last_ns : b->last_ns;
    return a->known && b->known && flow_elapsed(to, from) <= SERVERS_NEAR_NS;
}

/* The RRset that the server has: the one that is kept, if it is the same. */
static struct rrset *own(const struct servers *s, const struct server *server,
                         enum servers_what what)
{
    const struct server_set *set = &server->set[what];
    return set->known && set->hash && s->kept[what].hash == set->hash ? s->kept[what].set : NULL;
}

/* What came without signatures, as to a query without DO, may be signed by any key. */
static bool signed_by_ds(const struct zone *zone, const struct rrset *set)
{
    uint16_t size;
    if (set->signatures == 0)
        return true;
    for (uint8_t i = 0; i < set->signatures; i++)
        for (uint8_t k = 0; k < zone->dss; k++)
            for (const uint8_t *r = NULL; (r = rrset_record(zone->ds[k], r, &size)) != NULL;)
                if (size >= 4 && set->signature[i].tag == (r[0] << 8 | r[1]) &&
                    set->signature[i].algorithm == r[2])
                    return true;
    return false;
}

static size_t view_keys(struct world *w, struct rrset *set)
{
    size_t count = 0;
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;) {
        if (size < 4)
            continue;
        shown.key[count++] = (struct fact_key){.flags = (uint16_t)(r[0] << 8 | r[1]),
                                               .protocol = r[2],
                                               .algorithm = r[3],
                                               .tag = key_tag(r, size),
                                               .public_key = {r + 4, (uint16_t)(size - 4)},
                                               .signs_dnskey = judge_signed_with(w, set, r, size)};
    }
    return count;
}

bool tell_cds(struct tell *t, struct zone *zone, const struct server *server,
              const struct answer *a, const struct datagram *dg)
{
    struct servers *s = zone->servers;
    const struct server_set *cds = &server->set[SERVERS_CDS];
    const struct server_set *cdnskey = &server->set[SERVERS_CDNSKEY];
    const struct server_set *keys = &server->set[SERVERS_KEYS];
    if (!(cds->known && cds->hash) && !(cdnskey->known && cdnskey->hash) && !s->told_cds.differ)
        return false;
    bool is_new =
        cds->frame == dg->frame || cdnskey->frame == dg->frame || keys->frame == dg->frame;
    if (!tell_servers_due(&s->told_cds, dg->time_ns, true) && !is_new)
        return false;
    struct rrset *cds_set = own(s, server, SERVERS_CDS);
    struct rrset *cdnskey_set = own(s, server, SERVERS_CDNSKEY);
    struct rrset *key_set = own(s, server, SERVERS_KEYS);
    /* The newer of the two is what the other, and the DNSKEY RRset, must have been near to. */
    const struct server_set *at =
        !cds->known || (cdnskey->known && cdnskey->last_ns > cds->last_ns) ? cdnskey : cds;
    struct fact_cds c = {.cds_known = cds->known && near(cds, at) && (cds_set || !cds->hash),
                         .cdnskey_known =
                             cdnskey->known && near(cdnskey, at) && (cdnskey_set || !cdnskey->hash),
                         .ds_known = zone->dss > 0};
    struct fact f = tell_servers_about(t, zone, FACT_CDS, a, dg);
    size_t frames = 0;
    if (c.cds_known && cds_set) {
        c.cds = rrset_view(cds_set, shown.first);
        shown.frame[frames++] = cds->frame;
    }
    if (c.cdnskey_known && cdnskey_set) {
        c.cdnskey = rrset_view(cdnskey_set, shown.second);
        shown.frame[frames++] = cdnskey->frame;
    }
    if (key_set && near(keys, at)) {
        f.key_count = view_keys(&t->answers->world, key_set);
        c.signers_known =
            key_set->signatures && (zone->dss > 0 || zone->trust.state == TRUST_SECURE);
        shown.frame[frames++] = keys->frame;
    }
    c.signed_by_ds = (!c.cds_known || !cds_set || signed_by_ds(zone, cds_set)) &&
                     (!c.cdnskey_known || !cdnskey_set || signed_by_ds(zone, cdnskey_set));
    shown.frame[frames++] = dg->frame;
    f.frames = shown.frame;
    f.frame_count = frames;
    f.keys = shown.key;
    f.cds = &c;
    f.observed.type = TYPE_CDS;
    tell_servers_give(t, zone, TYPE_CDS, &f);
    return true;
}
