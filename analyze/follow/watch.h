/*
 * watch: what is seen of the messages' travel (analyze/follow/transport.h) and of races
 * (analyze/follow/race.h), given to the rules with what is known of the zone.
 *
 * Contained in: analyze, tests. The pipeline's part of both. What a message shows is queued and
 * told when all responses up to it have been judged (watch_pending, watch_tell), so that what is
 * known of zones then does not depend on how responses were batched. Remembers what is open: the
 * same kind about the same addresses stays about the same zone, and ends when it has been quiet.
 */
#ifndef ANALYZE_FOLLOW_WATCH_H
#define ANALYZE_FOLLOW_WATCH_H

#include "analyze/decode/dissect.h"
#include "analyze/decode/pair.h"
#include "analyze/follow/race.h"
#include "analyze/follow/transport.h"
#include "analyze/validate/answer.h"

struct watch {
    struct transport *transport;
    struct race race;
    struct watch_queue *queue;
    struct watch_told *told;
    size_t pending;
    bool at_once; /* what is found is told, not queued */
    /* borrowed */
    struct answers *answers;
    struct rules *rules;
    void (*hold)(void *context, const uint64_t *frames, size_t count);
    bool (*lossy)(void *context, int64_t time_ns); /* were frames lost near that time? */
    void *context;
};

/* The borrowed members are set. `begin_ns`: where the time of the first frame is kept. -1: no
 * memory. */
int watch_init(struct watch *, struct pair *, struct dissect *, const int64_t *begin_ns,
               uint64_t seed);
void watch_fini(struct watch *);

/* Is anything queued? For every frame. */
static inline bool watch_pending(const struct watch *w)
{
    return w->pending > 0;
}
/* Tells it. All responses so far have been judged. */
void watch_tell(struct watch *);
/* Ends what has been quiet, tells what time alone has shown. All responses so far have been judged.
 */
void watch_review(struct watch *, int64_t now_ns);

#endif
