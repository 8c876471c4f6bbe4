/*
 * verify_capture: the pcapng files, frame by frame: numbers, times, order, counters.
 *
 * Contained in: verify, tests. Must never: look into a frame. What the bytes of a frame say is the
 * analyser's business; here they are only counted.
 */
#include "evidence/verify_hash.h"
#include "evidence/verify_story.h"
#include "sandbox/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames of two interfaces may overtake each other in the kernel by this much. */
#define SLACK_NS       INT64_C(100000000)
#define INTERFACES_MAX 4096

enum option_code {
    COMMENT = 1,
    IF_TSRESOL = 9,
    EPB_PACKETID = 5,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5,
    ISB_OSDROP = 7
};

/* Counters of an interface, cumulative over the run. */
struct counters {
    uint64_t received, dropped_interface, dropped_kernel, dropped_ring;
};

struct walk {
    struct verify_story *story;
    struct verify *v;
    bool *seen;                /* per cited frame */
    size_t cited;              /* the next cited frame: frames come in order */
    uint64_t last_frame;       /* number of the last frame, over all files */
    struct counters *counters; /* per interface of the run */
    size_t interface_count;
    struct counters sum; /* of the deltas that the log states */
    const struct verify_segment *before;
    uint64_t frames;

    /* the file being walked */
    const struct verify_segment *segment;
    char name[VERIFY_NAME_MAX + 1];
    size_t described, counted; /* IDBs and ISBs */
    uint64_t packets, first_packet, last_packet;
    int64_t first, last;
    bool broken;
};

#define FAULT(w, check, ...)                                                                       \
    do {                                                                                           \
        char fault_text[160];                                                                      \
        snprintf(fault_text, sizeof fault_text, __VA_ARGS__);                                      \
        verify_fault((w)->v, (check), "%s: %s", (w)->name, fault_text);                            \
    } while (0)

static void broken(struct walk *w, const char *what)
{
    FAULT(w, VERIFY_CAPTURE, "%s", what);
    w->broken = true;
}

struct option {
    uint16_t code, size;
    const uint8_t *bytes;
};

/* The next option; false at the end of options. A malformed list fails the cursor. */
static bool next_option(struct cursor *c, struct option *ret_option)
{
    if (cursor_left(c) == 0)
        return false;
    struct option o;
    o.code = cursor_u16le(c);
    o.size = cursor_u16le(c);
    o.bytes = cursor_bytes(c, o.size);
    cursor_skip(c, (4 - o.size % 4u) % 4u);
    if (!cursor_ok(c))
        return false;
    if (o.code == 0) {
        if (o.size != 0 || cursor_left(c) > 0)
            c->failed = true;
        return false;
    }
    *ret_option = o;
    return true;
}

/* The text behind "label" if the comment is one of ours. */
static bool labelled(const struct option *o, const char *label, struct verify_text *ret_value)
{
    size_t size = strlen(label);
    if (o->code != COMMENT || o->size < size || memcmp(o->bytes, label, size) != 0)
        return false;
    *ret_value = (struct verify_text){.at = (const char *)o->bytes + size, .size = o->size - size};
    return true;
}

static bool option_u64(const struct option *o, uint64_t *ret_value)
{
    struct cursor c = cursor_over(o->bytes, o->size);
    *ret_value = cursor_u64le(&c);
    return cursor_ok(&c) && cursor_left(&c) == 0;
}

static void on_section(struct walk *w, struct cursor *c)
{
    struct option o;
    struct verify_text value;
    char prev[HASH_HEX + 1] = LOG_PREV_NONE;
    unsigned good = 0;
    if (cursor_u32le(c) != PCAPNG_MAGIC || cursor_u16le(c) != 1 || cursor_u16le(c) != 0 ||
        cursor_u64(c) != UINT64_MAX)
        c->failed = true;
    if (w->before)
        verify_hex(w->before->sha256, HASH_BYTES, prev);
    struct verify_text origin = w->story->origin;
    while (next_option(c, &o)) {
        if (labelled(&o, PCAPNG_COMMENT_ORIGIN, &value))
            good += verify_text_same(value, origin) ? 1 : 100;
        else if (labelled(&o, PCAPNG_COMMENT_NAME, &value))
            good += verify_text_is(value, w->name) ? 1 : 100;
        else if (labelled(&o, PCAPNG_COMMENT_PREV, &value))
            good += verify_text_is(value, prev) ? 1 : 100;
        else if (labelled(&o, PCAPNG_COMMENT_NONCE, &value))
            good += value.size == 2 * PCAPNG_NONCE_BYTES ? 1 : 100;
    }
    if (good != 4)
        FAULT(w, VERIFY_CAPTURE, "its header is not for this log, name and predecessor");
}

