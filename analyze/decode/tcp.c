/*
 * tcp: DNS messages out of TCP streams; see tcp.h.
 *
 * Contained in: analyze, tests. Must never: wait for ever, or take what a retransmission says over
 * what came first.
 */
#include "analyze/decode/tcp.h"

#include "analyze/decode/resync.h"
#include "analyze/decode/table.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 12
#define GAP_NS       (10 * INT64_C(1000000000))  /* longer than several retransmissions */
#define IDLE_NS      (120 * INT64_C(1000000000)) /* RFC 7766 6.2.3: servers close long before */
/* Farther behind than any retransmission: the numbers belong to another connection. */
#define BEHIND_MAX   (INT32_C(1) << 24)
#define MEMORY_SHARE 8 /* of memory-bytes */

struct stream {
    struct flow flow; /* key */
    uint32_t base;    /* sequence number of the window's first byte */
    uint32_t isn;
    bool isn_known;
    bool synced; /* the window starts at a message's length */
    bool gap;    /* bytes are missing before others, at gap_at since gap_ns */
    uint32_t gap_at;
    int64_t gap_ns, last_ns;
    uint16_t source, interface;
    struct gather gather;
    size_t held; /* by it, as counted in streams.held */
};

struct streams {
    struct table *table;
    size_t window, held, held_max, gaps;
    struct dissect_counters *counters;
    dissect_on_message *on_message;
    void *context;
};

/* A message of `wire` bytes of which `size` are there, in the window at [from, …) or, if the window
 * is empty, in the segment of `o`. */
static void deliver(struct streams *ss, const struct stream *s, const uint8_t *bytes, size_t size,
                    size_t wire, size_t from, const struct origin *o)
{
    uint64_t frames[DATAGRAM_FRAMES_MAX] = {0};
    struct origin last = {.frame = 0};
    size_t count = 1;
    if (s->gather.piece_count > 0) {
        count =
            gather_frames(&s->gather, from, from + 2 + size, frames, DATAGRAM_FRAMES_MAX, &last);
    } else {
        frames[0] = o->frame;
        last = *o;
    }
    struct datagram d = {.flow = s->flow,
                         .bytes = bytes,
                         .size = size,
                         .wire_size = wire,
                         .time_ns = last.time_ns,
                         .frame = last.frame,
                         .frames = frames,
                         .frame_count = count,
                         .source = s->source,
                         .interface = s->interface};
    ss->counters->messages++;
    ss->on_message(ss->context, &d);
}

/* Delivers the whole messages in `size` bytes that follow without a gap; how many are used up. */
static size_t consume(struct streams *ss, struct stream *s, const uint8_t *bytes, size_t size,
                      const struct origin *o)
{
    size_t at = 0;
    for (;;) {
        if (!s->synced) {
            size_t skip;
            s->synced = resync_find(bytes + at, size - at, &skip);
            at += skip;
            if (!s->synced)
                return at;
        }
        if (size - at < 2)
            return at;
        size_t length = packet_be16(bytes + at);
        if (size - at - 2 < length)
            return at;
        if (length >= HEADER_BYTES)
            deliver(ss, s, bytes + at + 2, length, length, at, o);
        at += 2 + length;
    }
}

static void advance(struct stream *s, size_t n)
{
    gather_drop(&s->gather, n);
    s->base += (uint32_t)n;
}

static void consume_held(struct streams *ss, struct stream *s)
{
    size_t whole = gather_whole(&s->gather);
    if (whole > 0)
        advance(s, consume(ss, s, gather_bytes(&s->gather), whole, NULL));
}

/* Gives up what is missing first: the message it belongs to is delivered cut, and the stream goes
 * on behind it. False when nothing is held any more. */
static bool skip_gap(struct streams *ss, struct stream *s)
{
    size_t whole = gather_whole(&s->gather);
    if (s->gather.piece_count == 0)
        return false;
    if (s->synced && whole >= 2) {
        const uint8_t *bytes = gather_bytes(&s->gather);
        size_t length = packet_be16(bytes);
        if (whole >= 2 + HEADER_BYTES)
            deliver(ss, s, bytes + 2, whole - 2, length, 0, NULL);
        advance(s, 2 + length); /* the next message starts there, gap or not */
    } else if (whole > 0) {
        advance(s, whole);
        s->synced = false;
    }
    if (s->gather.piece_count > 0 && gather_whole(&s->gather) == 0) {
        advance(s, gather_next(&s->gather, 0));
        s->synced = false;
    }
    ss->counters->streams_lost++;
    consume_held(ss, s);
    return s->gather.piece_count > 0;
}

static void note_gap(struct streams *ss, struct stream *s, int64_t now)
{
    const struct gather *g = &s->gather;
    size_t whole = gather_whole(g);
    bool gap = g->piece_count > 0 && g->pieces[g->piece_count - 1].to > whole;
    uint32_t at = s->base + (uint32_t)whole;
    if (gap && (!s->gap || s->gap_at != at)) {
        s->gap_at = at;
        s->gap_ns = now;
    }
    ss->gaps = ss->gaps + gap - s->gap;
    s->gap = gap;
}

/* After any change to a stream's bytes: what the tables as a whole hold and wait for. */
static void settle(struct streams *ss, struct stream *s, int64_t now)
{
    size_t held = gather_held(&s->gather);
    ss->held += held - s->held;
    s->held = held;
    note_gap(ss, s, now);
}

/* The stream ends, or must go: what is there is delivered. */
static void flush(struct streams *ss, struct stream *s)
{
    while (skip_gap(ss, s)) {
    }
    settle(ss, s, s->last_ns);
}

static void give_way(void *context, void *entry)
{
    flush(context, entry);
}

