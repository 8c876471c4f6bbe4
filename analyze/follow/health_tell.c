/*
 * health_tell: what health found, as facts.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/canon.h"
#include "analyze/follow/health.h"
#include "analyze/follow/keep.h"
#include "analyze/follow/objectives.h"
#include "analyze/follow/outage.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"

#include <string.h>

#define CHAIN_FRAMES  48
#define FINDINGS_ROOM 8
#define SECOND_NS     INT64_C(1000000000)
/* No clock of a resolver is trusted to be right to less; unbound's val-sig-skew-max by default. */
#define SKEW_NS (INT64_C(86400) * SECOND_NS)

/* Where no client was seen to suffer, wrong keys that passed by are no outage before that. */
#define OUTAGE_LEAST_NS SECOND_NS

/* Room for one fact; only one is given at a time. */
static struct {
    struct fact_question question[HEALTH_QUESTIONS_MAX];
    struct fact_rdata rdata[RRSET_RECORDS_MAX];
    uint64_t frames[FINDING_FRAMES_MAX], chain[CHAIN_FRAMES];
} room;

static struct fact draft(const struct health_case *c, const struct fact_health *health)
{
    const struct world *w = &c->h->answers->world;
    const struct zone *zone = c->zone;
    struct fact f = {.kind = FACT_HEALTH,
                     .time_ns = c->time_ns,
                     .clock_ns = answers_clock(c->h->answers, c->time_ns),
                     .frames = room.frames,
                     .chain = room.chain,
                     .zone = zone->name,
                     .observed = {.owner = zone->name, .type = TYPE_SOA},
                     .do_bit = c->a->do_bit,
                     .server_family = c->flow->family,
                     .server = c->flow->src,
                     .health = health,
                     .kept = keep_supports(zone),
                     .lossy = c->h->lossy && c->h->lossy(c->h->context, c->time_ns)};
    f.chain_count = judge_chain_frames(w, zone, room.chain, CHAIN_FRAMES);
    if (zone->trust.state == TRUST_BOGUS) {
        f.reason = zone->trust.reason;
        f.verdict = reason_verdict(f.reason);
    }
    if (zone->baseline)
        baseline_describe(zone->baseline, zone->name, TYPE_SOA, f.clock_ns, &f.baseline);
    return f;
}

static void cite(struct fact *f, uint64_t frame)
{
    if (frame && f->frame_count < FINDING_FRAMES_MAX)
        room.frames[f->frame_count++] = frame;
}

static size_t give(const struct health_case *c, const struct fact *f,
                   struct finding *ret[FINDINGS_ROOM])
{
    size_t count = rules_judge(c->h->rules, f, ret, FINDINGS_ROOM);
    return count < FINDINGS_ROOM ? count : FINDINGS_ROOM;
}

/* The finding of that rule among those, or NULL. */
static struct finding *of_rule(struct finding *const *found, size_t count, enum rule_id rule)
{
    for (size_t i = 0; i < count; i++)
        if (found[i]->rule == rule)
            return found[i];
    return NULL;
}

/* --- SERVFAIL --- */

static void put_rates(const struct voices_rate *r, struct fact_health *health)
{
    unsigned oldest = (r->slot + 1u) % VOICES_SLOTS;
    health->failed_before = r->failed_at[oldest];
    health->answered_before = r->answered_at[oldest];
    health->failed = r->failed - health->failed_before;
    health->answered = r->answered - health->answered_before;
}

static bool starts_spf(const struct fact_rdata *txt)
{
    return txt->size > 7 && memcmp(txt->bytes + 1, "v=spf1", 6) == 0;
}

/* The services that the owner declared. */
static unsigned services_of(const struct zone *zone, int64_t clock_ns)
{
    static const struct {
        enum health_service service;
        uint16_t type;
        const char *label;
    } services[] = {{HEALTH_WEB_APEX, TYPE_A, ""},
                    {HEALTH_WEB_APEX, TYPE_AAAA, ""},
                    {HEALTH_WEB_WWW, TYPE_A, "\3www"},
                    {HEALTH_WEB_WWW, TYPE_AAAA, "\3www"},
                    {HEALTH_MX, TYPE_MX, ""},
                    {HEALTH_SPF, TYPE_TXT, ""},
                    {HEALTH_DMARC, TYPE_TXT, "\6_dmarc"}};
    unsigned declared = 0;
    for (size_t i = 0; zone->baseline && i < sizeof services / sizeof *services; i++) {
        uint8_t name[NAME_MAX_BYTES + 8];
        size_t size = strlen(services[i].label);
        struct fact_baseline b;
        if (size + zone->name_size > NAME_MAX_BYTES)
            continue;
        memcpy(name, services[i].label, size);
        memcpy(name + size, zone->name, zone->name_size);
        baseline_describe(zone->baseline, name, services[i].type, clock_ns, &b);
        bool any = services[i].service != HEALTH_SPF && b.expected.count > 0;
        for (size_t k = 0; services[i].service == HEALTH_SPF && k < b.expected.count; k++)
            any |= starts_spf(&b.expected.rdata[k]);
        declared |= any ? (unsigned)services[i].service : 0;
    }
    return declared;
}

