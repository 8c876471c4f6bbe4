/*
 * pipeline_answer: what becomes of a response: events of its verdict, facts for the rules, counts,
 * and which frames may be cited.
 *
 * Contained in: analyze, tests. Must never: look a thing up for each repeated response, but where
 * its answer or its zone asks for it.
 */
#include "analyze/follow/contradiction.h"
#include "analyze/follow/keep.h"
#include "analyze/follow/roll.h"
#include "analyze/follow/usage.h"
#include "analyze/pipeline_parts.h"
#include "analyze/tell/bearers.h"
#include "analyze/tell/explain.h"
#include "analyze/tell/learn.h"
#include "analyze/tell/tell_glue.h"
#include "analyze/tell/tell_habit.h"
#include "analyze/tell/tell_rhythm.h"
#include "analyze/tell/tell_servers.h"
#include "analyze/tell/tell_views.h"
#include "analyze/validate/judge.h"
#include "sandbox/channel.h"

#include <stdio.h>
#include <string.h>

/* Of one response: as many as TCP or fragments are put together of, or larger ones are cut. */
#define HELD_FRAMES  1024
#define CHAIN_FRAMES 48

/* --- events --- */

static struct event_context context_of(const struct pipeline *p, int64_t time_ns, uint64_t frame,
                                       const struct flow *flow, uint16_t source, uint16_t interface)
{
    struct event_context c = {.time_ns = time_ns, .flow = flow, .frame = frame};
    if (p->in.settings->live)
        c.in_iface = interface < INTERFACES_MAX ? p->interface[interface] : NULL;
    else
        c.pcap_filename = source < p->in.source_count ? p->in.sources[source] : NULL;
    return c;
}

void pipeline_emit(struct pipeline *p, uint64_t frame, int64_t time_ns, const char *json,
                   size_t size)
{
    if (json)
        p->out.event(p->out.context, frame, time_ns, json, size);
}

/* The signature that decided, or would have: for the event's signer, key tag and algorithm. */
static const struct signature *deciding(const struct answer *a)
{
    if (a->by == NULL || a->by->signatures == 0)
        return NULL;
    uint8_t by = a->by->judged.by < a->by->signatures ? a->by->judged.by : 0;
    return &a->by->signature[by];
}

/* Of the response `dg` with that id, or, when NULL, of the first that had this content. */
/* The frames of the zone's chain after those that are there, each once. */
static size_t add_chain(const struct pipeline *p, const struct zone *zone, uint64_t *frames,
                        size_t count)
{
    uint64_t chain[CHAIN_FRAMES];
    size_t links = judge_chain_frames(&p->answers.world, zone, chain, CHAIN_FRAMES);
    for (size_t i = 0; i < links; i++) {
        size_t known = 0;
        while (known < count && frames[known] != chain[i])
            known++;
        if (known == count)
            frames[count++] = chain[i];
    }
    return count;
}

static void emit_verdict(struct pipeline *p, const struct answer *a, const struct datagram *dg,
                         uint16_t id, bool retro)
{
    uint64_t frames[ANSWER_FRAMES_MAX + CHAIN_FRAMES];
    const struct signature *s = deciding(a);
    struct event_verdict v = {.id = a->id,
                              .flags = a->flags,
                              .rcode = a->rcode,
                              .rrtype = a->qtype,
                              .rrname = a->qname,
                              .do_bit = a->do_bit,
                              .verdict = reason_verdict(a->reason),
                              .reason = a->reason,
                              .by = a->by ? a->by->type : 0,
                              .zone = a->zone ? a->zone->name : NULL,
                              .retro = retro,
                              .kept = a->zone && keep_supports(a->zone),
                              .ede = a->ede,
                              .ede_count = a->ede_count,
                              .frames = frames};
    if (s) {
        v.signer = s->signer;
        v.has_key = true;
        v.key_tag = s->tag;
        v.algorithm = s->algorithm;
    }
    struct event_context c = context_of(p, a->time_ns, a->frame, &a->flow, a->source, a->interface);
    v.frame_count = a->frame_count;
    memcpy(frames, a->frames, a->frame_count * sizeof *frames);
    if (dg) {
        c = context_of(p, dg->time_ns, dg->frame, &dg->flow, dg->source, dg->interface);
        v.id = id;
        v.frame_count = dg->frame_count < ANSWER_FRAMES_MAX ? dg->frame_count : ANSWER_FRAMES_MAX;
        memcpy(frames, dg->frames, v.frame_count * sizeof *frames);
    }
    if (a->zone)
        v.frame_count = add_chain(p, a->zone, frames, v.frame_count);
    size_t size;
    const char *json = event_dnssec(p->event, &c, &v, &size);
    pipeline_emit(p, c.frame, c.time_ns, json, size);
}