struct streams *streams_new(const struct settings *settings, struct dissect_counters *counters,
                            dissect_on_message *on_message, void *context)
{
    struct streams *ss = calloc(1, sizeof(*ss));
    if (!ss)
        return NULL;
    ss->table =
        table_new(settings->streams, sizeof(struct stream), sizeof(struct flow), give_way, ss);
    if (!ss->table) {
        free(ss);
        return NULL;
    }
    ss->window = settings->stream_bytes;
    ss->held_max = settings->memory_bytes / MEMORY_SHARE;
    ss->counters = counters;
    ss->on_message = on_message;
    ss->context = context;
    return ss;
}

void streams_free(struct streams *ss)
{
    if (!ss)
        return;
    struct stream *s;
    while ((s = table_oldest(ss->table))) {
        gather_fini(&s->gather);
        table_remove(ss->table, s);
    }
    table_free(ss->table);
    free(ss);
}

static void restart(struct stream *s, uint32_t base, bool synced)
{
    s->base = base;
    s->synced = synced;
    s->isn_known = false;
}

/* The stream of this segment, or NULL when there is nothing to follow. */
static struct stream *find(struct streams *ss, const struct packet *p, uint32_t seq,
                           const struct origin *o)
{
    struct stream *s = table_find(ss->table, &p->flow);
    bool syn = (p->tcp.flags & TCP_SYN) != 0;
    if (!s && !syn && p->wire == 0)
        return NULL;
    if (!s) {
        s = table_insert(ss->table, &p->flow);
        gather_init(&s->gather);
        s->gap = false;
        s->held = 0;
        s->last_ns = o->time_ns;
        s->source = o->source;
        s->interface = o->interface;
        restart(s, seq, false);
        ss->counters->streams++;
    } else {
        table_touch(ss->table, s);
    }
    if (syn && (!s->isn_known || s->isn != p->tcp.seq)) { /* a new connection */
        flush(ss, s);
        restart(s, seq, true);
        s->isn_known = true;
        s->isn = p->tcp.seq;
    }
    return s;
}

/* Makes room in the window for [*offset, *offset + size), where *offset counts from its base. */
static void move_window(struct streams *ss, struct stream *s, uint32_t seq, int32_t *offset,
                        size_t size)
{
    while (*offset > 0 && (size_t)*offset + size > ss->window && skip_gap(ss, s))
        *offset = (int32_t)(seq - s->base);
    if (*offset < -BEHIND_MAX || (*offset > 0 && (size_t)*offset + size > ss->window)) {
        flush(ss, s);
        restart(s, seq, false);
        ss->counters->streams_lost++;
    }
    *offset = (int32_t)(seq - s->base);
}

/* Takes the bytes of a segment at sequence number `seq`. True if all had been there before. */
static bool take(struct streams *ss, struct stream *s, uint32_t seq, const uint8_t *bytes,
                 size_t size, bool snapped, const struct origin *o)
{
    int32_t offset = (int32_t)(seq - s->base);
    if (offset < -BEHIND_MAX || (offset > 0 && (size_t)offset + size > ss->window))
        move_window(ss, s, seq, &offset, size);
    if (offset < 0) { /* seen before, at least in part */
        size_t seen = (size_t) - (int64_t)offset;
        if (seen >= size)
            return true;
        bytes += seen;
        size -= seen;
        offset = 0;
    }
    if (offset == 0 && s->gather.piece_count == 0) {
        size_t used = consume(ss, s, bytes, size, o);
        s->base += (uint32_t)used;
        bytes += used;
        size -= used;
    }
    if (size > ss->window) /* only a segment of impossible size gets here */
        size = ss->window;
    enum gather_result result =
        gather_add(&s->gather, (size_t)offset, bytes, size, o, GATHER_FIRST);
    consume_held(ss, s);
    if (snapped && s->synced && gather_whole(&s->gather) >= 2)
        skip_gap(ss, s); /* what the capture left out will not come */
    return size > 0 && result == GATHER_REPEATED;
}

bool streams_add(struct streams *ss, const struct packet *p, const struct origin *o)
{
    uint32_t seq = p->tcp.seq + ((p->tcp.flags & TCP_SYN) != 0);
    struct stream *s = find(ss, p, seq, o);
    if (!s)
        return false;
    bool soon = flow_twice(s->last_ns, o->time_ns);
    s->last_ns = o->time_ns;
    size_t size = cursor_left(&p->c);
    if (size > 0 && take(ss, s, seq, p->c.base + p->c.at, size, p->wire > size, o))
        ss->counters->segments_twice += soon;
    settle(ss, s, o->time_ns);
    if (p->tcp.flags & TCP_RST)
        flush(ss, s);
    bool needed = gather_cites(&s->gather, o->frame);
    while (ss->held > ss->held_max) {
        struct stream *oldest = table_oldest(ss->table);
        flush(ss, oldest);
        table_remove(ss->table, oldest);
        needed = needed && oldest != s;
    }
    return needed;
}

static void expire_gaps(struct streams *ss, int64_t now_ns)
{
    for (struct stream *s = table_oldest(ss->table); s && ss->gaps > 0;
         s = table_newer(ss->table, s))
        if (s->gap && flow_elapsed(s->gap_ns, now_ns) > GAP_NS) {
            skip_gap(ss, s);
            settle(ss, s, now_ns);
        }
}

void streams_expire(struct streams *ss, int64_t now_ns)
{
    struct stream *s;
    while ((s = table_oldest(ss->table)) &&
           (now_ns == INT64_MAX || flow_elapsed(s->last_ns, now_ns) > IDLE_NS)) {
        flush(ss, s);
        table_remove(ss->table, s);
    }
    expire_gaps(ss, now_ns);
}
