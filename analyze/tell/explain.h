/*
 * explain: one question about one verdict: which response is meant, and the chain behind it.
 *
 * Contained in: analyze, tests. Looks on while a replay runs; each time the response that was asked
 * for is judged the explanation is written anew, so that it tells what was known then, and takes
 * later observations in when the verdict is revised. Changes no verdict: budgets and the answer are
 * put back as they were.
 */
#ifndef ANALYZE_TELL_EXPLAIN_H
#define ANALYZE_TELL_EXPLAIN_H

#include "analyze/validate/answer.h"

struct explain; /* opaque */

/* `question`: a frame number, or NAME/TYPE. NULL with a text in ret_error. */
struct explain *explain_new(const char *question, bool json, char *ret_error, size_t error_room);
void explain_free(struct explain *);

/* A response passed by and was judged (or recognised); `query` may be NULL. */
void explain_seen(struct explain *, struct answers *, const struct datagram *, struct answer *,
                  const struct query *);
/* A verdict was reached later than its packet. */
void explain_revised(struct explain *, struct answers *, struct answer *);

/* At the end: the explanation, text or one JSON object, ending in a line feed. NULL: no such
 * response passed by; then explain_nearest says what did, in one line. Borrowed. */
const char *explain_report(struct explain *, size_t *ret_size);
const char *explain_nearest(struct explain *);

#endif
