/*
 * sensor: does the tap show what is on the wire? Counts what a mirror port does to packets, and
 * says so as facts before anything is claimed about zones.
 *
 * Contained in: analyze, tests. Fixed memory; a few additions a packet, a checksum for one in
 * sixteen. What is counted elsewhere (pairs, losses) comes in as struct sensor_sums.
 */
#ifndef ANALYZE_DECODE_SENSOR_H
#define ANALYZE_DECODE_SENSOR_H

#include "analyze/decode/packet.h"
#include "analyze/facts.h"

#include <stdbool.h>

/* Interfaces told apart; those beyond share the last place. */
#define SENSOR_INTERFACES 64
/* Of so many packets of one interface and direction all checksums are verified, then one in
 * SENSOR_SAMPLE. */
#define SENSOR_CHECK_ALL 64
#define SENSOR_SAMPLE    16
/* An IP packet beyond this does not fit into an Ethernet frame (IEEE 802.3). */
#define SENSOR_MTU 1500

enum sensor_direction { SENSOR_TO_SERVER, SENSOR_FROM_SERVER, SENSOR_DIRECTIONS };

struct sensor_counts { /* of DNS packets: UDP datagrams and TCP segments on a DNS port */
    uint64_t packets[SENSOR_DIRECTIONS];
    uint64_t cut[SENSOR_DIRECTIONS];     /* the capture kept fewer bytes than there were */
    uint64_t tagged[SENSOR_DIRECTIONS];  /* with a VLAN tag */
    uint64_t checked[SENSOR_DIRECTIONS]; /* checksum verified */
    uint64_t left[SENSOR_DIRECTIONS];    /* … left to the network card: only begun */
    uint64_t wrong[SENSOR_DIRECTIONS];   /* … neither right nor begun */
    uint64_t oversize;                   /* larger than SENSOR_MTU */
    uint64_t wrapped;                    /* inside another packet */
    uint32_t layers;                     /* of these: bits by enum layer, see PACKET_NESTED */
};

/* Frames that show a thing: the first of each kind of fact and interface. */
struct sensor_examples {
    uint64_t cut, left, wrong, oversize, wrapped;
};

struct sensor {
    struct sensor_counts counts[SENSOR_INTERFACES];
    struct sensor_examples examples[SENSOR_INTERFACES];
    uint64_t due; /* packets until the next review that does not wait for its time */
    uint64_t packets;
    uint64_t answers_whole, answers_lost; /* that came in fragments */
    uint64_t lost_frames[4];              /* of the first that was lost */
    size_t lost_frame_count;
    struct sensor_past *past; /* what the last review saw; sensor.c */
};

/* Cumulative since the start of the run, except for the names. */
struct sensor_sums {
    int64_t first_ns, last_ns; /* packet time of the run so far */
    uint64_t frames;
    uint64_t queries, responses, paired, unasked, duplicates;
    uint64_t segments, segments_twice, streams, streams_lost;
    uint64_t dropped_kernel, dropped_interface, dropped_ring, not_analysed, damages;
    const uint64_t *duplicate_frames; /* both copies of the first message that came twice */
    size_t duplicate_count;
    /* name of an interface, or of its source; NULL unknown. Borrowed for the call. */
    const char *(*name)(void *context, uint16_t interface);
    void *context;
};

typedef void sensor_on_fact(void *context, const struct fact *);

bool sensor_init(struct sensor *); /* false: no memory */
void sensor_fini(struct sensor *);

/* The answer in fragments whose frames these are did not come whole. */
void sensor_answer_lost(struct sensor *, const uint64_t *frames, size_t count);

/* Out of line: for one packet in SENSOR_SAMPLE, and for odd ones. True if the frame is the first
 * example. */
bool sensor_check(struct sensor_counts *, struct sensor_examples *, const struct packet *,
                  enum sensor_direction, uint64_t frame);
bool sensor_odd(struct sensor_counts *, struct sensor_examples *, const struct packet *,
                enum sensor_direction, uint64_t frame);

/* A DNS packet whose layers are off, flow and transport are complete. True if the frame is an
 * example that may be cited. */
static inline bool sensor_packet(struct sensor *s, const struct packet *p, uint16_t interface,
                                 enum sensor_direction direction, uint64_t frame)
{
    unsigned place = interface < SENSOR_INTERFACES ? interface : SENSOR_INTERFACES - 1;
    struct sensor_counts *c = &s->counts[place];
    struct sensor_examples *e = &s->examples[place];
    size_t present = cursor_left(&p->c);
    size_t header = (size_t)(p->c.base + p->c.at - p->transport);
    uint64_t nth = c->packets[direction]++;
    bool example = false;
    s->packets++;
    c->tagged[direction] += p->flow.vlans > 0;
    if ((p->layers & PACKET_WRAPPED) || p->wire > present || p->wire + header + 20 > SENSOR_MTU)
        example = sensor_odd(c, e, p, direction, frame);
    if (nth < SENSOR_CHECK_ALL || nth % SENSOR_SAMPLE == 0)
        example |= sensor_check(c, e, p, direction, frame);
    return example;
}

/* Is there enough for a first word? One comparison, for every frame. */
static inline bool sensor_due(const struct sensor *s)
{
    return s->packets >= s->due;
}

/* Judges what has been counted since the last review and gives facts. `end`: nothing follows. At
 * most every interval and at the packets that sensor_due names. */
void sensor_review(struct sensor *, const struct sensor_sums *, bool end, sensor_on_fact *,
                   void *context);
/* Do gaps that never fill say that the tap loses frames? Until a later review says otherwise. */
bool sensor_lossy(const struct sensor *);

#endif