static void on_interface(struct walk *w, struct cursor *c)
{
    struct option o;
    bool nanoseconds = false;
    cursor_skip(c, 8);
    while (next_option(c, &o))
        if (o.code == IF_TSRESOL)
            nanoseconds = o.size == 1 && o.bytes[0] == 9;
    if (!nanoseconds || w->counted > 0 || w->described >= INTERFACES_MAX) {
        broken(w, "an interface out of place, or not in nanoseconds");
        return;
    }
    w->described++;
    if (w->described <= w->interface_count)
        return;
    struct counters *more = realloc(w->counters, w->described * sizeof *more);
    if (!more) {
        broken(w, "out of memory");
        return;
    }
    w->counters = more;
    w->counters[w->interface_count++] = (struct counters){.received = 0};
}

/* Cited frames are sorted, and frames come in order: one step ahead is enough. */
static void mark_seen(struct walk *w, uint64_t frame)
{
    const struct verify_story *s = w->story;
    while (w->cited < s->cited_count && s->cited[w->cited] < frame)
        w->cited++;
    if (w->cited < s->cited_count && s->cited[w->cited] == frame)
        w->seen[w->cited] = true;
}

static void on_frame(struct walk *w, struct cursor *c)
{
    struct option o;
    uint64_t frame = 0;
    uint32_t interface = cursor_u32le(c);
    uint64_t high = cursor_u32le(c);
    int64_t when = (int64_t)(high << 32 | cursor_u32le(c));
    uint32_t caplen = cursor_u32le(c);
    cursor_skip(c, 4);
    cursor_skip(c, caplen);
    cursor_skip(c, (4 - caplen % 4) % 4);
    unsigned ids = 0;
    while (next_option(c, &o))
        if (o.code == EPB_PACKETID)
            ids += option_u64(&o, &frame) ? 1 : 100;
    if (!cursor_ok(c) || ids != 1 || interface >= w->described || w->counted > 0) {
        broken(w, "a frame without number or interface");
        return;
    }
    if (frame <= w->last_frame)
        FAULT(w, VERIFY_CAPTURE, "frame %" PRIu64 " comes after frame %" PRIu64, frame,
              w->last_frame);
    if (w->packets++ == 0) {
        w->first_packet = frame;
        w->first = w->last = when;
    }
    w->last_packet = w->last_frame = frame;
    w->first = when < w->first ? when : w->first;
    w->last = when > w->last ? when : w->last;
    mark_seen(w, frame);
}

/* Never less than before, for the interface. */
static void grow(struct walk *w, const char *name, uint64_t *counter, uint64_t value)
{
    if (value < *counter)
        FAULT(w, VERIFY_COUNTERS, "counter %s goes back from %" PRIu64 " to %" PRIu64, name,
              *counter, value);
    *counter = value;
}

static void on_statistics(struct walk *w, struct cursor *c)
{
    struct option o;
    uint64_t value;
    struct verify_text text;
    unsigned found = 0;
    uint32_t interface = cursor_u32le(c);
    cursor_skip(c, 8);
    if (interface != w->counted || interface >= w->described) {
        broken(w, "counters of an interface out of place");
        return;
    }
    struct counters *k = &w->counters[w->counted++];
    while (next_option(c, &o)) {
        if (labelled(&o, PCAPNG_COMMENT_RING, &text)) {
            struct scan s = scan_over(text);
            value = scan_number(&s);
            found += scan_done(&s) ? 1 : 100;
            grow(w, "dropped_ring", &k->dropped_ring, value);
        } else if ((o.code == ISB_IFRECV || o.code == ISB_IFDROP || o.code == ISB_OSDROP) &&
                   option_u64(&o, &value)) {
            found++;
            if (o.code == ISB_IFRECV)
                grow(w, "received", &k->received, value);
            else if (o.code == ISB_IFDROP)
                grow(w, "dropped_interface", &k->dropped_interface, value);
            else
                grow(w, "dropped_kernel", &k->dropped_kernel, value);
        }
    }
    if (found != 4)
        broken(w, "counters are missing");
}

