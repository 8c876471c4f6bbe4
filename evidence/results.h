/*
 * results: what analyze has to say (events, findings, the summary) onto disk, unread but checked.
 *
 * Contained in: store. A line of analyze must be one JSON object's text ('{' to '}', UTF-8, no
 * control character); anything else is our own failure and ends the process. No DNS is parsed here.
 */
#ifndef EVIDENCE_RESULTS_H
#define EVIDENCE_RESULTS_H

#include "evidence/ledger.h"
#include "evidence/listing.h"
#include "evidence/recorder.h"
#include "sandbox/channel.h"
#include "sandbox/ring.h"

#include <stdbool.h>
#include <stdint.h>

struct results; /* opaque */

struct results_options { /* everything borrowed */
    int dir, state;      /* evidence directory, its folder state/ */
    bool live;
    struct ledger *ledger;
    struct recorder *recorder;
    struct ring *ring; /* live: looked at for the frame an event is about */
};

struct results *results_new(const struct results_options *); /* never NULL */
void results_free(struct results *);
void results_take(struct results *, enum message_type, const uint8_t *bytes, size_t size);
/* Live: a `custody` event about record `seq` of the log. */
void results_custody(struct results *, const char *action, const char *file, uint64_t seq,
                     int64_t time_ns);
/* Hands what is buffered to the kernel, so that followers of eve.json see it. */
void results_flush(struct results *);
/* Findings durable: before a checkpoint speaks of them. */
void results_settle(struct results *);
bool results_finished(const struct results *, struct msg_finished *ret_totals);
/* Replay: the frames that final findings cite; borrowed. */
uint64_t *results_cited(const struct results *, size_t *ret_count);
/* Durable, and named in the listing. */
void results_seal(struct results *, struct listing *);

#endif
