/*
 * pcapng: reads pcapng (draft-ietf-opsawg-pcapng): any number of sections of either byte order,
 * interfaces of any link type and time resolution, enhanced, simple and obsolete packet blocks.
 *
 * Contained in: capture, tests. Must never: read past the stream's window, or end the process on
 * what it reads. Own reader: libpcap's refuses files whose interfaces differ in link type or
 * snaplen, drops every option, and cannot say where the damage is.
 *
 * A section whose header carries a comment that begins with "dnsbailiff-origin" was written by this
 * program: its epb_packetid is the number that the frame had in its source, and is kept.
 */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include "capture/frame.h"
#include "capture/stream.h"

#include <stdbool.h>
#include <stddef.h>

/* Interfaces of one section; a writer that opens more is a hostile one. */
#define PCAPNG_INTERFACES_MAX ((size_t)65535)

struct pcapng_interface; /* in pcapng.c */

struct pcapng { /* private */
    bool begun, swapped;
    bool ours;                      /* the section was written by dnsbailiff */
    struct pcapng_interface *faces; /* of the section */
    size_t face_count, face_room;
    uint32_t face_base; /* interfaces of the sections before */
    int64_t last_ns;    /* time of the last frame */
};

/* True if the four bytes begin a section header block. */
bool pcapng_magic(const uint8_t bytes[4]);

/* Starts with an all-zero struct; the stream stands at the first section header. What it gives is
 * borrowed until the next call. */
enum frame_event pcapng_next(struct pcapng *, struct stream *, struct frame_tally *,
                             struct frame_item *ret_item);
/* Frees what the struct holds. */
void pcapng_fini(struct pcapng *);

#endif
