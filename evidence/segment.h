/*
 * segment: a pcapng file of frames as they were seen, in the profile of evidence/format.h.
 *
 * Contained in: store, tests. One section, little-endian, every frame with its number over the run.
 * The file has its name only when it is complete and durable.
 */
#ifndef EVIDENCE_SEGMENT_H
#define EVIDENCE_SEGMENT_H

#include "evidence/format.h"
#include "sandbox/ring.h"

#include <stddef.h>
#include <stdint.h>

/* The interfaces of a run, in the order in which capture announced them. */
struct segment_interface {
    struct ring_interface info;
    uint16_t linktype;
    struct ring_loss loss;     /* as counted so far, cumulative over the run */
    uint64_t dropped_reported; /* drops already told in an epb_dropcount */
    int64_t first_ns, last_ns; /* packet times seen; first > last: none */
};

struct segment_interfaces {
    struct segment_interface *list; /* grows; index = ring's interface number */
    uint32_t count, room;
};

/* Adds the next interface; its number is the old count. Ends the process for want of memory. */
void segment_add_interface(struct segment_interfaces *, const struct ring_interface *,
                           uint16_t linktype);

struct segment_origin {   /* borrowed texts */
    const char *origin;   /* checkpoint origin of the log */
    const char *name;     /* file name */
    const char *hardware; /* "" omits the option */
    const char *os;       /* likewise */
    uint8_t previous[HASH_BYTES];
    uint8_t nonce[PCAPNG_NONCE_BYTES];
};

struct segment_summary {
    uint64_t size, packets;
    uint64_t first_packet, last_packet; /* frame numbers; 0 if packets is 0 */
    int64_t first_ns, last_ns;          /* least and greatest packet time */
    uint8_t sha256[HASH_BYTES];
};

struct segment; /* opaque */

/* Begins <name>.part in `dir` (both borrowed while it is open). 0 or a negative errno. */
int segment_open(int dir, const struct segment_origin *, struct segment_interfaces *,
                 struct segment **ret_segment);
/* Appends a frame; its interface is known. Errors stick until segment_close. */
void segment_frame(struct segment *, const struct ring_record *, const uint8_t *bytes);
/* Bytes written and buffered so far. */
uint64_t segment_size(const struct segment *);
const struct segment_summary *segment_so_far(const struct segment *);
/* Counters of every interface, then durable and named. Frees the segment in every case. 0 or a
 * negative errno: then there is no such file. */
int segment_close(struct segment *, struct segment_summary *ret_summary);
void segment_discard(struct segment *);

#endif
