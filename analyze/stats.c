/*
 * stats: counters, gathered where they are asked for.
 *
 * Contained in: analyze, tests. Must never: count what another file counts, or change a result.
 */
#include "analyze/stats.h"

#include "analyze/decode/dissect.h"
#include "analyze/decode/pair.h"
#include "analyze/follow/objectives.h"

#include <string.h>

void stats_init(struct stats *s, const char *const *sources, size_t source_count)
{
    *s = (struct stats){.run = {.sources = sources,
                                .source_count = source_count,
                                .first_ns = INT64_MAX,
                                .last_ns = INT64_MIN},
                        .loss_told_ns = INT64_MIN};
}

void stats_damage(struct stats *s, const struct ring_record *r)
{
    s->run.damages_total++;
    if (s->run.damages == REPORT_DAMAGES_MAX)
        return;
    struct report_damage *d = &s->run.damage[s->run.damages++];
    d->source = r->source;
    d->offset = r->offset;
    size_t size = r->caplen < sizeof d->text - 1 ? r->caplen : sizeof d->text - 1;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = ring_payload(r)[i];
        d->text[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    d->text[size] = 0;
}

static uint64_t dropped(const struct ring_loss *l)
{
    return l->dropped_kernel + l->dropped_interface + l->dropped_ring;
}

bool stats_loss(struct stats *s, const struct ring_record *r)
{
    struct ring_loss now;
    if (r->caplen < sizeof now)
        return false;
    memcpy(&now, ring_payload(r), sizeof now);
    uint64_t before = dropped(&s->run.loss);
    s->run.loss = now;
    return dropped(&now) > before;
}

uint64_t stats_untold(const struct stats *s)
{
    return s->sightings ? sighting_lost(s->sightings) : 0;
}

static void put_objectives(struct jline *j, const void *context)
{
    const struct stats *s = context;
    int64_t last_ns = stats_any_frame(s) ? s->run.last_ns : 0;
    objectives_put(j, &s->answers->world, answers_clock(s->answers, last_ns));
}

const char *stats_event(const struct stats *s, struct event *event, int64_t time_ns,
                        size_t *ret_size)
{
    const struct dissect_counters *d = dissect_counters(s->dissect);
    const struct pair_counters *q = pair_counters(s->pair);
    const struct batch_counters *b = batch_counters(s->batch);
    const struct world *w = &s->answers->world;
    const struct report_run *run = &s->run;
    struct event_counter decode[] = {
#define X(name, text) {#name, d->name},
        DISSECT_COUNTERS(X)
#undef X
    };
    struct event_counter messages[] = {{"queries", q->queries},     {"responses", q->responses},
                                       {"paired", q->paired},       {"unanswered", q->unanswered},
                                       {"unasked", q->unasked},     {"duplicates", q->duplicates},
                                       {"malformed", b->malformed}, {"recognised", b->recognised}};
    struct event_counter verdicts[] = {{"secure", run->verdicts[VERDICT_SECURE]},
                                       {"insecure", run->verdicts[VERDICT_INSECURE]},
                                       {"bogus", run->verdicts[VERDICT_BOGUS]},
                                       {"indeterminate", run->verdicts[VERDICT_INDETERMINATE]},
                                       {"not_checkable", run->verdicts[VERDICT_NOT_CHECKABLE]},
                                       {"revised", s->answers->retro}};
    struct event_counter validator[] = {{"signature_checks", w->budget.checks},
                                        {"signature_hits", w->budget.hits},
                                        {"nsec3_hashes", w->budget.hashes},
                                        {"budget_exhausted", w->budget.exhausted},
                                        {"zones", w->zone_count},
                                        {"waiting", s->answers->waiting},
                                        {"memory_bytes", answers_bytes(s->answers)},
                                        {"findings_dropped", rules_dropped(s->rules)},
                                        {"findings_suppressed", rules_suppressed(s->rules)},
                                        {"forgotten", w->forgotten}};
    struct event_counter drops[] = {
        {"kernel", run->loss.dropped_kernel}, {"interface", run->loss.dropped_interface},
        {"ring", run->loss.dropped_ring},     {"not_analysed", run->missed},
        {"damages", run->damages_total},      {"history", stats_untold(s)}};
#define GROUP(name)                                                                                \
    {                                                                                              \
#name, name, sizeof name / sizeof *name                                                    \
    }
    struct event_group groups[] = {GROUP(decode), GROUP(messages), GROUP(verdicts),
                                   GROUP(validator), GROUP(drops)};
#undef GROUP
    struct event_context c = {.time_ns = time_ns};
    return event_stats(event, &c, groups, sizeof groups / sizeof *groups, put_objectives, s,
                       ret_size);
}

struct sensor_sums stats_sums(const struct stats *s)
{
    const struct dissect_counters *d = dissect_counters(s->dissect);
    const struct pair_counters *q = pair_counters(s->pair);
    const struct batch_counters *b = batch_counters(s->batch);
    bool any = s->run.first_ns <= s->run.last_ns;
    return (struct sensor_sums){.first_ns = any ? s->run.first_ns : 0,
                                .last_ns = any ? s->run.last_ns : 0,
                                .frames = d->frames,
                                .queries = q->queries,
                                .responses = q->responses,
                                .paired = q->paired,
                                .duplicates = q->duplicates,
                                .segments = d->segments,
                                .segments_twice = d->segments_twice,
                                .streams = d->streams,
                                .streams_lost = d->streams_lost,
                                .dropped_kernel = s->run.loss.dropped_kernel,
                                .dropped_interface = s->run.loss.dropped_interface,
                                .dropped_ring = s->run.loss.dropped_ring,
                                .not_analysed = s->run.missed,
                                .damages = s->run.damages_total,
                                .duplicate_frames = b->twice,
                                .duplicate_count = b->twice[0] ? 2 : 0};
}

struct inventory_run stats_inventory(const struct stats *s, bool live)
{
    return (struct inventory_run){.first_ns = s->run.first_ns,
                                  .last_ns = s->run.last_ns,
                                  .first_frame = s->first_frame,
                                  .last_frame = s->last_frame,
                                  .frames = dissect_counters(s->dissect)->frames,
                                  .messages = dissect_counters(s->dissect)->messages,
                                  .lost = dropped(&s->run.loss) + s->run.missed,
                                  .live = live};
}

size_t stats_report(struct stats *s, struct answers *answers, struct rules *rules,
                    char ret_text[REPORT_BYTES])
{
    s->run.dissect = dissect_counters(s->dissect);
    s->run.pair = pair_counters(s->pair);
    s->run.malformed = batch_counters(s->batch)->malformed;
    return report_write(&s->run, answers, rules, ret_text);
}
