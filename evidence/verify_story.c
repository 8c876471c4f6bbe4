/*
 * verify_story: what the records of the log say, held against the files of the bundle.
 *
 * Contained in: verify, tests. Must never: take a record's word for a file that is there to be
 * looked at.
 */
#include "evidence/verify_story.h"

#include "evidence/verify_offer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The clock is slewed, and frames of two interfaces may overtake each other in the kernel: so far
 * back a time may lie without anybody having set the clock. */
#define SLACK_NS INT64_C(100000000)
#define SECOND   INT64_C(1000000000)

bool verify_story_init(struct verify_story *s, struct verify *v)
{
    *s = (struct verify_story){.v = v, .last_time = INT64_MIN};
    s->accounted = calloc(v->member_count + 1, sizeof *s->accounted);
    const struct verify_member *findings = verify_find(v, BUNDLE_FINDINGS);
    if (findings) {
        s->has_findings = true;
        s->findings =
            (struct verify_text){.at = (const char *)findings->bytes, .size = findings->size};
    }
    return s->accounted != NULL;
}

void verify_story_fini(struct verify_story *s)
{
    free(s->accounted);
    free(s->segments);
    free(s->cited);
}

/* The member that a path of the log means (without "data/"), or NULL. */
static const struct verify_member *member_of(const struct verify *v, struct verify_text file)
{
    char name[VERIFY_NAME_MAX + 1];
    int size = snprintf(name, sizeof name, "data/%.*s", (int)(file.size < 4096 ? file.size : 4096),
                        file.at);
    return size > 0 && (size_t)size < sizeof name ? verify_find(v, name) : NULL;
}

static void check_file(struct verify_story *s, const struct record_file *f)
{
    struct verify *v = s->v;
    struct verify_shown shown;
    const char *name = verify_escape(f->file.at, f->file.size, &shown);
    const struct verify_member *m = member_of(v, f->file);
    if (!m) {
        verify_fault(v, VERIFY_FILES, "%s is logged and not here", name);
        return;
    }
    if (s->accounted[m - v->members])
        verify_fault(v, VERIFY_FILES, "%s is logged twice", name);
    s->accounted[m - v->members] = true;
    if (m->size != f->size || memcmp(m->sha256, f->sha256, HASH_BYTES) != 0)
        verify_fault(v, VERIFY_FILES, "%s is not the file that was logged", name);
}

static void check_files(struct verify_story *s, struct verify_text array)
{
    struct scan rest = scan_over(array);
    struct record_file file;
    while (verify_record_next_file(&rest, &file))
        check_file(s, &file);
}

static void on_open(struct verify_story *s, const struct record *r)
{
    struct verify *v = s->v;
    struct verify_shown shown;
    if (r->seq != 0)
        verify_fault(v, VERIFY_LOG, "record %" PRIu64 " opens the log again", r->seq);
    s->is_open = true;
    s->origin = verify_record_get(r, "origin")->text;
    s->software = verify_record_get(r, "software")->text;
    s->filter = verify_record_get(r, "filter")->text;
    verify_escape(s->origin.at, s->origin.size, &shown);
    snprintf(v->report->origin, sizeof v->report->origin, "%.159s", shown.text);
    struct verify_text run = verify_record_get(r, "run")->text;
    s->is_accept = verify_text_is(run, "accept");
    s->is_replay = s->is_accept || verify_text_is(run, "replay");
    if (!s->is_replay && !verify_text_is(run, "capture"))
        verify_fault(v, VERIFY_LOG, "neither a replay nor a capture nor an acceptance");
    if (verify_record_get(r, "format")->number != FORMAT_VERSION)
        verify_fault(v, VERIFY_LOG, "the log is of another format than %d", FORMAT_VERSION);
    check_files(s, verify_record_get(r, "inputs")->text);
}

