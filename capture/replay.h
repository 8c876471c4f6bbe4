/*
 * replay: capture files, one after the other, into the ring.
 *
 * Contained in: capture.
 */
#ifndef CAPTURE_REPLAY_H
#define CAPTURE_REPLAY_H

#include "capture/filter.h"
#include "capture/output.h"
#include "sandbox/inputs.h"

struct replay; /* opaque */

/* Before confinement: the list of sources. `filter` (borrowed) may be NULL. Ends the process when
 * there is none, or no memory. */
struct replay *replay_new(const struct inputs *, const struct filter *);

/* After GO: reads all of them, then writes the last record. Returns the number of damages told;
 * ret_text describes the first ("" none), in `room` bytes. */
uint64_t replay_run(struct replay *, struct output *, char *ret_text, size_t room);

#endif
