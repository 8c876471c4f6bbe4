/*
 * selfcheck: the sensor's own clock, storage and walls, as facts: what other processes tell of
 * them, and packet time that goes back.
 *
 * Contained in: analyze, tests. Fixed memory; one comparison a frame.
 */
#ifndef ANALYZE_TELL_SELFCHECK_H
#define ANALYZE_TELL_SELFCHECK_H

#include "analyze/decode/sensor.h"
#include "sandbox/condition.h"

/* Frames of one interface may overtake each other in kernel and card, by milliseconds; so far back
 * somebody set the clock, or joined captures. */
#define SELFCHECK_BACK_NS INT64_C(1000000000)

struct selfcheck_face { /* the last frame of an interface */
    int64_t time_ns;
    uint16_t source;
    bool any;
};

struct selfcheck {
    struct selfcheck_face faces[SENSOR_INTERFACES]; /* those beyond share the last place */
    uint64_t steps;                                 /* times that packet time went back */
    uint64_t most_ns;                               /* furthest */
    int64_t from_ns;                                /* packet time before the first step */
    int64_t last_ns;                                /* … after the last one */
    uint64_t frame;                                 /* at the first step */
    bool open;
};

void selfcheck_init(struct selfcheck *);

/* True: packet time went back at this frame; selfcheck_stepped has more. */
static inline bool selfcheck_frame(struct selfcheck *s, uint16_t source, uint16_t interface,
                                   int64_t time_ns, uint64_t frame)
{
    struct selfcheck_face *f =
        &s->faces[interface < SENSOR_INTERFACES ? interface : SENSOR_INTERFACES - 1];
    struct selfcheck_face before = *f;
    *f = (struct selfcheck_face){time_ns, source, true};
    if (__builtin_expect(time_ns >= before.time_ns, 1) || !before.any || before.source != source ||
        interface >= SENSOR_INTERFACES ||
        (uint64_t)before.time_ns - (uint64_t)time_ns < (uint64_t)SELFCHECK_BACK_NS)
        return false;
    if (s->steps++ == 0) {
        s->from_ns = before.time_ns;
        s->frame = frame;
    }
    if ((uint64_t)before.time_ns - (uint64_t)time_ns > s->most_ns)
        s->most_ns = (uint64_t)before.time_ns - (uint64_t)time_ns;
    s->last_ns = time_ns;
    return true;
}

/* After selfcheck_frame said true. */
void selfcheck_stepped(struct selfcheck *, sensor_on_fact *, void *context);
/* Now and then: packet time has gone forward for long enough. */
void selfcheck_review(struct selfcheck *, int64_t now_ns, sensor_on_fact *, void *context);
/* What another process told, as a fact of that packet time. */
void selfcheck_told(const struct condition *, int64_t now_ns, sensor_on_fact *, void *context);

#endif
