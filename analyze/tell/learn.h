/*
 * learn: what of the traffic was validated, for `baseline learn`: the secure RRsets, and what was
 * left out and why.
 *
 * Contained in: analyze, tests. Copies what it needs, so that it outlives the tables; bounded.
 *
 * The report is lines of ASCII, in an order that does not depend on how the tables are keyed:
 *   learned 1
 *   zone <apex>                  its sets follow
 *   set <last seen, ns since 1970> <owner> <type>
 *   record <owner ttl IN type rdata>     of that set; TTL is the signed one
 *   out <count> <zone> <reason> <owner> <type>     RRsets left out, and the first of them
 *   end
 * Different sets of one owner and type follow each other, the latest seen last. A DS set stands in
 * the zone that it is about.
 */
#ifndef ANALYZE_TELL_LEARN_H
#define ANALYZE_TELL_LEARN_H

#include "analyze/validate/answer.h"

struct learn; /* opaque */

struct learn *learn_new(size_t most_bytes); /* NULL without memory */
void learn_free(struct learn *);
/* Takes what the tables hold; before they are emptied, and at the end. */
void learn_gather(struct learn *, struct answers *);
/* The report, piece by piece, each of whole lines; NULL after the last. Borrowed until the next
 * call. */
const char *learn_next(struct learn *, size_t *ret_size);

#endif