/* Responses that answer nothing (errors, transfers, referrals that are in order) are counted; they
 * are events only when every response is asked for, or when the responder says why (RFC 8914). */
static bool worth_an_event(const struct answer *a)
{
    return a->ede_count > 0 || (a->reason != REASON_RCODE && a->reason != REASON_REFERRAL &&
                                a->reason != REASON_TRANSFER && a->reason != REASON_OPCODE &&
                                a->reason != REASON_NOT_CACHED);
}

void pipeline_on_verdict(void *context, const struct answer *a, bool retro)
{
    struct pipeline *p = context;
    if ((worth_an_event(a) || (retro && a->told)) && (retro || !p->in.settings->log_verdicts_all))
        emit_verdict(p, a, NULL, 0, retro);
}

static void recount(struct pipeline *, struct answer *);

bool pipeline_is_lossy(void *context, int64_t time_ns)
{
    const struct pipeline *p = context;
    return time_ns <= p->lossy_until_ns || sensor_lossy(p->sensor);
}

void pipeline_on_judged(void *context, struct answer *a, bool retro)
{
    struct pipeline *p = context;
    if (retro)
        recount(p, a);
    p->tell.lossy = pipeline_is_lossy(p, a->time_ns);
    p->about = a;
    tell_judged(&p->tell, a, retro);
    if (retro) {
        tell_contest_judged(&p->tell, p->contests, a);
        tell_servers_judged(&p->tell, a);
    }
    health_judged(&p->health, a, retro);
    p->about = NULL;
    if (retro)
        race_revised(&p->watch.race, a);
    if (retro)
        bearers_note(p->receivers, a, &a->flow, a->time_ns, a->frame);
    if (p->in.explain && retro)
        explain_revised(p->in.explain, &p->answers, a);
}

void pipeline_on_finding(void *context, const struct finding *f)
{
    struct pipeline *p = context;
    const struct answer *a = p->about;
    tell_open(&p->tell, f->zone);
    bool closed = f->state == FINDING_CLOSED;
    uint64_t last = f->frame_count ? f->frames[f->frame_count - 1] : 0;
    struct event_context c = {.time_ns = closed ? f->closed_ns : f->last_seen_ns,
                              .frame = closed ? f->closed_frame : last};
    if (!p->in.settings->live && p->in.source_count == 1)
        c.pcap_filename = p->in.sources[0];
    /* Who spoke, where the last frame that it cites is the response in hand. */
    if (a && a->frame == c.frame)
        c = context_of(p, c.time_ns, a->frame, &a->flow, a->source, a->interface);
    size_t size;
    const char *json = event_alert(p->event, &c, f, &size);
    pipeline_emit(p, c.frame, c.time_ns, json, size);
    json = event_finding(p->event, f, &size);
    if (json)
        p->out.finding(p->out.context, f, p->finishing, json, size);
}

/* --- messages --- */

void pipeline_hold(void *context, const uint64_t *frames, size_t count)
{
    struct pipeline *p = context;
    p->held += count;
    p->out.hold(p->out.context, frames, count);
}

/* A response that may be cited by its last frame: the others, and its query, go with that. */
static void hold_response(struct pipeline *p, const struct datagram *dg, const struct query *query)
{
    uint64_t list[HELD_FRAMES + 1];
    size_t count = 0, frames = dg->frame_count;
    for (size_t i = 0; i < frames && count < HELD_FRAMES; i++)
        list[count++] = dg->frames[frames - 1 - i] | (i ? HOLD_WITH : 0);
    if (query && count)
        list[count++] = query->frame | HOLD_WITH;
    pipeline_hold(p, list, count);
}

static bool is_of_zone(const struct answer *a)
{
    return a->zone && a->kind != ANSWER_OTHER && a->reason != REASON_REFERRAL;
}

static void add_count(struct pipeline *p, struct answer *a, uint64_t count)
{
    p->stats.run.verdicts[a->counted_as] += count;
    if (a->counted_for)
        a->counted_for->answers[a->counted_as] += count;
    if (a->counted_for && a->counted_as == VERDICT_SECURE)
        usage_validated(&p->answers.world, a->counted_for, a, count);
}

/* One more response with this verdict. A change by a later packet leaves the earlier ones as they
 * were. */
static void count_verdict(struct pipeline *p, struct answer *a)
{
    uint8_t kind = (uint8_t)reason_verdict(a->reason);
    struct zone *zone = is_of_zone(a) ? a->zone : NULL;
    if (a->counted_as != kind || a->counted_for != zone)
        a->counted = 0;
    a->counted_as = kind;
    a->counted_for = zone;
    a->counted++;
    add_count(p, a, 1);
}