/* A replayed file that the bundle includes must be the one that was replayed. */
static void check_included(struct verify_story *s, const struct record *r)
{
    struct verify *v = s->v;
    struct verify_text name = verify_record_get(r, "member")->text;
    char path[VERIFY_NAME_MAX + 1];
    int size = snprintf(path, sizeof path, BUNDLE_CAPTURE "%.*s",
                        (int)(name.size < 4096 ? name.size : 4096), name.at);
    const struct verify_member *m =
        size > 0 && (size_t)size < sizeof path ? verify_find(v, path) : NULL;
    if (!m)
        return;
    uint8_t sha256[HASH_BYTES], sha512[2 * HASH_BYTES];
    s->accounted[m - v->members] = true;
    s->included++;
    if ((uint64_t)verify_record_get(r, "size")->number != m->size ||
        !verify_record_hex(r, "sha256", sha256, sizeof sha256) ||
        !verify_record_hex(r, "sha512", sha512, sizeof sha512) ||
        memcmp(sha256, m->sha256, sizeof sha256) != 0 ||
        memcmp(sha512, m->sha512, sizeof sha512) != 0)
        verify_fault(v, VERIFY_SOURCE, "%s is not the file that was replayed", path);
}

static void on_source(struct verify_story *s, const struct record *r)
{
    struct verify *v = s->v;
    uint8_t hash[2 * HASH_BYTES];
    if (!s->is_replay || s->is_accept)
        verify_fault(v, VERIFY_SOURCE, "%s has no source file",
                     s->is_accept ? "an acceptance" : "a live capture");
    if ((uint64_t)verify_record_get(r, "index")->number != s->sources++)
        verify_fault(v, VERIFY_SOURCE, "record %" PRIu64 ": sources are not numbered in order",
                     r->seq);
    if (!verify_record_hex(r, "sha256", hash, HASH_BYTES) ||
        !verify_record_hex(r, "sha512", hash, 2 * HASH_BYTES))
        verify_fault(v, VERIFY_SOURCE, "record %" PRIu64 " has no well-formed hashes", r->seq);
    struct verify_text name = verify_record_get(r, "name")->text;
    if (v->options->offer)
        verify_offer_source(v->options->offer, s->sources - 1, name.at, name.size);
    s->changed_sources += (uint64_t)verify_record_get(r, "changed")->number;
    check_included(s, r);
}

static struct verify_segment *add_segment(struct verify_story *s)
{
    if (s->segment_count == s->segment_room) {
        size_t room = s->segment_room ? 2 * s->segment_room : 16;
        struct verify_segment *more = s->segment_count < VERIFY_MEMBERS_MAX
                                          ? realloc(s->segments, room * sizeof *more)
                                          : NULL;
        if (!more) {
            verify_fault(s->v, VERIFY_CAPTURE, "too many segments");
            return NULL;
        }
        s->segments = more;
        s->segment_room = room;
    }
    struct verify_segment *added = &s->segments[s->segment_count++];
    *added = (struct verify_segment){.member = NULL};
    return added;
}

static uint64_t number_of(const struct record *r, const char *key)
{
    return (uint64_t)verify_record_get(r, key)->number;
}

static void on_segment(struct verify_story *s, const struct record *r)
{
    struct verify *v = s->v;
    struct verify_segment *g = add_segment(s);
    if (!g)
        return;
    struct verify_text kind = verify_record_get(r, "kind")->text;
    g->file = verify_record_get(r, "file")->text;
    g->is_extract = verify_text_is(kind, "extract");
    if ((!g->is_extract && !verify_text_is(kind, "segment")) || g->is_extract != s->is_replay)
        verify_fault(v, VERIFY_CAPTURE,
                     "record %" PRIu64 ": a replay has an extract, a capture "
                     "segments",
                     r->seq);
    g->number = number_of(r, "number");
    g->packets = number_of(r, "packets");
    g->first_packet = number_of(r, "first_packet");
    g->last_packet = number_of(r, "last_packet");
    g->first = verify_record_get(r, "first")->number;
    g->last = verify_record_get(r, "last")->number;
    g->received = number_of(r, "received");
    g->dropped_kernel = number_of(r, "dropped_kernel");
    g->dropped_interface = number_of(r, "dropped_interface");
    g->dropped_ring = number_of(r, "dropped_ring");
    g->clock_steps = s->steps;
    bool empty = verify_record_get(r, "first")->is_null;
    if (empty != (g->packets == 0) || verify_record_get(r, "last")->is_null != empty ||
        verify_record_get(r, "first_packet")->is_null != empty ||
        verify_record_get(r, "last_packet")->is_null != empty)
        verify_fault(v, VERIFY_CAPTURE, "record %" PRIu64 " contradicts itself", r->seq);
    if (!s->is_replay && s->clock_records == 0 && g->last > r->time + SECOND)
        verify_fault(v, VERIFY_CLOCK, "record %" PRIu64 " seals packets of a later time", r->seq);
    struct record_file file = {.file = g->file, .size = number_of(r, "size")};
    if (!verify_record_hex(r, "sha256", file.sha256, sizeof file.sha256))
        verify_fault(v, VERIFY_CAPTURE, "record %" PRIu64 " has no well-formed hash", r->seq);
    memcpy(g->sha256, file.sha256, sizeof g->sha256);
    g->member = member_of(v, g->file);
    if (g->member)
        check_file(s, &file);
}

