/*
 * live: frames from network interfaces, several at once, into the ring.
 *
 * Contained in: capture. Must never: transmit, or wait for a reader.
 */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include "capture/output.h"
#include "sandbox/inputs.h"

struct live; /* opaque */

/* Before confinement: opens every interface of the inputs, with `expression`, or the built-in
 * filter for DNS if it is "". Ends the process with a message when one cannot be opened. */
struct live *live_open(const struct inputs *, const char *expression);

/* After GO: until STOP, or until no interface is left. Then takes what the kernel still holds and
 * writes the last record. 0, or -1 when it ended by itself; ret_text says why. */
int live_run(struct live *, struct output *, char *ret_text, size_t room);

#endif
