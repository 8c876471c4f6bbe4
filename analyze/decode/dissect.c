/*
 * dissect: frames to DNS messages; see dissect.h.
 *
 * Contained in: analyze, tests. Must never: allocate for a datagram that came in one frame.
 */
#include "analyze/decode/dissect.h"

#include "analyze/decode/fragment.h"
#include "analyze/decode/packet.h"
#include "analyze/decode/tcp.h"

#include <stdlib.h>

#define PORT_ENCRYPTED 853 /* RFC 7858, RFC 9250 */
#define SWEEP_NS       INT64_C(1000000000)
/* Tunnels and reassemblies within each other: no network does more than a few. */
#define ROUNDS_MAX 8

struct dissect {
    struct dissect_counters counters;
    dissect_on_message *on_message;
    void *context;
    dissect_on_signal *on_signal;
    void *signal_context;
    struct fragments *fragments;
    struct streams *streams;
    struct sensor sensor;
    int64_t swept_ns;
    uint8_t ports[65536 / 8]; /* bit set: DNS */
};

static bool has_port(const struct dissect *d, uint16_t port)
{
    return d->ports[port / 8] >> port % 8 & 1;
}

static bool is_dns(const struct dissect *d, const struct flow *f)
{
    return has_port(d, f->dport) || has_port(d, f->sport);
}

static void count_other(struct dissect *d, const struct flow *f)
{
    if (f->dport == PORT_ENCRYPTED || f->sport == PORT_ENCRYPTED)
        d->counters.encrypted++;
    else
        d->counters.other++;
}

static void deliver(struct dissect *d, const struct packet *p, const struct origin *o,
                    const uint64_t *frames, size_t frame_count)
{
    struct datagram datagram = {.flow = p->flow,
                                .bytes = p->c.base + p->c.at,
                                .size = cursor_left(&p->c),
                                .wire_size = p->wire,
                                .time_ns = o->time_ns,
                                .frame = o->frame,
                                .frames = frames,
                                .frame_count = frame_count,
                                .source = o->source,
                                .interface = o->interface};
    if (datagram.size == 0) {
        d->counters.other++;
        return;
    }
    d->counters.messages++;
    d->on_message(d->context, &datagram);
}

/* A datagram was given up; its first fragment may still tell what it was. */
static void fragments_lost(void *context, struct packet *head, enum layer layer,
                           const struct origin *o)
{
    struct dissect *d = context;
    d->counters.fragments_lost++;
    if (packet_peel(head, layer) != LAYER_DATAGRAM || !is_dns(d, &head->flow))
        return;
    if (head->wire <= cursor_left(&head->c)) /* refused for what came later: still not whole */
        head->wire = cursor_left(&head->c) + 1;
    uint64_t frames[DATAGRAM_FRAMES_MAX];
    size_t count = fragments_frames(d->fragments, frames, DATAGRAM_FRAMES_MAX);
    if (has_port(d, head->flow.sport))
        sensor_answer_lost(&d->sensor, frames, count);
    deliver(d, head, o, frames, count);
}

struct dissect *dissect_new(const struct settings *s, dissect_on_message *on_message, void *context)
{
    struct dissect *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->on_message = on_message;
    d->context = context;
    d->fragments = fragments_new(s, fragments_lost, d);
    d->streams = streams_new(s, &d->counters, on_message, context);
    if (!d->fragments || !d->streams || !sensor_init(&d->sensor)) {
        dissect_free(d);
        return NULL;
    }
    for (unsigned i = 0; i < SETTINGS_PORTS && s->ports[i] != 0; i++)
        d->ports[s->ports[i] / 8] |= (uint8_t)(1u << s->ports[i] % 8);
    return d;
}

void dissect_signals(struct dissect *d, dissect_on_signal *on_signal, void *context)
{
    d->on_signal = on_signal;
    d->signal_context = context;
}

void dissect_free(struct dissect *d)
{
    if (!d)
        return;
    fragments_free(d->fragments);
    streams_free(d->streams);
    sensor_fini(&d->sensor);
    free(d);
}

static void sweep(struct dissect *d, int64_t now_ns)
{
    d->swept_ns = now_ns;
    fragments_expire(d->fragments, now_ns);
    streams_expire(d->streams, now_ns);
}

