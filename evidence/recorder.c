/*
 * recorder: what the ring brings is kept or counted. Contained in: store. Must never look inside a
 * frame, or lose one without a count.
 */
#include "evidence/recorder.h"

#include "evidence/file.h"
#include "evidence/segment.h"
#include "evidence/spool.h"
#include "evidence/text.h"
#include "sandbox/channel.h"
#include "sandbox/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Segments whose frames an event can still be about: an event follows its frame within
 * query-seconds, a segment lasts a second at least. */
#define RANGES 1024u

struct range {
    uint64_t first, last; /* frame numbers */
    uint32_t number;      /* of the segment; 0 unused */
};

struct wanted {
    uint64_t number, with; /* with: what goes where it goes, 0 none */
};

struct recorder {
    struct recorder_options o;
    struct segment_interfaces interfaces;
    struct segment *segment;
    uint32_t number; /* of the segment that is open or was last */
    int64_t opened_ns;
    char name[32];
    uint8_t previous[HASH_BYTES];
    struct ring_loss told; /* sums at the last segment record */
    struct range ranges[RANGES];
    struct spool *spool;
    struct wanted *wanted; /* in ascending order of number */
    size_t wanted_first, wanted_end, wanted_room;
    uint64_t last_frame, frames, late, unheld;
    int64_t last_ns, least_ns, greatest_ns;
    struct ring_loss total;
    uint64_t damaged, unwritten; /* unwritten: frames */
    const char *unwritten_why;
    bool ended;
    struct json line;
};

