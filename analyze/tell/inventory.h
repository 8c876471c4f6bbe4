/*
 * inventory: what was learned of each zone, of each finding's receivers and of the run, as lines of
 * JSON for state/inventory.jsonl.
 *
 * Contained in: analyze, tests. The reports (evidence/report.c) are made of these lines, so that
 * they rest on what was sealed. The manual says what the members mean. "Not observed" is null.
 */
#ifndef ANALYZE_TELL_INVENTORY_H
#define ANALYZE_TELL_INVENTORY_H

#include "analyze/follow/receivers.h"
#include "analyze/validate/answer.h"
#include "rules/rules.h"

/* Zones named one by one: those with a baseline first, then failing, then signed ones. */
#define INVENTORY_ZONES_MAX ((size_t)1 << 14)

struct inventory_run { /* what the pipeline knows */
    int64_t first_ns, last_ns;
    uint64_t first_frame, last_frame; /* numbers of the frames of these times */
    uint64_t frames, messages, lost;
    bool live;
};

/* A line without line feed, borrowed for the call. */
typedef void inventory_line(void *context, const char *json, size_t size);

struct inventory;                      /* opaque: the buffer */
struct inventory *inventory_new(void); /* NULL without memory */
void inventory_free(struct inventory *);

/* In the run: the zones of which something is new since they were last named. */
void inventory_news(struct inventory *, struct answers *, const struct inventory_run *,
                    inventory_line *, void *context);
/* At its end: the run, every zone, the receivers of every finding. */
void inventory_all(struct inventory *, struct answers *, struct rules *, const struct receivers *,
                   const struct inventory_run *, inventory_line *, void *context);

#endif
