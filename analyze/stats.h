/*
 * stats: what the pipeline counted, and the forms in which others want it: the stats event, the
 * summary, the inventory's line of the run, the sums that the sensor is judged by.
 *
 * Contained in: analyze, tests. Counters only: no verdict looks at them.
 */
#ifndef ANALYZE_STATS_H
#define ANALYZE_STATS_H

#include "analyze/batch.h"
#include "analyze/tell/event.h"
#include "analyze/tell/inventory.h"
#include "analyze/tell/report.h"
#include "analyze/tell/sighting.h"

struct stats {
    struct report_run run;            /* counted here: times, verdicts, loss, missed, damages */
    uint64_t first_frame, last_frame; /* numbers of the frames of the run's first and last times */
    int64_t loss_told_ns; /* when the counters of loss were last told; INT64_MIN never */
    /* counted elsewhere; borrowed */
    const struct dissect *dissect;
    const struct pair *pair;
    const struct batch *batch;
    const struct answers *answers;
    const struct rules *rules;
    const struct sightings *sightings; /* NULL: nobody keeps a history */
};

/* No frame yet. The borrowed members are the caller's to fill. */
void stats_init(struct stats *, const char *const *sources, size_t source_count);

static inline bool stats_any_frame(const struct stats *s)
{
    return s->run.last_ns != INT64_MIN;
}

static inline void stats_frame(struct stats *s, int64_t time_ns, uint64_t number)
{
    if (time_ns < s->run.first_ns) {
        s->run.first_ns = time_ns;
        s->first_frame = number;
    }
    if (time_ns > s->run.last_ns) {
        s->run.last_ns = time_ns;
        s->last_frame = number;
    }
}

/* A place in a source that could not be read. */
void stats_damage(struct stats *, const struct ring_record *);
/* The counters of loss; true if frames were lost since they were last told. */
bool stats_loss(struct stats *, const struct ring_record *);

/* Tellings that the history did not take. */
uint64_t stats_untold(const struct stats *);
/* A stats event; borrowed until the next use of the writer. */
const char *stats_event(const struct stats *, struct event *, int64_t time_ns, size_t *ret_size);
/* Everything but the names of interfaces. */
struct sensor_sums stats_sums(const struct stats *);
struct inventory_run stats_inventory(const struct stats *, bool live);
/* The summary; returns its bytes. */
size_t stats_report(struct stats *, struct answers *, struct rules *, char ret_text[REPORT_BYTES]);

#endif