/* The zone file that was adopted must be the one enclosed. */
static void on_accept(struct verify_story *s, const struct record *r)
{
    struct verify *v = s->v;
    struct verify_text file = verify_record_get(r, "file")->text;
    const struct verify_member *m = member_of(v, file);
    uint8_t hash[HASH_BYTES], new_hash[HASH_BYTES];
    if (!s->is_accept || s->accepts++ > 0)
        verify_fault(v, VERIFY_LOG, "record %" PRIu64 ": an acceptance out of place", r->seq);
    if (!verify_record_hex(r, "finding_sha256", hash, sizeof hash) ||
        !verify_record_hex(r, "old_sha256", hash, sizeof hash) ||
        !verify_record_hex(r, "sha256", new_hash, sizeof new_hash) ||
        !verify_base64(verify_record_get(r, "log_root")->text, hash, sizeof hash))
        verify_fault(v, VERIFY_LOG, "record %" PRIu64 " has no well-formed hashes", r->seq);
    else if (!m || !verify_starts(m->name, BUNDLE_BASELINE) ||
             memcmp(m->sha256, new_hash, sizeof new_hash) != 0)
        verify_fault(v, VERIFY_FILES, "the zone file that was accepted is not the one enclosed");
}

static void on_tombstone(struct verify_story *s, const struct record *r)
{
    struct verify_text file = verify_record_get(r, "file")->text;
    for (size_t i = 0; i < s->segment_count; i++)
        if (verify_text_same(s->segments[i].file, file))
            s->segments[i].removed = s->frames_lost = true;
}

static void on_gap(struct verify_story *s, const struct record *r)
{
    struct verify_text reason = verify_record_get(r, "reason")->text;
    bool known = false;
#define X(id, name, text) known = known || verify_text_is(reason, name);
    GAP_REASONS(X)
#undef X
    if (!known)
        verify_fault(s->v, VERIFY_LOG, "record %" PRIu64 ": a gap for no known reason", r->seq);
    /* Frames that a finding cites may be missing for every reason but damage of the source. */
    if (!verify_text_is(reason, "damage"))
        s->frames_lost = true;
}

static void on_close(struct verify_story *s, const struct record *r)
{
    struct verify_text reason = verify_record_get(r, "reason")->text;
    s->is_closed = true;
    if (!verify_text_is(reason, "finished") && !verify_text_is(reason, "stopped"))
        verify_fault(s->v, VERIFY_LOG, "the run was closed for no known reason");
    check_files(s, verify_record_get(r, "files")->text);
}

/* The sensor's clock goes forward, except by what a clock record says. */
static void check_time(struct verify_story *s, const struct record *r)
{
    int64_t step = 0;
    if (r->type == RECORD_CLOCK) {
        step = verify_record_get(r, "step_ns")->number;
        s->clock_records++;
        if (__builtin_add_overflow(s->steps, step, &s->steps))
            verify_fault(s->v, VERIFY_CLOCK, "record %" PRIu64 ": impossible step", r->seq);
    }
    int64_t least = s->last_time;
    if (least != INT64_MIN &&
        (__builtin_add_overflow(least, step < 0 ? step : 0, &least) || r->time < least - SLACK_NS))
        verify_fault(s->v, VERIFY_CLOCK,
                     "record %" PRIu64 " is older than the one before, and no step is recorded",
                     r->seq);
    s->last_time = r->time;
}

