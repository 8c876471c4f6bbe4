/*
 * pipeline: from the ring to events and findings.
 *
 * Contained in: analyze, tests. Must never: open, read or write a file, or keep a pointer into the
 * ring.
 */
#include "analyze/pipeline.h"

#include "analyze/batch.h"
#include "analyze/decode/dissect.h"
#include "analyze/decode/pair.h"
#include "analyze/follow/contradiction.h"
#include "analyze/follow/habit.h"
#include "analyze/follow/health.h"
#include "analyze/follow/keep.h"
#include "analyze/follow/roll.h"
#include "analyze/follow/suspects.h"
#include "analyze/follow/usage.h"
#include "analyze/follow/walks.h"
#include "analyze/follow/watch.h"
#include "analyze/stats.h"
#include "analyze/tell/bearers.h"
#include "analyze/tell/event.h"
#include "analyze/tell/explain.h"
#include "analyze/tell/inventory.h"
#include "analyze/tell/learn.h"
#include "analyze/tell/selfcheck.h"
#include "analyze/tell/tell.h"
#include "analyze/tell/tell_contest.h"
#include "analyze/tell/tell_glue.h"
#include "analyze/tell/tell_habit.h"
#include "analyze/tell/tell_rhythm.h"
#include "analyze/tell/tell_servers.h"
#include "analyze/tell/tell_views.h"
#include "analyze/types.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/memo.h"
#include "sandbox/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS      1000000000ll
#define INTERFACES_MAX 256
/* Of one response: as many as TCP or fragments are put together of, or larger ones are cut. */
#define HELD_FRAMES  1024
#define EVENT_BYTES  ((size_t)1 << 18)
#define CHAIN_FRAMES 48
/* A name with its type, noted as an authority served it, takes some 300 bytes: one part in fifty.
 */
#define CONTESTS_SHARE (50 * 300)
/* Findings of absence are marked for so long after frames were lost. */
#define LOSSY_NS (60 * SECOND_NS)

struct pipeline {
    struct pipeline_inputs in;
    struct pipeline_outputs out;
    struct dissect *dissect;
    struct pair *pair;
    struct memo *memo;
    struct batch *batch;
    struct watch watch;
    struct answers answers;
    struct tell tell;
    struct contests *contests;
    const struct answer *about; /* the response that the rules are being told of, or NULL */
    struct event *event;
    struct inventory *inventory;
    struct sightings *sightings; /* NULL: nobody keeps a history */
    struct receivers *receivers;
    struct health health;
    struct walks *walks;
    struct dns_message message; /* for --log-dns; too large for the stack */
    char interface[INTERFACES_MAX][64];
    struct sensor *sensor; /* the dissector's */
    struct selfcheck selfcheck;
    struct stats stats;
    int64_t next_stats_ns, lossy_until_ns;
    bool twice_held;
    uint64_t held;
    bool finishing;
    char *report;
};

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

static void emit(struct pipeline *p, uint64_t frame, int64_t time_ns, const char *json, size_t size)
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
    emit(p, c.frame, c.time_ns, json, size);
}

/* Responses that answer nothing (errors, transfers, referrals that are in order) are counted; they
 * are events only when every response is asked for, or when the responder says why (RFC 8914). */
static bool worth_an_event(const struct answer *a)
{
    return a->ede_count > 0 || (a->reason != REASON_RCODE && a->reason != REASON_REFERRAL &&
                                a->reason != REASON_TRANSFER && a->reason != REASON_OPCODE);
}

static void on_verdict(void *context, const struct answer *a, bool retro)
{
    struct pipeline *p = context;
    if (worth_an_event(a) && (retro || !p->in.settings->log_verdicts_all))
        emit_verdict(p, a, NULL, 0, retro);
}

static void recount(struct pipeline *, struct answer *);

static bool is_lossy(void *context, int64_t time_ns)
{
    const struct pipeline *p = context;
    return time_ns <= p->lossy_until_ns || sensor_lossy(p->sensor);
}

