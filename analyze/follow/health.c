/*
 * health: from resolvers' responses to what is worth telling.
 *
 * Contained in: analyze, tests. Must never: look a thing up for each response of a zone that has no
 * trouble, or blame a zone for what may lie in a child of it.
 */
#include "analyze/follow/health.h"

#include "analyze/canon.h"
#include "analyze/follow/outage.h"
#include "analyze/validate/trust.h"

#define XXH_INLINE_ALL
#include <string.h>
#include <xxhash.h>

#define RCODE_SERVFAIL 2
#define SECOND_NS      INT64_C(1000000000)
/* A resolver may go on refusing what it found bogus for so long after it was mended (unbound's
 * val-bogus-ttl and RFC 9520 3.2 are a minute and at most five). Only failures on both sides of
 * such a span show that an answer in between is no mere repair. */
#define BAD_CACHE_NS (60 * SECOND_NS)

static bool is_resolvers(const struct answer *a)
{
    return (a->flags & (DNS_AA | DNS_RA)) == DNS_RA;
}

static bool power_of_two(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

/* --- whose it is --- */

/* Is it certain that the failure is the zone's own? */
static bool is_its_own(const struct health *h, const struct zone *zone, const struct answer *a)
{
    return zone->baseline || zone->trust.state == TRUST_BOGUS || name_equal(a->qname, zone->name) ||
           outage_has_failed(zone, a) || inside_has(h->answers->inside, a->qname, zone);
}

static uint64_t question_of(const struct health *h, struct answer *a)
{
    if (a->question == 0)
        a->question =
            XXH3_64bits_withSeed(a->qname, a->qname_size, h->answers->world.seed + a->qtype) | 1;
    return a->question;
}

/* --- opinions that differ --- */

/* Does the SERVFAIL say, or leave it open, that validation failed? */
static bool may_be_validation(const struct voice *failed)
{
    return failed->cause != HEALTH_BY_OTHER;
}

/* The resolver failed before and after the data was given, and not by a bad memory. */
static bool encloses(const struct voice *failed, int64_t data_ns)
{
    return failed->first_failed_ns <= data_ns && data_ns <= failed->failed_ns &&
           flow_elapsed(failed->first_failed_ns, failed->failed_ns) > BAD_CACHE_NS;
}

/* `failed` got SERVFAIL, and `data` gives data to a query with that CD: is that validation? */
static bool differs(const struct voice *failed, const struct voice *data, bool cd)
{
    bool same = failed == data;
    int64_t data_ns = data->data_ns[cd];
    if ((same && !cd) || data_ns == VOICES_NEVER || failed->failed_ns == VOICES_NEVER ||
        !may_be_validation(failed))
        return false;
    int64_t apart = flow_elapsed(failed->failed_ns, data_ns);
    if (apart > HEALTH_WINDOW_NS || apart < -HEALTH_WINDOW_NS)
        return false;
    enum verdict_kind verdict = data->verdict[cd];
    if (verdict == VERDICT_BOGUS)
        return true;
    bool says_so = failed->cause == HEALTH_BY_EDE;
    if (verdict == VERDICT_SECURE || verdict == VERDICT_INSECURE)
        return (same || says_so) && encloses(failed, data_ns);
    return says_so; /* we cannot tell, and the resolver does */
}

static void compare(const struct health_case *c, struct voices_question *q)
{
    if (voices_lately(q->split_ns, c->time_ns))
        return;
    for (uint8_t i = 0; i < q->voices; i++)
        for (uint8_t k = 0; k < 2 * q->voices; k++)
            if (differs(&q->voice[i], &q->voice[k / 2], k & 1)) {
                q->split_ns = c->time_ns;
                health_tell_split(c, q, &q->voice[i], &q->voice[k / 2], k & 1);
                return;
            }
}

/* --- SERVFAIL --- */

static bool works_with_cd(const struct voices_question *q, int64_t now_ns)
{
    for (uint8_t i = 0; i < q->voices; i++)
        if (voices_lately(q->voice[i].data_ns[1], now_ns))
            return true;
    return false;
}

static enum health_cause cause_of(const struct health_case *c, const struct voices_question *q)
{
    const struct answer *a = c->a;
    if (usage_blames_dnssec(a))
        return HEALTH_BY_EDE;
    if (a->ede_count)
        return HEALTH_BY_OTHER;
    if (trust_broken(c->zone) || outage_has_failed(c->zone, a))
        return HEALTH_BY_VERDICT;
    return works_with_cd(q, c->time_ns) ? HEALTH_BY_CD : HEALTH_BY_UNKNOWN;
}

/* The first word counts, or a surer one: what a resolver says of a failure that it remembers is
 * less exact. */
static void note_cause(const struct health_case *c, const struct voices_question *q, bool first,
                       struct voice *v)
{
    enum health_cause cause = cause_of(c, q);
    if (!first && cause >= (enum health_cause)v->cause)
        return;
    v->cause = (uint8_t)cause;
    v->ede = c->a->ede_count ? c->a->ede[0] : HEALTH_NO_EDE;
}

/* What the flow's source said to the question, and the question; NULL without memory. */
static struct voice *hear(const struct health_case *c, struct voices *voices,
                          struct voices_question **ret_q)
{
    struct voices_question *q =
        voices_question(voices, question_of(c->h, c->a), c->a->qname, c->a->qtype, c->time_ns);
    struct voice *v = q ? voices_hear(voices, q, c->flow->family, c->flow->src) : NULL;
    *ret_q = q;
    return v;
}

static bool failed(const struct health_case *c, struct resolver *r)
{
    struct voices_question *q;
    struct voices *voices = usage_voices(&c->h->answers->world, c->zone);
    struct voice *v = voices ? hear(c, voices, &q) : NULL;
    if (v == NULL)
        return false;
    bool news = !voices_lately(v->failed_ns, c->time_ns);
    if (news) {
        v->first_failed_ns = c->time_ns;
        v->failed_frame = c->frame;
    }
    note_cause(c, q, news, v);
    v->failed_ns = c->time_ns;
    struct voices_run *run = voices_run_of(voices, c->flow->family, c->flow->src, c->time_ns);
    if (run->since_ns == VOICES_NEVER || run->count == 0) {
        run->since_ns = c->time_ns;
        run->count = 0;
    }
    run->count++;
    usage_heard(&c->h->answers->world, c->usage);
    if (news || power_of_two(run->count))
        health_tell_failing(c, run, r);
    compare(c, q);
    return news;
}

/* --- data --- */

/* The resolver answers for the zone: whatever failed, it is not dark. Keys and proofs are nothing
 * that anyone has the zone for. */
static void end_run(const struct health_case *c, struct voices *voices)
{
    struct voices_run *run = voices_run(voices, c->flow->family, c->flow->src);
    if (run == NULL || usage_is_plumbing(c->a->qtype))
        return;
    run->since_ns = VOICES_NEVER;
    run->count = 0;
    if (!run->dark)
        return;
    run->dark = false;
    for (size_t i = 0; i < voices->runs; i++)
        if (voices->run[i].dark)
            return;
    health_tell_answered(c);
}

static bool anyone_fails(const struct voices_question *q)
{
    for (uint8_t i = 0; i < q->voices; i++)
        if (q->voice[i].failed_ns != VOICES_NEVER)
            return true;
    return false;
}

static bool gave_data(const struct health_case *c, struct voices *voices, bool cd)
{
    enum verdict_kind verdict = reason_verdict(answer_held(c->a));
    struct voices_question *q = voices_find(voices, question_of(c->h, c->a));
    if (q == NULL && verdict != VERDICT_BOGUS)
        return false;
    struct voice *v = hear(c, voices, &q);
    if (v == NULL)
        return false;
    bool news = !voices_lately(v->data_ns[cd], c->time_ns);
    if (news)
        v->data_frame[cd] = c->frame;
    v->data_ns[cd] = c->time_ns;
    v->verdict[cd] = (uint8_t)verdict;
    if (!cd && v->failed_ns != VOICES_NEVER) {
        v->failed_ns = v->first_failed_ns = VOICES_NEVER;
        if (q->split_ns != VOICES_NEVER && !anyone_fails(q)) {
            q->split_ns = VOICES_NEVER;
            health_tell_agreed(c, q);
        }
    }
    usage_heard(&c->h->answers->world, c->usage);
    compare(c, q);
    return news;
}

/* --- AD --- */

/* Does the zone's trust come from the root, so that every validating resolver shares it? An anchor
 * or keys of ours alone are no reason for AD. */
static bool is_trusted_by_all(const struct zone *zone)
{
    const struct zone *at = zone;
    for (unsigned steps = 0; at && steps <= NAME_MAX_LABELS; steps++) {
        if (at->trust.only_pinned || at->trust.state != TRUST_SECURE)
            return false;
        if (at->trust.up == NULL)
            return name_is_root(at->name);
        at = at->trust.up;
    }
    return false;
}

/* A zone that got its DS is insecure to who has the proof that it has none, and what they fetched
 * until that ran out stays so for as long as they keep it. */
static bool may_be_from_before(const struct health_case *c)
{
    const struct zone *zone = c->a->counted_for;
    uint32_t proof = 0, data = 0;
    if (zone->no_ds.reason == REASON_NONE)
        return false;
    for (size_t i = 0; i < PROOF_SETS_MAX; i++)
        if (zone->no_ds.proof[i] && zone->no_ds.proof[i]->ttl > proof)
            proof = zone->no_ds.proof[i]->ttl;
    for (size_t i = 0; i < c->a->sets; i++) {
        const struct rrset *set = answer_nth(c->a, i)->set;
        if (set->signatures && set->signature[0].original_ttl > data)
            data = set->signature[0].original_ttl;
    }
    return flow_elapsed(zone->no_ds.seen_ns, c->time_ns) <= ((int64_t)proof + data) * SECOND_NS;
}

static bool bare(const struct health_case *c, struct resolver *r)
{
    if (may_be_from_before(c) || r->ad_ns == INT64_MIN || c->a->qtype == TYPE_RRSIG ||
        c->a->qtype == TYPE_ANY || !is_trusted_by_all(c->a->counted_for))
        return false;
    r->without_ad++;
    bool cited = resolvers_example(r, question_of(c->h, c->a), c->a->qname, c->a->qtype, c->frame);
    if (cited || power_of_two(r->without_ad))
        health_tell_rate(c, r);
    struct voices_question *q;
    struct voices *voices = usage_voices(&c->h->answers->world, c->zone);
    struct voice *v = voices ? hear(c, voices, &q) : NULL;
    if (v == NULL)
        return cited;
    struct voices_run *run = voices_run_of(voices, c->flow->family, c->flow->src, c->time_ns);
    bool news = !voices_lately(v->bare_ns, c->time_ns);
    if (news)
        v->bare_frame = c->frame;
    v->bare_ns = c->time_ns;
    if (run->bare_ns == VOICES_NEVER)
        run->bare_ns = c->time_ns;
    usage_heard(&c->h->answers->world, c->usage);
    /* AD elsewhere since then: it is this zone, not the resolver */
    if (r->ad_ns > run->bare_ns && !voices_lately(run->ad_ns, c->time_ns))
        health_tell_unvalidated(c, run);
    return news || cited;
}

static void with_ad(const struct health_case *c, struct resolver *r)
{
    r->with_ad++;
    r->ad_ns = c->time_ns;
    struct voices_run *run =
        c->usage->voices ? voices_run(c->usage->voices, c->flow->family, c->flow->src) : NULL;
    if (run == NULL)
        return;
    run->ad_ns = c->time_ns;
    if (run->bare_ns != VOICES_NEVER)
        health_tell_validated(c, run);
    run->bare_ns = VOICES_NEVER;
}

/* RFC 6840 5.7: AD is for those who ask, by DO=1 or AD=1; we see the former. */
static bool count_ad(const struct health_case *c, struct resolver *r)
{
    const struct answer *a = c->a;
    if (reason_verdict(answer_held(a)) != VERDICT_SECURE || !a->counted_for || !a->do_known ||
        !a->do_bit)
        return false;
    if (resolvers_is_over(r, c->time_ns) || r->from_ns == INT64_MIN) {
        if (r->rate && r->with_ad + r->without_ad)
            health_tell_rate(c, r); /* how the interval ended */
        resolvers_begin(r, c->time_ns);
    }
    if (!(a->flags & DNS_AD))
        return bare(c, r);
    with_ad(c, r);
    return false;
}

/* --- a response --- */

static bool vouched_again(struct health *h, struct answer *a, const struct datagram *dg)
{
    if (dg->frame == a->frame)
        return false; /* just told */
    bool unexcused = a->excuse_ns != INT64_MIN && dg->time_ns > a->excuse_ns;
    if (unexcused)
        health_tell_vouched(
            &(struct health_case){h, a, a->zone, NULL, &dg->flow, dg->time_ns, dg->frame});
    else
        finding_seen(h->rules, a->vouched, dg->time_ns, dg->frame);
    if (a->vouched == NULL)
        return false;
    receivers_note(h->receivers, a->vouched, &dg->flow, false, dg->time_ns, dg->frame);
    return finding_cites(a->vouched, dg->frame);
}

/* While anyone has it dark it has not recovered. */
static bool is_dark(const struct voices *voices)
{
    bool dark = false;
    for (size_t i = 0; i < voices->runs; i++)
        dark |= voices->run[i].dark;
    return dark;
}

/* Does the answer show that the outage of the zone that decided is over? */
static void recover(const struct health_case *c, struct voices *voices, bool had_failed)
{
    struct zone *zone = c->a->counted_for;
    if (zone && outage_recovers(zone, c->a, had_failed, c->time_ns, c->frame) && !is_dark(voices))
        outage_recovered(zone, c->time_ns, c->frame);
}

static bool has_failed_here(const struct health_case *c, const struct voices *voices)
{
    struct voices_question *q = voices_find(voices, question_of(c->h, c->a));
    const struct voice *v = q ? voices_voice(q, c->flow->family, c->flow->src) : NULL;
    return v && v->failed_ns != VOICES_NEVER;
}

static void note_answering(struct usage_answering *a, const struct flow *flow, int64_t time_ns)
{
    bool goes_on = a->count && a->family == flow->family &&
                   memcmp(a->address, flow->src, sizeof a->address) == 0 &&
                   flow_elapsed(a->last_ns, time_ns) <= USAGE_PAUSE_NS;
    if (!goes_on) {
        *a = (struct usage_answering){.family = flow->family};
        memcpy(a->address, flow->src, sizeof a->address);
    }
    a->count++;
    a->last_ns = time_ns;
}

static bool answered(const struct health_case *c, struct resolver *r)
{
    bool cd = (c->a->flags & DNS_CD) != 0, cited = false;
    struct usage *u = c->usage;
    bool bogus = c->a->counted_as == VERDICT_BOGUS;
    if (!cd) {
        u->rate.answered++;
        note_answering(&u->answering, c->flow, c->time_ns);
        resolvers_answered(r, c->zone, c->time_ns);
        cited = count_ad(c, r);
    }
    struct voices *voices = bogus ? usage_voices(&c->h->answers->world, c->zone) : u->voices;
    if (voices == NULL)
        return cited;
    if (!cd) {
        end_run(c, voices);
        recover(c, voices, has_failed_here(c, voices));
    }
    return gave_data(c, voices, cd) || cited;
}

/* The zone that decided has recovered, or has not after all: of an answer of whomever. */
static bool note_outage(struct health *h, struct answer *a, const struct datagram *dg)
{
    struct usage *u = a->counted_for ? a->counted_for->usage : NULL;
    if (u == NULL || u->outages == NULL || !u->outages->news)
        return false;
    health_tell_outage(
        &(struct health_case){h, a, a->counted_for, u, &dg->flow, dg->time_ns, dg->frame});
    return true;
}

/* The resolver that sent it; NULL: it may be anyone's. */
static struct resolver *sender_of(const struct health *h, const struct datagram *dg,
                                  const struct query *query)
{
    struct resolver *r = resolvers_at(h->resolvers, dg->flow.family, dg->flow.src, dg->time_ns);
    r->asked |= query != NULL;
    return query ? (query->answered ? NULL : r) : (r->asked ? NULL : r);
}

static bool note_resolver(struct health *h, struct answer *a, const struct datagram *dg,
                          const struct query *query)
{
    bool is_failure = a->rcode == RCODE_SERVFAIL;
    /* Whoever is asked for anything may give what it likes (RFC 8482): two answers are to two
     * questions, and what one cannot validate is not what another gives. */
    if ((a->kind == ANSWER_OTHER && !is_failure) || a->qtype == TYPE_ANY)
        return false;
    if (power_of_two(a->counted) && a->qname_size) /* zones become known */
        a->home = world_home(&h->answers->world, a->qname, a->qtype,
                             answers_clock(h->answers, a->time_ns));
    if (a->home == NULL || (is_failure && ((a->flags & DNS_CD) || !is_its_own(h, a->home, a))))
        return false;
    struct health_case c = {h,         a,           a->home,  usage_of(&h->answers->world, a->home),
                            &dg->flow, dg->time_ns, dg->frame};
    if (c.usage == NULL)
        return false;
    struct resolver *r = sender_of(h, dg, query);
    if (r == NULL)
        return false;
    if (voices_tick(&c.usage->rate, dg->time_ns) && c.usage->voices && c.usage->voices->spike)
        health_tell_eased(&c);
    if (!is_failure)
        return answered(&c, r);
    usage_failed(&h->answers->world, a->home, a, dg->time_ns, dg->frame);
    c.usage->rate.failed++;
    return failed(&c, r);
}

bool health_response(struct health *h, struct answer *a, const struct datagram *dg,
                     const struct query *query)
{
    bool cited = is_resolvers(a) && note_resolver(h, a, dg, query);
    cited |= note_outage(h, a, dg);
    if (a->vouched)
        cited |= vouched_again(h, a, dg);
    return cited;
}

/* --- judged --- */

static bool in_answer_section(const struct answer *a, const struct rrset *set)
{
    for (size_t i = 0; i < a->sets; i++)
        if (answer_nth(a, i)->set == set && answer_nth(a, i)->section == SECTION_ANSWER)
            return true;
    return false;
}

void health_judged(struct health *h, struct answer *a, bool retro)
{
    const unsigned flags = DNS_AA | DNS_RA | DNS_AD | DNS_CD;
    struct health_case c = {h, a, a->zone, NULL, &a->flow, a->time_ns, a->frame};
    bool bogus = reason_verdict(a->reason) == VERDICT_BOGUS;
    if (bogus && (a->flags & flags) == (DNS_RA | DNS_AD) && a->kind == ANSWER_POSITIVE && a->zone &&
        a->by && in_answer_section(a, a->by))
        health_tell_vouched(&c);
    else if (!bogus)
        a->vouched = NULL;
    if (!retro || !bogus || !is_resolvers(a) || a->home == NULL)
        return;
    /* What was given as data turns out to be bogus: it may be what others refused. */
    c.zone = a->home;
    c.usage = usage_of(&h->answers->world, a->home);
    struct voices *voices = c.usage ? usage_voices(&h->answers->world, a->home) : NULL;
    if (voices)
        gave_data(&c, voices, (a->flags & DNS_CD) != 0);
}
