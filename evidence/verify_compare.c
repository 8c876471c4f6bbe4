/*
 * verify_compare: two lists of findings, the sealed one and the one that followed again.
 *
 * Contained in: verify, tests; runs confined. Must never: take "not observed again" for "not
 * there".
 */
#include "evidence/verify_compare.h"

#include "evidence/verify_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* What a finding claims, as one text, and the frames it was seen in. */
struct claim {
    char *key;
    uint64_t *frames;
    size_t frame_count;
};

struct list {
    struct claim *claims; /* sorted by key */
    size_t count, room;
    bool is_broken;
};

/* Frames on which the second run has a last word: sorted by frame, the later word behind. */
struct word {
    uint64_t frame;
    size_t order;
    bool is_verdict; /* secure, insecure or bogus */
};

struct words {
    struct word *list;
    size_t count, room;
};

static json_t *load(struct verify_text line)
{
    json_error_t error;
    return json_loadb(line.at, line.size, JSON_REJECT_DUPLICATES, &error);
}

/* Room for one more, or false. */
static bool make_room(void **list, size_t count, size_t *room, size_t each)
{
    if (count < *room)
        return true;
    size_t more = *room ? 2 * *room : 64;
    void *grown = reallocarray(*list, more, each);
    if (!grown)
        return false;
    *list = grown;
    *room = more;
    return true;
}

/* What must come out again; counts, times and frame lists depend on how much traffic was seen. */
static bool claim_of(struct verify_text line, struct claim *ret_claim)
{
    static const char *const members[] = {"rule",   "zone",     "rrname",
                                          "rrtype", "expected", "observed"};
    json_t *finding = load(line), *list = json_array();
    struct claim claim = {.key = NULL};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(finding, members[i]);
        json_array_append_new(list, value ? json_incref(value) : json_null());
    }
    json_t *frames = json_object_get(finding, "frames"), *frame;
    size_t index;
    claim.frames = calloc(json_array_size(frames) + 1, sizeof *claim.frames);
    if (json_is_object(finding) && claim.frames)
        claim.key = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_array_foreach(frames, index, frame) if (claim.frames) claim.frames[claim.frame_count++] =
        (uint64_t)json_integer_value(frame);
    json_decref(list);
    json_decref(finding);
    if (!claim.key) {
        free(claim.frames);
        return false;
    }
    *ret_claim = claim;
    return true;
}

static int compare_claims(const void *a, const void *b)
{
    return strcmp(((const struct claim *)a)->key, ((const struct claim *)b)->key);
}

/* Findings about the tap rest on counts of all its traffic, of which a bundle encloses examples:
 * they can neither follow again nor be refuted. */
static bool is_of_the_tap(const char *key)
{
    return strncmp(key, "[\"sensor-", 9) == 0 || strncmp(key, "[\"fragments-lost\"", 17) == 0;
}

static struct list read_list(const void *bytes, size_t size)
{
    struct list list = {.count = 0};
    struct verify_text rest = {.at = bytes, .size = size}, line;
    int got;
    while ((got = verify_next_line(&rest, &line)) > 0) {
        if (!make_room((void **)&list.claims, list.count, &list.room, sizeof *list.claims) ||
            !claim_of(line, &list.claims[list.count]))
            break;
        list.count++;
        if (is_of_the_tap(list.claims[list.count - 1].key)) {
            free(list.claims[list.count - 1].key);
            free(list.claims[list.count - 1].frames);
            list.count--;
        }
    }
    list.is_broken = got != 0;
    if (list.count > 1)
        qsort(list.claims, list.count, sizeof *list.claims, compare_claims);
    return list;
}

static void free_list(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->claims[i].key);
        free(list->claims[i].frames);
    }
    free(list->claims);
}

