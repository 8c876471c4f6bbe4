/*
 * tell_glue: glue of referrals as facts.
 *
 * Contained in: analyze, tests. Must never: hold glue against an answer that is bogus or that could
 * not be validated: a forged one is another finding.
 */
#include "analyze/tell/tell_glue.h"

#include "analyze/canon.h"
#include "analyze/follow/glue.h"
#include "analyze/follow/servers.h"
#include "analyze/tell/tell_servers.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"

#define SHOWN_MAX 8 /* that differ, in one fact; more are not shown */

struct shown { /* views of RRsets; this process has one thread */
    struct fact_rdata declared[RRSET_RECORDS_MAX];
    struct fact_rdata parent[SHOWN_MAX][RRSET_RECORDS_MAX], child[SHOWN_MAX][RRSET_RECORDS_MAX];
    struct fact_glue glue[SHOWN_MAX];
    uint64_t frame[2 * SHOWN_MAX + 1];
};

static struct shown shown;

/* --- comparison with the zone's own addresses --- */

/* The baseline knows better than either side: what deviates from it is a finding already
 * (delegation-changed, record-changed). */
static bool is_declared(struct tell *t, const struct rrset *set, int64_t clock_ns)
{
    const struct baseline *b = t->answers->world.baseline;
    const struct baseline_zone *declared = b ? baseline_over(b, set->owner, set->type) : NULL;
    struct fact_baseline of = {.present = false};
    if (declared)
        baseline_describe(declared, set->owner, set->type, clock_ns, &of);
    return of.present && of.expected.count > 0;
}

static bool is_sound(struct tell *t, struct zone *zone, struct rrset *set, int64_t clock_ns)
{
    struct world *w = &t->answers->world;
    if (set->signatures)
        return judge_rrset(w, set, clock_ns) == REASON_CHAIN;
    return trust_zone(w, zone, clock_ns)->state == TRUST_INSECURE;
}

/* Does the parent still name it? */
static bool is_named(const struct zone *zone, const uint8_t *owner)
{
    const struct rrset *ns = zone->servers->parent.set;
    uint16_t size;
    for (const uint8_t *r = NULL; ns && (r = rrset_record(ns, r, &size)) != NULL;)
        if (name_equal(r, owner))
            return true;
    return false;
}

static void show(struct glue *glue, size_t at, struct fact *f)
{
    struct rrset *parent = glue->parent.form[0].set, *child = glue->child.form[0].set;
    shown.glue[at] = (struct fact_glue){.parent = rrset_view(parent, shown.parent[at]),
                                        .child = rrset_view(child, shown.child[at])};
    shown.frame[f->frame_count++] = glue->parent.form[0].frame;
    shown.frame[f->frame_count++] = glue->child.form[0].frame;
}

/* What differed differs until both agree, one of them says what the other does, or the parent no
 * longer names the server. */
static bool differs(struct tell *t, struct zone *zone, const struct glue *glue, bool final,
                    int64_t clock_ns)
{
    enum glue_state state = glue_compare(glue, final);
    struct rrset *child = glue->child.forms ? glue->child.form[0].set : NULL;
    if (child == NULL || !is_named(zone, child->owner) || is_declared(t, child, clock_ns))
        return false;
    if (state == GLUE_DIFFERS)
        return is_sound(t, zone, child, clock_ns);
    return state == GLUE_UNSEEN && glue->differs;
}

static bool compare(struct tell *t, struct zone *zone, const struct answer *a,
                    const struct datagram *dg, bool final)
{
    struct glues *g = zone->servers->glues;
    struct fact f = tell_servers_about(t, zone, FACT_GLUE, a, dg);
    struct fact_glues glues = {.glue = shown.glue};
    bool were = false, is_new = false;
    f.frames = shown.frame;
    f.frame_count = 0;
    for (size_t i = 0; i < g->count; i++) {
        struct glue *glue = &g->glue[i];
        bool now = differs(t, zone, glue, final, f.clock_ns);
        were |= glue->differs;
        is_new |= now != glue->differs;
        glue->differs = now;
        if (now && glues.count < SHOWN_MAX)
            show(glue, glues.count++, &f);
    }
    bool due =
        glues.count > 0 && !final &&
        (g->told_ns == INT64_MIN || flow_elapsed(g->told_ns, dg->time_ns) >= SERVERS_AGAIN_NS);
    if (!is_new && !due)
        return false;
    g->told_ns = dg->time_ns;
    if (dg->frame)
        shown.frame[f.frame_count++] = dg->frame;
    f.glues = &glues;
    f.observed.owner = zone->name;
    tell_servers_give(t, zone, TYPE_NS, &f);
    return were || glues.count > 0;
}