/* The questions that get SERVFAIL from that resolver since it last answered. */
static void put_failing(const struct voices *voices, const struct voices_run *run, int64_t now_ns,
                        struct fact *f, struct fact_health *health)
{
    for (size_t i = 0; i < voices->questions; i++) {
        struct voices_question *q = &voices->question[i];
        const struct voice *v = voices_voice(q, run->family, run->address);
        if (v == NULL || !voices_lately(v->failed_ns, now_ns) || v->failed_ns < run->since_ns)
            continue;
        room.question[health->question_count++] =
            (struct fact_question){q->name, q->type, v->ede, v->cause};
        cite(f, v->failed_frame);
    }
    health->questions = room.question;
}

/* It has answered until now, mostly: of what its cache holds it still may. */
static bool fails_in_part(const struct usage_answering *a, const struct voices_run *run,
                          int64_t now_ns)
{
    return a->count > 2 * run->count && a->family == run->family &&
           memcmp(a->address, run->address, sizeof a->address) == 0 &&
           flow_elapsed(a->last_ns, now_ns) <= USAGE_PAUSE_NS;
}

void health_tell_failing(const struct health_case *c, struct voices_run *run, struct resolver *r)
{
    struct finding *found[FINDINGS_ROOM];
    struct voices *voices = c->usage->voices;
    struct fact_health health = {.kind = HEALTH_FAILING,
                                 .whole_zone = trust_broken(c->zone),
                                 .elsewhere = resolvers_answered_others(r, c->zone, run->since_ns),
                                 .in_part = fails_in_part(&c->usage->answering, run, c->time_ns),
                                 .from_ns = run->since_ns};
    struct fact f = draft(c, &health);
    health.declared = services_of(c->zone, f.clock_ns);
    put_rates(&c->usage->rate, &health);
    put_failing(voices, run, c->time_ns, &f, &health);
    size_t count = give(c, &f, found);
    struct finding *spike = of_rule(found, count, RULE_SERVFAIL_SPIKE);
    struct finding *dark = of_rule(found, count, RULE_ZONE_DARK);
    if (spike)
        voices->spike = spike;
    if (dark) {
        voices->dark = dark;
        run->dark = true;
        outage_darkened(&c->h->answers->world, c->zone, run->since_ns, c->time_ns, c->frame);
    }
}

void health_tell_answered(const struct health_case *c)
{
    struct finding *found[FINDINGS_ROOM];
    struct fact_health health = {.kind = HEALTH_ANSWERED};
    struct fact f = draft(c, &health);
    (void)give(c, &f, found);
    c->usage->voices->dark = NULL;
}

void health_tell_eased(const struct health_case *c)
{
    struct finding *found[FINDINGS_ROOM];
    struct fact_health health = {.kind = HEALTH_EASED};
    struct fact f = draft(c, &health);
    put_rates(&c->usage->rate, &health);
    (void)give(c, &f, found);
    if (c->usage->voices->spike->state == FINDING_CLOSED)
        c->usage->voices->spike = NULL;
}

/* --- opinions that differ --- */

void health_tell_split(const struct health_case *c, struct voices_question *q,
                       const struct voice *failed, const struct voice *data, bool cd)
{
    struct finding *found[FINDINGS_ROOM];
    struct fact_health health = {.kind = HEALTH_SPLIT,
                                 .other_family = data->family,
                                 .other = data->address,
                                 .other_is_same = data == failed,
                                 .ede = failed->ede};
    struct fact f = draft(c, &health);
    f.server_family = failed->family;
    f.server = failed->address;
    f.observed = (struct fact_rrset){.owner = q->name, .type = q->type};
    f.verdict = data->verdict[cd];
    cite(&f, failed->failed_frame);
    cite(&f, data->data_frame[cd]);
    size_t count = give(c, &f, found);
    c->usage->voices->split = of_rule(found, count, RULE_VALIDATION_SPLIT);
}

