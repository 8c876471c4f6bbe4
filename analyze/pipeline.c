/*
 * pipeline: from the ring to events and findings: its records, its statistics, its life.
 *
 * Contained in: analyze, tests. Must never: open, read or write a file, or keep a pointer into the
 * ring.
 */
#include "analyze/pipeline.h"

#include "analyze/follow/habit.h"
#include "analyze/follow/keep.h"
#include "analyze/follow/suspects.h"
#include "analyze/pipeline_parts.h"
#include "analyze/tell/tell_servers.h"
#include "analyze/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS   1000000000ll
#define EVENT_BYTES ((size_t)1 << 18)
/* A name with its type, noted as an authority served it, takes some 300 bytes: one part in fifty.
 */
#define CONTESTS_SHARE (50 * 300)
/* Findings of absence are marked for so long after frames were lost. */
#define LOSSY_NS (60 * SECOND_NS)

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
    pipeline_hold(p, &p->selfcheck.frame, 1);
    if (p->next_stats_ns != INT64_MIN) /* by the clock as it is now */
        p->next_stats_ns = p->selfcheck.last_ns;
}

static void on_frame(struct pipeline *p, const struct ring_record *r)
{
    stats_frame(&p->stats, r->time_ns, r->number);
    if (selfcheck_frame(&p->selfcheck, r->source, r->interface, r->time_ns, r->number))
        clock_back(p);
    if (dissect_frame(p->dissect, r))
        pipeline_hold(p, &r->number, 1);
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
    pipeline_emit(p, 0, time_ns, json, size);
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
    pipeline_gather(p);
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
    return rules_new(in->profile_name, in->profile, in->profile_size, &limits, pipeline_on_finding,
                     p, ret_error, error_room);
}

/* What sees every message, once the rules are there. */
static bool begin_watch(struct pipeline *p)
{
    p->watch.answers = &p->answers;
    p->watch.rules = p->tell.rules;
    p->watch.hold = pipeline_hold;
    p->watch.lossy = pipeline_is_lossy;
    p->watch.context = p;
    if (watch_init(&p->watch, p->pair, p->dissect, &p->stats.run.first_ns, p->in.seed) != 0)
        return false;
    const struct batch_parts parts = {.answers = &p->answers,
                                      .pair = p->pair,
                                      .memo = p->memo,
                                      .ahead = p->in.ahead,
                                      .transport = p->watch.transport,
                                      .on_answer = pipeline_on_answer,
                                      .context = p,
                                      .on_forget = pipeline_on_forget};
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
    p->dissect = dissect_new(in->settings, pipeline_on_message, p);
    p->pair = pair_new(in->settings);
    p->memo = memo_new(in->settings->memory_bytes / 4, in->seed);
    p->event = event_new(EVENT_BYTES);
    p->inventory = inventory_new();
    p->receivers = receivers_new();
    p->walks = walks_new(in->seed, pipeline_on_walk, p);
    p->tell.habits = habits_new(in->seed);
    p->tell.rhythms = rhythms_new(in->seed);
    p->tell.stated = suspects_stated(in->baseline, in->seed);
    p->tell.suspects = p->tell.stated ? suspects_new() : NULL;
    p->contests = contests_new(&p->answers, in->settings->memory_bytes / CONTESTS_SHARE);
    p->health = (struct health){.answers = &p->answers,
                                .receivers = p->receivers,
                                .resolvers = resolvers_new(in->seed),
                                .lossy = pipeline_is_lossy,
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
    p->answers.on_verdict = pipeline_on_verdict;
    p->answers.on_judged = pipeline_on_judged;
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
