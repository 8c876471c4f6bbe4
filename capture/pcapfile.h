/*
 * pcapfile: reads classic pcap (draft-ietf-opsawg-pcap), micro- and nanosecond, both byte orders,
 * and Kuznetzov's "modified" records.
 *
 * Contained in: capture, tests. Must never: read past the stream's window, or end the process on
 * what it reads. Own reader: libpcap's wants a FILE, copies, and cannot say where the damage is.
 */
#ifndef CAPTURE_PCAPFILE_H
#define CAPTURE_PCAPFILE_H

#include "capture/frame.h"
#include "capture/stream.h"

#include <stdbool.h>
#include <stddef.h>

struct pcapfile { /* private */
    bool begun, swapped;
    uint8_t header;  /* bytes of a record header: 16, modified 24 */
    uint8_t lengths; /* order of caplen and len */
    uint16_t linktype;
    uint32_t snaplen; /* 0 unlimited */
    uint32_t units;   /* of a second: 1000000 or 1000000000 */
};

/* True if the four bytes are a magic of this format. */
bool pcapfile_magic(const uint8_t bytes[4]);

/* Starts with an all-zero struct; the stream stands at the file header. The first call describes
 * the one interface (index 0), the others give the frames, borrowed until the next call. */
enum frame_event pcapfile_next(struct pcapfile *, struct stream *, struct frame_tally *,
                               struct frame_item *ret_item);

#endif
