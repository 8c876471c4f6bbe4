/*
 * tell_again: what was seen before is seen once more: counted on the findings that it supports, and
 * told anew where it may refute some.
 *
 * Contained in: analyze, tests. Must never: cost more than a few comparisons for a response of a
 * zone in which nothing is open, nor more than AGAIN_MAX facts a second of packet time of a zone in
 * which something is.
 */
#include "analyze/canon.h"
#include "analyze/follow/servers.h"
#include "analyze/tell/tell.h"
#include "analyze/validate/judge.h"

#define SECOND_NS INT64_C(1000000000)
#define AGAIN_MAX 200

static struct fact_rdata rdata[RRSET_RECORDS_MAX]; /* one thread; too large for the stack */
static struct fact_key keys[RRSET_RECORDS_MAX];
static struct fact_ds ds[RRSET_RECORDS_MAX];
static struct fact_fellow fellows[SERVERS_MAX];

/* --- what it supports ---------------------------------------------------------------------- */

static bool sighted(struct tell *t, struct finding *f, const struct answer *a,
                    const struct rrset *set, const struct datagram *dg)
{
    const struct finding_sight sight = {.time_ns = dg->time_ns,
                                        .frame = dg->frame,
                                        .aa = (a->flags & DNS_AA) != 0,
                                        .family = dg->flow.family,
                                        .server = dg->flow.src,
                                        .owner = set ? set->owner : NULL,
                                        .type = set ? set->type : 0,
                                        .ttl = set ? set->ttl : 0};
    /* Without signatures it is in order where nobody asked for them, and where a DNAME yields it.
     */
    if (f->rule == RULE_RRSIG_MISSING && a->reason != REASON_SIG_MISSING)
        return false;
    if (f->counted == dg->frame || finding_cites(f, dg->frame))
        return false; /* just opened by this very response, or by another RRset of it */
    finding_sighted(t->rules, f, &sight);
    return finding_cites(f, dg->frame);
}

/* --- what it may refute -------------------------------------------------------------------- */

struct telling {
    struct tell *tell;
    struct zone *zone;
    struct answer *answer;
    const struct datagram *dg;
    int64_t clock_ns;
};

/* Where who signed what matters to nobody: no chain, and no frames to be cited. */
static struct fact about(const struct telling *g, enum fact_kind kind)
{
    return (struct fact){.kind = kind,
                         .again = true,
                         .time_ns = g->dg->time_ns,
                         .clock_ns = g->clock_ns,
                         .frame = g->dg->frame,
                         .zone = g->zone->name,
                         .verdict = VERDICT_SECURE,
                         .reason = REASON_CHAIN,
                         .aa = (g->answer->flags & DNS_AA) != 0,
                         .from_referral = g->answer->kind == ANSWER_REFERRAL,
                         .do_bit = g->answer->do_bit,
                         .server_family = g->dg->flow.family,
                         .server = g->dg->flow.src,
                         .dnskey_seen = true};
}

void tell_fellows(struct fact *f, const struct zone *zone, const struct flow *flow)
{
    if (!zone->refutable)
        return;
    f->fellow_count = servers_fellows(zone->servers, flow, fellows);
    f->fellows = fellows;
}

static void give(struct telling *g, struct fact *f)
{
    struct finding *findings[4];
    g->zone->again_count++;
    tell_describe(f, g->zone->baseline);
    tell_fellows(f, g->zone, &g->dg->flow);
    (void)rules_judge(g->tell->rules, f, findings, sizeof findings / sizeof *findings);
}

static void tell_signatures(struct telling *g, struct rrset *set)
{
    for (uint8_t i = 0; i < set->signatures; i++) {
        struct fact_signature judged;
        struct fact f = about(g, FACT_SIGNATURE);
        judge_signature(&g->tell->answers->world, set, &set->signature[i], g->clock_ns, &judged);
        if (judged.state != SIGNATURE_VALID || !name_equal(judged.signer, f.zone))
            continue;
        f.observed = rrset_view(set, rdata);
        f.signature = &judged;
        give(g, &f);
    }
}

static bool is_all_sound(struct telling *g, struct rrset *set)
{
    struct fact_signature judged;
    if (set->signatures == 0 ||
        judge_rrset(&g->tell->answers->world, set, g->clock_ns) != REASON_CHAIN)
        return false;
    for (uint8_t i = 0; i < set->signatures; i++) {
        judge_signature(&g->tell->answers->world, set, &set->signature[i], g->clock_ns, &judged);
        if (judged.state != SIGNATURE_VALID && judged.state != SIGNATURE_UNCHECKED)
            return false;
    }
    return true;
}

/* The response that showed it first told of it. */
static bool is_news(const struct rrset *set, uint64_t frame)
{
    return set->frame_count > 0 && set->frames[set->frame_count - 1] == frame;
}

