/*
 * results: events, findings, summary. Contained in: store. Must never write a line that analyze did
 * not send, or one that is no line.
 */
#include "evidence/results.h"

#include "evidence/file.h"
#include "evidence/hash.h"
#include "evidence/text.h"
#include "sandbox/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames a finding may cite (sandbox/channel.h). */
#define FINDING_FRAMES_MAX 4096u

struct results {
    struct results_options o;
    struct file *eve, *findings, *report, *inventory, *keys;
    struct hash *hash;
    uint64_t lines; /* of findings.jsonl */
    uint64_t *cited;
    size_t cited_count, cited_room;
    bool finished;
    struct msg_finished totals;
};

static struct file *create(int dir, const char *path)
{
    struct file *f;
    const char *slash = strrchr(path, '/');
    int error = file_create(dir, slash ? slash + 1 : path, FILE_OPEN, &f);
    if (error != 0)
        log_die("results: %s: %s", path, strerror(-error));
    return f;
}

struct results *results_new(const struct results_options *o)
{
    struct results *r = calloc(1, sizeof *r);
    if (!r)
        log_die("results: out of memory");
    r->o = *o;
    r->hash = hash_new(HASH_SHA256);
    r->eve = create(o->dir, FILE_EVE);
    r->findings = create(o->state, FILE_FINDINGS);
    r->report = create(o->state, FILE_REPORT);
    r->inventory = create(o->state, FILE_INVENTORY);
    r->keys = create(o->state, FILE_KEYS);
    return r;
}

void results_free(struct results *r)
{
    if (!r)
        return;
    file_discard(r->eve);
    file_discard(r->findings);
    file_discard(r->report);
    file_discard(r->inventory);
    file_discard(r->keys);
    hash_free(r->hash);
    free(r->cited);
    free(r);
}

/* --- messages ------------------------------------------------------------------------------------
 */

static void check_object(const uint8_t *json, size_t size)
{
    if (size < 2 || size >= CHANNEL_MESSAGE_MAX || json[0] != '{' || json[size - 1] != '}' ||
        !text_is_clean(json, size, false))
        log_die("results: analyze sent %zu bytes that are no line of JSON", size);
}

/* The event's frame has been published before analyze saw it, so it is in the ring at the latest.
 */
static void catch_up(struct results *r, uint64_t frame)
{
    const struct ring_record *f;
    while (recorder_last_frame(r->o.recorder) < frame && !recorder_ended(r->o.recorder) &&
           (f = ring_next(r->o.ring, NULL)) != NULL) {
        recorder_take(r->o.recorder, f);
        ring_release(r->o.ring);
    }
}

static void take_event(struct results *r, const uint8_t *bytes, size_t size)
{
    struct msg_event m;
    char name[32], place[96];
    if (size < sizeof m)
        log_die("results: malformed event");
    memcpy(&m, bytes, sizeof m);
    bytes += sizeof m;
    size -= sizeof m;
    check_object(bytes, size);
    if (r->o.live)
        catch_up(r, m.frame);
    if (r->o.live && recorder_locate(r->o.recorder, m.frame, name, sizeof name)) {
        int n = snprintf(place, sizeof place, ",\"segment\":\"%s\",\"packet_id\":%llu}\n", name,
                         (unsigned long long)m.frame);
        file_write(r->eve, bytes, size - 1);
        file_write(r->eve, place, (size_t)n);
    } else {
        file_write(r->eve, bytes, size);
        file_write(r->eve, "\n", 1);
    }
}

void results_custody(struct results *r, const char *action, const char *file, uint64_t seq,
                     int64_t time_ns)
{
    struct json j = {0};
    char time[TEXT_TIME_ROOM];
    text_time(time_ns, time);
    memcpy(time + strlen(time) - 4, "Z", 2); /* microseconds, as all events have them */
    json_object(&j, NULL);
    json_string(&j, "timestamp", time);
    json_string(&j, "event_type", "custody");
    json_object(&j, "custody");
    json_string(&j, "action", action);
    json_string(&j, "segment", file);
    json_number(&j, "record", seq);
    json_close(&j, '}');
    json_close(&j, '}');
    json_raw(&j, "\n", 1);
    file_write(r->eve, j.text, j.used);
    json_fini(&j);
}

static void cite(struct results *r, const uint8_t *numbers, size_t count)
{
    if (count > r->cited_room - r->cited_count) {
        size_t room = (r->cited_count + count) * 2;
        uint64_t *cited = reallocarray(r->cited, room, sizeof *cited);
        if (!cited)
            log_die("results: out of memory");
        r->cited = cited;
        r->cited_room = room;
    }
    if (count > 0)
        memcpy(r->cited + r->cited_count, numbers, count * sizeof *r->cited);
    r->cited_count += count;
}