/* --- ways in --- */

static bool speaks_for_parent(const struct answer *a)
{
    return a->kind == ANSWER_REFERRAL && !(a->flags & DNS_RA) && a->glue &&
           reason_verdict(a->reason) != VERDICT_BOGUS;
}

bool tell_glue_again(struct tell *t, struct zone *zone, const struct answer *a,
                     const struct datagram *dg)
{
    struct glues *g = zone->servers ? zone->servers->glues : NULL;
    if (g == NULL || !speaks_for_parent(a) || !glue_again(g, a->glue, dg->time_ns, dg->frame))
        return false;
    return compare(t, zone, a, dg, false);
}

/* Of servers that the delegation names outside the zone no addresses are known here. */
static bool may_answer(const struct zone *zone, const struct rrset *set, const struct datagram *dg)
{
    const struct rrset *ns = zone->servers->parent.set;
    uint16_t size;
    for (const uint8_t *r = NULL; ns && (r = rrset_record(ns, r, &size)) != NULL;)
        if (!name_within(r, zone->name))
            return true;
    return glue_leads_to(zone->servers->glues, set, dg->flow.family, dg->flow.src);
}

bool tell_glue_child(struct tell *t, struct zone *zone, const struct answer *a,
                     const struct datagram *dg)
{
    const struct answer_set *as = answer_nth(a, 0);
    struct glue *glue = zone->servers ? glue_find(zone->servers->glues, a->qname, a->qtype) : NULL;
    if (glue == NULL || reason_verdict(a->reason) == VERDICT_BOGUS ||
        !name_equal(as->set->owner, a->qname) || !may_answer(zone, as->set, dg))
        return false;
    bool is_new = glue_note_child(glue, as->set, as->ttl, dg->time_ns, dg->frame);
    return compare(t, zone, a, dg, false) || is_new;
}

void tell_glue_final(struct tell *t, struct zone *zone, const struct datagram *end)
{
    if (zone->servers && zone->servers->glues)
        (void)compare(t, zone, NULL, end, true);
}

/* An answer that gives addresses with findings supports the first of them as a whole: only by that
 * it is recognised when it comes again. */
static void bear(struct answer *a, const struct rrset *set)
{
    if (set->finding_count == 0)
        return;
    if (a->finding == NULL)
        a->finding = set->findings[0];
    a->has_findings = true;
}

static void tell_declared(struct tell *t, const struct answer *a,
                          const struct baseline_zone *declared, const uint8_t *apex,
                          struct rrset *set)
{
    if (set->compared)
        return;
    set->compared = 1;
    struct zone *zone = world_find(&t->answers->world, apex);
    struct fact f = tell_draft(t, a, FACT_DELEGATION, zone, false);
    f.zone = baseline_apex(declared);
    f.observed = rrset_view(set, shown.declared);
    tell_describe(&f, declared);
    tell_give(t, &f, set);
}

void tell_glue(struct tell *t, const struct dns_message *m, struct answer *a,
               const struct datagram *asked)
{
    struct world *w = &t->answers->world;
    const struct rrset *ns = answer_find(a, SECTION_AUTHORITY, TYPE_NS);
    if (ns == NULL || a->kind != ANSWER_REFERRAL || a->glue == 0)
        return;
    const struct baseline_zone *declared = w->baseline ? baseline_at(w->baseline, ns->owner) : NULL;
    struct zone *zone = asked && a->serves & SERVES_REFERRAL ? a->serves_for : NULL;
    struct glues *glues = zone && speaks_for_parent(a) ? glue_of(w, zone) : NULL;
    /* Known ones are noted by tell_glue_again. */
    if (glues && glue_again(glues, a->glue, asked->time_ns, asked->frame))
        glues = NULL;
    if (declared == NULL && glues == NULL)
        return;
    struct rrset_groups groups;
    rrset_groups(m, 1u << SECTION_ADDITIONAL, &groups);
    for (size_t i = 0; i < groups.count; i++) {
        struct rrset_group *g = &groups.group[i];
        if ((g->type != TYPE_A && g->type != TYPE_AAAA) ||
            !name_within(m->owners[g->owner].name, ns->owner))
            continue;
        rrset_intern(w->rrsets, m, g, a->time_ns, a->frames, a->frame_count);
        if (g->rrset && declared)
            tell_declared(t, a, declared, ns->owner, g->rrset);
        if (g->rrset && glues)
            (void)glue_note_parent(w, glues, g->rrset, g->ttl, a->glue, asked->time_ns,
                                   asked->frame);
        if (g->rrset && declared)
            bear(a, g->rrset);
    }
    if (glues)
        (void)compare(t, zone, a, asked, false);
}
