/*
 * tcp: DNS messages out of TCP streams (RFC 9293, RFC 1035 4.2.2, RFC 7766).
 *
 * Contained in: analyze, tests. Each direction is a stream of its own. A stream is picked up in the
 * middle when its start was not seen, and again behind a gap that stays: at the place where a
 * length and the header and question behind it make sense. Bounded in streams, bytes and time; the
 * oldest gives way.
 */
#ifndef ANALYZE_DECODE_TCP_H
#define ANALYZE_DECODE_TCP_H

#include "analyze/decode/dissect.h"
#include "analyze/decode/gather.h"
#include "analyze/decode/packet.h"

struct streams; /* opaque */

/* Messages go to on_message, counts of streams to the counters; both borrowed. */
struct streams *streams_new(const struct settings *, struct dissect_counters *,
                            dissect_on_message *, void *context);
void streams_free(struct streams *);
/* One LAYER_SEGMENT packet. True if bytes of it are held for a message that is not whole yet. */
bool streams_add(struct streams *, const struct packet *, const struct origin *);
/* Gives up gaps that have waited too long at this packet time; INT64_MAX: everything. */
void streams_expire(struct streams *, int64_t now_ns);

#endif
