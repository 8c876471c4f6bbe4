/*
 * replay: capture files, one after the other, into the ring.
 *
 * Contained in: capture. Must never: end the process on what a file says, or skip a file because
 * the one before it was damaged.
 */
#include "capture/replay.h"

#include "capture/source.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Interfaces of one source whose index over the run is remembered; more are those of a hostile
 * file, and its frames are then those of the last one. */
#define INDEX_MAX ((uint32_t)65536)

struct entry {
    uint16_t source; /* its place in the list of sources, and FD_SOURCES + it */
    bool by_time, timed;
    int64_t first_ns; /* if `timed` */
    const char *name;
    struct input_source told;
};

struct replay {
    struct entry *entries;
    size_t count;
    const struct filter *filter;
    int32_t *index; /* of the source's interfaces, over the run; -1 refused */
    uint32_t index_count;
    struct output *out;
    const struct source *reading;
    uint64_t bytes_before; /* of the sources before this one, as stored */
    int64_t last_ns;       /* of the last frame */
    bool stopped;
    uint64_t damages, captures;
    char *text; /* of the first damage */
    size_t room;
};

struct replay *replay_new(const struct inputs *inputs, const struct filter *filter)
{
    struct replay *r = calloc(1, sizeof *r);
    struct input in;
    size_t at = 0;
    while (r && inputs_next(inputs, INPUT_SOURCE, &at, &in) == 1) {
        struct entry *more = reallocarray(r->entries, r->count + 1, sizeof *more);
        if (!more || r->count > UINT16_MAX)
            log_die("sources: too many");
        struct entry *e = &more[r->count];
        *e = (struct entry){.source = (uint16_t)r->count, .name = in.name};
        memcpy(&e->told, in.bytes, in.size < sizeof e->told ? in.size : sizeof e->told);
        e->by_time = (e->told.flags & SOURCE_BY_TIME) && !(e->told.flags & SOURCE_STREAM);
        r->entries = more;
        r->count++;
    }
    if (r)
        r->index = calloc(INDEX_MAX, sizeof *r->index);
    if (!r || !r->index)
        log_die("sources: %s", strerror(errno));
    at = 0;
    if (!r->count && inputs_next(inputs, INPUT_ACCEPT, &at, &in) != 1) /* a run without frames */
        log_die("sources: none");
    r->filter = filter;
    return r;
}

static int descriptor(const struct entry *e)
{
    return e->told.flags & SOURCE_STREAM ? FD_FORWARD : FD_SOURCES + e->source;
}

/* Before each read: progress; and if it would block, what is done becomes visible first. False when
 * the supervisor said stop. */
static bool may_read(void *context, int fd)
{
    struct replay *r = context;
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = FD_CONTROL, .events = POLLIN}};
    struct progress *shown = r->out->progress;
    if (r->reading)
        shown->bytes_done = r->bytes_before + source_stored(r->reading);
    shown->frames = r->out->loss.received;
    int timeout = 0;
    for (;;) {
        int n = poll(p, 2, timeout);
        if (n < 0 && errno != EINTR)
            log_die("poll: %s", strerror(errno));
        if (n > 0 && p[1].revents && control_poll() == CONTROL_STOP)
            r->stopped = true;
        if (r->stopped)
            return false;
        if (n > 0 && p[0].revents)
            return true;
        ring_publish(r->out->ring);
        timeout = -1;
    }
}

/* By the first packet's time; what has none comes last, in the order of the list. */
static int earlier(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->timed != y->timed)
        return x->timed ? -1 : 1;
    if (x->timed && x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return x->source < y->source ? -1 : 1;
}

/* Sorts the sources that came from folders, in the places where they stand. */
static void order(struct replay *r)
{
    struct entry *sorted = calloc(r->count, sizeof *sorted);
    size_t n = 0;
    if (!sorted)
        log_die("sources: %s", strerror(errno));
    for (size_t i = 0; i < r->count; i++) {
        struct entry *e = &r->entries[i];
        if (!e->by_time)
            continue;
        e->timed = source_first_time(descriptor(e), &e->first_ns) == 0;
        sorted[n++] = *e;
    }
    if (n)
        qsort(sorted, n, sizeof *sorted, earlier);
    n = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->entries[i].by_time)
            r->entries[i] = sorted[n++];
    free(sorted);
}