void verify_story_record(struct verify_story *s, const struct record *r)
{
    if (s->is_closed)
        verify_fault(s->v, VERIFY_LOG, "record %" PRIu64 " follows the end of the run", r->seq);
    if (!s->is_open && r->type != RECORD_OPEN)
        verify_fault(s->v, VERIFY_LOG, "the log does not begin with its opening");
    check_time(s, r);
    switch (r->type) {
    case RECORD_OPEN:
        on_open(s, r);
        break;
    case RECORD_SOURCE:
        on_source(s, r);
        break;
    case RECORD_SEGMENT:
        on_segment(s, r);
        break;
    case RECORD_FINDING:
        verify_findings_record(s, r);
        break;
    case RECORD_GAP:
        on_gap(s, r);
        break;
    case RECORD_ACCEPT:
        on_accept(s, r);
        break;
    case RECORD_TOMBSTONE:
        on_tombstone(s, r);
        break;
    case RECORD_CLOSE:
        on_close(s, r);
        break;
    default:
        break;
    }
}

static void end_files(struct verify_story *s)
{
    struct verify *v = s->v;
    static const char *const own[] = {BUNDLE_KEY0, BUNDLE_KEY0_SIG};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const struct verify_member *m = verify_find(v, own[i]);
        if (m)
            s->accounted[m - v->members] = true;
    }
    for (size_t i = verify_first_under(v, "data/"); i < v->member_count; i++) {
        if (!verify_starts(v->members[i].name, "data/"))
            break;
        if (!s->accounted[i])
            verify_fault(v, VERIFY_FILES, "%s is in no record of the log", v->members[i].name);
    }
    if (!s->is_closed)
        verify_doubt(v, VERIFY_FILES, "the run had not ended: findings and events are not sealed");
    verify_passed(v, VERIFY_FILES, "every file is logged with its hash");
}

static void end_source(struct verify_story *s)
{
    struct verify *v = s->v;
    if (!s->is_replay) {
        verify_skipped(v, VERIFY_SOURCE, "a live capture, not a replay");
        return;
    }
    if (s->is_accept) {
        if (s->accepts == 0)
            verify_fault(v, VERIFY_LOG, "an acceptance of nothing");
        verify_skipped(v, VERIFY_SOURCE, "an acceptance, not a replay");
        return;
    }
    if (s->sources == 0)
        verify_fault(v, VERIFY_SOURCE, "no record names the replayed file");
    if (s->changed_sources > 0)
        verify_doubt(v, VERIFY_SOURCE, "%" PRIu64 " source files changed while they were read",
                     s->changed_sources);
    verify_passed(v, VERIFY_SOURCE,
                  "%" PRIu64 " file%s named by SHA-256 and SHA-512; %" PRIu64 " enclosed, as named",
                  s->sources, verify_s(s->sources), s->included);
}

void verify_story_end(struct verify_story *s)
{
    struct verify *v = s->v;
    end_files(s);
    end_source(s);
    if (s->last_time / SECOND != v->mtime)
        verify_fault(v, VERIFY_CLOCK, "the bundle's time is not that of its last record");
    verify_passed(v, VERIFY_CLOCK, "time goes forward; %" PRIu64 " step%s of the clock recorded",
                  s->clock_records, verify_s(s->clock_records));
    if (verify_must_stop(v))
        return;
    verify_findings_sort(s);
    bool *seen = calloc(s->cited_count + 1, sizeof *seen);
    if (!seen) {
        verify_fault(v, VERIFY_CAPTURE, "out of memory");
        return;
    }
    verify_capture_walk(s, seen);
    verify_findings_end(s, seen);
    free(seen);
}
