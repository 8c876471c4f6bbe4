/*
 * tell_denial: the proofs of absence become facts.
 *
 * Contained in: analyze, tests. Tells only what the validator decided; a response whose query did
 * not ask for DNSSEC records proves nothing and lacks nothing.
 */
#include "analyze/tell/tell.h"

#include "analyze/canon.h"
#include "analyze/follow/contradiction.h"
#include "analyze/follow/denials.h"
#include "analyze/validate/denial.h"
#include "analyze/validate/judge.h"

#define WILDCARD_RECORDS 64 /* larger RRsets are not shown */

/* Room for views of the NSEC and NSEC3 RRsets of one response. */
static struct {
    struct fact_rrset set[DENIAL_SETS_MAX];
    struct fact_rdata rdata[DENIAL_SETS_MAX];
} views; /* this process has one thread */

/* How a proof can come out, good or bad; everything else is about signatures or the chain. */
static bool about_proof(enum reason reason)
{
    switch (reason) {
    case REASON_DENIAL:
    case REASON_WILDCARD:
    case REASON_OPT_OUT:
    case REASON_UNSIGNED_DELEGATION:
    case REASON_DENIAL_MISSING:
    case REASON_NAME_NOT_COVERED:
    case REASON_WILDCARD_NOT_DENIED:
    case REASON_TYPE_NOT_DENIED:
    case REASON_CLOSEST_ENCLOSER:
    case REASON_NEXT_CLOSER:
    case REASON_WILDCARD_CLOSER:
    case REASON_DS_NOT_DENIED:
        return true;
    default:
        return false;
    }
}

static bool is_proof(const struct rrset *set)
{
    return set->type == TYPE_NSEC || set->type == TYPE_NSEC3;
}

static enum denial_of denial_of(const struct answer *a)
{
    switch (a->kind) {
    case ANSWER_REFERRAL:
        return DENIAL_OF_DS;
    case ANSWER_NXDOMAIN:
        return DENIAL_OF_NAME;
    case ANSWER_NODATA:
        return a->qtype == TYPE_DS ? DENIAL_OF_DS : DENIAL_OF_TYPE;
    default: /* an answer from a wildcard, or an alias to what does not exist */
        if (a->by && !is_proof(a->by) && a->by->judged.wildcard)
            return DENIAL_OF_CLOSER;
        return a->rcode == 3 ? DENIAL_OF_NAME : DENIAL_OF_TYPE;
    }
}

static size_t view_proofs(const struct answer *a)
{
    size_t count = 0;
    for (size_t i = 0; i < a->sets && count < DENIAL_SETS_MAX; i++) {
        const struct answer_set *s = answer_nth(a, i);
        if (s->section != SECTION_AUTHORITY || !is_proof(s->set) || s->set->count != 1)
            continue;
        views.set[count] = rrset_view(s->set, &views.rdata[count]);
        count++;
    }
    return count;
}

/* A signature that says "from a wildcard" over a name that nothing denies. */
static void tell_spread(struct tell *t, const struct answer *a, bool retro)
{
    struct rrset *set = (struct rrset *)(uintptr_t)a->by;
    struct fact_signature judged;
    struct fact_rdata rdata[WILDCARD_RECORDS];
    if (set == NULL || set->signatures == 0 || set->count > WILDCARD_RECORDS)
        return;
    int64_t clock = answers_clock(t->answers, a->time_ns);
    judge_signature(&t->answers->world, set, &set->signature[set->judged.by], clock, &judged);
    struct fact f = tell_draft(t, a, FACT_SIGNATURE, a->zone, retro);
    f.observed = rrset_view(set, rdata);
    f.signature = &judged;
    tell_describe(&f, a->zone->baseline);
    tell_give(t, &f, NULL); /* elsewhere the same RRset may come with its proof */
}

