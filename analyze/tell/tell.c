/*
 * tell: observations become facts.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/tell/tell.h"

#include "analyze/canon.h"
#include "analyze/follow/keep.h"
#include "analyze/follow/served.h"
#include "analyze/follow/usage.h"
#include "analyze/tell/tell_habit.h"
#include "analyze/tell/tell_rhythm.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"

#include <string.h>

#define CHAIN_FRAMES  48
#define TOLD_EXPIRING 0x40 /* beside enum signature_state + 1: under the lead time */
#define TOLD_WANING   0x20 /* … and three quarters of its life are over */
#define TOLD_OVERDUE  0x80 /* … and the refresh that the zone's policy states is overdue */
#define TOLD_STATE    0x1f
#define TOLD_BEFORE   0xff /* struct rrset, compared: held against what was declared once */
#define HOUR_NS       3600000000000ll

/* Room for views of one RRset; only one is shown at a time. */
struct views {
    struct fact_rdata rdata[RRSET_RECORDS_MAX];
    struct fact_key key[RRSET_RECORDS_MAX];
    struct fact_ds ds[RRSET_RECORDS_MAX];
    uint64_t chain[CHAIN_FRAMES];
};

static struct views views; /* this process has one thread; 100 KiB do not belong on the stack */

static void attach(struct tell *t, struct rrset *set, struct finding *const *findings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (uint8_t k = 0; k < set->finding_count; k++)
            known |= set->findings[k] == findings[i];
        if (known || set->finding_count == RRSET_FINDINGS_MAX)
            continue;
        set->findings[set->finding_count++] = findings[i];
        t->epoch++;
    }
}

/* Has some signature of the RRset the state that such a finding is about? */
static bool supports(const struct rrset *set, const struct finding *f)
{
    enum signature_state state;
    switch (f->rule) {
    case RULE_RRSIG_BAD:
        state = SIGNATURE_BAD;
        break;
    case RULE_RRSIG_EXPIRED:
        state = SIGNATURE_EXPIRED;
        break;
    case RULE_RRSIG_NOT_YET_VALID:
        state = SIGNATURE_FUTURE;
        break;
    case RULE_RRSIG_UNKNOWN_KEY:
        state = SIGNATURE_KEY_UNKNOWN;
        break;
    case RULE_RRSIG_MALFORMED:
        state = SIGNATURE_MALFORMED;
        break;
    default: /* else only what is over is known not to be so */
        return f->state != FINDING_CLOSED || strncmp(rule_text(f->rule)->id, "rrsig-", 6) != 0;
    }
    for (uint8_t i = 0; i < set->signatures; i++)
        if ((set->signature[i].reported & TOLD_STATE) == state + 1)
            return true;
    return false;
}

/* Judged anew, the RRset no longer supports what its own signatures were found to be: seen again,
 * it must not bring that back, whoever else keeps the finding open. */
static void detach_refuted(struct rrset *set)
{
    uint8_t kept = 0;
    for (uint8_t i = 0; i < set->finding_count; i++)
        if (supports(set, set->findings[i]))
            set->findings[kept++] = set->findings[i];
    set->finding_count = kept;
}

size_t tell_give(struct tell *t, const struct fact *fact, struct rrset *set)
{
    struct finding *findings[RRSET_FINDINGS_MAX];
    size_t count = rules_judge(t->rules, fact, findings, RRSET_FINDINGS_MAX);
    if (set)
        attach(t, set, findings, count < RRSET_FINDINGS_MAX ? count : RRSET_FINDINGS_MAX);
    return count;
}

void tell_give_answer(struct tell *t, const struct fact *fact, struct answer *a)
{
    struct finding *finding;
    if (rules_judge(t->rules, fact, &finding, 1) == 0 || a->finding == finding)
        return;
    a->finding = finding;
    t->epoch++;
}

/* What else is needed to come to the same judgement: the query, and the keys of every zone it rests
 * on. */
static size_t chain_of(struct tell *t, const struct answer *a, const struct zone *zone)
{
    const struct world *w = &t->answers->world;
    size_t count = 0;
    if (a->query_frame)
        views.chain[count++] = a->query_frame;
    if (zone)
        count += judge_chain_frames(w, zone, views.chain + count, CHAIN_FRAMES - count);
    for (uint8_t i = 0; i < a->zones; i++)
        if (a->depends[i].zone != zone)
            count += judge_chain_frames(w, a->depends[i].zone, views.chain + count,
                                        CHAIN_FRAMES - count);
    return count;
}