static int64_t monotonic_ns(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        log_die("recorder: clock: %m");
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct recorder *recorder_new(const struct recorder_options *o)
{
    struct recorder *r = calloc(1, sizeof *r);
    if (!r)
        log_die("recorder: out of memory");
    r->o = *o;
    if (!o->settings->live) {
        int error = spool_new(o->dir, o->settings->hold_bytes, &r->spool);
        if (error != 0)
            log_die("recorder: cannot hold frames: %s", strerror(-error));
    }
    return r;
}

void recorder_free(struct recorder *r)
{
    if (!r)
        return;
    segment_discard(r->segment);
    spool_free(r->spool);
    free(r->wanted);
    free(r->interfaces.list);
    json_fini(&r->line);
    free(r);
}

/* --- counters ------------------------------------------------------------------------------------
 */

/* Sums over the interfaces: what the ISBs of a segment that closes now add up to. */
static struct ring_loss sums(const struct recorder *r)
{
    struct ring_loss sum = {0};
    for (uint32_t i = 0; i < r->interfaces.count; i++) {
        const struct ring_loss *l = &r->interfaces.list[i].loss;
        sum.received += l->received;
        sum.dropped_kernel += l->dropped_kernel;
        sum.dropped_interface += l->dropped_interface;
        sum.dropped_ring += l->dropped_ring;
        sum.bytes += l->bytes;
        sum.filtered += l->filtered;
    }
    return sum;
}

/* One line of loss.jsonl; `name` NULL for the end of the run. */
static void write_loss(struct recorder *r, const char *name, const struct ring_loss *l)
{
    struct json *j = &r->line;
    struct timespec now;
    char file[64];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    json_clear(j);
    json_object(j, NULL);
    json_time(j, "time", (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    if (name) {
        (void)snprintf(file, sizeof file, "capture/%s", name);
        json_string(j, "file", file);
    } else {
        json_null(j, "file");
    }
    json_number(j, "received", l->received);
    json_number(j, "dropped_kernel", l->dropped_kernel);
    json_number(j, "dropped_interface", l->dropped_interface);
    json_number(j, "dropped_ring", l->dropped_ring);
    json_number(j, "filtered", l->filtered);
    json_number(j, "bytes", l->bytes);
    json_number(j, "damaged", r->damaged);
    json_close(j, '}');
    json_raw(j, "\n", 1);
    file_write(r->o.loss, j->text, j->used);
}

/* --- records -------------------------------------------------------------------------------------
 */

static void number_or_null(struct json *j, const char *key, bool known, uint64_t value)
{
    if (known)
        json_number(j, key, value);
    else
        json_null(j, key);
}

static void time_or_null(struct json *j, const char *key, bool known, int64_t time_ns)
{
    if (known)
        json_time(j, key, time_ns);
    else
        json_null(j, key);
}

struct gap {
    const char *reason;
    bool has_place, has_times, has_lost;
    uint64_t source, offset, lost;
    int64_t from_ns, to_ns;
    const void *text;
    size_t text_size;
};

static void record_gap(struct recorder *r, const struct gap *g)
{
    struct json *j = ledger_begin(r->o.ledger, "gap");
    json_string(j, "reason", g->reason);
    number_or_null(j, "source", g->has_place, g->source);
    number_or_null(j, "offset", g->has_place, g->offset);
    time_or_null(j, "from", g->has_times, g->from_ns);
    time_or_null(j, "to", g->has_times, g->to_ns);
    number_or_null(j, "lost", g->has_lost, g->lost);
    json_text(j, "text", g->text, g->text_size);
    ledger_commit(r->o.ledger);
}

/* Returns the record's seq. */
static uint64_t record_segment(struct recorder *r, const struct segment_summary *s,
                               const char *kind, uint32_t number)
{
    struct ring_loss now = sums(r);
    char file[64];
    bool any = s->packets > 0;
    struct json *j = ledger_begin(r->o.ledger, "segment");
    (void)snprintf(file, sizeof file, "capture/%s", r->name);
    json_string(j, "file", file);
    json_string(j, "kind", kind);
    json_number(j, "number", number);
    json_number(j, "size", s->size);
    json_hex(j, "sha256", s->sha256, HASH_BYTES);
    time_or_null(j, "first", any, s->first_ns);
    time_or_null(j, "last", any, s->last_ns);
    json_number(j, "packets", s->packets);
    number_or_null(j, "first_packet", any, s->first_packet);
    number_or_null(j, "last_packet", any, s->last_packet);
    json_number(j, "received", now.received - r->told.received);
    json_number(j, "dropped_kernel", now.dropped_kernel - r->told.dropped_kernel);
    json_number(j, "dropped_interface", now.dropped_interface - r->told.dropped_interface);
    json_number(j, "dropped_ring", now.dropped_ring - r->told.dropped_ring);
    json_null(j, "tree");
    ledger_commit(r->o.ledger);
    uint64_t seq = ledger_size(r->o.ledger) - 1;
    r->told = now;
    memcpy(r->previous, s->sha256, HASH_BYTES);
    write_loss(r, r->name, &now);
    ledger_checkpoint(r->o.ledger);
    return seq;
}

/* --- segments ------------------------------------------------------------------------------------
 */

static int open_segment(struct recorder *r)
{
    struct segment_origin origin = {.origin = ledger_origin(r->o.ledger),
                                    .name = r->name,
                                    .hardware = r->o.hardware,
                                    .os = r->o.os};
    memcpy(origin.previous, r->previous, HASH_BYTES);
    if (getrandom(origin.nonce, sizeof origin.nonce, 0) != (ssize_t)sizeof origin.nonce)
        log_die("recorder: no randomness: %m");
    return segment_open(r->o.segments, &origin, &r->interfaces, &r->segment);
}

/* The storage refused: counted, logged, and the next file is tried with the next frame. */
static void storage_gap(struct recorder *r, const struct segment_summary *s, int error)
{
    const char *text = strerror(-error);
    log_line(LOG_ERROR, "recorder: %s: %s", r->name, text);
    r->unwritten += s->packets;
    r->unwritten_why = strerrordesc_np(-error);
    record_gap(r, &(struct gap){.reason = "storage",
                                .has_times = s->packets > 0,
                                .from_ns = s->first_ns,
                                .to_ns = s->last_ns,
                                .has_lost = true,
                                .lost = s->packets,
                                .text = text,
                                .text_size = strlen(text)});
}

static void close_segment(struct recorder *r)
{
    struct segment_summary so_far = *segment_so_far(r->segment), summary;
    int error = segment_close(r->segment, &summary);
    r->segment = NULL;
    if (error != 0) {
        storage_gap(r, &so_far, error);
        return;
    }
    r->ranges[r->number % RANGES] = (struct range){
        .first = summary.first_packet, .last = summary.last_packet, .number = r->number};
    uint64_t seq = record_segment(r, &summary, "segment", r->number);
    if (r->o.sealed)
        r->o.sealed(r->o.context, r->name, seq, summary.last_ns);
}

static bool is_due(const struct recorder *r)
{
    const struct settings *s = r->o.settings;
    return segment_size(r->segment) >= s->segment_bytes ||
           monotonic_ns() - r->opened_ns >= (int64_t)s->segment_seconds * 1000000000;
}

void recorder_rotate(struct recorder *r, bool now)
{
    if (r->segment && (now || is_due(r)))
        close_segment(r);
}

int recorder_due_ms(const struct recorder *r)
{
    if (!r->segment)
        return -1;
    int64_t left =
        r->opened_ns + (int64_t)r->o.settings->segment_seconds * 1000000000 - monotonic_ns();
    return left <= 0 ? 0 : (int)(left / 1000000) + 1;
}

static void keep_live(struct recorder *r, const struct ring_record *f)
{
    if (r->segment && segment_size(r->segment) >= r->o.settings->segment_bytes)
        close_segment(r);
    if (!r->segment) {
        (void)snprintf(r->name, sizeof r->name, NAME_SEGMENT, ++r->number);
        r->opened_ns = monotonic_ns();
        int error = open_segment(r);
        if (error != 0) {
            struct segment_summary one = {
                .packets = 1, .first_ns = f->time_ns, .last_ns = f->time_ns};
            storage_gap(r, &one, error);
            return;
        }
    }
    segment_frame(r->segment, f, ring_payload(f));
}

bool recorder_locate(const struct recorder *r, uint64_t frame, char *ret_name, size_t room)
{
    uint32_t number = 0;
    if (frame == 0)
        return false;
    if (r->segment) {
        const struct segment_summary *s = segment_so_far(r->segment);
        if (s->packets > 0 && frame >= s->first_packet && frame <= s->last_packet)
            number = r->number;
    }
    /* Newest first: an event is nearly always about a frame just seen. */
    for (uint32_t back = 0; number == 0 && back < RANGES && back < r->number; back++) {
        const struct range *g = &r->ranges[(r->number - back) % RANGES];
        if (g->number != 0 && frame >= g->first && frame <= g->last)
            number = g->number;
        else if (g->number != 0 && g->last < frame)
            break;
    }
    if (number == 0)
        return false;
    (void)snprintf(ret_name, room, NAME_SEGMENT, number);
    return true;
}

uint64_t recorder_unwritten(const struct recorder *r, const char **ret_why)
{
    *ret_why = r->unwritten_why ? r->unwritten_why : "";
    return r->unwritten;
}

/* --- spool ---------------------------------------------------------------------------------------
 */

/* Room for that many more; what was passed is not needed any more. */
static void make_room(struct recorder *r, size_t count)
{
    if (r->wanted_first > 0) {
        memmove(r->wanted, r->wanted + r->wanted_first,
                (r->wanted_end - r->wanted_first) * sizeof *r->wanted);
        r->wanted_end -= r->wanted_first;
        r->wanted_first = 0;
    }
    if (count <= r->wanted_room - r->wanted_end)
        return;
    size_t room = (r->wanted_end + count) * 2;
    struct wanted *wanted = reallocarray(r->wanted, room, sizeof *wanted);
    if (!wanted)
        log_die("recorder: out of memory");
    r->wanted = wanted;
    r->wanted_room = room;
}

/* Where it stands in the list; NULL if it has passed. There is room. */
static struct wanted *want(struct recorder *r, uint64_t number)
{
    if (number <= r->last_frame)
        return NULL;
    size_t at = r->wanted_end; /* nearly always the end */
    while (at > 0 && r->wanted[at - 1].number > number)
        at--;
    if (at > 0 && r->wanted[at - 1].number == number)
        return &r->wanted[at - 1];
    memmove(r->wanted + at + 1, r->wanted + at, (r->wanted_end - at) * sizeof *r->wanted);
    r->wanted[at] = (struct wanted){.number = number};
    r->wanted_end++;
    return &r->wanted[at];
}

void recorder_hold(struct recorder *r, const uint8_t *numbers, size_t count)
{
    struct wanted *before = NULL;
    make_room(r, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        memcpy(&number, numbers + i * sizeof number, sizeof number);
        bool goes_along = number & HOLD_WITH;
        number &= ~HOLD_WITH;
        if (goes_along && before)
            before->with = number;
        before = want(r, number);
        r->late += before == NULL && !goes_along;
    }
}

static void keep_replay(struct recorder *r, const struct ring_record *f)
{
    while (r->wanted_first < r->wanted_end && r->wanted[r->wanted_first].number < f->number)
        r->wanted_first++;
    if (r->wanted_first == r->wanted_end || r->wanted[r->wanted_first].number != f->number)
        return;
    uint64_t with = r->wanted[r->wanted_first++].with;
    if (spool_add(r->spool, f, ring_payload(f), with) != 0)
        r->unheld++;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* What is held of the frames, and of those that go with them, in order. Caller frees. */
static uint64_t *gather(struct recorder *r, const uint64_t *cited, size_t count, size_t *ret_count)
{
    size_t n = 0, room = 2 * count + 1;
    uint64_t *list = calloc(room, sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        for (uint64_t next = cited[i], with; list && spool_take(r->spool, next, &with);
             next = with) {
            if (n == room)
                list = reallocarray(list, room *= 2, sizeof *list);
            if (list)
                list[n++] = next;
        }
    if (!list)
        log_die("recorder: out of memory");
    if (n > 1)
        qsort(list, n, sizeof *list, by_number);
    *ret_count = n;
    return list;
}

/* Each once, of those that are not held. */
static uint64_t count_missing(const struct recorder *r, uint64_t *cited, size_t count)
{
    uint64_t missing = 0;
    if (count > 1)
        qsort(cited, count, sizeof *cited, by_number);
    for (size_t i = 0; i < count; i++)
        missing += (i == 0 || cited[i] != cited[i - 1]) && !spool_holds(r->spool, cited[i]);
    return missing;
}

static void record_missing(struct recorder *r, uint64_t missing)
{
    char text[96];
    int n = snprintf(text, sizeof text, "cited frames not held: %llu gave way, %llu late",
                     (unsigned long long)spool_lost(r->spool), (unsigned long long)r->late);
    log_line(LOG_WARNING, "recorder: %llu cited frames are not in the extract",
             (unsigned long long)missing);
    record_gap(r, &(struct gap){.reason = "held",
                                .has_lost = true,
                                .lost = missing,
                                .text = text,
                                .text_size = (size_t)n});
}

void recorder_extract(struct recorder *r, uint64_t *cited, size_t count)
{
    struct segment_summary summary;
    uint64_t missing = count_missing(r, cited, count);
    uint64_t *frames = gather(r, cited, count, &count);
    (void)snprintf(r->name, sizeof r->name, "%s", NAME_EXTRACT);
    int error = open_segment(r);
    if (error != 0)
        log_die("recorder: %s: %s", r->name, strerror(-error));
    for (size_t i = 0; i < count; i++) {
        const struct ring_record *f;
        int found = spool_find(r->spool, frames[i], &f);
        if (found < 0)
            log_die("recorder: held frames: %s", strerror(-found));
        if (found == 1)
            segment_frame(r->segment, f, ring_payload(f));
    }
    free(frames);
    error = segment_close(r->segment, &summary);
    r->segment = NULL;
    if (error != 0)
        log_die("recorder: %s: %s", r->name, strerror(-error));
    if (missing > 0)
        record_missing(r, missing);
    (void)record_segment(r, &summary, "extract", 0);
}

/* --- ring records --------------------------------------------------------------------------------
 */

static void take_frame(struct recorder *r, const struct ring_record *f)
{
    static const char text[] = "frames lost between capture and store";
    if (f->number <= r->last_frame || f->interface >= r->interfaces.count)
        log_die("recorder: frame %llu out of order", (unsigned long long)f->number);
    /* In replay numbers may jump over what the BPF expression refused; the ring loses nothing. */
    if (r->o.settings->live && f->number != r->last_frame + 1)
        record_gap(r, &(struct gap){.reason = "ring",
                                    .has_times = r->frames > 0,
                                    .from_ns = r->last_ns,
                                    .to_ns = f->time_ns,
                                    .has_lost = true,
                                    .lost = f->number - r->last_frame - 1,
                                    .text = text,
                                    .text_size = sizeof text - 1});
    if (r->frames == 0 || f->time_ns < r->least_ns)
        r->least_ns = f->time_ns;
    if (r->frames == 0 || f->time_ns > r->greatest_ns)
        r->greatest_ns = f->time_ns;
    r->last_frame = f->number;
    r->last_ns = f->time_ns;
    r->frames++;
    if (r->o.settings->live)
        keep_live(r, f);
    else
        keep_replay(r, f);
}

/* The counters of a run whose interfaces have none of their own (files): its totals. */
static void take_end(struct recorder *r, const struct ring_record *f)
{
    struct ring_loss none = {0}, sum = sums(r);
    if (f->caplen < sizeof r->total)
        log_die("recorder: malformed end");
    memcpy(&r->total, ring_payload(f), sizeof r->total);
    if (r->interfaces.count > 0 && memcmp(&sum, &none, sizeof sum) == 0)
        r->interfaces.list[0].loss = r->total;
    r->ended = true;
}

void recorder_take(struct recorder *r, const struct ring_record *f)
{
    struct ring_interface interface;
    switch ((enum ring_type)f->type) {
    case RING_FRAME:
        take_frame(r, f);
        break;
    case RING_INTERFACE:
        if (f->caplen < sizeof interface || f->interface != r->interfaces.count)
            log_die("recorder: malformed interface %u", f->interface);
        memcpy(&interface, ring_payload(f), sizeof interface);
        segment_add_interface(&r->interfaces, &interface, f->linktype);
        break;
    case RING_DAMAGE:
        r->damaged++;
        record_gap(r, &(struct gap){.reason = "damage",
                                    .has_place = true,
                                    .source = f->source,
                                    .offset = f->offset,
                                    .text = ring_payload(f),
                                    .text_size = f->caplen < TEXT_MAX ? f->caplen : TEXT_MAX});
        break;
    case RING_LOSS:
        if (f->caplen < sizeof(struct ring_loss) || f->interface >= r->interfaces.count)
            log_die("recorder: malformed counters");
        memcpy(&r->interfaces.list[f->interface].loss, ring_payload(f), sizeof(struct ring_loss));
        break;
    case RING_END:
        take_end(r, f);
        break;
    case RING_SOURCE:
    case RING_SKIP:
        break;
    }
}

bool recorder_ended(const struct recorder *r)
{
    return r->ended;
}

uint64_t recorder_last_frame(const struct recorder *r)
{
    return r->last_frame;
}

bool recorder_span(const struct recorder *r, int64_t *ret_first_ns, int64_t *ret_last_ns)
{
    if (r->frames == 0)
        return false;
    *ret_first_ns = r->least_ns;
    *ret_last_ns = r->greatest_ns;
    return true;
}

void recorder_finish(struct recorder *r)
{
    write_loss(r, NULL, &r->total);
}