void tell_proof(struct tell *t, struct answer *a, bool retro)
{
    if (a->told && a->told_reason == a->reason)
        return;
    a->finding = NULL;
    if (!a->do_known || !a->do_bit || a->zone == NULL || !about_proof(a->reason))
        return;
    if (a->zone->trust.state == TRUST_BOGUS)
        return; /* the proof that failed is one in the chain, and was told where it came */
    const struct rrset *ns = answer_find(a, SECTION_AUTHORITY, TYPE_NS);
    bool referral = a->kind == ANSWER_REFERRAL && ns;
    struct fact_denial denial = {.of = denial_of(a), .count = view_proofs(a), .sets = views.set};
    struct fact f = tell_draft(t, a, FACT_PROOF, a->zone, retro);
    f.observed = (struct fact_rrset){.owner = referral ? ns->owner : a->qname,
                                     .type = referral ? TYPE_DS : a->qtype};
    f.denial = &denial;
    tell_describe(&f, a->zone->baseline);
    tell_give_answer(t, &f, a);
    if (a->reason == REASON_WILDCARD_CLOSER && denial.count == 0)
        tell_spread(t, a, retro);
}

void tell_nsec3(struct tell *t, const struct answer *a, struct rrset *set, struct zone *zone,
                bool retro)
{
    struct fact_nsec3 nsec3;
    if (set->type != TYPE_NSEC3 || !name_equal(name_strip(set->owner, 1), zone->name) ||
        !denials_parameters(&t->answers->world, zone, set, a, &nsec3))
        return;
    struct fact f = tell_draft(t, a, FACT_NSEC3, zone, retro);
    f.nsec3 = &nsec3;
    f.observed = rrset_view(set, views.rdata);
    if (zone->baseline) /* what is planned is the change of that record */
        baseline_describe(zone->baseline, zone->name, TYPE_NSEC3PARAM, f.clock_ns, &f.baseline);
    tell_give(t, &f, NULL);
}

void tell_walk(struct tell *t, const struct answer *a, const struct fact_walk *walk,
               const uint8_t *apex)
{
    struct zone *zone = world_find(&t->answers->world, apex);
    struct fact f = {.kind = FACT_WALK, .time_ns = walk->since_ns, .clock_ns = walk->since_ns};
    f.aa = true; /* that it is over no cache could contradict */
    if (a) {
        f = tell_draft(t, a, FACT_WALK, zone, false);
        f.time_ns = a->last_seen_ns;
    }
    f.zone = apex;
    f.observed = (struct fact_rrset){.owner = apex, .type = walk->nsec3 ? TYPE_NSEC3 : TYPE_NSEC};
    f.walk = walk;
    tell_describe(&f, zone ? zone->baseline : NULL);
    tell_give(t, &f, NULL);
}

struct contradicted { /* the response in hand */
    struct tell *tell;
    const struct answer *answer;
    int64_t time_ns;
    uint64_t frame;
    bool told;
};

static void on_contradiction(void *context, struct zone *zone, const struct contradiction *c)
{
    struct contradicted *now = context;
    struct fact_rdata rdata[WILDCARD_RECORDS], denial[1];
    uint64_t frames[2] = {c->shown_frame, c->denied_frame};
    if (c->shown->count > WILDCARD_RECORDS || c->denial->count != 1)
        return;
    struct fact_contradiction told = {.how = c->how,
                                      .denial = rrset_view(c->denial, denial),
                                      .shown_ns = c->shown_ns,
                                      .denied_ns = c->denied_ns,
                                      .shown_family = c->shown_family,
                                      .denied_family = c->denied_family,
                                      .shown_by = c->shown_by,
                                      .denied_by = c->denied_by};
    struct fact f = tell_draft(now->tell, now->answer, FACT_DISPUTE, zone, false);
    f.time_ns = now->time_ns;
    f.clock_ns = answers_clock(now->tell->answers, now->time_ns);
    f.frames = frames;
    f.frame_count = 2;
    f.frame = now->frame;
    f.observed = rrset_view(c->shown, rdata);
    f.verdict = VERDICT_SECURE;
    f.reason = REASON_CHAIN;
    f.contradiction = &told;
    tell_describe(&f, zone->baseline);
    now->told |= tell_give(now->tell, &f, NULL) > 0;
}

bool tell_contradictions(struct tell *t, const struct answer *a, const struct flow *flow,
                         int64_t time_ns, uint64_t frame)
{
    struct contradicted now = {t, a, time_ns, frame, false};
    bool disputed =
        contradictions_seen(&t->answers->world, a, flow, time_ns, frame, on_contradiction, &now);
    return now.told || disputed;
}