static void walk_blocks(struct walk *w)
{
    struct cursor file = cursor_over(w->segment->member->bytes, w->segment->member->size);
    for (size_t blocks = 0; cursor_left(&file) > 0 && !w->broken; blocks++) {
        uint32_t type = cursor_u32le(&file);
        uint32_t total = cursor_u32le(&file);
        if (total < 12 || total % 4 != 0) {
            broken(w, "a block of impossible length");
            return;
        }
        const uint8_t *body = cursor_bytes(&file, total - 12);
        if (!body || cursor_u32le(&file) != total || !cursor_ok(&file)) {
            broken(w, "a block of impossible length");
            return;
        }
        struct cursor c = cursor_over(body, total - 12);
        if ((type == PCAPNG_SHB) != (blocks == 0)) {
            broken(w, "not exactly one section");
            return;
        }
        if (type == PCAPNG_SHB)
            on_section(w, &c);
        else if (type == PCAPNG_IDB)
            on_interface(w, &c);
        else if (type == PCAPNG_EPB)
            on_frame(w, &c);
        else if (type == PCAPNG_ISB)
            on_statistics(w, &c);
        else
            broken(w, "a block that the profile does not have");
        if (!cursor_ok(&c) && !w->broken)
            broken(w, "a malformed block");
    }
    if (!w->broken && w->counted != w->described)
        broken(w, "counters are missing at its end");
}

/* The record's word against the file. */
static void compare_record(struct walk *w)
{
    const struct verify_segment *g = w->segment;
    if (w->packets != g->packets || w->first_packet != g->first_packet ||
        w->last_packet != g->last_packet || w->first != g->first || w->last != g->last)
        FAULT(w, VERIFY_CAPTURE, "frames or times are not what the log says");
    struct counters total = {.received = 0};
    for (size_t i = 0; i < w->interface_count; i++) {
        total.received += w->counters[i].received;
        total.dropped_interface += w->counters[i].dropped_interface;
        total.dropped_kernel += w->counters[i].dropped_kernel;
        total.dropped_ring += w->counters[i].dropped_ring;
    }
    if (memcmp(&total, &w->sum, sizeof total) != 0)
        FAULT(w, VERIFY_COUNTERS, "counters are not the sums that the log says");
}

/* Number, name and place of a file among the files. */
static void check_order(struct walk *w)
{
    const struct verify_segment *g = w->segment, *before = w->before;
    char expected[64];
    if (g->is_extract)
        snprintf(expected, sizeof expected, "capture/" NAME_EXTRACT);
    else
        snprintf(expected, sizeof expected, "capture/" NAME_SEGMENT, (unsigned)g->number);
    if (!verify_text_is(g->file, expected) || (g->is_extract && g->number != 0))
        FAULT(w, VERIFY_CAPTURE, "name and number disagree");
    if (!before)
        return;
    if (g->is_extract || before->is_extract || g->number != before->number + 1)
        FAULT(w, VERIFY_CAPTURE, "does not follow the segment before it");
    if (g->packets == 0 || before->packets == 0)
        return;
    if (g->first_packet <= before->last_packet)
        FAULT(w, VERIFY_CAPTURE, "overlaps the segment before it");
    int64_t step = g->clock_steps - before->clock_steps;
    int64_t least;
    if (__builtin_add_overflow(before->last, (step < 0 ? step : 0) - SLACK_NS, &least) ||
        g->first < least)
        FAULT(w, VERIFY_CAPTURE, "begins before the segment before it ends");
}