static void tell_set(struct telling *g, const struct answer_set *as)
{
    struct rrset *set = as->set;
    const struct zone *zone = g->zone;
    if (is_news(set, g->dg->frame) || !is_all_sound(g, set))
        return;
    tell_signatures(g, set);
    if (as->section != SECTION_ANSWER)
        return;
    if (set->type == TYPE_DNSKEY && name_equal(set->owner, zone->name)) {
        struct fact f = about(g, FACT_DNSKEY);
        f.observed = rrset_view(set, rdata);
        f.key_count = tell_view_keys(g->tell, zone, set, keys);
        f.keys = keys;
        give(g, &f);
    } else if (zone->baseline && set->compared && set->type != TYPE_DS && set->type != TYPE_NS) {
        struct fact f = about(g, FACT_RRSET);
        f.observed = rrset_view(set, rdata);
        give(g, &f);
    }
}

static void tell_denial(struct telling *g)
{
    const struct answer *a = g->answer;
    struct fact f = about(g, FACT_DENIED);
    if (g->zone->baseline == NULL || (a->kind != ANSWER_NXDOMAIN && a->kind != ANSWER_NODATA))
        return;
    f.observed = (struct fact_rrset){.owner = a->qname, .type = a->qtype};
    give(g, &f);
}

/* A zone's budget of a second; what is left out comes again. */
static bool may_tell(struct zone *zone, int64_t time_ns)
{
    if (zone->again_second != time_ns / SECOND_NS) {
        zone->again_second = time_ns / SECOND_NS;
        zone->again_count = 0;
    }
    return zone->again_count < AGAIN_MAX;
}

static void refute(struct tell *t, struct answer *a, const struct datagram *dg)
{
    struct telling g = {t, a->zone, a, dg, answers_clock(t->answers, dg->time_ns)};
    if (!(a->flags & DNS_AA) || reason_verdict(answer_held(a)) != VERDICT_SECURE ||
        !may_tell(a->zone, dg->time_ns))
        return;
    for (size_t i = 0; i < a->sets; i++)
        tell_set(&g, answer_nth(a, i));
    if (a->frame != dg->frame)
        tell_denial(&g);
}

/* The DS RRset of a referral, which is all that it can refute something with. */
static void refute_parent(struct tell *t, struct answer *a, const struct datagram *dg)
{
    struct telling g = {t, a->serves_for, a, dg, answers_clock(t->answers, dg->time_ns)};
    struct rrset *set = answer_find(a, SECTION_AUTHORITY, TYPE_DS);
    if (a->frame == dg->frame || set == NULL || !name_equal(set->owner, g.zone->name) ||
        !may_tell(g.zone, dg->time_ns) || !is_all_sound(&g, set))
        return;
    struct fact f = about(&g, FACT_DS);
    f.observed = rrset_view(set, rdata);
    f.ds_count = tell_view_ds(g.zone, set, g.clock_ns, ds);
    f.ds = ds;
    give(&g, &f);
}

/* --- ways in ------------------------------------------------------------------------------- */

void tell_open(struct tell *t, const uint8_t *name)
{
    struct zone *zone = world_find(&t->answers->world, name);
    if (zone)
        zone->refutable = rules_refutable(t->rules, name);
}

/* What is declared is not what it was. */
static void turn(struct tell *t, int64_t time_ns)
{
    const struct baseline *b = t->answers->world.baseline;
    bool fixed = t->answers->world.settings->at == AT_FIXED;
    t->turned_ns = t->turns++ ? time_ns : INT64_MIN; /* nothing was told before the first */
    t->turn_ns = b && !fixed ? baseline_turn(b, time_ns) : INT64_MAX;
}

bool tell_again(struct tell *t, struct answer *a, const struct datagram *dg)
{
    bool cited = false;
    if (dg->time_ns >= t->turn_ns)
        turn(t, dg->time_ns);
    else if (dg->time_ns < t->turned_ns)
        t->turned_ns = dg->time_ns; /* the clock was set back: what comes now is no older for it */
    if (a->turns != t->turns)
        cited = tell_anew(t, a, dg);
    if (a->zone && a->zone->refutable)
        refute(t, a, dg);
    else if (a->kind == ANSWER_REFERRAL && a->serves_for && a->serves_for->refutable)
        refute_parent(t, a, dg);
    if (a->findings_epoch == t->epoch + 1 && !a->has_findings)
        return false; /* nothing was attached since this was last looked at */
    a->findings_epoch = t->epoch + 1;
    a->has_findings = a->finding != NULL;
    if (a->finding)
        cited = sighted(t, a->finding, a, NULL, dg);
    for (size_t i = 0; i < a->sets; i++) {
        const struct rrset *set = answer_nth(a, i)->set;
        a->has_findings |= set->finding_count > 0;
        for (uint8_t k = 0; k < set->finding_count; k++)
            cited |= sighted(t, set->findings[k], a, set, dg);
    }
    return cited;
}
