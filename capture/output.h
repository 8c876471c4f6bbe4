/*
 * output: frames and what is to be known about them, into the ring.
 *
 * Contained in: capture. Must never: go on when a reader is gone (replay), or wait (live).
 */
#ifndef CAPTURE_OUTPUT_H
#define CAPTURE_OUTPUT_H

#include "capture/frame.h"
#include "sandbox/control.h"
#include "sandbox/ring.h"

#include <stdbool.h>
#include <stdint.h>

/* Interfaces of a run; 256 cards or a folder of many files come nowhere near. */
#define OUTPUT_INTERFACES_MAX ((uint32_t)4096)

struct output_interface; /* in output.c */

struct output {
    struct ring *ring;
    bool live;
    uint64_t number;                /* of the last frame */
    struct ring_loss loss;          /* totals; dropped_kernel and dropped_interface by the caller */
    struct progress *progress;      /* shared page */
    struct output_interface *faces; /* announced so far */
    uint32_t face_count;
    uint64_t sections; /* files, or sections of files, whose interfaces were announced */
};

/* Before confinement; ends the process when the ring is not there. */
void output_init(struct output *ret_output, bool live);

/* A file begins. */
void output_source(struct output *, uint16_t source);
/* Makes the interface known and gives its index over the whole run. An interface that an earlier
 * file, or section of this one, described in the very same words is that one; when there are too
 * many, it is one of the same link type. -1: there are too many and none of its link type; its
 * frames cannot be passed on. */
int output_interface(struct output *, uint16_t source, const struct frame_interface *);
/* Numbers the frame and passes it on. A number that the frame brings (an extract of ours) is kept
 * if it is larger than all before; otherwise frames count on. In live capture a frame for which
 * there is no room is counted as dropped, and keeps its number: the gap is visible. */
void output_frame(struct output *, uint16_t source, uint16_t interface, const struct frame *);
/* Numbers a frame that is not passed on. */
void output_refused(struct output *, const struct frame *);
void output_damage(struct output *, uint16_t source, const struct frame_damage *);
/* Counters of an interface, cumulative (live). */
void output_loss(struct output *, uint16_t interface, int64_t time_ns, const struct ring_loss *);
/* The last record, with the totals. */
void output_end(struct output *, int64_t time_ns);

#endif