/* What is common to all facts from an answer. */
struct fact tell_draft(struct tell *t, const struct answer *a, enum fact_kind kind,
                       const struct zone *zone, bool retro)
{
    struct fact f = {.kind = kind,
                     .time_ns = a->time_ns,
                     .clock_ns = answers_clock(t->answers, a->time_ns),
                     .frame = a->frame,
                     .frames = a->frames,
                     .frame_count = a->frame_count,
                     .verdict = reason_verdict(answer_held(a)),
                     .reason = answer_held(a),
                     .retro = retro,
                     .aa = (a->flags & DNS_AA) && !answer_of_resolver(a),
                     .do_bit = a->do_bit,
                     .rewritten = a->rewritten,
                     .from_referral = a->kind == ANSWER_REFERRAL,
                     .server_family = a->flow.family,
                     .server = a->flow.src,
                     .kept = zone && keep_supports(zone),
                     .lossy = t->lossy};
    f.chain = views.chain;
    f.chain_count = chain_of(t, a, zone);
    if (zone) {
        f.zone = zone->name;
        f.dnskey_seen = zone->dnskeys > 0 && zone->trust.trusted;
        tell_fellows(&f, zone, &a->flow);
        f.from_above = zone->trust.state == TRUST_BOGUS && zone->trust.up &&
                       zone->trust.up != zone && zone->trust.up->trust.state == TRUST_BOGUS;
        f.orphaned = zone->trust.orphaned;
        f.gone_ns = zone->trust.gone_ns;
    }
    return f;
}

void tell_describe(struct fact *f, const struct baseline_zone *declared)
{
    if (declared)
        baseline_describe(declared, f->observed.owner, f->observed.type, f->clock_ns, &f->baseline);
}

/* --- keys and delegation of a zone --- */

/* A point that is not on the curve; of RSA the bytes say all. */
static bool undecodable(struct tell *t, const struct zone *zone, const uint8_t *rdata,
                        uint16_t size)
{
    uint8_t algorithm = rdata[3];
    struct zone *owner = (struct zone *)(uintptr_t)zone;
    if (algorithm < 13 || algorithm > 16)
        return false;
    const struct key *key = world_key(&t->answers->world, owner, rdata, size);
    return key && key->malformed;
}

/* Who made the signatures is found out where anything is known of the zone: else whoever sends keys
 * of names that he made up has each of them checked. */
size_t tell_view_keys(struct tell *t, const struct zone *zone, struct rrset *set,
                      struct fact_key *out)
{
    bool known = zone->kept || zone->dss > 0 || zone->trust.state == TRUST_SECURE ||
                 zone->trust.state == TRUST_BOGUS;
    size_t count = 0;
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;) {
        if (size < 4)
            continue;
        out[count++] = (struct fact_key){
            .flags = (uint16_t)(r[0] << 8 | r[1]),
            .protocol = r[2],
            .algorithm = r[3],
            .tag = key_tag(r, size),
            .public_key = {r + 4, (uint16_t)(size - 4)},
            .undecodable = known && undecodable(t, zone, r, size),
            .signs_dnskey = known && judge_signed_with(&t->answers->world, set, r, size)};
    }
    return count;
}

static bool ds_matches(const struct zone *zone, const struct fact_baseline *declared,
                       const uint8_t *ds, uint16_t size)
{
    uint16_t key_size;
    for (uint8_t i = 0; i < zone->dnskeys; i++)
        for (const uint8_t *k = NULL; (k = rrset_record(zone->dnskey[i], k, &key_size)) != NULL;)
            if (key_matches_ds(zone->name, k, key_size, ds, size) == KEY_DS_MATCHES)
                return true;
    for (size_t i = 0; declared->present && i < declared->expected.count; i++)
        if (key_matches_ds(zone->name, declared->expected.rdata[i].bytes,
                           declared->expected.rdata[i].size, ds, size) == KEY_DS_MATCHES)
            return true;
    return false;
}