void health_tell_agreed(const struct health_case *c, struct voices_question *q)
{
    struct finding *found[FINDINGS_ROOM];
    struct fact_health health = {.kind = HEALTH_AGREED};
    struct fact f = draft(c, &health);
    f.observed = (struct fact_rrset){.owner = q->name, .type = q->type};
    (void)give(c, &f, found);
}

static void put_bare(const struct voices *voices, const struct voices_run *run, int64_t now_ns,
                     struct fact *f, struct fact_health *health)
{
    for (size_t i = 0; i < voices->questions; i++) {
        struct voices_question *q = &voices->question[i];
        const struct voice *v = voices_voice(q, run->family, run->address);
        if (v == NULL || !voices_lately(v->bare_ns, now_ns) || v->bare_ns < run->bare_ns)
            continue;
        room.question[health->question_count++] =
            (struct fact_question){q->name, q->type, HEALTH_NO_EDE, HEALTH_BY_UNKNOWN};
        cite(f, v->bare_frame);
    }
    health->questions = room.question;
}

void health_tell_unvalidated(const struct health_case *c, struct voices_run *run)
{
    struct finding *found[FINDINGS_ROOM];
    struct fact_health health = {.kind = HEALTH_UNVALIDATED, .from_ns = run->bare_ns};
    struct fact f = draft(c, &health);
    f.verdict = VERDICT_SECURE;
    f.reason = REASON_CHAIN;
    put_bare(c->usage->voices, run, c->time_ns, &f, &health);
    (void)give(c, &f, found);
}

void health_tell_validated(const struct health_case *c, struct voices_run *run)
{
    struct finding *found[FINDINGS_ROOM];
    struct fact_health health = {.kind = HEALTH_VALIDATED, .from_ns = run->bare_ns};
    struct fact f = draft(c, &health);
    (void)give(c, &f, found);
}

/* --- AD --- */

void health_tell_rate(const struct health_case *c, struct resolver *r)
{
    static const uint8_t root[1] = {0};
    struct finding *found[FINDINGS_ROOM];
    struct fact_health health = {.kind = HEALTH_RATE,
                                 .answered = r->with_ad + r->without_ad,
                                 .validated = r->with_ad,
                                 .questions = room.question,
                                 .question_count = r->examples,
                                 .from_ns = r->from_ns};
    struct fact f = draft(c, &health);
    f.zone = root; /* about the resolver */
    f.observed = (struct fact_rrset){.owner = root};
    f.baseline = (struct fact_baseline){.present = false};
    f.chain_count = 0;
    f.reason = REASON_NONE;
    f.verdict = VERDICT_INDETERMINATE;
    for (size_t i = 0; i < r->examples; i++) {
        room.question[i] = (struct fact_question){r->example[i].name, r->example[i].type,
                                                  HEALTH_NO_EDE, HEALTH_BY_UNKNOWN};
        cite(&f, r->example[i].frame);
    }
    size_t count = give(c, &f, found);
    struct finding *rate = of_rule(found, count, RULE_VALIDATION_RATE);
    if (rate)
        r->rate = rate;
    else if (r->rate && r->rate->state == FINDING_CLOSED)
        r->rate = NULL;
}

/* Seconds that the signature which decided has been expired; negative: it has not. */
static int64_t expired_for(const struct rrset *set, int64_t clock_ns, uint32_t *ret_ttl)
{
    if (set->signatures == 0)
        return INT64_MIN;
    const struct signature *s =
        &set->signature[set->judged.by < set->signatures ? set->judged.by : 0];
    *ret_ttl = s->original_ttl;
    return (int32_t)((uint32_t)(clock_ns / SECOND_NS) - s->expiration); /* RFC 1982 */
}

static int64_t later(int64_t time_ns, int64_t span_ns)
{
    int64_t sum;
    return __builtin_add_overflow(time_ns, span_ns, &sum) ? INT64_MAX : sum;
}