static void add_delta(struct walk *w)
{
    const struct verify_segment *g = w->segment;
    bool over = __builtin_add_overflow(w->sum.received, g->received, &w->sum.received);
    over |= __builtin_add_overflow(w->sum.dropped_interface, g->dropped_interface,
                                   &w->sum.dropped_interface);
    over |=
        __builtin_add_overflow(w->sum.dropped_kernel, g->dropped_kernel, &w->sum.dropped_kernel);
    over |= __builtin_add_overflow(w->sum.dropped_ring, g->dropped_ring, &w->sum.dropped_ring);
    if (over)
        FAULT(w, VERIFY_COUNTERS, "impossible counters");
}

/* loss.jsonl: every counter of a line is at least that of the line before. */
static void check_loss(struct verify *v)
{
    static const char *const names[] = {"received",     "dropped_kernel", "dropped_interface",
                                        "dropped_ring", "filtered",       "bytes",
                                        "damaged"};
    enum { NAMES = sizeof names / sizeof *names };
    uint64_t before[NAMES] = {0};
    const struct verify_member *m = verify_find(v, BUNDLE_LOSS);
    struct verify_text rest = {.at = m ? (const char *)m->bytes : "", .size = m ? m->size : 0};
    struct verify_text line;
    int got;
    for (unsigned long number = 1; (got = verify_next_line(&rest, &line)) > 0; number++) {
        struct scan s = scan_over(line);
        scan_literal(&s, "{\"time\":\"");
        scan_time(&s);
        scan_literal(&s, "\",\"file\":");
        if (!scan_try(&s, "null"))
            scan_string(&s);
        for (size_t i = 0; i < NAMES; i++) {
            char key[40];
            snprintf(key, sizeof key, ",\"%s\":", names[i]);
            scan_literal(&s, key);
            uint64_t value = scan_number(&s);
            if (!s.failed && value < before[i])
                verify_fault(v, VERIFY_COUNTERS, "%s: line %lu: %s goes back", BUNDLE_LOSS, number,
                             names[i]);
            before[i] = value;
        }
        scan_literal(&s, "}");
        if (!scan_done(&s)) {
            verify_fault(v, VERIFY_COUNTERS, "%s: line %lu is malformed", BUNDLE_LOSS, number);
            return;
        }
    }
    if (got < 0)
        verify_fault(v, VERIFY_COUNTERS, "%s: a torn line", BUNDLE_LOSS);
}

static void walk_segment(struct walk *w, const struct verify_segment *g)
{
    struct verify_shown shown;
    verify_escape(g->file.at, g->file.size, &shown);
    const char *slash = strrchr(shown.text, '/');
    snprintf(w->name, sizeof w->name, "%.*s", VERIFY_NAME_MAX, slash ? slash + 1 : shown.text);
    w->segment = g;
    w->described = w->counted = 0;
    w->packets = w->first_packet = w->last_packet = 0;
    w->first = w->last = 0;
    w->broken = false;
    add_delta(w);
    check_order(w);
    if (g->member) {
        walk_blocks(w);
        if (!w->broken)
            compare_record(w);
        w->frames += w->packets;
    } else if (!g->removed) {
        FAULT(w, VERIFY_CAPTURE, "is logged and not here");
    }
    w->before = g;
}

void verify_capture_walk(struct verify_story *s, bool *seen)
{
    struct verify *v = s->v;
    struct walk w = {.story = s, .v = v, .seen = seen};
    for (size_t i = 0; i < s->segment_count && !verify_must_stop(v); i++)
        walk_segment(&w, &s->segments[i]);
    check_loss(v);
    free(w.counters);
    if (s->segment_count == 0 && s->is_closed)
        verify_doubt(v, VERIFY_CAPTURE, "no frames are enclosed");
    verify_passed(v, VERIFY_CAPTURE, "%" PRIu64 " frame%s in %zu file%s, as logged", w.frames,
                  verify_s(w.frames), s->segment_count, verify_s(s->segment_count));
    verify_passed(v, VERIFY_COUNTERS, "%" PRIu64 " received, %" PRIu64 " dropped", w.sum.received,
                  w.sum.dropped_kernel + w.sum.dropped_interface + w.sum.dropped_ring);
}