size_t tell_view_ds(const struct zone *zone, const struct rrset *set, int64_t time_ns,
                    struct fact_ds *out)
{
    size_t count = 0;
    uint16_t size;
    struct fact_baseline declared = {.present = false};
    if (zone->baseline)
        baseline_describe(zone->baseline, zone->name, TYPE_DNSKEY, time_ns, &declared);
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;) {
        if (size < 4)
            continue;
        out[count++] = (struct fact_ds){.tag = (uint16_t)(r[0] << 8 | r[1]),
                                        .algorithm = r[2],
                                        .digest_type = r[3],
                                        .digest = {r + 4, (uint16_t)(size - 4)},
                                        .matches_key = ds_matches(zone, &declared, r, size)};
    }
    return count;
}

static bool shows(const struct answer *a, const struct rrset *set)
{
    for (size_t i = 0; i < a->sets; i++)
        if (answer_nth(a, i)->set == set)
            return true;
    return false;
}

static struct rrset *newest(struct rrset *const *variant, uint8_t count)
{
    struct rrset *set = NULL;
    for (uint8_t i = 0; i < count; i++)
        if (set == NULL || attempt_given(variant[i]) >= attempt_given(set))
            set = variant[i];
    return set;
}

/* A fact about one DNSKEY or DS RRset of the zone, at the frame where it was first seen. Sound when
 * it was served, it does not turn bad because keys or DS have changed since: that is told when
 * somebody serves it again. What turns out otherwise is as of now. */
static void tell_variant(struct tell *t, const struct answer *a, struct zone *zone,
                         struct rrset *set, enum fact_kind kind, bool retro)
{
    int64_t clock = answers_clock(t->answers, a->time_ns);
    enum reason reason = judge_rrset(&t->answers->world, set, clock);
    uint8_t verdict = (uint8_t)(reason_verdict(reason) + 1);
    if (set->compared == verdict || set->recalled)
        return;
    if (set->compared == VERDICT_SECURE + 1 && !shows(a, set))
        return;
    bool changed = set->compared != 0, anew = set->compared == TOLD_BEFORE;
    set->compared = verdict;
    struct fact f = tell_draft(t, a, kind, zone, retro);
    if (!changed)
        f.time_ns = set->first_seen_ns;
    if (!anew) {
        f.frames = set->frames;
        f.frame_count = set->frame_count;
        f.frame = set->frame_count ? set->frames[set->frame_count - 1] : a->frame;
    }
    if (!shows(a, set))
        f.server = NULL; /* whose answer is in hand did not give it */
    f.observed = rrset_view(set, views.rdata);
    f.reason = reason;
    f.verdict = reason_verdict(reason);
    const struct rrset *ds = kind == FACT_DS ? set : newest(zone->ds, zone->dss);
    if (kind == FACT_DNSKEY)
        f.key_count = tell_view_keys(t, zone, set, views.key);
    if (ds)
        f.ds_count = tell_view_ds(zone, ds, clock, views.ds);
    f.keys = views.key;
    f.ds = views.ds;
    tell_describe(&f, zone->baseline);
    tell_give(t, &f, set);
}

static void tell_no_ds(struct tell *t, const struct answer *a, struct zone *zone, bool retro)
{
    struct rrset *proof = zone->no_ds.proof[0];
    if (proof == NULL || proof->recalled || zone->no_ds.reason == REASON_NONE)
        return;
    struct fact f = tell_draft(t, a, FACT_NO_DS, zone, retro);
    f.observed = (struct fact_rrset){.owner = zone->name, .type = TYPE_DS};
    f.reason = zone->no_ds.reason;
    f.verdict = reason_verdict(f.reason);
    f.time_ns = zone->no_ds.seen_ns;
    tell_describe(&f, zone->baseline);
    tell_give(t, &f, proof);
}

/* `adopted`: the zone was orphaned, and its parent gives a DS for it again: whichever of its
 * servers was seen meanwhile, and whoever says so now. */
