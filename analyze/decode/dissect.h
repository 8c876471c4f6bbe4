/*
 * dissect: frames to DNS messages: link layers, IP, fragments, TCP.
 *
 * Contained in: analyze, tests. Bounded: every table has a configured size, the oldest entry gives
 * way and is counted. Gives each message once, in the order in which it was completed.
 */
#ifndef ANALYZE_DECODE_DISSECT_H
#define ANALYZE_DECODE_DISSECT_H

#include "analyze/decode/flow.h"
#include "analyze/decode/sensor.h"
#include "sandbox/ring.h"
#include "sandbox/settings.h"

/* Counters, with their meaning for the manual. */
#define DISSECT_COUNTERS(X)                                                                        \
    X(frames, "frames read from the ring")                                                         \
    X(bytes, "captured bytes of these frames")                                                     \
    X(snapped, "frames whose caplen is smaller than len")                                          \
    X(not_ip, "frames that carry neither IPv4 nor IPv6")                                           \
    X(undecodable, "frames with a broken link, IP, UDP or TCP header, or an unknown link type")    \
    X(other, "IP packets that are not UDP or TCP on a DNS port")                                   \
    X(icmp, "ICMP errors (they quote packets; not taken for DNS)")                                 \
    X(fragments, "IP fragments")                                                                   \
    X(fragments_lost, "datagrams given up incomplete, overlapping or evicted")                     \
    X(segments, "TCP segments with data on a DNS port")                                            \
    X(segments_twice, "of these, such as repeated another within 10 ms")                           \
    X(streams, "TCP streams followed")                                                             \
    X(streams_lost, "TCP streams given up: a gap that was never filled, or evicted")               \
    X(encrypted, "TCP or UDP packets on port 853 (DoT, DoQ): recorded, not decrypted")             \
    X(messages, "DNS messages delivered")

struct dissect_counters {
#define X(name, text) uint64_t name;
    DISSECT_COUNTERS(X)
#undef X
};

typedef void dissect_on_message(void *context, const struct datagram *);

/* A TCP segment on a DNS port that opens or refuses a connection (SYN, RST). */
typedef void dissect_on_signal(void *context, const struct flow *, uint8_t flags, int64_t time_ns,
                               uint64_t frame);

struct dissect; /* opaque */
struct dissect *dissect_new(const struct settings *, dissect_on_message *, void *context);
void dissect_free(struct dissect *);
/* Nobody is called otherwise. */
void dissect_signals(struct dissect *, dissect_on_signal *, void *context);
/* One RING_FRAME record. Calls back for each message that it completes. Returns true if the frame
 * is to be held for citation: an unfinished reassembly needs it, or it is the first to show what
 * the mirror does to packets.
 */
bool dissect_frame(struct dissect *, const struct ring_record *);
/* End of input: what is half reassembled is given up and counted. */
void dissect_finish(struct dissect *);
const struct dissect_counters *dissect_counters(const struct dissect *);
/* What the frames tell of the tap; lives as long as the dissector. */
struct sensor *dissect_sensor(struct dissect *);

#endif