/* The sensor's share of a DNS packet. True if its frame may be cited as an example. */
static bool watch(struct dissect *d, const struct packet *p, const struct origin *o)
{
    bool answer = has_port(d, p->flow.sport);
    if (answer && (p->layers & PACKET_REASSEMBLED))
        d->sensor.answers_whole++;
    return sensor_packet(&d->sensor, p, o->interface,
                         answer ? SENSOR_FROM_SERVER : SENSOR_TO_SERVER, o->frame);
}

/* Where the layers ended: delivers, holds or counts. *layer becomes what comes next, if the packet
 * goes on. */
static bool settle(struct dissect *d, struct packet *p, enum layer *layer, const struct origin *o,
                   bool reassembled, bool *ret_needed)
{
    enum layer end = *layer;
    switch (end) {
    case LAYER_DATAGRAM:
        if (is_dns(d, &p->flow)) {
            *ret_needed |= watch(d, p, o);
            uint64_t frames[DATAGRAM_FRAMES_MAX];
            size_t count = 0;
            if (reassembled)
                count = fragments_frames(d->fragments, frames, DATAGRAM_FRAMES_MAX);
            deliver(d, p, o, reassembled ? frames : &o->frame, reassembled ? count : 1);
            return false;
        }
        *layer = tunnel_of_port(p->flow.dport);
        if (*layer != LAYER_OTHER)
            return true;
        count_other(d, &p->flow);
        return false;
    case LAYER_SEGMENT:
        if (is_dns(d, &p->flow)) {
            d->counters.segments += p->wire > 0;
            *ret_needed |= watch(d, p, o);
            *ret_needed |= streams_add(d->streams, p, o);
            if ((p->tcp.flags & (TCP_SYN | TCP_RST)) && d->on_signal)
                d->on_signal(d->signal_context, &p->flow, p->tcp.flags, o->time_ns, o->frame);
        } else {
            count_other(d, &p->flow);
        }
        return false;
    case LAYER_FRAGMENT:
        d->counters.fragments++;
        if (fragments_add(d->fragments, p, o, layer)) {
            p->layers |= PACKET_REASSEMBLED;
            return true;
        }
        *ret_needed |= fragments_held(d->fragments);
        return false;
    case LAYER_ICMP_ERROR:
        d->counters.icmp++;
        return false;
    case LAYER_NOT_IP:
        d->counters.not_ip++;
        return false;
    case LAYER_BROKEN:
        d->counters.undecodable++;
        return false;
    default:
        d->counters.other++;
        return false;
    }
}

bool dissect_frame(struct dissect *d, const struct ring_record *r)
{
    const struct origin o = {
        .frame = r->number, .time_ns = r->time_ns, .source = r->source, .interface = r->interface};
    struct packet p;
    bool needed = false;
    /* the next record lies behind this one; fetching its headers takes longer than reading this
     * one's (a prefetch past the end is harmless) */
    __builtin_prefetch((const uint8_t *)r + r->size);
    __builtin_prefetch((const uint8_t *)r + r->size + 64);
    d->counters.frames++;
    d->counters.bytes += r->caplen;
    d->counters.snapped += r->caplen < r->len;
    int64_t since = flow_elapsed(d->swept_ns, r->time_ns);
    if (since > SWEEP_NS || since < -SWEEP_NS)
        sweep(d, r->time_ns);
    packet_init(&p, ring_payload(r), r->caplen, r->len);
    enum layer layer = link_first(r->linktype);
    bool reassembled = false;
    unsigned rounds = 0;
    do {
        layer = rounds++ < ROUNDS_MAX ? packet_peel(&p, layer) : LAYER_BROKEN;
        reassembled |= layer == LAYER_FRAGMENT;
    } while (settle(d, &p, &layer, &o, reassembled, &needed));
    return needed;
}

void dissect_finish(struct dissect *d)
{
    fragments_expire(d->fragments, INT64_MAX);
    streams_expire(d->streams, INT64_MAX);
}

struct sensor *dissect_sensor(struct dissect *d)
{
    return &d->sensor;
}

const struct dissect_counters *dissect_counters(const struct dissect *d)
{
    return &d->counters;
}