static void tell_chain(struct tell *t, const struct answer *a, struct zone *zone, bool adopted,
                       bool retro)
{
    struct rrset *keys = newest(zone->dnskey, zone->dnskeys), *ds = newest(zone->ds, zone->dss);
    struct fact f = tell_draft(t, a, FACT_CHAIN, zone, retro);
    if (!retro) /* an answer that was seen before, and what it says of the zone is of now */
        f.time_ns = a->last_seen_ns;
    f.clock_ns = answers_clock(t->answers, f.time_ns);
    f.revised = adopted;
    f.aa |= adopted;
    f.reason = zone->trust.reason;
    f.verdict = reason_verdict(f.reason);
    f.observed = (struct fact_rrset){.owner = zone->name, .type = TYPE_DNSKEY};
    if (keys) {
        f.observed = rrset_view(keys, views.rdata);
        f.key_count = tell_view_keys(t, zone, keys, views.key);
        f.frames = keys->frames;
        f.frame_count = keys->frame_count;
        f.frame = keys->frame_count ? keys->frames[keys->frame_count - 1] : a->frame;
    }
    if (keys == NULL || !shows(a, keys))
        f.server = NULL;
    if (ds && f.orphaned) { /* it is the newcomer */
        f.frames = ds->frames;
        f.frame_count = ds->frame_count;
        f.frame = ds->frame_count ? ds->frames[ds->frame_count - 1] : a->frame;
    }
    if (ds)
        f.ds_count = tell_view_ds(zone, ds, f.clock_ns, views.ds);
    f.keys = views.key;
    f.ds = views.ds;
    tell_describe(&f, zone->baseline);
    tell_give(t, &f, keys ? keys : ds);
}

/* The RRset is sound: that the chain was not is over, and to see the RRset again does not bring it
 * back. */
static void detach_chain(struct tell *t, struct rrset *set, int64_t clock)
{
    uint8_t kept = 0;
    if (set->finding_count == 0 || judge_rrset(&t->answers->world, set, clock) != REASON_CHAIN)
        return;
    for (uint8_t i = 0; i < set->finding_count; i++) {
        struct finding *f = set->findings[i];
        bool of_chain = f->rule == RULE_DS_MISMATCH || f->rule == RULE_KEY_NOT_SECURE_ENTRY;
        if (!of_chain || f->state != FINDING_CLOSED)
            set->findings[kept++] = f;
    }
    set->finding_count = kept;
}

static void tell_zone(struct tell *t, const struct answer *a, struct zone *zone, bool retro)
{
    int64_t clock = answers_clock(t->answers, retro ? a->time_ns : a->last_seen_ns);
    const struct trust *trust = trust_zone(&t->answers->world, zone, clock);
    if (zone->told_version == trust->version)
        return;
    zone->told_version = trust->version;
    for (uint8_t i = 0; i < zone->dnskeys; i++)
        tell_variant(t, a, zone, zone->dnskey[i], FACT_DNSKEY, retro);
    for (uint8_t i = 0; i < zone->dss; i++)
        tell_variant(t, a, zone, zone->ds[i], FACT_DS, retro);
    tell_no_ds(t, a, zone, retro);
    bool settled = trust->state == TRUST_SECURE || trust->state == TRUST_BOGUS;
    if (settled && (zone->told != trust->reason || zone->told_orphaned != trust->orphaned)) {
        bool adopted = zone->told_orphaned && !trust->orphaned;
        zone->told = trust->reason;
        zone->told_orphaned = trust->orphaned;
        tell_chain(t, a, zone, adopted, retro);
    }
    for (uint8_t i = 0; i < zone->dnskeys; i++)
        detach_chain(t, zone->dnskey[i], clock);
    for (uint8_t i = 0; i < zone->dss; i++)
        detach_chain(t, zone->ds[i], clock);
}

/* --- RRsets --- */

static bool others_wrong(const struct rrset *set, const struct signature *but)
{
    for (uint8_t i = 0; i < set->signatures; i++) {
        uint8_t told = set->signature[i].reported & TOLD_STATE;
        if (&set->signature[i] != but && told && told != SIGNATURE_VALID + 1)
            return true;
    }
    return false;
}

/* Which of the thresholds a sound signature is under; each is told of once. */
static uint8_t waning(const struct tell *t, const struct rrset *set, const struct zone *zone,
                      const struct fact_signature *judged, int64_t clock)
{
    const int64_t second = 1000000000ll;
    int64_t lead = (int64_t)t->answers->world.settings->expiring_hours * HOUR_NS;
    int64_t left = judged->expiration - clock / second;
    uint8_t told = 0;
    if (judged->state != SIGNATURE_VALID || left * second >= lead)
        return 0;
    if (left < (judged->expiration - judged->inception) / 4)
        told |= TOLD_WANING;
    if (zone && zone->baseline) {
        struct fact_baseline declared = {.present = false};
        baseline_describe(zone->baseline, set->owner, set->type, clock, &declared);
        lead = declared.refresh_ns ? declared.refresh_ns : declared.validity_ns / 4;
        if (left * second < lead)
            told |= TOLD_OVERDUE;
    }
    return told | TOLD_EXPIRING;
}