static void on_judged(void *context, struct answer *a, bool retro)
{
    struct pipeline *p = context;
    if (retro)
        recount(p, a);
    p->tell.lossy = is_lossy(p, a->time_ns);
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

static void on_finding(void *context, const struct finding *f)
{
    struct pipeline *p = context;
    const struct answer *a = p->about;
    tell_open(&p->tell, f->zone);
    struct event_context c = {.time_ns = f->last_seen_ns,
                              .frame = f->frame_count ? f->frames[f->frame_count - 1] : 0};
    if (!p->in.settings->live && p->in.source_count == 1)
        c.pcap_filename = p->in.sources[0];
    /* Who spoke, where the last frame that it cites is the response in hand. */
    if (a && a->frame == c.frame)
        c = context_of(p, f->last_seen_ns, a->frame, &a->flow, a->source, a->interface);
    size_t size;
    const char *json = event_alert(p->event, &c, f, &size);
    emit(p, c.frame, f->last_seen_ns, json, size);
    json = event_finding(p->event, f, &size);
    if (json)
        p->out.finding(p->out.context, f, p->finishing, json, size);
}

/* --- messages --- */

static void hold(void *context, const uint64_t *frames, size_t count)
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
    hold(p, list, count);
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

static void on_answer(void *context, const struct datagram *dg, uint16_t id, struct answer *a,
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
        tell_rolls(&p->tell, a, &dg->flow, dg->time_ns, dg->time_ns, false);
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

static void on_walk(void *context, const struct answer *a, const struct fact_walk *walk,
                    const uint8_t *zone)
{
    struct pipeline *p = context;
    tell_walk(&p->tell, a, walk, zone);
}

/* Before answers and RRsets go. */
static void gather(void *context)
{
    struct pipeline *p = context;
    if (p->in.learn)
        learn_gather(p->in.learn, &p->answers);
}

static void on_forget(void *context)
{
    struct pipeline *p = context;
    gather(p);
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
    emit(p, dg->frame, dg->time_ns, json, size);
}

static void on_message(void *context, const struct datagram *dg)
{
    struct pipeline *p = context;
    if (p->in.settings->log_dns)
        log_dns(p, dg);
    batch_message(p->batch, dg);
    const struct batch_counters *b = batch_counters(p->batch);
    if (b->twice[0] && !p->twice_held) {
        hold(p, b->twice, 2);
        p->twice_held = true;
    }
}

/* --- the sensor --- */

static const char *interface_name(void *context, uint16_t interface)
{
    const struct pipeline *p = context;
    bool named = interface < INTERFACES_MAX && p->interface[interface][0] != '\0';
    return named ? p->interface[interface] : NULL;
}

static void on_sensor(void *context, const struct fact *fact)
{
    struct pipeline *p = context;
    struct finding *findings[4];
    rules_judge(p->tell.rules, fact, findings, sizeof findings / sizeof *findings);
}

/* What the tap shows, or not, is told before what the packets say. */
static void review(struct pipeline *p, bool end)
{
    struct sensor_sums sums = stats_sums(&p->stats);
    sums.name = interface_name;
    sums.context = p;
    sums.responses -= transport_explained(p->watch.transport);
    sensor_review(p->sensor, &sums, end, on_sensor, p);
    selfcheck_review(&p->selfcheck, p->stats.run.last_ns, on_sensor, p);
}

/* Frames were lost since the counters were last told: claims of absence around are weaker, also
 * those that were made already. */
static void note_lossy(struct pipeline *p)
{
    if (__builtin_add_overflow(p->stats.run.last_ns, LOSSY_NS, &p->lossy_until_ns))
        p->lossy_until_ns = INT64_MAX;
    rules_lossy(p->tell.rules, p->stats.loss_told_ns, p->lossy_until_ns);
    review(p, false);
}

/* --- the ring's records --- */

static void note_damage(struct pipeline *p, const struct ring_record *r)
{
    stats_damage(&p->stats, r);
    p->stats.loss_told_ns = p->stats.run.last_ns; /* what was before the damage is whole */
    note_lossy(p);
}

static void note_loss(struct pipeline *p, const struct ring_record *r)
{
    if (stats_loss(&p->stats, r))
        note_lossy(p);
    p->stats.loss_told_ns = p->stats.run.last_ns;
}

/* In the run what is new, and in replay, whose end comes soon, nothing. */
static void take_inventory(struct pipeline *p, bool last)
{
    struct inventory_run run = stats_inventory(&p->stats, p->in.settings->live);
    if (p->out.inventory == NULL || p->in.explain || !(last || run.live))
        return;
    if (last)
        inventory_all(p->inventory, &p->answers, p->tell.rules, p->receivers, &run,
                      p->out.inventory, p->out.context);
    else
        inventory_news(p->inventory, &p->answers, &run, p->out.inventory, p->out.context);
}

static void clock_back(struct pipeline *p)
{
    selfcheck_stepped(&p->selfcheck, on_sensor, p);
    hold(p, &p->selfcheck.frame, 1);
    if (p->next_stats_ns != INT64_MIN) /* by the clock as it is now */
        p->next_stats_ns = p->selfcheck.last_ns;
}

static void on_frame(struct pipeline *p, const struct ring_record *r)
{
    stats_frame(&p->stats, r->time_ns, r->number);
    if (selfcheck_frame(&p->selfcheck, r->source, r->interface, r->time_ns, r->number))
        clock_back(p);
    if (dissect_frame(p->dissect, r))
        hold(p, &r->number, 1);
    if (watch_pending(&p->watch)) {
        batch_flush(p->batch);
        watch_tell(&p->watch);
    }
    if (sensor_due(p->sensor))
        review(p, false);
    if (r->time_ns < p->next_stats_ns)
        return;
    if (p->next_stats_ns != INT64_MIN) {
        review(p, false);
        batch_flush(p->batch);
        watch_review(&p->watch, r->time_ns);
        rules_flush(p->tell.rules, p->stats.run.last_ns, false);
        pipeline_stats(p);
        take_inventory(p, false);
        if (p->sightings && p->in.settings->live)
            sighting_gather(p->sightings);
    }
    p->next_stats_ns = r->time_ns + (int64_t)p->in.settings->stats_seconds * SECOND_NS;
}

static void note_interface(struct pipeline *p, const struct ring_record *r)
{
    struct ring_interface description;
    if (r->caplen < sizeof description || r->interface >= INTERFACES_MAX)
        return;
    memcpy(&description, ring_payload(r), sizeof description);
    description.name[sizeof description.name - 1] = 0;
    const char *name = description.name;
    if (*name == '\0' && r->source < p->in.source_count)
        name = p->in.sources[r->source]; /* most files name none */
    snprintf(p->interface[r->interface], sizeof p->interface[0], "%s", name);
}

void pipeline_record(struct pipeline *p, const struct ring_record *r)
{
    switch (r->type) {
    case RING_FRAME:
        on_frame(p, r);
        break;
    case RING_INTERFACE:
        note_interface(p, r);
        break;
    case RING_DAMAGE:
        note_damage(p, r);
        break;
    case RING_LOSS:
        note_loss(p, r);
        break;
    case RING_END:
        note_loss(p, r);
        review(p, true); /* before the last batch is judged */
        break;
    default:
        break;
    }
}

void pipeline_condition(struct pipeline *p, const struct condition *condition, int64_t now_ns)
{
    if (!p->in.settings->live)
        now_ns = stats_any_frame(&p->stats) ? p->stats.run.last_ns : 0;
    selfcheck_told(condition, now_ns, on_sensor, p);
}

void pipeline_flush(struct pipeline *p)
{
    batch_flush(p->batch);
    if (p->sightings)
        sighting_flush(p->sightings);
}

void pipeline_missed(struct pipeline *p, uint64_t missed)
{
    p->stats.run.missed += missed;
    note_lossy(p);
}

/* --- statistics and the end --- */

void pipeline_stats(struct pipeline *p)
{
    int64_t time_ns = stats_any_frame(&p->stats) ? p->stats.run.last_ns : 0;
    size_t size;
    const char *json = stats_event(&p->stats, p->event, time_ns, &size);
    emit(p, 0, time_ns, json, size);
}

void pipeline_finish(struct pipeline *p)
{
    const struct finding *const *list;
    if (!stats_any_frame(&p->stats) && p->answers.recalled_ns) /* zones are shown as kept */
        p->stats.run.last_ns = p->answers.recalled_ns;
    dissect_finish(p->dissect);
    review(p, true);
    batch_flush(p->batch);
    watch_review(&p->watch, p->stats.run.last_ns);
    pair_finish(p->pair);
    gather(p);
    if (p->sightings)
        sighting_forget(p->sightings, true);
    if (!p->in.settings->open_end)
        tell_servers_final(&p->tell, p->stats.run.last_ns);
    rules_flush(p->tell.rules, p->stats.run.last_ns, true);
    pipeline_stats(p);
    p->finishing = true;
    size_t count = rules_findings(p->tell.rules, &list);
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *json = event_finding(p->event, list[i], &size);
        if (json)
            p->out.finding(p->out.context, list[i], true, json, size);
    }
    take_inventory(p, true);
    if (p->out.keys)
        keep_write(&p->answers, p->tell.habits, p->tell.rhythms, p->out.keys, p->out.context);
}

int pipeline_recall(struct pipeline *p, const char *name, const void *text, size_t size,
                    char *ret_error, size_t error_room)
{
    return keep_read(&p->answers, p->tell.habits, p->tell.rhythms, name, text, size, ret_error,
                     error_room);
}

const char *pipeline_report(struct pipeline *p, size_t *ret_size)
{
    if (p->report == NULL)
        p->report = malloc(REPORT_BYTES);
    if (p->report == NULL)
        return NULL;
    *ret_size = stats_report(&p->stats, &p->answers, p->tell.rules, p->report);
    return p->report;
}

struct pipeline_totals pipeline_totals(struct pipeline *p)
{
    const struct finding *const *list;
    const struct dissect_counters *d = dissect_counters(p->dissect);
    struct pipeline_totals t = {.frames = d->frames,
                                .messages = d->messages,
                                .first_ns = p->stats.run.first_ns,
                                .last_ns = p->stats.run.last_ns,
                                .untold = stats_untold(&p->stats)};
    t.findings = rules_findings(p->tell.rules, &list);
    for (size_t i = 0; i < t.findings; i++)
        if (list[i]->severity > t.worst)
            t.worst = list[i]->severity;
    return t;
}

/* --- birth and death --- */

static const char *text_type(uint16_t type, char *ret_text, size_t room)
{
    char word[TYPES_TEXT];
    snprintf(ret_text, room, "%s", types_rr(type, word));
    return ret_text;
}

static const char *text_algorithm(uint8_t algorithm, char *ret_text, size_t room)
{
    char word[TYPES_TEXT];
    snprintf(ret_text, room, "%s", types_algorithm(algorithm, word));
    return ret_text;
}

static const struct rules_text words = {text_type, types_rdata_text, text_algorithm};

static struct rules *new_rules(struct pipeline *p, char *ret_error, size_t error_room)
{
    const struct pipeline_inputs *in = &p->in;
    struct rules_limits limits = {.expiring_ns =
                                      (int64_t)in->settings->expiring_hours * 3600 * SECOND_NS,
                                  .skew_ns = (int64_t)in->settings->skew_seconds * SECOND_NS,
                                  .ignore_rfc8624 = in->settings->ignore_rfc8624 != 0,
                                  .ignore_rfc9276 = in->settings->ignore_rfc9276 != 0,
                                  .text = &words};
    return rules_new(in->profile_name, in->profile, in->profile_size, &limits, on_finding, p,
                     ret_error, error_room);
}

/* What sees every message, once the rules are there. */
static bool begin_watch(struct pipeline *p)
{
    p->watch.answers = &p->answers;
    p->watch.rules = p->tell.rules;
    p->watch.hold = hold;
    p->watch.lossy = is_lossy;
    p->watch.context = p;
    if (watch_init(&p->watch, p->pair, p->dissect, &p->stats.run.first_ns, p->in.seed) != 0)
        return false;
    const struct batch_parts parts = {.answers = &p->answers,
                                      .pair = p->pair,
                                      .memo = p->memo,
                                      .ahead = p->in.ahead,
                                      .transport = p->watch.transport,
                                      .on_answer = on_answer,
                                      .context = p,
                                      .on_forget = on_forget};
    p->batch = batch_new(&parts);
    return p->batch != NULL;
}

struct pipeline *pipeline_new(const struct pipeline_inputs *in, const struct pipeline_outputs *out,
                              char *ret_error, size_t error_room)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (p == NULL) {
        snprintf(ret_error, error_room, "no memory");
        return NULL;
    }
    p->in = *in;
    p->out = *out;
    p->next_stats_ns = p->lossy_until_ns = INT64_MIN;
    stats_init(&p->stats, in->sources, in->source_count);
    p->dissect = dissect_new(in->settings, on_message, p);
    p->pair = pair_new(in->settings);
    p->memo = memo_new(in->settings->memory_bytes / 4, in->seed);
    p->event = event_new(EVENT_BYTES);
    p->inventory = inventory_new();
    p->receivers = receivers_new();
    p->walks = walks_new(in->seed, on_walk, p);
    p->tell.habits = habits_new(in->seed);
    p->tell.rhythms = rhythms_new(in->seed);
    p->tell.stated = suspects_stated(in->baseline, in->seed);
    p->tell.suspects = p->tell.stated ? suspects_new() : NULL;
    p->contests = contests_new(&p->answers, in->settings->memory_bytes / CONTESTS_SHARE);
    p->health = (struct health){.answers = &p->answers,
                                .receivers = p->receivers,
                                .resolvers = resolvers_new(in->seed),
                                .lossy = is_lossy,
                                .context = p};
    snprintf(ret_error, error_room, "no memory");
    if (!p->dissect || !p->pair || !p->memo || !p->event || !p->inventory || !p->receivers ||
        !p->contests || !p->tell.habits || !p->tell.rhythms ||
        (p->tell.stated && !p->tell.suspects) || !p->walks || !p->health.resolvers ||
        answers_init(&p->answers, in->settings, in->anchors, in->baseline, in->seed) < 0) {
        pipeline_free(p);
        return NULL;
    }
    if (out->history.tell)
        p->sightings = sighting_new(&out->history, &p->answers, in->seed);
    p->answers.on_verdict = on_verdict;
    p->answers.on_judged = on_judged;
    p->answers.context = p;
    p->tell.answers = &p->answers;
    pair_seed(p->pair, in->seed);
    p->sensor = dissect_sensor(p->dissect);
    p->tell.rules = new_rules(p, ret_error, error_room);
    if (p->tell.rules == NULL || !begin_watch(p)) {
        pipeline_free(p);
        return NULL;
    }
    p->health.rules = p->tell.rules;
    p->stats.dissect = p->dissect;
    p->stats.pair = p->pair;
    p->stats.batch = p->batch;
    p->stats.answers = &p->answers;
    p->stats.sightings = p->sightings;
    p->stats.rules = p->tell.rules;
    return p;
}

void pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    watch_fini(&p->watch);
    sighting_free(p->sightings);
    answers_fini(&p->answers);
    rules_free(p->tell.rules);
    event_free(p->event);
    inventory_free(p->inventory);
    receivers_free(p->receivers);
    contests_free(p->contests);
    resolvers_free(p->health.resolvers);
    walks_free(p->walks);
    habits_free(p->tell.habits);
    rhythms_free(p->tell.rhythms);
    habits_free(p->tell.stated);
    suspects_free(p->tell.suspects);
    batch_free(p->batch);
    memo_free(p->memo);
    pair_free(p->pair);
    dissect_free(p->dissect);
    free(p->report);
    free(p);
}
