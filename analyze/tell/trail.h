/*
 * trail: the chain behind a verdict, walked from the trust anchor down to the answer, as steps.
 *
 * Contained in: analyze, tests. Asks the validator what it holds and why (analyze/validate/judge.h,
 * denial.h); decides nothing itself.
 */
#ifndef ANALYZE_TELL_TRAIL_H
#define ANALYZE_TELL_TRAIL_H

#include "analyze/tell/steps.h"
#include "analyze/validate/answer.h"
#include "analyze/validate/denial.h"

#define TRAIL_ZONES_MAX 64

struct trail {
    struct steps *steps;
    struct world *world;
    int64_t clock_ns; /* that judges */
    size_t zones;     /* shown so far */
    const struct zone *zone[TRAIL_ZONES_MAX];
};

/* The zone and everything that its trust hangs on, anchor first; each zone once. */
void trail_zone(struct trail *, struct zone *);
/* The RRsets of the answer and the steps of its denial. The answer has just been judged, at the
 * trail's clock, and world->trace has its steps. */
void trail_answer(struct trail *, const struct answer *);
/* What would have to be observed, if the verdict is indeterminate. */
void trail_missing(struct trail *, const struct answer *);

#define TRAIL_TIME_TEXT 32
/* Seconds since 1970 as RFC 3339; returns ret_text. */
const char *trail_time(int64_t seconds, char ret_text[TRAIL_TIME_TEXT]);

#endif