/* Is there a valid DS RRset for it? Then nobody above it signs what it holds. */
static bool is_promised(struct tell *t, struct zone *zone, int64_t clock)
{
    for (uint8_t i = 0; i < zone->dss; i++)
        if (judge_rrset(&t->answers->world, zone->ds[i], clock) == REASON_CHAIN)
            return true;
    return zone->anchored;
}

/* The zone that holds the RRset, where it is known and the signer is another; else NULL. Of what
 * lies below, a cut may not have been seen; of what lies above, only a signature that is not valid
 * counts: a cut may have gone. The parent has the DS RRset, and an NSEC of its own at the cut. */
static struct zone *held_by(struct tell *t, struct rrset *set, const struct signature *s,
                            const struct fact_signature *judged, int64_t clock)
{
    if (judged->state == SIGNATURE_VALID)
        return NULL;
    struct zone *holder = world_over(&t->answers->world, set->owner, set->type == TYPE_DS);
    if (holder == NULL || name_equal(s->signer, holder->name) || !is_promised(t, holder, clock))
        return NULL;
    if (!name_within(set->owner, s->signer))
        return holder;
    if (name_within(s->signer, holder->name))
        return set->judged.done && set->judged.reason == REASON_SIG_SIGNER ? holder : NULL;
    bool at_cut = set->type == TYPE_NSEC && name_equal(set->owner, holder->name);
    return judged->state == SIGNATURE_KEY_UNKNOWN && !at_cut ? holder : NULL;
}

static void tell_signature(struct tell *t, const struct answer *a, struct rrset *set,
                           struct signature *s, bool retro)
{
    struct fact_signature judged;
    int64_t clock = answers_clock(t->answers, a->time_ns);
    judge_signature(&t->answers->world, set, s, clock, &judged);
    struct zone *holder = held_by(t, set, s, &judged, clock);
    /* That nothing can be said is told only to take back what was. */
    bool undone = retro && (s->reported & TOLD_STATE) == SIGNATURE_KEY_UNKNOWN + 1;
    if (judged.state == SIGNATURE_UNCHECKED && holder == NULL && !undone)
        return;
    struct zone *zone = holder ? holder : world_find(&t->answers->world, s->signer);
    uint8_t told = (uint8_t)(judged.state + 1) | waning(t, set, zone, &judged, clock);
    if (s->reported == told)
        return;
    bool revised = s->reported && (s->reported & TOLD_STATE) != (told & TOLD_STATE);
    s->reported = judged.state == SIGNATURE_UNCHECKED && holder == NULL ? 0 : told;
    if (judged.verifies && !s->noted && zone && !holder) {
        s->noted = true;
        usage_signed(&t->answers->world, zone, set, s, &judged);
        tell_habit(t, a, set, s, &judged, zone, retro);
    }
    judged.astray = holder != NULL;
    judged.only_one |= holder && judge_rrset(&t->answers->world, set, clock) != REASON_CHAIN;
    struct fact f = tell_draft(t, a, FACT_SIGNATURE, zone, retro);
    f.observed = rrset_view(set, views.rdata);
    f.reason = set->judged.reason;
    f.verdict = reason_verdict(f.reason);
    f.signature = &judged;
    f.also_wrong = others_wrong(set, s);
    f.revised = revised;
    tell_describe(&f, zone ? zone->baseline : NULL);
    tell_give(t, &f, set);
    detach_refuted(set);
    if (judged.state == SIGNATURE_VALID && zone)
        tell_nsec3(t, a, set, zone, retro);
}

/* The CNAME that a DNAME yields is nobody's record. */
static bool synthesised(const struct answer *a, const struct rrset *set)
{
    const struct rrset *dname = answer_find(a, SECTION_ANSWER, TYPE_DNAME);
    return set->type == TYPE_CNAME && set->signatures == 0 && dname &&
           name_within(set->owner, dname->owner);
}

static bool is_content(uint16_t type)
{
    return type != TYPE_DNSKEY && type != TYPE_DS && type != TYPE_RRSIG && type != TYPE_NSEC &&
           type != TYPE_NSEC3 && type != TYPE_OPT;
}

