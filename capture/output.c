/*
 * output: fills ring records. One copy of each frame, straight to its place in the ring.
 *
 * Contained in: capture.
 */
#include "capture/output.h"

#include "sandbox/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof((struct ring_interface){0}.name) ==
                       sizeof((struct frame_interface){0}.name) &&
                   sizeof((struct ring_interface){0}.description) ==
                       sizeof((struct frame_interface){0}.description) &&
                   sizeof((struct ring_interface){0}.filter) ==
                       sizeof((struct frame_interface){0}.filter),
               "texts are copied whole");

struct output_interface {
    struct ring_interface told;
    uint16_t linktype;
    uint64_t used_by; /* the last file, or section of one, that has this interface */
};

void output_init(struct output *o, bool live)
{
    *o = (struct output){.live = live};
    o->ring = ring_open_producer(!live);
    if (!o->ring)
        log_die("ring: %s", strerror(errno));
    o->faces = calloc(OUTPUT_INTERFACES_MAX, sizeof *o->faces);
    if (!o->faces)
        log_die("interfaces: %s", strerror(errno));
    o->progress = control_progress();
}

/* For what is not a frame. In live capture store may be late; such records are few, and without
 * them the frames make no sense, so they wait. control_poll ends the process if the supervisor has
 * gone meanwhile. */
static struct ring_record *reserve(struct output *o, enum ring_type type, size_t payload)
{
    struct ring_record *r;
    while (!(r = ring_reserve(o->ring, payload))) {
        if (!o->live)
            log_die("ring: a reader is gone");
        (void)control_poll();
        (void)poll(NULL, 0, 10);
    }
    r->type = (uint16_t)type;
    r->number = o->number;
    return r;
}

void output_source(struct output *o, uint16_t source)
{
    reserve(o, RING_SOURCE, 0)->source = source;
    ring_commit(o->ring);
}

/* An interface that was announced already and may stand for this one, or -1. Two interfaces of one
 * file stay two, however alike they are; a file of many sections is read as many files. */
static int known(const struct output *o, const struct output_interface *face)
{
    bool full = o->face_count == OUTPUT_INTERFACES_MAX;
    int alike = -1;
    for (uint32_t i = 0; i < o->face_count; i++) {
        const struct output_interface *had = &o->faces[i];
        if (had->linktype != face->linktype)
            continue;
        alike = (int)i;
        if (had->used_by != face->used_by && !memcmp(&had->told, &face->told, sizeof face->told))
            return (int)i;
    }
    return full ? alike : -1;
}

int output_interface(struct output *o, uint16_t source, const struct frame_interface *face)
{
    o->sections += face->is_first;
    struct output_interface new = {.linktype = face->linktype, .used_by = o->sections};
    new.told.snaplen = face->snaplen;
    new.told.tsresol = face->tsresol;
    new.told.speed = face->speed;
    memcpy(new.told.name, face->name, sizeof new.told.name);
    memcpy(new.told.description, face->description, sizeof new.told.description);
    memcpy(new.told.filter, face->filter, sizeof new.told.filter);
    int index = known(o, &new);
    if (index >= 0 || o->face_count == OUTPUT_INTERFACES_MAX) {
        if (index >= 0)
            o->faces[index].used_by = new.used_by;
        return index;
    }
    index = (int)o->face_count++;
    o->faces[index] = new;
    struct ring_record *r = reserve(o, RING_INTERFACE, sizeof new.told);
    r->source = source;
    r->interface = (uint16_t)index;
    r->linktype = new.linktype;
    memcpy(r + 1, &new.told, sizeof new.told);
    ring_commit(o->ring);
    return index;
}

static void give_number(struct output *o, const struct frame *f)
{
    if (f->number > o->number && f->number <= FRAME_NUMBER_MAX)
        o->number = f->number;
    else
        o->number++;
    o->loss.received++;
}

void output_refused(struct output *o, const struct frame *f)
{
    give_number(o, f);
    o->loss.filtered++;
}

void output_frame(struct output *o, uint16_t source, uint16_t interface, const struct frame *f)
{
    give_number(o, f);
    struct ring_record *r = ring_reserve(o->ring, f->caplen);
    if (__builtin_expect(!r, 0)) {
        if (!o->live)
            log_die("ring: a reader is gone");
        o->loss.dropped_ring++;
        return;
    }
    r->type = RING_FRAME;
    r->source = source;
    r->number = o->number;
    r->time_ns = f->time_ns;
    r->offset = f->offset;
    r->len = f->len;
    r->interface = interface;
    r->linktype = f->linktype;
    r->flags = f->flags;
    memcpy(r + 1, f->bytes, f->caplen);
    o->loss.bytes += f->caplen;
    ring_commit(o->ring);
}

void output_damage(struct output *o, uint16_t source, const struct frame_damage *d)
{
    size_t n = strnlen(d->text, sizeof d->text);
    struct ring_record *r = reserve(o, RING_DAMAGE, n);
    r->source = source;
    r->offset = d->offset;
    memcpy(r + 1, d->text, n);
    ring_commit(o->ring);
}

static void counters(struct output *o, struct ring_record *r, uint16_t interface, int64_t time_ns,
                     const struct ring_loss *loss)
{
    r->source = r->interface = interface;
    r->time_ns = time_ns;
    memcpy(r + 1, loss, sizeof *loss);
    ring_commit(o->ring);
}

void output_loss(struct output *o, uint16_t interface, int64_t time_ns,
                 const struct ring_loss *loss)
{
    struct ring_record *r = ring_reserve(o->ring, sizeof *loss);
    if (!r)
        return; /* store is late: the counters are cumulative, the next ones say it all */
    r->type = RING_LOSS;
    counters(o, r, interface, time_ns, loss);
}

void output_end(struct output *o, int64_t time_ns)
{
    counters(o, reserve(o, RING_END, sizeof o->loss), 0, time_ns, &o->loss);
    ring_publish(o->ring);
}
