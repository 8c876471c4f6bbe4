/*
 * verify_findings: each finding was logged, and each frame that it cites is in the bundle.
 *
 * Contained in: verify, tests. Must never: judge what a finding says; the analyser does that again
 * when the verdicts are reproduced.
 */
#include "evidence/verify_hash.h"
#include "evidence/verify_story.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool cite(struct verify_story *s, uint64_t frame)
{
    if (s->cited_count == s->cited_room) {
        size_t room = s->cited_room ? 2 * s->cited_room : 256;
        uint64_t *more =
            s->cited_count < VERIFY_CITED_MAX ? realloc(s->cited, room * sizeof *more) : NULL;
        if (!more)
            return false;
        s->cited = more;
        s->cited_room = room;
    }
    s->cited[s->cited_count++] = frame;
    return true;
}

/* Frame numbers of one list; false if it is no list of numbers from 1. */
static bool cite_all(struct verify_story *s, const json_t *list)
{
    size_t index;
    json_t *number;
    if (!json_is_array(list))
        return false;
    json_array_foreach(list, index,
                       number) if (!json_is_integer(number) || json_integer_value(number) < 1 ||
                                   !cite(s, (uint64_t)json_integer_value(number))) return false;
    return true;
}

static void read_finding(struct verify_story *s, struct verify_text line, struct verify_text id,
                         uint64_t number)
{
    json_error_t error;
    json_t *finding = json_loadb(line.at, line.size, JSON_REJECT_DUPLICATES, &error);
    const char *stated = json_string_value(json_object_get(finding, "id"));
    if (!stated || !verify_text_is(id, stated))
        verify_fault(s->v, VERIFY_FINDINGS, "line %" PRIu64 " is not the finding that was logged",
                     number);
    else if (!cite_all(s, json_object_get(finding, "frames")) ||
             !cite_all(s, json_object_get(finding, "chain")))
        verify_fault(s->v, VERIFY_FINDINGS, "line %" PRIu64 " cites no well-formed frame numbers",
                     number);
    json_decref(finding);
}

void verify_findings_record(struct verify_story *s, const struct record *r)
{
    struct verify *v = s->v;
    uint8_t hash[HASH_BYTES], stated[HASH_BYTES];
    struct verify_text line;
    uint64_t number = s->finding_count++;
    if (!s->has_findings)
        return; /* of a run that has not ended: VERIFY_FILES says so */
    if ((uint64_t)verify_record_get(r, "line")->number != number)
        verify_fault(v, VERIFY_FINDINGS, "record %" PRIu64 " is not about line %" PRIu64, r->seq,
                     number);
    if (verify_next_line(&s->findings, &line) != 1) {
        verify_fault(v, VERIFY_FINDINGS, "line %" PRIu64 " is logged and not here", number);
        s->findings.size = 0;
        return;
    }
    verify_sha256(line.at, line.size, hash);
    if (!verify_record_hex(r, "sha256", stated, sizeof stated) ||
        memcmp(hash, stated, sizeof hash) != 0)
        verify_fault(v, VERIFY_FINDINGS, "line %" PRIu64 " does not hash as logged", number);
    else
        read_finding(s, line, verify_record_get(r, "id")->text, number);
}

static int compare_frames(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

void verify_findings_sort(struct verify_story *s)
{
    if (s->cited_count == 0)
        return;
    qsort(s->cited, s->cited_count, sizeof *s->cited, compare_frames);
    size_t kept = 1;
    for (size_t i = 1; i < s->cited_count; i++)
        if (s->cited[i] != s->cited[kept - 1])
            s->cited[kept++] = s->cited[i];
    s->cited_count = kept;
}

void verify_findings_end(struct verify_story *s, const bool *seen)
{
    struct verify *v = s->v;
    if (s->findings.size > 0)
        verify_fault(v, VERIFY_FINDINGS, "findings beyond the %" PRIu64 " logged",
                     s->finding_count);
    if (!s->has_findings && s->is_closed)
        verify_fault(v, VERIFY_FINDINGS, "%s is missing", BUNDLE_FINDINGS);
    if (!s->has_findings && !s->is_closed) {
        verify_skipped(v, VERIFY_FINDINGS, "the run had not ended: no findings were sealed");
        return;
    }
    uint64_t missing = 0, first = 0;
    for (size_t i = 0; i < s->cited_count; i++)
        if (!seen[i] && missing++ == 0)
            first = s->cited[i];
    if (missing > 0 && !s->frames_lost)
        verify_fault(v, VERIFY_FINDINGS, "%" PRIu64 " cited frames are missing, first %" PRIu64,
                     missing, first);
    else if (missing > 0)
        verify_doubt(v, VERIFY_FINDINGS,
                     "%" PRIu64 " cited frames had been lost, as logged, first "
                     "%" PRIu64,
                     missing, first);
    verify_passed(v, VERIFY_FINDINGS, "%" PRIu64 " %s%s logged, all %zu frames cited are here",
                  s->finding_count, s->is_replay ? "finding" : "change",
                  s->is_replay            ? verify_s(s->finding_count)
                  : s->finding_count == 1 ? " of a finding"
                                          : "s of findings",
                  s->cited_count);
}