/* Is it a zone's below the declared one: behind a chain of its own, or behind an unsigned
 * delegation that is proven? That somebody delegated it is told of its NS. An opt-out proves no
 * delegation. */
static bool is_of_child(const struct world *w, const struct rrset *set, const uint8_t *apex)
{
    const struct zone *by = set->judged.done ? set->judged.zone : NULL;
    if (set->type == TYPE_NS)
        return false;
    if (by && reason_verdict(set->judged.reason) == VERDICT_SECURE)
        return name_within(by->name, apex) && !name_equal(by->name, apex);
    const struct zone *over = world_over(w, set->owner, false);
    return set->signatures == 0 && over && over->no_ds.reason == REASON_UNSIGNED_DELEGATION &&
           name_within(over->name, apex) && !name_equal(over->name, apex);
}

/* An IPv6 address made by a DNS64 resolver is nobody's record either, unless the owner declares
 * other IPv4 addresses than the one in it. */
static bool translated(const struct tell *t, const struct answer *a, const struct rrset *set,
                       const struct baseline_zone *declared)
{
    struct fact_baseline ipv4;
    uint16_t size;
    if (!answers_translated(t->answers, a, set))
        return false;
    baseline_describe(declared, set->owner, TYPE_A, a->time_ns, &ipv4);
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;) {
        bool found =
            ipv4.expected.count == 0 || r[1] != 0x64; /* not the well-known prefix: known */
        for (size_t i = 0; i < ipv4.expected.count && !found; i++)
            found = memcmp(r + 12, ipv4.expected.rdata[i].bytes, 4) == 0;
        if (!found && !ipv4.dynamic)
            return false;
    }
    return true;
}

/* RRset or NS set against the baseline; nothing to do where no zone is declared. */
static void tell_content(struct tell *t, const struct answer *a, const struct answer_set *as,
                         bool retro)
{
    struct rrset *set = as->set;
    bool delegation = set->type == TYPE_NS;
    if (!is_content(set->type) || (!delegation && as->section != SECTION_ANSWER) ||
        synthesised(a, set) || (a->qtype == TYPE_ANY && set->type == 13 /* HINFO, RFC 8482 4.2 */))
        return;
    const struct baseline *b = t->answers->world.baseline;
    const struct baseline_zone *declared = b ? baseline_over(b, set->owner, set->type) : NULL;
    if (declared == NULL || is_of_child(&t->answers->world, set, baseline_apex(declared)) ||
        translated(t, a, set, declared))
        return;
    enum reason reason = set->signatures && set->judged.done ? set->judged.reason : answer_held(a);
    uint8_t verdict = (uint8_t)(reason_verdict(reason) + 1);
    if (set->compared == verdict)
        return;
    set->compared = verdict;
    struct zone *zone = world_find(&t->answers->world, baseline_apex(declared));
    struct fact f = tell_draft(t, a, delegation ? FACT_DELEGATION : FACT_RRSET, zone, retro);
    f.zone = baseline_apex(declared);
    f.observed = rrset_view(set, views.rdata);
    f.reason = reason;
    f.verdict = reason_verdict(reason);
    tell_describe(&f, declared);
    tell_give(t, &f, set);
}

static void tell_denied(struct tell *t, struct answer *a, bool retro)
{
    const struct baseline *b = t->answers->world.baseline;
    bool negative = a->kind == ANSWER_NXDOMAIN || a->kind == ANSWER_NODATA;
    if (b == NULL || !negative || reason_verdict(answer_held(a)) != VERDICT_SECURE ||
        a->zone == NULL)
        return;
    const struct baseline_zone *declared = baseline_over(b, a->qname, a->qtype);
    if (declared == NULL || !name_equal(baseline_apex(declared), a->zone->name))
        return;
    struct fact f = tell_draft(t, a, FACT_DENIED, a->zone, retro);
    f.observed = (struct fact_rrset){.owner = a->qname, .type = a->qtype};
    tell_describe(&f, declared);
    tell_give_answer(t, &f, a);
}

static void tell_unsigned(struct tell *t, struct answer *a, bool retro)
{
    if (a->reason != REASON_SIG_MISSING || a->by == NULL || a->zone == NULL)
        return;
    struct rrset *set = (struct rrset *)(uintptr_t)a->by;
    if (set->signatures && a->zone->trust.state == TRUST_BOGUS)
        return; /* it is the keys, or the DS above them, that came without signature */
    struct fact f = tell_draft(t, a, FACT_UNSIGNED, a->zone, retro);
    f.observed = rrset_view(set, views.rdata);
    f.was_signed = a->zone->verified > 0;
    tell_describe(&f, a->zone->baseline);
    tell_give(t, &f, set);
}

