/*
 * fragment: IP datagrams put together again (RFC 791 3.2, RFC 8200 4.5, RFC 5722).
 *
 * Contained in: analyze, tests. Bounded in datagrams, bytes and time; the oldest gives way. Of a
 * datagram that is given up, what is there from its start is still delivered, marked as cut: it
 * tells who was answered what, and that the rest was lost.
 */
#ifndef ANALYZE_DECODE_FRAGMENT_H
#define ANALYZE_DECODE_FRAGMENT_H

#include "analyze/decode/gather.h"
#include "analyze/decode/packet.h"
#include "sandbox/settings.h"

struct fragments; /* opaque */

/* A datagram was given up; if its start is there, `head` goes over it from `layer` on, cut. Frames
 * by fragments_frames. */
typedef void fragments_on_lost(void *context, struct packet *head, enum layer,
                               const struct origin *);

struct fragments *fragments_new(const struct settings *, fragments_on_lost *, void *context);
void fragments_free(struct fragments *);

/* One LAYER_FRAGMENT packet. True if it completed a datagram: the packet then goes over the whole
 * of it, from *ret_layer on, until the next call. False: held or refused. */
bool fragments_add(struct fragments *, struct packet *, const struct origin *,
                   enum layer *ret_layer);
/* True if the frame given to the last fragments_add is held. */
bool fragments_held(const struct fragments *);
/* The frames of the datagram just completed or lost; see gather_frames. */
size_t fragments_frames(const struct fragments *, uint64_t *ret_frames, size_t room);
/* Gives up what has waited too long at this packet time; INT64_MAX: all. */
void fragments_expire(struct fragments *, int64_t now_ns);

#endif
