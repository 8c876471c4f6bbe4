/*
 * pipeline_parts: what the two files of the pipeline share: pipeline.c takes the ring's records and
 * keeps its life, pipeline_answer.c says what becomes of a response that was read, or judged.
 *
 * Contained in: analyze, tests. Private to these two.
 */
#ifndef ANALYZE_PIPELINE_PARTS_H
#define ANALYZE_PIPELINE_PARTS_H

#include "analyze/batch.h"
#include "analyze/decode/dissect.h"
#include "analyze/decode/pair.h"
#include "analyze/follow/health.h"
#include "analyze/follow/walks.h"
#include "analyze/follow/watch.h"
#include "analyze/pipeline.h"
#include "analyze/stats.h"
#include "analyze/tell/event.h"
#include "analyze/tell/inventory.h"
#include "analyze/tell/selfcheck.h"
#include "analyze/tell/sighting.h"
#include "analyze/tell/tell.h"
#include "analyze/tell/tell_contest.h"
#include "analyze/validate/memo.h"

#define INTERFACES_MAX 256

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

/* A line of eve.json. */
void pipeline_emit(struct pipeline *p, uint64_t frame, int64_t time_ns, const char *json,
                   size_t size);
/* These frames may be cited: they are kept for the bundle. */
void pipeline_hold(void *context, const uint64_t *frames, size_t count);
/* What is called back, with the pipeline as context. */
void pipeline_on_verdict(void *context, const struct answer *a, bool retro);
void pipeline_on_judged(void *context, struct answer *a, bool retro);
void pipeline_on_finding(void *context, const struct finding *f);
void pipeline_on_answer(void *context, const struct datagram *dg, uint16_t id, struct answer *a,
                        const struct query *query, bool fresh, const struct dns_message *referral);
void pipeline_on_walk(void *context, const struct answer *a, const struct fact_walk *walk,
                      const uint8_t *zone);
void pipeline_on_forget(void *context);
void pipeline_on_message(void *context, const struct datagram *dg);
/* Before RRsets go: what is learned from them. */
void pipeline_gather(void *context);
/* Were frames lost near that time? */
bool pipeline_is_lossy(void *context, int64_t time_ns);

#endif