/* Held against what the zone announces now: what was said of it against earlier keys it no longer
 * supports, unless that is said again. */
static void detach_served(struct rrset *set)
{
    uint8_t kept = 0;
    for (uint8_t i = 0; i < set->finding_count; i++)
        if (set->findings[i]->rule != RULE_RRSIG_ALGORITHM_MISSING)
            set->findings[kept++] = set->findings[i];
    set->finding_count = kept;
}

void tell_served(struct tell *t, const struct answer *a, const struct answer_set *as, bool retro)
{
    struct rrset *set = as->set;
    int64_t clock = answers_clock(t->answers, a->time_ns);
    if (set->signatures == 0 || judge_rrset(&t->answers->world, set, clock) != REASON_CHAIN)
        return;
    struct zone *zone = world_find(&t->answers->world, set->signature[set->judged.by].signer);
    if (zone == NULL)
        return;
    struct fact_served served;
    struct fact_baseline declared = {.present = false};
    if (zone->baseline) /* plans for its keys, not for the RRset, are what matters */
        baseline_describe(zone->baseline, zone->name, TYPE_DNSKEY, clock, &declared);
    uint64_t news =
        served_describe(&t->answers->world, a, as, zone, clock, declared.refresh_ns, &served);
    if (set->served == news)
        return;
    set->served = news;
    if (served.whole)
        detach_served(set);
    struct fact f = tell_draft(t, a, FACT_SERVED, zone, retro);
    f.served = &served;
    f.baseline = declared;
    f.observed = rrset_view(set, views.rdata);
    f.reason = set->judged.reason;
    f.verdict = reason_verdict(f.reason);
    tell_give(t, &f, set);
}

/* What the answer had too much of; NULL nothing. */
static const char *too_much(const struct world *w, const struct answer *a)
{
    static const char *const texts[BUDGET_KINDS] = {
        [BUDGET_COLLISIONS] = "more trials of signatures with keys that share a tag than we make",
        [BUDGET_SIGNATURES] = "more signature checks than one message may cost",
        [BUDGET_HASHES] = "more NSEC3 hashes than one message may cost",
        [BUDGET_KEYS] = "more keys than we keep of a zone",
        [BUDGET_RECORDS] = "more records, owners or RRsets than we look at in one message",
        [BUDGET_ZONE] = "more failing signature checks than one zone may cost in a second",
        [BUDGET_SECOND] = "more signature checks than one second may cost",
        [BUDGET_FAILING] = "more failing signature checks than the frames so far may cost",
        [BUDGET_ZONES] = "more zones than we keep"};
    if (a->reason == REASON_NSEC3_ITERATIONS)
        return "more NSEC3 iterations than anyone should compute (RFC 9276)";
    if (a->kind == ANSWER_OTHER)
        return a->reason == REASON_BUDGET ? texts[BUDGET_RECORDS] : NULL;
    for (unsigned kind = 0; kind < BUDGET_KINDS; kind++)
        if (w->budget.ran_out >> kind & 1)
            return texts[kind];
    return NULL;
}

static void tell_load(struct tell *t, const struct answer *a, bool retro)
{
    static const uint8_t root[1] = {0};
    const struct world *w = &t->answers->world;
    const char *text = too_much(w, a);
    if (text == NULL)
        return;
    struct zone *zone = a->zone ? a->zone : world_over(w, a->qname, false);
    struct fact f = tell_draft(t, a, FACT_LOAD, zone, retro);
    f.zone = zone ? zone->name : root;
    f.observed = (struct fact_rrset){.owner = a->qname, .type = a->qtype};
    f.load = text;
    tell_describe(&f, zone ? zone->baseline : NULL);
    tell_give(t, &f, NULL);
}