static void damage(struct replay *r, const struct entry *e, const struct frame_damage *d)
{
    char name[96];
    output_damage(r->out, e->source, d);
    if (r->damages++ == 0)
        snprintf(r->text, r->room, "%s: at byte %" PRIu64 ": %s",
                 log_escape(e->name, strlen(e->name), name, sizeof name), d->offset, d->text);
}

static void interface(struct replay *r, const struct entry *e, const struct frame_item *item)
{
    if (item->interface.index >= INDEX_MAX)
        return;
    int index = output_interface(r->out, e->source, &item->interface);
    r->index[item->interface.index] = index;
    r->index_count = item->interface.index + 1;
}

static void frame(struct replay *r, const struct entry *e, const struct frame *f)
{
    uint32_t local = f->interface < r->index_count ? f->interface : r->index_count - 1;
    int32_t index = r->index[local];
    r->last_ns = f->time_ns;
    if (index < 0 ||
        (r->filter && !filter_pass(r->filter, f->linktype, f->bytes, f->caplen, f->len)))
        output_refused(r->out, f);
    else
        output_frame(r->out, e->source, (uint16_t)index, f);
}

/* What was odd about a file, for the operator: a line each, only when there is something. */
static void tell_oddities(const struct entry *e, const struct frame_tally *t)
{
    char name[96];
    log_escape(e->name, strlen(e->name), name, sizeof name);
#define X(field, text)                                                                             \
    if (&t->field != &t->frames && &t->field != &t->skipped && t->field)                           \
        log_line(LOG_NOTE, "%s: %" PRIu64 " %s", name, t->field, text);
    FRAME_TALLIES(X)
#undef X
}

/* A folder may hold other files beside its captures; a file that was named may not be one of them.
 */
static void skip(const struct entry *e, const struct frame_damage *d)
{
    char name[96];
    log_line(LOG_NOTE, "%s: skipped, %s", log_escape(e->name, strlen(e->name), name, sizeof name),
             d->text);
}

static void read_source(struct replay *r, const struct entry *e)
{
    struct source *s = source_open(descriptor(e), may_read, r);
    struct frame_item item;
    if (!s)
        log_die("source: %s", strerror(errno));
    r->reading = s;
    r->index_count = 0;
    output_source(r->out, e->source);
    for (;;) {
        enum frame_event event = source_next(s, &item);
        if (__builtin_expect(event == FRAME_GIVEN, 1))
            frame(r, e, &item.frame);
        else if (event == FRAME_INTERFACE)
            interface(r, e, &item);
        else if (event == FRAME_END)
            break;
        else if (e->by_time && !source_recognised(s))
            skip(e, &item.damage);
        else
            damage(r, e, &item.damage);
    }
    r->captures += source_recognised(s);
    const struct frame_tally *tally = source_tally(s);
    r->out->loss.dropped_kernel += tally->dropped_kernel;
    r->out->loss.dropped_interface += tally->dropped_interface;
    tell_oddities(e, tally);
    r->bytes_before += source_stored(s);
    r->reading = NULL;
    source_free(s);
}

uint64_t replay_run(struct replay *r, struct output *out, char *ret_text, size_t room)
{
    r->out = out;
    r->text = ret_text;
    r->room = room;
    ret_text[0] = '\0';
    bool known = true;
    for (size_t i = 0; i < r->count; i++) {
        out->progress->bytes_total += r->entries[i].told.size;
        known &= r->entries[i].told.size != 0 || !(r->entries[i].told.flags & SOURCE_STREAM);
    }
    if (!known)
        out->progress->bytes_total = 0;
    order(r);
    for (size_t i = 0; i < r->count && !r->stopped; i++)
        read_source(r, &r->entries[i]);
    if (r->count > 0 && r->captures == 0 && r->damages++ == 0)
        snprintf(r->text, r->room, "no capture among the files");
    out->progress->bytes_done = r->bytes_before;
    out->progress->frames = out->loss.received;
    output_end(out, r->last_ns);
    return r->damages;
}
