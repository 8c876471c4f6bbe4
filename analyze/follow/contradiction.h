/*
 * contradiction: what a zone's servers showed, against what they denied, both validly signed.
 *
 * Contained in: analyze, tests. What authorities serve (AA=1, RA=0) is noted with its times, and
 * with the serials of the SOAs that came with denials. A name that is added, or removed, is denied
 * before, or after, and the serial moves: that explains nearly all. Left are
 *   - both under one serial, the one again after the other;
 *   - a denial of a lower serial than the server had before, while it goes on to show the data;
 *   - the one that was signed earlier shown after the one that was signed later, by one server.
 * Signers that make denials up for each query (RFC 4470, RFC 9824) sign no states of a zone; their
 * zones are left out.
 *
 * Bounded, counted with the zone's memory, and gone with the zone. Holds the RRsets that it keeps.
 */
#ifndef ANALYZE_FOLLOW_CONTRADICTION_H
#define ANALYZE_FOLLOW_CONTRADICTION_H

#include "analyze/validate/answer.h"

#define CONTRADICTION_SETS    48 /* RRsets that were shown, and as many denials, of a zone */
#define CONTRADICTION_SERVERS 8
#define CONTRADICTION_SERIALS 4 /* of one server, the latest */

struct contradictions; /* opaque, in struct zone */

struct contradiction { /* borrowed until the next call */
    struct rrset *shown, *denial;
    enum contradiction_how how;
    int64_t shown_ns, denied_ns;
    uint64_t shown_frame, denied_frame;
    uint8_t shown_family, denied_family;
    const uint8_t *shown_by, *denied_by; /* servers */
};

/* Frees it; returns how many bytes it took. NULL is fine. */
size_t contradictions_free(struct contradictions *);
/* Is a second look at this answer, which is known, worth it? Cheap. */
static inline bool contradictions_want(const struct answer *a)
{
    return a->zone && a->last_seen_ns <= a->zone->disputed_until_ns &&
           (a->flags & (DNS_AA | DNS_RA)) == DNS_AA;
}
/* Notes a response from `flow->src`; calls back for each pair that nothing explains, once. True: it
 * shows a side of a pair that a later one may still show to be such, and is cited then. */
bool contradictions_seen(struct world *, const struct answer *, const struct flow *,
                         int64_t time_ns, uint64_t frame,
                         void (*on_contradiction)(void *context, struct zone *,
                                                  const struct contradiction *),
                         void *context);

#endif