void tell_judged(struct tell *t, struct answer *a, bool retro)
{
    tell_load(t, a, retro);
    if (a->kind == ANSWER_OTHER)
        return;
    for (uint8_t i = 0; i < a->zones; i++)
        tell_zone(t, a, a->depends[i].zone, retro);
    if (a->no_ds_of)
        tell_zone(t, a, a->no_ds_of, retro);
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *as = answer_nth(a, i);
        struct rrset *set = as->set;
        if ((set->type == TYPE_DNSKEY || set->type == TYPE_DS) && set->signatures) {
            struct zone *zone = world_find(&t->answers->world, set->owner);
            if (zone)
                tell_zone(t, a, zone, retro);
        }
        for (uint8_t k = 0; k < set->signatures; k++)
            tell_signature(t, a, set, &set->signature[k], retro);
        tell_content(t, a, as, retro);
        tell_served(t, a, as, retro);
    }
    tell_rhythm(t, a, NULL, retro);
    tell_unsigned(t, a, retro);
    tell_proof(t, a, retro);
    tell_contradictions(t, a, &a->flow, a->time_ns, a->frame);
    tell_denied(t, a, retro);
    a->roll_stamp = 0; /* who signs it was found out just now */
    tell_rolls(t, a, &a->flow, a->time_ns, a->last_seen_ns, a->flow_last_ns, retro);
}

/* --- what is declared has changed ------------------------------------------------------------ */

/* What the owner's word, or its absence, made of the RRset; true if there was anything to tell. */
static bool forget_told(const struct tell *t, struct rrset *set)
{
    uint8_t kept = 0;
    if (set->turns == t->turns || set->first_seen_ns >= t->turned_ns)
        return false;
    set->turns = t->turns;
    if (set->compared)
        set->compared = TOLD_BEFORE;
    set->served = 0;
    for (uint8_t i = 0; i < set->signatures; i++)
        if (set->signature[i].reported != SIGNATURE_VALID + 1)
            set->signature[i].reported = 0;
    for (uint8_t i = 0; i < set->finding_count; i++)
        if (!rule_text(set->findings[i]->rule)->needs_baseline)
            set->findings[kept++] = set->findings[i];
    set->finding_count = kept;
    return true;
}

static void tell_zone_anew(struct tell *t, const struct answer *a, struct zone *zone)
{
    if (zone == NULL)
        return;
    zone->told_version =
        trust_zone(&t->answers->world, zone, answers_clock(t->answers, a->time_ns))->version + 1;
    tell_zone(t, a, zone, false);
}

static void tell_set_anew(struct tell *t, const struct answer *a, const struct answer_set *as)
{
    struct rrset *set = as->set;
    if (!forget_told(t, set))
        return;
    if ((set->type == TYPE_DNSKEY || set->type == TYPE_DS) && set->signatures)
        tell_zone_anew(t, a, world_find(&t->answers->world, set->owner));
    for (uint8_t i = 0; i < set->signatures; i++)
        if (set->signature[i].reported == 0)
            tell_signature(t, a, set, &set->signature[i], false);
    tell_content(t, a, as, false);
    tell_served(t, a, as, false);
}

/* Was anything of it told before the turn? */
static bool is_older(const struct tell *t, const struct answer *a)
{
    bool older = a->time_ns < t->turned_ns;
    for (size_t i = 0; i < a->sets && !older; i++)
        older = answer_nth(a, i)->set->first_seen_ns < t->turned_ns;
    return older && a->kind != ANSWER_OTHER && t->answers->world.baseline;
}

bool tell_anew(struct tell *t, struct answer *a, const struct datagram *dg)
{
    a->turns = t->turns;
    if (!is_older(t, a))
        return false;
    const struct answer first = *a;
    uint32_t epoch = t->epoch;
    a->flow = dg->flow;
    a->time_ns = dg->time_ns;
    a->frame = dg->frame;
    a->frame_count = 0;
    for (size_t i = 0; i < dg->frame_count && a->frame_count < ANSWER_FRAMES_MAX; i++)
        a->frames[a->frame_count++] = dg->frames[i];
    for (size_t i = 0; i < a->sets; i++)
        tell_set_anew(t, a, answer_nth(a, i));
    if (first.time_ns < t->turned_ns) {
        tell_zone_anew(t, a, a->no_ds_of);
        tell_unsigned(t, a, false);
        tell_denied(t, a, false);
    }
    a->flow = first.flow;
    a->time_ns = first.time_ns;
    a->frame = first.frame;
    a->frame_count = first.frame_count;
    memcpy(a->frames, first.frames, sizeof a->frames);
    return t->epoch != epoch;
}