/* A revision holds for the responses that were counted before it. */
static void recount(struct pipeline *p, struct answer *a)
{
    if (a->counted == 0)
        return;
    add_count(p, a, 0 - a->counted);
    a->counted_as = (uint8_t)reason_verdict(a->reason);
    a->counted_for = is_of_zone(a) ? a->zone : NULL;
    add_count(p, a, a->counted);
    if (a->counted_for)
        usage_revised(&p->answers.world, a->counted_for, a);
}

/* What the reports are made of. */
static void note_usage(struct pipeline *p, struct answer *a, const struct datagram *dg,
                       const struct query *query)
{
    if (a->counted_for)
        usage_response(&p->answers.world, a->counted_for, a, &dg->flow, dg->time_ns, dg->frame,
                       a->counted);
    p->about = a;
    if (health_response(&p->health, a, dg, query))
        hold_response(p, dg, query);
    p->about = NULL;
    if (a->has_findings)
        bearers_note(p->receivers, a, &dg->flow, dg->time_ns, dg->frame);
}

void pipeline_on_answer(void *context, const struct datagram *dg, uint16_t id, struct answer *a,
                        const struct query *query, bool fresh, const struct dns_message *referral)
{
    struct pipeline *p = context;
    /* The RRsets of a response that is new may all be known: their findings were seen once more. */
    bool cited = tell_again(&p->tell, a, dg);
    if (contests_wants(a, contests_epoch(p->contests)))
        cited |= tell_contest_seen(&p->tell, p->contests, a, dg);
    cited |= tell_servers(&p->tell, a, dg, query);
    if (!fresh && dg->time_ns >= a->rhythm_ns)
        cited |= tell_rhythm(&p->tell, a, dg, false);
    cited |= tell_suspects(&p->tell, a, dg);
    cited |= query && tell_views(&p->tell, a, dg);
    if (fresh || cited || a->frame == dg->frame)
        hold_response(p, dg, query);
    if (query)
        race_answer(&p->watch.race, query, a, dg);
    if (referral)
        tell_glue(&p->tell, referral, a, query ? dg : NULL);
    if (!fresh && roll_wants(a)) {
        p->about = a;
        tell_rolls(&p->tell, a, &dg->flow, dg->time_ns, dg->time_ns, dg->time_ns, false);
        p->about = NULL;
    }
    count_verdict(p, a);
    note_usage(p, a, dg, query);
    if (!fresh && contradictions_want(a) &&
        tell_contradictions(&p->tell, a, &dg->flow, dg->time_ns, dg->frame))
        hold_response(p, dg, query);
    if (walks_wants(a))
        walks_note(p->walks, a, &dg->flow, dg->time_ns);
    if (p->sightings)
        sighting_again(p->sightings, a, dg, fresh);
    if (p->in.explain)
        explain_seen(p->in.explain, &p->answers, dg, a, query);
    if (p->in.settings->log_verdicts_all)
        emit_verdict(p, a, dg, id, false);
}

void pipeline_on_walk(void *context, const struct answer *a, const struct fact_walk *walk,
                      const uint8_t *zone)
{
    struct pipeline *p = context;
    tell_walk(&p->tell, a, walk, zone);
}

/* Before answers and RRsets go. */
void pipeline_gather(void *context)
{
    struct pipeline *p = context;
    if (p->in.learn)
        learn_gather(p->in.learn, &p->answers);
}

void pipeline_on_forget(void *context)
{
    struct pipeline *p = context;
    pipeline_gather(p);
    if (p->sightings)
        sighting_forget(p->sightings, false);
    contests_forget(p->contests);
    views_forget(&p->answers.world);
    race_forget(&p->watch.race);
}

static void log_dns(struct pipeline *p, const struct datagram *dg)
{
    struct event_context c =
        context_of(p, dg->time_ns, dg->frame, &dg->flow, dg->source, dg->interface);
    size_t size;
    if (message_parse(dg->bytes, dg->size, dg->wire_size, &p->message) == MESSAGE_NOT_DNS)
        return;
    const char *json = event_dns(p->event, &c, &p->message, &size);
    pipeline_emit(p, dg->frame, dg->time_ns, json, size);
}

void pipeline_on_message(void *context, const struct datagram *dg)
{
    struct pipeline *p = context;
    if (p->in.settings->log_dns)
        log_dns(p, dg);
    batch_message(p->batch, dg);
    const struct batch_counters *b = batch_counters(p->batch);
    if (b->twice[0] && !p->twice_held) {
        pipeline_hold(p, b->twice, 2);
        p->twice_held = true;
    }
}
