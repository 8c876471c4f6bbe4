/*
 * keep: key material that outlives a run: what was secure is written at the end, read at the start
 * of the next, and judged again from the anchors before anything rests on it.
 *
 * Contained in: analyze, tests. What is read was derived from traffic and lay on a disk: it is as
 * hostile as a packet and parsed as one, after confinement, by the same parser.
 *
 * keys.dnsbailiff, lines of ASCII:
 *   dnsbailiff-keys 1
 *   key <zone> <last seen, ns since 1970> <DNS message in base64>     a DNSKEY RRset
 *   ds <zone> <last seen> <message>                                  a DS RRset
 *   no-ds <zone> <last seen> <message>                               NSEC or NSEC3: no DS there
 *   habit <zone> <last seen> <bytes in base64>       how a key of it signs (habit.c)
 *   rhythm <zone> <last seen> <bytes in base64>      when its signer signs anew (rhythm.c)
 *   end <lines between>
 * A message is the response that shows the RRset with
 * its RRSIGs (RFC 1035 4.1, uncompressed). Parents come before children; the order depends on the
 * contents only.
 */
#ifndef ANALYZE_FOLLOW_KEEP_H
#define ANALYZE_FOLLOW_KEEP_H

#include "analyze/follow/habit.h"
#include "analyze/follow/rhythm.h"
#include "analyze/validate/answer.h"

typedef void keep_line(void *context, const char *text, size_t size);

/* Writes the file, a line (with its LF) at a time. `habits` and `rhythms` may be NULL. */
void keep_write(struct answers *, const struct habits *, const struct rhythms *, keep_line *,
                void *context);
/* Reads it: what it holds becomes known as if it had passed by when it was last seen, without
 * events or findings. 0, or -1 with "name:line: what was expected" in ret_error. */
int keep_read(struct answers *, struct habits *, struct rhythms *, const char *name,
              const void *text, size_t size, char *ret_error, size_t error_room);
/* Does the trust in the zone rest on something that was read and not yet seen again? */
bool keep_supports(const struct zone *);

#endif