static int compare_words(const void *a, const void *b)
{
    const struct word *left = a, *right = b;
    if (left->frame != right->frame)
        return left->frame < right->frame ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

static struct words read_words(const void *bytes, size_t size)
{
    struct words words = {.count = 0};
    struct verify_text rest = {.at = bytes, .size = size}, line;
    while (verify_next_line(&rest, &line) > 0) {
        json_t *event = load(line);
        const char *type = json_string_value(json_object_get(event, "event_type"));
        const char *verdict =
            json_string_value(json_object_get(json_object_get(event, "dnssec"), "verdict"));
        if (type && strcmp(type, "dnssec") == 0 && verdict &&
            make_room((void **)&words.list, words.count, &words.room, sizeof *words.list)) {
            words.list[words.count] = (struct word){
                .frame = (uint64_t)json_integer_value(json_object_get(event, "pcap_cnt")),
                .order = words.count,
                .is_verdict = strcmp(verdict, "secure") == 0 || strcmp(verdict, "insecure") == 0 ||
                              strcmp(verdict, "bogus") == 0};
            words.count++;
        }
        json_decref(event);
    }
    if (words.count > 1)
        qsort(words.list, words.count, sizeof *words.list, compare_words);
    return words;
}

static bool has_verdict(const struct words *words, uint64_t frame)
{
    size_t low = 0, high = words->count; /* behind the last word on the frame */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (words->list[middle].frame <= frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && words->list[low - 1].frame == frame && words->list[low - 1].is_verdict;
}

/* Does it say: this was seen and is wrong? All others rest on what was not seen, on rates, or on
 * the order of much traffic. */
static bool is_of_presence(const char *key)
{
    static const char *const rules[] = {
        "key-unknown",       "key-changed",       "key-revoked",           "key-weak",
        "key-malformed",     "rrsig-bad",         "rrsig-expired",         "rrsig-not-yet-valid",
        "rrsig-expiring",    "rrsig-malformed",   "rrsig-signer-not-zone", "rrsig-labels",
        "ds-unknown",        "ds-malformed",      "ds-digest-wrong",       "ds-algorithm-mismatch",
        "ds-weak",           "record-unexpected", "record-changed",        "mail-moved",
        "delegation-changed"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        size_t size = strlen(rules[i]);
        if (strncmp(key, "[\"", 2) == 0 && strncmp(key + 2, rules[i], size) == 0 &&
            key[2 + size] == '"')
            return true;
    }
    return false;
}

static bool is_contradicted(const struct claim *claim, const struct words *words)
{
    for (size_t i = 0; i < claim->frame_count; i++)
        if (!has_verdict(words, claim->frames[i]))
            return false;
    return is_of_presence(claim->key);
}

struct difference {
    size_t count, grave; /* missing; of these, contradicted */
    const char *first, *first_grave;
};

/* What of `a` is not in `b`; both sorted. */
static struct difference missing(const struct list *a, const struct list *b,
                                 const struct words *words)
{
    struct difference d = {.first = "", .first_grave = ""};
    for (size_t i = 0, at = 0; i < a->count; i++) {
        const struct claim *claim = &a->claims[i];
        while (at < b->count && strcmp(b->claims[at].key, claim->key) < 0)
            at++;
        if (at < b->count && strcmp(b->claims[at].key, claim->key) == 0) {
            at++;
            continue;
        }
        if (d.count++ == 0)
            d.first = claim->key;
        if (is_contradicted(claim, words) && d.grave++ == 0)
            d.first_grave = claim->key;
    }
    return d;
}

void verify_compare_findings(const void *sealed, size_t sealed_size,
                             const struct verify_replayed *r, bool is_partial,
                             struct verify_report *report)
{
    static const struct verify_options options = {.ca = NULL};
    struct verify v = {.options = &options, .report = report};
    struct list before = read_list(sealed, sealed_size);
    struct list after = read_list(r->findings, r->findings_size);
    struct words words = read_words(r->events, r->events_size);
    struct verify_shown shown;
    report->line[VERIFY_VERDICTS] = (struct verify_line){.outcome = VERIFY_NOT_CHECKED};
    struct difference lost = missing(&before, &after, &words);
    struct difference added = missing(&after, &before, &words);
    if (before.is_broken || after.is_broken)
        verify_fault(&v, VERIFY_VERDICTS, "a list of findings is malformed");
    else if (lost.grave > 0 && !is_partial)
        verify_fault(&v, VERIFY_VERDICTS,
                     "%zu findings do not follow from the frames that they cite, first %s",
                     lost.grave, verify_escape(lost.first_grave, strlen(lost.first_grave), &shown));
    if (lost.count > 0)
        verify_doubt(&v, VERIFY_VERDICTS,
                     "%zu of %zu findings rest on more traffic than is enclosed, first %s",
                     lost.count, before.count,
                     verify_escape(lost.first, strlen(lost.first), &shown));
    if (added.count > 0)
        verify_doubt(&v, VERIFY_VERDICTS, "%zu findings follow that were not sealed, first %s",
                     added.count, verify_escape(added.first, strlen(added.first), &shown));
    verify_passed(&v, VERIFY_VERDICTS, "%zu findings follow again from the frames", before.count);
    free(words.list);
    free_list(&before);
    free_list(&after);
}
