/*
 * flow: who spoke to whom, and one DNS message lifted out of the frames that carried it.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_DECODE_FLOW_H
#define ANALYZE_DECODE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FLOW_VLANS_MAX 2
/* Frames remembered of one message: a 64 KiB message in 536-byte segments needs 123. */
#define DATAGRAM_FRAMES_MAX 128

struct flow {
    uint8_t family; /* 4 or 6 */
    uint8_t proto;  /* IPPROTO_UDP or IPPROTO_TCP */
    uint8_t vlans;  /* how many tags */
    uint8_t reserved;
    uint16_t sport, dport;
    uint16_t vlan[FLOW_VLANS_MAX]; /* outer first, 12 bits */
    uint8_t src[16], dst[16];      /* IPv4 in the first four bytes, the rest zero */
};

/* Room for the text of an address, and for "1:" + base64 of SHA-1. */
#define FLOW_ADDRESS_TEXT   46
#define FLOW_COMMUNITY_TEXT 31
const char *flow_address(uint8_t family, const uint8_t address[16],
                         char ret_text[FLOW_ADDRESS_TEXT]);
/* Community ID v1, seed 0 (github.com/corelight/community-id-spec): the same in both directions. */
const char *flow_community(const struct flow *, char ret_text[FLOW_COMMUNITY_TEXT]);
/* 64-bit id, the same in both directions, below 2^53 so that JSON readers keep it whole. */
uint64_t flow_id(const struct flow *);

/* The same packet again within so long is a second copy by the mirror: no sender repeats itself so
 * soon (the least timeouts in use are 50 ms of unbound's, 200 ms of Linux's TCP). */
#define FLOW_TWICE_NS INT64_C(10000000)

/* Nanoseconds from one packet time to another; capture files may claim any time, so it saturates.
 */
static inline int64_t flow_elapsed(int64_t from_ns, int64_t to_ns)
{
    int64_t elapsed;
    if (__builtin_sub_overflow(to_ns, from_ns, &elapsed))
        return to_ns > from_ns ? INT64_MAX : INT64_MIN;
    return elapsed;
}

static inline bool flow_twice(int64_t a_ns, int64_t b_ns)
{
    int64_t elapsed = flow_elapsed(a_ns, b_ns);
    return elapsed <= FLOW_TWICE_NS && elapsed >= -FLOW_TWICE_NS;
}

/* From the same address to the same? */
static inline bool flow_alike(const struct flow *a, const struct flow *b)
{
    return a->family == b->family && memcmp(a->src, b->src, sizeof a->src) == 0 &&
           memcmp(a->dst, b->dst, sizeof a->dst) == 0;
}

struct datagram { /* one DNS message, borrowed for the time of the callback */
    struct flow flow;
    const uint8_t *bytes;
    size_t size;            /* bytes present */
    size_t wire_size;       /* bytes it had on the wire; > size: snapped or lost in part */
    int64_t time_ns;        /* packet time of the frame that completed it */
    uint64_t frame;         /* number of that frame */
    const uint64_t *frames; /* all frames that carried it, ascending; at least one */
    size_t frame_count;
    uint16_t source, interface;
};

#endif
