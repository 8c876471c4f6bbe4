/*
 * pipeline: one frame in, events and findings out: dissect, pair, recognise, judge, tell.
 *
 * Contained in: analyze, tests. Owns everything that the analyser keeps; its output goes through
 * three callbacks, so that a test or the bench can stand in for store.
 */
#ifndef ANALYZE_PIPELINE_H
#define ANALYZE_PIPELINE_H

#include "analyze/tell/sighting.h"
#include "analyze/validate/answer.h"
#include "rules/rules.h"
#include "sandbox/ring.h"
#include "sandbox/settings.h"

struct ahead;
struct condition;
struct explain;
struct learn;

struct pipeline_inputs { /* borrowed for the life of the pipeline */
    const struct settings *settings;
    const struct anchors *anchors;
    const struct baseline *baseline;
    const char *profile_name; /* rules profile, NULL for the built-in one */
    const void *profile;
    size_t profile_size;
    const char *const *sources; /* file or interface names by index */
    size_t source_count;
    struct ahead *ahead;     /* threads for signature checks, or NULL */
    struct explain *explain; /* a question to be answered (analyze/tell/explain.h), or NULL */
    struct learn *learn;     /* gathers what was validated (analyze/tell/learn.h), or NULL */
    uint64_t seed;           /* keys the hash tables; counts that are estimates depend on it */
};

struct pipeline_outputs {
    /* A line for eve.json about `frame` (0 none). */
    void (*event)(void *context, uint64_t frame, int64_t time_ns, const char *json, size_t size);
    /* A finding's state; `last`: nothing follows about it. */
    void (*finding)(void *context, const struct finding *, bool last, const char *json,
                    size_t size);
    /* Frames that may be cited later. */
    void (*hold)(void *context, const uint64_t *frames, size_t count);
    void *context;
    /* A line for inventory.jsonl (analyze/tell/inventory.h); NULL: nobody wants them. */
    void (*inventory)(void *context, const char *json, size_t size);
    /* Lines of keys.dnsbailiff (analyze/follow/keep.h); NULL: nobody wants them. */
    void (*keys)(void *context, const char *text, size_t size);
    /* What was seen, for the history (analyze/tell/sighting.h); tell NULL: nobody keeps one. */
    struct sighting_outputs history;
};

struct pipeline; /* opaque */

/* NULL with a text in ret_error (a mistake in the profile, or no memory). */
struct pipeline *pipeline_new(const struct pipeline_inputs *, const struct pipeline_outputs *,
                              char *ret_error, size_t error_room);
void pipeline_free(struct pipeline *);
/* Before the first record: what an earlier run kept. As hostile as a packet: call it confined. 0,
 * or -1 with "name:line: what was expected". */
int pipeline_recall(struct pipeline *, const char *name, const void *text, size_t size,
                    char *ret_error, size_t error_room);
/* Any record of the ring. */
void pipeline_record(struct pipeline *, const struct ring_record *);
/* Judges what has been read. Before the ring's space is given back, so that the frames to hold are
 * named. */
void pipeline_flush(struct pipeline *);
/* `missed` records were overwritten before we came (live): findings of absence are marked. */
void pipeline_missed(struct pipeline *, uint64_t missed);
/* What another process tells of the sensor, and the wall clock (of use in live capture only). */
void pipeline_condition(struct pipeline *, const struct condition *, int64_t now_ns);
/* A stats event now. */
void pipeline_stats(struct pipeline *);
/* End of input: last stats, final findings. Then the summary may be taken. */
void pipeline_finish(struct pipeline *);
/* The summary (analyze/tell/report.h); borrowed until pipeline_free. */
const char *pipeline_report(struct pipeline *, size_t *ret_size);

struct pipeline_totals {
    uint64_t frames, messages, findings;
    int64_t first_ns, last_ns; /* packet times; first above last: no frame */
    uint64_t untold;           /* sightings that the history was not told of */
    enum severity worst;       /* 0 none */
};
struct pipeline_totals pipeline_totals(struct pipeline *);

#endif