static void check_id(const char id[static 24])
{
    size_t length = strnlen(id, 24);
    if (length == 0 || length == 24)
        log_die("results: finding without an id");
    for (size_t i = 0; i < length; i++)
        if (id[i] <= ' ' || id[i] > '~' || id[i] == '"' || id[i] == '\\')
            log_die("results: impossible id of a finding");
}

static void take_finding(struct results *r, const uint8_t *bytes, size_t size)
{
    struct msg_finding m;
    uint8_t digest[HASH_BYTES];
    if (size < sizeof m)
        log_die("results: malformed finding");
    memcpy(&m, bytes, sizeof m);
    size_t frames = m.frames * sizeof(uint64_t);
    if (m.frames > FINDING_FRAMES_MAX || frames > size - sizeof m)
        log_die("results: finding with %u frames", m.frames);
    const uint8_t *json = bytes + sizeof m + frames;
    size -= sizeof m + frames;
    check_id(m.id);
    check_object(json, size);
    /* In replay the state at the end is what counts; live, each change is kept when it happens. */
    if (!r->o.live && m.is_final != 1)
        return;
    if (!r->o.live)
        cite(r, bytes + sizeof m, m.frames);
    file_write(r->findings, json, size);
    file_write(r->findings, "\n", 1);
    hash_once(r->hash, json, size, digest);
    struct json *j = ledger_begin(r->o.ledger, "finding");
    json_string(j, "id", m.id);
    json_number(j, "line", r->lines++);
    json_hex(j, "sha256", digest, sizeof digest);
    ledger_commit(r->o.ledger);
}

static void take_report(struct results *r, const uint8_t *bytes, size_t size)
{
    if (!text_is_clean(bytes, size, true))
        log_die("results: the summary is no text");
    file_write(r->report, bytes, size);
}

static void take_inventory(struct results *r, const uint8_t *bytes, size_t size)
{
    check_object(bytes, size);
    file_write(r->inventory, bytes, size);
    file_write(r->inventory, "\n", 1);
}

/* What the next run starts from; it believes none of it. */
static void take_keys(struct results *r, const uint8_t *bytes, size_t size)
{
    if (!text_is_clean(bytes, size, true))
        log_die("results: the keys are no text");
    file_write(r->keys, bytes, size);
}

static void take_finished(struct results *r, const uint8_t *bytes, size_t size)
{
    if (size != sizeof r->totals)
        log_die("results: malformed end");
    memcpy(&r->totals, bytes, size);
    r->finished = true;
}

void results_take(struct results *r, enum message_type type, const uint8_t *bytes, size_t size)
{
    if (r->finished)
        log_die("results: message %d after the last", (int)type);
    switch (type) {
    case MSG_EVENT:
        take_event(r, bytes, size);
        break;
    case MSG_FINDING:
        take_finding(r, bytes, size);
        break;
    case MSG_HOLD:
        if (r->o.live || size % sizeof(uint64_t) != 0)
            log_die("results: malformed hold");
        recorder_hold(r->o.recorder, bytes, size / sizeof(uint64_t));
        break;
    case MSG_REPORT:
        take_report(r, bytes, size);
        break;
    case MSG_INVENTORY:
        take_inventory(r, bytes, size);
        break;
    case MSG_KEYS:
        take_keys(r, bytes, size);
        break;
    case MSG_FINISHED:
        take_finished(r, bytes, size);
        break;
    default:
        log_die("results: analyze sent message %d", (int)type);
    }
}

/* --- files ---------------------------------------------------------------------------------------
 */

static void flush(struct file *f, bool durable, const char *what)
{
    int error = file_flush(f, durable);
    if (error != 0)
        log_die("results: %s: %s", what, strerror(-error));
}

void results_flush(struct results *r)
{
    flush(r->eve, false, FILE_EVE);
    flush(r->findings, false, FILE_FINDINGS);
    flush(r->inventory, false, FILE_INVENTORY);
}

void results_settle(struct results *r)
{
    flush(r->findings, true, FILE_FINDINGS);
}

bool results_finished(const struct results *r, struct msg_finished *ret_totals)
{
    if (r->finished)
        *ret_totals = r->totals;
    return r->finished;
}

uint64_t *results_cited(const struct results *r, size_t *ret_count)
{
    *ret_count = r->cited_count;
    return r->cited;
}

static void seal(struct file **file, const char *member, struct listing *l)
{
    uint64_t size;
    uint8_t digest[HASH_BYTES];
    int error = file_seal(*file, &size, digest);
    *file = NULL;
    if (error != 0)
        log_die("results: %s: %s", member, strerror(-error));
    if (l)
        listing_add(l, member, size, digest);
}

void results_seal(struct results *r, struct listing *l)
{
    seal(&r->eve, BUNDLE_EVE, l);
    seal(&r->findings, BUNDLE_FINDINGS, l);
    seal(&r->inventory, BUNDLE_INVENTORY, l);
    seal(&r->report, BUNDLE_REPORT, l);
    seal(&r->keys, FILE_KEYS, NULL);
}
