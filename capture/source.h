/*
 * source: one capture file, whatever its format and compression, as a sequence of events.
 *
 * Contained in: capture, tests. Must never: open anything, or end the process on what it reads.
 */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "capture/frame.h"
#include "capture/stream.h"

/* Damages told of one by one; a hostile file could otherwise fill the log with them. The rest is
 * counted and told in one line at the end. */
#define SOURCE_DAMAGES_MAX 64

struct source; /* opaque */

/* fd is borrowed and stands at its first byte; `may_read` as in stream.h, may be NULL. NULL with
 * errno. Caller frees. */
struct source *source_open(int fd, stream_may_read *, void *context);
void source_free(struct source *);

/* What comes next; borrowed until the next call. After FRAME_BROKEN and FRAME_END always
 * FRAME_END. An empty or foreign file is FRAME_BROKEN at offset 0, with what was found. */
enum frame_event source_next(struct source *, struct frame_item *ret_item);

const struct frame_tally *source_tally(const struct source *);
/* Bytes of the stored file read up to now. */
uint64_t source_stored(const struct source *);

/* The time of the first frame, for ordering; leaves fd at its first byte again. 0, or -1: no frame,
 * not readable, or fd cannot seek. */
int source_first_time(int fd, int64_t *ret_time_ns);

/* Has it turned out to be a capture at all? Known after the first source_next. */
bool source_recognised(const struct source *);

#endif