/* Until when keys and DS that were replaced before we saw the present ones may be in a cache. */
static int64_t old_chain_until(const struct zone *zone)
{
    int64_t seen = INT64_MIN, ttl = 0;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        seen = zone->dnskey[i]->first_seen_ns > seen ? zone->dnskey[i]->first_seen_ns : seen;
        ttl = zone->dnskey[i]->ttl > ttl ? zone->dnskey[i]->ttl : ttl;
    }
    int64_t ds_ttl = 0;
    for (uint8_t i = 0; i < zone->dss; i++) {
        seen = zone->ds[i]->first_seen_ns > seen ? zone->ds[i]->first_seen_ns : seen;
        ds_ttl = zone->ds[i]->ttl > ds_ttl ? zone->ds[i]->ttl : ds_ttl;
    }
    return later(seen, (ttl + ds_ttl) * SECOND_NS);
}

/* Until when a resolver that did nothing wrong could give the answer with AD; INT64_MIN: never
 * could it. False: we do not judge that. */
static bool excuse_of(const struct answer *a, int64_t clock_ns, int64_t *ret_ns)
{
    uint32_t ttl = 0;
    *ret_ns = INT64_MIN;
    switch ((int)a->reason) {
    case REASON_SIG_EXPIRED: {
        int64_t seconds = expired_for(a->by, clock_ns, &ttl);
        if (seconds < 0) /* a signature of the chain, then */
            *ret_ns = later(old_chain_until(a->zone), SKEW_NS);
        else
            *ret_ns = later(clock_ns, SKEW_NS + ((int64_t)ttl - seconds) * SECOND_NS);
        return true;
    }
    case REASON_SIG_BAD:
    case REASON_SIG_MISSING:
    case REASON_SIG_MALFORMED:
        if (a->zone->trust.state == TRUST_SECURE && !a->zone->trust.only_pinned)
            return true; /* by keys that are good, or with no signature at all: no cache does that
                          */
        *ret_ns = old_chain_until(a->zone);
        return true;
    case REASON_DS_MISMATCH: {
        struct objectives o;
        objectives_of(a->zone, clock_ns, &o);
        *ret_ns = old_chain_until(a->zone);
        return o.m3_ds_with_key ==
               0; /* else it is a question of which digest counts (RFC 4509 3) */
    }
    case REASON_KEY_UNKNOWN:
    case REASON_DNSKEY_UNSIGNED:
    case REASON_DNSKEY_MISSING:
    case REASON_CHAIN_BOGUS:
        *ret_ns = old_chain_until(a->zone);
        return true;
    default:
        return false;
    }
}

void health_tell_vouched(const struct health_case *c)
{
    struct finding *found[FINDINGS_ROOM];
    struct answer *a = c->a;
    struct fact_health health = {.kind = HEALTH_AD_ON_BOGUS};
    if (!excuse_of(a, answers_clock(c->h->answers, c->time_ns), &health.excuse_ns))
        return;
    struct fact f = draft(c, &health);
    f.frame = c->frame;
    f.observed = rrset_view(a->by, room.rdata);
    f.reason = a->reason;
    f.verdict = VERDICT_BOGUS;
    for (size_t i = 0; c->frame == a->frame && i < a->frame_count; i++)
        cite(&f, a->frames[i]);
    size_t count = give(c, &f, found);
    a->vouched = of_rule(found, count, RULE_AD_ON_BOGUS);
    bool excused = health.excuse_ns != INT64_MIN && c->time_ns <= health.excuse_ns;
    a->excuse_ns = excused ? health.excuse_ns : INT64_MIN; /* the time to look again */
    if (a->vouched && c->frame == a->frame)
        receivers_note(c->h->receivers, a->vouched, c->flow, false, c->time_ns, c->frame);
}

/* --- outages --- */

void health_tell_outage(const struct health_case *c)
{
    struct finding *found[FINDINGS_ROOM];
    struct usage_outages *o = c->usage->outages;
    const struct usage_episode *e = &o->episode[o->episodes - 1];
    bool over = e->recovered_ns != INT64_MIN;
    o->news = false;
    bool long_enough = flow_elapsed(e->from_ns, e->last_ns) >= OUTAGE_LEAST_NS;
    if (!e->felt && !(o->whole_zone && long_enough))
        return; /* an answer that went astray is no outage */
    struct fact_health health = {.kind = over ? HEALTH_RECOVERED : HEALTH_RELAPSED,
                                 .from_ns = e->from_ns};
    struct fact f = draft(c, &health);
    if (over) {
        f.time_ns = e->recovered_ns;
        f.reason = REASON_CHAIN;
        f.verdict = VERDICT_SECURE;
        cite(&f, e->from_frame);
        cite(&f, e->recovered_frame);
    }
    (void)give(c, &f, found);
}
